//! Port scanners, load balancers, addresses that may not come: seen, counted, and no trouble to anybody.

use crate::site::{Site, begin, closed, transfer};
use intake::Limits;

#[tokio::test]
async fn a_probe_that_says_nothing_raises_no_alarm_and_displaces_nobody() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut line = site.connect().await;
    begin(&mut line, 1).await;
    for _ in 0..10 {
        drop(site.connect().await);
    }
    let standing = site.until("ten probes are counted", |s| s.probes_total == 10).await;
    assert_eq!((standing.anomalies_total, standing.turned_away_total, standing.sockets), (0, 0, 1));
    assert_eq!(crate::site::say(&mut line, &crate::site::frame(2, "P|1\r")).await.unwrap(), crate::site::ACK);
}

#[tokio::test]
async fn a_probe_that_is_reset_raises_no_alarm() {
    let site = Site::listening(Limits::default(), |_| {});
    let probe = site.connect().await;
    socket2::SockRef::from(&probe).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(probe);
    let standing = site.until("the probe is counted", |s| s.probes_total == 1).await;
    assert_eq!(standing.anomalies_total, 0);
}

#[tokio::test]
async fn an_address_that_is_not_listed_is_turned_away_and_told_about() {
    let site = Site::listening(Limits::default(), |l| l.peers = vec!["10.1.2.0/24".parse().unwrap()]);
    closed(&mut site.connect().await).await;
    let standing = site.until("it is counted", |s| s.turned_away_total == 1).await;
    assert!(standing.last_anomaly.contains("127.0.0.1 is not among the peers"), "{standing:?}");
    let site = Site::listening(Limits::default(), |l| l.peers = vec!["127.0.0.0/8".parse().unwrap()]);
    transfer(&mut site.connect().await).await;
    assert_eq!(site.kept().await.0.len(), 1);
}

#[tokio::test]
async fn a_flood_of_silent_connections_leaves_room_for_one_that_speaks() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut flood = Vec::new();
    for _ in 0..200 {
        flood.push(site.connect().await);
    }
    let mut line = site.connect().await;
    transfer(&mut line).await;
    // 64 may wait and one is served; the rest was closed.
    site.until("the rest is turned away", |s| s.turned_away_total >= 200 - 64 - 1).await;
    assert_eq!(site.kept().await.0.len(), 1);
}

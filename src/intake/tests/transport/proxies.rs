//! Behind a load balancer: the PROXY header says whose connection it is.

use crate::site::{ACK, ENQ, RECORDS, Site, closed, frame, say, transfer};
use intake::{Limits, Listen};
use tokio::io::AsyncWriteExt;

fn header(last: u8) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend([10, 0, 0, last, 10, 0, 0, 99, 0xC0, 0, 0x23, 0x8D]);
    header
}

fn behind(proxy: &str) -> impl FnOnce(&mut Listen) {
    let proxy = proxy.parse().unwrap();
    move |listen| listen.proxies = Some(vec![proxy])
}

#[tokio::test]
async fn the_address_in_the_header_is_the_analysers() {
    let site = Site::listening(Limits::default(), behind("127.0.0.1"));
    let mut line = site.connect().await;
    line.write_all(&header(7)).await.unwrap();
    transfer(&mut line).await;
    let standing = site.until("a message has come", |s| s.messages_total == 1).await;
    assert!(standing.peer.starts_with("10.0.0.7 by way of 127.0.0.1:"), "{standing:?}");
    // Header and first bytes in one packet; the same analyser again, so it displaces the old socket.
    let mut again = site.connect().await;
    assert_eq!(say(&mut again, &[header(7), vec![ENQ]].concat()).await.unwrap(), ACK);
    closed(&mut line).await;
    // Another analyser does not push in while this one is talking.
    let mut other = site.connect().await;
    other.write_all(&[header(8), vec![ENQ]].concat()).await.unwrap();
    closed(&mut other).await;
    assert_eq!(say(&mut again, &frame(1, RECORDS[0])).await.unwrap(), ACK);
    let standing = site.until("it is turned away", |s| s.turned_away_total == 1).await;
    assert!(standing.last_anomaly.contains("10.0.0.7 is talking on this line"), "{standing:?}");
}

#[tokio::test]
async fn without_a_header_or_from_a_stranger_nobody_comes_in() {
    for (proxy, first, expect) in [
        ("127.0.0.1", &[ENQ][..], "no PROXY header comes first"),
        ("127.0.0.1", b"PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n", "version 1"),
        ("10.9.9.9", &header(7), "127.0.0.1 is not among the proxies"),
    ] {
        let site = Site::listening(Limits::default(), behind(proxy));
        let mut line = site.connect().await;
        line.write_all(first).await.unwrap();
        closed(&mut line).await;
        let standing = site.until("it is turned away", |s| s.turned_away_total == 1).await;
        assert!(standing.last_anomaly.contains(expect), "{standing:?}");
    }
}

#[tokio::test]
async fn the_listed_peers_are_asked_for_the_address_behind_the_proxy() {
    let site = Site::listening(Limits::default(), |listen| {
        behind("127.0.0.1")(listen);
        listen.peers = vec!["10.0.0.7".parse().unwrap()];
    });
    let mut wrong = site.connect().await;
    wrong.write_all(&header(8)).await.unwrap();
    closed(&mut wrong).await;
    let mut right = site.connect().await;
    right.write_all(&header(7)).await.unwrap();
    transfer(&mut right).await;
    let (messages, _) = site.kept().await;
    assert_eq!(messages.len(), 1);
}

#[tokio::test]
async fn a_proxy_that_looks_whether_we_are_there_raises_no_alarm() {
    let site = Site::listening(Limits::default(), behind("127.0.0.1"));
    drop(site.connect().await);
    let mut local = site.connect().await;
    local.write_all(b"\r\n\r\n\0\r\nQUIT\n\x20\x00\x00\x00").await.unwrap();
    drop(local);
    let standing = site.until("both are counted", |s| s.probes_total == 2).await;
    assert_eq!(standing.anomalies_total, 0);
}

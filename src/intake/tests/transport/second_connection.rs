//! Protocols §4.4: an analyser that was switched off connects anew while its old socket still looks alive.

use crate::site::{ACK, ENQ, RECORDS, Site, begin, closed, say, transfer};
use intake::Limits;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn law_01_a_second_connection_displaces_the_first_and_what_was_in_flight_is_kept() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut old = site.connect().await;
    begin(&mut old, 2).await;
    let mut new = site.connect().await;
    transfer(&mut new).await;
    closed(&mut old).await;
    let standing = site.until("the old one has ended", |s| s.cut_total == 1 && s.anomalies_total == 2).await;
    let mut kinds: Vec<&str> = standing.anomalies.keys().map(|kind| kind.name()).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["broken_off", "displaced"], "{standing:?}");
    let (messages, halves) = site.kept().await;
    assert_eq!(messages, [RECORDS.concat()]);
    assert_eq!(halves, [RECORDS[..2].concat()]);
}

#[tokio::test]
async fn a_connection_that_has_said_nothing_yet_displaces_nobody() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut first = site.connect().await;
    begin(&mut first, 1).await;
    let mut silent = site.connect().await;
    assert_eq!(say(&mut first, &crate::site::frame(2, RECORDS[1])).await.unwrap(), ACK);
    assert_eq!(site.standing().anomalies_total, 0);
    // It speaks at last.
    assert_eq!(say(&mut silent, &[ENQ]).await.unwrap(), ACK);
    closed(&mut first).await;
}

#[tokio::test]
async fn a_waiting_connection_gets_the_place_of_one_that_leaves() {
    let site = Site::listening(Limits::default(), |_| {});
    let mut first = site.connect().await;
    transfer(&mut first).await;
    let waiting = site.connect().await;
    drop(first);
    // It is served without having spoken, so that an order could be sent to it.
    let name = waiting.local_addr().unwrap().to_string();
    site.until("the waiting one is served", |s| s.peer == name && s.sockets == 1).await;
    assert_eq!(site.standing().anomalies_total, 0);
}

#[tokio::test]
async fn where_several_sockets_are_allowed_they_live_side_by_side() {
    let site = Site::listening(Limits { sockets_max: 2, ..Limits::default() }, |_| {});
    // One after the other: of two that came at once either may be the first, and of equals the first has to go.
    let mut one = site.connect().await;
    begin(&mut one, 1).await;
    let mut two = site.connect().await;
    begin(&mut two, 1).await;
    for line in [&mut one, &mut two] {
        assert_eq!(say(line, &crate::site::frame(2, RECORDS[1])).await.unwrap(), ACK);
    }
    let mut three = site.connect().await;
    begin(&mut three, 1).await;
    closed(&mut one).await;
    two.write_all(&[]).await.unwrap();
    assert_eq!(say(&mut two, &crate::site::frame(3, RECORDS[2])).await.unwrap(), ACK);
}

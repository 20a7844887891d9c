//! Reaching for an analyser that is not there, is there, goes away and comes back.

use crate::site::{RECORDS, Site, begin, lis01, transfer};
use intake::{Activity, Connect, Limits, Source};
use std::time::Duration;
use tokio::net::TcpListener;

#[tokio::test]
async fn an_analyser_that_comes_and_goes_is_reached_again_and_nothing_is_lost() {
    // A port that nobody listens on, for now.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let limits = Limits { reconnect_pause_max: Duration::from_millis(500), ..Limits::default() };
    let source = Source::Connect(Connect::plain(address.to_string()));
    let site = Site::new(lis01(), limits, source, address);
    let standing = site.until("it tries again", |s| s.reason.contains("next attempt in")).await;
    assert_eq!(standing.activity, Activity::Connecting);
    assert!(standing.reason.contains("refused"), "{standing:?}");
    let listener = TcpListener::bind(address).await.unwrap();
    let (mut line, _) = listener.accept().await.unwrap();
    begin(&mut line, 2).await;
    assert_eq!(site.standing().activity, Activity::Connected);
    drop(line);
    let (mut line, _) = listener.accept().await.unwrap();
    transfer(&mut line).await;
    let standing = site.until("a message has come", |s| s.messages_total == 1).await;
    assert_eq!(standing.cut_total, 1);
    let (messages, halves) = site.kept().await;
    assert_eq!((messages, halves), (vec![RECORDS.concat()], vec![RECORDS[..2].concat()]));
}

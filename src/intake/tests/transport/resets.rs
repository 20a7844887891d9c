//! Analysers that do not notice a FIN, and end their own connections with RST.

use crate::site::{PATIENCE, Site};
use intake::{Activity, Answering, Close, Limits, Link, Listen, Source};
use socket2::SockRef;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use vocabulary::Protocol;

const MESSAGE: &[u8] = b"\x0BMSH|^~\\&|AutoLumo||||20260301||ORU^R01|5|P|2.3.1\r\x1C\r";

fn listening(close: Close) -> Site {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let link = Link::Mllp(mllp::Config::default(), Answering { close, ..Answering::default() });
    Site::new((link, Protocol::Hl7v2), Limits::default(), Source::Listen(Listen::plain(listener)), address)
}

/// Sends a message and reads its answer.
async fn talk(site: &Site) -> TcpStream {
    let mut line = site.connect().await;
    line.write_all(MESSAGE).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\x1C\r") {
        answer.push(line.read_u8().await.unwrap());
    }
    assert!(String::from_utf8_lossy(&answer).contains("MSA|AA|5"));
    line
}

#[tokio::test]
async fn a_connection_is_closed_with_a_reset_where_a_fin_is_not_noticed() {
    for (close, resets) in [(Close::Reset, true), (Close::End, false)] {
        let site = listening(close);
        let mut line = talk(&site).await;
        let kept = tokio::spawn(site.kept());
        assert_eq!(
            line.read(&mut [0]).await.unwrap(),
            0,
            "the FIN comes first, behind everything that was said"
        );
        let (messages, halves) = kept.await.unwrap();
        assert_eq!((messages.len(), halves.len()), (1, 0));
        let reset = timeout(PATIENCE, async {
            while resets && line.take_error().unwrap().is_none() {
                tokio::task::yield_now().await;
            }
        });
        reset.await.unwrap();
        assert_eq!(line.take_error().unwrap().map(|error| error.kind()), None, "told once, or never");
    }
}

#[tokio::test]
async fn a_peer_that_resets_is_no_alarm_where_that_is_its_way() {
    for (close, anomalies) in [(Close::Reset, 0), (Close::End, 1)] {
        let site = listening(close);
        let line = talk(&site).await;
        SockRef::from(&line).set_linger(Some(Duration::ZERO)).unwrap();
        drop(line);
        let standing = site
            .until("it waits for the next one", |s| {
                s.messages_total == 1 && s.activity == Activity::Listening && s.sockets == 0
            })
            .await;
        assert_eq!(standing.anomalies_total, anomalies, "{close:?}");
        // And the next one is served.
        drop(talk(&site).await);
    }
}

#[tokio::test]
async fn half_a_message_is_half_a_message_however_it_ends() {
    let site = listening(Close::Reset);
    let mut line = talk(&site).await;
    line.write_all(b"\x0BMSH|half").await.unwrap();
    site.until("it is read", |s| s.bytes_total >= (MESSAGE.len() + 9) as u64).await;
    SockRef::from(&line).set_linger(Some(Duration::ZERO)).unwrap();
    drop(line);
    site.until("it is told", |s| s.cut_total == 1 && s.activity == Activity::Listening).await;
    let (messages, halves) = site.kept().await;
    assert_eq!((messages.len(), halves), (1, vec!["MSH|half".to_owned()]));
}

//! Lines that are not LIS01: records without a link, and the blocks of the PK protocol.

use super::{Site, outgoing, site, site_on, then};
use crate::{
    Irregularity, Link, Settled,
    trace::{TraceLimits, Traced, Way},
};
use ledger::{HowEnded, Page};
use lis02::{Terminator, UnframedConfig};
use pk_blocks::{Answers, BlockEnd, encode_block, encode_record};
use std::{sync::Arc, time::Duration};
use vocabulary::ConnectionId;

const MESSAGE: &str = "H|\\^&\rP|1\rL|1|N\r";

fn unframed(terminator: Terminator) -> Link {
    Link::Unframed(UnframedConfig { terminator, silence: Duration::from_secs(10), message_bytes_max: 60 })
}

fn blocks(answers: Answers) -> Link {
    Link::PkBlocks(pk_blocks::Config { answers, ..pk_blocks::Config::default() })
}

/// Messages with `/` for CR, and halves: why and what.
async fn left(mut site: Site) -> (Vec<String>, Vec<(HowEnded, String)>) {
    let messages = site.close().await;
    let reader = site.ledger.state();
    let shown = |raw: Vec<u8>| String::from_utf8_lossy(&raw).replace('\r', "/");
    let halves = reader.half_transfers(&Page::first(9)).unwrap().items;
    let halves = halves
        .iter()
        .map(|half| (half.ended.unwrap(), shown(reader.unused_text(half.transfer).unwrap().unwrap())))
        .collect();
    (messages.into_iter().map(shown).collect(), halves)
}

#[tokio::test(start_paused = true)]
async fn records_without_a_link_are_messages_from_h_to_l_and_nothing_is_answered() {
    let mut site = site(unframed(Terminator::Required));
    site.send(b"\x02\x02").await;
    for byte in MESSAGE.as_bytes() {
        site.send(&[*byte]).await;
    }
    site.send(MESSAGE.repeat(3).as_bytes()).await;
    site.step(20_000).await;
    site.send(b"H|\\^&\rP|1\r").await;
    site.step(9_000).await;
    site.send(b"O|1\r").await;
    site.step(9_000).await;
    site.silence().await;
    site.step(1_000).await;
    site.send(b"H|\\^&\rP|9\r").await;
    site.silence().await;
    let (messages, halves) = left(site).await;
    assert_eq!(messages, vec!["H|\\^&/P|1/L|1|N/"; 4]);
    let expect = [(HowEnded::Timeout, "H|\\^&/P|1/O|1/"), (HowEnded::Disconnected, "H|\\^&/P|9/")];
    assert_eq!(halves, expect.map(|(how, text)| (how, text.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_message_only_where_the_terminator_may_be_left_out() {
    let mut site = site(unframed(Terminator::Optional));
    site.send(b"H|\\^&\rP|1\r").await;
    site.step(10_000).await;
    site.send(b"R|1\rL|1\rH|\\^&\rC|1|").await;
    site.send("x".repeat(100).as_bytes()).await;
    site.send(b"\rL|1\rH|\\^&\rP|2\r").await;
    site.silence().await;
    let (messages, halves) = left(site).await;
    assert_eq!(messages, ["H|\\^&/P|1/", "H|\\^&/P|2/"]);
    let long = format!("H|\\^&/C|1|{}", "x".repeat(50));
    assert_eq!(halves, [(HowEnded::Abandoned, "R|1/L|1/".to_owned()), (HowEnded::Abandoned, long)]);
}

#[tokio::test(start_paused = true)]
async fn while_the_disk_holds_up_the_reading_no_silence_cuts_the_next_message() {
    let disk = ledger::storage::Model::new();
    let mut site = site_on(Arc::new(disk.clone()), unframed(Terminator::Required));
    disk.stall(true);
    site.send(format!("{MESSAGE}H|\\^&\rP|2\r").as_bytes()).await;
    for _ in 0..3 {
        site.step(20_000).await;
    }
    // Its rest has been lying in the socket all the while.
    site.send(b"L|1|N\r").await;
    disk.stall(false);
    site.settle().await;
    // Once it is read again, silence is silence.
    site.send(b"H|\\^&\rP|3\r").await;
    site.step(10_000).await;
    site.silence().await;
    let (messages, halves) = left(site).await;
    assert_eq!(messages, ["H|\\^&/P|1/L|1|N/", "H|\\^&/P|2/L|1|N/"]);
    assert_eq!(halves, [(HowEnded::Timeout, "H|\\^&/P|3/".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn a_query_without_a_link_is_answered_between_the_peers_messages() {
    let mut site = site(unframed(Terminator::Required));
    site.clerk.says(then(1, "H|\\^&\rO|1|7\rL|1|F\r"));
    site.send(b"H|\\^&\rQ|1|7\rL|1\r").await;
    site.expect(b"H|\\^&\rO|1|7\rL|1|F\r").await;
    site.until(|clerk| clerk.settled() == [(1, Settled::Sent)]).await;
    site.send(b"H|\\^&\r").await;
    site.settle().await;
    site.clerk.has(outgoing(2, MESSAGE));
    site.silence().await;
    site.send(b"L|1\r").await;
    site.expect(MESSAGE.as_bytes()).await;
}

fn head(specimen: &str) -> String {
    format!("D 01210120260301{specimen:>27}00010001  ")
}

fn upload() -> (Vec<Vec<u8>>, String) {
    let records = ["SB01".to_owned(), "M 01".to_owned(), head("G1") + &"+ - ".repeat(30), "DE01".to_owned()];
    let blocks = records.iter().flat_map(|record| encode_record(record.as_bytes(), 80).unwrap()).collect();
    (blocks, records.join("/") + "/")
}

#[tokio::test(start_paused = true)]
async fn the_blocks_of_a_session_are_one_message() {
    let (sent, message) = upload();
    let mut silent = site(blocks(Answers::Silent));
    silent.send(&sent.concat()).await;
    let blocks_sent = sent.len() as u64;
    // The last block is whole when nothing follows it for a while.
    silent.accepted(blocks_sent - 1).await;
    silent.step(50).await;
    silent.accepted(blocks_sent).await;
    silent.silence().await;
    assert_eq!(left(silent).await, (vec![message.clone()], vec![]));
    let mut answered = site(blocks(Answers::ACK_NAK));
    for block in &sent {
        answered.send(block).await;
        answered.silence().await;
        answered.step(50).await;
        answered.expect(&[6]).await;
        // Our answer was lost.
        answered.send(block).await;
        answered.step(50).await;
        answered.expect(&[6]).await;
    }
    assert_eq!(left(answered).await, (vec![message], vec![]));
}

#[tokio::test(start_paused = true)]
async fn a_session_with_a_damaged_block_is_half_unless_the_block_comes_again() {
    let (mut sent, message) = upload();
    let mut answered = site(blocks(Answers::ACK_NAK));
    for (at, block) in sent.iter().enumerate() {
        if at == 2 {
            let mut damaged = block.clone();
            damaged[20] ^= 1;
            answered.send(&damaged).await;
            answered.step(50).await;
            answered.expect(&[21]).await;
        }
        answered.send(block).await;
        answered.step(50).await;
        answered.expect(&[6]).await;
    }
    assert_eq!(left(answered).await, (vec![message], vec![]));
    let mut silent = site(blocks(Answers::Silent));
    sent[2][20] ^= 1;
    silent.send(&sent.concat()).await;
    // One of them is the damaged one, and the last waits for quiet.
    silent.accepted(sent.len() as u64 - 2).await;
    silent.step(50).await;
    silent.accepted(sent.len() as u64 - 1).await;
    silent.silence().await;
    let (messages, halves) = left(silent).await;
    assert_eq!((messages.len(), halves.len(), halves[0].0), (0, 1, HowEnded::Abandoned));
    let mut broken = site(blocks(Answers::Silent));
    broken.send(&encode_block(b"SB01", BlockEnd::Last)).await;
    broken.step(50).await;
    broken.accepted(1).await;
    assert_eq!(left(broken).await, (vec![], vec![(HowEnded::Disconnected, "SB01".to_owned())]));
}

#[tokio::test(start_paused = true)]
async fn law_01_a_block_that_cannot_be_kept_is_refused() {
    let mut site = site(blocks(Answers::ACK_NAK));
    site.ledger.clone().close();
    site.send(&encode_block(b"SB01", BlockEnd::Last)).await;
    site.step(50).await;
    site.expect(&[21]).await;
}

#[tokio::test(start_paused = true)]
async fn a_block_that_is_never_answered_is_tried_again_and_again_but_told_once() {
    let mut site = site(blocks(Answers::Silent));
    site.ledger.clone().close();
    site.send(&encode_block(b"SB01", BlockEnd::Last)).await;
    for _ in 0..40 {
        site.step(250).await;
        site.settle().await;
    }
    assert_eq!(site.standing().refused_total, 1);
    let told = site.trace().into_iter().filter(|what| matches!(what, Traced::Refused { .. })).count();
    assert_eq!(told, 1);
}

#[tokio::test(start_paused = true)]
async fn lines_without_lis01_count_what_went_wrong_by_its_kind() {
    let mut plain = site(unframed(Terminator::Required));
    plain.send(MESSAGE.as_bytes()).await;
    plain.accepted(1).await;
    assert!(plain.standing().last_frame_ms > 0 && plain.standing().last_message_ms > 0);
    plain.send(b"P|1\rL|1\rH|\\^&\rC|1|").await;
    plain.send("x".repeat(100).as_bytes()).await;
    plain.send(b"\rL|1\rH|\\^&\r").await;
    plain.silence().await;
    plain.close().await;
    let (kinds, standing) = (plain.standing().anomalies, plain.standing());
    let expect = [(Irregularity::Damaged, 1), (Irregularity::Oversize, 2), (Irregularity::BrokenOff, 1)];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), expect);
    assert_eq!((standing.messages_total, standing.accepted_total, standing.cut_total), (1, 1, 3));

    let (mut sent, _) = upload();
    let mut pk = site(blocks(Answers::ACK_NAK));
    pk.send(&sent[0]).await;
    pk.step(50).await;
    pk.expect(&[6]).await;
    assert!(pk.standing().last_frame_ms > 0);
    pk.send(&sent[0]).await;
    pk.step(50).await;
    pk.expect(&[6]).await;
    sent[1][3] ^= 1;
    pk.send(&sent[1]).await;
    pk.step(50).await;
    pk.expect(&[21]).await;
    pk.close().await;
    let expect = [(Irregularity::Damaged, 1), (Irregularity::Repeated, 1), (Irregularity::BrokenOff, 1)];
    assert_eq!(pk.standing().anomalies.into_iter().collect::<Vec<_>>(), expect);
}

/// Bytes of a line's trace, one way.
fn traced(site: &Site, wanted: Way) -> Vec<u8> {
    let of = |what| match what {
        Traced::Bytes { way, bytes } if way == wanted => bytes,
        Traced::Bytes { .. }
        | Traced::Connected { .. }
        | Traced::Closed { .. }
        | Traced::Refused { .. }
        | Traced::Anomaly { .. }
        | Traced::Noted { .. } => Vec::new(),
    };
    site.trace().into_iter().flat_map(of).collect()
}

#[tokio::test(start_paused = true)]
async fn what_goes_over_lines_without_lis01_stands_in_their_trace_both_ways() {
    let mut plain = site(unframed(Terminator::Required));
    let (question, answer) = ("H|\\^&\rQ|1|7\rL|1\r", "H|\\^&\rO|1|7\rL|1|F\r");
    plain.clerk.says(then(1, answer));
    plain.send(question.as_bytes()).await;
    plain.expect(answer.as_bytes()).await;
    assert_eq!(traced(&plain, Way::Received), question.as_bytes());
    assert_eq!(traced(&plain, Way::Sent), answer.as_bytes());
    let mut pk = site(blocks(Answers::ACK_NAK));
    let (sent, _) = upload();
    pk.send(&sent[0]).await;
    pk.step(50).await;
    pk.expect(&[6]).await;
    assert_eq!((traced(&pk, Way::Received), traced(&pk, Way::Sent)), (sent[0].clone(), vec![6]));
}

#[tokio::test(start_paused = true)]
async fn the_trace_of_a_line_that_never_stops_talking_stays_within_its_bounds() {
    let mut site = site(unframed(Terminator::Required));
    let noise = vec![b'x'; 16 * 1024];
    for _ in 0..64 {
        site.send(&noise).await;
        site.step(1_000).await;
    }
    let limits = TraceLimits::default();
    assert!(site.standing().bytes_total > 3 * limits.bytes_max as u64);
    let excerpt = site.board.trace_of(&ConnectionId::new("line").unwrap()).unwrap().since(0);
    let kept = traced(&site, Way::Received).len();
    assert!(kept <= limits.bytes_max && excerpt.events.len() <= limits.events_max, "{kept}");
    assert_eq!(kept as u64 + excerpt.lost_bytes, site.standing().bytes_total, "what fell out is counted");
}

//! Answers and orders over LIS01.

use super::{Says, Site, lis01, outgoing, site, then};
use crate::{Reply, Settled};
use lis01::{FrameEnd, FrameNumber, Interrupts, encode_frame};

const ENQ: &[u8] = b"\x05";
const ACK: &[u8] = b"\x06";
const NAK: &[u8] = b"\x15";
const EOT: &[u8] = b"\x04";

const QUERY: [&str; 3] = ["H|\\^&\r", "Q|1|^000123||ALL||||||||O\r", "L|1|N\r"];
const ANSWER: &str = "H|\\^&\rP|1\rO|1|000123||^^^A\rL|1|F\r";

fn frame(number: usize, record: &str) -> Vec<u8> {
    let shown = (0..number)
        .fold(None, |at: Option<FrameNumber>, _| Some(at.map_or(FrameNumber::FIRST, FrameNumber::next)));
    encode_frame(shown, FrameEnd::End, record.as_bytes())
}

/// The peer sends a whole session.
async fn session(site: &mut Site, records: &[&str]) {
    site.send(ENQ).await;
    site.expect(ACK).await;
    for (number, record) in (1..).zip(records) {
        site.send(&frame(number, record)).await;
        site.expect(ACK).await;
    }
    site.send(EOT).await;
}

/// The host sends one, and every frame is accepted.
async fn taken(site: &mut Site, message: &str) {
    site.expect(ENQ).await;
    site.send(ACK).await;
    rest_taken(site, message, 1).await;
}

async fn rest_taken(site: &mut Site, message: &str, from: usize) {
    for (number, record) in (1..).zip(message.split_inclusive('\r')).skip(from - 1) {
        site.expect(&frame(number, record)).await;
        site.send(ACK).await;
    }
    site.expect(EOT).await;
}

async fn settled(site: &Site, expect: &[(u64, Settled)]) {
    site.until(|clerk| clerk.settled().len() >= expect.len()).await;
    assert_eq!(site.clerk.settled(), expect);
}

#[tokio::test(start_paused = true)]
async fn a_query_is_answered_in_a_session_of_its_own_after_eot() {
    let mut site = site(lis01(|_| {}));
    site.clerk.says(then(1, ANSWER));
    site.send(ENQ).await;
    site.expect(ACK).await;
    for (number, record) in (1..).zip(QUERY) {
        site.send(&frame(number, record)).await;
        site.expect(ACK).await;
    }
    site.until(|clerk| clerk.asked().len() == 1).await;
    site.silence().await;
    site.send(EOT).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
    let (message, raw) = site.clerk.asked().remove(0);
    assert_eq!(raw, QUERY.concat().as_bytes());
    let reader = site.ledger.clone();
    let (messages, ..) = site.hang_up().await;
    assert_eq!(messages, [QUERY.concat().into_bytes()]);
    assert_eq!(reader.state().raw(message).unwrap(), QUERY.concat().as_bytes(), "the query's own entry");
}

#[tokio::test(start_paused = true)]
async fn in_contention_the_instrument_wins_and_is_heard_first() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(ENQ).await;
    site.after(1).await;
    session(&mut site, &["H|\\^&\r", "L|1|N\r"]).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn in_contention_an_instrument_that_does_not_come_loses_the_line_after_t6() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(ENQ).await;
    site.after(19).await;
    site.after(1).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_while_the_instrument_has_the_line() {
    let mut site = site(lis01(|_| {}));
    site.send(ENQ).await;
    site.expect(ACK).await;
    site.clerk.has(outgoing(1, ANSWER));
    site.send(&frame(1, "H|\\^&\r")).await;
    site.expect(ACK).await;
    site.silence().await;
    site.send(EOT).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_that_is_honoured_gives_the_line_away_and_everything_is_sent_again() {
    let mut site = site(lis01(|config| config.interrupts = Interrupts::Honour));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    site.send(EOT).await;
    site.expect(EOT).await;
    session(&mut site, &["H|\\^&\r", "L|1|N\r"]).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn after_an_interrupt_that_nobody_used_the_line_is_asked_for_after_t7() {
    let mut site = site(lis01(|config| config.interrupts = Interrupts::Honour));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    site.send(EOT).await;
    site.expect(EOT).await;
    site.after(14).await;
    site.after(1).await;
    taken(&mut site, ANSWER).await;
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_that_is_ignored_counts_as_ack() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    site.send(EOT).await;
    rest_taken(&mut site, ANSWER, 2).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn six_naks_end_a_try_and_three_tries_end_the_message() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    for _ in 0..3 {
        site.expect(ENQ).await;
        site.send(ACK).await;
        for _ in 0..6 {
            site.expect(&frame(1, "H|\\^&\r")).await;
            site.send(NAK).await;
        }
        site.expect(EOT).await;
        site.after(9).await;
        site.after(1).await;
    }
    let why = "given up after 3 tries: a frame was refused at every try".to_owned();
    settled(&site, &[(1, Settled::Failed { why })]).await;
    // The line is as good as before.
    site.clerk.has(outgoing(2, ANSWER));
    taken(&mut site, ANSWER).await;
}

#[tokio::test(start_paused = true)]
async fn a_nak_for_a_frame_sends_it_again_and_a_nak_for_enq_waits_t4() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.send(NAK).await;
    site.after(9).await;
    site.after(1).await;
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    site.send(NAK).await;
    rest_taken(&mut site, ANSWER, 1).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn silence_after_enq_is_t1_and_after_a_frame_t2_and_then_it_is_tried_again() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, ANSWER));
    site.expect(ENQ).await;
    site.after(14).await;
    site.after(1).await;
    site.expect(EOT).await;
    site.after(10).await;
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    site.after(14).await;
    site.after(1).await;
    site.expect(EOT).await;
    site.after(10).await;
    taken(&mut site, ANSWER).await;
    settled(&site, &[(1, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_cut_leaves_everything_unsent() {
    let mut site = site(lis01(|_| {}));
    site.clerk.says(Says::Reply(Some(Reply {
        then: vec![outgoing(1, ANSWER), outgoing(2, ANSWER)],
        ..Reply::default()
    })));
    session(&mut site, &QUERY).await;
    site.expect(ENQ).await;
    site.send(ACK).await;
    site.expect(&frame(1, "H|\\^&\r")).await;
    let (_, clerk, _) = site.hang_up().await;
    assert_eq!(clerk.settled(), [(1, Settled::Disconnected), (2, Settled::Disconnected)]);
}

#[tokio::test(start_paused = true)]
async fn a_desk_that_does_not_come_back_is_not_waited_for() {
    let mut site = site(lis01(|_| {}));
    site.clerk.says(Says::Hangs);
    session(&mut site, &QUERY).await;
    site.after(2).await;
    site.after(1).await;
    taken(&mut site, "H|\\^&\rL|1|I\r").await;
    settled(&site, &[(999, Settled::Sent)]).await;
}

#[tokio::test(start_paused = true)]
async fn two_queries_in_one_session_are_answered_one_after_the_other() {
    let mut site = site(lis01(|_| {}));
    let other = "H|\\^&\rL|1|I\r";
    site.clerk.says(then(1, ANSWER));
    site.clerk.says(then(2, other));
    session(&mut site, &[QUERY, QUERY].concat()).await;
    taken(&mut site, ANSWER).await;
    taken(&mut site, other).await;
    settled(&site, &[(1, Settled::Sent), (2, Settled::Sent)]).await;
    let asked: Vec<_> = site.clerk.asked().iter().map(|(seq, _)| *seq).collect();
    assert!(asked[0] < asked[1], "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn a_query_that_is_taken_back_is_not_answered_any_more() {
    let mut site = site(lis01(|_| {}));
    site.clerk.says(then(1, ANSWER));
    site.clerk.says(Says::Reply(Some(Reply { withdraw: true, ..Reply::default() })));
    session(&mut site, &QUERY).await;
    site.expect(ENQ).await;
    site.send(NAK).await;
    session(&mut site, &["H|\\^&\r", "Q|1|^000123||ALL||||||||A\r", "L|1|N\r"]).await;
    settled(&site, &[(1, Settled::Withdrawn)]).await;
    site.after(60).await;
    site.silence().await;
}

/// The link would go ahead with the answer at the EOT behind the message that takes it back.
#[tokio::test(start_paused = true)]
async fn a_query_is_taken_back_at_once_however_long_that_is_considered() {
    let mut site = site(lis01(|_| {}));
    site.clerk.says(then(1, ANSWER));
    site.clerk.says(Says::Hangs);
    session(&mut site, &QUERY).await;
    site.expect(ENQ).await;
    site.send(ENQ).await;
    session(&mut site, &["H|\\^&\r", "Q|1|^000123||ALL||||||||A\r", "L|1|N\r"]).await;
    site.silence().await;
    settled(&site, &[(1, Settled::Withdrawn)]).await;
}

#[tokio::test(start_paused = true)]
async fn a_query_beyond_those_that_may_wait_is_answered_at_once_as_if_nothing_were_known() {
    let mut site = site(lis01(|_| {}));
    // One is considered and never comes back, sixteen wait for it.
    site.clerk.says(Says::Hangs);
    session(&mut site, &[QUERY; 17].concat()).await;
    site.silence().await;
    session(&mut site, &QUERY).await;
    taken(&mut site, "H|\\^&\rL|1|I\r").await;
    settled(&site, &[(999, Settled::Sent)]).await;
    assert_eq!(site.clerk.asked().len(), 1, "the others still wait");
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_framed_is_given_up_at_once() {
    let mut site = site(lis01(|_| {}));
    site.clerk.has(outgoing(1, "H|\\^&|\x02\r"));
    site.until(|clerk| clerk.settled().len() == 1).await;
    assert!(matches!(&site.clerk.settled()[0].1, Settled::Failed { why } if why.contains("0x02")));
    site.silence().await;
}

#[tokio::test(start_paused = true)]
async fn half_a_query_asks_nothing() {
    let mut site = site(lis01(|_| {}));
    session(&mut site, &QUERY[..2]).await;
    site.silence().await;
    assert!(site.clerk.asked().is_empty());
}

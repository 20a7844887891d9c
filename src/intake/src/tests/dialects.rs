//! Every habit of the field that a LIS01 profile may set (protocols of the field, link by link), through the driver into
//! the ledger.

use super::{Site, lis01, site};
use crate::{Link, MessageEnd};
use ledger::Page;
use lis01::{Checksum, Config, FrameEnd, FrameNumber, FrameNumbers, Framing, encode_frame};
use std::time::Duration;

const ENQ: &[u8] = &[5];
const ACK: &[u8] = &[6];
const NAK: &[u8] = &[21];
const EOT: &[u8] = &[4];
const MESSAGE: &str = "H|\\^&\rP|1\rL|1|N\r";

fn ending(end: MessageEnd) -> Link {
    Link::Lis01(Config::default(), end)
}

fn frame(number: u8, text: &[u8]) -> Vec<u8> {
    encode_frame(FrameNumber::new(number), FrameEnd::End, text)
}

fn part(number: u8, text: &[u8]) -> Vec<u8> {
    encode_frame(FrameNumber::new(number), FrameEnd::Intermediate, text)
}

/// What the host has to answer to what the analyser sends.
type Turn<'a> = (Vec<u8>, &'a [u8]);

/// Plays one session, hangs up, and gives the messages, each with `/` for CR, and how many halves were left.
async fn play(link: Link, turns: &[Turn<'_>]) -> (Vec<String>, usize) {
    let mut site = site(link);
    for (bytes, answer) in turns {
        site.send(bytes).await;
        site.expect(answer).await;
    }
    left(site).await
}

async fn left(mut site: Site) -> (Vec<String>, usize) {
    site.silence().await;
    let ledger = site.ledger.clone();
    let (messages, ..) = site.hang_up().await;
    let halves = ledger.state().half_transfers(&Page::first(9)).unwrap().items.len();
    let shown = |raw: Vec<u8>| String::from_utf8_lossy(&raw).replace('\r', "/").replace('\n', "~");
    (messages.into_iter().map(shown).collect(), halves)
}

fn session<'a>(frames: &[Vec<u8>], answer: &'a [u8]) -> Vec<Turn<'a>> {
    let mut turns = vec![(ENQ.to_vec(), ACK)];
    turns.extend(frames.iter().map(|frame| (frame.clone(), answer)));
    turns.push((EOT.to_vec(), &[]));
    turns
}

async fn check(name: &str, link: Link, frames: &[Vec<u8>], answer: &[u8], messages: &[&str], halves: usize) {
    let found = play(link, &session(frames, answer)).await;
    assert_eq!(
        (found.0.iter().map(String::as_str).collect::<Vec<_>>(), found.1),
        (messages.to_vec(), halves),
        "{name}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_checksum_is_required_or_looked_at_or_nothing() {
    let with = |checksum| lis01(|config| config.checksum = checksum);
    let whole = ["H|\\^&/P|1/L|1|N/"];
    let good = frame(1, MESSAGE.as_bytes());
    let mut wrong = good.clone();
    let digit = wrong.len() - 3;
    wrong[digit] = if wrong[digit] == b'0' { b'1' } else { b'0' };
    let lower = good.to_ascii_lowercase();
    let absent = [&good[..good.len() - 4], b"\r\n"].concat();
    for (checksum, frame, answer, kept) in [
        (Checksum::Require, &good, ACK, true),
        (Checksum::Require, &wrong, NAK, false),
        (Checksum::Require, &absent, NAK, false),
        (Checksum::Warn, &wrong, ACK, true),
        (Checksum::Warn, &absent, ACK, true),
        (Checksum::Ignore, &wrong, ACK, true),
        (Checksum::Ignore, &absent, ACK, true),
    ] {
        let messages = if kept { &whole[..] } else { &[] };
        check(&format!("{checksum:?}"), with(checksum), std::slice::from_ref(frame), answer, messages, 0)
            .await;
    }
    // Lower case digits are the same checksum; the text of this one is lower case too, so its sum is its own.
    let sum = lis01::checksum(&lower[1..lower.len() - 4]);
    let mut lower = lower;
    let at = lower.len() - 4;
    lower.splice(at..at + 2, format!("{sum:02x}").into_bytes());
    check("lower case", with(Checksum::Require), &[lower], ACK, &["h|\\^&/p|1/l|1|n/"], 0).await;
}

#[tokio::test(start_paused = true)]
async fn frame_numbers_are_strict_or_lenient_or_absent() {
    let with = |numbers| lis01(|config| config.frame_numbers = numbers);
    let whole = ["H|\\^&/P|1/L|1|N/"];
    let records = [&b"H|\\^&\r"[..], b"P|1\r", b"L|1|N\r"];
    let numbered = |numbers: [u8; 3]| -> Vec<Vec<u8>> {
        numbers.iter().zip(records).map(|(number, record)| frame(*number, record)).collect()
    };
    check("in order", with(FrameNumbers::Strict), &numbered([1, 2, 3]), ACK, &whole, 0).await;
    check("skipping, lenient", with(FrameNumbers::Lenient), &numbered([1, 7, 1]), ACK, &whole, 0).await;
    let absent: Vec<Vec<u8>> = records.iter().map(|text| encode_frame(None, FrameEnd::End, text)).collect();
    check("absent", with(FrameNumbers::Absent), &absent, ACK, &whole, 0).await;
    let mut turns = vec![(ENQ.to_vec(), ACK), (frame(1, records[0]), ACK), (frame(7, records[1]), NAK)];
    turns.push((frame(2, records[1]), ACK));
    turns.push((frame(3, records[2]), ACK));
    assert_eq!(play(with(FrameNumbers::Strict), &turns).await, (vec![whole[0].to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn records_may_be_packed_split_and_end_in_any_way() {
    let link = || ending(MessageEnd::Terminator);
    let packed = [frame(1, b"H|\\^&\rP|1\r"), frame(2, b"L|1|N\r")];
    check("packed", link(), &packed, ACK, &["H|\\^&/P|1/L|1|N/"], 0).await;
    // ETB on all but the last, and a character of two bytes cut in two.
    let name = "H|\\^&\rP|1||张\rL|1\r".as_bytes();
    let cut = name.iter().position(|byte| *byte == 0xE5).unwrap() + 1;
    let split = [part(1, &name[..3]), part(2, &name[3..cut]), frame(3, &name[cut..])];
    check("cut in a character", link(), &split, ACK, &["H|\\^&/P|1||张/L|1/"], 0).await;
    let every = [part(1, b"H|\\^&\r"), part(2, b"P|1\r"), frame(3, b"L|1|N\r")];
    check("ETB on all but the last", link(), &every, ACK, &["H|\\^&/P|1/L|1|N/"], 0).await;
    let without = [frame(1, b"H|\\^&"), frame(2, b"P|1"), frame(3, b"L|1|N")];
    check("no line end before ETX", link(), &without, ACK, &["H|\\^&/P|1/L|1|N/"], 0).await;
    let both = [frame(1, b"H|\\^&\r\n"), frame(2, b"L|1|N\r\n")];
    check("CR LF", link(), &both, ACK, &["H|\\^&/~L|1|N/~"], 0).await;
    let feeds = [frame(1, b"H|\\^&\n"), frame(2, b"L|1|N\n")];
    check("LF", link(), &feeds, ACK, &["H|\\^&~L|1|N~"], 0).await;
    let two = [frame(1, b"H|\\^&\rL|1\rH|\\^&\r"), frame(2, b"P|2\rL|1\r")];
    check("two messages", link(), &two, ACK, &["H|\\^&/L|1/", "H|\\^&/P|2/L|1/"], 0).await;
    let next = [frame(1, b"H|\\^&\rP|1\r"), frame(2, b"H|\\^&\rL|1\r")];
    check("the next header ends it", link(), &next, ACK, &["H|\\^&/P|1/", "H|\\^&/L|1/"], 0).await;
}

#[tokio::test(start_paused = true)]
async fn the_terminator_may_be_left_out_only_where_the_profile_says_so() {
    let frames = [frame(1, b"H|\\^&\r"), frame(2, b"P|1\r")];
    check("required", ending(MessageEnd::Terminator), &frames, ACK, &[], 1).await;
    check("optional", ending(MessageEnd::Session), &frames, ACK, &["H|\\^&/P|1/"], 0).await;
    // Half a session is half a message all the same.
    let turns = [(ENQ.to_vec(), ACK), (frames[0].clone(), ACK), (frames[1].clone(), ACK)];
    assert_eq!(play(ending(MessageEnd::Session), &turns).await, (vec![], 1));
    assert_eq!(play(ending(MessageEnd::TerminatorAlone), &turns).await, (vec![], 1));
}

#[tokio::test(start_paused = true)]
async fn eot_may_never_come_and_what_has_its_terminator_is_a_message() {
    for (end, noted) in [(MessageEnd::Terminator, 2), (MessageEnd::TerminatorAlone, 0)] {
        let mut site = site(ending(end));
        for _ in 0..3 {
            site.send(ENQ).await;
            site.expect(ACK).await;
            site.send(&frame(1, MESSAGE.as_bytes())).await;
            site.expect(ACK).await;
        }
        site.silence().await;
        assert_eq!(site.anomalies(), noted, "{end:?}");
        let (messages, halves) = left(site).await;
        assert_eq!((messages.len(), halves), (3, 0), "{end:?}");
    }
    // A session that stands open for long ends; the next one is heard.
    let mut site = site(ending(MessageEnd::TerminatorAlone));
    site.send(ENQ).await;
    site.expect(ACK).await;
    site.send(&frame(1, MESSAGE.as_bytes())).await;
    site.expect(ACK).await;
    site.after(31).await;
    site.send(ENQ).await;
    site.expect(ACK).await;
}

#[tokio::test(start_paused = true)]
async fn what_means_nothing_is_not_answered() {
    let mut site = site(ending(MessageEnd::Terminator));
    for noise in [&b"\x02"[..], b"\x02\x02\x02", b"garbage\r\n", EOT, &frame(1, b"H|\\^&\r"), b"\x06\x15"] {
        site.send(noise).await;
        site.after(3).await;
        site.silence().await;
    }
    site.send(ENQ).await;
    site.expect(ACK).await;
    // EOT directly after ENQ is a test of the line.
    site.send(EOT).await;
    site.silence().await;
    site.after(3_600).await;
    site.send(ENQ).await;
    site.expect(ACK).await;
    // ENQ again: our answer was lost, or the analyser began anew.
    site.send(ENQ).await;
    site.expect(ACK).await;
    site.send(&frame(1, b"H|\\^&\r")).await;
    site.expect(ACK).await;
    site.send(b"\r\n\n").await;
    site.silence().await;
    site.send(ENQ).await;
    site.expect(ACK).await;
    site.send(&[&frame(1, MESSAGE.as_bytes())[..], EOT].concat()).await;
    site.expect(ACK).await;
    site.silence().await;
    let (messages, halves) = left(site).await;
    assert_eq!((messages, halves), (vec!["H|\\^&/P|1/L|1|N/".to_owned()], 1));
}

fn control_bytes() -> Link {
    lis01(|config| {
        config.framing = Framing::ControlBytes;
        config.checksum = Checksum::Warn;
        config.tries_max = 3;
        config.timers.t1 = Duration::from_secs(3);
        config.timers.t2 = Duration::from_secs(3);
        config.timers.reply = Duration::from_millis(2_400);
    })
}

#[tokio::test(start_paused = true)]
async fn where_each_control_byte_is_answered_the_text_is_kept_before_its_answer() {
    let mut site = site(control_bytes());
    for _ in 0..2 {
        for byte in [ENQ, b"\x02"] {
            site.send(byte).await;
            site.expect(ACK).await;
        }
        site.send(MESSAGE.as_bytes()).await;
        site.silence().await;
        site.send(b"\x03").await;
        site.expect(ACK).await;
        site.send(EOT).await;
        site.expect(ACK).await;
    }
    // The end of the text and of the transfer in one piece: two answers.
    site.send(b"\x05\x02").await;
    site.expect(&[6, 6]).await;
    site.send(&[MESSAGE.as_bytes(), b"\x03\x04"].concat()).await;
    site.expect(&[6, 6]).await;
    let (messages, halves) = left(site).await;
    assert_eq!((messages, halves), (vec!["H|\\^&/P|1/L|1|N/".to_owned(); 3], 0));
}

#[tokio::test(start_paused = true)]
async fn law_01_where_there_is_no_word_for_no_the_connection_is_closed() {
    let mut closed = site(control_bytes());
    closed.ledger.clone().close();
    closed.send(b"\x05\x02").await;
    closed.expect(&[6, 6]).await;
    closed.send(&[MESSAGE.as_bytes(), b"\x03"].concat()).await;
    closed.gone().await;
    let mut bad = site(control_bytes());
    bad.send(b"\x05\x02").await;
    bad.expect(&[6, 6]).await;
    bad.send(b"H|\\^&\r\x05").await;
    bad.gone().await;
}

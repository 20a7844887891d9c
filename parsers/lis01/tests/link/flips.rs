//! Damage: one bit, one byte lost, one byte too many, at every place of every frame.

use crate::bench_line::{Bench, bytes, framed, show};
use lis01::{Config, FrameEnd, FrameNumber, encode_frame};
use proptest::prelude::*;

/// A session in which frames 1… came well, and the next one is `damaged`: what became of it, and of its repeat.
struct Outcome {
    /// Texts delivered of the damaged frame.
    delivered: Vec<Vec<u8>>,
    /// What was sent after its last byte, and after the reply duty.
    at_once: String,
    in_time: String,
    /// What the repeat was answered.
    repeat: String,
}

fn outcome(before: u8, damaged: &[u8], good: &[u8]) -> Outcome {
    let mut bench = Bench::new(Config::default());
    bench.feed(b"\x05");
    let mut number = FrameNumber::FIRST;
    for _ in 0..before {
        bench.feed(&encode_frame(Some(number), FrameEnd::End, b"C|1|DEBUG\r"));
        number = number.next();
    }
    bench.take_sent();
    bench.frames.clear();
    let at_once = bench.feed(damaged).take_sent();
    let in_time = bench.wait_ms(12_000).take_sent();
    let delivered: Vec<_> = bench.frames.drain(..).map(|frame| frame.text).collect();
    let repeat = bench.feed(good).take_sent();
    if delivered.is_empty() {
        let text: Vec<_> = bench.frames.drain(..).map(|frame| frame.text).collect();
        assert_eq!(text, [lis01::decode_frame(good).unwrap().text], "the repeat is delivered");
    }
    Outcome { delivered, at_once, in_time, repeat }
}

/// One flipped bit: never delivered, never answered ACK, and answered NAK in time unless STX is gone. The one exception
/// changes nothing: a checksum letter whose case flips is the same checksum.
fn check_flips(before: u8, good: &[u8]) {
    let text = lis01::decode_frame(good).unwrap().text;
    let checksum = good.len() - 4..good.len() - 2;
    for place in 0..good.len() {
        for bit in 0..8 {
            let mut damaged = good.to_vec();
            damaged[place] ^= 1 << bit;
            let name = format!("bit {bit} of byte {place} of {}", show(good));
            let outcome = outcome(before, &damaged, good);
            if checksum.contains(&place) && damaged[place].eq_ignore_ascii_case(&good[place]) {
                assert_eq!(outcome.delivered, std::slice::from_ref(&text), "{name}");
                assert_eq!(outcome.at_once, "<ACK>", "{name}");
                continue;
            }
            assert!(outcome.delivered.is_empty(), "{name} was delivered");
            let answers = format!("{}{}", outcome.at_once, outcome.in_time);
            assert_eq!(answers, if place == 0 { "" } else { "<NAK>" }, "{name}");
            assert_eq!(outcome.repeat, "<ACK>", "the repeat after {name}");
        }
    }
}

/// Texts made so that damage looks like something: bytes one bit from each control byte, a tail that is a good frame by
/// itself, a head that ends in its own checksum.
fn treacherous() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        "H|<CR>",
        "L|1|N<CR>",
        "BCDEFGJ*$#%&<07><1D><0B>",
        "BBBB1BBBB1",
        "CCCC00<CR>CCCC",
        "DEDEDE<CR>E<CR>",
        "",
        "1",
        "F<CR>J<CR>*<CR>B",
    ]
    .iter()
    .map(|shown| bytes(shown))
    .collect();
    // With B become STX: `1tail` is what was asked for, and the head's sum is a multiple of 256, so the checksum fits.
    for number in 0..8u8 {
        let mut head = vec![b'0' + number];
        let sum = lis01::checksum(&[b'0' + number, b'0' + number, b'B']).wrapping_neg();
        head.extend(filler(sum));
        texts.push([&head[..], b"B", &[b'0' + number], b"tail\r"].concat());
    }
    // With C become ETX: the two bytes behind are the right checksum, then come CR and what is one bit from LF.
    for number in 0..8u8 {
        let sum = format!("{:02X}", lis01::checksum(&[&[b'0' + number], &b"head"[..], &[3]].concat()));
        for behind in ["\r", "\rJ", "\r*", ""] {
            texts.push(format!("headC{sum}{behind}").into_bytes());
        }
    }
    texts
}

/// Plain bytes with the sum `sum`.
fn filler(sum: u8) -> Vec<u8> {
    let mut bytes = vec![b'x'; 4];
    let rest = sum.wrapping_sub(lis01::checksum(&bytes));
    bytes.extend([rest / 3, rest / 3, rest - rest / 3 * 2].map(|part| part + 0x30));
    let excess = 0x90u8.wrapping_neg();
    bytes.extend([excess / 2, excess - excess / 2]);
    assert_eq!(lis01::checksum(&bytes), sum);
    bytes
}

#[test]
fn any_flipped_bit_in_any_byte_of_a_frame_is_refused() {
    for text in treacherous() {
        for before in [0, 1, 6, 7] {
            for end in [FrameEnd::End, FrameEnd::Intermediate] {
                let number = (0..before).fold(FrameNumber::FIRST, |number, _| number.next());
                check_flips(before, &encode_frame(Some(number), end, &text));
            }
        }
    }
}

#[test]
fn a_lost_or_an_added_byte_delivers_nothing_else() {
    for text in treacherous() {
        let good = framed(1, &show(&text), FrameEnd::End);
        for place in 0..good.len() {
            let mut lost = good.clone();
            lost.remove(place);
            let name = format!("byte {place} of {} lost", show(&good));
            let outcome = outcome(0, &lost, &good);
            assert!(outcome.delivered.iter().all(|delivered| *delivered == text), "{name}");
            assert_eq!(outcome.repeat, "<ACK>", "{name}");
            for added in [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, b'\r', b'\n', b'1', b'A', 0x15, 0x17, 0xFF] {
                check_added(&good, place, added, &text);
            }
        }
    }
}

/// A byte of the session's own between two frames is one of the session's own: only noise, STX and EOT stand here.
fn check_added(good: &[u8], place: usize, added: u8, text: &[u8]) {
    if place == 0 && matches!(added, 0x04 | 0x05) {
        return;
    }
    let mut damaged = good.to_vec();
    damaged.insert(place, added);
    let outcome = outcome(0, &damaged, good);
    let name = format!("{added:02X} added before byte {place} of {}", show(good));
    assert!(outcome.delivered.iter().all(|delivered| delivered == text), "{name}");
    let accepted = outcome.at_once == "<ACK>";
    assert_eq!(accepted, !outcome.delivered.is_empty(), "{name}: ACK and only ACK is delivery");
    assert_eq!(outcome.repeat, "<ACK>", "{name}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_flipped_bit_in_a_frame_of_any_text_is_refused(
        text in proptest::collection::vec(any::<u8>(), 0..40),
        before in 0u8..9,
        end in prop_oneof![Just(FrameEnd::End), Just(FrameEnd::Intermediate)],
    ) {
        let text: Vec<u8> = text.into_iter().filter(|byte| !lis01::control::is_restricted(*byte)).collect();
        let number = (0..before).fold(FrameNumber::FIRST, |number, _| number.next());
        check_flips(before, &encode_frame(Some(number), end, &text));
    }
}

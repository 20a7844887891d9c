//! The bytes decide, not their grouping; and what waits is bounded.

use crate::bench_line::{Bench, Caller, epoch, frame};
use lis01::{Checksum, Config, Event, FrameEnd, FrameNumber, FrameNumbers, Link, encode_frame};
use proptest::prelude::*;
use std::time::Duration;

/// A piece of what a peer may send.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text =
        proptest::collection::vec(prop_oneof![8 => 0x20u8..0x7F, 1 => Just(b'\r'), 1 => any::<u8>()], 0..30);
    let good = (0u8..8, any::<bool>(), text);
    let good = good.prop_map(|(number, last, text)| {
        let end = if last { FrameEnd::End } else { FrameEnd::Intermediate };
        encode_frame(FrameNumber::new(number), end, &text)
    });
    let damaged =
        (good.clone(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut frame, at, byte)| {
            let at = at.index(frame.len());
            frame[at] = byte;
            frame
        });
    let control = prop::sample::select(vec![0x02u8, 0x03, 0x04, 0x05, 0x06, 0x0A, 0x0D, 0x15, 0x17]);
    prop_oneof![
        4 => good,
        2 => damaged,
        2 => Just(vec![0x05]),
        1 => Just(vec![0x04]),
        1 => control.prop_map(|byte| vec![byte]),
        1 => proptest::collection::vec(any::<u8>(), 0..6),
    ]
}

/// A stream in which frames often have the number that is due.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let session = proptest::collection::vec("[A-Za-z0-9|^\r]{0,20}", 0..6).prop_map(|texts| {
        let mut number = FrameNumber::FIRST;
        let mut bytes = vec![0x05];
        for text in texts {
            bytes.extend(encode_frame(Some(number), FrameEnd::End, text.as_bytes()));
            number = number.next();
        }
        bytes
    });
    proptest::collection::vec(prop_oneof![session, piece()], 0..12).prop_map(|pieces| pieces.concat())
}

fn config() -> impl Strategy<Value = Config> {
    let checksum = prop_oneof![Just(Checksum::Require), Just(Checksum::Warn), Just(Checksum::Ignore)];
    let numbers =
        prop_oneof![Just(FrameNumbers::Strict), Just(FrameNumbers::Lenient), Just(FrameNumbers::Absent)];
    (
        checksum,
        numbers,
        prop_oneof![Just(64_000usize), Just(10)],
        prop_oneof![Just(0usize), Just(7), Just(4_096)],
    )
        .prop_map(|(checksum, frame_numbers, frame_text_bytes_max, buffered_bytes_max)| Config {
            checksum,
            frame_numbers,
            frame_text_bytes_max,
            buffered_bytes_max,
            ..Config::default()
        })
}

/// Everything said when `bytes` come in pieces of the lengths `cuts`, over and over. The caller refuses every fifth frame.
fn said(config: &Config, bytes: &[u8], cuts: &[usize], caller: Caller) -> Vec<String> {
    let mut bench = Bench::new(config.clone());
    bench.caller = caller;
    let mut rest = bytes;
    let mut cuts = cuts.iter().cycle();
    let mut answered = 0;
    loop {
        let (piece, _) = rest.split_at((*cuts.next().unwrap()).min(rest.len()));
        let taken = bench.link.handle_input(piece, bench.now);
        rest = &rest[taken..];
        bench.fetch();
        if !bench.held.is_empty() {
            answered += 1;
            match answered % 5 {
                0 => bench.refuse_held(),
                _ => bench.accept_held(),
            };
        } else if bench.link.poll_timeout().is_some_and(|at| at <= bench.now) {
            bench.wait_ms(0);
        } else if rest.is_empty() {
            break;
        }
    }
    bench.disconnect();
    bench.said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        config in config(),
        bytes in stream(),
        cuts in proptest::collection::vec(1usize..40, 1..6),
    ) {
        let whole = said(&config, &bytes, &[usize::MAX], Caller::Holds);
        prop_assert_eq!(&said(&config, &bytes, &[1], Caller::Holds), &whole, "byte by byte");
        prop_assert_eq!(&said(&config, &bytes, &cuts, Caller::Holds), &whole, "in pieces of {:?}", cuts);
    }

    #[test]
    fn a_caller_that_answers_at_once_sees_the_same(config in config(), bytes in stream()) {
        let whole = said(&config, &bytes, &[usize::MAX], Caller::Accepts);
        prop_assert_eq!(said(&config, &bytes, &[1], Caller::Accepts), whole);
    }
}

#[test]
fn one_read_may_hold_a_whole_session() {
    let session = [&b"\x05"[..], &frame(1, "H|<CR>"), &frame(2, "L|1<CR>"), b"\x04"].concat();
    let mut bench = Bench::new(Config::default());
    bench.feed(&session);
    assert_eq!(bench.take_sent(), "<ACK><ACK><ACK>");
    let mut split = Bench::new(Config::default());
    for byte in &session {
        split.feed(&[*byte]);
    }
    assert_eq!(split.take_sent(), "<ACK><ACK><ACK>");
    assert_eq!(split.said, bench.said);
}

#[test]
fn input_behind_an_unanswered_frame_is_taken_up_to_its_bound() {
    let mut bench = Bench::new(Config { buffered_bytes_max: 20, ..Config::default() });
    bench.caller = Caller::Holds;
    bench.feed(b"\x05").feed(&frame(1, "A"));
    let more = [frame(2, "B"), frame(3, "C"), frame(4, "D")].concat();
    assert_eq!(bench.link.handle_input(&more, bench.now), 20);
    assert_eq!(bench.link.handle_input(&more[20..], bench.now), 0, "full");
    assert!(bench.take_sent() == "<ACK>" && bench.link.held_bytes() <= 40);
    bench.accept_held();
    assert_eq!(bench.link.handle_input(&more[20..], bench.now), 4, "room again");
    bench.fetch();
    bench.accept_held().accept_held().accept_held();
    assert_eq!(bench.frames.len(), 4);
    assert_eq!(bench.take_sent(), "<ACK><ACK><ACK><ACK>");
    bench.feed(b"\x05").feed(&frame(1, "A"));
    assert_eq!(bench.link.handle_input(&[b'x'; 20], bench.now), 20);
    bench.accept_held().feed(b"\x04");
    assert_eq!(bench.link.held_bytes(), 0, "memory of input that was read is given back");
}

/// What a link says to `flood`, told over and over with `wait` between, when nobody fetches anything: events, of these
/// frames, and blocks.
fn unfetched(flood: &[u8], wait: Duration) -> (usize, usize, usize) {
    let config = Config::default();
    let bound = config.held_bytes_max();
    let buffered = config.buffered_bytes_max;
    let mut link = Link::<()>::new(config);
    let (mut now, mut taken) = (epoch(), 0);
    for _ in 0..1_000 {
        taken += link.handle_input(flood, now);
        now += wait;
        link.handle_timeout(now);
        assert!(link.held_bytes() <= bound);
    }
    assert!(taken < buffered + 20_000, "it stops taking, at {taken}");
    let events: Vec<Event> = std::iter::from_fn(|| link.poll_event()).collect();
    let frames = events.iter().filter(|event| matches!(event, Event::Frame(_))).count();
    (events.len(), frames, std::iter::from_fn(|| link.poll_transmit()).count())
}

#[test]
fn a_caller_that_fetches_nothing_cannot_make_a_link_grow() {
    let zero = Duration::ZERO;
    let (events, _, blocks) = unfetched(&b"\x05\x04".repeat(1_000), zero);
    assert!((256..260).contains(&events) && blocks <= 1, "{events} events, {blocks} blocks");
    let refused = [&b"\x05"[..], &b"\x022A\x0300\r\n".repeat(1_000)].concat();
    let (events, _, blocks) = unfetched(&refused, zero);
    assert!(events <= 32 && blocks == 16, "{events} events, {blocks} blocks");
    let frames = [&b"\x05"[..], &frame(1, "A"), b"\x04"].concat().repeat(200);
    let (_, frames, _) = unfetched(&frames, Duration::from_secs(13));
    assert_eq!(frames, 1, "the second waits until the first is fetched");
}

#[test]
fn what_waited_for_room_goes_on_when_the_time_is_told() {
    let mut bench = Bench::new(Config::default());
    let enquiries = [&b"\x05"[..], &frame(1, "A")].concat().repeat(100);
    let taken = bench.link.handle_input(&enquiries, bench.now);
    assert_eq!(taken, enquiries.len(), "kept");
    bench.fetch();
    let mut calls = 0;
    while bench.link.poll_timeout().is_some_and(|at| at <= bench.now) {
        bench.wait_ms(0);
        calls += 1;
        assert!(calls < 1_000);
    }
    assert_eq!(bench.frames.len(), 100);
}

#[test]
fn the_largest_frame_of_the_standard_passes() {
    let text = vec![b'x'; 63_993];
    let mut bench = Bench::new(Config::default());
    bench.feed(b"\x05").feed(&encode_frame(FrameNumber::new(1), FrameEnd::End, &text));
    assert_eq!(bench.take_sent(), "<ACK><ACK>");
    assert_eq!(bench.frames[0].text, text);
}

#[test]
fn a_ticket_answers_only_its_own_link() {
    let mut bench = Bench::new(Config::default());
    let mut other = Bench::new(Config::default());
    for bench in [&mut bench, &mut other] {
        bench.caller = Caller::Holds;
        bench.feed(b"\x05").feed(&frame(1, "A")).take_sent();
    }
    std::mem::swap(&mut bench.held, &mut other.held);
    assert_eq!(bench.accept_held().take_sent(), "");
    assert_eq!(other.refuse_held().take_sent(), "");
}

//! The dialect in which each control byte is answered: `ENQ`, `STX text ETX`, `EOT`, no NAK, and nothing but the
//! connection's end for what cannot be accepted.

use crate::bench_line::Caller::{Accepts, Holds, Refuses};
use crate::bench_line::{Bench, Caller};
use crate::script::{Step, check};
use lis01::{Checksum, Config, Framing, Role, Timers};
use proptest::prelude::*;
use std::time::Duration;

/// As an immunoassay analyser speaks it: 3 s and three tries.
fn config() -> Config {
    let three = Duration::from_secs(3);
    Config {
        framing: Framing::ControlBytes,
        checksum: Checksum::Ignore,
        tries_max: 3,
        timers: Timers { t1: three, t2: three, reply: Duration::from_millis(2_500), ..Timers::default() },
        ..Config::default()
    }
}

const OPEN: Step = ("<ENQ>", "<ACK>", "TransferStarted");
const START: Step = ("<STX>", "<ACK>", "");
const TEXT: Step = ("H|<CR>L|1|N<CR><ETX>", "<ACK>", "Frame - End \"H|<CR>L|1|N<CR>\"");
const END: Step = ("<EOT>", "<ACK>", "TransferEnded(Eot)");

fn receives(name: &str, caller: Caller, steps: &[Step]) {
    check(name, &config(), caller, steps);
}

#[test]
fn each_control_byte_is_answered_and_the_text_only_when_it_is_kept() {
    receives("a session", Accepts, &[OPEN, START, TEXT, END, OPEN, START, TEXT, END]);
    let held = (TEXT.0, "", TEXT.2);
    receives("kept later", Holds, &[OPEN, START, held, ("+2499", "", ""), ("accept", "<ACK>", ""), END]);
    // The end of the text and the end of the transfer may come in one piece: the second waits for the first.
    let both = ("A<ETX><EOT>", "", "Frame - End \"A\"");
    receives("pipelined", Holds, &[OPEN, START, both, ("accept", "<ACK><ACK>", END.2)]);
    receives("nothing to say", Accepts, &[OPEN, END, OPEN, END]);
    let part = ("A<ETB>", "<ACK>", "Frame - Intermediate \"A\"");
    receives("two blocks", Accepts, &[OPEN, START, part, START, TEXT, END]);
}

#[test]
fn what_is_asked_again_is_answered_again_and_delivered_once() {
    let again = ("<ETX>", "<ACK>", "Repeated { number: None }");
    let enquiry = ("<ENQ>", "<ACK>", "");
    let end = ("<EOT>", "<ACK>", "");
    receives("every byte", Accepts, &[OPEN, enquiry, START, START, TEXT, again, again, END, end, end]);
    let ends = ("<CR><LF>", "", "");
    receives(
        "line ends between",
        Accepts,
        &[OPEN, ends, START, TEXT, ends, END, ends, ("<LF><EOT>", "<ACK>", "")],
    );
    // What stands there twice at once waits for one answer.
    let enquiries = ("<ENQ><ENQ>", "<ACK>", OPEN.2);
    let starts = ("<STX><STX>", "<ACK>", "");
    receives("at once", Accepts, &[enquiries, starts, TEXT, ("<EOT><EOT>", "<ACK>", END.2)]);
    let waits = ("A<ETX><CR><ETX>", "", "Frame - End \"A\"");
    receives("while it is being kept", Holds, &[OPEN, START, waits, ("accept", "<ACK>", again.2)]);
    let anew = ("A<ETX><EOT><ENQ>", "", "Frame - End \"A\"");
    let restarted = "TransferEnded(Eot); TransferStarted";
    receives("no answer overtakes", Holds, &[OPEN, START, anew, ("accept", "<ACK>", restarted)]);
    let said = "Anomaly(Anomaly { kind: Noise, at: 0, bytes_skipped: 1 }); TransferStarted";
    receives("idle", Accepts, &[("<EOT>", "", ""), ("<ENQ>", "<ACK>", said), END, ("x<EOT>", "", "")]);
    let restart = ("<ENQ>", "<ACK>", "TransferEnded(Restarted); TransferStarted");
    receives(
        "a new transfer without the end of the old",
        Accepts,
        &[OPEN, START, TEXT, restart, START, TEXT],
    );
}

#[test]
fn what_cannot_be_accepted_ends_the_connection_without_an_answer() {
    let part = ("A<ETB>", "<ACK>", "Frame - Intermediate \"A\"");
    let check = |name, steps: &[Step], last, says| {
        let then: [Step; 5] =
            [(last, "", says), ("<ENQ><STX>A<ETX>", "", ""), ("+60000", "", ""), ("cut", "", ""), OPEN];
        receives(name, Accepts, &[steps, &then[..]].concat());
    };
    check("a lost text", &[OPEN, START], "<ETX>", "TransferEnded(Abandoned); HangUp(BadBlock(Empty))");
    for (control, says) in [
        ("A<STX>", "TransferEnded(Abandoned); HangUp(BadBlock(Control(2)))"),
        ("A<EOT>", "TransferEnded(Abandoned); HangUp(BadBlock(Control(4)))"),
        ("A<ENQ>", "TransferEnded(Abandoned); HangUp(BadBlock(Control(5)))"),
    ] {
        check("a control byte in the text", &[OPEN, START], control, says);
    }
    let letter = "TransferEnded(Abandoned); HangUp(OutOfPlace(72))";
    check("a text without STX", &[OPEN], "H", letter);
    check("a text behind a text", &[OPEN, START, TEXT], "H", letter);
    check("ETX without a block", &[OPEN], "<ETX>", "TransferEnded(Abandoned); HangUp(OutOfPlace(3))");
    let half = "TransferEnded(Abandoned); HangUp(OutOfPlace(4))";
    check("the end after half a record", &[OPEN, START, part], "<EOT>", half);
    let refused = ("A<ETX>", "", "Frame - End \"A\"; TransferEnded(Abandoned); HangUp(Refused)");
    receives("a text that is not kept", Refuses, &[OPEN, START, refused, ("<ETX>", "", "")]);
    let held = ("A<ETX>", "", "Frame - End \"A\"");
    let late = ("+1", "", "TransferEnded(Abandoned); HangUp(AnswerOverdue)");
    receives(
        "a text that is not kept in time",
        Holds,
        &[OPEN, START, held, ("+2499", "", ""), late, ("accept", "", ""), ("cut", "", ""), OPEN],
    );
}

#[test]
fn a_text_over_the_limit_ends_the_connection_and_is_not_held() {
    let mut bench = Bench::new(Config { frame_text_bytes_max: 100, ..config() });
    bench.feed(b"\x05\x02").feed(&[b'x'; 100]).feed(b"x");
    assert!(bench.take_said().last().unwrap().contains("HangUp(BadBlock(TooLong))"));
    assert_eq!((bench.take_sent().as_str(), bench.link.held_bytes()), ("<ACK><ACK>", 0));
}

#[test]
fn silence_ends_the_transfer_and_not_the_connection() {
    let wait = ("+29999", "", "");
    let over = ("+1", "", "TransferEnded(Timeout)");
    receives("between", Accepts, &[OPEN, START, TEXT, wait, over, OPEN]);
    let half = "Anomaly(Anomaly { kind: FrameBrokenOff, at: 1, bytes_skipped: 2 }); TransferEnded(Timeout)";
    receives("in the text", Accepts, &[OPEN, START, ("H", "", ""), wait, ("+1", "", half), OPEN]);
    let cut =
        "Anomaly(Anomaly { kind: FrameBrokenOff, at: 1, bytes_skipped: 2 }); TransferEnded(Disconnected)";
    receives("the connection's end", Accepts, &[OPEN, START, ("H", "", ""), ("cut", "", cut), OPEN]);
}

#[test]
fn a_checksum_is_required_or_looked_at_or_nothing() {
    // The sum of `A` and ETX is 44.
    let check = |checksum, steps: &[Step]| {
        check("checksum", &Config { checksum, ..config() }, Accepts, &[&[OPEN, START], steps].concat());
    };
    let kept = ("A<ETX>", "<ACK>", "Frame - End \"A\"");
    let wrong =
        "Anomaly(Anomaly { kind: ChecksumWrong { computed: 68, found: 69 }, at: 5, bytes_skipped: 0 })";
    check(Checksum::Ignore, &[kept, ("45<CR><LF>", "", ""), END]);
    check(Checksum::Ignore, &[kept, END]);
    check(Checksum::Warn, &[kept, ("45<CR><LF>", "", wrong), END]);
    check(Checksum::Warn, &[kept, ("44<CR><LF>", "", ""), END]);
    check(Checksum::Warn, &[kept, ("4", "", ""), END]);
    check(
        Checksum::Warn,
        &[kept, ("44", "", ""), ("4", "", "TransferEnded(Abandoned); HangUp(OutOfPlace(52))")],
    );
    let whole = ("A<ETX>44", "<ACK>", "Frame - End \"A\"");
    check(Checksum::Require, &[whole, END]);
    check(Checksum::Require, &[("A<ETX>", "", ""), ("4", "", ""), ("4<CR><LF>", "<ACK>", kept.2), END]);
    let hung = "TransferEnded(Abandoned); HangUp(BadBlock(Checksum { computed: 68, found: 69 }))";
    check(Checksum::Require, &[("A<ETX>45", "", hung)]);
    let none = "TransferEnded(Abandoned); HangUp(BadBlock(ChecksumDigit(4)))";
    check(Checksum::Require, &[("A<ETX>", "", ""), ("<EOT>", "", none)]);
}

const ASK: Step = ("send A<CR>,B<CR>", "<ENQ>", "");

#[test]
fn a_transfer_is_sent_in_one_block() {
    let steps = [
        ASK,
        ("<ACK>", "<STX>", ""),
        ("<ACK>", "A<CR>B<CR><ETX>", ""),
        ("<ACK>", "<EOT>", "Sent(SendId(0))"),
    ];
    receives("a session", Accepts, &[&steps[..], &[("<ACK>", "", ""), OPEN, END]].concat());
    // Both sum up to A0 with the ETX.
    let mut checked = steps;
    checked[2].1 = "A<CR>B<CR><ETX>A0<CR><LF>";
    check("with a checksum", &Config { checksum: Checksum::Require, ..config() }, Accepts, &checked);
    let next = ("<ENQ>", "<ACK>", "TransferStarted");
    receives("the peer goes on", Accepts, &[&steps[..], &[next, START, TEXT, END]].concat());
}

#[test]
fn who_is_not_answered_asks_three_times_and_hangs_up() {
    let wait = ("+2999", "", "");
    let gone =
        "SendFailed { id: SendId(0), why: EnquiryUnanswered, records_accepted: 0 }; HangUp(Unanswered)";
    let enquiry = ("+1", "<ENQ>", "");
    receives(
        "ENQ",
        Accepts,
        &[ASK, wait, enquiry, wait, enquiry, wait, ("+1", "", gone), ("+60000", "", "")],
    );
    let start = ("<ACK>", "<STX>", "");
    let again = ("+1", "<STX>", "");
    let gone = "SendFailed { id: SendId(0), why: FrameUnanswered, records_accepted: 0 }; HangUp(Unanswered)";
    receives("STX", Accepts, &[ASK, start, wait, again, wait, again, wait, ("+1", "", gone)]);
    // A text is not sent twice: it could be taken for two.
    let text = ("<ACK>", "A<CR>B<CR><ETX>", "");
    receives("a text", Accepts, &[ASK, start, text, wait, ("+1", "", gone)]);
    let sent = ("<ACK>", "<EOT>", "Sent(SendId(0))");
    let end = ("+1", "<EOT>", "");
    receives(
        "EOT",
        Accepts,
        &[ASK, start, text, sent, wait, end, wait, end, wait, ("+1", "", "HangUp(Unanswered)")],
    );
    let refused =
        "SendFailed { id: SendId(0), why: FrameRefused, records_accepted: 0 }; HangUp(OutOfPlace(21))";
    receives("NAK", Accepts, &[ASK, start, ("<NAK>", "", refused)]);
    let lost = "SendFailed { id: SendId(0), why: Disconnected, records_accepted: 0 }";
    receives("the connection's end", Accepts, &[ASK, start, text, ("cut", "", lost), OPEN]);
}

#[test]
fn what_was_asked_twice_may_be_answered_twice_and_the_second_answer_counts_for_nothing() {
    let late = ("+3000", "<ENQ>", "");
    let stale = "Anomaly(Anomaly { kind: StaleAnswer, at: 1, bytes_skipped: 1 }); Sent(SendId(0))";
    receives(
        "two answers",
        Accepts,
        &[
            ASK,
            late,
            ("<ACK>", "", ""),
            ("<ACK>", "", ""),
            ("+2999", "", ""),
            ("+1", "<STX>", ""),
            ("<ACK>", "A<CR>B<CR><ETX>", ""),
            ("<ACK>", "<EOT>", stale),
            // And so it is with EOT: the next transfer waits.
            ("+3000", "<EOT>", ""),
            ("<ACK>", "", ""),
            ("send C", "", ""),
            ("+9999", "", ""),
            ("+1", "<ENQ>", "Anomaly(Anomaly { kind: StaleAnswer, at: 0, bytes_skipped: 0 })"),
        ][..12],
    );
}

#[test]
fn an_enquiry_is_not_answered_while_we_are_not_ready_but_not_for_ever() {
    let silent = ("<ENQ>", "", "");
    receives(
        "not ready",
        Accepts,
        &[("not ready", "", ""), silent, silent, silent, OPEN, END, silent, ("ready", "", ""), OPEN],
    );
}

#[test]
fn the_instrument_wins_contention_here_too() {
    let contends = ("<ENQ>", "", "Contention");
    receives("computer", Accepts, &[ASK, contends, OPEN, START, TEXT, ("<EOT>", "<ACK><ENQ>", END.2)]);
    let instrument = Config { role: Role::Instrument, ..config() };
    check(
        "instrument",
        &instrument,
        Accepts,
        &[ASK, contends, ("+1000", "<ENQ>", ""), ("<ACK>", "<STX>", "")],
    );
}

proptest! {
    #[test]
    fn any_split_of_the_bytes_gives_the_same_events(
        checksum in prop::sample::select(vec![Checksum::Require, Checksum::Warn, Checksum::Ignore]),
        stream in proptest::collection::vec(
            prop_oneof![
                Just(b"\x05\x02H|\rL|\r\x03".to_vec()),
                Just(b"\x05\x02A\x0344\r\n\x04".to_vec()),
                Just(b"\x02A\x03".to_vec()),
                Just(b"\x04".to_vec()),
                prop::sample::select(b"\x02\x03\x04\x05\x06\x15\x17\r\n4A".to_vec()).prop_map(|byte| vec![byte]),
            ],
            0..12,
        ),
        cut in 1_usize..6,
    ) {
        let stream = stream.concat();
        let said = |size: usize| {
            let mut bench = Bench::new(Config { checksum, ..config() });
            for piece in stream.chunks(size.max(1)) {
                bench.feed(piece);
                while bench.link.poll_timeout().is_some_and(|at| at <= bench.now) {
                    bench.wait_ms(0);
                }
            }
            bench.disconnect();
            bench.said
        };
        let whole = said(stream.len());
        prop_assert_eq!(&said(1), &whole);
        prop_assert_eq!(&said(cut), &whole);
    }
}

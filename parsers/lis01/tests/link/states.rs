//! What happens in each state, event by event (protocols: LIS01 §6).

use crate::bench_line::Bench;
use crate::bench_line::Caller::{self, Accepts, Holds, Refuses};
use crate::script::{Step, check};
use lis01::{Checksum, Config, FrameNumbers, Interrupts, Phase, Role};

fn receives(name: &str, steps: &[Step]) {
    with(name, Accepts, &Config::default(), steps);
}

fn with(name: &str, caller: Caller, config: &Config, steps: &[Step]) {
    check(name, config, caller, steps);
}

const OPEN: Step = ("<ENQ>", "<ACK>", "TransferStarted");
const FRAME_1: Step = ("[1 A<CR>]", "<ACK>", "Frame 1 End \"A<CR>\"");
const FRAME_2: Step = ("[2 B<CR>]", "<ACK>", "Frame 2 End \"B<CR>\"");
const DONE: Step = ("<EOT>", "", "TransferEnded(Eot)");
const GIVEN_UP: Step = ("<EOT>", "", "TransferEnded(Abandoned)");

#[test]
fn a_whole_transfer_is_received() {
    receives("two records", &[OPEN, FRAME_1, FRAME_2, DONE, OPEN, FRAME_1, DONE]);
    receives("no records", &[OPEN, DONE]);
    let first = ("[1 long+]", "<ACK>", "Frame 1 Intermediate \"long\"");
    let second = ("[2 er<CR>]", "<ACK>", "Frame 2 End \"er<CR>\"");
    receives("one record in two frames", &[OPEN, first, second, DONE]);
    receives("an unfinished record", &[OPEN, first, GIVEN_UP]);
    let packed = ("[1 H|<CR>L|<CR>]", "<ACK>", "Frame 1 End \"H|<CR>L|<CR>\"");
    receives("packed records", &[OPEN, packed, DONE]);
    let empty = ("<STX>1<ETX>34<CR><LF>", "<ACK>", "Frame 1 End \"\"");
    receives("an empty frame", &[OPEN, empty, DONE]);
}

#[test]
fn a_neutral_line_hears_only_enquiries() {
    receives("frames and answers", &[("[1 A]<EOT><ACK><NAK>xyz<02><CR><LF>", "", "")]);
    let told = "Anomaly(Anomaly { kind: Noise, at: 1, bytes_skipped: 4 }); TransferStarted";
    receives("noise is told once", &[("<CR>x", "", ""), ("<EOT><LF>yz", "", ""), ("<ENQ>", "<ACK>", told)]);
    let busy = ("<ENQ>", "<NAK>", "");
    receives("not ready", &[("not ready", "", ""), busy, busy, ("ready", "", ""), OPEN]);
    receives("still ready inside", &[OPEN, ("not ready", "", ""), FRAME_1, DONE, busy]);
}

#[test]
fn numbers_wrap_from_seven_over_zero_to_one() {
    let mut steps = vec![OPEN, FRAME_1, FRAME_2];
    steps.extend([
        ("[3 C]", "<ACK>", "Frame 3 End \"C\""),
        ("[4 D]", "<ACK>", "Frame 4 End \"D\""),
        ("[5 E]", "<ACK>", "Frame 5 End \"E\""),
        ("[6 F]", "<ACK>", "Frame 6 End \"F\""),
        ("[7 G]", "<ACK>", "Frame 7 End \"G\""),
        ("[0 H]", "<ACK>", "Frame 0 End \"H\""),
        ("[0 H]", "<ACK>", "Repeated { number: Some(0) }"),
        ("[1 A]", "<ACK>", "Frame 1 End \"A\""),
    ]);
    receives("eight and one more", &steps);
}

#[test]
fn a_repeat_is_acknowledged_and_not_delivered_again() {
    let again = ("[1 A<CR>]", "<ACK>", "Repeated { number: Some(1) }");
    receives("once and thrice", &[OPEN, FRAME_1, again, again, FRAME_2, DONE]);
    receives("a new session starts anew", &[OPEN, FRAME_1, DONE, OPEN, FRAME_1, DONE]);
}

#[test]
fn a_number_out_of_order_is_refused_when_strict() {
    let order = |at| match at {
        1 => "Anomaly(Anomaly { kind: NumberOutOfOrder { expected: 1, found: 0 }, at: 1, bytes_skipped: 9 })",
        _ => {
            "Anomaly(Anomaly { kind: NumberOutOfOrder { expected: 2, found: 3 }, at: 10, bytes_skipped: 9 })"
        }
    };
    receives("0 is no repeat after ENQ", &[OPEN, ("[0 A<CR>]", "<NAK>", order(1)), GIVEN_UP]);
    receives("a gap", &[OPEN, FRAME_1, ("[3 B<CR>]", "<NAK>", order(2)), FRAME_2, DONE]);
    let reused = "Anomaly(Anomaly { kind: NumberReused(1), at: 10, bytes_skipped: 9 })";
    receives("another text is no repeat", &[OPEN, FRAME_1, ("[1 C<CR>]", "<NAK>", reused), GIVEN_UP]);
    let reused = "Anomaly(Anomaly { kind: NumberReused(1), at: 10, bytes_skipped: 9 })";
    receives("another end is no repeat", &[OPEN, FRAME_1, ("[1 A<CR>+]", "<NAK>", reused), FRAME_2, DONE]);
}

#[test]
fn any_number_is_taken_when_lenient() {
    let lenient = Config { frame_numbers: FrameNumbers::Lenient, ..Config::default() };
    let check = |name, steps: &[Step]| with(name, Accepts, &lenient, steps);
    let wrap = "Anomaly(Anomaly { kind: NumberOutOfOrder { expected: 2, found: 7 }, at: 10, bytes_skipped: 0 }); \
                Frame 7 End \"B<CR>\"";
    let back = "Anomaly(Anomaly { kind: NumberOutOfOrder { expected: 0, found: 1 }, at: 19, bytes_skipped: 0 }); \
                Frame 1 End \"A<CR>\"";
    check("7 and then 1", &[OPEN, FRAME_1, ("[7 B<CR>]", "<ACK>", wrap), ("[1 A<CR>]", "<ACK>", back), DONE]);
    let reused =
        "Anomaly(Anomaly { kind: NumberReused(1), at: 10, bytes_skipped: 0 }); Frame 1 End \"C<CR>\"";
    check("a number used again", &[OPEN, FRAME_1, ("[1 C<CR>]", "<ACK>", reused), DONE]);
    check("a repeat", &[OPEN, FRAME_1, ("[1 A<CR>]", "<ACK>", "Repeated { number: Some(1) }"), DONE]);
}

#[test]
fn frames_may_have_no_numbers() {
    let absent = Config { frame_numbers: FrameNumbers::Absent, ..Config::default() };
    let frame = ("<STX>A<CR><ETX>51<CR><LF>", "<ACK>", "Frame - End \"A<CR>\"");
    with("received", Accepts, &absent, &[OPEN, frame, frame, DONE]);
    let bad =
        "Anomaly(Anomaly { kind: BadFrame(Checksum { computed: 81, found: 82 }), at: 1, bytes_skipped: 8 })";
    with("damaged", Accepts, &absent, &[OPEN, ("<STX>A<CR><ETX>52<CR><LF>", "<NAK>", bad), frame, DONE]);
    let sent = [("send A<CR>", "<ENQ>", ""), ("<ACK>", "<STX>A<CR><ETX>51<CR><LF>", "")];
    with("sent", Accepts, &absent, &sent);
}

#[test]
fn a_checksum_is_required_warned_of_or_ignored() {
    let config = |checksum| Config { checksum, ..Config::default() };
    let bad = "Anomaly(Anomaly { kind: BadFrame(Checksum { computed: 114, found: 115 }), at: 1, bytes_skipped: 8 })";
    let wrong = "<STX>1><ETX>73<CR><LF>";
    with("required", Accepts, &config(Checksum::Require), &[OPEN, (wrong, "<NAK>", bad)]);
    let warned = "Anomaly(Anomaly { kind: ChecksumWrong { computed: 114, found: 115 }, at: 1, bytes_skipped: 0 }); \
                  Frame 1 End \">\"";
    with("warned of", Accepts, &config(Checksum::Warn), &[OPEN, (wrong, "<ACK>", warned), DONE]);
    with("ignored", Accepts, &config(Checksum::Ignore), &[OPEN, (wrong, "<ACK>", "Frame 1 End \">\""), DONE]);
    let none = "<STX>1><ETX><CR><LF>";
    let digit = "Anomaly(Anomaly { kind: BadFrame(ChecksumDigit(13)), at: 1, bytes_skipped: 6 })";
    with("absent, required", Accepts, &config(Checksum::Require), &[OPEN, (none, "<NAK>", digit)]);
    let absent = "Anomaly(Anomaly { kind: ChecksumAbsent, at: 1, bytes_skipped: 0 }); Frame 1 End \">\"";
    with("absent, warned of", Accepts, &config(Checksum::Warn), &[OPEN, (none, "<ACK>", absent), DONE]);
    with(
        "absent, ignored",
        Accepts,
        &config(Checksum::Ignore),
        &[OPEN, (none, "<ACK>", "Frame 1 End \">\""), DONE],
    );
    let lower = ("<STX>1~~~<ETX>ae<CR><LF>", "<ACK>", "Frame 1 End \"~~~\"");
    receives("lower case is right", &[OPEN, lower, DONE]);
}

#[test]
fn a_frame_the_caller_refuses_is_asked_for_again() {
    let held = ("[1 A<CR>]", "", "Frame 1 End \"A<CR>\"");
    let steps = [OPEN, held, ("refuse", "<NAK>", ""), held, ("accept", "<ACK>", ""), DONE];
    with("refused, then accepted", Holds, &Config::default(), &steps);
    let refused = ("[1 A<CR>]", "<NAK>", "Frame 1 End \"A<CR>\"");
    with("refused for good", Refuses, &Config::default(), &[OPEN, refused, refused, GIVEN_UP]);
}

#[test]
fn a_long_text_is_refused_and_the_next_one_is_not() {
    let config = Config { frame_text_bytes_max: 3, ..Config::default() };
    let fits = ("[1 abc]", "<ACK>", "Frame 1 End \"abc\"");
    let long = "Anomaly(Anomaly { kind: BadFrame(TooLong), at: 11, bytes_skipped: 11 })";
    let steps = [OPEN, fits, ("[2 abcd]", "<NAK>", long), ("[2 abc]", "<ACK>", "Frame 2 End \"abc\""), DONE];
    with("four of three bytes", Accepts, &config, &steps);
}

#[test]
fn forbidden_bytes_in_a_good_frame_are_told_and_kept() {
    let told = "Anomaly(Anomaly { kind: RestrictedByte(10), at: 4, bytes_skipped: 0 }); \
                Frame 1 End \"A<LF>B<10>\"";
    receives("LF ends records with some makers", &[OPEN, ("[1 A<LF>B<10>]", "<ACK>", told), DONE]);
}

#[test]
fn an_enquiry_inside_a_transfer_starts_a_new_one() {
    let anew = ("<ENQ>", "<ACK>", "TransferEnded(Restarted); TransferStarted");
    receives("after a frame", &[OPEN, FRAME_1, anew, FRAME_1, DONE]);
    receives("at once", &[OPEN, anew, DONE]);
    let busy = ("<ENQ>", "<NAK>", "TransferEnded(Restarted)");
    receives("while not ready", &[OPEN, FRAME_1, ("not ready", "", ""), busy]);
}

#[test]
fn noise_between_frames_is_ignored() {
    let noise = "Anomaly(Anomaly { kind: Noise, at: 10, bytes_skipped: 3 }); Frame 2 End \"B<CR>\"";
    receives("text", &[OPEN, FRAME_1, ("<CR><LF>", "", ""), DONE]);
    receives("bytes", &[OPEN, FRAME_1, ("xyz", "", ""), ("[2 B<CR>]", "<ACK>", noise), DONE]);
    let lost = "Anomaly(Anomaly { kind: Noise, at: 10, bytes_skipped: 5 }); TransferEnded(Abandoned)";
    receives("a frame without STX", &[OPEN, FRAME_1, ("2B<CR><ETX>84<CR><LF>", "", ""), ("<EOT>", "", lost)]);
}

#[test]
fn a_transfer_is_sent() {
    let start = ("send A<CR>,B<CR>", "<ENQ>", "");
    let first = ("<ACK>", "<STX>1A<CR><ETX>82<CR><LF>", "");
    let second = ("<ACK>", "<STX>2B<CR><ETX>84<CR><LF>", "");
    let last = ("<ACK>", "<EOT>", "Sent(SendId(0))");
    receives("all goes well", &[start, first, second, last]);
    let again = ("<NAK>", "<STX>1A<CR><ETX>82<CR><LF>", "");
    receives("NAK", &[start, first, again, again, second, last]);
    let strange = ("x", "<STX>1A<CR><ETX>82<CR><LF>", "");
    receives("anything else is a NAK", &[start, first, strange, second, last]);
    receives("CR and LF are nothing", &[start, ("<LF>", "", ""), first, ("<CR><LF>", "", ""), second, last]);
    let noise = "Anomaly(Anomaly { kind: Noise, at: 0, bytes_skipped: 2 }); Sent(SendId(0))";
    receives("noise before ACK", &[start, ("x<EOT>", "", ""), first, second, ("<ACK>", "<EOT>", noise)]);
    let stale = "Anomaly(Anomaly { kind: StaleAnswer, at: 1, bytes_skipped: 2 }); Sent(SendId(0))";
    let twice = ("<ACK><ACK><NAK>", "<STX>1A<CR><ETX>82<CR><LF>", "");
    receives("an answer before its frame left", &[start, twice, second, ("<ACK>", "<EOT>", stale)]);
    let next = ("<ACK>", "<EOT><ENQ>", "Sent(SendId(0))");
    let queued = ("send C", "", "");
    receives(
        "the next one follows",
        &[start, first, queued, second, next, ("<ACK>", "<STX>1C<ETX>77<CR><LF>", "")],
    );
}

#[test]
fn a_frame_refused_six_times_fails_its_transfer() {
    let again = ("<NAK>", "<STX>2B<CR><ETX>84<CR><LF>", "");
    let failed = "SendFailed { id: SendId(0), why: FrameRefused, records_accepted: 1 }";
    receives(
        "second frame",
        &[
            ("send A<CR>,B<CR>,C<CR>", "<ENQ>", ""),
            ("<ACK>", "<STX>1A<CR><ETX>82<CR><LF>", ""),
            ("<ACK>", "<STX>2B<CR><ETX>84<CR><LF>", ""),
            again,
            again,
            again,
            again,
            again,
            ("<NAK>", "<EOT>", failed),
            ("<NAK>", "", ""),
        ],
    );
}

#[test]
fn a_busy_peer_is_asked_six_times() {
    let mut steps = vec![("send A", "<ENQ>", "")];
    for _ in 0..5 {
        steps.extend([("<NAK>", "", ""), ("+9999", "", ""), ("+1", "<ENQ>", "")]);
    }
    steps.push(("<NAK>", "", "SendFailed { id: SendId(0), why: PeerBusy, records_accepted: 0 }"));
    steps.push(("+60000", "", ""));
    receives("NAK for every enquiry", &steps);
}

#[test]
fn the_instrument_wins_contention() {
    let instrument = Config { role: Role::Instrument, ..Config::default() };
    let start = ("send A", "<ENQ>", "");
    let meets = ("<ENQ>", "", "Contention");
    let frame = ("<ACK>", "<STX>1A<ETX>75<CR><LF>", "");
    let sent = ("<ACK>", "<EOT>", "Sent(SendId(0))");
    let steps = [start, meets, ("+999", "", ""), ("+1", "<ENQ>", ""), frame, sent];
    with("instrument", Accepts, &instrument, &steps);
    receives(
        "computer, the instrument comes",
        &[start, meets, OPEN, FRAME_1, ("<EOT>", "<ENQ>", DONE.2), frame, sent],
    );
    receives(
        "computer, it does not come",
        &[start, meets, ("+19999", "", ""), ("+1", "<ENQ>", ""), frame, sent],
    );
    let mut steps = vec![start];
    for _ in 0..5 {
        steps.extend([meets, ("+1000", "<ENQ>", "")]);
    }
    let failed = "Contention; SendFailed { id: SendId(0), why: Contention, records_accepted: 0 }";
    steps.push(("<ENQ>", "", failed));
    with("two instruments", Accepts, &instrument, &steps);
}

#[test]
fn contentions_count_anew_when_the_peer_has_had_the_line() {
    let meets = [("<ENQ>", "", "Contention"), ("+20000", "<ENQ>", "")];
    let yields = [("<ENQ>", "", "Contention"), OPEN, FRAME_1, ("<EOT>", "<ENQ>", DONE.2)];
    let mut steps = vec![("send A", "<ENQ>", "")];
    for _ in 0..2 {
        steps.extend(meets.repeat(4));
        steps.extend(yields);
    }
    receives("eight and two", &steps);
}

#[test]
fn what_comes_before_our_enquiry_has_left_is_no_answer_to_it() {
    let mut bench = Bench::new(Config::default());
    bench.link.send(vec![b"A".to_vec()], bench.now).unwrap();
    assert_eq!(bench.link.handle_input(b"\x06\x15\x05", bench.now), 3);
    assert_eq!(bench.link.phase(), Phase::Receiving, "the peer's enquiry came first: ours is taken back");
    bench.fetch();
    assert_eq!(bench.take_sent(), "<ACK>");
    let stale = "Anomaly(Anomaly { kind: StaleAnswer, at: 0, bytes_skipped: 2 })";
    assert_eq!(bench.take_said(), [stale, "TransferStarted"], "no contention");
    assert_eq!(bench.feed(b"\x04").take_sent(), "<ENQ>");
}

#[test]
fn an_interrupt_is_ignored_or_honoured() {
    let start = ("send A,B", "<ENQ>", "");
    let first = ("<ACK>", "<STX>1A<ETX>75<CR><LF>", "");
    let ignored = ("<EOT>", "<STX>2B<ETX>77<CR><LF>", "InterruptRequested { honoured: false }");
    receives("ignored", &[start, first, ignored, ("<ACK>", "<EOT>", "Sent(SendId(0))")]);
    let last = ("<EOT>", "<EOT>", "InterruptRequested { honoured: false }; Sent(SendId(0))");
    receives("ignored at the end", &[start, first, ignored, last]);
    let honour = Config { interrupts: Interrupts::Honour, ..Config::default() };
    let check = |name, steps: &[Step]| with(name, Accepts, &honour, steps);
    let failed = "InterruptRequested { honoured: true }; \
                  SendFailed { id: SendId(0), why: Interrupted, records_accepted: 1 }";
    let stopped = ("<EOT>", "<EOT>", failed);
    check("honoured", &[start, first, stopped, ("send C", "", ""), ("+14999", "", ""), ("+1", "<ENQ>", "")]);
    let session = [OPEN, FRAME_1, ("<EOT>", "<ENQ>", DONE.2)];
    check("the peer had its say", &[&[start, first, stopped, ("send C", "", "")], &session[..]].concat());
    let second = ("<ACK>", "<STX>2B<ETX>77<CR><LF>", "");
    let last = ("<EOT>", "<EOT>", "InterruptRequested { honoured: true }; Sent(SendId(0))");
    let then = [("send C", "", ""), ("+14999", "", ""), ("+1", "<ENQ>", "")];
    check("honoured at the end", &[&[start, first, second, last], &then[..]].concat());
}

#[test]
fn we_ask_to_interrupt_with_eot_for_ack() {
    let asks = ("[1 A<CR>]", "<EOT>", "Frame 1 End \"A<CR>\"");
    let wants = ("interrupt", "", "");
    receives("ignored by the peer", &[OPEN, wants, asks, FRAME_2, DONE]);
    receives("honoured: there may be more", &[OPEN, wants, asks, GIVEN_UP]);
    receives("only inside a transfer", &[wants, OPEN, FRAME_1, wants, DONE, OPEN, FRAME_1]);
}

#[test]
fn a_cut_ends_everything() {
    receives("neutral", &[("cut", "", "")]);
    receives("receiving", &[OPEN, FRAME_1, ("cut", "", "TransferEnded(Disconnected)"), OPEN, FRAME_1, DONE]);
    let half =
        "Anomaly(Anomaly { kind: FrameBrokenOff, at: 1, bytes_skipped: 4 }); TransferEnded(Disconnected)";
    receives("in a frame", &[OPEN, ("<STX>1AB", "", ""), ("cut", "", half)]);
    let failed = "SendFailed { id: SendId(0), why: Disconnected, records_accepted: 0 }; \
                  SendFailed { id: SendId(1), why: Disconnected, records_accepted: 0 }";
    let two = [("send A,B", "<ENQ>", ""), ("send C", "", "")];
    receives("establishing", &[two[0], two[1], ("cut", "", failed), ("send A", "<ENQ>", "")]);
    let sending = ("<ACK>", "<STX>1A<ETX>75<CR><LF>", "");
    receives("sending", &[two[0], two[1], sending, ("cut", "", failed)]);
    let held = [OPEN, ("[1 A]", "", "Frame 1 End \"A\""), ("[2 B]", "", "")];
    let dropped =
        "TransferEnded(Disconnected); Anomaly(Anomaly { kind: InputDropped, at: 9, bytes_skipped: 8 })";
    let late = [("cut", "", dropped), ("accept", "", ""), OPEN, ("[1 A]", "", "Frame 1 End \"A\"")];
    with(
        "a ticket outlives its session in vain",
        Holds,
        &Config::default(),
        &[&held[..], &late[..]].concat(),
    );
}

//! What a receiver makes of a stream, step by step.

use crate::bench::Bench;
use pk_blocks::{Answers, BlockEnd, Config, encode_block};

const ACK: &[u8] = &[6];
const NAK: &[u8] = &[21];

fn block(text: &str) -> Vec<u8> {
    encode_block(text.as_bytes(), BlockEnd::Last)
}

fn answering() -> Config {
    Config { answers: Answers::ACK_NAK, ..Config::default() }
}

fn session(records: &[&str]) -> Vec<u8> {
    records.iter().flat_map(|record| block(record)).collect()
}

#[test]
fn a_session_is_one_message_and_nothing_is_answered_unless_it_is_wanted() {
    let mut bench = Bench::new(Config::default());
    bench.feed(&session(&["SB01", "M 01", "DE01"])).wait_ms(50);
    assert_eq!(bench.take_said(), "begins; SB01; M 01; DE01; Complete");
    assert_eq!((bench.take_sent(), &bench.messages[..]), (vec![], &["SB01\rM 01\rDE01\r".to_owned()][..]));
}

#[test]
fn a_block_is_whole_when_the_next_begins_or_nothing_follows() {
    let mut bench = Bench::new(answering());
    bench.feed(&block("SB01")).wait_ms(49);
    assert_eq!(bench.take_said(), "");
    bench.wait_ms(1);
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), ("begins; SB01", ACK));
    // What looked like its end was none.
    bench.feed(b"\x02QR01\x03\x13").wait_ms(20).feed(b"rest").wait_ms(50);
    let bad = "BadBlock(Check { computed: 1, found: 19 }) 11";
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), (bad, NAK));
    let mut good = block("QR01");
    good.extend(b"x");
    bench.feed(&good).wait_ms(50);
    assert_eq!(
        (bench.take_said().as_str(), bench.take_sent().as_slice()),
        ("BadBlock(Trailing(120)) 8", NAK)
    );
}

#[test]
fn not_a_byte_leaves_before_the_block_is_kept() {
    let mut bench = Bench::new(answering());
    bench.holds = true;
    bench.feed(&block("SB01")).wait_ms(50).wait_ms(9_999);
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), ("begins; SB01", &[][..]));
    assert_eq!(bench.accept().take_sent(), ACK);
    bench.feed(&block("M 01")).wait_ms(50);
    assert_eq!(bench.refuse().take_sent(), NAK);
    bench.feed(&block("M 01")).wait_ms(50).wait_ms(9_999);
    assert_eq!(bench.take_sent(), []);
    assert_eq!(bench.wait_ms(1).take_sent(), NAK, "nobody decided in time");
    // It is kept after all: its repeat is answered and not delivered again.
    assert_eq!(bench.accept().take_sent(), []);
    bench.take_said();
    bench.feed(&block("M 01")).wait_ms(50);
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), ("again", ACK));
    bench.feed(&block("DE01")).wait_ms(50);
    bench.accept();
    assert_eq!(bench.messages, ["SB01\rM 01\rDE01\r"]);
}

#[test]
fn a_block_that_is_refused_for_lateness_waits_for_its_decision() {
    let mut bench = Bench::new(answering());
    bench.holds = true;
    bench.feed(&block("SB01")).wait_ms(50).wait_ms(10_000).take_sent();
    bench.take_said();
    bench.feed(&block("SB01")).wait_ms(50);
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), ("", &[][..]));
    assert_eq!(bench.accept().take_sent(), ACK);
    bench.feed(&block("M 01")).wait_ms(50).wait_ms(10_000).take_sent();
    bench.feed(&block("QR01")).wait_ms(50);
    assert_eq!(bench.take_sent(), NAK);
    assert!(bench.take_said().ends_with("BlockBeforeAnswer 7"));
}

#[test]
fn an_answer_that_was_lost_is_given_again_and_a_copy_gets_one_answer() {
    let mut bench = Bench::new(answering());
    for text in ["SB01", "M 01", "DE01"] {
        bench.feed(&block(text)).wait_ms(50).feed(&block(text)).wait_ms(50);
        assert_eq!(bench.take_sent(), [6, 6], "{text}");
        bench.feed(&[block(text), block(text)].concat()).wait_ms(50);
        assert_eq!(bench.take_sent(), ACK, "{text} twice at once");
    }
    assert_eq!(bench.messages, ["SB01\rM 01\rDE01\r"]);
    let mut bench = Bench::new(answering());
    bench.feed(&[block("SB01"), block("SB01")].concat()).wait_ms(50);
    assert_eq!((bench.take_said().as_str(), bench.take_sent().as_slice()), ("begins; SB01; again", ACK));
}

#[test]
fn without_answers_what_was_damaged_spoils_its_session() {
    let damaged = |middle: &[u8]| {
        let mut bench = Bench::new(Config::default());
        bench
            .feed(&[&block("SB01")[..], middle, &block("DE01"), &session(&["SB02", "DE02"])].concat())
            .wait_ms(50);
        assert_eq!(bench.messages, ["SB02\rDE02\r"], "{middle:?}");
        bench.take_said()
    };
    assert!(damaged(b"\x02M 01\x03\x00").contains("; DE01; Damaged; begins; SB02"));
    assert!(damaged(b"\x02M 0\x01\x03\x00").contains("Control(1)"));
    assert!(damaged(b"\x02\x03\x03").contains("BadBlock(Empty) 3"));
    assert!(damaged(&[b"\x02", &[b'x'; 5_000][..], b"\x03\x00"].concat()).contains("TooLong"));
    // Where a block lost its STX only its end is left. Behind a whole block that is its own damage.
    let mut bench = Bench::new(Config::default());
    bench.feed(&block("SB01")).wait_ms(50).feed(b"M 01\x03\x53").wait_ms(50).feed(&block("DE01")).wait_ms(50);
    assert_eq!(bench.take_said(), "begins; SB01; Noise 6; DE01; Damaged");
    bench.feed(&block("SB01")).wait_ms(50).feed(b"noise").wait_ms(50).feed(&block("DE01")).wait_ms(50);
    assert_eq!(bench.take_said(), "begins; SB01; Noise 5; DE01; Complete");
    let mut bench = Bench::new(Config::default());
    bench.holds = true;
    bench.feed(&session(&["SB01", "DE01"])).accept().wait_ms(50).refuse();
    assert_eq!(bench.take_said(), "begins; SB01; DE01");
    bench.wait_ms(60_000);
    assert_eq!(bench.take_said(), "Timeout");
}

#[test]
fn with_answers_the_repeat_mends_what_was_damaged() {
    let mut bench = Bench::new(answering());
    bench.feed(&block("SB01")).wait_ms(50).feed(b"\x02M 01\x03\x00").wait_ms(50);
    bench.feed(&block("M 01")).wait_ms(50).feed(&block("DE01")).wait_ms(50);
    assert_eq!(
        (bench.take_sent(), &bench.messages[..]),
        (vec![6, 21, 6, 6], &["SB01\rM 01\rDE01\r".to_owned()][..])
    );
}

#[test]
fn a_session_ends_with_its_end_or_is_half_of_one() {
    let mut bench = Bench::new(Config::default());
    bench.feed(&session(&["SB01", "M 01"])).wait_ms(50).wait_ms(59_999);
    assert_eq!(bench.take_said(), "begins; SB01; M 01");
    assert_eq!(bench.wait_ms(1).take_said(), "Timeout");
    bench.feed(&session(&["SB01", "M 01", "SB01", "SB01", "DE01", "DE01"])).wait_ms(50);
    let said = "begins; SB01; M 01; Restarted; begins; SB01; again; DE01; Complete; again";
    assert_eq!(bench.take_said(), said);
    bench
        .feed(&session(&["SB01"]))
        .wait_ms(50)
        .wait_ms(60_000)
        .feed(&session(&["SB01"]))
        .wait_ms(50)
        .wait_ms(60_000);
    assert_eq!(bench.take_said(), "begins; SB01; Timeout; begins; SB01; Timeout");
    bench.feed(&session(&["SB01"])).wait_ms(50).feed(b"\x02M 0").disconnect();
    assert_eq!(bench.take_said(), "begins; SB01; BadBlock(Unfinished) 4; Disconnected");
    bench.feed(&session(&["M 01", "DE01"])).wait_ms(50);
    assert_eq!(
        bench.take_said(),
        "begins; M 01; DE01; Complete",
        "the session says that it has no beginning"
    );
    assert_eq!(bench.messages.len(), 1);
}

#[test]
fn a_block_whose_rest_does_not_come_is_bad_however_slowly_it_grows() {
    let mut bench = Bench::new(answering());
    bench.feed(b"\x02SB0");
    for _ in 0..3 {
        bench.wait_ms(1_999).feed(b"1");
    }
    assert_eq!(bench.take_said(), "");
    assert_eq!(bench.wait_ms(2_000).take_said(), "BadBlock(Unfinished) 7");
    assert_eq!(bench.take_sent(), NAK);
    bench.feed(b"\x02").feed(&[b'x'; 5_000]);
    for _ in 0..3 {
        bench.wait_ms(500).feed(&[b'x'; 5_000]);
        assert!(bench.receiver.held_bytes() < 1_000);
    }
    assert_eq!(bench.wait_ms(500).take_said(), "BadBlock(TooLong) 20001");
}

#[test]
fn input_behind_an_unanswered_block_is_taken_up_to_its_bound() {
    let mut bench = Bench::new(Config { buffered_bytes_max: 20, ..Config::default() });
    bench.holds = true;
    bench.feed(&block("SB01")).wait_ms(50);
    let more = session(&["M 01", "QR01", "QD01"]);
    let taken = bench.receiver.handle_input(&more, bench.now);
    assert_eq!((taken, bench.receiver.handle_input(&more[taken..], bench.now)), (20, 0));
    bench.accept();
    assert_eq!(bench.receiver.handle_input(&more[taken..], bench.now), 1);
}

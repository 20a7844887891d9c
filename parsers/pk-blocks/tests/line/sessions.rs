//! From blocks to a message.

use pk_blocks::{BlockEnd, Session, SessionDefect, Step, decode_block, encode_record};
use proptest::prelude::*;

fn head(specimen: &str) -> String {
    format!("D 01210120260301{specimen:>27}00010001  ")
}

/// The blocks of records, as a sender cuts them.
fn blocks(records: &[String], max: usize) -> Vec<(Vec<u8>, BlockEnd)> {
    let cut = records.iter().flat_map(|record| encode_record(record.as_bytes(), max).unwrap());
    cut.map(|block| decode_block(&block).unwrap()).collect()
}

fn join(blocks: &[(Vec<u8>, BlockEnd)]) -> (Session, bool) {
    let mut session = Session::new(1 << 20);
    let mut complete = false;
    for (text, end) in blocks {
        complete = session.push(text, *end) == Step::Complete;
    }
    (session, complete)
}

#[test]
fn parts_of_a_record_are_one_line() {
    let record = head("G123426000011") + "      + - + - ABO2 O";
    let records = ["SB01".to_owned(), record.clone(), "DE01".to_owned()];
    for max in [56, 60, 64, 1024] {
        let (session, complete) = join(&blocks(&records, max));
        assert!(complete && session.defect().is_none(), "{max}");
        assert_eq!(session.message(), format!("SB01\r{record}\rDE01\r").as_bytes());
    }
}

#[test]
fn what_does_not_follow_makes_no_message() {
    use SessionDefect as D;
    let parts = blocks(&[head("1") + "abcdefgh"], 58);
    let begin = (b"SB01".to_vec(), BlockEnd::Last);
    let end = (b"DE01".to_vec(), BlockEnd::Last);
    let check = |inner: &[(Vec<u8>, BlockEnd)], expect: Option<SessionDefect>| {
        let (session, complete) =
            join(&[std::slice::from_ref(&begin), inner, std::slice::from_ref(&end)].concat());
        assert_eq!((session.defect(), complete), (expect, expect.is_none()));
    };
    let last = |text: &str| (text.as_bytes().to_vec(), BlockEnd::Last);
    let broken = Some(D::Broken { record: 2 });
    check(&parts, None);
    check(&[parts[0].clone(), parts[2].clone()], None);
    check(&parts[1..], broken);
    check(&parts[..2], broken);
    check(&[parts[1].clone(), parts[0].clone(), parts[2].clone()], broken);
    check(&[parts[0].clone(), parts[0].clone(), parts[2].clone()], broken);
    let mut other = parts.clone();
    other[1].0[20] = b'9';
    check(&other, broken);
    check(&[last("D 01 short")], broken);
    check(&[last(&(head("1") + "00abc"))], broken);
    check(&[last("x 01")], Some(D::Label { record: 2 }));
    check(&[last("M")], Some(D::Label { record: 2 }));
    check(&[last("M 0A")], Some(D::Label { record: 2 }));
    check(&[last("M 02")], Some(D::Analyser { record: 2 }));
    check(&[last("SB01")], None);
    let (session, complete) = join(&[last("M 01"), end.clone()]);
    assert_eq!((session.defect(), complete), (Some(D::Headless), false));
    let mut short = Session::new(10);
    short.push(b"SB01", BlockEnd::Last);
    short.push(b"M 01xxxx", BlockEnd::Last);
    assert_eq!((short.defect(), short.message()), (Some(D::TooLong), &b"SB01\r"[..]));
}

proptest! {
    #[test]
    fn cutting_and_joining_gives_the_records_back(
        contents in proptest::collection::vec("[ -~]{0,300}", 0..5), max in 60_usize..400,
    ) {
        let mut records = vec!["SB07".to_owned()];
        records.extend(contents.iter().map(|content| head("7").replacen("D 01", "D 07", 1) + content));
        records.push("QR07A-1 Maker LOT1 20271231".to_owned());
        records.push("DE07".to_owned());
        let blocks = blocks(&records, max);
        let (session, complete) = join(&blocks);
        prop_assert!(complete, "{:?}", session.defect());
        let lines = records.join("\r") + "\r";
        prop_assert_eq!(session.message(), lines.as_bytes());
    }

    #[test]
    fn a_block_that_was_taken_back_leaves_no_trace(
        contents in proptest::collection::vec("[ -~]{0,100}", 1..4), max in 60_usize..90, at: prop::sample::Index,
    ) {
        let mut records = vec!["SB01".to_owned()];
        records.extend(contents.iter().map(|content| head("7") + content));
        records.push("DE01".to_owned());
        let blocks = blocks(&records, max);
        let (straight, _) = join(&blocks);
        let mut session = Session::new(1 << 20);
        let again = at.index(blocks.len());
        for (number, (text, end)) in blocks.iter().enumerate() {
            if number == again {
                let place = session.place();
                session.push(text, *end);
                session.go_back(place);
                session.push(b"nonsense", BlockEnd::Last);
                session.go_back(place);
            }
            session.push(text, *end);
        }
        prop_assert_eq!((session.message(), session.defect()), (straight.message(), None));
    }
}

//! Entry points for fuzzing: any bytes, no panic, and what must always hold.

use crate::{
    AckSettings, Acknowledgement, Answer, Index, Message, Path, Segment, Template, acknowledge, decode,
    escape, unescape,
};
use character_sets::CharacterSet;

/// Reads anything as a message and visits every part.
pub fn fuzz_read(bytes: &[u8]) {
    let decoded = decode(bytes, None, CharacterSet::Gb18030);
    let mut index = Index::new();
    let message = index.read(&decoded.text);
    assert_covers(&message);
    for segment in message.segments() {
        visit(&segment);
    }
}

/// Answers anything and reads the answer.
pub fn fuzz_acknowledge(bytes: &[u8]) {
    let decoded = decode(bytes, None, CharacterSet::Gb18030);
    let mut index = Index::new();
    let message = index.read(&decoded.text);
    let settings = AckSettings { template: &Template::Standard, now: "20260301101500", control_id: "1" };
    let answer = acknowledge(&message, &settings, Answer::AcceptAA, "Message accepted", None);
    let mut again = Index::new();
    let read = Acknowledgement::read(&again.read(&answer)).map(|ack| ack.answer);
    assert_eq!(read, Ok(Answer::AcceptAA));
}

/// Escapes and unescapes anything.
pub fn fuzz_escape(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let delimiters = crate::Delimiters::standard();
    assert_eq!(unescape(&escape(&text, delimiters), delimiters), text);
    let kept = unescape(&text, delimiters);
    assert!(kept.len() <= text.len() * 2 + 8);
}

/// Reads anything as a path; what is one is written back the same.
pub fn fuzz_path(bytes: &[u8]) {
    if let Ok(path) = Path::parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(Path::parse(&path.to_string()), Ok(path));
    }
}

/// Every byte lies in exactly one segment or terminator.
fn assert_covers(message: &Message<'_>) {
    let mut reached = message.leading().end;
    for segment in message.segments() {
        assert_eq!(segment.range().start, reached);
        assert_eq!(segment.terminator().start, segment.range().end);
        reached = segment.terminator().end;
    }
    assert_eq!(reached, message.text().len());
    assert!(message.defects().iter().all(|defect| defect.at.end <= message.text().len()));
}

fn visit(segment: &Segment<'_>) {
    for field in segment.fields() {
        let mut length = 0;
        for repetition in field.repetitions() {
            for component in repetition.components() {
                for sub in component.subcomponents() {
                    length += sub.raw().len() + 1;
                    assert!(sub.text().len() <= sub.raw().len() * 2 + 8);
                }
            }
        }
        assert_eq!(length, field.raw().len() + 1);
    }
}

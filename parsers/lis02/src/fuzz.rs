//! Entry points for fuzzing. They check what holds for every input and panic where it does not.

use crate::index::Index;
use crate::reading::{Reading, Record};
use crate::record_type::RecordType;
use crate::splitter::{Complete, Splitter};
use crate::unframed::{Terminator, Unframed, UnframedConfig, UnframedEvent};
use std::time::{Duration, Instant};

/// Reads any bytes as text and visits everything; every byte must be accounted for.
#[doc(hidden)]
pub fn fuzz_records(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut index = Index::new();
    let reading = index.read(&text);
    check_cover(&reading);
    for record in reading.records() {
        check_record(&record);
    }
    for defect in reading.defects() {
        assert!(text.get(defect.at.clone()).is_some(), "a defect lies inside the text");
    }
    let counted: usize = reading.messages().map(|m| m.records().len()).sum();
    assert!(counted == reading.records().len(), "every record is in one message");
}

/// Splits any bytes whole and in pieces; both must agree, with each other and with the reader.
#[doc(hidden)]
pub fn fuzz_splitter(bytes: &[u8]) {
    let (first, rest) = bytes.split_first().map_or((0, bytes), |(b, rest)| (*b, rest));
    let mut whole = Splitter::new();
    let mut found: Vec<Complete> = whole.push(rest);
    let mut pieces = Splitter::new();
    let chunk = usize::from(first).max(1);
    let mut again: Vec<Complete> = rest.chunks(chunk).flat_map(|c| pieces.push(c)).collect();
    assert!(whole.rest() == pieces.rest(), "any split leaves the same rest");
    found.extend(whole.finish());
    again.extend(pieces.finish());
    assert!(found == again, "any split gives the same messages");
    if let Ok(text) = core::str::from_utf8(rest) {
        let mut index = Index::new();
        let reading = index.read(text);
        let read: Vec<usize> = reading.messages().map(|m| m.range().start).collect();
        let split: Vec<usize> = found.iter().map(|c| c.range.start).collect();
        assert!(read == split, "the splitter and the reader find the same messages");
    }
}

/// Reads any bytes as an unframed stream, whole and in pieces: the same events, all bytes accounted for, bounded.
#[doc(hidden)]
pub fn fuzz_unframed(bytes: &[u8], now: Instant) {
    let (first, rest) = bytes.split_first().map_or((0, bytes), |(b, rest)| (*b, rest));
    let terminator = if first & 1 == 0 { Terminator::Required } else { Terminator::Optional };
    let message_bytes_max = if first & 2 == 0 { 1 << 20 } else { 40 };
    let config = UnframedConfig { silence: Duration::from_secs(10), terminator, message_bytes_max };
    let whole = unframed(&config, rest, rest.len(), now);
    assert!(
        whole == unframed(&config, rest, usize::from(first >> 2), now),
        "any split gives the same events"
    );
}

fn unframed(config: &UnframedConfig, bytes: &[u8], piece: usize, now: Instant) -> Vec<UnframedEvent> {
    let mut stream = Unframed::new(config.clone());
    let mut found = Vec::new();
    for piece in bytes.chunks(piece.max(1)) {
        let mut rest = piece;
        while !rest.is_empty() {
            let taken = stream.handle_input(rest, now);
            rest = rest.get(taken..).unwrap_or_default();
            found.extend(std::iter::from_fn(|| stream.poll_event()));
            assert!(stream.held_bytes() <= 4 * config.message_bytes_max + 64, "more is held than allowed");
        }
    }
    stream.handle_timeout(now + config.silence);
    found.extend(std::iter::from_fn(|| stream.poll_event()));
    assert!(stream.poll_timeout().is_none() && stream.held_bytes() <= 4 * config.message_bytes_max + 64);
    let told = found.iter().map(|event| match event {
        UnframedEvent::Message(bytes) | UnframedEvent::Half { bytes, .. } => bytes.len() as u64,
        UnframedEvent::Skipped { bytes } => *bytes,
    });
    assert!(told.sum::<u64>() + stream.ignored_bytes() == bytes.len() as u64, "every byte is accounted for");
    found
}

fn check_cover(reading: &Reading<'_>) {
    let mut at = 0;
    for record in reading.records() {
        let range = record.range();
        assert!(range.start >= at && !range.is_empty(), "records come in their order and are not empty");
        let between = reading.text().get(at..range.start).unwrap_or("?");
        assert!(between.bytes().all(|b| b == b'\r' || b == b'\n'), "only CR and LF lie between records");
        at = range.end;
    }
    let tail = reading.text().get(at..).unwrap_or("?");
    assert!(tail.bytes().all(|b| b == b'\r' || b == b'\n'), "only CR and LF follow the last record");
}

fn check_record(record: &Record<'_>) {
    let delimiters = record.message().delimiters();
    let undivided = |raw: &str, by: Option<char>| by.is_none_or(|d| !raw.contains(d));
    assert!(!record.raw().contains(['\r', '\n']), "a record holds no line end");
    let mut at = record.range().start;
    for (n, field) in record.fields().enumerate() {
        let named = n == 1 && record.kind() == RecordType::Header;
        assert!(undivided(field.raw(), Some(delimiters.field())), "a field holds no field delimiter");
        assert!(field.range().start == at, "fields follow one another");
        at = field.range().end + 1;
        let mut inside = field.range().start;
        for repeat in field.repeats() {
            for component in repeat.components() {
                assert!(component.range().start == inside, "components follow one another");
                inside = component.range().end + 1;
                let whole = undivided(component.raw(), delimiters.repeat())
                    && undivided(component.raw(), delimiters.component());
                assert!(named || whole, "a component holds no repeat or component delimiter");
                let text = component.text();
                assert!(
                    text.len() <= component.raw().len() * 2,
                    "resolved text is not longer than twice its source",
                );
            }
        }
        assert!(inside == field.range().end + 1, "components fill the field");
        let again: usize = field.outer_components().map(|c| c.raw().len() + 1).sum();
        assert!(again == field.raw().len() + 1, "outer components fill the field");
    }
    assert!(at == record.range().end + 1, "fields fill the record");
    if let Some(parent) = record.parent() {
        assert!(parent.index() < record.index(), "a parent comes first");
        assert!(parent.children().any(|c| c.index() == record.index()), "a parent knows its children");
    }
}

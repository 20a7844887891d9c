//! One pass over a text: where its messages, records and fields are.

use core::ops::Range;

use crate::marks::{self, Marks};

use crate::defect::{Defect, DefectKind};
use crate::delimiters::{Delimiters, is_header, read_header};
use crate::hierarchy::Tracker;
use crate::reading::{Closing, Reading};
use crate::record_type::RecordType;

/// Longest text that is read, in bytes. What lies beyond gets a defect and stays unread.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// Most defects listed for one text.
pub const DEFECTS_MAX: usize = 1_000;

/// How to read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// Use these and ignore what headers name (for a sender whose H-2 is known to be wrong).
    pub delimiters: Option<Delimiters>,
}

/// Offsets of one text, used again for the next one.
#[derive(Debug, Default)]
pub struct Index {
    pub(crate) messages: Vec<MessageEntry>,
    pub(crate) records: Vec<RecordEntry>,
    /// Places of the field delimiters, record after record.
    pub(crate) delimiters: Vec<u32>,
    pub(crate) defects: Vec<Defect>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct MessageEntry {
    pub(crate) first_record: u32,
    pub(crate) first_defect: u32,
    pub(crate) delimiters: Delimiters,
    pub(crate) closing: Closing,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RecordEntry {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) first_delimiter: u32,
    pub(crate) parent: u32,
    pub(crate) message: u32,
    pub(crate) level: u8,
    pub(crate) kind: RecordType,
}

impl Index {
    /// An empty index.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads a text of one or several messages. Never fails; see [`Reading::defects`].
    pub fn read<'a>(&'a mut self, text: &'a str) -> Reading<'a> {
        self.read_with(text, ReadOptions::default())
    }

    /// As [`Index::read`], with options.
    pub fn read_with<'a>(&'a mut self, text: &'a str, options: ReadOptions) -> Reading<'a> {
        self.messages.clear();
        self.records.clear();
        self.delimiters.clear();
        self.defects.clear();
        let read = limited(text);
        Scan::new(self, read, options).run();
        if read.len() < text.len() {
            self.note(DefectKind::TextTooLong, read.len()..text.len());
        }
        Reading::new(self, text)
    }

    fn note(&mut self, kind: DefectKind, at: Range<usize>) {
        match self.defects.len() {
            n if n < DEFECTS_MAX => self.defects.push(Defect { kind, at }),
            DEFECTS_MAX => self.defects.push(Defect { kind: DefectKind::TooManyDefects, at }),
            _ => {}
        }
    }
}

/// The part of the text that is read, cut before a whole character.
fn limited(text: &str) -> &str {
    if text.len() <= TEXT_BYTES_MAX {
        return text;
    }
    text.get(..text.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default()
}

/// A place in a text no longer than [`TEXT_BYTES_MAX`], or an index into it.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

struct Scan<'a, 't> {
    index: &'a mut Index,
    text: &'t str,
    bytes: &'t [u8],
    fixed: Option<Delimiters>,
    delimiters: Delimiters,
    tracker: Tracker,
    /// A message is open: its first record was seen and its L was not.
    open: bool,
    /// The last message ended with its L.
    after_terminator: bool,
    /// Some record holds a control character.
    has_controls: bool,
}

impl<'a, 't> Scan<'a, 't> {
    fn new(index: &'a mut Index, text: &'t str, options: ReadOptions) -> Self {
        Self {
            index,
            text,
            bytes: text.as_bytes(),
            fixed: options.delimiters,
            delimiters: options.delimiters.unwrap_or_default(),
            tracker: Tracker::default(),
            open: false,
            after_terminator: false,
            has_controls: has_controls(text.as_bytes()),
        }
    }

    fn run(mut self) {
        let mut at = 0;
        // Each turn reads records until the field delimiter changes.
        while let Some(start) = self.next_record(at) {
            at = self.read_until_delimiter_changes(start);
        }
        self.end_of_text();
    }

    /// The next place that is neither CR nor LF.
    fn next_record(&self, from: usize) -> Option<usize> {
        let rest = self.bytes.get(from..)?;
        rest.iter().position(|b| !matches!(b, b'\r' | b'\n')).map(|skip| from + skip)
    }

    fn read_until_delimiter_changes(&mut self, first: usize) -> usize {
        let (bytes, mut start) = (self.bytes, first);
        self.begin_record(start);
        let field = self.delimiters.field_byte();
        let mut first_delimiter = self.index.delimiters.len();
        for block in Marks::new(bytes.get(first..).unwrap_or_default(), [field, b'\r', b'\n']) {
            for found in block {
                let at = first + found;
                if bytes.get(at) == Some(&field) {
                    self.index.delimiters.push(offset(at));
                    continue;
                }
                if at > start {
                    self.end_record(start..at, first_delimiter);
                    first_delimiter = self.index.delimiters.len();
                }
                start = at + 1;
                if !matches!(bytes.get(start), None | Some(b'\r' | b'\n')) {
                    self.begin_record(start);
                    if self.delimiters.field_byte() != field {
                        return start;
                    }
                }
            }
        }
        if start < bytes.len() {
            self.end_record(start..bytes.len(), first_delimiter);
        }
        bytes.len()
    }

    /// A header opens a message and sets the delimiters before its fields are divided.
    fn begin_record(&mut self, start: usize) {
        let record = self.bytes.get(start..).unwrap_or_default();
        if !matches!(record.first(), Some(b'H' | b'h')) && self.open {
            return;
        }
        let line = record.split(|b| matches!(b, b'\r' | b'\n')).next().unwrap_or_default();
        if !is_header(line, self.open.then_some(self.delimiters.field_byte())) {
            return;
        }
        // Called twice for one header when the delimiter changes with it; the second call finds the message open
        // and empty.
        if self.message_is_empty() {
            return;
        }
        self.close_message(Closing::NextHeader);
        let (named, defect) = read_header(line);
        self.delimiters = self.fixed.unwrap_or(named);
        self.open_message();
        if let (Some(kind), None) = (defect, self.fixed) {
            let end = line.iter().skip(2).position(|b| *b == self.delimiters.field_byte());
            let end = end.map_or(line.len(), |n| n + 2);
            self.index.note(kind, start..start + end);
        }
    }

    fn message_is_empty(&self) -> bool {
        self.open
            && self.index.messages.last().is_some_and(|m| m.first_record == offset(self.index.records.len()))
    }

    fn open_message(&mut self) {
        self.open = true;
        self.tracker = Tracker::default();
        self.index.messages.push(MessageEntry {
            first_record: offset(self.index.records.len()),
            first_defect: offset(self.index.defects.len()),
            delimiters: self.delimiters,
            closing: Closing::EndOfText,
        });
    }

    fn end_record(&mut self, at: Range<usize>, first_delimiter: usize) {
        let line = self.bytes.get(at.clone()).unwrap_or_default();
        let mut kind = RecordType::of_record(line, self.delimiters.field_byte());
        if !self.open {
            let defect =
                if self.after_terminator { DefectKind::AfterTerminator } else { DefectKind::HeaderMissing };
            self.open_message();
            self.index.note(defect, at.clone());
        } else if kind == RecordType::Unknown && self.message_is_empty() {
            // Only a header opens a message before its record ends; `fixed` delimiters may differ from its own.
            kind = RecordType::Header;
        }
        self.push_record(kind, &at, first_delimiter);
        if kind == RecordType::Terminator {
            self.close_message(Closing::Terminator);
        }
    }

    fn push_record(&mut self, kind: RecordType, at: &Range<usize>, first_delimiter: usize) {
        let place = self.tracker.place(kind, offset(self.index.records.len()));
        self.index.records.push(RecordEntry {
            start: offset(at.start),
            end: offset(at.end),
            first_delimiter: offset(first_delimiter),
            parent: place.parent,
            message: offset(self.index.messages.len().saturating_sub(1)),
            level: place.level,
            kind,
        });
        if kind == RecordType::Unknown {
            self.index.note(DefectKind::NotARecord, at.clone());
        } else if place.orphan {
            self.index.note(DefectKind::ParentMissing, at.clone());
        }
        let second = self.second_field(at, first_delimiter);
        if let Some(defect) =
            self.tracker.check_sequence(kind, self.text.get(second.clone()).unwrap_or_default())
        {
            self.index.note(defect, second);
        }
        if self.has_controls {
            self.note_controls(at);
        }
    }

    fn second_field(&self, at: &Range<usize>, first_delimiter: usize) -> Range<usize> {
        let mut delimiters = self.index.delimiters.iter().skip(first_delimiter).map(|d| *d as usize);
        match (delimiters.next(), delimiters.next()) {
            (Some(start), end) => start + 1..end.unwrap_or(at.end),
            (None, _) => at.end..at.end,
        }
    }

    fn note_controls(&mut self, at: &Range<usize>) {
        let line = self.bytes.get(at.clone()).unwrap_or_default();
        let mut from = 0;
        while let Some(run) = next_control_run(line, from) {
            self.index.note(DefectKind::ControlCharacters, at.start + run.start..at.start + run.end);
            from = run.end;
            if self.index.defects.len() > DEFECTS_MAX {
                break;
            }
        }
    }

    fn close_message(&mut self, closing: Closing) {
        self.after_terminator = closing == Closing::Terminator;
        if !self.open {
            return;
        }
        self.open = false;
        if let Some(message) = self.index.messages.last_mut() {
            message.closing = closing;
        }
        if closing != Closing::Terminator {
            let last = self.index.records.last().map_or(0..0, |r| r.start as usize..r.end as usize);
            self.index.note(DefectKind::TerminatorMissing, last);
        }
    }

    fn end_of_text(mut self) {
        let was_open = self.open;
        self.close_message(Closing::EndOfText);
        let unfinished = !matches!(self.bytes.last(), None | Some(b'\r' | b'\n'));
        if was_open && unfinished {
            let last = self.index.records.last().map_or(0..0, |r| r.start as usize..r.end as usize);
            self.index.note(DefectKind::Truncated, last);
        }
    }
}

/// Bytes no record may hold: below 32 except BEL, TAB, VT, FF (and CR, LF, which end records), and DEL (§5.1).
fn is_control(byte: u8) -> bool {
    control(byte) != 0
}

/// 1 for such a byte, without a branch, so that the pass over a whole text runs on vectors.
fn control(byte: u8) -> u8 {
    let allowed = u8::from(byte == 7) | u8::from(byte.wrapping_sub(9) < 5);
    (u8::from(byte < 32) & (allowed ^ 1)) | u8::from(byte == 127)
}

/// One quick pass, so that the search for places runs only where there is something to find.
fn has_controls(bytes: &[u8]) -> bool {
    marks::any(bytes, control)
}

fn next_control_run(line: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = line.get(from..)?;
    let start = from + rest.iter().position(|b| is_control(*b))?;
    let length = line.get(start..)?.iter().take_while(|b| is_control(**b)).count();
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_has_grown_allocates_nothing_more() {
        let text = "H|\\^&\rP|1\rO|7|a^b\r\u{2}\rR|1|x\rL|1\r".repeat(20);
        let mut index = Index::new();
        let grown = |index: &Index| {
            let of = (index.messages.capacity(), index.records.capacity());
            (of, index.delimiters.capacity(), index.defects.capacity())
        };
        assert_eq!(index.read(&text).messages().len(), 20);
        let first = grown(&index);
        for _ in 0..100 {
            assert_eq!(index.read(&text).messages().len(), 20);
        }
        assert_eq!(grown(&index), first);
    }
}

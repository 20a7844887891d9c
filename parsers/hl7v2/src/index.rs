//! One pass over a message: where segments and fields begin.

use crate::defect::{Defect, DefectKind, Defects};
use crate::delimiters::{Delimiters, is_usable};
use crate::dialect::{Dialect, HeaderPlaces, SegmentEnds};
use crate::grammar::{self, TERMINATORS};
use crate::message::Message;

/// Where the segments and fields of the last message begin. Made once and used for many messages: its memory is kept,
/// so that reading allocates nothing once it has seen a message of the same size.
#[derive(Debug, Default)]
pub struct Index {
    /// Places of the field separators, in order.
    separators: Vec<u32>,
    segments: Vec<SegmentSpan>,
    defects: Defects,
    delimiters: Delimiters,
    /// What stands before the first segment: terminators, a byte order mark.
    leading: u32,
    dialect: Dialect,
}

/// A segment: `start..end` is its text, `end..next` its terminators.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SegmentSpan {
    pub(crate) start: u32,
    pub(crate) end: u32,
    pub(crate) next: u32,
    /// Its separators, by their numbers among all of them.
    pub(crate) first_separator: u32,
    pub(crate) end_separator: u32,
    /// Whether it begins with a segment name.
    pub(crate) readable: bool,
}

/// Places are kept in 32 bits.
const TEXT_BYTES_MAX: usize = u32::MAX as usize - 8;

impl Index {
    /// An index without memory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An index without memory, for a sender with habits of its own.
    #[must_use]
    pub fn of(dialect: Dialect) -> Self {
        Self { dialect, ..Self::default() }
    }

    /// Reads a message, decoded already. It never fails: what cannot be understood is among the message's defects.
    pub fn read<'a>(&'a mut self, text: &'a str) -> Message<'a> {
        self.read_up_to(text, TEXT_BYTES_MAX)
    }

    /// Gives the memory back, after an unusually long message.
    pub fn release_memory(&mut self) {
        *self = Self::of(std::mem::take(&mut self.dialect));
    }

    pub(crate) fn read_up_to<'a>(&'a mut self, text: &'a str, bytes_max: usize) -> Message<'a> {
        self.separators.clear();
        self.segments.clear();
        self.defects.clear();
        self.delimiters = Delimiters::standard();
        let marked = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let leading = text.len() - marked.trim_start_matches(TERMINATORS).len();
        if text.len() > bytes_max {
            self.defects.push(DefectKind::TooLong, 0..text.len());
            self.leading = 0;
            return Message::new("", self);
        }
        self.leading = place(leading);
        if leading == text.len() {
            self.defects.push(DefectKind::Empty, 0..text.len());
            return Message::new(text, self);
        }
        self.read_header(text, leading);
        self.scan(text.as_bytes(), self.leading);
        Message::new(text, self)
    }

    /// Takes the delimiters from the header, or says that there is none.
    fn read_header(&mut self, text: &str, from: usize) {
        let after = text.get(from..).unwrap_or_default();
        if let Ok((_, header)) = grammar::header_start(after) {
            self.read_delimiters(header.separator, header.encoding.as_bytes(), from + 4);
        } else {
            let line = after.find(TERMINATORS).unwrap_or(after.len());
            self.defects.push(DefectKind::HeaderMissing, from..from + line);
        }
    }

    /// MSH-2 character by character: those that cannot be used are defects, the others keep their meaning.
    fn read_delimiters(&mut self, field: u8, encoding: &[u8], start: usize) {
        let mut found = [None; 5];
        let mut meaning = 0;
        for (n, &byte) in encoding.iter().enumerate() {
            let at = start + n..start + n + 1;
            let repeated = byte == field || found.contains(&Some(byte));
            // `^~\\&`: an escape character that some program doubled is one.
            let doubled = repeated && n == 3 && encoding.len() == 5;
            match found.get_mut(meaning) {
                _ if repeated => self.defects.push(DefectKind::DelimiterRepeated, at),
                Some(slot) if is_usable(byte) => *slot = Some(byte),
                _ => self.defects.push(DefectKind::DelimiterUnusable, at),
            }
            meaning += usize::from(!doubled);
            if meaning > found.len() {
                break;
            }
        }
        if encoding.len() < 4 {
            self.defects.push(DefectKind::DelimiterMissing, start..start + encoding.len());
        }
        let [component, repetition, escape, subcomponent, truncation] = found;
        self.delimiters = Delimiters { field, component, repetition, escape, subcomponent, truncation };
    }

    /// Eight bytes at a time: separators and control bytes are found without a branch a byte, then visited in order.
    fn scan(&mut self, bytes: &[u8], from: u32) {
        let separator = self.delimiters.field;
        let (words, rest) = bytes.get(from as usize..).unwrap_or_default().as_chunks::<8>();
        let mut last = [u8::MAX; 8];
        last.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
        let mut open = Open { start: from, first_separator: 0, header_seen: false };
        let mut base = from;
        for word in words.iter().chain(std::iter::once(&last)) {
            let word = u64::from_le_bytes(*word);
            let mut separators = equal_to(word, separator);
            let mut controls = control_bytes(word);
            while controls != 0 {
                let bit = controls.trailing_zeros();
                controls &= controls - 1;
                let at = base + bit / 8;
                let ends = match (word >> (bit & !7) & 0xFF, self.dialect.segment_ends) {
                    (0x0D, _) | (0 | 0x0A, SegmentEnds::Any) => true,
                    (0x0A, SegmentEnds::CarriageReturn) => open.start == at,
                    _ => false,
                };
                if ends {
                    let before = separators & ((1 << bit) - 1);
                    self.push_separators(before, base);
                    separators ^= before;
                    open = self.end_segment(bytes, open, at, at + 1);
                }
            }
            self.push_separators(separators, base);
            base += 8;
        }
        let end = place(bytes.len());
        if open.start < end {
            self.end_segment(bytes, open, end, end);
        }
    }

    /// One place for each marked byte of a word.
    fn push_separators(&mut self, mut marks: u64, base: u32) {
        while marks != 0 {
            self.separators.push(base + marks.trailing_zeros() / 8);
            marks &= marks - 1;
        }
    }

    /// Closes the open segment at `end`; an empty line belongs to the terminator before it.
    fn end_segment(&mut self, bytes: &[u8], open: Open, end: u32, next: u32) -> Open {
        if open.start == end
            && let Some(before) = self.segments.last_mut()
        {
            before.next = next;
            return Open { start: next, ..open };
        }
        let end_separator = place(self.separators.len());
        let name_end = self.separators.get(open.first_separator as usize).copied().unwrap_or(end);
        let line = bytes.get(open.start as usize..end as usize).unwrap_or_default();
        let mut header_seen = open.header_seen;
        let readable = name_end - open.start == 3 && grammar::segment_name(line).is_ok();
        if !readable {
            self.defects.push(DefectKind::SegmentUnreadable, open.start as usize..end as usize);
        } else if line.starts_with(b"MSH") {
            if open.header_seen {
                self.defects.push(DefectKind::HeaderRepeated, open.start as usize..end as usize);
            }
            header_seen = true;
        }
        self.segments.push(SegmentSpan {
            start: open.start,
            end,
            next,
            first_separator: open.first_separator,
            end_separator,
            readable,
        });
        Open { start: next, first_separator: end_separator, header_seen }
    }

    pub(crate) fn segments(&self) -> &[SegmentSpan] {
        &self.segments
    }

    pub(crate) fn separators_of(&self, span: SegmentSpan) -> &[u32] {
        self.separators.get(span.first_separator as usize..span.end_separator as usize).unwrap_or_default()
    }

    pub(crate) fn defects(&self) -> &[Defect] {
        self.defects.kept()
    }

    pub(crate) fn defects_total(&self) -> usize {
        self.defects.total()
    }

    pub(crate) fn delimiters(&self) -> Delimiters {
        self.delimiters
    }

    pub(crate) fn header_places(&self) -> &HeaderPlaces {
        &self.dialect.header
    }

    pub(crate) fn leading(&self) -> usize {
        self.leading as usize
    }
}

/// The segment that is being read.
#[derive(Clone, Copy)]
struct Open {
    start: u32,
    first_separator: u32,
    /// Whether an `MSH` stands before it.
    header_seen: bool,
}

/// A place that is known to fit: texts longer than [`TEXT_BYTES_MAX`] are refused before.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

const LOW_BITS: u64 = u64::from_ne_bytes([0x7F; 8]);
const HIGH_BITS: u64 = u64::from_ne_bytes([0x80; 8]);

/// The high bit of every byte of `word` that equals `byte`.
fn equal_to(word: u64, byte: u8) -> u64 {
    let difference = word ^ u64::from_ne_bytes([byte; 8]);
    !(((difference & LOW_BITS) + LOW_BITS) | difference) & HIGH_BITS
}

/// The high bit of every byte of `word` up to 0D; all terminators are there.
fn control_bytes(word: u64) -> u64 {
    const TO_HIGH_BIT: u64 = u64::from_ne_bytes([0x80 - 0x0E; 8]);
    !(((word & LOW_BITS) + TO_HIGH_BIT) | word) & HIGH_BITS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::is_terminator;

    #[test]
    fn the_word_tests_agree_with_a_byte_at_a_time() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, 0x0D, 0x0E, b'|', 0x7F, 0x80, 0xFF] {
                let bytes = [neighbour, byte, neighbour, byte, byte, neighbour, byte, neighbour];
                let word = u64::from_le_bytes(bytes);
                let expect = |test: &dyn Fn(u8) -> bool| bytes.map(|b| if test(b) { 0x80 } else { 0 });
                assert_eq!(control_bytes(word).to_le_bytes(), expect(&|b| b < 0x0E));
                assert_eq!(equal_to(word, b'|').to_le_bytes(), expect(&|b| b == b'|'));
                assert!(!is_terminator(byte) || byte < 0x0E);
            }
        }
    }

    #[test]
    fn reading_messages_of_a_size_that_was_seen_allocates_nothing() {
        let long = "MSH|^~\\&|A\rOBX|1||||5\rnot a segment\r".repeat(50);
        let mut index = Index::new();
        let memory =
            |index: &Index| (index.separators.as_ptr(), index.segments.as_ptr(), index.defects().as_ptr());
        assert_eq!(index.read(&long).segments().count(), 150);
        let before = memory(&index);
        for cut in 0..long.len() {
            index.read(long.get(..cut).unwrap());
            index.read(&long);
        }
        assert_eq!(memory(&index), before);
    }

    #[test]
    fn a_text_beyond_the_limit_is_named_and_not_read() {
        let mut index = Index::new();
        let message = index.read_up_to("MSH|^~\\&|", 8);
        assert_eq!(message.segments().count(), 0);
        assert_eq!(message.defects()[0].kind, DefectKind::TooLong);
    }
}

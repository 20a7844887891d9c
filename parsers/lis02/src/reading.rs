//! What was read: messages, records and their kinship, as views over the borrowed text.

use core::ops::Range;

use crate::defect::Defect;
use crate::delimiters::Delimiters;
use crate::field::{Field, Part};
use crate::hierarchy::{NONE, parse_sequence};
use crate::index::{Index, MessageEntry, RecordEntry};
use crate::record_type::RecordType;

/// How a message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Closing {
    /// With its own L.
    Terminator,
    /// The next H began without an L before it.
    NextHeader,
    /// The text ended without an L.
    EndOfText,
}

/// A text with its index.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    index: &'a Index,
    text: &'a str,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(index: &'a Index, text: &'a str) -> Self {
        Self { index, text }
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The messages in their order.
    #[must_use]
    pub fn messages(&self) -> impl ExactSizeIterator<Item = Message<'a>> + use<'a> {
        let reading = *self;
        (0..self.index.messages.len()).map(move |at| Message { reading, at })
    }

    /// All records in their order.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'a>> + use<'a> {
        let reading = *self;
        let numbered = self.index.records.iter().enumerate();
        numbered.map(move |(at, entry)| Record { reading, at, entry })
    }

    /// The record with this index, from 0.
    #[must_use]
    pub fn record(&self, at: usize) -> Option<Record<'a>> {
        self.index.records.get(at).map(|entry| Record { reading: *self, at, entry })
    }

    /// What is wrong, message after message.
    #[must_use]
    pub fn defects(&self) -> &'a [Defect] {
        &self.index.defects
    }

    fn message_entry(&self, at: usize) -> Option<&'a MessageEntry> {
        self.index.messages.get(at)
    }

    #[inline]
    fn delimiters_of(&self, message: u32) -> Delimiters {
        self.message_entry(message as usize).map_or(Delimiters::STANDARD, |m| m.delimiters)
    }
}

/// One message, H to L.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    reading: Reading<'a>,
    at: usize,
}

impl<'a> Message<'a> {
    /// The records in their order.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'a>> + DoubleEndedIterator + use<'a> {
        let reading = self.reading;
        let range = self.record_range();
        let entries = reading.index.records.get(range.clone()).unwrap_or_default();
        entries.iter().enumerate().map(move |(n, entry)| Record { reading, at: range.start + n, entry })
    }

    /// The header, when the message begins with one.
    #[must_use]
    pub fn header(&self) -> Option<Record<'a>> {
        self.records().next().filter(|r| r.kind() == RecordType::Header)
    }

    /// The terminator, when the message ends with one.
    #[must_use]
    pub fn terminator(&self) -> Option<Record<'a>> {
        self.records().next_back().filter(|r| r.kind() == RecordType::Terminator)
    }

    /// How the message ended.
    #[must_use]
    pub fn closing(&self) -> Closing {
        self.reading.message_entry(self.at).map_or(Closing::EndOfText, |m| m.closing)
    }

    /// The delimiters in force.
    #[must_use]
    pub fn delimiters(&self) -> Delimiters {
        self.reading.message_entry(self.at).map_or(Delimiters::STANDARD, |m| m.delimiters)
    }

    /// From its first record's first byte to its last record's last, record ends not counted.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let mut records = self.records();
        let first = records.next();
        let last = records.next_back().or(first);
        match (first, last) {
            (Some(first), Some(last)) => first.range().start..last.range().end,
            _ => 0..0,
        }
    }

    /// Its last record has no end: it may have been cut off.
    pub(crate) fn may_be_cut_off(&self) -> bool {
        self.range().end >= self.reading.text.len()
    }

    /// What is wrong in this message.
    #[must_use]
    pub fn defects(&self) -> &'a [Defect] {
        let all = self.reading.defects();
        let first = |at| self.reading.message_entry(at).map(|m| m.first_defect as usize);
        let end = first(self.at + 1).unwrap_or(all.len());
        all.get(first(self.at).unwrap_or(end)..end).unwrap_or_default()
    }

    fn record_range(&self) -> Range<usize> {
        let first = |at| self.reading.message_entry(at).map(|m| m.first_record as usize);
        let end = first(self.at + 1).unwrap_or(self.reading.index.records.len());
        first(self.at).unwrap_or(end)..end
    }
}

/// One record.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    reading: Reading<'a>,
    at: usize,
    entry: &'a RecordEntry,
}

impl<'a> Record<'a> {
    /// The type by its letter.
    #[must_use]
    #[inline]
    pub fn kind(&self) -> RecordType {
        self.entry.kind
    }

    /// The type letter in upper case; `None` for a line without one.
    #[must_use]
    pub fn type_letter(&self) -> Option<char> {
        self.entry.kind.letter()
    }

    /// Its index among all records of the text, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.at
    }

    /// The record as it stands, without its end.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.reading.text.get(self.range()).unwrap_or_default()
    }

    /// Where it stands in the text, without its end.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.entry.start as usize..self.entry.end as usize
    }

    /// How many fields it has, the type letter counted.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.delimiter_places().len() + 1
    }

    /// The field with this number; 1 is the type letter, 2 the sequence number (in H: the delimiters).
    #[must_use]
    #[inline]
    pub fn field(&self, number: usize) -> Option<Field<'a>> {
        let places = self.delimiter_places();
        let before = number.checked_sub(2);
        let start = match before {
            Some(n) => *places.get(n)? as usize + 1,
            None if number == 1 => self.entry.start as usize,
            None => return None,
        };
        let end = places.get(number - 1).map_or(self.entry.end, |d| *d) as usize;
        let raw = self.reading.text.get(start..end)?;
        let delimiters = self.reading.delimiters_of(self.entry.message);
        let undivided = number == 2 && self.entry.kind == RecordType::Header;
        let delimiters = if undivided { delimiters.undivided() } else { delimiters };
        Some(Field::new(Part::new(raw, start, delimiters)))
    }

    /// All fields in their order, the type letter first.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let record = *self;
        (1..=self.field_count()).filter_map(move |n| record.field(n))
    }

    /// The sequence number in field 2, when there is one.
    #[must_use]
    pub fn sequence(&self) -> Option<u32> {
        match self.kind() {
            RecordType::Header | RecordType::Unknown => None,
            RecordType::Patient
            | RecordType::Order
            | RecordType::Result
            | RecordType::Comment
            | RecordType::Query
            | RecordType::Scientific
            | RecordType::Manufacturer
            | RecordType::Terminator
            | RecordType::Vendor(_) => parse_sequence(self.field(2)?.raw()).ok(),
        }
    }

    /// The level: H and L 0; P, Q, S 1; O 2; R 3; C, M and vendor records one below the record they belong to.
    #[must_use]
    pub fn level(&self) -> u8 {
        self.entry.level
    }

    /// The record this one belongs to: P's H, O's P, R's O, and for C, M and vendor records the one they follow.
    #[must_use]
    pub fn parent(&self) -> Option<Record<'a>> {
        if self.entry.parent == NONE { None } else { self.reading.record(self.entry.parent as usize) }
    }

    /// The nearest of itself, its parent, its parent's parent … that is of this type.
    #[must_use]
    pub fn nearest(&self, kind: RecordType) -> Option<Record<'a>> {
        let mut at = Some(*self);
        while let Some(record) = at {
            if record.kind() == kind {
                return Some(record);
            }
            at = record.parent();
        }
        None
    }

    /// The P it stands under (itself, if it is one).
    #[must_use]
    pub fn patient(&self) -> Option<Record<'a>> {
        self.nearest(RecordType::Patient)
    }

    /// The O it stands under (itself, if it is one).
    #[must_use]
    pub fn order(&self) -> Option<Record<'a>> {
        self.nearest(RecordType::Order)
    }

    /// The R it stands under (itself, if it is one).
    #[must_use]
    pub fn result(&self) -> Option<Record<'a>> {
        self.nearest(RecordType::Result)
    }

    /// The records that belong to it directly, in their order.
    pub fn children(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        let (reading, at, own) = (self.reading, self.at, self.entry);
        let entries = reading.index.records.get(at + 1..).unwrap_or_default();
        let numbered = entries.iter().enumerate();
        // What belongs to a record stands below it until the next record of its own level or a higher one.
        numbered
            .take_while(move |(_, entry)| {
                let inside = entry.level > own.level || entry.kind == RecordType::Terminator;
                inside && entry.message == own.message
            })
            .filter(move |(_, entry)| entry.parent as usize == at)
            .map(move |(n, entry)| Record { reading, at: at + 1 + n, entry })
    }

    /// The comments that belong to it.
    pub fn comments(&self) -> impl Iterator<Item = Record<'a>> + use<'a> {
        self.children().filter(|r| r.kind() == RecordType::Comment)
    }

    /// The message it is part of.
    #[must_use]
    pub fn message(&self) -> Message<'a> {
        Message { reading: self.reading, at: self.entry.message as usize }
    }

    #[inline]
    fn delimiter_places(&self) -> &'a [u32] {
        let index = self.reading.index;
        let first = self.entry.first_delimiter as usize;
        let next = index.records.get(self.at + 1).map(|r| r.first_delimiter as usize);
        index.delimiters.get(first..next.unwrap_or(index.delimiters.len())).unwrap_or_default()
    }
}

//! What could not be understood, and where.

use std::fmt;
use std::ops::Range;

/// Something in a message that is not as HL7 has it. The bytes are kept; nothing after them is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// What is wrong.
    pub kind: DefectKind,
    /// Where, in bytes of the text that was read.
    pub at: Range<usize>,
}

/// What is wrong with a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefectKind {
    /// There is no segment at all.
    Empty,
    /// The text does not begin with `MSH` (or a batch header) and a field separator: it may be no HL7.
    /// The rest is read with the usual delimiters.
    HeaderMissing,
    /// A delimiter in the header is a letter, a digit, a blank, a control character or not ASCII: it is not used.
    DelimiterUnusable,
    /// A delimiter in the header has two meanings; it keeps the first.
    DelimiterRepeated,
    /// The header names fewer than the four delimiters of MSH-2.
    DelimiterMissing,
    /// A line without a readable segment name (three capitals or digits, then a field separator):
    /// perhaps the rest of a value that held a line break.
    SegmentUnreadable,
    /// A second `MSH`: two messages in one block.
    HeaderRepeated,
    /// The text is too long to be indexed (4 GiB); it was not read.
    TooLong,
}

impl fmt::Display for DefectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the message is empty",
            Self::HeaderMissing => "the message does not begin with MSH and a field separator",
            Self::DelimiterUnusable => "a delimiter in MSH is a letter, digit, blank or not ASCII",
            Self::DelimiterRepeated => "a delimiter in MSH has two meanings",
            Self::DelimiterMissing => "MSH-2 names fewer than four delimiters",
            Self::SegmentUnreadable => "a line has no readable segment name",
            Self::HeaderRepeated => "a second MSH stands in the same message",
            Self::TooLong => "the message is longer than 4 GiB",
        })
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (bytes {}..{})", self.kind, self.at.start, self.at.end)
    }
}

/// The defects of one message: the first [`Defects::KEPT_MAX`], and how many there were.
#[derive(Clone, Debug, Default)]
pub struct Defects {
    kept: Vec<Defect>,
    total: usize,
}

impl Defects {
    /// How many defects are kept; the rest are counted only.
    pub const KEPT_MAX: usize = 256;

    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        self.total = 0;
    }

    pub(crate) fn push(&mut self, kind: DefectKind, at: Range<usize>) {
        self.total = self.total.saturating_add(1);
        if self.kept.len() < Self::KEPT_MAX {
            self.kept.push(Defect { kind, at });
        }
    }

    pub(crate) fn kept(&self) -> &[Defect] {
        &self.kept
    }

    pub(crate) fn total(&self) -> usize {
        self.total
    }
}

//! What is wrong with a text, and where.

use core::fmt;
use core::ops::Range;

/// One broken rule with its place. The text is kept whole; nothing is repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Which rule is broken.
    pub kind: DefectKind,
    /// Where, in bytes of the text that was read.
    pub at: Range<usize>,
}

/// How much a defect puts in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// A deviation from the standard's form; what is meant is clear.
    Form,
    /// Something may be missing, cut off or assigned to the wrong specimen: hold what depends on it.
    Structure,
}

/// The rule that is broken (clauses of LIS02-A2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefectKind {
    /// The first record is not H (§5.2.1).
    HeaderMissing,
    /// A record after L that is not H (§5.2.1).
    AfterTerminator,
    /// The message ends without L. Its end is taken from the next H or from the end of the text.
    TerminatorMissing,
    /// The last record has no CR, and it is not L: the text may have been cut off inside it.
    Truncated,
    /// H names no delimiters at all; `|\^&` is assumed (§6.2).
    DelimitersMissing,
    /// H names fewer delimiters than repeat and component; the standard ones are assumed for the rest.
    DelimitersIncomplete,
    /// H names the same delimiter twice; the second naming is passed over.
    DelimitersRepeated,
    /// H names a letter, a digit or a control character as a delimiter; it is passed over.
    DelimitersNotAllowed,
    /// H-2 holds more than repeat, component and escape; the rest is ignored.
    DelimitersExtra,
    /// A line without a type letter followed by the field delimiter.
    NotARecord,
    /// O without P, R without O, or C, M and vendor records with nothing before them (§5.2).
    ParentMissing,
    /// No sequence number.
    SequenceMissing,
    /// The sequence number is not a whole number.
    SequenceNotANumber,
    /// The sequence number is higher than the next one: records may be missing.
    SequenceSkips,
    /// The sequence number goes on where it should have restarted below a higher record (§5.3). Nothing is missing.
    SequenceContinues,
    /// The sequence number is not higher than the one before.
    SequenceRepeats,
    /// Control characters that text may not hold (§5.1): all below 32 but 7, 9, 11, 12, and 127.
    ControlCharacters,
    /// The text is longer than [`crate::TEXT_BYTES_MAX`]; the rest is not read.
    TextTooLong,
    /// There are more than [`crate::DEFECTS_MAX`] defects; the rest from here on is not listed.
    TooManyDefects,
}

impl DefectKind {
    /// Whether meaning is in doubt or form only.
    #[must_use]
    pub fn weight(self) -> Weight {
        match self {
            Self::HeaderMissing
            | Self::AfterTerminator
            | Self::Truncated
            | Self::DelimitersMissing
            | Self::DelimitersIncomplete
            | Self::DelimitersNotAllowed
            | Self::NotARecord
            | Self::ParentMissing
            | Self::SequenceNotANumber
            | Self::SequenceSkips
            | Self::ControlCharacters
            | Self::TextTooLong
            | Self::TooManyDefects => Weight::Structure,
            Self::TerminatorMissing
            | Self::DelimitersRepeated
            | Self::DelimitersExtra
            | Self::SequenceMissing
            | Self::SequenceContinues
            | Self::SequenceRepeats => Weight::Form,
        }
    }

    /// A stable name for logs and findings, in kebab case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header-missing",
            Self::AfterTerminator => "after-terminator",
            Self::TerminatorMissing => "terminator-missing",
            Self::Truncated => "truncated",
            Self::DelimitersMissing => "delimiters-missing",
            Self::DelimitersIncomplete => "delimiters-incomplete",
            Self::DelimitersRepeated => "delimiters-repeated",
            Self::DelimitersNotAllowed => "delimiters-not-allowed",
            Self::DelimitersExtra => "delimiters-extra",
            Self::NotARecord => "not-a-record",
            Self::ParentMissing => "parent-missing",
            Self::SequenceMissing => "sequence-missing",
            Self::SequenceNotANumber => "sequence-not-a-number",
            Self::SequenceSkips => "sequence-skips",
            Self::SequenceContinues => "sequence-continues",
            Self::SequenceRepeats => "sequence-repeats",
            Self::ControlCharacters => "control-characters",
            Self::TextTooLong => "text-too-long",
            Self::TooManyDefects => "too-many-defects",
        }
    }

    /// What is wrong, in a phrase that follows "byte 12–20:".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::HeaderMissing => "the message does not begin with a header record (H)",
            Self::AfterTerminator => "a record follows the terminator (L) and is not a header (H)",
            Self::TerminatorMissing => "the message ends without a terminator record (L)",
            Self::Truncated => "the last record has no end; the text may have been cut off",
            Self::DelimitersMissing => "the header names no delimiters; |\\^& is assumed",
            Self::DelimitersIncomplete => "the header names too few delimiters; standard ones are assumed",
            Self::DelimitersRepeated => "the header names one delimiter twice",
            Self::DelimitersNotAllowed => "the header names a character that cannot be a delimiter",
            Self::DelimitersExtra => "the header names more than four delimiters",
            Self::NotARecord => "this line has no record type letter",
            Self::ParentMissing => "the record it would belong to is missing (O needs P, R needs O)",
            Self::SequenceMissing => "the record has no sequence number",
            Self::SequenceNotANumber => "the sequence number is not a number",
            Self::SequenceSkips => "the sequence number skips; records may be missing",
            Self::SequenceContinues => "the sequence number goes on where it should restart",
            Self::SequenceRepeats => "the sequence number does not advance",
            Self::ControlCharacters => "control characters that a record may not hold",
            Self::TextTooLong => "the text is too long; the rest was not read",
            Self::TooManyDefects => "too many defects; the rest is not listed",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bytes {}..{}: {}", self.at.start, self.at.end, self.kind.phrase())
    }
}

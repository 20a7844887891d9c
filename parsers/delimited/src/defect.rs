//! What is wrong with a file, and where.

use core::fmt;
use core::ops::Range;

/// One thing that does not fit, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// What does not fit.
    pub kind: DefectKind,
    /// The line where it begins, from 1.
    pub line: usize,
    /// Where, in bytes of the text that was read.
    pub at: Range<usize>,
}

/// How much a defect puts in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weight {
    /// A deviation in form; what is meant is clear.
    Form,
    /// Something may be missing, cut off or in the wrong column: hold what depends on it.
    Structure,
}

/// What does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DefectKind {
    /// No header row where one is due.
    HeaderMissing,
    /// Two columns have the same name.
    ColumnNameRepeated,
    /// A row has fewer cells than columns.
    RowShort,
    /// A row has more cells than columns.
    RowLong,
    /// A row has more cells than columns, and those beyond the last column are empty.
    TrailingCellsEmpty,
    /// A quote is opened and never closed.
    QuoteUnclosed,
    /// Text between a closing quote and the next delimiter.
    TextAfterQuote,
    /// A line break inside a quoted cell, where the layout allows none.
    LineBreakInCell,
    /// Control characters in a row (below 32 but TAB, and 127).
    ControlCharacters,
    /// The end marker did not come.
    EndMarkerMissing,
    /// Text after the end marker.
    AfterEndMarker,
    /// More rows than the layout's `rows_max`, or more cells than [`crate::CELLS_MAX`]; the rest is not read.
    TooManyRows,
    /// More cells than the layout's `columns_max`; the row's other cells are not read.
    TooManyColumns,
    /// The text is longer than [`crate::TEXT_BYTES_MAX`]; the rest is not read.
    TextTooLong,
    /// There are more than [`crate::DEFECTS_MAX`] defects; the rest is not listed.
    TooManyDefects,
}

impl DefectKind {
    /// Whether meaning is in doubt or form only.
    #[must_use]
    pub fn weight(self) -> Weight {
        match self {
            Self::TrailingCellsEmpty => Weight::Form,
            Self::HeaderMissing
            | Self::ColumnNameRepeated
            | Self::RowShort
            | Self::RowLong
            | Self::QuoteUnclosed
            | Self::TextAfterQuote
            | Self::LineBreakInCell
            | Self::ControlCharacters
            | Self::EndMarkerMissing
            | Self::AfterEndMarker
            | Self::TooManyRows
            | Self::TooManyColumns
            | Self::TextTooLong
            | Self::TooManyDefects => Weight::Structure,
        }
    }

    /// A stable name for logs and findings, in kebab case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header-missing",
            Self::ColumnNameRepeated => "column-name-repeated",
            Self::RowShort => "row-short",
            Self::RowLong => "row-long",
            Self::TrailingCellsEmpty => "trailing-cells-empty",
            Self::QuoteUnclosed => "quote-unclosed",
            Self::TextAfterQuote => "text-after-quote",
            Self::LineBreakInCell => "line-break-in-cell",
            Self::ControlCharacters => "control-characters",
            Self::EndMarkerMissing => "end-marker-missing",
            Self::AfterEndMarker => "after-end-marker",
            Self::TooManyRows => "too-many-rows",
            Self::TooManyColumns => "too-many-columns",
            Self::TextTooLong => "text-too-long",
            Self::TooManyDefects => "too-many-defects",
        }
    }

    /// What is wrong, in a phrase that follows "line 7:".
    #[must_use]
    pub fn phrase(self) -> &'static str {
        match self {
            Self::HeaderMissing => "the row that names the columns is missing",
            Self::ColumnNameRepeated => "two columns have the same name",
            Self::RowShort => "the row has fewer cells than columns",
            Self::RowLong => "the row has more cells than columns",
            Self::TrailingCellsEmpty => "the row has empty cells beyond the last column",
            Self::QuoteUnclosed => "a quote is opened and never closed",
            Self::TextAfterQuote => "text follows a closing quote",
            Self::LineBreakInCell => "a quoted cell runs over a line break; a stray quote may hide rows",
            Self::ControlCharacters => "control characters that a row may not hold",
            Self::EndMarkerMissing => "the end marker did not come; the file may be incomplete",
            Self::AfterEndMarker => "text follows the end marker",
            Self::TooManyRows => "too many rows; the rest was not read",
            Self::TooManyColumns => "too many cells in the row; the rest of it was not read",
            Self::TextTooLong => "the text is too long; the rest was not read",
            Self::TooManyDefects => "too many defects; the rest is not listed",
        }
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Defect { kind, line, at } = self;
        write!(f, "line {line}, bytes {}..{}: {}", at.start, at.end, kind.phrase())
    }
}

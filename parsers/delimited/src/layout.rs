//! How a file is laid out.

/// Whether the first row names the columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum HeaderRow {
    /// The first row names the columns.
    #[default]
    First,
    /// There is none; columns have numbers only.
    Absent,
}

/// What a line break inside a quoted cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LineBreaks {
    /// A defect: a stray quote may have swallowed rows.
    #[default]
    Defect,
    /// Part of the cell.
    Allowed,
}

/// Why a layout cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// Not a single ASCII character, or CR, LF or NUL.
    #[error("{character:?} cannot delimit or quote cells: use one ASCII character other than CR, LF and NUL")]
    NotAllowed {
        /// The character.
        character: char,
    },
    /// Delimiter and quote are the same.
    #[error("{character:?} cannot both delimit and quote cells")]
    Same {
        /// The character.
        character: char,
    },
}

/// How a file is laid out. Made with [`Layout::new`], then changed field by field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    delimiter: u8,
    quote: Option<u8>,
    /// Whether the first row names the columns.
    pub header: HeaderRow,
    /// Lines before the header or the first row that belong to neither.
    pub skipped_lines: usize,
    /// Lines that begin with this are comments.
    pub comment: Option<String>,
    /// A line that is this and nothing else (blanks and tabs around it aside) ends the table. When it is set and
    /// does not come, the file is incomplete.
    pub end_marker: Option<String>,
    /// How many columns every row must have. Without it: as many as the header, or else the first row.
    pub columns: Option<usize>,
    /// What a line break inside a quoted cell is.
    pub line_breaks: LineBreaks,
    /// Most rows that are read, the header not counted and lines passed over (comments, blanks …) counted.
    pub rows_max: usize,
    /// Most cells of a row that are read.
    pub columns_max: usize,
}

impl Layout {
    /// A layout with a header row, and nothing skipped. At most 100,000 rows of 1,000 columns.
    ///
    /// # Errors
    /// A character that cannot delimit or quote.
    pub fn new(delimiter: char, quote: Option<char>) -> Result<Self, LayoutError> {
        if quote == Some(delimiter) {
            return Err(LayoutError::Same { character: delimiter });
        }
        Ok(Self {
            delimiter: byte(delimiter)?,
            quote: quote.map(byte).transpose()?,
            header: HeaderRow::First,
            skipped_lines: 0,
            comment: None,
            end_marker: None,
            columns: None,
            line_breaks: LineBreaks::Defect,
            rows_max: 100_000,
            columns_max: 1_000,
        })
    }

    /// Between cells.
    #[must_use]
    pub fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    /// Around cells that hold delimiters; doubled inside.
    #[must_use]
    pub fn quote(&self) -> Option<char> {
        self.quote.map(char::from)
    }

    pub(crate) fn delimiter_byte(&self) -> u8 {
        self.delimiter
    }

    pub(crate) fn quote_byte(&self) -> Option<u8> {
        self.quote
    }
}

fn byte(character: char) -> Result<u8, LayoutError> {
    let refused = LayoutError::NotAllowed { character };
    match u8::try_from(character) {
        Ok(b'\r' | b'\n' | 0) => Err(refused),
        Ok(byte) if byte.is_ascii() => Ok(byte),
        _ => Err(refused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_is_checked_when_made() {
        assert!(Layout::new(',', Some('"')).is_ok());
        assert!(Layout::new('\t', None).is_ok());
        for bad in ['\r', '\n', '\0', 'é', '，'] {
            assert_eq!(Layout::new(bad, None).unwrap_err(), LayoutError::NotAllowed { character: bad });
            assert_eq!(Layout::new(',', Some(bad)).unwrap_err(), LayoutError::NotAllowed { character: bad });
        }
        assert_eq!(Layout::new('"', Some('"')).unwrap_err(), LayoutError::Same { character: '"' });
    }
}

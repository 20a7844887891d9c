//! The lines of a PK session as a document: every line a record, named by its first two characters.
//!
//! ```text
//! SB ─┬ M, QR, QD, DB, DE (attached)
//!     └ D            one a specimen
//! ```

use super::{Document, Piece, Record, RecordName};
use crate::path::{Repetition, Spot};
use std::{borrow::Cow, ops::Range};

/// The record that begins a session: what belongs to the whole of it is attached here.
const BEGIN: &str = "SB";
/// A specimen's results.
pub(crate) const RESULT: &str = "D";
/// The record that ends a session.
const END: &str = "DE";

/// One line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    text: &'a str,
    start: usize,
}

impl<'a> Line<'a> {
    pub(crate) fn range(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// What stands in the columns that a spot names: where they begin, from 1, and how many. Blanks around it are layout.
    pub(crate) fn columns(self, spot: Spot) -> Option<Piece<'a>> {
        if spot.repetition == Repetition::Nth(0) || spot.subcomponent.is_some() {
            return None;
        }
        let begin = usize::from(spot.field).checked_sub(1)?;
        let end = spot.component.map_or(self.text.len(), |length| begin + usize::from(length));
        let cell = self.text.get(begin..end.min(self.text.len()))?;
        let text = cell.trim_matches(' ');
        let at = self.start + begin + cell.find(|c| c != ' ').unwrap_or(0);
        (!text.is_empty()).then(|| Piece { text: Cow::Borrowed(text), at: at..at + text.len() })
    }
}

pub(crate) fn read_lines(text: &str) -> Document<'_> {
    let mut document = Document::default();
    let (mut start, mut begin) = (0, None);
    for line in text.split_inclusive('\r') {
        let record = line.trim_end_matches('\r');
        let label = record.split_at_checked(2).map_or(record, |(label, _)| label).trim_end();
        let name = RecordName::new(label);
        let attach = !name.is(RESULT) && !name.is(BEGIN);
        let at = document.push(Record::Line(Line { text: record, start }), name, begin, attach);
        if name.is(BEGIN) {
            begin = Some(at);
        }
        document.terminated = name.is(END);
        start += line.len();
    }
    document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Cursor;
    use crate::path::{FieldPath, Path};
    use vocabulary::Protocol;

    const TEXT: &str = "SB01\rM 01PK-SIM 7\rDB01\rD 01  G12  +\rD 01  G34\rDE01\r";

    fn at(document: &Document<'_>, node: usize, path: &str) -> Option<(String, Range<usize>)> {
        let Ok(Path::Field(path)) = Path::parse(path, Protocol::PkBlocks) else { panic!("{path}") };
        let path: FieldPath = path;
        document.piece(Cursor::at(node), &path).map(|piece| (piece.text.into_owned(), piece.at))
    }

    #[test]
    fn columns_are_counted_from_one_and_the_sessions_records_are_seen_from_each_specimen() {
        let document = read_lines(TEXT);
        assert!(document.terminated && document.defects.is_empty());
        assert_eq!(at(&document, 3, "D.5.6"), Some(("G12".to_owned(), 29..32)));
        assert_eq!(at(&document, 3, "D.10.2"), None);
        assert_eq!(at(&document, 3, "D.12"), Some(("+".to_owned(), 34..35)));
        assert_eq!(at(&document, 4, "D.5.60"), Some(("G34".to_owned(), 42..45)));
        assert_eq!(at(&document, 4, "D.50.2"), None);
        assert_eq!(at(&document, 4, "M.5.6"), Some(("PK-SIM".to_owned(), 9..15)));
        assert_eq!(at(&document, 4, "SB.3.2"), Some(("01".to_owned(), 2..4)));
        assert_eq!(document.label(3), "D|1");
        assert!(!read_lines("SB01\rD 01\r").terminated);
    }
}

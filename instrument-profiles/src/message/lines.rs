//! The lines of a PK session as a document: every line a record, named by its first two characters.
//!
//! ```text
//! SB ─┬ M, QR, QD, DB, DE (attached)
//!     └ D            one a specimen
//! ```

use super::{Document, Piece, Record, RecordName};
use crate::path::{Anchor, Repetition, Spot};
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
        self.counted_from(0, spot, self.text.len())
    }

    /// As [`Self::columns`], counted from a word, or up to it.
    pub(crate) fn anchored(self, anchor: &Anchor, spot: Spot) -> Option<Piece<'a>> {
        let word = self.word(&anchor.word)?;
        if anchor.until {
            self.counted_from(0, spot, word)
        } else {
            self.counted_from(word, spot, self.text.len())
        }
    }

    /// Where a word begins: no letter stands before it, and neither letter nor digit behind it. A word that stands there
    /// twice is none, for nothing tells which is meant.
    fn word(self, word: &str) -> Option<usize> {
        let alone = |at: usize| {
            let before = self.text.get(..at).and_then(|before| before.chars().next_back());
            let behind = self.text.get(at + word.len()..).and_then(|behind| behind.chars().next());
            !before.is_some_and(char::is_alphabetic) && !behind.is_some_and(char::is_alphanumeric)
        };
        let mut found = self.text.match_indices(word).map(|(at, _)| at).filter(|at| alone(*at));
        found.next().filter(|_| found.next().is_none())
    }

    fn counted_from(self, origin: usize, spot: Spot, until: usize) -> Option<Piece<'a>> {
        let begin = origin + usize::from(spot.field).checked_sub(1)?;
        let end = spot.component.map_or(until, |length| begin + usize::from(length));
        let cell = self.text.get(begin..end.min(until))?;
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

    #[test]
    fn a_place_is_found_by_its_word_wherever_that_stands_and_not_where_it_stands_twice() {
        for (line, group, remarks) in [
            ("D 01  + -      ABO2 AB   D-2  RH+", Some("AB"), None),
            ("D 01  + -    3506 ABO2 AB   D-2  RH+", Some("AB"), Some("3506")),
            ("D 01  + -   21ABO2 O", Some("O"), Some("21")),
            ("D 01  + -   21 ABO2", None, Some("21")),
            ("D 01  ABO2 -  ABO2 O", None, None),
            ("D 01  + -   XABO2 O", None, None),
            ("D 01  + -   ABO21 O", None, None),
            ("D 01  + -", None, None),
            ("D ABO2 O", Some("O"), None),
        ] {
            let text = format!("SB01\r{line}\rDE01\r");
            let document = read_lines(&text);
            let read = |path: &str| at(&document, 1, path).map(|(text, _)| text);
            assert_eq!(read("D[ABO2].6.4").as_deref(), group, "{line}");
            assert_eq!(read("D[..ABO2].11").as_deref(), remarks, "{line}");
        }
        let document = read_lines("SB01\rD 01  35 ABO2 AB\rDE01\r");
        assert_eq!(at(&document, 1, "D[ABO2].6.4"), Some(("AB".to_owned(), 19..21)));
    }
}

//! One record of any wire format, and the texts in it.

use super::lines::Line;
use crate::path::{Column, FieldPath, Repetition, Spot};
use delimited::Row;
use std::{borrow::Cow, fmt, ops::Range};

/// A text and where it stands in the decoded message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    pub(crate) text: Cow<'a, str>,
    pub(crate) at: Range<usize>,
}

/// A record, a segment or a row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Record<'a> {
    Lis02(lis02::Record<'a>),
    Hl7(hl7v2::Segment<'a>),
    Row(Row<'a>),
    Line(Line<'a>),
}

/// A record's name: one letter, or three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordName([u8; 3]);

impl RecordName {
    pub(crate) fn new(name: &str) -> Self {
        let mut bytes = [0; 3];
        for (to, from) in bytes.iter_mut().zip(name.bytes()) {
            *to = from.to_ascii_uppercase();
        }
        Self(bytes)
    }

    /// Asked of every record that a path passes: nothing is made of the name that is compared.
    #[inline]
    pub(crate) fn is(self, name: &str) -> bool {
        let Self([first, second, third]) = self;
        let same = |own: u8, other: &u8| own == other.to_ascii_uppercase();
        match name.as_bytes() {
            [] => self.0 == [0; 3],
            [a] => same(first, a) && second == 0 && third == 0,
            [a, b] => same(first, a) && same(second, b) && third == 0,
            [a, b, c] => same(first, a) && same(second, b) && same(third, c),
            [..] => false,
        }
    }
}

impl fmt::Display for RecordName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().filter(|byte| **byte != 0) {
            write!(f, "{}", char::from(*byte))?;
        }
        Ok(())
    }
}

impl<'a> Record<'a> {
    /// The text at a place; `None` when nothing was sent there. HL7's `""` is nothing, too.
    pub(crate) fn piece(&self, spot: Spot) -> Option<Piece<'a>> {
        match spot.repetition {
            Repetition::Each => self.pieces(spot).into_iter().next(),
            Repetition::Unnamed if spot.component.is_none() => self.field(spot.field),
            Repetition::Unnamed => self.part(spot, 1),
            Repetition::Nth(number) => self.part(spot, number),
        }
    }

    /// The text at a path of this record, at `spot` in place of the path's own.
    pub(crate) fn piece_at(&self, path: &FieldPath, spot: Spot) -> Option<Piece<'a>> {
        match (&path.anchor, self) {
            (None, _) => self.piece(spot),
            (Some(anchor), Self::Line(line)) => line.anchored(anchor, spot),
            (Some(_), Self::Lis02(_) | Self::Hl7(_) | Self::Row(_)) => None,
        }
    }

    /// The texts of every repetition at a path of this record.
    pub(crate) fn pieces_at(&self, path: &FieldPath) -> Vec<Piece<'a>> {
        match path.anchor {
            None => self.pieces(path.spot),
            Some(_) => self.piece_at(path, path.spot).into_iter().collect(),
        }
    }

    /// As [`Self::pieces_at`], of which one has to fit: asked of every condition, and nothing is kept of what is there.
    pub(crate) fn any_at(&self, path: &FieldPath, fits: &mut dyn FnMut(&str) -> bool) -> bool {
        let spot = path.spot;
        if path.anchor.is_some() || spot.repetition != Repetition::Each {
            return fits(self.piece_at(path, spot).as_ref().map_or("", |piece| &piece.text));
        }
        let mut nothing = true;
        for number in 1..=self.repetitions(spot.field) {
            if let Some(piece) = self.part(spot, number) {
                nothing = false;
                if fits(&piece.text) {
                    return true;
                }
            }
        }
        nothing && fits("")
    }

    /// The texts of every repetition; at least one place is looked at, empty ones are left out.
    pub(crate) fn pieces(&self, spot: Spot) -> Vec<Piece<'a>> {
        match spot.repetition {
            Repetition::Each => {
                (1..=self.repetitions(spot.field)).filter_map(|number| self.part(spot, number)).collect()
            }
            Repetition::Unnamed | Repetition::Nth(_) => self.piece(spot).into_iter().collect(),
        }
    }

    pub(crate) fn repetitions(&self, field: u16) -> u16 {
        let count = match self {
            Self::Lis02(record) => record.field(field.into()).map_or(0, |field| field.repeats().count()),
            Self::Hl7(segment) => segment.field(field.into()).map_or(0, |field| field.repetitions().count()),
            Self::Row(_) | Self::Line(_) => 1,
        };
        u16::try_from(count).unwrap_or(u16::MAX)
    }

    /// Where the whole field stands, empty or not; else the record.
    pub(crate) fn place(&self, spot: Spot) -> Range<usize> {
        let found = match self {
            Self::Lis02(record) => record.field(spot.field.into()).map(|field| field.part().range()),
            Self::Hl7(segment) => segment.field(spot.field.into()).map(|field| field.range()),
            Self::Row(_) => None,
            Self::Line(line) => line.columns(spot).map(|piece| piece.at),
        };
        found.unwrap_or_else(|| self.range())
    }

    pub(crate) fn range(&self) -> Range<usize> {
        match self {
            Self::Lis02(record) => record.range(),
            Self::Hl7(segment) => segment.range(),
            Self::Row(row) => row.range(),
            Self::Line(line) => line.range(),
        }
    }

    /// The cell of a row, by the headings of its file.
    pub(crate) fn column(&self, headings: &[&str], column: &Column) -> Option<Piece<'a>> {
        match self {
            Self::Row(row) => {
                let number = match column {
                    Column::Named(name) => headings.iter().position(|heading| heading == &name.trim())? + 1,
                    Column::Numbered(number) => (*number).into(),
                };
                let cell = row.cell(number)?;
                // Blanks around a cell are layout, never content.
                let text = unpadded(cell.text());
                (!text.is_empty()).then_some(Piece { text: Cow::Borrowed(text), at: cell.range() })
            }
            Self::Lis02(_) | Self::Hl7(_) | Self::Line(_) => None,
        }
    }

    /// `R|3`, `OBX|2`, `MSH`, `row 7`.
    /// `counted` gives the number of a record that does not say it.
    pub(crate) fn label(&self, name: RecordName, counted: impl FnOnce() -> usize) -> String {
        let written = match self {
            Self::Lis02(record) => record.sequence().map(|sequence| sequence as usize),
            Self::Hl7(_) if name.is("MSH") => return "MSH".to_owned(),
            Self::Hl7(segment) => segment.field(1).and_then(|field| field.raw().parse().ok()),
            Self::Row(row) => return format!("row {}", row.line()),
            Self::Line(_) => None,
        };
        match written {
            None if name.is("H") => "H".to_owned(),
            written => format!("{name}|{}", written.unwrap_or_else(counted)),
        }
    }

    fn field(&self, field: u16) -> Option<Piece<'a>> {
        match self {
            Self::Lis02(record) => {
                let part = record.field(field.into())?.part();
                kept(part.raw(), part.text(), part.range())
            }
            Self::Hl7(segment) => {
                let part = segment.field(field.into())?.part();
                kept(part.raw(), part.text(), part.range())
            }
            Self::Row(_) => None,
            Self::Line(line) => {
                let repetition = crate::path::Repetition::Unnamed;
                line.columns(Spot { field, repetition, component: None, subcomponent: None })
            }
        }
    }

    fn part(&self, spot: Spot, repetition: u16) -> Option<Piece<'a>> {
        match self {
            Self::Lis02(record) => lis02_part(record, spot, repetition.into()),
            Self::Hl7(segment) => hl7_part(segment, spot, repetition.into()),
            Self::Row(_) => None,
            Self::Line(line) => line.columns(spot),
        }
    }
}

/// Without the blanks around it, which few cells have.
fn unpadded(text: &str) -> &str {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if blank(text.as_bytes().first()) || blank(text.as_bytes().last()) {
        return text.trim_matches([' ', '\t']);
    }
    text
}

fn kept<'a>(raw: &'a str, text: Cow<'a, str>, at: Range<usize>) -> Option<Piece<'a>> {
    (!raw.is_empty() && raw != "\"\"").then_some(Piece { text, at })
}

fn lis02_part<'a>(record: &lis02::Record<'a>, spot: Spot, repetition: usize) -> Option<Piece<'a>> {
    let repeat = record.field(spot.field.into())?.repeat(repetition)?;
    let part = match spot.component {
        None => repeat.part(),
        Some(component) => repeat.component(component.into())?,
    };
    // LIS02 knows no subcomponents.
    kept(part.raw(), part.text(), part.range()).filter(|_| spot.subcomponent.is_none_or(|sub| sub == 1))
}

fn hl7_part<'a>(segment: &hl7v2::Segment<'a>, spot: Spot, repetition: usize) -> Option<Piece<'a>> {
    let repetition = segment.field(spot.field.into())?.repetition(repetition)?;
    let part = match (spot.component, spot.subcomponent) {
        (None, _) => repetition.part(),
        (Some(component), None) => repetition.component(component.into())?.part(),
        (Some(component), Some(sub)) => {
            repetition.component(component.into())?.subcomponent(sub.into())?.part()
        }
    };
    kept(part.raw(), part.text(), part.range())
}

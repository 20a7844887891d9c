//! Looking things up in a message by the profile's paths.

use crate::{
    message::{Cursor, Document, Piece},
    path::{FieldPath, Path, Spot},
    profile::rules::{Condition, ConditionTest, Rules, Well},
};
use std::{borrow::Cow, ops::Range};

/// A message and the rules it is read by.
#[derive(Clone, Copy)]
pub(crate) struct Look<'m> {
    pub(crate) document: &'m Document<'m>,
    pub(crate) rules: &'m Rules,
}

/// One part of a field, parted at the component marks that stand in its text.
fn part(whole: Piece<'_>, number: u16) -> Option<Piece<'_>> {
    let nth = |text: &str| text.split('^').nth(usize::from(number).checked_sub(1)?).map(str::to_owned);
    let text = nth(&whole.text).filter(|text| !text.is_empty())?;
    Some(Piece { text: Cow::Owned(text), at: whole.at })
}

impl<'m> Look<'m> {
    /// What stands at a path; `None` when nothing was sent there.
    pub(crate) fn piece(&self, cursor: Cursor, path: &Path) -> Option<Piece<'m>> {
        match path {
            Path::Field(path) => match self.parted(path) {
                Some((whole, number)) => part(self.document.piece(cursor, &whole)?, number),
                None => self.document.piece(cursor, path),
            },
            Path::Column(column) => self.document.column(cursor.node, column),
            Path::Specimen => self.specimen(cursor),
            Path::Plate => {
                let plate = self.rules.plate.as_ref()?;
                let well = self.piece(cursor, &plate.well)?;
                let role = plate.layout.get(&Well::parse(well.text.trim())?)?;
                Some(Piece { text: Cow::Borrowed(role), at: well.at })
            }
        }
    }

    /// For a component of a field whose marks came escaped: the whole field, and which of its parts.
    fn parted(&self, path: &FieldPath) -> Option<(FieldPath, u16)> {
        let number = path.spot.component.filter(|_| path.spot.subcomponent.is_none())?;
        let listed =
            |field: &&FieldPath| field.record.name == path.record.name && field.spot.field == path.spot.field;
        self.rules.message.split_escaped.iter().find(listed)?;
        let spot = Spot { component: None, ..path.spot };
        Some((FieldPath { record: path.record.clone(), anchor: None, spot }, number))
    }

    /// The specimen id: the first of its places that is not empty.
    pub(crate) fn specimen(&self, cursor: Cursor) -> Option<Piece<'m>> {
        // A place of the specimen is never "specimen" itself: the profile's checks see to it.
        let paths = self.rules.specimen.id.iter().filter(|path| **path != Path::Specimen);
        let mut paths = paths;
        let piece = paths.find_map(|path| self.piece(cursor, path))?;
        if self.rules.specimen.trim_end {
            let text = match piece.text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches(' ')),
                Cow::Owned(text) => Cow::Owned(text.trim_end_matches(' ').to_owned()),
            };
            return Some(Piece { text, at: piece.at });
        }
        Some(piece)
    }

    /// The text at a path, empty when nothing was sent there.
    pub(crate) fn text(&self, cursor: Cursor, path: &Path) -> Cow<'m, str> {
        self.piece(cursor, path).map_or(Cow::Borrowed(""), |piece| piece.text)
    }

    /// The texts of every repetition at a path.
    pub(crate) fn pieces(&self, cursor: Cursor, path: &Path) -> Vec<Piece<'m>> {
        match path {
            Path::Field(field) if self.parted(field).is_none() => self.document.pieces(cursor, field),
            Path::Field(_) | Path::Column(_) | Path::Plate | Path::Specimen => {
                self.piece(cursor, path).into_iter().collect()
            }
        }
    }

    /// As [`Self::pieces`], of every record of that name that the row sees: a second remark says as much as the first, and
    /// one about the order as much as one about the row.
    pub(crate) fn pieces_of_all(&self, cursor: Cursor, path: &Path) -> Vec<Piece<'m>> {
        match path {
            Path::Field(field) if self.parted(field).is_none() => {
                let all = self.document.find_all(cursor.node, &field.record).into_iter();
                all.filter_map(|at| self.document.node(at)).flat_map(|n| n.record.pieces_at(field)).collect()
            }
            Path::Field(_) | Path::Column(_) | Path::Plate | Path::Specimen => self.pieces(cursor, path),
        }
    }

    /// Whether all conditions hold.
    pub(crate) fn holds(&self, cursor: Cursor, conditions: &[Condition]) -> bool {
        conditions.iter().all(|condition| self.one_holds(cursor, condition))
    }

    fn one_holds(&self, cursor: Cursor, condition: &Condition) -> bool {
        let any = |fits: &mut dyn FnMut(&str) -> bool| match &condition.at {
            Path::Field(field) if self.parted(field).is_none() => self.document.any(cursor, field, fits),
            at @ (Path::Field(_) | Path::Column(_) | Path::Plate | Path::Specimen) => {
                fits(self.piece(cursor, at).as_ref().map_or("", |piece| &piece.text))
            }
        };
        match &condition.test {
            ConditionTest::Is(texts) => any(&mut |found| texts.iter().any(|text| text == found)),
            ConditionTest::IsNot(texts) => !any(&mut |found| texts.iter().any(|text| text == found)),
            ConditionTest::StartsWith(start) => any(&mut |found| found.starts_with(start.as_str())),
            ConditionTest::EndsWith(end) => any(&mut |found| found.ends_with(end.as_str())),
            ConditionTest::Matches(pattern) => any(&mut |found| pattern.is_match(found)),
            ConditionTest::Present(wanted) => self.pieces(cursor, &condition.at).is_empty() != *wanted,
        }
    }

    /// The record, the field, and its bytes: where something was looked for, whether or not it was there.
    pub(crate) fn place(&self, cursor: Cursor, path: &Path) -> (String, Range<usize>) {
        let (node, field) = match path {
            Path::Field(path) => (self.document.find(cursor, &path.record), Some(path)),
            Path::Column(_) | Path::Plate | Path::Specimen => (Some(cursor.node), None),
        };
        let found = self.piece(cursor, path).map(|piece| piece.at);
        let Some(at) = node else {
            let own = self.document.label(cursor.node);
            let name = field.map_or("", |path| path.record.name.as_str());
            let range = self.document.node(cursor.node).map_or(0..0, |node| node.record.range());
            return (format!("{own}, which has no {name}"), range);
        };
        let label = self.document.label(at);
        let Some(node) = self.document.node(at) else { return (label, 0..0) };
        match field {
            Some(path) => {
                let spot = path.spot.shown();
                let (range, place) = match &path.anchor {
                    None => (found.unwrap_or_else(|| node.record.place(spot)), spot.to_string()),
                    Some(anchor) => {
                        (found.unwrap_or_else(|| node.record.range()), format!("{anchor}.{spot}"))
                    }
                };
                (format!("{label} field {place}"), range)
            }
            None => (format!("{label} {path}"), found.unwrap_or_else(|| node.record.range())),
        }
    }
}

//! A message as profiles see it, whatever its wire format: records in their order, each with what it belongs to.
//!
//! ```text
//! H ─ P ─ O ─┬ R ─ C        MSH ─ SPM ─┬ SAC, INV (attached)      row
//!            └ R                       └ OBR ─ OBX ─ NTE
//! ```
//! From a result row, a path looks at the row itself, at what is attached to it, then the same for its parent, and so
//! on: the nearest record of that name counts.

mod hl7;
mod lines;
mod lis02;
mod record;
mod table;

pub(crate) use hl7::read_hl7;
pub(crate) use lines::{RESULT as SPECIMEN_LINE, read_lines};
pub(crate) use lis02::read_lis02;
pub(crate) use record::{Piece, Record, RecordName};
pub(crate) use table::{layout_of, read_table};

use crate::path::{Column, FieldPath, RecordPath};
use std::ops::Range;

/// One record and what it belongs to.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) record: Record<'a>,
    pub(crate) name: RecordName,
    pub(crate) parent: Option<usize>,
    /// Records without a level of their own (C, M, NTE, SAC, INV, …).
    pub(crate) attached: Vec<usize>,
}

/// What the reader of the wire format found wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Defect {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) at: Range<usize>,
    /// Form only: what is meant is clear.
    pub(crate) harmless: bool,
}

/// The records of one message.
#[derive(Debug, Default)]
pub(crate) struct Document<'a> {
    pub(crate) nodes: Vec<Node<'a>>,
    /// The headings of a file, blanks around them removed: every cell of it is asked for by one of them.
    headings: Vec<&'a str>,
    /// How many records of each name there are.
    names: Vec<(RecordName, usize)>,
    pub(crate) defects: Vec<Defect>,
    /// Defects that the reader counted but did not keep.
    pub(crate) more_defects: usize,
    /// The last record has its terminator (L record, last segment's end).
    pub(crate) terminated: bool,
}

/// Where a path looks from: a record, or one repetition of a field of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) node: usize,
    /// Record, field and repetition that stand in for the nearest one.
    pub(crate) fixed: Option<Fixed>,
}

/// One of several records or repetitions, while a rule is applied to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fixed {
    pub(crate) node: usize,
    pub(crate) repetition: Option<(u16, u16)>,
}

/// `HeaderMissing` → `header_missing`.
fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

impl Cursor {
    pub(crate) fn at(node: usize) -> Self {
        Self { node, fixed: None }
    }
}

impl<'a> Document<'a> {
    /// A document for so many records.
    fn of(records: &impl Iterator) -> Self {
        Self { nodes: Vec::with_capacity(records.size_hint().0), ..Self::default() }
    }

    /// Adds a record.
    pub(crate) fn push(
        &mut self,
        record: Record<'a>,
        name: RecordName,
        parent: Option<usize>,
        attach: bool,
    ) -> usize {
        let at = self.nodes.len();
        self.nodes.push(Node { record, name, parent, attached: Vec::new() });
        match self.names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, count)) => *count += 1,
            None => self.names.push((name, 1)),
        }
        if attach && let Some(owner) = parent.and_then(|parent| self.nodes.get_mut(parent)) {
            owner.attached.push(at);
        }
        at
    }

    pub(crate) fn node(&self, at: usize) -> Option<&Node<'a>> {
        self.nodes.get(at)
    }

    /// The cell of a row.
    pub(crate) fn column(&self, at: usize, column: &Column) -> Option<Piece<'a>> {
        self.nodes.get(at)?.record.column(&self.headings, column)
    }

    /// The record itself, what is attached to it, then the same for its parents.
    pub(crate) fn visible(&self, from: usize) -> impl Iterator<Item = usize> {
        let parents = std::iter::successors(Some(from), |at| self.nodes.get(*at)?.parent);
        parents.flat_map(|at| {
            let attached = self.nodes.get(at).map_or(&[][..], |node| &node.attached);
            std::iter::once(at).chain(attached.iter().copied())
        })
    }

    /// The nearest record that a record path names.
    pub(crate) fn find(&self, cursor: Cursor, path: &RecordPath) -> Option<usize> {
        if let Some(fixed) = cursor.fixed
            && self.fits(fixed.node, path)
        {
            return Some(fixed.node);
        }
        self.visible(cursor.node).find(|at| self.fits(*at, path))
    }

    /// The text at a field path in the first record that it names, wherever that stands.
    pub(crate) fn first(&self, path: &FieldPath) -> Option<Piece<'a>> {
        let at = (0..self.nodes.len()).find(|at| self.fits(*at, &path.record))?;
        self.nodes.get(at)?.record.piece_at(path, path.spot)
    }

    /// Every record that a record path names, nearest first.
    pub(crate) fn find_all(&self, from: usize, path: &RecordPath) -> Vec<usize> {
        self.visible(from).filter(|at| self.fits(*at, path)).collect()
    }

    fn fits(&self, at: usize, path: &RecordPath) -> bool {
        let Some(node) = self.nodes.get(at).filter(|node| node.name.is(&path.name)) else { return false };
        match &path.only {
            None => true,
            Some((spot, text)) => node.record.piece(*spot).is_some_and(|piece| piece.text == *text),
        }
    }

    /// The text at a field path, and where. Nothing was sent there: `None`.
    pub(crate) fn piece(&self, cursor: Cursor, path: &FieldPath) -> Option<Piece<'a>> {
        let at = self.find(cursor, &path.record)?;
        let spot = cursor.fixed.filter(|fixed| fixed.node == at).map_or(path.spot, |f| f.narrow(path.spot));
        self.nodes.get(at)?.record.piece_at(path, spot)
    }

    /// The texts of every repetition at a field path.
    pub(crate) fn pieces(&self, cursor: Cursor, path: &FieldPath) -> Vec<Piece<'a>> {
        match self.find(cursor, &path.record).and_then(|at| self.nodes.get(at)) {
            Some(node) => node.record.pieces_at(path),
            None => Vec::new(),
        }
    }

    /// Whether one of the texts of every repetition at a field path fits; nothing was sent there: whether an empty one does.
    pub(crate) fn any(&self, cursor: Cursor, path: &FieldPath, fits: &mut dyn FnMut(&str) -> bool) -> bool {
        match self.find(cursor, &path.record).and_then(|at| self.nodes.get(at)) {
            Some(node) => node.record.any_at(path, fits),
            None => fits(""),
        }
    }

    /// `R|3`, with the records above it where the number alone says too little: `O|2 R|3`.
    pub(crate) fn label(&self, at: usize) -> String {
        let Some(node) = self.nodes.get(at) else { return String::new() };
        let own = node.record.label(node.name, || {
            let same = |other: &&Node<'_>| other.name == node.name && other.parent == node.parent;
            self.nodes.iter().take(at).filter(same).count() + 1
        });
        match node.parent.and_then(|parent| self.nodes.get(parent).map(|node| (parent, node))) {
            Some((parent, above)) if above.parent.is_some() && self.has_twin(parent) => {
                format!("{} {own}", self.label(parent))
            }
            Some(_) | None => own,
        }
    }

    /// Whether a record of the same name could be taken for it.
    fn has_twin(&self, at: usize) -> bool {
        let Some(node) = self.nodes.get(at) else { return false };
        self.names.iter().any(|(name, count)| *name == node.name && *count > 1)
    }
}

impl Fixed {
    fn narrow(self, spot: crate::path::Spot) -> crate::path::Spot {
        match self.repetition {
            Some((field, number)) if field == spot.field => {
                crate::path::Spot { repetition: crate::path::Repetition::Nth(number), ..spot }
            }
            Some(_) | None => spot,
        }
    }
}

//! What was read: rows and cells as views.

use core::ops::Range;
use std::borrow::Cow;

use crate::cells::Cells;
use crate::defect::Defect;
use crate::layout::Layout;
use crate::scan;

/// The rows of a file.
#[derive(Debug, Clone, Default)]
pub struct Table<'t> {
    pub(crate) text: &'t str,
    pub(crate) header: Option<RowEntry>,
    pub(crate) rows: Vec<RowEntry>,
    pub(crate) cells: Vec<CellEntry<'t>>,
    pub(crate) passed_over: Vec<PassedOver>,
    pub(crate) defects: Vec<Defect>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct RowEntry {
    pub(crate) line: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) first_cell: usize,
    pub(crate) cells: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct CellEntry<'t> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: Cow<'t, str>,
}

/// A stretch of text that is no row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// Why it is none.
    pub kind: PassedOverKind,
    /// The line where it begins, from 1.
    pub line: usize,
    /// Where, in bytes of the text; line ends not included.
    pub at: Range<usize>,
}

/// Why a stretch of text is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PassedOverKind {
    /// The byte order mark.
    ByteOrderMark,
    /// One of the layout's leading lines.
    Leading,
    /// A comment.
    Comment,
    /// A line of blanks.
    Blank,
    /// The end marker.
    EndMarker,
    /// What follows the end marker (also a defect).
    AfterEndMarker,
    /// What lies beyond a limit (also a defect).
    BeyondLimit,
}

impl<'t> Table<'t> {
    /// Reads a text. Never fails; see [`Table::defects`].
    #[must_use]
    pub fn read(text: &'t str, layout: &Layout) -> Self {
        scan::read(text, layout, &mut Cells::new(layout))
    }

    /// The text that was read.
    #[must_use]
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// The row that names the columns.
    #[must_use]
    pub fn header(&self) -> Option<Row<'_>> {
        self.header.map(|entry| Row { table: self, entry })
    }

    /// The names of the columns in their order, blanks around them removed; empty without a header row.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        let cells = self.header().map(|row| row.entries()).unwrap_or_default();
        cells.iter().map(|cell| cell.text.trim())
    }

    /// The number of the first column with this name, from 1. Names are compared exactly, blanks around them aside.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<usize> {
        let name = name.trim();
        let header = self.header().map(|row| row.entries()).unwrap_or_default();
        // Every cell of a file is asked for by its column's name: what begins or ends in a blank is rare.
        let named = |cell: &CellEntry<'_>| {
            let found = &*cell.text;
            found == name || (found.len() > name.len() && found.contains(name) && found.trim() == name)
        };
        header.iter().position(named).map(|at| at + 1)
    }

    /// The rows in their order, the header not among them.
    #[must_use]
    pub fn rows(&self) -> impl ExactSizeIterator<Item = Row<'_>> {
        self.rows.iter().map(|entry| Row { table: self, entry: *entry })
    }

    /// What is no row, in its order.
    #[must_use]
    pub fn passed_over(&self) -> &[PassedOver] {
        &self.passed_over
    }

    /// What does not fit, in its order.
    #[must_use]
    pub fn defects(&self) -> &[Defect] {
        &self.defects
    }
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    table: &'a Table<'a>,
    entry: RowEntry,
}

impl<'a> Row<'a> {
    /// The line where it begins, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.entry.line
    }

    /// Where it stands in the text, without its line end.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.entry.start..self.entry.end
    }

    /// The row as it stands.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.table.text.get(self.range()).unwrap_or_default()
    }

    /// The cells in their order.
    #[must_use]
    pub fn cells(&self) -> impl ExactSizeIterator<Item = Cell<'a>> + use<'a> {
        let table = self.table;
        self.entries().iter().map(move |entry| Cell { table, entry })
    }

    /// The cell in the column with this number, from 1.
    #[must_use]
    pub fn cell(&self, column: usize) -> Option<Cell<'a>> {
        let entry = self.entries().get(column.checked_sub(1)?)?;
        Some(Cell { table: self.table, entry })
    }

    /// The cell in the column with this name.
    #[must_use]
    pub fn named(&self, column: &str) -> Option<Cell<'a>> {
        self.cell(self.table.column(column)?)
    }

    fn entries(&self) -> &'a [CellEntry<'a>] {
        let first = self.entry.first_cell;
        self.table.cells.get(first..first + self.entry.cells).unwrap_or_default()
    }
}

/// One cell.
#[derive(Debug, Clone, Copy)]
pub struct Cell<'a> {
    table: &'a Table<'a>,
    entry: &'a CellEntry<'a>,
}

impl<'a> Cell<'a> {
    /// Its text without quotes.
    #[must_use]
    pub fn text(&self) -> &'a str {
        &self.entry.text
    }

    /// The cell as it stands, quotes included.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.table.text.get(self.range()).unwrap_or_default()
    }

    /// Where it stands in the text, quotes included, delimiters not.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.entry.start..self.entry.end
    }
}

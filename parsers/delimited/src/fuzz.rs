//! Entry point for fuzzing. It checks what holds for every input and panics where it does not.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::cells::Cells;
use crate::layout::{HeaderRow, Layout, LineBreaks};
use crate::scan;
use crate::table::Table;

thread_local! {
    /// A layout for every first byte, with its reader.
    static LAYOUTS: RefCell<BTreeMap<u8, (Layout, Cells)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Reads any bytes as a table and visits everything; every byte must be accounted for. The first byte chooses the
/// layout.
#[doc(hidden)]
pub fn fuzz_table(bytes: &[u8]) {
    let (choice, rest) = bytes.split_first().map_or((0, bytes), |(b, rest)| (*b, rest));
    let text = String::from_utf8_lossy(rest);
    LAYOUTS.with_borrow_mut(|layouts| {
        let (layout, cells) = layouts.entry(choice).or_insert_with(|| {
            let layout = layout(choice);
            let cells = Cells::new(&layout);
            (layout, cells)
        });
        check_table(&scan::read(&text, layout, cells), layout);
    });
}

fn check_table(table: &Table<'_>, layout: &Layout) {
    let text = table.text();
    check_cover(table);
    for defect in table.defects() {
        assert!(text.get(defect.at.clone()).is_some(), "a defect lies inside the text");
        assert!(defect.line >= 1, "lines are counted from 1");
    }
    for row in table.header().into_iter().chain(table.rows()) {
        let before = text.get(..row.range().start).unwrap_or_default();
        let ends = before.replace("\r\n", "\n").matches(['\r', '\n']).count();
        assert!(row.line() == ends + 1, "a row knows its line");
        let mut at = row.range().start;
        for cell in row.cells() {
            assert!(cell.range().start == at, "cells follow one another");
            assert!(cell.text().len() <= cell.raw().len(), "unquoted text is not longer than its source");
            at = cell.range().end + 1;
        }
        let cut = row.cells().len() == layout.columns_max;
        assert!(cut || at == row.range().end + 1, "cells fill the row");
    }
}

fn layout(choice: u8) -> Layout {
    let delimiter = match choice & 3 {
        0 => ',',
        1 => ';',
        2 => '\t',
        _ => '|',
    };
    let made = Layout::new(delimiter, (choice & 4 == 0).then_some('"'));
    #[expect(clippy::expect_used, reason = "these characters are allowed")]
    let mut layout = made.expect("a layout");
    layout.header = if choice & 8 == 0 { HeaderRow::First } else { HeaderRow::Absent };
    layout.line_breaks = if choice & 16 == 0 { LineBreaks::Defect } else { LineBreaks::Allowed };
    layout.skipped_lines = usize::from(choice >> 5 & 1);
    layout.comment = (choice & 64 != 0).then(|| "#".to_owned());
    layout.end_marker = (choice & 128 != 0).then(|| "[end]".to_owned());
    layout.rows_max = 50;
    layout.columns_max = 20;
    layout
}

fn check_cover(table: &Table<'_>) {
    let rows = table.header().into_iter().chain(table.rows()).map(|row| row.range());
    let passed = table.passed_over().iter().map(|p| p.at.clone());
    let mut pieces: Vec<_> = rows.chain(passed).collect();
    pieces.sort_by_key(|piece| (piece.start, piece.end));
    let mut at = 0;
    for piece in pieces {
        assert!(piece.start >= at, "rows and lines passed over do not overlap");
        let between = table.text().get(at..piece.start).unwrap_or("?");
        assert!(between.bytes().all(|b| matches!(b, b'\r' | b'\n')), "only line ends lie between");
        at = piece.end;
    }
    let tail = table.text().get(at..).unwrap_or("?");
    assert!(tail.bytes().all(|b| matches!(b, b'\r' | b'\n')), "only line ends follow");
}

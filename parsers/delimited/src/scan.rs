//! One pass over a text, line by line.

use core::ops::Range;

use crate::cells::{Cells, FoundCell, Quoting};
use crate::defect::{Defect, DefectKind};
use crate::layout::{HeaderRow, Layout, LineBreaks};
use crate::table::{CellEntry, PassedOver, PassedOverKind, RowEntry, Table};

/// Longest text that is read, in bytes. What lies beyond gets a defect and stays unread.
pub const TEXT_BYTES_MAX: usize = 16 << 20;

/// Most cells of one text. What lies beyond is as beyond the layout's `rows_max`.
pub const CELLS_MAX: usize = 1_000_000;

/// Most defects listed for one text.
pub const DEFECTS_MAX: usize = 1_000;

const BYTE_ORDER_MARK: char = '\u{feff}';

pub(crate) fn read<'t>(text: &'t str, layout: &Layout, cells: &mut Cells) -> Table<'t> {
    let limit =
        if text.len() <= TEXT_BYTES_MAX { text.len() } else { text.floor_char_boundary(TEXT_BYTES_MAX) };
    let scan = Scan {
        text: text.get(..limit).unwrap_or_default(),
        layout,
        table: Table { text, ..Table::default() },
        at: 0,
        line: 1,
        columns: layout.columns,
    };
    scan.run(cells)
}

struct Scan<'t, 'l> {
    /// The part of the text that is read.
    text: &'t str,
    layout: &'l Layout,
    table: Table<'t>,
    at: usize,
    line: usize,
    columns: Option<usize>,
}

/// What a line is before its cells are looked at.
enum LineKind {
    Row,
    PassedOver(PassedOverKind),
}

impl<'t> Scan<'t, '_> {
    fn run(mut self, cells: &mut Cells) -> Table<'t> {
        if self.text.starts_with(BYTE_ORDER_MARK) {
            let at = 0..BYTE_ORDER_MARK.len_utf8();
            self.pass_over(PassedOverKind::ByteOrderMark, at);
        }
        self.skip_leading_lines();
        let ended = self.read_lines(cells);
        if self.layout.end_marker.is_some() && !ended {
            self.note(DefectKind::EndMarkerMissing, self.at..self.at);
        }
        if self.layout.header == HeaderRow::First && self.table.header.is_none() {
            self.note(DefectKind::HeaderMissing, self.at..self.at);
        }
        self.beyond_text_limit();
        self.table
    }

    fn skip_leading_lines(&mut self) {
        for _ in 0..self.layout.skipped_lines {
            if self.at >= self.text.len() {
                break;
            }
            self.pass_over(PassedOverKind::Leading, self.at..self.line_end());
            self.end_line();
            if self.is_full() {
                break;
            }
        }
    }

    /// Reads until the end marker, a limit or the end of the text; whether the end marker came.
    fn read_lines(&mut self, cells: &mut Cells) -> bool {
        while self.at < self.text.len() {
            if self.end_line() {
                continue;
            }
            if self.is_full() {
                self.note(DefectKind::TooManyRows, self.at..self.text.len());
                self.pass_over(PassedOverKind::BeyondLimit, self.at..self.text.len());
                return true;
            }
            match self.line_kind() {
                LineKind::Row => self.read_row(cells),
                LineKind::PassedOver(kind) => {
                    self.pass_over(kind, self.at..self.line_end());
                    if kind == PassedOverKind::EndMarker {
                        self.after_end_marker();
                        return true;
                    }
                }
            }
        }
        false
    }

    fn is_full(&self) -> bool {
        let lines = self.table.rows.len() + self.table.passed_over.len();
        lines >= self.layout.rows_max || self.table.cells.len() >= CELLS_MAX
    }

    fn line_kind(&self) -> LineKind {
        let line = self.text.get(self.at..self.line_end()).unwrap_or_default();
        let blank = |c: char| matches!(c, ' ' | '\t');
        let ends = |marker: &str| line.contains(marker) && line.trim_matches(blank) == marker;
        if self.layout.end_marker.as_deref().is_some_and(ends) {
            return LineKind::PassedOver(PassedOverKind::EndMarker);
        }
        if self.layout.comment.as_deref().is_some_and(|prefix| line.starts_with(prefix)) {
            return LineKind::PassedOver(PassedOverKind::Comment);
        }
        if self.layout.delimiter_byte() != b' ' && line.bytes().all(|b| b == b' ') {
            return LineKind::PassedOver(PassedOverKind::Blank);
        }
        LineKind::Row
    }

    fn read_row(&mut self, cells: &mut Cells) {
        let (start, line, first_cell) = (self.at, self.line, self.table.cells.len());
        let (mut count, mut lines) = (0, 0);
        let mut beyond = None;
        let mut found_defects = Vec::new();
        let (layout, table) = (self.layout, &mut self.table);
        let end = cells.read_row(self.text, start, |cell| {
            let at = cell.at.clone();
            found_defects.extend(cell_defect(&cell).map(|kind| (kind, line + lines, at.clone())));
            let breaks = line_breaks(&cell.text);
            if breaks > 0 && layout.line_breaks == LineBreaks::Defect {
                found_defects.push((DefectKind::LineBreakInCell, line + lines, at.clone()));
            }
            lines += breaks;
            if count < layout.columns_max {
                table.cells.push(CellEntry { start: at.start, end: at.end, text: cell.text });
                count += 1;
            } else {
                beyond.get_or_insert(at.start);
            }
        });
        self.at = end;
        self.line += lines;
        for (kind, line, at) in found_defects {
            self.note_at(kind, line, at);
        }
        if let Some(from) = beyond {
            self.note_at(DefectKind::TooManyColumns, line, from..end);
        }
        self.note_controls(line, start..end);
        self.keep_row(RowEntry { line, start, end, first_cell, cells: count });
    }

    fn keep_row(&mut self, row: RowEntry) {
        if self.layout.header == HeaderRow::First && self.table.header.is_none() {
            self.table.header = Some(row);
            self.note_repeated_names(row);
        } else {
            self.table.rows.push(row);
        }
        let columns = *self.columns.get_or_insert(row.cells);
        let at = row.start..row.end;
        if row.cells < columns {
            self.note_at(DefectKind::RowShort, row.line, at);
        } else if row.cells > columns {
            let extra = self.table.cells.iter().skip(row.first_cell + columns);
            let empty = extra.clone().all(|cell| cell.text.trim().is_empty());
            let from = extra.clone().next().map_or(row.start, |cell| cell.start);
            let kind = if empty { DefectKind::TrailingCellsEmpty } else { DefectKind::RowLong };
            self.note_at(kind, row.line, from..row.end);
        }
    }

    fn note_repeated_names(&mut self, row: RowEntry) {
        let mut seen = std::collections::BTreeSet::new();
        let header = self.table.cells.iter().skip(row.first_cell);
        let named = header.filter(|cell| !cell.text.trim().is_empty());
        let repeated: Vec<Range<usize>> =
            named.filter(|cell| !seen.insert(cell.text.trim())).map(|cell| cell.start..cell.end).collect();
        for at in repeated {
            self.note_at(DefectKind::ColumnNameRepeated, row.line, at);
        }
    }

    fn note_controls(&mut self, line: usize, at: Range<usize>) {
        let is_control = |b: &u8| matches!(*b, 0..=8 | 11 | 12 | 14..=31 | 127);
        let row = self.text.as_bytes().get(at.clone()).unwrap_or_default();
        let own = self.layout.delimiter_byte();
        let wrong = |b: &u8| is_control(b) && *b != own;
        if let (Some(first), Some(last)) = (row.iter().position(wrong), row.iter().rposition(wrong)) {
            self.note_at(DefectKind::ControlCharacters, line, at.start + first..at.start + last + 1);
        }
    }

    fn after_end_marker(&mut self) {
        while self.end_line() {}
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.is_empty() {
            let at = self.at..self.text.len();
            if !rest.trim().is_empty() {
                self.note(DefectKind::AfterEndMarker, at.clone());
            }
            self.pass_over(PassedOverKind::AfterEndMarker, at);
        }
    }

    fn beyond_text_limit(&mut self) {
        let at = self.text.len()..self.table.text.len();
        if !at.is_empty() {
            self.note(DefectKind::TextTooLong, at.clone());
            self.pass_over(PassedOverKind::BeyondLimit, at);
        }
    }

    /// Where the current line's content ends.
    fn line_end(&self) -> usize {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        rest.iter().position(|b| matches!(b, b'\r' | b'\n')).map_or(self.text.len(), |n| self.at + n)
    }

    /// Steps over one line end (CR, LF or CRLF) when there is one here.
    fn end_line(&mut self) -> bool {
        let step = match self.text.as_bytes().get(self.at..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\r' | b'\n', ..]) => 1,
            _ => return false,
        };
        self.at += step;
        self.line += 1;
        true
    }

    fn pass_over(&mut self, kind: PassedOverKind, at: Range<usize>) {
        self.at = at.end;
        self.table.passed_over.push(PassedOver { kind, line: self.line, at });
    }

    fn note(&mut self, kind: DefectKind, at: Range<usize>) {
        self.note_at(kind, self.line, at);
    }

    fn note_at(&mut self, kind: DefectKind, line: usize, at: Range<usize>) {
        match self.table.defects.len() {
            n if n < DEFECTS_MAX => self.table.defects.push(Defect { kind, line, at }),
            DEFECTS_MAX => self.table.defects.push(Defect { kind: DefectKind::TooManyDefects, line, at }),
            _ => {}
        }
    }
}

fn cell_defect(cell: &FoundCell<'_>) -> Option<DefectKind> {
    match cell.quoting {
        Quoting::Proper => None,
        Quoting::Unclosed => Some(DefectKind::QuoteUnclosed),
        Quoting::TextAfter => Some(DefectKind::TextAfterQuote),
    }
}

/// Line ends inside a cell: CR, LF and CRLF count one each.
fn line_breaks(text: &str) -> usize {
    let bytes = text.as_bytes();
    let pairs = bytes.windows(2).filter(|pair| pair == b"\r\n").count();
    bytes.iter().filter(|b| matches!(b, b'\r' | b'\n')).count() - pairs
}

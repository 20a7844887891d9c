//! One row's cells, found by `csv-core`, with their places in the source.

use core::ops::Range;
use std::borrow::Cow;

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use crate::layout::Layout;

/// A cell as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FoundCell<'t> {
    /// In the source, quotes included, delimiter not.
    pub(crate) at: Range<usize>,
    /// Without quotes.
    pub(crate) text: Cow<'t, str>,
    pub(crate) quoting: Quoting,
}

/// How a cell is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quoting {
    Proper,
    Unclosed,
    TextAfter,
}

/// The reader of cells. A cell that no quote opens ends at the next delimiter or line end, whatever stands in it; only the
/// others need the reader of quotes.
pub(crate) struct Cells {
    /// Made with the first quote: making one takes longer than reading a small file. It cannot be cloned: csv-core 0.1.13
    /// leaves half of a reader's tables behind.
    reader: Option<Reader>,
    delimiter: u8,
    quote: Option<u8>,
}

impl Cells {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self { reader: None, delimiter: layout.delimiter_byte(), quote: layout.quote_byte() }
    }

    /// Reads the row that begins at `start`, up to its line end. Gives each cell to `take`; returns where the row's
    /// content ends, its line end not included.
    pub(crate) fn read_row<'t>(
        &mut self,
        text: &'t str,
        start: usize,
        mut take: impl FnMut(FoundCell<'t>),
    ) -> usize {
        let mut cell_start = start;
        loop {
            let (at, last, copied) = self.read_cell(text, cell_start);
            take(self.finish_cell(text, at.clone(), copied));
            if last {
                return at.end;
            }
            cell_start = at.end + 1;
        }
    }

    /// The cell's range, whether it is the row's last, and its text as copied out.
    fn read_cell(&mut self, text: &str, start: usize) -> (Range<usize>, bool, Vec<u8>) {
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        match self.quote {
            Some(quote) if rest.first() == Some(&quote) => self.read_quoted(text, start, quote),
            Some(_) | None => {
                let ends = |byte: &u8| *byte == self.delimiter || matches!(*byte, b'\r' | b'\n');
                let length = rest.iter().position(ends).unwrap_or(rest.len());
                (start..start + length, rest.get(length) != Some(&self.delimiter), Vec::new())
            }
        }
    }

    fn read_quoted(&mut self, text: &str, start: usize, quote: u8) -> (Range<usize>, bool, Vec<u8>) {
        let delimiter = self.delimiter;
        let reader =
            self.reader.get_or_insert_with(|| ReaderBuilder::new().delimiter(delimiter).quote(quote).build());
        // A cell stands alone. The empty read tells the reader that its first input is past: it would drop a byte order
        // mark there, and with it the places.
        reader.reset();
        reader.read_field(&[], &mut []);
        let mut copied = Vec::new();
        let mut scratch = [0; 256];
        let mut at = start;
        loop {
            let input = text.as_bytes().get(at..).unwrap_or_default();
            let (result, taken, written) = reader.read_field(input, &mut scratch);
            copied.extend_from_slice(scratch.get(..written).unwrap_or_default());
            at += taken;
            match result {
                // The delimiter or the first byte of the line end was taken too, unless the text ended first.
                ReadFieldResult::Field { record_end } if !input.is_empty() => {
                    return (start..at.saturating_sub(1).max(start), record_end, copied);
                }
                ReadFieldResult::Field { .. } | ReadFieldResult::End => return (start..at, true, copied),
                ReadFieldResult::InputEmpty | ReadFieldResult::OutputFull => {}
            }
        }
    }

    fn finish_cell<'t>(&self, text: &'t str, at: Range<usize>, copied: Vec<u8>) -> FoundCell<'t> {
        let raw = text.get(at.clone()).unwrap_or_default();
        let quote = self.quote.filter(|q| raw.as_bytes().first() == Some(q));
        let Some(quote) = quote else {
            return FoundCell { at, text: Cow::Borrowed(raw), quoting: Quoting::Proper };
        };
        let quoting = match closing_quote(raw.as_bytes(), quote) {
            None => Quoting::Unclosed,
            Some(end) if end + 1 == raw.len() => Quoting::Proper,
            Some(_) => Quoting::TextAfter,
        };
        // Quotes are ASCII, so what remains without them is whole characters.
        let unquoted = String::from_utf8(copied).unwrap_or_else(|_| raw.to_owned());
        FoundCell { at, text: Cow::Owned(unquoted), quoting }
    }
}

/// Where the quote that opens a cell is closed; a doubled quote closes nothing.
fn closing_quote(raw: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    loop {
        at += raw.get(at..)?.iter().position(|b| *b == quote)?;
        if raw.get(at + 1) != Some(&quote) {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_divided_into_cells_with_their_places() {
        let check = |row: &str, expect: &[(&str, Range<usize>)], end: usize| {
            let layout = Layout::new(';', Some('"')).unwrap();
            let text = format!("x\n{row}");
            let mut found = Vec::new();
            let stop = Cells::new(&layout).read_row(&text, 2, |c| found.push((c.text.into_owned(), c.at)));
            let expect: Vec<(String, Range<usize>)> =
                expect.iter().map(|(t, r)| ((*t).to_owned(), r.start + 2..r.end + 2)).collect();
            assert_eq!((found, stop), (expect, end + 2), "{row:?}");
        };
        check("a;b\nc;d", &[("a", 0..1), ("b", 2..3)], 3);
        check("a;b\r\nc;d", &[("a", 0..1), ("b", 2..3)], 3);
        check("a;b\rc;d", &[("a", 0..1), ("b", 2..3)], 3);
        check("a;b", &[("a", 0..1), ("b", 2..3)], 3);
        check("a;", &[("a", 0..1), ("", 2..2)], 2);
        check(";", &[("", 0..0), ("", 1..1)], 1);
        check(";\n", &[("", 0..0), ("", 1..1)], 1);
        check("\"a;b\";c\n", &[("a;b", 0..5), ("c", 6..7)], 7);
        check("\"a\"\"b\"\n", &[("a\"b", 0..6)], 6);
        check("\"\"\n", &[("", 0..2)], 2);
        check("\"a\nb\";c\n", &[("a\nb", 0..5), ("c", 6..7)], 7);
        check("\"a\nb", &[("a\nb", 0..4)], 4);
        check("5\" tube;c\n", &[("5\" tube", 0..7), ("c", 8..9)], 9);
        check("\"a\"b;c\n", &[("ab", 0..4), ("c", 5..6)], 6);
        check("é;ü\n", &[("é", 0..2), ("ü", 3..5)], 5);
        check("\u{feff}\"a;b\"\n", &[("\u{feff}\"a", 0..5), ("b\"", 6..8)], 8);
    }

    #[test]
    fn a_long_cell_is_whole() {
        let long = "é".repeat(2_000);
        let layout = Layout::new(',', Some('"')).unwrap();
        for text in [format!("{long},x"), format!("\"{long}\",x")] {
            let mut found = Vec::new();
            Cells::new(&layout).read_row(&text, 0, |c| found.push(c.text.into_owned()));
            assert_eq!(found, [long.clone(), "x".to_owned()]);
        }
    }
}

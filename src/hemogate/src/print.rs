//! Printing: JSON lines for machines, columns for people, and a quiet end when the reader has gone.

use crate::{
    cli::Format,
    exit::{Exit, Failure, Outcome},
};
use serde::Serialize;
use serde_json::Value;
use std::io::{self, Write};

/// Standard output, buffered.
pub(crate) struct Printer {
    out: io::BufWriter<io::StdoutLock<'static>>,
    format: Format,
    rows: Vec<Vec<String>>,
}

impl Printer {
    pub(crate) fn new(format: Format) -> Self {
        Self { out: io::BufWriter::new(io::stdout().lock()), format, rows: Vec::new() }
    }

    /// One object: as a JSON line, or as a row of a table.
    pub(crate) fn item<T: Serialize>(
        &mut self,
        item: &T,
        row: impl FnOnce() -> Vec<String>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Json => {
                serde_json::to_writer(&mut self.out, item)
                    .map_err(|e| Failure::new(if e.is_io() { Exit::Io } else { Exit::Internal }, e))?;
                Ok(writeln!(self.out)?)
            }
            Format::Table => {
                self.rows.push(row());
                Ok(())
            }
        }
    }

    /// The heads of a table's columns.
    pub(crate) fn heads(&mut self, heads: &[&str]) {
        if self.format == Format::Table {
            self.rows.push(heads.iter().map(|h| (*h).to_owned()).collect());
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        for line in columns(&self.rows) {
            writeln!(self.out, "{line}")?;
        }
        Ok(self.out.flush()?)
    }
}

/// Lines with columns under one another. Chinese characters take two places.
fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(|cell| width(cell)).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let mut line = String::new();
            for (cell, wide) in row.iter().zip(&widths) {
                line.push_str(cell);
                line.extend(std::iter::repeat_n(' ', wide - width(cell) + 2));
            }
            line.trim_end().to_owned()
        })
        .collect()
}

/// Places a text takes on a terminal: East Asian wide characters two.
fn width(text: &str) -> usize {
    let wide = |c: char| matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE4F | 0xFF00..=0xFF60 | 0x20000..=0x3FFFD);
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// A text as a part of an address (RFC 3986 §2.3).
pub(crate) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.extend(
                [byte >> 4, byte & 15].into_iter().filter_map(|half| char::from_digit(u32::from(half), 16)),
            );
        }
    }
    out
}

/// What stands at a JSON pointer, as people read it; nothing where there is nothing.
pub(crate) fn text(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_))) => {
            other.to_string()
        }
    }
}

/// Prints one object as a JSON line.
pub(crate) fn print(value: &Value) -> Outcome {
    let mut printer = Printer::new(Format::Json);
    printer.item(value, Vec::new)?;
    printer.finish()?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_one_another_in_chinese_too() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(columns(&[row("结果", "x"), row("abcde", "y")]), ["结果   x", "abcde  y"]);
        assert!(columns(&[]).is_empty());
    }

    #[test]
    fn a_text_in_an_address_stands_for_itself() {
        for (text, expect) in
            [("L-1.a_~", "L-1.a_~"), ("=G1 &", "%3dG1%20%26"), ("%%", "%25%25"), ("血", "%e8%a1%80")]
        {
            assert_eq!(encoded(text), expect);
        }
    }
}

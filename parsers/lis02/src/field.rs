//! Inside a field: repeats, components, text.

use std::borrow::Cow;
use std::ops::{Deref, Range};

use crate::delimiters::Delimiters;
use crate::escape;

/// A piece of a record with its place: a field, a repeat or a component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    raw: &'a str,
    start: usize,
    delimiters: Delimiters,
}

impl<'a> Part<'a> {
    #[inline]
    pub(crate) fn new(raw: &'a str, start: usize, delimiters: Delimiters) -> Self {
        Self { raw, start, delimiters }
    }

    /// The piece as it stands in the text.
    #[must_use]
    #[inline]
    pub fn raw(&self) -> &'a str {
        self.raw
    }

    /// Where it stands, in bytes of the text that was read.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.raw.len()
    }

    /// The text with escape sequences resolved; hexadecimal bytes are read as ISO 8859-1, the standard's set.
    /// Divide first, then resolve: an escaped delimiter divides nothing.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        escape::unescape(self.raw, self.delimiters)
    }

    /// As [`Part::text`] for senders that escape the bytes of another character set: `decode` gets each run of
    /// adjacent hexadecimal bytes and appends their text.
    #[must_use]
    pub fn text_with(&self, decode: impl FnMut(&[u8], &mut String)) -> Cow<'a, str> {
        escape::unescape_with(self.raw, self.delimiters, decode)
    }

    /// Nothing sent: unknown, irrelevant or unchanged. It must not erase what is stored (LIS02-A2 §5.4.5).
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// `""` was sent: erase what is stored (LIS02-A2 §5.4.5).
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.raw == "\"\""
    }

    /// Divides by component alone, whatever repeats lie inside: `4.5\24^adult` has the components `4.5\24` and
    /// `adult`. Reference ranges are written so, against the standard's order.
    pub fn outer_components(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.divide(self.delimiters.component_byte())
    }

    /// Divides by repeat alone: the repeats inside one component of [`Part::outer_components`].
    pub fn inner_repeats(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.divide(self.delimiters.repeat_byte())
    }

    fn divide(&self, delimiter: Option<u8>) -> Pieces<'a> {
        Pieces { rest: Some(self.raw), start: self.start, delimiters: self.delimiters, delimiter }
    }

    fn nth_piece(&self, delimiter: Option<u8>, number: usize) -> Option<Part<'a>> {
        self.divide(delimiter).nth(number.checked_sub(1)?)
    }
}

/// One field of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a>(Part<'a>);

impl<'a> Field<'a> {
    #[inline]
    pub(crate) fn new(part: Part<'a>) -> Self {
        Self(part)
    }

    /// The repeats; at least one, perhaps empty.
    pub fn repeats(&self) -> impl Iterator<Item = Repeat<'a>> + use<'a> {
        self.0.divide(self.0.delimiters.repeat_byte()).map(Repeat)
    }

    /// The repeat with this number, from 1.
    #[must_use]
    pub fn repeat(&self, number: usize) -> Option<Repeat<'a>> {
        self.0.nth_piece(self.0.delimiters.repeat_byte(), number).map(Repeat)
    }

    /// The component with this number, from 1, of the first repeat.
    #[must_use]
    pub fn component(&self, number: usize) -> Option<Part<'a>> {
        self.repeat(1)?.component(number)
    }

    /// The field as a piece.
    #[must_use]
    #[inline]
    pub fn part(&self) -> Part<'a> {
        self.0
    }
}

impl<'a> Deref for Field<'a> {
    type Target = Part<'a>;

    fn deref(&self) -> &Part<'a> {
        &self.0
    }
}

/// One repeat of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat<'a>(Part<'a>);

impl<'a> Repeat<'a> {
    /// The components; at least one, perhaps empty.
    pub fn components(&self) -> impl Iterator<Item = Part<'a>> + use<'a> {
        self.0.divide(self.0.delimiters.component_byte())
    }

    /// The component with this number, from 1.
    #[must_use]
    pub fn component(&self, number: usize) -> Option<Part<'a>> {
        self.0.nth_piece(self.0.delimiters.component_byte(), number)
    }

    /// The repeat as a piece.
    #[must_use]
    pub fn part(&self) -> Part<'a> {
        self.0
    }
}

impl<'a> Deref for Repeat<'a> {
    type Target = Part<'a>;

    fn deref(&self) -> &Part<'a> {
        &self.0
    }
}

/// The pieces between one delimiter.
struct Pieces<'a> {
    /// What is not yet given; `None` after the last piece.
    rest: Option<&'a str>,
    start: usize,
    delimiters: Delimiters,
    delimiter: Option<u8>,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Part<'a>;

    #[inline]
    fn next(&mut self) -> Option<Part<'a>> {
        let rest = self.rest?;
        let cut = self.delimiter.and_then(|d| first_of(rest.as_bytes(), d));
        let divided = cut.and_then(|at| Some((rest.get(..at)?, rest.get(at + 1..)?)));
        let (raw, after) = divided.map_or((rest, None), |(raw, after)| (raw, Some(after)));
        let start = self.start;
        self.rest = after;
        self.start = start + raw.len() + 1;
        Some(Part { raw, start, delimiters: self.delimiters })
    }
}

/// The first place of a byte. Fields are short: eight bytes at a time beats a search made for long texts.
fn first_of(bytes: &[u8], byte: u8) -> Option<usize> {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let (words, tail) = bytes.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ LOW.wrapping_mul(u64::from(byte));
        let equal = differs.wrapping_sub(LOW) & !differs & HIGH;
        if equal != 0 {
            return Some(8 * n + equal.trailing_zeros() as usize / 8);
        }
    }
    tail.iter().position(|b| *b == byte).map(|at| bytes.len() - tail.len() + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(raw: &str) -> Field<'_> {
        Field::new(Part::new(raw, 10, Delimiters::STANDARD))
    }

    #[test]
    fn a_repeat_holds_components() {
        let check = |raw: &str, expect: &[&[&str]]| {
            let found: Vec<Vec<&str>> =
                field(raw).repeats().map(|r| r.components().map(|c| c.raw()).collect()).collect();
            assert_eq!(found, expect, "{raw:?}");
        };
        check("", &[&[""]]);
        check("a", &[&["a"]]);
        check("^^^HBsAg", &[&["", "", "", "HBsAg"]]);
        check(r"^^^A\^^^B", &[&["", "", "", "A"], &["", "", "", "B"]]);
        check(r"\", &[&[""], &[""]]);
        check("40^^", &[&["40", "", ""]]);
        check("a&S&b^c", &[&["a&S&b", "c"]]);
        check("ä^ö\\ü", &[&["ä", "ö"], &["ü"]]);
    }

    #[test]
    fn a_reference_range_may_hold_repeats_inside_components() {
        let range = field(r"4.5\24^adult");
        let outer: Vec<&str> = range.outer_components().map(|c| c.raw()).collect();
        assert_eq!(outer, [r"4.5\24", "adult"]);
        let low_high: Vec<&str> =
            range.outer_components().next().unwrap().inner_repeats().map(|r| r.raw()).collect();
        assert_eq!(low_high, ["4.5", "24"]);
    }

    #[test]
    fn pieces_know_their_places() {
        let f = field(r"ab^c\d");
        assert_eq!(f.range(), 10..16);
        assert_eq!(f.component(2).unwrap().range(), 13..14);
        assert_eq!(f.repeat(2).unwrap().range(), 15..16);
        assert_eq!(f.repeat(3), None);
        assert_eq!(f.component(0), None);
        assert_eq!(f.component(3), None);
    }

    #[test]
    fn empty_is_not_null() {
        assert!(field("").is_empty() && !field("").is_null());
        assert!(field("\"\"").is_null() && !field("\"\"").is_empty());
        assert!(!field("\"").is_null());
    }
}

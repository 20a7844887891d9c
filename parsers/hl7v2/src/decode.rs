//! From bytes to text: what the message says of its own character set.

use crate::grammar::{self, is_terminator};
use character_sets::{CharacterSet, Choice, Decoded};
use std::borrow::Cow;

/// Where the declaration stands.
const CHARACTER_SET: usize = 18;

/// Decodes a whole message, before anything is split (a GBK second byte may be a delimiter).
///
/// `fixed` is what a profile lays down, `fallback` what its analyser sends when nothing else fits; between the two the
/// message's own MSH-18 is heard (see [`character_sets::decode`] for the order).
#[must_use]
pub fn decode(bytes: &[u8], fixed: Option<CharacterSet>, fallback: CharacterSet) -> Decoded<'_> {
    let names = declared_character_sets(bytes);
    let declared: Vec<&str> = names.iter().map(Cow::as_ref).collect();
    character_sets::decode(
        bytes,
        &Choice { fixed: fixed.or_else(|| wide(bytes)), declared: &declared, fallback },
    )
}

/// The repetitions of MSH-18, read from bytes whose character set is not known yet.
///
/// Empty if the bytes do not begin with a header in an ASCII-compatible set, or if it declares nothing.
#[must_use]
pub fn declared_character_sets(bytes: &[u8]) -> Vec<Cow<'_, str>> {
    let line = header_line(bytes);
    let Some((separator, repetition)) = header_delimiters(line) else { return Vec::new() };
    // Field 1 is the separator itself: MSH-18 stands after the seventeenth one.
    let mut fields = line.split(|byte| *byte == separator);
    let Some(declared) = fields.nth(CHARACTER_SET - 1).filter(|field| !field.is_empty()) else {
        return Vec::new();
    };
    declared.split(|byte| Some(*byte) == repetition).map(String::from_utf8_lossy).collect()
}

/// The first line that is not empty, without a mark of UTF-8 before it.
fn header_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes.split(|byte| is_terminator(*byte)).find(|line| !line.is_empty()).unwrap_or_default()
}

fn header_delimiters(line: &[u8]) -> Option<(u8, Option<u8>)> {
    let start = String::from_utf8_lossy(line.get(..line.len().min(16))?);
    let (_, header) = grammar::header_start(&start).ok()?;
    Some((header.separator, header.encoding.as_bytes().get(1).copied()))
}

/// UTF-16 without a mark, told by the zero bytes of `MSH`.
fn wide(bytes: &[u8]) -> Option<CharacterSet> {
    if bytes.starts_with(b"\0M\0S\0H") {
        Some(CharacterSet::Utf16Be)
    } else if bytes.starts_with(b"M\0S\0H\0") {
        Some(CharacterSet::Utf16Le)
    } else {
        None
    }
}

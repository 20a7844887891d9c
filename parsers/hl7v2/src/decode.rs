//! From bytes to text: what the message says of its own character set.

use crate::grammar::{self, is_terminator};
use character_sets::{CharacterSet, Choice, Decoded};

/// Where the declaration stands (MSH-18), and where the type does (MSH-9), counted in separators.
const CHARACTER_SET: usize = 17;
const TYPE: usize = 8;

/// How many repetitions of MSH-18 are heard.
const DECLARED_MAX: usize = 8;

/// Decodes a whole message, before anything is split (a GBK second byte may be a delimiter).
///
/// `fixed` is what a profile lays down, `fallback` what its analyser sends when nothing else fits; between the two the
/// message's own MSH-18 is heard (see [`character_sets::decode`] for the order).
#[must_use]
pub fn decode(bytes: &[u8], fixed: Option<CharacterSet>, fallback: CharacterSet) -> Decoded<'_> {
    let mut names = [""; DECLARED_MAX];
    names.iter_mut().zip(declared(bytes)).for_each(|(name, declared)| *name = declared);
    let fixed = fixed.or_else(|| wide(bytes));
    character_sets::decode(bytes, &Choice { fixed, declared: &names, fallback })
}

/// The repetitions of MSH-18, read from bytes whose character set is not known yet; one that is no text is U+FFFD.
///
/// Empty if the bytes do not begin with a header in an ASCII-compatible set, or if it declares nothing. Where a sender
/// left fields out of its header (see [`crate::Header`]), the declaration is the first field after the version that
/// names a known set.
#[must_use]
pub fn declared_character_sets(bytes: &[u8]) -> Vec<&str> {
    declared(bytes).take(DECLARED_MAX).collect()
}

fn declared(bytes: &[u8]) -> impl Iterator<Item = &str> {
    let line = header_line(bytes);
    let (separator, [component, repetition]) = header_delimiters(line).unwrap_or_default();
    let fields = move || line.split(move |byte| *byte == separator);
    let is_type = move |field: &[u8]| grammar::is_message_type(text_of(field), char::from(component));
    // Where the type stands in its place, as nearly always, nothing else is looked at.
    let standard = fields().nth(TYPE).is_some_and(is_type);
    let moved = || fields().take(TYPE).position(is_type).filter(|at| *at >= 2);
    let field = match if standard { None } else { moved() } {
        Some(at) => fields().skip(at + 4).find(|field| CharacterSet::from_msh18(text_of(field)).is_some()),
        None => fields().nth(CHARACTER_SET),
    };
    let declared = field.filter(|field| !field.is_empty());
    declared.into_iter().flat_map(move |field| field.split(move |byte| *byte == repetition)).map(text_of)
}

fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or("\u{FFFD}")
}

/// The first line that is not empty, without a mark of UTF-8 before it.
fn header_line(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    bytes.split(|byte| is_terminator(*byte)).find(|line| !line.is_empty()).unwrap_or_default()
}

/// The field separator, and the component and repetition separators (or the field separator, which is in no field).
fn header_delimiters(line: &[u8]) -> Option<(u8, [u8; 2])> {
    // MSH, the separator, at most five more, and the separator again: ASCII, whatever follows.
    let start = line.get(..line.len().min(10)).unwrap_or_default();
    let ascii = start.iter().position(|byte| !byte.is_ascii()).unwrap_or(start.len());
    let (_, header) = grammar::header_start(text_of(start.get(..ascii)?)).ok()?;
    let encoding = header.encoding.as_bytes();
    let delimiter = |number: usize| encoding.get(number).copied().unwrap_or(header.separator);
    Some((header.separator, [delimiter(0), delimiter(1)]))
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

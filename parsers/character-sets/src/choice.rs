//! Which set a message is read in, and why.

use crate::character_set::CharacterSet;
use crate::decode::{Defect, Defects, read};
use crate::place::place_in;
use std::borrow::Cow;

/// What is known about a message before it is read.
#[derive(Clone, Copy, Debug)]
pub struct Choice<'a> {
    /// What the profile lays down. It wins over everything, even over a byte order mark.
    pub fixed: Option<CharacterSet>,
    /// What the message says of itself: the repetitions of MSH-18, as they stand there.
    pub declared: &'a [&'a str],
    /// What the profile says the analyser sends when nothing else fits; GB18030, windows-1251, Latin-1.
    pub fallback: CharacterSet,
}

impl Default for Choice<'_> {
    /// Nothing laid down, nothing declared, and GB18030 for what is not UTF-8.
    fn default() -> Self {
        Self { fixed: None, declared: &[], fallback: CharacterSet::Gb18030 }
    }
}

/// Why a set was taken; the order is that of the attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The profile lays it down.
    Fixed,
    /// The bytes begin with its byte order mark.
    ByteOrderMark,
    /// The message declares it and every byte fits.
    Declared,
    /// Every byte fits UTF-8.
    ProvenUtf8,
    /// Nothing else fitted.
    Fallback,
}

/// Something a person may want to know about the choice; no byte was lost by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The message declares a name that is not known here.
    UnknownDeclaration {
        /// The name as it was declared.
        name: String,
    },
    /// The message declares a set that its bytes do not fit; the next one in the order was tried.
    DeclarationDoesNotFit {
        /// The set that was declared.
        set: CharacterSet,
        /// The first byte that does not fit, counted from the start of the input.
        at: usize,
    },
}

/// Text, and how it came about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded<'a> {
    /// The text without its byte order mark; borrowed when the input was ASCII or UTF-8 already.
    pub text: Cow<'a, str>,
    /// The set that was used.
    pub used: CharacterSet,
    /// Why that one.
    pub reason: Reason,
    /// How many bytes of byte order mark stand before the text in the input.
    pub mark_bytes: usize,
    /// What was declared and could not be followed.
    pub notes: Vec<Note>,
    /// The bytes that could not be read.
    pub defects: Defects,
}

impl Decoded<'_> {
    /// Where the character at `text_at` (in bytes of the text) stands in the input, in bytes; `input` is what was decoded.
    ///
    /// Exact but for multi-byte sets where a sender used an unusual form of a character, and then near. It walks through
    /// the input: for people, not for every value.
    #[must_use]
    pub fn place_in(&self, input: &[u8], text_at: usize) -> usize {
        let coded = input.get(self.mark_bytes..).unwrap_or_default();
        let defects: Vec<Defect> =
            self.defects.places().iter().map(|d| d.moved_back_by(self.mark_bytes)).collect();
        self.mark_bytes + place_in(coded, self.used, &self.text, &defects, text_at)
    }
}

/// Reads a whole message as text, in the order: what the profile fixes, byte order mark, what the message declares
/// if all of it fits, UTF-8 if all of it fits, the profile's fallback. It never fails; see [`Decoded::defects`].
#[must_use]
pub fn decode<'a>(bytes: &'a [u8], choice: &Choice<'_>) -> Decoded<'a> {
    if let Some(set) = choice.fixed {
        return settle(bytes, set, mark_of(bytes, set), Reason::Fixed);
    }
    if let Some((set, mark_bytes)) = marked(bytes) {
        return settle(bytes, set, mark_bytes, Reason::ByteOrderMark);
    }
    let mut notes = Vec::new();
    if let Some(decoded) = declared(bytes, choice.declared, &mut notes) {
        return Decoded { notes, ..decoded };
    }
    let proven = settle(bytes, CharacterSet::Utf8, 0, Reason::ProvenUtf8);
    if proven.defects.is_empty() {
        return Decoded { notes, ..proven };
    }
    Decoded { notes, ..settle(bytes, choice.fallback, 0, Reason::Fallback) }
}

fn settle(bytes: &[u8], set: CharacterSet, mark_bytes: usize, reason: Reason) -> Decoded<'_> {
    let (text, defects) = read(bytes.get(mark_bytes..).unwrap_or_default(), set);
    Decoded { text, used: set, reason, mark_bytes, notes: Vec::new(), defects: defects.moved_by(mark_bytes) }
}

/// The first declared set that fits every byte.
///
/// Escape-sequence sets go first: their bytes are ASCII bytes, so that ASCII named before them would fit too.
fn declared<'a>(bytes: &'a [u8], names: &[&str], notes: &mut Vec<Note>) -> Option<Decoded<'a>> {
    let names = || names.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
    let sets = || names().filter_map(CharacterSet::from_msh18);
    for name in names().filter(|name| CharacterSet::from_msh18(name).is_none()) {
        notes.push(Note::UnknownDeclaration { name: name.to_owned() });
    }
    let by_escapes = |set: &CharacterSet| *set == CharacterSet::Iso2022Jp;
    for set in sets().filter(by_escapes).chain(sets().filter(|set| !by_escapes(set))) {
        let set = with_order_of(bytes, set);
        let decoded = settle(bytes, set, 0, Reason::Declared);
        match first_misfit(bytes, &decoded) {
            None => return Some(decoded),
            Some(at) => notes.push(Note::DeclarationDoesNotFit { set, at }),
        }
    }
    None
}

/// Where a declared set is refuted. ISO 8859 gives every byte a meaning, but its control characters 80–9F are in no
/// laboratory text: they betray GBK or a Windows code page.
fn first_misfit(bytes: &[u8], decoded: &Decoded<'_>) -> Option<usize> {
    let is_control = |byte: &u8| decoded.used.has_c1_controls() && (0x80..0xA0).contains(byte);
    let control = || bytes.iter().position(is_control);
    decoded.defects.places().first().map(|defect| defect.at.start).or_else(control)
}

/// UTF-16 or UTF-32 without a mark: the zero bytes of the first character (`M`) tell the order.
fn with_order_of(bytes: &[u8], set: CharacterSet) -> CharacterSet {
    let little = bytes.first().is_some_and(|first| *first != 0) && bytes.get(1) == Some(&0);
    match (set, little) {
        (CharacterSet::Utf16Be, true) => CharacterSet::Utf16Le,
        (CharacterSet::Utf32Be, true) => CharacterSet::Utf32Le,
        (other, _) => other,
    }
}

/// The byte order marks; UTF-32 before UTF-16, whose mark it begins with.
const MARKS: &[(&[u8], CharacterSet)] = &[
    (&[0xEF, 0xBB, 0xBF], CharacterSet::Utf8),
    (&[0xFF, 0xFE, 0, 0], CharacterSet::Utf32Le),
    (&[0, 0, 0xFE, 0xFF], CharacterSet::Utf32Be),
    (&[0xFF, 0xFE], CharacterSet::Utf16Le),
    (&[0xFE, 0xFF], CharacterSet::Utf16Be),
    (&[0x84, 0x31, 0x95, 0x33], CharacterSet::Gb18030),
];

fn marked(bytes: &[u8]) -> Option<(CharacterSet, usize)> {
    MARKS.iter().find(|(mark, _)| bytes.starts_with(mark)).map(|(mark, set)| (*set, mark.len()))
}

/// The length of the mark of exactly this set, if the bytes begin with it.
fn mark_of(bytes: &[u8], set: CharacterSet) -> usize {
    MARKS.iter().find(|(mark, of)| *of == set && bytes.starts_with(mark)).map_or(0, |(mark, _)| mark.len())
}

//! One set, strictly: bytes to text, and every byte that could not be read.

use crate::character_set::{CharacterSet, Codec, Endian};
use encoding_rs::{DecoderResult, Encoding};
use std::borrow::Cow;
use std::ops::Range;

/// Bytes that are no character in the set that was used; the text has one U+FFFD for each defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Defect {
    /// Where in the input, in bytes.
    pub at: Range<usize>,
}

impl Defect {
    /// The place as it lies after a byte order mark.
    pub(crate) fn moved_back_by(&self, skipped: usize) -> Self {
        Self { at: self.at.start.saturating_sub(skipped)..self.at.end.saturating_sub(skipped) }
    }
}

/// The unreadable places of one input: the first [`Defects::KEPT_MAX`] of them, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Defects {
    kept: Vec<Defect>,
    total: usize,
}

impl Defects {
    /// How many places are kept; the rest are counted only.
    pub const KEPT_MAX: usize = 256;

    /// The places, in order.
    #[must_use]
    pub fn places(&self) -> &[Defect] {
        &self.kept
    }

    /// How many places there were, kept or not.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether every byte could be read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.total == 0
    }

    fn push(&mut self, at: Range<usize>) {
        self.total = self.total.saturating_add(1);
        if self.kept.len() < Self::KEPT_MAX {
            self.kept.push(Defect { at });
        }
    }

    /// The places as they lie in an input that has `skipped` bytes before the one that was decoded.
    pub(crate) fn moved_by(mut self, skipped: usize) -> Self {
        for defect in &mut self.kept {
            defect.at = defect.at.start + skipped..defect.at.end + skipped;
        }
        self
    }
}

/// Reads `bytes` as `set`. Borrowed when nothing had to change.
pub(crate) fn read(bytes: &[u8], set: CharacterSet) -> (Cow<'_, str>, Defects) {
    if set.extends_ascii()
        && bytes.is_ascii()
        && let Ok(text) = simdutf8::basic::from_utf8(bytes)
    {
        return (Cow::Borrowed(text), Defects::default());
    }
    match set.codec() {
        Codec::Ascii => ascii(bytes),
        Codec::Utf8 => utf8(bytes),
        Codec::Utf16(endian) => utf16(bytes, endian),
        Codec::Utf32(endian) => utf32(bytes, endian),
        Codec::Latin(changed) => (Cow::Owned(latin(bytes, changed)), Defects::default()),
        Codec::Table(encoding) => table(bytes, encoding),
    }
}

fn ascii(bytes: &[u8]) -> (Cow<'_, str>, Defects) {
    let mut defects = Defects::default();
    let mut text = String::with_capacity(bytes.len() + 16);
    for (at, &byte) in bytes.iter().enumerate() {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            text.push(char::REPLACEMENT_CHARACTER);
            defects.push(at..at + 1);
        }
    }
    (Cow::Owned(text), defects)
}

fn utf8(bytes: &[u8]) -> (Cow<'_, str>, Defects) {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return (Cow::Borrowed(text), Defects::default());
    }
    let mut defects = Defects::default();
    let mut text = String::with_capacity(bytes.len() + 16);
    let mut place = 0;
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        place += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
            defects.push(place..place + chunk.invalid().len());
            place += chunk.invalid().len();
        }
    }
    (Cow::Owned(text), defects)
}

fn utf16(bytes: &[u8], endian: Endian) -> (Cow<'_, str>, Defects) {
    let mut defects = Defects::default();
    let mut text = String::with_capacity(bytes.len());
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| match endian {
        Endian::Little => u16::from_le_bytes(*pair),
        Endian::Big => u16::from_be_bytes(*pair),
    });
    let mut place = 0;
    for unit in char::decode_utf16(units) {
        if let Ok(character) = unit {
            text.push(character);
            place += character.len_utf16() * 2;
        } else {
            text.push(char::REPLACEMENT_CHARACTER);
            defects.push(place..place + 2);
            place += 2;
        }
    }
    trailing(rest.len(), place, &mut text, &mut defects);
    (Cow::Owned(text), defects)
}

fn utf32(bytes: &[u8], endian: Endian) -> (Cow<'_, str>, Defects) {
    let mut defects = Defects::default();
    let mut text = String::with_capacity(bytes.len());
    let (quads, rest) = bytes.as_chunks::<4>();
    let mut place = 0;
    for quad in quads {
        let value = match endian {
            Endian::Little => u32::from_le_bytes(*quad),
            Endian::Big => u32::from_be_bytes(*quad),
        };
        let character = char::from_u32(value);
        text.push(character.unwrap_or(char::REPLACEMENT_CHARACTER));
        if character.is_none() {
            defects.push(place..place + 4);
        }
        place += 4;
    }
    trailing(rest.len(), place, &mut text, &mut defects);
    (Cow::Owned(text), defects)
}

/// An input that ends inside a code unit.
fn trailing(length: usize, place: usize, text: &mut String, defects: &mut Defects) {
    if length > 0 {
        text.push(char::REPLACEMENT_CHARACTER);
        defects.push(place..place + length);
    }
}

fn latin(bytes: &[u8], changed: &[(u8, char)]) -> String {
    bytes
        .iter()
        .map(|&byte| {
            changed.iter().find(|(known, _)| *known == byte).map_or_else(|| char::from(byte), |(_, to)| *to)
        })
        .collect()
}

fn table(bytes: &[u8], encoding: &'static Encoding) -> (Cow<'static, str>, Defects) {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut defects = Defects::default();
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 2 + 16);
    let mut place = 0;
    while let Some(rest) = bytes.get(place..) {
        let (result, taken) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        place += taken;
        match result {
            DecoderResult::InputEmpty => break,
            DecoderResult::OutputFull => {
                let wanted = decoder.max_utf8_buffer_length_without_replacement(rest.len() - taken);
                text.reserve(wanted.unwrap_or(rest.len()).max(64));
            }
            DecoderResult::Malformed(length, after) => {
                text.push(char::REPLACEMENT_CHARACTER);
                let end = place.saturating_sub(usize::from(after));
                defects.push(end.saturating_sub(usize::from(length))..end);
            }
        }
    }
    (Cow::Owned(text), defects)
}

//! Text to bytes.

use crate::character_set::{CharacterSet, Codec, Endian};
use crate::decode::Defect;
use encoding_rs::{EncoderResult, Encoding};
use std::borrow::Cow;

/// Bytes, and the characters that the set cannot express.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded<'a> {
    /// The bytes, without a byte order mark; `?` stands where a character could not be expressed.
    pub bytes: Cow<'a, [u8]>,
    /// Those characters, by their place in the text (in bytes of the text).
    pub defects: Vec<Defect>,
}

/// Writes `text` in `set`. Borrowed when the text already is what is asked for.
#[must_use]
pub fn encode(text: &str, set: CharacterSet) -> Encoded<'_> {
    if set == CharacterSet::Utf8 || (set.extends_ascii() && text.is_ascii()) {
        return Encoded { bytes: Cow::Borrowed(text.as_bytes()), defects: Vec::new() };
    }
    let (bytes, defects) = match set.codec() {
        Codec::Ascii => by_character(text, |c| u8::try_from(c).ok().filter(u8::is_ascii)),
        Codec::Latin(changed) => by_character(text, |c| latin(c, changed)),
        Codec::Utf8 => (text.as_bytes().to_vec(), Vec::new()),
        Codec::Utf16(endian) => (utf16(text, endian), Vec::new()),
        Codec::Utf32(endian) => (utf32(text, endian), Vec::new()),
        Codec::Table(encoding) => table(text, encoding),
    };
    Encoded { bytes: Cow::Owned(bytes), defects }
}

fn latin(character: char, changed: &[(u8, char)]) -> Option<u8> {
    if let Some((byte, _)) = changed.iter().find(|(_, to)| *to == character) {
        return Some(*byte);
    }
    u8::try_from(character).ok().filter(|byte| !changed.iter().any(|(other, _)| other == byte))
}

fn by_character(text: &str, write: impl Fn(char) -> Option<u8>) -> (Vec<u8>, Vec<Defect>) {
    let mut defects = Vec::new();
    let bytes = text.char_indices().map(|(at, character)| {
        write(character).unwrap_or_else(|| {
            defects.push(Defect { at: at..at + character.len_utf8() });
            b'?'
        })
    });
    let bytes = bytes.collect();
    (bytes, defects)
}

fn utf16(text: &str, endian: Endian) -> Vec<u8> {
    text.encode_utf16()
        .flat_map(|unit| match endian {
            Endian::Little => unit.to_le_bytes(),
            Endian::Big => unit.to_be_bytes(),
        })
        .collect()
}

fn utf32(text: &str, endian: Endian) -> Vec<u8> {
    text.chars()
        .flat_map(|character| match endian {
            Endian::Little => u32::from(character).to_le_bytes(),
            Endian::Big => u32::from(character).to_be_bytes(),
        })
        .collect()
}

fn table(text: &str, encoding: &'static Encoding) -> (Vec<u8>, Vec<Defect>) {
    let (bytes, defects) = convert(text, encoding);
    let back = encoding.decode_without_bom_handling_and_without_replacement(&bytes);
    if defects.is_empty() && back.is_some_and(|back| back == text) {
        return (bytes, defects);
    }
    without_one_way_characters(text, encoding)
}

/// The tables know one-way conversions (in the Japanese sets `¥` becomes the byte of `\`, which HL7 would take for an
/// escape): a character that would not come back is not written.
fn without_one_way_characters(text: &str, encoding: &'static Encoding) -> (Vec<u8>, Vec<Defect>) {
    let mut defects = Vec::new();
    let mut kept = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let mut room = [0; 4];
        let one: &str = character.encode_utf8(&mut room);
        let (coded, unmapped) = convert(one, encoding);
        let back = encoding.decode_without_bom_handling_and_without_replacement(&coded);
        if unmapped.is_empty() && back.is_some_and(|back| back == one) {
            kept.push(character);
        } else {
            kept.push('?');
            defects.push(Defect { at: at..at + character.len_utf8() });
        }
    }
    (convert(&kept, encoding).0, defects)
}

/// As the table has it, one-way conversions included.
pub(crate) fn convert(text: &str, encoding: &'static Encoding) -> (Vec<u8>, Vec<Defect>) {
    let mut encoder = encoding.new_encoder();
    let mut defects = Vec::new();
    let mut bytes = Vec::with_capacity(text.len() + 16);
    let mut place = 0;
    while let Some(rest) = text.get(place..) {
        let (result, taken) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut bytes, true);
        place += taken;
        match result {
            EncoderResult::InputEmpty => break,
            EncoderResult::OutputFull => bytes.reserve(rest.len().max(64)),
            EncoderResult::Unmappable(character) => {
                bytes.push(b'?');
                defects.push(Defect { at: place.saturating_sub(character.len_utf8())..place });
            }
        }
    }
    (bytes, defects)
}

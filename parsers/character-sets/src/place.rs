//! From a place in the text back to a place in the bytes it was read from.

use crate::character_set::{CharacterSet, Codec};
use crate::decode::Defect;
use crate::encode::convert;
use encoding_rs::Encoding;

/// Where the character at `text_at` of `text` begins in `bytes`, which were read as `set` with these defects.
pub(crate) fn place_in(
    bytes: &[u8],
    set: CharacterSet,
    text: &str,
    defects: &[Defect],
    text_at: usize,
) -> usize {
    let before = || text.char_indices().take_while(|(at, _)| *at < text_at).map(|(_, character)| character);
    let place = match set.codec() {
        Codec::Ascii | Codec::Latin(_) => before().count(),
        Codec::Utf16(_) => before().map(|character| character.len_utf16() * 2).sum(),
        Codec::Utf32(_) => before().count() * 4,
        Codec::Utf8 => in_utf8(bytes, text_at),
        Codec::Table(encoding) => in_table(encoding, text.get(..text_at).unwrap_or(text), defects),
    };
    place.min(bytes.len())
}

fn in_utf8(bytes: &[u8], text_at: usize) -> usize {
    let (mut place, mut written) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        if text_at <= written + chunk.valid().len() {
            return place + text_at - written;
        }
        written += chunk.valid().len();
        place += chunk.valid().len() + chunk.invalid().len();
        if !chunk.invalid().is_empty() {
            written += char::REPLACEMENT_CHARACTER.len_utf8();
        }
    }
    place
}

/// Counts what the text before would be as bytes, from the last defect on. Exact unless the sender wrote a character in a
/// way that is not the usual one of its set (GB 18030 has two for a few), and then by a byte or two.
fn in_table(encoding: &'static Encoding, before: &str, defects: &[Defect]) -> usize {
    let (mut place, mut counted) = (0, 0);
    let mut defects = defects.iter().peekable();
    let length = |text: Option<&str>| text.map_or(0, |text| convert(text, encoding).0.len());
    for (at, mark) in before.match_indices(char::REPLACEMENT_CHARACTER) {
        place += length(before.get(counted..at));
        counted = at + mark.len();
        // A U+FFFD that the sender wrote himself has no defect beside it.
        let defect = defects.next_if(|defect| defect.at.start.abs_diff(place) <= NEAR);
        place = defect.map_or_else(|| place + length(Some(mark)), |defect| defect.at.end);
    }
    place + length(before.get(counted..))
}

/// How far a count may be from a defect to be taken for it.
const NEAR: usize = 16;

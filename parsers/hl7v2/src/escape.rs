//! Escape sequences: `\F\ \S\ \T\ \R\ \E\ \P\ \Xhh\ \.br\ \H\ \N\` (HL7 2.x §2.7). Applied after splitting only.

use crate::delimiters::Delimiters;
use crate::grammar::{Sequence, sequence};
use crate::part::find;
use std::borrow::Cow;
use std::fmt::Write;

/// The text that a raw value stands for. Borrowed when it holds no escape character.
///
/// What is no escape sequence is kept as it stands: a lone escape character, an unknown code, a hexadecimal sequence
/// that is no UTF-8, and the known forms that have no plain text (`\Zxx\`, `\Cxxyy\`, `\Mxxyyzz\`, `\.in+2\`).
/// `\H\` and `\N\` vanish, `\.br\` becomes a line feed.
#[must_use]
pub fn unescape(raw: &str, delimiters: Delimiters) -> Cow<'_, str> {
    let Some(escape) = delimiters.escape else { return Cow::Borrowed(raw) };
    if find(escape, raw).is_none() {
        Cow::Borrowed(raw)
    } else {
        Cow::Owned(unescaped(raw, escape, delimiters))
    }
}

fn unescaped(raw: &str, escape: u8, delimiters: Delimiters) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut hexadecimal = Vec::new();
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once(char::from(escape)) {
        let found = after.split_once(char::from(escape)).and_then(|(i, next)| Some((sequence(i)?, i, next)));
        let next = match found {
            Some((Sequence::Hexadecimal(digits), _, next)) => {
                // Neighbouring sequences may hold the bytes of one character.
                push_before(&mut text, before, &mut hexadecimal, escape);
                hexadecimal.extend(bytes_of(digits));
                next
            }
            Some((found, inside, next)) => {
                push_before(&mut text, before, &mut hexadecimal, escape);
                flush(&mut text, &mut hexadecimal, escape);
                push(&mut text, &found, inside, delimiters);
                next
            }
            None => {
                push_before(&mut text, before, &mut hexadecimal, escape);
                flush(&mut text, &mut hexadecimal, escape);
                text.push(char::from(escape));
                after
            }
        };
        rest = next;
    }
    push_before(&mut text, rest, &mut hexadecimal, escape);
    flush(&mut text, &mut hexadecimal, escape);
    text
}

/// The plain text before a sequence; it ends a run of hexadecimal bytes.
fn push_before(text: &mut String, before: &str, hexadecimal: &mut Vec<u8>, escape: u8) {
    if !before.is_empty() {
        flush(text, hexadecimal, escape);
        text.push_str(before);
    }
}

/// Bytes from hexadecimal sequences: text if they are UTF-8, else the sequence as it stood.
fn flush(text: &mut String, hexadecimal: &mut Vec<u8>, escape: u8) {
    for chunk in hexadecimal.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::from(escape));
            text.push('X');
            chunk.invalid().iter().for_each(|byte| push_hexadecimal(text, *byte));
            text.push(char::from(escape));
        }
    }
    hexadecimal.clear();
}

fn push(text: &mut String, found: &Sequence<'_>, inside: &str, delimiters: Delimiters) {
    let delimiter = match found {
        Sequence::Delimiter('F') => Some(delimiters.field),
        Sequence::Delimiter('S') => delimiters.component,
        Sequence::Delimiter('T') => delimiters.subcomponent,
        Sequence::Delimiter('R') => delimiters.repetition,
        Sequence::Delimiter('E') => delimiters.escape,
        Sequence::Delimiter(_) => delimiters.truncation,
        Sequence::LineBreak => Some(b'\n'),
        Sequence::Highlight => return,
        Sequence::Hexadecimal(_) | Sequence::Kept => None,
    };
    match (delimiter, delimiters.escape()) {
        (Some(byte), _) => text.push(char::from(byte)),
        (None, Some(escape)) => {
            text.push(escape);
            text.push_str(inside);
            text.push(escape);
        }
        (None, None) => text.push_str(inside),
    }
}

fn bytes_of(digits: &str) -> impl Iterator<Item = u8> + '_ {
    let (pairs, _) = digits.as_bytes().as_chunks::<2>();
    pairs.iter().filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
}

fn push_hexadecimal(text: &mut String, byte: u8) {
    // Writing to a String cannot fail.
    write!(text, "{byte:02X}").unwrap_or_default();
}

/// The raw value that stands for a text; [`unescape`] gives the text back.
///
/// Besides the delimiters, segment terminators, MLLP's block characters and the text `""` (which would mean "delete")
/// are written in hexadecimal. Borrowed when nothing has to change.
#[must_use]
pub fn escape(text: &str, delimiters: Delimiters) -> Cow<'_, str> {
    let Some(escape) = delimiters.escape else { return Cow::Borrowed(text) };
    let must = |byte: u8| needs_hexadecimal(byte) || delimiters.escaped_letter(byte).is_some();
    if text != "\"\"" && !text.bytes().any(must) {
        return Cow::Borrowed(text);
    }
    let mut raw = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        let byte = u8::try_from(character).ok().filter(u8::is_ascii);
        let letter = byte.and_then(|byte| delimiters.escaped_letter(byte));
        match (byte, letter) {
            (Some(_), Some(letter)) => {
                raw.extend([char::from(escape), letter, char::from(escape)]);
            }
            (Some(byte), None) if needs_hexadecimal(byte) || text == "\"\"" => {
                raw.extend([char::from(escape), 'X']);
                push_hexadecimal(&mut raw, byte);
                raw.push(char::from(escape));
            }
            _ => raw.push(character),
        }
    }
    Cow::Owned(raw)
}

/// Segment terminators and MLLP's block characters.
fn needs_hexadecimal(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | 0x0B | 0x1C)
}

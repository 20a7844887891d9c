//! Escape sequences inside fields (LIS02-A2 §5.4.6): read, and written.
//!
//! ```text
//! &F& field   &S& component   &R& repeat   &E& escape   &Xhh…& bytes   &H& &N& highlight on, off   &Z…& local
//! ```
//! Many senders write a bare `&` in text. A sequence that is unknown or has no end is therefore literal text.

use std::borrow::Cow;

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while1};
use nom::character::complete::{char as character, one_of};
use nom::combinator::{map, recognize};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::delimiters::Delimiters;

/// One recognised sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sequence<'a> {
    Delimiter(Option<char>),
    Highlight,
    Hex(&'a str),
    /// Agreed between two parties only: kept as it stands, escape characters included.
    Local(&'a str),
}

/// `sequence = escape ("F" / "S" / "R" / "E" / "H" / "N" / "X" 1*HEXDIG / "Z" *any) escape`
fn sequence(input: &str, escape: char, delimiters: Delimiters) -> IResult<&str, Sequence<'_>> {
    let d = delimiters;
    let named = map(one_of("FSREHN"), move |code| match code {
        'F' => Sequence::Delimiter(Some(d.field())),
        'S' => Sequence::Delimiter(d.component()),
        'R' => Sequence::Delimiter(d.repeat()),
        'E' => Sequence::Delimiter(d.escape()),
        _ => Sequence::Highlight,
    });
    let hex = map(preceded(character('X'), take_while1(|c: char| c.is_ascii_hexdigit())), Sequence::Hex);
    let known = delimited(character(escape), alt((named, hex)), character(escape));
    let local = (character(escape), character('Z'), take_till(|c| c == escape), character(escape));
    alt((known, map(recognize(local), Sequence::Local))).parse_complete(input)
}

/// The text with its escape sequences resolved. Hexadecimal bytes are ISO 8859-1, the standard's character set.
pub(crate) fn unescape(raw: &str, delimiters: Delimiters) -> Cow<'_, str> {
    unescape_with(raw, delimiters, |bytes, text| text.extend(bytes.iter().copied().map(char::from)))
}

/// As [`unescape`], with the caller's reading of hexadecimal bytes. Adjacent sequences (`&XC4&&XE3&`) come together.
pub(crate) fn unescape_with(
    raw: &str,
    delimiters: Delimiters,
    mut decode: impl FnMut(&[u8], &mut String),
) -> Cow<'_, str> {
    let Some(escape) = delimiters.escape_byte() else { return Cow::Borrowed(raw) };
    let Some(first) = memchr::memchr(escape, raw.as_bytes()) else { return Cow::Borrowed(raw) };
    let mut text = String::with_capacity(raw.len());
    let mut bytes = Vec::new();
    let (head, mut rest) = raw.split_at_checked(first).unwrap_or((raw, ""));
    text.push_str(head);
    while !rest.is_empty() {
        if let Ok((after, found)) = sequence(rest, char::from(escape), delimiters) {
            rest = after;
            if let Sequence::Hex(digits) = found {
                push_hex(digits, &mut bytes);
                continue;
            }
            flush(&mut bytes, &mut text, &mut decode);
            match found {
                Sequence::Delimiter(Some(delimiter)) => text.push(delimiter),
                Sequence::Local(whole) => text.push_str(whole),
                Sequence::Delimiter(None) | Sequence::Highlight | Sequence::Hex(_) => {}
            }
            continue;
        }
        flush(&mut bytes, &mut text, &mut decode);
        // Literal up to the next escape character, this one included.
        let tail = rest.as_bytes().get(1..).unwrap_or_default();
        let next = memchr::memchr(escape, tail).map_or(rest.len(), |at| at + 1);
        let (literal, after) = rest.split_at_checked(next).unwrap_or((rest, ""));
        text.push_str(literal);
        rest = after;
    }
    flush(&mut bytes, &mut text, &mut decode);
    Cow::Owned(text)
}

fn flush(bytes: &mut Vec<u8>, text: &mut String, decode: &mut impl FnMut(&[u8], &mut String)) {
    if !bytes.is_empty() {
        decode(bytes, text);
        bytes.clear();
    }
}

/// Digits to bytes; an odd number of digits has a leading zero (`A` is one byte, LF).
fn push_hex(digits: &str, bytes: &mut Vec<u8>) {
    let mut high = if digits.len() % 2 == 1 { Some(0) } else { None };
    for value in digits.chars().filter_map(|c| c.to_digit(16)).filter_map(|v| u8::try_from(v).ok()) {
        high = match high {
            None => Some(value),
            Some(h) => {
                bytes.push(h << 4 | value);
                None
            }
        };
    }
}

/// The raw field text that stands for `text`: delimiters and control characters are escaped. `None` when that needs an
/// escape character and the delimiters name none.
#[must_use]
pub fn escape(text: &str, delimiters: Delimiters) -> Option<Cow<'_, str>> {
    let mut raw = String::new();
    if !escape_into(text, delimiters, &mut raw) {
        return None;
    }
    Some(if raw == text { Cow::Borrowed(text) } else { Cow::Owned(raw) })
}

/// Appends `text` with delimiters and control characters escaped; `false` when that needs an escape character and
/// there is none.
pub(crate) fn escape_into(text: &str, delimiters: Delimiters, out: &mut String) -> bool {
    let special = |c: char| u8::try_from(c).is_ok_and(|b| delimiters.contain(b) || b < 32 || b == 127);
    if !text.contains(special) {
        out.push_str(text);
        return true;
    }
    let Some(escape) = delimiters.escape() else { return false };
    for c in text.chars() {
        if !special(c) {
            out.push(c);
            continue;
        }
        out.push(escape);
        if c == delimiters.field() {
            out.push('F');
        } else if Some(c) == delimiters.component() {
            out.push('S');
        } else if Some(c) == delimiters.repeat() {
            out.push('R');
        } else if Some(c) == delimiters.escape() {
            out.push('E');
        } else {
            push_hex_byte(u8::try_from(c).unwrap_or_default(), out);
        }
        out.push(escape);
    }
    true
}

fn push_hex_byte(byte: u8, out: &mut String) {
    out.push('X');
    for digit in [byte >> 4, byte & 15] {
        out.extend(char::from_digit(u32::from(digit), 16).map(|c| c.to_ascii_uppercase()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_are_resolved_and_everything_else_is_literal() {
        let check = |raw: &str, expect: &str| {
            assert_eq!(unescape(raw, Delimiters::STANDARD), expect, "{raw:?}");
        };
        check("plain", "plain");
        check("a&F&b", "a|b");
        check("&S&&R&&E&", "^\\&");
        check("see &F& manual &S& 4", "see | manual ^ 4");
        check("&H&bold&N& plain", "bold plain");
        check("line&XA&line", "line\nline");
        check("&X0D0A&", "\r\n");
        check("&XABC&", "\u{a}\u{bc}");
        check("&XE4&", "ä");
        check("&Zlocal&", "&Zlocal&");
        check("&Zlocal&F&", "&Zlocal&F&");
        // bare, unterminated, unknown, lower case, nested: literal
        check("A & B", "A & B");
        check("A & B & C", "A & B & C");
        check("A & B &F& C", "A & B | C");
        check("M&M", "M&M");
        check("&F", "&F");
        check("&", "&");
        check("&&", "&&");
        check("&&F&", "&|");
        check("&X&", "&X&");
        check("&XG1&", "&XG1&");
        check("&f&", "&f&");
        check("&Q&F&", "&Q|");
        check("&E&F&E&", "&F&");
        check("", "");
    }

    #[test]
    fn without_an_escape_character_nothing_is_a_sequence() {
        let none = Delimiters::new('|', '\\', '^', None).unwrap();
        assert_eq!(unescape("a&F&b", none), "a&F&b");
        let odd = Delimiters::new('|', '@', '^', Some('\\')).unwrap();
        assert_eq!(unescape(r"a\F\b\R\c&F&", odd), "a|b@c&F&");
    }

    #[test]
    fn adjacent_hexadecimal_bytes_are_decoded_together() {
        let mut seen = Vec::new();
        let text = unescape_with("x&XC4&&XE3&y&X41&", Delimiters::STANDARD, |bytes, text| {
            seen.push(bytes.to_vec());
            text.push('?');
        });
        assert_eq!(text, "x?y?");
        assert_eq!(seen, [vec![0xC4, 0xE3], vec![0x41]]);
    }

    #[test]
    fn text_without_an_escape_character_is_borrowed() {
        assert!(matches!(unescape("plain", Delimiters::STANDARD), Cow::Borrowed(_)));
    }

    #[test]
    fn escaping_needs_an_escape_character_only_for_special_text() {
        let none = Delimiters::new('|', '\\', '^', None).unwrap();
        let mut out = String::new();
        assert!(escape_into("plain & simple", none, &mut out));
        assert!(!escape_into("a|b", none, &mut out));
        assert_eq!(out, "plain & simple");
        assert!(escape_into("a|b^c\\d&e\r\u{7f}", Delimiters::STANDARD, &mut out));
        assert_eq!(out, "plain & simplea&F&b&S&c&R&d&E&e&X0D&&X7F&");
    }
}

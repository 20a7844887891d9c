//! The four delimiters, and how a header names them (LIS02-A2 §6.2).

use nom::bytes::complete::take_till;
use nom::character::complete::one_of;
use nom::combinator::{opt, verify};
use nom::number::complete::u8 as any_byte;
use nom::{IResult, Parser};

use crate::defect::DefectKind;

/// The delimiters of one message: single ASCII bytes, all different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Delimiters {
    /// Between fields.
    pub field: u8,
    /// Between the repeats of a field.
    pub repeat: Option<u8>,
    /// Between the components of a repeat.
    pub component: Option<u8>,
    /// Around an escape sequence. Some analysers name none (`H|\^|`).
    pub escape: Option<u8>,
}

impl Delimiters {
    /// `|\^&`
    pub const STANDARD: Self =
        Self { field: b'|', repeat: Some(b'\\'), component: Some(b'^'), escape: Some(b'&') };

    /// Four characters in the order field, repeat, component, escape; the escape may be left out.
    /// `None` when one is not an ASCII punctuation mark, space or tab, or two are the same.
    #[must_use]
    pub fn new(field: char, repeat: char, component: char, escape: Option<char>) -> Option<Self> {
        let byte = |c: char| u8::try_from(c).ok().filter(|b| may_delimit(*b));
        let made = Self {
            field: byte(field)?,
            repeat: Some(byte(repeat)?),
            component: Some(byte(component)?),
            escape: match escape {
                Some(c) => Some(byte(c)?),
                None => None,
            },
        };
        let all = [Some(made.field), made.repeat, made.component, made.escape];
        let repeated = (1..all.len())
            .any(|n| all.get(n).is_some_and(|d| d.is_some() && all.iter().take(n).any(|e| e == d)));
        (!repeated).then_some(made)
    }

    /// H-2 as this set would be written: repeat, component, escape.
    #[must_use]
    pub fn header_field(&self) -> String {
        [self.repeat, self.component, self.escape].into_iter().flatten().map(char::from).collect()
    }

    /// A field that is not to be divided (H-2).
    pub(crate) fn undivided(self) -> Self {
        Self { field: self.field, repeat: None, component: None, escape: None }
    }

    /// Whether this byte is one of the four.
    pub(crate) fn contain(self, byte: u8) -> bool {
        byte == self.field
            || Some(byte) == self.repeat
            || Some(byte) == self.component
            || Some(byte) == self.escape
    }
}

impl Default for Delimiters {
    fn default() -> Self {
        Self::STANDARD
    }
}

/// Delimiters are never CR, never alphanumeric (§6.2); no other control character but TAB serves either.
pub(crate) fn may_delimit(byte: u8) -> bool {
    byte == b'\t' || byte == b' ' || byte.is_ascii_punctuation()
}

/// Bytes of a record that decide whether it is a header.
pub(crate) const HEADER_HEAD_BYTES: usize = 6;

/// Whether a record is a header.
///
/// Inside an open message with field delimiter `current`, `H` must be followed by that delimiter, or must name new
/// delimiters in full (`H@^\&@`, `H@^\@`): a line of text such as `H-index raised` is no header.
pub(crate) fn is_header(record: &[u8], current: Option<u8>) -> bool {
    match (record, current) {
        ([b'H' | b'h'], _) => true,
        ([b'H' | b'h', field, rest @ ..], _) if may_delimit(*field) => {
            current.is_none_or(|open| open == *field) || names_delimiters(*field, rest)
        }
        _ => false,
    }
}

fn names_delimiters(field: u8, rest: &[u8]) -> bool {
    match rest {
        [a, b, end, ..] if *end == field => may_delimit(*a) && may_delimit(*b) && a != b,
        [a, b, c, end, ..] if *end == field => [a, b, c].iter().all(|d| may_delimit(**d)) && a != b,
        _ => false,
    }
}

/// `header = "H" field-delimiter *delimiter (field-delimiter / end)`
fn header(record: &[u8]) -> IResult<&[u8], (Option<u8>, &[u8])> {
    let (rest, _) = one_of("Hh").parse_complete(record)?;
    let (rest, field) = opt(verify(any_byte, |b| may_delimit(*b))).parse_complete(rest)?;
    match field {
        Some(field) => {
            let (rest, named) = take_till(|b| b == field).parse_complete(rest)?;
            Ok((rest, (Some(field), named)))
        }
        None => Ok((rest, (None, &[]))),
    }
}

/// The delimiters a header record names, and what is wrong with them.
pub(crate) fn read_header(record: &[u8]) -> (Delimiters, Option<DefectKind>) {
    let Ok((_, (Some(field), named))) = header(record) else {
        return (Delimiters::STANDARD, Some(DefectKind::DelimitersMissing));
    };
    let mut set = [None; 3];
    let mut taken = 0;
    let mut defect = None;
    for &byte in named {
        if !may_delimit(byte) {
            defect = defect.or(Some(DefectKind::DelimitersNotAllowed));
        } else if byte == field || set.contains(&Some(byte)) {
            defect = defect.or(Some(DefectKind::DelimitersRepeated));
        } else if let Some(slot) = set.get_mut(taken) {
            *slot = Some(byte);
            taken += 1;
        } else {
            defect = defect.or(Some(DefectKind::DelimitersExtra));
        }
    }
    let [repeat, component, escape] = set;
    if taken < 2 {
        let short = if taken == 0 { DefectKind::DelimitersMissing } else { DefectKind::DelimitersIncomplete };
        defect = Some(short);
    }
    let standard = |named: Option<u8>, byte: u8| named.or_else(|| (byte != field).then_some(byte));
    let made = if taken == 0 {
        Delimiters {
            field,
            repeat: standard(None, b'\\'),
            component: standard(None, b'^'),
            escape: standard(None, b'&'),
        }
    } else {
        let component = standard(component, b'^').filter(|b| Some(*b) != repeat);
        Delimiters { field, repeat, component, escape }
    };
    (made, defect)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_come_from_the_header() {
        let check = |record: &str, expect: &str, defect: Option<DefectKind>| {
            let (d, found) = read_header(record.as_bytes());
            let shown = format!("{}{}", char::from(d.field), d.header_field());
            assert_eq!((shown.as_str(), found), (expect, defect), "{record:?}");
        };
        check(r"H|\^&|||host", r"|\^&", None);
        check(r"h|\^&", r"|\^&", None);
        check(r"H|@^\|42||GeneXpert", r"|@^\", None);
        check(r"H@^\&@", r"@^\&", None);
        check(r"H|\^|||Immulite", r"|\^", None);
        check(r"H|\^", r"|\^", None);
        check("H\t\\^&\tx", "\t\\^&", None);
        check("H", r"|\^&", Some(DefectKind::DelimitersMissing));
        check("H|", r"|\^&", Some(DefectKind::DelimitersMissing));
        check(r"H||\^&", r"|\^&", Some(DefectKind::DelimitersMissing));
        check("H^^x", r"^\&", Some(DefectKind::DelimitersMissing));
        check(r"H|\|", r"|\^", Some(DefectKind::DelimitersIncomplete));
        check(r"H|^|", r"|^", Some(DefectKind::DelimitersIncomplete));
        check(r"H|\\^&|", r"|\^&", Some(DefectKind::DelimitersRepeated));
        check(r"H|\^^|", r"|\^", Some(DefectKind::DelimitersRepeated));
        check(r"H|\^&~|", r"|\^&", Some(DefectKind::DelimitersExtra));
        check(r"H|\A^&|", r"|\^&", Some(DefectKind::DelimitersNotAllowed));
        check("H|abc|", r"|\^&", Some(DefectKind::DelimitersMissing));
    }

    #[test]
    fn a_line_of_text_that_begins_with_h_is_no_header() {
        let check = |record: &str, current: Option<u8>, expect: bool| {
            assert_eq!(is_header(record.as_bytes(), current), expect, "{record:?} {current:?}");
        };
        check(r"H|\^&|", None, true);
        check(r"H|\^&|", Some(b'|'), true);
        check(r"H@^\&@", Some(b'|'), true);
        check(r"H@^\@", Some(b'|'), true);
        check("H", Some(b'|'), true);
        check("h|", Some(b'|'), true);
        check("H-index raised", Some(b'|'), false);
        check("H-index raised", None, true);
        check("H a b c", Some(b'|'), false);
        check("Hello", None, false);
        check("", None, false);
        check("P|1", None, false);
    }

    #[test]
    fn a_set_of_delimiters_is_checked_when_made() {
        assert_eq!(Delimiters::new('|', '\\', '^', Some('&')), Some(Delimiters::STANDARD));
        assert!(Delimiters::new('|', '\\', '^', None).is_some());
        assert_eq!(Delimiters::new('|', '|', '^', None), None);
        assert_eq!(Delimiters::new('|', '\\', '^', Some('^')), None);
        assert_eq!(Delimiters::new('a', '\\', '^', None), None);
        assert_eq!(Delimiters::new('|', '\r', '^', None), None);
        assert_eq!(Delimiters::new('|', 'é', '^', None), None);
    }
}

//! The four delimiters, and how a header names them (LIS02-A2 §6.2).

use core::fmt;

use nom::bytes::complete::take_till;
use nom::character::complete::one_of;
use nom::combinator::{opt, verify};
use nom::number::complete::u8 as any_byte;
use nom::{IResult, Parser};

use crate::defect::DefectKind;

/// The delimiters of one message: single ASCII characters, all different.
// Four bytes that move as one word; zero stands for "none".
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(align(4))]
pub struct Delimiters {
    field: u8,
    repeat: u8,
    component: u8,
    escape: u8,
}

impl Delimiters {
    /// `|\^&`
    pub const STANDARD: Self = Self { field: b'|', repeat: b'\\', component: b'^', escape: b'&' };

    /// Four characters in the order field, repeat, component, escape; the escape may be left out.
    /// `None` when one is not an ASCII punctuation mark, space or tab, or two are the same.
    #[must_use]
    pub fn new(field: char, repeat: char, component: char, escape: Option<char>) -> Option<Self> {
        let byte = |c: char| u8::try_from(c).ok().filter(|b| may_delimit(*b));
        let escape = match escape {
            Some(c) => byte(c)?,
            None => 0,
        };
        let made = Self { field: byte(field)?, repeat: byte(repeat)?, component: byte(component)?, escape };
        let [f, r, c, e] = [made.field, made.repeat, made.component, made.escape];
        let different = f != r && f != c && f != e && r != c && r != e && c != e;
        different.then_some(made)
    }

    /// Between fields.
    #[must_use]
    pub fn field(self) -> char {
        char::from(self.field)
    }

    /// Between the repeats of a field.
    #[must_use]
    pub fn repeat(self) -> Option<char> {
        self.repeat_byte().map(char::from)
    }

    /// Between the components of a repeat.
    #[must_use]
    pub fn component(self) -> Option<char> {
        self.component_byte().map(char::from)
    }

    /// Around an escape sequence. Some analysers name none (`H|\^|`).
    #[must_use]
    pub fn escape(self) -> Option<char> {
        self.escape_byte().map(char::from)
    }

    /// H-2 as this set would be written: repeat, component, escape.
    #[must_use]
    pub fn header_field(self) -> String {
        [self.repeat(), self.component(), self.escape()].into_iter().flatten().collect()
    }

    pub(crate) fn field_byte(self) -> u8 {
        self.field
    }

    pub(crate) fn repeat_byte(self) -> Option<u8> {
        (self.repeat != 0).then_some(self.repeat)
    }

    pub(crate) fn component_byte(self) -> Option<u8> {
        (self.component != 0).then_some(self.component)
    }

    pub(crate) fn escape_byte(self) -> Option<u8> {
        (self.escape != 0).then_some(self.escape)
    }

    /// A field that is not to be divided (H-2).
    pub(crate) fn undivided(self) -> Self {
        Self { field: self.field, repeat: 0, component: 0, escape: 0 }
    }

    /// Whether this byte is one of the four.
    pub(crate) fn contain(self, byte: u8) -> bool {
        byte != 0 && [self.field, self.repeat, self.component, self.escape].contains(&byte)
    }
}

impl Default for Delimiters {
    fn default() -> Self {
        Self::STANDARD
    }
}

impl fmt::Debug for Delimiters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delimiters({}{})", self.field(), self.header_field())
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
    let mut set = [0; 3];
    let mut taken = 0;
    let mut defect = None;
    for &byte in named {
        if !may_delimit(byte) {
            defect = defect.or(Some(DefectKind::DelimitersNotAllowed));
        } else if byte == field || set.contains(&byte) {
            defect = defect.or(Some(DefectKind::DelimitersRepeated));
        } else if let Some(slot) = set.get_mut(taken) {
            *slot = byte;
            taken += 1;
        } else {
            defect = defect.or(Some(DefectKind::DelimitersExtra));
        }
    }
    // What is not named is the standard's, unless that stands for something else already.
    let [repeat, component, escape] = set;
    let standard = |byte: u8| if byte == field || byte == repeat { 0 } else { byte };
    match taken {
        0 => {
            let assumed = Delimiters {
                field,
                repeat: standard(b'\\'),
                component: standard(b'^'),
                escape: standard(b'&'),
            };
            (assumed, Some(DefectKind::DelimitersMissing))
        }
        1 => {
            let assumed = Delimiters { field, repeat, component: standard(b'^'), escape };
            (assumed, Some(DefectKind::DelimitersIncomplete))
        }
        _ => (Delimiters { field, repeat, component, escape }, defect),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_come_from_the_header() {
        let check = |record: &str, expect: &str, defect: Option<DefectKind>| {
            let (d, found) = read_header(record.as_bytes());
            let shown = format!("{}{}", d.field(), d.header_field());
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
        assert_eq!(Delimiters::new('|', '\\', '&', Some('&')), None);
        assert_eq!(Delimiters::new('a', '\\', '^', None), None);
        assert_eq!(Delimiters::new('|', '\r', '^', None), None);
        assert_eq!(Delimiters::new('|', 'é', '^', None), None);
    }
}

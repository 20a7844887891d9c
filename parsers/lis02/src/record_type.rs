//! Record types and the letters that name them (LIS02-A2 §5.2, §6–§16).

use core::fmt;

use nom::branch::alt;
use nom::bytes::complete::take;
use nom::combinator::{eof, peek, recognize, verify};
use nom::sequence::terminated;
use nom::{IResult, Parser};

/// What a record is, by its type letter. The letter is case-insensitive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordType {
    /// `H`, level 0.
    Header,
    /// `P`, level 1.
    Patient,
    /// `O`, level 2.
    Order,
    /// `R`, level 3.
    Result,
    /// `C`: one level below the record it follows.
    Comment,
    /// `Q`, level 1.
    Query,
    /// `S`, level 1.
    Scientific,
    /// `M`, manufacturer information: one level below the record it follows.
    Manufacturer,
    /// `L`, level 0.
    Terminator,
    /// Any other single letter (upper-cased here): a vendor's own record, kept raw, one level below the record it
    /// follows.
    Vendor(char),
    /// No type letter followed by a field delimiter: a line of text, kept raw, with a defect.
    Unknown,
}

impl RecordType {
    /// The type a letter names; `None` when it is not an ASCII letter.
    #[must_use]
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter.to_ascii_uppercase() {
            'H' => Self::Header,
            'P' => Self::Patient,
            'O' => Self::Order,
            'R' => Self::Result,
            'C' => Self::Comment,
            'Q' => Self::Query,
            'S' => Self::Scientific,
            'M' => Self::Manufacturer,
            'L' => Self::Terminator,
            other if other.is_ascii_alphabetic() => Self::Vendor(other),
            _ => return None,
        })
    }

    /// The type letter in upper case; `None` for a line that has none.
    #[must_use]
    pub fn letter(self) -> Option<char> {
        match self {
            Self::Header => Some('H'),
            Self::Patient => Some('P'),
            Self::Order => Some('O'),
            Self::Result => Some('R'),
            Self::Comment => Some('C'),
            Self::Query => Some('Q'),
            Self::Scientific => Some('S'),
            Self::Manufacturer => Some('M'),
            Self::Terminator => Some('L'),
            Self::Vendor(letter) => Some(letter),
            Self::Unknown => None,
        }
    }

    /// The type of a record by its first bytes: a letter, then the field delimiter or the end of the record.
    pub(crate) fn of_record(record: &[u8], field: u8) -> Self {
        match type_letter(record, field) {
            Ok((_, letter)) => Self::from_letter(char::from(letter)).unwrap_or(Self::Unknown),
            Err(_) => Self::Unknown,
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.letter() {
            Some(letter) => write!(f, "{letter}"),
            None => f.write_str("text"),
        }
    }
}

/// `type-letter = ALPHA &(field-delimiter / end)`
fn type_letter(record: &[u8], field: u8) -> IResult<&[u8], u8> {
    let letter = verify(nom::number::complete::u8, u8::is_ascii_alphabetic);
    let delimiter = verify(take(1_usize), move |bytes: &[u8]| bytes.first() == Some(&field));
    terminated(letter, peek(alt((recognize(delimiter), eof)))).parse_complete(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_letter_stands_alone_before_the_field_delimiter() {
        let check = |record: &str, expect: RecordType| {
            assert_eq!(RecordType::of_record(record.as_bytes(), b'|'), expect, "{record:?}");
        };
        check("H|\\^&", RecordType::Header);
        check("p|1", RecordType::Patient);
        check("O|1", RecordType::Order);
        check("r|1", RecordType::Result);
        check("C|1", RecordType::Comment);
        check("Q|1", RecordType::Query);
        check("S|1", RecordType::Scientific);
        check("M|1", RecordType::Manufacturer);
        check("L", RecordType::Terminator);
        check("x|1", RecordType::Vendor('X'));
        check("A", RecordType::Vendor('A'));
        check("LABEL|1", RecordType::Unknown);
        check("R@1", RecordType::Unknown);
        check("|1", RecordType::Unknown);
        check("1H|\\^&", RecordType::Unknown);
        check("é|1", RecordType::Unknown);
        check("", RecordType::Unknown);
    }

    #[test]
    fn every_letter_names_one_type_and_back() {
        for letter in 'A'..='Z' {
            let kind = RecordType::from_letter(letter).unwrap();
            assert_eq!(kind.letter(), Some(letter));
            assert_eq!(RecordType::from_letter(letter.to_ascii_lowercase()), Some(kind));
        }
        assert_eq!(RecordType::from_letter('1'), None);
    }
}

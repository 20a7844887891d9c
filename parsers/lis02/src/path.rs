//! Places by position, as profiles and people write them: `R.3.4`, `O.3[2].1`, `H.5`.

use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::character::complete::{char as character, satisfy, u16 as number};
use nom::combinator::{all_consuming, opt, verify};
use nom::sequence::{delimited, preceded};
use nom::{IResult, Parser};

use crate::field::Part;
use crate::reading::Record;
use crate::record_type::RecordType;

/// A place in a record: type letter, field, and perhaps repeat and component, all from 1.
///
/// `R.4` is the whole field, `R.4[2]` its second repeat, `R.3.4` component 4 of the first repeat, `R.3[2].4` that of
/// the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Path {
    record: RecordType,
    field: u16,
    repeat: Option<u16>,
    component: Option<u16>,
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a place in a record; write it like R.3.4, O.3[2].1 or H.5")]
pub struct PathError {
    text: String,
}

impl Path {
    /// The record type it looks in.
    #[must_use]
    pub fn record(&self) -> RecordType {
        self.record
    }

    /// The field number, from 1.
    #[must_use]
    pub fn field(&self) -> u16 {
        self.field
    }

    /// The repeat, from 1, when the path names one.
    #[must_use]
    pub fn repeat(&self) -> Option<u16> {
        self.repeat
    }

    /// The component, from 1, when the path names one.
    #[must_use]
    pub fn component(&self) -> Option<u16> {
        self.component
    }

    /// What stands there in a record of this path's type; `None` when the record is of another type or too short.
    #[must_use]
    pub fn find<'a>(&self, record: &Record<'a>) -> Option<Part<'a>> {
        if record.kind() != self.record {
            return None;
        }
        let field = record.field(usize::from(self.field))?;
        match (self.repeat, self.component) {
            (None, None) => Some(field.part()),
            (repeat, None) => Some(field.repeat(usize::from(repeat.unwrap_or(1)))?.part()),
            (repeat, Some(component)) => {
                field.repeat(usize::from(repeat.unwrap_or(1)))?.component(usize::from(component))
            }
        }
    }

    /// As [`Path::find`], looking in the record and then in those it stands under: `O.3` for an R, `H.5` for any.
    #[must_use]
    pub fn find_above<'a>(&self, record: &Record<'a>) -> Option<Part<'a>> {
        self.find(&record.nearest(self.record)?)
    }
}

/// `path = letter "." number ["[" number "]"] ["." number]`, numbers from 1
fn path(text: &str) -> IResult<&str, Path> {
    let counted = || verify(number, |n| *n > 0);
    let repeat = delimited(character('['), counted(), character(']'));
    let letter = alt((satisfy(|c| c.is_ascii_alphabetic()),));
    let (rest, (letter, field, repeat, component)) = all_consuming((
        letter,
        preceded(character('.'), counted()),
        opt(repeat),
        opt(preceded(character('.'), counted())),
    ))
    .parse_complete(text)?;
    let record = RecordType::from_letter(letter).unwrap_or(RecordType::Unknown);
    Ok((rest, Path { record, field, repeat, component }))
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        path(text).map(|(_, path)| path).map_err(|_| PathError { text: text.to_owned() })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.record, self.field)?;
        if let Some(repeat) = self.repeat {
            write!(f, "[{repeat}]")?;
        }
        if let Some(component) = self.component {
            write!(f, ".{component}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    const MESSAGE: &str = "H|\\^&|||ARCHITECT^9.45^i2SR0001\rP|1\rO|1|D0001^C1^3||^^^133^Anti-HBs\rR|1|^^^133^Anti-HBs\\^^^134^HBsAg|0.31^NEG|S/CO\rL|1\r";

    #[test]
    fn a_path_finds_fields_repeats_and_components() {
        let mut index = Index::new();
        let reading = index.read(MESSAGE);
        let check = |at: usize, path: &str, expect: Option<&str>| {
            let path: Path = path.parse().unwrap();
            let record = reading.record(at).unwrap();
            assert_eq!(path.find(&record).map(|p| p.raw()), expect, "{path}");
        };
        check(0, "H.5", Some("ARCHITECT^9.45^i2SR0001"));
        check(0, "H.5.1", Some("ARCHITECT"));
        check(0, "H.2", Some("\\^&"));
        check(0, "H.2.1", Some("\\^&"));
        check(2, "O.3.1", Some("D0001"));
        check(2, "O.3.4", None);
        check(2, "O.4", Some(""));
        check(2, "O.9", None);
        check(3, "R.3", Some("^^^133^Anti-HBs\\^^^134^HBsAg"));
        check(3, "R.3.4", Some("133"));
        check(3, "R.3[2]", Some("^^^134^HBsAg"));
        check(3, "r.3[2].5", Some("HBsAg"));
        check(3, "R.3[3].5", None);
        check(3, "O.3.1", None);
    }

    #[test]
    fn a_path_finds_what_a_result_stands_under() {
        let mut index = Index::new();
        let reading = index.read(MESSAGE);
        let result = reading.record(3).unwrap();
        let find = |path: &str| path.parse::<Path>().unwrap().find_above(&result).map(|p| p.raw());
        assert_eq!(find("O.3.1"), Some("D0001"));
        assert_eq!(find("H.5.3"), Some("i2SR0001"));
        assert_eq!(find("R.4.2"), Some("NEG"));
        assert_eq!(find("C.4"), None);
    }

    #[test]
    fn a_path_is_written_as_it_is_read() {
        for text in ["R.3", "R.3.4", "O.3[2]", "O.3[2].1", "X.65535"] {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_an_example() {
        for text in [
            "", "R", "R.", "R.0", "R.3.0", "R.3[0]", "RR.3", "3.4", "R.3.4.5", "R.65536", "R.3 ", "R-3",
            "R.3[",
        ] {
            let error = text.parse::<Path>().unwrap_err().to_string();
            assert!(error.contains("R.3.4"), "{error}");
        }
    }
}

//! Field paths: where something stands in a message.
//!
//! ```text
//! R.3.4          LIS02: record R, field 3, component 4 (LIS02 counts the type letter as field 1)
//! O.12[*]        every repetition of the field; a condition holds when one of them fits
//! OBX-18[2].1    HL7: segment, field, second repetition, component
//! INV(3=CO)-1.1  the nearest INV whose field 3 reads CO
//! D.16.27        a line of a PK session: 27 columns from the 16th, which is the first one counted from 1
//! D[ABO].6.8     8 columns of such a line from the 6th, counted from where the word ABO begins, wherever that is
//! D[..ABO].84    from the 84th column to where the word ABO begins
//! column Well    a file's column by its heading;  column #3 by its place
//! specimen       the specimen id, wherever `[specimen]` finds it
//! plate          what the profile's own plate layout says of the row's well
//! ```
//! Without a component the whole field counts, delimiters included, so that an unexpected component is an
//! unknown text and never cut off unseen.

use std::fmt;
use vocabulary::Protocol;

/// Where something stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    /// A field of a record or segment.
    Field(FieldPath),
    /// A column of a file.
    Column(Column),
    /// The plate layout's word for the row's well.
    Plate,
    /// The specimen id, wherever the profile finds it.
    Specimen,
}

/// A field of a record or segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FieldPath {
    pub(crate) record: RecordPath,
    /// Where the columns of a line are counted from, if not from its beginning.
    pub(crate) anchor: Option<Anchor>,
    pub(crate) spot: Spot,
}

/// A word of a line by which a place is found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Anchor {
    pub(crate) word: String,
    /// The place ends where the word begins; else columns are counted from there.
    pub(crate) until: bool,
}

/// A record by name, and which of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RecordPath {
    pub(crate) name: String,
    /// Only those where this spot reads this text.
    pub(crate) only: Option<(Spot, String)>,
}

/// A place inside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    pub(crate) field: u16,
    pub(crate) repetition: Repetition,
    pub(crate) component: Option<u16>,
    pub(crate) subcomponent: Option<u16>,
}

/// Which repetition of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Repetition {
    /// None was named: the first where a component is asked for, else the field as a whole.
    Unnamed,
    /// This one, from 1.
    Nth(u16),
    /// Every one.
    Each,
}

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Column {
    /// By its heading.
    Named(String),
    /// By its place, from 1.
    Numbered(u16),
}

impl Path {
    /// The record that it names.
    pub(crate) fn record(&self) -> Option<&RecordPath> {
        match self {
            Self::Field(field) => Some(&field.record),
            Self::Column(_) | Self::Plate | Self::Specimen => None,
        }
    }

    /// Reads a path in the notation of `protocol`. The error says what a path looks like.
    pub(crate) fn parse(text: &str, protocol: Protocol) -> Result<Self, String> {
        match protocol {
            _ if text == "specimen" => Ok(Self::Specimen),
            Protocol::PkBlocks => FieldPath::parse(text, protocol)
                .filter(|path| {
                    path.spot.subcomponent.is_none() && path.spot.repetition == Repetition::Unnamed
                })
                .map(Self::Field)
                .ok_or_else(|| {
                    format!("{text:?} is no place in a line; they look like D.16.27, QR.5.8, D[WORD].6.8 or D[..WORD].84")
                }),
            Protocol::Lis02 => FieldPath::parse(text, protocol).map(Self::Field).ok_or_else(|| {
                format!("{text:?} is no LIS02 field path; they look like R.4, R.3.4, O.12[*], C(3=I).4.1")
            }),
            Protocol::Hl7v2 => FieldPath::parse(text, protocol).map(Self::Field).ok_or_else(|| {
                format!("{text:?} is no HL7 field path; they look like OBX-5, OBX-3.1, OBX-8[*], INV(3=CO)-1")
            }),
            Protocol::Delimited if text == "plate" => Ok(Self::Plate),
            Protocol::Delimited => Column::parse(text).map(Self::Column).ok_or_else(|| {
                format!("{text:?} is no column; write \"column Heading\", \"column #3\" or \"plate\"")
            }),
        }
    }
}

impl Column {
    fn parse(text: &str) -> Option<Self> {
        let name = text.strip_prefix("column ")?;
        match name.strip_prefix('#') {
            Some(number) => {
                number.parse().ok().filter(|n| *n > 0 && !number.starts_with('+')).map(Self::Numbered)
            }
            None => (!name.trim().is_empty()).then(|| Self::Named(name.to_owned())),
        }
    }
}

impl FieldPath {
    pub(crate) fn parse(text: &str, protocol: Protocol) -> Option<Self> {
        let (record, rest) = RecordPath::parse_start(text, protocol)?;
        let (anchor, rest) = match rest.strip_prefix('[').filter(|_| protocol == Protocol::PkBlocks) {
            None => (None, rest),
            Some(inner) => {
                let (word, rest) = inner.split_once(']')?;
                (Some(Anchor::parse(word)?), rest)
            }
        };
        let mark = if protocol == Protocol::Hl7v2 { '-' } else { '.' };
        let spot = Spot::parse(rest.strip_prefix(mark)?)?;
        let until = anchor.as_ref().is_some_and(|anchor| anchor.until);
        // What ends at a word has no length of its own.
        (!until || spot.component.is_none()).then_some(Self { record, anchor, spot })
    }
}

impl Anchor {
    /// `WORD` or `..WORD`.
    fn parse(text: &str) -> Option<Self> {
        let word = text.strip_prefix("..").unwrap_or(text);
        let one = !word.is_empty() && !word.contains(|c: char| c.is_whitespace() || "[].".contains(c));
        one.then(|| Self { word: word.to_owned(), until: word.len() < text.len() })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}{}]", if self.until { ".." } else { "" }, self.word)
    }
}

impl RecordPath {
    /// A record alone: `INV`, `INV(3=MR)`.
    pub(crate) fn parse(text: &str, protocol: Protocol) -> Option<Self> {
        Self::parse_start(text, protocol).filter(|(_, rest)| rest.is_empty()).map(|(record, _)| record)
    }

    fn parse_start(text: &str, protocol: Protocol) -> Option<(Self, &str)> {
        let end = text.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit()).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        let length_fits = match protocol {
            Protocol::Lis02 => name.len() == 1,
            Protocol::Hl7v2 => name.len() == 3,
            Protocol::PkBlocks => matches!(name.len(), 1 | 2),
            Protocol::Delimited => false,
        };
        if !length_fits || !name.starts_with(|c: char| c.is_ascii_uppercase()) {
            return None;
        }
        let (only, rest) = match rest.strip_prefix('(') {
            None => (None, rest),
            Some(inner) => {
                let (condition, rest) = inner.split_once(')')?;
                let (spot, wanted) = condition.split_once('=')?;
                (Some((Spot::parse(spot)?, wanted.to_owned())), rest)
            }
        };
        Some((Self { name: name.to_owned(), only }, rest))
    }
}

impl Spot {
    /// `4`, `3.4`, `8[*]`, `18[2].1`, `3.4.1`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (head, inner) = match text.split_once('.') {
            Some((head, inner)) => (head, Some(inner)),
            None => (text, None),
        };
        let (field, repetition) = match head.strip_suffix(']') {
            None => (head, Repetition::Unnamed),
            Some(open) => {
                let (field, which) = open.split_once('[')?;
                let repetition =
                    if which == "*" { Repetition::Each } else { Repetition::Nth(number(which)?) };
                (field, repetition)
            }
        };
        let (component, subcomponent) = match inner {
            None => (None, None),
            Some(inner) => match inner.split_once('.') {
                None => (Some(number(inner)?), None),
                Some((component, sub)) => (Some(number(component)?), Some(number(sub)?)),
            },
        };
        Some(Self { field: number(field)?, repetition, component, subcomponent })
    }
}

impl Spot {
    /// The place as people read it: that every repetition was looked at says nothing more.
    pub(crate) fn shown(self) -> Self {
        match self.repetition {
            Repetition::Each => Self { repetition: Repetition::Unnamed, ..self },
            Repetition::Unnamed | Repetition::Nth(_) => self,
        }
    }
}

/// A place number: digits only, not 0, no sign.
fn number(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n > 0)
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.field)?;
        match self.repetition {
            Repetition::Unnamed => {}
            Repetition::Nth(n) => write!(f, "[{n}]")?,
            Repetition::Each => f.write_str("[*]")?,
        }
        for part in [self.component, self.subcomponent].into_iter().flatten() {
            write!(f, ".{part}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plate => f.write_str("plate"),
            Self::Specimen => f.write_str("specimen"),
            Self::Column(Column::Named(name)) => write!(f, "column {name}"),
            Self::Column(Column::Numbered(n)) => write!(f, "column #{n}"),
            Self::Field(FieldPath { record, anchor, spot }) => {
                f.write_str(&record.name)?;
                if let Some((at, text)) = &record.only {
                    write!(f, "({at}={text})")?;
                }
                if let Some(anchor) = anchor {
                    write!(f, "{anchor}")?;
                }
                write!(f, "{}{spot}", if record.name.len() == 3 { '-' } else { '.' })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_written() {
        for (protocol, texts) in [
            (
                Protocol::Lis02,
                vec!["R.4", "R.3.4", "O.12[*]", "C.3[2].4", "M(3=W1).6.1", "R.3.4.2", "specimen"],
            ),
            (
                Protocol::Hl7v2,
                vec!["OBX-5", "OBX-3.1", "OBX-8[*].1", "INV(3.1=CO)-1.1", "ZR1-2", "SPM-2.1.1"],
            ),
            (
                Protocol::PkBlocks,
                vec![
                    "D.16.27",
                    "QR.5.8",
                    "M.5",
                    "D(3.2=01).16.27",
                    "D[D-2].6.8",
                    "D(3.2=01)[..ABO].84",
                    "specimen",
                ],
            ),
            (Protocol::Delimited, vec!["column Well", "column Sample ID", "column #3", "plate"]),
        ] {
            for text in texts {
                assert_eq!(Path::parse(text, protocol).unwrap().to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_no_path_says_what_one_looks_like() {
        for (protocol, text) in [
            (Protocol::Lis02, "R"),
            (Protocol::Lis02, "R.0"),
            (Protocol::Lis02, "R.+3"),
            (Protocol::Lis02, "R.3."),
            (Protocol::Lis02, "RR.3"),
            (Protocol::Lis02, "R.3[0]"),
            (Protocol::Lis02, "R.3.4.5.6"),
            (Protocol::Lis02, "OBX-5"),
            (Protocol::Lis02, ""),
            (Protocol::Hl7v2, "R.3"),
            (Protocol::Hl7v2, "OBX"),
            (Protocol::Hl7v2, "OBX-"),
            (Protocol::Hl7v2, "INV(3=CO-1"),
            (Protocol::Hl7v2, "INV(CO)-1"),
            (Protocol::PkBlocks, "D"),
            (Protocol::PkBlocks, "D.1.2.3"),
            (Protocol::PkBlocks, "D.1[2].3"),
            (Protocol::PkBlocks, "DDD.1.2"),
            (Protocol::PkBlocks, "D-1"),
            (Protocol::PkBlocks, "D[].6.8"),
            (Protocol::PkBlocks, "D[..].6"),
            (Protocol::PkBlocks, "D[A B].6.8"),
            (Protocol::PkBlocks, "D[ABO.6.8"),
            (Protocol::PkBlocks, "D[ABO]"),
            (Protocol::PkBlocks, "D[..ABO].84.3"),
            (Protocol::Lis02, "R[ABO].4"),
            (Protocol::Delimited, "Well"),
            (Protocol::Delimited, "column "),
            (Protocol::Delimited, "column #0"),
        ] {
            let error = Path::parse(text, protocol).unwrap_err();
            assert!(error.contains("look like") || error.contains("write"), "{text:?}: {error}");
        }
    }
}

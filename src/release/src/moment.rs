//! A moment with the offset it was written in: the instant orders, the local day decides about expiry.

use jiff::{Timestamp, civil::Date, fmt::temporal::Pieces, tz::Offset};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An instant and the clock offset of the place it was recorded at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Moment {
    at: Timestamp,
    offset: Offset,
}

/// A text that is no RFC 3339 moment with an offset.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a moment with an offset; write it as in \"2026-03-01T09:00:00+08:00\"")]
pub struct NotAMoment(pub String);

impl Moment {
    /// An instant at a place whose clocks stand at `offset`.
    #[must_use]
    pub fn new(at: Timestamp, offset: Offset) -> Self {
        Self { at, offset }
    }

    /// The instant.
    #[must_use]
    pub fn at(self) -> Timestamp {
        self.at
    }

    /// The day at the place.
    #[must_use]
    pub fn day(self) -> Date {
        self.offset.to_datetime(self.at).date()
    }
}

impl FromStr for Moment {
    type Err = NotAMoment;
    fn from_str(text: &str) -> Result<Self, NotAMoment> {
        let no = || NotAMoment(text.to_owned());
        let at: Timestamp = text.parse().map_err(|_| no())?;
        let offset = Pieces::parse(text).map_err(|_| no())?.to_numeric_offset().ok_or_else(no)?;
        Ok(Self { at, offset })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.display_with_offset(self.offset).fmt(f)
    }
}

impl TryFrom<String> for Moment {
    type Error = NotAMoment;
    fn try_from(text: String) -> Result<Self, NotAMoment> {
        text.parse()
    }
}

impl From<Moment> for String {
    fn from(moment: Moment) -> String {
        moment.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_the_day_of_the_place() {
        let moment: Moment = "2027-01-01T07:00:00+08:00".parse().unwrap();
        assert_eq!(moment.day().to_string(), "2027-01-01");
        assert_eq!(moment.at().to_string(), "2026-12-31T23:00:00Z");
        assert_eq!(moment.to_string(), "2027-01-01T07:00:00+08:00");
    }

    #[test]
    fn a_time_without_offset_is_refused() {
        for text in ["2026-03-01T09:00:00", "2026-03-01", "", "20260301090000"] {
            assert_eq!(text.parse::<Moment>(), Err(NotAMoment(text.into())));
        }
        assert_eq!("2026-03-01T09:00:00Z".parse::<Moment>().unwrap().day().to_string(), "2026-03-01");
    }
}

//! Identifiers: text with a purpose. None is ever read as a number, padded or shortened.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a text cannot be an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Nothing but blanks.
    #[error("an identifier may not be empty")]
    Empty,
    /// Longer than [`IDENTIFIER_BYTES_MAX`].
    #[error("an identifier of {bytes} bytes is longer than {IDENTIFIER_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// A control character.
    #[error("an identifier may not hold the control character U+{code:04X} (at byte {at})")]
    Control {
        /// Byte offset of the character.
        at: usize,
        /// Its code point.
        code: u32,
    },
}

/// The longest identifier accepted, in bytes of UTF-8.
pub(crate) const IDENTIFIER_BYTES_MAX: usize = 200;

fn checked(text: &str) -> Result<String, IdentifierError> {
    if text.trim().is_empty() {
        return Err(IdentifierError::Empty);
    }
    if text.len() > IDENTIFIER_BYTES_MAX {
        return Err(IdentifierError::TooLong { bytes: text.len() });
    }
    match text.char_indices().find(|(_, c)| c.is_control()) {
        Some((at, c)) => Err(IdentifierError::Control { at, code: u32::from(c) }),
        None => Ok(text.to_owned()),
    }
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes `text` as it stands.
            ///
            /// # Errors
            /// [`IdentifierError`] when it is empty, longer than 200 bytes, or holds a control character.
            pub fn new(text: &str) -> Result<Self, IdentifierError> {
                checked(text).map(Self)
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;
            fn try_from(text: String) -> Result<Self, IdentifierError> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdentifierError;
            fn from_str(text: &str) -> Result<Self, IdentifierError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

identifier!(
    /// A donation's number: an ISBT 128 DIN or the centre's own code, normalised.
    DonationId
);
identifier!(
    /// What the analyser read from the tube, exactly as it sent it.
    SpecimenId
);
identifier!(
    /// An analyser's connection, as the configuration names it.
    ConnectionId
);
identifier!(
    /// A receiver of verdicts, as the configuration names it.
    DestinationId
);
identifier!(
    /// One run, plate or batch whose controls stand for its results.
    RunId
);
identifier!(
    /// An order's number, as whoever placed it gave it.
    OrderId
);
identifier!(
    /// A pool's number, normalised: several donations' material in one tube.
    PoolId
);
identifier!(
    /// The name somebody signs in with.
    UserId
);

/// Readers that cut identifiers keep at least so many characters of them.
const CUT_CHARS_MIN: usize = 8;

impl DonationId {
    /// Whether it is long enough to be what a reader left of a longer number.
    #[must_use]
    pub fn may_be_a_beginning(&self) -> bool {
        self.0.chars().count() >= CUT_CHARS_MIN
    }

    /// The shorter numbers that a reader may have left of this one, shortest first.
    pub fn beginnings(&self) -> impl Iterator<Item = Self> {
        let ends = self.0.char_indices().map(|(at, _)| at).skip(CUT_CHARS_MIN);
        ends.filter_map(|end| Self::new(self.0.get(..end)?).ok())
    }
}

/// A profile and the revision (content hash) that was used.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProfileRef {
    /// `maker/model`.
    pub id: String,
    /// Hash of the profile's content, lower-case hex.
    pub revision: String,
}

impl fmt::Display for ProfileRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short: String = self.revision.chars().take(12).collect();
        write!(f, "{}@{short}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leading_zeros_and_inner_blanks_stay() {
        assert_eq!(SpecimenId::new("000 0123").unwrap().as_str(), "000 0123");
    }

    #[test]
    fn what_is_no_identifier_says_why() {
        for (text, expect) in [
            ("", IdentifierError::Empty),
            ("  ", IdentifierError::Empty),
            ("A\u{1}", IdentifierError::Control { at: 1, code: 1 }),
            ("A\r", IdentifierError::Control { at: 1, code: 13 }),
        ] {
            assert_eq!(DonationId::new(text).unwrap_err(), expect, "{text:?}");
        }
        let long = "9".repeat(201);
        assert_eq!(RunId::new(&long).unwrap_err(), IdentifierError::TooLong { bytes: 201 });
    }

    #[test]
    fn what_a_reader_may_have_left_of_a_number() {
        let left = |text: &str| -> Vec<String> {
            DonationId::new(text).unwrap().beginnings().map(String::from).collect()
        };
        assert_eq!(left("1234567890"), ["12345678", "123456789"]);
        assert_eq!(left("12345678"), Vec::<String>::new());
        assert_eq!(left("献血码献血码献血码"), ["献血码献血码献血"]);
        assert!(DonationId::new("12345678").unwrap().may_be_a_beginning());
        assert!(!DonationId::new("1234567").unwrap().may_be_a_beginning());
    }

    #[test]
    fn reading_json_checks_too() {
        assert!(serde_json::from_str::<DonationId>("\"\"").is_err());
        assert_eq!(serde_json::from_str::<DonationId>("\"0012\"").unwrap().as_str(), "0012");
    }
}

//! A donor's number, in its one normal form.

use crate::notation::hides;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// Characters of a donor's number.
pub const DONOR_CHARS_MAX: usize = 64;

/// Why a text is no donor's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DonorIdError {
    /// Nothing but blanks.
    #[error("a donor's number may not be empty")]
    Empty,
    /// Longer than [`DONOR_CHARS_MAX`].
    #[error("a donor's number of {chars} characters is longer than {DONOR_CHARS_MAX}")]
    TooLong {
        /// Its length.
        chars: usize,
    },
    /// A control character, or one that nobody sees.
    #[error("a donor's number may not hold the character U+{code:04X}, which nobody sees")]
    Unseen {
        /// Its code point.
        code: u32,
    },
}

impl DonorIdError {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(self) -> String {
        match self {
            Self::Empty => "献血者编号不能为空".into(),
            Self::TooLong { chars } => format!("献血者编号为 {chars} 个字符，不得超过 {DONOR_CHARS_MAX} 个"),
            Self::Unseen { code } => format!("献血者编号中有不可见字符 U+{code:04X}"),
        }
    }
}

/// A donor's number as the centre gives it, without blanks around it. Letter case and width say what they say: no centre's
/// numbers are known of which they do not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct DonorId(String);

impl DonorId {
    /// Reads what a person or another system gives.
    ///
    /// # Errors
    /// [`DonorIdError`].
    pub fn new(given: &str) -> Result<Self, DonorIdError> {
        let Self(text) = Self::from(given);
        let chars = text.chars().count();
        if chars == 0 {
            return Err(DonorIdError::Empty);
        }
        if chars > DONOR_CHARS_MAX {
            return Err(DonorIdError::TooLong { chars });
        }
        match text.chars().find(|c| c.is_control() || hides(*c)) {
            Some(c) => Err(DonorIdError::Unseen { code: u32::from(c) }),
            None => Ok(Self(text)),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an entry says that was written already: nothing of it is refused, and blanks around it never counted.
impl From<&str> for DonorId {
    fn from(written: &str) -> Self {
        Self(written.trim().to_owned())
    }
}

impl From<String> for DonorId {
    fn from(written: String) -> Self {
        Self::from(written.as_str())
    }
}

impl From<DonorId> for String {
    fn from(donor: DonorId) -> Self {
        donor.0
    }
}

impl Deref for DonorId {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DonorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_around_a_number_are_no_part_of_it_and_what_names_nobody_is_refused() {
        let check = |given: &str, expect: Result<&str, DonorIdError>| {
            let read = DonorId::new(given);
            assert_eq!(read.as_ref().map(DonorId::as_str).map_err(|why| *why), expect, "{given:?}");
        };
        for given in ["D1", " D1", "D1 ", "\tD1\r\n", "\u{3000}D1\u{a0}"] {
            check(given, Ok("D1"));
        }
        check("D 1", Ok("D 1"));
        check("d1", Ok("d1"));
        check("Ｄ１", Ok("Ｄ１"));
        for given in ["", " ", "\u{3000}\t"] {
            check(given, Err(DonorIdError::Empty));
        }
        check("D\u{0}1", Err(DonorIdError::Unseen { code: 0 }));
        check("D\u{200b}1", Err(DonorIdError::Unseen { code: 0x200b }));
        check("\u{feff}D1", Err(DonorIdError::Unseen { code: 0xfeff }));
        check("D\u{206a}1", Err(DonorIdError::Unseen { code: 0x206a }));
        check(&"献".repeat(64), Ok("献".repeat(64).as_str()));
        check(&"D".repeat(65), Err(DonorIdError::TooLong { chars: 65 }));
    }

    #[test]
    fn a_number_that_was_written_once_is_read_in_its_normal_form_whatever_it_is() {
        for (written, expect) in [("\" D1 \"", "D1"), ("\"\"", ""), ("\"D\\u00001\"", "D\0")] {
            let read: DonorId = serde_json::from_str(written).unwrap();
            assert!(read.as_str().starts_with(expect), "{written}");
        }
        assert_eq!(serde_json::to_string(&DonorId::from(" D1")).unwrap(), "\"D1\"");
    }
}

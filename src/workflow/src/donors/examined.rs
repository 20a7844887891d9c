//! Why an examination for re-entry is not begun, or a test of it not taken, in English and Chinese.

use super::Refused;
use jiff::civil::Date;
use std::fmt;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExaminationRefused {
    /// A test of an examination found nucleic acid, or confirmed it: there is no other one.
    Found {
        /// Its number.
        test: String,
        /// When its sample was taken.
        on: Date,
        /// What for.
        marker: String,
    },
}

impl ExaminationRefused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Found { test, on, marker } => format!(
                "test {test} of {on}, of an examination of this donor, found {marker} (nucleic acid, or confirmed); no other \
                 examination for re-entry is made for that: defer the donor for good (hemogate donor defer --permanent)"
            ),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Found { test, on, marker } => format!(
                "该献血者归队检查 {on} 的检测 {test} 检出{marker}（核酸检出或确证阳性），不再适用归队检查；请永久屏蔽（hemogate donor defer --permanent）"
            ),
        }
    }
}

impl fmt::Display for ExaminationRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for ExaminationRefused {}

impl From<ExaminationRefused> for Refused {
    fn from(why: ExaminationRefused) -> Self {
        Self::Examination(why)
    }
}

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
    /// A day that has not come: of the deferral, or of a test's sample.
    ToCome {
        /// Which, by its name in requests.
        field: &'static str,
        /// The day.
        day: Date,
    },
    /// The sample of a test was taken before the donor was deferred, or found reactive last.
    Before {
        /// When it was taken.
        day: Date,
        /// Since when the waiting time runs.
        since: Date,
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
            Self::ToCome { field, day } => {
                format!("{field} {day}: that day has not come; write the day on which it was")
            }
            Self::Before { day, since } => format!(
                "collected_on {day}: the donor waits since {since}; a test of this examination is of a sample that was taken \
                 after that"
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
            Self::ToCome { field, day } => format!("{field} {day}：该日未到；请填写实际日期"),
            Self::Before { day, since } => {
                format!("collected_on {day}：献血者自{since}起等待；归队检查须用该日之后采集的标本")
            }
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

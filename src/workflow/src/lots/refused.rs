//! Why an act on a lot is not carried out, in English and Chinese. Nothing was written.

use crate::people;
use jiff::civil::Date;
use ledger::Seq;
use std::fmt;

/// Why not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Who asks may not.
    Person(people::Refused),
    /// Nothing is known of the lot.
    NoSuchLot(String),
    /// The day lies ahead, or is none.
    Day {
        /// As given.
        since: Date,
    },
    /// A reason is missing, or too long.
    Text {
        /// Which.
        field: &'static str,
    },
    /// It stands as defective, since that day or before.
    Already {
        /// Which lot.
        lot: String,
        /// The entry.
        entry: Seq,
        /// Who.
        by: String,
    },
    /// Nobody said that it is defective.
    NotDefective(String),
    /// The second of two people is the first.
    SecondPerson {
        /// Who.
        by: String,
    },
    /// What the first of two people said was changed, or lapsed, before the ledger took the second one's word.
    Lapsed(String),
    /// The ledger cannot be read or takes nothing.
    Broken(String),
}

impl Refused {
    /// What is wrong and what to do, in English.
    #[must_use]
    pub fn english(&self) -> String {
        match self {
            Self::Person(why) => why.english(),
            Self::NoSuchLot(lot) => format!(
                "no result and no line of the register names lot {lot:?}; write it as the analyser sends it"
            ),
            Self::Day { since } => {
                format!("{since} lies ahead; name the first day on which the lot was in use")
            }
            Self::Text { field } => format!("{field}: 1 to {} characters, please", super::TEXT_CHARS_MAX),
            Self::Already { lot, entry, by } => {
                format!("{by} has said that lot {lot} is defective, since that day or before (entry {entry})")
            }
            Self::NotDefective(lot) => format!("nobody has said that lot {lot} is defective"),
            Self::SecondPerson { by } => format!("{by} has said so; another person confirms it"),
            Self::Lapsed(lot) => format!(
                "what was said of lot {lot} no longer stands: its three days went by, or somebody changed it; look again"
            ),
            Self::Broken(why) => format!("the ledger takes nothing now: {why}"),
        }
    }

    /// What is wrong and what to do, in Chinese.
    #[must_use]
    pub fn chinese(&self) -> String {
        match self {
            Self::Person(why) => why.chinese(),
            Self::NoSuchLot(lot) => format!("没有结果或登记使用批号{lot:?}；请按仪器发送的写法填写"),
            Self::Day { since } => format!("{since}尚未到来；请填写该批号开始使用的日期"),
            Self::Text { field } => format!("{field}：请填写1至{}个字符", super::TEXT_CHARS_MAX),
            Self::Already { lot, entry, by } => {
                format!("{by}已判定批号{lot}自该日或更早起有缺陷（条目{entry}）")
            }
            Self::NotDefective(lot) => format!("批号{lot}未被判定有缺陷"),
            Self::SecondPerson { by } => format!("{by}已判定；须由另一人确认"),
            Self::Lapsed(lot) => format!("批号{lot}的判定已变更或提议已超过三天，请重新查看"),
            Self::Broken(why) => format!("账本暂不可写：{why}"),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.english())
    }
}

impl std::error::Error for Refused {}

impl From<people::Refused> for Refused {
    fn from(why: people::Refused) -> Self {
        Self::Person(why)
    }
}

impl From<ledger::ReadError> for Refused {
    fn from(error: ledger::ReadError) -> Self {
        Self::Broken(error.to_string())
    }
}

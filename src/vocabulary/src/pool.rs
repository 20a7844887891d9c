//! Pools of a pipetting robot: whose material went into which.

use crate::SpecimenId;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What was wrong with an aspiration. Any of them and the pool says nothing of its members (R-NAT-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AspirationFault {
    /// Less was taken than is needed.
    Short,
    /// A clot.
    Clot,
    /// Air or foam.
    Air,
    /// Any other error of the robot.
    Error,
    /// The barcode was typed in by hand.
    Typed,
    /// The barcode was not read.
    Unread,
    /// The tube was changed after its barcode was read.
    Changed,
    /// The log says something that nobody has given a meaning to.
    Unknown,
}

impl AspirationFault {
    /// In words, after "member X".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Short => "gave too little",
            Self::Clot => "had a clot",
            Self::Air => "gave air or foam",
            Self::Error => "was pipetted with an error",
            Self::Typed => "has a barcode that was typed in by hand",
            Self::Unread => "has no barcode that was read",
            Self::Changed => "was changed after its barcode was read",
            Self::Unknown => "was pipetted with words that the profile does not know",
        }
    }

    /// The same in Chinese.
    #[must_use]
    pub fn words_zh(self) -> &'static str {
        match self {
            Self::Short => "吸样量不足",
            Self::Clot => "有凝块",
            Self::Air => "吸到空气或泡沫",
            Self::Error => "加样出错",
            Self::Typed => "条码为手工录入",
            Self::Unread => "条码未读到",
            Self::Changed => "读码后样本管被更换",
            Self::Unknown => "加样状态文字不在配置中",
        }
    }
}

/// One aspiration of a member, as the robot's log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aspiration {
    /// Its place in the pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<String>,
    /// The member's barcode as the robot read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barcode: Option<SpecimenId>,
    /// What was wrong, each once; empty: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong: Vec<AspirationFault>,
    /// The robot's own words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// What was taken, in the unit of the log.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "rust_decimal::serde::str_option")]
    pub volume: Option<Decimal>,
    /// When: RFC 3339 with an offset, or civil time without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Where it stood in the log: `row 7`, which is its line.
    pub record: String,
}

/// Aspirations of one pool, in the order of the log. A log that was parted gives several; together they are the pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pooling {
    /// The pool's number, as the log has it: what analysers will read.
    pub pool: SpecimenId,
    /// The run or plate of the robot in which it was made.
    pub run: String,
    /// How many members it has to have.
    pub size: u16,
    /// Its members.
    pub members: Vec<Aspiration>,
}

//! What changes from one revision of a profile to another, in the words of the profile; and what that does to the
//! results of the captures of both.

mod results;
mod statements;

pub use results::ResultChange;

use crate::catalogue::Entry;
use serde::Serialize;
use statements::{Key, Statements};
use vocabulary::ProfileRef;

/// What a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// How it is connected.
    Link,
    /// How bytes become text, numbers and times; tables and plates.
    Reading,
    /// Whose messages, and which of them carry results.
    Message,
    /// Where the specimen's identity stands.
    Specimen,
    /// How controls are told from donors, and what they must read.
    Controls,
    /// What a run is and needs; lots.
    Run,
    /// How far a result has come.
    Status,
    /// Flags and what they do.
    Flags,
    /// Which rows are read, and where.
    Rows,
    /// Which code measures what.
    Tests,
    /// What a text means.
    Values,
    /// Places that have to agree; panels that have to be whole.
    Checks,
    /// Questions, answers and orders.
    Orders,
    /// Names, sources and remarks: nothing that is read.
    Evidence,
}

impl Part {
    /// In English and in Chinese.
    #[must_use]
    pub fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Link => ("link", "连接方式"),
            Self::Reading => ("reading", "读取方式"),
            Self::Message => ("messages", "报文"),
            Self::Specimen => ("specimen", "标本"),
            Self::Controls => ("controls", "质控"),
            Self::Run => ("runs and lots", "批次与批号"),
            Self::Status => ("status", "结果状态"),
            Self::Flags => ("flags", "标志"),
            Self::Rows => ("rows", "结果行"),
            Self::Tests => ("tests", "检测项目"),
            Self::Values => ("values", "结果文字"),
            Self::Checks => ("checks", "一致性检查"),
            Self::Orders => ("orders", "医嘱与查询"),
            Self::Evidence => ("names and evidence", "名称与依据"),
        }
    }

    /// What follows when an entry of this part is taken away, in English and in Chinese.
    #[must_use]
    pub fn without(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Tests => Some(("its results are held from now on", "今后其结果会被暂停")),
            Self::Values | Self::Status => {
                Some(("results that say it are held from now on", "今后含此文字的结果会被暂停"))
            }
            Self::Flags => Some(("it is an unknown flag from now on", "今后按未知标志处理")),
            Self::Controls => Some(("such a control is unknown from now on", "今后视为未知质控")),
            Self::Rows => {
                Some(("such rows are held, or read by another rule", "今后此类行会被暂停，或由其他规则读取"))
            }
            Self::Checks => Some(("a contradiction is no longer seen", "今后不再检查此矛盾")),
            Self::Link
            | Self::Reading
            | Self::Message
            | Self::Specimen
            | Self::Run
            | Self::Orders
            | Self::Evidence => None,
        }
    }
}

/// One thing that is said otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it is about.
    pub part: Part,
    /// The entry, in the profile's words: `test 161`, `words "Reactive"`.
    pub what: String,
    /// What it said; absent: it is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it says; absent: it was taken away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Two revisions, and what lies between them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The earlier one.
    pub before: ProfileRef,
    /// The later one.
    pub after: ProfileRef,
    /// In order of their parts.
    pub changes: Vec<Change>,
    /// What the messages of all captures come to now and came to before, where that differs.
    pub results: Vec<ResultChange>,
}

impl Comparison {
    /// Whether everything that was read is read as before: only names, sources and remarks may differ.
    #[must_use]
    pub fn means_the_same(&self) -> bool {
        self.results.is_empty() && self.changes.iter().all(|change| change.part == Part::Evidence)
    }
}

impl Entry {
    /// What changes from this revision to `later`.
    #[must_use]
    pub fn compare(&self, later: &Self) -> Comparison {
        let (old, new) = (Statements::of(self), Statements::of(later));
        let mut changes: Vec<Change> = Vec::new();
        let keys: std::collections::BTreeSet<&Key> = old.said.keys().chain(new.said.keys()).collect();
        for key in keys {
            let (before, after) = (old.said.get(key), new.said.get(key));
            if before != after {
                let (before, after) = (before.cloned(), after.cloned());
                changes.push(Change { part: key.part, what: key.what.clone(), before, after });
            }
        }
        changes.extend(old.reordered(&new));
        changes.sort_by(|a, b| (a.part, &a.what).cmp(&(b.part, &b.what)));
        Comparison {
            before: self.profile().reference().clone(),
            after: later.profile().reference().clone(),
            changes,
            results: results::changes(self, later),
        }
    }
}

//! What a LIS or a file wants tested: an order as it was read, before the worklist has judged it.

use serde::{Deserialize, Serialize};
use vocabulary::{Priority, Sex, Source};

/// What is wanted with an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WishAction {
    /// This is the whole order; of a known number, its next version.
    #[default]
    Place,
    /// These tests come to what the number has.
    Add,
    /// These tests, or all where none is named, are not to be done any more.
    Cancel,
}

impl WishAction {
    /// Its name, as profiles and templates have it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Place => "place",
            Self::Add => "add",
            Self::Cancel => "cancel",
        }
    }
}

/// One order of a message. Texts stand as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OrderWish {
    /// What is wanted.
    pub action: WishAction,
    /// The sender's own word for it; empty where none is needed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub word: String,
    /// Its number.
    pub id: String,
    /// The specimen's id.
    pub specimen: String,
    /// The assays, in the order of the message; each once.
    pub assays: Vec<String>,
    /// How soon.
    pub priority: Priority,
    /// What the specimen is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specimen_type: Option<String>,
    /// When it was taken: RFC 3339 with an offset, or civil time without.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<String>,
    /// The only connection that may do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_on: Option<String>,
    /// Donor number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donor_id: Option<String>,
    /// Donor name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub donor_name: Option<String>,
    /// Birth date, `YYYY-MM-DD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub born: Option<String>,
    /// Sex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
    /// Where it stood.
    pub source: Source,
}

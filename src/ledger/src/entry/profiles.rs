//! Profile revisions: their content, and what a person says that a code or a text means.

use crate::Seq;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vocabulary::ProfileRef;

/// The content of a profile revision, whole: what its hash was taken of.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ProfileContent {
    /// `profile.toml`.
    pub text: String,
    /// Templates of answers and orders, by file name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, String>,
}

/// A revision that was made of another by saying what one code or one text means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    /// The revision it was made of.
    pub base: ProfileRef,
    /// What was mapped, and to what.
    pub mapped: Mapped,
    /// Why.
    pub why: String,
    /// The message that asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Seq>,
}

/// What one code or one text means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mapped {
    /// A text of a map of values or grades.
    Value {
        /// The map, as the profile names it.
        map: String,
        /// The text, exactly as the analyser sends it.
        text: String,
        /// What it means, as the profile names meanings.
        meaning: String,
    },
    /// A test's code that is read as another one of the same profile.
    Test {
        /// The code, exactly as the analyser sends it.
        code: String,
        /// The code whose rules it shares.
        like: String,
    },
    /// A test's code that is no test of a donation.
    Aside {
        /// The code, exactly as the analyser sends it.
        code: String,
    },
}

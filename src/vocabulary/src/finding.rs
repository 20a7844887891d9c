//! What was wrong with a message, where, and what it holds up.

use serde::{Deserialize, Serialize};

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consequence {
    /// Worth knowing; nothing is held.
    Note,
    /// Holds the specimen it names (or, when it names none, all specimens of the message).
    Hold,
    /// The message is kept whole and not used until a person has seen it.
    Quarantine,
}

/// One named finding with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name in snake case, stable: `unmapped_test`, `unknown_value`, …
    pub finding: String,
    /// Record, field and byte range: `R|3 field 4 (bytes 210–214)`.
    #[serde(rename = "where")]
    pub place: String,
    /// What was found and what to do, in one English sentence.
    pub what: String,
    /// What it does.
    pub consequence: Consequence,
    /// The specimen it concerns, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen: Option<String>,
}

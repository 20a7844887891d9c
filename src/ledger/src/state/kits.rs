//! Kits in force as the state keeps them.

use super::Done;
use crate::{KitRef, RUN_PROPOSAL_STANDS_MS};
use serde::{Deserialize, Serialize};

/// Kits that somebody wants in force: these, and no others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitsProposal {
    /// By id.
    pub kits: Vec<KitRef>,
    /// For what is tested from here on, milliseconds since 1970 UTC; nothing: whatever comes behind the activation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub why: String,
}

impl KitsProposal {
    /// Until when another person can agree, milliseconds since 1970 UTC: three days, as with what is proposed of a run.
    #[must_use]
    pub fn lapses_at_ms(&self) -> i64 {
        self.done.at_ms.saturating_add(RUN_PROPOSAL_STANDS_MS)
    }

    /// Whether another person can still agree.
    #[must_use]
    pub fn stands(&self, now_ms: i64) -> bool {
        now_ms <= self.lapses_at_ms()
    }
}

/// Kits that judge what comes behind an entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KitsInForce {
    /// By id.
    pub kits: Vec<KitRef>,
    /// The entry that put them in force: who wrote it (the second of the two), and when.
    #[serde(flatten)]
    pub done: Done,
    /// What the first of the two had proposed; nothing for what was adopted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<KitsProposal>,
}

impl KitsInForce {
    /// For what is tested from here on, milliseconds since 1970 UTC; nothing: whatever comes behind the entry.
    #[must_use]
    pub fn from_ms(&self) -> Option<i64> {
        self.proposed.as_ref().and_then(|proposed| proposed.from_ms)
    }
}

/// How kits come into force, and what somebody wants next.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KitsStand {
    /// The station has begun with some, or with none: from then on two people put others in force.
    pub adopted: bool,
    /// What waits for another person, unless it has lapsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<KitsProposal>,
}

//! Lots that were found defective, as the state keeps them.

use super::{Done, RUN_PROPOSAL_STANDS_MS, RunProposed};
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// A lot that stands as defective.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LotDefect {
    /// Its number.
    pub lot: String,
    /// Since when it was in use, milliseconds since 1970 UTC: the earliest that anybody said.
    pub since_ms: i64,
    /// Lines of analysers that have it on board and name no lots.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<ConnectionId>,
    /// Who said so, when: the last one who made it reach further.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
    /// The other person who stands for it.
    pub confirmed: Option<Done>,
    /// Somebody wants its results back, and nobody else has agreed yet.
    pub reinstatement: Option<RunProposed>,
}

impl LotDefect {
    /// The proposal to take it back that another person can agree to now.
    #[must_use]
    pub fn proposed(&self, now_ms: i64) -> Option<&RunProposed> {
        let stands = |one: &&RunProposed| now_ms.saturating_sub(one.done.at_ms) <= RUN_PROPOSAL_STANDS_MS;
        self.reinstatement.as_ref().filter(stands)
    }
}

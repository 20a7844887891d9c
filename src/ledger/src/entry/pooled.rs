//! What a message says of pools: whose material went into which, and what came out of one.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocabulary::{Aspiration, DonationId, PoolId};

/// A member of a pool: one aspiration, and whose material it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMember {
    /// The donation; nothing where its barcode is none of a donation here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donation: Option<DonationId>,
    /// The aspiration as the robot's log has it.
    pub aspiration: Aspiration,
}

/// Members of one pool that a log told of. Those of one pool and run are one membership, in however many messages and
/// parts they came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolMade {
    /// The pool.
    pub pool: PoolId,
    /// The robot's run in which it was made.
    pub run: String,
    /// How many members it has to have.
    pub size: u16,
    /// Those told of here, in the order of the log.
    pub members: Vec<PoolMember>,
}

/// What an interpretation, or a part of one, says of pools.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pools {
    /// Members of pools.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub made: Vec<PoolMade>,
    /// Which observations are results of which pool: index into `observations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<(u32, PoolId)>,
    /// Which findings hold the members of which pool: index into `findings`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<(u32, PoolId)>,
}

impl Pools {
    /// The pools that it speaks of.
    #[must_use]
    pub fn named(&self) -> BTreeSet<&PoolId> {
        let others = self.results.iter().chain(&self.holds).map(|(_, pool)| pool);
        self.made.iter().map(|made| &made.pool).chain(others).collect()
    }

    /// Whether nothing is said of any pool.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.made.is_empty() && self.results.is_empty() && self.holds.is_empty()
    }
}

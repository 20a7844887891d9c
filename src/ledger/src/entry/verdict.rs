//! A verdict as the journal keeps it.

use crate::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::{DestinationId, DonationId};

/// A verdict that `release::decide` made, with what it considered and where it goes.
///
/// Its fields are private: the only way to one that can be appended leads through a verdict of the release
/// room. One that was read back from the journal is for reading; `append` refuses it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerdictMade {
    donation: DonationId,
    considered: Seq,
    deliver_to: Vec<DestinationId>,
    unit: String,
    releasable: bool,
    #[serde(default)]
    complete: bool,
    rule_pack: String,
    content_hash: String,
    /// The verdict as JSON, exactly as the release room wrote it.
    verdict: String,
    #[serde(skip)]
    proven: bool,
}

/// The parts of a verdict, until the release room's own type can be taken.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub struct VerdictParts {
    /// The donation.
    pub donation: DonationId,
    /// `pass`, `hold`, `discard`.
    pub unit: String,
    /// May be released now.
    pub releasable: bool,
    /// Every mandatory test is final.
    pub complete: bool,
    /// `id@hash`.
    pub rule_pack: String,
    /// Stable hash of the decision's content.
    pub content_hash: String,
    /// JSON.
    pub verdict: String,
}

impl VerdictMade {
    #[doc(hidden)]
    #[must_use]
    pub fn from_parts(parts: VerdictParts, considered: Seq, deliver_to: Vec<DestinationId>) -> Self {
        Self {
            donation: parts.donation,
            considered,
            deliver_to,
            unit: parts.unit,
            releasable: parts.releasable,
            complete: parts.complete,
            rule_pack: parts.rule_pack,
            content_hash: parts.content_hash,
            verdict: parts.verdict,
            proven: true,
        }
    }

    /// The donation it speaks of.
    #[must_use]
    pub fn donation(&self) -> &DonationId {
        &self.donation
    }

    /// Everything in the ledger up to here was considered.
    #[must_use]
    pub fn considered(&self) -> Seq {
        self.considered
    }

    /// The receivers it goes to.
    #[must_use]
    pub fn deliver_to(&self) -> &[DestinationId] {
        &self.deliver_to
    }

    /// `pass`, `hold` or `discard`.
    #[must_use]
    pub fn unit(&self) -> &str {
        &self.unit
    }

    /// Whether it may be released now.
    #[must_use]
    pub fn releasable(&self) -> bool {
        self.releasable
    }

    /// Whether every mandatory test is final.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.complete
    }

    /// Rule pack and its hash, `id@hash`.
    #[must_use]
    pub fn rule_pack(&self) -> &str {
        &self.rule_pack
    }

    /// Stable hash of the decision's content: equal content, equal hash.
    #[must_use]
    pub fn content_hash(&self) -> &str {
        &self.content_hash
    }

    /// The verdict as JSON, exactly as the release room wrote it.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.verdict
    }

    /// Whether it came from the release room in this process.
    pub(crate) fn is_proven(&self) -> bool {
        self.proven
    }
}

impl PartialEq for VerdictMade {
    /// Equal in what the journal keeps.
    fn eq(&self, other: &Self) -> bool {
        self.donation == other.donation
            && self.considered == other.considered
            && self.deliver_to == other.deliver_to
            && self.unit == other.unit
            && self.releasable == other.releasable
            && self.complete == other.complete
            && self.rule_pack == other.rule_pack
            && self.content_hash == other.content_hash
            && self.verdict == other.verdict
    }
}

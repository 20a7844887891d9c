//! Batches, signatures, holds, discards and recalls as the state keeps them.

use super::{Key, Read, RefsRecord, StateError, collect, decode};
use crate::channel::whole_run;
use crate::{BatchOf, HoldKind, RunCause, Seq, SetAside, UnitCount, WindowSpan};
use serde::{Deserialize, Serialize};
use vocabulary::{DonationId, RunId};

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// The user's name.
    pub by: String,
    /// Milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// The entry.
    pub entry: Seq,
}

/// A signature and the hash of what it holds for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBasis {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// The donation's evidence and the pack, without signatures.
    pub basis: String,
}

/// The signature under a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSigned {
    /// Who, when, for what.
    #[serde(flatten)]
    pub signed: SignedBasis,
    /// The batch's failing units at that time.
    pub count: UnitCount,
    /// Gates that were set aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub set_aside: Vec<SetAside>,
}

/// Holds of one donation that stand at a time.
pub const HOLDS_MAX: usize = 20;

/// A hold that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldStands {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What kind.
    pub kind: HoldKind,
    /// Why.
    pub reason: String,
}

/// A discard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscardDone {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

/// What people did with a donation, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ByPeople {
    /// The review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<SignedBasis>,
    /// The release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub released: Option<ReleaseSigned>,
    /// The holds, oldest first: a later one takes nothing from those before it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<HoldStands>,
    /// The discard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discarded: Option<DiscardDone>,
}

/// A recall: a donation that may not go, of which something is out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recall {
    /// Which donation.
    pub donation: DonationId,
    /// When it was raised, milliseconds since 1970 UTC.
    pub raised_at_ms: i64,
    /// The verdict that had released it; none where something of it was given out without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub released: Option<Seq>,
    /// What the verdict that raised it, or that stood then, makes of the unit.
    pub unit: String,
    /// Who closed it, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Done>,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// A run that was declared invalid, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInvalidation {
    /// Which run, or window of one.
    pub run: RunId,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
    /// What kind of a cause.
    pub cause: RunCause,
    /// The run in which its samples are tested again, where that is known.
    pub repeated_in: Option<RunId>,
    /// Who named that run, where it was not said at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_named: Option<Done>,
    /// Of a window: what it covered when it was declared invalid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<WindowSpan>,
    /// The other person who stands for it.
    pub confirmed: Option<Done>,
    /// Somebody wants it to be valid again, and nobody else has agreed yet.
    pub reinstatement: Option<RunProposed>,
}

impl RunInvalidation {
    /// The run in which its samples are tested again, as far as two people know of it: it was named before the second one
    /// confirmed that it is invalid, or by that one. Who names it alone behind their backs has said it alone.
    #[must_use]
    pub fn repeat_of_two(&self) -> Option<&RunId> {
        let is_alone = self
            .repeat_named
            .as_ref()
            .zip(self.confirmed.as_ref())
            .is_some_and(|(named, confirmed)| named.by != confirmed.by && named.entry > confirmed.entry);
        self.repeated_in.as_ref().filter(|_| !is_alone)
    }

    /// Whether a person may name that run: nobody has, or one alone has, and this is who confirmed it.
    #[must_use]
    pub fn lets_name_repeat(&self, by: &str) -> bool {
        self.repeat_of_two().is_none()
            && (self.repeated_in.is_none() || self.confirmed.as_ref().is_some_and(|one| one.by == by))
    }
}

/// By which kits a run is judged, where two people have said so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct RunJudged {
    /// By those that were in force at this entry, where its results came before.
    pub from: Option<Seq>,
    /// When that was written, milliseconds since 1970 UTC: of kits that judge from a time on, those of that time do.
    pub at_ms: Option<i64>,
    /// Somebody wants it judged by those that are in force now, and nobody else has agreed yet.
    pub proposed: Option<RunProposed>,
}

/// For so long another person can agree to what somebody proposed of a run: three days. Then it has to be proposed again.
pub const RUN_PROPOSAL_STANDS_MS: i64 = 3 * 24 * 3_600_000;

/// Something about a run that another person has to agree to, while it stands: for [`RUN_PROPOSAL_STANDS_MS`], and while the
/// run's controls are what they were.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProposed {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

impl RunProposed {
    /// Whether another person can still agree to what this one says of `run`.
    pub(crate) fn stands(&self, read: &dyn Read, run: &RunId, now_ms: i64) -> Result<bool, StateError> {
        let age = now_ms.saturating_sub(self.done.at_ms);
        if age > RUN_PROPOSAL_STANDS_MS {
            return Ok(false);
        }
        for run in [Some(run.clone()), whole_run(run)].into_iter().flatten() {
            for (_, value) in collect(read, &Key::run_controls(&run).under())? {
                let controls: RefsRecord = decode(&value)?;
                if controls.entry > self.done.entry {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// A batch in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchRecord {
    /// Its name.
    pub name: String,
    /// What it was made from.
    pub of: BatchOf,
    /// Who made it, when.
    pub opened: Done,
    /// How many donations it has.
    pub donations: u32,
    /// The entry that last signed something of it.
    pub changed: Seq,
}

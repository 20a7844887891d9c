//! What people sign, hold, discard and call back. Who did it is the entry's `by`.

use crate::{Channel, FoundComponents, Seq};
use serde::{Deserialize, Serialize};
use vocabulary::{DonationId, RunId};

/// What a batch was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchOf {
    /// Donations taken in a time: from the first moment to before the last, milliseconds since 1970 UTC.
    Session {
        /// From here on.
        from_ms: i64,
        /// Up to before this.
        to_ms: i64,
    },
    /// The donations of runs.
    Runs {
        /// Which.
        runs: Vec<RunId>,
    },
    /// Scanned one by one.
    List,
}

/// A donation under a signature, with the hash of what was known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedDonation {
    /// Which.
    pub donation: DonationId,
    /// SHA-256 of its evidence and the rule pack, without signatures; the signature holds for this and nothing else.
    pub basis: String,
}

/// A donation that stays when its batch is released (R-BATCH-01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftHeld {
    /// Which.
    pub donation: DonationId,
    /// What keeps it, in words.
    pub why: String,
}

/// Failing units of a batch (R-GATE-13).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UnitCount {
    /// As the system counts them.
    pub failing: u32,
    /// As they were found and removed.
    pub located: u32,
}

/// A gate that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetAside {
    /// Which: `R-GATE-07`.
    pub gate: String,
    /// Why.
    pub reason: String,
}

/// What kind of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// Something of the laboratory's.
    #[default]
    Laboratory,
    /// The donor said something after the donation (R-GATE-11).
    PostDonation,
}

/// Why a run falls (rules.md §2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunCause {
    /// A control of the kit: the run has no results.
    KitControl,
    /// A control of the laboratory: the rule pack says what becomes of reactive results.
    ExternalControl,
    /// A lot was found defective.
    LotDefective,
    /// Analyser, reader or washer.
    Equipment,
    /// Something else, or nobody said.
    #[default]
    Other,
}

/// A row of a message: it stays the same however the message is read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RowAt {
    /// The message.
    pub message: Seq,
    /// The record in it.
    pub record: String,
}

/// What a window covered in one channel when it was declared invalid. It falls by its time and by its rows, so that nothing
/// that is read otherwise later, be it a control's time or its level, makes it valid again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSpan {
    /// Where.
    pub channel: Channel,
    /// When its opening control ran, or its first result where none did, milliseconds since 1970 UTC; nothing where no time
    /// of its results was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_ms: Option<i64>,
    /// When the control ran that closed it; nothing where none had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
    /// The controls that opened it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opened_by: Vec<RowAt>,
    /// The results in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<RowAt>,
}

/// An act of a person on donations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedAct {
    /// A batch was put together. It goes by the number of this entry.
    BatchOpened {
        /// Its name, for people.
        name: String,
        /// What from.
        of: BatchOf,
        /// Its donations, each once.
        donations: Vec<DonationId>,
        /// All of them or none: there is no such batch where one is in another. An entry without it makes one of the others.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        whole: bool,
    },
    /// The technical review was signed.
    BatchReviewed {
        /// Which batch.
        batch: Seq,
        /// SHA-256 of everything that was seen.
        seen: String,
        /// What it holds for.
        donations: Vec<SignedDonation>,
        /// A remark.
        #[serde(default)]
        comment: String,
    },
    /// The release was signed.
    BatchReleased {
        /// Which batch.
        batch: Seq,
        /// SHA-256 of everything that was seen.
        seen: String,
        /// What it holds for.
        donations: Vec<SignedDonation>,
        /// What stays.
        held: Vec<LeftHeld>,
        /// The failing units.
        count: UnitCount,
        /// Gates that were set aside.
        #[serde(default)]
        set_aside: Vec<SetAside>,
        /// A remark.
        #[serde(default)]
        comment: String,
    },
    /// Donations were held.
    DonationsHeld {
        /// Which.
        donations: Vec<DonationId>,
        /// What kind.
        kind: HoldKind,
        /// Why.
        reason: String,
    },
    /// Holds were lifted.
    HoldsLifted {
        /// Of which donations.
        donations: Vec<DonationId>,
        /// Why.
        reason: String,
        /// The last entry that was known: holds that came after it stay. An older ledger does not say it, and lifts all.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seen: Option<Seq>,
    },
    /// Units were found, counted and taken out. For good.
    DonationsDiscarded {
        /// Which.
        donations: Vec<DonationId>,
        /// How many the person counted.
        counted: u32,
        /// Why.
        reason: String,
        /// The components that were found, of the donations whose components are known.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        components: Vec<FoundComponents>,
    },
    /// A run, or one window of it, was declared invalid after the fact. It falls at once; another person confirms it.
    RunInvalidated {
        /// Which.
        run: RunId,
        /// Why.
        reason: String,
        /// What kind of a cause.
        #[serde(default)]
        cause: RunCause,
        /// The run in which its samples are tested again, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        repeated_in: Option<RunId>,
        /// Of a window: what it covered then. Nothing for a whole run.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        spans: Vec<WindowSpan>,
    },
    /// Another person stands for the invalidation of a run.
    RunInvalidationConfirmed {
        /// Which run.
        run: RunId,
        /// The entry that declared it invalid.
        invalidated: Seq,
    },
    /// The run in which the samples of an invalid run are tested again is known now: named once.
    RunRepeatNamed {
        /// Which run is invalid.
        run: RunId,
        /// The entry that declared it invalid.
        invalidated: Seq,
        /// The run in which its samples are tested again.
        repeated_in: RunId,
    },
    /// A person wants a run to be valid again. It stays invalid until another one agrees.
    RunReinstatementProposed {
        /// Which run.
        run: RunId,
        /// The entry that declared it invalid.
        invalidated: Seq,
        /// Why.
        reason: String,
    },
    /// Another person agreed: the run is what its controls make of it.
    RunReinstated {
        /// Which run.
        run: RunId,
        /// The [`SignedAct::RunReinstatementProposed`] entry.
        proposed: Seq,
        /// The proposal counts only while it has not lapsed. Entries from before there was such a rule do not say so, and stay
        /// what they were.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lapses: bool,
    },
    /// A person wants a run judged by the kits that are in force now, and not by those of when its results came.
    RunJudgingProposed {
        /// Which run.
        run: RunId,
        /// Why.
        reason: String,
    },
    /// Another person agreed: whatever of it came before this entry is judged by the kits in force here.
    RunJudgedAnew {
        /// Which run.
        run: RunId,
        /// The [`SignedAct::RunJudgingProposed`] entry.
        proposed: Seq,
        /// The proposal counts only while it has not lapsed. Entries from before there was such a rule do not say so, and stay
        /// what they were.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lapses: bool,
    },
    /// A recall was closed. It goes by the number of the verdict that raised it.
    RecallClosed {
        /// Which.
        recall: Seq,
        /// What came of it.
        outcome: String,
        /// The components that were out, whose consignees were told. It is closed while it names every one that is. Entries
        /// from before there was such a rule name none, and stay what they were.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        told: Option<Vec<String>>,
        /// The components that are in the house, and are kept there.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        kept: Vec<String>,
    },
}

impl SignedAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::BatchOpened { .. } => "batch_opened",
            Self::BatchReviewed { .. } => "batch_reviewed",
            Self::BatchReleased { .. } => "batch_released",
            Self::DonationsHeld { .. } => "donations_held",
            Self::HoldsLifted { .. } => "holds_lifted",
            Self::DonationsDiscarded { .. } => "donations_discarded",
            Self::RunInvalidated { .. } => "run_invalidated",
            Self::RunInvalidationConfirmed { .. } => "run_invalidation_confirmed",
            Self::RunRepeatNamed { .. } => "run_repeat_named",
            Self::RunReinstatementProposed { .. } => "run_reinstatement_proposed",
            Self::RunReinstated { .. } => "run_reinstated",
            Self::RunJudgingProposed { .. } => "run_judging_proposed",
            Self::RunJudgedAnew { .. } => "run_judged_anew",
            Self::RecallClosed { .. } => "recall_closed",
        }
    }
}

//! Donors, and what has to be done for them, as the state keeps them.

use super::Done;
use crate::{AskedDeferral, LookbackAsked, LookbackId, LookbackStep, RowAt, Seq};
use release::evidence::{Confirmatory, EarlierDonation, GroupingSample, Neighbour, Reentry, Register};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocabulary::{BloodGroup, DonationId, DonorId, RunId};

/// A deferral that stands, or an examination for re-entry that is under way: by itself, whatever else stands, until it is
/// taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferralStands {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What it says.
    pub line: Register,
    /// The donation whose verdict asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donation: Option<DonationId>,
    /// What is examined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

/// A donor, beside the donations.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DonorStands {
    /// The line in the deferral register: what all that stand come to, the gravest of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub register: Option<Register>,
    /// What stands, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deferrals: Vec<DeferralStands>,
    /// Who wrote last in the register, when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered: Option<Done>,
    /// Donations that were recorded by hand, those that were taken back too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierRecord>,
    /// The re-entry examination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reentry: Option<Reentry>,
    /// Examinations of before that were approved, or had tests, where another was begun since.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub came_back: Vec<Reentry>,
    /// Every entry about the donor, oldest first.
    pub history: Vec<Seq>,
}

impl DonorStands {
    /// What was recorded by hand and stands.
    pub fn recorded(&self) -> impl Iterator<Item = &EarlierDonation> {
        self.earlier.iter().filter(|record| record.stands()).map(|record| &record.earlier)
    }
}

/// Persons who have to say that a donation was recorded by mistake.
const TAKING_BACK_PERSONS: usize = 2;

/// A donation that was recorded by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierRecord {
    /// Who, when, by which entry.
    #[serde(flatten)]
    pub done: Done,
    /// What was recorded.
    #[serde(flatten)]
    pub earlier: EarlierDonation,
    /// Where it is known from.
    pub source: String,
    /// Who says that it was recorded by mistake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_back: Vec<RecordTakenBack>,
}

/// One person's word that a donation was recorded by mistake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordTakenBack {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

impl EarlierRecord {
    /// Whether it counts: until two different people have taken it back.
    #[must_use]
    pub fn stands(&self) -> bool {
        self.taken_back.len() < TAKING_BACK_PERSONS
    }

    /// Whether somebody has taken it back.
    #[must_use]
    pub fn is_taken_back_by(&self, who: &str) -> bool {
        self.taken_back.iter().any(|word| word.done.by == who)
    }

    /// A person takes it back; false where that does not fit, and nothing is kept.
    pub(crate) fn take_back(&mut self, word: RecordTakenBack) -> bool {
        let fits = self.stands() && !self.is_taken_back_by(&word.done.by);
        if fits {
            self.taken_back.push(word);
        }
        fits
    }
}

/// What people wrote down of a donation.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DonationNotes {
    /// Confirmatory tests.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub confirmatory: Vec<Confirmatory>,
    /// Donations beside it that may be in its tube.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Who closed the inquiry into its group, and by which determination.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupSettled>,
    /// Who compared numbers that were typed in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<NumberChecked>,
    /// Who accepted duplicates on another lot or analyser.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub duplicates: Vec<DuplicateAccepted>,
    /// Who said which version of a result stands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<ResultSettled>,
}

/// One person's word that numbers which were typed in are those of the tubes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NumberChecked {
    /// What was typed in: its message, and the place in it.
    pub rows: Vec<RowAt>,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What was compared.
    pub reason: String,
}

/// One person's word that duplicates on another lot or analyser are accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateAccepted {
    /// Of which assay.
    pub assay: String,
    /// SHA-256 of the results that the person saw.
    pub results: String,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

/// One person's word that one version of a result stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultSettled {
    /// SHA-256 of the versions that the person saw.
    pub versions: String,
    /// The message whose version stands.
    pub message: Seq,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// Why.
    pub reason: String,
}

/// One person's word that a determination of the group stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSettled {
    /// The run of the determination.
    pub run: RunId,
    /// The message that its rows came with, where the entry says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Seq>,
    /// What it was made from, where the entry says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<GroupingSample>,
    /// SHA-256 of the columns that the person saw, where the entry says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// Groups of earlier donations that the person found to be wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets_aside: Vec<BloodGroup>,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What the inquiry found.
    pub reason: String,
}

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepDone {
    /// Which.
    pub step: LookbackStep,
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What came of it.
    pub outcome: String,
}

/// How grave a finding is for which earlier donations are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FoundAs {
    /// How its verdict wants the donor deferred for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deferral: Option<AskedDeferral>,
    /// A confirmatory laboratory found it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub confirmed: bool,
}

impl FoundAs {
    /// Whether it is more than what was found until then.
    pub(crate) fn is_graver(self, than: Self) -> bool {
        self.deferral > than.deferral || (self.confirmed && !than.confirmed)
    }

    pub(crate) fn max_of(self, other: Self) -> Self {
        let (deferral, confirmed) = (self.deferral.max(other.deferral), self.confirmed || other.confirmed);
        Self { deferral, confirmed }
    }
}

/// A look-back that was raised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lookback {
    /// Which.
    pub id: LookbackId,
    /// The entry that raised it last: a verdict, or a confirmation.
    pub raised: Seq,
    /// When that was, milliseconds since 1970 UTC.
    pub raised_at_ms: i64,
    /// What it asks for.
    pub asked: LookbackAsked,
    /// The gravest that was found of it.
    #[serde(default)]
    pub found: FoundAs,
    /// What was done since it was raised last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub done: Vec<StepDone>,
    /// The verdict by which its finding is there no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Seq>,
    /// What was done before it was raised again, or before there was more to it: it counts no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<StepDone>,
}

/// Persons who have to say that what is in the house may go although the finding of a look-back stands.
const CLEARING_PERSONS: usize = 2;

impl Lookback {
    /// Whether nothing of the earlier donation may go because of it: while it is open, and when it is closed while its
    /// finding stands and fewer than two people have said that what is in the house may go.
    #[must_use]
    pub fn bars(&self) -> bool {
        !self.is_closed() || (self.gone.is_none() && self.cleared_by().len() < CLEARING_PERSONS)
    }

    /// Who has said that what is in the house may go.
    #[must_use]
    pub fn cleared_by(&self) -> BTreeSet<&str> {
        let cleared = self.done.iter().filter(|done| done.step == LookbackStep::Cleared);
        cleared.map(|step| step.done.by.as_str()).collect()
    }

    /// Whether a step can be done by somebody: each once and until it is closed; to clear it, each person once, and when it
    /// is closed as well.
    #[must_use]
    pub fn takes(&self, step: LookbackStep, by: &str) -> bool {
        match step {
            LookbackStep::Cleared => self.gone.is_none() && !self.cleared_by().contains(by),
            LookbackStep::Quarantined
            | LookbackStep::ConsigneesTold
            | LookbackStep::RecipientsTold
            | LookbackStep::Closed => !self.is_closed() && !self.has(step),
        }
    }

    /// Whether nothing is left to do.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.has(LookbackStep::Closed)
    }

    /// When it was closed, milliseconds since 1970 UTC.
    #[must_use]
    pub fn closed_at_ms(&self) -> Option<i64> {
        let closed = self.done.iter().find(|done| done.step == LookbackStep::Closed);
        closed.map(|step| step.done.at_ms)
    }

    /// Whether a step was done.
    #[must_use]
    pub fn has(&self, step: LookbackStep) -> bool {
        self.done.iter().any(|done| done.step == step)
    }
}

/// A donor who may be examined for re-entry: reactive by serology alone, all else being negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// The donor's number.
    pub donor: DonorId,
    /// The donation that was reactive.
    pub donation: DonationId,
    /// The verdict that says so.
    pub raised: Seq,
    /// When that was, milliseconds since 1970 UTC.
    pub raised_at_ms: i64,
    /// When the donation was taken, milliseconds since 1970 UTC.
    pub collected_at_ms: i64,
}

//! What people write down of donors: the deferral register, earlier results, confirmatory tests, re-entry, neighbours of
//! a suspected wrong tube; and what was done for a look-back. Who did it is the entry's `by`.

use crate::{RowAt, Seq};
use jiff::civil::Date;
use release::evidence::{
    Call, Confirmatory, EarlierDonation, GroupingSample, Reentry, ReentryTest, Register,
};
use serde::{Deserialize, Serialize};
use vocabulary::{BloodGroup, DonationId, DonorId, Marker, PoolId, RunId};

/// Which look-back: the donation that raised it, what for, and the earlier donation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookbackId {
    /// The donation that was found to be positive.
    pub trigger: DonationId,
    /// What for: `HBV`, `HCV`, `HIV`, …
    pub marker: String,
    /// The earlier donation that is looked up.
    pub earlier: DonationId,
}

/// What a look-back asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookbackAsked {
    /// What for.
    pub marker: String,
    /// The earlier donation.
    pub earlier: DonationId,
    /// Some component of it may still be in date.
    pub in_date: bool,
    /// Last day for putting products in date into quarantine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine_by: Option<Date>,
    /// Last day for further tests and for telling consignees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notify_by: Option<Date>,
    /// Last day for telling recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipients_by: Option<Date>,
}

/// A step of a look-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LookbackStep {
    /// Products in date are in quarantine.
    Quarantined,
    /// Further tests are done and consignees told.
    ConsigneesTold,
    /// Recipients are told.
    RecipientsTold,
    /// Nothing is left to do.
    Closed,
    /// What of the donation is still in the house may go, whatever was found: one of the two names that this takes.
    Cleared,
}

/// Which task stands for a donor because of a donation's verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DonorTask {
    /// The donor is to be deferred.
    Deferral,
    /// A sample is to go to the confirmatory laboratory, and what it said is to be recorded.
    Confirmation,
    /// The finding is to be reported, as the law asks.
    Report,
}

impl DonorTask {
    /// All of them, the most pressing first.
    pub const EVERY: [Self; 3] = [Self::Report, Self::Confirmation, Self::Deferral];

    /// Its name, stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deferral => "deferral",
            Self::Confirmation => "confirmation",
            Self::Report => "report",
        }
    }
}

/// How a donor is to be deferred, the lightest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AskedDeferral {
    /// For a time.
    Temporary,
    /// Until it is confirmed or settled.
    UntilSettled,
    /// For good.
    Permanent,
}

/// What a verdict asks to be done about the donor because of one marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DonorAsked {
    /// What for: `HBV`, `HCV`, `HIV`, …
    pub marker: String,
    /// How the donor is to be deferred.
    pub deferral: AskedDeferral,
    /// A sample is to go to the confirmatory laboratory.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub confirm: bool,
    /// The finding is to be reported.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
}

/// What came of a donor's task, by a person's word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TaskOutcome {
    /// It was done.
    Done,
    /// It was not, for the reason that is given.
    NotDone,
}

/// An act on a donor or a donation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DonorAct {
    /// The donor's line in the deferral register.
    Registered {
        /// The donor's number.
        donor: DonorId,
        /// The line.
        register: Register,
        /// Entries that it rests on, where a donor may give again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        on: Vec<Seq>,
        /// The donation whose verdict asked for a deferral.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        donation: Option<DonationId>,
    },
    /// An earlier donation that this ledger does not know, with what it gave.
    EarlierRecorded {
        /// The donor's number.
        donor: DonorId,
        /// The donation.
        earlier: EarlierDonation,
        /// Where it is known from.
        source: String,
    },
    /// A person says that a donation was recorded by hand by mistake; it takes two.
    EarlierTakenBack {
        /// The donor's number.
        donor: DonorId,
        /// The entry that recorded it.
        record: Seq,
        /// Why.
        reason: String,
    },
    /// What a confirmatory laboratory said of a donation.
    Confirmed {
        /// The donation.
        donation: DonationId,
        /// The test.
        test: Confirmatory,
        /// The report.
        report: String,
    },
    /// A donor is examined for re-entry.
    ReentryBegun {
        /// The donor's number.
        donor: DonorId,
        /// What for.
        marker: String,
        /// Since when the donor is deferred.
        deferred_on: Date,
        /// What NAT gave then.
        nat_then: Call,
        /// Why.
        reason: String,
    },
    /// A test of a re-entry examination.
    ReentryTested {
        /// The donor's number.
        donor: DonorId,
        /// The test.
        test: ReentryTest,
    },
    /// A donor may give again.
    ReentryApproved {
        /// The donor's number.
        donor: DonorId,
        /// The examination, with the approval in it.
        case: Reentry,
        /// Deferrals that it takes back by name, beside those of the marker that it examined.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        takes_back: Vec<Seq>,
    },
    /// A donation may be in a neighbour's tube (G4).
    NeighbourSuspected {
        /// The donation that is held.
        donation: DonationId,
        /// The suspected one beside it.
        suspect: DonationId,
        /// Why.
        reason: String,
    },
    /// Grouped again from the bag segment, and it agrees.
    NeighbourSettled {
        /// The donation that was held.
        donation: DonationId,
        /// The suspected one.
        suspect: DonationId,
        /// How.
        reason: String,
    },
    /// The inquiry into the donation's blood group is closed for one person; it takes two.
    GroupSettled {
        /// The donation.
        donation: DonationId,
        /// The run of the determination that stands.
        run: RunId,
        /// The message that its rows came with. An entry without it names the only determination that the run had then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<Seq>,
        /// What it was made from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sample: Option<GroupingSample>,
        /// SHA-256 of the columns that the person saw: the word stands for these. An entry without it stands for whatever the
        /// rows were taken to mean when it was written.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<String>,
        /// Groups of earlier donations that the person found to be wrong.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        sets_aside: Vec<BloodGroup>,
        /// What the inquiry found.
        reason: String,
    },
    /// A person compared numbers that were typed in for a donation with the labels of its tubes; it takes two (R-GATE-09).
    NumberChecked {
        /// The donation.
        donation: DonationId,
        /// What was typed in: its message, and the place in it. The word is of these and of no others.
        rows: Vec<RowAt>,
        /// What was compared.
        reason: String,
    },
    /// A person accepts a donation's duplicate on another lot or analyser; it takes two (R-SER-02).
    DuplicateAccepted {
        /// The donation.
        donation: DonationId,
        /// Of which assay.
        assay: String,
        /// SHA-256 of the results that the person saw: the word is of these and of no others.
        results: String,
        /// Why.
        reason: String,
    },
    /// A person says which version of a result stands that was sent with different values; it takes two (R-GATE-15).
    ResultSettled {
        /// The donation. A word on a pool's result is one entry for each donation of the pool.
        donation: DonationId,
        /// The pool whose result it is, where it is one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pool: Option<PoolId>,
        /// By which assay.
        assay: String,
        /// What was tested for.
        marker: Marker,
        /// SHA-256 of the versions that the person saw: the word is of these and of no others.
        versions: String,
        /// The message whose version stands.
        message: Seq,
        /// Why.
        reason: String,
    },
    /// A person says which registration of a donation stands, where its number was registered for two; it takes two
    /// (R-GATE-09).
    RegistrationSettled {
        /// The donation.
        donation: DonationId,
        /// SHA-256 of the registrations that the person saw: the word is of these and of no others.
        registrations: String,
        /// The entry whose registration stands.
        entry: Seq,
        /// What was found out.
        reason: String,
    },
    /// A task for a donation's donor is closed by a person's word.
    TaskClosed {
        /// The donation.
        donation: DonationId,
        /// Which task.
        task: DonorTask,
        /// Of which marker; nothing: of every one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        marker: Option<String>,
        /// What came of it.
        outcome: TaskOutcome,
        /// How, or why not.
        reason: String,
    },
    /// A step of a look-back was done.
    LookbackDone {
        /// Which look-back.
        lookback: LookbackId,
        /// Which step.
        step: LookbackStep,
        /// What came of it.
        outcome: String,
    },
}

impl DonorAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Registered { .. } => "donor_registered",
            Self::EarlierRecorded { .. } => "earlier_recorded",
            Self::EarlierTakenBack { .. } => "earlier_taken_back",
            Self::Confirmed { .. } => "confirmatory_recorded",
            Self::ReentryBegun { .. } => "reentry_begun",
            Self::ReentryTested { .. } => "reentry_tested",
            Self::ReentryApproved { .. } => "reentry_approved",
            Self::NeighbourSuspected { .. } => "neighbour_suspected",
            Self::NeighbourSettled { .. } => "neighbour_settled",
            Self::GroupSettled { .. } => "group_settled",
            Self::NumberChecked { .. } => "number_checked",
            Self::DuplicateAccepted { .. } => "duplicate_accepted",
            Self::ResultSettled { .. } => "result_settled",
            Self::RegistrationSettled { .. } => "registration_settled",
            Self::TaskClosed { .. } => "donor_task_closed",
            Self::LookbackDone { .. } => "lookback_done",
        }
    }
}

//! What is known of a donor beside this donation: the register, earlier donations, confirmatory tests, re-entry.

use super::{Call, Resolution};
use crate::Moment;
use crate::alias;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vocabulary::{AboGroup, BloodGroup, DonationId, RhD, Virus};

/// Where a donor stands in the deferral register (rules.md §1.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegisterState {
    /// May give.
    Eligible,
    /// Deferred for a time. The end of that time alone makes nobody eligible: a named person does.
    TempDeferred,
    /// Being examined for re-entry.
    ReentryTesting,
    /// Deferred for good.
    PermDeferred,
}

/// The donor's line in the deferral register.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Register {
    /// Where the donor stands.
    pub state: RegisterState,
    /// Why, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Last day of a deferral for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Date>,
    /// First day whose donations a deferral speaks of. Without it, of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
}

/// What an earlier donation gave for one marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlierCall {
    /// Nothing found.
    NonReactive,
    /// Reactive, and a confirmatory test said no.
    ConfirmedNegative,
    /// Reactive, and a confirmatory test did not decide.
    Indeterminate,
    /// Reactive.
    Reactive,
    /// Reactive and confirmed.
    ConfirmedPositive,
}

/// One marker of an earlier donation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierResult {
    /// The marker, by the names of verdicts: `HBV`, `HCV`, `HIV`, `syphilis`, `HTLV`, `anti-HBc`.
    pub marker: String,
    /// What it gave.
    pub result: EarlierCall,
    /// Reactive in a way that no examination for re-entry is made for: nucleic acid was found, or that is open
    /// (rules.md §1.5, M1, M3, M5–M7). *Adverse.*
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub beyond_reentry: bool,
}

/// A later donation of the donor that asks for this one to be looked back on (rules.md §1.9).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaterFinding {
    /// The later donation.
    pub donation: DonationId,
    /// What was found in it, by the names of verdicts.
    pub marker: String,
}

/// The blood group of an earlier donation. *Adverse*: another one now holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierGroup {
    /// ABO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abo: Option<AboGroup>,
    /// RhD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhd: Option<RhD>,
    /// Its verdict's group is final, and its tube known beyond doubt (R-GATE-03, R-GATE-09): it stands in the place of a
    /// known donor's second determination. What was only told of holds where it differs, and proves nothing.
    #[serde(default, rename = "final")]
    pub is_final: bool,
}

impl EarlierGroup {
    /// The group alone.
    #[must_use]
    pub fn group(self) -> BloodGroup {
        BloodGroup { abo: self.abo, rhd: self.rhd }
    }
}

/// An earlier donation of the same donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierDonation {
    /// The donation.
    pub donation: DonationId,
    /// When it was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Moment>,
    /// What it gave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<EarlierResult>,
    /// Its blood group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<EarlierGroup>,
    /// A later donation with which two people found that group to be wrong, by its tube and its bag segment: then it holds and
    /// proves nothing. *Adverse* where it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_refuted_by: Option<DonationId>,
    /// It passed once: a part of it may have been given then, whatever was found of it, or taken back, since. *Adverse*.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub passed: bool,
    /// Last day on which some component of it may be used. Unknown counts as in date.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
}

impl EarlierDonation {
    /// Its blood group, where nobody found that to be wrong.
    #[must_use]
    pub fn standing_group(&self) -> Option<EarlierGroup> {
        self.group.filter(|_| self.group_refuted_by.is_none())
    }
}

/// Outcome of a confirmatory test (rules.md §1.10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Confirmed {
    /// Confirmed.
    #[serde(rename = "CONF_POS")]
    Positive,
    /// Not confirmed. It serves the donor, never the unit (R-MRK-03).
    #[serde(rename = "CONF_NEG")]
    Negative,
    /// Neither.
    #[serde(rename = "CONF_IND")]
    Indeterminate,
    /// Not done.
    #[serde(rename = "NOT_DONE")]
    NotDone,
}

impl Confirmed {
    /// What stands of what was said of one marker, oldest first; nothing where it is not settled. A confirmation stands,
    /// whatever is said after it. Anything else is taken back by a later `NOT_DONE`, and a `CONF_NEG` by a later `CONF_IND`,
    /// too: then a sample is to be sent again.
    #[must_use]
    pub fn standing(said: impl IntoIterator<Item = Self>) -> Option<Self> {
        said.into_iter().fold(None, |stands, next| match (stands, next) {
            (Some(Self::Positive), _) | (_, Self::Positive) => Some(Self::Positive),
            (_, Self::Negative) => Some(Self::Negative),
            (_, Self::NotDone) | (Some(Self::Negative), Self::Indeterminate) => None,
            (_, Self::Indeterminate) => Some(Self::Indeterminate),
        })
    }
}

/// A confirmatory test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmatory {
    /// What for.
    #[serde(deserialize_with = "alias::read_infection")]
    pub marker: Virus,
    /// How: `neutralisation`, `WB`, `LIA`, `TPPA`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What it said.
    pub outcome: Confirmed,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
}

/// What a test of a re-entry examination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReentryTestKind {
    /// A serology reagent.
    Serology,
    /// Nucleic acid.
    Nat,
    /// Confirmatory.
    Confirmatory,
}

/// One test of a re-entry examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReentryTest {
    /// Its number: an approval names it.
    pub id: String,
    /// What it is.
    pub kind: ReentryTestKind,
    /// The reagent, of serology.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reagent: Option<String>,
    /// What it said; of a confirmatory test `non_reactive` is negative.
    pub result: Call,
    /// When its sample was taken.
    pub collected_on: Date,
}

impl ReentryTest {
    /// Whether it found something, or did not rule it out: it bars issue as an earlier result does, whatever becomes of its
    /// examination.
    #[must_use]
    pub fn is_found(&self) -> bool {
        match self.result {
            Call::Reactive | Call::GreyZone => true,
            Call::Indeterminate => self.kind == ReentryTestKind::Confirmatory,
            Call::NonReactive | Call::Invalid | Call::Pending => false,
        }
    }

    /// Whether what it found is nothing that an examination for re-entry is made for: nucleic acid, or a confirmation.
    #[must_use]
    pub fn is_beyond_reentry(&self) -> bool {
        self.result == Call::Reactive && self.kind != ReentryTestKind::Serology
    }
}

/// A re-entry examination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reentry {
    /// The marker that the donor was deferred for, by the names of verdicts.
    pub marker: String,
    /// Since when.
    pub deferred_on: Date,
    /// What NAT gave then: only serology reactive and NAT non-reactive may come back.
    pub nat_then: Call,
    /// The tests.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<ReentryTest>,
    /// Who approved it, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Resolution>,
    /// Numbers of the tests that the approval rests on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approved_on: Vec<String>,
}

/// A donation beside this one in its session that may be in a wrong tube (rules.md §1.6, G4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// The suspected donation.
    pub donation: DonationId,
    /// True once it was grouped again from its bag segment and agrees.
    #[serde(default)]
    pub settled: bool,
}

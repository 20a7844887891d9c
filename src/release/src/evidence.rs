//! What is known of one donation: the input of [`decide`](crate::decide).
//!
//! The JSON form is a promise (`interfaces.md`). Keys that are not known are refused. Whatever does not
//! exist is left out; what is left out is never taken for good. The fields marked *adverse* are different:
//! they report something that is wrong, and their absence means that nothing wrong was reported.

mod donors;
mod grouping;
mod results;
mod surroundings;

pub use donors::{
    Confirmatory, Confirmed, EarlierCall, EarlierDonation, EarlierGroup, EarlierResult, LaterFinding,
    Neighbour, Reentry, ReentryTest, ReentryTestKind, Register, RegisterState,
};
pub use grouping::{Del, Grades, Grouping, GroupingSample};
pub use results::{
    AltResult, Call, Direction, InternalControl, NatKind, NatResult, Pipetted, PoolMember, PoolingLog,
    ScreenCall, ScreenResult, SerologyKind, SerologyResult, SerologySeries,
};
pub use surroundings::{
    Batch, Component, ComponentState, Identity, Lot, Meaning, OpenFinding, Override, Qc, Run, SettledResult,
    Signature,
};

use crate::Moment;
use serde::{Deserialize, Serialize};
use vocabulary::{AboGroup, BloodGroup, DonationId, DonorRegistration};

/// Everything known of one donation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// The donation.
    pub donation: DonationId,
    /// When it was taken: says which rule pack applies (R-PACK-01).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collected_at: Option<Moment>,
    /// Who gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donor: Option<Donor>,
    /// Serology, one series a marker and reagent. A series without results says: ordered, nothing in yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub serology: Vec<SerologySeries>,
    /// Nucleic acid tests, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nat: Vec<NatResult>,
    /// What the other members of a reactive pool gave, where all pools have the same members.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool_members: Vec<PoolMember>,
    /// ALT, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alt: Vec<AltResult>,
    /// Antibody screens, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub antibody_screen: Vec<ScreenResult>,
    /// Blood groupings, one a determination, in the order of time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grouping: Vec<Grouping>,
    /// The runs that results name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<Run>,
    /// Confirmatory tests. They serve the donor, never the unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmatory: Vec<Confirmatory>,
    /// Donations beside this one in its session that may be in a wrong tube. *Adverse.*
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
    /// Who signed what.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
    /// How the sample was identified. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The donation's components. *Adverse.*
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
    /// Failing units of the batch, counted. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Open findings of the interfaces that concern this donation (R-GATE-15). *Adverse.*
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<OpenFinding>,
    /// What two people settled of results that were sent with different values: it decides nothing, and is told
    /// (R-GATE-15).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settled: Vec<SettledResult>,
    /// Gates that a person wants set aside, with a reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
}

impl Evidence {
    /// Evidence of a donation of which nothing is known yet.
    #[must_use]
    pub fn new(donation: DonationId) -> Self {
        Self {
            donation,
            collected_at: None,
            donor: None,
            serology: Vec::new(),
            nat: Vec::new(),
            pool_members: Vec::new(),
            alt: Vec::new(),
            antibody_screen: Vec::new(),
            grouping: Vec::new(),
            runs: Vec::new(),
            confirmatory: Vec::new(),
            neighbours: Vec::new(),
            signatures: Vec::new(),
            identity: None,
            components: Vec::new(),
            batch: None,
            findings: Vec::new(),
            settled: Vec::new(),
            overrides: Vec::new(),
        }
    }
}

/// The donor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Donor {
    /// The centre's donor number.
    pub id: String,
    /// Gives for the first time. Unknown counts as first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_time: Option<bool>,
    /// Stands deferred in the registry. Unknown fails R-GATE-11.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred: Option<bool>,
    /// An earlier result that bars issue, in words. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred: Option<String>,
    /// Open post-donation information, in words. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub post_donation: Option<String>,
    /// The donor's line in the deferral register. *Adverse* beside `deferred`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<Register>,
    /// Earlier donations with what they gave. *Adverse*: a later negative never takes back an earlier barring result.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<EarlierDonation>,
    /// Later donations in which an infection was found that this one may have too. *Adverse.*
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub later: Vec<LaterFinding>,
    /// A re-entry examination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reentry: Option<Reentry>,
    /// Examinations of before, where another was begun since. What was approved takes back what it examined; *adverse* is what
    /// a test found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub came_back: Vec<Reentry>,
    /// Pregnancy or transfusion is in the history. Unknown counts as yes where a pack asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitised: Option<bool>,
    /// Group found in earlier donations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<BloodGroup>,
    /// ABO by the pre-test in the field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_abo: Option<AboGroup>,
}

impl From<DonorRegistration> for Donor {
    fn from(donor: DonorRegistration) -> Self {
        Self {
            id: donor.id.into(),
            first_time: Some(donor.first_time),
            deferred: Some(donor.deferred),
            barred: donor.barred,
            post_donation: None,
            register: None,
            earlier: Vec::new(),
            later: Vec::new(),
            reentry: None,
            came_back: Vec::new(),
            sensitised: donor.sensitised,
            history: donor.history,
            field_abo: donor.field_abo,
        }
    }
}

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// It may.
    Valid,
    /// Not known yet.
    #[serde(alias = "pending")]
    Open,
    /// It may not; the test has to be repeated.
    Invalid,
}

/// Who settled something, and why so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolution {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

impl Resolution {
    /// Whether both a name and a reason are given.
    #[must_use]
    pub fn is_given(&self) -> bool {
        !self.by.trim().is_empty() && !self.reason.trim().is_empty()
    }
}

//! What is known of a donation before its results: registered by the blood information system.

use crate::{DonationId, DonorId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// ABO blood group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum AboGroup {
    /// O
    O,
    /// A
    A,
    /// B
    B,
    /// AB
    AB,
}

/// RhD type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RhD {
    /// RhD positive.
    Positive,
    /// RhD negative.
    Negative,
}

/// A group as history or a field test knows it: either part may be unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BloodGroup {
    /// ABO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abo: Option<AboGroup>,
    /// RhD.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rhd: Option<RhD>,
}

/// The donor of a donation, as far as its verdict needs to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DonorRegistration {
    /// The centre's donor number.
    pub id: DonorId,
    /// Gives blood for the first time.
    pub first_time: bool,
    /// Stands deferred in the registry.
    pub deferred: bool,
    /// An earlier result that bars issue, in words (rules.md R-GATE-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub barred: Option<String>,
    /// Pregnancy or transfusion is in the history; where nobody says, packs that ask for it take it that it is
    /// (rules.md §1.2, antibody screen).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitised: Option<bool>,
    /// Group found in earlier donations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<BloodGroup>,
    /// ABO group by the pre-test in the field (初筛血型).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_abo: Option<AboGroup>,
}

/// A donation that is to be tested.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DonationRegistration {
    /// Its number.
    pub donation: DonationId,
    /// When it was taken, RFC 3339 with offset.
    pub collected_at: jiff::Timestamp,
    /// When the sample for nucleic acid testing was centrifuged, RFC 3339 with offset (R-NAT-07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centrifuged_at: Option<jiff::Timestamp>,
    /// The session that it was taken in: the place or vehicle, with its day, as the centre names it. Neighbours of a suspected
    /// wrong tube are those of its session (rules.md §1.6, G4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Who gave it.
    pub donor: DonorRegistration,
}

impl DonorRegistration {
    /// The donor, unless the number names nobody: entries of before may say so.
    #[must_use]
    pub fn named(&self) -> Option<&Self> {
        (!self.id.is_empty()).then_some(self)
    }
}

impl fmt::Display for AboGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::O => "O",
            Self::A => "A",
            Self::B => "B",
            Self::AB => "AB",
        })
    }
}

impl fmt::Display for RhD {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
        })
    }
}

//! The values that a setting of a rule pack can take.

use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer, Serialize};
use vocabulary::{Grade, Strength};

/// How sure a value is (rules.md, head).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Confidence {
    /// Taken from a named public text.
    #[serde(rename = "sourced")]
    Sourced,
    /// Chosen by the laboratory.
    #[serde(rename = "site")]
    Site,
    /// Common knowledge of the field, high confidence.
    #[serde(rename = "own-H")]
    OwnHigh,
    /// Medium confidence: to be confirmed by the laboratory.
    #[serde(rename = "own-M")]
    OwnMedium,
    /// Low confidence: to be confirmed by the laboratory.
    #[serde(rename = "own-L")]
    OwnLow,
}

impl Confidence {
    /// The name in a pack's file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Sourced => "sourced",
            Self::Site => "site",
            Self::OwnHigh => "own-H",
            Self::OwnMedium => "own-M",
            Self::OwnLow => "own-L",
        }
    }
}

/// A value and how sure it is. Written plainly, it is the laboratory's own choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting<T> {
    /// The value.
    pub value: T,
    /// How sure it is.
    pub confidence: Confidence,
    /// What the laboratory should confirm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Setting<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Full {
            value: toml::Value,
            confidence: Confidence,
            confirm: Option<String>,
        }
        let written = toml::Value::deserialize(input)?;
        let full = if written.is_table() {
            Full::deserialize(written).map_err(|e| D::Error::custom(e.message()))?
        } else {
            Full { value: written, confidence: Confidence::Site, confirm: None }
        };
        let value = T::deserialize(full.value).map_err(|e| D::Error::custom(e.message()))?;
        Ok(Self { value, confidence: full.confidence, confirm: full.confirm })
    }
}

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }
    )*};
}

words! {
    /// Which moment chooses the pack (R-PACK-01).
    ApplyBy {
        /// When the donation was taken.
        CollectionTime = "collection_time",
        /// When it was tested: every run that results rest on.
        TestTime = "test_time",
    }
    /// Whether a test is asked for.
    Switch {
        /// Not asked for; a reactive result still bars the unit.
        Off = "off",
        /// Asked for.
        On = "on",
        /// Asked for from first-time donors; who is not known to have given before is one.
        FirstTime = "first_time",
    }
    /// Whose donations a marker is asked of.
    Who {
        /// Everybody's.
        Every = "every",
        /// Those of first-time donors; who is not known to have given before is one.
        FirstTime = "first_time",
    }
    /// Whether an antibody screen is asked for.
    AntibodyScreen {
        /// Not asked for.
        Off = "off",
        /// Of donations that are RhD negative, or not known to be positive.
        RhdNegative = "rhd_negative_only",
        /// Of donors with pregnancy or transfusion in their history, or of whom that is not known.
        History = "history_based",
        /// Of every donation.
        EveryDonation = "every_donation",
    }
    /// Reagents of a marker, and whether NAT belongs to it.
    Strategy {
        /// One reagent.
        Sero1 = "sero1",
        /// One reagent and NAT.
        Sero1Nat = "sero1+nat",
        /// Two reagents and NAT.
        Sero2Nat = "sero2+nat",
        /// One reagent and NAT; a second one is judged where it is listed.
        Sero1Or2Nat = "sero1or2+nat",
        /// Two reagents.
        Sero2 = "sero2",
        /// Two reagents of different makers.
        Sero2DistinctMakers = "sero2_distinct_makers",
    }
    /// What follows an initial reactive result.
    DuplicateScheme {
        /// Two wells decide.
        Dup = "DUP",
        /// It is final at once.
        NoDup = "NODUP",
    }
    /// What a non-discriminated reactive result does.
    NdrPolicy {
        /// The unit is discarded.
        Discard = "DISCARD",
        /// The unit is held: the test is repeated twice, and then a person decides. No repeat releases it.
        RepeatTwice = "REPEAT_x2_THEN",
    }
    /// What an unresolved reactive pool does to its members.
    UnresolvedPolicy {
        /// They pass, with a flag.
        Release = "RELEASE",
        /// They are held until the resolution was repeated in duplicate.
        RepeatResolution = "REPEAT_RESOLUTION_DUP",
        /// They are held until anti-HBc is known.
        HoldForAntiHbc = "HOLD_FOR_ANTI_HBC",
        /// They are held.
        Hold = "HOLD",
        /// They are discarded.
        Discard = "DISCARD",
    }
    /// What a pool's non-reactive result says of a member whose serology is reactive.
    SeroReactiveInPool {
        /// The same as of the other members.
        Include = "INCLUDE",
        /// Nothing: who was found by serology is tested alone.
        Exclude = "EXCLUDE",
    }
    /// What a failed kit control does.
    KitControl {
        /// Every result of the run is invalid.
        AllInvalid = "ALL_INVALID",
    }
    /// What a failed external control does.
    ExternalControl {
        /// Every result of the run is invalid.
        AllInvalid = "ALL_INVALID",
        /// Reactive results stay as initial reactive, the others are invalid.
        KeepReactive = "KEEP_REACTIVE",
    }
    /// What is asked for after a reactive result vanished with its run.
    StickyReactive {
        /// Two non-reactive tests.
        Duplicate = "DUPLICATE",
        /// One non-reactive test, and a flag.
        Flag = "FLAG",
    }
    /// What an analyser that is overdue does (R-GATE-07).
    Overdue {
        /// It closes the gate.
        Block = "block",
        /// The gate says so and stays open.
        Warn = "warn",
    }
    /// What a first reactive result of anti-HBc or anti-HTLV does to the donor.
    ReactiveOnce {
        /// The donor is deferred.
        Defer = "DEFER",
        /// The unit is discarded and the donor is not deferred; a second occasion defers (21 CFR 610.41).
        NoDeferral = "NO_DEFERRAL",
    }
    /// How weak D is labelled.
    WeakDLabel {
        /// RhD positive.
        Positive = "POS",
    }
    /// How DEL is labelled.
    DelLabel {
        /// RhD negative with a flag.
        NegativeFlagged = "NEG_FLAGGED",
        /// RhD positive.
        Positive = "POS",
    }
}

impl Switch {
    /// Whose donations are asked about, if any.
    pub(crate) fn who(self) -> Option<Who> {
        match self {
            Self::Off => None,
            Self::On => Some(Who::Every),
            Self::FirstTime => Some(Who::FirstTime),
        }
    }
}

impl Strategy {
    /// Reagents that have to be there.
    #[must_use]
    pub fn reagents_min(self) -> usize {
        match self {
            Self::Sero1 | Self::Sero1Nat | Self::Sero1Or2Nat => 1,
            Self::Sero2Nat | Self::Sero2 | Self::Sero2DistinctMakers => 2,
        }
    }

    /// Whether NAT belongs to it.
    #[must_use]
    pub fn has_nat(self) -> bool {
        match self {
            Self::Sero1Nat | Self::Sero1Or2Nat | Self::Sero2Nat => true,
            Self::Sero1 | Self::Sero2 | Self::Sero2DistinctMakers => false,
        }
    }

    /// Whether its two reagents have to be of different makers.
    #[must_use]
    pub fn has_distinct_makers(self) -> bool {
        match self {
            Self::Sero2DistinctMakers => true,
            Self::Sero1 | Self::Sero1Nat | Self::Sero1Or2Nat | Self::Sero2Nat | Self::Sero2 => false,
        }
    }
}

/// Pool size: `ID` tests each donation alone, `MPn` pools of up to n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NatMode {
    /// Members of a pool, at most; 1 for `ID`.
    pub members_max: usize,
}

/// The largest pool that any jurisdiction of rules.md §1.4 allows.
const POOL_MEMBERS_MAX: usize = 24;

impl TryFrom<String> for NatMode {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        if text == "ID" {
            return Ok(Self { members_max: 1 });
        }
        let members = text.strip_prefix("MP").and_then(|n| n.parse().ok());
        members
            .filter(|n| (2..=POOL_MEMBERS_MAX).contains(n))
            .map(|members_max| Self { members_max })
            .ok_or_else(|| {
                format!("{text:?} is no NAT mode; write \"ID\", or \"MP6\" with 2 to {POOL_MEMBERS_MAX}")
            })
    }
}

impl From<NatMode> for String {
    fn from(mode: NatMode) -> String {
        if mode.members_max == 1 { "ID".to_owned() } else { format!("MP{}", mode.members_max) }
    }
}

/// A plain place on the reaction scale, at least `w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PlainStrength(pub Strength);

impl TryFrom<String> for PlainStrength {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let grade: Grade = text.parse().map_err(|e: vocabulary::UnknownGrade| e.to_string())?;
        match grade.strength {
            Some(strength) if !grade.has_remark() && strength > Strength::Zero => Ok(Self(strength)),
            Some(_) | None => Err(format!("{text:?} is no limit; write w, 1+, 2+, 3+ or 4+")),
        }
    }
}

impl From<PlainStrength> for String {
    fn from(strength: PlainStrength) -> String {
        strength.0.name().to_owned()
    }
}

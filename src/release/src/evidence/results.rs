//! Results of serology, nucleic acid tests and ALT.

use super::Validity;
use crate::alias;
use crate::number::{Exact, Reading};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use vocabulary::{DonationId, Marker, RunId, Virus};

/// All results of one reagent for one marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerologySeries {
    /// What is tested for. Common other names are read too (`HCV`, `HIV Ag/Ab`, `TP`).
    #[serde(deserialize_with = "alias::read_marker")]
    pub marker: Marker,
    /// The reagent's name: one reagent, one name.
    pub reagent: String,
    /// Its maker, where known: two reagents of one maker are not two where the pack asks for distinct makers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maker: Option<String>,
    /// Which way the signal runs; without it, as the pack says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// Results in the order of time.
    pub results: Vec<SerologyResult>,
}

/// Which way an assay's signal runs (rules.md §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// A strong signal is reactive.
    Direct,
    /// A weak signal is reactive.
    Competitive,
}

/// What a serology test was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SerologyKind {
    /// First test.
    Initial,
    /// A well of the duplicate round after an initial reactive result.
    Duplicate,
    /// A further single test that somebody ordered. It can make a result worse, never better.
    Repeat,
}

/// What an analyser concluded from a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// Below the cut-off; target not detected.
    NonReactive,
    /// In the grey zone.
    GreyZone,
    /// At or above the cut-off; target detected.
    Reactive,
    /// No answer by the test's own rules: to be repeated.
    Indeterminate,
    /// Not usable: to be repeated.
    Invalid,
    /// Ordered, not in yet.
    Pending,
}

/// One serology result: `od` and `cutoff`, or `sco`, or an interpretation alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SerologyResult {
    /// What it was made for.
    pub kind: SerologyKind,
    /// Optical density or signal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub od: Option<Reading>,
    /// Cut-off that belongs to `od`, unrounded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cutoff: Option<Exact>,
    /// Signal to cut-off ratio. Where `od` and `cutoff` are there, they decide (R-SER-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sco: Option<Reading>,
    /// What the analyser concluded. Beside numbers, the worse of the two counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpretation: Option<Call>,
    /// Whether the sample's test may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it may not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Numbers of the reagent lots that it was made with, none where nobody knows them (R-SER-02). Without the list, those of
    /// its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lots: Option<BTreeSet<String>>,
    /// The analyser that it was made on (R-SER-02). Without it, its run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser: Option<String>,
    /// Why a duplicate on another lot or analyser is accepted (R-SER-02).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_reason: Option<String>,
}

impl SerologyResult {
    /// A result of which nothing else is known.
    #[must_use]
    pub fn new(kind: SerologyKind) -> Self {
        Self {
            kind,
            od: None,
            cutoff: None,
            sco: None,
            interpretation: None,
            validity: None,
            why: None,
            run: None,
            lots: None,
            analyser: None,
            override_reason: None,
        }
    }
}

/// What a nucleic acid test was made on, and for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NatKind {
    /// A pool of donations.
    Pool,
    /// This donation alone.
    Individual,
    /// This donation alone, one target, after a reactive multiplex test.
    Discriminatory,
}

/// State of an internal control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalControl {
    /// Amplified as it should.
    Valid,
    /// Outside its limits.
    Invalid,
    /// Not detected.
    #[serde(alias = "none", alias = "not_detected")]
    Absent,
}

/// Whether the pooling log shows what it must (R-NAT-06).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PoolingLog {
    /// Every barcode aspirated, volumes good, no member changed afterwards.
    Complete,
    /// Something is missing or was changed.
    Incomplete,
}

/// One result of a nucleic acid test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NatResult {
    /// What it was made on, and for.
    pub kind: NatKind,
    /// The pool, on pools.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
    /// Donations in the pool, as the pooling log lists them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<DonationId>,
    /// Donations that were meant to be in it; more than `members` lists makes the pool unusable. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_size: Option<usize>,
    /// State of the pooling log. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling_log: Option<PoolingLog>,
    /// What the other members gave when tested alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pool_members: Vec<PoolMember>,
    /// The pipetting log, member by member. Where it is there, every member has to be in it once, and clean (R-NAT-06).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pipetting: Vec<Pipetted>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<Call>,
    /// Ct of the target that was found; a late one is marked for a person, the result stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_ct: Option<Reading>,
    /// Targets that were reactive, where the test tells them apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "alias::read_targets")]
    pub targets: Vec<Virus>,
    /// The only target tested for; without it the test speaks of every target of the pack.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "alias::read_target")]
    pub target: Option<Virus>,
    /// Internal control. A non-reactive result without a valid one is no result (R-NAT-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_control: Option<InternalControl>,
    /// Ct of the internal control, held against the pack's limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub internal_control_ct: Option<Reading>,
    /// Hours from collection to centrifugation (R-NAT-07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centrifuged_after_hours: Option<Reading>,
    /// The kit's limit for them; without it, the pack's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centrifuge_within_hours: Option<Exact>,
    /// Hours for which the sample was stored before the test (R-NAT-07).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored_hours: Option<Reading>,
    /// The kit's limit for them; without it, the pack's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_within_hours: Option<Exact>,
    /// Whether the sample's test may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it may not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

impl NatResult {
    /// The pool's name; empty where there is none.
    pub(crate) fn pool_name(&self) -> &str {
        self.pool.as_deref().unwrap_or_default()
    }
}

/// One line of a pipetting log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pipetted {
    /// The member whose barcode was read.
    pub donation: DonationId,
    /// False when the barcode was typed in or not read. Without it, not known to be read.
    #[serde(default)]
    pub barcode_read: bool,
    /// Whether the volume check passed. Without it, not known to have.
    #[serde(default)]
    pub volume_ok: bool,
    /// Clot, pressure or other error, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True when the position was changed afterwards.
    #[serde(default)]
    pub changed_afterwards: bool,
}

/// What another member of a pool gave when tested alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PoolMember {
    /// The member.
    pub donation: DonationId,
    /// What it gave: `non_reactive`, `reactive`, `invalid` or `pending`.
    pub result: Call,
    /// Targets that were reactive, where known.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "alias::read_targets")]
    pub targets: Vec<Virus>,
    /// It is invalid for good: its sample is not tested again, and never explains the pool.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub given_up: bool,
}

/// What an antibody screen found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScreenCall {
    /// No cell reacted.
    Negative,
    /// A cell reacted.
    Positive,
    /// Not usable: to be repeated.
    Invalid,
    /// Ordered, not in yet.
    Pending,
}

/// One antibody screen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenResult {
    /// What it found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ScreenCall>,
    /// Whether the sample's test may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it may not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

/// One ALT result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AltResult {
    /// Activity in U/L.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub u_per_l: Option<Reading>,
    /// Whether the sample's test may be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it may not, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Its run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
}

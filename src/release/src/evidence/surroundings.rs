//! What stands around the results: runs, lots, signatures, identity, components, batch.

use super::{Resolution, Validity};
use crate::{GateId, Moment};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vocabulary::{LotRole, RunId};

/// Quality control of a run's assay, analyser and lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Qc {
    /// In control.
    InControl,
    /// Formally released after corrective action; needs [`Run::qc_release`].
    Released,
    /// Not decided, or a broken rule not closed yet.
    Open,
    /// Out of control.
    OutOfControl,
}

/// One run, plate or batch, with what stands for its results.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name.
    pub id: RunId,
    /// Whether its kit controls passed (R-GATE-04).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validity: Option<Validity>,
    /// Why it is invalid or open, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why_zh: Option<String>,
    /// Kits that judged it, each with its hash.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kits: Vec<String>,
    /// Internal quality control (R-GATE-05).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc: Option<Qc>,
    /// Why quality control is open or out of control, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc_why: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc_why_zh: Option<String>,
    /// Who released it after corrective action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qc_release: Option<Resolution>,
    /// Reagent, calibrator and control lots (R-GATE-06).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lots: Vec<Lot>,
    /// Assays of which a used result names no lot, nor does the laboratory say what is on board for them, whatever lots the
    /// run's other assays have (R-GATE-06). *Adverse.*
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_lots: Vec<String>,
    /// When it was tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tested_at: Option<Moment>,
    /// Other days on which used results of it were tested: it went on over midnight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also_on: Vec<Date>,
    /// A used result of it does not say when it was tested, though others do (R-GATE-06). *Adverse.*
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untimed: bool,
    /// The analyser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser: Option<String>,
    /// What of the analyser's qualification, calibration or maintenance is overdue (R-GATE-07). *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser_overdue: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser_overdue_zh: Option<String>,
    /// What is overdue where the site wants to be told of it and no more: the gate stays open and says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser_warned: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub analyser_warned_zh: Option<String>,
    /// The operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// False when the operator was not authorised for the assay on that day (R-GATE-08). *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_authorised: Option<bool>,
    /// An unacknowledged gap in the analyser's message sequence, in words (R-GATE-15). *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence_gap: Option<String>,
    /// An unacknowledged interface error, in words (R-GATE-15). *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_error: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_error_zh: Option<String>,
    /// Interface errors that somebody has looked at, in words: the gate stays open and says so (R-GATE-15).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_acknowledged: Option<String>,
    /// The same in Chinese.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface_acknowledged_zh: Option<String>,
}

impl Run {
    /// A run of which nothing but its name is known.
    #[must_use]
    pub fn new(id: RunId) -> Self {
        Self {
            id,
            validity: None,
            why: None,
            why_zh: None,
            kits: Vec::new(),
            qc: None,
            qc_why: None,
            qc_why_zh: None,
            qc_release: None,
            lots: Vec::new(),
            without_lots: Vec::new(),
            tested_at: None,
            also_on: Vec::new(),
            untimed: false,
            analyser: None,
            analyser_overdue: None,
            analyser_overdue_zh: None,
            analyser_warned: None,
            analyser_warned_zh: None,
            operator: None,
            operator_authorised: None,
            sequence_gap: None,
            interface_error: None,
            interface_error_zh: None,
            interface_acknowledged: None,
            interface_acknowledged_zh: None,
        }
    }
}

/// One lot of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// What it was used as; without it, a reagent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<LotRole>,
    /// Name of the reagent or control.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lot number.
    pub lot: String,
    /// Last day of use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Date>,
    /// The day on which it was used, where that is another one than its run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_on: Option<Date>,
    /// Whether the lot was accepted, its batch release (批签发) recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<bool>,
    /// The assay that it was used for, where lots of its number are registered for other assays only: two makers may number
    /// alike. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_for: Option<String>,
    /// The connection of the analyser that used it, where lots of its number are registered for other analysers only. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_on: Option<String>,
    /// True when its life on board was exceeded. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_board_exceeded: Option<bool>,
}

/// What a signature means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// Technical review done.
    Reviewed,
    /// Approved: kept with the donation, opens no gate.
    Approved,
    /// Report issued, unit released.
    Released,
}

/// One signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// What it means.
    pub meaning: Meaning,
    /// Who signed.
    pub by: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Moment>,
    /// False when the signer was not authorised for it. *Adverse.*
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorised: Option<bool>,
}

/// How the sample was identified. Absence reports nothing wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// True when the identifier was typed in.
    #[serde(default)]
    pub manual_entry: bool,
    /// Who checked the typed identifier as second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_by: Option<String>,
    /// False when the check character did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_character_valid: Option<bool>,
}

/// Where a component stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ComponentState {
    /// In quarantine.
    Quarantine,
    /// Held by a person.
    Held,
    /// Nobody knows where it is.
    Missing,
    /// Discarded.
    Discarded,
    /// Labelled as released.
    Released,
    /// Given out.
    Issued,
}

/// One component of the donation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Product code or number.
    pub id: String,
    /// Where it stands.
    pub state: ComponentState,
}

/// Failing units of the batch (R-GATE-13).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Failing units, as the system counts them.
    pub failing: u32,
    /// Failing units found in quarantine and removed.
    pub located: u32,
}

/// An open finding, of an interface or of a sample's identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenFinding {
    /// Its name: `unmapped_test`, `unknown_value`, …
    pub finding: String,
    /// What was found, in words.
    pub what: String,
}

/// Findings that leave open whose sample it was (R-GATE-09): one number may be another cut off, results came under several
/// scans, a result is older than the blood, the number was registered for two.
const OF_IDENTITY: [&str; 4] =
    ["donation_numbers_alike", "scans_differ", "tested_before_collection", OpenFinding::REGISTERED_TWICE];

/// Findings that leave open which version of a result stands: two people say so, and nobody sets the gate aside for them.
const OF_VERSIONS: [&str; 3] = ["changed_result", "correction_eases", "correction_unmatched"];

/// Findings that leave open whose material a pool holds, or say that it is none that counts.
const OF_A_POOL: [&str; 2] = ["pool_conflict", "pool_not_sound"];

impl OpenFinding {
    /// A donation's number was registered for two, and no two people have said which registration stands.
    pub const REGISTERED_TWICE: &'static str = "registered_twice";

    /// A run, or a lot, in which something was reactive fell by one person's word, and nobody has confirmed it (rules.md §2.5).
    pub const FALL_UNCONFIRMED: &'static str = "fall_unconfirmed";

    /// What was reactive in it has not been tested again since.
    pub const FALL_UNANSWERED: &'static str = "fall_unanswered";

    /// Whether it is about a reactive result that fell with its run, or with a lot (R-GATE-15).
    #[must_use]
    pub fn is_of_a_fall(&self) -> bool {
        [Self::FALL_UNCONFIRMED, Self::FALL_UNANSWERED].contains(&self.finding.as_str())
    }

    /// Whether it leaves open which of two registrations a donation's number stands for (R-GATE-09).
    #[must_use]
    pub fn is_of_registrations(&self) -> bool {
        self.finding == Self::REGISTERED_TWICE
    }

    /// Whether it is about a pool that says nothing of its members: a donation that is tested singly answers for itself.
    #[must_use]
    pub fn is_of_a_pool(&self) -> bool {
        OF_A_POOL.contains(&self.finding.as_str())
    }

    /// Whether one person's reason never sets the gate aside for it.
    #[must_use]
    pub fn takes_two(&self, gate: GateId) -> bool {
        match gate {
            GateId::Identity => self.is_of_registrations(),
            GateId::Interfaces => self.is_of_versions() || self.is_of_a_fall(),
            GateId::TestsFinal
            | GateId::MarkersPass
            | GateId::Group
            | GateId::RunsValid
            | GateId::QualityControl
            | GateId::Lots
            | GateId::Analyser
            | GateId::Operator
            | GateId::TwoPersons
            | GateId::Donor
            | GateId::Components
            | GateId::Batch
            | GateId::ReleaseAct => false,
        }
    }

    /// Whether it leaves open which version of a result stands (R-GATE-15).
    #[must_use]
    pub fn is_of_versions(&self) -> bool {
        OF_VERSIONS.contains(&self.finding.as_str())
    }

    /// Whether it leaves open whose sample it was; every other one is of an interface (R-GATE-15).
    #[must_use]
    pub fn is_of_identity(&self) -> bool {
        OF_IDENTITY.contains(&self.finding.as_str())
    }
}

/// Which version of a result stands, as two people said where it was sent with different values: the gate is open, and says so
/// (R-GATE-15).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledResult {
    /// The versions, which stands, who said so, when and why.
    pub what: String,
    /// The same in Chinese.
    pub what_zh: String,
}

/// A gate that a person wants set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// The gate, `R-GATE-07`.
    pub gate: String,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
}

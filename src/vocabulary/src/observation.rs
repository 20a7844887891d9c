//! What one analyser said of one specimen and one test.

use crate::{Interpretation, LotUse, Marker, RunId, SpecimenId, Value};
use serde::{Deserialize, Serialize};

/// Whose material was tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpecimenKind {
    /// A donor's or patient's specimen.
    Patient,
    /// Control material.
    Control,
    /// Calibrator.
    Calibrator,
    /// Reagent blank.
    Blank,
    /// External quality assessment.
    Proficiency,
    /// The message does not say: never evidence.
    Unknown,
}

/// What a control has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expected {
    /// The analyser judges it and says valid.
    Valid,
    /// Reactive.
    Reactive,
    /// Non-reactive.
    NonReactive,
    /// Positive reaction.
    Positive,
    /// No reaction.
    Negative,
}

/// A control's identity and what it had to read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ControlReading {
    /// Name in the profile (`negative`, `positive`, `HBV-positive`, …).
    pub name: String,
    /// What it has to read to pass.
    pub expected: Expected,
}

impl ControlReading {
    /// Whether `seen` is what was expected. Anything else, and nothing at all, is a failure.
    #[must_use]
    pub fn passes(&self, seen: Option<Interpretation>) -> bool {
        let wanted = match self.expected {
            Expected::Valid => Interpretation::Valid,
            Expected::Reactive => Interpretation::Reactive,
            Expected::NonReactive => Interpretation::NonReactive,
            Expected::Positive => Interpretation::Positive,
            Expected::Negative => Interpretation::Negative,
        };
        seen == Some(wanted)
    }
}

/// How far a result has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResultStatus {
    /// Final.
    Final,
    /// Corrects an earlier final result of the same run.
    Corrected,
    /// Not final yet: never evidence.
    Preliminary,
    /// For trace only; another run of the same order is the reportable one.
    Other,
    /// Sent before, sent again.
    Repeated,
    /// No result could be had.
    NotObtained,
}

/// Where in the message it stood.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Source {
    /// Record or segment, with its number: `R|3`, `OBX|2`, `row 7`.
    pub record: String,
    /// The message's own control id, for people; never used as an identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One result as hemogate understands it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    /// The specimen as the analyser read it. Absent on controls that carry none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen: Option<SpecimenId>,
    /// Model and serial number as the message gives them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instrument: Option<String>,
    /// The assay, as the profile names it: one reagent, one name.
    pub assay: String,
    /// What it speaks of.
    pub marker: Marker,
    /// Whose material it was.
    pub kind: SpecimenKind,
    /// What was found.
    pub value: Value,
    /// Flags and alarms, as sent.
    #[serde(default)]
    pub flags: Vec<String>,
    /// How far it has come.
    pub status: ResultStatus,
    /// The run whose controls stand for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// Lots it was made with.
    #[serde(default)]
    pub lots: Vec<LotUse>,
    /// When the analyser finished it, RFC 3339 or civil time as sent by a clock without a zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_at: Option<String>,
    /// Which of several measurements of one specimen in one run it is: well or replicate, as the analyser names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicate: Option<String>,
    /// Who released it on the analyser.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Which control it is, on controls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<ControlReading>,
    /// It tells one target from the others after a reactive multiplex test, and screens nothing by itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub discriminates: bool,
    /// Where it stood.
    pub source: Source,
}

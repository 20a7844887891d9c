//! Runs, lots, and how a connection is used.

use serde::{Deserialize, Serialize};

/// What a lot was used as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LotRole {
    /// Reagent, kit or card.
    Reagent,
    /// Control material.
    Control,
    /// Calibrator.
    Calibrator,
}

/// A lot that a result was made with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LotUse {
    /// What it was used as.
    pub role: LotRole,
    /// Name of the reagent or control, where the message gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Lot number.
    pub lot: String,
    /// Last day of use, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<jiff::civil::Date>,
}

/// How a connection's results may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Made-up results: interpreted, never evidence.
    Simulation,
    /// Interpreted for validation of the analyser: never evidence, never forwarded.
    Qualification,
    /// Results are evidence for release.
    Production,
    /// Nothing is ever sent to the analyser.
    ListenOnly,
}

/// The wire format of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// CLSI LIS02 / ASTM E1394 records.
    Lis02,
    /// HL7 v2 ER7.
    Hl7v2,
    /// A delimited file.
    Delimited,
    /// The lines of one session of the PK block protocol.
    #[serde(rename = "pk_blocks")]
    PkBlocks,
}

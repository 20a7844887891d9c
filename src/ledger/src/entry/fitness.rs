//! What people write down of the fitness of analysers and operators: when an analyser was qualified, calibrated or maintained
//! and for how long that holds, and which operator may run which assay. Who wrote it is the entry's `by`.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// What was done to an analyser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// It was shown to be fit for its use.
    Qualification,
    /// It was calibrated.
    Calibration,
    /// It was maintained, or repaired.
    Maintenance,
}

impl Service {
    /// Its name, stable.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Qualification => "qualification",
            Self::Calibration => "calibration",
            Self::Maintenance => "maintenance",
        }
    }

    /// Its name in Chinese.
    #[must_use]
    pub fn chinese(self) -> &'static str {
        match self {
            Self::Qualification => "确认",
            Self::Calibration => "校准",
            Self::Maintenance => "维护",
        }
    }
}

/// Something about the fitness of an analyser or an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitnessAct {
    /// An analyser was qualified, calibrated or maintained (R-GATE-07). Controls have to run after it.
    Serviced {
        /// Its line.
        connection: ConnectionId,
        /// Which of the analysers on the line, as its messages name it; every one, without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// What was done.
        service: Service,
        /// When, milliseconds since 1970 UTC.
        done_ms: i64,
        /// The last day for which it holds.
        due: Date,
        /// The report.
        report: String,
    },
    /// An operator may run assays (R-GATE-08).
    OperatorAuthorised {
        /// As analysers name the operator.
        operator: String,
        /// Assays as the profiles name them; every one, without any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assays: Vec<String>,
        /// The first day.
        from: Date,
        /// The last day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
        /// What it rests on.
        reason: String,
    },
    /// Whatever an operator was authorised for before this entry ends.
    OperatorWithdrawn {
        /// The operator.
        operator: String,
        /// From this day on.
        from: Date,
        /// Why.
        reason: String,
    },
}

impl FitnessAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Serviced { .. } => "analyser_serviced",
            Self::OperatorAuthorised { .. } => "operator_authorised",
            Self::OperatorWithdrawn { .. } => "operator_withdrawn",
        }
    }
}

//! What people write down of the fitness of analysers and operators (R-GATE-07, R-GATE-08). Who wrote it is the entry's `by`.

use crate::Seq;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// What an analyser needs from time to time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// It is shown to be fit for its use.
    Qualification,
    /// It is calibrated.
    Calibration,
    /// It is maintained, or repaired.
    Maintenance,
}

impl Service {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Qualification, Self::Calibration, Self::Maintenance];

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

/// Something about the fitness of an analyser or an operator. What makes it better and reaches back before its entry has no
/// effect before another person confirms it; what makes it worse has it at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FitnessAct {
    /// A service was done, and is good until a day.
    Serviced {
        /// The analyser's line.
        connection: ConnectionId,
        /// Which of the analysers on the line, as its messages name it; every one, without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// What was done.
        service: Service,
        /// For what is tested from here on, milliseconds since 1970 UTC; nothing: from this entry on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        /// The last day for which it is good.
        due: Date,
        /// The report.
        report: String,
    },
    /// A service failed, or should have been done.
    Unfit {
        /// The analyser's line.
        connection: ConnectionId,
        /// Which of the analysers on the line; every one, without it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instrument: Option<String>,
        /// Which service.
        service: Service,
        /// For what is tested from here on, milliseconds since 1970 UTC.
        from_ms: i64,
        /// Why.
        reason: String,
    },
    /// An operator may run assays.
    Authorised {
        /// As analysers name the operator.
        operator: String,
        /// Assays as the profiles name them; every one, without any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assays: Vec<String>,
        /// For what is tested from here on, milliseconds since 1970 UTC; nothing: from this entry on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        /// The last day.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Date>,
        /// What it rests on.
        reason: String,
    },
    /// An operator may not run assays any more.
    Withdrawn {
        /// As analysers name the operator.
        operator: String,
        /// Assays as the profiles name them; every one, without any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        assays: Vec<String>,
        /// For what is tested from here on, milliseconds since 1970 UTC.
        from_ms: i64,
        /// Why.
        reason: String,
    },
    /// Another person confirms what reaches back.
    Confirmed {
        /// The entry.
        note: Seq,
    },
    /// Somebody wants an entry taken back: it was written by mistake.
    TakeBackProposed {
        /// The entry.
        note: Seq,
        /// Why.
        reason: String,
    },
    /// Another person agrees: it is as if it had not been written.
    TakenBack {
        /// The entry.
        note: Seq,
        /// The [`FitnessAct::TakeBackProposed`] entry.
        proposed: Seq,
    },
}

impl FitnessAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Serviced { .. } => "analyser_serviced",
            Self::Unfit { .. } => "analyser_unfit",
            Self::Authorised { .. } => "operator_authorised",
            Self::Withdrawn { .. } => "operator_withdrawn",
            Self::Confirmed { .. } => "fitness_confirmed",
            Self::TakeBackProposed { .. } => "fitness_take_back_proposed",
            Self::TakenBack { .. } => "fitness_taken_back",
        }
    }
}

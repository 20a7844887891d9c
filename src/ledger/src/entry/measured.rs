//! What an observation measured, and what it is to an earlier one of the same measurement.

use crate::Seq;
use serde::{Deserialize, Serialize};

/// Where an observation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObservationRef {
    /// The message it came in.
    pub message: Seq,
    /// Its place among all observations of that message, from 0.
    pub place: u32,
}

/// What an observation is to one that came before it and measured the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Earlier {
    /// The same result, sent again.
    RepeatOf(ObservationRef),
    /// A result that takes the place of an earlier one: a correction, or the final of a preliminary one.
    Corrects(ObservationRef),
    /// The same measurement with another value, and nothing says which of the two stands.
    DiffersFrom(ObservationRef),
    /// The one that takes its place came before it.
    OutdatedBy(ObservationRef),
}

impl Earlier {
    /// What it is, as JSON names it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::RepeatOf(_) => "repeat_of",
            Self::Corrects(_) => "corrects",
            Self::DiffersFrom(_) => "differs_from",
            Self::OutdatedBy(_) => "outdated_by",
        }
    }

    /// The earlier one.
    #[must_use]
    pub fn of(&self) -> ObservationRef {
        match self {
            Self::RepeatOf(of) | Self::Corrects(of) | Self::DiffersFrom(of) | Self::OutdatedBy(of) => *of,
        }
    }
}

/// What tells the measurement behind an observation from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Measured {
    /// Which observation of its part.
    pub index: u32,
    /// Its place among all observations of the message.
    pub place: u32,
    /// Equal where the same was measured: analyser, specimen, test, time, run, replicate. Without what came out.
    pub identity: u64,
    /// Equal where the same came out.
    pub outcome: u64,
    /// What it is to an earlier one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<Earlier>,
}

/// A measurement that the state knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Known {
    /// The observation.
    pub at: ObservationRef,
    /// As in [`Measured::identity`].
    pub identity: u64,
    /// As in [`Measured::outcome`].
    pub outcome: u64,
}

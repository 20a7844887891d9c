//! How the station's clock stands to its time source (rules.md R-AUD-01).

use serde::{Deserialize, Serialize};

/// What a comparison of the station's clock came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum ClockState {
    /// No time server is configured: nothing is known.
    Unchecked,
    /// The clocks agree.
    InStep {
        /// So far is the time server ahead of the station, milliseconds.
        offset_ms: i64,
    },
    /// They do not.
    Off {
        /// So far is the time server ahead of the station, milliseconds.
        offset_ms: i64,
    },
    /// The time server gave no time that can be used.
    Silent {
        /// Why.
        why: String,
    },
}

impl ClockState {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unchecked => "unchecked",
            Self::InStep { .. } => "in_step",
            Self::Off { .. } => "off",
            Self::Silent { .. } => "silent",
        }
    }
}

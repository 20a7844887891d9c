//! What people wrote down of analysers and operators, as the state keeps it.

use super::Done;
use crate::FitnessAct;
use serde::{Deserialize, Serialize};

/// An act, and who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FitnessNote {
    /// Who, when.
    #[serde(flatten)]
    pub done: Done,
    /// What.
    pub act: FitnessAct,
}

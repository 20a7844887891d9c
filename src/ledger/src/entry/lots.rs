//! Lots that were found defective after they were used (rules.md §2.5). Who said it is the entry's `by`.

use crate::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// Something about a defective lot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LotsAct {
    /// It was found defective: whatever was tested with it since then has no result, at once. Another person confirms it.
    Defective {
        /// Its number, as analysers send it.
        lot: String,
        /// Since when it was in use, milliseconds since 1970 UTC.
        since_ms: i64,
        /// Lines of analysers that have it on board by the laboratory's register and name no lots.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        connections: Vec<ConnectionId>,
        /// Why.
        reason: String,
    },
    /// Another person stands for it.
    DefectConfirmed {
        /// Which lot.
        lot: String,
        /// The entry that declared it.
        declared: Seq,
    },
    /// A person wants the lot's results back. They stay invalid until another one agrees.
    ReinstatementProposed {
        /// Which lot.
        lot: String,
        /// The entry that declared it.
        declared: Seq,
        /// Why.
        reason: String,
    },
    /// Another person agreed: the lot's results are what their controls make of them.
    Reinstated {
        /// Which lot.
        lot: String,
        /// The [`LotsAct::ReinstatementProposed`] entry.
        proposed: Seq,
    },
}

impl LotsAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Defective { .. } => "lot_defective",
            Self::DefectConfirmed { .. } => "lot_defect_confirmed",
            Self::ReinstatementProposed { .. } => "lot_reinstatement_proposed",
            Self::Reinstated { .. } => "lot_reinstated",
        }
    }
}

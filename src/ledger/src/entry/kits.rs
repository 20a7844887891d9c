//! Kits: their content, and which of them two people put in force from when on.

use crate::Seq;
use serde::{Deserialize, Serialize};

/// A kit by its id and the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KitRef {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file, in hexadecimal.
    pub hash: String,
}

/// Something about the laboratory's kits. Who did it is the entry's `by`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KitsAct {
    /// The content of a kit, so that whatever was judged by it can be judged again.
    Kept {
        /// The kit.
        kit: KitRef,
        /// Its file.
        text: String,
    },
    /// These kits, and no others, judge what comes from here on: written when the configuration alone said so. Behind an
    /// [`KitsAct::Adopted`] it changes nothing.
    InForce {
        /// By id.
        kits: Vec<KitRef>,
    },
    /// The kits that the station begins with, or went on with when two people began to be asked: these, and no others, judge
    /// what comes from here on. Once; whatever comes after needs two people.
    Adopted {
        /// By id.
        kits: Vec<KitRef>,
    },
    /// Somebody wants these kits, and no others, in force. Nothing changes before another person agrees.
    Proposed {
        /// By id.
        kits: Vec<KitRef>,
        /// For what is tested from here on, milliseconds since 1970 UTC; nothing: whatever comes behind the activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        /// Why.
        why: String,
    },
    /// Another person agreed: these kits, and no others, judge what comes from here on, and was tested from the proposed
    /// time on.
    Activated {
        /// By id.
        kits: Vec<KitRef>,
        /// The [`KitsAct::Proposed`] entry.
        proposed: Seq,
    },
}

impl KitsAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kept { .. } => "kit_kept",
            Self::InForce { .. } => "kits_in_force",
            Self::Adopted { .. } => "kits_adopted",
            Self::Proposed { .. } => "kits_proposed",
            Self::Activated { .. } => "kits_activated",
        }
    }
}

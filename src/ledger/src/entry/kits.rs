//! Kits: their content, and which of them are in force from when on.

use serde::{Deserialize, Serialize};

/// A kit by its id and the hash of its content.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct KitRef {
    /// Its id.
    pub id: String,
    /// SHA-256 of its file, in hexadecimal.
    pub hash: String,
}

/// Something about the laboratory's kits.
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
    /// These kits, and no others, judge what comes from here on.
    InForce {
        /// By id.
        kits: Vec<KitRef>,
    },
}

impl KitsAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kept { .. } => "kit_kept",
            Self::InForce { .. } => "kits_in_force",
        }
    }
}

//! Rule packs: their content, and the words of two people that put one in force.

use crate::Seq;
use release::pack::{PackRef, PackSource};
use serde::{Deserialize, Serialize};

/// Something about a rule pack. Who did it is the entry's `by`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RulesAct {
    /// The content of a pack, so that whatever was judged by it can be judged again.
    Kept {
        /// Its id, and the hash of this content.
        pack: PackRef,
        /// The content.
        content: PackSource,
    },
    /// The pack that the station was configured with when it first started. It judges from the beginning.
    Adopted {
        /// The pack.
        pack: PackRef,
    },
    /// Somebody wants another pack in force. Nothing changes before another person agrees.
    Proposed {
        /// The pack.
        pack: PackRef,
        /// Donations taken from here on, milliseconds since 1970 UTC; nothing: from the activation on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from_ms: Option<i64>,
        /// Why.
        why: String,
    },
    /// Another person agreed: it judges donations taken from the proposed time on, and never from before this entry.
    Activated {
        /// The pack.
        pack: PackRef,
        /// The [`RulesAct::Proposed`] entry.
        proposed: Seq,
    },
}

impl RulesAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Kept { .. } => "rules_kept",
            Self::Adopted { .. } => "rules_adopted",
            Self::Proposed { .. } => "rules_proposed",
            Self::Activated { .. } => "rules_activated",
        }
    }
}

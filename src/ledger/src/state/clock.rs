//! How the station's clock stands, as the state keeps it.

use crate::{ClockState, Seq};
use serde::{Deserialize, Serialize};

/// How the station's clock stands to its time source since an entry (rules.md R-AUD-01).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockStands {
    /// The time server, where one is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What the comparison came to.
    pub clock: ClockState,
    /// The entry that says so.
    pub entry: Seq,
    /// When it was written, milliseconds since 1970 UTC by that same clock.
    pub at_ms: i64,
}

//! Tubes that may be another donor's, and what waits beside them.

use serde::{Deserialize, Serialize};
use vocabulary::DonationId;

/// Two donations that are further apart were not taken in one session.
pub const SESSION_MS: i64 = 12 * 60 * 60 * 1000;

/// A donation whose tube was suspected to be another donor's.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WrongTube {
    /// What waits beside it, or waited: whatever was ever taken to be beside it.
    pub neighbours: Vec<DonationId>,
    /// False since it was grouped again and agrees: what is beside it still needs groups of its own.
    pub stands: bool,
}

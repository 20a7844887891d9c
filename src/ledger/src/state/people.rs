//! Accounts as the state keeps them.

use crate::{PasswordHash, Seq};
use serde::{Deserialize, Serialize};
use vocabulary::Role;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UserRecord {
    pub(crate) name: String,
    pub(crate) roles: Vec<Role>,
    pub(crate) added: Seq,
    pub(crate) added_at_ms: i64,
    /// The entry that last changed anything but tries to sign in.
    pub(crate) changed: Seq,
    pub(crate) password: PasswordHash,
    /// The entry that set it.
    pub(crate) password_set: Seq,
    pub(crate) password_at_ms: i64,
    pub(crate) must_change: bool,
    /// The passwords before it, the newest first.
    pub(crate) earlier: Vec<PasswordHash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) disabled: Option<String>,
    /// Wrong passwords in a row.
    pub(crate) failures: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) locked_until_ms: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) signed_in_at_ms: Option<i64>,
}

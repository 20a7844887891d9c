//! What happens to people's accounts.

use serde::{Deserialize, Serialize};
use std::fmt;
use vocabulary::{Role, UserId};

/// A password's Argon2id hash as a PHC string: kept in the journal, shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes a PHC string as it stands.
    #[must_use]
    pub fn new(phc: String) -> Self {
        Self(phc)
    }

    /// The PHC string. For the one who compares it with a password; never for showing.
    #[must_use]
    pub fn phc(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Something about an account. Who did it is the entry's `by`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonEntry {
    /// Whose account.
    pub user: UserId,
    /// What happened to it.
    pub act: PersonAct,
}

/// What happened to an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PersonAct {
    /// It was made.
    Added {
        /// The person's name in full.
        name: String,
        /// What the person is from the beginning: administrators only, the others are given their roles.
        roles: Vec<Role>,
        /// The first password.
        password: PasswordHash,
        /// It has to be changed before anything else.
        must_change: bool,
    },
    /// It has these roles from now on.
    RolesSet {
        /// All of them.
        roles: Vec<Role>,
        /// Why.
        reason: String,
    },
    /// It has another password.
    PasswordSet {
        /// The new one.
        password: PasswordHash,
        /// It has to be changed before anything else: somebody else has set it.
        must_change: bool,
    },
    /// Nobody signs in with it any more.
    Disabled {
        /// Why.
        reason: String,
    },
    /// It may be used again; a lock-out ends with it.
    Enabled {
        /// Why.
        reason: String,
    },
    /// Somebody signed in with it.
    SignedIn,
    /// The password was given again, to sign something, after a wrong one.
    Confirmed,
    /// Somebody signed out.
    SignedOut,
    /// A wrong password.
    SignInFailed {
        /// So many in a row by now.
        failures: u32,
        /// Not before this time is another one looked at, milliseconds since 1970 UTC.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        locked_until_ms: Option<i64>,
    },
}

impl PersonAct {
    /// Its name, stable.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Added { .. } => "user_added",
            Self::RolesSet { .. } => "user_roles_set",
            Self::PasswordSet { .. } => "user_password_set",
            Self::Disabled { .. } => "user_disabled",
            Self::Enabled { .. } => "user_enabled",
            Self::SignedIn => "user_signed_in",
            Self::Confirmed => "user_confirmed",
            Self::SignedOut => "user_signed_out",
            Self::SignInFailed { .. } => "user_sign_in_failed",
        }
    }
}

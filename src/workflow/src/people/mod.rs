//! People: who they are, what they may do, and that it is they.
//!
//! ```text
//!  name, password ──► authenticate ──► Actor ──► check(act) ──► a command carries it out
//!                                        │
//!  password again ──► confirm ───────► Confirmed ──► one signature
//! ```
//!
//! Accounts are state of the ledger: every act on them, every sign-in and every wrong password is an entry. Three
//! administrators are separated (MLPS level 3): the system administrator makes and closes accounts, the security
//! administrator gives roles and resets passwords, the audit administrator reads what both did. None of them touches
//! blood.

mod accounts;
mod actor;
mod acts;
mod local;
mod password;
mod refused;
mod sign_in;
#[cfg(test)]
mod tests;

pub use accounts::NewUser;
pub use actor::{Actor, Confirmed};
pub use acts::Act;
pub use local::Local;
pub use password::{HashCost, PasswordRules};
pub use refused::Refused;

use ledger::{By, Draft, Ledger, PersonAct, PersonEntry, Seq, What};
use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};
use vocabulary::UserId;

/// So many may wait for their password to be looked at; one is looked at at a time, for the memory it takes.
const WAITING_MAX: usize = 16;

/// How people are let in, as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeopleRules {
    /// What a password's hash costs.
    pub cost: HashCost,
    /// What a new password must be.
    pub password: PasswordRules,
    /// Wrong passwords in a row that lock an account.
    pub tries_max: u32,
    /// For so long, in seconds.
    pub lock_s: u32,
}

impl Default for PeopleRules {
    fn default() -> Self {
        Self { cost: HashCost::default(), password: PasswordRules::default(), tries_max: 5, lock_s: 15 * 60 }
    }
}

/// The accounts of a ledger. Cheap to clone; its functions wait for the disk and for Argon2id, and belong away from a
/// runtime's threads.
#[derive(Debug, Clone)]
pub struct People {
    ledger: Ledger,
    rules: PeopleRules,
    door: Arc<Door>,
    terminal: Option<String>,
}

#[derive(Debug, Default)]
struct Door {
    /// Accounts change one after the other, each seeing what came of the one before.
    one: Mutex<()>,
    waiting: AtomicUsize,
}

impl People {
    /// The accounts of `ledger`.
    #[must_use]
    pub fn new(ledger: Ledger, rules: PeopleRules) -> Self {
        Self { ledger, rules, door: Arc::default(), terminal: None }
    }

    /// The same accounts and the same door, for whoever comes from a terminal (rules.md R-AUD-01).
    #[must_use]
    pub fn at(self, terminal: Option<String>) -> Self {
        Self { terminal, ..self }
    }

    /// Does something at the door, alone.
    fn alone<T>(&self, work: impl FnOnce() -> Result<T, Refused>) -> Result<T, Refused> {
        let before = self.door.waiting.fetch_add(1, Ordering::AcqRel);
        let outcome = if before >= WAITING_MAX {
            Err(Refused::Busy)
        } else {
            let _alone = self.door.one.lock().unwrap_or_else(PoisonError::into_inner);
            work()
        };
        self.door.waiting.fetch_sub(1, Ordering::AcqRel);
        outcome
    }

    /// Writes an act, and waits until the state knows it.
    fn write(&self, by: By, user: &UserId, act: PersonAct) -> Result<Seq, Refused> {
        let what = What::Person(PersonEntry { user: user.clone(), act });
        let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
        let pending = self.ledger.append(vec![Draft { by, what }]).map_err(|e| broken(&e))?;
        let seq = pending.wait().map_err(|e| broken(&e))?.last();
        self.ledger.wait_applied(seq).wait().map_err(|e| broken(&e))?;
        Ok(seq)
    }
}

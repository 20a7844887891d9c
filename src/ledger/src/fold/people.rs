//! Accounts: made, changed, locked by wrong passwords. An account is never taken away.

use super::{Fold, Folded};
use crate::state::{Key, UserRecord, record};
use crate::{PasswordHash, PersonAct, PersonEntry};

/// Passwords before the present one that are kept to be told again.
const EARLIER_PASSWORDS_MAX: usize = 5;

impl Fold<'_, '_> {
    pub(super) fn person(&mut self, entry: &PersonEntry) -> Folded {
        let key = Key::user(&entry.user).done();
        let known: Option<UserRecord> = record(self.view, &key)?;
        let record = match (&entry.act, known) {
            (PersonAct::Added { name, roles, password, must_change }, None) => {
                self.counters.users += 1;
                UserRecord {
                    name: name.clone(),
                    roles: roles.clone(),
                    added: self.seq,
                    added_at_ms: self.at_ms,
                    changed: self.seq,
                    password: password.clone(),
                    password_set: self.seq,
                    password_at_ms: self.at_ms,
                    must_change: *must_change,
                    earlier: Vec::new(),
                    disabled: None,
                    failures: 0,
                    locked_until_ms: None,
                    signed_in_at_ms: None,
                }
            }
            (PersonAct::Added { .. }, Some(_)) | (_, None) => {
                self.misfit();
                return Ok(());
            }
            (act, Some(mut record)) => {
                self.change_person(act, &mut record);
                record
            }
        };
        self.view.put_record(key, &record)
    }

    fn change_person(&self, act: &PersonAct, record: &mut UserRecord) {
        match act {
            // Known before: nothing of it is taken.
            PersonAct::Added { .. } | PersonAct::SignedOut => return,
            PersonAct::SignedIn => {
                record.signed_in_at_ms = Some(self.at_ms);
                (record.failures, record.locked_until_ms) = (0, None);
                return;
            }
            PersonAct::Confirmed => {
                (record.failures, record.locked_until_ms) = (0, None);
                return;
            }
            PersonAct::SignInFailed { failures, locked_until_ms } => {
                (record.failures, record.locked_until_ms) = (*failures, *locked_until_ms);
                return;
            }
            PersonAct::RolesSet { roles, .. } => record.roles.clone_from(roles),
            PersonAct::PasswordSet { password, must_change } => {
                let before: PasswordHash = std::mem::replace(&mut record.password, password.clone());
                record.earlier.insert(0, before);
                record.earlier.truncate(EARLIER_PASSWORDS_MAX);
                (record.password_set, record.password_at_ms) = (self.seq, self.at_ms);
                record.must_change = *must_change;
                (record.failures, record.locked_until_ms) = (0, None);
            }
            PersonAct::Disabled { reason } => record.disabled = Some(reason.clone()),
            PersonAct::Enabled { .. } => {
                record.disabled = None;
                (record.failures, record.locked_until_ms) = (0, None);
            }
        }
        record.changed = self.seq;
    }
}

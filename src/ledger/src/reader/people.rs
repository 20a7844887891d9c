//! Accounts.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, UserRecord, record};
use crate::{PasswordHash, Seq};
use serde::Serialize;
use vocabulary::{Role, UserId};

/// An account. The passwords are for who compares them; nothing that shows a user shows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UserView {
    /// What the person signs in with.
    pub user: UserId,
    /// The person's name.
    pub name: String,
    /// What the person is.
    pub roles: Vec<Role>,
    /// The entry that made it.
    pub added: Seq,
    /// When that was, milliseconds since 1970 UTC.
    pub added_at_ms: i64,
    /// The entry that changed it last, tries to sign in aside.
    pub changed: Seq,
    /// Why nobody may sign in with it, where that is so.
    pub disabled: Option<String>,
    /// The password has to be changed before anything else.
    pub must_change: bool,
    /// The entry that set the password.
    pub password_set: Seq,
    /// When that was, milliseconds since 1970 UTC.
    pub password_at_ms: i64,
    /// Wrong passwords in a row.
    pub failures: u32,
    /// Not before this time is another try looked at, milliseconds since 1970 UTC.
    pub locked_until_ms: Option<i64>,
    /// When somebody last signed in, milliseconds since 1970 UTC.
    pub signed_in_at_ms: Option<i64>,
    /// The hash of the password.
    #[serde(skip)]
    pub password: PasswordHash,
    /// The hashes of the passwords before it, the newest first.
    #[serde(skip)]
    pub earlier: Vec<PasswordHash>,
}

impl UserView {
    fn new(user: UserId, record: UserRecord) -> Self {
        Self {
            user,
            name: record.name,
            roles: record.roles,
            added: record.added,
            added_at_ms: record.added_at_ms,
            changed: record.changed,
            disabled: record.disabled,
            must_change: record.must_change,
            password_set: record.password_set,
            password_at_ms: record.password_at_ms,
            failures: record.failures,
            locked_until_ms: record.locked_until_ms,
            signed_in_at_ms: record.signed_in_at_ms,
            password: record.password,
            earlier: record.earlier,
        }
    }
}

fn user_of(key: &[u8]) -> Option<UserId> {
    UserId::new(KeyParts::of(key).text()?).ok()
}

impl Reader {
    /// One account.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn user(&self, user: &UserId) -> Result<Option<UserView>, ReadError> {
        let found: Option<UserRecord> = record(self.store().as_ref(), &Key::user(user).done())?;
        Ok(found.map(|record| UserView::new(user.clone(), record)))
    }

    /// Accounts, by name.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn users(&self, page: &Page<UserId>) -> Result<Listing<UserView, UserId>, ReadError> {
        let after = page.after.as_ref().map(|user| Key::user(user).done());
        list(
            self.store().as_ref(),
            (Key::users().under(), after),
            (page.limit, page.order),
            user_of,
            |key, value| {
                let Some(user) = user_of(key) else { return Ok(None) };
                Ok(Some(UserView::new(user, Self::decoded(value)?)))
            },
        )
    }
}

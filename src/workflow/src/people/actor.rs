//! Somebody who has proven who they are.

use super::{Act, Refused};
use ledger::{By, Reader, Seq, UserView};
use vocabulary::{Role, UserId};

/// A person who has signed in. Made by [`People::authenticate`](super::People::authenticate) and by nothing else, so
/// that whoever holds one has given a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    user: UserId,
    name: String,
    roles: Vec<Role>,
    must_change: bool,
    password_set: Seq,
    pub(super) terminal: Option<String>,
}

impl Actor {
    pub(super) fn of(view: &UserView, must_change: bool) -> Self {
        Self {
            user: view.user.clone(),
            name: view.name.clone(),
            roles: view.roles.clone(),
            must_change,
            password_set: view.password_set,
            terminal: None,
        }
    }

    /// The same person, at a terminal (rules.md R-AUD-01).
    #[must_use]
    pub fn at(self, terminal: Option<String>) -> Self {
        Self { terminal, ..self }
    }

    /// What the person signed in with.
    #[must_use]
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// The person's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the person is.
    #[must_use]
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// Whether the password has to be changed before anything else.
    #[must_use]
    pub fn must_change_password(&self) -> bool {
        self.must_change
    }

    /// Whether the person might do it when signing in. Who carries something out asks [`Actor::check`].
    #[must_use]
    pub fn may(&self, act: Act) -> bool {
        !self.must_change && act.is_for(&self.roles)
    }

    /// How entries name the person, `user:NAME`, and where the person sits.
    #[must_use]
    pub fn by(&self) -> By {
        By::from(format!("user:{}", self.user)).at(self.terminal.clone())
    }

    /// Whether the person may do it now: by the account as it stands in the ledger, not as it stood at sign-in.
    ///
    /// # Errors
    /// [`Refused`], and why.
    pub fn check(&self, reader: &Reader, act: Act) -> Result<(), Refused> {
        let now = self.now(reader)?;
        if now.must_change {
            return Err(Refused::MustChange);
        }
        if act.is_for(&now.roles) { Ok(()) } else { Err(Refused::NotPermitted { act }) }
    }

    /// The person as the ledger knows them now.
    ///
    /// # Errors
    /// [`Refused::Disabled`]; [`Refused::Stale`] when the password is another since.
    pub fn now(&self, reader: &Reader) -> Result<Self, Refused> {
        let view = reader.user(&self.user)?.ok_or(Refused::Stale)?;
        if view.disabled.is_some() {
            return Err(Refused::Disabled);
        }
        if view.password_set != self.password_set {
            return Err(Refused::Stale);
        }
        Ok(Self::of(&view, view.must_change || self.must_change).at(self.terminal.clone()))
    }
}

/// A person who has given the password again, for one signature. It cannot be copied.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "somebody gave a password to sign with this"]
pub struct Confirmed(Actor);

impl Confirmed {
    pub(super) fn of(actor: Actor) -> Self {
        Self(actor)
    }

    /// Who.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.0
    }
}

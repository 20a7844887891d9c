//! Accounts made, opened, closed; roles given; passwords set and changed.

use super::refused::NAME_CHARS_MAX;
use super::{Act, Actor, People, Refused, password};
use jiff::Timestamp;
use ledger::{By, Page, PersonAct, Seq, UserView};
use serde::Deserialize;
use vocabulary::{Role, UserId};

/// The longest reason or name.
const TEXT_CHARS_MAX: usize = 500;
/// Accounts of one read.
const USERS_PER_PAGE: usize = 500;

/// An account to be made.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// What the person will sign in with: a–z, 0–9, `.`, `-`, `_`.
    pub user: String,
    /// The person's name.
    pub name: String,
    /// The first password; the person has to change it.
    pub password: String,
}

/// A name to sign in with: small letters, so that `U1` and `u1` are one person.
pub(super) fn user_id(text: &str) -> Result<UserId, Refused> {
    let name = text.trim().to_ascii_lowercase();
    let fits = (2..=NAME_CHARS_MAX).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_'));
    let given = || Refused::Name { given: text.chars().take(NAME_CHARS_MAX).collect() };
    if fits { UserId::new(&name).map_err(|_| given()) } else { Err(given()) }
}

pub(super) fn text(field: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refused::Text { field }) }
}

/// Roles each once, in order, as they may be held together.
pub(super) fn together(roles: &[Role]) -> Result<Vec<Role>, Refused> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if roles.len() > 1 && roles.iter().any(|role| role.is_administrator()) {
        return Err(Refused::Roles(roles));
    }
    Ok(roles)
}

impl People {
    /// The account of this name.
    ///
    /// # Errors
    /// [`Refused::NoSuchUser`], [`Refused::Name`].
    pub fn account(&self, user: &str) -> Result<UserView, Refused> {
        let user = user_id(user)?;
        self.ledger.state().user(&user)?.ok_or(Refused::NoSuchUser(user))
    }

    /// Every account.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn accounts(&self) -> Result<Vec<UserView>, Refused> {
        let (mut all, mut page) = (Vec::new(), Page::first(USERS_PER_PAGE));
        loop {
            let found = self.ledger.state().users(&page)?;
            all.extend(found.items);
            match found.next {
                Some(next) => page = Page::first(USERS_PER_PAGE).after(next),
                None => return Ok(all),
            }
        }
    }

    /// Makes an account. It has no role until the security administrator gives it one, and its password has to be
    /// changed before anything else.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn add(&self, actor: &Actor, new: &NewUser) -> Result<Seq, Refused> {
        actor.check(&self.ledger.state(), Act::AddUser)?;
        self.add_as(actor.by(), new, Vec::new(), true)
    }

    pub(super) fn add_as(
        &self,
        by: By,
        new: &NewUser,
        roles: Vec<Role>,
        must_change: bool,
    ) -> Result<Seq, Refused> {
        let user = user_id(&new.user)?;
        let name = text("name", &new.name)?;
        self.rules.password.check(&user, &new.password)?;
        self.alone(|| {
            if self.ledger.state().user(&user)?.is_some() {
                return Err(Refused::Exists(user.clone()));
            }
            let password = self.rules.cost.hash(&new.password)?;
            self.write(by, &user, PersonAct::Added { name, roles, password, must_change })
        })
    }

    /// Gives an account these roles and no others.
    ///
    /// # Errors
    /// [`Refused`]; [`Refused::Changed`] when it is not at `known` any more.
    pub fn set_roles(
        &self,
        actor: &Actor,
        (user, known): (&str, Option<Seq>),
        roles: &[Role],
        reason: &str,
    ) -> Result<Seq, Refused> {
        actor.check(&self.ledger.state(), Act::GrantRoles)?;
        let (roles, reason) = (together(roles)?, text("reason", reason)?);
        self.alone(|| {
            let view = self.of_another(actor, user, known)?;
            self.keeps_an_administrator(&view, &roles)?;
            self.write(actor.by(), &view.user, PersonAct::RolesSet { roles, reason })
        })
    }

    /// Closes an account; its sessions end.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn disable(
        &self,
        actor: &Actor,
        (user, known): (&str, Option<Seq>),
        reason: &str,
    ) -> Result<Seq, Refused> {
        actor.check(&self.ledger.state(), Act::DisableUser)?;
        let reason = text("reason", reason)?;
        self.alone(|| {
            let view = self.of_another(actor, user, known)?;
            self.keeps_an_administrator(&view, &[])?;
            self.write(actor.by(), &view.user, PersonAct::Disabled { reason })
        })
    }

    /// Opens an account again; a lock-out ends with it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn enable(
        &self,
        actor: &Actor,
        (user, known): (&str, Option<Seq>),
        reason: &str,
    ) -> Result<Seq, Refused> {
        actor.check(&self.ledger.state(), Act::EnableUser)?;
        let reason = text("reason", reason)?;
        self.alone(|| {
            let view = self.of_another(actor, user, known)?;
            self.write(actor.by(), &view.user, PersonAct::Enabled { reason })
        })
    }

    /// Sets another person's password, which that person has to change.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn reset_password(&self, actor: &Actor, user: &str, new: &str) -> Result<Seq, Refused> {
        actor.check(&self.ledger.state(), Act::ResetPassword)?;
        self.alone(|| {
            let view = self.of_another(actor, user, None)?;
            self.set_password(actor.by(), &view, new, true)
        })
    }

    /// Changes the own password; the old one is given once more. Every session of the person ends.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn change_password(
        &self,
        actor: &Actor,
        (old, new): (&str, &str),
        now: Timestamp,
    ) -> Result<Seq, Refused> {
        self.alone(|| {
            actor.now(&self.ledger.state())?;
            let view = self.admit((actor.user().as_str(), &actor.terminal), old, now)?;
            self.set_password(actor.by(), &view, new, false)
        })
    }

    pub(super) fn set_password(
        &self,
        by: By,
        view: &UserView,
        new: &str,
        must_change: bool,
    ) -> Result<Seq, Refused> {
        self.rules.password.check(&view.user, new)?;
        let mut before = std::iter::once(&view.password).chain(&view.earlier);
        if before.any(|hash| password::is(new, hash)) {
            let en = "the password was used before; choose another".to_owned();
            return Err(Refused::Password { en, zh: "该密码曾经使用过，请另选".to_owned() });
        }
        let password = self.rules.cost.hash(new)?;
        self.write(by, &view.user, PersonAct::PasswordSet { password, must_change })
    }

    fn of_another(&self, actor: &Actor, user: &str, known: Option<Seq>) -> Result<UserView, Refused> {
        let view = self.account(user)?;
        if view.user == *actor.user() {
            return Err(Refused::Own);
        }
        if known.is_some_and(|known| known != view.changed) {
            return Err(Refused::Changed);
        }
        Ok(view)
    }

    /// Nobody takes the last system or security administrator away.
    fn keeps_an_administrator(&self, view: &UserView, roles: &[Role]) -> Result<(), Refused> {
        for role in [Role::SystemAdministrator, Role::SecurityAdministrator] {
            let is_one = |user: &UserView| user.disabled.is_none() && user.roles.contains(&role);
            if is_one(view)
                && !roles.contains(&role)
                && !self.accounts()?.iter().any(|other| other.user != view.user && is_one(other))
            {
                return Err(Refused::Last(role));
            }
        }
        Ok(())
    }
}

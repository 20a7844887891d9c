//! The door: a name and a password, looked at one at a time, with a bounded number of wrong ones.

use super::password::{self, PASSWORD_BYTES_MAX};
use super::{Actor, Confirmed, People, Refused, accounts::user_id};
use jiff::Timestamp;
use ledger::{By, PasswordHash, PersonAct, UserView};

/// What a password for an account that is not there is compared with, so that the answer takes its usual time.
/// Its output is a text, which no password is known to give.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Zm91cnRlZW5ieXRlcyE$\
                      Y29tcGFyZWQgd2l0aCBhbmQgbmV2ZXIgZXF1YWwgdG8";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl People {
    /// Lets somebody in who gives a name and its password. Written down, as every wrong password is; after
    /// [`tries_max`](super::PeopleRules) of them none is looked at for [`lock_s`](super::PeopleRules) seconds.
    ///
    /// # Errors
    /// [`Refused`]. Whoever shows it outside says no more than [`Refused::Wrong`] does.
    pub fn authenticate(&self, user: &str, password: &str, now: Timestamp) -> Result<Actor, Refused> {
        self.alone(|| {
            let view = self.admit((user, &self.terminal), password, now)?;
            let actor = self.actor(&view, now).at(self.terminal.clone());
            self.write(actor.by(), &view.user, PersonAct::SignedIn)?;
            Ok(actor)
        })
    }

    /// The same person again, for one signature.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn confirm(&self, actor: &Actor, password: &str, now: Timestamp) -> Result<Confirmed, Refused> {
        self.alone(|| {
            actor.now(&self.ledger.state())?;
            let view = self.admit((actor.user().as_str(), &actor.terminal), password, now)?;
            if view.failures > 0 {
                self.write(actor.by(), &view.user, PersonAct::Confirmed)?;
            }
            Ok(Confirmed::of(self.actor(&view, now).at(actor.terminal.clone())))
        })
    }

    /// Somebody leaves.
    ///
    /// # Errors
    /// [`Refused::Broken`].
    pub fn sign_out(&self, actor: &Actor) -> Result<(), Refused> {
        self.write(actor.by(), actor.user(), PersonAct::SignedOut).map(drop)
    }

    /// The person as the ledger knows them now; refused when the account is disabled or its password another since.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn refresh(&self, actor: &Actor) -> Result<Actor, Refused> {
        actor.now(&self.ledger.state())
    }

    fn actor(&self, view: &UserView, now: Timestamp) -> Actor {
        let days = i64::from(self.rules.password.days_max);
        let age_ms = now.as_millisecond().saturating_sub(view.password_at_ms);
        let too_old = days > 0 && age_ms > days.saturating_mul(DAY_MS);
        Actor::of(view, view.must_change || too_old)
    }

    /// The account whose password this is.
    pub(super) fn admit(
        &self,
        (user, terminal): (&str, &Option<String>),
        password: &str,
        now: Timestamp,
    ) -> Result<UserView, Refused> {
        let view = match user_id(user) {
            Ok(user) => self.ledger.state().user(&user)?,
            Err(_) => None,
        };
        let Some(view) = view else {
            let nobody = password::is(password, &PasswordHash::new(NOBODY.to_owned()));
            tracing::warn!(nobody, "somebody tried to sign in with a name that there is not");
            return Err(Refused::Wrong);
        };
        let at_ms = now.as_millisecond();
        if let Some(until_ms) = view.locked_until_ms.filter(|until| at_ms < *until) {
            return Err(Refused::Locked { until_ms });
        }
        let right = password.len() <= PASSWORD_BYTES_MAX && password::is(password, &view.password);
        if right && view.disabled.is_none() {
            return Ok(view);
        }
        // After a lock-out the tries are counted from the beginning.
        let before = if view.locked_until_ms.is_some() { 0 } else { view.failures };
        let failures = before.saturating_add(1);
        let lock_ms = i64::from(self.rules.lock_s).saturating_mul(1000);
        let locked_until_ms = (failures >= self.rules.tries_max).then(|| at_ms.saturating_add(lock_ms));
        let by = By::from("system").at(terminal.clone());
        self.write(by, &view.user, PersonAct::SignInFailed { failures, locked_until_ms })?;
        tracing::warn!(user = %view.user, failures, locked = locked_until_ms.is_some(), "a sign-in was refused");
        Err(if right { Refused::Disabled } else { Refused::Wrong })
    }
}

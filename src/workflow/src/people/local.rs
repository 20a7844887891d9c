//! The local door: who holds the data directory and has stopped the daemon may make and open administrators' accounts
//! without signing in. The first ones are made here, and one that nobody can sign in with any more is opened here.

use super::accounts::text;
use super::{NewUser, People, Refused};
use ledger::{By, PersonAct, Seq, UserView};
use vocabulary::Role;

/// The terminal of whoever came through it: the machine itself.
const STATION: &str = "station";

/// The door, with the name of the operating system's user who came through it.
#[derive(Debug)]
pub struct Local<'a> {
    people: &'a People,
    by: By,
}

impl<'a> Local<'a> {
    /// For commands that opened the ledger of a stopped daemon themselves, and for nothing else.
    #[must_use]
    pub fn of_stopped(people: &'a People, os_user: &str) -> Self {
        let name: String = os_user.chars().filter(|c| !c.is_control()).take(64).collect();
        Self { people, by: By::from(format!("local:{name}")).at(Some(STATION.to_owned())) }
    }

    /// Makes an administrator's account.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn add(&self, new: &NewUser, role: Role) -> Result<Seq, Refused> {
        if !role.is_administrator() {
            return Err(Refused::LocalOnlyAdministrators);
        }
        self.people.add_as(self.by.clone(), new, vec![role], false)
    }

    /// Sets an administrator's password; a lock-out ends with it.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn set_password(&self, user: &str, new: &str) -> Result<Seq, Refused> {
        let view = self.administrator(user)?;
        self.people.alone(|| self.people.set_password(self.by.clone(), &view, new, false))
    }

    /// Opens an administrator's account again.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn enable(&self, user: &str, reason: &str) -> Result<Seq, Refused> {
        let view = self.administrator(user)?;
        let act = PersonAct::Enabled { reason: text("reason", reason)? };
        self.people.alone(|| self.people.write(self.by.clone(), &view.user, act))
    }

    fn administrator(&self, user: &str) -> Result<UserView, Refused> {
        let view = self.people.account(user)?;
        if view.roles.iter().any(|role| role.is_administrator()) {
            Ok(view)
        } else {
            Err(Refused::LocalOnlyAdministrators)
        }
    }
}

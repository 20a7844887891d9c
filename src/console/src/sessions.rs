//! Who is signed in, in memory: a restart signs everybody out.

use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use workflow::people::Actor;

/// Sessions at once, in all.
const SESSIONS_MAX: usize = 1_000;
/// Sessions of one person; one more ends the oldest.
const SESSIONS_PER_PERSON_MAX: usize = 5;
const TOKEN_BYTES: usize = 32;

/// How long somebody stays signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: Duration,
    /// In all.
    pub life: Duration,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self { idle: Duration::from_mins(15), life: Duration::from_hours(12) }
    }
}

#[derive(Debug)]
struct Session {
    actor: Actor,
    began: Instant,
    used: Instant,
}

/// The sessions, by the hash of their tokens.
#[derive(Debug, Default)]
pub struct Sessions(Mutex<BTreeMap<[u8; 32], Session>>);

fn key(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Sessions {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<[u8; 32], Session>> {
        // A panic elsewhere leaves sessions that were begun by people.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session; its token. Nothing when there are too many, or the system has no random numbers.
    pub(crate) fn begin(&self, actor: &Actor, limits: SessionLimits) -> Option<String> {
        self.begin_at(actor, limits, Instant::now())
    }

    fn begin_at(&self, actor: &Actor, limits: SessionLimits, now: Instant) -> Option<String> {
        let mut random = [0; TOKEN_BYTES];
        getrandom::fill(&mut random).ok()?;
        let digits = random.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let token: String = digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect();
        let mut sessions = self.lock();
        sessions.retain(|_, session| session.lives(limits, now));
        let of_person = || sessions.iter().filter(|(_, s)| s.actor.user() == actor.user());
        if of_person().count() >= SESSIONS_PER_PERSON_MAX {
            let oldest = of_person().min_by_key(|(_, session)| session.began).map(|(key, _)| *key);
            oldest.and_then(|key| sessions.remove(&key));
        }
        if sessions.len() >= SESSIONS_MAX {
            return None;
        }
        sessions.insert(key(&token), Session { actor: actor.clone(), began: now, used: now });
        Some(token)
    }

    /// Whose session a token is; a request keeps it from growing idle.
    pub(crate) fn of(&self, token: &str, limits: SessionLimits) -> Option<Actor> {
        self.of_at(token, limits, Instant::now())
    }

    fn of_at(&self, token: &str, limits: SessionLimits, now: Instant) -> Option<Actor> {
        let key = key(token);
        let mut sessions = self.lock();
        match sessions.get_mut(&key) {
            Some(session) if session.lives(limits, now) => {
                session.used = now;
                Some(session.actor.clone())
            }
            Some(_) => {
                sessions.remove(&key);
                None
            }
            None => None,
        }
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        self.lock().remove(&key(token));
    }
}

impl Session {
    fn lives(&self, limits: SessionLimits, now: Instant) -> bool {
        now.saturating_duration_since(self.used) < limits.idle
            && now.saturating_duration_since(self.began) < limits.life
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use ledger::{Ledger, Settings, StateStore};
    use vocabulary::Role;
    use workflow::people::{Local, NewUser, People, PeopleRules};

    const PASSWORD: &str = "First-password-1";

    fn actor(folder: &std::path::Path) -> Actor {
        let settings = Settings {
            state: StateStore::Memory,
            free_bytes_min: 0,
            ballast_bytes: 0,
            ..Settings::new(folder)
        };
        let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
        let people = People::new(ledger, PeopleRules::default());
        let new = NewUser { user: "system".into(), name: "S".into(), password: PASSWORD.into() };
        Local::of_stopped(&people, "root").add(&new, Role::SystemAdministrator).unwrap();
        people.authenticate("system", PASSWORD, Timestamp::now()).unwrap()
    }

    #[test]
    fn a_session_ends_idle_at_the_end_of_its_life_and_when_it_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let (actor, limits, sessions) = (actor(folder.path()), SessionLimits::default(), Sessions::default());
        let mut now = Instant::now();
        let token = sessions.begin_at(&actor, limits, now).unwrap();
        assert_eq!(token.len(), 64);
        assert_eq!(sessions.of_at("another", limits, now), None);
        for _ in 0..51 {
            now += Duration::from_mins(14);
            assert!(sessions.of_at(&token, limits, now).is_some(), "whoever works stays");
        }
        now += Duration::from_mins(14);
        assert_eq!(sessions.of_at(&token, limits, now), None, "12 hours are over");
        let token = sessions.begin_at(&actor, limits, now).unwrap();
        now += Duration::from_mins(15);
        assert_eq!(sessions.of_at(&token, limits, now), None, "idle");
        let tokens: Vec<String> = (0..6)
            .map(|later| sessions.begin_at(&actor, limits, now + Duration::from_secs(later)).unwrap())
            .collect();
        let live = |token: &String| sessions.of_at(token, limits, now).is_some();
        assert_eq!(tokens.iter().map(live).collect::<Vec<_>>(), [false, true, true, true, true, true]);
        sessions.end(&tokens[5]);
        assert_eq!(sessions.of_at(&tokens[5], limits, now), None);
    }
}

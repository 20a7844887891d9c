//! `[people]`: how people are let in, and how long they stay.

use console::SessionLimits;
use serde::Deserialize;
use std::time::Duration;
use workflow::people::{HashCost, PasswordRules, PeopleRules};

/// `[people]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct People {
    /// Memory of a password's hash, in KiB: 19,456 to 1,048,576.
    argon2_memory_kib: u32,
    /// Passes over it: 2 to 20.
    argon2_passes: u32,
    /// Least characters of a new password: 8 to 64.
    password_chars_min: u8,
    /// Days until a password has to be changed, at most 3,650; 0: never.
    password_days_max: u16,
    /// Wrong passwords in a row that lock an account: 3 to 10.
    tries_max: u8,
    /// For so many minutes: 1 to 1,440.
    lock_min: u16,
    /// Minutes without a request that end a session: 1 to 60.
    session_idle_min: u8,
    /// Hours that end it in any case: 1 to 24.
    session_life_h: u8,
}

impl Default for People {
    fn default() -> Self {
        Self {
            argon2_memory_kib: 19 * 1024,
            argon2_passes: 2,
            password_chars_min: 10,
            password_days_max: 90,
            tries_max: 5,
            lock_min: 15,
            session_idle_min: 15,
            session_life_h: 12,
        }
    }
}

impl People {
    /// The rules, or which of them is out of range.
    pub(crate) fn rules(&self) -> Result<(PeopleRules, SessionLimits), String> {
        let within = |key: &str, value: u32, from: u32, to: u32| {
            if (from..=to).contains(&value) {
                Ok(value)
            } else {
                Err(format!("[people] {key} is {from} to {to}, not {value}"))
            }
        };
        let cost = HashCost::new(self.argon2_memory_kib, self.argon2_passes)
            .map_err(|what| format!("[people] {what}"))?;
        let chars_min = within("password_chars_min", u32::from(self.password_chars_min), 8, 64)?;
        let usual = PasswordRules::default();
        let password = PasswordRules {
            chars_min: usize::from(self.password_chars_min),
            chars_without_kinds: usual
                .chars_without_kinds
                .max(usize::try_from(chars_min).unwrap_or(usize::MAX)),
            days_max: within("password_days_max", u32::from(self.password_days_max), 0, 3_650)?,
            ..usual
        };
        let rules = PeopleRules {
            cost,
            password,
            tries_max: within("tries_max", u32::from(self.tries_max), 3, 10)?,
            lock_s: within("lock_min", u32::from(self.lock_min), 1, 1_440)? * 60,
        };
        let idle = within("session_idle_min", u32::from(self.session_idle_min), 1, 60)?;
        let life = within("session_life_h", u32::from(self.session_life_h), 1, 24)?;
        let limits = SessionLimits {
            idle: Duration::from_mins(u64::from(idle)),
            life: Duration::from_hours(u64::from(life)),
        };
        Ok((rules, limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_range_says_its_key_and_the_range() {
        assert_eq!(People::default().rules().unwrap().0, PeopleRules::default());
        for (people, expect) in [
            (People { argon2_memory_kib: 8, ..People::default() }, "[people] argon2_memory_kib is 19456"),
            (People { tries_max: 100, ..People::default() }, "[people] tries_max is 3 to 10, not 100"),
            (People { lock_min: 0, ..People::default() }, "[people] lock_min is 1 to 1440"),
            (People { session_idle_min: 61, ..People::default() }, "[people] session_idle_min is 1 to 60"),
            (People { password_chars_min: 7, ..People::default() }, "[people] password_chars_min is 8 to 64"),
        ] {
            let what = people.rules().unwrap_err();
            assert!(what.starts_with(expect), "{what}");
        }
    }
}

//! Passwords: what a new one must be, how it is kept, and how one is compared.

use super::Refused;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use ledger::PasswordHash;
use vocabulary::UserId;

/// The least memory a hash may take (OWASP: 19 MiB with two passes).
const MEMORY_KIB_MIN: u32 = 19 * 1024;
/// The least passes over it.
const PASSES_MIN: u32 = 2;
/// The most memory: one is computed at a time.
const MEMORY_KIB_MAX: u32 = 1024 * 1024;
/// The most passes.
const PASSES_MAX: u32 = 20;

/// What an Argon2id hash costs. Kept in each hash: a password is compared at the cost it was set with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    memory_kib: u32,
    passes: u32,
}

impl Default for HashCost {
    fn default() -> Self {
        Self { memory_kib: MEMORY_KIB_MIN, passes: PASSES_MIN }
    }
}

impl HashCost {
    /// A cost that protects: memory in KiB (19,456 to 1,048,576) and passes over it (2 to 20).
    ///
    /// # Errors
    /// When it is too cheap or more than a sign-in can wait for.
    pub fn new(memory_kib: u32, passes: u32) -> Result<Self, String> {
        if !(MEMORY_KIB_MIN..=MEMORY_KIB_MAX).contains(&memory_kib) {
            return Err(format!(
                "argon2_memory_kib is {MEMORY_KIB_MIN} to {MEMORY_KIB_MAX}, not {memory_kib}"
            ));
        }
        if !(PASSES_MIN..=PASSES_MAX).contains(&passes) {
            return Err(format!("argon2_passes is {PASSES_MIN} to {PASSES_MAX}, not {passes}"));
        }
        Ok(Self { memory_kib, passes })
    }

    /// As cheap as can be. In this crate's tests only.
    #[cfg(test)]
    pub(crate) fn cheap() -> Self {
        Self { memory_kib: 8, passes: 1 }
    }

    /// The hash of a password, with a salt of its own.
    pub(super) fn hash(self, password: &str) -> Result<PasswordHash, Refused> {
        let failed = |error: &dyn std::fmt::Display| Refused::Broken(format!("Argon2id: {error}"));
        let params = Params::new(self.memory_kib, self.passes, 1, None).map_err(|e| failed(&e))?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hash = argon2.hash_password(password.as_bytes()).map_err(|e| failed(&e))?;
        Ok(PasswordHash::new(hash.to_string()))
    }
}

/// Whether this is the password of the hash. A hash that cannot be read is nobody's.
pub(super) fn is(password: &str, hash: &PasswordHash) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash.phc()).is_ok()
}

/// What a new password must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordRules {
    /// Least number of characters.
    pub chars_min: usize,
    /// So many of the four kinds (capitals, small letters and others, digits, signs) are in it …
    pub kinds_min: usize,
    /// … unless it has so many characters.
    pub chars_without_kinds: usize,
    /// Days until it has to be changed; 0: never.
    pub days_max: u32,
}

/// The longest password that is looked at, in bytes.
pub(super) const PASSWORD_BYTES_MAX: usize = 256;

impl Default for PasswordRules {
    fn default() -> Self {
        Self { chars_min: 10, kinds_min: 3, chars_without_kinds: 20, days_max: 90 }
    }
}

impl PasswordRules {
    /// Holds a new password against the rules.
    pub(super) fn check(&self, user: &UserId, password: &str) -> Result<(), Refused> {
        let chars = password.chars().count();
        let refuse = |en: String, zh: String| Err(Refused::Password { en, zh });
        if chars < self.chars_min {
            let min = self.chars_min;
            return refuse(
                format!("the password needs at least {min} characters"),
                format!("密码至少{min}个字符"),
            );
        }
        if password.len() > PASSWORD_BYTES_MAX || password.chars().any(char::is_control) {
            return refuse(
                format!(
                    "the password is longer than {PASSWORD_BYTES_MAX} bytes or holds a control character"
                ),
                format!("密码超过{PASSWORD_BYTES_MAX}字节或含有控制字符"),
            );
        }
        let kinds: [fn(char) -> bool; 4] = [
            char::is_uppercase,
            |c| c.is_alphabetic() && !c.is_uppercase(),
            char::is_numeric,
            |c| !c.is_alphanumeric(),
        ];
        let have = kinds.iter().filter(|kind| password.chars().any(*kind)).count();
        if have < self.kinds_min && chars < self.chars_without_kinds {
            let (kinds, long) = (self.kinds_min, self.chars_without_kinds);
            return refuse(
                format!(
                    "the password needs {kinds} of capitals, small letters, digits and signs, or {long} characters"
                ),
                format!("密码须包含大写、小写、数字、符号中的{kinds}类，或不少于{long}个字符"),
            );
        }
        if password.to_lowercase().contains(user.as_str()) {
            return refuse(
                "the password may not hold the name of the account".to_owned(),
                "密码不得包含用户名".to_owned(),
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_by_its_hash_and_no_two_hashes_are_alike() {
        let (one, two) =
            (HashCost::cheap().hash("correct").unwrap(), HashCost::cheap().hash("correct").unwrap());
        assert!(one.phc().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", one.phc());
        assert_ne!(one, two);
        assert!(is("correct", &one) && is("correct", &two));
        assert!(!is("Correct", &one) && !is("", &one));
        assert!(!is("correct", &PasswordHash::new("correct".to_owned())), "what is no hash opens nothing");
        assert_eq!(format!("{one:?}"), "PasswordHash(…)");
    }

    #[test]
    fn no_cost_outside_tests_is_cheap() {
        assert_eq!(HashCost::new(19_456, 2), Ok(HashCost::default()));
        for (memory, passes) in [(19_455, 2), (8, 1), (19_456, 1), (2_000_000, 2), (19_456, 21)] {
            assert!(HashCost::new(memory, passes).is_err(), "{memory} {passes}");
        }
    }

    #[test]
    fn a_new_password_is_held_against_every_rule() {
        let user = UserId::new("zhang").unwrap();
        for (password, expect) in [
            ("Abcdef-12", Some("at least 10")),
            ("abcdefghij", Some("capitals")),
            ("abcdefghi1", Some("capitals")),
            ("Abcdefghi1", None),
            ("abcdefgh-1", None),
            ("correct horse battery staple", None),
            ("Zhang-12345", Some("name of the account")),
            ("献血献血献血献血-1", None),
            ("Abcdef-12\u{7}", Some("control")),
        ] {
            match (PasswordRules::default().check(&user, password), expect) {
                (Ok(()), None) => {}
                (Err(refused), Some(part)) => {
                    assert!(refused.english().contains(part), "{password}: {refused}");
                }
                (found, expect) => panic!("{password}: {found:?}, not {expect:?}"),
            }
        }
        assert!(PasswordRules::default().check(&user, &"Ab1-".repeat(65)).is_err());
    }
}

//! The moment and the names that a message carries.

use super::OrderDesk;
use instrument_profiles::{Host, Stamp};
use jiff::Timestamp;
use std::sync::atomic::{AtomicU64, Ordering};

/// How we name ourselves to analysers.
const HOST: &str = "HEMOGATE";

/// Control ids of one connection: never the same twice, over restarts too.
pub(super) struct ControlIds(AtomicU64);

impl ControlIds {
    /// Begins at the time of now: fewer than a thousand a second are drawn.
    pub(super) fn new() -> Self {
        Self(AtomicU64::new(u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)))
    }

    /// Letters and digits, at most 15: HL7's MSH-10 has room for 20, LIS02 analysers for 12 at least.
    fn draw(&self) -> String {
        let mut number = self.0.fetch_add(1, Ordering::Relaxed);
        let mut digits = Vec::new();
        while number > 0 {
            digits.extend(char::from_digit(u32::try_from(number % 36).unwrap_or(0), 36));
            number /= 36;
        }
        let digits = digits.iter().rev().map(char::to_ascii_uppercase);
        ['H', 'G'].into_iter().chain(digits).collect()
    }
}

impl OrderDesk {
    /// Writes something with the site's time of now.
    pub(super) fn stamped<T>(&self, write: impl FnOnce(&Stamp<'_>) -> T) -> T {
        let now = Timestamp::now().to_zoned(self.settings.time_zone.clone());
        let utc_offset = now.strftime("%z").to_string();
        let control_id = || self.control_ids.draw();
        write(&Stamp {
            now: now.datetime(),
            utc_offset: &utc_offset,
            host: Host { name: HOST, facility: &self.facility },
            control_id: &control_id,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn control_ids_are_short_and_never_the_same() {
        let ids = ControlIds::new();
        let drawn: BTreeSet<String> = (0..1_000).map(|_| ids.draw()).collect();
        assert_eq!(drawn.len(), 1_000);
        assert!(drawn.iter().all(|id| id.len() <= 15 && id.bytes().all(|b| b.is_ascii_alphanumeric())));
    }
}

//! Who looked at raw bytes of donors: written down before they are shown.

use crate::{Site, caller::Caller, problem::Problem, writing::append};
use ledger::{By, DonorData, What};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Whoever reads the same thing again within this time of the entry is still reading it: a trace that is followed is
/// asked for every second.
const STILL_READING: Duration = Duration::from_mins(10);
/// Readings that are remembered for it. One more makes the oldest forgotten, which costs an entry and no truth.
const REMEMBERED_MAX: usize = 1_024;

/// The readings that are written down already.
#[derive(Debug, Default)]
pub(crate) struct Consulted(Mutex<VecDeque<(By, DonorData, Instant)>>);

impl Consulted {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(By, DonorData, Instant)>> {
        // A panic elsewhere leaves a list of what was written, which is true.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_written(&self, (by, of): (&By, &DonorData), now: Instant) -> bool {
        let mut readings = self.lock();
        readings.retain(|(_, _, at)| now.saturating_duration_since(*at) < STILL_READING);
        readings.iter().any(|(who, known, _)| who == by && known == of)
    }

    fn written(&self, by: By, of: DonorData, now: Instant) {
        let mut readings = self.lock();
        if readings.len() >= REMEMBERED_MAX {
            readings.pop_front();
        }
        readings.push_back((by, of, now));
    }

    /// Writes a reading down. What cannot be written down is not shown.
    pub(crate) async fn write(&self, site: &Site, caller: &Caller, of: DonorData) -> Result<(), Problem> {
        if self.is_written((&caller.by(), &of), Instant::now()) {
            return Ok(());
        }
        append(site, caller, vec![What::DonorDataRead { of: of.clone() }]).await?;
        self.written(caller.by(), of, Instant::now());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::Seq;

    fn message(seq: u64) -> DonorData {
        DonorData::RawMessage { message: Seq::new(seq) }
    }

    #[test]
    fn a_reading_that_goes_on_is_one_and_a_later_one_is_another() {
        let consulted = Consulted::default();
        let now = Instant::now();
        assert!(!consulted.is_written((&"user:a".into(), &message(1)), now));
        consulted.written("user:a".into(), message(1), now);
        assert!(consulted.is_written((&"user:a".into(), &message(1)), now + STILL_READING / 2));
        assert!(!consulted.is_written((&"user:a".into(), &message(2)), now));
        assert!(
            !consulted.is_written((&"user:b".into(), &message(1)), now),
            "another person reads for the first time"
        );
        assert!(!consulted.is_written((&"user:a".into(), &message(1)), now + STILL_READING));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let consulted = Consulted::default();
        let now = Instant::now();
        (0..2_000).for_each(|seq| consulted.written("user:a".into(), message(seq), now));
        assert_eq!(consulted.lock().len(), REMEMBERED_MAX);
        assert!(
            !consulted.is_written((&"user:a".into(), &message(0)), now)
                && consulted.is_written((&"user:a".into(), &message(1_999)), now)
        );
    }
}

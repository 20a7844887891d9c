//! When an analyser sends: pauses of about one length, and bursts.

use crate::corpus::Random;
use std::time::Duration;

/// Between two transfers an analyser pauses this long on the average; never longer than five times that.
const PAUSE_MEAN_MS: u64 = 4_000;
const PAUSE_MAX_MS: u64 = 5 * PAUSE_MEAN_MS;
/// One pause in so many ends with a burst: a run is finished.
const BURST_ONE_IN: u64 = 15;
/// Transfers in a burst.
const BURST_MIN: u64 = 10;
const BURST_MAX: u64 = 40;
/// Messages in a transfer, at most as many as the model sends.
const TRANSFER_MAX: u64 = 4;
/// After about so many transfers it connects anew.
const CONNECTION_TRANSFERS: u64 = 60;

/// The next stretch of an analyser's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) pause: Duration,
    pub(super) transfers: u64,
    pub(super) connect_anew: bool,
}

/// An analyser's own clock.
#[derive(Debug)]
pub(super) struct Pace {
    random: Random,
    begun: bool,
}

impl Pace {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: Random::new(seed), begun: false }
    }

    /// What comes next. At the very beginning: a burst at once, all analysers together.
    pub(super) fn stretch(&mut self) -> Stretch {
        let burst = self.random.between(BURST_MIN, BURST_MAX);
        if !std::mem::replace(&mut self.begun, true) {
            return Stretch { pause: Duration::ZERO, transfers: burst, connect_anew: true };
        }
        let transfers = if self.random.between(1, BURST_ONE_IN) == 1 { burst } else { 1 };
        Stretch {
            pause: Duration::from_millis(self.pause_ms()),
            transfers,
            connect_anew: self.random.between(1, CONNECTION_TRANSFERS) == 1,
        }
    }

    /// How many messages the next transfer holds, at most `most`.
    pub(super) fn messages(&mut self, most: usize) -> usize {
        let most = u64::try_from(most).unwrap_or(TRANSFER_MAX).clamp(1, TRANSFER_MAX);
        usize::try_from(self.random.between(1, most)).unwrap_or(1)
    }

    /// The sum of two even draws and a rare long one: no two analysers stay in step.
    fn pause_ms(&mut self) -> u64 {
        let mut part = |most| self.random.between(0, most);
        let usual = part(PAUSE_MEAN_MS) + part(PAUSE_MEAN_MS);
        let long = if part(19) == 0 { part(PAUSE_MAX_MS) } else { 0 };
        (usual + long).min(PAUSE_MAX_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_begins_with_a_burst_and_goes_on_with_pauses_and_bursts_the_same_for_a_seed() {
        let stretches = |seed| {
            let mut pace = Pace::new(seed);
            (0..1000).map(|_| pace.stretch()).collect::<Vec<_>>()
        };
        let one = stretches(7);
        assert_eq!(one, stretches(7));
        assert_ne!(one, stretches(8));
        assert_eq!((one[0].pause, one[0].connect_anew), (Duration::ZERO, true));
        assert!(one[0].transfers >= BURST_MIN);
        let mean = one.iter().map(|s| s.pause).sum::<Duration>() / 1000;
        assert!((3_500..5_000).contains(&mean.as_millis()), "{mean:?}");
        let bursts = one.iter().filter(|s| s.transfers >= BURST_MIN).count();
        assert!((40..110).contains(&bursts), "{bursts}");
        assert!(one.iter().filter(|s| s.connect_anew).count() > 5);
    }

    #[test]
    fn a_transfer_holds_no_more_than_the_model_sends() {
        let mut pace = Pace::new(1);
        for most in [0, 1, 3, 100] {
            let counts: Vec<usize> = (0..200).map(|_| pace.messages(most)).collect();
            let allowed = most.clamp(1, 4);
            assert!(counts.iter().all(|c| (1..=allowed).contains(c)), "{most}");
            assert!(counts.contains(&allowed));
        }
    }
}

//! Pauses between attempts: they double up to a bound, and no two connections keep step.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    time::Duration,
};
use vocabulary::ConnectionId;

/// See the module. Each pause is drawn from the upper half of what is due, so that 64 analysers do not knock all at
/// once after a power cut; the draw is seeded by the connection's id.
#[derive(Debug)]
pub(crate) struct Backoff {
    shortest: Duration,
    longest: Duration,
    due: Duration,
    random: fastrand::Rng,
}

impl Backoff {
    /// From a fiftieth of `longest` up to it.
    pub(crate) fn new(longest: Duration, connection: &ConnectionId) -> Self {
        let mut hasher = DefaultHasher::new();
        connection.as_str().hash(&mut hasher);
        let shortest = longest / 50;
        Self { shortest, longest, due: shortest, random: fastrand::Rng::with_seed(hasher.finish()) }
    }

    /// The next pause.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.due.mul_f64(0.5 + self.random.f64() / 2.0);
        self.due = self.longest.min(self.due * 2);
        pause
    }

    /// It worked for a while: the next pause is a short one again.
    pub(crate) fn reset(&mut self) {
        self.due = self.shortest;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(30);

    fn pauses(id: &str, count: usize) -> Vec<Duration> {
        let mut backoff = Backoff::new(LONGEST, &ConnectionId::new(id).unwrap());
        (0..count).map(|_| backoff.pause()).collect()
    }

    #[test]
    fn pauses_double_up_to_their_bound() {
        let pauses = pauses("a", 40);
        for (n, pause) in pauses.iter().enumerate() {
            let due = LONGEST.min(LONGEST / 50 * 2_u32.pow(u32::try_from(n).unwrap().min(10)));
            assert!(*pause <= due && *pause >= due / 2, "{n}: {pause:?} of {due:?}");
        }
    }

    #[test]
    fn two_connections_do_not_keep_step_and_one_repeats_itself() {
        assert_ne!(pauses("a", 9), pauses("b", 9));
        assert_eq!(pauses("a", 9), pauses("a", 9));
    }

    #[test]
    fn a_line_that_worked_is_reached_for_soon() {
        let mut backoff = Backoff::new(LONGEST, &ConnectionId::new("a").unwrap());
        for _ in 0..9 {
            backoff.pause();
        }
        backoff.reset();
        assert!(backoff.pause() <= LONGEST / 50);
    }
}

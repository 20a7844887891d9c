//! Times to an answer in bounded memory: exact below 64 µs, to one part in 64 above.

use std::time::Duration;

/// Buckets to a doubling.
const STEPS_BITS: u32 = 6;
const STEPS: u64 = 1 << STEPS_BITS;
/// About 1.1 hours; longer counts as that.
const LONGEST_US: u64 = (1 << 32) - 1;

/// How many answers took how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    longest_us: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { counts: vec![0; bucket(LONGEST_US) + 1], total: 0, longest_us: 0 }
    }
}

impl Histogram {
    pub(super) fn add(&mut self, took: Duration) {
        let us = u64::try_from(took.as_micros()).unwrap_or(LONGEST_US);
        self.longest_us = self.longest_us.max(us);
        self.total += 1;
        if let Some(count) = self.counts.get_mut(bucket(us.min(LONGEST_US))) {
            *count += 1;
        }
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.total += other.total;
        self.longest_us = self.longest_us.max(other.longest_us);
        self.counts.iter_mut().zip(&other.counts).for_each(|(mine, theirs)| *mine += theirs);
    }

    /// The time, in µs, that so many of 100,000 answers stayed within: never less than the true one, and at most one
    /// part in 64 more.
    pub(super) fn within_us(&self, per_100_000: u64) -> u64 {
        let wanted = (u128::from(self.total) * u128::from(per_100_000)).div_ceil(100_000);
        let mut counted = 0_u128;
        for (nth, count) in self.counts.iter().enumerate() {
            counted += u128::from(*count);
            if counted >= wanted && counted > 0 {
                return upper(nth).min(self.longest_us);
            }
        }
        self.longest_us
    }

    /// The longest, exactly, in µs.
    pub(super) fn longest_us(&self) -> u64 {
        self.longest_us
    }

    pub(super) fn total(&self) -> u64 {
        self.total
    }
}

fn bucket(us: u64) -> usize {
    let shift = us.checked_ilog2().unwrap_or(0).saturating_sub(STEPS_BITS);
    usize::try_from(u64::from(shift) * STEPS + (us >> shift)).unwrap_or(usize::MAX)
}

/// The longest time that falls into a bucket.
fn upper(nth: usize) -> u64 {
    let nth = u64::try_from(nth).unwrap_or(u64::MAX);
    let shift = (nth / STEPS).saturating_sub(1);
    ((nth - shift * STEPS + 1) << shift) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_times_and_follows_the_one_before_without_a_gap() {
        let mut last = None;
        for us in (0..200_000).chain([LONGEST_US - 1, LONGEST_US]) {
            let nth = bucket(us);
            assert!(us <= upper(nth), "{us} lies above its bucket {nth}");
            assert!(upper(nth) - us <= us / 64, "{us} is shown as {}", upper(nth));
            if us < 200_000 {
                assert!(last.is_none_or(|last| nth == last || nth == last + 1), "a gap before {us}");
                last = Some(nth);
            }
        }
    }

    #[test]
    fn shares_are_read_as_from_a_sorted_list() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.within_us(99_900), histogram.total()), (0, 0));
        let mut other = Histogram::default();
        for us in 1..=100_000_u64 {
            let one = if us % 2 == 0 { &mut histogram } else { &mut other };
            one.add(Duration::from_micros(us));
        }
        histogram.join(&other);
        for (share, exact) in [(50_000, 50_000), (99_000, 99_000), (99_900, 99_900), (100_000, 100_000)] {
            let shown = histogram.within_us(share);
            assert!((exact..=exact + exact / 64).contains(&shown), "{share}: {shown}");
        }
        assert_eq!((histogram.longest_us(), histogram.total()), (100_000, 100_000));
        histogram.add(Duration::from_hours(30));
        assert_eq!(histogram.longest_us(), 108_000_000_000);
    }
}

//! Times to an answer, kept in microseconds.

use std::time::Duration;

/// All of them; four bytes each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, took: Duration) {
        self.0.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(crate) fn join(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The time that `percent` of a hundred stayed within; 0 when there are none.
    pub(crate) fn percentile_us(&self, percent: usize) -> u32 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let place = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(place).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_read_from_the_sorted_times() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile_us(50), 0);
        (1..=200).rev().for_each(|us| latencies.add(Duration::from_micros(us)));
        assert_eq!((latencies.percentile_us(50), latencies.percentile_us(99)), (101, 199));
        assert_eq!(latencies.percentile_us(100), 200);
    }
}

//! Numbers that look random and are the same on every machine and in every release.

/// `SplitMix64` (Steele, Lea, Flood 2014). Ours rather than a crate's, so that a crate's update cannot change a corpus.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// One of `low..=high`.
    pub(crate) fn between(&mut self, low: u64, high: u64) -> u64 {
        low + (self.next() >> 16) % (high.saturating_sub(low) + 1)
    }

    /// True in `percent` of a hundred draws.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.between(0, 99) < percent
    }

    /// One of `choices`; the type's default if there are none.
    pub(crate) fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let highest = u64::try_from(choices.len().saturating_sub(1)).unwrap_or(0);
        let place = usize::try_from(self.between(0, highest)).unwrap_or(0);
        choices.get(place).copied().unwrap_or_default()
    }

    /// Hundredths as a decimal with two places: 1234 → `12.34`.
    pub(crate) fn hundredths(&mut self, low: u64, high: u64) -> String {
        let drawn = self.between(low, high);
        format!("{}.{:02}", drawn / 100, drawn % 100)
    }

    /// A time of day in November 2026, `YYYYMMDDHHMMSS`.
    pub(crate) fn moment(&mut self) -> String {
        let (day, hour) = (self.between(1, 28), self.between(7, 19));
        let (minute, second) = (self.between(0, 59), self.between(0, 59));
        format!("202611{day:02}{hour:02}{minute:02}{second:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs for seed 1234567, from the reference implementation.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn bounds_are_inclusive_and_kept() {
        let mut random = Random::new(1);
        let drawn: Vec<u64> = (0..1000).map(|_| random.between(3, 5)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&3), Some(&5)));
    }
}

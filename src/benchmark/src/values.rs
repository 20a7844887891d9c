//! Proof that two engines saw the same values: their number and the sum of their bytes.

use std::ops::AddAssign;

/// How many values were visited and what their bytes add up to. Cheap enough not to drown what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Values {
    /// Values visited.
    pub count: u64,
    /// Sum of all their bytes.
    pub sum: u64,
}

impl Values {
    /// Counts one value.
    #[inline]
    pub(crate) fn visit(&mut self, value: &[u8]) {
        self.count += 1;
        self.sum += value.iter().map(|byte| u64::from(*byte)).sum::<u64>();
    }
}

impl AddAssign for Values {
    fn add_assign(&mut self, other: Self) {
        self.count += other.count;
        self.sum += other.sum;
    }
}

//! How much is too much. Past a limit an order is refused and says so.

/// Bounds of the worklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Orders with something open, in all.
    pub open_max: u64,
    /// Orders with something open, for one specimen.
    pub open_per_specimen_max: usize,
    /// Assays of one order.
    pub assays_max: usize,
    /// Versions of one order.
    pub versions_max: u32,
    /// Days after which what is open of an order ends by an entry of its own.
    pub days_max: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Self { open_max: 100_000, open_per_specimen_max: 50, assays_max: 50, versions_max: 200, days_max: 14 }
    }
}

/// The longest text of an order's free fields, in characters.
pub(crate) const TEXT_CHARS_MAX: usize = 200;

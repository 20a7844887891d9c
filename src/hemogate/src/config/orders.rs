//! `[orders]`: how much the worklist takes, and how long it keeps what nobody does.

use serde::Deserialize;
use std::num::{NonZeroU16, NonZeroU32};
use workflow::orders::Limits;

/// `[orders]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_field_names, reason = "the keys of the configuration say that they are limits")]
pub(crate) struct Orders {
    /// Days after which what is open of an order ends, by an entry that says so.
    days_max: NonZeroU16,
    /// Orders with something open, in all; past it new ones are refused.
    open_max: NonZeroU32,
    /// Orders with something open, for one specimen.
    open_per_specimen_max: NonZeroU16,
}

const DAYS: NonZeroU16 = NonZeroU16::new(14).unwrap();
const OPEN: NonZeroU32 = NonZeroU32::new(100_000).unwrap();
const OPEN_PER_SPECIMEN: NonZeroU16 = NonZeroU16::new(50).unwrap();

impl Default for Orders {
    fn default() -> Self {
        Self { days_max: DAYS, open_max: OPEN, open_per_specimen_max: OPEN_PER_SPECIMEN }
    }
}

impl Orders {
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            days_max: self.days_max.get(),
            open_max: u64::from(self.open_max.get()),
            open_per_specimen_max: usize::from(self.open_per_specimen_max.get()),
            ..Limits::default()
        }
    }
}

//! What is noticed of a stream besides its bytes: when it was last heard, and what broke it.

use crate::said::Said;
use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Shared by a stream, its driver and whoever decides about its place.
#[derive(Debug)]
pub(crate) struct Ears {
    base: Instant,
    /// Microseconds after `base`, plus one; 0 is never.
    heard: AtomicU64,
    fault: OnceLock<Said>,
}

impl Ears {
    pub(crate) fn new(base: Instant) -> Self {
        Self { base, heard: AtomicU64::new(0), fault: OnceLock::new() }
    }

    /// Bytes have come.
    pub(crate) fn hear(&self, now: Instant) {
        let after =
            u64::try_from(now.saturating_duration_since(self.base).as_micros()).unwrap_or(u64::MAX - 1);
        self.heard.store(after.saturating_add(1), Ordering::Relaxed);
    }

    /// How long nothing has come; absent when nothing ever came.
    pub(crate) fn silence(&self, now: Instant) -> Option<Duration> {
        let after = self.heard.load(Ordering::Relaxed).checked_sub(1)?;
        Some(now.saturating_duration_since(self.base + Duration::from_micros(after)))
    }

    /// Keeps the first fault, in words.
    pub(crate) fn broke(&self, what: Said) {
        self.fault.get_or_init(|| what);
    }

    /// What broke the stream, when it was not simply closed.
    pub(crate) fn fault(&self) -> Option<&Said> {
        self.fault.get()
    }
}

//! Whether the ledger accepts, and if not, why.

use crate::sync::lock;
use serde::Serialize;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How the ledger is.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Whether `append` takes groups.
    pub accepting: bool,
    /// Why not, in words for a person.
    pub why_not: Option<String>,
    /// Free bytes under the journal, as last seen.
    pub free_bytes: Option<u64>,
    /// Whether the ballast file is in place.
    pub ballast: bool,
    /// The last durable entry.
    pub durable: crate::Seq,
    /// The last entry that the state knows.
    pub applied: crate::Seq,
    /// Durable entries that the state does not know yet.
    pub lag_entries: u64,
    /// Entries waiting for the disk.
    pub queue_entries: usize,
    /// Encoded bytes waiting for the disk.
    pub queue_bytes: usize,
    /// Encoded bytes that are durable and wait in memory for the state.
    pub handoff_bytes: usize,
    /// How long the write under way has been going on, milliseconds.
    pub writing_for_ms: Option<u64>,
    /// Bytes of all journal files.
    pub journal_bytes: u64,
    /// Why the state does not move on, if it does not.
    pub state_fault: Option<String>,
}

/// Why nothing is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stopped {
    /// A write or sync failed; a new file could not be begun yet.
    Failed(String),
    /// Free space is below the reserve.
    LowSpace { free: u64, least: u64 },
}

#[derive(Debug, Default)]
struct Inner {
    failed: Option<Stopped>,
    low: Option<Stopped>,
    free_bytes: Option<u64>,
    ballast: bool,
    writing_since: Option<Instant>,
    state_fault: Option<String>,
}

/// The ledger's health, shared by its threads.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<Inner>);

impl Health {
    /// Why nothing is accepted, if so.
    pub(crate) fn why_not(&self) -> Option<String> {
        let inner = lock(&self.0);
        inner.failed.as_ref().or(inner.low.as_ref()).map(|stopped| match stopped {
            Stopped::Failed(why) => format!("writing the journal failed ({why}); it will be tried again"),
            Stopped::LowSpace { free, least } => format!(
                "{} MiB are free where the ledger lives, {} MiB are kept in reserve: make room",
                free >> 20,
                least >> 20
            ),
        })
    }

    pub(crate) fn failed(&self, why: Option<String>) {
        lock(&self.0).failed = why.map(Stopped::Failed);
    }

    pub(crate) fn space(&self, free: Option<u64>, least: u64) {
        let mut inner = lock(&self.0);
        inner.free_bytes = free;
        inner.low = free.filter(|f| *f < least).map(|free| Stopped::LowSpace { free, least });
    }

    pub(crate) fn is_low(&self) -> bool {
        lock(&self.0).low.is_some()
    }

    pub(crate) fn set_ballast(&self, there: bool) {
        lock(&self.0).ballast = there;
    }

    pub(crate) fn writing(&self, since: Option<Instant>) {
        lock(&self.0).writing_since = since;
    }

    pub(crate) fn state_fault(&self, why: Option<String>) {
        lock(&self.0).state_fault = why;
    }

    pub(crate) fn state_is_faulty(&self) -> Option<String> {
        lock(&self.0).state_fault.clone()
    }

    pub(crate) fn fill(&self, status: &mut Status) {
        status.why_not = self.why_not();
        status.accepting = status.why_not.is_none();
        let inner = lock(&self.0);
        status.free_bytes = inner.free_bytes;
        status.ballast = inner.ballast;
        let writing = inner.writing_since.map(|since| since.elapsed());
        status.writing_for_ms = writing.map(|d: Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
        status.state_fault.clone_from(&inner.state_fault);
    }
}

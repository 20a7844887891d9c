//! What went over a connection's line, both ways, with times: for whoever has to find out why two machines disagree.
//!
//! A trace is a ring in memory, bounded in bytes and in events; what fell out of it is counted. Nothing is evidence
//! here and nothing rests on it: what was taken from an analyser is in the ledger. It holds donors' results, so that
//! whoever shows it to a person records that first ([`ledger::What::DonorDataRead`]).
//!
//! ```text
//! driver ──write──► Tapped ──write──► socket       production, qualification, simulation
//! driver ──write──► Tapped ──┐        socket       listen-only: the write succeeds and goes nowhere
//! driver ◄──read─── Tapped ◄─┼─read── socket
//!                            ▼
//!                          Trace ──► a dialogue in the captures' language, or JSON
//! ```

mod dialogue;
mod ring;
mod tapped;

pub use dialogue::{About, Dialogue};
pub use ring::{Excerpt, Traced, TracedEvent, Way};
pub(crate) use tapped::{Sending, Tapped};

use crate::board::wall_ms;
use ring::{Moment, Passed, Ring};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// Bounds of one connection's trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceLimits {
    /// Bytes of both directions, and of words about them, that are kept.
    pub bytes_max: usize,
    /// Events that are kept: bytes that came or left together, a socket that opened or closed, an anomaly.
    pub events_max: usize,
}

impl Default for TraceLimits {
    /// Some eighty messages, or the last minute of a lively line. With 32 bytes an event it is 192 KiB a connection.
    fn default() -> Self {
        Self { bytes_max: 128 * 1024, events_max: 2_048 }
    }
}

/// One connection's trace. Clones show the same one.
#[derive(Debug, Clone)]
pub struct Trace {
    began: Instant,
    ring: Arc<Mutex<Ring>>,
}

impl Trace {
    /// An empty trace.
    #[must_use]
    pub fn new(limits: TraceLimits) -> Self {
        Self { began: Instant::now(), ring: Arc::new(Mutex::new(Ring::new(limits))) }
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        // A panic elsewhere leaves a ring that is worth reading all the same.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Moment {
        let after_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { at_ms: wall_ms(), after_ms }
    }

    /// A socket, line or handle was opened; gives the number that its events carry.
    pub(crate) fn connected(&self, peer: &str) -> u64 {
        self.ring().connected(self.now(), peer)
    }

    /// Bytes came or left together.
    pub(crate) fn bytes(&self, socket: u64, way: Way, bytes: &[u8]) {
        self.ring().bytes(self.now(), socket, way, bytes);
    }

    /// Something happened that is no bytes. `socket` 0 is the connection as a whole.
    pub(crate) fn note(&self, socket: u64, what: Traced) {
        self.ring().note(self.now(), socket, what);
    }

    /// How much has gone over the line since the trace began.
    pub(crate) fn passed(&self) -> Passed {
        self.ring().passed()
    }

    /// What happened after the event `number`; 0 is all that is kept.
    #[must_use]
    pub fn since(&self, number: u64) -> Excerpt {
        self.ring().since(number)
    }
}

impl Default for Trace {
    fn default() -> Self {
        Self::new(TraceLimits::default())
    }
}

//! Clients that load a server and count nothing that it did not truly acknowledge.

mod latency;
mod lis01;
mod mllp;

pub(crate) use latency::Latencies;
pub(crate) use lis01::Lis01Load;
pub(crate) use mllp::MllpLoad;

use std::time::{Duration, Instant};

/// What a client saw while it was counting.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Messages or frames acknowledged, each by its own answer.
    pub(crate) acknowledged: u64,
    /// Answers that acknowledge nothing: a refusal, another message's answer, an answer to nothing.
    pub(crate) wrong: u64,
    /// Sent, and never answered.
    pub(crate) lost: u64,
    /// Time from the last byte handed to the socket to the answer.
    pub(crate) latencies: Latencies,
    /// The first thing that went wrong, in words.
    pub(crate) first_fault: Option<String>,
}

impl Seen {
    fn fault(&mut self, what: impl FnOnce() -> String) {
        self.first_fault.get_or_insert_with(what);
    }

    fn join(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.wrong += other.wrong;
        self.lost += other.lost;
        self.latencies.join(other.latencies);
        if self.first_fault.is_none() {
            self.first_fault = other.first_fault;
        }
    }
}

/// Answers count from `from` to `to`; at `to` nothing more is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slice {
    from: Instant,
    to: Instant,
}

impl Slice {
    pub(crate) fn after(warm_up: Duration, counted: Duration) -> Self {
        let from = Instant::now() + warm_up;
        Self { from, to: from + counted }
    }

    pub(crate) fn seconds(self) -> f64 {
        (self.to - self.from).as_secs_f64()
    }

    fn counts(self, now: Instant) -> bool {
        self.from <= now && now < self.to
    }

    fn is_over(self, now: Instant) -> bool {
        now >= self.to
    }
}

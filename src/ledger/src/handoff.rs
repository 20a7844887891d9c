//! Durable entries on their way to the state: by memory while there is room, else by way of the journal.

use crate::sync::lock;
use crate::{Entry, Seq};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// Encoded bytes kept in memory for the state. What does not fit is read back from the journal.
const HANDOFF_BYTES_MAX: usize = 16 << 20;

/// A committed group.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) entries: Vec<Entry>,
    pub(crate) bytes: usize,
}

#[derive(Debug, Default)]
struct Held {
    groups: VecDeque<Committed>,
    bytes: usize,
    durable: Seq,
    closed: bool,
}

/// The hand-over between the committer and the state's thread.
#[derive(Debug, Default)]
pub(crate) struct Handoff {
    held: Mutex<Held>,
    moved: Condvar,
}

/// What there is to do for the state.
#[derive(Debug)]
pub(crate) enum Next {
    /// These entries, which begin with the one asked for.
    Entries(Vec<Entry>),
    /// Read the journal up to and with this entry.
    Journal(Seq),
    /// Nothing came in time.
    Nothing,
    /// Nothing more will come.
    Closed,
}

impl Handoff {
    pub(crate) fn starting_at(durable: Seq) -> Self {
        Self { held: Mutex::new(Held { durable, ..Held::default() }), moved: Condvar::new() }
    }

    /// `last` is durable; `group` ends with it.
    pub(crate) fn push(&self, group: Committed, last: Seq) {
        let mut held = lock(&self.held);
        held.durable = last;
        if held.bytes + group.bytes <= HANDOFF_BYTES_MAX || held.groups.is_empty() {
            held.bytes += group.bytes;
            held.groups.push_back(group);
        }
        drop(held);
        self.moved.notify_one();
    }

    pub(crate) fn close(&self) {
        lock(&self.held).closed = true;
        self.moved.notify_all();
    }

    /// Waits so long, or until closed; whether it is closed.
    pub(crate) fn closed_within(&self, pause: Duration) -> bool {
        let deadline = Instant::now() + pause;
        let mut held = lock(&self.held);
        while !held.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            held = match self.moved.wait_timeout(held, left) {
                Ok((held, _)) => held,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        held.closed
    }

    /// What follows `applied`, waiting up to `timeout` for it.
    pub(crate) fn next(&self, applied: Seq, timeout: Duration) -> Next {
        let deadline = Instant::now() + timeout;
        let mut held = lock(&self.held);
        while held.durable <= applied && !held.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Next::Nothing;
            }
            held = match self.moved.wait_timeout(held, left) {
                Ok((held, _)) => held,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        if held.durable <= applied {
            return Next::Closed;
        }
        let wanted = applied.next();
        while let Some(group) = held.groups.front() {
            match group.entries.first().map(|e| e.seq) {
                Some(first) if first == wanted => {
                    let group = held.groups.pop_front();
                    let group = group.unwrap_or(Committed { entries: Vec::new(), bytes: 0 });
                    held.bytes -= group.bytes;
                    return Next::Entries(group.entries);
                }
                Some(first) if first > wanted => return Next::Journal(Seq::new(first.get() - 1)),
                Some(_) | None => {
                    held.bytes -= group.bytes;
                    held.groups.pop_front();
                }
            }
        }
        Next::Journal(held.durable)
    }
}

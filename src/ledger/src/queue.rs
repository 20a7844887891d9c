//! What waits for the disk: bounded by entries and by bytes.

use crate::pending::{AppendFailed, Durable, Outcome};
use crate::sync::lock;
use crate::{Draft, Refused};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

/// One caller's group, encoded by the caller.
#[derive(Debug)]
pub(crate) struct Job {
    /// The drafts, for the state; what they carried stands in the bodies only.
    pub(crate) drafts: Vec<Draft>,
    /// Their bodies, one after another.
    pub(crate) bodies: Vec<u8>,
    /// Each body.
    pub(crate) parts: Vec<Part>,
    pub(crate) answer: oneshot::Sender<Outcome>,
}

/// One encoded body.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part {
    /// Its length.
    pub(crate) length: usize,
    /// The bytes in it that its draft carried.
    pub(crate) carried: usize,
}

impl Job {
    /// Each entry's body.
    pub(crate) fn each_body(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bodies.as_slice();
        self.parts.iter().map(move |part| {
            let (body, after) = rest.split_at_checked(part.length).unwrap_or((rest, &[]));
            rest = after;
            body
        })
    }

    /// Tells the caller, and gives what the state is to know. A caller that has gone away took nothing back.
    pub(crate) fn resolve(
        self,
        outcome: Result<Durable, AppendFailed>,
    ) -> impl Iterator<Item = (Draft, usize)> {
        drop(self.answer.send(outcome));
        self.drafts.into_iter().zip(self.parts.into_iter().map(|part| part.carried))
    }
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    entries: usize,
    bytes: usize,
    closed: bool,
}

/// The bounds of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) entries: usize,
    pub(crate) bytes: usize,
}

/// The queue before the committer.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    bounds: Bounds,
}

impl Queue {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), bounds }
    }

    /// Takes `job`, or says why not.
    pub(crate) fn push(&self, job: Job) -> Result<(), Refused> {
        let mut waiting = lock(&self.waiting);
        if waiting.closed {
            return Err(Refused::Closed);
        }
        let entries = waiting.entries + job.parts.len();
        let bytes = waiting.bytes + job.bodies.len();
        let empty = waiting.jobs.is_empty();
        if !empty && entries > self.bounds.entries {
            return Err(Refused::Busy("too many entries wait for the disk"));
        }
        if !empty && bytes > self.bounds.bytes {
            return Err(Refused::Busy("too many bytes wait for the disk"));
        }
        (waiting.entries, waiting.bytes) = (entries, bytes);
        waiting.jobs.push_back(job);
        drop(waiting);
        if empty {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Moves waiting jobs into `into`, at most about `bytes_max` of them, waiting up to `timeout` for the first.
    /// False when the queue is closed and empty.
    pub(crate) fn take(&self, into: &mut Vec<Job>, bytes_max: usize, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut guard = lock(&self.waiting);
        while guard.jobs.is_empty() && !guard.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            guard = match self.arrived.wait_timeout(guard, left) {
                Ok((guard, _)) => guard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let waiting = &mut *guard;
        let mut bytes = 0;
        while let Some(job) = waiting.jobs.front() {
            bytes += job.bodies.len();
            if bytes > bytes_max && !into.is_empty() {
                break;
            }
            waiting.entries -= job.parts.len();
            waiting.bytes -= job.bodies.len();
            into.extend(waiting.jobs.pop_front());
        }
        !(waiting.closed && into.is_empty())
    }

    /// Takes no more; what waits will still be written.
    pub(crate) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.arrived.notify_all();
    }

    /// Entries and bytes waiting.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let waiting = lock(&self.waiting);
        (waiting.entries, waiting.bytes)
    }
}

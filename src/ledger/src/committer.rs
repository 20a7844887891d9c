//! The one thread that writes the journal.
//!
//! It takes everything that waits, writes it as one group, syncs once, and only then resolves every waiter.
//! A write or sync that fails refuses the whole group and everything that waited with it; the handle is dropped
//! and a new file is tried from time to time. While the disk stalls, callers are not blocked: their groups wait
//! in the bounded queue and their [`crate::Pending`] stays unresolved.

use crate::entry::Light;
use crate::handoff::Committed;
use crate::journal::{Group, Writer};
use crate::ledger::Shared;
use crate::pending::{AppendFailed, Durable};
use crate::queue::Job;
use crate::{Entry, Seq};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Encoded bytes in one group, unless a single caller's group is longer.
pub(crate) const COMMIT_BYTES_MAX: usize = 2 << 20;
/// How often free space is looked at.
const SPACE_CHECK_AFTER: Duration = Duration::from_secs(1);
/// Free space is looked at after so many bytes, however little time has passed.
const SPACE_CHECK_BYTES: u64 = 16 << 20;
/// The thread wakes at least this often.
const TICK: Duration = Duration::from_millis(250);

pub(crate) struct Committer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) writer: Writer,
    group: Group,
    jobs: Vec<Job>,
    last_write: Instant,
    last_try: Instant,
    space_checked: Option<Instant>,
    bytes_since_check: u64,
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>, writer: Writer) -> Self {
        let now = Instant::now();
        Self {
            shared,
            group: Group::new(writer.algorithm),
            writer,
            jobs: Vec::new(),
            last_write: now,
            last_try: now,
            space_checked: None,
            bytes_since_check: 0,
        }
    }

    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            let tick = TICK.min(self.shared.settings.seal_after).min(self.shared.settings.retry_after);
            if !self.shared.queue.take(&mut self.jobs, COMMIT_BYTES_MAX, tick) {
                break;
            }
            if self.jobs.is_empty() {
                self.rest();
            } else {
                self.commit();
            }
            self.check_space();
        }
        if self.writer.wants_seal()
            && let Err(error) = self.writer.seal()
        {
            tracing::warn!(%error, "the journal could not be sealed; nothing is lost");
        }
        self.shared.handoff.close();
    }

    fn commit(&mut self) {
        if !self.writer.is_open() && !self.try_again() {
            let why = self.shared.health.why_not().unwrap_or_default();
            self.fail_all(&why);
            return;
        }
        let at_ms = self.shared.settings.clock.now_ms();
        self.group.begin(&self.writer);
        let bodies: Vec<&[u8]> = self.jobs.iter().flat_map(Job::each_body).collect();
        for (body, hash) in bodies.iter().zip(self.writer.algorithm.of_each(&bodies)) {
            self.group.push(at_ms, body, hash);
        }
        let bytes = self.group.len_bytes();
        self.shared.health.writing(Some(Instant::now()));
        let first = self.shared.index.last().next();
        let written = self.writer.commit(&mut self.group, at_ms);
        self.shared.health.writing(None);
        self.last_write = Instant::now();
        self.bytes_since_check += bytes as u64;
        match written {
            Ok(()) => self.resolve_all(first, at_ms),
            Err(error) => {
                tracing::error!(%error, "writing the journal failed; nothing is accepted until a new file can be begun");
                self.last_try = Instant::now();
                self.shared.health.failed(Some(error.to_string()));
                self.fail_all(&error.to_string());
            }
        }
    }

    fn resolve_all(&mut self, first: Seq, at_ms: i64) {
        let mut entries = Vec::with_capacity(self.jobs.iter().map(|j| j.parts.len()).sum());
        let parts = self.jobs.iter().flat_map(|job| &job.parts);
        let bytes = parts.map(|part| size_of::<Light>() + part.length.saturating_sub(part.carried)).sum();
        let mut seq = first;
        for job in self.jobs.drain(..) {
            let count = job.parts.len() as u64;
            let durable = Durable::new(seq, seq.plus(count.saturating_sub(1)));
            for (draft, carried) in job.resolve(Ok(durable)) {
                let entry = Entry { seq, at_ms, by: draft.by, what: draft.what };
                entries.push(Light { entry, carried });
                seq = seq.next();
            }
        }
        let last = Seq::new(seq.get() - 1);
        self.shared.handoff.push(Committed { entries, bytes }, last);
    }

    /// Refuses this group and everything that waits.
    fn fail_all(&mut self, why: &str) {
        loop {
            for job in self.jobs.drain(..) {
                drop(job.resolve(Err(AppendFailed::Storage(why.to_owned()))));
            }
            let more = self.shared.queue.take(&mut self.jobs, usize::MAX, Duration::ZERO);
            if !more || self.jobs.is_empty() {
                return;
            }
        }
    }

    /// What is done when nothing is to be written.
    fn rest(&mut self) {
        if !self.writer.is_open() {
            if self.last_try.elapsed() >= self.shared.settings.retry_after {
                self.try_again();
            }
        } else if self.writer.wants_seal() && self.last_write.elapsed() >= self.shared.settings.seal_after {
            self.shared.health.writing(Some(Instant::now()));
            if let Err(error) = self.writer.seal() {
                tracing::error!(%error, "sealing the journal failed; a new file will be begun");
                self.shared.health.failed(Some(error.to_string()));
            }
            self.shared.health.writing(None);
        }
    }

    fn try_again(&mut self) -> bool {
        self.last_try = Instant::now();
        match self.writer.reopen(self.shared.settings.clock.now_ms()) {
            Ok(()) => {
                self.shared.health.failed(None);
                tracing::info!("the journal is written again");
                true
            }
            Err(error) => {
                self.shared.health.failed(Some(error.to_string()));
                false
            }
        }
    }

    fn check_space(&mut self) {
        let due = self.space_checked.is_none_or(|at| at.elapsed() >= SPACE_CHECK_AFTER);
        if due || self.bytes_since_check >= SPACE_CHECK_BYTES {
            self.space_checked = Some(Instant::now());
            self.bytes_since_check = 0;
            self.shared.look_at_space();
        }
    }
}

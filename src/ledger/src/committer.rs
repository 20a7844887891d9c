//! The one thread that writes the journal.
//!
//! It takes everything that waits, writes it as one group, syncs once, and only then resolves every waiter.
//! A write or sync that fails refuses the whole group and everything that waited with it; the handle is dropped
//! and a new file is tried from time to time. While the disk stalls, callers are not blocked: their groups wait
//! in the bounded queue and their [`crate::Pending`] stays unresolved.

use crate::Seq;
use crate::ahead::{Ahead, Helper};
use crate::handoff::Committed;
use crate::journal::Writer;
use crate::ledger::Shared;
use crate::pending::AppendFailed;
use crate::queue::{Job, MUCH_BYTES, Most};
use crate::sync::lock;
use std::sync::{Arc, Mutex};
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
    /// The next group.
    ahead: Arc<Mutex<Ahead>>,
    /// The group in hand.
    group: Ahead,
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
            ahead: Arc::new(Mutex::new(Ahead::behind(&writer))),
            group: Ahead::behind(&writer),
            writer,
            jobs: Vec::new(),
            last_write: now,
            last_try: now,
            space_checked: None,
            bytes_since_check: 0,
        }
    }

    /// What puts the next group together while this one writes.
    pub(crate) fn helper(&self) -> Helper {
        Helper { shared: Arc::clone(&self.shared), ahead: Arc::clone(&self.ahead) }
    }

    /// Runs until the queue is closed and empty.
    pub(crate) fn run(mut self) {
        while self.gather() {
            if self.group.group.is_empty() {
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

    /// Takes the next group in hand, if anything waits or comes soon. False when the queue is closed and all is done.
    fn gather(&mut self) -> bool {
        let (queue, settings) = (&self.shared.queue, &self.shared.settings);
        // The helper takes nothing now, so that what it has put together comes first.
        let (begun, most) = {
            let ahead = lock(&self.ahead);
            let begun = !ahead.group.is_empty();
            (begun, ahead.room(if begun { MUCH_BYTES } else { COMMIT_BYTES_MAX }))
        };
        let tick = TICK.min(settings.seal_after).min(settings.retry_after);
        let open = queue.take(&mut self.jobs, most, if begun { Duration::ZERO } else { tick });
        let mut ahead = lock(&self.ahead);
        ahead.fill(&mut self.jobs, settings.clock.now_ms());
        ahead.swap(&mut self.group);
        open || begun
    }

    fn commit(&mut self) {
        if !self.writer.is_open() && !self.try_again() {
            let why = self.shared.health.why_not().unwrap_or_default();
            self.fail_all(&why);
            return;
        }
        let group = &mut self.group.group;
        let (bytes, last) = (group.len_bytes(), Seq::new(group.next().get().saturating_sub(1)));
        self.shared.health.writing(Some(Instant::now()));
        self.shared.queue.writes(true);
        let written = self.writer.commit(group, self.shared.settings.clock.now_ms());
        self.shared.queue.writes(false);
        self.shared.health.writing(None);
        self.last_write = Instant::now();
        self.bytes_since_check += bytes as u64;
        match written {
            Ok(()) => {
                let (entries, bytes) = self.group.durable();
                self.shared.handoff.push(Committed { entries, bytes }, last);
                // Nobody waits for this hash but the next entry.
                self.writer.learn(lock(&self.ahead).group.before());
            }
            Err(error) => {
                tracing::error!(%error, "writing the journal failed; nothing is accepted until a new file can be begun");
                self.last_try = Instant::now();
                self.shared.health.failed(Some(error.to_string()));
                self.fail_all(&error.to_string());
            }
        }
    }

    /// Refuses this group and everything that waits.
    fn fail_all(&mut self, why: &str) {
        let all = Most { bytes: usize::MAX, one_may_be_longer: true };
        let mut ahead = lock(&self.ahead);
        loop {
            self.group.refuse(why);
            ahead.refuse(why);
            let more = self.shared.queue.take(&mut self.jobs, all, Duration::ZERO);
            if self.jobs.is_empty() || !more {
                break;
            }
            for job in self.jobs.drain(..) {
                drop(job.answer.send(Err(AppendFailed::Storage(why.to_owned()))));
            }
        }
        (*ahead, self.group) = (Ahead::behind(&self.writer), Ahead::behind(&self.writer));
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

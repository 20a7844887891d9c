//! The handle that every room holds.

use crate::applier::Applier;
use crate::committer::Committer;
use crate::handoff::Handoff;
use crate::health::Health;
use crate::journal::Index;
use crate::open::{self, OpenError, OpenReport, Progress};
use crate::pending::pending;
use crate::queue::{Bounds, Job, Part, Queue};
use crate::signal::Signal;
use crate::state::StateCell;
use crate::sync::lock;
use crate::{Draft, Pending, Reader, Refused, Seq, Settings, Status, Subscription, What, encode, space};
use std::fs::File;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread::JoinHandle;

/// Drafts in one group.
pub const GROUP_ENTRIES_MAX: usize = 4096;
/// Encoded bytes in one group.
pub const GROUP_BYTES_MAX: usize = 48 << 20;

/// What the handles and the ledger's threads share.
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) queue: Queue,
    pub(crate) handoff: Handoff,
    pub(crate) health: Health,
    pub(crate) index: Arc<Index>,
    pub(crate) state: StateCell,
    pub(crate) signal: Arc<Signal>,
    pub(crate) applied: AtomicU64,
}

/// The ledger. Cheap to clone; when the last handle goes, or at [`Ledger::close`], it is written to its end,
/// sealed and unlocked.
#[derive(Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
    threads: Arc<Threads>,
}

struct Threads {
    shared: Arc<Shared>,
    running: Mutex<Vec<JoinHandle<()>>>,
    lock_file: Mutex<Option<File>>,
}

impl Ledger {
    /// Opens the ledger in `settings.dir`, making it when there is none: takes the lock, finds the journal's end
    /// and checks it, opens the state or makes it again, and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`]: another process holds it, damage before the journal's end, a later format, or the file
    /// system.
    pub fn open(
        settings: Settings,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<(Self, OpenReport), OpenError> {
        let opened = open::open(&settings, progress)?;
        let bounds = Bounds { entries: settings.queue_entries_max, bytes: settings.queue_bytes_max };
        let durable = opened.writer.index.last();
        let shared = Arc::new(Shared {
            queue: Queue::new(bounds),
            handoff: Handoff::starting_at(durable),
            health: Health::default(),
            index: Arc::clone(&opened.writer.index),
            state: opened.state,
            signal: Arc::default(),
            applied: AtomicU64::new(opened.applied.get()),
            settings,
        });
        shared.health.failed(opened.write_fault);
        shared.look_at_space();
        let committer = Committer::new(Arc::clone(&shared), opened.writer);
        let helper = committer.helper();
        let applier = Applier::new(Arc::clone(&shared));
        let spawn = |name: &str, run: Box<dyn FnOnce() + Send>| {
            std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(OpenError::Thread)
        };
        let running = vec![
            spawn("ledger-journal", Box::new(move || committer.run()))?,
            spawn("ledger-ahead", Box::new(move || helper.run()))?,
            spawn("ledger-state", Box::new(move || applier.run()))?,
        ];
        let threads = Threads {
            shared: Arc::clone(&shared),
            running: Mutex::new(running),
            lock_file: Mutex::new(opened.lock_file),
        };
        let ledger = Self { shared, threads: Arc::new(threads) };
        if let Some(tail) = &opened.report.tail {
            let what = What::TailCut { file: tail.file, offset: tail.offset, bytes: tail.bytes };
            // When it cannot be written the report still says so.
            drop(ledger.append(vec![Draft::by_system(what)]));
        }
        Ok((ledger, opened.report))
    }

    /// Hands over a group that is written whole or not at all. Does not wait for the disk: encodes, queues,
    /// and gives back a promise. Time-outs are the caller's.
    ///
    /// # Errors
    /// [`Refused`]: nothing was taken.
    pub fn append(&self, group: Vec<Draft>) -> Result<Pending, Refused> {
        self.append_each(vec![group]).pop().unwrap_or(Err(Refused::Closed))
    }

    /// As [`Ledger::append`], of groups that came together. Each is taken, written and answered for by itself, in
    /// their order.
    #[must_use = "nothing may be answered before these resolve"]
    pub fn append_each(&self, groups: Vec<Vec<Draft>>) -> Vec<Result<Pending, Refused>> {
        let (mut jobs, mut pending) = (Vec::new(), Vec::new());
        for group in groups {
            pending.push(self.job(group).map(|(job, pending)| {
                jobs.push(job);
                pending
            }));
        }
        let mut taken = self.shared.queue.push_each(jobs.into_iter()).into_iter();
        let with = |pending: Result<Pending, Refused>| {
            let pending = pending?;
            taken.next().unwrap_or(Err(Refused::Closed)).map(|()| pending)
        };
        pending.into_iter().map(with).collect()
    }

    /// Encodes a group, if it may be written.
    fn job(&self, mut group: Vec<Draft>) -> Result<(Job, Pending), Refused> {
        let shared = &self.shared;
        if let Some(why) = shared.health.why_not() {
            return Err(Refused::ReadOnly(why));
        }
        let lag = shared.index_last().get().saturating_sub(shared.applied.load(Ordering::Acquire));
        if lag > shared.settings.lag_entries_max {
            return Err(Refused::Busy("the state is too far behind the journal"));
        }
        if group.is_empty() || group.len() > GROUP_ENTRIES_MAX {
            let what = format!("it has {} entries; 1 to {GROUP_ENTRIES_MAX} can be written", group.len());
            return Err(Refused::Unwritable(what));
        }
        let mut bodies = Vec::with_capacity(group.iter().map(encode::expected_bytes).sum());
        let mut parts = Vec::with_capacity(group.len());
        for draft in &mut group {
            if matches!(&draft.what, What::VerdictMade(made) if !made.is_proven()) {
                let what = "the verdict was not made by the release room in this process".to_owned();
                return Err(Refused::Unwritable(what));
            }
            let start = bodies.len();
            encode::body(draft, &mut bodies).map_err(Refused::Unwritable)?;
            parts.push(Part { length: bodies.len() - start, carried: draft.what.leave_behind() });
        }
        if bodies.len() > GROUP_BYTES_MAX {
            let what = format!("it has {} bytes; {GROUP_BYTES_MAX} can be written", bodies.len());
            return Err(Refused::Unwritable(what));
        }
        let (answer, pending) = pending();
        Ok((Job { drafts: group, bodies, parts, hashes: Vec::new(), answer }, pending))
    }

    /// What is: typed reads of the state and the journal.
    #[must_use]
    pub fn state(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn index(&self) -> Arc<Index> {
        Arc::clone(&self.shared.index)
    }

    /// Resolves when the state knows everything up to `seq`.
    pub fn wait_applied(&self, seq: Seq) -> Applied {
        Applied { shared: Arc::clone(&self.shared), seq }
    }

    /// Wake-ups whenever the state has moved.
    #[must_use]
    pub fn subscribe(&self) -> Subscription {
        Subscription::new(Arc::clone(&self.shared.signal))
    }

    /// How the ledger is.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Writes what waits, brings the state up to date, seals the journal and unlocks it. Other handles are
    /// refused from here on.
    pub fn close(self) {
        self.threads.stop();
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("dir", &self.shared.settings.dir).finish_non_exhaustive()
    }
}

impl Threads {
    fn stop(&self) {
        self.shared.queue.close();
        let running = std::mem::take(&mut *lock(&self.running));
        for thread in running {
            if thread.join().is_err() {
                tracing::error!("a thread of the ledger panicked");
            }
        }
        *lock(&self.lock_file) = None;
        if self.shared.health.state_is_faulty().is_none() {
            self.shared.health.state_fault(Some("the ledger was closed".to_owned()));
        }
        self.shared.signal.notify();
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    /// The last durable entry.
    pub(crate) fn index_last(&self) -> Seq {
        self.index.last()
    }

    /// The last entry the state knows.
    pub(crate) fn applied(&self) -> Seq {
        Seq::new(self.applied.load(Ordering::Acquire))
    }

    pub(crate) fn look_at_space(&self) {
        space::look(&self.settings, &self.health);
    }

    fn status(&self) -> Status {
        let (durable, applied) = (self.index_last(), self.applied());
        let (queue_entries, queue_bytes) = self.queue.depth();
        let mut status = Status {
            accepting: true,
            why_not: None,
            free_bytes: None,
            ballast: false,
            durable,
            applied,
            lag_entries: durable.get().saturating_sub(applied.get()),
            queue_entries,
            queue_bytes,
            handoff_bytes: self.handoff.bytes(),
            writing_for_ms: None,
            journal_bytes: self.index.total_bytes(),
            state_fault: None,
        };
        self.health.fill(&mut status);
        status
    }
}

/// See [`Ledger::wait_applied`].
#[must_use = "this resolves only for who waits"]
pub struct Applied {
    shared: Arc<Shared>,
    seq: Seq,
}

/// The state does not get there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state stands still at entry {at}: {why}")]
pub struct StateStands {
    /// The last entry it knows.
    pub at: Seq,
    /// Why.
    pub why: String,
}

impl Applied {
    /// Blocks until then.
    ///
    /// # Errors
    /// [`StateStands`].
    pub fn wait(self) -> Result<(), StateStands> {
        crate::pending::block_on(self, None).unwrap_or(Ok(()))
    }
}

impl Future for Applied {
    type Output = Result<(), StateStands>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.shared.signal.enlist(cx);
        let at = self.shared.applied();
        if at >= self.seq {
            return Poll::Ready(Ok(()));
        }
        self.shared.handoff.want(self.seq);
        match self.shared.health.state_is_faulty() {
            Some(why) => Poll::Ready(Err(StateStands { at, why })),
            None => Poll::Pending,
        }
    }
}

//! The next group, put together while the one before it is written.
//!
//! ```text
//! queue ──take──► Ahead ──swap──► the writing thread: write, fdatasync, answer
//!   └─ much waits behind a write: the helping thread takes it, hashes and frames it
//! ```
//! What is put together stays in the order in which it waited. A thread that puts together holds the lock of the
//! [`Ahead`] from before it takes until it is done.

use crate::committer::COMMIT_BYTES_MAX;
use crate::entry::Light;
use crate::journal::{EntryBody, Group, Writer};
use crate::ledger::Shared;
use crate::pending::{AppendFailed, Durable, Outcome};
use crate::queue::{Job, MUCH_BYTES, Most};
use crate::sync::lock;
use crate::{Entry, Seq};
use std::sync::{Arc, Mutex};

/// Bytes that the helping thread takes at a time: the writing one never waits for more.
const TAKE_BYTES_MAX: usize = 2 * MUCH_BYTES;

/// Who waits for a group, and for which entries of it.
#[derive(Debug)]
struct Waiter {
    to: oneshot::Sender<Outcome>,
    first: Seq,
    last: Seq,
}

/// A group as it will be written, who waits for it, and what the state is to know of it.
#[derive(Debug)]
pub(crate) struct Ahead {
    pub(crate) group: Group,
    waiters: Vec<Waiter>,
    entries: Vec<Light>,
    /// About what the entries take.
    bytes: usize,
}

impl Ahead {
    pub(crate) fn behind(writer: &Writer) -> Self {
        Self { group: Group::behind(writer), waiters: Vec::new(), entries: Vec::new(), bytes: 0 }
    }

    /// What may be added to it, `bytes` at a time. A group that is longer than others holds one caller's entries only.
    pub(crate) fn room(&self, bytes: usize) -> Most {
        let left = COMMIT_BYTES_MAX.saturating_sub(self.group.len_bytes());
        Most { bytes: bytes.min(left), one_may_be_longer: self.group.is_empty() }
    }

    /// Adds what `jobs` want written, in their order.
    pub(crate) fn fill(&mut self, jobs: &mut Vec<Job>, at_ms: i64) {
        let bodies: Vec<EntryBody<'_>> = jobs.iter().flat_map(Job::each_body).collect();
        let mut seq = self.group.next();
        self.group.extend(at_ms, &bodies);
        self.entries.reserve(bodies.len());
        for job in jobs.drain(..) {
            let first = seq;
            for (draft, part) in job.drafts.into_iter().zip(job.parts) {
                self.bytes += size_of::<Light>() + part.length.saturating_sub(part.carried);
                let (by, terminal) = draft.by.into_parts();
                let entry = Entry { seq, at_ms, by, terminal, what: draft.what };
                self.entries.push(Light { entry, carried: part.carried });
                seq = seq.next();
            }
            let last = Seq::new(seq.get().saturating_sub(1));
            self.waiters.push(Waiter { to: job.answer, first, last });
        }
    }

    /// Gives away what was put together, and goes on behind it with an empty group.
    pub(crate) fn swap(&mut self, spare: &mut Self) {
        spare.group.follow(&mut self.group);
        std::mem::swap(self, spare);
    }

    /// The group is on the disk: tells everybody, and gives what the state is to know.
    pub(crate) fn durable(&mut self) -> (Vec<Light>, usize) {
        // The last first: whoever waits for several waits for the first of them, and is woken once when all are there.
        for waiter in self.waiters.drain(..).rev() {
            // Whoever has gone away took nothing back.
            drop(waiter.to.send(Ok(Durable::new(waiter.first, waiter.last))));
        }
        (std::mem::take(&mut self.entries), std::mem::take(&mut self.bytes))
    }

    /// The group will not be written: tells everybody, and forgets it.
    pub(crate) fn refuse(&mut self, why: &str) {
        for waiter in self.waiters.drain(..) {
            drop(waiter.to.send(Err(AppendFailed::Storage(why.to_owned()))));
        }
        self.entries.clear();
        self.bytes = 0;
    }
}

/// The thread that puts the next group together where much waits for it.
pub(crate) struct Helper {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ahead: Arc<Mutex<Ahead>>,
}

impl Helper {
    /// Runs until the queue is closed; what waits then is the writing thread's.
    pub(crate) fn run(self) {
        let queue = &self.shared.queue;
        let mut jobs = Vec::new();
        while queue.much_waits() {
            let mut ahead = lock(&self.ahead);
            queue.take_behind(&mut jobs, ahead.room(TAKE_BYTES_MAX));
            ahead.fill(&mut jobs, self.shared.settings.clock.now_ms());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::{FileSizes, HashAlgorithm, Recovered, verify_journal};
    use crate::pending::{Pending, pending};
    use crate::queue::Part;
    use crate::storage::{Model, Storage};
    use crate::{Draft, What, encode};
    use std::future::Future as _;
    use std::path::PathBuf;
    use std::pin::Pin;
    use std::task::{Context, Wake, Waker};

    fn folder() -> PathBuf {
        PathBuf::from("/l/journal")
    }

    fn writer(disk: &Model) -> Writer {
        let storage: Arc<dyn Storage> = Arc::new(disk.clone());
        let found = Recovered::read(&storage, folder(), HashAlgorithm::Sm3, &mut |_, _| {}).unwrap();
        let index = found.index();
        let sizes = FileSizes { bytes_max: 1 << 20, ahead_bytes: 4096 };
        let mut writer = found.writer(index, sizes);
        writer.reopen(1).unwrap();
        writer
    }

    /// A caller's group of `entries`, and what it waits with.
    fn job(entries: usize) -> (Job, Pending) {
        let drafts = vec![Draft::by_system(What::Stopped); entries];
        let (mut bodies, mut parts) = (Vec::new(), Vec::new());
        for draft in &drafts {
            let start = bodies.len();
            encode::body(draft, &mut bodies).unwrap();
            parts.push(Part { length: bodies.len() - start, carried: 0 });
        }
        let (answer, pending) = pending();
        (Job { drafts, bodies, parts, hashes: Vec::new(), answer }, pending)
    }

    fn filled(ahead: &mut Ahead, entries: &[usize]) -> Vec<Pending> {
        let (mut jobs, pending) = entries.iter().map(|entries| job(*entries)).unzip();
        ahead.fill(&mut jobs, 7);
        pending
    }

    #[test]
    fn a_group_that_was_put_together_before_the_one_before_it_was_written_is_chained_to_it() {
        let disk = Model::new();
        let mut writer = writer(&disk);
        let (mut ahead, mut group) = (Ahead::behind(&writer), Ahead::behind(&writer));
        let mut expect = 1;
        for entries in [[1, 2], [3, 1], [1, 1]] {
            let waiting = filled(&mut ahead, &entries);
            ahead.swap(&mut group);
            // The next one is begun before this one is on the disk.
            let next = filled(&mut ahead, &[2]);
            writer.commit(&mut group.group, 7).unwrap();
            assert_eq!(group.durable().0.len(), entries.iter().sum::<usize>());
            for (waiting, entries) in waiting.into_iter().zip(entries) {
                let durable = waiting.wait().unwrap();
                assert_eq!(
                    (durable.first(), durable.last()),
                    (Seq::new(expect), Seq::new(expect + entries as u64 - 1))
                );
                expect += entries as u64;
            }
            writer.learn(ahead.group.before());
            ahead.swap(&mut group);
            writer.commit(&mut group.group, 7).unwrap();
            assert_eq!(group.durable().0.len(), 2);
            assert_eq!(
                next.into_iter().map(|next| next.wait().unwrap().last()).collect::<Vec<_>>(),
                [Seq::new(expect + 1)]
            );
            expect += 2;
            writer.learn(ahead.group.before());
            writer.seal().unwrap();
        }
        let report = verify_journal(&disk, &folder(), &mut |_, _| {}).unwrap();
        assert_eq!((report.entries, report.damaged_places), (expect - 1, 0), "{report:?}");
    }

    /// Looks, when it is woken, whether `other` has been told as well.
    struct Looks {
        other: Mutex<Pending>,
        saw: Mutex<Option<bool>>,
    }

    impl Wake for Looks {
        fn wake(self: Arc<Self>) {
            let mut context = Context::from_waker(Waker::noop());
            let told = Pin::new(&mut *lock(&self.other)).poll(&mut context).is_ready();
            *lock(&self.saw) = Some(told);
        }
    }

    #[test]
    fn whoever_waits_for_the_first_of_several_is_woken_when_the_others_are_told_as_well() {
        let mut ahead = Ahead::behind(&writer(&Model::new()));
        let [mut first, other] = filled(&mut ahead, &[1, 1]).try_into().unwrap();
        let looks = Arc::new(Looks { other: Mutex::new(other), saw: Mutex::default() });
        let waker = Waker::from(Arc::clone(&looks));
        assert!(Pin::new(&mut first).poll(&mut Context::from_waker(&waker)).is_pending());
        drop(ahead.durable());
        assert_eq!(*lock(&looks.saw), Some(true));
    }

    #[test]
    fn what_was_put_together_behind_a_group_that_failed_cannot_be_written() {
        let disk = Model::new();
        let mut writer = writer(&disk);
        let (mut ahead, mut group) = (Ahead::behind(&writer), Ahead::behind(&writer));
        let first = filled(&mut ahead, &[1]);
        ahead.swap(&mut group);
        let second = filled(&mut ahead, &[1]);
        disk.fail_syncs(1);
        writer.commit(&mut group.group, 7).unwrap_err();
        group.refuse("the disk");
        ahead.swap(&mut group);
        let error = writer.commit(&mut group.group, 7).unwrap_err();
        assert!(error.to_string().contains("does not go on"), "{error}");
        group.refuse("the group before it");
        for waiting in first.into_iter().chain(second) {
            assert!(matches!(waiting.wait(), Err(AppendFailed::Storage(_))));
        }
    }

    #[test]
    fn a_group_has_room_up_to_its_bound_and_for_one_longer_caller_only_while_it_is_empty() {
        let disk = Model::new();
        let mut ahead = Ahead::behind(&writer(&disk));
        let room = ahead.room(usize::MAX);
        assert!(
            room.one_may_be_longer && room.bytes > COMMIT_BYTES_MAX / 2 && room.bytes <= COMMIT_BYTES_MAX
        );
        assert_eq!(ahead.room(100).bytes, 100);
        drop(filled(&mut ahead, &[1]));
        let less = ahead.room(usize::MAX);
        assert!(!less.one_may_be_longer && less.bytes < room.bytes);
    }
}

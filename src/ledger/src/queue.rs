//! What waits for the disk: bounded by entries and by bytes.

use crate::journal::{ChainHash, EntryBody};
use crate::pending::Outcome;
use crate::sync::lock;
use crate::{Draft, Refused};
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many bytes that wait behind a write are worth waking a thread for, which puts them together meanwhile. They are a
/// hundred messages: of a dozen, most lanes of the hash stand empty beside the longest.
pub(crate) const MUCH_BYTES: usize = 512 << 10;

/// One caller's group, encoded by the caller.
#[derive(Debug)]
pub(crate) struct Job {
    /// The drafts, for the state; what they carried stands in the bodies only.
    pub(crate) drafts: Vec<Draft>,
    /// Their bodies, one after another.
    pub(crate) bodies: Vec<u8>,
    /// Each body.
    pub(crate) parts: Vec<Part>,
    /// Each body's hash, or nothing while they are not known.
    pub(crate) hashes: Vec<ChainHash>,
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
    /// Each entry's body, with its hash where that is known.
    pub(crate) fn each_body(&self) -> impl Iterator<Item = EntryBody<'_>> {
        let mut rest = self.bodies.as_slice();
        let mut hashes = self.hashes.iter().copied();
        self.parts.iter().map(move |part| {
            let (bytes, after) = rest.split_at_checked(part.length).unwrap_or((rest, &[]));
            rest = after;
            EntryBody { bytes, hash: hashes.next() }
        })
    }
}

#[derive(Debug, Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    entries: usize,
    bytes: usize,
    closed: bool,
    /// The thread that writes sleeps until something comes.
    sleeps: bool,
    /// What everything waits for.
    write: Write,
}

/// The write that is under way.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Write {
    #[default]
    None,
    /// What waits may be put together meanwhile.
    UnderWay,
    /// No more can be put together before it is over.
    Full,
}

impl Waiting {
    fn is_much(&self) -> bool {
        self.write == Write::UnderWay && self.bytes >= MUCH_BYTES
    }

    fn push(&mut self, job: Job, bounds: Bounds) -> Result<(), Refused> {
        if self.closed {
            return Err(Refused::Closed);
        }
        let entries = self.entries + job.parts.len();
        let bytes = self.bytes + job.bodies.len();
        let empty = self.jobs.is_empty();
        if !empty && entries > bounds.entries {
            return Err(Refused::Busy("too many entries wait for the disk"));
        }
        if !empty && bytes > bounds.bytes {
            return Err(Refused::Busy("too many bytes wait for the disk"));
        }
        (self.entries, self.bytes) = (entries, bytes);
        self.jobs.push_back(job);
        Ok(())
    }

    /// Moves jobs into `into` that `most` has room for.
    fn take(&mut self, into: &mut Vec<Job>, most: Most) {
        let mut bytes = 0;
        while let Some(job) = self.jobs.front() {
            bytes += job.bodies.len();
            let alone = most.one_may_be_longer && into.is_empty();
            if bytes > most.bytes && !alone {
                break;
            }
            self.entries -= job.parts.len();
            self.bytes -= job.bodies.len();
            into.extend(self.jobs.pop_front());
        }
    }
}

/// How many encoded bytes are taken at a time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    pub(crate) bytes: usize,
    /// One job by itself may have more.
    pub(crate) one_may_be_longer: bool,
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
    /// Something came, for the thread that writes.
    arrived: Condvar,
    /// Much waits behind a write, for the thread that helps.
    much: Condvar,
    bounds: Bounds,
}

impl Queue {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { waiting: Mutex::default(), arrived: Condvar::new(), much: Condvar::new(), bounds }
    }

    /// Takes each of `jobs`, or says why not. Nobody is woken before the last of them waits.
    pub(crate) fn push_each(&self, jobs: impl Iterator<Item = Job>) -> Vec<Result<(), Refused>> {
        let mut waiting = lock(&self.waiting);
        let was_much = waiting.is_much();
        let taken: Vec<_> = jobs.map(|job| waiting.push(job, self.bounds)).collect();
        let sleeps = !waiting.jobs.is_empty() && std::mem::take(&mut waiting.sleeps);
        let is_much = waiting.is_much();
        drop(waiting);
        if sleeps {
            self.arrived.notify_one();
        }
        if is_much && !was_much {
            self.much.notify_one();
        }
        taken
    }

    /// Moves waiting jobs into `into` that `most` has room for, waiting up to `timeout` for the first. False when the
    /// queue is closed and there was nothing to take.
    pub(crate) fn take(&self, into: &mut Vec<Job>, most: Most, timeout: Duration) -> bool {
        let deadline = Instant::now() + timeout;
        let mut guard = lock(&self.waiting);
        while guard.jobs.is_empty() && !guard.closed {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            guard.sleeps = true;
            guard = self.arrived.wait_timeout(guard, left).unwrap_or_else(PoisonError::into_inner).0;
            guard.sleeps = false;
        }
        guard.take(into, most);
        !(guard.closed && into.is_empty())
    }

    /// Says whether the disk is being written to.
    pub(crate) fn writes(&self, under_way: bool) {
        let mut waiting = lock(&self.waiting);
        waiting.write = if under_way { Write::UnderWay } else { Write::None };
        let is_much = waiting.is_much();
        drop(waiting);
        if is_much {
            self.much.notify_one();
        }
    }

    /// Waits until much waits behind a write. False when the queue is closed.
    pub(crate) fn much_waits(&self) -> bool {
        let waiting = lock(&self.waiting);
        let few = |waiting: &mut Waiting| !waiting.is_much() && !waiting.closed;
        !self.much.wait_while(waiting, few).unwrap_or_else(PoisonError::into_inner).closed
    }

    /// Moves jobs that wait behind a write into `into` that `most` has room for. Where it has no room for the first,
    /// no more is taken behind this write; none is when nothing is being written.
    pub(crate) fn take_behind(&self, into: &mut Vec<Job>, most: Most) {
        let mut waiting = lock(&self.waiting);
        if waiting.write == Write::UnderWay {
            waiting.take(into, most);
            if into.is_empty() {
                waiting.write = Write::Full;
            }
        }
    }

    /// Takes no more; what waits will still be written.
    pub(crate) fn close(&self) {
        lock(&self.waiting).closed = true;
        self.arrived.notify_all();
        self.much.notify_all();
    }

    /// Entries and bytes waiting.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let waiting = lock(&self.waiting);
        (waiting.entries, waiting.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pending::pending;

    fn job(bytes: usize) -> Job {
        let part = Part { length: bytes, carried: 0 };
        let (answer, waiting) = pending();
        drop(waiting);
        Job { drafts: Vec::new(), bodies: vec![0; bytes], parts: vec![part], hashes: Vec::new(), answer }
    }

    fn push(queue: &Queue, bytes: usize) {
        assert_eq!(queue.push_each([job(bytes)].into_iter()), [Ok(())]);
    }

    /// The lengths of what is taken.
    fn taken(take: impl FnOnce(&mut Vec<Job>)) -> Vec<usize> {
        let mut jobs = Vec::new();
        take(&mut jobs);
        jobs.iter().map(|job| job.bodies.len()).collect()
    }

    fn queue() -> Queue {
        Queue::new(Bounds { entries: 100, bytes: 1 << 20 })
    }

    #[test]
    fn what_is_taken_fits_but_for_one_that_may_be_longer() {
        for (bytes, one_may_be_longer, expect) in [
            (300, false, vec![100, 200]),
            (299, false, vec![100]),
            (99, false, vec![]),
            (99, true, vec![100]),
            (0, true, vec![100]),
            (5_000, false, vec![100, 200, 4_000]),
        ] {
            let queue = queue();
            for bytes in [100, 200, 4_000] {
                push(&queue, bytes);
            }
            let most = Most { bytes, one_may_be_longer };
            let taken = taken(|jobs| assert!(queue.take(jobs, most, Duration::ZERO)));
            assert_eq!(taken, expect, "{most:?}");
            assert_eq!(queue.depth().0, 3 - taken.len());
        }
    }

    #[test]
    fn of_those_that_come_together_each_is_taken_or_refused_by_itself() {
        let queue = queue();
        let pushed = queue.push_each([600_000, 600_000, 100].map(job).into_iter());
        assert!(matches!(pushed.as_slice(), [Ok(()), Err(Refused::Busy(_)), Ok(())]), "{pushed:?}");
        let all = Most { bytes: usize::MAX, one_may_be_longer: true };
        assert_eq!(taken(|jobs| assert!(queue.take(jobs, all, Duration::ZERO))), [600_000, 100]);
        queue.close();
        assert_eq!(queue.push_each([job(1)].into_iter()), [Err(Refused::Closed)]);
    }

    #[test]
    fn behind_a_write_is_taken_only_while_one_is_under_way_and_has_room() {
        let queue = queue();
        let most = Most { bytes: 1_000, one_may_be_longer: false };
        let behind = |most| taken(|jobs| queue.take_behind(jobs, most));
        push(&queue, 600);
        push(&queue, 600);
        assert!(behind(most).is_empty(), "nothing is being written");
        queue.writes(true);
        assert_eq!(behind(most), [600]);
        assert!(behind(Most { bytes: 10, ..most }).is_empty(), "there is no room");
        assert!(behind(most).is_empty(), "and there was none before");
        queue.writes(false);
        queue.writes(true);
        assert_eq!(behind(most), [600]);
    }

    #[test]
    fn the_helper_is_woken_by_much_behind_a_write_and_by_the_end() {
        let queue = queue();
        std::thread::scope(|threads| {
            let helper = threads.spawn(|| {
                let mut woken = 0;
                while queue.much_waits() {
                    woken += taken(|jobs| {
                        queue.take_behind(jobs, Most { bytes: 2 * MUCH_BYTES, one_may_be_longer: true });
                    })
                    .len();
                }
                woken
            });
            push(&queue, MUCH_BYTES / 2);
            queue.writes(true);
            push(&queue, MUCH_BYTES / 2);
            let begun = Instant::now();
            while queue.depth().0 > 0 && begun.elapsed() < Duration::from_mins(1) {
                std::thread::yield_now();
            }
            queue.close();
            assert_eq!(helper.join().unwrap(), 2);
        });
    }
}

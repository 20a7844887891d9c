//! Durable entries on their way to the state: by memory while there is room, else by way of the journal.
//!
//! The state's thread takes them in few large batches: an analyser's answer does not wait for it, and every batch
//! costs a wake-up and a write of its own. Whoever does wait for the state says so, and then it moves at once.

use crate::Seq;
use crate::entry::Light;
use crate::sync::lock;
use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// Bytes kept in memory for the state. What does not fit is read back from the journal.
pub(crate) const HANDOFF_BYTES_MAX: usize = 16 << 20;
/// Bytes handed over at a time, unless one group is longer.
pub(crate) const TAKE_BYTES_MAX: usize = 2 << 20;
/// Entries are gathered for so long while nobody waits for them ...
const GATHER_FOR: Duration = Duration::from_millis(10);
/// ... or until they are so many bytes.
const GATHER_BYTES_MAX: usize = 1 << 20;

/// A committed group.
#[derive(Debug)]
pub(crate) struct Committed {
    pub(crate) entries: Vec<Light>,
    /// About what they take: encoded, without what they carried, and themselves.
    pub(crate) bytes: usize,
}

impl Committed {
    fn first(&self) -> Option<Seq> {
        self.entries.first().map(|light| light.entry.seq)
    }

    fn last(&self) -> Option<Seq> {
        self.entries.last().map(|light| light.entry.seq)
    }
}

/// What the state's thread sleeps for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Sleeps {
    /// It is at work.
    #[default]
    Not,
    /// For anything.
    Idle,
    /// For more of what has come already.
    Gathering,
}

#[derive(Debug, Default)]
struct Held {
    groups: VecDeque<Committed>,
    bytes: usize,
    durable: Seq,
    /// Somebody waits until the state knows this entry.
    wanted: Seq,
    sleeps: Sleeps,
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
    /// These groups, which begin with the entry asked for and follow one another.
    Groups(Vec<Committed>),
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
        let wake = match held.sleeps {
            Sleeps::Not => false,
            Sleeps::Idle => true,
            Sleeps::Gathering => held.bytes >= GATHER_BYTES_MAX,
        };
        drop(held);
        if wake {
            self.moved.notify_one();
        }
    }

    /// Bytes that wait for the state in memory.
    pub(crate) fn bytes(&self) -> usize {
        lock(&self.held).bytes
    }

    /// Somebody waits until the state knows `seq`.
    pub(crate) fn want(&self, seq: Seq) {
        let mut held = lock(&self.held);
        held.wanted = held.wanted.max(seq);
        let wake = held.sleeps == Sleeps::Gathering;
        drop(held);
        if wake {
            self.moved.notify_one();
        }
    }

    pub(crate) fn close(&self) {
        lock(&self.held).closed = true;
        self.moved.notify_all();
    }

    /// Waits so long, or until closed; whether it is closed.
    pub(crate) fn closed_within(&self, pause: Duration) -> bool {
        let held = lock(&self.held);
        self.sleep_while(held, Sleeps::Not, pause, |held| !held.closed).closed
    }

    /// What follows `applied`, waiting up to `timeout` for it.
    pub(crate) fn next(&self, applied: Seq, timeout: Duration) -> Next {
        let held = lock(&self.held);
        let held =
            self.sleep_while(held, Sleeps::Idle, timeout, |held| held.durable <= applied && !held.closed);
        if held.durable <= applied {
            return if held.closed { Next::Closed } else { Next::Nothing };
        }
        let few = |held: &Held| held.wanted <= applied && !held.closed && held.bytes < GATHER_BYTES_MAX;
        let mut held = self.sleep_while(held, Sleeps::Gathering, GATHER_FOR, few);
        let wanted = applied.next();
        while let Some(group) = held.groups.front() {
            match group.first() {
                Some(first) if first == wanted => return Next::Groups(held.take()),
                Some(first) if first > wanted => return Next::Journal(Seq::new(first.get() - 1)),
                Some(_) | None => {
                    held.bytes -= group.bytes;
                    held.groups.pop_front();
                }
            }
        }
        Next::Journal(held.durable)
    }

    /// Sleeps while `still` holds, at most so long.
    fn sleep_while<'h>(
        &self,
        mut held: MutexGuard<'h, Held>,
        sleeps: Sleeps,
        timeout: Duration,
        still: impl Fn(&Held) -> bool,
    ) -> MutexGuard<'h, Held> {
        let deadline = Instant::now() + timeout;
        while still(&held) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            held.sleeps = sleeps;
            held = match self.moved.wait_timeout(held, left) {
                Ok((held, _)) => held,
                Err(poisoned) => poisoned.into_inner().0,
            };
            held.sleeps = Sleeps::Not;
        }
        held
    }
}

impl Held {
    /// Takes groups off the front that follow one another.
    fn take(&mut self) -> Vec<Committed> {
        let (mut taken, mut bytes) = (Vec::new(), 0);
        let mut next = None;
        while let Some(group) = self.groups.front() {
            let first = group.first();
            let follows = next.is_none() || first == next;
            if !follows || (bytes + group.bytes > TAKE_BYTES_MAX && !taken.is_empty()) {
                break;
            }
            bytes += group.bytes;
            next = group.last().map(Seq::next);
            taken.extend(self.groups.pop_front());
        }
        self.bytes -= bytes;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entry, What};

    fn group(first: u64, entries: u64, bytes: usize) -> (Committed, Seq) {
        let entry = |seq| Entry {
            seq: Seq::new(seq),
            at_ms: 0,
            by: String::new(),
            terminal: None,
            what: What::Stopped,
        };
        let group =
            Committed { entries: (first..first + entries).map(entry).map(Light::from).collect(), bytes };
        let last = group.last().unwrap();
        (group, last)
    }

    fn push(handoff: &Handoff, first: u64, entries: u64, bytes: usize) {
        let (group, last) = group(first, entries, bytes);
        handoff.push(group, last);
    }

    /// What comes next behind `applied`, in short.
    fn check(handoff: &Handoff, applied: u64, expect: &str) {
        let next = match handoff.next(Seq::new(applied), Duration::ZERO) {
            Next::Groups(groups) => {
                let firsts = groups.iter().map(|g| g.first().unwrap().to_string()).collect::<Vec<_>>();
                format!("groups {}", firsts.join(" "))
            }
            Next::Journal(seq) => format!("journal {seq}"),
            Next::Nothing => "nothing".to_owned(),
            Next::Closed => "closed".to_owned(),
        };
        assert_eq!(next, expect, "behind {applied}");
    }

    #[test]
    fn groups_that_wait_are_handed_over_together_and_in_order() {
        let handoff = Handoff::starting_at(Seq::NONE);
        check(&handoff, 0, "nothing");
        for first in [1, 4, 7] {
            push(&handoff, first, 3, 100);
        }
        check(&handoff, 0, "groups 1 4 7");
        check(&handoff, 9, "nothing");
        handoff.close();
        check(&handoff, 9, "closed");
    }

    #[test]
    fn what_did_not_fit_is_read_from_the_journal_first() {
        let handoff = Handoff::starting_at(Seq::NONE);
        push(&handoff, 1, 1, HANDOFF_BYTES_MAX - 1);
        push(&handoff, 2, 1, 100);
        check(&handoff, 0, "groups 1");
        push(&handoff, 3, 1, 100);
        check(&handoff, 1, "journal 2");
        check(&handoff, 2, "groups 3");
        push(&handoff, 4, 2, 100);
        check(&handoff, 5, "nothing");
        push(&handoff, 6, 1, 100);
        check(&handoff, 5, "groups 6");
    }

    #[test]
    fn no_more_is_handed_over_at_a_time_than_its_bound() {
        let handoff = Handoff::starting_at(Seq::NONE);
        for first in 1..=4 {
            push(&handoff, first, 1, TAKE_BYTES_MAX / 2);
        }
        check(&handoff, 0, "groups 1 2");
        check(&handoff, 2, "groups 3 4");
        push(&handoff, 5, 1, TAKE_BYTES_MAX * 2);
        check(&handoff, 4, "groups 5");
    }
}

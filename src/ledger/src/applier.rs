//! The thread that brings the state up to the journal. It is never in the way of an ACK.
//!
//! When the store fails it is closed and opened again, or set aside and made again from the journal; meanwhile
//! results are still taken and kept, and readers are told why they get nothing.

use crate::Seq;
use crate::entry::Light;
use crate::fold_store::{Batcher, FLUSH_BYTES_MAX, digest};
use crate::handoff::Next;
use crate::ledger::Shared;
use crate::open::OpenError;
use crate::rebuild::{self, MadeState};
use crate::state::Unavailable;
use rustix::io::Errno;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Changes rest at most this long before they are made durable.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// So often a store that failed is opened again before it is made anew.
const REOPEN_TRIES_MAX: u32 = 3;
/// Longest pause between two tries to get a store again.
const REOPEN_PAUSE_MAX: Duration = Duration::from_secs(30);
/// So long readers may hold on to a store that is to be closed.
const LET_GO_AFTER: Duration = Duration::from_secs(5);
/// Politeness towards the threads that answer analysers.
const NICE: i32 = 5;

pub(crate) struct Applier {
    shared: Arc<Shared>,
    unflushed_bytes: usize,
    dirty_since: Option<Instant>,
    failures: u32,
}

impl Applier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, unflushed_bytes: 0, dirty_since: None, failures: 0 }
    }

    /// Runs until the committer is done and everything is applied.
    pub(crate) fn run(mut self) {
        // On Linux this is the thread's own; where it is not, or not allowed, nothing is lost.
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!(%error, "the state's thread keeps its priority");
        }
        while let Err(why) = self.work() {
            tracing::error!(why, "the state store failed; results are still taken and kept in the journal");
            self.shared.health.state_fault(Some(why.clone()));
            self.shared.signal.notify();
            if !self.mend(&why) {
                return;
            }
        }
    }

    fn work(&mut self) -> Result<(), String> {
        loop {
            let applied = self.shared.applied();
            match self.shared.handoff.next(applied, FLUSH_AFTER) {
                Next::Groups(groups) => {
                    self.apply(groups.into_iter().flat_map(|group| group.entries).map(Ok))?;
                }
                Next::Journal(last) => {
                    let lines = self.shared.index.stream(applied.next());
                    self.apply(
                        lines
                            .take_while(|line| line.as_ref().map_or(true, |line| line.entry.seq <= last))
                            .map(|line| {
                                line.map(|line| Light::from(line.entry)).map_err(|error| error.to_string())
                            }),
                    )?;
                }
                Next::Nothing => {}
                Next::Closed => return self.finish(),
            }
            let due = self.dirty_since.is_some_and(|since| since.elapsed() >= FLUSH_AFTER);
            if due || self.unflushed_bytes >= FLUSH_BYTES_MAX {
                self.flush()?;
            }
            if let Some(why) = self.shared.state.get().fault() {
                return Err(why);
            }
        }
    }

    fn apply(&mut self, mut entries: impl Iterator<Item = Result<Light, String>>) -> Result<(), String> {
        let store = self.shared.state.get();
        loop {
            let mut batch = Batcher::new(store.as_ref());
            let mut last = None;
            for light in entries.by_ref() {
                let light = light?;
                batch.apply(&light).map_err(|error| error.to_string())?;
                last = Some(light.entry.seq);
                if batch.is_full() {
                    break;
                }
            }
            let Some(last) = last else { return Ok(()) };
            self.unflushed_bytes += batch.write().map_err(|error| error.to_string())?;
            self.dirty_since.get_or_insert_with(Instant::now);
            self.failures = 0;
            self.publish(last);
            if self.unflushed_bytes >= FLUSH_BYTES_MAX {
                self.flush()?;
            }
        }
    }

    fn publish(&self, last: Seq) {
        self.shared.applied.store(last.get(), Ordering::Release);
        self.shared.signal.notify();
    }

    fn flush(&mut self) -> Result<(), String> {
        if self.dirty_since.take().is_none() {
            return Ok(());
        }
        self.unflushed_bytes = 0;
        self.shared.state.get().flush().map_err(|error| error.to_string())?;
        match rebuild::note(&self.shared.settings, self.shared.applied(), None) {
            // A burst of connections has taken the last one. The state is whole, and the older note says no more than is so.
            Err(OpenError::Io { error, .. }) if lacks_descriptors(&error) => {
                tracing::warn!(%error, "how far the state has come is noted later: the process has no file descriptor left");
                self.dirty_since = Some(Instant::now());
                Ok(())
            }
            noted => noted.map_err(|error| error.to_string()),
        }
    }

    /// An orderly end: the digest of the state is noted, so that the next start sees whether it was touched.
    fn finish(&mut self) -> Result<(), String> {
        self.flush()?;
        let store = self.shared.state.get();
        let digest = if store.len_bytes() <= rebuild::DIGEST_AT_START_BYTES_MAX {
            Some(digest(store.as_ref()).map_err(|error| error.to_string())?)
        } else {
            None
        };
        let noted = rebuild::note(&self.shared.settings, self.shared.applied(), digest);
        noted.map_err(|error| error.to_string())
    }

    /// Gets a working store again; false when the ledger is closed first.
    fn mend(&mut self, why: &str) -> bool {
        let damaged = self.shared.state.get().fault().is_some();
        self.let_go(why);
        (self.unflushed_bytes, self.dirty_since) = (0, None);
        loop {
            self.failures += 1;
            if self.shared.handoff.closed_within(pause(self.failures)) {
                return false;
            }
            if self.shared.health.is_low() {
                // A full disk is no reason to throw a state away.
                self.failures = self.failures.min(REOPEN_TRIES_MAX);
                continue;
            }
            match self.open_again(damaged) {
                Ok(made) => {
                    tracing::info!(applied = %made.applied, "the state is there again");
                    self.shared.state.replace(made.store);
                    self.shared.health.state_fault(None);
                    self.publish(made.applied);
                    return true;
                }
                Err(error) => {
                    tracing::error!(%error, "the state cannot be had again yet");
                    self.shared.health.state_fault(Some(error.to_string()));
                }
            }
        }
    }

    fn open_again(&self, damaged: bool) -> Result<MadeState, OpenError> {
        let (settings, index) = (&self.shared.settings, &self.shared.index);
        if damaged || self.failures > REOPEN_TRIES_MAX {
            rebuild::begin_anew(settings, index)
        } else {
            rebuild::open_state(settings, index, &mut |_| {})
        }
    }

    /// Takes the failed store out of use and waits until readers are done with it: its lock must go.
    fn let_go(&self, why: &str) {
        let old = self.shared.state.get();
        self.shared.state.replace(Arc::new(Unavailable::new(why)));
        let until = Instant::now() + LET_GO_AFTER;
        while Arc::strong_count(&old) > 1 && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Of the process, or of the system.
fn lacks_descriptors(error: &io::Error) -> bool {
    [Errno::MFILE, Errno::NFILE].into_iter().any(|lacks| Some(lacks.raw_os_error()) == error.raw_os_error())
}

fn pause(failures: u32) -> Duration {
    let doubled = Duration::from_millis(250).saturating_mul(1 << failures.min(8));
    doubled.min(REOPEN_PAUSE_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_passes_by_itself_lets_the_note_wait() {
        for (errno, waits) in [
            (Errno::MFILE, true),
            (Errno::NFILE, true),
            (Errno::NOSPC, false),
            (Errno::IO, false),
            (Errno::ROFS, false),
            (Errno::ACCESS, false),
        ] {
            assert_eq!(lacks_descriptors(&io::Error::from(errno)), waits, "{errno:?}");
        }
        assert!(!lacks_descriptors(&io::Error::other("full")));
    }
}

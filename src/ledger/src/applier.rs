//! The thread that brings the state up to the journal. It is never in the way of an ACK.

use crate::fold_store::{Batcher, FLUSH_BYTES_MAX};
use crate::handoff::Next;
use crate::ledger::Shared;
use crate::rebuild::write_checkpoint;
use crate::settings::StateStore;
use crate::{Entry, Seq};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Changes rest at most this long before they are made durable.
const FLUSH_AFTER: Duration = Duration::from_secs(1);

pub(crate) struct Applier {
    shared: Arc<Shared>,
    unflushed_bytes: usize,
    dirty_since: Option<Instant>,
}

impl Applier {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, unflushed_bytes: 0, dirty_since: None }
    }

    /// Runs until the committer is done and everything is applied, or until it cannot go on.
    pub(crate) fn run(mut self) {
        if let Err(why) = self.work() {
            tracing::error!(why, "the state stands still; results are still taken and kept in the journal");
            self.shared.health.state_fault(Some(why));
            self.shared.signal.notify();
        }
    }

    fn work(&mut self) -> Result<(), String> {
        loop {
            let applied = self.shared.applied();
            match self.shared.handoff.next(applied, FLUSH_AFTER) {
                Next::Entries(entries) => self.apply(entries.into_iter().map(Ok))?,
                Next::Journal(last) => {
                    let entries = self.shared.index.stream(applied.next());
                    self.apply(
                        entries
                            .take_while(|line| line.as_ref().map_or(true, |line| line.entry.seq <= last))
                            .map(|line| line.map(|line| line.entry).map_err(|error| error.to_string())),
                    )?;
                }
                Next::Nothing => {}
                Next::Closed => return self.flush(),
            }
            let due = self.dirty_since.is_some_and(|since| since.elapsed() >= FLUSH_AFTER);
            if due || self.unflushed_bytes >= FLUSH_BYTES_MAX {
                self.flush()?;
            }
        }
    }

    fn apply(&mut self, mut entries: impl Iterator<Item = Result<Entry, String>>) -> Result<(), String> {
        let store = self.shared.state.get();
        loop {
            let mut batch = Batcher::new(store.as_ref());
            let mut last = None;
            for entry in entries.by_ref() {
                let entry = entry?;
                batch.apply(&entry).map_err(|error| error.to_string())?;
                last = Some(entry.seq);
                if batch.is_full() {
                    break;
                }
            }
            let Some(last) = last else { return Ok(()) };
            self.unflushed_bytes += batch.write().map_err(|error| error.to_string())?;
            self.dirty_since.get_or_insert_with(Instant::now);
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
        if self.shared.settings.state == StateStore::Sled {
            let dir = &self.shared.settings.dir;
            write_checkpoint(dir, self.shared.applied())
                .map_err(|error| format!("cannot note the checkpoint: {error}"))?;
        }
        Ok(())
    }
}

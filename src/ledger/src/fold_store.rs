//! Folding entries into a store, in batches.

use crate::entry::Light;
use crate::fold;
use crate::journal::{Index, JournalError};
use crate::open::{OpenError, Progress};
use crate::state::{Read, Span, StateError, Store, View};
use crate::{ChainHash, Seq};
use sha2::{Digest, Sha256};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Changed bytes in one batch: far below a segment of the store.
pub(crate) const BATCH_BYTES_MAX: usize = 512 << 10;
/// Entries in one batch.
pub(crate) const BATCH_ENTRIES_MAX: usize = 512;
/// Changed bytes between two flushes.
pub(crate) const FLUSH_BYTES_MAX: usize = 1 << 20;

/// Entries on their way into a store.
pub(crate) struct Batcher<'s> {
    store: &'s dyn Store,
    view: View<'s>,
    head: Option<fold::Head>,
    entries: usize,
}

impl<'s> Batcher<'s> {
    pub(crate) fn new(store: &'s dyn Store) -> Self {
        Self { store, view: View::new(store), head: None, entries: 0 }
    }

    pub(crate) fn apply(&mut self, light: &Light) -> Result<(), StateError> {
        self.entries += 1;
        let head = match &mut self.head {
            Some(head) => head,
            None => self.head.insert(fold::Head::read(&self.view)?),
        };
        fold::apply(&mut self.view, head, light)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.entries >= BATCH_ENTRIES_MAX || self.view.len_bytes() >= BATCH_BYTES_MAX
    }

    /// Writes the batch; gives about how many bytes it was.
    pub(crate) fn write(mut self) -> Result<usize, StateError> {
        if let Some(head) = &self.head {
            head.write(&mut self.view)?;
        }
        let bytes = self.view.len_bytes();
        self.store.write(Cow::Owned(self.view.into_changes()))?;
        Ok(bytes)
    }
}

/// Applies the entries behind `applied` up to `last`.
pub(crate) fn fold_into(
    index: &Arc<Index>,
    store: &dyn Store,
    (mut applied, last): (Seq, Seq),
    progress: &mut dyn FnMut(Progress),
) -> Result<(), OpenError> {
    let mut lines = index.stream(applied.next());
    let mut unflushed = 0;
    let state = |error: StateError| OpenError::State(error.to_string());
    while applied < last {
        let mut batch = Batcher::new(store);
        while !batch.is_full() && applied < last {
            let line = lines.next().unwrap_or(Err(JournalError::NoEntry(applied.next())));
            let line = line.map_err(|error| match error {
                JournalError::Damage(damage) => OpenError::Damage(damage),
                JournalError::Io(_) | JournalError::NoEntry(_) => OpenError::State(error.to_string()),
            })?;
            applied = line.entry.seq;
            batch.apply(&line.entry.into()).map_err(state)?;
        }
        unflushed += batch.write().map_err(state)?;
        if unflushed >= FLUSH_BYTES_MAX {
            store.flush().map_err(state)?;
            unflushed = 0;
        }
        progress(Progress::Applying { done: applied, of: last });
    }
    Ok(())
}

/// A digest over all keys and values.
pub(crate) fn digest(read: &dyn Read) -> Result<ChainHash, StateError> {
    let mut hasher = Sha256::new();
    let all = Span { from: Vec::new(), to: Vec::new(), backwards: false };
    read.walk(&all, &mut |key, value| {
        for part in [key, value] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        ControlFlow::Continue(())
    })?;
    Ok(ChainHash(hasher.finalize().into()))
}

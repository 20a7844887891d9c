//! How each receiver stands right now, for people. Starts empty at every start; nothing rests on it.

use serde::Serialize;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vocabulary::DestinationId;

/// One receiver's standing.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Standing {
    /// Whether a connection to it is open.
    pub connected: bool,
    /// Why not, or what went wrong last.
    pub reason: String,
    /// Verdicts it accepted since the start.
    pub accepted_total: u64,
    /// Attempts that were not accepted since the start.
    pub failed_total: u64,
    /// Answers that belonged to nothing: late, twice, or with a wrong id.
    pub strays_total: u64,
}

/// All receivers' standings. Clones show the same board.
#[derive(Debug, Clone, Default)]
pub struct Board(Arc<Mutex<BTreeMap<DestinationId, Standing>>>);

impl Board {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DestinationId, Standing>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note(&self, id: &DestinationId, change: impl FnOnce(&mut Standing)) {
        change(self.lock().entry(id.clone()).or_default());
    }

    /// Every standing, by receiver.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<DestinationId, Standing> {
        self.lock().clone()
    }
}

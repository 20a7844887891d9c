//! What people wrote down of analysers and operators.

use super::{ReadError, Reader};
use crate::Seq;
use crate::fold::runs_that_hear;
use crate::state::{FitnessNote, Key, KeyParts, record};
use serde::Serialize;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use vocabulary::ConnectionId;

/// What an entry about an analyser or an operator changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FitnessReach {
    /// Runs with results that may be judged otherwise.
    pub runs: usize,
    /// Donations with results in those.
    pub donations: usize,
}

impl Reader {
    /// What was written down of the analysers of a line, in that order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn services(&self, connection: &ConnectionId) -> Result<Vec<FitnessNote>, ReadError> {
        self.fitness_notes(Key::services(connection))
    }

    /// What was written down of an operator, in that order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn operator(&self, operator: &str) -> Result<Vec<FitnessNote>, ReadError> {
        self.fitness_notes(Key::operator_notes(operator))
    }

    /// What was written down of every operator, by operator.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn operators(&self) -> Result<Vec<FitnessNote>, ReadError> {
        self.fitness_notes(Key::every_operator_note())
    }

    /// One of these entries.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn fitness_note(&self, note: Seq) -> Result<Option<FitnessNote>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::fitness_note(note).done())?)
    }

    /// What an entry changes, or would change if another person confirmed it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn fitness_reach(&self, note: &FitnessNote) -> Result<FitnessReach, ReadError> {
        let store = self.store();
        let runs = runs_that_hear(store.as_ref(), note)?;
        let mut donations = BTreeSet::new();
        for run in &runs {
            store.walk(&Key::run_donations(run).under(), &mut |key, _| {
                let mut parts = KeyParts::of(key);
                donations.extend(parts.text().and_then(|_| parts.text()).map(str::to_owned));
                ControlFlow::Continue(())
            })?;
        }
        Ok(FitnessReach { runs: runs.len(), donations: donations.len() })
    }

    /// Whether any result names this operator.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn has_results_by(&self, operator: &str) -> Result<bool, ReadError> {
        let mut found = false;
        self.store().walk(&Key::operator_days(operator).under(), &mut |_, _| {
            found = true;
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    fn fitness_notes(&self, under: Key) -> Result<Vec<FitnessNote>, ReadError> {
        let mut notes = Vec::new();
        self.store().walk(&under.under(), &mut |key, _| {
            let mut parts = KeyParts::of(key);
            notes.extend(parts.text().and_then(|_| parts.seq()));
            ControlFlow::Continue(())
        })?;
        let mut found = Vec::with_capacity(notes.len());
        for note in notes {
            found.extend(self.fitness_note(note)?);
        }
        Ok(found)
    }
}

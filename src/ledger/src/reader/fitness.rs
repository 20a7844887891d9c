//! What people wrote down of analysers and operators.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::fold::runs_that_hear;
use crate::state::{FitnessNote, Key, KeyParts, record};
use crate::{FitnessAct, Seq};
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

    /// Part of what was written down of the analysers of a line, in that order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn services_listed(
        &self,
        connection: &ConnectionId,
        page: &Page<Seq>,
    ) -> Result<Listing<FitnessNote, Seq>, ReadError> {
        let after = page.after.map(|note| Key::services(connection).seq(note).done());
        self.listed((Key::services(connection), after), page)
    }

    /// Part of what was written down of operators, by operator.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn operators_listed(&self, page: &Page<Seq>) -> Result<Listing<FitnessNote, Seq>, ReadError> {
        let after = match page.after {
            None => None,
            Some(note) => self.fitness_note(note)?.and_then(|known| match known.act {
                FitnessAct::Authorised { operator, .. } | FitnessAct::Withdrawn { operator, .. } => {
                    Some(Key::operator_notes(&operator).seq(note).done())
                }
                FitnessAct::Serviced { .. }
                | FitnessAct::Unfit { .. }
                | FitnessAct::Confirmed { .. }
                | FitnessAct::TakeBackProposed { .. }
                | FitnessAct::TakenBack { .. } => None,
            }),
        };
        self.listed((Key::every_operator_note(), after), page)
    }

    fn listed(
        &self,
        (under, after): (Key, Option<Vec<u8>>),
        page: &Page<Seq>,
    ) -> Result<Listing<FitnessNote, Seq>, ReadError> {
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            parts.text().and_then(|_| parts.seq())
        };
        list(self.store().as_ref(), (under.under(), after), (page.limit, page.order), cursor, |key, _| {
            cursor(key).map_or(Ok(None), |note| self.fitness_note(note))
        })
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

//! Readings of controls by channel and day.

use super::donations::{EvidenceObservation, Interpretations};
use super::page::{Listing, PAGE_ITEMS_MAX, Page};
use super::{ReadError, Reader};
use crate::Seq;
use crate::channel::{CALIBRATION, Channel};
use crate::fold::refs;
use crate::state::{Key, KeyParts, RefsRecord, Span};
use jiff::civil::Date;
use serde::Serialize;
use std::ops::ControlFlow;
use vocabulary::RunId;

/// Messages with readings that are looked at for one question. A control that ran so often in a few days has to be looked
/// into by a person: what lies behind is not read, and so proves nothing.
const READINGS_MAX: usize = 2_000;
/// Connection, instrument, assay, lot and name.
const TEXTS_BEFORE_DAY: usize = 5;

fn day_and_message(key: &[u8]) -> Option<(Date, Seq)> {
    let mut parts = KeyParts::of(key);
    for _ in 0..TEXTS_BEFORE_DAY {
        parts.text()?;
    }
    Some((parts.text()?.parse().ok()?, parts.seq()?))
}

impl Reader {
    /// Readings of a control in a channel from a day to another, and those of the first day behind it that has any;
    /// oldest day first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn readings(
        &self,
        channel: &Channel,
        name: &str,
        (from, until): (Date, Date),
        known: &mut Interpretations,
    ) -> Result<Vec<EvidenceObservation>, ReadError> {
        let mut span = Key::channel_readings(channel).text(name).under();
        span.from = Key::channel_readings(channel).text(name).text(&from.to_string()).done();
        let mut behind = None;
        self.readings_in(&span, known, |day| {
            if day > until {
                return *behind.get_or_insert(day) == day;
            }
            true
        })
    }

    /// Calibrations of a channel: those of a day, and of the last day before it that has any.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn calibrations(
        &self,
        channel: &Channel,
        until: Date,
        known: &mut Interpretations,
    ) -> Result<Vec<EvidenceObservation>, ReadError> {
        let mut span = Key::channel_readings(channel).text(CALIBRATION).under();
        span.to = Key::channel_readings(channel).text(CALIBRATION).text(&until.to_string()).under().to;
        span.backwards = true;
        let mut before = None;
        self.readings_in(&span, known, |day| {
            if day < until {
                return *before.get_or_insert(day) == day;
            }
            true
        })
    }

    /// What stands in `span`, for as long as its days are wanted.
    fn readings_in(
        &self,
        span: &Span,
        known: &mut Interpretations,
        mut wanted: impl FnMut(Date) -> bool,
    ) -> Result<Vec<EvidenceObservation>, ReadError> {
        let mut rows: Vec<(Seq, RefsRecord)> = Vec::new();
        let mut failed = None;
        self.store().walk(span, &mut |key, value| {
            let Some((day, message)) = day_and_message(key) else { return ControlFlow::Continue(()) };
            if rows.len() >= READINGS_MAX || !wanted(day) {
                return ControlFlow::Break(());
            }
            match refs(value) {
                Ok(read) => rows.push((message, read)),
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mut found = Vec::new();
        for (message, read) in rows {
            found.extend(self.resolve(message, &read, known)?.0);
        }
        Ok(found)
    }
}

/// A run as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunSummary {
    /// Its name.
    pub run: RunId,
    /// Donations with results of it.
    pub donations: usize,
    /// The entry by which a person declared it invalid.
    pub invalidated: Option<Seq>,
    /// Another person stands for that too.
    pub confirmed: bool,
}

impl Reader {
    /// Runs that anything is known of, by name.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn runs(&self, page: &Page<RunId>) -> Result<Listing<RunSummary, RunId>, ReadError> {
        let limit = page.limit.clamp(1, PAGE_ITEMS_MAX);
        let mut items = Vec::new();
        let mut after = page.after.clone();
        while items.len() < limit {
            let next = [
                Key::every_run_with_donations(),
                Key::every_run_with_controls(),
                Key::every_run_with_pools(),
            ];
            let starts = [Key::run_donations, Key::run_controls, Key::run_pools];
            let mut first: Option<RunId> = None;
            for (all, start) in next.into_iter().zip(starts) {
                let found = self.first_run(all, after.as_ref().map(start))?;
                first = [first, found].into_iter().flatten().min();
            }
            let Some(run) = first else { return Ok(Listing { items, next: None }) };
            let (donations, said) = (self.donations_of_run(&run)?, self.run_invalidated(&run)?);
            items.push(RunSummary {
                run: run.clone(),
                donations,
                invalidated: said.as_ref().map(|said| said.done.entry),
                confirmed: said.is_some_and(|said| said.confirmed.is_some()),
            });
            after = Some(run);
        }
        Ok(Listing { items, next: after })
    }

    /// The first run behind `after`, among those of one kind of keys.
    fn first_run(&self, all: Key, after: Option<Key>) -> Result<Option<RunId>, ReadError> {
        let mut span = all.under();
        if let Some(after) = after {
            span.from = after.under().to;
        }
        let mut found = None;
        self.store().walk(&span, &mut |key, _| {
            found = KeyParts::of(key).text().and_then(|run| RunId::new(run).ok());
            ControlFlow::Break(())
        })?;
        Ok(found)
    }
}

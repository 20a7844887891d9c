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

/// Messages with readings that are looked at before a result, and as many behind it. A control that ran so often in a few
/// days has to be looked into by a person: the nearest ones are read, and that more were left out is told.
const READINGS_MAX: usize = 2_000;

/// Readings of one control.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Readings {
    /// The readings, oldest day first.
    pub found: Vec<EvidenceObservation>,
    /// There are more than are looked at; those farthest from the result were left out.
    pub left_out: bool,
}

/// A message with readings, and which.
type Row = (Seq, RefsRecord);

fn day_and_message(key: &[u8]) -> Option<(Date, Seq)> {
    let mut parts = KeyParts::of(key);
    Some((parts.day_of_reading()?.parse().ok()?, parts.seq()?))
}

impl Reader {
    /// Readings of a control in a channel from a day to another, and behind it those up to the first day that has one whose
    /// time is known.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn readings(
        &self,
        channel: &Channel,
        name: &str,
        (from, until): (Date, Date),
        known: &mut Interpretations,
    ) -> Result<Readings, ReadError> {
        let of = |day: Date| Key::channel_readings(channel).text(name).text(&day.to_string());
        let mut behind = Key::channel_readings(channel).text(name).under();
        behind.from = of(until).under().to;
        // From the newest back: where there are too many, the oldest are left out.
        let around = Span { from: of(from).done(), to: behind.from.clone(), backwards: true };
        let (mut rows, left_out) = self.rows_in(&around, |_, _| true)?;
        rows.reverse();
        let (later, left_out_later) = self.rows_in(&behind, up_to_a_timed_day())?;
        rows.extend(later);
        Ok(Readings { found: self.resolved(rows, known)?, left_out: left_out || left_out_later })
    }

    /// Calibrations of a channel: those of a day, and before it those back to the last day that has one whose time is
    /// known.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn calibrations(
        &self,
        channel: &Channel,
        until: Date,
        known: &mut Interpretations,
    ) -> Result<Readings, ReadError> {
        let of = || Key::channel_readings(channel).text(CALIBRATION);
        let mut span = of().under();
        (span.to, span.backwards) = (of().text(&until.to_string()).under().to, true);
        let mut before = up_to_a_timed_day();
        let (mut rows, left_out) = self.rows_in(&span, |day, refs| day >= until || before(day, refs))?;
        rows.reverse();
        Ok(Readings { found: self.resolved(rows, known)?, left_out })
    }

    /// What stands in `span`, for as long as it is wanted; and whether there was more of that.
    fn rows_in(
        &self,
        span: &Span,
        mut wanted: impl FnMut(Date, &RefsRecord) -> bool,
    ) -> Result<(Vec<Row>, bool), ReadError> {
        let (mut rows, mut left_out): (Vec<Row>, bool) = (Vec::new(), false);
        let mut failed = None;
        self.store().walk(span, &mut |key, value| {
            let Some((day, message)) = day_and_message(key) else { return ControlFlow::Continue(()) };
            let read = match refs(value) {
                Ok(read) => read,
                Err(error) => {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            };
            if !wanted(day, &read) {
                return ControlFlow::Break(());
            }
            left_out = rows.len() >= READINGS_MAX;
            if left_out {
                return ControlFlow::Break(());
            }
            rows.push((message, read));
            ControlFlow::Continue(())
        })?;
        if let Some(error) = failed {
            return Err(error.into());
        }
        Ok((rows, left_out))
    }

    fn resolved(
        &self,
        rows: Vec<Row>,
        known: &mut Interpretations,
    ) -> Result<Vec<EvidenceObservation>, ReadError> {
        let mut found = Vec::new();
        for (message, read) in rows {
            found.extend(self.resolve(message, &read, known)?.0);
        }
        Ok(found)
    }
}

/// Wants every day up to the first that has a reading whose time is known, and that day whole.
fn up_to_a_timed_day() -> impl FnMut(Date, &RefsRecord) -> bool {
    let mut last = None;
    move |day, refs| {
        if last.is_some_and(|last| last != day) {
            return false;
        }
        if !refs.untimed {
            last = Some(day);
        }
        true
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

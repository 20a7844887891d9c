//! Batches, signatures, holds, discards and recalls.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::channel::{Channel, whole_run};
use crate::state::{
    BatchRecord, ByPeople, Key, KeyParts, Recall, RunInvalidation, RunProposed, collect, record, seq,
};
use crate::{Entry, Seq};
use serde::Serialize;
use std::ops::ControlFlow;
use vocabulary::{DonationId, RunId};

/// Entries of a batch's history that are given.
const HISTORY_MAX: usize = 500;

/// A batch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchView {
    /// The entry that opened it: its number.
    pub batch: Seq,
    /// In short.
    #[serde(flatten)]
    pub record: BatchRecord,
}

/// A recall with its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecallView {
    /// The entry that raised it, mostly a verdict: its number.
    pub recall: Seq,
    /// What it is.
    #[serde(flatten)]
    pub about: Recall,
}

fn seq_of(key: &[u8]) -> Option<Seq> {
    KeyParts::of(key).seq()
}

impl Reader {
    /// A batch.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn batch(&self, batch: Seq) -> Result<Option<BatchView>, ReadError> {
        let found: Option<BatchRecord> = record(self.store().as_ref(), &Key::batch(batch).done())?;
        Ok(found.map(|record| BatchView { batch, record }))
    }

    /// Batches, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn batches(&self, page: &Page<Seq>) -> Result<Listing<BatchView, Seq>, ReadError> {
        let after = page.after.map(|batch| Key::batch(batch).done());
        list(
            self.store().as_ref(),
            (Key::batches().under(), after),
            (page.limit, page.order),
            seq_of,
            |key, value| {
                let Some(batch) = seq_of(key) else { return Ok(None) };
                Ok(Some(BatchView { batch, record: Self::decoded(value)? }))
            },
        )
    }

    /// The donations of a batch, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn donations_of_batch(&self, batch: Seq) -> Result<Vec<DonationId>, ReadError> {
        let rows = collect(self.store().as_ref(), &Key::batch_members(batch).under())?;
        let member = |(key, _): &(Vec<u8>, Vec<u8>)| {
            let mut parts = KeyParts::of(key);
            parts.seq();
            parts.text().and_then(|text| DonationId::new(text).ok())
        };
        Ok(rows.iter().filter_map(member).collect())
    }

    /// What was done with a batch and its donations, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn batch_history(&self, batch: Seq) -> Result<Vec<Entry>, ReadError> {
        let rows = collect(self.store().as_ref(), &Key::batch_history(batch).under())?;
        let seqs = rows.iter().filter_map(|(key, _)| {
            let mut parts = KeyParts::of(key);
            parts.seq();
            parts.seq()
        });
        seqs.take(HISTORY_MAX).map(|seq| self.entry(seq)).collect()
    }

    /// The batch that a donation is in.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn batch_of(&self, donation: &DonationId) -> Result<Option<Seq>, ReadError> {
        Ok(seq(self.store().as_ref(), &Key::batch_of(donation).done())?)
    }

    /// What people did with a donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn by_people(&self, donation: &DonationId) -> Result<ByPeople, ReadError> {
        Ok(record(self.store().as_ref(), &Key::by_people(donation).done())?.unwrap_or_default())
    }

    /// What people said of the invalidity of a run, or of the run that it is a window of.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn run_invalidated(&self, run: &RunId) -> Result<Option<RunInvalidation>, ReadError> {
        let found = record(self.store().as_ref(), &Key::run_invalidated(run).done())?;
        match whole_run(run).filter(|_| found.is_none()) {
            Some(whole) => Ok(record(self.store().as_ref(), &Key::run_invalidated(&whole).done())?),
            None => Ok(found),
        }
    }

    /// Runs and windows that were declared invalid, where nobody else has confirmed it; by name, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn unconfirmed_invalidations(&self, limit: usize) -> Result<Vec<RunInvalidation>, ReadError> {
        self.invalidations_under(Key::unconfirmed(), limit)
    }

    /// Runs and windows that were declared invalid, where nobody has named the run in which their samples are tested again;
    /// by name, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn unrepeated_invalidations(&self, limit: usize) -> Result<Vec<RunInvalidation>, ReadError> {
        self.invalidations_under(Key::unrepeated(), limit)
    }

    fn invalidations_under(&self, waits: Key, limit: usize) -> Result<Vec<RunInvalidation>, ReadError> {
        let mut names = Vec::new();
        self.store().walk(&waits.under(), &mut |key, _| {
            names.extend(KeyParts::of(key).text().and_then(|name| RunId::new(name).ok()));
            if names.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut found = Vec::new();
        for run in names {
            found.extend(record(self.store().as_ref(), &Key::run_invalidated(&run).done())?);
        }
        Ok(found)
    }

    /// Whether another person can agree now to what was proposed of a run: it lapses with time, and when a control of the run
    /// comes, or is read anew.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn run_proposal_stands(
        &self,
        run: &RunId,
        proposed: &RunProposed,
        now_ms: i64,
    ) -> Result<bool, ReadError> {
        Ok(proposed.stands(self.store().as_ref(), run, now_ms)?)
    }

    /// Windows of a run that were declared invalid.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn windows_invalidated(&self, run: &RunId) -> Result<Vec<RunInvalidation>, ReadError> {
        self.invalidated_under(Key::windows_invalidated(run), |parts| parts.text().map(|_| ()))
    }

    /// Windows that were declared invalid when they covered a time of a channel, whatever they are called now.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn invalidated_in(&self, channel: &Channel) -> Result<Vec<RunInvalidation>, ReadError> {
        self.invalidated_under(Key::fallen_in(channel), |parts| {
            parts.channel()?;
            Some(())
        })
    }

    /// Windows that were declared invalid when rows of a message were in them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn invalidated_with(&self, message: Seq) -> Result<Vec<RunInvalidation>, ReadError> {
        self.invalidated_under(Key::fallen_with(message), |parts| parts.seq().map(|_| ()))
    }

    /// Whether any window stands as declared invalid.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn has_windows_invalidated(&self) -> Result<bool, ReadError> {
        let mut found = false;
        self.store().walk(&Key::every_window_invalidated().under(), &mut |_, _| {
            found = true;
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// The invalidations whose runs' names stand behind what `pass` takes from the keys.
    fn invalidated_under(
        &self,
        under: Key,
        pass: impl Fn(&mut KeyParts<'_>) -> Option<()>,
    ) -> Result<Vec<RunInvalidation>, ReadError> {
        let mut found = Vec::new();
        for (key, _) in collect(self.store().as_ref(), &under.under())? {
            let mut parts = KeyParts::of(&key);
            let name = pass(&mut parts).and_then(|()| parts.text());
            if let Some(run) = name.and_then(|name| RunId::new(name).ok()) {
                found.extend(record(self.store().as_ref(), &Key::run_invalidated(&run).done())?);
            }
        }
        Ok(found)
    }

    /// Donations taken from `from_ms` on and before `to_ms`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn collected_between(
        &self,
        (from_ms, to_ms): (i64, i64),
        limit: usize,
    ) -> Result<Vec<DonationId>, ReadError> {
        let key = |ms: i64| Key::collected().number(u64::try_from(ms).unwrap_or(0)).done();
        let mut span = Key::collected().under();
        (span.from, span.to) = (key(from_ms), key(to_ms));
        let mut found = Vec::new();
        if span.from < span.to {
            self.store().walk(&span, &mut |key, _| {
                let mut parts = KeyParts::of(key);
                parts.number();
                found.extend(parts.text().and_then(|text| DonationId::new(text).ok()));
                if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
        }
        Ok(found)
    }

    /// Recalls, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn recalls(&self, open: bool, page: &Page<Seq>) -> Result<Listing<RecallView, Seq>, ReadError> {
        let after = page.after.map(|recall| Key::recall(recall).done());
        list(
            self.store().as_ref(),
            (Key::recalls().under(), after),
            (page.limit, page.order),
            seq_of,
            |key, value| {
                let Some(recall) = seq_of(key) else { return Ok(None) };
                let about: Recall = Self::decoded(value)?;
                Ok((!open || about.closed.is_none()).then_some(RecallView { recall, about }))
            },
        )
    }

    /// One recall.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn recall(&self, recall: Seq) -> Result<Option<RecallView>, ReadError> {
        let found: Option<Recall> = record(self.store().as_ref(), &Key::recall(recall).done())?;
        Ok(found.map(|about| RecallView { recall, about }))
    }
}

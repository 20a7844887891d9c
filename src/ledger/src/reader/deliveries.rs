//! The outbox and what became of it.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{DeliveryRecord, DeliveryState, Key, KeyParts, collect, record};
use crate::{DeliveryId, Seq, VerdictMade, What};
use serde::Serialize;
use std::collections::HashSet;
use std::ops::ControlFlow;
use vocabulary::{DestinationId, DonationId};

/// Items of the outbox that are looked at for one answer.
const OUTBOX_ROWS_MAX: usize = 10_000;

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeliveryView {
    /// Which.
    pub id: DeliveryId,
    /// The donation of its verdict.
    pub donation: DonationId,
    /// How it is.
    pub state: DeliveryState,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time, milliseconds since 1970 UTC; 0: at once.
    pub next_at_ms: i64,
    /// What came of the last attempt, or why it was given up.
    pub outcome: Option<String>,
    /// The entry that changed it last.
    pub changed: Seq,
    /// When that was written.
    pub changed_at_ms: i64,
    /// How often a person sent it on its way again.
    pub requeued: u32,
}

/// A delivery that may be made now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OutboxItem {
    /// Which.
    pub id: DeliveryId,
    /// The donation of its verdict.
    pub donation: DonationId,
    /// How often it was tried.
    pub attempts: u32,
    /// Not before this time, milliseconds since 1970 UTC; 0: at once.
    pub next_at_ms: i64,
}

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryFilter {
    /// Only to this receiver.
    pub destination: Option<DestinationId>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only of this donation.
    pub donation: Option<DonationId>,
}

impl DeliveryView {
    fn new(id: DeliveryId, record: DeliveryRecord) -> Self {
        Self {
            id,
            donation: record.donation,
            state: record.state,
            attempts: record.attempts,
            next_at_ms: record.next_at_ms,
            outcome: record.outcome,
            changed: record.changed,
            changed_at_ms: record.changed_at_ms,
            requeued: record.requeued,
        }
    }
}

fn id_of(key: &[u8]) -> Option<DeliveryId> {
    let mut parts = KeyParts::of(key);
    Some(DeliveryId { verdict: parts.seq()?, destination: DestinationId::new(parts.text()?).ok()? })
}

impl Reader {
    /// What may be sent to `destination` now, oldest first: of each donation only its earliest pending verdict,
    /// so that verdicts of one donation arrive in order. Includes items whose `next_at_ms` is still to come.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn outbox(&self, destination: &DestinationId, limit: usize) -> Result<Vec<OutboxItem>, ReadError> {
        let store = self.store();
        let (mut seen, mut ready, mut rows) = (HashSet::new(), Vec::new(), 0);
        store.walk(&Key::outbox(destination).under(), &mut |key, donation| {
            rows += 1;
            if seen.insert(donation.to_vec()) {
                let mut parts = KeyParts::of(key);
                parts.text();
                ready.extend(parts.seq());
            }
            if ready.len() >= limit || rows >= OUTBOX_ROWS_MAX {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        let mut items = Vec::with_capacity(ready.len());
        for verdict in ready {
            let id = DeliveryId { verdict, destination: destination.clone() };
            let found: Option<DeliveryRecord> = record(store.as_ref(), &Key::delivery(&id).done())?;
            items.extend(found.map(|d| OutboxItem {
                id,
                donation: d.donation,
                attempts: d.attempts,
                next_at_ms: d.next_at_ms,
            }));
        }
        Ok(items)
    }

    /// One delivery.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn delivery(&self, id: &DeliveryId) -> Result<Option<DeliveryView>, ReadError> {
        let found = record(self.store().as_ref(), &Key::delivery(id).done())?;
        Ok(found.map(|found| DeliveryView::new(id.clone(), found)))
    }

    /// Deliveries, by verdict.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn deliveries(
        &self,
        filter: &DeliveryFilter,
        page: &Page<DeliveryId>,
    ) -> Result<Listing<DeliveryView, DeliveryId>, ReadError> {
        let after = page.after.as_ref().map(|id| Key::delivery(id).done());
        list(
            self.store().as_ref(),
            (Key::deliveries().under(), after),
            (page.limit, page.order),
            id_of,
            |key, value| {
                let Some(id) = id_of(key) else { return Ok(None) };
                let found: DeliveryRecord = Self::decoded(value)?;
                let takes = filter.destination.as_ref().is_none_or(|d| *d == id.destination)
                    && filter.state.is_none_or(|s| s == found.state)
                    && filter.donation.as_ref().is_none_or(|d| *d == found.donation);
                Ok(takes.then(|| DeliveryView::new(id, found)))
            },
        )
    }

    /// Dead letters, by verdict.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn dead_letters(
        &self,
        page: &Page<DeliveryId>,
    ) -> Result<Listing<DeliveryView, DeliveryId>, ReadError> {
        let store = self.store();
        let after = page.after.as_ref().map(|id| Key::dead_letter(id).done());
        list(
            store.as_ref(),
            (Key::dead_letters().under(), after),
            (page.limit, page.order),
            id_of,
            |key, _| {
                let Some(id) = id_of(key) else { return Ok(None) };
                let found: Option<DeliveryRecord> = record(store.as_ref(), &Key::delivery(&id).done())?;
                Ok(found.map(|found| DeliveryView::new(id, found)))
            },
        )
    }

    /// The deliveries of a donation, by receiver and verdict.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn deliveries_of(&self, donation: &DonationId) -> Result<Vec<DeliveryView>, ReadError> {
        let store = self.store();
        let mut found = Vec::new();
        for (key, _) in collect(store.as_ref(), &Key::donation_deliveries(donation).under())? {
            let Some(id) = KeyParts::of(&key).delivery() else { continue };
            let delivery: Option<DeliveryRecord> = record(store.as_ref(), &Key::delivery(&id).done())?;
            found.extend(delivery.map(|d| DeliveryView::new(id, d)));
        }
        Ok(found)
    }

    /// A verdict, from the journal.
    ///
    /// # Errors
    /// [`ReadError`]; [`ReadError::OtherKind`] when `seq` is no verdict.
    pub fn verdict(&self, seq: Seq) -> Result<VerdictMade, ReadError> {
        let What::VerdictMade(made) = self.entry(seq)?.what else {
            return Err(ReadError::OtherKind { seq, wanted: "verdict" });
        };
        Ok(made)
    }
}

//! The outbox: one item a verdict and receiver, in order per donation, until it is done or dead.

use super::{Fold, Folded};
use crate::state::{DeliveryRecord, DeliveryState, Key, KeyParts, StateError, collect, record};
use crate::{DeliveryId, Seq};
use std::ops::Not as _;

impl Fold<'_, '_> {
    /// A new delivery.
    pub(super) fn queue(&mut self, id: &DeliveryId, delivery: &DeliveryRecord) -> Folded {
        let known: Option<DeliveryRecord> = record(self.view, &Key::delivery(id).done())?;
        if known.is_some() {
            // The same receiver twice in one verdict: one delivery.
            return Ok(());
        }
        self.mark(Key::donation_deliveries(&delivery.donation).text(id.destination.as_str()).seq(id.verdict));
        self.set_pending(id, delivery)
    }

    fn set_pending(&mut self, id: &DeliveryId, delivery: &DeliveryRecord) -> Folded {
        self.counters.deliveries_pending += 1;
        let waiting = delivery.donation.as_str().as_bytes().to_vec();
        self.view.put(Key::outbox(&id.destination).seq(id.verdict).done(), waiting);
        self.view.put_record(Key::delivery(id).done(), delivery)
    }

    fn change(
        &mut self,
        id: &DeliveryId,
        change: impl FnOnce(&mut Self, &mut DeliveryRecord) -> Result<bool, StateError>,
    ) -> Folded {
        let key = Key::delivery(id).done();
        let Some(mut delivery) = record::<DeliveryRecord>(self.view, &key)? else {
            self.misfit();
            return Ok(());
        };
        if change(self, &mut delivery)?.not() {
            self.misfit();
            return Ok(());
        }
        delivery.changed = self.seq;
        delivery.changed_at_ms = self.at_ms;
        self.view.put_record(key, &delivery)
    }

    pub(super) fn attempted(&mut self, id: &DeliveryId, outcome: &str, next_at_ms: i64) -> Folded {
        self.change(id, |_, delivery| {
            delivery.attempts += 1;
            delivery.outcome = Some(outcome.to_owned());
            delivery.next_at_ms = next_at_ms;
            Ok(delivery.state == DeliveryState::Pending)
        })
    }

    pub(super) fn delivered(&mut self, id: &DeliveryId) -> Folded {
        self.change(id, |fold, delivery| {
            delivery.attempts += 1;
            delivery.outcome = None;
            fold.leave(id, delivery.state);
            delivery.state = DeliveryState::Done;
            fold.counters.deliveries_done += 1;
            Ok(true)
        })
    }

    pub(super) fn dead(&mut self, id: &DeliveryId, reason: &str) -> Folded {
        self.change(id, |fold, delivery| {
            if delivery.state != DeliveryState::Pending {
                return Ok(false);
            }
            delivery.outcome = Some(reason.to_owned());
            fold.leave(id, delivery.state);
            delivery.state = DeliveryState::Dead;
            fold.counters.deliveries_dead += 1;
            fold.mark(Key::dead_letter(id));
            Ok(true)
        })
    }

    /// Takes an item out of the list it is in.
    fn leave(&mut self, id: &DeliveryId, state: DeliveryState) {
        match state {
            DeliveryState::Pending => {
                self.counters.deliveries_pending -= 1;
                self.view.delete(Key::outbox(&id.destination).seq(id.verdict).done());
            }
            DeliveryState::Dead => {
                self.counters.deliveries_dead -= 1;
                self.view.delete(Key::dead_letter(id).done());
            }
            DeliveryState::Done => self.counters.deliveries_done -= 1,
        }
    }

    pub(super) fn requeued(&mut self, id: &DeliveryId) -> Folded {
        let key = Key::delivery(id).done();
        let Some(mut delivery) = record::<DeliveryRecord>(self.view, &key)? else {
            self.misfit();
            return Ok(());
        };
        if delivery.state != DeliveryState::Dead {
            self.misfit();
            return Ok(());
        }
        delivery.changed = self.seq;
        delivery.changed_at_ms = self.at_ms;
        if let Some(newer) = self.newer_delivery(id, &delivery)? {
            // An older verdict must never arrive behind a newer one.
            delivery.outcome = Some(format!("not sent again: verdict {newer} of this donation is newer"));
            return self.view.put_record(key, &delivery);
        }
        self.leave(id, DeliveryState::Dead);
        delivery.state = DeliveryState::Pending;
        delivery.next_at_ms = self.at_ms;
        delivery.requeued += 1;
        self.set_pending(id, &delivery)
    }

    /// A later verdict of the same donation that went, or is to go, to the same receiver.
    fn newer_delivery(&self, id: &DeliveryId, delivery: &DeliveryRecord) -> Result<Option<Seq>, StateError> {
        let span = Key::donation_deliveries(&delivery.donation).text(id.destination.as_str()).under();
        for (key, _) in collect(self.view, &span)? {
            let mut parts = KeyParts::of(&key);
            let (_, _, verdict) = (parts.text(), parts.text(), parts.seq());
            let Some(verdict) = verdict.filter(|v| *v > id.verdict) else { continue };
            let newer = DeliveryId { verdict, destination: id.destination.clone() };
            let state = record::<DeliveryRecord>(self.view, &Key::delivery(&newer).done())?.map(|d| d.state);
            if state.is_some_and(|s| s != DeliveryState::Dead) {
                return Ok(Some(verdict));
            }
        }
        Ok(None)
    }
}

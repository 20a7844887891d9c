//! The outbox: one item a verdict and receiver, in order per donation, until it is done or dead.
//!
//! ```text
//!  pending ──answered well──► done
//!     ├────given up───────► dead ──requeued, no newer one──► pending
//!     └─a pass, and another verdict takes its place──► withdrawn
//! ```
//!
//! A receiver acts on a pass at once. One that is no longer the verdict does not leave, whatever comes of the verdict behind it.

use super::decide::AT_ONCE;
use super::signed::PASS;
use super::{Fold, Folded};
use crate::state::{
    DeliveryRecord, DeliveryState, DonationRecord, Key, KeyParts, StateError, VerdictRecord, collect, record,
};
use crate::{DeliveryId, Seq};
use std::ops::Not as _;
use vocabulary::DonationId;

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
            Ok(matches!(delivery.state, DeliveryState::Pending | DeliveryState::Withdrawn))
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
            match delivery.state {
                DeliveryState::Pending => {}
                // It was under way when it was withdrawn.
                DeliveryState::Withdrawn => {
                    delivery.outcome = Some(reason.to_owned());
                    return Ok(true);
                }
                DeliveryState::Done | DeliveryState::Dead => return Ok(false),
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
            DeliveryState::Withdrawn => self.counters.deliveries_withdrawn -= 1,
        }
    }

    /// A verdict takes the place of another: what of that was still to be sent does not leave, where it let the donation pass.
    pub(super) fn withdraw(&mut self, donation: &DonationId, before: &VerdictRecord) -> Folded {
        if before.unit != PASS {
            return Ok(());
        }
        let now = self.seq;
        for (key, _) in collect(self.view, &Key::donation_deliveries(donation).under())? {
            let Some(id) = KeyParts::of(&key).delivery().filter(|id| id.verdict == before.seq) else {
                continue;
            };
            let known: Option<DeliveryRecord> = record(self.view, &Key::delivery(&id).done())?;
            if known.is_some_and(|known| known.state == DeliveryState::Pending) {
                self.change(&id, |fold, delivery| {
                    fold.leave(&id, delivery.state);
                    fold.counters.deliveries_withdrawn += 1;
                    delivery.state = DeliveryState::Withdrawn;
                    delivery.outcome = Some(format!("not sent: verdict {now} of this donation is newer"));
                    Ok(true)
                })?;
            }
        }
        Ok(())
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
        delivery.next_at_ms = AT_ONCE;
        delivery.requeued += 1;
        self.set_pending(id, &delivery)
    }

    /// A later verdict of the same donation for the same receiver; of one that passes, any later verdict.
    fn newer_delivery(&self, id: &DeliveryId, delivery: &DeliveryRecord) -> Result<Option<Seq>, StateError> {
        let donation = &delivery.donation;
        let span = Key::donation_deliveries(donation).text(id.destination.as_str()).under();
        let told = collect(self.view, &span)?;
        let mut later = told.iter().filter_map(|(key, _)| KeyParts::of(key).delivery());
        if let Some(newer) = later.find(|newer| newer.verdict > id.verdict) {
            return Ok(Some(newer.verdict));
        }
        let key = Key::donation_verdicts(donation).seq(id.verdict).done();
        let passes = record::<VerdictRecord>(self.view, &key)?.is_some_and(|verdict| verdict.unit == PASS);
        let known: Option<DonationRecord> = record(self.view, &Key::donation(donation).done())?;
        let latest = known.and_then(|known| known.latest).map(|latest| latest.seq);
        Ok(latest.filter(|latest| passes && *latest > id.verdict))
    }
}

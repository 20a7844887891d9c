//! Donations: what is known of each, and when it has to be decided anew.

use super::signed::PASS;
use super::{Fold, Folded};
use crate::alike::alike;
use crate::state::{
    DeliveryRecord, DeliveryState, DonationRecord, Key, StateError, VerdictRecord, record, seq,
};
use crate::{DeliveryId, Seq, VerdictMade};
use std::collections::BTreeSet;
use vocabulary::DonationId;

/// A delivery that was never tried is due, whatever time it was here when it was written.
pub(super) const AT_ONCE: i64 = 0;

impl Fold<'_, '_> {
    pub(super) fn donation(&mut self, donation: &DonationId) -> Result<DonationRecord, StateError> {
        if let Some(found) = record(self.view, &Key::donation(donation).done())? {
            return Ok(found);
        }
        self.counters.donations += 1;
        // It may be one of these, cut off, or the other way round: they have to be judged with it in view.
        for other in alike(self.view, donation)? {
            self.reopen(&other)?;
        }
        Ok(DonationRecord {
            first: self.seq,
            registered: None,
            collected_at_ms: None,
            donor: None,
            or_donors: BTreeSet::new(),
            session: None,
            latest: None,
            verdicts: 0,
            passed: false,
            work: None,
        })
    }

    pub(super) fn put_donation(&mut self, donation: &DonationId, record: &DonationRecord) -> Folded {
        self.view.put_record(Key::donation(donation).done(), record)
    }

    /// Something that a verdict rests on changed here.
    pub(super) fn reopen(&mut self, donation: &DonationId) -> Folded {
        let mut record = self.donation(donation)?;
        self.want_decision(donation, &mut record);
        self.put_donation(donation, &record)
    }

    pub(super) fn want_decision(&mut self, donation: &DonationId, record: &mut DonationRecord) {
        let first = *record.work.get_or_insert_with(|| {
            self.counters.to_decide += 1;
            self.seq
        });
        let since = self.seq.get().to_be_bytes().to_vec();
        self.view.put(Key::decide_work(first, donation).done(), since);
    }

    fn end_work(&mut self, donation: &DonationId, record: &mut DonationRecord, considered: Seq) -> Folded {
        let Some(first) = record.work else { return Ok(()) };
        let key = Key::decide_work(first, donation).done();
        let since = seq(self.view, &key)?.unwrap_or(Seq::NONE);
        if considered >= since {
            self.view.delete(key);
            self.counters.to_decide -= 1;
            record.work = None;
        }
        Ok(())
    }

    pub(super) fn considered(&mut self, donation: &DonationId, considered: Seq) -> Folded {
        let Some(mut record) = record::<DonationRecord>(self.view, &Key::donation(donation).done())? else {
            self.misfit();
            return Ok(());
        };
        self.end_work(donation, &mut record, considered)?;
        self.put_donation(donation, &record)
    }

    pub(super) fn verdict(&mut self, made: &VerdictMade) -> Folded {
        let donation = made.donation();
        let mut record = self.donation(donation)?;
        self.end_work(donation, &mut record, made.considered())?;
        let verdict = VerdictRecord {
            seq: self.seq,
            at_ms: self.at_ms,
            considered: made.considered(),
            unit: made.unit().to_owned(),
            releasable: made.releasable(),
            complete: made.complete(),
            content_hash: made.content_hash().to_owned(),
        };
        self.view.put_record(Key::donation_verdicts(donation).seq(self.seq).done(), &verdict)?;
        self.after_release(record.latest.as_ref(), made)?;
        if let Some(before) = &record.latest {
            self.withdraw(donation, before)?;
        }
        record.latest = Some(verdict);
        record.verdicts += 1;
        record.passed |= made.unit() == PASS;
        self.counters.verdicts += 1;
        self.put_donation(donation, &record)?;
        self.raise_tasks(made, &record)?;
        self.raise_donor_tasks(made, &record)?;
        self.reopen_later(donation)?;
        for destination in made.deliver_to() {
            let id = DeliveryId { verdict: self.seq, destination: destination.clone() };
            let delivery = DeliveryRecord {
                donation: donation.clone(),
                state: DeliveryState::Pending,
                attempts: 0,
                next_at_ms: AT_ONCE,
                outcome: None,
                changed: self.seq,
                changed_at_ms: self.at_ms,
                requeued: 0,
            };
            self.queue(&id, &delivery)?;
        }
        Ok(())
    }
}

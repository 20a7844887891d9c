//! What people sign, hold, discard and call back.

use super::{Fold, Folded};
use crate::state::{
    BatchRecord, ByPeople, Components, DeliveryRecord, DeliveryState, DiscardDone, Done, HOLDS_MAX,
    HoldStands, Key, KeyParts, Read, Recall, ReleaseSigned, SignedBasis, StateError, VerdictRecord, collect,
    decode, record,
};
use crate::{BatchOf, HoldKind, Seq, SignedAct, SignedDonation, VerdictMade};
use std::collections::BTreeMap;
use vocabulary::DonationId;

/// As verdicts name a unit that passes.
pub(super) const PASS: &str = "pass";

/// One more hold. Where there are too many the last of the laboratory's gives way, so that a donor's word is never lost.
fn held(people: &mut ByPeople, hold: HoldStands) {
    if people.holds.len() >= HOLDS_MAX {
        let of_laboratory = |hold: &HoldStands| hold.kind == HoldKind::Laboratory;
        let Some(at) = people.holds.iter().rposition(of_laboratory) else { return };
        people.holds.remove(at);
    }
    people.holds.push(hold);
}

impl Fold<'_, '_> {
    pub(super) fn signed_act(&mut self, act: &SignedAct) -> Folded {
        let done = self.done();
        match act {
            SignedAct::BatchOpened { name, of, donations, whole } => {
                self.batch_opened((name, of), donations, *whole)
            }
            SignedAct::BatchReviewed { batch, donations, .. } => {
                if !self.of_batch(*batch)? {
                    return Ok(());
                }
                self.each_signed(donations, |people, basis| {
                    people.reviewed = Some(SignedBasis { done: done.clone(), basis });
                })
            }
            SignedAct::BatchReleased { batch, donations, count, set_aside, .. } => {
                if !self.of_batch(*batch)? {
                    return Ok(());
                }
                self.each_signed(donations, |people, basis| {
                    let signed = SignedBasis { done: done.clone(), basis };
                    let set_aside = set_aside.clone();
                    people.released = Some(ReleaseSigned { signed, count: *count, set_aside });
                })
            }
            SignedAct::DonationsHeld { donations, kind, reason } => self.each(donations, |people| {
                let (done, reason) = (done.clone(), reason.clone());
                held(people, HoldStands { done, kind: *kind, reason });
            }),
            // What came after it was looked at was not seen, and stays.
            SignedAct::HoldsLifted { donations, seen, .. } => self.each(donations, |people| {
                people.holds.retain(|hold| seen.is_some_and(|seen| hold.done.entry > seen));
            }),
            SignedAct::DonationsDiscarded { donations, reason, components, .. } => {
                self.each(donations, |people| {
                    let (done, reason) = (done.clone(), reason.clone());
                    people.discarded.get_or_insert(DiscardDone { done, reason });
                })?;
                self.components_found(components, reason)
            }
            SignedAct::RunInvalidated { .. }
            | SignedAct::RunInvalidationConfirmed { .. }
            | SignedAct::RunRepeatNamed { .. }
            | SignedAct::RunReinstatementProposed { .. }
            | SignedAct::RunReinstated { .. }
            | SignedAct::RunJudgingProposed { .. }
            | SignedAct::RunJudgedAnew { .. } => self.run_act(act),
            SignedAct::RecallClosed { recall, outcome, told, .. } => {
                self.recall_closed(*recall, (outcome, told.as_deref()))
            }
        }
    }

    pub(super) fn done(&self) -> Done {
        let by = self.by.strip_prefix("user:").unwrap_or(self.by).to_owned();
        Done { by, at_ms: self.at_ms, entry: self.seq }
    }

    /// A donation stays in the batch that it came into first, however many are opened at once.
    fn batch_opened(
        &mut self,
        (name, of): (&str, &BatchOf),
        donations: &[DonationId],
        whole: bool,
    ) -> Folded {
        let mut free = Vec::with_capacity(donations.len());
        for donation in donations {
            if crate::state::seq(self.view, &Key::batch_of(donation).done())?.is_none() {
                free.push(donation);
            }
        }
        if free.len() < donations.len() {
            self.misfit();
            if whole {
                return Ok(());
            }
        }
        let batch = self.seq;
        let record = BatchRecord {
            name: name.to_owned(),
            of: of.clone(),
            opened: self.done(),
            donations: u32::try_from(free.len()).unwrap_or(u32::MAX),
            changed: batch,
        };
        for donation in free {
            self.mark(Key::batch_members(batch).text(donation.as_str()));
            self.view.put(Key::batch_of(donation).done(), batch.get().to_be_bytes().to_vec());
        }
        self.counters.batches += 1;
        self.mark(Key::batch_history(batch).seq(self.seq));
        self.view.put_record(Key::batch(batch).done(), &record)
    }

    /// Notes that something was signed of a batch; false when there is none.
    fn of_batch(&mut self, batch: Seq) -> Result<bool, StateError> {
        let key = Key::batch(batch).done();
        let Some(mut found) = record::<BatchRecord>(self.view, &key)? else {
            self.misfit();
            return Ok(false);
        };
        found.changed = self.seq;
        self.mark(Key::batch_history(batch).seq(self.seq));
        self.view.put_record(key, &found)?;
        Ok(true)
    }

    fn each_signed(
        &mut self,
        donations: &[SignedDonation],
        mut change: impl FnMut(&mut ByPeople, String),
    ) -> Folded {
        for SignedDonation { donation, basis } in donations {
            self.by_people(donation, |people| change(people, basis.clone()))?;
        }
        Ok(())
    }

    fn each(&mut self, donations: &[DonationId], mut change: impl FnMut(&mut ByPeople)) -> Folded {
        for donation in donations {
            self.by_people(donation, &mut change)?;
            if let Some(batch) = crate::state::seq(self.view, &Key::batch_of(donation).done())? {
                self.mark(Key::batch_history(batch).seq(self.seq));
            }
        }
        Ok(())
    }

    fn by_people(&mut self, donation: &DonationId, change: impl FnOnce(&mut ByPeople)) -> Folded {
        let key = Key::by_people(donation).done();
        let mut people: ByPeople = record(self.view, &key)?.unwrap_or_default();
        change(&mut people);
        self.view.put_record(key, &people)?;
        self.reopen(donation)
    }

    /// A verdict takes the place of another: one that was released and may not go any more is called back, and what was
    /// signed for it holds no longer, whatever comes. So is one that says anything new and does not pass, where something of
    /// it may be out, whoever had released it: what was found of a recall that is closed was found for another cause.
    pub(super) fn after_release(&mut self, before: Option<&VerdictRecord>, made: &VerdictMade) -> Folded {
        let (donation, unit) = (made.donation(), made.unit().to_owned());
        if let Some(before) = before.filter(|before| before.releasable && !made.releasable()) {
            let key = Key::by_people(donation).done();
            let mut people: ByPeople = record(self.view, &key)?.unwrap_or_default();
            (people.reviewed, people.released) = (None, None);
            self.view.put_record(key, &people)?;
            return self.call_back(donation, Some(before.seq), unit);
        }
        let is_same = before.is_some_and(|before| before.content_hash == made.content_hash());
        if unit == PASS || is_same || !self.may_be_out(donation)? {
            return Ok(());
        }
        let passed = self.last_passed(donation)?;
        self.call_back_once(donation, passed, unit)
    }

    /// Whether something of a donation may be out: it was given out, or told to pass. Where nobody told what was made of it,
    /// what was called back once may be out still, unless it was taken out.
    fn may_be_out(&self, donation: &DonationId) -> Result<bool, StateError> {
        if self.is_out(donation)? || self.was_told_to_pass(donation)? {
            return Ok(true);
        }
        if !self.components(donation)?.is_empty() || self.view.get(&Key::recalled(donation).done())?.is_none()
        {
            return Ok(false);
        }
        let people: Option<ByPeople> = record(self.view, &Key::by_people(donation).done())?;
        Ok(people.is_none_or(|people| people.discarded.is_none()))
    }

    /// The last verdict of a donation by which it passed.
    fn last_passed(&self, donation: &DonationId) -> Result<Option<Seq>, StateError> {
        let rows = collect(self.view, &Key::donation_verdicts(donation).under())?;
        let all: Result<Vec<VerdictRecord>, StateError> =
            rows.iter().map(|(_, value)| decode(value)).collect();
        Ok(all?.iter().rev().find(|verdict| verdict.unit == PASS).map(|verdict| verdict.seq))
    }

    /// Whether the last word of a donation that some receiver has is that it passes: where people sign elsewhere it goes by
    /// that. A word that is still to be sent, or that was sent and not answered, may be there; a refused one is not.
    fn was_told_to_pass(&self, donation: &DonationId) -> Result<bool, StateError> {
        let mut told: BTreeMap<String, Seq> = BTreeMap::new();
        for (key, _) in collect(self.view, &Key::donation_deliveries(donation).under())? {
            let Some(id) = KeyParts::of(&key).delivery() else { continue };
            let delivery: Option<DeliveryRecord> = record(self.view, &Key::delivery(&id).done())?;
            let may_be_there = |one: DeliveryRecord| match one.state {
                DeliveryState::Pending | DeliveryState::Done => true,
                DeliveryState::Dead | DeliveryState::Withdrawn => one.attempts > 0,
            };
            if delivery.is_some_and(may_be_there) {
                told.insert(id.destination.to_string(), id.verdict);
            }
        }
        for verdict in told.into_values() {
            let key = Key::donation_verdicts(donation).seq(verdict).done();
            let found: Option<VerdictRecord> = record(self.view, &key)?;
            if found.is_some_and(|found| found.complete && found.unit == PASS) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What went out between the look and the entry was not seen: the recall stays open for it.
    fn recall_closed(&mut self, recall: Seq, (outcome, told): (&str, Option<&[String]>)) -> Folded {
        let key = Key::recall(recall).done();
        let found: Option<Recall> = record(self.view, &key)?;
        let all = match &found {
            Some(found) => self.components(&found.donation)?,
            None => Components::default(),
        };
        let is_seen =
            told.is_none_or(|told| all.iter().all(|(code, one)| !one.is_out() || told.contains(code)));
        match found {
            Some(mut found) if found.closed.is_none() && is_seen => {
                (found.closed, found.outcome) = (Some(self.done()), Some(outcome.to_owned()));
                self.counters.recalls_open -= 1;
                self.view.delete(Key::open_recalls_of(&found.donation).seq(recall).done());
                self.view.put_record(key, &found)
            }
            Some(_) | None => {
                self.misfit();
                Ok(())
            }
        }
    }

    /// Donations are found by the time they were taken, too.
    pub(super) fn collected(&mut self, donation: &DonationId, before: Option<i64>, now: i64) {
        let key = |ms: i64| {
            let ms = u64::try_from(ms).unwrap_or(0);
            Key::collected().number(ms).text(donation.as_str())
        };
        if let Some(before) = before {
            self.view.delete(key(before).done());
        }
        self.mark(key(now));
    }
}

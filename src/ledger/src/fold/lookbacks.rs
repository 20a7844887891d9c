//! Look-backs: raised by a verdict, closed by people, and raised again when what they are for comes back or grows graver.
//!
//! ```text
//!  not raised ──verdict asks──► open ──closed by a person──► closed
//!                                ▲                             │
//!                                └──found again after it was───┘
//!                                   gone, or found graver
//! ```
//!
//! A finding is not gone while the verdict waits for two people ([`VerdictMade::unsettled`]).

use super::{Fold, Folded};
use crate::state::{
    DonationNotes, DonationRecord, FoundAs, Key, Lookback, StateError, StepDone, collect, decode, record,
};
use crate::{LookbackAsked, LookbackId, LookbackStep, VerdictMade};
use release::evidence::{Confirmatory, Confirmed};
use vocabulary::DonationId;

/// Steps of before that a look-back keeps, the last ones; the journal has all.
const BEFORE_MAX: usize = 50;

impl Fold<'_, '_> {
    /// What was raised stays until a person closes it; the donations that the verdict does not ask for any more are judged anew.
    pub(super) fn raise_lookbacks(&mut self, made: &VerdictMade, of: &DonationRecord) -> Folded {
        for mut raised in self.lookbacks_of(made.donation())? {
            if !made.lookback().iter().any(|asked| asked.earlier == raised.id.earlier) {
                self.reopen(&raised.id.earlier)?;
            }
            let is_found = self.is_found((made, of), &raised.id)?;
            let found = self.found_as(made, &raised.id.marker)?;
            let returned = is_found && raised.gone.is_some();
            let asks = |asked: &&LookbackAsked| {
                (&asked.marker, &asked.earlier) == (&raised.id.marker, &raised.id.earlier)
            };
            let asked = made.lookback().iter().find(asks).unwrap_or(&raised.asked).clone();
            raised.gone = match raised.gone {
                Some(_) if is_found => None,
                // What takes two people is not gone by the word of one.
                None if is_found || made.unsettled().is_some() => None,
                gone => gone.or(Some(self.seq)),
            };
            if is_found && (returned || found.is_graver(raised.found)) {
                self.looked_back_again(raised, (asked, found))?;
                continue;
            }
            // Raised again by a confirmation, before any verdict spoke of that.
            if !raised.before.is_empty() && raised.done.is_empty() {
                raised.asked = asked;
            }
            self.view.put_record(Key::lookback(&raised.id).done(), &raised)?;
        }
        for asked in made.lookback() {
            let id = LookbackId {
                trigger: made.donation().clone(),
                marker: asked.marker.clone(),
                earlier: asked.earlier.clone(),
            };
            let key = Key::lookback(&id).done();
            if record::<Lookback>(self.view, &key)?.is_none() {
                // Whatever of it has not gone out stays.
                self.reopen(&asked.earlier)?;
                self.counters.lookbacks_open += 1;
                let at = Key::lookbacks_at(&id.earlier);
                self.mark(at.text(id.trigger.as_str()).text(&id.marker));
                let found = self.found_as(made, &asked.marker)?;
                let lookback = Lookback {
                    id,
                    raised: self.seq,
                    raised_at_ms: self.at_ms,
                    asked: asked.clone(),
                    found,
                    done: Vec::new(),
                    gone: None,
                    before: Vec::new(),
                };
                self.view.put_record(key, &lookback)?;
            }
        }
        Ok(())
    }

    /// What was found, and looked back on as what had been found until then, is confirmed.
    pub(super) fn confirmed_lookbacks(&mut self, donation: &DonationId, test: &Confirmatory) -> Folded {
        if test.outcome != Confirmed::Positive {
            return Ok(());
        }
        for raised in self.lookbacks_of(donation)? {
            let found = FoundAs { confirmed: true, ..raised.found };
            if raised.id.marker == test.marker.name() && found.is_graver(raised.found) {
                let asked = raised.asked.clone();
                self.looked_back_again(raised, (asked, found))?;
            }
        }
        Ok(())
    }

    /// There is more to a look-back than what it was for. A closed one is open again, and what was done is to be done for
    /// this; of an open one only what was said to let something go counts no more.
    fn looked_back_again(&mut self, raised: Lookback, (asked, found): (LookbackAsked, FoundAs)) -> Folded {
        let mut raised = raised;
        let is_closed = raised.is_closed();
        let counts = |step: &StepDone| !is_closed && step.step != LookbackStep::Cleared;
        let (done, before): (Vec<StepDone>, Vec<StepDone>) = raised.done.drain(..).partition(counts);
        raised.done = done;
        raised.before.extend(before);
        let over = raised.before.len().saturating_sub(BEFORE_MAX);
        raised.before.drain(..over);
        raised.found = raised.found.max_of(found);
        if is_closed {
            (raised.raised, raised.raised_at_ms, raised.asked) = (self.seq, self.at_ms, asked);
            self.counters.lookbacks_open += 1;
            self.reopen(&raised.id.earlier)?;
        }
        self.view.put_record(Key::lookback(&raised.id).done(), &raised)
    }

    fn lookbacks_of(&self, trigger: &DonationId) -> Result<Vec<Lookback>, StateError> {
        let rows = collect(self.view, &Key::lookbacks().text(trigger.as_str()).under())?;
        rows.iter().map(|(_, value)| decode(value)).collect()
    }

    /// How grave a finding is, by the verdict and by what a confirmatory laboratory said.
    fn found_as(&self, made: &VerdictMade, marker: &str) -> Result<FoundAs, StateError> {
        let notes: Option<DonationNotes> = record(self.view, &Key::donation_notes(made.donation()).done())?;
        let is_it = |test: &Confirmatory| test.marker.name() == marker && test.outcome == Confirmed::Positive;
        let confirmed = notes.is_some_and(|notes| notes.confirmatory.iter().any(is_it));
        let asked = made.donor_asks().iter().find(|asked| asked.marker == marker);
        Ok(FoundAs { deferral: asked.map(|asked| asked.deferral), confirmed })
    }

    /// Whether what a look-back was raised for is still found: the verdict asks for it, or finds the same marker in the donor
    /// who gave both. That it asks for this donation no more, because of what is known of that one or of others, is not enough.
    fn is_found(
        &self,
        (made, of): (&VerdictMade, &DonationRecord),
        id: &LookbackId,
    ) -> Result<bool, StateError> {
        let mut asked = made.lookback().iter().filter(|asked| asked.marker == id.marker);
        if asked.clone().any(|asked| asked.earlier == id.earlier) {
            return Ok(true);
        }
        if asked.next().is_none() && !made.donor_asks().iter().any(|asked| asked.marker == id.marker) {
            return Ok(false);
        }
        let earlier: Option<DonationRecord> = record(self.view, &Key::donation(&id.earlier).done())?;
        let Some(earlier) = earlier.filter(|earlier| earlier.donor.is_some() && of.donor.is_some()) else {
            return Ok(true);
        };
        let mut gave = earlier.donor.iter().chain(&earlier.or_donors);
        Ok(gave.any(|donor| of.donor.as_ref() == Some(donor) || of.or_donors.contains(donor)))
    }

    pub(super) fn lookback_done(&mut self, id: &LookbackId, step: LookbackStep, outcome: &str) -> Folded {
        let (key, done) = (Key::lookback(id).done(), self.done());
        let is_of_person = self.is_of_person();
        match record::<Lookback>(self.view, &key)? {
            Some(mut found) if is_of_person && found.takes(step, &done.by) => {
                let barred = found.bars();
                found.done.push(StepDone { step, done, outcome: outcome.to_owned() });
                if barred != found.bars() {
                    self.reopen(&id.earlier)?;
                }
                if step == LookbackStep::Closed {
                    self.counters.lookbacks_open -= 1;
                }
                self.view.put_record(key, &found)
            }
            Some(_) | None => {
                self.misfit();
                Ok(())
            }
        }
    }
}

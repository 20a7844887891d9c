//! Donors: the register, what is known from elsewhere, re-entry; and what a verdict asks to be done for earlier donations.

use super::pools::Fellows;
use super::register::stand_after;
use super::{Fold, Folded};
use crate::state::{
    Candidate, DonationNotes, DonationRecord, DonorStands, DuplicateAccepted, GroupSettled, Key, KeyParts,
    NumberChecked, RecordTakenBack, ResultSettled, StateError, collect, record,
};
use crate::{DonorAct, VerdictMade};
use release::evidence::Neighbour;
use vocabulary::{DonationId, DonorId, PoolId};

/// Lines of one donor or one donation that are kept; a person who writes more is told so before.
pub(super) const LINES_MAX: usize = 500;

impl Fold<'_, '_> {
    pub(super) fn donor_act(&mut self, act: &DonorAct) -> Folded {
        match act {
            DonorAct::Registered { donor, .. }
            | DonorAct::EarlierRecorded { donor, .. }
            | DonorAct::ReentryBegun { donor, .. }
            | DonorAct::ReentryTested { donor, .. }
            | DonorAct::ReentryApproved { donor, .. } => {
                let (done, examined) = (self.done(), self.examined(act)?);
                self.of_donor(donor, |stands| stand_after(stands, act, done, &examined))?;
                self.ask_again(act)?;
                self.answer_donor_tasks(act)
            }
            DonorAct::EarlierTakenBack { donor, record, reason } => {
                let (done, of_person) = (self.done(), self.is_of_person());
                let word = RecordTakenBack { done, reason: reason.clone() };
                self.of_donor(donor, |stands| {
                    let named = stands.earlier.iter_mut().find(|one| one.done.entry == *record);
                    of_person && named.is_some_and(|one| one.take_back(word))
                })
            }
            DonorAct::Confirmed { donation, test, .. } => {
                let is_kept = self.noted_whether(donation, |notes| {
                    notes.confirmatory.push(test.clone());
                    notes.confirmatory.len() <= LINES_MAX
                })?;
                if !is_kept {
                    return Ok(());
                }
                self.confirmed_task(donation, test)?;
                self.confirmed_lookbacks(donation, test)?;
                self.reopen_later(donation)
            }
            DonorAct::NeighbourSuspected { donation, suspect, .. } => self.noted(donation, |notes| {
                notes.neighbours.retain(|known| known.donation != *suspect);
                notes.neighbours.push(Neighbour { donation: suspect.clone(), settled: false });
                notes.neighbours.len() <= LINES_MAX
            }),
            DonorAct::NeighbourSettled { donation, suspect, .. } => self.noted(donation, |notes| {
                // What verdicts suspect is kept elsewhere: the word of a person on it is kept here.
                notes.neighbours.retain(|known| known.donation != *suspect);
                notes.neighbours.push(Neighbour { donation: suspect.clone(), settled: true });
                notes.neighbours.len() <= LINES_MAX
            }),
            DonorAct::GroupSettled { donation, run, message, sample, columns, sets_aside, reason } => {
                let settled = GroupSettled {
                    run: run.clone(),
                    message: *message,
                    sample: *sample,
                    columns: columns.clone(),
                    sets_aside: sets_aside.clone(),
                    done: self.done(),
                    reason: reason.clone(),
                };
                self.noted(donation, |notes| {
                    notes.groups.push(settled);
                    notes.groups.len() <= LINES_MAX
                })
            }
            DonorAct::NumberChecked { donation, rows, reason } => {
                let (done, of_person) = (self.done(), self.is_of_person());
                let checked = NumberChecked { rows: rows.clone(), done, reason: reason.clone() };
                self.noted_of_pools(donation, |notes| {
                    notes.numbers.push(checked);
                    let rows: usize = notes.numbers.iter().map(|one| one.rows.len()).sum();
                    of_person && notes.numbers.len() <= LINES_MAX && rows <= LINES_MAX
                })
            }
            DonorAct::DuplicateAccepted { donation, assay, results, reason } => {
                let (done, of_person) = (self.done(), self.is_of_person());
                let (assay, results, reason) = (assay.clone(), results.clone(), reason.clone());
                self.noted(donation, |notes| {
                    notes.duplicates.push(DuplicateAccepted { assay, results, done, reason });
                    of_person && notes.duplicates.len() <= LINES_MAX
                })
            }
            DonorAct::ResultSettled { donation, pool, versions, message, reason, .. } => {
                let (versions, reason) = (versions.clone(), reason.clone());
                let settled = ResultSettled { versions, message: *message, done: self.done(), reason };
                self.result_settled(donation, pool.as_ref(), settled)
            }
            DonorAct::RegistrationSettled { donation, registrations, entry, reason } => {
                self.registration_settled(donation, (registrations, *entry), reason)
            }
            DonorAct::TaskClosed { donation, task, marker, outcome, .. } => {
                self.donor_task_closed(donation, (*task, marker.as_deref()), *outcome)
            }
            DonorAct::LookbackDone { lookback, step, outcome } => {
                self.lookback_done(lookback, *step, outcome)
            }
        }
    }

    /// What counts of a donation that was tested alone counts for the others of its pools.
    fn result_settled(
        &mut self,
        donation: &DonationId,
        pool: Option<&PoolId>,
        settled: ResultSettled,
    ) -> Folded {
        let of_person = self.is_of_person();
        let change = |notes: &mut DonationNotes| {
            notes.results.push(settled);
            of_person && notes.results.len() <= LINES_MAX
        };
        if pool.is_some() { self.noted(donation, change) } else { self.noted_of_pools(donation, change) }
    }

    /// Notes of a donation on which the others of its pools rest.
    fn noted_of_pools(
        &mut self,
        donation: &DonationId,
        change: impl FnOnce(&mut DonationNotes) -> bool,
    ) -> Folded {
        let is_kept = self.noted_whether(donation, change)?;
        if is_kept { self.reopen_fellows(donation, Fellows::TestedAlone) } else { Ok(()) }
    }

    /// Changes a donor, unless `change` says that it does not fit; every donation of the donor is judged anew.
    fn of_donor(&mut self, donor: &str, change: impl FnOnce(&mut DonorStands) -> bool) -> Folded {
        let key = Key::donor(donor).done();
        let mut stands: DonorStands = record(self.view, &key)?.unwrap_or_default();
        if !change(&mut stands) {
            self.misfit();
            return Ok(());
        }
        if stands.history.len() < LINES_MAX {
            stands.history.push(self.seq);
        }
        self.view.put_record(key, &stands)?;
        for donation in self.given_from(donor, 0)? {
            self.reopen(&donation)?;
        }
        Ok(())
    }

    fn noted(&mut self, donation: &DonationId, change: impl FnOnce(&mut DonationNotes) -> bool) -> Folded {
        self.noted_whether(donation, change).map(|_| ())
    }

    /// Changes what people wrote of a donation, which is judged anew; false where `change` says that it does not fit, and
    /// nothing is kept.
    fn noted_whether(
        &mut self,
        donation: &DonationId,
        change: impl FnOnce(&mut DonationNotes) -> bool,
    ) -> Result<bool, StateError> {
        let key = Key::donation_notes(donation).done();
        let mut notes: DonationNotes = record(self.view, &key)?.unwrap_or_default();
        if !change(&mut notes) {
            self.misfit();
            return Ok(false);
        }
        self.view.put_record(key, &notes)?;
        self.reopen(donation)?;
        Ok(true)
    }

    /// The donations of a donor from a time on, oldest first.
    pub(super) fn given_from(&self, donor: &str, from_ms: u64) -> Result<Vec<DonationId>, StateError> {
        let mut span = Key::given_by(donor).under();
        span.from = Key::given_by(donor).number(from_ms).done();
        let rows = collect(self.view, &span)?;
        let donation = |(key, _): &(Vec<u8>, Vec<u8>)| {
            let mut parts = KeyParts::of(key);
            parts.text();
            parts.number();
            parts.text().and_then(|text| DonationId::new(text).ok())
        };
        Ok(rows.iter().filter_map(donation).collect())
    }

    /// What is known of a donation is evidence for those that its donor gave later.
    pub(super) fn reopen_later(&mut self, donation: &DonationId) -> Folded {
        let found: Option<DonationRecord> = record(self.view, &Key::donation(donation).done())?;
        let given = found.and_then(|found| Some((found.donor?, found.or_donors, found.collected_at_ms?)));
        let Some((donor, or_donors, at)) = given else { return Ok(()) };
        for donor in or_donors.iter().chain([&donor]) {
            for later in self.given_from(donor, u64::try_from(at).unwrap_or(0))? {
                if later != *donation {
                    self.reopen(&later)?;
                }
            }
        }
        Ok(())
    }

    /// Donations are found by their donor, too, be it one of several who may have given them; the donor's later ones have one
    /// more before them.
    pub(super) fn given(
        &mut self,
        donation: &DonationId,
        before: (&[DonorId], Option<i64>),
        now: (&[DonorId], i64),
    ) {
        let key = |donor: &str, ms: i64| {
            Key::given_by(donor).number(u64::try_from(ms).unwrap_or(0)).text(donation.as_str())
        };
        if let (donors, Some(at)) = before {
            for donor in donors {
                self.view.delete(key(donor, at).done());
            }
        }
        for donor in now.0 {
            self.mark(key(donor, now.1));
        }
    }

    /// A verdict raises look-backs and candidates for re-entry.
    pub(super) fn raise_tasks(&mut self, made: &VerdictMade, of: &DonationRecord) -> Folded {
        self.raise_lookbacks(made, of)?;
        let key = Key::candidate(made.donation()).done();
        let known: Option<Candidate> = record(self.view, &key)?;
        // Nobody becomes one by the word of one person.
        let may_be = known.is_some() || made.unsettled().is_none();
        if let (true, Some(donor)) = (made.is_reentry_candidate() && may_be, &of.donor) {
            let candidate = known.unwrap_or_else(|| Candidate {
                donor: donor.clone(),
                donation: made.donation().clone(),
                raised: self.seq,
                raised_at_ms: self.at_ms,
                collected_at_ms: of.collected_at_ms.unwrap_or(self.at_ms),
            });
            self.view.put_record(key, &candidate)
        } else {
            if known.is_some() {
                self.view.delete(key);
            }
            Ok(())
        }
    }
}

//! Tasks for the donor of a donation: raised by its verdict, answered by what people record, never by time.
//!
//! ```text
//!  not asked ──verdict asks──► open ──deferred, result recorded, closed by a person──► answered
//!      ▲                        │ ▲                                                       │
//!      └──no longer asked───────┘ └──asks for more, the donation is another donor's, ─────┘
//!                                    what was recorded is taken back, or confirmed after all
//! ```
//!
//! Nothing is asked no longer, or asked for less, while the verdict waits for two people ([`VerdictMade::unsettled`]).

use super::{Fold, Folded};
use crate::state::{
    DeferralStands, DonationNotes, DonationRecord, DonorStands, DonorTaskStands, DonorTasks, Key,
    TaskAnswered, record,
};
use crate::{AskedDeferral, DonorAct, DonorAsked, DonorTask, TaskOutcome, VerdictMade};
use jiff::{civil::Date, tz::TimeZone};
use release::evidence::{Confirmatory, Confirmed, Reentry, Register, RegisterState};
use vocabulary::{DonationId, DonorId, Virus};

/// Hours before UTC where a day begins first, and where last.
const EASTMOST: i8 = 14;
const WESTMOST: i8 = -12;

impl Fold<'_, '_> {
    /// What a verdict asks is open from now on, unless it was answered; what it asks no more is closed.
    pub(super) fn raise_donor_tasks(&mut self, made: &VerdictMade, of: &DonationRecord) -> Folded {
        let known = self.donor_tasks(made.donation())?;
        if known.is_none() && made.donor_asks().is_empty() {
            return Ok(());
        }
        let mut all = known.unwrap_or_else(|| DonorTasks {
            donation: made.donation().clone(),
            donor: of.donor.clone(),
            tasks: Vec::new(),
        });
        let again = markers_again(&all);
        let waits = made.unsettled().is_some();
        for task in all.tasks.iter_mut().filter(|_| !waits) {
            let is_again = task.task != DonorTask::Deferral && again.contains(&task.marker);
            task.asked = is_again && made.donor_asks().iter().any(|asked| asked.marker == task.marker);
        }
        // What the laboratory said may have come while the verdict was made.
        let said = self.confirmatory(made.donation())?;
        for (task, asked) in made.donor_asks().iter().flat_map(|asked| tasks_of(asked, &said)) {
            let deferral = (task == DonorTask::Deferral).then_some(asked.deferral);
            let known = all.tasks.iter_mut().find(|one| one.task == task && one.marker == asked.marker);
            let Some(known) = known else {
                all.tasks.push(DonorTaskStands {
                    task,
                    marker: asked.marker.clone(),
                    deferral,
                    asked: true,
                    again: false,
                    raised: self.seq,
                    raised_at_ms: self.at_ms,
                    answered: None,
                });
                continue;
            };
            let before = known.deferral.filter(|_| waits && known.asked);
            (known.asked, known.deferral) = (true, deferral.max(before));
        }
        self.answer_by_register(&mut all)?;
        self.put_donor_tasks(&mut all)
    }

    /// A donation is another donor's than was known: what was said of that one is no answer. Where it was a confirmation, the
    /// sample may have been that one's, too: another is to be sent, although the verdict knows of the first.
    pub(super) fn donor_of_tasks(&mut self, donation: &DonationId, donor: &DonorId) -> Folded {
        let Some(mut all) = self.donor_tasks(donation)? else { return Ok(()) };
        if all.donor.as_ref() == Some(donor) {
            return Ok(());
        }
        all.donor = Some(donor.clone());
        let of_other = |answered: &TaskAnswered| answered.donor.as_ref().is_some_and(|of| of != donor);
        for task in all.tasks.iter_mut().filter(|task| task.answered.as_ref().is_some_and(of_other)) {
            task.answered = None;
            task.again |= task.task == DonorTask::Confirmation;
        }
        let (asked, again) = (markers_asked(&all), markers_again(&all));
        for task in all.tasks.iter_mut().filter(|task| task.task != DonorTask::Deferral) {
            task.asked |= again.contains(&task.marker) && asked.contains(&task.marker);
        }
        self.answer_by_register(&mut all)?;
        self.put_donor_tasks(&mut all)
    }

    /// A test of an examination for re-entry found something: what was done for the donor because of the marker is to be done
    /// again, as if the last donation that asked for it asked anew.
    pub(super) fn ask_again(&mut self, act: &DonorAct) -> Folded {
        let DonorAct::ReentryTested { donor, test } = act else { return Ok(()) };
        let stands: DonorStands = record(self.view, &Key::donor(donor).done())?.unwrap_or_default();
        let is_kept = |case: &Reentry| case.approved.is_none() && case.tests.last() == Some(test);
        let Some(case) = stands.reentry.filter(is_kept).filter(|_| test.is_found()) else { return Ok(()) };
        let is_meant = |task: &DonorTaskStands| {
            task.asked
                && task.task != DonorTask::Confirmation
                && task.marker.eq_ignore_ascii_case(&case.marker)
        };
        for donation in self.given_from(donor, 0)?.into_iter().rev() {
            let known =
                self.donor_tasks(&donation)?.filter(|all| all.donor.as_ref().is_none_or(|of| of == donor));
            let Some(mut all) = known.filter(|all| all.tasks.iter().any(is_meant)) else { continue };
            for task in all.tasks.iter_mut().filter(|task| is_meant(task)) {
                task.answered = None;
                let heaviest = test.is_beyond_reentry().then_some(AskedDeferral::Permanent);
                task.deferral = task.deferral.map(|asked| heaviest.map_or(asked, |most| most.max(asked)));
            }
            self.answer_by_register(&mut all)?;
            return self.put_donor_tasks(&mut all);
        }
        Ok(())
    }

    /// A line of the register that was entered just now. For good, it answers for every donation of the donor; for a time,
    /// for the one that it names; an examination, for its marker. What asks for more stays open, until it asks for less.
    pub(super) fn answer_donor_tasks(&mut self, act: &DonorAct) -> Folded {
        let (donor, named, marker, most) = match act {
            DonorAct::Registered { donor, register, donation, .. } => match register.state {
                RegisterState::PermDeferred => (donor, donation.as_ref(), None, AskedDeferral::Permanent),
                RegisterState::TempDeferred => (donor, donation.as_ref(), None, AskedDeferral::UntilSettled),
                RegisterState::ReentryTesting | RegisterState::Eligible => return Ok(()),
            },
            DonorAct::ReentryBegun { donor, marker, .. } => {
                (donor, None, Some(marker), AskedDeferral::UntilSettled)
            }
            DonorAct::EarlierRecorded { .. }
            | DonorAct::EarlierTakenBack { .. }
            | DonorAct::Confirmed { .. }
            | DonorAct::ReentryTested { .. }
            | DonorAct::ReentryApproved { .. }
            | DonorAct::NeighbourSuspected { .. }
            | DonorAct::NeighbourSettled { .. }
            | DonorAct::GroupSettled { .. }
            | DonorAct::NumberChecked { .. }
            | DonorAct::DuplicateAccepted { .. }
            | DonorAct::ResultSettled { .. }
            | DonorAct::RegistrationSettled { .. }
            | DonorAct::TaskClosed { .. }
            | DonorAct::LookbackDone { .. } => return Ok(()),
        };
        let stands: DonorStands = record(self.view, &Key::donor(donor).done())?.unwrap_or_default();
        let by_this = stands.deferrals.into_iter().find(|one| one.done.entry == self.seq);
        let Some(DeferralStands { line, .. }) = by_this else { return Ok(()) };
        let of_all = marker.is_some() || most == AskedDeferral::Permanent;
        let mut donations = if of_all { self.given_from(donor, 0)? } else { Vec::new() };
        donations.extend(named.filter(|named| !donations.contains(named)).cloned());
        for donation in donations {
            let Some(mut all) = self.donor_tasks(&donation)? else { continue };
            if all.donor.as_ref().is_some_and(|of| of != donor) || !self.speaks_of(&line, &donation)? {
                continue;
            }
            let answered = self.answered((Some(most), Some(donor.clone()), None));
            let is_meant = |task: &DonorTaskStands| {
                task.task == DonorTask::Deferral && marker.is_none_or(|marker| *marker == task.marker)
            };
            answer(&mut all, is_meant, &answered);
            self.put_donor_tasks(&mut all)?;
        }
        Ok(())
    }

    /// The confirmatory laboratory said something, which is in the notes already. What stands of all that it said of the
    /// marker decides, and not this alone ([`Confirmed::standing`]): where something does, the confirmation is done; where
    /// nothing does, it is to be made, and what was recorded before answers it no more. What is not confirmed is not reported.
    ///
    /// A confirmation asks for the report again. One that is `NOT_DONE` was put off or thought needless, without this; one
    /// that is `DONE` told the authority of a reactive screening, and it has to learn that it is confirmed. Two reports are
    /// harmless, and none is not: only one that was `DONE` when it was confirmed already stays so.
    pub(super) fn confirmed_task(&mut self, donation: &DonationId, test: &Confirmatory) -> Folded {
        let Some(mut all) = self.donor_tasks(donation)? else { return Ok(()) };
        let (marker, markers) = (test.marker.name(), markers_asked(&all));
        let mut said: Vec<Confirmed> = outcomes(&self.confirmatory(donation)?, marker).collect();
        let is_it = |one: &DonorTaskStands| one.task == DonorTask::Confirmation && one.marker == marker;
        if all.tasks.iter().any(|one| is_it(one) && one.again) {
            // The rest was said of another donor.
            said = vec![test.outcome];
        }
        let stood = Confirmed::standing(said.iter().copied().take(said.len().saturating_sub(1)));
        let stands = Confirmed::standing(said);
        let (donor, is_asked) = (all.donor.clone(), markers.iter().any(|asked| asked == marker));
        for one in all.tasks.iter_mut().filter(|one| is_it(one)) {
            let by_record = one.answered.as_ref().is_some_and(|by| by.outcome.is_none());
            match stands {
                Some(_) if !by_record => {
                    one.again = false;
                    one.answered = Some(self.answered((None, donor.clone(), None)));
                }
                Some(_) => {}
                None => {
                    one.asked = is_asked;
                    one.answered = one.answered.take().filter(|_| !by_record);
                }
            }
        }
        let of_hiv = |one: &&mut DonorTaskStands| one.task == DonorTask::Report && one.marker == marker;
        for report in all.tasks.iter_mut().filter(of_hiv).filter(|_| test.marker == Virus::Hiv) {
            report.asked = match stands {
                Some(Confirmed::Positive) => true,
                Some(Confirmed::Negative) => false,
                Some(Confirmed::Indeterminate | Confirmed::NotDone) | None => is_asked,
            };
            let outcome = report.answered.as_ref().and_then(|by| by.outcome);
            let is_known = stood == Some(Confirmed::Positive) && outcome == Some(TaskOutcome::Done);
            if test.outcome == Confirmed::Positive && report.answered.is_some() && !is_known {
                report.answered = None;
            }
        }
        self.put_donor_tasks(&mut all)
    }

    /// A person says what came of a task.
    pub(super) fn donor_task_closed(
        &mut self,
        donation: &DonationId,
        (task, marker): (DonorTask, Option<&str>),
        outcome: TaskOutcome,
    ) -> Folded {
        let is_meant =
            |one: &DonorTaskStands| one.task == task && marker.is_none_or(|marker| marker == one.marker);
        let known = self.donor_tasks(donation)?.filter(|all| all.open().any(is_meant));
        let Some(mut all) = known.filter(|_| self.is_of_person()) else {
            self.misfit();
            return Ok(());
        };
        for one in all.tasks.iter_mut().filter(|one| one.is_open() && is_meant(one)) {
            one.answered = Some(self.answered((one.deferral, all.donor.clone(), Some(outcome))));
        }
        self.put_donor_tasks(&mut all)
    }

    /// Who is deferred for good need not be deferred again.
    fn answer_by_register(&self, all: &mut DonorTasks) -> Folded {
        let Some(donor) = all.donor.clone() else { return Ok(()) };
        if !all.open().any(|one| one.task == DonorTask::Deferral) {
            return Ok(());
        }
        let stands: DonorStands = record(self.view, &Key::donor(&donor).done())?.unwrap_or_default();
        for one in stands.deferrals {
            if one.line.state == RegisterState::PermDeferred && self.speaks_of(&one.line, &all.donation)? {
                let (done, deferral) = (one.done, Some(AskedDeferral::Permanent));
                let answered = TaskAnswered { done, deferral, donor: Some(donor.clone()), outcome: None };
                answer(all, |one| one.task == DonorTask::Deferral, &answered);
            }
        }
        Ok(())
    }

    /// Whether a line of the register speaks of a donation now: it was given on the line's first day or later, and the last
    /// day is not over. A day is the station's, which the ledger does not know: it counts from where it begins on earth to
    /// where it ends.
    fn speaks_of(&self, line: &Register, donation: &DonationId) -> Result<bool, crate::StateError> {
        if line.until.is_some_and(|until| day(self.at_ms, WESTMOST).is_some_and(|today| until < today)) {
            return Ok(false);
        }
        let Some(since) = line.since else { return Ok(true) };
        let found: Option<DonationRecord> = record(self.view, &Key::donation(donation).done())?;
        let given = found.and_then(|found| found.collected_at_ms).and_then(|at| day(at, EASTMOST));
        Ok(given.is_some_and(|given| since <= given))
    }

    fn answered(
        &self,
        (deferral, donor, outcome): (Option<AskedDeferral>, Option<DonorId>, Option<TaskOutcome>),
    ) -> TaskAnswered {
        TaskAnswered { done: self.done(), deferral, donor, outcome }
    }

    fn confirmatory(&self, donation: &DonationId) -> Result<Vec<Confirmatory>, crate::StateError> {
        let notes: Option<DonationNotes> = record(self.view, &Key::donation_notes(donation).done())?;
        Ok(notes.map(|notes| notes.confirmatory).unwrap_or_default())
    }

    pub(super) fn donor_tasks(&self, donation: &DonationId) -> Result<Option<DonorTasks>, crate::StateError> {
        record(self.view, &Key::donor_tasks(donation).done())
    }

    /// Keeps them; what was not open is open since now.
    fn put_donor_tasks(&mut self, all: &mut DonorTasks) -> Folded {
        let before = self.donor_tasks(&all.donation)?;
        let was_open = |task: &DonorTaskStands| {
            let is_it = |one: &DonorTaskStands| (one.task, &one.marker) == (task.task, &task.marker);
            before.as_ref().is_some_and(|before| before.open().any(is_it))
        };
        for task in all.tasks.iter_mut().filter(|task| task.is_open()) {
            if !was_open(task) {
                (task.raised, task.raised_at_ms) = (self.seq, self.at_ms);
            }
        }
        for task in DonorTask::EVERY {
            let open = Key::open_donor_task(task, &all.donation);
            if all.open().any(|one| one.task == task) {
                self.mark(open);
            } else {
                self.view.delete(open.done());
            }
        }
        self.view.put_record(Key::donor_tasks(&all.donation).done(), &*all)
    }
}

/// The day at a moment, in milliseconds since 1970 UTC, so many hours before UTC.
fn day(at_ms: i64, hours: i8) -> Option<Date> {
    let at = jiff::Timestamp::from_millisecond(at_ms).ok()?;
    Some(at.to_zoned(TimeZone::fixed(jiff::tz::offset(hours))).date())
}

/// The tasks that one marker asks for, with what a confirmatory laboratory has said.
fn tasks_of<'a>(
    asked: &'a DonorAsked,
    said: &[Confirmatory],
) -> impl Iterator<Item = (DonorTask, &'a DonorAsked)> {
    let stands = Confirmed::standing(outcomes(said, &asked.marker));
    let wanted = [
        (DonorTask::Deferral, true),
        (DonorTask::Confirmation, asked.confirm && stands.is_none()),
        (DonorTask::Report, asked.report && stands != Some(Confirmed::Negative)),
    ];
    wanted.into_iter().filter(|(_, is_asked)| *is_asked).map(move |(task, _)| (task, asked))
}

/// What was said of a marker, oldest first.
fn outcomes<'a>(said: &'a [Confirmatory], marker: &'a str) -> impl Iterator<Item = Confirmed> + 'a {
    said.iter().filter(move |test| test.marker.name() == marker).map(|test| test.outcome)
}

/// The markers because of which the verdict that stands asks for anything: each asks for a deferral, at least.
fn markers_asked(all: &DonorTasks) -> Vec<String> {
    let deferrals = all.tasks.iter().filter(|one| one.task == DonorTask::Deferral && one.asked);
    deferrals.map(|one| one.marker.clone()).collect()
}

/// The markers whose confirmation is to be made again: what refuted one of them refuted it of another donor.
fn markers_again(all: &DonorTasks) -> Vec<String> {
    all.tasks.iter().filter(|one| one.again).map(|one| one.marker.clone()).collect()
}

/// Answers those that are open and meant.
fn answer(all: &mut DonorTasks, is_meant: impl Fn(&DonorTaskStands) -> bool, by: &TaskAnswered) {
    for one in all.tasks.iter_mut().filter(|one| one.is_open() && is_meant(one)) {
        one.answered = Some(by.clone());
    }
}

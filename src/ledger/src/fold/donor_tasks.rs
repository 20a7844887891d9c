//! Tasks for the donor of a donation: raised by its verdict, answered by what people record, never by time.
//!
//! ```text
//!  not asked ──verdict asks──► open ──deferred, result recorded, closed by a person──► answered
//!      ▲                        │ ▲                                                       │
//!      └──no longer asked───────┘ └──asks for more, or the donation is another donor's────┘
//! ```

use super::{Fold, Folded};
use crate::state::{
    DonationNotes, DonationRecord, DonorStands, DonorTaskStands, DonorTasks, Key, TaskAnswered, record,
};
use crate::{AskedDeferral, DonorAct, DonorAsked, DonorTask, TaskOutcome, VerdictMade};
use release::evidence::{Confirmatory, Confirmed, Register, RegisterState};
use vocabulary::{DonationId, Virus};

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
        let stood = all.tasks.clone();
        for task in &mut all.tasks {
            task.asked = false;
        }
        // What the laboratory said may have come while the verdict was made.
        let notes: Option<DonationNotes> = record(self.view, &Key::donation_notes(made.donation()).done())?;
        let said = notes.map(|notes| notes.confirmatory).unwrap_or_default();
        for (task, asked) in made.donor_asks().iter().flat_map(|asked| tasks_of(asked, &said)) {
            let deferral = (task == DonorTask::Deferral).then_some(asked.deferral);
            let known = all.tasks.iter_mut().find(|one| one.task == task && one.marker == asked.marker);
            let Some(known) = known else {
                all.tasks.push(DonorTaskStands {
                    task,
                    marker: asked.marker.clone(),
                    deferral,
                    asked: true,
                    raised: self.seq,
                    raised_at_ms: self.at_ms,
                    answered: None,
                });
                continue;
            };
            (known.asked, known.deferral) = (true, deferral);
            let was_open =
                stood.iter().any(|one| (one.task, &one.marker) == (task, &known.marker) && one.is_open());
            if !was_open && known.is_open() {
                (known.raised, known.raised_at_ms) = (self.seq, self.at_ms);
            }
        }
        self.answer_by_register(&mut all)?;
        self.put_donor_tasks(&all)
    }

    /// A donation is another donor's than was known: what was said of that one is no answer.
    pub(super) fn donor_of_tasks(&mut self, donation: &DonationId, donor: &str) -> Folded {
        let Some(mut all) = self.donor_tasks(donation)? else { return Ok(()) };
        if all.donor.as_deref() == Some(donor) {
            return Ok(());
        }
        all.donor = Some(donor.to_owned());
        for task in &mut all.tasks {
            let of_other = |answered: &TaskAnswered| answered.donor.as_deref().is_some_and(|of| of != donor);
            if task.answered.as_ref().is_some_and(of_other) {
                task.answered = None;
                (task.raised, task.raised_at_ms) = (self.seq, self.at_ms);
            }
        }
        self.answer_by_register(&mut all)?;
        self.put_donor_tasks(&all)
    }

    /// A line of the register that was entered just now. For good, it answers for every donation of the donor; for a time,
    /// for the one that it names; an examination, for its marker. What asks for more stays open, until it asks for less.
    pub(super) fn answer_donor_tasks(&mut self, act: &DonorAct) -> Folded {
        let (donor, named, marker, most) = match act {
            DonorAct::Registered { donor, register: Register { state, .. }, donation, .. } => match state {
                RegisterState::PermDeferred => (donor, donation.as_ref(), None, AskedDeferral::Permanent),
                RegisterState::TempDeferred => (donor, donation.as_ref(), None, AskedDeferral::UntilSettled),
                RegisterState::ReentryTesting | RegisterState::Eligible => return Ok(()),
            },
            DonorAct::ReentryBegun { donor, marker, .. } => {
                (donor, None, Some(marker), AskedDeferral::UntilSettled)
            }
            DonorAct::EarlierRecorded { .. }
            | DonorAct::Confirmed { .. }
            | DonorAct::ReentryTested { .. }
            | DonorAct::ReentryApproved { .. }
            | DonorAct::NeighbourSuspected { .. }
            | DonorAct::NeighbourSettled { .. }
            | DonorAct::GroupSettled { .. }
            | DonorAct::NumberChecked { .. }
            | DonorAct::DuplicateAccepted { .. }
            | DonorAct::TaskClosed { .. }
            | DonorAct::LookbackDone { .. } => return Ok(()),
        };
        let stands: DonorStands = record(self.view, &Key::donor(donor).done())?.unwrap_or_default();
        if stands.registered.is_none_or(|registered| registered.entry != self.seq) {
            return Ok(());
        }
        let of_all = marker.is_some() || most == AskedDeferral::Permanent;
        let mut donations = if of_all { self.given_from(donor, 0)? } else { Vec::new() };
        donations.extend(named.filter(|named| !donations.contains(named)).cloned());
        for donation in donations {
            let Some(mut all) = self.donor_tasks(&donation)? else { continue };
            if all.donor.as_ref().is_some_and(|of| of != donor) {
                continue;
            }
            let answered = self.answered((Some(most), Some(donor.clone()), None));
            let is_meant = |task: &DonorTaskStands| {
                task.task == DonorTask::Deferral && marker.is_none_or(|marker| *marker == task.marker)
            };
            answer(&mut all, is_meant, &answered);
            self.put_donor_tasks(&all)?;
        }
        Ok(())
    }

    /// The confirmatory laboratory said something, or nothing will come of it. What is not confirmed is not reported.
    pub(super) fn confirmed_task(&mut self, donation: &DonationId, test: &Confirmatory) -> Folded {
        let Some(mut all) = self.donor_tasks(donation)? else { return Ok(()) };
        let marker = test.marker.name();
        let answered = self.answered((None, None, None));
        answer(&mut all, |one| one.task == DonorTask::Confirmation && one.marker == marker, &answered);
        let reports =
            all.tasks.iter_mut().filter(|one| one.task == DonorTask::Report && one.marker == marker);
        for report in reports.filter(|_| test.marker == Virus::Hiv) {
            match test.outcome {
                Confirmed::Negative => report.asked = false,
                Confirmed::Positive => report.asked = true,
                Confirmed::Indeterminate | Confirmed::NotDone => {}
            }
        }
        self.put_donor_tasks(&all)
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
            let donor = all.donor.clone().filter(|_| task == DonorTask::Deferral);
            one.answered = Some(self.answered((one.deferral, donor, Some(outcome))));
        }
        self.put_donor_tasks(&all)
    }

    /// Who is deferred for good need not be deferred again.
    fn answer_by_register(&self, all: &mut DonorTasks) -> Folded {
        let Some(donor) = all.donor.clone() else { return Ok(()) };
        if !all.open().any(|one| one.task == DonorTask::Deferral) {
            return Ok(());
        }
        let stands: DonorStands = record(self.view, &Key::donor(&donor).done())?.unwrap_or_default();
        let for_good = stands.register.is_some_and(|line| line.state == RegisterState::PermDeferred);
        if let Some(done) = stands.registered.filter(|_| for_good) {
            let deferral = Some(AskedDeferral::Permanent);
            let answered = TaskAnswered { done, deferral, donor: Some(donor), outcome: None };
            answer(all, |one| one.task == DonorTask::Deferral, &answered);
        }
        Ok(())
    }

    fn answered(
        &self,
        (deferral, donor, outcome): (Option<AskedDeferral>, Option<String>, Option<TaskOutcome>),
    ) -> TaskAnswered {
        TaskAnswered { done: self.done(), deferral, donor, outcome }
    }

    fn donor_tasks(&self, donation: &DonationId) -> Result<Option<DonorTasks>, crate::StateError> {
        record(self.view, &Key::donor_tasks(donation).done())
    }

    fn put_donor_tasks(&mut self, all: &DonorTasks) -> Folded {
        let open = Key::open_donor_tasks_of(&all.donation);
        if all.open().next().is_some() {
            self.mark(open);
        } else {
            self.view.delete(open.done());
        }
        self.view.put_record(Key::donor_tasks(&all.donation).done(), all)
    }
}

/// The tasks that one marker asks for, with what a confirmatory laboratory has said.
fn tasks_of<'a>(
    asked: &'a DonorAsked,
    said: &[Confirmatory],
) -> impl Iterator<Item = (DonorTask, &'a DonorAsked)> {
    let outcomes = || said.iter().filter(|test| test.marker.name() == asked.marker).map(|test| test.outcome);
    let is = |outcome: Confirmed| outcomes().any(|one| one == outcome);
    let is_refuted = is(Confirmed::Negative) && !is(Confirmed::Positive);
    let wanted = [
        (DonorTask::Deferral, true),
        (DonorTask::Confirmation, asked.confirm && outcomes().next().is_none()),
        (DonorTask::Report, asked.report && !is_refuted),
    ];
    wanted.into_iter().filter(|(_, is_asked)| *is_asked).map(move |(task, _)| (task, asked))
}

/// Answers those that are open and meant.
fn answer(all: &mut DonorTasks, is_meant: impl Fn(&DonorTaskStands) -> bool, by: &TaskAnswered) {
    for one in all.tasks.iter_mut().filter(|one| one.is_open() && is_meant(one)) {
        one.answered = Some(by.clone());
    }
}

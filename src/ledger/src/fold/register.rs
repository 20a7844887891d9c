//! The deferral register: what defers a donor stands by itself, as holds of a donation do, until it is taken back. A shorter
//! deferral takes nothing from a longer one, and an examination for re-entry nothing from a deferral of another cause.

use super::Fold;
use super::donors::LINES_MAX;
use crate::state::{
    DeferralStands, Done, DonorStands, DonorTaskStands, EarlierRecord, Key, StateError, record,
};
use crate::{DonorAct, DonorTask, Seq};
use release::evidence::{Reentry, Register, RegisterState};

/// Reasons that the line of the register tells, the last ones.
const REASONS_MAX: usize = 5;

impl Fold<'_, '_> {
    /// The deferrals that an approved examination takes back: those that it names, and those that answered the task of a
    /// donation whose verdicts ever asked for a deferral because of the marker that was examined, and of no other. Of which
    /// cause any other is nobody knows, though it may be because of the same donation.
    pub(super) fn examined(&self, act: &DonorAct) -> Result<Vec<Seq>, StateError> {
        let DonorAct::ReentryApproved { donor, case, takes_back } = act else { return Ok(Vec::new()) };
        let stands: Option<DonorStands> = record(self.view, &Key::donor(donor).done())?;
        let mut examined = takes_back.clone();
        for one in stands.map(|stands| stands.deferrals).unwrap_or_default() {
            let Some(donation) = &one.donation else { continue };
            let Some(all) = self.donor_tasks(donation)? else { continue };
            let mut deferrals = all.tasks.iter().filter(|task| task.task == DonorTask::Deferral).peekable();
            let answers = |task: &DonorTaskStands| {
                task.answered.as_ref().is_some_and(|by| by.done.entry == one.done.entry)
            };
            let is_it = deferrals.peek().is_some()
                && deferrals.all(|task| task.marker.eq_ignore_ascii_case(&case.marker) && answers(task));
            examined.extend(is_it.then_some(one.done.entry));
        }
        Ok(examined)
    }
}

/// Where a donor stands after an act; false when it does not fit, and nothing of it is kept.
pub(super) fn stand_after(stands: &mut DonorStands, act: &DonorAct, done: Done, examined: &[Seq]) -> bool {
    match act {
        DonorAct::Registered { register, on, .. } if register.state == RegisterState::Eligible => {
            lift(stands, (register, on), done)
        }
        DonorAct::Registered { register, donation, .. } => {
            let one =
                DeferralStands { done, line: register.clone(), donation: donation.clone(), marker: None };
            defer(stands, one)
        }
        DonorAct::EarlierRecorded { earlier, source, .. } => {
            let fits = stands.earlier.len() < LINES_MAX;
            if fits {
                let (earlier, source) = (earlier.clone(), source.clone());
                stands.earlier.push(EarlierRecord { done, earlier, source, taken_back: Vec::new() });
            }
            fits
        }
        DonorAct::ReentryBegun { .. } if stands.came_back.len() >= LINES_MAX => false,
        DonorAct::ReentryBegun { marker, deferred_on, nat_then, reason, .. } => {
            // Who is deferred stays so for the donations that it was for.
            let since = together(&stands.deferrals).and_then(|line| line.since);
            let state = RegisterState::ReentryTesting;
            let line = Register { state, reason: Some(reason.clone()), until: None, since };
            let one = DeferralStands { done, line, donation: None, marker: Some(marker.clone()) };
            if !defer(stands, one) {
                return false;
            }
            // What a test found stands, whatever becomes of its examination.
            let tells = |case: &Reentry| case.approved.is_some() || !case.tests.is_empty();
            stands.came_back.extend(stands.reentry.take().filter(tells));
            stands.reentry = Some(Reentry {
                marker: marker.clone(),
                deferred_on: *deferred_on,
                nat_then: *nat_then,
                tests: Vec::new(),
                approved: None,
                approved_on: Vec::new(),
            });
            true
        }
        DonorAct::ReentryTested { test, .. } => match &mut stands.reentry {
            Some(case) if case.tests.len() < LINES_MAX && case.approved.is_none() => {
                case.tests.push(test.clone());
                true
            }
            Some(_) | None => false,
        },
        DonorAct::ReentryApproved { case, .. } => approve(stands, case, done, examined),
        DonorAct::EarlierTakenBack { .. }
        | DonorAct::Confirmed { .. }
        | DonorAct::NeighbourSuspected { .. }
        | DonorAct::NeighbourSettled { .. }
        | DonorAct::GroupSettled { .. }
        | DonorAct::NumberChecked { .. }
        | DonorAct::DuplicateAccepted { .. }
        | DonorAct::ResultSettled { .. }
        | DonorAct::RegistrationSettled { .. }
        | DonorAct::TaskClosed { .. }
        | DonorAct::LookbackDone { .. } => false,
    }
}

/// One more stands, and takes nothing from the others; an examination takes the place of one for the same marker.
fn defer(stands: &mut DonorStands, one: DeferralStands) -> bool {
    let for_good = RegisterState::PermDeferred;
    let is_for_good = state(stands) == for_good;
    let room = stands.deferrals.len() < LINES_MAX || (one.line.state == for_good && !is_for_good);
    if (is_for_good && one.line.state != for_good) || !room {
        return false;
    }
    let is_same =
        |known: &DeferralStands| one.marker.as_deref().is_some_and(|marker| examines(known, marker));
    stands.deferrals.retain(|known| !is_same(known));
    let done = one.done.clone();
    stands.deferrals.push(one);
    (stands.register, stands.registered) = (together(&stands.deferrals), Some(done));
    true
}

/// A donor may give again, as far as what is named stood in the way. Where nothing is named that stands, the only deferral
/// is meant; of several nobody knows which, and all stay.
fn lift(stands: &mut DonorStands, (line, on): (&Register, &[Seq]), done: Done) -> bool {
    let is_for_a_time = |one: &DeferralStands| one.line.state == RegisterState::TempDeferred;
    let is_named = |one: &DeferralStands| is_for_a_time(one) && on.contains(&one.done.entry);
    let lifts_any = stands.deferrals.iter().any(is_named);
    let lifts_only = !lifts_any && stands.deferrals.len() == 1 && stands.deferrals.iter().all(is_for_a_time);
    let fits = stands.deferrals.is_empty()
        || (state(stands) != RegisterState::PermDeferred && (lifts_any || lifts_only));
    if fits {
        stands.deferrals.retain(|one| !(lifts_only || is_named(one)));
        let eligible = || Register { since: None, ..line.clone() };
        stands.register = Some(together(&stands.deferrals).unwrap_or_else(eligible));
        stands.registered = Some(done);
    }
    fits
}

/// What was examined and approved stands no more, and what the approval takes back; whatever else stands goes on.
fn approve(stands: &mut DonorStands, case: &Reentry, done: Done, examined: &[Seq]) -> bool {
    let is_this = |known: &Reentry| known.marker == case.marker && known.tests == case.tests;
    let fits = state(stands) == RegisterState::ReentryTesting && stands.reentry.as_ref().is_some_and(is_this);
    if fits {
        stands.deferrals.retain(|one| !examines(one, &case.marker) && !examined.contains(&one.done.entry));
        let eligible = Register { state: RegisterState::Eligible, reason: None, until: None, since: None };
        stands.register = Some(together(&stands.deferrals).unwrap_or(eligible));
        stands.registered = Some(done);
        stands.reentry = Some(case.clone());
    }
    fits
}

fn examines(one: &DeferralStands, marker: &str) -> bool {
    one.marker.as_ref().is_some_and(|examined| examined.eq_ignore_ascii_case(marker))
}

fn state(stands: &DonorStands) -> RegisterState {
    stands.deferrals.iter().map(|one| one.line.state).max().unwrap_or(RegisterState::Eligible)
}

/// What those that stand come to: the gravest state with its reasons and its last day, for every donation that any of them
/// speaks of. Nothing where none stands.
fn together(all: &[DeferralStands]) -> Option<Register> {
    let state = all.iter().map(|one| one.line.state).max()?;
    let gravest = || all.iter().map(|one| &one.line).filter(|line| line.state == state);
    let mut reasons: Vec<&str> = Vec::new();
    for reason in gravest().filter_map(|line| line.reason.as_deref()) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.drain(..reasons.len().saturating_sub(REASONS_MAX));
    let until: Option<Vec<_>> = gravest().map(|line| line.until).collect();
    let since: Option<Vec<_>> = all.iter().map(|one| one.line.since).collect();
    Some(Register {
        state,
        reason: (!reasons.is_empty()).then(|| reasons.join("; ")),
        until: until.and_then(|days| days.into_iter().max()),
        since: since.and_then(|days| days.into_iter().min()),
    })
}

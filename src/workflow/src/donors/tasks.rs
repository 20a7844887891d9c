//! A person's word on a task that a donation's verdict raised for its donor.

use super::{Refused, donation, text, write};
use crate::Settings;
use crate::people::{Act, Actor};
use ledger::{DonorAct, DonorTask, Ledger, Seq, TaskOutcome};
use serde::Deserialize;

/// What came of a task for a donor.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// The donation whose verdict asks for it.
    pub donation: String,
    /// Which task.
    pub task: DonorTask,
    /// Of which marker, by the names of verdicts; without it, of every one.
    #[serde(default)]
    pub marker: Option<String>,
    /// Whether it was done.
    pub outcome: TaskOutcome,
    /// How, or why not.
    pub reason: String,
}

/// Closes a task for a donor. That a donor is deferred, or what a confirmatory laboratory said, is recorded as such, and
/// closes its task by that; of these a person says only why they are not done here.
///
/// # Errors
/// [`Refused`]; [`Refused::DoneByRecord`], [`Refused::NoSuchTask`].
pub fn close_task(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    closing: &Closing,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::CloseDonorTask)?;
    let (donation, task) = (donation(settings, &closing.donation)?, closing.task);
    let reason = text("reason", &closing.reason)?;
    match (task, closing.outcome) {
        (DonorTask::Deferral | DonorTask::Confirmation, TaskOutcome::Done) => {
            return Err(Refused::DoneByRecord(task));
        }
        (_, TaskOutcome::NotDone) | (DonorTask::Report, TaskOutcome::Done) => {}
    }
    let marker = closing.marker.as_deref().map(str::trim);
    let known = reader.donor_tasks_of(&donation)?;
    let is_meant = |one: &ledger::DonorTaskStands| {
        one.task == task && marker.is_none_or(|marker| marker.eq_ignore_ascii_case(&one.marker))
    };
    let meant = known.as_ref().and_then(|all| all.open().find(|one| is_meant(one)));
    // By the name that it goes by, however it was typed.
    let named = meant.map(|one| one.marker.clone()).filter(|_| marker.is_some());
    if meant.is_none() {
        return Err(Refused::NoSuchTask { donation, task });
    }
    let (marker, outcome) = (named, closing.outcome);
    let act = DonorAct::TaskClosed { donation: donation.clone(), task, marker, outcome, reason };
    let entry = write(ledger, actor, act)?;
    // Another word may have come first: then this one changed nothing.
    let now = ledger.state().donor_tasks_of(&donation)?;
    let by_this =
        |one: &ledger::DonorTaskStands| one.answered.as_ref().is_some_and(|by| by.done.entry == entry);
    if now.is_some_and(|all| all.tasks.iter().any(by_this)) {
        Ok(entry)
    } else {
        Err(Refused::NoSuchTask { donation, task })
    }
}

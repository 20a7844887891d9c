//! Tasks for the donor of a donation, as the state keeps them.

use super::Done;
use crate::{AskedDeferral, DonorTask, Seq, TaskOutcome};
use serde::{Deserialize, Serialize};
use vocabulary::{DonationId, DonorId};

/// What answered a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskAnswered {
    /// Who, when, by which entry.
    #[serde(flatten)]
    pub done: Done,
    /// How the donor was to be deferred when it was answered: who asks for more asks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferral: Option<AskedDeferral>,
    /// Whom it was said of, where that was known. Of another donor it is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donor: Option<DonorId>,
    /// A person's word that closed it; nothing where what it asks was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<TaskOutcome>,
}

/// One task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DonorTaskStands {
    /// Which.
    pub task: DonorTask,
    /// What for, by the names of verdicts.
    pub marker: String,
    /// How the donor is to be deferred, of a deferral.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferral: Option<AskedDeferral>,
    /// The verdict that stands asks for it.
    pub asked: bool,
    /// A confirmation that is to be made again, since what was said before was said of another donor: while the verdict that
    /// stands asks for anything because of the marker, whatever it takes for confirmed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// The entry since which it is open, or was last.
    pub raised: Seq,
    /// When that was, milliseconds since 1970 UTC.
    pub raised_at_ms: i64,
    /// What answered it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<TaskAnswered>,
}

impl DonorTaskStands {
    /// Whether it is to be done.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.asked && self.answered.as_ref().is_none_or(|answered| answered.deferral < self.deferral)
    }
}

/// The tasks for the donor of one donation, closed ones too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DonorTasks {
    /// The donation whose verdict asks for them.
    pub donation: DonationId,
    /// Its donor, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub donor: Option<DonorId>,
    /// In the order in which they were first asked for.
    pub tasks: Vec<DonorTaskStands>,
}

impl DonorTasks {
    /// Those that are to be done.
    pub fn open(&self) -> impl Iterator<Item = &DonorTaskStands> {
        self.tasks.iter().filter(|task| task.is_open())
    }
}

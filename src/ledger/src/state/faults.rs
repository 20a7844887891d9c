//! Faults of interfaces that nobody has settled, and where in the journal a run's messages stand.

use super::Done;
use crate::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::{ConnectionId, RunId};

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// A message is in quarantine: what it says is not used.
    Quarantined,
    /// A transmission broke off, and no message is its rest.
    BrokenOff {
        /// The half transmission.
        transfer: u64,
    },
}

/// A fault of an interface that stands open: a run that it fell into waits for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FaultRecord {
    pub(crate) connection: ConnectionId,
    /// Where it begins; it ends with the entry that it goes by.
    pub(crate) began: Seq,
    pub(crate) at_ms: i64,
    pub(crate) kind: FaultKind,
}

/// A fault that fell into a run, and whoever looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultSettled {
    /// The fault.
    pub fault: Seq,
    /// Who, when.
    pub done: Done,
    /// What they found.
    pub why: String,
}

/// From a run's first message to its last, in the order of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunSpanRecord {
    pub(crate) first: Seq,
    pub(crate) last: Seq,
}

/// A fault of an interface that stands open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InterfaceFault {
    /// What it goes by: the message, or the entry that ended the transmission.
    pub fault: Seq,
    /// The line.
    pub connection: ConnectionId,
    /// What went wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Where it begins in the journal.
    pub began: Seq,
    /// Runs that it fell into.
    pub runs: Vec<RunId>,
}

//! The state: what is. Made by the fold from the journal and by nothing else, and kept where it can be thrown
//! away and made again.

mod clock;
mod components;
mod donor_tasks;
mod donors;
mod faults;
mod fitness;
mod gathered;
mod keys;
mod kits;
mod lots;
mod memory;
mod neighbours;
mod orders;
mod packed;
mod people;
mod records;
mod registration;
mod rules;
mod signed;
mod sled_store;
mod view;

pub use clock::ClockStands;
pub use components::{
    COMPONENTS_MAX, ComponentPlace, ComponentStands, Components, Issue, Kept, KeptAs, WrittenOff,
};
pub use donor_tasks::{DonorTaskStands, DonorTasks, TaskAnswered};
pub use donors::{
    Candidate, DeferralStands, DonationNotes, DonorStands, DuplicateAccepted, EarlierRecord, FoundAs,
    GroupSettled, Lookback, NumberChecked, RecordTakenBack, ResultSettled, StepDone,
};
pub use faults::{FaultKind, FaultSettled, InterfaceFault};
pub(crate) use faults::{FaultRecord, RunSpanRecord};
pub use fitness::{FitnessNote, Standing, TakeBack, Tested};
pub(crate) use gathered::{GATHERED_BYTES_MAX, Gathered};
pub(crate) use keys::{Key, KeyParts};
pub use kits::{KitsInForce, KitsProposal, KitsStand};
pub use lots::LotDefect;
pub(crate) use memory::MemoryStore;
pub use neighbours::{SESSION_MS, WrongTube};
pub(crate) use orders::*;
pub(crate) use people::*;
pub(crate) use records::*;
pub use records::{Counters, DeliveryState};
pub use registration::{Registered, RegistrationWord, Told, Untaken};
pub use rules::{InForce, RulesInForce, RulesProposal};
pub use signed::{
    BatchRecord, ByPeople, DiscardDone, Done, HOLDS_MAX, HoldStands, RUN_PROPOSAL_STANDS_MS, Recall,
    ReleaseSigned, RunInvalidation, RunJudged, RunProposed, SignedBasis,
};
pub(crate) use sled_store::{SEGMENT_BYTES, open as open_sled};
pub(crate) use view::{View, collect, decode, long_record, record, seq};

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, PoisonError, RwLock};

/// Why the state cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the state store: {0}")]
pub struct StateError(pub(crate) String);

/// What a batch changes: a value, or nothing any more.
pub(crate) type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A range of keys and the way to walk it.
#[derive(Debug, Clone)]
pub(crate) struct Span {
    /// First key, inclusive.
    pub(crate) from: Vec<u8>,
    /// Last key, exclusive; empty: none.
    pub(crate) to: Vec<u8>,
    /// From the end.
    pub(crate) backwards: bool,
}

/// Called for each key and value; may stop the walk.
pub(crate) type Each<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> ControlFlow<()>;

/// Ordered keys and values.
pub(crate) trait Read {
    /// The value of `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError>;
    /// Walks `span`.
    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError>;
}

/// What holds the state.
pub(crate) trait Store: Read + Send + Sync {
    /// Applies `changes` whole or not at all.
    fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError>;
    /// Makes what was written durable.
    fn flush(&self) -> Result<(), StateError>;
    /// What was found to be damaged, by whoever read there.
    fn fault(&self) -> Option<String>;
    /// Its size on disk.
    fn len_bytes(&self) -> u64;
}

/// The store in use, which may be replaced while readers hold on to the old one.
pub(crate) struct StateCell(RwLock<Arc<dyn Store>>);

impl StateCell {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self(RwLock::new(store))
    }

    pub(crate) fn replace(&self, store: Arc<dyn Store>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = store;
    }

    pub(crate) fn get(&self) -> Arc<dyn Store> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Stands in for a store while there is none.
pub(crate) struct Unavailable(StateError);

impl Unavailable {
    pub(crate) fn new(why: &str) -> Self {
        Self(StateError(format!("it is being opened again ({why})")))
    }
}

impl Read for Unavailable {
    fn get(&self, _key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        Err(self.0.clone())
    }

    fn walk(&self, _span: &Span, _each: Each<'_>) -> Result<(), StateError> {
        Err(self.0.clone())
    }
}

impl Store for Unavailable {
    fn write(&self, _changes: Cow<'_, Changes>) -> Result<(), StateError> {
        Err(self.0.clone())
    }

    fn flush(&self) -> Result<(), StateError> {
        Err(self.0.clone())
    }

    fn fault(&self) -> Option<String> {
        None
    }

    fn len_bytes(&self) -> u64 {
        0
    }
}

//! The one durable thing: journal, group commit, fold into sled.
//!
//! ```text
//!   append(group) ──► queue ──► committer: one write, one fdatasync ──► Durable ──► ACK
//!                                   │
//!                                   └──► journal files ──► applier: fold ──► state ──► Reader
//! ```
//!
//! The **journal** is what happened: entries in order, checksummed and chained, in files that are only ever
//! appended to. The **state** is what is: the fold of the journal, in sled, thrown away and made again whenever
//! it is not as it should be. An answer to a peer rests on the journal alone; [`Durable`] is its proof.
//!
//! Absent on purpose: no runtime (futures wake, threads block, callers choose), no deletion, no update in
//! place, and no way to a [`VerdictMade`] but through the release room.

mod ahead;
mod alike;
mod applier;
mod bounds;
mod channel;
mod checkpoint;
mod committer;
mod encode;
mod entry;
mod export;
mod fold;
mod fold_store;
mod handoff;
mod health;
mod journal;
mod ledger;
mod open;
mod pending;
mod queue;
mod reader;
mod rebuild;
mod settings;
mod signal;
mod space;
mod state;
pub mod storage;
mod sync;
mod verify;

pub use bounds::MemoryPart;
pub use channel::{CALIBRATION, Channel, UNNAMED, WINDOW_MARK, day_of, whole_run};
pub use entry::{
    AskedDeferral, BatchOf, Body, By, Bytes, ClockState, ComponentAct, ComponentMove, DeliveryId,
    DeliveryIdError, DonorAct, DonorAsked, DonorData, DonorTask, Draft, Earlier, Entry, Expiry, FitnessAct,
    FoundBefore, FoundComponents, HoldKind, HowEnded, KitRef, KitsAct, Known, LeftHeld, LookbackAsked,
    LookbackId, LookbackStep, LotsAct, Mapped, Mapping, MarkerBefore, Measured, ObservationRef, PasswordHash,
    PersonAct, PersonEntry, PoolMade, PoolMember, Pools, ProfileContent, RowAt, RulesAct, RunCause, Seq,
    Service, SetAside, SignedAct, SignedDonation, TaskOutcome, Terms, UnitCount, VerdictMade, What,
    WindowSpan,
};
pub use export::{Export, ExportError, ExportKind, export};
pub use health::Status;
pub use journal::{
    ChainHash, CutTail, Damage, HashAlgorithm, HeaderFault, JournalError, JournalReport, Line, Stream,
};
pub use ledger::{Applied, GROUP_BYTES_MAX, GROUP_ENTRIES_MAX, Ledger, StateStands};
pub use open::{OpenError, OpenReport, Progress};
pub use pending::{AppendFailed, Durable, Pending, Refused};
pub use reader::*;
pub use rebuild::{RebuildReport, rebuild};
pub use settings::{Clock, Settings, StateStore, SystemClock};
pub use signal::{Moved, Subscription};
pub use state::{
    BatchRecord, ByPeople, COMPONENTS_MAX, Candidate, ClockStands, ComponentPlace, ComponentStands,
    Components, Counters, DeferralStands, DeliveryState, DiscardDone, DonationNotes, Done, DonorStands,
    DonorTaskStands, DonorTasks, DuplicateAccepted, EarlierRecord, FaultKind, FaultSettled, FitnessNote,
    FoundAs, GroupSettled, HOLDS_MAX, HoldStands, InForce, InterfaceFault, Issue, Kept, KeptAs, KitsInForce,
    KitsProposal, KitsStand, Lookback, LotDefect, NumberChecked, RUN_PROPOSAL_STANDS_MS, Recall,
    RecordTakenBack, Registered, RegistrationWord, ReleaseSigned, ResultSettled, RulesInForce, RulesProposal,
    RunInvalidation, RunJudged, RunProposed, SESSION_MS, SignedBasis, Standing, StateError, StepDone,
    TakeBack, TaskAnswered, Tested, Told, Untaken, WrittenOff, WrongTube,
};
pub use verify::{StateReport, VerifyReport, VerifyState, verify};

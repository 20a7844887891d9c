//! Moves work from room to room: messages into observations, observations into evidence, evidence into verdicts.
//!
//! Work items are state of the ledger. This room reads one, asks a pure room, and appends the output together with
//! the end of the item; a crash in between leaves the item where it was. It knows no socket and no page.

mod again;
pub mod batches;
pub mod compare;
pub mod components;
mod cut;
mod decider;
pub mod donors;
mod earlier;
mod evidence;
mod facts;
mod falls;
pub mod faults;
pub mod fitness;
mod halves;
mod hex;
mod interpreter;
pub mod kits;
pub mod lots;
pub mod mapping;
mod measurement;
mod moments;
mod neighbours;
pub mod orders;
pub mod people;
pub mod pins;
pub mod pools;
mod profiles;
pub mod quarantine;
mod receivers;
pub mod registrations;
pub mod reprocess;
pub mod rules;
mod run;
pub mod runs;
mod shares;
mod signing;
mod specimens;
pub mod tasks;

pub use decider::facts_of;
pub use evidence::evidence;
pub use facts::{
    AcceptedLot, AssayLot, DonationFacts, Fact, KitWord, LotRegister, RunCheck, RunFacts, Told, TypedNumber,
};
pub use falls::{Fall, Fell};
pub use interpreter::Interpreted;
pub use profiles::Profiles;
pub use quality_control::kits::{KitFile, Kits, SHIPPED as SHIPPED_KITS};
pub use run::{Settings, SignOff, Stopped, run, work_once};
pub use specimens::{Located, SpecimenRule, Unlocated};

//! What one analyser model means by its fields: schema, checks, interpretation, catalogue.
//!
//! ```text
//! catalogue/<maker>/<model>/profile.toml ──read, checked──► Profile ──interpret(raw message)──► observations
//!                           captures/*.capture + *.expected.json      │                         + findings
//!                           simulation.toml, simulation/*.jinja       └─ every row ends in one of the two
//! ```
//!
//! A new analyser is a new folder, never code. Texts are mapped by exact equality; what is not mapped is a finding
//! with its place and holds what depends on it. Nothing here decides about a donation, stores, or reads a clock.

mod capture;
mod catalogue;
mod compare;
mod evidence;
mod excerpt;
mod fault;
mod interpret;
mod link;
mod mapping;
mod message;
mod orders;
mod path;
mod profile;
mod resume;
mod schema;
mod sketch;
mod template;
#[cfg(test)]
mod tests;
mod wish;

/// The JSON Schema of `profile.toml`, for editors; it says what may be written, and the profile's own checks what is missing.
pub const JSON_SCHEMA: &str = include_str!("../profile.schema.json");

pub use capture::{CaptureOutcome, CaptureReport, messages_of, record_expectations, test_profile};
pub use catalogue::{Catalogue, Entry};
pub use compare::{Change, Comparison, Part, ResultChange};
pub use evidence::{Claim, Evidence, Level, Source};
pub use excerpt::Excerpt;
pub use fault::{Fault, ProfileErrors};
pub use interpret::Interpretation;
pub use link::{
    AckMode, BlockAnswers, Checksum, Close, DirectorySettings, FrameNumbers, Framing, Interrupts, LinkRole,
    LinkSettings, Lis01Settings, MessageEnd, MllpSettings, OnUnusable, PkBlocksSettings, SegmentEnds,
    TcpRole, Terminator, TimersMs, UnframedSettings,
};
pub use mapping::NotMapped;
pub use orders::{
    AskedSpecimen, Covers, ForSpecimen, Host, JudgedOrder, NotTaken, OrderAnswer, OrderMessage, OrderPart,
    Outcome, Query, QueryKind, Stamp, Step, StepAnswer, StepMeaning, Taken, WriteError, Written,
};
pub use profile::{Content, Name, Profile, RequiredControls};
pub use resume::{Resumed, joined_frames};
pub use sketch::{NewProfile, Remarks, Sketch, sketch};
pub use wish::{OrderWish, WishAction};

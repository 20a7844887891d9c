//! Rule packs and the verdict: the one place that decides about a donation.
//!
//! [`decide`] is total and pure: [`Evidence`] and a [`RulePack`] in, a [`Verdict`] with its reasons out. It reads no
//! clock, no store and no wire format, and compares in exact decimals. What is missing holds the unit; nothing is
//! guessed. [`explain`] gives the same verdict with its trace. Row and rule names (`M9`, `G4`, `R-GATE-06`, …) are those of the rules the packs are made from.
//!
//! ```text
//! serology ─► reagent states ┐
//! NAT ──────► target states ─┼─► marker table ─► worst unit ┐
//! ALT ───────────────────────┘                              ├─► gates ─► unit, releasable
//! grouping ─► determinations ─► group against history ──────┘
//! ```
//!
//! ```
//! use release::{RulePack, Unit, decide, read_case};
//!
//! let pack = RulePack::built_in("cn-2019")?;
//! let evidence = read_case(
//!     r#"{"donation":"G123498654321",
//!         "serology":[{"marker":"HBsAg","reagent":"A","results":[{"kind":"initial","od":"0.210","cutoff":"0.105"}]}]}"#,
//! )?;
//! let verdict = decide(&evidence, &pack);
//! assert_eq!(verdict.unit(), Unit::Hold);
//! assert!(verdict.next()[0].starts_with("Repeat HBsAg reagent A in two wells"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alias;
mod alt;
mod cases;
mod decide;
mod difference;
mod donor;
pub mod evidence;
mod gate_id;
mod gates;
mod group;
pub mod marker;
mod moment;
mod nat;
mod notes;
mod number;
pub mod pack;
pub mod proof;
mod reasons;
mod runs;
mod say;
mod screen;
mod serology;
mod steps;
mod test;
mod trace;
mod verdict;

pub use cases::{CaseError, read_case, read_cases};
pub use decide::{decide, explain};
pub use difference::{Difference, differences};
pub use evidence::Evidence;
pub use gate_id::GateId;
pub use moment::{Moment, NotAMoment};
pub use number::{Exact, Limit, NumberError, Reading};
pub use pack::{PackError, PackRef, RulePack, Unconfirmed};
pub use trace::TraceLine;
pub use verdict::{
    DonorAction, DonorAsk, DonorVerdict, Explained, Flag, Gate, GroupStatus, GroupVerdict, LookbackTask,
    MarkerState, MarkerVerdict, NatState, NatVerdict, ReentryState, SeroState, SerologyVerdict, Unit,
    Verdict,
};

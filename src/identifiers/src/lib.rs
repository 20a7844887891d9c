//! From what a reader scanned to the number of a donation.
//!
//! ```text
//! scan ─► length ─► each form of the site: start/stop ─► blanks, case ─► shape ─► flags, check ─► padding
//!             │                                                                        │
//!             └─ too long, cut, no form, a failed check, two outcomes: Refusal ◄───────┴─► Identified
//! ```
//!
//! A number is text: it is never read as an integer, never shortened, and never matched by its beginning. What is not
//! certain is refused with its reason, and then nothing is matched to it. The scan itself is the caller's to keep.
//!
//! ISBT 128 structures are told apart by their data identifiers and lengths; no licensed table is in here.

mod algorithm;
mod codabar;
mod code;
mod din;
mod expiry;
mod form;
mod normaliser;
mod other_code;
mod product;
mod refusal;
mod rules;

pub use algorithm::{CheckAlgorithm, din_check_character};
pub use code::{Code, CodeKind};
pub use expiry::{Expiry, expiry};
pub use normaliser::{Checked, Identified, Normaliser, Whose};
pub use other_code::OtherCode;
pub use product::product_code;
pub use refusal::Refusal;
pub use rules::{Case, DinShape, Form, FormKind, Pad, Rules, RulesFault, Shortened, StartStop};

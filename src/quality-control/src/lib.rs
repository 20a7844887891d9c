//! Run validity and control rules: from control results to whether the results beside them may be used.
//!
//! Pure: no clock, no store, no web. Rules of statistics (Westgard, 即刻法) will stand beside these.
//!
//! ```text
//! kit ──────── criteria and cut-off in a small language ([`formula`]) over exact numbers ([`ratio`])
//! immunoassay ─ calibration and control windows of analysers that run without plates
//! nat ───────── batches: negative, positive and external controls, internal control
//! grouping ──── reagents against cells that are known
//! kits ──────── all of that as data: a file a kit, checked, in force from one day to another
//! ```

pub mod formula;
pub mod grouping;
pub mod immunoassay;
pub mod kit;
pub mod kits;
pub mod nat;
pub mod ratio;
mod run_validity;

pub use run_validity::{RequiredControl, RunAssessment, RunState, assess_run};

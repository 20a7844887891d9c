//! Run validity and control rules: from control results to whether the results beside them may be used.
//!
//! Pure: no clock, no store, no web. Rules of statistics (Westgard, 即刻法) will stand beside this one.

mod run_validity;

pub use run_validity::{RequiredControl, RunAssessment, RunState, assess_run};

//! Analysers and a LIS to talk to.
//!
//! A [`Scenario`](scenario::Scenario) is a believable working day, with what must come of every donation. A
//! [`Model`](model::Model) is an analyser as data, from the catalogue. An [`Analyser`](analyser::Analyser) sends its
//! part of the day over a real line, with [faults](fault) on demand; [`run_day`] plays all of them. A
//! [`Lis`](lis::Lis) receives verdicts and misbehaves when told to.
//!
//! Knows parsers and vocabulary only: neither the ledger, nor the rules, nor any maker's model.

pub mod analyser;
mod day;
pub mod fault;
pub mod lis;
pub mod model;
pub mod scenario;
pub mod year;

pub use day::{DayReport, PlayError, run_day};

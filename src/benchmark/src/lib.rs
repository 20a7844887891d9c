//! The benchmarks, with the floors and peers they are held against.
//!
//! A figure alone says which machine it was measured on. So every measurement lets what we built and a *floor* take
//! turns in one run: the floor is the least work that could be called the same job (split and store instead of
//! parsing; append and one fdatasync a group instead of a ledger), and the ratio of the two is what is reported and
//! what has a limit. Engines that read values have to see the same values, by number and by sum; load clients count
//! only answers that acknowledge the right message.
//!
//! Traffic is made up, from a seed, the same on every machine. Nothing here is a test with a time limit: `cargo test`
//! checks that generators, floors and clients are right, [`run`] measures.

mod analysers;
mod contest;
mod corpus;
mod error;
mod floor;
mod gauge;
mod load;
mod options;
mod report;
mod run;
mod serve;
mod station;
mod subject;
mod values;
mod year;

pub use analysers::{AnalysersOptions, GROWTH_KIB_MAX, P99_9_US_MAX, Part, Verdict, analysers};
pub use contest::{Figure, Measurement, Wanted};
pub use error::BenchError;
pub use options::{Format, Options, Selection};
pub use run::run;
pub use values::Values;
pub use year::{DONATIONS_A_DAY, YearOptions, YearVerdict, year};

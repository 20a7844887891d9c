//! What can keep a benchmark from being run.

use crate::Values;
use std::io;

/// Why there are no figures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BenchError {
    /// The folder for the files that are synced, the report's writer, a socket.
    #[error("failed to {what}")]
    Io {
        /// What was being done.
        what: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Two engines did not see the same values: one of them is wrong, and neither figure means anything.
    #[error("{engine} saw {seen:?} in {measurement:?}, but the floor saw {floor:?}")]
    ValuesDiffer {
        /// The measurement.
        measurement: String,
        /// The engine.
        engine: String,
        /// What it saw.
        seen: Values,
        /// What the floor saw.
        floor: Values,
    },
    /// A server refused, lost or mixed up answers under load.
    #[error("{engine} in {measurement:?}: {wrong} wrong answers, {lost} lost; the first: {first}")]
    WrongAnswers {
        /// The measurement.
        measurement: String,
        /// The engine.
        engine: String,
        /// Answers that acknowledge nothing.
        wrong: u64,
        /// Never answered.
        lost: u64,
        /// The first fault in words.
        first: String,
    },
    /// A part that is measured did not start or did not finish.
    #[error("failed to {what}: {why}")]
    Part {
        /// What was being done.
        what: String,
        /// Why it failed.
        why: String,
    },
    /// Not the name of a benchmark.
    #[error("there is no benchmark {name:?}: choose one of {choices}")]
    NoSuchBenchmark {
        /// What was asked for.
        name: String,
        /// What there is.
        choices: String,
    },
}

impl BenchError {
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub(crate) fn part<E: std::fmt::Display>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |why| Self::Part { what, why: why.to_string() }
    }
}

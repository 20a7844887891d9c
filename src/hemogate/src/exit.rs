//! Exit codes: promises to scripts (interfaces, "Command line").

use std::{fmt, process::ExitCode};

/// Why a command ends as it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// The answer is no: a check failed, a fault was found.
    No = 1,
    /// The command was used wrongly.
    Usage = 2,
    /// Input that cannot be read as what it should be.
    BadInput = 65,
    /// A file that is not there.
    InputMissing = 66,
    /// A peer or the store cannot be had.
    Unavailable = 69,
    /// A fault of ours.
    Internal = 70,
    /// Reading or writing failed.
    Io = 74,
    /// Whoever asks may not.
    NotPermitted = 77,
    /// Configuration.
    Configuration = 78,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // Fieldless, and every value fits a byte by the list above.
        Self::from(exit as u8)
    }
}

/// A failure with its exit code: what went wrong and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) what: String,
}

impl Failure {
    pub(crate) fn new(exit: Exit, what: impl fmt::Display) -> Self {
        Self { exit, what: what.to_string() }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::InputMissing } else { Exit::Io };
        Self::new(exit, error)
    }
}

/// What every command returns.
pub(crate) type Outcome = Result<Exit, Failure>;

//! Kits and runs on the command line.

use super::Output;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Kit {
    /// The example kits that come with the program, and those of a folder
    List {
        /// A folder of kit files [default: the examples]
        folder: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// A kit file's text: an example by its id, to be copied, or a file
    Show {
        /// The id of an example, or a file
        kit: String,
    },
    /// Kit files and folders of them: every fault with file, line and the nearest name
    Check {
        /// Files, and folders whose files are held against each other [default: the examples]
        paths: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Runs {
    /// Runs that anything is known of, by name
    List(Output),
    /// A run as it is now: validity with reasons, what each criterion came to, what depends on it
    Show {
        /// Its name; that of a window ends in @ and the time of its last control
        run: String,
        #[command(flatten)]
        output: Output,
    },
    /// Declare a run, or one of its windows, invalid for good: every donation that rests on it is decided again, and what is
    /// out is called back; the password is asked for or read from standard input
    Invalidate {
        /// Its name
        run: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

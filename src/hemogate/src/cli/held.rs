//! Pools, what is held, messages that are read again, and the revisions that connections read with.

use super::Output;
use clap::{Args, Subcommand};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// Held messages, the newest first
    List(QuarantineList),
    /// One held message: each reason with its place in the bytes; that its bytes were read is recorded
    Show {
        /// Its number
        message: u64,
        #[command(flatten)]
        output: Output,
    },
}

/// Messages in quarantine and transmissions that broke off: runs that they fell into wait for a person (R-GATE-15).
#[derive(Debug, Subcommand)]
pub(crate) enum Faults {
    /// Those that stand open
    List {
        /// Only of this connection
        #[arg(long)]
        connection: Option<String>,
        #[command(flatten)]
        output: Output,
    },
    /// You have looked at it: what it fell into need not wait for it any more
    Acknowledge {
        /// Its number
        fault: u64,
        /// What was found; it is recorded
        #[arg(long)]
        why: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Pool {
    /// Pools, by number
    List {
        /// At most so many
        #[arg(long, default_value_t = 100)]
        limit: usize,
        #[command(flatten)]
        output: Output,
    },
    /// One pool: its members as the robot's log has them, its results, what it says and why
    Show {
        /// Its number, as it is scanned
        pool: String,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Args)]
pub(crate) struct QuarantineList {
    /// Only of this connection
    #[arg(long)]
    pub(crate) connection: Option<String>,
    /// Only with a reason of this kind
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What is held is read again unless one message or --all is asked for. Nothing is written where nothing would change.
#[derive(Debug, Args)]
pub(crate) struct Reprocess {
    /// Only this message
    #[arg(conflicts_with_all = ["connection", "revision", "all"])]
    pub(crate) message: Option<u64>,
    /// Only of this connection
    #[arg(long)]
    pub(crate) connection: Option<String>,
    /// Only what this profile revision (or one that begins so) reads now
    #[arg(long)]
    pub(crate) revision: Option<String>,
    /// Not only what is held: every message
    #[arg(long)]
    pub(crate) all: bool,
    /// Why; it is recorded
    #[arg(long)]
    pub(crate) why: String,
    /// Who you are
    #[arg(long, value_name = "NAME")]
    pub(crate) r#as: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What a connection reads with. Nothing changes before two people have said so.
#[derive(Debug, Subcommand)]
pub(crate) enum Revisions {
    /// The revision that a connection is pinned to, and who put it in force
    Pinned {
        /// Which connection, as the configuration names it
        connection: String,
        #[command(flatten)]
        output: Output,
    },
    /// Keep a profile in the ledger, so that it can be activated
    Add {
        /// Its folder
        folder: PathBuf,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Propose a revision for a connection, or agree to the one that another person proposed
    Activate {
        /// Which connection, as the configuration names it
        connection: String,
        /// The revision, or how it begins
        revision: String,
        /// Why; it is recorded
        #[arg(long)]
        why: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Say what a code or a text means: it makes a revision that another person has to activate
    Map {
        /// Which connection, as the configuration names it
        connection: String,
        /// A text, as the analyser sends it
        #[arg(long, value_name = "TEXT")]
        value: Option<String>,
        /// --value: the profile's map of values or grades that it belongs to
        #[arg(long, value_name = "NAME")]
        map: Option<String>,
        /// --value: what it means, as the profile names meanings
        #[arg(long, value_name = "MEANING")]
        means: Option<String>,
        /// A test's code, as the analyser sends it
        #[arg(long, value_name = "CODE")]
        test: Option<String>,
        /// --test: the known code that it is read like
        #[arg(long, value_name = "CODE")]
        like: Option<String>,
        /// A test's code that is no test of a donation
        #[arg(long, value_name = "CODE")]
        aside: Option<String>,
        /// The message that asked for it
        #[arg(long)]
        message: Option<u64>,
        /// Why; it is recorded
        #[arg(long)]
        why: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

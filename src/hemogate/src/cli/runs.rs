//! Kits and runs on the command line.

use super::Output;
use clap::Subcommand;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Kit {
    /// The example kits that come with the program and, of a running daemon, the site's own: which judge, since when, by
    /// whom, which next, and what is configured and judges nothing yet; or those of a folder
    List {
        /// A folder of kit files [default: the examples, and what a running daemon says]
        folder: Option<PathBuf>,
        #[command(flatten)]
        output: Output,
    },
    /// A kit file's text: an example by its id, to be copied, a file, or what a running daemon's ledger keeps
    Show {
        /// The id of an example, a file, or the id of a kept one or how its hash begins
        kit: String,
    },
    /// Propose kits to the running daemon: nothing changes before another person activates them
    Propose {
        /// Kit files, and folders of them: each comes in place of what has its id, or beside the others [default: exactly
        /// the kits of the daemon's configuration]
        paths: Vec<PathBuf>,
        /// A configured kit, or one that the ledger keeps: its id, or how its hash begins
        #[arg(long, value_name = "KIT")]
        kit: Vec<String>,
        /// The id of a kit that is to go
        #[arg(long, value_name = "ID")]
        leave_out: Vec<String>,
        /// For what is tested from this time on [default: whatever comes after the second person's word]:
        /// 2026-12-01T00:00:00+08:00
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Why; it is recorded
        #[arg(long)]
        why: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Agree to the kits that another person proposed: they judge what comes from then on
    Activate {
        /// The entry that proposed them (hemogate kit list)
        proposal: u64,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Kit files and folders of them: every fault with file, line and the nearest name
    Check {
        /// Files, and folders whose files are held against each other [default: the examples]
        paths: Vec<PathBuf>,
    },
}

/// Why a run falls.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// A control of the kit
    KitControl,
    /// A control of the laboratory: the rule pack says what becomes of reactive results
    ExternalControl,
    /// A lot was found defective
    LotDefective,
    /// Analyser, reader or washer
    Equipment,
    /// Something else
    Other,
}

impl Cause {
    /// As the daemon names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KitControl => "kit_control",
            Self::ExternalControl => "external_control",
            Self::LotDefective => "lot_defective",
            Self::Equipment => "equipment",
            Self::Other => "other",
        }
    }
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
    /// Declare a run, or one of its windows, invalid: it falls at once, every donation that rests on it is decided again, and
    /// what is out is called back; the password is asked for or read from standard input
    Invalidate {
        /// Its name
        run: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// What kind of a cause
        #[arg(long)]
        cause: Cause,
        /// The run in which its samples are tested again
        #[arg(long, value_name = "RUN")]
        repeated_in: Option<String>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Stand for a run's invalidation as the second person
    Confirm {
        /// Its name
        run: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Name the run in which the samples of an invalid run are tested again, where that was not known when it fell: once
    Repeat {
        /// The invalid run
        run: String,
        /// The run in which its samples are tested again
        #[arg(long = "in", value_name = "RUN")]
        repeated_in: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Have a run judged by the kits in force now, and not by those of when its results came: the first person proposes it,
    /// another one agrees by the same command
    Judge {
        /// Its name
        run: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Make a run that was declared invalid valid again: the first person proposes it, another one agrees by the same command
    Reinstate {
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

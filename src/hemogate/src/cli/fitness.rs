//! Analysers' services and operators' authority on the command line.

use super::Output;
use clap::{Args, Subcommand};

/// What an analyser needs from time to time.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ServiceKind {
    /// It is shown to be fit for its use
    Qualification,
    /// It is calibrated
    Calibration,
    /// It is maintained, or repaired
    Maintenance,
}

impl ServiceKind {
    /// As the daemon names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Qualification => "qualification",
            Self::Calibration => "calibration",
            Self::Maintenance => "maintenance",
        }
    }
}

/// An entry, and who has a word about it.
#[derive(Debug, Args)]
pub(crate) struct Note {
    /// The entry
    pub(crate) entry: u64,
    /// Who you are
    #[arg(long, value_name = "NAME")]
    pub(crate) r#as: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AnalyserNote {
    /// What is written down of the analysers of a line
    Services {
        /// The connection
        connection: String,
        #[command(flatten)]
        output: Output,
    },
    /// A service was done and is good until a day: what is tested after that day is kept by R-GATE-07
    Serviced {
        /// The connection
        connection: String,
        /// Which of the analysers on the line, as its messages name it [default: every one]
        #[arg(long)]
        instrument: Option<String>,
        /// What was done
        #[arg(long)]
        service: ServiceKind,
        /// For what is tested from here on [default: from now on]: 2026-03-01T09:00:00+08:00. A time gone by has to be
        /// confirmed by another person
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// The last day for which it is good
        #[arg(long, value_name = "DAY")]
        due: String,
        /// The report
        #[arg(long)]
        report: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// A service failed, or should have been done: what was tested since is kept at once
    Unfit {
        /// The connection
        connection: String,
        /// Which of the analysers on the line, as its messages name it [default: every one]
        #[arg(long)]
        instrument: Option<String>,
        /// Which service
        #[arg(long)]
        service: ServiceKind,
        /// Since when
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Confirm, as another person, what reaches back
    Confirm(Note),
    /// Have an entry taken back that was written by mistake, or agree to that as another person
    TakeBack {
        #[command(flatten)]
        note: Note,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// What is written down of operators
    List(Output),
    /// An operator may run assays
    Authorise {
        /// As analysers name the operator
        operator: String,
        /// An assay as its profile names it [default: every one]
        #[arg(long)]
        assay: Vec<String>,
        /// For what is tested from here on [default: from now on]. A time gone by has to be confirmed by another person
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// The last day
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        /// What it rests on
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// An operator may not run assays any more: what was tested since is kept at once
    Withdraw {
        /// As analysers name the operator
        operator: String,
        /// An assay as its profile names it [default: every one]
        #[arg(long)]
        assay: Vec<String>,
        /// Since when
        #[arg(long, value_name = "TIME")]
        from: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Confirm, as another person, what reaches back
    Confirm(Note),
    /// Have an entry taken back that was written by mistake, or agree to that as another person
    TakeBack {
        #[command(flatten)]
        note: Note,
        /// Why
        #[arg(long)]
        reason: String,
    },
}

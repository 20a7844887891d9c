//! Analysers' services and operators' authority on the command line.

use super::Output;
use clap::Subcommand;

/// What was done to an analyser.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum ServiceKind {
    /// It was shown to be fit for its use
    Qualification,
    /// It was calibrated
    Calibration,
    /// It was maintained, or repaired
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

#[derive(Debug, Subcommand)]
pub(crate) enum AnalyserNote {
    /// What was done to the analysers of a line, and until when it holds
    Services {
        /// The connection
        connection: String,
        #[command(flatten)]
        output: Output,
    },
    /// Write down that an analyser was qualified, calibrated or maintained: what it tests after the last day is kept by
    /// R-GATE-07, and controls have to run again after it
    Serviced {
        /// The connection
        connection: String,
        /// Which of the analysers on the line, as its messages name it [default: every one]
        #[arg(long)]
        instrument: Option<String>,
        /// What was done
        #[arg(long)]
        service: ServiceKind,
        /// When [default: now]: 2026-03-01T09:00:00+08:00
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// The last day for which it holds
        #[arg(long, value_name = "DAY")]
        due: String,
        /// The report
        #[arg(long)]
        report: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Which operator may run which assay
    List(Output),
    /// Let an operator run assays. Once one is written down, results of every other are kept by R-GATE-08
    Authorise {
        /// As analysers name the operator
        operator: String,
        /// An assay as its profile names it [default: every one]
        #[arg(long)]
        assay: Vec<String>,
        /// The first day
        #[arg(long, value_name = "DAY")]
        from: String,
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
    /// End what an operator was authorised for
    Withdraw {
        /// As analysers name the operator
        operator: String,
        /// From this day on
        #[arg(long, value_name = "DAY")]
        from: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

//! Lots on the command line.

use super::Output;
use clap::Subcommand;
use jiff::civil::Date;

#[derive(Debug, Subcommand)]
pub(crate) enum Lots {
    /// Lots that stand as defective
    List(Output),
    /// A lot was found defective: whatever was tested with it since that day has no result, at once; every donation that rests
    /// on it is decided again, and what is out is called back; the password is asked for or read from standard input
    Defective {
        /// Its number, as the analyser sends it
        lot: String,
        /// First day on which it was in use: 2026-03-01
        #[arg(long, value_name = "DAY")]
        since: Date,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Stand for it as the second person
    Confirm {
        /// The lot
        lot: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Have the results of a lot count again: the first person proposes it, another one agrees by the same command
    Reinstate {
        /// The lot
        lot: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

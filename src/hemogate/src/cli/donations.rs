//! What a person says of one donation.

use super::people::HoldKind;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Donation {
    /// Hold it, in a batch or not, at any time; one that is out is called back. Holds add up
    Hold {
        /// Its number, in any form the site knows
        donation: String,
        /// What kind of a hold
        #[arg(long, default_value = "laboratory")]
        kind: HoldKind,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Lift the holds that people made
    Lift {
        /// Its number, in any form the site knows
        donation: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

//! What a person says of one donation.

use super::{Output, people::HoldKind};
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
    /// What people have said of it and have still to say: holds, numbers that were typed in, duplicates on another lot,
    /// results that were sent with different values, registrations that contradict each other
    Show {
        /// Its number, in any form the site knows
        donation: String,
        #[command(flatten)]
        output: Output,
    },
    /// Say that a number which was typed in at an analyser is that of the tube: two different people compare it with the
    /// label, and until then gate 09 stays closed
    CheckNumber {
        /// Its number, in any form the site knows
        donation: String,
        /// What was compared
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Accept a duplicate on another lot or analyser: two different people say why, of the results that they saw and no
    /// others (R-SER-02)
    AcceptDuplicate {
        /// Its number, in any form the site knows
        donation: String,
        /// The assay
        #[arg(long)]
        assay: String,
        /// The hash of the results that were seen (donation show)
        #[arg(long, value_name = "HASH")]
        seen: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Say which version of a result stands that was sent with different values, or was reactive and corrected: two
    /// different people (reviewer, reference laboratory) name the same one, of the versions that they saw and no others;
    /// until then gate 15 stays closed. Naming another version takes back what you said before
    SettleResult {
        /// Its number, in any form the site knows
        donation: String,
        /// The assay
        #[arg(long)]
        assay: String,
        /// What was tested for: HBsAg, anti-HCV, HIV, ...
        #[arg(long)]
        marker: String,
        /// The message whose version stands
        #[arg(long)]
        message: u64,
        /// The hash of the versions that were seen (donation show)
        #[arg(long, value_name = "HASH")]
        seen: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Say which registration stands of a number that was registered for two: two different people (reviewer, releaser) name
    /// the same one, of the registrations that they saw and no others; until then gate 09 stays closed, and what is known of
    /// either donor bars it. Naming another one takes back what you said before
    SettleRegistration {
        /// Its number, in any form the site knows
        donation: String,
        /// The entry whose registration stands
        #[arg(long)]
        entry: u64,
        /// The hash of the registrations that were seen (donation show)
        #[arg(long, value_name = "HASH")]
        seen: String,
        /// What was found out
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

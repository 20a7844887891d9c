//! What people do on the command line: accounts, and batches that they sign.

use super::Output;
use clap::Subcommand;

/// What kind of a hold.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum HoldKind {
    /// Something of the laboratory's
    Laboratory,
    /// The donor said something after the donation: it closes R-GATE-11, which nobody sets aside
    PostDonation,
}

impl HoldKind {
    /// As the daemon names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Laboratory => "laboratory",
            Self::PostDonation => "post_donation",
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Batch {
    /// Put a batch together: from donations, from runs, or from those taken in a time
    Open {
        /// Its name, for people
        #[arg(long)]
        name: String,
        /// Donations taken from here on: 2026-03-01T00:00:00+08:00
        #[arg(long, requires = "to", value_name = "TIME")]
        from: Option<String>,
        /// Up to before this
        #[arg(long, requires = "from", value_name = "TIME")]
        to: Option<String>,
        /// Donations of this run (may be repeated)
        #[arg(long, value_name = "ID")]
        run: Vec<String>,
        /// Donations, in any form the site knows
        donations: Vec<String>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// A batch as it is now, with what keeps each donation
    Show {
        /// Its number
        batch: u64,
        #[command(flatten)]
        output: Output,
    },
    /// Sign the review; the password is asked for or read from standard input
    Review {
        /// Its number
        batch: u64,
        /// The hash of what was looked at (batch show). On a terminal it may be left out: the batch is shown, and you are asked
        #[arg(long, value_name = "HASH")]
        seen: Option<String>,
        /// A remark
        #[arg(long, default_value = "")]
        comment: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Sign the release of what every gate lets go; the rest stays with its reasons
    Release {
        /// Its number
        batch: u64,
        /// The hash of what was looked at (batch show). On a terminal it may be left out: the batch is shown, and you are asked
        #[arg(long, value_name = "HASH")]
        seen: Option<String>,
        /// A remark
        #[arg(long, default_value = "")]
        comment: String,
        /// Only this donation (may be repeated); gates are set aside for these only
        #[arg(long, value_name = "DONATION")]
        only: Vec<String>,
        /// Set this gate aside, R-GATE-07, where the rule pack allows it (may be repeated)
        #[arg(long, value_name = "GATE", requires = "reason", requires = "only")]
        set_aside: Vec<String>,
        /// Why the gates are set aside
        #[arg(long)]
        reason: Option<String>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Hold donations
    Hold {
        /// Its number
        batch: u64,
        /// Donations, in any form the site knows
        #[arg(required = true)]
        donations: Vec<String>,
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
    /// Lift holds of people
    Lift {
        /// Its number
        batch: u64,
        /// Donations, in any form the site knows
        #[arg(required = true)]
        donations: Vec<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Take units out for good: scanned one by one, and counted by hand (R-GATE-13)
    Discard {
        /// Its number
        batch: u64,
        /// Donations, in any form the site knows
        #[arg(required = true)]
        donations: Vec<String>,
        /// How many you counted
        #[arg(long)]
        counted: u32,
        /// Why
        #[arg(long)]
        reason: String,
        /// Take out what passes, too: that is meant, and not a wrong number
        #[arg(long)]
        passing: bool,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

impl Batch {
    /// Who says to give the command.
    pub(crate) fn signed_in_as(&self) -> Option<&str> {
        match self {
            Self::Open { r#as, .. }
            | Self::Review { r#as, .. }
            | Self::Release { r#as, .. }
            | Self::Hold { r#as, .. }
            | Self::Lift { r#as, .. }
            | Self::Discard { r#as, .. } => Some(r#as),
            Self::Show { .. } => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum User {
    /// Make an account. It has no role until the security administrator gives it one; on a stopped data directory,
    /// without --as, an administrator's account
    Add {
        /// What the person signs in with
        user: String,
        /// The person's name
        #[arg(long)]
        name: Option<String>,
        /// system-administrator, security-administrator or audit-administrator
        #[arg(long)]
        role: Option<vocabulary::Role>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: Option<String>,
    },
    /// Give an account these roles and no others (security administrator)
    Role {
        /// Which account
        user: String,
        /// technician, reviewer, releaser, qc-officer, reference-laboratory, or one administrator's role; none takes all
        roles: Vec<vocabulary::Role>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: Option<String>,
    },
    /// Close an account (system administrator)
    Disable {
        /// Which account
        user: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: Option<String>,
    },
    /// Open an account again (system administrator); on a stopped data directory, without --as, an administrator's
    Enable {
        /// Which account
        user: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: Option<String>,
    },
    /// Change the own password, or set another's (security administrator)
    Password {
        /// Which account
        user: String,
        /// Who you are, where it is not the own account
        #[arg(long, value_name = "NAME")]
        r#as: Option<String>,
    },
    /// Every account
    List(Output),
}

impl User {
    /// Who says to give the command.
    pub(crate) fn signed_in_as(&self) -> Option<&str> {
        match self {
            Self::Add { r#as, .. }
            | Self::Role { r#as, .. }
            | Self::Disable { r#as, .. }
            | Self::Enable { r#as, .. }
            | Self::Password { r#as, .. } => r#as.as_deref(),
            Self::List(_) => None,
        }
    }
}

//! Components of donations on the command line.

use super::Output;
use clap::{Args, Subcommand};

/// A component, why it moves, and who says so.
#[derive(Debug, Args)]
pub(crate) struct Move {
    /// The donation's number
    pub(crate) donation: String,
    /// The component's product code, with its division
    pub(crate) component: String,
    /// Why
    #[arg(long)]
    pub(crate) reason: String,
    /// Who you are
    #[arg(long, value_name = "NAME")]
    pub(crate) r#as: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Component {
    /// What was made of a donation, and where each component is
    List {
        /// The donation's number
        donation: String,
        #[command(flatten)]
        output: Output,
    },
    /// Register components that were made of a donation: they are in quarantine
    Made {
        /// The donation's number
        donation: String,
        /// Their product codes, with their divisions
        #[arg(required = true)]
        components: Vec<String>,
        /// Until when they may be used, all of these: the code scanned (=>026097, &>0260971400), 2026-04-07, 2026-04-07T14:00.
        /// Of components that are known already, too; a later one than is known: who may lift holds
        #[arg(long, value_name = "EXPIRY")]
        expires: Option<String>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// A component was given out; refused where its donation is not released, or it has expired
    Issued {
        /// The donation's number
        donation: String,
        /// The component's product code, with its division
        component: String,
        /// To whom
        #[arg(long, value_name = "CONSIGNEE")]
        to: String,
        /// When [default: now]: 2026-03-01T09:00:00+08:00
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// It has happened, allowed or not: it is recorded, and called back
        #[arg(long)]
        happened: bool,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// A component is in quarantine: it came back or was found (of one that was held or missing: who may lift holds)
    Back(Move),
    /// Hold a component, and with it every other one of its donation
    Held(Move),
    /// Nobody knows where a component is: none of its donation goes
    Missing(Move),
    /// A component was taken out for what is known of its donation, for good: none of the others goes
    Discarded(Move),
    /// A component was taken out for its own sake (broken, past its date), for good: that says nothing of the others
    WrittenOff(Move),
}

//! Donors, recalls and tasks.
#![expect(clippy::doc_markdown, reason = "these comments are what --help prints: words as they are typed")]

use super::Output;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Recall {
    /// Recalls that are open: released donations that may not go any more
    List(Output),
    /// One recall
    Show {
        /// Its number
        recall: u64,
        #[command(flatten)]
        output: Output,
    },
    /// Close a recall with what came of it
    Close {
        /// Its number
        recall: u64,
        /// What came of it
        #[arg(long)]
        outcome: String,
        /// A component that is out, whose consignee was told; once for each
        #[arg(long, value_name = "COMPONENT")]
        told: Vec<String>,
        /// A component that is in the house, and is kept there; once for each
        #[arg(long, value_name = "COMPONENT")]
        kept: Vec<String>,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Donor {
    /// What stands of a donor: the deferral register, donations, re-entry, and who wrote what
    Show {
        /// The donor's number
        donor: String,
    },
    /// Defer a donor for a time, or for good
    Defer {
        /// The donor's number
        donor: String,
        /// For good
        #[arg(long, conflicts_with = "until")]
        permanent: bool,
        /// Last day: 2026-12-31. Its end alone makes nobody eligible
        #[arg(long, value_name = "DAY")]
        until: Option<String>,
        /// First day whose donations it speaks of: 2026-11-01. Without it, all are held or called back
        #[arg(long, value_name = "DAY")]
        since: Option<String>,
        /// The donation whose verdict asks for it (hemogate tasks): with this its task is done
        #[arg(long, value_name = "DONATION")]
        donation: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Let a donor who was deferred for a time give again (releaser)
    Reinstate {
        /// The donor's number
        donor: String,
        /// An entry that it rests on (may be repeated); where several deferrals stand, those that it takes back among them
        #[arg(long, value_name = "ENTRY", required = true)]
        on: Vec<u64>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Record a donation that is known from elsewhere, with what it gave
    Earlier {
        /// The donor's number
        donor: String,
        /// The donation's number
        donation: String,
        /// When it was taken: 2025-03-01T09:00:00+08:00
        #[arg(long, value_name = "TIME")]
        collected_at: Option<String>,
        /// What it gave, MARKER=RESULT: HCV=reactive, HIV=non_reactive, … (may be repeated)
        #[arg(long, value_name = "MARKER=RESULT", required = true)]
        result: Vec<String>,
        /// Where it is known from
        #[arg(long)]
        source: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Take back a donation that was recorded by mistake: two different people (reviewer, releaser, reference laboratory) name
    /// the entry that recorded it (donor show); until the second one it counts. It stays listed, with who took it back
    TakeBack {
        /// The donor's number
        donor: String,
        /// The entry that recorded it
        #[arg(long, value_name = "ENTRY")]
        record: u64,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Record what a confirmatory laboratory said of a donation
    Confirm {
        /// The donation's number
        donation: String,
        /// HBV, HCV, HIV, syphilis, HTLV, HEV, WNV, malaria, T.cruzi, Babesia
        #[arg(long)]
        marker: String,
        /// CONF_POS, CONF_NEG, CONF_IND, NOT_DONE
        #[arg(long)]
        outcome: String,
        /// neutralisation, WB, LIA, TPPA, …
        #[arg(long)]
        method: Option<String>,
        /// When: 2026-03-05T10:00:00+08:00
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        /// The report
        #[arg(long)]
        report: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Begin a re-entry examination
    Examine {
        /// The donor's number
        donor: String,
        /// What for: HBV, HCV, HIV, syphilis, …
        #[arg(long)]
        marker: String,
        /// Since when the donor is deferred: 2026-03-01
        #[arg(long, value_name = "DAY")]
        deferred_on: String,
        /// What NAT gave then: non_reactive, reactive, …
        #[arg(long, value_name = "RESULT")]
        nat_then: String,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Record a test of a re-entry examination
    Test {
        /// The donor's number
        donor: String,
        /// The test's number: the approval names it
        #[arg(long)]
        id: String,
        /// serology, nat, confirmatory
        #[arg(long)]
        kind: String,
        /// The reagent, of serology
        #[arg(long)]
        reagent: Option<String>,
        /// non_reactive, reactive, …
        #[arg(long)]
        result: String,
        /// When its sample was taken: 2026-10-01
        #[arg(long, value_name = "DAY")]
        collected_on: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Let a donor give again after an examination that the rule pack finds whole (releaser)
    Approve {
        /// The donor's number
        donor: String,
        /// A test that it rests on (may be repeated): all of them
        #[arg(long, value_name = "TEST", required = true)]
        on: Vec<String>,
        /// A deferral that it takes back, by its entry (may be repeated), beside those because of a donation and of the marker
        /// that was examined
        #[arg(long, value_name = "ENTRY")]
        deferral: Vec<u64>,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Hold a donation because one beside it may be in its tube; with --settled, say that it was grouped again from its
    /// bag segment and agrees
    Neighbour {
        /// The donation's number
        donation: String,
        /// The one beside it
        beside: String,
        /// It is settled
        #[arg(long)]
        settled: bool,
        /// Why
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Close the inquiry into a donation's blood group by the determination of one run; two people have to (reviewer,
    /// reference laboratory)
    Group {
        /// The donation's number
        donation: String,
        /// The run of the determination that stands
        #[arg(long)]
        run: String,
        /// The message that it came with, where the run has several
        #[arg(long)]
        message: Option<u64>,
        /// What it was made from, where the message has both: tube, segment
        #[arg(long)]
        sample: Option<String>,
        /// The hash of its columns that you saw, or how it begins: refused where they are others now
        #[arg(long, value_name = "HASH")]
        seen: Option<String>,
        /// The groups of the donor's earlier donations are wrong: said by two people of a determination from the bag segment
        /// that the tube agrees with, they hold it no longer
        #[arg(long)]
        history_wrong: bool,
        /// What the inquiry found
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Say what came of a task for a donation's donor (hemogate tasks). A deferral and a confirmatory result close theirs by
    /// being recorded
    Close {
        /// The donation's number
        donation: String,
        /// deferral, confirmation, report
        #[arg(long)]
        task: String,
        /// Of which marker only: HBV, HCV, HIV, …
        #[arg(long)]
        marker: Option<String>,
        /// NOT_DONE; of a report also DONE
        #[arg(long)]
        outcome: String,
        /// How, or why not
        #[arg(long)]
        reason: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Record a step of a look-back (hemogate tasks)
    Lookback {
        /// The donation that raised it
        trigger: String,
        /// What for: HBV, HCV, HIV, …
        marker: String,
        /// The earlier donation
        earlier: String,
        /// quarantined, consignees_told, recipients_told, closed; cleared: what is here may go, by two people
        #[arg(long)]
        step: String,
        /// What came of it
        #[arg(long)]
        outcome: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
}

impl Donor {
    /// Who says to give the command.
    pub(crate) fn signed_in_as(&self) -> Option<&str> {
        match self {
            Self::Show { .. } => None,
            Self::Defer { r#as, .. }
            | Self::Reinstate { r#as, .. }
            | Self::Earlier { r#as, .. }
            | Self::TakeBack { r#as, .. }
            | Self::Confirm { r#as, .. }
            | Self::Examine { r#as, .. }
            | Self::Test { r#as, .. }
            | Self::Approve { r#as, .. }
            | Self::Neighbour { r#as, .. }
            | Self::Group { r#as, .. }
            | Self::Close { r#as, .. }
            | Self::Lookback { r#as, .. } => Some(r#as),
        }
    }
}

//! The command line: what can be asked for. Parsing only; each command lives in a module of its own.

mod components;
mod donations;
mod donors;
mod fitness;
mod held;
mod lots;

pub(crate) use components::{Component, Move};
pub(crate) use donations::Donation;
pub(crate) use donors::{Donor, Recall};
pub(crate) use fitness::{AnalyserNote, Note, Operator};
pub(crate) use held::{Faults, Pool, Quarantine, QuarantineList, Reprocess, Revisions};
mod people;
mod runs;

pub(crate) use lots::Lots;
pub(crate) use people::{Batch, User};
pub(crate) use runs::{Kit, Runs};

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Laboratory instrument middleware for blood centres: from an analyser's bytes to one verdict per donation.
#[derive(Debug, Parser)]
#[command(name = "hemogate", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Cli {
    /// Configuration file [default: ./hemogate.toml, else /etc/hemogate/hemogate.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Folder of the ledger; wins over the configuration
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Language of messages [default: from the locale]
    #[arg(long, global = true, value_name = "zh|en")]
    pub(crate) lang: Option<Lang>,
    /// Form of the log on standard error
    #[arg(long, global = true, default_value = "text")]
    pub(crate) log_format: LogFormat,
    /// More of the log; twice for all of it
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Language of what people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    Zh,
    En,
}

impl Lang {
    /// Chinese where the locale says so, else English.
    pub(crate) fn from_locale(locale: Option<&str>) -> Self {
        if locale.is_some_and(|l| l.starts_with("zh")) { Self::Zh } else { Self::En }
    }

    /// `en` or `zh`, whichever this is.
    pub(crate) fn pick<T>(self, en: T, zh: T) -> T {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// How data is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Table,
    /// One object a line
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The whole laboratory in one process: daemon, simulated analysers on real sockets, a receiving LIS
    Demo(Demo),
    /// The daemon
    Run,
    /// Configuration, profiles, rule packs, store and ports: every fault with its remedy; starts nothing
    Check,
    /// A capture or a raw message → observations and findings; touches no store
    Interpret(Interpret),
    /// The instrument catalogue
    #[command(subcommand)]
    Profile(Profile),
    /// Donation evidence → verdict
    Decide(Decide),
    /// Rule packs
    #[command(subcommand)]
    Rules(Rules),
    /// Scanned identifiers
    #[command(subcommand)]
    Id(Id),
    /// What the ledger holds, one object a line
    Export(Export),
    /// Walk the whole chain of the ledger; names the place of any damage
    Verify(Verify),
    /// Make the state again from the journal
    Rebuild,
    /// State of a running daemon: connections, queues, dead letters
    Status(Output),
    /// The worklist: what is to be tested, who has it, and why it waits
    #[command(subcommand)]
    Orders(Orders),
    /// Batches: what holds each donation, review and release by two people, holds, discards
    #[command(subcommand)]
    Batch(Batch),
    /// Recalls: released donations that may not go any more
    #[command(subcommand)]
    Recall(Recall),
    /// What people have still to do, by the last day for it: recalls, look-backs, re-entry
    Tasks(Tasks),
    /// One donation, in a batch or not: holding it, and what two people have to say of its tubes and tests
    #[command(subcommand)]
    Donation(Donation),
    /// Donors: the deferral register, results known from elsewhere, confirmatory tests, re-entry, look-backs
    #[command(subcommand)]
    Donor(Donor),
    /// Components of donations: what was made of each, to whom it was issued, what is held, missing or taken out (R-GATE-12)
    #[command(subcommand)]
    Component(Component),
    /// Kits: the maker's criteria and cut-offs as files, checked and shown
    #[command(subcommand)]
    Kit(Kit),
    /// Runs: whether their controls allow their results, what depends on them, and declaring one invalid
    #[command(subcommand)]
    Runs(Runs),
    /// Lots that were found defective: their results fall at once, and two people take that back
    #[command(subcommand)]
    Lots(Lots),
    /// People: accounts, roles and passwords; a password is asked for or read from standard input
    #[command(subcommand)]
    User(User),
    /// Pools of pipetting robots: members, results, and why a pool says nothing
    #[command(subcommand)]
    Pool(Pool),
    /// What is held, why, where in the bytes, what waits for it, and what to do
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Analysers: qualification, calibration and maintenance, and what is overdue (R-GATE-07)
    #[command(subcommand)]
    Analyser(AnalyserNote),
    /// Operators: who may run which assay (R-GATE-08)
    #[command(subcommand)]
    Operator(Operator),
    /// Interfaces: what broke off or is in quarantine, the runs that wait for it, and acknowledging it (R-GATE-15)
    #[command(subcommand)]
    Faults(Faults),
    /// Read messages again from their bytes, with the profile revision that their connection reads with now
    Reprocess(Reprocess),
    /// What would happen if a connection were used now, and what to do; sends nothing, changes nothing
    Probe(Probe),
    /// What went over a connection's line, both ways, as a dialogue; that it was read is recorded
    Trace(Trace),
    /// One analyser: real traffic, with faults on demand
    Simulate(Simulate),
    /// The benchmarks, beside the floors they are held against
    Bench(Bench),
}

#[derive(Debug, Args)]
pub(crate) struct Output {
    /// How to print
    #[arg(long, default_value = "table")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Tasks {
    /// Of one kind only: recall, lookback, `donor_report`, `donor_confirmation`, `donor_deferral`, …
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Of a kind for donors: those of donations after this one
    #[arg(long, value_name = "DONATION", requires = "kind")]
    pub(crate) after: Option<String>,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Play one working day to its end, print the summary and exit
    #[arg(long)]
    pub(crate) once: bool,
    /// How many donations the day has
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    pub(crate) donations: u32,
    /// Seed of the day: the same seed plays the same day
    #[arg(long, default_value_t = 20_261_121)]
    pub(crate) seed: u64,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Interpret {
    /// maker/model of the catalogue, or the folder of a profile
    #[arg(long, value_name = "ID")]
    pub(crate) profile: String,
    /// A capture (*.capture) or a raw message; - is standard input
    pub(crate) file: PathBuf,
    /// How to print
    #[arg(long, default_value = "json")]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Profile {
    /// Every profile with its evidence level
    List(Output),
    /// One profile: settings, codes and what is not verified
    Show {
        /// maker/model, or the folder of a profile
        id: String,
        /// The evidence page in Markdown: every code and place with its source and level, and what is not verified
        #[arg(long)]
        evidence: bool,
        #[command(flatten)]
        output: Output,
    },
    /// What one revision says otherwise than another, and what that does to the results of their captures; exit code 0
    /// when everything is read as before, 1 when not
    Diff {
        /// The earlier one: maker/model, or the folder of a profile
        before: String,
        /// The later one
        after: String,
        #[command(flatten)]
        output: Output,
    },
    /// The JSON Schema of profile.toml, for editors
    Schema,
    /// Run every capture against its expectation; what the profile leaves open, and what its captures do not show, is
    /// listed; exit code 1 when anything is
    Test {
        /// A profile's folder or a folder of profiles [default: the built-in catalogue]
        dir: Option<PathBuf>,
        /// Write what the captures come to now as their expectation (one profile); read it before it counts
        #[arg(long, requires = "dir")]
        record: bool,
    },
    /// Begin a profile from what an analyser sent: every code and text that was seen is listed, everything is held until a
    /// person has said what it means
    New {
        /// The new profile's id, maker/model
        id: String,
        /// Captures (*.capture) or raw messages and files as they came
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Folder of the site's own profiles; the new one goes to DIR/maker/model
        #[arg(long, value_name = "DIR", default_value = "profiles")]
        to: PathBuf,
    },
    #[command(flatten)]
    Revisions(Revisions),
}

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// Rule pack: a built-in id or a file
    #[arg(long, value_name = "ID", default_value = "cn-2019")]
    pub(crate) rules: String,
    /// Evidence: one object, an array, or one object a line; - is standard input
    pub(crate) file: PathBuf,
    /// How to print
    #[arg(long, default_value = "json")]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Every built-in pack and, of a running daemon, the site's own: which judges, since when, by whom, and which next
    List(Output),
    /// Keep a pack in the ledger of the running daemon, so that it can be activated: refused when its proof fails, and what
    /// is weaker than in its jurisdiction's pack is listed
    Add {
        /// Its file; - is standard input
        file: PathBuf,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// Propose a pack, or agree to the one that another person proposed. It judges donations taken from then on; nothing
    /// changes before two people have said so
    Activate {
        /// Its id, or how its hash begins
        pack: String,
        /// From this time on [default: from the second person's word on]: 2026-12-01T00:00:00+08:00
        #[arg(long, value_name = "TIME")]
        from: Option<String>,
        /// Why; it is recorded
        #[arg(long)]
        why: String,
        /// Who you are
        #[arg(long, value_name = "NAME")]
        r#as: String,
    },
    /// One pack as it stands: every value with its confidence, and what the laboratory has to confirm
    Show {
        /// A built-in id or a file
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Prove packs: every combination of results maps to one verdict, and nothing passes without every mandatory test; what
    /// is weaker than in its jurisdiction's pack is listed. Exit code 1 when a proof fails or something is weaker, 78 when a
    /// pack cannot be used
    Check {
        /// Built-in ids or files [default: every built-in pack]
        packs: Vec<String>,
        /// In the world of the whole donation, only combinations with at most so many tests that are not good
        #[arg(long, value_name = "TESTS")]
        at_once: Option<usize>,
        #[command(flatten)]
        output: Output,
    },
    /// Judge every stored donation under two packs and list each verdict that changes, with the reason; writes nothing.
    /// Needs the ledger to itself: the daemon stopped, or a copy
    Compare {
        /// The pack in force: a built-in id or a file
        old: String,
        /// The pack to come: a built-in id or a file
        new: String,
        #[command(flatten)]
        output: Output,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Id {
    /// What a scan is: its number without flags and check character, by the site's rules; exit code 1 when not valid
    Check {
        /// Scans as the reader sent them; - reads them from standard input, one a line
        #[arg(required = true)]
        text: Vec<String>,
        /// How to print
        #[arg(long, default_value = "json")]
        format: Format,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportKind {
    Messages,
    Observations,
    Verdicts,
    Deliveries,
    Audit,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    pub(crate) kind: ExportKind,
    /// How to print
    #[arg(long, default_value = "json")]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Make the state again in memory too and compare it with the stored one
    #[arg(long)]
    pub(crate) state: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Orders {
    /// Orders, the newest first, with the reason why they wait
    List(OrderList),
    /// One order with its history
    Show {
        /// Its number
        id: String,
        #[command(flatten)]
        output: Output,
    },
    /// Place orders; the number is the key, so that the same again changes nothing; exit code 1 when one is refused
    Place {
        /// JSON: one object, an array, or one object a line; - is standard input
        file: PathBuf,
        #[command(flatten)]
        output: Output,
    },
    /// Cancel an order, or some of its assays
    Cancel {
        /// Its number
        id: String,
        /// Only this assay (may be repeated)
        #[arg(long, value_name = "NAME")]
        assay: Vec<String>,
        /// Why
        #[arg(long, default_value = "cancelled on the command line")]
        reason: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OrderList {
    /// placed, sent, refused, resulted, cancelled or expired
    #[arg(long)]
    pub(crate) state: Option<String>,
    /// Only those with something still to be done
    #[arg(long)]
    pub(crate) open: bool,
    /// Only for this specimen, in any form the site knows
    #[arg(long)]
    pub(crate) specimen: Option<String>,
    /// Only those that this analyser was given
    #[arg(long)]
    pub(crate) connection: Option<String>,
    /// Only those with this assay
    #[arg(long)]
    pub(crate) assay: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Probe {
    /// Which connection, as the configuration names it
    pub(crate) connection: String,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// Which connection, as the configuration names it
    pub(crate) connection: String,
    /// Go on with what comes, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,
    #[command(flatten)]
    pub(crate) output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// maker/model of the catalogue, or the folder of a profile
    pub(crate) profile: String,
    /// Where to: host:port to connect to, tls:host:port, listen:host:port to be connected to,
    /// serial:DEVICE[,9600[,8N1]], or a folder to write files into
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) to: String,
    /// tls: PEM file with the authorities that vouch for the other side
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// tls: PEM file with the analyser's own certificate and its issuers
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) certificate: Option<PathBuf>,
    /// tls: PEM file with the key to it
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub(crate) key: Option<PathBuf>,
    /// Ask what to do with this specimen in place of a day's results (may be repeated); with --listen-for-ms the answer
    /// is printed
    #[arg(long, value_name = "SPECIMEN", conflicts_with = "send")]
    pub(crate) query: Vec<String>,
    /// Send this message in place of a day's (may be repeated): a capture, or a text with a record or segment a line;
    /// a question, for instance
    #[arg(long, value_name = "FILE")]
    pub(crate) send: Vec<PathBuf>,
    /// Stay so long after the last message, and print what the host sends: answers to questions, orders
    #[arg(long, value_name = "MS", default_value_t = 0, value_parser = clap::value_parser!(u64).range(0..=3_600_000))]
    pub(crate) listen_for_ms: u64,
    /// Do not stay any longer when the host has sent so many messages
    #[arg(long, value_name = "MESSAGES", requires = "listen_for_ms")]
    pub(crate) listen_until: Option<std::num::NonZeroUsize>,
    /// How many donations to report
    #[arg(long, default_value_t = 20)]
    pub(crate) donations: u32,
    /// Seed of the results
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How often a message is sent in all before it is given up
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) tries: u32,
    /// HL7: how long an answer is waited for
    #[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(1..=3_600_000))]
    pub(crate) answer_timeout_ms: u64,
    /// Faults to play (may be repeated): drop, cut, flip, checksum, merge, duplicate, contention, interrupt,
    /// split=BYTES, stall=DURATION, slow-reader=DURATION, endless-frame=BYTES; with @N the Nth message, /N every
    /// Nth, %P so many of a hundred
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// What to measure, and the floor it is held against in the same run:
    ///
    /// parse: HL7, and LIS01 with LIS02, every value visited; split and store.
    /// mllp, lis01: messages or frames durable before their answer; append, one fdatasync a group, answer.
    /// ledger: the same without sockets; append, one fdatasync a group.
    /// interpret: observations of every profile's captures; the end of every field found.
    /// profiles: a thousand profiles read and checked; the same files read.
    /// verdicts: mixed evidence; every reading compared with its cut-off once.
    /// rebuild: the state from the journal; every entry read and checked.
    /// memory: resident under load; the bound of each part, and the bare server.
    /// all: all of these.
    /// analysers: many at once at a daemon of their own; by itself, for minutes.
    /// year: a simulated year with faults of every kind against the truth; by itself, up to an hour. Exit code 1
    /// when anything unsafe was released, anything was lost, or what has to be refused was accepted.
    #[arg(default_value = "all", verbatim_doc_comment)]
    pub(crate) what: String,
    /// analysers: how many
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(crate) analysers: u16,
    /// analysers: how long, 10 unless told. year: no new day begins after so long; what has begun is played to its
    /// end and reckoned, as after Ctrl-C
    #[arg(long)]
    pub(crate) minutes: Option<f64>,
    /// year: how many donations
    #[arg(long, default_value_t = 160_000, value_parser = clap::value_parser!(u32).range(100..=900_000))]
    pub(crate) donations: u32,
    /// year: donations of a working day; fewer than that many days of a year are played when there are few donations
    #[arg(long, default_value_t = benchmark::DONATIONS_A_DAY, value_parser = clap::value_parser!(u32).range(20..=1_600))]
    pub(crate) per_day: u32,
    /// year: a folder to be made: the ledger stays in it, with a configuration that other commands can be given
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,
    /// year: the same seed plays the same year
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Length of each engine's turn; the engines take five turns each
    #[arg(long, default_value_t = 3)]
    pub(crate) seconds: u32,
    /// mllp, lis01: connections and messages that each has unanswered, as in 64x16 (may be repeated) [default: 1, 8 and
    /// 64 with 1 and with 16]
    #[arg(long, value_name = "CONNECTIONSxUNANSWERED", value_parser = load)]
    pub(crate) load: Vec<(usize, usize)>,
    #[command(flatten)]
    pub(crate) output: Output,
}

fn load(text: &str) -> Result<(usize, usize), String> {
    let numbers = text
        .split_once('x')
        .and_then(|(connections, unanswered)| Some((connections.parse().ok()?, unanswered.parse().ok()?)));
    numbers
        .filter(|(connections, unanswered)| {
            (1..=1000).contains(connections) && (1..=1000).contains(unanswered)
        })
        .ok_or_else(|| "two numbers of 1 to 1000 with an x between them, as in 64x16".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn a_load_is_two_numbers_with_an_x_between_them() {
        for (text, expect) in [
            ("64x16", Some((64, 16))),
            ("1x1", Some((1, 1))),
            ("64", None),
            ("x16", None),
            ("64x", None),
            ("0x1", None),
            ("1x1001", None),
            ("64×16", None),
        ] {
            assert_eq!(load(text).ok(), expect, "{text}");
        }
    }

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_locale_chooses_the_language() {
        for (locale, lang) in [(Some("zh_CN.UTF-8"), Lang::Zh), (Some("C"), Lang::En), (None, Lang::En)] {
            assert_eq!(Lang::from_locale(locale), lang);
        }
    }
}

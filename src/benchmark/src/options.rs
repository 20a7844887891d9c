//! What to measure, for how long, and where.

use crate::BenchError;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Which benchmarks to run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// HL7 v2, and LIS01 frames with the LIS02 records in them: from bytes to every value.
    Parse,
    /// MLLP messages acknowledged when durable.
    Mllp,
    /// LIS01 frames acknowledged when durable.
    Lis01,
    /// The ledger by itself, without sockets.
    Ledger,
    /// Observations read from messages of every analyser in the catalogue.
    Interpret,
    /// A catalogue of a thousand profiles, read and checked.
    Profiles,
    /// Verdicts on donations.
    Verdicts,
    /// The state made again from the journal.
    Rebuild,
    /// Resident memory under load.
    Memory,
    /// All of them, in this order.
    All,
}

impl Selection {
    /// The single benchmarks, in the order of `all`.
    pub const PARTS: [Self; 9] = [
        Self::Parse,
        Self::Mllp,
        Self::Lis01,
        Self::Ledger,
        Self::Interpret,
        Self::Profiles,
        Self::Verdicts,
        Self::Rebuild,
        Self::Memory,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Mllp => "mllp",
            Self::Lis01 => "lis01",
            Self::Ledger => "ledger",
            Self::Interpret => "interpret",
            Self::Profiles => "profiles",
            Self::Verdicts => "verdicts",
            Self::Rebuild => "rebuild",
            Self::Memory => "memory",
            Self::All => "all",
        }
    }

    /// What it measures, and the floor it is held against.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Parse => "Parsing, one thread, every value visited; floor: split and store",
            Self::Mllp => {
                "MLLP, every message durable before its answer, connections × unanswered messages; floor: append, one fdatasync a group, answer"
            }
            Self::Lis01 => {
                "LIS01, every frame durable before its ACK, × connections; floor: append, one fdatasync a group, ACK"
            }
            Self::Ledger => {
                "The ledger by itself, messages made durable from one thread; floor: append, one fdatasync a group"
            }
            Self::Interpret => {
                "Interpretation, one thread, messages of every profile's captures; floor: the end of every field found"
            }
            Self::Profiles => {
                "A thousand profiles loaded, read and checked, one thread; floor: the same files read"
            }
            Self::Verdicts => {
                "Verdicts, one thread, mixed evidence; floor: every reading compared with its cut-off once"
            }
            Self::Rebuild => {
                "The state made again from the journal; floor: every entry read and checked, nothing kept"
            }
            Self::Memory => {
                "Resident memory under the heaviest MLLP load; bound: the most each part may take; floor: the bare server"
            }
            Self::All => "All of them",
        }
    }

    pub(crate) fn includes(self, part: Self) -> bool {
        self == part || self == Self::All
    }

    /// Every name, for people.
    fn names() -> String {
        let names: Vec<&str> = Self::PARTS.into_iter().chain([Self::All]).map(Self::name).collect();
        names.join(", ")
    }
}

impl FromStr for Selection {
    type Err = BenchError;

    fn from_str(name: &str) -> Result<Self, BenchError> {
        let found = Self::PARTS.into_iter().chain([Self::All]).find(|part| part.name() == name);
        found.ok_or_else(|| BenchError::NoSuchBenchmark { name: name.to_owned(), choices: Self::names() })
    }
}

/// How figures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Table,
    /// One object a line.
    Json,
}

/// How to measure.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long each engine runs in each round.
    pub slice: Duration,
    /// How often the engines take turns; the middle ratio is reported.
    pub rounds: u32,
    /// Of the made-up traffic.
    pub seed: u64,
    /// Bytes of made-up traffic for the parsers.
    pub corpus_bytes: usize,
    /// Connections × outstanding messages a connection, for MLLP; LIS01 uses the connections.
    pub loads: Vec<(usize, usize)>,
    /// A folder on the disk to measure; a folder for the run is made in it and removed again.
    pub folder: PathBuf,
    /// How figures are written.
    pub format: Format,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slice: Duration::from_secs(1),
            rounds: 5,
            seed: 1,
            corpus_bytes: 16 << 20,
            loads: vec![(1, 1), (8, 1), (64, 1), (1, 16), (8, 16), (64, 16)],
            folder: PathBuf::from("."),
            format: Format::Table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_taken_and_nothing_else() {
        for part in Selection::PARTS {
            assert_eq!(part.name().parse::<Selection>().unwrap(), part);
            assert!(Selection::All.includes(part) && part.title().contains("; "), "{}", part.name());
        }
        let error = "parser".parse::<Selection>().unwrap_err().to_string();
        assert!(error.contains("\"parser\"") && error.contains("mllp"), "{error}");
    }
}

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
    /// All of them, in this order.
    All,
}

impl Selection {
    /// Every name `from_str` takes.
    pub const NAMES: [&'static str; 5] = ["parse", "mllp", "lis01", "ledger", "all"];

    pub(crate) fn includes(self, part: Self) -> bool {
        self == part || self == Self::All
    }
}

impl FromStr for Selection {
    type Err = BenchError;

    fn from_str(name: &str) -> Result<Self, BenchError> {
        match name {
            "parse" => Ok(Self::Parse),
            "mllp" => Ok(Self::Mllp),
            "lis01" => Ok(Self::Lis01),
            "ledger" => Ok(Self::Ledger),
            "all" => Ok(Self::All),
            _ => Err(BenchError::NoSuchBenchmark { name: name.to_owned(), choices: Self::NAMES.join(", ") }),
        }
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
        for name in Selection::NAMES {
            assert!(name.parse::<Selection>().is_ok(), "{name}");
        }
        let error = "parser".parse::<Selection>().unwrap_err().to_string();
        assert!(error.contains("\"parser\"") && error.contains("mllp"), "{error}");
    }
}

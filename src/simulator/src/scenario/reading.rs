//! What is measured of a tube, before any analyser writes it down in its own way.

use rust_decimal::Decimal;
use vocabulary::{DonationId, Grade, Marker};

/// The part an analyser plays in the laboratory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duty {
    /// First serology reagent of every marker.
    SerologyFirst,
    /// Second serology reagent of every marker, of another maker.
    SerologySecond,
    /// Nucleic acid test of single donations.
    Nat,
    /// Blood group of every donation.
    GroupingFirst,
    /// Second determination for first-time donors, and the antiglobulin test of RhD-negative ones.
    GroupingSecond,
    /// ALT.
    Chemistry,
}

impl Duty {
    /// Every duty.
    pub const ALL: &'static [Self] = &[
        Self::SerologyFirst,
        Self::SerologySecond,
        Self::Nat,
        Self::GroupingFirst,
        Self::GroupingSecond,
        Self::Chemistry,
    ];

    /// Its name in `simulation.toml`, messages and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SerologyFirst => "serology-first",
            Self::SerologySecond => "serology-second",
            Self::Nat => "nat",
            Self::GroupingFirst => "grouping-first",
            Self::GroupingSecond => "grouping-second",
            Self::Chemistry => "chemistry",
        }
    }

    /// Two letters in run numbers.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::SerologyFirst => "SA",
            Self::SerologySecond => "SB",
            Self::Nat => "NA",
            Self::GroupingFirst => "GA",
            Self::GroupingSecond => "GB",
            Self::Chemistry => "CH",
        }
    }

    /// What an analyser must be able to measure to do this duty.
    #[must_use]
    pub fn markers(self) -> &'static [Marker] {
        match self {
            Self::SerologyFirst | Self::SerologySecond => {
                &[Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis]
            }
            Self::Nat => &[Marker::HbvDna, Marker::HcvRna, Marker::HivRna],
            Self::GroupingFirst => &[
                Marker::AntiA,
                Marker::AntiB,
                Marker::AntiD,
                Marker::GroupControl,
                Marker::A1Cells,
                Marker::BCells,
            ],
            Self::GroupingSecond => &[
                Marker::AntiA,
                Marker::AntiB,
                Marker::AntiD,
                Marker::GroupControl,
                Marker::A1Cells,
                Marker::BCells,
                Marker::DIat,
            ],
            Self::Chemistry => &[Marker::Alt],
        }
    }
}

/// What one test of one tube found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Signal over cut-off, two decimals.
    Index(Decimal),
    /// Nucleic acid: the cycle of the target if it was detected, and that of the internal control.
    Target {
        /// Cycle threshold of the target; none was detected when absent.
        ct: Option<Decimal>,
        /// Cycle threshold of the internal control.
        control_ct: Decimal,
    },
    /// Reaction grade.
    Grade(Grade),
    /// Enzyme activity in U/L.
    Activity(Decimal),
    /// No usable result: clot, pressure, failed internal control.
    Invalid,
}

/// One test of one tube.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What was measured.
    pub marker: Marker,
    /// First well or tube is 1; duplicates go on counting.
    pub replicate: u8,
    /// What was found.
    pub finding: Finding,
}

/// What an analyser does with one tube in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The tube.
    pub donation: DonationId,
    /// What it measures in it.
    pub readings: Vec<Reading>,
    /// The analyser sends the message once more, unchanged.
    pub sent_twice: bool,
    /// The analyser adds a result under a code that nobody mapped.
    pub unmapped: bool,
    /// The analyser corrects what it sent before.
    pub corrected: bool,
}

/// How a run's controls come out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controls {
    /// All as they should.
    Pass,
    /// A positive control of this marker is not found.
    Fail(Marker),
    /// The positive controls of this marker read this index.
    Read(Marker, Decimal),
}

/// Tests whose controls stand for one another: a plate, a rack, a day's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Unique in the day: `260301-SB-003`.
    pub id: String,
    /// Counts from 1 on each analyser.
    pub number: u32,
    /// Its only marker, or none when it measures all of the duty's.
    pub marker: Option<Marker>,
    /// Start of measurement, at the place of the laboratory.
    pub started_at: jiff::civil::DateTime,
    /// How the controls come out.
    pub controls: Controls,
    /// What is tested, in order of position.
    pub tests: Vec<Test>,
}

/// What one analyser does in a day, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its part.
    pub duty: Duty,
    /// Its runs, in order.
    pub runs: Vec<Run>,
}

//! The tests that verdicts speak of, by the names a technician uses.

use crate::say::Say;
use vocabulary::{Marker, Virus};

/// One test of a donation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Test {
    /// One reagent for one marker.
    Serology {
        /// What is tested for.
        marker: Marker,
        /// With which reagent.
        reagent: String,
    },
    /// NAT of a pool.
    Pool(String),
    /// NAT of the donation alone; of one target, where it names one.
    Individual(Option<Virus>),
    /// Discriminatory NAT of one target.
    Discriminatory(Virus),
    /// ALT.
    Alt,
    /// Antibody screen.
    AntibodyScreen,
    /// A blood grouping, counted from 1.
    Grouping(usize),
}

impl Say for Test {
    fn en(&self) -> String {
        match self {
            Self::Serology { marker, reagent } => format!("{marker} reagent {reagent}"),
            Self::Pool(pool) => format!("NAT pool {pool}"),
            Self::Individual(None) => "individual NAT".into(),
            Self::Individual(Some(virus)) => format!("individual NAT for {}", virus.name()),
            Self::Discriminatory(virus) => format!("discriminatory NAT for {}", virus.name()),
            Self::Alt => "ALT".into(),
            Self::AntibodyScreen => "antibody screen".into(),
            Self::Grouping(n) => format!("blood grouping {n}"),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Serology { marker, reagent } => format!("{marker} 试剂 {reagent}"),
            Self::Pool(pool) => format!("核酸混样 {pool}"),
            Self::Individual(None) => "核酸单样检测".into(),
            Self::Individual(Some(virus)) => format!("{} 核酸单样检测", virus.name()),
            Self::Discriminatory(virus) => format!("{} 核酸鉴别试验", virus.name()),
            Self::Alt => "ALT".into(),
            Self::AntibodyScreen => "抗体筛查".into(),
            Self::Grouping(n) => format!("第 {n} 次血型鉴定"),
        }
    }
}

//! The tests that verdicts speak of, by the names a technician uses.

use crate::say::{Said, Say};
use vocabulary::{Marker, Virus};

/// One test of a donation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Test<'e> {
    /// One reagent for one marker.
    Serology {
        /// What is tested for.
        marker: Marker,
        /// With which reagent.
        reagent: &'e str,
    },
    /// NAT of a pool.
    Pool(&'e str),
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

impl Test<'_> {
    /// Its English name, where that is one of the program's own words.
    pub(crate) fn fixed(&self) -> Option<&'static str> {
        match self {
            Self::Individual(None) => Some("individual NAT"),
            Self::Alt => Some("ALT"),
            Self::AntibodyScreen => Some("antibody screen"),
            Self::Grouping(1) => Some("blood grouping 1"),
            Self::Serology { .. }
            | Self::Pool(_)
            | Self::Individual(Some(_))
            | Self::Discriminatory(_)
            | Self::Grouping(_) => None,
        }
    }

    /// Its English name, appended.
    pub(crate) fn write_en(&self, out: &mut String) {
        match self {
            Self::Serology { marker, reagent } => {
                out.push_str(marker.name());
                out.push_str(" reagent ");
                out.push_str(reagent);
            }
            Self::Pool(pool) => {
                out.push_str("NAT pool ");
                out.push_str(pool);
            }
            Self::Individual(Some(virus)) => {
                out.push_str("individual NAT for ");
                out.push_str(virus.name());
            }
            Self::Discriminatory(virus) => {
                out.push_str("discriminatory NAT for ");
                out.push_str(virus.name());
            }
            Self::Grouping(n) => {
                out.push_str("blood grouping ");
                out.push_str(&n.to_string());
            }
            Self::Individual(None) | Self::Alt | Self::AntibodyScreen => {
                out.push_str(self.fixed().unwrap_or_default());
            }
        }
    }
}

impl Say for Test<'_> {
    fn en(&self) -> Said {
        if let Some(word) = self.fixed() {
            return word.into();
        }
        let mut name = String::new();
        self.write_en(&mut name);
        name.into()
    }

    fn zh(&self) -> Said {
        match self {
            Self::Serology { marker, reagent } => format!("{marker} 试剂 {reagent}").into(),
            Self::Pool(pool) => format!("核酸混样 {pool}").into(),
            Self::Individual(None) => "核酸单样检测".into(),
            Self::Individual(Some(virus)) => format!("{} 核酸单样检测", virus.name()).into(),
            Self::Discriminatory(virus) => format!("{} 核酸鉴别试验", virus.name()).into(),
            Self::Alt => "ALT".into(),
            Self::AntibodyScreen => "抗体筛查".into(),
            Self::Grouping(n) => format!("第 {n} 次血型鉴定").into(),
        }
    }
}

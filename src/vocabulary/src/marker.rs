//! What is tested for: the closed list that analysers' codes are mapped to.

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// What a marker belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MarkerKind {
    /// Antigen or antibody of an infection, by a serology reagent.
    Serology,
    /// Nucleic acid.
    Nat,
    /// Clinical chemistry.
    Chemistry,
    /// A reaction column or a summary of blood grouping.
    Grouping,
    /// Antibody screening.
    Screening,
}

/// An infection that a donation gets a verdict for (rules.md §1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Virus {
    /// Hepatitis B.
    #[serde(rename = "HBV")]
    Hbv,
    /// Hepatitis C.
    #[serde(rename = "HCV")]
    Hcv,
    /// HIV 1 and 2.
    #[serde(rename = "HIV")]
    Hiv,
    /// Treponema pallidum.
    #[serde(rename = "syphilis")]
    Syphilis,
    /// HTLV I and II.
    #[serde(rename = "HTLV")]
    Htlv,
    /// Hepatitis E.
    #[serde(rename = "HEV")]
    Hev,
    /// West Nile virus.
    #[serde(rename = "WNV")]
    Wnv,
    /// Malaria (Plasmodium).
    #[serde(rename = "malaria")]
    Malaria,
    /// Chagas disease (Trypanosoma cruzi).
    #[serde(rename = "T.cruzi")]
    TCruzi,
    /// Babesiosis.
    #[serde(rename = "Babesia")]
    Babesia,
}

impl Virus {
    /// Every infection, in the order of the list.
    pub const ALL: [Self; 10] = [
        Self::Hbv,
        Self::Hcv,
        Self::Hiv,
        Self::Syphilis,
        Self::Htlv,
        Self::Hev,
        Self::Wnv,
        Self::Malaria,
        Self::TCruzi,
        Self::Babesia,
    ];

    /// The name used in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Hbv => "HBV",
            Self::Hcv => "HCV",
            Self::Hiv => "HIV",
            Self::Syphilis => "syphilis",
            Self::Htlv => "HTLV",
            Self::Hev => "HEV",
            Self::Wnv => "WNV",
            Self::Malaria => "malaria",
            Self::TCruzi => "T.cruzi",
            Self::Babesia => "Babesia",
        }
    }
}

impl fmt::Display for Virus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A text that is no marker's name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a marker")]
pub struct UnknownMarker(pub String);

macro_rules! markers {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $kind:ident, $virus:expr;)*) => {
        /// One thing that is measured, read or typed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Marker {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Marker {
            /// Every marker, in the order of the list.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name used in profiles and JSON.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What kind of test it is.
            #[must_use]
            pub fn kind(self) -> MarkerKind {
                match self { $(Self::$variant => MarkerKind::$kind,)* }
            }

            /// The infection it speaks of, if any. The multiplex [`Marker::Nat`] speaks of several and names none.
            #[must_use]
            pub fn virus(self) -> Option<Virus> {
                match self { $(Self::$variant => $virus,)* }
            }
        }
    };
}

markers! {
    /// Hepatitis B surface antigen.
    HBsAg = "HBsAg", Serology, Some(Virus::Hbv);
    /// Antibody to hepatitis B core.
    AntiHbc = "anti-HBc", Serology, Some(Virus::Hbv);
    /// Antibody to hepatitis C (or antigen and antibody).
    AntiHcv = "anti-HCV", Serology, Some(Virus::Hcv);
    /// HIV antibody (or antigen and antibody).
    Hiv = "HIV", Serology, Some(Virus::Hiv);
    /// Treponema pallidum antibody.
    Syphilis = "syphilis", Serology, Some(Virus::Syphilis);
    /// HTLV antibody.
    Htlv = "HTLV", Serology, Some(Virus::Htlv);
    /// Plasmodium antibody.
    AntiMalaria = "anti-malaria", Serology, Some(Virus::Malaria);
    /// Trypanosoma cruzi antibody.
    AntiTCruzi = "anti-T.cruzi", Serology, Some(Virus::TCruzi);
    /// Multiplex nucleic acid test without a named target.
    Nat = "NAT", Nat, None;
    /// HBV DNA.
    HbvDna = "HBV-DNA", Nat, Some(Virus::Hbv);
    /// HCV RNA.
    HcvRna = "HCV-RNA", Nat, Some(Virus::Hcv);
    /// HIV RNA.
    HivRna = "HIV-RNA", Nat, Some(Virus::Hiv);
    /// HEV RNA.
    HevRna = "HEV-RNA", Nat, Some(Virus::Hev);
    /// West Nile virus RNA.
    WnvRna = "WNV-RNA", Nat, Some(Virus::Wnv);
    /// Plasmodium RNA (or RNA and DNA).
    MalariaRna = "malaria-RNA", Nat, Some(Virus::Malaria);
    /// Babesia RNA (or RNA and DNA).
    BabesiaRna = "Babesia-RNA", Nat, Some(Virus::Babesia);
    /// Alanine aminotransferase, U/L.
    Alt = "ALT", Chemistry, None;
    /// Forward column anti-A.
    AntiA = "anti-A", Grouping, None;
    /// Forward column anti-B.
    AntiB = "anti-B", Grouping, None;
    /// Forward column anti-A,B.
    AntiAB = "anti-A,B", Grouping, None;
    /// Reverse column A1 cells.
    A1Cells = "A1-cells", Grouping, None;
    /// Reverse column A2 cells.
    A2Cells = "A2-cells", Grouping, None;
    /// Reverse column B cells.
    BCells = "B-cells", Grouping, None;
    /// Reverse column O cells.
    OCells = "O-cells", Grouping, None;
    /// The sample's own control column of a grouping.
    GroupControl = "group-control", Grouping, None;
    /// Anti-D at the immediate phase.
    AntiD = "anti-D", Grouping, None;
    /// Anti-D by the indirect antiglobulin test.
    DIat = "D-IAT", Grouping, None;
    /// Direct antiglobulin test.
    Dat = "DAT", Grouping, None;
    /// Cells coated with `IgG`, added to a negative antiglobulin test in a tube: they have to react.
    CoatedCells = "coated-cells", Grouping, None;
    /// Adsorption and elution test for DEL.
    Del = "DEL", Grouping, None;
    /// The analyser's own ABO summary.
    Abo = "ABO", Grouping, None;
    /// The analyser's own RhD summary.
    RhD = "RhD", Grouping, None;
    /// Rh and Kell antigens other than D.
    Phenotype = "phenotype", Grouping, None;
    /// Antibody screen.
    AntibodyScreen = "antibody-screen", Screening, None;
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Marker {
    type Err = UnknownMarker;
    fn from_str(text: &str) -> Result<Self, UnknownMarker> {
        Self::ALL.iter().copied().find(|m| m.name() == text).ok_or_else(|| UnknownMarker(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marker_reads_back_from_its_name() {
        for marker in Marker::ALL {
            assert_eq!(marker.name().parse::<Marker>().unwrap(), *marker);
            let json = serde_json::to_string(marker).unwrap();
            assert_eq!(serde_json::from_str::<Marker>(&json).unwrap(), *marker);
            assert_eq!(json, format!("{:?}", marker.name()));
        }
    }

    #[test]
    fn an_unknown_name_is_an_error_and_never_a_near_marker() {
        assert_eq!("hbsag".parse::<Marker>(), Err(UnknownMarker("hbsag".into())));
    }
}

//! The shape of a kit file.

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use toml::Spanned;

/// A number as it is written, in quotes: never a binary float (law 8).
#[derive(Debug, Clone, Copy)]
pub(super) struct Number(pub(super) Decimal);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(|_| {
            serde::de::Error::custom(format!("{text:?} is no decimal number; write it as in \"0.050\""))
        })
    }
}

/// Names for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Title {
    pub(super) en: String,
    pub(super) zh: String,
}

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) schema: Spanned<u32>,
    pub(super) id: Spanned<String>,
    pub(super) title: Title,
    pub(super) assays: Spanned<Vec<String>>,
    /// Who makes the reagents.
    #[serde(default)]
    pub(super) maker: Option<Spanned<String>>,
    pub(super) source: String,
    #[serde(default)]
    pub(super) not_verified: Vec<String>,
    #[serde(default)]
    pub(super) effective_from: Option<Date>,
    #[serde(default)]
    pub(super) effective_to: Option<Date>,
    #[serde(default)]
    pub(super) plate: Option<Spanned<Plate>>,
    #[serde(default)]
    pub(super) window: Option<Spanned<Window>>,
    #[serde(default)]
    pub(super) batch: Option<Spanned<Batch>>,
    #[serde(default)]
    pub(super) cells: Option<Spanned<Cells>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plate {
    #[serde(default)]
    pub(super) signal: crate::kit::Signal,
    pub(super) controls: BTreeMap<String, PlateControl>,
    pub(super) criteria: Vec<Spanned<String>>,
    /// Hours that the wells of one plate may lie apart.
    #[serde(default)]
    pub(super) hours: Option<Spanned<u32>>,
    pub(super) cutoff: Spanned<String>,
    #[serde(default)]
    pub(super) od_min: Option<Number>,
    #[serde(default)]
    pub(super) sample_min: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) od_max: Option<Number>,
    #[serde(default)]
    pub(super) external: BTreeMap<String, External>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlateControl {
    /// The control's name in the profile; `blank` for reagent blanks.
    pub(super) is: String,
    pub(super) wells: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct External {
    pub(super) is: String,
    pub(super) wells: usize,
    #[serde(default)]
    pub(super) sco_min: Option<Number>,
    #[serde(default)]
    pub(super) sco_max: Option<Number>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Window {
    #[serde(default)]
    pub(super) hours: Option<Spanned<u32>>,
    pub(super) levels: Spanned<Vec<String>>,
    pub(super) calibration: Calibration,
    #[serde(default)]
    pub(super) calibration_days: Option<Spanned<u32>>,
}

/// Whether calibrations are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Calibration {
    /// The analyser keeps them to itself, and measures nothing without one.
    OnAnalyser,
    /// They are sent, and one has to stand before each result.
    Sent,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Batch {
    pub(super) targets: Spanned<Vec<String>>,
    /// Names of the negative controls in the profile.
    pub(super) negative: Vec<String>,
    /// Names of the positive controls; of all targets, or of the one that is named.
    pub(super) positive: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) external: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    pub(super) positive_ct: Option<[Number; 2]>,
    pub(super) internal: Spanned<InternalBy>,
    /// Hours that the wells of one batch may lie apart.
    #[serde(default)]
    pub(super) hours: Option<Spanned<u32>>,
}

/// Who judges the internal control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum InternalBy {
    /// The analyser, which calls nothing non-reactive without it.
    Analyser,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cells {
    #[serde(default)]
    pub(super) hours: Option<Spanned<u32>>,
    pub(super) known: Spanned<Vec<Spanned<KnownText>>>,
    #[serde(default)]
    pub(super) coated: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KnownText {
    /// The reagent, as a marker: `anti-A`.
    pub(super) reagent: String,
    /// The name of the known sample or cell in the profile.
    pub(super) with: String,
    /// `0`, or the least strength.
    pub(super) due: String,
}

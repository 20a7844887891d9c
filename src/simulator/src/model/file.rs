//! `simulation.toml` as it is written.

use crate::scenario::Duty;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::{collections::BTreeMap, num::NonZeroU16};
use vocabulary::{LotRole, LotUse, Marker, Protocol};

/// What one message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum MessageHolds {
    /// One result of one specimen.
    Test,
    /// Every result of one specimen.
    Specimen,
    /// A whole run with its controls.
    Run,
}

/// How the rows of a file end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum LineEnd {
    /// CR LF.
    #[default]
    Crlf,
    /// LF.
    Lf,
}

/// The names of the templates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TemplateNames {
    /// For messages with results of donations.
    pub(super) results: String,
    /// For messages with results of controls; else as `results`.
    #[serde(default)]
    pub(super) controls: Option<String>,
    /// For the question what to do with specimens; without it the model asks nothing.
    #[serde(default)]
    pub(super) question: Option<String>,
}

/// One test code.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AssayFile {
    /// What it measures.
    pub(super) marker: Marker,
    /// Its code on the wire.
    pub(super) code: String,
    /// Optical density at the cut-off.
    #[serde(default)]
    pub(super) cutoff: Option<Decimal>,
    /// Signal at the cut-off.
    #[serde(default)]
    pub(super) signal_cutoff: Option<Decimal>,
    /// Anything more, for templates.
    #[serde(flatten)]
    pub(super) more: toml::Table,
}

/// One control material.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct ControlFile {
    /// What it has to read.
    pub(super) reads: BTreeMap<Marker, ControlReads>,
    /// Anything more, for templates.
    #[serde(flatten)]
    pub(super) more: toml::Table,
}

/// What a control has to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) enum ControlReads {
    /// Above the cut-off; target found.
    Reactive,
    /// Below the cut-off; target not found.
    NonReactive,
    /// Agglutinated.
    Positive,
    /// Not agglutinated.
    Negative,
    /// The analyser judges it.
    Valid,
    /// This activity, within three percent.
    Activity(Decimal),
}

impl TryFrom<String> for ControlReads {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Ok(match text.as_str() {
            "reactive" => Self::Reactive,
            "non_reactive" => Self::NonReactive,
            "positive" => Self::Positive,
            "negative" => Self::Negative,
            "valid" => Self::Valid,
            number => Self::Activity(number.parse().map_err(|_| {
                format!("{text:?} is none of reactive, non_reactive, positive, negative, valid, or a number")
            })?),
        })
    }
}

/// The whole file. See the reference in [`crate::model`].
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SimulationFile {
    /// Parts it can play.
    pub(super) duties: Vec<Duty>,
    /// Chosen before others for the demonstration.
    #[serde(default)]
    pub(super) demonstrated: bool,
    /// Wire format.
    pub(super) protocol: Protocol,
    /// What one message holds.
    pub(super) message: MessageHolds,
    /// LIS01: messages in one transfer.
    #[serde(default = "one")]
    pub(super) messages_per_transfer: NonZeroU16,
    /// Character set of the bytes.
    #[serde(default = "utf8")]
    pub(super) encoding: String,
    /// Name of a file, a template.
    #[serde(default)]
    pub(super) file_name: Option<String>,
    /// How rows of a file end.
    #[serde(default)]
    pub(super) line_end: LineEnd,
    /// Templates.
    pub(super) templates: TemplateNames,
    /// Anything, for templates.
    #[serde(default)]
    pub(super) instrument: toml::Table,
    /// Lots that belong to no single assay or control; anything more is for templates.
    #[serde(default, rename = "lot")]
    pub(super) lots: Vec<toml::Table>,
    /// What the model says for each interpretation.
    #[serde(default)]
    pub(super) texts: BTreeMap<String, String>,
    /// Its test codes.
    #[serde(rename = "assay")]
    pub(super) assays: Vec<AssayFile>,
    /// Its control materials.
    #[serde(default, rename = "control")]
    pub(super) controls: Vec<ControlFile>,
    /// The test that no profile maps.
    #[serde(default)]
    pub(super) unmapped: Option<AssayFile>,
}

impl SimulationFile {
    /// Every lot that its messages name: by the keys `lot`, `expires` and `name` of each table.
    pub(super) fn lot_uses(&self) -> Result<Vec<LotUse>, String> {
        let assays = self.assays.iter().chain(&self.unmapped).map(|a| (LotRole::Reagent, &a.more));
        let controls = self.controls.iter().map(|c| (LotRole::Control, &c.more));
        let others = self.lots.iter().map(|l| (LotRole::Reagent, l));
        let uses = assays.chain(controls).chain(others).map(|(role, table)| lot_use(role, table));
        let mut uses: Vec<LotUse> = uses.filter_map(Result::transpose).collect::<Result<_, _>>()?;
        uses.sort();
        uses.dedup();
        Ok(uses)
    }
}

fn lot_use(role: LotRole, table: &toml::Table) -> Result<Option<LotUse>, String> {
    let text = |key| table.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    let Some(lot) = text("lot") else { return Ok(None) };
    let role = match text("role").as_deref() {
        None => role,
        Some("reagent") => LotRole::Reagent,
        Some("control") => LotRole::Control,
        Some("calibrator") => LotRole::Calibrator,
        Some(other) => {
            return Err(format!("lot {lot}: the role {other:?} is none of reagent, control, calibrator"));
        }
    };
    let day = |digits: String| {
        let fault = |_| format!("lot {lot}: expires = {digits:?} is no day: write YYYYMMDD, or 14 digits");
        let form = if digits.len() == 14 { "%Y%m%d%H%M%S" } else { "%Y%m%d" };
        jiff::civil::Date::strptime(form, &digits).map_err(fault)
    };
    let expires = text("expires").map(day).transpose()?;
    Ok(Some(LotUse { role, name: text("name"), lot, expires }))
}

fn one() -> NonZeroU16 {
    NonZeroU16::MIN
}

fn utf8() -> String {
    "UTF-8".to_owned()
}

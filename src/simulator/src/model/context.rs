//! What templates see. The names here are those of the reference in [`crate::model`].

use serde::Serialize;
use std::collections::BTreeMap;

/// One message.
#[derive(Debug, Clone, Serialize)]
pub(super) struct MessageContext<'a> {
    pub(super) control_id: String,
    pub(super) sequence: u32,
    pub(super) sent_at: String,
    pub(super) utc_offset: &'a str,
    pub(super) duty: &'static str,
    pub(super) kind: &'static str,
    pub(super) run: &'a RunContext,
    pub(super) instrument: &'a toml::Table,
    pub(super) texts: &'a BTreeMap<String, String>,
    pub(super) lots: &'a [toml::Table],
    pub(super) specimens: &'a [SpecimenContext<'a>],
}

/// The run a message belongs to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct RunContext {
    pub(super) id: String,
    pub(super) number: u32,
    pub(super) started_at: String,
}

/// One tube, or one control material.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SpecimenContext<'a> {
    pub(super) id: &'a str,
    pub(super) kind: &'static str,
    pub(super) control: Option<&'a toml::Table>,
    pub(super) position: u32,
    pub(super) summary: Summary,
    pub(super) results: Vec<ResultContext<'a>>,
}

/// What the analyser concludes of a specimen's columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Summary {
    pub(super) abo: Option<&'static str>,
    pub(super) rhd: Option<&'static str>,
}

/// One result.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ResultContext<'a> {
    pub(super) marker: &'static str,
    pub(super) code: &'a str,
    pub(super) assay: &'a toml::Table,
    pub(super) replicate: u8,
    pub(super) corrected: bool,
    pub(super) position: u32,
    pub(super) well: String,
    pub(super) completed_at: String,
    pub(super) text: Option<&'a str>,
    #[serde(flatten)]
    pub(super) found: Found,
}

/// What was found, in every form that applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Found {
    pub(super) interpretation: Option<&'static str>,
    pub(super) value: Option<String>,
    pub(super) index: Option<String>,
    pub(super) od: Option<String>,
    pub(super) cutoff: Option<String>,
    pub(super) signal: Option<String>,
    pub(super) ct: Option<String>,
    pub(super) control_ct: Option<String>,
    pub(super) grade: Option<String>,
    pub(super) activity: Option<String>,
}

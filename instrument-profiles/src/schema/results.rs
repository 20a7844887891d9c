//! The parts of the schema that turn rows into results.

use super::{Condition, Text, Texts};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use vocabulary::{Consequence, ResultStatus};

/// How far a result has come.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Status {
    pub(crate) at: Option<Text>,
    pub(crate) map: BTreeMap<Text, Spanned<StatusWord>>,
    /// For formats that only ever hold final results.
    pub(crate) always: Option<ResultStatus>,
}

/// A status in a profile's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StatusWord {
    Final,
    Corrected,
    Repeated,
    Preliminary,
    Other,
    NotObtained,
    /// Seen, and nobody has said yet what it means: results are held.
    Open,
}

impl StatusWord {
    /// The status; none while it is open.
    pub(crate) fn status(self) -> Option<ResultStatus> {
        Some(match self {
            Self::Final => ResultStatus::Final,
            Self::Corrected => ResultStatus::Corrected,
            Self::Repeated => ResultStatus::Repeated,
            Self::Preliminary => ResultStatus::Preliminary,
            Self::Other => ResultStatus::Other,
            Self::NotObtained => ResultStatus::NotObtained,
            Self::Open => return None,
        })
    }
}

/// Flags and alarms.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Flags {
    /// `[]` where the model sends none.
    pub(crate) at: Option<Texts>,
    /// Parts one text into several flags.
    pub(crate) separator: Option<Text>,
    /// Parts one text into flags of so many characters each.
    pub(crate) width: Option<Spanned<u8>>,
    /// What a flag does that is not in `known`.
    pub(crate) unknown: Option<Consequence>,
    pub(crate) known: BTreeMap<Text, Flag>,
}

/// One flag.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flag {
    pub(crate) does: FlagEffect,
    /// For `agree`: what the value must mean.
    #[serde(default)]
    pub(crate) with: Option<Text>,
    pub(crate) what: String,
}

/// What a flag does to its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlagEffect {
    /// Kept beside the result; nothing else.
    Keep,
    /// A person has to look.
    Hold,
    /// The specimen's id was typed in by hand: two people have to compare it with the tube (R-GATE-09).
    Typed,
    /// The result is invalid and must be repeated.
    Invalid,
    /// The run it belongs to failed.
    RunFailed,
    /// Says again what the value says, and must not contradict it.
    Agree,
    /// Seen, and nobody has said yet what it does: the result is held.
    Open,
}

/// Places that every `[[row]]` starts from.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Results {
    pub(crate) test: Option<Text>,
    pub(crate) number: Option<Text>,
    pub(crate) interpretation: Option<Text>,
    pub(crate) grade: Option<Text>,
    pub(crate) od: Option<Text>,
    pub(crate) cutoff: Option<Text>,
    pub(crate) unit: Option<Text>,
    /// The first that is not empty.
    pub(crate) completed_at: Texts,
    pub(crate) operator: Texts,
    /// Model and serial number, joined by a blank.
    pub(crate) instrument: Texts,
    /// Which of several measurements of one specimen in one run; the well of a plate where nothing is said.
    pub(crate) replicate: Texts,
    /// Rows of one order with the same texts here (and the same test) are one result.
    pub(crate) together: Option<Texts>,
    /// What a result must have: `number`, `interpretation`, `grade`, `od`, `cutoff`, `confirmation`.
    pub(crate) whole: Texts,
    /// What stands here may stand here once in an order: a second row of that name holds the order.
    pub(crate) once: Texts,
}

/// What one sort of row gives. The first whose `when` holds counts.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Row {
    pub(crate) name: Option<Text>,
    /// `R`, `OBX`, `row`, … absent: the protocol's own.
    pub(crate) record: Option<Text>,
    pub(crate) when: Vec<Spanned<Condition>>,
    /// Gives nothing to a value, and why.
    pub(crate) aside: Option<Text>,
    pub(crate) test: Option<Text>,
    pub(crate) number: Option<Text>,
    pub(crate) interpretation: Option<Text>,
    pub(crate) grade: Option<Text>,
    pub(crate) od: Option<Text>,
    pub(crate) cutoff: Option<Text>,
    pub(crate) unit: Option<Text>,
    pub(crate) completed_at: Texts,
    /// A text that has to mean the same as the interpretation of the row's result.
    pub(crate) confirms: Option<Text>,
    /// What its results must have, instead of what `[result]` or the test says.
    pub(crate) whole: Option<Texts>,
    /// For rows that have no status of their own.
    pub(crate) status_is: Option<ResultStatus>,
}

/// Two places that must say the same.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Check {
    pub(crate) finding: Text,
    pub(crate) equal: Texts,
    /// Compares the first group of this pattern in each text; a text that it does not fit is compared whole.
    #[serde(default)]
    pub(crate) part: Option<Text>,
    pub(crate) does: Consequence,
    pub(crate) what: String,
    #[serde(default)]
    pub(crate) when: Vec<Spanned<Condition>>,
}

/// Tests that an order must have brought, all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Panel {
    pub(crate) name: String,
    pub(crate) when: Vec<Spanned<Condition>>,
    pub(crate) tests: Texts,
}

/// One code of the analyser and what it stands for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Test {
    pub(crate) code: Option<Text>,
    /// Needed where one code means several things.
    pub(crate) when: Vec<Spanned<Condition>>,
    /// Known, and no evidence of anything: why.
    pub(crate) aside: Option<Text>,
    /// Seen, and nobody has said yet what it measures: what is to be done.
    pub(crate) open: Option<Text>,
    pub(crate) marker: Option<Text>,
    pub(crate) assay: Option<Text>,
    /// Name of the map in `[values]`.
    pub(crate) values: Option<Text>,
    /// Name of the map in `[grades]`.
    pub(crate) grades: Option<Text>,
    /// Unit as sent → unit as named here.
    pub(crate) units: BTreeMap<Text, String>,
    /// Its unit, where none is sent.
    pub(crate) unit_is: Option<Text>,
    /// `">= 1.00"`: the number and the interpretation may not contradict each other; `"none"`: they have no limit in common.
    /// Has to be said where both are read.
    pub(crate) reactive: Option<Text>,
    /// No text says what the number means: `reactive` alone decides. Only without `values`; has to be said there.
    pub(crate) by_number: Option<bool>,
    /// Tells one target from the others after a reactive multiplex test: by itself it screens nothing.
    pub(crate) discriminates: bool,
    /// May be empty.
    pub(crate) optional: bool,
    pub(crate) whole: Option<Texts>,
    pub(crate) number: Option<Text>,
    pub(crate) interpretation: Option<Text>,
    pub(crate) grade: Option<Text>,
    pub(crate) source: Option<Text>,
    pub(crate) level: Option<crate::evidence::Level>,
}

//! The parts of the schema that are about orders: what the analyser asks, what is answered, what is sent to it.

use super::{Condition, Text, Texts};
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;

/// How the analyser asks what it is to do.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Query {
    /// The record that asks; absent: Q. HL7 has to say: `QPD`, `QRD`.
    pub(crate) record: Option<Text>,
    /// All must hold, seen from that record.
    pub(crate) when: Vec<Spanned<Condition>>,
    /// Places of specimen ids, the first that is not empty counts; `[*]` for several.
    pub(crate) specimens: Texts,
    /// All hold when it asks for whatever there is to do.
    pub(crate) all: Vec<Spanned<Condition>>,
    /// All hold when it takes its last question back.
    pub(crate) cancel: Vec<Spanned<Condition>>,
    /// Blanks after an id are padding.
    pub(crate) trim_end: bool,
    /// The tests it asks about; absent, or one of `all_tests`: any.
    pub(crate) tests: Option<Text>,
    pub(crate) all_tests: Texts,
    pub(crate) carrier: Option<Text>,
    pub(crate) position: Option<Text>,
    /// Its own tag of the question.
    pub(crate) tag: Option<Text>,
    /// Its own id of the question.
    pub(crate) id: Option<Text>,
    /// Nothing is ever ordered here, and why: every question is answered as one with nothing to do.
    pub(crate) nothing_ordered: Option<Text>,
}

/// What it gets, by what was found.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answers {
    /// There is something to do for at least one specimen.
    pub(crate) found: Option<Spanned<Answer>>,
    /// There is nothing to do.
    pub(crate) nothing: Option<Spanned<Answer>>,
    /// The question cannot be used; absent: as `nothing`.
    pub(crate) refused: Option<Spanned<Answer>>,
    /// We could not look; absent: as `nothing`.
    pub(crate) failed: Option<Spanned<Answer>>,
    /// It took its question back; absent: the acknowledgement of any message.
    pub(crate) cancelled: Option<Spanned<Answer>>,
}

/// One answer.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Answer {
    /// The template of what leaves in place of the acknowledgement.
    pub(crate) direct: Option<Text>,
    /// The template of what follows as a message of our own; absent: silence.
    pub(crate) message: Option<Text>,
    pub(crate) each: Option<Each>,
    pub(crate) awaits: Option<Awaits>,
}

/// How much one message of ours holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Each {
    /// Every specimen of the question.
    Query,
    /// One specimen.
    Specimen,
}

/// When a message of ours is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Awaits {
    /// When the analyser has answered it.
    Answer,
    /// When the link has delivered it.
    Link,
}

/// Orders that it is sent without having asked.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OrderOut {
    /// `false`: only where the site says so for a connection. Absent: it is sent what is placed.
    pub(crate) unasked: Option<bool>,
    /// The template of a new order.
    pub(crate) place: Option<Text>,
    /// The template of a cancellation; absent: it cannot be told.
    pub(crate) cancel: Option<Text>,
    pub(crate) awaits: Option<Awaits>,
}

/// What its answer to an order means.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Reply {
    /// All hold for a message that answers an order.
    pub(crate) when: Vec<Spanned<Condition>>,
    /// Where it says whether it took the message.
    pub(crate) code: Option<Text>,
    /// The texts there that mean yes.
    pub(crate) accepted: Texts,
    /// Places of its own words, for people.
    pub(crate) text: Texts,
    /// Where the work step stands that a part of the answer is about.
    pub(crate) step: Option<Text>,
    /// Where it says what became of that step; several texts are joined by blanks.
    pub(crate) status: Texts,
    /// `"OK SC"` → accepted, refused, cancelled, `not_cancelled`.
    pub(crate) steps: BTreeMap<Text, Step>,
}

/// What became of one work step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Accepted,
    Refused,
    Cancelled,
    NotCancelled,
}

/// How orders are written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Writing {
    /// Absent: `|\^&` for LIS02, `|^~\&` for HL7.
    pub(crate) delimiters: Option<Text>,
    /// Where nothing was asked: the character set; absent: `[characters]` has it, or UTF-8.
    pub(crate) characters: Option<Text>,
    /// `routine` and `stat` → its words.
    pub(crate) priority: BTreeMap<Text, String>,
    /// `male`, `female`, `other` → its words.
    pub(crate) sex: BTreeMap<Text, String>,
    /// Our word → its word. A type that is not here is not sent at all.
    pub(crate) specimen_types: BTreeMap<Text, String>,
}

/// One test that can be ordered.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Orderable {
    /// What it is ordered under.
    pub(crate) code: Option<Text>,
    /// The assays it measures; an order of one of them orders the test.
    pub(crate) assays: Texts,
    /// Anything that templates read as `test.with.NAME`.
    pub(crate) with: BTreeMap<Text, String>,
    pub(crate) source: Option<Text>,
    pub(crate) level: Option<crate::evidence::Level>,
}

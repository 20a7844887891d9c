//! The part of the schema that is about orders which come in: from a LIS, or in a file.

use super::{Condition, Text, Texts};
use crate::wish::WishAction;
use serde::Deserialize;
use std::collections::BTreeMap;
use toml::Spanned;
use vocabulary::{Priority, Sex};

/// Where an order stands in a message.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OrderIn {
    /// All hold, seen from the header, for a message with orders. Files need none.
    pub(crate) message: Vec<Spanned<Condition>>,
    /// The record of one order; absent: O in LIS02, OBR in HL7, a file's rows.
    pub(crate) record: Option<Text>,
    /// The order's number, the first place that is not empty; absent: the specimen's id is the number.
    pub(crate) id: Texts,
    /// The specimen's id, the first place that is not empty.
    pub(crate) specimen: Texts,
    /// Codes of tests.
    pub(crate) test: Option<Text>,
    /// Parts one text into several codes.
    pub(crate) separator: Option<Text>,
    /// Code → assays.
    pub(crate) tests: BTreeMap<Text, Texts>,
    /// A code that is not in `tests` is the name of an assay.
    pub(crate) assay_names: bool,
    /// What is wanted; absent: that every order is placed.
    pub(crate) action: Option<Text>,
    /// Its words.
    pub(crate) actions: BTreeMap<Text, WishAction>,
    pub(crate) priority: Option<Text>,
    /// Its words; nothing at all is routine.
    pub(crate) priorities: BTreeMap<Text, Priority>,
    pub(crate) specimen_type: Option<Text>,
    /// Its words and ours, which `[writing.specimen_types]` of analysers knows; absent: the sender writes ours.
    pub(crate) specimen_types: BTreeMap<Text, String>,
    pub(crate) collected_at: Option<Text>,
    /// The only connection that may do it.
    pub(crate) only_on: Option<Text>,
    pub(crate) donor_id: Option<Text>,
    pub(crate) donor_name: Option<Text>,
    pub(crate) born: Option<Text>,
    pub(crate) sex: Option<Text>,
    pub(crate) sexes: BTreeMap<Text, Sex>,
    /// How the sender is answered; absent: by the acknowledgement of any message.
    pub(crate) answer: Option<Spanned<OrderInAnswer>>,
}

/// What the sender of orders gets.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct OrderInAnswer {
    /// The template of what leaves in place of the acknowledgement. HL7 only.
    pub(crate) direct: Option<Text>,
    /// The template of a message of our own, sent where an order was refused. LIS02 only.
    pub(crate) refused: Option<Text>,
}

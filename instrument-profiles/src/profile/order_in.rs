//! Checks the part about orders that come in.

use super::{builder::Builder, rules::Condition};
use crate::{
    path::{Path, RecordPath},
    schema,
    wish::WishAction,
};
use std::collections::HashMap;
use toml::Spanned;
use vocabulary::{Priority, Protocol, Sex};

/// Where an order stands in a message, checked.
#[derive(Debug, Clone)]
pub(crate) struct OrderInRules {
    pub(crate) message: Vec<Condition>,
    pub(crate) record: String,
    /// Empty: the specimen's id is the order's number.
    pub(crate) id: Vec<Path>,
    pub(crate) specimen: Vec<Path>,
    pub(crate) test: Path,
    pub(crate) separator: Option<String>,
    pub(crate) tests: HashMap<String, Vec<String>>,
    pub(crate) assay_names: bool,
    pub(crate) action: Option<(Path, HashMap<String, WishAction>)>,
    pub(crate) priority: Option<(Path, HashMap<String, Priority>)>,
    pub(crate) specimen_type: Option<Path>,
    /// Empty: as it came.
    pub(crate) specimen_types: HashMap<String, String>,
    pub(crate) collected_at: Option<Path>,
    pub(crate) only_on: Option<Path>,
    pub(crate) donor_id: Option<Path>,
    pub(crate) donor_name: Option<Path>,
    pub(crate) born: Option<Path>,
    pub(crate) sex: Option<(Path, HashMap<String, Sex>)>,
}

impl Builder<'_, '_> {
    pub(super) fn order_in(&mut self, written: &Spanned<schema::OrderIn>) -> Option<OrderInRules> {
        let (span, order) = (written.span(), written.get_ref());
        if order.message.is_empty() && self.protocol != Protocol::Delimited {
            self.missing(&span, "`message`: which messages carry orders");
        }
        if order.specimen.iter().next().is_none() {
            self.missing(&span, "`specimen`: the places of the specimen's id");
        }
        if order.tests.is_empty() && !order.assay_names {
            self.missing(&span, "`tests`, or `assay_names = true`: no code would be known");
        }
        if order.separator.as_ref().is_some_and(|text| text.get_ref().is_empty()) {
            self.fault(&span, "an empty `separator` parts nothing");
        }
        let record = match (&order.record, self.protocol) {
            (Some(name), Protocol::Lis02 | Protocol::Hl7v2) => {
                let found = RecordPath::parse(name.get_ref(), self.protocol).filter(|p| p.only.is_none());
                if found.is_none() {
                    self.fault(&name.span(), "no record: O in LIS02, OBR in HL7");
                }
                found?.name
            }
            (Some(name), Protocol::Delimited) => {
                self.fault(&name.span(), "every row of a file is an order");
                return None;
            }
            (_, Protocol::PkBlocks) => {
                self.fault(&span, "a PK session carries no orders");
                return None;
            }
            (None, Protocol::Lis02) => "O".to_owned(),
            (None, Protocol::Hl7v2) => "OBR".to_owned(),
            (None, Protocol::Delimited) => "row".to_owned(),
        };
        if let (None, Some((word, _))) = (&order.specimen_type, order.specimen_types.first_key_value()) {
            self.fault(&word.span(), "`specimen_types` without the place where they stand");
        }
        let test = self.required(order.test.as_ref(), &span, "`test`: where the codes of tests stand")?;
        let tests = order.tests.iter().map(|(code, assays)| (code.get_ref().clone(), assays.to_strings()));
        Some(OrderInRules {
            message: self.conditions(&order.message),
            record,
            id: self.paths(&order.id),
            specimen: self.paths(&order.specimen),
            test: self.path(test)?,
            separator: order.separator.as_ref().map(|text| text.get_ref().clone()),
            tests: tests.collect(),
            assay_names: order.assay_names,
            action: self.words_in(order.action.as_ref(), &order.actions, "actions"),
            priority: self.words_in(order.priority.as_ref(), &order.priorities, "priorities"),
            specimen_type: self.path_if(order.specimen_type.as_ref()),
            specimen_types: order
                .specimen_types
                .iter()
                .map(|(w, ours)| (w.get_ref().clone(), ours.clone()))
                .collect(),
            collected_at: self.path_if(order.collected_at.as_ref()),
            only_on: self.path_if(order.only_on.as_ref()),
            donor_id: self.path_if(order.donor_id.as_ref()),
            donor_name: self.path_if(order.donor_name.as_ref()),
            born: self.path_if(order.born.as_ref()),
            sex: self.words_in(order.sex.as_ref(), &order.sexes, "sexes"),
        })
    }

    /// A place and what its words mean: neither without the other.
    fn words_in<T: Copy>(
        &mut self,
        at: Option<&schema::Text>,
        words: &std::collections::BTreeMap<schema::Text, T>,
        name: &str,
    ) -> Option<(Path, HashMap<String, T>)> {
        let Some(at) = at else {
            if let Some((word, _)) = words.first_key_value() {
                self.fault(&word.span(), format!("`{name}` without the place where they stand"));
            }
            return None;
        };
        if words.is_empty() {
            self.missing(&at.span(), &format!("`{name}`: what the words there mean"));
        }
        let map = words.iter().map(|(word, meaning)| (word.get_ref().clone(), *meaning)).collect();
        Some((self.path(at)?, map))
    }
}

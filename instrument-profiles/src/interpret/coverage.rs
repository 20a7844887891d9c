//! Which parts of a profile a message made use of, so that captures can be held against it.

use crate::orders::OrderRules;
use crate::profile::rules::{Rules, StatusRules, TestBody};
use std::collections::BTreeSet;

/// Names of used parts: `test 133`, `value serology "Reactive"`, `control negative`, …
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    pub(crate) used: BTreeSet<String>,
    on: bool,
}

impl Coverage {
    pub(crate) fn recording() -> Self {
        Self { used: BTreeSet::new(), on: true }
    }

    pub(crate) fn saw(&mut self, name: impl FnOnce() -> String) {
        if self.on {
            self.used.insert(name());
        }
    }
}

impl Rules {
    /// Everything that captures have to make use of.
    pub(crate) fn declared(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        if let Some(order) = &self.order_in {
            names.extend(order.tests.keys().map(|code| wish_name("test", code)));
            let words = |at: &'static str, words: Vec<&String>| -> Vec<String> {
                words.into_iter().map(|word| wish_name(at, word)).collect()
            };
            names.extend(order.action.iter().flat_map(|(_, map)| words("action", map.keys().collect())));
            names.extend(order.priority.iter().flat_map(|(_, map)| words("priority", map.keys().collect())));
            names.extend(words("specimen type", order.specimen_types.keys().collect()));
            names.extend(order.sex.iter().flat_map(|(_, map)| words("sex", map.keys().collect())));
        }
        if let Some(pooling) = &self.pooling {
            for check in &pooling.checks {
                let at = check.at.to_string();
                names.extend(check.words.keys().map(|word| aspirated_name(&at, word)));
            }
            names.extend(pooling.aside.iter().map(|(name, _)| pooling_aside_name(name)));
        }
        for test in &self.tests {
            names.insert(test_name(&test.code));
            if let TestBody::Measures(measured) = &test.body {
                if let Some(map) = &measured.values {
                    names.extend(map.texts.keys().map(|text| value_name(&map.name, text)));
                }
                if let Some(map) = &measured.grades {
                    names.extend(map.texts.keys().map(|text| grade_name(&map.name, text)));
                }
            }
        }
        names.extend(self.controls.iter().map(|control| control_name(&control.name)));
        names.extend(self.rows.iter().map(|row| row_name(&row.name)));
        names.extend(self.flags.known.keys().map(|flag| flag_name(flag)));
        if let StatusRules::Read { map, .. } = &self.status {
            names.extend(map.keys().map(|text| status_name(text)));
        }
        names
    }
}

impl OrderRules {
    /// Likewise: every answer, every test that can be ordered, every word of an answer to an order.
    pub(crate) fn declared(&self) -> BTreeSet<String> {
        let mut names: BTreeSet<String> =
            self.answers.each().map(|(name, _)| format!("answer {name}")).collect();
        if self.query.is_some() || self.order_out.is_some() {
            names.extend(self.orderables.iter().map(|test| format!("orderable {}", test.code)));
        }
        if let Some(out) = &self.order_out {
            names.extend(out.place.as_ref().map(|_| "order place".to_owned()));
            names.extend(out.cancel.as_ref().map(|_| "order cancel".to_owned()));
        }
        if let Some(taken) = &self.taken {
            names.extend(taken.direct.iter().flat_map(|_| ["taken", "refused", "failed"].map(taken_name)));
            names.extend(taken.refused.iter().map(|_| taken_name("refused")));
        }
        if let Some(reply) = &self.reply {
            names.insert("reply".to_owned());
            let steps = reply.step.iter().flat_map(|step| step.meanings.keys());
            names.extend(steps.map(|text| format!("reply {text:?}")));
        }
        names
    }
}

/// An answer to orders that came in.
pub(crate) fn taken_name(outcome: &str) -> String {
    format!("orders {outcome}")
}

/// A word of an order that comes in.
pub(crate) fn wish_name(at: &str, word: &str) -> String {
    format!("order {at} {word:?}")
}

/// A word about an aspiration.
pub(crate) fn aspirated_name(at: &str, word: &str) -> String {
    format!("pooling {at} {word:?}")
}

/// Rows of a log that put no member into a pool.
pub(crate) fn pooling_aside_name(name: &str) -> String {
    format!("pooling aside {name}")
}

pub(crate) fn test_name(code: &str) -> String {
    format!("test {code}")
}

pub(crate) fn value_name(map: &str, text: &str) -> String {
    format!("value {map} {text:?}")
}

pub(crate) fn grade_name(map: &str, text: &str) -> String {
    format!("grade {map} {text:?}")
}

pub(crate) fn control_name(name: &str) -> String {
    format!("control {name}")
}

pub(crate) fn row_name(name: &str) -> String {
    format!("row {name}")
}

pub(crate) fn flag_name(flag: &str) -> String {
    format!("flag {flag:?}")
}

pub(crate) fn status_name(text: &str) -> String {
    format!("status {text:?}")
}

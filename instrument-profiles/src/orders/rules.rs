//! A profile's rules about orders after checking.

use super::{Delimiters, TakenRules, Templates};
use crate::{
    path::Path,
    profile::rules::Condition,
    schema::{Awaits, Each, Step},
};
use character_sets::CharacterSet;
use std::collections::{BTreeMap, HashMap};
use vocabulary::{Priority, Sex};

#[derive(Debug, Clone)]
pub(crate) struct OrderRules {
    pub(crate) query: Option<QueryRules>,
    pub(crate) answers: AnswerRules,
    pub(crate) order_out: Option<OrderOutRules>,
    pub(crate) reply: Option<ReplyRules>,
    /// How senders of orders are answered.
    pub(crate) taken: Option<TakenRules>,
    pub(crate) writing: Writing,
    /// In the order of the profile: the first that measures an assay is what is ordered.
    pub(crate) orderables: Vec<Orderable>,
    pub(crate) templates: Templates,
}

#[derive(Debug, Clone)]
pub(crate) struct QueryRules {
    pub(crate) record: String,
    pub(crate) when: Vec<Condition>,
    pub(crate) specimens: Vec<Path>,
    pub(crate) all: Vec<Condition>,
    pub(crate) cancel: Vec<Condition>,
    pub(crate) trim_end: bool,
    pub(crate) tests: Option<Path>,
    pub(crate) all_tests: Vec<String>,
    pub(crate) carrier: Option<Path>,
    pub(crate) position: Option<Path>,
    pub(crate) tag: Option<Path>,
    pub(crate) id: Option<Path>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct AnswerRules {
    pub(crate) found: Option<AnswerRule>,
    pub(crate) nothing: Option<AnswerRule>,
    pub(crate) refused: Option<AnswerRule>,
    pub(crate) failed: Option<AnswerRule>,
    pub(crate) cancelled: Option<AnswerRule>,
}

impl AnswerRules {
    /// Every answer there is, with its name.
    pub(crate) fn each(&self) -> impl Iterator<Item = (&'static str, &AnswerRule)> {
        [
            ("found", &self.found),
            ("nothing", &self.nothing),
            ("refused", &self.refused),
            ("failed", &self.failed),
            ("cancelled", &self.cancelled),
        ]
        .into_iter()
        .filter_map(|(name, rule)| Some((name, rule.as_ref()?)))
    }
}

#[derive(Debug, Clone)]
pub(crate) struct AnswerRule {
    pub(crate) direct: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) each: Each,
    pub(crate) awaits: Awaits,
}

#[derive(Debug, Clone)]
pub(crate) struct OrderOutRules {
    pub(crate) unasked: bool,
    pub(crate) place: Option<String>,
    pub(crate) cancel: Option<String>,
    pub(crate) awaits: Awaits,
}

#[derive(Debug, Clone)]
pub(crate) struct ReplyRules {
    pub(crate) when: Vec<Condition>,
    pub(crate) code: Path,
    pub(crate) accepted: Vec<String>,
    pub(crate) text: Vec<Path>,
    pub(crate) step: Option<StepRules>,
}

#[derive(Debug, Clone)]
pub(crate) struct StepRules {
    /// The record of which there is one for each step.
    pub(crate) record: String,
    pub(crate) step: Path,
    pub(crate) status: Vec<Path>,
    pub(crate) meanings: BTreeMap<String, Step>,
}

#[derive(Debug, Clone)]
pub(crate) struct Writing {
    pub(crate) delimiters: Delimiters,
    pub(crate) characters: CharacterSet,
    pub(crate) priority: HashMap<Priority, String>,
    pub(crate) sex: HashMap<Sex, String>,
    /// Empty: the analyser is not told.
    pub(crate) specimen_types: HashMap<String, String>,
}

#[derive(Debug, Clone)]
pub(crate) struct Orderable {
    pub(crate) code: String,
    pub(crate) assays: Vec<String>,
    pub(crate) with: BTreeMap<String, String>,
}

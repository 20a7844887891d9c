//! Cells coated with `IgG`: every negative antiglobulin test in a tube has to make them react (rules.md §2.4). Where they do not,
//! the antiglobulin serum was washed out or forgotten, and the test would have found nothing.

use super::window::row_of;
use super::{Outcome, Told};
use crate::facts::Fact;
use crate::measurement::homes;
use ledger::RowAt;
use quality_control::grouping::{Due, passes};
use quality_control::kits::{CellRules, KitFile};
use std::collections::BTreeMap;
use vocabulary::{Grade, Interpretation, Marker, Strength};

const DUE: Due = Due::AtLeast(Strength::One);

/// What the coated cells of a determination show: of one message, and of one material.
#[derive(Debug, Default)]
struct Shown {
    negatives: usize,
    coated: Vec<Option<Grade>>,
}

/// The negative antiglobulin tests of a donation in a run, and the coated cells beside them.
#[derive(Debug, Default)]
pub(super) struct Coated {
    shown: BTreeMap<(u64, bool), Shown>,
    rows: BTreeMap<RowAt, (u64, bool)>,
}

impl Coated {
    pub(super) fn of(facts: &[&mut Fact]) -> Self {
        let mut coated = Self::default();
        // Most runs have none.
        if !facts.iter().any(|fact| is_negative(fact)) {
            return coated;
        }
        let facts: Vec<&Fact> = facts.iter().map(|fact| &**fact).collect();
        for (home, fact) in homes(&facts).into_iter().zip(facts) {
            let place = (home, fact.segment);
            if is_negative(fact) {
                coated.shown.entry(place).or_default().negatives += 1;
                coated.rows.insert(row_of(fact), place);
            } else if fact.observation.marker == Marker::CoatedCells {
                coated.shown.entry(place).or_default().coated.push(fact.observation.value.grade);
            }
        }
        coated
    }

    /// What the coated cells make of a negative antiglobulin test, where its kit is used in tubes; nothing where they reacted.
    pub(super) fn outcome(&self, kit: &KitFile, rules: &CellRules, fact: &Fact) -> Option<Outcome> {
        let place = self.rows.get(&row_of(fact)).filter(|_| rules.coated_cells)?;
        let Shown { negatives, coated } = self.shown.get(place)?;
        let failed = coated.iter().any(|grade| !grade.is_some_and(|grade| passes(DUE, grade)));
        let (marker, have) = (fact.observation.marker, coated.len());
        let outcome = if failed {
            Outcome::invalid(Told::new(
                format!(
                    "{marker}: the coated cells did not react (due: at least 1+); the antiglobulin test is done again"
                ),
                format!("{marker}：致敏红细胞未反应（应 ≥ 1+），抗球蛋白试验须重做"),
            ))
        } else if have < *negatives {
            Outcome::open(Told::new(
                format!(
                    "{marker}: {negatives} negative antiglobulin tests in tubes, {have} reactions of coated cells; each needs one"
                ),
                format!(
                    "{marker}：{negatives} 个试管抗球蛋白阴性结果，致敏红细胞反应仅 {have} 个；每个阴性管均须加做"
                ),
            ))
        } else {
            return None;
        };
        Some(outcome.by(kit))
    }
}

fn is_negative(fact: &Fact) -> bool {
    let value = &fact.observation.value;
    let is_zero = value.grade.is_some_and(Grade::is_zero);
    let called = matches!(value.interpretation, Some(Interpretation::NonReactive | Interpretation::Negative));
    let marker = fact.observation.marker;
    (marker == Marker::DIat && is_zero) || (marker == Marker::AntibodyScreen && (is_zero || called))
}

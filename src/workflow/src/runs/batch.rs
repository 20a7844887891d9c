//! A batch of nucleic acid tests: every control of it, and every target of every control (rules.md §2.3).

use super::{Outcome, invalid_control, is_final, named};
use crate::facts::{RunCheck, Told};
use ledger::EvidenceObservation;
use quality_control::RunState;
use quality_control::kits::KitFile;
use quality_control::nat::{BatchRules, Internal, NatWell, Role};
use rust_decimal::Decimal;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Interpretation, Observation, SpecimenKind, Virus};

/// Assesses a batch by its controls.
pub(super) fn assess(kit: &KitFile, rules: &BatchRules, controls: &[&EvidenceObservation]) -> Outcome {
    outcome(kit, rules, controls).by(kit)
}

fn outcome(kit: &KitFile, rules: &BatchRules, controls: &[&EvidenceObservation]) -> Outcome {
    let mut wells: BTreeMap<(String, String), Vec<&Observation>> = BTreeMap::new();
    for control in controls.iter().filter(|c| kit.assays.contains(&c.observation.assay)) {
        let o = &control.observation;
        if o.kind != SpecimenKind::Control || is_final(o) == Some(false) {
            continue;
        }
        let name = o.control.as_ref().map_or("?", |control| control.name.as_str());
        let place = o.replicate.clone().unwrap_or_else(|| format!("{} {}", control.message, o.source.record));
        wells.entry((name.to_owned(), place)).or_default().push(o);
    }
    if wells.is_empty() {
        return Outcome::open(Told::new(
            "no control of the batch has come yet, and those of another batch do not stand for it (R-RUN-04)",
            "尚未收到本批对照结果，其他批的对照不能代替（R-RUN-04）",
        ));
    }
    let mut judged = Vec::new();
    for ((name, _), rows) in &wells {
        let Some(parts) = rules.controls.get(name) else {
            let first = rows.first();
            let why =
                first.map(|o| invalid_control(o, "the kit knows no such control", "试剂盒规则中无此对照"));
            return Outcome::invalid(why.unwrap_or_else(super::nothing_speaks));
        };
        judged.extend(parts.iter().map(|role| well((name, *role), rows, &rules.targets)));
    }
    let batch = rules.assess(&judged);
    let told = Told::new(batch.why, batch.why_zh);
    let checks = judged.iter().map(|well| check(well, &kit.id)).collect();
    let found = match (batch.kit, batch.external) {
        (RunState::Valid, RunState::Valid) => Outcome::valid(),
        (RunState::Valid, RunState::Open | RunState::Invalid) => Outcome::out_of_control(told),
        (RunState::Open | RunState::Invalid, _) => Outcome::invalid(told),
    };
    Outcome { checks, ..found }
}

fn ct(o: &Observation) -> Option<Decimal> {
    o.value.number.filter(|_| o.value.unit.as_deref() == Some("Ct"))
}

/// Rows that speak of a target: its own, and those of a test of all targets together.
fn of_target<'o>(rows: &[&'o Observation], target: Virus) -> Vec<&'o Observation> {
    let own = |o: &&&Observation| o.marker.virus().is_none_or(|virus| virus == target);
    rows.iter().filter(own).copied().collect()
}

fn error(rows: &[&Observation]) -> Option<String> {
    let bad = rows.iter().find(|o| {
        is_final(o).is_none()
            || !matches!(o.value.interpretation, Some(Interpretation::Reactive | Interpretation::NonReactive))
    });
    bad.map(|o| format!("{} says {:?}", named(o), o.value.raw))
}

/// One role of a control's well. A target that nothing is said of is an error.
fn well((name, role): (&str, Role), rows: &[&Observation], targets: &BTreeSet<Virus>) -> NatWell {
    let reactive = |o: &&Observation| o.value.interpretation == Some(Interpretation::Reactive);
    let about: Vec<Virus> = match role {
        Role::Positive(target) | Role::External(target) => vec![target],
        Role::Negative => targets.iter().copied().collect(),
    };
    let mut found = Vec::new();
    let mut wrong = None;
    for target in about {
        let own = of_target(rows, target);
        if own.is_empty() {
            wrong = wrong.or_else(|| Some(format!("nothing is said of {target}")));
        }
        wrong = wrong.or_else(|| error(&own));
        // Of two readings that differ neither counts.
        if own.iter().any(reactive) && own.iter().all(reactive) {
            found.push((target, own.iter().find_map(|o| ct(o))));
        } else if own.iter().any(reactive) {
            wrong = wrong.or_else(|| Some(format!("{target} was sent with different results")));
        }
    }
    let internal = wrong.is_none().then_some(Internal::SaidValid);
    NatWell { control: name.to_owned(), role, found, internal, error: wrong }
}

fn check(well: &NatWell, assay: &str) -> RunCheck {
    let found: Vec<String> = well
        .found
        .iter()
        .map(|(target, ct)| ct.map_or_else(|| target.to_string(), |ct| format!("{target} Ct {ct}")))
        .collect();
    let due = match well.role {
        Role::Negative => found.is_empty(),
        Role::Positive(_) | Role::External(_) => !found.is_empty(),
    };
    let criterion = match well.role {
        Role::Negative => "negative control: no target".to_owned(),
        Role::Positive(target) => format!("positive control: {target}"),
        Role::External(target) => format!("external control: {target}"),
    };
    let seen = if found.is_empty() { "no target".to_owned() } else { found.join(", ") };
    let measured = well.error.clone().unwrap_or(seen);
    RunCheck { assay: assay.to_owned(), criterion, holds: Some(due && well.error.is_none()), measured }
}

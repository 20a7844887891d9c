//! Whether a run's controls allow its results (rules.md §2, R-RUN-01 to R-RUN-04).

use std::collections::BTreeSet;
use vocabulary::{Marker, MarkerKind, Observation, ResultStatus, SpecimenKind};

/// What the controls of a run say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// Every required control is there, and every control that is there passed.
    Valid,
    /// A required control is not there yet: nothing may be concluded.
    Open,
    /// A control failed. A good repetition does not bring the run back; its samples are tested again.
    Invalid,
}

/// A run's state and why it is so, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunAssessment {
    /// The state.
    pub state: RunState,
    /// Why, in English; empty when valid.
    pub why: String,
    /// Why, in Chinese; empty when valid.
    pub why_zh: String,
}

/// A control that a run must have shown for an assay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequiredControl<'a> {
    /// Its name in the profile.
    pub name: &'a str,
    /// The assay it has to have been tested with: a control proves no reagent that it never touched.
    pub assay: &'a str,
    /// What the assay speaks of. Grouping reagents of one column may be controlled together.
    pub marker: Marker,
}

impl RequiredControl<'_> {
    fn is(&self, control: &Observation) -> bool {
        let same_column = self.marker.kind() == MarkerKind::Grouping && control.marker == self.marker;
        name(control) == self.name && (control.assay == self.assay || same_column)
    }
}

/// Assesses a run by its control observations and the controls it must have shown.
///
/// Observations of other kinds are passed over. A run that requires no control by name is open until at least one
/// control has passed: the absence of controls proves nothing.
#[must_use]
pub fn assess_run<'a>(
    observations: impl IntoIterator<Item = &'a Observation>,
    required: &[RequiredControl<'_>],
) -> RunAssessment {
    let controls: Vec<&Observation> =
        observations.into_iter().filter(|o| o.kind == SpecimenKind::Control).collect();
    let failed: BTreeSet<&str> = controls.iter().filter(|c| has_failed(c)).map(|c| name(c)).collect();
    if !failed.is_empty() {
        let names = listed(&failed);
        return RunAssessment {
            state: RunState::Invalid,
            why: format!("control failed: {names}; repeat the samples in a new run"),
            why_zh: format!("质控失败:{names};请在新批次中重做样本"),
        };
    }
    let passed: Vec<&Observation> = controls.iter().copied().filter(|c| has_passed(c)).collect();
    let missing: BTreeSet<String> = required
        .iter()
        .filter(|wanted| !passed.iter().any(|control| wanted.is(control)))
        .map(|wanted| format!("{} ({})", wanted.name, wanted.assay))
        .collect();
    if !missing.is_empty() {
        let names = missing.into_iter().collect::<Vec<_>>().join(", ");
        return RunAssessment {
            state: RunState::Open,
            why: format!("no result yet of control: {names}"),
            why_zh: format!("尚无质控结果:{names}"),
        };
    }
    if passed.is_empty() {
        return RunAssessment {
            state: RunState::Open,
            why: "no control shows that the run is valid".to_owned(),
            why_zh: "没有任何质控证明该批次有效".to_owned(),
        };
    }
    RunAssessment { state: RunState::Valid, why: String::new(), why_zh: String::new() }
}

fn name(control: &Observation) -> &str {
    control.control.as_ref().map_or("?", |reading| reading.name.as_str())
}

fn listed(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

fn is_final(control: &Observation) -> bool {
    match control.status {
        ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => true,
        ResultStatus::Preliminary | ResultStatus::Other | ResultStatus::NotObtained => false,
    }
}

fn has_passed(control: &Observation) -> bool {
    is_final(control)
        && control.control.as_ref().is_some_and(|reading| reading.passes(control.value.interpretation))
}

/// A control that is not named in the profile, or read anything but what it had to, or could not be read, failed.
/// One that is only preliminary has not failed yet.
fn has_failed(control: &Observation) -> bool {
    match control.status {
        ResultStatus::Preliminary | ResultStatus::Other => false,
        ResultStatus::NotObtained => true,
        ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => !has_passed(control),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vocabulary::{ControlReading, Expected, Interpretation, Source, Value};

    fn control(
        name: &str,
        expected: Expected,
        seen: Option<Interpretation>,
        status: ResultStatus,
    ) -> Observation {
        Observation {
            specimen: None,
            instrument: None,
            assay: "assay".into(),
            marker: Marker::HBsAg,
            kind: SpecimenKind::Control,
            value: Value { interpretation: seen, ..Value::default() },
            flags: vec![],
            status,
            run: None,
            lots: vec![],
            completed_at: None,
            replicate: None,
            operator: None,
            control: Some(ControlReading { name: name.into(), expected }),
            discriminates: false,
            source: Source::default(),
        }
    }

    fn needed<'a>(names: &[&'a str]) -> Vec<RequiredControl<'a>> {
        names.iter().map(|name| RequiredControl { name, assay: "assay", marker: Marker::HBsAg }).collect()
    }

    fn check(
        controls: &[(&str, Expected, Option<Interpretation>, ResultStatus)],
        required: &[&str],
        expect: RunState,
    ) {
        let controls: Vec<Observation> = controls.iter().map(|(n, e, i, s)| control(n, *e, *i, *s)).collect();
        let found = assess_run(&controls, &needed(required));
        assert_eq!(found.state, expect, "{found:?}");
        assert_eq!(found.why.is_empty(), expect == RunState::Valid);
        assert_eq!(found.why_zh.is_empty(), expect == RunState::Valid);
    }

    use Expected::{NonReactive as ExpectNonReactive, Reactive as ExpectReactive};
    use Interpretation::{Invalid, NonReactive, Reactive};
    use ResultStatus::{Final, NotObtained, Preliminary};

    #[test]
    fn a_run_is_valid_when_every_required_control_is_there_and_every_control_passed() {
        let (pos, neg) = (
            ("pos", ExpectReactive, Some(Reactive), Final),
            ("neg", ExpectNonReactive, Some(NonReactive), Final),
        );
        check(&[pos, neg], &["pos", "neg"], RunState::Valid);
        check(&[pos, neg, pos], &["pos"], RunState::Valid);
        check(&[pos], &[], RunState::Valid);
    }

    #[test]
    fn law_02_absence_of_a_control_is_never_a_valid_run() {
        check(&[], &[], RunState::Open);
        check(&[], &["pos"], RunState::Open);
        check(&[("pos", ExpectReactive, Some(Reactive), Final)], &["pos", "neg"], RunState::Open);
        check(&[("pos", ExpectReactive, Some(Reactive), Preliminary)], &["pos"], RunState::Open);
    }

    #[test]
    fn one_failed_control_fails_the_run_and_a_good_repetition_does_not_bring_it_back() {
        let good = ("pos", ExpectReactive, Some(Reactive), Final);
        for bad in [
            ("pos", ExpectReactive, Some(NonReactive), Final),
            ("pos", ExpectReactive, Some(Invalid), Final),
            ("pos", ExpectReactive, None, Final),
            ("pos", ExpectReactive, Some(Reactive), NotObtained),
            ("neg", ExpectNonReactive, Some(Reactive), Final),
        ] {
            check(&[bad, good], &["pos"], RunState::Invalid);
            check(&[good, bad], &["pos"], RunState::Invalid);
        }
    }

    #[test]
    fn a_control_without_a_name_in_the_profile_fails_the_run() {
        let mut nameless = control("x", ExpectReactive, Some(Reactive), Final);
        nameless.control = None;
        assert_eq!(assess_run([&nameless], &[]).state, RunState::Invalid);
    }

    #[test]
    fn a_control_proves_no_assay_that_it_was_not_tested_with() {
        let good = control("pos", ExpectReactive, Some(Reactive), Final);
        let other = RequiredControl { name: "pos", assay: "another assay", marker: Marker::HBsAg };
        let found = assess_run([&good], &[other]);
        assert_eq!(found.state, RunState::Open);
        assert!(found.why.contains("pos (another assay)"), "{}", found.why);
    }

    #[test]
    fn a_patients_result_is_no_control() {
        let mut donor = control("pos", ExpectReactive, Some(Reactive), Final);
        donor.kind = SpecimenKind::Patient;
        assert_eq!(assess_run([&donor], &needed(&["pos"])).state, RunState::Open);
    }
}

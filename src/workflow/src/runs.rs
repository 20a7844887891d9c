//! What is known of a run: its controls against what the profiles of its results require.

use crate::{Fact, RunFacts, Settings};
use ledger::RunView;
use quality_control::{RequiredControl, RunState, assess_run};
use release::evidence::{Qc, Validity};
use std::collections::BTreeSet;
use vocabulary::{Mode, Observation};

/// Assesses a run for the results `used` of it. Controls of other modes than production prove nothing.
pub(crate) fn assess(settings: &Settings, run: &RunView, used: &[&Fact]) -> RunFacts {
    let controls: Vec<&Observation> =
        run.controls.iter().filter(|c| c.mode == Mode::Production).map(|c| &c.observation).collect();
    let mut required = BTreeSet::new();
    for fact in used {
        if let Some(profile) = settings.profiles.get(&fact.profile) {
            let (assay, marker) = (fact.observation.assay.as_str(), fact.observation.marker);
            let names = profile.required_controls(marker).names;
            required.extend(names.into_iter().map(|name| RequiredControl { name, assay, marker }));
        }
    }
    let required: Vec<RequiredControl<'_>> = required.into_iter().collect();
    let assessed = assess_run(controls.iter().copied(), &required);
    let mut lots: Vec<_> = controls.iter().flat_map(|c| c.lots.iter().cloned()).collect();
    lots.sort_unstable();
    lots.dedup();
    let (validity, qc) = match assessed.state {
        RunState::Valid => (Validity::Valid, Qc::InControl),
        RunState::Open => (Validity::Open, Qc::Open),
        RunState::Invalid => (Validity::Invalid, Qc::OutOfControl),
    };
    RunFacts { validity, qc, why: (!assessed.why.is_empty()).then_some(assessed.why), lots }
}

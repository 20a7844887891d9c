//! What is known of a run: its controls against what the profiles of its results require.

use crate::{Fact, RunFacts, Settings};
use ledger::{ReadError, Reader, RunView};
use quality_control::{RequiredControl, RunState, assess_run};
use release::evidence::{Qc, Validity};
use std::collections::BTreeSet;
use vocabulary::{Mode, Observation};

/// Assesses a run for the results `used` of it. Controls of other modes than production prove nothing.
pub(crate) fn assess(
    settings: &Settings,
    reader: &Reader,
    run: &RunView,
    used: &[&Fact],
) -> Result<RunFacts, ReadError> {
    let controls: Vec<&Observation> =
        run.controls.iter().filter(|c| c.mode == Mode::Production).map(|c| &c.observation).collect();
    let mut required = BTreeSet::new();
    for fact in used {
        if let Some(profile) = settings.profiles.find(reader, &fact.profile)? {
            let (assay, marker) = (fact.observation.assay.as_str(), fact.observation.marker);
            let names = profile.required_controls(marker).names;
            required.extend(names.into_iter().map(|name| (name.to_owned(), assay, marker)));
        }
    }
    let required: Vec<RequiredControl<'_>> = required
        .iter()
        .map(|(name, assay, marker)| RequiredControl { name, assay, marker: *marker })
        .collect();
    let assessed = assess_run(controls.iter().copied(), &required);
    let mut lots: Vec<_> = controls.iter().flat_map(|c| c.lots.iter().cloned()).collect();
    lots.sort_unstable();
    lots.dedup();
    let (validity, qc) = match assessed.state {
        RunState::Valid => (Validity::Valid, Qc::InControl),
        RunState::Open => (Validity::Open, Qc::Open),
        RunState::Invalid => (Validity::Invalid, Qc::OutOfControl),
    };
    Ok(RunFacts { validity, qc, why: (!assessed.why.is_empty()).then_some(assessed.why), lots })
}

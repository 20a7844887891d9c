//! Where no kit is configured: every control of the run has to pass what the profile expects of it, until the run ends.

use super::Outcome;
use crate::Settings;
use crate::facts::{Fact, Told};
use ledger::{ReadError, Reader};
use quality_control::{RequiredControl, RunState, assess_run};
use std::collections::BTreeSet;
use vocabulary::Observation;

/// Assesses a run for the results `used` of it.
pub(super) fn assess(
    settings: &Settings,
    reader: &Reader,
    controls: &[&Observation],
    used: &[&mut Fact],
) -> Result<Outcome, ReadError> {
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
    let assays: BTreeSet<&str> = used.iter().map(|fact| fact.observation.assay.as_str()).collect();
    let assays = assays.into_iter().collect::<Vec<_>>().join(", ");
    let told = Told::new(
        format!("{} (by the profile's controls: no kit is configured for {assays})", assessed.why),
        format!("{}（按仪器配置的质控判定：{assays} 未配置试剂盒规则）", assessed.why_zh),
    );
    Ok(match assessed.state {
        RunState::Valid => Outcome::valid(),
        RunState::Open => Outcome::open(told),
        RunState::Invalid => Outcome::invalid(told),
    })
}

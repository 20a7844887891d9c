//! Where no kit is configured: every control of the run has to pass what the profile expects of it, until the run ends.

use super::Outcome;
use crate::Settings;
use crate::facts::{Fact, Told};
use ledger::{ReadError, Reader};
use quality_control::{RequiredControl, RunState, assess_run};
use std::collections::BTreeSet;
use vocabulary::{Observation, ProfileRef};

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
        } else if reader.kept_profile(&fact.profile)?.is_some() {
            return Ok(Outcome::open(unreadable(&fact.profile)));
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

/// Which controls a run has to have is not known, so that none that came may stand for all of them.
fn unreadable(profile: &ProfileRef) -> Told {
    Told::new(
        format!(
            "profile {profile} cannot be read by this release, so that the controls it requires are not known; \
             activate a revision that can be read (two people), then reprocess the run's messages"
        ),
        format!(
            "本版本无法读取仪器配置 {profile}，不知道其要求哪些质控；请两人启用可读取的版本，再重新解析该批次的消息"
        ),
    )
}

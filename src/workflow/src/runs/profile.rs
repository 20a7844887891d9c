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
    let mut silent = None;
    for fact in used {
        if let Some(profile) = settings.profiles.find(reader, &fact.profile)? {
            let (assay, marker) = (fact.observation.assay.as_str(), fact.observation.marker);
            let asked = profile.required_controls(marker);
            if asked.unsaid {
                silent = Some(&fact.profile);
            }
            required.extend(asked.names.into_iter().map(|name| (name.to_owned(), assay, marker)));
        } else {
            let is_kept = reader.kept_profile(&fact.profile)?.is_some();
            return Ok(Outcome::open(if is_kept {
                unreadable(&fact.profile)
            } else {
                unknown(&fact.profile)
            }));
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
    Ok(match (assessed.state, silent) {
        (RunState::Invalid, _) => Outcome::invalid(told),
        (RunState::Valid | RunState::Open, Some(profile)) => Outcome::open(not_said(profile)),
        (RunState::Valid, None) => Outcome::valid(),
        (RunState::Open, None) => Outcome::open(told),
    })
}

/// A revision from before profiles had to say which controls a run needs: what came cannot stand for what it leaves out.
fn not_said(profile: &ProfileRef) -> Told {
    Told::new(
        format!(
            "profile {profile} is of an earlier release and names controls without saying which of them a run has to have; \
             activate a revision that says it (two people), then reprocess the run's messages"
        ),
        format!(
            "仪器配置 {profile} 出自较早版本，列出了质控但未说明批次必须具备哪些；请两人启用写明要求的版本，再重新解析该批次的消息"
        ),
    )
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

/// No message of this ledger's own daemon is read with a profile that is nowhere; whatever brought it in, nobody can say what
/// it has to have been controlled by.
fn unknown(profile: &ProfileRef) -> Told {
    Told::new(
        format!(
            "profile {profile} is neither installed nor kept in the ledger, so that the controls it requires are not known; \
             install it (hemogate profile add), then reprocess the run's messages"
        ),
        format!(
            "仪器配置 {profile} 未安装且账本中未保存，不知道其要求哪些质控；请安装（hemogate profile add）后重新解析该批次的消息"
        ),
    )
}

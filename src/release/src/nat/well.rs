//! One nucleic acid result, after its run, its sample and its internal control were looked at (rules.md §2.3).

use crate::evidence::{Call, Evidence, InternalControl, NatKind, NatResult, PoolingLog, Validity};
use crate::notes::Notes;
use crate::pack::RulePack;
use crate::runs::{Runs, Standing};
use crate::say::{Said, said};
use crate::test::Test;
use crate::trace::Subject;
use std::collections::BTreeSet;
use vocabulary::Virus;

/// What one result says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Well {
    Reactive,
    NonReactive,
    /// Its run is open.
    Waiting,
    /// Not usable.
    Invalid(Cause),
    /// Ordered, not in yet.
    Empty,
}

/// Why a result cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its run is invalid or out of control.
    Run,
    /// The sample's own test failed; two of those end testing.
    Test,
    /// The sample was too old (R-NAT-07).
    Age,
    /// The pooling log does not spread the result to this donation (R-NAT-06).
    Log,
}

pub(super) struct Judged<'e> {
    pub(super) result: &'e NatResult,
    pub(super) well: Well,
    pub(super) test: Test<'e>,
}

impl Judged<'_> {
    /// Whether the result speaks of a target at all. A multiplex test speaks of every target.
    pub(super) fn speaks_of(&self, target: Virus) -> bool {
        match self.result.target {
            Some(only) => only == target,
            None => super::MULTIPLEX_TARGETS.contains(&target) || self.result.targets.contains(&target),
        }
    }

    /// Whether a reactive result names its targets.
    pub(super) fn is_specific(&self) -> bool {
        self.result.target.is_some() || !self.result.targets.is_empty()
    }

    fn names(&self, target: Virus) -> bool {
        self.result.target == Some(target) || self.result.targets.contains(&target)
    }

    /// What it says of a target: reactive, non-reactive, or nothing. A multiplex test that is reactive without
    /// saying for what says nothing of a single target.
    pub(super) fn says(&self, target: Virus) -> Option<bool> {
        match self.well {
            Well::Reactive if self.names(target) => Some(true),
            Well::Reactive if self.is_specific() && self.speaks_of(target) && !self.control_failed() => {
                Some(false)
            }
            Well::NonReactive if self.speaks_of(target) => Some(false),
            Well::Reactive | Well::NonReactive | Well::Waiting | Well::Invalid(_) | Well::Empty => None,
        }
    }

    /// A failed internal control leaves the target that was found, and says nothing of those that were not (R-NAT-05).
    fn control_failed(&self) -> bool {
        let failed = match self.result.internal_control {
            Some(InternalControl::Invalid | InternalControl::Absent) => true,
            Some(InternalControl::Valid) | None => false,
        };
        failed && self.result.kind != NatKind::Pool
    }

    pub(super) fn would_say_reactive(&self, target: Virus) -> bool {
        self.result.result == Some(Call::Reactive)
            && (self.names(target) || (!self.is_specific() && self.speaks_of(target)))
    }

    /// Whether it is evidence on its own that a target is absent: a pool or an individual test, not a
    /// discriminatory one.
    pub(super) fn counts_for(&self, target: Virus) -> bool {
        self.speaks_of(target) && self.result.kind != NatKind::Discriminatory
    }
}

pub(super) fn judge<'e>(
    result: &'e NatResult,
    evidence: &'e Evidence,
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes<'e>,
) -> Judged<'e> {
    let test = match (result.kind, result.target) {
        (NatKind::Pool, _) => Test::Pool(result.pool_name()),
        (NatKind::Discriminatory, Some(target)) => Test::Discriminatory(target),
        (NatKind::Individual | NatKind::Discriminatory, target) => Test::Individual(target),
    };
    let (well, rule, why) = read(result, evidence, pack, runs);
    notes.trace(|trace| {
        let line = trace.line(rule, Subject::Test(&test), why);
        line.word("kind", kind_name(result.kind));
        if let Some(call) = result.result {
            line.call("result", call);
        }
        if let Some(control) = result.internal_control {
            line.word("internal_control", control_name(control));
        }
        if let Some(run) = &result.run {
            line.text("run", run.as_str());
        }
    });
    Judged { result, well, test }
}

fn kind_name(kind: NatKind) -> &'static str {
    match kind {
        NatKind::Pool => "pool",
        NatKind::Individual => "individual",
        NatKind::Discriminatory => "discriminatory",
    }
}

fn control_name(control: InternalControl) -> &'static str {
    match control {
        InternalControl::Valid => "Valid",
        InternalControl::Invalid => "Invalid",
        InternalControl::Absent => "Absent",
    }
}

fn read(
    result: &NatResult,
    evidence: &Evidence,
    pack: &RulePack,
    runs: &Runs<'_>,
) -> (Well, &'static str, Said) {
    let invalid = |cause, rule, why: &str| (Well::Invalid(cause), rule, said!("INVALID: {why}"));
    let call = match result.result {
        None | Some(Call::Pending) if result.validity != Some(Validity::Invalid) => {
            return (Well::Empty, "1.4", "no result yet".into());
        }
        None | Some(Call::Pending | Call::Invalid | Call::Indeterminate | Call::GreyZone) => None,
        Some(Call::Reactive) => Some(true),
        Some(Call::NonReactive) => Some(false),
    };
    match runs.standing(result.run.as_ref()) {
        Standing::Invalid => return invalid(Cause::Run, "R-RUN-02", "its run is invalid"),
        Standing::OutOfControl if !(runs.keep_reactive && call == Some(true)) => {
            return invalid(Cause::Run, "R-RUN-02", "its run is out of control");
        }
        Standing::Open => return (Well::Waiting, "R-RUN-03", "waits for its run".into()),
        Standing::Good | Standing::Unknown | Standing::OutOfControl => {}
    }
    match (result.validity, call) {
        (Some(Validity::Open), _) => return (Well::Waiting, "1.4", "waits for its validity".into()),
        (Some(Validity::Invalid), _) | (_, None) => {
            let why = result.why.as_deref().unwrap_or("the sample's test is not valid");
            return invalid(Cause::Test, "2.3", why);
        }
        (Some(Validity::Valid) | None, Some(_)) => {}
    }
    if let Some(why) = too_old(result, pack) {
        return invalid(Cause::Age, "R-NAT-07", why);
    }
    match call {
        Some(true) if result.kind == NatKind::Pool => (Well::Reactive, "1.4", "R".into()),
        // R-NAT-05: a target that was found outweighs a suppressed internal control.
        Some(true) => (Well::Reactive, "R-NAT-05", "R".into()),
        Some(false) | None => match not_absent(result, pack) {
            Some((rule, why)) => invalid(Cause::Test, rule, why),
            None => match pool_not_spread(result, evidence, pack) {
                Some(why) => invalid(Cause::Log, "R-NAT-06", &why),
                None => (Well::NonReactive, "1.4", "NR".into()),
            },
        },
    }
}

fn too_old(result: &NatResult, pack: &RulePack) -> Option<&'static str> {
    let nat = &pack.settings().nat;
    let site = |limit: &Option<crate::pack::Setting<crate::Limit>>| limit.as_ref().map(|s| s.value.number());
    let limit = |kit: Option<crate::Exact>, site| kit.map(crate::Exact::number).or(site);
    let centrifuge = limit(result.centrifuge_within_hours, site(&nat.centrifuge_within_hours));
    let store = limit(result.store_within_hours, site(&nat.store_within_hours));
    match (result.centrifuged_after_hours, centrifuge) {
        (Some(hours), Some(limit)) if hours.at_most(limit) == Some(true) => {}
        (Some(_), Some(_)) => return Some("the sample was centrifuged after the kit's limit"),
        (Some(_), None) | (None, Some(_)) => {
            return Some("the time to centrifugation, or its limit, is not known");
        }
        (None, None) => {}
    }
    match (result.stored_hours, store) {
        (Some(hours), Some(limit)) if hours.at_most(limit) == Some(true) => None,
        (Some(_), Some(_)) => Some("the sample was stored longer than the kit allows"),
        (Some(_), None) | (None, Some(_)) => Some("the storage time, or its limit, is not known"),
        (None, None) => None,
    }
}

/// Why a non-reactive reading is no proof of absence.
fn not_absent(result: &NatResult, pack: &RulePack) -> Option<(&'static str, &'static str)> {
    if !result.targets.is_empty() {
        return Some(("2.3", "non-reactive, and yet with reactive targets"));
    }
    let ct_max = pack.settings().nat.ic_ct_max.as_ref().map(|s| s.value.number());
    let ct_fails = match (result.internal_control_ct, ct_max) {
        (Some(ct), Some(max)) => ct.at_most(max) != Some(true),
        (Some(_) | None, None) | (None, Some(_)) => false,
    };
    let control_fails = match (result.internal_control, result.kind) {
        (Some(InternalControl::Invalid | InternalControl::Absent), _) => true,
        (None, NatKind::Pool | NatKind::Individual) => {
            result.internal_control_ct.is_none() || ct_max.is_none()
        }
        // After a reactive multiplex no discriminatory result can release the unit; silence is taken for a valid control.
        (Some(InternalControl::Valid), _) | (None, NatKind::Discriminatory) => false,
    };
    if control_fails || ct_fails {
        return Some(("R-NAT-05", "no target found and no valid internal control"));
    }
    None
}

/// Why a pool that is non-reactive does not speak for this donation.
fn pool_not_spread(result: &NatResult, evidence: &Evidence, pack: &RulePack) -> Option<String> {
    if result.kind != NatKind::Pool {
        return None;
    }
    if result.members.len() > pack.settings().nat.mode.value.members_max {
        return Some("the pool has more members than the pack allows".to_owned());
    }
    log_fault(result, evidence)
}

/// R-NAT-06: a pool's result is spread to its members, and explained by one of them, only when the pooling log has every
/// barcode.
pub(super) fn log_fault(result: &NatResult, evidence: &Evidence) -> Option<String> {
    let distinct: BTreeSet<_> = result.members.iter().collect();
    let why = if !distinct.contains(&evidence.donation) {
        "the pooling log does not list this donation"
    } else if distinct.len() != result.members.len() {
        "the pooling log lists a member twice"
    } else if result.pool_size.is_some_and(|size| size != result.members.len()) {
        "the pooling log does not list every member"
    } else if result.pooling_log == Some(PoolingLog::Incomplete) {
        "the pooling log is not complete"
    } else {
        return pipetting_fault(result);
    };
    Some(why.to_owned())
}

/// What a pipetting log says against its pool: every member once, its barcode read, its volume good, nothing changed.
fn pipetting_fault(result: &NatResult) -> Option<String> {
    if result.pipetting.is_empty() {
        return None;
    }
    if let Some(stranger) = result.pipetting.iter().find(|line| !result.members.contains(&line.donation)) {
        return Some(format!("the pipetting log has {}, which is no member", stranger.donation));
    }
    result.members.iter().find_map(|member| {
        let mut lines = result.pipetting.iter().filter(|line| line.donation == *member);
        let what = match (lines.next(), lines.next()) {
            (None, _) => "was not pipetted".to_owned(),
            (Some(_), Some(_)) => "was pipetted twice".to_owned(),
            (Some(line), None) if !line.barcode_read => "has a barcode that was not read".to_owned(),
            (Some(line), None) if !line.volume_ok => "did not pass the volume check".to_owned(),
            (Some(line), None) if line.changed_afterwards => "was changed afterwards".to_owned(),
            (Some(line), None) => format!("was pipetted with an error: {}", line.error.as_ref()?),
        };
        Some(format!("member {member} of the pool {what}"))
    })
}

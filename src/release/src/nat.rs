//! Nucleic acid tests: pools, single tests and discriminatory tests (rules.md §1.4), judged for each target.

mod pool;
mod single;
mod well;

use crate::evidence::{Call, Evidence, NatKind, NatResult};
use crate::notes::Notes;
use crate::pack::{NdrPolicy, RulePack, SeroReactiveInPool, StickyReactive, UnresolvedPolicy};
use crate::runs::Runs;
use crate::steps::Step;
use crate::test::Test;
use crate::trace::Subject;
use crate::verdict::{Flag, NatState, NatVerdict};
use vocabulary::Virus;
use well::{Judged, Well};

/// What the multiplex tests of the packs look for.
pub(crate) const MULTIPLEX_TARGETS: [Virus; 3] = [Virus::Hbv, Virus::Hcv, Virus::Hiv];

/// Judges all nucleic acid tests of a donation: one outcome a target of the multiplex, and of every further target
/// that some result was reactive for.
pub(crate) fn judge<'e>(
    evidence: &'e Evidence,
    pack: &RulePack,
    (core_is_negative, sero_is_reactive): (bool, bool),
    runs: &Runs<'_>,
    notes: &mut Notes<'e>,
) -> Vec<NatVerdict> {
    let in_pool = pack.settings().nat.sero_reactive_in_pool.as_ref().map(|policy| policy.value);
    let alone = sero_is_reactive && in_pool == Some(SeroReactiveInPool::Exclude);
    // What a pool found, it found.
    let says_nothing =
        |r: &NatResult| alone && r.kind == NatKind::Pool && r.result == Some(Call::NonReactive);
    let results = evidence.nat.iter().filter(|r| !says_nothing(r));
    let wells: Vec<Judged<'_>> = results.map(|r| well::judge(r, evidence, pack, runs, notes)).collect();
    let mut targets: Vec<Virus> = MULTIPLEX_TARGETS.to_vec();
    targets.extend(wells.iter().flat_map(|w| w.result.targets.iter().copied().chain(w.result.target)));
    targets.sort_unstable();
    targets.dedup();
    let review = pool::targets_differ(&wells, evidence);
    let outcomes: Vec<NatVerdict> = targets
        .into_iter()
        .map(|target| judge_target(target, &wells, evidence, pack, (review, core_is_negative), notes))
        .collect();
    note_uses(&wells, &outcomes, notes);
    outcomes
}

fn judge_target<'e>(
    target: Virus,
    wells: &[Judged<'e>],
    evidence: &'e Evidence,
    pack: &RulePack,
    (review, core_is_negative): (bool, bool),
    notes: &mut Notes<'e>,
) -> NatVerdict {
    let mut flags = Vec::new();
    let alone = single::state(target, wells, &mut flags, notes);
    let mut state = pool::combined(target, alone, wells, evidence, notes);
    if state == NatState::Unresolved && is_settled(target, wells, pack, core_is_negative) {
        flags.push(Flag::UnresolvedSettled);
        state = NatState::NonReactive;
    }
    if state == NatState::NotDiscriminated && pack.settings().nat.ndr.value == NdrPolicy::RepeatTwice {
        // What was repeated as the pack asks contradicts nothing.
        flags.retain(|flag| *flag != Flag::Contradictory);
        single::repeats(target, wells, notes);
    }
    if is_late(target, wells, pack) {
        flags.push(Flag::LateCt);
    }
    if sticky(target, wells) {
        flags.push(Flag::StickyReactive);
        let enough = match pack.settings().invalid.sticky_reactive.value {
            StickyReactive::Flag => 1,
            StickyReactive::Duplicate => 2,
        };
        let non_reactive =
            wells.iter().filter(|w| w.counts_for(target) && w.says(target) == Some(false)).count();
        if state == NatState::NonReactive && non_reactive < enough {
            notes.step(Step::ConfirmVanished(Test::Individual(None)));
            state = NatState::Pending;
        }
    }
    if review {
        notes.step(Step::PoolTargetDiffers);
        flags.push(Flag::TargetsDiffer);
        state = NatState::Review;
    }
    flags.sort_unstable();
    flags.dedup();
    notes.trace(|trace| {
        let line = trace.line("1.4", Subject::Target(target), state.name());
        line.count("results", wells.len()).list("flags", &flags);
    });
    NatVerdict { target, state, flags }
}

/// Whether the pack's policy for unresolved pools is met: anti-HBc non-reactive says it of HBV; the resolution repeated in
/// two further tests says it of every target.
fn is_settled(target: Virus, wells: &[Judged<'_>], pack: &RulePack, core_is_negative: bool) -> bool {
    match pack.settings().nat.mp_unresolved.value {
        UnresolvedPolicy::HoldForAntiHbc => target == Virus::Hbv && core_is_negative,
        UnresolvedPolicy::RepeatResolution => {
            let alone =
                |w: &&Judged<'_>| w.result.kind == NatKind::Individual && w.says(target) == Some(false);
            wells.iter().filter(alone).count() >= RESOLUTIONS
        }
        UnresolvedPolicy::Release | UnresolvedPolicy::Hold | UnresolvedPolicy::Discard => false,
    }
}

/// The resolution and its repeat in duplicate.
const RESOLUTIONS: usize = 3;

fn is_late(target: Virus, wells: &[Judged<'_>], pack: &RulePack) -> bool {
    let Some(limit) = pack.settings().nat.late_ct.as_ref().map(|s| s.value.number()) else { return false };
    wells
        .iter()
        .filter(|w| w.says(target) == Some(true))
        .any(|w| w.result.target_ct.is_some_and(|ct| ct.at_most(limit) != Some(true)))
}

/// A reactive result that fell with its run, or could not be used.
fn sticky(target: Virus, wells: &[Judged<'_>]) -> bool {
    wells.iter().any(|w| matches!(w.well, Well::Invalid(_)) && w.would_say_reactive(target))
}

/// Final states rest on the tests that were read; before that, every test still has to be answered for.
fn note_uses<'e>(wells: &[Judged<'e>], outcomes: &[NatVerdict], notes: &mut Notes<'e>) {
    let all_final = outcomes.iter().all(|o| !o.state.is_open());
    for judged in wells {
        let counts = match judged.well {
            Well::Reactive | Well::NonReactive => true,
            Well::Waiting | Well::Invalid(_) => !all_final,
            Well::Empty => false,
        };
        if counts {
            notes.used(judged.test, judged.result.run.as_ref());
        }
    }
}

/// Whether a result is of the donation alone.
fn is_single(kind: NatKind) -> bool {
    match kind {
        NatKind::Individual | NatKind::Discriminatory => true,
        NatKind::Pool => false,
    }
}

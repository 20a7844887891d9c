//! Nucleic acid tests: pools, single tests and discriminatory tests (rules.md §1.4), judged for each target.

mod pool;
mod single;
mod well;

use crate::evidence::{Evidence, NatKind};
use crate::notes::Notes;
use crate::pack::{RulePack, StickyReactive};
use crate::runs::Runs;
use crate::steps::Step;
use crate::test::Test;
use crate::verdict::{Flag, NatState};
use std::collections::BTreeSet;
use vocabulary::Virus;
use well::{Judged, Well};

/// What the multiplex tests of the packs look for.
pub(crate) const MULTIPLEX_TARGETS: [Virus; 3] = [Virus::Hbv, Virus::Hcv, Virus::Hiv];

/// What came out for one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) target: Virus,
    pub(crate) state: NatState,
    pub(crate) flags: Vec<Flag>,
}

/// Judges all nucleic acid tests of a donation: one outcome a target of the multiplex, and of every further target
/// that some result was reactive for.
pub(crate) fn judge(
    evidence: &Evidence,
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes,
) -> Vec<Outcome> {
    let wells: Vec<Judged<'_>> =
        evidence.nat.iter().map(|r| well::judge(r, evidence, pack, runs, notes)).collect();
    let mut targets: BTreeSet<Virus> = MULTIPLEX_TARGETS.into_iter().collect();
    targets.extend(wells.iter().flat_map(|w| w.result.targets.iter().copied().chain(w.result.target)));
    let review = pool::targets_differ(&wells, evidence);
    let outcomes: Vec<Outcome> = targets
        .into_iter()
        .map(|target| judge_target(target, &wells, evidence, pack, review, notes))
        .collect();
    note_uses(&wells, &outcomes, notes);
    outcomes
}

fn judge_target(
    target: Virus,
    wells: &[Judged<'_>],
    evidence: &Evidence,
    pack: &RulePack,
    review: bool,
    notes: &mut Notes,
) -> Outcome {
    let mut flags = Vec::new();
    let alone = single::state(target, wells, &mut flags, notes);
    let mut state = pool::combined(target, alone, wells, evidence, notes);
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
    let inputs = vec![("results", wells.len().to_string()), ("flags", format!("{flags:?}"))];
    notes.trace("1.4", format!("NAT {}", target.name()), state.name(), inputs);
    Outcome { target, state, flags }
}

/// A reactive result that fell with its run, or could not be used.
fn sticky(target: Virus, wells: &[Judged<'_>]) -> bool {
    wells.iter().any(|w| matches!(w.well, Well::Invalid(_)) && w.would_say_reactive(target))
}

/// Final states rest on the tests that were read; before that, every test still has to be answered for.
fn note_uses(wells: &[Judged<'_>], outcomes: &[Outcome], notes: &mut Notes) {
    let all_final = outcomes.iter().all(|o| !o.state.is_open());
    for judged in wells {
        let counts = match judged.well {
            Well::Reactive | Well::NonReactive => true,
            Well::Waiting | Well::Invalid(_) => !all_final,
            Well::Empty => false,
        };
        if counts {
            notes.used(&judged.test, judged.result.run.as_ref());
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

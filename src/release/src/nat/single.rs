//! What the donation's own tests say of one target, before any pool is looked at.

use super::well::{Cause, Judged, Well};
use super::{MULTIPLEX_TARGETS, is_single};
use crate::evidence::NatKind;
use crate::notes::Notes;
use crate::steps::Step;
use crate::test::Test;
use crate::verdict::{Flag, NatState};
use vocabulary::Virus;

/// Invalid tests of the sample alone after which it is not tested again (rules.md §1.4).
const INVALID_MAX: usize = 2;

/// Repeats of a non-discriminated reactive test before a person decides (rules.md §1.4, `REPEAT_x2_THEN`).
const REPEATS: usize = 2;

/// The state by individual and discriminatory tests. `NOT_TESTED` when there are none.
pub(super) fn state<'e>(
    target: Virus,
    wells: &[Judged<'e>],
    flags: &mut Vec<Flag>,
    notes: &mut Notes<'e>,
) -> NatState {
    let own = || wells.iter().filter(|w| is_single(w.result.kind));
    let individual = || own().filter(|w| w.result.kind == NatKind::Individual && w.speaks_of(target));
    let unspecific = individual().any(|w| w.well == Well::Reactive && !w.is_specific());
    let non_reactive = individual().any(|w| w.says(target) == Some(false));
    let reactive = own().any(|w| w.says(target) == Some(true));
    if non_reactive && (reactive || individual().any(|w| w.well == Well::Reactive && !w.is_specific())) {
        flags.push(Flag::Contradictory);
    }
    if reactive {
        return NatState::Reactive;
    }
    if unspecific {
        return discriminated(target, wells, notes);
    }
    let pending = individual().find(|w| matches!(w.well, Well::Waiting | Well::Empty));
    if let Some(waiting) = pending {
        let test = waiting.test;
        notes.step(if waiting.well == Well::Empty {
            Step::WaitForResult(test)
        } else {
            Step::WaitForControls(test)
        });
        return NatState::Pending;
    }
    let given_up = individual().filter(|w| w.well == Well::Invalid(Cause::Test)).count() >= INVALID_MAX;
    if given_up {
        notes.step(Step::NatGivenUp);
        return NatState::InvalidFinal;
    }
    if non_reactive {
        return NatState::NonReactive;
    }
    if individual().next().is_some() {
        let has = |cause: Cause| individual().any(|w| w.well == Well::Invalid(cause));
        notes.step(if has(Cause::Age) {
            Step::NewNatSample
        } else if has(Cause::Test) {
            Step::RepeatNatOnce
        } else {
            Step::RepeatInvalid(Test::Individual(None))
        });
        return NatState::Invalid;
    }
    NatState::NotTested
}

/// After a multiplex test that is reactive without a name: what the tests of single targets say.
fn discriminated(target: Virus, wells: &[Judged<'_>], notes: &mut Notes<'_>) -> NatState {
    let own = || wells.iter().filter(|w| is_single(w.result.kind));
    let says = |wanted: Virus| -> Option<bool> {
        let mut said = own().filter(|w| w.is_specific()).filter_map(|w| w.says(wanted));
        let first = said.next()?;
        Some(said.fold(first, |any, one| any || one))
    };
    let open: Vec<Virus> = MULTIPLEX_TARGETS.into_iter().filter(|v| says(*v).is_none()).collect();
    if !open.is_empty() {
        notes.step(Step::Discriminate(open));
    }
    let other_reactive = MULTIPLEX_TARGETS.into_iter().any(|v| v != target && says(v) == Some(true));
    let all_said = MULTIPLEX_TARGETS.into_iter().all(|v| says(v).is_some());
    match says(target) {
        Some(true) => NatState::Reactive,
        Some(false) if other_reactive => NatState::NonReactive,
        Some(false) if all_said => NatState::NotDiscriminated,
        Some(false) => NatState::Pending,
        None => {
            let invalid =
                |w: &&Judged<'_>| w.result.target == Some(target) && matches!(w.well, Well::Invalid(_));
            if own().any(|w| invalid(&w)) { NatState::Invalid } else { NatState::Pending }
        }
    }
}

/// What comes after a reactive test of which no target was found, where the pack has it repeated: no repeat releases the
/// unit, and after two of them, or one that is reactive again, a person decides.
pub(super) fn repeats<'e>(target: Virus, wells: &[Judged<'e>], notes: &mut Notes<'e>) {
    let individual = || wells.iter().filter(|w| w.result.kind == NatKind::Individual && w.speaks_of(target));
    let reactive = individual().filter(|w| w.well == Well::Reactive && !w.is_specific()).count();
    let done = individual().filter(|w| w.says(target) == Some(false)).count();
    if reactive > 1 {
        notes.step(Step::NdrAgain);
    } else if done >= REPEATS {
        notes.step(Step::NdrRepeated);
    } else if let Some(one) = individual().find(|w| w.well == Well::Waiting) {
        notes.step(Step::WaitForControls(one.test));
    } else if let Some(one) = individual().find(|w| w.well == Well::Empty) {
        notes.step(Step::WaitForResult(one.test));
    } else {
        notes.step(Step::RepeatNdr { done, of: REPEATS });
    }
}

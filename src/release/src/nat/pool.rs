//! Pools: what a pool's result means for one member (rules.md §1.4, `MP`).

use super::well::{Cause, Judged, Well};
use super::{MULTIPLEX_TARGETS, is_single};
use crate::evidence::{Call, Evidence, NatKind, PoolMember};
use crate::notes::Notes;
use crate::steps::Step;
use crate::test::Test;
use crate::verdict::NatState;
use std::collections::BTreeSet;
use vocabulary::{DonationId, Virus};

fn pools<'a, 'e>(wells: &'a [Judged<'e>]) -> impl Iterator<Item = &'a Judged<'e>> {
    wells.iter().filter(|w| w.result.kind == NatKind::Pool)
}

/// R-NAT-08: the pool named its targets, and a member alone is reactive for others only.
pub(super) fn targets_differ(wells: &[Judged<'_>], evidence: &Evidence) -> bool {
    let named = |w: &Judged<'_>| -> BTreeSet<Virus> {
        w.result.targets.iter().copied().chain(w.result.target).collect()
    };
    let reactive_alone = wells.iter().filter(|w| is_single(w.result.kind) && w.well == Well::Reactive);
    let by_own: BTreeSet<Virus> = reactive_alone.flat_map(named).collect();
    pools(wells).filter(|w| w.well == Well::Reactive && w.is_specific()).any(|pool| {
        let by_pool = named(pool);
        let misses = |targets: &BTreeSet<Virus>| !targets.is_empty() && targets.is_disjoint(&by_pool);
        let by_members = others(pool, evidence).into_iter().filter(|m| m.result == Call::Reactive);
        misses(&by_own)
            || by_members.map(|m| m.targets.iter().copied().collect()).any(|targets| misses(&targets))
    })
}

/// What the other members of this pool gave alone. Whoever its log does not list is a stranger to it.
fn others<'a>(pool: &'a Judged<'_>, evidence: &'a Evidence) -> Vec<&'a PoolMember> {
    let listed = pool.result.pool_members.iter().chain(&evidence.pool_members);
    let is_other = |id: &DonationId| *id != evidence.donation && pool.result.members.contains(id);
    listed.filter(|member| is_other(&member.donation)).collect()
}

/// What the single tests of another member come to, for one target; for any that a multiplex looks for, where their pool
/// named none.
#[derive(PartialEq, Eq)]
enum Member {
    Reactive,
    NonReactive,
    /// Nothing more is to come of it (`INVALID_FINAL`): the pool stays unexplained by it.
    GivenUp,
    Open,
}

fn member(id: &DonationId, target: Option<Virus>, listed: &[&PoolMember]) -> Member {
    let own: Vec<&&PoolMember> = listed.iter().filter(|m| m.donation == *id).collect();
    let has = |call: Call| own.iter().any(|m| m.result == call);
    let names = |m: &&&PoolMember| {
        let could_be = |sought: &[Virus]| sought.iter().any(|one| m.targets.contains(one));
        // What the pool was never tested for does not make it reactive.
        let of_pool = target.map_or_else(|| could_be(&MULTIPLEX_TARGETS), |target| could_be(&[target]));
        m.result == Call::Reactive && (m.targets.is_empty() || of_pool)
    };
    match own.last().map(|m| m.result) {
        // A member that is both explains nothing until somebody has looked.
        _ if has(Call::Reactive) && has(Call::NonReactive) => Member::Open,
        _ if own.iter().any(names) => Member::Reactive,
        Some(Call::NonReactive | Call::Reactive) => Member::NonReactive,
        Some(Call::Invalid) if own.last().is_some_and(|m| m.given_up) => Member::GivenUp,
        Some(Call::GreyZone | Call::Indeterminate | Call::Invalid | Call::Pending) | None => Member::Open,
    }
}

/// The state of one target when pools are taken in. A donation may be in several: each reactive one has to be explained,
/// each one that is on its way to be waited for, and the worst of them counts, in whatever order they are told.
pub(super) fn combined<'e>(
    target: Virus,
    alone: NatState,
    wells: &[Judged<'e>],
    evidence: &'e Evidence,
    notes: &mut Notes<'e>,
) -> NatState {
    if alone != NatState::NotTested && alone != NatState::NonReactive {
        return alone;
    }
    let speaking = || pools(wells).filter(|w| w.speaks_of(target) || w.well == Well::Reactive);
    let against = speaking().map(|pool| match pool.well {
        Well::Reactive if alone == NatState::NotTested => {
            notes.step(Step::ResolvePool(pool.result.pool_name()));
            Against::Waits
        }
        Well::Reactive if pool.says(target) == Some(false) => Against::Nothing,
        Well::Reactive => resolved(target, pool, evidence, notes),
        Well::Empty => {
            notes.step(Step::WaitForResult(pool.test));
            Against::Waits
        }
        Well::Waiting => {
            notes.step(Step::WaitForControls(pool.test));
            Against::Waits
        }
        Well::NonReactive | Well::Invalid(_) => Against::Nothing,
    });
    match against.max() {
        Some(Against::Waits) => return NatState::Pending,
        Some(Against::Unexplained) => return NatState::Unresolved,
        Some(Against::Nothing) | None => {}
    }
    if alone != NatState::NotTested {
        return alone;
    }
    if speaking().any(|w| w.well == Well::NonReactive) {
        return NatState::NonReactive;
    }
    if let Some(pool) = speaking().next() {
        notes.step(Step::RepeatPool(pool.result.pool_name()));
        let by_log = speaking().any(|w| w.well == Well::Invalid(Cause::Log));
        return if by_log { NatState::Pending } else { NatState::Invalid };
    }
    if MULTIPLEX_TARGETS.contains(&target) {
        notes.step(Step::TestMissing(Test::Individual(None)));
    }
    NatState::NotTested
}

/// What one pool has against a donation that is not reactive alone, from the best to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Against {
    /// It is not reactive, or another member explains it.
    Nothing,
    /// Every member was tested alone as often as may be, and none explains it.
    Unexplained,
    /// It says nothing final yet.
    Waits,
}

/// This donation is non-reactive alone, its pool is reactive: the other members of this pool decide, and they can only
/// where its log shows who they are (R-NAT-06).
fn resolved<'e>(target: Virus, pool: &Judged<'e>, evidence: &'e Evidence, notes: &mut Notes<'e>) -> Against {
    let name = pool.result.pool_name();
    if super::well::log_fault(pool.result, evidence).is_some() {
        notes.step(Step::PoolLogNotWhole(name));
        return Against::Waits;
    }
    let listed = others(pool, evidence);
    let ids = pool.result.members.iter().filter(|id| **id != evidence.donation);
    // A pool that does not say what it was reactive for is explained by any target of a multiplex, and by a multiplex
    // reactive alone that no target was found for.
    let sought = pool.is_specific().then_some(target);
    let members: Vec<Member> = ids.map(|id| member(id, sought, &listed)).collect();
    if members.contains(&Member::Reactive) {
        return Against::Nothing;
    }
    let open = members.iter().filter(|m| **m == Member::Open).count();
    if open > 0 {
        notes.step(Step::WaitForPoolMembers { pool: name, open });
        return Against::Waits;
    }
    notes.step(Step::PoolUnresolved);
    Against::Unexplained
}

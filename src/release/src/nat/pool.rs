//! Pools: what a pool's result means for one member (rules.md §1.4, `MP`).

use super::is_single;
use super::well::{Cause, Judged, Well};
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

fn others<'a>(pool: &'a Judged<'_>, evidence: &'a Evidence) -> Vec<&'a PoolMember> {
    let listed = pool.result.pool_members.iter().chain(&evidence.pool_members);
    listed.filter(|member| member.donation != evidence.donation).collect()
}

/// What the single tests of another member come to, for one target.
#[derive(PartialEq, Eq)]
enum Member {
    Reactive,
    NonReactive,
    Open,
}

fn member(id: &DonationId, target: Virus, listed: &[&PoolMember]) -> Member {
    let own: Vec<&&PoolMember> = listed.iter().filter(|m| m.donation == *id).collect();
    let has = |call: Call| own.iter().any(|m| m.result == call);
    let names = |m: &&&PoolMember| {
        m.result == Call::Reactive && (m.targets.is_empty() || m.targets.contains(&target))
    };
    match own.last().map(|m| m.result) {
        // A member that is both explains nothing until somebody has looked.
        _ if has(Call::Reactive) && has(Call::NonReactive) => Member::Open,
        _ if own.iter().any(names) => Member::Reactive,
        Some(Call::NonReactive | Call::Reactive) => Member::NonReactive,
        Some(Call::GreyZone | Call::Indeterminate | Call::Invalid | Call::Pending) | None => Member::Open,
    }
}

/// The state of one target when pools are taken in.
pub(super) fn combined<'e>(
    target: Virus,
    alone: NatState,
    wells: &[Judged<'e>],
    evidence: &'e Evidence,
    notes: &mut Notes<'e>,
) -> NatState {
    let speaking = || pools(wells).filter(|w| w.speaks_of(target) || w.well == Well::Reactive);
    if let Some(pool) = speaking().find(|w| w.well == Well::Reactive) {
        if alone == NatState::NotTested {
            notes.step(Step::ResolvePool(pool.result.pool_name()));
            return NatState::Pending;
        }
        if alone == NatState::NonReactive && pool.says(target) != Some(false) {
            return resolved(target, pool, evidence, notes);
        }
        return alone;
    }
    if let Some(waiting) = speaking().find(|w| matches!(w.well, Well::Waiting | Well::Empty)) {
        if alone == NatState::NotTested || alone == NatState::NonReactive {
            let test = waiting.test;
            notes.step(if waiting.well == Well::Empty {
                Step::WaitForResult(test)
            } else {
                Step::WaitForControls(test)
            });
            return NatState::Pending;
        }
        return alone;
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
    if super::MULTIPLEX_TARGETS.contains(&target) {
        notes.step(Step::TestMissing(Test::Individual(None)));
    }
    NatState::NotTested
}

/// This member is non-reactive alone, its pool is reactive: the other members decide.
fn resolved<'e>(target: Virus, pool: &Judged<'e>, evidence: &'e Evidence, notes: &mut Notes<'e>) -> NatState {
    let listed = others(pool, evidence);
    let ids: BTreeSet<&DonationId> = pool
        .result
        .members
        .iter()
        .filter(|id| **id != evidence.donation)
        .chain(listed.iter().map(|m| &m.donation))
        .collect();
    let members: Vec<Member> = ids.into_iter().map(|id| member(id, target, &listed)).collect();
    if members.contains(&Member::Reactive) {
        return NatState::NonReactive;
    }
    let open = members.iter().filter(|m| **m == Member::Open).count();
    let log_is_whole = super::well::pipetting_fault(pool.result).is_none()
        && pool.result.members.contains(&evidence.donation)
        && pool.result.pool_size.is_none_or(|size| size == pool.result.members.len());
    if open > 0 || !log_is_whole {
        notes.step(Step::WaitForPoolMembers { pool: pool.result.pool_name(), open });
        return NatState::Pending;
    }
    notes.step(Step::PoolUnresolved);
    NatState::Unresolved
}

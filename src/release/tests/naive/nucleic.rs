//! The naive reading of §1.4: wells, single tests, pools.

use super::{Policy, Standing, State, standing};
use release::evidence::{Call, Evidence, InternalControl, NatKind, NatResult, PoolingLog, Validity};
use std::collections::BTreeSet;
use vocabulary::{RunId, Virus};

const THREE: [Virus; 3] = [Virus::Hbv, Virus::Hcv, Virus::Hiv];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nat {
    R,
    Nr,
    Waiting,
    Empty,
    Bad { by_test: bool },
}

fn nat_well(e: &Evidence, r: &NatResult, policy: Policy) -> Nat {
    if r.validity != Some(Validity::Invalid) && matches!(r.result, None | Some(Call::Pending)) {
        return Nat::Empty;
    }
    let reactive = r.result == Some(Call::Reactive);
    match standing(e, r.run.as_ref()) {
        Standing::Invalid => return Nat::Bad { by_test: false },
        Standing::Out if !(policy.keep_reactive && reactive) => return Nat::Bad { by_test: false },
        Standing::Open => return Nat::Waiting,
        Standing::Good | Standing::Out => {}
    }
    if r.validity == Some(Validity::Open) {
        return Nat::Waiting;
    }
    if r.validity == Some(Validity::Invalid) || !matches!(r.result, Some(Call::Reactive | Call::NonReactive))
    {
        return Nat::Bad { by_test: true };
    }
    if reactive {
        return Nat::R;
    }
    let control = match r.internal_control {
        Some(InternalControl::Valid) => true,
        Some(_) => false,
        None => r.kind == NatKind::Discriminatory,
    };
    if !control {
        return Nat::Bad { by_test: true };
    }
    let log = r.kind != NatKind::Pool
        || (r.members.contains(&e.donation)
            && r.members.iter().collect::<BTreeSet<_>>().len() == r.members.len()
            && r.members.len() <= 6
            && r.pool_size.is_none_or(|n| n == r.members.len())
            && r.pooling_log != Some(PoolingLog::Incomplete));
    if log { Nat::Nr } else { Nat::Bad { by_test: false } }
}

fn names(r: &NatResult) -> Vec<Virus> {
    r.targets.iter().copied().chain(r.target).collect()
}

/// Yes, no, or nothing.
fn says(r: &NatResult, well: Nat, target: Virus) -> Option<bool> {
    let speaks = r.target.is_none_or(|only| only == target);
    let control_failed = r.kind != NatKind::Pool
        && matches!(r.internal_control, Some(InternalControl::Invalid | InternalControl::Absent));
    match well {
        Nat::R if names(r).contains(&target) => Some(true),
        Nat::R if !names(r).is_empty() && speaks && !control_failed => Some(false),
        Nat::Nr if speaks => Some(false),
        Nat::R | Nat::Nr | Nat::Waiting | Nat::Empty | Nat::Bad { .. } => None,
    }
}

fn alone(wells: &[(&NatResult, Nat)], target: Virus) -> State {
    let own: Vec<&(&NatResult, Nat)> = wells.iter().filter(|(r, _)| r.kind != NatKind::Pool).collect();
    if own.iter().any(|(r, w)| says(r, *w, target) == Some(true)) {
        return State::R;
    }
    let speaks = |r: &NatResult| r.target.is_none_or(|only| only == target);
    let individual: Vec<&&(&NatResult, Nat)> =
        own.iter().filter(|(r, _)| r.kind == NatKind::Individual && speaks(r)).collect();
    if individual.iter().any(|(r, w)| *w == Nat::R && names(r).is_empty()) {
        let by_name = |v: Virus| {
            let said: Vec<bool> = own
                .iter()
                .filter(|(r, _)| !names(r).is_empty())
                .filter_map(|(r, w)| says(r, *w, v))
                .collect();
            if said.is_empty() { None } else { Some(said.contains(&true)) }
        };
        return match by_name(target) {
            Some(true) => State::R,
            Some(false) if THREE.iter().any(|v| by_name(*v) == Some(true)) => State::Nr,
            Some(false) if THREE.iter().all(|v| by_name(*v).is_some()) => State::Ndr,
            _ => State::Open,
        };
    }
    if individual.iter().any(|(_, w)| matches!(w, Nat::Waiting | Nat::Empty)) {
        return State::Open;
    }
    if individual.iter().filter(|(_, w)| *w == Nat::Bad { by_test: true }).count() >= 2 {
        return State::Open;
    }
    if individual.iter().any(|(r, w)| says(r, *w, target) == Some(false)) {
        return State::Nr;
    }
    if individual.is_empty() { State::None } else { State::Open }
}

fn pooled(e: &Evidence, wells: &[(&NatResult, Nat)], target: Virus) -> State {
    let single = alone(wells, target);
    let pools: Vec<&(&NatResult, Nat)> = wells.iter().filter(|(r, _)| r.kind == NatKind::Pool).collect();
    if let Some((pool, w)) = pools.iter().find(|(_, w)| *w == Nat::R) {
        if single == State::None {
            return State::Open;
        }
        if single != State::Nr || says(pool, *w, target) == Some(false) {
            return single;
        }
        let mut open =
            !pool.members.contains(&e.donation) || pool.pool_size.is_some_and(|n| n != pool.members.len());
        let listed: Vec<_> = pool.pool_members.iter().chain(&e.pool_members).collect();
        let others: BTreeSet<_> = pool.members.iter().chain(listed.iter().map(|m| &m.donation)).collect();
        for other in others.into_iter().filter(|id| **id != e.donation) {
            let calls: Vec<Call> = listed.iter().filter(|m| m.donation == *other).map(|m| m.result).collect();
            let named = listed.iter().any(|m| {
                m.donation == *other
                    && m.result == Call::Reactive
                    && (m.targets.is_empty() || m.targets.contains(&target))
            });
            if calls.contains(&Call::Reactive) && calls.contains(&Call::NonReactive) {
                open = true;
            } else if named {
                return State::Nr;
            } else if !matches!(calls.last(), Some(Call::NonReactive | Call::Reactive)) {
                open = true;
            }
        }
        return if open { State::Open } else { State::Unres };
    }
    if pools.iter().any(|(_, w)| matches!(w, Nat::Waiting | Nat::Empty)) {
        return if matches!(single, State::None | State::Nr) { State::Open } else { single };
    }
    if single != State::None {
        return single;
    }
    if pools.iter().any(|(_, w)| *w == Nat::Nr) {
        return State::Nr;
    }
    if pools.is_empty() { State::None } else { State::Open }
}

fn review(e: &Evidence, wells: &[(&NatResult, Nat)]) -> bool {
    let own: BTreeSet<Virus> = wells
        .iter()
        .filter(|(r, w)| r.kind != NatKind::Pool && *w == Nat::R)
        .flat_map(|(r, _)| names(r))
        .collect();
    wells.iter().filter(|(r, w)| r.kind == NatKind::Pool && *w == Nat::R && !names(r).is_empty()).any(
        |(pool, _)| {
            let misses = |targets: &BTreeSet<Virus>| {
                !targets.is_empty() && !names(pool).iter().any(|v| targets.contains(v))
            };
            let members = pool.pool_members.iter().chain(&e.pool_members);
            misses(&own)
                || members
                    .filter(|m| m.donation != e.donation && m.result == Call::Reactive)
                    .any(|m| misses(&m.targets.iter().copied().collect()))
        },
    )
}

pub(super) fn nat(e: &Evidence, policy: Policy, uses: &mut BTreeSet<Option<RunId>>) -> [State; 3] {
    let wells: Vec<(&NatResult, Nat)> = e.nat.iter().map(|r| (r, nat_well(e, r, policy))).collect();
    let reviewed = review(e, &wells);
    let states = THREE.map(|target| {
        let state = pooled(e, &wells, target);
        let fell = wells.iter().any(|(r, w)| {
            matches!(w, Nat::Bad { .. })
                && r.result == Some(Call::Reactive)
                && (names(r).contains(&target) || names(r).is_empty())
        });
        let negatives = wells
            .iter()
            .filter(|(r, w)| r.kind != NatKind::Discriminatory && says(r, *w, target) == Some(false))
            .count();
        // A reactive result that fell wants one non-reactive test of pool or sample, or two.
        let wanted = if policy.sticky_needs_two { 2 } else { 1 };
        let too_few = fell && state == State::Nr && negatives < wanted;
        if reviewed || too_few { State::Open } else { state }
    });
    let all_final = states.iter().all(|s| !matches!(s, State::Open | State::None));
    for (r, w) in &wells {
        let counts = match w {
            Nat::R | Nat::Nr => true,
            Nat::Waiting | Nat::Bad { .. } => !all_final,
            Nat::Empty => false,
        };
        if counts {
            uses.insert(r.run.clone());
        }
    }
    states
}

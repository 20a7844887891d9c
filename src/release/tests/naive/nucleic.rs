//! The naive reading of §1.4: wells, single tests, pools.

use super::{Policy, Standing, State, standing};
use release::evidence::{
    Call, Evidence, InternalControl, NatKind, NatResult, Pipetted, PoolMember, PoolingLog, Validity,
};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{DonationId, RunId, Virus};

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
    let spread = r.kind != NatKind::Pool || (r.members.len() <= 6 && log_shows_all(e, r));
    if spread { Nat::Nr } else { Nat::Bad { by_test: false } }
}

/// Who was in the pool is known: this donation among them, each once, as many as were pooled, and each pipetted well.
fn log_shows_all(e: &Evidence, pool: &NatResult) -> bool {
    let times = |id: &DonationId| pool.members.iter().filter(|m| *m == id).count();
    let size = pool.pool_size.unwrap_or(pool.members.len());
    let told = |id: &DonationId| -> Vec<&Pipetted> {
        pool.pipetting.iter().filter(|line| line.donation == *id).collect()
    };
    let clean = |line: &Pipetted| {
        line.barcode_read && line.volume_ok && !line.changed_afterwards && line.error.is_none()
    };
    let pipetted = pool.members.iter().all(|id| matches!(told(id)[..], [line] if clean(line)))
        && pool.pipetting.iter().all(|line| times(&line.donation) > 0);
    times(&e.donation) == 1
        && pool.members.iter().all(|id| times(id) == 1)
        && size == pool.members.len()
        && pool.pooling_log != Some(PoolingLog::Incomplete)
        && (pool.pipetting.is_empty() || pipetted)
}

fn names(r: &NatResult) -> Vec<Virus> {
    r.targets.iter().copied().chain(r.target).collect()
}

/// Without a target of its own a test is of the usual three, and of whatever else it names.
fn speaks(r: &NatResult, target: Virus) -> bool {
    r.target.map_or_else(|| THREE.contains(&target) || r.targets.contains(&target), |only| only == target)
}

/// Yes, no, or nothing.
fn says(r: &NatResult, well: Nat, target: Virus) -> Option<bool> {
    let speaks = speaks(r, target);
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
    let individual: Vec<&&(&NatResult, Nat)> =
        own.iter().filter(|(r, _)| r.kind == NatKind::Individual && speaks(r, target)).collect();
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

/// What the single tests of one member were called.
fn calls_of<'a>(e: &'a Evidence, pool: &'a NatResult, id: &DonationId) -> Vec<&'a PoolMember> {
    pool.pool_members.iter().chain(&e.pool_members).filter(|m| m.donation == *id).collect()
}

/// What a reactive pool leaves of a donation that is non-reactive alone.
fn after_reactive(e: &Evidence, pool: &NatResult, target: Virus) -> State {
    if !log_shows_all(e, pool) {
        return State::Open;
    }
    let others: Vec<_> = pool.members.iter().filter(|id| **id != e.donation).collect();
    let ever = |id: &DonationId, call| calls_of(e, pool, id).iter().any(|m| m.result == call);
    let both = |id: &DonationId| ever(id, Call::Reactive) && ever(id, Call::NonReactive);
    // What could have made the pool reactive: what it named, or one of the usual three.
    let may_be = if names(pool).is_empty() { THREE.to_vec() } else { vec![target] };
    let found = |m: &&PoolMember| {
        m.result == Call::Reactive && (m.targets.is_empty() || m.targets.iter().any(|t| may_be.contains(t)))
    };
    let explains = |id: &DonationId| !both(id) && calls_of(e, pool, id).iter().any(found);
    let last = |id: &DonationId| calls_of(e, pool, id).last().map(|m| m.result);
    let given_up = |id: &DonationId| {
        calls_of(e, pool, id).last().is_some_and(|m| m.given_up && m.result == Call::Invalid)
    };
    let is_known = |id: &DonationId| {
        !both(id) && (given_up(id) || matches!(last(id), Some(Call::Reactive | Call::NonReactive)))
    };
    if others.iter().any(|id| explains(id)) {
        State::Nr
    } else if others.iter().all(|id| is_known(id)) {
        State::Unres
    } else {
        State::Open
    }
}

fn pooled(e: &Evidence, wells: &[(&NatResult, Nat)], target: Virus) -> State {
    let single = alone(wells, target);
    if !matches!(single, State::None | State::Nr) {
        return single;
    }
    let mut pools = Vec::new();
    for (pool, w) in wells.iter().filter(|(r, _)| r.kind == NatKind::Pool) {
        // Whatever a pool was tested for, a reactive one is asked about.
        if !speaks(pool, target) && *w != Nat::R {
            continue;
        }
        pools.push(match w {
            Nat::Waiting | Nat::Empty => State::Open,
            Nat::R if single == State::None => State::Open,
            Nat::R if says(pool, *w, target) == Some(false) => State::Nr,
            Nat::R => after_reactive(e, pool, target),
            Nat::Nr => State::Nr,
            // It counts only where there is nothing else.
            Nat::Bad { .. } => State::None,
        });
    }
    for worst in [State::Open, State::Unres] {
        if pools.contains(&worst) {
            return worst;
        }
    }
    if single == State::Nr || pools.contains(&State::Nr) {
        State::Nr
    } else if pools.is_empty() {
        State::None
    } else {
        State::Open
    }
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
                    .filter(|m| pool.members.contains(&m.donation))
                    .any(|m| misses(&m.targets.iter().copied().collect()))
        },
    )
}

/// The usual three, and every other target that some result names.
pub(super) fn nat(
    e: &Evidence,
    policy: Policy,
    uses: &mut BTreeSet<Option<RunId>>,
) -> BTreeMap<Virus, State> {
    let wells: Vec<(&NatResult, Nat)> = e.nat.iter().map(|r| (r, nat_well(e, r, policy))).collect();
    let reviewed = review(e, &wells);
    let mut states = BTreeMap::new();
    for target in e.nat.iter().flat_map(names).chain(THREE) {
        let state = pooled(e, &wells, target);
        let fell = wells.iter().any(|(r, w)| {
            matches!(w, Nat::Bad { .. })
                && r.result == Some(Call::Reactive)
                && (names(r).contains(&target) || (names(r).is_empty() && speaks(r, target)))
        });
        let negatives = wells
            .iter()
            .filter(|(r, w)| r.kind != NatKind::Discriminatory && says(r, *w, target) == Some(false))
            .count();
        // A reactive result that fell wants one non-reactive test of pool or sample, or two.
        let wanted = if policy.sticky_needs_two { 2 } else { 1 };
        let too_few = fell && state == State::Nr && negatives < wanted;
        states.insert(target, if reviewed || too_few { State::Open } else { state });
    }
    let all_final = states.values().all(|s| !matches!(s, State::Open | State::None));
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

//! The rows of rules.md §1.5 as conditions, each written for itself: a combination has to meet exactly one.

use crate::evidence::Call;
use crate::marker::{Nat, Policy, Sero};
use crate::pack::{NdrPolicy, Strategy, UnresolvedPolicy};
use crate::verdict::{MarkerState, MarkerVerdict, Unit};

/// States of a reagent.
pub(super) const SERO: [Sero; 5] =
    [Sero::Reactive, Sero::NonReactive, Sero::Invalid, Sero::Pending, Sero::Missing];

/// States of NAT.
pub(super) const NAT: [Nat; 7] = [
    Nat::Reactive,
    Nat::NonReactive,
    Nat::NotDiscriminated,
    Nat::Unresolved,
    Nat::Invalid,
    Nat::Pending,
    Nat::Missing,
];

/// A first reagent in every state, with a second one in every state or absent.
pub(super) fn reagents() -> impl Iterator<Item = (Sero, Option<Sero>)> {
    SERO.into_iter().flat_map(|a| SERO.into_iter().map(Some).chain([None]).map(move |b| (a, b)))
}

/// Every first well with every pair of duplicate wells; `None` is no well.
pub(super) fn wells() -> impl Iterator<Item = (Option<Call>, Option<Call>, Option<Call>)> {
    const CALLS: [Option<Call>; 6] = [
        Some(Call::NonReactive),
        Some(Call::GreyZone),
        Some(Call::Reactive),
        Some(Call::Invalid),
        Some(Call::Pending),
        None,
    ];
    CALLS.into_iter().flat_map(|first| {
        CALLS.into_iter().flat_map(move |one| CALLS.into_iter().map(move |two| (first, one, two)))
    })
}

pub(super) fn is_initial_reactive(first: Option<Call>, grey_is_initial: bool) -> bool {
    match first {
        Some(Call::Reactive) => true,
        Some(Call::GreyZone) => grey_is_initial,
        Some(Call::NonReactive | Call::Indeterminate | Call::Invalid | Call::Pending) | None => false,
    }
}

/// The reagents that count: those there, and a missing one for each that the strategy asks for.
pub(super) fn judged(a: Sero, b: Option<Sero>, strategy: Strategy) -> Vec<Sero> {
    let mut sero = vec![a];
    sero.extend(b);
    while sero.len() < strategy.reagents_min() {
        sero.push(Sero::Missing);
    }
    sero
}

fn is_open(sero: Sero) -> bool {
    match sero {
        Sero::Invalid | Sero::Pending | Sero::Missing => true,
        Sero::Reactive | Sero::NonReactive => false,
    }
}

fn ndr_unit(policy: Policy) -> Unit {
    match policy.ndr {
        NdrPolicy::Discard => Unit::Discard,
        NdrPolicy::RepeatTwice => Unit::Hold,
    }
}

fn unresolved_unit(policy: Policy) -> Unit {
    match policy.unresolved {
        UnresolvedPolicy::Release => Unit::Pass,
        UnresolvedPolicy::Discard => Unit::Discard,
        UnresolvedPolicy::Hold | UnresolvedPolicy::HoldForAntiHbc | UnresolvedPolicy::RepeatResolution => {
            Unit::Hold
        }
    }
}

type Row = (&'static str, MarkerVerdict);

/// Every row that a combination meets.
pub(super) fn matching(sero: &[Sero], nat: Nat, policy: Policy) -> Vec<Row> {
    use MarkerState as M;
    let reactive = sero.iter().filter(|s| **s == Sero::Reactive).count();
    let open = sero.iter().any(|s| is_open(*s)) || matches!(nat, Nat::Invalid | Nat::Pending | Nat::Missing);
    let closed = !open;
    let all_reactive = reactive == sero.len();
    let between = matches!(nat, Nat::NotDiscriminated | Nat::Unresolved);
    let nat_counts = match nat {
        Nat::Reactive => true,
        Nat::NotDiscriminated => ndr_unit(policy) == Unit::Discard,
        Nat::Unresolved => unresolved_unit(policy) == Unit::Discard,
        Nat::NonReactive | Nat::Invalid | Nat::Pending | Nat::Missing => false,
    };
    let single = if reactive == 1 { M::ReactiveSingle } else { M::ReactiveSero2 };
    let rows: [(&'static str, bool, M, Unit); 11] = [
        (
            "M1",
            closed && reactive > 0 && all_reactive && nat == Nat::Reactive,
            M::ReactiveConcordant,
            Unit::Discard,
        ),
        ("M2", closed && reactive > 1 && nat == Nat::NonReactive, M::ReactiveSero2, Unit::Discard),
        (
            "M3",
            closed && reactive > 0 && !all_reactive && nat == Nat::Reactive,
            M::ReactiveSero1Nat,
            Unit::Discard,
        ),
        ("M4", closed && reactive == 1 && nat == Nat::NonReactive, M::ReactiveSingle, Unit::Discard),
        ("M5", closed && reactive > 0 && between, single, Unit::Discard),
        ("M6", closed && reactive == 0 && nat == Nat::Reactive, M::NatYield, Unit::Discard),
        ("M7", closed && reactive == 0 && nat == Nat::NotDiscriminated, M::NatNdr, ndr_unit(policy)),
        ("M8", closed && reactive == 0 && nat == Nat::Unresolved, M::NatUnresolved, unresolved_unit(policy)),
        ("M9", closed && reactive == 0 && nat == Nat::NonReactive, M::Negative, Unit::Pass),
        ("M10", open && (reactive > 0 || nat_counts), M::ReactiveIncomplete, Unit::Discard),
        ("M11", open && reactive == 0 && !nat_counts, M::Incomplete, Unit::Hold),
    ];
    let candidate = closed && reactive > 0 && nat == Nat::NonReactive;
    rows.into_iter()
        .filter(|(_, meets, _, _)| *meets)
        .map(|(row, _, verdict, unit)| (row, MarkerVerdict { verdict, unit, reentry_candidate: candidate }))
        .collect()
}

/// Every row that reagents without NAT meet.
pub(super) fn serology_only(sero: &[Sero], two_reagents: bool) -> Vec<Row> {
    use MarkerState as M;
    let reactive = sero.iter().filter(|s| **s == Sero::Reactive).count();
    let open = sero.iter().any(|s| is_open(*s));
    let rows: [(&'static str, bool, M, Unit); 5] = [
        ("one reactive", !open && reactive == 1, M::ReactiveSingle, Unit::Discard),
        ("several reactive", !open && reactive > 1, M::ReactiveSero2, Unit::Discard),
        ("none reactive", !open && reactive == 0, M::Negative, Unit::Pass),
        ("open, one reactive", open && reactive > 0, M::ReactiveIncomplete, Unit::Discard),
        ("open", open && reactive == 0, M::Incomplete, Unit::Hold),
    ];
    let candidate = !open && two_reagents && reactive == 1 && sero.len() > 1;
    rows.into_iter()
        .filter(|(_, meets, _, _)| *meets)
        .map(|(row, _, verdict, unit)| (row, MarkerVerdict { verdict, unit, reentry_candidate: candidate }))
        .collect()
}

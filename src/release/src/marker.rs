//! The marker decision table of rules.md §1.5: a total function of the reagents' and the NAT's states.

use crate::pack::{NdrPolicy, UnresolvedPolicy};
use crate::verdict::{MarkerState, MarkerVerdict, NatState, SeroState, Unit};

/// What a serology reagent brings to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Sero {
    /// Final reactive.
    Reactive,
    /// Final non-reactive.
    NonReactive,
    /// No valid result yet; never counts as non-reactive (R-MRK-02).
    Invalid,
    /// On its way.
    Pending,
    /// Asked for and not there.
    Missing,
}

/// What the nucleic acid tests bring to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nat {
    /// Reactive.
    Reactive,
    /// Non-reactive.
    NonReactive,
    /// Reactive and not discriminated.
    NotDiscriminated,
    /// Non-reactive alone, in a reactive pool that nobody explains.
    Unresolved,
    /// No valid result.
    Invalid,
    /// On its way, or under review.
    Pending,
    /// Asked for and not there.
    Missing,
}

/// What the pack says of results between reactive and non-reactive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Non-discriminated reactive.
    pub ndr: NdrPolicy,
    /// Unresolved pool.
    pub unresolved: UnresolvedPolicy,
}

impl Policy {
    fn ndr_unit(self) -> Unit {
        match self.ndr {
            NdrPolicy::Discard => Unit::Discard,
            NdrPolicy::RepeatTwice => Unit::Hold,
        }
    }

    fn unresolved_unit(self) -> Unit {
        match self.unresolved {
            UnresolvedPolicy::Release => Unit::Pass,
            UnresolvedPolicy::RepeatResolution
            | UnresolvedPolicy::HoldForAntiHbc
            | UnresolvedPolicy::Hold => Unit::Hold,
            UnresolvedPolicy::Discard => Unit::Discard,
        }
    }
}

impl From<SeroState> for Sero {
    fn from(state: SeroState) -> Self {
        match state {
            SeroState::FinalReactive => Self::Reactive,
            SeroState::FinalNonReactive => Self::NonReactive,
            SeroState::InitialReactive | SeroState::GreyZone | SeroState::Pending => Self::Pending,
            SeroState::Invalid => Self::Invalid,
            SeroState::NotTested => Self::Missing,
        }
    }
}

impl From<NatState> for Nat {
    fn from(state: NatState) -> Self {
        match state {
            NatState::Reactive => Self::Reactive,
            NatState::NonReactive => Self::NonReactive,
            NatState::NotDiscriminated => Self::NotDiscriminated,
            NatState::Unresolved => Self::Unresolved,
            NatState::Invalid | NatState::InvalidFinal => Self::Invalid,
            NatState::Pending | NatState::Review => Self::Pending,
            NatState::NotTested => Self::Missing,
        }
    }
}

/// A verdict with the row of the table that gave it.
pub(crate) struct Row {
    pub(crate) verdict: MarkerVerdict,
    pub(crate) row: &'static str,
}

/// Judges one virus by its reagents and NAT. No reagent at all counts as one that is missing.
#[must_use]
pub fn judge_virus(sero: &[Sero], nat: Nat, policy: Policy) -> MarkerVerdict {
    virus_row(sero, nat, policy).verdict
}

pub(crate) fn virus_row(sero: &[Sero], nat: Nat, policy: Policy) -> Row {
    let count = |wanted: Sero| sero.iter().filter(|s| **s == wanted).count();
    let sero_reactive = count(Sero::Reactive);
    let sero_open = sero.is_empty() || count(Sero::Reactive) + count(Sero::NonReactive) < sero.len();
    let nat_open = matches!(nat, Nat::Invalid | Nat::Pending | Nat::Missing);
    if sero_open || nat_open {
        let reactive = sero_reactive > 0 || nat_reactive(nat, policy);
        return open_row(reactive);
    }
    let candidate = sero_reactive > 0 && nat == Nat::NonReactive;
    let row = |row, verdict, unit| Row {
        verdict: MarkerVerdict { verdict, unit, reentry_candidate: candidate },
        row,
    };
    match (sero_reactive, nat) {
        (0, Nat::NonReactive) => row("M9", MarkerState::Negative, Unit::Pass),
        (0, Nat::Reactive) => row("M6", MarkerState::NatYield, Unit::Discard),
        (0, Nat::NotDiscriminated) => row("M7", MarkerState::NatNdr, policy.ndr_unit()),
        (0, Nat::Unresolved) => row("M8", MarkerState::NatUnresolved, policy.unresolved_unit()),
        (n, Nat::Reactive) if n == sero.len() => row("M1", MarkerState::ReactiveConcordant, Unit::Discard),
        (_, Nat::Reactive) => row("M3", MarkerState::ReactiveSero1Nat, Unit::Discard),
        (1, Nat::NonReactive) => row("M4", MarkerState::ReactiveSingle, Unit::Discard),
        (_, Nat::NonReactive) => row("M2", MarkerState::ReactiveSero2, Unit::Discard),
        (1, Nat::NotDiscriminated | Nat::Unresolved) => row("M5", MarkerState::ReactiveSingle, Unit::Discard),
        (_, Nat::NotDiscriminated | Nat::Unresolved) => row("M5", MarkerState::ReactiveSero2, Unit::Discard),
        // Open states were answered above; should one come here all the same, it stays open.
        (n, Nat::Invalid | Nat::Pending | Nat::Missing) => open_row(n > 0),
    }
}

fn nat_reactive(nat: Nat, policy: Policy) -> bool {
    match nat {
        Nat::Reactive => true,
        Nat::NotDiscriminated => policy.ndr_unit() == Unit::Discard,
        Nat::Unresolved => policy.unresolved_unit() == Unit::Discard,
        Nat::NonReactive | Nat::Invalid | Nat::Pending | Nat::Missing => false,
    }
}

fn open_row(reactive: bool) -> Row {
    let (row, verdict, unit) = if reactive {
        ("M10", MarkerState::ReactiveIncomplete, Unit::Discard)
    } else {
        ("M11", MarkerState::Incomplete, Unit::Hold)
    };
    Row { verdict: MarkerVerdict { verdict, unit, reentry_candidate: false }, row }
}

/// Judges a marker that has reagents only (syphilis, HTLV). A single reactive reagent beside a non-reactive one makes
/// a re-entry candidate where the marker has two reagents.
#[must_use]
pub fn judge_serology_only(sero: &[Sero], two_reagents: bool) -> MarkerVerdict {
    let count = |wanted: Sero| sero.iter().filter(|s| **s == wanted).count();
    let reactive = count(Sero::Reactive);
    let open = sero.is_empty() || reactive + count(Sero::NonReactive) < sero.len();
    let (verdict, unit) = match (open, reactive) {
        (true, 0) => (MarkerState::Incomplete, Unit::Hold),
        (true, _) => (MarkerState::ReactiveIncomplete, Unit::Discard),
        (false, 0) => (MarkerState::Negative, Unit::Pass),
        (false, 1) => (MarkerState::ReactiveSingle, Unit::Discard),
        (false, _) => (MarkerState::ReactiveSero2, Unit::Discard),
    };
    let reentry_candidate = two_reagents && verdict == MarkerState::ReactiveSingle && sero.len() > 1;
    MarkerVerdict { verdict, unit, reentry_candidate }
}

//! Which tubes stand in which run of a day, what strikes a run, and what that does to its donations.

use super::given::{Given, Round};
use super::kind::Kind;
use super::plan::{NAT_SLOT, Plan, Strike};
use super::truth::Infection;
use crate::scenario::Duty;
use std::ops::Range;
use vocabulary::Marker;

/// A plate of 96 wells less eight for controls and blank.
const PLATE_TUBES: usize = 88;
/// A rack of 96 less four controls.
const RACK_TUBES: usize = 92;

/// Which of a run's tubes a bad reagent finds nothing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blind {
    Nowhere,
    Everywhere,
    In(usize),
}

/// A plate or a rack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rack {
    pub(super) duty: Duty,
    pub(super) marker: Option<Marker>,
    /// Its tubes, by place in the day.
    pub(super) tubes: Range<usize>,
    pub(super) strike: Option<Strike>,
    pub(super) blind: Blind,
    /// Drifting controls: how many plates are still to come.
    pub(super) before_last: Option<usize>,
    /// Tested again the next day, by place in the day.
    pub(super) again: Vec<usize>,
}

impl Rack {
    pub(super) fn is_blind_for(&self, at: usize) -> bool {
        match self.blind {
            Blind::Nowhere => false,
            Blind::Everywhere => true,
            Blind::In(one) => one == at,
        }
    }
}

/// Racks and plates of the day; what strikes them is written into the donations.
pub(super) fn racks(plan: &Plan, day: u32, given: &mut [Given]) -> Vec<Rack> {
    let mut all = cut(Duty::Nat, None, RACK_TUBES, given.len());
    strike(&mut all, plan.runs.get(&(day, NAT_SLOT)).copied(), given);
    for (slot, marker) in (NAT_SLOT + 1..).zip(Duty::SerologySecond.markers()) {
        let mut plates = cut(Duty::SerologySecond, Some(*marker), PLATE_TUBES, given.len());
        strike(&mut plates, plan.runs.get(&(day, slot)).copied(), given);
        all.extend(plates);
    }
    all
}

fn cut(duty: Duty, marker: Option<Marker>, tubes: usize, count: usize) -> Vec<Rack> {
    (0..count)
        .step_by(tubes)
        .map(|from| Rack {
            duty,
            marker,
            tubes: from..(from + tubes).min(count),
            strike: None,
            blind: Blind::Nowhere,
            before_last: None,
            again: Vec::new(),
        })
        .collect()
}

fn strike(racks: &mut [Rack], strike: Option<Strike>, given: &mut [Given]) {
    let Some(strike) = strike else { return };
    let count = racks.len();
    if strike.kind == Kind::DriftingControl {
        for (nth, rack) in racks.iter_mut().enumerate() {
            rack.before_last = Some(count - 1 - nth);
        }
    }
    let nth = if strike.kind == Kind::DriftingControl {
        count.saturating_sub(1)
    } else {
        usize::try_from(strike.variant).unwrap_or(0) % count.max(1)
    };
    if let Some(rack) = racks.get_mut(nth) {
        struck(rack, strike, given);
    }
}

fn struck(rack: &mut Rack, strike: Strike, given: &mut [Given]) {
    rack.strike = Some(strike);
    let chosen = usize::try_from(strike.variant / 64).unwrap_or(0) % rack.tubes.len().max(1);
    let chosen = rack.tubes.start + chosen;
    let whole = !matches!(strike.kind, Kind::LateInvalidated | Kind::ControlFailsLate | Kind::ControlMissing);
    let after_release = matches!(strike.kind, Kind::LateInvalidated | Kind::ControlFailsLate);
    rack.blind = match (whole, after_release && strike.armed) {
        (true, _) => Blind::Everywhere,
        (false, true) => Blind::In(chosen),
        (false, false) => Blind::Nowhere,
    };
    let marker = rack.marker.unwrap_or(Marker::HBsAg);
    for at in rack.tubes.clone() {
        let Some(one) = given.get_mut(at) else { continue };
        one.struck.push(strike.kind);
        let alone = one.strike.is_none() && one.other.is_none();
        if at == chosen && strike.armed && alone {
            one.truth.infection = Some(Infection::seen_only_by(rack.duty, marker));
            one.truth.nonspecific = None;
            if whole || strike.kind == Kind::ControlMissing {
                one.justified.never();
            }
        } else if at == chosen && rack.blind == Blind::In(at) {
            rack.blind = Blind::Nowhere;
        }
        if after_release {
            one.justified.only_before(Round::Late);
        } else if strike.kind == Kind::ControlMissing {
            one.justified.not_before(Round::NextDay);
        } else if alone && (at != chosen || strike.armed) {
            one.justified.not_before(Round::NextDay);
            rack.again.push(at);
        } else {
            one.justified.never();
        }
    }
}

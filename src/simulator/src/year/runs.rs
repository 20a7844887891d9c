//! Which tubes stand in which run of a day, what strikes a run, and what that does to its donations.

use super::YearError;
use super::given::{Given, Round};
use super::kind::Kind;
use super::letters::Sender;
use super::plan::{NAT_SLOT, Plan, SERIES_SLOT, Strike, pool_size};
use super::pools::{self, Pool};
use super::truth::{Infection, serology};
use crate::scenario::Duty;
use vocabulary::Marker;

/// A plate of 96 wells less eight for controls and blank.
const PLATE_TUBES: usize = 88;
/// A rack of 96 less four controls.
const RACK_TUBES: usize = 92;
/// A plate of 96 less three controls.
const PLATE_POOLS: usize = 93;
/// What random-access analysers do between two sets of controls.
pub(super) const SERIES_TUBES: usize = 200;

/// Which of a run's tubes a bad reagent finds nothing in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blind {
    Nowhere,
    Everywhere,
    In(usize),
}

/// A plate, a rack, a plate of pools, or a series of a random-access analyser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rack {
    pub(super) duty: Duty,
    /// A plate's only marker; of a series the one whose control fails.
    pub(super) marker: Option<Marker>,
    /// Its tubes, by place in the day.
    pub(super) tubes: Vec<usize>,
    /// The pools that these tubes went into.
    pub(super) pools: Vec<Pool>,
    pub(super) strike: Option<Strike>,
    pub(super) blind: Blind,
    /// Drifting controls: how many plates are still to come.
    pub(super) before_last: Option<usize>,
    /// Tested again the next day, by place in the day.
    pub(super) again: Vec<usize>,
}

impl Rack {
    fn new(duty: Duty, marker: Option<Marker>, tubes: Vec<usize>, pools: Vec<Pool>) -> Self {
        let (strike, blind, before_last, again) = (None, Blind::Nowhere, None, Vec::new());
        Self { duty, marker, tubes, pools, strike, blind, before_last, again }
    }

    pub(super) fn is_blind_for(&self, at: usize) -> bool {
        match self.blind {
            Blind::Nowhere => false,
            Blind::Everywhere => true,
            Blind::In(one) => one == at,
        }
    }

    /// Who sends its results.
    pub(super) fn sender(&self) -> Sender {
        if self.pools.is_empty() { self.duty.into() } else { Sender::PoolAnalyser }
    }

    /// What is measured in it, where that is one marker only.
    pub(super) fn measures(&self) -> Option<Marker> {
        self.marker.filter(|_| self.duty != Duty::SerologyFirst)
    }

    /// Everything in it is tested again, singly.
    pub(super) fn falls_whole(&self) -> bool {
        self.strike.is_some_and(|strike| is_whole(strike.kind))
    }
}

fn is_whole(kind: Kind) -> bool {
    !matches!(kind, Kind::LateInvalidated | Kind::ControlFailsLate | Kind::ControlMissing)
}

/// Racks, plates and series of the day; what strikes them is written into the donations.
pub(super) fn racks(plan: &Plan, day: u32, given: &mut [Given]) -> Result<Vec<Rack>, YearError> {
    let every: Vec<usize> = (0..given.len()).collect();
    let mut all = nucleic(day, given)?;
    strike(&mut all, plan.runs.get(&(day, NAT_SLOT)).copied(), given);
    for rack in all.iter_mut().filter(|rack| !rack.pools.is_empty()) {
        pools::strike(plan, day, rack, given);
    }
    for (slot, marker) in (NAT_SLOT + 1..).zip(Duty::SerologySecond.markers()) {
        let mut plates = cut(Duty::SerologySecond, Some(*marker), PLATE_TUBES, &every);
        strike(&mut plates, plan.runs.get(&(day, slot)).copied(), given);
        all.extend(plates);
    }
    let mut series = cut(Duty::SerologyFirst, None, SERIES_TUBES, &every);
    strike(&mut series, plan.runs.get(&(day, SERIES_SLOT)).copied(), given);
    all.extend(series);
    Ok(all)
}

/// Racks of single donations, and plates of pools on a day that makes pools.
fn nucleic(day: u32, given: &[Given]) -> Result<Vec<Rack>, YearError> {
    let pooled = |at: &usize| pool_size(day).is_some() && given.get(*at).is_some_and(pools::may_join);
    let (join, mut single): (Vec<usize>, Vec<usize>) = (0..given.len()).partition(pooled);
    let mut plates = Vec::new();
    if let Some(size) = pool_size(day) {
        let (mut pools, rest) = pools::made(day, size, &join)?;
        single.extend(rest);
        single.sort_unstable();
        while !pools.is_empty() {
            let later = pools.split_off(pools.len().min(PLATE_POOLS));
            let tubes = pools.iter().flat_map(|pool| pool.members.iter().copied()).collect();
            plates.push(Rack::new(Duty::Nat, None, tubes, std::mem::replace(&mut pools, later)));
        }
    }
    plates.extend(cut(Duty::Nat, None, RACK_TUBES, &single));
    Ok(plates)
}

fn cut(duty: Duty, marker: Option<Marker>, most: usize, tubes: &[usize]) -> Vec<Rack> {
    tubes.chunks(most).map(|tubes| Rack::new(duty, marker, tubes.to_vec(), Vec::new())).collect()
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
        if strike.kind == Kind::FailedWindow {
            rack.marker = Some(serology(strike.variant / 2));
        }
        struck(rack, strike, given);
    }
}

fn struck(rack: &mut Rack, strike: Strike, given: &mut [Given]) {
    rack.strike = Some(strike);
    let chosen = usize::try_from(strike.variant / 64).unwrap_or(0) % rack.tubes.len().max(1);
    let Some(chosen) = rack.tubes.get(chosen).copied() else { return };
    let whole = is_whole(strike.kind);
    let after_release = matches!(strike.kind, Kind::LateInvalidated | Kind::ControlFailsLate);
    // What is tested singly the next day does not rest on the pool.
    let seen = |at: &&usize| given.get(**at).is_some_and(|one| one.truth.infection.is_some_and(|i| i.nat));
    let resolved = rack.pools.iter().filter(|pool| pool.members.iter().any(|at| seen(&at)));
    let resolved: Vec<usize> = resolved.flat_map(|pool| pool.members.iter().copied()).collect();
    rack.blind = match (whole, after_release && strike.armed && !resolved.contains(&chosen)) {
        (true, _) => Blind::Everywhere,
        (false, true) => Blind::In(chosen),
        (false, false) => Blind::Nowhere,
    };
    let marker = rack.marker.unwrap_or(Marker::HBsAg);
    for at in rack.tubes.clone() {
        let is_resolved = resolved.contains(&at);
        let Some(one) = given.get_mut(at) else { continue };
        one.struck.push(strike.kind);
        // What was invalid in it anyway was measured again in another run the same evening, and rests on that.
        if rack.duty == Duty::Nat && one.strike.is_some_and(|own| own.kind == Kind::NatInvalidOnce) {
            if rack.blind == Blind::In(at) {
                rack.blind = Blind::Nowhere;
            }
            continue;
        }
        let alone = one.strike.is_none() && one.other.is_none();
        if at == chosen && strike.armed && alone && !(after_release && is_resolved) {
            one.truth.infection = Some(Infection::seen_only_by(rack.duty, marker));
            one.truth.nonspecific = None;
            if whole || strike.kind == Kind::ControlMissing {
                one.justified.never();
            }
        } else if at == chosen && rack.blind == Blind::In(at) {
            rack.blind = Blind::Nowhere;
        }
        if after_release {
            if !is_resolved {
                one.justified.only_before(Round::Late);
            }
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

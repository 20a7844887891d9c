//! Which fault strikes where in the year: drawn once, before anything else, so that every kind comes.

use super::kind::{Kind, Strikes};
use crate::scenario::Draw;
use std::collections::BTreeMap;

/// Every kind comes so often at least: once where it could do harm, and once where it could not.
const TIMES_MIN: u32 = 2;
/// A draw that hits what was struck before is drawn again so often; then the year is too short for one more.
const DRAWS_MAX: u32 = 200;
/// What runs can be struck on a day: the racks of the nucleic acid test, the plates of four markers, and the series of
/// the first serology.
pub(super) const SLOTS: u32 = 6;
/// The slot of the nucleic acid test.
pub(super) const NAT_SLOT: u32 = 0;
/// The slot of the first serology.
pub(super) const SERIES_SLOT: u32 = 5;
/// So many pools of a day can be struck.
pub(super) const POOL_SLOTS: u32 = 3;

/// How many donations share a pool on a day; none where every donation is tested singly. The days take turns.
pub(super) fn pool_size(day: u32) -> Option<u16> {
    match day % 4 {
        0 => Some(6),
        2 => Some(8),
        _ => None,
    }
}

/// A fault in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Strike {
    pub(super) kind: Kind,
    /// The donation is made one that the fault would let slip through.
    pub(super) armed: bool,
    /// Chance for what the kind leaves open.
    pub(super) variant: u32,
}

/// The faults of a year.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// By place of the donation in the year; of a pair, the first.
    pub(super) ones: BTreeMap<u32, Strike>,
    /// By day and slot.
    pub(super) runs: BTreeMap<(u32, u32), Strike>,
    /// By day and slot.
    pub(super) pools: BTreeMap<(u32, u32), Strike>,
    /// By day.
    pub(super) people: BTreeMap<u32, Kind>,
}

impl Plan {
    pub(super) fn draw(seed: u64, donations: u32, per_day: u32) -> Self {
        let days = donations.div_ceil(per_day.max(1));
        let mut plan = Self::default();
        let mut draw = Draw::new(seed, "faults");
        for kind in Kind::ALL.iter().copied() {
            let of = match kind.strikes() {
                Strikes::One | Strikes::Pair => u64::from(donations) * u64::from(kind.rate()) / 100_000,
                Strikes::Run | Strikes::Pool | Strikes::People => {
                    u64::from(days) * u64::from(kind.rate()) / 1_000
                }
            };
            let times = u32::try_from(of).unwrap_or(u32::MAX).max(TIMES_MIN);
            for nth in 0..times {
                let strike = Strike { kind, armed: nth % 2 == 0, variant: draw.below(1 << 16) };
                let placed = (0..DRAWS_MAX).any(|_| match kind.strikes() {
                    Strikes::One => plan.one(strike, draw.below(donations)),
                    Strikes::Pair => plan.pair(strike, draw.below(donations), (donations, per_day)),
                    Strikes::Run => plan.run(strike, draw.below(days), draw.below(SLOTS)),
                    Strikes::Pool => plan.pool(strike, draw.below(days), draw.below(POOL_SLOTS)),
                    Strikes::People => {
                        let day = draw.below(days);
                        let free = !plan.people.contains_key(&day);
                        free && plan.people.insert(day, kind).is_none()
                    }
                });
                if !placed {
                    break;
                }
            }
        }
        plan
    }

    fn is_free(&self, at: u32) -> bool {
        let pair_before = at.checked_sub(1).and_then(|before| self.ones.get(&before));
        !self.ones.contains_key(&at) && pair_before.is_none_or(|s| s.kind.strikes() != Strikes::Pair)
    }

    fn one(&mut self, strike: Strike, at: u32) -> bool {
        self.is_free(at) && self.ones.insert(at, strike).is_none()
    }

    /// The two stand in one day.
    fn pair(&mut self, strike: Strike, at: u32, (donations, per_day): (u32, u32)) -> bool {
        let together = at + 1 < donations && !(at + 1).is_multiple_of(per_day.max(1));
        together && self.is_free(at + 1) && self.one(strike, at)
    }

    fn run(&mut self, strike: Strike, day: u32, slot: u32) -> bool {
        // A plate's file holds its controls, and so does a file of pools; only a rack's come in messages of their own.
        let of_racks = matches!(strike.kind, Kind::ControlMissing | Kind::ControlFailsLate);
        let of_plates = strike.kind == Kind::DriftingControl;
        let fits = match slot {
            SERIES_SLOT => strike.kind == Kind::FailedWindow,
            _ if strike.kind == Kind::FailedWindow => false,
            NAT_SLOT => !of_plates && (!of_racks || pool_size(day).is_none()),
            _ => !of_racks,
        };
        fits && !self.runs.contains_key(&(day, slot)) && self.runs.insert((day, slot), strike).is_none()
    }

    /// Pools of a day whose run is struck are left alone.
    fn pool(&mut self, strike: Strike, day: u32, slot: u32) -> bool {
        let fits = pool_size(day).is_some() && !self.runs.contains_key(&(day, NAT_SLOT));
        fits && !self.pools.contains_key(&(day, slot)) && self.pools.insert((day, slot), strike).is_none()
    }
}

//! Chance with a seed: the same seed draws the same day.

use super::reading::{Finding, Reading};
use rust_decimal::Decimal;
use vocabulary::{AboGroup, Grade, Marker, Strength};

/// How a serology well reads against its cut-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Plainly below.
    Low,
    /// Just below: 0.95.
    Grey,
    /// Above, not by much.
    Weak,
    /// Far above.
    Strong,
}

/// A source of chance for one concern, so that a draw more in one place moves nothing in another.
pub(crate) struct Draw(fastrand::Rng);

impl Draw {
    /// A source for `concern` of the day with `seed`.
    pub(crate) fn new(seed: u64, concern: &str) -> Self {
        // FNV-1a: stable across releases, which std's hasher is not.
        let mixed = concern
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        Self(fastrand::Rng::with_seed(seed ^ mixed))
    }

    /// A number of `range`.
    pub(crate) fn below(&mut self, end: u32) -> u32 {
        self.0.u32(0..end.max(1))
    }

    /// `count` of 100 times true.
    pub(crate) fn percent(&mut self, count: u32) -> bool {
        self.below(100) < count
    }

    /// Puts `items` in another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }

    /// A whole number from `low` up to and including `high`, small ones more often.
    fn skewed(&mut self, low: i64, high: i64) -> i64 {
        let once = self.0.i64(0..=high.saturating_sub(low));
        low + self.0.i64(0..=once)
    }

    /// ABO as in donors of China.
    pub(crate) fn abo(&mut self) -> AboGroup {
        match self.below(1000) {
            0..335 => AboGroup::O,
            335..615 => AboGroup::A,
            615..900 => AboGroup::B,
            _ => AboGroup::AB,
        }
    }

    /// An index of `level`, two decimals.
    pub(crate) fn index(&mut self, level: Level) -> Decimal {
        let hundredths = match level {
            Level::Low => self.skewed(3, 62),
            Level::Grey => 95,
            Level::Weak => self.skewed(135, 480),
            Level::Strong => self.skewed(900, 2_900),
        };
        Decimal::new(hundredths, 2)
    }

    /// ALT in U/L, one decimal, well inside the limit.
    pub(crate) fn activity_normal(&mut self) -> Decimal {
        Decimal::new(self.skewed(80, 440), 1)
    }

    /// ALT in U/L, one decimal, above 50.
    pub(crate) fn activity_high(&mut self) -> Decimal {
        Decimal::new(self.skewed(536, 1_400), 1)
    }

    /// A control's reading: within three percent of its target, or half as much again when it fails.
    pub(crate) fn near(&mut self, target: Decimal, passes: bool) -> Decimal {
        let off = if passes { self.0.i64(-30..=30) } else { 500 };
        (target * Decimal::new(1_000 + off, 3)).round_dp(1)
    }

    /// What a second measurement of the same tube differs by, in U/L.
    pub(crate) fn change(&mut self) -> Decimal {
        Decimal::new(self.0.i64(1..30), 1)
    }

    /// A nucleic acid result: the target's cycle if `detected`, and a good internal control.
    pub(crate) fn target(&mut self, detected: bool) -> Finding {
        let ct = detected.then(|| Decimal::new(self.0.i64(2_400..3_600), 2));
        Finding::Target { ct, control_ct: Decimal::new(self.0.i64(3_050..3_320), 2) }
    }

    /// A reaction grade that is positive in a forward column.
    fn forward(&mut self) -> Strength {
        if self.percent(6) { Strength::Three } else { Strength::Four }
    }

    /// A reaction grade that is positive in a reverse column.
    fn reverse(&mut self) -> Strength {
        match self.below(10) {
            0 => Strength::Two,
            1..=3 => Strength::Three,
            _ => Strength::Four,
        }
    }

    /// A whole grouping of a donor whose columns agree.
    pub(crate) fn grouping(&mut self, abo: AboGroup, rhd_positive: bool) -> Vec<Reading> {
        let (a, b) = match abo {
            AboGroup::O => (false, false),
            AboGroup::A => (true, false),
            AboGroup::B => (false, true),
            AboGroup::AB => (true, true),
        };
        let mut column = |marker, positive: bool, strength: fn(&mut Self) -> Strength| {
            let strength = if positive { strength(self) } else { Strength::Zero };
            reaction(marker, Grade::plain(strength))
        };
        vec![
            column(Marker::AntiA, a, Self::forward),
            column(Marker::AntiB, b, Self::forward),
            column(Marker::AntiD, rhd_positive, Self::forward),
            column(Marker::GroupControl, false, Self::forward),
            column(Marker::A1Cells, !a, Self::reverse),
            column(Marker::BCells, !b, Self::reverse),
        ]
    }
}

/// A reaction in the first column of `marker`.
pub(crate) fn reaction(marker: Marker, grade: Grade) -> Reading {
    Reading { marker, replicate: 1, finding: Finding::Grade(grade) }
}

//! What is true of a donor, whatever the laboratory finds: drawn before anything is measured.

use crate::scenario::{Draw, Duty};
use vocabulary::{AboGroup, Marker, RhD};

/// Of 100,000 donors, those with an infection that a mandatory test looks for (rules.md §0: about 2 in a thousand).
const INFECTED: u32 = 200;
/// Of 100,000 donors, those whose serum reacts once, and not when repeated.
const REACTS_ONCE: u32 = 150;
/// Of 100,000 donors, those whose serum reacts with one reagent again and again though nothing is there.
const REACTS_ALWAYS: u32 = 40;
const ALT_HIGH_ONCE: u32 = 400;
const ALT_HIGH: u32 = 150;
const RHD_NEGATIVE: u32 = 350;
const WEAK_D: u32 = 30;

/// An infection, and which tests can see it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Infection {
    /// The serology marker it is looked for by.
    pub marker: Marker,
    /// The first reagent sees it.
    pub first: bool,
    /// The second reagent sees it.
    pub second: bool,
    /// The nucleic acid test sees it.
    pub nat: bool,
}

/// The donor's D antigen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrueRhD {
    /// Plainly there.
    Positive,
    /// There, and seen by the antiglobulin test only: the unit is labelled positive (rules.md §1.6, G9).
    Weak,
    /// Not there.
    Negative,
}

/// The donor's ALT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrueAlt {
    /// Below the limit.
    Normal,
    /// Above it in the first measurement only.
    HighOnce,
    /// Above it.
    High,
}

/// A reaction of one reagent with a serum in which there is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nonspecific {
    /// Which reagent.
    pub duty: Duty,
    /// Of which marker.
    pub marker: Marker,
    /// Whether the duplicates react too.
    pub repeats: bool,
}

/// What is true of a donor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truth {
    /// An infection; one that no test sees is below detection.
    pub infection: Option<Infection>,
    /// ABO.
    pub abo: AboGroup,
    /// D.
    pub rhd: TrueRhD,
    /// ALT.
    pub alt: TrueAlt,
    /// A reaction without a cause.
    pub nonspecific: Option<Nonspecific>,
}

const SEROLOGY: [Marker; 4] = [Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis];

impl Infection {
    /// Of `marker`, seen by every test there is for it.
    pub(super) fn established(marker: Marker) -> Self {
        Self { marker, first: true, second: true, nat: nucleic(marker).is_some() }
    }

    /// Seen by the tests of one duty and by no other.
    pub(super) fn seen_only_by(duty: Duty, marker: Marker) -> Self {
        let marker = if duty == Duty::Nat && nucleic(marker).is_none() { Marker::HBsAg } else { marker };
        Self {
            marker,
            first: duty == Duty::SerologyFirst,
            second: duty == Duty::SerologySecond,
            nat: duty == Duty::Nat,
        }
    }

    /// Whether the tests of one duty see it and no others.
    pub(super) fn is_seen_only_by(self, duty: Duty) -> bool {
        self == Self::seen_only_by(duty, self.marker) && self.is_detectable()
    }

    /// Whether any mandatory test can see it.
    #[must_use]
    pub fn is_detectable(self) -> bool {
        self.first || self.second || self.nat
    }

    /// Whether the serology reagent of `duty` for `marker` sees it.
    pub(super) fn reacts(self, duty: Duty, marker: Marker) -> bool {
        let sees = match duty {
            Duty::SerologyFirst => self.first,
            Duty::SerologySecond => self.second,
            Duty::Nat | Duty::GroupingFirst | Duty::GroupingSecond | Duty::Chemistry => false,
        };
        sees && self.marker == marker
    }

    /// Whether `target` is found.
    pub(super) fn shows(self, target: Marker) -> bool {
        self.nat && nucleic(self.marker) == Some(target)
    }

    fn draw(draw: &mut Draw) -> Self {
        let marker = serology(draw.below(4));
        let nat = nucleic(marker).is_some();
        let seen = |first, second, nat| Self { marker, first, second, nat };
        match draw.below(100) {
            0..45 => Self::established(marker),
            45..70 => seen(true, true, false),
            70..80 => seen(draw.percent(50), true, false),
            80..95 if nat => seen(false, false, true),
            _ => seen(false, false, false),
        }
    }
}

/// The nth serology marker.
pub(super) fn serology(nth: u32) -> Marker {
    let [first, rest @ ..] = SEROLOGY;
    usize::try_from(nth % 4)
        .ok()
        .and_then(|n| n.checked_sub(1))
        .and_then(|n| rest.get(n).copied())
        .unwrap_or(first)
}

/// The target that stands beside a serology marker.
fn nucleic(marker: Marker) -> Option<Marker> {
    [(Marker::HBsAg, Marker::HbvDna), (Marker::AntiHcv, Marker::HcvRna), (Marker::Hiv, Marker::HivRna)]
        .into_iter()
        .find_map(|(serology, target)| (serology == marker).then_some(target))
}

impl Truth {
    /// Somebody who comes to give blood.
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let of_100_000 = |draw: &mut Draw, rate: u32| draw.below(100_000) < rate;
        let infection = of_100_000(draw, INFECTED).then(|| Infection::draw(draw));
        let repeats = of_100_000(draw, REACTS_ALWAYS);
        let nonspecific = (repeats || of_100_000(draw, REACTS_ONCE)).then(|| Nonspecific {
            duty: if draw.percent(50) { Duty::SerologyFirst } else { Duty::SerologySecond },
            marker: serology(draw.below(4)),
            repeats,
        });
        let alt = match draw.below(100_000) {
            0..ALT_HIGH => TrueAlt::High,
            n if n < ALT_HIGH + ALT_HIGH_ONCE => TrueAlt::HighOnce,
            _ => TrueAlt::Normal,
        };
        let rhd = match draw.below(100_000) {
            0..RHD_NEGATIVE => TrueRhD::Negative,
            n if n < RHD_NEGATIVE + WEAK_D => TrueRhD::Weak,
            _ => TrueRhD::Positive,
        };
        Self { infection, abo: draw.abo(), rhd, alt, nonspecific }
    }

    /// The type that a unit of this blood is labelled with.
    #[must_use]
    pub fn label_rhd(&self) -> RhD {
        match self.rhd {
            TrueRhD::Positive | TrueRhD::Weak => RhD::Positive,
            TrueRhD::Negative => RhD::Negative,
        }
    }

    /// Whether a mandatory test can see something that bars the unit.
    #[must_use]
    pub fn is_infectious(&self) -> bool {
        self.infection.is_some_and(Infection::is_detectable)
    }

    /// Infected, and no test can see it yet.
    #[must_use]
    pub fn is_in_window(&self) -> bool {
        self.infection.is_some_and(|infection| !infection.is_detectable())
    }

    /// Whether the unit would do nobody harm, labelled as it is.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.infection.is_none() && self.alt != TrueAlt::High
    }
}

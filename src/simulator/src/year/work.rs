//! A day's work of each analyser: what is measured in which tube, whoever's blood is in it.

use super::given::Given;
use super::kind::Kind;
use super::truth::{Infection, TrueAlt, TrueRhD, Truth};
use crate::scenario::{Draw, Duty, Finding, Level, Reading, Test, reaction};
use vocabulary::{DonationId, Grade, Marker, Strength};

/// What is tested of a tube in one run, and whether it is a repeat of the same day.
pub(super) struct Bench<'a> {
    given: &'a [Given],
    pub(super) draw: Draw,
}

/// How a reagent that is not as it should be reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reagent {
    Good,
    /// It finds nothing.
    Blind,
    /// It finds nothing of one marker.
    BlindFor(Marker),
}

impl Reagent {
    fn finds(self, marker: Marker) -> bool {
        match self {
            Self::Good => true,
            Self::Blind => false,
            Self::BlindFor(one) => one != marker,
        }
    }
}

/// What a nucleic acid test says whose internal control failed.
pub(super) fn invalid() -> Vec<Reading> {
    let of = |marker: &Marker| Reading { marker: *marker, replicate: 1, finding: Finding::Invalid };
    Duty::Nat.markers().iter().map(of).collect()
}

impl<'a> Bench<'a> {
    pub(super) fn new(given: &'a [Given], draw: Draw) -> Self {
        Self { given, draw }
    }

    /// Whose blood is in the tube that stands before an analyser under the donation's number.
    fn blood(&self, given: &'a Given, duty: Duty) -> &'a Truth {
        let other = given.other.filter(|(_, at)| at.is_none_or(|at| at == duty));
        other.and_then(|(at, _)| self.given.get(at)).map_or(&given.truth, |other| &other.truth)
    }

    fn test(given: &Given, readings: Vec<Reading>) -> Test {
        let donation = given.registration.donation.clone();
        Test { donation, readings, sent_twice: false, unmapped: false, corrected: false }
    }

    /// The infection that tests can see in the tube; one that a later correction tells of is not seen now.
    pub(super) fn infection(&self, given: &'a Given, duty: Duty) -> Option<Infection> {
        let later = given.strike.is_some_and(|s| s.kind == Kind::CorrectedAfterRelease);
        self.blood(given, duty).infection.filter(|_| !later)
    }

    fn reacts(&self, given: &'a Given, duty: Duty, marker: Marker) -> bool {
        self.infection(given, duty).is_some_and(|infection| infection.reacts(duty, marker))
    }

    fn index(&mut self, marker: Marker, replicate: u8, level: Level) -> Reading {
        Reading { marker, replicate, finding: Finding::Index(self.draw.index(level)) }
    }

    /// First wells of `markers`.
    pub(super) fn serology(
        &mut self,
        given: &'a Given,
        duty: Duty,
        markers: &[Marker],
        reagent: Reagent,
    ) -> Test {
        let mut readings = Vec::with_capacity(markers.len());
        for marker in markers {
            let odd = self.blood(given, duty).nonspecific.filter(|n| (n.duty, n.marker) == (duty, *marker));
            let reactive = self.reacts(given, duty, *marker) || odd.is_some();
            let level = if reactive && reagent.finds(*marker) { Level::Weak } else { Level::Low };
            readings.push(self.index(*marker, 1, level));
        }
        Self::test(given, readings)
    }

    /// Duplicate wells of a marker, where the first well asked for them.
    pub(super) fn duplicates(&mut self, given: &'a Given, duty: Duty, marker: Marker) -> Option<Test> {
        let odd = self.blood(given, duty).nonspecific.filter(|n| (n.duty, n.marker) == (duty, marker));
        let reacts = self.reacts(given, duty, marker);
        let never = given.strike.is_some_and(|s| s.kind == Kind::DuplicatesMissing);
        if never || !(reacts || odd.is_some()) {
            return None;
        }
        let level = if reacts || odd.is_some_and(|n| n.repeats) { Level::Weak } else { Level::Low };
        let wells = [2, 3].map(|replicate| self.index(marker, replicate, level));
        Some(Self::test(given, wells.to_vec()))
    }

    /// A nucleic acid test of the single donation.
    pub(super) fn nucleic(&mut self, given: &'a Given, replicate: u8, reagent: Reagent) -> Test {
        let infection = self.infection(given, Duty::Nat).filter(|_| reagent == Reagent::Good);
        let targets = Duty::Nat.markers().iter();
        let readings = targets
            .map(|target| Reading {
                marker: *target,
                replicate,
                finding: self.draw.target(infection.is_some_and(|infection| infection.shows(*target))),
            })
            .collect();
        Self::test(given, readings)
    }

    /// A nucleic acid test whose internal control fails.
    pub(super) fn no_nucleic(given: &Given) -> Test {
        Self::test(given, invalid())
    }

    /// Of a pool: reactive where `reactive` says so of a target; nothing where its internal control failed.
    pub(super) fn pooled(&mut self, pool: &DonationId, reactive: impl Fn(Marker) -> bool) -> Test {
        let target = |target: &Marker| Reading {
            marker: *target,
            replicate: 1,
            finding: self.draw.target(reactive(*target)),
        };
        let readings = Duty::Nat.markers().iter().map(target).collect();
        Test { donation: pool.clone(), readings, sent_twice: false, unmapped: false, corrected: false }
    }

    /// A grouping; `second` adds the antiglobulin test where anti-D is not plainly positive.
    pub(super) fn grouping(&mut self, given: &'a Given, duty: Duty, with_antiglobulin: bool) -> Test {
        let blood = *self.blood(given, duty);
        let mut columns = self.draw.grouping(blood.abo, blood.rhd == TrueRhD::Positive);
        let two = Grade::plain(Strength::Two);
        let wrong = match given.strike.map(|s| s.kind) {
            Some(Kind::AboDiscrepancy) => Some((Marker::A1Cells, two)),
            Some(Kind::MixedField) => Some((Marker::AntiA, Grade { mixed_field: true, ..two })),
            _ => None,
        };
        if let Some((marker, grade)) = wrong {
            columns.iter_mut().filter(|r| r.marker == marker).for_each(|r| *r = reaction(marker, grade));
        }
        if with_antiglobulin && blood.rhd != TrueRhD::Positive {
            let strength = if blood.rhd == TrueRhD::Weak { Strength::Two } else { Strength::Zero };
            let grade = Finding::Grade(Grade::plain(strength));
            let clone = |replicate| Reading { marker: Marker::DIat, replicate, finding: grade.clone() };
            columns.extend([1, 2].map(clone));
        }
        Self::test(given, columns)
    }

    /// Whether the second analyser groups it too: first-time donors, and those whose anti-D is not plainly positive.
    pub(super) fn is_grouped_twice(given: &Given) -> bool {
        match given.strike.map(|s| s.kind) {
            Some(Kind::GroupedOnce | Kind::RhDUnconfirmed) => false,
            _ => given.registration.donor.first_time || given.truth.rhd != TrueRhD::Positive,
        }
    }

    /// ALT, first or repeated.
    pub(super) fn alt(&mut self, given: &'a Given, replicate: u8) -> Test {
        let high = match (self.blood(given, Duty::Chemistry).alt, replicate) {
            (TrueAlt::High, _) | (TrueAlt::HighOnce, 1) => true,
            (TrueAlt::Normal | TrueAlt::HighOnce, _) => false,
        };
        let activity = if high { self.draw.activity_high() } else { self.draw.activity_normal() };
        let reading = Reading { marker: Marker::Alt, replicate, finding: Finding::Activity(activity) };
        let mut test = Self::test(given, vec![reading]);
        test.unmapped = replicate == 1 && given.strike.is_some_and(|s| s.kind == Kind::UnknownCode);
        test
    }

    /// Whether ALT is measured again.
    pub(super) fn is_alt_repeated(&self, given: &'a Given) -> bool {
        self.blood(given, Duty::Chemistry).alt != TrueAlt::Normal
    }
}

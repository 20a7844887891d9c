//! Donations as they are given: donor, truth, what strikes them, and when their release is justified.
//!
//! When a release is justified is written down here by hand from rules.md §1 and from what strikes the donation, and
//! on purpose not asked of the room that decides.

use super::kind::Kind;
use super::plan::Strike;
use super::truth::{Infection, TrueAlt, TrueRhD, Truth, serology};
use crate::scenario::{Draw, Duty};
use jiff::Timestamp;
use vocabulary::{AboGroup, BloodGroup, DonationId, DonationRegistration, DonorRegistration, RhD};

const FIRST_TIME_PERCENT: u32 = 35;
const FIELD_TESTED_PERCENT: u32 = 80;

/// The rounds of a donation's work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Round {
    /// The day it was given: tested in the afternoon, signed in the evening.
    Evening,
    /// The next working day: what was repeated and what came late.
    NextDay,
    /// The day after: what comes after a release.
    Late,
}

/// When a release does no harm, as far as anybody can know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Justified {
    /// From this round on; never, where there is none.
    pub from: Option<Round>,
    /// Until before this round: then it has to be called back.
    pub until: Option<Round>,
}

impl Justified {
    pub(super) const AT_ONCE: Self = Self { from: Some(Round::Evening), until: None };

    /// Whether a release in `round` is.
    #[must_use]
    pub fn holds_in(self, round: Round) -> bool {
        self.from.is_some_and(|from| from <= round) && self.until.is_none_or(|until| round < until)
    }

    pub(super) fn never(&mut self) {
        self.from = None;
    }

    pub(super) fn not_before(&mut self, round: Round) {
        self.from = self.from.map(|from| from.max(round));
    }

    pub(super) fn only_before(&mut self, round: Round) {
        self.until = Some(self.until.map_or(round, |until| until.min(round)));
    }
}

/// The donor gave before, in this year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// That donation.
    pub donation: DonationId,
    /// Something was found in it that bars the donor, whatever is found now (R-GATE-11).
    pub barred: bool,
}

/// A donation of the year.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What the blood information system knows.
    pub registration: DonationRegistration,
    /// What is true.
    pub truth: Truth,
    /// What strikes it, by itself or with its run.
    pub struck: Vec<Kind>,
    /// When its release is justified.
    pub justified: Justified,
    /// Something that nothing in the laboratory's results, histories or pre-tests could contradict: why.
    pub undetectable: Option<&'static str>,
    /// The donor's donation of half a year before.
    pub before: Option<Before>,
    pub(super) strike: Option<Strike>,
    /// Whose blood is in its tubes, by place in the day, before every analyser or before one.
    pub(super) other: Option<(usize, Option<Duty>)>,
}

impl Given {
    pub(super) fn draw(
        draw: &mut Draw,
        (donation, collected_at): (DonationId, Timestamp),
        donor: u32,
        (strike, before): (Option<Strike>, Option<&Self>),
    ) -> Self {
        let drawn = Truth::draw(draw);
        // A donor keeps the blood group, and nothing else.
        let group = before.map_or((drawn.abo, drawn.rhd), |one| (one.truth.abo, one.truth.rhd));
        let truth = Truth { abo: group.0, rhd: group.1, ..drawn };
        let first_time = draw.percent(FIRST_TIME_PERCENT) && before.is_none();
        let field_tested = draw.percent(FIELD_TESTED_PERCENT);
        let donor = DonorRegistration {
            id: before.map_or_else(|| format!("D{donor:08}").into(), |one| one.registration.donor.id.clone()),
            first_time,
            deferred: false,
            barred: None,
            sensitised: None,
            history: None,
            field_abo: None,
        };
        let registration =
            DonationRegistration { donation, collected_at, centrifuged_at: None, session: None, donor };
        let mut given = Self {
            registration,
            truth,
            struck: Vec::new(),
            justified: Justified::AT_ONCE,
            undetectable: None,
            before: before.map(|one| Before {
                donation: one.registration.donation.clone(),
                barred: one.truth.is_infectious() || one.truth.nonspecific.is_some_and(|found| found.repeats),
            }),
            strike,
            other: None,
        };
        if let Some(strike) = strike {
            given.struck.push(strike.kind);
            given.arm(strike);
        }
        given.know_group(field_tested);
        given.justify();
        given
    }

    /// Whether all that was ever found of its donor follows from the truth of this donation.
    pub(super) fn may_come_back(&self) -> bool {
        let told = self.struck.is_empty() && self.other.is_none() && self.undetectable.is_none();
        told && !self.truth.is_in_window()
    }

    /// Makes the truth one that shows what the fault does.
    fn arm(&mut self, strike: Strike) {
        let marker = serology(strike.variant / 8);
        let truth = &mut self.truth;
        let donor = &mut self.registration.donor;
        let alone = |duty| Some(Infection::seen_only_by(duty, marker));
        match (strike.kind, strike.armed) {
            (Kind::WrongTube | Kind::SwappedBarcodes, true) => {
                truth.infection = Some(Infection::established(marker));
            }
            (Kind::LostMessage | Kind::BrokenTransfer | Kind::NoBarcode | Kind::CutBarcode, true) => {
                let (duty, nth) = place(strike);
                match duty {
                    Duty::SerologyFirst | Duty::SerologySecond | Duty::Nat => {
                        truth.infection = Some(Infection::seen_only_by(duty, serology(nth)));
                    }
                    Duty::Chemistry => truth.alt = TrueAlt::High,
                    Duty::GroupingFirst | Duty::GroupingSecond => {}
                }
            }
            (Kind::NatInvalidOnce | Kind::NatInvalid, true)
            | (Kind::ChangedResult | Kind::CorrectedAway, _) => truth.infection = alone(Duty::Nat),
            (Kind::UnknownCode, true) => truth.alt = TrueAlt::High,
            (Kind::DuplicatesMissing, _) => truth.infection = alone(Duty::SerologyFirst),
            (Kind::CorrectedAfterRelease, _) => truth.infection = alone(corrected_by(strike)),
            (Kind::AboDiscrepancy | Kind::MixedField, _) => truth.abo = AboGroup::A,
            (Kind::RhDUnconfirmed, armed) => {
                truth.rhd = if armed { TrueRhD::Weak } else { TrueRhD::Negative };
            }
            (Kind::GroupedOnce, _) => donor.first_time = true,
            (Kind::WrongHistory | Kind::WrongField, _) => donor.first_time = false,
            (Kind::DeferredDonor, _) => donor.deferred = true,
            (_, _) => {}
        }
    }

    /// What the register and the field know of the group.
    fn know_group(&mut self, field_tested: bool) {
        let BloodGroup { abo, rhd } = self.group();
        let kind = self.strike.map(|s| s.kind);
        let donor = &mut self.registration.donor;
        donor.history = (!donor.first_time).then_some(BloodGroup { abo, rhd });
        donor.field_abo = abo.filter(|_| field_tested);
        let armed = self.strike.is_some_and(|s| s.armed);
        match kind {
            Some(Kind::WrongHistory) if armed => {
                donor.history = Some(BloodGroup { abo: abo.map(another), rhd });
            }
            Some(Kind::WrongHistory) => {
                let other = rhd.map(|d| if d == RhD::Positive { RhD::Negative } else { RhD::Positive });
                donor.history = Some(BloodGroup { abo, rhd: other });
            }
            Some(Kind::WrongField) => donor.field_abo = abo.map(another),
            _ => {}
        }
    }

    /// The group that its unit is labelled with when all is well.
    #[must_use]
    pub fn group(&self) -> BloodGroup {
        BloodGroup { abo: Some(self.truth.abo), rhd: Some(self.truth.label_rhd()) }
    }

    /// When its release is justified, from the truth and from what strikes it alone.
    fn justify(&mut self) {
        let justified = &mut self.justified;
        if self.truth.is_infectious() || self.truth.alt == TrueAlt::High {
            justified.never();
        }
        if self.before.as_ref().is_some_and(|before| before.barred) {
            justified.never();
        }
        let Some(strike) = self.strike else { return };
        match (strike.kind, comes_later(strike)) {
            (Kind::LostMessage | Kind::BrokenTransfer, true) => justified.not_before(Round::NextDay),
            (
                Kind::LostMessage
                | Kind::BrokenTransfer
                | Kind::NoBarcode
                | Kind::CutBarcode
                | Kind::UnknownCode
                | Kind::NatInvalid
                | Kind::DuplicatesMissing
                | Kind::AboDiscrepancy
                | Kind::MixedField
                | Kind::RhDUnconfirmed
                | Kind::WrongHistory
                | Kind::WrongField
                | Kind::GroupedOnce
                | Kind::DeferredDonor
                | Kind::ChangedResult
                | Kind::CorrectedAway,
                _,
            ) => justified.never(),
            // Nobody could know before.
            (Kind::CorrectedAfterRelease, _) => {
                *justified = Justified { from: Some(Round::Evening), until: Some(Round::Late) };
            }
            (Kind::DeferredAfterRelease | Kind::RangUp, _) => justified.only_before(Round::Late),
            (_, _) => {}
        }
    }
}

/// Which analyser's message a fault of one message strikes, and which of the donation's messages there.
pub(super) fn place(strike: Strike) -> (Duty, u32) {
    let duty = match strike.variant % 4 {
        0 => Duty::SerologyFirst,
        1 => Duty::Nat,
        2 => Duty::GroupingFirst,
        _ => Duty::Chemistry,
    };
    let nth = if duty == Duty::SerologyFirst { strike.variant / 4 % 4 } else { 0 };
    (duty, nth)
}

/// Whether a message that did not come is sent the next day.
pub(super) fn comes_later(strike: Strike) -> bool {
    !(strike.variant / 64).is_multiple_of(3)
}

/// Which analyser corrects.
pub(super) fn corrected_by(strike: Strike) -> Duty {
    if strike.variant.is_multiple_of(2) { Duty::Nat } else { Duty::SerologyFirst }
}

/// Before which analyser two barcodes were exchanged.
pub(super) fn swapped_at(strike: Strike) -> Duty {
    match strike.variant % 4 {
        0 => Duty::SerologyFirst,
        1 => Duty::Nat,
        2 => Duty::GroupingFirst,
        _ => Duty::SerologySecond,
    }
}

/// A group that is another one.
fn another(abo: AboGroup) -> AboGroup {
    match abo {
        AboGroup::O => AboGroup::B,
        AboGroup::A | AboGroup::AB => AboGroup::O,
        AboGroup::B => AboGroup::A,
    }
}

/// What two tubes that changed places do to the two donations.
pub(super) fn exchange(one: &mut Given, other: &mut Given, strike: Strike) {
    other.struck.push(strike.kind);
    let before = (one.clone(), other.clone());
    if strike.kind == Kind::WrongTube {
        let shows = contradicts(one, other) || contradicts(other, one);
        one.has_tube_of(&before.1, shows);
        other.has_tube_of(&before.0, shows);
    } else {
        one.has_results_of(&before.1, swapped_at(strike));
        other.has_results_of(&before.0, swapped_at(strike));
    }
}

/// Whether the tube's group is another than the register or the field has for the donor of the bag.
fn contradicts(bag: &Given, tube: &Given) -> bool {
    let donor = &bag.registration.donor;
    let (seen, history) = (tube.group(), donor.history.unwrap_or_default());
    let differs = |known: Option<AboGroup>| known.is_some() && known != seen.abo;
    differs(history.abo) || differs(donor.field_abo) || (history.rhd.is_some() && history.rhd != seen.rhd)
}

impl Given {
    /// Everything that is measured is of other blood.
    fn has_tube_of(&mut self, tube: &Self, shows: bool) {
        let mislabelled = self.group() != tube.group();
        if mislabelled {
            self.justified.never();
        }
        if !shows && (mislabelled || self.justified.from.is_none()) {
            self.undetectable = Some(
                "both tubes were of one group, or of neither donor a group was known: no result contradicts another",
            );
        }
    }

    /// What one analyser measures is of other blood.
    fn has_results_of(&mut self, tube: &Self, duty: Duty) {
        match duty {
            Duty::GroupingFirst | Duty::GroupingSecond => {
                if self.group() != tube.group() {
                    self.justified.never();
                }
            }
            Duty::SerologyFirst | Duty::SerologySecond | Duty::Nat | Duty::Chemistry => {
                let alone = self.truth.infection.is_some_and(|infection| infection.is_seen_only_by(duty));
                if alone {
                    self.undetectable = Some(
                        "only the analyser before which the tubes were exchanged sees this infection: no other test can contradict it",
                    );
                }
            }
        }
    }
}

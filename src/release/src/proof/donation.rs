//! The donation that a pack asks most of, in perfect order, and each of its tests in every state.

use crate::Moment;
use crate::evidence::{
    AltResult, Call, Donor, Evidence, Grades, Grouping, InternalControl, Lot, Meaning, NatKind, NatResult,
    Qc, Run, ScreenCall, ScreenResult, SerologyKind, SerologyResult, SerologySeries, Signature, Validity,
};
use crate::marker::{Nat, Sero};
use crate::nat::MULTIPLEX_TARGETS;
use crate::pack::{AntibodyScreen, Asked, RulePack, Strategy, What};
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, ToSpan};
use std::fmt;
use vocabulary::{DonationId, Grade, IdentifierError, Marker, RunId, Strength, Virus};

/// One test that the pack asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slot {
    Reagents(Marker),
    Target(Virus),
    Alt,
    Screen,
    Group,
}

impl Slot {
    /// Whether a bad result of it discards the unit; the others hold it for a person.
    pub(super) fn bad_is_discard(self) -> bool {
        match self {
            Self::Reagents(_) | Self::Target(_) | Self::Alt => true,
            Self::Screen | Self::Group => false,
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reagents(marker) => write!(f, "{marker}"),
            Self::Target(virus) => write!(f, "NAT {virus}"),
            Self::Alt => f.write_str("ALT"),
            Self::Screen => f.write_str("antibody screen"),
            Self::Group => f.write_str("blood group"),
        }
    }
}

/// What a test of the whole donation can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Good,
    Missing,
    Bad,
}

pub(super) struct Model<'a> {
    pack: &'a RulePack,
    good: Evidence,
}

fn id<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}

impl<'a> Model<'a> {
    /// A first-time donor with whatever the pack may ask for on that day, and all of it good.
    pub(super) fn new(pack: &'a RulePack, day: Date) -> Result<Self, IdentifierError> {
        let settings = pack.settings();
        let mut good = Evidence::new(DonationId::new("PROOF")?);
        let noon = day.at(12, 0, 0, 0).to_zoned(TimeZone::UTC);
        let at = noon.map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp());
        good.collected_at = Some(Moment::new(at, Offset::UTC));
        good.donor = Some(Donor {
            id: "D".into(),
            first_time: Some(true),
            deferred: Some(false),
            barred: None,
            post_donation: None,
            register: None,
            earlier: Vec::new(),
            later: Vec::new(),
            reentry: None,
            came_back: Vec::new(),
            sensitised: Some(true),
            history: None,
            field_abo: None,
        });
        // Exactly the limit passes.
        good.alt = vec![alt(&settings.alt.limit_u_l.value.to_string(), id("C1"))];
        good.antibody_screen = vec![screen(Some(ScreenCall::Negative))];
        let determinations = settings.group.first_time_determinations.value;
        let negative = settings.tests.ab_screen.value == AntibodyScreen::RhdNegative;
        good.grouping = (0..determinations).map(|n| grouping(negative, id(&format!("G{n}")))).collect();
        let grouped = (0..determinations).map(|n| format!("G{n}"));
        let runs = ["E1", "N1", "C1", "S1"].map(str::to_owned).into_iter().chain(grouped);
        good.runs = runs.filter_map(|name| id(&name)).map(|name| run(name, at)).collect();
        good.signatures = vec![signature(Meaning::Reviewed, "a"), signature(Meaning::Released, "b")];
        let mut model = Self { pack, good };
        model.good.serology = model
            .slots()
            .into_iter()
            .filter_map(|slot| match slot {
                Slot::Reagents(marker) => Some(marker),
                Slot::Target(_) | Slot::Alt | Slot::Screen | Slot::Group => None,
            })
            .flat_map(|marker| {
                (0..model.reagents_of(marker)).map(move |n| series(marker, n, Sero::NonReactive))
            })
            .collect();
        model.good.nat = model
            .slots()
            .into_iter()
            .filter_map(|slot| match slot {
                Slot::Target(virus) => Some(model.single(Some(virus), Call::NonReactive)),
                Slot::Reagents(_) | Slot::Alt | Slot::Screen | Slot::Group => None,
            })
            .collect();
        if !settings.tests.alt.value {
            model.good.alt.clear();
        }
        if settings.tests.ab_screen.value == AntibodyScreen::Off {
            model.good.antibody_screen.clear();
        }
        Ok(model)
    }

    /// A single test. Where the pack has limits of time, its sample kept them.
    fn single(&self, target: Option<Virus>, call: Call) -> NatResult {
        let nat = &self.pack.settings().nat;
        let at_once = |limit: bool| limit.then(|| id("0")).flatten();
        NatResult {
            stored_hours: at_once(nat.store_within_hours.is_some()),
            centrifuged_after_hours: at_once(nat.centrifuge_within_hours.is_some()),
            ..single(target, call)
        }
    }

    fn reagents_of(&self, marker: Marker) -> usize {
        let strategy = &self.pack.settings().strategy;
        [
            (Marker::HBsAg, strategy.hbv.value),
            (Marker::AntiHcv, strategy.hcv.value),
            (Marker::Hiv, strategy.hiv.value),
            (Marker::Syphilis, strategy.tp.value),
        ]
        .into_iter()
        .find(|(known, _)| *known == marker)
        .map_or(1, |(_, strategy)| strategy.reagents_min())
    }

    /// On which day it was given, where that says what is asked for.
    pub(super) fn collected(&self) -> String {
        let day = self.good.collected_at.filter(|_| !self.pack.settings().local.is_empty());
        day.map_or_else(String::new, |at| format!(", collected {}", at.day()))
    }

    /// Whether something is asked for of this donor on this day.
    pub(super) fn asks(&self, asked: &Asked<'_>) -> bool {
        asked.is_due(&self.good)
    }

    /// What the pack asks for of this donor on this day beside the markers with a strategy, each once.
    pub(super) fn asked(&self) -> Vec<What> {
        let due = self.pack.settings().asked().filter(|asked| asked.is_due(&self.good));
        let mut found = Vec::new();
        for asked in due {
            if !found.contains(&asked.what) {
                found.push(asked.what);
            }
        }
        found
    }

    /// Every test that the pack asks for of this donor.
    pub(super) fn slots(&self) -> Vec<Slot> {
        let settings = self.pack.settings();
        let (strategy, tests) = (&settings.strategy, &settings.tests);
        let asked = self.asked();
        let reagent = |what: &What| match what {
            What::Reagent(marker) => Some(Slot::Reagents(*marker)),
            What::Target(_) => None,
        };
        let target = |what: &What| match what {
            What::Target(virus) => Some(Slot::Target(*virus)),
            What::Reagent(_) => None,
        };
        let mut slots: Vec<Slot> =
            [Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis].map(Slot::Reagents).to_vec();
        slots.extend(asked.iter().filter_map(reagent));
        let by_virus: [(Virus, Strategy); 3] = [
            (Virus::Hbv, strategy.hbv.value),
            (Virus::Hcv, strategy.hcv.value),
            (Virus::Hiv, strategy.hiv.value),
        ];
        slots.extend(by_virus.into_iter().filter(|(_, s)| s.has_nat()).map(|(virus, _)| Slot::Target(virus)));
        slots.extend(asked.iter().filter_map(target));
        slots.extend(tests.alt.value.then_some(Slot::Alt));
        slots.extend((tests.ab_screen.value != AntibodyScreen::Off).then_some(Slot::Screen));
        slots.push(Slot::Group);
        slots
    }

    /// The good donation with one virus's inputs in these states.
    pub(super) fn with_virus(
        &self,
        virus: Virus,
        marker: Marker,
        a: Sero,
        b: Option<Sero>,
        nat: Nat,
    ) -> Evidence {
        Evidence { serology: self.with_reagents(marker, a, b).serology, ..self.with_target(virus, nat) }
    }

    /// The good donation with one target's NAT in this state.
    pub(super) fn with_target(&self, virus: Virus, nat: Nat) -> Evidence {
        let mut evidence = self.good.clone();
        evidence.nat.retain(|result| result.target != Some(virus));
        match nat {
            Nat::Reactive => evidence.nat.push(self.single(Some(virus), Call::Reactive)),
            Nat::NonReactive => evidence.nat.push(self.single(Some(virus), Call::NonReactive)),
            Nat::Invalid => evidence.nat.push(self.single(Some(virus), Call::Invalid)),
            Nat::Pending => evidence.nat.push(self.single(Some(virus), Call::Pending)),
            Nat::Missing => {}
            Nat::Unresolved => {
                let pool = NatResult {
                    kind: NatKind::Pool,
                    pool: Some("P".into()),
                    members: vec![evidence.donation.clone()],
                    targets: vec![virus],
                    target: None,
                    ..self.single(None, Call::Reactive)
                };
                evidence.nat.extend([pool, self.single(Some(virus), Call::NonReactive)]);
            }
            Nat::NotDiscriminated => {
                // A multiplex test that is reactive speaks of all three; the single targets then say no.
                evidence.nat.retain(|result| result.target.is_none_or(|v| !MULTIPLEX_TARGETS.contains(&v)));
                evidence.nat.push(self.single(None, Call::Reactive));
                evidence.nat.extend(MULTIPLEX_TARGETS.map(|target| NatResult {
                    kind: NatKind::Discriminatory,
                    ..self.single(Some(target), Call::NonReactive)
                }));
            }
        }
        evidence
    }

    /// The good donation with a marker's reagents in these states; an absent second one is not there at all.
    pub(super) fn with_reagents(&self, marker: Marker, a: Sero, b: Option<Sero>) -> Evidence {
        let mut evidence = self.good.clone();
        evidence.serology.retain(|known| known.marker != marker);
        evidence.serology.push(series(marker, 0, a));
        evidence.serology.extend(b.map(|b| series(marker, 1, b)));
        evidence
    }

    /// The good donation whose first reagent gave these wells.
    pub(super) fn with_wells(&self, first: Option<Call>, one: Option<Call>, two: Option<Call>) -> Evidence {
        let mut evidence = self.good.clone();
        if let Some(series) = evidence.serology.first_mut() {
            let first = first.map(|call| well(SerologyKind::Initial, call));
            let round = [one, two].into_iter().flatten().map(|call| well(SerologyKind::Duplicate, call));
            series.results = first.into_iter().chain(round).collect();
        }
        evidence
    }

    /// The good donation with each test in its state.
    pub(super) fn with_states(&self, slots: &[Slot], states: &[State]) -> Evidence {
        let mut evidence = self.good.clone();
        for (slot, state) in slots.iter().zip(states) {
            match (slot, state) {
                (_, State::Good) => {}
                (Slot::Reagents(marker), State::Missing) => evidence.serology.retain(|s| s.marker != *marker),
                (Slot::Reagents(marker), State::Bad) => {
                    let bad = series(*marker, 0, Sero::Reactive).results;
                    let own = evidence.serology.iter_mut().filter(|s| s.marker == *marker);
                    own.for_each(|s| s.results.clone_from(&bad));
                }
                (Slot::Target(virus), State::Missing) => evidence.nat.retain(|r| r.target != Some(*virus)),
                (Slot::Target(virus), State::Bad) => {
                    let own = evidence.nat.iter_mut().filter(|r| r.target == Some(*virus));
                    own.for_each(|r| r.result = Some(Call::Reactive));
                }
                (Slot::Alt, State::Missing) => evidence.alt.clear(),
                (Slot::Alt, State::Bad) => evidence.alt = vec![alt("999", id("C1")), alt("999", id("C1"))],
                (Slot::Screen, State::Missing) => evidence.antibody_screen.clear(),
                (Slot::Screen, State::Bad) => {
                    evidence.antibody_screen = vec![screen(Some(ScreenCall::Positive))];
                }
                (Slot::Group, State::Missing) => evidence.grouping.clear(),
                (Slot::Group, State::Bad) => {
                    evidence.grouping.iter_mut().for_each(|g| g.b_cells = Some(Grade::plain(Strength::Zero)));
                }
            }
        }
        evidence
    }
}

fn run(id: RunId, at: Timestamp) -> Run {
    let expires = Offset::UTC.to_datetime(at).date().checked_add(1.year()).ok();
    Run {
        validity: Some(Validity::Valid),
        qc: Some(Qc::InControl),
        lots: vec![Lot {
            role: None,
            name: None,
            lot: "L".into(),
            expires,
            used_on: None,
            accepted: Some(true),
            not_for: None,
            not_on: None,
            on_board_exceeded: None,
        }],
        tested_at: Some(Moment::new(at, Offset::UTC)),
        ..Run::new(id)
    }
}

fn signature(meaning: Meaning, by: &str) -> Signature {
    Signature { meaning, by: by.into(), at: None, authorised: None }
}

fn well(kind: SerologyKind, call: Call) -> SerologyResult {
    SerologyResult { interpretation: Some(call), run: id("E1"), ..SerologyResult::new(kind) }
}

/// A reagent in a state; one that is missing was ordered and has given nothing.
fn series(marker: Marker, number: usize, state: Sero) -> SerologySeries {
    let results = match state {
        Sero::Reactive => vec![
            well(SerologyKind::Initial, Call::Reactive),
            well(SerologyKind::Duplicate, Call::Reactive),
            well(SerologyKind::Duplicate, Call::NonReactive),
        ],
        Sero::NonReactive => vec![well(SerologyKind::Initial, Call::NonReactive)],
        Sero::Invalid => vec![well(SerologyKind::Initial, Call::Invalid)],
        Sero::Pending => vec![well(SerologyKind::Initial, Call::Pending)],
        Sero::Missing => Vec::new(),
    };
    let name = format!("reagent {number}");
    SerologySeries { marker, maker: Some(format!("maker {number}")), reagent: name, direction: None, results }
}

fn single(target: Option<Virus>, call: Call) -> NatResult {
    NatResult {
        kind: NatKind::Individual,
        pool: None,
        members: Vec::new(),
        pool_size: None,
        pooling_log: None,
        pool_members: Vec::new(),
        pipetting: Vec::new(),
        target_ct: None,
        stored_hours: None,
        store_within_hours: None,
        result: Some(call),
        targets: Vec::new(),
        target,
        internal_control: Some(InternalControl::Valid),
        internal_control_ct: None,
        centrifuged_after_hours: None,
        centrifuge_within_hours: None,
        validity: None,
        why: None,
        run: id("N1"),
    }
}

fn alt(u_per_l: &str, run: Option<RunId>) -> AltResult {
    AltResult { u_per_l: id(u_per_l), validity: None, why: None, run }
}

fn screen(result: Option<ScreenCall>) -> ScreenResult {
    ScreenResult { result, validity: None, why: None, run: id("S1") }
}

fn grouping(negative: bool, run: Option<RunId>) -> Grouping {
    let plain = |strength: Strength| Some(Grade::plain(strength));
    let zero = Grade::plain(Strength::Zero);
    let four = Grade::plain(Strength::Four);
    Grouping {
        anti_a: plain(Strength::Four),
        anti_b: plain(Strength::Zero),
        a1_cells: plain(Strength::Zero),
        b_cells: plain(Strength::Four),
        control: plain(Strength::Zero),
        anti_d: Some(Grades(vec![if negative { zero } else { four }])),
        iat_d: negative.then(|| Grades(vec![zero; 8])),
        run,
        ..Grouping::default()
    }
}

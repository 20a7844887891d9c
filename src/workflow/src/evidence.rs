//! From what is known of a donation to the evidence a rule pack judges. Pure.
//!
//! Nothing is made better here: what does not fit the shape of evidence becomes an invalid or pending result with
//! its reason, never a missing one.

mod grouping;
mod runs;

use crate::{
    Settings, components,
    cut::{Cut, Cuts},
    donors,
    facts::{DonationFacts, Fact, LotRegister},
    falls::Falls,
    measurement::{By, Disputed, is_ratio, measurements},
    pools::{hours_between, pooled},
    signing,
};
pub(crate) use grouping::Determination;
use grouping::groupings;
use release::pack::{AntibodyScreen, ExternalControl};
use release::{
    Evidence, Exact, Moment, Reading,
    evidence::{
        AltResult, Call, Direction, Donor, InternalControl, Lot, NatKind, NatResult, Neighbour, OpenFinding,
        Qc, ScreenCall, ScreenResult, SerologyKind, SerologyResult, SerologySeries, SettledResult, Validity,
    },
};
pub(crate) use runs::runs;
use runs::{analyser, judged, reagent_lots};
use std::collections::BTreeMap;
use vocabulary::{DonationId, Interpretation, Marker, MarkerKind, Observation, ResultStatus, RunId};

/// Markers that every reagent of the laboratory has to have spoken for.
const SEROLOGY: [Marker; 4] = [Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis];

/// Builds the evidence of one donation, with the signatures that hold for it.
#[must_use]
pub fn evidence(facts: &DonationFacts, settings: &Settings) -> Evidence {
    signing::with_signatures(known(facts, settings), facts, settings)
}

/// What is known of a donation, before any signature.
#[must_use]
pub(crate) fn known(facts: &DonationFacts, settings: &Settings) -> Evidence {
    known_with_used(facts, settings).0
}

/// The same, and the results that it was made of.
pub(crate) fn known_with_used<'f>(
    facts: &'f DonationFacts,
    settings: &Settings,
) -> (Evidence, Vec<&'f Fact>) {
    let mut evidence = Evidence::new(facts.donation.clone());
    if let Some(registration) = &facts.registration {
        evidence.collected_at = Some(Moment::new(registration.collected_at, facts.offset));
        evidence.donor = registration.donor.named().cloned().map(Donor::from);
    }
    let cuts = Cuts::of(settings);
    let measured = measurements(&facts.observations, By { cuts, runs: &facts.runs }, facts.donor.words(None));
    let used: Vec<&Fact> = measured.used.iter().map(|one| one.fact).collect();
    let falls = Falls { runs: &facts.runs, keep_reactive: keeps_reactive(settings), cuts };
    evidence.serology = serology(&used, falls, &settings.lots);
    facts.donor.accept_duplicates(&mut evidence.serology, &used);
    expect_reagents(&mut evidence.serology, settings.reagents_per_marker);
    let sample = Sample::of(facts.registration.as_ref());
    evidence.nat = nucleic(&used, sample, settings);
    let pooled = pooled(facts, settings, (&used, &evidence.nat));
    evidence.nat.extend(pooled.nat);
    evidence.alt = of_kind(&used, MarkerKind::Chemistry).map(alt).collect();
    if settings.pack.settings().tests.ab_screen.value != AntibodyScreen::Off {
        evidence.antibody_screen = of_kind(&used, MarkerKind::Screening).map(screen).collect();
    }
    evidence.grouping = facts.donor.settled(groupings(&measured.used));
    let with_pools: Vec<&Fact> = used.iter().chain(&pooled.used).copied().collect();
    evidence.runs = runs(&with_pools, &facts.runs, (&settings.lots, &settings.pack.settings().fitness));
    if with_pools.iter().any(|fact| fact.lot_expired) {
        for run in &mut evidence.runs {
            let first = run.tested_at.map(Moment::day);
            let id = &run.id;
            run.lots.retain(|lot| {
                let lot = Lot { used_on: lot.used_on.or(first), ..lot.clone() };
                !is_done_again((id, &lot), &with_pools, &settings.lots, cuts)
            });
        }
    }
    // What a person settled is among the donor's facts.
    let is_settled =
        |one: &DonationId| facts.donor.neighbours.iter().any(|n| n.donation == *one && n.settled);
    let beside = facts.beside.iter().filter(|s| !is_settled(&s.donation));
    let beside = beside.map(|s| Neighbour { donation: s.donation.clone(), settled: s.settled });
    evidence.neighbours = beside.collect();
    evidence.findings = facts
        .findings
        .iter()
        .map(|f| OpenFinding { finding: f.finding.clone(), what: format!("{} ({})", f.what, f.place) })
        .collect();
    evidence.findings.extend(measured.findings().cloned());
    evidence.settled = measured.disputed.iter().filter_map(|one| settled(one, facts.offset)).collect();
    evidence.findings.extend(pooled.findings);
    evidence.settled.extend(pooled.settled);
    evidence.findings.extend(falls.findings(&with_pools));
    evidence.findings.extend(used.iter().filter_map(|fact| other_cutoff(fact)));
    evidence.findings.extend(facts.alike.iter().map(|other| cut_number(&facts.donation, other)));
    evidence.findings.extend(two_scans(&facts.scans));
    evidence.findings.extend(used.iter().filter_map(|fact| not_consumed(&fact.observation)));
    evidence.findings.extend(with_pools.iter().filter_map(|fact| before_collection(fact, sample.collected?)));
    evidence.identity = donors::identity(facts);
    facts.donor.fill(&mut evidence);
    components::fill(&mut evidence, &facts.components);
    signing::held_by_people(&mut evidence, &facts.people);
    (evidence, used)
}

/// The determinations of a donation's blood group, each with what names it.
pub(crate) fn determinations(facts: &DonationFacts, settings: &Settings) -> Vec<Determination> {
    let by = By { cuts: Cuts::of(settings), runs: &facts.runs };
    groupings(&measurements(&facts.observations, by, facts.donor.words(None)).used)
}

/// What two people said of a result's versions, where one stands by it.
pub(crate) fn settled(one: &Disputed<'_>, offset: jiff::tz::Offset) -> Option<SettledResult> {
    one.told(offset).map(|told| SettledResult { what: told.en, what_zh: told.zh })
}

pub(crate) fn open(finding: &str, what: String) -> OpenFinding {
    OpenFinding { finding: finding.to_owned(), what }
}

/// One of two numbers may be the other, cut off by a reader: nothing is matched, and both wait for a person.
fn cut_number(donation: &DonationId, other: &DonationId) -> OpenFinding {
    let what = format!(
        "donation {donation} and donation {other}: one number begins the other, and a reader may have cut it; compare \
         the labels of both tubes, and the id length that each analyser keeps"
    );
    open("donation_numbers_alike", what)
}

/// The reader judged by another cut-off than the plate's controls give: somebody has to set one of the two right.
fn other_cutoff(fact: &Fact) -> Option<OpenFinding> {
    let word = fact.kit.as_ref()?;
    let (sent, own) = (word.differs?, word.cutoff.map_or_else(|| "?".to_owned(), |own| own.to_string()));
    let assay = &fact.observation.assay;
    let what = format!(
        "{assay}: the reader judges by the cut-off {sent}, the plate's controls and the kit give another; judged by {own}; \
         set the reader's formula, or the kit, right and repeat"
    );
    Some(open("cutoff_of_the_kit_differs", what))
}

fn two_scans(scans: &[String]) -> Option<OpenFinding> {
    (scans.len() > 1).then(|| {
        let what = format!(
            "its results came under different scans ({}), where the site's form allows one; compare the tubes",
            scans.join(", ")
        );
        open("scans_differ", what)
    })
}

/// Kinds of results that no part of the evidence takes: only a usable negative one may be passed over.
fn not_consumed(observation: &Observation) -> Option<OpenFinding> {
    match observation.marker.kind() {
        MarkerKind::Serology | MarkerKind::Nat | MarkerKind::Chemistry | MarkerKind::Grouping => None,
        MarkerKind::Screening => {
            let negative = observation.value.interpretation == Some(Interpretation::Negative);
            let usable = unusable(observation).is_none();
            (!negative || !usable).then(|| {
                let what = format!(
                    "{} is not a usable negative ({:?}); refer it",
                    observation.assay, observation.value.raw
                );
                open("antibody_screen", what)
            })
        }
    }
}

/// A result that is older than the blood is another tube's, or of a clock that cannot be believed.
fn before_collection(fact: &Fact, collected: jiff::Timestamp) -> Option<OpenFinding> {
    let tested = fact.tested_at?;
    (tested.at() < collected).then(|| {
        let o = &fact.observation;
        open(
            "tested_before_collection",
            format!("{} was finished at {tested}, before the donation was taken", o.assay),
        )
    })
}

fn of_kind<'a>(facts: &'a [&'a Fact], kind: MarkerKind) -> impl Iterator<Item = &'a Fact> {
    facts.iter().copied().filter(move |f| f.observation.marker.kind() == kind)
}

/// Why a result of this status cannot be used; preliminary ones are simply not there yet.
pub(crate) fn unusable(observation: &Observation) -> Option<(Validity, &'static str)> {
    match observation.status {
        ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => None,
        ResultStatus::Preliminary => Some((Validity::Open, "the analyser says preliminary")),
        ResultStatus::Other => {
            Some((Validity::Open, "the analyser says that another run is the one to report"))
        }
        ResultStatus::NotObtained => Some((Validity::Invalid, "the analyser obtained no result")),
    }
}

pub(crate) fn reading(observation: &Observation) -> Option<Reading> {
    let number = observation.value.number?;
    Reading::new(observation.value.comparator, number).ok()
}

/// What an infectious-marker result says, where its meaning is one of a screening test.
fn call(observation: &Observation) -> Option<Call> {
    Some(match observation.value.interpretation? {
        Interpretation::Reactive => Call::Reactive,
        Interpretation::NonReactive => Call::NonReactive,
        Interpretation::GreyZone => Call::GreyZone,
        Interpretation::Indeterminate => Call::Indeterminate,
        Interpretation::Invalid => Call::Invalid,
        Interpretation::Valid
        | Interpretation::Positive
        | Interpretation::Negative
        | Interpretation::A
        | Interpretation::B
        | Interpretation::AB
        | Interpretation::O => return None,
    })
}

/// Whether the pack keeps reactive results of a run whose laboratory controls are out.
fn keeps_reactive(settings: &Settings) -> bool {
    match settings.pack.settings().invalid.external_control.value {
        ExternalControl::AllInvalid => false,
        ExternalControl::KeepReactive => true,
    }
}

/// An expired reagent loses sensitivity: what it did not find is done again. What it did find stays.
fn falls_by_lot(fact: &Fact, result: &SerologyResult, cut: Cut) -> bool {
    fact.lot_expired && result.validity.is_none() && !cut.looks_reactive(result, cut.from(result.kind))
}

/// Whether nothing of a run rests on a lot any more: whatever was made with it fell with it, and was done again in the same
/// run with another.
fn is_done_again((run, lot): (&RunId, &Lot), facts: &[&Fact], lots: &LotRegister, cuts: Cuts<'_>) -> bool {
    let made_with = |fact: &&&Fact| {
        fact.run() == Some(run)
            && lots
                .of(&fact.observation, &fact.connection)
                .any(|one| judged((one, &fact.observation.assay), fact, lots) == *lot)
    };
    let mut made = facts.iter().enumerate().filter(|(_, fact)| made_with(fact)).peekable();
    made.peek().is_some()
        && made.all(|(at, fact)| {
            let (o, cut) = (&fact.observation, cuts.cut(fact));
            let fell = o.marker.kind() == MarkerKind::Serology
                && falls_by_lot(fact, &well(fact, SerologyKind::Initial), cut)
                && falls_by_lot(fact, &well(fact, SerologyKind::Duplicate), cut);
            let again = |later: &&Fact| {
                later.run() == Some(run) && later.observation.assay == o.assay && !later.lot_expired
            };
            fell && facts.iter().skip(at + 1).any(again)
        })
}

/// A laboratory with two reagents a marker waits for both: one that has sent nothing yet is a series without results.
fn expect_reagents(serology: &mut Vec<SerologySeries>, reagents: usize) {
    for marker in SEROLOGY {
        let have = serology.iter().filter(|series| series.marker == marker).count();
        serology.extend((have..reagents).map(|at| SerologySeries {
            marker,
            reagent: format!("{marker}, reagent {} of {reagents}", at + 1),
            maker: None,
            direction: None,
            results: Vec::new(),
        }));
    }
}

fn serology(facts: &[&Fact], falls: Falls<'_>, lots: &LotRegister) -> Vec<SerologySeries> {
    let mut series: BTreeMap<(Marker, &str), (String, Vec<&Fact>)> = BTreeMap::new();
    for fact in of_kind(facts, MarkerKind::Serology) {
        let key = (fact.observation.marker, fact.observation.assay.as_str());
        series.entry(key).or_insert_with(|| (fact.maker(), Vec::new())).1.push(fact);
    }
    series
        .into_iter()
        .map(|((marker, assay), (maker, facts))| SerologySeries {
            marker,
            reagent: assay.to_owned(),
            maker: Some(maker),
            direction: facts.iter().any(|fact| fact.is_competitive()).then_some(Direction::Competitive),
            results: wells(&facts, falls, lots),
        })
        .collect()
}

/// Results of one reagent in the order they came; what follows a usable reactive one is the duplicate round.
fn wells(facts: &[&Fact], falls: Falls<'_>, lots: &LotRegister) -> Vec<SerologyResult> {
    let Falls { runs, keep_reactive, cuts } = falls;
    let mut duplicates_due = false;
    facts
        .iter()
        .zip(falls.unanswering(facts))
        .map(|(fact, unanswering)| {
            let kind = if duplicates_due { SerologyKind::Duplicate } else { SerologyKind::Initial };
            let (mut result, cut) = (well(fact, kind), cuts.cut(fact));
            // It holds nothing once it is done again (R-GATE-06).
            if falls_by_lot(fact, &result, cut) {
                result.validity = Some(Validity::Invalid);
                result.why = Some("a lot that it was made with had expired".to_owned());
            }
            if let (None, Some(why)) = (result.validity, unanswering) {
                (result.validity, result.why) = (Some(Validity::Invalid), Some(why));
            }
            // A run that is out of control by the laboratory's controls keeps no result that a duplicate could answer, but
            // where the pack keeps the reactive ones.
            let run = fact.run().and_then(|run| runs.get(run));
            (result.lots, result.analyser) = (Some(reagent_lots(fact, run, lots)), Some(analyser(fact)));
            let run_valid = run.is_some_and(|run| {
                run.validity == Validity::Valid && (run.qc != Qc::OutOfControl || keep_reactive)
            });
            let usable = run_valid && result.validity.is_none();
            duplicates_due |= usable && cut.asks_for_duplicate(&result);
            result
        })
        .collect()
}

pub(crate) fn well(fact: &Fact, kind: SerologyKind) -> SerologyResult {
    let observation = &fact.observation;
    let value = &observation.value;
    let word = fact.kit.as_ref();
    let od = value.od.and_then(|od| Reading::new(value.comparator, od).ok());
    let cutoff = word.and_then(|kit| kit.cutoff).or(value.cutoff).and_then(|c| Exact::new(c).ok());
    // One without the other says nothing.
    let (od, cutoff) = od.zip(cutoff).unzip();
    let sco = if od.is_none() && is_ratio(value.unit.as_deref()) { reading(observation) } else { None };
    let interpretation = call(observation);
    let nothing = od.is_none() && sco.is_none() && interpretation.is_none();
    let by_kit = word.and_then(|kit| kit.invalid.as_ref());
    let wrong = unusable(observation).or_else(|| {
        nothing.then_some((Validity::Invalid, "neither a signal over cut-off nor an interpretation was sent"))
    });
    SerologyResult {
        kind,
        od,
        cutoff,
        sco,
        interpretation,
        validity: wrong.map(|(validity, _)| validity).or_else(|| by_kit.map(|_| Validity::Invalid)),
        why: wrong
            .map(|(_, why)| why.to_owned())
            .or_else(|| by_kit.map(|told| told.en.clone()))
            .or_else(|| flags(observation)),
        run: fact.run().cloned(),
        lots: None,
        analyser: None,
        override_reason: None,
    }
}

fn flags(observation: &Observation) -> Option<String> {
    (!observation.flags.is_empty()).then(|| format!("flags: {}", observation.flags.join(" ")))
}

/// One result a target: what one target says is never read as an answer of another.
pub(crate) fn nucleic(facts: &[&Fact], sample: Sample, settings: &Settings) -> Vec<NatResult> {
    of_kind(facts, MarkerKind::Nat).map(|fact| sample.aged(individual(fact), fact, settings)).collect()
}

/// What is known of a sample's age (R-NAT-07).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sample {
    /// When the blood was taken.
    pub(crate) collected: Option<jiff::Timestamp>,
    /// When it was centrifuged.
    pub(crate) centrifuged: Option<jiff::Timestamp>,
}

impl Sample {
    pub(crate) fn of(registration: Option<&vocabulary::DonationRegistration>) -> Self {
        Self {
            collected: registration.map(|known| known.collected_at),
            centrifuged: registration.and_then(|known| known.centrifuged_at),
        }
    }

    /// The result with the hours that the pack has limits for: from collection to the test, since the sample was stored no
    /// longer, and to centrifugation.
    pub(crate) fn aged(self, result: NatResult, fact: &Fact, settings: &Settings) -> NatResult {
        let limits = &settings.pack.settings().nat;
        let hours = |to: Option<jiff::Timestamp>| {
            // Times that contradict each other are not known.
            let (from, to) = (self.collected?, to.filter(|to| Some(*to) >= self.collected)?);
            Reading::new(None, hours_between(from, to).round_dp(3)).ok()
        };
        let tested = fact.tested_at.map(Moment::at);
        NatResult {
            stored_hours: limits.store_within_hours.as_ref().and_then(|_| hours(tested)),
            centrifuged_after_hours: limits
                .centrifuge_within_hours
                .as_ref()
                .and_then(|_| hours(self.centrifuged)),
            ..result
        }
    }
}

/// Whether it tells targets apart after a reactive multiplex test: what it does not find screens nothing.
pub(crate) fn is_discriminatory(observation: &Observation) -> bool {
    observation.discriminates && observation.marker.virus().is_some()
}

pub(crate) fn individual(fact: &Fact) -> NatResult {
    let observation = &fact.observation;
    let wrong = unusable(observation);
    let result = match wrong {
        None => call(observation).unwrap_or(Call::Invalid),
        Some((Validity::Open, _)) => Call::Pending,
        Some((Validity::Valid | Validity::Invalid, _)) => Call::Invalid,
    };
    NatResult {
        kind: if is_discriminatory(observation) { NatKind::Discriminatory } else { NatKind::Individual },
        pool: None,
        members: Vec::new(),
        pool_size: None,
        pooling_log: None,
        pool_members: Vec::new(),
        pipetting: Vec::new(),
        result: Some(result),
        target_ct: if result == Call::Reactive && observation.value.unit.as_deref() == Some("Ct") {
            reading(observation)
        } else {
            None
        },
        targets: Vec::new(),
        target: observation.marker.virus(),
        // The analyser judges its internal control itself: it gives no valid non-reactive result without it.
        internal_control: (result == Call::NonReactive).then_some(InternalControl::Valid),
        internal_control_ct: None,
        centrifuged_after_hours: None,
        centrifuge_within_hours: None,
        stored_hours: None,
        store_within_hours: None,
        validity: None,
        why: wrong.map(|(_, why)| why.to_owned()).or_else(|| flags(observation)),
        run: fact.run().cloned(),
    }
}

/// The unit of ALT.
pub(crate) const ACTIVITY: &str = "U/L";

fn alt(fact: &Fact) -> AltResult {
    let observation = &fact.observation;
    let in_units = observation.value.unit.as_deref() == Some(ACTIVITY);
    let wrong = unusable(observation)
        .or_else(|| {
            (call(observation) == Some(Call::Invalid))
                .then_some((Validity::Invalid, "the analyser says invalid"))
        })
        .or_else(|| (!in_units).then_some((Validity::Invalid, "the unit is not U/L")))
        .or_else(|| reading(observation).is_none().then_some((Validity::Invalid, "there is no number")));
    AltResult {
        u_per_l: if in_units { reading(observation) } else { None },
        validity: wrong.map(|(validity, _)| validity),
        why: wrong.map(|(_, why)| why.to_owned()),
        run: fact.run().cloned(),
    }
}

/// Anything but a plain positive or negative is no result.
fn screen(fact: &Fact) -> ScreenResult {
    let observation = &fact.observation;
    let wrong = unusable(observation);
    let result = match observation.value.interpretation {
        Some(Interpretation::Negative | Interpretation::NonReactive) => ScreenCall::Negative,
        Some(Interpretation::Positive | Interpretation::Reactive) => ScreenCall::Positive,
        Some(
            Interpretation::GreyZone
            | Interpretation::Indeterminate
            | Interpretation::Invalid
            | Interpretation::Valid
            | Interpretation::A
            | Interpretation::B
            | Interpretation::AB
            | Interpretation::O,
        )
        | None => ScreenCall::Invalid,
    };
    ScreenResult {
        result: Some(result),
        validity: wrong.map(|(validity, _)| validity),
        why: wrong.map(|(_, why)| why.to_owned()),
        run: fact.run().cloned(),
    }
}

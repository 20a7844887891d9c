//! What stands for the results of a run: the kit of their assay, or where there is none the profile's controls.
//!
//! ```text
//!  results of a donation ── by run ──► kit of the assay on that day?
//!     [plate]  the plate's control wells, by formula          ─┐
//!     [batch]  the batch's controls, each target               ├─► validity and quality control of the run
//!     [cells]  known samples before and after, each reagent   ─┘   (a donation grouped again: RUN@#MESSAGE each)
//!     [window] controls before and after ─► a run of its own a window: RUN@TIME OF THE LAST CONTROL
//!     none     every control of the run passed, until the run ends (`profile`)
//! ```
//!
//! Controls of a plate, a batch, or a run that the profile judges are those that lie near the result: a number is used again
//! (`occurrence`).
//!
//! Nothing here depends on the order in which messages came: it is asked anew whenever a control or a result comes.

mod batch;
mod coated;
mod determinations;
mod known;
mod now;
mod occurrence;
mod plate;
mod profile;
mod spans;
mod window;

pub(crate) use known::{Known, recall};
pub use now::{DependsNow, RunNow, WindowNow, run_now};
pub use spans::spans_of;

use crate::Settings;
use crate::facts::{AssayLot, Fact, KitWord, RunCheck, RunFacts, Told};
use crate::falls::Fall;
use coated::Coated;
use determinations::{Parts, Row};
use jiff::tz::TimeZone;
use known::Interface;
use ledger::{EvidenceObservation, ReadError, Reader, RunCause, RunInvalidation};
use occurrence::{Controls, Occurrence};
use quality_control::kits::{Found, KitFile, KitRules, RUN_HOURS};
use release::evidence::{Qc, Validity};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vocabulary::{MarkerKind, Observation, ResultStatus, RunId};

/// What one kit, or the profile, says of some results.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    validity: Validity,
    why: Option<Told>,
    qc: Qc,
    qc_why: Option<Told>,
    kits: BTreeSet<String>,
    checks: Vec<RunCheck>,
    lots: Vec<AssayLot>,
    falls: Vec<Fall>,
}

impl Outcome {
    fn valid() -> Self {
        Self {
            validity: Validity::Valid,
            why: None,
            qc: Qc::InControl,
            qc_why: None,
            kits: BTreeSet::new(),
            checks: Vec::new(),
            lots: Vec::new(),
            falls: Vec::new(),
        }
    }

    /// Controls are missing: nothing may be concluded yet.
    fn open(why: Told) -> Self {
        Self {
            validity: Validity::Open,
            qc: Qc::Open,
            qc_why: Some(why.clone()),
            why: Some(why),
            ..Self::valid()
        }
    }

    /// The run has no results: they are repeated.
    fn invalid(why: Told) -> Self {
        Self {
            validity: Validity::Invalid,
            qc: Qc::OutOfControl,
            qc_why: Some(why.clone()),
            why: Some(why),
            ..Self::valid()
        }
    }

    /// The maker's controls hold, the laboratory's do not: the pack says which results fall (rules.md §2.5).
    fn out_of_control(why: Told) -> Self {
        Self { qc: Qc::OutOfControl, qc_why: Some(why), ..Self::valid() }
    }

    /// The maker's controls hold, and nobody can say so of the laboratory's.
    fn qc_open(why: Told) -> Self {
        Self { qc: Qc::Open, qc_why: Some(why), ..Self::valid() }
    }

    fn by(mut self, kit: &KitFile) -> Self {
        self.kits.insert(kit.reference());
        self
    }

    /// Nothing stands against its results.
    fn is_good(&self) -> bool {
        self.validity == Validity::Valid && self.qc == Qc::InControl
    }

    /// With the reason that lies behind those that it has.
    fn because(mut self, told: &Told) -> Self {
        let behind = |why: Told| told.clone().and(&why);
        (self.why, self.qc_why) = (self.why.map(behind), self.qc_why.map(behind));
        self
    }

    /// Both: the worse of each, and why.
    fn and(mut self, other: Self) -> Self {
        self.why = Told::joined(self.why, other.why);
        self.qc_why = Told::joined(self.qc_why, other.qc_why);
        self.validity = worse(self.validity, other.validity);
        self.qc = worse_qc(self.qc, other.qc);
        self.kits.extend(other.kits);
        for check in other.checks {
            if !self.checks.contains(&check) {
                self.checks.push(check);
            }
        }
        self.lots.extend(other.lots);
        self.falls.extend(other.falls);
        self
    }

    /// Both, where there are two.
    fn both(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        match (one, other) {
            (Some(one), Some(other)) => Some(one.and(other)),
            (one, other) => one.or(other),
        }
    }

    fn facts(mut self) -> RunFacts {
        self.lots.sort_unstable();
        self.lots.dedup();
        self.falls.sort_unstable();
        self.falls.dedup();
        RunFacts {
            why: self.why,
            qc_why: self.qc_why,
            lots: self.lots,
            kits: self.kits.into_iter().collect(),
            checks: self.checks,
            falls: self.falls,
            ..RunFacts::new(self.validity, self.qc)
        }
    }
}

fn worse(one: Validity, other: Validity) -> Validity {
    match (one, other) {
        (Validity::Invalid, _) | (_, Validity::Invalid) => Validity::Invalid,
        (Validity::Open, _) | (_, Validity::Open) => Validity::Open,
        (Validity::Valid, Validity::Valid) => Validity::Valid,
    }
}

fn worse_qc(one: Qc, other: Qc) -> Qc {
    match (one, other) {
        (Qc::OutOfControl, _) | (_, Qc::OutOfControl) => Qc::OutOfControl,
        (Qc::Open, _) | (_, Qc::Open) => Qc::Open,
        (Qc::Released, _) | (_, Qc::Released) => Qc::Released,
        (Qc::InControl, Qc::InControl) => Qc::InControl,
    }
}

/// Says what stands for each run that the facts name, and for each window of controls that they lie in.
pub(crate) fn stand<'f>(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    facts: impl IntoIterator<Item = &'f mut Fact>,
) -> Result<BTreeMap<RunId, RunFacts>, ReadError> {
    let mut by_run: BTreeMap<RunId, Vec<&mut Fact>> = BTreeMap::new();
    for fact in facts {
        if let Some(run) = &fact.observation.run {
            by_run.entry(run.clone()).or_default().push(fact);
        }
    }
    let mut found: BTreeMap<RunId, Outcome> = BTreeMap::new();
    let mut interfaces: BTreeMap<RunId, Interface> = BTreeMap::new();
    for (run, facts) in by_run {
        let interface = known.interface(reader, &run, &settings.time_zone)?;
        for (id, outcome) in of_run(settings, (reader, known), &run, facts)? {
            let known = interfaces.remove(&id).unwrap_or_default();
            interfaces.insert(id.clone(), known.joined(interface.clone()));
            let outcome = Outcome::both(found.remove(&id), Some(outcome));
            found.extend(outcome.map(|outcome| (id, outcome)));
        }
    }
    let mut all = BTreeMap::new();
    for (id, outcome) in found {
        // A run that a person declared invalid is; so is every window in it.
        let outcome = match known.declared(reader, &id)? {
            Some(said) => {
                // What its own controls took fell without anybody's word.
                let fell = outcome.validity == Validity::Invalid && outcome.falls.is_empty();
                let declared = declared(&said).and(outcome);
                if fell { Outcome { falls: Vec::new(), ..declared } } else { declared }
            }
            None => outcome,
        };
        let facts = outcome.facts();
        let Interface { open, acknowledged } = interfaces.remove(&id).unwrap_or_default();
        all.insert(id, RunFacts { interface: open, acknowledged, ..facts });
    }
    Ok(all)
}

/// What a person's word makes of a run. Where it is for the laboratory's own controls the pack says which results fall.
fn declared(said: &RunInvalidation) -> Outcome {
    let RunInvalidation { run, done, reason, .. } = said;
    let (by, entry) = (&done.by, done.entry);
    let told = Told::new(
        format!(
            "run {run} was declared invalid by {by} (entry {entry}: {reason}); test the samples again in a new run"
        ),
        format!("批次 {run} 已由 {by} 判定无效（记录 {entry}：{reason}）；标本在新批次中重做"),
    );
    let outcome = match said.cause {
        RunCause::ExternalControl => Outcome::out_of_control(told),
        RunCause::KitControl | RunCause::LotDefective | RunCause::Equipment | RunCause::Other => {
            Outcome::invalid(told)
        }
    };
    Outcome { falls: vec![Fall::from(said)], ..outcome }
}

/// A run, or a window in one, and what stands for it.
type Standing = (RunId, Outcome);

fn of_run(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    run: &RunId,
    facts: Vec<&mut Fact>,
) -> Result<Vec<Standing>, ReadError> {
    let controls = known.controls(reader, run, &settings.time_zone)?;
    let coated = Coated::of(&facts);
    let by_kit = split(settings, (reader, known), run, facts)?;
    let mut windows: Vec<Standing> = Vec::new();
    let mut whole = Whole { results: !by_kit.without.is_empty(), ..Whole::default() };
    let covered: BTreeSet<&str> =
        by_kit.kits.values().flat_map(|(kit, _)| kit.assays.iter().map(String::as_str)).collect();
    let zone = &settings.time_zone;
    let grouping = |fact: &&mut Fact| fact.observation.marker.kind() == MarkerKind::Grouping;
    let mut rows: Vec<Row<'_>> = Vec::new();
    for occurrence in controls.occurrences(RUN_HOURS, by_kit.without) {
        whole.take_by_profile((settings, reader), &controls, &covered, &occurrence)?;
        for fact in occurrence.facts.into_iter().filter(grouping) {
            let outcome = window::fallen_row((reader, known), (run, fact))?;
            rows.push(Row { fact, outcome });
        }
    }
    let mut has_cells = false;
    for outcome in by_kit.not_in_force {
        whole.take(outcome);
    }
    for (kit, mut facts) in by_kit.kits.into_values() {
        match &kit.rules {
            KitRules::Plate(_) | KitRules::Batch(_) => {
                whole.take_by_wells((run, known), (&controls, zone), &kit, facts);
            }
            KitRules::Cells(rules) => {
                has_cells |= !facts.is_empty();
                for Occurrence { own, facts, .. } in controls.occurrences(kit.run_hours, facts) {
                    whole.made_with(&controls.of(&own));
                    for fact in facts {
                        let outcome = window::cells(settings, (reader, known), &kit, rules, (run, fact))?;
                        let outcome = Outcome::both(outcome, coated.outcome(&kit, rules, fact));
                        rows.push(Row { fact, outcome });
                    }
                }
            }
            KitRules::Window(rules) => {
                for fact in &mut facts {
                    let (id, outcome) = window::assess(settings, (reader, known), &kit, rules, (run, fact))?;
                    fact.window = Some(id.clone());
                    windows.push((id, outcome));
                }
            }
        }
    }
    if has_cells {
        match determinations::parts(run, rows, whole.outcome.as_ref()) {
            Parts::Whole(outcomes) => {
                whole.results = true;
                for outcome in outcomes {
                    whole.take(outcome);
                }
            }
            Parts::Each(parts) => {
                windows.extend(parts.into_iter().map(|(id, outcome)| (id, whole.with_lots(outcome))));
            }
        }
    } else {
        // What fell as a part of the run falls where it is the whole of it, too.
        for outcome in rows.into_iter().filter_map(|row| row.outcome) {
            whole.take(outcome);
        }
    }
    windows.extend(whole.ended().map(|outcome| (run.clone(), outcome)));
    Ok(windows)
}

/// What stands for the results of a run that lie in no window of it.
#[derive(Default)]
struct Whole {
    outcome: Option<Outcome>,
    /// There are such results.
    results: bool,
    /// What the controls near its results were made with.
    lots: BTreeSet<AssayLot>,
}

impl Whole {
    fn take(&mut self, outcome: Outcome) {
        self.outcome = Outcome::both(self.outcome.take(), Some(outcome));
    }

    fn made_with(&mut self, controls: &[&EvidenceObservation]) {
        self.lots.extend(controls.iter().flat_map(|c| AssayLot::of(&c.observation)));
    }

    /// What the wells of a plate or a batch come to, with which the results of one kit stand.
    fn take_by_wells(
        &mut self,
        (run, known): (&RunId, &mut Known),
        (controls, zone): (&Controls, &TimeZone),
        kit: &KitFile,
        facts: Vec<&mut Fact>,
    ) {
        for Occurrence { own, facts, at_ms } in controls.occurrences(kit.run_hours, facts) {
            let near = controls.of(&own);
            let (outcome, assays) = match &kit.rules {
                KitRules::Plate(rules) => {
                    let assays = facts.iter().map(|fact| fact.observation.assay.clone()).collect();
                    (plate::assess((kit, rules), (run, &own, known), &near, facts), assays)
                }
                KitRules::Batch(rules) => {
                    let outcome = known.batch((run, &own), kit, || batch::assess(kit, rules, &near));
                    (outcome, kit.assays.clone())
                }
                KitRules::Cells(_) | KitRules::Window(_) => continue,
            };
            self.take(controls.told(outcome, (&own, at_ms, kit.run_hours), &assays, zone));
            self.made_with(&near);
        }
    }

    /// What by the profile has to be among the run's controls.
    fn take_by_profile(
        &mut self,
        (settings, reader): (&Settings, &Reader),
        controls: &Controls,
        covered: &BTreeSet<&str>,
        Occurrence { own, facts, at_ms }: &Occurrence<'_>,
    ) -> Result<(), ReadError> {
        let near = controls.of(own);
        let speaking = near.iter().map(|c| &c.observation).filter(|o| !covered.contains(o.assay.as_str()));
        let outcome = profile::assess(settings, reader, &speaking.collect::<Vec<_>>(), facts)?;
        let assays = facts.iter().map(|fact| fact.observation.assay.clone()).collect();
        self.take(controls.told(outcome, (own, *at_ms, RUN_HOURS), &assays, &settings.time_zone));
        self.made_with(&near);
        Ok(())
    }

    /// With the lots that the run's controls were made with.
    fn with_lots(&self, mut outcome: Outcome) -> Outcome {
        outcome.lots.extend(self.lots.iter().cloned());
        outcome
    }

    /// Where nothing spoke for such results nothing may be concluded.
    fn ended(mut self) -> Option<Outcome> {
        let outcome = self.outcome.take().or_else(|| self.results.then(|| Outcome::open(nothing_speaks())));
        outcome.map(|outcome| self.with_lots(outcome))
    }
}

fn nothing_speaks() -> Told {
    Told::new("nothing shows that the run is valid", "没有任何依据证明该批次有效")
}

/// A run's results by the kit that speaks for them.
#[derive(Default)]
struct ByKit<'f> {
    without: Vec<&'f mut Fact>,
    not_in_force: Vec<Outcome>,
    kits: BTreeMap<String, (Arc<KitFile>, Vec<&'f mut Fact>)>,
}

fn split<'f>(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    run: &RunId,
    facts: Vec<&'f mut Fact>,
) -> Result<ByKit<'f>, ReadError> {
    let mut by_kit = ByKit::default();
    for fact in facts {
        let kits = match known.kits(settings, (reader, run), fact)? {
            Ok(kits) => kits,
            Err(told) => {
                by_kit.not_in_force.push(Outcome::open(told));
                continue;
            }
        };
        let assay = &fact.observation.assay;
        let day = fact.tested_at.map(release::Moment::day);
        match kits.of(assay, day) {
            Found::None => by_kit.without.push(fact),
            Found::Kit(kit) => {
                fact.kit =
                    kit.maker.as_ref().map(|_| KitWord { maker: kit.maker.clone(), ..KitWord::default() });
                let (_, facts) =
                    by_kit.kits.entry(kit.reference()).or_insert_with(|| (Arc::clone(kit), Vec::new()));
                facts.push(fact);
            }
            Found::NotInForce => {
                let when = day.map_or_else(|| "?".to_owned(), |day| day.to_string());
                by_kit.not_in_force.push(Outcome::open(Told::new(
                    format!("no kit of {assay} is in force on {when}; look at effective_from and effective_to of its kits"),
                    format!("{assay} 在 {when} 无生效的试剂盒规则；请核对生效日期"),
                )));
            }
        }
    }
    Ok(by_kit)
}

/// Whether a control's result has come to its end; none where there was none to be had.
fn is_final(o: &Observation) -> Option<bool> {
    match o.status {
        ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => Some(true),
        ResultStatus::Preliminary | ResultStatus::Other => Some(false),
        ResultStatus::NotObtained => None,
    }
}

/// A control's name, and where it stood, for people.
fn named(o: &Observation) -> String {
    let name = o.control.as_ref().map_or("?", |control| control.name.as_str());
    let place = o.replicate.as_deref().unwrap_or(o.source.record.as_str());
    format!("{name} ({place})")
}

/// The message that a control came with, in words.
fn invalid_control(o: &Observation, why: &str, why_zh: &str) -> Told {
    let name = named(o);
    Told::new(
        format!("control {name}: {why}; repeat every sample in a new run"),
        format!("对照 {name}：{why_zh}；全部标本在新批次中重做"),
    )
}

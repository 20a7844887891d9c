//! The runs that used results name: what is known of each, and the lots that its results were made with.

use crate::facts::{AssayLot, Fact, LotRegister, RunFacts, Told};
use release::Moment;
use release::evidence::{Lot, Run};
use release::pack::{Fitness, Overdue};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{LotRole, LotUse, MarkerKind, RunId};

/// Every run that a used result names, with what is known of it. An unknown run has no validity, and so holds.
pub(crate) fn runs(
    facts: &[&Fact],
    known: &BTreeMap<RunId, RunFacts>,
    (lots, asked): (&LotRegister, &Fitness),
) -> Vec<Run> {
    let mut runs: BTreeMap<&RunId, Run> = BTreeMap::new();
    let mut of_assays = OfAssays::default();
    let mut untimed: BTreeSet<&RunId> = BTreeSet::new();
    let named = facts.iter().filter_map(|fact| Some((fact.run()?, fact.observation.assay.as_str())));
    let named: BTreeSet<(&RunId, &str)> = named.collect();
    for fact in facts {
        let Some(id) = fact.run() else { continue };
        let about = known.get(id);
        let controls = about.map_or(&[][..], |about| &about.lots);
        let is_first = !runs.contains_key(id);
        let run = runs.entry(id).or_insert_with(|| of_name(id, about, asked));
        run.analyser = run.analyser.take().or_else(|| fact.observation.instrument.clone());
        run.operator = run.operator.take().or_else(|| fact.observation.operator.clone());
        match fact.tested_at {
            Some(at) => {
                run.tested_at.get_or_insert(at);
                run.also_on.push(at.day());
            }
            None => {
                untimed.insert(id);
            }
        }
        let assay = &fact.observation.assay;
        // Controls are judged with the first result, and again with whatever of theirs was tested on another day.
        let stands =
            |one: &&AssayLot| is_first || one.assay == *assay || !named.contains(&(id, one.assay.as_str()));
        for AssayLot { lot, assay } in controls.iter().filter(stands) {
            put_lot(run, judged((lot, assay), fact, lots));
        }
        let own: Vec<_> = lots.of(&fact.observation, &fact.connection).collect();
        of_assays.put(fact, id, !own.is_empty() || controls.iter().any(|one| one.assay == *assay));
        for lot in own {
            put_lot(run, judged((lot, assay), fact, lots));
        }
    }
    for (id, assay) in of_assays.used.difference(&of_assays.with_lots) {
        if let Some(run) = runs.get_mut(id) {
            run.without_lots.push((*assay).to_owned());
        }
    }
    let whole = |(id, run)| days(run, untimed.contains(id));
    runs.into_iter().map(whole).collect()
}

fn of_name(id: &RunId, about: Option<&RunFacts>, asked: &Fitness) -> Run {
    let mut run = Run::new(id.clone());
    let Some(about) = about else { return run };
    run.validity = Some(about.validity);
    (run.why, run.why_zh) = words(about.why.as_ref());
    run.qc = Some(about.qc);
    (run.qc_why, run.qc_why_zh) = words(about.qc_why.as_ref());
    (run.interface_error, run.interface_error_zh) = words(about.interface.as_ref());
    (run.interface_acknowledged, run.interface_acknowledged_zh) = words(about.acknowledged.as_ref());
    fitness(&mut run, about, asked);
    run.kits.clone_from(&about.kits);
    run
}

/// A run that went on over midnight: what is of its own day does not name it.
fn days(mut run: Run, untimed: bool) -> Run {
    let first = run.tested_at.map(Moment::day);
    run.untimed = untimed && first.is_some();
    run.also_on.retain(|day| Some(*day) != first);
    run.also_on.sort_unstable();
    run.also_on.dedup();
    for mut lot in std::mem::take(&mut run.lots) {
        lot.used_on = lot.used_on.filter(|day| Some(*day) != first);
        put_lot(&mut run, lot);
    }
    run
}

/// Assays of runs: a lot of one says nothing of what another was made with.
#[derive(Default)]
struct OfAssays<'f> {
    /// That a used result is of.
    used: BTreeSet<(&'f RunId, &'f str)>,
    /// That somebody knows a lot of: by its results, its controls, or the register.
    with_lots: BTreeSet<(&'f RunId, &'f str)>,
}

impl<'f> OfAssays<'f> {
    /// A grouping is one thing: its columns name the lots that its summary rests on.
    fn put(&mut self, fact: &'f Fact, run: &'f RunId, with_lots: bool) {
        let observation = &fact.observation;
        let assay = match observation.marker.kind() {
            MarkerKind::Grouping => "ABO/RhD",
            MarkerKind::Serology | MarkerKind::Nat | MarkerKind::Chemistry | MarkerKind::Screening => {
                observation.assay.as_str()
            }
        };
        self.used.insert((run, assay));
        if with_lots {
            self.with_lots.insert((run, assay));
        }
    }
}

fn put_lot(run: &mut Run, lot: Lot) {
    if !run.lots.contains(&lot) {
        run.lots.push(lot);
    }
}

/// What of a run's analysers and operators the pack takes for a fault.
fn fitness(run: &mut Run, about: &RunFacts, asked: &Fitness) {
    let unserviced = about.unserviced.iter().filter(|_| asked.analyser_records.value).map(|on| {
        Told::new(
            format!("no service of {on} is recorded for that time (hemogate analyser serviced)"),
            format!("{on} 当时无确认、校准或维护记录（hemogate analyser serviced）"),
        )
    });
    let overdue = unserviced.fold(about.overdue.clone(), |all, one| Told::joined(all, Some(one)));
    let overdue = words(overdue.as_ref());
    match asked.analysers.value {
        Overdue::Block => (run.analyser_overdue, run.analyser_overdue_zh) = overdue,
        Overdue::Warn => (run.analyser_warned, run.analyser_warned_zh) = overdue,
    }
    let unrecorded = about.unrecorded.iter().filter(|_| asked.operator_records.value);
    let names: BTreeSet<&str> = about.unauthorised.iter().chain(unrecorded).map(String::as_str).collect();
    if !names.is_empty() {
        let names: Vec<&str> = names.into_iter().collect();
        (run.operator, run.operator_authorised) = (Some(names.join(", ")), Some(false));
    }
}

/// The reagent lots that a serology result was made with (R-SER-02): its own or those on board for its assay; where nothing is
/// known of them, those that its assay's controls in the run were made with. Of two of one name nobody knows which it was.
pub(super) fn reagent_lots(fact: &Fact, run: Option<&RunFacts>, lots: &LotRegister) -> BTreeSet<String> {
    let o = &fact.observation;
    let reagent = |lot: &&LotUse| lot.role == LotRole::Reagent;
    let numbers = |all: Vec<&LotUse>| -> BTreeSet<String> { all.iter().map(|lot| lot.lot.clone()).collect() };
    let own: Vec<&LotUse> = o.lots.iter().filter(reagent).collect();
    if !own.is_empty() {
        return numbers(own);
    }
    let mut others: Vec<&LotUse> = lots.of(o, &fact.connection).filter(reagent).collect();
    if others.is_empty() {
        let of_controls = run.map_or(&[][..], |run| run.lots.as_slice()).iter();
        let of_assay = of_controls.filter(|one| one.assay == o.assay).map(|one| &one.lot);
        others = of_assay.filter(reagent).collect();
    }
    let is_clear = |lot: &&LotUse| others.iter().all(|other| other.name != lot.name || other.lot == lot.lot);
    if others.iter().all(is_clear) { numbers(others) } else { BTreeSet::new() }
}

/// The analyser that a serology result was made on; where it names none, the one on its line.
pub(super) fn analyser(fact: &Fact) -> String {
    fact.observation.instrument.clone().unwrap_or_else(|| fact.connection.to_string())
}

fn words(told: Option<&Told>) -> (Option<String>, Option<String>) {
    told.map(|told| (told.en.clone(), told.zh.clone())).unzip()
}

/// A lot that a result was made with, or its controls, by the laboratory's register.
pub(super) fn judged((lot, assay): (&vocabulary::LotUse, &str), fact: &Fact, lots: &LotRegister) -> Lot {
    let day = fact.tested_at.map(Moment::day);
    Lot {
        role: Some(lot.role),
        name: lot.name.clone(),
        lot: lot.lot.clone(),
        expires: lots.last_day(lot, assay),
        used_on: day,
        accepted: Some(lots.accepts((lot, assay), &fact.connection)),
        not_for: lots.is_of_others(lot, assay).then(|| assay.to_owned()),
        not_on: lots.is_elsewhere((lot, assay), &fact.connection).then(|| fact.connection.to_string()),
        on_board_exceeded: lots.on_board_exceeded((lot, assay), (&fact.connection, day)),
    }
}

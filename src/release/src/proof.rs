//! What a rule pack can be shown to do: its small worlds, enumerated whole through [`decide`].
//!
//! Three kinds of worlds. *Tables*: every state of the inputs of one marker, beside a donation in which all else is good;
//! each combination has to match exactly one row of rules.md §1.5, and the verdict has to be that row's. *One reagent*:
//! every first well with every duplicate round. *The whole donation*: every mandatory test good, missing or bad, in every
//! combination. Nothing may pass in which a mandatory test is not final and good.

mod donation;
mod rows;

use crate::decide;
use crate::evidence::Call;
use crate::marker::{Nat, Policy, Sero};
use crate::pack::{
    Asked, DuplicateScheme, Local, PackRef, RulePack, Strategy, UnresolvedPolicy, Weaker, What,
};
use crate::verdict::{MarkerVerdict, SeroState, Unit, Verdict};
use donation::{Model, Slot, State};
use serde::Serialize;
use vocabulary::{IdentifierError, Marker, Virus};

/// Faults that are listed at most; the rest is counted.
const FAULTS_LISTED_MAX: usize = 20;

/// Tests that are not good at once, on days on which orders ask for less than on the day that asks for most.
const OTHER_DAYS_AT_ONCE: usize = 2;

/// What was enumerated, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// The pack.
    pub rule_pack: PackRef,
    /// One line a world.
    pub worlds: Vec<World>,
    /// What contradicts the rules, each with the combination it was found in. Empty: the pack is proven.
    pub faults: Vec<String>,
    /// Faults beyond those listed.
    pub further_faults: usize,
    /// What it asks less for than the built-in pack of its jurisdiction: no fault of the tables, and for people to judge.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weaker: Vec<Weaker>,
}

impl Proof {
    /// Whether nothing was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.faults.is_empty()
    }

    /// Combinations over all worlds.
    #[must_use]
    pub fn combinations(&self) -> usize {
        self.worlds.iter().map(|world| world.combinations).sum()
    }
}

/// One enumerated world.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct World {
    /// What was varied.
    pub name: String,
    /// How many combinations there are.
    pub combinations: usize,
    /// Of these, in how many the unit passes.
    pub pass: usize,
    /// In how many it is held.
    pub hold: usize,
    /// In how many it is discarded.
    pub discard: usize,
    /// Every combination that passes, where there are few.
    pub passing: Vec<String>,
}

/// Passing combinations that a world lists.
const PASSING_LISTED_MAX: usize = 8;

impl World {
    fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), combinations: 0, pass: 0, hold: 0, discard: 0, passing: Vec::new() }
    }

    fn count(&mut self, unit: Unit, what: &str) {
        self.combinations += 1;
        match unit {
            Unit::Pass => {
                self.pass += 1;
                if self.passing.len() < PASSING_LISTED_MAX {
                    self.passing.push(what.to_owned());
                }
            }
            Unit::Hold => self.hold += 1,
            Unit::Discard => self.discard += 1,
        }
    }
}

/// Enumerates the worlds of a pack. In the world of the whole donation, every combination has its turn, or, with
/// `at_once_max`, every one in which at most so many tests are not good. `progress` is told after each world.
///
/// # Errors
/// [`IdentifierError`] if the made-up donation could not be named; it can.
pub fn prove(
    pack: &RulePack,
    at_once_max: Option<usize>,
    mut progress: impl FnMut(&World),
) -> Result<Proof, IdentifierError> {
    let (model, others) = models(pack)?;
    let mut prover = Prover { pack, model, worlds: Vec::new(), faults: Vec::new(), further: 0 };
    let strategy = &pack.settings().strategy;
    for (virus, marker, strategy) in [
        (Virus::Hbv, Marker::HBsAg, strategy.hbv.value),
        (Virus::Hcv, Marker::AntiHcv, strategy.hcv.value),
        (Virus::Hiv, Marker::Hiv, strategy.hiv.value),
    ] {
        prover.virus_table(virus, marker, strategy);
        prover.tell(&mut progress);
    }
    prover.reagent_table(Marker::Syphilis, strategy.tp.value);
    prover.tell(&mut progress);
    prover.one_reagent();
    prover.tell(&mut progress);
    for asked in pack.settings().local.iter().filter_map(Local::asked) {
        if prover.model.asks(&asked) {
            prover.order_table(asked.what);
        } else if let Some(first) = first_asked(pack, &asked)? {
            let most = std::mem::replace(&mut prover.model, first);
            prover.order_table(asked.what);
            prover.model = most;
        }
        prover.tell(&mut progress);
    }
    for other in others {
        let most = std::mem::replace(&mut prover.model, other);
        let at_once_max = at_once_max.map_or(OTHER_DAYS_AT_ONCE, |max| max.min(OTHER_DAYS_AT_ONCE));
        prover.whole(Some(at_once_max));
        prover.tell(&mut progress);
        prover.model = most;
    }
    prover.whole(at_once_max);
    prover.tell(&mut progress);
    Ok(Proof {
        rule_pack: pack.reference(),
        worlds: prover.worlds,
        faults: prover.faults,
        further_faults: prover.further,
        weaker: pack.weaker(),
    })
}

/// The donation of the first day on which something is asked for; nothing where it is not on any that the pack judges.
fn first_asked<'p>(pack: &'p RulePack, asked: &Asked<'_>) -> Result<Option<Model<'p>>, IdentifierError> {
    let settings = pack.settings();
    for day in std::iter::once(settings.effective_from.value).chain(settings.days_of_orders()) {
        let model = Model::new(pack, day)?;
        if model.asks(asked) {
            return Ok(Some(model));
        }
    }
    Ok(None)
}

/// The donation of the day on which the pack's orders ask for most, and one of each other set of markers that they come to.
fn models(pack: &RulePack) -> Result<(Model<'_>, Vec<Model<'_>>), IdentifierError> {
    let mut most = Model::new(pack, pack.settings().effective_from.value)?;
    let mut others: Vec<Model<'_>> = Vec::new();
    for day in pack.settings().days_of_orders() {
        let model = Model::new(pack, day)?;
        let asked = model.asked();
        if std::iter::once(&most).chain(&others).any(|known| known.asked() == asked) {
            continue;
        }
        let more = asked.len() > most.asked().len();
        others.push(if more { std::mem::replace(&mut most, model) } else { model });
    }
    Ok((most, others))
}

struct Prover<'a> {
    pack: &'a RulePack,
    model: Model<'a>,
    worlds: Vec<World>,
    faults: Vec<String>,
    further: usize,
}

impl Prover<'_> {
    fn tell(&self, progress: &mut impl FnMut(&World)) {
        if let Some(world) = self.worlds.last() {
            progress(world);
        }
    }

    fn fault(&mut self, what: String) {
        if self.faults.len() < FAULTS_LISTED_MAX {
            self.faults.push(what);
        } else {
            self.further += 1;
        }
    }

    fn policy(&self) -> Policy {
        let nat = &self.pack.settings().nat;
        Policy { ndr: nat.ndr.value, unresolved: nat.mp_unresolved.value }
    }

    /// A pack that lets anti-HBc settle unresolved pools, and tests for it: non-reactive, it has settled HBV.
    fn is_settled(&self, virus: Virus, nat: Nat) -> bool {
        nat == Nat::Unresolved
            && virus == Virus::Hbv
            && self.pack.settings().nat.mp_unresolved.value == UnresolvedPolicy::HoldForAntiHbc
            && self.model.slots().contains(&Slot::Reagents(Marker::AntiHbc))
    }

    /// Every state of two reagents (the second may be absent) and of NAT.
    fn virus_table(&mut self, virus: Virus, marker: Marker, strategy: Strategy) {
        let mut world = World::new(format!("{virus}: 2 reagents × NAT"));
        for (a, b) in rows::reagents() {
            for nat in rows::NAT {
                let evidence = self.model.with_virus(virus, marker, a, b, nat);
                let verdict = decide(&evidence, self.pack);
                let what = format!("{virus}: A {a:?}, B {b:?}, NAT {nat:?}");
                let sero = rows::judged(a, b, strategy);
                let nat = if self.is_settled(virus, nat) { Nat::NonReactive } else { nat };
                // Without NAT in the strategy, a NAT that is not there is not missing.
                let matching = if !strategy.has_nat() && nat == Nat::Missing {
                    rows::serology_only(&sero, strategy.reagents_min() > 1)
                } else {
                    rows::matching(&sero, nat, self.policy())
                };
                self.one_row(&what, verdict.marker(virus.name()), &matching);
                let final_nat = !matches!(nat, Nat::Invalid | Nat::Pending | Nat::Missing);
                let whole =
                    sero.iter().all(|s| *s == Sero::NonReactive) && (final_nat || !strategy.has_nat());
                self.passes_only_if(&what, &verdict, whole && nat != Nat::Reactive);
                world.count(unit_of(&verdict, virus.name()), &what);
            }
        }
        self.worlds.push(world);
    }

    /// Every state of two reagents of a marker without NAT.
    fn reagent_table(&mut self, marker: Marker, strategy: Strategy) {
        let mut world = World::new(format!("{marker}: 2 reagents"));
        for (a, b) in rows::reagents() {
            let evidence = self.model.with_reagents(marker, a, b);
            let verdict = decide(&evidence, self.pack);
            let what = format!("{marker}: A {a:?}, B {b:?}");
            let sero = rows::judged(a, b, strategy);
            let matching = rows::serology_only(&sero, strategy.reagents_min() > 1);
            self.one_row(&what, verdict.marker(Virus::Syphilis.name()), &matching);
            self.passes_only_if(&what, &verdict, sero.iter().all(|s| *s == Sero::NonReactive));
            world.count(unit_of(&verdict, Virus::Syphilis.name()), &what);
        }
        self.worlds.push(world);
    }

    /// Every state of what an order asks for, all else good: nothing passes but a final non-reactive result.
    fn order_table(&mut self, what: What) {
        let mut world = World::new(format!("{what}, by order: every state{}", self.model.collected()));
        let reagents = rows::reagents().map(|(a, b)| (a, b, Nat::NonReactive));
        let nat = rows::NAT.into_iter().filter(|nat| *nat != Nat::NotDiscriminated);
        let states: Vec<(Sero, Option<Sero>, Nat)> = match what {
            What::Reagent(_) => reagents.collect(),
            What::Target(_) => nat.map(|nat| (Sero::NonReactive, None, nat)).collect(),
        };
        for (a, b, nat) in states {
            let (evidence, said) = match what {
                What::Reagent(marker) => {
                    (self.model.with_reagents(marker, a, b), format!("{what}: A {a:?}, B {b:?}"))
                }
                What::Target(virus) => (self.model.with_target(virus, nat), format!("{what}: {nat:?}")),
            };
            let verdict = decide(&evidence, self.pack);
            let all = [Some(a), b];
            let due = if all.contains(&Some(Sero::Reactive)) || nat == Nat::Reactive {
                Unit::Discard
            } else if all.iter().flatten().all(|s| *s == Sero::NonReactive) && nat == Nat::NonReactive {
                Unit::Pass
            } else {
                Unit::Hold
            };
            if verdict.unit() != due {
                self.fault(format!("{said}: {} where {} is due", verdict.unit().name(), due.name()));
            }
            world.count(unit_of(&verdict, what.verdict()), &said);
        }
        self.worlds.push(world);
    }

    /// Every first well with every duplicate round.
    fn one_reagent(&mut self) {
        let mut world = World::new("one reagent: first well × 2 duplicate wells");
        let sero = &self.pack.settings().sero;
        let no_duplicates = sero.dup.value == DuplicateScheme::NoDup;
        // Where a pack knows no grey zone, a grey result is not to be waved through.
        let knows_grey = sero.gz_low.is_some();
        let grey_is_initial = !knows_grey || sero.gz_as_initial_reactive.value;
        let grey_is_reactive = !knows_grey || sero.dup_uses_gz.value;
        for (first, one, two) in rows::wells() {
            let evidence = self.model.with_wells(first, one, two);
            let verdict = decide(&evidence, self.pack);
            let what = format!("first {first:?}, duplicates {one:?} and {two:?}");
            let clean = |call: Option<Call>| match call {
                Some(Call::NonReactive) => true,
                Some(Call::GreyZone) => !grey_is_reactive,
                Some(Call::Reactive | Call::Indeterminate | Call::Invalid | Call::Pending) | None => false,
            };
            let nothing_reactive = |call: Option<Call>| match call {
                Some(Call::Reactive) => false,
                Some(Call::GreyZone) => !grey_is_reactive,
                Some(Call::NonReactive | Call::Indeterminate | Call::Invalid | Call::Pending) | None => true,
            };
            let not_initial = match first {
                Some(Call::NonReactive) => true,
                Some(Call::GreyZone) => !grey_is_initial,
                Some(Call::Reactive | Call::Indeterminate | Call::Invalid | Call::Pending) | None => false,
            };
            let may = nothing_reactive(one)
                && nothing_reactive(two)
                && (not_initial
                    || (!no_duplicates && clean(one) && clean(two))
                    || (clean(one) && clean(two) && !rows::is_initial_reactive(first, grey_is_initial)));
            let state = verdict.serology().first().map(|s| s.state);
            if state == Some(SeroState::FinalNonReactive) && !may {
                self.fault(format!("{what}: FINAL_NR"));
            }
            self.passes_only_if(&what, &verdict, may);
            world.count(verdict.unit(), &what);
        }
        self.worlds.push(world);
    }

    /// Every mandatory test good, missing or bad, in every combination.
    fn whole(&mut self, at_once_max: Option<usize>) {
        let slots = self.model.slots();
        let not_good = |states: &[State]| states.iter().filter(|state| **state != State::Good).count();
        let is_due = |states: &[State]| at_once_max.is_none_or(|most| not_good(states) <= most);
        let name = format!("the whole donation: {} tests, each good, missing or bad", slots.len());
        let mut world = World::new(name + &self.model.collected());
        let mut states = vec![State::Good; slots.len()];
        loop {
            let evidence = self.model.with_states(&slots, &states);
            let verdict = decide(&evidence, self.pack);
            let bad = slots.iter().zip(&states).filter(|(_, state)| **state == State::Bad);
            let expected = bad
                .map(|(slot, _)| if slot.bad_is_discard() { Unit::Discard } else { Unit::Hold })
                .chain(states.contains(&State::Missing).then_some(Unit::Hold))
                .max()
                .unwrap_or(Unit::Pass);
            let what = || {
                let named = slots.iter().zip(&states).filter(|(_, state)| **state != State::Good);
                let named: Vec<String> = named.map(|(slot, state)| format!("{slot} {state:?}")).collect();
                if named.is_empty() { "everything good".to_owned() } else { named.join(", ") }
            };
            if verdict.unit() != expected {
                let said = verdict.unit().name();
                self.fault(format!("{}: {said} where {} is due", what(), expected.name()));
            }
            if verdict.is_releasable() != (expected == Unit::Pass) {
                self.fault(format!("{}: releasable {}", what(), verdict.is_releasable()));
            }
            if verdict.unit() == Unit::Pass {
                world.count(Unit::Pass, &what());
            } else {
                world.count(verdict.unit(), "");
            }
            if !next(&mut states, is_due) {
                break;
            }
        }
        self.worlds.push(world);
    }

    /// Exactly one row speaks, and the verdict is that row's.
    fn one_row(
        &mut self,
        what: &str,
        found: Option<MarkerVerdict>,
        matching: &[(&'static str, MarkerVerdict)],
    ) {
        match (matching, found) {
            ([(_, due)], Some(found)) if *due == found => {}
            ([(row, due)], found) => {
                let said = found.map_or("no verdict", |v| v.verdict.name());
                self.fault(format!("{what}: {said} where row {row} gives {}", due.verdict.name()));
            }
            (rows, _) => {
                let names: Vec<&str> = rows.iter().map(|(row, _)| *row).collect();
                self.fault(format!("{what}: {} rows match ({})", rows.len(), names.join(", ")));
            }
        }
    }

    fn passes_only_if(&mut self, what: &str, verdict: &Verdict, complete: bool) {
        if verdict.unit() == Unit::Pass && !complete {
            self.fault(format!("{what}: passes without every mandatory test final and good"));
        }
    }
}

fn unit_of(verdict: &Verdict, marker: &str) -> Unit {
    verdict.marker(marker).map_or(Unit::Hold, |found| found.unit)
}

/// The next combination that is due; false after the last.
fn next(states: &mut [State], is_due: impl Fn(&[State]) -> bool) -> bool {
    loop {
        let turned = states.iter_mut().any(|state| match state {
            State::Good => {
                *state = State::Missing;
                true
            }
            State::Missing => {
                *state = State::Bad;
                true
            }
            State::Bad => {
                *state = State::Good;
                false
            }
        });
        if !turned || is_due(states) {
            return turned;
        }
    }
}

//! The one function that decides.

use crate::evidence::{Evidence, SerologySeries};
use crate::gates::{self, Findings};
use crate::marker::{self, Nat, Policy, Sero};
use crate::notes::Notes;
use crate::pack::{Asked, NdrPolicy, RulePack, Strategy, UnresolvedPolicy, What};
use crate::reasons::Reason;
use crate::runs::Runs;
use crate::say::Say;
use crate::steps::Step;
use crate::test::Test;
use crate::trace::{Subject, Trace};
use crate::verdict::{
    Explained, Gate, MarkerState, MarkerVerdict, NatState, NatVerdict, SeroState, SerologyVerdict, Unit,
    Verdict,
};
use crate::{GateId, alt, donor, group, nat, screen, serology};
use std::collections::BTreeSet;
use vocabulary::{Marker, Virus};

/// HBV, HCV, HIV, syphilis and ALT, and what a pack asks for beside them.
const USUAL_MARKERS: usize = 8;

/// Infections that are only tested for where an authority asks for it, and the reagent that finds them. HTLV has its place
/// among the others.
const ORDERED_REAGENTS: [(Virus, Marker); 2] =
    [(Virus::Malaria, Marker::AntiMalaria), (Virus::TCruzi, Marker::AntiTCruzi)];

/// Judges one donation under a rule pack. Total and pure: the same evidence and pack always give the same verdict,
/// and whatever is missing holds the unit.
#[must_use]
pub fn decide(evidence: &Evidence, pack: &RulePack) -> Verdict {
    judge(evidence, pack, Notes::new(None)).0
}

/// The verdict that [`decide`] gives, with the trace that says which rule gave what: what is kept and shown.
#[must_use]
pub fn explain(evidence: &Evidence, pack: &RulePack) -> Explained {
    let (verdict, trace) = judge(evidence, pack, Notes::new(Some(Trace::default())));
    Explained { verdict, trace: trace.unwrap_or_default() }
}

fn judge<'a>(evidence: &'a Evidence, pack: &'a RulePack, mut notes: Notes<'a>) -> (Verdict, Option<Trace>) {
    let runs = Runs::new(evidence, pack);
    let mut markers = Markers::new(evidence, pack, &runs, &mut notes);
    markers.judge_all(&mut notes);
    if pack.settings().tests.alt.value {
        let verdict = alt::judge(evidence, pack, &runs, &mut notes);
        if verdict.verdict == MarkerState::Incomplete {
            markers.open.push(Reason::AltOpen);
        }
        markers.put("ALT", verdict);
    }
    let group = group::judge(evidence, pack, &runs, &mut notes);
    if !group.abo_determined {
        markers.open.push(Reason::AboOpen);
    }
    if !group.rhd_determined {
        markers.open.push(Reason::RhdOpen);
    }
    if let Some(verdict) = screen::judge(evidence, pack, group.verdict.rhd, &runs, &mut notes) {
        if verdict.verdict == MarkerState::Incomplete {
            markers.open.push(Reason::ScreenOpen);
        }
        markers.put("antibody screen", verdict);
    }
    let Markers { verdicts, open, serology, nat, .. } = markers;
    let donor = donor::judge(evidence, pack, &verdicts, &nat);
    let donor_asks = donor::asks(evidence, pack, &verdicts, (&serology, &nat));
    let worst = verdicts.iter().map(|(_, v)| v.unit).max().unwrap_or(Unit::Hold);
    // One run's results together, in the order they were used.
    notes.uses.sort_by_key(|used| used.run);
    let findings = Findings {
        evidence,
        pack,
        runs: &runs,
        uses: &notes.uses,
        unit: worst,
        open,
        failing: failing(&verdicts),
        group: &group.against,
        set_aside: group.set_aside,
    };
    let gates = gates::judge(&findings);
    let closed = |person: bool| gates.iter().any(|g| !g.is_satisfied() && g.id.needs_person() == person);
    // R-MRK-01: discard outweighs hold outweighs pass. A gate that waits for a person bars release only.
    let unit = if closed(false) { worst.max(Unit::Hold) } else { worst };
    let releasable = unit == Unit::Pass && !closed(true);
    let passes = |id: GateId| gates.iter().any(|g| g.id == id && g.pass);
    let complete = passes(GateId::TestsFinal) && passes(GateId::RunsValid);
    let steps = ordered(notes.steps, unit, complete, &gates);
    let verdict = Verdict {
        donation: evidence.donation.clone(),
        rule_pack: pack.reference(),
        unit,
        releasable,
        complete,
        markers: verdicts,
        serology,
        nat,
        group: group.verdict,
        donor,
        donor_asks,
        waits_for_two: evidence.findings.iter().any(|finding| finding.takes_two(GateId::Interfaces)),
        next: steps.iter().map(Say::en).collect(),
        next_zh: steps.iter().map(Say::zh).collect(),
        gates,
    };
    (verdict, notes.trace)
}

/// What to do next: first what protects the patient, then the tests, then what keeps a gate closed, last the
/// signatures.
fn ordered<'a>(tests: Vec<Step<'a>>, unit: Unit, complete: bool, gates: &'a [Gate]) -> Vec<Step<'a>> {
    let see_to = |gate: &'a Gate| Step::SeeToGate { gate: gate.id, why: &gate.why, why_zh: &gate.why_zh };
    let closed = || gates.iter().filter(|g| !g.is_satisfied());
    let mut steps = Vec::with_capacity(tests.len() + 2);
    steps.extend(closed().filter(|g| g.id == GateId::Components).map(see_to));
    if unit == Unit::Discard {
        steps.push(Step::RemoveUnit);
    }
    steps.extend(tests);
    if unit == Unit::Discard {
        return steps;
    }
    steps.extend(closed().filter(|g| is_seen_to_by_hand(g.id)).map(see_to));
    if unit == Unit::Pass && complete {
        let is_closed = |id: GateId| closed().any(|g| g.id == id);
        steps.extend(is_closed(GateId::TwoPersons).then_some(Step::Review));
        steps.extend(is_closed(GateId::ReleaseAct).then_some(Step::Release));
    }
    steps
}

/// Gates that open by other means than the tests, repeats and signatures that have steps of their own.
fn is_seen_to_by_hand(gate: GateId) -> bool {
    match gate {
        GateId::RunsValid
        | GateId::QualityControl
        | GateId::Lots
        | GateId::Analyser
        | GateId::Operator
        | GateId::Identity
        | GateId::Donor
        | GateId::Batch
        | GateId::Interfaces => true,
        GateId::TestsFinal
        | GateId::MarkersPass
        | GateId::Group
        | GateId::TwoPersons
        | GateId::Components
        | GateId::ReleaseAct => false,
    }
}

fn failing(verdicts: &[(&'static str, MarkerVerdict)]) -> Vec<Reason<'static>> {
    verdicts
        .iter()
        .filter(|(_, v)| v.unit != Unit::Pass)
        .map(|(name, v)| Reason::Marker { name, verdict: v.verdict, unit: v.unit })
        .collect()
}

/// The infection markers of a donation.
struct Markers<'a> {
    evidence: &'a Evidence,
    pack: &'a RulePack,
    /// One a series of the evidence, in its order.
    serology: Vec<SerologyVerdict>,
    nat: Vec<NatVerdict>,
    verdicts: Vec<(&'static str, MarkerVerdict)>,
    open: Vec<Reason<'a>>,
}

impl<'a> Markers<'a> {
    fn new(evidence: &'a Evidence, pack: &'a RulePack, runs: &Runs<'_>, notes: &mut Notes<'a>) -> Self {
        let mut wells = Vec::new();
        let judged = evidence.serology.iter().map(|series| {
            let outcome = serology::judge(series, pack, runs, &mut wells, notes);
            SerologyVerdict {
                marker: series.marker,
                reagent: series.reagent.clone(),
                state: outcome.state,
                flags: outcome.flags,
            }
        });
        let serology: Vec<SerologyVerdict> = judged.collect();
        let mut core = serology.iter().filter(|one| one.marker == Marker::AntiHbc).peekable();
        let core_is_negative =
            core.peek().is_some() && core.all(|one| one.state == SeroState::FinalNonReactive);
        let sero_is_reactive = serology.iter().any(|one| one.state == SeroState::FinalReactive);
        let nat = nat::judge(evidence, pack, (core_is_negative, sero_is_reactive), runs, notes);
        Self { evidence, pack, serology, nat, verdicts: Vec::with_capacity(USUAL_MARKERS), open: Vec::new() }
    }

    fn put(&mut self, name: &'static str, verdict: MarkerVerdict) {
        self.verdicts.push((name, verdict));
    }

    fn judge_all(&mut self, notes: &mut Notes<'a>) {
        let pack = self.pack;
        let strategy = &pack.settings().strategy;
        self.judge_virus(Virus::Hbv, Marker::HBsAg, strategy.hbv.value, notes);
        self.judge_virus(Virus::Hcv, Marker::AntiHcv, strategy.hcv.value, notes);
        self.judge_virus(Virus::Hiv, Marker::Hiv, strategy.hiv.value, notes);
        let syphilis = strategy.tp.value;
        self.judge_reagents_only(Virus::Syphilis.name(), Marker::Syphilis, syphilis, notes);
        if self.is_asked_or_there(Marker::Htlv) {
            self.judge_reagents_only(Virus::Htlv.name(), Marker::Htlv, Strategy::Sero1, notes);
        }
        // A pack that asks for it, of whomever and whenever, or to settle a pool, has a rule for it.
        let core = What::Reagent(Marker::AntiHbc);
        let ruled = pack.settings().asked().any(|asked| asked.what == core)
            || pack.settings().nat.mp_unresolved.value == UnresolvedPolicy::HoldForAntiHbc;
        if ruled && self.is_asked_or_there(Marker::AntiHbc) {
            self.judge_reagents_only(Marker::AntiHbc.name(), Marker::AntiHbc, Strategy::Sero1, notes);
        }
        self.judge_unruled_reagents(ruled, notes);
        self.judge_further(notes);
        self.name_orders();
    }

    /// What the pack asks for of this donation, beside the markers with a strategy.
    fn asked(&self) -> impl Iterator<Item = Asked<'a>> + use<'a> {
        let evidence = self.evidence;
        self.pack.settings().asked().filter(move |asked| asked.is_due(evidence))
    }

    /// Whether a reagent is asked for; a result that nobody asked for counts too.
    fn is_asked_or_there(&self, marker: Marker) -> bool {
        self.asked().any(|asked| asked.what == What::Reagent(marker))
            || self.evidence.serology.iter().any(|series| series.marker == marker)
    }

    /// The reagents of a marker, with one `Missing` for each that the strategy asks for and is not there.
    fn reagents(&mut self, marker: Marker, strategy: Strategy, notes: &mut Notes<'a>) -> Vec<Sero> {
        let mut makers: Vec<&str> = Vec::new();
        let mut sero = Vec::new();
        for (series, judged) in self.evidence.serology.iter().zip(&self.serology) {
            if series.marker != marker {
                continue;
            }
            let made_by = maker(series, strategy);
            if !makers.contains(&made_by) {
                makers.push(made_by);
            }
            let state = judged.state;
            sero.push(Sero::from(state));
            if state.is_open() {
                let test = Test::Serology { marker, reagent: &series.reagent };
                self.open.push(Reason::ReagentOpen { test, state });
            }
        }
        let (have, need) = (makers.len(), strategy.reagents_min());
        if have < need {
            self.open.push(Reason::ReagentMissing { marker, have, need });
            notes.step(if have == 0 { Step::MarkerMissing(marker) } else { Step::SecondReagent(marker) });
            sero.extend(std::iter::repeat_n(Sero::Missing, need - have));
        }
        sero
    }

    fn nat_state(&self, virus: Virus) -> NatState {
        self.nat.iter().find(|one| one.target == virus).map_or(NatState::NotTested, |one| one.state)
    }

    fn judge_virus(&mut self, virus: Virus, marker: Marker, strategy: Strategy, notes: &mut Notes<'a>) {
        let state = self.nat_state(virus);
        // A pack that asks for no NAT does not make a result vanish that is there.
        if !strategy.has_nat() && state == NatState::NotTested {
            return self.judge_reagents_only(virus.name(), marker, strategy, notes);
        }
        let sero = self.reagents(marker, strategy, notes);
        if state.is_open() {
            self.open.push(Reason::NatOpen { target: virus, state });
        }
        let nat = &self.pack.settings().nat;
        let policy = Policy { ndr: nat.ndr.value, unresolved: nat.mp_unresolved.value };
        let row = marker::virus_row(&sero, Nat::from(state), policy);
        notes.trace(|trace| {
            let line = trace.line(row.row, Subject::Word(virus.name()), row.verdict.verdict.name());
            line.list("serology", &sero).word("nat", state.name());
        });
        self.put(virus.name(), row.verdict);
    }

    fn judge_reagents_only(
        &mut self,
        name: &'static str,
        marker: Marker,
        strategy: Strategy,
        notes: &mut Notes<'a>,
    ) {
        let sero = self.reagents(marker, strategy, notes);
        let verdict = marker::judge_serology_only(&sero, strategy.reagents_min() > 1);
        notes.trace(|trace| {
            trace.line("1.5", Subject::Word(name), verdict.verdict.name()).list("serology", &sero);
        });
        self.put(name, verdict);
    }

    /// Serology that the pack has no rule for: non-reactive says nothing, anything else is for a person to judge.
    fn judge_unruled_reagents(&mut self, anti_hbc_is_ruled: bool, notes: &mut Notes<'a>) {
        let ruled = [Marker::HBsAg, Marker::AntiHcv, Marker::Hiv, Marker::Syphilis, Marker::Htlv];
        let is_ruled = |m: &Marker| {
            ruled.contains(m)
                || ORDERED_REAGENTS.iter().any(|(_, ordered)| ordered == m)
                || (*m == Marker::AntiHbc && anti_hbc_is_ruled)
        };
        let unruled: BTreeSet<Marker> =
            self.evidence.serology.iter().map(|s| s.marker).filter(|m| !is_ruled(m)).collect();
        for marker in unruled {
            let sero = self.reagents(marker, Strategy::Sero1, notes);
            let verdict = if sero.contains(&Sero::Reactive) {
                notes.step(Step::ReviewUnruled(marker));
                MarkerVerdict { verdict: MarkerState::NotRuled, unit: Unit::Hold, reentry_candidate: false }
            } else {
                marker::judge_serology_only(&sero, false)
            };
            notes.trace(|trace| {
                trace.line("1.5", Subject::Word(marker.name()), verdict.verdict.name());
            });
            self.put(marker.name(), verdict);
        }
    }

    /// Infections beside those with a strategy that nucleic acid, or an order's reagent, speaks of: those of which there is a
    /// result, and those the pack asks for. Serology and NAT of one share its verdict.
    fn judge_further(&mut self, notes: &mut Notes<'a>) {
        let beside = self.nat.iter().filter(|one| !nat::MULTIPLEX_TARGETS.contains(&one.target));
        let mut further: Vec<(Virus, NatState)> = beside.map(|one| (one.target, one.state)).collect();
        for asked in self.asked() {
            if let What::Target(virus) = asked.what
                && !further.iter().any(|(known, _)| *known == virus)
            {
                further.push((virus, NatState::NotTested));
                notes.step(Step::TestMissing(Test::Individual(Some(virus))));
            }
        }
        for (virus, marker) in ORDERED_REAGENTS {
            let there = self.is_asked_or_there(marker);
            match further.iter().position(|(known, _)| *known == virus) {
                Some(at) if there => {
                    let (_, state) = further.remove(at);
                    self.judge_reagent_and_nat(virus, marker, state, notes);
                }
                None if there => self.judge_reagents_only(virus.name(), marker, Strategy::Sero1, notes),
                Some(_) | None => {}
            }
        }
        for (virus, state) in further {
            let (verdict, unit) = match Nat::from(state) {
                Nat::NonReactive => (MarkerState::Negative, Unit::Pass),
                Nat::Reactive => (MarkerState::NatYield, Unit::Discard),
                Nat::NotDiscriminated => (MarkerState::NatNdr, Unit::Hold),
                Nat::Unresolved => (MarkerState::NatUnresolved, Unit::Hold),
                Nat::Invalid | Nat::Pending | Nat::Missing => {
                    self.open.push(Reason::NatOpen { target: virus, state });
                    (MarkerState::Incomplete, Unit::Hold)
                }
            };
            self.put(virus.name(), MarkerVerdict { verdict, unit, reentry_candidate: false });
        }
    }

    /// One reagent and NAT of an infection without a strategy: the table, in which what NAT leaves open holds, and nobody is a
    /// candidate for re-entry.
    fn judge_reagent_and_nat(
        &mut self,
        virus: Virus,
        marker: Marker,
        state: NatState,
        notes: &mut Notes<'a>,
    ) {
        let sero = self.reagents(marker, Strategy::Sero1, notes);
        if state.is_open() {
            self.open.push(Reason::NatOpen { target: virus, state });
        }
        let policy = Policy { ndr: NdrPolicy::RepeatTwice, unresolved: UnresolvedPolicy::Hold };
        let row = marker::virus_row(&sero, Nat::from(state), policy);
        notes.trace(|trace| {
            let line = trace.line(row.row, Subject::Word(virus.name()), row.verdict.verdict.name());
            line.list("serology", &sero).word("nat", state.name());
        });
        self.put(virus.name(), MarkerVerdict { reentry_candidate: false, ..row.verdict });
    }

    /// Which orders wait for a result: whoever reads why a unit is held is told who asks.
    fn name_orders(&mut self) {
        let is_open = |what: What| match what {
            What::Reagent(marker) => {
                let mut own = self.serology.iter().filter(|one| one.marker == marker).peekable();
                own.peek().is_none() || own.any(|one| one.state.is_open())
            }
            What::Target(virus) => self.nat_state(virus).is_open(),
        };
        let waits = self.asked().filter(|asked| is_open(asked.what));
        let orders: Vec<Reason<'a>> = waits
            .filter_map(|asked| Some(Reason::Ordered { what: asked.what, order: asked.order? }))
            .collect();
        self.open.extend(orders);
    }
}

/// What tells two reagents apart: their makers where the strategy asks for it and they are known, else their names.
fn maker(series: &SerologySeries, strategy: Strategy) -> &str {
    match strategy {
        Strategy::Sero2DistinctMakers => series.maker.as_deref().unwrap_or(&series.reagent),
        Strategy::Sero1
        | Strategy::Sero1Nat
        | Strategy::Sero2Nat
        | Strategy::Sero1Or2Nat
        | Strategy::Sero2 => &series.reagent,
    }
}

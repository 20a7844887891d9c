//! What a donation's pools are as evidence. Pure.

use super::facts::{Drawn, Making, MemberFacts, PoolFacts};
use super::sound::{PoolFault, conflict, faults, last_making, tested_making};
use crate::cut::Cuts;
use crate::evidence::{Sample, individual, is_discriminatory, nucleic, open, runs, settled};
use crate::measurement::{By, Words, measurements};
use crate::{DonationFacts, Fact, RunFacts, Settings};
use jiff::Timestamp;
use release::evidence::{
    Call, NatKind, NatResult, OpenFinding, Pipetted, PoolMember, PoolingLog, SettledResult,
};
use release::{Evidence, GateId, NatState, NatVerdict, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{AspirationFault, DonationId, MarkerKind, RunId, Virus};

/// What the pools of a donation add to its evidence.
#[derive(Debug, Default)]
pub(crate) struct Pooled<'f> {
    /// Results of pools.
    pub(crate) nat: Vec<NatResult>,
    /// What a person has to look at.
    pub(crate) findings: Vec<OpenFinding>,
    /// What two people settled of their versions.
    pub(crate) settled: Vec<SettledResult>,
    /// The observations behind the results.
    pub(crate) used: Vec<&'f Fact>,
}

/// Message, run and time: rows that agree in them are of one well.
type Together<'f> = (u64, Option<&'f RunId>, Option<&'f str>);

/// The targets of one well as one result, where it was reactive for some and answered for all: then what was not found in
/// a reactive pool was looked for and is absent.
fn by_well(wells: Vec<(Together<'_>, NatResult)>) -> Vec<NatResult> {
    let mut groups: Vec<(Together<'_>, Vec<NatResult>)> = Vec::new();
    for (together, result) in wells {
        match groups.iter_mut().find(|(known, _)| *known == together) {
            Some((_, rows)) => rows.push(result),
            None => groups.push((together, vec![result])),
        }
    }
    groups.into_iter().flat_map(|(_, rows)| one_well(rows)).collect()
}

fn one_well(rows: Vec<NatResult>) -> Vec<NatResult> {
    let answers = |virus: Virus| rows.iter().filter(|row| row.target == Some(virus)).count() == 1;
    let whole = [Virus::Hbv, Virus::Hcv, Virus::Hiv].into_iter().all(answers);
    let clear = rows
        .iter()
        .all(|row| row.target.is_some() && matches!(row.result, Some(Call::Reactive | Call::NonReactive)));
    let reactive: Vec<&NatResult> = rows.iter().filter(|row| row.result == Some(Call::Reactive)).collect();
    match reactive.first() {
        Some(first) if whole && clear => {
            let targets = reactive.iter().filter_map(|row| row.target).collect();
            // The latest curve of them: it is the one that a person has to look at.
            let target_ct = reactive.iter().filter_map(|row| row.target_ct).max_by_key(|ct| ct.number());
            vec![NatResult { target: None, targets, target_ct, ..(*first).clone() }]
        }
        Some(_) | None => rows,
    }
}

/// A pool's result and the making it is of, or why that is not known.
struct Tested<'f> {
    pool: &'f PoolFacts,
    making: Option<&'f Making>,
    faults: Vec<PoolFault>,
}

/// Evidence from the pools of a donation; `alone` are its own results, and `own` what they were made of, among others.
pub(crate) fn pooled<'f>(
    facts: &'f DonationFacts,
    settings: &Settings,
    (own, alone): (&[&Fact], &[NatResult]),
) -> Pooled<'f> {
    let mut all = Pooled::default();
    let mut doubts = Vec::new();
    let by = By { cuts: Cuts::of(settings), runs: &facts.runs };
    for pool in &facts.pools {
        let measured = measurements(&pool.results, by, facts.donor.words(Some(&pool.pool)));
        all.findings.extend(measured.findings().cloned());
        all.settled.extend(measured.disputed.iter().filter_map(|one| settled(one, facts.offset)));
        let used = measured.used;
        all.findings.extend(pool.findings.iter().map(|finding| {
            let what = format!("pool {}: {} ({})", pool.pool, finding.what, finding.place);
            open(&finding.finding, what)
        }));
        let differs = conflict(pool);
        // Whose material is in it matters no more to a donation that has answered for itself since.
        if !(differs.is_some() && answered_alone(pool, facts, own, settings)) {
            all.findings.extend(differs.iter().map(|fault| say(pool, fault)));
        }
        let mut wells: Vec<(Together<'_>, NatResult)> = Vec::new();
        for one in &used {
            let mut tested = Tested::of(pool, one.fact, settings);
            tested.faults.extend(differs.clone());
            if one.fact.observation.marker.kind() == MarkerKind::Nat {
                let o = &one.fact.observation;
                let together = (one.home, o.run.as_ref(), o.completed_at.as_deref());
                let result = tested.result(&facts.donation, one.fact, settings, facts);
                // A pool is not screened by a test of one target that comes after the screening.
                if !(is_discriminatory(o) && result.result == Some(Call::NonReactive)) {
                    wells.push((together, result));
                }
            } else {
                let what =
                    format!("pool {}: {} is no nucleic acid test", pool.pool, one.fact.observation.assay);
                all.findings.push(open("pool_result_unknown", what));
            }
            all.used.push(one.fact);
            doubts.extend(tested.faults.first().map(|fault| (pool, fault.clone())));
        }
        all.nat.extend(by_well(wells));
        if used.is_empty()
            && let Some(making) = last_making(pool)
        {
            let found = faults(making, pool, settings);
            doubts.extend(found.first().map(|fault| (pool, fault.clone())));
        }
    }
    let spread = |result: &NatResult| {
        result.result == Some(Call::NonReactive) && result.pooling_log == Some(PoolingLog::Complete)
    };
    // Of a donation that was tested alone, or in another pool, a useless pool needs no word.
    if alone.is_empty() && !all.nat.iter().any(spread) {
        let mut said: Vec<OpenFinding> = doubts.iter().map(|(pool, fault)| useless(pool, fault)).collect();
        said.dedup();
        all.findings.extend(said);
    }
    let untested = alone.is_empty() && all.nat.is_empty();
    let latest = if untested { None } else { latest(facts) };
    let awaited =
        |pool: &&PoolFacts| pool.results.is_empty() && (untested || is_awaited(pool, latest, settings));
    all.nat.extend(facts.pools.iter().filter(awaited).map(waiting));
    all
}

/// When the donation was last tested alone, or drawn into a pool that was tested then.
fn latest(facts: &DonationFacts) -> Option<Timestamp> {
    let nat = |fact: &&Fact| fact.observation.marker.kind() == MarkerKind::Nat;
    let alone = facts.observations.iter().filter(nat).filter_map(|fact| Some(fact.tested_at?.at()));
    let pools = facts.pools.iter().flat_map(|pool| {
        let making = |fact: &Fact| tested_making(pool, fact.tested_at).ok()?.made();
        pool.results.iter().filter_map(making).map(|(_, to)| to)
    });
    alone.chain(pools).max()
}

/// Whether a donation that was tested otherwise has to wait for a pool without a result: it is sound, and was not made
/// before. An earlier one was given up for what was tested since.
fn is_awaited(pool: &PoolFacts, latest: Option<Timestamp>, settings: &Settings) -> bool {
    last_making(pool).is_some_and(|making| {
        let made = making.made().map(|(_, to)| to);
        faults(making, pool, settings).is_empty() && (made.is_none() || made >= latest)
    })
}

/// Whether a donation was tested alone after every making of a pool, soundly, and for all that the pool is tested for.
fn answered_alone(pool: &PoolFacts, facts: &DonationFacts, own: &[&Fact], settings: &Settings) -> bool {
    let made: Option<Vec<Timestamp>> =
        pool.makings.iter().map(|making| making.made().map(|(_, to)| to)).collect();
    let Some(last) = made.and_then(|times| times.into_iter().max()) else { return false };
    let is_later = |fact: &&&Fact| {
        let is_nat = fact.observation.marker.kind() == MarkerKind::Nat;
        is_nat && fact.tested_at.is_some_and(|tested| tested.at() > last)
    };
    let later: Vec<&Fact> = own.iter().filter(is_later).copied().collect();
    let sample = Sample::of(facts.registration.as_ref());
    let verdict = judged_alone(&facts.donation, (&later, sample), &facts.runs, settings);
    let is_final = |wanted: Virus| {
        let found = verdict.nat().iter().find(|nat| nat.target == wanted);
        found.is_some_and(|nat| matches!(nat.state, NatState::Reactive | NatState::NonReactive))
    };
    is_sound(&verdict) && sought(pool).into_iter().all(is_final)
}

fn say(pool: &PoolFacts, fault: &PoolFault) -> OpenFinding {
    open(fault.fault, format!("pool {}: {}", pool.pool, fault.with_place()))
}

fn useless(pool: &PoolFacts, fault: &PoolFault) -> OpenFinding {
    let what = format!(
        "pool {} says nothing of its members: {}; make it again, or test its members singly (R-NAT-06)",
        pool.pool,
        fault.with_place()
    );
    open("pool_not_sound", what)
}

/// A pool that was made and not tested yet.
fn waiting(pool: &PoolFacts) -> NatResult {
    NatResult { pool: Some(pool.pool.to_string()), result: None, ..blank() }
}

fn blank() -> NatResult {
    NatResult {
        kind: NatKind::Pool,
        pool: None,
        members: Vec::new(),
        pool_size: None,
        pooling_log: None,
        pool_members: Vec::new(),
        pipetting: Vec::new(),
        result: None,
        target_ct: None,
        targets: Vec::new(),
        target: None,
        internal_control: None,
        internal_control_ct: None,
        centrifuged_after_hours: None,
        centrifuge_within_hours: None,
        stored_hours: None,
        store_within_hours: None,
        validity: None,
        why: None,
        run: None,
    }
}

impl<'f> Tested<'f> {
    fn of(pool: &'f PoolFacts, fact: &Fact, settings: &Settings) -> Self {
        match tested_making(pool, fact.tested_at) {
            Ok(making) => Self { pool, making: Some(making), faults: faults(making, pool, settings) },
            Err(fault) => Self { pool, making: None, faults: vec![fault] },
        }
    }

    fn result(
        &self,
        donation: &DonationId,
        fact: &Fact,
        settings: &Settings,
        facts: &DonationFacts,
    ) -> NatResult {
        let own = individual(fact);
        let drawn: Vec<&Drawn> = match self.making {
            Some(making) => making.drawn.iter().collect(),
            None => self.pool.makings.iter().flat_map(|making| &making.drawn).collect(),
        };
        let mut members: Vec<DonationId> = Vec::new();
        for member in drawn.iter().filter_map(|drawn| drawn.donation.as_ref()) {
            if !members.contains(member) {
                members.push(member.clone());
            }
        }
        let negative = own.result == Some(Call::NonReactive);
        let pool_members = if negative { Vec::new() } else { self.alone(donation, settings) };
        let sample = Sample::of(facts.registration.as_ref());
        NatResult {
            kind: NatKind::Pool,
            pool: Some(self.pool.pool.to_string()),
            pool_size: self.making.and_then(|making| making.sizes.first()).map(|size| usize::from(*size)),
            pooling_log: Some(if self.faults.is_empty() {
                PoolingLog::Complete
            } else {
                PoolingLog::Incomplete
            }),
            pipetting: self.pipetting(&drawn),
            members,
            pool_members,
            ..sample.aged(own, fact, settings)
        }
    }

    /// The log member by member. What is wrong with the pool as a whole is said of every member, so that a resolution
    /// does not take a list that is not whole for all there is.
    fn pipetting(&self, drawn: &[&Drawn]) -> Vec<Pipetted> {
        let whole = self.faults.first().map(PoolFault::with_place);
        let line = |drawn: &&Drawn| {
            let wrong = &drawn.aspiration.wrong;
            let has = |fault: AspirationFault| wrong.contains(&fault);
            Some(Pipetted {
                donation: drawn.donation.clone()?,
                barcode_read: !has(AspirationFault::Typed) && !has(AspirationFault::Unread),
                volume_ok: !has(AspirationFault::Short),
                error: wrong.first().map(|fault| fault.words().to_owned()).or_else(|| whole.clone()),
                changed_afterwards: has(AspirationFault::Changed),
            })
        };
        drawn.iter().filter_map(line).collect()
    }

    /// What the other members gave alone.
    fn alone(&self, donation: &DonationId, settings: &Settings) -> Vec<PoolMember> {
        let others = self.pool.members.iter().filter(|(member, _)| *member != donation);
        let sought = sought(self.pool);
        others.map(|(member, about)| alone(member, about, &sought, settings)).collect()
    }
}

/// Gates of the runs that results were made in, beside their validity, which the result itself has.
const GATES_OF_RUNS: [GateId; 4] = [GateId::QualityControl, GateId::Lots, GateId::Analyser, GateId::Operator];

fn is_sound(verdict: &Verdict) -> bool {
    verdict.gates().iter().all(|gate| gate.pass || !GATES_OF_RUNS.contains(&gate.id))
}

/// What the rule pack says of nucleic acid results of a donation, and only of these.
fn judged_alone(
    donation: &DonationId,
    (used, sample): (&[&Fact], Sample),
    known: &BTreeMap<RunId, RunFacts>,
    settings: &Settings,
) -> Verdict {
    let mut evidence = Evidence::new(donation.clone());
    evidence.nat = nucleic(used, sample, settings);
    evidence.runs = runs(used, known, (&settings.lots, &settings.pack.settings().fitness));
    release::decide(&evidence, &settings.pack)
}

/// What a pool may have found: what it names, and what every multiplex looks for.
pub(super) fn sought(pool: &PoolFacts) -> BTreeSet<Virus> {
    let named = pool.results.iter().filter_map(|fact| individual(fact).target);
    [Virus::Hbv, Virus::Hcv, Virus::Hiv].into_iter().chain(named).collect()
}

/// What a member gave when it was tested alone, for a pool that may have found what is sought: as the rule pack judges these
/// results, and only these.
pub(super) fn alone(
    member: &DonationId,
    about: &MemberFacts,
    sought: &BTreeSet<Virus>,
    settings: &Settings,
) -> PoolMember {
    let said = |result: Call, targets: Vec<Virus>| PoolMember {
        donation: member.clone(),
        result,
        targets,
        given_up: false,
    };
    let words = Words { all: &about.settled, pool: None };
    let measured = measurements(&about.alone, By { cuts: Cuts::of(settings), runs: &about.runs }, words);
    if measured.used.is_empty() || measured.findings().next().is_some() {
        return said(Call::Pending, Vec::new());
    }
    let used: Vec<&Fact> = measured.used.iter().map(|one| one.fact).collect();
    let sample = Sample { collected: about.collected_at, centrifuged: about.centrifuged_at };
    let verdict = judged_alone(member, (&used, sample), &about.runs, settings);
    let targets = |wanted: NatState| -> Vec<Virus> {
        verdict.nat().iter().filter(|nat| nat.state == wanted).map(|nat| nat.target).collect()
    };
    let has = |state: NatState| verdict.nat().iter().any(|nat| nat.state == state);
    // What would not let the member itself go explains nothing, and clears nobody.
    let is_sound = !about.doubted && is_sound(&verdict);
    let said = |result: Call, targets: Vec<Virus>| {
        let speaks = matches!(result, Call::Reactive | Call::NonReactive);
        if speaks && !is_sound { said(Call::Pending, Vec::new()) } else { said(result, targets) }
    };
    let reactive = targets(NatState::Reactive);
    if reactive.iter().any(|target| sought.contains(target)) {
        return said(Call::Reactive, reactive);
    }
    // Reactive alone, for a target that no further test named.
    if has(NatState::NotDiscriminated) {
        return said(Call::Reactive, Vec::new());
    }
    // What it is reactive for is none of the pool's: the tests of these still have to be in.
    let answered = |nat: &NatVerdict| matches!(nat.state, NatState::NonReactive | NatState::Reactive);
    if has(NatState::Invalid) || has(NatState::InvalidFinal) {
        // Nothing more comes of it where no target is still to be tested.
        let is_over = |nat: &NatVerdict| answered(nat) || nat.state == NatState::InvalidFinal;
        let given_up = verdict.nat().iter().all(is_over);
        return PoolMember { given_up, ..said(Call::Invalid, Vec::new()) };
    }
    match !verdict.nat().is_empty() && verdict.nat().iter().all(answered) {
        false => said(Call::Pending, Vec::new()),
        true if reactive.is_empty() => said(Call::NonReactive, Vec::new()),
        true => said(Call::Reactive, reactive),
    }
}

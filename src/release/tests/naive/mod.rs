//! A second implementation of rules.md §1.3 to §1.7, deliberately naive: loops, booleans and the page's own words, with none
//! of the crate's code but its input types. Numbers are whole thousandths. It knows `cn-2019` and three overlays.

mod donors;
mod grouping;
pub(crate) mod made_up;
mod nucleic;
pub(crate) mod ordered;

use donors::donor_may_give;
use grouping::group;
use release::evidence::{
    Call, ComponentState, Evidence, Meaning, NatKind, Qc, Run, SerologyKind, SerologyResult, SerologySeries,
    Validity,
};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Marker, RunId, Virus};

/// What the packs differ in.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "one switch a line of the page")]
pub(crate) struct Policy {
    pub(crate) ndr_discards: bool,
    pub(crate) unresolved: char,
    pub(crate) no_duplicates: bool,
    pub(crate) keep_reactive: bool,
    pub(crate) sticky_needs_two: bool,
    pub(crate) grey_from: Option<i64>,
    pub(crate) grey_counts: bool,
    pub(crate) two_reagents: bool,
    pub(crate) not_in_pools: bool,
    pub(crate) orders: &'static [ordered::Order],
}

/// What is compared with the crate's verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) unit: char,
    pub(crate) releasable: bool,
    /// Name, unit, candidate for re-entry.
    pub(crate) markers: BTreeMap<&'static str, (char, bool)>,
    /// Gates that are closed, from 1.
    pub(crate) closed: BTreeSet<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    R,
    Nr,
    Ndr,
    Unres,
    Open,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Good,
    Out,
    Open,
    Invalid,
}

fn run_of<'a>(e: &'a Evidence, id: Option<&RunId>) -> Option<&'a Run> {
    e.runs.iter().find(|r| Some(&r.id) == id)
}

fn standing(e: &Evidence, id: Option<&RunId>) -> Standing {
    let Some(run) = run_of(e, id) else { return Standing::Good };
    if run.validity == Some(Validity::Invalid) {
        return Standing::Invalid;
    }
    if run.qc == Some(Qc::OutOfControl) {
        return Standing::Out;
    }
    if run.validity == Some(Validity::Open) { Standing::Open } else { Standing::Good }
}

/// 0 non-reactive, 1 grey, 2 reactive; in thousandths of an OD against a cut-off of 105.
fn level(result: &SerologyResult, policy: Policy) -> Option<u8> {
    let od = result.od?;
    let thousandths: i64 = (od.number() * rust_decimal::Decimal::from(1000)).try_into().unwrap();
    if thousandths >= 105 {
        Some(2)
    } else if policy.grey_from.is_some_and(|per_cent| thousandths * 100 >= per_cent * 105) {
        Some(1)
    } else {
        Some(0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Well {
    Read(u8),
    Waiting,
    Bad,
    Empty,
}

fn serology_well(e: &Evidence, r: &SerologyResult, policy: Policy) -> Well {
    let Some(level) = level(r, policy) else {
        return if r.validity == Some(Validity::Invalid) { Well::Bad } else { Well::Empty };
    };
    match standing(e, r.run.as_ref()) {
        Standing::Invalid => return Well::Bad,
        Standing::Out if !(policy.keep_reactive && level == 2) => return Well::Bad,
        Standing::Good | Standing::Open | Standing::Out => {}
    }
    if r.validity == Some(Validity::Invalid) {
        return Well::Bad;
    }
    if standing(e, r.run.as_ref()) == Standing::Open || r.validity == Some(Validity::Open) {
        return Well::Waiting;
    }
    Well::Read(level)
}

fn lots_differ(e: &Evidence, a: &SerologyResult, b: &SerologyResult) -> bool {
    let nowhere = |r: &SerologyResult| r.lots.is_none() && run_of(e, r.run.as_ref()).is_none();
    let lot = |r: &SerologyResult| match &r.lots {
        Some(own) => own.first().cloned(),
        None => Some(run_of(e, r.run.as_ref())?.lots.first()?.lot.clone()),
    };
    !nowhere(a) && !nowhere(b) && (lot(a).is_none() || lot(a) != lot(b) || a.analyser != b.analyser)
}

fn serology(
    e: &Evidence,
    series: &SerologySeries,
    policy: Policy,
    uses: &mut BTreeSet<Option<RunId>>,
) -> State {
    let wells: Vec<(&SerologyResult, Well)> =
        series.results.iter().map(|r| (r, serology_well(e, r, policy))).collect();
    let state = serology_state(e, &wells, policy);
    for (r, well) in &wells {
        let counts = match well {
            Well::Read(_) => true,
            Well::Waiting | Well::Bad => state == State::Open,
            Well::Empty => false,
        };
        if counts {
            uses.insert(r.run.clone());
        }
    }
    state
}

fn serology_state(e: &Evidence, wells: &[(&SerologyResult, Well)], policy: Policy) -> State {
    let initial_reactive = |l: u8| l == 2 || (l == 1 && policy.grey_counts);
    let duplicate_reactive = |l: u8| l == 2;
    let is_duplicate = |r: &SerologyResult| r.kind == SerologyKind::Duplicate;
    for (r, w) in wells {
        if let Well::Read(l) = w
            && is_duplicate(r)
            && duplicate_reactive(*l)
        {
            return State::R;
        }
    }
    let mut waits = false;
    let mut fell = false;
    for (r, w) in wells {
        let l = level(r, policy);
        waits |= *w == Well::Empty || (*w == Well::Waiting && l.is_none_or(initial_reactive));
        fell |= *w == Well::Bad && l.is_some_and(initial_reactive);
    }
    let firsts: Vec<(&SerologyResult, u8)> = wells
        .iter()
        .filter(|(r, _)| !is_duplicate(r))
        .filter_map(|(r, w)| if let Well::Read(l) = w { Some((*r, *l)) } else { None })
        .collect();
    let duplicates: Vec<&SerologyResult> = wells
        .iter()
        .filter(|(r, w)| is_duplicate(r) && matches!(w, Well::Read(_)))
        .map(|(r, _)| *r)
        .collect();
    let some_reactive = firsts.iter().find(|(_, l)| initial_reactive(*l));
    if let Some((first, _)) = some_reactive {
        if policy.no_duplicates {
            return State::R;
        }
        // First tests that nobody ordered disagree; an ordered repeat can only make it worse.
        let unordered = firsts.iter().filter(|(r, _)| r.kind == SerologyKind::Initial);
        let (reactive, not): (Vec<u8>, Vec<u8>) =
            unordered.map(|(_, l)| *l).partition(|l| initial_reactive(*l));
        let disagree = !reactive.is_empty() && !not.is_empty();
        let round = wells.iter().position(|(r, w)| is_duplicate(r) && matches!(w, Well::Read(_)));
        let late = |(r, w): &(&SerologyResult, Well)| {
            !is_duplicate(r) && matches!(w, Well::Read(l) if initial_reactive(*l))
        };
        if round.is_some_and(|at| wells[at..].iter().any(late)) {
            return State::Open;
        }
        let accepted = duplicates.iter().filter(|d| !lots_differ(e, first, d)).count();
        return if accepted >= 2 && !waits && !disagree { State::Nr } else { State::Open };
    }
    if waits {
        return State::Open;
    }
    if fell && policy.sticky_needs_two {
        return if firsts.len() + duplicates.len() >= 2 { State::Nr } else { State::Open };
    }
    if !firsts.is_empty() || duplicates.len() >= 2 { State::Nr } else { State::Open }
}

/// Rows M1 to M11: unit and candidate.
fn table(sero: &[State], nat: State, policy: Policy) -> (char, bool) {
    let reactive = sero.contains(&State::R);
    let ndr = if policy.ndr_discards { 'D' } else { 'H' };
    let open =
        sero.iter().any(|s| *s != State::R && *s != State::Nr) || matches!(nat, State::Open | State::None);
    let nat_unit = match nat {
        State::R => 'D',
        State::Ndr => ndr,
        State::Unres => policy.unresolved,
        State::Nr => 'P',
        State::Open | State::None => 'H',
    };
    if reactive || nat_unit == 'D' {
        return ('D', !open && reactive && nat == State::Nr);
    }
    (if open { 'H' } else { nat_unit }, false)
}

fn alt(e: &Evidence, uses: &mut BTreeSet<Option<RunId>>) -> char {
    let mut read = Vec::new();
    let (mut waits, mut other) = (false, Vec::new());
    for r in &e.alt {
        let Some(value) = r.u_per_l else {
            waits = true;
            continue;
        };
        match standing(e, r.run.as_ref()) {
            Standing::Invalid | Standing::Out => other.push(r.run.clone()),
            Standing::Open => {
                waits = true;
                other.push(r.run.clone());
            }
            Standing::Good => {
                uses.insert(r.run.clone());
                read.push(value.number() <= rust_decimal::Decimal::from(50));
            }
        }
    }
    let unit = match read.as_slice() {
        _ if waits => 'H',
        [false, false, ..] => 'D',
        // Twice above the limit after one within it.
        [true, rest @ ..] | [false, true, rest @ ..]
            if rest.iter().filter(|within| !**within).count() >= 2 =>
        {
            'D'
        }
        [true] | [true | false, true, ..] if !read[1..].contains(&false) => 'P',
        _ => 'H',
    };
    if unit == 'H' {
        uses.extend(other);
    }
    unit
}

fn run_gates(e: &Evidence, uses: &BTreeSet<Option<RunId>>, closed: &mut BTreeSet<usize>) {
    for id in uses {
        let Some(run) = run_of(e, id.as_ref()) else {
            closed.extend([4, 5, 6]);
            continue;
        };
        if run.validity != Some(Validity::Valid) {
            closed.insert(4);
        }
        let released = run.qc == Some(Qc::Released) && run.qc_release.is_some();
        if run.qc != Some(Qc::InControl) && !released {
            closed.insert(5);
        }
        let tested = run.tested_at.map(release::Moment::day);
        let lot_good = |lot: &release::evidence::Lot| {
            lot.accepted == Some(true)
                && lot.not_for.is_none()
                && lot.not_on.is_none()
                && lot.on_board_exceeded != Some(true)
                && lot.expires.is_some_and(|e| lot.used_on.or(tested).is_some_and(|t| e >= t))
        };
        if run.untimed
            || tested.is_none()
            || run.lots.is_empty()
            || !run.without_lots.is_empty()
            || !run.lots.iter().all(lot_good)
        {
            closed.insert(6);
        }
        for (gate, bad) in [
            (7, run.analyser_overdue.is_some()),
            (8, run.operator_authorised == Some(false)),
            (15, run.sequence_gap.is_some() || run.interface_error.is_some()),
        ] {
            if bad {
                closed.insert(gate);
            }
        }
    }
}

fn other_gates(e: &Evidence, worst: char, closed: &mut BTreeSet<usize>) {
    let identity = e.identity.as_ref();
    if identity
        .is_some_and(|i| i.check_character_valid == Some(false) || (i.manual_entry && i.checked_by.is_none()))
    {
        closed.insert(9);
    }
    let by = |meaning| e.signatures.iter().filter(move |s| s.meaning == meaning).map(|s| s.by.clone());
    let (reviewed, released): (BTreeSet<String>, BTreeSet<String>) =
        (by(Meaning::Reviewed).collect(), by(Meaning::Released).collect());
    if !reviewed.iter().any(|r| released.iter().any(|i| i != r)) {
        closed.insert(10);
    }
    let unauthorised =
        |s: &release::evidence::Signature| s.meaning == Meaning::Released && s.authorised == Some(false);
    if released.is_empty() || e.signatures.iter().any(unauthorised) {
        closed.insert(14);
    }
    if !donor_may_give(e) {
        closed.insert(11);
    }
    for component in &e.components {
        let out = matches!(component.state, ComponentState::Released | ComponentState::Issued);
        let stopped = matches!(component.state, ComponentState::Held | ComponentState::Discarded);
        let lost = component.state == ComponentState::Missing;
        if lost || (out && worst != 'P') || (stopped && worst == 'P') {
            closed.insert(12);
        }
    }
    if e.batch.as_ref().is_some_and(|b| b.failing != b.located) {
        closed.insert(13);
    }
    for finding in &e.findings {
        let whose =
            ["scans_differ", "donation_numbers_alike", "tested_before_collection", "registered_twice"];
        closed.insert(if whose.contains(&finding.finding.as_str()) { 9 } else { 15 });
    }
}

/// Judges a donation.
pub(crate) fn decide(e: &Evidence, policy: Policy) -> Verdict {
    let reacts = |s: &SerologySeries| serology(e, s, policy, &mut BTreeSet::new()) == State::R;
    if policy.not_in_pools && e.serology.iter().any(reacts) {
        let mut alone = e.clone();
        alone.nat.retain(|n| n.kind != NatKind::Pool || n.result != Some(Call::NonReactive));
        return decide(&alone, Policy { not_in_pools: false, ..policy });
    }
    let mut uses = BTreeSet::new();
    let mut markers = BTreeMap::new();
    let mut open = e.collected_at.is_none();
    let mut reagents = |marker: Marker, need: usize, uses: &mut BTreeSet<Option<RunId>>| {
        let mut states: Vec<State> =
            e.serology.iter().filter(|s| s.marker == marker).map(|s| serology(e, s, policy, uses)).collect();
        while states.len() < need {
            states.push(State::None);
        }
        open |= states.iter().any(|s| *s != State::R && *s != State::Nr);
        states
    };
    let need = if policy.two_reagents { 2 } else { 1 };
    let hbv = reagents(Marker::HBsAg, need, &mut uses);
    let hcv = reagents(Marker::AntiHcv, need, &mut uses);
    let hiv = reagents(Marker::Hiv, need, &mut uses);
    let tp = reagents(Marker::Syphilis, 2, &mut uses);
    let nat = nucleic::nat(e, policy, &mut uses);
    for (name, sero, virus) in [("HBV", hbv, Virus::Hbv), ("HCV", hcv, Virus::Hcv), ("HIV", hiv, Virus::Hiv)]
    {
        markers.insert(name, table(&sero, nat[&virus], policy));
    }
    let mut nat_open = nat.values().any(|s| matches!(s, State::Open | State::None));
    for one in ordered::INFECTIONS {
        let sero = one.reagent_here(e, policy).map(|marker| reagents(marker, 1, &mut uses));
        let nat = one.nat_here(e, policy).then(|| nat.get(&one.virus).copied().unwrap_or(State::None));
        markers.extend(one.unit(policy, sero, nat).map(|unit| (one.name, (unit, false))));
        nat_open |= nat == Some(State::None);
    }
    open |= nat_open;
    let reactive = tp.iter().filter(|s| **s == State::R).count();
    let tp_open = tp.iter().any(|s| *s != State::R && *s != State::Nr);
    let tp_unit = if reactive > 0 {
        'D'
    } else if tp_open {
        'H'
    } else {
        'P'
    };
    markers.insert("syphilis", (tp_unit, reactive == 1 && !tp_open));
    let alt = alt(e, &mut uses);
    open |= alt == 'H';
    markers.insert("ALT", (alt, false));
    let group = group(e, &mut uses);
    open |= !group.determined;
    let has = |unit| markers.values().any(|(u, _)| *u == unit);
    let worst = if has('D') {
        'D'
    } else if has('H') {
        'H'
    } else {
        'P'
    };
    let mut closed = BTreeSet::new();
    for (gate, shut) in [(1, open), (2, worst != 'P'), (3, !group.good)] {
        if shut {
            closed.insert(gate);
        }
    }
    run_gates(e, &uses, &mut closed);
    other_gates(e, worst, &mut closed);
    let by_people = [10, 13, 14];
    let evidence_good = closed.iter().all(|gate| by_people.contains(gate));
    let unit = if worst == 'D' {
        'D'
    } else if evidence_good {
        'P'
    } else {
        'H'
    };
    Verdict { unit, releasable: unit == 'P' && closed.is_empty(), markers, closed }
}

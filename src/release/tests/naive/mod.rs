//! A second implementation of rules.md §1.3 to §1.7, deliberately naive: loops, booleans and the page's own words, with none
//! of the crate's code but its input types. Numbers are whole thousandths. It knows `cn-2019` and three overlays.

mod donors;
pub(crate) mod made_up;
mod nucleic;
pub(crate) mod ordered;

use donors::donor_may_give;
use release::evidence::{
    Call, ComponentState, Evidence, Grouping, GroupingSample, Meaning, NatKind, Qc, Run, SerologyKind,
    SerologyResult, SerologySeries, Validity,
};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{AboGroup, Grade, Marker, RhD, RunId, Strength, Virus};

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
    match (run_of(e, a.run.as_ref()), run_of(e, b.run.as_ref())) {
        (Some(a), Some(b)) => !a.lots.is_empty() && !b.lots.is_empty() && a.lots[0].lot != b.lots[0].lot,
        _ => false,
    }
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
        let some_not = firsts.iter().any(|(r, l)| r.kind == SerologyKind::Initial && !initial_reactive(*l));
        let accepted = duplicates.iter().filter(|d| !lots_differ(e, first, d)).count();
        return if accepted >= 2 && !waits && !some_not { State::Nr } else { State::Open };
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
        [true] | [true | false, true, ..] if !read[1..].contains(&false) => 'P',
        _ => 'H',
    };
    if unit == 'H' {
        uses.extend(other);
    }
    unit
}

fn abo(g: &Grouping) -> Option<AboGroup> {
    let zero = |grade: Option<Grade>| grade.is_some_and(Grade::is_zero);
    let strong = |grade: Option<Grade>, min: Strength| {
        grade.is_some_and(|grade| !grade.has_remark() && grade.strength.is_some_and(|found| found >= min))
    };
    let on_a = (strong(g.anti_a, Strength::Three), zero(g.anti_a));
    let on_b = (strong(g.anti_b, Strength::Three), zero(g.anti_b));
    let on_a1 = (strong(g.a1_cells, Strength::Two), zero(g.a1_cells));
    let on_bc = (strong(g.b_cells, Strength::Two), zero(g.b_cells));
    if on_a.0 && on_b.1 && on_a1.1 && on_bc.0 {
        Some(AboGroup::A)
    } else if on_a.1 && on_b.0 && on_a1.0 && on_bc.1 {
        Some(AboGroup::B)
    } else if on_a.0 && on_b.0 && on_a1.1 && on_bc.1 {
        Some(AboGroup::AB)
    } else if on_a.1 && on_b.1 && on_a1.0 && on_bc.0 {
        Some(AboGroup::O)
    } else {
        None
    }
}

fn missing(g: &Grouping) -> bool {
    [g.anti_a, g.anti_b, g.a1_cells, g.b_cells].contains(&None)
}

/// Whether any column that was run and is clear cannot be one of this group.
fn cannot_be(g: &Grouping, group: AboGroup) -> bool {
    let clear = |grade: Option<Grade>, min: Strength| match grade {
        Some(grade) if grade.is_zero() => Some(false),
        Some(grade) if !grade.has_remark() && grade.strength.is_some_and(|s| s >= min) => Some(true),
        _ => None,
    };
    let (a, b) = (matches!(group, AboGroup::A | AboGroup::AB), matches!(group, AboGroup::B | AboGroup::AB));
    clear(g.anti_a, Strength::Three) == Some(!a)
        || clear(g.anti_b, Strength::Three) == Some(!b)
        || clear(g.a1_cells, Strength::Two) == Some(a)
        || clear(g.b_cells, Strength::Two) == Some(b)
}

/// The analyser's own run.
fn own(g: &Grouping) -> Option<RunId> {
    if g.analyser_run.is_some() { g.analyser_run.clone() } else { g.run.clone() }
}

/// Coated cells that do not react: the antiglobulin test says nothing.
fn washed_out(g: &Grouping) -> bool {
    let weak = |c: &Grade| c.strength.is_none_or(|s| s < Strength::One) || c.mixed_field;
    g.coated_cells.as_ref().is_some_and(|all| all.0.iter().any(weak))
}

/// Weak at once, and not found again by the antiglobulin test.
fn vanished(g: &Grouping) -> bool {
    let immediate = g.anti_d.as_ref().unwrap().0[0];
    let iat: Vec<Grade> = g.iat_d.as_ref().map(|g| g.0.clone()).unwrap_or_default();
    immediate.strength == Some(Strength::One)
        && iat.len() >= 2
        && iat.iter().all(|g| g.is_zero())
        && !washed_out(g)
}

/// The type; `None` while the antiglobulin test is open. Weak D is positive. Second: typed by antiglobulin.
fn rhd(g: &Grouping) -> (Option<RhD>, bool) {
    let immediate = g.anti_d.as_ref().unwrap().0[0];
    if immediate.strength.is_some_and(|s| s >= Strength::Two) {
        return (Some(RhD::Positive), false);
    }
    let iat: Vec<Grade> = g.iat_d.as_ref().map(|g| g.0.clone()).unwrap_or_default();
    if iat.iter().any(|g| !g.is_zero()) {
        return (Some(RhD::Positive), true);
    }
    if washed_out(g) {
        return (None, false);
    }
    if iat.len() >= 2 && immediate.is_zero() { (Some(RhD::Negative), true) } else { (None, false) }
}

struct Group {
    determined: bool,
    good: bool,
}

fn group(e: &Evidence, uses: &mut BTreeSet<Option<RunId>>) -> Group {
    let mut usable: Vec<&Grouping> = Vec::new();
    let mut waiting = false;
    for g in &e.grouping {
        match standing(e, g.run.as_ref()) {
            Standing::Invalid | Standing::Out => {}
            Standing::Open => waiting = true,
            Standing::Good if g.control.is_some_and(|c| !c.is_zero()) => {}
            Standing::Good => usable.push(g),
        }
    }
    let abos: Vec<Option<AboGroup>> = usable.iter().map(|g| abo(g)).collect();
    let rhds: Vec<(Option<RhD>, bool)> = usable.iter().map(|g| rhd(g)).collect();
    let all_abo: BTreeSet<AboGroup> = abos.iter().copied().flatten().collect();
    let all_rhd: BTreeSet<RhD> = rhds.iter().filter_map(|(d, _)| *d).collect();
    let settled_by_iat = rhds.iter().any(|(_, iat)| *iat);
    let weak_twice = usable.iter().any(|g| vanished(g));
    // Tube and bag of two groups, whatever became of their runs, until a usable tube agrees with a usable bag.
    let is_usable = |g: &Grouping| usable.iter().any(|u| std::ptr::eq(*u, g));
    let bag = |g: &&Grouping| g.sample == Some(GroupingSample::Segment);
    let said = |g: &Grouping| (abo(g), rhd(g).0);
    let mut pairs = Vec::new();
    for b in e.grouping.iter().filter(bag) {
        pairs.extend(e.grouping.iter().filter(|g| !bag(g)).map(|t| (t, b)));
    }
    let both = |t: &Grouping, b: &Grouping| is_usable(t) && is_usable(b);
    let cleared = pairs.iter().any(|(t, b)| both(t, b) && said(t).0.is_some() && said(t) == said(b));
    let differ = |t: &Grouping, b: &Grouping| {
        let ((ta, td), (ba, bd)) = (said(t), said(b));
        (ta.is_some() && ba.is_some() && ta != ba) || (td.is_some() && bd.is_some() && td != bd)
    };
    let wrong_tube = pairs.iter().any(|(t, b)| differ(t, b) && (both(t, b) || !cleared));
    // A tube that contradicts itself says nothing of whose blood it holds.
    let contradicts = |t: &Grouping| (abo(t).is_none() && !missing(t)) || vanished(t);
    // One that lacks columns says something by those that it has.
    let shows_other = |t: &Grouping, b: &Grouping| missing(t) && cannot_be(t, abo(b).unwrap());
    let tube_unclear =
        !cleared && pairs.iter().any(|(t, b)| abo(b).is_some() && (contradicts(t) || shows_other(t, b)));
    let discrepant = wrong_tube
        || tube_unclear
        || usable.iter().any(|g| abo(g).is_none() && !missing(g))
        || all_abo.len() > 1
        || all_rhd.len() > 1
        || weak_twice;
    let determined = all_abo.len() == 1 && !discrepant && all_rhd.len() == 1;
    let iat_open = rhds.iter().any(|(d, _)| d.is_none()) && !settled_by_iat;
    let mut good = determined && !waiting && !iat_open;
    match &e.donor {
        None => good = false,
        Some(donor) => {
            let history = donor.history.unwrap_or_default();
            let (a, d) = (all_abo.first(), all_rhd.first());
            good &= history.abo.is_none_or(|h| Some(&h) == a) && history.rhd.is_none_or(|h| Some(&h) == d);
            let mut whole = history.abo.is_some() && history.rhd.is_some();
            let mut same_before = history.abo.is_some() && history.abo.as_ref() == a;
            for earlier in
                donor.earlier.iter().filter(|one| one.group_refuted_by.is_none()).filter_map(|one| one.group)
            {
                good &=
                    earlier.abo.is_none_or(|h| Some(&h) == a) && earlier.rhd.is_none_or(|h| Some(&h) == d);
                whole |= earlier.is_final && earlier.abo.is_some() && earlier.rhd.is_some();
                same_before |= earlier.is_final && earlier.abo.is_some() && earlier.abo.as_ref() == a;
            }
            let known = donor.first_time == Some(false) && whole;
            let runs: BTreeSet<_> = usable
                .iter()
                .zip(&rhds)
                .filter(|(g, (d, _))| abo(g).is_some() && (d.is_some() || settled_by_iat))
                .map(|(g, _)| (own(g), g.sample == Some(GroupingSample::Segment)))
                .collect();
            good &= runs.len() >= if known { 1 } else { 2 };
            if donor.field_abo.is_some_and(|field| Some(&field) != a) {
                let typed = || usable.iter().filter(|g| abo(g).is_some());
                let segment = typed().any(|g| g.sample == Some(GroupingSample::Segment));
                let by_run: BTreeSet<_> = typed().filter_map(|g| own(g)).collect();
                good &= segment || (by_run.len() > 1 && same_before);
            }
        }
    }
    // Whatever keeps the status from final keeps the unusable ones in sight.
    let is_final = good || (determined && e.donor.is_none() && !waiting && !iat_open);
    for g in &e.grouping {
        if usable.iter().any(|u| std::ptr::eq(*u, g)) || !is_final {
            uses.insert(g.run.clone());
        }
    }
    Group { determined, good }
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

//! The dimensions of one donation, each with its states and what each does.

use crate::one_donation::Effect::{self, Bars, Discard, Good, Hold};
use release::Evidence;
use release::evidence::*;
use vocabulary::{AboGroup, Marker, RhD, RunId, Virus};

type Change = Box<dyn Fn(&mut Evidence)>;

/// What a run's state does to the results that rest on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reads {
    /// They are judged as they are.
    Judged,
    /// They wait.
    Waits,
    /// None of them counts, a reactive one no more than another.
    Falls,
    /// There is no record of the run: they are judged, whatever was said of it.
    Gone,
}

/// One state of a dimension.
pub(crate) struct State {
    pub(crate) change: Change,
    pub(crate) effect: Effect,
    /// For states of runs.
    pub(crate) reads: Reads,
}

/// How many states the worlds take of a dimension, the first of them.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    /// In the product over tests, in the ordinary run and in the whole one.
    pub(crate) tests: (usize, usize),
    /// In the product over what stands around them.
    pub(crate) around: (usize, usize),
    /// In the product over tests and what stands around them.
    pub(crate) joint: (usize, usize),
}

/// A thing that can be in several states, the first of them good.
pub(crate) struct Dimension {
    pub(crate) name: String,
    /// The run that its results rest on, or that it is about.
    pub(crate) run: Option<&'static str>,
    pub(crate) states: Vec<State>,
    pub(crate) sizes: Sizes,
}

fn state(effect: Effect, change: impl Fn(&mut Evidence) + 'static) -> State {
    State { change: Box::new(change), effect, reads: Reads::Judged }
}

fn good() -> State {
    state(Good, |_| {})
}

/// The run of first reagents, and of second ones.
pub(crate) const REAGENT_RUNS: [&str; 2] = ["E1", "E2"];

/// Where the reagent stands that an order asks for.
const ORDERED_REAGENT: usize = 8;

/// What an authority orders beside what every donation needs, and the good results of it.
pub(crate) const ORDERS: &str = "id = \"one\"\nbased_on = \"cn-2019\"\n\
    [[local]]\nmarker = \"anti-malaria\"\norder = \"O\"\n[[local]]\nmarker = \"Babesia-RNA\"\norder = \"O\"\n";

pub(crate) fn as_ordered(e: &mut Evidence) {
    assert_eq!(e.serology.len(), ORDERED_REAGENT);
    let reagent = SerologySeries { marker: Marker::AntiMalaria, ..e.serology[0].clone() };
    e.serology.push(reagent);
    e.nat.push(NatResult { target: Some(Virus::Babesia), ..e.nat[0].clone() });
}

/// Every run that results rest on.
pub(crate) const RUNS: [&str; 5] = ["E1", "E2", "N1", "C1", "G1"];

pub(crate) fn call(kind: SerologyKind, call: Call, run: &str) -> SerologyResult {
    let run = Some(run.parse().unwrap());
    SerologyResult { interpretation: Some(call), run, ..SerologyResult::new(kind) }
}

/// The states of one reagent: the first or the second of a marker.
fn reagent(at: usize) -> Vec<State> {
    use SerologyKind::{Duplicate, Initial};
    let run = REAGENT_RUNS[at % 2];
    let results = move |effect, all: &'static [(SerologyKind, Call)]| {
        state(effect, move |e| {
            e.serology[at].results = all.iter().map(|(kind, said)| call(*kind, *said, run)).collect();
        })
    };
    vec![
        good(),
        results(
            Discard,
            &[(Initial, Call::Reactive), (Duplicate, Call::Reactive), (Duplicate, Call::NonReactive)],
        ),
        results(Hold, &[]),
        results(Hold, &[(Initial, Call::Invalid)]),
        results(Hold, &[(Initial, Call::Reactive)]),
    ]
}

/// The donation's NAT made of these, each like the good one but for its change.
fn nat(effect: Effect, changes: &'static [fn(&mut NatResult)]) -> State {
    state(effect, move |e| {
        let (like, ordered) = (e.nat[0].clone(), e.nat.split_off(1));
        let one = |change: &fn(&mut NatResult)| {
            let mut result = like.clone();
            change(&mut result);
            result
        };
        e.nat = changes.iter().map(one).chain(ordered).collect();
    })
}

fn is_ordered(n: &NatResult) -> bool {
    n.target == Some(Virus::Babesia)
}

/// What an order asks for by NAT: a test of its own.
fn ordered_nats() -> Vec<State> {
    fn nat(effect: Effect, change: fn(&mut NatResult)) -> State {
        state(effect, move |e| e.nat.iter_mut().filter(|n| is_ordered(n)).for_each(change))
    }
    vec![
        good(),
        nat(Discard, |n| n.result = Some(Call::Reactive)),
        state(Hold, |e| e.nat.retain(|n| !is_ordered(n))),
        nat(Hold, |n| n.internal_control = Some(InternalControl::Absent)),
        nat(Hold, |n| n.result = Some(Call::Pending)),
        nat(Hold, |n| n.result = Some(Call::Invalid)),
    ]
}

/// What an order asks for by serology: of one reagent, which may not be there at all.
fn ordered_reagent() -> Vec<State> {
    let missing = state(Hold, |e| e.serology.truncate(ORDERED_REAGENT));
    reagent(ORDERED_REAGENT).into_iter().chain([missing]).collect()
}

fn discriminatory(n: &mut NatResult, target: Virus) {
    n.kind = NatKind::Discriminatory;
    n.target = Some(target);
}

/// A reactive pool of this donation and another, which alone gave this; one that is invalid is so for good.
fn pool(n: &mut NatResult, other: &str, gave: Call) {
    (n.kind, n.result, n.pool) = (NatKind::Pool, Some(Call::Reactive), Some(format!("P{other}")));
    n.members = ["G123498654321", other].map(|id| id.parse().unwrap()).to_vec();
    let given_up = gave == Call::Invalid;
    let donation = other.parse().unwrap();
    n.pool_members = vec![PoolMember { donation, result: gave, targets: Vec::new(), given_up }];
}

fn nats() -> Vec<State> {
    vec![
        good(),
        nat(Discard, &[|n| (n.result, n.targets) = (Some(Call::Reactive), vec![Virus::Hiv])]),
        state(Hold, |e| e.nat.retain(is_ordered)),
        nat(Hold, &[|n| n.internal_control = Some(InternalControl::Absent)]),
        nat(Hold, &[|n| n.result = Some(Call::Pending)]),
        nat(
            Discard,
            &[
                |n| n.result = Some(Call::Reactive),
                |n| discriminatory(n, Virus::Hbv),
                |n| discriminatory(n, Virus::Hcv),
                |n| discriminatory(n, Virus::Hiv),
            ],
        ),
        nat(Good, &[|n| pool(n, "M2", Call::Reactive), |_| {}]),
        nat(Hold, &[|n| pool(n, "M2", Call::NonReactive), |_| {}]),
        nat(Hold, &[|n| pool(n, "M2", Call::Invalid), |_| {}]),
        nat(Hold, &[|n| pool(n, "M2", Call::Reactive), |n| pool(n, "M3", Call::NonReactive), |_| {}]),
        nat(Hold, &[|n| pool(n, "M3", Call::Pending), |n| pool(n, "M2", Call::Reactive), |_| {}]),
    ]
}

fn alts() -> Vec<State> {
    vec![
        good(),
        state(Discard, |e| {
            e.alt[0].u_per_l = Some("60".parse().unwrap());
            e.alt.push(e.alt[0].clone());
        }),
        state(Hold, |e| e.alt.clear()),
        state(Hold, |e| e.alt[0].u_per_l = Some("60".parse().unwrap())),
    ]
}

fn groups() -> Vec<State> {
    vec![
        good(),
        state(Hold, |e| e.grouping[0].b_cells = Some("0".parse().unwrap())),
        state(Hold, |e| e.grouping.clear()),
        state(Hold, |e| e.grouping[0].control = Some("1+".parse().unwrap())),
        state(Hold, |e| e.grouping[0].anti_d = Some(Grades(vec!["0".parse().unwrap()]))),
        state(Hold, |e| {
            let run = e.grouping[0].run.clone();
            e.grouping.push(Grouping { anti_b: "4+".parse().ok(), run, ..Grouping::default() });
        }),
        state(Hold, |e| {
            let run = e.grouping[0].run.clone();
            let iat_d = Some(Grades(vec!["0".parse().unwrap(); 2]));
            e.grouping.insert(0, Grouping { iat_d, run, ..Grouping::default() });
        }),
    ]
}

/// A change of one run. Another dimension may have taken it away.
fn of_run(id: &'static str, effect: Effect, reads: Reads, change: fn(&mut Run)) -> State {
    let id: RunId = id.parse().unwrap();
    let change = move |e: &mut Evidence| e.runs.iter_mut().filter(|run| run.id == id).for_each(change);
    State { reads, ..state(effect, change) }
}

fn runs(id: &'static str) -> Vec<State> {
    let run = |reads, change| of_run(id, Hold, reads, change);
    let gone =
        State { reads: Reads::Gone, ..state(Hold, move |e| e.runs.retain(|run| run.id.as_str() != id)) };
    vec![
        good(),
        run(Reads::Falls, |run| run.validity = Some(Validity::Invalid)),
        run(Reads::Waits, |run| run.validity = Some(Validity::Open)),
        gone,
        run(Reads::Judged, |run| run.validity = None),
        run(Reads::Judged, |run| run.analyser_overdue = Some("calibration".into())),
        run(Reads::Judged, |run| run.operator_authorised = Some(false)),
        run(Reads::Judged, |run| run.sequence_gap = Some("17".into())),
    ]
}

fn controls(id: &'static str) -> Vec<State> {
    let run = |effect, reads, change| of_run(id, effect, reads, change);
    vec![
        good(),
        run(Hold, Reads::Falls, |run| run.qc = Some(Qc::OutOfControl)),
        run(Good, Reads::Judged, |run| {
            run.qc = Some(Qc::Released);
            run.qc_release = Some(Resolution { by: "q".into(), reason: "repeated".into() });
        }),
        run(Hold, Reads::Judged, |run| run.qc = Some(Qc::Released)),
        run(Hold, Reads::Judged, |run| run.qc = Some(Qc::Open)),
        run(Hold, Reads::Judged, |run| run.qc = None),
    ]
}

fn lots(id: &'static str) -> Vec<State> {
    let run = |change| of_run(id, Hold, Reads::Judged, change);
    vec![
        good(),
        run(|run| lot(run).expires = Some("2026-02-28".parse().unwrap())),
        run(|run| lot(run).expires = None),
        run(|run| lot(run).used_on = Some("2099-01-01".parse().unwrap())),
        run(|run| lot(run).accepted = Some(false)),
        run(|run| lot(run).accepted = None),
        run(|run| lot(run).not_for = Some("assay X".into())),
        run(|run| lot(run).not_on = Some("line X".into())),
        run(|run| lot(run).on_board_exceeded = Some(true)),
        run(|run| run.tested_at = None),
        run(|run| run.untimed = true),
        run(|run| run.lots.clear()),
        run(|run| run.without_lots = vec!["assay X".into()]),
    ]
}

pub(crate) fn lot(run: &mut Run) -> &mut Lot {
    &mut run.lots[0]
}

/// A donor who was reactive for HCV, was examined and came back.
fn back(d: &mut Donor) {
    let day = |text: &str| text.parse().unwrap();
    let of = |(nth, kind, reagent): (&str, ReentryTestKind, Option<&str>)| ReentryTest {
        id: nth.into(),
        kind,
        reagent: reagent.map(str::to_owned),
        result: Call::NonReactive,
        collected_on: day("2025-09-01"),
    };
    let tests = [
        ("1", ReentryTestKind::Serology, Some("A")),
        ("2", ReentryTestKind::Serology, Some("B")),
        ("3", ReentryTestKind::Nat, None),
        ("4", ReentryTestKind::Confirmatory, None),
    ];
    reactive_before(d);
    d.register = Some(Register { state: RegisterState::Eligible, reason: None, until: None, since: None });
    d.reentry = Some(Reentry {
        marker: "HCV".into(),
        deferred_on: day("2025-01-10"),
        nat_then: Call::NonReactive,
        tests: tests.map(of).to_vec(),
        approved: Some(Resolution { by: "u9".into(), reason: "all negative".into() }),
        approved_on: ["1", "2", "3", "4"].map(str::to_owned).to_vec(),
    });
}

/// A donor who came back, of whom an examination of before had found something on that day.
fn failed(d: &mut Donor, kind: ReentryTestKind, on: &str) {
    back(d);
    let mut case = d.reentry.clone().unwrap();
    (case.approved, case.approved_on) = (None, Vec::new());
    case.tests.retain(|test| test.kind == kind);
    for test in &mut case.tests {
        (test.result, test.collected_on) = (Call::Reactive, on.parse().unwrap());
    }
    d.came_back = vec![case];
}

fn reactive_before(d: &mut Donor) {
    let results =
        vec![EarlierResult { marker: "HCV".into(), result: EarlierCall::Reactive, beyond_reentry: false }];
    d.earlier = vec![EarlierDonation {
        donation: "O1".parse().unwrap(),
        collected_at: "2025-01-10T09:00:00+08:00".parse().ok(),
        results,
        group: None,
        group_refuted_by: None,
        passed: false,
        expires: None,
    }];
}

fn donors() -> Vec<State> {
    fn donor(change: fn(&mut Donor)) -> State {
        state(Hold, move |e| change(e.donor.as_mut().unwrap()))
    }
    fn registered(state: RegisterState) -> Register {
        Register { state, reason: None, until: None, since: None }
    }
    vec![
        good(),
        donor(|d| d.deferred = Some(true)),
        donor(|d| d.history.as_mut().unwrap().abo = Some(AboGroup::O)),
        donor(|d| d.earlier = vec![before(AboGroup::O, true)]),
        donor(|d| d.earlier = vec![before(AboGroup::A, true), before(AboGroup::O, false)]),
        state(Hold, |e| e.donor = None),
        donor(|d| d.deferred = None),
        donor(|d| d.barred = Some("anti-HIV 2024".into())),
        donor(|d| d.post_donation = Some("fever".into())),
        donor(|d| d.field_abo = Some(AboGroup::B)),
        donor(|d| d.first_time = Some(true)),
        donor(|d| (d.history, d.earlier) = (None, vec![before(AboGroup::A, false)])),
        state(Good, |e| {
            let donor = e.donor.as_mut().unwrap();
            (donor.history, donor.earlier) = (None, vec![before(AboGroup::A, true)]);
        }),
        state(Good, |e| {
            let wrong = EarlierDonation {
                group_refuted_by: Some("LATER".parse().unwrap()),
                ..before(AboGroup::O, true)
            };
            e.donor.as_mut().unwrap().earlier = vec![wrong];
        }),
        donor(|d| {
            let refuted = Some("LATER".parse().unwrap());
            let same = EarlierDonation { group_refuted_by: refuted, ..before(AboGroup::A, true) };
            (d.history, d.earlier) = (None, vec![same]);
        }),
        donor(|d| d.register = Some(registered(RegisterState::TempDeferred))),
        donor(|d| {
            let since = Some("2026-03-01".parse().unwrap());
            d.register = Some(Register { since, ..registered(RegisterState::TempDeferred) });
        }),
        state(Good, |e| {
            let since = Some("2026-03-02".parse().unwrap());
            let line = Register { since, ..registered(RegisterState::TempDeferred) };
            e.donor.as_mut().unwrap().register = Some(line);
        }),
        donor(|d| d.register = Some(registered(RegisterState::ReentryTesting))),
        donor(|d| d.register = Some(registered(RegisterState::PermDeferred))),
        donor(reactive_before),
        state(Good, |e| back(e.donor.as_mut().unwrap())),
        donor(|d| {
            back(d);
            d.earlier[0].results[0].result = EarlierCall::ConfirmedPositive;
        }),
        donor(|d| {
            back(d);
            d.earlier[0].results[0].beyond_reentry = true;
        }),
        donor(|d| {
            back(d);
            d.earlier[0].collected_at = "2025-12-01T09:00:00+08:00".parse().ok();
        }),
        // It was found after the day that the examination names, and half a year had not passed.
        donor(|d| {
            back(d);
            d.earlier[0].collected_at = "2025-03-02T09:00:00+08:00".parse().ok();
        }),
        donor(|d| {
            back(d);
            d.reentry.as_mut().unwrap().tests[0].collected_on = "2099-01-01".parse().unwrap();
        }),
        donor(|d| {
            back(d);
            d.reentry.as_mut().unwrap().approved = None;
        }),
        // Another examination was begun since.
        state(Good, |e| {
            let d = e.donor.as_mut().unwrap();
            back(d);
            let now = Reentry { marker: "HIV".into(), approved: None, ..d.reentry.clone().unwrap() };
            d.came_back.extend(d.reentry.replace(now));
        }),
        donor(|d| {
            back(d);
            d.came_back.extend(d.reentry.take());
            d.came_back[0].approved = None;
        }),
        // One of before found it, by serology: who waited after that and was examined again comes back.
        state(Good, |e| failed(e.donor.as_mut().unwrap(), ReentryTestKind::Serology, "2025-02-01")),
        donor(|d| failed(d, ReentryTestKind::Serology, "2025-03-02")),
        donor(|d| failed(d, ReentryTestKind::Nat, "2025-02-01")),
        donor(|d| failed(d, ReentryTestKind::Confirmatory, "2025-02-01")),
        donor(|d| {
            failed(d, ReentryTestKind::Serology, "2025-02-01");
            d.reentry = None;
            d.earlier.clear();
        }),
        donor(|d| d.later = vec![LaterFinding { donation: "L1".parse().unwrap(), marker: "HIV".into() }]),
    ]
}

/// An earlier donation of this group, by a final verdict or by hearsay.
fn before(abo: AboGroup, is_final: bool) -> EarlierDonation {
    EarlierDonation {
        donation: "OLD1".parse().unwrap(),
        collected_at: None,
        results: Vec::new(),
        group: Some(EarlierGroup { abo: Some(abo), rhd: Some(RhD::Positive), is_final }),
        group_refuted_by: None,
        passed: false,
        expires: None,
    }
}

fn signatures() -> Vec<State> {
    vec![
        good(),
        state(Bars, |e| e.signatures[0].by = "U2 ".into()),
        state(Bars, |e| e.signatures.clear()),
        state(Bars, |e| e.signatures.truncate(1)),
        state(Bars, |e| e.signatures[1].authorised = Some(false)),
        // One person, who sets the two persons' gate aside.
        state(Bars, |e| {
            e.signatures[0].by = "u2".into();
            e.overrides =
                vec![Override { gate: "R-GATE-10".into(), by: "u2".into(), reason: "night shift".into() }];
        }),
    ]
}

fn surroundings() -> Vec<State> {
    vec![
        good(),
        state(Hold, |e| e.findings = vec![OpenFinding { finding: "x".into(), what: "y".into() }]),
        state(Bars, |e| e.batch = Some(Batch { failing: 1, located: 0 })),
        state(Hold, |e| e.collected_at = None),
        state(Hold, |e| e.identity = Some(Identity { manual_entry: true, ..Identity::default() })),
    ]
}

/// All of them: tests, runs with their controls and lots, and the rest.
pub(crate) fn dimensions() -> Vec<Dimension> {
    let mut all = Vec::new();
    let mut put = |name: String, run, states: Vec<State>, [tests, around, joint]: [(usize, usize); 3]| {
        all.push(Dimension { name, run, states, sizes: Sizes { tests, around, joint } });
    };
    let alone = (1, 1);
    for (at, marker) in ["HBV", "HCV", "HIV", "syphilis"].into_iter().enumerate() {
        let joint = if at == 0 { (3, 3) } else { alone };
        put(format!("{marker}, first reagent"), Some("E1"), reagent(2 * at), [(3, 5), alone, joint]);
        let (tests, joint) = if at == 0 { ((3, 3), (2, 3)) } else { ((1, 3), alone) };
        put(format!("{marker}, second reagent"), Some("E2"), reagent(2 * at + 1), [tests, alone, joint]);
    }
    put("NAT".into(), Some("N1"), nats(), [(3, 10), alone, (3, 5)]);
    let reagent_run = Some(REAGENT_RUNS[ORDERED_REAGENT % 2]);
    put("ordered reagent".into(), reagent_run, ordered_reagent(), [(2, 3), alone, alone]);
    put("ordered NAT".into(), Some("N1"), ordered_nats(), [(2, 3), alone, alone]);
    put("ALT".into(), Some("C1"), alts(), [(3, 4), alone, (2, 2)]);
    put("group".into(), Some("G1"), groups(), [(3, 5), alone, (2, 2)]);
    for id in RUNS {
        let whole = id != "E2";
        let more = |few: usize, many: usize| if whole { (few, many) } else { alone };
        let reagents = id == "E1";
        put(
            format!("run {id}"),
            Some(id),
            runs(id),
            [alone, more(2, 3), more(if reagents { 4 } else { 2 }, 4)],
        );
        let control = if reagents { 2 } else { 1 };
        put(format!("control of {id}"), Some(id), controls(id), [alone, more(2, 3), more(control, 2)]);
        put(format!("lot of {id}"), Some(id), lots(id), [alone, more(control, 2), more(1, 1)]);
    }
    put("donor".into(), None, donors(), [alone, (2, 3), (2, 2)]);
    put("signatures".into(), None, signatures(), [alone, (2, 3), (2, 2)]);
    put("surroundings".into(), None, surroundings(), [alone, (2, 3), (2, 2)]);
    all
}

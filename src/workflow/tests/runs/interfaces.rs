//! What goes wrong on a line while a run is under way closes R-GATE-15 for its results, until it is settled.

use crate::house::{House, interpreted, line};
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use ledger::{Body, Draft, Earlier, FaultKind, HowEnded, Measured, ObservationRef, Page, Seq, Terms, What};
use release::GateId;
use vocabulary::{ConnectionId, Consequence, Finding, Mode, Observation, ProfileRef, Protocol};
use workflow::tasks::TaskKind;

const RUN: &str = "line/E1";

/// What a result is to one that came before.
type Relation = fn(ObservationRef) -> Earlier;

/// What goes wrong.
type Goes<'a> = &'a dyn Fn(&House) -> Seq;

fn profile() -> ProfileRef {
    ProfileRef { id: "maker/model".into(), revision: "1".into() }
}

fn sample(run: &str, donation: &str) -> Observation {
    plate_sample(run, donation, "0.020", "0.105")
}

/// The first message of a run: its controls and a donation.
fn begins(house: &House, run: &str, donation: &str) -> Seq {
    let mut plate = plate_controls(run, GOOD_PLATE);
    plate.push(sample(run, donation));
    house.says(&plate)
}

/// A transmission begins; another entry ends it.
fn frame(house: &House, on: &ConnectionId, (transfer, mode): (u64, Option<Mode>)) {
    let terms = mode.map(|mode| Terms { mode, profile: profile() });
    house.append(What::FrameReceived {
        connection: on.clone(),
        transfer,
        number: None,
        end: true,
        text: b"H|".as_slice().into(),
        terms,
    });
}

fn ends(house: &House, on: &ConnectionId, transfer: u64) -> Seq {
    house.append(What::TransferEnded { connection: on.clone(), transfer, how: HowEnded::Timeout })
}

fn breaks_off(house: &House, on: &ConnectionId, transfer: (u64, Option<Mode>)) -> Seq {
    frame(house, on, transfer);
    ends(house, on, transfer.0)
}

fn means(house: &House, message: Seq, findings: Vec<Finding>, continues: Vec<u64>) {
    house.append(What::MessageInterpreted {
        message,
        profile: profile(),
        observations: vec![],
        findings,
        donations: vec![],
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues,
        pools: ledger::Pools::default(),
        part: 0,
        last: true,
    });
}

fn message(house: &House, on: &ConnectionId, mode: Mode) -> Seq {
    let body = Body::Whole(b"-".as_slice().into());
    let (connection, protocol) = (on.clone(), Protocol::Lis02);
    house.append(What::MessageReceived { connection, mode, profile: profile(), protocol, body })
}

fn finding(consequence: Consequence) -> Finding {
    let (finding, place, what) = ("unexpected_message".into(), "MSH".into(), "x".into());
    Finding { finding, place, what, consequence, specimen: None }
}

/// A message that nobody can use.
fn held(house: &House, on: &ConnectionId, mode: Mode, consequence: Consequence) -> Seq {
    let held = message(house, on, mode);
    means(house, held, vec![finding(consequence)], vec![]);
    held
}

fn acknowledged(house: &House, by: &str, fault: Seq) {
    let what = What::FaultAcknowledged { fault, why: "looked at".into() };
    let seq = house.ledger.append(vec![Draft { by: by.into(), what }]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(seq).wait().unwrap();
}

/// What the gate says against a donation, in both languages; nothing where it is open.
fn against(house: &House, donation: &str) -> Option<(String, String)> {
    let (verdict, _) = house.judged(donation);
    let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Interfaces).unwrap();
    (!gate.pass).then(|| (gate.why.to_string(), gate.why_zh.to_string()))
}

fn closed(house: &House) -> Vec<&'static str> {
    ["D1", "D2", "D3"].into_iter().filter(|donation| against(house, donation).is_some()).collect()
}

/// Donations that wait to be decided anew.
fn reopened(house: &House) -> Vec<String> {
    let items = house.ledger.state().to_decide(&Page::first(100)).unwrap().items;
    let mut donations: Vec<String> = items.iter().map(|item| item.donation.to_string()).collect();
    donations.sort();
    donations
}

#[test]
fn what_goes_wrong_between_the_first_and_the_last_message_of_a_run_closes_the_gate_for_its_results() {
    let other = ConnectionId::new("other").unwrap();
    let all = || vec!["D1", "D2"];
    let production = Some(Mode::Production);
    let cases: [(&str, Goes<'_>, Vec<&str>); 8] = [
        ("nothing", &|_| Seq::NONE, vec![]),
        ("broken off", &|house| breaks_off(house, &line(), (1, production)), all()),
        ("of an older ledger", &|house| breaks_off(house, &line(), (1, None)), all()),
        ("tried out", &|house| breaks_off(house, &line(), (1, Some(Mode::Qualification))), vec![]),
        ("another line", &|house| breaks_off(house, &other, (1, production)), vec![]),
        ("quarantined", &|house| held(house, &line(), Mode::Production, Consequence::Quarantine), all()),
        // It holds whom it names, and says whom it names.
        ("held", &|house| held(house, &line(), Mode::Production, Consequence::Hold), vec![]),
        ("tried out", &|house| held(house, &line(), Mode::Simulation, Consequence::Quarantine), vec![]),
    ];
    for (what, goes, expect) in cases {
        let house = House::new("cn-2019");
        begins(&house, RUN, "D1");
        goes(&house);
        house.says(&[sample(RUN, "D2")]);
        begins(&house, "line/E2", "D3");
        house.works();
        assert_eq!(closed(&house), expect, "{what}");
    }
}

#[test]
fn the_gate_names_what_it_was_and_what_to_do_and_counts_what_it_does_not_name() {
    let house = House::new("cn-2019");
    begins(&house, RUN, "D1");
    let half = breaks_off(&house, &line(), (7, Some(Mode::Production)));
    let quarantined = held(&house, &line(), Mode::Production, Consequence::Quarantine);
    house.says(&[sample(RUN, "D2")]);
    let (en, zh) = against(&house, "D2").unwrap();
    for said in [
        format!("hemogate quarantine show {quarantined}"),
        format!("hemogate faults acknowledge {quarantined}"),
        format!("hemogate faults acknowledge {half}"),
        "unexpected_message".to_owned(),
    ] {
        assert!(en.contains(&said) && zh.contains(&said), "{said}: {en} {zh}");
    }
    assert!(en.contains("half transmission 7") && zh.contains("残缺传输 7"), "{en} {zh}");
    assert!(!en.contains("and more"), "{en}");
    let tasks =
        workflow::tasks::open(&house.settings, &house.ledger.state(), jiff::Timestamp::now()).unwrap();
    let tasks: Vec<_> = tasks.items.iter().map(|task| (task.kind, task.id)).collect();
    assert_eq!(tasks, [half, quarantined].map(|fault| (TaskKind::InterfaceFault, fault)));
    for transfer in 8..10 {
        breaks_off(&house, &line(), (transfer, Some(Mode::Production)));
    }
    house.says(&[sample(RUN, "D3")]);
    let (en, zh) = against(&house, "D2").unwrap();
    assert!(en.contains("and more") && zh.contains("另有更多"), "{en} {zh}");
}

#[test]
fn a_task_is_seen_behind_any_number_of_faults_that_no_run_waits_for_and_more_are_told_of() {
    let house = House::new("cn-2019");
    for transfer in 1..=1_001 {
        breaks_off(&house, &line(), (transfer, Some(Mode::Production)));
    }
    begins(&house, RUN, "D1");
    let fault = breaks_off(&house, &line(), (2_000, Some(Mode::Production)));
    house.says(&[sample(RUN, "D2")]);
    let open =
        || workflow::tasks::open(&house.settings, &house.ledger.state(), jiff::Timestamp::now()).unwrap();
    let tasks: Vec<_> = open().items.iter().map(|task| (task.kind, task.id)).collect();
    assert_eq!(tasks, [(TaskKind::InterfaceFault, fault)]);
    assert!(open().more.is_empty());
    for transfer in 3_000..4_000 {
        breaks_off(&house, &line(), (transfer, Some(Mode::Production)));
    }
    house.says(&[sample(RUN, "D3")]);
    let open = open();
    assert_eq!(
        (open.items.len(), open.more.into_iter().collect::<Vec<_>>()),
        (1_000, vec![TaskKind::InterfaceFault])
    );
}

#[test]
fn a_run_hears_of_it_when_the_later_of_the_two_comes_and_nobody_else_is_decided_anew() {
    let house = House::new("cn-2019");
    begins(&house, "line/E0", "D0");
    begins(&house, RUN, "D1");
    house.works();
    breaks_off(&house, &line(), (1, Some(Mode::Production)));
    assert!(closed(&house).is_empty() && reopened(&house).is_empty(), "nothing of the run has come since");
    house.says(&[sample(RUN, "D2")]);
    assert_eq!(reopened(&house), ["D1", "D2"]);
    assert_eq!(closed(&house), ["D1", "D2"]);
    house.works();
    house.says(&[sample(RUN, "D3")]);
    assert_eq!(reopened(&house), ["D3"], "they have heard of it");
    // Within one transmission: a part of it came whole, and the rest did not.
    let house = House::new("cn-2019");
    frame(&house, &line(), (1, Some(Mode::Production)));
    begins(&house, RUN, "D1");
    house.works();
    ends(&house, &line(), 1);
    assert_eq!((closed(&house), reopened(&house)), (vec!["D1"], vec!["D1".to_owned()]));
}

#[test]
fn what_was_sent_before_word_for_word_draws_nothing_into_its_run_and_whatever_is_new_does() {
    for (what, relation, expect) in [
        ("the same again", Earlier::RepeatOf as Relation, vec![]),
        ("a correction", Earlier::Corrects, vec!["D1"]),
        ("another value", Earlier::DiffersFrom, vec!["D1"]),
        ("overtaken by its correction", Earlier::OutdatedBy, vec!["D1"]),
    ] {
        let house = House::new("cn-2019");
        let first = begins(&house, RUN, "D1");
        house.works();
        breaks_off(&house, &line(), (1, Some(Mode::Production)));
        let again = message(&house, &line(), Mode::Production);
        let mut means = interpreted(again, profile(), &[sample(RUN, "D1")]);
        if let What::MessageInterpreted { measured, .. } = &mut means {
            let earlier = Some(relation(ObservationRef { message: first, place: 0 }));
            measured.push(Measured { index: 0, place: 0, identity: 1, outcome: 1, earlier });
        }
        house.append(means);
        assert_eq!(closed(&house), expect, "{what}");
        // What lies between still falls into it when it goes on.
        house.says(&[sample(RUN, "D2")]);
        assert_eq!(closed(&house), ["D1", "D2"], "{what}");
    }
}

#[test]
fn it_opens_when_a_person_has_looked_at_it_and_only_then() {
    for broken_off in [true, false] {
        let house = House::new("cn-2019");
        begins(&house, RUN, "D1");
        let fault = if broken_off {
            breaks_off(&house, &line(), (1, Some(Mode::Production)))
        } else {
            held(&house, &line(), Mode::Production, Consequence::Quarantine)
        };
        house.says(&[sample(RUN, "D2")]);
        begins(&house, "line/E2", "D3");
        house.works();
        let open = house.ledger.state().faults(Some(&line()), &Page::first(9)).unwrap().items;
        let kind = if broken_off { FaultKind::BrokenOff { transfer: 1 } } else { FaultKind::Quarantined };
        assert_eq!(open.iter().map(|open| (open.fault, open.kind)).collect::<Vec<_>>(), [(fault, kind)]);
        assert_eq!(open[0].runs.iter().map(ToString::to_string).collect::<Vec<_>>(), [RUN]);
        let misfits = || house.ledger.state().counters().unwrap().misfits;
        acknowledged(&house, "system", fault);
        acknowledged(&house, "user:qc", Seq::new(1));
        assert_eq!((closed(&house), misfits()), (vec!["D1", "D2"], 2));
        acknowledged(&house, "user:qc", fault);
        assert_eq!((closed(&house), misfits()), (vec![], 2));
        assert_eq!(reopened(&house), ["D1", "D2"]);
        for (donation, is_told) in [("D1", true), ("D2", true), ("D3", false)] {
            let (verdict, _) = house.judged(donation);
            let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Interfaces).unwrap();
            let told = gate.why.contains(&format!("fault {fault} was acknowledged by qc"));
            assert_eq!((gate.pass, told), (true, is_told), "{donation}: {}", gate.why);
        }
        assert!(house.ledger.state().faults(None, &Page::first(9)).unwrap().items.is_empty());
        acknowledged(&house, "user:qc", fault);
        assert_eq!(misfits(), 3, "once");
    }
}

#[test]
fn it_opens_when_the_message_is_read_otherwise_and_when_the_rest_of_a_transmission_comes() {
    let house = House::new("cn-2019");
    begins(&house, RUN, "D1");
    let quarantined = held(&house, &line(), Mode::Production, Consequence::Quarantine);
    house.says(&[sample(RUN, "D2")]);
    means(&house, quarantined, vec![finding(Consequence::Note)], vec![]);
    assert!(closed(&house).is_empty());
    // Read otherwise once more, and looked at by nobody: it falls into the run that has ended long ago.
    house.works();
    means(&house, quarantined, vec![finding(Consequence::Quarantine)], vec![]);
    assert_eq!(
        (closed(&house), reopened(&house)),
        (vec!["D1", "D2"], vec!["D1".to_owned(), "D2".to_owned()])
    );

    let house = House::new("cn-2019");
    begins(&house, RUN, "D1");
    breaks_off(&house, &line(), (1, Some(Mode::Production)));
    let rest = message(&house, &line(), Mode::Production);
    means(&house, rest, vec![], vec![1]);
    house.says(&[sample(RUN, "D2")]);
    assert!(closed(&house).is_empty());
    means(&house, rest, vec![], vec![]);
    assert_eq!(closed(&house), ["D1", "D2"], "it is not its rest after all");
}

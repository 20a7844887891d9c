//! Holds of people, in a batch or not, and the repeat of an invalid run, on a real ledger.

use super::tests::Station;
use super::*;
use crate::people;
use ledger::{Body, HoldStands, Page, Pools, RunCause, VerdictMade};
use release::{GateId, explain, read_case};
use vocabulary::{
    ConnectionId, Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus, Role, RunId, Source,
    SpecimenId, SpecimenKind, Value,
};

/// A donation that every gate lets go, signatures included.
const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

fn says(station: &Station, who: &Actor, donation: &str, word: (HoldKind, &str)) -> Result<Seq, Refused> {
    hold(&station.settings, &station.ledger, who, (None, &[donation.to_owned()]), word)
}

fn lets_go(station: &Station, who: &Actor, donation: &str) -> Result<Seq, Refused> {
    lift(&station.settings, &station.ledger, who, (None, &[donation.to_owned()]), "settled")
}

fn standing(station: &Station, donation: &str) -> Vec<HoldStands> {
    station.ledger.state().by_people(&DonationId::new(donation).unwrap()).unwrap().holds
}

/// The gates that a person's word closes.
fn closed(station: &Station, donation: &str) -> Vec<(GateId, String)> {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
    let of_people = |gate: &&release::Gate| gate.why.contains("held by ");
    verdict.gates().iter().filter(of_people).map(|gate| (gate.id, gate.why.to_string())).collect()
}

/// An analyser sends a result of G1 in a run.
fn results_of(station: &Station, run: &RunId) {
    let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
    let message = station.write(What::MessageReceived {
        connection: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: profile.clone(),
        protocol: Protocol::Lis02,
        body: Body::Whole(run.as_str().as_bytes().into()),
    });
    let observation = Observation {
        specimen: SpecimenId::new("G1").ok(),
        instrument: None,
        assay: "ALT".into(),
        marker: Marker::Alt,
        kind: SpecimenKind::Patient,
        value: Value::default(),
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(run.clone()),
        lots: vec![],
        completed_at: None,
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    };
    station.write(What::MessageInterpreted {
        message,
        profile,
        donations: vec![(0, DonationId::new("G1").unwrap())],
        observations: vec![observation],
        findings: vec![],
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools: Pools::default(),
        part: 0,
        last: true,
    });
}

#[test]
fn a_donation_is_held_without_a_batch_and_whoever_may_lift_it_does() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let reviewer = station.person("rev", Role::Reviewer);
    assert_eq!(closed(&station, "G1"), []);
    says(&station, &technician, "G1", (HoldKind::PostDonation, "rang up: fever")).unwrap();
    let gates: Vec<GateId> = closed(&station, "G1").into_iter().map(|(gate, _)| gate).collect();
    assert_eq!(gates, [GateId::Donor, GateId::Interfaces]);
    let refused = lets_go(&station, &technician, "G1");
    assert_eq!(refused, Err(Refused::Person(people::Refused::NotPermitted { act: Act::LiftHold })));
    lets_go(&station, &reviewer, "G1").unwrap();
    assert_eq!(closed(&station, "G1"), []);
    assert!(matches!(lets_go(&station, &reviewer, "G1"), Err(Refused::NotHeld(_))));
    let nobody = station.person("sys", Role::AuditAdministrator);
    assert!(matches!(says(&station, &nobody, "G1", (HoldKind::Laboratory, "x")), Err(Refused::Person(_))));
}

#[test]
fn a_misspelt_number_is_refused_and_not_held_in_the_right_ones_place() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let word = (HoldKind::PostDonation, "rang up");
    let unknown = Refused::NoSuchDonation(DonationId::new("G11").unwrap());
    assert_eq!(says(&station, &technician, "G11", word), Err(unknown));
    assert_eq!(says(&station, &technician, "G1", (word.0, " ")), Err(Refused::Text { field: "reason" }));
    assert_eq!(standing(&station, "G11").len() + standing(&station, "G1").len(), 0);
}

#[test]
fn one_hold_takes_nothing_from_another() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    says(&station, &technician, "G1", (HoldKind::PostDonation, "rang up: fever")).unwrap();
    says(&station, &technician, "G1", (HoldKind::PostDonation, "rang up: a rash")).unwrap();
    says(&station, &technician, "G1", (HoldKind::Laboratory, "the bag leaks")).unwrap();
    let gates = closed(&station, "G1");
    let of_donor = gates.iter().find(|(gate, _)| *gate == GateId::Donor).unwrap();
    assert!(of_donor.1.contains("fever") && of_donor.1.contains("rash"), "{of_donor:?}");
    assert_eq!(standing(&station, "G1").len(), 3);
}

#[test]
fn what_a_donor_said_stays_however_often_the_laboratory_holds_it() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    for _ in 0..ledger::HOLDS_MAX {
        says(&station, &technician, "G1", (HoldKind::Laboratory, "again")).unwrap();
    }
    let full = says(&station, &technician, "G1", (HoldKind::Laboratory, "again"));
    assert_eq!(full, Err(Refused::HeldOften(DonationId::new("G1").unwrap())));
    // Several write at once: whatever the ledger takes, a donor's word is not what it leaves out.
    station.write(What::Signed(SignedAct::DonationsHeld {
        donations: vec![DonationId::new("G1").unwrap()],
        kind: HoldKind::PostDonation,
        reason: "rang up".into(),
    }));
    let holds = standing(&station, "G1");
    assert_eq!(holds.len(), ledger::HOLDS_MAX);
    assert_eq!(holds.last().unwrap().kind, HoldKind::PostDonation);
}

#[test]
fn a_hold_that_nobody_had_seen_is_not_lifted() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let seen = says(&station, &technician, "G1", (HoldKind::Laboratory, "the bag leaks")).unwrap();
    says(&station, &technician, "G1", (HoldKind::Laboratory, "and its label is torn")).unwrap();
    let lifted = |seen| SignedAct::HoldsLifted {
        donations: vec![DonationId::new("G1").unwrap()],
        reason: "it does not".into(),
        seen,
    };
    station.write(What::Signed(lifted(Some(seen))));
    let left: Vec<String> = standing(&station, "G1").into_iter().map(|hold| hold.reason).collect();
    assert_eq!(left, ["and its label is torn"]);
    // As an older ledger has it.
    station.write(What::Signed(lifted(None)));
    assert_eq!(standing(&station, "G1"), []);
}

#[test]
fn a_hold_after_release_calls_the_donation_back() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let verdict = explain(&read_case(RELEASABLE).unwrap(), &station.settings.pack);
    let donation = verdict.donation().clone();
    let works = || while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {};
    works();
    station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()));
    works();
    let recalls = || station.ledger.state().recalls(true, &Page::first(9)).unwrap().items;
    assert_eq!(recalls(), []);
    says(&station, &technician, donation.as_str(), (HoldKind::PostDonation, "rang up: fever")).unwrap();
    works();
    let of: Vec<DonationId> = recalls().into_iter().map(|recall| recall.about.donation).collect();
    assert_eq!(of, [donation]);
}

#[test]
fn the_repeat_of_an_invalid_run_is_named_once_and_waited_for_until_then() {
    let station = Station::new();
    let qc = station.person("qc", Role::QcOfficer);
    let [run, repeat, other] = ["T1", "T2", "T3"].map(|run| RunId::new(run).unwrap());
    for known in [&run, &repeat, &other] {
        results_of(&station, known);
    }
    let names = |who: &Actor, repeat: &RunId| name_repeat(&station.ledger, who, (&run, repeat));
    assert_eq!(names(&qc, &repeat), Err(Refused::NotInvalid(run.clone())));
    let invalid = Invalid { reason: "washer".into(), cause: Some(RunCause::Equipment), repeated_in: None };
    invalidate_run(&station.settings, &station.ledger, &qc, (&run, &invalid)).unwrap();
    let waits = || {
        let open = crate::tasks::open(&station.settings, &station.ledger.state(), jiff::Timestamp::now());
        let kinds = open.unwrap().items.into_iter().map(|task| (task.kind, task.run));
        kinds.filter(|(kind, _)| *kind == crate::tasks::TaskKind::RunRepeat).collect::<Vec<_>>()
    };
    assert_eq!(waits(), [(crate::tasks::TaskKind::RunRepeat, Some(run.clone()))]);
    let technician = station.person("tech", Role::Technician);
    assert!(matches!(names(&technician, &repeat), Err(Refused::Person(_))));
    assert_eq!(names(&qc, &run), Err(Refused::RepeatedInItself(run.clone())));
    let misspelt = RunId::new("T22").unwrap();
    assert_eq!(names(&qc, &misspelt), Err(Refused::NoSuchRun(misspelt.clone())));
    let entry = names(&qc, &repeat).unwrap();
    assert_eq!(waits(), []);
    let said = station.ledger.state().run_invalidated(&run).unwrap().unwrap();
    assert_eq!((said.repeated_in.as_ref(), said.repeat_named.unwrap().entry), (Some(&repeat), entry));
    let taken = Refused::RepeatNamed { run: run.clone(), repeated_in: repeat.clone() };
    assert_eq!(names(&qc, &other), Err(taken));
}

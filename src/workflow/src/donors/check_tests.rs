//! Numbers that were typed in, and duplicates on another lot, on a real ledger: what two people say, and of what.

use super::*;
use crate::batches::{Agreed, tests::Station};
use crate::people;
use ledger::{Body, DonorAct, Pools};
use release::{Flag, Gate, GateId, SeroState, Verdict, decide};
use vocabulary::{
    ConnectionId, Consequence, ControlReading, Expected, Finding, Interpretation, LotRole, LotUse, Marker,
    Mode, Observation, PoolId, ProfileRef, Protocol, ResultStatus, Role, Source, SpecimenId, SpecimenKind,
    Value,
};

const WHY: &str = "the label was read again";

fn received(station: &Station) -> (Seq, ProfileRef) {
    let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
    let message = station.write(What::MessageReceived {
        connection: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: profile.clone(),
        protocol: Protocol::Lis02,
        body: Body::Whole(b"-".as_slice().into()),
    });
    (message, profile)
}

fn means(station: &Station, observations: Vec<Observation>, findings: Vec<Finding>) -> Seq {
    let (message, profile) = received(station);
    let known = |specimen: &str| DonationId::new(specimen).unwrap();
    let of = (0..).zip(&observations).filter(|(_, o)| o.kind == SpecimenKind::Patient);
    let donations = of.map(|(at, o)| (at, known(o.specimen.as_ref().unwrap().as_str()))).collect();
    let holds = (0..).zip(&findings).map(|(at, f)| (at, known(f.specimen.as_ref().unwrap()))).collect();
    station.write(What::MessageInterpreted {
        message,
        profile,
        observations,
        findings,
        donations,
        holds,
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools: Pools::default(),
        part: 0,
        last: true,
    });
    message
}

/// An analyser says that the number of a donation was typed in.
fn typed_in(station: &Station, donation: &str) -> Seq {
    let finding = Finding {
        finding: "typed_identifier".into(),
        place: "R|1 field 7 (bytes 3–9)".into(),
        what: "flag MANID: the specimen id was typed by hand".into(),
        consequence: Consequence::Hold,
        specimen: Some(donation.into()),
    };
    means(station, vec![], vec![finding])
}

fn facts(station: &Station, donation: &str) -> DonationFacts {
    let donation = DonationId::new(donation).unwrap();
    crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap()
}

fn gate_09(facts: &DonationFacts, settings: &Settings) -> Gate {
    let verdict = decide(&crate::evidence(facts, settings), &settings.pack);
    verdict.gates().iter().find(|gate| gate.id == GateId::Identity).unwrap().clone()
}

fn checks(station: &Station, who: &Actor, donation: &str) -> Result<Agreed, Refused> {
    check_number(&station.settings, &station.ledger, who, (donation, WHY))
}

#[test]
fn a_typed_number_closes_gate_09_until_two_different_people_have_compared_it() {
    let station = Station::new();
    let (first, second) = (station.person("tech", Role::Technician), station.person("rev", Role::Reviewer));
    let gate = || gate_09(&facts(&station, "G1"), &station.settings);
    assert!(gate().pass);
    assert_eq!(checks(&station, &first, "G1"), Err(Refused::NothingTyped(DonationId::new("G1").unwrap())));
    typed_in(&station, "G1");
    let closed = gate();
    assert!(!closed.pass && closed.why.contains("typed in"), "{closed:?}");
    assert!(closed.why_zh.contains("手工录入"), "{closed:?}");
    assert!(closed.remedy.unwrap().contains("hemogate donation check-number"), "{closed:?}");
    assert_eq!(facts(&station, "G1").findings, [], "and is no fault of an interface beside it");
    let qc = station.person("qc", Role::QcOfficer);
    let refused = checks(&station, &qc, "G1");
    assert_eq!(refused, Err(Refused::Person(people::Refused::NotPermitted { act: Act::CheckNumber })));
    assert!(matches!(checks(&station, &first, "G1"), Ok(Agreed::Proposed { .. })));
    assert_eq!(checks(&station, &first, "G1"), Err(Refused::SaidAlready));
    assert!(!gate().pass, "one person alone opens nothing");
    let [seen] = typed_numbers(&facts(&station, "G1")).try_into().unwrap();
    assert_eq!(
        (seen.checked_by.as_slice(), seen.number.specimen.as_deref()),
        (["tech".to_owned()].as_slice(), Some("G1"))
    );
    assert!(matches!(checks(&station, &second, "G1"), Ok(Agreed::Done { .. })));
    assert!(gate().pass);
    assert!(gate_09(&facts(&station, "G2"), &station.settings).pass, "nobody typed that one in");
}

#[test]
fn what_is_typed_in_later_is_not_among_what_was_compared() {
    let station = Station::new();
    let people = [station.person("tech", Role::Technician), station.person("rev", Role::Reviewer)];
    typed_in(&station, "G1");
    for who in &people {
        checks(&station, who, "G1").unwrap();
    }
    assert!(gate_09(&facts(&station, "G1"), &station.settings).pass);
    typed_in(&station, "G1");
    assert!(!gate_09(&facts(&station, "G1"), &station.settings).pass);
    assert!(matches!(checks(&station, &people[1], "G1"), Ok(Agreed::Proposed { .. })));
    assert!(matches!(checks(&station, &people[0], "G1"), Ok(Agreed::Done { .. })));
    assert!(gate_09(&facts(&station, "G1"), &station.settings).pass);
}

#[test]
fn a_word_that_no_person_wrote_counts_for_nothing() {
    let station = Station::new();
    let message = typed_in(&station, "G1");
    checks(&station, &station.person("tech", Role::Technician), "G1").unwrap();
    station.write(What::Donor(DonorAct::NumberChecked {
        donation: DonationId::new("G1").unwrap(),
        rows: vec![ledger::RowAt { message, record: "R|1 field 7 (bytes 3–9)".into() }],
        reason: WHY.into(),
    }));
    assert!(!gate_09(&facts(&station, "G1"), &station.settings).pass);
}

#[test]
fn one_persons_reason_does_not_set_gate_09_aside_for_what_was_typed_in() {
    let station = Station::new();
    typed_in(&station, "G1");
    let set_aside = |facts: &mut DonationFacts| station.sets_aside(facts, "R-GATE-09", "surely his");
    let mut typed = facts(&station, "G1");
    set_aside(&mut typed);
    assert!(!gate_09(&typed, &station.settings).is_satisfied());
    // What closes it otherwise is set aside where the pack allows it, as before.
    let mut scanned = facts(&station, "G2");
    scanned.scans = vec!["G2".into(), "G2 ".into()];
    set_aside(&mut scanned);
    assert!(gate_09(&scanned, &station.settings).is_satisfied());
}

#[test]
fn a_pool_whose_number_was_typed_in_waits_member_by_member() {
    let station = Station::new();
    let (message, profile) = received(&station);
    let donation = |number: &str| DonationId::new(number).unwrap();
    let pool = PoolId::new("P1").unwrap();
    let member = |number: &str| ledger::PoolMember {
        donation: Some(donation(number)),
        aspiration: vocabulary::Aspiration {
            position: Some(number.into()),
            barcode: SpecimenId::new(number).ok(),
            wrong: vec![],
            said: None,
            volume: None,
            at: None,
            record: "row 1".into(),
        },
    };
    let finding = Finding {
        finding: "typed_identifier".into(),
        place: "row 1".into(),
        what: "typed".into(),
        consequence: Consequence::Hold,
        specimen: Some("P1".into()),
    };
    let made = ledger::PoolMade {
        pool: pool.clone(),
        run: "W1".into(),
        size: 2,
        members: ["G1", "G2"].map(member).to_vec(),
    };
    station.write(What::MessageInterpreted {
        message,
        profile,
        observations: vec![],
        findings: vec![finding],
        donations: vec![],
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools: Pools { made: vec![made], results: vec![], holds: vec![(0, pool)] },
        part: 0,
        last: true,
    });
    let is_open = |number: &str| gate_09(&facts(&station, number), &station.settings).pass;
    assert_eq!(["G1", "G2", "G3"].map(is_open), [false, false, true]);
    for (user, role) in [("tech", Role::Technician), ("ref", Role::ReferenceLaboratory)] {
        checks(&station, &station.person(user, role), "G1").unwrap();
    }
    assert_eq!(["G1", "G2", "G3"].map(is_open), [true, false, true]);
}

const ASSAY: &str = "ELISA HBsAg";

fn well((run, lot): (&str, &str), kind: SpecimenKind, (name, od): (&str, &str)) -> Observation {
    Observation {
        specimen: None,
        instrument: Some("A1".into()),
        assay: ASSAY.into(),
        marker: Marker::HBsAg,
        kind,
        value: Value { raw: od.into(), od: Some(od.parse().unwrap()), ..Value::default() },
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(RunId::new(run).unwrap()),
        lots: vec![LotUse { role: LotRole::Reagent, name: None, lot: lot.into(), expires: None }],
        completed_at: Some("2026-03-01T15:00:00Z".into()),
        replicate: Some(name.into()),
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

fn of_g1(mut sample: Observation) -> Observation {
    sample.specimen = SpecimenId::new("G1").ok();
    sample.value.cutoff = "0.105".parse().ok();
    let reactive = sample.value.od >= sample.value.cutoff;
    let call = if reactive { Interpretation::Reactive } else { Interpretation::NonReactive };
    sample.value.interpretation = Some(call);
    sample
}

/// A plate of the shipped kit with good controls, and wells of G1.
fn plate(station: &Station, run: (&str, &str), wells: &[(&str, &str)]) -> Seq {
    let mut plate = vec![well(run, SpecimenKind::Blank, ("B0", "0.041"))];
    for (name, expected, ods) in [
        ("negative", Expected::NonReactive, ["0.012", "0.018", "0.021"].as_slice()),
        ("positive", Expected::Reactive, &["1.85", "1.92"]),
        ("weak-positive", Expected::Reactive, &["0.300"]),
    ] {
        for (at, od) in ods.iter().enumerate() {
            let mut control = well(run, SpecimenKind::Control, (&format!("{name}{at}"), od));
            control.control = Some(ControlReading { name: name.into(), expected });
            plate.push(control);
        }
    }
    plate.extend(wells.iter().map(|sample| of_g1(well(run, SpecimenKind::Patient, *sample))));
    means(station, plate, vec![])
}

/// G1 is reactive on one lot, and its duplicate was made on another.
fn on_another_lot() -> Station {
    let mut station = Station::new();
    let kits = crate::SHIPPED_KITS.iter().map(|(id, text)| crate::KitFile::read(id, text).unwrap());
    station.settings.kits = crate::Kits::new(kits).unwrap();
    plate(&station, ("line/P1", "L1"), &[("H1", "0.200")]);
    plate(&station, ("line/P2", "L2"), &[("H1", "0.020"), ("H2", "0.020")]);
    station
}

fn hbsag(station: &Station) -> (SeroState, Vec<Flag>) {
    let verdict: Verdict =
        decide(&crate::evidence(&facts(station, "G1"), &station.settings), &station.settings.pack);
    let of = verdict.serology().iter().find(|one| one.reagent == ASSAY).unwrap();
    (of.state, of.flags.clone())
}

fn waiting(station: &Station) -> DuplicateSeen {
    let [one] = duplicates(&facts(station, "G1"), &station.settings).try_into().unwrap();
    one
}

fn accepts(station: &Station, who: &Actor, seen: &str) -> Result<Agreed, Refused> {
    accept_duplicate(&station.settings, &station.ledger, who, ("G1", ASSAY), (seen, "the lot ran out"))
}

#[test]
fn a_duplicate_on_another_lot_counts_when_two_people_accept_it_and_not_before() {
    let station = on_another_lot();
    let (first, second) = (station.person("rev", Role::Reviewer), station.person("qc", Role::QcOfficer));
    assert_eq!(hbsag(&station).0, SeroState::Pending);
    assert!(hbsag(&station).1.contains(&Flag::OtherLot));
    let one = waiting(&station);
    assert_eq!((one.tests.len(), one.accepted_by.len()), (3, 0), "{one:?}");
    let technician = station.person("tech", Role::Technician);
    assert!(matches!(accepts(&station, &technician, &one.seen), Err(Refused::Person(_))));
    assert!(matches!(accepts(&station, &first, "0000000000"), Err(Refused::OtherResults { .. })));
    assert!(matches!(
        accepts(&station, &first, one.seen.get(..4).unwrap()),
        Err(Refused::OtherResults { .. })
    ));
    assert!(matches!(accepts(&station, &first, &one.seen), Ok(Agreed::Proposed { .. })));
    assert_eq!(accepts(&station, &first, &one.seen), Err(Refused::SaidAlready));
    assert_eq!(hbsag(&station).0, SeroState::Pending, "one person alone accepts nothing");
    assert!(matches!(accepts(&station, &second, one.seen.get(..8).unwrap()), Ok(Agreed::Done { .. })));
    let (state, flags) = hbsag(&station);
    assert_eq!(state, SeroState::FinalNonReactive);
    assert!(flags.contains(&Flag::OtherLotAccepted), "{flags:?}");
    assert_eq!(waiting(&station).accepted_by, ["qc", "rev"]);
}

#[test]
fn what_was_accepted_does_not_cover_a_result_that_comes_later_or_is_corrected() {
    let later: [fn(&Station); 2] = [
        |station| {
            plate(station, ("line/P3", "L3"), &[("H1", "0.020")]);
        },
        |station| {
            let mut corrected = well(("line/P2", "L2"), SpecimenKind::Patient, ("H1", "0.030"));
            corrected.status = ResultStatus::Corrected;
            means(station, vec![of_g1(corrected)], vec![]);
        },
    ];
    for comes in later {
        let station = on_another_lot();
        let people = [station.person("rev", Role::Reviewer), station.person("qc", Role::QcOfficer)];
        let seen = waiting(&station).seen;
        for who in &people {
            accepts(&station, who, &seen).unwrap();
        }
        assert_eq!(hbsag(&station).0, SeroState::FinalNonReactive);
        comes(&station);
        assert_eq!(hbsag(&station).0, SeroState::Pending);
        assert!(matches!(accepts(&station, &people[0], &seen), Err(Refused::OtherResults { .. })));
    }
}

#[test]
fn a_reactive_well_of_an_accepted_duplicate_stays_reactive() {
    let station = on_another_lot();
    plate(&station, ("line/P3", "L2"), &[("H1", "0.200")]);
    let seen = duplicates(&facts(&station, "G1"), &station.settings);
    assert_eq!(hbsag(&station).0, SeroState::FinalReactive, "{seen:?}");
    let who = station.person("rev", Role::Reviewer);
    let refused = accepts(&station, &who, "0000000000");
    assert!(matches!(refused, Err(Refused::NoOtherLot { .. })), "{refused:?}");
}

#[test]
fn nothing_is_accepted_where_no_duplicate_waits_for_its_lot() {
    let mut station = Station::new();
    let kits = crate::SHIPPED_KITS.iter().map(|(id, text)| crate::KitFile::read(id, text).unwrap());
    station.settings.kits = crate::Kits::new(kits).unwrap();
    plate(&station, ("line/P1", "L1"), &[("H1", "0.200")]);
    let who = station.person("rev", Role::Reviewer);
    let (donation, assay) = (DonationId::new("G1").unwrap(), ASSAY.to_owned());
    assert_eq!(accepts(&station, &who, "0000000000"), Err(Refused::NoOtherLot { donation, assay }));
}

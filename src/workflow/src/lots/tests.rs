//! A lot that is found defective after results were made with it.

use super::*;
use crate::batches::tests::Station;
use crate::tasks::{self, TaskKind};
use ledger::{Body, Pools};
use vocabulary::{
    ConnectionId, DonationId, LotUse, Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus, Role,
    Source, SpecimenId, SpecimenKind, Value,
};

const RUN: &str = "T1";

fn row(donation: &str, (marker, lot, number): (Marker, &str, &str), at: &str) -> Observation {
    let lots = vec![LotUse { role: LotRole::Reagent, name: None, lot: lot.into(), expires: None }];
    Observation {
        specimen: Some(SpecimenId::new(donation).unwrap()),
        instrument: Some("i1".into()),
        assay: marker.name().into(),
        marker,
        kind: SpecimenKind::Patient,
        value: Value {
            raw: number.into(),
            number: Some(number.parse().unwrap()),
            unit: Some("S/CO".into()),
            ..Value::default()
        },
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(RunId::new(RUN).unwrap()),
        lots,
        completed_at: Some(at.into()),
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

/// HBsAg with lot L1 and HIV with lot L9, of one run.
fn tested(station: &Station, donation: &str, at: &str) {
    gives(station, donation, at, "0.1");
}

/// The same, with another value of HBsAg.
fn gives(station: &Station, donation: &str, at: &str, hbsag: &str) {
    let profile = ProfileRef { id: "maker/model".into(), revision: "1".into() };
    let message = station.write(What::MessageReceived {
        connection: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: profile.clone(),
        protocol: Protocol::Lis02,
        body: Body::Whole(donation.as_bytes().into()),
    });
    let of = DonationId::new(donation).unwrap();
    station.write(What::MessageInterpreted {
        message,
        profile,
        donations: vec![(0, of.clone()), (1, of)],
        observations: vec![
            row(donation, (Marker::HBsAg, "L1", hbsag), at),
            row(donation, (Marker::Hiv, "L9", "0.1"), at),
        ],
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

/// Whether the result of a marker stands in a run that fell by the lot.
fn fell(station: &Station, donation: &str, marker: Marker) -> bool {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let evidence = crate::evidence(&facts, &station.settings);
    let series = evidence.serology.iter().find(|one| one.marker == marker).unwrap();
    let run = evidence.runs.iter().find(|run| Some(&run.id) == series.results[0].run.as_ref()).unwrap();
    let told = run.why.as_ref().is_some_and(|why| why.contains("lot L1 was found defective by qc1"));
    assert_eq!(run.validity == Some(Validity::Invalid), told, "{run:?}");
    told
}

fn open(station: &Station) -> Vec<String> {
    let items = station.ledger.state().to_decide(&ledger::Page::first(99)).unwrap().items;
    items.iter().map(|item| item.donation.to_string()).collect()
}

#[test]
fn a_defective_lot_takes_every_result_since_it_was_in_use_at_once_and_nothing_else() {
    let station = Station::new();
    let first = station.person("qc1", Role::QcOfficer);
    let technician = station.person("tech", Role::Technician);
    tested(&station, "G1", "2026-03-01T10:00:00Z");
    tested(&station, "G2", "2026-02-20T10:00:00Z");
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
    assert_eq!(open(&station), [""; 0]);
    let declare = |who: &Actor, lot: &str, since: &str| {
        let said = Defective { since: since.parse().unwrap(), reason: "recalled by the maker".into() };
        defective(&station.settings, &station.ledger, who, (lot, &said))
    };
    assert!(matches!(declare(&technician, "L1", "2026-03-01"), Err(Refused::Person(_))));
    assert_eq!(declare(&first, "L11", "2026-03-01"), Err(Refused::NoSuchLot("L11".into())));
    assert!(matches!(declare(&first, "L1", "2999-01-01"), Err(Refused::Day { .. })));
    assert!(!fell(&station, "G1", Marker::HBsAg));
    let entry = declare(&first, "L1", "2026-03-01").unwrap();
    assert!(open(&station).contains(&"G1".to_owned()), "it is decided anew");
    assert!(fell(&station, "G1", Marker::HBsAg));
    assert!(!fell(&station, "G1", Marker::Hiv), "made with another lot");
    assert!(!fell(&station, "G2", Marker::HBsAg), "made before the lot was in use");
    let already = Refused::Already { lot: "L1".into(), entry, by: "qc1".into() };
    assert_eq!(declare(&first, "L1", "2026-03-02"), Err(already), "it reaches no less far");
    declare(&first, "L1", "2026-02-01").unwrap();
    assert!(fell(&station, "G1", Marker::HBsAg) && fell(&station, "G2", Marker::HBsAg), "and further");
    tested(&station, "G3", "2026-03-02T10:00:00Z");
    assert!(fell(&station, "G3", Marker::HBsAg), "what comes later too");
}

#[test]
fn a_second_person_confirms_it_and_two_take_it_back() {
    let station = Station::new();
    let (first, second) = (station.person("qc1", Role::QcOfficer), station.person("qc2", Role::QcOfficer));
    tested(&station, "G1", "2026-03-01T10:00:00Z");
    let said = Defective { since: "2026-03-01".parse().unwrap(), reason: "recalled".into() };
    defective(&station.settings, &station.ledger, &first, ("L1", &said)).unwrap();
    let waits = || {
        let open = tasks::open(&station.settings, &station.ledger.state(), Timestamp::now()).unwrap();
        let of_lots = open.items.into_iter().filter(|task| task.kind == TaskKind::LotDefective);
        of_lots.map(|task| task.lot.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(waits(), ["L1"]);
    assert_eq!(confirm(&station.ledger, &first, "L1"), Err(Refused::SecondPerson { by: "qc1".into() }));
    assert_eq!(confirm(&station.ledger, &second, "L2"), Err(Refused::NotDefective("L2".into())));
    let entry = confirm(&station.ledger, &second, "L1").unwrap();
    assert_eq!(confirm(&station.ledger, &second, "L1"), Ok(entry));
    assert_eq!(waits(), [""; 0]);
    let back = |who: &Actor| reinstate(&station.ledger, who, "L1", "another lot was meant");
    let Ok(Agreed::Proposed { entry }) = back(&second) else { panic!("nothing was proposed") };
    assert!(fell(&station, "G1", Marker::HBsAg), "one person takes nothing back");
    assert_eq!(back(&second), Ok(Agreed::WaitsForAnother { entry }));
    assert!(matches!(back(&first), Ok(Agreed::Done { .. })));
    assert!(!fell(&station, "G1", Marker::HBsAg));
    assert_eq!(back(&first), Err(Refused::NotDefective("L1".into())));
}

#[test]
fn what_was_reactive_with_the_lot_goes_on_holding_until_a_second_person_confirms_it() {
    let station = Station::new();
    let (first, second) = (station.person("qc1", Role::QcOfficer), station.person("qc2", Role::QcOfficer));
    gives(&station, "G1", "2026-03-01T10:00:00Z", "9.8");
    tested(&station, "G2", "2026-03-01T10:00:00Z");
    let said = Defective { since: "2026-03-01".parse().unwrap(), reason: "recalled".into() };
    defective(&station.settings, &station.ledger, &first, ("L1", &said)).unwrap();
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
    let held = |donation: &str| {
        let donation = DonationId::new(donation).unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let findings = crate::evidence(&facts, &station.settings).findings.into_iter();
        let of_falls = findings.filter(release::evidence::OpenFinding::is_of_a_fall);
        of_falls.map(|finding| finding.what).collect::<Vec<_>>()
    };
    let told = held("G1");
    assert!(told.len() == 1 && told[0].contains("lot L1") && told[0].contains("9.8"), "{told:?}");
    assert_eq!((held("G2"), open(&station)), (vec![], vec![]), "it had found nothing");
    confirm(&station.ledger, &second, "L1").unwrap();
    assert!(open(&station).contains(&"G1".to_owned()), "it is decided anew");
    assert_eq!(held("G1"), [""; 0]);
}

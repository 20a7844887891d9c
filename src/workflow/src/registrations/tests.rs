//! Registrations on a real ledger: in one list, one after another, and several at once.

use super::*;
use crate::batches::tests::{Station, registered};
use ledger::What;
use release::GateId;
use std::sync::Barrier;
use vocabulary::Role;

const BY: &str = "bis";

fn row(donation: &str, change: impl FnOnce(&mut DonationRegistration)) -> DonationRegistration {
    let What::DonationRegistered(mut registration) = registered(donation, "2026-03-03T08:00:00Z") else {
        unreachable!("it is a registration")
    };
    change(&mut registration);
    registration
}

fn deferred(donation: &str) -> DonationRegistration {
    row(donation, |one| one.donor.deferred = true)
}

fn registers(station: &Station, rows: Vec<DonationRegistration>) -> Result<Seq, Refused> {
    Registrations::default().register(&station.ledger, &BY.into(), rows)
}

fn rows(refused: Result<Seq, Refused>) -> Vec<(usize, RowFault)> {
    match refused {
        Err(Refused::Rows { rows, .. }) => rows.into_iter().map(|one| (one.row, one.fault)).collect(),
        other => unreachable!("{other:?}"),
    }
}

fn stands(station: &Station, donation: &str) -> Registered {
    station.ledger.state().registration_of(&DonationId::new(donation).unwrap()).unwrap().unwrap()
}

#[test]
fn a_list_is_held_against_itself_with_a_word_for_each_row_and_keeps_no_other_row_out() {
    let station = Station::new();
    let list = vec![
        deferred("N1"),
        deferred("N2"),
        row("N1", |_| ()),
        row("N3", |_| ()),
        row("N2", |one| (one.donor.id, one.donor.deferred) = ("other".into(), true)),
        row("G1", |one| one.donor.first_time = true),
        row("N4", |one| one.donor.id = "".into()),
    ];
    let before = stands(&station, "G1");
    let refused = registers(&station, list);
    let told = refused.clone().unwrap_err().to_string();
    let parts = vec![RegistrationPart::CollectedAt, RegistrationPart::FirstTime];
    let faults = rows(refused);
    assert_eq!(
        faults[..3],
        [
            (2, RowFault::Row { row: 0, parts: vec![RegistrationPart::Deferred] }),
            (4, RowFault::Row { row: 1, parts: vec![RegistrationPart::Donor] }),
            (5, RowFault::Registered { entry: before.seq, parts }),
        ]
    );
    assert!(matches!(faults[3..], [(6, RowFault::Donor(_))]), "{faults:?}");
    for words in [
        "row 2: donation N1 stands in row 0",
        "deferred no longer",
        "row 5",
        "第 4 行",
        "献血者不同",
        "it is kept (entry ",
        "已留存",
        "the other rows are registered (3)",
        "其余 3 行已登记",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert!(stands(&station, "N1").registration.donor.deferred && stands(&station, "N1").untaken.is_empty());
    assert_eq!(stands(&station, "N2").untaken.len(), 1, "nobody knows whose it is");
    assert_eq!(stands(&station, "N3").untaken, []);
    let known = stands(&station, "G1");
    assert_eq!((known.registration, known.untaken.len()), (before.registration, 1));
    assert_eq!(station.ledger.state().registration_of(&DonationId::new("N4").unwrap()).unwrap(), None);
    registers(&station, vec![row("N3", |_| ()), deferred("N3")]).unwrap();
    assert!(stands(&station, "N3").registration.donor.deferred, "what is stricter may follow");
}

#[test]
fn what_a_refused_registration_holds_more_holds_and_is_written_once() {
    let station = Station::new();
    let said = |one: &mut DonationRegistration| {
        one.collected_at = "2026-03-01T08:00:00Z".parse().unwrap();
    };
    let again = || {
        row("G1", |one| {
            said(one);
            (one.donor.deferred, one.donor.barred) = (true, Some("HIV reactive, letter of 1 March".into()));
            one.donor.field_abo = Some(vocabulary::AboGroup::A);
        })
    };
    let gate = |id: GateId| {
        let donation = DonationId::new("G1").unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
        let gate = verdict.gates().iter().find(|gate| gate.id == id).unwrap().clone();
        (gate.is_satisfied(), gate.why.to_string())
    };
    assert!(gate(GateId::Donor).0);
    let told = registers(&station, vec![again()]).unwrap_err().to_string();
    assert!(told.contains("another group in the field") && told.contains("it is kept"), "{told}");
    let (is_open, why) = gate(GateId::Donor);
    assert!(!is_open && why.contains("HIV reactive"), "{why}");
    let (is_open, why) = gate(GateId::Identity);
    assert!(
        !is_open && why.contains("registered_twice") && why.contains("blood information system"),
        "{why}"
    );
    let written = station.ledger.status().durable;
    let told = registers(&station, vec![again()]).unwrap_err().to_string();
    assert!(told.contains(&format!("entry {written}")), "it is kept already: {told}");
    assert_eq!(station.ledger.status().durable, written, "who says it again says nothing new");
    // What only holds less says nothing that is to be kept.
    registers(&station, vec![row("G1", said)]).unwrap_err();
    assert_eq!(station.ledger.status().durable, written);
    let known = stands(&station, "G1");
    assert!(known.registration.donor.deferred && known.untaken.len() == 1);
}

#[test]
fn contradictions_of_one_number_are_written_down_up_to_their_bound() {
    let station = Station::new();
    let says = |minute: usize, deferred: bool| {
        let other = row("G1", |one| {
            one.collected_at = format!("2026-03-01T08:{minute:02}:00Z").parse().unwrap();
            (one.donor.field_abo, one.donor.deferred) = (Some(vocabulary::AboGroup::A), deferred);
        });
        registers(&station, vec![other]).unwrap_err();
        station.ledger.status().durable
    };
    for minute in 1..=CONTRADICTIONS_MAX {
        says(minute, false);
    }
    let full = says(1, false);
    assert_eq!(says(40, false), full, "one more holds nothing more");
    assert!(says(40, true) > full, "a deferral does");
    assert!(stands(&station, "G1").registration.donor.deferred);
}

#[test]
fn of_lists_that_come_at_once_the_first_stands_and_the_others_are_told() {
    let station = Station::new();
    let registrations = Registrations::default();
    for round in 0..20 {
        let number = format!("R{round}");
        let list = |donor: &str| vec![row(&number, |one| one.donor.id = donor.into())];
        let start = Barrier::new(4);
        let written = std::thread::scope(|scope| {
            let all: Vec<_> = ["A", "B", "C", "D"]
                .map(|donor| {
                    let (list, start, registrations, station) =
                        (list(donor), &start, &registrations, &station);
                    scope.spawn(move || {
                        start.wait();
                        registrations.register(&station.ledger, &BY.into(), list)
                    })
                })
                .into();
            all.into_iter().flat_map(|one| one.join().unwrap()).count()
        });
        assert_eq!(written, 1, "{number}");
    }
    for round in 0..20 {
        assert_eq!(stands(&station, &format!("R{round}")).untaken.len(), 3, "and are kept, so that it waits");
    }
}

#[test]
fn a_donation_whose_number_was_registered_for_two_waits_until_it_is_found_out_which_it_is() {
    let station = Station::new();
    // As entries of before stand in a ledger: nothing held one against the other.
    station.write(What::DonationRegistered(deferred("N1")));
    let check = |expect: bool| {
        let facts =
            crate::facts_of(&station.settings, &station.ledger.state(), &DonationId::new("N1").unwrap())
                .unwrap();
        let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
        let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Identity).unwrap();
        assert_eq!(gate.why.contains("registered_twice"), expect, "{}", gate.why);
    };
    station.write(What::DonationRegistered(row("N1", |_| ())));
    check(false);
    station.write(What::DonationRegistered(row("N1", |one| one.donor.id = "other".into())));
    check(true);
}

/// A registration as another system writes it.
fn told(donation: &str, donor: &str, collected_at: &str) -> DonationRegistration {
    let donor = serde_json::json!({ "id": donor, "first_time": false, "deferred": false });
    let told = serde_json::json!({ "donation": donation, "collected_at": collected_at, "donor": donor });
    serde_json::from_value(told).unwrap()
}

fn gate_11(station: &Station, donation: &str) -> String {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Donor).unwrap();
    if gate.is_satisfied() { String::new() } else { gate.why.to_string() }
}

#[test]
fn a_deferral_finds_its_donor_whatever_blanks_stand_around_the_number() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    let taken = "2026-03-03T08:00:00Z";
    let (before, after) = (told("N1", " D77 ", taken), told("N2", "D77\u{3000}", taken));
    registers(&station, vec![before]).unwrap();
    assert_eq!(gate_11(&station, "N1"), "");
    let line: crate::donors::Deferral = serde_json::from_str(r#"{ "reason": "fever" }"#).unwrap();
    crate::donors::defer(&station.settings, &station.ledger, &reviewer, "\tD77", &line).unwrap();
    registers(&station, vec![after]).unwrap();
    for donation in ["N1", "N2"] {
        assert!(gate_11(&station, donation).contains("fever"), "{donation}: {}", gate_11(&station, donation));
    }
    let given = crate::donors::stands(&station.ledger.state(), " D77").unwrap().1;
    assert_eq!(given.len(), 2);
    assert_eq!(crate::donors::unknown(&station.ledger.state(), " D77").unwrap(), None);
    let [en, zh] = crate::donors::unknown(&station.ledger.state(), "D78").unwrap().unwrap();
    assert!(en.contains("donor D78") && zh.contains("献血者D78"), "{en} {zh}");
}

#[test]
fn a_donor_number_that_names_nobody_and_a_collection_to_come_are_refused() {
    let station = Station::new();
    let at = |ahead: SignedDuration| (Timestamp::now() + ahead).to_string();
    let taken = at(SignedDuration::from_hours(-1));
    let check = |row: DonationRegistration, expect: Option<&str>| {
        let (number, told) = (row.donation.clone(), registers(&station, vec![row]));
        let Some(words) = expect else {
            told.unwrap();
            return;
        };
        let why = told.unwrap_err();
        assert!(why.to_string().contains(words) && why.is_of_a_row_alone(), "{number}: {why}");
        assert_eq!(station.ledger.state().registration_of(&number).unwrap(), None);
    };
    check(told("N1", "", &taken), Some("donor.id: a donor's number may not be empty"));
    check(told("N1", "\u{3000} ", &taken), Some("献血者编号不能为空"));
    check(told("N1", &"D".repeat(65), &taken), Some("65 characters"));
    check(told("N1", "D\u{200b}1", &taken), Some("U+200B"));
    check(
        told("N1", "D1", "2096-03-01T08:00:00Z"),
        Some("collected_at 2096-03-01T08:00:00Z is in the future"),
    );
    check(told("N1", "D1", &at(SignedDuration::from_mins(20))), Some("采集时间"));
    check(told("N1", "D1", &at(SignedDuration::from_mins(10))), None);
}

#[test]
fn a_donation_of_before_whose_donor_is_nobody_is_held_and_is_no_earlier_one_of_another() {
    let station = Station::new();
    for number in ["N1", "N2"] {
        station.write(What::DonationRegistered(told(number, " ", "2026-03-03T08:00:00Z")));
        assert!(gate_11(&station, number).contains("donor"), "{}", gate_11(&station, number));
    }
    let number = DonationId::new("N2").unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &number).unwrap();
    assert_eq!(facts.donor, crate::donors::DonorFacts::default());
}

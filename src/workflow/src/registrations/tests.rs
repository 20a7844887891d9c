//! Registrations on a real ledger: in one list, one after another, and several at once.

use super::*;
use crate::batches::tests::{Station, registered};
use ledger::What;
use release::GateId;
use std::sync::Barrier;

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
        Err(Refused::Rows(rows)) => rows.into_iter().map(|one| (one.row, one.fault)).collect(),
        other => unreachable!("{other:?}"),
    }
}

#[test]
fn a_list_is_held_against_itself_and_refused_whole_with_a_word_for_each_row() {
    let station = Station::new();
    let before = station.ledger.status().durable;
    let list = vec![
        deferred("N1"),
        deferred("N2"),
        row("N1", |_| ()),
        row("N3", |_| ()),
        row("N2", |one| (one.donor.id, one.donor.deferred) = ("other".into(), true)),
        row("G1", |one| one.donor.first_time = true),
    ];
    let refused = registers(&station, list);
    let told = refused.clone().unwrap_err().to_string();
    let known = station.ledger.state().registration_of(&DonationId::new("G1").unwrap()).unwrap().unwrap();
    let parts = vec![RegistrationPart::CollectedAt, RegistrationPart::FirstTime];
    assert_eq!(
        rows(refused),
        [
            (2, RowFault::Row { row: 0, parts: vec![RegistrationPart::Deferred] }),
            (4, RowFault::Row { row: 1, parts: vec![RegistrationPart::Donor] }),
            (5, RowFault::Registered { entry: known.seq, parts }),
        ]
    );
    for words in
        ["row 2: donation N1 stands in row 0", "deferred no longer", "row 5", "第 4 行", "献血者不同"]
    {
        assert!(told.contains(words), "{words}: {told}");
    }
    assert_eq!(station.ledger.status().durable, before, "nothing of it was written");
    registers(&station, vec![row("N1", |_| ()), deferred("N1"), row("N3", |_| ())]).unwrap();
    let stands = station.ledger.state().registration_of(&DonationId::new("N1").unwrap()).unwrap().unwrap();
    assert!(stands.registration.donor.deferred && stands.untaken.is_empty(), "what is stricter may follow");
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
            all.into_iter().map(|one| one.join().unwrap()).filter(Result::is_ok).count()
        });
        assert_eq!(written, 1, "{number}");
    }
    assert_eq!(station.ledger.state().counters().unwrap().misfits, 0);
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

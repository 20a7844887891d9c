//! Donations that were recorded by hand: what they say stands beside what the ledger knows of the same number.

use super::tests::{gate_11, nat_found, now, verdict};
use super::*;
use crate::SpecimenRule;
use crate::batches::Agreed;
use crate::batches::tests::{Station, registered};
use crate::registrations::Registrations;
use ledger::Page;
use release::evidence::{EarlierCall, EarlierDonation};
use serde_json::{Value, json};
use vocabulary::Role;

fn works(station: &Station) {
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
}

/// What a technician writes down of a donation of D.
fn records(
    station: &Station,
    who: &Actor,
    donation: &str,
    (day, said): (Option<&str>, Value),
) -> Result<Seq, Refused> {
    let mut earlier = json!({ "donation": donation, "results": said });
    if let Some(day) = day {
        earlier["collected_at"] = format!("{day}T08:00:00Z").into();
    }
    let earlier: EarlierDonation = serde_json::from_value(earlier).unwrap();
    record_earlier(&station.ledger, who, "D", (&earlier, "letter of another laboratory"), now())
}

fn hiv(result: &str) -> Value {
    json!([{ "marker": "HIV", "result": result }])
}

fn earlier_of(station: &Station, donation: &str) -> Vec<EarlierDonation> {
    let donation = DonationId::new(donation).unwrap();
    crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap().donor.earlier
}

fn registers(station: &Station, donation: &str, at: &str) {
    let What::DonationRegistered(registration) = registered(donation, at) else { unreachable!() };
    Registrations::default().register(&station.ledger, &"bis".into(), vec![registration]).unwrap();
}

#[test]
fn what_was_recorded_by_hand_goes_on_barring_when_its_number_is_registered_and_tested() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let day = Some("2025-01-01");
    records(&station, &technician, "OLD1", (day, hiv("confirmed_positive"))).unwrap();
    assert!(gate_11(&station, "G1").contains("OLD1"), "{}", gate_11(&station, "G1"));
    registers(&station, "OLD1", "2025-01-01T08:00:00Z");
    works(&station);
    for what in ["registered", "and non-reactive here"] {
        let why = gate_11(&station, "G1");
        assert!(why.contains("OLD1 was confirmed positive for HIV"), "{what}: {why}");
        let own = gate_11(&station, "OLD1");
        assert!(own.contains("by hand") && own.contains("HIV"), "it says so of itself: {own}");
        assert!(!own.contains("earlier donation OLD1"), "and is not its own earlier one: {own}");
        verdict(&station, "OLD1", |_| ());
    }
    let all = earlier_of(&station, "G1");
    assert_eq!(all.len(), 1, "one donation: {all:?}");
    assert!(all[0].results.iter().any(|one| one.marker == "HCV"), "what was tested here is there too");
}

#[test]
fn what_is_recorded_by_hand_of_a_known_number_counts_for_later_donations_marker_by_marker() {
    let mut station = Station::new();
    station.settings.specimens = SpecimenRule::new(r"(?<donation>[A-Z]+\d+)(?:-\d)?").unwrap();
    let technician = station.person("tech", Role::Technician);
    verdict(&station, "G1", |case| super::tests::reactive(case, "syphilis"));
    // As it stands on a tube of it.
    records(&station, &technician, "G1-1", (None, json!([{ "marker": "hiv", "result": "reactive" }, { "marker": "syphilis", "result": "non_reactive" }])))
        .unwrap();
    let all = earlier_of(&station, "G2");
    assert_eq!(all.len(), 1, "{all:?}");
    let of = |marker: &str| {
        let mut named = all[0].results.iter().filter(|one| one.marker == marker);
        let found = named.next().map(|one| one.result);
        assert!(named.next().is_none());
        found
    };
    let reactive = Some(EarlierCall::Reactive);
    assert_eq!((of("HIV"), of("hiv"), of("syphilis")), (reactive, None, reactive), "the graver one of each");
    assert!(gate_11(&station, "G2").contains("G1 was reactive for HIV"), "{}", gate_11(&station, "G2"));
    assert!(earlier_of(&station, "G1").is_empty());
}

/// G0 and G1 were non-reactive, and HIV is found in G2.
fn looked_back_on(station: &Station) -> Vec<String> {
    let facts =
        crate::facts_of(&station.settings, &station.ledger.state(), &DonationId::new("G2").unwrap()).unwrap();
    let earlier = serde_json::to_value(&facts.donor.earlier).unwrap();
    verdict(station, "G2", |case| {
        case["collected_at"] = "2026-03-01T09:00:00Z".into();
        case["donor"]["earlier"] = earlier;
        nat_found(case, "HIV");
    });
    let all = station.ledger.state().lookbacks(true, &Page::first(9)).unwrap().items;
    all.iter().map(|one| one.id.earlier.to_string()).collect()
}

#[test]
fn a_record_of_a_later_donation_takes_no_look_back_away_and_goes_on_barring() {
    for (what, day) in
        [("none", None), ("given after it", Some("2026-09-01")), ("a typing error", Some("2062-01-01"))]
    {
        let station = Station::new();
        station.write(registered("G0", "2026-01-01T08:00:00Z"));
        verdict(&station, "G0", |_| ());
        verdict(&station, "G1", |_| ());
        if let Some(day) = day {
            // As an older version took it.
            let said = json!({ "donation": "OTHER1", "collected_at": format!("{day}T08:00:00Z"), "results": hiv("non_reactive") });
            let earlier = serde_json::from_value(said).unwrap();
            station.write(What::Donor(DonorAct::EarlierRecorded {
                donor: "D".into(),
                earlier,
                source: "x".into(),
            }));
        }
        assert_eq!(looked_back_on(&station), ["G0", "G1"], "{what}");
    }
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    records(&station, &technician, "OTHER1", (Some("2026-09-01"), hiv("confirmed_positive"))).unwrap();
    assert!(
        gate_11(&station, "G1").contains("OTHER1"),
        "what is found elsewhere holds what was given before it"
    );
}

#[test]
fn a_record_of_a_day_that_has_not_come_is_refused() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let why =
        records(&station, &technician, "OTHER1", (Some("2062-01-01"), hiv("non_reactive"))).unwrap_err();
    assert!(matches!(why, Refused::Record(RecordRefused::ToCome { .. })));
    assert!(why.english().contains("2062-01-01") && why.chinese().contains("2062-01-01"), "{why}");
    records(&station, &technician, "OTHER1", (Some("2026-11-19"), hiv("non_reactive"))).unwrap();
}

#[test]
fn what_was_recorded_by_mistake_counts_until_two_people_have_taken_it_back() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    let said = |donation: &str| {
        records(&station, &technician, donation, (Some("2025-01-01"), hiv("confirmed_positive"))).unwrap()
    };
    let (wrong, right) = (said("OLD1"), said("OLD2"));
    let takes =
        |who: &Actor, record: Seq| take_back(&station.ledger, who, "D", (record, "another donor's letter"));
    assert!(matches!(takes(&technician, wrong), Err(Refused::Person(_))));
    let none = takes(&reviewer, Seq::new(1)).unwrap_err();
    for words in [none.english(), none.chinese()] {
        assert!(words.contains(&format!("{wrong} (OLD1 HIV confirmed_positive)")), "{words}");
    }
    assert!(matches!(takes(&reviewer, wrong), Ok(Agreed::Proposed { .. })));
    assert_eq!(takes(&reviewer, wrong), Err(Refused::SaidAlready));
    assert!(gate_11(&station, "G1").contains("OLD1"), "one name is not two: {}", gate_11(&station, "G1"));
    works(&station);
    assert!(matches!(takes(&releaser, wrong), Ok(Agreed::Done { .. })));
    assert!(
        station.ledger.state().counters().unwrap().to_decide >= 3,
        "each donation of the donor is judged anew"
    );
    let why = gate_11(&station, "G1");
    assert!(!why.contains("OLD1") && why.contains("OLD2"), "the other record stands: {why}");
    assert_eq!(takes(&releaser, wrong), Err(RecordRefused::TakenBack { record: wrong }.into()));
    let listed = station.ledger.state().donor("D").unwrap().earlier;
    let by: Vec<&str> = listed[0].taken_back.iter().map(|word| word.done.by.as_str()).collect();
    assert_eq!((listed.len(), by), (2, vec!["rev", "rel"]), "it stays listed, with who took it back");
    // An entry that no person wrote takes nothing back.
    for _ in 0..2 {
        let (donor, reason) = ("D".into(), "x".to_owned());
        station.write(What::Donor(DonorAct::EarlierTakenBack { donor, record: right, reason }));
    }
    assert!(gate_11(&station, "G1").contains("OLD2"));
}

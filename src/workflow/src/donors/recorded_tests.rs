//! Donations that were recorded by hand: what they say stands beside what the ledger knows of the same number.

use super::tests::{gate_11, verdict};
use super::*;
use crate::SpecimenRule;
use crate::batches::tests::{Station, registered};
use crate::registrations::Registrations;
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
    record_earlier(&station.ledger, who, "D", (&earlier, "letter of another laboratory"))
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
    use release::evidence::EarlierCall::Reactive;
    assert_eq!(
        (of("HIV"), of("hiv"), of("syphilis")),
        (Some(Reactive), None, Some(Reactive)),
        "the graver one of each"
    );
    assert!(gate_11(&station, "G2").contains("G1 was reactive for HIV"), "{}", gate_11(&station, "G2"));
    assert!(earlier_of(&station, "G1").is_empty());
}

//! Donors with many earlier donations: whatever is known of them counts, or the donation is held.

use super::tests::verdict;
use super::*;
use crate::batches::tests::{Station, registered};
use std::ops::Range;

/// Registers donations of the station's donor, one a day, the last of them a day before `G1`; and who bars `G1`.
fn bars(station: &Station, earlier: Range<i64>) -> String {
    let last: jiff::Timestamp = "2026-03-01T08:00:00Z".parse().unwrap();
    let day = |number: i64| last - jiff::SignedDuration::from_hours(24 * number);
    let drafts: Vec<Draft> = earlier
        .rev()
        .map(|number| Draft::by_system(registered(&format!("E{number}"), &day(number).to_string())))
        .collect();
    for group in drafts.chunks(500) {
        let written = station.ledger.append(group.to_vec()).unwrap().wait().unwrap().last();
        station.ledger.wait_applied(written).wait().unwrap();
    }
    let donation = DonationId::new("G1").unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Donor).unwrap();
    if gate.is_satisfied() { String::new() } else { gate.why.to_string() }
}

#[test]
fn the_oldest_of_hundreds_of_donations_counts_as_the_newest_does() {
    let station = Station::new();
    assert_eq!(bars(&station, 1..301), "");
    verdict(&station, "E300", |case| {
        for series in case["serology"].as_array_mut().unwrap().iter_mut().filter(|s| s["marker"] == "HIV") {
            let well = |kind: &str| serde_json::json!({ "kind": kind, "sco": "5.0", "run": "E1" });
            series["results"] = serde_json::json!([well("initial"), well("duplicate"), well("duplicate")]);
        }
    });
    let why = bars(&station, 0..0);
    assert!(why.contains("E300") && why.contains("HIV"), "{why}");
}

#[test]
fn a_donor_with_more_donations_than_are_looked_at_is_held_and_it_is_said() {
    let station = Station::new();
    assert_eq!(bars(&station, 1..2_001), "");
    let why = bars(&station, 2_001..2_004);
    assert!(
        why.contains("more than 2000 earlier donations, and the 3 oldest") && why.contains("3 次未查看"),
        "{why}"
    );
}

//! Donations are registered through the real daemon: one number is one donation, whoever registers it, and however often.

use crate::{
    house::{Daemon, House},
    staff::{BENCH, Person, hire},
};
use serde_json::{Value, json};

fn row(donation: &str, donor: &str, deferred: bool) -> Value {
    json!({
        "donation": donation, "collected_at": "2026-03-01T09:00:00+08:00",
        "donor": { "id": donor, "first_time": false, "deferred": deferred }
    })
}

fn donor(daemon: &Daemon, donation: &str) -> (Value, Value) {
    let donor = daemon.get(&format!("donations/{donation}"))["registration"]["registration"]["donor"].clone();
    (donor["id"].clone(), donor["deferred"].clone())
}

#[test]
fn one_number_is_registered_for_one_donor_be_it_twice_in_a_list_or_by_several_at_once() {
    let house = House::new();
    let daemon = house.start();
    let registers = |rows: &[Value]| daemon.post("donations", &json!(rows));
    let (status, told) = registers(&[row("G100", "D1", true), row("G100", "D1", false)]);
    let detail = told["detail"].as_str().unwrap();
    assert!(status == 409 && detail.contains("row 1: donation G100 stands in row 0"), "{told}");
    assert!(detail.contains("deferred no longer") && detail.contains("第 1 行"), "{told}");
    assert_eq!(registers(&[row("G100", "D1", true)]).0, 201);
    for (change, differs) in
        [(row("G100", "D1", false), "deferred no longer"), (row("G100", "D2", true), "another donor")]
    {
        let (status, told) = registers(&[change]);
        assert!(status == 409 && told["detail"].as_str().unwrap().contains(differs), "{told}");
    }
    assert_eq!(donor(&daemon, "G100"), (json!("D1"), json!(true)));
    for round in 0..10 {
        let number = format!("H{round}");
        let rows = ["A", "B", "C"].map(|donor| row(&number, donor, false));
        let mut statuses = daemon.posts_at_once("donations", &rows);
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409], "{number}");
    }
}

#[test]
fn a_donor_has_one_number_and_whoever_defers_one_that_nobody_knows_is_told() {
    let house = House::new();
    hire(&house, &BENCH);
    let daemon = house.start();
    let reviewer = Person::signs_in(&daemon, "rev");
    let (status, told) = daemon.post("donations", &json!([row("G1", " ", false), row("G2", "D2", false)]));
    assert!(status == 422 && told["detail"].as_str().unwrap().contains("row 0"), "{told}");
    let mut to_come = row("G2", "D2", false);
    to_come["collected_at"] = json!("2096-03-01T09:00:00+08:00");
    assert_eq!(daemon.post("donations", &to_come).0, 422);
    assert_eq!(daemon.post("donations", &row("G1", " D1\t", false)).0, 201);
    assert_eq!(donor(&daemon, "G1").0, json!("D1"));
    let defer =
        |donor: &str| reviewer.post(&format!("donors/{donor}/defer"), &json!({ "reason": "fever" })).well();
    let known = defer("%20D1");
    assert!(known["seq"].is_u64() && known.get("note").is_none(), "{known}");
    let unknown = defer("D3");
    assert!(unknown["note"].as_str().unwrap().contains("no donation of donor D3"), "{unknown}");
    assert!(unknown["note_zh"].as_str().unwrap().contains("献血者D3"), "{unknown}");
    let shown = daemon.get("donors/D1%20");
    assert_eq!(
        (&shown["register"]["state"], shown["donations"].as_array().unwrap().len()),
        (&json!("temp_deferred"), 1)
    );
}

//! Donations are registered through the real daemon: one number is one donation, whoever registers it, and however often.

use crate::house::{Daemon, House};
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

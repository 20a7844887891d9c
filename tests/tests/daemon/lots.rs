//! A lot that is found defective after its donations went, at the command line and over HTTP alike.

use crate::{
    day::Day,
    house::Daemon,
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use simulator::scenario::Story;

/// A donation that two people have released.
fn released(day: &Day, daemon: &Daemon) -> String {
    let plain = day.of(Story::Ordinary).into_iter().find(|d| !d.registration.donor.first_time).unwrap();
    let plain = plain.registration.donation.to_string();
    let body = json!({ "name": "lots", "donations": [plain] });
    let batch = Person::signs_in(daemon, "tech").post("batches", &body).well()["batch"].as_u64().unwrap();
    for (who, what) in [("rev", "review"), ("rel", "release")] {
        daemon.idle();
        let person = Person::signs_in(daemon, who);
        let version = person.get(&format!("batches/{batch}")).version.unwrap();
        person.signs(&format!("batches/{batch}/{what}"), &version, &json!({ "password": PASSWORD })).well();
    }
    daemon.idle();
    plain
}

#[test]
fn what_was_tested_with_a_defective_lot_is_called_back_at_once_and_two_people_take_it_back() {
    let day = Day::new(60);
    hire(&day.house, &BENCH);
    let daemon = day.house.start();
    day.play(&daemon);
    daemon.idle();
    let plain = released(&day, &daemon);
    let runs = || {
        daemon.idle();
        daemon.get(&format!("donations/{plain}"))["evidence"]["runs"].as_array().unwrap().clone()
    };
    let lot = runs().iter().find_map(|run| run["lots"][0]["lot"].as_str().map(str::to_owned)).unwrap();
    let fallen = || {
        let told = |run: &Value| run["why"].as_str().is_some_and(|why| why.contains("was found defective"));
        runs().iter().any(|run| run["validity"] == "invalid" && told(run))
    };
    let says = |words: &[&str], who: &str| {
        command(&day.house, &[&["lots"], words, &["--as", who]].concat(), &[PASSWORD])
    };
    let declare = |lot: &str, who: &str| {
        says(&["defective", lot, "--since", "2020-01-01", "--reason", "recalled by the maker"], who)
    };
    let (code, printed) = declare("nowhere", "qc");
    assert!(code != 0 && printed.contains("no result and no line of the register"), "{code} {printed}");
    assert_ne!(declare(&lot, "tech").0, 0);
    assert!(!fallen() && daemon.list("recalls").is_empty());
    let (code, printed) = declare(&lot, "qc");
    assert_eq!(code, 0, "{printed}");
    assert!(fallen());
    let recalls = daemon.list("recalls");
    assert!(recalls.iter().any(|recall| recall["donation"] == json!(plain)), "{recalls:#?}");
    let prints = |words: &[&str]| command(&day.house, words, &[]).1;
    assert!(prints(&["tasks"]).contains(&lot) && prints(&["lots", "list"]).contains("recalled by the maker"));

    let path = |what: &str| format!("lots/{lot}/{what}");
    let (quality, reviewer) = (Person::signs_in(&daemon, "qc"), Person::signs_in(&daemon, "rev"));
    assert_eq!(quality.post(&path("confirm"), &Value::Null).refused().0, 403, "another person confirms");
    reviewer.post(&path("confirm"), &Value::Null).well();
    assert!(!prints(&["tasks"]).contains("lot_defective"));
    let (code, printed) = says(&["reinstate", &lot, "--reason", "another lot was meant"], "qc");
    assert!(code == 0 && printed.contains("proposed"), "{code} {printed}");
    assert!(fallen(), "one person takes nothing back");
    let done = reviewer.post(&path("reinstate"), &json!({ "reason": "so it was" })).well();
    assert_eq!(done["step"], "done", "{done}");
    assert!(!fallen());
    assert!(daemon.stop().0.success());
    let (code, printed) = command(&day.house, &["verify", "--state"], &[]);
    assert_eq!(code, 0, "{printed}");
}

//! What verdicts ask for donors through the real daemon: the tasks are there when the day is decided, and go when what they
//! ask is recorded, at the command line and over HTTP alike.

use crate::{
    day::Day,
    house::Daemon,
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use serde_json::json;
use simulator::scenario::{PlannedDonation, Story};

const KINDS: [&str; 3] = ["donor_deferral", "donor_confirmation", "donor_report"];

fn number(of: &PlannedDonation) -> &str {
    of.registration.donation.as_str()
}

/// The tasks that are open for a donation's donor: kind and marker.
fn open(daemon: &Daemon, of: &PlannedDonation) -> Vec<String> {
    daemon.idle();
    let tasks = daemon.get("tasks")["items"].as_array().unwrap().clone();
    let mut found: Vec<String> = tasks
        .iter()
        .filter(|task| task["donation"] == number(of) && KINDS.contains(&task["kind"].as_str().unwrap()))
        .inspect(|task| assert_eq!(task["donor"], json!(of.registration.donor.id)))
        .map(|task| format!("{} {}", task["kind"].as_str().unwrap(), task["marker"].as_str().unwrap()))
        .collect();
    found.sort();
    found
}

#[test]
fn what_a_reactive_donation_asks_for_its_donor_stands_until_it_is_recorded() {
    let day = Day::new(60);
    hire(&day.house, &BENCH);
    let daemon = day.house.start();
    day.play(&daemon);
    let (hiv, hbv) = (day.of(Story::RepeatableReactive)[0], day.of(Story::ConcordantReactive)[0]);
    let plain = day.of(Story::Ordinary)[0];
    assert_eq!(open(&daemon, plain), [""; 0]);
    assert_eq!(open(&daemon, hbv), ["donor_deferral HBV"]);
    let all = ["donor_confirmation HIV", "donor_deferral HIV", "donor_report HIV"];
    assert_eq!(open(&daemon, hiv), all);
    let prints = |words: &[&str]| {
        let (exit, printed) = command(&day.house, words, &[PASSWORD]);
        (exit, printed)
    };
    let (exit, printed) = prints(&["tasks"]);
    let line = printed.lines().find(|line| line.contains(number(hbv)) && line.contains("donor_deferral"));
    assert!(exit == 0 && line.is_some_and(|line| line.contains("defer the donor for good")), "{printed}");
    // By kind, and with the donation.
    let (exit, printed) = prints(&["tasks", "--kind", "donor_report"]);
    assert!(exit == 0 && printed.contains(number(hiv)) && !printed.contains(number(hbv)), "{printed}");
    let (first, rest) = ("tasks?kind=donor_deferral&limit=1", "tasks?kind=donor_deferral&after=");
    let first = daemon.get(first);
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    let rest = daemon.get(&format!("{rest}{}", first["next"].as_str().unwrap()));
    assert!(!rest["items"].as_array().unwrap().contains(&first["items"][0]), "{rest}");
    assert_eq!(daemon.get(&format!("donations/{}", number(hiv)))["donor_tasks"].as_array().unwrap().len(), 3);
    let (_, printed) = prints(&["donation", "show", number(hiv)]);
    assert!(printed.contains("donor_report HIV"), "{printed}");

    // One over HTTP, by the donation that asks for it; the other one for good, at the command line.
    let reviewer = Person::signs_in(&daemon, "rev");
    let path = |donor: &PlannedDonation| format!("donors/{}/defer", donor.registration.donor.id);
    let line = json!({ "until": "2999-06-01", "reason": "tattoo" });
    reviewer.post(&path(hiv), &line).well();
    assert_eq!(open(&daemon, hiv), all, "it is not said to be for what was found");
    let line = json!({ "until": "2999-06-01", "reason": "HIV reactive", "donation": number(hiv) });
    assert_eq!(reviewer.post(&path(hbv), &line).refused().0, 409, "another donor's donation");
    reviewer.post(&path(hiv), &line).well();
    assert_eq!(open(&daemon, hiv), ["donor_confirmation HIV", "donor_report HIV"]);
    let donor = &hbv.registration.donor.id;
    let (exit, printed) = prints(&["donor", "defer", donor, "--permanent", "--reason", "HBV", "--as", "rev"]);
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(open(&daemon, hbv), [""; 0]);

    // What the laboratory said: a finding that is confirmed asks for more.
    let words = ["--marker", "HIV", "--outcome", "CONF_POS", "--report", "17", "--as", "rev"];
    let (exit, printed) = prints(&[&["donor", "confirm", number(hiv)], &words[..]].concat());
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(open(&daemon, hiv), ["donor_deferral HIV", "donor_report HIV"]);
    let closing =
        json!({ "donation": number(hiv), "task": "report", "outcome": "DONE", "reason": "card 4711" });
    assert_eq!(Person::signs_in(&daemon, "tech").post("tasks/donor", &closing).refused().0, 403);
    reviewer.post("tasks/donor", &closing).well();
    assert_eq!(reviewer.post("tasks/donor", &closing).refused().0, 404, "once");
    let close = |outcome: &str| {
        let reason = "deferred in the province's register";
        let words =
            ["donor", "close", number(hiv), "--task", "deferral", "--outcome", outcome, "--reason", reason];
        prints(&[&words[..], &["--as", "rev"]].concat())
    };
    let (exit, printed) = close("DONE");
    assert!(exit != 0 && printed.contains("donor defer --donation"), "{exit} {printed}");
    assert_eq!(close("NOT_DONE").0, 0);
    assert_eq!(open(&daemon, hiv), [""; 0]);

    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&day.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

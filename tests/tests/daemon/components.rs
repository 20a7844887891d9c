//! Components of donations through the real daemon: told by the blood information system and by people, at the command line
//! and over HTTP alike; what is out is named when its donation is called back.

use crate::{
    day::Day,
    house::Daemon,
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use simulator::scenario::Story;

const RED_CELLS: &str = "E0791V00";
const PLASMA: &str = "E2701V00";
const PLATELETS: &str = "E4532VA0";

struct Laboratory {
    day: Day,
    daemon: Daemon,
    /// One that passes, and one that fails.
    plain: String,
    failing: String,
    batch: u64,
}

impl Laboratory {
    fn new() -> Self {
        let day = Day::new(60);
        hire(&day.house, &BENCH);
        let daemon = day.house.start();
        day.play(&daemon);
        let plain = day.of(Story::Ordinary).into_iter().find(|d| !d.registration.donor.first_time);
        let plain = plain.unwrap().registration.donation.to_string();
        let failing = day.of(Story::ConcordantReactive)[0].registration.donation.to_string();
        let body = json!({ "name": "components", "donations": [plain, failing] });
        let batch =
            Person::signs_in(&daemon, "tech").post("batches", &body).well()["batch"].as_u64().unwrap();
        Self { day, daemon, plain, failing, batch }
    }

    fn says(&self, words: &[&str], who: &str) -> (i32, String) {
        command(&self.day.house, &[words, &["--as", who]].concat(), &[PASSWORD])
    }

    fn prints(&self, words: &[&str]) -> String {
        let (exit, printed) = command(&self.day.house, words, &[]);
        assert_eq!(exit, 0, "{words:?}: {printed}");
        printed
    }

    fn shown(&self) -> (String, Value) {
        self.daemon.idle();
        let told = Person::signs_in(&self.daemon, "tech").get(&format!("batches/{}", self.batch));
        (told.version.clone().unwrap(), told.well())
    }

    fn stage(&self, donation: &str) -> Value {
        let (_, shown) = self.shown();
        let members = shown["donations"].as_array().unwrap();
        members.iter().find(|member| member["donation"] == donation).unwrap()["stage"].clone()
    }

    /// A signature under what is shown now.
    fn signs(&self, who: &str, what: &str) -> crate::house::Told {
        let (version, _) = self.shown();
        let path = format!("batches/{}/{what}", self.batch);
        Person::signs_in(&self.daemon, who).signs(&path, &version, &json!({ "password": PASSWORD }))
    }

    fn recalls(&self) -> Vec<Value> {
        self.daemon.idle();
        self.daemon.list("recalls")
    }
}

#[test]
fn what_is_made_of_a_donation_goes_when_it_is_released_and_is_named_when_it_is_called_back() {
    let at = Laboratory::new();
    are_told_by_the_other_system(&at);
    are_found_before_anything_goes(&at);
    go_to_one_consignee(&at);
    are_named_by_the_recall(&at);
    let Laboratory { day, daemon, .. } = at;
    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&day.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

/// The donor of a released donation is found to have HIV: what of it is here does not go, whoever closes the look-back.
#[test]
fn a_look_back_keeps_what_is_here_until_two_people_say_that_it_may_go() {
    let at = Laboratory::new();
    are_told_by_the_other_system(&at);
    are_found_before_anything_goes(&at);
    go_to_one_consignee(&at);
    let later = gives_again(&at);
    let step = |step: &str, who: &str| {
        let words = ["donor", "lookback", &later, "HIV", &at.plain, "--step", step, "--outcome", "seen to"];
        at.says(&words, who)
    };
    let issued = || at.says(&["component", "issued", &at.plain, PLASMA, "--to", "City Hospital"], "tech");
    let refused = |(exit, printed): (i32, String), part: &str| {
        assert!(exit == 1 && printed.contains(part), "{exit}, no {part:?} in {printed}");
    };
    refused(issued(), "a look-back at this donation is open");
    let listed = at.daemon.get(&format!("donations/{}/components", at.plain));
    assert_eq!(listed["lookbacks"][0]["id"]["trigger"], json!(later), "{listed}");
    refused(step("closed", "qc"), "--step quarantined");
    assert_eq!(step("quarantined", "qc").0, 0);
    refused(step("closed", "qc"), "--step consignees_told");
    assert_eq!(step("consignees_told", "qc").0, 0);
    assert_eq!(step("closed", "qc").0, 0);
    refused(issued(), "--step cleared");
    assert_eq!(step("cleared", "qc").0, 0);
    refused(step("cleared", "qc"), "another person");
    refused(issued(), "--step cleared");
    assert_eq!(step("cleared", "rel").0, 0);
    let (exit, printed) = issued();
    assert!(exit == 0 && printed.contains("\"done\""), "{exit} {printed}");
    assert_eq!(at.recalls().len(), 0);
    assert!(at.daemon.stop().0.success());
    let (exit, printed) = command(&at.day.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

/// Another donation of the same donor, confirmed to have HIV.
fn gives_again(at: &Laboratory) -> String {
    let all = &at.day.scenario.donations;
    let first = all.iter().find(|d| d.registration.donation.as_str() == at.plain).unwrap();
    let mut again = first.registration.clone();
    again.collected_at += jiff::SignedDuration::from_hours(24 * 90);
    let mut body = json!(again);
    let later: String = at.plain.chars().take(at.plain.len() - 4).chain("9999".chars()).collect();
    body["donation"] = json!(later);
    let (status, told) = at.daemon.post("donations", &json!([body]));
    assert!(status == 200 || status == 201, "{status} {told}");
    at.daemon.idle();
    let words = ["donor", "confirm", &later, "--marker", "HIV", "--outcome", "CONF_POS", "--report", "R-9"];
    let (exit, printed) = at.says(&words, "rev");
    assert_eq!(exit, 0, "{printed}");
    at.daemon.idle();
    later
}

fn are_told_by_the_other_system(at: &Laboratory) {
    let path = format!("donations/{}/components", at.plain);
    let soon = json!({ "components": [RED_CELLS], "expires": "soon" });
    let (status, told) = at.daemon.post(&path, &soon);
    assert!(status == 422 && told["detail"].as_str().unwrap().contains("2026-04-07"), "{told}");
    let body = json!({ "components": [format!("=<{RED_CELLS}"), PLASMA] });
    let (status, told) = at.daemon.post(&path, &body);
    assert_eq!((status, &told["step"]), (201, &json!("done")), "{told}");
    let until = json!({ "components": [RED_CELLS], "expires": "=>099365" });
    assert_eq!(at.daemon.post(&path, &until).0, 201);
    let (status, told) = at.daemon.post(&path, &body);
    assert_eq!((status, &told["step"]), (200, &json!("known")), "{told}");
    let wrong = json!({ "components": [format!("={}00", at.plain)] });
    let (status, told) = at.daemon.post(&path, &wrong);
    assert_eq!(status, 422, "{told}");
    let of = |code: &str| json!({ "component": code, "to": "thawed", "reason": "x" });
    assert_eq!(at.daemon.post(&format!("{path}/move"), &of(PLASMA)).0, 400, "a place that nobody knows");
    let (exit, printed) = at.says(&["component", "made", &at.failing, RED_CELLS, PLASMA], "tech");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(at.says(&["component", "made", &at.failing, PLATELETS], "qc").0, 77);
    let printed = at.prints(&["component", "list", &at.failing]);
    assert!(printed.contains(RED_CELLS) && printed.contains("quarantine"), "{printed}");
    at.daemon.idle();
    let evidence = &at.daemon.get(&format!("donations/{}", at.plain))["evidence"]["components"];
    assert_eq!(evidence[0], json!({ "id": RED_CELLS, "state": "quarantine" }));
    let (exit, printed) =
        at.says(&["component", "issued", &at.plain, PLASMA, "--to", "City Hospital"], "tech");
    assert!(
        exit == 1 && printed.contains("not released") && printed.contains("--happened"),
        "{exit} {printed}"
    );
}

fn are_found_before_anything_goes(at: &Laboratory) {
    assert_eq!(at.shown().1["failing"], json!({ "failing": 2, "located": 0 }));
    at.signs("rev", "review").well();
    let early = at.signs("rel", "release");
    assert!(early.refused().0 == 409 && early.refused().1.contains("2 failing units, 0 found"), "{early:#?}");
    let batch = at.batch.to_string();
    let discard = |counted: &str| {
        let words = ["batch", "discard", &batch, "--counted", counted, "--reason", "reactive", &at.failing];
        at.says(&words, "tech")
    };
    let (exit, printed) = discard("1");
    assert!(exit == 65 && printed.contains("1 units were counted and 2 scanned"), "{exit} {printed}");
    let (exit, printed) = discard("2");
    assert_eq!(exit, 0, "{printed}");
    assert!(at.prints(&["component", "list", &at.failing]).contains("discarded"));
    let told = at.signs("rel", "release").well();
    assert_eq!(told["released"], json!([at.plain]), "{told}");
    assert_eq!(at.stage(&at.plain), "released");
}

fn go_to_one_consignee(at: &Laboratory) {
    let issued = |to: &str| at.says(&["component", "issued", &at.plain, RED_CELLS, "--to", to], "tech");
    let (exit, printed) = issued("City Hospital");
    assert!(exit == 0 && printed.contains("\"done\""), "{exit} {printed}");
    let (exit, printed) = issued("City Hospital");
    assert!(exit == 0 && printed.contains("\"known\""), "{exit} {printed}");
    let (exit, printed) = issued("Clinic");
    assert!(exit == 1 && printed.contains("issued to City Hospital already"), "{exit} {printed}");
    let made = ["component", "made", &at.plain, PLATELETS, "--expires", "&>0260641200"];
    assert_eq!(at.says(&made, "tech").0, 0);
    let (exit, printed) = at.says(&["component", "issued", &at.plain, PLATELETS, "--to", "Clinic"], "tech");
    assert!(exit == 1 && printed.contains("expired (2026-03-05T12:00)"), "{exit} {printed}");
    assert_eq!(at.stage(&at.plain), "released", "that it went changes nothing of what was signed");
    assert_eq!(at.recalls().len(), 0);
}

fn are_named_by_the_recall(at: &Laboratory) {
    let batch = at.batch.to_string();
    let words = ["batch", "hold", &batch, &at.plain, "--kind", "post_donation", "--reason", "rang up: fever"];
    let (exit, printed) = at.says(&words, "tech");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(at.recalls().len(), 1);
    for words in [&["recall", "list"][..], &["tasks"]] {
        let printed = at.prints(words);
        for says in [
            format!("{RED_CELLS} → City Hospital, in date until 2099-12-31"),
            format!("{PLASMA} (quarantine), expiry unknown"),
            format!("{PLATELETS} (quarantine), expired 2026-03-05T12:00"),
        ] {
            assert!(printed.contains(&says), "{words:?}: no {says} in {printed}");
        }
    }
    let path = format!("donations/{}/components/move", at.plain);
    let mut late = json!({
        "component": PLASMA, "to": "issued", "consignee": "County Hospital", "at": "2026-03-02T20:00:00+08:00",
    });
    let (status, told) = at.daemon.post(&path, &late);
    assert!(status == 409 && told["detail"].as_str().unwrap().contains("was registered at"), "{told}");
    late["happened"] = json!(true);
    assert_eq!(at.daemon.post(&path, &late).0, 201);
    let recalls = at.recalls();
    assert_eq!(recalls.len(), 1, "{recalls:#?}");
    let to = &recalls[0]["components"][1]["issued"][0]["consignee"];
    assert_eq!(to, "County Hospital", "it was known only after the recall was raised");
}

//! Batches through the real daemon: put together, looked at, signed by two people, released in part, called back, over
//! HTTP and the command line. One daemon and one day for a table of scenes.

use crate::{
    analyser::Line,
    audit,
    day::Day,
    house::{Daemon, Told, until},
    staff::{PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use simulator::scenario::Story;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use vocabulary::Role;

const DONATIONS: u32 = 60;
const STAFF: [(&str, &[Role]); 8] = [
    ("tech", &[Role::Technician]),
    ("rev", &[Role::Reviewer]),
    ("rel", &[Role::Releaser]),
    ("both", &[Role::Reviewer, Role::Releaser]),
    ("qc", &[Role::QcOfficer]),
    ("ref", &[Role::ReferenceLaboratory]),
    ("late", &[Role::Reviewer]),
    ("gone", &[Role::Releaser]),
];

/// A scene and what it shows.
type Scene = (&'static str, fn(&mut Laboratory));

const SCENES: [Scene; 11] = [
    ("a batch is made of a time, of runs or of a list, and a donation is in one only", made_three_ways),
    ("what holds each donation is said of each", what_holds_each),
    ("who may not does not, and nobody signs without a password and what was seen", who_may_not),
    ("one person does not sign twice", one_person_twice),
    ("what changes between review and release is told, and refuses the release", changed_between),
    ("failing units are found and counted before anything goes", counted_first),
    ("gates are set aside where the pack allows it, in one group, and some never", set_aside),
    ("a locked and a closed account sign nothing", closed_doors),
    ("a restart in the middle changes nothing", restarted),
    ("what is known of a donor bars, and only who may takes it back", of_a_donor),
    ("a correction after release reopens and calls back, and a second release follows", corrected),
];

struct Laboratory {
    day: Day,
    daemon: Option<Daemon>,
    /// Ordinary donations of repeat donors that no scene has taken yet.
    plain: Vec<String>,
    /// The batch with everything in it, and its three ordinary donations.
    mixed: (u64, Vec<String>),
    /// Released, and not called back for good.
    released: BTreeSet<String>,
    /// One that went by the usual way.
    gone_well: Option<(u64, String)>,
}

#[test]
fn a_batch_goes_from_review_to_release_through_the_daemon() {
    let day = Day::new(DONATIONS);
    hire(&day.house, &STAFF);
    let daemon = day.house.start();
    day.play(&daemon);
    let plain = day.of(Story::Ordinary).into_iter().filter(|d| !d.registration.donor.first_time);
    let plain = plain.map(|d| d.registration.donation.to_string()).collect();
    let (mixed, released) = ((0, Vec::new()), BTreeSet::new());
    let mut laboratory = Laboratory { day, daemon: Some(daemon), plain, mixed, released, gone_well: None };
    for (what, scene) in SCENES {
        eprintln!("scene: {what}");
        scene(&mut laboratory);
    }
    laboratory.daemon().idle();
    let may_go: BTreeSet<String> = laboratory
        .daemon()
        .list("verdicts")
        .iter()
        .filter(|verdict| verdict["releasable"] == true)
        .map(|verdict| verdict["donation"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(may_go, laboratory.released, "what may go is what two people released, and nothing else");
    every_act_is_in_the_audit(laboratory);
}

impl Laboratory {
    fn daemon(&self) -> &Daemon {
        self.daemon.as_ref().unwrap()
    }

    fn person(&self, user: &str) -> Person<'_> {
        Person::signs_in(self.daemon(), user)
    }

    fn takes(&mut self, count: usize) -> Vec<String> {
        assert!(self.plain.len() >= count, "the day is too short for these scenes");
        self.plain.drain(..count).collect()
    }

    fn one_of(&self, story: Story) -> String {
        self.day.of(story)[0].registration.donation.to_string()
    }

    fn opens(&self, name: &str, donations: &[String]) -> u64 {
        let body = json!({ "name": name, "donations": donations });
        self.person("tech").post("batches", &body).well()["batch"].as_u64().unwrap()
    }

    fn shown(&self, batch: u64) -> Told {
        self.daemon().idle();
        let told = self.person("tech").get(&format!("batches/{batch}"));
        assert_eq!(told.status, 200, "{told:#?}");
        told
    }

    fn stages(&self, batch: u64) -> BTreeMap<String, String> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let shown = self.shown(batch).body;
        let members = shown["donations"].as_array().unwrap().iter();
        members.map(|member| (text(&member["donation"]), text(&member["stage"]))).collect()
    }

    /// A signature under what the daemon shows now.
    fn signs(&self, user: &str, (batch, what): (u64, &str), more: &Value) -> Told {
        let seen = self.shown(batch).version.unwrap();
        self.signs_seen(user, (batch, what), &seen, more)
    }

    fn signs_seen(&self, user: &str, (batch, what): (u64, &str), seen: &str, more: &Value) -> Told {
        let mut body = json!({ "password": PASSWORD });
        body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
        self.person(user).signs(&format!("batches/{batch}/{what}"), seen, &body)
    }

    fn releases(&mut self, (user, batch): (&str, u64), asked: &Value) -> Value {
        let told = self.signs(user, (batch, "release"), &json!({ "asked": asked })).well();
        self.released.extend(texts(&told["released"]));
        self.daemon().idle();
        told
    }
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// The numbers of the gates that keep a donation, signatures aside.
fn kept_by(shown: &Value, donation: &str) -> Vec<String> {
    let members = shown["donations"].as_array().unwrap();
    let member = members.iter().find(|member| member["donation"] == donation).unwrap();
    let gates = member["kept_by"].as_array().unwrap().iter().filter(|gate| gate["by_signature"] == false);
    for gate in gates.clone() {
        assert!(["why", "why_zh"].iter().all(|text| !gate[text].as_str().unwrap().is_empty()), "{gate}");
    }
    gates.map(|gate| gate["id"].as_str().unwrap().to_owned()).collect()
}

fn made_three_ways(laboratory: &mut Laboratory) {
    let collected = |d: &simulator::scenario::PlannedDonation| d.registration.collected_at.to_string();
    let all = laboratory.day.scenario.donations.clone();
    let is_plain = |d: &&simulator::scenario::PlannedDonation| {
        laboratory.plain.contains(&d.registration.donation.to_string())
    };
    let at = (0..all.len() - 2).find(|at| all[*at..*at + 2].iter().all(|d| is_plain(&d))).unwrap();
    let of_time: Vec<String> = all[at..at + 2].iter().map(|d| d.registration.donation.to_string()).collect();
    laboratory.plain.retain(|donation| !of_time.contains(donation));
    let open = |more: &[&str]| {
        let arguments = [&["batch", "open", "--as", "tech", "--name", "by hand"], more].concat();
        command(&laboratory.day.house, &arguments, &[PASSWORD])
    };
    let (exit, printed) = open(&["--from", &collected(&all[at]), "--to", &collected(&all[at + 2])]);
    assert_eq!(exit, 0, "{printed}");
    let batch = |printed: &str| serde_json::from_str::<Value>(printed).unwrap()["batch"].as_u64().unwrap();
    assert_eq!(laboratory.stages(batch(&printed)).into_keys().collect::<Vec<_>>(), of_time);

    // First-time donors are grouped twice: the second determination's run has them and few others.
    let first_timer = all.iter().find(|d| d.registration.donor.first_time).unwrap();
    let shown = laboratory.daemon().get(&format!("donations/{}", first_timer.registration.donation));
    let second =
        shown["observations"].as_array().unwrap().iter().find(|o| o["connection"] == "grouping-second");
    let run = second.unwrap()["observation"]["run"].as_str().unwrap().to_owned();
    let (exit, printed) = open(&["--run", &run]);
    assert_eq!(exit, 0, "{printed}");
    let members = laboratory.stages(batch(&printed));
    assert!(members.contains_key(first_timer.registration.donation.as_str()), "{members:?}");
    assert_eq!(
        members.keys().cloned().collect::<Vec<_>>(),
        texts(&laboratory.daemon().get(&format!("runs/{}", run.replace('/', "%2F")))["donations"])
    );

    let (exit, printed) = open(&[&of_time[0]]);
    assert!(exit == 1 && printed.contains("in one batch only"), "{exit} {printed}");
    let (exit, printed) = open(&["--run", &run, &of_time[0]]);
    assert!(exit == 65 && printed.contains("name one of them"), "{exit} {printed}");
    let (exit, printed) = open(&["--run", "no-such-run"]);
    assert!(exit == 65 && printed.contains("no donation is in it"), "{exit} {printed}");
}

fn what_holds_each(laboratory: &mut Laboratory) {
    let plain = laboratory.takes(3);
    let story = |story| laboratory.one_of(story);
    let stories = [
        (story(Story::NatInvalid), "open", "R-GATE-01"),
        (story(Story::ConcordantReactive), "failing", "R-GATE-02"),
        (story(Story::SyphilisReactive), "failing", "R-GATE-02"),
        (story(Story::UnmappedTest), "open", "R-GATE-15"),
    ];
    let donations: Vec<String> = plain.iter().chain(stories.iter().map(|(d, ..)| d)).cloned().collect();
    let batch = laboratory.opens("mixed", &donations);
    let (stages, shown) = (laboratory.stages(batch), laboratory.shown(batch).body);
    for donation in &plain {
        assert_eq!((stages[donation].as_str(), kept_by(&shown, donation)), ("ready", vec![]));
    }
    for (donation, stage, gate) in stories {
        let gates = kept_by(&shown, &donation);
        assert!(
            stages[&donation] == stage && gates.contains(&gate.to_owned()),
            "{donation} {gates:?} {stages:?}"
        );
    }
    assert_eq!(shown["failing"], json!({ "failing": 2, "located": 0 }));
    let (exit, printed) = command(&laboratory.day.house, &["batch", "show", &batch.to_string()], &[]);
    assert!(exit == 0 && printed.contains("R-GATE-15") && printed.contains("seen"), "{printed}");
    laboratory.mixed = (batch, plain);
}

fn who_may_not(laboratory: &mut Laboratory) {
    let batch = laboratory.mixed.0;
    let no = |user: &str, what: &str| laboratory.signs(user, (batch, what), &json!({}));
    for (user, what) in [
        ("tech", "review"),
        ("rel", "review"),
        ("qc", "review"),
        ("tech", "release"),
        ("rev", "release"),
        ("sysop", "release"),
    ] {
        let told = no(user, what);
        assert_eq!(told.status, 403, "{user} {what}: {told:#?}");
    }
    assert_eq!(laboratory.person("auditor").get(&format!("batches/{batch}")).status, 403);
    let (status, told) =
        laboratory.daemon().post(&format!("batches/{batch}/review"), &json!({ "password": PASSWORD }));
    assert_eq!(status, 403, "the machine's token signs nothing: {told}");
    let seen = laboratory.shown(batch).version.unwrap();
    let wrong =
        laboratory.signs_seen("rev", (batch, "review"), &seen, &json!({ "password": "Wrong-password-9" }));
    assert_eq!(wrong.status, 401, "{wrong:#?}");
    let unseen =
        laboratory.person("rev").post(&format!("batches/{batch}/review"), &json!({ "password": PASSWORD }));
    assert_eq!(unseen.status, 428, "{unseen:#?}");
    let other = laboratory.signs_seen("rev", (batch, "review"), "\"0123\"", &json!({}));
    assert_eq!(other.status, 412, "{other:#?}");
    assert!(laboratory.stages(batch).values().all(|stage| stage != "reviewed" && stage != "released"));
}

fn one_person_twice(laboratory: &mut Laboratory) {
    let donation = laboratory.takes(1).remove(0);
    let batch = laboratory.opens("one person", std::slice::from_ref(&donation));
    assert_eq!(laboratory.signs("both", (batch, "review"), &json!({})).well(), json!({ "reviewed": 1 }));
    let twice = laboratory.signs("both", (batch, "release"), &json!({}));
    assert!(twice.refused().0 == 403 && twice.refused().1.contains("another person"), "{twice:#?}");
    assert_eq!(laboratory.stages(batch)[&donation], "reviewed");
    let told = laboratory.releases(("rel", batch), &json!({}));
    assert_eq!(told, json!({ "released": [donation], "held": [] }));
    assert_eq!(laboratory.stages(batch)[&donation], "released");
    laboratory.gone_well = Some((batch, donation));
}

fn changed_between(laboratory: &mut Laboratory) {
    let donations = laboratory.takes(2);
    let batch = laboratory.opens("changes", &donations);
    let house = &laboratory.day.house;
    let number = batch.to_string();
    let seen =
        |laboratory: &Laboratory| laboratory.shown(batch).version.unwrap().trim_matches('"').to_owned();
    // Nobody is there who could have looked.
    for who in [["review", "rev"], ["release", "rel"]] {
        let (exit, printed) = command(house, &["batch", who[0], &number, "--as", who[1]], &[PASSWORD]);
        assert!(
            exit == 2 && printed.contains("--seen") && printed.contains("nothing was signed"),
            "{exit} {printed}"
        );
    }
    let review = ["batch", "review", &number, "--seen", &seen(laboratory), "--as", "rev"];
    let (exit, printed) = command(house, &review, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    let before = laboratory.shown(batch).version.unwrap();
    let hold = ["batch", "hold", &number, &donations[0], "--reason", "the bag leaks", "--as", "tech"];
    let (exit, printed) = command(house, &hold, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    let stale = laboratory.signs_seen("rel", (batch, "release"), &before, &json!({}));
    let (status, why) = stale.refused();
    assert!(
        status == 412 && why.contains(&format!("donation {} was held by user:tech", donations[0])),
        "{why}"
    );
    assert!(why.contains("the bag leaks") && why.contains("被暂扣") && !why.contains(&donations[1]), "{why}");
    let release = ["batch", "release", &number, "--seen", before.trim_matches('"'), "--as", "rel"];
    let (exit, printed) = command(house, &release, &[PASSWORD]);
    assert!(exit == 1 && printed.contains("was held by user:tech"), "{exit} {printed}");

    // What is held stays, the rest goes; lifted, it is what it was, and its review stands.
    let told = laboratory.releases(("rel", batch), &json!({}));
    assert_eq!(texts(&told["released"]), donations[1..], "{told}");
    assert_eq!(told["held"], json!([{ "donation": donations[0], "why": "held by a person" }]));
    let lift = ["batch", "lift", &number, &donations[0], "--reason", "it does not", "--as", "rev"];
    let (exit, printed) = command(&laboratory.day.house, &lift, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    // What the donor said later holds as well, and is told as that.
    let later = [&hold[..4], &["--kind", "post_donation", "--reason", "fever", "--as", "tech"]].concat();
    let (exit, printed) = command(&laboratory.day.house, &later, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    let shown = laboratory.shown(batch).well();
    let one =
        shown["donations"].as_array().unwrap().iter().find(|one| one["donation"] == donations[0]).unwrap();
    assert!(one["kept_by"].as_array().unwrap().iter().any(|gate| gate["id"] == "R-GATE-11"), "{one}");
    let lift = ["batch", "lift", &number, &donations[0], "--reason", "another donor's", "--as", "rev"];
    let (exit, printed) = command(&laboratory.day.house, &lift, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    let release = ["batch", "release", &number, "--seen", &seen(laboratory), "--as", "rel"];
    let (exit, printed) = command(&laboratory.day.house, &release, &[PASSWORD]);
    assert!(exit == 0 && printed.contains(&donations[0]), "{exit} {printed}");
    laboratory.released.insert(donations[0].clone());
    assert!(laboratory.stages(batch).values().all(|stage| stage == "released"));
}

fn counted_first(laboratory: &mut Laboratory) {
    let (batch, plain) = laboratory.mixed.clone();
    let reviewed = laboratory.signs("rev", (batch, "review"), &json!({})).well();
    assert_eq!(
        reviewed,
        json!({ "reviewed": 4 }),
        "three that are ready, one that a gate keeps that may be set aside"
    );
    let early = laboratory.signs("rel", (batch, "release"), &json!({}));
    assert!(early.refused().0 == 409 && early.refused().1.contains("2 failing units, 0 found"), "{early:#?}");
    let failing = [laboratory.one_of(Story::ConcordantReactive), laboratory.one_of(Story::SyphilisReactive)];
    let number = batch.to_string();
    let discard = |counted: &str, donations: &[&str]| {
        let head =
            ["batch", "discard", &number, "--counted", counted, "--reason", "reactive", "--as", "tech"];
        command(&laboratory.day.house, &[&head, donations].concat(), &[PASSWORD])
    };
    let (exit, printed) = discard("1", &[&failing[0], &failing[1]]);
    assert!(exit == 65 && printed.contains("1 units were counted and 2 scanned"), "{exit} {printed}");
    let (exit, printed) = discard("1", &[&failing[0]]);
    assert_eq!(exit, 0, "{printed}");
    let half = laboratory.signs("rel", (batch, "release"), &json!({}));
    assert!(half.refused().0 == 409 && half.refused().1.contains("1 found"), "{half:#?}");
    let (exit, printed) = discard("1", &[&failing[1]]);
    assert_eq!(exit, 0, "{printed}");
    let told = laboratory.releases(("rel", batch), &json!({ "donations": [plain[0]] }));
    assert_eq!(texts(&told["released"]), plain[..1]);
    let held = told["held"].as_array().unwrap().iter().map(|left| left["donation"].as_str().unwrap());
    let all: BTreeSet<String> = held.chain([plain[0].as_str()]).map(str::to_owned).collect();
    assert_eq!(all, laboratory.stages(batch).into_keys().collect(), "nobody is left out (R-BATCH-01)");
}

fn set_aside(laboratory: &mut Laboratory) {
    let (batch, plain) = laboratory.mixed.clone();
    let kept = laboratory.one_of(Story::UnmappedTest);
    let asked = |gate: &str, reason: &str| json!({ "set_aside": [{ "gate": gate, "reason": reason, "donations": [kept] }] });
    for gate in [
        "R-GATE-01",
        "R-GATE-02",
        "R-GATE-03",
        "R-GATE-04",
        "R-GATE-11",
        "R-GATE-10",
        "R-GATE-14",
        "R-GATE-99",
    ] {
        let told = laboratory.signs("rel", (batch, "release"), &json!({ "asked": asked(gate, "hurry") }));
        assert!(told.refused().0 == 422 && told.refused().1.contains(gate), "{gate}: {told:#?}");
    }
    let silent = laboratory.signs("rel", (batch, "release"), &json!({ "asked": asked("R-GATE-15", " ") }));
    assert_eq!(silent.status, 422, "{silent:#?}");
    let before = laboratory.daemon().get("status")["ledger"]["durable"].as_u64().unwrap();
    let told = laboratory.releases(("rel", batch), &asked("R-GATE-15", "the code is the lamp's self-test"));
    assert_eq!(texts(&told["released"]).len(), 3, "{told}");
    assert!(
        texts(&told["released"]).contains(&kept) && texts(&told["released"]).contains(&plain[2]),
        "{told}"
    );
    let audit = laboratory.daemon().list("audit");
    let of_release: Vec<u64> = audit
        .iter()
        .filter(|entry| entry["seq"].as_u64() > Some(before) && entry["what"] == "batch_released")
        .map(|entry| entry["seq"].as_u64().unwrap())
        .collect();
    assert!(
        of_release.len() == 2 && of_release[1] == of_release[0] + 1,
        "one signature, one group: {of_release:?}"
    );
}

fn closed_doors(laboratory: &mut Laboratory) {
    let donation = laboratory.takes(1).remove(0);
    let batch = laboratory.opens("doors", std::slice::from_ref(&donation));
    let tries = |user: &str, password: &str| Person::tries(laboratory.daemon(), user, password).status;
    let seen = laboratory.shown(batch).version.unwrap();
    let path = format!("batches/{batch}/review");
    let late = laboratory.person("late");
    for _ in 0..5 {
        assert_eq!(late.signs(&path, &seen, &json!({ "password": "Wrong-password-9" })).status, 401);
    }
    assert_eq!(
        late.signs(&path, &seen, &json!({ "password": PASSWORD })).status,
        401,
        "signed in, and locked"
    );
    assert_eq!(tries("late", PASSWORD), 401);
    assert_eq!(laboratory.signs("rev", (batch, "review"), &json!({})).status, 200);
    let seen = laboratory.shown(batch).version.unwrap();
    let gone = laboratory.person("gone");
    let closed = laboratory.person("sysop").post("users/gone/disable", &json!({ "reason": "left" }));
    assert_eq!(closed.status, 200, "{closed:#?}");
    let told = gone.signs(&format!("batches/{batch}/release"), &seen, &json!({ "password": PASSWORD }));
    assert_eq!(told.status, 401, "{told:#?}");
    assert_eq!(tries("gone", PASSWORD), 401);
    assert_eq!(laboratory.stages(batch)[&donation], "reviewed", "nobody released it");
}

fn restarted(laboratory: &mut Laboratory) {
    let donations = laboratory.takes(2);
    let batch = laboratory.opens("restart", &donations);
    assert_eq!(laboratory.signs("rev", (batch, "review"), &json!({})).status, 200);
    let plain = |mut told: Told| {
        // The last entry that it rests on is another after a start; what it shows is not.
        let seen = told.body["seen"].as_str().unwrap().split('.').next().unwrap().to_owned();
        told.body["seen"] = json!(seen);
        told.body
    };
    let before = plain(laboratory.shown(batch));
    let seen = laboratory.shown(batch).version.unwrap();
    let (status, log) = laboratory.daemon.take().unwrap().stop();
    assert!(status.success(), "{log}");
    laboratory.daemon = Some(laboratory.day.house.start());
    assert_eq!(plain(laboratory.shown(batch)), before);
    let told = laboratory.signs_seen("rel", (batch, "release"), &seen, &json!({})).well();
    assert_eq!(
        texts(&told["released"]),
        donations,
        "what was seen before the start is what is there after it"
    );
    laboratory.released.extend(donations);
}

/// Sends the first reagent's results of a donation once more, corrected, one of them to another value that passes.
fn corrects(laboratory: &Laboratory, donation: &str) {
    let shown = laboratory.daemon().get(&format!("donations/{donation}"));
    let all = shown["observations"].as_array().unwrap();
    let of = all.iter().find(|o| o["connection"] == "serology-first").unwrap();
    let (status, raw) = laboratory.daemon().ask(&format!("/api/v1/messages/{}/raw", of["message"]));
    assert_eq!(status, 200);
    let text = String::from_utf8(raw).unwrap();
    let (mut mine, mut changed) = (false, false);
    let mut told = Vec::new();
    for record in text.split('\r').filter(|record| !record.is_empty()) {
        mine = if record.starts_with("O|") { record.contains(donation) } else { mine };
        let mut fields: Vec<&str> = record.split('|').collect();
        if record.starts_with("R|") && mine {
            if !changed && fields[4] == "S/CO" {
                (fields[3], changed) = ("0.21", true);
            }
            fields[8] = "C";
        }
        told.push(fields.join("|"));
    }
    assert!(changed, "{text}");
    let messages = || laboratory.daemon().list("messages").len();
    let before = messages();
    Line::open(laboratory.daemon().listening["serology-first"]).unwrap().tell(&told);
    until("the correction is kept", Duration::from_mins(1), || messages() > before);
    laboratory.daemon().idle();
}

fn corrected(laboratory: &mut Laboratory) {
    let (batch, donation) = laboratory.gone_well.clone().unwrap();
    let recalls =
        |laboratory: &Laboratory| laboratory.daemon().get("recalls")["items"].as_array().unwrap().clone();
    assert!(recalls(laboratory).is_empty());
    corrects(laboratory, &donation);
    let raised = recalls(laboratory);
    assert_eq!((raised.len(), &raised[0]["donation"]), (1, &json!(donation)), "{raised:#?}");
    assert_eq!(laboratory.stages(batch)[&donation], "ready", "no signature holds for what is known now");
    let alone = laboratory.signs("rel", (batch, "release"), &json!({}));
    assert_eq!(alone.status, 409, "{alone:#?}");
    assert_eq!(laboratory.signs("rev", (batch, "review"), &json!({})).well(), json!({ "reviewed": 1 }));
    let told = laboratory.releases(("rel", batch), &json!({}));
    assert_eq!(texts(&told["released"]), std::slice::from_ref(&donation));
    assert_eq!(laboratory.stages(batch)[&donation], "released");
    // That it went once must still be settled, by whoever may.
    let number = raised[0]["recall"].to_string();
    let house = &laboratory.day.house;
    for words in [&["recall", "list"][..], &["recall", "show", &number], &["tasks"]] {
        let (exit, printed) = command(house, words, &[]);
        assert!(exit == 0 && printed.contains(&donation), "{words:?}: {printed}");
    }
    let close = |who: &str| {
        let words = ["recall", "close", &number, "--outcome", "still in the cold store", "--as", who];
        command(house, &words, &[PASSWORD])
    };
    assert_eq!(close("tech").0, 77);
    let (exit, printed) = close("qc");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(close("qc").0, 1, "once");
    assert!(recalls(laboratory).is_empty());
}

fn of_a_donor(laboratory: &mut Laboratory) {
    let donation = laboratory.takes(1).remove(0);
    let batch = laboratory.opens("donor", std::slice::from_ref(&donation));
    let all = &laboratory.day.scenario.donations;
    let donor_of = |wanted: &str| {
        let found = all.iter().find(|d| d.registration.donation.as_str() == wanted).unwrap();
        found.registration.donor.id.clone()
    };
    let donor = donor_of(&donation);
    let at_the_desk = |words: &[&str], who: &str| {
        command(&laboratory.day.house, &[words, &["--as", who]].concat(), &[PASSWORD])
    };
    let defer = ["donor", "defer", &donor, "--reason", "rang up: fever"];
    assert_eq!(at_the_desk(&defer, "tech").0, 77);
    let (exit, printed) = at_the_desk(&defer, "ref");
    assert_eq!(exit, 0, "{printed}");
    let entry = serde_json::from_str::<Value>(&printed).unwrap()["seq"].to_string();
    let shown = laboratory.shown(batch).body;
    assert_eq!(kept_by(&shown, &donation), ["R-GATE-11"]);
    let lift = ["donor", "reinstate", &donor, "--on", &entry, "--reason", "it was another donor"];
    assert_eq!(at_the_desk(&lift, "ref").0, 77);
    let (exit, printed) = at_the_desk(&lift, "rel");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(laboratory.stages(batch)[&donation], "ready");
    let earlier = ["donor", "earlier", &donor, "OLD-1", "--result", "HCV=reactive", "--source", "archive"];
    let (exit, printed) = at_the_desk(&earlier, "tech");
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(
        kept_by(&laboratory.shown(batch).body, &donation),
        ["R-GATE-11"],
        "negative now takes nothing back"
    );
    let (exit, printed) = command(&laboratory.day.house, &["donor", "show", &donor], &[]);
    assert!(exit == 0 && printed.contains("OLD-1") && printed.contains("rang up: fever"), "{printed}");

    // Reactive by serology alone: the donor may be examined for re-entry, half a year on.
    let single = laboratory.one_of(Story::SingleReagentReactive);
    let tasks = laboratory.daemon().get("tasks");
    let tasks = tasks["items"].as_array().unwrap();
    let task = tasks.iter().find(|task| task["kind"] == "reentry" && task["donation"] == json!(single));
    let task = task.unwrap_or_else(|| panic!("{tasks:#?}"));
    assert_eq!((&task["donor"], &task["not_before"]), (&json!(donor_of(&single)), &json!("2026-09-02")));
    let confirm =
        ["donor", "confirm", &single, "--marker", "HCV", "--outcome", "CONF_POS", "--report", "R-7"];
    let (exit, printed) = at_the_desk(&confirm, "ref");
    assert_eq!(exit, 0, "{printed}");
    laboratory.daemon().idle();
    let tasks = laboratory.daemon().get("tasks");
    let is_it = |task: &Value| task["kind"] == "reentry" && task["donation"] == json!(single);
    assert!(
        !tasks["items"].as_array().unwrap().iter().any(is_it),
        "confirmed, nobody comes back by that way: {tasks:#}"
    );
}

fn every_act_is_in_the_audit(laboratory: Laboratory) {
    let Laboratory { day, daemon, .. } = laboratory;
    let (status, log) = daemon.unwrap().stop();
    assert!(status.success(), "{log}");
    let acts = [
        ("batch_opened", "user:tech", 8),
        ("batch_reviewed", "user:both", 1),
        ("batch_reviewed", "user:rev", 5),
        ("batch_released", "user:rel", 8),
        ("donations_held", "user:tech", 2),
        ("holds_lifted", "user:rev", 2),
        ("donations_discarded", "user:tech", 2),
        ("recall_closed", "user:qc", 1),
        ("donor_registered", "user:ref", 1),
        ("donor_registered", "user:rel", 1),
        ("earlier_recorded", "user:tech", 1),
        ("confirmatory_recorded", "user:ref", 1),
        ("user_disabled", "user:sysop", 1),
    ];
    audit::has(&day.house, &acts);
    let (exit, printed) = command(&day.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

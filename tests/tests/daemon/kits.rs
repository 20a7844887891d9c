//! Kits through the real daemon: a plate whose controls fail holds its donations and says why, its repeat opens them, and a
//! run that falls after the release calls them back; over HTTP and the command line alike.

use crate::{
    day::Day,
    house::{Daemon, Told},
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use simulator::scenario::Story;
use std::fs;

const DONATIONS: u32 = 24;
/// The rules of a plate of HBsAg: its assay, and the least signal of its positive control.
pub(crate) fn plate_kit(assay: &str, positive: &str) -> String {
    format!(
        r#"
schema = 1
id = "site/hbsag"
title = {{ en = "HBsAg, ELISA", zh = "乙肝表面抗原酶联免疫" }}
assays = ["{assay}"]
source = "made up for this test"

[plate]
signal = "direct"
criteria = ["BLK <= 0.080", "drop_one(NC <= 0.100)", "PC >= {positive}"]
cutoff = "2.1 * max(mean(NC), 0.050)"

[plate.controls]
BLK = {{ is = "blank", wells = 1 }}
NC = {{ is = "negative", wells = 3 }}
PC = {{ is = "positive", wells = 2 }}

[plate.external]
QC = {{ is = "weak-positive", wells = 2, sco_min = "1.00", sco_max = "6.00" }}
"#
    )
}

struct Laboratory {
    day: Day,
    daemon: Daemon,
    /// Ordinary donations of repeat donors on the plate.
    plain: Vec<String>,
    /// The plate as its reader wrote it, and its number.
    plate: (String, String),
}

impl Laboratory {
    fn run(&self, suffix: &str) -> String {
        format!("serology-second/{}{suffix}/ELISA HBsAg", self.plate.1)
    }

    fn shown(&self, run: &str) -> Value {
        self.daemon.get(&at(run))
    }

    fn standing(&self, donation: &str) -> Value {
        self.daemon.idle();
        let verdicts = self.daemon.list("verdicts");
        verdicts.into_iter().find(|verdict| verdict["donation"] == donation).unwrap()
    }

    fn says(&self, arguments: &[&str]) -> (i32, String) {
        command(&self.day.house, &[&["runs"], arguments].concat(), &[PASSWORD])
    }

    /// A plate comes into the daemon's folder, whole.
    fn comes(&self, name: &str, text: &str) {
        let written = self.day.house.path.join(name);
        fs::write(&written, text).unwrap();
        fs::rename(written, self.day.inbox().join(name)).unwrap();
        self.day.takes_files(&self.daemon);
    }
}

/// Everybody signs in once: a password costs time.
struct Staff<'d> {
    tech: Person<'d>,
    rev: Person<'d>,
    rel: Person<'d>,
    qc: Person<'d>,
}

impl<'d> Staff<'d> {
    fn of(daemon: &'d Daemon) -> Self {
        let signs_in = |user: &str| Person::signs_in(daemon, user);
        Self { tech: signs_in("tech"), rev: signs_in("rev"), rel: signs_in("rel"), qc: signs_in("qc") }
    }

    fn batch(&self, batch: u64) -> Told {
        self.tech.get(&format!("batches/{batch}"))
    }

    /// A signature under what the daemon shows now.
    fn signs(&self, who: &Person<'_>, (batch, what): (u64, &str)) -> Value {
        let seen = self.batch(batch).version.unwrap();
        who.signs(&format!("batches/{batch}/{what}"), &seen, &json!({ "password": PASSWORD })).well()
    }
}

fn at(run: &str) -> String {
    format!("runs/{}", run.replace('/', "%2F").replace(' ', "%20"))
}

/// The well's OD, S/CO and result are others.
fn with_wells(plate: &str, kind: &str, od: &str, sco: &str, result: &str) -> String {
    let line = |line: &str| {
        let mut columns: Vec<&str> = line.split(',').collect();
        if columns.get(2) == Some(&kind) {
            (columns[5], columns[7], columns[8]) = (od, sco, result);
        }
        columns.join(",")
    };
    plate.split("\r\n").map(line).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn a_plate_is_held_by_its_kit_repeated_released_and_called_back() {
    let day = Day::new(DONATIONS);
    fs::create_dir(day.house.path.join("kits")).unwrap();
    fs::write(day.house.path.join("kits/hbsag.toml"), plate_kit("ELISA HBsAg", "0.105")).unwrap();
    let configured = fs::read_to_string(day.house.config()).unwrap();
    fs::write(day.house.config(), format!("[site]\nkits = \"kits\"\n{configured}")).unwrap();
    hire(&day.house, &BENCH);
    let daemon = day.house.start();
    let plates = day.house.path.join("reader");
    fs::create_dir(&plates).unwrap();
    day.play_with_plates_in(&daemon, &plates);
    let plain: Vec<_> =
        day.of(Story::Ordinary).into_iter().filter(|d| !d.registration.donor.first_time).collect();
    let plain: Vec<String> = plain.into_iter().map(|d| d.registration.donation.to_string()).collect();
    let mut laboratory = Laboratory { day, daemon, plain, plate: Default::default() };
    let mut names: Vec<_> = fs::read_dir(&plates).unwrap().map(|file| file.unwrap().path()).collect();
    names.sort();
    for file in names {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        let is_plate =
            text.contains(",HBsAg,") && laboratory.plain.iter().any(|donation| text.contains(donation));
        if is_plate {
            assert!(laboratory.plate.0.is_empty(), "all ordinary donations stand on one plate");
            let number = text.lines().nth(1).unwrap().split(',').next().unwrap().to_owned();
            laboratory.comes(&name, &with_wells(&text, "PC", "0.052", "0.50", "NEG"));
            laboratory.plate = (text, number);
        } else {
            laboratory.comes(&name, &text);
        }
    }
    laboratory.plain.retain(|donation| laboratory.plate.0.contains(donation));
    assert!(laboratory.plain.len() >= 3, "{:?}", laboratory.plain);
    a_failed_plate_says_criterion_value_and_limit(&laboratory);
    let staff = Staff::of(&laboratory.daemon);
    let batch = its_repeat_opens(&laboratory, &staff);
    who_may_not_is_refused(&laboratory, &staff);
    it_falls_after_the_release(&laboratory, &staff, batch);
    two_people_make_it_valid_again(&laboratory, &staff);
}

fn a_failed_plate_says_criterion_value_and_limit(laboratory: &Laboratory) {
    let said = "PC >= 0.105 does not hold (PC[1] = 0.052, PC[2] = 0.052, limit >= 0.105)";
    let run = laboratory.run("");
    let shown = laboratory.shown(&run);
    assert_eq!(shown["validity"], "invalid", "{shown}");
    assert!(shown["why"]["en"].as_str().unwrap().contains(said), "{shown}");
    assert!(shown["why"]["zh"].as_str().unwrap().contains("不符合 PC >= 0.105"), "{shown}");
    assert!(shown["kits"][0].as_str().unwrap().starts_with("site/hbsag@"), "{shown}");
    let checks = shown["checks"].as_array().unwrap();
    let failed: Vec<&Value> = checks.iter().filter(|check| check["holds"] == false).collect();
    assert!(failed.len() == 1 && failed[0]["criterion"] == "PC >= 0.105", "{shown}");
    for donation in &laboratory.plain {
        assert!(texts(&shown["donations"]).contains(donation), "{donation}: {shown}");
        let verdict = laboratory.standing(donation);
        assert!(verdict["unit"] == "hold" && verdict["releasable"] == false, "{verdict}");
    }
    let donation = &laboratory.plain[0];
    let whole = laboratory.daemon.get(&format!("donations/{donation}")).to_string();
    assert!(whole.contains(said), "the verdict's reason has criterion, value and limit: {whole}");

    let (exit, printed) = laboratory.says(&["show", &run]);
    assert!(exit == 0 && printed.contains(said) && printed.contains("does not hold"), "{printed}");
    let (exit, printed) = laboratory.says(&["show", &run, "--format", "json"]);
    assert_eq!((exit, serde_json::from_str::<Value>(&printed).unwrap()), (0, shown));
    let (exit, printed) = laboratory.says(&["list", "--format", "json"]);
    let listed: Vec<Value> = printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((exit, listed), (0, laboratory.daemon.list("runs")));
}

fn its_repeat_opens(laboratory: &Laboratory, staff: &Staff<'_>) -> u64 {
    let (text, number) = &laboratory.plate;
    let again = text.replace(&format!("{number},"), &format!("{number}R,"));
    laboratory.comes("again.csv", &again);
    let shown = laboratory.shown(&laboratory.run("R"));
    assert_eq!((&shown["validity"], &shown["qc"]), (&json!("valid"), &json!("in_control")), "{shown}");
    let body = json!({ "name": "repeated", "donations": laboratory.plain });
    let batch = staff.tech.post("batches", &body).well()["batch"].as_u64().unwrap();
    for member in staff.batch(batch).body["donations"].as_array().unwrap() {
        assert_eq!(member["stage"], "ready", "{member}");
    }
    staff.signs(&staff.rev, (batch, "review"));
    let told = staff.signs(&staff.rel, (batch, "release"));
    assert_eq!(texts(&told["released"]).len(), laboratory.plain.len(), "{told}");
    assert!(laboratory.standing(&laboratory.plain[0])["releasable"] == true);
    batch
}

fn who_may_not_is_refused(laboratory: &Laboratory, staff: &Staff<'_>) {
    let run = laboratory.run("R");
    let body = json!({ "reason": "the washer leaked" });
    for (user, person) in [("tech", &staff.tech), ("rel", &staff.rel)] {
        for (what, body) in
            [("invalidate", &body), ("confirm", &Value::Null), ("reinstate", &body), ("judge", &body)]
        {
            let told = person.post(&format!("{}/{what}", at(&run)), body);
            assert_eq!(told.status, 403, "{user} {what}: {told:#?}");
        }
    }
    let (exit, printed) =
        laboratory.says(&["invalidate", &run, "--reason", "x", "--cause", "other", "--as", "tech"]);
    assert!(exit != 0 && printed.contains("invalidate_run is for reviewer"), "{exit} {printed}");
    let unknown = staff.qc.post(&format!("{}/invalidate", at("no/such/run")), &body);
    assert_eq!(unknown.status, 404, "{unknown:#?}");
    let without_cause = staff.qc.post(&format!("{}/invalidate", at(&run)), &body);
    assert!(without_cause.refused().1.contains("kit_control, external_control"), "{without_cause:#?}");
    let (status, told) = laboratory.daemon.post(&format!("{}/invalidate", at(&run)), &body);
    assert_eq!(status, 403, "the machine's token declares nothing: {told}");
    assert_eq!(laboratory.shown(&run)["invalidated"], Value::Null);
}

fn it_falls_after_the_release(laboratory: &Laboratory, staff: &Staff<'_>, batch: u64) {
    let run = laboratory.run("R");
    let before = staff.tech.get("tasks").body.to_string();
    assert!(!before.contains("\"recall\""), "{before}");
    let repeated = laboratory.run("S");
    let (exit, printed) = laboratory.says(&[
        "invalidate",
        &run,
        "--reason",
        "the washer leaked",
        "--cause",
        "equipment",
        "--repeated-in",
        &repeated,
        "--as",
        "qc",
    ]);
    assert_eq!(exit, 0, "{printed}");
    laboratory.daemon.idle();
    let shown = laboratory.shown(&run);
    let said = &shown["invalidated"];
    assert_eq!(
        (&shown["validity"], &said["by"], &said["cause"]),
        (&json!("invalid"), &json!("qc"), &json!("equipment"))
    );
    assert_eq!((&said["repeated_in"], &said["confirmed"]), (&json!(repeated), &Value::Null));
    assert!(shown["why"]["en"].as_str().unwrap().contains("the washer leaked"), "{shown}");
    let tasks = staff.tech.get("tasks").body.to_string();
    for donation in &laboratory.plain {
        assert_eq!(laboratory.standing(donation)["releasable"], false, "{donation}");
        assert!(tasks.contains(donation), "{donation} is called back: {tasks}");
    }
    for member in staff.batch(batch).body["donations"].as_array().unwrap() {
        assert!(member["stage"] != "released" && member["stage"] != "ready", "{member}");
    }
    let twice = staff.rev.post(&format!("{}/invalidate", at(&run)), &json!({ "reason": "so say I" }));
    assert!(twice.refused().0 == 409 && twice.refused().1.contains("another person confirms"), "{twice:#?}");
    let (exit, printed) = laboratory.says(&["confirm", &run, "--as", "qc"]);
    assert!(exit != 0 && printed.contains("another person confirms it"), "{exit} {printed}");
    let (exit, printed) = laboratory.says(&["confirm", &run, "--as", "rev"]);
    assert_eq!(exit, 0, "{printed}");
    assert_eq!(laboratory.shown(&run)["invalidated"]["confirmed"]["by"], "rev");
    let listed = laboratory.daemon.list("runs");
    let one = listed.iter().find(|one| one["run"] == json!(run)).unwrap();
    assert!(one["invalidated"].is_u64() && one["confirmed"] == true, "{one}");
}

fn two_people_make_it_valid_again(laboratory: &Laboratory, staff: &Staff<'_>) {
    let run = laboratory.run("R");
    let path = format!("{}/reinstate", at(&run));
    let body = json!({ "reason": "it was another washer" });
    let first = staff.qc.post(&path, &body).well();
    assert_eq!(first["step"], "proposed", "{first}");
    let alone = staff.qc.post(&path, &body).well();
    assert_eq!((&alone["step"], &alone["entry"]), (&json!("waits_for_another"), &first["entry"]));
    laboratory.daemon.idle();
    assert_eq!(laboratory.shown(&run)["validity"], "invalid", "one person does not make it valid");
    let (exit, printed) = laboratory.says(&["reinstate", &run, "--reason", "I looked too", "--as", "rev"]);
    assert!(exit == 0 && printed.contains("done"), "{exit} {printed}");
    laboratory.daemon.idle();
    let shown = laboratory.shown(&run);
    assert_eq!((&shown["validity"], &shown["invalidated"]), (&json!("valid"), &Value::Null), "{shown}");
    let tasks = staff.tech.get("tasks").body.to_string();
    assert!(tasks.contains(&laboratory.plain[0]), "a recall is closed by a person: {tasks}");
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

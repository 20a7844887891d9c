//! Re-entry on a real ledger: what an examination finds stands when another one is begun, and the waiting time runs from what
//! the ledger knows, whatever day is typed.

use super::tests::{gate_11, now, reactive, verdict};
use super::*;
use crate::batches::tests::{Station, registered};
use release::ReentryState;
use release::evidence::{Call, EarlierDonation, ReentryTest};
use serde_json::json;
use vocabulary::Role;

struct Clinic {
    station: Station,
    reviewer: Actor,
    releaser: Actor,
}

const FOUR: [(&str, &str); 4] =
    [("T1", "serology"), ("T2", "serology"), ("T3", "nat"), ("T4", "confirmatory")];

impl Clinic {
    /// G1 was reactive for HCV by one reagent, and G9 is given long after it.
    fn new() -> Self {
        let station = Station::new();
        let (reviewer, releaser) =
            (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
        let clinic = Self { station, reviewer, releaser };
        single(&clinic.station, "G1");
        clinic.station.write(registered("G9", "2028-10-05T08:00:00Z"));
        clinic
    }

    fn begins(&self, deferred_on: &str) -> Result<Seq, Refused> {
        let asked = Examination {
            marker: "HCV".into(),
            deferred_on: deferred_on.parse().unwrap(),
            nat_then: Call::NonReactive,
            reason: "asks to come back".into(),
        };
        examine(&self.station.settings, &self.station.ledger, &self.reviewer, "D", (&asked, now()))
    }

    fn tests(&self, on: &str, (id, kind): (&str, &str), result: &str) -> Result<Seq, Refused> {
        let test: ReentryTest = serde_json::from_value(
            json!({ "id": id, "kind": kind, "reagent": id, "result": result, "collected_on": on }),
        )
        .unwrap();
        record_test(&self.station.settings, &self.station.ledger, &self.reviewer, "D", (&test, now()))
    }

    /// The four tests of that day, one of them reactive.
    fn examines(&self, on: &str, found: Option<&str>) {
        for one in FOUR {
            let result = if found == Some(one.0) { "reactive" } else { "non_reactive" };
            self.tests(on, one, result).unwrap();
        }
    }

    fn approves(&self) -> Result<(), Refused> {
        let asked = Approval {
            on: FOUR.map(|one| one.0.to_owned()).to_vec(),
            deferrals: vec![],
            reason: "ok".into(),
        };
        approve(&self.station.settings, &self.station.ledger, &self.releaser, "D", &asked).map(|_| ())
    }

    fn g9(&self) -> String {
        gate_11(&self.station, "G9")
    }

    fn open_tasks(&self) -> Vec<String> {
        super::task_tests::open(&self.station)
    }
}

/// One reagent of two finds HCV.
fn single(station: &Station, donation: &str) {
    verdict(station, donation, |case| {
        reactive(case, "anti-HCV");
        let second =
            case["serology"].as_array_mut().unwrap().iter_mut().filter(|s| s["marker"] == "anti-HCV").nth(1);
        second.unwrap()["results"] = json!([{ "kind": "initial", "sco": "0.1", "run": "E1" }]);
    });
}

const TOO_EARLY: Result<(), Refused> = Err(Refused::Reentry { state: ReentryState::TooEarly });

#[test]
fn a_test_that_was_reactive_stands_when_another_examination_is_begun() {
    for (found, why, comes_back) in [("T1", "T1", true), ("T3", "T3", false), ("T4", "T4", false)] {
        let clinic = Clinic::new();
        clinic.begins("2026-03-01").unwrap();
        clinic.examines("2026-10-01", Some(found));
        assert_eq!(clinic.approves(), Err(Refused::Reentry { state: ReentryState::Failed }));
        assert!(clinic.g9().contains(why), "it bars by itself: {}", clinic.g9());
        let again = clinic.begins("2026-03-01");
        if !comes_back {
            let told = again.unwrap_err();
            assert!(told.english().contains(found) && told.chinese().contains(found), "{told}");
            continue;
        }
        again.unwrap();
        assert!(clinic.tests("2026-10-01", FOUR[0], "non_reactive").is_ok(), "on its day");
        for one in &FOUR[1..] {
            clinic.tests("2026-10-01", *one, "non_reactive").unwrap();
        }
        assert_eq!(clinic.approves(), TOO_EARLY, "{found}: a new waiting time runs from it");
        assert!(clinic.g9().contains(why), "{}", clinic.g9());
    }
}

#[test]
fn a_test_that_was_reactive_asks_again_for_the_deferral_of_its_donor() {
    let clinic = Clinic::new();
    clinic.begins("2026-03-01").unwrap();
    assert!(clinic.open_tasks().is_empty(), "{:?}", clinic.open_tasks());
    clinic.examines("2026-10-01", Some("T3"));
    assert_eq!(clinic.open_tasks().len(), 1, "{:?}", clinic.open_tasks());
    assert!(clinic.open_tasks()[0].starts_with("G1 defer HCV"), "{:?}", clinic.open_tasks());
}

#[test]
fn the_waiting_time_runs_from_the_last_reactive_donation_whatever_day_is_typed() {
    let clinic = Clinic::new();
    clinic.begins("2024-01-01").unwrap();
    clinic.examines("2026-03-03", None);
    assert_eq!(clinic.approves(), TOO_EARLY);
    assert!(!clinic.g9().is_empty());
    // One that comes while the donor is examined, and a record of another house.
    for recorded in [false, true] {
        let clinic = Clinic::new();
        clinic.begins("2026-03-01").unwrap();
        clinic.examines("2026-10-01", None);
        if recorded {
            let technician = clinic.station.person("tech", Role::Technician);
            let said = json!({ "donation": "OTHER1", "collected_at": "2026-08-01T08:00:00Z",
                "results": [{ "marker": "HCV", "result": "reactive" }] });
            let said: EarlierDonation = serde_json::from_value(said).unwrap();
            record_earlier(&clinic.station.ledger, &technician, "D", (&said, "a letter"), now()).unwrap();
        } else {
            clinic.station.write(registered("G5", "2026-08-01T08:00:00Z"));
            single(&clinic.station, "G5");
        }
        assert_eq!(clinic.approves(), TOO_EARLY, "recorded {recorded}");
    }
}

#[test]
fn an_examination_for_one_marker_lifts_the_deferral_that_answered_its_task_and_no_other() {
    let clinic = Clinic::new();
    let defers = |reason: &str| {
        let line = Deferral {
            permanent: false,
            until: None,
            since: None,
            donation: Some("G1".into()),
            reason: reason.into(),
        };
        defer(&clinic.station.settings, &clinic.station.ledger, &clinic.reviewer, "D", &line).unwrap()
    };
    defers("anti-HCV reactive");
    defers("called after G1: paid for sex");
    clinic.begins("2026-03-01").unwrap();
    clinic.examines("2026-10-01", None);
    clinic.approves().unwrap();
    let told = remaining(&clinic.station.ledger.state(), "D").unwrap().unwrap();
    assert!(
        told.iter().all(|words| words.contains("paid for sex") && !words.contains("anti-HCV")),
        "{told:?}"
    );
    let stands = clinic.station.ledger.state().donor("D").unwrap().deferrals;
    let reasons: Vec<_> = stands.iter().filter_map(|one| one.line.reason.as_deref()).collect();
    assert_eq!(reasons, ["called after G1: paid for sex"]);
    assert!(clinic.g9().contains("paid for sex"), "{}", clinic.g9());
}

#[test]
fn a_test_is_of_a_day_that_has_come_and_not_of_one_before_the_donor_waited() {
    let clinic = Clinic::new();
    let day = |text: &str| text.parse().unwrap();
    let to_come = |field, text: &str| Err(ExaminationRefused::ToCome { field, day: day(text) }.into());
    assert_eq!(clinic.begins("2026-11-21"), to_come("deferred_on", "2026-11-21"));
    clinic.begins("2024-01-01").unwrap();
    assert_eq!(clinic.tests("2026-11-21", FOUR[0], "non_reactive"), to_come("collected_on", "2026-11-21"));
    let before = ExaminationRefused::Before { day: day("2026-02-28"), since: day("2026-03-01") };
    assert_eq!(clinic.tests("2026-02-28", FOUR[0], "non_reactive"), Err(before.clone().into()));
    assert!(before.english().contains("2026-03-01") && before.chinese().contains("2026-02-28"), "{before}");
    clinic.tests("2026-11-20", FOUR[0], "non_reactive").unwrap();
}

//! Terms of one marker, from the pack to what people are asked and may write.

use super::tests::verdict;
use super::*;
use crate::batches::tests::Station;
use crate::tasks::{self, TaskKind};
use jiff::{Timestamp, civil::Date};
use release::RulePack;
use serde_json::{Value, json};
use vocabulary::Role;

/// HIV waits longer than the six months of all, syphilis is not spoken of, and a deferral because of HCV
/// lasts.
const TERMS: &str = "id = \"site\"\nbased_on = \"cn-2019\"\n\
    [[donor.term]]\nmarker = \"HIV\"\nreentry_months = 12\n\
    [[donor.term]]\nmarker = \"HCV\"\nreentry_days = 400\ntemporary_days = 36500\n";

fn station(pack: &str) -> Station {
    let mut station = Station::new();
    station.settings.pack = RulePack::from_toml(pack).unwrap();
    station
}

/// One of the two reagents of a marker is reactive.
fn one_reactive(case: &mut Value, marker: &str) {
    let of_marker = |s: &&mut Value| s["marker"] == marker;
    let first = case["serology"].as_array_mut().unwrap().iter_mut().find(of_marker).unwrap();
    let well = |kind: &str| json!({ "kind": kind, "sco": "8.0", "run": "E1" });
    first["results"] = json!([well("initial"), well("duplicate"), well("duplicate")]);
}

#[test]
fn a_candidate_is_examined_from_the_day_on_that_its_own_marker_asks_for() {
    let plain = "id = \"site\"\nbased_on = \"cn-2019\"\n";
    for (pack, marker, not_before) in [
        (plain, "HIV", "2026-09-01"),
        (TERMS, "HIV", "2027-03-01"),
        (TERMS, "anti-HCV", "2027-04-05"),
        (TERMS, "HBsAg", "2026-09-01"),
    ] {
        let station = station(pack);
        verdict(&station, "G1", |case| one_reactive(case, marker));
        let open = tasks::open(&station.settings, &station.ledger.state(), Timestamp::now()).unwrap().items;
        let found: Vec<_> = open.iter().filter(|task| task.kind == TaskKind::Reentry).collect();
        assert_eq!(found.len(), 1, "{marker}");
        assert_eq!(found[0].not_before.unwrap().to_string(), not_before, "{marker}");
    }
}

#[test]
fn an_examination_goes_by_its_marker_and_one_of_nobodys_by_the_longest() {
    for (marker, not_before) in
        [("HIV", "2027-03-01"), ("hiv", "2027-03-01"), ("HBV", "2026-09-01"), ("hepatitis", "2027-04-05")]
    {
        let station = station(TERMS);
        let days = |marker: &str| {
            reentry_from(&station.settings, (&[marker.to_owned()], "2026-03-01".parse().unwrap()))
        };
        assert_eq!(days(marker).unwrap().to_string(), not_before, "{marker}");
    }
}

#[test]
fn a_deferral_for_a_time_lasts_as_long_as_its_marker_asks_for() {
    let line = |until: Option<Date>, donation: Option<&str>| Deferral {
        permanent: false,
        until,
        since: None,
        donation: donation.map(str::to_owned),
        reason: "reactive".into(),
    };
    let station = station(TERMS);
    let reviewer = station.person("rev", Role::Reviewer);
    let says = |until: Option<&str>, donation| {
        let until = until.map(|day| day.parse().unwrap());
        defer(&station.settings, &station.ledger, &reviewer, "D", &line(until, donation))
    };
    verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
    verdict(&station, "G2", |case| one_reactive(case, "HIV"));
    // The donation was given on the first of March.
    let least: Date = "2126-02-05".parse().unwrap();
    let why = Refused::TooShort { marker: "HCV".into(), least };
    assert_eq!(says(Some("2126-02-04"), Some("G1")), Err(why.clone()));
    assert!(why.to_string().contains("2126-02-05") && why.chinese().contains("HCV"), "{why}");
    says(Some("2126-02-04"), Some("G2")).unwrap();
    says(Some("2126-02-04"), None).unwrap();
    says(Some("2126-02-05"), Some("G1")).unwrap();
    says(None, Some("G1")).unwrap();
}

//! Evidence for verdicts: mostly donations in order, with a share of everything that keeps a laboratory busy.

use super::random::Random;
use serde_json::{Value, json};

const MARKERS: [&str; 4] = ["HBsAg", "anti-HCV", "HIV", "syphilis"];
const REAGENTS: [&str; 2] = ["A", "B"];

/// What is out of the ordinary with a donation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    Clean,
    Reactive,
    GreyZone,
    Invalid,
    NatYield,
    NatInvalid,
    Incomplete,
    Discrepant,
    AltHigh,
    ControlOut,
    Unsigned,
    FirstTime,
}

/// One case as JSON, in the shape that `decide` reads.
pub(super) fn case(random: &mut Random, number: u64) -> Value {
    let story = story(random);
    let donation = format!("G123426{number:06}");
    let runs = ["E1", "E2", "N1", "C1", "G1"].map(|id| run(id, story));
    let mut case = json!({
        "donation": donation,
        "collected_at": "2026-03-01T09:00:00+08:00",
        "donor": donor(story, number),
        "serology": serology(random, story),
        "nat": nat(story),
        "alt": [{"u_per_l": if story == Story::AltHigh { "81.5" } else { "23.0" }, "run": "C1"}],
        "grouping": [grouping(story)],
        "runs": runs,
    });
    if story != Story::Unsigned {
        let signed = json!([{"meaning": "reviewed", "by": "u1"}, {"meaning": "released", "by": "u2"}]);
        set(&mut case, "signatures", signed);
    }
    case
}

fn story(random: &mut Random) -> Story {
    match random.between(0, 199) {
        0..=1 => Story::Reactive,
        2..=3 => Story::GreyZone,
        4..=5 => Story::Invalid,
        6 => Story::NatYield,
        7 => Story::NatInvalid,
        8..=11 => Story::Incomplete,
        12 => Story::Discrepant,
        13..=14 => Story::AltHigh,
        15 => Story::ControlOut,
        16..=25 => Story::Unsigned,
        26..=55 => Story::FirstTime,
        _ => Story::Clean,
    }
}

fn donor(story: Story, number: u64) -> Value {
    let first_time = story == Story::FirstTime;
    let mut donor =
        json!({"id": format!("D{number}"), "first_time": first_time, "deferred": false, "field_abo": "A"});
    if !first_time {
        set(&mut donor, "history", json!({"abo": "A", "rhd": "positive"}));
    }
    donor
}

fn serology(random: &mut Random, story: Story) -> Vec<Value> {
    let odd = usize::try_from(random.between(0, 7)).unwrap_or(0);
    let series = MARKERS.iter().flat_map(|marker| REAGENTS.map(|reagent| (*marker, reagent)));
    let mut all = Vec::new();
    for (place, (marker, reagent)) in series.enumerate() {
        let usual = random.hundredths(1, 9);
        let well =
            |kind: &str, od: &str, run: &str| json!({"kind": kind, "od": od, "cutoff": "0.105", "run": run});
        let results = match story {
            Story::Incomplete if place == odd => continue,
            Story::Reactive if place == odd => vec![
                well("initial", "0.412", "E1"),
                well("duplicate", "0.398", "E2"),
                well("duplicate", if random.chance(50) { "0.405" } else { "0.021" }, "E2"),
            ],
            Story::GreyZone if place == odd => vec![
                well("initial", "0.098", "E1"),
                well("duplicate", "0.031", "E2"),
                well("duplicate", "0.029", "E2"),
            ],
            Story::Invalid if place == odd => {
                let mut invalid = well("initial", "0.020", "E1");
                set(&mut invalid, "validity", "invalid".into());
                vec![invalid, well("initial", &usual, "E2")]
            }
            Story::Clean
            | Story::Reactive
            | Story::GreyZone
            | Story::Invalid
            | Story::NatYield
            | Story::NatInvalid
            | Story::Incomplete
            | Story::Discrepant
            | Story::AltHigh
            | Story::ControlOut
            | Story::Unsigned
            | Story::FirstTime => vec![well("initial", &usual, "E1")],
        };
        all.push(json!({"marker": marker, "reagent": reagent, "results": results}));
    }
    all
}

fn nat(story: Story) -> Vec<Value> {
    let individual = |result: &str, control: &str| json!({"kind": "individual", "result": result, "internal_control": control, "run": "N1"});
    match story {
        Story::NatYield => {
            let mut reactive = individual("reactive", "valid");
            set(&mut reactive, "targets", json!(["HBV"]));
            let told = json!({"kind": "discriminatory", "target": "HBV", "result": "reactive", "run": "N1"});
            vec![reactive, told]
        }
        Story::NatInvalid => vec![individual("invalid", "invalid")],
        Story::Clean
        | Story::Reactive
        | Story::GreyZone
        | Story::Invalid
        | Story::Incomplete
        | Story::Discrepant
        | Story::AltHigh
        | Story::ControlOut
        | Story::Unsigned
        | Story::FirstTime => vec![individual("non_reactive", "valid")],
    }
}

fn grouping(story: Story) -> Value {
    let b_cells = if story == Story::Discrepant { "0" } else { "4+" };
    json!({"anti_a": "4+", "anti_b": "0", "a1_cells": "0", "b_cells": b_cells, "control": "0", "anti_d": "4+",
        "run": "G1"})
}

fn run(id: &str, story: Story) -> Value {
    let out = story == Story::ControlOut && id == "E1";
    json!({
        "id": id, "validity": "valid", "qc": if out { "out_of_control" } else { "in_control" },
        "lots": [{"lot": format!("L-{id}"), "expires": "2026-12-31", "accepted": true}],
        "tested_at": "2026-03-01T15:00:00+08:00",
    })
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value);
    }
}

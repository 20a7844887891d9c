//! Who may know whom. A new arrow is a line here, and a commit that says why.

use crate::tree::root;
use std::{collections::BTreeMap, fs};

/// Crate, its folder, and the crates of this house it may know.
const ARROWS: &[(&str, &str, &[&str])] = &[
    ("character-sets", "parsers/character-sets", &[]),
    ("lis01", "parsers/lis01", &[]),
    ("mllp", "parsers/mllp", &[]),
    ("pk-blocks", "parsers/pk-blocks", &[]),
    ("delimited", "parsers/delimited", &["character-sets"]),
    ("hl7v2", "parsers/hl7v2", &["character-sets"]),
    ("lis02", "parsers/lis02", &["character-sets"]),
    ("vocabulary", "src/vocabulary", &[]),
    ("identifiers", "src/identifiers", &[]),
    (
        "instrument-profiles",
        "instrument-profiles",
        &["character-sets", "delimited", "hl7v2", "lis01", "lis02", "mllp", "pk-blocks", "vocabulary"],
    ),
    ("release", "src/release", &["vocabulary"]),
    ("quality-control", "src/quality-control", &["vocabulary"]),
    ("sm3-lanes", "src/sm3-lanes", &[]),
    ("ledger", "src/ledger", &["release", "sm3-lanes", "vocabulary"]),
    (
        "intake",
        "src/intake",
        &["character-sets", "hl7v2", "ledger", "lis01", "lis02", "mllp", "pk-blocks", "vocabulary"],
    ),
    (
        "workflow",
        "src/workflow",
        &["identifiers", "instrument-profiles", "ledger", "quality-control", "release", "vocabulary"],
    ),
    ("delivery", "src/delivery", &["hl7v2", "ledger", "mllp", "release", "vocabulary"]),
    (
        "simulator",
        "src/simulator",
        &["character-sets", "delimited", "hl7v2", "lis01", "lis02", "mllp", "pk-blocks", "vocabulary"],
    ),
    (
        "console",
        "src/console",
        &["delivery", "instrument-profiles", "intake", "ledger", "release", "vocabulary", "workflow"],
    ),
    (
        "benchmark",
        "src/benchmark",
        &[
            "character-sets",
            "hl7v2",
            "identifiers",
            "instrument-profiles",
            "intake",
            "ledger",
            "lis01",
            "lis02",
            "mllp",
            "release",
            "simulator",
            "vocabulary",
            "workflow",
        ],
    ),
];

/// Crates of the field that only some rooms may name, and the rooms that may.
const GUARDED: &[(&str, &[&str])] = &[
    ("sled", &["ledger"]),
    ("axum", &["console"]),
    ("nom", &["hl7v2", "lis02", "quality-control"]),
    ("encoding_rs", &["character-sets"]),
];

/// Rooms without a clock, a file, a socket or a runtime.
const PURE: &[&str] = &[
    "character-sets",
    "delimited",
    "hl7v2",
    "identifiers",
    "instrument-profiles",
    "lis01",
    "lis02",
    "mllp",
    "quality-control",
    "release",
    "vocabulary",
];
const IMPURE_CRATES: &[&str] = &["tokio", "tokio-util", "reqwest", "hyper", "axum", "sled", "async-std"];

fn dependencies(folder: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with('[') {
            inside = line == "[dependencies]" || line == "[build-dependencies]";
        } else if inside && let Some(name) = line.split(['.', ' ', '=']).next().filter(|n| !n.is_empty()) {
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn arrows_point_down_only_along_the_table() {
    let known: BTreeMap<&str, &[&str]> = ARROWS.iter().map(|(n, _, allowed)| (*n, *allowed)).collect();
    for (name, folder, allowed) in ARROWS {
        for dependency in dependencies(folder) {
            if known.contains_key(dependency.as_str()) {
                assert!(allowed.contains(&dependency.as_str()), "{name} may not know {dependency}");
            }
        }
    }
}

#[test]
fn every_member_of_the_workspace_has_its_row() {
    let text = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let members = text.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members.split(',').map(|m| m.trim().trim_matches('"')).filter(|m| !m.is_empty()) {
        let has_row = ARROWS.iter().any(|(_, folder, _)| *folder == member);
        assert!(
            has_row || ["src/hemogate", "tests", "tests/tidy"].contains(&member),
            "{member} has no row in ARROWS"
        );
    }
}

#[test]
fn guarded_crates_stay_behind_their_room() {
    for (name, folder, _) in ARROWS {
        for dependency in dependencies(folder) {
            if let Some((guarded, rooms)) = GUARDED.iter().find(|(g, _)| *g == dependency) {
                assert!(rooms.contains(name), "{name} may not use {guarded}: it stays behind {rooms:?}");
            }
        }
    }
}

#[test]
fn law_06_no_pure_room_reads_a_clock_a_file_or_a_socket() {
    for (name, folder, _) in ARROWS.iter().filter(|(n, ..)| PURE.contains(n)) {
        for dependency in dependencies(folder) {
            assert!(
                !IMPURE_CRATES.contains(&dependency.as_str()),
                "{name} is pure and may not use {dependency}"
            );
        }
        let guarded = [root().join(folder), root().join(folder).join("..")]
            .iter()
            .find_map(|f| fs::read_to_string(f.join("clippy.toml")).ok())
            .unwrap_or_default();
        for call in ["Instant::now", "SystemTime::now", "TcpStream"] {
            assert!(guarded.contains(call), "the clippy.toml of {name} does not forbid {call}");
        }
    }
}

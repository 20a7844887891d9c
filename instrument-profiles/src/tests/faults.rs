//! A misspelt key or word of a profile, wherever it stands: the fault has its file, its line and the name that was meant.

use super::CATALOGUE;
use crate::Profile;
use std::collections::BTreeSet;

/// `key = …` at the beginning of a line.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.split_once(" = ")?;
    (key.len() > 3 && key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()))
        .then_some(key)
}

/// Sections whose keys are the site's or the analyser's own words.
fn of_words(section: &str) -> bool {
    [
        "values.",
        "grades.",
        "status.map",
        "flags.known",
        "plate.layout",
        "evidence.sources",
        "writing.",
        "order_in.",
        "pooling.check.words",
        "reply.steps",
    ]
    .iter()
    .any(|start| section.starts_with(start))
}

#[test]
fn every_misspelt_key_of_the_catalogue_is_named_with_its_line_and_the_nearest_key() {
    let mut tried: BTreeSet<(String, String)> = BTreeSet::new();
    for profile in CATALOGUE.list() {
        let entry = CATALOGUE.entry(&profile.reference().id).unwrap();
        let (text, templates) = (entry.text("profile.toml").unwrap(), entry.templates());
        let mut section = String::new();
        for (at, line) in text.lines().enumerate() {
            if let Some(name) = line.strip_prefix('[') {
                name.trim_matches(['[', ']']).clone_into(&mut section);
            }
            let Some(key) = key_of(line) else { continue };
            if of_words(&section) || !tried.insert((section.clone(), key.to_owned())) {
                continue;
            }
            // Two letters in the wrong order.
            let (head, tail) = key.split_at(key.len() - 2);
            let misspelt = format!("{head}{}", tail.chars().rev().collect::<String>());
            if misspelt == key {
                continue;
            }
            let changed: Vec<String> = text
                .lines()
                .enumerate()
                .map(|(n, other)| if n == at { line.replacen(key, &misspelt, 1) } else { other.to_owned() })
                .collect();
            let errors = Profile::read_with("profile.toml", &changed.join("\n"), &templates).unwrap_err();
            let of_line =
                errors.faults.iter().find(|fault| fault.line == at + 1 && fault.what.contains(&misspelt));
            let fault =
                of_line.unwrap_or_else(|| panic!("{} [{section}] {misspelt}: {errors}", profile.reference()));
            assert_eq!(fault.nearest.as_deref(), Some(key), "{} [{section}] {misspelt}", profile.reference());
        }
    }
    assert!(tried.len() > 80, "{} keys", tried.len());
}

#[test]
fn every_misspelt_word_of_a_closed_list_is_named_with_its_line_and_the_nearest_word() {
    const SMALL: &str = include_str!("language.toml");
    for (from, to, nearest) in [
        ("protocol = \"lis02\"", "protocol = \"lis20\"", "lis02"),
        ("decimal = \"point\"", "decimal = \"piont\"", "point"),
        ("is = \"control\"", "is = \"contorl\"", "control"),
        ("is = \"patient\"", "is = \"pateint\"", "patient"),
        ("recognition = \"rules\"", "recognition = \"ruels\"", "rules"),
        ("reads = \"valid\"", "reads = \"vaild\"", "valid"),
        ("controls = [\"level 1\"]", "controls = [\"level 2\"]", "level 1"),
        ("role = \"reagent\"", "role = \"regaent\"", "reagent"),
        ("F = \"final\"", "F = \"finl\"", "final"),
        ("marker = \"HBsAg\"", "marker = \"HBsAG\"", "HBsAg"),
        ("source = \"trace\"", "source = \"tarce\"", "trace"),
        ("level = \"trace\"", "level = \"tracd\"", "trace"),
        ("[link.lis01]", "[link.lis01]\nchecksum = \"requre\"", "require"),
        ("[link.lis01]", "[link.lis01]\nframe_numbers = \"stict\"", "strict"),
        ("unknown = \"hold\"", "unknown = \"hodl\"", "hold"),
        (
            "unknown = \"hold\"",
            "unknown = \"hold\"\nknown = { X = { does = \"keeep\", what = \"x\" } }",
            "keep",
        ),
        ("[numbers]", "[characters]\nalways = \"gb18031\"\n[numbers]", "gb18030"),
        ("completed_at = \"R.13\"", "completed_at = \"R.13\"\nwhole = [\"nummber\"]", "number"),
        ("sequence = \"lenient\"", "sequence = \"lenint\"", "lenient"),
    ] {
        assert!(SMALL.contains(from), "{from}");
        let text = SMALL.replacen(from, to, 1);
        let wrong =
            to.split('"').find(|word| !from.contains(word) && text.contains(&format!("\"{word}\""))).unwrap();
        let errors = Profile::read("profile.toml", &text).map(|p| p.reference().clone()).unwrap_err();
        let fault = errors.faults.iter().find(|fault| fault.nearest.as_deref() == Some(nearest));
        let fault = fault.unwrap_or_else(|| panic!("{to}: {errors}"));
        let line = text.lines().nth(fault.line - 1).unwrap();
        assert!(line.contains(wrong) || to.contains(line), "{to}: {fault} at {line:?}");
        assert_eq!(fault.file, "profile.toml");
    }
}

//! Whatever is taken away from a profile or a message, and whatever text is changed: nothing becomes negative that
//! was not, and what is lost is held.

use super::{CATALOGUE, MESSAGES, reads_negative};
use crate::{Interpretation, Profile};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Consequence, Finding, Observation, SpecimenKind};

/// What an observation comes to, without where it stood and what it was made with.
fn essence(observation: &Observation) -> String {
    let o = observation;
    format!(
        "{:?} {:?} {} {:?} {:?} {:?} {:?}",
        o.specimen, o.marker, o.assay, o.kind, o.value, o.status, o.control
    )
}

/// Results that could come to count: of donors, and of controls, which stand for donors' results.
fn negatives(interpretation: &Interpretation) -> BTreeMap<String, Option<String>> {
    let counts = |o: &&Observation| {
        reads_negative(o) && !matches!(o.kind, SpecimenKind::Calibrator | SpecimenKind::Blank)
    };
    let specimen = |o: &Observation| o.specimen.clone().map(String::from);
    interpretation.observations.iter().filter(counts).map(|o| (essence(o), specimen(o))).collect()
}

/// Whether a finding holds this specimen.
fn held(interpretation: &Interpretation, specimen: Option<&String>) -> bool {
    let names = |finding: &Finding| finding.specimen.is_none() || finding.specimen.as_ref() == specimen;
    interpretation.findings.iter().any(|finding| finding.consequence != Consequence::Note && names(finding))
}

fn holds(interpretation: &Interpretation) -> bool {
    interpretation.findings.iter().any(|finding| finding.consequence != Consequence::Note)
}

/// Fewer results are fine when somebody is told; new ones never are.
fn check(what: &str, before: &Interpretation, after: &Interpretation) {
    check_but(what, before, after, None);
}

/// As [`check`]; of `assay` results may be lost without a word.
fn check_but(what: &str, before: &Interpretation, after: &Interpretation, assay: Option<&str>) {
    let (before_negatives, after_negatives) = (negatives(before), negatives(after));
    for (new, specimen) in after_negatives.iter().filter(|(new, _)| !before_negatives.contains_key(*new)) {
        let held = held(after, specimen.as_ref());
        assert!(held, "{what}: reads as a result and did not before: {new}\n{:#?}", after.findings);
    }
    let told = |lost: &&String| assay.is_none_or(|assay| !lost.contains(assay));
    let lost = before_negatives.keys().filter(|old| !after_negatives.contains_key(*old)).find(told);
    assert!(lost.is_none() || holds(after), "{what}: lost in silence: {lost:?}\n{:#?}", after.findings);
}

/// Every entry of a profile that gives a text or a place a meaning: its path in the file.
fn mappings(file: &toml::Table) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    for list in ["test", "control", "kind", "row"] {
        let count = file.get(list).and_then(toml::Value::as_array).map_or(0, Vec::len);
        // Without any `[[row]]` every row is read by `[result]` alone: that is another profile, not a poorer one.
        let count = if list == "row" && count == 1 { 0 } else { count };
        paths.extend((0..count).map(|at| vec![list.to_owned(), at.to_string()]));
    }
    let keys = |path: &[&str]| {
        let table = path.iter().try_fold(file, |table, key| table.get(*key)?.as_table());
        table.map_or(Vec::new(), |table| table.keys().cloned().collect())
    };
    for maps in ["values", "grades"] {
        for map in keys(&[maps]) {
            let texts = keys(&[maps, &map]);
            paths.extend(texts.into_iter().map(|text| vec![maps.to_owned(), map.clone(), text]));
        }
    }
    for (section, table) in [("status", "map"), ("flags", "known")] {
        let texts = keys(&[section, table]);
        paths.extend(texts.into_iter().map(|text| vec![section.to_owned(), table.to_owned(), text]));
    }
    paths
}

fn without(file: &toml::Table, path: &[String]) -> toml::Table {
    fn remove(value: &mut toml::Value, path: &[String]) {
        let (first, rest) = path.split_first().unwrap();
        match (value, rest) {
            (toml::Value::Table(table), []) => drop(table.remove(first)),
            (toml::Value::Table(table), rest) => remove(table.get_mut(first).unwrap(), rest),
            (toml::Value::Array(items), _) => drop(items.remove(first.parse().unwrap())),
            (other, _) => panic!("{other} has no {first}"),
        }
    }
    let mut value = toml::Value::Table(file.clone());
    remove(&mut value, path);
    value.as_table().unwrap().clone()
}

/// The assay of a test whose code another test reads as well.
fn shared_code<'f>(file: &'f toml::Table, path: &[String]) -> Option<&'f str> {
    let tests = file["test"].as_array().unwrap();
    let [list, at] = path else { return None };
    let test = tests.get(at.parse::<usize>().ok()?).filter(|_| list == "test")?;
    let same =
        tests.iter().filter(|other| other["code"] == test["code"] && other.get("when") == test.get("when"));
    if same.count() > 1 { test["assay"].as_str() } else { None }
}

#[test]
fn a_mapping_that_is_removed_holds_what_it_read() {
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        let id = &profile.reference().id;
        let templates = CATALOGUE.entry(id).unwrap().templates();
        let file: toml::Table = CATALOGUE.entry(id).unwrap().text("profile.toml").unwrap().parse().unwrap();
        let (mut removed, mut refused, mut changed) = (0, 0, 0);
        for path in mappings(&file) {
            removed += 1;
            let text = toml::to_string(&without(&file, &path)).unwrap();
            // What the rest still refers to may not be missing: such a profile is not read at all.
            let Ok(poorer) = Profile::read_with("profile.toml", &text, &templates) else {
                refused += 1;
                continue;
            };
            let mut differs = false;
            for (_, name, raw) in MESSAGES.iter().filter(|(of, ..)| of.reference().id == *id) {
                let (before, after) = (profile.interpret(raw), poorer.interpret(raw));
                differs |= before != after;
                // Where one row says several things, one of them may be left unread.
                let shared = shared_code(&file, &path);
                check_but(&format!("{name} without {path:?}"), &before, &after, shared);
            }
            assert!(differs, "{id}: nothing changes without {path:?}: no capture shows it");
            changed += 1;
        }
        assert!(
            removed > 10 && changed * 2 > removed,
            "{id}: {removed} removed, {refused} refused, {changed} changed"
        );
    }
}

/// Texts between delimiters, by their place.
fn tokens(raw: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, byte) in raw.iter().enumerate() {
        if b"|^~\\&,\r\n".contains(byte) {
            if at > start {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// Texts that a profile declares: codes, values, grades, statuses, flags.
fn declared(profile: &Profile) -> BTreeSet<String> {
    let names = profile.rules.declared().into_iter();
    let texts = names.filter_map(|name| match name.split_once(' ')? {
        ("test", code) => Some(vec![code.to_owned()]),
        ("value" | "grade" | "status" | "flag", quoted) => {
            let text = quoted.split('"').nth(1)?;
            Some(text.split('^').filter(|part| !part.is_empty()).map(str::to_owned).collect())
        }
        _ => None,
    });
    texts.flatten().filter(|text| !text.is_empty()).collect()
}

#[test]
fn a_changed_text_is_never_read_as_something_else() {
    for (profile, name, raw) in MESSAGES.iter() {
        let before = profile.interpret(raw);
        let words = declared(profile);
        let step = if raw.len() > 4_000 { 59 } else { 1 };
        let places = tokens(raw);
        let known = places.iter().filter(|at| words.contains(&*String::from_utf8_lossy(&raw[(*at).clone()])));
        for at in known.step_by(step) {
            for changed in ["?", " "] {
                let mut other = raw.clone();
                other.splice(at.end..at.end, changed.bytes());
                check(&format!("{name} with {changed:?} at {}", at.end), &before, &profile.interpret(&other));
            }
            // A flag, or a remark beside a grade, that was never sent: nobody can miss it.
            let text = String::from_utf8_lossy(&raw[at.clone()]).into_owned();
            if !profile.rules.flags.known.contains_key(&text) && text != "DP" {
                let mut other = raw.clone();
                other.drain(at.clone());
                check(&format!("{name} without {at:?}"), &before, &profile.interpret(&other));
            }
        }
    }
}

#[test]
fn a_line_that_is_missing_is_missed() {
    for (profile, name, raw) in MESSAGES.iter() {
        let before = profile.interpret(raw);
        // Without the line that contradicts another one there is no contradiction left.
        if before.findings.iter().any(|finding| finding.finding == "ambiguous_specimen") {
            continue;
        }
        let step = if raw.len() > 4_000 { 23 } else { 1 };
        let lines: Vec<&[u8]> =
            raw.split_inclusive(|byte| *byte == if raw.contains(&b'\n') { b'\n' } else { b'\r' }).collect();
        for missing in (0..lines.len()).step_by(step) {
            let kept = lines.iter().enumerate().filter(|(at, _)| *at != missing);
            let other: Vec<u8> = kept.flat_map(|(_, line)| line.iter().copied()).collect();
            let what = format!("{name} without line {}", missing + 1);
            let after = profile.interpret(&other);
            // Where the profile says that nothing counts the rows, a lost one is not missed; the others stay what they were.
            let lost = profile.rules.message.uncounted && negatives(&after).len() < negatives(&before).len();
            if lost {
                let kept = negatives(&before);
                assert!(negatives(&after).keys().all(|left| kept.contains_key(left)), "{what}: {after:#?}");
            } else {
                check(&what, &before, &after);
            }
        }
    }
}

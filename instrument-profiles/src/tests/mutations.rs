//! Whatever is taken away from a profile or a message, and whatever text is changed: nothing becomes negative that
//! was not, and what is lost is held.

use super::{CATALOGUE, MESSAGES, Message, READINGS, on_all_cores, reads_negative};
use crate::{Interpretation, Profile};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};
use vocabulary::{Consequence, Finding, Observation, SpecimenKind};

/// What an observation comes to, without where it stood and what it was made with. A number beside a meaning bears it out
/// and is none of its own.
fn essence(observation: &Observation) -> String {
    let (o, value) = (observation, &observation.value);
    let bare = value.interpretation.is_none().then_some((&value.number, &value.comparator, &value.od));
    format!(
        "{:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?}",
        o.specimen, o.marker, o.assay, o.kind, value.interpretation, value.grade, bare, o.status, o.control
    )
}

/// Results that could come to count for a donor: that nothing was found, a group, and controls that pass. What was found
/// stays found whatever is missing.
fn counts(observation: &Observation) -> bool {
    let passes = |control: &vocabulary::ControlReading| control.passes(observation.value.interpretation);
    match observation.kind {
        SpecimenKind::Calibrator | SpecimenKind::Blank => false,
        SpecimenKind::Control => {
            reads_negative(observation) && observation.control.as_ref().is_none_or(passes)
        }
        SpecimenKind::Patient | SpecimenKind::Proficiency | SpecimenKind::Unknown => {
            reads_negative(observation)
                && observation.value.interpretation != Some(vocabulary::Interpretation::Reactive)
        }
    }
}

fn negatives(interpretation: &Interpretation) -> BTreeMap<String, &Observation> {
    interpretation.observations.iter().filter(|o| counts(o)).map(|o| (essence(o), o)).collect()
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
    compared(before, after, None).unwrap_or_else(|why| panic!("{what}: {why}"));
}

/// What is wrong with a reading that should be no better than another. Of `assay` results may be lost without a word.
fn compared(before: &Interpretation, after: &Interpretation, assay: Option<&str>) -> Result<(), String> {
    let (had, has) = (negatives(before), negatives(after));
    for (new, observation) in has.iter().filter(|(new, _)| !had.contains_key(*new)) {
        let specimen = observation.specimen.clone().map(String::from);
        if !held(after, specimen.as_ref()) {
            return Err(format!("reads as a result and did not before: {new}\n{:#?}", after.findings));
        }
    }
    // A control that is there and does not pass tells it by itself.
    let fails = |old: &Observation| {
        let same = |o: &Observation| (o.kind, &o.assay, &o.specimen) == (old.kind, &old.assay, &old.specimen);
        old.kind == SpecimenKind::Control && after.observations.iter().any(same)
    };
    let told = |old: &Observation| fails(old) || assay.is_some_and(|assay| old.assay == assay);
    match had.iter().filter(|(old, _)| !has.contains_key(*old)).find(|(_, old)| !told(old)) {
        Some((lost, _)) if !holds(after) => Err(format!("lost in silence: {lost}\n{:#?}", after.findings)),
        Some(_) | None => Ok(()),
    }
}

/// Sections that say nothing about results.
const BESIDE: &[&str] = &[
    "schema",
    "id",
    "protocol",
    "names",
    "link",
    "evidence",
    "query",
    "answer",
    "order_out",
    "reply",
    "writing",
    "orderable",
    "order_in",
];

/// Keys that can only make less be read, or be read of less: without one of them more is read, and nothing else in the
/// profile could tell. `check` and `panel` likewise.
const GUARDS: &[&str] = &[
    "when",
    "check",
    "panel",
    "reactive",
    "by_number",
    "whole",
    "together",
    "once",
    "required",
    "at_least",
    "form",
    "must_agree",
    "trim_end",
    "sequence",
    "columns",
    "complete",
    "role",
    "layout",
    "requires",
    "affirmed",
    "name",
    "source",
    "level",
    "what",
    "not_of_controls",
    "plate",
    "completed_at",
    "end_marker",
    "markers",
    "lot",
    "times",
];

/// Every other key of a profile, and every entry of its lists of tables, by its path in the file.
fn keys(value: &toml::Value, path: &[String], found: &mut Vec<Vec<String>>) {
    let guards =
        |key: &String| GUARDS.contains(&key.as_str()) || (path.is_empty() && BESIDE.contains(&key.as_str()));
    let inside: Vec<(String, &toml::Value)> = match value {
        // What a flag does is said by its entry as a whole.
        toml::Value::Table(_) if path.len() == 3 && path[0] == "flags" => Vec::new(),
        toml::Value::Table(table) => {
            table.iter().filter(|(key, _)| !guards(key)).map(|(key, inside)| (key.clone(), inside)).collect()
        }
        toml::Value::Array(items) if path.len() == 1 => {
            items.iter().enumerate().map(|(at, item)| (at.to_string(), item)).collect()
        }
        toml::Value::Array(_)
        | toml::Value::String(_)
        | toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => Vec::new(),
    };
    // Without any `[[row]]` every row is read by `[result]` alone: that is another profile, not a poorer one.
    let only_row = path == ["row"] && inside.len() == 1;
    for (key, value) in inside {
        let path = [path, &[key]].concat();
        // The code of a row may be a name that a panel asks for.
        if path.len() == 3 && path[0] == "row" && path[2] == "test" {
            continue;
        }
        if !only_row && path != ["row"] {
            found.push(path.clone());
        }
        keys(value, &path, found);
    }
}

/// Whether it gives a text or a place a meaning, so that some capture has to show it.
fn is_mapping(path: &[String]) -> bool {
    let words: Vec<&str> = path.iter().map(String::as_str).collect();
    matches!(
        words[..],
        ["test" | "control" | "kind" | "row", _]
            | ["values" | "grades", _, _]
            | ["status", "map", _]
            | ["flags", "known", _]
    )
}

fn without(file: &toml::Table, path: &[String]) -> toml::Table {
    fn remove(value: &mut toml::Value, path: &[String]) {
        let (first, rest) = path.split_first().unwrap();
        match (value, rest) {
            (toml::Value::Table(table), []) => drop(table.remove(first)),
            (toml::Value::Table(table), rest) => remove(table.get_mut(first).unwrap(), rest),
            (toml::Value::Array(items), []) => drop(items.remove(first.parse().unwrap())),
            (toml::Value::Array(items), rest) => remove(&mut items[first.parse::<usize>().unwrap()], rest),
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

/// Takes one key after the other away. What the rest still refers to may not be missing: such a profile is not read at
/// all. Else nothing may read as a result that did not before, and what is lost is told.
fn without_each_key(profile: &Arc<Profile>) -> Vec<String> {
    let id = &profile.reference().id;
    let entry = CATALOGUE.entry(id).unwrap();
    let (templates, file) =
        (entry.templates(), entry.text("profile.toml").unwrap().parse::<toml::Table>().unwrap());
    let of_model = |at: &usize| MESSAGES[*at].0.reference().id == *id;
    let messages: Vec<usize> = (0..MESSAGES.len()).filter(of_model).collect();
    let mut found = Vec::new();
    keys(&toml::Value::Table(file.clone()), &[], &mut found);
    let (mut mappings, mut changed) = (0, 0);
    let mut wrong = Vec::new();
    for path in found {
        mappings += usize::from(is_mapping(&path));
        let text = toml::to_string(&without(&file, &path)).unwrap();
        let Ok(poorer) = Profile::read_with("profile.toml", &text, &templates) else { continue };
        let mut differs = false;
        for at in &messages {
            let ((_, name, raw), before) = (&MESSAGES[*at], &READINGS[*at]);
            let after = poorer.interpret(raw);
            differs |= *before != after;
            // Where one row says several things, one of them may be left unread.
            let shared = shared_code(&file, &path);
            if let Err(why) = compared(before, &after, shared) {
                wrong.push(format!("{name} without {}: {why}", path.join(".")));
                break;
            }
        }
        if is_mapping(&path) && !differs {
            wrong.push(format!("{id}: nothing changes without {}: no capture shows it", path.join(".")));
        }
        changed += usize::from(is_mapping(&path));
    }
    if mappings <= 10 || changed * 3 <= mappings {
        wrong.push(format!("{id}: {mappings} mappings, {changed} changed"));
    }
    wrong
}

#[test]
fn a_key_that_is_removed_is_missed_or_holds_what_it_read() {
    let reading: Vec<Arc<Profile>> = CATALOGUE.list().filter(|p| p.reads_results()).cloned().collect();
    let wrong = Mutex::new(Vec::new());
    on_all_cores(&reading, |profile| {
        let found = without_each_key(profile);
        wrong.lock().unwrap().extend(found);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
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

fn messages() -> Vec<(&'static Message, &'static Interpretation)> {
    MESSAGES.iter().zip(READINGS.iter()).collect()
}

#[test]
fn a_changed_text_is_never_read_as_something_else() {
    on_all_cores(&messages(), |((profile, name, raw), before)| {
        let words = declared(profile);
        let step = if raw.len() > 4_000 { 59 } else { 1 };
        let places = tokens(raw);
        let known = places.iter().filter(|at| words.contains(&*String::from_utf8_lossy(&raw[(*at).clone()])));
        for at in known.step_by(step) {
            for changed in ["?", " "] {
                let mut other = raw.clone();
                other.splice(at.end..at.end, changed.bytes());
                check(&format!("{name} with {changed:?} at {}", at.end), before, &profile.interpret(&other));
            }
            // A flag, or a remark beside a grade, that was never sent: nobody can miss it.
            let text = String::from_utf8_lossy(&raw[at.clone()]).into_owned();
            if !profile.rules.flags.known.contains_key(&text) && text != "DP" {
                let mut other = raw.clone();
                other.drain(at.clone());
                check(&format!("{name} without {at:?}"), before, &profile.interpret(&other));
            }
        }
    });
}

/// Whether this line is what a finding is about, or contradicts another one: without it there is nothing left to find.
fn is_why(line: &std::ops::Range<usize>, before: &Interpretation) -> bool {
    let held = before.findings.iter().filter(|finding| finding.consequence != Consequence::Note);
    let bytes = |place: &str| -> Option<usize> {
        let digits = place.split_once("bytes ")?.1.split('–').next()?;
        digits.parse().ok()
    };
    held.clone().any(|finding| finding.finding.starts_with("ambiguous_"))
        || held.filter_map(|finding| bytes(&finding.place)).any(|at| line.contains(&at))
}

#[test]
fn a_line_that_is_missing_is_missed() {
    on_all_cores(&messages(), |((profile, name, raw), before)| {
        let step = if raw.len() > 4_000 { 23 } else { 1 };
        let end = if raw.contains(&b'\n') { b'\n' } else { b'\r' };
        let mut start = 0;
        for (number, line) in raw.split_inclusive(|byte| *byte == end).enumerate() {
            let at = start..start + line.len();
            start = at.end;
            if number % step != 0 || is_why(&at, before) {
                continue;
            }
            let mut other = raw.clone();
            other.drain(at);
            let what = format!("{name} without line {}", number + 1);
            let after = profile.interpret(&other);
            // Where the profile says that nothing counts the rows, a lost one is not missed; the others stay what they were.
            let lost = profile.rules.message.uncounted && negatives(&after).len() < negatives(before).len();
            if lost {
                let kept = negatives(before);
                assert!(negatives(&after).keys().all(|left| kept.contains_key(left)), "{what}: {after:#?}");
            } else {
                check(&what, before, &after);
            }
        }
    });
}

//! Whatever is taken away from a profile: it is not read any more, or what it read is held, or its own captures tell.

use super::{CATALOGUE, MESSAGES, READINGS, mutations::compared, on_all_cores};
use crate::{Interpretation, Profile, schema::COUNTED};
use std::{collections::BTreeSet, sync::Mutex};
use toml::{
    Spanned,
    de::{DeArray, DeTable, DeValue},
};
use vocabulary::Marker;

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

/// Sections about orders: templates are tried whenever they are read, and results do not need them.
const ORDERS: &[&str] = &["query", "answer", "order_out", "reply", "writing", "orderable"];

/// Keys that can only make less be read, or be read of less. Without one of them more may be read, and nothing in a message
/// could tell the profile from one that never had it: so the profile is not read without it. These have to be said; what
/// else is a guard is counted (`guards` in `[evidence]`).
const SAID: &[&str] =
    &["reactive", "by_number", "at_least", "form", "must_agree", "sequence", "columns", "requires"];

/// Of these a capture has to tell: it reads otherwise without them, so that `profile test` fails.
const TOLD: &[&str] = &["panel", "lot", "markers", "end_marker", "times"];

/// Panels of one test each: they are for an order that brings a supplement and no result, which no capture of theirs has. A row
/// that is lost from an order of one row is missed without them (`no_results`).
const SPARE: &[(&str, &str)] = &[
    ("generic/ihe-law-analyser", "panel.1"),
    ("generic/ihe-law-analyser", "panel.2"),
    ("generic/ihe-law-analyser", "panel.3"),
    ("immucor/galileo", "panel.2"),
];

/// A key that is taken away, by its path in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    path: Vec<String>,
    /// Nothing is lost without it: a capture tells.
    told: bool,
}

impl Key {
    fn words(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }

    fn is_guard(&self) -> bool {
        self.path.iter().any(|key| is_guard(key))
    }

    /// Whether it gives a text or a place a meaning, so that some capture has to show it.
    fn is_mapping(&self) -> bool {
        matches!(
            self.words()[..],
            ["test" | "control" | "kind" | "row", _]
                | ["values" | "grades", _, _]
                | ["status", "map", _]
                | ["flags", "known", _]
        )
    }
}

fn is_guard(key: &str) -> bool {
    SAID.contains(&key) || COUNTED.contains(&key)
}

/// Every key of a profile, and every entry of its lists of tables.
fn keys(value: &toml::Value, path: &[String], told: bool, found: &mut Vec<Key>) {
    let guard = |key: &String| path.is_empty() && BESIDE.contains(&key.as_str());
    let guarded = path.iter().any(|key| is_guard(key));
    let inside: Vec<(String, &toml::Value)> = match value {
        // What a flag does is said by its entry as a whole.
        toml::Value::Table(_) if path.len() == 3 && path[0] == "flags" => Vec::new(),
        // A panel is as good as its tests.
        toml::Value::Table(_) if path.len() == 2 && path[0] == "panel" => Vec::new(),
        toml::Value::Table(table) => {
            table.iter().filter(|(key, _)| !guard(key)).map(|(key, inside)| (key.clone(), inside)).collect()
        }
        toml::Value::Array(items) if path.len() == 1 || guarded => {
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
        let told = told || TOLD.contains(&key.as_str()) || is_guard(&key);
        let path = [path, &[key]].concat();
        // The code of a row may be a name that a panel asks for.
        if path.len() == 3 && path[0] == "row" && path[2] == "test" {
            continue;
        }
        if !only_row && path != ["row"] {
            found.push(Key { path: path.clone(), told });
        }
        keys(value, &path, told, found);
    }
}

/// Takes a key away from a parsed file.
fn take(table: &mut DeTable<'_>, path: &[String]) {
    let (first, rest) = path.split_first().unwrap();
    match rest {
        [] => drop(table.remove(first.as_str()).unwrap()),
        rest => take_from(table.get_mut(first.as_str()).unwrap().get_mut(), rest),
    }
}

fn take_from(value: &mut DeValue<'_>, path: &[String]) {
    match (value, path) {
        (DeValue::Table(table), path) => take(table, path),
        (DeValue::Array(items), [at]) => {
            let (at, mut left) = (at.parse::<usize>().unwrap(), DeArray::new());
            let kept = items.iter().enumerate().filter(|(index, _)| *index != at);
            kept.for_each(|(_, item)| left.push(item.clone()));
            assert_eq!(left.len() + 1, items.len());
            *items = left;
        }
        (DeValue::Array(items), [at, rest @ ..]) => {
            take_from(items.get_mut(at.parse::<usize>().unwrap()).unwrap().get_mut(), rest);
        }
        (other, path) => panic!("{other:?} has no {path:?}"),
    }
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

/// A profile as far as it reads results, and what it makes of its captures.
struct Subject {
    id: String,
    text: &'static str,
    file: toml::Table,
    /// The same, with its places: what is read again and again.
    tree: Spanned<DeTable<'static>>,
    whole: Profile,
    messages: Vec<(&'static str, &'static [u8], Interpretation)>,
    keys: Vec<Key>,
}

impl Subject {
    fn of(profile: &Profile) -> Self {
        let id = profile.reference().id.clone();
        let entry = CATALOGUE.entry(&id).unwrap();
        let text = entry.text("profile.toml").unwrap();
        let mut file = text.parse::<toml::Table>().unwrap();
        file.retain(|section, _| !ORDERS.contains(&section));
        let mut tree = DeTable::parse(text).unwrap();
        for section in ORDERS {
            tree.get_mut().remove(*section);
        }
        let bare = Profile::of_tree(text, tree.clone())
            .unwrap_or_else(|why| panic!("{id} without its orders: {why}"));
        let of_model = MESSAGES.iter().zip(READINGS.iter()).filter(|((of, ..), _)| of.reference().id == id);
        let mut messages = Vec::new();
        for ((_, name, raw), whole) in of_model {
            let read = bare.interpret(raw);
            assert_eq!(read.observations, whole.observations, "{name}: orders have a say in results");
            messages.push((name.as_str(), raw.as_slice(), read));
        }
        let mut found = Vec::new();
        keys(&toml::Value::Table(file.clone()), &[], false, &mut found);
        Self { id, text, file, tree, whole: bare, messages, keys: found }
    }

    /// A control that counts for every marker is more controls, never fewer: harmless as long as no marker that it did not
    /// stand for asks for one of its name.
    fn is_harmless(&self, key: &Key, poorer: &Profile) -> bool {
        let ["control", at, "markers"] = key.words()[..] else { return false };
        let control = &self.file["control"][at.parse::<usize>().unwrap()];
        let (name, markers) = (control["name"].as_str().unwrap(), &control["markers"]);
        let named = |one: &toml::Value, marker: Marker| one.as_str() == Some(marker.name());
        let stood_for = |marker: Marker| {
            named(markers, marker)
                || markers.as_array().is_some_and(|of| of.iter().any(|one| named(one, marker)))
        };
        let mut others = poorer.assays().map(|(marker, _)| marker).filter(|marker| !stood_for(*marker));
        others.all(|marker| !poorer.required_controls(marker).names.contains(&name))
    }

    /// A run that asks for more controls is valid less often.
    fn asks_for_no_less(&self, key: &Key, poorer: &Profile) -> bool {
        let asks = |profile: &Profile, marker| -> BTreeSet<String> {
            profile.required_controls(marker).names.into_iter().map(str::to_owned).collect()
        };
        let more = |(marker, _): (Marker, &str)| asks(poorer, marker).is_superset(&asks(&self.whole, marker));
        key.words().starts_with(&["run", "requires"]) && self.whole.assays().all(more)
    }

    /// Whether some message without one of its lines reads otherwise without this: what a panel is for.
    fn misses_a_lost_line(&self, poorer: &Profile) -> bool {
        self.messages.iter().any(|(_, raw, _)| {
            let lines: Vec<&[u8]> = raw.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')).collect();
            (0..lines.len()).any(|lost| {
                let left = [&lines[..lost], &lines[lost + 1..]].concat().concat();
                self.whole.interpret(&left) != poorer.interpret(&left)
            })
        })
    }

    /// The text that a message has to hold for this key to have a say in it: texts and codes are compared whole.
    fn word_of<'k>(&'k self, key: &'k Key) -> Option<&'k str> {
        match key.words()[..] {
            ["values" | "grades", _, word] | ["status" | "flags", "map" | "known", word] => Some(word),
            ["test", at, ..] => self.file["test"][at.parse::<usize>().unwrap()]["code"].as_str(),
            _ => None,
        }
    }

    /// Takes one key away: `None` where what the rest refers to is missing, so that the profile is not read at all; else
    /// whether anything reads otherwise. What is told has to; of all else what is lost has to be held.
    fn without(&self, key: &Key) -> Result<Option<bool>, String> {
        let mut poorer = self.tree.clone();
        take(poorer.get_mut(), &key.path);
        // A mapping that is lost has to be missed by what it leaves unread, also where nobody counts the guards within it.
        if !key.is_guard() {
            take(poorer.get_mut(), &["evidence", "guards"].map(str::to_owned));
        }
        let Ok(poorer) = Profile::of_tree(self.text, poorer) else { return Ok(None) };
        let mut differs = false;
        let word = self.word_of(key);
        for (name, raw, before) in self.messages.iter().filter(|(_, raw, _)| may_hold(raw, word)) {
            let after = poorer.interpret(raw);
            differs |= *before != after;
            if key.told {
                if differs {
                    return Ok(Some(true));
                }
                continue;
            }
            // Where one row says several things, one of them may be left unread.
            let shared = shared_code(&self.file, &key.path);
            compared(before, &after, shared)
                .map_err(|why| format!("{name} without {}: {why}", key.path.join(".")))?;
        }
        let differs = differs || (key.words().starts_with(&["panel"]) && self.misses_a_lost_line(&poorer));
        let spare = SPARE.contains(&(self.id.as_str(), key.path.join(".").as_str()));
        if spare && differs {
            return Err(format!("{}: {} is told by now and no more to spare", self.id, key.path.join(".")));
        }
        let shown = differs
            || spare
            || self.is_harmless(key, &poorer)
            || self.asks_for_no_less(key, &poorer)
            || !(key.told || key.is_mapping());
        if shown {
            Ok(Some(differs))
        } else {
            Err(format!("{}: no capture shows {}", self.id, key.path.join(".")))
        }
    }
}

/// Whether a text may stand in a message: only what is written in one way in every character set can be looked for.
fn may_hold(raw: &[u8], word: Option<&str>) -> bool {
    let plain = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match word.filter(plain).filter(|_| !raw.contains(&0)) {
        Some(word) => raw.windows(word.len()).any(|window| window == word.as_bytes()),
        None => true,
    }
}

#[test]
fn a_key_that_is_removed_is_missed_or_holds_what_it_read_or_a_capture_tells() {
    let subjects: Vec<Subject> =
        CATALOGUE.list().filter(|p| p.reads_results()).map(|profile| Subject::of(profile)).collect();
    let all: Vec<(&Subject, &Key)> =
        subjects.iter().flat_map(|subject| subject.keys.iter().map(move |key| (subject, key))).collect();
    let wrong = Mutex::new(Vec::new());
    let shown = Mutex::new(Vec::new());
    on_all_cores(&all, |(subject, key)| match subject.without(key) {
        Err(why) => wrong.lock().unwrap().push(why),
        Ok(outcome) if key.is_mapping() => {
            shown.lock().unwrap().push((subject.id.as_str(), outcome == Some(true)));
        }
        Ok(_) => {}
    });
    let mut wrong = wrong.into_inner().unwrap();
    let shown = shown.into_inner().unwrap();
    for id in shown.iter().map(|(id, _)| *id).collect::<BTreeSet<_>>() {
        let of_model: Vec<bool> = shown.iter().filter(|(of, _)| *of == id).map(|(_, shown)| *shown).collect();
        let changed = of_model.iter().filter(|shown| **shown).count();
        if of_model.len() <= 10 || changed * 3 <= of_model.len() {
            wrong.push(format!("{id}: {} mappings, {changed} changed", of_model.len()));
        }
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{} keys of {}\n{}", wrong.len(), all.len(), wrong.join("\n"));
}

#[test]
fn every_profile_of_the_catalogue_says_how_many_guards_it_has() {
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        let text = &profile.content().text;
        let said = text.lines().find(|line| line.starts_with("guards = "));
        let found = crate::schema::guards_of(text).unwrap();
        assert_eq!(said, Some(format!("guards = {found}").as_str()), "{}", profile.reference());
        assert!(found > 20, "{}: {found}", profile.reference());
        let wrong = text.replacen(&format!("guards = {found}"), &format!("guards = {}", found + 1), 1);
        let templates = &profile.content().templates;
        let refused = Profile::read_with("profile.toml", &wrong, templates).unwrap_err().to_string();
        assert!(refused.contains("one was lost"), "{refused}");
    }
}

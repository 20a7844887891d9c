//! A profile as single statements: entry → what is said of it. Where an entry stands in the file does not count, but
//! for rules that are tried in turn.

use super::{Change, Part};
use crate::{catalogue::Entry, profile::PROFILE_FILE};
use std::collections::BTreeMap;
use toml::{Table, Value};

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) part: Part,
    pub(super) what: String,
}

/// Everything that a profile says.
#[derive(Debug, Default)]
pub(super) struct Statements {
    pub(super) said: BTreeMap<Key, String>,
    /// Lists of rules, and their entries in turn.
    turns: BTreeMap<&'static str, (Part, Vec<String>)>,
}

/// Lists whose entries have a name of their own, and the keys that make it.
const NAMED: [(&str, Part, &[&str]); 9] = [
    ("test", Part::Tests, &["code", "when"]),
    ("kind", Part::Controls, &["is"]),
    ("control", Part::Controls, &["name"]),
    ("row", Part::Rows, &["name"]),
    ("lot", Part::Run, &["role", "each", "lot"]),
    ("check", Part::Checks, &["finding"]),
    ("panel", Part::Checks, &["name"]),
    ("orderable", Part::Orders, &["code"]),
    ("fact", Part::Evidence, &["at"]),
];
/// Lists of which the first that holds counts.
const IN_TURN: [&str; 3] = ["kind", "control", "row"];
/// Keys of an entry that only say where it is from.
const REMARKS: [&str; 2] = ["source", "level"];

impl Statements {
    pub(super) fn of(entry: &Entry) -> Self {
        let mut statements = Self::default();
        let file: Table = entry.text(PROFILE_FILE).and_then(|text| text.parse().ok()).unwrap_or_default();
        for (key, value) in &file {
            statements.section(key, value);
        }
        for name in entry.names_in("orders") {
            let text = entry.text(&format!("orders/{name}")).unwrap_or_default();
            statements.say(Part::Orders, format!("template {name}"), text.trim_end().to_owned());
        }
        statements
    }

    fn say(&mut self, part: Part, what: String, says: String) {
        let mut key = Key { part, what };
        // Two entries of one name: each counts.
        let name = key.what.clone();
        for number in 2.. {
            if !self.said.contains_key(&key) {
                break;
            }
            key.what = format!("{name} ({number})");
        }
        self.said.insert(key, says);
    }

    fn section(&mut self, key: &str, value: &Value) {
        if let Some((name, part, by)) = NAMED.into_iter().find(|(name, ..)| *name == key) {
            return self.list(name, part, by, value);
        }
        match (key, value) {
            ("values" | "grades", Value::Table(maps)) => {
                for (map, texts) in maps.iter().filter_map(|(map, texts)| Some((map, texts.as_table()?))) {
                    for (text, meaning) in texts {
                        self.say(Part::Values, format!("{map} {text:?}"), shown(meaning));
                    }
                }
            }
            ("evidence", Value::Table(evidence)) => {
                for (key, value) in evidence {
                    let name = match key.as_str() {
                        "fact" => "fact",
                        "guards" => "guards",
                        _ => "evidence.",
                    };
                    self.section(name, value);
                }
            }
            (_, Value::Table(table)) => {
                for (inner, value) in table {
                    self.entry(part_of(key), &format!("{key}.{inner}"), value);
                }
            }
            (_, value) => self.say(part_of(key), key.to_owned(), shown(value)),
        }
    }

    /// `status.map` and its like: a statement for every text.
    fn entry(&mut self, part: Part, path: &str, value: &Value) {
        let Some(texts) = value.as_table().filter(|texts| !texts.is_empty()) else {
            return self.say(part, path.to_owned(), shown(value));
        };
        for (text, value) in texts {
            if value.is_table() && path != "flags.known" {
                self.entry(part, &format!("{path}.{text}"), value);
            } else {
                self.say(part, format!("{path} {text:?}"), shown(value));
            }
        }
    }

    fn list(&mut self, name: &'static str, part: Part, by: &[&str], value: &Value) {
        for entry in value.as_array().into_iter().flatten().filter_map(Value::as_table) {
            let named: Vec<String> = by.iter().filter_map(|key| entry.get(*key)).map(plain).collect();
            let what = format!("{name} {}", named.join(" "));
            let says = |remarks: bool| -> Vec<String> {
                entry
                    .iter()
                    .filter(|(key, _)| {
                        !by.contains(&key.as_str()) && REMARKS.contains(&key.as_str()) == remarks
                    })
                    .map(|(key, value)| format!("{key} = {}", shown(value)))
                    .collect()
            };
            let (read, remarked) = (says(false), says(true));
            if IN_TURN.contains(&name) {
                self.turns.entry(name).or_insert_with(|| (part, Vec::new())).1.push(what.clone());
            }
            if !remarked.is_empty() {
                self.say(Part::Evidence, what.clone(), remarked.join(", "));
            }
            self.say(part, what, read.join(", "));
        }
    }

    /// Lists that hold the same entries as before, in another order.
    pub(super) fn reordered(&self, later: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for (name, (part, before)) in &self.turns {
            let Some((_, after)) = later.turns.get(name) else { continue };
            let both = |list: &[String], other: &[String]| -> Vec<String> {
                list.iter().filter(|entry| other.contains(entry)).cloned().collect()
            };
            let (before, after) = (both(before, after), both(after, before));
            if before != after {
                let what = format!("order of [[{name}]]");
                let (before, after) = (Some(before.join(", ")), Some(after.join(", ")));
                changes.push(Change { part: *part, what, before, after });
            }
        }
        changes
    }
}

fn part_of(section: &str) -> Part {
    match section {
        "link" => Part::Link,
        "characters" | "numbers" | "times" | "table" | "plate" | "protocol" | "schema" => Part::Reading,
        "specimen" => Part::Specimen,
        "controls" => Part::Controls,
        "run" => Part::Run,
        "status" => Part::Status,
        "flags" => Part::Flags,
        "result" | "pooling" => Part::Rows,
        "order_in" | "query" | "answer" | "order_out" | "reply" | "writing" => Part::Orders,
        "names" | "id" | "evidence." | "guards" => Part::Evidence,
        // `message`, `order` and `reads_results`. A section that is not known here counts too.
        _ => Part::Message,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| shown(value), str::to_owned)
}

/// A value on one line, as it is written.
fn shown(value: &Value) -> String {
    match value {
        Value::Table(table) => {
            let parts: Vec<String> =
                table.iter().map(|(key, value)| format!("{key} {}", shown(value))).collect();
            parts.join(", ")
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join("; "))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => value.to_string(),
    }
}

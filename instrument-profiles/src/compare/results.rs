//! What the messages of both revisions' captures come to under each of them.

use crate::{capture::messages_of, catalogue::Entry, profile::Profile};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::Observation;

/// A result that comes to something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ResultChange {
    /// The capture and the message in it.
    pub message: String,
    /// Specimen and assay.
    pub result: String,
    /// What it came to; absent: there was no such result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// What it comes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

type Results = BTreeMap<String, String>;

pub(super) fn changes(old: &Entry, new: &Entry) -> Vec<ResultChange> {
    let mut changes = Vec::new();
    let names: BTreeSet<String> = [old, new]
        .into_iter()
        .flat_map(|entry| entry.names_in("captures").map(str::to_owned).collect::<Vec<_>>())
        .filter(|name| name.ends_with(".capture"))
        .collect();
    for name in names {
        for (number, raw) in messages(old, new, &name).into_iter().enumerate() {
            let message = format!("{name}, message {}", number + 1);
            let (before, after) = (read(old.profile(), &raw), read(new.profile(), &raw));
            let results: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
            for result in results {
                let (before, after) = (before.get(result).cloned(), after.get(result).cloned());
                if before != after {
                    changes.push(ResultChange {
                        message: message.clone(),
                        result: result.clone(),
                        before,
                        after,
                    });
                }
            }
        }
    }
    changes
}

/// The messages of a capture, as the later link has them; as the earlier one has them where the later does not take it.
fn messages(old: &Entry, new: &Entry, name: &str) -> Vec<Vec<u8>> {
    let file = format!("captures/{name}");
    let text = new.text(&file).or_else(|| old.text(&file)).unwrap_or_default();
    messages_of(new.profile(), text).or_else(|_| messages_of(old.profile(), text)).unwrap_or_default()
}

fn read(profile: &Profile, raw: &[u8]) -> Results {
    let mut results = Results::new();
    for observation in profile.interpret(raw).observations {
        let specimen = observation.specimen.as_ref().map_or("–", |specimen| specimen.as_str());
        let name = format!("{specimen} {}", observation.assay);
        let mut key = name.clone();
        for number in 2.. {
            if !results.contains_key(&key) {
                break;
            }
            key = format!("{name} ({number})");
        }
        results.insert(key, essence(&observation));
    }
    results
}

/// What counts of a result, in the words of `interpret`; a value that is held shows only as it was sent.
fn essence(observation: &Observation) -> String {
    let value = &observation.value;
    let mut parts = vec![name(&observation.kind), format!("{:?}", value.raw)];
    parts.extend(value.interpretation.as_ref().map(name));
    parts.extend(value.grade.map(|grade| grade.to_string()));
    parts.extend(value.number.map(|number| number.to_string()));
    parts.extend(value.od.map(|od| format!("OD {od}")));
    parts.push(name(&observation.status));
    parts.extend(observation.control.as_ref().map(|control| format!("control {}", control.name)));
    parts.join(" ")
}

/// The name that a word has in JSON.
fn name(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

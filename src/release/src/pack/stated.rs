//! Every value of a pack with its confidence.

use super::{Confidence, RulePack, Unconfirmed};
use serde_json::Value as Json;
use toml::{Table, Value};

/// One value of a pack as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// Its key: `nat.mp_unresolved`.
    pub key: String,
    /// Its value.
    pub value: String,
    /// How sure it is: `sourced`, `own-H`, `own-M`, `own-L`, `site`; empty where a value has none (names, titles).
    pub confidence: String,
    /// What to confirm.
    pub confirm: Option<String>,
    /// Of medium or low confidence: the laboratory confirms it before use.
    pub must_be_confirmed: bool,
}

impl RulePack {
    /// Every value, in the order of keys.
    #[must_use]
    pub fn stated(&self) -> Vec<Stated> {
        let mut found = Vec::new();
        if let Ok(Value::Table(settings)) = Value::try_from(&self.settings) {
            collect("", &settings, &mut found);
        }
        found
    }

    /// Keys that a pack may set and this one does not, in the order of keys: what they would limit or ask for is not asked.
    #[must_use]
    pub fn unset(&self) -> Vec<String> {
        let mut found = Vec::new();
        if let Ok(settings) = serde_json::to_value(&self.settings) {
            collect_unset("", &settings, &mut found);
        }
        found
    }

    /// The values that the laboratory has to confirm before it relies on them.
    #[must_use]
    pub fn unconfirmed(&self) -> Vec<Unconfirmed> {
        let open = self.stated().into_iter().filter(|stated| stated.must_be_confirmed);
        open.map(|Stated { key, value, confidence, confirm, .. }| Unconfirmed {
            key,
            value,
            confidence,
            confirm,
        })
        .collect()
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn collect(prefix: &str, settings: &Table, found: &mut Vec<Stated>) {
    for (key, value) in settings {
        let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            Value::Table(inner) => match inner.get("value") {
                Some(value) if inner.contains_key("confidence") => found.push(setting(key, value, inner)),
                Some(_) | None => collect(&key, inner, found),
            },
            Value::Array(list) => {
                for (at, item) in list.iter().enumerate() {
                    if let Value::Table(inner) = item {
                        collect(&format!("{key}[{at}]"), inner, found);
                    }
                }
            }
            Value::String(_)
            | Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_) => {
                let value = text_of(value);
                let confidence = String::new();
                found.push(Stated { key, value, confidence, confirm: None, must_be_confirmed: false });
            }
        }
    }
}

fn collect_unset(key: &str, value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Null => found.push(key.to_owned()),
        Json::Object(settings) => {
            let dot = if key.is_empty() { "" } else { "." };
            for (name, inner) in settings {
                collect_unset(&format!("{key}{dot}{name}"), inner, found);
            }
        }
        Json::Array(list) => {
            for (at, inner) in list.iter().enumerate() {
                collect_unset(&format!("{key}[{at}]"), inner, found);
            }
        }
        Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn setting(key: String, value: &Value, inner: &Table) -> Stated {
    let text = |name: &str| inner.get(name).and_then(Value::as_str).map(str::to_owned);
    let confidence = text("confidence").unwrap_or_default();
    let unsure =
        [Confidence::OwnMedium, Confidence::OwnLow].map(Confidence::name).contains(&confidence.as_str());
    Stated { key, value: text_of(value), confidence, confirm: text("confirm"), must_be_confirmed: unsure }
}

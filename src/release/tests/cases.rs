//! Worked cases as data: `tests/cases/*.json`, each a list of `{id, what, pack, evidence | base + set, expect}`.
//!
//! - `evidence` is the whole evidence; without it the case starts from `base.json`, a donation that is releasable,
//!   and `set` changes it: JSON pointer → new value, `null` removes, `/list/-` appends.
//! - `rules` names the pack, `cn-2019` where it is left out; `pack` is TOML laid over it.
//! - `expect` is a part of the verdict: objects and lists may hold more than is asked for, texts of `next` and `why`
//!   may be longer. `failing_gates` and `flags` are exact. `error` expects that the case cannot be read.
//!
//! `c-combinations.json` is of another shape: `enumerated.rs` reads it.

#[cfg(test)]
mod cases {
    use release::{RulePack, explain, read_case};
    use serde_json::{Map, Value};
    use std::path::{Path, PathBuf};

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
    }

    fn read(path: &Path) -> Value {
        let text = std::fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn set(evidence: &mut Value, pointer: &str, value: &Value) {
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let parent = evidence.pointer_mut(parent).unwrap_or_else(|| panic!("no {pointer}"));
        match parent {
            Value::Object(map) if value.is_null() => {
                map.remove(key).unwrap_or_else(|| panic!("nothing at {pointer}"));
            }
            Value::Object(map) => {
                map.insert(key.to_owned(), value.clone());
            }
            Value::Array(list) if key == "-" => list.push(value.clone()),
            Value::Array(list) if value.is_null() => {
                list.remove(key.parse().unwrap());
            }
            Value::Array(list) => list[key.parse::<usize>().unwrap()] = value.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                panic!("{pointer} lies in no list")
            }
        }
    }

    fn evidence(case: &Map<String, Value>) -> String {
        let mut evidence = case.get("evidence").cloned().unwrap_or_else(|| read(&folder().join("base.json")));
        if let Some(changes) = case.get("set") {
            for (pointer, value) in changes.as_object().unwrap() {
                set(&mut evidence, pointer, value);
            }
        }
        evidence.to_string()
    }

    /// Whether `actual` holds what `expected` asks for.
    fn holds(key: &str, expected: &Value, actual: &Value) -> bool {
        match (expected, actual) {
            (Value::Object(want), Value::Object(have)) => {
                want.iter().all(|(key, value)| have.get(key).is_some_and(|got| holds(key, value, got)))
            }
            (Value::Array(_), Value::Array(_))
                if key == "flags" || key == "candidates" && expected == &Value::Array(vec![]) =>
            {
                expected == actual
            }
            (Value::Array(want), Value::Array(have)) if key == "lookback" && want.len() != have.len() => {
                false
            }
            (Value::Array(want), Value::Array(have)) => {
                want.iter().all(|value| have.iter().any(|got| holds(key, value, got)))
            }
            (Value::String(want), Value::String(have))
                if ["next", "next_zh", "why", "why_zh", "candidates"].contains(&key) =>
            {
                have.contains(want.as_str())
            }
            (_, _) => expected == actual,
        }
    }

    fn check(case: &Map<String, Value>) -> Result<(), String> {
        let text = evidence(case);
        let overlay = case.get("pack").map_or("", |p| p.as_str().unwrap());
        let base = case.get("rules").map_or("cn-2019", |p| p.as_str().unwrap());
        let pack = format!("id = \"test\"\nbased_on = \"{base}\"\n{overlay}");
        let pack = RulePack::from_toml(&pack).map_err(|e| e.to_string())?;
        let mut expect = case["expect"].as_object().unwrap().clone();
        let read = read_case(&text);
        if let Some(at) = expect.get("error") {
            let error = read.err().ok_or("was read")?;
            return if Some(error.at.as_str()) == at.as_str() { Ok(()) } else { Err(error.to_string()) };
        }
        let verdict = serde_json::to_value(explain(&read.map_err(|e| e.to_string())?, &pack)).unwrap();
        if let Some(failing) = expect.remove("failing_gates") {
            let gates = verdict["gates"].as_array().unwrap().iter();
            let closed: Vec<Value> = gates.filter(|g| g["pass"] == false).map(|g| g["id"].clone()).collect();
            if failing != Value::Array(closed.clone()) {
                return Err(format!("failing gates are {closed:?}"));
            }
        }
        for (key, value) in &expect {
            if !verdict.get(key).is_some_and(|got| holds(key, value, got)) {
                return Err(format!("{key} is {}", serde_json::to_string_pretty(&verdict[key]).unwrap()));
            }
        }
        Ok(())
    }

    #[test]
    fn every_worked_case_comes_out_as_expected() {
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(folder()).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let mut wrong = Vec::new();
        let mut count = 0;
        let others = ["base.json", "c-combinations.json"];
        for file in files.iter().filter(|f| !others.iter().any(|other| f.ends_with(other))) {
            for case in read(file).as_array().unwrap() {
                let case = case.as_object().unwrap();
                count += 1;
                if let Err(why) = check(case) {
                    wrong.push(format!("{} {}: {why}", case["id"], case["what"]));
                }
            }
        }
        assert!(count > 0 && wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong.join("\n"));
    }
}

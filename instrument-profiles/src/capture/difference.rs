//! The difference between two JSON values, as a list a person can read.

use serde_json::Value;

/// Lines like `messages[0].observations[1].value.interpretation: expected "reactive", is absent`.
pub(super) fn differences(expected: &Value, found: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    compare("", expected, found, &mut lines);
    lines
}

fn compare(path: &str, expected: &Value, found: &Value, lines: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                match found.get(key) {
                    Some(other) => compare(&join(path, key), value, other, lines),
                    None => lines.push(format!("{}: expected {value}, is absent", join(path, key))),
                }
            }
            for (key, value) in found.iter().filter(|(key, _)| !expected.contains_key(*key)) {
                lines.push(format!("{}: not expected, is {value}", join(path, key)));
            }
        }
        (Value::Array(expected), Value::Array(found)) => {
            for (index, value) in expected.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match found.get(index) {
                    Some(other) => compare(&path, value, other, lines),
                    None => lines.push(format!("{path}: expected {value}, is absent")),
                }
            }
            for (index, value) in found.iter().enumerate().skip(expected.len()) {
                lines.push(format!("{path}[{index}]: not expected, is {value}"));
            }
        }
        (expected, found) if expected == found => {}
        (expected, found) => lines.push(format!("{path}: expected {expected}, is {found}")),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_difference_has_its_path() {
        let expected = json!({"a": {"b": [1, 2], "c": "x"}, "d": null});
        let found = json!({"a": {"b": [1, 3, 4], "e": true}, "d": null});
        assert_eq!(
            differences(&expected, &found),
            [
                "a.b[1]: expected 2, is 3",
                "a.b[2]: not expected, is 4",
                "a.c: expected \"x\", is absent",
                "a.e: not expected, is true",
            ]
        );
        assert_eq!(differences(&found, &found), Vec::<String>::new());
    }
}

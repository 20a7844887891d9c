//! Every worked case of groups A to F is a row of data (`src/*/tests/cases/*.json`), and a row's name is there once.
//!
//! A row is named as its case (`A03`), or as its case and what is otherwise in it (`A03-printed`).

use crate::tree::{files, relative, root};
use serde_json::Value;
use std::collections::BTreeMap;

/// Groups with the numbers of their cases, first to last. There is no F07.
const CASES: [(&str, u32, u32); 10] = [
    ("A", 1, 12),
    ("A", 14, 14),
    ("B", 1, 9),
    ("B", 11, 19),
    ("C", 1, 16),
    ("C", 18, 22),
    ("D", 1, 16),
    ("E", 1, 14),
    ("F", 1, 6),
    ("F", 8, 13),
];
/// Cases of several inputs: each is a row.
const OF_SEVERAL: [&str; 7] =
    ["A13-duplicate", "A13-repeat", "B10-release", "B10-discard", "C17-50", "C17-repeat", "C17-twice"];

fn due() -> Vec<String> {
    let all = CASES
        .into_iter()
        .flat_map(|(group, from, to)| (from..=to).map(move |number| format!("{group}{number:02}")));
    all.chain(OF_SEVERAL.map(str::to_owned)).collect()
}

/// Where each row is, by its name.
fn rows() -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files(&root().join("src"), ".json") {
        let place = relative(&path);
        if !place.contains("/tests/cases/") || place.ends_with("/base.json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{place}: {e}"));
        for row in read.as_array().unwrap_or_else(|| panic!("{place} is no list of rows")) {
            let id = row["id"].as_str().unwrap_or_else(|| panic!("a row of {place} has no id"));
            found.entry(id.to_owned()).or_default().push(place.clone());
        }
    }
    found
}

#[test]
fn every_worked_case_is_a_row_of_data() {
    let rows = rows();
    let missing: Vec<String> = due().into_iter().filter(|id| !rows.contains_key(id)).collect();
    assert!(missing.is_empty(), "no row of src/*/tests/cases/*.json is named {missing:?}");
}

#[test]
fn no_two_rows_have_one_name() {
    let twice: Vec<_> = rows().into_iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "{twice:?}");
}

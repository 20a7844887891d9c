//! Every profile of the catalogue as an earlier release might have had it: what a ledger keeps of it reads on.

use super::{CATALOGUE, MESSAGES, READINGS};
use crate::Profile;
use std::collections::BTreeSet;
use vocabulary::{Consequence, Marker};

/// Keys that releases came to ask for, by their section; without them a message that has nothing wrong reads the same.
const LATER: [(&str, &str); 8] = [
    ("evidence", "guards"),
    ("specimen", "form"),
    ("specimen", "must_agree"),
    ("message", "sequence"),
    ("message", "production"),
    ("table", "columns"),
    ("lot", "required"),
    ("control", "not_required_for"),
];

fn earlier(mut file: toml::Table) -> toml::Table {
    for (section, key) in LATER {
        match file.get_mut(section) {
            Some(toml::Value::Table(section)) => drop(section.remove(key)),
            Some(toml::Value::Array(entries)) => {
                for entry in entries {
                    entry.as_table_mut().unwrap().remove(key);
                }
            }
            Some(other) => panic!("{section} is {other}"),
            None => {}
        }
    }
    file
}

#[test]
fn law_4_a_revision_of_an_earlier_release_reads_what_it_read_and_requires_no_control_less() {
    let mut compared = 0;
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        let id = &profile.reference().id;
        let content = profile.content();
        let text = toml::to_string(&earlier(content.text.parse().unwrap())).unwrap();
        assert!(Profile::read_with(id, &text, &content.templates).is_err(), "{id} is refused today");
        let kept = Profile::read_kept(id, &text, &content.templates).unwrap_or_else(|e| panic!("{e}"));
        assert!(!kept.unsaid().is_empty(), "{id}");
        for marker in Marker::ALL {
            let names = |profile: &Profile| -> BTreeSet<String> {
                profile.required_controls(*marker).names.into_iter().map(str::to_owned).collect()
            };
            assert!(names(&kept).is_superset(&names(profile)), "{id}: {marker}");
        }
        let of_model = MESSAGES.iter().zip(READINGS.iter()).filter(|((of, ..), _)| of.reference().id == *id);
        for ((_, name, raw), today) in of_model {
            if today.findings.iter().all(|finding| finding.consequence == Consequence::Note) {
                assert_eq!(kept.interpret(raw).observations, today.observations, "{name}");
                compared += 1;
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

//! Words that have no place here.

use crate::tree::{files, relative, root, sources};
use std::fs;

/// Names that say nothing.
const EMPTY_NAMES: &[&str] =
    &["data", "info", "manager", "util", "utils", "process", "helpers", "common", "misc"];

/// Text that may not be in shipped code, and why.
const BANNED: &[(&str, &str)] = &[
    ("todo!(", "finish it"),
    ("unimplemented!(", "finish it"),
    ("FIXME", "finish it"),
    ("XXX", "finish it"),
    ("dbg!(", "use tracing"),
    ("danger_accept_invalid", "certificates are checked"),
];

/// Text that may not be in tests, and why.
const BANNED_IN_TESTS: &[(&str, &str)] =
    &[("#[ignore", "a test runs or is not there"), ("thread::sleep(", "wait for the event itself")];

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for source in sources() {
        let stem = source.path.rsplit('/').next().unwrap().trim_end_matches(".rs");
        assert!(!EMPTY_NAMES.contains(&stem), "{}: name it after what it does", source.path);
    }
}

#[test]
fn banned_words_stay_out() {
    for source in
        sources().iter().filter(|s| !s.path.starts_with("tests/tidy/") && !s.path.contains("/examples/"))
    {
        for (word, why) in BANNED {
            assert!(!source.shipped().contains(word), "{} says {word:?}: {why}", source.path);
        }
        let (_, tests) = source.text.split_at(source.shipped().len());
        for (word, why) in BANNED_IN_TESTS {
            assert!(!tests.contains(word), "{} says {word:?}: {why}", source.path);
        }
    }
}

#[test]
fn law_09_no_analyser_is_named_in_code() {
    let catalogue = root().join("instrument-profiles/catalogue");
    let mut names: Vec<String> = Vec::new();
    for profile in files(&catalogue, "profile.toml") {
        let path = relative(&profile);
        let mut folders = path.trim_end_matches("/profile.toml").rsplit('/');
        let (model, maker) = (folders.next().unwrap(), folders.next().unwrap());
        if maker != "generic" {
            names.extend([maker.to_owned(), model.to_owned()]);
        }
    }
    assert!(names.len() >= 6, "only {names:?}: the catalogue was not found");
    for source in sources() {
        // A doc comment may cite a document by its title; code may not know a model.
        let code: String = source
            .shipped()
            .lines()
            .filter(|l| !l.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        let code = code.to_lowercase();
        for name in &names {
            let found = code.match_indices(name.as_str()).any(|(at, _)| {
                let before = code.split_at(at).0.chars().next_back();
                let after = code.split_at(at + name.len()).1.chars().next();
                let joined = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !joined(before) && !joined(after)
            });
            assert!(!found, "{} names {name:?}: an analyser is a folder in the catalogue", source.path);
        }
    }
}

#[test]
fn sled_and_the_journal_are_named_by_the_ledger_only() {
    for source in sources().iter().filter(|s| !s.path.starts_with("src/ledger/") && !s.is_test()) {
        assert!(!source.shipped().contains("sled::"), "{} names sled", source.path);
    }
}

#[test]
fn no_path_of_a_developers_machine_is_written_down() {
    let marks = [["/wo", "rk/"].concat(), ["/home", "/"].concat(), ["/ro", "ot/"].concat()];
    for ending in [".rs", ".toml", ".md", ".jinja", "run"] {
        for path in files(&root(), ending) {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            for mark in &marks {
                assert!(!text.contains(mark.as_str()), "{} names {mark}", relative(&path));
            }
        }
    }
}

//! The catalogue's own captures.

use super::{CATALOGUE, folder};
use crate::{Catalogue, record_expectations};
use std::env;

/// `RECORD_CAPTURES=maker/model,…` writes what their captures come to first. Read it line by line before it is committed.
fn record() {
    let models = env::var_os("RECORD_CAPTURES").unwrap_or_default();
    let models = models.to_string_lossy();
    for model in models.split(',').filter(|model| !model.is_empty()) {
        record_expectations(&folder().join(model)).unwrap_or_else(|e| panic!("\n{e}"));
    }
}

#[test]
fn every_capture_comes_to_what_is_expected_and_shows_all_that_is_declared() {
    record();
    let mut failed = String::new();
    for profile in CATALOGUE.list() {
        let report = CATALOGUE.entry(&profile.reference().id).unwrap().test();
        if !report.passed() {
            failed.push_str(&report.to_string());
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}

#[test]
fn the_built_in_catalogue_is_the_one_on_disk() {
    let built_in = Catalogue::built_in().unwrap_or_else(|e| panic!("\n{e}"));
    let of = |catalogue: &Catalogue| -> Vec<_> { catalogue.list().map(|p| p.reference().clone()).collect() };
    assert_eq!(of(&built_in), of(&CATALOGUE));
    assert!(CATALOGUE.list().next().is_some());
}

#[test]
fn an_unknown_id_has_a_neighbour() {
    assert_eq!(CATALOGUE.nearest("abbot/architect").as_deref(), Some("abbott/architect-i2000sr"));
    assert!(CATALOGUE.get("abbot/architect").is_none());
}

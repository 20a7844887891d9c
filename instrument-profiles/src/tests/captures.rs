//! The catalogue's own captures.

use super::CATALOGUE;
use crate::Catalogue;
use std::path::Path;

#[test]
fn every_capture_comes_to_what_is_expected_and_shows_all_that_is_declared() {
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
    let on_disk = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("catalogue")).unwrap();
    let of = |catalogue: &Catalogue| -> Vec<_> { catalogue.list().map(|p| p.reference().clone()).collect() };
    assert_eq!(of(&on_disk), of(&CATALOGUE));
    assert!(CATALOGUE.list().next().is_some());
}

#[test]
fn an_unknown_id_has_a_neighbour() {
    assert_eq!(CATALOGUE.nearest("abbot/architect").as_deref(), Some("abbott/architect-i2000sr"));
    assert!(CATALOGUE.get("abbot/architect").is_none());
}

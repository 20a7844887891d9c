//! Rules between profiles, and between a profile and what lies beside it.

use super::CATALOGUE;
use crate::{Level, LinkSettings};
use std::collections::BTreeMap;
use vocabulary::{Consequence, Protocol};

#[test]
fn every_result_needs_controls_that_its_messages_can_bring() {
    for profile in CATALOGUE.list() {
        for (marker, assay) in profile.assays() {
            let required = profile.required_controls(marker).names;
            assert!(!required.is_empty(), "{}: no control is asked for {assay}", profile.reference());
        }
    }
}

#[test]
fn one_assay_name_is_one_reagent_of_one_model() {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for profile in CATALOGUE.list() {
        for (_, assay) in profile.assays() {
            let owner = owners.entry(assay).or_insert(&profile.reference().id);
            assert_eq!(*owner, profile.reference().id, "{assay}");
        }
    }
}

#[test]
fn every_code_has_a_source_and_what_is_guessed_is_said() {
    for profile in CATALOGUE.list() {
        let evidence = profile.evidence();
        let tests = evidence.claims.iter().filter(|claim| claim.of.starts_with("test ")).count();
        assert!(tests >= profile.assays().count(), "{}", profile.reference());
        assert!(evidence.claims.len() > tests, "{}: no place has a source", profile.reference());
        let guessed = evidence.claims.iter().any(|claim| claim.level == Level::Inferred);
        assert!(!guessed || !evidence.not_verified.is_empty(), "{}", profile.reference());
    }
}

#[test]
fn every_model_has_captures_of_good_days_and_of_bad_ones_and_can_be_simulated() {
    for profile in CATALOGUE.list().filter(|profile| profile.reads_results()) {
        let entry = CATALOGUE.entry(&profile.reference().id).unwrap();
        let captures = entry.names_in("captures").filter(|name| name.ends_with(".capture")).count();
        assert!(captures >= 3, "{}", profile.reference());
        assert!(entry.text("simulation.toml").is_some(), "{}", profile.reference());
        let messages = || super::MESSAGES.iter().filter(|(of, ..)| of.reference() == profile.reference());
        let held =
            |raw: &[u8]| profile.interpret(raw).findings.iter().any(|f| f.consequence != Consequence::Note);
        assert!(messages().any(|(_, _, raw)| held(raw)), "{}: nothing is ever held", profile.reference());
        assert!(messages().any(|(_, _, raw)| !held(raw)), "{}: nothing ever passes", profile.reference());
    }
}

#[test]
fn a_dialect_without_results_speaks_of_orders_or_pools_and_says_what_a_site_must_check() {
    for profile in CATALOGUE.list().filter(|profile| !profile.reads_results()) {
        let speaks = profile.asks() || profile.takes_orders_unasked();
        let reads = profile.reads_orders() || profile.reads_poolings();
        assert!(speaks || reads, "{}", profile.reference());
        assert!(!profile.evidence().not_verified.is_empty(), "{}", profile.reference());
        assert!(profile.assays().next().is_none());
        assert_eq!(profile.orderable_assays().next().is_some(), speaks, "{}", profile.reference());
    }
}

#[test]
fn a_link_fits_its_protocol() {
    for profile in CATALOGUE.list() {
        let fits = match profile.link() {
            LinkSettings::Lis01(_) | LinkSettings::Unframed(_) => profile.protocol() == Protocol::Lis02,
            LinkSettings::Mllp(_) => profile.protocol() == Protocol::Hl7v2,
            LinkSettings::PkBlocks(_) => profile.protocol() == Protocol::PkBlocks,
            LinkSettings::Directory(_) => true,
        };
        assert!(fits, "{}", profile.reference());
    }
}

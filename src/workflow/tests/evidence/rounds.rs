//! Which wells are a duplicate round (rules.md §1.3): those after a first one that asks for it, and after no other.

use crate::evidence::{at, facts, observation, ratio, said, settings};
use release::{RulePack, evidence::SerologyKind};
use vocabulary::{Interpretation, Marker, Value};
use workflow::Settings;

/// What the wells of one reagent are taken for (`i`, `d`), what they come to, and what is to be done about it.
fn judged(with: &Settings, wells: &[Value]) -> (String, &'static str, String) {
    let all = (10..).zip(wells).map(|(hour, v)| at(hour, observation(Marker::HBsAg, "first", v.clone())));
    let evidence = workflow::evidence(&facts(all.collect()), with);
    let series = evidence.serology.iter().find(|series| series.reagent == "first").unwrap();
    let kind = |kind: SerologyKind| match kind {
        SerologyKind::Initial => 'i',
        SerologyKind::Duplicate => 'd',
        SerologyKind::Repeat => 'r',
    };
    let kinds = series.results.iter().map(|result| kind(result.kind)).collect();
    let verdict = release::decide(&evidence, &with.pack);
    let state = verdict.serology().iter().find(|one| one.reagent == "first").unwrap().state.name();
    let next: Vec<&str> =
        verdict.next().iter().map(AsRef::as_ref).filter(|step: &&str| step.contains("HBsAg")).collect();
    (kinds, state, next.join(" "))
}

fn over(text: &str) -> Settings {
    let text = format!("id = \"s\"\nbased_on = \"cn-2019\"\n{text}");
    Settings { pack: RulePack::from_toml(&text).unwrap(), reagents_per_marker: 1, ..settings("cn-2019") }
}

#[test]
fn a_well_without_an_answer_is_repeated_and_opens_no_duplicate_round() {
    let plain = over("");
    for nothing in [Interpretation::Invalid, Interpretation::Indeterminate] {
        let after = |wells: &[&str]| {
            let wells = [vec![said(nothing)], wells.iter().map(|well| ratio(well)).collect()].concat();
            let (kinds, state, next) = judged(&plain, &wells);
            (format!("{kinds} {state}"), next)
        };
        assert_eq!(after(&["1.05"]).0, "ii IR");
        assert_eq!(after(&["1.05", "0.2", "0.2"]).0, "iidd FINAL_NR");
        assert_eq!(after(&["1.05", "0.2", "1.3"]).0, "iidd FINAL_R");
        assert_eq!(after(&["0.3"]), ("ii FINAL_NR".to_owned(), String::new()), "one that is valid is enough");
        let (state, next) = after(&[]);
        assert!(state == "i INVALID" && next.contains("Repeat"), "{state}: {next}");
    }
    // A well that is not valid and yet was seen to react is not forgotten: two non-reactive ones answer it.
    let seen = Value { interpretation: Some(Interpretation::Invalid), ..ratio("1.8") };
    assert_eq!(judged(&plain, &[seen.clone(), ratio("0.3")]).1, "PENDING");
    assert_eq!(judged(&plain, &[seen.clone(), ratio("1.05")]).1, "IR");
    assert_eq!(judged(&plain, &[seen, ratio("0.3"), ratio("0.3")]).1, "FINAL_NR");
}

#[test]
fn a_grey_well_opens_a_duplicate_round_where_the_pack_says_so() {
    let round = |with: &Settings, wells: &[Value]| {
        let (kinds, state, _) = judged(with, wells);
        format!("{kinds} {state}")
    };
    let grey = || said(Interpretation::GreyZone);
    let counts = over("[sero]\ngz_low = \"0.90\"\ngz_as_initial_reactive = true\n");
    let invalid = said(Interpretation::Invalid);
    // Each of them asks, and the first that did was asked once.
    assert_eq!(round(&counts, &[ratio("0.95"), ratio("0.95")]), "id PENDING");
    assert_eq!(round(&counts, &[invalid.clone(), ratio("0.95"), ratio("0.95")]), "iid PENDING");
    assert_eq!(round(&counts, &[invalid, ratio("0.95"), ratio("0.2"), ratio("0.2")]), "iidd FINAL_NR");
    assert_eq!(round(&counts, &[grey(), ratio("0.2"), ratio("0.2")]), "idd FINAL_NR");
    // A pack that waves it through, and one that knows of no grey zone.
    let passes = over("[sero]\ngz_low = \"0.90\"\n");
    assert_eq!(round(&passes, &[grey()]), "i FINAL_NR");
    assert_eq!(round(&passes, &[grey(), ratio("1.05")]), "ii PENDING", "two first wells that disagree");
    assert_eq!(round(&over(""), &[grey(), ratio("0.2"), ratio("0.2")]), "idd FINAL_NR");
}

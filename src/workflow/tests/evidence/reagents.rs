//! Reagents that are not like the others: their own cut, their own direction, their own maker.

use crate::evidence::{at, facts, findings_of, observation, ratio, settings};
use release::{RulePack, evidence::SerologyKind};
use vocabulary::{Interpretation, Marker, ResultStatus, Value};
use workflow::Settings;

/// A reagent of its own cut, or whose weak signal is reactive, is asked for its duplicate round as the pack has it.
#[test]
fn a_reagent_that_differs_in_the_pack_has_its_own_duplicate_round() {
    use SerologyKind::{Duplicate, Initial};
    let overlay = |reagent: &str| {
        let text = format!(
            "id = \"s\"\nbased_on = \"cn-2019\"\n[[reagent]]\nmarker = \"HBsAg\"\nname = \"first\"\n{reagent}\n"
        );
        Settings { pack: RulePack::from_toml(&text).unwrap(), reagents_per_marker: 1, ..settings("cn-2019") }
    };
    let said =
        |number: &str, interpretation: Option<Interpretation>| Value { interpretation, ..ratio(number) };
    let judged = |reagent: &str, assay: &str, values: [Value; 3]| {
        let with = overlay(reagent);
        let all = (10..).zip(values).map(|(hour, v)| at(hour, observation(Marker::HBsAg, assay, v)));
        let evidence = workflow::evidence(&facts(all.collect()), &with);
        let kinds: Vec<SerologyKind> = evidence.serology[0].results.iter().map(|r| r.kind).collect();
        let verdict = release::decide(&evidence, &with.pack);
        (kinds, verdict.serology()[0].state.name())
    };
    let round = vec![Initial, Duplicate, Duplicate];
    let silent = || ["0.85", "0.30", "0.40"].map(|n| said(n, None));
    assert_eq!(judged("cut = \"0.80\"", "first", silent()), (round.clone(), "FINAL_NR"));
    assert_eq!(judged("cut = \"0.80\"", "second", silent()), (vec![Initial; 3], "FINAL_NR"));
    let grey = "gz_low = \"0.80\"\ngz_as_initial_reactive = true";
    assert_eq!(judged(grey, "first", silent()), (round.clone(), "FINAL_NR"));
    // The analyser does not know the laboratory's lower cut.
    let unaware = || ["0.85", "0.30", "0.40"].map(|n| said(n, Some(Interpretation::NonReactive)));
    assert_eq!(judged("cut = \"0.80\"", "first", unaware()), (round.clone(), "FINAL_NR"));
    let weak = || ["0.60", "1.90", "1.80"].map(|n| said(n, None));
    assert_eq!(judged("direction = \"competitive\"", "first", weak()), (round.clone(), "FINAL_NR"));
    let again = ["0.60", "1.90", "0.90"].map(|n| said(n, None));
    assert_eq!(judged("direction = \"competitive\"", "first", again), (round, "FINAL_R"));
    // Beyond its own cut-off and non-reactive: it contradicts itself, and no third test settles that.
    let contradictory = ["1.20", "0.30", "0.40"].map(|n| said(n, Some(Interpretation::NonReactive)));
    let (kinds, state) = judged("cut = \"0.80\"", "first", contradictory);
    assert!(kinds == [Initial; 3] && state != "FINAL_NR", "{kinds:?} {state}");
}

/// What a reagent's own cut makes reactive is not corrected away without a person.
#[test]
fn a_correction_below_the_reagents_own_cut_is_confirmed_by_a_person() {
    for (cut, finding) in [("0.80", Some("correction_eases")), ("1.00", None)] {
        let text = format!(
            "id = \"s\"\nbased_on = \"cn-2019\"\n[[reagent]]\nmarker = \"HBsAg\"\nname = \"first\"\ncut = \"{cut}\"\n"
        );
        let with = Settings { pack: RulePack::from_toml(&text).unwrap(), ..settings("cn-2019") };
        let first = observation(Marker::HBsAg, "first", ratio("0.85"));
        let mut corrected = observation(Marker::HBsAg, "first", ratio("0.30"));
        corrected.status = ResultStatus::Corrected;
        let evidence = workflow::evidence(&facts(vec![first, corrected]), &with);
        assert_eq!(findings_of(&evidence), finding.into_iter().collect::<Vec<_>>(), "{cut}");
    }
}

/// A reader of one brand reads kits of any maker, and two brands may read one kit: the kit's word counts.
#[test]
fn two_reagents_are_of_different_makers_by_their_kits_and_not_by_their_analysers() {
    let syphilis = |profiles: [&str; 2], makers: [Option<&str>; 2]| {
        let all = ["first", "second"].map(|assay| observation(Marker::Syphilis, assay, ratio("0.10")));
        let mut known = facts(all.to_vec());
        for ((fact, profile), maker) in known.observations.iter_mut().zip(profiles).zip(makers) {
            fact.profile.id = profile.into();
            let maker = maker.map(str::to_owned);
            fact.kit = Some(workflow::KitWord { maker, ..workflow::KitWord::default() });
        }
        let with = settings("cn-2019");
        let verdict = release::decide(&workflow::evidence(&known, &with), &with.pack);
        serde_json::to_value(&verdict).unwrap()["markers"]["syphilis"]["verdict"].clone()
    };
    let reader = ["generic/elisa-plate"; 2];
    assert_eq!(syphilis(reader, [Some("Maker A"), Some("Maker B")]), "NEGATIVE");
    assert_eq!(syphilis(reader, [None, None]), "INCOMPLETE", "whose they are is not known");
    let brands = ["one/x", "other/y"];
    assert_eq!(syphilis(brands, [None, None]), "NEGATIVE", "a closed analyser's reagents are its maker's");
    assert_eq!(syphilis(brands, [Some("Maker A"), Some("maker  a ")]), "INCOMPLETE", "one maker, twice");
    assert_eq!(
        syphilis(brands, [Some("other"), None]),
        "INCOMPLETE",
        "one maker by the kit, the same by the analyser"
    );
}

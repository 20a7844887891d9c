//! Corrections that bear a time of their own, as analysers send them: never a test of their own.

use crate::evidence::{at, facts, findings_of, observation, ratio, settings};
use release::{Evidence, Moment, evidence::Validity};
use vocabulary::{Interpretation, Marker, Observation, ResultStatus, RunId, Value};

fn with(value: Value, marker: Marker, hour: u8, status: ResultStatus) -> Observation {
    Observation { status, ..at(hour, observation(marker, "first", value)) }
}

fn hiv(hour: u8, value: &str) -> Observation {
    with(ratio(value), Marker::Hiv, hour, ResultStatus::Final)
}

fn corrected(hour: u8, value: &str) -> Observation {
    with(ratio(value), Marker::Hiv, hour, ResultStatus::Corrected)
}

/// The evidence, in whichever order the messages come: each is of one message, tested at its own time.
fn evidence(observations: &[Observation]) -> Evidence {
    let built = |order: Vec<Observation>| {
        let mut known = facts(order);
        for fact in &mut known.observations {
            let completed = fact.observation.completed_at.as_deref().unwrap();
            fact.tested_at = Some(completed.parse::<Moment>().unwrap());
        }
        let run = known.runs.values().next().unwrap().clone();
        known.runs.insert(RunId::new("R2").unwrap(), run);
        workflow::evidence(&known, &settings("cn-2019"))
    };
    let one = built(observations.to_vec());
    let mut turned = observations.to_vec();
    for _ in 0..observations.len() {
        turned.rotate_left(1);
        let other = built(turned.clone());
        assert_eq!(findings_of(&other), findings_of(&one), "in whichever order they come");
        assert_eq!(other.serology, one.serology, "in whichever order they come");
    }
    one
}

/// The values of the reagent that count, and the open findings.
fn counted(observations: &[Observation]) -> (Vec<String>, Vec<String>) {
    let evidence = evidence(observations);
    let results = evidence.serology.iter().find(|s| s.reagent == "first").unwrap().results.iter();
    let values = results.map(|result| result.sco.unwrap().to_string()).collect();
    (values, findings_of(&evidence).into_iter().map(str::to_owned).collect())
}

#[test]
fn corrections_at_later_times_are_versions_and_no_duplicate_round() {
    for (sent, values, findings) in [
        // The reactive one is corrected away twice: that is no duplicate round of two wells.
        (
            vec![hiv(9, "1.80"), corrected(10, "0.10"), corrected(11, "0.10")],
            vec!["0.10"],
            vec!["correction_eases"],
        ),
        (
            vec![hiv(9, "1.80"), corrected(10, "0.10"), corrected(11, "0.12")],
            vec!["0.12"],
            vec!["changed_result", "correction_eases"],
        ),
        (vec![hiv(9, "0.30"), corrected(10, "0.25")], vec!["0.25"], vec![]),
        (vec![hiv(9, "0.30"), corrected(10, "5.80")], vec!["5.80"], vec![]),
        // It could be of the reactive one: nobody but people can say so.
        (
            vec![hiv(9, "1.80"), hiv(10, "0.10"), hiv(11, "0.20"), corrected(12, "0.15")],
            vec!["1.80", "0.10", "0.15"],
            vec!["correction_unmatched"],
        ),
        (
            vec![hiv(9, "1.80"), hiv(10, "0.10"), hiv(11, "0.20"), corrected(12, "5.80")],
            vec!["1.80", "0.10", "5.80"],
            vec![],
        ),
        // What was tested after it is not what it corrects.
        (vec![hiv(9, "1.80"), corrected(10, "1.90"), hiv(11, "0.10")], vec!["1.90", "0.10"], vec![]),
        (vec![corrected(10, "0.10")], vec!["0.10"], vec!["correction_unmatched"]),
        (vec![corrected(10, "0.10"), hiv(11, "0.20")], vec!["0.10", "0.20"], vec!["correction_unmatched"]),
    ] {
        let (values, findings): (Vec<String>, Vec<String>) = (
            values.into_iter().map(str::to_owned).collect(),
            findings.into_iter().map(str::to_owned).collect(),
        );
        assert_eq!(counted(&sent), (values, findings), "{sent:?}");
    }
}

#[test]
fn a_correction_in_another_run_is_of_what_came_before_when_two_people_say_so() {
    let mut elsewhere = corrected(12, "0.10");
    elsewhere.run = RunId::new("R2").ok();
    let sent = [hiv(9, "0.30"), elsewhere];
    assert_eq!(counted(&sent), (vec!["0.10".to_owned()], vec!["correction_unmatched".to_owned()]));
    let what = evidence(&sent).findings[0].what.clone();
    assert!(what.contains("0.30") && what.contains("hemogate donation settle-result"), "{what}");
}

#[test]
fn a_replicate_that_a_correction_names_is_the_one_it_corrects() {
    let well = |replicate: &str, o: Observation| Observation { replicate: Some(replicate.into()), ..o };
    let sent = [well("A1", hiv(9, "5.80")), well("B1", hiv(10, "0.20")), well("A1", corrected(11, "5.90"))];
    assert_eq!(counted(&sent), (vec!["0.20".to_owned(), "5.90".to_owned()], vec![]));
    let sent = [well("A1", hiv(9, "5.80")), well("B1", hiv(10, "0.20")), well("A1", corrected(11, "0.10"))];
    assert_eq!(counted(&sent).1, ["correction_eases"]);
}

#[test]
fn a_corrected_alt_is_no_repeat() {
    let alt = |hour: u8, number: &str, status| {
        let value = Value {
            raw: number.into(),
            number: number.parse().ok(),
            unit: Some("U/L".into()),
            ..Value::default()
        };
        with(value, Marker::Alt, hour, status)
    };
    let one = evidence(&[alt(9, "300", ResultStatus::Final), alt(10, "10", ResultStatus::Corrected)]);
    assert_eq!((one.alt.len(), findings_of(&one)), (1, vec!["correction_eases"]));
}

#[test]
fn a_group_that_is_sent_again_as_corrected_is_no_second_determination() {
    let group = |hour: u8, status, run: &str| {
        let value =
            |i: Interpretation| Value { raw: format!("{i:?}"), interpretation: Some(i), ..Value::default() };
        [(Marker::Abo, Interpretation::A), (Marker::RhD, Interpretation::Positive)].map(|(marker, said)| {
            Observation { run: RunId::new(run).ok(), ..with(value(said), marker, hour, status) }
        })
    };
    let determinations = |sent: Vec<[Observation; 2]>| {
        let mut known = facts(sent.concat());
        for (at, fact) in (0..).zip(&mut known.observations) {
            fact.message = at / 2 + 1;
            fact.tested_at = fact.observation.completed_at.as_deref().map(|time| time.parse().unwrap());
        }
        let one = workflow::evidence(&known, &settings("cn-2019"));
        (one.grouping.len(), findings_of(&one).into_iter().map(str::to_owned).collect::<Vec<_>>())
    };
    let first = || group(9, ResultStatus::Final, "R1");
    assert_eq!(determinations(vec![first(), group(10, ResultStatus::Final, "R1")]).0, 2);
    let (same, other) = (group(10, ResultStatus::Corrected, "R1"), group(10, ResultStatus::Corrected, "R2"));
    assert_eq!(determinations(vec![first(), same.clone()]), (1, vec![]));
    assert_eq!(determinations(vec![same, first()]), (1, vec![]));
    let unmatched = vec!["correction_unmatched".to_owned(); 2];
    assert_eq!(determinations(vec![first(), other.clone()]), (1, unmatched.clone()));
    assert_eq!(determinations(vec![other, first()]), (1, unmatched));
}

#[test]
fn a_preliminary_reactive_result_does_not_vanish_behind_a_final_one_that_is_not() {
    let preliminary = |value: &str| with(ratio(value), Marker::Hiv, 9, ResultStatus::Preliminary);
    let held = || vec!["correction_eases".to_owned()];
    for (first, then, findings) in [
        ("9.80", "0.30", held()),
        ("1.00", "0.30", held()),
        ("9.80", "5.80", vec![]),
        ("0.30", "0.40", vec![]),
        ("0.30", "9.80", vec![]),
    ] {
        let sent = [preliminary(first), hiv(9, then)];
        assert_eq!(counted(&sent), (vec![then.to_owned()], findings), "{first}, then {then}");
    }
    let mut said = preliminary("0.30");
    said.value.interpretation = Some(Interpretation::Reactive);
    assert_eq!(counted(&[said, hiv(9, "0.30")]).1, held(), "by its word alone");
    // As a profile withholds it: nothing but its text is kept.
    for (raw, then, findings) in [
        ("9.80", "0.30", held()),
        ("0.31", "0.30", vec![]),
        ("Positive", "Negative", held()),
        ("Negative", "negative", vec![]),
        ("----", "Negative", vec![]),
        ("", "Negative", vec![]),
        ("+", "-", held()),
        ("-", "+", vec![]),
    ] {
        let mut withheld = preliminary("0");
        withheld.value = Value { raw: raw.into(), ..Value::default() };
        let mut last = hiv(9, "0.30");
        last.value.raw = then.into();
        assert_eq!(counted(&[withheld, last]).1, findings, "{raw}, then {then}");
    }
    let alone = evidence(&[preliminary("9.80")]);
    let of_first = alone.serology.iter().find(|s| s.reagent == "first").unwrap();
    assert_eq!((findings_of(&alone), of_first.results[0].validity), (vec![], Some(Validity::Open)));
    let corrected_too = [preliminary("9.80"), hiv(9, "0.30"), corrected(9, "0.20")];
    assert_eq!(counted(&corrected_too).1, held());
}

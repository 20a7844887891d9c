//! What takes two people when it is corrected, beside reactive serology and nucleic acid results.

use crate::evidence::{built, findings_of, observation};
use vocabulary::{Interpretation, Marker, ResultStatus, Value};

fn activity(number: &str, unit: &str) -> Value {
    let (raw, unit) = (number.to_owned(), Some(unit.to_owned()));
    let (comparator, digits) = match number.strip_prefix('>') {
        Some(digits) => (Some(vocabulary::Comparator::Above), digits),
        None => (None, number),
    };
    Value { raw, unit, comparator, number: digits.parse().ok(), ..Value::default() }
}

fn grade(grade: &str) -> Value {
    Value { raw: grade.into(), grade: Some(grade.parse().unwrap()), ..Value::default() }
}

fn group(interpretation: Interpretation) -> Value {
    Value { raw: format!("{interpretation:?}"), interpretation: Some(interpretation), ..Value::default() }
}

fn corrected(marker: Marker, before: &Value, after: Value) -> Vec<String> {
    let first = observation(marker, "one", before.clone());
    let mut second = observation(marker, "one", after);
    second.status = ResultStatus::Corrected;
    let ways = [vec![first.clone(), second.clone()], vec![second, first]];
    let [one, other] = ways.map(|both| {
        let evidence = built(both);
        findings_of(&evidence).into_iter().map(str::to_owned).collect::<Vec<_>>()
    });
    assert_eq!(one, other, "in whichever order they come");
    one
}

#[test]
fn alt_above_its_limit_is_not_corrected_away_by_the_analyser_alone() {
    let eases = |before: &str, after: &str| {
        corrected(Marker::Alt, &activity(before, "U/L"), activity(after, "U/L")) == ["correction_eases"]
    };
    let limit = "50";
    assert!(eases("80", "20") && eases(">2000", "20") && eases(">20", "20") && eases("none", "20"));
    assert!(!eases(limit, "20") && !eases("20", "80") && !eases("80", "120"));
    let unit = corrected(Marker::Alt, &activity("1.4", "ukat/L"), activity("20", "U/L"));
    assert_eq!(unit, ["correction_eases"], "nobody knows what the first one was");
}

#[test]
fn another_group_or_reaction_takes_two_people_whichever_way_it_goes() {
    for (marker, before, after) in [
        (Marker::AntiA, grade("4+"), grade("0")),
        (Marker::AntiA, grade("0"), grade("4+")),
        (Marker::AntiD, grade("w"), grade("0")),
        (Marker::A1Cells, grade("0"), grade("mf")),
        (Marker::Abo, group(Interpretation::A), group(Interpretation::O)),
        (Marker::RhD, group(Interpretation::Negative), group(Interpretation::Positive)),
        (
            Marker::Phenotype,
            Value { raw: "ccee".into(), ..Value::default() },
            Value { raw: "CCee".into(), ..Value::default() },
        ),
    ] {
        assert_eq!(corrected(marker, &before, after), ["correction_eases"], "{marker} {before:?}");
    }
    let plusses = Value { raw: "++++".into(), ..grade("4+") };
    assert_eq!(
        corrected(Marker::AntiA, &grade("4+"), plusses),
        [""; 0],
        "the same reaction, written otherwise"
    );
}

//! In which order results of two lines are read: a lesser one answers a graver one only where it was surely tested after it.

use crate::evidence::{at, facts, observation, ratio, settings};
use release::Unit;
use vocabulary::{ConnectionId, LotRole, LotUse, Marker, Observation, Value};

/// What the verdict makes of HBsAg and of ALT; the results in the order in which they come, each of a line and tested at an hour.
fn judged(marker: Marker, results: &[(&str, u8, &str)]) -> (String, Unit) {
    let of = |(_, hour, value): &(&str, u8, &str)| -> Observation {
        let alt = || Value {
            raw: (*value).into(),
            number: value.parse().ok(),
            unit: Some("U/L".into()),
            ..Value::default()
        };
        let value = if marker == Marker::Alt { alt() } else { ratio(value) };
        let lots = vec![LotUse { role: LotRole::Reagent, name: None, lot: "77".into(), expires: None }];
        at(*hour, Observation { lots, instrument: Some("A1".into()), ..observation(marker, "first", value) })
    };
    let mut known = facts(results.iter().map(of).collect());
    for (fact, (line, ..)) in known.observations.iter_mut().zip(results) {
        fact.connection = ConnectionId::new(line).unwrap();
        fact.tested_at = fact.observation.completed_at.as_deref().map(|time| time.parse().unwrap());
    }
    let settings = settings("cn-2019");
    let verdict = release::decide(&workflow::evidence(&known, &settings), &settings.pack);
    let state = verdict.serology().iter().find(|s| s.reagent == "first").map(|s| format!("{:?}", s.state));
    (state.unwrap_or_default(), verdict.marker("ALT").unwrap().unit)
}

#[test]
fn a_repeat_over_another_line_answers_what_it_was_tested_and_came_after() {
    for (what, results, unit) in [
        ("one line, in order", [("line", 9, "60"), ("line", 10, "40")], Unit::Pass),
        ("one line, turned", [("line", 10, "40"), ("line", 9, "60")], Unit::Pass),
        ("one line, raised last", [("line", 10, "60"), ("line", 9, "40")], Unit::Hold),
        ("in order", [("line", 9, "60"), ("line2", 10, "40")], Unit::Pass),
        ("raised last, and came first", [("line", 10, "60"), ("line2", 9, "40")], Unit::Hold),
        ("raised first, and came last", [("line", 10, "40"), ("line2", 9, "60")], Unit::Hold),
        ("raised last", [("line", 9, "40"), ("line2", 10, "60")], Unit::Hold),
        ("at once", [("line", 9, "60"), ("line2", 9, "40")], Unit::Hold),
        ("twice raised", [("line", 10, "60"), ("line2", 9, "70")], Unit::Discard),
    ] {
        assert_eq!(judged(Marker::Alt, &results).1, unit, "{what}");
    }
}

#[test]
fn a_duplicate_round_over_another_line_is_one_that_was_tested_and_came_after() {
    let (r, a, b) = ("1.8", "0.2", "0.3");
    for (what, results, state) in [
        ("in order", [("line", 9, r), ("line2", 10, a), ("line2", 11, b)], "FinalNonReactive"),
        ("the round turned", [("line", 9, r), ("line2", 11, a), ("line2", 10, b)], "FinalNonReactive"),
        ("reactive last, and came first", [("line", 12, r), ("line2", 9, a), ("line2", 10, b)], "Pending"),
        ("of three lines", [("line", 12, r), ("line2", 9, a), ("line3", 10, b)], "Pending"),
        ("reactive first, and came last", [("line", 10, a), ("line", 11, b), ("line2", 9, r)], "Pending"),
        ("one of them came before", [("line", 10, a), ("line2", 9, r), ("line", 11, b)], "Pending"),
        ("one line", [("line", 10, a), ("line", 11, b), ("line", 9, r)], "FinalNonReactive"),
        ("reactive twice", [("line", 10, r), ("line2", 9, r), ("line", 11, b)], "FinalReactive"),
        ("reactive twice, turned", [("line", 11, b), ("line2", 9, r), ("line2", 10, r)], "FinalReactive"),
        ("nothing found", [("line", 11, b), ("line2", 9, a), ("line2", 10, a)], "FinalNonReactive"),
    ] {
        assert_eq!(judged(Marker::HBsAg, &results).0, state, "{what}");
    }
}

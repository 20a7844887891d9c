//! One test that came by two paths: over two lines, or read by two profiles. It is one test (R-SER-04).

use crate::evidence::{at, facts, findings_of, observation, ratio, settings};
use release::evidence::{Qc, Validity};
use vocabulary::{ConnectionId, Interpretation, Marker, Observation, RunId, Value};
use workflow::{DonationFacts, RunFacts};

/// A result with the line and the profile that brought it.
#[derive(Clone)]
struct Sent {
    line: &'static str,
    profile: &'static str,
    run: &'static str,
    observation: Observation,
}

/// What one path tells otherwise, or not.
type Change = fn(&mut Observation);

fn direct(observation: Observation) -> Sent {
    Sent { line: "line", profile: "maker/model", run: "R1", observation }
}

fn by_line(observation: Observation) -> Sent {
    Sent { line: "line2", ..direct(observation) }
}

fn by_profile(observation: Observation) -> Sent {
    Sent { profile: "site/model", ..direct(observation) }
}

fn by_middleware(observation: Observation) -> Sent {
    Sent { line: "mw", profile: "middleware/x", ..direct(observation) }
}

fn in_run(run: &'static str, sent: Sent) -> Sent {
    Sent { run, ..sent }
}

/// What is known of the donation: each inner list is one message.
fn known(messages: &[Vec<Sent>]) -> DonationFacts {
    let all: Vec<(u64, Sent)> = (1..)
        .zip(messages)
        .flat_map(|(at, message)| message.iter().map(move |one| (at, one.clone())))
        .collect();
    let mut known = facts(all.iter().map(|(_, one)| one.observation.clone()).collect());
    known.runs.clear();
    for ((message, sent), fact) in all.into_iter().zip(&mut known.observations) {
        fact.message = message;
        fact.connection = ConnectionId::new(sent.line).unwrap();
        fact.profile.id = sent.profile.into();
        let completed = fact.observation.completed_at.as_deref();
        fact.tested_at = completed.map(|time| time.parse().unwrap());
        fact.observation.run = fact
            .observation
            .run
            .as_ref()
            .and_then(|_| RunId::new(&format!("{}/{}", sent.line, sent.run)).ok());
        let run = fact.observation.run.clone();
        known.runs.extend(run.map(|run| (run, RunFacts::new(Validity::Valid, Qc::InControl))));
    }
    known
}

/// The reagent's state, and what is held against the donation, whichever of the last two messages comes first.
fn judged(messages: &[Vec<Sent>]) -> (String, Vec<String>) {
    let one = state(&known(messages));
    let mut turned = messages.to_vec();
    let last = turned.pop().unwrap();
    turned.insert(messages.len().saturating_sub(2), last);
    assert_eq!(state(&known(&turned)), one, "in whichever order they come");
    one
}

fn state(known: &DonationFacts) -> (String, Vec<String>) {
    let settings = settings("cn-2019");
    let evidence = workflow::evidence(known, &settings);
    let verdict = release::decide(&evidence, &settings.pack);
    let state = verdict.serology().iter().find(|s| s.reagent == "first").unwrap().state;
    (format!("{state:?}"), findings_of(&evidence).into_iter().map(str::to_owned).collect())
}

fn hbsag(hour: u8, value: &str) -> Observation {
    at(hour, observation(Marker::HBsAg, "first", ratio(value)))
}

fn said(interpretation: Interpretation) -> Value {
    Value { raw: format!("{interpretation:?}"), interpretation: Some(interpretation), ..Value::default() }
}

fn well(hour: u8, replicate: &str, od: Option<&str>) -> Observation {
    let value = od.map_or_else(
        || said(Interpretation::Invalid),
        |od| Value {
            raw: od.into(),
            od: Some(od.parse().unwrap()),
            cutoff: Some("0.105".parse().unwrap()),
            ..Value::default()
        },
    );
    Observation { replicate: Some(replicate.into()), ..at(hour, observation(Marker::HBsAg, "first", value)) }
}

#[test]
fn a_duplicate_round_that_is_read_again_by_another_path_has_no_more_wells() {
    let round = |by: fn(Observation) -> Sent| -> Vec<Sent> {
        [well(10, "A2", Some("0.02")), well(10, "A3", None)].map(|one| in_run("R2", by(one))).into()
    };
    let first = || vec![direct(well(9, "A1", Some("0.30")))];
    let once = judged(&[first(), round(direct)]);
    assert_eq!(once, ("Pending".to_owned(), vec![]));
    for by in [by_line, by_profile, by_middleware] {
        assert_eq!(judged(&[first(), round(direct), round(by)]), once);
    }
    let again = |by: fn(Observation) -> Sent| vec![by(hbsag(10, "0.2"))];
    let round = [vec![direct(hbsag(9, "1.8"))], again(direct)];
    let once = judged(&round);
    assert_eq!(once, ("Pending".to_owned(), vec![]));
    for by in [by_line, by_profile, by_middleware] {
        assert_eq!(judged(&[round.to_vec(), vec![again(by)]].concat()), once);
    }
}

#[test]
fn what_one_path_does_not_tell_the_other_does() {
    let first = || vec![direct(hbsag(9, "1.8"))];
    let nr = || hbsag(10, "0.2");
    let told_less: [(&str, Change); 7] = [
        ("instrument", |o| o.instrument = None),
        ("run", |o| o.run = None),
        ("time", |o| o.completed_at = None),
        ("seconds", |o| o.completed_at = Some("2026-03-01T10:00:37Z".into())),
        ("offset", |o| o.completed_at = Some("2026-03-01T18:00:00+08:00".into())),
        ("number", |o| o.value = said(Interpretation::NonReactive)),
        ("all", |o| (o.instrument, o.run, o.completed_at) = (None, None, None)),
    ];
    for (what, less) in told_less {
        let mut other = nr();
        less(&mut other);
        for by in [by_line, by_middleware] {
            let sent = [first(), vec![direct(nr())], vec![by(other.clone())]];
            assert_eq!(judged(&sent), ("Pending".to_owned(), vec![]), "{what}");
        }
    }
    // Nothing that was found is lost by it.
    let mut vague = hbsag(9, "1.8");
    (vague.instrument, vague.completed_at) = (None, None);
    let sent = [first(), vec![by_line(vague)]];
    assert_eq!(judged(&sent), ("InitialReactive".to_owned(), vec![]));
}

#[test]
fn two_paths_that_say_other_things_of_one_test_hold_it() {
    for by in [by_line, by_profile, by_middleware] {
        for (one, other) in [("0.2", "1.8"), ("1.8", "0.2"), ("0.2", "0.3")] {
            let (_, held) = judged(&[vec![direct(hbsag(9, one))], vec![by(hbsag(9, other))]]);
            assert_eq!(held, ["changed_result"], "{one} and {other}");
        }
        let mut word = hbsag(9, "0.2");
        word.value = said(Interpretation::Reactive);
        word.instrument = None;
        let (state, held) = judged(&[vec![direct(hbsag(9, "0.2"))], vec![by(word)]]);
        assert_eq!((state.as_str(), held), ("InitialReactive", vec!["changed_result".to_owned()]));
    }
    let known = known(&[vec![direct(hbsag(9, "0.2"))], vec![by_line(hbsag(9, "1.8"))]]);
    let evidence = workflow::evidence(&known, &settings("cn-2019"));
    assert!(evidence.findings[0].what.contains("hemogate donation settle-result"), "{:?}", evidence.findings);
}

#[test]
fn two_analysers_that_name_a_run_alike_made_two_tests() {
    let first = || vec![direct(hbsag(9, "1.8"))];
    let nr = || hbsag(10, "0.2");
    let other = |change: Change| {
        let mut one = nr();
        change(&mut one);
        vec![by_line(one)]
    };
    let tests = |messages: &[Vec<Sent>]| {
        let evidence = workflow::evidence(&known(messages), &settings("cn-2019"));
        assert_eq!(findings_of(&evidence), [""; 0]);
        evidence.serology.iter().find(|s| s.reagent == "first").unwrap().results.len()
    };
    let cases: [(&str, Change); 3] = [
        ("instrument", |o| o.instrument = Some("i2".into())),
        ("time", |o| o.completed_at = Some("2026-03-01T11:00:00Z".into())),
        ("well", |o| o.replicate = Some("B".into())),
    ];
    for (what, change) in cases {
        let mut here = nr();
        here.replicate = Some("A".into());
        assert_eq!(tests(&[first(), vec![direct(here)], other(change)]), 3, "{what}");
    }
    assert_eq!(tests(&[first(), vec![direct(nr())], vec![in_run("R2", by_line(nr()))]]), 3, "run");
    assert_eq!(tests(&[first(), vec![direct(nr())], vec![by_line(nr())]]), 2);
}

#[test]
fn of_one_test_the_run_whose_controls_came_speaks() {
    let nr = || hbsag(9, "0.2");
    for messages in [[vec![direct(nr())], vec![by_line(nr())]], [vec![by_line(nr())], vec![direct(nr())]]] {
        for (other, expect) in [(Validity::Open, "FinalNonReactive"), (Validity::Invalid, "Invalid")] {
            let mut known = known(&messages);
            let run = RunId::new("line2/R1").unwrap();
            known.runs.insert(run, RunFacts::new(other, Qc::InControl));
            assert_eq!(state(&known), (expect.to_owned(), vec![]), "{other:?}");
        }
    }
}

/// Determinations of a first-time donor that count.
fn independent(messages: &[Vec<Sent>]) -> String {
    let mut known = known(messages);
    known.registration = serde_json::from_value(serde_json::json!({
        "donation": "D1", "collected_at": "2026-03-01T08:00:00Z",
        "donor": { "id": "1", "first_time": true, "deferred": false }
    }))
    .ok();
    let settings = settings("cn-2019");
    let verdict = release::decide(&workflow::evidence(&known, &settings), &settings.pack);
    format!("{:?}", verdict.group().status)
}

fn group(hour: u8, instrument: Option<&str>) -> Vec<Observation> {
    let row = |(marker, grade): (Marker, &str)| {
        let value = Value { raw: grade.into(), grade: Some(grade.parse().unwrap()), ..Value::default() };
        Observation {
            instrument: instrument.map(Into::into),
            ..at(hour, observation(marker, "grouping", value))
        }
    };
    [
        (Marker::AntiA, "4+"),
        (Marker::AntiB, "0"),
        (Marker::A1Cells, "0"),
        (Marker::BCells, "4+"),
        (Marker::GroupControl, "0"),
        (Marker::AntiD, "4+"),
    ]
    .map(row)
    .into()
}

#[test]
fn one_grouping_that_came_by_two_paths_is_no_second_determination() {
    let sent = |by: fn(Observation) -> Sent, rows: Vec<Observation>| -> Vec<Sent> {
        rows.into_iter().map(by).collect()
    };
    for instrument in [None, Some("i1")] {
        for by in [by_line, by_profile, by_middleware] {
            let both = [sent(direct, group(10, instrument)), sent(by, group(10, instrument))];
            assert_eq!(independent(&both), "Pending", "{instrument:?}");
        }
    }
    // Nor where both are kept, as of two tubes.
    let mut known_apart = sent(by_line, group(10, None));
    for one in &mut known_apart {
        one.observation.replicate = Some("2".into());
    }
    let mut first = sent(direct, group(10, None));
    for one in &mut first {
        one.observation.replicate = Some("1".into());
    }
    assert_eq!(independent(&[first, known_apart]), "Pending");
    for (other, what) in [
        (sent(by_line, group(11, None)), "another time"),
        (sent(by_line, group(10, Some("i2"))), "another analyser"),
        (sent(|o| in_run("R2", by_line(o)), group(10, Some("i1"))), "another run"),
    ] {
        assert_eq!(independent(&[sent(direct, group(10, Some("i1"))), other]), "Final", "{what}");
    }
}

//! What fell by a person's word, or with a defective lot, and what answers it.

use crate::evidence::{facts, findings_of, observation, ratio, settings};
use release::evidence::{Qc, Validity};
use release::{Evidence, Moment};
use vocabulary::{Interpretation, Marker, Observation, RunId, Value};
use workflow::{Fall, Fell, RunFacts};

const DECLARED: &str = "2026-03-01T12:00:00Z";

fn in_run(run: &str, hour: u8, o: Observation) -> Observation {
    let completed_at = Some(format!("2026-03-01T{hour:02}:00:00Z"));
    Observation { run: RunId::new(run).ok(), completed_at, ..o }
}

fn fall(of: Fell, confirmed: bool) -> Fall {
    let at_ms = DECLARED.parse::<Moment>().unwrap().at().as_millisecond();
    Fall { of, by: "a".into(), entry: 7, at_ms, confirmed, repeated_in: None }
}

/// Run R1 fell, R2 stands.
fn evidence(observations: Vec<Observation>, falls: Vec<Fall>) -> Evidence {
    let mut known = facts(observations);
    for fact in &mut known.observations {
        fact.tested_at = fact.observation.completed_at.as_deref().map(|time| time.parse().unwrap());
        fact.came_ms = i64::MAX;
    }
    let good = RunFacts::new(Validity::Valid, Qc::InControl);
    let fell = RunFacts { falls, ..RunFacts::new(Validity::Invalid, Qc::OutOfControl) };
    known.runs = [("R1", fell), ("R2", good)].map(|(run, facts)| (RunId::new(run).unwrap(), facts)).into();
    workflow::evidence(&known, &settings("cn-2019"))
}

fn findings(observations: &[Observation], of: &Fell, confirmed: bool) -> Vec<String> {
    let one = evidence(observations.to_vec(), vec![fall(of.clone(), confirmed)]);
    findings_of(&one).into_iter().filter(|name| name.starts_with("fall_")).map(str::to_owned).collect()
}

#[test]
fn of_the_named_repeat_only_what_was_tested_later_than_what_fell_answers_it() {
    let of = Fell::Run(RunId::new("R1").unwrap());
    let repeat = RunId::new("R2").ok();
    let fell = || Fall { repeated_in: repeat.clone(), ..fall(of.clone(), true) };
    let row = |run, hour, found| in_run(run, hour, observation(Marker::HivRna, "one", said(found)));
    let check = |hour: Option<u8>, is_open: bool| {
        let mut clear = row("R2", hour.unwrap_or(10), Interpretation::NonReactive);
        clear.completed_at = clear.completed_at.filter(|_| hour.is_some());
        let one = evidence(vec![row("R1", 9, Interpretation::Reactive), clear], vec![fell()]);
        assert_eq!(findings_of(&one).contains(&"fall_unanswered"), is_open, "{hour:?}");
    };
    check(Some(8), true);
    check(Some(9), true);
    check(Some(10), false);
    check(None, true);
}

fn activity(number: &str) -> Value {
    Value { unit: Some("U/L".into()), ..ratio(number) }
}

fn said(interpretation: Interpretation) -> Value {
    let raw = format!("{interpretation:?}");
    Value { raw, interpretation: Some(interpretation), ..Value::default() }
}

#[test]
fn whatever_was_found_holds_until_it_is_confirmed_and_then_until_it_is_tested_again() {
    use Interpretation::{Negative, NonReactive, Positive, Reactive};
    for (marker, found, nothing) in [
        (Marker::HivRna, said(Reactive), said(NonReactive)),
        (Marker::AntibodyScreen, said(Positive), said(Negative)),
    ] {
        let row = |run, hour, value: &Value| in_run(run, hour, observation(marker, "one", value.clone()));
        let before = [row("R1", 9, &found), row("R2", 10, &nothing)];
        let after = [row("R1", 9, &found), row("R2", 13, &nothing)];
        let clear = [row("R1", 9, &nothing), row("R2", 10, &nothing)];
        for of in [Fell::Run(RunId::new("R1").unwrap()), Fell::Lot("L1".into())] {
            let both = ["fall_unconfirmed", "fall_unanswered"];
            assert_eq!(findings(&before, &of, false), both, "{marker}");
            assert_eq!(findings(&before, &of, true), both[1..], "{marker}");
            assert_eq!(findings(&after, &of, false), both[..1], "{marker}");
            assert_eq!(findings(&after, &of, true), [""; 0], "{marker}");
            assert_eq!(findings(&clear, &of, false), [""; 0], "{marker}");
        }
    }
}

#[test]
fn a_reactive_test_of_all_targets_is_answered_by_one_like_it_or_by_each_target() {
    let row = |run, hour, marker, said_so| in_run(run, hour, observation(marker, "nat", said(said_so)));
    let (reactive, nothing) = (Interpretation::Reactive, Interpretation::NonReactive);
    let of = Fell::Run(RunId::new("R1").unwrap());
    let open = |after: &[Marker]| {
        let later = after.iter().map(|marker| row("R2", 13, *marker, nothing));
        let all: Vec<Observation> = [row("R1", 9, Marker::Nat, reactive)].into_iter().chain(later).collect();
        !findings(&all, &of, true).is_empty()
    };
    assert!(open(&[]) && open(&[Marker::HbvDna, Marker::HivRna]));
    assert!(!open(&[Marker::Nat]) && !open(&[Marker::HbvDna, Marker::HcvRna, Marker::HivRna]));
}

#[test]
fn an_alt_above_its_limit_is_not_gone_with_its_run() {
    let row = |run, hour, number| in_run(run, hour, observation(Marker::Alt, "ALT", activity(number)));
    let of = Fell::Run(RunId::new("R1").unwrap());
    let held = |sent: &[Observation], confirmed| findings(sent, &of, confirmed);
    // Above the limit and above it again: a third one tested before rescues nothing.
    let before = [row("R1", 8, "300"), row("R1", 9, "290"), row("R2", 10, "40")];
    assert_eq!(held(&before, true), ["fall_unanswered"; 2]);
    let [first, second, _] = before;
    assert_eq!(held(&[first, second, row("R2", 13, "40")], true), [""; 0]);
    assert_eq!(held(&[row("R1", 8, "40"), row("R2", 10, "40")], false), [""; 0]);
}

#[test]
fn a_group_that_fell_holds_where_what_stands_is_another() {
    let group = |run, hour, abo| in_run(run, hour, observation(Marker::Abo, "ABO", said(abo)));
    let (a, o) = (Interpretation::A, Interpretation::O);
    let of = Fell::Run(RunId::new("R1").unwrap());
    assert_eq!(findings(&[group("R1", 9, a), group("R2", 13, o)], &of, false), ["fall_unconfirmed"]);
    assert_eq!(findings(&[group("R1", 9, a), group("R2", 13, o)], &of, true), [""; 0]);
    assert_eq!(findings(&[group("R1", 9, a), group("R2", 13, a)], &of, false), [""; 0]);
    assert_eq!(findings(&[group("R1", 9, a)], &of, false), ["fall_unconfirmed"], "nothing stands beside it");
}

#[test]
fn what_fell_with_a_lot_names_the_lot_and_how_it_is_confirmed() {
    let hiv = |run, hour, number| in_run(run, hour, observation(Marker::Hiv, "HIV", ratio(number)));
    let one = evidence(vec![hiv("R1", 9, "9.80")], vec![fall(Fell::Lot("L9".into()), false)]);
    let what = &one.findings.iter().find(|f| f.finding == "fall_unconfirmed").unwrap().what;
    assert!(["lot L9", "9.80", "hemogate lots confirm"].iter().all(|part| what.contains(part)), "{what}");
}

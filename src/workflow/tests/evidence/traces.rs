//! Preliminary results, and those of runs that the analyser does not report.

use crate::evidence::{at, facts, findings_of, observation, ratio, settings};
use release::evidence::Validity;
use vocabulary::{Interpretation, Marker, Observation, ResultStatus, RunId, Value};

/// What stands of HBsAg, with what is held against it; the same in whichever order it comes.
fn judged(results: [(u8, &str, ResultStatus, &str); 2]) -> (Vec<(String, Option<Validity>)>, Vec<String>) {
    let of = |order: [usize; 2]| {
        let all = order.map(|one| results[one]).map(|(hour, run, status, value)| {
            let mut one = at(hour, observation(Marker::HBsAg, "first", ratio(value)));
            (one.status, one.run) = (status, Some(RunId::new(run).unwrap()));
            one
        });
        let mut known = facts(all.to_vec());
        for fact in &mut known.observations {
            fact.tested_at = fact.observation.completed_at.as_deref().map(|at| at.parse().unwrap());
        }
        let evidence = workflow::evidence(&known, &settings("cn-2019"));
        let series = evidence.serology.iter().find(|series| series.reagent == "first").unwrap();
        let used = series.results.iter().map(|one| (one.sco.unwrap().to_string(), one.validity));
        let findings = findings_of(&evidence).into_iter().map(str::to_owned).collect::<Vec<_>>();
        (used.collect::<Vec<_>>(), findings)
    };
    let (one, other) = (of([0, 1]), of([1, 0]));
    assert_eq!(one, other, "{results:?}");
    one
}

#[test]
fn a_result_that_is_not_the_one_to_report_is_a_step_to_the_one_that_is() {
    use ResultStatus::{Final, Other, Preliminary};
    let stands = |value: &str| vec![(value.to_owned(), None)];
    let waits = |value: &str| (value.to_owned(), Some(Validity::Open));
    for (what, first, second, expect, held) in [
        (
            "its final one has a time of its own",
            (10, "R1", Preliminary, "0.30"),
            (11, "R1", Final, "0.31"),
            stands("0.31"),
            false,
        ),
        (
            "another run is reported",
            (10, "R1", Other, "0.30"),
            (11, "R2", Final, "0.31"),
            stands("0.31"),
            false,
        ),
        (
            "another run, the first, is reported",
            (10, "R1", Final, "0.31"),
            (11, "R2", Other, "0.30"),
            stands("0.31"),
            false,
        ),
        (
            "what it had found is not passed over",
            (10, "R1", Preliminary, "9.80"),
            (11, "R1", Final, "0.31"),
            stands("0.31"),
            true,
        ),
        (
            "nor that of a run that is not reported",
            (10, "R1", Final, "0.31"),
            (11, "R2", Other, "9.80"),
            stands("0.31"),
            true,
        ),
        (
            "a preliminary one is on its way",
            (10, "R1", Final, "0.31"),
            (11, "R2", Preliminary, "0.30"),
            vec![waits("0.30"), ("0.31".to_owned(), None)],
            false,
        ),
        (
            "nothing is reported",
            (10, "R1", Other, "0.30"),
            (11, "R1", Preliminary, "0.30"),
            vec![waits("0.30"), waits("0.30")],
            false,
        ),
    ] {
        let (mut used, findings) = judged([first, second]);
        used.sort_by(|a, b| a.0.cmp(&b.0));
        let mut expect = expect;
        expect.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(
            (used, findings.iter().any(|one| one == "correction_eases")),
            (expect, held),
            "{what}: {findings:?}"
        );
    }
}

fn hbsag(hour: u8, value: Value, status: ResultStatus, run: &str) -> Observation {
    let one = at(hour, observation(Marker::HBsAg, "first", value));
    Observation { status, run: RunId::new(run).ok(), ..one }
}

/// How many results count, and what is held, in whichever order they come.
fn counted(results: &[Observation]) -> (usize, Vec<String>) {
    let of = |results: Vec<Observation>| {
        let mut known = facts(results);
        for fact in &mut known.observations {
            fact.tested_at = fact.observation.completed_at.as_deref().map(|at| at.parse().unwrap());
        }
        let evidence = workflow::evidence(&known, &settings("cn-2019"));
        let counted = evidence.serology.iter().find(|series| series.reagent == "first");
        let findings = findings_of(&evidence).into_iter().map(str::to_owned).collect::<Vec<_>>();
        let of_groups: usize = evidence.grouping.len();
        (counted.map_or(of_groups, |series| series.results.len()), findings)
    };
    let one = of(results.to_vec());
    let mut turned = results.to_vec();
    for _ in results {
        turned.rotate_left(1);
        assert_eq!(of(turned.clone()), one, "in whichever order they come");
    }
    one
}

#[test]
fn what_is_not_final_leaves_the_trace_that_a_corrected_result_does() {
    let said =
        |i: Interpretation| Value { raw: format!("{i:?}"), interpretation: Some(i), ..Value::default() };
    let held = || vec!["correction_eases".to_owned()];
    for (first, then, findings) in [
        (Interpretation::GreyZone, Interpretation::NonReactive, held()),
        (Interpretation::Indeterminate, Interpretation::NonReactive, held()),
        (Interpretation::Reactive, Interpretation::GreyZone, held()),
        (Interpretation::GreyZone, Interpretation::GreyZone, vec![]),
        (Interpretation::GreyZone, Interpretation::Reactive, vec![]),
        // Who found nothing has nothing taken away: it is done again every day.
        (Interpretation::Invalid, Interpretation::NonReactive, vec![]),
    ] {
        for (status, run) in [(ResultStatus::Preliminary, "R1"), (ResultStatus::Other, "R2")] {
            let sent = [hbsag(9, said(first), status, run), hbsag(10, said(then), ResultStatus::Final, "R1")];
            assert_eq!(counted(&sent), (1, findings.clone()), "{status:?} {first:?}, then {then:?}");
        }
    }
    let column = |hour, grade: &str, status| {
        let value = Value { raw: grade.into(), grade: Some(grade.parse().unwrap()), ..Value::default() };
        Observation { status, ..at(hour, observation(Marker::AntiA, "grouping", value)) }
    };
    for (first, then, findings) in [("4+", "0", held()), ("0", "4+", held()), ("4+", "4+", vec![])] {
        let sent = [column(9, first, ResultStatus::Preliminary), column(10, then, ResultStatus::Final)];
        assert_eq!(counted(&sent).1, findings, "{first}, then {then}");
    }
}

#[test]
fn corrections_of_runs_that_are_not_reported_are_no_duplicate_round() {
    use ResultStatus::{Corrected, Final, Other};
    let sent = [
        hbsag(9, ratio("1.8"), Final, "R1"),
        hbsag(10, ratio("0.2"), Other, "R2"),
        hbsag(11, ratio("0.2"), Corrected, "R2"),
        hbsag(12, ratio("0.2"), Other, "R3"),
        hbsag(13, ratio("0.2"), Corrected, "R3"),
    ];
    assert_eq!(counted(&sent), (1, vec!["correction_eases".to_owned()]));
}

//! Preliminary results, and those of runs that the analyser does not report.

use crate::evidence::{at, facts, findings_of, observation, ratio, settings};
use release::evidence::Validity;
use vocabulary::{Marker, ResultStatus, RunId};

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

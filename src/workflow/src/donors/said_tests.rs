//! What a confirmatory laboratory says one time after another, and of whom: which tasks for the donor that leaves to be done.

use super::task_tests::{given_by, listed_tasks, open, said};
use super::tests::{reactive, verdict};
use super::*;
use crate::batches::tests::Station;
use ledger::{DonorTask, TaskOutcome};
use vocabulary::Role;

fn closes(station: &Station, who: &Actor, (task, outcome): (DonorTask, TaskOutcome)) {
    let reason = "as the register says".to_owned();
    let closing = Closing { donation: "G1".into(), task, marker: None, outcome, reason };
    close_task(&station.settings, &station.ledger, who, &closing).unwrap();
}

fn says(station: &Station, who: &Actor, outcome: &str) -> Seq {
    let test = said("HIV", outcome);
    confirm(&station.settings, &station.ledger, who, "G1", (&test, "report 17")).unwrap()
}

/// The verdict on G1, reactive for HIV, that knows what was said so far.
fn decided(station: &Station, outcomes: &[&str]) {
    verdict(station, "G1", |case| {
        reactive(case, "HIV");
        let said = |outcome: &&str| serde_json::json!({ "marker": "HIV", "outcome": outcome });
        case["confirmatory"] = outcomes.iter().map(said).collect();
    });
}

/// A station where G1 is reactive for HIV, and its donor deferred for good.
fn found() -> (Station, Actor) {
    let station = Station::new();
    let reference = station.person("ref", Role::ReferenceLaboratory);
    let line =
        Deferral { permanent: true, until: None, since: None, donation: None, reason: "reactive".into() };
    defer(&station.settings, &station.ledger, &reference, "D", &line).unwrap();
    decided(&station, &[]);
    assert_eq!(open(&station), ["G1 confirm HIV", "G1 report HIV"]);
    (station, reference)
}

#[test]
fn a_report_that_was_answered_before_it_was_confirmed_is_asked_for_again_by_the_confirmation() {
    for outcome in [TaskOutcome::NotDone, TaskOutcome::Done] {
        let (station, reference) = found();
        closes(&station, &reference, (DonorTask::Report, outcome));
        assert_eq!(open(&station), ["G1 confirm HIV"], "{outcome:?}");
        says(&station, &reference, "CONF_IND");
        assert_eq!(open(&station), [""; 0], "{outcome:?}: that says nothing new of the report");
        let confirmed = says(&station, &reference, "CONF_POS");
        assert_eq!(open(&station), ["G1 report HIV"], "{outcome:?}");
        assert_eq!(listed_tasks(&station)[0].id, confirmed, "it is open since then");
        decided(&station, &["CONF_IND", "CONF_POS"]);
        assert_eq!(open(&station), ["G1 report HIV"], "{outcome:?}, and so says the verdict");
        // Once more by another method: what was reported as confirmed is not reported again, what was not is.
        closes(&station, &reference, (DonorTask::Report, outcome));
        says(&station, &reference, "CONF_POS");
        let again: &[&str] = if outcome == TaskOutcome::Done { &[] } else { &["G1 report HIV"] };
        assert_eq!(open(&station), again, "{outcome:?}");
    }
}

/// What was said, one after another, and what is to be done then; before the next verdict, and by it.
const SAID: &[(&[&str], &[&str])] = &[
    (&["CONF_POS"], &["G1 report HIV"]),
    (&["CONF_NEG"], &[]),
    (&["CONF_IND"], &["G1 report HIV"]),
    (&["NOT_DONE"], &["G1 confirm HIV", "G1 report HIV"]),
    (&["NOT_DONE", "CONF_NEG"], &[]),
    (&["CONF_NEG", "NOT_DONE"], &["G1 confirm HIV", "G1 report HIV"]),
    (&["CONF_NEG", "CONF_IND"], &["G1 confirm HIV", "G1 report HIV"]),
    (&["CONF_NEG", "CONF_IND", "CONF_NEG"], &[]),
    (&["CONF_IND", "NOT_DONE"], &["G1 confirm HIV", "G1 report HIV"]),
    (&["CONF_IND", "CONF_NEG"], &[]),
    (&["CONF_POS", "CONF_NEG"], &["G1 report HIV"]),
    (&["CONF_NEG", "CONF_POS", "NOT_DONE"], &["G1 report HIV"]),
];

#[test]
fn what_stands_of_all_that_was_said_of_a_marker_decides_and_not_what_was_said_last() {
    for (outcomes, expect) in SAID {
        for (decides, after) in [(true, false), (false, false), (false, true)] {
            let (station, reference) = found();
            for n in 0..outcomes.len() {
                says(&station, &reference, outcomes[n]);
                if decides {
                    decided(&station, &outcomes[..=n]);
                }
            }
            if after {
                decided(&station, outcomes);
            }
            assert_eq!(open(&station), *expect, "{outcomes:?}, decided each time: {decides}, after: {after}");
        }
        // Said before there was a verdict.
        let station = Station::new();
        let reference = station.person("ref", Role::ReferenceLaboratory);
        for outcome in *outcomes {
            says(&station, &reference, outcome);
        }
        decided(&station, outcomes);
        let listed: Vec<String> = open(&station).into_iter().filter(|one| !one.contains("defer")).collect();
        assert_eq!(listed, *expect, "{outcomes:?}, before the verdict");
    }
}

#[test]
fn a_person_who_closed_a_confirmation_is_not_asked_again_by_a_laboratory_that_did_nothing() {
    let (station, reference) = found();
    closes(&station, &reference, (DonorTask::Confirmation, TaskOutcome::NotDone));
    says(&station, &reference, "NOT_DONE");
    decided(&station, &["NOT_DONE"]);
    assert_eq!(open(&station), ["G1 report HIV"]);
    // What it said after all is the answer, and asks again when it is taken back.
    says(&station, &reference, "CONF_NEG");
    assert_eq!(open(&station), [""; 0]);
    says(&station, &reference, "NOT_DONE");
    assert_eq!(open(&station), ["G1 confirm HIV", "G1 report HIV"]);
}

#[test]
fn what_is_not_kept_for_there_is_too_much_of_it_answers_nothing() {
    let (station, _) = found();
    let told = |outcome: &str| {
        let (donation, test) = (DonationId::new("G1").unwrap(), said("HIV", outcome));
        Draft::by_system(What::Donor(DonorAct::Confirmed { donation, test, report: "17".into() }))
    };
    let mut drafts: Vec<Draft> = (0..500).map(|_| told("NOT_DONE")).collect();
    drafts.push(told("CONF_NEG"));
    let last = station.ledger.append(drafts).unwrap().wait().unwrap().last();
    station.ledger.wait_applied(last).wait().unwrap();
    assert_eq!(open(&station), ["G1 confirm HIV", "G1 report HIV"]);
}

#[test]
fn what_was_reported_and_confirmed_of_one_donor_is_asked_for_again_when_the_donation_is_another_ones() {
    use DonorTask::{Confirmation, Report};
    let all = ["G1 confirm HIV", "G1 report HIV"];
    let listed = |station: &Station| -> Vec<String> {
        open(station).into_iter().filter(|one| !one.contains("defer")).collect()
    };
    for (answered, outcomes) in
        [("by the laboratory", &["CONF_POS"][..]), ("not confirmed", &["CONF_NEG"]), ("by a person", &[])]
    {
        let (station, reference) = found();
        given_by(&station, "G1", "D7");
        decided(&station, &[]);
        if outcomes.is_empty() {
            closes(&station, &reference, (Confirmation, TaskOutcome::NotDone));
        } else {
            says(&station, &reference, outcomes[0]);
        }
        decided(&station, outcomes);
        if outcomes != ["CONF_NEG"] {
            closes(&station, &reference, (Report, TaskOutcome::Done));
        }
        assert_eq!(listed(&station), [""; 0], "{answered}");
        given_by(&station, "G1", "D7");
        decided(&station, outcomes);
        assert_eq!(listed(&station), [""; 0], "{answered}: the same donor");
        given_by(&station, "G1", "D8");
        assert_eq!(listed(&station), all, "{answered}");
        assert!(listed_tasks(&station).iter().all(|task| task.donor.as_deref() == Some("D8")));
        decided(&station, outcomes);
        assert_eq!(listed(&station), all, "{answered}, and by the next verdict");
        says(&station, &reference, "NOT_DONE");
        assert_eq!(listed(&station), all, "{answered}: nothing was said of D8 yet");
        says(&station, &reference, "CONF_POS");
        decided(&station, &["CONF_POS"]);
        assert_eq!(listed(&station), ["G1 report HIV"], "{answered}");
        closes(&station, &reference, (Report, TaskOutcome::Done));
        assert_eq!(listed(&station), [""; 0], "{answered}");
    }
}

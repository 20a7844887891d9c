//! Donors on a real ledger: what people write down is evidence, and a later negative takes nothing back.

use super::*;
use crate::batches::tests::{Station, registered};
use crate::people;
use crate::tasks::{self, TaskKind};
use jiff::Timestamp;
use ledger::{LookbackId, LookbackStep, VerdictMade};
use release::evidence::{Call, EarlierCall, EarlierDonation, ReentryTest, Register, RegisterState};
use release::{RulePack, decide, explain, read_case};
use vocabulary::Role;

const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

/// When all of it is written down.
pub(super) fn now() -> Timestamp {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

fn works(station: &Station) {
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
}

/// A verdict on a donation of these stations, of evidence with `change` made to it.
pub(super) fn verdict(station: &Station, donation: &str, change: impl FnOnce(&mut serde_json::Value)) -> Seq {
    let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
    case["donation"] = donation.into();
    change(&mut case);
    let verdict = explain(&read_case(&case.to_string()).unwrap(), &station.settings.pack);
    station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()))
}

/// Why the donor keeps a donation.
pub(super) fn gate_11(station: &Station, donation: &str) -> String {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let verdict = decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Donor).unwrap();
    if gate.is_satisfied() { String::new() } else { gate.why.to_string() }
}

#[test]
fn a_deferral_bars_every_donation_until_a_releaser_names_what_it_is_lifted_for() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    works(&station);
    assert_eq!(gate_11(&station, "G1"), "");
    let for_a_time =
        Deferral { permanent: false, until: None, since: None, donation: None, reason: "tattoo".into() };
    assert_eq!(
        defer(&station.settings, &station.ledger, &releaser, "D", &for_a_time),
        Err(Refused::Person(people::Refused::NotPermitted { act: Act::DeferDonor }))
    );
    let entry = defer(&station.settings, &station.ledger, &reviewer, "D", &for_a_time).unwrap();
    assert!(
        station.ledger.state().counters().unwrap().to_decide >= 3,
        "each donation of the donor is judged anew"
    );
    for donation in ["G1", "G2", "G3"] {
        assert!(gate_11(&station, donation).contains("tattoo"), "{}", gate_11(&station, donation));
    }
    let lift = |who: &Actor, on: &[Seq]| reinstate(&station.ledger, who, "D", (on, "a year has passed"));
    assert!(matches!(lift(&reviewer, &[entry]), Err(Refused::Person(_))));
    assert_eq!(lift(&releaser, &[]), Err(Refused::NoEvidence));
    assert_eq!(lift(&releaser, &[Seq::new(999_999)]), Err(Refused::NoEvidence));
    lift(&releaser, &[entry]).unwrap();
    assert_eq!(gate_11(&station, "G1"), "");
    assert_eq!(lift(&releaser, &[entry]), Err(Refused::NotDeferred));
    let for_good = Deferral { permanent: true, ..for_a_time.clone() };
    defer(&station.settings, &station.ledger, &reviewer, "D", &for_good).unwrap();
    assert_eq!(lift(&releaser, &[entry]), Err(Refused::ForGood));
    assert_eq!(defer(&station.settings, &station.ledger, &reviewer, "D", &for_a_time), Err(Refused::ForGood));
}

#[test]
fn an_earlier_barring_result_is_never_overridden_by_a_later_negative() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let earlier: EarlierDonation = serde_json::from_str(
        r#"{"donation":"OLD1","collected_at":"2025-01-01T08:00:00Z","results":[{"marker":"HCV","result":"reactive"}]}"#,
    )
    .unwrap();
    record_earlier(&station.ledger, &technician, "D", (&earlier, "the paper register"), now()).unwrap();
    assert!(gate_11(&station, "G1").contains("OLD1"), "{}", gate_11(&station, "G1"));
    // G1 is negative for everything; G2 comes after it, and still stands behind what came before.
    verdict(&station, "G1", |_| ());
    works(&station);
    assert!(gate_11(&station, "G2").contains("OLD1"), "{}", gate_11(&station, "G2"));
    // The ledger's own donations count without anybody writing them down.
    let other = Station::new();
    works(&other);
    assert_eq!(gate_11(&other, "G2"), "");
    verdict(&other, "G1", |case| {
        case["serology"].as_array_mut().unwrap().iter_mut().for_each(|series| {
            if series["marker"] == "anti-HCV" {
                series["results"] = serde_json::json!([
                    { "kind": "initial", "sco": "5.0", "run": series["results"][0]["run"] },
                    { "kind": "duplicate", "sco": "5.1", "run": series["results"][0]["run"] },
                    { "kind": "duplicate", "sco": "5.2", "run": series["results"][0]["run"] }
                ]);
            }
        });
    });
    assert!(other.ledger.state().counters().unwrap().to_decide >= 2, "the later ones are judged anew");
    assert!(gate_11(&other, "G2").contains("G1"), "{}", gate_11(&other, "G2"));
    assert_eq!(gate_11(&other, "G1"), "", "what came later says nothing of what came before");
}

#[test]
fn a_confirmed_positive_raises_look_backs_with_their_last_days_for_earlier_donations() {
    let mut station = Station::new();
    let reference = station.person("ref", Role::ReferenceLaboratory);
    let qc = station.person("qc", Role::QcOfficer);
    verdict(&station, "G1", |_| ());
    station.settings.pack = RulePack::built_in("us-fda").unwrap();
    works(&station);
    // What stands of G1 was made by the station as it is; what it gave must be negative again.
    station.settings.pack = RulePack::built_in("cn-2019").unwrap();
    verdict(&station, "G1", |_| ());
    station.settings.pack = RulePack::built_in("us-fda").unwrap();
    let test: Confirmatory = serde_json::from_str(
        r#"{"marker":"HIV","method":"WB","outcome":"CONF_POS","at":"2026-03-10T10:00:00Z"}"#,
    )
    .unwrap();
    let record = |donation: &str| {
        confirm(&station.settings, &station.ledger, &reference, donation, (&test, "report 17"))
    };
    assert!(matches!(record("G999"), Err(Refused::NoSuchDonation(_))));
    record("G2").unwrap();
    works(&station);
    let open = |at: &str| {
        let now: Timestamp = at.parse().unwrap();
        let mut tasks = tasks::open(&station.settings, &station.ledger.state(), now).unwrap().items;
        tasks.retain(|task| task.kind == TaskKind::Lookback);
        tasks
    };
    let tasks = open("2026-03-12T00:00:00Z");
    assert_eq!(tasks.len(), 1, "{tasks:#?}");
    let task = &tasks[0];
    let about = (
        task.donation.as_ref().unwrap().as_str(),
        task.trigger.as_ref().unwrap().as_str(),
        task.marker.as_deref(),
    );
    assert_eq!(about, ("G1", "G2", Some("HIV")));
    assert_eq!(task.due.map(|due| due.to_string()).as_deref(), Some("2026-03-13"), "three calendar days");
    assert!(!task.overdue && open("2026-03-14T00:00:00Z")[0].overdue);

    let id = LookbackId {
        trigger: DonationId::new("G2").unwrap(),
        marker: "HIV".into(),
        earlier: DonationId::new("G1").unwrap(),
    };
    let done = |who: &Actor, step| look_back(&station.ledger, who, &id, (step, "done"));
    assert!(matches!(done(&reference, LookbackStep::Quarantined), Err(Refused::Person(_))));
    done(&qc, LookbackStep::Quarantined).unwrap();
    let nothing = Err(Refused::Lookback(LookbackRefused::NoSuch));
    assert_eq!(done(&qc, LookbackStep::Quarantined), nothing, "once");
    assert_eq!(open("2026-03-12T00:00:00Z")[0].due.map(|due| due.to_string()).as_deref(), Some("2026-04-24"));
    // The same finding once more raises nothing again.
    record("G2").unwrap();
    works(&station);
    assert_eq!(open("2026-03-12T00:00:00Z").len(), 1);
    done(&qc, LookbackStep::Closed).unwrap();
    assert!(open("2026-03-12T00:00:00Z").is_empty());
    assert_eq!(station.ledger.state().counters().unwrap().lookbacks_open, 0);
}

#[test]
fn a_donor_comes_back_by_an_examination_that_the_pack_finds_whole_and_a_releaser_approves() {
    let station = Station::new();
    let (reference, releaser) =
        (station.person("ref", Role::ReferenceLaboratory), station.person("rel", Role::Releaser));
    let earlier: EarlierDonation =
        serde_json::from_str(
            r#"{"donation":"OLD1","collected_at":"2026-02-20T08:00:00Z","results":[{"marker":"HCV","result":"reactive"}]}"#,
        )
        .unwrap();
    record_earlier(&station.ledger, &reference, "D", (&earlier, "archive"), now()).unwrap();
    station.write(registered("G5", "2026-10-20T08:00:00Z"));
    let test = |id: &str, kind: &str, reagent: &str| -> ReentryTest {
        let json = serde_json::json!({ "id": id, "kind": kind, "reagent": reagent,
            "result": "non_reactive", "collected_on": "2026-10-01" });
        serde_json::from_value(json).unwrap()
    };
    let record =
        |test: &ReentryTest| record_test(&station.settings, &station.ledger, &reference, "D", (test, now()));
    assert_eq!(record(&test("T1", "serology", "A")), Err(Refused::NotExamined));
    let asked = Examination {
        marker: "HCV".into(),
        deferred_on: "2026-03-01".parse().unwrap(),
        nat_then: Call::NonReactive,
        reason: "asks to come back".into(),
    };
    examine(&station.settings, &station.ledger, &reference, "D", (&asked, now())).unwrap();
    assert_ne!(gate_11(&station, "G1"), "", "who is being examined does not give");
    let tests =
        [("T1", "serology", "A"), ("T2", "serology", "B"), ("T3", "nat", ""), ("T4", "confirmatory", "")];
    let agree = |who: &Actor, on: &[&str]| {
        let on: Vec<String> = on.iter().map(|id| (*id).to_owned()).collect();
        let asked = Approval { on, deferrals: vec![], reason: "all negative".into() };
        approve(&station.settings, &station.ledger, who, "D", &asked)
    };
    record(&test("T1", "serology", "A")).unwrap();
    assert_eq!(record(&test("T1", "serology", "A")), Err(Refused::TestKnown { id: "T1".into() }));
    assert!(matches!(agree(&releaser, &["T1"]), Err(Refused::Reentry { .. })));
    let both = station.person_with("both", &[Role::ReferenceLaboratory, Role::Releaser]);
    for (id, kind, reagent) in &tests[1..] {
        record_test(&station.settings, &station.ledger, &both, "D", (&test(id, kind, reagent), now()))
            .unwrap();
    }
    let all = ["T1", "T2", "T3", "T4"];
    assert!(matches!(agree(&reference, &all), Err(Refused::Person(_))));
    assert!(matches!(agree(&releaser, &all[..3]), Err(Refused::Reentry { .. })), "every test is named");
    assert_eq!(agree(&both, &all), Err(Refused::OwnExamination));
    assert_ne!(gate_11(&station, "G5"), "");
    agree(&releaser, &all).unwrap();
    assert_eq!(gate_11(&station, "G5"), "", "for this marker the earlier result bars no more");
    assert!(gate_11(&station, "G1").contains("OLD1"), "what was given before the examination stays");
    assert_eq!(agree(&releaser, &all), Err(Refused::NotExamined));
    examine(&station.settings, &station.ledger, &reference, "D", (&examination("HIV"), now())).unwrap();
    for (id, kind, reagent) in &tests {
        record(&test(id, kind, reagent)).unwrap();
    }
    agree(&releaser, &all).unwrap();
    assert_eq!(gate_11(&station, "G5"), "", "an examination for another marker does not undo the first");
}

pub(super) fn examination(marker: &str) -> Examination {
    Examination {
        marker: marker.into(),
        deferred_on: "2026-03-01".parse().unwrap(),
        nat_then: Call::NonReactive,
        reason: "asks to come back".into(),
    }
}

/// A tattoo in June says nothing of the blood given in May: it is neither held nor called back. Who is deferred already stays
/// deferred for what that was for, whatever is said next.
#[test]
fn a_deferral_speaks_of_donations_from_its_first_day_on() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    station.write(registered("MAY", "2026-05-02T08:10:00Z"));
    station.write(registered("JUNE", "2026-06-10T08:10:00Z"));
    station.write(registered("JULY", "2026-07-20T08:10:00Z"));
    works(&station);
    let held = || ["MAY", "JUNE", "JULY"].map(|donation| !gate_11(&station, donation).is_empty());
    let since = |day: Option<&str>| {
        let since = day.map(|day| day.parse().unwrap());
        let line = Deferral { permanent: false, until: None, since, donation: None, reason: "tattoo".into() };
        defer(&station.settings, &station.ledger, &reviewer, "D", &line).unwrap()
    };
    let entry = since(Some("2026-06-10"));
    assert_eq!(held(), [false, true, true], "of its first day, and after");
    since(Some("2026-07-01"));
    assert_eq!(held(), [false, true, true], "a second one takes nothing back");
    examine(&station.settings, &station.ledger, &reviewer, "D", (&examination("HCV"), now())).unwrap();
    assert_eq!(held(), [false, true, true], "nor does an examination");
    let of_all = since(None);
    assert_eq!(held(), [true; 3]);
    let again = since(Some("2026-06-10"));
    assert_eq!(held(), [true; 3]);
    let lift = |on: &[Seq]| reinstate(&station.ledger, &releaser, "D", (on, "a year has passed")).unwrap();
    lift(&[of_all]);
    assert_eq!(held(), [false, true, true], "what was lifted is over, and nothing else");
    lift(&[entry, again]);
    assert_eq!(held(), [false, true, true], "who is examined stays deferred for what was");
}

#[test]
fn who_is_deferred_for_good_is_not_examined_and_no_approval_that_was_under_way_changes_it() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    let state = || station.ledger.state().donor("D").unwrap().register.unwrap().state;
    let for_good =
        Deferral { permanent: true, until: None, since: None, donation: None, reason: "HIV".into() };
    examine(&station.settings, &station.ledger, &reviewer, "D", (&examination("HCV"), now())).unwrap();
    let case = station.ledger.state().donor("D").unwrap().reentry.unwrap();
    defer(&station.settings, &station.ledger, &reviewer, "D", &for_good).unwrap();
    let none = Approval { on: vec![], deferrals: vec![], reason: "x".into() };
    assert_eq!(approve(&station.settings, &station.ledger, &releaser, "D", &none), Err(Refused::ForGood));
    assert_eq!(
        examine(&station.settings, &station.ledger, &reviewer, "D", (&examination("HCV"), now())),
        Err(Refused::ForGood)
    );
    // Entries that were written by somebody who saw the register as it had been.
    let eligible = Register { state: RegisterState::Eligible, reason: None, until: None, since: None };
    for act in [
        DonorAct::ReentryApproved { donor: "D".into(), case, takes_back: vec![] },
        DonorAct::Registered { donor: "D".into(), register: eligible, on: vec![], donation: None },
        DonorAct::ReentryBegun {
            donor: "D".into(),
            marker: "HCV".into(),
            deferred_on: "2026-03-01".parse().unwrap(),
            nat_then: Call::NonReactive,
            reason: "x".into(),
        },
    ] {
        assert_eq!(register(&station.ledger, &releaser, "D", act), Err(Refused::Lapsed));
        assert_eq!(state(), RegisterState::PermDeferred);
    }
}

pub(super) fn reactive(case: &mut serde_json::Value, marker: &str) {
    for series in case["serology"].as_array_mut().unwrap().iter_mut().filter(|s| s["marker"] == marker) {
        let run = series["results"][0]["run"].clone();
        let result = |kind: &str| serde_json::json!({ "kind": kind, "sco": "5.0", "run": run });
        series["results"] = serde_json::json!([result("initial"), result("duplicate"), result("duplicate")]);
    }
}

pub(super) fn nat_found(case: &mut serde_json::Value, target: &str) {
    case["nat"][0]["result"] = "reactive".into();
    case["nat"][0]["targets"] = serde_json::json!([target]);
}

#[test]
fn only_who_was_reactive_by_serology_alone_is_examined_for_re_entry() {
    for (what, nat, refused) in [("serology alone", false, false), ("nucleic acid too", true, true)] {
        let station = Station::new();
        let reviewer = station.person("rev", Role::Reviewer);
        verdict(&station, "G1", |case| {
            reactive(case, "anti-HCV");
            if nat {
                nat_found(case, "HCV");
            }
        });
        let begun = examine(&station.settings, &station.ledger, &reviewer, "D", (&examination("HCV"), now()));
        let beyond =
            Refused::BeyondReentry { donation: DonationId::new("G1").unwrap(), marker: "HCV".into() };
        assert_eq!(begun.err(), refused.then_some(beyond), "{what}");
        assert!(
            examine(&station.settings, &station.ledger, &reviewer, "D", (&examination("HIV"), now())).is_ok(),
            "{what}"
        );
        let donation = DonationId::new("G2").unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let of_marker = |m: &str| {
            let mut all = facts.donor.earlier.iter().flat_map(|one| &one.results);
            all.find(|result| result.marker == m).map(|result| (result.result, result.beyond_reentry))
        };
        assert_eq!(of_marker("HCV"), Some((EarlierCall::Reactive, refused)), "{what}");
        assert_eq!(of_marker("HIV"), Some((EarlierCall::NonReactive, false)), "{what}");
    }
}

#[test]
fn an_infection_found_later_holds_what_was_given_before_it_and_is_not_out() {
    let station = Station::new();
    verdict(&station, "G1", |_| ());
    works(&station);
    let found = |is_found: bool| {
        verdict(&station, "G2", |case| {
            case["donor"]["earlier"] = serde_json::json!([{ "donation": "G1",
                "collected_at": "2026-03-01T08:00:00Z", "results": [{ "marker": "HIV", "result": "non_reactive" }] }]);
            if is_found {
                nat_found(case, "HIV");
            }
        })
    };
    let waits = || {
        let items = station.ledger.state().to_decide(&ledger::Page::first(99)).unwrap().items;
        items.iter().any(|item| item.donation.as_str() == "G1")
    };
    assert!(!waits());
    found(true);
    assert!(waits(), "it is judged anew");
    assert!(gate_11(&station, "G1").contains("G2"), "{}", gate_11(&station, "G1"));
    works(&station);
    // It was a mistake after all.
    found(false);
    assert!(waits());
    assert_eq!(gate_11(&station, "G1"), "");
}

#[test]
fn a_unit_that_went_out_of_an_unexplained_pool_counts_as_non_reactive_for_a_look_back() {
    let station = Station::new();
    let pack =
        RulePack::from_toml("id = \"p\"\nbased_on = \"cn-2019\"\n[nat]\nmp_unresolved = \"RELEASE\"\n");
    let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
    case["donation"] = "G1".into();
    let run = case["nat"][0]["run"].clone();
    case["nat"] = serde_json::json!([
        { "kind": "pool", "result": "reactive", "internal_control": "valid", "members": ["G1", "M2"], "run": run },
        { "kind": "individual", "result": "non_reactive", "internal_control": "valid", "run": run }
    ]);
    case["pool_members"] = serde_json::json!([{ "donation": "M2", "result": "non_reactive" }]);
    let verdict = explain(&read_case(&case.to_string()).unwrap(), &pack.unwrap());
    station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()));
    let donation = DonationId::new("G2").unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let hbv = facts.donor.earlier[0].results.iter().find(|result| result.marker == "HBV");
    assert_eq!(hbv.map(|result| result.result), Some(EarlierCall::NonReactive));
}

#[test]
fn a_donation_is_held_for_its_neighbour_until_it_is_grouped_again() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let reviewer = station.person("rev", Role::Reviewer);
    station.write(registered("G4", "2026-03-01T08:10:00Z"));
    let hold = |of: &str, beside: &str| {
        suspect(&station.settings, &station.ledger, &technician, (of, beside), "the group is another")
    };
    assert_eq!(hold("G4", "G4"), Err(Refused::Itself));
    hold("G4", "G1").unwrap();
    let neighbours = || {
        let facts =
            crate::facts_of(&station.settings, &station.ledger.state(), &DonationId::new("G4").unwrap());
        crate::evidence(&facts.unwrap(), &station.settings).neighbours
    };
    assert_eq!((neighbours().len(), neighbours()[0].settled), (1, false));
    let free = |who: &Actor, beside: &str| {
        settle(&station.settings, &station.ledger, who, ("G4", beside), "segment grouped, agrees")
    };
    assert!(matches!(free(&technician, "G1"), Err(Refused::Person(_))));
    assert!(matches!(free(&reviewer, "G2"), Err(Refused::NotSuspected(_))));
    free(&reviewer, "G1").unwrap();
    assert!(neighbours()[0].settled);
    assert!(matches!(free(&reviewer, "G1"), Err(Refused::NotSuspected(_))));
    // A verdict's suspicion that nothing takes back, since the other donation never comes to a group of its own.
    let (donation, neighbours_of) = (DonationId::new("G2").unwrap(), vec![DonationId::new("G4").unwrap()]);
    station.write(What::WrongTubeSuspected { donation, neighbours: neighbours_of, stands: true });
    assert_eq!(neighbours().iter().filter(|n| !n.settled).count(), 1);
    assert!(matches!(free(&technician, "G2"), Err(Refused::Person(_))));
    free(&reviewer, "G2").unwrap();
    assert_eq!(neighbours().iter().map(|n| n.settled).collect::<Vec<_>>(), [true, true]);
    assert!(matches!(free(&reviewer, "G2"), Err(Refused::NotSuspected(_))));
}

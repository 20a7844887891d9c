//! What verdicts ask to be done for donors: raised, answered by what people record, closed by their word, and asked again.

use super::tests::{nat_found, now, reactive, verdict};
use super::*;
use crate::batches::tests::{Station, registered};
use crate::people;
use crate::tasks::{self, Task, TaskKind};
use jiff::{Timestamp, civil::Date};
use ledger::{DonorTask, Page, TaskOutcome};
use release::evidence::{Call, Register, RegisterState};
use serde_json::Value;
use vocabulary::{DonationRegistration, Role};

const EVERY: [TaskKind; 3] = [TaskKind::DonorDeferral, TaskKind::DonorConfirmation, TaskKind::DonorReport];

pub(super) fn listed_tasks(station: &Station) -> Vec<Task> {
    let mut open = tasks::open(&station.settings, &station.ledger.state(), Timestamp::now()).unwrap().items;
    open.retain(|task| EVERY.contains(&task.kind));
    open.sort_by_key(|task| (task.donation.clone(), task.kind));
    open
}

/// Open tasks for donors, in short: `G1 defer HBV for good`.
pub(super) fn open(station: &Station) -> Vec<String> {
    let short = |task: Task| {
        let names = ["defer", "confirm", "report"];
        let what = EVERY.iter().zip(names).find(|(kind, _)| **kind == task.kind).unwrap().1;
        let how = ["for good", "until it", "for a time"].into_iter().find(|how| task.next.contains(how));
        let (donation, marker) = (task.donation.unwrap(), task.marker.unwrap());
        [donation.as_str(), what, &marker, how.unwrap_or_default()].join(" ").trim_end().to_owned()
    };
    listed_tasks(station).into_iter().map(short).collect()
}

/// One of the two reagents is reactive.
pub(super) fn one_reactive(case: &mut Value, marker: &str) {
    reactive(case, marker);
    let mut second =
        case["serology"].as_array_mut().unwrap().iter_mut().filter(|s| s["marker"] == marker).skip(1);
    second.next().unwrap()["results"] = serde_json::json!([{ "kind": "initial", "sco": "0.1", "run": "E1" }]);
}

fn deferral(permanent: bool, donation: Option<&str>) -> Deferral {
    let donation = donation.map(str::to_owned);
    Deferral { permanent, until: None, since: None, donation, reason: "reactive".into() }
}

pub(super) fn said(marker: &str, outcome: &str) -> Confirmatory {
    serde_json::from_value(serde_json::json!({ "marker": marker, "outcome": outcome })).unwrap()
}

type Change = fn(&mut Value);

/// By the rows of rules.md §1.5: what is found, and what is to be done.
const ASKS: &[(&str, Change, &[&str])] = &[
    ("nothing found", |_| (), &[]),
    (
        "M1",
        |case| {
            reactive(case, "HBsAg");
            nat_found(case, "HBV");
        },
        &["G1 defer HBV for good"],
    ),
    (
        "M1 of HIV",
        |case| {
            reactive(case, "HIV");
            nat_found(case, "HIV");
        },
        &["G1 defer HIV for good", "G1 confirm HIV", "G1 report HIV"],
    ),
    ("M2", |case| reactive(case, "anti-HCV"), &["G1 defer HCV until it", "G1 confirm HCV"]),
    (
        "M3",
        |case| {
            one_reactive(case, "HBsAg");
            nat_found(case, "HBV");
        },
        &["G1 defer HBV for good", "G1 confirm HBV"],
    ),
    ("M4", |case| one_reactive(case, "anti-HCV"), &["G1 defer HCV for a time"]),
    (
        "M4 of HIV",
        |case| one_reactive(case, "HIV"),
        &["G1 defer HIV for a time", "G1 confirm HIV", "G1 report HIV"],
    ),
    ("M6", |case| nat_found(case, "HBV"), &["G1 defer HBV until it"]),
    (
        "M6 of HIV",
        |case| nat_found(case, "HIV"),
        &["G1 defer HIV until it", "G1 confirm HIV", "G1 report HIV"],
    ),
    (
        "M7, no finding of any one virus",
        |case| {
            nat_found(case, "HIV");
            case["nat"][0]["targets"] = serde_json::json!([]);
            for target in ["HBV", "HCV", "HIV"] {
                let well = serde_json::json!({ "kind": "discriminatory", "target": target,
                    "result": "non_reactive", "internal_control": "valid", "run": "N1" });
                case["nat"].as_array_mut().unwrap().push(well);
            }
        },
        &["G1 defer HBV, HCV, HIV until it"],
    ),
    (
        "M10 of HIV",
        |case| {
            reactive(case, "HIV");
            case["nat"] = serde_json::json!([]);
        },
        &["G1 defer HIV until it", "G1 confirm HIV", "G1 report HIV"],
    ),
    ("syphilis, both reagents", |case| reactive(case, "syphilis"), &["G1 defer syphilis for good"]),
    ("syphilis, one", |case| one_reactive(case, "syphilis"), &["G1 defer syphilis for a time"]),
    (
        "ALT",
        |case| {
            let run = case["alt"][0]["run"].clone();
            let high = || serde_json::json!({ "u_per_l": "91.0", "run": run });
            case["alt"] = serde_json::json!([high(), high()]);
        },
        &["G1 defer ALT for a time"],
    ),
    (
        "two at once: one deferral, by the heavier",
        |case| {
            one_reactive(case, "anti-HCV");
            reactive(case, "syphilis");
        },
        &["G1 defer HCV, syphilis for good"],
    ),
    (
        "confirmed, whatever was found",
        |case| {
            case["confirmatory"] = serde_json::json!([{ "marker": "HIV", "outcome": "CONF_POS" }]);
        },
        &["G1 defer HIV for good", "G1 report HIV"],
    ),
    (
        "not confirmed",
        |case| {
            reactive(case, "HIV");
            case["confirmatory"] = serde_json::json!([{ "marker": "HIV", "outcome": "CONF_NEG" }]);
        },
        &["G1 defer HIV until it"],
    ),
];

#[test]
fn a_verdict_asks_for_its_donor_what_its_markers_ask() {
    for (what, change, expect) in ASKS {
        let station = Station::new();
        verdict(&station, "G1", change);
        assert_eq!(open(&station), *expect, "{what}");
        let told = listed_tasks(&station);
        assert!(
            told.iter().all(|task| task.donor.as_deref() == Some("D") && !task.next_zh.is_empty()),
            "{what}"
        );
    }
}

#[test]
fn a_deferral_that_is_entered_does_its_task_and_another_ones_does_not() {
    let by_hand = |donation: Option<&str>, permanent| Some(deferral(permanent, donation));
    let table: &[(&str, Option<Deferral>, &[&str])] = &[
        ("nothing entered", None, &["G1 defer HCV for a time", "G2 defer syphilis for good"]),
        // A tattoo: nobody says that it is for what was found.
        (
            "for a time, of no donation",
            by_hand(None, false),
            &["G1 defer HCV for a time", "G2 defer syphilis for good"],
        ),
        ("for a time, of the one", by_hand(Some("G1"), false), &["G2 defer syphilis for good"]),
        (
            "for a time where it is to be for good",
            by_hand(Some("G2"), false),
            &["G1 defer HCV for a time", "G2 defer syphilis for good"],
        ),
        ("for good", by_hand(None, true), &[]),
        ("for good, of one", by_hand(Some("G2"), true), &[]),
    ];
    for (what, entered, expect) in table {
        let station = Station::new();
        let reviewer = station.person("rev", Role::Reviewer);
        verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
        verdict(&station, "G2", |case| reactive(case, "syphilis"));
        if let Some(entered) = entered {
            defer(&station.settings, &station.ledger, &reviewer, "D", entered).unwrap();
        }
        assert_eq!(open(&station), *expect, "{what}");
    }
    // What was entered is enough as soon as no more is asked.
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    verdict(&station, "G2", |case| reactive(case, "syphilis"));
    defer(&station.settings, &station.ledger, &reviewer, "D", &deferral(false, Some("G2"))).unwrap();
    assert_eq!(open(&station), ["G2 defer syphilis for good"]);
    verdict(&station, "G2", |case| one_reactive(case, "syphilis"));
    assert_eq!(open(&station), [""; 0]);
    // Who is deferred for good already is not to be deferred again; another donor's deferral says nothing of this one.
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    let says =
        |donor: &str, line: &Deferral| defer(&station.settings, &station.ledger, &reviewer, donor, line);
    says("OTHER", &deferral(true, None)).unwrap();
    verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
    assert_eq!(open(&station).len(), 1);
    let wrong = says("OTHER", &deferral(true, Some("G1")));
    assert_eq!(wrong, Err(Refused::OtherDonor(DonationId::new("G1").unwrap())));
    assert!(matches!(says("D", &deferral(false, Some("G99"))), Err(Refused::NoSuchDonation(_))));
    says("D", &deferral(true, None)).unwrap();
    verdict(&station, "G3", |case| reactive(case, "syphilis"));
    assert_eq!(open(&station), [""; 0]);
}

#[test]
fn an_examination_for_re_entry_does_the_deferral_for_its_marker_alone() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
    verdict(&station, "G2", |case| one_reactive(case, "syphilis"));
    let begun = Examination {
        marker: "HCV".into(),
        deferred_on: "2026-03-01".parse().unwrap(),
        nat_then: Call::NonReactive,
        reason: "asks to come back".into(),
    };
    examine(&station.settings, &station.ledger, &reviewer, "D", (&begun, now())).unwrap();
    assert_eq!(open(&station), ["G2 defer syphilis for a time"]);
}

#[test]
fn what_was_done_is_not_asked_again_unless_a_verdict_asks_for_more_or_for_another_marker() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    let says = |line: &Deferral| defer(&station.settings, &station.ledger, &reviewer, "D", line).unwrap();
    let single = |case: &mut Value| one_reactive(case, "anti-HCV");
    let first = verdict(&station, "G1", single);
    assert_eq!(listed_tasks(&station)[0].id, first);
    verdict(&station, "G1", single);
    assert_eq!(listed_tasks(&station)[0].id, first, "made again, it is the task that it was");
    says(&deferral(false, Some("G1")));
    assert_eq!(open(&station), [""; 0]);
    verdict(&station, "G1", single);
    assert_eq!(open(&station), [""; 0], "the same verdict asks nothing new");
    verdict(&station, "G1", |_| ());
    verdict(&station, "G1", single);
    assert_eq!(open(&station), [""; 0], "nor when it was not so in between");
    let worse = verdict(&station, "G1", |case| {
        reactive(case, "anti-HCV");
        nat_found(case, "HCV");
    });
    assert_eq!(open(&station), ["G1 defer HCV for good"]);
    assert_eq!(listed_tasks(&station)[0].id, worse);
    verdict(&station, "G1", |case| {
        one_reactive(case, "anti-HCV");
        one_reactive(case, "syphilis");
    });
    assert_eq!(
        open(&station),
        ["G1 defer syphilis for a time"],
        "of another marker nobody has said anything"
    );
    verdict(&station, "G1", |_| ());
    assert_eq!(open(&station), [""; 0], "what is asked for no longer is closed");
    let again = verdict(&station, "G1", |case| one_reactive(case, "syphilis"));
    assert_eq!(open(&station), ["G1 defer syphilis for a time"], "and what nobody did is asked again");
    assert_eq!(listed_tasks(&station)[0].id, again);
}

#[test]
fn what_the_confirmatory_laboratory_said_does_its_task_and_what_is_not_confirmed_is_not_reported() {
    for (outcome, expect) in [
        ("CONF_POS", &["G1 report HIV"][..]),
        ("CONF_NEG", &[]),
        ("CONF_IND", &["G1 report HIV"]),
        ("NOT_DONE", &["G1 confirm HIV", "G1 report HIV"]),
    ] {
        let station = Station::new();
        let reference = station.person("ref", Role::ReferenceLaboratory);
        defer(&station.settings, &station.ledger, &reference, "D", &deferral(true, None)).unwrap();
        verdict(&station, "G1", |case| reactive(case, "HIV"));
        let record = |marker: &str, outcome: &str| {
            let test = said(marker, outcome);
            confirm(&station.settings, &station.ledger, &reference, "G1", (&test, "report 17")).unwrap()
        };
        record("HCV", "CONF_POS");
        assert_eq!(open(&station), ["G1 confirm HIV", "G1 report HIV"], "what is said of another marker");
        record("HIV", outcome);
        assert_eq!(open(&station), expect, "{outcome}");
        record("HIV", "CONF_POS");
        assert_eq!(open(&station), ["G1 report HIV"], "{outcome}, and confirmed after all");
    }
}

/// The verdict was made by who did not know of it yet.
#[test]
fn what_the_laboratory_said_while_a_verdict_was_made_is_not_asked_for_by_that_verdict() {
    for (outcome, expect) in [
        ("CONF_NEG", &["G1 defer HIV until it"][..]),
        ("CONF_POS", &["G1 defer HIV until it", "G1 report HIV"]),
    ] {
        let station = Station::new();
        let reference = station.person("ref", Role::ReferenceLaboratory);
        let test = said("HIV", outcome);
        confirm(&station.settings, &station.ledger, &reference, "G1", (&test, "report 17")).unwrap();
        verdict(&station, "G1", |case| reactive(case, "HIV"));
        assert_eq!(open(&station), expect, "{outcome}");
    }
}

#[test]
fn a_person_closes_a_task_with_a_reason_and_what_is_recorded_elsewhere_here_is_only_not_done() {
    use DonorTask::{Confirmation, Deferral, Report};
    use TaskOutcome::{Done, NotDone};
    let station = Station::new();
    let (reviewer, tech) = (station.person("rev", Role::Reviewer), station.person("tech", Role::Technician));
    verdict(&station, "G1", |case| reactive(case, "HIV"));
    verdict(&station, "G2", |case| {
        reactive(case, "anti-HCV");
        reactive(case, "HBsAg");
    });
    let closes = |who: &Actor, (donation, task): (&str, DonorTask), marker: Option<&str>, outcome| {
        let marker = marker.map(str::to_owned);
        let reason = "the provincial register has it".to_owned();
        let closing = Closing { donation: donation.into(), task, marker, outcome, reason };
        close_task(&station.settings, &station.ledger, who, &closing)
    };
    assert_eq!(
        closes(&tech, ("G1", Deferral), None, NotDone),
        Err(Refused::Person(people::Refused::NotPermitted { act: Act::CloseDonorTask }))
    );
    for task in [Deferral, Confirmation] {
        assert_eq!(closes(&reviewer, ("G1", task), None, Done), Err(Refused::DoneByRecord(task)));
    }
    let none = |donation: &str, task| {
        Err(Refused::NoSuchTask { donation: DonationId::new(donation).unwrap(), task })
    };
    assert_eq!(closes(&reviewer, ("G3", Deferral), None, NotDone), none("G3", Deferral));
    assert_eq!(closes(&reviewer, ("G1", Confirmation), Some("HCV"), NotDone), none("G1", Confirmation));
    let entry = closes(&reviewer, ("G1", Deferral), None, NotDone).unwrap();
    let told = serde_json::to_string(&station.ledger.state().entry(entry).unwrap().what).unwrap();
    assert!(told.contains("NOT_DONE") && told.contains("provincial register"), "{told}");
    assert_eq!(closes(&reviewer, ("G1", Deferral), None, NotDone), none("G1", Deferral), "once");
    closes(&reviewer, ("G1", Report), Some("hiv"), Done).unwrap();
    closes(&reviewer, ("G2", Confirmation), Some("HCV"), NotDone).unwrap();
    assert_eq!(open(&station), ["G1 confirm HIV", "G2 defer HBV, HCV until it", "G2 confirm HBV"]);
    verdict(&station, "G1", |case| reactive(case, "HIV"));
    assert_eq!(open(&station)[0], "G1 confirm HIV", "the same verdict asks for it no more");
    verdict(&station, "G1", |case| {
        reactive(case, "HIV");
        nat_found(case, "HIV");
    });
    assert_eq!(open(&station)[..2], ["G1 defer HIV for good", "G1 confirm HIV"], "a worse one does");
}

/// The number of a donation that has no donor yet, and then this one.
pub(super) fn given_by(station: &Station, donation: &str, donor: &str) {
    let What::DonationRegistered(registration) = registered(donation, "2026-03-02T08:00:00Z") else {
        unreachable!("it is a registration")
    };
    let mut of = registration.donor.clone();
    of.id = donor.into();
    station.write(What::DonationRegistered(DonationRegistration { donor: of, ..registration }));
}

#[test]
fn a_donation_without_a_donor_has_its_task_and_a_deferral_of_the_wrong_donor_does_not_do_it() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    let says =
        |donor: &str, line: &Deferral| defer(&station.settings, &station.ledger, &reviewer, donor, line);
    let donors = || listed_tasks(&station).into_iter().map(|task| task.donor).collect::<Vec<_>>();
    verdict(&station, "G7", |case| reactive(case, "syphilis"));
    assert_eq!((open(&station), donors()), (vec!["G7 defer syphilis for good".to_owned()], vec![None]));
    says("D7", &deferral(true, Some("G7"))).unwrap();
    assert_eq!(open(&station), [""; 0]);
    given_by(&station, "G7", "D7");
    assert_eq!(open(&station), [""; 0], "it was that donor");
    given_by(&station, "G7", "D8");
    assert_eq!((open(&station).len(), donors()), (1, vec![Some("D8".to_owned())]), "it was another");
    says("D8", &deferral(true, None)).unwrap();
    assert_eq!(open(&station), [""; 0]);
    given_by(&station, "G7", "D9");
    assert_eq!(open(&station).len(), 1);
    given_by(&station, "G7", "D7");
    assert_eq!(open(&station), [""; 0], "who is deferred for good already");
}

#[test]
fn however_many_deferrals_are_open_they_hide_no_report_and_are_listed_page_by_page() {
    let high_alt = |case: &mut Value| {
        let run = case["alt"][0]["run"].clone();
        let high = || serde_json::json!({ "u_per_l": "91.0", "run": run });
        case["alt"] = serde_json::json!([high(), high()]);
    };
    let station = Station::new();
    for n in 0..4 {
        verdict(&station, &format!("A{n}"), high_alt);
    }
    verdict(&station, "H1", |case| reactive(case, "HIV"));
    let state = station.ledger.state();
    let of = |task, page: &Page<DonationId>| {
        let listed = tasks::for_donors(&state, task, page).unwrap();
        let donations: Vec<String> =
            listed.items.into_iter().map(|task| task.donation.unwrap().to_string()).collect();
        (donations, listed.next)
    };
    for task in [DonorTask::Report, DonorTask::Confirmation] {
        assert_eq!(of(task, &Page::first(1)).0, ["H1"], "{task:?}");
    }
    let (first, next) = of(DonorTask::Deferral, &Page::first(2));
    assert_eq!(first, ["A0", "A1"]);
    let (rest, next) = of(DonorTask::Deferral, &Page { after: next, ..Page::first(9) });
    assert_eq!((rest, next), (vec!["A2".to_owned(), "A3".to_owned(), "H1".to_owned()], None));
    // In the list of everything what is to be reported comes before what is only to be deferred, however old.
    let all = tasks::open(&station.settings, &state, Timestamp::now()).unwrap().items;
    let kinds: Vec<TaskKind> = all.iter().map(|task| task.kind).filter(|kind| EVERY.contains(kind)).collect();
    assert_eq!(kinds[..3], [TaskKind::DonorReport, TaskKind::DonorConfirmation, TaskKind::DonorDeferral]);
    let of_h1 = tasks::for_donor_of(&state, &DonationId::new("H1").unwrap()).unwrap();
    assert_eq!(of_h1.iter().map(|task| task.kind).collect::<Vec<_>>(), kinds[..3]);
    assert_eq!(tasks::for_donor_of(&state, &DonationId::new("G1").unwrap()).unwrap(), []);
}

/// The line of a register as somebody wrote it who was not asked for its days.
fn line_of(days: (Option<&str>, Option<&str>), state: RegisterState, donation: Option<&str>) -> DonorAct {
    let day = |day: Option<&str>| day.map(|day| day.parse().unwrap());
    let register =
        Register { state, reason: Some("reactive".into()), until: day(days.0), since: day(days.1) };
    let donation = donation.map(|donation| DonationId::new(donation).unwrap());
    DonorAct::Registered { donor: "D".into(), register, on: Vec::new(), donation }
}

#[test]
fn a_deferral_that_speaks_of_another_time_is_refused_and_where_it_was_written_does_not_do_the_task() {
    use RegisterState::{PermDeferred, TempDeferred};
    let to_do = ["G1 defer HCV for a time"];
    // G1 was given on 1 March 2026, at 8:00 UTC.
    for ((until, since), answers) in [
        ((None, None), true),
        ((Some("2999-01-01"), None), true),
        ((None, Some("2026-03-01")), true),
        ((None, Some("2026-02-01")), true),
        ((Some("2020-01-01"), None), false),
        ((Some("2020-01-01"), Some("2026-02-01")), false),
        ((None, Some("2026-03-02")), false),
        ((None, Some("2999-01-01")), false),
    ] {
        for state in [TempDeferred, PermDeferred] {
            for named in [Some("G1"), None] {
                if state == PermDeferred && until.is_some() || state == TempDeferred && named.is_none() {
                    continue;
                }
                let expect: &[&str] = if answers { &[] } else { &to_do };
                let station = Station::new();
                verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
                station.write(What::Donor(line_of((until, since), state, named)));
                assert_eq!(
                    open(&station),
                    expect,
                    "{state:?} until {until:?}, since {since:?}, of {named:?}"
                );
                verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
                assert_eq!(open(&station), expect, "{state:?} since {since:?}, and by the next verdict");
            }
        }
    }
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    verdict(&station, "G1", |case| one_reactive(case, "anti-HCV"));
    let day = |day: &str| day.parse::<Date>().unwrap();
    let says = |permanent, (until, since): (Option<&str>, Option<&str>)| {
        let line =
            Deferral { until: until.map(day), since: since.map(day), ..deferral(permanent, Some("G1")) };
        defer(&station.settings, &station.ledger, &reviewer, "D", &line)
    };
    assert_eq!(says(false, (Some("2020-01-01"), None)), Err(Refused::Over { until: day("2020-01-01") }));
    for permanent in [false, true] {
        let refused = says(permanent, (None, Some("2999-01-01")));
        assert_eq!(refused, Err(Refused::ToCome { since: day("2999-01-01") }));
        let (collected, since) = (day("2026-03-01"), day("2026-03-02"));
        let donation = DonationId::new("G1").unwrap();
        let refused = says(permanent, (None, Some("2026-03-02")));
        assert_eq!(refused, Err(Refused::NotOfDonation { donation, collected, since }));
    }
    assert_eq!(open(&station), to_do, "nothing was written");
    assert_eq!(station.ledger.state().donor("D").unwrap().register, None);
    says(false, (Some("2999-01-01"), Some("2026-03-01"))).unwrap();
    assert_eq!(open(&station), [""; 0]);
}

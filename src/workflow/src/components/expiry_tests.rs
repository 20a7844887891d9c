//! Until when components may be used: told, put right, asked before an issue, and said of what has to be found.

use super::tests::{id, is_done, place, recalls, seen_to, tells, verdict, word, works};
use super::*;
use crate::batches::tests::Station;
use crate::people;
use crate::tasks::{self, TaskKind};
use ledger::{LookbackAsked, VerdictMade};
use vocabulary::Role;

fn made(station: &Station, by: Teller<'_>, code: &str, expires: Option<&str>) -> Result<Step, Refused> {
    register(&station.settings, &station.ledger, by, ("G1", &[code.to_owned()]), expires)
}

fn known(station: &Station, code: &str) -> Option<Expiry> {
    station.ledger.state().components(&id("G1")).unwrap()[code].expires.clone()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn an_expiry_is_scanned_or_typed_and_a_day_is_good_to_its_end_by_the_stations_clock() {
    let mut station = Station::new();
    station.settings.time_zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    for (given, label, until) in [
        ("=>026097", "2026-04-07", "2026-04-07T16:00:00Z"),
        ("2026-04-07", "2026-04-07", "2026-04-07T16:00:00Z"),
        ("&>0260971400", "2026-04-07T14:00", "2026-04-07T06:00:00Z"),
        ("2026-04-07T14:00", "2026-04-07T14:00", "2026-04-07T06:00:00Z"),
        ("2026-04-07T06:00:00Z", "2026-04-07T14:00", "2026-04-07T06:00:00Z"),
        ("2026-04-07T15:00:00+09:00", "2026-04-07T14:00", "2026-04-07T06:00:00Z"),
    ] {
        let read = expiry::read(&station.settings, given).unwrap();
        assert_eq!((read.label.as_str(), read.until_ms), (label, at(until).as_millisecond()), "{given}");
        assert!(read.is_over(read.until_ms) && !read.is_over(read.until_ms - 1), "{given}");
    }
    for (given, part) in [("=<E0791V00", "a product code"), ("soon", "no expiry"), ("9999-12-31", "reckoned")]
    {
        let refused = made(&station, Teller::Machine(&By::from("user:token")), "P1", Some(given));
        assert!(matches!(&refused, Err(Refused::Expiry { why, .. }) if why.contains(part)), "{refused:?}");
    }
    assert!(station.ledger.state().components(&id("G1")).unwrap().is_empty(), "nothing was written");
}

#[test]
fn an_expiry_is_told_later_and_shortened_by_anybody_and_lengthened_by_who_may_lift_holds() {
    let station = Station::new();
    let (tech, reviewer) = (station.person("tech", Role::Technician), station.person("rev", Role::Reviewer));
    let token = By::from("user:token");
    let (machine, tech) = (Teller::Machine(&token), Teller::Person(&tech));
    let label = || known(&station, "P1").map(|expires| expires.label);
    made(&station, machine, "P1", None).unwrap();
    assert_eq!(label(), None);
    assert!(is_done(&made(&station, machine, "P1", Some("2026-04-07"))));
    assert_eq!(made(&station, machine, "P1", Some("=>026097")), Ok(Step::Known), "the same again");
    assert_eq!(
        made(&station, machine, "P1", None),
        Ok(Step::Known),
        "who says nothing of it takes nothing back"
    );
    assert!(is_done(&made(&station, tech, "P1", Some("2026-04-01"))));
    assert_eq!(label().as_deref(), Some("2026-04-01"));
    assert_eq!(made(&station, machine, "P1", Some("2026-04-02")), Err(Refused::NeedsPerson));
    assert!(matches!(
        made(&station, tech, "P1", Some("2026-04-02")),
        Err(Refused::Person(people::Refused::NotPermitted { act: Act::LiftHold }))
    ));
    assert_eq!(label().as_deref(), Some("2026-04-01"));
    assert!(is_done(&made(&station, Teller::Person(&reviewer), "P1", Some("2026-04-02"))));
    assert_eq!((label().as_deref(), place(&station, "P1")), (Some("2026-04-02"), ComponentPlace::Quarantine));
    // Somebody who saw it as it had been: what ends sooner stands.
    let late = expiry::read(&station.settings, "2026-04-09").ok();
    let act =
        ComponentAct::Made { donation: id("G1"), components: vec!["P1".into()], expires: late, later: false };
    write(&station.ledger, machine, act).unwrap();
    assert_eq!(label().as_deref(), Some("2026-04-02"));
}

#[test]
fn what_has_expired_is_not_issued_and_what_went_all_the_same_is_called_back() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let by = Teller::Person(&tech);
    made(&station, by, "P1", Some("2026-04-07")).unwrap();
    made(&station, by, "P2", Some("2999-04-07")).unwrap();
    made(&station, by, "P3", None).unwrap();
    works(&station);
    let issue = |code: &str, at: Option<&str>| Moved {
        at: at.map(|at| at.parse().unwrap()),
        ..word(code, ComponentPlace::Issued)
    };
    for (code, at, expired) in [
        ("P1", None, true),
        ("P1", Some("2026-04-08T00:00:00Z"), true),
        // It is over now, whatever a technician says of the time.
        ("P1", Some("2026-04-07T23:59:59Z"), true),
        // In time, or of a time that nobody knows: then it is the release that is asked for.
        ("P2", None, false),
        ("P3", None, false),
    ] {
        let refused = tells(&station, by, &issue(code, at)).unwrap_err();
        let by_date = refused == Refused::Expired { label: "2026-04-07".into() };
        let by_release = matches!(refused, Refused::NotReleased { .. });
        assert_eq!((by_date, by_release), (expired, !expired), "{code} {at:?}: {refused:?}");
    }
    // Who asked before its expiry was told.
    verdict(&station, "G1", |case| case["signatures"] = serde_json::json!([]));
    let issued = ComponentMove::Issued { consignee: "City".into(), at_ms: None, against_rules: false };
    let act = ComponentAct::Moved { donation: id("G1"), component: "P1".into(), to: issued };
    write(&station.ledger, by, act).unwrap();
    assert_eq!((place(&station, "P1"), recalls(&station).len()), (ComponentPlace::Quarantine, 0));
    assert!(is_done(&tells(&station, by, &Moved { happened: true, ..issue("P1", None) })));
    assert_eq!((place(&station, "P1"), recalls(&station).len()), (ComponentPlace::Issued, 1));
}

#[test]
fn a_recall_and_a_look_back_say_of_each_component_whether_it_may_still_be_used() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let by = Teller::Person(&tech);
    for (code, expires) in [("P1", Some("2026-04-07")), ("P2", Some("&>0260971400")), ("P3", None)] {
        made(&station, by, code, expires).unwrap();
    }
    tells(&station, by, &Moved { happened: true, ..word("P3", ComponentPlace::Issued) }).unwrap();
    look_back_at(&station, "G1");
    let (first, second) = (Some("2026-04-07"), Some("2026-04-07T14:00"));
    for (now, expect) in [
        (
            "2026-04-07T13:00:00Z",
            [(Dating::InDate, first), (Dating::InDate, second), (Dating::Unknown, None)],
        ),
        (
            "2026-04-07T14:00:00Z",
            [(Dating::InDate, first), (Dating::Expired, second), (Dating::Unknown, None)],
        ),
        (
            "2026-04-08T00:00:00Z",
            [(Dating::Expired, first), (Dating::Expired, second), (Dating::Unknown, None)],
        ),
    ] {
        let open = tasks::open(&station.settings, &station.ledger.state(), at(now)).unwrap().items;
        for kind in [TaskKind::Recall, TaskKind::Lookback] {
            let task = open.iter().find(|task| task.kind == kind).unwrap();
            let said: Vec<_> =
                task.components.iter().map(|one| (one.dating, one.expires.as_deref())).collect();
            assert_eq!(said, expect, "{kind:?} at {now}");
        }
    }
}

/// A verdict on G2 that has this earlier donation looked up.
fn look_back_at(station: &Station, earlier: &str) {
    let seq = verdict(station, "G2", |case| {
        case["donor"]["earlier"] = serde_json::json!([{ "donation": earlier,
            "collected_at": "2026-03-01T08:00:00Z", "results": [{ "marker": "HIV", "result": "non_reactive" }] }]);
        case["nat"][0]["result"] = "reactive".into();
        case["nat"][0]["targets"] = serde_json::json!(["HIV"]);
    });
    let made: VerdictMade = station.ledger.state().verdict(seq).unwrap();
    let asks = |asked: &LookbackAsked| asked.earlier == id(earlier) && asked.in_date;
    assert!(made.lookback().iter().any(asks));
}

/// An issue as its person tells it, at a time.
fn issued_at(code: &str, at_ms: i64) -> Moved {
    let at = Timestamp::from_millisecond(at_ms).ok();
    Moved { at, ..word(code, ComponentPlace::Issued) }
}

#[test]
fn an_issue_is_not_dated_back_to_before_the_component_was_known_nor_to_when_it_was_in_date() {
    let station = Station::new();
    let (tech, reviewer) = (station.person("tech", Role::Technician), station.person("rev", Role::Reviewer));
    let token = By::from("user:token");
    let (machine, tech, reviewer) =
        (Teller::Machine(&token), Teller::Person(&tech), Teller::Person(&reviewer));
    made(&station, tech, "P1", None).unwrap();
    made(&station, tech, "P2", None).unwrap();
    works(&station);
    let told = |code: &str| station.ledger.state().components(&id("G1")).unwrap()[code].made.at_ms;
    let by_release = |step: Result<Step, Refused>| matches!(step, Err(Refused::NotReleased { .. }));
    // G1 was collected on 2 March 2026.
    for long_ago in ["1971-01-01T00:00:00Z", "2026-03-01T00:00:00Z"] {
        for happened in [false, true] {
            let issue = Moved { happened, ..issued_at("P1", at(long_ago).as_millisecond()) };
            let refused = tells(&station, reviewer, &issue);
            assert!(matches!(refused, Err(Refused::BeforeCollection { .. })), "{refused:?}");
        }
    }
    let early = issued_at("P1", told("P1") - 1);
    for by in [machine, tech, reviewer] {
        assert!(matches!(tells(&station, by, &early), Err(Refused::BeforeMade { .. })));
        assert!(by_release(tells(&station, by, &issued_at("P1", told("P1")))), "just then");
    }
    // It is over by now, and was not when it is said to have gone.
    let ended = Expiry { label: "now".into(), until_ms: told("P1") + 1 };
    let act = ComponentAct::Made {
        donation: id("G1"),
        components: vec!["P1".into()],
        expires: Some(ended),
        later: false,
    };
    write(&station.ledger, tech, act).unwrap();
    while Timestamp::now().as_millisecond() <= told("P1") {}
    for by in [machine, tech] {
        let refused = tells(&station, by, &issued_at("P1", told("P1")));
        assert_eq!(refused, Err(Refused::Expired { label: "now".into() }));
    }
    assert!(
        by_release(tells(&station, reviewer, &issued_at("P1", told("P1")))),
        "who may lift holds says so"
    );
    assert!(recalls(&station).is_empty());
    assert!(is_done(&tells(&station, tech, &Moved { happened: true, ..issued_at("P1", told("P1")) })));
    assert_eq!((place(&station, "P1"), recalls(&station).len()), (ComponentPlace::Issued, 1));
    assert!(is_done(&tells(&station, tech, &Moved { happened: true, ..issued_at("P2", told("P2") - 1) })));
}

#[test]
fn an_expiry_that_is_told_after_the_issue_calls_back_once_what_was_over_when_it_went() {
    for (told_before, then, called_back) in [
        (None, Some("2026-01-01"), 1),
        (Some("2999-01-01"), Some("2026-01-01"), 1),
        (None, Some("2999-01-01"), 0),
        (Some("2999-01-02"), Some("2999-01-01"), 0),
    ] {
        let station = Station::new();
        let (tech, qc) = (station.person("tech", Role::Technician), station.person("qc", Role::QcOfficer));
        let by = Teller::Person(&tech);
        made(&station, by, "P1", told_before).unwrap();
        made(&station, by, "P2", None).unwrap();
        works(&station);
        verdict(&station, "G1", |case| case["signatures"] = serde_json::json!([]));
        let issued = ComponentMove::Issued { consignee: "City".into(), at_ms: None, against_rules: false };
        let act = ComponentAct::Moved { donation: id("G1"), component: "P1".into(), to: issued };
        write(&station.ledger, by, act).unwrap();
        assert_eq!((place(&station, "P1"), recalls(&station).len()), (ComponentPlace::Issued, 0));
        made(&station, by, "P2", then).unwrap();
        assert_eq!(recalls(&station).len(), 0, "what is here is not called back");
        made(&station, by, "P1", then).unwrap();
        assert_eq!(recalls(&station).len(), called_back, "{told_before:?}, then {then:?}");
        // Closed, and told again: it was called back once.
        for recall in recalls(&station) {
            seen_to(&station, &qc, &recall);
        }
        made(&station, by, "P1", Some("2025-12-31")).unwrap();
        let now = usize::from(called_back == 0);
        assert_eq!(recalls(&station).len(), now, "{told_before:?}, then {then:?}, then sooner still");
    }
}

//! Components on a real ledger: what may be said of them, what it says of their donation, and what is called back.

use super::*;
use crate::batches::{self, tests::Station};
use crate::donors;
use crate::people;
use crate::tasks::{self, TaskKind};
use ledger::{LookbackId, LookbackStep, Page, RecallView, SignedAct};
use release::evidence::Confirmatory;
use release::{GateId, RulePack};
use vocabulary::Role;

const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

pub(super) fn id(donation: &str) -> DonationId {
    DonationId::new(donation).unwrap()
}

fn made(station: &Station, who: &Actor, codes: &[&str]) -> Result<Step, Refused> {
    let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
    register(&station.settings, &station.ledger, Teller::Person(who), ("G1", &codes), None)
}

pub(super) fn word(component: &str, to: ComponentPlace) -> Moved {
    let is_issue = to == ComponentPlace::Issued;
    Moved {
        component: component.into(),
        to,
        reason: (!is_issue).then(|| "because".into()),
        consignee: is_issue.then(|| "City Hospital".into()),
        at: None,
        happened: false,
    }
}

pub(super) fn tells(station: &Station, by: Teller<'_>, what: &Moved) -> Result<Step, Refused> {
    moved(&station.settings, &station.ledger, by, ("G1", what))
}

pub(super) fn place(station: &Station, component: &str) -> ComponentPlace {
    station.ledger.state().components(&id("G1")).unwrap()[component].place()
}

pub(super) fn is_done(step: &Result<Step, Refused>) -> bool {
    matches!(step, Ok(Step::Done { .. }))
}

/// What a donation's evidence says of its components.
fn states(station: &Station) -> Vec<(String, ComponentState)> {
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &id("G1")).unwrap();
    let evidence = crate::evidence(&facts, &station.settings);
    evidence.components.into_iter().map(|one| (one.id, one.state)).collect()
}

/// A verdict on G1, of good evidence with a change made to it.
pub(super) fn verdict(station: &Station, donation: &str, change: impl FnOnce(&mut serde_json::Value)) -> Seq {
    let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
    case["donation"] = donation.into();
    change(&mut case);
    station.verdict(&case.to_string())
}

pub(super) fn recalls(station: &Station) -> Vec<ledger::RecallView> {
    station.ledger.state().recalls(true, &Page::first(9)).unwrap().items
}

/// What the open tasks of a kind name: components, and to whom each was given.
fn named(station: &Station, kind: TaskKind) -> Vec<Vec<(String, Vec<String>)>> {
    let open = tasks::open(&station.settings, &station.ledger.state(), Timestamp::now()).unwrap();
    let tasks = open.items.into_iter().filter(|task| task.kind == kind);
    let one = |found: ToFind| (found.component, found.issued.into_iter().map(|to| to.consignee).collect());
    tasks.map(|task| task.components.into_iter().map(one).collect()).collect()
}

pub(super) fn works(station: &Station) {
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
}

/// Closes a recall, with everything said that there is to say.
pub(super) fn seen_to(station: &Station, who: &Actor, recall: &RecallView) {
    let all = station.ledger.state().components(&recall.about.donation).unwrap();
    let those = |are: fn(&ComponentStands) -> bool| {
        all.iter().filter(|(_, one)| are(one)).map(|(code, _)| code.clone()).collect()
    };
    let (told, kept) = (those(ComponentStands::is_out), those(ComponentStands::is_to_be_found));
    let closing = batches::Closing { outcome: "seen to".into(), told, kept };
    batches::close_recall(&station.ledger, who, recall.recall, &closing).unwrap();
}

#[test]
fn components_are_registered_once_by_their_product_codes_and_the_donation_is_decided_anew() {
    let station = Station::new();
    let (tech, qc) = (station.person("tech", Role::Technician), station.person("qc", Role::QcOfficer));
    works(&station);
    assert!(matches!(
        made(&station, &qc, &["E0791V00"]),
        Err(Refused::Person(people::Refused::NotPermitted { act: Act::RecordComponent }))
    ));
    assert!(is_done(&made(&station, &tech, &["=<E0791V00", "E4532V00", "E0791V00"])));
    assert_eq!(station.ledger.state().counters().unwrap().to_decide, 1);
    works(&station);
    let before = station.ledger.status().durable;
    assert_eq!(made(&station, &tech, &["E4532V00"]), Ok(Step::Known));
    assert_eq!(station.ledger.status().durable, before, "what is known is not written again");
    let held = word("E0791V00", ComponentPlace::Held);
    assert!(is_done(&tells(&station, Teller::Person(&tech), &held)));
    assert_eq!(station.ledger.state().counters().unwrap().to_decide, 1);
    assert!(is_done(&made(&station, &tech, &["E0791V00", "E2701VA0"])));
    assert_eq!(place(&station, "E0791V00"), ComponentPlace::Held, "registered again, it stays where it is");
    for (code, part) in [
        ("=%5100", "a blood group code"),
        ("e0791v00", "no whole ISBT 128"),
        ("G1", "the number of the donation"),
    ] {
        let refused = made(&station, &tech, &[code]);
        assert!(matches!(&refused, Err(Refused::Number { why, .. }) if why.contains(part)), "{refused:?}");
    }
    assert_eq!(made(&station, &tech, &[]), Err(Refused::Empty));
    let nowhere = register(
        &station.settings,
        &station.ledger,
        Teller::Machine(&By::from("user:token")),
        ("G99", &["X".into()]),
        None,
    );
    assert_eq!(nowhere, Err(Refused::NoSuchDonation(id("G99"))));
    let many: Vec<String> = (0..COMPONENTS_MAX).map(|at| format!("P{at}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(made(&station, &tech, &many), Err(Refused::TooMany));
}

#[test]
fn a_component_that_is_kept_back_is_evidence_and_only_who_may_lift_holds_lets_go() {
    use ComponentState::{Discarded, Held, Missing, Quarantine};
    let station = Station::new();
    let (tech, reviewer) = (station.person("tech", Role::Technician), station.person("rev", Role::Reviewer));
    made(&station, &tech, &["P1", "P2"]).unwrap();
    let machine = Teller::Machine(&By::from("user:token"));
    let says = |by: Teller<'_>, to| tells(&station, by, &word("P1", to));
    let stands = || states(&station)[0].1;
    assert_eq!(states(&station), [("P1".to_owned(), Quarantine), ("P2".to_owned(), Quarantine)]);
    for (to, state) in [(ComponentPlace::Held, Held), (ComponentPlace::Missing, Missing)] {
        assert!(is_done(&says(machine, to)));
        assert_eq!((says(machine, to), stands()), (Ok(Step::Known), state), "the same again");
    }
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &id("G1")).unwrap();
    let verdict = release::decide(&crate::evidence(&facts, &station.settings), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Components).unwrap();
    assert!(!gate.pass && gate.why.contains("P1") && gate.why_zh.contains("去向不明"), "{gate:?}");
    for to in [ComponentPlace::Quarantine, ComponentPlace::WrittenOff] {
        assert_eq!(says(machine, to), Err(Refused::NeedsPerson));
        assert!(matches!(says(Teller::Person(&tech), to), Err(Refused::Person(_))));
    }
    assert!(is_done(&says(Teller::Person(&reviewer), ComponentPlace::Quarantine)));
    assert_eq!(stands(), Quarantine);
    let mut silent = word("P1", ComponentPlace::Held);
    silent.reason = None;
    assert_eq!(tells(&station, machine, &silent), Err(Refused::Text { field: "reason" }));
    assert!(is_done(&says(machine, ComponentPlace::Discarded)));
    assert_eq!(stands(), Discarded);
    for to in [ComponentPlace::Quarantine, ComponentPlace::Held, ComponentPlace::WrittenOff] {
        let refused = says(Teller::Person(&reviewer), to);
        assert_eq!(refused, Err(Refused::Gone(ComponentPlace::Discarded)), "for good");
    }
    // One that broke says nothing of the others.
    assert!(is_done(&tells(&station, machine, &word("P2", ComponentPlace::WrittenOff))));
    assert_eq!(states(&station), [("P1".to_owned(), Discarded)]);
    assert!(matches!(
        tells(&station, machine, &word("P3", ComponentPlace::Held)),
        Err(Refused::NoSuchComponent(_))
    ));
}

#[test]
fn what_goes_without_a_release_is_refused_or_written_down_and_called_back_and_never_let_drop() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let qc = station.person("qc", Role::QcOfficer);
    made(&station, &tech, &["P1", "P2"]).unwrap();
    works(&station);
    let by = Teller::Person(&tech);
    let mut issue = word("P1", ComponentPlace::Issued);
    let refused = tells(&station, by, &issue);
    assert!(
        matches!(&refused, Err(Refused::NotReleased { why, .. }) if why.contains("R-GATE-01")),
        "{refused:?}"
    );
    assert_eq!((place(&station, "P1"), recalls(&station).len()), (ComponentPlace::Quarantine, 0));
    issue.happened = true;
    assert!(is_done(&tells(&station, by, &issue)));
    assert_eq!(recalls(&station).len(), 1);
    assert_eq!(recalls(&station)[0].about.released, None, "nobody had released it");
    let p2 = ("P2".to_owned(), vec![]);
    let at_city = |code: &str| (code.to_owned(), vec!["City Hospital".to_owned()]);
    assert_eq!(named(&station, TaskKind::Recall), [vec![at_city("P1"), p2]]);
    // What is told after the recall was raised is named by it, and raises no other.
    let late = Moved { consignee: Some("County Hospital".into()), ..word("P2", ComponentPlace::Issued) };
    assert!(is_done(&tells(&station, by, &Moved { happened: true, ..late })));
    let county = ("P2".to_owned(), vec!["County Hospital".to_owned()]);
    assert_eq!(named(&station, TaskKind::Recall), [vec![at_city("P1"), county]]);
    assert_eq!(tells(&station, by, &issue), Ok(Step::Known), "the same again");
    // Two words that contradict each other: refused, or both consignees are told.
    let other = Moved { consignee: Some("Clinic".into()), ..word("P1", ComponentPlace::Issued) };
    assert!(
        matches!(tells(&station, by, &other), Err(Refused::OutAlready { consignee, .. }) if consignee == "City Hospital")
    );
    assert!(is_done(&tells(&station, by, &Moved { happened: true, ..other })));
    assert_eq!(named(&station, TaskKind::Recall)[0][0].1, ["City Hospital", "Clinic"]);
    // It came back: nobody has it any more. A recall that is closed is followed by another when something else is out.
    assert!(is_done(&tells(&station, by, &word("P1", ComponentPlace::Quarantine))));
    assert_eq!(named(&station, TaskKind::Recall)[0][0], ("P1".to_owned(), vec![]));
    let first = recalls(&station)[0].recall;
    seen_to(&station, &qc, &recalls(&station)[0]);
    assert!(is_done(&tells(&station, by, &issue)));
    assert!(recalls(&station).len() == 1 && recalls(&station)[0].recall > first);
    let mut to_come = word("P2", ComponentPlace::Issued);
    to_come.at = Some("2999-01-01T00:00:00Z".parse().unwrap());
    assert_eq!(tells(&station, by, &to_come), Err(Refused::ToCome));
}

#[test]
fn what_was_thought_to_be_taken_out_and_is_out_goes_on_keeping_the_others() {
    use ComponentState::{Discarded, Issued};
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let by = Teller::Person(&tech);
    made(&station, &tech, &["P1"]).unwrap();
    tells(&station, by, &word("P1", ComponentPlace::Discarded)).unwrap();
    let issue = word("P1", ComponentPlace::Issued);
    assert_eq!(tells(&station, by, &issue), Err(Refused::Gone(ComponentPlace::Discarded)));
    assert!(is_done(&tells(&station, by, &Moved { happened: true, ..issue })));
    assert_eq!(states(&station), [("P1".to_owned(), Issued), ("P1".to_owned(), Discarded)]);
    assert_eq!(recalls(&station).len(), 1);
    let back = tells(&station, by, &word("P1", ComponentPlace::Quarantine));
    assert_eq!(back, Err(Refused::Gone(ComponentPlace::Issued)), "what was taken out does not come back");
    assert!(is_done(&tells(&station, by, &word("P1", ComponentPlace::Discarded))));
    assert_eq!(states(&station), [("P1".to_owned(), Discarded)]);
}

#[test]
fn a_verdict_that_falls_calls_back_what_is_out_whoever_had_released_it() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    made(&station, &tech, &["P1"]).unwrap();
    // Signed elsewhere: it passes, and is not releasable here.
    let passed = verdict(&station, "G1", |case| case["signatures"] = serde_json::json!([]));
    let issued = ComponentMove::Issued { consignee: "City".into(), at_ms: None, against_rules: false };
    let act = ComponentAct::Moved { donation: id("G1"), component: "P1".into(), to: issued };
    let draft = Draft { by: "user:tech".into(), what: What::Component(act) };
    let seq = station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    station.ledger.wait_applied(seq).wait().unwrap();
    assert_eq!(recalls(&station), [], "it passes: it may be out");
    let deferred = |case: &mut serde_json::Value| {
        case["signatures"] = serde_json::json!([]);
        case["donor"]["deferred"] = true.into();
    };
    let fell = verdict(&station, "G1", deferred);
    let found: Vec<_> = recalls(&station).into_iter().map(|one| (one.recall, one.about.released)).collect();
    assert_eq!(found, [(fell, Some(passed))]);
    verdict(&station, "G1", deferred);
    assert_eq!(recalls(&station).len(), 1, "once");
}

#[test]
fn failing_units_are_counted_by_their_components_where_those_are_known() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    made(&station, &tech, &["P1", "P2", "P3", "P4"]).unwrap();
    let by = Teller::Person(&tech);
    for (code, to) in [("P3", ComponentPlace::Missing), ("P4", ComponentPlace::WrittenOff)] {
        tells(&station, by, &word(code, to)).unwrap();
    }
    let now = || station.ledger.state().components(&id("G1")).unwrap();
    assert_eq!(units(&now(), false), (3, 0), "written off for its own sake, it is no unit any more");
    assert_eq!((units(&Components::new(), false), units(&Components::new(), true)), ((1, 0), (1, 1)));
    let batch = station.open(&tech, &["G1", "G2"]).unwrap();
    let numbers = ["G1".to_owned(), "G2".to_owned()];
    let discard = |counted: u32| {
        let which = (batch, numbers.as_slice());
        let counted = batches::Counted { counted, reason: "reactive", passing: false };
        batches::discard(&station.settings, &station.ledger, &tech, which, counted)
    };
    assert_eq!(discard(2), Err(batches::Refused::Count { counted: 2, scanned: 3 }));
    discard(3).unwrap();
    assert_eq!(units(&now(), true), (3, 2), "one that nobody finds is not found by counting");
    assert_eq!(
        ["P1", "P2", "P3"].map(|code| place(&station, code)),
        [ComponentPlace::Discarded, ComponentPlace::Discarded, ComponentPlace::Missing]
    );
    // A plasma that was told of afterwards has to be found, too.
    made(&station, &tech, &["P5"]).unwrap();
    assert_eq!(units(&now(), true), (4, 2));
}

#[test]
fn a_count_finds_nothing_that_was_given_out_meanwhile() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    made(&station, &tech, &["P1"]).unwrap();
    let issue = Moved { happened: true, ..word("P1", ComponentPlace::Issued) };
    tells(&station, Teller::Person(&tech), &issue).unwrap();
    let components = vec![ledger::FoundComponents { donation: id("G1"), components: vec!["P1".into()] }];
    let (donations, reason) = (vec![id("G1")], "x".to_owned());
    station.write(What::Signed(SignedAct::DonationsDiscarded { donations, counted: 1, reason, components }));
    assert_eq!(place(&station, "P1"), ComponentPlace::Issued);
    assert_eq!(units(&station.ledger.state().components(&id("G1")).unwrap(), true), (0, 0));
}

#[test]
fn a_signature_holds_while_components_come_and_go_and_not_when_one_is_kept_back() {
    let station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let by = Teller::Person(&tech);
    let basis = || {
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &id("G1")).unwrap();
        let known = crate::evidence::known(&facts, &station.settings);
        crate::signing::basis(&known, &station.settings.pack)
    };
    let signed = basis();
    made(&station, &tech, &["P1", "P2", "P3"]).unwrap();
    assert_eq!(basis(), signed);
    tells(&station, by, &Moved { happened: true, ..word("P1", ComponentPlace::Issued) }).unwrap();
    tells(&station, by, &word("P2", ComponentPlace::WrittenOff)).unwrap();
    assert_eq!(basis(), signed);
    for to in [ComponentPlace::Held, ComponentPlace::Missing, ComponentPlace::Discarded] {
        tells(&station, by, &word("P3", to)).unwrap();
        assert_ne!(basis(), signed, "{to:?}");
    }
}

#[test]
fn a_look_back_names_who_has_the_components_and_what_is_told_after_it_was_closed_is_called_back() {
    let mut station = Station::new();
    let tech = station.person("tech", Role::Technician);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    let qc = station.person("qc", Role::QcOfficer);
    made(&station, &tech, &["P1", "P2"]).unwrap();
    verdict(&station, "G1", |_| ());
    station.settings.pack = RulePack::built_in("us-fda").unwrap();
    works(&station);
    station.settings.pack = RulePack::built_in("cn-2019").unwrap();
    verdict(&station, "G1", |_| ());
    for recall in recalls(&station) {
        seen_to(&station, &qc, &recall);
    }
    station.settings.pack = RulePack::built_in("us-fda").unwrap();
    let test: Confirmatory = serde_json::from_str(
        r#"{"marker":"HIV","method":"WB","outcome":"CONF_POS","at":"2026-03-10T10:00:00Z"}"#,
    )
    .unwrap();
    donors::confirm(&station.settings, &station.ledger, &reference, "G2", (&test, "report")).unwrap();
    works(&station);
    let id = LookbackId { trigger: id("G2"), marker: "HIV".into(), earlier: id("G1") };
    let issue = |component: &str, at: &str, happened: bool| Moved {
        at: Some(at.parse().unwrap()),
        happened,
        ..word(component, ComponentPlace::Issued)
    };
    let by = Teller::Person(&tech);
    let refused = tells(&station, by, &issue("P1", "2026-03-02T08:00:00Z", false));
    assert_eq!(refused, Err(Refused::LookedUp { of: id.clone(), is_closed: false }));
    tells(&station, by, &issue("P1", "2026-03-02T08:00:00Z", true)).unwrap();
    let p1 = ("P1".to_owned(), vec!["City Hospital".to_owned()]);
    assert_eq!(named(&station, TaskKind::Lookback), [vec![p1, ("P2".to_owned(), vec![])]]);
    for recall in recalls(&station) {
        seen_to(&station, &qc, &recall);
    }
    let releaser = station.person("rel", Role::Releaser);
    for (who, step) in [
        (&qc, LookbackStep::Quarantined),
        (&qc, LookbackStep::ConsigneesTold),
        (&qc, LookbackStep::Cleared),
        (&releaser, LookbackStep::Cleared),
        (&qc, LookbackStep::Closed),
    ] {
        donors::look_back(&station.ledger, who, &id, (step, "done")).unwrap();
    }
    verdict(&station, "G1", |_| ());
    let told_late = ComponentMove::Issued {
        consignee: "County".into(),
        at_ms: Some(issue("P2", "2026-03-02T09:00:00Z", false).at.unwrap().as_millisecond()),
        against_rules: false,
    };
    let act = ComponentAct::Moved { donation: id.earlier, component: "P2".into(), to: told_late };
    let draft = Draft { by: "user:tech".into(), what: What::Component(act) };
    let seq = station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    station.ledger.wait_applied(seq).wait().unwrap();
    assert_eq!(recalls(&station).len(), 1, "it was out when the look-back was closed, and nobody knew");
}

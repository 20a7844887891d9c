//! Recalls after a recall: what is closed was closed for its own cause, and another cause calls back what is still out.

use super::tests::{id, recalls, seen_to, tells, verdict, word, works};
use super::*;
use crate::batches::{self, Closing, tests::Station};
use ledger::{HoldKind, SignedAct, VerdictMade};
use release::{explain, read_case};
use vocabulary::{DestinationId, Role};

const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

/// A cause that holds G1, in these words.
fn held_for(why: &'static str) -> impl Fn(&Station) {
    move |station| {
        verdict(station, "G1", |case| case["donor"]["post_donation"] = why.into());
    }
}

fn discarded(station: &Station) {
    verdict(station, "G1", |case| case["nat"][0]["result"] = "reactive".into());
}

fn passes(station: &Station) {
    verdict(station, "G1", |_| ());
}

fn closes(station: &Station, who: &Actor) {
    for recall in recalls(station) {
        seen_to(station, who, &recall);
    }
}

/// G1 was released, one component of it went out, and it was called back for a fever; that recall is closed.
fn called_back() -> (Station, Actor, Seq) {
    let station = Station::new();
    let qc = station.person("qc", Role::QcOfficer);
    let made =
        ComponentAct::Made { donation: id("G1"), components: vec!["P1".into()], expires: None, later: false };
    let to = ComponentMove::Issued { consignee: "City".into(), at_ms: None, against_rules: false };
    let went = ComponentAct::Moved { donation: id("G1"), component: "P1".into(), to };
    let released = verdict(&station, "G1", |_| ());
    for act in [made, went] {
        let draft = Draft { by: "user:tech".into(), what: What::Component(act) };
        let seq = station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
        station.ledger.wait_applied(seq).wait().unwrap();
    }
    held_for("fever")(&station);
    assert_eq!(recalls(&station).len(), 1);
    closes(&station, &qc);
    (station, qc, released)
}

#[test]
fn another_cause_calls_back_what_is_out_after_the_recall_for_the_first_was_closed() {
    for (what, next, is_recalled) in [
        ("held for something else", &held_for("a rash") as &dyn Fn(&Station), true),
        ("to be discarded", &discarded, true),
        ("held for the same", &held_for("fever"), false),
        ("passes", &passes, false),
        (
            "passes, and falls for the same",
            &|station: &Station| {
                passes(station);
                held_for("fever")(station);
            },
            true,
        ),
    ] {
        let (station, qc, released) = called_back();
        next(&station);
        let found: Vec<_> = recalls(&station).into_iter().map(|one| one.about).collect();
        assert_eq!(found.len(), usize::from(is_recalled), "{what}");
        let Some(recall) = found.first() else { continue };
        assert!(recall.released.is_some_and(|passed| passed >= released), "{what}");
        held_for("yet another")(&station);
        assert_eq!(recalls(&station).len(), 1, "one that is open names whatever is out: {what}");
        closes(&station, &qc);
    }
}

#[test]
fn a_hold_that_is_lifted_from_what_still_does_not_pass_calls_back_what_is_out() {
    let (station, qc, _) = called_back();
    let donations = vec![id("G1")];
    let held = SignedAct::DonationsHeld {
        donations: donations.clone(),
        kind: HoldKind::Laboratory,
        reason: "the bag leaks".into(),
    };
    let held = station.write(What::Signed(held));
    works(&station);
    closes(&station, &qc);
    // Nothing else is known of G1 here than that it was registered: it does not pass.
    let lifted = SignedAct::HoldsLifted { donations, reason: "it does not".into(), seen: Some(held) };
    station.write(What::Signed(lifted));
    assert_eq!(recalls(&station).len(), 0);
    works(&station);
    assert_eq!(recalls(&station).len(), 1);
}

#[test]
fn what_came_back_is_called_back_no_more() {
    let (station, _, _) = called_back();
    let tech = station.person("tech", Role::Technician);
    tells(&station, Teller::Person(&tech), &word("P1", ComponentPlace::Discarded)).unwrap();
    discarded(&station);
    assert_eq!(recalls(&station), []);
}

/// Where nobody tells what is made of donations, what was told to pass may be out for all that is known.
#[test]
fn what_was_told_to_pass_and_called_back_once_is_called_back_for_another_cause() {
    let station = Station::new();
    let qc = station.person("qc", Role::QcOfficer);
    let tells = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
        case["donation"] = "G1".into();
        case["signatures"] = serde_json::json!([]);
        change(&mut case);
        let verdict = explain(&read_case(&case.to_string()).unwrap(), &station.settings.pack);
        let to = vec![DestinationId::new("bis").unwrap()];
        station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, to).unwrap()))
    };
    let held = |why: &'static str| tells(&move |case| case["donor"]["post_donation"] = why.into());
    held("pain");
    assert_eq!(recalls(&station), [], "nobody was told that it passes");
    tells(&|_| ());
    held("fever");
    assert_eq!(recalls(&station).len(), 1);
    closes(&station, &qc);
    held("a rash");
    assert_eq!(recalls(&station).len(), 1);
    closes(&station, &qc);
    let (donations, reason) = (vec![id("G1")], "fever".to_owned());
    station.write(What::Signed(SignedAct::DonationsDiscarded {
        donations,
        counted: 1,
        reason,
        components: vec![],
    }));
    held("a cough");
    assert_eq!(recalls(&station), [], "it was found and taken out");
}

/// As a look-back is (donors/lookbacks.rs): with everything that is out told, and everything that is here kept.
#[test]
fn a_recall_is_closed_when_whoever_has_something_was_told_and_what_is_here_is_kept() {
    let (station, qc, _) = called_back();
    let more =
        ComponentAct::Made { donation: id("G1"), components: vec!["P2".into()], expires: None, later: false };
    let draft = Draft { by: "user:tech".into(), what: What::Component(more) };
    let seq = station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    station.ledger.wait_applied(seq).wait().unwrap();
    held_for("a rash")(&station);
    let recall = recalls(&station)[0].recall;
    let closes = |told: &[&str], kept: &[&str]| {
        let [told, kept] = [told, kept].map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        let closing = Closing { outcome: "seen to".into(), told, kept };
        batches::close_recall(&station.ledger, &qc, recall, &closing)
    };
    let refused = closes(&[], &["P2"]).unwrap_err();
    assert_eq!(refused, batches::Refused::NotTold { recall, donation: id("G1"), out: vec!["P1".into()] });
    assert!(refused.english().contains("--told P1") && refused.chinese().contains("--told P1"));
    assert_eq!(
        closes(&["P1"], &["P1"]),
        Err(batches::Refused::NotKept { recall, donation: id("G1"), here: vec!["P2".into()] })
    );
    // What goes out between the look and the entry was not seen: the ledger does not take the word.
    let unseen = |told: Option<&[&str]>| {
        let told = told.map(|all| all.iter().map(|one| (*one).to_owned()).collect());
        let act = SignedAct::RecallClosed { recall, outcome: "x".into(), told, kept: vec![] };
        station.write(What::Signed(act));
        recalls(&station).len()
    };
    assert_eq!(unseen(Some(&[])), 1);
    closes(&["P1"], &["P2"]).unwrap();
    assert_eq!(recalls(&station).len(), 0);
    // One that was closed before there was such a rule stays closed.
    held_for("a cough")(&station);
    let recall = recalls(&station)[0].recall;
    let of_then = serde_json::json!({ "recall_closed": { "recall": recall, "outcome": "x" } });
    station.write(What::Signed(serde_json::from_value(of_then).unwrap()));
    assert_eq!(recalls(&station).len(), 0);
}

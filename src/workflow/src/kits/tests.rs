//! Which kits judge, on a real ledger: what one person cannot do, and what two can.

use super::*;
use crate::batches::tests::Station;
use crate::people::{self, Act, Actor};
use crate::pins::NotDone;
use crate::tasks::{self, TaskKind};
use jiff::Timestamp;
use ledger::{Clock, Seq};
use vocabulary::Role;

const KIT: &str = include_str!("../../../quality-control/kits/generic/elisa-direct.toml");

fn kit(id: &str, change: (&str, &str)) -> KitFile {
    let text = KIT.replace("generic/elisa-direct", id).replace(change.0, change.1);
    KitFile::read(id, &text).unwrap()
}

/// Two contents of one kit: what was configured first, and what somebody made of it.
fn first() -> KitFile {
    kit("site/hbsag", ("", ""))
}

fn edited() -> KitFile {
    kit("site/hbsag", ("\"PC >= 0.80\"", "\"PC >= 0.10\""))
}

/// A kit of another assay.
fn other() -> KitFile {
    let assays = KIT.lines().find(|line| line.starts_with("assays")).unwrap();
    kit("site/hcv", (assays, "assays = [\"ELISA HCV\"]"))
}

fn kits(all: impl IntoIterator<Item = KitFile>) -> Kits {
    Kits::new(all).unwrap()
}

fn in_force(station: &Station) -> Vec<KitRef> {
    last(&station.ledger.state()).unwrap().unwrap()
}

fn file(kit: &KitFile) -> KitText {
    KitText { name: "kit.toml".into(), text: kit.text.clone() }
}

fn says(station: &Station, who: &Actor, wanted: &Wanted) -> Step {
    propose((&station.ledger, &station.settings.kits), who, wanted, "a new leaflet").unwrap()
}

fn proposed(step: &Step) -> Seq {
    let Step::Proposed { entry, .. } = step else { panic!("{step:?}") };
    *entry
}

fn kinds(station: &Station) -> Vec<(TaskKind, String)> {
    let all = tasks::open(&station.settings, &station.ledger.state(), Timestamp::now()).unwrap();
    all.items.into_iter().map(|task| (task.kind, task.kits.unwrap_or_default())).collect()
}

#[test]
fn the_first_start_adopts_what_is_configured_and_no_file_changes_anything_after_it() {
    let mut station = Station::new();
    station.settings.kits = kits([first()]);
    let begun = start(&station.ledger, &station.settings.kits).unwrap();
    assert_eq!(begun, Begun::Adopted { kits: 1, waits: Changes::default() });
    assert_eq!(start(&station.ledger, &station.settings.kits).unwrap(), Begun::InForce);
    assert_eq!(kinds(&station), []);
    // One person edits a file, adds one, or takes one out.
    for configured in [kits([edited()]), kits([first(), other()]), kits([])] {
        station.settings.kits = configured;
        let Begun::Waits(waits) = start(&station.ledger, &station.settings.kits).unwrap() else {
            panic!("it says nothing")
        };
        assert!(!waits.is_empty());
        assert_eq!(in_force(&station), [reference(&first())]);
        assert_eq!(kinds(&station), [(TaskKind::KitsConfigured, waits.in_words())]);
    }
}

#[test]
fn a_station_that_began_without_kits_gets_its_first_one_by_two_people_too() {
    let mut station = Station::new();
    let nothing = Begun::Adopted { kits: 0, waits: Changes::default() };
    assert_eq!(start(&station.ledger, &station.settings.kits).unwrap(), nothing);
    station.settings.kits = kits([first()]);
    let waits = Changes { new: vec![reference(&first())], gone: vec![] };
    assert_eq!(start(&station.ledger, &station.settings.kits).unwrap(), Begun::Waits(waits));
    assert_eq!(in_force(&station), []);
}

/// Older releases put kits in force by the configuration alone: what they said so stands, and nothing of it is said any more.
#[test]
fn a_station_of_an_older_release_goes_on_with_what_was_in_force() {
    let mut station = Station::new();
    let (before, after) = (first(), edited());
    for kit in [&before, &after] {
        station.write(What::Kits(KitsAct::Kept { kit: reference(kit), text: kit.text.clone() }));
    }
    station.write(What::Kits(KitsAct::InForce { kits: vec![reference(&before)] }));
    station.settings.kits = kits([edited()]);
    let waits = Changes { new: vec![reference(&after)], gone: vec![reference(&before)] };
    let begun = start(&station.ledger, &station.settings.kits).unwrap();
    assert_eq!(begun, Begun::Adopted { kits: 1, waits: waits.clone() });
    assert_eq!(in_force(&station), [reference(&before)]);
    assert_eq!(kinds(&station), [(TaskKind::KitsConfigured, waits.in_words())]);
    station.write(What::Kits(KitsAct::InForce { kits: vec![reference(&after)] }));
    station.write(What::Kits(KitsAct::Adopted { kits: vec![reference(&after)] }));
    assert_eq!(in_force(&station), [reference(&before)], "neither is the word of two people");
    assert_eq!(station.ledger.state().counters().unwrap().misfits, 2);
}

#[test]
fn two_people_put_a_changed_kit_in_force_and_one_cannot() {
    let mut station = Station::new();
    station.settings.kits = kits([first()]);
    start(&station.ledger, &station.settings.kits).unwrap();
    let (reviewer, officer) = (station.person("rev", Role::Reviewer), station.person("qc", Role::QcOfficer));
    let releaser = station.person("rel", Role::Releaser);
    let wanted = Wanted { files: vec![file(&edited())], ..Wanted::default() };

    let refused = propose((&station.ledger, &station.settings.kits), &releaser, &wanted, "x");
    let not_permitted = people::Refused::NotPermitted { act: Act::ActivateKits };
    assert!(matches!(&refused, Err(NotDone::Person(why)) if *why == not_permitted), "{refused:?}");
    let step = says(&station, &reviewer, &wanted);
    let entry = proposed(&step);
    let changes = Changes { new: vec![reference(&edited())], gone: vec![reference(&first())] };
    assert!(matches!(&step, Step::Proposed { changes: told, .. } if *told == changes), "{step:?}");
    assert_eq!(in_force(&station), [reference(&first())], "one person's word changes nothing");
    assert_eq!(kinds(&station), [(TaskKind::KitsProposed, changes.in_words())]);
    let alone = activate(&station.ledger, &reviewer, entry).unwrap();
    assert_eq!(alone, Step::WaitsForAnother { entry });
    let denied = activate(&station.ledger, &releaser, entry);
    assert!(matches!(&denied, Err(NotDone::Person(why)) if *why == not_permitted), "{denied:?}");

    let step = activate(&station.ledger, &officer, entry).unwrap();
    assert!(matches!(&step, Step::Activated { changes: told, .. } if *told == changes), "{step:?}");
    assert_eq!(in_force(&station), [reference(&edited())]);
    let history = station.ledger.state().kits_in_force().unwrap();
    let by: Vec<&str> = history.iter().map(|one| one.done.by.as_str()).collect();
    assert_eq!(by, ["system", "qc"]);
    assert_eq!(history[1].proposed.as_ref().map(|p| p.done.by.as_str()), Some("rev"));
    // Now the file is what lags behind, and twice is once.
    let configured = (TaskKind::KitsConfigured, Changes { new: changes.gone, gone: changes.new }.in_words());
    assert_eq!(kinds(&station), [configured]);
    assert!(matches!(activate(&station.ledger, &officer, entry).unwrap(), Step::NotStanding(_)));
    assert_eq!(says(&station, &officer, &wanted), Step::InForce);
}

#[test]
fn what_is_proposed_is_held_against_the_rest_and_every_fault_of_it_is_told() {
    let mut station = Station::new();
    station.settings.kits = kits([first()]);
    let officer = station.person("qc", Role::QcOfficer);
    let early = says(&station, &officer, &Wanted { files: vec![file(&other())], ..Wanted::default() });
    assert!(matches!(&early, Step::Refused(why) if why.why.contains("first start")), "{early:?}");
    start(&station.ledger, &station.settings.kits).unwrap();
    let copy = kit("site/hbsag-2", ("", ""));
    let broken = KitText { name: "hcv.toml".into(), text: "schema = 1\nidd = \"x\"\n".into() };
    let some = |files: Vec<KitText>| Wanted { files, ..Wanted::default() };
    let named = |name: &str| Wanted { kits: vec![name.into()], ..Wanted::default() };
    let without = |id: &str| Wanted { leave_out: vec![id.into()], ..Wanted::default() };
    let past = Wanted { from: Some(Timestamp::UNIX_EPOCH), ..some(vec![file(&edited())]) };
    for (wanted, about) in [
        (some(vec![file(&copy)]), "both in force"),
        (some(vec![broken]), "hcv.toml:2"),
        (some(vec![file(&first()), file(&edited())]), "named twice"),
        (named("site/htlv"), "no kit goes by"),
        (without("site/htlv"), "no kit \"site/htlv\" is in force"),
        (past, "from the second person's word on"),
    ] {
        let step = says(&station, &officer, &wanted);
        assert!(matches!(&step, Step::Refused(why) if why.why.contains(about)), "{about}: {step:?}");
    }
    assert_eq!(station.ledger.state().kits_stand().unwrap().proposed, None);
    // Of what is configured otherwise, all of it where nothing is named; one where it is; and out goes what is left out.
    station.settings.kits = kits([edited(), other()]);
    start(&station.ledger, &station.settings.kits).unwrap();
    let mut both = [reference(&edited()), reference(&other())];
    both.sort_unstable();
    for (wanted, expect) in [
        (Wanted::default(), both.to_vec()),
        (named("site/hcv"), vec![reference(&first()), reference(&other())]),
        (named(&first().hash), vec![]),
        (without("site/hbsag"), vec![]),
    ] {
        let step = says(&station, &officer, &wanted);
        if let Step::Proposed { kits, .. } = step {
            assert_eq!(kits, expect, "{wanted:?}");
        } else {
            assert_eq!(step, Step::InForce, "{wanted:?}");
            assert_eq!(wanted.kits, [first().hash], "it is what judges");
        }
    }
}

#[test]
fn an_entry_without_a_standing_proposal_of_another_person_changes_nothing() {
    let mut station = Station::new();
    station.settings.kits = kits([first()]);
    start(&station.ledger, &station.settings.kits).unwrap();
    let reviewer = station.person("rev", Role::Reviewer);
    let wanted = Wanted { files: vec![file(&edited())], ..Wanted::default() };
    let entry = proposed(&says(&station, &reviewer, &wanted));
    let (new, old) = (vec![reference(&edited())], vec![reference(&first())]);
    let act = |by: &str, kits: &[KitRef], proposed: Seq| {
        let what = What::Kits(KitsAct::Activated { kits: kits.to_vec(), proposed });
        write(&station.ledger, vec![Draft { by: by.into(), what }]).unwrap();
        in_force(&station)
    };
    assert_eq!(act("user:rev", &new, entry), old, "the proposer alone");
    assert_eq!(act("system", &new, entry), old, "nobody");
    assert_eq!(act("user:qc", &new, Seq::new(1)), old, "another proposal");
    assert_eq!(act("user:qc", &[], entry), old, "other kits than were proposed");
    assert_eq!(act("user:qc", &new, entry), new);
    assert_eq!(act("user:qc", &new, entry), new, "it is used up");
    assert_eq!(station.ledger.state().counters().unwrap().misfits, 5);
    let act = KitsAct::Proposed { kits: old.clone(), from_ms: None, why: "x".into() };
    station.write(What::Kits(act));
    assert_eq!(station.ledger.state().kits_stand().unwrap().proposed, None, "a machine proposes nothing");
}

/// A clock of the ledger that goes ahead of the one by which a command looks.
#[derive(Default)]
struct Ahead(std::sync::atomic::AtomicI64);

impl ledger::Clock for Ahead {
    fn now_ms(&self) -> i64 {
        ledger::SystemClock.now_ms() + self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[test]
fn a_proposal_lapses_and_the_second_person_is_told() {
    use std::sync::{Arc, atomic::Ordering};
    let clock = Arc::new(Ahead::default());
    let mut station = Station::with_clock(Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    station.settings.kits = kits([first()]);
    start(&station.ledger, &station.settings.kits).unwrap();
    let (reviewer, officer) = (station.person("rev", Role::Reviewer), station.person("qc", Role::QcOfficer));
    let wanted = Wanted { files: vec![file(&edited())], ..Wanted::default() };
    let entry = proposed(&says(&station, &reviewer, &wanted));
    clock.0.store(ledger::RUN_PROPOSAL_STANDS_MS * 2, Ordering::SeqCst);
    assert!(matches!(activate(&station.ledger, &officer, entry).unwrap(), Step::NotStanding(_)));
    assert_eq!(in_force(&station), [reference(&first())]);
    let later = Timestamp::from_millisecond(clock.now_ms()).unwrap();
    let now = stands(&station.settings, &station.ledger.state(), later).unwrap();
    assert_eq!(now.proposed, None, "it is shown no more");
    clock.0.store(0, Ordering::SeqCst);
    assert!(matches!(activate(&station.ledger, &officer, entry).unwrap(), Step::Activated { .. }));
}

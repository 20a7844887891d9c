//! What is asked of a ledger from outside: verify, export, and reading old ones.

use crate::opening::{
    World, destination, donation, ended, entries, frame, interpreted, observation, on_model, open, received,
    settings, verdict, write,
};
use ledger::storage::{Model, Storage as _};
use ledger::{
    Body, DeliveryId, Draft, ExportKind, HashAlgorithm, OpenError, Page, Seq, Settings, StateStore,
    VerifyState, What, export, verify,
};
use serde_json::Value;
use std::path::{Path, PathBuf};
use vocabulary::SpecimenKind;

fn exported(settings: &Settings, kind: ExportKind) -> Vec<Value> {
    export(settings, kind).unwrap().map(Result::unwrap).collect()
}

#[test]
fn verification_goes_on_behind_damage_and_names_all_of_it() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = on_model(dir.path(), &disk);
    let (ledger, _) = open(&settings);
    let mut world = World::new(4);
    (0..30).for_each(|_| {
        write(&ledger, world.group());
    });
    ledger.close();
    // Behind what was written stand zeroes that were filled ahead.
    let written = |(path, length): (PathBuf, usize)| {
        let mut bytes = vec![0; length];
        disk.open_read(&path).unwrap().read_at(0, &mut bytes).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        (path, end + 1)
    };
    let (path, length) = disk.files().into_iter().map(written).max_by_key(|(_, length)| *length).unwrap();
    // Far apart: a group is sound as a whole or not at all, and one of this world takes half the file.
    assert!(disk.damage(&path, length / 8, 4) && disk.damage(&path, length * 7 / 8, 4));
    let report = verify(&settings, VerifyState::Skip, &mut |_| {}).unwrap();
    assert_eq!(report.journal.damaged_places, 2, "{report:?}");
    assert!(report.journal.damage[0].what.contains("the next sound entry is"));
    assert!(report.journal.entries > 20);
    let error = ledger::Ledger::open(settings, &mut |_| {}).unwrap_err();
    assert!(
        matches!(&error, OpenError::Damage(damage) if *damage.file == *path.file_name().unwrap()),
        "{error}"
    );
}

#[test]
fn a_journal_in_use_is_verified_but_its_end_not_judged() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Memory);
    let (ledger, _) = open(&settings);
    write(&ledger, vec![frame(1, b"x")]);
    let report = verify(&settings, VerifyState::Skip, &mut |_| {}).unwrap();
    assert!(report.in_use && report.is_sound(), "{report:?}");
    assert!(matches!(verify(&settings, VerifyState::Compare, &mut |_| {}), Err(OpenError::Locked { .. })));
}

#[test]
fn each_export_tells_what_was_written_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Memory);
    let (ledger, _) = open(&settings);
    write(&ledger, vec![frame(7, b"H|\rR|1"), frame(7, b"\rL|1\r"), frame(8, b"half")]);
    write(&ledger, vec![received(Body::Frames { transfer: 7, from: 0, to: 12 }), ended(7)]);
    write(&ledger, vec![received(Body::Whole(b"MSH|\xd6\xd0".as_slice().into()))]);
    write(&ledger, vec![interpreted(Seq::new(4), vec![observation(SpecimenKind::Patient, None)], &[(0, 1)])]);
    let made = write(&ledger, vec![verdict(1, Seq::new(7), &[destination()])]);
    let delivery = DeliveryId { verdict: made, destination: destination() };
    write(
        &ledger,
        vec![Draft::by_system(What::DeliveryDone { delivery, answer: b"MSA|AA".as_slice().into() })],
    );

    let messages = exported(&settings, ExportKind::Messages);
    assert_eq!(messages[0]["raw"], "H|\rR|1\rL|1\r");
    assert_eq!(messages[1]["raw_hex"], "4d53487cd6d0");
    let observations = exported(&settings, ExportKind::Observations);
    assert_eq!(observations[0]["donation"], donation(1).as_str());
    assert_eq!((&observations[0]["message"], &observations[0]["connection"]), (&4.into(), &"arch-1".into()));
    let verdicts = exported(&settings, ExportKind::Verdicts);
    assert_eq!((&verdicts[0]["unit"], &verdicts[0]["considered"]), (&"hold".into(), &7.into()));
    let deliveries = exported(&settings, ExportKind::Deliveries);
    let events: Vec<_> = deliveries.iter().map(|d| (&d["event"], &d["donation"])).collect();
    let donation = Value::from("G000001");
    assert_eq!(events, [(&"queued".into(), &donation), (&"done".into(), &donation)]);
    let audit: Vec<Value> = ledger.export(ExportKind::Audit).map(Result::unwrap).collect();
    assert_eq!(audit.len(), 9);
    assert_eq!((&audit[0]["what"], &audit[0]["detail"]["bytes"]), (&"frame_received".into(), &6.into()));
    assert!(audit.iter().all(|line| line["previous"].as_str().unwrap().len() == 64));
}

#[test]
fn a_journal_keeps_the_hash_function_it_was_begun_with() {
    let dir = tempfile::tempdir().unwrap();
    for hash in [HashAlgorithm::Sha256, HashAlgorithm::Sm3] {
        let settings = Settings { hash, ..settings(dir.path(), StateStore::Memory) };
        let (ledger, _) = open(&settings);
        write(&ledger, vec![frame(1, b"x")]);
        ledger.close();
        assert!(verify(&settings, VerifyState::Skip, &mut |_| {}).unwrap().is_sound());
    }
}

/// A stopped ledger with its state in sled, and `groups` written as `seed` says.
fn stopped(seed: u64, groups: usize) -> (tempfile::TempDir, Settings) {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Sled);
    let (ledger, _) = open(&settings);
    let mut world = World::new(seed);
    (0..groups).for_each(|_| {
        write(&ledger, world.group());
    });
    ledger.close();
    (dir, settings)
}

#[test]
fn a_state_that_the_journal_does_not_make_is_found_by_comparing() {
    let (dir, ours) = stopped(1, 20);
    let compare = || verify(&ours, VerifyState::Compare, &mut |_| {}).unwrap();
    let sound = compare();
    assert!(sound.is_sound() && sound.state.as_ref().unwrap().digest.is_some(), "{sound:?}");
    for (groups, why) in [(10, None), (60, Some("the journal ends at"))] {
        let (other, _) = stopped(2, groups);
        std::fs::remove_dir_all(dir.path().join("state")).unwrap();
        std::fs::rename(other.path().join("state"), dir.path().join("state")).unwrap();
        let report = compare();
        assert!(!report.is_sound() && report.journal.damaged_places == 0, "{report:?}");
        let state = report.state.unwrap();
        match why {
            None => assert!(state.fault.is_none() && state.digest != state.expected, "{state:?}"),
            Some(why) => assert!(state.fault.as_ref().unwrap().contains(why), "{state:?}"),
        }
        assert_eq!(compare().state, Some(state), "looking changes nothing");
    }
}

#[test]
fn a_stopped_ledger_exports_what_it_exported_while_it_ran() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Sled);
    let (ledger, _) = open(&settings);
    let mut world = World::new(5);
    (0..120).for_each(|_| {
        write(&ledger, world.group());
    });
    let running = ExportKind::ALL.map(|kind| ledger.export(kind).map(Result::unwrap).collect::<Vec<Value>>());
    ledger.close();
    for (kind, before) in ExportKind::ALL.into_iter().zip(running) {
        assert!(!before.is_empty(), "{} has something to tell", kind.name());
        assert_eq!(exported(&settings, kind), before, "{}", kind.name());
    }
}

fn fixture(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(version)
}

/// A folder with a copy of the fixture's journal.
fn copied(version: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("journal")).unwrap();
    for file in std::fs::read_dir(fixture(version).join("journal")).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), dir.path().join("journal").join(file.file_name())).unwrap();
    }
    dir
}

/// A ledger written by every released version stays readable: its entries, as text, are what they were.
#[test]
fn a_ledger_of_the_first_format_reads_as_it_did_when_it_was_written() {
    let dir = copied("v1");
    let settings = settings(dir.path(), StateStore::Memory);
    assert!(verify(&settings, VerifyState::Skip, &mut |_| {}).unwrap().is_sound());
    let audit = exported(&settings, ExportKind::Audit);
    let expect = std::fs::read_to_string(fixture("v1").join("audit.jsonl")).unwrap();
    let expect: Vec<Value> = expect.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(audit, expect);
    let (ledger, report) = open(&settings);
    assert_eq!(report.tail, None);
    assert_eq!(ledger.state().counters().unwrap().entries, expect.len() as u64);
    for message in ledger.state().messages(&ledger::MessageFilter::default(), &Page::first(99)).unwrap().items
    {
        ledger.state().raw(message.seq).unwrap();
    }
    assert_eq!(entries(&ledger).len(), expect.len());
}

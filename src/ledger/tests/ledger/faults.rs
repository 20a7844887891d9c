//! A bad disk under the journal: nothing acknowledged is lost, nobody is blocked, and it goes on by itself.

use crate::opening::{entries, frame, on_model, open};
use ledger::storage::{Model, PowerCut};
use ledger::{AppendFailed, Draft, Entry, Ledger, Refused, Seq, Settings, What};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const SOON: Duration = Duration::from_secs(10);

fn until(what: &str, mut done: impl FnMut() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < SOON, "{what} did not come about");
        std::thread::yield_now();
    }
}

fn note(mark: u64) -> Draft {
    Draft { by: format!("mark:{mark}").into(), ..frame(mark, &[b'x'; 50]) }
}

fn marks(entries: &[Entry]) -> Vec<u64> {
    entries.iter().filter_map(|e| e.by.strip_prefix("mark:")?.parse().ok()).collect()
}

fn append(ledger: &Ledger, mark: u64) -> Result<Seq, String> {
    let pending = ledger.append(vec![note(mark)]).map_err(|refused| refused.to_string())?;
    pending.wait().map(|durable| durable.last()).map_err(|failed| failed.to_string())
}

#[test]
fn a_full_disk_refuses_and_when_there_is_room_again_the_ledger_goes_on() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = on_model(dir.path(), &disk);
    let (ledger, _) = open(&settings);
    append(&ledger, 1).unwrap();
    let used: usize = disk.files().iter().map(|(_, bytes)| bytes).sum();
    disk.set_capacity_bytes(Some(used as u64 + 100));
    // More than was filled ahead.
    let long = Draft { by: "mark:2".into(), ..frame(2, &vec![b'x'; used + 1_000]) };
    let failed = ledger.append(vec![long]).unwrap().wait().unwrap_err();
    assert!(matches!(failed, AppendFailed::Storage(_)), "{failed}");
    let refused = ledger.append(vec![note(3)]).unwrap_err();
    assert!(matches!(&refused, Refused::ReadOnly(why) if why.contains("tried again")), "{refused}");
    let status = ledger.status();
    assert!(!status.accepting && status.why_not.is_some());
    disk.set_capacity_bytes(None);
    until("room again", || ledger.status().accepting);
    assert_eq!(append(&ledger, 4), Ok(Seq::new(2)));
    assert_eq!(marks(&entries(&ledger)), [1, 4]);
    ledger.close();
    assert_eq!(marks(&entries(&open(&settings).0)), [1, 4]);
}

#[test]
fn little_room_stops_the_taking_before_the_disk_is_full() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = Settings { free_bytes_min: 50_000, ..on_model(dir.path(), &disk) };
    disk.set_capacity_bytes(Some(40_000));
    let (ledger, _) = open(&settings);
    let refused = ledger.append(vec![note(1)]).unwrap_err();
    assert!(matches!(&refused, Refused::ReadOnly(why) if why.contains("make room")), "{refused}");
    assert_eq!(ledger.status().free_bytes.map(|free| free < 50_000), Some(true));
    disk.set_capacity_bytes(Some(1_000_000));
    until("room again", || append(&ledger, 2).is_ok());
}

#[test]
fn the_ballast_is_thrown_off_to_start_on_a_full_disk_and_taken_in_again_later() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = Settings { ballast_bytes: 10_000, ..on_model(dir.path(), &disk) };
    let (ledger, _) = open(&settings);
    assert!(ledger.status().ballast);
    append(&ledger, 1).unwrap();
    ledger.close();
    let used: usize = disk.files().iter().map(|(_, bytes)| bytes).sum();
    disk.set_capacity_bytes(Some(used as u64));
    let (ledger, _) = open(&settings);
    assert!(!ledger.status().ballast);
    append(&ledger, 2).unwrap();
    disk.set_capacity_bytes(None);
    until("the ballast", || ledger.status().ballast);
    assert_eq!(marks(&entries(&ledger)), [1, 2]);
}

#[test]
fn a_failed_sync_refuses_its_group_for_good_and_the_next_one_goes_to_a_new_file() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = on_model(dir.path(), &disk);
    let (ledger, _) = open(&settings);
    append(&ledger, 1).unwrap();
    let files = disk.files().len();
    disk.fail_syncs(1);
    assert!(append(&ledger, 2).unwrap_err().contains("could not be written"));
    until("writing again", || append(&ledger, 3).is_ok());
    assert!(disk.files().len() > files);
    ledger.close();
    for treatment in [PowerCut::Nothing, PowerCut::Everything] {
        let after = disk.after_power_cut(treatment, 1);
        let (ledger, report) = open(&on_model(dir.path(), &after));
        assert_eq!(marks(&entries(&ledger)), [1, 3]);
        assert_eq!(report.tail, None);
    }
}

#[test]
fn a_stalled_disk_blocks_nobody_and_what_waits_is_bounded() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = Settings { queue_entries_max: 20, ..on_model(dir.path(), &disk) };
    let (ledger, _) = open(&settings);
    append(&ledger, 0).unwrap();
    disk.stall(true);
    let began = Instant::now();
    let mut waiting = Vec::new();
    let busy = loop {
        match ledger.append(vec![note(waiting.len() as u64 + 1)]) {
            Ok(pending) => waiting.push(pending),
            Err(refused) => break refused,
        }
        assert!(waiting.len() < 1000);
    };
    assert!(matches!(busy, Refused::Busy(_)), "{busy}");
    assert!(began.elapsed() < Duration::from_secs(2), "append does not wait for the disk");
    let late = waiting.pop().unwrap().wait_timeout(Duration::from_millis(20)).unwrap_err();
    until("the status to tell", || ledger.status().writing_for_ms.is_some());
    disk.stall(false);
    let last = late.wait().unwrap();
    for pending in waiting {
        assert!(pending.wait().unwrap().last() < last.last());
    }
    let found = marks(&entries(&ledger));
    assert_eq!(found, (0..found.len() as u64).collect::<Vec<_>>());
}

#[test]
fn whatever_was_acknowledged_to_many_at_once_survives_a_power_cut_at_any_time() {
    for seed in 0..60 {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
        let (ledger, _) = open(&on_model(dir.path(), &disk));
        let acknowledged: Mutex<BTreeMap<Seq, u64>> = Mutex::default();
        let marked = AtomicU64::new(1);
        disk.cut_power_at(disk.operations() + 1 + seed);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    loop {
                        let mark = marked.fetch_add(2, Ordering::Relaxed);
                        let Ok(pending) = ledger.append(vec![note(mark), note(mark + 1)]) else { return };
                        let Ok(durable) = pending.wait() else { return };
                        let mut told = acknowledged.lock().unwrap();
                        told.insert(durable.first(), mark);
                        told.insert(durable.last(), mark + 1);
                    }
                });
            }
        });
        drop(ledger);
        let treatment =
            [PowerCut::Nothing, PowerCut::Prefix, PowerCut::Torn][usize::try_from(seed % 3).unwrap()];
        let after = disk.after_power_cut(treatment, seed);
        let (ledger, report) = open(&on_model(dir.path(), &after));
        let found = entries(&ledger);
        for (seq, mark) in acknowledged.into_inner().unwrap() {
            let entry =
                found.iter().find(|e| e.seq == seq).unwrap_or_else(|| panic!("{seq} is lost, {report:?}"));
            assert_eq!(entry.by, format!("mark:{mark}"));
        }
        let found = marks(&found);
        assert!(
            found.chunks(2).all(|pair| pair.len() == 2 && pair[1] == pair[0] + 1),
            "groups are whole: {found:?}"
        );
        append(&ledger, 9999).unwrap();
    }
}

#[test]
fn a_torn_tail_is_cut_and_told_in_the_report_and_in_the_journal() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let (ledger, _) = open(&on_model(dir.path(), &disk));
    append(&ledger, 1).unwrap();
    disk.cut_power_at(disk.operations() + 1);
    append(&ledger, 2).unwrap_err();
    drop(ledger);
    let after = (0..100).map(|seed| disk.after_power_cut(PowerCut::Prefix, seed)).find(|after| {
        let (ledger, report) = open(&on_model(dir.path(), &after.copy()));
        drop(ledger);
        report.tail.is_some()
    });
    let (ledger, report) = open(&on_model(dir.path(), &after.unwrap()));
    let tail = report.tail.unwrap();
    until("the note", || entries(&ledger).len() == 2);
    let told = entries(&ledger).pop().unwrap().what;
    assert_eq!(told, What::TailCut { file: tail.file, offset: tail.offset, bytes: tail.bytes });
}

#[test]
fn dropping_every_handle_writes_what_waits_and_unlocks() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let settings = on_model(dir.path(), &disk);
    let (ledger, _) = open(&settings);
    let pending = ledger.append(vec![note(1)]).unwrap();
    let other = ledger.clone();
    drop((ledger, other));
    assert_eq!(pending.wait().unwrap().last(), Seq::new(1));
    assert_eq!(marks(&entries(&open(&settings).0)), [1]);
}

#[test]
fn after_close_other_handles_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&on_model(dir.path(), &Model::new()));
    let other = ledger.clone();
    ledger.close();
    assert_eq!(other.append(vec![note(1)]).unwrap_err(), Refused::Closed);
    assert!(other.wait_applied(Seq::new(5)).wait().is_err());
}

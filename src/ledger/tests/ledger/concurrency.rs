//! Many senders at once on a real disk.

use crate::opening::{entries, frame, open, settings};
use ledger::{Draft, Refused, Settings, StateStore, VerifyState, verify};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;

#[test]
fn sixty_four_threads_get_gapless_places_each_once_across_rotated_files() {
    let dir = tempfile::tempdir().unwrap();
    let settings =
        Settings { file_bytes_max: 100_000, queue_entries_max: 64, ..settings(dir.path(), StateStore::Sled) };
    let (ledger, _) = open(&settings);
    let places: Mutex<BTreeSet<u64>> = Mutex::default();
    std::thread::scope(|scope| {
        for thread in 0..64u64 {
            let (ledger, places) = (ledger.clone(), &places);
            scope.spawn(move || {
                for number in 0..20 {
                    let draft =
                        Draft { by: format!("{thread}/{number}").into(), ..frame(thread, &[b'x'; 300]) };
                    let durable = loop {
                        match ledger.append(vec![draft.clone(), draft.clone()]) {
                            Ok(pending) => break pending.wait().unwrap(),
                            Err(Refused::Busy(_)) => std::thread::yield_now(),
                            Err(other) => panic!("{other}"),
                        }
                    };
                    let mut places = places.lock().unwrap();
                    assert!(places.insert(durable.first().get()) && places.insert(durable.last().get()));
                }
            });
        }
    });
    let places = places.into_inner().unwrap();
    assert_eq!(places, (1..=64 * 20 * 2).collect());
    let all = entries(&ledger);
    for thread in 0..64 {
        let own = all.iter().filter(|e| e.by.starts_with(&format!("{thread}/"))).map(|e| e.by.clone());
        let expect = (0..40).map(|n| format!("{thread}/{}", n / 2));
        assert!(own.eq(expect), "thread {thread} is in order");
    }
    ledger.wait_applied(all.last().unwrap().seq).wait().unwrap();
    assert_eq!(ledger.state().counters().unwrap().frames, 64 * 40);
    ledger.close();
    let report = verify(&settings, VerifyState::Compare, &mut |_| {}).unwrap();
    assert!(report.is_sound() && report.journal.files > 5, "{report:?}");
}

#[test]
fn a_group_can_be_awaited_without_a_runtime_and_given_up_without_harm() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&settings(dir.path(), StateStore::Memory));
    drop(ledger.append(vec![frame(1, b"given up")]).unwrap());
    let durable = ledger.append(vec![frame(1, b"awaited")]).unwrap();
    let durable = durable.wait_timeout(Duration::from_secs(10)).unwrap().unwrap();
    assert_eq!(durable.last().get(), 2, "the one given up was written all the same");
}

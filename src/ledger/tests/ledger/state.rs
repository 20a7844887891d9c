//! The state is what the journal makes it, whatever happens to it.

use crate::opening::{World, donation, on_model, open, settings, write};
use ledger::storage::Model;
use ledger::{
    Interpretations, Ledger, MessageFilter, OrderFilter, Page, Settings, StateStore, VerifyState, rebuild,
    verify,
};
use std::fs;
use std::path::{Path, PathBuf};

fn fill(ledger: &Ledger, world: &mut World, groups: usize) {
    let mut last = None;
    for _ in 0..groups {
        last = Some(ledger.append(world.group()).unwrap().wait().unwrap().last());
    }
    ledger.wait_applied(last.unwrap()).wait().unwrap();
}

/// Everything a reader can see, as text.
fn seen(ledger: &Ledger) -> String {
    let state = ledger.state();
    let donations: Vec<_> = (0..12).map(|n| state.donation(&donation(n)).unwrap()).collect();
    let messages = state.messages(&MessageFilter::default(), &Page::first(1000)).unwrap();
    let dead = state.dead_letters(&Page::first(1000)).unwrap();
    let half = state.half_transfers(&Page::first(1000)).unwrap();
    let orders = state.orders(&OrderFilter::default(), &Page::first(1000)).unwrap();
    let queries = state.queries(None, &Page::first(1000)).unwrap();
    let (interpret, decide) =
        (state.to_interpret(&Page::first(1000)).unwrap(), state.to_decide(&Page::first(1000)).unwrap());
    format!(
        "{:?} {donations:?} {messages:?} {dead:?} {half:?} {interpret:?} {decide:?} {orders:?} {queries:?}",
        state.counters().unwrap()
    )
}

#[test]
fn however_entries_are_cut_into_batches_they_make_the_same_state() {
    for seed in 0..40 {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
        let settings = on_model(dir.path(), &disk);
        let mut world = World::new(seed);
        let (ledger, _) = open(&settings);
        fill(&ledger, &mut world, 50);
        let live = ledger.state().digest().unwrap();
        ledger.close();
        assert_eq!(rebuild(&settings, &mut |_| {}).unwrap().digest, live, "seed {seed}");
        let (ledger, _) = open(&settings);
        fill(&ledger, &mut world, 50);
        let live = ledger.state().digest().unwrap();
        ledger.close();
        assert_eq!(rebuild(&settings, &mut |_| {}).unwrap().digest, live, "seed {seed}, on");
    }
}

#[test]
fn the_state_in_sled_is_the_state_made_again_and_the_fold_in_memory() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Sled);
    let mut world = World::new(1);
    let mut expect = String::new();
    for _ in 0..3 {
        let (ledger, report) = open(&settings);
        assert_eq!(report.rebuilt, None);
        fill(&ledger, &mut world, 60);
        expect = seen(&ledger);
        ledger.close();
    }
    let report = verify(&settings, VerifyState::Compare, &mut |_| {}).unwrap();
    assert!(report.is_sound(), "{report:?}");
    let made = rebuild(&settings, &mut |_| {}).unwrap();
    assert_eq!(made.before, Some(made.digest));
    assert_eq!(report.state.unwrap().digest, Some(made.digest));
    let (ledger, report) = open(&settings);
    assert_eq!((seen(&ledger), report.rebuilt), (expect, None));
    ledger.close();
}

fn filled(dir: &Path) -> (Settings, String) {
    let settings = settings(dir, StateStore::Sled);
    let (ledger, _) = open(&settings);
    fill(&ledger, &mut World::new(9), 80);
    let expect = seen(&ledger);
    ledger.close();
    (settings, expect)
}

/// Opens after `harm` was done and expects the state to be as it was, made again for this reason.
fn check_made_again(harm: impl Fn(&Path), reason: &str) {
    let dir = tempfile::tempdir().unwrap();
    let (settings, expect) = filled(dir.path());
    harm(dir.path());
    let (ledger, report) = open(&settings);
    assert_eq!(seen(&ledger), expect);
    let why = report.rebuilt.unwrap_or_else(|| panic!("not made again, though {reason}"));
    assert!(why.contains(reason), "{why}");
    assert!(report.set_aside.unwrap().exists());
    ledger.close();
    let (ledger, report) = open(&settings);
    assert_eq!((seen(&ledger), report.rebuilt), (expect, None));
}

#[test]
fn a_deleted_state_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, expect) = filled(dir.path());
    fs::remove_dir_all(dir.path().join("state")).unwrap();
    let (ledger, report) = open(&settings);
    assert_eq!(seen(&ledger), expect);
    assert!(report.rebuilt.unwrap().contains("knew"));
}

#[test]
fn a_state_that_opens_empty_behind_its_checkpoint_or_is_no_store_is_made_again() {
    let empty = |dir: &Path| {
        fs::remove_dir_all(dir.join("state")).unwrap();
        fs::create_dir(dir.join("state")).unwrap();
    };
    check_made_again(empty, "knew");
    let rubbish = |dir: &Path| fs::write(dir.join("state/db"), "rubbish").unwrap();
    check_made_again(rubbish, "knew");
    let is_no_folder = |dir: &Path| {
        fs::remove_dir_all(dir.join("state")).unwrap();
        fs::write(dir.join("state"), "rubbish").unwrap();
    };
    check_made_again(is_no_folder, "");
    let cut_short = |dir: &Path| {
        let file = fs::File::options().write(true).open(dir.join("state/db")).unwrap();
        file.set_len(4096).unwrap();
    };
    check_made_again(cut_short, "");
}

#[test]
fn a_state_of_other_segments_than_todays_is_made_again() {
    let of_segments = |bytes: usize| {
        move |dir: &Path| {
            fs::remove_dir_all(dir.join("state")).unwrap();
            let store = sled::Config::new().path(dir.join("state")).segment_size(bytes).open().unwrap();
            store.insert("@a", "").unwrap();
            store.flush().unwrap();
        }
    };
    check_made_again(of_segments(8 << 20), "io buffer size");
    check_made_again(of_segments(512 << 10), "io buffer size");
}

#[test]
fn a_state_ahead_of_the_journal_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, _) = filled(dir.path());
    fs::rename(dir.path().join("journal"), dir.path().join("lost")).unwrap();
    let (ledger, report) = open(&settings);
    assert!(report.rebuilt.unwrap().contains("the journal ends at 0"));
    assert!(ledger.state().message(ledger::Seq::new(1)).unwrap().is_none());
}

const TRIALS: usize = 10;

fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    paths.filter(|p| p.is_file()).map(|p| (p.clone(), fs::read(p).unwrap())).collect()
}

#[test]
fn a_damaged_byte_anywhere_in_the_state_is_found_or_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, expect) = filled(dir.path());
    let sound: Vec<(PathBuf, Vec<u8>)> = files(&dir.path().join("state"));
    let noted = fs::read(dir.path().join("CHECKPOINT")).unwrap();
    let database = sound.iter().position(|(path, _)| path.ends_with("db")).unwrap();
    let used = sound[database].1.iter().rposition(|b| *b != 0).unwrap();
    let mut made_again = 0;
    for trial in 0..TRIALS {
        fs::remove_dir_all(dir.path().join("state")).unwrap();
        fs::create_dir_all(dir.path().join("state/blobs")).unwrap();
        for (path, bytes) in &sound {
            fs::write(path, bytes).unwrap();
        }
        fs::write(dir.path().join("CHECKPOINT"), &noted).unwrap();
        let mut damaged = sound[database].1.clone();
        let at = trial * used / TRIALS;
        damaged[at] ^= 0x41;
        fs::write(&sound[database].0, &damaged).unwrap();
        let (ledger, report) = open(&settings);
        assert_eq!(seen(&ledger), expect, "byte {at}");
        made_again += usize::from(report.rebuilt.is_some());
    }
    assert!(made_again > TRIALS / 2, "{made_again} of {TRIALS}");
}

#[test]
fn only_a_few_states_set_aside_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, _) = filled(dir.path());
    for _ in 0..4 {
        rebuild(&settings, &mut |_| {}).unwrap();
    }
    let names = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name());
    assert_eq!(names.filter(|n| n.to_string_lossy().starts_with("state.set-aside-")).count(), 3);
}

#[test]
fn writing_goes_on_where_the_last_run_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (settings, _) = filled(dir.path());
    let (ledger, _) = open(&settings);
    let before = ledger.status().durable;
    let first = write(&ledger, vec![crate::opening::registered(3)]);
    assert_eq!(first, before.next());
}

#[test]
fn donations_read_in_a_row_are_those_read_alone_while_the_journal_grows_over_several_files() {
    let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
    let (ledger, _) = open(&on_model(dir.path(), &disk));
    let (mut world, mut known) = (World::new(3), Interpretations::default());
    let mut seen = 0;
    for _ in 0..6 {
        fill(&ledger, &mut world, 20);
        let state = ledger.state();
        for one in (0..12).chain((0..12).rev()).map(donation) {
            let mut alone = state.donation(&one).unwrap();
            if let Some(view) = &mut alone {
                view.verdicts.clear();
            }
            seen += alone.as_ref().map_or(0, |view| view.observations.len());
            assert_eq!(state.donation_with(&one, &mut known).unwrap(), alone, "{one}");
        }
    }
    assert!(seen > 100, "{seen} observations");
}

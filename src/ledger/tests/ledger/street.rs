//! One message's way through the ledger, and back after a restart.

use crate::opening::{
    connection, donation, ended, frame, interpreted, observation, on_model, open, received, settings, write,
};
use ledger::storage::Model;
use ledger::{Body, Draft, Ledger, MessageFilter, OpenError, Page, Seq, StateStore, What};
use std::time::Duration;
use vocabulary::SpecimenKind;

fn check_street(state: StateStore) {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), state);
    let (ledger, _) = open(&settings);
    let first = ledger.append(vec![frame(7, b"H|\\^&\rP|1\r")]).unwrap().wait().unwrap();
    assert_eq!((first.first(), first.last()), (Seq::new(1), Seq::new(1)));
    let whole = received(Body::Frames { transfer: 7, from: 0, to: 16 });
    let group = vec![frame(7, b"L|1|N\rH|half"), whole, ended(7)];
    let second = ledger.append(group).unwrap().wait().unwrap();
    let message = Seq::new(3);
    assert_eq!((second.first(), second.last()), (Seq::new(2), Seq::new(4)));
    ledger.wait_applied(second.last()).wait().unwrap();
    assert_eq!(ledger.state().to_interpret(&Page::first(9)).unwrap().items[0].message, message);
    let result = observation(SpecimenKind::Patient, None);
    write(&ledger, vec![interpreted(message, vec![result.clone()], &[(0, 1)])]);

    let check = |ledger: &Ledger| {
        let state = ledger.state();
        assert_eq!(state.raw(message).unwrap(), b"H|\\^&\rP|1\rL|1|N\r");
        assert!(state.to_interpret(&Page::first(9)).unwrap().items.is_empty());
        assert_eq!(state.to_decide(&Page::first(9)).unwrap().items[0].donation, donation(1));
        let view = state.donation(&donation(1)).unwrap().unwrap();
        assert_eq!((&view.observations[0].observation, view.observations[0].message), (&result, message));
        let half = state.half_transfers(&Page::first(9)).unwrap().items;
        assert_eq!((half[0].transfer, half[0].used, half[0].bytes), (7, 16, 22));
        assert_eq!(state.unused_text(7).unwrap().unwrap(), b"H|half");
        assert_eq!(state.messages(&MessageFilter::default(), &Page::newest(5)).unwrap().items.len(), 1);
        assert_eq!(state.counters().unwrap().misfits, 0);
    };
    check(&ledger);
    ledger.close();
    let (ledger, _) = open(&settings);
    check(&ledger);
    assert_eq!(ledger.status().durable, Seq::new(5));
}

#[test]
fn a_message_in_frames_goes_its_way_and_is_there_after_a_restart() {
    check_street(StateStore::Memory);
    check_street(StateStore::Sled);
}

#[test]
fn what_a_link_made_of_its_frames_leaves_no_half_transmission_behind() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Memory);
    let (ledger, _) = open(&settings);
    let made = |text: &[u8], to| received(Body::Made { text: text.into(), transfer: 7, to });
    let group = vec![frame(7, b"SB01"), frame(7, b"DE01x"), made(b"SB01\rDE01\r", 8)];
    write(&ledger, group);
    let check = |ledger: &Ledger, left: &[u8]| {
        let state = ledger.state();
        assert_eq!(state.raw(Seq::new(3)).unwrap(), b"SB01\rDE01\r");
        let halves = state.half_transfers(&Page::first(9)).unwrap().items;
        let texts: Vec<_> = halves.iter().map(|h| state.unused_text(h.transfer).unwrap().unwrap()).collect();
        assert_eq!(texts.concat(), left);
        assert_eq!(state.counters().unwrap().misfits, 0);
    };
    write(&ledger, vec![ended(7)]);
    check(&ledger, b"x");
    ledger.close();
    let (ledger, _) = open(&settings);
    check(&ledger, b"x");
    write(&ledger, vec![made(b"x", 9)]);
    check(&ledger, b"");
}

#[test]
fn a_second_daemon_is_refused_and_told_who_holds_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Memory);
    let (ledger, _) = open(&settings);
    let error = Ledger::open(settings.clone(), &mut |_| {}).unwrap_err();
    let own = std::process::id().to_string();
    assert!(matches!(&error, OpenError::Locked { by, .. } if by.contains(&own)), "{error}");
    ledger.close();
    open(&settings).0.close();
}

#[test]
fn a_subscriber_is_woken_and_never_misses_a_move() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&on_model(dir.path(), &Model::new()));
    let mut moves = ledger.subscribe();
    write(&ledger, vec![Draft::by_system(What::Stopped)]);
    assert!(moves.wait(Duration::from_secs(5)));
    assert!(!moves.wait(Duration::ZERO));
}

#[test]
fn a_file_is_known_by_its_content_whatever_it_was_called_and_on_its_own_connection_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(&settings(dir.path(), StateStore::Memory));
    let file = |name: &str, sha256: &str| {
        let what = What::FileTaken {
            connection: connection(),
            name: name.to_owned(),
            sha256: sha256.to_owned(),
            bytes: 9,
        };
        write(&ledger, vec![Draft::by_connection(&connection(), what)])
    };
    let (first, second) = (file("b.csv", "aa"), file("a.csv", "ab"));
    let third = file("a.csv", "aa");
    let taken = |connection: &_, sha256: &str| {
        let found = ledger.state().files_taken(connection, sha256).unwrap();
        found.into_iter().map(|file| (file.seq, file.name, file.last)).collect::<Vec<_>>()
    };
    let known = [(first, "b.csv".to_owned(), false), (third, "a.csv".to_owned(), true)];
    assert_eq!(taken(&connection(), "aa"), known);
    assert_eq!(taken(&connection(), "ab"), [(second, "a.csv".to_owned(), false)]);
    assert_eq!(taken(&connection(), "a"), []);
    let other = vocabulary::ConnectionId::new("other").unwrap();
    assert_eq!(taken(&other, "aa"), []);
}

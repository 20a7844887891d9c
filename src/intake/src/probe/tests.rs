//! Every kind of connection, well and ill, and that nothing of it was touched.

use super::*;
use crate::Limits;
use std::{
    fs,
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::{PermissionsExt, symlink},
};
use tokio::io::AsyncReadExt;

/// A connection as it stands in a daemon.
fn served(reach: Reach, standing: impl FnOnce(&mut Standing)) -> (Board, ConnectionId) {
    let (board, id) = (Board::default(), ConnectionId::new("a").unwrap());
    board.reach_by(&id, reach);
    board.note(&id, |s| {
        s.activity = Activity::Listening;
        standing(s);
    });
    (board, id)
}

async fn looks((board, id): &(Board, ConnectionId)) -> Vec<Look> {
    told(probe(board, id).await.unwrap())
}

fn told(looks: Vec<Look>) -> Vec<Look> {
    for look in &looks {
        assert!(!look.at.en.is_empty() && !look.found.en.is_empty(), "{look:?}");
        // An address stands for itself.
        let itself = look.aspect == Aspect::Address && look.outcome == Outcome::Good;
        let itself = itself || (look.aspect == Aspect::Peer && look.found.zh.contains("未触动"));
        assert!(crate::said::is_chinese(&look.at.zh), "{look:?}");
        assert!(itself || crate::said::is_chinese(&look.found.zh), "{look:?}");
    }
    looks
}

/// What one aspect came to, and what was found.
fn of(looks: &[Look], aspect: Aspect) -> (Outcome, String) {
    let look = looks.iter().find(|look| look.aspect == aspect);
    let look = look.unwrap_or_else(|| panic!("no {aspect:?} in {looks:?}"));
    (look.outcome, look.found.en.clone())
}

fn check(looks: &[Look], aspect: Aspect, outcome: Outcome, found: &str) {
    let (came_to, what) = of(looks, aspect);
    assert!(
        came_to == outcome && what.contains(found),
        "{aspect:?}: {came_to:?} {what}, not {outcome:?} {found}"
    );
}

fn calls(address: &str) -> Reach {
    Reach::Connect { address: address.to_string(), tls: None }
}

#[tokio::test]
async fn how_it_stands_is_told_first() {
    let listen = || Reach::Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), tls: None };
    for (activity, silent, outcome, found) in [
        (Activity::Listening, false, Outcome::Good, "waiting for the analyser; because"),
        (Activity::Connected, false, Outcome::Good, "connected; because"),
        (Activity::Connected, true, Outcome::Doubt, "silent for longer"),
        (Activity::Watching, false, Outcome::Good, "watching"),
        (Activity::Connecting, false, Outcome::Doubt, "connecting"),
        (Activity::Failed, false, Outcome::Bad, "failed; because"),
        (Activity::Stopped, true, Outcome::Bad, "stopped"),
    ] {
        let standing = Standing {
            activity,
            silent,
            reason: "because".into(),
            reason_zh: "因为".into(),
            ..Standing::default()
        };
        let look = status(&standing);
        assert!(look.outcome == outcome && look.found.en.contains(found), "{look:?}");
        assert!(look.found.zh.contains("因为"), "{look:?}");
    }
    let unserved = told(probe_unserved(&listen(), Mode::Production).await);
    check(&unserved, Aspect::Status, Outcome::Doubt, "no daemon serves it");
    let nobody = ConnectionId::new("none").unwrap();
    assert_eq!(probe(&Board::default(), &nobody).await, None);
}

#[tokio::test]
async fn law_01_an_analyser_that_is_connected_is_left_alone() {
    // Somebody listens there, and would see an attempt.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let site = served(calls(&listener.local_addr().unwrap().to_string()), |s| s.sockets = 1);
    check(&looks(&site).await, Aspect::Reach, Outcome::Good, "its line is not touched");
    assert!(listener.accept().is_err(), "somebody came");
}

#[tokio::test]
async fn an_analyser_that_is_not_connected_is_reached_for_and_told_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = served(calls(&address.to_string()), |s| s.activity = Activity::Connecting);
    let found = looks(&site).await;
    check(&found, Aspect::Address, Outcome::Good, &address.to_string());
    check(&found, Aspect::Reach, Outcome::Good, "nothing was sent");
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut came = Vec::new();
    socket.read_to_end(&mut came).await.unwrap();
    assert!(came.is_empty(), "{came:?}");
    drop((socket, listener));
    check(&looks(&site).await, Aspect::Reach, Outcome::Bad, "is the analyser's program running");
    let nameless = looks(&served(calls("no port"), |_| {})).await;
    check(&nameless, Aspect::Address, Outcome::Bad, "look for a slip");
    assert!(nameless.iter().all(|look| look.aspect != Aspect::Reach));
}

#[tokio::test]
async fn a_port_is_free_taken_or_ours_and_nobody_can_connect_while_it_is_tried() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let listen = Reach::Listen { address, tls: None };
    let unserved = told(probe_unserved(&listen, Mode::Production).await);
    check(&unserved, Aspect::Port, Outcome::Bad, "is another daemon running?");
    let ours = looks(&served(listen.clone(), |_| {})).await;
    check(&ours, Aspect::Port, Outcome::Good, "hemogate listens on it");
    check(&ours, Aspect::Peer, Outcome::Doubt, "nobody since hemogate serves it");
    let gone = looks(&served(listen.clone(), |s| s.peer = "10.0.0.5:7".into())).await;
    check(&gone, Aspect::Peer, Outcome::Doubt, "10.0.0.5:7 was the last");
    let there = served(listen.clone(), |s| (s.peer, s.sockets) = ("10.0.0.5:7".into(), 1));
    check(&looks(&there).await, Aspect::Peer, Outcome::Good, "10.0.0.5:7; its line is not touched");
    drop(taken);
    let unserved = told(probe_unserved(&listen, Mode::Production).await);
    check(&unserved, Aspect::Port, Outcome::Good, "it is free");
    TcpListener::bind(address).expect("the port was given back");
    let foreign = Reach::Listen { address: ([192, 0, 2, 1], 9).into(), tls: None };
    let unserved = told(probe_unserved(&foreign, Mode::Production).await);
    check(&unserved, Aspect::Port, Outcome::Bad, "does not have that address");
}

/// A certificate of its own making, from and until so many days from now.
fn certificate(folder: &std::path::Path, from: i64, until: i64) -> crate::IdentityFiles {
    let day = |days: i64| {
        let span = Duration::from_hours(24 * days.unsigned_abs());
        let now = std::time::SystemTime::now();
        if days < 0 { now - span } else { now + span }
    };
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    (params.not_before, params.not_after) = (day(from).into(), day(until).into());
    let key = rcgen::KeyPair::generate().unwrap();
    let made = params.self_signed(&key).unwrap();
    let (certificate, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
    fs::write(&certificate, made.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    crate::IdentityFiles { certificate, key: key_file }
}

#[tokio::test]
async fn certificates_are_read_and_their_dates_told() {
    let folder = tempfile::tempdir().unwrap();
    for (from, until, outcome, found) in [
        (-1, 90, Outcome::Good, "valid from"),
        (-1, 5, Outcome::Doubt, "renew it soon"),
        (-9, -1, Outcome::Bad, "expired on"),
        (3, 90, Outcome::Bad, "check the clock"),
    ] {
        let identity = certificate(folder.path(), from, until);
        let ca = identity.certificate.clone();
        let server = TlsServerFiles { identity: identity.clone(), ca: None };
        let listen = Reach::Listen { address: (Ipv4Addr::LOCALHOST, 0).into(), tls: Some(server) };
        let found_there = told(probe_unserved(&listen, Mode::Production).await);
        check(&found_there, Aspect::Certificate, outcome, found);
        let client = TlsClientFiles { ca, identity: Some(identity) };
        let calls = Reach::Connect { address: "127.0.0.1:1".into(), tls: Some((client, "localhost".into())) };
        let found_there = told(probe_unserved(&calls, Mode::Production).await);
        check(&found_there, Aspect::Certificate, outcome, found);
    }
    let ca = certificate(folder.path(), -1, 90).certificate;
    let none = TlsClientFiles { ca, identity: None };
    let calls = Reach::Connect { address: "127.0.0.1:1".into(), tls: Some((none, "localhost".into())) };
    let found = told(probe_unserved(&calls, Mode::Production).await);
    check(&found, Aspect::Certificate, Outcome::Good, "we show none of our own");
    fs::remove_file(folder.path().join("cert.pem")).unwrap();
    let found = told(probe_unserved(&calls, Mode::Production).await);
    check(&found, Aspect::Certificate, Outcome::Bad, "check the path");
}

#[tokio::test]
async fn a_device_is_looked_at_and_not_opened() {
    let folder = tempfile::tempdir().unwrap();
    let (device, file) = (folder.path().join("adapter"), folder.path().join("file"));
    symlink("/dev/null", &device).unwrap();
    fs::write(&file, "").unwrap();
    for (device, outcome, found) in [
        (device.clone(), Outcome::Good, "it was not opened"),
        (file, Outcome::Bad, "is no serial device"),
        (folder.path().join("none"), Outcome::Bad, "plug the adapter in"),
    ] {
        let looks = looks(&served(Reach::Serial { device }, |_| {})).await;
        check(&looks, Aspect::Device, outcome, found);
    }
    let gone = Reach::Serial { device: folder.path().join("none") };
    let open = looks(&served(gone, |s| s.sockets = 1)).await;
    check(&open, Aspect::Device, Outcome::Good, "its line is not touched");
}

#[tokio::test]
async fn a_folder_says_what_is_there_and_is_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_path_buf();
    let reach = || Reach::Folder { path: path.clone() };
    let empty = looks(&served(reach(), |_| {})).await;
    check(&empty, Aspect::Folder, Outcome::Good, "no file is there");
    fs::write(path.join("a.csv"), "1").unwrap();
    fs::create_dir(path.join("taken")).unwrap();
    let found = looks(&served(reach(), |_| {})).await;
    check(&found, Aspect::Folder, Outcome::Good, "1 files are there");
    check(&found, Aspect::Writing, Outcome::Good, "nothing was written");
    assert_eq!(fs::read_dir(&path).unwrap().count(), 2);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o500)).unwrap();
    let found = looks(&served(reach(), |_| {})).await;
    // Whoever may do everything may write there all the same.
    if !rustix::process::geteuid().is_root() {
        check(&found, Aspect::Writing, Outcome::Bad, "check owner, group and mode");
    }
    let listening = looks(&served(reach(), |s| s.mode = Some(Mode::ListenOnly))).await;
    check(&listening, Aspect::Writing, Outcome::Good, "nothing is moved");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
    let gone = Reach::Folder { path: path.join("gone") };
    check(&looks(&served(gone, |_| {})).await, Aspect::Folder, Outcome::Bad, "check path, name and cable");
}

#[test]
fn what_is_served_is_what_is_looked_at() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let listen = Source::Listen(crate::Listen::plain(listener));
    assert_eq!(Reach::of(&listen), Some(Reach::Listen { address, tls: None }));
    let connect = Source::Connect(crate::Connect::plain("arch:9".into()));
    assert_eq!(Reach::of(&connect), Some(calls("arch:9")));
    assert!(Limits::default().sockets_max == 1, "one connection is the rule that a probe must keep");
}

//! Every fault of a simulated analyser against the daemon: what was acknowledged is held, nothing half is read, and
//! the connection's status says what happened.

use crate::{
    house::{Daemon, House},
    simulated::simulate,
};
use std::collections::BTreeMap;

const RECORDS: (&str, &str) = ("serology", "abbott/architect-i2000sr");
const BLOCKS: (&str, &str) = ("chemistry", "mindray/bs");

/// How often each message is held, whole, by its bytes.
type Held = BTreeMap<String, usize>;

/// Plays a few donations with a fault at a fresh daemon: what is held then, and the daemon.
fn play(line: (&str, &str), fault: Option<&str>) -> (Held, House, Daemon) {
    let house = House::with(&[line]);
    let daemon = house.start();
    let mut more: Vec<&dyn std::fmt::Display> = vec![&"--donations", &8];
    if let Some(fault) = &fault {
        more.extend([&"--fault" as &dyn std::fmt::Display, fault]);
    }
    let (exit, printed) = simulate(line.1, daemon.at(line.0).port(), &more);
    assert_eq!(exit, Some(0), "{fault:?}: {printed}");
    assert!(printed.contains("· 0 not acknowledged"), "{fault:?}: {printed}");
    let mut held = Held::new();
    for message in daemon.held(1) {
        *held.entry(message).or_default() += 1;
    }
    (held, house, daemon)
}

/// What the status must say of a fault.
struct Told {
    /// Messages are held more often than the analyser believes them sent: it sent them again.
    again: bool,
    /// Transmissions that ended half-way.
    cuts: u64,
    /// A part of what the last anomaly says; nothing where nothing is wrong with the line.
    anomaly: Option<&'static str>,
}

const SILENT: Told = Told { again: false, cuts: 0, anomaly: None };

fn check(line: (&str, &str), reference: &Held, fault: &str, told: &Told) {
    let (held, _house, daemon) = play(line, Some(fault));
    assert!(held.keys().eq(reference.keys()), "{fault}: other messages are held than were sent");
    let more = held.iter().filter(|(message, times)| reference[*message] < **times).count();
    let fewer = held.iter().filter(|(message, times)| reference[*message] > **times).count();
    assert_eq!((fewer, more > 0), (0, told.again), "{fault}: {more} messages are held more than once");
    let standing = daemon.standing(line.0);
    assert_eq!(standing["cut_total"], told.cuts, "{fault}: {standing}");
    match told.anomaly {
        None => {
            // Whoever cuts a line before it has read our answer resets it; the system tells us so, or does not.
            let broke = standing["anomalies"]["line_broke"].as_u64().unwrap_or_default();
            assert!(broke == 0 || fault.starts_with("cut"), "{fault}: {standing}");
            assert_eq!(standing["anomalies_total"], broke, "{fault}: {standing}");
        }
        Some(part) => {
            let said = standing["last_anomaly"].as_str().unwrap();
            assert!(said.contains(part), "{fault}: {standing}");
        }
    }
}

#[test]
fn every_fault_of_a_record_line_leaves_what_was_acknowledged_and_is_named() {
    let (reference, _house, _daemon) = play(RECORDS, None);
    assert!(reference.len() > 20);
    // A transfer of ten messages that breaks off is sent again whole: its first five messages are held twice. Dropped is
    // the line inside the sixth one's first frame, of which nothing is kept; cut it is behind it, which is half a message.
    let broken = |cuts, anomaly| Told { again: true, cuts, anomaly };
    let named = |anomaly| Told { anomaly: Some(anomaly), ..SILENT };
    for (fault, told) in [
        ("flip@2", named("the checksum is")),
        ("checksum@2", named("the checksum is")),
        ("split=1@2", SILENT),
        ("merge", SILENT),
        ("stall=300ms@2", SILENT),
        ("duplicate@2", Told { again: true, ..SILENT }),
        ("drop@2", broken(0, Some("a frame was broken off"))),
        ("cut@2", broken(1, Some("a transfer broke off"))),
    ] {
        check(RECORDS, &reference, fault, &told);
    }
}

#[test]
fn every_fault_of_a_block_line_leaves_what_was_acknowledged_and_is_named() {
    let (reference, _house, _daemon) = play(BLOCKS, None);
    assert!(reference.len() >= 8);
    let again = || Told { again: true, ..SILENT };
    for (fault, told) in [
        ("split=1@2", SILENT),
        ("stall=300ms@2", SILENT),
        ("merge@2", again()),
        ("duplicate@2", again()),
        ("drop@2", Told { cuts: 1, anomaly: Some("ended inside a block"), ..SILENT }),
        ("cut@2", again()),
    ] {
        check(BLOCKS, &reference, fault, &told);
    }
}

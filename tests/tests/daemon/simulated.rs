//! `hemogate simulate` at the daemon: what each fault of the line does there, and what the daemon does about it.

use crate::{
    analyser::{Block, Line},
    binary::hemogate,
    house::{Daemon, House, until},
    worklist::{KNOWN_WITHIN, told},
};
use serde_json::Value;
use std::{collections::BTreeSet, fmt::Display, fs, path::PathBuf, process::Command};

const SEROLOGY: &[(&str, &str)] = &[("serology", "abbott/architect-i2000sr"), ("chemistry", "mindray/bs")];
const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";

/// Plays an analyser at a connection; gives its exit code and what it printed.
fn simulate(daemon: &Daemon, connection: &str, more: &[&dyn Display]) -> (Option<i32>, String) {
    let profile = SEROLOGY.iter().find(|(id, _)| *id == connection).unwrap().1;
    let mut command = Command::new(hemogate());
    command.args(["simulate", profile, "--to", &daemon.listening[connection].to_string(), "--lang", "en"]);
    command.args(more.iter().map(ToString::to_string));
    let output = command.output().unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// How many messages an analyser says were acknowledged.
fn acknowledged(printed: &str) -> usize {
    printed
        .split_once(" messages acknowledged · 0 not")
        .unwrap_or_else(|| panic!("{printed}"))
        .0
        .parse()
        .unwrap()
}

fn connection(daemon: &Daemon, id: &str) -> Value {
    let all = daemon.get("connections");
    all["items"].as_array().unwrap().iter().find(|c| c["id"] == id).unwrap().clone()
}

/// How often something irregular came, by its kind.
fn came(daemon: &Daemon, id: &str, kind: &str) -> u64 {
    connection(daemon, id)["anomalies"][kind].as_u64().unwrap_or_default()
}

/// The different messages that are held, once nothing waits any more. What was whole in a transfer that broke comes twice.
fn held(daemon: &Daemon, at_least: usize) -> usize {
    until("what was acknowledged is held", KNOWN_WITHIN, || daemon.list("messages").len() >= at_least);
    daemon.idle();
    let raw = |m: &Value| daemon.ask(&format!("/api/v1/messages/{}/raw", m["seq"])).1;
    daemon.list("messages").iter().map(raw).collect::<BTreeSet<_>>().len()
}

fn question(house: &House, tube: &str) -> PathBuf {
    let text = format!(
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500\nQ|1|^{tube}||^^^ALL||||||||O\nL|1\n"
    );
    let file = house.path.join(format!("{tube}.txt"));
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_simulated_analyser_asks_and_is_told_its_orders() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &[HBSAG]);
    let file = question(&house, "G123426000001");
    let (exit, printed) = simulate(
        &daemon,
        "serology",
        &[&"--send", &file.display(), &"--listen-for-ms", &60_000, &"--listen-until", &1],
    );
    assert_eq!(exit, Some(0), "{printed}");
    assert!(printed.contains("the host sent:\n  H|"), "{printed}");
    assert!(printed.contains("  O|1|G123426000001||^^^728|"), "{printed}");
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1);
}

#[test]
fn contention_is_lost_to_the_analyser_and_both_messages_arrive() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &[HBSAG]);
    let more: [&dyn Display; 10] = [
        &"--query",
        &"G123426000001",
        &"--query",
        &"G123426000009",
        &"--fault",
        &"contention@2",
        &"--listen-for-ms",
        &60_000,
        &"--listen-until",
        &2,
    ];
    let (exit, printed) = simulate(&daemon, "serology", &more);
    assert_eq!(exit, Some(0), "{printed}");
    assert!(came(&daemon, "serology", "contention") >= 1, "{printed}");
    assert_eq!(daemon.asked(2).len(), 2, "both questions were heard");
    assert_eq!(printed.matches("the host sent:").count(), 2, "{printed}");
    assert!(printed.contains("  O|1|G123426000001||^^^728|"), "{printed}");
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1, "told once");
}

#[test]
fn an_interrupt_request_is_counted_and_the_orders_go_on_arriving() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &[HBSAG]);
    let more: [&dyn Display; 10] = [
        &"--query",
        &"G123426000001",
        &"--query",
        &"G123426000009",
        &"--fault",
        &"interrupt@2",
        &"--listen-for-ms",
        &60_000,
        &"--listen-until",
        &2,
    ];
    let (exit, printed) = simulate(&daemon, "serology", &more);
    assert_eq!(exit, Some(0), "{printed}");
    assert!(came(&daemon, "serology", "contention") >= 1, "{}", connection(&daemon, "serology"));
    assert!(printed.contains("  O|1|G123426000001||^^^728|"), "{printed}");
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1, "told once");
}

#[test]
fn a_slow_reader_holds_up_nobody_and_loses_nothing() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    let (exit, printed) =
        simulate(&daemon, "serology", &[&"--donations", &2, &"--fault", &"slow-reader=300ms@1"]);
    assert_eq!(exit, Some(0), "{printed}");
    let sent = acknowledged(&printed);
    assert_eq!(held(&daemon, sent), sent);
    assert_eq!(connection(&daemon, "serology")["anomalies_total"], 0);
}

#[test]
fn a_frame_without_an_end_is_not_kept_and_what_comes_after_it_is() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    let mut before = 0;
    for analyser in ["serology", "chemistry"] {
        let (exit, printed) =
            simulate(&daemon, analyser, &[&"--donations", &2, &"--fault", &"endless-frame=20000000@1"]);
        assert_eq!(exit, Some(0), "{analyser}: {printed}");
        before += acknowledged(&printed);
        assert_eq!(held(&daemon, before), before, "{analyser}: {printed}");
        let standing = connection(&daemon, analyser);
        assert!(standing["anomalies_total"].as_u64() > Some(0), "{standing}");
    }
    // The block over MLLP was longer than any may be; of LIS01's session nothing but the frames before it is left.
    assert_eq!(came(&daemon, "chemistry", "oversize"), 1, "{}", connection(&daemon, "chemistry"));
    let halves = daemon.list("transfers/half");
    assert!(!halves.is_empty() && halves.len() <= 2, "{halves:?}");
    // And others are served.
    let mut line = Line::open(daemon.listening["chemistry"]).unwrap();
    let block = Block::new("chemistry", "G123426000077");
    line.write(&mllp::frame(&block.bytes)).unwrap();
    assert!(line.answer().unwrap().contains("MSA|AA|"));
}

#[test]
fn damage_of_every_other_kind_costs_a_repeat_and_never_a_message() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    let faults = ["drop@1", "cut@2", "flip@3", "checksum@4", "split=3@5", "merge@6", "stall=200ms@7"];
    let mut more: Vec<&dyn Display> = vec![&"--donations", &16];
    for fault in &faults {
        more.push(&"--fault");
        more.push(fault);
    }
    let (exit, printed) = simulate(&daemon, "serology", &more);
    assert_eq!(exit, Some(0), "{printed}");
    let sent = acknowledged(&printed);
    // Ten messages a transfer: each fault has had its own.
    assert!(sent > 10 * faults.len(), "{printed}");
    assert_eq!(held(&daemon, sent), sent);
    // Two connections were lost in the middle; a flipped bit and a wrong checksum were refused.
    assert!(came(&daemon, "serology", "damaged") >= 2, "{}", connection(&daemon, "serology"));
    assert!((1..=2).contains(&daemon.list("transfers/half").len()));
}

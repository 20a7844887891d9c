//! python-astm's client as an analyser, towards our daemon.

use crate::{
    driver::{Driver, all, texts},
    house::{Daemon, House, until},
    kit::{Kit, python},
    relay::{flip_in_frame, relay, untouched, withhold_after},
};
use serde_json::{Value, json};
use std::{net::SocketAddr, time::Duration};

const LINE: (&str, &str) = ("serology", "abbott/architect-i2000sr");
const ENQ: &str = "\u{5}";
const EOT: &str = "\u{4}";

/// One result as a message of five records.
pub(crate) fn message(tag: &str) -> Vec<String> {
    let test = "^^^728^HBsAgQ2^UNDILUTED^P^51104LI00^01127^";
    vec![
        format!("H|\\^&|{tag}||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500"),
        "P|1".to_owned(),
        format!("O|1|{tag}|{tag}^U265^1|^^^728^HBsAgQ2^UNDILUTED^P|R||||||||||||||||||||F"),
        format!("R|1|{test}^F|0.12|S/CO||||F||LAB^LAB||20260302090010|iSR03600"),
        "L|1".to_owned(),
    ]
}

/// As it is held: every record with its CR.
pub(crate) fn text(message: &[String]) -> String {
    message.join("\r") + "\r"
}

fn start() -> (House, Daemon) {
    let house = House::with(&[LINE]);
    let daemon = house.start();
    (house, daemon)
}

/// Lets python-astm send, and gives what it said.
pub(crate) fn send(python: &Kit, to: SocketAddr, order: &Value) -> Vec<Value> {
    Driver::start(python, "astm_client.py", &[&to.ip(), &to.port(), order]).end()
}

/// What its emitter was told of each record: letter and verdict.
pub(crate) fn verdicts(said: &[Value]) -> Vec<(String, bool)> {
    let told = said.iter().filter(|what| what.get("record").is_some());
    told.map(|what| (what["record"].as_str().unwrap().to_owned(), what["accepted"].as_bool().unwrap()))
        .collect()
}

/// Whole, cut into small frames, or several records in a frame: the same messages are held, each once.
#[test]
fn every_message_of_python_astm_is_held_once_however_it_frames_it() {
    let Some(python) = python() else { return };
    let messages = [message("A1"), message("A2"), message("A3")];
    let wanted: Vec<String> = messages.iter().map(|m| text(m)).collect();
    for (how, frames) in [
        (json!({}), 15),
        // Its size counts seven bytes of frame; its last frame is one byte longer than it was told.
        (json!({"chunk": 60}), 24),
        (json!({"bulk": true}), 3),
        (json!({"bulk": true, "chunk": 247}), 6),
    ] {
        let (_house, daemon) = start();
        let mut order = how.clone();
        order["messages"] = json!(messages);
        let said = send(python, daemon.at(LINE.0), &order);
        assert_eq!(texts(&said, "error"), [""; 0], "{how}");
        assert!(verdicts(&said).iter().all(|(_, accepted)| *accepted), "{how}: {said:#?}");
        assert_eq!(daemon.held(3), wanted, "{how}");
        let standing = daemon.standing(LINE.0);
        assert_eq!(standing["accepted_total"], frames, "{how}: {standing}");
        assert_eq!(
            (&standing["refused_total"], &standing["cut_total"]),
            (&json!(0), &json!(0)),
            "{standing}"
        );
    }
}

/// Its fault: it enquires anew together with every EOT, also when it has nothing more to send, so that a session
/// without a frame ends every connection. That is no transfer and raises nothing.
#[test]
fn the_enquiry_that_python_astm_sends_with_every_eot_is_answered_and_leaves_no_trace() {
    let Some(python) = python() else { return };
    let (_house, daemon) = start();
    let said = send(python, daemon.at(LINE.0), &json!({"messages": [message("B1")]}));
    let sends = texts(&said, "sends");
    assert_eq!(sends[sends.len() - 3..], [EOT, ENQ, EOT], "it wants the line again with nothing to say");
    assert_eq!(daemon.held(1).len(), 1);
    for counter in ["half_transfers", "open_transfers"] {
        assert_eq!(daemon.counter(counter), 0, "{counter}");
    }
    let standing = daemon.standing(LINE.0);
    assert_eq!(standing["anomalies_total"], 0, "{standing}");
}

/// Its fault: a refused frame is never sent again. The emitter is told, and whatever it hands over next leaves under
/// the next number, even the same record; a last record handed over again leaves alone, in a session of its own. Our
/// receiver takes only the number that is due, so that everything behind the damage is refused too: nothing of the
/// message is read, what came is kept as half transmissions, and the status says what was wrong. On an undamaged line
/// the whole message comes through.
#[test]
fn a_frame_that_python_astm_does_not_repeat_costs_the_message_and_is_named() {
    let Some(python) = python() else { return };
    for again in [false, true] {
        let (_house, daemon) = start();
        let to = relay(daemon.at(LINE.0), flip_in_frame(3), untouched);
        let said = send(python, to, &json!({"messages": [message("C1")], "again": again}));
        let told = verdicts(&said);
        assert_eq!(told[..2], [("H".to_owned(), true), ("P".to_owned(), true)]);
        let stray = (again, told.last().unwrap().1);
        assert!(matches!(stray, (false, false) | (true, true)), "{told:?}");
        let refused = told.len() - usize::from(again);
        assert!(told[2..refused].iter().all(|(_, accepted)| !accepted), "again {again}: {told:?}");
        let numbers: Vec<String> = texts(&said, "sends")
            .iter()
            .filter_map(|s| s.strip_prefix('\u{2}'))
            .map(|s| s.split_at(1).0.to_owned())
            .collect();
        assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "no number comes twice: {numbers:?}");

        until("the half transmission is kept", Duration::from_mins(1), || {
            daemon.counter("half_transfers") == 1
        });
        daemon.idle();
        // A lone terminator is a message without a header: kept, held up for a person, and without a result.
        let lone = u64::from(again);
        let counters = ["half_transfers", "messages", "held_messages", "observations"];
        assert_eq!(counters.map(|name| daemon.counter(name)), [1, lone, lone, 0], "again {again}");
        let standing = daemon.standing(LINE.0);
        assert_eq!(standing["accepted_total"], 2 + lone, "{standing}");
        assert!(standing["anomalies_total"].as_u64() >= Some(3), "{standing}");
        let reason = standing["last_anomaly"].as_str().unwrap();
        assert!(reason.contains("came where"), "{standing}");

        let said = send(python, daemon.at(LINE.0), &json!({"messages": [message("C1")]}));
        assert!(verdicts(&said).iter().all(|(_, accepted)| *accepted));
        assert_eq!(daemon.held(1).last(), Some(&text(&message("C1"))));
    }
}

/// An acknowledgement that never arrives: python-astm gives up after its own time, ends the session and closes.
/// What it sent is kept as half and not read; the message that it sends again is held once.
#[test]
fn a_session_that_python_astm_gives_up_is_half_and_its_repetition_whole() {
    let Some(python) = python() else { return };
    let (_house, daemon) = start();
    let to = relay(daemon.at(LINE.0), untouched, withhold_after(3));
    let said = send(python, to, &json!({"messages": [message("D1")], "timeout": 1}));
    assert_eq!(all(&said, "timeout").len(), 1);
    assert_eq!(texts(&said, "sends").last().map(String::as_str), Some(EOT));
    until("the half transmission is kept", Duration::from_mins(1), || daemon.counter("half_transfers") == 1);
    assert_eq!(daemon.counter("messages"), 0);

    let said = send(python, daemon.at(LINE.0), &json!({"messages": [message("D1")]}));
    assert!(verdicts(&said).iter().all(|(_, accepted)| *accepted));
    assert_eq!(daemon.held(1), [text(&message("D1"))]);
    assert_eq!(daemon.counter("half_transfers"), 1);
}

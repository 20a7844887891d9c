//! Other people's MLLP clients as analysers, towards our daemon.

use crate::{
    driver::{Driver, all, texts},
    house::{Daemon, House},
    kit::{Kit, newer_node, node, python},
};
use serde_json::{Value, json};
use std::{fmt::Display, net::SocketAddr};

const CHEMISTRY: (&str, &str) = ("chemistry", "mindray/bs");
const NAT: (&str, &str) = ("nat", "roche/cobas-x800");

/// One ALT result; the name of the specimen is Chinese.
fn message(id: &str) -> String {
    format!(
        "MSH|^~\\&|Mindray|BS-600M|||20260302142000||ORU^R01|{id}|P|2.3.1||||0||ASCII|||\r\
         PID|1|||||||O\rOBR|1|G123426000001|5|Mindray^BS-600M|N||20260302141530||||||||血清\r\
         OBX|1|NM|3|ALT|23.000000|U/L|0-40|N|||F||23.000000|20260302141530\r"
    )
}

fn start(line: (&str, &str)) -> (House, Daemon, SocketAddr) {
    let house = House::with(&[line]);
    let daemon = house.start();
    let address = daemon.at(line.0);
    (house, daemon, address)
}

/// Lets a client send `messages`, and gives what it said.
fn send(kit: &Kit, script: &str, to: SocketAddr, how: &[&dyn Display], messages: &[Value]) -> Vec<Value> {
    let (host, port) = (to.ip(), to.port());
    let mut arguments: Vec<&dyn Display> = vec![&host, &port];
    arguments.extend(how);
    let mut driver = Driver::start(kit, script, &arguments);
    for message in messages {
        driver.order(message);
    }
    driver.end()
}

/// A client sends three messages; each is accepted under its own id and held once, as that library writes it.
fn check(kit: &Kit, script: &str, how: &[&dyn Display], writes: fn(&str) -> String) {
    let (_house, daemon, to) = start(CHEMISTRY);
    let ids = ["1", "2", "3"];
    let orders: Vec<Value> = ids.iter().map(|id| json!({"message": message(id)})).collect();
    let said = send(kit, script, to, how, &orders);
    assert_eq!(texts(&said, "error"), [""; 0], "{script}");
    assert_eq!(texts(&said, "code"), ["AA"; 3], "{script}: {said:#?}");
    assert_eq!(texts(&said, "control_id"), ids, "{script}");
    let wanted: Vec<String> = ids.iter().map(|id| writes(&message(id))).collect();
    assert_eq!(daemon.held(3), wanted, "{script}");
    let standing = daemon.standing(CHEMISTRY.0);
    assert_eq!(
        (&standing["accepted_total"], &standing["refused_total"]),
        (&json!(3), &json!(0)),
        "{standing}"
    );
}

/// Segments without separators behind their last value.
fn trimmed(message: &str) -> String {
    let segments: Vec<&str> = message.trim_end().split('\r').map(|s| s.trim_end_matches('|')).collect();
    segments.join("\r")
}

#[test]
fn python_hl7_sends_and_reads_our_acknowledgements() {
    let Some(python) = python() else { return };
    check(python, "hl7_client.py", &[&"blocking"], str::to_owned);
    check(python, "hl7_client.py", &[&"asyncio"], str::to_owned);
}

/// hl7apy leaves out trailing separators and the last CR is its framing's: still the same message.
#[test]
fn hl7apy_sends_and_reads_our_acknowledgements() {
    let Some(python) = python() else { return };
    check(python, "hl7apy_client.py", &[], |m| trimmed(m) + "\r");
}

#[test]
fn node_hl7_client_sends_and_reads_our_acknowledgements() {
    let Some(node) = newer_node() else { return };
    check(node, "node_hl7_client.js", &[&"patient"], |m| m.trim_end().to_owned());
    // Without waiting: all three leave at once, and every answer finds its message.
    check(node, "node_hl7_client.js", &[&"hasty"], |m| m.trim_end().to_owned());
}

#[test]
fn simple_hl7_sends_and_reads_our_acknowledgements() {
    let Some(node) = node() else { return };
    check(node, "simple_hl7_client.js", &[], |m| m.trim_end().to_owned());
}

/// hl7apy knows the standard by its tables: our standard acknowledgement is valid by them.
#[test]
fn hl7apy_finds_our_standard_acknowledgement_valid() {
    let Some(python) = python() else { return };
    let (_house, daemon, to) = start(NAT);
    let text = "MSH|^~\\&|X800DM|Roche|Host|LIS|20260302142000+0800||OUL^R22^OUL_R22|77|P|2.5.1|||NE|AL||\
                UNICODE UTF-8|||LAB-29^IHE\rSPM|1|S1&ROCHE||PLAS^plasma^HL70487|||||||P\rSAC|||S1\r";
    let said = send(python, "hl7apy_client.py", to, &[], &[json!({"message": text})]);
    assert_eq!(texts(&said, "code"), ["AA"]);
    assert_eq!(all(&said, "fault"), [&Value::Null], "{said:#?}");
    assert_eq!(daemon.held(1).len(), 1);
}

/// Its fault: one `recv()` is taken for one answer. With two messages in one write it reads both answers or the first,
/// as it happens; both messages are held and both are answered, in order.
#[test]
fn two_messages_in_one_write_of_python_hl7_are_both_held_and_both_answered() {
    let Some(python) = python() else { return };
    let (_house, daemon, to) = start(CHEMISTRY);
    let block = |id: &str| format!("\u{b}{}\u{1c}\r", message(id));
    let orders = [json!({"raw": block("1") + &block("2")}), json!({"raw": block("3")})];
    let said = send(python, "hl7_client.py", to, &[&"blocking"], &orders);
    let read = texts(&said, "bytes").concat();
    let answered: Vec<&str> =
        read.split("MSA|AA|").skip(1).filter_map(|rest| rest.split('|').next()).collect();
    assert!(answered.len() >= 2 && ["1", "2", "3"].starts_with(&answered), "{read:?}");
    assert_eq!(daemon.held(3), ["1", "2", "3"].map(message));
}

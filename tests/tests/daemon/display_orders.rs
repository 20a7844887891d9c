//! Analysers ask in the HL7 2.3.1 dialect: QRY^Q02, answered by QCK^Q02, and DSR^Q03 with the DSP list.

use crate::{
    analyser::Line,
    house::House,
    worklist::{field, told},
};
use serde_json::json;

const DISPLAY: &[(&str, &str)] = &[("display", "generic/hl7-qry-q02")];

fn head(kind: &str, id: &str) -> String {
    format!("MSH|^~\\&|Maker|MODEL|||20260302142000||{kind}|{id}|P|2.3.1||||||ASCII|||\r")
}

fn question(id: &str, tube: &str, what: &str) -> String {
    let head = head("QRY^Q02", id);
    format!("{head}QRD|20260302142000|R|D|{id}|||RD|{tube}|{what}|||T|\rQRF|MODEL|||||RCT|COR|ALL||\r")
}

fn acknowledged(id: &str, message: &str) -> String {
    let head = head("ACK^Q03", id);
    format!("{head}MSA|AA|{}|Message accepted|||0|\r", field(message, "MSH", 10))
}

/// DSP-3 of line `number`.
fn line_of(dsr: &str, number: usize) -> &str {
    let start = format!("DSP|{number}|");
    let segment = dsr.split('\r').find(|s| s.starts_with(&start)).unwrap_or_else(|| panic!("{dsr:?}"));
    segment.split('|').nth(3).unwrap()
}

#[test]
fn a_tube_that_is_known_gets_qck_and_its_list_and_one_that_is_not_gets_qck_alone() {
    let house = House::with(DISPLAY).also("orders_unasked = false");
    let mut daemon = house.start();
    let order = json!({
        "id": "O1", "specimen": "G123426000001", "assays": ["generic ALT"], "priority": "stat",
        "specimen_type": "serum", "collected_at": "2026-03-01T16:30:00",
        "donor": { "id": "D1", "name": "Wang^Li", "born": "1990-01-02", "sex": "female" },
    });
    assert_eq!(daemon.post("orders", &order).0, 201);
    let mut line = Line::open(daemon.listening["display"]).unwrap();
    line.block(&question("1", "G123426000001", "OTH"));
    let qck = line.answer().unwrap();
    assert_eq!(
        (field(&qck, "MSH", 9), field(&qck, "MSA", 1), field(&qck, "MSA", 2), field(&qck, "QAK", 2)),
        ("QCK^Q02", "AA", "1", "OK")
    );
    let dsr = line.answer().unwrap();
    assert_eq!((field(&dsr, "MSH", 9), field(&dsr, "QRD", 8)), ("DSR^Q03", "G123426000001"));
    let lines: Vec<&str> = [1, 3, 4, 5, 21, 24, 26, 29].map(|number| line_of(&dsr, number)).to_vec();
    assert_eq!(
        lines,
        ["D1", "Wang\\S\\Li", "19900102000000", "F", "G123426000001", "Y", "serum", "1^ALT^U/L^"]
    );
    assert!((1..=28).all(|number| dsr.contains(&format!("\rDSP|{number}|"))), "{dsr:?}");
    assert_eq!(field(&dsr, "DSC", 1), "", "no other list follows");
    line.block(&acknowledged("2", &dsr));
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1);
    line.block(&question("3", "G123426000009", "OTH"));
    let qck = line.answer().unwrap();
    assert_eq!((field(&qck, "MSA", 2), field(&qck, "QAK", 2)), ("3", "NF"));
    assert_eq!(daemon.asked(2)[1]["why"][0]["why"], "there is no order for this specimen");
    daemon.logs("there is no order for this specimen");
    // Nothing else is owed for it: the next block answers the question that is taken back.
    line.block(&question("4", "G123426000001", "CAN"));
    let answer = line.answer().unwrap();
    assert_eq!((field(&answer, "MSH", 9), field(&answer, "MSA", 2)), ("ACK^Q02", "4"));
    assert_eq!(daemon.asked(3)[2]["outcome"], "cancelled");
}

#[test]
fn one_list_waits_for_the_acknowledgement_of_the_one_before() {
    let house = House::with(DISPLAY).also("orders_unasked = false");
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &["generic ALT"]);
    daemon.place("O2", "G123426000002", &["generic ALT"]);
    let mut line = Line::open(daemon.listening["display"]).unwrap();
    // Whatever there is to do: no tube is named, but a span of time.
    let all = question("1", "", "OTH").replace("QRF|MODEL|||", "QRF|MODEL|20260301000000|20260302235959|");
    line.block(&all);
    assert_eq!(field(&line.answer().unwrap(), "QAK", 2), "OK");
    let first = line.answer().unwrap();
    assert_eq!(field(&first, "DSC", 1), field(&first, "MSH", 10), "another one follows");
    // While its acknowledgement is missing, a question is answered and no second list comes.
    line.block(&question("2", "G123426000009", "OTH"));
    let answer = line.answer().unwrap();
    assert_eq!((field(&answer, "MSH", 9), field(&answer, "MSA", 2)), ("QCK^Q02", "2"));
    line.block(&acknowledged("3", &first));
    let second = line.answer().unwrap();
    assert_eq!((field(&second, "MSH", 9), field(&second, "DSC", 1)), ("DSR^Q03", ""));
    line.block(&acknowledged("4", &second));
    let tubes = [line_of(&first, 21), line_of(&second, 21)];
    assert_eq!(tubes, ["G123426000001", "G123426000002"]);
    for id in ["O1", "O2"] {
        assert_eq!(told(&daemon.order_is(id, "sent")), 1);
    }
}

//! Analysers ask and are told as IHE LAW has it: QBP^Q11 and RSP^K11, OML^O33 and ORL^O34.

use crate::{
    analyser::Line,
    house::{House, until},
    worklist::{KNOWN_WITHIN, field, told},
};
use serde_json::json;

const LAW: &[(&str, &str)] = &[("law", "generic/ihe-law")];
const ASSAYS: &[&str] = &["LAW HBsAg", "LAW anti-HCV"];

fn head(kind: &str, id: &str, conditions: &str) -> String {
    format!(
        "MSH|^~\\&|ANALYSER|SITE|HOST|LIS|20260302150500+0800||{kind}|{id}|P|2.5.1|||{conditions}||UNICODE UTF-8|||LAB-27^IHE\r"
    )
}

fn question(id: &str, tube: &str) -> String {
    let head = head("QBP^Q11^QBP_Q11", id, "NE|AL");
    format!("{head}QPD|WOS^Work Order Step^IHELAW|T{id}|{tube}|R7|3\rRCP|I||R^Real Time^HL70394\r")
}

/// Every value of a field, in order.
fn fields<'m>(message: &'m str, name: &str, number: usize) -> Vec<&'m str> {
    let segments = message.split('\r').filter(|s| s.starts_with(name));
    segments.map(|s| s.split('|').nth(number).unwrap_or_default()).collect()
}

/// The analyser's answer to our order: each step with what it says of it.
fn orl(to: &str, id: &str, steps: &[(&str, &str)]) -> String {
    let begin = format!("{}MSA|AA|{}\rSPM|1\r", head("ORL^O34^ORL_O42", id, "|"), field(to, "MSH", 10));
    let step = |(step, said): &(&str, &str)| {
        let (control, status) = said.split_once(' ').unwrap();
        format!("ORC|{control}||||{status}\rOBR||{step}||X\r")
    };
    std::iter::once(begin).chain(steps.iter().map(step)).collect()
}

/// The next message of ours, which must be of this kind.
fn next(line: &mut Line, kind: &str) -> String {
    let message = line.answer().unwrap();
    assert!(field(&message, "MSH", 9).starts_with(kind), "{message:?}");
    message
}

#[test]
fn a_question_is_answered_and_its_steps_are_taken_one_by_one() {
    let house = House::with(LAW).also("orders_unasked = false");
    let mut daemon = house.start();
    daemon.place("O1", "G123426000001", ASSAYS);
    let mut line = Line::open(daemon.listening["law"]).unwrap();
    line.block(&question("1", "G123426000001"));
    let rsp = next(&mut line, "RSP^K11");
    assert_eq!((field(&rsp, "MSA", 1), field(&rsp, "MSA", 2), field(&rsp, "QAK", 2)), ("AA", "1", "OK"));
    let oml = next(&mut line, "OML^O33");
    assert_eq!(fields(&oml, "ORC", 1), ["NW", "NW"]);
    assert_eq!(
        (field(&oml, "SAC", 3), field(&oml, "SAC", 10), field(&oml, "SAC", 11)),
        ("G123426000001", "R7", "3")
    );
    let steps = fields(&oml, "OBR", 2);
    line.block(&orl(&oml, "2", &[(steps[0], "OK SC"), (steps[1], "UA CA")]));
    let order = daemon.order_is("O1", "refused");
    let states: Vec<_> =
        order["assays"].as_array().unwrap().iter().map(|a| (&a["assay"], &a["state"])).collect();
    assert_eq!(states, [(&json!("LAW HBsAg"), &json!("sent")), (&json!("LAW anti-HCV"), &json!("refused"))]);
    daemon.logs("the analyser does not take an order");
}

#[test]
fn what_is_not_to_be_done_is_told_in_law_and_to_people() {
    let house = House::with(LAW);
    let mut daemon = house.start();
    let mut line = Line::open(daemon.listening["law"]).unwrap();
    line.block(&question("1", "G123426000009"));
    assert_eq!(field(&next(&mut line, "RSP^K11"), "QAK", 2), "OK");
    let oml = next(&mut line, "OML^O33");
    assert_eq!(
        (field(&oml, "ORC", 1), field(&oml, "SPM", 11), field(&oml, "SAC", 3)),
        ("DC", "U", "G123426000009")
    );
    assert!(!oml.contains("OBR|"), "{oml:?}");
    line.block(&orl(&oml, "2", &[]));
    // A question that names no tube is refused with the reason.
    line.block(&question("3", ""));
    let refused = next(&mut line, "RSP^K11");
    assert_eq!((field(&refused, "MSA", 1), field(&refused, "ERR", 8)), ("AR", "it names no specimen"));
    let queries = daemon.asked(2);
    assert_eq!(queries[0]["why"][0]["why"], "there is no order for this specimen");
    assert_eq!(queries[1]["outcome"]["refused"]["why"], "it names no specimen");
    daemon.logs("there is no order for this specimen");
}

#[test]
fn an_order_and_its_cancellation_are_told_once_each_and_answered() {
    let house = House::with(LAW);
    let daemon = house.start();
    let mut line = Line::open(daemon.listening["law"]).unwrap();
    assert_eq!(daemon.place("O1", "G123426000001", &["LAW HBsAg"]), "new");
    let oml = next(&mut line, "OML^O33");
    let step = field(&oml, "OBR", 2).to_owned();
    line.block(&orl(&oml, "1", &[(&step, "OK SC")]));
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1);
    // The same order again, and the same answer again: nothing more is told.
    assert_eq!(daemon.place("O1", "G123426000001", &["LAW HBsAg"]), "same");
    line.block(&orl(&oml, "2", &[(&step, "OK SC")]));
    let (status, body) = daemon.post("orders/O1/cancel", &json!({ "reason": "donor called back" }));
    assert_eq!((status, &body["cancelled"]), (200, &json!(["LAW HBsAg"])), "{body}");
    let cancel = next(&mut line, "OML^O33");
    assert_eq!((field(&cancel, "ORC", 1), field(&cancel, "OBR", 2)), ("CA", step.as_str()));
    line.block(&orl(&cancel, "3", &[(&step, "CR CA")]));
    let mut order = json!(null);
    until("both are answered", KNOWN_WITHIN, || {
        order = daemon.get("orders/O1");
        told(&order) == 2
    });
    assert_eq!(order["state"], "cancelled");
    let history = order["history"].as_array().unwrap();
    let sent = history.iter().filter(|entry| entry["what"] == "order_sent");
    let said: Vec<_> = sent.map(|e| (&e["detail"]["action"], &e["detail"]["accepted"])).collect();
    assert_eq!(said, [(&json!("place"), &json!(true)), (&json!("cancel"), &json!(true))]);
}

#[test]
fn an_order_that_was_not_answered_is_told_again_over_the_next_line_as_the_same_step() {
    let house = House::with(LAW);
    let daemon = house.start();
    let mut line = Line::open(daemon.listening["law"]).unwrap();
    daemon.place("O1", "G123426000001", &["LAW HBsAg"]);
    let oml = next(&mut line, "OML^O33");
    drop(line);
    let mut line = Line::open(daemon.listening["law"]).unwrap();
    line.block(&question("1", "G123426000009"));
    // The question is answered first or second; the order comes again either way, and its step has the same name.
    let (mut again, mut negative) = (None, None);
    while again.is_none() || negative.is_none() {
        let message = line.answer().unwrap();
        match (field(&message, "MSH", 9).split('^').next().unwrap(), message.contains("ORC|NW")) {
            ("OML", true) => {
                let step = field(&message, "OBR", 2).to_owned();
                line.block(&orl(&message, "2", &[(&step, "OK SC")]));
                again = Some(step);
            }
            ("OML", false) => {
                line.block(&orl(&message, "3", &[]));
                negative = Some(());
            }
            _ => {}
        }
    }
    assert_eq!(again.as_deref(), Some(field(&oml, "OBR", 2)), "an analyser knows it again");
    assert_eq!(told(&daemon.order_is("O1", "sent")), 1);
}

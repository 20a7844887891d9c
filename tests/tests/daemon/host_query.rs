//! Analysers ask in LIS02: the answer comes in a session of its own, after theirs.

use crate::{
    analyser::{ENQ, EOT, Line},
    house::{House, until},
    worklist::{KNOWN_WITHIN, told},
};
use serde_json::json;
use std::{fs, path::Path};

const ASKS: &[(&str, &str)] = &[("asks", "generic/astm-host-query")];
const SEROLOGY: &[(&str, &str)] = &[("serology", "abbott/architect-i2000sr")];
const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";

fn records(lines: &[&str]) -> Vec<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

/// A question of the generic analyser.
fn question(tube: &str, status: &str) -> Vec<String> {
    let q = format!("Q|1|^{tube}||ALL||||||||{status}");
    records(&["H|\\^&|||MODEL|||||HOST||P|LIS2-A2|20260302091500", &q, "L|1|N"])
}

/// One result of HBsAg, as ARCHITECT sends it.
fn result(tube: &str) -> Vec<String> {
    let assay = "^^^728^HBsAgQ2^UNDILUTED^P^51104LI00^01127^";
    records(&[
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500",
        "P|1",
        &format!("O|1|{tube}|{tube}^U265^1|^^^728^HBsAgQ2^UNDILUTED^P|R||||||||||||||||||||F"),
        &format!("R|1|{assay}^F|0.12|S/CO||||F||A||20260302090010|iSR03600"),
        &format!("R|2|{assay}^I|Nonreactive|||||F||A||20260302090010|iSR03600"),
        "L|1|N",
    ])
}

/// The records without what changes from run to run: the header's control id and time.
fn said(mut records: Vec<String>) -> Vec<String> {
    assert!(records[0].starts_with("H|\\^&|"), "{records:?}");
    records.remove(0);
    records
}

#[test]
fn the_answer_comes_in_a_session_of_its_own_and_one_refused_frame_comes_again() {
    let house = House::with(ASKS).also("orders_unasked = false");
    let daemon = house.start();
    assert_eq!(daemon.place("O1", "G123426000001", &["generic HBsAg", "generic HIV"]), "new");
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    line.tell(&question("G123426000001", "O"));
    line.called();
    let answer = line.listen(Some(3));
    assert_eq!(
        said(answer),
        [
            "P|1|||||||",
            "O|1|G123426000001||^^^HBSAG|R||||||A||||||||||||||Q",
            "O|2|G123426000001||^^^HIV|R||||||A||||||||||||||Q",
            "L|1|F",
        ]
    );
    let order = daemon.order_is("O1", "sent");
    assert_eq!(told(&order), 1, "{order:#}");
    let query = &daemon.asked(1)[0];
    assert_eq!(
        (&query["connection"], &query["asked"], &query["outcome"]["found"]["orders"]),
        (&json!("asks"), &json!(["G123426000001"]), &json!(["O1"]))
    );
}

#[test]
fn in_contention_the_analyser_wins_and_the_answer_follows_its_session() {
    let house = House::with(ASKS).also("orders_unasked = false");
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &["generic HBsAg"]);
    daemon.place("O2", "G123426000002", &["generic HIV"]);
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    line.tell(&question("G123426000001", "O"));
    line.called();
    // It has something to say itself. We yield; it asks once more, and is heard.
    line.write(&[ENQ]).unwrap();
    line.tell(&question("G123426000002", "O"));
    line.called();
    let first = said(line.listen(None));
    assert_eq!(first[1], "O|1|G123426000001||^^^HBSAG|R||||||A||||||||||||||Q");
    line.called();
    let second = said(line.listen(None));
    assert_eq!(second[1], "O|1|G123426000002||^^^HIV|R||||||A||||||||||||||Q");
    for id in ["O1", "O2"] {
        assert_eq!(told(&daemon.order_is(id, "sent")), 1, "each is told once");
    }
}

#[test]
fn a_question_without_an_answer_says_why_in_the_log_and_over_http() {
    let house = House::with(ASKS);
    let mut daemon = house.start();
    daemon.place("O1", "G123426000001", &[HBSAG]);
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    for tube in ["G123426000001", "G123426000009"] {
        line.tell(&question(tube, "O"));
        line.called();
        assert_eq!(said(line.listen(None)), ["L|1|I"], "{tube}");
    }
    let queries = daemon.asked(2);
    let why = |at: usize| queries[at]["why"][0]["why"].as_str().unwrap();
    assert_eq!(why(0), "open are ARCHITECT HBsAg Qualitative II, which this analyser cannot do");
    assert_eq!(why(1), "there is no order for this specimen");
    assert_eq!(queries[1]["why"][0]["why_zh"], "该标本没有申请");
    daemon.logs("there is no order for this specimen");
    daemon.logs("which this analyser cannot do");
}

#[test]
fn a_question_that_is_taken_back_before_its_answer_left_is_not_answered() {
    let house = House::with(ASKS).also("orders_unasked = false");
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &["generic HBsAg"]);
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    line.tell(&question("G123426000001", "O"));
    line.called();
    line.write(&[ENQ]).unwrap();
    line.tell(&question("G123426000001", "A"));
    let queries = daemon.asked(2);
    assert_eq!(queries[1]["outcome"], "cancelled");
    // Nothing is owed any more: the next transfer of ours answers the next question.
    line.tell(&question("G123426000009", "O"));
    line.called();
    assert_eq!(said(line.listen(None)), ["L|1|I"]);
    let order = daemon.get("orders/O1");
    assert_eq!((&order["state"], told(&order)), (&json!("placed"), 0));
}

#[test]
fn an_order_reaches_the_analyser_once_and_is_done_when_its_result_comes() {
    let house = House::with(ASKS);
    let daemon = house.start();
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    assert_eq!(daemon.place("O1", "G123426000001", &["generic HBsAg"]), "new");
    line.called();
    let told_to_it = said(line.listen(None));
    assert_eq!(told_to_it[1], "O|1|G123426000001||^^^HBSAG|R||||||A||||||||||||||O");
    daemon.order_is("O1", "sent");
    assert_eq!(daemon.place("O1", "G123426000001", &["generic HBsAg"]), "same");
    // Over a new line nothing is told again: what comes next is the next order.
    drop(line);
    let mut line = Line::open(daemon.listening["asks"]).unwrap();
    assert!(line.establish().unwrap());
    line.write(&[EOT]).unwrap();
    assert_eq!(daemon.place("O2", "G123426000002", &["generic HIV"]), "new");
    line.called();
    let next = said(line.listen(None));
    assert_eq!(next[1], "O|1|G123426000002||^^^HIV|R||||||A||||||||||||||O");
    assert_eq!(told(&daemon.order_is("O2", "sent")), 1);
    assert_eq!(told(&daemon.get("orders/O1")), 1);
}

#[test]
fn an_order_that_was_asked_for_is_resulted_once_however_often_its_result_is_sent() {
    let house = House::with(SEROLOGY);
    let daemon = house.start();
    daemon.place("O1", "G123426000001", &[HBSAG]);
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    line.tell(&records(&[
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500",
        "Q|1|^G123426000001||^^^ALL||||||||O",
        "L|1",
    ]));
    line.called();
    assert_eq!(said(line.listen(None))[1], "O|1|G123426000001||^^^728|R||||||A||||||||||||||Q");
    daemon.order_is("O1", "sent");
    line.tell(&result("G123426000001"));
    let first = daemon.order_is("O1", "resulted");
    assert_eq!(first["assays"][0]["state"], "resulted");
    line.tell(&result("G123426000001"));
    until("the resend is held", KNOWN_WITHIN, || daemon.list("messages").len() == 3);
    daemon.idle();
    let again = daemon.get("orders/O1");
    assert_eq!((&again["state"], told(&again)), (&json!("resulted"), 1));
    let donation = daemon.get("donations/G123426000001");
    let results = &donation["evidence"]["serology"][0]["results"];
    assert_eq!(results.as_array().map(Vec::len), Some(1), "sent again is no second result: {donation:#}");
}

/// A template that writes no message is found when the profile is read: nobody learns of it at night.
#[test]
fn a_line_with_a_broken_template_is_refused_at_the_start_and_says_where_it_is_broken() {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("../instrument-profiles/catalogue");
    let folder = tempfile::tempdir().unwrap();
    let orders = folder.path().join("orders");
    fs::create_dir(&orders).unwrap();
    let source = catalogue.join("generic/astm-host-query");
    fs::copy(source.join("profile.toml"), folder.path().join("profile.toml")).unwrap();
    for file in fs::read_dir(source.join("orders")).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), orders.join(file.file_name())).unwrap();
    }
    let template = fs::read_to_string(orders.join("orders.jinja")).unwrap();
    fs::write(orders.join("orders.jinja"), template.replace("s.id", "s.tube")).unwrap();
    let profile = folder.path().to_str().unwrap();
    let daemon = House::with(&[("asks", profile)]).start();
    let standing = daemon.get("connections/asks");
    assert_eq!(standing["activity"], "failed", "{standing:#}");
    let said = standing["reason"].as_str().unwrap();
    assert!(said.contains("orders.jinja:5:") && said.contains("unknown name \"tube\""), "{said}");
    assert!(!daemon.listening.contains_key("asks"), "nobody is answered by it");
    daemon.stop();
}

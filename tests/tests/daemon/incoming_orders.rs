//! Orders come in from a LIS, over MLLP and LIS01, and from a file; analysers are told, and the LIS is answered.

use crate::{
    analyser::Line,
    house::{House, until},
    worklist::{KNOWN_WITHIN, field, told},
};
use serde_json::{Value, json};
use std::{fs, net::SocketAddr};

const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";
const HCV: &str = "ARCHITECT Anti-HCV";
const TUBE: &str = "G123426000001";

fn head(kind: &str, id: &str, version: &str) -> String {
    format!(
        "MSH|^~\\&|LIS|SITE|HEMOGATE|LAB|20260302150500||{kind}|{id}|P|{version}||||||UNICODE UTF-8\r\
         PID|1||D0001||DONOR^ONE||19900501|M\r"
    )
}

/// OML^O33 for one tube: order control, number, assay.
fn oml(id: &str, tube: &str, orders: &[(&str, &str, &str)]) -> String {
    let begin = format!(
        "{}SPM|1|{tube}||SER^Serum^HL70487|||||||P\rSAC|||{tube}\r",
        head("OML^O33^OML_O33", id, "2.5.1")
    );
    let order = |(control, number, assay): &(&str, &str, &str)| {
        format!("ORC|{control}|{number}\rOBR||{number}||{assay}\r")
    };
    std::iter::once(begin).chain(orders.iter().map(order)).collect()
}

/// A LIS on a line.
struct Lis(Line);

impl Lis {
    fn at(address: SocketAddr) -> Self {
        Self(Line::open(address).unwrap())
    }

    /// What it is answered.
    fn asks(&mut self, message: &str) -> String {
        self.0.block(message);
        self.0.answer().unwrap()
    }
}

/// MSA-1 and each ORC-1 with its ORC-2.
fn said(answer: &str) -> (&str, Vec<(&str, &str)>) {
    let orc = |segment: &'_ str| segment.starts_with("ORC|");
    let controls = answer.split('\r').filter(|s| orc(s)).map(|segment| {
        let mut fields = segment.split('|').skip(1);
        (fields.next().unwrap(), fields.next().unwrap())
    });
    (field(answer, "MSA", 1), controls.collect())
}

/// The analyser asks for the tube; the records of the answer behind its header.
fn asked_by_analyser(line: &mut Line) -> Vec<String> {
    let records = [
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500".to_owned(),
        format!("Q|1|^{TUBE}||^^^ALL||||||||O"),
        "L|1".to_owned(),
    ];
    line.tell(&records);
    line.called();
    line.listen(None).split_off(1)
}

#[test]
fn an_order_of_a_lis_is_answered_and_reaches_the_analyser_that_asks() {
    let house = House::with(&[("lis", "generic/lis-hl7-oml-o33"), ("serology", "abbott/architect-i2000sr")]);
    let daemon = house.start();
    let mut lis = Lis::at(daemon.listening["lis"]);
    let message = oml("M1", TUBE, &[("NW", "L1", HBSAG), ("NW", "L1", HCV)]);
    let answer = lis.asks(&message);
    assert_eq!((field(&answer, "MSH", 9), field(&answer, "MSA", 2)), ("ORL^O34^ORL_O34", "M1"));
    assert_eq!(said(&answer), ("AA", vec![("OK", "L1")]));
    // What it was told is so: nothing has to be waited for.
    let order = daemon.get("orders/L1");
    assert_eq!((&order["state"], &order["order"]["specimen"]), (&json!("placed"), &json!(TUBE)));
    assert_eq!(order["order"]["donor"]["id"], "D0001");
    let mut analyser = Line::open(daemon.listening["serology"]).unwrap();
    let records = asked_by_analyser(&mut analyser);
    assert!(records[1].contains("^^^161\\^^^728") && records[1].contains(TUBE), "{records:?}");
    assert_eq!(told(&daemon.order_is("L1", "sent")), 1);
    // The same message again is answered alike and changes nothing.
    assert_eq!(said(&lis.asks(&message)), ("AA", vec![("OK", "L1")]));
    let again = daemon.get("orders/L1");
    assert_eq!((&again["versions"], &again["state"]), (&json!(1), &json!("sent")));
    // Another content of the number is its next version; then it is cancelled.
    assert_eq!(said(&lis.asks(&oml("M2", TUBE, &[("RP", "L1", HBSAG)]))), ("AA", vec![("RQ", "L1")]));
    assert_eq!(said(&lis.asks(&oml("M3", TUBE, &[("CA", "L1", HBSAG)]))), ("AA", vec![("CR", "L1")]));
    assert_eq!(daemon.get("orders/L1")["state"], "cancelled");
}

#[test]
fn what_cannot_be_done_is_refused_with_its_reason_and_the_rest_is_taken() {
    let house = House::with(&[("lis", "generic/lis-hl7-oml-o33")])
        .also("[[site.identifiers.form]]\nname = \"tube\"\nkind = \"pattern\"\npattern = '(?<donation>[A-Z]\\d{12})'");
    let mut daemon = house.start();
    let mut lis = Lis::at(daemon.listening["lis"]);
    let answer = lis.asks(&oml("M1", TUBE, &[("NW", "L1", HBSAG), ("NW", "L2", "HBsAg")]));
    assert_eq!(said(&answer), ("AE", vec![("OK", "L1"), ("UA", "L2")]));
    assert_eq!((field(&answer, "ERR", 3), field(&answer, "ERR", 7)), ("103^^HL70357", "L2"));
    assert!(field(&answer, "ERR", 8).contains("no profile knows the assay"), "{answer}");
    assert_eq!(daemon.get("orders/L1")["state"], "placed");
    assert_eq!(daemon.ask("/api/v1/orders/L2").0, 404);
    let mut refused = |message: &str, control: &str, code: &str, why: &str| {
        let answer = lis.asks(message);
        assert_eq!((said(&answer).0, said(&answer).1[0].0), ("AE", control), "{answer}");
        assert_eq!(field(&answer, "ERR", 3).split('^').next(), Some(code), "{answer}");
        assert!(field(&answer, "ERR", 8).contains(why), "{why}: {answer}");
    };
    refused(&oml("M2", TUBE, &[("CA", "L9", HBSAG)]), "UC", "204", "there is no order L9");
    refused(&oml("M3", "G123426000002", &[("NW", "L1", HBSAG)]), "UA", "205", "L1");
    refused(&oml("M4", "no tube", &[("NW", "L3", HBSAG)]), "UA", "102", "no tube");
    // A message that cannot be read places nothing at all.
    let unread = lis.asks(&oml("M5", TUBE, &[("NW", "L4", HBSAG), ("ZZ", "L5", HBSAG)]));
    assert_eq!(said(&unread), ("AE", vec![]), "{unread}");
    assert!(field(&unread, "ERR", 8).contains("ZZ"), "{unread}");
    assert_eq!(daemon.ask("/api/v1/orders/L4").0, 404);
    daemon.logs("no profile knows the assay");
    daemon.idle();
    let held = daemon.list("quarantine");
    let names: Vec<String> = held.iter().map(Value::to_string).collect();
    assert!(names.iter().any(|one| one.contains("order_unknown_assay")), "{names:#?}");
}

#[test]
fn an_older_lis_is_answered_by_orr() {
    let house = House::with(&[("lis", "generic/lis-hl7-orm-o01")]);
    let daemon = house.start();
    let mut lis = Lis::at(daemon.listening["lis"]);
    let orm = |id: &str, control: &str, number: &str| {
        format!("{}ORC|{control}|{number}\rOBR|1|{number}|{TUBE}|{HBSAG}|S\r", head("ORM^O01", id, "2.3.1"))
    };
    let answer = lis.asks(&orm("M1", "NW", "L1"));
    assert_eq!((field(&answer, "MSH", 9), said(&answer)), ("ORR^O02", ("AA", vec![("OK", "L1")])));
    assert_eq!(daemon.get("orders/L1")["order"]["priority"], "stat");
    let answer = lis.asks(&orm("M2", "CA", "L2"));
    assert_eq!((said(&answer), field(&answer, "MSA", 6)), (("AE", vec![("UC", "L2")]), "204"));
    assert!(field(&answer, "MSA", 3).contains("there is no order L2"), "{answer}");
}

#[test]
fn an_order_in_records_is_placed_and_one_that_cannot_be_done_comes_back() {
    let house = House::with(&[("lis", "generic/lis-astm"), ("asks", "generic/astm-host-query")])
        .also("orders_unasked = false");
    let daemon = house.start();
    let mut line = Line::open(daemon.listening["lis"]).unwrap();
    let records = |order: &str| {
        ["H|\\^&|||LIS|||||HEMOGATE||P|LIS2-A2|20260302150500", "P|1", order, "L|1|N"].map(str::to_owned)
    };
    line.tell(&records(&format!("O|1|{TUBE}||^^^{HBSAG}|S||||||N||||SER")));
    let order = daemon.order_is(TUBE, "placed");
    assert_eq!(order["order"]["assays"], json!([HBSAG]));
    line.tell(&records(&format!("O|1|{TUBE}||^^^{HCV}|R||||||A||||SER")));
    until("the assay is added", KNOWN_WITHIN, || {
        daemon.get(&format!("orders/{TUBE}"))["order"]["assays"] == json!([HCV, HBSAG])
    });
    let tube = "G123426000002";
    line.tell(&records(&format!("O|1|{tube}||^^^generic HBsAg|S||20260301163000||||N||||PLAS")));
    daemon.order_is(tube, "placed");
    let mut analyser = Line::open(daemon.listening["asks"]).unwrap();
    let question = ["H|\\^&|||MODEL|||||HOST||P|LIS2-A2|1".to_owned(), format!("Q|1|^{tube}||ALL||||||||O")];
    analyser.tell(&[&question[..], &["L|1|N".to_owned()]].concat());
    analyser.called();
    let told_to_it = analyser.listen(None);
    assert_eq!(told_to_it[2], format!("O|1|{tube}||^^^HBSAG|S||20260301163000||||A||||PLAS||||||||||Q"));
    line.tell(&records("O|1|G123426000009|||||||||C"));
    line.called();
    let answer = line.listen(None);
    assert_eq!(answer[2], "O|1|G123426000009|||||||||C||||||||||||||X");
    assert!(answer[3].starts_with("C|1|L|204^") && answer[3].contains("there is no order"), "{answer:?}");
}

#[test]
fn a_file_places_orders_once_and_says_which_it_could_not() {
    let house = House::with(&[("serology", "abbott/architect-i2000sr")]);
    let folder = house.path.join("orders");
    fs::create_dir(&folder).unwrap();
    let house = house.also(&format!(
        "[[connection]]\nid = \"file\"\nprofile = \"generic/orders-file\"\nmode = \"production\"\n\
         transport = {{ type = \"directory\", path = {folder:?} }}"
    ));
    let daemon = house.start();
    let heads = "Order,Specimen,Assays,Priority,Action,Type,Collected,OnlyOn,Donor,Name,Born,Sex\r\n";
    let text = format!(
        "{heads}L1,{TUBE},{HBSAG};{HCV},stat,place,serum,2026-03-01 16:30:00,,D0001,,,\r\n\
         L2,G123426000002,HBsAg,,,,,,,,,\r\n"
    );
    fs::write(house.path.join("a.csv"), &text).unwrap();
    fs::rename(house.path.join("a.csv"), folder.join("a.csv")).unwrap();
    let mut order = Value::Null;
    until("the file is read", KNOWN_WITHIN, || {
        let (status, body) = daemon.ask("/api/v1/orders/L1");
        order = serde_json::from_slice(&body).unwrap_or_default();
        status == 200
    });
    assert_eq!(
        (&order["order"]["assays"], &order["order"]["priority"]),
        (&json!([HCV, HBSAG]), &json!("stat"))
    );
    daemon.idle();
    assert_eq!(daemon.ask("/api/v1/orders/L2").0, 404);
    let held = daemon.list("quarantine");
    assert!(held.iter().any(|one| one.to_string().contains("order_unknown_assay")), "{held:#?}");
    let mut analyser = Line::open(daemon.listening["serology"]).unwrap();
    let records = asked_by_analyser(&mut analyser);
    assert!(records[1].contains(TUBE) && records[1].contains("|S|"), "{records:?}");
    assert_eq!(told(&daemon.order_is("L1", "sent")), 1);
}

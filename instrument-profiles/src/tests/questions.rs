//! What an answer says of a tube is what its own record said of it.

use super::CATALOGUE;
use crate::{ForSpecimen, Host, OrderPart, Outcome, Profile, Query, Stamp};
use jiff::civil::date;
use vocabulary::{Order, OrderId, Priority, SpecimenId};

const FIRST: &str = "G123426000031";
const SECOND: &str = "G123426000032";

fn order(id: &str, specimen: &str, assay: &str) -> Order {
    Order {
        id: OrderId::new(id).unwrap(),
        specimen: SpecimenId::new(specimen).unwrap(),
        as_given: None,
        assays: vec![assay.to_owned()],
        priority: Priority::Routine,
        specimen_type: None,
        collected_at: None,
        only_on: None,
        donor: None,
    }
}

fn question(id: &str, text: &str) -> (std::sync::Arc<Profile>, Query) {
    let mut profiles = CATALOGUE.list();
    let profile = profiles.find(|profile| profile.reference().id == id).unwrap();
    let query = profile.query(text.as_bytes()).unwrap();
    (std::sync::Arc::clone(profile), query)
}

/// The answer with an order for each specimen that is asked for.
fn found(profile: &Profile, query: &Query) -> Result<Vec<String>, String> {
    let assay = profile.orderable_assays().next().unwrap();
    let asked = query.specimens.iter().enumerate();
    let orders: Vec<Order> = asked.map(|(at, one)| order(&format!("O{at}"), &one.id, assay)).collect();
    let of = |(at, order)| {
        let order: &Order = order;
        ForSpecimen { asked: Some(at), parts: vec![OrderPart { order, assays: &order.assays }] }
    };
    let specimens: Vec<ForSpecimen<'_>> = orders.iter().enumerate().map(of).collect();
    let host = Host { name: "HOST", facility: "SITE" };
    let now = date(2026, 3, 2).at(8, 0, 0, 0);
    let stamp = Stamp { now, utc_offset: "+0800", host, control_id: &|| "1".to_owned() };
    let outcome = Outcome::Found { specimens: &specimens, nothing: &[] };
    let written = profile.answer(query, &outcome, &stamp).map_err(|error| error.to_string())?;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ok(written.direct.into_iter().chain(written.messages.into_iter().map(|m| m.bytes)).map(text).collect())
}

fn e411(first: &str, second: &str) -> String {
    format!("H|\\^&|||cobas-e411^1|||||host|TSREQ^REAL|P|1\r{first}\r{second}\rL|1|N\r")
}

#[test]
fn two_tubes_asked_for_in_one_message_are_each_answered_with_their_own_rack_and_position() {
    let text = e411(
        &format!("Q|1|^^{FIRST}^5^0^3^^S1^SC||ALL||||||||O"),
        &format!("Q|2|^^{SECOND}^6^0^4^^S1^SC||ALL||||||||O"),
    );
    let (profile, query) = question("roche/cobas-e411", &text);
    let answer = found(&profile, &query).unwrap().concat();
    for (tube, place) in [(FIRST, "5^0^3^^S1^SC"), (SECOND, "6^0^4^^S1^SC")] {
        let line = answer.split('\r').find(|line| line.contains(tube)).unwrap();
        assert!(line.starts_with(&format!("O|1|{tube}|{place}|")), "{answer}");
    }
}

#[test]
fn carrier_and_position_of_law_are_those_of_the_tube_and_of_none_where_one_place_is_said_for_several() {
    let law = |containers: &str| {
        format!(
            "MSH|^~\\&|A|S|HOST|LIS|20260302150500||QBP^Q11^QBP_Q11|Q-1|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-27^IHE\r\
             QPD|WOS^Work Order Step^IHELAW|T1|{containers}|R7|3\rRCP|I||R^Real Time^HL70394\r"
        )
    };
    let sac = |text: &str| {
        let (profile, query) = question("generic/ihe-law", text);
        let answer = found(&profile, &query).unwrap().concat();
        answer.split('\r').filter(|line| line.starts_with("SAC")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(sac(&law(FIRST)), [format!("SAC|||{FIRST}|||||||R7|3")]);
    let two = [FIRST, SECOND].map(|tube| format!("SAC|||{tube}|||||||R7|"));
    assert_eq!(sac(&law(&format!("{FIRST}~{SECOND}"))), two);
}

#[test]
fn a_template_that_would_give_one_tube_the_place_of_another_writes_nothing() {
    let entry = CATALOGUE.entry("roche/cobas-e411").unwrap();
    let mut templates = entry.templates();
    let own = templates["found.jinja"].replace("s.field(", "field(");
    templates.insert("found.jinja".to_owned(), own);
    let profile =
        Profile::read_with("profile.toml", entry.text("profile.toml").unwrap(), &templates).unwrap();
    let text = e411(
        &format!("Q|1|^^{FIRST}^5^0^3^^S1^SC||ALL||||||||O"),
        &format!("Q|2|^^{SECOND}^6^0^4^^S1^SC||ALL||||||||O"),
    );
    let why = found(&profile, &profile.query(text.as_bytes()).unwrap()).unwrap_err();
    assert!(why.contains("found.jinja line 4") && why.contains("Q.3.4 is not the same for all"), "{why}");
}

#[test]
fn records_that_one_answer_does_not_fit_are_refused_with_the_reason() {
    let asks = |first: &str, second: &str| {
        let text =
            format!("H|\\^&|||MODEL|||||HOST||P|LIS2-A2|20260302091500\rQ|1|{first}\rQ|2|{second}\rL|1|N\r");
        question("generic/astm-host-query", &text).1.fault
    };
    let cases = [
        ("^A||^^^HBV||||||||O", "^B||^^^HCV||||||||O", Some("different tests")),
        ("^A||ALL||||||||O", "^B||ALL||||||||A", Some("takes a question back")),
        ("ALL||ALL||||||||O", "^B||ALL||||||||O", Some("whatever there is to do")),
        ("^A^R1^1||ALL||||||||O", "^A^R1^2||ALL||||||||O", Some("asks for A more than once")),
        ("^A^R1^1||ALL||||||||O", "^A^R1^1||ALL||||||||O", None),
        ("^A^R1^1||ALL||||||||O", "^B^R1^2||ALL||||||||O", None),
    ];
    for (first, second, expected) in cases {
        let fault = asks(first, second);
        match expected {
            Some(words) => {
                assert!(fault.as_ref().is_some_and(|why| why.contains(words)), "{second}: {fault:?}");
            }
            None => assert_eq!(fault, None, "{second}"),
        }
    }
}

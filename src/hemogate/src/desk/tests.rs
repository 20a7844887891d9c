//! The desk with a real ledger and a real profile: what it answers when something is wrong.

use super::*;
use ledger::{Body, Draft, HowEnded, StateStore, Terms, What};
use std::time::Duration;
use vocabulary::{OrderId, OrderState, Protocol, QueryOutcome};
use workflow::orders::{self, Request};

const PATIENCE: Duration = Duration::from_mins(1);
const TUBE: &str = "G123426000001";

struct Site {
    ledger: Ledger,
    settings: Arc<workflow::Settings>,
    desk: Arc<OrderDesk>,
    _folder: tempfile::TempDir,
}

/// A desk of this profile; more keys for its connection.
fn site(profile: &str, keys: &str) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let settings = ledger::Settings {
        state: StateStore::Memory,
        free_bytes_min: 0,
        ballast_bytes: 0,
        ..ledger::Settings::new(folder.path())
    };
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let text = format!(
        "id = \"line\"\nprofile = \"{profile}\"\nmode = \"production\"\n\
         transport = {{ type = \"tcp-listen\", address = \"127.0.0.1:0\" }}\n{keys}"
    );
    let connection: config::Connection = toml::from_str(&text).unwrap();
    let profile = crate::wiring::profile(profile).unwrap();
    let settings = Arc::new(workflow::Settings {
        profiles: instrument_profiles::Catalogue::built_in().unwrap().list().cloned().collect(),
        pack: release::RulePack::built_in("cn-2019").unwrap(),
        specimens: workflow::SpecimenRule::new(r"(?<donation>[A-Z]\d{12})").unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        lots: workflow::LotRegister::default(),
        kits: workflow::Kits::default(),
        reagents_per_marker: 2,
        neighbours_each_side: 1,
        deliver_to: Vec::new(),
        sign_off: workflow::SignOff::Elsewhere,
        orders: workflow::orders::OrderRules::default(),
    });
    let desk =
        OrderDesk::of(&connection, &profile, &settings, (&ledger, "SITE", &Claims::default())).unwrap();
    Site { ledger, settings, desk, _folder: folder }
}

impl Site {
    fn place(&self, assay: &str, specimen_type: &str) {
        let request = Request {
            id: "O1".into(),
            specimen: TUBE.into(),
            assays: vec![assay.into()],
            specimen_type: Some(specimen_type.into()),
            ..Request::default()
        };
        let placed =
            orders::place(&self.settings, &self.ledger, &ledger::By::from("user:test"), &[request]).unwrap();
        assert!(matches!(placed[..], [orders::Placed::New(_)]), "{placed:?}");
    }

    /// A message that is durable.
    fn receive(&self, raw: &str) -> (Seq, Vec<u8>) {
        let what = What::MessageReceived {
            connection: self.desk.connection.clone(),
            mode: Mode::Production,
            profile: self.desk.profile.reference().clone(),
            protocol: if raw.starts_with("MSH") { Protocol::Hl7v2 } else { Protocol::Lis02 },
            body: Body::Whole(raw.as_bytes().into()),
        };
        let durable = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap();
        self.ledger.wait_applied(durable.last()).wait().unwrap();
        (durable.first(), raw.as_bytes().to_vec())
    }

    /// Frames of a message whose link fails.
    fn breaks_off(&self, frames: &[&str]) {
        let connection = self.desk.connection.clone();
        let terms = Terms { mode: Mode::Production, profile: self.desk.profile.reference().clone() };
        let mut group: Vec<What> = Vec::new();
        for text in frames {
            group.push(What::FrameReceived {
                connection: connection.clone(),
                transfer: 1,
                number: None,
                end: true,
                text: text.as_bytes().into(),
                terms: group.is_empty().then(|| terms.clone()),
            });
        }
        group.push(What::TransferEnded { connection, transfer: 1, how: HowEnded::Disconnected });
        let drafts = group.into_iter().map(Draft::by_system).collect();
        let durable = self.ledger.append(drafts).unwrap().wait().unwrap();
        self.ledger.wait_applied(durable.last()).wait().unwrap();
    }

    async fn asks(&self, raw: &str) -> Option<Reply> {
        let (message, raw) = self.receive(raw);
        assert!(self.desk.asks(&raw));
        let desk: Arc<dyn Desk> = Arc::clone(&self.desk) as Arc<dyn Desk>;
        tokio::time::timeout(PATIENCE, desk.consider(message, raw)).await.unwrap()
    }

    /// How the one question was answered, once that is written down.
    async fn outcome(&self) -> QueryOutcome {
        let mut moves = self.ledger.subscribe();
        let written = async {
            loop {
                let found = self.ledger.state().queries(None, &ledger::Page::first(10)).unwrap();
                assert!(found.items.len() < 2, "{found:?}");
                match found.items.into_iter().next() {
                    Some(query) => return query.outcome,
                    None => moves.moved().await,
                }
            }
        };
        tokio::time::timeout(PATIENCE, written).await.unwrap()
    }
}

fn texts(reply: &Reply) -> (Option<String>, Vec<String>) {
    let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
    (reply.direct.as_ref().map(text), reply.then.iter().map(|outgoing| text(&outgoing.bytes)).collect())
}

const ASTM: &str =
    "H|\\^&|||MODEL|||||HOST||P|LIS2-A2|20260302091500\rQ|1|^G123426000001||ALL||||||||O\rL|1|N\r";
const LAW: &str = "MSH|^~\\&|A|S|HOST|LIS|20260302150500||QBP^Q11^QBP_Q11|Q-1|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-27^IHE\r\
                   QPD|WOS^Work Order Step^IHELAW|T1|G123426000001|R7|3\rRCP|I||R^Real Time^HL70394\r";

/// What the analyser has no word for is not sent at all: it is told that we could not look, and the ledger says why.
#[tokio::test]
async fn an_answer_that_cannot_be_written_is_a_refusal_with_its_reason_and_never_half_a_message() {
    let astm = site("generic/astm-host-query", "orders_unasked = false");
    astm.place("generic HBsAg", "urine");
    let (direct, then) = texts(&astm.asks(ASTM).await.unwrap());
    assert_eq!((direct, then.len()), (None, 1));
    assert!(then[0].ends_with("\rL|1|E\r") && !then[0].contains(TUBE), "{then:?}");
    let law = site("generic/ihe-law", "orders_unasked = false");
    law.place("LAW HBsAg", "urine");
    let (direct, then) = texts(&law.asks(LAW).await.unwrap());
    assert!(direct.is_some_and(|rsp| rsp.contains("MSA|AE|Q-1") && rsp.contains("\"urine\"")));
    assert_eq!(then, [""; 0], "no order leaves");
    for site in [astm, law] {
        let outcome = site.outcome().await;
        let QueryOutcome::Refused { why } = outcome else { panic!("{outcome:?}") };
        assert!(why.contains("no word for the specimen type \"urine\""), "{why}");
        let order = site.ledger.state().order(&OrderId::new("O1").unwrap()).unwrap().unwrap();
        assert_eq!(order.state, OrderState::Placed, "nobody was given it");
    }
}

/// Unasked, it is refused once and not tried again and again.
#[tokio::test]
async fn an_order_that_cannot_be_written_is_settled_with_its_reason() {
    let site = site("generic/ihe-law", "");
    site.place("LAW HBsAg", "urine");
    let desk: Arc<dyn Desk> = Arc::clone(&site.desk) as Arc<dyn Desk>;
    let mut moves = site.ledger.subscribe();
    let sending = tokio::spawn(desk.to_send());
    let id = OrderId::new("O1").unwrap();
    let refused = async {
        loop {
            let order = site.ledger.state().order(&id).unwrap().unwrap();
            if order.state == OrderState::Refused {
                return order;
            }
            moves.moved().await;
        }
    };
    let order = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    let sent = &order.assays[0].sent[0];
    let What::OrderSent { accepted: false, answer, .. } = site.ledger.state().entry(sent.entry).unwrap().what
    else {
        panic!("{sent:?}")
    };
    assert!(answer.contains("no word for the specimen type"), "{answer}");
    assert!(!sending.is_finished(), "nothing was given to the line");
    sending.abort();
}

/// What cannot be written down is not said.
#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_not_given() {
    let site = site("generic/astm-host-query", "orders_unasked = false");
    site.place("generic HBsAg", "serum");
    let (message, raw) = site.receive(ASTM);
    site.ledger.close();
    let desk: Arc<dyn Desk> = Arc::clone(&site.desk) as Arc<dyn Desk>;
    let reply = tokio::time::timeout(PATIENCE, desk.consider(message, raw)).await.unwrap().unwrap();
    let (_, then) = texts(&reply);
    assert!(then[0].ends_with("\rL|1|E\r") && !then[0].contains(TUBE), "{then:?}");
}

#[tokio::test]
async fn when_the_time_is_over_it_is_told_that_we_could_not_look_and_the_ledger_says_so() {
    let site = site("generic/astm-host-query", "orders_unasked = false");
    site.place("generic HBsAg", "serum");
    let (message, raw) = site.receive(ASTM);
    let (_, then) = texts(&site.desk.overdue(message, &raw).unwrap());
    assert!(then[0].ends_with("\rL|1|E\r"), "{then:?}");
    let outcome = site.outcome().await;
    let QueryOutcome::Refused { why } = outcome else { panic!("{outcome:?}") };
    assert_eq!(why, "the worklist did not answer in time");
}

#[test]
fn a_line_that_is_only_listened_to_has_no_desk() {
    let site = site("generic/ihe-law", "");
    let text = "id = \"ears\"\nprofile = \"generic/ihe-law\"\nmode = \"listen-only\"\n\
                transport = { type = \"tcp-listen\", address = \"127.0.0.1:0\" }\n";
    let connection: config::Connection = toml::from_str(text).unwrap();
    let desk = OrderDesk::of(
        &connection,
        &site.desk.profile,
        &site.settings,
        (&site.ledger, "SITE", &Claims::default()),
    );
    assert!(desk.is_none());
}

const HBV: &str = "LAW HBsAg";

/// Gives the one order of a site to its analyser, which answers `orl` behind its header; what the order comes to.
async fn answered(orl: &str) -> (OrderState, String) {
    let site = site("generic/ihe-law", "");
    site.place(HBV, "serum");
    let desk: Arc<dyn Desk> = Arc::clone(&site.desk) as Arc<dyn Desk>;
    let given = tokio::time::timeout(PATIENCE, Arc::clone(&desk).to_send()).await.unwrap();
    let answer = format!(
        "MSH|^~\\&|A|S|HOST|LIS|20260302150504||ORL^O34^ORL_O42|A-1|P|2.5.1||||||UNICODE UTF-8|||LAB-28^IHE\r{orl}"
    );
    let (message, answer) = site.receive(&answer);
    desk.settled(given.id, Settled::Answered { answer, message });
    let id = OrderId::new("O1").unwrap();
    let mut moves = site.ledger.subscribe();
    let told = async {
        loop {
            let order = site.ledger.state().order(&id).unwrap().unwrap();
            if let Some(sent) = order.assays[0].sent.first() {
                let What::OrderSent { answer, .. } = site.ledger.state().entry(sent.entry).unwrap().what
                else {
                    panic!("{sent:?}")
                };
                return (order.state, answer);
            }
            moves.moved().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap()
}

/// OBR is optional in ORL^O34.
#[tokio::test]
async fn an_order_that_is_refused_without_naming_its_step_is_not_recorded_as_taken() {
    let refused = "MSA|AA|1\rSPM|1|G123426000001\rORC|UA||||CA\r";
    let mixed = "MSA|AA|1\rSPM|1|G123426000001\rORC|UA||||CA\rORC|OK||||SC\rOBR||O9-1||1^X\r";
    let other = "MSA|AA|1\rSPM|1|G123426000001\rORC|UA||||CA\rOBR||O9-1||1^X\r";
    for orl in [refused, mixed, other] {
        let (state, words) = answered(orl).await;
        assert_eq!(state, OrderState::Refused, "{orl}: {words}");
        assert!(words.contains("UA CA"), "{words}");
    }
    for orl in ["MSA|AA|1\r", "MSA|AA|1\rSPM|1|G123426000001\rORC|OK||||SC\r"] {
        let (state, words) = answered(orl).await;
        assert_eq!(state, OrderState::Sent, "{orl}: {words}");
    }
}

#[tokio::test]
async fn a_step_that_is_answered_twice_is_taken_only_when_both_say_so() {
    let law = crate::wiring::profile("generic/ihe-law").unwrap();
    let test = law.orderable_assays().next().map(str::to_owned);
    assert_eq!(test.as_deref(), Some(HBV), "the first test is the first step");
    let twice = "MSA|AA|1\rSPM|1|G123426000001\rORC|OK||||SC\rOBR||O1-1||1^X\rORC|UA||||CA\rOBR||O1-1||1^X\r";
    assert_eq!(answered(twice).await.0, OrderState::Refused);
}

/// LIS02-A2 §4.2: the sender goes on with the patient that it does not know to be stored.
#[tokio::test]
async fn orders_whose_transmission_broke_off_and_went_on_are_answered_as_they_were_read_together() {
    let head = "H|\\^&|M1||LIS|||||HOST||P|LIS2-A2|20260302091500\r";
    let order =
        |number: u8, tube: &str, assay: &str| format!("P|{number}\rO|1|{tube}||^^^{assay}|R||||||N||||SER\r");
    let tubes = [TUBE, "G123426000002"];
    for (second, refused) in [("ARCHITECT Anti-HCV", None), ("no such assay", Some("order_unknown_assay"))] {
        let site = site("generic/lis-astm", "");
        let first = order(1, tubes[0], "ARCHITECT Anti-HCV");
        let second = order(2, tubes[1], second);
        site.receive(&format!("{head}{}L|1|N\r", order(1, "G123426000009", "ARCHITECT Anti-HCV")));
        site.breaks_off(&[head, &first, &second]);
        let (message, raw) = site.receive(&format!("{head}{second}L|1|N\r"));
        while workflow::work_once(&site.settings, &site.ledger).unwrap() > 0 {}
        let reader = site.ledger.state();
        let meaning = reader.observations_of(message).unwrap().unwrap();
        assert_eq!(meaning.continues, [1], "{meaning:#?}");
        let named = meaning.findings.iter().map(|f| &*f.finding).find(|name| name.starts_with("order_"));
        assert_eq!(named, refused, "{meaning:#?}");
        let placed = tubes.map(|tube| reader.order(&OrderId::new(tube).unwrap()).unwrap().is_some());
        assert_eq!(placed, [true, refused.is_none()]);
        let desk: Arc<dyn Desk> = Arc::clone(&site.desk) as Arc<dyn Desk>;
        let reply = tokio::time::timeout(PATIENCE, desk.consider(message, raw)).await.unwrap().unwrap();
        let (_, then) = texts(&reply);
        assert_eq!(then.len(), usize::from(refused.is_some()), "{then:?}");
        for text in then {
            assert!(text.contains(tubes[1]) && text.contains("C|1|L|103^"), "{text}");
            assert!(!text.contains(tubes[0]), "the first is placed: {text}");
        }
    }
}

//! Other people's MLLP servers as receivers of verdicts: the delivery room with a ledger of its own.

use crate::{
    driver::{Driver, all, texts},
    kit::{newer_node, node, python},
    simulated::free_port,
};
use delivery::{Board, Destination, Standing};
use ledger::{
    DeliveryFilter, DeliveryState, DeliveryView, Draft, Ledger, Page, Seq, Settings, VerdictMade, What,
};
use std::{path::Path, time::Duration};
use tokio_util::sync::CancellationToken;
use vocabulary::{DestinationId, DonationId};

const VERDICTS: u64 = 5;
const DELIVERED_WITHIN: Duration = Duration::from_mins(1);

/// A ledger with verdicts that wait for the receiver.
fn outbox(folder: &Path, to: &DestinationId) -> Ledger {
    let settings = Settings { free_bytes_min: 0, ballast_bytes: 0, ..Settings::new(folder) };
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let pack = release::RulePack::built_in("cn-2019").unwrap();
    for number in 0..VERDICTS {
        let donation = DonationId::new(&format!("G12349865432{number}")).unwrap();
        let verdict = release::explain(&release::Evidence::new(donation), &pack);
        let made = VerdictMade::new(&verdict, Seq::NONE, vec![to.clone()]).unwrap();
        drop(ledger.append(vec![Draft::by_system(What::VerdictMade(made))]).unwrap());
    }
    ledger
}

fn deliveries(ledger: &Ledger) -> Vec<DeliveryView> {
    ledger.state().deliveries(&DeliveryFilter::default(), &Page::first(100)).unwrap().items
}

/// Delivers every verdict to a server on `port`; gives the deliveries and how the receiver stands then.
fn deliver(port: u16, otherwise: impl FnOnce(&mut Destination)) -> (Vec<DeliveryView>, Standing) {
    let folder = tempfile::tempdir().unwrap();
    let id = DestinationId::new("lis").unwrap();
    let ledger = outbox(folder.path(), &id);
    let mut destination = Destination::new(id.clone(), &format!("127.0.0.1:{port}"));
    destination.pause_first = Duration::from_millis(10);
    otherwise(&mut destination);
    let (board, stop) = (Board::default(), CancellationToken::new());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let delivered = runtime.block_on(async {
        let courier = tokio::spawn(delivery::run(destination, ledger.clone(), board.clone(), stop.clone()));
        let mut moves = ledger.subscribe();
        let settled = async {
            loop {
                let all = deliveries(&ledger);
                if all.len() as u64 == VERDICTS && all.iter().all(|d| d.state != DeliveryState::Pending) {
                    return all;
                }
                moves.moved().await;
            }
        };
        let delivered = tokio::time::timeout(DELIVERED_WITHIN, settled).await.expect("delivered");
        stop.cancel();
        courier.await.unwrap();
        delivered
    });
    ledger.close();
    (delivered, board.standings().remove(&id).unwrap())
}

fn all_done(peer: &str, delivered: &[DeliveryView]) {
    let open: Vec<_> = delivered.iter().filter(|d| d.state != DeliveryState::Done).collect();
    assert!(open.is_empty(), "{peer}: {open:#?}");
}

/// The names of the deliveries, which are their control ids.
fn ids(delivered: &[DeliveryView]) -> Vec<String> {
    delivered.iter().map(|d| d.id.to_string()).collect()
}

#[test]
fn python_hl7_and_simple_hl7_receive_every_verdict_once() {
    if let Some(python) = python() {
        let (server, port) = Driver::serve(python, "hl7_server.py", &[&"utf-8"]);
        received_once("python-hl7", server, port);
    }
    if let Some(node) = node() {
        let port = free_port();
        received_once("simple-hl7", Driver::serve(node, "simple_hl7_server.js", &[&port]).0, port);
    }
}

fn received_once(peer: &str, server: Driver, port: u16) {
    let (delivered, standing) = deliver(port, |_| {});
    all_done(peer, &delivered);
    assert_eq!((standing.accepted_total, standing.failed_total, standing.strays_total), (5, 0, 0), "{peer}");
    let said = server.end();
    let received = texts(&said, "message");
    for (message, id) in received.iter().zip(ids(&delivered)) {
        assert!(message.contains(&format!("|{id}|")), "{peer}: {message}");
    }
    assert_eq!(received.len(), 5, "{peer}");
}

/// Its manner: one message, then it closes. That costs a connection each; an attempt only where its close and our next
/// message meet on the way. By its tables our message is valid.
#[test]
fn hl7apy_receives_every_verdict_over_a_connection_of_its_own() {
    let Some(python) = python() else { return };
    let (server, port) = Driver::serve(python, "hl7apy_server.py", &[]);
    let (delivered, standing) = deliver(port, |_| {});
    all_done("hl7apy", &delivered);
    assert_eq!(standing.accepted_total, 5, "{standing:?}");
    let said = server.end();
    assert_eq!(texts(&said, "error"), [""; 0]);
    assert_eq!(texts(&said, "message").len(), 5);
    assert!(all(&said, "fault").iter().all(|fault| fault.is_null()), "{said:#?}");
}

/// Its fault: on a connection that stays open it acknowledges the first message again for every later one. No such
/// answer is believed: it is counted as a stray, the connection is given up, and the verdict goes over a new one.
#[test]
fn node_hl7_server_acknowledges_the_wrong_message_and_no_verdict_is_lost_by_it() {
    let Some(node) = newer_node() else { return };
    let port = free_port();
    let (server, _) = Driver::serve(node, "node_hl7_server.js", &[&port]);
    let (delivered, standing) = deliver(port, |to| to.answer_timeout = Duration::from_millis(500));
    all_done("node-hl7-server", &delivered);
    let said = server.end();
    let acknowledged = texts(&said, "control_id");
    assert!(acknowledged.len() > 5, "it acknowledged some twice: {acknowledged:?}");
    assert!(standing.strays_total > 0 && standing.accepted_total == 5, "{standing:?}");
    for id in ids(&delivered) {
        assert!(acknowledged.contains(&id), "{id} was accepted, but it never saw it: {acknowledged:?}");
    }
}

/// Its fault: what it does not expect, here Chinese read as ASCII, its default, ends the connection without an answer.
/// No delivery is taken for done; each becomes a dead letter that says why.
#[test]
fn python_hl7_with_its_default_character_set_answers_nothing_and_is_not_believed() {
    let Some(python) = python() else { return };
    let (server, port) = Driver::serve(python, "hl7_server.py", &[]);
    let (delivered, standing) = deliver(port, |to| {
        to.addressing.facility = "昆明".to_owned();
        to.attempts_max = 2;
    });
    for delivery in &delivered {
        assert_eq!(delivery.state, DeliveryState::Dead, "{delivery:?}");
        let outcome = delivery.outcome.as_deref().unwrap();
        assert!(outcome.contains("connection was lost before the answer"), "{outcome}");
    }
    assert_eq!(standing.accepted_total, 0, "{standing:?}");
    assert!(texts(&server.end(), "error").iter().all(|e| e.starts_with("UnicodeDecodeError")));
}

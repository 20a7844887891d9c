//! Our simulated analysers towards other people's servers: `hemogate simulate`.

use crate::{
    binary::hemogate,
    driver::{Driver, all, texts},
    kit::{newer_node, node, python},
};
use serde_json::Value;
use std::{
    fmt::Display,
    io::{Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Command,
    time::Instant,
};

/// Plays an analyser; gives its exit code and what it printed.
pub(crate) fn simulate(profile: &str, port: u16, more: &[&dyn Display]) -> (Option<i32>, String) {
    let mut command = Command::new(hemogate());
    command.args(["simulate", profile, "--to", &format!("127.0.0.1:{port}"), "--lang", "en"]);
    command.args(more.iter().map(ToString::to_string));
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// A port that was free a moment ago, for servers that cannot be asked which they took.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Records that a python-astm server handed to its application, by letter.
fn count(said: &[Value], letter: &str) -> usize {
    all(said, "record").into_iter().filter(|record| record[0] == letter).count()
}

#[test]
fn python_astm_takes_every_record_of_a_simulated_analyser() {
    let Some(python) = python() else { return };
    let (server, port) = Driver::serve(python, "astm_server.py", &[]);
    let (exit, printed) = simulate("abbott/architect-i2000sr", port, &[&"--donations", &6]);
    assert_eq!(exit, Some(0), "{printed}");
    let said = server.end();
    assert_eq!(texts(&said, "error"), [""; 0]);
    let messages = count(&said, "H");
    assert!(messages > 24 && printed.contains(&format!("{messages} messages acknowledged")), "{printed}");
    assert_eq!(
        (count(&said, "L"), count(&said, "R")),
        (messages, 3 * messages),
        "a message has three results"
    );
}

/// It does check checksums: what was damaged comes again under the same number, and is dispatched once.
#[test]
fn python_astm_refuses_a_wrong_checksum_and_takes_the_repetition() {
    let Some(python) = python() else { return };
    let (server, port) = Driver::serve(python, "astm_server.py", &[]);
    let (exit, printed) =
        simulate("abbott/architect-i2000sr", port, &[&"--donations", &2, &"--fault", &"checksum"]);
    assert_eq!(exit, Some(0), "{printed}");
    let said = server.end();
    let refusals = texts(&said, "answers").iter().filter(|answer| *answer == "\u{15}").count();
    assert!(refusals >= 2, "{refusals} refusals");
    assert_eq!(count(&said, "H"), count(&said, "L"));
    assert!(printed.contains(&format!("{} messages acknowledged", count(&said, "H"))), "{printed}");
}

/// Its fault, on any Python 3: a frame that arrives in two pieces breaks it (`'' + b"…"`), and it closes the line.
/// The analyser tries again as often as it may, and then says what happened, and exits with 1.
#[test]
fn python_astm_closes_the_line_on_a_split_frame_and_the_simulator_says_so() {
    let Some(python) = python() else { return };
    let (server, port) = Driver::serve(python, "astm_server.py", &[]);
    let more: [&dyn Display; 6] = [&"--donations", &1, &"--fault", &"split=7", &"--tries", &2];
    let (exit, printed) = simulate("abbott/architect-i2000sr", port, &more);
    assert_eq!(exit, Some(1), "{printed}");
    let said_so = ["the peer closed the connection", "Connection reset by peer", "Broken pipe"];
    assert!(said_so.iter().any(|why| printed.contains(why)), "{printed}");
    let said = server.end();
    assert!(texts(&said, "error").iter().any(|e| e.starts_with("TypeError")), "{said:#?}");
    assert_eq!(count(&said, "L"), 0, "it never had a whole message");
}

/// Its fault: whether frames belong together is decided once, by the first frame of a connection. Behind a header in
/// one frame, the pieces of a long record are dispatched as records of their own; behind a long header, nothing at
/// all is. It acknowledges every frame of both, so that no sender can tell: a receiver of long records it is not.
#[test]
fn python_astm_acknowledges_long_records_and_dispatches_their_pieces_or_nothing() {
    let Some(python) = python() else { return };
    let long = |kind: &str| format!("{kind}|1|{}\r", "x".repeat(600));
    for (header, comment, whole, pieces) in
        [("H|\\^&\r".to_owned(), long("C"), 3, 2), (long("H"), "C|1\r".to_owned(), 0, 0)]
    {
        let (server, port) = Driver::serve(python, "astm_server.py", &[]);
        let records = [header, comment, "L|1\r".to_owned()].map(String::into_bytes);
        assert!(transfer(port, records.to_vec()), "every frame is acknowledged");
        let said = server.end();
        assert_eq!((all(&said, "record").len(), all(&said, "unknown").len()), (whole, pieces), "{said:#?}");
    }
}

/// Sends records as the link machine frames them; whether all of them were acknowledged.
fn transfer(port: u16, records: Vec<Vec<u8>>) -> bool {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let config = lis01::Config { role: lis01::Role::Instrument, ..lis01::Config::default() };
    let mut link: lis01::Link<()> = lis01::Link::new(config);
    let id = link.send(records, Instant::now()).unwrap();
    let mut buffer = [0; 64];
    loop {
        while let Some(bytes) = link.poll_transmit() {
            socket.write_all(&bytes).unwrap();
        }
        match link.poll_event() {
            Some(lis01::Event::Sent(sent)) => return sent == id,
            Some(lis01::Event::SendFailed { .. }) => return false,
            Some(_) => {}
            None => {
                let count = socket.read(&mut buffer).unwrap();
                assert!(count > 0, "it closed the line");
                assert_eq!(link.handle_input(&buffer[..count], Instant::now()), count);
            }
        }
    }
}

/// A simulated MLLP analyser at every MLLP server: acknowledged is what they have.
#[test]
fn every_mllp_server_takes_every_message_of_a_simulated_analyser() {
    if let Some(python) = python() {
        let (server, port) = Driver::serve(python, "hl7_server.py", &[&"utf-8"]);
        took_everything("python-hl7", server, port);
    }
    if let Some(node) = node() {
        let port = free_port();
        took_everything("simple-hl7", Driver::serve(node, "simple_hl7_server.js", &[&port]).0, port);
    }
}

fn took_everything(peer: &str, server: Driver, port: u16) {
    let (exit, printed) = simulate("mindray/bs", port, &[&"--donations", &10]);
    assert_eq!(exit, Some(0), "{peer}: {printed}");
    let messages = all(&server.end(), "message").len();
    assert!(
        messages >= 10 && printed.contains(&format!("{messages} messages acknowledged")),
        "{peer} has {messages}: {printed}"
    );
}

/// Its fault: on a connection that stays open it parses the first message again and acknowledges that. The analyser
/// takes no acknowledgement of another message, gives the line up, and gets through over a new one.
#[test]
fn node_hl7_server_acknowledges_the_first_message_again_and_is_not_believed() {
    let Some(node) = newer_node() else { return };
    let port = free_port();
    let (server, _) = Driver::serve(node, "node_hl7_server.js", &[&port]);
    let more: [&dyn Display; 4] = [&"--donations", &2, &"--answer-timeout-ms", &300];
    let (exit, printed) = simulate("mindray/bs", port, &more);
    assert_eq!(exit, Some(0), "{printed}");
    let said = server.end();
    let ids = texts(&said, "control_id");
    let mut once = ids.clone();
    once.sort();
    once.dedup();
    assert!(ids.len() > once.len(), "it acknowledged some id twice: {ids:?}");
    assert!(printed.contains(&format!("{} messages acknowledged", once.len())), "{printed}: {once:?}");
}

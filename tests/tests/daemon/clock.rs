//! The station's clock beside its time server (R-AUD-01): what it came to stands in the audit trail beside each entry.

use crate::{
    house::{House, until},
    staff::command,
};
use serde_json::{Value, json};
use std::{
    net::{SocketAddr, UdpSocket},
    thread,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const WITHIN: Duration = Duration::from_mins(1);
const PACKET_BYTES: usize = 48;
const SECONDS_FROM_1900_TO_1970: u64 = 2_208_988_800;

/// Time as NTP writes it (RFC 5905 §6): seconds since 1900 and their fraction.
fn ntp(at: Duration) -> [u8; 8] {
    let fraction = (u64::from(at.subsec_nanos()) << 32) / 1_000_000_000;
    ((at.as_secs() + SECONDS_FROM_1900_TO_1970) << 32 | fraction).to_be_bytes()
}

/// A time server that is so far ahead, or that says it knows no time itself.
fn time_server(ahead: Option<Duration>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut asked = [0; PACKET_BYTES];
        while let Ok((PACKET_BYTES, from)) = socket.recv_from(&mut asked) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + ahead.unwrap_or_default();
            let leap = if ahead.is_some() { 0 } else { 3 };
            let mut answer = [0; PACKET_BYTES];
            // Leap indicator, version 4, server; stratum 2.
            (answer[0], answer[1]) = (leap << 6 | 4 << 3 | 4, 2);
            answer[16..24].copy_from_slice(&ntp(now));
            answer[24..32].copy_from_slice(&asked[40..48]);
            answer[32..40].copy_from_slice(&ntp(now));
            answer[40..48].copy_from_slice(&ntp(now));
            socket.send_to(&answer, from).unwrap();
        }
    });
    address
}

/// How the clock stands once it is written down, and how the audit trail tells each entry of it.
fn compared(site: &str) -> (Value, Vec<(String, Value)>) {
    let house = House::with(&[]).also(site);
    let daemon = house.start();
    until("the clock is compared", WITHIN, || daemon.get("status")["clock"].is_object());
    let stands = daemon.get("status")["clock"].clone();
    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&house, &["export", "audit"], &[]);
    assert_eq!(exit, 0);
    let entries = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    (stands, entries.map(|e| (e["what"].as_str().unwrap().to_owned(), e["clock"].clone())).collect())
}

#[test]
fn how_far_the_time_of_an_entry_is_to_be_trusted_stands_beside_it() {
    for (ahead, name) in
        [(Some(Duration::ZERO), "in_step"), (Some(Duration::from_mins(1)), "off"), (None, "silent")]
    {
        let server = time_server(ahead);
        let (stands, audit) = compared(&format!("[site]\ntime_server = \"{server}\""));
        assert_eq!(stands["server"], json!(server.to_string()));
        assert_eq!(stands["clock"]["state"], name, "{stands}");
        if let Some(ahead) = ahead {
            let off =
                stands["clock"]["offset_ms"].as_i64().unwrap() - i64::try_from(ahead.as_millis()).unwrap();
            assert!(off.abs() < 2_000, "{stands}");
        } else {
            let why = stands["clock"]["why"].as_str().unwrap();
            assert!(why.contains("not synchronized"), "{why}");
        }
        assert_eq!(audit.first().unwrap(), &("started".to_owned(), Value::Null), "not known yet");
        assert_eq!(audit.last().unwrap(), &("stopped".to_owned(), json!(name)));
    }
}

#[test]
fn a_station_without_a_time_server_says_so_at_every_start() {
    let house = House::with(&[]);
    for _ in 0..2 {
        let daemon = house.start();
        until("the state has it", WITHIN, || daemon.get("status")["clock"].is_object());
        assert_eq!(daemon.get("status")["clock"]["clock"], json!({ "state": "unchecked" }));
        assert!(daemon.stop().0.success());
    }
    let (exit, printed) = command(&house, &["export", "audit"], &[]);
    assert_eq!(exit, 0);
    let entries = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<_> =
        entries.map(|e| (e["what"].as_str().unwrap().to_owned(), e["clock"].clone())).collect();
    let started = |(what, _): &&(String, Value)| what == "started";
    assert_eq!(told.iter().filter(started).map(|(_, clock)| clock).collect::<Vec<_>>(), [&Value::Null; 2]);
    assert_eq!(told.iter().filter(|(what, _)| what == "clock_compared").count(), 2, "{printed}");
}

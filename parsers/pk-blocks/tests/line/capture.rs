//! A synthetic upload with every kind of block, byte by byte as a trace shows it: invented numbers and lots, computed checks.

use crate::bench::Bench;
use pk_blocks::{BlockEnd, Config, Sender, SenderEvent, decode_block};
use std::time::Duration;

/// One block a line; `+` at the end: ETB, else ETX; then the check byte in hexadecimal.
const UPLOAD: &str = include_str!("../captures/upload.txt");

fn blocks() -> Vec<Vec<u8>> {
    let lines = UPLOAD.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| {
            let (text, check) = line.rsplit_once('\t').unwrap();
            let check = u8::from_str_radix(check, 16).unwrap();
            let (text, end) = match text.strip_suffix('+') {
                Some(text) => (text, 0x17),
                None => (text.strip_suffix('.').unwrap(), 3),
            };
            [&[2], text.as_bytes(), &[end, check]].concat()
        })
        .collect()
}

#[test]
fn the_upload_is_one_message() {
    let blocks = blocks();
    let mut kinds: Vec<String> =
        blocks.iter().map(|block| String::from_utf8_lossy(&block[1..3]).into_owned()).collect();
    kinds.dedup();
    assert_eq!(kinds, ["SB", "M ", "QR", "QD", "DB", "D ", "DQ", "DE"]);
    let mut bench = Bench::new(Config::default());
    bench.feed(&blocks.concat()).wait_ms(50);
    assert_eq!(bench.messages.len(), 1, "{:?}", bench.said);
    let lines: Vec<&str> = bench.messages[0].split_terminator('\r').collect();
    let labels: Vec<&str> = lines.iter().map(|line| line.split_at(2).0).collect();
    assert_eq!(labels, ["SB", "M ", "QR", "QD", "DB", "D ", "D ", "D ", "DQ", "DE"]);
    let specimens: Vec<&str> = lines
        .iter()
        .filter(|line| line.starts_with("D "))
        .map(|line| line.get(16..43).unwrap().trim())
        .collect();
    assert_eq!(specimens, ["G123426000011", "G123426000022", "G123426000033"]);
    assert!(lines[5].contains("ABO2 O ") && lines[5].ends_with("D01 LOT-D2 20271231"), "{}", lines[5]);
}

#[test]
fn a_sender_makes_the_same_blocks_of_its_lines() {
    let expect = blocks();
    let mut bench = Bench::new(Config::default());
    bench.feed(&expect.concat()).wait_ms(50);
    let lines: Vec<&[u8]> = bench.messages[0].split_terminator('\r').map(str::as_bytes).collect();
    let longest = expect.iter().map(|block| decode_block(block).unwrap().0.len()).max().unwrap();
    assert!(expect.iter().any(|block| decode_block(block).unwrap().1 == BlockEnd::More));
    let config = Config { send_text_bytes_max: longest, ..Config::default() };
    let mut sender = Sender::new(config);
    let mut now = bench.now;
    sender.send(&lines, now).unwrap();
    let mut sent = Vec::new();
    loop {
        sent.extend(std::iter::from_fn(|| sender.poll_transmit()));
        match sender.poll_event() {
            Some(event) => break assert_eq!(event, SenderEvent::Sent),
            None => now += Duration::from_millis(100),
        }
        sender.handle_timeout(now);
    }
    assert_eq!(sent, expect);
}

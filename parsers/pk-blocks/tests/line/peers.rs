//! Two real peers on a line with faults: a session that is believed sent is a message that is held, once a time it was
//! sent; and without answers a message that is held was sent exactly so.

use crate::bench::Bench;
use pk_blocks::{Answers, Config, Sender, SenderEvent};
use std::collections::HashSet;
use std::time::Duration;

/// What a line does to one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Drop,
    DropByte,
    Flip,
    Duplicate,
    Split,
    Stall,
    Cut,
}

const FAULTS: [Fault; 7] =
    [Fault::Drop, Fault::DropByte, Fault::Flip, Fault::Duplicate, Fault::Split, Fault::Stall, Fault::Cut];

struct World {
    rng: fastrand::Rng,
    sender: Sender,
    bench: Bench,
    /// Pieces under way to the receiver, and to the sender, with their arrival.
    lines: [Vec<(u64, Vec<u8>)>; 2],
    now_ms: u64,
    faults: u32,
    cut: bool,
    silent: bool,
}

impl World {
    fn new(seed: u64, answers: Answers) -> Self {
        let config = Config { answers, send_text_bytes_max: 70, ..Config::default() };
        Self {
            rng: fastrand::Rng::with_seed(seed),
            sender: Sender::new(config.clone()),
            bench: Bench::new(config),
            lines: [Vec::new(), Vec::new()],
            now_ms: 0,
            faults: 0,
            cut: false,
            silent: answers == Answers::Silent,
        }
    }

    fn now(&self) -> std::time::Instant {
        crate::bench::epoch() + Duration::from_millis(self.now_ms)
    }

    fn carry(&mut self, line: usize, mut bytes: Vec<u8>, faulty: bool) {
        let mut at = self.now_ms + self.rng.u64(1..20);
        if faulty && self.rng.u8(0..10) == 0 {
            self.faults += 1;
            match FAULTS[self.rng.usize(0..FAULTS.len())] {
                // Without answers a block that is lost whole leaves no trace: nothing numbers the blocks of a session.
                // A line loses no whole block and nothing around it, so it is left out there.
                Fault::Drop if self.silent => {}
                Fault::Drop => return,
                Fault::DropByte => drop(bytes.remove(self.rng.usize(0..bytes.len()))),
                Fault::Flip => {
                    let at = self.rng.usize(0..bytes.len());
                    bytes[at] ^= 1 << self.rng.u8(0..8);
                }
                Fault::Duplicate => bytes.extend_from_within(..),
                Fault::Split => {
                    let behind = bytes.split_off(self.rng.usize(0..=bytes.len()));
                    self.push(line, at, bytes);
                    at += self.rng.u64(0..2_500);
                    bytes = behind;
                }
                Fault::Stall => at += self.rng.u64(0..2_000),
                Fault::Cut => {
                    self.cut = true;
                    return;
                }
            }
        }
        self.push(line, at, bytes);
    }

    fn push(&mut self, line: usize, at: u64, bytes: Vec<u8>) {
        let at = self.lines[line].last().map_or(at, |(last, _)| at.max(*last));
        self.lines[line].push((at, bytes));
    }

    fn arrived(&mut self, line: usize) -> Vec<u8> {
        let now = self.now_ms;
        let due = self.lines[line].iter().take_while(|(at, _)| *at <= now).count();
        self.lines[line].drain(..due).flat_map(|(_, bytes)| bytes).collect()
    }

    /// Sends one session; whether it is believed sent.
    fn session(&mut self, records: &[Vec<u8>], faulty: bool) -> bool {
        let shown: Vec<&[u8]> = records.iter().map(Vec::as_slice).collect();
        self.sender.send(&shown, self.now()).unwrap();
        for _ in 0..100_000 {
            while let Some(block) = self.sender.poll_transmit() {
                self.carry(0, block, faulty);
            }
            let answers = self.bench.take_sent();
            if !answers.is_empty() {
                self.carry(1, answers, faulty);
            }
            if std::mem::take(&mut self.cut) {
                self.lines = [Vec::new(), Vec::new()];
                self.bench.disconnect();
                self.sender.handle_disconnect();
            }
            if let Some(event) = self.sender.poll_event() {
                return event == SenderEvent::Sent;
            }
            let timers = [self.sender.poll_timeout(), self.bench.receiver.poll_timeout()];
            let timers = timers.into_iter().flatten().map(|at| {
                u64::try_from(at.saturating_duration_since(crate::bench::epoch()).as_millis()).unwrap()
            });
            let arrivals = self.lines.iter().filter_map(|line| line.first().map(|(at, _)| *at));
            let next = timers.chain(arrivals).min().expect("someone waits for something");
            self.now_ms = self.now_ms.max(next);
            self.bench.now = self.now();
            let bytes = self.arrived(0);
            self.bench.feed(&bytes).wait_ms(0);
            let answers = self.arrived(1);
            let now = self.now();
            self.sender.handle_input(&answers, now);
            self.sender.handle_timeout(now);
        }
        panic!("the world hangs");
    }

    /// Lets everything arrive and every timer run out.
    fn rest(&mut self) {
        self.now_ms += 200_000;
        self.bench.now = self.now();
        let bytes = self.arrived(0);
        self.bench.feed(&bytes).wait_ms(60_000);
        self.now_ms += 60_000;
        self.arrived(1);
        self.bench.take_sent();
    }
}

fn records(session: usize, rng: &mut fastrand::Rng) -> Vec<Vec<u8>> {
    let mut records = vec![b"SB01".to_vec(), format!("M 01 session {session}").into_bytes()];
    for specimen in 0..rng.usize(0..4) {
        let head = format!("D 01210120260301{:>27}00010001  ", format!("G{session:06}{specimen:06}"));
        records.push((head + &"+ - ".repeat(rng.usize(0..12))).into_bytes());
    }
    records.push(format!("DE01 {session}").into_bytes());
    records
}

fn message(records: &[Vec<u8>]) -> String {
    records.iter().map(|record| String::from_utf8(record.clone()).unwrap() + "\r").collect()
}

#[test]
fn with_answers_what_is_believed_sent_is_held_and_nothing_else_is() {
    let (mut believed, mut faults, mut failed) = (0, 0, 0);
    for seed in 0..4_000 {
        let mut world = World::new(seed, Answers::ACK_NAK);
        let mut given = HashSet::new();
        for session in 0..4 {
            let records = records(session, &mut world.rng);
            given.insert(message(&records));
            let held = world.bench.messages.len();
            if world.session(&records, true) {
                believed += 1;
                assert_eq!(
                    world.bench.messages[held..],
                    [message(&records)],
                    "seed {seed}, session {session}"
                );
            } else {
                failed += 1;
            }
            world.rest();
        }
        let held: HashSet<String> = world.bench.messages.iter().cloned().collect();
        assert_eq!(held.len(), world.bench.messages.len(), "each once, seed {seed}");
        assert!(held.is_subset(&given), "held but never sent, seed {seed}");
        faults += world.faults;
    }
    assert!(
        believed > 10_000 && failed > 300 && faults > 10_000,
        "{believed} sent, {failed} failed, {faults} faults"
    );
}

#[test]
fn without_answers_a_message_is_exactly_what_was_sent_or_no_message() {
    let (mut held, mut sent) = (0, 0);
    for seed in 0..4_000 {
        let mut world = World::new(seed, Answers::Silent);
        let mut given = HashSet::new();
        for session in 0..4 {
            let records = records(session, &mut world.rng);
            given.insert(message(&records));
            world.session(&records, true);
            world.rest();
            sent += 1;
        }
        for found in &world.bench.messages {
            assert!(given.contains(found), "seed {seed}: {found:?} of {given:?}");
        }
        held += world.bench.messages.len();
    }
    assert!(held > 6_000 && held < sent, "{held} of {sent}");
}

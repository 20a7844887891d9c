//! Entry points for fuzzing: any bytes, any split, no panic, nothing lost.

use crate::{Config, Event, Receiver, Sender};
use std::time::Instant;

/// Reads anything in pieces whose lengths come from its first byte; whatever is taken comes out again, or was
/// a block character or an ignored byte.
pub fn fuzz_receiver(bytes: &[u8]) {
    let config = Config { block_bytes_max: 64, outstanding_max: 3, ..Config::default() };
    let mut receiver = Receiver::<()>::new(config);
    let piece = bytes.first().map_or(1, |first| usize::from(first % 7) + 1);
    let mut accounted = 0;
    for chunk in bytes.chunks(piece) {
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = receiver.handle_input(rest);
            rest = rest.get(taken..).unwrap_or_default();
            accounted += drain(&mut receiver);
            assert!(taken > 0 || receiver.wants_input());
        }
    }
    receiver.handle_disconnect();
    accounted += drain(&mut receiver);
    assert!(accounted <= bytes.len() as u64);
}

/// Gives anything to a sender that waits for an answer.
pub fn fuzz_sender(bytes: &[u8], now: Instant) {
    let mut sender = Sender::new(Config { block_bytes_max: 64, ..Config::default() });
    let out = sender.send(bytes, now);
    let mut rest = bytes;
    while !rest.is_empty() {
        let taken = sender.handle_input(rest);
        rest = rest.get(taken..).unwrap_or_default();
        while sender.poll_event().is_some() {}
    }
    sender.handle_timeout(now + Config::default().answer_timeout);
    assert!(sender.outstanding().is_none() && sender.poll_event().is_some() == out.is_ok());
}

fn drain(receiver: &mut Receiver<()>) -> u64 {
    let mut bytes = 0;
    while let Some(event) = receiver.poll_event() {
        match event {
            Event::Block(block) => {
                bytes += block.bytes.len() as u64;
                receiver.accept(block.ticket, (), b"MSA|AA");
            }
            Event::Oversize(oversize) => {
                bytes += oversize.bytes;
                receiver.refuse(oversize.ticket, None);
            }
            Event::Anomaly(anomaly) => bytes += anomaly.bytes.len() as u64,
            Event::Commit(_) => bytes += 1,
        }
    }
    receiver.poll_transmit();
    bytes
}

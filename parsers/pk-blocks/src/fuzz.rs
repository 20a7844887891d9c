//! The fuzz entry point: bytes as a script of what can happen to a receiver, watched for what must never happen.

use crate::block::{BlockEnd, encode_block, is_text};
use crate::config::{Answers, Config};
use crate::receiver::{BlockTicket, Ending, Event, Receiver};
use crate::session::{Session, Step};
use std::time::{Duration, Instant};

/// Plays `bytes` to a receiver, in virtual time: a byte of settings, then operations.
///
/// # Panics
/// When the receiver breaks a promise: an answer while a block is with the caller or where none is ever given, a block
/// outside a session, more memory than its bound.
pub fn fuzz_receiver(bytes: &[u8], epoch: Instant) {
    let (&first, mut rest) = bytes.split_first().unwrap_or((&0, &[]));
    let config = Config {
        answers: if first & 1 == 0 { Answers::Silent } else { Answers::ACK_NAK },
        block_text_bytes_max: if first & 2 == 0 { 4096 } else { 60 },
        buffered_bytes_max: 200,
        ..Config::default()
    };
    let held_bytes_max = 12 * config.block_text_bytes_max + 4 * config.buffered_bytes_max + 256;
    let mut watch = Watch {
        silent: config.answers == Answers::Silent,
        receiver: Receiver::new(config),
        now: epoch,
        ticket: None,
        session: None,
        complete: false,
    };
    while let Some((&operation, behind)) = rest.split_first() {
        rest = watch.play(operation, behind);
        watch.fetch();
        assert!(watch.receiver.held_bytes() <= held_bytes_max, "more is held than allowed");
    }
    watch.receiver.handle_disconnect();
    watch.fetch();
    assert!(watch.session.is_none(), "a session outlives its connection");
}

struct Watch {
    receiver: Receiver<()>,
    silent: bool,
    now: Instant,
    ticket: Option<BlockTicket>,
    session: Option<Session>,
    /// The session's last block was accepted.
    complete: bool,
}

impl Watch {
    /// One operation; gives what is behind it.
    fn play<'b>(&mut self, operation: u8, rest: &'b [u8]) -> &'b [u8] {
        let take = |count: u8| rest.split_at_checked(count.into()).unwrap_or((rest, &[]));
        match operation {
            0..=0x7F => {
                let (bytes, behind) = take(operation);
                self.feed(bytes);
                behind
            }
            0x80..=0x9F => {
                let (bytes, behind) = take(operation & 0x1F);
                let text: Vec<u8> = bytes.iter().copied().filter(|byte| is_text(*byte)).collect();
                let end = if bytes.first().is_some_and(|byte| byte & 1 == 0) {
                    BlockEnd::Last
                } else {
                    BlockEnd::More
                };
                self.feed(&encode_block(&text, end));
                behind
            }
            0xA0..=0xAF => {
                let label: &[u8] = if operation & 1 == 0 { b"SB01" } else { b"DE01" };
                self.feed(&encode_block(label, BlockEnd::Last));
                rest
            }
            0xB0..=0xCF => {
                self.now += Duration::from_millis(1 << (operation & 0x0F));
                self.receiver.handle_timeout(self.now);
                rest
            }
            0xD0..=0xEF => {
                if let Some(ticket) = self.ticket.take() {
                    self.receiver.accept(ticket, (), self.now);
                }
                rest
            }
            0xF0..=0xF7 => {
                if let Some(ticket) = self.ticket.take() {
                    self.receiver.refuse(ticket, self.now);
                }
                rest
            }
            0xF8..=0xFF => {
                self.receiver.handle_disconnect();
                rest
            }
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let taken = self.receiver.handle_input(bytes, self.now);
        assert!(taken <= bytes.len(), "more was taken than given");
    }

    fn fetch(&mut self) {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                Event::SessionStarted => {
                    assert!(self.session.is_none(), "a session begins inside another");
                    self.session = Some(Session::new(1_000));
                }
                Event::Block(block) => {
                    let session = self.session.as_mut();
                    let step = session.map(|session| session.push(&block.text, block.end));
                    self.complete = step == Some(Step::Complete);
                    assert!(step.is_some(), "a block outside a session");
                    self.ticket = Some(block.ticket);
                }
                Event::SessionEnded(ending) => {
                    let session = self.session.take();
                    assert!(session.is_some(), "what never began has ended");
                    let whole = session.is_some_and(|session| session.defect().is_none());
                    assert!(ending != Ending::Complete || !whole || self.complete, "complete without an end");
                }
                Event::Repeated | Event::Anomaly(_) => {}
            }
        }
        if let Some(answer) = self.receiver.poll_transmit() {
            assert!(!self.silent && !answer.is_empty(), "an answer that nobody wants");
        }
    }
}

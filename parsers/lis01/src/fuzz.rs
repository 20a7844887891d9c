//! The fuzz entry point: bytes as a script of what can happen to a link, watched for what must never happen.

use crate::config::{Checksum, Config, FrameNumbers, Framing, Interrupts, Role};
use crate::control::{ACK, ENQ, EOT, NAK};
use crate::event::{Event, FrameEnd, FrameTicket};
use crate::frame::{FrameNumber, encode_frame};
use crate::link::Link;
use std::time::{Duration, Instant};

/// Plays `bytes` to a link, in virtual time: two bytes of settings, then operations.
///
/// # Panics
/// When the link breaks one of its promises: an answer while a frame is with the caller, a frame outside a transfer,
/// more memory than its bound, a deadline in the past.
#[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; what follows is virtual")]
pub fn fuzz_link(bytes: &[u8]) {
    play(bytes, Instant::now());
}

fn play(bytes: &[u8], epoch: Instant) {
    let mut script = Script { bytes };
    let config = config(script.byte(), script.byte());
    let held_bytes_max = config.held_bytes_max();
    let mut watch = Watch {
        link: Link::new(config),
        now: epoch,
        tickets: Vec::new(),
        open: false,
        silent: false,
        hung_up: false,
    };
    while !script.bytes.is_empty() {
        watch.play(&mut script);
        watch.fetch();
        assert!(watch.link.held_bytes() <= held_bytes_max, "more is held than allowed");
    }
    watch.hung_up = false;
    watch.link.handle_disconnect(watch.now);
    watch.fetch();
    assert!(!watch.open, "a transfer outlives its connection");
}

fn config(first: u8, second: u8) -> Config {
    Config {
        role: if first & 1 == 0 { Role::Computer } else { Role::Instrument },
        checksum: match (first >> 1) & 3 {
            0 | 3 => Checksum::Require,
            1 => Checksum::Warn,
            _ => Checksum::Ignore,
        },
        frame_numbers: match (first >> 3) & 3 {
            0 | 3 => FrameNumbers::Strict,
            1 => FrameNumbers::Lenient,
            _ => FrameNumbers::Absent,
        },
        framing: if second & 8 == 0 { Framing::Numbered } else { Framing::ControlBytes },
        interrupts: if first & 0x20 == 0 { Interrupts::Ignore } else { Interrupts::Honour },
        frame_text_bytes_max: if second & 1 == 0 { 64_000 } else { 20 },
        send_text_bytes_max: if second & 2 == 0 { 240 } else { 3 },
        buffered_bytes_max: if second & 4 == 0 { 1_000 } else { 0 },
        queued_transfers_max: 3,
        queued_bytes_max: 300,
        ..Config::default()
    }
}

struct Script<'a> {
    bytes: &'a [u8],
}

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let (&byte, rest) = self.bytes.split_first().unwrap_or((&0, &[]));
        self.bytes = rest;
        byte
    }

    fn take(&mut self, count: u8) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at_checked(count.into()).unwrap_or((self.bytes, &[]));
        self.bytes = rest;
        taken
    }
}

struct Watch {
    link: Link<()>,
    now: Instant,
    tickets: Vec<FrameTicket>,
    /// A transfer from the peer is under way.
    open: bool,
    /// A frame is with the caller: not a byte may leave.
    silent: bool,
    /// The link has hung up: nothing more may happen until the connection is closed.
    hung_up: bool,
}

impl Watch {
    fn play(&mut self, script: &mut Script<'_>) {
        match script.byte() {
            length @ 0..=0x7F => self.feed(script.take(length)),
            form @ 0x80..=0xAF => {
                let end = if form & 8 == 0 { FrameEnd::End } else { FrameEnd::Intermediate };
                let length = script.byte() & 0x3F;
                self.feed(&encode_frame(FrameNumber::new(form & 7), end, script.take(length)));
            }
            control @ 0xB0..=0xBF => {
                let controls = [ENQ, EOT, ACK, NAK];
                self.feed(
                    controls.get(usize::from(control & 3)..=usize::from(control & 3)).unwrap_or_default(),
                );
            }
            time @ 0xC0..=0xCF => {
                self.now += Duration::from_millis(125 << (time & 0x0F));
                self.silent = false;
                self.link.handle_timeout(self.now);
            }
            0xD0..=0xE7 => {
                if let Some(ticket) = self.tickets.pop() {
                    self.silent = false;
                    self.link.accept(ticket, (), self.now);
                }
            }
            0xE8..=0xEB => {
                if let Some(ticket) = self.tickets.pop() {
                    self.silent = false;
                    self.link.refuse(ticket, self.now);
                }
            }
            0xEC..=0xEF => self.tickets.clear(),
            0xF0..=0xF7 => {
                let length = script.byte() & 0x3F;
                let records = script.take(length).split_inclusive(|&byte| byte == b'\r');
                // A refused transfer is as good as none here.
                drop(self.link.send(records.map(<[u8]>::to_vec).collect(), self.now));
            }
            ready @ 0xF8..=0xFB => self.link.set_ready(ready & 1 == 0),
            0xFC | 0xFD => self.link.request_interrupt(),
            0xFE | 0xFF => {
                (self.silent, self.hung_up) = (false, false);
                self.link.handle_disconnect(self.now);
            }
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let taken = self.link.handle_input(bytes, self.now);
        assert!(taken <= bytes.len(), "more was taken than given");
    }

    fn fetch(&mut self) {
        while let Some(event) = self.link.poll_event() {
            assert!(!self.hung_up, "something happens after hanging up");
            match event {
                Event::TransferStarted => {
                    assert!(!self.open, "a transfer starts inside another");
                    self.open = true;
                }
                Event::TransferEnded(_) => {
                    assert!(self.open, "what never started has ended");
                    self.open = false;
                }
                Event::Frame(frame) => {
                    assert!(self.open, "a frame outside a transfer");
                    self.fetch_blocks();
                    self.silent = true;
                    let deadline = self.link.poll_timeout();
                    assert!(deadline.is_some_and(|at| at > self.now), "no reply duty for a frame");
                    self.tickets = vec![frame.ticket];
                }
                Event::HangUp(_) => {
                    self.silent = false;
                    self.fetch_blocks();
                    self.hung_up = true;
                }
                Event::Repeated { .. }
                | Event::InterruptRequested { .. }
                | Event::Sent(_)
                | Event::SendFailed { .. }
                | Event::Contention
                | Event::Anomaly(_) => {}
            }
        }
        self.fetch_blocks();
    }

    fn fetch_blocks(&mut self) {
        while let Some(block) = self.link.poll_transmit() {
            assert!(!block.is_empty(), "an empty block");
            assert!(!self.silent, "an answer before the caller's");
            assert!(!self.hung_up, "an answer after hanging up");
        }
    }
}

//! One end of the line: a link, the caller that stores its frames, and the messages it has to send.

use crate::bench_line::{Stored, epoch};
use lis01::{Config, Ending, Event, FrameTicket, Link, SendId};
use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

pub(super) fn instant(ms: u64) -> Instant {
    epoch() + Duration::from_millis(ms)
}

/// A transfer from the peer, as this side holds it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Texts of the accepted frames.
    pub(super) accepted: Vec<Vec<u8>>,
    pub(super) ending: Option<Ending>,
}

impl Session {
    pub(super) fn text(&self) -> Vec<u8> {
        self.accepted.concat()
    }
}

/// A frame that is being stored.
#[derive(Debug)]
struct Storing {
    done_ms: u64,
    ticket: FrameTicket,
    session: usize,
    text: Vec<u8>,
    /// Storing fails.
    fails: bool,
}

#[derive(Debug)]
pub(super) struct Side {
    pub(super) link: Link<Stored>,
    /// Messages that still have to be sent, each with the time it turns up. The first may be in hand.
    pub(super) messages: VecDeque<(u64, String)>,
    in_hand: Option<SendId>,
    attempts: u32,
    /// Text of every transfer given to the link.
    pub(super) given: HashMap<SendId, Vec<Vec<u8>>>,
    /// Transfers that this side believes sent, until checked.
    pub(super) believed: Vec<SendId>,
    pub(super) sessions: Vec<Session>,
    storing: Vec<Storing>,
    pub(super) contentions: u32,
    pub(super) interrupts: u32,
    pub(super) repeats: u32,
}

/// How a side's store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Prompt,
    Moody,
}

impl Side {
    pub(super) fn new(config: Config, messages: Vec<(u64, String)>) -> Self {
        Self {
            link: Link::new(config),
            messages: messages.into(),
            in_hand: None,
            attempts: 0,
            given: HashMap::new(),
            believed: Vec::new(),
            sessions: Vec::new(),
            storing: Vec::new(),
            contentions: 0,
            interrupts: 0,
            repeats: 0,
        }
    }

    /// The next time something happens here by itself.
    pub(super) fn next_ms(&self, now_ms: u64) -> Option<u64> {
        let timeout = self.link.poll_timeout().map(|at| at.saturating_duration_since(epoch()));
        let timeout = timeout.map(|at| u64::try_from(at.as_millis()).unwrap());
        let stored = self.storing.iter().map(|storing| storing.done_ms).min();
        let message = self.messages.front().filter(|_| self.in_hand.is_none()).map(|(at, _)| *at);
        [timeout, stored, message].into_iter().flatten().min().map(|at| at.max(now_ms))
    }

    /// Everything due now: messages that turn up, frames that are stored, timers.
    pub(super) fn wake(&mut self, now_ms: u64) {
        if self.in_hand.is_none()
            && let Some((at, message)) = self.messages.front()
            && *at <= now_ms
        {
            self.attempts += 1;
            let records = records(message, self.attempts);
            let id = self.link.send(records.clone(), instant(now_ms)).unwrap();
            self.given.insert(id, records);
            self.in_hand = Some(id);
        }
        while let Some(place) = self.storing.iter().position(|storing| storing.done_ms <= now_ms) {
            let Storing { ticket, session, text, fails, .. } = self.storing.remove(place);
            if fails {
                self.link.refuse(ticket, instant(now_ms));
            } else {
                self.sessions[session].accepted.push(text);
                self.link.accept(ticket, Stored(()), instant(now_ms));
            }
        }
        self.link.handle_timeout(instant(now_ms));
    }

    pub(super) fn disconnect(&mut self, now_ms: u64) {
        self.link.handle_disconnect(instant(now_ms));
    }

    pub(super) fn fetch_events(&mut self, store: Store, now_ms: u64, rng: &mut fastrand::Rng) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::TransferStarted => self.sessions.push(Session::default()),
                Event::TransferEnded(ending) => self.sessions.last_mut().unwrap().ending = Some(ending),
                Event::Frame(frame) => {
                    if store == Store::Moody && rng.u8(0..20) == 0 {
                        self.link.request_interrupt();
                    }
                    let delay = if store == Store::Prompt { 0 } else { moody_delay_ms(rng) };
                    self.storing.push(Storing {
                        done_ms: now_ms + delay,
                        ticket: frame.ticket,
                        session: self.sessions.len() - 1,
                        text: frame.text,
                        fails: store == Store::Moody && rng.u8(0..25) == 0,
                    });
                }
                Event::Sent(id) => {
                    assert_eq!(self.in_hand.take(), Some(id));
                    self.believed.push(id);
                    self.messages.pop_front();
                }
                Event::SendFailed { id, .. } => assert_eq!(self.in_hand.take(), Some(id)),
                Event::Contention => self.contentions += 1,
                Event::InterruptRequested { .. } => self.interrupts += 1,
                Event::Repeated { .. } => self.repeats += 1,
                Event::HangUp(why) => panic!("these links know NAK: {why}"),
                Event::Anomaly(_) => {}
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.messages.is_empty() && self.storing.is_empty()
    }
}

/// Mostly quick, sometimes about as long as the reply duty, sometimes much longer.
fn moody_delay_ms(rng: &mut fastrand::Rng) -> u64 {
    match rng.u8(0..40) {
        0 => rng.u64(11_990..=12_010),
        1 => rng.u64(12_000..=40_000),
        2..=5 => rng.u64(0..=2_000),
        _ => rng.u64(0..=5),
    }
}

/// The records of one attempt to send a message: no other transfer has the same text.
fn records(message: &str, attempt: u32) -> Vec<Vec<u8>> {
    let body =
        (1..=message.len()).map(|n| format!("R|{n}|{message}|DEBUG BEACON{}|\r", "x".repeat(n * 3 % 17)));
    let records = [format!("H|\\^&|{message}|{attempt}\r")].into_iter().chain(body);
    records.chain([format!("L|1|{message}|{attempt}\r")]).map(String::into_bytes).collect()
}

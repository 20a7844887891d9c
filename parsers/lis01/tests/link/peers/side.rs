//! One end of the line: a link, the caller that stores its frames, and the messages it has to send.

use crate::bench_line::{Stored, epoch};
use lis01::{Config, Ending, Event, FrameTicket, Link, Phase, SendId, Timer};
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
    timers: lis01::Timers,
    /// The timer that runs, as far as its length tells which, and when it will be over.
    running: Option<(Instant, Option<Timer>)>,
    /// All records of a message in one.
    packed: bool,
    /// The link wants the connection closed.
    pub(super) hangs_up: bool,
    pub(super) seen: Seen,
}

/// How rich a world was, on one side.
#[derive(Debug, Default, Clone)]
pub(super) struct Seen {
    pub(super) contentions: u32,
    pub(super) interrupts: u32,
    pub(super) repeats: u32,
    pub(super) hang_ups: u32,
    /// Transfers believed sent.
    pub(super) sent: u32,
    /// Timers that ran out.
    pub(super) expired: HashMap<Timer, u32>,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.contentions += other.contentions;
        self.interrupts += other.interrupts;
        self.repeats += other.repeats;
        self.hang_ups += other.hang_ups;
        self.sent += other.sent;
        for (timer, times) in &other.expired {
            *self.expired.entry(*timer).or_default() += times;
        }
    }
}

/// How a side's store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Store {
    Prompt,
    Moody,
    /// Moody, but never so long that the reply duty runs out.
    MoodyInTime,
}

impl Side {
    pub(super) fn new(config: Config, packed: bool, messages: Vec<(u64, String)>) -> Self {
        Self {
            timers: config.timers.clone(),
            running: None,
            packed,
            hangs_up: false,
            link: Link::new(config),
            messages: messages.into(),
            in_hand: None,
            attempts: 0,
            given: HashMap::new(),
            believed: Vec::new(),
            sessions: Vec::new(),
            storing: Vec::new(),
            seen: Seen::default(),
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
            let mut records = records(message, self.attempts);
            if self.packed {
                records = vec![records.concat()];
            }
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
        if let Some((at, timer)) = self.running.take_if(|(at, _)| *at <= instant(now_ms))
            && self.link.poll_timeout() == Some(at)
            && let Some(timer) = timer
        {
            *self.seen.expired.entry(timer).or_default() += 1;
        }
        self.link.handle_timeout(instant(now_ms));
    }

    /// Looks which timer has been started, by its length.
    pub(super) fn watch(&mut self, now_ms: u64) {
        let due = self.link.poll_timeout();
        if due != self.running.map(|(at, _)| at) {
            self.running = due.map(|at| {
                let length = at.saturating_duration_since(instant(now_ms));
                (at, Timer::ALL.into_iter().find(|timer| timer.duration(&self.timers) == length))
            });
        }
    }

    pub(super) fn disconnect(&mut self, now_ms: u64) {
        self.link.handle_disconnect(instant(now_ms));
    }

    pub(super) fn fetch_events(&mut self, store: Store, now_ms: u64, rng: &mut fastrand::Rng) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::TransferStarted => self.sessions.push(Session::default()),
                Event::TransferEnded(ending) => {
                    self.sessions.last_mut().unwrap().ending = Some(ending);
                    self.link.set_ready(store == Store::Prompt || rng.u8(0..16) > 0);
                }
                Event::Frame(frame) => {
                    if store != Store::Prompt && rng.u8(0..20) == 0 {
                        self.link.request_interrupt();
                    }
                    let delay = match store {
                        Store::Prompt => 0,
                        Store::Moody => moody_delay_ms(rng),
                        Store::MoodyInTime => moody_delay_ms(rng).min(10_000),
                    };
                    self.storing.push(Storing {
                        done_ms: now_ms + delay,
                        ticket: frame.ticket,
                        session: self.sessions.len() - 1,
                        text: frame.text,
                        fails: store != Store::Prompt && rng.u8(0..25) == 0,
                    });
                }
                Event::Sent(id) => {
                    assert_eq!(self.in_hand.take(), Some(id));
                    self.seen.sent += 1;
                    self.believed.push(id);
                    self.messages.pop_front();
                }
                Event::SendFailed { id, .. } => assert_eq!(self.in_hand.take(), Some(id)),
                Event::Contention => self.seen.contentions += 1,
                Event::InterruptRequested { .. } => self.seen.interrupts += 1,
                Event::Repeated { .. } => self.seen.repeats += 1,
                Event::HangUp(_) => {
                    self.seen.hang_ups += 1;
                    self.hangs_up = true;
                }
                Event::Anomaly(_) => {}
            }
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.messages.is_empty() && self.storing.is_empty() && self.link.phase() == Phase::Neutral
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

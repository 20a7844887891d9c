//! The link: one connection's machine. Bytes, answers and the time go in; bytes, events and the next deadline come out.

use crate::config::Config;
use crate::event::{AnomalyKind, Event, FrameTicket, LinkId, SendFailure, SendId, SendRefused};
use crate::outgoing::Outgoing;
use crate::output::Output;
use crate::state::{Answer, Context, Neutral, Shared, State};
use std::borrow::Cow;
use std::marker::PhantomData;
use std::time::Instant;

/// Which part of the protocol a link is in, whatever its framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nobody has the line.
    Neutral,
    /// We asked for it.
    Establishing,
    /// We have it.
    Sending,
    /// The peer has it.
    Receiving,
    /// The connection has to be closed ([`Event::HangUp`]).
    HungUp,
}

/// A LIS01 link without IO. `P` is the proof that a frame may be answered ACK; the caller chooses it (the ledger's
/// durable receipt), and without one the compiler admits no [`accept`](Self::accept).
///
/// After every call: fetch events and blocks until there are none, then call `handle_timeout` no later than
/// `poll_timeout` says.
#[derive(Debug)]
pub struct Link<P> {
    config: Config,
    state: State,
    shared: Shared,
    backlog: Backlog,
    /// Bytes of the connection read so far.
    at: u64,
    /// The time of the last call.
    seen: Option<Instant>,
    proof: PhantomData<fn(P)>,
}

impl<P> Link<P> {
    /// A link on a neutral line, ready to receive.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let shared = Shared {
            outgoing: Outgoing::default(),
            output: Output::default(),
            pause: None,
            ready: true,
            refusals: 0,
            ended_by_eot: false,
            interrupt: false,
            identity: LinkId::next(),
            tickets: 0,
        };
        let state = State::Neutral(Neutral);
        Self { config, state, shared, backlog: Backlog::default(), at: 0, seen: None, proof: PhantomData }
    }

    /// Takes bytes from the line and says how many. Fewer than given: the buffer behind an unanswered frame is full;
    /// stop reading, and offer the rest again after `accept`, `refuse` or `handle_timeout`.
    #[must_use = "bytes not taken have to be offered again"]
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) -> usize {
        self.seen = Some(now);
        let direct = if self.backlog.is_empty() { self.advance(bytes, now) } else { 0 };
        let rest = bytes.get(direct..).unwrap_or_default();
        let kept = self.backlog.keep(rest, self.config.buffered_bytes_max.max(1));
        self.resume(now);
        direct + kept
    }

    /// Tells the time. Due timers run out: exactly at their limit, not before.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.seen = Some(now);
        if self.state.deadline().is_some_and(|deadline| deadline.is_over(now)) {
            let backlog = std::mem::take(&mut self.backlog);
            self.step(now, |state, cx| state.expire(backlog.unread(), cx));
            self.backlog = backlog;
        }
        self.resume(now);
    }

    /// The connection closed. What was being sent, or waits, has failed; a transfer being received has ended. The link
    /// can serve a new connection.
    pub fn handle_disconnect(&mut self, now: Instant) {
        self.seen = Some(now);
        self.step(now, |state, cx| {
            state.disconnect(cx);
            while let Some(transfer) = cx.shared.outgoing.take() {
                cx.fail(&transfer, SendFailure::Disconnected, 0);
            }
            State::Neutral(Neutral)
        });
        if !self.backlog.is_empty() {
            self.shared.output.anomaly(
                AnomalyKind::InputDropped,
                self.at,
                self.backlog.unread().len() as u64,
            );
        }
        self.backlog = Backlog::default();
        self.shared.output.end_ignored();
        self.shared.output.drop_unsent();
        self.shared.pause = None;
        self.shared.interrupt = false;
        self.shared.ended_by_eot = false;
        self.at = 0;
    }

    /// The frame is durable: ACK, or EOT where an interrupt was asked for.
    pub fn accept(&mut self, ticket: FrameTicket, proof: P, now: Instant) {
        drop(proof);
        self.answer(ticket, Answer::Accept, now);
    }

    /// The frame could not be made durable: NAK. The peer sends it again.
    pub fn refuse(&mut self, ticket: FrameTicket, now: Instant) {
        self.answer(ticket, Answer::Refuse, now);
    }

    /// Whether the next enquiry is answered ACK or NAK. A transfer under way goes on.
    pub fn set_ready(&mut self, ready: bool) {
        self.shared.ready = ready;
    }

    /// Queues one transfer: its records, each with its CR.
    ///
    /// # Errors
    /// [`SendRefused`] when the queue is full or a record cannot be framed.
    pub fn send(&mut self, records: Vec<Vec<u8>>, now: Instant) -> Result<SendId, SendRefused> {
        self.seen = Some(now);
        let id = self.shared.outgoing.push(records, &self.config)?;
        self.resume(now);
        Ok(id)
    }

    /// Takes a transfer back that waits for the line. False when it is on the line, or done with: then it goes its way.
    pub fn withdraw(&mut self, id: SendId) -> bool {
        self.shared.outgoing.withdraw(id)
    }

    /// Answers the next accepted frame of the transfer under way with EOT, which asks the peer for the line. It may
    /// ignore that; ask again then.
    pub fn request_interrupt(&mut self) {
        self.shared.interrupt = matches!(self.state, State::Receiving(_));
    }

    /// The next block of bytes for the line. An answer of one byte takes no memory.
    pub fn poll_transmit(&mut self) -> Option<Cow<'static, [u8]>> {
        self.shared.output.next_block()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.shared.output.next_event()
    }

    /// When `handle_timeout` has to be called; a time that has passed means now.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let state = self.state.deadline().and_then(|deadline| deadline.at);
        let asks = self.phase() == Phase::Neutral && !self.shared.outgoing.is_empty();
        let pause = self.shared.pause.filter(|_| asks).and_then(|pause| pause.at);
        let resume = self.seen.filter(|_| !self.backlog.is_empty() && !self.is_blocked());
        [state, pause, resume].into_iter().flatten().min()
    }

    /// Which part of the protocol the link is in.
    #[must_use]
    pub fn phase(&self) -> Phase {
        match self.state {
            State::Neutral(_) => Phase::Neutral,
            State::Establishing(_) => Phase::Establishing,
            State::Sending(_) | State::PlainSending(_) => Phase::Sending,
            State::Receiving(_) | State::PlainReceiving(_) => Phase::Receiving,
            State::HungUp => Phase::HungUp,
        }
    }

    /// Bytes of text held: behind an unanswered frame, of frames, and waiting to be sent or fetched. Never more than
    /// [`Config::held_bytes_max`].
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let kept = self.backlog.bytes.capacity() + self.state.held_bytes();
        kept + self.shared.output.held_bytes() + self.shared.outgoing.held_bytes()
    }

    #[expect(clippy::needless_pass_by_value, reason = "a ticket answers once")]
    fn answer(&mut self, ticket: FrameTicket, answer: Answer, now: Instant) {
        self.seen = Some(now);
        let backlog = std::mem::take(&mut self.backlog);
        self.step(now, |state, cx| match state {
            State::Receiving(state) => state.answer(&ticket, answer, backlog.unread(), cx),
            State::PlainReceiving(state) => state.answer(&ticket, answer, backlog.unread(), cx),
            State::Neutral(_)
            | State::Establishing(_)
            | State::Sending(_)
            | State::PlainSending(_)
            | State::HungUp => state,
        });
        self.backlog = backlog;
        self.resume(now);
    }

    /// Reads what waits, then asks for the line if there is something to send.
    fn resume(&mut self, now: Instant) {
        let mut backlog = std::mem::take(&mut self.backlog);
        let used = self.advance(backlog.unread(), now);
        backlog.consume(used);
        self.backlog = backlog;
        if self.backlog.is_empty() && self.phase() == Phase::Neutral {
            self.step(now, |state, cx| match state {
                State::Neutral(state) => state.ask(cx),
                State::Establishing(_)
                | State::Sending(_)
                | State::Receiving(_)
                | State::PlainSending(_)
                | State::PlainReceiving(_)
                | State::HungUp => state,
            });
        }
    }

    /// Reads `bytes` until they end or an answer is due; returns how many were read.
    fn advance(&mut self, bytes: &[u8], now: Instant) -> usize {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_blocked() {
            let mut used = 0;
            self.step(now, |state, cx| {
                let (next, read) = state.read(rest, cx);
                used = read;
                next
            });
            self.at += used as u64;
            rest = rest.get(used..).unwrap_or_default();
        }
        bytes.len() - rest.len()
    }

    fn is_blocked(&self) -> bool {
        self.state.awaits_answer() || !self.shared.output.has_room()
    }

    fn step(&mut self, now: Instant, step: impl FnOnce(State, &mut Context<'_>) -> State) {
        let state = std::mem::replace(&mut self.state, State::Neutral(Neutral));
        let mut cx = Context { config: &self.config, shared: &mut self.shared, now, at: self.at };
        self.state = step(state, &mut cx);
    }
}

/// Input behind an unanswered frame.
#[derive(Debug, Default)]
struct Backlog {
    bytes: Vec<u8>,
    read: usize,
}

impl Backlog {
    #[inline]
    fn unread(&self) -> &[u8] {
        self.bytes.get(self.read..).unwrap_or_default()
    }

    #[inline]
    fn is_empty(&self) -> bool {
        self.unread().is_empty()
    }

    /// Keeps as many of `bytes` as `bytes_max` allows.
    fn keep(&mut self, bytes: &[u8], bytes_max: usize) -> usize {
        let room = bytes_max.saturating_sub(self.unread().len());
        let kept = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        if !kept.is_empty() && self.read > 0 {
            self.bytes.drain(..self.read);
            self.read = 0;
        }
        self.bytes.reserve_exact(kept.len());
        self.bytes.extend_from_slice(kept);
        kept.len()
    }

    #[inline]
    fn consume(&mut self, bytes: usize) {
        self.read += bytes;
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

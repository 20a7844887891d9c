//! The side that is sent sessions.

use crate::block::{BlockDefect, BlockEnd, STX};
use crate::config::{Answers, Config};
use crate::reader::{Begun, Progress, Reader};
use crate::session::{BEGIN, END};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// One thing that happened on the line, in order.
#[derive(Debug)]
pub enum Event {
    /// A session begins.
    SessionStarted,
    /// A good block. Nothing is answered until its ticket comes back.
    Block(Block),
    /// The last accepted block came again: it is not delivered twice. No two records of a session are the same.
    Repeated,
    /// The session is over. Blocks that were accepted stay accepted.
    SessionEnded(Ending),
    /// Something that should not be.
    Anomaly(Anomaly),
}

/// A good block.
#[derive(Debug)]
pub struct Block {
    /// Between STX and the end.
    pub text: Vec<u8>,
    /// Whether its record ends here.
    pub end: BlockEnd,
    /// Whether no block of its session is known to be lost. Where blocks are answered, this one is the repeat of the one
    /// that was refused.
    pub whole: bool,
    /// The right to answer it.
    pub ticket: BlockTicket,
}

/// The right to answer one block, once. It cannot be copied or made.
#[derive(Debug)]
#[must_use = "until its ticket is answered, nothing more is read"]
pub struct BlockTicket {
    number: u64,
    line: Arc<()>,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Its DE came, and no block was lost on the way that we know of.
    Complete,
    /// Its DE came, but a block before was damaged or not kept, and could not be asked for again.
    Damaged,
    /// Nothing more came.
    Timeout,
    /// The connection closed.
    Disconnected,
    /// The next session began.
    Restarted,
}

/// Something that should not be, with its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// Offset of the first byte concerned, from the first of the connection.
    pub at: u64,
    /// Bytes that were not delivered because of it.
    pub bytes_skipped: u64,
}

/// The kinds of anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnomalyKind {
    /// Bytes that belong to no block.
    Noise,
    /// A block that cannot be accepted for what is wrong with its bytes.
    BadBlock(BlockDefect),
    /// Nobody decided about a block in time: it was refused.
    AnswerOverdue,
    /// Another block while one that was refused for lateness is still with the caller. Refused.
    BlockBeforeAnswer,
    /// Input behind an unanswered block, dropped because the connection closed.
    InputDropped,
}

/// Input is left waiting while so many events have not been fetched.
const EVENTS_MAX: usize = 64;

/// Reads blocks and lets an answer leave only against the proof `P` that its block is kept.
#[derive(Debug)]
pub struct Receiver<P> {
    config: Config,
    reader: Reader,
    backlog: VecDeque<u8>,
    events: VecDeque<Event>,
    transmit: Vec<u8>,
    noise: Option<Anomaly>,
    session: Option<Open>,
    pending: Option<Pending>,
    /// The last block accepted on this connection, to know it again.
    last: Option<(Vec<u8>, BlockEnd)>,
    deadline: Option<Instant>,
    /// The time that a block which is too long has is running; more bytes buy no more.
    endless: bool,
    /// The time of the last call.
    seen: Option<Instant>,
    at: u64,
    tickets: u64,
    line: Arc<()>,
    proof: PhantomData<fn(P)>,
}

/// A session under way.
#[derive(Debug, Default)]
struct Open {
    /// A block was damaged or refused. Where blocks are answered, the next one is its repeat.
    doubt: bool,
}

#[derive(Debug)]
struct Pending {
    ticket: u64,
    text: Vec<u8>,
    end: BlockEnd,
    /// It was refused for lateness; its repeat waits for the same decision.
    overdue: bool,
}

impl<P> Receiver<P> {
    /// A receiver for one connection.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            config,
            reader: Reader::Outside,
            backlog: VecDeque::new(),
            events: VecDeque::new(),
            transmit: Vec::new(),
            noise: None,
            session: None,
            pending: None,
            last: None,
            deadline: None,
            endless: false,
            seen: None,
            at: 0,
            tickets: 0,
            line: Arc::new(()),
            proof: PhantomData,
        }
    }

    /// Takes bytes and says how many. Fewer than given: offer the rest again after events were fetched and blocks
    /// answered.
    #[must_use = "bytes not taken have to be offered again"]
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) -> usize {
        // What comes after a silence that was too long does not end it, however late it is noticed.
        self.handle_timeout(now);
        let room = self.config.buffered_bytes_max.max(1).saturating_sub(self.backlog.len());
        let taken = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        self.backlog.extend(taken);
        self.advance(now);
        taken.len()
    }

    /// Tells the time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.deadline = None;
            self.expire(now);
        }
        self.advance(now);
    }

    /// The connection closed. The receiver can serve a new one.
    pub fn handle_disconnect(&mut self) {
        self.end_noise();
        if let Some((begun, defect)) = self.reader.give_up() {
            self.anomaly(AnomalyKind::BadBlock(defect), begun.at, self.at.saturating_sub(begun.at));
        }
        if !self.backlog.is_empty() {
            self.anomaly(AnomalyKind::InputDropped, self.at, self.backlog.len() as u64);
        }
        self.end_session(Ending::Disconnected);
        self.backlog = VecDeque::new();
        self.transmit.clear();
        (self.pending, self.last, self.deadline, self.at) = (None, None, None, 0);
        self.line = Arc::new(());
    }

    /// The block is durable.
    pub fn accept(&mut self, ticket: BlockTicket, proof: P, now: Instant) {
        drop(proof);
        let Some(pending) = self.settled(ticket) else { return };
        let ends = pending.text.starts_with(END) && pending.end == BlockEnd::Last;
        if self.answers()
            && let Some(session) = &mut self.session
        {
            session.doubt = false;
        }
        if !pending.overdue {
            self.answer(true);
        }
        self.last = Some((pending.text, pending.end));
        if ends {
            let damaged = self.session.as_ref().is_some_and(|session| session.doubt);
            self.end_session(if damaged { Ending::Damaged } else { Ending::Complete });
        }
        self.go_on(now);
    }

    /// The block could not be made durable. Without answers its session is damaged for good.
    pub fn refuse(&mut self, ticket: BlockTicket, now: Instant) {
        let Some(pending) = self.settled(ticket) else { return };
        self.doubt();
        if !pending.overdue {
            self.answer(false);
        }
        self.go_on(now);
    }

    /// The next bytes for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        (!self.transmit.is_empty()).then(|| std::mem::take(&mut self.transmit))
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When `handle_timeout` has to be called; a time that has passed means now.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let resume = self.seen.filter(|_| !self.backlog.is_empty() && !self.awaits_decision());
        [self.deadline, resume].into_iter().flatten().min()
    }

    /// Bytes of text held.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let pending = self.pending.as_ref().map_or(0, |pending| pending.text.capacity());
        let last = self.last.as_ref().map_or(0, |(text, _)| text.capacity());
        self.backlog.capacity() + self.reader.held_bytes() + pending + last
    }

    fn answers(&self) -> bool {
        matches!(self.config.answers, Answers::Bytes { .. })
    }

    fn awaits_decision(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !pending.overdue)
    }

    fn advance(&mut self, now: Instant) {
        self.seen = Some(now);
        let before = self.backlog.len();
        while !self.awaits_decision()
            && self.events.len() < EVENTS_MAX
            && let Some(&byte) = self.backlog.front()
        {
            match self.reader.read(byte, self.at, self.config.block_text_bytes_max) {
                Progress::Next => self.settle(now),
                progress @ (Progress::Taken | Progress::Noise) => {
                    self.backlog.pop_front();
                    if progress == Progress::Noise {
                        self.noise(byte);
                    }
                    self.at += 1;
                }
            }
        }
        if self.backlog.is_empty() {
            self.backlog = VecDeque::new();
        }
        let endless = self.reader.is_too_long();
        if before != self.backlog.len() && !self.awaits_decision() && !(endless && self.endless) {
            self.wait(now);
        }
        self.endless = endless;
    }

    /// The timer that the state asks for.
    fn wait(&mut self, now: Instant) {
        let after = match (&self.pending, &self.reader, &self.session) {
            (Some(pending), ..) if !pending.overdue => self.answers().then_some(self.config.reply),
            (_, Reader::Settling(..), _) => Some(self.config.quiet),
            (_, Reader::Text(_) | Reader::Check(..), _) => Some(self.config.block_silence),
            (_, Reader::Outside, Some(_)) => Some(self.config.session_silence),
            (_, Reader::Outside, None) => None,
        };
        self.deadline = after.and_then(|after: Duration| now.checked_add(after));
    }

    fn go_on(&mut self, now: Instant) {
        self.wait(now);
        self.advance(now);
    }

    fn expire(&mut self, now: Instant) {
        if let Some(pending) = self.pending.as_mut().filter(|pending| !pending.overdue) {
            pending.overdue = true;
            self.anomaly(AnomalyKind::AnswerOverdue, self.at, 0);
            self.doubt();
            self.answer(false);
            return self.wait(now);
        }
        match &self.reader {
            Reader::Settling(..) => self.settle(now),
            Reader::Text(_) | Reader::Check(..) => {
                if let Some((begun, defect)) = self.reader.give_up() {
                    self.bad(&begun, defect, now);
                }
            }
            Reader::Outside => self.end_session(Ending::Timeout),
        }
    }

    /// A block is over, and its end was its end.
    fn settle(&mut self, now: Instant) {
        match self.reader.settle() {
            None => {}
            Some((begun, Err(defect))) => self.bad(&begun, defect, now),
            Some((begun, Ok(end))) => self.judge(begun, end, now),
        }
    }

    fn bad(&mut self, begun: &Begun, defect: BlockDefect, now: Instant) {
        self.anomaly(AnomalyKind::BadBlock(defect), begun.at, self.at.saturating_sub(begun.at));
        self.doubt();
        self.answer(false);
        self.wait(now);
    }

    fn judge(&mut self, begun: Begun, end: BlockEnd, now: Instant) {
        if let Some(pending) = &mut self.pending {
            // The one that was refused for lateness: its repeat waits for the decision, another has to wait.
            if pending.text == begun.text && pending.end == end {
                pending.overdue = false;
            } else {
                self.anomaly(AnomalyKind::BlockBeforeAnswer, begun.at, self.at.saturating_sub(begun.at));
                self.answer(false);
            }
            return self.wait(now);
        }
        let again = self.last.as_ref().is_some_and(|(text, last)| *text == begun.text && *last == end);
        if again {
            if self.answers()
                && let Some(session) = &mut self.session
            {
                session.doubt = false;
            }
            self.answer(true);
            self.event(Event::Repeated);
            return self.wait(now);
        }
        if self.session.is_none() || begun.text.starts_with(BEGIN) {
            self.end_session(Ending::Restarted);
            self.session = Some(Open::default());
            self.event(Event::SessionStarted);
        }
        self.tickets += 1;
        let ticket = BlockTicket { number: self.tickets, line: Arc::clone(&self.line) };
        self.pending = Some(Pending { ticket: self.tickets, text: begun.text.clone(), end, overdue: false });
        let whole = self.answers() || !self.session.as_ref().is_some_and(|session| session.doubt);
        self.event(Event::Block(Block { text: begun.text, end, whole, ticket }));
        self.wait(now);
    }

    #[expect(clippy::needless_pass_by_value, reason = "a ticket answers once")]
    fn settled(&mut self, ticket: BlockTicket) -> Option<Pending> {
        let own = Arc::ptr_eq(&ticket.line, &self.line);
        self.pending.take_if(|pending| own && pending.ticket == ticket.number)
    }

    /// Answers, unless the peer has sent a block again already and waits for the answer to that.
    fn answer(&mut self, accepted: bool) {
        if let (Answers::Bytes { accept, refuse }, false) =
            (self.config.answers, self.backlog.front() == Some(&STX))
        {
            self.transmit.push(if accepted { accept } else { refuse });
        }
    }

    fn doubt(&mut self) {
        if let Some(session) = &mut self.session {
            session.doubt = true;
        }
    }

    fn end_session(&mut self, ending: Ending) {
        match ending {
            // The block that ended it may come again.
            Ending::Complete | Ending::Damaged => {}
            Ending::Timeout | Ending::Disconnected | Ending::Restarted => self.last = None,
        }
        if self.session.take().is_some() {
            self.event(Event::SessionEnded(ending));
        }
    }

    /// Bytes between blocks. What ends like a block may have been one that lost its beginning.
    fn noise(&mut self, byte: u8) {
        if BlockEnd::of(byte).is_some() {
            self.doubt();
        }
        let kind = AnomalyKind::Noise;
        let at = self.at;
        self.noise.get_or_insert(Anomaly { kind, at, bytes_skipped: 0 }).bytes_skipped += 1;
    }

    fn end_noise(&mut self) {
        if let Some(noise) = self.noise.take() {
            self.events.push_back(Event::Anomaly(noise));
        }
    }

    fn event(&mut self, event: Event) {
        self.end_noise();
        self.events.push_back(event);
    }

    fn anomaly(&mut self, kind: AnomalyKind, at: u64, bytes_skipped: u64) {
        self.event(Event::Anomaly(Anomaly { kind, at, bytes_skipped }));
    }
}

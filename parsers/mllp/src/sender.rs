//! The side that sends messages, one at a time, and waits for their answers.

use crate::anomaly::Anomaly;
use crate::config::Config;
use crate::decoder::{Commit, Decoder, END, Item, START, frame};
use memchr::memchr2;
use std::collections::VecDeque;
use std::time::Instant;

/// Sends one message and waits until the caller is satisfied with an answer, the time is up, or the line is gone.
///
/// A block that comes while a message is out is handed over as its possible [`SenderEvent::Answer`]; the wait goes on
/// until [`Sender::settle`], because only the caller can tell (MSA-2) whether it is not the late answer to an earlier one.
#[derive(Debug)]
pub struct Sender {
    config: Config,
    decoder: Decoder,
    events: VecDeque<SenderEvent>,
    transmit: Option<Vec<u8>>,
    outstanding: Option<Outstanding>,
    next_id: u64,
}

#[derive(Debug)]
struct Outstanding {
    id: SendId,
    deadline: Instant,
}

/// Names one message of one sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(u64);

/// Why a message was not taken for sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// The message before it has no answer yet.
    #[error("the message before it is not answered yet")]
    Busy,
    /// There is nothing to send.
    #[error("the message is empty")]
    Empty,
    /// It holds a block character; escape it (`\X0B\`) before sending.
    #[error("byte {at} of the message is a block character (0B or 1C)")]
    BlockCharacter {
        /// Where, in bytes.
        at: usize,
    },
}

/// What happened on the line.
#[derive(Debug, PartialEq, Eq)]
pub enum SenderEvent {
    /// A block came while a message was out; settle if it is the answer.
    Answer {
        /// The message that is out.
        id: SendId,
        /// The block's content.
        bytes: Vec<u8>,
    },
    /// A block came while nothing was out: an answer that is late, or a message of the peer's own.
    Unasked {
        /// The block's content.
        bytes: Vec<u8>,
    },
    /// A commit block came (release 2).
    Commit {
        /// The message that is out, if one is.
        id: Option<SendId>,
        /// Whether it is safe with the peer.
        commit: Commit,
    },
    /// A block came that is longer than the limit; it is no answer anyone could read.
    Oversize {
        /// How many bytes it had.
        bytes: u64,
    },
    /// No answer came in time. Whether the peer has the message is unknown.
    TimedOut {
        /// The message.
        id: SendId,
    },
    /// The line went while the message was out. Whether the peer has it is unknown.
    Disconnected {
        /// The message.
        id: SendId,
    },
    /// Something was not as it should be.
    Anomaly(Anomaly),
}

/// How many events may wait before no more input is taken.
const EVENTS_MAX: usize = 64;

impl Sender {
    /// A sender for one connection.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            decoder: Decoder::new(&config),
            config,
            events: VecDeque::new(),
            transmit: None,
            outstanding: None,
            next_id: 0,
        }
    }

    /// Sends a message, without block characters; its time for an answer begins now.
    ///
    /// # Errors
    /// When the message before it is still out, or this one is empty or holds a block character.
    pub fn send(&mut self, bytes: &[u8], now: Instant) -> Result<SendId, SendRefused> {
        if self.outstanding.is_some() {
            return Err(SendRefused::Busy);
        }
        if bytes.is_empty() {
            return Err(SendRefused::Empty);
        }
        if let Some(at) = memchr2(START, END, bytes) {
            return Err(SendRefused::BlockCharacter { at });
        }
        let id = SendId(self.next_id);
        self.next_id += 1;
        self.transmit = Some(frame(bytes));
        self.outstanding = Some(Outstanding { id, deadline: now + self.config.answer_timeout });
        Ok(id)
    }

    /// Takes bytes from the peer and says how many it took; the rest is given again after events were polled.
    #[must_use = "bytes that were not taken must be given again"]
    pub fn handle_input(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while self.events.len() < EVENTS_MAX
            && let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty())
        {
            let (step, item) = self.decoder.read(rest);
            taken += step;
            if let Some(item) = item {
                self.push(item);
            }
        }
        taken
    }

    /// Ends the wait for this message: its answer has come. Another message may be sent.
    pub fn settle(&mut self, id: SendId) {
        self.outstanding.take_if(|outstanding| outstanding.id == id);
    }

    /// Looks at the time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if let Some(outstanding) = self.outstanding.take_if(|outstanding| outstanding.deadline <= now) {
            self.transmit = None;
            self.events.push_back(SenderEvent::TimedOut { id: outstanding.id });
        }
    }

    /// The connection is gone; the next one begins afresh.
    pub fn handle_disconnect(&mut self) {
        for item in self.decoder.disconnect() {
            self.push(item);
        }
        self.transmit = None;
        if let Some(outstanding) = self.outstanding.take() {
            self.events.push_back(SenderEvent::Disconnected { id: outstanding.id });
        }
    }

    /// Bytes for the peer.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.take()
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<SenderEvent> {
        self.events.pop_front()
    }

    /// When [`Sender::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.outstanding.as_ref().map(|outstanding| outstanding.deadline)
    }

    /// The message that is out.
    #[must_use]
    pub fn outstanding(&self) -> Option<SendId> {
        self.outstanding.as_ref().map(|outstanding| outstanding.id)
    }

    fn push(&mut self, item: Item) {
        let id = self.outstanding();
        let event = match (item, id) {
            (Item::Block { bytes, .. }, Some(id)) => SenderEvent::Answer { id, bytes },
            (Item::Block { bytes, .. }, None) => SenderEvent::Unasked { bytes },
            (Item::Commit(commit), id) => SenderEvent::Commit { id, commit },
            (Item::Oversize { bytes, .. }, _) => SenderEvent::Oversize { bytes },
            (Item::Anomaly(anomaly), _) => SenderEvent::Anomaly(anomaly),
        };
        self.events.push_back(event);
    }
}

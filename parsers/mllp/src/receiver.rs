//! The side that is sent messages and answers them.

use crate::anomaly::Anomaly;
use crate::config::Config;
use crate::decoder::{Commit, Decoder, Item, frame_into};
use std::collections::VecDeque;
use std::marker::PhantomData;
use std::sync::Arc;

/// Reads blocks and lets answers leave in the order of the blocks, each only against the proof `P` that its block is
/// safe. The caller chooses `P`; hemogate's can only be made by its ledger.
#[derive(Debug)]
pub struct Receiver<P> {
    config: Config,
    decoder: Decoder,
    events: VecDeque<Event>,
    /// Blocks whose answer has not left yet, in order.
    waiting: VecDeque<Waiting>,
    next_number: u64,
    waiting_bytes: usize,
    /// Tells this connection's tickets from others.
    connection: Arc<()>,
    proof: PhantomData<fn(P)>,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    block_bytes: usize,
    /// Bytes for the peer, once it is decided; empty if it gets none.
    answer: Option<Vec<u8>>,
}

/// The right to answer one block, once. It cannot be copied or made.
#[derive(Debug)]
#[must_use = "a block that is neither accepted nor refused holds back all answers after it"]
pub struct BlockTicket {
    number: u64,
    connection: Arc<()>,
}

/// A block: one message as it was sent, a byte order mark included.
#[derive(Debug)]
pub struct Block {
    /// The content, without the block characters.
    pub bytes: Vec<u8>,
    /// Where its 0B stood, in bytes since the connection began.
    pub at: u64,
    /// The right to answer it.
    pub ticket: BlockTicket,
}

/// A block longer than the limit. Only its beginning is kept, so it can only be refused.
#[derive(Debug)]
pub struct Oversize {
    /// The first [`Config::block_bytes_max`] bytes.
    pub kept: Vec<u8>,
    /// How many bytes the block had.
    pub bytes: u64,
    /// Where its 0B stood, in bytes since the connection began.
    pub at: u64,
    /// The right to refuse it.
    pub ticket: BlockTicket,
}

/// What happened on the line.
#[derive(Debug)]
pub enum Event {
    /// A message came.
    Block(Block),
    /// A message came that is too long.
    Oversize(Oversize),
    /// A commit block came (release 2). It answers one of ours.
    Commit(Commit),
    /// Something was not as it should be.
    Anomaly(Anomaly),
}

/// How many events may wait before no more input is taken.
const EVENTS_MAX: usize = 64;

impl<P> Receiver<P> {
    /// A receiver for one connection.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self {
            decoder: Decoder::new(&config),
            config,
            events: VecDeque::new(),
            waiting: VecDeque::new(),
            next_number: 0,
            waiting_bytes: 0,
            connection: Arc::new(()),
            proof: PhantomData,
        }
    }

    /// Takes bytes from the peer and says how many it took. Fewer than given: stop reading the socket, give the rest
    /// again after events were polled and answers left ([`Receiver::wants_input`]).
    #[must_use = "bytes that were not taken must be given again"]
    pub fn handle_input(&mut self, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while self.wants_input()
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

    /// Whether input would be taken now.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.events.len() < EVENTS_MAX
            && self.waiting.len() < self.config.outstanding_max.max(1)
            && self.waiting_bytes < self.config.outstanding_bytes_max.max(1)
    }

    /// Answers a block that is safe. `answer` is the acknowledgement without block characters; it may be empty if the
    /// peer wants none.
    pub fn accept(&mut self, ticket: BlockTicket, proof: P, answer: &[u8]) {
        drop(proof);
        self.decide(ticket, Commit::Ack, Some(answer).filter(|answer| !answer.is_empty()));
    }

    /// Answers a block that is not safe, or says nothing at all about it.
    pub fn refuse(&mut self, ticket: BlockTicket, answer: Option<&[u8]>) {
        self.decide(ticket, Commit::Nak, answer);
    }

    /// The bytes that may leave now: the answers of the oldest blocks, as far as they are decided.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some(answer) = self.waiting.front_mut().and_then(|oldest| oldest.answer.take()) {
            let done = self.waiting.pop_front().map_or(0, |oldest| oldest.block_bytes);
            self.waiting_bytes = self.waiting_bytes.saturating_sub(done);
            if bytes.is_empty() {
                bytes = answer;
            } else {
                bytes.extend_from_slice(&answer);
            }
        }
        (!bytes.is_empty()).then_some(bytes)
    }

    /// What happened, in order.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The connection is gone. An open block is reported; answers that have not left never will, and the tickets of
    /// this connection are worth nothing any more.
    pub fn handle_disconnect(&mut self) {
        for item in self.decoder.disconnect() {
            self.push(item);
        }
        self.connection = Arc::new(());
        self.waiting.clear();
        self.waiting_bytes = 0;
    }

    /// How many blocks have not been answered.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.waiting.len()
    }

    /// Whether a block is open: its beginning has come, its end has not.
    #[must_use]
    pub fn is_inside_block(&self) -> bool {
        self.decoder.is_inside()
    }

    /// How many heartbeats and line ends came between blocks.
    #[must_use]
    pub fn ignored_bytes(&self) -> u64 {
        self.decoder.ignored_bytes()
    }

    fn push(&mut self, item: Item) {
        let event = match item {
            Item::Block { bytes, at } => {
                let ticket = self.ticket(bytes.len());
                Event::Block(Block { bytes, at, ticket })
            }
            Item::Oversize { kept, bytes, at } => {
                let ticket = self.ticket(kept.len());
                Event::Oversize(Oversize { kept, bytes, at, ticket })
            }
            Item::Commit(commit) => Event::Commit(commit),
            Item::Anomaly(anomaly) => Event::Anomaly(anomaly),
        };
        self.events.push_back(event);
    }

    fn ticket(&mut self, block_bytes: usize) -> BlockTicket {
        let number = self.next_number;
        self.next_number += 1;
        self.waiting_bytes += block_bytes;
        self.waiting.push_back(Waiting { number, block_bytes, answer: None });
        BlockTicket { number, connection: Arc::clone(&self.connection) }
    }

    fn decide(&mut self, ticket: BlockTicket, commit: Commit, answer: Option<&[u8]>) {
        let BlockTicket { number, connection } = ticket;
        if !Arc::ptr_eq(&connection, &self.connection) {
            return;
        }
        let commits = self.config.commit_blocks;
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.number == number) {
            let mut bytes = Vec::with_capacity(answer.map_or(0, <[u8]>::len) + 8);
            if commits {
                frame_into(&mut bytes, &[commit.byte()]);
            }
            if let Some(answer) = answer {
                frame_into(&mut bytes, answer);
            }
            waiting.answer = Some(bytes);
        }
    }
}

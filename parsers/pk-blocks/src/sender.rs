//! The side that sends sessions: an analyser's.

use crate::block::encode_record;
use crate::config::{Answers, Config};
use crate::session::{BEGIN, END};
use std::collections::VecDeque;
use std::time::Instant;

/// What became of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SenderEvent {
    /// Every block has left, and was accepted where blocks are answered.
    Sent,
    /// It was given up. The peer may hold it in part.
    Failed(SendFailure),
}

/// Why a session was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendFailure {
    /// A block was refused at every try.
    #[error("a block was refused at every try")]
    Refused,
    /// A block was not answered at any try.
    #[error("nobody answered a block")]
    Unanswered,
    /// The connection closed.
    #[error("the connection closed")]
    Disconnected,
}

/// Why nothing was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// A session is on its way.
    #[error("a session is being sent")]
    Busy,
    /// The records do not begin with SB and end with DE.
    #[error("a session begins with SB and ends with DE")]
    NoSession,
    /// A record that cannot be cut into blocks.
    #[error("record {record} cannot be sent in blocks")]
    Record {
        /// Its place, from 1.
        record: usize,
    },
}

/// Sends one session at a time.
#[derive(Debug)]
pub struct Sender {
    config: Config,
    blocks: VecDeque<Vec<u8>>,
    waits: Waits,
    transmit: VecDeque<Vec<u8>>,
    event: Option<SenderEvent>,
}

/// What the first block waits for.
#[derive(Debug)]
enum Waits {
    Idle,
    /// Its turn.
    Gap(Option<Instant>),
    /// The answer to it.
    Answer {
        tries: u8,
        /// It was sent again without having been refused: two answers may come.
        repeated: bool,
        deadline: Option<Instant>,
    },
}

impl Sender {
    /// A sender for one connection.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, blocks: VecDeque::new(), waits: Waits::Idle, transmit: VecDeque::new(), event: None }
    }

    /// Takes the records of one session, without line ends.
    ///
    /// # Errors
    /// [`SendRefused`] when one is on its way, or these are no session.
    pub fn send(&mut self, records: &[&[u8]], now: Instant) -> Result<(), SendRefused> {
        if !matches!(self.waits, Waits::Idle) {
            return Err(SendRefused::Busy);
        }
        let framed = records.first().is_some_and(|first| first.starts_with(BEGIN))
            && records.last().is_some_and(|last| last.starts_with(END));
        if !framed {
            return Err(SendRefused::NoSession);
        }
        let mut blocks = VecDeque::new();
        for (at, record) in records.iter().enumerate() {
            let cut = encode_record(record, self.config.send_text_bytes_max);
            blocks.extend(cut.ok_or(SendRefused::Record { record: at + 1 })?);
        }
        self.blocks = blocks;
        self.put(now);
        Ok(())
    }

    /// Takes the peer's answers.
    pub fn handle_input(&mut self, bytes: &[u8], now: Instant) {
        for &byte in bytes {
            let Answers::Bytes { accept, refuse } = self.config.answers else { return };
            let Waits::Answer { tries, repeated, .. } = self.waits else { return };
            if !self.transmit.is_empty() {
                // The block has not left, so this answers something else.
                continue;
            }
            if byte == accept {
                self.blocks.pop_front();
                if repeated {
                    // The other answer must have come before the next block leaves.
                    self.waits = Waits::Gap(now.checked_add(self.config.patience()));
                } else {
                    self.put(now);
                }
            } else if byte == refuse && tries >= self.config.tries_max {
                self.fail(SendFailure::Refused);
            } else if byte == refuse {
                self.put_again(tries, repeated, now);
            }
        }
    }

    /// Tells the time.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.waits {
            Waits::Idle => {}
            Waits::Gap(_) => self.put(now),
            Waits::Answer { tries, .. } if tries >= self.config.tries_max => {
                self.fail(SendFailure::Unanswered);
            }
            Waits::Answer { tries, .. } => self.put_again(tries, true, now),
        }
    }

    /// The connection closed.
    pub fn handle_disconnect(&mut self) {
        self.transmit.clear();
        if !matches!(self.waits, Waits::Idle) {
            self.fail(SendFailure::Disconnected);
        }
    }

    /// The next block for the line.
    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmit.pop_front()
    }

    /// What became of the session.
    pub fn poll_event(&mut self) -> Option<SenderEvent> {
        self.event.take()
    }

    /// When `handle_timeout` has to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.waits {
            Waits::Idle => None,
            Waits::Gap(deadline) | Waits::Answer { deadline, .. } => deadline,
        }
    }

    /// The first block leaves; where none is left, the session has.
    fn put(&mut self, now: Instant) {
        let Some(block) = self.blocks.front() else {
            (self.waits, self.event) = (Waits::Idle, Some(SenderEvent::Sent));
            return;
        };
        self.transmit.push_back(block.clone());
        match self.config.answers {
            Answers::Silent => {
                self.blocks.pop_front();
                self.waits = Waits::Gap(now.checked_add(self.config.gap));
            }
            Answers::Bytes { .. } => {
                let deadline = now.checked_add(self.config.patience());
                self.waits = Waits::Answer { tries: 1, repeated: false, deadline };
            }
        }
    }

    fn put_again(&mut self, tries: u8, repeated: bool, now: Instant) {
        self.transmit.extend(self.blocks.front().cloned());
        let deadline = now.checked_add(self.config.patience());
        self.waits = Waits::Answer { tries: tries + 1, repeated, deadline };
    }

    fn fail(&mut self, why: SendFailure) {
        self.blocks.clear();
        (self.waits, self.event) = (Waits::Idle, Some(SenderEvent::Failed(why)));
    }
}

//! Analysers at work: they send a session's messages over real lines, and say of each whether it arrived.
//!
//! A driver sends one message (LIS01: one transfer) after another. When the line fails, or the peer refuses, it
//! pauses, connects again and sends the whole message again, as most analysers do; after a bounded number of tries
//! it gives the message up and says so. What the host sends of its own (answers to questions, orders) is acknowledged
//! and reported.

mod blocks;
mod courier;
mod dial;
mod files;
mod line;
mod records;
mod report;
mod sessions;
mod unframed;

pub use dial::{Peer, SerialPeer, SerialPeerError, TlsPeer};
pub use report::{Delivery, MessageReport, SessionReport};

use crate::fault::Faults;
use crate::model::{Model, Outgoing, OutgoingKind, RenderError};
use crate::scenario::{Duty, Scenario};
use blocks::BlocksMaker;
use courier::Courier;
use files::FilesMaker;
use records::RecordsMaker;
use sessions::SessionsMaker;
use std::{num::NonZeroUsize, path::PathBuf, sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;
use unframed::UnframedMaker;
use vocabulary::Protocol;

/// Where an analyser sends to.
#[derive(Debug)]
pub enum Target {
    /// A line.
    Line(Peer),
    /// A directory that somebody takes files from.
    Directory(PathBuf),
}

/// How LIS02 records leave.
#[derive(Debug, Clone)]
pub enum Framing {
    /// In frames, as the other side expects them (LIS01 and what is made of it); the role is always the instrument's.
    Lis01(lis01::Config),
    /// As they are, one after the other, unanswered.
    Unframed,
}

impl Default for Framing {
    fn default() -> Self {
        Self::Lis01(lis01::Config::default())
    }
}

/// How patient an analyser is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tempo {
    /// Pause after the first failure; doubles with each further one.
    pub pause_first: Duration,
    /// Longest pause.
    pub pause_max: Duration,
    /// How often a message is sent in total before it is given up.
    pub tries_max: u32,
    /// Pause between two messages: zero, or the pace of a demonstration.
    pub between_messages: Duration,
    /// HL7: how long an answer is waited for.
    pub answer_timeout: Duration,
    /// What is done after the last message.
    pub listen: Listen,
}

/// How long the host is listened to: answers to questions and orders may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Listen {
    /// At the longest.
    pub within: Duration,
    /// Until it has sent so many messages of its own; absent: to the end of that time.
    pub until: Option<NonZeroUsize>,
}

impl Listen {
    fn has_heard(&self, messages: usize) -> bool {
        self.until.is_some_and(|until| messages >= until.get())
    }
}

impl Default for Tempo {
    fn default() -> Self {
        Self {
            pause_first: Duration::from_millis(100),
            pause_max: Duration::from_secs(5),
            tries_max: 30,
            between_messages: Duration::ZERO,
            answer_timeout: Duration::from_secs(30),
            listen: Listen::default(),
        }
    }
}

/// One analyser: a model with a part to play, a line and its faults.
#[derive(Debug)]
pub struct Analyser {
    /// Its name in reports.
    pub name: String,
    /// What it is.
    pub model: Arc<Model>,
    /// The part it plays.
    pub duty: Duty,
    /// Where it sends to.
    pub target: Target,
    /// How LIS02 records leave.
    pub framing: Framing,
    /// Its patience.
    pub tempo: Tempo,
    /// What goes wrong on its line.
    pub faults: Faults,
}

/// Why a session cannot be played at all.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A message could not be written.
    #[error("analyser {analyser}: a message cannot be written: {source}")]
    Render {
        /// Its name.
        analyser: String,
        /// Why.
        source: RenderError,
    },
    /// The model does not go with its part or its target, or a fault not with the line.
    #[error("analyser {analyser}: {what}")]
    Misfit {
        /// Its name.
        analyser: String,
        /// What does not fit, and what would.
        what: String,
    },
}

/// An analyser with everything it will send, ready to begin.
#[derive(Debug)]
pub struct Ready {
    name: String,
    line: ReadyLine,
    tempo: Tempo,
    faults: Faults,
    messages: Vec<Outgoing>,
}

#[derive(Debug)]
enum ReadyLine {
    Records { peer: Peer, config: lis01::Config, per_transfer: usize },
    Unframed(Peer),
    Blocks(Peer),
    Sessions(Peer),
    Files(PathBuf),
}

impl Analyser {
    /// Writes every message of its session of the day, and checks that model, target and faults go together.
    /// Nothing is sent yet.
    ///
    /// # Errors
    /// [`SessionError`] when they do not, or a message cannot be written.
    pub fn prepare(self, scenario: &Scenario) -> Result<Ready, SessionError> {
        let misfit = |what: String| SessionError::Misfit { analyser: self.name.clone(), what };
        if !self.model.duties().contains(&self.duty) {
            return Err(misfit(format!("{} has no duty {}", self.model.id(), self.duty.name())));
        }
        self.faults.check(self.model.protocol()).map_err(|e| misfit(e.to_string()))?;
        let messages = self.messages(scenario)?;
        let line = match (self.model.protocol(), self.target) {
            (Protocol::Lis02, Target::Line(peer)) => match self.framing {
                Framing::Lis01(config) => {
                    ReadyLine::Records { peer, config, per_transfer: self.model.messages_per_transfer() }
                }
                Framing::Unframed => ReadyLine::Unframed(peer),
            },
            (Protocol::Hl7v2, Target::Line(peer)) => ReadyLine::Blocks(peer),
            (Protocol::PkBlocks, Target::Line(peer)) => ReadyLine::Sessions(peer),
            (Protocol::Delimited, Target::Directory(path)) => ReadyLine::Files(path),
            (Protocol::Lis02 | Protocol::Hl7v2 | Protocol::PkBlocks, Target::Directory(_)) => {
                return Err(misfit("it speaks over a line: give an address, not a directory".to_owned()));
            }
            (Protocol::Delimited, Target::Line(_)) => {
                return Err(misfit("it writes files: give a directory, not an address".to_owned()));
            }
        };
        Ok(Ready { name: self.name, line, tempo: self.tempo, faults: self.faults, messages })
    }

    fn messages(&self, scenario: &Scenario) -> Result<Vec<Outgoing>, SessionError> {
        let mut sequence = 0;
        let mut messages = Vec::new();
        for run in scenario.session(self.duty).map(|s| s.runs.as_slice()).unwrap_or_default() {
            let of_run = self.model.messages(&scenario.settings, self.duty, run, &mut sequence);
            let fault = |source| SessionError::Render { analyser: self.name.clone(), source };
            messages.extend(of_run.map_err(fault)?);
        }
        Ok(messages)
    }
}

impl Ready {
    /// These messages in place of those of the day, each by itself: questions, or whatever else is to be tried.
    #[must_use]
    pub fn with_messages(mut self, messages: Vec<Vec<u8>>) -> Self {
        let message = |(nth, bytes): (usize, Vec<u8>)| Outgoing {
            control_id: format!("message {}", nth + 1),
            kind: OutgoingKind::Results,
            run: String::new(),
            donations: Vec::new(),
            bytes,
            file_name: Some(format!("message-{}", nth + 1)),
            again: false,
        };
        self.messages = messages.into_iter().enumerate().map(message).collect();
        if let ReadyLine::Records { per_transfer, .. } = &mut self.line {
            *per_transfer = 1;
        }
        self
    }

    /// Everything it will send, in order.
    #[must_use]
    pub fn messages(&self) -> &[Outgoing] {
        &self.messages
    }

    /// Sends everything and reports on every message. When `stop` is cancelled, what was not delivered yet is
    /// reported as such. Failures of the line are no errors: they are in the report.
    pub async fn play(self, stop: &CancellationToken) -> SessionReport {
        let Self { name, line, tempo, faults, messages } = self;
        match line {
            ReadyLine::Unframed(peer) => {
                let wire = UnframedMaker::new(peer);
                Courier::new(name, tempo, faults, wire).carry(&messages, 1, stop).await
            }
            ReadyLine::Records { peer, config, per_transfer } => {
                let wire = RecordsMaker::new(peer, config);
                Courier::new(name, tempo, faults, wire).carry(&messages, per_transfer, stop).await
            }
            ReadyLine::Blocks(peer) => {
                let wire = BlocksMaker::new(peer, tempo.answer_timeout);
                Courier::new(name, tempo, faults, wire).carry(&messages, 1, stop).await
            }
            ReadyLine::Sessions(peer) => {
                let wire = SessionsMaker::new(peer);
                Courier::new(name, tempo, faults, wire).carry(&messages, 1, stop).await
            }
            ReadyLine::Files(directory) => {
                let wire = FilesMaker::new(directory);
                Courier::new(name, tempo, faults, wire).carry(&messages, 1, stop).await
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;

//! Sessions of the PK block protocol.

use super::{Answers, Played, begin};
use crate::{
    capture::dialogue::{Dialogue, Speaker},
    link::PkBlocksSettings,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

pub(super) struct Replay {
    receiver: pk_blocks::Receiver<()>,
    session: pk_blocks::Session,
    session_bytes_max: usize,
    begin: Instant,
    messages: Vec<Vec<u8>>,
}

impl Replay {
    pub(super) fn new(settings: &PkBlocksSettings) -> Self {
        Self {
            receiver: pk_blocks::Receiver::new(settings.config()),
            session: pk_blocks::Session::default(),
            session_bytes_max: settings.session_bytes_max,
            begin: begin(),
            messages: Vec::new(),
        }
    }

    pub(super) fn run(mut self, dialogue: &Dialogue) -> Result<Played, Vec<String>> {
        let mut answers = Answers::new(dialogue);
        for turn in &dialogue.turns {
            let now = self.begin + Duration::from_millis(turn.at_ms);
            self.pass(now, &mut answers);
            match turn.speaker {
                Speaker::Host => answers.expect(turn),
                Speaker::Desk => {
                    return Err(vec![format!("line {}: nothing can be sent on this link", turn.line)]);
                }
                Speaker::Analyser => {
                    if self.receiver.handle_input(&turn.bytes, now) < turn.bytes.len() {
                        return Err(vec![format!("line {}: the link takes no more bytes", turn.line)]);
                    }
                    self.drain(now, &mut answers);
                }
            }
        }
        let last = dialogue.turns.last().map_or(0, |turn| turn.at_ms);
        self.pass(self.begin + Duration::from_millis(last) + Duration::from_secs(1), &mut answers);
        answers.finish(Played { messages: self.messages, used: BTreeSet::new() })
    }

    /// Lets the time pass up to `now`.
    fn pass(&mut self, now: Instant, answers: &mut Answers) {
        while let Some(at) = self.receiver.poll_timeout().filter(|at| *at <= now) {
            self.receiver.handle_timeout(at);
            self.drain(at, answers);
        }
    }

    fn drain(&mut self, now: Instant, answers: &mut Answers) {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                pk_blocks::Event::SessionStarted => {
                    self.session = pk_blocks::Session::new(self.session_bytes_max);
                }
                pk_blocks::Event::Block(block) => {
                    let step = self.session.push(&block.text, block.end);
                    if step == pk_blocks::Step::Complete && block.whole {
                        self.messages.push(self.session.message().to_vec());
                    }
                    self.receiver.accept(block.ticket, (), now);
                }
                pk_blocks::Event::Repeated
                | pk_blocks::Event::SessionEnded(_)
                | pk_blocks::Event::Anomaly(_) => {}
            }
        }
        while let Some(bytes) = self.receiver.poll_transmit() {
            answers.said.extend(bytes);
        }
    }
}

//! MLLP: acknowledgements, answers in their place, and messages of our own, one at a time.

use super::{Answers, Played, worklist::Worklist};
use crate::{
    capture::dialogue::{Dialogue, Speaker},
    link::MllpSettings,
    orders::OrderMessage,
};
use std::collections::VecDeque;

pub(super) struct Replay<'p> {
    receiver: mllp::Receiver<()>,
    settings: &'p MllpSettings,
    worklist: Worklist<'p>,
    waiting: VecDeque<OrderMessage>,
    /// The control id of the message of ours that is not answered yet.
    awaited: Option<String>,
    messages: Vec<Vec<u8>>,
}

impl<'p> Replay<'p> {
    pub(super) fn new(settings: &'p MllpSettings, worklist: Worklist<'p>) -> Self {
        let receiver = mllp::Receiver::new(settings.config());
        Self { receiver, settings, worklist, waiting: VecDeque::new(), awaited: None, messages: Vec::new() }
    }

    pub(super) fn run(mut self, dialogue: &Dialogue) -> Result<Played, Vec<String>> {
        let mut answers = Answers::new(dialogue);
        for turn in &dialogue.turns {
            match turn.speaker {
                Speaker::Host => answers.expect(turn),
                Speaker::Analyser => {
                    let mut rest = turn.bytes.as_slice();
                    while !rest.is_empty() {
                        let taken = self.receiver.handle_input(rest);
                        rest = rest.get(taken..).unwrap_or_default();
                        self.drain(turn.at_ms, &mut answers);
                        if taken == 0 {
                            return Err(vec![format!("line {}: the link takes no more bytes", turn.line)]);
                        }
                    }
                }
                Speaker::Desk => match self.worklist.does(turn) {
                    Ok(message) => {
                        self.waiting.extend(message);
                        self.send(&mut answers);
                    }
                    Err(what) => answers.faults.push(format!("line {}: {what}", turn.line)),
                },
            }
        }
        answers.finish(Played { messages: self.messages, used: self.worklist.used })
    }

    fn drain(&mut self, at_ms: u64, answers: &mut Answers) {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                mllp::Event::Block(block) => {
                    let answer = self.answer(&block.bytes, at_ms, answers);
                    self.messages.push(block.bytes);
                    self.receiver.accept(block.ticket, (), &answer);
                }
                mllp::Event::Oversize(block) => self.receiver.refuse(block.ticket, None),
                mllp::Event::Commit(_) | mllp::Event::Anomaly(_) => {}
            }
        }
        while let Some(bytes) = self.receiver.poll_transmit() {
            answers.said.extend(bytes);
        }
        self.send(answers);
    }

    /// The answer to a block: none when it answers ours, the profile's own when it asks, else the acknowledgement.
    fn answer(&mut self, bytes: &[u8], at_ms: u64, answers: &mut Answers) -> Vec<u8> {
        if self.awaited.is_some() && self.awaited == named(bytes) {
            self.awaited = None;
            self.worklist.heard(bytes);
            return Vec::new();
        }
        match self.worklist.answer(bytes, at_ms) {
            Ok(Some(written)) => {
                self.waiting.extend(written.messages);
                written.direct.unwrap_or_else(|| self.acknowledgement(bytes, at_ms))
            }
            Ok(None) => self.acknowledgement(bytes, at_ms),
            Err(what) => {
                answers.faults.push(what);
                Vec::new()
            }
        }
    }

    fn send(&mut self, answers: &mut Answers) {
        while self.awaited.is_none()
            && let Some(message) = self.waiting.pop_front()
        {
            answers.said.extend(mllp::frame(&message.bytes));
            self.awaited = own(&message.bytes).filter(|_| message.awaits_answer);
        }
    }

    /// The acknowledgement that the profile's template gives at the capture's time. Its control id is that of the
    /// message: a capture has no counter.
    fn acknowledgement(&self, bytes: &[u8], at_ms: u64) -> Vec<u8> {
        let text = hl7v2::decode(bytes, None, character_sets::CharacterSet::Utf8).text;
        let mut index = hl7v2::Index::new();
        let message = index.read(&text);
        let now = self.worklist.now(at_ms);
        let now = now.map_or_else(String::new, |now| now.strftime("%Y%m%d%H%M%S").to_string());
        let control_id = message.header().map_or("", |header| header.control_id());
        let settings = hl7v2::AckSettings { template: &self.settings.template, now: &now, control_id };
        hl7v2::acknowledge(&message, &settings, hl7v2::Answer::AcceptAA, "Message accepted", None)
            .into_bytes()
    }
}

/// MSA-2.
fn named(bytes: &[u8]) -> Option<String> {
    let text = hl7v2::decode(bytes, None, character_sets::CharacterSet::Utf8).text;
    let mut index = hl7v2::Index::new();
    let message = index.read(&text);
    Some(message.first("MSA")?.field(2)?.raw().to_owned())
}

/// MSH-10.
fn own(bytes: &[u8]) -> Option<String> {
    let text = hl7v2::decode(bytes, None, character_sets::CharacterSet::Utf8).text;
    let mut index = hl7v2::Index::new();
    Some(index.read(&text).header()?.control_id().to_owned())
}

//! LIS01: frames, and sessions of our own.

use super::{Answers, Played, begin, worklist::Worklist};
use crate::{
    capture::dialogue::{Dialogue, Speaker},
    link::Lis01Settings,
};
use lis02::{Splitter, join_frame};
use std::time::{Duration, Instant};

pub(super) struct Replay<'p> {
    link: lis01::Link<()>,
    begin: Instant,
    joined: Vec<u8>,
    splitter: Splitter,
    worklist: Worklist<'p>,
    messages: Vec<Vec<u8>>,
}

impl<'p> Replay<'p> {
    pub(super) fn new(settings: &Lis01Settings, worklist: Worklist<'p>) -> Self {
        Self {
            link: lis01::Link::new(settings.config()),
            begin: begin(),
            joined: Vec::new(),
            splitter: Splitter::new(),
            worklist,
            messages: Vec::new(),
        }
    }

    pub(super) fn run(mut self, dialogue: &Dialogue) -> Result<Played, Vec<String>> {
        let mut answers = Answers::new(dialogue);
        for turn in &dialogue.turns {
            let now = self.begin + Duration::from_millis(turn.at_ms);
            self.link.handle_timeout(now);
            self.drain(turn.at_ms, &mut answers);
            match turn.speaker {
                Speaker::Host => answers.expect(turn),
                Speaker::Analyser => {
                    let mut rest = turn.bytes.as_slice();
                    while !rest.is_empty() {
                        let taken = self.link.handle_input(rest, now);
                        rest = rest.get(taken..).unwrap_or_default();
                        self.drain(turn.at_ms, &mut answers);
                        if taken == 0 {
                            return Err(vec![format!("line {}: the link takes no more bytes", turn.line)]);
                        }
                    }
                }
                Speaker::Desk => match self.worklist.does(turn) {
                    Ok(message) => self.send(message.map(|message| message.bytes), now, &mut answers),
                    Err(what) => answers.faults.push(format!("line {}: {what}", turn.line)),
                },
            }
        }
        answers.finish(Played { messages: self.messages, used: self.worklist.used })
    }

    fn drain(&mut self, at_ms: u64, answers: &mut Answers) {
        let now = self.begin + Duration::from_millis(at_ms);
        while let Some(event) = self.link.poll_event() {
            match event {
                lis01::Event::Frame(frame) => {
                    let before = self.joined.len();
                    join_frame(&mut self.joined, &frame.text, frame.end == lis01::FrameEnd::End);
                    let complete = self.splitter.push(self.joined.get(before..).unwrap_or_default());
                    self.link.accept(frame.ticket, (), now);
                    self.keep(&complete, at_ms, answers);
                }
                lis01::Event::TransferEnded(ending) => {
                    if ending == lis01::Ending::Eot {
                        let complete = self.splitter.finish();
                        self.keep(&complete, at_ms, answers);
                    }
                    self.splitter = Splitter::new();
                    self.joined.clear();
                }
                lis01::Event::SendFailed { why, .. } => {
                    answers.faults.push(format!("a message of ours is not delivered: {why}"));
                }
                lis01::Event::TransferStarted
                | lis01::Event::Repeated { .. }
                | lis01::Event::InterruptRequested { .. }
                | lis01::Event::Sent(_)
                | lis01::Event::Contention
                | lis01::Event::HangUp(_)
                | lis01::Event::Anomaly(_) => {}
            }
        }
        while let Some(bytes) = self.link.poll_transmit() {
            answers.said.extend_from_slice(&bytes);
        }
    }

    fn keep(&mut self, complete: &[lis02::Complete], at_ms: u64, answers: &mut Answers) {
        for message in complete {
            let raw = self.joined.get(message.range.clone()).unwrap_or_default().to_vec();
            let now = self.begin + Duration::from_millis(at_ms);
            match self.worklist.answer(&raw, at_ms) {
                Ok(written) => {
                    let messages = written.into_iter().flat_map(|written| written.messages);
                    self.send(messages.map(|message| message.bytes), now, answers);
                }
                Err(what) => answers.faults.push(what),
            }
            self.messages.push(raw);
        }
    }

    fn send(&mut self, messages: impl IntoIterator<Item = Vec<u8>>, now: Instant, answers: &mut Answers) {
        for bytes in messages {
            let records = bytes.split_inclusive(|byte| *byte == b'\r').map(<[u8]>::to_vec).collect();
            if let Err(refused) = self.link.send(records, now) {
                answers.faults.push(format!("a message of ours cannot be sent: {refused}"));
            }
        }
        while let Some(bytes) = self.link.poll_transmit() {
            answers.said.extend_from_slice(&bytes);
        }
    }
}

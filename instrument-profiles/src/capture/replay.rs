//! Plays a capture through the real link machines: what comes out are messages, and our answers have to be those of
//! the capture.

use super::dialogue::{Dialogue, Speaker, Turn};
use crate::link::{LinkSettings, Lis01Settings, MllpSettings};
use lis02::{Splitter, join_frame};
use std::time::{Duration, Instant};
use vocabulary::notation;

/// The messages of a capture, or everything that is wrong with the dialogue.
pub(super) fn replay(dialogue: &Dialogue, link: &LinkSettings) -> Result<Vec<Vec<u8>>, Vec<String>> {
    match link {
        LinkSettings::Lis01(settings) => Lis01Replay::new(settings).run(dialogue),
        LinkSettings::Mllp(settings) => MllpReplay::new(settings, dialogue).run(dialogue),
        LinkSettings::Directory(_) => {
            let spoken = |turn: &&Turn| turn.speaker == Speaker::Analyser;
            let bytes = dialogue.turns.iter().filter(spoken).flat_map(|turn| turn.bytes.clone()).collect();
            Ok(vec![bytes])
        }
    }
}

/// Holds what we say against what the capture has us say.
#[derive(Default)]
struct Answers {
    said: Vec<u8>,
    faults: Vec<String>,
    /// A capture without a single answer is a recording of one side only.
    both_sides: bool,
}

impl Answers {
    fn new(dialogue: &Dialogue) -> Self {
        let both_sides = dialogue.turns.iter().any(|turn| turn.speaker == Speaker::Host);
        Self { both_sides, ..Self::default() }
    }

    fn expect(&mut self, turn: &Turn) {
        let said = std::mem::take(&mut self.said);
        if said != turn.bytes {
            self.faults.push(format!(
                "line {}: the capture answers {}, we answer {}",
                turn.line,
                notation::write(&turn.bytes),
                if said.is_empty() { "nothing".to_owned() } else { notation::write(&said) }
            ));
        }
    }

    fn finish(mut self, messages: Vec<Vec<u8>>) -> Result<Vec<Vec<u8>>, Vec<String>> {
        if self.both_sides && !self.said.is_empty() {
            self.faults.push(format!("the capture does not show our answer {}", notation::write(&self.said)));
        }
        if self.faults.is_empty() { Ok(messages) } else { Err(self.faults) }
    }
}

struct Lis01Replay {
    link: lis01::Link<()>,
    begin: Instant,
    joined: Vec<u8>,
    splitter: Splitter,
    messages: Vec<Vec<u8>>,
}

impl Lis01Replay {
    #[expect(
        clippy::disallowed_methods,
        reason = "a capture's times count from any moment; only differences matter"
    )]
    fn new(settings: &Lis01Settings) -> Self {
        Self {
            link: lis01::Link::new(settings.config()),
            begin: Instant::now(),
            joined: Vec::new(),
            splitter: Splitter::new(),
            messages: Vec::new(),
        }
    }

    fn run(mut self, dialogue: &Dialogue) -> Result<Vec<Vec<u8>>, Vec<String>> {
        let mut answers = Answers::new(dialogue);
        for turn in &dialogue.turns {
            let now = self.begin + Duration::from_millis(turn.at_ms);
            self.link.handle_timeout(now);
            self.drain(now, &mut answers);
            match turn.speaker {
                Speaker::Host => answers.expect(turn),
                Speaker::Analyser => {
                    let mut rest = turn.bytes.as_slice();
                    while !rest.is_empty() {
                        let taken = self.link.handle_input(rest, now);
                        rest = rest.get(taken..).unwrap_or_default();
                        self.drain(now, &mut answers);
                        if taken == 0 {
                            return Err(vec![format!("line {}: the link takes no more bytes", turn.line)]);
                        }
                    }
                }
            }
        }
        answers.finish(self.messages)
    }

    fn drain(&mut self, now: Instant, answers: &mut Answers) {
        while let Some(event) = self.link.poll_event() {
            match event {
                lis01::Event::Frame(frame) => {
                    let before = self.joined.len();
                    join_frame(&mut self.joined, &frame.text, frame.end == lis01::FrameEnd::End);
                    let complete = self.splitter.push(self.joined.get(before..).unwrap_or_default());
                    self.keep(&complete);
                    self.link.accept(frame.ticket, (), now);
                }
                lis01::Event::TransferEnded(ending) => {
                    if ending == lis01::Ending::Eot {
                        let complete = self.splitter.finish();
                        self.keep(&complete);
                    }
                    self.splitter = Splitter::new();
                    self.joined.clear();
                }
                lis01::Event::TransferStarted
                | lis01::Event::Repeated { .. }
                | lis01::Event::InterruptRequested { .. }
                | lis01::Event::Sent(_)
                | lis01::Event::SendFailed { .. }
                | lis01::Event::Contention
                | lis01::Event::HangUp(_)
                | lis01::Event::Anomaly(_) => {}
            }
        }
        while let Some(bytes) = self.link.poll_transmit() {
            answers.said.extend(bytes);
        }
    }

    fn keep(&mut self, complete: &[lis02::Complete]) {
        for message in complete {
            self.messages.push(self.joined.get(message.range.clone()).unwrap_or_default().to_vec());
        }
    }
}

struct MllpReplay<'s> {
    receiver: mllp::Receiver<()>,
    settings: &'s MllpSettings,
    clock: Option<jiff::civil::DateTime>,
    messages: Vec<Vec<u8>>,
}

impl<'s> MllpReplay<'s> {
    fn new(settings: &'s MllpSettings, dialogue: &Dialogue) -> Self {
        let receiver = mllp::Receiver::new(settings.config());
        Self { receiver, settings, clock: dialogue.clock, messages: Vec::new() }
    }

    fn run(mut self, dialogue: &Dialogue) -> Result<Vec<Vec<u8>>, Vec<String>> {
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
            }
        }
        answers.finish(self.messages)
    }

    fn drain(&mut self, at_ms: u64, answers: &mut Answers) {
        while let Some(event) = self.receiver.poll_event() {
            match event {
                mllp::Event::Block(block) => {
                    let answer = self.answer(&block.bytes, at_ms);
                    self.messages.push(block.bytes);
                    self.receiver.accept(block.ticket, (), answer.as_bytes());
                }
                mllp::Event::Oversize(block) => self.receiver.refuse(block.ticket, None),
                mllp::Event::Commit(_) | mllp::Event::Anomaly(_) => {}
            }
        }
        while let Some(bytes) = self.receiver.poll_transmit() {
            answers.said.extend(bytes);
        }
    }

    /// The acknowledgement that the profile's template gives at the capture's time. Its control id is that of the
    /// message: a capture has no counter.
    fn answer(&self, bytes: &[u8], at_ms: u64) -> String {
        let text = hl7v2::decode(bytes, None, character_sets::CharacterSet::Utf8).text;
        let mut index = hl7v2::Index::new();
        let message = index.read(&text);
        let span = jiff::SignedDuration::from_millis(i64::try_from(at_ms).unwrap_or(0));
        let now = self.clock.and_then(|clock| clock.checked_add(span).ok());
        let now = now.map_or_else(String::new, |now| now.strftime("%Y%m%d%H%M%S").to_string());
        let control_id = message.header().map_or("", |header| header.control_id());
        let settings = hl7v2::AckSettings { template: &self.settings.template, now: &now, control_id };
        hl7v2::acknowledge(&message, &settings, hl7v2::Answer::AcceptAA, "Message accepted", None)
    }
}

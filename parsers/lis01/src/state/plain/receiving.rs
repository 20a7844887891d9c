//! Receiving blocks: the peer has the line. T3 runs between its bytes, the reply duty while a block is with the caller.

use super::hang_up;
use crate::config::Checksum;
use crate::control::{ACK, CR, ENQ, EOT, ETB, ETX, LF, STX, is_restricted};
use crate::event::{AnomalyKind, Ending, Event, Frame, FrameDefect, FrameEnd, FrameTicket, HangUp};
use crate::frame::{checksum, hex_value};
use crate::state::receiving::end;
use crate::state::{Answer, Context, Neutral, Receiving, State};
use crate::timer::{Deadline, Timer};

#[derive(Debug)]
pub(crate) struct PlainReceiving {
    place: Place,
    /// The block that is with the caller.
    pending: Option<Pending>,
    /// How the last accepted block ended.
    last: Option<FrameEnd>,
    deadline: Deadline,
}

#[derive(Debug)]
struct Pending {
    ticket: u64,
    end: FrameEnd,
}

/// What may come next.
#[derive(Debug)]
enum Place {
    /// A block or the end. Behind a block its checksum may stand here, where it is not required.
    Between(Option<Digits>),
    /// Text, and its end.
    Text(Block),
    /// The two digits behind a block's end.
    Check { block: Block, end: FrameEnd, digits: Digits },
}

/// A block that is being read.
#[derive(Debug, Default)]
struct Block {
    /// Offset of its STX.
    at: u64,
    text: Vec<u8>,
    /// The first byte the standard forbids in a text, and its offset in the text.
    restricted: Option<(u64, u8)>,
}

/// Checksum digits as they come.
#[derive(Debug, Clone, Copy)]
struct Digits {
    computed: u8,
    high: Option<u8>,
}

impl PlainReceiving {
    /// Behind the ACK of an enquiry.
    pub(crate) fn begin(cx: &Context<'_>) -> Self {
        Self { place: Place::Between(None), pending: None, last: None, deadline: cx.start(Timer::NextFrame) }
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(crate) fn awaits_answer(&self) -> bool {
        self.pending.is_some()
    }

    /// Bytes of text held.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.place {
            Place::Between(_) => 0,
            Place::Text(block) | Place::Check { block, .. } => block.text.capacity(),
        }
    }

    pub(crate) fn read(mut self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        match std::mem::replace(&mut self.place, Place::Between(None)) {
            Place::Text(block) => self.read_text(block, bytes, cx),
            Place::Between(digits) => match bytes.split_first() {
                Some((&byte, behind)) => (self.between(digits, byte, behind, cx), 1),
                None => (State::PlainReceiving(self), 0),
            },
            Place::Check { block, end, digits } => match bytes.first() {
                Some(&byte) => (self.check(block, end, digits, byte, cx), 1),
                None => (State::PlainReceiving(self), 0),
            },
        }
    }

    fn between(
        mut self: Box<Self>,
        digits: Option<Digits>,
        byte: u8,
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> State {
        match (byte, self.last) {
            (STX, _) => {
                // STX is doubled when its copy is there already: the peer waits for one answer.
                if behind.first() != Some(&STX) {
                    cx.send(&[ACK]);
                }
                self.place = Place::Text(Block { at: cx.at, ..Block::default() });
                self.wait(cx)
            }
            (CR | LF, _) => State::PlainReceiving(self),
            (ETX | ETB, Some(end)) if byte == end.byte() => {
                answer_block(behind, cx);
                cx.event(Event::Repeated { number: None });
                self.wait(cx)
            }
            (EOT, None | Some(FrameEnd::End)) => {
                cx.answer_end(behind);
                cx.shared.ended_by_eot = true;
                end(Ending::Eot, cx);
                State::Neutral(Neutral)
            }
            // Nothing has come yet: our ACK was lost.
            (ENQ, None) => {
                cx.answer_enquiry(ACK, behind);
                self.wait(cx)
            }
            (ENQ, Some(_)) => {
                end(Ending::Restarted, cx);
                Receiving::open(behind, cx)
            }
            _ => match (digits, hex_value(byte)) {
                (Some(digits), Some(digit)) => {
                    self.place = Place::Between(digits.trailing(digit, cx));
                    State::PlainReceiving(self)
                }
                _ => break_off(HangUp::OutOfPlace(byte), cx),
            },
        }
    }

    /// Takes text up to and including its end.
    fn read_text(
        mut self: Box<Self>,
        mut block: Block,
        bytes: &[u8],
        cx: &mut Context<'_>,
    ) -> (State, usize) {
        let ends = |byte: &u8| matches!(*byte, STX | ETX | EOT | ENQ | ETB);
        let found = bytes.iter().position(ends);
        let text = found.and_then(|at| bytes.get(..at)).unwrap_or(bytes);
        if block.text.len() + text.len() > cx.config.frame_text_bytes_max {
            return (break_off(HangUp::BadBlock(FrameDefect::TooLong), cx), bytes.len());
        }
        if block.restricted.is_none() {
            let first = text.iter().position(|byte| is_restricted(*byte) && *byte != LF);
            block.restricted = first.and_then(|at| Some(((block.text.len() + at) as u64, *text.get(at)?)));
        }
        block.text.extend_from_slice(text);
        let control = found.and_then(|at| bytes.get(at).copied());
        let behind = found.and_then(|at| bytes.get(at + 1..)).unwrap_or_default();
        let used = text.len() + usize::from(control.is_some());
        let end = match control {
            None => {
                self.place = Place::Text(block);
                return (self.wait(cx), used);
            }
            Some(STX) if block.text.is_empty() => {
                if behind.first() != Some(&STX) {
                    cx.send(&[ACK]);
                }
                self.place = Place::Text(block);
                return (self.wait(cx), used);
            }
            Some(ETX) => FrameEnd::End,
            Some(ETB) => FrameEnd::Intermediate,
            Some(control) => {
                return (break_off(HangUp::BadBlock(FrameDefect::Control(control)), cx), used);
            }
        };
        // A text that was lost leaves this behind: it may not be accepted.
        if block.text.is_empty() {
            return (break_off(HangUp::BadBlock(FrameDefect::Empty), cx), used);
        }
        (self.end_text(block, end, cx), used)
    }

    fn end_text(mut self: Box<Self>, block: Block, end: FrameEnd, cx: &mut Context<'_>) -> State {
        let computed = checksum(&block.text).wrapping_add(end.byte());
        let digits = Digits { computed, high: None };
        match cx.config.checksum {
            Checksum::Require => {
                self.place = Place::Check { block, end, digits };
                self.wait(cx)
            }
            Checksum::Warn | Checksum::Ignore => {
                self.place = Place::Between(Some(digits));
                self.deliver(block, end, cx)
            }
        }
    }

    fn check(
        mut self: Box<Self>,
        block: Block,
        end: FrameEnd,
        digits: Digits,
        byte: u8,
        cx: &mut Context<'_>,
    ) -> State {
        let Some(digit) = hex_value(byte) else {
            return break_off(HangUp::BadBlock(FrameDefect::ChecksumDigit(byte)), cx);
        };
        let Some(high) = digits.high else {
            self.place = Place::Check { block, end, digits: Digits { high: Some(digit), ..digits } };
            return self.wait(cx);
        };
        let (computed, found) = (digits.computed, (high << 4) | digit);
        if computed != found {
            return break_off(HangUp::BadBlock(FrameDefect::Checksum { computed, found }), cx);
        }
        self.deliver(block, end, cx)
    }

    /// Hands the block to the caller. Nothing is answered now.
    fn deliver(mut self: Box<Self>, block: Block, end: FrameEnd, cx: &mut Context<'_>) -> State {
        if let Some((offset, byte)) = block.restricted {
            cx.shared.output.anomaly(AnomalyKind::RestrictedByte(byte), block.at + 1 + offset, 0);
        }
        cx.shared.tickets += 1;
        let ticket = cx.shared.tickets;
        self.pending = Some(Pending { ticket, end });
        self.deadline = cx.start(Timer::ReplyDuty);
        let ticket = FrameTicket::new(cx.shared.identity, ticket);
        cx.event(Event::Frame(Frame { number: None, end, text: block.text, ticket }));
        State::PlainReceiving(self)
    }

    /// The caller has answered a block. `behind` is the input that came after it.
    pub(crate) fn answer(
        mut self: Box<Self>,
        ticket: &FrameTicket,
        answer: Answer,
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> State {
        let Some(pending) = self.pending.take_if(|held| ticket.is(cx.shared.identity, held.ticket)) else {
            return State::PlainReceiving(self);
        };
        match answer {
            Answer::Accept => {
                self.last = Some(pending.end);
                answer_block(behind, cx);
                self.wait(cx)
            }
            Answer::Refuse => break_off(HangUp::Refused, cx),
        }
    }

    fn wait(mut self: Box<Self>, cx: &Context<'_>) -> State {
        self.deadline = cx.start(Timer::NextFrame);
        State::PlainReceiving(self)
    }

    /// T3 ends the transfer; the line is neutral. The reply duty ends the connection: the peer may wait no longer, and
    /// an answer that comes too late could be taken for that to something else.
    pub(crate) fn expire(&self, cx: &mut Context<'_>) -> State {
        if self.pending.is_some() {
            return break_off(HangUp::AnswerOverdue, cx);
        }
        self.note_open_block(cx);
        end(Ending::Timeout, cx);
        State::Neutral(Neutral)
    }

    pub(crate) fn disconnect(&self, cx: &mut Context<'_>) {
        self.note_open_block(cx);
        end(Ending::Disconnected, cx);
    }

    fn note_open_block(&self, cx: &mut Context<'_>) {
        match &self.place {
            Place::Between(_) => {}
            Place::Text(block) | Place::Check { block, .. } => {
                let bytes = cx.at.saturating_sub(block.at);
                cx.shared.output.anomaly(AnomalyKind::FrameBrokenOff, block.at, bytes);
            }
        }
    }
}

impl Digits {
    /// A checksum that is not required came behind its block, which has been accepted: nothing but a word can follow.
    fn trailing(self, digit: u8, cx: &mut Context<'_>) -> Option<Self> {
        let Some(high) = self.high else { return Some(Self { high: Some(digit), ..self }) };
        let (computed, found) = (self.computed, (high << 4) | digit);
        if cx.config.checksum == Checksum::Warn && computed != found {
            cx.shared.output.anomaly(AnomalyKind::ChecksumWrong { computed, found }, cx.at, 0);
        }
        None
    }
}

/// ACK for a block, unless the peer has given it up already, or its end stands there once more.
fn answer_block(behind: &[u8], cx: &mut Context<'_>) {
    let next = behind.iter().find(|byte| !matches!(**byte, CR | LF));
    if !matches!(next, Some(&(ETX | ETB))) {
        cx.answer_enquiry(ACK, behind);
    }
}

/// What the peer sent cannot be accepted, and there is no other word for that.
fn break_off(why: HangUp, cx: &mut Context<'_>) -> State {
    end(Ending::Abandoned, cx);
    hang_up(why, cx)
}

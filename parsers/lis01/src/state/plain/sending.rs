//! Sending blocks: each control byte waits for its answer.

use super::hang_up;
use crate::config::Checksum;
use crate::control::{ACK, CR, ENQ, EOT, ETX, LF, STX};
use crate::event::{AnomalyKind, Event, HangUp, SendFailure};
use crate::frame::{checksum, hex_digit};
use crate::outgoing::Transfer;
use crate::state::{Context, Neutral, Receiving, State};
use crate::timer::{Deadline, Timer};

#[derive(Debug)]
pub(crate) struct PlainSending {
    /// Absent once its block was accepted.
    transfer: Option<Transfer>,
    step: Step,
    /// How often the byte that waits for its answer was sent.
    tries: u8,
    deadline: Deadline,
}

/// What waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Start,
    Text,
    End,
    /// A byte was sent more than once and answered: another answer to it may be on its way, and would be taken for that
    /// to the next. So the next waits until it must have come.
    Settle(Next),
}

/// What leaves when the line has settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Start,
    Text,
}

impl PlainSending {
    /// The enquiry was answered ACK, after so many tries.
    pub(crate) fn begin(transfer: Transfer, enquiries: u8, cx: &mut Context<'_>) -> State {
        let deadline = cx.start(Timer::FrameReply);
        let sending = Self { transfer: Some(transfer), step: Step::Start, tries: enquiries, deadline };
        Box::new(sending).go_on(Next::Start, cx)
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Sends what is next, or waits until the answers to what was repeated must have come.
    fn go_on(mut self: Box<Self>, next: Next, cx: &mut Context<'_>) -> State {
        if self.tries > 1 {
            self.step = Step::Settle(next);
            self.tries = 1;
            self.deadline = cx.start(Timer::FrameReply);
            return State::PlainSending(self);
        }
        match next {
            Next::Start => self.send(Step::Start, &[STX], cx),
            Next::Text => {
                let block = self.transfer.as_ref().map(|transfer| block(transfer, cx.config.checksum));
                self.send(Step::Text, &block.unwrap_or_default(), cx)
            }
        }
    }

    fn send(mut self: Box<Self>, step: Step, bytes: &[u8], cx: &mut Context<'_>) -> State {
        cx.send(bytes);
        (self.step, self.tries) = (step, 1);
        self.deadline = cx.start(Timer::FrameReply);
        State::PlainSending(self)
    }

    pub(crate) fn read(self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        let Some((&byte, behind)) = bytes.split_first() else { return (State::PlainSending(self), 0) };
        let settling = matches!(self.step, Step::Settle(_));
        let next = match (byte, self.step) {
            (CR | LF, _) => State::PlainSending(self),
            _ if settling || cx.shared.output.has_unsent() => {
                cx.ignore(AnomalyKind::StaleAnswer, cx.at, &[byte]);
                State::PlainSending(self)
            }
            (ACK, Step::Start) => self.go_on(Next::Text, cx),
            (ACK, Step::Text) => self.accepted(cx),
            (ACK, Step::End) => {
                if self.tries > 1 {
                    cx.pause(Timer::BusyPause);
                }
                State::Neutral(Neutral)
            }
            // The block is accepted and the peer goes on.
            (ENQ, Step::End) => Receiving::open(behind, cx),
            (_, Step::End) => {
                cx.ignore(AnomalyKind::Noise, cx.at, &[byte]);
                State::PlainSending(self)
            }
            (_, Step::Start | Step::Text | Step::Settle(_)) => {
                self.give_up(SendFailure::FrameRefused, HangUp::OutOfPlace(byte), cx)
            }
        };
        (next, 1)
    }

    /// The block is with the peer; only the end of the transfer is left to be said.
    fn accepted(mut self: Box<Self>, cx: &mut Context<'_>) -> State {
        if let Some(transfer) = self.transfer.take() {
            cx.shared.outgoing.done(&transfer);
            cx.event(Event::Sent(transfer.id));
        }
        self.send(Step::End, &[EOT], cx)
    }

    /// T2. STX and EOT are sent again; a text is not, for it could be taken for another one.
    pub(crate) fn expire(mut self: Box<Self>, cx: &mut Context<'_>) -> State {
        let again = match self.step {
            Step::Settle(next) => return self.go_on(next, cx),
            Step::Start => STX,
            Step::End => EOT,
            Step::Text => return self.give_up(SendFailure::FrameUnanswered, HangUp::Unanswered, cx),
        };
        if self.tries >= cx.config.tries_max {
            return self.give_up(SendFailure::FrameUnanswered, HangUp::Unanswered, cx);
        }
        cx.send(&[again]);
        self.tries += 1;
        self.deadline = cx.start(Timer::FrameReply);
        State::PlainSending(self)
    }

    fn give_up(&self, why: SendFailure, hang: HangUp, cx: &mut Context<'_>) -> State {
        if let Some(transfer) = &self.transfer {
            cx.fail(transfer, why, 0);
        }
        hang_up(hang, cx)
    }

    pub(crate) fn disconnect(&self, cx: &mut Context<'_>) {
        if let Some(transfer) = &self.transfer {
            cx.fail(transfer, SendFailure::Disconnected, 0);
        }
    }
}

/// All records in one block.
fn block(transfer: &Transfer, check: Checksum) -> Vec<u8> {
    let mut block = transfer.text();
    block.push(ETX);
    if check == Checksum::Require {
        let sum = checksum(&block);
        block.extend([hex_digit(sum >> 4), hex_digit(sum & 0x0F), CR, LF]);
    }
    block
}

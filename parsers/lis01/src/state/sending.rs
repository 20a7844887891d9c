//! Sending: a frame has left and waits for its answer, T2 (LIS01 §6.3, §6.4).

use super::{Context, Neutral, State};
use crate::config::{FrameNumbers, Interrupts};
use crate::control::{ACK, CR, EOT, LF};
use crate::event::{AnomalyKind, Event, SendFailure};
use crate::frame::{FrameNumber, encode_frame};
use crate::outgoing::{Cursor, Transfer};
use crate::timer::{Deadline, Timer};

#[derive(Debug)]
pub(crate) struct Sending {
    transfer: Transfer,
    /// The frame on the line, for sending it again.
    frame: Vec<u8>,
    number: FrameNumber,
    /// Behind the frame on the line.
    next: Cursor,
    /// How often the frame was sent.
    tries: u8,
    deadline: Deadline,
}

impl Sending {
    pub(super) fn begin(transfer: Transfer, cx: &mut Context<'_>) -> State {
        Self::send(transfer, Cursor::default(), FrameNumber::FIRST, cx)
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Sends the frame at `cursor`; where none is left, ends the transfer.
    fn send(transfer: Transfer, cursor: Cursor, number: FrameNumber, cx: &mut Context<'_>) -> State {
        let Some((text, end, next)) = transfer.frame_at(cursor, cx.config.send_text_bytes_max) else {
            cx.send(&[EOT]);
            cx.shared.outgoing.done(&transfer);
            cx.event(Event::Sent(transfer.id));
            return State::Neutral(Neutral);
        };
        let shown = match cx.config.frame_numbers {
            FrameNumbers::Strict | FrameNumbers::Lenient => Some(number),
            FrameNumbers::Absent => None,
        };
        let frame = encode_frame(shown, end, text);
        cx.send(&frame);
        let deadline = cx.start(Timer::FrameReply);
        State::Sending(Box::new(Self { transfer, frame, number, next, tries: 1, deadline }))
    }

    /// Anything but ACK and EOT is a NAK. CR and LF are ignored: over TCP some peers send them after their answers.
    pub(super) fn read(self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        let Some(&byte) = bytes.first() else { return (State::Sending(self), 0) };
        let next = match byte {
            CR | LF => State::Sending(self),
            _ if cx.shared.output.has_unsent() => {
                cx.ignore(AnomalyKind::StaleAnswer, cx.at, &[byte]);
                State::Sending(self)
            }
            ACK => Self::send(self.transfer, self.next, self.number.next(), cx),
            EOT => (*self).interrupted(cx),
            _ => self.refused(cx),
        };
        (next, 1)
    }

    fn refused(mut self: Box<Self>, cx: &mut Context<'_>) -> State {
        if self.tries >= cx.config.tries_max {
            return self.give_up(SendFailure::FrameRefused, cx);
        }
        self.tries += 1;
        cx.send(&self.frame);
        self.deadline = cx.start(Timer::FrameReply);
        State::Sending(self)
    }

    /// EOT: the frame is accepted, and the peer would like to send (LIS01 §6.5).
    fn interrupted(self, cx: &mut Context<'_>) -> State {
        let honoured = cx.config.interrupts == Interrupts::Honour;
        cx.event(Event::InterruptRequested { honoured });
        let more = self.transfer.frame_at(self.next, cx.config.send_text_bytes_max).is_some();
        if !honoured || !more {
            let next = Self::send(self.transfer, self.next, self.number.next(), cx);
            if honoured {
                cx.pause(Timer::InterruptPause);
            }
            return next;
        }
        cx.send(&[EOT]);
        cx.fail(&self.transfer, SendFailure::Interrupted, self.next.record);
        cx.pause(Timer::InterruptPause);
        State::Neutral(Neutral)
    }

    /// T2.
    pub(super) fn expire(&self, cx: &mut Context<'_>) -> State {
        self.give_up(SendFailure::FrameUnanswered, cx)
    }

    fn give_up(&self, why: SendFailure, cx: &mut Context<'_>) -> State {
        cx.send(&[EOT]);
        let accepted = self.records_accepted();
        cx.fail(&self.transfer, why, accepted);
        State::Neutral(Neutral)
    }

    pub(super) fn disconnect(&self, cx: &mut Context<'_>) {
        let accepted = self.records_accepted();
        cx.fail(&self.transfer, SendFailure::Disconnected, accepted);
    }

    /// Records before the one whose frame is on the line.
    fn records_accepted(&self) -> usize {
        self.next.records_before_frame()
    }
}

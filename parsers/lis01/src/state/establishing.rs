//! Establishing: we sent ENQ and wait for the peer's answer, T1 (LIS01 §6.2).

use super::plain::{PlainSending, hang_up};
use super::{Context, Neutral, Receiving, Sending, State};
use crate::config::{Framing, Role};
use crate::control::{ACK, ENQ, EOT, NAK};
use crate::event::{AnomalyKind, Event, HangUp, SendFailure};
use crate::outgoing::Transfer;
use crate::timer::{Deadline, Timer};

#[derive(Debug)]
pub(crate) struct Establishing {
    transfer: Transfer,
    /// How often the enquiry was sent. More than once only where control bytes are repeated.
    tries: u8,
    deadline: Deadline,
}

impl Establishing {
    pub(super) fn begin(transfer: Transfer, cx: &mut Context<'_>) -> State {
        cx.send(&[ENQ]);
        State::Establishing(Box::new(Self { transfer, tries: 1, deadline: cx.start(Timer::EnquiryReply) }))
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    pub(super) fn read(self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        let Some((&byte, behind)) = bytes.split_first() else { return (State::Establishing(self), 0) };
        if cx.shared.output.has_unsent() {
            return (self.before_enquiry_left(byte, behind, cx), 1);
        }
        let next = match byte {
            ACK => match cx.config.framing {
                Framing::Numbered => Sending::begin(self.transfer, cx),
                Framing::ControlBytes => PlainSending::begin(self.transfer, self.tries, cx),
            },
            NAK => (*self).refused(cx),
            ENQ => (*self).contend(cx),
            _ => {
                cx.ignore(AnomalyKind::Noise, cx.at, &[byte]);
                State::Establishing(self)
            }
        };
        (next, 1)
    }

    /// Our ENQ has not left, so nothing can be its answer; the peer's ENQ came first.
    fn before_enquiry_left(self: Box<Self>, byte: u8, behind: &[u8], cx: &mut Context<'_>) -> State {
        if byte == ENQ && cx.shared.output.withdraw(&[ENQ]) {
            cx.shared.outgoing.put_back(self.transfer);
            return Receiving::open(behind, cx);
        }
        cx.ignore(AnomalyKind::StaleAnswer, cx.at, &[byte]);
        State::Establishing(self)
    }

    /// NAK: the peer is busy. T4, then again.
    fn refused(mut self, cx: &mut Context<'_>) -> State {
        self.transfer.refusals = self.transfer.refusals.saturating_add(1);
        if self.transfer.refusals >= cx.config.tries_max {
            cx.fail(&self.transfer, SendFailure::PeerBusy, 0);
        } else {
            cx.pause(Timer::BusyPause);
            cx.shared.outgoing.put_back(self.transfer);
        }
        State::Neutral(Neutral)
    }

    /// ENQ for ENQ: the instrument wins (LIS01 §6.2.7).
    fn contend(mut self, cx: &mut Context<'_>) -> State {
        cx.event(Event::Contention);
        self.transfer.contentions = self.transfer.contentions.saturating_add(1);
        if self.transfer.contentions >= cx.config.tries_max {
            cx.fail(&self.transfer, SendFailure::Contention, 0);
        } else {
            cx.pause(match cx.config.role {
                Role::Instrument => Timer::InstrumentPause,
                Role::Computer => Timer::ComputerYield,
            });
            cx.shared.outgoing.put_back(self.transfer);
        }
        State::Neutral(Neutral)
    }

    /// T1.
    pub(super) fn expire(mut self: Box<Self>, cx: &mut Context<'_>) -> State {
        match cx.config.framing {
            Framing::ControlBytes if self.tries < cx.config.tries_max => {
                cx.send(&[ENQ]);
                self.tries += 1;
                self.deadline = cx.start(Timer::EnquiryReply);
                State::Establishing(self)
            }
            Framing::ControlBytes => {
                cx.fail(&self.transfer, SendFailure::EnquiryUnanswered, 0);
                hang_up(HangUp::Unanswered, cx)
            }
            Framing::Numbered => {
                cx.send(&[EOT]);
                cx.fail(&self.transfer, SendFailure::EnquiryUnanswered, 0);
                State::Neutral(Neutral)
            }
        }
    }

    pub(super) fn disconnect(&self, cx: &mut Context<'_>) {
        cx.fail(&self.transfer, SendFailure::Disconnected, 0);
    }
}

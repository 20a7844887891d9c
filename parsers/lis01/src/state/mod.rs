//! The protocol states, one type each, holding only what exists then. Every step takes the state and gives the next.

mod establishing;
mod history;
mod neutral;
mod plain;
mod receiving;
mod sending;

pub(crate) use establishing::Establishing;
pub(crate) use history::Answer;
pub(crate) use neutral::Neutral;
pub(crate) use plain::{PlainReceiving, PlainSending};
pub(crate) use receiving::Receiving;
pub(crate) use sending::Sending;

use crate::config::Config;
use crate::control::{ACK, CR, ENQ, EOT, LF, NAK, STX};
use crate::event::{AnomalyKind, Event, LinkId, SendFailure};
use crate::frame::FrameNumber;
use crate::outgoing::{Outgoing, Transfer};
use crate::output::Output;
use crate::timer::{Deadline, Timer};
use memchr::memchr3_iter;
use std::borrow::Cow;
use std::time::Instant;

/// Where the link stands. Small: every step moves it.
#[derive(Debug)]
pub(crate) enum State {
    Neutral(Neutral),
    Establishing(Box<Establishing>),
    Sending(Box<Sending>),
    Receiving(Box<Receiving>),
    PlainSending(Box<PlainSending>),
    PlainReceiving(Box<PlainReceiving>),
    /// Waiting for the caller to close the connection.
    HungUp,
}

impl State {
    /// Reads on; returns the bytes used, at least one.
    pub(crate) fn read(self, bytes: &[u8], cx: &mut Context<'_>) -> (Self, usize) {
        match self {
            Self::Neutral(state) => state.read(bytes, cx),
            Self::Establishing(state) => state.read(bytes, cx),
            Self::Sending(state) => state.read(bytes, cx),
            Self::Receiving(state) => state.read(bytes, cx),
            Self::PlainSending(state) => state.read(bytes, cx),
            Self::PlainReceiving(state) => state.read(bytes, cx),
            Self::HungUp => (Self::HungUp, bytes.len()),
        }
    }

    /// Its timer has run out, with `behind` the input that waits.
    pub(crate) fn expire(self, behind: &[u8], cx: &mut Context<'_>) -> Self {
        match self {
            Self::Neutral(state) => Self::Neutral(state),
            Self::Establishing(state) => state.expire(cx),
            Self::Sending(state) => state.expire(cx),
            Self::Receiving(state) => state.expire(behind, cx),
            Self::PlainSending(state) => state.expire(cx),
            Self::PlainReceiving(state) => state.expire(cx),
            Self::HungUp => Self::HungUp,
        }
    }

    /// The connection has closed.
    pub(crate) fn disconnect(self, cx: &mut Context<'_>) {
        match self {
            Self::Neutral(_) | Self::HungUp => {}
            Self::Establishing(state) => state.disconnect(cx),
            Self::Sending(state) => state.disconnect(cx),
            Self::Receiving(state) => state.disconnect(cx),
            Self::PlainSending(state) => state.disconnect(cx),
            Self::PlainReceiving(state) => state.disconnect(cx),
        }
    }

    /// Bytes of received text held.
    pub(crate) fn held_bytes(&self) -> usize {
        match self {
            Self::Receiving(state) => state.held_bytes(),
            Self::PlainReceiving(state) => state.held_bytes(),
            Self::Neutral(_)
            | Self::Establishing(_)
            | Self::Sending(_)
            | Self::PlainSending(_)
            | Self::HungUp => 0,
        }
    }

    /// The timer that runs in this state.
    pub(crate) fn deadline(&self) -> Option<Deadline> {
        match self {
            Self::Neutral(_) | Self::HungUp => None,
            Self::Establishing(state) => Some(state.deadline()),
            Self::Sending(state) => Some(state.deadline()),
            Self::Receiving(state) => Some(state.deadline()),
            Self::PlainSending(state) => Some(state.deadline()),
            Self::PlainReceiving(state) => Some(state.deadline()),
        }
    }

    /// Whether input has to wait for the caller's answer.
    #[inline]
    pub(crate) fn awaits_answer(&self) -> bool {
        match self {
            Self::Receiving(state) => state.awaits_answer(),
            Self::PlainReceiving(state) => state.awaits_answer(),
            Self::Neutral(_)
            | Self::Establishing(_)
            | Self::Sending(_)
            | Self::PlainSending(_)
            | Self::HungUp => false,
        }
    }
}

/// What outlives every state.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) outgoing: Outgoing,
    pub(crate) output: Output,
    /// T4, T5, T6 or T7: until it is over, nothing is sent on our own account.
    pub(crate) pause: Option<Deadline>,
    /// Whether an enquiry is answered ACK.
    pub(crate) ready: bool,
    /// Enquiries refused in a row.
    pub(crate) refusals: u8,
    /// The last transfer ended by an EOT that was answered, and nothing has come since: another EOT is its repeat.
    pub(crate) ended_by_eot: bool,
    /// Whether the next accepted frame is answered EOT.
    pub(crate) interrupt: bool,
    /// Makes this link's tickets its own.
    pub(crate) identity: LinkId,
    pub(crate) tickets: u64,
}

/// What a step may use.
#[derive(Debug)]
pub(crate) struct Context<'a> {
    pub(crate) config: &'a Config,
    pub(crate) shared: &'a mut Shared,
    pub(crate) now: Instant,
    /// Offset in the connection of the first byte given to the step.
    pub(crate) at: u64,
}

impl Context<'_> {
    pub(crate) fn start(&self, timer: Timer) -> Deadline {
        Deadline::start(timer, &self.config.timers, self.now)
    }

    pub(crate) fn pause(&mut self, timer: Timer) {
        self.shared.pause = Some(self.start(timer));
    }

    pub(crate) fn send(&mut self, block: &[u8]) {
        let block = match block {
            [ACK] => Cow::Borrowed(&[ACK][..]),
            [NAK] => Cow::Borrowed(&[NAK][..]),
            [ENQ] => Cow::Borrowed(&[ENQ][..]),
            [EOT] => Cow::Borrowed(&[EOT][..]),
            _ => Cow::Owned(block.to_vec()),
        };
        self.shared.output.transmit(block);
    }

    /// Answers an enquiry with one byte, unless the input behind it shows that the peer no longer waits for one.
    pub(crate) fn answer_enquiry(&mut self, byte: u8, behind: &[u8]) {
        if !asks_anew(behind) {
            self.send(&[byte]);
        }
    }

    /// Answers the frame `number`, likewise.
    pub(crate) fn answer_frame(&mut self, byte: u8, number: Option<FrameNumber>, behind: &[u8]) {
        if !asks_anew(behind) && !number.is_some_and(|number| repeats(number, behind)) {
            self.send(&[byte]);
        }
    }

    /// Answers the end of a transfer, in a dialect that does; likewise.
    pub(crate) fn answer_end(&mut self, behind: &[u8]) {
        if behind.first() != Some(&EOT) && !asks_anew(behind) {
            self.send(&[ACK]);
        }
    }

    pub(crate) fn event(&mut self, event: Event) {
        self.shared.output.event(event);
    }

    pub(crate) fn ignore(&mut self, kind: AnomalyKind, at: u64, bytes: &[u8]) {
        self.shared.output.ignore(kind, at, bytes);
    }

    /// Gives a transfer up, and the peer some peace: a late answer must not meet the next enquiry.
    pub(crate) fn fail(&mut self, transfer: &Transfer, why: SendFailure, records_accepted: usize) {
        self.shared.outgoing.done(transfer);
        self.event(Event::SendFailed { id: transfer.id, why, records_accepted });
        self.pause(Timer::BusyPause);
    }
}

/// Whether the peer has, behind what is being answered, asked to send once more: ENQ, or EOT and ENQ. It then takes the
/// next byte for the answer to that enquiry, and every answer after it for the one before, to the last frame, which it
/// would believe accepted before it is. So the answer must not leave.
fn asks_anew(behind: &[u8]) -> bool {
    if matches!(behind.first(), None | Some(&STX)) {
        return false;
    }
    let mut controls = memchr3_iter(STX, EOT, ENQ, behind).map(|at| behind.get(at).copied());
    match controls.next().flatten() {
        Some(ENQ) => true,
        Some(EOT) => controls.next().flatten() == Some(ENQ),
        Some(_) | None => false,
    }
}

/// Whether another copy of the frame being answered has already come. The peer sent it before it could see an answer
/// and waits for one answer, not two: that to the last copy.
fn repeats(number: FrameNumber, behind: &[u8]) -> bool {
    let next = behind.iter().position(|byte| !matches!(*byte, CR | LF)).and_then(|at| behind.get(at..));
    next.is_some_and(|next| next.starts_with(&[STX, number.digit()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_overtaken_only_by_a_new_enquiry_or_a_copy() {
        let check = |behind: &[u8], anew: bool, copy: bool| {
            assert_eq!(asks_anew(behind), anew, "{behind:?}");
            assert_eq!(repeats(FrameNumber::FIRST, behind), copy, "{behind:?}");
        };
        check(b"", false, false);
        check(b"\x04", false, false);
        check(b"\x04\x04\x05", false, false);
        check(b"\x05", true, false);
        check(b"\r\n\x04\r\n\x05", true, false);
        check(b"\x021H|\x03\x05", false, true);
        check(b"\r\n\x021", false, true);
        check(b"\x022L|\x04\x05", false, false);
        check(b"\x02", false, false);
    }
}

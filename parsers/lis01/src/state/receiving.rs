//! Receiving: the peer has the line. Between frames T3 runs, the reply duty while a frame is unfinished or unanswered
//! (LIS01 §6.3–6.5).

use super::history::{Answer, History, Settled, Verdict};
use super::{Context, Neutral, PlainReceiving, State};
use crate::config::{Checksum, FrameNumbers, Framing};
use crate::control::{ACK, ENQ, EOT, ETB, ETX, NAK, STX};
use crate::event::{AnomalyKind, Ending, Event, Frame, FrameTicket};
use crate::frame::FrameNumber;
use crate::reader::{ChecksumFound, FrameReader, FrameRules, Progress, ReadFrame};
use crate::timer::{Deadline, Timer};
use crate::whole::whole_frame;
use memchr::{memchr2, memchr3};

#[derive(Debug)]
pub(crate) struct Receiving {
    /// The frame being read.
    open: Option<OpenFrame>,
    history: History,
    /// Something speaks against the last accepted frame being the transfer's last: a frame after it was refused or
    /// lost its beginning, or we asked the peer to stop.
    doubt: bool,
    deadline: Deadline,
}

#[derive(Debug)]
struct OpenFrame {
    reader: FrameReader,
    /// Offset of its STX.
    at: u64,
}

impl Receiving {
    /// An enquiry: ACK when ready, else NAK (LIS01 §6.2), or silence in a dialect without NAK. `behind` is the input
    /// behind it.
    pub(in crate::state) fn open(behind: &[u8], cx: &mut Context<'_>) -> State {
        cx.shared.output.end_ignored();
        cx.shared.ended_by_eot = false;
        if !cx.shared.ready && cx.shared.refusals < cx.config.enquiry_refusals_max {
            cx.shared.refusals += 1;
            if cx.config.framing == Framing::Numbered {
                cx.answer_enquiry(NAK, behind);
            }
            return State::Neutral(Neutral);
        }
        cx.shared.refusals = 0;
        // T5, T6 and T7 wait for this; T4 is owed to a peer that was busy.
        if cx.shared.pause.is_some_and(|pause| pause.timer != Timer::BusyPause) {
            cx.shared.pause = None;
        }
        cx.shared.outgoing.peer_has_the_line();
        cx.answer_enquiry(ACK, behind);
        cx.event(Event::TransferStarted);
        if cx.config.framing == Framing::ControlBytes {
            return State::PlainReceiving(Box::new(PlainReceiving::begin(cx)));
        }
        let deadline = cx.start(Timer::NextFrame);
        State::Receiving(Box::new(Self { open: None, history: History::default(), doubt: false, deadline }))
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Bytes of text held.
    pub(super) fn held_bytes(&self) -> usize {
        self.open.as_ref().map_or(0, |open| open.reader.held_bytes()) + self.history.held_bytes()
    }

    /// Whether input has to wait for the caller's answer.
    #[inline]
    pub(crate) fn awaits_answer(&self) -> bool {
        self.history.awaits_answer()
    }

    pub(super) fn read(mut self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        if let Some(open) = self.open.take() {
            return self.read_frame(open, bytes, cx);
        }
        let starts = matches!(bytes.first(), Some(&(STX | EOT | ENQ)));
        let found = if starts { Some(0) } else { memchr3(STX, EOT, ENQ, bytes) };
        let (noise, rest) = bytes.split_at_checked(found.unwrap_or(bytes.len())).unwrap_or((bytes, &[]));
        cx.ignore(AnomalyKind::Noise, cx.at, noise);
        self.doubt |= memchr2(ETX, ETB, noise).is_some();
        let Some((&control, behind)) = rest.split_first() else {
            return (State::Receiving(self), bytes.len());
        };
        let at = cx.at + noise.len() as u64;
        let next = match control {
            STX => {
                if let Some((frame, used)) = whole_frame(rest, &rules(cx)) {
                    let behind = rest.get(used..).unwrap_or_default();
                    return (self.judge(frame, at, used as u64, behind, cx), noise.len() + used);
                }
                let reader = FrameReader::new(&rules(cx));
                self.deadline = cx.start(Timer::ReplyDuty);
                self.open = Some(OpenFrame { reader, at });
                State::Receiving(self)
            }
            EOT => {
                let ending =
                    if self.history.is_complete() && !self.doubt { Ending::Eot } else { Ending::Abandoned };
                close(ending, cx)
            }
            _ => {
                close(Ending::Restarted, cx);
                Self::open(behind, cx)
            }
        };
        (next, noise.len() + 1)
    }

    fn read_frame(
        mut self: Box<Self>,
        mut open: OpenFrame,
        bytes: &[u8],
        cx: &mut Context<'_>,
    ) -> (State, usize) {
        let (used, progress) = open.reader.read(bytes, &rules(cx));
        let behind = bytes.get(used..).unwrap_or_default();
        let frame_bytes = (cx.at + used as u64).saturating_sub(open.at);
        let next = match progress {
            Progress::More => {
                if !open.reader.is_too_long() {
                    self.deadline = cx.start(Timer::ReplyDuty);
                }
                self.open = Some(open);
                State::Receiving(self)
            }
            Progress::Bad(defect) => {
                self.refuse_frame(AnomalyKind::BadFrame(defect), open.at, frame_bytes, behind, cx)
            }
            Progress::Whole(frame) => self.judge(frame, open.at, frame_bytes, behind, cx),
            Progress::BrokenOff => {
                cx.shared.output.anomaly(AnomalyKind::FrameBrokenOff, open.at, frame_bytes.saturating_sub(1));
                close(Ending::Abandoned, cx);
                Self::open(behind, cx)
            }
        };
        (next, used)
    }

    fn judge(
        mut self: Box<Self>,
        frame: ReadFrame<'_>,
        at: u64,
        bytes: u64,
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> State {
        match self.history.judge(&frame, cx.config) {
            Verdict::Deliver(anomaly) => self.deliver(frame, anomaly, at, cx),
            Verdict::Repeat => {
                cx.answer_frame(ACK, frame.number, behind);
                self.doubt = false;
                cx.event(Event::Repeated { number: frame.number.map(FrameNumber::get) });
                self.wait_for_frame(cx)
            }
            Verdict::StillPending => {
                self.history.set_overdue(false);
                self.deadline = cx.start(Timer::ReplyDuty);
                State::Receiving(self)
            }
            Verdict::Refuse(kind) => self.refuse_frame(kind, at, bytes, behind, cx),
        }
    }

    /// Hands the frame to the caller. Nothing is answered now.
    fn deliver(
        mut self: Box<Self>,
        frame: ReadFrame<'_>,
        anomaly: Option<AnomalyKind>,
        at: u64,
        cx: &mut Context<'_>,
    ) -> State {
        let checksum = match (cx.config.checksum, frame.checksum) {
            (Checksum::Warn, ChecksumFound::Wrong { computed, found }) => {
                Some(AnomalyKind::ChecksumWrong { computed, found })
            }
            (Checksum::Warn, ChecksumFound::Absent) => Some(AnomalyKind::ChecksumAbsent),
            (Checksum::Require | Checksum::Warn | Checksum::Ignore, _) => None,
        };
        for kind in anomaly.into_iter().chain(checksum) {
            cx.shared.output.anomaly(kind, at, 0);
        }
        if let Some((offset, byte)) = frame.restricted {
            let text_at = at + 1 + u64::from(frame.number.is_some());
            cx.shared.output.anomaly(AnomalyKind::RestrictedByte(byte), text_at + offset, 0);
        }
        cx.shared.tickets += 1;
        let ticket = cx.shared.tickets;
        self.history.hold(&frame, ticket);
        self.deadline = cx.start(Timer::ReplyDuty);
        let ReadFrame { number, end, text, .. } = frame;
        let ticket = FrameTicket::new(cx.shared.identity, ticket);
        let number = number.map(FrameNumber::get);
        cx.event(Event::Frame(Frame { number, end, text: text.into_owned(), ticket }));
        State::Receiving(self)
    }

    fn refuse_frame(
        mut self: Box<Self>,
        kind: AnomalyKind,
        at: u64,
        bytes: u64,
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> State {
        cx.shared.output.anomaly(kind, at, bytes);
        let number = self.history.awaited(cx.config);
        cx.answer_frame(NAK, number, behind);
        self.doubt = true;
        self.wait_for_frame(cx)
    }

    fn wait_for_frame(mut self: Box<Self>, cx: &Context<'_>) -> State {
        self.deadline = cx.start(Timer::NextFrame);
        State::Receiving(self)
    }

    /// The caller has answered a frame. `behind` is the input that came after it.
    pub(crate) fn answer(
        mut self: Box<Self>,
        ticket: &FrameTicket,
        answer: Answer,
        behind: &[u8],
        cx: &mut Context<'_>,
    ) -> State {
        let number = match self.history.settle(ticket, cx.shared.identity, answer) {
            Settled::Now(number) => number,
            // NAK has been sent for it already, or its transfer is over: the next word is the peer's.
            Settled::TooLate => return State::Receiving(self),
        };
        let interrupt = answer == Answer::Accept && std::mem::take(&mut cx.shared.interrupt);
        let byte = match answer {
            Answer::Accept if interrupt => EOT,
            Answer::Accept => ACK,
            Answer::Refuse => NAK,
        };
        cx.answer_frame(byte, number, behind);
        self.doubt = interrupt || answer == Answer::Refuse;
        self.wait_for_frame(cx)
    }

    /// T3: the line is neutral, no byte is sent. The reply duty: NAK.
    pub(super) fn expire(mut self: Box<Self>, behind: &[u8], cx: &mut Context<'_>) -> State {
        if self.deadline.timer == Timer::NextFrame {
            return close(Ending::Timeout, cx);
        }
        if let Some(open) = self.open.take() {
            let bytes = cx.at.saturating_sub(open.at);
            if open.reader.ends_in_eot() {
                cx.shared.output.anomaly(AnomalyKind::FrameBrokenOff, open.at, bytes);
                return close(Ending::Abandoned, cx);
            }
            let kind = AnomalyKind::BadFrame(open.reader.unfinished());
            return self.refuse_frame(kind, open.at, bytes, behind, cx);
        }
        self.history.set_overdue(true);
        self.refuse_frame(AnomalyKind::AnswerOverdue, cx.at, 0, behind, cx)
    }

    pub(super) fn disconnect(self: Box<Self>, cx: &mut Context<'_>) {
        if let Some(open) = self.open {
            let bytes = cx.at.saturating_sub(open.at);
            cx.shared.output.anomaly(AnomalyKind::FrameBrokenOff, open.at, bytes);
        }
        close(Ending::Disconnected, cx);
    }
}

fn rules(cx: &Context<'_>) -> FrameRules {
    FrameRules {
        numbered: match cx.config.frame_numbers {
            FrameNumbers::Strict | FrameNumbers::Lenient => true,
            FrameNumbers::Absent => false,
        },
        checksum_may_be_absent: cx.config.checksum != Checksum::Require,
        text_bytes_max: cx.config.frame_text_bytes_max,
    }
}

/// The peer's transfer is over, and the line neutral.
fn close(ending: Ending, cx: &mut Context<'_>) -> State {
    end(ending, cx);
    State::Neutral(Neutral)
}

/// The peer's transfer is over.
pub(super) fn end(ending: Ending, cx: &mut Context<'_>) {
    cx.shared.interrupt = false;
    cx.event(Event::TransferEnded(ending));
}

//! Receiving: the peer has the line. Between frames T3 runs, the reply duty while a frame is unfinished or unanswered
//! (LIS01 §6.3–6.5).

use super::{Context, Neutral, State};
use crate::config::{Checksum, FrameNumbers};
use crate::control::{ACK, ENQ, EOT, NAK, STX};
use crate::event::{AnomalyKind, Ending, Event, Frame, FrameDefect, FrameEnd, FrameTicket};
use crate::frame::FrameNumber;
use crate::reader::{ChecksumFound, FrameReader, FrameRules, Progress, ReadFrame};
use crate::timer::{Deadline, Timer};
use crate::whole::whole_frame;
use memchr::memchr3;

#[derive(Debug)]
pub(crate) struct Receiving {
    /// The frame being read.
    open: Option<OpenFrame>,
    /// The frame that is with the caller.
    pending: Option<Pending>,
    /// The last accepted frame; none directly after an establishment, so that a first frame 0 is no repeat.
    last: Option<Copied>,
    /// Memory for the next copy of a frame's text.
    spare: Vec<u8>,
    /// Whether the last frame that ended was refused.
    refused: bool,
    deadline: Deadline,
}

#[derive(Debug)]
struct OpenFrame {
    reader: FrameReader,
    /// Offset of its STX.
    at: u64,
}

/// A delivered frame, kept to know it again.
#[derive(Debug)]
struct Copied {
    number: Option<FrameNumber>,
    end: FrameEnd,
    text: Vec<u8>,
}

#[derive(Debug)]
struct Pending {
    ticket: u64,
    frame: Copied,
    /// The reply duty ran out and NAK was sent. The frame stays with the caller; if he accepts it after all, the
    /// peer's repeat of it is answered ACK and not delivered again.
    overdue: bool,
}

/// What the caller says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Accept,
    Refuse,
}

/// What becomes of a whole frame.
enum Verdict {
    Deliver(Option<AnomalyKind>),
    /// The last accepted frame again.
    Repeat,
    /// The frame that is still with the caller again.
    StillPending,
    Refuse(AnomalyKind),
}

impl Copied {
    fn is(&self, frame: &ReadFrame<'_>) -> bool {
        self.number == frame.number && self.end == frame.end && *self.text == *frame.text
    }
}

impl Receiving {
    /// An enquiry: ACK when ready, else NAK (LIS01 §6.2). `behind` is the input behind it.
    pub(super) fn open(behind: &[u8], cx: &mut Context<'_>) -> State {
        cx.shared.output.end_ignored();
        if !cx.shared.ready {
            cx.answer(NAK, behind);
            return State::Neutral(Neutral);
        }
        if cx.shared.pause.is_some_and(|pause| pause.timer != Timer::BusyPause) {
            cx.shared.pause = None;
        }
        cx.shared.outgoing.peer_has_the_line();
        cx.answer(ACK, behind);
        cx.event(Event::TransferStarted);
        let deadline = cx.start(Timer::NextFrame);
        State::Receiving(Box::new(Self {
            open: None,
            pending: None,
            last: None,
            spare: Vec::new(),
            refused: false,
            deadline,
        }))
    }

    pub(super) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether input has to wait for the caller's answer.
    pub(crate) fn awaits_answer(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !pending.overdue)
    }

    pub(super) fn read(mut self: Box<Self>, bytes: &[u8], cx: &mut Context<'_>) -> (State, usize) {
        if let Some(open) = self.open.take() {
            return self.read_frame(open, bytes, cx);
        }
        let starts = matches!(bytes.first(), Some(&(STX | EOT | ENQ)));
        let found = if starts { Some(0) } else { memchr3(STX, EOT, ENQ, bytes) };
        let (noise, rest) = bytes.split_at_checked(found.unwrap_or(bytes.len())).unwrap_or((bytes, &[]));
        cx.ignore(AnomalyKind::Noise, cx.at, noise);
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
                let ending = if self.is_complete() { Ending::Eot } else { Ending::Abandoned };
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
        match self.verdict(&frame, cx) {
            Verdict::Deliver(anomaly) => self.deliver(frame, anomaly, at, cx),
            Verdict::Repeat => {
                cx.answer(ACK, behind);
                self.refused = false;
                cx.event(Event::Repeated { number: frame.number.map(FrameNumber::get) });
                self.wait_for_frame(cx)
            }
            Verdict::StillPending => {
                if let Some(pending) = self.pending.as_mut() {
                    pending.overdue = false;
                }
                self.deadline = cx.start(Timer::ReplyDuty);
                State::Receiving(self)
            }
            Verdict::Refuse(kind) => self.refuse_frame(kind, at, bytes, behind, cx),
        }
    }

    fn verdict(&self, frame: &ReadFrame<'_>, cx: &Context<'_>) -> Verdict {
        if cx.config.checksum == Checksum::Require {
            match frame.checksum {
                ChecksumFound::Right => {}
                ChecksumFound::Wrong { computed, found } => {
                    let defect = FrameDefect::Checksum { computed, found };
                    return Verdict::Refuse(AnomalyKind::BadFrame(defect));
                }
                // The reader asks for two digits when a checksum is required.
                ChecksumFound::Absent => return Verdict::Refuse(AnomalyKind::ChecksumAbsent),
            }
        }
        if let Some(pending) = &self.pending {
            let same = pending.frame.is(frame);
            return if same {
                Verdict::StillPending
            } else {
                Verdict::Refuse(AnomalyKind::FrameBeforeAnswer)
            };
        }
        let Some(number) = frame.number else { return Verdict::Deliver(None) };
        let last = self.last.as_ref().filter(|last| last.number == Some(number));
        if last.is_some_and(|last| last.is(frame)) {
            return Verdict::Repeat;
        }
        let expected =
            self.last.as_ref().and_then(|last| last.number).map_or(FrameNumber::FIRST, FrameNumber::next);
        if number == expected {
            return Verdict::Deliver(None);
        }
        let kind = if last.is_some() {
            AnomalyKind::NumberReused(number.get())
        } else {
            AnomalyKind::NumberOutOfOrder { expected: expected.get(), found: number.get() }
        };
        match cx.config.frame_numbers {
            FrameNumbers::Strict => Verdict::Refuse(kind),
            FrameNumbers::Lenient | FrameNumbers::Absent => Verdict::Deliver(Some(kind)),
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
        let ReadFrame { number, end, text, .. } = frame;
        let mut kept = std::mem::take(&mut self.spare);
        kept.clear();
        kept.extend_from_slice(&text);
        let text = text.into_owned();
        cx.shared.tickets += 1;
        let ticket = cx.shared.tickets;
        self.pending = Some(Pending { ticket, frame: Copied { number, end, text: kept }, overdue: false });
        self.deadline = cx.start(Timer::ReplyDuty);
        let ticket = FrameTicket::new(&cx.shared.identity, ticket);
        cx.event(Event::Frame(Frame { number: number.map(FrameNumber::get), end, text, ticket }));
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
        cx.answer(NAK, behind);
        self.refused = true;
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
        let Some(pending) = self.pending.take_if(|pending| ticket.is(&cx.shared.identity, pending.ticket))
        else {
            return State::Receiving(self);
        };
        let done_with = match answer {
            Answer::Accept => self.last.replace(pending.frame),
            Answer::Refuse => Some(pending.frame),
        };
        self.spare = done_with.map(|frame| frame.text).unwrap_or_default();
        if pending.overdue {
            // NAK has been sent for it: the next word is the peer's.
            return State::Receiving(self);
        }
        match answer {
            Answer::Accept => {
                let interrupt = std::mem::take(&mut cx.shared.interrupt);
                cx.answer(if interrupt { EOT } else { ACK }, behind);
                self.refused = false;
            }
            Answer::Refuse => {
                cx.answer(NAK, behind);
                self.refused = true;
            }
        }
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
        if let Some(pending) = self.pending.as_mut() {
            pending.overdue = true;
        }
        self.refuse_frame(AnomalyKind::AnswerOverdue, cx.at, 0, behind, cx)
    }

    pub(super) fn disconnect(self: Box<Self>, cx: &mut Context<'_>) {
        if let Some(open) = self.open {
            let bytes = cx.at.saturating_sub(open.at);
            cx.shared.output.anomaly(AnomalyKind::FrameBrokenOff, open.at, bytes);
        }
        close(Ending::Disconnected, cx);
    }

    /// Whether EOT may come now: the last frame was accepted and ended its record, or there was none.
    fn is_complete(&self) -> bool {
        let whole = self.last.as_ref().is_none_or(|last| last.end == FrameEnd::End);
        whole && !self.refused && self.pending.is_none()
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

/// The peer's transfer is over.
fn close(ending: Ending, cx: &mut Context<'_>) -> State {
    cx.shared.interrupt = false;
    cx.event(Event::TransferEnded(ending));
    if cx.shared.pause.is_some_and(|pause| pause.timer == Timer::InterruptPause) {
        cx.shared.pause = None;
    }
    State::Neutral(Neutral)
}

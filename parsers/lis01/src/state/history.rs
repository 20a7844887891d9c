//! What a receiver remembers of the frames of one transfer, and what a new one is to it (LIS01 §6.5.1).

use crate::config::{Checksum, Config, FrameNumbers};
use crate::event::{AnomalyKind, FrameDefect, FrameEnd, FrameTicket, LinkId};
use crate::frame::FrameNumber;
use crate::reader::{ChecksumFound, ReadFrame};

#[derive(Debug, Default)]
pub(super) struct History {
    /// The frame that is with the caller.
    pending: Option<Pending>,
    /// The last accepted frame; none directly after an establishment, so that a first frame 0 is no repeat.
    last: Option<Copied>,
    /// Memory for the next copy of a frame's text.
    spare: Vec<u8>,
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
pub(super) enum Verdict {
    Deliver(Option<AnomalyKind>),
    /// The last accepted frame again.
    Repeat,
    /// The frame that is still with the caller again.
    StillPending,
    Refuse(AnomalyKind),
}

/// What becomes of the caller's answer.
pub(super) enum Settled {
    /// The peer waits for it, for the frame of this number.
    Now(Option<FrameNumber>),
    /// The peer has had its answer.
    TooLate,
}

impl Copied {
    fn is(&self, frame: &ReadFrame<'_>) -> bool {
        self.number == frame.number && self.end == frame.end && *self.text == *frame.text
    }
}

impl History {
    /// Whether the caller owes the peer an answer.
    #[inline]
    pub(super) fn awaits_answer(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !pending.overdue)
    }

    pub(super) fn judge(&self, frame: &ReadFrame<'_>, config: &Config) -> Verdict {
        match frame.checksum {
            ChecksumFound::Wrong { computed, found } if config.checksum == Checksum::Require => {
                return Verdict::Refuse(AnomalyKind::BadFrame(FrameDefect::Checksum { computed, found }));
            }
            ChecksumFound::Absent if config.checksum == Checksum::Require => {
                return Verdict::Refuse(AnomalyKind::ChecksumAbsent);
            }
            ChecksumFound::Right | ChecksumFound::Wrong { .. } | ChecksumFound::Absent => {}
        }
        match &self.pending {
            Some(pending) if pending.frame.is(frame) => Verdict::StillPending,
            Some(_) => Verdict::Refuse(AnomalyKind::FrameBeforeAnswer),
            None => {
                frame.number.map_or(Verdict::Deliver(None), |number| self.judge_number(number, frame, config))
            }
        }
    }

    fn judge_number(&self, number: FrameNumber, frame: &ReadFrame<'_>, config: &Config) -> Verdict {
        let expected = self.due();
        let last = self.last.as_ref().filter(|last| last.number == Some(number));
        let kind = match last {
            Some(last) if last.is(frame) => return Verdict::Repeat,
            Some(_) => AnomalyKind::NumberReused(number.get()),
            None if number == expected => return Verdict::Deliver(None),
            None => AnomalyKind::NumberOutOfOrder { expected: expected.get(), found: number.get() },
        };
        match config.frame_numbers {
            FrameNumbers::Strict => Verdict::Refuse(kind),
            FrameNumbers::Lenient | FrameNumbers::Absent => Verdict::Deliver(Some(kind)),
        }
    }

    /// The number that the next new frame has to have.
    fn due(&self) -> FrameNumber {
        self.last.as_ref().and_then(|last| last.number).map_or(FrameNumber::FIRST, FrameNumber::next)
    }

    /// The number of the frame that the peer is at. What number a damaged frame had is not known; it can only be this.
    pub(super) fn awaited(&self, config: &Config) -> Option<FrameNumber> {
        match (config.frame_numbers, &self.pending) {
            (FrameNumbers::Absent, _) => None,
            (FrameNumbers::Strict | FrameNumbers::Lenient, Some(pending)) => pending.frame.number,
            (FrameNumbers::Strict | FrameNumbers::Lenient, None) => Some(self.due()),
        }
    }

    /// The frame goes to the caller.
    pub(super) fn hold(&mut self, frame: &ReadFrame<'_>, ticket: u64) {
        let mut text = std::mem::take(&mut self.spare);
        text.clear();
        text.extend_from_slice(&frame.text);
        let frame = Copied { number: frame.number, end: frame.end, text };
        self.pending = Some(Pending { ticket, frame, overdue: false });
    }

    /// NAK was sent for the frame that is with the caller, or the peer has sent it again and waits anew.
    pub(super) fn set_overdue(&mut self, overdue: bool) {
        if let Some(pending) = self.pending.as_mut() {
            pending.overdue = overdue;
        }
    }

    /// The caller's answer has come.
    pub(super) fn settle(&mut self, ticket: &FrameTicket, link: LinkId, answer: Answer) -> Settled {
        let Some(Pending { frame, overdue, .. }) = self.pending.take_if(|held| ticket.is(link, held.ticket))
        else {
            return Settled::TooLate;
        };
        let number = frame.number;
        let done_with = match answer {
            Answer::Accept => self.last.replace(frame),
            Answer::Refuse => Some(frame),
        };
        self.spare = done_with.map(|frame| frame.text).unwrap_or_default();
        if overdue { Settled::TooLate } else { Settled::Now(number) }
    }

    /// Whether the last frame was accepted and ended its record, or there was none.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_none() && self.last.as_ref().is_none_or(|last| last.end == FrameEnd::End)
    }

    pub(super) fn held_bytes(&self) -> usize {
        let pending = self.pending.as_ref().map_or(0, |pending| pending.frame.text.capacity());
        let last = self.last.as_ref().map_or(0, |last| last.text.capacity());
        pending + last + self.spare.capacity()
    }
}

//! The timers, a closed list (LIS01 §6). At most one runs in any state, besides a sender's pause.

use crate::config::Timers;
use std::time::{Duration, Instant};

/// What a link may be waiting for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Timer {
    /// T1: the answer to our ENQ. On expiry EOT, and the transfer has failed.
    EnquiryReply,
    /// T2: the answer to our frame. On expiry EOT, and the transfer has failed.
    FrameReply,
    /// T3: the peer's next frame or EOT. On expiry the line is neutral; no byte is sent.
    NextFrame,
    /// T4: the pause after our ENQ was answered NAK, and after a transfer was given up. Then ENQ again.
    BusyPause,
    /// T5: the instrument's pause after contention. Then ENQ again.
    InstrumentPause,
    /// T6: the computer's wait for the instrument's ENQ after contention. Then ENQ again.
    ComputerYield,
    /// T7: the pause after we let the peer interrupt us. Then ENQ again.
    InterruptPause,
    /// The reply duty: the last byte of a frame that is unfinished or unanswered. On expiry NAK.
    ReplyDuty,
}

impl Timer {
    /// Every timer.
    pub const ALL: [Self; 8] = [
        Self::EnquiryReply,
        Self::FrameReply,
        Self::NextFrame,
        Self::BusyPause,
        Self::InstrumentPause,
        Self::ComputerYield,
        Self::InterruptPause,
        Self::ReplyDuty,
    ];

    /// Its length under `timers`.
    #[must_use]
    pub fn duration(self, timers: &Timers) -> Duration {
        match self {
            Self::EnquiryReply => timers.t1,
            Self::FrameReply => timers.t2,
            Self::NextFrame => timers.t3,
            Self::BusyPause => timers.t4,
            Self::InstrumentPause => timers.t5,
            Self::ComputerYield => timers.t6,
            Self::InterruptPause => timers.t7,
            Self::ReplyDuty => timers.reply,
        }
    }
}

/// A running timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) timer: Timer,
    /// `None`: later than the clock can hold, so never.
    pub(crate) at: Option<Instant>,
}

impl Deadline {
    pub(crate) fn start(timer: Timer, timers: &Timers, now: Instant) -> Self {
        Self { timer, at: now.checked_add(timer.duration(timers)) }
    }

    /// Expires at its limit, not before.
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.at.is_some_and(|at| now >= at)
    }
}

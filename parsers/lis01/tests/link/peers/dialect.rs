//! The framing dialects that a link speaks, each with what its line may do to it.
//!
//! A dialect that gives up a check gives up what the check was for: without a checksum a flipped bit is delivered, without
//! frame numbers a repeat is a new frame. What a dialect cannot bear is not done to it here, and stands beside it.

use super::line::Fault;
use super::side::Store;
use lis01::{Checksum, Config, FrameNumbers, Framing, Timer, Timers};
use std::time::Duration;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Dialect {
    /// As the standard has it.
    Standard,
    /// Any frame number is taken.
    LenientNumbers,
    /// Frames carry no numbers.
    NoNumbers,
    /// A wrong checksum is taken, and told.
    ChecksumWarned,
    /// A wrong checksum is taken.
    ChecksumIgnored,
    /// Each control byte is answered, and there is no NAK.
    ControlBytes,
    /// So it is, and blocks carry checksums.
    ControlBytesChecked,
}

impl Dialect {
    pub(super) const ALL: [Self; 7] = [
        Self::Standard,
        Self::LenientNumbers,
        Self::NoNumbers,
        Self::ChecksumWarned,
        Self::ChecksumIgnored,
        Self::ControlBytes,
        Self::ControlBytesChecked,
    ];

    pub(super) fn config(self) -> Config {
        let standard = Config { timers: told_apart(&Timers::default()), ..Config::default() };
        match self {
            Self::Standard => standard,
            Self::LenientNumbers => Config { frame_numbers: FrameNumbers::Lenient, ..standard },
            Self::NoNumbers => Config { frame_numbers: FrameNumbers::Absent, ..standard },
            Self::ChecksumWarned => Config { checksum: Checksum::Warn, ..standard },
            Self::ChecksumIgnored => Config { checksum: Checksum::Ignore, ..standard },
            Self::ControlBytes => control_bytes(Checksum::Ignore),
            Self::ControlBytesChecked => control_bytes(Checksum::Require),
        }
    }

    /// What its line may do to a block.
    pub(super) fn faults(self) -> Vec<Fault> {
        let without = |unbearable: &[Fault]| {
            Fault::ALL.into_iter().filter(|fault| !unbearable.contains(fault)).collect()
        };
        match self {
            Self::Standard | Self::LenientNumbers => without(&[]),
            // An ACK that became something else, or a frame that comes twice, is one frame more.
            Self::NoNumbers => without(&[Fault::Flip, Fault::Duplicate]),
            // Damage inside a text is delivered.
            Self::ChecksumWarned | Self::ChecksumIgnored => without(&[Fault::Flip, Fault::DropByte]),
            // It belongs on a stream that keeps its bytes.
            Self::ControlBytes => without(&[Fault::Flip, Fault::DropByte, Fault::Duplicate]),
            Self::ControlBytesChecked => without(&[Fault::Duplicate]),
        }
    }

    /// Without numbers, a frame that was kept too late comes again and is another one.
    pub(super) fn store(self) -> Store {
        match self {
            Self::NoNumbers => Store::MoodyInTime,
            Self::Standard
            | Self::LenientNumbers
            | Self::ChecksumWarned
            | Self::ChecksumIgnored
            | Self::ControlBytes
            | Self::ControlBytesChecked => Store::Moody,
        }
    }

    /// The longest stall. An answer must not be under way longer than T4 after its asker's T2: with a reply duty of
    /// 12 s, two stalls of 4 s keep to that. Where control bytes are repeated, not longer than T2.
    pub(super) fn stall_ms_max(self) -> u64 {
        if self.is_plain() { 1_000 } else { 4_000 }
    }

    fn is_plain(self) -> bool {
        matches!(self, Self::ControlBytes | Self::ControlBytesChecked)
    }

    /// The timers that have to run out somewhere in many worlds.
    pub(super) fn timers(self) -> Vec<Timer> {
        let mut timers = Timer::ALL.to_vec();
        if self.is_plain() {
            // There is no interrupt, and who is not answered hangs up long before T3 and T6.
            let never = [Timer::InterruptPause, Timer::NextFrame, Timer::ComputerYield];
            timers.retain(|timer| !never.contains(timer));
        }
        timers
    }
}

/// Times of the standard, told apart by a millisecond where two are the same.
fn told_apart(timers: &Timers) -> Timers {
    Timers {
        t2: timers.t2 + Duration::from_millis(1),
        t7: timers.t7 + Duration::from_millis(2),
        ..timers.clone()
    }
}

/// As an immunoassay analyser speaks it: 3 s and three tries.
fn control_bytes(checksum: Checksum) -> Config {
    let ms = Duration::from_millis;
    Config {
        framing: Framing::ControlBytes,
        checksum,
        tries_max: 3,
        timers: told_apart(&Timers { t1: ms(3_000), t2: ms(3_000), reply: ms(2_500), ..Timers::default() }),
        ..Config::default()
    }
}

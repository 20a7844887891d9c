//! What a link is told once: role, tolerance, sizes, times and tries. Dialects of makers are values here, never code.

use crate::output::TRANSMIT_BLOCKS_MAX;
use std::time::Duration;

/// Who gives way when both sides ask to send at once (LIS01 §6.2.7): the instrument wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Asks again after T5 and has the line.
    Instrument,
    /// Becomes ready to receive and waits T6 before it asks again.
    Computer,
}

/// What a transfer looks like on the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// The standard's frames: number, checksum, CR LF, and one answer each (LIS01 §6.3).
    Numbered,
    /// `ENQ`, `STX text ETX`, `EOT`, with an ACK for each of the four control bytes. There is no NAK: whoever is not
    /// answered closes the connection and starts anew, and so does whoever reads what he cannot accept. A block has no
    /// number, and a checksum (two digits behind ETX) only with [`Checksum::Require`].
    ControlBytes,
}

/// What a frame's checksum has to be. Frames sent always carry one, in upper case; those of
/// [`Framing::ControlBytes`] only where it is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// Right, in upper or lower case; anything else is answered NAK.
    Require,
    /// May be wrong or absent: the frame is delivered and an anomaly names it.
    Warn,
    /// May be wrong or absent, and nobody is told.
    Ignore,
}

/// What a frame's number has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameNumbers {
    /// 1 after every establishment, then one more modulo 8; the last one again is a repeat; others are answered NAK.
    Strict,
    /// Any digit 0–7 is taken, with an anomaly when it is not the expected one; the last one with the same text is a repeat.
    Lenient,
    /// Frames carry none, in both directions. A repeat cannot be told from a new frame and is delivered again.
    Absent,
}

/// What a sender does when a frame is answered EOT (LIS01 §6.5): the frame counts as accepted either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupts {
    /// Goes on sending; the peer may ask again on a later frame.
    Ignore,
    /// Stops, sends EOT and leaves the line to the peer for T7.
    Honour,
}

/// How long each [`Timer`](crate::Timer) runs. A time beyond what the clock can hold means never.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timers {
    /// T1, 15 s: an enquiry waits for its answer.
    pub t1: Duration,
    /// T2, 15 s: a frame waits for its answer.
    pub t2: Duration,
    /// T3, 30 s: a receiver waits for the next frame or EOT. While a frame's bytes come, the reply duty runs instead:
    /// 64 000 bytes take over a minute at 9600 baud.
    pub t3: Duration,
    /// T4, at least 10 s: a sender that was refused or given up on waits before it asks again.
    pub t4: Duration,
    /// T5, at least 1 s: the instrument waits after contention.
    pub t5: Duration,
    /// T6, 20 s: the computer waits after contention.
    pub t6: Duration,
    /// T7, 15 s: a sender that let itself be interrupted waits.
    pub t7: Duration,
    /// The reply duty: a frame is answered this long after its last byte, with NAK if nobody has answered.
    /// The standard allows 15 s, the peer's T2; the default of 12 s leaves room for the line. Keep it under the peer's T2.
    pub reply: Duration,
}

impl Default for Timers {
    fn default() -> Self {
        Self {
            t1: Duration::from_secs(15),
            t2: Duration::from_secs(15),
            t3: Duration::from_secs(30),
            t4: Duration::from_secs(10),
            t5: Duration::from_secs(1),
            t6: Duration::from_secs(20),
            t7: Duration::from_secs(15),
            reply: Duration::from_secs(12),
        }
    }
}

/// The settings of one link. [`Config::default`] is the standard's computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Who gives way in contention.
    pub role: Role,
    /// What a transfer looks like on the line.
    pub framing: Framing,
    /// What is asked of a received frame's checksum.
    pub checksum: Checksum,
    /// What is asked of a received frame's number, and whether sent frames carry one.
    pub frame_numbers: FrameNumbers,
    /// What a sender does when asked to stop.
    pub interrupts: Interrupts,
    /// Longest text of a received frame; a longer one is answered NAK and not kept. LIS01-A2 asks for 63 993.
    pub frame_text_bytes_max: usize,
    /// Longest text of a sent frame, at least 1. Every peer takes 240 (E1381-95).
    pub send_text_bytes_max: usize,
    /// How often a frame or an enquiry is sent in total before the transfer is given up, at least 1.
    pub tries_max: u8,
    /// How many enquiries in a row are refused while we are not ready. The next one is answered ACK all the same, and the
    /// frames decide: some senders drop what they have to say after a few NAKs.
    pub enquiry_refusals_max: u8,
    /// Input kept behind a frame that nobody has answered yet; beyond it `handle_input` takes fewer bytes than given. At least 1.
    pub buffered_bytes_max: usize,
    /// Transfers that may wait to be sent.
    pub queued_transfers_max: usize,
    /// Bytes that may wait to be sent, over all transfers.
    pub queued_bytes_max: usize,
    /// The times.
    pub timers: Timers,
}

impl Config {
    /// What a link can hold at most, in bytes of text, however its peer behaves.
    #[must_use]
    pub fn held_bytes_max(&self) -> usize {
        // The frame being read, one waiting to be fetched, the copies of the frame with the caller and of the last
        // accepted one, and memory for the next copy, each in a buffer that doubles as it grows; blocks to be fetched.
        let received = self.frame_text_bytes_max.saturating_mul(10).saturating_add(64);
        let sent_at_once = match self.framing {
            Framing::Numbered => self.send_text_bytes_max.min(self.queued_bytes_max),
            Framing::ControlBytes => self.queued_bytes_max,
        };
        let frame_sent = sent_at_once.saturating_add(8);
        let waiting = frame_sent.saturating_mul(TRANSMIT_BLOCKS_MAX + 2);
        let buffered = self.buffered_bytes_max.max(1);
        [received, waiting, buffered, self.queued_bytes_max].into_iter().fold(0, usize::saturating_add)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            role: Role::Computer,
            framing: Framing::Numbered,
            checksum: Checksum::Require,
            frame_numbers: FrameNumbers::Strict,
            interrupts: Interrupts::Ignore,
            frame_text_bytes_max: 64_000,
            send_text_bytes_max: 240,
            tries_max: 6,
            enquiry_refusals_max: 3,
            buffered_bytes_max: 128 * 1024,
            queued_transfers_max: 64,
            queued_bytes_max: 4 * 1024 * 1024,
            timers: Timers::default(),
        }
    }
}

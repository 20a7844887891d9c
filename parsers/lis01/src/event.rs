//! What a link tells its caller.

use std::sync::atomic::{AtomicU64, Ordering};

/// One thing that happened on the line, in order.
#[derive(Debug)]
pub enum Event {
    /// The peer asked to send and was answered ACK.
    TransferStarted,
    /// A good frame. Nothing is answered until its ticket comes back through `accept` or `refuse`.
    Frame(Frame),
    /// The peer sent an accepted frame again (it missed our ACK). Answered ACK by the machine, not delivered again.
    Repeated {
        /// Its frame number.
        number: Option<u8>,
    },
    /// The peer's transfer is over. Frames whose tickets were accepted stay accepted; an unfinished frame is dropped.
    TransferEnded(Ending),
    /// The peer answered a frame of ours with EOT: it would like to send.
    InterruptRequested {
        /// Whether we stopped for it.
        honoured: bool,
    },
    /// Every frame of the transfer was answered ACK.
    Sent(SendId),
    /// The transfer was given up. The peer may hold a part of it; what to send again is the record layer's to decide
    /// (LIS02 §4.2). The link waits T4 before its next enquiry.
    SendFailed {
        /// Which transfer.
        id: SendId,
        /// Why.
        why: SendFailure,
        /// How many of its records, from the first, the peer has accepted whole.
        records_accepted: usize,
    },
    /// Both sides asked to send at once. The transfer stays queued.
    Contention,
    /// With [`Framing::ControlBytes`](crate::Framing): close the connection, then call `handle_disconnect`. Nothing more
    /// is read or sent until then. The peer misses an answer and sends its transfer again over a new connection.
    HangUp(HangUp),
    /// Something the standard does not foresee. The link goes on.
    Anomaly(Anomaly),
}

/// A good frame, as it was on the line.
#[derive(Debug)]
pub struct Frame {
    /// 0–7; `None` when the dialect has no frame numbers.
    pub number: Option<u8>,
    /// Whether the record ends here.
    pub end: FrameEnd,
    /// The text between the number and ETB or ETX. A character may be split over two frames: join before decoding.
    pub text: Vec<u8>,
    /// The right to answer this frame, once.
    pub ticket: FrameTicket,
}

/// How a frame ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameEnd {
    /// ETB: the record goes on in the next frame.
    Intermediate,
    /// ETX: the record, or several packed in one frame, ends.
    End,
}

/// The right to answer one frame. Only the link makes it; answering gives it back. A ticket whose transfer has ended,
/// or that belongs to another link, answers nothing.
#[derive(Debug)]
#[must_use = "until its ticket is answered, the frame is not: the peer gets NAK after the reply duty"]
pub struct FrameTicket {
    link: LinkId,
    number: u64,
}

impl FrameTicket {
    pub(crate) fn new(link: LinkId, number: u64) -> Self {
        Self { link, number }
    }

    pub(crate) fn is(&self, link: LinkId, number: u64) -> bool {
        self.link == link && self.number == number
    }
}

/// Tells links of one process apart, so that no link takes another's ticket. Means nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkId(u64);

impl LinkId {
    pub(crate) fn next() -> Self {
        static GIVEN: AtomicU64 = AtomicU64::new(0);
        Self(GIVEN.fetch_add(1, Ordering::Relaxed))
    }
}

/// How a transfer from the peer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ending {
    /// EOT after a finished record, or after none. A peer that missed our last ACK and gave up looks the same.
    Eot,
    /// EOT although the last frame was refused or broken off, lost its beginning, left its record unfinished, or was
    /// answered with our request to interrupt: there may have been more. Never the end of a message by itself.
    Abandoned,
    /// T3: nothing more came.
    Timeout,
    /// The connection closed.
    Disconnected,
    /// The peer asked to send anew in the middle of its transfer.
    Restarted,
}

/// Names a transfer given to `send`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SendId(pub(crate) u64);

/// Why `send` took nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// The queue's bound is reached: wait for a `Sent` or `SendFailed`.
    #[error("{transfers} transfers of {bytes} bytes are already waiting to be sent")]
    QueueFull {
        /// Transfers waiting.
        transfers: usize,
        /// Bytes waiting.
        bytes: usize,
    },
    /// A transfer without records, or a record without bytes.
    #[error("record {record} of the transfer is empty")]
    EmptyRecord {
        /// Its place, from 0.
        record: usize,
    },
    /// A byte that may not be in a frame's text.
    #[error("record {record} holds the control byte {byte:#04x} at byte {at}; escape it")]
    RestrictedByte {
        /// The record's place, from 0.
        record: usize,
        /// The byte's place in it, from 0.
        at: usize,
        /// The byte.
        byte: u8,
    },
}

/// Why a transfer was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum SendFailure {
    /// T1.
    #[error("nobody answered the enquiry")]
    EnquiryUnanswered,
    /// NAK for every enquiry.
    #[error("the peer was busy at every try")]
    PeerBusy,
    /// Both sides asked at once, at every try.
    #[error("the peer asked to send at every try")]
    Contention,
    /// T2.
    #[error("nobody answered a frame")]
    FrameUnanswered,
    /// NAK, or anything but ACK and EOT, for one frame at every try.
    #[error("a frame was refused at every try")]
    FrameRefused,
    /// We let the peer interrupt us.
    #[error("the peer asked to interrupt")]
    Interrupted,
    /// The connection closed.
    #[error("the connection closed")]
    Disconnected,
}

/// Why a connection has to be closed, in a dialect that knows no NAK.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum HangUp {
    /// A block cannot be accepted for what is wrong with its bytes.
    #[error("a block is no good: {0}")]
    BadBlock(FrameDefect),
    /// A byte where the dialect has another.
    #[error("{0:#04x} stands where it may not")]
    OutOfPlace(u8),
    /// The caller refused the block.
    #[error("a block could not be kept")]
    Refused,
    /// Nobody answered the block's ticket within the reply duty.
    #[error("a block was not kept in time")]
    AnswerOverdue,
    /// The peer did not answer.
    #[error("the peer does not answer")]
    Unanswered,
}

/// Something the standard does not foresee, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    /// What.
    pub kind: AnomalyKind,
    /// Offset of the first byte concerned, counted from the first byte of the connection.
    pub at: u64,
    /// Bytes that were not delivered because of it; in noise, CR and LF do not count.
    pub bytes_skipped: u64,
}

/// The kinds of anomaly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnomalyKind {
    /// Bytes that belong to no frame and are no control byte expected there. Ignored.
    Noise,
    /// A frame answered NAK for what is wrong with its bytes.
    BadFrame(FrameDefect),
    /// A frame delivered although its checksum is wrong.
    ChecksumWrong {
        /// Computed from the bytes.
        computed: u8,
        /// On the line.
        found: u8,
    },
    /// A frame delivered although it has no checksum.
    ChecksumAbsent,
    /// A frame delivered although its text holds a byte the standard forbids there.
    RestrictedByte(u8),
    /// A frame with another number than the expected one: refused when strict, delivered when lenient.
    NumberOutOfOrder {
        /// What should have come.
        expected: u8,
        /// What came.
        found: u8,
    },
    /// The last frame's number with another text: eight frames lost or a peer started anew. Refused when strict,
    /// delivered when lenient; never taken for a repeat.
    NumberReused(u8),
    /// Another frame while an earlier one, answered NAK for lateness, is still with the caller. Refused.
    FrameBeforeAnswer,
    /// Nobody answered a frame's ticket within the reply duty: NAK, to keep the peer's T2 from expiring.
    AnswerOverdue,
    /// A frame broken off by the transfer's end.
    FrameBrokenOff,
    /// Input behind an unanswered frame, dropped because the connection closed.
    InputDropped,
    /// An answer that came before what it could answer had left. Ignored.
    StaleAnswer,
}

/// What is wrong with a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum FrameDefect {
    /// The byte after STX is no digit 0–7.
    #[error("{0:#04x} is no frame number")]
    Number(u8),
    /// STX, EOT or ENQ inside the frame.
    #[error("the control byte {0:#04x} stands inside the frame")]
    Control(u8),
    /// The text is longer than `frame_text_bytes_max`.
    #[error("the text is too long")]
    TooLong,
    /// A checksum character that is no hexadecimal digit.
    #[error("{0:#04x} is no checksum digit")]
    ChecksumDigit(u8),
    /// The checksum is wrong.
    #[error("the checksum is {found:02X}, computed {computed:02X}")]
    Checksum {
        /// Computed from the bytes.
        computed: u8,
        /// On the line.
        found: u8,
    },
    /// Something else stands where CR or LF must end the frame.
    #[error("{0:#04x} stands where CR LF must end the frame")]
    Trailer(u8),
    /// The rest of the frame did not come within the reply duty.
    #[error("the frame is unfinished")]
    Unfinished,
    /// A block without text, in a dialect where a text that was lost looks like that.
    #[error("there is no text")]
    Empty,
}

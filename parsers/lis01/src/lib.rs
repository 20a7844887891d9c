//! The CLSI LIS01-A2 / ASTM E1381 link, both roles, without IO: bytes and the time in; frames, answers and deadlines out.
//!
//! This room knows frames and transfers. It must not know a clock, a socket, a file, a runtime, a record's meaning or an
//! instrument: `now` is an argument, and what makers do differently is a value in [`Config`].
//!
//! ```text
//!                ENQ                 something to send                  ACK
//!  receiving ◄────────── neutral ───────────────────────► establishing ─────► sending
//!      │                  ▲ ▲ ▲                                │                 │
//!      └── EOT, T3 ───────┘ │ └────────── NAK, ENQ, T1 ────────┘                 │
//!                           └── ACK of the last frame, last NAK, EOT, T2 ────────┘
//! ```
//!
//! Every step, as the tests read it from here and try it:
//!
//! ```text
//! state        | event                           | we send     | next
//! neutral      | ENQ                             | ACK         | receiving, T3
//! neutral      | ENQ (we are not ready)          | NAK         | neutral
//! neutral      | any other byte                  | -           | neutral
//! neutral      | something to send               | ENQ         | establishing, T1
//! establishing | ACK                             | frame 1     | sending, T2
//! establishing | NAK                             | -           | neutral, T4
//! establishing | ENQ (we are the computer)       | -           | neutral, T6
//! establishing | ENQ (we are the instrument)     | -           | neutral, T5
//! establishing | any other byte                  | -           | establishing, T1
//! establishing | T1                              | EOT         | neutral, T4
//! sending      | ACK                             | next frame  | sending, T2
//! sending      | ACK of the last frame           | EOT         | neutral
//! sending      | NAK                             | same frame  | sending, T2
//! sending      | any other byte                  | same frame  | sending, T2
//! sending      | CR or LF                        | -           | sending, T2
//! sending      | last NAK                        | EOT         | neutral, T4
//! sending      | EOT (we ignore it)              | next frame  | sending, T2
//! sending      | EOT (we honour it)              | EOT         | neutral, T7
//! sending      | T2                              | EOT         | neutral, T4
//! receiving    | new frame, accepted             | ACK         | receiving, T3
//! receiving    | new frame, accepted, to send    | EOT         | receiving, T3
//! receiving    | new frame, refused              | NAK         | receiving, T3
//! receiving    | new frame, with the caller      | -           | receiving, reply duty
//! receiving    | reply duty                      | NAK         | receiving, T3
//! receiving    | last frame again                | ACK         | receiving, T3
//! receiving    | bad frame                       | NAK         | receiving, T3
//! receiving    | any other byte                  | -           | receiving, T3
//! receiving    | EOT                             | -           | neutral
//! receiving    | ENQ                             | ACK         | receiving, T3
//! receiving    | T3                              | -           | neutral
//! ```
//!
//! # What is promised
//!
//! **Silence until answered.** A frame goes to the caller with a [`FrameTicket`]. Not a byte leaves until the ticket comes
//! back: with a proof of the caller's own type for ACK, or refused for NAK. If neither happens within the reply duty, NAK
//! leaves; should the caller accept later after all, the peer's repeat is answered ACK and not delivered twice.
//!
//! **Once within a session, at least once across sessions.** Between one [`Event::TransferStarted`] and its
//! [`Event::TransferEnded`], each frame of the peer's is delivered in its order and once. A transfer that the sender calls
//! [`Event::Sent`] was accepted by the receiver whole, in one session. One that failed may have arrived in part or
//! whole, and comes again in another session. All this holds
//! with [`Checksum::Require`] and [`FrameNumbers::Strict`], on a line that keeps bytes in order, as far as the checksum
//! sees the damage (it sees any single flipped bit), and while no answer is on its way longer than T4 after its asker
//! gave up. One single error can cost an answer too many: EOT damaged into ENQ.
//!
//! **Damage inside a frame stays inside it.** STX, EOT and ENQ in a frame make it bad, and nothing else; it is answered
//! once, at its end. A frame that lost its STX is noise. A frame whose end is lost is answered NAK after the reply duty,
//! before the peer's T2. Transfers that end with such a frame are [`Ending::Abandoned`].
//!
//! **The bytes decide, not their grouping.** However the peer's bytes are split or merged, the events are the same. An
//! answer is left out where more input is already there and shows that the peer no longer waits for it (a new
//! enquiry, or a copy of the same frame): one answer too many would let a sender believe its last frame accepted.
//!
//! **Bounded.** A link holds no more than [`Config::held_bytes_max`].
//!
//! # The other framing
//!
//! With [`Framing::ControlBytes`] a transfer is `ENQ`, `STX text ETX`, `EOT`, each control byte is answered ACK, and
//! there is no NAK: what cannot be accepted ends in [`Event::HangUp`], and the peer sends again over a new connection.
//! Only the ACK of the text's end says that something is kept, and only it asks for the proof; that of ENQ says that
//! we listen, that of STX that a block began, that of EOT that the transfer is over. No frame numbers protect a block
//! and a checksum only where one is required, so such a link belongs on TCP.
//!
//! # What is deliberately absent
//!
//! Records: a frame's text is bytes, packed or not. Retrying a failed transfer: which records to send again is
//! LIS02 §4.2, the caller's. Characters: one may be split over two frames, so join before decoding.

mod config;
pub mod control;
mod event;
mod frame;
mod fuzz;
mod link;
mod outgoing;
mod output;
mod reader;
mod state;
mod timer;
mod whole;

pub use config::{Checksum, Config, FrameNumbers, Framing, Interrupts, Role, Timers};
pub use event::{
    Anomaly, AnomalyKind, Ending, Event, Frame, FrameDefect, FrameEnd, FrameTicket, HangUp, SendFailure,
    SendId, SendRefused,
};
pub use frame::{DecodeError, DecodedFrame, FrameNumber, checksum, decode_frame, encode_frame};
#[doc(hidden)]
pub use fuzz::fuzz_link;
pub use link::{Link, Phase};
pub use timer::Timer;

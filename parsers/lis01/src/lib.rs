//! The CLSI LIS01 / ASTM E1381 link, both roles, without IO.

mod config;
pub mod control;
mod event;
mod frame;
mod link;
mod outgoing;
mod output;
mod reader;
mod state;
mod timer;
mod whole;

pub use config::{Checksum, Config, FrameNumbers, Interrupts, Role, Timers};
pub use event::{
    Anomaly, AnomalyKind, Ending, Event, Frame, FrameDefect, FrameEnd, FrameTicket, SendFailure, SendId,
    SendRefused,
};
pub use frame::{DecodeError, DecodedFrame, FrameNumber, checksum, decode_frame, encode_frame};
pub use link::{Link, Phase};
pub use timer::Timer;

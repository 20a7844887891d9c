//! The states of [`Framing::ControlBytes`](crate::Framing): a transfer in which each control byte is answered.
//!
//! ```text
//! ENQ  ACK   STX  ACK   text ETX [C1 C2]  ACK   EOT  ACK
//!      │          │                       │          └ the transfer is over; nothing new is promised
//!      │          │                       └ the block is kept: the proof is asked for here, and only here
//!      │          └ the beginning of a block was seen
//!      └ we are listening
//! ```
//!
//! Whoever misses an answer closes the connection and sends his transfer again over a new one; so to accept a block too
//! early is the only fault that loses anything. Hence one answer a control byte, never one too many, and no answer at
//! all to what is out of place: then we hang up.
//!
//! A peer may repeat ENQ, STX, ETX or EOT by itself when it has waited long enough; the repeat is answered like the
//! first. It cannot repeat a text: without a number, a repeat and a new block look the same.

mod receiving;
mod sending;

pub(crate) use receiving::PlainReceiving;
pub(crate) use sending::PlainSending;

use super::{Context, State};
use crate::event::{Event, HangUp};

/// Asks the caller to close the connection; nothing more is read or sent until he has.
pub(crate) fn hang_up(why: HangUp, cx: &mut Context<'_>) -> State {
    cx.event(Event::HangUp(why));
    State::HungUp
}

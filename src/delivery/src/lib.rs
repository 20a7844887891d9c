//! Destinations and the outbox: verdicts on their way to whoever has to know them.
//!
//! The outbox is state of the ledger, not of this room: a restart forgets nothing. A verdict is delivered at least
//! once, in order per donation, under a control id that names the verdict and not the attempt, so that a receiver
//! can tell a repetition. What cannot be delivered becomes a dead letter with its reason; a person sends it again.
//!
//! ```text
//!            ┌──────────────── AR, no answer, line lost: pause, again ◄──┐
//!  outbox ──►│ send ──► AA ──► done                                      │
//!            │          AE ──► dead letter        attempts used up ──► dead letter
//!            └ cannot be reached: wait, no attempt is counted
//! ```

mod board;
mod courier;
mod destination;
mod exchange;
mod message;

pub use board::{Board, Standing};
pub use courier::run;
pub use destination::Destination;
pub use message::{Addressing, Outgoing, Unwritable, write};

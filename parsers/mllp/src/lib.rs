//! HL7 MLLP blocks, both roles, without IO.
//!
//! ```text
//! 0B  message bytes  1C 0D      a block
//! 0B  06|15          1C 0D      a commit block of release 2: safe, or not
//! 02                            a heartbeat that some analysers send between blocks
//! ```
//!
//! Bytes go in by `handle_input`, which says how many it took; events come out by `poll_event`, bytes for the peer by
//! `poll_transmit`. The machines have no clock: time is an argument. They do not read HL7: whether an answer belongs to
//! a message is for the caller to check (MSA-2).
//!
//! A [`Receiver`] answers nothing by itself. It hands out a [`BlockTicket`] with every block, and only
//! [`Receiver::accept`], which wants the proof that the block is safe, lets an answer leave; answers leave in the order in
//! which the blocks came. A [`Sender`] has one message on its way at a time.
//!
//! Deliberately absent: a queue of messages to send (that is the outbox), retries, and TLS.

mod anomaly;
mod config;
mod decoder;
#[doc(hidden)]
pub mod fuzz;
mod receiver;
mod sender;

pub use anomaly::{Anomaly, AnomalyKind};
pub use config::Config;
pub use decoder::{Commit, frame};
pub use receiver::{Block, BlockTicket, Event, Oversize, Receiver};
pub use sender::{SendId, SendRefused, Sender, SenderEvent};

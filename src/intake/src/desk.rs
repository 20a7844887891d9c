//! Whoever knows what is asked: the seam between a line, which knows bytes only, and orders.
//!
//! ```text
//!  message ──durable──► asks? ──► consider ──Reply──► direct: in place of the ACK (MLLP)
//!                                   │ too slow         then: messages of our own, one at a time
//!                                   └► overdue: the answer that nothing is known, in time
//!  line idle ──────────► to_send ──Outgoing──► the line ──► settled: sent, answered, given up
//! ```
//! A line asks its desk about a message only once that is durable. An answer never holds up an acknowledgement for
//! longer than [`Limits::desk_within`](crate::Limits::desk_within).

use ledger::Seq;
use std::{fmt, future::Future, pin::Pin, sync::Arc};

/// Something that takes a while.
pub type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Answers what one connection's peer asks, and has messages of its own to send.
pub trait Desk: fmt::Debug + Send + Sync {
    /// Whether a message is one that the desk answers. Quick: it reads the bytes and nothing else.
    fn asks(&self, raw: &[u8]) -> bool;

    /// Whether a message takes back what was asked before it. Quick, as `asks`. What still waits for an analyser that
    /// says so is not begun any more, however long its own answer takes.
    fn takes_back(&self, raw: &[u8]) -> bool;

    /// What is answered to a message that asks, which is durable as entry `message`. `None`: nothing but the
    /// acknowledgement that any message gets.
    fn consider(self: Arc<Self>, message: Seq, raw: Vec<u8>) -> Later<Option<Reply>>;

    /// What is answered when [`Desk::consider`] did not come back in time: that nothing is known. Quick, as `asks`.
    fn overdue(&self, message: Seq, raw: &[u8]) -> Option<Reply>;

    /// Resolves with the next message that nobody asked for; never, while there is none. It may be dropped and asked
    /// again at any time: only what it gave out counts as taken. Every socket of the connection asks.
    fn to_send(self: Arc<Self>) -> Later<Outgoing>;

    /// What became of an [`Outgoing`], once for each that was given out. Must not block.
    fn settled(&self, id: OutgoingId, how: Settled);
}

/// The answer to one message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// Leaves in place of the acknowledgement, against the same proof. Only where messages are acknowledged (MLLP).
    pub direct: Option<Vec<u8>>,
    /// Messages of our own that follow, in this order. Over LIS01 each is a transfer of its own, after the peer's EOT.
    pub then: Vec<Outgoing>,
    /// What still waits to be sent to this peer is not wanted any more.
    pub withdraw: bool,
}

/// One whole message for the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// By which [`Desk::settled`] names it.
    pub id: OutgoingId,
    /// Its bytes, every record or segment with its CR.
    pub bytes: Vec<u8>,
    /// When it is done with.
    pub awaits: Awaits,
}

/// When a message counts as delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// When the link says so: over LIS01 every frame accepted, over MLLP written.
    Link,
    /// When the peer's own answer to it has come (MSA-2 is its MSH-10) and is durable. MLLP only.
    Answer,
}

/// Names an [`Outgoing`] to its desk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutgoingId(pub u64);

/// What became of an [`Outgoing`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The link delivered it.
    Sent,
    /// The peer answered it; the answer is durable as entry `message`.
    Answered {
        /// The answer's bytes.
        answer: Vec<u8>,
        /// Its entry.
        message: Seq,
    },
    /// It was given up after its last try, or can never be sent. The peer may hold it nevertheless.
    Failed {
        /// Why, in words.
        why: String,
    },
    /// The peer took its question back before it left.
    Withdrawn,
    /// The line went first. The peer may hold it nevertheless.
    Disconnected,
}

//! The worklist: orders are placed, changed and cancelled here, and looked up when an analyser asks.
//!
//! ```text
//!  API ───────► Request ──┐                       ┌─► New, Changed, Same ─► OrderPlaced
//!  LIS message, file ─► Wish ┴─► Batch: rules, limits ┤
//!                                                 └─► Refused, and why
//!  analyser's question ─► look_up ─► what is open and can be done there, or why nothing is
//! ```
//!
//! An order is never evidence: it makes no verdict, registers no donation, and releases nothing. One number is one
//! order; the same content again is the same order, other content is its next version.

mod age;
mod batch;
mod incoming;
mod limits;
mod look_up;
mod names;
mod place;
mod refusal;
mod request;
mod results;
mod waiting;

pub use age::{aged, expire};
pub use batch::{Batch, Cancelled, Placed, Wish};
pub(crate) use incoming::Incoming;
pub use incoming::{CameTo, NotTaken, judged};
pub use limits::Limits;
pub use look_up::{Found, FoundOrder, LookUp, look_up};
pub use place::{cancel, place};
pub use refusal::Refusal;
pub use request::Request;
pub(crate) use results::OrderBook;
pub use waiting::{Waits, Why, waits};

use std::collections::BTreeSet;
use vocabulary::{ConnectionId, Mode};

/// What the worklist is given.
#[derive(Debug, Clone, Default)]
pub struct OrderRules {
    /// How much is too much.
    pub limits: Limits,
    /// The analysers there are, for whom orders wait.
    pub analysers: Vec<Analyser>,
}

/// An analyser as orders see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analyser {
    /// Its connection.
    pub connection: ConnectionId,
    /// How the connection is used.
    pub mode: Mode,
    /// The assays it can do.
    pub assays: BTreeSet<String>,
    /// How it comes to its orders.
    pub exchange: Exchange,
}

/// How an analyser comes to its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Exchange {
    /// Not from here: somebody enters them there.
    #[default]
    None,
    /// It asks.
    Asks,
    /// They are sent to it.
    Takes,
}

impl OrderRules {
    /// The analyser on a connection.
    #[must_use]
    pub fn analyser(&self, connection: &ConnectionId) -> Option<&Analyser> {
        self.analysers.iter().find(|a| a.connection == *connection)
    }
}

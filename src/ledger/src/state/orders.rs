//! What is known of an order. Its state is not kept but follows from what is.

use crate::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::{ConnectionId, Order, OrderState};

/// Analysers that are remembered for one assay of an order; past it the one heard of longest ago is forgotten.
pub(crate) const SENDS_PER_ASSAY_MAX: usize = 16;
/// Messages with results that are remembered for one assay of an order.
pub(crate) const RESULTS_PER_ASSAY_MAX: usize = 16;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OrderRecord {
    /// The entry that first placed it.
    pub(crate) first: Seq,
    /// The entry of the version that stands, and when it was written.
    pub(crate) placed: Seq,
    pub(crate) placed_at_ms: i64,
    pub(crate) versions: u32,
    /// The message that the standing version came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<Seq>,
    /// The version that stands.
    pub(crate) order: Order,
    /// Every assay that any version had, sorted.
    pub(crate) assays: Vec<AssayRecord>,
    /// The entry that changed it last.
    pub(crate) changed: Seq,
    pub(crate) changed_at_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AssayRecord {
    pub(crate) assay: String,
    /// The entry since which it is to be done, or the message that asked for it: results of messages before it do not
    /// end it.
    pub(crate) since: Seq,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<EndedWithout>,
    /// What each analyser was told last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sends: Vec<SendRecord>,
    /// Messages with results of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) results: Vec<Seq>,
}

/// How an assay ended other than by a result. One that has a result may be left out of a later version all the same:
/// should the result be taken back, it is not to be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EndedWithout {
    Cancelled,
    Expired,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SendRecord {
    pub(crate) connection: ConnectionId,
    pub(crate) entry: Seq,
    pub(crate) at_ms: i64,
    pub(crate) accepted: bool,
    /// The analyser would not cancel it: it is not told again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) keeps: bool,
}

impl AssayRecord {
    pub(crate) fn new(assay: &str, since: Seq) -> Self {
        Self { assay: assay.to_owned(), since, ended: None, sends: Vec::new(), results: Vec::new() }
    }

    pub(crate) fn state(&self) -> OrderState {
        if !self.results.is_empty() {
            return OrderState::Resulted;
        }
        match self.ended {
            Some(EndedWithout::Cancelled) => OrderState::Cancelled,
            Some(EndedWithout::Expired) => OrderState::Expired,
            None if self.sends.iter().any(|s| s.accepted) => OrderState::Sent,
            None if !self.sends.is_empty() => OrderState::Refused,
            None => OrderState::Placed,
        }
    }

    /// Whether no analyser has it and one is to get it.
    pub(crate) fn waits(&self) -> bool {
        match self.state() {
            OrderState::Placed | OrderState::Refused => true,
            OrderState::Sent | OrderState::Resulted | OrderState::Cancelled | OrderState::Expired => false,
        }
    }

    /// The analysers that have it and are to be told that it was cancelled.
    pub(crate) fn to_be_told(&self) -> impl Iterator<Item = &ConnectionId> {
        let cancelled = self.state() == OrderState::Cancelled;
        self.sends.iter().filter(move |s| cancelled && s.accepted && !s.keeps).map(|s| &s.connection)
    }

    /// Notes a result in `message`. One that came before this was to be done, or after its end, changes nothing.
    pub(crate) fn result(&mut self, message: Seq) {
        let counts = self.ended.is_none() && message > self.since && !self.results.contains(&message);
        if counts && self.results.len() < RESULTS_PER_ASSAY_MAX {
            self.results.push(message);
        }
    }

    /// Notes what `send.connection` was told last.
    pub(crate) fn note(&mut self, send: SendRecord) {
        self.sends.retain(|known| known.connection != send.connection);
        if self.sends.len() >= SENDS_PER_ASSAY_MAX {
            self.sends.remove(0);
        }
        self.sends.push(send);
    }
}

impl OrderRecord {
    pub(crate) fn state(&self) -> OrderState {
        let standing = self.assays.iter().filter(|a| self.order.assays.binary_search(&a.assay).is_ok());
        OrderState::of_all(standing.map(AssayRecord::state))
    }

    pub(crate) fn assay(&mut self, name: &str) -> Option<&mut AssayRecord> {
        self.assays.iter_mut().find(|a| a.assay == name)
    }
}

//! The desk of one analyser: its questions answered from the worklist, orders sent to it, and what came of both.
//!
//! ```text
//!  message that asks ─► profile.query ─► orders::look_up ─► profile.answer ─► QueryAnswered, then the bytes
//!  order placed, cancelled ────────────► profile.order ───► the bytes
//!  message with orders ─► profile.orders_in ─► (interpreted: placed or refused) ─► profile.answer_orders
//!  delivered, answered, given up ─► profile.order_answer ─► OrderSent: taken or refused, in its own words
//! ```
//! Nothing is decided here: what an analyser means is its profile's, what there is to do is the worklist's, what the
//! line does is intake's.

mod answering;
mod claims;
mod outcomes;
mod stamp;
mod taken;
#[cfg(test)]
mod tests;
mod unasked;

pub(crate) use claims::Claims;

use crate::config;
use claims::Claim;
use instrument_profiles::{Covers, OrderMessage, Profile, QueryKind};
use intake::{Awaits, Desk, Later, Outgoing, OutgoingId, Reply, Settled};
use ledger::{Ledger, Seq};
use stamp::ControlIds;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vocabulary::{ConnectionId, Mode, OrderAction};

/// What an analyser's desk needs to know.
pub(crate) struct OrderDesk {
    connection: ConnectionId,
    mode: Mode,
    profile: Arc<Profile>,
    /// `false`: whatever it asks, there is nothing to do.
    gets_orders: bool,
    /// Whether it is sent orders that it has not asked for.
    unasked: bool,
    settings: Arc<workflow::Settings>,
    ledger: Ledger,
    facility: String,
    control_ids: ControlIds,
    claims: Claims,
    held: Mutex<Held>,
}

/// What is on its way.
#[derive(Default)]
struct Held {
    next: u64,
    /// Messages given to a line.
    out: BTreeMap<OutgoingId, Given>,
    /// Questions under consideration. One that is answered otherwise in the meantime is not answered again.
    open: BTreeSet<Seq>,
}

/// A message that was given to a line.
struct Given {
    covers: Vec<Covers>,
    action: OrderAction,
    /// The question that it answers.
    question: Option<Seq>,
    /// For messages that nobody asked for: no other line carries these orders meanwhile.
    claim: Option<Claim>,
}

impl std::fmt::Debug for OrderDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OrderDesk").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl OrderDesk {
    /// The desk of a connection; `None` for an analyser that neither asks nor is sent anything.
    pub(crate) fn of(
        connection: &config::Connection,
        profile: &Arc<Profile>,
        settings: &Arc<workflow::Settings>,
        (ledger, facility, claims): (&Ledger, &str, &Claims),
    ) -> Option<Arc<Self>> {
        let told = profile.can_take_orders_unasked() || profile.takes_cancellations();
        let speaks = profile.asks() || told || profile.answers_orders();
        if connection.mode == Mode::ListenOnly || !speaks {
            return None;
        }
        let gets_orders = connection.gets_orders();
        let unasked = connection.orders_unasked.unwrap_or_else(|| profile.takes_orders_unasked());
        Some(Arc::new(Self {
            connection: connection.id.clone(),
            mode: connection.mode,
            profile: Arc::clone(profile),
            gets_orders,
            unasked: gets_orders && unasked,
            settings: Arc::clone(settings),
            ledger: ledger.clone(),
            facility: facility.to_owned(),
            control_ids: ControlIds::new(),
            claims: claims.clone(),
            held: Mutex::default(),
        }))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        // A panic elsewhere leaves whole entries only: every change is one insert or one removal.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message to a line, under a name of its own.
    fn give(
        &self,
        message: OrderMessage,
        action: OrderAction,
        question: Option<Seq>,
        claim: Option<Claim>,
    ) -> Outgoing {
        let mut held = self.held();
        held.next += 1;
        let id = OutgoingId(held.next);
        held.out.insert(id, Given { covers: message.covers, action, question, claim });
        let awaits = if message.awaits_answer { Awaits::Answer } else { Awaits::Link };
        Outgoing { id, bytes: message.bytes, awaits }
    }
}

impl Desk for OrderDesk {
    fn asks(&self, raw: &[u8]) -> bool {
        self.profile.may_ask(raw) || self.may_bring_orders(raw)
    }

    fn takes_back(&self, raw: &[u8]) -> bool {
        self.profile.query(raw).is_some_and(|query| query.kind == QueryKind::Cancel)
    }

    fn consider(self: Arc<Self>, message: Seq, raw: Vec<u8>) -> Later<Option<Reply>> {
        Box::pin(async move {
            if self.may_bring_orders(&raw)
                && let Some(reply) = Arc::clone(&self).answer_orders(message, raw.clone()).await
            {
                return Some(reply);
            }
            self.answer(message, raw).await
        })
    }

    fn overdue(&self, message: Seq, raw: &[u8]) -> Option<Reply> {
        let of_orders = if self.may_bring_orders(raw) { self.orders_overdue(message, raw) } else { None };
        of_orders.or_else(|| self.answer_overdue(message, raw))
    }

    fn to_send(self: Arc<Self>) -> Later<Outgoing> {
        Box::pin(async move { self.next_unasked().await })
    }

    fn settled(&self, id: OutgoingId, how: Settled) {
        let given = self.held().out.remove(&id);
        if let Some(given) = given {
            self.came_of(given, how);
        }
    }
}

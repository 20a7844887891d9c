//! A message with orders: its sender is told what became of each, once that is in the ledger.
//!
//! They are judged and placed where messages are interpreted, once, whether anybody waits here or not. So an answer
//! that comes too late says "send it again", and the same message sent again changes nothing.

use super::OrderDesk;
use instrument_profiles::{JudgedOrder, NotTaken, Taken, Written};
use intake::Reply;
use ledger::Seq;
use std::sync::Arc;
use vocabulary::OrderAction;
use workflow::orders::{self, CameTo};

const OVERDUE: &str =
    "the orders were not judged in time; send the message again, what is known already stays as it is";

const UNWRITABLE: &str = "the answer cannot be written; look the orders up";

/// Not even that can be said: no acknowledgement leaves either, since it would say that the orders are taken.
fn nothing() -> Written {
    Written { direct: Some(Vec::new()), messages: Vec::new() }
}

impl OrderDesk {
    /// Whether a message could be one with orders that is answered.
    pub(super) fn may_bring_orders(&self, raw: &[u8]) -> bool {
        self.profile.answers_orders() && self.profile.may_order(raw)
    }

    /// The answer to a message with orders; `None` when it has none, or nothing but an acknowledgement is due.
    pub(super) async fn answer_orders(self: Arc<Self>, message: Seq, raw: Vec<u8>) -> Option<Reply> {
        let mut moves = self.ledger.subscribe();
        let desk = Arc::clone(&self);
        let carries = move || (desk.profile.orders_in(&raw).is_some(), raw);
        let (carries, raw) = tokio::task::spawn_blocking(carries).await.ok()?;
        if !carries {
            return None;
        }
        loop {
            let desk = Arc::clone(&self);
            // From the ledger alone: what the message means may be more than its own bytes say.
            let came_to = move || orders::judged(&desk.ledger.state(), &desk.profile, message);
            match tokio::task::spawn_blocking(came_to).await {
                Ok(Ok(Some(came_to))) => return Some(self.told_of(message, &raw, &came_to)),
                Ok(Ok(None)) => moves.moved().await,
                Ok(Err(error)) => return Some(self.told(message, &raw, &Taken::Failed(&error.to_string()))),
                Err(error) => return Some(self.told(message, &raw, &Taken::Failed(&error.to_string()))),
            }
        }
    }

    /// The answer when the time is over.
    pub(super) fn orders_overdue(&self, message: Seq, raw: &[u8]) -> Option<Reply> {
        // Orders that cannot be read by themselves may be the rest of others: nobody knows yet.
        drop(self.profile.orders_in(raw)?);
        tracing::error!(connection = %self.connection, %message, "orders were not judged in time; their sender is told to send them again");
        Some(self.told(message, raw, &Taken::Failed(OVERDUE)))
    }

    fn told_of(&self, message: Seq, raw: &[u8], came_to: &CameTo) -> Reply {
        let connection = &self.connection;
        let judged = match came_to {
            CameTo::Each(judged) => judged,
            CameTo::Nothing(why) => {
                tracing::warn!(%connection, %message, why, "orders cannot be read; none of them is taken");
                return self.told(message, raw, &Taken::Refused(NotTaken { code: "102", why }));
            }
            CameTo::Unknown(why) => {
                tracing::error!(%connection, %message, why, "what became of orders cannot be told");
                return self.told(message, raw, &Taken::Failed(why));
            }
        };
        let mut taken = Vec::with_capacity(judged.len());
        for (order, not) in judged {
            if let Some(orders::NotTaken { why, .. }) = not {
                tracing::warn!(%connection, %message, order = order.id, why, "an order is not taken");
            }
            let refused = not.as_ref().map(|not| NotTaken { code: not.condition, why: &not.why });
            taken.push(JudgedOrder { order, refused });
        }
        self.told(message, raw, &Taken::Judged(&taken))
    }

    /// What cannot be said in the sender's character set is not said in half: it is told that we could not judge.
    fn told(&self, message: Seq, raw: &[u8], taken: &Taken<'_>) -> Reply {
        let write = |taken: &Taken<'_>| {
            let written = self.stamped(|stamp| self.profile.answer_orders(raw, taken, stamp));
            written.inspect_err(|error| {
                tracing::error!(connection = %self.connection, %message, %error, "the answer to orders cannot be written");
            })
        };
        let written =
            write(taken).or_else(|_| write(&Taken::Failed(UNWRITABLE))).unwrap_or_else(|_| nothing());
        let then = written.messages.into_iter().map(|m| self.give(m, OrderAction::Place, None, None));
        Reply { direct: written.direct, then: then.collect(), withdraw: false }
    }
}

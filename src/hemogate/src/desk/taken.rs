//! A message with orders: its sender is told what became of each, once that is in the ledger.
//!
//! They are judged and placed where messages are interpreted, once, whether anybody waits here or not. So an answer
//! that comes too late says "send it again", and the same message sent again changes nothing.

use super::OrderDesk;
use instrument_profiles::{JudgedOrder, NotTaken, OrderWish, Taken, Written};
use intake::Reply;
use ledger::{ReadError, Seq};
use std::sync::Arc;
use vocabulary::OrderAction;
use workflow::orders;

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
        let read = move || (desk.profile.orders_in(&raw), raw);
        let (read, raw) = tokio::task::spawn_blocking(read).await.ok()?;
        let wishes = match read? {
            Ok(wishes) => wishes,
            Err(why) => {
                tracing::warn!(connection = %self.connection, %message, why, "orders cannot be read; none of them is taken");
                let refused = Taken::Refused(NotTaken { code: "102", why: &why });
                return Some(self.told(message, &raw, &refused));
            }
        };
        loop {
            match self.judged(message, &wishes) {
                Ok(Some(judged)) => return Some(self.told_each(message, &raw, &wishes, &judged)),
                Ok(None) => moves.moved().await,
                Err(error) => return Some(self.told(message, &raw, &Taken::Failed(&error.to_string()))),
            }
        }
    }

    /// The answer when the time is over.
    pub(super) fn orders_overdue(&self, message: Seq, raw: &[u8]) -> Option<Reply> {
        self.profile.orders_in(raw)?.ok()?;
        tracing::error!(connection = %self.connection, %message, "orders were not judged in time; their sender is told to send them again");
        Some(self.told(message, raw, &Taken::Failed(OVERDUE)))
    }

    fn judged(
        &self,
        message: Seq,
        wishes: &[OrderWish],
    ) -> Result<Option<Vec<Option<orders::NotTaken>>>, ReadError> {
        orders::judged(&self.ledger.state(), message, wishes)
    }

    fn told_each(
        &self,
        message: Seq,
        raw: &[u8],
        wishes: &[OrderWish],
        judged: &[Option<orders::NotTaken>],
    ) -> Reply {
        let mut taken = Vec::with_capacity(wishes.len());
        for (order, not) in wishes.iter().zip(judged) {
            if let Some(orders::NotTaken { why, .. }) = not {
                tracing::warn!(connection = %self.connection, %message, order = order.id, why, "an order is not taken");
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

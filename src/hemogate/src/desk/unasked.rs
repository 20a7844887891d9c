//! Orders and cancellations that an analyser is told without having asked.

use super::{Claim, OrderDesk};
use instrument_profiles::{ForSpecimen, OrderMessage, OrderPart, WriteError};
use intake::Outgoing;
use ledger::ReadError;
use std::{sync::Arc, time::Duration};
use vocabulary::{Mode, Order, OrderAction};

/// Orders that are looked at for the next message.
const LOOK_AT_MAX: usize = 50;
/// The state moves with every result; it is looked through for orders no more often than this.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After the state could not be read.
const TROUBLE_PAUSE: Duration = Duration::from_secs(5);

/// One thing to tell.
struct ToTell {
    order: Order,
    assays: Vec<String>,
    action: OrderAction,
    claim: Claim,
}

impl OrderDesk {
    /// Resolves with the next message for the analyser; never, while there is none.
    pub(super) async fn next_unasked(self: Arc<Self>) -> Outgoing {
        if !self.gets_orders || !(self.unasked || self.profile.takes_cancellations()) {
            return std::future::pending().await;
        }
        let mut moves = self.ledger.subscribe();
        loop {
            let desk = Arc::clone(&self);
            match tokio::task::spawn_blocking(move || desk.look()).await {
                Ok(Ok(Some((message, to_tell)))) => {
                    return self.give(message, to_tell.action, None, Some(to_tell.claim));
                }
                Ok(Ok(None)) => {
                    moves.moved().await;
                    tokio::time::sleep(LOOK_EVERY).await;
                }
                Ok(Err(error)) => {
                    tracing::error!(connection = %self.connection, %error, "the worklist cannot be read");
                    tokio::time::sleep(TROUBLE_PAUSE).await;
                }
                Err(error) => {
                    tracing::error!(connection = %self.connection, %error, "the worklist was not looked through");
                    tokio::time::sleep(TROUBLE_PAUSE).await;
                }
            }
        }
    }

    /// The first thing that can be told now. What can never be told is settled at once.
    fn look(&self) -> Result<Option<(OrderMessage, ToTell)>, ReadError> {
        for to_tell in self.waiting()? {
            let part = OrderPart { order: &to_tell.order, assays: &to_tell.assays };
            let specimen = ForSpecimen { asked: None, parts: vec![part] };
            match self.stamped(|stamp| self.profile.order(to_tell.action, &specimen, stamp)) {
                Ok(Some(message)) => return Ok(Some((message, to_tell))),
                Ok(None) => {
                    self.cannot_be_told(to_tell, "this model cannot be told; change its worklist there");
                }
                Err(error) => self.unwritable_order(to_tell, &error),
            }
        }
        Ok(None)
    }

    fn waiting(&self) -> Result<Vec<ToTell>, ReadError> {
        let reader = self.ledger.state();
        let mut found = Vec::new();
        let mut claim = |order: Order, assays: Vec<String>, action: OrderAction| {
            let claim = self.claims.take(&order.id, action, &self.connection);
            found.extend(claim.map(|claim| ToTell { order, assays, action, claim }));
        };
        for one in reader.cancels_to_send(&self.connection, LOOK_AT_MAX)? {
            claim(one.order, one.assays, OrderAction::Cancel);
        }
        if self.unasked {
            let can_do: Vec<String> = self.profile.orderable_assays().map(str::to_owned).collect();
            for one in reader.orders_to_send(&self.connection, &can_do, LOOK_AT_MAX)? {
                // An analyser that is not in production is given only what is meant for it.
                let meant = one.order.only_on.as_ref() == Some(&self.connection);
                if meant || self.mode == Mode::Production {
                    claim(one.order, one.assays, OrderAction::Place);
                }
            }
        }
        Ok(found)
    }

    fn unwritable_order(&self, to_tell: ToTell, error: &WriteError) {
        tracing::error!(connection = %self.connection, order = %to_tell.order.id, %error, "an order cannot be written");
        self.cannot_be_told(to_tell, &error.to_string());
    }

    fn cannot_be_told(&self, to_tell: ToTell, why: &str) {
        let ToTell { order, assays, action, claim } = to_tell;
        let entry = self.order_sent(&order.id, assays, (action, None), (false, why.to_owned()));
        self.keep(vec![entry], Some(claim));
    }
}

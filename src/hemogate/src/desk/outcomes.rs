//! What came of a message: for each order in it, whether the analyser took it, in its own words.

use super::{Claim, Given, OrderDesk};
use instrument_profiles::{Covers, OrderAnswer, StepAnswer, StepMeaning};
use intake::Settled;
use ledger::{Draft, Ledger, Seq, What};
use std::time::Duration;
use vocabulary::{OrderAction, OrderId};

/// How often, and how long apart, an outcome is offered to a ledger that takes nothing.
const KEEP_TRIES_MAX: u32 = 60;
const KEEP_PAUSE: Duration = Duration::from_secs(1);

impl OrderDesk {
    pub(super) fn came_of(&self, given: Given, how: Settled) {
        let Given { covers, action, question, claim } = given;
        let connection = &self.connection;
        let entries = match how {
            Settled::Sent => self.all(&covers, (action, question), (true, "delivered")),
            Settled::Answered { answer, message } => {
                let read = self.profile.order_answer(&answer);
                tracing::debug!(%connection, %message, answer = %read.text, "the analyser has answered an order");
                self.by_step(&covers, (action, question), &read)
            }
            Settled::Failed { why } => {
                self.all(&covers, (action, question), (false, &format!("not delivered: {why}")))
            }
            // As if it had not been tried: it is asked for again, or sent at the next connection.
            Settled::Withdrawn | Settled::Disconnected => {
                tracing::info!(%connection, orders = covers.len(), ?question, "orders were not delivered; they wait");
                Vec::new()
            }
        };
        self.keep(entries, claim);
    }

    /// Every order of the message came to the same.
    fn all(
        &self,
        covers: &[Covers],
        about: (OrderAction, Option<Seq>),
        (accepted, answer): (bool, &str),
    ) -> Vec<What> {
        let entry = |covers: &Covers| {
            let assays = covers.steps.iter().flat_map(|step| step.assays.clone()).collect();
            self.order_sent(&covers.order, assays, about, (accepted, answer.to_owned()))
        };
        covers.iter().map(entry).collect()
    }

    /// Each step as the analyser answered it: an order that is taken in part is two entries. What is said of no step of
    /// ours is said of those that the answer does not name.
    fn by_step(&self, covers: &[Covers], about: (OrderAction, Option<Seq>), read: &OrderAnswer) -> Vec<What> {
        let mut entries = Vec::new();
        let ours = |id: &str| covers.iter().any(|order| order.steps.iter().any(|step| step.id == id));
        let stray: Vec<&StepAnswer> = read.steps.iter().filter(|answer| !ours(&answer.step)).collect();
        for order in covers {
            let (mut taken, mut refused) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
            for step in &order.steps {
                let named: Vec<_> = read.steps.iter().filter(|answer| answer.step == step.id).collect();
                let said = if named.is_empty() { &stray } else { &named };
                let yes = read.accepted && said.iter().all(|answer| is_yes(about.0, answer.meaning));
                let (assays, words) = if yes { &mut taken } else { &mut refused };
                assays.extend(step.assays.iter().cloned());
                words.extend(said.iter().map(|answer| answer.text.clone()));
            }
            for ((assays, mut words), accepted) in [(taken, true), (refused, false)] {
                if !assays.is_empty() {
                    words.insert(0, read.text.clone());
                    words.dedup();
                    let answer = words.join("; ");
                    if !accepted {
                        tracing::error!(connection = %self.connection, order = %order.order, answer, "the analyser does not take an order");
                    }
                    entries.push(self.order_sent(&order.order, assays, about, (accepted, answer)));
                }
            }
        }
        entries
    }

    pub(super) fn order_sent(
        &self,
        order: &OrderId,
        assays: Vec<String>,
        (action, message): (OrderAction, Option<Seq>),
        (accepted, answer): (bool, String),
    ) -> What {
        let (order, connection) = (order.clone(), self.connection.clone());
        What::OrderSent { order, connection, assays, message, action, accepted, answer }
    }

    /// Writes entries without holding anybody up. The claim ends when the state knows them: until then the same orders
    /// would be offered again.
    pub(super) fn keep(&self, entries: Vec<What>, claim: Option<Claim>) {
        if entries.is_empty() {
            return;
        }
        let drafts = entries.into_iter().map(|what| Draft::by_connection(&self.connection, what)).collect();
        let ledger = self.ledger.clone();
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(kept(ledger, drafts, claim))),
            Err(_) => {
                if let Err(refused) = ledger.append(drafts) {
                    tracing::error!(%refused, "what came of an order is not recorded");
                }
            }
        }
    }
}

fn is_yes(action: OrderAction, meaning: Option<StepMeaning>) -> bool {
    match (action, meaning) {
        (OrderAction::Place, Some(StepMeaning::Accepted))
        | (OrderAction::Cancel, Some(StepMeaning::Cancelled)) => true,
        // Words that the profile does not know are no yes.
        (OrderAction::Place | OrderAction::Cancel, _) => false,
    }
}

async fn kept(ledger: Ledger, drafts: Vec<Draft>, claim: Option<Claim>) {
    for _ in 0..KEEP_TRIES_MAX {
        let outcome = match ledger.append(drafts.clone()) {
            Ok(pending) => pending.await.map_err(|failed| failed.to_string()),
            Err(refused) => Err(refused.to_string()),
        };
        match outcome {
            Ok(durable) => {
                if let Err(stands) = ledger.wait_applied(durable.last()).await {
                    tracing::error!(%stands, "the state does not know what came of an order");
                }
                return drop(claim);
            }
            Err(why) => tracing::warn!(why, "what came of an order waits to be written"),
        }
        tokio::time::sleep(KEEP_PAUSE).await;
    }
    tracing::error!(
        tries = KEEP_TRIES_MAX,
        "what came of an order is not recorded: the ledger takes nothing"
    );
}

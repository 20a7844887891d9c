//! Orders: placed, changed, sent, ended. They speak of specimens and never touch a donation.

use super::{Fold, Folded};
use crate::Seq;
use crate::state::{AssayRecord, EndedWithout, Key, OrderRecord, SendRecord, StateError, record};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{ConnectionId, Observation, Order, OrderAction, OrderId};

type Changed = Result<Option<OrderRecord>, StateError>;

impl Fold<'_, '_> {
    pub(super) fn order_placed(&mut self, order: &Order, from: Option<Seq>) -> Folded {
        let order = order.clone().in_order();
        let before: Option<OrderRecord> = record(self.view, &Key::order(&order.id).done())?;
        let mut after = match &before {
            // The same number for another specimen: nothing of the former holds any more.
            Some(known) if known.order.specimen == order.specimen => known.clone(),
            Some(known) => OrderRecord { assays: Vec::new(), ..known.clone() },
            None => {
                self.counters.orders += 1;
                OrderRecord {
                    first: self.seq,
                    placed: self.seq,
                    placed_at_ms: self.at_ms,
                    versions: 0,
                    from,
                    order: order.clone(),
                    assays: Vec::new(),
                    changed: self.seq,
                    changed_at_ms: self.at_ms,
                }
            }
        };
        // Results are counted from the message on that the order came in, however late that was read.
        let since = from.unwrap_or(self.seq);
        (after.placed, after.placed_at_ms, after.from) = (self.seq, self.at_ms, from);
        after.versions = after.versions.saturating_add(1);
        for assay in &mut after.assays {
            restate(assay, &order, since);
        }
        for name in &order.assays {
            if after.assay(name).is_none() {
                after.assays.push(AssayRecord::new(name, since));
            }
        }
        // What an earlier version had stays while somebody is to be told, or where it has results.
        after.assays.retain(|a| {
            order.assays.contains(&a.assay) || !a.results.is_empty() || a.to_be_told().next().is_some()
        });
        after.assays.sort_by(|a, b| a.assay.cmp(&b.assay));
        after.order = order;
        self.put_order(before.as_ref(), after)
    }

    pub(super) fn order_cancelled(&mut self, order: &OrderId, assays: &[String]) -> Folded {
        self.change_order(order, |record, _| {
            end(record, EndedWithout::Cancelled, |name| {
                assays.is_empty() || assays.iter().any(|a| a == name)
            });
        })
    }

    pub(super) fn order_expired(&mut self, order: &OrderId) -> Folded {
        self.change_order(order, |record, _| end(record, EndedWithout::Expired, |_| true))
    }

    pub(super) fn order_sent(
        &mut self,
        order: &OrderId,
        connection: &ConnectionId,
        assays: &[String],
        (action, accepted): (OrderAction, bool),
    ) -> Folded {
        self.change_order(order, |record, (entry, at_ms)| {
            for assay in record.assays.iter_mut().filter(|a| assays.contains(&a.assay)) {
                match action {
                    OrderAction::Place => {
                        let connection = connection.clone();
                        assay.note(SendRecord { connection, entry, at_ms, accepted, keeps: false });
                    }
                    OrderAction::Cancel if accepted => assay.sends.retain(|s| s.connection != *connection),
                    OrderAction::Cancel => {
                        let held = assay.sends.iter_mut().filter(|s| s.connection == *connection);
                        held.for_each(|send| send.keeps = true);
                    }
                }
            }
        })
    }

    /// Ends the assays of orders that `message` has results of; gives those orders.
    pub(super) fn results(
        &mut self,
        message: Seq,
        observations: &[Observation],
        pairs: &[(u32, OrderId)],
    ) -> Result<Vec<OrderId>, StateError> {
        let mut ended: BTreeMap<&OrderId, BTreeSet<&str>> = BTreeMap::new();
        for (index, order) in pairs {
            let observation = usize::try_from(*index).ok().and_then(|i| observations.get(i));
            ended.entry(order).or_default().extend(observation.map(|o| o.assay.as_str()));
        }
        for (order, assays) in &ended {
            self.change_order(order, |record, _| {
                for assay in record.assays.iter_mut().filter(|a| assays.contains(a.assay.as_str())) {
                    assay.result(message);
                }
            })?;
        }
        Ok(ended.into_keys().cloned().collect())
    }

    /// The interpretation of `message` is taken back, and what it said of `order` with it.
    pub(super) fn take_back_results(&mut self, order: &OrderId, message: Seq) -> Folded {
        self.change_order(order, |record, _| {
            for assay in &mut record.assays {
                assay.results.retain(|known| *known != message);
            }
        })
    }

    fn change_order(&mut self, order: &OrderId, change: impl FnOnce(&mut OrderRecord, (Seq, i64))) -> Folded {
        let Some(before) = self.order_record(order)? else {
            self.misfit();
            return Ok(());
        };
        let mut after = before.clone();
        change(&mut after, (self.seq, self.at_ms));
        self.put_order(Some(&before), after)
    }

    fn order_record(&self, order: &OrderId) -> Changed {
        record(self.view, &Key::order(order).done())
    }

    fn put_order(&mut self, before: Option<&OrderRecord>, mut after: OrderRecord) -> Folded {
        (after.changed, after.changed_at_ms) = (self.seq, self.at_ms);
        let stood = before.map(indexes).unwrap_or_default();
        let stands = indexes(&after);
        for key in stood.difference(&stands) {
            self.view.delete(key.clone());
        }
        let id = after.order.id.clone();
        for key in stands.difference(&stood) {
            self.view.put(key.clone(), id.as_str().as_bytes().to_vec());
        }
        let was_open = before.is_some_and(|b| b.state().is_open());
        match (was_open, after.state().is_open()) {
            (false, true) => self.counters.orders_open += 1,
            (true, false) => self.counters.orders_open -= 1,
            (true, true) | (false, false) => {}
        }
        self.mark(Key::order_history(&id).seq(self.seq));
        self.view.put_record(Key::order(&id).done(), &after)
    }
}

/// An assay under a new version of its order.
fn restate(assay: &mut AssayRecord, order: &Order, since: Seq) {
    let wanted = order.assays.contains(&assay.assay);
    match (wanted, assay.ended) {
        // It is offered once more to whoever refused it.
        (true, None) => assay.sends.retain(|s| s.accepted),
        (true, Some(how)) => {
            // Who was not yet told of the cancellation still has it; who had it until it grew too old may not.
            assay.sends.retain(|s| s.accepted && how == EndedWithout::Cancelled);
            assay.sends.iter_mut().for_each(|s| s.keeps = false);
            assay.ended = None;
            if assay.results.is_empty() {
                assay.since = since;
            }
        }
        (false, None) => assay.ended = Some(EndedWithout::Cancelled),
        (false, Some(_)) => {}
    }
}

fn end(record: &mut OrderRecord, how: EndedWithout, which: impl Fn(&str) -> bool) {
    for assay in record.assays.iter_mut().filter(|a| a.state().is_open() && which(&a.assay)) {
        assay.ended = Some(how);
    }
}

/// Every key that leads to an order.
fn indexes(record: &OrderRecord) -> BTreeSet<Vec<u8>> {
    let (order, first) = (&record.order, record.first);
    let mut keys = BTreeSet::from([
        Key::orders().seq(first).done(),
        Key::specimen_orders(&order.specimen).seq(first).done(),
    ]);
    if record.state().is_open() {
        let placed_at = u64::try_from(record.placed_at_ms).unwrap_or(0);
        keys.insert(Key::open_orders().seq(first).done());
        keys.insert(Key::open_orders_by_time().number(placed_at).text(order.id.as_str()).done());
    }
    for assay in &record.assays {
        if assay.waits() {
            keys.insert(Key::unsent_orders(&assay.assay, order.priority).seq(first).done());
        }
        keys.extend(assay.to_be_told().map(|c| Key::cancellations(c).seq(first).done()));
    }
    keys
}

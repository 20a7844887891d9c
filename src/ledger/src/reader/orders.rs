//! Orders, what became of them, and what is to be sent.

use super::page::{Listing, PAGE_ITEMS_MAX, Page, list};
use super::{ReadError, Reader};
use crate::state::{AssayRecord, Key, OrderRecord, Read, Span, record};
use crate::{Entry, Seq};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vocabulary::{ConnectionId, Order, OrderId, OrderState, Priority, SpecimenId};

/// Rows of the list of unsent assays that are looked at for one answer.
const UNSENT_ROWS_MAX: usize = 10_000;

/// An order and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderView {
    /// The version that stands.
    pub order: Order,
    /// How far it is.
    pub state: OrderState,
    /// The entry that first placed it; lists go by it.
    pub first: Seq,
    /// The entry of the version that stands.
    pub placed: Seq,
    /// When that was written, milliseconds since 1970 UTC.
    pub placed_at_ms: i64,
    /// How many versions there were.
    pub versions: u32,
    /// The message that the standing version came in.
    pub from: Option<Seq>,
    /// Every assay of it, those of earlier versions too where they left something behind.
    pub assays: Vec<OrderedAssay>,
    /// The entry that changed it last.
    pub changed: Seq,
    /// When that was written.
    pub changed_at_ms: i64,
}

/// One assay of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OrderedAssay {
    /// Its name.
    pub assay: String,
    /// How far it is.
    pub state: OrderState,
    /// The entry since which it is to be done.
    pub since: Seq,
    /// What each analyser answered last, the latest at the end.
    pub sent: Vec<SentTo>,
    /// Messages with results of it.
    pub results: Vec<Seq>,
}

/// What an analyser answered to an assay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SentTo {
    /// The analyser.
    pub connection: ConnectionId,
    /// The entry.
    pub entry: Seq,
    /// When it was written.
    pub at_ms: i64,
    /// Whether it took it.
    pub accepted: bool,
}

/// Which orders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OrderFilter {
    /// Only in this state.
    pub state: Option<OrderState>,
    /// Only those with something still to be done.
    pub open: bool,
    /// Only for this specimen, normalised.
    pub specimen: Option<SpecimenId>,
    /// Only those that this analyser was given.
    pub connection: Option<ConnectionId>,
    /// Only those with this assay.
    pub assay: Option<String>,
}

/// An order that an analyser may be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToSend {
    /// The order.
    pub order: Order,
    /// The assays of it that no analyser has.
    pub assays: Vec<String>,
}

/// A cancellation that an analyser is to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToCancel {
    /// The order as it stands.
    pub order: Order,
    /// The assays that the analyser has and that are cancelled.
    pub assays: Vec<String>,
}

impl OrderView {
    fn new(record: OrderRecord) -> Self {
        Self {
            state: record.state(),
            first: record.first,
            placed: record.placed,
            placed_at_ms: record.placed_at_ms,
            versions: record.versions,
            from: record.from,
            assays: record.assays.into_iter().map(OrderedAssay::new).collect(),
            order: record.order,
            changed: record.changed,
            changed_at_ms: record.changed_at_ms,
        }
    }
}

impl OrderedAssay {
    fn new(record: AssayRecord) -> Self {
        let state = record.state();
        let sent = record.sends.into_iter().map(|send| SentTo {
            connection: send.connection,
            entry: send.entry,
            at_ms: send.at_ms,
            accepted: send.accepted,
        });
        Self {
            assay: record.assay,
            state,
            since: record.since,
            sent: sent.collect(),
            results: record.results,
        }
    }
}

impl OrderFilter {
    fn takes(&self, record: &OrderRecord) -> bool {
        let given =
            |c: &ConnectionId| record.assays.iter().flat_map(|a| &a.sends).any(|send| send.connection == *c);
        let state = record.state();
        self.state.is_none_or(|s| s == state)
            && (!self.open || state.is_open())
            && self.specimen.as_ref().is_none_or(|s| *s == record.order.specimen)
            && self.connection.as_ref().is_none_or(given)
            && self.assay.as_ref().is_none_or(|assay| record.order.assays.contains(assay))
    }
}

/// The order that an index leads to.
fn at(read: &dyn Read, id: &[u8]) -> Result<Option<OrderRecord>, ReadError> {
    let id = std::str::from_utf8(id).ok().and_then(|id| OrderId::new(id).ok());
    let Some(id) = id else { return Ok(None) };
    Ok(record(read, &Key::order(&id).done())?)
}

fn last_seq(key: &[u8]) -> Option<Seq> {
    key.last_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)))
}

impl Reader {
    /// One order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn order(&self, id: &OrderId) -> Result<Option<OrderView>, ReadError> {
        let found: Option<OrderRecord> = record(self.store().as_ref(), &Key::order(id).done())?;
        Ok(found.map(OrderView::new))
    }

    /// Orders, by the entry that first placed them.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn orders(
        &self,
        filter: &OrderFilter,
        page: &Page<Seq>,
    ) -> Result<Listing<OrderView, Seq>, ReadError> {
        let open = filter.open || filter.state.is_some_and(OrderState::is_open);
        let root = || match &filter.specimen {
            Some(specimen) => Key::specimen_orders(specimen),
            None if open => Key::open_orders(),
            None => Key::orders(),
        };
        let store = self.store();
        let after = page.after.map(|first| root().seq(first).done());
        list(store.as_ref(), (root().under(), after), (page.limit, page.order), last_seq, |_, id| {
            let found = at(store.as_ref(), id)?;
            Ok(found.filter(|order| filter.takes(order)).map(OrderView::new))
        })
    }

    /// The orders of a specimen, normalised, the newest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn orders_of(&self, specimen: &SpecimenId) -> Result<Vec<OrderView>, ReadError> {
        let filter = OrderFilter { specimen: Some(specimen.clone()), ..OrderFilter::default() };
        Ok(self.orders(&filter, &Page::newest(PAGE_ITEMS_MAX))?.items)
    }

    /// Orders with something open whose last version was written before `before_ms`, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn orders_older_than(&self, before_ms: i64, limit: usize) -> Result<Vec<OrderView>, ReadError> {
        let store = self.store();
        let mut span: Span = Key::open_orders_by_time().under();
        span.to = Key::open_orders_by_time().number(u64::try_from(before_ms).unwrap_or(0)).done();
        let (mut ids, mut found) = (Vec::new(), Vec::new());
        store.walk(&span, &mut |_, id| {
            ids.push(id.to_vec());
            if ids.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        for id in ids {
            found.extend(at(store.as_ref(), &id)?.map(OrderView::new));
        }
        Ok(found)
    }

    /// What `connection` may be given now of the assays that it can do, urgent orders first, then oldest first:
    /// assays that no analyser has, that are bound to no other connection, and that it has not refused.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn orders_to_send(
        &self,
        connection: &ConnectionId,
        can_do: &[String],
        limit: usize,
    ) -> Result<Vec<ToSend>, ReadError> {
        let store = self.store();
        let limit = limit.min(PAGE_ITEMS_MAX);
        let mut found: BTreeMap<(Priority, Seq), ToSend> = BTreeMap::new();
        for assay in can_do {
            for priority in [Priority::Stat, Priority::Routine] {
                let (mut rows, mut of_this, mut failed) = (0, 0, None);
                store.walk(&Key::unsent_orders(assay, priority).under(), &mut |key, id| {
                    rows += 1;
                    match at(store.as_ref(), id) {
                        Ok(record) => {
                            let offered = record.and_then(|record| offer(record, connection, can_do));
                            if let Some((first, offered)) = last_seq(key).zip(offered) {
                                of_this += 1;
                                found.insert((priority, first), offered);
                            }
                        }
                        Err(error) => failed = Some(error),
                    }
                    if of_this >= limit || rows >= UNSENT_ROWS_MAX || failed.is_some() {
                        ControlFlow::Break(())
                    } else {
                        ControlFlow::Continue(())
                    }
                })?;
                failed.map_or(Ok(()), Err)?;
            }
        }
        Ok(found.into_values().take(limit).collect())
    }

    /// Cancellations that `connection` is to be told, oldest order first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn cancels_to_send(
        &self,
        connection: &ConnectionId,
        limit: usize,
    ) -> Result<Vec<ToCancel>, ReadError> {
        let store = self.store();
        let page = Page::<Seq>::first(limit);
        let span = Key::cancellations(connection).under();
        let found = list(store.as_ref(), (span, None), (page.limit, page.order), last_seq, |_, id| {
            Ok(at(store.as_ref(), id)?.map(|record| {
                let told = record.assays.iter().filter(|a| a.to_be_told().any(|c| c == connection));
                ToCancel { assays: told.map(|a| a.assay.clone()).collect(), order: record.order }
            }))
        })?;
        Ok(found.items)
    }

    /// The entries that made an order what it is, oldest first.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn order_history(&self, id: &OrderId, page: &Page<Seq>) -> Result<Listing<Entry, Seq>, ReadError> {
        let store = self.store();
        let after = page.after.map(|seq| Key::order_history(id).seq(seq).done());
        let span = Key::order_history(id).under();
        let found = list(store.as_ref(), (span, after), (page.limit, page.order), last_seq, |key, _| {
            Ok(last_seq(key))
        })?;
        let entries: Result<Vec<Entry>, ReadError> =
            found.items.into_iter().map(|seq| self.entry(seq)).collect();
        Ok(Listing { items: entries?, next: found.next })
    }
}

/// What of an order `connection` may be given.
fn offer(record: OrderRecord, connection: &ConnectionId, can_do: &[String]) -> Option<ToSend> {
    if record.order.only_on.as_ref().is_some_and(|only| only != connection) {
        return None;
    }
    let refused = |a: &AssayRecord| a.sends.iter().any(|s| s.connection == *connection && !s.accepted);
    let assays = record.assays.iter().filter(|a| a.waits() && can_do.contains(&a.assay) && !refused(a));
    let assays: Vec<String> = assays.map(|a| a.assay.clone()).collect();
    (!assays.is_empty()).then_some(ToSend { order: record.order, assays })
}

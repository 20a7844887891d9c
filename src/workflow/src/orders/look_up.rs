//! What an analyser that asks for specimens is to do, or why nothing.

use crate::{Settings, Unlocated};
use ledger::{OrderView, ReadError, Reader};
use vocabulary::{ConnectionId, NotFound, Order, OrderId, QueryOutcome, SpecimenId, WhyNothing};

/// An analyser's question.
#[derive(Debug, Clone, Copy)]
pub struct LookUp<'a> {
    /// Who asks.
    pub connection: &'a ConnectionId,
    /// The specimens, as it read them.
    pub scans: &'a [String],
    /// The assays that it can do.
    pub can_do: &'a [String],
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What is to be done, by specimen as asked, then oldest order first.
    pub orders: Vec<FoundOrder>,
    /// The specimens on which there is nothing to do, and why.
    pub nothing: Vec<NotFound>,
}

/// An order that answers a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundOrder {
    /// The specimen, as the analyser read it: what the answer has to name.
    pub scan: String,
    /// The order.
    pub order: Order,
    /// The assays of it that are open and that the analyser can do.
    pub assays: Vec<String>,
}

impl Found {
    /// How the question is kept in the ledger.
    #[must_use]
    pub fn outcome(&self) -> QueryOutcome {
        if self.orders.is_empty() {
            return QueryOutcome::NothingFound { why: self.nothing.clone() };
        }
        let mut orders: Vec<OrderId> = Vec::new();
        for found in &self.orders {
            if !orders.contains(&found.order.id) {
                orders.push(found.order.id.clone());
            }
        }
        QueryOutcome::Found { orders, nothing: self.nothing.clone() }
    }
}

/// What an analyser is to do on the specimens it asks for. What it has or refused before is given again: it asks
/// because it does not know.
///
/// # Errors
/// [`ReadError`].
pub fn look_up(settings: &Settings, reader: &Reader, asked: &LookUp<'_>) -> Result<Found, ReadError> {
    let mut found = Found::default();
    for scan in asked.scans {
        match of_scan(settings, reader, asked, scan)? {
            Ok(orders) => found.orders.extend(orders),
            Err(why) => found.nothing.push(NotFound { specimen: scan.clone(), why }),
        }
    }
    Ok(found)
}

fn of_scan(
    settings: &Settings,
    reader: &Reader,
    asked: &LookUp<'_>,
    scan: &str,
) -> Result<Result<Vec<FoundOrder>, WhyNothing>, ReadError> {
    let number = match SpecimenId::new(scan.trim()) {
        Ok(scan) => settings.specimens.number(&scan, Some(asked.connection)),
        Err(why) => {
            let (why, why_zh) = (why.to_string(), "不是有效的编号".to_owned());
            return Ok(Err(WhyNothing::NoIdentifier { why, why_zh }));
        }
    };
    let specimen = match number {
        Ok(specimen) => specimen,
        Err(Unlocated { what: why, what_zh: why_zh, .. }) => {
            return Ok(Err(WhyNothing::NoIdentifier { why, why_zh }));
        }
    };
    let mut orders = reader.orders_of(&specimen)?;
    orders.reverse();
    let offered: Vec<FoundOrder> = orders.iter().filter_map(|order| offer(order, asked, scan)).collect();
    Ok(if offered.is_empty() { Err(why_nothing(&orders, asked)) } else { Ok(offered) })
}

fn open_assays(order: &OrderView) -> impl Iterator<Item = &String> {
    order.assays.iter().filter(|a| a.state.is_open()).map(|a| &a.assay)
}

fn offer(view: &OrderView, asked: &LookUp<'_>, scan: &str) -> Option<FoundOrder> {
    if view.order.only_on.as_ref().is_some_and(|only| only != asked.connection) {
        return None;
    }
    let assays: Vec<String> = open_assays(view).filter(|a| asked.can_do.contains(a)).cloned().collect();
    (!assays.is_empty()).then(|| FoundOrder { scan: scan.to_owned(), order: view.order.clone(), assays })
}

/// Why none of these orders is offered.
fn why_nothing(orders: &[OrderView], asked: &LookUp<'_>) -> WhyNothing {
    let Some(last) = orders.last() else { return WhyNothing::NoOrder };
    let open: Vec<&OrderView> = orders.iter().filter(|o| o.state.is_open()).collect();
    if open.is_empty() {
        return WhyNothing::Ended { state: last.state };
    }
    let mine = |order: &&OrderView| order.order.only_on.as_ref().is_none_or(|c| c == asked.connection);
    let mut assays: Vec<String> =
        open.iter().copied().filter(mine).flat_map(|order| open_assays(order).cloned()).collect();
    assays.sort_unstable();
    assays.dedup();
    if !assays.is_empty() {
        return WhyNothing::NotHere { assays };
    }
    let mut connections: Vec<ConnectionId> = open.iter().filter_map(|o| o.order.only_on.clone()).collect();
    connections.sort_unstable();
    connections.dedup();
    WhyNothing::OnlyOn { connections }
}

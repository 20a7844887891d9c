//! Orders from people and programs: judged, written, and known to the state before the answer.

use super::{Batch, Cancelled, Placed, Request, Wish};
use crate::{Settings, Stopped};
use ledger::{By, Draft, Ledger, What};
use vocabulary::OrderId;

/// Places orders in the name of `by`. Blocks until they are durable and the state knows them; one group, in order.
///
/// # Errors
/// [`Stopped`]: nothing was written.
pub fn place(
    settings: &Settings,
    ledger: &Ledger,
    by: &By,
    requests: &[Request],
) -> Result<Vec<Placed>, Stopped> {
    let reader = ledger.state();
    let mut batch = Batch::new(settings, &reader, None)?;
    let placed: Result<Vec<Placed>, _> =
        requests.iter().map(|request| batch.place(Wish::Place, request)).collect();
    let placed = placed?;
    write(ledger, by, batch.into_entries())?;
    Ok(placed)
}

/// Cancels assays of an order, or all that are open, in the name of `by`. Blocks as [`place`] does.
///
/// # Errors
/// [`Stopped`]: nothing was written.
pub fn cancel(
    settings: &Settings,
    ledger: &Ledger,
    by: &By,
    (order, assays, reason): (&OrderId, &[String], &str),
) -> Result<Cancelled, Stopped> {
    let reader = ledger.state();
    let mut batch = Batch::new(settings, &reader, None)?;
    let cancelled = batch.cancel(order, assays, reason)?;
    write(ledger, by, batch.into_entries())?;
    Ok(cancelled)
}

fn write(ledger: &Ledger, by: &By, whats: Vec<What>) -> Result<(), Stopped> {
    if whats.is_empty() {
        return Ok(());
    }
    let group = whats.into_iter().map(|what| Draft { by: by.clone(), what }).collect();
    let durable = ledger.append(group)?.wait()?;
    Ok(ledger.wait_applied(durable.last()).wait()?)
}

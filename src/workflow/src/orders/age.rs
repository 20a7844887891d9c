//! Orders that nobody fulfils end by an entry of their own, not in silence.

use crate::{Settings, Stopped};
use ledger::{Draft, Ledger, ReadError, Reader, What};

/// Orders ended in one group.
const EXPIRED_PER_ROUND: usize = 500;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The entries that end orders which are older than the site keeps them, `now_ms` being now; the oldest first, and
/// not all at once.
///
/// # Errors
/// [`ReadError`].
pub fn aged(settings: &Settings, reader: &Reader, now_ms: i64) -> Result<Vec<Draft>, ReadError> {
    let days = settings.orders.limits.days_max;
    let before = now_ms.saturating_sub(i64::from(days).saturating_mul(DAY_MS));
    let old = reader.orders_older_than(before, EXPIRED_PER_ROUND)?;
    Ok(old
        .into_iter()
        .map(|order| {
            let age = now_ms.saturating_sub(order.placed_at_ms).max(0) / DAY_MS;
            let reason = format!("placed {age} days ago; open orders are kept for {days} days");
            Draft::by_system(What::OrderExpired { order: order.order.id, reason })
        })
        .collect())
}

/// Ends orders that are too old, group by group. Blocks until the state knows it; gives how many.
///
/// # Errors
/// [`Stopped`].
pub fn expire(settings: &Settings, ledger: &Ledger, now_ms: i64) -> Result<usize, Stopped> {
    let mut ended = 0;
    loop {
        let group = aged(settings, &ledger.state(), now_ms)?;
        if group.is_empty() {
            return Ok(ended);
        }
        tracing::warn!(orders = group.len(), "orders grew too old and were ended");
        ended += group.len();
        let durable = ledger.append(group)?.wait()?;
        ledger.wait_applied(durable.last()).wait()?;
    }
}

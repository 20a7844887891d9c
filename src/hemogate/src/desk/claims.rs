//! Which orders are on their way to some analyser, so that no other one is sent them at the same time.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vocabulary::{ConnectionId, OrderAction, OrderId};

/// One order, and what is being told of it. A cancellation concerns one analyser only.
type What = (OrderId, Option<ConnectionId>);

/// All claims of a station. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<BTreeSet<What>>>);

/// One claim; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Claim {
    claims: Claims,
    what: What,
}

impl Claims {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<What>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an order, unless somebody has it.
    pub(super) fn take(&self, order: &OrderId, action: OrderAction, by: &ConnectionId) -> Option<Claim> {
        let to = match action {
            OrderAction::Place => None,
            OrderAction::Cancel => Some(by.clone()),
        };
        let what = (order.clone(), to);
        self.lock().insert(what.clone()).then(|| Claim { claims: self.clone(), what })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_order_is_on_its_way_to_one_analyser_and_free_again_afterwards() {
        let claims = Claims::default();
        let order = OrderId::new("O1").unwrap();
        let [a, b] = ["a", "b"].map(|id| ConnectionId::new(id).unwrap());
        let held = claims.take(&order, OrderAction::Place, &a);
        assert!(held.is_some() && claims.take(&order, OrderAction::Place, &b).is_none());
        let told = [&a, &b].map(|by| claims.take(&order, OrderAction::Cancel, by));
        assert!(told.iter().all(Option::is_some), "each analyser is told of a cancellation");
        drop(held);
        assert!(claims.take(&order, OrderAction::Place, &b).is_some());
    }
}

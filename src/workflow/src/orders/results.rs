//! Which results answer which orders.

use crate::Settings;
use ledger::{MessageView, OrderView, ReadError, Reader};
use std::collections::BTreeMap;
use vocabulary::{Mode, Observation, OrderId, OrderState, ResultStatus, SpecimenId, SpecimenKind};

/// Orders of the specimens that a message speaks of, looked up once each.
pub(crate) struct OrderBook<'a> {
    settings: &'a Settings,
    reader: &'a Reader,
    of: BTreeMap<SpecimenId, Vec<OrderView>>,
}

impl<'a> OrderBook<'a> {
    pub(crate) fn new(settings: &'a Settings, reader: &'a Reader) -> Self {
        Self { settings, reader, of: BTreeMap::new() }
    }

    /// Which observations of a message are results of which orders. A result of a connection that is not in
    /// production ends only what was ordered on that very connection.
    pub(crate) fn answered(
        &mut self,
        message: &MessageView,
        observations: &[Observation],
    ) -> Result<Vec<(u32, OrderId)>, ReadError> {
        let mut pairs = Vec::new();
        for (at, observation) in (0..).zip(observations) {
            let Some(specimen) = specimen(self.settings, message, observation) else { continue };
            if !self.of.contains_key(&specimen) {
                let orders = self.reader.orders_of(&specimen)?;
                self.of.insert(specimen.clone(), orders);
            }
            let orders = self.of.get(&specimen).into_iter().flatten();
            let ended = orders.filter(|order| answers(observation, message, order));
            pairs.extend(ended.map(|order| (at, order.order.id.clone())));
        }
        Ok(pairs)
    }
}

/// The number of a patient's specimen whose result is one.
fn specimen(settings: &Settings, message: &MessageView, observation: &Observation) -> Option<SpecimenId> {
    let usable = match observation.status {
        ResultStatus::Final | ResultStatus::Corrected | ResultStatus::Repeated => true,
        ResultStatus::Preliminary | ResultStatus::Other | ResultStatus::NotObtained => false,
    };
    let patient = observation.kind == SpecimenKind::Patient;
    let scan = observation.specimen.as_ref().filter(|_| usable && patient)?;
    settings.specimens.number(scan, Some(&message.connection)).ok()
}

fn answers(observation: &Observation, message: &MessageView, order: &OrderView) -> bool {
    let wanted = |state: OrderState| state.is_open() || state == OrderState::Resulted;
    let counts =
        message.mode == Mode::Production || order.order.only_on.as_ref() == Some(&message.connection);
    counts
        && order
            .assays
            .iter()
            .any(|a| a.assay == observation.assay && a.since < message.seq && wanted(a.state))
}

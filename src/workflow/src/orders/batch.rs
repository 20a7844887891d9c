//! Orders and cancellations that come together: judged one after the other, written in one group.

use super::names::{Assays, nearest};
use super::request::Fields;
use super::{Refusal, Request};
use crate::Settings;
use ledger::{OrderFilter, OrderView, Page, ReadError, Reader, Seq, What};
use std::collections::BTreeMap;
use vocabulary::{ConnectionId, Order, OrderId, OrderState, SpecimenId};

/// What is to be done with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wish {
    /// This is the whole order: of a known number, its next version.
    Place,
    /// Its assays come to those that a known number has.
    Add,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// A new order.
    New(OrderId),
    /// The next version of a known one.
    Changed(OrderId),
    /// The order was there already, just so.
    Same(OrderId),
    /// Not taken; nothing was written.
    Refused(Refusal),
}

/// What became of a cancellation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cancelled {
    /// These assays are not to be done any more.
    Done(Vec<String>),
    /// They were cancelled before.
    Before,
    /// Not taken; nothing was written.
    Refused(Refusal),
}

/// Orders and cancellations that are written together. Each sees those before it.
pub struct Batch<'a> {
    settings: &'a Settings,
    reader: &'a Reader,
    known: Assays,
    from: Option<Seq>,
    orders: BTreeMap<OrderId, Option<Standing>>,
    open: u64,
    open_of: BTreeMap<SpecimenId, usize>,
    whats: Vec<What>,
}

/// An order as it stands for the next in the batch.
#[derive(Debug, Clone)]
struct Standing {
    /// With the assays that were not ended without a result.
    order: Order,
    states: BTreeMap<String, OrderState>,
    versions: u32,
}

impl Standing {
    fn of(view: OrderView) -> Self {
        let states: BTreeMap<String, OrderState> =
            view.assays.into_iter().map(|a| (a.assay, a.state)).collect();
        let mut order = view.order;
        order.assays.retain(|a| states.get(a).is_some_and(|s| s.is_open() || *s == OrderState::Resulted));
        Self { order, states, versions: view.versions }
    }

    fn is_open(&self) -> bool {
        self.states.values().any(|state| state.is_open())
    }

    /// The next version, as the ledger will fold it.
    fn next(before: Option<Self>, order: Order) -> Self {
        let (mut states, versions) = before.map_or((BTreeMap::new(), 0), |b| (b.states, b.versions));
        for (assay, state) in &mut states {
            if state.is_open() && !order.assays.contains(assay) {
                *state = OrderState::Cancelled;
            }
        }
        for assay in &order.assays {
            let state = states.entry(assay.clone()).or_insert(OrderState::Placed);
            if !state.is_open() && *state != OrderState::Resulted {
                *state = OrderState::Placed;
            }
        }
        Self { order, states, versions: versions.saturating_add(1) }
    }
}

type Judged<T> = Result<Result<T, Refusal>, ReadError>;

impl<'a> Batch<'a> {
    /// An empty batch; `from` is the message that it comes in, where it comes in one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn new(settings: &'a Settings, reader: &'a Reader, from: Option<Seq>) -> Result<Self, ReadError> {
        Ok(Self {
            settings,
            reader,
            known: Assays::of(&settings.profiles),
            from,
            orders: BTreeMap::new(),
            open: reader.counters()?.orders_open,
            open_of: BTreeMap::new(),
            whats: Vec::new(),
        })
    }

    /// From now on they come in this message.
    pub(crate) fn comes_in(&mut self, message: Seq) {
        self.from = Some(message);
    }

    /// What is to be written so far; the batch goes on from there.
    pub(crate) fn drain(&mut self) -> Vec<What> {
        std::mem::take(&mut self.whats)
    }

    /// A refusal when an order is known, but for another specimen than this one.
    pub(crate) fn of_another_specimen(
        &mut self,
        order: &OrderId,
        scan: &str,
    ) -> Result<Option<Refusal>, ReadError> {
        let Some(standing) = self.standing(order)? else { return Ok(None) };
        let specimen = SpecimenId::new(scan.trim()).ok();
        let number = specimen.and_then(|scan| self.settings.specimens.number(&scan, None).ok());
        let same = number.as_ref() == Some(&standing.order.specimen);
        let specimen = standing.order.specimen;
        Ok((!same).then(|| Refusal::OtherSpecimen { order: order.clone(), specimen }))
    }

    /// What is to be written.
    #[must_use]
    pub fn into_entries(self) -> Vec<What> {
        self.whats
    }

    /// Judges one request.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn place(&mut self, wish: Wish, request: &Request) -> Result<Placed, ReadError> {
        match self.judge(wish, request)? {
            Ok(placed) => Ok(placed),
            Err(refusal) => Ok(Placed::Refused(refusal)),
        }
    }

    fn judge(&mut self, wish: Wish, request: &Request) -> Judged<Placed> {
        let order = match self.order(request) {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let before = self.standing(&order.id)?;
        let order = match next_version(wish, order, before.as_ref()) {
            Ok(order) => order,
            Err(refusal) => return Ok(Err(refusal)),
        };
        if before.as_ref().is_some_and(|b| b.order == order) {
            return Ok(Ok(Placed::Same(order.id)));
        }
        if let Some(refusal) = self.beyond(&order, before.as_ref())? {
            return Ok(Err(refusal));
        }
        let id = order.id.clone();
        let placed = if before.is_some() { Placed::Changed(id.clone()) } else { Placed::New(id.clone()) };
        self.whats.push(What::OrderPlaced { order: order.clone(), from: self.from });
        self.stands(id, before, order);
        Ok(Ok(placed))
    }

    /// The order that a request means, by the rules of the site.
    fn order(&self, request: &Request) -> Result<Order, Refusal> {
        let Fields { id, scan, priority, specimen_type, collected_at, donor } =
            request.fields(&self.settings.time_zone)?;
        let specimen = self
            .settings
            .specimens
            .number(&scan, None)
            .map_err(|why| Refusal::Specimen { given: scan.to_string(), why })?;
        let mut assays: Vec<String> = request.assays.iter().map(|a| a.trim().to_owned()).collect();
        assays.retain(|a| !a.is_empty());
        if assays.is_empty() {
            return Err(Refusal::NoAssay);
        }
        if let Some(assay) = assays.iter().find(|a| !self.known.knows(a)) {
            return Err(Refusal::UnknownAssay { assay: assay.clone(), nearest: self.known.nearest(assay) });
        }
        let only_on = request.only_on.as_ref().filter(|c| !c.trim().is_empty());
        let only_on = only_on.map(|c| self.connection(c.trim())).transpose()?;
        let as_given = (scan != specimen).then_some(scan);
        let order =
            Order { id, specimen, as_given, assays, priority, specimen_type, collected_at, only_on, donor };
        Ok(order.in_order())
    }

    fn connection(&self, name: &str) -> Result<ConnectionId, Refusal> {
        let analysers = &self.settings.orders.analysers;
        let found = analysers.iter().find(|a| a.connection.as_str() == name);
        found.map(|a| a.connection.clone()).ok_or_else(|| Refusal::UnknownConnection {
            connection: name.to_owned(),
            nearest: nearest(name, analysers.iter().map(|a| a.connection.as_str())),
        })
    }

    fn standing(&mut self, id: &OrderId) -> Result<Option<Standing>, ReadError> {
        if let Some(known) = self.orders.get(id) {
            return Ok(known.clone());
        }
        let found = self.reader.order(id)?.map(Standing::of);
        self.orders.insert(id.clone(), found.clone());
        Ok(found)
    }

    /// The limit that the next version of an order would pass.
    fn beyond(&mut self, order: &Order, before: Option<&Standing>) -> Result<Option<Refusal>, ReadError> {
        let limits = self.settings.orders.limits;
        if order.assays.len() > limits.assays_max {
            return Ok(Some(Refusal::TooManyAssays { max: limits.assays_max }));
        }
        if before.is_some_and(|b| b.versions >= limits.versions_max) {
            return Ok(Some(Refusal::TooManyVersions { max: limits.versions_max }));
        }
        if before.is_some_and(Standing::is_open) {
            return Ok(None);
        }
        if self.open >= limits.open_max {
            return Ok(Some(Refusal::TooManyOpen { max: limits.open_max }));
        }
        let max = limits.open_per_specimen_max;
        Ok((self.open_of(&order.specimen)? >= max).then_some(Refusal::TooManyForSpecimen { max }))
    }

    fn open_of(&mut self, specimen: &SpecimenId) -> Result<usize, ReadError> {
        if let Some(known) = self.open_of.get(specimen) {
            return Ok(*known);
        }
        let filter = OrderFilter { specimen: Some(specimen.clone()), open: true, ..OrderFilter::default() };
        let page = Page::newest(self.settings.orders.limits.open_per_specimen_max);
        let found = self.reader.orders(&filter, &page)?.items.len();
        self.open_of.insert(specimen.clone(), found);
        Ok(found)
    }

    fn stands(&mut self, id: OrderId, before: Option<Standing>, order: Order) {
        let was_open = before.as_ref().is_some_and(Standing::is_open);
        let after = Standing::next(before, order);
        self.count(&after.order.specimen, was_open, after.is_open());
        self.orders.insert(id, Some(after));
    }

    fn count(&mut self, specimen: &SpecimenId, was_open: bool, is_open: bool) {
        let of_specimen = self.open_of.get_mut(specimen);
        match (was_open, is_open) {
            (false, true) => {
                self.open = self.open.saturating_add(1);
                if let Some(n) = of_specimen {
                    *n = n.saturating_add(1);
                }
            }
            (true, false) => {
                self.open = self.open.saturating_sub(1);
                if let Some(n) = of_specimen {
                    *n = n.saturating_sub(1);
                }
            }
            (true, true) | (false, false) => {}
        }
    }

    /// Judges one cancellation: of these assays, or of all that are open when none is named.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn cancel(&mut self, id: &OrderId, assays: &[String], reason: &str) -> Result<Cancelled, ReadError> {
        let Some(mut standing) = self.standing(id)? else {
            return Ok(Cancelled::Refused(Refusal::NoSuchOrder { order: id.clone() }));
        };
        if let Some(assay) = assays.iter().find(|a| !standing.states.contains_key(*a)) {
            let ordered = standing.states.keys().cloned().collect();
            return Ok(Cancelled::Refused(Refusal::NotOrdered { assay: assay.clone(), ordered }));
        }
        let meant = |assay: &String| assays.is_empty() || assays.contains(assay);
        let states: Vec<OrderState> =
            standing.states.iter().filter(|(a, _)| meant(a)).map(|(_, s)| *s).collect();
        let ended: Vec<String> =
            standing.states.iter().filter(|(a, s)| meant(a) && s.is_open()).map(|(a, _)| a.clone()).collect();
        if ended.is_empty() {
            let before = !states.is_empty() && states.iter().all(|s| *s == OrderState::Cancelled);
            let state = OrderState::of_all(states);
            let refusal = Refusal::NothingOpen { order: id.clone(), state };
            return Ok(if before { Cancelled::Before } else { Cancelled::Refused(refusal) });
        }
        self.whats.push(What::OrderCancelled {
            order: id.clone(),
            assays: assays.to_vec(),
            reason: reason.to_owned(),
            from: self.from,
        });
        for assay in &ended {
            standing.states.insert(assay.clone(), OrderState::Cancelled);
        }
        standing.order.assays.retain(|a| !ended.contains(a));
        self.count(&standing.order.specimen, true, standing.is_open());
        self.orders.insert(id.clone(), Some(standing));
        Ok(Cancelled::Done(ended))
    }
}

/// What the order is to be, given what stands under its number.
fn next_version(wish: Wish, order: Order, before: Option<&Standing>) -> Result<Order, Refusal> {
    let Some(known) = before.map(|b| &b.order) else { return Ok(order) };
    if known.specimen != order.specimen {
        return Err(Refusal::OtherSpecimen { order: order.id, specimen: known.specimen.clone() });
    }
    match wish {
        // The same tube written in another form is no change.
        Wish::Place => Ok(Order { as_given: known.as_given.clone(), ..order }),
        Wish::Add => {
            let mut whole = known.clone();
            whole.assays.extend(order.assays);
            whole.priority = whole.priority.min(order.priority);
            Ok(whole.in_order())
        }
    }
}

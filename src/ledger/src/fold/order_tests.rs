//! Every small world of one order, held against a model that is too simple to be wrong.

use super::{Head, apply};
use crate::entry::Light;
use crate::state::{Key, MemoryStore, OrderRecord, Store, View, collect, record};
use crate::{Body, Bytes, Counters, Entry, Seq, What};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{
    ConnectionId, Marker, Mode, Observation, Order, OrderAction, OrderId, OrderState, Priority, ProfileRef,
    Protocol, ResultStatus, Source, SpecimenId, SpecimenKind, Value,
};

/// Everything that can happen to the order, to the assays `a` and `b`, on the connection `x`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Place(&'static [&'static str]),
    Cancel(&'static [&'static str]),
    Expire,
    Sent(&'static [&'static str], bool),
    Told(&'static [&'static str], bool),
    /// A message that comes now, with a result.
    Result(&'static str),
    /// A result read from a message that came before the order.
    OldResult(&'static str),
    /// The last message with a result is read again, and has none.
    TakeBack,
    /// The last message with a result is read again, and has this one.
    ReadAgain(&'static str),
}

const OPS: [Op; 16] = [
    Op::Place(&["a"]),
    Op::Place(&["a", "b"]),
    Op::Place(&["b"]),
    Op::Cancel(&[]),
    Op::Cancel(&["a"]),
    Op::Expire,
    Op::Sent(&["a"], true),
    Op::Sent(&["a", "b"], true),
    Op::Sent(&["a", "b"], false),
    Op::Told(&["a"], true),
    Op::Told(&["a", "b"], false),
    Op::Result("a"),
    Op::Result("b"),
    Op::OldResult("a"),
    Op::TakeBack,
    Op::ReadAgain("a"),
];

/// One assay, as a person would say it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one thing a person would say of a test")]
struct Test {
    wanted: bool,
    expired: bool,
    /// Results of messages up to here were there before it was wanted.
    start: u64,
    results: BTreeSet<u64>,
    /// The analyser has it.
    has: bool,
    /// The analyser refused it.
    refused: bool,
    /// The analyser will not cancel it.
    keeps: bool,
}

#[derive(Debug, Clone, Default)]
struct Model {
    there: bool,
    standing: BTreeSet<&'static str>,
    tests: BTreeMap<&'static str, Test>,
    last_message: Option<u64>,
}

impl Test {
    fn open(&self) -> bool {
        self.wanted && self.results.is_empty()
    }

    fn state(&self) -> OrderState {
        match (self.wanted, self.expired) {
            _ if !self.results.is_empty() => OrderState::Resulted,
            (false, true) => OrderState::Expired,
            (false, false) => OrderState::Cancelled,
            (true, _) if self.has => OrderState::Sent,
            (true, _) if self.refused => OrderState::Refused,
            (true, _) => OrderState::Placed,
        }
    }
}

impl Model {
    fn place(&mut self, assays: &'static [&'static str], now: u64) {
        self.there = true;
        self.standing = assays.iter().copied().collect();
        for name in ["a", "b"] {
            let wanted = self.standing.contains(name);
            let Some(test) = self.tests.get_mut(name) else {
                if wanted {
                    self.tests.insert(name, Test { wanted: true, start: now, ..Test::default() });
                }
                continue;
            };
            if wanted && !test.wanted {
                let (has, results) = (test.has && !test.expired, test.results.clone());
                let start = if results.is_empty() { now } else { test.start };
                *test = Test { wanted: true, has, results, start, ..Test::default() };
            } else if wanted {
                test.refused = false;
            } else if test.wanted {
                test.wanted = false;
            }
            // What a version leaves out is forgotten when it left nothing behind.
            if !wanted && test.results.is_empty() && (test.expired || !test.has || test.keeps) {
                self.tests.remove(name);
            }
        }
    }

    fn end(&mut self, which: &[&str], expired: bool) {
        for (name, test) in &mut self.tests {
            if test.open() && (which.is_empty() || which.contains(name)) {
                test.wanted = false;
                test.expired = expired;
            }
        }
    }

    fn happen(&mut self, op: Op, message: u64) {
        if let Op::Place(assays) = op {
            return self.place(assays, message);
        }
        let names = |names: &'static [&'static str]| names.iter().copied();
        match op {
            Op::Place(_) | Op::OldResult(_) => {}
            Op::Cancel(which) => self.end(which, false),
            Op::Expire => self.end(&[], true),
            Op::Sent(which, accepted) => {
                for name in names(which) {
                    if let Some(test) = self.tests.get_mut(name) {
                        (test.has, test.refused, test.keeps) = (accepted, !accepted, false);
                    }
                }
            }
            Op::Told(which, accepted) => {
                for name in names(which) {
                    let Some(test) = self.tests.get_mut(name) else { continue };
                    if accepted {
                        (test.has, test.refused, test.keeps) = (false, false, false);
                    } else if test.has || test.refused {
                        test.keeps = true;
                    }
                }
            }
            Op::Result(name) => {
                self.last_message = Some(message);
                self.result(name, message);
            }
            Op::ReadAgain(name) => {
                self.happen(Op::TakeBack, message);
                if let Some(message) = self.last_message {
                    self.result(name, message);
                }
            }
            Op::TakeBack => {
                for test in self.tests.values_mut() {
                    test.results.retain(|known| Some(*known) != self.last_message);
                }
            }
        }
    }

    fn result(&mut self, name: &str, message: u64) {
        if let Some(test) = self.tests.get_mut(name).filter(|t| t.wanted && message > t.start) {
            test.results.insert(message);
        }
    }

    fn state(&self) -> OrderState {
        OrderState::of_all(self.standing.iter().filter_map(|n| self.tests.get(n)).map(Test::state))
    }

    fn waiting(&self) -> Vec<&'static str> {
        let waits = |t: &Test| t.open() && !t.has;
        self.tests.iter().filter(|(_, t)| waits(t)).map(|(n, _)| *n).collect()
    }

    fn to_cancel(&self) -> bool {
        self.tests.values().any(|t| t.state() == OrderState::Cancelled && t.has && !t.keeps)
    }
}

/// The fold under test: a store and the number of the last entry.
#[derive(Debug)]
struct World {
    store: MemoryStore,
    seq: u64,
    last_message: Option<u64>,
}

fn order_id() -> OrderId {
    OrderId::new("L1").unwrap()
}

fn x() -> ConnectionId {
    ConnectionId::new("x").unwrap()
}

fn own(names: &[&str]) -> Vec<String> {
    names.iter().map(|n| (*n).to_owned()).collect()
}

fn received() -> What {
    What::MessageReceived {
        connection: x(),
        mode: Mode::Production,
        profile: ProfileRef { id: "m/m".into(), revision: "0".into() },
        protocol: Protocol::Lis02,
        body: Body::Whole(Bytes::from(b"H|".as_slice())),
    }
}

fn interpreted(message: u64, assay: Option<&str>) -> What {
    let observation = |assay: &str| Observation {
        specimen: None,
        instrument: None,
        assay: assay.into(),
        marker: Marker::HBsAg,
        kind: SpecimenKind::Patient,
        value: Value::default(),
        flags: vec![],
        status: ResultStatus::Final,
        run: None,
        replicate: None,
        lots: vec![],
        completed_at: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    };
    What::MessageInterpreted {
        message: Seq::new(message),
        profile: ProfileRef { id: "m/m".into(), revision: "0".into() },
        observations: assay.map(observation).into_iter().collect(),
        findings: vec![],
        donations: vec![],
        holds: vec![],
        orders: assay.map(|_| (0, order_id())).into_iter().collect(),
        measured: vec![],
        continues: vec![],
        pools: crate::Pools::default(),
        part: 0,
        last: true,
    }
}

impl World {
    /// One message has come already.
    fn new() -> Self {
        let mut world = Self { store: MemoryStore::default(), seq: 0, last_message: None };
        world.write(received());
        world
    }

    /// Applies an entry, and once more, which must change nothing.
    fn write(&mut self, what: What) -> u64 {
        self.seq += 1;
        let entry = Light::from(Entry {
            seq: Seq::new(self.seq),
            at_ms: 1000,
            by: "system".into(),
            terminal: None,
            what,
        });
        let mut view = View::new(&self.store);
        let mut head = Head::read(&view).unwrap();
        apply(&mut view, &mut head, &entry).unwrap();
        head.write(&mut view).unwrap();
        self.store.write(Cow::Owned(view.into_changes())).unwrap();
        let mut again = View::new(&self.store);
        let mut head = Head::read(&again).unwrap();
        apply(&mut again, &mut head, &entry).unwrap();
        assert!(again.into_changes().is_empty(), "{entry:?} applied twice");
        self.seq
    }

    fn happen(&mut self, op: Op) -> u64 {
        let sent = |assays: &[&str], action: OrderAction, accepted: bool| What::OrderSent {
            order: order_id(),
            connection: x(),
            assays: own(assays),
            message: None,
            action,
            accepted,
            answer: String::new(),
        };
        match op {
            Op::Place(assays) => {
                let order = Order {
                    id: order_id(),
                    specimen: SpecimenId::new("G1").unwrap(),
                    as_given: None,
                    assays: own(assays),
                    priority: Priority::Routine,
                    specimen_type: None,
                    collected_at: None,
                    only_on: None,
                    donor: None,
                };
                self.write(What::OrderPlaced { order, from: None })
            }
            Op::Cancel(assays) => self.write(What::OrderCancelled {
                order: order_id(),
                assays: own(assays),
                reason: String::new(),
                from: None,
            }),
            Op::Expire => self.write(What::OrderExpired { order: order_id(), reason: String::new() }),
            Op::Sent(assays, accepted) => self.write(sent(assays, OrderAction::Place, accepted)),
            Op::Told(assays, accepted) => self.write(sent(assays, OrderAction::Cancel, accepted)),
            Op::Result(assay) => {
                let message = self.write(received());
                self.last_message = Some(message);
                self.write(interpreted(message, Some(assay)));
                message
            }
            Op::OldResult(assay) => self.write(interpreted(1, Some(assay))),
            Op::TakeBack => self.last_message.map_or(0, |message| self.write(interpreted(message, None))),
            Op::ReadAgain(assay) => {
                self.last_message.map_or(0, |message| self.write(interpreted(message, Some(assay))))
            }
        }
    }

    fn rows(&self, key: Key) -> Vec<Vec<u8>> {
        collect(&self.store, &key.under()).unwrap().into_iter().map(|(key, _)| key).collect()
    }

    fn waiting(&self) -> Vec<&'static str> {
        let waits = |name: &&str| !self.rows(Key::unsent_orders(name, Priority::Routine)).is_empty();
        ["a", "b"].into_iter().filter(waits).collect()
    }

    fn copy(&self) -> Self {
        let store = MemoryStore::default();
        let all = crate::state::Span { from: vec![], to: vec![], backwards: false };
        let rows = collect(&self.store, &all).unwrap();
        store.write(Cow::Owned(rows.into_iter().map(|(key, value)| (key, Some(value))).collect())).unwrap();
        Self { store, seq: self.seq, last_message: self.last_message }
    }

    fn check(&self, model: &Model, story: &[Op]) {
        let found: Option<OrderRecord> = record(&self.store, &Key::order(&order_id()).done()).unwrap();
        assert_eq!(found.is_some(), model.there, "{story:?}");
        let Some(found) = found else { return };
        let seen: BTreeMap<&str, OrderState> =
            found.assays.iter().map(|a| (a.assay.as_str(), a.state())).collect();
        let expect: BTreeMap<&str, OrderState> = model.tests.iter().map(|(n, t)| (*n, t.state())).collect();
        assert_eq!(seen, expect, "{story:?}");
        assert_eq!(found.state(), model.state(), "{story:?}");
        assert_eq!(self.waiting(), model.waiting(), "{story:?}");
        assert_eq!(!self.rows(Key::cancellations(&x())).is_empty(), model.to_cancel(), "{story:?}");
        let open = usize::from(model.state().is_open());
        assert_eq!(self.rows(Key::open_orders()).len(), open, "{story:?}");
        assert_eq!(self.rows(Key::open_orders_by_time()).len(), open, "{story:?}");
        assert_eq!(self.rows(Key::specimen_orders(&found.order.specimen)).len(), 1, "{story:?}");
        let counters: Counters = record(&self.store, Key::COUNTERS).unwrap().unwrap();
        assert_eq!((counters.orders, counters.orders_open), (1, open as u64), "{story:?}");
        assert!(
            self.rows(Key::donations()).is_empty() && self.rows(Key::to_decide()).is_empty(),
            "{story:?}"
        );
    }
}

fn explore(world: &World, model: &Model, story: &mut Vec<Op>, depth: usize) {
    for op in OPS {
        let (mut next, mut next_model) = (world.copy(), model.clone());
        story.push(op);
        let message = next.happen(op);
        next_model.happen(op, message);
        next.check(&next_model, story);
        if depth > 1 {
            explore(&next, &next_model, story, depth - 1);
        }
        story.pop();
    }
}

#[test]
fn every_small_world_of_an_order_is_what_a_simple_model_says() {
    for first in OPS.into_iter().take(3) {
        let (mut world, mut model) = (World::new(), Model::default());
        let message = world.happen(first);
        model.happen(first, message);
        explore(&world, &model, &mut vec![first], 3);
    }
}

#[test]
fn long_lives_of_an_order_are_what_a_simple_model_says() {
    for seed in 0..200 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (mut world, mut model) = (World::new(), Model::default());
        let mut story = Vec::new();
        for _ in 0..50 {
            let op = OPS[rng.usize(0..OPS.len())];
            story.push(op);
            let message = world.happen(op);
            model.happen(op, message);
            world.check(&model, &story);
        }
    }
}

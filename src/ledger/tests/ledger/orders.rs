//! Orders: what was asked for, who was given it, and what ended it.

use crate::opening::{Lab, observation, registered};
use ledger::{Draft, OrderFilter, OrderView, Page, Seq, What};
use vocabulary::{
    ConnectionId, NotFound, Observation, Order, OrderAction, OrderId, OrderState, Priority, QueryOutcome,
    SpecimenId, SpecimenKind, WhyNothing,
};

pub(crate) fn order_id(text: &str) -> OrderId {
    OrderId::new(text).unwrap()
}

pub(crate) fn analyser(text: &str) -> ConnectionId {
    ConnectionId::new(text).unwrap()
}

pub(crate) fn order(id: &str, specimen: &str, assays: &[&str]) -> Order {
    Order {
        id: order_id(id),
        specimen: SpecimenId::new(specimen).unwrap(),
        as_given: None,
        assays: assays.iter().map(|a| (*a).to_owned()).collect(),
        priority: Priority::Routine,
        specimen_type: None,
        collected_at: None,
        only_on: None,
        donor: None,
    }
}

pub(crate) fn placed(order: Order) -> Draft {
    Draft::by_system(What::OrderPlaced { order, from: None })
}

pub(crate) fn cancelled(id: &str, assays: &[&str]) -> Draft {
    let assays = assays.iter().map(|a| (*a).to_owned()).collect();
    Draft::by_system(What::OrderCancelled { order: order_id(id), assays, reason: "asked".into(), from: None })
}

pub(crate) fn expired(id: &str) -> Draft {
    Draft::by_system(What::OrderExpired { order: order_id(id), reason: "older than 14 days".into() })
}

pub(crate) fn sent(id: &str, to: &str, assays: &[&str], action: OrderAction, accepted: bool) -> Draft {
    Draft::by_system(What::OrderSent {
        order: order_id(id),
        connection: analyser(to),
        assays: assays.iter().map(|a| (*a).to_owned()).collect(),
        message: None,
        action,
        accepted,
        answer: "OK".into(),
    })
}

fn of_assay(assay: &str) -> Observation {
    Observation { assay: assay.into(), ..observation(SpecimenKind::Patient, None) }
}

pub(crate) fn results(message: Seq, results: &[(&str, &str)]) -> Draft {
    Draft::by_system(What::MessageInterpreted {
        message,
        profile: crate::opening::profile(),
        observations: results.iter().map(|(_, assay)| of_assay(assay)).collect(),
        findings: vec![],
        donations: vec![],
        holds: vec![],
        orders: (0..).zip(results).map(|(at, (id, _))| (at, order_id(id))).collect(),
        measured: Vec::new(),
        continues: Vec::new(),
        pools: ledger::Pools::default(),
        part: 0,
        last: true,
    })
}

impl Lab {
    fn order(&self, id: &str) -> OrderView {
        self.ledger.state().order(&order_id(id)).unwrap().unwrap()
    }

    fn states(&self, id: &str) -> Vec<(String, OrderState)> {
        self.order(id).assays.into_iter().map(|a| (a.assay, a.state)).collect()
    }

    fn to_send(&self, to: &str, can_do: &[&str]) -> Vec<String> {
        let can_do: Vec<String> = can_do.iter().map(|a| (*a).to_owned()).collect();
        let found = self.ledger.state().orders_to_send(&analyser(to), &can_do, 99).unwrap();
        found.into_iter().map(|o| format!("{} {}", o.order.id, o.assays.join("+"))).collect()
    }

    fn to_cancel(&self, at: &str) -> Vec<String> {
        let found = self.ledger.state().cancels_to_send(&analyser(at), 99).unwrap();
        found.into_iter().map(|o| format!("{} {}", o.order.id, o.assays.join("+"))).collect()
    }

    fn listed(&self, filter: &OrderFilter) -> Vec<String> {
        let found = self.ledger.state().orders(filter, &Page::first(99)).unwrap();
        found.items.into_iter().map(|o| o.order.id.to_string()).collect()
    }

    fn open_orders(&self) -> (Vec<String>, u64) {
        let filter = OrderFilter { open: true, ..OrderFilter::default() };
        (self.listed(&filter), self.ledger.state().counters().unwrap().orders_open)
    }
}

const PLACE: OrderAction = OrderAction::Place;

#[test]
fn an_order_goes_from_placed_over_sent_to_resulted() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["HCV", "HBsAg"])));
    assert_eq!(lab.order("L1").order.assays, ["HBsAg", "HCV"], "sorted");
    assert_eq!(
        (lab.order("L1").state, lab.to_send("x", &["HBsAg", "HCV"])),
        (OrderState::Placed, vec!["L1 HBsAg+HCV".to_owned()])
    );
    assert_eq!(lab.to_send("x", &["HCV"]), ["L1 HCV"]);
    lab.write(sent("L1", "x", &["HBsAg"], PLACE, true));
    assert_eq!(
        (lab.order("L1").state, lab.to_send("y", &["HBsAg", "HCV"])),
        (OrderState::Placed, vec!["L1 HCV".to_owned()])
    );
    lab.write(sent("L1", "y", &["HCV"], PLACE, true));
    assert_eq!(lab.order("L1").state, OrderState::Sent);
    let message = lab.message();
    lab.write(results(message, &[("L1", "HBsAg")]));
    assert_eq!(lab.order("L1").state, OrderState::Sent, "one is still out");
    let second = lab.message();
    lab.write(results(second, &[("L1", "HCV")]));
    assert_eq!((lab.order("L1").state, lab.open_orders()), (OrderState::Resulted, (vec![], 0)));
    assert_eq!(lab.order("L1").assays[0].results, [message]);
    let history = lab.ledger.state().order_history(&order_id("L1"), &Page::first(99)).unwrap();
    let names: Vec<_> = history.items.iter().map(|e| e.what.name()).collect();
    assert_eq!(
        names,
        ["order_placed", "order_sent", "order_sent", "message_interpreted", "message_interpreted"]
    );
}

#[test]
fn a_refusal_leaves_the_order_to_the_others() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["HBsAg"])));
    lab.write(sent("L1", "x", &["HBsAg"], PLACE, false));
    assert_eq!(lab.order("L1").state, OrderState::Refused);
    assert_eq!((lab.to_send("x", &["HBsAg"]).len(), lab.to_send("y", &["HBsAg"]).len()), (0, 1));
    lab.write(sent("L1", "y", &["HBsAg"], PLACE, true));
    assert_eq!((lab.order("L1").state, lab.to_send("x", &["HBsAg"]).len()), (OrderState::Sent, 0));
    lab.write(sent("L1", "y", &["HBsAg"], PLACE, false));
    assert_eq!(lab.order("L1").state, OrderState::Refused, "its last word counts");
    lab.write(placed(Order { priority: Priority::Stat, ..order("L1", "G1", &["HBsAg"]) }));
    assert_eq!(
        (lab.order("L1").state, lab.to_send("x", &["HBsAg"]).len()),
        (OrderState::Placed, 1),
        "a new version is offered again"
    );
    assert_eq!(lab.order("L1").versions, 2);
}

#[test]
fn a_later_version_cancels_what_it_leaves_out_and_adds_what_it_brings() {
    use OrderState::{Cancelled, Placed, Sent};
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["A", "B"])));
    lab.write(sent("L1", "x", &["A", "B"], PLACE, true));
    lab.write(placed(order("L1", "G1", &["B", "C"])));
    let expect = [("A".to_owned(), Cancelled), ("B".to_owned(), Sent), ("C".to_owned(), Placed)];
    assert_eq!(lab.states("L1"), expect);
    assert_eq!((lab.to_cancel("x"), lab.to_cancel("y")), (vec!["L1 A".to_owned()], vec![]));
    lab.write(sent("L1", "x", &["A"], OrderAction::Cancel, true));
    assert!(lab.to_cancel("x").is_empty());
    lab.write(placed(order("L1", "G1", &["A"])));
    assert_eq!(lab.states("L1")[0], ("A".to_owned(), Placed), "the analyser does not have it any more");
}

#[test]
fn a_cancellation_that_nobody_was_told_of_can_be_taken_back() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["A"])));
    lab.write(sent("L1", "x", &["A"], PLACE, true));
    lab.write(cancelled("L1", &[]));
    assert_eq!((lab.order("L1").state, lab.to_cancel("x").len()), (OrderState::Cancelled, 1));
    lab.write(placed(order("L1", "G1", &["A"])));
    assert_eq!((lab.order("L1").state, lab.to_cancel("x").len()), (OrderState::Sent, 0));
}

#[test]
fn an_analyser_that_will_not_cancel_is_asked_once() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["A"])));
    lab.write(sent("L1", "x", &["A"], PLACE, true));
    lab.write(cancelled("L1", &["A"]));
    lab.write(sent("L1", "x", &["A"], OrderAction::Cancel, false));
    assert_eq!((lab.order("L1").state, lab.to_cancel("x").len()), (OrderState::Cancelled, 0));
}

#[test]
fn only_results_that_come_after_the_order_end_it() {
    let lab = Lab::new();
    let earlier = lab.message();
    lab.write(placed(order("L1", "G1", &["A"])));
    lab.write(results(earlier, &[("L1", "A")]));
    assert_eq!(lab.order("L1").state, OrderState::Placed);
    let later = lab.message();
    lab.write(results(later, &[("L1", "A"), ("L9", "A")]));
    assert_eq!((lab.order("L1").state, lab.misfits()), (OrderState::Resulted, 1));
    lab.write(results(later, &[]));
    assert_eq!(lab.order("L1").state, OrderState::Placed, "the interpretation was taken back");
    assert_eq!(lab.open_orders(), (vec!["L1".to_owned()], 1));
}

#[test]
fn an_order_that_grew_too_old_ends_and_can_be_placed_again() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["A"])));
    lab.write(sent("L1", "x", &["A"], PLACE, true));
    let now = lab.order("L1").placed_at_ms;
    let old = |before| lab.ledger.state().orders_older_than(before, 9).unwrap().len();
    assert_eq!((old(now), old(now + 1)), (0, 1));
    lab.write(expired("L1"));
    assert_eq!((lab.order("L1").state, old(i64::MAX), lab.to_cancel("x").len()), (OrderState::Expired, 0, 0));
    lab.write(placed(order("L1", "G1", &["A"])));
    assert_eq!((lab.order("L1").state, lab.to_send("x", &["A"]).len()), (OrderState::Placed, 1));
}

#[test]
fn urgent_orders_go_first_then_the_oldest_and_none_that_is_bound_elsewhere() {
    let lab = Lab::new();
    lab.write(placed(order("L1", "G1", &["A"])));
    lab.write(placed(Order { only_on: Some(analyser("y")), ..order("L2", "G2", &["A"]) }));
    lab.write(placed(order("L3", "G3", &["B"])));
    lab.write(placed(Order { priority: Priority::Stat, ..order("L4", "G4", &["B"]) }));
    assert_eq!(lab.to_send("x", &["A", "B"]), ["L4 B", "L1 A", "L3 B"]);
    assert_eq!(lab.to_send("y", &["A"]), ["L1 A", "L2 A"]);
    let few = lab.ledger.state().orders_to_send(&analyser("x"), &["A".into(), "B".into()], 2).unwrap();
    assert_eq!(few.len(), 2);
}

#[test]
fn orders_are_listed_by_what_is_asked_for() {
    let lab = Lab::new();
    for (id, specimen) in [("L1", "G1"), ("L2", "G2"), ("L3", "G1")] {
        lab.write(placed(order(id, specimen, &["A"])));
    }
    lab.write(cancelled("L1", &[]));
    lab.write(sent("L2", "x", &["A"], PLACE, true));
    let by = OrderFilter::default;
    for (filter, expect) in [
        (by(), vec!["L1", "L2", "L3"]),
        (OrderFilter { open: true, ..by() }, vec!["L2", "L3"]),
        (OrderFilter { state: Some(OrderState::Cancelled), ..by() }, vec!["L1"]),
        (OrderFilter { specimen: SpecimenId::new("G1").ok(), ..by() }, vec!["L1", "L3"]),
        (OrderFilter { specimen: SpecimenId::new("G").ok(), ..by() }, vec![]),
        (OrderFilter { connection: Some(analyser("x")), ..by() }, vec!["L2"]),
        (OrderFilter { assay: Some("B".into()), ..by() }, vec![]),
    ] {
        assert_eq!(lab.listed(&filter), expect, "{filter:?}");
    }
    let state = lab.ledger.state();
    let first = state.orders(&by(), &Page::first(2)).unwrap();
    let rest = state.orders(&by(), &Page::first(2).after(first.next.unwrap())).unwrap();
    assert_eq!((rest.items.len(), rest.items[0].order.id.as_str()), (1, "L3"));
    let newest: Vec<_> = state
        .orders_of(&SpecimenId::new("G1").unwrap())
        .unwrap()
        .iter()
        .map(|o| o.order.id.to_string())
        .collect();
    assert_eq!(newest, ["L3", "L1"]);
}

#[test]
fn orders_and_questions_know_no_donation_and_ask_for_no_decision() {
    let lab = Lab::new();
    lab.write(registered(1));
    let before = lab.undecided();
    lab.write(placed(order("L1", "G000002", &["A"])));
    lab.write(sent("L1", "x", &["A"], PLACE, true));
    let message = lab.message();
    lab.write(results(message, &[("L1", "A")]));
    lab.write(cancelled("L1", &[]));
    let counters = lab.ledger.state().counters().unwrap();
    assert_eq!((lab.undecided(), counters.donations, counters.misfits), (before, 1, 0));
}

#[test]
fn what_speaks_of_an_order_that_is_not_there_is_counted_and_changes_nothing() {
    let lab = Lab::new();
    lab.write(cancelled("L1", &[]));
    lab.write(expired("L1"));
    lab.write(sent("L1", "x", &["A"], PLACE, true));
    assert_eq!((lab.misfits(), lab.listed(&OrderFilter::default()).len()), (3, 0));
}

#[test]
fn questions_are_listed_with_their_answers() {
    let lab = Lab::new();
    let ask = |connection: &str, outcome: QueryOutcome| {
        let message = lab.message();
        let asked = vec!["G1".to_owned()];
        lab.write(Draft::by_system(What::QueryAnswered {
            message,
            connection: analyser(connection),
            asked,
            outcome,
        }));
        message
    };
    let why = vec![NotFound { specimen: "G1".into(), why: WhyNothing::NoOrder }];
    let first = ask("x", QueryOutcome::NothingFound { why });
    ask("y", QueryOutcome::Found { orders: vec![order_id("L1")], nothing: vec![] });
    ask("x", QueryOutcome::Cancelled);
    let state = lab.ledger.state();
    let listed = |connection: Option<&ConnectionId>| {
        state
            .queries(connection, &Page::newest(9))
            .unwrap()
            .items
            .into_iter()
            .map(|q| q.outcome)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (listed(None).len(), listed(Some(&analyser("x"))).len(), listed(Some(&analyser("z"))).len()),
        (3, 2, 0)
    );
    assert_eq!(listed(None)[0], QueryOutcome::Cancelled);
    let answer = state.query_of(first).unwrap().unwrap();
    assert!(matches!(answer.outcome, QueryOutcome::NothingFound { .. }));
    assert_eq!(state.query_of(Seq::new(999)).unwrap(), None);
    assert_eq!(state.counters().unwrap().queries, 3);
}

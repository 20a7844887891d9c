//! A pass that is no longer the verdict does not leave any more.

use crate::opening::{Lab, destination, verdict};
use ledger::{DeliveryId, DeliveryState, Draft, Seq, VerdictMade, What};

/// The same evidence as ever, which passes.
const GOOD: &str = include_str!("../../../release/tests/cases/base.json");

fn to(verdict: Seq) -> DeliveryId {
    DeliveryId { verdict, destination: destination() }
}

impl Lab {
    /// Donation 1 passes.
    fn passes(&self) -> Seq {
        let pack = release::RulePack::built_in("cn-2019").unwrap();
        let mut evidence = release::read_case(GOOD).unwrap();
        evidence.donation = crate::opening::donation(1);
        let made = release::explain(&evidence, &pack);
        assert_eq!(made.unit(), release::Unit::Pass);
        let made = VerdictMade::new(&made, Seq::NONE, vec![destination()]).unwrap();
        self.write(Draft::by_system(What::VerdictMade(made)))
    }

    /// Donation 1 is held: it has no result.
    fn is_held(&self) -> Seq {
        self.write(verdict(1, Seq::NONE, &[destination()]))
    }

    fn says(&self, what: What) {
        self.write(Draft::by_system(what));
    }

    fn is_dead(&self, verdict: Seq) {
        self.says(What::DeliveryDead { delivery: to(verdict), reason: "answered AE".into() });
    }

    fn how(&self, verdict: Seq) -> (DeliveryState, String) {
        let found = self.ledger.state().delivery(&to(verdict)).unwrap().unwrap();
        (found.state, found.outcome.unwrap_or_default())
    }

    fn waits(&self) -> Vec<Seq> {
        let items = self.ledger.state().outbox(&destination(), 9).unwrap();
        items.into_iter().map(|item| item.id.verdict).collect()
    }

    fn numbers(&self) -> [u64; 4] {
        let c = self.ledger.state().counters().unwrap();
        [c.deliveries_pending, c.deliveries_done, c.deliveries_dead, c.deliveries_withdrawn]
    }
}

#[test]
fn a_pass_that_another_verdict_follows_before_it_was_sent_is_withdrawn() {
    let lab = Lab::new();
    let passed = lab.passes();
    assert_eq!(lab.waits(), [passed]);
    let held = lab.is_held();
    assert_eq!(lab.waits(), [held], "the hold does not wait behind it");
    let newer = format!("not sent: verdict {held} of this donation is newer");
    assert_eq!(lab.how(passed), (DeliveryState::Withdrawn, newer));
    assert_eq!(lab.numbers(), [1, 0, 0, 1]);
    // What does not pass is told in order, whatever follows.
    let again = lab.passes();
    assert_eq!(lab.waits(), [held], "and the pass behind it");
    assert_eq!((lab.how(held).0, lab.how(again).0), (DeliveryState::Pending, DeliveryState::Pending));
    assert_eq!(lab.misfits(), 0);
}

#[test]
fn what_was_under_way_when_it_was_withdrawn_is_known_for_what_came_of_it() {
    let lab = Lab::new();
    let passed = lab.passes();
    let held = lab.is_held();
    let (delivery, outcome) = (to(passed), "no answer".to_owned());
    lab.says(What::DeliveryAttempted { delivery, outcome, next_at_ms: 5 });
    assert_eq!((lab.how(passed), lab.waits()), ((DeliveryState::Withdrawn, "no answer".into()), vec![held]));
    lab.is_dead(passed);
    assert_eq!(
        lab.how(passed),
        (DeliveryState::Withdrawn, "answered AE".into()),
        "nobody has to send it again"
    );
    lab.says(What::DeliveryDone { delivery: to(passed), answer: b"AA".as_slice().into() });
    assert_eq!(lab.how(passed).0, DeliveryState::Done, "the receiver has it");
    assert_eq!((lab.numbers(), lab.misfits()), ([1, 1, 0, 0], 0));
}

#[test]
fn a_dead_pass_is_not_sent_again_when_what_followed_it_died_too() {
    let lab = Lab::new();
    let passed = lab.passes();
    lab.is_dead(passed);
    let held = lab.is_held();
    lab.is_dead(held);
    lab.says(What::DeliveryRequeued { delivery: to(passed) });
    assert_eq!((lab.waits(), lab.how(passed).0), (vec![], DeliveryState::Dead));
    assert!(lab.how(passed).1.contains(&format!("verdict {held}")));
    lab.says(What::DeliveryRequeued { delivery: to(held) });
    assert_eq!(lab.waits(), [held]);
}

#[test]
fn a_dead_pass_is_not_sent_again_when_its_receiver_was_told_nothing_of_what_followed() {
    let lab = Lab::new();
    let passed = lab.passes();
    lab.is_dead(passed);
    let held = lab.write(verdict(1, Seq::NONE, &[]));
    lab.says(What::DeliveryRequeued { delivery: to(passed) });
    assert_eq!((lab.waits(), lab.how(passed).0), (vec![], DeliveryState::Dead));
    assert!(lab.how(passed).1.contains(&format!("verdict {held}")));
}

//! Work items, runs, interpretations and the outbox: what asks for what, and what ends it.

use crate::opening::{
    Lab, destination, donation, ended, finding, frame, interpreted, observation, profile, received,
    registered, run, verdict, write,
};
use ledger::{Body, DeliveryId, DeliveryState, Draft, MessageFilter, Page, Seq, What};
use vocabulary::{Consequence, DestinationId, SpecimenKind};

fn delivery(verdict: Seq) -> DeliveryId {
    DeliveryId { verdict, destination: destination() }
}

impl Lab {
    fn patient(&self, number: u64, in_run: Option<u64>) -> Seq {
        let message = self.message();
        self.write(interpreted(message, vec![observation(SpecimenKind::Patient, in_run)], &[(0, number)]))
    }

    fn decide(&self, number: u64, considered: Seq) -> Seq {
        self.write(verdict(number, considered, &[destination()]))
    }

    fn outbox(&self) -> Vec<u64> {
        let items = self.ledger.state().outbox(&destination(), 99).unwrap();
        items.iter().map(|i| i.id.verdict.get()).collect()
    }

    fn state_of(&self, verdict: Seq) -> DeliveryState {
        self.ledger.state().delivery(&delivery(verdict)).unwrap().unwrap().state
    }

    fn done(&self, verdict: Seq) {
        self.write(Draft::by_system(What::DeliveryDone {
            delivery: delivery(verdict),
            answer: b"AA".as_slice().into(),
        }));
    }

    fn dead(&self, verdict: Seq) {
        let reason = "answered AR".to_owned();
        self.write(Draft::by_system(What::DeliveryDead { delivery: delivery(verdict), reason }));
    }

    fn requeue(&self, verdict: Seq) {
        self.write(Draft::by_system(What::DeliveryRequeued { delivery: delivery(verdict) }));
    }
}

#[test]
fn a_message_waits_to_be_interpreted_until_its_last_part_is_written() {
    let lab = Lab::new();
    let message = lab.message();
    let part = |part: u16, last: bool| {
        let observations = vec![observation(SpecimenKind::Patient, None); 2];
        let donations = vec![(0, donation(1)), (1, donation(2))];
        let findings = vec![finding(Consequence::Hold)];
        let (profile, holds) = (profile(), vec![(0, donation(3))]);
        Draft::by_system(What::MessageInterpreted {
            message,
            profile,
            observations,
            findings,
            donations,
            holds,
            orders: vec![],
            measured: Vec::new(),
            continues: Vec::new(),
            pools: ledger::Pools::default(),
            part,
            last,
        })
    };
    let state = lab.ledger.state();
    lab.write(part(0, false));
    assert_eq!(state.to_interpret(&Page::first(9)).unwrap().items.len(), 1);
    lab.write(part(1, true));
    assert!(state.to_interpret(&Page::first(9)).unwrap().items.is_empty());
    let whole = state.observations_of(message).unwrap().unwrap();
    assert_eq!((whole.observations.len(), whole.findings.len(), whole.complete), (4, 2, true));
    assert_eq!(whole.donations[2], (2, donation(1)), "places count through the parts");
    let held = state.donation(&donation(3)).unwrap().unwrap();
    assert_eq!((held.observations.len(), held.findings.len()), (0, 2));
    let filter = MessageFilter { held: true, ..MessageFilter::default() };
    assert_eq!(state.messages(&filter, &Page::first(9)).unwrap().items.len(), 1);
    lab.write(part(1, true));
    assert_eq!(lab.misfits(), 1, "a part out of turn is counted and changes nothing");
}

#[test]
fn a_later_interpretation_takes_the_place_of_the_one_before() {
    let lab = Lab::new();
    let message = lab.message();
    let two = vec![observation(SpecimenKind::Patient, Some(1)), observation(SpecimenKind::Control, Some(1))];
    let first = lab.write(interpreted(message, two, &[(0, 1)]));
    lab.decide(1, first);
    let again = lab.write(interpreted(message, vec![observation(SpecimenKind::Patient, Some(2))], &[(0, 2)]));
    let state = lab.ledger.state();
    assert!(state.donation(&donation(1)).unwrap().unwrap().observations.is_empty());
    assert_eq!(state.donation(&donation(2)).unwrap().unwrap().observations[0].entry, again);
    assert_eq!(lab.undecided(), [(1, again.get()), (2, again.get())], "both are decided anew");
    let (old, new) = (state.run(&run(1)).unwrap(), state.run(&run(2)).unwrap());
    assert!(old.controls.is_empty() && old.donations.is_empty());
    assert_eq!(new.donations, [donation(2)]);
}

#[test]
fn every_change_asks_for_a_decision_and_only_one_that_saw_it_ends_that() {
    let lab = Lab::new();
    let registered_at = lab.write(registered(1));
    assert_eq!(lab.undecided(), [(1, registered_at.get())]);
    let result = lab.patient(1, None);
    assert_eq!(lab.undecided(), [(1, result.get())]);
    lab.decide(1, registered_at);
    assert_eq!(lab.undecided(), [(1, result.get())], "the result was not considered");
    lab.write(Draft::by_system(What::VerdictUnchanged { donation: donation(1), considered: result }));
    assert!(lab.undecided().is_empty());
    let view = lab.ledger.state().donation(&donation(1)).unwrap().unwrap();
    assert_eq!((view.verdicts.len(), view.summary.undecided), (1, false));
    assert_eq!(view.registration.unwrap().seq, registered_at);
}

#[test]
fn a_control_that_comes_later_reopens_every_donation_that_may_stand_on_it() {
    let lab = Lab::new();
    let last = [lab.patient(1, Some(7)), lab.patient(2, Some(7)), lab.patient(3, Some(8))][2];
    (1..4).for_each(|n| {
        lab.decide(n, last);
    });
    assert!(lab.undecided().is_empty());
    let message = lab.message();
    let control = lab.write(interpreted(message, vec![observation(SpecimenKind::Control, Some(7))], &[]));
    // Donation 3 is of another run, on the same analyser and assay with no control since: this one may stand for it.
    assert_eq!(lab.undecided(), [(1, control.get()), (2, control.get()), (3, control.get())]);
    let seen = lab.ledger.state().run(&run(7)).unwrap();
    assert_eq!((seen.controls.len(), seen.donations.len()), (1, 2));
}

#[test]
fn work_is_listed_oldest_first_and_page_by_page() {
    let lab = Lab::new();
    for number in [5, 3, 9, 1] {
        lab.write(registered(number));
    }
    lab.write(registered(3));
    let state = lab.ledger.state();
    let first = state.to_decide(&Page::first(3)).unwrap();
    let numbers = |items: &[ledger::DecideItem]| -> Vec<String> {
        items.iter().map(|i| i.donation.to_string()).collect()
    };
    assert_eq!(numbers(&first.items), ["G000005", "G000003", "G000009"]);
    let rest = state.to_decide(&Page::first(3).after(first.next.unwrap())).unwrap();
    assert_eq!((numbers(&rest.items), rest.next), (vec!["G000001".to_owned()], None));
    let newest = state.to_decide(&Page::newest(1)).unwrap();
    assert_eq!(numbers(&newest.items), ["G000001"]);
    let before = state.to_decide(&Page::newest(9).after(newest.next.unwrap())).unwrap();
    assert_eq!(numbers(&before.items), ["G000009", "G000003", "G000005"]);
}

#[test]
fn verdicts_of_one_donation_leave_in_order_one_after_the_other() {
    let lab = Lab::new();
    let (a1, b1, a2) = (lab.decide(1, Seq::NONE), lab.decide(2, Seq::NONE), lab.decide(1, Seq::NONE));
    assert_eq!(lab.outbox(), [a1.get(), b1.get()]);
    let (delivery, outcome) = (delivery(a1), "no answer".to_owned());
    lab.write(Draft::by_system(What::DeliveryAttempted { delivery, outcome, next_at_ms: 5 }));
    assert_eq!(lab.outbox(), [a1.get(), b1.get()]);
    let item = lab.ledger.state().outbox(&destination(), 1).unwrap().remove(0);
    assert_eq!((item.attempts, item.next_at_ms), (1, 5));
    lab.done(a1);
    assert_eq!(lab.outbox(), [b1.get(), a2.get()]);
    lab.done(a2);
    lab.done(b1);
    assert!(lab.outbox().is_empty());
    assert_eq!(lab.ledger.state().counters().unwrap().deliveries_done, 3);
}

#[test]
fn a_dead_letter_is_listed_lets_the_next_one_pass_and_can_be_sent_again() {
    let lab = Lab::new();
    let (first, second) = (lab.decide(1, Seq::NONE), lab.decide(1, Seq::NONE));
    lab.dead(first);
    assert_eq!(lab.outbox(), [second.get()]);
    let dead = lab.ledger.state().dead_letters(&Page::first(9)).unwrap().items;
    assert_eq!((dead[0].id.verdict, dead[0].outcome.as_deref()), (first, Some("answered AR")));
    lab.dead(second);
    lab.requeue(second);
    assert_eq!((lab.outbox(), lab.state_of(second)), (vec![second.get()], DeliveryState::Pending));
    assert_eq!(lab.ledger.state().counters().unwrap().deliveries_dead, 1);
}

#[test]
fn an_older_verdict_is_never_sent_again_behind_a_newer_one() {
    let lab = Lab::new();
    let (first, second) = (lab.decide(1, Seq::NONE), lab.decide(1, Seq::NONE));
    lab.dead(first);
    lab.done(second);
    lab.requeue(first);
    assert!(lab.outbox().is_empty());
    let letter = lab.ledger.state().delivery(&delivery(first)).unwrap().unwrap();
    assert_eq!(letter.state, DeliveryState::Dead);
    assert!(letter.outcome.unwrap().contains(&format!("verdict {second}")));
}

#[test]
fn receivers_do_not_wait_for_each_other() {
    let lab = Lab::new();
    let other = DestinationId::new("lis").unwrap();
    let first = lab.write(verdict(1, Seq::NONE, &[destination(), other.clone()]));
    lab.done(first);
    assert!(lab.outbox().is_empty());
    assert_eq!(lab.ledger.state().outbox(&other, 9).unwrap().len(), 1);
    let all = lab.ledger.state().deliveries_of(&donation(1)).unwrap();
    assert_eq!(
        all.iter().map(|d| d.state).collect::<Vec<_>>(),
        [DeliveryState::Done, DeliveryState::Pending]
    );
}

#[test]
fn a_verdict_that_was_read_back_cannot_be_written_as_a_new_one() {
    let lab = Lab::new();
    let seq = lab.decide(1, Seq::NONE);
    let forged = Draft::by_system(What::VerdictMade(lab.ledger.state().verdict(seq).unwrap()));
    let refused = lab.ledger.append(vec![forged]).unwrap_err();
    assert!(refused.to_string().contains("release room"), "{refused}");
}

#[test]
fn a_long_transfer_of_many_messages_is_kept_small_and_read_back_exactly() {
    let lab = Lab::new();
    let mut expect = Vec::new();
    let mut group = Vec::new();
    for number in 0..600u32 {
        let text = number.to_be_bytes();
        group.push(frame(9, &text));
        expect.extend_from_slice(&text);
        if number == 299 {
            group.push(received(Body::Frames { transfer: 9, from: 0, to: 1199 }));
        }
    }
    group.push(received(Body::Frames { transfer: 9, from: 1199, to: 2397 }));
    group.push(ended(9));
    let first = write(&lab.ledger, group);
    let state = lab.ledger.state();
    assert_eq!(state.raw(Seq::new(first.get() + 300)).unwrap(), expect[..1199]);
    assert_eq!(state.raw(Seq::new(first.get() + 601)).unwrap(), expect[1199..2397]);
    assert_eq!(state.unused_text(9).unwrap().unwrap(), expect[2397..]);
    assert_eq!(state.half_transfers(&Page::first(9)).unwrap().items.len(), 1);
    write(&lab.ledger, vec![received(Body::Frames { transfer: 9, from: 2397, to: 2400 })]);
    assert!(state.half_transfers(&Page::first(9)).unwrap().items.is_empty());
    assert_eq!(state.unused_text(9).unwrap(), None);
}

#[test]
fn a_message_whose_bytes_are_not_there_is_kept_counted_and_said() {
    let lab = Lab::new();
    let message = lab.write(received(Body::Frames { transfer: 9, from: 0, to: 5 }));
    assert!(matches!(lab.ledger.state().raw(message), Err(ledger::ReadError::BytesMissing(_))));
    assert_eq!(lab.misfits(), 1);
    assert_eq!(lab.ledger.state().to_interpret(&Page::first(9)).unwrap().items.len(), 1);
}

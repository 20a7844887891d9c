//! Results that come again, halves whose rest comes, and numbers that begin one another.

use crate::opening::{Lab, donation, ended, frame, observation, profile, registered_as, verdict};
use ledger::{Draft, Earlier, Known, Measured, ObservationRef, Page, Seq, What};
use vocabulary::{DonationId, SpecimenKind};

impl Lab {
    /// A message with these measurements: index, identity, what it is to an earlier one.
    fn measures(&self, kind: SpecimenKind, measured: Vec<Measured>, continues: Vec<u64>) -> Seq {
        let message = self.message();
        self.reads(message, kind, measured, continues);
        message
    }

    fn reads(&self, message: Seq, kind: SpecimenKind, measured: Vec<Measured>, continues: Vec<u64>) {
        let patients = kind == SpecimenKind::Patient;
        self.write(Draft::by_system(What::MessageInterpreted {
            message,
            profile: profile(),
            observations: vec![observation(kind, Some(1)); 2],
            findings: vec![],
            donations: if patients { vec![(1, donation(1))] } else { vec![] },
            holds: vec![],
            orders: vec![],
            measured,
            continues,
            pools: ledger::Pools::default(),
            part: 0,
            last: true,
        }));
    }
}

fn measured(index: u32, identity: u64, earlier: Option<Earlier>) -> Measured {
    Measured { index, place: 200 + index, identity, outcome: 5, earlier }
}

#[test]
fn what_was_measured_is_known_of_its_donation_until_the_message_is_read_anew() {
    let lab = Lab::new();
    let state = lab.ledger.state();
    let first = lab.measures(SpecimenKind::Patient, vec![measured(0, 7, None), measured(1, 8, None)], vec![]);
    let at = |message| ObservationRef { message, place: 201 };
    let known = |message, identity| Known { at: at(message), identity, outcome: 5 };
    assert_eq!(state.measured_of(&donation(1)).unwrap(), [known(first, 8)], "the other is about nobody");
    let repeat = Some(Earlier::RepeatOf(at(first)));
    let second = lab.measures(SpecimenKind::Patient, vec![measured(1, 8, repeat)], vec![]);
    assert_eq!(state.measured_of(&donation(1)).unwrap(), [known(first, 8), known(second, 8)]);
    let view = state.donation(&donation(1)).unwrap().unwrap();
    let seen: Vec<_> = view.observations.iter().map(|o| (o.message, o.place, o.earlier)).collect();
    assert_eq!(seen, [(first, 201, None), (second, 201, repeat)]);
    let json = serde_json::to_value(&view.observations[1]).unwrap();
    assert_eq!(json["repeat_of"], serde_json::json!({ "message": first, "place": 201 }));
    assert!(serde_json::to_value(&view.observations[0]).unwrap().get("repeat_of").is_none());
    assert_eq!(state.observations_of(second).unwrap().unwrap().measured[0].earlier, repeat);
    lab.reads(first, SpecimenKind::Patient, vec![measured(1, 9, None)], vec![]);
    assert_eq!(state.measured_of(&donation(1)).unwrap(), [known(first, 9), known(second, 8)]);
}

#[test]
fn what_controls_measured_is_known_of_their_run() {
    let lab = Lab::new();
    let message = lab.measures(SpecimenKind::Control, vec![measured(0, 7, None)], vec![]);
    let known = lab.ledger.state().measured_in(&crate::opening::run(1)).unwrap();
    assert_eq!(known.iter().map(|k| (k.at.message, k.identity)).collect::<Vec<_>>(), [(message, 7)]);
}

#[test]
fn a_half_transmission_names_the_message_that_is_its_rest() {
    let lab = Lab::new();
    let state = lab.ledger.state();
    let by = || state.half_transfers(&Page::first(9)).unwrap().items.pop().unwrap().continued_by;
    lab.write(frame(5, b"H|\r"));
    lab.write(ended(5));
    assert_eq!(by(), None);
    let message = lab.measures(SpecimenKind::Patient, vec![], vec![5]);
    assert_eq!(by(), Some(message));
    assert_eq!(state.unused_text(5).unwrap().unwrap(), b"H|\r", "its text stays where it is");
    lab.reads(message, SpecimenKind::Patient, vec![], vec![]);
    assert_eq!(by(), None, "read anew, it is so no more");
    // A displaced line may not have ended its transfer when the rest is read.
    lab.write(frame(6, b"H|\r"));
    let message = lab.measures(SpecimenKind::Patient, vec![], vec![6]);
    lab.write(ended(6));
    assert_eq!(by(), Some(message));
    assert_eq!(lab.misfits(), 0);
    lab.measures(SpecimenKind::Patient, vec![], vec![99]);
    assert_eq!(lab.misfits(), 1);
}

fn id(text: &str) -> DonationId {
    DonationId::new(text).unwrap()
}

fn register(lab: &Lab, text: &str) -> Seq {
    lab.write(registered_as(text))
}

fn decide(lab: &Lab, text: &str, considered: Seq) {
    lab.write(Draft::by_system(What::VerdictUnchanged { donation: id(text), considered }));
}

fn undecided(lab: &Lab) -> Vec<String> {
    let items = lab.ledger.state().to_decide(&Page::first(99)).unwrap().items;
    let mut names: Vec<String> = items.into_iter().map(|i| i.donation.to_string()).collect();
    names.sort();
    names
}

#[test]
fn a_number_that_begins_another_asks_for_a_new_decision_of_it_once() {
    let lab = Lab::new();
    let alike = |text: &str| -> Vec<String> {
        lab.ledger.state().alike(&id(text)).unwrap().iter().map(ToString::to_string).collect()
    };
    for text in ["1234567890123", "12345678901", "1234567", "123456789012345", "1234567890124"] {
        let at = register(&lab, text);
        for waiting in undecided(&lab) {
            decide(&lab, &waiting, at);
        }
    }
    assert_eq!(alike("12345678901"), ["1234567890123", "123456789012345", "1234567890124"]);
    assert_eq!(alike("123456789012345"), ["12345678901", "1234567890123"]);
    assert_eq!(alike("1234567"), Vec::<String>::new(), "too short to be what a reader left");
    assert!(undecided(&lab).is_empty());
    // Not by what is known, but by what is new.
    let at = register(&lab, "1234567890123");
    assert_eq!(undecided(&lab), ["1234567890123"]);
    decide(&lab, "1234567890123", at);
    register(&lab, "12345678");
    assert_eq!(
        undecided(&lab),
        ["12345678", "12345678901", "1234567890123", "123456789012345", "1234567890124"]
    );
    lab.write(verdict(1, at, &[]));
    assert_eq!(lab.misfits(), 0);
}

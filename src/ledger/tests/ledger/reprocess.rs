//! Revisions that connections read with, and messages that are read again.

use crate::opening::{
    Lab, connection, donation, finding, interpreted, observation, profile, received, write,
};
use ledger::{Body, Draft, Measured, Page, ProfileContent, Seq, What};
use vocabulary::{Consequence, ProfileRef, SpecimenKind};

fn revision(name: &str) -> ProfileRef {
    ProfileRef { id: profile().id, revision: name.to_owned() }
}

impl Lab {
    fn keeps(&self, profile: &ProfileRef) -> Seq {
        let content = ProfileContent { text: "schema = 1".to_owned(), ..ProfileContent::default() };
        self.write(Draft::by_system(What::ProfileKept { profile: profile.clone(), content, mapping: None }))
    }

    fn pins(&self, profile: &ProfileRef) -> Seq {
        self.keeps(profile);
        let what = What::ProfilePinned { connection: connection(), profile: profile.clone() };
        self.write(Draft::by_system(what))
    }

    fn proposes(&self, by: &str, profile: &ProfileRef) -> Seq {
        let (connection, why) = (connection(), "mended".to_owned());
        let what = What::ProfileProposed { connection, profile: profile.clone(), why };
        self.write(Draft { by: by.into(), what })
    }

    fn activates(&self, by: &str, profile: &ProfileRef, proposed: Seq) {
        let what = What::ProfileActivated { connection: connection(), profile: profile.clone(), proposed };
        self.write(Draft { by: by.into(), what });
    }

    fn pinned(&self) -> ProfileRef {
        self.ledger.state().pin(&connection()).unwrap().unwrap().profile
    }

    fn asks(&self, message: Seq, profile: &ProfileRef) -> Seq {
        let what = What::ReprocessAsked { message, profile: profile.clone(), why: "mended".to_owned() };
        self.write(Draft { by: "user:a".into(), what })
    }

    /// Reads a message as what `profile` makes of it: one result of donation 1, and a finding or none.
    fn reads_with(&self, message: Seq, profile: &ProfileRef, held: bool) -> Seq {
        let measured = vec![Measured { index: 0, place: 0, identity: 7, outcome: 5, earlier: None }];
        let mut draft = interpreted(message, vec![observation(SpecimenKind::Patient, Some(1))], &[(0, 1)]);
        if let What::MessageInterpreted { profile: read, findings, measured: m, .. } = &mut draft.what {
            *read = profile.clone();
            *m = measured;
            findings.extend(held.then(|| finding(Consequence::Hold)));
        }
        self.write(draft)
    }

    fn to_interpret(&self) -> Vec<Seq> {
        let items = self.ledger.state().to_interpret(&Page::first(99)).unwrap().items;
        items.into_iter().map(|item| item.message).collect()
    }
}

#[test]
fn law_10_a_revision_is_activated_by_two_people_and_by_nothing_else() {
    let lab = Lab::new();
    let (old, new) = (revision("old"), revision("new"));
    lab.pins(&old);
    lab.pins(&new);
    assert_eq!((lab.pinned(), lab.misfits()), (old.clone(), 1), "pinned once, at the first start");
    lab.proposes("user:a", &revision("nobody keeps it"));
    lab.proposes("user:a", &old);
    assert_eq!(lab.misfits(), 3);
    let proposed = lab.proposes("user:a", &new);
    lab.activates("user:a", &new, proposed);
    lab.activates("user:b", &old, proposed);
    lab.activates("user:b", &new, proposed.next());
    assert_eq!((lab.pinned(), lab.misfits()), (old.clone(), 6));
    lab.activates("user:b", &new, proposed);
    let pin = lab.ledger.state().pin(&connection()).unwrap().unwrap();
    assert_eq!((pin.profile, &*pin.by, pin.proposed), (new.clone(), "user:b", None));
    lab.activates("user:c", &new, proposed);
    assert_eq!(lab.misfits(), 7, "a proposal is used once");
    let history = lab.ledger.state().pin_history(&connection(), &Page::first(9)).unwrap().items;
    let history: Vec<_> = history.iter().map(|entry| (entry.what.name(), &*entry.by)).collect();
    let expected =
        [("profile_pinned", "system"), ("profile_proposed", "user:a"), ("profile_activated", "user:b")];
    assert_eq!(history, expected);
    let kept = lab.ledger.state().kept_profile(&new).unwrap().unwrap();
    assert_eq!((kept.profile, &*kept.content.text), (new, "schema = 1"));
}

#[test]
fn messages_after_an_activation_are_read_with_it_and_those_before_as_they_were() {
    let lab = Lab::new();
    lab.pins(&profile());
    let before = lab.message();
    let new = revision("new");
    lab.keeps(&new);
    let proposed = lab.proposes("user:a", &new);
    lab.activates("user:b", &new, proposed);
    let after = lab.message();
    let state = lab.ledger.state();
    let reads_with = |seq| state.message(seq).unwrap().unwrap().read_with;
    assert_eq!((reads_with(before), reads_with(after)), (profile(), new.clone()));
    lab.reads_with(after, &profile(), false);
    assert_eq!(lab.to_interpret(), [before, after], "read with the former it is still to be read");
    lab.reads_with(after, &new, false);
    assert_eq!(lab.to_interpret(), [before]);
}

#[test]
fn a_message_is_read_again_once_and_what_it_was_taken_for_stays() {
    let lab = Lab::new();
    let state = lab.ledger.state();
    let message = lab.message();
    let first = lab.reads_with(message, &profile(), true);
    lab.asks(message, &revision("nobody activated it"));
    assert_eq!((lab.misfits(), lab.to_interpret()), (1, vec![]), "not with just any revision");
    let asked = lab.asks(message, &profile());
    lab.asks(Seq::new(999), &profile());
    assert_eq!((lab.misfits(), lab.to_interpret()), (2, vec![message]));
    assert_eq!(state.held_messages(None, &|_| true, &Page::first(9)).unwrap().items.len(), 1);
    let again = lab.reads_with(message, &profile(), false);
    let counters = state.counters().unwrap();
    assert_eq!(
        (counters.interpreted, counters.observations, counters.findings, counters.held_messages),
        (1, 1, 0, 0)
    );
    let versions = state.interpretations_of(message).unwrap();
    let told: Vec<_> = versions.iter().map(|v| (v.entry, v.asked, v.replaced_by)).collect();
    assert_eq!(told, [(first, None, Some(again)), (again, Some(asked), None)]);
    assert_eq!(state.past_interpretation(message, first).unwrap().unwrap().findings.len(), 1);
    assert!(state.past_interpretation(message, again).unwrap().is_none());
    let view = state.donation(&donation(1)).unwrap().unwrap();
    assert_eq!((view.observations.len(), view.observations[0].entry), (1, again), "counted once");
}

#[test]
fn later_messages_of_the_same_donations_are_looked_at_again_and_may_stand() {
    let lab = Lab::new();
    let messages = [lab.message(), lab.message(), lab.message()];
    for message in messages {
        lab.reads_with(message, &profile(), false);
    }
    let [first, second, third] = messages;
    lab.asks(second, &profile());
    lab.reads_with(second, &profile(), false);
    assert_eq!(lab.to_interpret(), [third], "not those before it");
    let stands = |message| {
        lab.write(Draft::by_system(What::InterpretationStands { message, profile: profile() }));
    };
    stands(third);
    stands(first);
    assert_eq!((lab.to_interpret(), lab.misfits()), (vec![], 1));
    assert_eq!(lab.ledger.state().interpretations_of(third).unwrap().len(), 1);
}

#[test]
fn held_messages_are_found_by_their_reasons() {
    let lab = Lab::new();
    let held = lab.message();
    lab.reads_with(held, &profile(), true);
    write(&lab.ledger, vec![received(Body::Whole(b"H|".as_slice().into()))]);
    let state = lab.ledger.state();
    let found = |wanted: &str| {
        let found =
            state.held_messages(Some(&connection()), &|name| name == wanted, &Page::first(9)).unwrap();
        found.items.iter().map(|held| held.message.seq).collect::<Vec<_>>()
    };
    assert_eq!((found("unmapped_test"), found("unknown_value")), (vec![held], vec![]));
    let other = "other".parse().unwrap();
    assert!(state.held_messages(Some(&other), &|_| true, &Page::first(9)).unwrap().items.is_empty());
}

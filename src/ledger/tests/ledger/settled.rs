//! Which registration of a number that was registered for two stands: what two people name counts, for its donor alone, until
//! another registration says another thing or they no longer agree.

use crate::opening::{Lab, donation, open, settings, verdict, write};
use crate::registrations::of;
use fastrand::Rng;
use ledger::{DonorAct, Draft, Ledger, Registered, Seq, StateStore, What, rebuild};
use std::collections::{BTreeMap, BTreeSet};

/// One person says that the registration of an entry stands.
fn word(who: &str, (entry, seen): (Seq, &str)) -> Draft {
    let (registrations, reason) = (seen.to_owned(), "the donor's card".to_owned());
    let act = DonorAct::RegistrationSettled { donation: donation(1), registrations, entry, reason };
    Draft { by: who.into(), what: What::Donor(act) }
}

fn stands(ledger: &Ledger) -> Registered {
    ledger.state().registration_of(&donation(1)).unwrap().unwrap()
}

/// Number 1, registered for A, who gave 2, and then for B, who gave 3; and everything decided.
struct Twice {
    lab: Lab,
    first: Seq,
    second: Seq,
}

impl Twice {
    fn new() -> Self {
        let lab = Lab::new();
        let given = |number, donor: &str, at: &str| {
            of(number, |one| (one.donor.id, one.collected_at) = (donor.into(), at.parse().unwrap()))
        };
        let first = lab.write(given(1, "A", "2026-03-01T09:00:00+08:00"));
        lab.write(given(2, "A", "2026-03-01T10:00:00+08:00"));
        lab.write(given(3, "B", "2026-03-01T08:00:00+08:00"));
        let second = lab.write(of(1, |one| {
            one.donor.id = "B".into();
            one.donor.first_time = true;
            one.collected_at = "2026-03-01T11:00:00+08:00".parse().unwrap();
            one.session = Some("bus 1".into());
        }));
        Self { lab, first, second }
    }

    fn says(&self, who: &str, entry: Seq) {
        let seen = stands(&self.lab.ledger).seen();
        self.lab.write(word(who, (entry, &seen)));
    }

    fn two_say(&self, entry: Seq) {
        self.says("user:li", entry);
        self.says("user:wang", entry);
    }

    /// Whose it is: which of A and B it is found by.
    fn of_donors(&self) -> String {
        let gave = |donor: &&str| {
            let given = self.lab.ledger.state().given_by(donor).unwrap();
            given.iter().any(|given| given.donation == donation(1))
        };
        ["A", "B", "C"].into_iter().filter(gave).collect()
    }
}

#[test]
fn what_two_people_name_stands_for_its_donor_alone_and_both_donors_are_judged_anew() {
    let at = Twice::new();
    assert_eq!((at.of_donors().as_str(), stands(&at.lab.ledger).settled()), ("AB", None));
    at.lab.decides();
    at.says("user:li", at.second);
    let undecided = || at.lab.undecided().into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!((at.of_donors().as_str(), undecided()), ("AB", vec![1]), "one person settles nothing");
    at.lab.decides();
    at.says("user:wang", at.second);
    assert_eq!((at.of_donors().as_str(), undecided()), ("B", vec![1, 2, 3]));
    let now = stands(&at.lab.ledger);
    assert_eq!((now.settled(), now.seq), (Some(at.second), at.second));
    let known = &now.registration;
    assert_eq!((known.donor.id.as_str(), known.donor.first_time), ("B", true));
    assert_eq!((known.session.as_deref(), now.contradicted().count()), (Some("bus 1"), 0));
    let given = at.lab.ledger.state().given_by("B").unwrap();
    let collected = given.iter().find(|given| given.donation == donation(1)).unwrap().collected_at_ms;
    assert_eq!(collected, known.collected_at.as_millisecond(), "taken when that one says");
    at.lab.decides();
    at.lab.write(verdict(1, Seq::NONE, &[]));
    assert_eq!(
        undecided(),
        Vec::<u64>::new(),
        "A's later donations hear nothing of it, and B gave none later"
    );
}

#[test]
fn one_person_is_one_whatever_they_say_and_while_people_name_different_ones_none_stands() {
    let at = Twice::new();
    let settled = || stands(&at.lab.ledger).settled();
    for _ in 0..2 {
        at.says("user:li", at.second);
    }
    assert_eq!((settled(), stands(&at.lab.ledger).words.len()), (None, 1));
    at.says("user:wang", at.first);
    assert_eq!((settled(), at.of_donors().as_str()), (None, "AB"));
    at.says("user:li", at.first);
    assert_eq!((settled(), at.of_donors().as_str()), (Some(at.first), "A"));
    at.says("user:zhao", at.second);
    assert_eq!((settled(), at.of_donors().as_str()), (None, "AB"), "a third person says another thing");
    at.says("user:zhao", at.first);
    assert_eq!((settled(), at.of_donors().as_str(), at.lab.misfits()), (Some(at.first), "A", 1));
}

#[test]
fn a_word_of_no_person_of_another_entry_or_of_what_was_not_seen_counts_for_nothing() {
    let at = Twice::new();
    let seen = stands(&at.lab.ledger).seen();
    let nobody = at.lab.write(word("system", (at.second, &seen)));
    at.lab.write(word("user:li", (nobody, &seen)));
    at.lab.write(word("user:li", (at.second, "0000000000000000")));
    assert_eq!((stands(&at.lab.ledger).words, at.lab.misfits()), (vec![], 4));
    at.lab.write(of(1, |one| one.donor.id = "C".into()));
    at.lab.write(word("user:li", (at.second, &seen)));
    assert_eq!(stands(&at.lab.ledger).words, [], "it was said of two, and there are three");
}

#[test]
fn another_registration_after_the_words_takes_them_away_and_one_that_only_holds_more_does_not() {
    let at = Twice::new();
    at.two_say(at.second);
    let of_second = stands(&at.lab.ledger).registration;
    let mut again = of_second.clone();
    at.lab.write(Draft::by_system(What::DonationRegistered(again.clone())));
    assert_eq!(stands(&at.lab.ledger).settled(), Some(at.second), "the same once more");
    again.donor.deferred = true;
    let stricter = at.lab.write(Draft::by_system(What::DonationRegistered(again)));
    let now = stands(&at.lab.ledger);
    assert_eq!((now.settled(), now.seq, at.of_donors().as_str()), (Some(at.second), stricter, "B"));
    assert!(now.registration.donor.deferred);
    at.lab.write(of(1, |one| one.donor.id = "C".into()));
    let now = stands(&at.lab.ledger);
    assert_eq!((now.settled(), at.of_donors().as_str(), now.words), (None, "ABC", vec![]));
    assert_eq!(now.registration.donor.id.as_str(), "A", "what came first stands again");
    assert!(now.registration.donor.deferred, "with whatever any of them holds more");
    at.two_say(at.second);
    assert_eq!(at.of_donors(), "B");
    let seen = stands(&at.lab.ledger).seen();
    at.lab.write(of(1, |one| one.donor.id = "A".into()));
    let now = stands(&at.lab.ledger);
    assert_eq!((now.settled(), at.of_donors().as_str()), (None, "ABC"), "what was known already, said again");
    assert_ne!(now.seen(), seen);
}

#[test]
fn of_the_donor_who_was_named_everything_that_holds_more_stays_and_of_the_other_nothing() {
    let lab = Lab::new();
    let barred = |donor: &str, why: Option<&str>| {
        of(1, |one| (one.donor.id, one.donor.barred) = (donor.into(), why.map(str::to_owned)))
    };
    lab.write(barred("A", Some("HCV of A")));
    let second = lab.write(barred("B", None));
    lab.write(barred("B", Some("HIV of B")));
    for who in ["user:li", "user:wang"] {
        let seen = stands(&lab.ledger).seen();
        lab.write(word(who, (second, &seen)));
    }
    let now = stands(&lab.ledger);
    assert_eq!((now.settled(), now.registration.donor.barred.as_deref()), (Some(second), Some("HIV of B")));
}

#[test]
fn where_a_number_was_registered_as_more_things_than_are_kept_nobody_says_which_it_is() {
    let at = Twice::new();
    at.two_say(at.second);
    let donor = |number: usize| of(1, |one| one.donor.id = format!("X{number}").into());
    for number in 0..30 {
        at.lab.write(donor(number));
    }
    let barred = of(1, |one| (one.donor.id, one.donor.barred) = ("Z".into(), Some("HIV".into())));
    at.lab.write(barred);
    let now = stands(&at.lab.ledger);
    assert_eq!((now.settled(), now.told.len(), now.untold), (None, 20, 13));
    assert_eq!(now.registration.donor.barred.as_deref(), Some("HIV"));
    at.two_say(at.second);
    assert_eq!((stands(&at.lab.ledger).words, at.of_donors().as_str()), (vec![], "AB"));
}

/// What a registration says of a donor here, and what people say of which it is, read from the start of the journal.
#[derive(Default)]
struct Naive {
    known: Vec<(char, bool)>,
    words: BTreeMap<&'static str, (char, bool)>,
}

impl Naive {
    fn settled(&self) -> Option<char> {
        let mut named = self.words.values();
        let first = named.next()?;
        (self.words.len() > 1 && named.all(|one| one == first)).then_some(first.0)
    }

    fn registered(&mut self, one: (char, bool)) {
        match (self.known.as_slice(), self.settled()) {
            ([only], _) if only.0 == one.0 && (one.1 || !only.1) => self.known.clear(),
            (_, Some(donor)) if donor != one.0 => self.words.clear(),
            (known, None) if !known.contains(&one) => self.words.clear(),
            _ => {}
        }
        if !self.known.contains(&one) {
            self.known.push(one);
        }
    }

    /// Whose it is, and whether they may not give.
    fn stands(&self) -> (BTreeSet<char>, bool) {
        let counts = |one: &&(char, bool)| self.settled().is_none_or(|donor| donor == one.0);
        let all = || self.known.iter().filter(counts);
        (all().map(|one| one.0).collect(), all().any(|one| one.1))
    }
}

#[test]
fn whatever_is_registered_and_said_in_whatever_order_it_stands_as_a_plain_reading_has_it() {
    for seed in 0..16 {
        let mut rng = Rng::with_seed(seed);
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path(), StateStore::Sled);
        let (ledger, _) = open(&settings);
        let mut naive = Naive::default();
        for step in 0..30 {
            let known = ledger.state().registration_of(&donation(1)).unwrap();
            let named = known.as_ref().filter(|known| !known.told.is_empty() && rng.u8(..3) > 0);
            if let Some(known) = named {
                let one = &known.told[rng.usize(..known.told.len())];
                let who = ["user:li", "user:wang", "user:zhao"][rng.usize(..3)];
                write(&ledger, vec![word(who, (one.entry, &known.seen()))]);
                let donor = &one.registration.donor;
                naive.words.insert(who, (donor.id.as_str().chars().next().unwrap(), donor.deferred));
            } else {
                let one = (['A', 'B', 'C'][rng.usize(..3)], rng.u8(..3) == 0);
                let draft = of(1, |r| (r.donor.id, r.donor.deferred) = (one.0.to_string().into(), one.1));
                write(&ledger, vec![draft]);
                naive.registered(one);
            }
            let state = ledger.state();
            let now = state.registration_of(&donation(1)).unwrap().unwrap();
            let gave = |donor: &char| !state.given_by(&donor.to_string()).unwrap().is_empty();
            let of_donors: BTreeSet<char> = ['A', 'B', 'C'].into_iter().filter(gave).collect();
            let expect = naive.stands();
            assert_eq!((of_donors, now.registration.donor.deferred), expect, "seed {seed} step {step}");
            assert_eq!(now.settled().is_some(), naive.settled().is_some(), "seed {seed} step {step}");
        }
        let stands = ledger.state().registration_of(&donation(1)).unwrap();
        ledger.close();
        rebuild(&settings, &mut |_| {}).unwrap();
        let (ledger, _) = open(&settings);
        assert_eq!(ledger.state().registration_of(&donation(1)).unwrap(), stands, "seed {seed}");
    }
}

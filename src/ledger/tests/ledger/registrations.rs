//! A donation number that is registered twice: what stood stays, and both donors' donations are judged anew.

use crate::opening::{Lab, donation, open, registered, settings, verdict};
use ledger::{Draft, Page, Registered, Seq, StateStore, What, rebuild};
use vocabulary::{DonationRegistration, RegistrationPart};

pub(crate) fn of(number: u64, change: impl FnOnce(&mut DonationRegistration)) -> Draft {
    let What::DonationRegistered(mut registration) = registered(number).what else {
        unreachable!("it is a registration")
    };
    change(&mut registration);
    Draft::by_system(What::DonationRegistered(registration))
}

impl Lab {
    fn stands(&self, number: u64) -> Registered {
        self.ledger.state().registration_of(&donation(number)).unwrap().unwrap()
    }

    /// Decides what waits, so that only what comes now is to be decided.
    pub(crate) fn decides(&self) {
        while let Some((number, _)) = self.undecided().first() {
            self.write(verdict(*number, self.ledger.state().applied(), &[]));
        }
    }

    fn given_by(&self, donor: &str) -> Vec<String> {
        let given = self.ledger.state().given_by(donor).unwrap();
        given.into_iter().map(|given| given.donation.to_string()).collect()
    }
}

#[test]
fn a_number_registered_again_clears_no_deferral_and_swaps_no_donor() {
    let lab = Lab::new();
    let first = lab.write(of(1, |one| one.donor.deferred = true));
    let cleared = lab.write(of(1, |one| one.donor.deferred = false));
    let stands = lab.stands(1);
    assert!(stands.registration.donor.deferred);
    assert_eq!((stands.seq, stands.untaken[0].entry), (first, cleared));
    assert_eq!(stands.untaken[0].parts, [RegistrationPart::Deferred]);
    lab.write(of(1, |one| one.donor.id = "other".into()));
    assert_eq!(lab.stands(1).registration.donor.id.as_str(), "DG000001");
    assert_eq!(lab.misfits(), 2);
    let view = lab.ledger.state().donation(&donation(1)).unwrap().unwrap();
    assert_eq!(view.registration, Some(lab.stands(1)), "who looks at the donation sees what was not taken");
}

#[test]
fn a_number_registered_again_may_become_stricter_and_what_holds_more_is_taken_of_one_that_does_not_fit() {
    let lab = Lab::new();
    lab.write(registered(1));
    let barred = lab.write(of(1, |one| one.donor.barred = Some("HCV".into())));
    assert_eq!((lab.stands(1).seq, lab.stands(1).untaken, lab.misfits()), (barred, vec![], 0));
    lab.write(of(1, |one| (one.donor.first_time, one.donor.deferred) = (true, true)));
    let donor = lab.stands(1).registration.donor;
    assert_eq!((donor.first_time, donor.deferred, donor.barred.as_deref()), (false, true, Some("HCV")));
    assert_eq!(lab.misfits(), 1);
}

#[test]
fn donations_of_both_donors_are_judged_anew_when_one_number_is_registered_for_both() {
    let lab = Lab::new();
    let at = |hour: u64| format!("2026-03-01T{hour:02}:00:00Z").parse().unwrap();
    let given = |number: u64, donor: &str, hour| {
        of(number, |one| (one.donor.id, one.collected_at) = (donor.into(), at(hour)))
    };
    for draft in [given(1, "A", 1), given(2, "A", 3), given(3, "B", 1), given(4, "B", 3), given(5, "C", 3)] {
        lab.write(draft);
    }
    lab.write(given(6, "A", 2));
    lab.decides();
    lab.write(given(6, "B", 2));
    let numbers = |lab: &Lab| lab.undecided().into_iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert_eq!(numbers(&lab), [1, 2, 3, 4, 6]);
    assert_eq!(lab.given_by("A"), ["G000001", "G000006", "G000002"]);
    assert_eq!(lab.given_by("B"), ["G000003", "G000006", "G000004"]);
    lab.decides();
    lab.write(verdict(6, Seq::NONE, &[]));
    assert_eq!(numbers(&lab), [2, 4], "what is found in it counts for what either gave later");
}

#[test]
fn what_was_not_taken_is_the_same_after_the_state_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path(), StateStore::Sled);
    let (ledger, _) = open(&settings);
    let drafts =
        vec![of(1, |one| one.donor.deferred = true), registered(1), of(1, |one| one.donor.id = "B".into())];
    crate::opening::write(&ledger, drafts);
    let stands = ledger.state().registration_of(&donation(1)).unwrap();
    assert_eq!(stands.as_ref().unwrap().untaken.len(), 2);
    ledger.close();
    rebuild(&settings, &mut |_| {}).unwrap();
    let (ledger, _) = open(&settings);
    assert_eq!(ledger.state().registration_of(&donation(1)).unwrap(), stands);
    assert_eq!(ledger.state().to_decide(&Page::first(9)).unwrap().items.len(), 1);
}

//! Donations are registered: which registration stands, whom it counts for, and what two people say where they contradict
//! each other.

use super::pools::Fellows;
use super::{Fold, Folded};
use crate::Seq;
use crate::state::{Candidate, Key, Registered, RegistrationWord, record};
use std::collections::BTreeSet;
use vocabulary::{DonationId, DonationRegistration, DonorId};

/// Other donors that one donation was registered for.
const OR_DONORS_MAX: usize = 20;

impl Fold<'_, '_> {
    /// What comes first stands; a later registration of the number takes its place only where it eases nothing.
    pub(super) fn registered(&mut self, later: &DonationRegistration) -> Folded {
        let key = Key::registration(&later.donation).done();
        let (stands, is_taken) = Registered::after(record(self.view, &key)?, later, self.seq);
        self.view.put_record(key, &stands)?;
        if !is_taken {
            self.misfit();
        }
        self.stands_otherwise(&stands, &later.donor.id)
    }

    /// A person says which registration stands: two of them decide it, and one of them undecides it.
    pub(super) fn registration_settled(
        &mut self,
        donation: &DonationId,
        (seen, stands): (&str, Seq),
        reason: &str,
    ) -> Folded {
        let key = Key::registration(donation).done();
        let Some(before) = record::<Registered>(self.view, &key)?.filter(|_| self.is_of_person()) else {
            self.misfit();
            return Ok(());
        };
        let mut now = before.clone();
        let word = RegistrationWord { stands, done: self.done(), reason: reason.to_owned() };
        if !now.say(word, seen) {
            self.misfit();
            return Ok(());
        }
        self.view.put_record(key, &now)?;
        if now.settled() == before.settled() {
            return self.reopen(donation);
        }
        self.stands_otherwise(&now, &now.registration.donor.id)
    }

    /// Whose a donation is and when it was taken may be otherwise than it was. While nobody knows which of several donors gave
    /// it, what is known of it counts for all of them; whoever it counts for now, or counted for, is judged anew.
    fn stands_otherwise(&mut self, stands: &Registered, told: &DonorId) -> Folded {
        let (registration, donation) = (&stands.registration, &stands.registration.donation);
        let mut record = self.donation(donation)?;
        let before: Vec<DonorId> = record.donor.iter().chain(&record.or_donors).cloned().collect();
        let mut others: BTreeSet<DonorId> = stands.other_donors().into_iter().cloned().collect();
        if stands.untold > 0 {
            others.extend(record.or_donors.iter().chain([told]).cloned());
            others.remove(&registration.donor.id);
        }
        record.or_donors = others.into_iter().take(OR_DONORS_MAX).collect();
        let now: Vec<DonorId> =
            [&registration.donor.id].into_iter().chain(&record.or_donors).cloned().collect();
        let (was, at) = (record.collected_at_ms, registration.collected_at.as_millisecond());
        self.collected(donation, was, at);
        self.given(donation, (&before, was), (&now, at));
        record.registered = Some(stands.seq);
        record.collected_at_ms = Some(at);
        record.donor = Some(registration.donor.id.clone());
        record.session.clone_from(&registration.session);
        self.want_decision(donation, &mut record);
        self.put_donation(donation, &record)?;
        self.candidate_is(donation, &registration.donor.id)?;
        // What was said of the one is no answer for the other.
        self.donor_of_tasks(donation, told)?;
        if stands.told.is_empty() {
            self.reopen_later(donation)?;
        } else {
            let all: BTreeSet<&DonorId> = before.iter().chain(&now).collect();
            for donor in all {
                for given in self.given_from(donor, 0)? {
                    self.reopen(&given)?;
                }
            }
        }
        self.reopen_suspected_beside(donation, at)?;
        if let Some(was) = was.filter(|was| *was != at) {
            self.reopen_suspected_beside(donation, was)?;
        }
        self.reopen_fellows(donation, Fellows::Registered)
    }

    /// Who may be examined for re-entry because of a donation is whoever gave it, whether its verdict changes or not.
    fn candidate_is(&mut self, donation: &DonationId, donor: &DonorId) -> Folded {
        let key = Key::candidate(donation).done();
        let known: Option<Candidate> = record(self.view, &key)?;
        match known.filter(|known| known.donor != *donor) {
            Some(known) => self.view.put_record(key, &Candidate { donor: donor.clone(), ..known }),
            None => Ok(()),
        }
    }
}

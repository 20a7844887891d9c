//! Donations are registered: one list after another, and a list against itself, so that no number stands for two donors.
//!
//! ```text
//!  row ──differs in nothing that eases──► stands
//!   ├──differs────────────────────────► refused, and kept once: what it holds more holds, the donation waits (gate 09)
//!   ├──holds less and says nothing else► refused, and nothing of it is kept
//!   └──is wrong by itself──────────────► refused, and nothing of it is kept; the other rows are taken
//! ```

mod refused;
#[cfg(test)]
mod tests;

pub use refused::{Holds, Refused, RowFault, RowRefused};

use jiff::{SignedDuration, Timestamp};
use ledger::{By, Draft, Ledger, Reader, Registered, Seq, What};
use release::evidence::OpenFinding;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use vocabulary::{Consequence, DonationId, DonationRegistration, DonorId, Finding, RegistrationPart};

/// So far may the clock of whoever took a donation be ahead of this one.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_mins(15);
/// Contradictions of one number that are written down; of more, only what holds more than those before.
const CONTRADICTIONS_MAX: usize = 20;

/// The one place where donations are registered: who comes second sees what the first wrote.
#[derive(Debug, Default)]
pub struct Registrations(Mutex<()>);

impl Registrations {
    /// Registers donations in the name of `by`. Blocks until they are durable and the state knows them. A row that may not stand
    /// keeps no other one out. One that contradicts what is registered is written all the same, once: what it holds more holds,
    /// and the donation waits until it is found out which of the two it is.
    ///
    /// # Errors
    /// [`Refused`]; with [`Refused::Rows`] every row that is not named was registered.
    pub fn register(
        &self,
        ledger: &Ledger,
        by: &By,
        rows: Vec<DonationRegistration>,
    ) -> Result<Seq, Refused> {
        let _one = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused = held_against(ledger, &rows, Timestamp::now())?;
        let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
        let mut written: Vec<(DonationId, Option<usize>)> = Vec::with_capacity(rows.len());
        let mut group = Vec::with_capacity(rows.len());
        for (at, row) in rows.into_iter().enumerate() {
            let refusal = refused.iter().position(|one| one.row == at);
            if refusal.and_then(|place| refused.get(place)).is_none_or(|one| one.holds == Holds::New) {
                written.push((row.donation.clone(), refusal));
                group.push(Draft { by: by.clone(), what: What::DonationRegistered(row) });
            }
        }
        if group.is_empty() {
            return Err(Refused::Rows { rows: refused, registered: 0 });
        }
        let durable = ledger.append(group).map_err(|e| broken(&e))?.wait().map_err(|e| broken(&e))?;
        ledger.wait_applied(durable.last()).wait().map_err(|e| broken(&e))?;
        let entries = || (durable.first().get()..).map(Seq::new);
        for (entry, (_, refusal)) in entries().zip(&written) {
            if let Some(one) = refusal.and_then(|place| refused.get_mut(place)) {
                one.holds = Holds::Since(entry);
            }
        }
        if refused.is_empty() {
            let registered: Vec<(Seq, DonationId)> =
                entries().zip(written.into_iter().map(|(donation, _)| donation)).collect();
            taken(ledger, &registered)?;
            return Ok(durable.last());
        }
        let registered = written.iter().filter(|(_, refusal)| refusal.is_none()).count();
        Err(Refused::Rows { rows: refused, registered })
    }
}

/// Every row against what stands, and against the rows before it.
fn held_against(
    ledger: &Ledger,
    rows: &[DonationRegistration],
    now: Timestamp,
) -> Result<Vec<RowRefused>, Refused> {
    let reader = ledger.state();
    let mut before: BTreeMap<&DonationId, (usize, DonationRegistration)> = BTreeMap::new();
    let mut refused = Vec::new();
    for (row, registration) in rows.iter().enumerate() {
        let donation = &registration.donation;
        if let Some(fault) = by_itself(registration, now) {
            refused.push(RowRefused { row, donation: donation.clone(), fault, holds: Holds::Nothing });
            continue;
        }
        let stands = reader.registration_of(donation)?;
        let (known, fault) = match (before.get(donation), &stands) {
            (Some((first, known)), _) => {
                (known, RowFault::Row { row: *first, parts: known.eased_by(registration) })
            }
            (None, Some(stands)) => {
                let parts = stands.registration.eased_by(registration);
                (&stands.registration, RowFault::Registered { entry: stands.seq, parts })
            }
            (None, None) => {
                before.insert(donation, (row, registration.clone()));
                continue;
            }
        };
        if fault.parts().is_empty() {
            before.insert(donation, (row, registration.clone()));
            continue;
        }
        let both = known.graver_of(registration);
        let has_room = stands.as_ref().is_none_or(|stands| stands.untaken.len() < CONTRADICTIONS_MAX);
        let contradicts = !fault.parts().iter().copied().all(RegistrationPart::is_kept_graver);
        let holds_more = both != *known || (contradicts && has_room);
        let holds = match kept(&reader, stands.as_ref(), registration)? {
            Some(entry) if stands.as_ref().is_some_and(|stands| stands.settled().is_some()) => {
                Holds::Settled(entry)
            }
            Some(entry) => Holds::Since(entry),
            None if holds_more => Holds::New,
            None => Holds::Nothing,
        };
        if before.contains_key(donation) {
            before.entry(donation).and_modify(|(_, known)| *known = both);
        }
        refused.push(RowRefused { row, donation: donation.clone(), fault, holds });
    }
    Ok(refused)
}

/// The entry by which the same was registered before, and not taken: who sends it again says nothing new, to people who have
/// named another one neither.
fn kept(
    reader: &Reader,
    stands: Option<&Registered>,
    registration: &DonationRegistration,
) -> Result<Option<Seq>, Refused> {
    let Some(stands) = stands else { return Ok(None) };
    if let Some(told) = stands.told.iter().find(|told| told.registration == *registration) {
        return Ok(Some(told.entry));
    }
    for one in &stands.untaken {
        if let What::DonationRegistered(known) = reader.entry(one.entry)?.what
            && known == *registration
        {
            return Ok(Some(one.entry));
        }
    }
    Ok(None)
}

/// What is wrong with a row by itself.
fn by_itself(registration: &DonationRegistration, now: Timestamp) -> Option<RowFault> {
    let collected_at = registration.collected_at;
    if let Err(why) = DonorId::new(&registration.donor.id) {
        return Some(RowFault::Donor(why));
    }
    (collected_at.duration_since(now) > CLOCK_AHEAD).then_some(RowFault::ToCome { collected_at, now })
}

/// Whether the state took all that was written.
fn taken(ledger: &Ledger, written: &[(Seq, DonationId)]) -> Result<(), Refused> {
    let reader = ledger.state();
    for (entry, donation) in written {
        let stands = reader.registration_of(donation)?;
        let lost = stands.and_then(|stands| stands.untaken.into_iter().find(|one| one.entry == *entry));
        if let Some(untaken) = lost {
            return Err(Refused::Untaken { donation: donation.clone(), untaken });
        }
    }
    Ok(())
}

/// Findings that hold a donation whose number was registered for two, until two people have said which of them it is.
pub(crate) fn contradicted(stands: &Registered) -> impl Iterator<Item = Finding> {
    stands.contradicted().map(|one| Finding {
        finding: OpenFinding::REGISTERED_TWICE.to_owned(),
        place: format!("entry {}", one.entry),
        what: format!(
            "its number was registered again, with {}; the registration of entry {} stands, and nothing of it was eased: find \
             out in the blood information system which of the two it is, and have two people say so (hemogate donation \
             settle-registration)",
            RegistrationPart::listed(&one.parts)[0],
            stands.seq
        ),
        consequence: Consequence::Hold,
        specimen: None,
    })
}

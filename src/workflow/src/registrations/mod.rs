//! Donations are registered: one list after another, and a list against itself, so that no number stands for two donors.

mod refused;
#[cfg(test)]
mod tests;

pub use refused::{Refused, RowFault, RowRefused};

use jiff::{SignedDuration, Timestamp};
use ledger::{By, Draft, Ledger, Registered, Seq, What};
use release::evidence::OpenFinding;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use vocabulary::{Consequence, DonationId, DonationRegistration, DonorId, Finding, RegistrationPart};

/// So far may the clock of whoever took a donation be ahead of this one.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_mins(15);

/// The one place where donations are registered: who comes second sees what the first wrote.
#[derive(Debug, Default)]
pub struct Registrations(Mutex<()>);

impl Registrations {
    /// Registers donations in the name of `by`: all of them, or none. Blocks until they are durable and the state knows them.
    ///
    /// # Errors
    /// [`Refused`]; with [`Refused::Rows`] nothing was written.
    pub fn register(
        &self,
        ledger: &Ledger,
        by: &By,
        rows: Vec<DonationRegistration>,
    ) -> Result<Seq, Refused> {
        let _one = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held_against(ledger, &rows, Timestamp::now())?;
        let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
        let donations: Vec<DonationId> = rows.iter().map(|row| row.donation.clone()).collect();
        let draft = |row| Draft { by: by.clone(), what: What::DonationRegistered(row) };
        let group = rows.into_iter().map(draft).collect();
        let durable = ledger.append(group).map_err(|e| broken(&e))?.wait().map_err(|e| broken(&e))?;
        ledger.wait_applied(durable.last()).wait().map_err(|e| broken(&e))?;
        taken(ledger, durable.first(), &donations)?;
        Ok(durable.last())
    }
}

/// Every row against what stands, and against the rows before it.
fn held_against(ledger: &Ledger, rows: &[DonationRegistration], now: Timestamp) -> Result<(), Refused> {
    let reader = ledger.state();
    let mut before: BTreeMap<&DonationId, (usize, &DonationRegistration)> = BTreeMap::new();
    let mut refused = Vec::new();
    for (row, registration) in rows.iter().enumerate() {
        let donation = &registration.donation;
        let fault = match (by_itself(registration, now), before.get(donation)) {
            (Some(fault), _) => Some(fault),
            (None, Some((first, known))) => match known.eased_by(registration) {
                none if none.is_empty() => None,
                parts => Some(RowFault::Row { row: *first, parts }),
            },
            (None, None) => match reader.registration_of(donation)? {
                Some(known) => match known.registration.eased_by(registration) {
                    none if none.is_empty() => None,
                    parts => Some(RowFault::Registered { entry: known.seq, parts }),
                },
                None => None,
            },
        };
        match fault {
            Some(fault) => refused.push(RowRefused { row, donation: donation.clone(), fault }),
            None => drop(before.insert(donation, (row, registration))),
        }
    }
    if refused.is_empty() { Ok(()) } else { Err(Refused::Rows(refused)) }
}

/// What is wrong with a row by itself.
fn by_itself(registration: &DonationRegistration, now: Timestamp) -> Option<RowFault> {
    let collected_at = registration.collected_at;
    if let Err(why) = DonorId::new(&registration.donor.id) {
        return Some(RowFault::Donor(why));
    }
    (collected_at.duration_since(now) > CLOCK_AHEAD).then_some(RowFault::ToCome { collected_at, now })
}

/// Whether the state took all that was written from `first` on.
fn taken(ledger: &Ledger, first: Seq, donations: &[DonationId]) -> Result<(), Refused> {
    let reader = ledger.state();
    for donation in donations {
        let stands = reader.registration_of(donation)?;
        let lost = stands.and_then(|stands| stands.untaken.into_iter().find(|one| one.entry >= first));
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

//! The deferral register: who defers a donor, and who lets one give again.

use super::{Refused, number, of_donor, register, terms, text};
use crate::Settings;
use crate::people::{Act, Actor};
use jiff::civil::Date;
use ledger::{DonorAct, Ledger, Reader, Seq};
use release::evidence::{Register, RegisterState};
use serde::Deserialize;
use vocabulary::DonationId;

/// A donor to be deferred.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deferral {
    /// For good. Else for a time, whose end alone makes nobody eligible.
    #[serde(default)]
    pub permanent: bool,
    /// Last day of a deferral for a time.
    #[serde(default)]
    pub until: Option<Date>,
    /// First day whose donations it speaks of: what was given before stands as it stands. Without it, of all. A donor who is
    /// deferred already stays deferred for what was.
    #[serde(default)]
    pub since: Option<Date>,
    /// The donation whose verdict asks for it: its task is done with this. A deferral for good does that for every donation
    /// of the donor, named or not.
    #[serde(default)]
    pub donation: Option<String>,
    /// Why.
    pub reason: String,
}

/// Defers a donor. What was deferred for good stays so.
///
/// # Errors
/// [`Refused`]; [`Refused::OtherDonor`], [`Refused::Over`], [`Refused::ToCome`], [`Refused::NotOfDonation`],
/// [`Refused::TooShort`].
pub fn defer(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    deferral: &Deferral,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::DeferDonor)?;
    let (donor, reason) = (number(donor)?, text("reason", &deferral.reason)?);
    let named =
        deferral.donation.as_deref().map(|given| of_donor(settings, &reader, (given, &donor))).transpose()?;
    let stands = reader.donor(&donor)?.register.map(|register| register.state);
    if !deferral.permanent && stands == Some(RegisterState::PermDeferred) {
        return Err(Refused::ForGood);
    }
    let state = if deferral.permanent { RegisterState::PermDeferred } else { RegisterState::TempDeferred };
    let until = deferral.until.filter(|_| !deferral.permanent);
    speaks_of_now(settings, &reader, (until, deferral.since), named.as_ref())?;
    let line = Register { state, reason: Some(reason), until, since: deferral.since };
    let act = DonorAct::Registered { donor: donor.clone(), register: line, on: Vec::new(), donation: named };
    register(ledger, actor, &donor, act)
}

/// Whether a deferral speaks of the present: its last day is not over, its first day is tomorrow at the latest, and no later
/// than that of the donation that it is for.
fn speaks_of_now(
    settings: &Settings,
    reader: &Reader,
    (until, since): (Option<Date>, Option<Date>),
    named: Option<&DonationId>,
) -> Result<(), Refused> {
    let day = |at: jiff::Timestamp| at.to_zoned(settings.time_zone.clone()).date();
    let today = day(jiff::Timestamp::now());
    if let Some(until) = until.filter(|until| *until < today) {
        return Err(Refused::Over { until });
    }
    terms::lasts(settings, reader, (until, today), named)?;
    let Some(since) = since else { return Ok(()) };
    if today.tomorrow().is_ok_and(|tomorrow| since > tomorrow) {
        return Err(Refused::ToCome { since });
    }
    let Some(donation) = named else { return Ok(()) };
    let known = reader.donation(donation)?.and_then(|known| known.registration);
    let collected = known.map(|known| day(known.registration.collected_at));
    match collected.filter(|collected| since > *collected) {
        Some(collected) => Err(Refused::NotOfDonation { donation: donation.clone(), collected, since }),
        None => Ok(()),
    }
}

/// Lets a donor who was deferred for a time give again. It names the entries that it rests on.
///
/// # Errors
/// [`Refused`]; [`Refused::ForGood`], [`Refused::NotDeferred`], [`Refused::NoEvidence`].
pub fn reinstate(
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (on, reason): (&[Seq], &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::ReinstateDonor)?;
    let (donor, reason) = (number(donor)?, text("reason", reason)?);
    match reader.donor(&donor)?.register.map(|register| register.state) {
        Some(RegisterState::TempDeferred) => {}
        Some(RegisterState::PermDeferred) => return Err(Refused::ForGood),
        Some(RegisterState::ReentryTesting) => return Err(Refused::Examined),
        Some(RegisterState::Eligible) | None => return Err(Refused::NotDeferred),
    }
    if on.is_empty() || on.iter().any(|entry| reader.entry(*entry).is_err()) {
        return Err(Refused::NoEvidence);
    }
    let line = Register { state: RegisterState::Eligible, reason: Some(reason), until: None, since: None };
    let act = DonorAct::Registered { donor: donor.clone(), register: line, on: on.to_vec(), donation: None };
    register(ledger, actor, &donor, act)
}

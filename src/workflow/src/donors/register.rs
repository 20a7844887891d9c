//! The deferral register: who defers a donor, and who lets one give again.

use super::{LINES_MAX, Refused, number, of_donor, register, terms, text};
use crate::Settings;
use crate::people::{Act, Actor};
use jiff::civil::Date;
use ledger::{DeferralStands, DonorAct, Ledger, Reader, Seq};
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

/// Defers a donor. It stands by itself beside what stands already, and takes nothing from it.
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
    let stands = reader.donor(&donor)?;
    let is_for_good = stands.register.is_some_and(|line| line.state == RegisterState::PermDeferred);
    if !deferral.permanent && is_for_good {
        return Err(Refused::ForGood);
    }
    if !deferral.permanent && stands.deferrals.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
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

/// Lets a donor who was deferred for a time give again. It names the entries that it rests on; where several deferrals stand,
/// those that it takes back among them: the others go on.
///
/// # Errors
/// [`Refused`]; [`Refused::ForGood`], [`Refused::NotDeferred`], [`Refused::NoEvidence`], [`Refused::WhichDeferral`].
pub fn reinstate(
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (on, reason): (&[Seq], &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::ReinstateDonor)?;
    let (donor, reason) = (number(donor)?, text("reason", reason)?);
    let stands = reader.donor(&donor)?;
    let for_a_time = || stands.deferrals.iter().filter(|one| one.line.state == RegisterState::TempDeferred);
    match stands.register.as_ref().map(|register| register.state) {
        Some(RegisterState::PermDeferred) => return Err(Refused::ForGood),
        Some(RegisterState::ReentryTesting) if for_a_time().next().is_none() => {
            return Err(Refused::Examined);
        }
        Some(RegisterState::ReentryTesting | RegisterState::TempDeferred) => {}
        Some(RegisterState::Eligible) | None => return Err(Refused::NotDeferred),
    }
    if on.is_empty() || on.iter().any(|entry| reader.entry(*entry).is_err()) {
        return Err(Refused::NoEvidence);
    }
    if stands.deferrals.len() > 1 && !for_a_time().any(|one| on.contains(&one.done.entry)) {
        return Err(which(for_a_time()));
    }
    let line = Register { state: RegisterState::Eligible, reason: Some(reason), until: None, since: None };
    let act = DonorAct::Registered { donor: donor.clone(), register: line, on: on.to_vec(), donation: None };
    register(ledger, actor, &donor, act)
}

/// That nobody can tell which deferral is meant, with those that could be.
pub(super) fn which<'d>(all: impl Iterator<Item = &'d DeferralStands>) -> Refused {
    Refused::WhichDeferral { standing: all.map(told).collect() }
}

/// A deferral by its entry, for people.
pub(super) fn told(one: &DeferralStands) -> String {
    let reason = one.line.reason.as_deref().unwrap_or("?");
    format!("{} ({reason})", one.done.entry)
}

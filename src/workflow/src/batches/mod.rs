//! Batches: donations that are reviewed and released together, by two different people.
//!
//! ```text
//!  session, runs, list ──► open ──► BatchNow (each donation judged now, with what holds it)
//!                                     │ seen: hash of all of it
//!                   discard, hold ◄───┼──► review (password again) ──► release (password again, another person)
//!                                     │                                    │ what every gate lets go; the rest stays
//!                 anything changes ───┴──► signatures hold no longer ◄─────┘ released and changed: recall
//! ```
//!
//! Every command takes an [`Actor`] or, to sign, a [`Confirmed`], and asks the ledger whether the person may.

mod changes;
#[cfg(test)]
mod hold_tests;
mod now;
mod open;
mod refused;
mod runs;
mod sign;
#[cfg(test)]
pub(crate) mod tests;

pub use changes::Change;
pub use now::{BatchNow, MemberNow, Stage};
pub use open::{NewBatch, Session, open};
pub use refused::Refused;
pub use runs::{Agreed, Invalid, confirm_run, invalidate_run, judge_run_anew, name_repeat, reinstate_run};
pub use sign::{Aside, ReleaseAsked, Released, release, review};

use crate::{
    Settings,
    people::{Act, Actor},
};
use ledger::{
    COMPONENTS_MAX, ComponentPlace, ComponentStands, Draft, FoundComponents, HOLDS_MAX, HoldKind, Ledger,
    Reader, Seq, SignedAct, What,
};
use release::Unit;
use serde::Deserialize;
use std::collections::BTreeSet;
use vocabulary::DonationId;

/// Donations of one batch.
pub const DONATIONS_MAX: usize = 2_000;
/// Characters of a name, a reason, a comment.
const TEXT_CHARS_MAX: usize = 500;

fn text(field: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() { Err(Refused::Text { field }) } else { remark(field, text) }
}

fn remark(field: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let fits = text.chars().count() <= TEXT_CHARS_MAX && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refused::Text { field }) }
}

/// Writes an act, and waits until the state knows it.
fn write(ledger: &Ledger, actor: &Actor, act: SignedAct) -> Result<Seq, Refused> {
    write_all(ledger, actor, vec![act])
}

/// Writes acts as one group: all of them or none. The last of them.
fn write_all(ledger: &Ledger, actor: &Actor, acts: Vec<SignedAct>) -> Result<Seq, Refused> {
    let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
    let draft = |act| Draft { by: actor.by(), what: What::Signed(act) };
    let group = acts.into_iter().map(draft).collect();
    let seq = ledger.append(group).map_err(|e| broken(&e))?.wait().map_err(|e| broken(&e))?.last();
    ledger.wait_applied(seq).wait().map_err(|e| broken(&e))?;
    Ok(seq)
}

/// Donations as they were scanned, each once, all of them in the batch where one is named.
fn scanned(
    settings: &Settings,
    ledger: &Ledger,
    batch: Option<Seq>,
    numbers: &[String],
) -> Result<Vec<DonationId>, Refused> {
    if numbers.is_empty() {
        return Err(Refused::Empty);
    }
    if numbers.len() > DONATIONS_MAX {
        return Err(Refused::TooMany { max: DONATIONS_MAX });
    }
    let number = |given: &String| {
        let read = settings.specimens.entered(given);
        read.map_err(|why| Refused::Number { given: given.clone(), why: why.what })
    };
    let donations: BTreeSet<DonationId> = numbers.iter().map(number).collect::<Result<_, _>>()?;
    if let Some(batch) = batch {
        let reader = ledger.state();
        reader.batch(batch)?.ok_or(Refused::NoSuchBatch(batch))?;
        let members: BTreeSet<DonationId> = reader.donations_of_batch(batch)?.into_iter().collect();
        if let Some(other) = donations.difference(&members).next() {
            return Err(Refused::NotInBatch(other.clone()));
        }
    }
    Ok(donations.into_iter().collect())
}

/// Holds donations, of a batch or wherever they are. A released one is called back by it. One hold takes nothing from another.
///
/// # Errors
/// [`Refused`]; [`Refused::NoSuchDonation`] outside a batch where nothing is known of one.
pub fn hold(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (batch, numbers): (Option<Seq>, &[String]),
    (kind, reason): (HoldKind, &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::HoldDonation)?;
    let (donations, reason) = (scanned(settings, ledger, batch, numbers)?, text("reason", reason)?);
    for donation in &donations {
        // One that is misspelt would stay free, and whoever rang up would be told that it is held.
        if batch.is_none() && !reader.is_known(donation)? {
            return Err(Refused::NoSuchDonation(donation.clone()));
        }
        if reader.by_people(donation)?.holds.len() >= HOLDS_MAX {
            return Err(Refused::HeldOften(donation.clone()));
        }
    }
    write(ledger, actor, SignedAct::DonationsHeld { donations, kind, reason })
}

/// Lifts the holds of people that stand: one that comes while they are lifted stays.
///
/// # Errors
/// [`Refused`].
pub fn lift(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (batch, numbers): (Option<Seq>, &[String]),
    reason: &str,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::LiftHold)?;
    let seen = Some(reader.applied());
    let (donations, reason) = (scanned(settings, ledger, batch, numbers)?, text("reason", reason)?);
    for donation in &donations {
        if reader.by_people(donation)?.holds.is_empty() {
            return Err(Refused::NotHeld(donation.clone()));
        }
    }
    write(ledger, actor, SignedAct::HoldsLifted { donations, reason, seen })
}

/// Whether a component can be found where it should be; one that nobody finds is counted, and never found by a count.
fn is_here(component: &ComponentStands) -> bool {
    component.is_to_be_found() && component.place() != ComponentPlace::Missing
}

/// Units that were taken out.
#[derive(Debug, Clone, Copy)]
pub struct Counted<'a> {
    /// How many a person counted.
    pub counted: u32,
    /// Why they are taken out.
    pub reason: &'a str,
    /// Among them are donations that pass, and that is meant.
    pub passing: bool,
}

/// Takes units out for good: they were found, scanned one by one, and counted by hand (R-GATE-13). Where the components of a
/// donation are known, its units are those that are in quarantine. Of one that passes nothing has to be taken out, and nobody
/// can take it back: that has to be meant.
///
/// # Errors
/// [`Refused`]; [`Refused::Passes`] where one passes, and nobody says that it is meant.
pub fn discard(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (batch, numbers): (Seq, &[String]),
    Counted { counted, reason, passing }: Counted<'_>,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::DiscardDonation)?;
    let (donations, reason) = (scanned(settings, ledger, Some(batch), numbers)?, text("reason", reason)?);
    let (mut units, mut components) = (0, Vec::new());
    for donation in &donations {
        let passes = reader.standing(donation)?.is_some_and(|verdict| verdict.unit == Unit::Pass.name());
        if passes && !passing {
            return Err(Refused::Passes(donation.clone()));
        }
        let all = reader.components(donation)?;
        let found: Vec<String> =
            all.iter().filter(|(_, one)| is_here(one)).map(|(id, _)| id.clone()).collect();
        units += if all.is_empty() { 1 } else { found.len() };
        if !found.is_empty() {
            components.push(FoundComponents { donation: donation.clone(), components: found });
        }
    }
    if u32::try_from(units) != Ok(counted) {
        return Err(Refused::Count { counted, scanned: units });
    }
    write(ledger, actor, SignedAct::DonationsDiscarded { donations, counted, reason, components })
}

/// What closes a recall.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// What came of it.
    pub outcome: String,
    /// The components that are out, by code: their consignees were told.
    #[serde(default)]
    pub told: Vec<String>,
    /// The components that are in the house, by code: they are kept there.
    #[serde(default)]
    pub kept: Vec<String>,
}

/// Closes a recall, as a look-back is closed: when the consignees of whatever is out were told, and whatever is in the house
/// is kept there. Of a donation of which nobody told what was made, the outcome says it.
///
/// # Errors
/// [`Refused`]; [`Refused::NotTold`] and [`Refused::NotKept`] with what is missing.
pub fn close_recall(ledger: &Ledger, actor: &Actor, recall: Seq, closing: &Closing) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::CloseRecall)?;
    let outcome = text("outcome", &closing.outcome)?;
    if closing.told.len().max(closing.kept.len()) > COMPONENTS_MAX {
        return Err(Refused::TooMany { max: COMPONENTS_MAX });
    }
    against_closing(&reader, recall, closing)?;
    let (told, kept) = (Some(closing.told.clone()), closing.kept.clone());
    let entry = write(ledger, actor, SignedAct::RecallClosed { recall, outcome, told, kept })?;
    // Something may have gone out between the look and the entry, or another person have closed it.
    let reader = ledger.state();
    let closed = reader.recall(recall)?.and_then(|found| found.about.closed);
    if closed.is_some_and(|closed| closed.entry == entry) {
        return Ok(entry);
    }
    against_closing(&reader, recall, closing)?;
    Err(Refused::NoSuchRecall(recall))
}

/// What is missing before a recall may be closed.
fn against_closing(reader: &Reader, recall: Seq, closing: &Closing) -> Result<(), Refused> {
    let open = reader.recall(recall)?.filter(|found| found.about.closed.is_none());
    let donation = open.ok_or(Refused::NoSuchRecall(recall))?.about.donation;
    let all = reader.components(&donation)?;
    let unsaid = |are: fn(&ComponentStands) -> bool, said: &[String]| {
        let those = all.iter().filter(|(code, one)| are(one) && !said.contains(code));
        those.map(|(code, _)| code.clone()).collect::<Vec<_>>()
    };
    let out = unsaid(ComponentStands::is_out, &closing.told);
    if !out.is_empty() {
        return Err(Refused::NotTold { recall, donation, out });
    }
    let here = unsaid(ComponentStands::is_to_be_found, &closing.kept);
    if here.is_empty() { Ok(()) } else { Err(Refused::NotKept { recall, donation, here }) }
}

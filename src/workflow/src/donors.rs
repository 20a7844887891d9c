//! Donors: the deferral register, results that are known from elsewhere, confirmatory tests, re-entry, and neighbours of
//! a suspected wrong tube. Each is a command of a person and an entry; together they are evidence for every donation of
//! the donor.
//!
//! ```text
//!  eligible ──defer──► temp_deferred ──examine──► reentry_testing ──approve (names every test, by another person)──► eligible
//!      │                 └──reinstate (names entries)─────────────────────────────────────────────────────────────► eligible
//!      └──defer for good──► perm_deferred, from wherever a donor stands, and for good
//! ```
//!
//! Each deferral stands by itself until it is taken back; a donor is where the gravest of them says.

#[cfg(test)]
mod check_tests;
mod checks;
mod examined;
mod facts;
#[cfg(test)]
mod group_tests;
mod known;
#[cfg(test)]
mod lookback_tests;
mod lookbacks;
#[cfg(test)]
mod many_tests;
mod recorded;
#[cfg(test)]
mod recorded_tests;
mod reentry;
#[cfg(test)]
mod reentry_tests;
mod refused;
mod register;
#[cfg(test)]
mod register_tests;
#[cfg(test)]
mod said_tests;
#[cfg(test)]
mod task_tests;
mod tasks;
mod terms;
#[cfg(test)]
mod terms_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod unsettled_tests;
#[cfg(test)]
mod version_tests;
mod versions;
mod whose;
#[cfg(test)]
mod whose_tests;

pub(crate) use checks::are_compared;
pub(crate) use checks::identity;
pub use checks::{
    DuplicateSeen, DuplicateTest, TypedSeen, accept_duplicate, check_number, duplicates, typed_numbers,
};
pub use examined::ExaminationRefused;
pub use facts::DonorFacts;
pub(crate) use facts::found_in;
pub use known::unknown;
pub(crate) use lookbacks::lookback_command;
pub use lookbacks::{LookbackRefused, look_back};
pub use recorded::{RecordRefused, record_earlier, take_back};
pub use reentry::{Approval, Examination, approve, examine, record_test, remaining};
pub use refused::Refused;
pub use register::{Deferral, defer, reinstate};
pub use tasks::{Closing, close_task};
pub(crate) use terms::{deferred_for, reentry_from};
pub use versions::{DisputedSeen, Version, VersionSeen, disputed, settle_result};
pub use whose::{
    RegisteredTwice, RegistrationRefused, RegistrationSeen, Which as WhichRegistration, registered_twice,
    settle_registration,
};

use crate::evidence::{Determination, determinations};
use crate::people::{Act, Actor};
use crate::{DonationFacts, Settings};
use ledger::{DonorAct, Draft, Ledger, Reader, Seq, What};
use release::evidence::{Confirmatory, GroupingSample};
use serde::{Deserialize, Serialize};
use vocabulary::{DonationId, DonorId, RunId};

/// Characters of a reason, a report.
const TEXT_CHARS_MAX: usize = 500;
/// Lines of one donor of one kind.
const LINES_MAX: usize = 200;

fn text(field: &'static str, text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refused::Text { field }) }
}

fn number(donor: &str) -> Result<DonorId, Refused> {
    DonorId::new(donor).map_err(Refused::Donor)
}

fn write(ledger: &Ledger, actor: &Actor, act: DonorAct) -> Result<Seq, Refused> {
    write_all(ledger, actor, vec![act])
}

/// One group of entries, whole or not at all; the last of them.
fn write_all(ledger: &Ledger, actor: &Actor, acts: Vec<DonorAct>) -> Result<Seq, Refused> {
    let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
    let draft = |act| Draft { by: actor.by(), what: What::Donor(act) };
    let group = acts.into_iter().map(draft).collect();
    let seq = ledger.append(group).map_err(|e| broken(&e))?.wait().map_err(|e| broken(&e))?.last();
    ledger.wait_applied(seq).wait().map_err(|e| broken(&e))?;
    Ok(seq)
}

/// Writes what changes the register. What stood there may have changed since it was looked at; then nothing is changed.
fn register(ledger: &Ledger, actor: &Actor, donor: &str, act: DonorAct) -> Result<Seq, Refused> {
    let seq = write(ledger, actor, act)?;
    let stands = ledger.state().donor(donor)?.registered;
    if stands.is_some_and(|registered| registered.entry == seq) { Ok(seq) } else { Err(Refused::Lapsed) }
}

fn donation(settings: &Settings, given: &str) -> Result<DonationId, Refused> {
    let read = settings.specimens.entered(given);
    read.map_err(|why| Refused::Number { given: given.to_owned(), why: why.what })
}

/// A donation that is not known to be another donor's; of one that was registered for two either may be its donor.
fn of_donor(
    settings: &Settings,
    reader: &Reader,
    (given, donor): (&str, &str),
) -> Result<DonationId, Refused> {
    let donation = donation(settings, given)?;
    let known = reader.donation(&donation)?.ok_or_else(|| Refused::NoSuchDonation(donation.clone()))?;
    let may_be = |known: &ledger::Registered| {
        let others = known.other_donors();
        others.into_iter().chain([&known.registration.donor.id]).any(|of| of.as_str() == donor)
    };
    match known.registration.filter(|known| !may_be(known)) {
        Some(_) => Err(Refused::OtherDonor(donation)),
        None => Ok(donation),
    }
}

/// Records what a confirmatory laboratory said.
///
/// # Errors
/// [`Refused`].
pub fn confirm(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    given: &str,
    (test, report): (&Confirmatory, &str),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::RecordConfirmatory)?;
    let (donation, report) = (donation(settings, given)?, text("report", report)?);
    if reader.donation(&donation)?.is_none() {
        return Err(Refused::NoSuchDonation(donation));
    }
    if reader.notes_of(&donation)?.confirmatory.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    write(ledger, actor, DonorAct::Confirmed { donation, test: test.clone(), report })
}

/// Holds a donation because one beside it may be in its tube (G4).
///
/// # Errors
/// [`Refused`].
pub fn suspect(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, beside): (&str, &str),
    reason: &str,
) -> Result<Seq, Refused> {
    actor.check(&ledger.state(), Act::HoldDonation)?;
    let (donation, suspect) = (donation(settings, given)?, donation(settings, beside)?);
    if donation == suspect {
        return Err(Refused::Itself);
    }
    let reason = text("reason", reason)?;
    write(ledger, actor, DonorAct::NeighbourSuspected { donation, suspect, reason })
}

/// Says that a donation was grouped again from its bag segment, and agrees.
///
/// # Errors
/// [`Refused`].
pub fn settle(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, beside): (&str, &str),
    reason: &str,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::LiftHold)?;
    let (donation, suspect) = (donation(settings, given)?, donation(settings, beside)?);
    let reason = text("reason", reason)?;
    let open = |n: &release::evidence::Neighbour| n.donation == suspect && !n.settled;
    let by_person = reader.notes_of(&donation)?.neighbours;
    let by_verdict = || {
        reader.suspected_beside(&donation).map(|all| all.iter().any(|n| n.donation == suspect && !n.settled))
    };
    let is_told = by_person.iter().any(|n| n.donation == suspect);
    if !by_person.iter().any(open) && (is_told || !by_verdict()?) {
        return Err(Refused::NotSuspected(donation));
    }
    write(ledger, actor, DonorAct::NeighbourSettled { donation, suspect, reason })
}

/// Which determination of a blood group is meant. Where its run has several, the message or the material says which.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Which {
    /// Its run.
    pub run: RunId,
    /// The message that its rows came with.
    #[serde(default)]
    pub message: Option<u64>,
    /// What it was made from.
    #[serde(default)]
    pub sample: Option<GroupingSample>,
    /// The hash of the columns that the person saw, or how it begins: where they are others now, nothing is said of them.
    #[serde(default)]
    pub seen: Option<String>,
    /// The groups of the donor's earlier donations are wrong.
    #[serde(default)]
    pub history_wrong: bool,
}

/// So much of a hash says that what it is of was seen.
const SEEN_DIGITS_MIN: usize = 8;

/// Whether somebody who names a hash, or how it begins, has seen what it is of.
fn is_seen(named: &str, hash: &str) -> bool {
    named.len() >= SEEN_DIGITS_MIN && hash.starts_with(named)
}

/// A determination of a blood group, as a person names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GroupSeen {
    /// Its run.
    pub run: Option<RunId>,
    /// The message that its rows came with.
    pub message: u64,
    /// What it was made from.
    pub sample: GroupingSample,
    /// SHA-256 of its columns.
    pub columns: String,
    /// Who has said that it stands, and saw these columns.
    pub stands_by: Vec<String>,
}

/// The determinations of a donation's blood group.
#[must_use]
pub fn groups(facts: &DonationFacts, settings: &Settings) -> Vec<GroupSeen> {
    let all = determinations(facts, settings);
    let seen = |one: &Determination| GroupSeen {
        run: one.run.clone(),
        message: one.message,
        sample: one.sample,
        columns: one.columns(),
        stands_by: facts.donor.words_on(one, &all).map(|word| word.done.by.clone()).collect(),
    };
    all.iter().map(seen).collect()
}

/// One of the two names under the end of an inquiry into a donation's blood group: one determination stands, and takes the
/// place of those before it. Blood of another group in the tube than in the bag goes on holding. Where both say that the
/// groups of earlier donations are wrong, and the tube agrees with this determination from the segment, those that are known
/// now hold it no longer.
///
/// # Errors
/// [`Refused`]; [`Refused::NoSuchGrouping`], [`Refused::SeveralGroupings`], [`Refused::OtherColumns`],
/// [`Refused::SaidAlready`], [`Refused::NotOfSegment`], [`Refused::NoHistory`].
pub fn settle_group(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (given, which): (&str, &Which),
    reason: &str,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::SettleGroup)?;
    let (donation, reason) = (donation(settings, given)?, text("reason", reason)?);
    let facts = crate::facts_of(settings, &reader, &donation)?;
    let all = determinations(&facts, settings);
    let is_meant = |one: &&Determination| {
        one.is_of(&which.run)
            && which.message.is_none_or(|message| message == one.message)
            && which.sample.is_none_or(|sample| sample == one.sample)
    };
    let meant: Vec<&Determination> = all.iter().filter(is_meant).collect();
    let one = match meant.as_slice() {
        [] => return Err(Refused::NoSuchGrouping(which.run.clone())),
        [one] => *one,
        several => {
            let messages = several.iter().map(|one| one.message).collect();
            return Err(Refused::SeveralGroupings { run: which.run.clone(), messages });
        }
    };
    let columns = one.columns();
    if let Some(seen) = &which.seen
        && !is_seen(seen, &columns)
    {
        return Err(Refused::OtherColumns { seen: seen.clone(), now: columns });
    }
    let sets_aside =
        if which.history_wrong { facts.donor.history(facts.registration.as_ref()) } else { Vec::new() };
    if which.history_wrong && one.sample != GroupingSample::Segment {
        return Err(Refused::NotOfSegment);
    }
    if which.history_wrong && sets_aside.is_empty() {
        return Err(Refused::NoHistory);
    }
    let says_all = |word: &ledger::GroupSettled| sets_aside.iter().all(|one| word.sets_aside.contains(one));
    let is_own = |word: &ledger::GroupSettled| word.done.by == actor.user().as_str();
    if facts.donor.words_on(one, &all).any(|word| is_own(word) && says_all(word)) {
        return Err(Refused::SaidAlready);
    }
    if facts.donor.groups.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    let (message, sample) = (Some(Seq::new(one.message)), Some(one.sample));
    let run = one.run.clone().unwrap_or_else(|| which.run.clone());
    let columns = Some(columns);
    write(
        ledger,
        actor,
        DonorAct::GroupSettled { donation, run, message, sample, columns, sets_aside, reason },
    )
}

/// What stands of a donor, for people.
///
/// # Errors
/// [`ledger::ReadError`].
pub fn stands(
    reader: &Reader,
    donor: &str,
) -> Result<(ledger::DonorStands, Vec<ledger::Given>), ledger::ReadError> {
    let donor = DonorId::from(donor);
    Ok((reader.donor(&donor)?, reader.given_by(&donor)?))
}

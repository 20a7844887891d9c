//! Re-entry: an examination is begun, its tests are entered, and another person approves what the rule pack finds whole.

use super::register::{told, which};
use super::{ExaminationRefused, LINES_MAX, Refused, facts, number, register, text, write};
use crate::Settings;
use crate::people::{Act, Actor};
use crate::rules::Book;
use jiff::{Timestamp, civil::Date};
use ledger::{DonorAct, DonorStands, DonorTasks, Ledger, ReadError, Reader, Seq, What};
use release::{
    Evidence,
    evidence::{Call, Donor, Reentry, ReentryTest, RegisterState, Resolution},
};
use serde::Deserialize;
use vocabulary::DonationId;

/// A re-entry examination to be begun.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Examination {
    /// What for, by the names of verdicts.
    pub marker: String,
    /// Since when the donor is deferred.
    pub deferred_on: Date,
    /// What NAT gave then: only who was not reactive there may come back.
    pub nat_then: Call,
    /// Why.
    pub reason: String,
}

/// Begins a re-entry examination of a donor who was reactive by serology alone. The waiting time runs from the day that is
/// given, or from a later one on which the ledger knows of something ([`since`]).
///
/// # Errors
/// [`Refused`]; [`Refused::ForGood`], [`Refused::BeyondReentry`], [`ExaminationRefused::Found`],
/// [`ExaminationRefused::ToCome`].
pub fn examine(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (asked, now): (&Examination, Timestamp),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::ExamineDonor)?;
    let (donor, reason) = (number(donor)?, text("reason", &asked.reason)?);
    let marker = text("marker", &asked.marker)?;
    let stands = reader.donor(&donor)?.register.map(|register| register.state);
    if stands == Some(RegisterState::PermDeferred) {
        return Err(Refused::ForGood);
    }
    if let Some(donation) = facts::beyond_reentry(&reader, &donor, &marker)? {
        return Err(Refused::BeyondReentry { donation, marker });
    }
    let before = reader.donor(&donor)?;
    if let Some(found) = found_beyond(&before, &marker) {
        return Err(found.into());
    }
    if before.came_back.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    came(settings, ("deferred_on", asked.deferred_on), now)?;
    let deferred_on = since(settings, &reader, (&donor, &before), (&marker, asked.deferred_on))?;
    let nat_then = asked.nat_then;
    let act = DonorAct::ReentryBegun { donor: donor.clone(), marker, deferred_on, nat_then, reason };
    register(ledger, actor, &donor, act)
}

fn came(settings: &Settings, (field, day): (&'static str, Date), now: Timestamp) -> Result<(), Refused> {
    let today = now.to_zoned(settings.time_zone.clone()).date();
    if day > today { Err(ExaminationRefused::ToCome { field, day }.into()) } else { Ok(()) }
}

/// Since when a donor waits: the day that is given, or a later one on which the marker was found, in a donation, by a record
/// or in an examination, or of which a deferral because of it speaks first.
fn since(
    settings: &Settings,
    reader: &Reader,
    (donor, stands): (&str, &DonorStands),
    (marker, given): (&str, Date),
) -> Result<Date, Refused> {
    let cases = stands.came_back.iter().chain(&stands.reentry);
    let of_marker = cases.filter(|case| case.marker.eq_ignore_ascii_case(marker));
    let found = of_marker.flat_map(|case| &case.tests).filter(|test| test.is_found());
    let examined = found.map(|test| test.collected_on).max();
    let mut deferred = None;
    for one in &stands.deferrals {
        let (Some(donation), Some(first)) = (&one.donation, one.line.since) else { continue };
        let because = |all: DonorTasks| all.tasks.iter().any(|task| task.marker.eq_ignore_ascii_case(marker));
        if reader.donor_tasks_of(donation)?.is_some_and(because) {
            deferred = deferred.max(Some(first));
        }
    }
    let found = facts::last_found(reader, (donor, marker), &settings.time_zone)?;
    Ok(found.into_iter().chain(examined).chain(deferred).fold(given, Date::max))
}

/// A test of an examination of this donor after which there is no other one.
fn found_beyond(stands: &DonorStands, marker: &str) -> Option<ExaminationRefused> {
    let cases = stands.came_back.iter().chain(&stands.reentry);
    let of_marker = cases.filter(|case| case.marker.eq_ignore_ascii_case(marker));
    let found = of_marker.flat_map(|case| &case.tests).find(|test| test.is_beyond_reentry())?;
    Some(ExaminationRefused::Found {
        test: found.id.clone(),
        on: found.collected_on,
        marker: marker.to_owned(),
    })
}

/// Records a test of a re-entry examination. Its number names it in the approval, and is used once.
///
/// # Errors
/// [`Refused`]; [`ExaminationRefused::ToCome`], [`ExaminationRefused::Before`].
pub fn record_test(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    (test, now): (&ReentryTest, Timestamp),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::ExamineDonor)?;
    let donor = number(donor)?;
    text("id", &test.id)?;
    let case = reader.donor(&donor)?.reentry.ok_or(Refused::NotExamined)?;
    if case.approved.is_some() {
        return Err(Refused::NotExamined);
    }
    came(settings, ("collected_on", test.collected_on), now)?;
    if test.collected_on < case.deferred_on {
        return Err(ExaminationRefused::Before { day: test.collected_on, since: case.deferred_on }.into());
    }
    if case.tests.iter().any(|known| known.id == test.id) {
        return Err(Refused::TestKnown { id: test.id.clone() });
    }
    if case.tests.len() >= LINES_MAX {
        return Err(Refused::TooMany { max: LINES_MAX });
    }
    write(ledger, actor, DonorAct::ReentryTested { donor, test: test.clone() })
}

/// An examination to be approved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The tests that it rests on: all of them.
    pub on: Vec<String>,
    /// The deferrals that it takes back, by their entries, beside the one that answered what a donation's verdict asked because
    /// of the marker that was examined. The others go on.
    #[serde(default)]
    pub deferrals: Vec<Seq>,
    /// Why.
    pub reason: String,
}

/// Ends an examination for re-entry: what was examined defers the donor no more; what stands beside it goes on. Whether it is
/// whole is decided by the rule pack; who began it or entered a test of it does not approve it.
///
/// # Errors
/// [`Refused`]; [`Refused::OwnExamination`], [`Refused::WhichDeferral`], [`Refused::BeyondReentry`], [`Refused::Reentry`] with how far it has come.
pub fn approve(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    donor: &str,
    asked: &Approval,
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::ReinstateDonor)?;
    let (donor, reason) = (number(donor)?, text("reason", &asked.reason)?);
    let stands = reader.donor(&donor)?;
    match stands.register.as_ref().map(|register| register.state) {
        Some(RegisterState::ReentryTesting) => {}
        Some(RegisterState::PermDeferred) => return Err(Refused::ForGood),
        Some(RegisterState::TempDeferred | RegisterState::Eligible) | None => {
            return Err(Refused::NotExamined);
        }
    }
    if has_examined(&reader, &stands.history, actor.by().name())? {
        return Err(Refused::OwnExamination);
    }
    let takes_back = asked.deferrals.clone();
    if !takes_back.iter().all(|named| stands.deferrals.iter().any(|one| one.done.entry == *named)) {
        return Err(which(stands.deferrals.iter()));
    }
    let mut case = stands.reentry.clone().ok_or(Refused::NotExamined)?;
    // Something may have come since it was begun.
    if let Some(donation) = facts::beyond_reentry(&reader, &donor, &case.marker)? {
        return Err(Refused::BeyondReentry { donation, marker: case.marker });
    }
    case.deferred_on = since(settings, &reader, (&donor, &stands), (&case.marker, case.deferred_on))?;
    case.approved = Some(Resolution { by: actor.user().to_string(), reason });
    case.approved_on.clone_from(&asked.on);
    // By the pack in force, which need not be the configured one.
    let book = Book::read(settings, &reader).map_err(|why| Refused::Broken(why.to_string()))?;
    let now = Timestamp::now().as_millisecond();
    let state = state_of(book.taken_at(now), &donor, &case)?;
    if state != release::ReentryState::Approved {
        return Err(Refused::Reentry { state });
    }
    let act = DonorAct::ReentryApproved { donor: donor.clone(), case, takes_back };
    register(ledger, actor, &donor, act)
}

/// What still defers a donor after an approval, in English and Chinese; nothing where nothing does.
///
/// # Errors
/// [`ReadError`].
pub fn remaining(reader: &Reader, donor: &str) -> Result<Option<[String; 2]>, ReadError> {
    let stands = reader.donor(donor)?.deferrals;
    let all: Vec<String> = stands.iter().map(told).collect();
    let all = all.join("; ");
    Ok((!stands.is_empty()).then(|| {
        [
            format!(
                "the donor stays deferred: the examination took back the deferral that answered its task, and those that were named; \
                 these stand, to be lifted by themselves: {all}"
            ),
            format!("该献血者仍被屏蔽：归队检查只解除与其任务对应的屏蔽及所指明的屏蔽；现仍有效、须另行解除：{all}"),
        ]
    }))
}

/// Whether somebody began the last examination of a donor, or entered a test of it.
fn has_examined(reader: &Reader, history: &[Seq], who: &str) -> Result<bool, Refused> {
    for entry in history.iter().rev() {
        let entry = reader.entry(*entry)?;
        let is_own = *entry.by == *who;
        if matches!(entry.what, What::Donor(DonorAct::ReentryBegun { .. })) {
            return Ok(is_own);
        }
        if is_own && matches!(entry.what, What::Donor(DonorAct::ReentryTested { .. })) {
            return Ok(true);
        }
    }
    // Its beginning is not among the lines that are kept.
    Ok(true)
}

/// How far an examination has come, asked of the one function that decides.
fn state_of(settings: &Settings, donor: &str, case: &Reentry) -> Result<release::ReentryState, Refused> {
    let number = DonationId::new("re-entry").map_err(|why| Refused::Broken(why.to_string()))?;
    let mut evidence = Evidence::new(number);
    evidence.donor = Some(Donor {
        id: donor.to_owned(),
        first_time: None,
        deferred: None,
        barred: None,
        post_donation: None,
        register: None,
        earlier: Vec::new(),
        later: Vec::new(),
        reentry: Some(case.clone()),
        came_back: Vec::new(),
        sensitised: None,
        history: None,
        field_abo: None,
    });
    let verdict = release::decide(&evidence, &settings.pack);
    verdict.donor().reentry.ok_or_else(|| Refused::Broken("no verdict on the examination".to_owned()))
}

//! Components of donations: what was made of one, where each is, and what that says of the donation (R-GATE-12).
//!
//! ```text
//!              ┌── held, missing: none of the donation's goes; back only by whoever may lift holds ──┐
//!  made ──► quarantine ──► issued to somebody, where the donation is released ──► back ──► quarantine ◄┘
//!              └──► discarded for what is known of the donation, written off for its own sake: for good
//! ```
//!
//! What happened against the rules is refused with its reason, and written down when somebody says that it happened: then
//! it is called back. The same word again changes nothing; a word that contradicts another is refused.

#[cfg(test)]
mod dated_tests;
mod expiry;
#[cfg(test)]
mod expiry_tests;
#[cfg(test)]
mod recall_tests;
mod refused;
#[cfg(test)]
mod tests;

pub use expiry::Dating;
pub use refused::Refused;

use crate::people::{Act, Actor};
use crate::rules::Book;
use crate::{Settings, SignOff};
use jiff::Timestamp;
use ledger::{
    By, COMPONENTS_MAX, ComponentAct, ComponentMove, ComponentPlace, ComponentStands, Components, Draft,
    Expiry, Ledger, Lookback, Reader, Seq, VerdictSummary, What,
};
use release::{
    Evidence, Moment, Unit, Verdict,
    evidence::{Component, ComponentState},
};
use serde::{Deserialize, Serialize};
use vocabulary::DonationId;

/// Characters of a reason and of a consignee's name.
const TEXT_CHARS_MAX: usize = 500;
/// Reasons against a release that are told.
const REASONS_MAX: usize = 3;

/// Who says something of a component.
#[derive(Debug, Clone, Copy)]
pub enum Teller<'a> {
    /// The blood information system, under this name.
    Machine(&'a By),
    /// A person.
    Person(&'a Actor),
}

impl Teller<'_> {
    fn check(self, reader: &Reader, act: Act) -> Result<(), Refused> {
        match self {
            Self::Person(actor) => Ok(actor.check(reader, act)?),
            Self::Machine(_) => Ok(()),
        }
    }

    /// Only a person who may lift holds lets go what kept others back.
    fn check_eases(self, reader: &Reader) -> Result<(), Refused> {
        match self {
            Self::Person(actor) => Ok(actor.check(reader, Act::LiftHold)?),
            Self::Machine(_) => Err(Refused::NeedsPerson),
        }
    }

    fn by(self) -> By {
        match self {
            Self::Person(actor) => actor.by(),
            Self::Machine(by) => by.clone(),
        }
    }
}

/// What came of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It is written down.
    Done {
        /// The entry.
        entry: Seq,
    },
    /// It was known: nothing is written.
    Known,
}

/// Where a component went.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    /// Which: its product code, as scanned or typed.
    pub component: String,
    /// Where to.
    pub to: ComponentPlace,
    /// Why; an issue needs none.
    #[serde(default)]
    pub reason: Option<String>,
    /// To whom it was issued.
    #[serde(default)]
    pub consignee: Option<String>,
    /// When it was issued; now, without it.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// It has happened, allowed or not: it is written down, and called back.
    #[serde(default)]
    pub happened: bool,
}

fn text(field: &'static str, given: Option<&str>) -> Result<String, Refused> {
    let text = given.unwrap_or_default().trim();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refused::Text { field }) }
}

fn donation(settings: &Settings, reader: &Reader, given: &str) -> Result<DonationId, Refused> {
    let read = settings.specimens.entered(given);
    let donation =
        read.map_err(|why| Refused::Number { given: given.to_owned(), why: why.what, why_zh: why.what_zh })?;
    if !reader.is_known(&donation)? {
        return Err(Refused::NoSuchDonation(donation));
    }
    Ok(donation)
}

fn component(settings: &Settings, given: &str, of: &DonationId) -> Result<String, Refused> {
    let read = settings.specimens.component(given, of);
    read.map_err(|why| Refused::Number { given: given.to_owned(), why: why.what, why_zh: why.what_zh })
}

fn write(ledger: &Ledger, by: Teller<'_>, act: ComponentAct) -> Result<Seq, Refused> {
    let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
    let draft = Draft { by: by.by(), what: What::Component(act) };
    let seq = ledger.append(vec![draft]).map_err(|e| broken(&e))?.wait().map_err(|e| broken(&e))?.last();
    ledger.wait_applied(seq).wait().map_err(|e| broken(&e))?;
    Ok(seq)
}

/// Registers the components that were made of a donation, or says until when those that are known may be used. Each stays
/// where it is. Only a person who may lift holds puts a later expiry in the place of an earlier one.
///
/// # Errors
/// [`Refused`]; nothing has changed.
pub fn register(
    settings: &Settings,
    ledger: &Ledger,
    by: Teller<'_>,
    (given, codes): (&str, &[String]),
    expires: Option<&str>,
) -> Result<Step, Refused> {
    let reader = ledger.state();
    by.check(&reader, Act::RecordComponent)?;
    let donation = donation(settings, &reader, given)?;
    if codes.is_empty() {
        return Err(Refused::Empty);
    }
    let expires = expires.map(|told| expiry::read(settings, told)).transpose()?;
    let known = reader.components(&donation)?;
    let mut components = Vec::with_capacity(codes.len());
    for code in codes {
        let component = component(settings, code, &donation)?;
        let says_more = match known.get(&component) {
            Some(stands) => expires.is_some() && stands.expires != expires,
            None => true,
        };
        if says_more && !components.contains(&component) {
            components.push(component);
        }
    }
    if components.is_empty() {
        return Ok(Step::Known);
    }
    let new = components.iter().filter(|one| !known.contains_key(*one)).count();
    if known.len() + new > COMPONENTS_MAX {
        return Err(Refused::TooMany);
    }
    let until = |expires: &Option<Expiry>| expires.as_ref().map(|expires| expires.until_ms);
    let is_later = |one: &String| {
        let before = known.get(one).and_then(|stands| until(&stands.expires));
        before.is_some_and(|before| until(&expires).is_some_and(|now| now > before))
    };
    let later = components.iter().any(is_later);
    if later {
        by.check_eases(&reader)?;
    }
    let (told, until) = (components.clone(), expires.clone());
    let act = ComponentAct::Made { donation: donation.clone(), components, expires, later };
    let entry = write(ledger, by, act)?;
    let now = ledger.state().components(&donation)?;
    if !told.iter().all(|one| now.contains_key(one)) {
        return Err(Refused::TooMany);
    }
    let stands = |one: &String| until.is_none() || now.get(one).is_some_and(|stands| stands.expires == until);
    // Another word may have come first, that it ends sooner.
    if told.iter().all(stands) { Ok(Step::Done { entry }) } else { Err(Refused::Overtaken { entry }) }
}

/// Writes down where a component went.
///
/// # Errors
/// [`Refused`]; nothing has changed.
pub fn moved(
    settings: &Settings,
    ledger: &Ledger,
    by: Teller<'_>,
    (given, moved): (&str, &Moved),
) -> Result<Step, Refused> {
    let reader = ledger.state();
    by.check(&reader, Act::RecordComponent)?;
    let donation = donation(settings, &reader, given)?;
    let component = component(settings, &moved.component, &donation)?;
    let all = reader.components(&donation)?;
    let stands = all.get(&component).ok_or_else(|| Refused::NoSuchComponent(component.clone()))?;
    let to = asked(moved)?;
    if is_known(stands, &to) {
        return Ok(Step::Known);
    }
    let is_issue = matches!(to, ComponentMove::Issued { .. });
    if !is_issue && is_gone(stands, &to) {
        return Err(Refused::Gone(stands.place()));
    }
    if stands.kept.is_some() && eases(&to) {
        by.check_eases(&reader)?;
    }
    let to = if let ComponentMove::Issued { consignee, at_ms, .. } = to {
        let now = Timestamp::now();
        let at = moved.at.unwrap_or(now);
        let view = reader.donation(&donation)?;
        let collected = view.and_then(|view| view.registration).map(|known| known.registration.collected_at);
        if let Some(collected) = collected.filter(|collected| at < *collected) {
            return Err(Refused::BeforeCollection { collected });
        }
        let dated = out_of_date(by, &reader, stands, (at, now));
        let against = against_issue(settings, &reader, (&donation, stands), (dated, moved.at))?;
        let against_rules = against.is_some();
        if let Some(why) = against.filter(|_| !moved.happened) {
            return Err(why);
        }
        ComponentMove::Issued { consignee, at_ms, against_rules }
    } else {
        to
    };
    let act = ComponentAct::Moved { donation: donation.clone(), component: component.clone(), to };
    let entry = write(ledger, by, act)?;
    // Another word may have come first: then this one changed nothing, and is not to be taken for done.
    let now = ledger.state().components(&donation)?;
    let is_done = now.get(&component).is_some_and(|one| one.was_moved_by(entry, moved.to));
    if is_done { Ok(Step::Done { entry }) } else { Err(Refused::Overtaken { entry }) }
}

fn asked(moved: &Moved) -> Result<ComponentMove, Refused> {
    let reason = || text("reason", moved.reason.as_deref());
    if moved.to != ComponentPlace::Issued
        && (moved.consignee.is_some() || moved.at.is_some() || moved.happened)
    {
        return Err(Refused::OnlyOfIssue);
    }
    Ok(match moved.to {
        ComponentPlace::Quarantine => ComponentMove::Quarantine { reason: reason()? },
        ComponentPlace::Held => ComponentMove::Held { reason: reason()? },
        ComponentPlace::Missing => ComponentMove::Missing { reason: reason()? },
        ComponentPlace::Discarded => ComponentMove::Discarded { reason: reason()? },
        ComponentPlace::WrittenOff => ComponentMove::WrittenOff { reason: reason()? },
        ComponentPlace::Issued => {
            if moved.at.is_some_and(|at| at > Timestamp::now()) {
                return Err(Refused::ToCome);
            }
            ComponentMove::Issued {
                consignee: text("consignee", moved.consignee.as_deref())?,
                at_ms: moved.at.map(Timestamp::as_millisecond),
                against_rules: false,
            }
        }
    })
}

/// Whether that is how it stands.
fn is_known(stands: &ComponentStands, to: &ComponentMove) -> bool {
    let place = stands.place();
    match to {
        ComponentMove::Issued { consignee, at_ms, .. } => stands
            .issued
            .iter()
            .any(|issue| issue.consignee == *consignee && at_ms.is_none_or(|at| at == issue.issued_at_ms)),
        ComponentMove::Quarantine { .. } => place == ComponentPlace::Quarantine,
        ComponentMove::Held { .. } => place == ComponentPlace::Held,
        ComponentMove::Missing { .. } => place == ComponentPlace::Missing,
        ComponentMove::Discarded { .. } => place == ComponentPlace::Discarded,
        ComponentMove::WrittenOff { .. } => place == ComponentPlace::WrittenOff,
    }
}

/// Whether it lets the other components go that this one kept back.
fn eases(to: &ComponentMove) -> bool {
    match to {
        ComponentMove::Quarantine { .. } | ComponentMove::WrittenOff { .. } => true,
        ComponentMove::Held { .. }
        | ComponentMove::Missing { .. }
        | ComponentMove::Issued { .. }
        | ComponentMove::Discarded { .. } => false,
    }
}

/// What was taken out is out for good.
fn is_gone(stands: &ComponentStands, to: &ComponentMove) -> bool {
    match to {
        ComponentMove::Discarded { .. } => false,
        ComponentMove::WrittenOff { .. } => stands.is_discarded(),
        ComponentMove::Quarantine { .. }
        | ComponentMove::Held { .. }
        | ComponentMove::Missing { .. }
        | ComponentMove::Issued { .. } => stands.is_discarded() || stands.written_off.is_some(),
    }
}

/// Why a component may not be given out at a time, by its dates. A time that has gone by is a person's word, and what is
/// known at this moment counts as well: nobody issues what was not known yet, and only who may lift holds says of what has
/// expired that it went in time.
fn out_of_date(
    by: Teller<'_>,
    reader: &Reader,
    stands: &ComponentStands,
    (at, now): (Timestamp, Timestamp),
) -> Option<Refused> {
    let over = |at: Timestamp| stands.expires.as_ref().filter(|expires| expires.is_over(at.as_millisecond()));
    let lapsed = over(at).or_else(|| over(now).filter(|_| by.check_eases(reader).is_err()));
    if let Some(expires) = lapsed {
        return Some(Refused::Expired { label: expires.label.clone() });
    }
    let made = Timestamp::from_millisecond(stands.made.at_ms).ok();
    made.filter(|made| at.as_millisecond() < made.as_millisecond()).map(|made| Refused::BeforeMade { made })
}

/// Why a component may not be given out, at a time that has gone by or now; `dated` is what its dates say against it.
fn against_issue(
    settings: &Settings,
    reader: &Reader,
    (donation, stands): (&DonationId, &ComponentStands),
    (dated, at): (Option<Refused>, Option<Timestamp>),
) -> Result<Option<Refused>, Refused> {
    if let Some(issue) = stands.issued.last() {
        return Ok(Some(Refused::OutAlready { consignee: issue.consignee.clone(), entry: issue.done.entry }));
    }
    if stands.place() != ComponentPlace::Quarantine {
        return Ok(Some(Refused::Gone(stands.place())));
    }
    if let Some(lookback) = reader.lookbacks_at(donation)?.into_iter().find(Lookback::bars) {
        return Ok(Some(Refused::LookedUp { is_closed: lookback.is_closed(), of: lookback.id }));
    }
    if dated.is_some() {
        return Ok(dated);
    }
    not_released(settings, reader, (donation, at))
}

/// Whether a donation is released by a verdict, to whoever signs it.
fn lets_go(settings: &Settings, verdict: &VerdictSummary) -> bool {
    match settings.sign_off {
        SignOff::Here => verdict.releasable,
        SignOff::Elsewhere => verdict.unit == Unit::Pass.name() && verdict.complete,
    }
}

/// Why a donation is not released: by the verdict that stands, by the one that stood at that time, and by what is known at
/// this moment.
fn not_released(
    settings: &Settings,
    reader: &Reader,
    (donation, at): (&DonationId, Option<Timestamp>),
) -> Result<Option<Refused>, Refused> {
    let verdicts = reader.donation(donation)?.map(|view| view.verdicts).unwrap_or_default();
    let stood = verdicts.last().is_some_and(|verdict| lets_go(settings, verdict));
    if let Some(at) = at.filter(|_| stood).map(Timestamp::as_millisecond) {
        let (then, since): (Vec<_>, Vec<_>) = verdicts.iter().partition(|verdict| verdict.at_ms <= at);
        if !then.last().is_some_and(|verdict| lets_go(settings, verdict)) {
            let released = since.into_iter().find(|verdict| lets_go(settings, verdict));
            let released = released.and_then(|one| Timestamp::from_millisecond(one.at_ms).ok());
            let released = released.map(|at| Moment::new(at, settings.time_zone.to_offset(at)));
            return Ok(Some(Refused::BeforeRelease { released }));
        }
    }
    let facts = crate::facts_of(settings, reader, donation)?;
    let book = Book::read(settings, reader).map_err(|why| Refused::Broken(why.to_string()))?;
    let by = book.of(&facts);
    let now = release::decide(&crate::evidence(&facts, by), &by.pack);
    let goes = match settings.sign_off {
        SignOff::Here => now.is_releasable(),
        SignOff::Elsewhere => now.unit() == Unit::Pass && now.is_complete(),
    };
    Ok((!(stood && goes)).then(|| against(&now)))
}

fn against(verdict: &Verdict) -> Refused {
    let closed = || verdict.gates().iter().filter(|gate| !gate.is_satisfied()).take(REASONS_MAX);
    let why: Vec<String> = closed().map(|gate| format!("{} {}", gate.id, gate.why)).collect();
    let why_zh: Vec<String> = closed().map(|gate| format!("{} {}", gate.id, gate.why_zh)).collect();
    Refused::NotReleased { why: why.join("; "), why_zh: why_zh.join("；") }
}

/// Components as evidence. One that was given out although it was kept back is both; one that was written off for its own
/// sake says nothing.
pub(crate) fn fill(evidence: &mut Evidence, components: &Components) {
    for (id, stands) in components {
        let mut is = |state| evidence.components.push(Component { id: id.clone(), state });
        if stands.is_out() {
            is(ComponentState::Issued);
        }
        match stands.kept.as_ref().map(|kept| kept.as_) {
            Some(ledger::KeptAs::Held) => is(ComponentState::Held),
            Some(ledger::KeptAs::Missing) => is(ComponentState::Missing),
            Some(ledger::KeptAs::Discarded) => is(ComponentState::Discarded),
            None if stands.is_out() || stands.written_off.is_some() => {}
            None => is(ComponentState::Quarantine),
        }
    }
}

/// Units of a donation that fails (R-GATE-13): how many there are to be found, and how many were. Its components where they
/// are known, else the donation.
pub(crate) fn units(components: &Components, discarded: bool) -> (usize, usize) {
    if components.is_empty() {
        return (1, usize::from(discarded));
    }
    let to_find = components.values().filter(|one| one.is_to_be_found()).count();
    let found = components.values().filter(|one| one.place() == ComponentPlace::Discarded).count();
    (to_find + found, found)
}

/// A component, for people who have to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToFind {
    /// Its product code.
    pub component: String,
    /// Where it is.
    pub place: ComponentPlace,
    /// Whether it may still be used.
    pub dating: Dating,
    /// Until when, as its label says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// To whom it was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub issued: Vec<Consigned>,
}

/// To whom a component was given, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consigned {
    /// To whom.
    pub consignee: String,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
}

/// The components of a donation that were not taken out: what is out, and what is to be kept back. Those known now, whenever
/// the task was raised, and whether each may still be used.
///
/// # Errors
/// [`ledger::ReadError`].
pub fn to_find(
    reader: &Reader,
    donation: &DonationId,
    now: Timestamp,
) -> Result<Vec<ToFind>, ledger::ReadError> {
    let all = reader.components(donation)?;
    let here = all.into_iter().filter(|(_, one)| one.is_out() || one.is_to_be_found());
    Ok(here
        .map(|(component, one)| ToFind {
            component,
            place: one.place(),
            dating: Dating::of(&one, now),
            expires: one.expires.as_ref().map(|expires| expires.label.clone()),
            issued: one
                .issued
                .into_iter()
                .map(|issue| Consigned { consignee: issue.consignee, at_ms: issue.issued_at_ms })
                .collect(),
        })
        .collect())
}

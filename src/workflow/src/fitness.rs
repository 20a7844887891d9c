//! Analysers and operators: what people write down of their fitness, and what it says of each result (R-GATE-07, R-GATE-08).
//!
//! | written down | what it does |
//! |---|---|
//! | an analyser was qualified, calibrated or maintained, and until when that holds | a result tested after that day is kept by gate 07; controls have to run again after it (rules.md §2.2) |
//! | an operator may run these assays, from when until when | once anybody is written down, a result whose operator may not is kept by gate 08 |
//!
//! Nothing is held for what nobody wrote down: a site that keeps no such register here keeps it elsewhere.

use crate::facts::Fact;
use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, write};
use crate::{DonationFacts, Stopped};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ledger::{Draft, FitnessAct, FitnessNote, Ledger, ReadError, Reader, Seq, Service, What};
use release::Moment;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use vocabulary::ConnectionId;

/// Characters of a report, a reason, and of a name.
const TEXT_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 64;
/// Assays of one authorisation.
const ASSAYS_MAX: usize = 200;
/// Lines whose services are remembered; past it all are forgotten and read again.
const LINES_REMEMBERED_MAX: usize = 512;

/// What was done to an analyser.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serviced {
    /// Which of the analysers on the line, as its messages name it; every one, without it.
    #[serde(default)]
    pub instrument: Option<String>,
    /// What was done.
    pub service: Service,
    /// When; now, without it.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The last day for which it holds.
    pub due: Date,
    /// The report.
    pub report: String,
}

/// What an operator may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authorised {
    /// As analysers name the operator.
    pub operator: String,
    /// Assays as the profiles name them; every one, without any.
    #[serde(default)]
    pub assays: Vec<String>,
    /// The first day.
    pub from: Date,
    /// The last day.
    #[serde(default)]
    pub until: Option<Date>,
    /// What it rests on.
    pub reason: String,
}

/// Whose authority ends.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Withdrawn {
    /// As analysers name the operator.
    pub operator: String,
    /// From this day on.
    pub from: Date,
    /// Why.
    pub reason: String,
}

/// An entry, or why there is none.
pub type Noted = Result<Result<Seq, Refusal>, NotDone>;

fn refusal(why: impl Into<String>, why_zh: impl Into<String>) -> Refusal {
    Refusal { why: why.into(), why_zh: why_zh.into() }
}

fn text(field: &str, given: &str, chars_max: usize) -> Result<String, Refusal> {
    let text = given.trim();
    let chars = text.chars().count();
    if (1..=chars_max).contains(&chars) && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    Err(refusal(
        format!("{field}: 1 to {chars_max} characters, please, without line breaks"),
        format!("{field}：请填写 1 至 {chars_max} 个字符，不含换行"),
    ))
}

fn noted(ledger: &Ledger, who: &Actor, act: Result<FitnessAct, Refusal>) -> Noted {
    let act = match act {
        Ok(act) => act,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let draft = Draft { by: who.by(), what: What::Fitness(act) };
    Ok(Ok(write(ledger, vec![draft])?.unwrap_or(Seq::NONE)))
}

/// Writes down that an analyser was qualified, calibrated or maintained.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where the line is unknown, or a time or text is not such as can be.
pub fn serviced(ledger: &Ledger, who: &Actor, connection: &ConnectionId, done: &Serviced) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::ServiceAnalyser).map_err(NotDone::Person)?;
    if reader.pin(connection).map_err(Stopped::Read)?.is_none() {
        return Ok(Err(Refusal::no_such(connection)));
    }
    noted(ledger, who, serviced_act(connection, done, Timestamp::now()))
}

fn serviced_act(connection: &ConnectionId, done: &Serviced, now: Timestamp) -> Result<FitnessAct, Refusal> {
    let at = done.at.unwrap_or(now);
    if at > now {
        return Err(refusal(
            "what is still to be done is not written down: give the time when it was done",
            "尚未进行的不予记录：请填写实际完成的时间",
        ));
    }
    if done.due < at.to_zoned(TimeZone::UTC).date() {
        return Err(refusal(
            format!("it would be overdue on the day it was done ({}): look at the dates", done.due),
            format!("有效期 {} 早于完成日期：请核对", done.due),
        ));
    }
    let instrument = done.instrument.as_deref().map(|name| text("instrument", name, NAME_CHARS_MAX));
    Ok(FitnessAct::Serviced {
        connection: connection.clone(),
        instrument: instrument.transpose()?,
        service: done.service,
        done_ms: at.as_millisecond(),
        due: done.due,
        report: text("report", &done.report, TEXT_CHARS_MAX)?,
    })
}

/// Writes down what an operator may do.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`].
pub fn authorise(ledger: &Ledger, who: &Actor, given: &Authorised) -> Noted {
    who.check(&ledger.state(), Act::AuthoriseOperator).map_err(NotDone::Person)?;
    noted(ledger, who, authorised_act(given))
}

fn authorised_act(given: &Authorised) -> Result<FitnessAct, Refusal> {
    if given.until.is_some_and(|until| until < given.from) {
        return Err(refusal("it would end before it begins: look at the days", "截止早于开始：请核对日期"));
    }
    if given.assays.len() > ASSAYS_MAX {
        return Err(refusal(
            format!("at most {ASSAYS_MAX} assays at once; name none for every one"),
            format!("一次至多 {ASSAYS_MAX} 个项目；全部项目则不必列出"),
        ));
    }
    let assays = given.assays.iter().map(|assay| text("assays", assay, TEXT_CHARS_MAX));
    Ok(FitnessAct::OperatorAuthorised {
        operator: text("operator", &given.operator, NAME_CHARS_MAX)?,
        assays: assays.collect::<Result<_, _>>()?,
        from: given.from,
        until: given.until,
        reason: text("reason", &given.reason, TEXT_CHARS_MAX)?,
    })
}

/// Ends what an operator was authorised for.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where nothing of the operator is written down.
pub fn withdraw(ledger: &Ledger, who: &Actor, given: &Withdrawn) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::AuthoriseOperator).map_err(NotDone::Person)?;
    let operators = reader.operators().map_err(Stopped::Read)?;
    let is_known = operators.iter().any(|note| operator_of(&note.act) == Some(given.operator.trim()));
    let act = if is_known { withdrawn_act(given) } else { Err(unknown(&given.operator)) };
    noted(ledger, who, act)
}

fn withdrawn_act(given: &Withdrawn) -> Result<FitnessAct, Refusal> {
    Ok(FitnessAct::OperatorWithdrawn {
        operator: text("operator", &given.operator, NAME_CHARS_MAX)?,
        from: given.from,
        reason: text("reason", &given.reason, TEXT_CHARS_MAX)?,
    })
}

fn unknown(operator: &str) -> Refusal {
    refusal(
        format!("nothing is written down of operator {operator:?} (hemogate operator list)"),
        format!("没有操作者 {operator:?} 的记录（hemogate operator list）"),
    )
}

fn operator_of(act: &FitnessAct) -> Option<&str> {
    match act {
        FitnessAct::OperatorAuthorised { operator, .. } | FitnessAct::OperatorWithdrawn { operator, .. } => {
            Some(operator)
        }
        FitnessAct::Serviced { .. } => None,
    }
}

type Notes = Arc<[FitnessNote]>;

/// What is written down, read once for donations that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Whether anything is.
    any: Option<bool>,
    services: BTreeMap<ConnectionId, Notes>,
    operators: Option<Notes>,
}

impl Known {
    fn has_any(&mut self, reader: &Reader) -> Result<bool, ReadError> {
        Ok(match self.any {
            Some(known) => known,
            None => *self.any.insert(reader.has_fitness_notes()?),
        })
    }

    fn services(&mut self, reader: &Reader, connection: &ConnectionId) -> Result<Notes, ReadError> {
        if let Some(known) = self.services.get(connection) {
            return Ok(Arc::clone(known));
        }
        if self.services.len() >= LINES_REMEMBERED_MAX {
            self.services.clear();
        }
        let read: Notes = reader.services(connection)?.into();
        self.services.insert(connection.clone(), Arc::clone(&read));
        Ok(read)
    }

    /// When the analyser of a result was serviced: controls have to run after each time.
    pub(crate) fn changes(&mut self, reader: &Reader, fact: &Fact) -> Result<Vec<Timestamp>, ReadError> {
        if !self.has_any(reader)? {
            return Ok(Vec::new());
        }
        let notes = self.services(reader, &fact.connection)?;
        let done = notes.iter().filter_map(|note| service_of(&note.act, fact)).map(|(_, done_ms, _)| done_ms);
        Ok(done.filter_map(|ms| Timestamp::from_millisecond(ms).ok()).collect())
    }

    /// Says of each run what stands against its analyser and its operators.
    pub(crate) fn judge(&mut self, reader: &Reader, facts: &mut DonationFacts) -> Result<(), ReadError> {
        if !self.has_any(reader)? {
            return Ok(());
        }
        let operators = match &self.operators {
            Some(known) => Arc::clone(known),
            None => Arc::clone(self.operators.insert(reader.operators()?.into())),
        };
        let DonationFacts { observations, pools, runs, .. } = facts;
        for fact in observations.iter().chain(pools.iter().flat_map(|pool| &pool.results)) {
            let (Some(run), Some(tested)) = (fact.run().and_then(|run| runs.get_mut(run)), fact.tested_at)
            else {
                continue;
            };
            let notes = self.services(reader, &fact.connection)?;
            for what in overdue(&notes, fact, tested) {
                run.overdue.insert(what);
            }
            let operator = fact.observation.operator.as_deref().map(str::trim);
            if let Some(operator) = operator
                && !may(&operators, (operator, &fact.observation.assay), tested.day())
            {
                run.unauthorised.insert(operator.to_owned());
            }
        }
        Ok(())
    }
}

/// A service of the analyser that a result was made with: what, when, and the last day for which it holds.
fn service_of(act: &FitnessAct, fact: &Fact) -> Option<(Service, i64, Date)> {
    match act {
        FitnessAct::Serviced { instrument, service, done_ms, due, .. } => {
            let is_own = instrument.is_none() || *instrument == fact.observation.instrument;
            is_own.then_some((*service, *done_ms, *due))
        }
        FitnessAct::OperatorAuthorised { .. } | FitnessAct::OperatorWithdrawn { .. } => None,
    }
}

/// Of each kind of service the last before a result: what did not hold any more on its day.
fn overdue(notes: &[FitnessNote], fact: &Fact, tested: Moment) -> Vec<String> {
    let mut last: BTreeMap<Service, (i64, Date)> = BTreeMap::new();
    for (service, done_ms, due) in notes.iter().filter_map(|note| service_of(&note.act, fact)) {
        let known = last.entry(service).or_insert((i64::MIN, due));
        // Of two at one time the one that was written down later.
        if done_ms <= tested.at().as_millisecond() && done_ms >= known.0 {
            *known = (done_ms, due);
        }
    }
    let late = last.into_iter().filter(|(_, (done_ms, due))| *done_ms != i64::MIN && *due < tested.day());
    let on = fact.observation.instrument.as_deref().unwrap_or_default();
    let told = late.map(|(service, (_, due))| {
        let (line, en, zh) = (format!("{} {on}", fact.connection), service.name(), service.chinese());
        format!("{}, {en} until {due} ({zh}有效至 {due})", line.trim_end())
    });
    told.collect()
}

/// Whether an operator may run an assay on a day. Where nobody is written down, everybody may as far as this knows.
fn may(notes: &[FitnessNote], (operator, assay): (&str, &str), day: Date) -> bool {
    if notes.is_empty() {
        return true;
    }
    let mut authority: Vec<(Date, Option<Date>)> = Vec::new();
    for note in notes.iter().filter(|note| operator_of(&note.act) == Some(operator)) {
        match &note.act {
            FitnessAct::OperatorAuthorised { assays, from, until, .. } => {
                if assays.is_empty() || assays.iter().any(|one| one == assay) {
                    authority.push((*from, *until));
                }
            }
            FitnessAct::OperatorWithdrawn { from, .. } => {
                let last = from.yesterday().unwrap_or(Date::MIN);
                for (_, until) in &mut authority {
                    *until = Some(until.map_or(last, |until| until.min(last)));
                }
            }
            FitnessAct::Serviced { .. } => {}
        }
    }
    authority.iter().any(|(from, until)| day >= *from && until.is_none_or(|until| day <= until))
}

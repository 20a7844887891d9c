//! Analysers and operators: what people write down of their fitness, and what it says of each result (R-GATE-07, R-GATE-08).
//!
//! | written down | takes effect |
//! |---|---|
//! | worse: a service failed or is overdue, an operator's authority ends | at once, by one person, from the time that it names |
//! | better, from the entry on: a service is good until a day, an operator may run assays | by one person, for what is tested after the entry |
//! | better, and reaching back | when another person has confirmed it |
//! | an entry by mistake | taken back by two |
//!
//! Nothing is held for what nobody wrote down, unless the rule pack asks for records ([`release::pack::Fitness`]).

mod heard;

pub(crate) use heard::Known;

use crate::Stopped;
use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, write};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use ledger::{Draft, FitnessAct, Ledger, Reader, Seq, Service, What};
use serde::{Deserialize, Serialize};
use vocabulary::ConnectionId;

/// Characters of a report, a reason or an assay, and of a name.
const TEXT_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 64;
/// Years that an entry may reach back, and that a service or an authority may last.
const BACK_YEARS_MAX: i64 = 10;
const AHEAD_YEARS_MAX: i64 = 5;
/// Assays of one authorisation.
const ASSAYS_MAX: usize = 200;

/// A service that was done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Serviced {
    /// Which of the analysers on the line, as its messages name it; every one, without it.
    #[serde(default)]
    pub instrument: Option<String>,
    /// What was done.
    pub service: Service,
    /// For what is tested from here on; from now on, without it.
    #[serde(default)]
    pub from: Option<Timestamp>,
    /// The last day for which it is good.
    pub due: Date,
    /// The report.
    pub report: String,
}

/// A service that failed, or should have been done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfit {
    /// Which of the analysers on the line; every one, without it.
    #[serde(default)]
    pub instrument: Option<String>,
    /// Which service.
    pub service: Service,
    /// For what was tested from here on.
    pub from: Timestamp,
    /// Why.
    pub reason: String,
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
    /// For what is tested from here on; from now on, without it.
    #[serde(default)]
    pub from: Option<Timestamp>,
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
    /// Assays as the profiles name them; every one, without any.
    #[serde(default)]
    pub assays: Vec<String>,
    /// For what was tested from here on.
    pub from: Timestamp,
    /// Why.
    pub reason: String,
}

/// What came of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// It has its effect.
    Done {
        /// The entry.
        entry: Seq,
    },
    /// Another person has to agree; nothing changes before.
    Waits {
        /// The entry that waits.
        entry: Seq,
    },
}

/// What came of a word, or why it was not written down.
pub type Noted = Result<Result<Step, Refusal>, NotDone>;

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

/// A word for a time to come would stand above what happens until then; one for a time long gone by has a wrong year.
fn by_now(from: Timestamp) -> Result<i64, Refusal> {
    let now = Timestamp::now();
    if from > now {
        return Err(refusal(
            format!("from {from}: that is still to come (it is {now}); write it down when it is so"),
            format!("起始时间 {from} 尚未到（现在是 {now}）；请届时再登记"),
        ));
    }
    let today = now.to_zoned(TimeZone::UTC).date();
    if from.to_zoned(TimeZone::UTC).date() < today.saturating_sub(BACK_YEARS_MAX.years()) {
        return Err(refusal(
            format!("from {from}: more than {BACK_YEARS_MAX} years ago; is the year right?"),
            format!("起始时间 {from} 早于 {BACK_YEARS_MAX} 年前；请核对年份"),
        ));
    }
    Ok(from.as_millisecond())
}

/// Nothing is good for so long that nobody looks again.
fn last_day(field: &str, last: Date) -> Result<Date, Refusal> {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    if last <= today.saturating_add(AHEAD_YEARS_MAX.years()) {
        return Ok(last);
    }
    Err(refusal(
        format!("{field} {last}: more than {AHEAD_YEARS_MAX} years ahead; is the year right?"),
        format!("{field} {last}：晚于 {AHEAD_YEARS_MAX} 年后；请核对年份"),
    ))
}

fn instrument_of(given: Option<&String>) -> Result<Option<String>, Refusal> {
    given.map(|name| text("instrument", name, NAME_CHARS_MAX)).transpose()
}

fn assays_of(given: &[String]) -> Result<Vec<String>, Refusal> {
    if given.len() > ASSAYS_MAX {
        return Err(refusal(
            format!("at most {ASSAYS_MAX} assays at once; name none for every one"),
            format!("一次至多 {ASSAYS_MAX} 个项目；全部项目则不必列出"),
        ));
    }
    given.iter().map(|assay| text("assays", assay, TEXT_CHARS_MAX)).collect()
}

/// Writes it down, and reads back whether it has its effect.
fn noted(ledger: &Ledger, who: &Actor, act: Result<FitnessAct, Refusal>) -> Noted {
    let act = match act {
        Ok(act) => act,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let of = match &act {
        FitnessAct::Confirmed { note }
        | FitnessAct::TakeBackProposed { note, .. }
        | FitnessAct::TakenBack { note, .. } => Some(*note),
        FitnessAct::Serviced { .. }
        | FitnessAct::Unfit { .. }
        | FitnessAct::Authorised { .. }
        | FitnessAct::Withdrawn { .. } => None,
    };
    let proposes = matches!(act, FitnessAct::TakeBackProposed { .. });
    let drafts = vec![Draft { by: who.by(), what: What::Fitness(act) }];
    let entry = write(ledger, drafts)?.unwrap_or(Seq::NONE);
    let Some(note) = ledger.state().fitness_note(of.unwrap_or(entry)).map_err(Stopped::Read)? else {
        return Ok(Err(lapsed()));
    };
    let is = |done: Option<&ledger::Done>| done.is_some_and(|done| done.entry == entry);
    Ok(match of {
        None if note.waits() => Ok(Step::Waits { entry }),
        None => Ok(Step::Done { entry }),
        Some(_) if proposes && is(note.take_back.as_ref().map(|one| &one.done)) => Ok(Step::Waits { entry }),
        Some(_) if is(note.confirmed.as_ref()) || is(note.taken_back.as_ref()) => Ok(Step::Done { entry }),
        // Something came between the look and the entry: the ledger has it, and it changes nothing.
        Some(_) => Err(lapsed()),
    })
}

fn lapsed() -> Refusal {
    refusal(
        "what you agreed to does not stand any more: look at it again",
        "您所同意的内容已失效：请重新查看",
    )
}

fn on_line(reader: &Reader, connection: &ConnectionId) -> Result<Result<(), Refusal>, NotDone> {
    let pinned = reader.pin(connection).map_err(Stopped::Read)?.is_some();
    Ok(if pinned { Ok(()) } else { Err(Refusal::no_such(connection)) })
}

/// Writes down that a service of an analyser was done.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where the line is unknown, or a time or text is not such as can be.
pub fn serviced(ledger: &Ledger, who: &Actor, connection: &ConnectionId, done: &Serviced) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::RecordFitness).map_err(NotDone::Person)?;
    let known = on_line(&reader, connection)?;
    let act = || -> Result<FitnessAct, Refusal> {
        Ok(FitnessAct::Serviced {
            connection: connection.clone(),
            instrument: instrument_of(done.instrument.as_ref())?,
            service: done.service,
            from_ms: done.from.map(by_now).transpose()?,
            due: last_day("due", done.due)?,
            report: text("report", &done.report, TEXT_CHARS_MAX)?,
        })
    };
    noted(ledger, who, known.and_then(|()| act()))
}

/// Writes down that a service of an analyser failed, or should have been done: what was tested since falls at once.
///
/// # Errors
/// As [`serviced`].
pub fn unfit(ledger: &Ledger, who: &Actor, connection: &ConnectionId, given: &Unfit) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::RecordFitness).map_err(NotDone::Person)?;
    let known = on_line(&reader, connection)?;
    let act = || -> Result<FitnessAct, Refusal> {
        Ok(FitnessAct::Unfit {
            connection: connection.clone(),
            instrument: instrument_of(given.instrument.as_ref())?,
            service: given.service,
            from_ms: by_now(given.from)?,
            reason: text("reason", &given.reason, TEXT_CHARS_MAX)?,
        })
    };
    noted(ledger, who, known.and_then(|()| act()))
}

/// Writes down what an operator may do.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`].
pub fn authorise(ledger: &Ledger, who: &Actor, given: &Authorised) -> Noted {
    who.check(&ledger.state(), Act::RecordFitness).map_err(NotDone::Person)?;
    let act = || -> Result<FitnessAct, Refusal> {
        Ok(FitnessAct::Authorised {
            operator: text("operator", &given.operator, NAME_CHARS_MAX)?,
            assays: assays_of(&given.assays)?,
            from_ms: given.from.map(by_now).transpose()?,
            until: given.until.map(|last| last_day("until", last)).transpose()?,
            reason: text("reason", &given.reason, TEXT_CHARS_MAX)?,
        })
    };
    noted(ledger, who, act())
}

/// Ends what an operator may do: what was tested since falls at once.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where nothing is known of the operator: one who is misspelt would go on.
pub fn withdraw(ledger: &Ledger, who: &Actor, given: &Withdrawn) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::RecordFitness).map_err(NotDone::Person)?;
    let operator = given.operator.trim();
    let recorded = !reader.operator(operator).map_err(Stopped::Read)?.is_empty();
    if !recorded && !reader.has_results_by(operator).map_err(Stopped::Read)? {
        return Ok(Err(refusal(
            format!(
                "nothing is known of operator {operator:?}: no entry and no result (hemogate operator list)"
            ),
            format!("没有操作者 {operator:?} 的记录或结果（hemogate operator list）"),
        )));
    }
    let act = || -> Result<FitnessAct, Refusal> {
        Ok(FitnessAct::Withdrawn {
            operator: text("operator", operator, NAME_CHARS_MAX)?,
            assays: assays_of(&given.assays)?,
            from_ms: by_now(given.from)?,
            reason: text("reason", &given.reason, TEXT_CHARS_MAX)?,
        })
    };
    noted(ledger, who, act())
}

fn no_such_note(note: Seq) -> Refusal {
    refusal(
        format!("entry {note} is none about an analyser or an operator, or is taken back"),
        format!("记录 {note} 与仪器或操作者资格无关，或已撤回"),
    )
}

/// Another person confirms what reaches back.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where it does not wait for that, lapsed, or waits for another person.
pub fn confirm(ledger: &Ledger, who: &Actor, note: Seq) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::RecordFitness).map_err(NotDone::Person)?;
    let known = reader.fitness_note(note).map_err(Stopped::Read)?;
    let act = match known.filter(|known| known.taken_back.is_none()) {
        None => Err(no_such_note(note)),
        Some(known) if !known.can_be_confirmed(Timestamp::now().as_millisecond()) => Err(refusal(
            format!(
                "entry {note} waits for nobody: it has its effect, or it lapsed and has to be written anew"
            ),
            format!("记录 {note} 无需确认：已生效，或已失效而须重新登记"),
        )),
        Some(known) if known.done.by == who.user().as_str() => Err(of_oneself()),
        Some(_) => Ok(FitnessAct::Confirmed { note }),
    };
    noted(ledger, who, act)
}

fn of_oneself() -> Refusal {
    refusal("you wrote it yourself: another person has to agree", "由您本人提出：须由另一人同意")
}

/// Has an entry taken back: the first person proposes it, another one agrees.
///
/// # Errors
/// [`NotDone`]; a [`Refusal`] where there is no such entry, or it waits for another person.
pub fn take_back(ledger: &Ledger, who: &Actor, (note, reason): (Seq, &str)) -> Noted {
    let reader = ledger.state();
    who.check(&reader, Act::RecordFitness).map_err(NotDone::Person)?;
    let known = reader.fitness_note(note).map_err(Stopped::Read)?;
    let Some(known) = known.filter(|known| known.taken_back.is_none()) else {
        return Ok(Err(no_such_note(note)));
    };
    let now = Timestamp::now().as_millisecond();
    let act = match known.take_back.filter(|proposed| proposed.stands(now)) {
        Some(proposed) if proposed.done.by == who.user().as_str() => Err(of_oneself()),
        Some(proposed) => Ok(FitnessAct::TakenBack { note, proposed: proposed.done.entry }),
        None => {
            text("reason", reason, TEXT_CHARS_MAX).map(|reason| FitnessAct::TakeBackProposed { note, reason })
        }
    };
    noted(ledger, who, act)
}

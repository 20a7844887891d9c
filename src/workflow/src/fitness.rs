//! Analysers and operators: what people write down of their fitness, and what it says of each result (R-GATE-07, R-GATE-08).
//!
//! | written down | takes effect |
//! |---|---|
//! | worse: a service failed or is overdue, an operator's authority ends | at once, by one person, from the time that it names |
//! | better, from the entry on: a service is good until a day, an operator may run assays | by one person, for what is tested after the entry |
//! | better, and reaching back | when another person has confirmed it |
//! | an entry by mistake | taken back by two |
//!
//! Nothing is held for what nobody wrote down, unless the site asks for records ([`FitnessRules`]).

use crate::facts::{DonationFacts, Fact, RunFacts, Told};
use crate::people::{Act, Actor};
use crate::pins::{NotDone, Refusal, write};
use crate::{Settings, Stopped};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ledger::{
    Draft, FitnessAct, FitnessNote, Ledger, ReadError, Reader, Seq, Service, Standing, Tested, What,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use vocabulary::ConnectionId;

/// Characters of a report, a reason or an assay, and of a name.
const TEXT_CHARS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 64;
/// Assays of one authorisation.
const ASSAYS_MAX: usize = 200;
/// Lines, and operators, whose entries are remembered; past it all are forgotten and read again.
const REMEMBERED_MAX: usize = 512;

/// What an analyser that is overdue does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Overdue {
    /// It closes R-GATE-07.
    #[default]
    Block,
    /// R-GATE-07 says so and stays open.
    Warn,
}

/// What a site asks of analysers and operators: `[site.fitness]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FitnessRules {
    /// What an analyser that is overdue does.
    pub analysers: Overdue,
    /// Whether a result of an analyser of which nothing is recorded is kept.
    pub analyser_records: bool,
    /// Whether a result is kept that names no operator, or one of whom nothing is recorded.
    pub operator_records: bool,
}

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

/// A word for a time to come would stand above what happens until then.
fn by_now(from: Timestamp) -> Result<i64, Refusal> {
    let now = Timestamp::now();
    if from <= now {
        return Ok(from.as_millisecond());
    }
    Err(refusal(
        format!("from {from}: that is still to come (it is {now}); write it down when it is so"),
        format!("起始时间 {from} 尚未到（现在是 {now}）；请届时再登记"),
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
            due: done.due,
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
            until: given.until,
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

type Notes = Arc<[FitnessNote]>;

/// What is written down, read once for donations that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Known {
    services: BTreeMap<ConnectionId, Notes>,
    operators: BTreeMap<String, Notes>,
}

fn recall<K: Ord + Clone>(
    all: &mut BTreeMap<K, Notes>,
    key: &K,
    read: impl FnOnce() -> Result<Vec<FitnessNote>, ReadError>,
) -> Result<Notes, ReadError> {
    if let Some(known) = all.get(key) {
        return Ok(Arc::clone(known));
    }
    if all.len() >= REMEMBERED_MAX {
        all.clear();
    }
    let notes: Notes = read()?.into();
    all.insert(key.clone(), Arc::clone(&notes));
    Ok(notes)
}

impl Known {
    /// Says of each run what stands against its analyser and its operators.
    pub(crate) fn judge(
        &mut self,
        settings: &Settings,
        reader: &Reader,
        facts: &mut DonationFacts,
    ) -> Result<(), ReadError> {
        let rules = settings.fitness;
        let DonationFacts { observations, pools, runs, .. } = facts;
        for fact in observations.iter().chain(pools.iter().flat_map(|pool| &pool.results)) {
            let Some(run) = fact.run().and_then(|run| runs.get_mut(run)) else { continue };
            let time = Time::of(fact, settings);
            let notes = recall(&mut self.services, &fact.connection, || reader.services(&fact.connection))?;
            let told = analyser(&notes, fact, (&time, rules.analyser_records));
            let into = match rules.analysers {
                Overdue::Block => &mut run.overdue,
                Overdue::Warn => &mut run.warned,
            };
            *into = Told::joined(into.take(), told);
            self.operator((reader, rules.operator_records), run, (fact, &time))?;
        }
        Ok(())
    }

    fn operator(
        &mut self,
        (reader, records): (&Reader, bool),
        run: &mut RunFacts,
        (fact, time): (&Fact, &Time<'_>),
    ) -> Result<(), ReadError> {
        let named = fact.observation.operator.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let Some(operator) = named.map(str::to_owned) else {
            if records {
                run.unauthorised.insert("?".to_owned());
            }
            return Ok(());
        };
        let notes = recall(&mut self.operators, &operator, || reader.operator(&operator))?;
        let may = match time.operator(&notes, &fact.observation.assay) {
            Standing::Fit => true,
            Standing::Unrecorded => !records,
            Standing::Unfit(_) => false,
        };
        if !may {
            let untimed = if time.is_known() { "" } else { " (no time of test; 无检测时间)" };
            run.unauthorised.insert(format!("{operator}{untimed}"));
        }
        Ok(())
    }
}

/// When a result was tested, or, where it does not say so, that it was at any time until its message came.
struct Time<'s> {
    /// The time, or that of its message.
    tested: Tested,
    /// The laboratory's zone, where it does not say so.
    untimed: Option<&'s TimeZone>,
}

impl<'s> Time<'s> {
    fn of(fact: &Fact, settings: &'s Settings) -> Self {
        let (message, zone) = (Seq::new(fact.message), &settings.time_zone);
        let (at_ms, day, untimed) = match fact.tested_at {
            Some(moment) => (moment.at().as_millisecond(), moment.day(), None),
            None => (fact.came_ms, day_in(zone, fact.came_ms), Some(zone)),
        };
        Self { tested: Tested { at_ms, day, message }, untimed }
    }

    fn is_known(&self) -> bool {
        self.untimed.is_none()
    }

    fn analyser<'n>(&self, notes: &'n [FitnessNote], of: (Service, Option<&str>)) -> Standing<'n> {
        match self.untimed {
            None => FitnessNote::of_analyser(notes, of, self.tested),
            Some(zone) => FitnessNote::of_analyser_sometime(notes, of, self.tested, |ms| day_in(zone, ms)),
        }
    }

    fn operator<'n>(&self, notes: &'n [FitnessNote], assay: &str) -> Standing<'n> {
        match self.untimed {
            None => FitnessNote::of_operator(notes, assay, self.tested),
            Some(zone) => FitnessNote::of_operator_sometime(notes, assay, self.tested, |ms| day_in(zone, ms)),
        }
    }
}

fn day_in(zone: &TimeZone, at_ms: i64) -> Date {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(zone.clone()).date()
}

/// What stands against the analyser of a result.
fn analyser(notes: &[FitnessNote], fact: &Fact, (time, records): (&Time<'_>, bool)) -> Option<Told> {
    let instrument = fact.observation.instrument.as_deref();
    let on = format!("{} {}", fact.connection, instrument.unwrap_or_default());
    let on = on.trim_end();
    let (mut told, mut recorded) = (None, false);
    for service in Service::ALL {
        let against = match time.analyser(notes, (service, instrument)) {
            Standing::Unrecorded => continue,
            Standing::Fit | Standing::Unfit(None) => None,
            Standing::Unfit(Some(note)) => Some(overdue(on, service, note)),
        };
        recorded = true;
        told = Told::joined(told, against);
    }
    if !time.is_known() {
        told = told.map(|told| {
            told.and(&Told::new(
                "a result of it has no time of test: whatever stood until it came counts",
                "其结果无检测时间：收到之前的一切登记均计入",
            ))
        });
    }
    if !recorded && records {
        return Some(Told::new(
            format!("no service of {on} is recorded for that time (hemogate analyser serviced)"),
            format!("{on} 当时无确认、校准或维护记录（hemogate analyser serviced）"),
        ));
    }
    told
}

fn overdue(on: &str, service: Service, note: &FitnessNote) -> Told {
    let (en, zh) = (service.name(), service.chinese());
    let (entry, by) = (note.done.entry, &note.done.by);
    match &note.act {
        FitnessAct::Unfit { reason, .. } => Told::new(
            format!("{on}: {en} was declared overdue or failed by {by} (entry {entry}: {reason})"),
            format!("{on}：{by} 登记{zh}逾期或不合格（记录 {entry}：{reason}）"),
        ),
        FitnessAct::Serviced { due, .. } => Told::new(
            format!("{on}: {en} was good until {due} (entry {entry})"),
            format!("{on}：{zh}有效至 {due}（记录 {entry}）"),
        ),
        FitnessAct::Authorised { .. }
        | FitnessAct::Withdrawn { .. }
        | FitnessAct::Confirmed { .. }
        | FitnessAct::TakeBackProposed { .. }
        | FitnessAct::TakenBack { .. } => Told::new(on, on),
    }
}

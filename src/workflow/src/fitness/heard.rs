//! What is written down of analysers and operators, as each result hears it.

use crate::Settings;
use crate::facts::{DonationFacts, Fact, RunFacts, Told};
use crate::runs::recall;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use ledger::{FitnessAct, FitnessNote, ReadError, Reader, Seq, Service, Standing, Tested};
use std::collections::HashMap;
use std::sync::Arc;
use vocabulary::ConnectionId;

type Notes = Arc<[FitnessNote]>;

/// What is written down, read once for donations that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Known {
    services: HashMap<ConnectionId, Notes>,
    operators: HashMap<String, Notes>,
}

impl Known {
    /// Says of each run what is heard of its analyser and its operators; the rule pack says what holds it.
    pub(crate) fn judge(
        &mut self,
        settings: &Settings,
        reader: &Reader,
        facts: &mut DonationFacts,
    ) -> Result<(), ReadError> {
        let DonationFacts { observations, pools, runs, .. } = facts;
        for fact in observations.iter().chain(pools.iter().flat_map(|pool| &pool.results)) {
            let Some(run) = fact.run().and_then(|run| runs.get_mut(run)) else { continue };
            let time = Time::of(fact, settings);
            let notes = recall(&mut self.services, &fact.connection, || {
                reader.services(&fact.connection).map(Notes::from)
            })?;
            match analyser(&notes, fact, &time) {
                Heard::Nothing(on) => {
                    run.unserviced.insert(on);
                }
                Heard::Fit => {}
                Heard::Against(told) => run.overdue = Told::joined(run.overdue.take(), Some(told)),
            }
            self.operator(reader, run, (fact, &time))?;
        }
        Ok(())
    }

    fn operator(
        &mut self,
        reader: &Reader,
        run: &mut RunFacts,
        (fact, time): (&Fact, &Time<'_>),
    ) -> Result<(), ReadError> {
        let named = fact.observation.operator.as_deref().map(str::trim).filter(|name| !name.is_empty());
        let Some(operator) = named.map(str::to_owned) else {
            run.unrecorded.insert("?".to_owned());
            return Ok(());
        };
        let notes = recall(&mut self.operators, &operator, || reader.operator(&operator).map(Notes::from))?;
        match time.operator(&notes, &fact.observation.assay) {
            Standing::Fit => {}
            Standing::Unrecorded => {
                run.unrecorded.insert(operator);
            }
            Standing::Unfit(_) => {
                let untimed = if time.is_known() { "" } else { " (no time of test; 无检测时间)" };
                run.unauthorised.insert(format!("{operator}{untimed}"));
            }
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

/// What is heard of the analyser of a result.
enum Heard {
    /// Nothing is recorded of this one, which holds it where the rule pack asks for records.
    Nothing(String),
    /// It is fit.
    Fit,
    /// It is not.
    Against(Told),
}

fn analyser(notes: &[FitnessNote], fact: &Fact, time: &Time<'_>) -> Heard {
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
    match told {
        Some(told) => Heard::Against(told),
        None if recorded => Heard::Fit,
        None => Heard::Nothing(on.to_owned()),
    }
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

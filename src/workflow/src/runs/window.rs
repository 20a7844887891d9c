//! Analysers without plates: the controls before a result and the first after it (rules.md §2.2, §2.4).

use super::{Known, Outcome, declared, is_final};
use crate::facts::{Fact, RunCheck, Told};
use crate::{Settings, moments::moment};
use jiff::{Span, Timestamp, civil::Date};
use ledger::{Channel, EvidenceObservation, ReadError, Reader, Seq, UNNAMED, WINDOW_MARK, day_of};
use quality_control::grouping::{Due, passes};
use quality_control::immunoassay::{self, Calibration, ControlReadingAt, WindowState};
use quality_control::kits::{CellRules, KitFile, WindowRules};
use std::collections::BTreeSet;
use vocabulary::{LotUse, Marker, Mode, Observation, RunId};

const HOURS_OF_A_DAY: u32 = 24;

/// When a reading was made. One whose time is not known proves nothing; where it fails it counts from when it came.
fn at(settings: &Settings, reading: &EvidenceObservation, in_range: bool) -> Option<Timestamp> {
    let said = reading.observation.completed_at.as_deref().and_then(|text| moment(text, &settings.time_zone));
    match said {
        Some(moment) => Some(moment.at()),
        None if in_range => None,
        None => Timestamp::from_millisecond(reading.at_ms).ok(),
    }
}

/// When a reading was made, its message, and its lots.
struct Came {
    at: Timestamp,
    message: Seq,
    lots: Vec<LotUse>,
}

/// Readings of levels in a channel around a day.
struct Around<'a> {
    settings: &'a Settings,
    reader: &'a Reader,
    channel: &'a Channel,
    days: (Date, Date),
}

impl Around<'_> {
    /// One level's readings, with those of controls that nobody named: they are in range of nothing.
    fn readings(
        &self,
        known: &mut Known,
        level: &str,
        in_range: impl Fn(&Observation) -> bool,
    ) -> Result<(Vec<ControlReadingAt>, Vec<Came>), ReadError> {
        let mut found = Vec::new();
        let mut came = Vec::new();
        for (name, is_named) in [(level, true), (UNNAMED, false)] {
            for reading in known.readings(self.reader, (self.channel, name), self.days)?.iter() {
                let o = &reading.observation;
                if reading.mode != Mode::Production || is_final(o) == Some(false) {
                    continue;
                }
                let in_range = is_named && is_final(o) == Some(true) && in_range(o);
                let Some(at) = at(self.settings, reading, in_range) else { continue };
                let lot = self.channel.lot.clone();
                found.push(ControlReadingAt { at, level: level.to_owned(), lot, in_range });
                came.push(Came { at, message: reading.message, lots: o.lots.clone() });
            }
        }
        Ok((found, came))
    }
}

fn days(hours: u32, tested: Date) -> (Date, Date) {
    let back = Span::new().days(i64::from(hours.div_ceil(HOURS_OF_A_DAY)) + 1);
    (tested.checked_sub(back).unwrap_or(Date::MIN), tested)
}

fn no_time(fact: &Fact) -> Outcome {
    let assay = &fact.observation.assay;
    Outcome::open(Told::new(
        format!(
            "when {assay} was tested is not known, so no control can stand for it; have the analyser send its time"
        ),
        format!("{assay} 检测时间不明，无法对应质控；请让仪器传送检测时间"),
    ))
}

/// What stands for one result of a kit with windows, and the run that it belongs to: `RUN@TIME OF THE LAST CONTROL`.
pub(super) fn assess(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    kit: &KitFile,
    rules: &WindowRules,
    (run, fact): (&RunId, &Fact),
) -> Result<(RunId, Outcome), ReadError> {
    let o = &fact.observation;
    let Some(tested) = fact.tested_at.map(release::Moment::at) else {
        return Ok((window_of(run, None), no_time(fact).by(kit)));
    };
    let own = Channel::of(&fact.connection, o);
    let day = day_of(o, tested.as_millisecond());
    let around = Around { settings, reader, channel: &own, days: days(rules.hours, day) };
    let mut controls = Vec::new();
    let (mut lots, mut opens): (Vec<LotUse>, Vec<(Timestamp, Seq)>) = (Vec::new(), Vec::new());
    for level in &rules.levels {
        let passes = |o: &Observation| {
            o.control.as_ref().is_some_and(|control| control.passes(o.value.interpretation))
        };
        let (found, came) = around.readings(known, level, passes)?;
        controls.extend(found);
        let before = || came.iter().filter(|one| one.at <= tested);
        opens.extend(before().map(|one| (one.at, one.message)));
        lots.extend(before().max_by_key(|one| one.at).into_iter().flat_map(|one| one.lots.clone()));
    }
    let calibrations = match rules.calibration_days {
        None => None,
        Some(hold) => Some(calibrations(&around, known, (day, hold))?),
    };
    let channel =
        immunoassay::Channel { calibrations, controls, changes: Vec::new(), levels: rules.levels.clone() };
    let found = channel.window(&own.lot, tested, Timestamp::MAX, i64::from(rules.hours));
    let id = window_of(run, channel.opened(&own.lot, tested));
    let assay = &o.assay;
    let told = Told::new(format!("{assay}: {}", found.why), format!("{assay}：{}", found.why_zh));
    let check = RunCheck {
        assay: assay.clone(),
        criterion: format!("{} within {} h before, and the first after", names(&rules.levels), rules.hours),
        holds: Some(found.state == WindowState::Valid),
        measured: if found.why.is_empty() { "in range".to_owned() } else { found.why },
    };
    let outcome = match found.state {
        WindowState::Valid => Outcome::valid(),
        WindowState::Missing => Outcome::open(told),
        WindowState::Out => Outcome::out_of_control(told),
        WindowState::Invalid => Outcome::invalid(told),
    };
    let mut outcome = Outcome { checks: vec![check], lots, ..outcome }.by(kit);
    // What was declared invalid stays so, whatever control comes late and opens another window.
    for said in known.windows_invalidated(reader, run)?.iter() {
        let then = opens.iter().filter(|(_, message)| *message < said.done.entry).map(|(at, _)| *at).max();
        if said.run != id && window_of(run, then) == said.run {
            outcome = declared(said).and(outcome);
        }
    }
    Ok((id, outcome))
}

fn names(levels: &BTreeSet<String>) -> String {
    levels.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

/// The run of a window. Where the name would grow too long, the run as it is: the worst of its windows then counts for all.
fn window_of(run: &RunId, opened: Option<Timestamp>) -> RunId {
    let since = opened.map_or_else(|| "none".to_owned(), |at| at.to_string());
    RunId::new(&format!("{run}{WINDOW_MARK}{since}")).unwrap_or_else(|_| run.clone())
}

fn calibrations(
    around: &Around<'_>,
    known: &mut Known,
    (day, hold): (Date, u32),
) -> Result<Vec<Calibration>, ReadError> {
    let found = known.calibrations(around.reader, around.channel, day)?;
    let production = found.iter().filter(|c| c.mode == Mode::Production);
    let all = production.filter_map(|c| {
        let o = &c.observation;
        // What was not obtained is a calibration that failed.
        let accepted =
            is_final(o) == Some(true) && o.value.interpretation != Some(vocabulary::Interpretation::Invalid);
        let at = at(around.settings, c, accepted)?;
        let expires = at.checked_add(Span::new().hours(i64::from(hold) * i64::from(HOURS_OF_A_DAY))).ok()?;
        Some(Calibration { at, expires, lot: around.channel.lot.clone(), accepted })
    });
    Ok(all.collect())
}

/// Summaries, and the sample's own control column: they stand with the columns, and have no reagent of their own.
fn has_no_reagent(marker: Marker) -> bool {
    matches!(marker, Marker::Abo | Marker::RhD | Marker::GroupControl)
}

/// What stands for one column of a grouping; nothing where it has no reagent of its own. A reagent that failed takes back
/// every result since it last passed, and up to when it passes again.
pub(super) fn cells(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    kit: &KitFile,
    rules: &CellRules,
    fact: &Fact,
) -> Result<Option<Outcome>, ReadError> {
    let o = &fact.observation;
    let due: Vec<_> = rules.known.iter().filter(|one| one.reagent == o.marker).collect();
    if due.is_empty() {
        let nothing = || {
            let (marker, id) = (o.marker, &kit.id);
            Outcome::open(Told::new(
                format!("kit {id} says nothing of what {marker} has to show; complete it"),
                format!("试剂盒规则 {id} 未规定 {marker} 的已知反应；请补充"),
            ))
        };
        return Ok((!has_no_reagent(o.marker)).then(|| nothing().by(kit)));
    }
    let Some(tested) = fact.tested_at.map(release::Moment::at) else {
        return Ok(Some(no_time(fact).by(kit)));
    };
    let own = Channel::of(&fact.connection, o);
    let day = day_of(o, tested.as_millisecond());
    let around = Around { settings, reader, channel: &own, days: days(rules.hours, day) };
    let mut controls = Vec::new();
    for one in &due {
        let shows = |o: &Observation| o.value.grade.is_some_and(|grade| passes(one.due, grade));
        controls.extend(around.readings(known, &one.with, shows)?.0);
    }
    let levels: BTreeSet<String> = due.iter().map(|one| one.with.clone()).collect();
    let channel = immunoassay::Channel { calibrations: None, controls, changes: Vec::new(), levels };
    let found = channel.window(&own.lot, tested, Timestamp::MAX, i64::from(rules.hours));
    let wanted: Vec<String> = due.iter().map(|one| format!("{} {}", one.with, shown(one.due))).collect();
    let (marker, wanted) = (o.marker, wanted.join(", "));
    let told = Told::new(
        format!("{marker} (due: {wanted}): {}", found.why),
        format!("{marker}（应为：{wanted}）：{}", found.why_zh),
    );
    let check = RunCheck {
        assay: o.assay.clone(),
        criterion: format!("{marker}: {wanted}"),
        holds: Some(found.state == WindowState::Valid),
        measured: if found.why.is_empty() { "as due".to_owned() } else { found.why },
    };
    let outcome = match found.state {
        WindowState::Valid => Outcome::valid(),
        WindowState::Missing => Outcome::open(told),
        WindowState::Out | WindowState::Invalid => Outcome::invalid(told),
    };
    Ok(Some(Outcome { checks: vec![check], ..outcome }.by(kit)))
}

fn shown(due: Due) -> String {
    match due {
        Due::Zero => "0".to_owned(),
        Due::AtLeast(strength) => format!("≥ {}", strength.name()),
    }
}

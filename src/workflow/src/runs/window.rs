//! Analysers without plates: the controls before a result and the first after it (rules.md §2.2, §2.4).

use super::known::Declared;
use super::{Known, Outcome, declared, is_final};
use crate::facts::{AssayLot, Fact, RunCheck, Told};
use crate::{Settings, moments::moment};
use jiff::{Span, Timestamp, civil::Date};
use ledger::{
    Channel, EvidenceObservation, ReadError, Reader, RowAt, RunInvalidation, Seq, UNNAMED, WINDOW_MARK,
    WindowSpan, day_of,
};
use quality_control::grouping::{Due, passes};
use quality_control::immunoassay::{self, Calibration, ControlReadingAt, WindowState};
use quality_control::kits::{CellRules, KitFile, WindowRules};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vocabulary::{Marker, Mode, Observation, RunId};

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

/// When a reading was made, its row, and its lots.
#[derive(Debug)]
struct Came {
    at: Timestamp,
    row: RowAt,
    lots: Vec<AssayLot>,
}

/// Readings of levels in a channel around a day.
struct Around<'a> {
    settings: &'a Settings,
    reader: &'a Reader,
    channel: &'a Channel,
    days: (Date, Date),
}

/// What was read around a result.
#[derive(Default)]
struct Read {
    controls: Vec<ControlReadingAt>,
    came: Vec<Came>,
    /// A level that has more readings than are looked at.
    too_many: Option<String>,
}

impl Around<'_> {
    /// One level's readings, with those of controls that nobody named: they are in range of nothing.
    fn readings(
        &self,
        known: &mut Known,
        (level, into): (&str, &mut Read),
        in_range: impl Fn(&Observation) -> bool,
    ) -> Result<(), ReadError> {
        for (name, is_named) in [(level, true), (UNNAMED, false)] {
            let readings = known.readings(self.reader, (self.channel, name), self.days)?;
            if readings.left_out {
                into.too_many = Some(level.to_owned());
            }
            for reading in &readings.found {
                let o = &reading.observation;
                if reading.mode != Mode::Production || is_final(o) == Some(false) {
                    continue;
                }
                let in_range = is_named && is_final(o) == Some(true) && in_range(o);
                let Some(at) = at(self.settings, reading, in_range) else { continue };
                let lot = self.channel.lot.clone();
                into.controls.push(ControlReadingAt { at, level: level.to_owned(), lot, in_range });
                let row = RowAt { message: reading.message, record: o.source.record.clone() };
                into.came.push(Came { at, row, lots: AssayLot::of(o).collect() });
            }
        }
        Ok(())
    }
}

/// Nobody has looked at every reading, so nothing may be concluded.
fn more_than_are_read(name: &str, assay: &str) -> Outcome {
    Outcome::open(Told::new(
        format!(
            "{name} of {assay} ran so often around it that not every reading was looked at; find out why, and test the \
             samples again on another day or analyser"
        ),
        format!("{assay} 的 {name} 在其前后读数过多，未能逐一查看；请查明原因，并另日或换仪器重测标本"),
    ))
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

/// Controls and calibrations around a day of a channel, as a kit asks for them: the same for every result of that day.
#[derive(Debug)]
pub(super) struct Surroundings {
    channel: immunoassay::Channel,
    /// One for each of the channel's controls.
    came: Vec<Came>,
    /// A level that has more readings than are looked at.
    too_many: Option<String>,
    /// There are more calibrations than are looked at.
    uncounted: bool,
}

impl Surroundings {
    fn of(
        (around, day): (&Around<'_>, Date),
        known: &mut Known,
        rules: &WindowRules,
    ) -> Result<Self, ReadError> {
        let mut read = Read::default();
        for level in &rules.levels {
            let passes = |o: &Observation| {
                o.control.as_ref().is_some_and(|control| control.passes(o.value.interpretation))
            };
            around.readings(known, (level, &mut read), passes)?;
        }
        let calibrations =
            rules.calibration_days.map(|hold| calibrations(around, known, (day, hold))).transpose()?;
        let uncounted = calibrations.as_ref().is_some_and(|(_, left_out)| *left_out);
        Ok(Self {
            uncounted,
            ..Self::with((read, around.settings), calibrations.map(|(all, _)| all), rules.levels.clone())
        })
    }

    fn with(
        (read, settings): (Read, &Settings),
        calibrations: Option<Vec<Calibration>>,
        levels: BTreeSet<String>,
    ) -> Self {
        let Read { controls, came, too_many } = read;
        let zone = Some(settings.time_zone.clone());
        let channel = immunoassay::Channel { calibrations, controls, changes: Vec::new(), levels, zone };
        Self { channel, came, too_many, uncounted: false }
    }

    /// What stands for a result of a lot, after its analyser was `changed`.
    fn window(
        &self,
        lot: &str,
        tested: Timestamp,
        (changed, hours): (Option<Timestamp>, u32),
    ) -> immunoassay::Window {
        self.channel.window_after(changed, lot, (tested, Timestamp::MAX), i64::from(hours))
    }

    /// Of each level the lots of its last control before.
    fn last_lots(&self, tested: Timestamp) -> Vec<AssayLot> {
        let mut last: BTreeMap<&str, (Timestamp, &[AssayLot])> = BTreeMap::new();
        let before = self.channel.controls.iter().zip(&self.came).filter(|(control, _)| control.at <= tested);
        for (control, came) in before {
            let known = last.entry(&control.level).or_insert((control.at, &came.lots));
            if control.at >= known.0 {
                *known = (control.at, &came.lots);
            }
        }
        last.into_values().flat_map(|(_, lots)| lots.iter().cloned()).collect()
    }
}

/// Where a result of a kit with windows lies.
struct Lies {
    channel: Channel,
    tested: Timestamp,
    around: Arc<Surroundings>,
    /// When the last control ran that was not after it.
    opened: Option<Timestamp>,
}

impl Lies {
    fn of(
        settings: &Settings,
        (reader, known): (&Reader, &mut Known),
        (kit, rules): (&KitFile, &WindowRules),
        (fact, tested): (&Fact, Timestamp),
    ) -> Result<Self, ReadError> {
        let o = &fact.observation;
        let channel = Channel::of(&fact.connection, o);
        let day = day_of(o, tested.as_millisecond());
        let around = known.surroundings((&channel, day, kit.reference()), |known| {
            let around = Around { settings, reader, channel: &channel, days: days(rules.hours, day) };
            Surroundings::of((&around, day), known, rules)
        })?;
        let opened = around.came.iter().map(|one| one.at).filter(|at| *at <= tested).max();
        Ok(Self { channel, tested, around, opened })
    }

    /// When the first control ran after it.
    fn closed(&self) -> Option<Timestamp> {
        self.around.came.iter().map(|one| one.at).filter(|at| *at > self.tested).min()
    }

    fn opened_by(&self) -> impl Iterator<Item = &RowAt> {
        let opening = self.around.came.iter().filter(|one| Some(one.at) == self.opened);
        opening.map(|one| &one.row)
    }

    /// Whether what was declared invalid covers it. The name of a window is the time of its opening control, and that may be
    /// read otherwise later: so it is held against what the window covered when it was declared, by rows and by time.
    fn is_covered(&self, Declared { said, by_row }: &Declared, (run, own): (&RunId, &RowAt)) -> bool {
        if said.spans.is_empty() {
            // It was written when acts did not say that: the window is the one that it lay in then.
            let before = |one: &&Came| one.at <= self.tested && one.row.message < said.done.entry;
            let then = self.around.came.iter().filter(before).map(|one| one.at).max();
            return window_of(run, then) == said.run;
        }
        let opens = |span: &WindowSpan| self.opened_by().any(|row| span.opened_by.contains(row));
        said.spans.iter().any(|span| {
            let has_row = *by_row && (span.results.contains(own) || opens(span));
            has_row || self.overlaps(span, said.done.at_ms)
        })
    }

    /// Whether its window shares time with a span. One that nothing had closed reaches to when it was declared invalid.
    fn overlaps(&self, span: &WindowSpan, declared_ms: i64) -> bool {
        let Some(from) = span.from_ms else { return false };
        let opened = self.opened.map(Timestamp::as_millisecond);
        let begins_in_time = opened.is_none_or(|opened| match span.until_ms {
            Some(until) => opened < until,
            None => opened <= declared_ms,
        });
        let ends_in_time = self.closed().is_none_or(|closed| closed.as_millisecond() > from);
        span.channel == self.channel && begins_in_time && ends_in_time
    }
}

/// A result's row.
pub(super) fn row_of(fact: &Fact) -> RowAt {
    RowAt { message: Seq::new(fact.message), record: fact.observation.source.record.clone() }
}

/// What people's words make of a result whose row lay in windows that they declared invalid, whenever it was tested.
fn fallen_by_row(
    (reader, known): (&Reader, &mut Known),
    run: &RunId,
    own: &RowAt,
) -> Result<Vec<Outcome>, ReadError> {
    let all = known.windows_invalidated(reader, (run, None), [own.message])?;
    let has_row = |said: &RunInvalidation| said.spans.iter().any(|span| span.results.contains(own));
    Ok(all.iter().filter(|found| has_row(&found.said)).map(|found| declared(&found.said)).collect())
}

/// What covers a result by its row and by no time.
pub(super) fn rows_alone(fact: &Fact) -> WindowSpan {
    let channel = Channel::of(&fact.connection, &fact.observation);
    WindowSpan { channel, from_ms: None, until_ms: None, opened_by: Vec::new(), results: vec![row_of(fact)] }
}

/// What the window of a result covers in its channel.
pub(super) fn span(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    (kit, rules): (&KitFile, &WindowRules),
    fact: &Fact,
) -> Result<WindowSpan, ReadError> {
    let Some(tested) = fact.tested_at.map(release::Moment::at) else { return Ok(rows_alone(fact)) };
    let results = vec![row_of(fact)];
    let lies = Lies::of(settings, (reader, known), (kit, rules), (fact, tested))?;
    let mut opened_by: Vec<RowAt> = lies.opened_by().cloned().collect();
    opened_by.sort_unstable();
    opened_by.dedup();
    Ok(WindowSpan {
        from_ms: Some(lies.opened.unwrap_or(tested).as_millisecond()),
        until_ms: lies.closed().map(Timestamp::as_millisecond),
        opened_by,
        results,
        channel: lies.channel,
    })
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
    let own = row_of(fact);
    let Some(tested) = fact.tested_at.map(release::Moment::at) else {
        let outcome = no_time(fact).by(kit);
        let fallen = fallen_by_row((reader, known), run, &own)?.into_iter();
        return Ok((window_of(run, None), fallen.fold(outcome, |after, declared| declared.and(after))));
    };
    let lies = Lies::of(settings, (reader, known), (kit, rules), (fact, tested))?;
    let lots = lies.around.last_lots(tested);
    let changed = known.changed(reader, (fact, tested))?;
    let found = lies.around.window(&lies.channel.lot, tested, (changed, rules.hours));
    let id = window_of(run, lies.opened);
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
    if let Some(level) = &lies.around.too_many {
        outcome = more_than_are_read(&format!("control {level}"), assay).and(outcome);
    }
    if lies.around.uncounted {
        outcome = more_than_are_read("the calibration", assay).and(outcome);
    }
    let opened_by = lies.opened_by().map(|row| row.message);
    let messages: BTreeSet<Seq> = opened_by.chain([own.message]).collect();
    for found in known.windows_invalidated(reader, (run, Some(&lies.channel)), messages)? {
        // What goes by this very name falls by it.
        if found.said.run != id && lies.is_covered(&found, (run, &own)) {
            outcome = declared(&found.said).and(outcome);
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
) -> Result<(Vec<Calibration>, bool), ReadError> {
    let read = known.calibrations(around.reader, around.channel, day)?;
    let production = read.found.iter().filter(|c| c.mode == Mode::Production);
    let all = production.filter_map(|c| {
        let o = &c.observation;
        // What was not obtained is a calibration that failed.
        let accepted =
            is_final(o) == Some(true) && o.value.interpretation != Some(vocabulary::Interpretation::Invalid);
        let at = at(around.settings, c, accepted)?;
        let expires = at.checked_add(Span::new().hours(i64::from(hold) * i64::from(HOURS_OF_A_DAY))).ok()?;
        Some(Calibration { at, expires, lot: around.channel.lot.clone(), accepted })
    });
    Ok((all.collect(), read.left_out))
}

/// Summaries, the sample's own control column, the cells that prove an antiglobulin test, and what another procedure found:
/// they stand with the columns, and have no reagent of their own.
fn has_no_reagent(marker: Marker) -> bool {
    matches!(marker, Marker::Abo | Marker::RhD | Marker::GroupControl | Marker::CoatedCells | Marker::Del)
}

/// What stands for one column of a grouping; nothing where it has no reagent of its own. A reagent that failed takes back
/// every result since it last passed, and up to when it passes again.
pub(super) fn cells(
    settings: &Settings,
    (reader, known): (&Reader, &mut Known),
    kit: &KitFile,
    rules: &CellRules,
    (run, fact): (&RunId, &Fact),
) -> Result<Option<Outcome>, ReadError> {
    let outcome = columns(settings, (reader, known), kit, rules, fact)?;
    Ok(Outcome::both(fallen_row((reader, known), (run, fact))?, outcome))
}

/// What people declared of a row, whatever the part of its run that it lay in is called now.
pub(super) fn fallen_row(
    (reader, known): (&Reader, &mut Known),
    (run, fact): (&RunId, &Fact),
) -> Result<Option<Outcome>, ReadError> {
    let fallen = fallen_by_row((reader, known), run, &row_of(fact))?.into_iter();
    Ok(fallen.fold(None, |after, declared| Outcome::both(Some(declared), after)))
}

fn columns(
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
    let due_of = format!("{} {}", kit.reference(), o.marker);
    let around = known.surroundings((&own, day, due_of), |known| {
        let around = Around { settings, reader, channel: &own, days: days(rules.hours, day) };
        let mut read = Read::default();
        for one in &due {
            let shows = |o: &Observation| o.value.grade.is_some_and(|grade| passes(one.due, grade));
            around.readings(known, (&one.with, &mut read), shows)?;
        }
        let levels = due.iter().map(|one| one.with.clone()).collect();
        Ok(Surroundings::with((read, settings), None, levels))
    })?;
    let lots = around.last_lots(tested);
    let found = around.window(&own.lot, tested, (known.changed(reader, (fact, tested))?, rules.hours));
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
    let mut outcome = Outcome { checks: vec![check], lots, ..outcome }.by(kit);
    if let Some(name) = &around.too_many {
        outcome = more_than_are_read(&format!("known sample {name}"), &o.assay).and(outcome);
    }
    Ok(Some(outcome))
}

fn shown(due: Due) -> String {
    match due {
        Due::Zero => "0".to_owned(),
        Due::AtLeast(strength) => format!("≥ {}", strength.name()),
    }
}

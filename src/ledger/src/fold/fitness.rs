//! Analysers and operators: each entry is kept, and what was tested while it may change something is judged anew: a service
//! that is good from now on opens nothing again.
//!
//! ```text
//!  an analyser's clock  ──── note ──────────── later word ─────────►
//!                              └── heard here ──┘   and on, by results that had come before the later word was written,
//!                                                   where that is the word of one person: their clock ran ahead
//! ```

use super::interpret::Part;
use super::{Fold, Folded};
use crate::channel::tested_day;
use crate::state::{FitnessNote, Key, KeyParts, Read, RunSpanRecord, Span, StateError, TakeBack, record};
use crate::{FitnessAct, Seq, Service};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use vocabulary::{Mode, RunId, SpecimenKind};

/// Analysers of a run's day that are noted by name; past it any may be meant.
const ANALYSERS_NOTED_MAX: usize = 16;
/// Stands before the day on which a result came that has no time of test; behind every day of those that have one.
const UNTIMED: &str = "~";
/// Entries of a line, the latest first, that are looked at for one that is heard in the place of another. Where there are
/// more, more is judged anew than changes.
const LATER_WORDS_MAX: usize = 512;

impl Fold<'_, '_> {
    pub(super) fn fitness(&mut self, act: &FitnessAct) -> Folded {
        if !self.is_of_person() {
            self.misfit();
            return Ok(());
        }
        let (done, now) = (self.done(), self.at_ms);
        match act {
            FitnessAct::Serviced { .. }
            | FitnessAct::Unfit { .. }
            | FitnessAct::Authorised { .. }
            | FitnessAct::Withdrawn { .. } => {
                let act = act.clone();
                self.mark(about(&act).seq(self.seq));
                let note = FitnessNote { done, act, confirmed: None, take_back: None, taken_back: None };
                self.put_note(None, &note)
            }
            FitnessAct::Confirmed { note } => self.change_note(*note, |known| {
                let fits = known.done.by != done.by && known.can_be_confirmed(now);
                fits.then(|| FitnessNote { confirmed: Some(done), ..known.clone() })
            }),
            FitnessAct::TakeBackProposed { note, reason } => self.change_note(*note, |known| {
                let take_back = Some(TakeBack { done, reason: reason.clone() });
                known.taken_back.is_none().then(|| FitnessNote { take_back, ..known.clone() })
            }),
            FitnessAct::TakenBack { note, proposed } => self.change_note(*note, |known| {
                let agreed = known.take_back.as_ref().is_some_and(|one| {
                    one.done.entry == *proposed && one.done.by != done.by && one.stands(now)
                });
                let fits = agreed && known.taken_back.is_none();
                fits.then(|| FitnessNote { taken_back: Some(done), ..known.clone() })
            }),
        }
    }

    /// Changes a note as people agreed; what does not fit changes nothing.
    fn change_note(&mut self, note: Seq, change: impl FnOnce(&FitnessNote) -> Option<FitnessNote>) -> Folded {
        let known = self.note(note)?;
        let Some((known, changed)) = known.and_then(|known| change(&known).map(|changed| (known, changed)))
        else {
            self.misfit();
            return Ok(());
        };
        self.put_note(Some(&known), &changed)
    }

    fn note(&self, note: Seq) -> Result<Option<FitnessNote>, StateError> {
        record(self.view, &Key::fitness_note(note).done())
    }

    fn keep_note(&mut self, note: &FitnessNote) -> Folded {
        self.view.put_record(Key::fitness_note(note.done.entry).done(), note)
    }

    /// Keeps a note, and opens again what may hear of it.
    fn put_note(&mut self, before: Option<&FitnessNote>, after: &FitnessNote) -> Folded {
        self.keep_note(after)?;
        // By one person alone, and from now on: nothing that is there hears of it.
        let from_now = before.is_none() && after.is_good();
        if from_now || before.and_then(FitnessNote::speaks_behind) == after.speaks_behind() {
            return Ok(());
        }
        let runs = runs_that_hear(self.view, after)?;
        runs.iter().try_for_each(|run| self.reopen_run(run))
    }

    /// Notes on which days a run has results of a line, and of operators.
    pub(super) fn tested_on(&mut self, part: &Part<'_>) -> Folded {
        let (connection, mode, at_ms) = &part.of;
        let results = part.observations.iter().filter(|o| o.kind == SpecimenKind::Patient);
        let mut found: BTreeMap<Vec<u8>, Analysers> = BTreeMap::new();
        for o in results.filter(|_| *mode == Mode::Production) {
            let Some(run) = &o.run else { continue };
            let came = || format!("{UNTIMED}{}", date_of(*at_ms));
            let day = tested_day(o).map_or_else(came, |day| day.to_string());
            let line = Key::line_days(connection).text(&day).text(run.as_str()).done();
            found.entry(line).or_default().note(o.instrument.as_deref());
            if let Some(operator) = o.operator.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
                found.entry(Key::operator_days(operator).text(&day).text(run.as_str()).done()).or_default();
            }
        }
        for (key, analysers) in found {
            let known = self.view.get(&key)?;
            let mut all = Analysers::read(known.as_deref().unwrap_or_default());
            all.0.extend(analysers.0);
            let value = all.value();
            if known.as_deref() != Some(&value) {
                self.view.put(key, value);
            }
        }
        Ok(())
    }
}

/// Runs with results that a note changes, whether it has its effect yet or not, or may change.
pub(crate) fn runs_that_hear(read: &dyn Read, note: &FitnessNote) -> Result<BTreeSet<RunId>, StateError> {
    let others = later_words(read, note)?;
    let mut heard = Heard::of(note, &others);
    let found = tested_since(read, &days(&note.act), note.from_ms())?;
    let mut runs = BTreeSet::new();
    for (day, analysers, run) in found {
        let stands: Option<RunSpanRecord> = record(read, &Key::run_span(&run).done())?;
        if heard.on(day, &analysers, stands.map_or(Seq::NONE, |span| span.first)) {
            runs.insert(run);
        }
    }
    Ok(runs)
}

/// A day on which a run has results, where that is known, and the analysers that they name.
type OfDay = (Option<Date>, Analysers, RunId);

/// Runs with results under `days` since a time, and those whose results have no time of test and came since.
fn tested_since(read: &dyn Read, days: &Key, from_ms: i64) -> Result<Vec<OfDay>, StateError> {
    let first = date_of(from_ms).saturating_sub(1.day()).to_string();
    let timed = (days.clone().text(&first), days.clone().text(UNTIMED).done());
    let untimed = (days.clone().text(&format!("{UNTIMED}{first}")), days.clone().under().to);
    let mut found = Vec::new();
    for (from, to) in [timed, untimed] {
        let span = Span { from: from.done(), to, backwards: false };
        read.walk(&span, &mut |key, value| {
            let mut parts = KeyParts::of(key);
            let day = parts.text().and_then(|_| parts.text()).and_then(|day| day.parse().ok());
            let run = parts.text().and_then(|run| RunId::new(run).ok());
            found.extend(run.map(|run| (day, Analysers::read(value), run)));
            ControlFlow::Continue(())
        })?;
    }
    Ok(found)
}

/// Runs with results of a line since a time.
pub(super) fn runs_since(read: &dyn Read, line: &Key, from_ms: i64) -> Result<BTreeSet<RunId>, StateError> {
    Ok(tested_since(read, line, from_ms)?.into_iter().map(|(_, _, run)| run).collect())
}

/// Other entries about the service of an analyser that a note speaks of. An operator's are not asked: whatever else was
/// written, one of them may change what any of them says.
fn later_words(read: &dyn Read, note: &FitnessNote) -> Result<Vec<FitnessNote>, StateError> {
    if service_of(&note.act).is_none() {
        return Ok(Vec::new());
    }
    let mut span = about(&note.act).under();
    span.backwards = true;
    let mut found = Vec::new();
    read.walk(&span, &mut |key, _| {
        let mut parts = KeyParts::of(key);
        found.extend(parts.text().and_then(|_| parts.seq()).filter(|one| *one != note.done.entry));
        if found.len() < LATER_WORDS_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    let mut others: Vec<FitnessNote> = Vec::with_capacity(found.len());
    for one in found {
        others.extend(record(read, &Key::fitness_note(one).done())?);
    }
    Ok(others)
}

/// Analysers that a run's results of one day name; an empty name where one of them names none.
#[derive(Debug, Clone, Default)]
struct Analysers(BTreeSet<String>);

impl Analysers {
    fn note(&mut self, analyser: Option<&str>) {
        self.0.insert(analyser.unwrap_or_default().replace('\n', " "));
    }

    fn value(&self) -> Vec<u8> {
        let named = self.0.iter().take(ANALYSERS_NOTED_MAX + 1);
        named.flat_map(|name| name.bytes().chain([b'\n'])).collect()
    }

    fn read(value: &[u8]) -> Self {
        Self(String::from_utf8_lossy(value).lines().map(str::to_owned).collect())
    }
}

/// Where notes of the same analysers, or the same operator, stand.
fn about(act: &FitnessAct) -> Key {
    match act {
        FitnessAct::Serviced { connection, .. } | FitnessAct::Unfit { connection, .. } => {
            Key::services(connection)
        }
        FitnessAct::Authorised { operator, .. } | FitnessAct::Withdrawn { operator, .. } => {
            Key::operator_notes(operator)
        }
        FitnessAct::Confirmed { .. } | FitnessAct::TakeBackProposed { .. } | FitnessAct::TakenBack { .. } => {
            Key::operator_notes("")
        }
    }
}

/// Where the days stand on which there are results.
fn days(act: &FitnessAct) -> Key {
    match act {
        FitnessAct::Serviced { connection, .. } | FitnessAct::Unfit { connection, .. } => {
            Key::line_days(connection)
        }
        FitnessAct::Authorised { operator, .. } | FitnessAct::Withdrawn { operator, .. } => {
            Key::operator_days(operator)
        }
        FitnessAct::Confirmed { .. } | FitnessAct::TakeBackProposed { .. } | FitnessAct::TakenBack { .. } => {
            Key::operator_days("")
        }
    }
}

fn date_of(at_ms: i64) -> Date {
    Timestamp::from_millisecond(at_ms).unwrap_or_default().to_zoned(TimeZone::UTC).date()
}

/// No zone is further from UTC than a day: before this, milliseconds since 1970 UTC, nothing of that day was tested.
fn begins_ms(day: Date) -> i64 {
    let begins = day.saturating_sub(1.day()).to_zoned(TimeZone::UTC);
    begins.map_or(i64::MIN, |at| at.timestamp().as_millisecond())
}

fn service_of(act: &FitnessAct) -> Option<Service> {
    match act {
        FitnessAct::Serviced { service, .. } | FitnessAct::Unfit { service, .. } => Some(*service),
        FitnessAct::Authorised { .. }
        | FitnessAct::Withdrawn { .. }
        | FitnessAct::Confirmed { .. }
        | FitnessAct::TakeBackProposed { .. }
        | FitnessAct::TakenBack { .. } => None,
    }
}

/// A later word: from when on it is heard, by messages behind which entry.
type Later = (i64, Seq);

/// By whom a note may be heard, from its time on: the words that are heard in its place, by analyser.
#[derive(Debug)]
struct Heard<'n> {
    note: &'n FitnessNote,
    others: &'n [FitnessNote],
    /// None for an analyser that does not hear the note.
    later: BTreeMap<String, Option<Vec<Later>>>,
}

impl<'n> Heard<'n> {
    fn of(note: &'n FitnessNote, others: &'n [FitnessNote]) -> Self {
        Self { note, others, later: BTreeMap::new() }
    }

    /// Whether a result of that day, or of an unknown one, may hear it, whose message came no earlier than `first`. The earlier
    /// a message, the fewer words are heard by it.
    fn on(&mut self, day: Option<Date>, analysers: &Analysers, first: Seq) -> bool {
        let Some(service) = service_of(&self.note.act) else { return true };
        let begins = day.map_or(i64::MIN, begins_ms);
        let unheard = |(from_ms, behind): &Later| *from_ms <= begins && *behind < first;
        let many = analysers.0.is_empty() || analysers.0.len() > ANALYSERS_NOTED_MAX;
        many || analysers.0.iter().any(|name| {
            let (note, others) = (self.note, self.others);
            let later =
                self.later.entry(name.clone()).or_insert_with(|| later(note, others, (service, name)));
            later.as_ref().is_some_and(|later| !later.iter().any(unheard))
        })
    }
}

/// Words that an analyser hears in the place of a note; nothing where it does not hear that.
fn later(note: &FitnessNote, others: &[FitnessNote], (service, name): (Service, &str)) -> Option<Vec<Later>> {
    let analyser = Some(name).filter(|name| !name.is_empty());
    let words = others.iter().filter(|one| one.order() > note.order());
    let instead = words.filter(|one| one.is_about(service, analyser));
    let later = instead.filter_map(|one| Some((one.from_ms(), one.speaks_behind()?))).collect();
    note.is_about(service, analyser).then_some(later)
}

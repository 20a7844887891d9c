//! Analysers and operators: each entry is kept, and what was tested while it changes something is judged anew, and nothing
//! else: a service that is good from now on opens nothing again.

use super::interpret::Part;
use super::{Fold, Folded};
use crate::state::{
    FitnessNote, Key, KeyParts, Read, Standing, StateError, TakeBack, Tested, collect, record,
};
use crate::{FitnessAct, Seq, day_of};
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use std::collections::BTreeSet;
use vocabulary::{Mode, RunId, SpecimenKind};

/// Stands for an instrument, or an assay, that no entry names.
const ANY_OTHER: &str = "\u{1}";

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

    /// Keeps a note, and opens again what it changes.
    fn put_note(&mut self, before: Option<&FitnessNote>, after: &FitnessNote) -> Folded {
        self.keep_note(after)?;
        let mut others = Vec::new();
        for (key, _) in collect(self.view, &about(&after.act).under())? {
            let mut parts = KeyParts::of(&key);
            let note = parts.text().and_then(|_| parts.seq()).filter(|note| *note != after.done.entry);
            if let Some(note) = note {
                others.extend(self.note(note)?);
            }
        }
        // By one person alone, and from now on: nothing that is there hears of it.
        if before.is_none() && after.makes_better() {
            return Ok(());
        }
        let with = |note: Option<&FitnessNote>| others.iter().chain(note).cloned().collect::<Vec<_>>();
        let changes = changed(&with(before), &with(Some(after)), after);
        let mut runs = BTreeSet::new();
        for (from, until) in changes {
            let mut span = days(&after.act).under();
            span.from = days(&after.act).text(&day_before(from)).done();
            if let Some(until) = until {
                span.to = days(&after.act).text(&day_behind(until)).under().to;
            }
            for (key, _) in collect(self.view, &span)? {
                let mut parts = KeyParts::of(&key);
                let run = parts.text().and_then(|_| parts.text()).and_then(|_| parts.text());
                runs.extend(run.and_then(|run| RunId::new(run).ok()));
            }
        }
        runs.iter().try_for_each(|run| self.reopen_run(run))
    }

    /// Notes on which days a run has results of a line, and of operators.
    pub(super) fn tested_on(&mut self, part: &Part<'_>) -> Folded {
        let (connection, mode, at_ms) = &part.of;
        let results = part.observations.iter().filter(|o| o.kind == SpecimenKind::Patient);
        let mut found = BTreeSet::new();
        for o in results.filter(|_| *mode == Mode::Production) {
            let Some(run) = &o.run else { continue };
            let day = day_of(o, *at_ms).to_string();
            found.insert(Key::line_days(connection).text(&day).text(run.as_str()).done());
            if let Some(operator) = o.operator.as_deref().map(str::trim).filter(|name| !name.is_empty()) {
                found.insert(Key::operator_days(operator).text(&day).text(run.as_str()).done());
            }
        }
        for key in found {
            if self.view.get(&key)?.is_none() {
                self.view.put(key, Vec::new());
            }
        }
        Ok(())
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

/// No zone is further from UTC than a day.
fn day_before(at_ms: i64) -> String {
    date_of(at_ms).saturating_sub(1.day()).to_string()
}

fn day_behind(at_ms: i64) -> String {
    date_of(at_ms).saturating_add(1.day()).to_string()
}

fn begins_ms(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(i64::MAX, |at| at.timestamp().as_millisecond())
}

/// Times from a note's beginning on between which something is judged otherwise by `after` than by `before`; the last one
/// may have no end.
fn changed(before: &[FitnessNote], after: &[FitnessNote], note: &FitnessNote) -> Vec<(i64, Option<i64>)> {
    let begins = note.from_ms();
    let mut turns = BTreeSet::from([begins]);
    for one in before.iter().chain(after) {
        turns.insert(one.from_ms());
        turns.extend(one.last_day().and_then(|day| day.tomorrow().ok()).map(begins_ms));
    }
    let turns: Vec<i64> = turns.into_iter().filter(|at| *at >= begins).collect();
    let of_any = before.iter().chain(after).flat_map(FitnessNote::names);
    let names: BTreeSet<&str> = of_any.chain([ANY_OTHER]).collect();
    let mut found: Vec<(i64, Option<i64>)> = Vec::new();
    for (at, next) in turns.iter().zip(turns.iter().skip(1).map(|at| Some(*at)).chain([None])) {
        let tested = Tested { at_ms: *at, day: date_of(*at), message: Seq::new(u64::MAX) };
        let differs = |name: &str| said(before, note, name, tested) != said(after, note, name, tested);
        if names.iter().any(|name| differs(name)) {
            match found.last_mut() {
                Some((_, until)) if *until == Some(*at) => *until = next,
                Some(_) | None => found.push((*at, next)),
            }
        }
    }
    found
}

/// What is said, as far as verdicts tell it apart.
fn said(notes: &[FitnessNote], of: &FitnessNote, name: &str, tested: Tested) -> (u8, Option<Seq>) {
    let standing = match &of.act {
        FitnessAct::Serviced { service, .. } | FitnessAct::Unfit { service, .. } => {
            FitnessNote::of_analyser(notes, (*service, Some(name)), tested)
        }
        FitnessAct::Authorised { .. }
        | FitnessAct::Withdrawn { .. }
        | FitnessAct::Confirmed { .. }
        | FitnessAct::TakeBackProposed { .. }
        | FitnessAct::TakenBack { .. } => FitnessNote::of_operator(notes, name, tested),
    };
    match standing {
        Standing::Unrecorded => (0, None),
        Standing::Fit => (1, None),
        Standing::Unfit(by) => (2, by.map(|note| note.done.entry)),
    }
}

//! A run number that is used again. Plates and batches are numbered anew each year, week or day, so that a name alone does not
//! say which controls are of the run that a result is of: those that lie farther from it than one run can last are another's,
//! and stand for nothing here (R-RUN-03, R-RUN-04). A result without controls of its own then waits for them.
//!
//! | time of | is |
//! |---|---|
//! | a result, a control | when it was finished, as its analyser says |
//! | one that names no time | when it came; a result that is sent again, when it came first |
//! | a correction | that of what it corrects |

use super::Outcome;
use crate::facts::{Fact, Told};
use crate::measurement::begun;
use crate::moments::{local, moment};
use jiff::{Timestamp, tz::TimeZone};
use ledger::EvidenceObservation;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use vocabulary::{Observation, ResultStatus, SpecimenId};

const MS_OF_AN_HOUR: i64 = 3_600_000;

/// What came as controls, calibrators and blanks under a run's name, each with its time.
#[derive(Debug, Clone)]
pub(super) struct Controls {
    all: Arc<[EvidenceObservation]>,
    at_ms: Arc<[i64]>,
}

/// Which of them are of the run that results are of: their places; nothing where all are.
pub(super) type Own = Option<Vec<usize>>;

/// Results of one run, and the controls that lie near enough to them.
pub(super) struct Occurrence<'f> {
    pub(super) own: Own,
    pub(super) facts: Vec<&'f mut Fact>,
    /// When the first of them was tested.
    pub(super) at_ms: i64,
}

impl Controls {
    pub(super) fn new(all: Vec<EvidenceObservation>, zone: &TimeZone) -> Self {
        let said: Vec<i64> = all.iter().map(|one| time_of(one, zone)).collect();
        let at_ms = all.iter().zip(&said).map(|(one, at)| of_what_it_corrects((one, *at), &all, &said));
        Self { at_ms: at_ms.collect(), all: all.into() }
    }

    /// Those of an occurrence.
    pub(super) fn of(&self, own: &Own) -> Vec<&EvidenceObservation> {
        match own {
            None => self.all.iter().collect(),
            Some(places) => places.iter().filter_map(|place| self.all.get(*place)).collect(),
        }
    }

    fn near(&self, at_ms: i64, reach_ms: i64) -> Vec<usize> {
        let near = |(_, control): &(usize, &i64)| control.abs_diff(at_ms) <= reach_ms.unsigned_abs();
        self.at_ms.iter().enumerate().filter(near).map(|(place, _)| place).collect()
    }

    /// Results of a run whose controls and samples lie at most so many hours apart, by the controls that are near them.
    pub(super) fn occurrences<'f>(&self, hours: u32, facts: Vec<&'f mut Fact>) -> Vec<Occurrence<'f>> {
        let reach_ms = i64::from(hours) * MS_OF_AN_HOUR;
        let Some(first) = facts.first() else { return Vec::new() };
        let (first, last) = facts
            .iter()
            .map(|fact| finished(fact))
            .fold((finished(first), finished(first)), |(first, last), at| (first.min(at), last.max(at)));
        let is_near = |at: &i64| at.abs_diff(first).max(at.abs_diff(last)) <= reach_ms.unsigned_abs();
        if self.at_ms.iter().all(is_near) {
            return vec![Occurrence { own: None, facts, at_ms: first }];
        }
        let times = begins(&facts);
        let mut found: BTreeMap<Vec<usize>, Occurrence<'f>> = BTreeMap::new();
        for (fact, at_ms) in facts.into_iter().zip(times) {
            let near = self.near(at_ms, reach_ms);
            let own = (near.len() < self.all.len()).then(|| near.clone());
            let one = found.entry(near).or_insert_with(|| Occurrence { own, facts: Vec::new(), at_ms });
            one.at_ms = one.at_ms.min(at_ms);
            one.facts.push(fact);
        }
        found.into_values().collect()
    }

    /// What an occurrence comes to, with what its number hides where it lacks a control that came under it at another time.
    /// `at_ms` is the time of its first result, `assays` those that its controls are asked for.
    pub(super) fn told(
        &self,
        outcome: Outcome,
        (own, at_ms, hours): (&Own, i64, u32),
        assays: &BTreeSet<String>,
        zone: &TimeZone,
    ) -> Outcome {
        let Some(own) = own else { return outcome };
        if outcome.is_good() {
            return outcome;
        }
        let place = |place: &usize| Some((self.all.get(*place)?, *self.at_ms.get(*place)?));
        let kept: BTreeSet<_> =
            own.iter().filter_map(place).map(|(one, _)| known_as(&one.observation)).collect();
        let lacks = |(one, _): &(&EvidenceObservation, i64)| {
            assays.contains(&one.observation.assay) && !kept.contains(&known_as(&one.observation))
        };
        let others: Vec<_> = (0..self.all.len()).filter_map(|at| place(&at)).filter(lacks).collect();
        let Some((_, nearest)) = others.iter().min_by_key(|(_, at)| at.abs_diff(at_ms)) else {
            return outcome;
        };
        let names: BTreeSet<&str> = others.iter().filter_map(|(one, _)| name(&one.observation)).collect();
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        let time =
            |ms: i64| Timestamp::from_millisecond(ms).map_or_else(|_| "?".to_owned(), |at| local(at, zone));
        let (tested, controlled) = (time(at_ms), time(*nearest));
        outcome.because(&Told::new(
            format!(
                "run number used again: its controls {names} are of {controlled}, more than {hours} h from this result \
                 ({tested}), and stand for nothing here (R-RUN-04); send the controls of its own run, or test the samples \
                 again in a run with a number of its own, with its controls"
            ),
            format!(
                "批次号重复使用：该批次号的对照（{names}）时间为 {controlled}，与本结果（{tested}）相隔超过 {hours} 小时，\
                 不能代表本次检测（R-RUN-04）；请补传本次检测的对照，或用新的批次号连同对照重做标本"
            ),
        ))
    }
}

fn time_of(one: &EvidenceObservation, zone: &TimeZone) -> i64 {
    let said = one.observation.completed_at.as_deref().and_then(|text| moment(text, zone));
    said.map_or(one.at_ms, |said| said.at().as_millisecond())
}

fn finished(fact: &Fact) -> i64 {
    fact.tested_at.map_or(fact.came_ms, |tested| tested.at().as_millisecond())
}

fn name(o: &Observation) -> Option<&str> {
    o.control.as_ref().map(|control| control.name.as_str())
}

fn known_as(o: &Observation) -> (&str, Option<&str>) {
    (&o.assay, name(o))
}

/// What a control that failed is corrected to, or one that passed, days later is of the run that it was in.
fn of_what_it_corrects(
    (one, at): (&EvidenceObservation, i64),
    all: &[EvidenceObservation],
    said: &[i64],
) -> i64 {
    let own = &one.observation;
    if own.status != ResultStatus::Corrected {
        return at;
    }
    let like = |other: &&(&EvidenceObservation, &i64)| {
        let o = &other.0.observation;
        o.status != ResultStatus::Corrected
            && *other.1 <= at
            && (known_as(o), o.marker) == (known_as(own), own.marker)
            && (own.replicate.is_none() || o.replicate == own.replicate)
    };
    all.iter().zip(said).collect::<Vec<_>>().iter().filter(like).map(|(_, at)| **at).max().unwrap_or(at)
}

/// Of each result when its measurement was made, as far as anybody can say.
fn begins(facts: &[&mut Fact]) -> Vec<i64> {
    let mut by_sample: BTreeMap<Option<&SpecimenId>, Vec<usize>> = BTreeMap::new();
    for (place, fact) in facts.iter().enumerate() {
        by_sample.entry(fact.observation.specimen.as_ref()).or_default().push(place);
    }
    let mut times: Vec<i64> = facts.iter().map(|fact| finished(fact)).collect();
    for places in by_sample.into_values() {
        let own: Vec<&Fact> =
            places.iter().filter_map(|place| facts.get(*place).map(|fact| &**fact)).collect();
        for (place, at) in places.into_iter().zip(begun(&own, finished)) {
            if let Some(time) = times.get_mut(place) {
                *time = at;
            }
        }
    }
    times
}

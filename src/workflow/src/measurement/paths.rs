//! One test that came by two paths: over two lines, or read by two profiles, as where middleware sends what its analyser has sent
//! itself. It is one test (R-SER-04), and what one path does not tell the other may.
//!
//! | the two say | what counts |
//! |---|---|
//! | the same, as far as both say it | one of them: of a run whose controls allow it before one whose controls never came |
//! | something else | the graver, and the donation is held |

use super::{
    Key, Tie, Versions, is_ratio,
    like::{is_at_once, own_name},
    severity,
};
use crate::cut::Cuts;
use crate::facts::{Fact, RunFacts};
use jiff::Timestamp;
use release::Moment;
use release::evidence::{Qc, Validity};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Observation, ResultStatus, RunId};

/// The line that a result came over, and the profile that read it.
fn path(fact: &Fact) -> (&str, &str) {
    (fact.connection.as_str(), &fact.profile.id)
}

pub(super) fn is_one_path(one: &Fact, other: &Fact) -> bool {
    path(one) == path(other)
}

/// Whether two versions that came by two paths say the same: each tells it in its own way, and less or more of it.
pub(super) fn say_the_same(one: &Fact, other: &Fact) -> bool {
    let (o, p) = (&one.observation, &other.observation);
    let (v, w) = (&o.value, &p.value);
    let units_fit = v.unit == w.unit || (is_ratio(v.unit.as_deref()) && is_ratio(w.unit.as_deref()));
    let numbers = v.number.zip(w.number).map(|(a, b)| a == b && v.comparator == w.comparator && units_fit);
    let in_both = [
        v.od.zip(w.od).map(|(a, b)| a == b),
        v.cutoff.zip(w.cutoff).map(|(a, b)| a == b),
        numbers,
        v.interpretation.zip(w.interpretation).map(|(a, b)| a == b),
        v.grade.zip(w.grade).map(|(a, b)| a == b),
    ];
    let speaks = |o: &Observation| {
        let value = &o.value;
        value.od.is_some() || value.interpretation.is_some() || is_ratio(value.unit.as_deref())
    };
    let is_comparable = in_both.iter().any(Option::is_some)
        || v.raw.trim().eq_ignore_ascii_case(w.raw.trim())
        || (speaks(o) && speaks(p));
    is_comparable
        && in_both.into_iter().flatten().all(|same| same)
        && (o.status == ResultStatus::NotObtained) == (p.status == ResultStatus::NotObtained)
        && o.control == p.control
        && lots_fit(o, p)
}

/// Whether two results name the same lots, of each use that both name one for.
fn lots_fit(one: &Observation, other: &Observation) -> bool {
    let of = |o: &'_ Observation, role| -> BTreeSet<String> {
        o.lots.iter().filter(|lot| lot.role == role).map(|lot| lot.lot.clone()).collect()
    };
    one.lots.iter().all(|lot| {
        let (own, others) = (of(one, lot.role), of(other, lot.role));
        others.is_empty() || own == others
    })
}

/// What tells the run of some results from another run of the same name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Origin {
    /// As the analyser named it.
    name: Option<String>,
    instruments: BTreeSet<String>,
    /// When its results were finished.
    times: BTreeSet<Timestamp>,
}

impl Origin {
    pub(crate) fn of(fact: &Fact) -> Self {
        let run = fact.observation.run.as_ref();
        Self { name: run.map(|run| own_name(run, &fact.connection).to_owned()), ..Self::default() }
    }

    /// Another result of it.
    pub(crate) fn add(&mut self, fact: &Fact) {
        self.instruments.extend(fact.observation.instrument.clone());
        self.times.extend(fact.tested_at.map(Moment::at));
    }

    /// Whether results that came over two lines may be of one run: it has one name, and neither its analyser nor its time tells
    /// that there were two.
    pub(crate) fn may_be_one_run(&self, other: &Self) -> bool {
        let instruments = [&self.instruments, &other.instruments];
        let are_two =
            instruments.iter().all(|all| !all.is_empty()) && self.instruments.is_disjoint(&other.instruments);
        let is_untimed = self.times.is_empty() || other.times.is_empty();
        let at_once = || self.times.iter().any(|one| other.times.iter().any(|two| is_at_once(*one, *two)));
        self.name.is_some() && self.name == other.name && !are_two && (is_untimed || at_once())
    }
}

/// How a result's run speaks for it, the worst that is known first: a controls' failure that one path told of takes what was not
/// found, and nothing that was found. Controls that never came by one path may have come by the other.
pub(super) fn weight(fact: &Fact, runs: &BTreeMap<RunId, RunFacts>, cuts: Cuts<'_>) -> u8 {
    let Some(run) = fact.run().and_then(|run| runs.get(run)) else { return 0 };
    let is_grave = severity(fact, cuts) > 0;
    match (run.validity, run.qc) {
        (Validity::Invalid, _) | (_, Qc::OutOfControl) if is_grave => 0,
        (Validity::Invalid, _) | (_, Qc::OutOfControl) => 3,
        (Validity::Valid, _) => 2,
        (Validity::Open, _) => 1,
    }
}

/// Of each measurement that one path tells less of than another: the one that it may be, preferably one that says the same.
pub(super) fn echoes<'f>(versions: &Versions<'f>) -> BTreeMap<Key<'f>, Tie<'f>> {
    let mut all = BTreeMap::new();
    let mut facts = versions.values().flatten();
    let is_one = facts.next().is_none_or(|first| facts.all(|fact| is_one_path(first, fact)));
    if is_one {
        return all;
    }
    for (key, own) in versions {
        let tells_more = |other: &Key<'f>| (other.0.told(), other) > (key.0.told(), key);
        let by_other_paths = |facts: &[&Fact]| !facts.iter().any(|a| own.iter().any(|b| is_one_path(a, b)));
        let agrees = |facts: &[&Fact]| own.iter().all(|a| facts.iter().any(|b| say_the_same(a, b)));
        let candidates = versions
            .iter()
            .filter(|(other, facts)| tells_more(other) && key.0.may_be(&other.0) && by_other_paths(facts));
        let nearest = candidates.max_by_key(|(other, facts)| (agrees(facts), other.0.told(), **other));
        if let Some((to, _)) = nearest {
            all.insert(*key, Tie { to: Some(*to), candidates: vec![*to], alike: true });
        }
    }
    all
}

//! One measurement, however often it is sent: told by its content, never by a message's number (protocols §4.4).
//!
//! | the same measurement came with | what counts |
//! |---|---|
//! | the same value again, over whichever line, read by whichever profile | the first; the others are the same result sent again ([`paths`]) |
//! | a final result after, or before, a preliminary one | the final one |
//! | another value, marked as a correction | the correction; where it takes a reactive result away, ALT above its limit, or is any other reaction or group, the donation is held |
//! | a correction with a time of its own | the same: it is a version of what it can be of ([`corrections`]), and of what that is one of, never a test of its own |
//! | a preliminary result, or one of a run that is not reported, whose final one has another time or run | the final one ([`traces`]) |
//! | a preliminary result that found something, and a final one that is less grave, or another reaction or group | the final one, and the donation is held |
//! | another value without a word, or two corrections | the graver one, and the donation is held |
//!
//! What is held so waits for two people, who say which version stands ([`disputed`]).
//!
//! Which version counts does not depend on the order in which messages came; where measurements stand among others does where
//! nobody knows better ([`order`]).

mod corrections;
mod disputed;
mod like;
mod order;
mod paths;
mod traces;

pub(crate) use disputed::{Disputed, Words};

use crate::cut::Cuts;
use crate::facts::{Fact, RunFacts, Told};
use corrections::{Tie, ties};
use like::{Like, own_name};
use order::{Came, in_order};
pub(crate) use paths::Origin;
use paths::{echoes, is_one_path, say_the_same, weight};
use release::evidence::OpenFinding;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use traces::traces;
use vocabulary::{ConnectionId, Grade, Interpretation, Marker, MarkerKind, Observation, ResultStatus, RunId};

/// How far a result has come: a later stage takes the place of an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    Preliminary,
    Settled,
    Corrected,
}

impl Stage {
    pub(crate) fn of(status: ResultStatus) -> Self {
        match status {
            // What the analyser does not report is a step on the way as well.
            ResultStatus::Preliminary | ResultStatus::Other => Self::Preliminary,
            ResultStatus::Final | ResultStatus::Repeated | ResultStatus::NotObtained => Self::Settled,
            ResultStatus::Corrected => Self::Corrected,
        }
    }
}

/// What was measured, without what came out, and who told of it: analyser, test, time, run, tube, replicate, with the profile, and
/// the line where it does not say when. It says for people what was sent before, and of what their words are; verdicts rest on
/// [`Like`].
pub(crate) fn identity(
    (connection, profile): (&ConnectionId, &str),
    tube: Option<&str>,
    o: &Observation,
) -> String {
    let time = if o.value.od.is_some() { None } else { o.completed_at.as_ref() };
    let line = if time.is_some() && o.instrument.is_some() { None } else { Some(connection) };
    let run = o.run.as_ref().map(|run| own_name(run, connection));
    let of = format!("{profile} {line:?} {:?} {run:?}", o.instrument);
    format!("{of} {} {} {time:?} {tube:?} {:?}", o.assay, o.marker, o.replicate)
}

/// What came out. Who verified it, and how often it was sent, changes nothing of that.
pub(crate) fn outcome(o: &Observation) -> String {
    let unusable = match o.status {
        ResultStatus::Other | ResultStatus::NotObtained => Some(o.status),
        ResultStatus::Final
        | ResultStatus::Repeated
        | ResultStatus::Corrected
        | ResultStatus::Preliminary => None,
    };
    format!("{:?} {:?} {:?} {:?} {unusable:?}", o.value, o.flags, o.lots, o.control)
}

/// A fingerprint of 64 bits.
pub(crate) fn fingerprint(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    hash.first_chunk::<8>().map_or(0, |first| u64::from_be_bytes(*first))
}

/// A measurement as the evidence takes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used<'f> {
    pub(crate) fact: &'f Fact,
    /// The message whose rows it belongs with: a corrected row stays in its determination.
    pub(crate) home: u64,
}

/// What was measured, and which of those in one message that agree in it.
type Key<'f> = (Like<'f>, u32);
type Versions<'f> = BTreeMap<Key<'f>, Vec<&'f Fact>>;

/// The results by what was measured, and that of each.
fn by_measurement<'f>(facts: impl IntoIterator<Item = &'f Fact>) -> (Versions<'f>, Vec<Key<'f>>) {
    let mut versions: Versions<'f> = BTreeMap::new();
    let mut places: BTreeMap<(u64, Like<'_>), u32> = BTreeMap::new();
    let keys = facts.into_iter().map(|fact| {
        let like = Like::of(fact);
        let place = places.entry((fact.message, like)).or_default();
        let key = (like, *place);
        *place += 1;
        versions.entry(key).or_default().push(fact);
        key
    });
    let keys = keys.collect();
    (versions, keys)
}

/// What measurements are versions of others, which they do not agree with in everything.
fn ties_of<'f>(versions: &Versions<'f>) -> BTreeMap<Key<'f>, Tie<'f>> {
    let mut all = echoes(versions);
    all.extend(ties(versions));
    all.extend(traces(versions));
    all
}

/// The measurement that one is a version of in the end, by way of others; of those that are versions of each other, the first.
fn root<'f>(key: Key<'f>, ties: &BTreeMap<Key<'f>, Tie<'f>>) -> Key<'f> {
    let mut way = vec![key];
    loop {
        let last = way.last().copied().unwrap_or(key);
        let Some(next) = ties.get(&last).and_then(|tie| tie.to) else { return last };
        if let Some(at) = way.iter().position(|one| *one == next) {
            return way.into_iter().skip(at).min().unwrap_or(next);
        }
        way.push(next);
    }
}

/// The message whose rows the versions of a measurement belong with.
fn home(versions: &[&Fact]) -> Option<u64> {
    versions.iter().filter(|f| f.stage() < Stage::Corrected).map(|f| f.message).min()
}

/// Each measurement once, and those of which people have to say, or have said, which version stands.
#[derive(Debug)]
pub(crate) struct Measurements<'f> {
    pub(crate) used: Vec<Used<'f>>,
    /// By measurement, so that what a person reads does not change with the order of messages.
    pub(crate) disputed: Vec<Disputed<'f>>,
}

impl Measurements<'_> {
    /// What people have to look at.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &OpenFinding> {
        self.disputed.iter().flat_map(Disputed::findings)
    }
}

/// By what a version is judged: the cut-offs, and what stands for the runs.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) cuts: Cuts<'a>,
    pub(crate) runs: &'a BTreeMap<RunId, RunFacts>,
}

/// Each measurement once, with what people said of its versions.
pub(crate) fn measurements<'f>(facts: &'f [Fact], by: By<'_>, words: Words<'f>) -> Measurements<'f> {
    let (versions, order) = by_measurement(facts);
    let ties = ties_of(&versions);
    let mut by_root: BTreeMap<Key<'_>, Vec<(Key<'_>, &Tie<'_>)>> = BTreeMap::new();
    for (of, tie) in &ties {
        by_root.entry(root(*of, &ties)).or_default().push((*of, tie));
    }
    let mut done: BTreeSet<Key<'_>> = BTreeSet::new();
    let mut disputed: BTreeMap<Key<'_>, Disputed<'_>> = BTreeMap::new();
    let mut came: Vec<Came<'_>> = Vec::new();
    for key in order {
        let key = root(key, &ties);
        if !done.insert(key) {
            continue;
        }
        let own = versions.get(&key).map_or(&[][..], Vec::as_slice);
        let joined = by_root.get(&key).map_or(&[][..], Vec::as_slice);
        let others =
            joined.iter().filter(|(of, _)| *of != key).filter_map(|(of, _)| versions.get(of)).flatten();
        let all: Vec<&Fact> = own.iter().chain(others).copied().collect();
        let mut found = Vec::new();
        let Some(mut fact) = standing(&all, by, &mut found) else { continue };
        for (of, tie) in joined {
            found.extend(unmatched((*of, tie), &versions, by));
        }
        if !found.is_empty() {
            let one = Disputed::new((&all, key.1), found, words);
            fact = one.settled.unwrap_or(fact);
            disputed.insert(key, one);
        }
        let one = Used { fact, home: home(own).unwrap_or(fact.message) };
        came.push(Came::new(one, &all));
    }
    Measurements { used: in_order(came, by.cuts), disputed: disputed.into_values().collect() }
}

/// Of each result the message whose rows it belongs with, as [`Used::home`] has it; all of one donation.
pub(crate) fn homes(facts: &[&Fact]) -> Vec<u64> {
    let (versions, keys) = by_measurement(facts.iter().copied());
    let ties = ties_of(&versions);
    let of = |key: &Key<'_>| versions.get(&root(*key, &ties)).and_then(|versions| home(versions));
    keys.iter().zip(facts).map(|(key, fact)| of(key).unwrap_or(fact.message)).collect()
}

/// Of each result when what it measured was measured; all of one sample, `at` is what each says. A correction is as old as what
/// it corrects, and one without a time as old as the first that is the same.
pub(crate) fn begun(facts: &[&Fact], at: impl Fn(&Fact) -> i64) -> Vec<i64> {
    let (versions, keys) = by_measurement(facts.iter().copied());
    let ties = ties(&versions);
    let of = |(key, fact): (&Key<'_>, &&Fact)| {
        let is_correction = fact.stage() == Stage::Corrected;
        if !is_correction && fact.tested_at.is_some() {
            return at(fact);
        }
        let key = ties.get(key).and_then(|tie| tie.to).unwrap_or(*key);
        let before = versions.get(&key).map_or(&[][..], Vec::as_slice).iter().filter(|version| {
            if is_correction { version.stage() < Stage::Corrected } else { version.tested_at.is_none() }
        });
        before.map(|version| at(version)).min().unwrap_or_else(|| at(fact))
    };
    keys.iter().zip(facts).map(of).collect()
}

/// Which version of a measurement stands.
fn standing<'f>(versions: &[&'f Fact], by: By<'_>, findings: &mut Vec<OpenFinding>) -> Option<&'f Fact> {
    if let [only] = versions {
        return Some(only);
    }
    let of = |stage: Stage| versions.iter().copied().filter(move |f| f.stage() == stage);
    for stage in [Stage::Settled, Stage::Corrected] {
        let mut seen = BTreeSet::new();
        let different: Vec<&Fact> = of(stage).filter(|f| seen.insert(f.outcome())).collect();
        if different
            .iter()
            .enumerate()
            .any(|(at, one)| different.iter().skip(at + 1).any(|other| differ(one, other, by.cuts)))
        {
            findings.push(changed(&different));
        }
    }
    let cuts = by.cuts;
    let first = gravest(of(Stage::Preliminary), by);
    let before = gravest(of(Stage::Settled), by);
    let corrected = gravest(of(Stage::Corrected), by);
    let stands = corrected.or(before);
    if let (Some(before), Some(after)) = (before, corrected)
        && eases(before, after, cuts)
    {
        findings.push(eased(("corrected", before), after));
    } else if let Some(after) = stands
        && let Some(first) = of(Stage::Preliminary).find(|first| leaves_a_trace(first, after, cuts))
    {
        findings.push(eased(("changed from a preliminary", first), after));
    }
    stands.or(first)
}

/// Whether two outcomes are not the same one, told by two paths.
fn differ(one: &Fact, other: &Fact, cuts: Cuts<'_>) -> bool {
    is_one_path(one, other) || severity(one, cuts) != severity(other, cuts) || !say_the_same(one, other)
}

/// The gravest of some versions; of those that say the same the one whose run speaks, then the first, so that its own message
/// is named.
fn gravest<'f>(versions: impl Iterator<Item = &'f Fact>, By { cuts, runs }: By<'_>) -> Option<&'f Fact> {
    let gravity = |fact: &Fact| {
        let o = &fact.observation;
        let run = weight(fact, runs, cuts);
        (severity(fact, cuts), run, o.value.number, !o.lots.is_empty(), fact.outcome())
    };
    versions.reduce(|worst, next| if gravity(next) > gravity(worst) { next } else { worst })
}

/// Whether a correction makes less of a result than was sent before. Of reactions and groups none is the lesser one: a wrong
/// one of either kind harms whoever receives the blood.
fn eases(before: &Fact, after: &Fact, cuts: Cuts<'_>) -> bool {
    let (was, is) = (severity(before, cuts), severity(after, cuts));
    let is_grouping = after.observation.marker.kind() == MarkerKind::Grouping;
    (was > 0 && is < was) || (is_grouping && said_of(before) != said_of(after))
}

/// What two people have to say of a correction that could be of several measurements, of one elsewhere, or of none.
fn unmatched<'f>((of, tie): (Key<'f>, &Tie<'f>), versions: &Versions<'f>, by: By<'_>) -> Option<OpenFinding> {
    let corrections = versions.get(&of)?;
    let settled = |key: &Key<'f>| {
        let own = versions.get(key)?.iter().copied();
        gravest(own.filter(|fact| fact.stage() < Stage::Corrected), by)
    };
    let candidates: Vec<&Fact> = tie.candidates.iter().filter_map(settled).collect();
    let after = corrections.first()?;
    let eases_one =
        || candidates.iter().any(|before| corrections.iter().any(|after| eases(before, after, by.cuts)));
    if tie.alike && !(candidates.len() > 1 && eases_one()) {
        return None;
    }
    let of = if candidates.is_empty() {
        "nothing is known that it could correct".to_owned()
    } else {
        let all: Vec<String> = candidates.into_iter().map(|fact| says(fact).en).collect();
        format!("which result it corrects is not certain ({})", all.join(", "))
    };
    let what = format!(
        "{} of {}: {}, marked as a correction, and {of}; two people have to say which stands (hemogate donation \
         settle-result)",
        after.observation.assay,
        after.observation.marker,
        says(after).en,
    );
    Some(OpenFinding { finding: "correction_unmatched".to_owned(), what })
}

/// The severity of a result that is reactive, or as grave.
const REACTIVE: u8 = 4;

/// From which severity on somebody has found something, whatever became of it.
pub(crate) const GREY: u8 = 2;

/// Whether the final result makes less of a preliminary one, or of one that is not reported, as a correction would; an invalid one
/// has found nothing. A profile reads no preliminary ones: of one that it withheld the text speaks, by its number, else by whether
/// the final one says the same.
fn leaves_a_trace(first: &Fact, after: &Fact, cuts: Cuts<'_>) -> bool {
    let value = &first.observation.value;
    let is_read = value.number.is_some() || value.interpretation.is_some() || value.od.is_some();
    if is_read || value.grade.is_some() {
        let is_grouping = first.observation.marker.kind() == MarkerKind::Grouping;
        return (is_grouping || severity(first, cuts) >= GREY) && eases(first, after, cuts);
    }
    if severity(after, cuts) >= REACTIVE {
        return false;
    }
    let (raw, then) = (value.raw.trim(), after.observation.value.raw.trim());
    // A place that is still blank (`----`) says as little as none.
    let is_blank = raw.chars().all(|c| matches!(c, '-' | '.' | '_' | ' '));
    let is_equal = is_blank || raw.eq_ignore_ascii_case(then);
    let Ok(number) = raw.trim_start_matches(['>', '<', '=', ' ']).parse::<Decimal>() else {
        return !is_equal;
    };
    match first.observation.marker.kind() {
        MarkerKind::Serology => {
            let cut = cuts.cut(first);
            cut.reaches(number, (Decimal::ONE, cut.initial))
        }
        MarkerKind::Chemistry => {
            let mut o = first.observation.clone();
            (o.value.number, o.value.unit) = (Some(number), Some(crate::evidence::ACTIVITY.to_owned()));
            !cuts.passes_alt(&o)
        }
        MarkerKind::Nat | MarkerKind::Screening | MarkerKind::Grouping => !is_equal,
    }
}

/// How grave a result is for the donation; 0 is what lets it pass.
pub(crate) fn severity(fact: &Fact, cuts: Cuts<'_>) -> u8 {
    let (value, cut) = (&fact.observation.value, cuts.cut(fact));
    let measured = match (value.od, value.cutoff, value.number) {
        (Some(od), Some(cutoff), _) => cut.reaches(od, (cutoff, cut.initial)),
        (_, _, Some(number)) if is_ratio(value.unit.as_deref()) => {
            cut.reaches(number, (Decimal::ONE, cut.initial))
        }
        _ if fact.observation.marker == Marker::Alt => !cuts.passes_alt(&fact.observation),
        (Some(_) | None, _, _) => false,
    };
    let said = match value.interpretation {
        Some(Interpretation::Reactive | Interpretation::Positive) => REACTIVE,
        Some(Interpretation::GreyZone) => 3,
        Some(Interpretation::Indeterminate) => GREY,
        Some(Interpretation::Invalid) => 1,
        Some(
            Interpretation::NonReactive
            | Interpretation::Negative
            | Interpretation::Valid
            | Interpretation::A
            | Interpretation::B
            | Interpretation::AB
            | Interpretation::O,
        )
        | None => 0,
    };
    if measured { said.max(REACTIVE) } else { said }
}

/// A group or a reaction: as the profile understands it, else as it was sent.
fn said_of(fact: &Fact) -> (Option<Grade>, Option<Interpretation>, Option<Decimal>, Option<&str>) {
    let value = &fact.observation.value;
    let (grade, interpretation, number) = (value.grade, value.interpretation, value.number);
    let is_plain = grade.is_none() && interpretation.is_none() && number.is_none();
    (grade, interpretation, number, is_plain.then_some(value.raw.as_str()))
}

/// Units that mean signal over cut-off. A number in any other unit is no such ratio.
pub(crate) fn is_ratio(unit: Option<&str>) -> bool {
    matches!(unit, Some("S/CO" | "COI" | "Index"))
}

fn says(fact: &Fact) -> Told {
    let value = &fact.observation.value;
    let said = value.interpretation.map(|i| format!(" ({i:?})")).unwrap_or_default();
    let od = value.od.map(|od| format!(" OD {od}")).unwrap_or_default();
    let (message, what) = (fact.message, format!("{:?}{od}{said}", value.raw));
    Told::new(format!("message {message} says {what}"), format!("消息 {message} 为 {what}"))
}

fn changed(different: &[&Fact]) -> OpenFinding {
    let values: Vec<String> = different.iter().map(|fact| says(fact).en).collect();
    let o = different.first().map(|fact| &fact.observation);
    let what = format!(
        "{} of {} was sent with different values: {}; two people have to say which stands (hemogate donation settle-result)",
        o.map_or("", |o| o.assay.as_str()),
        o.map_or_else(String::new, |o| o.marker.to_string()),
        values.join(", ")
    );
    OpenFinding { finding: "changed_result".to_owned(), what }
}

fn eased((how, before): (&str, &Fact), after: &Fact) -> OpenFinding {
    let what = format!(
        "{} of {} was {how} to a lesser result, or to another group or reaction: {}, then {}; two people have to say \
         which stands (hemogate donation settle-result)",
        after.observation.assay,
        after.observation.marker,
        says(before).en,
        says(after).en
    );
    OpenFinding { finding: "correction_eases".to_owned(), what }
}

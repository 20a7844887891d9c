//! What a preliminary result, or one that its analyser does not report, came to where the reported one has another identity:
//! a time of its own, another run of the same order (IHE LAW, OBX-11 `P` and `R`). It is a version of that one, so that nobody
//! waits for it for ever, and what it had found is not passed over. Without a reported one it is waited for.

use super::{Key, Stage, Tie, Versions, corrections::tested_at};
use crate::facts::Fact;
use jiff::Timestamp;
use std::collections::BTreeMap;
use vocabulary::ResultStatus;

/// Of each result that is not the one to report, the reported one of the same test and tube that came of it: the first that
/// was tested after it, of its own run where there is one. A preliminary one that was tested later is on its way still.
pub(super) fn traces<'f>(versions: &Versions<'f>) -> BTreeMap<Key<'f>, Tie<'f>> {
    let is_trace = |facts: &[&Fact]| facts.iter().all(|fact| fact.stage() == Stage::Preliminary);
    let is_reported = |facts: &[&Fact]| facts.iter().any(|fact| fact.stage() == Stage::Settled);
    let reported: Vec<(Key<'f>, Option<Timestamp>)> = versions
        .iter()
        .filter(|(_, facts)| is_reported(facts))
        .map(|(key, facts)| (*key, tested_at(facts)))
        .collect();
    let of = |(own, facts): (&Key<'f>, &Vec<&'f Fact>)| {
        let (like, begun) = (own.0, tested_at(facts));
        // Another run of its order is the one to report, whichever was first.
        let is_other = facts.iter().all(|fact| fact.observation.status == ResultStatus::Other);
        let is_later = |tested: Option<Timestamp>| begun.zip(tested).is_some_and(|(own, other)| own <= other);
        let of_test = |((other, _), tested): &&(Key<'f>, Option<Timestamp>)| {
            (other.assay, other.marker, other.tube) == (like.assay, like.marker, like.tube)
                && (is_other || is_later(*tested))
        };
        let nearest = reported
            .iter()
            .filter(of_test)
            .min_by_key(|(key, tested)| (!is_later(*tested), key.0.run != like.run, *tested, *key))?;
        Some((*own, Tie { to: Some(nearest.0), candidates: vec![nearest.0], alike: true }))
    };
    versions.iter().filter(|(_, facts)| is_trace(facts)).filter_map(of).collect()
}

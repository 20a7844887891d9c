//! What a correction is of, where it bears a time of its own: analysers send one a minute later, so that nothing that came
//! before has exactly its identity. It is never a test of its own.
//!
//! | results of the same assay and marker that were not tested after it | it is a version of |
//! |---|---|
//! | one of the same tube and run, and replicate where it is told | that one |
//! | several | the newest; where it eases any of them, two people say which stands |
//! | of other tubes, runs or replicates only | the newest, and two people say which stands |
//! | none | nothing: two people say that it stands |

use super::{Key, Like, Stage, Versions};
use crate::facts::Fact;
use release::Moment;
use std::collections::BTreeMap;

/// What a correction without an earlier version could be of.
#[derive(Debug)]
pub(super) struct Tie<'f> {
    /// The measurement that it is taken for a version of; none where nothing is known that it could correct.
    pub(super) to: Option<Key<'f>>,
    /// Every measurement that it could be of, that one among them.
    pub(super) candidates: Vec<Key<'f>>,
    /// Whether they are all of its own tube, run and replicate.
    pub(super) alike: bool,
}

/// Of each correction that no uncorrected version of the same identity is known of: what it could be of.
pub(super) fn ties<'f>(versions: &Versions<'f>) -> BTreeMap<Key<'f>, Tie<'f>> {
    let is_alone = |facts: &[&Fact]| facts.iter().all(|fact| fact.stage() == Stage::Corrected);
    let alone = versions.iter().filter(|(_, facts)| is_alone(facts));
    let measured: Vec<Key<'f>> =
        versions.iter().filter(|(_, facts)| !is_alone(facts)).map(|(key, _)| *key).collect();
    alone.map(|(key, facts)| (*key, tie((*key, facts), &measured, versions))).collect()
}

fn tie<'f>((key, facts): (Key<'f>, &[&'f Fact]), measured: &[Key<'f>], versions: &Versions<'f>) -> Tie<'f> {
    let (own, place) = key;
    let tested = |key: &Key<'f>| tested_at(versions.get(key).map_or(&[], Vec::as_slice));
    let corrected_at = tested_at(facts);
    // What was tested after it cannot be what it corrects.
    let may_be_before =
        |key: &&Key<'f>| corrected_at.zip(tested(key)).is_none_or(|(corrected, tested)| tested <= corrected);
    let of_test = |(like, _): &&Key<'f>| (like.assay, like.marker) == (own.assay, own.marker);
    let before: Vec<Key<'f>> = measured.iter().filter(of_test).filter(may_be_before).copied().collect();
    let count = |like: Like<'f>| versions.keys().filter(|(other, _)| *other == like).count();
    let is_like = |(like, at): &&Key<'f>| {
        let replicate_fits = own.replicate.is_none() || own.replicate == like.replicate;
        // As many wells without a name are each the one in its place.
        let place_fits = *at == place || count(*like) != count(own);
        (like.tube, like.run) == (own.tube, own.run) && replicate_fits && place_fits
    };
    let of_own: Vec<Key<'f>> = before.iter().filter(is_like).copied().collect();
    let alike = !of_own.is_empty();
    let candidates = if alike { of_own } else { before };
    Tie { to: candidates.iter().copied().max_by_key(|key| (tested(key), *key)), candidates, alike }
}

pub(super) fn tested_at(facts: &[&Fact]) -> Option<jiff::Timestamp> {
    facts.iter().filter_map(|fact| fact.tested_at.map(Moment::at)).max()
}

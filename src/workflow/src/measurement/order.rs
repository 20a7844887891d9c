//! In which order measurements of one assay stand: what comes after a reactive result may answer it.
//!
//! | of two results | the order is |
//! |---|---|
//! | the time of one of the assay's is not known | that in which they came, of all of them |
//! | they came over one line | that of their times: a message that comes late changes nothing |
//! | over two lines, and came as they were finished | the same |
//! | over two lines, and came the other way round, or were finished at once | nobody knows: the lesser one answers nothing, and stands before all others; groupings stand as they came |

use super::{Used, like::is_at_once, severity};
use crate::cut::Cuts;
use crate::facts::Fact;
use jiff::Timestamp;
use release::Moment;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{ConnectionId, MarkerKind};

/// A measurement, with where and when it came first.
pub(super) struct Came<'f> {
    used: Used<'f>,
    lines: BTreeSet<&'f ConnectionId>,
    first: u64,
}

impl<'f> Came<'f> {
    pub(super) fn new(used: Used<'f>, versions: &[&'f Fact]) -> Self {
        let first = versions.iter().map(|fact| fact.message).min().unwrap_or(used.fact.message);
        Self { used, lines: versions.iter().map(|fact| &fact.connection).collect(), first }
    }

    fn at(&self) -> Option<Timestamp> {
        self.used.fact.tested_at.map(Moment::at)
    }

    /// Whether nobody knows that a later one came after it.
    fn is_unsure(&self, later: &Self) -> bool {
        let at_once = || self.at().zip(later.at()).is_none_or(|(one, other)| is_at_once(one, other));
        self.lines.is_disjoint(&later.lines) && (later.first < self.first || at_once())
    }
}

/// Measurements in their order, each assay's in the places that it has.
pub(super) fn in_order<'f>(all: Vec<Came<'f>>, cuts: Cuts<'_>) -> Vec<Used<'f>> {
    let mut used: Vec<Used<'f>> = all.iter().map(|one| one.used).collect();
    let mut of_assay: BTreeMap<&str, Vec<(usize, Came<'f>)>> = BTreeMap::new();
    for (at, one) in all.into_iter().enumerate() {
        of_assay.entry(one.used.fact.observation.assay.as_str()).or_default().push((at, one));
    }
    for all in of_assay.into_values().filter(|all| all.len() > 1) {
        let (places, mut all): (Vec<usize>, Vec<Came<'f>>) = all.into_iter().unzip();
        if all.iter().any(|one| one.at().is_none()) {
            continue;
        }
        all.sort_by_key(|one| {
            let o = &one.used.fact.observation;
            (one.at(), o.marker, o.replicate.as_deref())
        });
        let Some(ordered) = answering_nothing_unsure(&all, cuts) else { continue };
        for (place, one) in places.into_iter().zip(ordered) {
            if let Some(place) = used.get_mut(place) {
                *place = one;
            }
        }
    }
    used
}

/// Those that may have been tested before a graver one that stands before them are put before all others; nothing where groupings
/// are not known to have been made in the order of their times.
fn answering_nothing_unsure<'f>(all: &[Came<'f>], cuts: Cuts<'_>) -> Option<Vec<Used<'f>>> {
    let gravity = |one: &Came<'_>| severity(one.used.fact, cuts);
    let before = |at: usize| all.iter().take(at);
    let is_grouping = |one: &Came<'_>| one.used.fact.observation.marker.kind() == MarkerKind::Grouping;
    let groupings_are_unsure = all
        .iter()
        .enumerate()
        .any(|(at, later)| is_grouping(later) && before(at).any(|one| one.is_unsure(later)));
    if groupings_are_unsure {
        return None;
    }
    let answers_nothing = |(at, later): (usize, &Came<'f>)| {
        before(at).any(|one| one.is_unsure(later) && gravity(later) < gravity(one))
    };
    let put: Vec<bool> = all.iter().enumerate().map(answers_nothing).collect();
    let of =
        |wanted: bool| all.iter().zip(&put).filter(move |(_, put)| **put == wanted).map(|(one, _)| one.used);
    Some(of(true).chain(of(false)).collect())
}

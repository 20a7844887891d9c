//! What is presumed saved, what is sent again after a broken link, and how to know it when it comes
//! (LIS02-A2 §4.2, the "backup record" rule).
//!
//! Where the level falls from one record to the next, everything before the new record is presumed stored by the
//! receiver. A sender whose link failed at record X sends again from the first record not presumed stored, and before
//! it the ancestors needed to place it.

use crate::reading::{Message, Record};
use crate::record_type::RecordType;

/// H fields that differ between two sendings of one message: control id and time.
const HEADER_FIELDS_OF_ONE_SENDING: [usize; 2] = [3, 14];

/// Most save points of the earlier message that the later one is held against.
const SAVE_POINTS_TRIED_MAX: usize = 1_000;

/// The save points among these records: indices of records before which everything is presumed stored, because
/// the level falls there.
#[must_use]
pub fn save_points(records: &[Record<'_>]) -> Vec<usize> {
    let pairs = records.iter().zip(records.iter().skip(1));
    let falls = pairs.enumerate().filter(|(_, (before, after))| after.level() < before.level());
    falls.map(|(n, _)| n + 1).collect()
}

/// What a sender sends again when the link failed at record `failed_at`, as indices into `records`: the ancestors of
/// the first record not presumed stored, then everything from it up to the failed one.
#[must_use]
pub fn resend_set(records: &[Record<'_>], failed_at: usize) -> Vec<usize> {
    let unsaved = save_points(records).into_iter().rfind(|point| *point < failed_at).unwrap_or(0);
    let mut set = ancestors(records, unsaved);
    set.extend(unsaved..=failed_at);
    set.retain(|at| *at < records.len());
    set
}

/// A message that goes on where an earlier, broken one stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// How many records at the start of the later message only repeat ancestors of the earlier one.
    pub repeated: usize,
    /// Index in the earlier message's records where the later one goes on: those from here on come again (or come
    /// now for the first time), those before it do not.
    pub resumes_at: usize,
}

/// Whether `later` is the rest of `earlier`: it begins with the ancestor chain of one of its save points, and the
/// records both have after it are the same. A whole message sent again is a continuation that resumes at 0.
///
/// Records are compared by content; in H the control id and the time are not. The earlier message's last record is
/// not compared when it was cut off. `None` says only that the content does not show it.
#[must_use]
pub fn find_continuation(earlier: &Message<'_>, later: &Message<'_>) -> Option<Continuation> {
    let before: Vec<Record<'_>> = earlier.records().collect();
    let after: Vec<Record<'_>> = later.records().collect();
    let whole = before.len() - usize::from(is_cut_off(earlier));
    let points = save_points(&before);
    // The latest save points first; a message sent again whole is always looked for.
    let latest = points.iter().copied().rev().take(SAVE_POINTS_TRIED_MAX).chain([0]);
    latest.into_iter().find_map(|point| {
        let chain = ancestors(&before, point);
        let again = chain.iter().copied().chain(point..whole).zip(&after);
        // Beyond the chain at least one record must agree: that P and O repeat is not yet a resumption.
        let reaches = again.clone().count() > chain.len();
        let agrees =
            reaches && again.into_iter().all(|(n, r)| before.get(n).is_some_and(|b| same_content(b, r)));
        agrees.then_some(Continuation { repeated: chain.len(), resumes_at: point })
    })
}

fn is_cut_off(message: &Message<'_>) -> bool {
    message.defects().iter().any(|d| d.kind == crate::DefectKind::Truncated)
}

/// The ancestors of a record, outermost first.
fn ancestors(records: &[Record<'_>], at: usize) -> Vec<usize> {
    let first = records.first().map_or(0, Record::index);
    let mut chain = Vec::new();
    let mut above = records.get(at).and_then(Record::parent);
    while let Some(record) = above {
        chain.extend(record.index().checked_sub(first));
        above = record.parent();
    }
    chain.reverse();
    chain
}

fn same_content(one: &Record<'_>, other: &Record<'_>) -> bool {
    if one.kind() != RecordType::Header || other.kind() != RecordType::Header {
        return one.raw() == other.raw();
    }
    (1..=one.field_count().max(other.field_count()))
        .filter(|n| !HEADER_FIELDS_OF_ONE_SENDING.contains(n))
        .all(|n| one.field(n).map_or("", |f| f.raw()) == other.field(n).map_or("", |f| f.raw()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::Index;

    /// The worked example of the standard: A=H B=P C=O D=R E=O F=R G=P H=O I=R J=C K=C L=R M=O N=P O=O P=R Q=L.
    const EXAMPLE: &str = "H|\\^&|||x\rP|1\rO|1|a\rR|1|a\rO|2|b\rR|1|b\rP|2\rO|1|c\rR|1|c\rC|1|c\rC|2|c\rR|2|c\rO|2|d\rP|3\rO|1|e\rR|1|e\rL|1\r";

    fn letters(set: &[usize]) -> String {
        set.iter().map(|n| char::from(b'A' + u8::try_from(*n).unwrap())).collect()
    }

    #[test]
    fn the_save_points_of_the_worked_example() {
        let mut index = Index::new();
        let records: Vec<Record<'_>> = index.read(EXAMPLE).records().collect();
        assert_eq!(letters(&save_points(&records)), "EGLMNQ");
    }

    #[test]
    fn the_resend_sets_of_the_worked_example() {
        let mut index = Index::new();
        let reading = index.read(EXAMPLE);
        assert!(reading.defects().is_empty(), "{:?}", reading.defects());
        let records: Vec<Record<'_>> = reading.records().collect();
        let check = |failed: char, expect: &str| {
            let at = usize::from(u8::try_from(failed).unwrap() - b'A');
            assert_eq!(letters(&resend_set(&records, at)), expect, "failure at {failed}");
        };
        check('D', "ABCD");
        check('F', "ABEF");
        check('H', "AGH");
        check('K', "AGHIJK");
        check('M', "AGHLM");
        check('O', "ANO");
        check('Q', "ANOPQ");
        check('A', "A");
    }

    #[test]
    fn a_rest_is_known_by_the_chain_it_repeats() {
        let check = |earlier: &str, later: &str, expect: Option<(usize, usize)>| {
            let (mut one, mut two) = (Index::new(), Index::new());
            let earlier = one.read(earlier).messages().next().unwrap();
            let later = two.read(later).messages().next().unwrap();
            let found = find_continuation(&earlier, &later).map(|c| (c.repeated, c.resumes_at));
            assert_eq!(found, expect);
        };
        let broken = "H|\\^&|7||x|||||||P||20261101\rP|1\rO|1|a\rR|1|a\rO|2|b\rR|1|b";
        // failed at the second R: A B E F, with a new time and control id in H
        check(broken, "H|\\^&|8||x|||||||P||20261102\rP|1\rO|2|b\rR|1|b2\rL|1\r", Some((2, 4)));
        // the whole message again
        check(broken, "H|\\^&|8||x|||||||P||20261102\rP|1\rO|1|a\rR|1|a\rO|2|b\rR|1|b2\rL|1\r", Some((0, 0)));
        // another specimen, another sender, nothing but the chain
        check(broken, "H|\\^&|8||x\rP|1\rO|1|c\rR|1|c\rL|1\r", None);
        check(broken, "H|\\^&|8||y|||||||P\rP|1\rO|2|b\rL|1\r", None);
        check(broken, "H|\\^&|8||x|||||||P\rP|1\r", Some((0, 0)));
    }
}

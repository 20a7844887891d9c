//! What is presumed saved, what is sent again after a broken link, and how to know it when it comes
//! (LIS02-A2 §4.2, the "backup record" rule).
//!
//! Where the level falls from one record to the next, everything before the new record is presumed stored by the
//! receiver. A sender whose link failed at record X sends again from the first record not presumed stored, and before
//! it the ancestors needed to place it.

use crate::index::Index;
use crate::reading::{Message, Record};
use crate::record_type::RecordType;

/// H fields that differ between two sendings of one message: control id and time.
const HEADER_FIELDS_OF_ONE_SENDING: [usize; 2] = [3, 14];

/// The status of a result, and the one that says that it was transmitted before.
const RESULT_STATUS: usize = 9;
const TRANSMITTED_BEFORE: &str = "R";

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
/// Records are compared by content; in H the control id and the time are not. A last record that was cut off is not
/// compared. `None` says only that the content does not show it.
#[must_use]
pub fn find_continuation(earlier: &Message<'_>, later: &Message<'_>) -> Option<Continuation> {
    let (before, after) = (Whole::of(earlier), Whole::of(later));
    before.continuations(&after).next()
}

/// What a message is to a half transmission that came right before it on the same line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumption {
    /// Nothing shows that they have to do with one another.
    Unrelated,
    /// It is the half's rest, or the half again.
    Resumed {
        /// Both as one text: the later header, what was saved of the half, and what the later one brings. When all of
        /// it came again this is the later text.
        text: String,
        /// How many records of the half are in it that did not come again.
        saved: usize,
    },
    /// It may be its rest, and it may be something else: they are not to be read together.
    Uncertain(Doubt),
}

/// Why it is not certain that a message is the rest of a half transmission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// It fits at more than one place.
    #[error("it fits at more than one place of it")]
    Several,
    /// It repeats only what many messages begin with.
    #[error("it repeats only the records that many messages begin with")]
    Faint,
    /// It ends before it reaches what the half has.
    #[error("it ends before it reaches what came before")]
    Shorter,
    /// It has an order of the half, and other records with it.
    #[error("it has one of its orders, but other records with it")]
    Differs,
}

/// What the whole message `later` is to the half transmission `half`. Nothing is joined that is not certain.
#[must_use]
pub fn resume(half: &str, later: &str) -> Resumption {
    joined(half, later, |_, _| Resumption::Uncertain(Doubt::Shorter))
}

/// As [`resume`], when the later one is broken off too: it may end before it reaches what came before, and brings nothing
/// then that is not there.
#[must_use]
pub fn resume_broken(half: &str, later: &str) -> Resumption {
    joined(half, later, |half, saved| Resumption::Resumed { text: half.to_owned(), saved })
}

/// Whether a half transmission has nothing but what any message may begin with: a header, and the first patient. What a record
/// that is cut off would have said is not known.
#[must_use]
pub fn says_nothing(half: &str) -> bool {
    let mut index = Index::new();
    let read = index.read(half);
    let mut messages = read.messages();
    let (first, more) = (messages.next(), messages.next());
    let begins = |record: &Record<'_>| record.kind() == RecordType::Header || is_first_patient(record);
    more.is_none()
        && first.is_none_or(|message| {
            let Whole { records, whole } = Whole::of(&message);
            records.iter().take(whole).all(begins)
        })
}

fn is_first_patient(record: &Record<'_>) -> bool {
    record.kind() == RecordType::Patient && record.sequence().is_none_or(|number| number <= 1)
}

fn joined(half: &str, later: &str, shorter: impl Fn(&str, usize) -> Resumption) -> Resumption {
    let (mut one, mut two) = (Index::new(), Index::new());
    let (one, two) = (one.read(half), two.read(later));
    let (mut earlier, mut again) = (one.messages(), two.messages());
    let (Some(before), None, Some(after), None) =
        (earlier.next(), earlier.next(), again.next(), again.next())
    else {
        return Resumption::Unrelated;
    };
    if before.header().is_none() || after.header().is_none() {
        return Resumption::Unrelated;
    }
    let (before, after) = (Whole::of(&before), Whole::of(&after));
    let mut found = before.continuations(&after);
    let Some(place) = found.next() else {
        return if !before.shares_an_order(&after) {
            Resumption::Unrelated
        } else if before.comes_again_marked(&after) {
            Resumption::Resumed { text: later.to_owned(), saved: 0 }
        } else {
            Resumption::Uncertain(Doubt::Differs)
        };
    };
    if found.next().is_some() {
        return Resumption::Uncertain(Doubt::Several);
    }
    if !after.says_that_it_goes_on(&place, before.whole) {
        // A half that is a header and a patient may be the beginning of anything, and of what never comes again.
        return if place.resumes_at > 0 {
            Resumption::Uncertain(Doubt::Faint)
        } else {
            Resumption::Unrelated
        };
    }
    if place.repeated + (before.whole - place.resumes_at) > after.whole {
        return shorter(half, place.resumes_at);
    }
    if place.resumes_at == 0 {
        return Resumption::Resumed { text: later.to_owned(), saved: 0 };
    }
    let saved = before.records.iter().take(place.resumes_at).skip(1);
    let (header, rest) = (after.records.iter().take(1), after.records.iter().skip(place.repeated));
    let mut text: String = header.chain(saved).chain(rest).flat_map(|record| [record.raw(), "\r"]).collect();
    if after.whole < after.records.len() {
        // The last one is cut off, and stays so.
        text.pop();
    }
    Resumption::Resumed { text, saved: place.resumes_at }
}

/// A message's records, and how many of them are whole.
struct Whole<'a> {
    records: Vec<Record<'a>>,
    whole: usize,
}

impl<'a> Whole<'a> {
    fn of(message: &Message<'a>) -> Self {
        let records: Vec<Record<'a>> = message.records().collect();
        let whole = records.len() - usize::from(message.may_be_cut_off());
        Self { records, whole }
    }

    /// Where `later` goes on, the latest place first.
    fn continuations(&self, later: &Whole<'_>) -> impl Iterator<Item = Continuation> {
        let points = save_points(&self.records);
        // The latest save points first; a message sent again whole is always looked for.
        let latest: Vec<usize> =
            points.iter().copied().rev().take(SAVE_POINTS_TRIED_MAX).chain([0]).collect();
        latest.into_iter().filter_map(|point| {
            let chain = ancestors(&self.records, point);
            let again = chain.iter().copied().chain(point..self.whole);
            let again: Vec<_> = again.zip(later.records.iter().take(later.whole)).collect();
            // Beyond the chain at least one record must agree: that P and O repeat is not yet a resumption.
            let reaches = again.len() > chain.len();
            let agrees = reaches
                && again.into_iter().all(|(n, r)| self.records.get(n).is_some_and(|b| same_content(b, r)));
            agrees.then_some(Continuation { repeated: chain.len(), resumes_at: point })
        })
    }

    /// Whether what it repeats behind the chain is more than any message may begin with: something besides a patient, or
    /// a patient who is not the first.
    fn says_that_it_goes_on(&self, place: &Continuation, whole_before: usize) -> bool {
        // Every message begins with a header.
        let chain = place.repeated.max(1);
        let repeated = self.records.iter().take(self.whole).skip(chain);
        let whole_before = whole_before.saturating_sub(chain - place.repeated);
        repeated.take(whole_before - place.resumes_at).any(|record| !is_first_patient(record))
    }

    /// Whether all of it comes again, from the beginning, and results say of themselves that they were sent before.
    fn comes_again_marked(&self, later: &Whole<'_>) -> bool {
        let mut both = self.records.iter().take(self.whole).zip(&later.records);
        self.whole <= later.whole
            && both.all(|(one, again)| same_content(one, again) || is_marked(one, again))
    }

    fn shares_an_order(&self, later: &Whole<'_>) -> bool {
        let orders = |of: &Whole<'a>| -> Vec<&'a str> {
            let whole = of.records.iter().take(of.whole);
            whole.filter(|r| r.kind() == RecordType::Order).map(Record::raw).collect()
        };
        let ours = orders(self);
        let theirs = later.records.iter().take(later.whole).filter(|r| r.kind() == RecordType::Order);
        theirs.map(Record::raw).any(|order| ours.contains(&order))
    }
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

/// Whether `again` is the same result, and its status is that it was transmitted before.
fn is_marked(one: &Record<'_>, again: &Record<'_>) -> bool {
    (one.kind(), again.kind()) == (RecordType::Result, RecordType::Result)
        && text_of(again, RESULT_STATUS) == TRANSMITTED_BEFORE
        && (1..=one.field_count().max(again.field_count()))
            .filter(|n| *n != RESULT_STATUS)
            .all(|n| text_of(one, n) == text_of(again, n))
}

fn text_of<'a>(record: &Record<'a>, field: usize) -> &'a str {
    record.field(field).map_or("", |field| field.raw())
}

fn same_content(one: &Record<'_>, other: &Record<'_>) -> bool {
    if one.kind() != RecordType::Header || other.kind() != RecordType::Header {
        return one.raw() == other.raw();
    }
    (1..=one.field_count().max(other.field_count()))
        .filter(|n| !HEADER_FIELDS_OF_ONE_SENDING.contains(n))
        .all(|n| text_of(one, n) == text_of(other, n))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    /// What a sender sends after its link failed while the record `failed` was on its way: the resend set, and the rest.
    fn restart(text: &str, failed: usize) -> String {
        let mut index = Index::new();
        let records: Vec<Record<'_>> = index.read(text).records().collect();
        let again = resend_set(&records, failed).into_iter().chain(failed + 1..records.len());
        again.flat_map(|n| [records[n].raw(), "\r"]).collect()
    }

    #[test]
    fn at_every_byte_where_a_message_breaks_off_its_rest_makes_it_whole_again() {
        let ends: Vec<usize> = EXAMPLE.match_indices('\r').map(|(at, _)| at + 1).collect();
        for cut in 1..EXAMPLE.len() {
            // The record that the cut lies in; or the one before, when its acknowledgement was lost.
            let failed = ends.iter().filter(|end| **end <= cut).count();
            let lost = ends.contains(&cut).then(|| failed - 1);
            for failed in [Some(failed), lost].into_iter().flatten() {
                let (half, rest) = (EXAMPLE.split_at(cut).0, restart(EXAMPLE, failed));
                match resume(half, &rest) {
                    Resumption::Resumed { text, .. } => {
                        assert_eq!(text, EXAMPLE, "cut at {cut}");
                    }
                    // Nothing but a header came, or not even that: what follows is whole.
                    Resumption::Unrelated => assert_eq!(rest, EXAMPLE, "cut at {cut}: {half:?}"),
                    Resumption::Uncertain(doubt) => panic!("cut at {cut}: {doubt}: {half:?} {rest:?}"),
                }
            }
        }
    }

    #[test]
    fn a_rest_that_breaks_off_too_makes_it_whole_with_the_next() {
        let ends: Vec<usize> = EXAMPLE.match_indices('\r').map(|(at, _)| at + 1).collect();
        for first in 2..ends.len() {
            let (half, rest) = (EXAMPLE.split_at(ends[first - 1]).0, restart(EXAMPLE, first));
            let again: Vec<usize> = rest.match_indices('\r').map(|(at, _)| at + 1).collect();
            for second in 1..again.len() {
                let (broken, unsent) = rest.split_at(again[second - 1]);
                // Where the second sending failed, as a place in the message.
                let failed = EXAMPLE.split('\r').position(|r| unsent.starts_with(r)).unwrap();
                let last = restart(EXAMPLE, failed);
                let so_far = match resume_broken(half, broken) {
                    Resumption::Resumed { text, .. } => text,
                    Resumption::Unrelated if says_nothing(half) => broken.to_owned(),
                    Resumption::Unrelated | Resumption::Uncertain(_) => {
                        assert!(says_nothing(broken), "{first} {second}: {broken:?}");
                        half.to_owned()
                    }
                };
                match resume(&so_far, &last) {
                    Resumption::Resumed { text, .. } => assert_eq!(text, EXAMPLE, "{first} {second}"),
                    Resumption::Unrelated => assert_eq!(last, EXAMPLE, "{first} {second}"),
                    Resumption::Uncertain(doubt) => panic!("{first} {second}: {doubt}"),
                }
            }
        }
    }

    #[test]
    fn a_header_and_the_first_patient_say_nothing_of_what_they_begin() {
        for (half, expect) in [
            ("", true),
            ("H|\\^&|1", true),
            ("H|\\^&|1\r", true),
            ("H|\\^&|1\rP|1\r", true),
            ("H|\\^&|1\rP|1|\rO|1|a", true),
            ("H|\\^&|1\rP|2\r", false),
            ("H|\\^&|1\rP|1|\rO|1|a\r", false),
            ("H|\\^&|1\rC|1|I|on it\r", false),
            ("H|\\^&|1\rP|1\rH|\\^&|2\rP|1\r", false),
        ] {
            assert_eq!(says_nothing(half), expect, "{half:?}");
        }
    }

    #[test]
    fn a_whole_message_whose_rows_are_marked_as_sent_again_is_the_half_again() {
        let half = "H|\\^&|1\rP|1\rO|1|a\rR|1|t|0.1|||||F\rR|2|t|0.2|||||F\rO|2|b\rR|1|t|0.3|||||F\r";
        let again = |rest: &str| format!("H|\\^&|2\rP|1\rO|1|a\rR|1|t|0.1|||||R\r{rest}L|1\r");
        let check = |later: String, certain: bool| {
            let whole = Resumption::Resumed { text: later.clone(), saved: 0 };
            let expect = if certain { whole } else { Resumption::Uncertain(Doubt::Differs) };
            assert_eq!(resume(half, &later), expect, "{later:?}");
        };
        let (second, other) = ("R|2|t|0.2|||||R\r", "O|2|b\rR|1|t|0.3|||||R\r");
        check(again(&format!("{second}{other}")), true);
        check(again(&format!("{second}{other}O|3|c\rR|1|t|0.4|||||F\r")), true);
        // Only what is known to have been sent is marked.
        check(again(&format!("{second}{}", other.replace("||R", "||F"))), true);
        // Another value, another mark, a row or an order that does not come again: what the half had would be lost.
        check(again(&format!("{second}{}", other.replace("0.3", "0.9"))), false);
        check(again(&format!("{second}{}", other.replace("||R", "||X"))), false);
        check(again(other), false);
        check(again(second), false);
        check(again(&format!("{second}{}", other.replace("O|2", "O|3"))), false);
    }

    #[test]
    fn nothing_is_joined_that_is_not_certain() {
        use Resumption::{Uncertain, Unrelated};
        let check = |half: &str, later: &str, expect: Resumption| {
            assert_eq!(resume(half, later), expect, "{half:?} {later:?}");
        };
        let half = "H|\\^&|1\rP|1\rO|1|a\rR|1|a\rO|2|b\rR|1|b\r";
        check(half, "H|\\^&|2\rP|1\rO|1|c\rR|1|c\rL|1\r", Unrelated);
        check(half, "H|\\^&|2|other\rP|1\rO|2|x\rR|1|b\rL|1\r", Unrelated);
        check(half, "O|2|b\rR|1|b\rL|1\r", Unrelated);
        // What any message begins with is no sign of the same one.
        let later = "H|\\^&|2\rP|1\rO|1|c\rR|1|c\rL|1\r";
        for begun in ["H|\\^&|1\r", "H|\\^&|1\rP|1\r", "H|\\^&|1\rP|1\rO|1"] {
            check(begun, later, Unrelated);
        }
        check("H|\\^&|1\rP|1\rO|1|c\r", later, Resumption::Resumed { text: later.to_owned(), saved: 0 });
        check("P|1\rO|1|a\r", "H|\\^&|2\rP|1\rO|1|a\rL|1\r", Unrelated);
        check(half, &"H|\\^&|2\rP|1\rO|2|b\rR|1|b\rL|1\r".repeat(2), Unrelated);
        check(half, "H|\\^&|2\rP|1\rO|2|b\rR|1|c\rL|1\r", Uncertain(Doubt::Differs));
        check(half, "H|\\^&|2\rP|1\rO|1|a\rR|1|b\rL|1\r", Uncertain(Doubt::Differs));
        check(half, "H|\\^&|2\rP|1\rO|2|b\r", Uncertain(Doubt::Shorter));
        let patients = |last: &str| format!("H|\\^&|1\rP|1|x\rO|1|a\rR|1|a\r{last}\r");
        check(&patients("P|1"), "H|\\^&|2\rP|1\rO|1|c\rL|1\r", Uncertain(Doubt::Faint));
        let joined = "H|\\^&|2\rP|1|x\rO|1|a\rR|1|a\rP|2\rO|1|c\rL|1\r".to_owned();
        check(
            &patients("P|2"),
            "H|\\^&|2\rP|2\rO|1|c\rL|1\r",
            Resumption::Resumed { text: joined, saved: 4 },
        );
        let alike = "H|\\^&|1\rP|1\rO|1|a\rR|1|a\rP|1\rO|1|a\rR|1|a\rP|1\rO|1|a\rR|1|a\r";
        let later = "H|\\^&|2\rP|1\rO|1|a\rR|1|a\rP|1\rO|1|a\rR|1|a\rP|1\rO|1|a\rR|1|a\rL|1\r";
        check(alike, later, Uncertain(Doubt::Several));
    }
}

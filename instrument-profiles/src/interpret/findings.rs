//! Findings with their places: record, field, and bytes of the message as it came.

use character_sets::{CharacterSet, Decoded, encode};
use std::{cell::RefCell, ops::Range};
use vocabulary::{Consequence, Finding};

/// More findings than this are counted, not listed.
const FINDINGS_MAX: usize = 1_000;

/// Collects the findings of one message. The same thing said twice is said once.
#[derive(Debug)]
pub(crate) struct Findings<'t> {
    text: &'t str,
    set: CharacterSet,
    mark_bytes: usize,
    /// Places of the text whose bytes have been counted, in order: [`APART`] or more lie between two.
    counted: RefCell<Vec<Counted>>,
    found: Vec<Finding>,
    unlisted: usize,
}

/// Bytes of the text between two places that are remembered.
const APART: usize = 256;

/// How many bytes of the message a part of the text was.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    /// The end of the part.
    at: usize,
    bytes: usize,
}

impl<'t> Findings<'t> {
    pub(crate) fn new(decoded: &'t Decoded<'_>) -> Self {
        Self {
            text: &decoded.text,
            set: decoded.used,
            mark_bytes: decoded.mark_bytes,
            counted: RefCell::default(),
            found: Vec::new(),
            unlisted: 0,
        }
    }

    /// Adds a finding and gives its number.
    pub(crate) fn add(&mut self, finding: Finding) -> usize {
        // Few findings have one place, and many one name.
        let same = |known: &Finding| known.place == finding.place && *known == finding;
        if let Some(at) = self.found.iter().rposition(same) {
            return at;
        }
        if self.found.len() >= FINDINGS_MAX {
            self.unlisted += 1;
            return FINDINGS_MAX;
        }
        let at = self.found.len();
        self.found.push(finding);
        at
    }

    pub(crate) fn about(
        &mut self,
        consequence: Consequence,
        name: &str,
        place: String,
        what: String,
    ) -> usize {
        self.add(Finding { finding: name.to_owned(), place, what, consequence, specimen: None })
    }

    pub(crate) fn quarantines(&self) -> bool {
        self.unlisted > 0 || self.found.iter().any(|finding| finding.consequence == Consequence::Quarantine)
    }

    /// How many there are so far.
    pub(crate) fn count(&self) -> usize {
        self.found.len()
    }

    /// Whether one of those from `from` on holds what is read at a record.
    pub(crate) fn hold_record(&self, from: usize, label: &str) -> bool {
        let at_record = |place: &str| place.strip_prefix(label).is_some_and(|rest| rest.starts_with(' '));
        let since = self.found.iter().skip(from);
        since.into_iter().any(|f| f.consequence != Consequence::Note && at_record(&f.place))
    }

    pub(crate) fn finish(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            self.found.push(Finding {
                finding: "too_many_findings".to_owned(),
                place: "the message".to_owned(),
                what: format!("{} further findings are not listed; look at the whole message", self.unlisted),
                consequence: Consequence::Quarantine,
                specimen: None,
            });
        }
        self.found
    }

    /// `(bytes 210–214)`, counted in the bytes that came, whatever character set they were in.
    pub(crate) fn bytes(&self, at: &Range<usize>) -> String {
        format!("(bytes {}–{})", self.offset(at.start), self.offset(at.end))
    }

    fn offset(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        let length = if matches!(self.set, CharacterSet::Utf8 | CharacterSet::Ascii) {
            at
        } else if self.set == CharacterSet::Iso2022Jp {
            // Escape sequences: a part of the text may be other bytes by itself than within the whole.
            encode(self.text.get(..at).unwrap_or(self.text), self.set).bytes.len()
        } else {
            self.counted_to(at)
        };
        self.mark_bytes + length
    }

    /// Every character is counted once, however many findings there are.
    fn counted_to(&self, at: usize) -> usize {
        let mut counted = self.counted.borrow_mut();
        let next = counted.partition_point(|known| known.at <= at);
        let known = next.checked_sub(1).and_then(|last| counted.get(last)).copied().unwrap_or_default();
        let part = self.text.get(known.at..at).or_else(|| self.text.get(known.at..)).unwrap_or_default();
        let bytes = known.bytes + encode(part, self.set).bytes.len();
        if part.len() >= APART {
            counted.insert(next, Counted { at: known.at + part.len(), bytes });
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use character_sets::{Choice, decode};

    #[test]
    fn a_place_is_counted_in_the_bytes_that_came_whatever_was_asked_before() {
        let text = "血站 A\u{7}B 献血者|".repeat(80);
        for set in [
            CharacterSet::Utf8,
            CharacterSet::Gb18030,
            CharacterSet::Gbk,
            CharacterSet::Utf16Le,
            CharacterSet::Iso2022Jp,
        ] {
            let raw = encode(&text, set).bytes.into_owned();
            let decoded = decode(&raw, &Choice { fixed: Some(set), declared: &[], fallback: set });
            let findings = Findings::new(&decoded);
            let places: Vec<usize> = decoded.text.char_indices().map(|(at, _)| at).collect();
            let mixed = places.iter().rev().step_by(7).chain(places.iter().step_by(5)).chain(&places);
            for at in mixed {
                let expect = encode(decoded.text.get(..*at).unwrap(), set).bytes.len();
                assert_eq!(findings.offset(*at), decoded.mark_bytes + expect, "{} at {at}", set.name());
            }
            assert_eq!(
                findings.offset(usize::MAX),
                decoded.mark_bytes + encode(&decoded.text, set).bytes.len()
            );
        }
    }
}

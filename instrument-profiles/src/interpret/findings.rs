//! Findings with their places: record, field, and bytes of the message as it came.

use character_sets::{CharacterSet, Decoded, encode};
use std::ops::Range;
use vocabulary::{Consequence, Finding};

/// More findings than this are counted, not listed.
const FINDINGS_MAX: usize = 1_000;

/// Collects the findings of one message. The same thing said twice is said once.
#[derive(Debug)]
pub(crate) struct Findings<'t> {
    text: &'t str,
    set: CharacterSet,
    mark_bytes: usize,
    found: Vec<Finding>,
    unlisted: usize,
}

impl<'t> Findings<'t> {
    pub(crate) fn new(decoded: &'t Decoded<'_>) -> Self {
        Self {
            text: &decoded.text,
            set: decoded.used,
            mark_bytes: decoded.mark_bytes,
            found: Vec::new(),
            unlisted: 0,
        }
    }

    /// Adds a finding and gives its number.
    pub(crate) fn add(&mut self, finding: Finding) -> usize {
        if let Some(at) = self.found.iter().rposition(|known| *known == finding) {
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
        let before = self.text.get(..at).unwrap_or(self.text);
        let same = matches!(self.set, CharacterSet::Utf8 | CharacterSet::Ascii);
        let length = if same { before.len() } else { encode(before, self.set).bytes.len() };
        self.mark_bytes + length
    }
}

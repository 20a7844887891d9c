//! What was wrong with a message, where, and what it holds up.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a finding does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Consequence {
    /// Worth knowing; nothing is held.
    Note,
    /// Holds the specimen it names (or, when it names none, all specimens of the message).
    Hold,
    /// The message is kept whole and not used until a person has seen it.
    Quarantine,
}

/// One named finding with its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Its name in snake case, stable: `unmapped_test`, `unknown_value`, …
    pub finding: String,
    /// Record, field and byte range: `R|3 field 4 (bytes 210–214)`.
    #[serde(rename = "where")]
    pub place: String,
    /// What was found and what to do, in one English sentence.
    pub what: String,
    /// What it does.
    pub consequence: Consequence,
    /// The specimen it concerns, where it concerns one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub specimen: Option<String>,
}

impl Finding {
    /// The bytes of the message that it is about, as its place names them; nothing where it names none.
    #[must_use]
    pub fn bytes(&self) -> Option<Range<usize>> {
        let (_, named) = self.place.rsplit_once("bytes ")?;
        let (from, to) = named.trim_end_matches(')').split_once('–')?;
        let (from, to) = (from.parse().ok()?, to.parse().ok()?);
        (from <= to).then_some(from..to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_place_are_read_back() {
        let check = |place: &str, expect: Option<Range<usize>>| {
            let (finding, what) = ("unknown_value".to_owned(), String::new());
            let place = place.to_owned();
            let found = Finding { finding, place, what, consequence: Consequence::Hold, specimen: None };
            assert_eq!(found.bytes(), expect, "{}", found.place);
        };
        check("R|3 field 4 (bytes 210–214)", Some(210..214));
        check("bytes 7–7", Some(7..7));
        check("R|1,R|2 (bytes 3–9)", Some(3..9));
        check("the message", None);
        check("R|1 (bytes 9–3)", None);
        check("R|1 (bytes –3)", None);
    }
}

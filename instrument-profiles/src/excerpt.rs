//! A few bytes of a message, as a person reads them.

use crate::Profile;
use character_sets::{CharacterSet, Choice, decode};
use serde::Serialize;
use std::ops::Range;

/// What stands at a place, and around it. Control characters are shown by their pictures (␍ for CR).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// What stands before.
    pub before: String,
    /// What stands there.
    pub at: String,
    /// What stands behind.
    pub after: String,
}

impl Profile {
    /// What stands at a place of a message, and at most so many characters before it and bytes behind it.
    #[must_use]
    pub fn excerpt(&self, raw: &[u8], at: Range<usize>, around: usize) -> Excerpt {
        let set = self.decode(raw).used;
        let (start, end) = (at.start.min(raw.len()), at.end.clamp(at.start.min(raw.len()), raw.len()));
        let piece = |from: usize, to: usize| raw.get(from..to).unwrap_or_default();
        // Only from the beginning is it certain where a character of several bytes begins.
        let before = shown(piece(0, start), set);
        let skipped = before.chars().count().saturating_sub(around);
        let before = before.chars().skip(skipped).collect();
        let after = piece(end, end.saturating_add(around).min(raw.len()));
        // What is too long to show stands in the message.
        let at = piece(start, end.min(start.saturating_add(4 * around)));
        Excerpt { before, at: shown(at, set), after: shown(after, set) }
    }
}

fn fixed(set: CharacterSet) -> Choice<'static> {
    Choice { fixed: Some(set), declared: &[], fallback: set }
}

fn shown(piece: &[u8], set: CharacterSet) -> String {
    let mut text = String::with_capacity(piece.len());
    for character in decode(piece, &fixed(set)).text.chars() {
        match u32::from(character) {
            control @ 0..=31 => text.extend(char::from_u32(0x2400 + control)),
            127 => text.push('\u{2421}'),
            control @ 128..=159 => text.extend(["\\x", &format!("{control:02x}")]),
            _ => text.push(character),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Catalogue;

    #[test]
    fn a_place_is_shown_with_what_stands_around_it_in_the_messages_own_characters() {
        let catalogue = Catalogue::built_in().unwrap();
        let profile = catalogue.get("abbott/architect-i2000sr").unwrap();
        let gbk = character_sets::encode("R|1|检测|阴性|\r", CharacterSet::Gb18030).bytes;
        let found = profile.excerpt(&gbk, 9..13, 3);
        assert_eq!((&*found.before, &*found.at, &*found.after), ("检测|", "阴性", "|␍"));
        assert_eq!(profile.excerpt(&gbk, 9..13, 2).before, "测|");
        assert_eq!(profile.excerpt(&gbk, 90..99, 4).at, "");
        assert_eq!(profile.excerpt(b"", 0..0, 4).before, "");
    }
}

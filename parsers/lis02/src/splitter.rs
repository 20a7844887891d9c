//! Where messages end, while frames are still coming in.
//!
//! It works on the raw bytes of a transfer's joined frame text, before any decoding: CR, LF and the first bytes of a
//! record are never the second byte of a GBK or GB18030 character.

use core::ops::Range;

use crate::delimiters::{HEADER_HEAD_BYTES, is_header, may_delimit};

/// Why a message is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClosedBy {
    /// Its L record ended.
    LRecord,
    /// The next H record began.
    NextHeader,
    /// The transfer ended properly (EOT) and the message has no L (see [`Splitter::finish`]).
    TransferEnd,
}

/// One complete message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complete {
    /// Byte range in the joined text of the transfer, from the first byte of its first record to the CR or LF that
    /// ends its last one, included. CR and LF bytes between messages belong to none.
    pub range: Range<usize>,
    /// Why it is complete.
    pub closed_by: ClosedBy,
}

/// Finds complete messages in a transfer. Any division of the text into pushes gives the same messages.
///
/// Messages end as in [`crate::Index::read`]: with L, or where the next H begins. Records before the first H, or
/// between an L and the next H, are a message too (a defective one): nothing is dropped.
#[derive(Debug, Clone, Default)]
pub struct Splitter {
    pushed: usize,
    message: Option<Range<usize>>,
    record: Option<Head>,
    field: Option<u8>,
}

/// The start of the record being received.
#[derive(Debug, Clone, Copy)]
struct Head {
    start: usize,
    bytes: [u8; HEADER_HEAD_BYTES],
    length: usize,
}

impl Head {
    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        if let Some(slot) = self.bytes.get_mut(self.length) {
            *slot = byte;
            self.length += 1;
        }
    }
}

impl Splitter {
    /// For a new transfer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the joined text; returns the messages that became complete.
    #[must_use = "a complete message that is not taken here does not come again"]
    pub fn push(&mut self, text: &[u8]) -> Vec<Complete> {
        let mut complete = Vec::new();
        let mut at = 0;
        while let Some(&byte) = text.get(at) {
            if matches!(byte, b'\r' | b'\n') {
                self.end_of_record(self.pushed + at + 1, &mut complete);
                at += 1;
                continue;
            }
            let place = self.pushed + at;
            let head =
                self.record.get_or_insert(Head { start: place, bytes: [0; HEADER_HEAD_BYTES], length: 0 });
            if head.length < HEADER_HEAD_BYTES {
                head.push(byte);
                at += 1;
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            at = memchr::memchr2(b'\r', b'\n', rest).map_or(text.len(), |end| at + end);
        }
        self.pushed += text.len();
        complete
    }

    /// A frame that ended with ETX was the last one pushed: its record ends there, although its CR is missing.
    /// No-op when a CR or LF came. Use it together with [`join_frame`], which puts the missing CR into the text.
    #[must_use = "a complete message that is not taken here does not come again"]
    pub fn end_record(&mut self) -> Vec<Complete> {
        let mut complete = Vec::new();
        if self.record.is_some() {
            self.end_of_record(self.pushed, &mut complete);
        }
        complete
    }

    /// The transfer ended properly (EOT): what is left is a message without L, or with an L without CR.
    /// After a time-out, a disconnect or a restart do not call this: what is left then is half a message.
    #[must_use = "a complete message that is not taken here does not come again"]
    pub fn finish(&mut self) -> Vec<Complete> {
        let mut complete = self.end_record();
        if let Some(range) = self.message.take() {
            complete.push(Complete { range, closed_by: ClosedBy::TransferEnd });
        }
        complete
    }

    /// The unfinished tail, as a range of the joined text; empty when there is none.
    #[must_use]
    pub fn rest(&self) -> Range<usize> {
        let open = self.message.as_ref().map(|m| m.start);
        let start = open.or(self.record.map(|head| head.start)).unwrap_or(self.pushed);
        start..self.pushed
    }

    fn end_of_record(&mut self, end: usize, complete: &mut Vec<Complete>) {
        let Some(head) = self.record.take() else { return };
        let current = self.message.is_some().then(|| self.field.unwrap_or(b'|'));
        if is_header(head.bytes(), current) {
            if let Some(range) = self.message.take() {
                complete.push(Complete { range, closed_by: ClosedBy::NextHeader });
            }
            self.field = head.bytes().get(1).copied().filter(|b| may_delimit(*b));
        }
        let start = self.message.take().map_or(head.start, |m| m.start);
        if is_terminator(head.bytes(), self.field) {
            complete.push(Complete { range: start..end, closed_by: ClosedBy::LRecord });
        } else {
            self.message = Some(start..end);
        }
    }
}

/// Whether a record, or its beginning, is the terminator of a message with this field delimiter.
pub(crate) fn is_terminator(head: &[u8], field: Option<u8>) -> bool {
    match head {
        [b'L' | b'l'] => true,
        [b'L' | b'l', delimiter, ..] => *delimiter == field.unwrap_or(b'|'),
        _ => false,
    }
}

/// Appends a frame's text to the joined text of its transfer. A frame that ends with ETX ends a record; when its text
/// has neither CR nor LF at its end, the CR that some senders leave out is put in.
/// Returns how many bytes were put in (0 or 1).
#[inline]
pub fn join_frame(joined: &mut Vec<u8>, text: &[u8], ends_record: bool) -> usize {
    // Looked at before it is copied: to read what was just written would wait for it.
    let last = text.last().or(joined.last());
    let missing = ends_record && !matches!(last, None | Some(b'\r' | b'\n'));
    joined.extend_from_slice(text);
    if missing {
        joined.push(b'\r');
    }
    usize::from(missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &[u8], chunk: usize) -> (Vec<(String, ClosedBy)>, String) {
        let mut splitter = Splitter::new();
        let mut complete: Vec<Complete> = text.chunks(chunk.max(1)).flat_map(|c| splitter.push(c)).collect();
        let rest = String::from_utf8_lossy(&text[splitter.rest()]).into_owned();
        complete.sort_by_key(|c| c.range.start);
        let shown =
            |c: &Complete| (String::from_utf8_lossy(&text[c.range.clone()]).into_owned(), c.closed_by);
        (complete.iter().map(shown).collect(), rest)
    }

    #[test]
    fn messages_end_with_l_or_where_the_next_header_begins() {
        use ClosedBy::{LRecord, NextHeader};
        let check = |text: &str, expect: &[(&str, ClosedBy)], rest: &str| {
            for chunk in 1..=text.len().max(1) {
                let (found, left) = split(text.as_bytes(), chunk);
                let found: Vec<(&str, ClosedBy)> = found.iter().map(|(t, c)| (t.as_str(), *c)).collect();
                assert_eq!(found, expect, "{text:?} in chunks of {chunk}");
                assert_eq!(left, rest, "{text:?} in chunks of {chunk}");
            }
        };
        check("H|\\^&\rL|1\r", &[("H|\\^&\rL|1\r", LRecord)], "");
        check("H|\\^&\r\nL|1\r\n", &[("H|\\^&\r\nL|1\r", LRecord)], "");
        check("h|\\^&\nl|1\n", &[("h|\\^&\nl|1\n", LRecord)], "");
        check("H|\\^&\rL\rH|\\^&\rP|1\r", &[("H|\\^&\rL\r", LRecord)], "H|\\^&\rP|1\r");
        check("H|\\^&\rP|1\rH|\\^&\rL|1\r", &[("H|\\^&\rP|1\r", NextHeader), ("H|\\^&\rL|1\r", LRecord)], "");
        check(
            "H|\\^&\rP|1\rH@^\\&@\rL@1\r",
            &[("H|\\^&\rP|1\r", NextHeader), ("H@^\\&@\rL@1\r", LRecord)],
            "",
        );
        check(
            "H@^\\&@\rC@1@I@\nH-index\rL|1\rL@1\r",
            &[("H@^\\&@\rC@1@I@\nH-index\rL|1\rL@1\r", LRecord)],
            "",
        );
        check("R|1\rH|\\^&\rL|1\r", &[("R|1\r", NextHeader), ("H|\\^&\rL|1\r", LRecord)], "");
        check("H|\\^&\rL|1\rC|1|late\r", &[("H|\\^&\rL|1\r", LRecord)], "C|1|late\r");
        check("H|\\^&\rLABEL|1\r", &[], "H|\\^&\rLABEL|1\r");
        check("H|\\^&\rL|1", &[], "H|\\^&\rL|1");
        check("\r\n\r", &[], "");
        check("", &[], "");
    }

    #[test]
    fn the_end_of_the_transfer_completes_what_has_no_terminator() {
        let check = |text: &str, expect: &[(Range<usize>, ClosedBy)]| {
            let mut splitter = Splitter::new();
            let mut found = splitter.push(text.as_bytes());
            found.extend(splitter.finish());
            let found: Vec<(Range<usize>, ClosedBy)> =
                found.into_iter().map(|c| (c.range, c.closed_by)).collect();
            assert_eq!(found, expect, "{text:?}");
            assert!(splitter.rest().is_empty());
        };
        check("H|\\^&\rL|1", &[(0..9, ClosedBy::LRecord)]);
        check("H|\\^&\rP|1", &[(0..9, ClosedBy::TransferEnd)]);
        check("H|\\^&\rP|1\r", &[(0..10, ClosedBy::TransferEnd)]);
        check("H|\\^&\rL|1\rxy", &[(0..10, ClosedBy::LRecord), (10..12, ClosedBy::TransferEnd)]);
        check("\r\n", &[]);
    }

    #[test]
    fn an_end_frame_ends_its_record_even_without_cr() {
        let frames: [&[u8]; 3] = [b"H|\\^&", b"P|1\r", b"L|1|N"];
        let (mut joined, mut splitter, mut found) = (Vec::new(), Splitter::new(), Vec::new());
        for frame in frames {
            let before = joined.len();
            join_frame(&mut joined, frame, true);
            found.extend(splitter.push(&joined[before..]));
        }
        assert_eq!(joined, b"H|\\^&\rP|1\rL|1|N\r");
        assert_eq!(found, [Complete { range: 0..16, closed_by: ClosedBy::LRecord }]);
        let mut bare = Splitter::new();
        assert!(bare.push(b"H|\\^&\rL|1|N").is_empty());
        assert_eq!(bare.end_record(), [Complete { range: 0..11, closed_by: ClosedBy::LRecord }]);
        assert!(bare.end_record().is_empty());
    }
}

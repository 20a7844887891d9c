//! The acknowledgement of a message whose header is like one before it.
//!
//! An analyser's headers differ in their time and their control id only. Where that is so, and both are plain, the answer
//! differs in its own time, its own control id and the one it echoes: three places in a text that stands.

use std::ops::Range;

/// Stand in a text that is worked out once, where the three places are. No header may hold them.
pub(crate) const NOW: &str = "ZQNOWQZ";
pub(crate) const OWN: &str = "ZQOWNQZ";
const ECHOED: &str = "ZQECHOQZ";
/// What all of them begin with.
const MARK: &str = "ZQ";

/// Separators before MSH-7 and before MSH-10; the first one is MSH-1 itself.
const BEFORE_TIME: usize = 6;
const BEFORE_ID: usize = 9;
const ID_BYTES_MAX: usize = 64;

/// Where the two fields of a header stand that are not looked at.
struct Places {
    time: Range<usize>,
    id: Range<usize>,
}

impl Places {
    /// None where anything about the header is out of the ordinary.
    fn of(head: &[u8]) -> Option<Self> {
        let separator = *head.strip_prefix(b"MSH")?.first()?;
        // Elsewhere half a character may look like a separator.
        if !separator.is_ascii_punctuation() || std::str::from_utf8(head).is_err() {
            return None;
        }
        let mut separators = memchr::memchr_iter(separator, head);
        let time = separators.nth(BEFORE_TIME - 1)? + 1..separators.next()?;
        let id = separators.nth(BEFORE_ID - BEFORE_TIME - 2)? + 1..separators.next()?;
        let (said, named) = (head.get(time.clone())?, head.get(id.clone())?);
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let is_time = said.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'+' | b'-'));
        let is_id = (1..=ID_BYTES_MAX).contains(&named.len()) && named.iter().all(plain);
        (is_time && is_id).then_some(Self { time, id })
    }
}

/// What is known of the answer to a header.
#[derive(Debug)]
enum Known {
    /// The header has come once.
    NotYet,
    /// The text around the three places.
    Pieces([Vec<u8>; 4]),
    /// It has not the three places.
    Otherwise,
}

/// A header as far as it stands, and its answer.
#[derive(Debug)]
struct One {
    /// Before MSH-7, from there to MSH-10, and behind it.
    header: [Vec<u8>; 3],
    answer: Known,
}

/// Headers that came, the latest first. What speaks for several analysers has one for each.
#[derive(Debug, Default)]
pub(crate) struct Alike(Vec<One>);

/// So many headers are remembered.
const REMEMBERED_MAX: usize = 32;

impl Alike {
    /// The answer to a header like one before, at `now`, with a control id of its own. `write` works an answer out where
    /// one is needed to know it; none where this header has to be answered by itself.
    pub(crate) fn answer(
        &mut self,
        head: &[u8],
        (now, own): (&str, &str),
        write: impl FnOnce(&[u8]) -> Vec<u8>,
    ) -> Option<Vec<u8>> {
        let Places { time, id } = Places::of(head)?;
        let parts = [head.get(..time.start)?, head.get(time.end..id.start)?, head.get(id.end..)?];
        let is_it = |one: &One| one.header.iter().zip(parts).all(|(known, part)| known == part);
        let Some(place) = self.0.iter().position(is_it) else {
            self.0.truncate(REMEMBERED_MAX - 1);
            self.0.insert(0, One { header: parts.map(<[u8]>::to_vec), answer: Known::NotYet });
            return None;
        };
        self.0.get_mut(..=place)?.rotate_right(1);
        let One { answer, .. } = self.0.first_mut()?;
        if matches!(answer, Known::NotYet) {
            let marked = parts.iter().any(|part| memchr::memmem::find(part, MARK.as_bytes()).is_some());
            let asked = [head.get(..id.start)?, ECHOED.as_bytes(), head.get(id.end..)?].concat();
            let found = if marked { None } else { pieces(&write(&asked)) };
            *answer = found.map_or(Known::Otherwise, Known::Pieces);
        }
        let Known::Pieces([first, second, third, last]) = answer else { return None };
        Some([first, now.as_bytes(), second, own.as_bytes(), third, head.get(id)?, last].concat())
    }
}

/// A text around its three places, each of which has to be there once and in this order.
fn pieces(text: &[u8]) -> Option<[Vec<u8>; 4]> {
    let cut = |text: &[u8], at: &str| {
        let place = memchr::memmem::find(text, at.as_bytes())?;
        Some((text.get(..place)?.to_vec(), text.get(place + at.len()..)?.to_vec()))
    };
    let (first, rest) = cut(text, NOW)?;
    let (second, rest) = cut(&rest, OWN)?;
    let (third, last) = cut(&rest, ECHOED)?;
    let pieces = [first, second, third, last];
    let whole = pieces.iter().all(|piece| memchr::memmem::find(piece, MARK.as_bytes()).is_none());
    whole.then_some(pieces)
}

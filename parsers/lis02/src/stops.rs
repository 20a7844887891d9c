//! Where a text has to be divided, found eight bytes at a time.
//!
//! Fields are short: a search that starts anew at every delimiter spends more on starting than on searching. Here a
//! word of eight bytes is compared at once and its hits are taken one by one.

/// Places of one byte and of CR and LF, in order.
pub(crate) struct Stops<'t> {
    words: core::slice::Iter<'t, [u8; 8]>,
    /// The bytes behind the last whole word, filled up with bytes that are no hit.
    tail: Option<[u8; 8]>,
    delimiter: u64,
    /// One bit a hit: the high bit of its byte.
    hits: u64,
    /// Where the bytes of `hits` begin.
    base: usize,
    /// Where the next word begins.
    next: usize,
}

impl<'t> Stops<'t> {
    pub(crate) fn new(bytes: &'t [u8], delimiter: u8) -> Self {
        let (words, rest) = bytes.as_chunks::<8>();
        // 0xFF may not delimit (it is no byte of UTF-8 either).
        let mut tail = [u8::MAX; 8];
        tail.iter_mut().zip(rest).for_each(|(to, byte)| *to = *byte);
        let tail = (!rest.is_empty()).then_some(tail);
        Self { words: words.iter(), tail, delimiter: splat(delimiter), hits: 0, base: 0, next: 0 }
    }
}

impl Iterator for Stops<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.hits == 0 {
            let word = match self.words.next() {
                Some(word) => *word,
                None => self.tail.take()?,
            };
            let word = u64::from_le_bytes(word);
            self.hits = equal(word, self.delimiter) | equal(word, CR) | equal(word, LF);
            self.base = self.next;
            self.next += 8;
        }
        let at = self.base + (self.hits.trailing_zeros() / 8) as usize;
        self.hits &= self.hits - 1;
        Some(at)
    }
}

const CR: u64 = splat(b'\r');
const LF: u64 = splat(b'\n');

const fn splat(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// The high bit of every byte of `word` that equals the byte of `pattern`.
fn equal(word: u64, pattern: u64) -> u64 {
    const LOW_BITS: u64 = splat(0x7F);
    let difference = word ^ pattern;
    !(((difference & LOW_BITS) + LOW_BITS) | difference) & splat(0x80)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(bytes: &[u8], delimiter: u8) {
        let found: Vec<usize> = Stops::new(bytes, delimiter).collect();
        let expect = |byte: u8| byte == delimiter || byte == b'\r' || byte == b'\n';
        let expect: Vec<usize> = (0..bytes.len()).filter(|at| expect(bytes[*at])).collect();
        assert_eq!(found, expect, "{bytes:?}");
    }

    #[test]
    fn every_byte_value_is_told_apart_beside_every_neighbour() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, b'\n', b'\r', b'|', 0x7F, 0x80, 0xFF] {
                check(&[neighbour, byte, byte, neighbour, byte, neighbour, neighbour, byte, byte], b'|');
            }
        }
    }

    proptest! {
        #[test]
        fn places_are_those_of_a_byte_at_a_time(bytes in "[|a\\r\\né]{0,40}", delimiter in 33_u8..127) {
            check(bytes.as_bytes(), delimiter);
        }
    }
}

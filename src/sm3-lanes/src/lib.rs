//! SM3 (GB/T 32905-2016) of many messages at once.
//!
//! Within one message SM3 is a single chain of additions and rotations, and the processors that stations have know no
//! instruction for it. Messages that are hashed together do not depend on each other: each takes a lane of the
//! processor's vectors (16 with AVX-512, 8 with AVX2), and all lanes go through the rounds together.
//!
//! What comes out is what the crate `sm3` gives, which does the work where there is one message or no wide vector.

mod rounds;

use fearless_simd::{Level, Simd, dispatch, prelude::*};
use sm3::{Digest, Sm3};
use std::ops::Range;
use std::slice;

/// Bytes of a hash.
pub const HASH_BYTES: usize = 32;
/// A hash.
pub type Hash = [u8; HASH_BYTES];

/// Bytes that go through the rounds at a time.
const BLOCK_BYTES: usize = 64;
/// Bytes at the end of the last block that say how long the message was.
const LENGTH_BYTES: usize = 8;
/// With fewer lanes one message after another is as fast.
const LANES_MIN: usize = 8;

type Block = [u8; BLOCK_BYTES];

/// The hash of each of `messages`, in their order.
#[must_use]
pub fn hash_each(messages: &[&[u8]]) -> Vec<Hash> {
    if messages.len() < 2 {
        return one_by_one(messages);
    }
    let level = Level::new();
    dispatch!(level, simd => in_lanes(simd, messages))
}

fn one_by_one(messages: &[&[u8]]) -> Vec<Hash> {
    messages.iter().map(|message| Sm3::digest(message).into()).collect()
}

/// The longest first, each in the next lane that is free.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn in_lanes<S: Simd>(simd: S, messages: &[&[u8]]) -> Vec<Hash> {
    if S::u32s::LEN < LANES_MIN {
        return one_by_one(messages);
    }
    let mut hashes = vec![[0; HASH_BYTES]; messages.len()];
    let mut waiting: Vec<_> = messages.iter().copied().zip(&mut hashes).collect();
    waiting.sort_by_key(|(message, _)| message.len());
    let mut state = [S::u32s::splat(simd, 0); 8];
    let mut words = [S::u32s::splat(simd, 0); 16];
    let mut lanes: Vec<Option<Lane<'_>>> = (0..S::u32s::LEN).map(|_| None).collect();
    loop {
        let mut busy = false;
        for (place, lane) in lanes.iter_mut().enumerate() {
            if lane.is_none()
                && let Some((message, hash)) = waiting.pop()
            {
                *lane = Some(Lane::new(message, hash));
                put(&mut state, place, rounds::BEGINNING);
            }
            if let Some(block) = lane.as_mut().and_then(Lane::next) {
                busy = true;
                put(&mut words, place, block.as_chunks().0.iter().map(|word| u32::from_be_bytes(*word)));
            }
        }
        if !busy {
            return hashes;
        }
        rounds::compress(simd, &mut state, &words);
        for (place, lane) in lanes.iter_mut().enumerate() {
            if let Some(done) = lane.take_if(|lane| lane.is_done()) {
                done.give(state.iter().filter_map(|vector| vector.as_slice().get(place).copied()));
            }
        }
    }
}

/// Puts `values` into lane `place` of `vectors`.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn put<S: Simd, V: SimdBase<S, Element = u32>>(
    vectors: &mut [V],
    place: usize,
    values: impl IntoIterator<Item = u32>,
) {
    for (vector, value) in vectors.iter_mut().zip(values) {
        if let Some(word) = vector.as_mut_slice().get_mut(place) {
            *word = value;
        }
    }
}

/// A message on its way through the rounds.
struct Lane<'m> {
    whole: slice::Iter<'m, Block>,
    /// What is left behind the whole blocks, the bit that ends it, and its length.
    ending: [u8; 2 * BLOCK_BYTES],
    /// The blocks of the ending that have not gone yet.
    left: Range<usize>,
    hash: &'m mut Hash,
}

impl<'m> Lane<'m> {
    fn new(message: &'m [u8], hash: &'m mut Hash) -> Self {
        let (whole, rest) = message.as_chunks();
        let mut ending = [0; 2 * BLOCK_BYTES];
        for (to, from) in ending.iter_mut().zip(rest.iter().chain(&[0x80])) {
            *to = *from;
        }
        let blocks = (rest.len() + 1 + LENGTH_BYTES).div_ceil(BLOCK_BYTES);
        let bits = message.len() as u64 * 8;
        if let Some(place) = ending.get_mut(..blocks * BLOCK_BYTES).and_then(|used| used.last_chunk_mut()) {
            *place = bits.to_be_bytes();
        }
        Self { whole: whole.iter(), ending, left: 0..blocks, hash }
    }

    fn next(&mut self) -> Option<&Block> {
        self.whole.next().or_else(|| self.ending.as_chunks().0.get(self.left.next()?))
    }

    fn is_done(&self) -> bool {
        self.whole.len() == 0 && self.left.is_empty()
    }

    /// Gives the hash away.
    fn give(self, state: impl Iterator<Item = u32>) {
        for (to, from) in self.hash.iter_mut().zip(state.flat_map(u32::to_be_bytes)) {
            *to = from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Whatever vectors this processor has, in each of their widths.
    fn check(messages: &[&[u8]]) {
        let expect = one_by_one(messages);
        assert_eq!(hash_each(messages), expect);
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = Level::new().as_avx2() {
            let level = Level::Avx2(avx2);
            assert_eq!(dispatch!(level, simd => in_lanes(simd, messages)), expect, "in 8 lanes");
        }
    }

    #[test]
    fn the_standards_own_examples_come_out_beside_others() {
        let long = b"abcd".repeat(16);
        let hex = |hash: &Hash| format!("{hash:02x?}").replace(", ", "");
        let hashes = hash_each(&[b"abc", &long, b""]);
        assert_eq!(hex(&hashes[0]), "[66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0]");
        assert_eq!(hex(&hashes[1]), "[debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732]");
    }

    #[test]
    fn every_length_around_the_end_of_a_block_comes_out_right() {
        let bytes: Vec<u8> = (0..=255).collect();
        let messages: Vec<&[u8]> = (0..=200).map(|length| &bytes[..length]).collect();
        check(&messages);
    }

    proptest! {
        #[test]
        fn messages_of_all_lengths_together_give_what_each_gives_alone(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..700), 0..50),
        ) {
            check(&messages.iter().map(Vec::as_slice).collect::<Vec<_>>());
        }
    }
}

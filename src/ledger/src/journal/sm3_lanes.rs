//! SM3 (GB/T 32905) of the eight parts of a body at once, one part a lane of a vector.
//!
//! One SM3 at a time is bound by its own chain of additions, whatever the processor: a message of five kilobytes takes
//! longer than everything else that is done for it before the disk. Eight at a time take little longer than one.
#![expect(clippy::inline_always, reason = "a vector leaves its registers at every call that is not inlined")]

use super::hash::PARTS;
use fearless_simd::{Level, Simd, dispatch, prelude::*, u32x8};
use std::sync::LazyLock;

const BLOCK_BYTES: usize = 64;
const BEGIN: [u32; 8] =
    [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];
/// The constants of the first sixteen rounds and of the others; round j turns them left by j.
const EARLY: u32 = 0x79cc_4519;
const LATE: u32 = 0x7a87_9d8a;

static LEVEL: LazyLock<Level> = LazyLock::new(Level::new);

/// The hashes of `parts`. All but the last are of one length; the last is at most that long.
pub(super) fn of_parts(parts: [&[u8]; PARTS]) -> [[u8; 32]; PARTS] {
    let level = *LEVEL;
    dispatch!(level, simd => run(simd, parts))
}

#[inline(always)]
fn run<S: Simd>(simd: S, parts: [&[u8]; PARTS]) -> [[u8; 32]; PARTS] {
    let blocks = parts.map(|part| (part.len() + 9).div_ceil(BLOCK_BYTES));
    let [most, .., last] = blocks;
    let mut state = BEGIN.map(|word| u32x8::splat(simd, word));
    let mut of_last = [0; 32];
    for step in 0..most {
        let mut words = [[0; PARTS]; 16];
        for (lane, part) in parts.iter().enumerate() {
            for (row, bytes) in words.iter_mut().zip(block(part, step).as_chunks::<4>().0) {
                if let Some(word) = row.get_mut(lane) {
                    *word = u32::from_be_bytes(*bytes);
                }
            }
        }
        compress(simd, &mut state, words.map(|row| u32x8::simd_from(simd, row)));
        if step + 1 == last {
            of_last = hash_in(&state, PARTS - 1);
        }
    }
    let mut hashes = [0, 1, 2, 3, 4, 5, 6, 7].map(|lane| hash_in(&state, lane));
    // Its lane may have gone on with nothing.
    if let Some(hash) = hashes.last_mut() {
        *hash = of_last;
    }
    hashes
}

#[inline(always)]
fn hash_in<S: Simd>(state: &[u32x8<S>; 8], lane: usize) -> [u8; 32] {
    let mut hash = [0; 32];
    for (bytes, words) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *bytes = words.as_slice().get(lane).copied().unwrap_or_default().to_be_bytes();
    }
    hash
}

/// Block `number` of a padded message.
#[inline(always)]
fn block(message: &[u8], number: usize) -> [u8; BLOCK_BYTES] {
    let at = number * BLOCK_BYTES;
    let rest = message.get(at..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    let mut block = [0; BLOCK_BYTES];
    block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    if at <= message.len()
        && let Some(behind) = block.get_mut(rest.len())
    {
        *behind = 0x80;
    }
    if at + BLOCK_BYTES >= message.len() + 9
        && let Some(length) = block.last_chunk_mut()
    {
        *length = (message.len() as u64 * 8).to_be_bytes();
    }
    block
}

#[inline(always)]
fn turn<S: Simd>(words: u32x8<S>, bits: u32) -> u32x8<S> {
    (words << bits) | (words >> (32 - bits))
}

#[inline(always)]
#[expect(clippy::many_single_char_names, reason = "the standard's names")]
#[expect(clippy::indexing_slicing, reason = "every index is the number of a round")]
fn compress<S: Simd>(simd: S, state: &mut [u32x8<S>; 8], block: [u32x8<S>; 16]) {
    let mut w = [u32x8::splat(simd, 0); 68];
    w.iter_mut().zip(block).for_each(|(to, from)| *to = from);
    for j in 16..68 {
        let x = w[j - 16] ^ w[j - 9] ^ turn(w[j - 3], 15);
        w[j] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(w[j - 13], 7) ^ w[j - 6];
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = *state;
    let mut constant = EARLY;
    for j in 0..64 {
        if j == 16 {
            constant = LATE.rotate_left(16);
        }
        let (ff, gg) =
            if j < 16 { (a ^ b ^ c, e ^ f ^ g) } else { ((a & b) | (c & (a | b)), g ^ (e & (f ^ g))) };
        let a12 = turn(a, 12);
        let ss1 = turn(a12 + e + u32x8::splat(simd, constant), 7);
        let tt1 = ff + d + (ss1 ^ a12) + (w[j] ^ w[j + 4]);
        let tt2 = gg + h + ss1 + w[j];
        (d, c, b, a) = (c, turn(b, 9), a, tt1);
        (h, g, f, e) = (g, turn(f, 19), e, tt2 ^ turn(tt2, 9) ^ turn(tt2, 17));
        constant = constant.rotate_left(1);
    }
    state.iter_mut().zip([a, b, c, d, e, f, g, h]).for_each(|(before, after)| *before ^= after);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sm3::{Digest, Sm3};

    fn check(bytes: &[u8], size: usize) {
        let mut rest = bytes;
        let parts = [(); PARTS].map(|()| {
            let (part, behind) = rest.split_at(size.min(rest.len()));
            rest = behind;
            part
        });
        let expect = parts.map(|part| <[u8; 32]>::from(Sm3::digest(part)));
        assert_eq!(of_parts(parts), expect, "parts of {size}, the last of {}", parts[PARTS - 1].len());
    }

    #[test]
    fn every_length_around_a_block_gives_what_one_sm3_at_a_time_gives() {
        let bytes: Vec<u8> = (0..4000_u32).map(|n| n.to_le_bytes()[0] ^ 0x5A).collect();
        for size in (1..140).chain([191, 192, 200, 448]) {
            for last in [size, size - 1, size / 2, 0] {
                check(&bytes[..size * (PARTS - 1) + last], size);
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_what_one_sm3_at_a_time_gives(bytes in prop::collection::vec(any::<u8>(), 8..3000)) {
            check(&bytes, bytes.len().div_ceil(PARTS));
        }
    }
}

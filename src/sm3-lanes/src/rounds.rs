//! The rounds (GB/T 32905-2016, 5.3), the same for every lane.

use fearless_simd::{Simd, prelude::*};

/// What the state begins with (4.1).
pub(crate) const BEGINNING: [u32; 8] =
    [0x7380_166f, 0x4914_b2b9, 0x1724_42d7, 0xda8a_0600, 0xa96f_30bc, 0x1631_38aa, 0xe38d_ee4d, 0xb0fb_0e4e];

/// Rounds with the first pair of functions, and with the second (4.2, 4.3).
const ROUNDS: (usize, usize) = (16, 48);
/// Words that a block is made into (5.3.2).
const EXPANDED: usize = 68;

/// Takes one block of each lane into its state.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
pub(crate) fn compress<S: Simd>(simd: S, state: &mut [S::u32s; 8], block: &[S::u32s; 16]) {
    let words = expand(simd, block);
    let mut steps = words.iter().zip(words.iter().skip(4)).map(|(word, later)| (*word, *later)).zip(0..);
    let mut next = *state;
    for ((word, later), round) in steps.by_ref().take(ROUNDS.0) {
        let constant = S::u32s::splat(simd, 0x79cc_4519_u32.rotate_left(round));
        next = step::<S, true>(next, constant, (word, later));
    }
    for ((word, later), round) in steps.take(ROUNDS.1) {
        let constant = S::u32s::splat(simd, 0x7a87_9d8a_u32.rotate_left(round % 32));
        next = step::<S, false>(next, constant, (word, later));
    }
    for (before, after) in state.iter_mut().zip(next) {
        *before ^= after;
    }
}

/// One round, with the `FIRST` pair of functions or the second.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[expect(clippy::many_single_char_names, reason = "the standard's names")]
#[inline(always)]
fn step<S: Simd, const FIRST: bool>(
    [a, b, c, d, e, f, g, h]: [S::u32s; 8],
    constant: S::u32s,
    (word, later): (S::u32s, S::u32s),
) -> [S::u32s; 8] {
    let a12 = turned::<S>(a, 12);
    let ss1 = turned::<S>(a12 + e + constant, 7);
    let (ff, gg) = if FIRST { (a ^ b ^ c, e ^ f ^ g) } else { ((a & b) | (c & (a | b)), ((f ^ g) & e) ^ g) };
    let tt1 = ff + d + (ss1 ^ a12) + (word ^ later);
    let tt2 = gg + h + ss1 + word;
    let p0 = tt2 ^ turned::<S>(tt2, 9) ^ turned::<S>(tt2, 17);
    [tt1, a, turned::<S>(b, 9), c, p0, e, turned::<S>(f, 19), g]
}

#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn expand<S: Simd>(simd: S, block: &[S::u32s; 16]) -> [S::u32s; EXPANDED] {
    let mut words = [S::u32s::splat(simd, 0); EXPANDED];
    for (word, given) in words.iter_mut().zip(block) {
        *word = *given;
    }
    for at in block.len()..EXPANDED {
        let Some((before, [now, ..])) = words.split_at_mut_checked(at) else { break };
        let Some([w16, _, _, w13, _, _, _, w9, _, _, w6, _, _, w3, _, _]) = before.last_chunk() else {
            break;
        };
        let mixed = *w16 ^ *w9 ^ turned::<S>(*w3, 15);
        let p1 = mixed ^ turned::<S>(mixed, 15) ^ turned::<S>(mixed, 23);
        *now = p1 ^ turned::<S>(*w13, 7) ^ *w6;
    }
    words
}

/// Every word turned left by `bits`.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn turned<S: Simd>(words: S::u32s, bits: u32) -> S::u32s {
    (words << bits) | (words >> (32 - bits))
}

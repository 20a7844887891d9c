//! Where the field delimiter, CR and LF stand: 64 bytes at a time.
//!
//! Delimiters are about six bytes apart. A search that starts anew after every find (`memchr3_iter`) spends most of its
//! time starting: this one finds all marks of a block in one go, with the widest vectors that the processor has.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

const BLOCK_BYTES: usize = 64;
/// Blocks looked at in one go at first, since what follows a header that names other delimiters is looked at again ...
const BLOCKS_FIRST: usize = 2;
/// ... and at most.
const BLOCKS_MAX: usize = 64;

/// The places of three bytes, none of them zero, in their order: block by block.
pub(crate) struct Marks<'t> {
    level: Level,
    wanted: [u8; 3],
    /// What has not been looked at.
    rest: &'t [u8],
    /// The blocks looked at in one go: a bit for each of their bytes that is a mark.
    looked_at: [u64; BLOCKS_MAX],
    /// The blocks of `looked_at` that have not been given.
    left: core::ops::Range<usize>,
    /// How many blocks to look at next.
    blocks: usize,
    /// Where the next block begins.
    base: usize,
}

/// The places of the marks of one block.
pub(crate) struct Block {
    base: usize,
    /// A bit for each mark not yet given, lowest first.
    found: u64,
}

impl<'t> Marks<'t> {
    pub(crate) fn new(bytes: &'t [u8], wanted: [u8; 3]) -> Self {
        let (level, blocks) = (Level::new(), BLOCKS_FIRST);
        Self { level, wanted, rest: bytes, looked_at: [0; BLOCKS_MAX], left: 0..0, blocks, base: 0 }
    }

    /// Looks at the next blocks.
    fn look(&mut self) {
        let bytes = self.blocks * BLOCK_BYTES;
        let (now, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, &[]));
        let (wanted, found) = (self.wanted, &mut self.looked_at);
        dispatch!(self.level, simd => find(simd, now, wanted, found));
        self.rest = rest;
        self.left = 0..now.len().div_ceil(BLOCK_BYTES);
        self.blocks = (self.blocks * 2).min(BLOCKS_MAX);
    }
}

impl Iterator for Marks<'_> {
    type Item = Block;

    #[inline]
    fn next(&mut self) -> Option<Block> {
        if self.left.is_empty() {
            self.look();
        }
        let found = *self.looked_at.get(self.left.next()?)?;
        let base = self.base;
        self.base += BLOCK_BYTES;
        Some(Block { base, found })
    }
}

impl Iterator for Block {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        if self.found == 0 {
            return None;
        }
        let at = self.base + self.found.trailing_zeros() as usize;
        self.found &= self.found - 1;
        Some(at)
    }
}

/// One bit for each byte of each block that is one of the marks.
#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn find<S: Simd>(simd: S, bytes: &[u8], [a, b, c]: [u8; 3], found: &mut [u64; BLOCKS_MAX]) {
    let (a, b, c) = (u8x64::splat(simd, a), u8x64::splat(simd, b), u8x64::splat(simd, c));
    for (to, block) in found.iter_mut().zip(bytes.chunks(BLOCK_BYTES)) {
        let mut whole = [0; BLOCK_BYTES];
        if let Some(block) = block.first_chunk() {
            whole = *block;
        } else {
            whole.iter_mut().zip(block).for_each(|(to, byte)| *to = *byte);
        }
        let block = u8x64::simd_from(simd, whole);
        *to = (block.simd_eq(a) | block.simd_eq(b) | block.simd_eq(c)).to_bitmask();
    }
}

/// Whether `is` of any byte is not 0.
pub(crate) fn any(bytes: &[u8], is: impl Fn(u8) -> u8) -> bool {
    dispatch!(Level::new(), _simd => any_of(bytes, &is))
}

#[expect(clippy::inline_always, reason = "it is compiled once for each kind of vector")]
#[inline(always)]
fn any_of(bytes: &[u8], is: &impl Fn(u8) -> u8) -> bool {
    bytes.chunks(4096).any(|chunk| chunk.iter().fold(0, |found, byte| found | is(*byte)) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn marks_are_found_where_memchr_finds_them(bytes in proptest::collection::vec(0..8_u8, 0..5_000)) {
            let found: Vec<usize> = Marks::new(&bytes, [1, 2, 3]).flatten().collect();
            let expect: Vec<usize> = memchr::memchr3_iter(1, 2, 3, &bytes).collect();
            prop_assert_eq!(found, expect);
        }
    }

    #[test]
    fn every_byte_value_is_told_apart_beside_every_neighbour() {
        for byte in 0..=u8::MAX {
            for neighbour in [0, b'\n', b'\r', b'|', 0x7F, 0x80, 0xFF] {
                let bytes = [neighbour, byte, byte, neighbour, byte, neighbour, neighbour, byte, byte];
                let found: Vec<usize> = Marks::new(&bytes, [b'|', b'\r', b'\n']).flatten().collect();
                let expect: Vec<usize> = memchr::memchr3_iter(b'|', b'\r', b'\n', &bytes).collect();
                assert_eq!(found, expect, "{bytes:?}");
            }
        }
    }

    #[test]
    fn every_place_of_a_block_has_its_bit() {
        for at in 0..200 {
            let mut bytes = [b'x'; 200];
            bytes[at] = b'\r';
            assert_eq!(Marks::new(&bytes, [b'|', b'\r', b'\n']).flatten().collect::<Vec<_>>(), [at]);
        }
    }
}

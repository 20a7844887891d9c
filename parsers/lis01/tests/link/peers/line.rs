//! One direction of a line in virtual time, with faults.

use std::collections::VecDeque;

/// What a line does to one block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Fault {
    /// The block does not arrive.
    Drop,
    /// One byte of it does not arrive.
    DropByte,
    /// One bit of it arrives flipped.
    Flip,
    /// It arrives twice, both at once.
    Duplicate,
    /// It arrives in two pieces, some time apart.
    Split,
    /// It arrives together with the next one, or late.
    Merge,
    /// It arrives seconds late, and everything behind it.
    Stall,
    /// Its checksum arrives wrong, if it is a frame that has one.
    Checksum,
    /// Both directions close; what is on its way is lost.
    Cut,
}

impl Fault {
    pub(super) const ALL: [Self; 9] = [
        Self::Drop,
        Self::DropByte,
        Self::Flip,
        Self::Duplicate,
        Self::Split,
        Self::Merge,
        Self::Stall,
        Self::Checksum,
        Self::Cut,
    ];
}

const LATENCY_MS_MAX: u64 = 20;

#[derive(Debug)]
pub(super) struct Line {
    stall_ms_max: u64,
    /// Pieces under way with their arrival, never overtaking each other.
    pieces: VecDeque<(u64, Vec<u8>)>,
}

impl Line {
    pub(super) fn new(stall_ms_max: u64) -> Self {
        Self { stall_ms_max, pieces: VecDeque::new() }
    }

    pub(super) fn carry(
        &mut self,
        mut block: Vec<u8>,
        fault: Option<Fault>,
        now_ms: u64,
        rng: &mut fastrand::Rng,
    ) {
        let mut delay = rng.u64(1..=LATENCY_MS_MAX);
        match fault {
            None => {}
            Some(Fault::Drop | Fault::Cut) => return,
            Some(Fault::DropByte) => drop(block.remove(rng.usize(0..block.len()))),
            Some(Fault::Flip) => flip(&mut block, rng),
            Some(Fault::Duplicate) => block.extend_from_within(..),
            Some(Fault::Split) => {
                let behind = block.split_off(rng.usize(0..=block.len()));
                self.push(now_ms + delay, block);
                delay += rng.u64(0..=LATENCY_MS_MAX * 10);
                block = behind;
            }
            Some(Fault::Merge) => delay += rng.u64(0..=LATENCY_MS_MAX * 20),
            Some(Fault::Stall) => delay += rng.u64(0..=self.stall_ms_max),
            Some(Fault::Checksum) => spoil_checksum(&mut block),
        }
        self.push(now_ms + delay, block);
    }

    fn push(&mut self, at: u64, bytes: Vec<u8>) {
        let at = self.pieces.back().map_or(at, |(last, _)| at.max(*last));
        self.pieces.push_back((at, bytes));
    }

    pub(super) fn next_arrival(&self) -> Option<u64> {
        self.pieces.front().map(|(at, _)| *at)
    }

    /// All that has arrived, as one read.
    pub(super) fn arrived(&mut self, now_ms: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while self.next_arrival().is_some_and(|at| at <= now_ms) {
            bytes.extend(self.pieces.pop_front().unwrap().1);
        }
        bytes
    }

    pub(super) fn clear(&mut self) {
        self.pieces.clear();
    }
}

/// Any bit of any byte, but for the one flip that the protocol cannot bear: EOT become ENQ costs an ACK too many.
fn flip(block: &mut [u8], rng: &mut fastrand::Rng) {
    loop {
        let (at, bit) = (rng.usize(0..block.len()), rng.u8(0..8));
        if block[at] == 0x04 && bit == 0 {
            continue;
        }
        block[at] ^= 1 << bit;
        return;
    }
}

/// Another digit where the last one of the checksum stands.
fn spoil_checksum(block: &mut [u8]) {
    if let [.., digit, b'\r', b'\n'] = block
        && digit.is_ascii_hexdigit()
    {
        *digit = if *digit == b'0' { b'1' } else { b'0' };
    }
}

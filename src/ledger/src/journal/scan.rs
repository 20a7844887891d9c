//! Reading a journal file from front to back, checking everything.

use super::format::{FRAME_HEADER_BYTES, Frame, GROUP_HEADER_BYTES, GROUP_MAGIC, GroupHeader, SEAL_BYTES};
use super::hash::{ChainHash, HashAlgorithm};
use crate::Seq;
use crate::storage::ReadAt;
use std::io;

/// How much is read ahead at a time.
const WINDOW_BYTES: usize = 256 << 10;

/// How much is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// Checksums, sequence numbers and the chain of hashes.
    Chain,
    /// Checksums and sequence numbers.
    Checksums,
}

/// What is at a place in a file.
pub(crate) enum Piece<'b> {
    /// A whole group.
    Group(GroupView<'b>),
    /// A seal.
    Seal,
}

/// A whole group, checked.
pub(crate) struct GroupView<'b> {
    /// Where it stands, header included.
    pub(crate) at: u64,
    /// The hash before its first entry.
    pub(crate) chain_before: ChainHash,
    pub(crate) header: GroupHeader,
    /// Header and frames.
    pub(crate) bytes: &'b [u8],
}

impl<'b> GroupView<'b> {
    /// Its frames, each with its offset in the file.
    pub(crate) fn frames(&self) -> impl Iterator<Item = (u64, Frame<'b>)> + use<'b> {
        let mut rest = self.bytes.get(GROUP_HEADER_BYTES..).unwrap_or_default();
        let mut at = self.at + GROUP_HEADER_BYTES as u64;
        std::iter::from_fn(move || {
            let (frame, after) = Frame::split(rest)?;
            let here = at;
            at += (rest.len() - after.len()) as u64;
            rest = after;
            Some((here, frame))
        })
    }
}

/// The first place that is not as it should be.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) at: u64,
    pub(crate) seq: Seq,
    pub(crate) why: String,
}

/// Why reading stopped.
#[derive(Debug)]
pub(crate) enum ScanError {
    Io(io::Error),
    Broken(Broken),
}

impl From<io::Error> for ScanError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads pieces from `offset` to `end`.
pub(crate) struct Scanner<'a> {
    window: Window<'a>,
    offset: u64,
    end: u64,
    algorithm: HashAlgorithm,
    check: Check,
    next: Seq,
    chain: ChainHash,
}

impl<'a> Scanner<'a> {
    /// `next` and `chain` are what is expected at `offset`.
    pub(crate) fn new(
        file: &'a dyn ReadAt,
        range: std::ops::Range<u64>,
        (algorithm, check): (HashAlgorithm, Check),
        (next, chain): (Seq, ChainHash),
    ) -> Self {
        let window = Window::new(file, range.end, WINDOW_BYTES);
        Self { window, offset: range.start, end: range.end, algorithm, check, next, chain }
    }

    /// Where the next piece stands.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The sequence number that comes next, and the hash it must be chained to (as far as that is checked).
    pub(crate) fn expected(&self) -> (Seq, ChainHash) {
        (self.next, self.chain)
    }

    /// The next piece; `None` at the end.
    pub(crate) fn piece(&mut self) -> Result<Option<Piece<'_>>, ScanError> {
        let at = self.offset;
        if at >= self.end {
            return Ok(None);
        }
        let (next, chain_before) = (self.next, self.chain);
        let broken = move |at: u64, seq: Seq, why: &str| {
            Err(ScanError::Broken(Broken { at, seq, why: why.to_owned() }))
        };
        let Some(header) = GroupHeader::read(self.window.get(at, GROUP_HEADER_BYTES)?) else {
            return broken(at, next, "no group header stands here");
        };
        let total = header.total_bytes();
        if at.saturating_add(total) > self.end {
            return broken(at, next, "the group is cut short");
        }
        if header.first != next {
            return broken(at, next, &format!("sequence number {} stands here", header.first));
        }
        let length = usize::try_from(total).unwrap_or(usize::MAX);
        let (algorithm, check) = (self.algorithm, self.check);
        let bytes = self.window.get(at, length)?;
        let contents = bytes.get(GROUP_HEADER_BYTES..).unwrap_or_default();
        self.offset = at + total;
        if header.is_seal() {
            if check == Check::Chain && contents != chain_before.0 {
                self.offset = at;
                return broken(at, next, "the seal does not fit the entry before it");
            }
            return Ok(Some(Piece::Seal));
        }
        match check_frames(header, contents, chain_before, (algorithm, check)) {
            Ok(chain) => {
                self.next = next.plus(u64::from(header.entries));
                self.chain = chain;
                let bytes = self.window.get(at, length)?;
                Ok(Some(Piece::Group(GroupView { at, chain_before, header, bytes })))
            }
            Err((within, seq, why)) => {
                self.offset = at;
                broken(at + GROUP_HEADER_BYTES as u64 + within as u64, seq, why)
            }
        }
    }
}

/// Checks a group's frames; gives the hash of the last entry (with [`Check::Checksums`]: no use).
fn check_frames(
    header: GroupHeader,
    frames: &[u8],
    mut chain: ChainHash,
    (algorithm, check): (HashAlgorithm, Check),
) -> Result<ChainHash, (usize, Seq, &'static str)> {
    let mut rest = frames;
    let mut next = header.first;
    for _ in 0..header.entries {
        let at = frames.len() - rest.len();
        let (frame, after) =
            Frame::split(rest).ok_or((at, next, "the entry's length or checksum does not fit"))?;
        if frame.seq != next {
            return Err((at, next, "the entry has another sequence number"));
        }
        if check == Check::Chain {
            if frame.previous != chain {
                return Err((at, next, "the entry is not chained to the one before it"));
            }
            chain = frame.hash(algorithm);
        }
        next = next.next();
        rest = after;
    }
    if rest.is_empty() {
        Ok(chain)
    } else {
        Err((frames.len() - rest.len(), next, "the group is longer than its entries"))
    }
}

/// Whether a whole later group, or a seal, stands anywhere in `range`: then what is broken before it was
/// durable once.
pub(crate) fn holds_later_group(
    file: &dyn ReadAt,
    range: std::ops::Range<u64>,
    after: Seq,
) -> io::Result<Option<u64>> {
    let mut window = Window::new(file, range.end, WINDOW_BYTES);
    let mut at = range.start;
    while at + GROUP_HEADER_BYTES as u64 <= range.end {
        let length = usize::try_from(range.end - at).unwrap_or(usize::MAX).min(WINDOW_BYTES);
        let bytes = window.get(at, length)?;
        for found in memchr::memmem::find_iter(bytes, GROUP_MAGIC) {
            if let Some(header) = bytes.get(found..).and_then(GroupHeader::read) {
                let here = at + found as u64;
                let fits = here + header.total_bytes() <= range.end;
                if header.first >= after && (fits || !header.is_seal()) {
                    return Ok(Some(here));
                }
            }
        }
        if length < WINDOW_BYTES {
            break;
        }
        at += (length - GROUP_HEADER_BYTES + 1) as u64;
    }
    Ok(None)
}

/// Where the last byte of `range` that is not zero ends; the range's start when all are zero.
pub(crate) fn written_end(file: &dyn ReadAt, range: std::ops::Range<u64>) -> io::Result<u64> {
    let mut window = Window::new(file, range.end, WINDOW_BYTES);
    let (mut at, mut last) = (range.start, range.start);
    while at < range.end {
        let bytes = window.get(at, WINDOW_BYTES)?;
        if bytes.is_empty() {
            break;
        }
        if let Some(found) = bytes.iter().rposition(|byte| *byte != 0) {
            last = at + found as u64 + 1;
        }
        at += bytes.len() as u64;
    }
    Ok(last)
}

/// A moving view of a file.
pub(crate) struct Window<'a> {
    file: &'a dyn ReadAt,
    end: u64,
    ahead: usize,
    seen: Seen,
}

/// A part of a file that was read.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    at: u64,
    bytes: Vec<u8>,
}

impl Seen {
    /// Whether `at` stands in it.
    pub(super) fn holds(&self, at: u64) -> bool {
        at >= self.at && at < self.at + self.bytes.len() as u64
    }

    /// Nothing, in the same memory.
    pub(super) fn emptied(mut self) -> Self {
        self.bytes.clear();
        Self { at: 0, bytes: self.bytes }
    }
}

impl<'a> Window<'a> {
    /// A view up to `end` that reads `ahead` bytes at a time.
    pub(crate) fn new(file: &'a dyn ReadAt, end: u64, ahead: usize) -> Self {
        Self::resume(file, end, ahead, Seen::default())
    }

    /// A view that begins with what was seen of the same file before. What is durable never changes.
    pub(crate) fn resume(file: &'a dyn ReadAt, end: u64, ahead: usize, seen: Seen) -> Self {
        Self { file, end, ahead, seen }
    }

    /// Whether `at` was read already.
    pub(super) fn holds(&self, at: u64) -> bool {
        self.seen.holds(at)
    }

    /// What it saw last.
    pub(crate) fn into_seen(self) -> Seen {
        self.seen
    }

    /// `length` bytes at `at`; fewer at the end.
    pub(crate) fn get(&mut self, at: u64, length: usize) -> io::Result<&[u8]> {
        let wanted = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX).min(length);
        let Seen { at: start, bytes } = &mut self.seen;
        let held = at >= *start && at + wanted as u64 <= *start + bytes.len() as u64;
        if !held {
            let left = usize::try_from(self.end.saturating_sub(at)).unwrap_or(usize::MAX);
            bytes.resize(wanted.max(self.ahead).min(left), 0);
            let read = self.file.read_at(at, bytes);
            // After a failed read nothing is held.
            bytes.truncate(*read.as_ref().unwrap_or(&0));
            *start = at;
            read?;
        }
        let from = usize::try_from(at - *start).unwrap_or(usize::MAX);
        let to = from.saturating_add(wanted).min(bytes.len());
        Ok(bytes.get(from..to).unwrap_or_default())
    }

    /// What stands at `at`, and how long it is; nothing is checked but group headers.
    pub(crate) fn step(&mut self, at: u64) -> io::Result<Step> {
        let bytes = self.get(at, FRAME_HEADER_BYTES)?;
        if bytes.starts_with(GROUP_MAGIC) {
            return Ok(match GroupHeader::read(bytes) {
                Some(header) if header.is_seal() => Step::Seal { bytes: SEAL_BYTES as u64 },
                Some(header) => Step::Group { first: header.first, bytes: GROUP_HEADER_BYTES as u64 },
                None => Step::End,
            });
        }
        let (Some(length), Some(seq)) =
            (bytes.first_chunk::<4>(), bytes.get(8..).and_then(|b| b.first_chunk::<8>()))
        else {
            return Ok(Step::End);
        };
        let bytes = u64::from(u32::from_le_bytes(*length)) + FRAME_HEADER_BYTES as u64;
        Ok(Step::Frame { seq: Seq::new(u64::from_le_bytes(*seq)), bytes })
    }
}

/// What stands at a place, found without checking it.
pub(crate) enum Step {
    /// A group's header.
    Group { first: Seq, bytes: u64 },
    /// A seal.
    Seal { bytes: u64 },
    /// A frame.
    Frame { seq: Seq, bytes: u64 },
    /// Nothing that goes on.
    End,
}

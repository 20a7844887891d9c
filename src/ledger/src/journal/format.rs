//! The journal's bytes. All numbers are little-endian.
//!
//! ```text
//! file    = header (96) · piece* · 0*
//! header  = "HEMOGATE" · version u16 · hash u8 · 0 u8 · number u32 · previous number u32
//!         · previous end u64 · first seq u64 · made at u64 (ms) · chain so far [32] · 0 [16] · crc u32
//! piece   = group | seal
//! group   = "HGGR" · entries u32 (≥ 1) · bytes u32 · first seq u64 · crc u32 · frame*     one write, one fdatasync
//! frame   = length u32 · crc u32 · seq u64 · at u64 (ms) · previous entry's hash [32] · body (CBOR: by, what)
//! seal    = "HGGR" · 0 u32 · 32 u32 · next seq u64 · crc u32 · hash of the last entry [32]
//! ```
//!
//! A header's crc covers what stands before it; a frame's covers its length and everything behind the crc.
//! An entry's hash is H(seq · at · previous hash · H(body)); the bodies of a group do not depend on each
//! other and are hashed together, and only 80 bytes an entry one after another.
//!
//! * A **group** is whole or it does not exist: its header says how long it is, and one frame that does not
//!   check out voids it all.
//! * A **seal** carries no entry. It is written when the journal rests (and at the end), after the group before
//!   it was synced: what stands before a seal, a later group or a later file was durable and is never cut.
//! * A file's header says where its predecessor **ends**. What stands behind that end was refused (its write or
//!   sync failed, or it was torn by a power cut) and is void for ever; it is left where it is. So is a seal at
//!   the very end, which may not have been synced: the new header does its work. Files that no header leads to,
//!   and a last file that holds nothing, are void as a whole.
//! * **Zeroes** may stand behind the last piece of any file. They were filled ahead, and groups are written over them:
//!   a sync then has neither a length nor blocks to make durable, which is half of a small one's time. A piece begins
//!   with no zero, so they end what is read; where anything else follows them a write was torn.
//! * A **new file** is begun at every start and after every failure; a handle that failed is never used again. Its
//!   header is synced before anything else is written to it. A last group that nothing shows to have been synced
//!   is written into it again and synced before anything new: its durability does not rest on a sync that nobody
//!   saw succeed.

use super::hash::{ChainHash, HashAlgorithm};
use crate::Seq;

/// The journal format that this version writes.
pub(crate) const FORMAT_VERSION: u16 = 1;
/// Length of a file header.
pub(crate) const FILE_HEADER_BYTES: usize = 96;
/// Length of a group header.
pub(crate) const GROUP_HEADER_BYTES: usize = 24;
/// Length of what stands before a frame's body.
pub(crate) const FRAME_HEADER_BYTES: usize = 56;
/// Length of a seal.
pub(crate) const SEAL_BYTES: usize = GROUP_HEADER_BYTES + 32;
/// The longest body of one entry.
pub(crate) const BODY_BYTES_MAX: usize = 32 << 20;
/// The longest group, without its header.
pub(crate) const GROUP_BYTES_MAX: usize = 64 << 20;

const FILE_MAGIC: &[u8; 8] = b"HEMOGATE";
/// How a group begins.
pub(crate) const GROUP_MAGIC: &[u8; 4] = b"HGGR";

/// A file's first bytes, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) hash: HashAlgorithm,
    pub(crate) number: u32,
    /// The file before it; 0 in the first.
    pub(crate) previous: u32,
    /// Where the file before it ends.
    pub(crate) previous_end: u64,
    pub(crate) first: Seq,
    pub(crate) made_at_ms: i64,
    pub(crate) chain: ChainHash,
}

/// Why bytes are no file header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderFault {
    /// Too short, or the checksum does not fit.
    #[error("the file header is damaged or was never finished")]
    Damaged,
    /// A later version wrote it.
    #[error(
        "the journal has format {0}; this version reads up to {FORMAT_VERSION}: use the hemogate that wrote it, or a later one"
    )]
    Newer(u16),
    /// Its hash function is not known.
    #[error("the journal is chained by hash function number {0}, which this version does not know")]
    UnknownHash(u8),
}

impl FileHeader {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(FILE_MAGIC);
        out.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
        out.extend_from_slice(&[self.hash.number(), 0]);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.previous.to_le_bytes());
        out.extend_from_slice(&self.previous_end.to_le_bytes());
        out.extend_from_slice(&self.first.get().to_le_bytes());
        out.extend_from_slice(&self.made_at_ms.to_le_bytes());
        out.extend_from_slice(&self.chain.0);
        out.extend_from_slice(&[0; 16]);
        let crc = crc32c::crc32c(out.get(start..).unwrap_or_default());
        out.extend_from_slice(&crc.to_le_bytes());
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, HeaderFault> {
        let header = bytes.first_chunk::<FILE_HEADER_BYTES>().ok_or(HeaderFault::Damaged)?;
        let mut fields = Fields(header);
        let parts = (|| {
            let magic = fields.take::<8>()?;
            let version = u16::from_le_bytes(fields.take()?);
            let [hash, _] = fields.take()?;
            let rest = Self {
                hash: HashAlgorithm::Sm3,
                number: u32::from_le_bytes(fields.take()?),
                previous: u32::from_le_bytes(fields.take()?),
                previous_end: u64::from_le_bytes(fields.take()?),
                first: Seq::new(u64::from_le_bytes(fields.take()?)),
                made_at_ms: i64::from_le_bytes(fields.take()?),
                chain: ChainHash(fields.take()?),
            };
            let _reserved: [u8; 16] = fields.take()?;
            Some((magic, version, hash, rest, u32::from_le_bytes(fields.take()?)))
        })();
        let (magic, version, hash, rest, crc) = parts.ok_or(HeaderFault::Damaged)?;
        let covered = header.get(..FILE_HEADER_BYTES - 4).unwrap_or_default();
        if magic != *FILE_MAGIC || crc32c::crc32c(covered) != crc {
            return Err(HeaderFault::Damaged);
        }
        if version > FORMAT_VERSION {
            return Err(HeaderFault::Newer(version));
        }
        let hash = HashAlgorithm::from_number(hash).ok_or(HeaderFault::UnknownHash(hash))?;
        Ok(Self { hash, ..rest })
    }
}

/// A group's first bytes, in words. `entries` of 0 is a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GroupHeader {
    pub(crate) entries: u32,
    pub(crate) bytes: u32,
    pub(crate) first: Seq,
}

impl GroupHeader {
    pub(crate) fn encode(self) -> [u8; GROUP_HEADER_BYTES] {
        let mut out = [0; GROUP_HEADER_BYTES];
        let parts = [
            GROUP_MAGIC.as_slice(),
            &self.entries.to_le_bytes(),
            &self.bytes.to_le_bytes(),
            &self.first.get().to_le_bytes(),
        ];
        for (to, from) in out.iter_mut().zip(parts.concat()) {
            *to = from;
        }
        let crc = crc32c::crc32c(out.get(..GROUP_HEADER_BYTES - 4).unwrap_or_default()).to_le_bytes();
        for (to, from) in out.iter_mut().rev().zip(crc.iter().rev()) {
            *to = *from;
        }
        out
    }

    /// Reads and checks one; `None` when these bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<GROUP_HEADER_BYTES>()?;
        let mut fields = Fields(header);
        let magic: [u8; 4] = fields.take()?;
        let read = Self {
            entries: u32::from_le_bytes(fields.take()?),
            bytes: u32::from_le_bytes(fields.take()?),
            first: Seq::new(u64::from_le_bytes(fields.take()?)),
        };
        let crc = u32::from_le_bytes(fields.take()?);
        let sound = magic == *GROUP_MAGIC
            && crc32c::crc32c(header.get(..GROUP_HEADER_BYTES - 4)?) == crc
            && usize::try_from(read.bytes).is_ok_and(|n| n <= GROUP_BYTES_MAX)
            && (read.entries > 0 || read.bytes == 32);
        sound.then_some(read)
    }

    pub(crate) fn is_seal(self) -> bool {
        self.entries == 0
    }

    /// Length with the header.
    pub(crate) fn total_bytes(self) -> u64 {
        u64::from(self.bytes) + GROUP_HEADER_BYTES as u64
    }
}

/// Writes a seal.
pub(crate) fn write_seal(next: Seq, chain: ChainHash, out: &mut Vec<u8>) {
    out.extend_from_slice(&GroupHeader { entries: 0, bytes: 32, first: next }.encode());
    out.extend_from_slice(&chain.0);
}

/// One frame, as it stands in the journal; its checksum fits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) seq: Seq,
    pub(crate) at_ms: i64,
    pub(crate) previous: ChainHash,
    pub(crate) body: &'a [u8],
}

/// What the committer knows of an entry when it writes it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) seq: Seq,
    pub(crate) at_ms: i64,
    pub(crate) previous: ChainHash,
}

impl Stamp {
    /// The hash of the entry whose body has the hash `body`.
    pub(crate) fn link(self, algorithm: HashAlgorithm, body: ChainHash) -> ChainHash {
        let (seq, at) = (self.seq.get().to_le_bytes(), self.at_ms.to_le_bytes());
        algorithm.of(&[&seq, &at, &self.previous.0, &body.0])
    }
}

impl<'a> Frame<'a> {
    /// Appends the frame of an entry. `body` is at most [`BODY_BYTES_MAX`] long.
    pub(crate) fn write(stamp: Stamp, body: &[u8], out: &mut Vec<u8>) {
        let length = u32::try_from(body.len()).unwrap_or(u32::MAX).to_le_bytes();
        out.extend_from_slice(&length);
        let crc_at = out.len();
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&stamp.seq.get().to_le_bytes());
        out.extend_from_slice(&stamp.at_ms.to_le_bytes());
        out.extend_from_slice(&stamp.previous.0);
        out.extend_from_slice(body);
        let crc = Self::checksum(length, out.get(crc_at + 4..).unwrap_or_default()).to_le_bytes();
        if let Some(place) = out.get_mut(crc_at..crc_at + 4) {
            place.copy_from_slice(&crc);
        }
    }

    fn checksum(length: [u8; 4], rest: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&length), rest)
    }

    /// Splits the first frame off `bytes`, checked; `None` when there is none or its checksum does not fit.
    pub(crate) fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let header = bytes.first_chunk::<FRAME_HEADER_BYTES>()?;
        let mut fields = Fields(header);
        let length: [u8; 4] = fields.take()?;
        let crc = u32::from_le_bytes(fields.take()?);
        let seq = Seq::new(u64::from_le_bytes(fields.take()?));
        let at_ms = i64::from_le_bytes(fields.take()?);
        let previous = ChainHash(fields.take()?);
        let total = FRAME_HEADER_BYTES.checked_add(usize::try_from(u32::from_le_bytes(length)).ok()?)?;
        let (frame, rest) = bytes.split_at_checked(total)?;
        let covered = frame.get(8..)?;
        let body = frame.get(FRAME_HEADER_BYTES..)?;
        (Self::checksum(length, covered) == crc).then_some((Self { seq, at_ms, previous, body }, rest))
    }

    /// Its own hash.
    pub(crate) fn hash(&self, algorithm: HashAlgorithm) -> ChainHash {
        let stamp = Stamp { seq: self.seq, at_ms: self.at_ms, previous: self.previous };
        stamp.link(algorithm, algorithm.of(&[self.body]))
    }
}

/// Fixed-size fields off the front of a slice.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header() -> FileHeader {
        FileHeader {
            hash: HashAlgorithm::Sha256,
            number: 7,
            previous: 5,
            previous_end: 1234,
            first: Seq::new(99),
            made_at_ms: -5,
            chain: ChainHash([9; 32]),
        }
    }

    #[test]
    fn a_file_header_reads_back_and_no_damaged_byte_passes() {
        let mut bytes = Vec::new();
        header().write(&mut bytes);
        assert_eq!(bytes.len(), FILE_HEADER_BYTES);
        assert_eq!(FileHeader::read(&bytes), Ok(header()));
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            assert_eq!(FileHeader::read(&damaged), Err(HeaderFault::Damaged), "byte {at}");
        }
    }

    #[test]
    fn a_later_format_is_named_and_not_guessed() {
        let mut bytes = Vec::new();
        header().write(&mut bytes);
        bytes[8] = 9;
        let crc = crc32c::crc32c(&bytes[..FILE_HEADER_BYTES - 4]).to_le_bytes();
        bytes[FILE_HEADER_BYTES - 4..].copy_from_slice(&crc);
        assert_eq!(FileHeader::read(&bytes), Err(HeaderFault::Newer(9)));
    }

    proptest! {
        #[test]
        fn a_frame_reads_back_and_no_damaged_byte_passes(
            seq: u64, at_ms: i64, prev: [u8; 32], body in prop::collection::vec(any::<u8>(), 0..80), flip in 0usize..200,
        ) {
            let stamp = Stamp { seq: Seq::new(seq), at_ms, previous: ChainHash(prev) };
            let mut bytes = Vec::new();
            Frame::write(stamp, &body, &mut bytes);
            bytes.extend_from_slice(b"behind");
            let (frame, rest) = Frame::split(&bytes).unwrap();
            prop_assert_eq!((frame.seq, frame.at_ms, frame.previous, frame.body), (stamp.seq, at_ms, stamp.previous, &body[..]));
            prop_assert_eq!(rest, b"behind");
            let at = flip % (FRAME_HEADER_BYTES + body.len());
            bytes[at] ^= 1;
            prop_assert!(Frame::split(&bytes).is_none());
        }

        #[test]
        fn a_group_header_reads_back_and_no_damaged_byte_passes(entries in 1u32.., bytes in 0u32..1000, first: u64, at in 0..GROUP_HEADER_BYTES) {
            let header = GroupHeader { entries, bytes, first: Seq::new(first) };
            let mut encoded = header.encode();
            prop_assert_eq!(GroupHeader::read(&encoded), Some(header));
            encoded[at] ^= 0x80;
            prop_assert_eq!(GroupHeader::read(&encoded), None);
        }
    }
}

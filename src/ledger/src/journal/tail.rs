//! Where the journal ends: at the last whole group.

use super::format::{FILE_HEADER_BYTES, GROUP_BYTES_MAX, SEAL_BYTES};
use super::hash::ChainHash;
use super::layout::{Damage, FileSpan};
use super::recover::CutTail;
use super::scan::{Check, Piece, ScanError, Scanner, holds_later_group, written_end};
use crate::Seq;
use crate::storage::ReadAt;
use std::io;

/// The last group, when nothing behind it shows that it was synced.
#[derive(Debug, Clone)]
pub(crate) struct Unsealed {
    pub(crate) at: u64,
    pub(crate) first: Seq,
    pub(crate) chain_before: ChainHash,
    /// Header and frames.
    pub(crate) bytes: Vec<u8>,
}

/// What the last file ends in.
#[derive(Debug)]
pub(crate) struct TailScan {
    /// One past the last whole piece.
    pub(crate) end: u64,
    /// One past the last whole group: a seal behind it may itself not have been synced.
    pub(crate) groups_end: u64,
    pub(crate) next: Seq,
    pub(crate) chain: ChainHash,
    /// Whether any group or seal stands in the file.
    pub(crate) holds_any: bool,
    pub(crate) unsealed: Option<Unsealed>,
    pub(crate) tail: Option<CutTail>,
}

/// Why the end cannot be found.
#[derive(Debug)]
pub(crate) enum TailError {
    Io(io::Error),
    Damage(Damage),
}

impl TailScan {
    /// Reads the last file.
    pub(crate) fn read(file: &dyn ReadAt, span: &FileSpan) -> Result<Self, TailError> {
        let header = &span.header;
        let range = FILE_HEADER_BYTES as u64..span.end;
        let mut scanner =
            Scanner::new(file, range, (header.hash, Check::Chain), (header.first, header.chain));
        let mut unsealed = None;
        let mut groups_end = FILE_HEADER_BYTES as u64;
        let broken = loop {
            match scanner.piece() {
                Ok(Some(Piece::Group(group))) => {
                    unsealed = Some((group.at, group.header.first, group.chain_before, group.bytes.len()));
                    groups_end = group.at + group.bytes.len() as u64;
                }
                Ok(Some(Piece::Seal)) => unsealed = None,
                Ok(None) => break None,
                Err(ScanError::Io(error)) => return Err(TailError::Io(error)),
                Err(ScanError::Broken(broken)) => break Some(broken),
            }
        };
        let end = scanner.offset();
        let holds_any = end > FILE_HEADER_BYTES as u64;
        let (next, chain) = scanner.expected();
        // Zeroes at the end were filled ahead, and nothing was written over them that is still there.
        let written_end = written_end(file, end..span.end).map_err(TailError::Io)?;
        let tail = match broken.filter(|_| written_end > end) {
            None => None,
            Some(broken) => {
                let bytes = written_end - end;
                let later = holds_later_group(file, end + 1..span.end, next).map_err(TailError::Io)?;
                if later.is_some() || bytes > (GROUP_BYTES_MAX + SEAL_BYTES) as u64 {
                    let damage =
                        Damage { file: span.name(), offset: broken.at, seq: broken.seq, what: broken.why };
                    return Err(TailError::Damage(damage));
                }
                // Its write began after the sync of the group before it.
                unsealed = None;
                Some(CutTail { file: header.number, offset: end, bytes })
            }
        };
        let unsealed = match unsealed {
            None => None,
            Some((at, first, chain_before, length)) => {
                let mut bytes = vec![0; length];
                let read = file.read_at(at, &mut bytes).map_err(TailError::Io)?;
                (read == length).then_some(Unsealed { at, first, chain_before, bytes })
            }
        };
        Ok(Self { end, groups_end, next, chain, holds_any, unsealed, tail })
    }
}

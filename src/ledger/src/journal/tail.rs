//! Where the journal ends: at the last whole group.

use super::format::{FILE_HEADER_BYTES, GROUP_BYTES_MAX, SEAL_BYTES};
use super::hash::ChainHash;
use super::layout::{Damage, FileSpan};
use super::scan::{Check, Piece, ScanError, Scanner, holds_later_group};
use crate::Seq;
use crate::storage::ReadAt;
use std::io;

/// Bytes at the end that are no whole group: a write that a power cut tore, which nobody was told of.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Tail {
    pub(crate) file: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
}

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
    pub(crate) next: Seq,
    pub(crate) chain: ChainHash,
    pub(crate) unsealed: Option<Unsealed>,
    pub(crate) tail: Option<Tail>,
}

/// Why the end cannot be found.
#[derive(Debug)]
pub(crate) enum TailError {
    Io(io::Error),
    Damage(Damage),
}

impl TailScan {
    /// Reads the last file; calls `each` for every whole group.
    pub(crate) fn read(file: &dyn ReadAt, span: &FileSpan) -> Result<Self, TailError> {
        let header = &span.header;
        let range = FILE_HEADER_BYTES as u64..span.end;
        let mut scanner =
            Scanner::new(file, range, (header.hash, Check::Chain), (header.first, header.chain));
        let mut unsealed = None;
        let broken = loop {
            match scanner.piece() {
                Ok(Some(Piece::Group(group))) => {
                    unsealed = Some((group.at, group.header.first, group.chain_before, group.bytes.len()));
                }
                Ok(Some(Piece::Seal)) => unsealed = None,
                Ok(None) => break None,
                Err(ScanError::Io(error)) => return Err(TailError::Io(error)),
                Err(ScanError::Broken(broken)) => break Some(broken),
            }
        };
        let end = scanner.offset();
        let (next, chain) = scanner.expected();
        let tail = match broken {
            None => None,
            Some(broken) => {
                let bytes = span.end - end;
                let later = holds_later_group(file, end + 1..span.end, next).map_err(TailError::Io)?;
                if later.is_some() || bytes > (GROUP_BYTES_MAX + SEAL_BYTES) as u64 {
                    let damage =
                        Damage { file: span.name(), offset: broken.at, seq: broken.seq, what: broken.why };
                    return Err(TailError::Damage(damage));
                }
                // Its write began after the sync of the group before it.
                unsealed = None;
                Some(Tail { file: header.number, offset: end, bytes })
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
        Ok(Self { end, next, chain, unsealed, tail })
    }
}

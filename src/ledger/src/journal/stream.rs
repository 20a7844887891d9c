//! Entries in order.

use super::hash::ChainHash;
use super::index::{Index, JournalError};
use super::layout::{Damage, file_name};
use super::scan::{Check, Piece, ScanError, Scanner};
use crate::{Entry, Seq, encode};
use std::sync::Arc;

/// An entry and the hash of the one before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The entry.
    pub entry: Entry,
    /// The hash that chains it to the entry before it; zero in the first.
    pub previous: ChainHash,
}

/// Entries in order, each group checked against its checksums. At the end it gives nothing, and goes on when
/// asked again after more was written.
pub struct Stream {
    index: Arc<Index>,
    next: Seq,
    /// File number, place of the next group, and its first entry.
    at: Option<(u32, u64, Seq)>,
    ready: std::vec::IntoIter<Line>,
}

impl Stream {
    pub(super) fn new(index: Arc<Index>, from: Seq) -> Self {
        let next = from.max(Seq::new(1));
        Self { index, next, at: None, ready: Vec::new().into_iter() }
    }

    /// Reads the next group that holds wanted entries; false at the end.
    fn fill(&mut self) -> Result<bool, JournalError> {
        loop {
            let Some((slot, file)) = self.index.slot(self.next)? else {
                return Ok(false);
            };
            let number = slot.header.number;
            let (at, first) = match self.at {
                Some((n, at, first)) if n == number => (at, first),
                Some(_) | None => slot.group_before(file.as_ref(), self.next)?,
            };
            let checks = (slot.header.hash, Check::Checksums);
            let mut scanner =
                Scanner::new(file.as_ref(), at..slot.end(), checks, (first, ChainHash::default()));
            let damage = |offset, seq, what| Damage { file: file_name(number), offset, seq, what };
            let ready = match scanner.piece() {
                Ok(Some(Piece::Group(group))) => {
                    let wanted = group.frames().filter(|(_, frame)| frame.seq >= self.next);
                    let read = wanted.map(|(at, frame)| {
                        let entry = encode::entry(&frame).map_err(|why| damage(at, frame.seq, why))?;
                        Ok::<_, Damage>(Line { entry, previous: frame.previous })
                    });
                    read.collect::<Result<Vec<_>, _>>()?
                }
                Ok(Some(Piece::Seal)) => Vec::new(),
                Ok(None) => {
                    return Err(damage(at, self.next, "the file ends before this entry".to_owned()).into());
                }
                Err(ScanError::Io(error)) => return Err(error.into()),
                Err(ScanError::Broken(b)) => return Err(damage(b.at, b.seq, b.why).into()),
            };
            self.at = Some((number, scanner.offset(), scanner.expected().0));
            if let Some(last) = ready.last() {
                self.next = last.entry.seq.next();
                self.ready = ready.into_iter();
                return Ok(true);
            }
        }
    }
}

impl Iterator for Stream {
    type Item = Result<Line, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(line) = self.ready.next() {
            return Some(Ok(line));
        }
        match self.fill() {
            Ok(true) => self.ready.next().map(Ok),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("next", &self.next).finish_non_exhaustive()
    }
}

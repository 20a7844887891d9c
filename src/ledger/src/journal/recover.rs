//! Finding a journal's state without changing a byte of it.

use super::format::{FILE_HEADER_BYTES, HeaderFault};
use super::hash::{ChainHash, HashAlgorithm};
use super::index::Index;
use super::layout::{Damage, FileSpan, Layout, LayoutError, VoidFile};
use super::scan::{Check, ScanError, Scanner};
use super::tail::{TailError, TailScan, Unsealed};
use super::writer::{FileSizes, Writer};
use crate::Seq;
use crate::storage::Storage;
use serde::Serialize;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// Journals up to this size are checked whole at every start. Of longer ones the last file is checked at the
/// start, the rest by `verify` (and every entry whenever it is read).
pub(crate) const CHECK_AT_START_BYTES_MAX: u64 = 256 << 20;

/// Bytes at the journal's end that are no whole group: a write that a power cut tore. Nobody was told that they
/// are durable. They stay where they stand and are never read as entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CutTail {
    /// Number of the file.
    pub file: u32,
    /// First of them.
    pub offset: u64,
    /// How many.
    pub bytes: u64,
}

/// Why a journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RecoverError {
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Damage(#[from] Damage),
    #[error("journal file {file}: {why}")]
    Foreign { file: String, why: HeaderFault },
}

impl From<LayoutError> for RecoverError {
    fn from(error: LayoutError) -> Self {
        match error {
            LayoutError::Io(error) => Self::Io(error),
            LayoutError::Damage(damage) => Self::Damage(damage),
            LayoutError::Foreign { file, why } => Self::Foreign { file, why },
        }
    }
}

impl From<TailError> for RecoverError {
    fn from(error: TailError) -> Self {
        match error {
            TailError::Io(error) => Self::Io(error),
            TailError::Damage(damage) => Self::Damage(damage),
        }
    }
}

/// A journal as it was found.
pub(crate) struct Recovered {
    storage: Arc<dyn Storage>,
    folder: PathBuf,
    files: Vec<FileSpan>,
    pub(crate) void: Vec<VoidFile>,
    pub(crate) tail: Option<CutTail>,
    pub(crate) algorithm: HashAlgorithm,
    pub(super) highest: u32,
    /// The last file and where it is to end.
    pub(super) previous: (u32, u64),
    pub(super) next: Seq,
    pub(super) chain: ChainHash,
    /// The last group, when nothing behind it shows that it was synced.
    pub(super) carry: Option<Unsealed>,
}

impl Recovered {
    /// Reads the journal in `folder`; a new one would be chained by `algorithm`. `progress` hears of bytes
    /// checked and bytes to check.
    pub(crate) fn read(
        storage: &Arc<dyn Storage>,
        folder: PathBuf,
        algorithm: HashAlgorithm,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, RecoverError> {
        let layout = Layout::read(storage.as_ref(), &folder)?;
        let mut found = Self {
            storage: Arc::clone(storage),
            folder,
            files: layout.files,
            void: layout.void,
            tail: None,
            algorithm,
            highest: layout.highest,
            previous: (0, 0),
            next: Seq::new(1),
            chain: ChainHash::default(),
            carry: None,
        };
        if let Some((span, scan)) = settle(storage.as_ref(), &mut found.files, &mut found.void)? {
            span.end = scan.end;
            found.algorithm = span.header.hash;
            found.previous = (span.header.number, scan.unsealed.as_ref().map_or(scan.groups_end, |u| u.at));
            (found.next, found.chain) = (scan.next, scan.chain);
            (found.tail, found.carry) = (scan.tail, scan.unsealed);
        }
        check_closed(storage.as_ref(), &found.files, progress)?;
        Ok(found)
    }

    /// The last entry.
    pub(crate) fn last(&self) -> Seq {
        Seq::new(self.next.get().saturating_sub(1))
    }

    /// The journal for readers.
    pub(crate) fn index(&self) -> Arc<Index> {
        Index::new(Arc::clone(&self.storage), &self.files, self.next)
    }

    /// The journal for its one writer, which will begin a new file.
    pub(crate) fn writer(self, index: Arc<Index>, sizes: FileSizes) -> Writer {
        Writer::new((Arc::clone(&self.storage), self.folder.clone()), index, sizes, self)
    }
}

/// Finds the file that the journal ends in, and its end. A file that was begun and holds nothing yet does not
/// count, nor does what its header says of its predecessor's end: a group that it was to take over may still
/// stand there.
pub(super) fn settle<'f>(
    storage: &dyn Storage,
    files: &'f mut Vec<FileSpan>,
    void: &mut Vec<VoidFile>,
) -> Result<Option<(&'f mut FileSpan, TailScan)>, RecoverError> {
    while let Some(span) = files.last() {
        let reader = storage.open_read(&span.path)?;
        let scan = TailScan::read(reader.as_ref(), span)?;
        if scan.holds_any {
            return Ok(files.last_mut().map(|span| (span, scan)));
        }
        void.push(VoidFile { name: span.name(), bytes: span.length });
        files.pop();
        if let Some(before) = files.last_mut() {
            before.end = before.length;
        }
    }
    Ok(None)
}

/// Checks every file but the last, unless that would take too long for a start.
fn check_closed(
    storage: &dyn Storage,
    files: &[FileSpan],
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), RecoverError> {
    let Some((_, closed)) = files.split_last() else { return Ok(()) };
    let of: u64 = closed.iter().map(|f| f.end).sum();
    if of > CHECK_AT_START_BYTES_MAX {
        return Ok(());
    }
    let mut done = 0;
    for (span, next) in closed.iter().zip(files.iter().skip(1)) {
        let file = storage.open_read(&span.path)?;
        let mut scanner = Scanner::new(
            file.as_ref(),
            FILE_HEADER_BYTES as u64..span.end,
            (span.header.hash, Check::Chain),
            (span.header.first, span.header.chain),
        );
        let damage = |offset, seq, what| Damage { file: span.name(), offset, seq, what };
        loop {
            match scanner.piece() {
                Ok(Some(_)) => {}
                Ok(None) => break,
                Err(ScanError::Io(error)) => return Err(error.into()),
                Err(ScanError::Broken(b)) => return Err(damage(b.at, b.seq, b.why).into()),
            }
        }
        if scanner.expected() != (next.header.first, next.header.chain) {
            return Err(damage(span.end, scanner.expected().0, does_not_join(&next.name())).into());
        }
        done += span.end;
        progress(done, of);
    }
    Ok(())
}

pub(super) fn does_not_join(next: &str) -> String {
    format!("file {next} does not go on where this one ends")
}

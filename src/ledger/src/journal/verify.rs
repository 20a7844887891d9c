//! Checking every byte of a journal, and going on behind damage to name all of it.

use super::format::{FILE_HEADER_BYTES, Frame, GROUP_HEADER_BYTES, GroupHeader, SEAL_BYTES, write_seal};
use super::hash::ChainHash;
use super::layout::{Damage, FileSpan, Layout};
use super::recover::{CutTail, RecoverError, does_not_join, settle};
use super::scan::{Broken, Check, Piece, ScanError, Scanner, Window, holds_later_group, written_end};
use crate::storage::{ReadAt, Storage};
use crate::{Seq, encode};
use serde::Serialize;
use std::path::Path;

/// Damaged places that are named; of more only the number is told.
pub(crate) const DAMAGE_NAMED_MAX: usize = 100;

/// What a journal is like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct JournalReport {
    /// Files read.
    pub files: usize,
    /// Bytes read.
    pub bytes: u64,
    /// Sound entries.
    pub entries: u64,
    /// The last of them.
    pub last: Seq,
    /// The hash of the last one: noted elsewhere, it anchors everything before it.
    pub chain: ChainHash,
    /// What is damaged: the first 100 places.
    pub damage: Vec<Damage>,
    /// Number of damaged places.
    pub damaged_places: usize,
    /// Bytes at the end that are no whole group; the next start leaves them behind.
    pub tail: Option<CutTail>,
    /// Bytes that are no part of the journal: groups that were refused when they were written, files given up,
    /// seals that a next file has made needless, zeroes that were filled ahead.
    pub void_bytes: u64,
}

impl JournalReport {
    fn damaged(&mut self, damage: Damage) {
        self.damaged_places += 1;
        if self.damage.len() < DAMAGE_NAMED_MAX {
            self.damage.push(damage);
        }
    }
}

/// Checks the journal in `folder`: headers, checksums, sequence numbers, the chain, and that every entry can be
/// read. `progress` hears of bytes checked and bytes to check.
pub(crate) fn verify_journal(
    storage: &dyn Storage,
    folder: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<JournalReport, RecoverError> {
    let mut report = JournalReport::default();
    let mut layout = match Layout::read(storage, folder).map_err(RecoverError::from) {
        Ok(layout) => layout,
        Err(RecoverError::Damage(damage)) => {
            report.damaged(damage);
            return Ok(report);
        }
        Err(error) => return Err(error),
    };
    match settle(storage, &mut layout.files, &mut layout.void) {
        Ok(Some((file, found))) => {
            file.end = found.end;
            report.tail = found.tail;
        }
        // Damage in the last file is found again below, with its place.
        Ok(None) | Err(RecoverError::Damage(_)) => {}
        Err(error) => return Err(error),
    }
    let of: u64 = layout.files.iter().map(|f| f.end).sum();
    report.void_bytes = layout.void.iter().map(|v| v.bytes).sum();
    // Behind the end of the last file stand what was torn and what was filled ahead.
    let closed = layout.files.iter().rev().skip(1);
    report.void_bytes += closed.map(|f| f.length - f.end).sum::<u64>();
    for (number, span) in layout.files.iter().enumerate() {
        let is_last = number + 1 == layout.files.len();
        let ended = verify_file(storage, (span, is_last), &mut report)?;
        if let Some(damage) = ended.map(|ended| superseded_seal(storage, span, ended)).transpose()?.flatten()
        {
            report.damaged(damage);
        }
        if let Some(next) = layout.files.get(number + 1)
            && ended.is_some_and(|ended| ended != (next.header.first, next.header.chain))
        {
            let seq = ended.map_or(Seq::NONE, |(seq, _)| seq);
            report.damaged(Damage {
                file: span.name(),
                offset: span.end,
                seq,
                what: does_not_join(&next.name()),
            });
        }
        report.files += 1;
        report.bytes += span.end;
        progress(report.bytes, of);
    }
    Ok(report)
}

/// What comes behind a file: the next sequence number and the hash it must be chained to.
type Ended = (Seq, ChainHash);

/// Checks one file; nothing when its end is damaged. The last one may end in zeroes that were filled ahead.
fn verify_file(
    storage: &dyn Storage,
    (span, is_last): (&FileSpan, bool),
    report: &mut JournalReport,
) -> Result<Option<Ended>, RecoverError> {
    let file = storage.open_read(&span.path)?;
    let checks = (span.header.hash, Check::Chain);
    let mut from = FILE_HEADER_BYTES as u64;
    let mut expected = (span.header.first, span.header.chain);
    loop {
        let mut scanner = Scanner::new(file.as_ref(), from..span.end, checks, expected);
        let broken = match read_on(&mut scanner, span, report) {
            Ok(()) => {
                let ended = scanner.expected();
                report.last = Seq::new(ended.0.get().saturating_sub(1));
                report.chain = ended.1;
                return Ok(Some(ended));
            }
            Err(ScanError::Io(error)) => return Err(error.into()),
            Err(ScanError::Broken(broken)) => broken,
        };
        if is_last && written_end(file.as_ref(), scanner.offset()..span.end)? == scanner.offset() {
            return Ok(None);
        }
        let behind = scanner.offset() + 1..span.end;
        let resumed = holds_later_group(file.as_ref(), behind, broken.seq)?;
        let resumed =
            resumed.map(|at| Ok::<_, std::io::Error>((at, expected_at(file.as_ref(), at, span.end)?)));
        let resumed = resumed.transpose()?;
        let lost = resumed.as_ref().and_then(|(_, e)| e.as_ref()).map(|e| e.0);
        report.damaged(named(span, &broken, lost));
        match resumed {
            Some((at, Some(next))) => (from, expected) = (at, next),
            Some((_, None)) | None => return Ok(None),
        }
    }
}

/// Behind the end of a file that was closed in order stand its last seal and zeroes that were filled ahead. The next
/// file's header does the seal's work; still, bytes that are neither that seal nor a torn one were changed by somebody.
fn superseded_seal(
    storage: &dyn Storage,
    span: &FileSpan,
    ended: Ended,
) -> Result<Option<Damage>, RecoverError> {
    let seal_end = span.end + SEAL_BYTES as u64;
    let file = storage.open_read(&span.path)?;
    let behind = written_end(file.as_ref(), span.end..span.length)?;
    if span.length < seal_end || behind < span.end + GROUP_HEADER_BYTES as u64 || behind > seal_end {
        return Ok(None);
    }
    let mut expected = Vec::new();
    write_seal(ended.0, ended.1, &mut expected);
    let mut found = vec![0; SEAL_BYTES];
    file.read_at(span.end, &mut found)?;
    // The beginning of a group that was torn.
    if GroupHeader::read(&found).is_some_and(|header| !header.is_seal()) {
        return Ok(None);
    }
    let same = found.iter().zip(&expected).take_while(|(a, b)| a == b).count();
    let torn = found.iter().skip(same).all(|byte| *byte == 0);
    let what = || "the seal behind the file's end was changed; no entry is touched".to_owned();
    Ok((!torn).then(|| Damage { file: span.name(), offset: span.end, seq: ended.0, what: what() }))
}

fn named(span: &FileSpan, broken: &Broken, goes_on: Option<Seq>) -> Damage {
    let reach = match goes_on {
        Some(next) => format!("the next sound entry is {next}"),
        None => "nothing sound follows in this file".to_owned(),
    };
    Damage { file: span.name(), offset: broken.at, seq: broken.seq, what: format!("{}; {reach}", broken.why) }
}

fn read_on(scanner: &mut Scanner<'_>, span: &FileSpan, report: &mut JournalReport) -> Result<(), ScanError> {
    while let Some(piece) = scanner.piece()? {
        let Piece::Group(group) = piece else { continue };
        for (at, frame) in group.frames() {
            match encode::entry(&frame) {
                Ok(_) => report.entries += 1,
                Err(what) => {
                    report.damaged(Damage { file: span.name(), offset: at, seq: frame.seq, what });
                }
            }
        }
    }
    Ok(())
}

/// What a group or seal at `at` says it follows.
fn expected_at(file: &dyn ReadAt, at: u64, end: u64) -> std::io::Result<Option<Ended>> {
    let mut window = Window::new(file, end, 4096);
    let Some(header) = GroupHeader::read(window.get(at, GROUP_HEADER_BYTES)?) else { return Ok(None) };
    let length = usize::try_from(header.total_bytes()).unwrap_or(usize::MAX);
    let contents = window.get(at, length)?.get(GROUP_HEADER_BYTES..).unwrap_or_default();
    let previous = if header.is_seal() {
        contents.first_chunk::<32>().map(|hash| ChainHash(*hash))
    } else {
        Frame::split(contents).map(|(frame, _)| frame.previous)
    };
    Ok(Some((header.first, previous.unwrap_or_default())))
}

//! Where each entry stands: a sparse index in memory, made as the journal grows or when a file is first asked for.

use super::format::{FILE_HEADER_BYTES, FileHeader, Frame};
use super::hash::HashAlgorithm;
use super::layout::{Damage, FileSpan, file_name};
use super::scan::{Check, Piece, ScanError, Scanner, Step, Window};
use crate::storage::{ReadAt, Storage};
use crate::sync::lock;
use crate::{Entry, Seq, encode};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// One point of the index for so many bytes of journal.
const POINT_EVERY_BYTES: u64 = 32 << 10;
/// Files held open for reading.
const OPEN_FILES_MAX: usize = 16;

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("cannot read the journal: {0}")]
    Io(#[from] io::Error),
    /// It does not check out.
    #[error(transparent)]
    Damage(#[from] Damage),
    /// It was never written, or is not durable yet.
    #[error("there is no entry {0}")]
    NoEntry(Seq),
}

#[derive(Debug, Clone, Copy)]
struct Point {
    seq: Seq,
    at: u64,
}

#[derive(Debug)]
struct Slot {
    path: PathBuf,
    header: FileHeader,
    end: u64,
    points: Vec<Point>,
    /// `points` covers the file up to here.
    covered: u64,
}

#[derive(Debug, Default)]
struct Files {
    slots: Vec<Slot>,
    next: Seq,
}

/// The journal for readers. Shows durable entries only.
pub(crate) struct Index {
    storage: Arc<dyn Storage>,
    files: Mutex<Files>,
    open: Mutex<Vec<(u32, Arc<dyn ReadAt>)>>,
    last: AtomicU64,
}

impl Index {
    pub(crate) fn new(storage: Arc<dyn Storage>, spans: Vec<FileSpan>, next: Seq) -> Self {
        let slots = spans
            .into_iter()
            .map(|span| Slot {
                path: span.path,
                header: span.header,
                end: span.end,
                points: Vec::new(),
                covered: FILE_HEADER_BYTES as u64,
            })
            .collect();
        let last = AtomicU64::new(next.get().saturating_sub(1));
        Self { storage, files: Mutex::new(Files { slots, next }), open: Mutex::default(), last }
    }

    /// A new file goes on where the one before it ends.
    pub(crate) fn begin_file(&self, path: PathBuf, header: FileHeader) {
        let mut files = lock(&self.files);
        if let Some(last) = files.slots.last_mut() {
            last.end = header.previous_end;
            last.points.retain(|p| p.at < header.previous_end);
            last.covered = last.covered.min(header.previous_end);
        }
        let start = FILE_HEADER_BYTES as u64;
        files.slots.push(Slot { path, header, end: start, points: Vec::new(), covered: start });
    }

    /// The last file was synced up to `end`; `next` comes next.
    pub(crate) fn extend(&self, end: u64, next: Seq) {
        let mut files = lock(&self.files);
        files.next = next;
        if let Some(last) = files.slots.last_mut() {
            last.end = end;
        }
        self.last.store(next.get().saturating_sub(1), Ordering::Release);
    }

    /// The last durable entry.
    pub(crate) fn last(&self) -> Seq {
        Seq::new(self.last.load(Ordering::Acquire))
    }

    /// Bytes of all files.
    pub(crate) fn total_bytes(&self) -> u64 {
        lock(&self.files).slots.iter().map(|s| s.end).sum()
    }

    /// The entry at `seq`, checked.
    pub(crate) fn entry(&self, seq: Seq) -> Result<Entry, JournalError> {
        let (number, path, end, mut at) = {
            let mut files = lock(&self.files);
            if seq == Seq::NONE || seq >= files.next {
                return Err(JournalError::NoEntry(seq));
            }
            let found = files.slots.partition_point(|s| s.header.first <= seq).checked_sub(1);
            let slot = found.and_then(|i| files.slots.get_mut(i)).ok_or(JournalError::NoEntry(seq))?;
            if slot.covered < slot.end {
                let file = self.reader(slot.header.number, &slot.path)?;
                slot.cover(file.as_ref())?;
            }
            let before = slot.points.partition_point(|p| p.seq <= seq).checked_sub(1);
            let at = before.and_then(|i| slot.points.get(i)).map_or(FILE_HEADER_BYTES as u64, |p| p.at);
            (slot.header.number, slot.path.clone(), slot.end, at)
        };
        let file = self.reader(number, &path)?;
        let mut window = Window::new(file.as_ref(), end);
        let damaged = |at: u64, what: &str| {
            JournalError::Damage(Damage { file: file_name(number), offset: at, seq, what: what.to_owned() })
        };
        while at < end {
            match window.step(at)? {
                Step::Skip(bytes) => at += bytes,
                Step::Frame { seq: here, bytes } if here < seq => at += bytes,
                Step::Frame { bytes, .. } => {
                    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
                    let frame = Frame::split(window.get(at, length)?).map(|(frame, _)| frame);
                    let frame = frame.filter(|f| f.seq == seq);
                    let frame = frame.ok_or_else(|| damaged(at, "the entry's checksum does not fit"))?;
                    return encode::entry(&frame).map_err(|why| damaged(at, &why));
                }
                Step::End => break,
            }
        }
        Err(damaged(at, "the entry is not where it should be"))
    }

    /// Entries from `from` on, up to the last that is durable now.
    pub(crate) fn stream(self: &Arc<Self>, from: Seq) -> Stream {
        Stream { index: Arc::clone(self), next: from, at: None, ready: Vec::new().into_iter() }
    }

    fn reader(&self, number: u32, path: &std::path::Path) -> io::Result<Arc<dyn ReadAt>> {
        let mut open = lock(&self.open);
        if let Some(found) = open.iter().position(|(n, _)| *n == number) {
            let held = open.remove(found);
            let file = Arc::clone(&held.1);
            open.push(held);
            return Ok(file);
        }
        let file: Arc<dyn ReadAt> = Arc::from(self.storage.open_read(path)?);
        if open.len() >= OPEN_FILES_MAX {
            open.remove(0);
        }
        open.push((number, Arc::clone(&file)));
        Ok(file)
    }

    /// The file that holds `seq`, and a place in it at a group's start, at or before `seq`.
    fn group_place(&self, seq: Seq) -> Result<Option<Place>, JournalError> {
        let files = lock(&self.files);
        if seq >= files.next {
            return Ok(None);
        }
        let found = files.slots.partition_point(|s| s.header.first <= seq).checked_sub(1);
        let Some(slot) = found.and_then(|i| files.slots.get(i)) else {
            return Err(JournalError::NoEntry(seq));
        };
        let file = self.reader(slot.header.number, &slot.path)?;
        Ok(Some(Place {
            file,
            number: slot.header.number,
            algorithm: slot.header.hash,
            at: FILE_HEADER_BYTES as u64,
            end: slot.end,
            first: slot.header.first,
        }))
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("last", &self.last()).finish_non_exhaustive()
    }
}

impl Slot {
    fn cover(&mut self, file: &dyn ReadAt) -> io::Result<()> {
        let mut window = Window::new(file, self.end);
        while self.covered < self.end {
            match window.step(self.covered)? {
                Step::Skip(bytes) => self.covered += bytes,
                Step::Frame { seq, bytes } => {
                    let due = self.points.last().is_none_or(|p| p.at + POINT_EVERY_BYTES <= self.covered);
                    if due {
                        self.points.push(Point { seq, at: self.covered });
                    }
                    self.covered += bytes;
                }
                // Damage; whoever reads there will name it.
                Step::End => self.covered = self.end,
            }
        }
        Ok(())
    }
}

struct Place {
    file: Arc<dyn ReadAt>,
    number: u32,
    algorithm: HashAlgorithm,
    at: u64,
    end: u64,
    first: Seq,
}

/// Entries in order, each group checked against its checksums.
pub(crate) struct Stream {
    index: Arc<Index>,
    next: Seq,
    /// File number, place of the next group, and its first entry.
    at: Option<(u32, u64, Seq)>,
    ready: std::vec::IntoIter<Entry>,
}

impl Stream {
    fn fill(&mut self) -> Result<bool, JournalError> {
        loop {
            let Some(place) = self.index.group_place(self.next)? else {
                return Ok(false);
            };
            let (at, first) = match self.at {
                Some((number, at, first)) if number == place.number => (at, first),
                Some(_) | None => (place.at, place.first),
            };
            let mut scanner = Scanner::new(
                place.file.as_ref(),
                at..place.end,
                (place.algorithm, Check::Checksums),
                (first, super::ChainHash::default()),
            );
            let ready = match scanner.piece() {
                Ok(Some(Piece::Group(group))) => {
                    let frames = group.frames().filter(|(_, frame)| frame.seq >= self.next);
                    let read = frames.map(|(at, frame)| {
                        encode::entry(&frame).map_err(|what| Damage {
                            file: file_name(place.number),
                            offset: at,
                            seq: frame.seq,
                            what,
                        })
                    });
                    read.collect::<Result<Vec<_>, _>>()?
                }
                Ok(Some(Piece::Seal)) => Vec::new(),
                Ok(None) => {
                    let what = "the file ends before this entry".to_owned();
                    let damage = Damage { file: file_name(place.number), offset: at, seq: self.next, what };
                    return Err(damage.into());
                }
                Err(ScanError::Io(error)) => return Err(error.into()),
                Err(ScanError::Broken(b)) => {
                    let file = file_name(place.number);
                    return Err(Damage { file, offset: b.at, seq: b.seq, what: b.why }.into());
                }
            };
            self.at = Some((place.number, scanner.offset(), scanner.expected().0));
            if let Some(last) = ready.last() {
                self.next = last.seq.next();
                self.ready = ready.into_iter();
                return Ok(true);
            }
        }
    }
}

impl Iterator for Stream {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(entry) = self.ready.next() {
            return Some(Ok(entry));
        }
        match self.fill() {
            Ok(true) => self.ready.next().map(Ok),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

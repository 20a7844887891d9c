//! Where each entry stands: sparse points in memory, taken when a file is first asked for and as it grows.
//!
//! Readers never stand in the committer's way: what it touches is a short list of files, and a file's points have
//! a lock of their own.

use super::format::{FILE_HEADER_BYTES, FileHeader, Frame};
use super::layout::{Damage, FileSpan, file_name};
use super::scan::{Seen, Step, Window};
use super::stream::Stream;
use crate::storage::{ReadAt, Storage};
use crate::sync::lock;
use crate::{Entry, Seq, encode};
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Distance of two points.
pub(crate) const POINT_EVERY_BYTES: u64 = 32 << 10;
/// Read at a time on the way from a point to an entry.
const LOOKUP_BYTES: usize = 48 << 10;
/// Read at a time where points are taken.
const COVER_BYTES: usize = 128 << 10;
/// Parts of files that a reader of many entries holds, each of [`COVER_BYTES`] at most, or one longer entry.
const PARTS_HELD_MAX: usize = 16;
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

/// An entry's frame, or a group's header.
#[derive(Debug, Clone, Copy)]
struct Point {
    seq: Seq,
    at: u64,
}

#[derive(Debug)]
struct Points {
    frames: Vec<Point>,
    groups: Vec<Point>,
    /// The file is covered up to here.
    covered: u64,
    /// The last entry on the way there.
    passed: Seq,
}

/// A file of the journal, for readers.
#[derive(Debug)]
pub(super) struct Slot {
    path: PathBuf,
    pub(super) header: FileHeader,
    end: AtomicU64,
    points: Mutex<Points>,
}

/// What a reader of many entries keeps from one to the next: the parts of files that it read lately. Entries that stand
/// near others are then read from the file once, even where a donation's results stand in several places of the day.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// By file; the one used last stands last.
    parts: VecDeque<(u32, Seen)>,
}

impl Held {
    /// The part that `at` stands in, which may just have been `read`; else an empty one, in the place of the one not used
    /// for longest.
    fn take(&mut self, file: u32, at: u64, read: Seen) -> Seen {
        let holds = |(number, seen): &(u32, Seen)| *number == file && seen.holds(at);
        if let Some((_, seen)) = self.parts.iter().position(holds).and_then(|i| self.parts.remove(i)) {
            return seen;
        }
        let full = self.parts.len() >= PARTS_HELD_MAX;
        let oldest = if full { self.parts.pop_front() } else { None };
        if read.holds(at) {
            return read;
        }
        oldest.map_or_else(Seen::default, |(_, seen)| seen.emptied())
    }

    fn put(&mut self, file: u32, seen: Seen) {
        self.parts.push_back((file, seen));
    }
}

/// A file, open.
pub(super) type Opened = (Arc<Slot>, Arc<dyn ReadAt>);

/// The journal for readers. Shows durable entries only.
pub(crate) struct Index {
    storage: Arc<dyn Storage>,
    slots: RwLock<Vec<Arc<Slot>>>,
    open: Mutex<Vec<(u32, Arc<dyn ReadAt>)>>,
    last: AtomicU64,
}

impl Slot {
    fn new(path: PathBuf, header: FileHeader, end: u64) -> Arc<Self> {
        let points = Points {
            frames: Vec::new(),
            groups: Vec::new(),
            covered: FILE_HEADER_BYTES as u64,
            passed: Seq::NONE,
        };
        Arc::new(Self { path, header, end: AtomicU64::new(end), points: Mutex::new(points) })
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Where the last known frame at or before `seq` stands, and what was read to find it.
    fn frame_before(&self, file: &dyn ReadAt, seq: Seq) -> io::Result<(u64, Seen)> {
        let mut points = lock(&self.points);
        let seen = points.cover(file, seq, self.end())?;
        let at = before(&points.frames, seq).map_or(FILE_HEADER_BYTES as u64, |point| point.at);
        Ok((at, seen))
    }

    /// Where a group stands that begins at or before `seq`, and its first entry.
    pub(super) fn group_before(&self, file: &dyn ReadAt, seq: Seq) -> io::Result<(u64, Seq)> {
        let mut points = lock(&self.points);
        points.cover(file, seq, self.end())?;
        let start = (FILE_HEADER_BYTES as u64, self.header.first);
        Ok(before(&points.groups, seq).map_or(start, |point| (point.at, point.seq)))
    }

    /// The file ends here: what is behind is void.
    fn cut(&self, end: u64) {
        let mut points = lock(&self.points);
        self.end.store(end, Ordering::Release);
        points.frames.retain(|p| p.at < end);
        points.groups.retain(|p| p.at < end);
        points.covered = points.covered.min(end);
        points.passed = points.frames.last().map_or(Seq::NONE, |p| p.seq);
    }
}

/// The last of `points` at or before `seq`.
fn before(points: &[Point], seq: Seq) -> Option<&Point> {
    points.partition_point(|point| point.seq <= seq).checked_sub(1).and_then(|i| points.get(i))
}

impl Points {
    /// Takes the points up to `seq` at least. The rest of the file waits until it is asked for: whoever stands at the
    /// lock waits for a part of it, not for all.
    fn cover(&mut self, file: &dyn ReadAt, seq: Seq, end: u64) -> io::Result<Seen> {
        let mut window = Window::new(file, end, COVER_BYTES);
        let due = |points: &[Point], at: u64| points.last().is_none_or(|p| p.at + POINT_EVERY_BYTES <= at);
        while self.covered < end {
            let at = self.covered;
            if self.passed > seq && !window.holds(at) {
                break;
            }
            match window.step(at)? {
                Step::Group { first, bytes } => {
                    if due(&self.groups, at) {
                        self.groups.push(Point { seq: first, at });
                    }
                    self.covered += bytes;
                }
                Step::Seal { bytes } => self.covered += bytes,
                Step::Frame { seq, bytes } => {
                    if due(&self.frames, at) {
                        self.frames.push(Point { seq, at });
                    }
                    self.passed = seq;
                    self.covered += bytes;
                }
                // Damage; whoever reads there will name it.
                Step::End => self.covered = end,
            }
        }
        Ok(window.into_seen())
    }
}

impl Index {
    pub(crate) fn new(storage: Arc<dyn Storage>, spans: &[FileSpan], next: Seq) -> Arc<Self> {
        let slots = spans.iter().map(|s| Slot::new(s.path.clone(), s.header.clone(), s.end)).collect();
        let last = AtomicU64::new(next.get().saturating_sub(1));
        Arc::new(Self { storage, slots: RwLock::new(slots), open: Mutex::default(), last })
    }

    /// A new file goes on where the one before it ends.
    pub(super) fn begin_file(&self, path: PathBuf, header: FileHeader) {
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = slots.last() {
            last.cut(header.previous_end);
        }
        slots.push(Slot::new(path, header, FILE_HEADER_BYTES as u64));
    }

    /// The last file was synced up to `end`; `next` comes next.
    pub(super) fn extend(&self, end: u64, next: Seq) {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = slots.last() {
            last.end.store(end, Ordering::Release);
        }
        self.last.store(next.get().saturating_sub(1), Ordering::Release);
    }

    /// The last durable entry.
    pub(crate) fn last(&self) -> Seq {
        Seq::new(self.last.load(Ordering::Acquire))
    }

    /// Bytes of all files.
    pub(crate) fn total_bytes(&self) -> u64 {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).iter().map(|s| s.end()).sum()
    }

    /// Bytes of all files between which points were taken.
    #[cfg(test)]
    pub(super) fn covered(&self) -> u64 {
        let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
        slots.iter().map(|s| lock(&s.points).covered).sum()
    }

    /// The file that holds `seq`; nothing when it is not durable yet.
    pub(super) fn slot(&self, seq: Seq) -> Result<Option<Opened>, JournalError> {
        if seq > self.last() {
            return Ok(None);
        }
        let slot = {
            let slots = self.slots.read().unwrap_or_else(PoisonError::into_inner);
            let found = slots.partition_point(|s| s.header.first <= seq).checked_sub(1);
            found.and_then(|i| slots.get(i)).map(Arc::clone)
        };
        let slot = slot.ok_or(JournalError::NoEntry(seq))?;
        let file = self.reader(slot.header.number, &slot.path)?;
        Ok(Some((slot, file)))
    }

    /// The entry at `seq`, checked.
    pub(crate) fn entry(&self, seq: Seq) -> Result<Entry, JournalError> {
        self.entry_near(seq, &mut Held::default())
    }

    /// The same, with what the reader holds of the journal already.
    pub(crate) fn entry_near(&self, seq: Seq, held: &mut Held) -> Result<Entry, JournalError> {
        let (slot, file) = self.slot(seq)?.ok_or(JournalError::NoEntry(seq))?;
        let number = slot.header.number;
        let (at, seen) = slot.frame_before(file.as_ref(), seq)?;
        let seen = held.take(number, at, seen);
        let mut window = Window::resume(file.as_ref(), slot.end(), LOOKUP_BYTES, seen);
        let found = Self::find(&slot, &mut window, at, seq);
        held.put(number, window.into_seen());
        found
    }

    /// The entry, from a place at or before it on.
    fn find(slot: &Slot, window: &mut Window<'_>, mut at: u64, seq: Seq) -> Result<Entry, JournalError> {
        let end = slot.end();
        let damaged = |at: u64, what: &str| {
            let file = file_name(slot.header.number);
            JournalError::Damage(Damage { file, offset: at, seq, what: what.to_owned() })
        };
        while at < end {
            match window.step(at)? {
                Step::Group { bytes, .. } | Step::Seal { bytes } => at += bytes,
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

    /// Entries from `from` on, up to the last that is durable when it gets there.
    pub(crate) fn stream(self: &Arc<Self>, from: Seq) -> Stream {
        Stream::new(Arc::clone(self), from)
    }

    fn reader(&self, number: u32, path: &Path) -> io::Result<Arc<dyn ReadAt>> {
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
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("last", &self.last()).finish_non_exhaustive()
    }
}

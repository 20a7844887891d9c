//! A file system in memory that treats what was not synced as badly as a real one may.
//!
//! For tests of every room that stands on the ledger. It can lose power at any operation, fill up, stall, and
//! fail a sync; after a power cut [`Model::after_power_cut`] gives the disk as the next start finds it.

use super::{Append, ReadAt, Storage};
use crate::sync::lock;
use std::collections::BTreeMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};

/// A disk writes so much at once or not at all.
const SECTOR_BYTES: usize = 512;

/// What a power cut does to bytes that were written and not synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PowerCut {
    /// All of them are lost.
    Nothing,
    /// They are kept up to some place.
    Prefix,
    /// Each sector is kept, lost or torn by itself.
    Torn,
    /// All of them are there after all.
    Everything,
}

#[derive(Debug, Clone, Default)]
struct ModelFile {
    bytes: Vec<u8>,
    /// What was appended; behind it stand zeroes that were filled ahead.
    end: usize,
    /// Everything before this was synced, but for `doubtful`.
    synced: usize,
    /// How long the file was when it was synced last.
    synced_length: usize,
    /// Bytes whose sync failed: readable, and no later sync makes them durable.
    doubtful: Vec<Range<usize>>,
    /// The folder was synced since the file was made.
    named: bool,
}

#[derive(Debug, Default)]
struct Disk {
    files: BTreeMap<PathBuf, ModelFile>,
    operations: u64,
    /// The power goes at this operation.
    cut_at: Option<u64>,
    off: bool,
    capacity: Option<u64>,
    failing_syncs: u32,
    stalled: bool,
}

/// See the module. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub struct Model(Arc<(Mutex<Disk>, Condvar)>);

impl Model {
    /// An empty disk.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Operations so far.
    #[must_use]
    pub fn operations(&self) -> u64 {
        lock(&self.0.0).operations
    }

    /// The power goes in the middle of operation number `at`; every later one fails.
    pub fn cut_power_at(&self, at: u64) {
        lock(&self.0.0).cut_at = Some(at);
    }

    /// The power goes now.
    pub fn cut_power(&self) {
        lock(&self.0.0).off = true;
    }

    /// Holds at most so many bytes from now on; nothing for no limit.
    pub fn set_capacity_bytes(&self, bytes: Option<u64>) {
        lock(&self.0.0).capacity = bytes;
    }

    /// The next `count` syncs fail, and what they were to make durable never will be.
    pub fn fail_syncs(&self, count: u32) {
        lock(&self.0.0).failing_syncs = count;
    }

    /// Operations that write stand still until this is called with `false`.
    pub fn stall(&self, stalled: bool) {
        lock(&self.0.0).stalled = stalled;
        self.0.1.notify_all();
    }

    /// The files and their lengths.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, usize)> {
        lock(&self.0.0).files.iter().map(|(path, file)| (path.clone(), file.bytes.len())).collect()
    }

    /// Flips the bits of `mask` in one byte; whether there is such a byte.
    #[must_use]
    pub fn damage(&self, file: &Path, offset: usize, mask: u8) -> bool {
        let mut disk = lock(&self.0.0);
        let byte = disk.files.get_mut(file).and_then(|f| f.bytes.get_mut(offset));
        byte.map(|byte| *byte ^= mask).is_some()
    }

    /// A copy of the disk as it is, with nothing more to lose.
    #[must_use]
    pub fn copy(&self) -> Self {
        self.after_power_cut(PowerCut::Everything, 0)
    }

    /// The disk after the process was killed and the machine ran on: everything written can be read, and what was
    /// not synced can still be lost.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let files = lock(&self.0.0).files.clone();
        Self(Arc::new((Mutex::new(Disk { files, ..Disk::default() }), Condvar::new())))
    }

    /// The disk as the next start finds it.
    #[must_use]
    pub fn after_power_cut(&self, treatment: PowerCut, seed: u64) -> Self {
        let disk = lock(&self.0.0);
        let mut dice = Dice(seed);
        let mut files = BTreeMap::new();
        for (path, file) in &disk.files {
            let there = match treatment {
                PowerCut::Nothing => file.named,
                PowerCut::Everything => true,
                PowerCut::Prefix | PowerCut::Torn => file.named || dice.throw(2) == 0,
            };
            if there {
                let bytes = file.after_power_cut(treatment, &mut dice);
                let length = bytes.len();
                let file = ModelFile {
                    bytes,
                    end: length,
                    synced: length,
                    synced_length: length,
                    doubtful: Vec::new(),
                    named: true,
                };
                files.insert(path.clone(), file);
            }
        }
        Self(Arc::new((Mutex::new(Disk { files, ..Disk::default() }), Condvar::new())))
    }

    /// Counts an operation that writes; waits while the disk stalls. `Err` when there is no power.
    fn operate<T>(&self, run: impl FnOnce(&mut Disk, bool) -> io::Result<T>) -> io::Result<T> {
        let mut disk = lock(&self.0.0);
        while disk.stalled && !disk.off {
            disk = self.0.1.wait(disk).unwrap_or_else(std::sync::PoisonError::into_inner);
        }
        if disk.off {
            return Err(io::Error::other("the power is off"));
        }
        disk.operations += 1;
        let cut = disk.cut_at.is_some_and(|at| disk.operations >= at);
        disk.off = cut;
        let done = run(&mut disk, cut);
        if cut { Err(io::Error::other("the power went")) } else { done }
    }
}

impl ModelFile {
    fn after_power_cut(&self, treatment: PowerCut, dice: &mut Dice) -> Vec<u8> {
        let mut out = self.bytes.clone();
        let unsynced = self.synced..self.end;
        // The length that was synced stays; of what is longer any part may be there.
        let shorten = |out: &mut Vec<u8>, least: usize, dice: &mut Dice| {
            let least = least.max(self.synced_length);
            out.truncate(least + dice.throw(out.len().saturating_sub(least) + 1));
        };
        match treatment {
            PowerCut::Everything => {}
            PowerCut::Nothing => {
                zero(&mut out, unsynced);
                out.truncate(self.synced_length);
                self.doubtful.iter().for_each(|range| zero(&mut out, range.clone()));
            }
            PowerCut::Prefix => {
                let kept = self.synced + dice.throw(unsynced.len() + 1);
                zero(&mut out, kept..self.end);
                if dice.throw(2) == 0 {
                    out.truncate(kept.max(self.synced_length));
                } else {
                    shorten(&mut out, kept, dice);
                }
                for range in &self.doubtful {
                    let kept = dice.throw(range.len() + 1);
                    zero(&mut out, range.start + kept..range.end);
                }
            }
            PowerCut::Torn => {
                for range in self.doubtful.iter().chain([&unsynced]) {
                    tear(&mut out, range.clone(), dice);
                }
                if dice.throw(2) == 0 {
                    shorten(&mut out, self.synced, dice);
                }
            }
        }
        out
    }
}

fn zero(bytes: &mut [u8], range: Range<usize>) {
    let end = range.end.min(bytes.len());
    if let Some(part) = bytes.get_mut(range.start..end) {
        part.fill(0);
    }
}

fn tear(bytes: &mut [u8], range: Range<usize>, dice: &mut Dice) {
    let mut at = range.start;
    while at < range.end {
        let end = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(range.end);
        match dice.throw(3) {
            0 => {}
            1 => zero(bytes, at..end),
            _ => zero(bytes, at + dice.throw(end - at + 1)..end),
        }
        at = end;
    }
}

/// Small numbers that follow from a seed (splitmix64).
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % (sides.max(1) as u64)).unwrap_or_default()
    }
}

impl Disk {
    fn used(&self) -> u64 {
        self.files.values().map(|f| f.bytes.len() as u64).sum()
    }

    fn free(&self) -> usize {
        let free = self.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(self.used()));
        usize::try_from(free).unwrap_or(usize::MAX)
    }

    fn file(&mut self, path: &Path) -> io::Result<&mut ModelFile> {
        self.files.get_mut(path).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

struct Appender {
    disk: Model,
    path: PathBuf,
}

struct Reader {
    disk: Model,
    path: PathBuf,
}

impl Storage for Model {
    fn make_folder(&self, _folder: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let disk = lock(&self.0.0);
        let within = disk.files.keys().filter(|path| path.parent() == Some(folder));
        Ok(within.filter_map(|p| p.file_name()).map(|n| n.to_string_lossy().into_owned()).collect())
    }

    fn create(&self, file: &Path) -> io::Result<Box<dyn Append>> {
        self.operate(|disk, _| {
            if disk.files.contains_key(file) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            disk.files.insert(file.to_path_buf(), ModelFile::default());
            Ok(())
        })?;
        Ok(Box::new(Appender { disk: self.clone(), path: file.to_path_buf() }))
    }

    fn open_read(&self, file: &Path) -> io::Result<Box<dyn ReadAt>> {
        lock(&self.0.0).file(file)?;
        Ok(Box::new(Reader { disk: self.clone(), path: file.to_path_buf() }))
    }

    fn remove(&self, file: &Path) -> io::Result<()> {
        self.operate(|disk, _| {
            disk.files.remove(file).map(drop).ok_or_else(|| io::ErrorKind::NotFound.into())
        })
    }

    fn take_space(&self, file: &Path, bytes: u64) -> io::Result<()> {
        let mut made = self.create(file)?;
        let taken = made.append(&vec![0; usize::try_from(bytes).unwrap_or_default()]);
        taken.and_then(|()| made.sync())
    }

    fn exists(&self, file: &Path) -> bool {
        lock(&self.0.0).files.contains_key(file)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.operate(|disk, cut| {
            if cut {
                return Ok(());
            }
            let within = disk.files.iter_mut().filter(|(path, _)| path.parent() == Some(folder));
            within.for_each(|(_, file)| file.named = true);
            Ok(())
        })
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        let disk = lock(&self.0.0);
        Ok(disk.capacity.map_or(u64::MAX, |capacity| capacity.saturating_sub(disk.used())))
    }
}

impl Append for Appender {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.disk.operate(|disk, _| {
            let free = disk.free();
            let file = disk.file(&self.path)?;
            let room = free.saturating_add(file.bytes.len() - file.end);
            let written = bytes.get(..room.min(bytes.len())).unwrap_or_default();
            let end = file.end + written.len();
            if file.bytes.len() < end {
                file.bytes.resize(end, 0);
            }
            if let Some(place) = file.bytes.get_mut(file.end..end) {
                place.copy_from_slice(written);
            }
            file.end = end;
            if written.len() < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
        })
    }

    fn fill_ahead(&mut self, bytes: usize) {
        let filled = self.disk.operate(|disk, _| {
            let fits = disk.free().min(bytes);
            let file = disk.file(&self.path)?;
            file.bytes.resize(file.bytes.len() + fits, 0);
            Ok(())
        });
        // Without power the next sync says so.
        drop(filled);
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.operate(|disk, cut| {
            let fails = disk.failing_syncs > 0;
            disk.failing_syncs = disk.failing_syncs.saturating_sub(1);
            let file = disk.file(&self.path)?;
            if cut {
                return Ok(());
            }
            let unsynced = file.synced..file.end;
            (file.synced, file.synced_length) = (file.end, file.bytes.len());
            if fails {
                file.doubtful.push(unsynced);
                return Err(io::Error::other("the disk did not take it"));
            }
            Ok(())
        })
    }
}

impl ReadAt for Reader {
    fn len_bytes(&self) -> io::Result<u64> {
        Ok(lock(&self.disk.0.0).file(&self.path)?.bytes.len() as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let mut disk = lock(&self.disk.0.0);
        let bytes = &disk.file(&self.path)?.bytes;
        let there = usize::try_from(offset).ok().and_then(|offset| bytes.get(offset..)).unwrap_or_default();
        let count = there.len().min(into.len());
        if let (Some(to), Some(from)) = (into.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(disk: &Model) -> PathBuf {
        let path = PathBuf::from("/j/1.log");
        let mut file = disk.create(&path).unwrap();
        file.append(b"synced").unwrap();
        file.sync().unwrap();
        disk.sync_folder(Path::new("/j")).unwrap();
        file.append(&[7; 4000]).unwrap();
        path
    }

    fn read(disk: &Model, path: &Path) -> Vec<u8> {
        let file = disk.open_read(path).unwrap();
        let mut out = vec![0; usize::try_from(file.len_bytes().unwrap()).unwrap()];
        assert_eq!(file.read_at(0, &mut out).unwrap(), out.len());
        out
    }

    #[test]
    fn what_was_synced_stays_and_what_was_not_may_go() {
        let disk = Model::new();
        let path = written(&disk);
        assert_eq!(read(&disk.after_power_cut(PowerCut::Nothing, 1), &path), b"synced");
        let mut differ = 0;
        for seed in 0..50 {
            for treatment in [PowerCut::Prefix, PowerCut::Torn] {
                let after = read(&disk.after_power_cut(treatment, seed), &path);
                assert!(after.starts_with(b"synced"));
                differ += usize::from(after != read(&disk, &path));
            }
        }
        assert!(differ > 80, "only {differ} of 100 cuts did any harm");
    }

    #[test]
    fn what_was_filled_ahead_is_written_over_and_zero_again_where_that_is_lost() {
        let disk = Model::new();
        let path = PathBuf::from("/j/1.log");
        let mut file = disk.create(&path).unwrap();
        file.append(b"synced").unwrap();
        file.fill_ahead(100);
        file.sync().unwrap();
        disk.sync_folder(Path::new("/j")).unwrap();
        file.append(&[7; 60]).unwrap();
        let mut expect = [b"synced".as_slice(), &[7; 60], &[0; 40]].concat();
        assert_eq!(read(&disk, &path), expect);
        expect[6..66].fill(0);
        assert_eq!(read(&disk.after_power_cut(PowerCut::Nothing, 1), &path), expect);
        for seed in 0..20 {
            for treatment in [PowerCut::Prefix, PowerCut::Torn] {
                let after = read(&disk.after_power_cut(treatment, seed), &path);
                assert!(after.starts_with(b"synced") && after.len() == 106, "the length was synced");
            }
        }
    }

    #[test]
    fn a_file_whose_folder_was_not_synced_may_be_gone() {
        let disk = Model::new();
        let mut file = disk.create(Path::new("/j/1.log")).unwrap();
        file.append(b"x").unwrap();
        file.sync().unwrap();
        assert!(disk.after_power_cut(PowerCut::Nothing, 1).files().is_empty());
    }

    #[test]
    fn bytes_of_a_failed_sync_are_not_saved_by_the_next_one() {
        let disk = Model::new();
        let path = written(&disk);
        let mut file = Appender { disk: disk.clone(), path: path.clone() };
        disk.fail_syncs(1);
        assert!(file.sync().is_err());
        file.append(b"later").unwrap();
        file.sync().unwrap();
        let after = read(&disk.after_power_cut(PowerCut::Nothing, 1), &path);
        assert!(after.ends_with(b"\0later"));
    }

    #[test]
    fn a_full_disk_takes_what_fits_and_says_so() {
        let disk = Model::new();
        let path = written(&disk);
        disk.set_capacity_bytes(Some(4010));
        let mut file = Appender { disk: disk.clone(), path: path.clone() };
        assert_eq!(file.append(b"123456").unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!(disk.free_bytes(&path).unwrap(), 0);
    }
}

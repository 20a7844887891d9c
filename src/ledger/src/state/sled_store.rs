//! The state in sled 0.34.7, used as the measurements say: one tree, one writer, one batch at a time, large
//! segments, a bounded cache, and a real fdatasync of our own, since its flush is none.

use crate::sync::lock;

use super::packed::Packed;
use super::{Changes, Each, Read, Span, StateError, Store};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io;
use std::ops::Bound;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Segment size: four at most are in memory, and a batch between two flushes has to stay far below one. A store that
/// was made with another cannot be opened, and is made again from the journal.
pub(crate) const SEGMENT_BYTES: usize = 2 << 20;

/// Below this a cache is meant to be small, and what the store holds beside it shows.
const SMALL_CACHE_BYTES: u64 = 16 << 20;
/// How often a page is looked at again after it was read, with a small cache. The store counts what is in memory by
/// looks: only when a 256th of its pages was looked at 64 times does it count them and let the oldest go. Pages that
/// are read once would stay, up to 64 in each part.
const LOOKS_AGAIN: usize = 15;

impl From<sled::Error> for StateError {
    fn from(error: sled::Error) -> Self {
        Self(error.to_string())
    }
}

/// The state in sled.
pub(crate) struct SledStore {
    db: sled::Db,
    log: File,
    looks_again: usize,
    /// Damage that a read or write came upon.
    damage: Mutex<Option<String>>,
}

/// Opens it in `folder`, made when there is none.
pub(crate) fn open(folder: &Path, cache_bytes: u64) -> Result<Packed<SledStore>, StateError> {
    let failed = |error: io::Error| StateError(error.to_string());
    fs::create_dir_all(folder).map_err(failed)?;
    // A snapshot that was never finished would be taken for the newest one.
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with("snap.") && name.ends_with(".generating") {
            fs::remove_file(&path).map_err(failed)?;
        }
    }
    let config = sled::Config::new()
        .path(folder)
        .segment_size(SEGMENT_BYTES)
        .cache_capacity(cache_bytes)
        .mode(sled::Mode::HighThroughput)
        .flush_every_ms(None);
    let db = config.open()?;
    db.flush()?;
    sync_tree(folder).map_err(failed)?;
    let log = File::open(folder.join("db")).map_err(failed)?;
    let looks_again = if cache_bytes < SMALL_CACHE_BYTES { LOOKS_AGAIN } else { 0 };
    Ok(Packed::over(SledStore { db, log, looks_again, damage: Mutex::default() }))
}

/// Syncs every file and folder under `folder`, and the folder it stands in.
fn sync_tree(folder: &Path) -> io::Result<()> {
    let mut todo: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(next) = todo.pop() {
        for entry in fs::read_dir(&next)? {
            let path = entry?.path();
            if path.is_dir() {
                todo.push(path);
            } else {
                File::open(&path)?.sync_all()?;
            }
        }
        File::open(&next)?.sync_all()?;
    }
    folder.parent().map_or(Ok(()), |parent| File::open(parent)?.sync_all())
}

impl SledStore {
    /// Runs `work` on the store. A damaged page makes it panic: that is an error like any other here, and noted, so
    /// that the store is set aside.
    fn guarded<T>(&self, work: impl FnOnce(&sled::Db) -> Result<T, sled::Error>) -> Result<T, StateError> {
        let error = match catch_unwind(AssertUnwindSafe(|| work(&self.db))) {
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(error)) => {
                if matches!(error, sled::Error::Corruption { .. }) {
                    *lock(&self.damage) = Some(error.to_string());
                }
                StateError::from(error)
            }
            Err(_panic) => {
                let why = "it is damaged (the store panicked)".to_owned();
                *lock(&self.damage) = Some(why.clone());
                StateError(why)
            }
        };
        Err(error)
    }

    /// Makes the store count the page of `key` sooner.
    fn look_again(&self, db: &sled::Db, key: &[u8]) -> Result<(), sled::Error> {
        (0..self.looks_again).try_for_each(|_| db.contains_key(key).map(drop))
    }
}

impl Read for SledStore {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StateError> {
        self.guarded(|db| {
            let value = db.get(key)?;
            self.look_again(db, key)?;
            Ok(value.map(|value| value.to_vec()))
        })
    }

    fn walk(&self, span: &Span, each: Each<'_>) -> Result<(), StateError> {
        if !span.to.is_empty() && span.to <= span.from {
            return Ok(());
        }
        let to = if span.to.is_empty() { Bound::Unbounded } else { Bound::Excluded(span.to.as_slice()) };
        self.guarded(|db| {
            let mut range = db.range::<&[u8], _>((Bound::Included(span.from.as_slice()), to));
            let mut last = None;
            while let Some(pair) = if span.backwards { range.next_back() } else { range.next() } {
                let (key, value) = pair?;
                let done = each(&key, &value).is_break();
                last = Some(key);
                if done {
                    break;
                }
            }
            last.map_or(Ok(()), |key| self.look_again(db, &key))
        })
    }
}

impl Store for SledStore {
    fn write(&self, changes: Cow<'_, Changes>) -> Result<(), StateError> {
        let mut batch = sled::Batch::default();
        for (key, value) in &*changes {
            match value {
                Some(value) => batch.insert(key.as_slice(), value.as_slice()),
                None => batch.remove(key.as_slice()),
            }
        }
        self.guarded(|db| db.apply_batch(batch))
    }

    fn flush(&self) -> Result<(), StateError> {
        self.guarded(|db| {
            db.flush()?;
            Ok(self.log.sync_data()?)
        })
    }

    fn fault(&self) -> Option<String> {
        lock(&self.damage).clone()
    }

    fn len_bytes(&self) -> u64 {
        self.log.metadata().map_or(u64::MAX, |found| found.len())
    }
}

//! What a ledger is opened with.

use crate::HashAlgorithm;
use crate::storage::{RealStorage, Storage};
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Says what time it is, for people. Nothing is ordered by it.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970 UTC.
    fn now_ms(&self) -> i64;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }
}

/// What holds the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StateStore {
    /// sled, in the folder `state`.
    #[default]
    Sled,
    /// Memory only: made again from the journal at every start. For tests and tools.
    Memory,
}

/// What a ledger is opened with. Every limit of the ledger is here or beside it by name.
#[derive(Clone)]
pub struct Settings {
    /// The folder of the ledger.
    pub dir: PathBuf,
    /// Hash function of a new journal; an old one keeps its own.
    pub hash: HashAlgorithm,
    /// A journal file that has grown to this is closed and the next begun.
    pub file_bytes_max: u64,
    /// Entries waiting for the disk; past it `append` answers Busy.
    pub queue_entries_max: usize,
    /// Encoded bytes waiting for the disk; past it `append` answers Busy.
    pub queue_bytes_max: usize,
    /// Entries the state may be behind the journal; past it `append` answers Busy.
    pub lag_entries_max: u64,
    /// Free space under which nothing more is accepted.
    pub free_bytes_min: u64,
    /// Size of the ballast file, given up to start on a full disk.
    pub ballast_bytes: u64,
    /// A journal at rest for this long is sealed.
    pub seal_after: Duration,
    /// After a failed write, so long until the next try to begin a file.
    pub retry_after: Duration,
    /// Cache of the state store. It takes up to three times as much memory.
    pub cache_bytes: u64,
    /// Longest the state store may take to open before it is set aside and made again.
    pub state_open_timeout: Duration,
    /// What holds the state.
    pub state: StateStore,
    /// The file system under the journal.
    pub storage: Arc<dyn Storage>,
    /// What stamps entries.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    /// The settings of a station, with the ledger in `dir`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            hash: HashAlgorithm::Sm3,
            file_bytes_max: 64 << 20,
            queue_entries_max: 16_384,
            queue_bytes_max: 64 << 20,
            lag_entries_max: 1_000_000,
            free_bytes_min: 512 << 20,
            ballast_bytes: 64 << 20,
            seal_after: Duration::from_secs(1),
            retry_after: Duration::from_millis(500),
            cache_bytes: 64 << 20,
            state_open_timeout: Duration::from_mins(2),
            state: StateStore::Sled,
            storage: Arc::new(RealStorage),
            clock: Arc::new(SystemClock),
        }
    }

    pub(crate) fn journal_folder(&self) -> PathBuf {
        self.dir.join("journal")
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("dir", &self.dir).field("state", &self.state).finish_non_exhaustive()
    }
}

//! Opening the state, or making it anew from the journal.

use crate::checkpoint::Checkpoint;
use crate::fold_store::{digest, fold_into};
use crate::journal::Index;
use crate::open::{OpenError, Progress, recover, take_lock};
use crate::settings::StateStore;
use crate::state::{Gathered, Key, MemoryStore, STATE_VERSION, StateError, Store, open_sled, record, seq};
use crate::{ChainHash, Seq, Settings};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

/// States set aside that are kept.
const SET_ASIDE_MAX: usize = 3;
/// A state of at most so many bytes on disk is read whole at the start, and compared with the digest that the
/// last orderly end noted. `verify` does it for any size.
pub(crate) const DIGEST_AT_START_BYTES_MAX: u64 = 64 << 20;

/// What a rebuild made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RebuildReport {
    /// Entries applied.
    pub entries: u64,
    /// Digest of the new state's keys and values.
    pub digest: ChainHash,
    /// Digest of the state that was there before, if it could be read and knew as much.
    pub before: Option<ChainHash>,
    /// Where the old state was set aside.
    pub set_aside: Option<PathBuf>,
}

/// Throws the state away and makes it again from the journal. The daemon must be stopped. The old state is set
/// aside, not deleted.
///
/// # Errors
/// [`OpenError`].
pub fn rebuild(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<RebuildReport, OpenError> {
    let _lock = take_lock(&settings.dir)?;
    let index = recover(settings, progress)?.index();
    let folder = state_folder(settings);
    let state = |error: StateError| OpenError::State(error.to_string());
    let (mut before, mut aside) = (None, None);
    if settings.state == StateStore::Sled && folder.exists() {
        before = open_checked(settings, &folder, index.last())
            .ok()
            .filter(|(_, applied)| *applied == index.last())
            .and_then(|(store, _)| digest(store.as_ref()).ok());
        aside = Some(set_aside(settings, &folder)?);
    }
    let made = open_state(settings, &index, progress)?;
    let digest = digest(made.store.as_ref()).map_err(state)?;
    note(settings, made.applied, Some(digest))?;
    Ok(RebuildReport { entries: made.applied_now, digest, before, set_aside: aside })
}

pub(crate) struct MadeState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) applied: Seq,
    pub(crate) applied_now: u64,
    pub(crate) rebuilt: Option<String>,
    pub(crate) set_aside: Option<PathBuf>,
}

impl MadeState {
    fn begun(store: Arc<dyn Store>, applied: Seq) -> Self {
        Self { store, applied, applied_now: 0, rebuilt: None, set_aside: None }
    }
}

fn state_folder(settings: &Settings) -> PathBuf {
    settings.dir.join("state")
}

/// Opens the state; when that fails in any way, sets it aside and begins an empty one. Then brings it up to
/// the journal.
pub(crate) fn open_state(
    settings: &Settings,
    index: &Arc<Index>,
    progress: &mut dyn FnMut(Progress),
) -> Result<MadeState, OpenError> {
    let mut made = match settings.state {
        StateStore::Memory => MadeState::begun(Arc::new(MemoryStore::default()), Seq::NONE),
        StateStore::Sled => open_or_set_aside(settings, index)?,
    };
    // Whatever is written from here on is not what a digest was taken of.
    note(settings, made.applied, None)?;
    let last = index.last();
    fold_into(index, made.store.as_ref(), (made.applied, last), progress)?;
    made.applied_now = last.get() - made.applied.get();
    made.applied = last;
    made.store.flush().map_err(|error| OpenError::State(error.to_string()))?;
    Ok(made)
}

/// Opens the state as it is, or sets it aside and begins an empty one.
fn open_or_set_aside(settings: &Settings, index: &Index) -> Result<MadeState, OpenError> {
    let folder = state_folder(settings);
    let why = match open_checked(settings, &folder, index.last()) {
        Ok((store, applied)) => return Ok(MadeState::begun(store, applied)),
        Err(why) => why,
    };
    let aside = set_aside(settings, &folder)?;
    tracing::warn!(why, aside = %aside.display(), "the state is set aside and made again from the journal; nothing is lost");
    let (store, applied) = open_checked(settings, &folder, index.last()).map_err(OpenError::State)?;
    Ok(MadeState { rebuilt: Some(why), set_aside: Some(aside), ..MadeState::begun(store, applied) })
}

/// Sets the state aside, whatever it is like, and begins an empty one.
pub(crate) fn begin_anew(settings: &Settings, index: &Arc<Index>) -> Result<MadeState, OpenError> {
    if settings.state == StateStore::Sled {
        set_aside(settings, &state_folder(settings))?;
    }
    open_state(settings, index, &mut |_| {})
}

struct Looked {
    store: Arc<dyn Store>,
    applied: Seq,
    version: Option<u32>,
    digest: Option<ChainHash>,
}

/// Opens the store in a thread of its own: a damaged one may panic or never come back.
fn open_checked(settings: &Settings, folder: &Path, last: Seq) -> Result<(Arc<dyn Store>, Seq), String> {
    let (sender, receiver) = mpsc::channel();
    let (path, cache) = (folder.to_path_buf(), settings.cache_bytes);
    let noted = Checkpoint::read(&settings.dir);
    let look = move || {
        let store = open_sled(&path, cache)?;
        let applied = seq(&store, Key::APPLIED)?.unwrap_or(Seq::NONE);
        let version: Option<u32> = record(&store, Key::VERSION)?;
        // What another version wrote is not read any further.
        let small = version == Some(STATE_VERSION) && store.len_bytes() <= DIGEST_AT_START_BYTES_MAX;
        let digest = (small && noted.digest.is_some()).then(|| digest(&store)).transpose()?;
        Ok::<_, StateError>(Looked { store: Arc::new(Gathered::over(store)), applied, version, digest })
    };
    let run = move || {
        let looked = catch_unwind(AssertUnwindSafe(look));
        // Nobody listens when it took too long.
        drop(sender.send(looked));
    };
    std::thread::Builder::new()
        .name("ledger-open-state".to_owned())
        .spawn(run)
        .map_err(|error| format!("no thread could be started: {error}"))?;
    let looked = match receiver.recv_timeout(settings.state_open_timeout) {
        Err(_) => return Err(format!("it did not open within {} s", settings.state_open_timeout.as_secs())),
        Ok(Err(_panic)) => return Err("it is damaged (the store panicked)".to_owned()),
        Ok(Ok(Err(error))) => return Err(error.to_string()),
        Ok(Ok(Ok(looked))) => looked,
    };
    match fault(&looked, noted, last) {
        None => Ok((looked.store, looked.applied)),
        Some(why) => Err(why),
    }
}

/// What is wrong with a store that opened.
fn fault(looked: &Looked, noted: Checkpoint, last: Seq) -> Option<String> {
    let applied = looked.applied;
    if let Some(version) = looked.version.filter(|v| *v != STATE_VERSION) {
        return Some(format!("it has version {version}, not {STATE_VERSION}"));
    }
    if applied < noted.applied {
        return Some(format!("it knows entries up to {applied}, but knew {} before", noted.applied));
    }
    if applied > last {
        return Some(format!("it knows entry {applied}, the journal ends at {last}"));
    }
    let changed = looked.digest.is_some() && looked.digest != noted.digest;
    changed.then(|| "it is not what it was at the last orderly end".to_owned())
}

fn set_aside(settings: &Settings, folder: &Path) -> Result<PathBuf, OpenError> {
    let failed = |error| OpenError::Io { doing: "set aside", path: folder.to_path_buf(), error };
    let mut number = settings.clock.now_ms();
    let aside = loop {
        let aside = settings.dir.join(format!("state.set-aside-{number}"));
        if !aside.exists() {
            break aside;
        }
        number += 1;
    };
    std::fs::rename(folder, &aside).map_err(failed)?;
    note(settings, Seq::NONE, None)?;
    let mut old: Vec<PathBuf> = std::fs::read_dir(&settings.dir)
        .map_err(failed)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|p| p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("state.set-aside-")))
        .collect();
    old.sort();
    let surplus = old.len().saturating_sub(SET_ASIDE_MAX);
    for path in old.into_iter().take(surplus) {
        std::fs::remove_dir_all(path).map_err(failed)?;
    }
    Ok(aside)
}

/// Notes how far the state is durable.
pub(crate) fn note(settings: &Settings, applied: Seq, digest: Option<ChainHash>) -> Result<(), OpenError> {
    if settings.state == StateStore::Memory {
        return Ok(());
    }
    let path = settings.dir.join("CHECKPOINT");
    let noted = Checkpoint { applied, digest }.write(&settings.dir);
    noted.map_err(|error| OpenError::Io { doing: "write", path, error })
}

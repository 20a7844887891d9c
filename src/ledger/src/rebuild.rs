//! Opening the state, or making it anew from the journal.

use crate::fold_store::{digest, fold_into};
use crate::journal::Index;
use crate::open::{OpenError, Progress, recover, take_lock};
use crate::settings::StateStore;
use crate::state::{Key, MemoryStore, STATE_VERSION, StateError, Store, open_sled, record, seq};
use crate::{ChainHash, Seq, Settings};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};

/// States set aside that are kept.
const SET_ASIDE_MAX: usize = 3;

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
    let folder = settings.dir.join("state");
    let state = |error: StateError| OpenError::State(error.to_string());
    let mut before = None;
    let mut aside = None;
    if settings.state == StateStore::Sled && folder.exists() {
        before = open_checked(settings, &folder, index.last())
            .ok()
            .filter(|(_, applied)| *applied == index.last())
            .and_then(|(store, _)| digest(store.as_ref()).ok());
        aside = Some(set_aside(settings, &folder)?);
    }
    let made = open_state(settings, &index, progress)?;
    let digest = digest(made.store.as_ref()).map_err(state)?;
    if settings.state == StateStore::Sled {
        write_checkpoint(&settings.dir, made.applied).map_err(|error| OpenError::State(error.to_string()))?;
    }
    Ok(RebuildReport { entries: made.applied_now, digest, before, set_aside: aside })
}

pub(crate) struct MadeState {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) applied: Seq,
    pub(crate) applied_now: u64,
    pub(crate) rebuilt: Option<String>,
    pub(crate) set_aside: Option<PathBuf>,
}

/// Opens the state; when that fails in any way, sets it aside and begins an empty one. Then brings it up to
/// the journal.
pub(crate) fn open_state(
    settings: &Settings,
    index: &Arc<Index>,
    progress: &mut dyn FnMut(Progress),
) -> Result<MadeState, OpenError> {
    let mut made = match settings.state {
        StateStore::Memory => MadeState {
            store: Arc::new(MemoryStore::default()),
            applied: Seq::NONE,
            applied_now: 0,
            rebuilt: None,
            set_aside: None,
        },
        StateStore::Sled => open_or_set_aside(settings, index)?,
    };
    let last = index.last();
    fold_into(index, made.store.as_ref(), (made.applied, last), progress)?;
    made.applied_now = last.get() - made.applied.get();
    made.applied = last;
    made.store.flush().map_err(|error| OpenError::State(error.to_string()))?;
    Ok(made)
}

fn open_or_set_aside(settings: &Settings, index: &Index) -> Result<MadeState, OpenError> {
    let folder = settings.dir.join("state");
    let why = match open_checked(settings, &folder, index.last()) {
        Ok((store, applied)) => {
            return Ok(MadeState { store, applied, applied_now: 0, rebuilt: None, set_aside: None });
        }
        Err(why) => why,
    };
    tracing::warn!(why, "the state is set aside and made again from the journal; nothing is lost");
    let set_aside = set_aside(settings, &folder)?;
    let (store, applied) = open_checked(settings, &folder, index.last()).map_err(OpenError::State)?;
    Ok(MadeState { store, applied, applied_now: 0, rebuilt: Some(why), set_aside: Some(set_aside) })
}

/// Opens the store in a thread of its own: a damaged one may panic or never come back.
fn open_checked(settings: &Settings, folder: &Path, last: Seq) -> Result<(Arc<dyn Store>, Seq), String> {
    let (sender, receiver) = mpsc::channel();
    let (path, cache) = (folder.to_path_buf(), settings.cache_bytes);
    let checkpoint = read_checkpoint(&settings.dir);
    let open = move || {
        let store = open_sled(&path, cache)?;
        let applied = seq(&store, Key::APPLIED)?.unwrap_or(Seq::NONE);
        let version: Option<u32> = record(&store, Key::VERSION)?;
        Ok::<_, StateError>((store, applied, version))
    };
    let run = move || {
        let opened = catch_unwind(AssertUnwindSafe(open));
        // Nobody listens when it took too long.
        drop(sender.send(opened));
    };
    std::thread::Builder::new()
        .name("ledger-open-state".to_owned())
        .spawn(run)
        .map_err(|error| format!("no thread could be started: {error}"))?;
    match receiver.recv_timeout(settings.state_open_timeout) {
        Err(_) => Err(format!("it did not open within {} s", settings.state_open_timeout.as_secs())),
        Ok(Err(_panic)) => Err("it is damaged (the store panicked)".to_owned()),
        Ok(Ok(Err(error))) => Err(error.to_string()),
        Ok(Ok(Ok((_, _, Some(version))))) if version != STATE_VERSION => {
            Err(format!("it has version {version}, not {STATE_VERSION}"))
        }
        Ok(Ok(Ok((_, applied, _)))) if applied < checkpoint => {
            Err(format!("it knows entries up to {applied}, but knew {checkpoint} before"))
        }
        Ok(Ok(Ok((_, applied, _)))) if applied > last => {
            Err(format!("it knows entry {applied}, the journal ends at {last}"))
        }
        Ok(Ok(Ok((store, applied, _)))) => Ok((Arc::new(store), applied)),
    }
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
    write_checkpoint(&settings.dir, Seq::NONE).map_err(failed)?;
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

/// How far the state was durable when that was last noted.
fn read_checkpoint(dir: &Path) -> Seq {
    let text = std::fs::read_to_string(dir.join("CHECKPOINT")).unwrap_or_default();
    Seq::new(text.trim().parse().unwrap_or_default())
}

/// Notes that the state is durable up to `applied`.
pub(crate) fn write_checkpoint(dir: &Path, applied: Seq) -> std::io::Result<()> {
    let (path, new) = (dir.join("CHECKPOINT"), dir.join("CHECKPOINT.new"));
    std::fs::write(&new, format!("{applied}\n"))?;
    std::fs::File::open(&new)?.sync_all()?;
    std::fs::rename(&new, &path)?;
    std::fs::File::open(dir)?.sync_all()
}

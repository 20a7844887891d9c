//! Opening: the lock, the journal's end, the state.

use crate::journal::{CutTail, Damage, FileSizes, RecoverError, Recovered, Writer};
use crate::state::StateCell;
use crate::{HeaderFault, Seq, Settings, rebuild, space};
use serde::Serialize;
use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process works on it.
    #[error("the ledger in {folder} is in use by {by}: stop that first, or choose another folder")]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// Who holds it, as far as is known.
        by: String,
    },
    /// What was durable once is damaged. Nothing was changed.
    #[error("{0}. Nothing was changed. Restore this file from a backup, or ask for help; do not delete it")]
    Damage(#[from] Damage),
    /// A journal of another kind.
    #[error("journal file {file}: {why}")]
    Foreign {
        /// File name.
        file: String,
        /// In which way.
        why: HeaderFault,
    },
    /// The file system refused.
    #[error("cannot {doing} {path}: {error}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the file system said.
        error: io::Error,
    },
    /// The state cannot be made from the journal.
    #[error("cannot make the state from the journal: {0}")]
    State(String),
    /// No thread could be started.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
}

/// What was found and done at opening.
#[derive(Debug, Clone, Default, Serialize)]
pub struct OpenReport {
    /// The last durable entry.
    pub last: Seq,
    /// Bytes at the end that were cut off.
    pub tail: Option<CutTail>,
    /// Why the state was made anew, if it was.
    pub rebuilt: Option<String>,
    /// Where the old state was set aside.
    pub set_aside: Option<PathBuf>,
    /// Entries that were applied to the state at opening.
    pub applied: u64,
}

/// How far opening has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Journal files being checked.
    Checking {
        /// Bytes checked.
        done: u64,
        /// Bytes to check.
        of: u64,
    },
    /// The state being made or brought up to date.
    Applying {
        /// The last entry applied.
        done: Seq,
        /// The last entry there is.
        of: Seq,
    },
}

pub(crate) struct Opened {
    pub(crate) writer: Writer,
    pub(crate) state: StateCell,
    pub(crate) applied: Seq,
    pub(crate) report: OpenReport,
    pub(crate) lock_file: Option<File>,
    /// No file could be begun; it is tried again later.
    pub(crate) write_fault: Option<String>,
}

pub(crate) fn open(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<Opened, OpenError> {
    let folder = settings.journal_folder();
    let failed = |doing, path: &Path| {
        let path = path.to_path_buf();
        move |error| OpenError::Io { doing, path, error }
    };
    std::fs::create_dir_all(&settings.dir).map_err(failed("make", &settings.dir))?;
    let lock_file = take_lock(&settings.dir)?;
    settings.storage.make_folder(&folder).map_err(failed("make", &folder))?;
    space::make_room(settings);
    let found = recover(settings, progress)?;
    let mut report = OpenReport { last: found.last(), tail: found.tail.clone(), ..OpenReport::default() };
    let index = found.index();
    let sizes = FileSizes { bytes_max: settings.file_bytes_max, ahead_bytes: FileSizes::AHEAD_BYTES };
    let mut writer = found.writer(index, sizes);
    let write_fault = match writer.reopen(settings.clock.now_ms()) {
        Ok(()) => None,
        // Nobody may act on entries that a power cut could still take back.
        Err(error) if writer.carries() => {
            return Err(failed("make sure of the last entries in", &folder)(error));
        }
        Err(error) => Some(error.to_string()),
    };
    let made = rebuild::open_state(settings, &writer.index, progress)?;
    report.rebuilt = made.rebuilt;
    report.set_aside = made.set_aside;
    report.applied = made.applied_now;
    Ok(Opened {
        writer,
        state: StateCell::new(made.store),
        applied: made.applied,
        report,
        lock_file: Some(lock_file),
        write_fault,
    })
}

/// The lock lives as long as the file is open.
pub(crate) fn take_lock(dir: &Path) -> Result<File, OpenError> {
    let path = dir.join("lock");
    let failed = |error| OpenError::Io { doing: "open", path: path.clone(), error };
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {
            let owner = format!("process {}", std::process::id());
            let note = file.set_len(0).and_then(|()| file.write_all(owner.as_bytes()));
            if let Err(error) = note {
                tracing::debug!(%error, "cannot note who holds the ledger");
            }
            Ok(file)
        }
        Err(TryLockError::WouldBlock) => {
            let mut by = String::new();
            let read = file.rewind().and_then(|()| file.read_to_string(&mut by));
            if read.is_err() || by.is_empty() {
                "another process".clone_into(&mut by);
            }
            Err(OpenError::Locked { folder: dir.to_path_buf(), by })
        }
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Reads the journal.
pub(crate) fn recover(
    settings: &Settings,
    progress: &mut dyn FnMut(Progress),
) -> Result<Recovered, OpenError> {
    let folder = settings.journal_folder();
    let checked = &mut |done, of| progress(Progress::Checking { done, of });
    let found = Recovered::read(&settings.storage, folder.clone(), settings.hash, checked);
    let found = found.map_err(|error| recover_error(error, &folder))?;
    for void in &found.void {
        tracing::info!(
            file = void.name,
            bytes = void.bytes,
            "a journal file was begun and given up; it is not read"
        );
    }
    Ok(found)
}

pub(crate) fn recover_error(error: RecoverError, folder: &Path) -> OpenError {
    match error {
        RecoverError::Io(error) => OpenError::Io { doing: "read", path: folder.to_path_buf(), error },
        RecoverError::Damage(damage) => OpenError::Damage(damage),
        RecoverError::Foreign { file, why } => OpenError::Foreign { file, why },
    }
}

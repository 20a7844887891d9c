//! Checking a ledger.

use crate::fold_store::{digest, fold_into};
use crate::journal::{JournalReport, verify_journal};
use crate::open::{OpenError, Progress, recover, recover_error, take_lock};
use crate::settings::StateStore;
use crate::state::{Key, MemoryStore, open_sled, seq};
use crate::{ChainHash, Seq, Settings};
use serde::Serialize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What a ledger is like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The journal.
    pub journal: JournalReport,
    /// The state, when that was asked for.
    pub state: Option<StateReport>,
    /// Whether a daemon was at work meanwhile: then the journal's very end was not judged.
    pub in_use: bool,
}

/// Whether the state is what the journal makes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StateReport {
    /// The last entry it knows.
    pub applied: Seq,
    /// Digest of all its keys and values.
    pub digest: Option<ChainHash>,
    /// Digest of what the journal up to `applied` makes.
    pub expected: Option<ChainHash>,
    /// Why it could not be read.
    pub fault: Option<String>,
}

impl StateReport {
    /// Whether it is what the journal makes it.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.fault.is_none() && self.digest == self.expected
    }
}

impl VerifyReport {
    /// Whether nothing is wrong: no damage, no torn end, and a state as it should be if that was looked at.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        self.journal.damaged_places == 0
            && self.journal.tail.is_none()
            && self.state.as_ref().is_none_or(StateReport::is_sound)
    }
}

/// What to look at beside the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VerifyState {
    /// Nothing.
    #[default]
    Skip,
    /// Compare every key of the state with what the journal makes. The daemon must be stopped; takes memory for
    /// a second state.
    Compare,
}

/// Checks the ledger in `settings.dir`: every byte of the journal, and the state if asked to. Changes nothing.
///
/// # Errors
/// [`OpenError`]: the files cannot be read, or another process holds the ledger and the state was asked for.
/// Damage is no error here; it is in the report.
pub fn verify(
    settings: &Settings,
    state: VerifyState,
    progress: &mut dyn FnMut(Progress),
) -> Result<VerifyReport, OpenError> {
    let folder = settings.journal_folder();
    let lock = match take_lock(&settings.dir) {
        Ok(lock) => Some(lock),
        Err(OpenError::Locked { .. }) if state == VerifyState::Skip => None,
        Err(error) => return Err(error),
    };
    let checked = &mut |done, of| progress(Progress::Checking { done, of });
    let journal = verify_journal(settings.storage.as_ref(), &folder, checked);
    let mut journal = journal.map_err(|error| recover_error(error, &folder))?;
    if lock.is_none() {
        journal.tail = None;
    }
    let state = match state {
        VerifyState::Skip => None,
        VerifyState::Compare if journal.damaged_places > 0 => {
            let fault = Some("not compared: the journal is damaged".to_owned());
            Some(StateReport { applied: Seq::NONE, digest: None, expected: None, fault })
        }
        VerifyState::Compare => Some(compare(settings, progress)?),
    };
    Ok(VerifyReport { journal, state, in_use: lock.is_none() })
}

fn compare(settings: &Settings, progress: &mut dyn FnMut(Progress)) -> Result<StateReport, OpenError> {
    let index = recover(settings, progress)?.index();
    let mut report = StateReport { applied: Seq::NONE, digest: None, expected: None, fault: None };
    let path = settings.dir.join("state");
    if settings.state == StateStore::Memory || !path.exists() {
        return Ok(report);
    }
    let read = catch_unwind(AssertUnwindSafe(|| {
        let store = open_sled(&path, settings.cache_bytes)?;
        Ok::<_, crate::StateError>((seq(&store, Key::APPLIED)?.unwrap_or(Seq::NONE), digest(&store)?))
    }));
    match read {
        Err(_panic) => report.fault = Some("the state is damaged (the store panicked)".to_owned()),
        Ok(Err(error)) => report.fault = Some(error.to_string()),
        Ok(Ok((applied, _))) if applied > index.last() => {
            report.fault =
                Some(format!("the state knows entry {applied}, the journal ends at {}", index.last()));
        }
        Ok(Ok((applied, found))) => {
            let made = MemoryStore::default();
            fold_into(&index, &made, (Seq::NONE, applied), progress)?;
            let expected = digest(&made).map_err(|error| OpenError::State(error.to_string()))?;
            (report.applied, report.digest, report.expected) = (applied, Some(found), Some(expected));
        }
    }
    Ok(report)
}

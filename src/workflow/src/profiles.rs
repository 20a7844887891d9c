//! The profile revisions that messages may have been received under.

use instrument_profiles::Profile;
use ledger::{ReadError, Reader};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vocabulary::ProfileRef;

/// Revisions from the ledger that are remembered; past it all of them are forgotten and read again.
const KEPT_REMEMBERED_MAX: usize = 256;

type Revisions = BTreeMap<ProfileRef, Arc<Profile>>;

/// Profiles by exactly the revision that a connection pinned: another revision of the same model is another profile.
///
/// Those that are installed, and those whose content the ledger keeps because messages were read with them. What is kept is
/// read by the rules of its time, so that it can be read as long as the ledger is.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    installed: Arc<Revisions>,
    kept: Arc<Mutex<Revisions>>,
}

impl Profiles {
    /// The profile in this revision, from what is installed or else from the ledger. `None`: it is nowhere, or this
    /// release cannot read it any more.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn find(&self, reader: &Reader, wanted: &ProfileRef) -> Result<Option<Arc<Profile>>, ReadError> {
        let known = self.installed.get(wanted).cloned();
        if let Some(known) = known.or_else(|| self.remembered().get(wanted).cloned()) {
            return Ok(Some(known));
        }
        let Some(kept) = reader.kept_profile(wanted)? else { return Ok(None) };
        let read = Profile::read_kept(&wanted.id, &kept.content.text, &kept.content.templates);
        let found = match read {
            // What was damaged would be another revision.
            Ok(profile) if profile.reference() == wanted => Arc::new(profile),
            Ok(other) => {
                tracing::error!(%wanted, found = %other.reference(), "the ledger's content of a profile is another revision");
                return Ok(None);
            }
            Err(faults) => {
                tracing::error!(%wanted, %faults, "this release cannot read a profile revision that the ledger keeps");
                return Ok(None);
            }
        };
        let mut kept = self.remembered();
        if kept.len() >= KEPT_REMEMBERED_MAX {
            kept.clear();
        }
        kept.insert(wanted.clone(), Arc::clone(&found));
        Ok(Some(found))
    }

    fn remembered(&self) -> MutexGuard<'_, Revisions> {
        // A panic elsewhere leaves a list of what was read, which is true.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every installed one.
    pub fn installed(&self) -> impl Iterator<Item = &Arc<Profile>> {
        self.installed.values()
    }

    /// The assays that any installed one knows, or can order; a name may come more than once.
    pub fn assays(&self) -> impl Iterator<Item = &str> {
        self.installed
            .values()
            .flat_map(|profile| profile.assays().map(|(_, assay)| assay).chain(profile.orderable_assays()))
    }
}

impl FromIterator<Arc<Profile>> for Profiles {
    fn from_iter<I: IntoIterator<Item = Arc<Profile>>>(profiles: I) -> Self {
        let installed = profiles.into_iter().map(|profile| (profile.reference().clone(), profile)).collect();
        Self { installed: Arc::new(installed), kept: Arc::default() }
    }
}

//! The profile revisions that messages may have been received under.

use instrument_profiles::Profile;
use std::{collections::BTreeMap, sync::Arc};
use vocabulary::ProfileRef;

/// Profiles by exactly the revision that a connection pinned: another revision of the same model is another profile.
#[derive(Debug, Clone, Default)]
pub struct Profiles(BTreeMap<ProfileRef, Arc<Profile>>);

impl Profiles {
    /// The profile in this revision.
    #[must_use]
    pub fn get(&self, pinned: &ProfileRef) -> Option<&Arc<Profile>> {
        self.0.get(pinned)
    }

    /// The assays that any of them knows, or can order; a name may come more than once.
    pub fn assays(&self) -> impl Iterator<Item = &str> {
        self.0
            .values()
            .flat_map(|profile| profile.assays().map(|(_, assay)| assay).chain(profile.orderable_assays()))
    }
}

impl FromIterator<Arc<Profile>> for Profiles {
    fn from_iter<I: IntoIterator<Item = Arc<Profile>>>(profiles: I) -> Self {
        Self(profiles.into_iter().map(|profile| (profile.reference().clone(), profile)).collect())
    }
}

//! What of the ledger takes memory, and the most that each part takes.

use crate::committer::COMMIT_BYTES_MAX;
use crate::fold_store::BATCH_BYTES_MAX;
use crate::handoff::{HANDOFF_BYTES_MAX, TAKE_BYTES_MAX};
use crate::journal::{GROUP_BYTES_MAX, POINT_EVERY_BYTES};
use crate::settings::StateStore;
use crate::state::{GATHERED_BYTES_MAX, SEGMENT_BYTES};
use crate::{Ledger, Settings};

/// An entry in memory beside its encoded bytes: the draft, its identifiers, its place.
const BESIDE_ENCODED: u64 = 2;
/// Small changes take more in a map than their bytes, and stand there twice while they are handed on.
const GATHERED_FACTOR: u64 = 6;
/// The cache of the state store counts pages, not what surrounds them; measured on sled 0.34.7.
const CACHE_FACTOR: u64 = 3;
/// Buffers of the state store that may be on their way to the disk at once.
const STORE_BUFFERS: u64 = 4;
/// A point of the index: a place and a sequence number, for entries and for groups, in lists that grow by doubling.
const POINT_BYTES: u64 = 64;

/// A part of the ledger that takes memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryPart {
    /// What it is.
    pub name: &'static str,
    /// The most bytes it takes.
    pub bytes_max: u64,
}

impl Ledger {
    /// The parts that take memory, each with its bound. The index grows with the journal: 0.2 % of it.
    #[must_use]
    pub fn memory_parts(&self) -> Vec<MemoryPart> {
        parts(self.settings(), self.status().journal_bytes)
    }
}

fn parts(settings: &Settings, journal_bytes: u64) -> Vec<MemoryPart> {
    let part = |name, bytes_max| MemoryPart { name, bytes_max };
    let mut parts = vec![
        part("entries that wait for the disk", settings.queue_bytes_max as u64 * BESIDE_ENCODED),
        // A long one may follow another.
        part("the group being written and the next", 2 * COMMIT_BYTES_MAX.max(GROUP_BYTES_MAX) as u64),
        part(
            "entries on their way to the state",
            (HANDOFF_BYTES_MAX + TAKE_BYTES_MAX) as u64 * BESIDE_ENCODED,
        ),
        part("the batch of changes", BATCH_BYTES_MAX as u64 * BESIDE_ENCODED),
        part("the index of the journal", journal_bytes / POINT_EVERY_BYTES * POINT_BYTES),
    ];
    match settings.state {
        StateStore::Sled => parts.extend([
            part("changes gathered for the state store", GATHERED_BYTES_MAX as u64 * GATHERED_FACTOR),
            part("the state store's cache", settings.cache_bytes * CACHE_FACTOR),
            part("the state store's buffers", SEGMENT_BYTES as u64 * STORE_BUFFERS),
        ]),
        StateStore::Memory => {}
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_has_a_bound_and_only_the_index_grows_with_the_journal() {
        let settings = Settings::new("nowhere");
        let (none, large) = (parts(&settings, 0), parts(&settings, 1 << 40));
        for (before, after) in none.iter().zip(&large) {
            assert_eq!(before.bytes_max != after.bytes_max, before.name.contains("index"), "{before:?}");
        }
        assert!(large.iter().all(|part| part.bytes_max > 0));
        let memory = Settings { state: StateStore::Memory, ..settings };
        assert!(parts(&memory, 0).iter().all(|part| !part.name.contains("store")));
    }
}

//! Kits: what is kept of them, and which were in force when.

use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, KitsRecord, RunJudged, collect, decode, record, seq};
use crate::{KitRef, KitsAct, Seq, What};
use vocabulary::RunId;

/// Kits that judge what comes behind an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KitsInForce {
    /// The entry.
    pub entry: Seq,
    /// The kits, by id.
    pub kits: Vec<KitRef>,
}

impl Reader {
    /// Which kits judge what from which entry on, oldest first. Empty before a station with kits first starts.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kits_in_force(&self) -> Result<Vec<KitsInForce>, ReadError> {
        let mut found = Vec::new();
        for (key, value) in collect(self.store().as_ref(), &Key::kits_in_force().under())? {
            if let Some(entry) = KeyParts::of(&key).seq() {
                let KitsRecord { kits } = decode(&value)?;
                found.push(KitsInForce { entry, kits });
            }
        }
        Ok(found)
    }

    /// By which kits a run is judged, where people said something of that.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn run_judged(&self, run: &RunId) -> Result<RunJudged, ReadError> {
        Ok(record(self.store().as_ref(), &Key::run_judged(run).done())?.unwrap_or_default())
    }

    /// The file of a kit, where the ledger keeps it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_kit(&self, kit: &KitRef) -> Result<Option<String>, ReadError> {
        let Some(at) = seq(self.store().as_ref(), &Key::kept_kit(kit).done())? else { return Ok(None) };
        let What::Kits(KitsAct::Kept { text, .. }) = self.entry(at)?.what else {
            return Err(ReadError::OtherKind { seq: at, wanted: "kit" });
        };
        Ok(Some(text))
    }
}

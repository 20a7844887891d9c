//! Kits: what is kept of them, which were in force when, and what is proposed.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, KitsInForce, KitsStand, RunJudged, collect, decode, record, seq};
use crate::{KitRef, KitsAct, Seq, What};
use serde::Serialize;
use vocabulary::RunId;

/// A kit whose content is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptKit {
    /// The entry.
    pub seq: Seq,
    /// The kit.
    pub kit: KitRef,
}

impl Reader {
    /// Which kits judge what from which entry on, oldest first. Empty before a station first starts.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kits_in_force(&self) -> Result<Vec<KitsInForce>, ReadError> {
        let all = collect(self.store().as_ref(), &Key::kits_in_force().under())?;
        Ok(all.iter().map(|(_, value)| decode(value)).collect::<Result<_, _>>()?)
    }

    /// How kits come into force, and what somebody wants next.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kits_stand(&self) -> Result<KitsStand, ReadError> {
        Ok(record(self.store().as_ref(), Key::KITS)?.unwrap_or_default())
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

    /// The kits whose content the ledger keeps, by id and hash.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_kits(&self, page: &Page<KitRef>) -> Result<Listing<KeptKit, KitRef>, ReadError> {
        let after = page.after.as_ref().map(|kit| Key::kept_kit(kit).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            Some(KitRef { id: parts.text()?.to_owned(), hash: parts.text()?.to_owned() })
        };
        let span = (Key::kept_kits().under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |key, value| {
            let at = value.first_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)));
            Ok(at.and_then(|seq| Some(KeptKit { seq, kit: cursor(key)? })))
        })
    }
}

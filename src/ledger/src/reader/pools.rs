//! Pools: their members as logs have them, and their results.

use super::page::{Listing, Page, list};
use super::{EvidenceFinding, EvidenceObservation, Interpretations, ReadError, Reader};
use crate::fold::{members, pools_of};
use crate::state::{Key, KeyParts, PoolRecord, PoolRefsRecord, RefsRecord, collect, decode, record};
use crate::{PoolMade, Seq, What};
use serde::Serialize;
use vocabulary::{ConnectionId, DonationId, Mode, PoolId};

/// A pool in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolSummary {
    /// Its number.
    pub pool: PoolId,
    /// The entry that first spoke of it.
    pub first: Seq,
    /// Donations that any log names as its members.
    pub members: Vec<DonationId>,
}

/// Members of a pool, and the message that told of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PoolMadeAt {
    /// The message.
    pub message: Seq,
    /// The entry that interpreted it.
    pub entry: Seq,
    /// The link.
    pub connection: ConnectionId,
    /// How the message may be used.
    pub mode: Mode,
    /// The file that it was, where it came in one.
    pub file: Option<String>,
    /// The members.
    #[serde(flatten)]
    pub made: PoolMade,
}

/// Everything known of a pool.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PoolView {
    /// In short.
    #[serde(flatten)]
    pub summary: PoolSummary,
    /// What logs say of its members, oldest message first.
    pub made: Vec<PoolMadeAt>,
    /// Its results, oldest message first.
    pub results: Vec<EvidenceObservation>,
    /// Findings that hold its members.
    pub findings: Vec<EvidenceFinding>,
}

impl Reader {
    /// Pools that any log names a donation as a member of.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pools_of(&self, donation: &DonationId) -> Result<Vec<PoolId>, ReadError> {
        Ok(pools_of(self.store().as_ref(), donation)?)
    }

    /// Donations that any log names as members of a pool.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn members_of(&self, pool: &PoolId) -> Result<Vec<DonationId>, ReadError> {
        Ok(members(self.store().as_ref(), pool)?)
    }

    /// Every pool, by number.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pools(&self, page: &Page<PoolId>) -> Result<Listing<PoolSummary, PoolId>, ReadError> {
        let store = self.store();
        let after = page.after.as_ref().map(|pool| Key::pool(pool).done());
        let pool_of = |key: &[u8]| KeyParts::of(key).text().and_then(|text| PoolId::new(text).ok());
        let span = (Key::pools().under(), after);
        list(store.as_ref(), span, (page.limit, page.order), pool_of, |key, value| {
            let Some(pool) = pool_of(key) else { return Ok(None) };
            let PoolRecord { first, .. } = decode(value)?;
            let members = members(store.as_ref(), &pool)?;
            Ok(Some(PoolSummary { pool, first, members }))
        })
    }

    /// Everything known of a pool; interpretations that several share are read once.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pool(&self, pool: &PoolId, known: &mut Interpretations) -> Result<Option<PoolView>, ReadError> {
        let store = self.store();
        let found: Option<PoolRecord> = record(store.as_ref(), &Key::pool(pool).done())?;
        let Some(found) = found else { return Ok(None) };
        let members = members(store.as_ref(), pool)?;
        let mut view = PoolView {
            summary: PoolSummary { pool: pool.clone(), first: found.first, members },
            made: Vec::new(),
            results: Vec::new(),
            findings: Vec::new(),
        };
        for (key, value) in collect(store.as_ref(), &Key::pool_refs(pool).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            let Some(message) = parts.seq() else { continue };
            let PoolRefsRecord { entry, made, observations, findings, .. } = decode(&value)?;
            let refs = RefsRecord { entry, observations, findings, ..RefsRecord::default() };
            let (results, held) = self.resolve(message, &refs, known)?;
            view.results.extend(results);
            view.findings.extend(held);
            if made.is_empty() {
                continue;
            }
            let file = self.file_of(message)?;
            let read = known.read(self, message, entry)?;
            let told = made.iter().filter_map(|at| read.pooled.get(usize::try_from(*at).ok()?));
            view.made.extend(told.map(|made| PoolMadeAt {
                message,
                entry,
                connection: read.connection.clone(),
                mode: read.mode,
                file: file.clone(),
                made: made.clone(),
            }));
        }
        Ok(Some(view))
    }

    /// The name of the file that a message was; nothing where it came over a line, or as one row of several.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn file_of(&self, message: Seq) -> Result<Option<String>, ReadError> {
        let Some(before) = message.get().checked_sub(1).filter(|before| *before > 0) else { return Ok(None) };
        let What::FileTaken { name, .. } = self.entry(Seq::new(before))?.what else { return Ok(None) };
        Ok(Some(name))
    }

    /// Whether a donation is registered, and when it was taken, milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn registered(&self, donation: &DonationId) -> Result<(bool, Option<i64>), ReadError> {
        let found: Option<crate::state::DonationRecord> =
            record(self.store().as_ref(), &Key::donation(donation).done())?;
        Ok(found.map_or((false, None), |found| (found.registered.is_some(), found.collected_at_ms)))
    }
}

//! Profile revisions: what is kept of them, and which one each connection reads with.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, PinRecord, ProposalRecord, collect, decode, record, seq};
use crate::{Entry, Mapping, ProfileContent, Seq, What};
use serde::Serialize;
use vocabulary::{ConnectionId, ProfileRef};

/// A profile revision whose content is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptProfile {
    /// The entry.
    pub seq: Seq,
    /// When it was written.
    pub at_ms: i64,
    /// Who brought it.
    pub by: String,
    /// The revision.
    pub profile: ProfileRef,
    /// Its content.
    #[serde(skip)]
    pub content: ProfileContent,
    /// How it was made of another revision, where a person mapped a code or a text.
    pub mapping: Option<Mapping>,
}

/// The revision that a connection reads with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pin {
    /// The link.
    pub connection: ConnectionId,
    /// The revision.
    pub profile: ProfileRef,
    /// The entry since which it does.
    pub entry: Seq,
    /// When that was written.
    pub at_ms: i64,
    /// Who wrote it.
    pub by: String,
    /// What somebody wants instead; nothing changes before another person agrees.
    pub proposed: Option<Proposal>,
}

/// A revision that somebody wants a connection to read with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The revision.
    pub profile: ProfileRef,
    /// The entry.
    pub entry: Seq,
    /// When it was written.
    pub at_ms: i64,
    /// Who wants it.
    pub by: String,
    /// Why.
    pub why: String,
}

impl From<ProposalRecord> for Proposal {
    fn from(record: ProposalRecord) -> Self {
        let ProposalRecord { profile, entry, at_ms, by, why } = record;
        Self { profile, entry, at_ms, by, why }
    }
}

impl Pin {
    fn new(connection: ConnectionId, record: PinRecord) -> Self {
        let PinRecord { profile, entry, at_ms, by, proposed } = record;
        Self { connection, profile, entry, at_ms, by, proposed: proposed.map(Into::into) }
    }
}

impl Reader {
    /// The content of a profile revision, where the ledger keeps it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_profile(&self, profile: &ProfileRef) -> Result<Option<KeptProfile>, ReadError> {
        let at = seq(self.store().as_ref(), &Key::kept_profile(profile).done())?;
        at.map(|at| self.kept_in(at)).transpose()
    }

    fn kept_in(&self, at: Seq) -> Result<KeptProfile, ReadError> {
        let Entry { seq, at_ms, by, what, .. } = self.entry(at)?;
        let What::ProfileKept { profile, content, mapping } = what else {
            return Err(ReadError::OtherKind { seq, wanted: "profile" });
        };
        Ok(KeptProfile { seq, at_ms, by, profile, content, mapping })
    }

    /// The revisions whose content the ledger keeps, by id and revision.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_profiles(
        &self,
        page: &Page<ProfileRef>,
    ) -> Result<Listing<KeptProfile, ProfileRef>, ReadError> {
        let after = page.after.as_ref().map(|profile| Key::kept_profile(profile).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            Some(ProfileRef { id: parts.text()?.to_owned(), revision: parts.text()?.to_owned() })
        };
        let span = (Key::kept_profiles().under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |_, value| {
            let at = value.first_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)));
            at.map(|at| self.kept_in(at)).transpose()
        })
    }

    /// The revision that a connection reads with; nothing before its first start.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pin(&self, connection: &ConnectionId) -> Result<Option<Pin>, ReadError> {
        let found: Option<PinRecord> = record(self.store().as_ref(), &Key::pin(connection).done())?;
        Ok(found.map(|record| Pin::new(connection.clone(), record)))
    }

    /// The revisions that all connections read with; as many as there ever were connections.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pins(&self) -> Result<Vec<Pin>, ReadError> {
        let mut pins = Vec::new();
        for (key, value) in collect(self.store().as_ref(), &Key::pins().under())? {
            let connection = KeyParts::of(&key).text().and_then(|id| ConnectionId::new(id).ok());
            if let Some(connection) = connection {
                pins.push(Pin::new(connection, decode(&value)?));
            }
        }
        Ok(pins)
    }

    /// The entries that pinned a connection, wanted another revision for it, and activated one.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn pin_history(
        &self,
        connection: &ConnectionId,
        page: &Page<Seq>,
    ) -> Result<Listing<Entry, Seq>, ReadError> {
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            parts.text();
            parts.seq()
        };
        let after = page.after.map(|seq| Key::pin_history(connection).seq(seq).done());
        let span = (Key::pin_history(connection).under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |key, _| {
            cursor(key).map(|seq| self.entry(seq)).transpose()
        })
    }
}

//! Rule packs: what is kept of them, which are in force, and what is proposed.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, RulesInForce, record, seq};
use crate::{Entry, RulesAct, Seq, What};
use release::pack::{PackRef, PackSource};
use serde::Serialize;

/// A rule pack whose content is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeptRules {
    /// The entry.
    pub seq: Seq,
    /// When it was written, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Who brought it.
    pub by: String,
    /// The pack.
    pub pack: PackRef,
    /// Its content.
    #[serde(skip)]
    pub content: PackSource,
}

impl Reader {
    /// The packs in force, and what is proposed. Empty before a station's first start.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn rules(&self) -> Result<RulesInForce, ReadError> {
        Ok(record(self.store().as_ref(), Key::RULES)?.unwrap_or_default())
    }

    /// The content of a pack, where the ledger keeps it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_pack(&self, pack: &PackRef) -> Result<Option<KeptRules>, ReadError> {
        let at = seq(self.store().as_ref(), &Key::kept_rules(pack).done())?;
        at.map(|at| self.kept_pack_in(at)).transpose()
    }

    fn kept_pack_in(&self, at: Seq) -> Result<KeptRules, ReadError> {
        let Entry { seq, at_ms, by, what, .. } = self.entry(at)?;
        let What::Rules(RulesAct::Kept { pack, content }) = what else {
            return Err(ReadError::OtherKind { seq, wanted: "rule pack" });
        };
        Ok(KeptRules { seq, at_ms, by, pack, content })
    }

    /// The packs whose content the ledger keeps, by id and hash.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn kept_packs(&self, page: &Page<PackRef>) -> Result<Listing<KeptRules, PackRef>, ReadError> {
        let after = page.after.as_ref().map(|pack| Key::kept_rules(pack).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            Some(PackRef { id: parts.text()?.to_owned(), hash: parts.text()?.to_owned() })
        };
        let span = (Key::kept_packs().under(), after);
        list(self.store().as_ref(), span, (page.limit, page.order), cursor, |_, value| {
            let at = value.first_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)));
            at.map(|at| self.kept_pack_in(at)).transpose()
        })
    }
}

//! Donations beside one another, and tubes that may be wrong.

use super::{ReadError, Reader};
use crate::state::{Key, KeyParts, Span, collect, decode, record};
use serde::Serialize;
use std::ops::ControlFlow;
use vocabulary::DonationId;

/// A donation whose tube may be wrong, taken beside another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SuspectedBeside {
    /// The donation.
    pub donation: DonationId,
    /// Whether it was grouped again and agrees.
    pub settled: bool,
}

impl Reader {
    /// Donations taken beside this one whose tubes may be wrong.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn suspected_beside(&self, donation: &DonationId) -> Result<Vec<SuspectedBeside>, ReadError> {
        let rows = collect(self.store().as_ref(), &Key::suspected_beside(donation).under())?;
        let mut found = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            let mut parts = KeyParts::of(&key);
            parts.text();
            let other = parts.text().and_then(|text| DonationId::new(text).ok());
            let settled = decode(&value)?;
            found.extend(other.map(|donation| SuspectedBeside { donation, settled }));
        }
        Ok(found)
    }

    /// The donations that wait because this one's tube may be wrong, while that stands.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn wrong_tube(&self, donation: &DonationId) -> Result<Option<Vec<DonationId>>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::wrong_tube(donation).done())?)
    }

    /// The donations taken just before and just after this one, at most `within_ms` apart from it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn taken_beside(
        &self,
        donation: &DonationId,
        at_ms: i64,
        within_ms: i64,
    ) -> Result<Vec<DonationId>, ReadError> {
        let key = |ms: i64| Key::collected().number(u64::try_from(ms).unwrap_or(0));
        let here = key(at_ms).text(donation.as_str()).done();
        let mut behind = here.clone();
        behind.push(0);
        let before = Span { from: key(at_ms.saturating_sub(within_ms)).done(), to: here, backwards: true };
        let after = Span {
            from: behind,
            to: key(at_ms.saturating_add(within_ms).saturating_add(1)).done(),
            backwards: false,
        };
        let mut found = Vec::new();
        for span in [before, after].into_iter().filter(|span| span.from < span.to) {
            self.store().walk(&span, &mut |key, _| {
                let mut parts = KeyParts::of(key);
                parts.number();
                found.extend(parts.text().and_then(|text| DonationId::new(text).ok()));
                ControlFlow::Break(())
            })?;
        }
        Ok(found)
    }
}

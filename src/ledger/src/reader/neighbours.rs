//! Donations beside one another, and tubes that may be wrong.

use super::{ReadError, Reader};
use crate::state::{DonationRecord, Key, KeyParts, Span, WrongTube, collect, decode, record};
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

    /// What waits, or waited, because this one's tube may be wrong; nothing where nobody suspected it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn wrong_tube(&self, donation: &DonationId) -> Result<Option<WrongTube>, ReadError> {
        Ok(record(self.store().as_ref(), &Key::wrong_tube(donation).done())?)
    }

    /// The donations taken just before and just after this one, at most `within_ms` apart from it: on each side so many of the
    /// same session, and so many of which nobody has said in which session they were taken. Where that is not known of this
    /// one, whatever was taken next to it.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn taken_beside(
        &self,
        donation: &DonationId,
        (at_ms, within_ms): (i64, i64),
        (session, each_side): (Option<&str>, usize),
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
        let store = self.store();
        let mut found = Vec::new();
        for span in [before, after].into_iter().filter(|span| span.from < span.to) {
            let mut near = Vec::new();
            store.walk(&span, &mut |key, _| {
                let mut parts = KeyParts::of(key);
                parts.number();
                near.extend(parts.text().and_then(|text| DonationId::new(text).ok()));
                // Without a session the nearest ones are all that is asked for.
                let enough = session.is_none() && near.len() >= each_side;
                if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
            let (mut same, mut unknown) = (0, 0);
            for other in near {
                let known: Option<DonationRecord> = record(store.as_ref(), &Key::donation(&other).done())?;
                let of_other = known.and_then(|known| known.session);
                let count = match (session, of_other.as_deref()) {
                    (Some(own), Some(other)) if own != other => continue,
                    (Some(_), Some(_)) => &mut same,
                    (None, _) | (_, None) => &mut unknown,
                };
                if *count < each_side {
                    *count += 1;
                    found.push(other);
                }
                if same >= each_side {
                    break;
                }
            }
        }
        Ok(found)
    }
}

//! Components of donations.

use super::{ReadError, Reader};
use crate::LookbackId;
use crate::state::{Components, Key, KeyParts, Lookback, collect, record};
use vocabulary::DonationId;

impl Reader {
    /// The components of a donation, by product code; none where nobody registered any.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn components(&self, donation: &DonationId) -> Result<Components, ReadError> {
        Ok(record(self.store().as_ref(), &Key::components(donation).done())?.unwrap_or_default())
    }

    /// The look-backs that a donation is looked up for, closed ones too.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn lookbacks_at(&self, earlier: &DonationId) -> Result<Vec<Lookback>, ReadError> {
        let mut found = Vec::new();
        for (key, _) in collect(self.store().as_ref(), &Key::lookbacks_at(earlier).under())? {
            let mut parts = KeyParts::of(&key);
            let trigger = parts.text().and_then(|_| parts.text()).and_then(|text| DonationId::new(text).ok());
            let Some((trigger, marker)) = trigger.zip(parts.text()) else { continue };
            let id = LookbackId { trigger, marker: marker.to_owned(), earlier: earlier.clone() };
            found.extend(self.lookback(&id)?);
        }
        Ok(found)
    }
}

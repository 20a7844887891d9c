//! Work to do, oldest first.

use super::page::{Listing, Page, list};
use super::{ReadError, Reader};
use crate::Seq;
use crate::state::{Key, KeyParts};
use serde::Serialize;
use vocabulary::DonationId;

/// A message to be interpreted. Ended by the last `MessageInterpreted` of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct InterpretItem {
    /// The message.
    pub message: Seq,
}

/// A donation to be decided. Ended by a verdict, or word of none, that considered everything up to `since`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DecideItem {
    /// The entry that first asked for it.
    pub first: Seq,
    /// The entry that last asked for it.
    pub since: Seq,
    /// The donation.
    pub donation: DonationId,
}

impl Reader {
    /// Messages to be interpreted.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn to_interpret(&self, page: &Page<Seq>) -> Result<Listing<InterpretItem, Seq>, ReadError> {
        let after = page.after.map(|seq| Key::to_interpret().seq(seq).done());
        let seq = |key: &[u8]| KeyParts::of(key).seq();
        list(
            self.store().as_ref(),
            (Key::to_interpret().under(), after),
            (page.limit, page.order),
            seq,
            |key, _| Ok(seq(key).map(|message| InterpretItem { message })),
        )
    }

    /// Donations to be decided. The cursor is the item's `first` and donation.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn to_decide(
        &self,
        page: &Page<(Seq, DonationId)>,
    ) -> Result<Listing<DecideItem, (Seq, DonationId)>, ReadError> {
        let after = page.after.as_ref().map(|(first, donation)| Key::decide_work(*first, donation).done());
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            Some((parts.seq()?, DonationId::new(parts.text()?).ok()?))
        };
        list(
            self.store().as_ref(),
            (Key::to_decide().under(), after),
            (page.limit, page.order),
            cursor,
            |key, value| {
                let since = value.first_chunk::<8>().map(|b| Seq::new(u64::from_be_bytes(*b)));
                let item = cursor(key).zip(since);
                Ok(item.map(|((first, donation), since)| DecideItem { first, since, donation }))
            },
        )
    }
}

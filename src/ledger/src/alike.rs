//! Donation numbers of which one is the other's beginning: one may be the other, cut off by a reader
//! (protocols §4.5). They are never matched; a new one asks for a new decision of those that were there.

use crate::state::{Key, KeyParts, Read, StateError};
use std::ops::ControlFlow;
use vocabulary::DonationId;

/// Most numbers that are looked at behind one beginning.
const ALIKE_MAX: usize = 10_000;

/// The donations that are known whose number begins `donation`, or is begun by it.
pub(crate) fn alike(read: &dyn Read, donation: &DonationId) -> Result<Vec<DonationId>, StateError> {
    let mut found = Vec::new();
    for shorter in donation.beginnings() {
        if read.get(&Key::donation(&shorter).done())?.is_some() {
            found.push(shorter);
        }
    }
    if donation.may_be_a_beginning() {
        read.walk(&Key::donations_begun_by(donation).under(), &mut |key, _| {
            let longer = KeyParts::of(key).text().and_then(|text| DonationId::new(text).ok());
            found.extend(longer.filter(|longer| longer != donation));
            if found.len() < ALIKE_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    Ok(found)
}

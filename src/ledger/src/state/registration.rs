//! The registration that stands of a donation, and what was not taken of later ones.

use crate::Seq;
use serde::{Deserialize, Serialize};
use vocabulary::{DonationRegistration, RegistrationPart};

/// Registrations of one donation that are named as not taken; the first ones are.
const UNTAKEN_MAX: usize = 20;

/// The registration of a donation that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registered {
    /// The entry that it was taken from.
    pub seq: Seq,
    /// What stands.
    pub registration: DonationRegistration,
    /// Later registrations that say another thing, or hold less: of those nothing was taken but what holds more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub untaken: Vec<Untaken>,
}

/// A registration that did not take the place of the one that stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Untaken {
    /// Its entry.
    pub entry: Seq,
    /// In what it differs.
    pub parts: Vec<RegistrationPart>,
}

impl Registered {
    /// What stands after `later` came in the entry `seq`; whether it was taken.
    pub(crate) fn after(known: Option<Self>, later: &DonationRegistration, seq: Seq) -> (Self, bool) {
        let Some(mut known) = known else {
            return (Self { seq, registration: later.clone(), untaken: Vec::new() }, true);
        };
        let parts = known.registration.eased_by(later);
        if parts.is_empty() {
            return (Self { seq, registration: later.clone(), ..known }, true);
        }
        known.registration = known.registration.graver_of(later);
        if known.untaken.len() < UNTAKEN_MAX {
            known.untaken.push(Untaken { entry: seq, parts });
        }
        (known, false)
    }
}

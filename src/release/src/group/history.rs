//! Groups of the donor's earlier donations: what the register sends, and what this ledger's own verdicts say (rules.md §1.6, G4).

use crate::evidence::Donor;
use vocabulary::{AboGroup, BloodGroup, DonationId};

/// Every group that was ever found or told, the register's first; a donation where it is one's own.
fn all(donor: &Donor) -> impl Iterator<Item = (BloodGroup, Option<&DonationId>)> {
    let register = donor.history.map(|group| (group, None));
    let earlier = donor.earlier.iter();
    register.into_iter().chain(earlier.filter_map(|one| Some((one.group?.group(), Some(&one.donation)))))
}

/// Groups that stand for themselves: the register's, and those of final verdicts.
fn proven(donor: &Donor) -> impl Iterator<Item = BloodGroup> {
    let finals = donor.earlier.iter().filter_map(|one| one.group).filter(|group| group.is_final);
    donor.history.into_iter().chain(finals.map(crate::evidence::EarlierGroup::group))
}

/// The first earlier group that `now` is not.
pub(super) fn against(donor: &Donor, now: BloodGroup) -> Option<(BloodGroup, Option<&DonationId>)> {
    all(donor).find(|(before, _)| {
        matches!((now.abo, before.abo), (Some(a), Some(b)) if a != b)
            || matches!((now.rhd, before.rhd), (Some(a), Some(b)) if a != b)
    })
}

/// Whether one of them is whole: then one determination that agrees with all of them is enough for a donor who is known.
pub(super) fn is_whole(donor: &Donor) -> bool {
    proven(donor).any(|group| group.abo.is_some() && group.rhd.is_some())
}

/// Whether the donor was of this ABO group before.
pub(super) fn has_abo(donor: &Donor, abo: AboGroup) -> bool {
    proven(donor).any(|group| group.abo == Some(abo))
}

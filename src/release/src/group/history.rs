//! Groups of the donor's earlier donations: what the register sends, and what this ledger's own verdicts say (rules.md §1.6, G4).

use super::columns::Determination;
use crate::evidence::{Donor, EarlierDonation, Resolution};
use vocabulary::{BloodGroup, DonationId};

/// Every group that was ever found or told, the register's first; a donation where it is one's own.
fn all(donor: &Donor) -> impl Iterator<Item = (BloodGroup, Option<&DonationId>)> {
    let register = donor.history.map(|group| (group, None));
    let earlier = donor.earlier.iter();
    register
        .into_iter()
        .chain(earlier.filter_map(|one| Some((one.standing_group()?.group(), Some(&one.donation)))))
}

/// Groups that stand for themselves: the register's, and those of final verdicts.
fn proven(donor: &Donor) -> impl Iterator<Item = BloodGroup> {
    let finals =
        donor.earlier.iter().filter_map(EarlierDonation::standing_group).filter(|group| group.is_final);
    donor.history.into_iter().chain(finals.map(crate::evidence::EarlierGroup::group))
}

/// Earlier groups that `now` is not.
pub(super) fn differing(
    donor: &Donor,
    now: BloodGroup,
) -> impl Iterator<Item = (BloodGroup, Option<&DonationId>)> {
    all(donor).filter(move |(before, _)| {
        matches!((now.abo, before.abo), (Some(a), Some(b)) if a != b)
            || matches!((now.rhd, before.rhd), (Some(a), Some(b)) if a != b)
    })
}

/// Whether one of them is whole: then one determination that agrees with all of them is enough for a donor who is known.
pub(super) fn is_whole(donor: &Donor) -> bool {
    proven(donor).any(|group| group.abo.is_some() && group.rhd.is_some())
}

/// Usable determinations that say all of `now`.
pub(super) fn saying<'d, 'e>(
    all: &'d [Determination<'e>],
    now: BloodGroup,
) -> impl DoubleEndedIterator<Item = &'d Determination<'e>> {
    let whole = now.abo.is_some() && now.rhd.is_some();
    all.iter().filter(move |one| whole && one.is_usable() && one.group() == now)
}

/// Whether tube and bag segment both say `now`: then it is the same blood.
pub(super) fn bag_agrees(all: &[Determination<'_>], now: BloodGroup) -> bool {
    saying(all, now).any(Determination::is_of_segment) && saying(all, now).any(|one| !one.is_of_segment())
}

/// The determination from the segment by which two people found earlier groups to be wrong, and what they said.
pub(super) fn setting_aside<'e>(
    all: &[Determination<'e>],
    now: BloodGroup,
) -> Option<(&'e [BloodGroup], &'e Resolution)> {
    let closed = |one: &Determination<'e>| one.grouping.resolves.as_ref().filter(|said| said.is_given());
    let by = saying(all, now)
        .rfind(|one| one.is_of_segment() && closed(one).is_some() && !one.grouping.sets_aside.is_empty())?;
    let said = closed(by)?;
    bag_agrees(all, now).then_some((by.grouping.sets_aside.as_slice(), said))
}

//! Donations that wait because a tube beside theirs may be wrong (rules.md §1.6, G4).

use super::{Fold, Folded};
use crate::state::Key;
use vocabulary::DonationId;

impl Fold<'_, '_> {
    pub(super) fn wrong_tube(
        &mut self,
        donation: &DonationId,
        neighbours: &[DonationId],
        stands: bool,
    ) -> Folded {
        for neighbour in neighbours {
            let key = Key::suspected_beside(neighbour).text(donation.as_str());
            self.view.put_record(key.done(), &!stands)?;
            self.reopen(neighbour)?;
        }
        let key = Key::wrong_tube(donation).done();
        if stands {
            self.view.put_record(key, &neighbours)
        } else {
            self.view.delete(key);
            Ok(())
        }
    }
}

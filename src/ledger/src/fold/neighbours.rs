//! Donations that wait because a tube beside theirs may be wrong (rules.md §1.6, G4).

use super::{Fold, Folded};
use crate::state::{DonationRecord, Key, KeyParts, SESSION_MS, WrongTube, collect, record};
use vocabulary::DonationId;

fn taken(ms: i64) -> Key {
    Key::suspected_at().number(u64::try_from(ms).unwrap_or(0))
}

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
        let mut suspected: WrongTube = record(self.view, &key)?.unwrap_or_default();
        suspected.stands = stands;
        for neighbour in neighbours {
            if !suspected.neighbours.contains(neighbour) {
                suspected.neighbours.push(neighbour.clone());
            }
        }
        self.view.put_record(key, &suspected)?;
        let found: Option<DonationRecord> = record(self.view, &Key::donation(donation).done())?;
        if let Some(at_ms) = found.and_then(|found| found.collected_at_ms) {
            self.mark(taken(at_ms).text(donation.as_str()));
        }
        // What was registered beside it while this was written is found when it is judged again.
        self.reopen(donation)
    }

    /// A donation is known to be taken at this time: who was suspected about then may have one more beside it.
    pub(super) fn reopen_suspected_beside(&mut self, donation: &DonationId, at_ms: i64) -> Folded {
        let mut span = Key::suspected_at().under();
        span.from = taken(at_ms.saturating_sub(SESSION_MS)).done();
        span.to = taken(at_ms.saturating_add(SESSION_MS).saturating_add(1)).done();
        for (key, _) in collect(self.view, &span)? {
            let mut parts = KeyParts::of(&key);
            parts.number();
            let suspected = parts.text().and_then(|text| DonationId::new(text).ok());
            if let Some(suspected) = suspected.filter(|suspected| suspected != donation) {
                self.reopen(&suspected)?;
            }
        }
        Ok(())
    }
}

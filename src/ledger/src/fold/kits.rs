//! Kits: kept once, adopted once without people, and put in force by two from an entry on.

use super::{Fold, Folded};
use crate::state::{Key, KitsInForce, KitsProposal, KitsStand, Read, StateError, record};
use crate::{KitRef, KitsAct, Seq};

impl Fold<'_, '_> {
    pub(super) fn kits(&mut self, act: &KitsAct) -> Folded {
        match act {
            KitsAct::Kept { kit, .. } => {
                let key = Key::kept_kit(kit).done();
                // The first entry of a content stays the one that is read.
                if self.view.get(&key)?.is_none() {
                    self.view.put(key, self.seq.get().to_be_bytes().to_vec());
                }
                Ok(())
            }
            // Once people are asked, no configuration puts anything in force any more.
            KitsAct::InForce { kits } => {
                if self.kits_stand()?.adopted || !self.are_kept(kits)? {
                    self.misfit();
                    return Ok(());
                }
                self.put_kits_in_force(kits, None)
            }
            KitsAct::Adopted { kits } => {
                if self.kits_stand()?.adopted || !self.are_kept(kits)? {
                    self.misfit();
                    return Ok(());
                }
                self.view.put_record(Key::KITS.to_vec(), &KitsStand { adopted: true, proposed: None })?;
                self.put_kits_in_force(kits, None)
            }
            KitsAct::Proposed { kits, from_ms, why } => self.kits_proposed(kits, *from_ms, why),
            KitsAct::Activated { kits, proposed } => self.kits_activated(kits, *proposed),
        }
    }

    pub(super) fn is_of_person(&self) -> bool {
        self.by.starts_with("user:")
    }

    fn kits_stand(&self) -> Result<KitsStand, StateError> {
        Ok(record(self.view, Key::KITS)?.unwrap_or_default())
    }

    fn are_kept(&self, kits: &[KitRef]) -> Result<bool, StateError> {
        for kit in kits {
            if self.view.get(&Key::kept_kit(kit).done())?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn put_kits_in_force(&mut self, kits: &[KitRef], proposed: Option<KitsProposal>) -> Folded {
        let record = KitsInForce { kits: kits.to_vec(), done: self.done(), proposed };
        self.view.put_record(Key::kits_in_force().seq(self.seq).done(), &record)
    }

    fn kits_proposed(&mut self, kits: &[KitRef], from_ms: Option<i64>, why: &str) -> Folded {
        if !self.is_of_person() || !self.kits_stand()?.adopted || !self.are_kept(kits)? {
            self.misfit();
            return Ok(());
        }
        let done = self.done();
        let proposed = Some(KitsProposal { kits: kits.to_vec(), from_ms, done, why: why.to_owned() });
        self.view.put_record(Key::KITS.to_vec(), &KitsStand { adopted: true, proposed })
    }

    /// Whoever wrote the entry: without a standing proposal of somebody else, of these very kits, nothing changes (law 10).
    fn kits_activated(&mut self, kits: &[KitRef], proposed: Seq) -> Folded {
        let by = self.done().by;
        let fits = |p: &KitsProposal| {
            let same = p.done.entry == proposed && p.kits == kits;
            same && self.is_of_person() && p.done.by != by && p.stands(self.at_ms)
        };
        let Some(proposal) = self.kits_stand()?.proposed.filter(fits) else {
            self.misfit();
            return Ok(());
        };
        self.view.put_record(Key::KITS.to_vec(), &KitsStand { adopted: true, proposed: None })?;
        self.put_kits_in_force(kits, Some(proposal))
    }
}

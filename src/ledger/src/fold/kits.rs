//! Kits: kept once, and in force from an entry on.

use super::{Fold, Folded};
use crate::KitsAct;
use crate::state::{Key, KitsRecord, Read};

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
            KitsAct::InForce { kits } => {
                for kit in kits {
                    if self.view.get(&Key::kept_kit(kit).done())?.is_none() {
                        self.misfit();
                        return Ok(());
                    }
                }
                let record = KitsRecord { kits: kits.clone() };
                self.view.put_record(Key::kits_in_force().seq(self.seq).done(), &record)
            }
        }
    }
}

//! Rule packs: kept, adopted once without people, and put in force by two.

use super::{Fold, Folded};
use crate::RulesAct;
use crate::state::{InForce, Key, KeyParts, Read, RulesInForce, RulesProposal, StateError, collect, record};
use release::pack::PackRef;
use vocabulary::DonationId;

impl Fold<'_, '_> {
    pub(super) fn rules(&mut self, act: &RulesAct) -> Folded {
        match act {
            RulesAct::Kept { pack, .. } => {
                let key = Key::kept_rules(pack).done();
                // The first entry of a content stays the one that is read.
                if self.view.get(&key)?.is_none() {
                    self.view.put(key, self.seq.get().to_be_bytes().to_vec());
                }
                Ok(())
            }
            RulesAct::Adopted { pack } => self.rules_adopted(pack),
            RulesAct::Proposed { pack, from_ms, why } => self.rules_proposed(pack, *from_ms, why),
            RulesAct::Activated { pack, proposed } => {
                let fits = |p: &RulesProposal| p.entry == *proposed && p.pack == *pack && p.by != self.by;
                let mut rules = self.rules_record()?;
                if let Some(proposal) = rules.proposed.take().filter(fits) {
                    self.rules_activated(rules, proposal)
                } else {
                    // Whoever wrote the entry: without a proposal of somebody else nothing changes (law 10).
                    self.misfit();
                    Ok(())
                }
            }
        }
    }

    fn rules_record(&self) -> Result<RulesInForce, StateError> {
        Ok(record(self.view, Key::RULES)?.unwrap_or_default())
    }

    fn is_kept_pack(&self, pack: &PackRef) -> Result<bool, StateError> {
        Ok(self.view.get(&Key::kept_rules(pack).done())?.is_some())
    }

    fn put_in_force(&self, pack: &PackRef, from_ms: i64, proposed: Option<RulesProposal>) -> InForce {
        InForce {
            pack: pack.clone(),
            from_ms,
            entry: self.seq,
            at_ms: self.at_ms,
            by: self.by.to_owned(),
            proposed,
        }
    }

    /// Once, from the beginning; whatever comes after needs two people.
    fn rules_adopted(&mut self, pack: &PackRef) -> Folded {
        let mut rules = self.rules_record()?;
        if !rules.packs.is_empty() || !self.is_kept_pack(pack)? {
            self.misfit();
            return Ok(());
        }
        rules.take(self.put_in_force(pack, 0, None));
        self.view.put_record(Key::RULES.to_vec(), &rules)
    }

    fn rules_proposed(&mut self, pack: &PackRef, from_ms: Option<i64>, why: &str) -> Folded {
        let mut rules = self.rules_record()?;
        if rules.packs.is_empty() || !self.is_kept_pack(pack)? {
            self.misfit();
            return Ok(());
        }
        rules.proposed = Some(RulesProposal {
            pack: pack.clone(),
            from_ms,
            entry: self.seq,
            at_ms: self.at_ms,
            by: self.by.to_owned(),
            why: why.to_owned(),
        });
        self.view.put_record(Key::RULES.to_vec(), &rules)
    }

    /// Never from before the second word: what was judged is not judged otherwise behind anybody's back.
    fn rules_activated(&mut self, mut rules: RulesInForce, proposal: RulesProposal) -> Folded {
        let from_ms = proposal.from_ms.map_or(self.at_ms, |from| from.max(self.at_ms));
        rules.take(self.put_in_force(&proposal.pack.clone(), from_ms, Some(proposal)));
        self.view.put_record(Key::RULES.to_vec(), &rules)?;
        let mut span = Key::collected().under();
        span.from = Key::collected().number(u64::try_from(from_ms).unwrap_or(0)).done();
        for (key, _) in collect(self.view, &span)? {
            let mut parts = KeyParts::of(&key);
            parts.number();
            if let Some(donation) = parts.text().and_then(|text| DonationId::new(text).ok()) {
                self.reopen(&donation)?;
            }
        }
        Ok(())
    }
}

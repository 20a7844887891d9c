//! Lots that were found defective: one person's word takes effect at once, another confirms it; to take it back takes two.
//!
//! Which lines a lot was ever seen on is noted with each interpretation; whatever was tested there since the lot was in use
//! is decided anew. Which of it was made with the lot, or judged by controls that were, is asked then.

use super::fitness::runs_since;
use super::interpret::Part;
use super::{Fold, Folded};
use crate::LotsAct;
use crate::state::{Key, KeyParts, LotDefect, Read, RunProposed, StateError, collect, record};
use std::collections::BTreeSet;
use vocabulary::ConnectionId;

impl Fold<'_, '_> {
    pub(super) fn lots(&mut self, act: &LotsAct) -> Folded {
        let changed = if self.is_of_person() { self.lot_after(act)? } else { None };
        let Some((lot, defect, opens)) = changed else {
            self.misfit();
            return Ok(());
        };
        let key = Key::lot_defect(&lot).done();
        let before: Option<LotDefect> = record(self.view, &key)?;
        match &defect {
            Some(defect) => self.view.put_record(key, defect)?,
            None => self.view.delete(key),
        }
        let Some(reaches) = defect.or(before).filter(|_| opens) else { return Ok(()) };
        let mut lines: BTreeSet<ConnectionId> = reaches.connections.iter().cloned().collect();
        lines.extend(lines_of(self.view, &lot)?);
        let mut runs = BTreeSet::new();
        for line in lines {
            runs.extend(runs_since(self.view, &Key::line_days(&line), reaches.since_ms)?);
        }
        runs.iter().try_for_each(|run| self.reopen_run(run))
    }

    /// The lot, how it stands after an act, and whether results are to be judged anew; nothing where the act does not fit.
    fn lot_after(&self, act: &LotsAct) -> Result<Option<(String, Option<LotDefect>, bool)>, StateError> {
        let (done, now) = (self.done(), self.at_ms);
        let known = |lot: &str| record::<LotDefect>(self.view, &Key::lot_defect(lot).done());
        Ok(match act {
            LotsAct::Defective { lot, since_ms, connections, reason } => {
                let mut defect = LotDefect {
                    lot: lot.clone(),
                    since_ms: *since_ms,
                    connections: connections.clone(),
                    done,
                    reason: reason.clone(),
                    confirmed: None,
                    reinstatement: None,
                };
                // Who declares it again makes it reach further, and never less far.
                if let Some(before) = known(lot)? {
                    defect.since_ms = defect.since_ms.min(before.since_ms);
                    defect.connections.extend(before.connections);
                    defect.connections.sort_unstable();
                    defect.connections.dedup();
                }
                Some((lot.clone(), Some(defect), true))
            }
            LotsAct::DefectConfirmed { lot, declared } => {
                let fits = |known: &LotDefect| {
                    known.done.entry == *declared && known.done.by != done.by && known.confirmed.is_none()
                };
                let defect = known(lot)?.filter(fits);
                defect.map(|known| (lot.clone(), Some(LotDefect { confirmed: Some(done), ..known }), true))
            }
            LotsAct::ReinstatementProposed { lot, declared, reason } => {
                let defect = known(lot)?.filter(|known| known.done.entry == *declared);
                let proposed = Some(RunProposed { done, reason: reason.clone() });
                defect.map(|known| (lot.clone(), Some(LotDefect { reinstatement: proposed, ..known }), false))
            }
            LotsAct::Reinstated { lot, proposed } => {
                let agreed = |one: &RunProposed| one.done.entry == *proposed && one.done.by != done.by;
                let fits = known(lot)?.is_some_and(|known| known.proposed(now).is_some_and(agreed));
                fits.then(|| (lot.clone(), None, true))
            }
        })
    }

    /// Notes the lots that a part of an interpretation names, with its line.
    pub(super) fn lots_on_line(&mut self, part: &Part<'_>) -> Folded {
        let named = part.observations.iter().flat_map(|o| &o.lots).map(|lot| lot.lot.as_str());
        for lot in named.collect::<BTreeSet<&str>>() {
            let key = Key::lot_lines(lot).text(part.of.0.as_str());
            let key = key.done();
            if self.view.get(&key)?.is_none() {
                self.view.put(key, Vec::new());
            }
        }
        Ok(())
    }
}

/// Lines that a lot was ever seen on.
pub(crate) fn lines_of(read: &dyn Read, lot: &str) -> Result<BTreeSet<ConnectionId>, StateError> {
    let rows = collect(read, &Key::lot_lines(lot).under())?;
    let line = |(key, _): &(Vec<u8>, Vec<u8>)| {
        let mut parts = KeyParts::of(key);
        parts.text().and_then(|_| parts.text()).and_then(|id| ConnectionId::new(id).ok())
    };
    Ok(rows.iter().filter_map(line).collect())
}

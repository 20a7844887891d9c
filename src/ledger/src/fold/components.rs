//! Components of donations: what was made, where each is, and recalls for what is out and may not be (R-GATE-12).

use super::signed::PASS;
use super::{Fold, Folded};
use crate::state::{
    COMPONENTS_MAX, ComponentStands, Components, DonationRecord, Issue, Kept, KeptAs, Key, KeyParts,
    Lookback, Recall, StateError, WrittenOff, collect, record,
};
use crate::{ComponentAct, ComponentMove, FoundComponents, LookbackId, Seq};
use vocabulary::DonationId;

/// Entries about one component that stands in several hands that are kept.
const ISSUES_MAX: usize = 20;

impl Fold<'_, '_> {
    pub(super) fn component_act(&mut self, act: &ComponentAct) -> Folded {
        if !self.is_of_person() {
            self.misfit();
            return Ok(());
        }
        match act {
            ComponentAct::Made { donation, components, expires, later } => {
                let mut all = self.components(donation)?;
                let done = self.done();
                let mut lapsed = false;
                for component in components {
                    let one = all.entry(component.clone());
                    let stands = one.or_insert_with(|| ComponentStands::new(done.clone()));
                    let was_lapsed = stands.was_issued_expired();
                    if expires.as_ref().is_some_and(|expires| !stands.expire(expires, *later)) {
                        self.misfit();
                    }
                    lapsed |= !was_lapsed && stands.was_issued_expired();
                }
                if all.len() > COMPONENTS_MAX {
                    self.misfit();
                    return Ok(());
                }
                self.put_components(donation, &all)?;
                // It turns out to have been given out when it was over: as where somebody had written so.
                if lapsed { self.after_issue(donation, true) } else { Ok(()) }
            }
            ComponentAct::Moved { donation, component, to } => {
                let mut all = self.components(donation)?;
                if !all.get_mut(component).is_some_and(|stands| self.moves(stands, to)) {
                    self.misfit();
                    return Ok(());
                }
                self.put_components(donation, &all)?;
                match to {
                    ComponentMove::Issued { against_rules, .. } => self.after_issue(donation, *against_rules),
                    ComponentMove::Quarantine { .. }
                    | ComponentMove::Held { .. }
                    | ComponentMove::Missing { .. }
                    | ComponentMove::Discarded { .. }
                    | ComponentMove::WrittenOff { .. } => Ok(()),
                }
            }
        }
    }

    /// Those of a failing unit that were found and taken out with it.
    pub(super) fn components_found(&mut self, found: &[FoundComponents], reason: &str) -> Folded {
        for FoundComponents { donation, components } in found {
            let mut all = self.components(donation)?;
            for component in components {
                let to = ComponentMove::Discarded { reason: reason.to_owned() };
                // One that was given out in between was not found, whoever counted.
                let here = all.get_mut(component).filter(|stands| !stands.is_out());
                if !here.is_some_and(|stands| self.moves(stands, &to)) {
                    self.misfit();
                }
            }
            self.put_components(donation, &all)?;
        }
        Ok(())
    }

    /// Moves a component; false where it does not fit. What was taken out is out for good, and only a fact that somebody
    /// wrote down against the rules says otherwise.
    fn moves(&self, stands: &mut ComponentStands, to: &ComponentMove) -> bool {
        let done = self.done();
        let discarded = stands.is_discarded();
        let gone = discarded || stands.written_off.is_some();
        let mut keep = |as_: KeptAs, reason: &String| {
            // It came back: whoever had it has it no longer.
            stands.issued.clear();
            stands.kept = Some(Kept { as_, done: done.clone(), reason: reason.clone() });
            true
        };
        match to {
            ComponentMove::Issued { consignee, at_ms, against_rules } => {
                let issued_at_ms = at_ms.unwrap_or(self.at_ms);
                let stays =
                    gone || stands.kept.is_some() || stands.is_out() || stands.is_expired(issued_at_ms);
                let fits = *against_rules || !stays;
                let room = stands.issued.len() < ISSUES_MAX;
                if fits && room {
                    stands.issued.push(Issue { consignee: consignee.clone(), issued_at_ms, done });
                }
                fits && room
            }
            ComponentMove::Discarded { reason } => keep(KeptAs::Discarded, reason),
            ComponentMove::Held { reason } => !gone && keep(KeptAs::Held, reason),
            ComponentMove::Missing { reason } => !gone && keep(KeptAs::Missing, reason),
            ComponentMove::Quarantine { .. } => {
                if !gone {
                    stands.issued.clear();
                    stands.kept = None;
                }
                !gone
            }
            ComponentMove::WrittenOff { reason } => {
                if !discarded {
                    stands.issued.clear();
                    (stands.kept, stands.written_off) =
                        (None, Some(WrittenOff { done, reason: reason.clone() }));
                }
                !discarded
            }
        }
    }

    pub(super) fn components(&self, donation: &DonationId) -> Result<Components, StateError> {
        Ok(record(self.view, &Key::components(donation).done())?.unwrap_or_default())
    }

    fn put_components(&mut self, donation: &DonationId, all: &Components) -> Folded {
        self.view.put_record(Key::components(donation).done(), all)?;
        self.reopen(donation)
    }

    /// Whether something of a donation was given out.
    pub(super) fn is_out(&self, donation: &DonationId) -> Result<bool, StateError> {
        Ok(self.components(donation)?.values().any(ComponentStands::is_out))
    }

    /// Something was given out: it is called back where it may not have been, by whoever wrote it, by the verdict that
    /// stands, or by a look-back that keeps it here, or that was closed before anybody had told of it.
    fn after_issue(&mut self, donation: &DonationId, against_rules: bool) -> Folded {
        let found: Option<DonationRecord> = record(self.view, &Key::donation(donation).done())?;
        let latest = found.and_then(|found| found.latest);
        let passes = latest.as_ref().is_some_and(|verdict| verdict.unit == PASS);
        if passes && !against_rules && !self.was_looked_up(donation)? {
            return Ok(());
        }
        let unit = latest.map_or_else(|| "hold".to_owned(), |verdict| verdict.unit);
        self.call_back_once(donation, None, unit)
    }

    /// Whether a look-back at a donation keeps it here, or was closed when what this entry tells of was out already.
    fn was_looked_up(&self, donation: &DonationId) -> Result<bool, StateError> {
        let all = self.components(donation)?;
        let told = all.values().flat_map(|one| &one.issued).filter(|issue| issue.done.entry == self.seq);
        let first = told.map(|issue| issue.issued_at_ms).min();
        let Some(first) = first else { return Ok(false) };
        for (key, _) in collect(self.view, &Key::lookbacks_at(donation).under())? {
            let mut parts = KeyParts::of(&key);
            let trigger = parts.text().and_then(|_| parts.text()).and_then(|text| DonationId::new(text).ok());
            let Some((trigger, marker)) = trigger.zip(parts.text()) else { continue };
            let id = LookbackId { trigger, marker: marker.to_owned(), earlier: donation.clone() };
            let found: Option<Lookback> = record(self.view, &Key::lookback(&id).done())?;
            let Some(found) = found else { continue };
            if found.bars() || found.closed_at_ms().is_some_and(|closed| first < closed) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Raises a recall, unless one of the donation is open: that names whatever is out.
    pub(super) fn call_back_once(
        &mut self,
        donation: &DonationId,
        released: Option<Seq>,
        unit: String,
    ) -> Folded {
        if !collect(self.view, &Key::open_recalls_of(donation).under())?.is_empty() {
            return Ok(());
        }
        self.call_back(donation, released, unit)
    }

    /// Raises a recall. It goes by the number of this entry.
    pub(super) fn call_back(&mut self, donation: &DonationId, released: Option<Seq>, unit: String) -> Folded {
        self.counters.recalls_open += 1;
        self.mark(Key::open_recalls_of(donation).seq(self.seq));
        self.mark(Key::recalled(donation));
        let recall = Recall {
            donation: donation.clone(),
            raised_at_ms: self.at_ms,
            released,
            unit,
            closed: None,
            outcome: None,
        };
        self.view.put_record(Key::recall(self.seq).done(), &recall)
    }
}

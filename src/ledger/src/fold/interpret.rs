//! Interpretations: what a message says about which donation and which run.

use super::pools::Fellows;
use super::{Fold, Folded};
use crate::state::{
    HeldRecord, InterpretationRecord, Key, KeyParts, MessageRecord, PartRecord, PastRecord, Read, RefsRecord,
    StateError, collect, decode, long_record, record,
};
use crate::{Earlier, Known, Measured, ObservationRef, Pools, Seq, What};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{
    ConnectionId, Consequence, DonationId, Finding, Mode, Observation, OrderId, ProfileRef, RunId,
    SpecimenKind,
};

pub(super) struct Part<'e> {
    pub(super) message: Seq,
    /// The line that the message came over, what its results may be used for, and when.
    pub(super) of: (ConnectionId, Mode, i64),
    pub(super) number: u16,
    last: bool,
    profile: &'e ProfileRef,
    pub(super) observations: &'e [Observation],
    findings: &'e [Finding],
    donations: &'e [(u32, DonationId)],
    holds: &'e [(u32, DonationId)],
    orders: &'e [(u32, OrderId)],
    measured: &'e [Measured],
    continues: &'e [u64],
    pub(super) pools: &'e Pools,
}

impl Part<'_> {
    /// What is kept of the measurements behind these observations.
    fn known(&self, observations: &[u32]) -> Vec<Known> {
        let measured = self.measured.iter().filter(|m| observations.contains(&m.index));
        measured
            .map(|m| Known {
                at: ObservationRef { message: self.message, place: m.place },
                identity: m.identity,
                outcome: m.outcome,
            })
            .collect()
    }

    /// Observations that are results that came before, word for word.
    pub(super) fn sent_again(&self) -> BTreeSet<u32> {
        let repeats = self.measured.iter().filter(|m| matches!(m.earlier, Some(Earlier::RepeatOf(_))));
        repeats.map(|m| m.index).collect()
    }
}

impl Fold<'_, '_> {
    pub(super) fn interpreted(&mut self, what: &What) -> Folded {
        let What::MessageInterpreted {
            message,
            profile,
            observations,
            findings,
            donations,
            holds,
            orders,
            measured,
            continues,
            pools,
            part,
            last,
        } = what
        else {
            return Ok(());
        };
        let part = |of| Part {
            message: *message,
            of,
            number: *part,
            last: *last,
            profile,
            observations,
            findings,
            donations,
            holds,
            orders,
            measured,
            continues,
            pools,
        };
        let key = Key::message(*message).done();
        let Some(mut record) = record::<MessageRecord>(self.view, &key)? else {
            self.misfit();
            return Ok(());
        };
        let part = part((record.connection.clone(), record.mode, record.at_ms));
        let standing = record.interpretation.take();
        if part.number == 0
            && let Some(standing) = &standing
        {
            self.forget(*message, standing)?;
        }
        let again = standing.is_some();
        let so_far = standing.filter(|_| part.number > 0);
        if so_far.as_ref().map_or(0, |s| s.parts) != part.number
            || so_far.as_ref().is_some_and(|s| s.complete)
        {
            self.misfit();
            return Ok(());
        }
        let again = so_far.as_ref().map_or(again, |s| s.again);
        self.take_in(&part, again)?;
        // A reading with another revision than the one that is wanted was under way when that was asked for.
        if part.last && record.reads_with() == part.profile {
            self.end_work_of(*message, again)?;
        }
        let summed = self.summed(so_far.as_ref(), &part)?;
        if part.last && record.mode == Mode::Production && summed.worst == Some(Consequence::Quarantine) {
            self.quarantined(*message, &record.connection, record.at_ms)?;
        }
        record.interpretation = Some(InterpretationRecord { again, asked: record.asked, ..summed });
        self.view.put_record(key, &record)
    }

    fn end_work_of(&mut self, message: Seq, again: bool) -> Folded {
        let work = Key::to_interpret().seq(message).done();
        if self.view.get(&work)?.is_some() {
            self.view.delete(work);
            self.counters.to_interpret -= 1;
            self.counters.interpreted += u64::from(!again);
        }
        Ok(())
    }

    /// Notes why the message is held, where it is.
    fn held(&mut self, part: &Part<'_>, before: bool) -> Folded {
        let holding = part.findings.iter().filter(|finding| finding.consequence > Consequence::Note);
        let names: Vec<&str> = holding.map(|finding| finding.finding.as_str()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let key = Key::held_messages().seq(part.message).done();
        let mut held: HeldRecord = record(self.view, &key)?.unwrap_or_default();
        for name in names {
            *held.reasons.entry(name.to_owned()).or_default() += 1;
        }
        self.counters.held_messages += u64::from(!before);
        self.view.put_record(key, &held)
    }

    fn summed(
        &mut self,
        before: Option<&InterpretationRecord>,
        part: &Part<'_>,
    ) -> Result<InterpretationRecord, StateError> {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let worst = part.findings.iter().map(|f| f.consequence).max().max(before.and_then(|s| s.worst));
        self.held(part, before.and_then(|s| s.worst).is_some_and(|w| w > Consequence::Note))?;
        self.counters.observations += part.observations.len() as u64;
        self.counters.findings += part.findings.len() as u64;
        Ok(InterpretationRecord {
            profile: part.profile.clone(),
            entry: before.map_or(self.seq, |s| s.entry),
            at_ms: before.map_or(self.at_ms, |s| s.at_ms),
            asked: None,
            again: false,
            parts: part.number.saturating_add(1),
            complete: part.last,
            observations: count(part.observations.len()).saturating_add(before.map_or(0, |s| s.observations)),
            findings: count(part.findings.len()).saturating_add(before.map_or(0, |s| s.findings)),
            worst,
        })
    }

    fn take_in(&mut self, part: &Part<'_>, again: bool) -> Folded {
        let mut refs: BTreeMap<&DonationId, RefsRecord> = BTreeMap::new();
        for (index, donation) in part.donations {
            refs.entry(donation).or_default().observations.push(*index);
        }
        for (index, donation) in part.holds {
            refs.entry(donation).or_default().findings.push(*index);
        }
        let mut runs = BTreeSet::new();
        for (donation, mut about) in refs.iter().map(|(d, r)| (*d, r.clone())) {
            about.entry = self.seq;
            about.measured = part.known(&about.observations);
            for index in &about.observations {
                let observation = usize::try_from(*index).ok().and_then(|i| part.observations.get(i));
                if let Some(run) = observation.and_then(|o| o.run.as_ref()) {
                    self.mark(Key::run_donations(run).text(donation.as_str()).seq(part.message));
                    runs.insert(run.clone());
                }
                if let Some(observation) = observation {
                    self.result_in_channel((&part.of.0, part.of.2), observation);
                }
            }
            let key = Key::donation_refs(donation).seq(part.message).short(part.number).done();
            self.view.put_record(key, &about)?;
        }
        let controls = self.controls(part)?;
        let readings = self.readings(
            (&part.of.0, part.of.1, part.of.2),
            (part.message, part.number),
            part.observations,
        )?;
        let donations: Vec<DonationId> = refs.into_keys().cloned().collect();
        for donation in &donations {
            self.reopen(donation)?;
            self.reopen_fellows(donation, Fellows::TestedAlone)?;
        }
        let pools = self.take_in_pools(part)?;
        self.runs_reach(part)?;
        self.tested_on(part)?;
        self.lots_on_line(part)?;
        if again {
            self.read_later_ones_again(&donations, part.message)?;
        }
        for run in &controls {
            self.reopen_run(run)?;
        }
        for reading in &readings {
            self.reopen_between(reading)?;
        }
        for transfer in part.continues {
            self.continued(*transfer, Some(part.message))?;
        }
        let orders = self.results(part.message, part.observations, part.orders)?;
        let record = PartRecord {
            seq: self.seq,
            donations,
            runs: runs.into_iter().collect(),
            controls: controls.into_iter().collect(),
            orders,
            continues: part.continues.to_vec(),
            pools,
            readings,
        };
        self.view.put_long(&Key::message_parts(part.message).short(part.number), &record)
    }

    /// Notes what the part says of controls, calibrators and blanks of runs; gives those runs.
    fn controls(&mut self, part: &Part<'_>) -> Result<BTreeSet<RunId>, StateError> {
        let mut controls: BTreeMap<&RunId, RefsRecord> = BTreeMap::new();
        for (index, observation) in (0u32..).zip(part.observations) {
            let stands_for_run = match observation.kind {
                SpecimenKind::Control | SpecimenKind::Calibrator | SpecimenKind::Blank => true,
                SpecimenKind::Patient | SpecimenKind::Proficiency | SpecimenKind::Unknown => false,
            };
            if let Some(run) = observation.run.as_ref().filter(|_| stands_for_run) {
                controls.entry(run).or_default().observations.push(index);
            }
        }
        for (run, refs) in &mut controls {
            refs.entry = self.seq;
            refs.measured = part.known(&refs.observations);
            let key = Key::run_controls(run).seq(part.message).short(part.number).done();
            self.view.put_record(key, refs)?;
        }
        Ok(controls.into_keys().cloned().collect())
    }

    pub(super) fn reopen_run(&mut self, run: &RunId) -> Folded {
        let mut donations = BTreeSet::new();
        for (key, _) in collect(self.view, &Key::run_donations(run).under())? {
            let mut parts = KeyParts::of(&key);
            parts.text();
            if let Some(donation) = parts.text().and_then(|d| DonationId::new(d).ok()) {
                donations.insert(donation);
            }
        }
        for donation in &donations {
            self.reopen(donation)?;
            self.reopen_fellows(donation, Fellows::TestedAlone)?;
        }
        self.reopen_pools_of_run(run)
    }

    /// Takes back what the interpretation that stands says: another one follows. That it stood is remembered.
    fn forget(&mut self, message: Seq, standing: &InterpretationRecord) -> Folded {
        let mut number = 0;
        let mut entries = Vec::new();
        while let Some(part) =
            long_record::<PartRecord>(self.view, Key::message_parts(message).short(number))?
        {
            for donation in &part.donations {
                self.view.delete(Key::donation_refs(donation).seq(message).short(number).done());
                for run in &part.runs {
                    self.view.delete(Key::run_donations(run).text(donation.as_str()).seq(message).done());
                }
                self.reopen(donation)?;
                self.reopen_fellows(donation, Fellows::TestedAlone)?;
            }
            self.forget_pools(message, number, &part.pools)?;
            for transfer in &part.continues {
                self.continued(*transfer, None)?;
            }
            for run in &part.controls {
                self.view.delete(Key::run_controls(run).seq(message).short(number).done());
                self.reopen_run(run)?;
            }
            for reading in &part.readings {
                self.forget_reading(reading, (message, number))?;
            }
            for order in &part.orders {
                self.take_back_results(order, message)?;
            }
            self.read_later_ones_again(&part.donations, message)?;
            self.view.delete_under(Key::message_parts(message).short(number))?;
            entries.push(part.seq);
            number += 1;
        }
        let past = PastRecord { was: standing.clone(), entries, replaced_by: self.seq };
        self.view.put_long(&Key::past_interpretations(message).seq(standing.entry), &past)?;
        self.counters.observations -= u64::from(standing.observations);
        self.counters.findings -= u64::from(standing.findings);
        let held = Key::held_messages().seq(message).done();
        if self.view.get(&held)?.is_some() {
            self.view.delete(held);
            self.counters.held_messages -= 1;
        }
        self.fault_ends(message).map(drop)
    }
}

/// Reads a [`RefsRecord`].
pub(crate) fn refs(value: &[u8]) -> Result<RefsRecord, StateError> {
    decode(value)
}

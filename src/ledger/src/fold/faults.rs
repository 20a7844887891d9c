//! Faults of interfaces and the runs that they fell into (R-GATE-15).
//!
//! ```text
//!  journal  m1(run E1) … ✕ … m7(run E1) … m9(run E2)      a fault lies in E1, and not in E2:
//!           └────── E1 ──────┘                            between its first message and its last
//! ```
//! A run's last message is the last that says something new of it. Each run is told once of each fault, when the later of
//! the two comes, so that whoever decides reads the few faults of one run and never a line's history. A fault ends when the
//! message is read otherwise, when the rest of a transmission comes, or when a person has looked at it.

use super::interpret::Part;
use super::{Fold, Folded};
use crate::Seq;
use crate::state::{
    FaultKind, FaultRecord, FaultSettled, Key, KeyParts, Read, RunSpanRecord, Span, StateError,
    TransferRecord, collect, record,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vocabulary::{ConnectionId, Mode, RunId};

/// Runs of a line that began before a fault, the latest first, that are looked at for whether it fell into them. Only a fault
/// that is found late, in a message that is read again, may lie in an older one, which does not hear of it.
const RUNS_LOOKED_AT: usize = 256;

impl Fold<'_, '_> {
    /// A message came into quarantine.
    pub(super) fn quarantined(&mut self, message: Seq, connection: &ConnectionId, at_ms: i64) -> Folded {
        let kind = FaultKind::Quarantined;
        self.fault(message, &FaultRecord { connection: connection.clone(), began: message, at_ms, kind })
    }

    /// A transmission broke off; what was only tried out is no fault. Older ledgers do not say how the line was run.
    pub(super) fn broken_off(&mut self, transfer: u64, half: &TransferRecord) -> Folded {
        let production = half.terms.as_ref().is_none_or(|terms| terms.mode == Mode::Production);
        let (Some(end), true, None) = (half.ended, production, half.continued_by) else { return Ok(()) };
        let (connection, kind) = (half.connection.clone(), FaultKind::BrokenOff { transfer });
        self.fault(end.seq, &FaultRecord { connection, began: half.began, at_ms: end.at_ms, kind })
    }

    fn fault(&mut self, fault: Seq, about: &FaultRecord) -> Folded {
        self.view.put_record(Key::fault(fault).done(), about)?;
        let began = about.began.get().to_be_bytes().to_vec();
        self.view.put(Key::faults_of(&about.connection).seq(fault).done(), began);
        for run in self.runs_around(&about.connection, (about.began, fault))? {
            self.falls_into(fault, &run)?;
        }
        Ok(())
    }

    /// Runs of a line whose messages stand on both sides of a fault, or in it.
    fn runs_around(
        &self,
        connection: &ConnectionId,
        (began, ended): (Seq, Seq),
    ) -> Result<Vec<RunId>, StateError> {
        let mut span = Key::runs_begun(connection).under();
        span.to = Key::runs_begun(connection).seq(ended.next()).done();
        span.backwards = true;
        let mut earlier = Vec::new();
        self.view.walk(&span, &mut |key, _| {
            let mut parts = KeyParts::of(key);
            let run = parts.text().and_then(|_| parts.seq()).and_then(|_| parts.text());
            earlier.extend(run.and_then(|run| RunId::new(run).ok()));
            if earlier.len() < RUNS_LOOKED_AT { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut around = Vec::new();
        for run in earlier {
            let stands: Option<RunSpanRecord> = record(self.view, &Key::run_span(&run).done())?;
            around.extend(stands.filter(|span| span.last >= began).map(|_| run));
        }
        Ok(around)
    }

    fn falls_into(&mut self, fault: Seq, run: &RunId) -> Folded {
        let key = Key::run_faults(run).seq(fault);
        if self.view.get(&key.clone().done())?.is_some() {
            return Ok(());
        }
        self.mark(key);
        self.mark(Key::fault_runs(fault).text(run.as_str()));
        self.reopen_run(run)
    }

    /// Notes the runs that a part of a message speaks of: each reaches to it, and has whatever fell in between. Results
    /// that were sent before, word for word, say nothing new of a run: days later they would draw faults of other work in.
    pub(super) fn runs_reach(&mut self, part: &Part<'_>) -> Folded {
        let (connection, mode, _) = &part.of;
        if *mode != Mode::Production {
            return Ok(());
        }
        let sent_again = part.sent_again();
        let mut runs: BTreeMap<&RunId, bool> = BTreeMap::new();
        for (index, observation) in (0u32..).zip(part.observations) {
            if let Some(run) = &observation.run {
                *runs.entry(run).or_default() |= !sent_again.contains(&index);
            }
        }
        runs.into_iter()
            .try_for_each(|(run, is_news)| self.run_reaches(connection, run, (part.message, is_news)))
    }

    fn run_reaches(
        &mut self,
        connection: &ConnectionId,
        run: &RunId,
        (message, is_news): (Seq, bool),
    ) -> Folded {
        let key = Key::run_span(run).done();
        let begins = |first: Seq| Key::runs_begun(connection).seq(first).text(run.as_str());
        let faults = Key::faults_of(connection);
        let mut new = faults.clone().under();
        let span = match record::<RunSpanRecord>(self.view, &key)? {
            None => {
                self.mark(begins(message));
                new.from = faults.seq(message).done();
                RunSpanRecord { first: message, last: message }
            }
            Some(span) if message > span.last && is_news => {
                new.from = faults.seq(span.last.next()).done();
                RunSpanRecord { last: message, ..span }
            }
            // An older message was read again.
            Some(span) if message < span.first => {
                self.view.delete(begins(span.first).done());
                self.mark(begins(message));
                new.from = faults.clone().seq(message).done();
                new.to = faults.seq(span.first).done();
                RunSpanRecord { first: message, ..span }
            }
            Some(_) => return Ok(()),
        };
        self.view.put_record(key, &span)?;
        for fault in self.faults_begun_by(&new, span.last)? {
            self.falls_into(fault, run)?;
        }
        Ok(())
    }

    fn faults_begun_by(&self, span: &Span, last: Seq) -> Result<Vec<Seq>, StateError> {
        let mut found = Vec::new();
        self.view.walk(span, &mut |key, value| {
            let mut parts = KeyParts::of(key);
            let fault = parts.text().and_then(|_| parts.seq());
            let began = value.first_chunk::<8>().map(|began| Seq::new(u64::from_be_bytes(*began)));
            found.extend(fault.filter(|_| began.is_none_or(|began| began <= last)));
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// Nothing is open of it any more: whatever waited for it is decided anew. Whether there was such a fault.
    pub(super) fn fault_ends(&mut self, fault: Seq) -> Result<bool, StateError> {
        let key = Key::fault(fault).done();
        let Some(about) = record::<FaultRecord>(self.view, &key)? else { return Ok(false) };
        self.view.delete(key);
        self.view.delete(Key::faults_of(&about.connection).seq(fault).done());
        for run in self.runs_of_fault(fault)? {
            self.view.delete(Key::fault_runs(fault).text(run.as_str()).done());
            self.view.delete(Key::run_faults(&run).seq(fault).done());
            self.reopen_run(&run)?;
        }
        Ok(true)
    }

    fn runs_of_fault(&self, fault: Seq) -> Result<Vec<RunId>, StateError> {
        let keys = collect(self.view, &Key::fault_runs(fault).under())?;
        let run = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            parts.seq().and_then(|_| parts.text()).and_then(|run| RunId::new(run).ok())
        };
        Ok(keys.iter().filter_map(|(key, _)| run(key)).collect())
    }

    /// A person has looked at it. Only people do. Whoever signs for a run that it fell into is shown that, and what was
    /// signed before it does not come back.
    pub(super) fn fault_acknowledged(&mut self, fault: Seq, why: &str) -> Folded {
        let runs = self.runs_of_fault(fault)?;
        if !self.is_of_person() || !self.fault_ends(fault)? {
            self.misfit();
            return Ok(());
        }
        let settled = FaultSettled { fault, done: self.done(), why: why.to_owned() };
        for run in &runs {
            self.view.put_record(Key::run_acknowledged(run).seq(fault).done(), &settled)?;
        }
        Ok(())
    }
}

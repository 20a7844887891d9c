//! Faults of interfaces that stand open, and the runs that they fell into.

use super::page::{Listing, PAGE_ITEMS_MAX, Page, list};
use super::{ReadError, Reader};
use crate::Seq;
use crate::state::{FaultRecord, FaultSettled, HeldRecord, InterfaceFault, Key, KeyParts, decode, record};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use vocabulary::{ConnectionId, RunId};

/// Runs of one fault that are listed.
const RUNS_LISTED_MAX: usize = 200;

impl Reader {
    /// Faults that stand open: of one connection, where it is named.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn faults(
        &self,
        connection: Option<&ConnectionId>,
        page: &Page<Seq>,
    ) -> Result<Listing<InterfaceFault, Seq>, ReadError> {
        let store = self.store();
        let root = || connection.map_or_else(Key::faults, Key::faults_of);
        let cursor = |key: &[u8]| {
            let mut parts = KeyParts::of(key);
            if connection.is_some() {
                parts.text()?;
            }
            parts.seq()
        };
        let after = page.after.map(|seq| root().seq(seq).done());
        list(store.as_ref(), (root().under(), after), (page.limit, page.order), cursor, |key, _| {
            cursor(key).map_or(Ok(None), |fault| self.fault(fault))
        })
    }

    /// Faults that stand open and fell into runs, the oldest first, behind `after`: at most `limit`, and where to go on. Those
    /// that no run waits for are not looked at.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn faults_in_runs(
        &self,
        after: Option<Seq>,
        limit: usize,
    ) -> Result<Listing<InterfaceFault, Seq>, ReadError> {
        let mut span = Key::every_fault_run().under();
        let (mut items, mut last) = (Vec::new(), after);
        loop {
            if let Some(last) = last {
                span.from = Key::fault_runs(last.next()).done();
            }
            let mut found = None;
            self.store().walk(&span, &mut |key, _| {
                found = KeyParts::of(key).seq();
                ControlFlow::Break(())
            })?;
            let Some(fault) = found else { return Ok(Listing { items, next: None }) };
            if items.len() >= limit.clamp(1, PAGE_ITEMS_MAX) {
                return Ok(Listing { items, next: last });
            }
            items.extend(self.fault(fault)?);
            last = Some(fault);
        }
    }

    /// A fault that stands open.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn fault(&self, fault: Seq) -> Result<Option<InterfaceFault>, ReadError> {
        let about: Option<FaultRecord> = record(self.store().as_ref(), &Key::fault(fault).done())?;
        let Some(FaultRecord { connection, began, at_ms, kind }) = about else { return Ok(None) };
        let mut runs = Vec::new();
        self.store().walk(&Key::fault_runs(fault).under(), &mut |key, _| {
            let mut parts = KeyParts::of(key);
            let run = parts.seq().and_then(|_| parts.text()).and_then(|run| RunId::new(run).ok());
            runs.extend(run);
            if runs.len() < RUNS_LISTED_MAX { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        Ok(Some(InterfaceFault { fault, connection, kind, at_ms, began, runs }))
    }

    /// Faults that fell into a run and stand open: the first of them, at most `limit`.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn faults_of_run(&self, run: &RunId, limit: usize) -> Result<Vec<InterfaceFault>, ReadError> {
        let mut found = Vec::new();
        self.store().walk(&Key::run_faults(run).under(), &mut |key, _| {
            let mut parts = KeyParts::of(key);
            found.extend(parts.text().and_then(|_| parts.seq()));
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        let mut faults = Vec::with_capacity(found.len());
        for fault in found {
            faults.extend(self.fault(fault)?);
        }
        Ok(faults)
    }

    /// Faults that fell into a run and that people have looked at, in their order.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn faults_acknowledged_of(&self, run: &RunId) -> Result<Vec<FaultSettled>, ReadError> {
        let mut found = Vec::new();
        let mut failed = None;
        self.store().walk(&Key::run_acknowledged(run).under(), &mut |_, value| {
            match decode(value) {
                Ok(settled) => found.push(settled),
                Err(error) => failed = Some(error),
            }
            if failed.is_none() && found.len() < RUNS_LISTED_MAX {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        })?;
        failed.map_or(Ok(found), |error| Err(error.into()))
    }

    /// Names of the findings that hold or quarantine a message, and how often each is there.
    ///
    /// # Errors
    /// [`ReadError`].
    pub fn held_for(&self, message: Seq) -> Result<BTreeMap<String, u32>, ReadError> {
        let held: Option<HeldRecord> =
            record(self.store().as_ref(), &Key::held_messages().seq(message).done())?;
        Ok(held.unwrap_or_default().reasons)
    }
}

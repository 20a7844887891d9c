//! What stands behind a result: its run.

use crate::evidence::{Evidence, Qc, Run, SerologyResult, Validity};
use crate::pack::{ExternalControl, RulePack};
use std::cell::Cell;
use std::collections::BTreeSet;
use vocabulary::{LotRole, RunId};

/// What a run's state means for its results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// Valid: the result may be used.
    Good,
    /// No run named, no record of it, or nothing said of its validity. The result is judged, so that a reactive
    /// one is not overlooked, and gates 04 to 06 hold the donation.
    Unknown,
    /// Its controls are not all in: the result waits.
    Open,
    /// Quality control out (the pack says what falls).
    OutOfControl,
    /// Kit controls failed: every result is invalid and repeated (R-RUN-01, R-RUN-02).
    Invalid,
}

/// The runs of a donation's evidence.
pub(crate) struct Runs<'e> {
    /// In the order of their names.
    records: Vec<&'e Run>,
    /// Place of the record that was asked for last: results of one run stand beside each other.
    last: Cell<Option<usize>>,
    /// Reactive results of an out-of-control run stay.
    pub(crate) keep_reactive: bool,
}

impl<'e> Runs<'e> {
    pub(crate) fn new(evidence: &'e Evidence, pack: &RulePack) -> Self {
        let mut records: Vec<&Run> = evidence.runs.iter().collect();
        records.sort_unstable_by_key(|run| &run.id);
        let keep_reactive = match pack.settings().invalid.external_control.value {
            ExternalControl::AllInvalid => false,
            ExternalControl::KeepReactive => true,
        };
        Self { records, last: Cell::new(None), keep_reactive }
    }

    pub(crate) fn get(&self, run: Option<&RunId>) -> Option<&'e Run> {
        let id = run?;
        let last = self.last.get().and_then(|at| self.records.get(at));
        if let Some(record) = last.filter(|record| record.id == *id) {
            return Some(record);
        }
        let at = self.records.partition_point(|record| record.id < *id);
        let mut own = self.records.get(at..)?.iter().take_while(|record| record.id == *id);
        match (own.next(), own.next()) {
            (Some(record), None) => {
                self.last.set(Some(at));
                Some(record)
            }
            // Two records of one run: neither is believed.
            (Some(_), Some(_)) | (None, _) => None,
        }
    }

    pub(crate) fn standing(&self, run: Option<&RunId>) -> Standing {
        let Some(run) = self.get(run) else { return Standing::Unknown };
        match (run.validity, run.qc) {
            (Some(Validity::Invalid), _) => Standing::Invalid,
            (_, Some(Qc::OutOfControl)) => Standing::OutOfControl,
            (Some(Validity::Open), _) => Standing::Open,
            (None, _) => Standing::Unknown,
            (Some(Validity::Valid), Some(Qc::InControl | Qc::Released | Qc::Open) | None) => Standing::Good,
        }
    }

    /// Whether two results were made with the same reagent lots on the same analyser (R-SER-02). Each has its own: a lot or an
    /// analyser is changed within a run too. Lots that nobody knows are not the same; of a run without a record nothing is
    /// known at all, and that fails elsewhere (R-GATE-04 to 06).
    pub(crate) fn same_material(&self, one: &SerologyResult, other: &SerologyResult) -> bool {
        let (Some(one), Some(other)) = (self.made_with(one), self.made_with(other)) else { return true };
        !one.lots.is_empty() && one == other
    }

    /// What a result says that it was made with; else its run.
    fn made_with<'a>(&'a self, result: &'a SerologyResult) -> Option<Material<'a>> {
        let run = self.get(result.run.as_ref());
        let mut lots: BTreeSet<&str> = match &result.lots {
            Some(own) => own.iter().map(String::as_str).collect(),
            None => reagent_lots(run?).collect(),
        };
        lots.retain(|lot| !lot.trim().is_empty());
        let analyser = result.analyser.as_deref().or_else(|| run?.analyser.as_deref());
        Some(Material { lots, analyser })
    }
}

/// What a result was made with, and on.
#[derive(PartialEq, Eq)]
struct Material<'a> {
    lots: BTreeSet<&'a str>,
    analyser: Option<&'a str>,
}

fn reagent_lots(run: &Run) -> impl Iterator<Item = &str> {
    let reagent = |role: Option<LotRole>| matches!(role, None | Some(LotRole::Reagent));
    run.lots.iter().filter(move |lot| reagent(lot.role)).map(|lot| lot.lot.as_str())
}

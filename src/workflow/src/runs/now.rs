//! A run as it is now: what its controls come to, and what depends on it.

use super::{worse, worse_qc};
use crate::facts::{Fact, RunCheck, RunFacts, Told};
use crate::{Settings, decider};
use ledger::{
    EvidenceObservation, Interpretations, ReadError, Reader, RunInvalidation, WINDOW_MARK, whole_run,
};
use release::evidence::{Qc, Validity};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{DonationId, RunId};

/// Donations of a run that are judged to show it; a run of more is shown with these.
const DONATIONS_MAX: usize = 500;

/// A run as it is now.
#[derive(Debug, Clone, Serialize)]
pub struct RunNow {
    /// Its name.
    pub run: RunId,
    /// Whether its controls allow its results; the worst of its windows. Nothing, where no result of it is known.
    pub validity: Option<Validity>,
    /// Why not.
    pub why: Option<Told>,
    /// Its quality control; the worst of its windows.
    pub qc: Option<Qc>,
    /// Why not.
    pub qc_why: Option<Told>,
    /// Kits that judged it; none where the profile's controls did.
    pub kits: Vec<String>,
    /// What each criterion came to.
    pub checks: Vec<RunCheck>,
    /// What people said of its invalidity.
    pub invalidated: Option<RunInvalidation>,
    /// Its parts between one control and the next, where its kit judges it so.
    pub windows: Vec<WindowNow>,
    /// Controls, calibrators and blanks that came under its name.
    pub controls: Vec<EvidenceObservation>,
    /// Donations with results of it.
    pub donations: Vec<DonationId>,
    /// What depends on it: each donation with what stands for its results, at most 500.
    pub depends: Vec<DependsNow>,
}

/// A run's part between one control and the next.
#[derive(Debug, Clone, Serialize)]
pub struct WindowNow {
    /// The run's name with the time of the last control before: what verdicts name.
    pub run: RunId,
    /// Whether its controls allow its results.
    pub validity: Validity,
    /// Why not.
    pub why: Option<Told>,
    /// Its quality control.
    pub qc: Qc,
    /// Why not.
    pub qc_why: Option<Told>,
}

/// A donation that depends on a run.
#[derive(Debug, Clone, Serialize)]
pub struct DependsNow {
    /// Which.
    pub donation: DonationId,
    /// Runs and windows that stand for its results here.
    pub runs: Vec<RunId>,
    /// What is decided about it: `pass`, `hold`, `discard`.
    pub unit: Option<String>,
    /// Whether it may go, or is out already.
    pub releasable: bool,
}

/// Whether a run is this one, or a window in it.
fn is_of(id: &RunId, run: &RunId) -> bool {
    let rest = id.as_str().strip_prefix(run.as_str());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(WINDOW_MARK))
}

/// Reads a run, judged from the ledger at this moment. A window goes by its run's name, or by its own.
///
/// # Errors
/// [`ReadError`].
pub fn run_now(settings: &Settings, reader: &Reader, run: &RunId) -> Result<RunNow, ReadError> {
    let whole = whole_run(run);
    let mut view = reader.run(run)?;
    if let (true, Some(whole)) = (view.controls.is_empty() && view.donations.is_empty(), &whole) {
        view = reader.run(whole)?;
    }
    let (mut known, mut read) = (decider::Known::default(), Interpretations::default());
    let mut found: BTreeMap<RunId, RunFacts> = BTreeMap::new();
    let mut depends = Vec::new();
    for donation in view.donations.iter().take(DONATIONS_MAX) {
        let about = reader.donation_with(donation, &mut read)?;
        let verdict = about.as_ref().and_then(|about| about.summary.verdict.clone());
        let facts = decider::facts(settings, reader, donation, about, &mut known)?;
        let of_pools = facts.pools.iter().flat_map(|pool| &pool.results);
        let named = facts.observations.iter().chain(of_pools).filter_map(Fact::run);
        let runs: BTreeSet<RunId> = named.filter(|id| is_of(id, run)).cloned().collect();
        if runs.is_empty() {
            continue;
        }
        for (id, facts) in facts.runs.into_iter().filter(|(id, _)| runs.contains(id)) {
            found
                .entry(id)
                .and_modify(|before| *before = both(before.clone(), facts.clone()))
                .or_insert(facts);
        }
        depends.push(DependsNow {
            donation: donation.clone(),
            runs: runs.into_iter().collect(),
            unit: verdict.as_ref().map(|verdict| verdict.unit.clone()),
            releasable: verdict.is_some_and(|verdict| verdict.releasable),
        });
    }
    let all = found.values().cloned().reduce(both);
    let windows = found.iter().filter(|(id, _)| *id != &view.run).map(|(id, facts)| WindowNow {
        run: id.clone(),
        validity: facts.validity,
        why: facts.why.clone(),
        qc: facts.qc,
        qc_why: facts.qc_why.clone(),
    });
    Ok(RunNow {
        run: run.clone(),
        windows: windows.collect(),
        invalidated: reader.run_invalidated(run)?,
        validity: all.as_ref().map(|all| all.validity),
        why: all.as_ref().and_then(|all| all.why.clone()),
        qc: all.as_ref().map(|all| all.qc),
        qc_why: all.as_ref().and_then(|all| all.qc_why.clone()),
        kits: all.as_ref().map(|all| all.kits.clone()).unwrap_or_default(),
        checks: all.map(|all| all.checks).unwrap_or_default(),
        controls: view.controls,
        donations: view.donations,
        depends,
    })
}

/// The worse of two, and everything that was said.
fn both(mut one: RunFacts, other: RunFacts) -> RunFacts {
    one.why = Told::joined(one.why, other.why);
    one.qc_why = Told::joined(one.qc_why, other.qc_why);
    one.validity = worse(one.validity, other.validity);
    one.qc = worse_qc(one.qc, other.qc);
    one.interface = Told::joined(one.interface, other.interface);
    one.acknowledged = Told::joined(one.acknowledged, other.acknowledged);
    one.overdue = Told::joined(one.overdue, other.overdue);
    one.unserviced.extend(other.unserviced);
    one.unauthorised.extend(other.unauthorised);
    one.unrecorded.extend(other.unrecorded);
    for kit in other.kits {
        if !one.kits.contains(&kit) {
            one.kits.push(kit);
        }
    }
    one.falls.extend(other.falls);
    one.falls.sort_unstable();
    one.falls.dedup();
    for check in other.checks {
        if !one.checks.contains(&check) {
            one.checks.push(check);
        }
    }
    one
}

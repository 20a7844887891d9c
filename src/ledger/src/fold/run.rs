//! Runs that people declare invalid, or want judged by other kits. One person is enough to declare it, since that lets
//! nothing go; everything that may make a run valid again takes two.

use super::{Fold, Folded};
use crate::channel::whole_run;
use crate::state::{Key, RunInvalidation, RunJudged, RunProposed, StateError, record};
use crate::{Seq, SignedAct};
use vocabulary::RunId;

impl Fold<'_, '_> {
    pub(super) fn run_act(&mut self, act: &SignedAct) -> Folded {
        let done = self.done();
        if let SignedAct::RunInvalidated { run, reason, cause, repeated_in } = act {
            let known = self.invalidation(run)?;
            // The first word stays the one that stands; who repeats it does not want the run to be valid again.
            let stands = known.map(|known| RunInvalidation { reinstatement: None, ..known });
            let new = || RunInvalidation {
                run: run.clone(),
                done,
                reason: reason.clone(),
                cause: *cause,
                repeated_in: repeated_in.clone(),
                confirmed: None,
                reinstatement: None,
            };
            self.put_invalidation(&stands.unwrap_or_else(new))?;
            return self.reopen_part(run);
        }
        if let SignedAct::RunInvalidationConfirmed { run, invalidated } = act {
            let fits = |known: &RunInvalidation| {
                known.done.entry == *invalidated && known.done.by != done.by && known.confirmed.is_none()
            };
            let Some(known) = self.invalidation(run)?.filter(fits) else {
                self.misfit();
                return Ok(());
            };
            return self.put_invalidation(&RunInvalidation { confirmed: Some(done), ..known });
        }
        if let SignedAct::RunReinstatementProposed { run, invalidated, reason } = act {
            let proposed = RunProposed { done, reason: reason.clone() };
            let Some(known) = self.invalidation(run)?.filter(|known| known.done.entry == *invalidated) else {
                self.misfit();
                return Ok(());
            };
            return self.put_invalidation(&RunInvalidation { reinstatement: Some(proposed), ..known });
        }
        if let SignedAct::RunReinstated { run, proposed } = act {
            return self.run_reinstated(run, *proposed);
        }
        if let SignedAct::RunJudgingProposed { run, reason } = act {
            let proposed = Some(RunProposed { done, reason: reason.clone() });
            let judged = RunJudged { proposed, ..self.judged(run)? };
            return self.view.put_record(Key::run_judged(run).done(), &judged);
        }
        if let SignedAct::RunJudgedAnew { run, proposed } = act {
            return self.run_judged_anew(run, *proposed);
        }
        Ok(())
    }

    fn judged(&self, run: &RunId) -> Result<RunJudged, StateError> {
        Ok(record(self.view, &Key::run_judged(run).done())?.unwrap_or_default())
    }

    /// It may make an invalid run valid: it takes two.
    fn run_judged_anew(&mut self, run: &RunId, proposed: Seq) -> Folded {
        let by = self.done().by;
        let fits = |known: &RunProposed| known.done.entry == proposed && known.done.by != by;
        if !self.judged(run)?.proposed.is_some_and(|known| fits(&known)) {
            self.misfit();
            return Ok(());
        }
        let judged = RunJudged { from: Some(self.seq), proposed: None };
        self.view.put_record(Key::run_judged(run).done(), &judged)?;
        self.reopen_run(run)
    }

    /// Whoever wrote the entry: without the proposal of somebody else nothing changes.
    fn run_reinstated(&mut self, run: &RunId, proposed: Seq) -> Folded {
        let by = self.done().by;
        let fits = |known: &RunInvalidation| {
            known.reinstatement.as_ref().is_some_and(|p| p.done.entry == proposed && p.done.by != by)
        };
        if self.invalidation(run)?.is_none_or(|known| !fits(&known)) {
            self.misfit();
            return Ok(());
        }
        self.view.delete(Key::run_invalidated(run).done());
        if let Some(whole) = whole_run(run) {
            self.view.delete(Key::windows_invalidated(&whole).text(run.as_str()).done());
        }
        self.reopen_part(run)
    }

    fn invalidation(&self, run: &RunId) -> Result<Option<RunInvalidation>, StateError> {
        record(self.view, &Key::run_invalidated(run).done())
    }

    fn put_invalidation(&mut self, known: &RunInvalidation) -> Folded {
        if let Some(whole) = whole_run(&known.run) {
            self.mark(Key::windows_invalidated(&whole).text(known.run.as_str()));
        }
        self.view.put_record(Key::run_invalidated(&known.run).done(), known)
    }

    /// A window's donations are among those of its run.
    fn reopen_part(&mut self, run: &RunId) -> Folded {
        self.reopen_run(run)?;
        whole_run(run).map_or(Ok(()), |whole| self.reopen_run(&whole))
    }
}

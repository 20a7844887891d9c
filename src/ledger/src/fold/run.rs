//! Runs that people declare invalid, or want judged by other kits. One person is enough to declare it, since that lets
//! nothing go; everything that may make a run valid again takes two.

use super::{Fold, Folded};
use crate::channel::whole_run;
use crate::state::{
    Key, PartRecord, RunInvalidation, RunJudged, RunProposed, StateError, long_record, record,
};
use crate::{Seq, SignedAct};
use std::collections::BTreeSet;
use vocabulary::RunId;

impl Fold<'_, '_> {
    pub(super) fn run_act(&mut self, act: &SignedAct) -> Folded {
        let done = self.done();
        if let SignedAct::RunInvalidated { run, reason, cause, repeated_in, spans } = act {
            let known = self.invalidation(run)?;
            // The first word stays the one that stands; who repeats it does not want the run to be valid again.
            let stands = known.map(|mut known| {
                let more: Vec<_> = spans.iter().filter(|span| !known.spans.contains(span)).cloned().collect();
                known.spans.extend(more);
                RunInvalidation { reinstatement: None, ..known }
            });
            let new = || RunInvalidation {
                run: run.clone(),
                done,
                reason: reason.clone(),
                cause: *cause,
                repeated_in: repeated_in.clone(),
                spans: spans.clone(),
                confirmed: None,
                reinstatement: None,
            };
            let stands = stands.unwrap_or_else(new);
            self.put_invalidation(&stands)?;
            return self.reopen_fallen(&stands);
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
        if let SignedAct::RunReinstated { run, proposed, lapses } = act {
            return self.run_reinstated(run, *proposed, *lapses);
        }
        if let SignedAct::RunJudgingProposed { run, reason } = act {
            let proposed = Some(RunProposed { done, reason: reason.clone() });
            let judged = RunJudged { proposed, ..self.judged(run)? };
            return self.view.put_record(Key::run_judged(run).done(), &judged);
        }
        if let SignedAct::RunJudgedAnew { run, proposed, lapses } = act {
            return self.run_judged_anew(run, *proposed, *lapses);
        }
        Ok(())
    }

    fn judged(&self, run: &RunId) -> Result<RunJudged, StateError> {
        Ok(record(self.view, &Key::run_judged(run).done())?.unwrap_or_default())
    }

    /// It may make an invalid run valid: it takes two.
    fn run_judged_anew(&mut self, run: &RunId, proposed: Seq, lapses: bool) -> Folded {
        let by = self.done().by;
        let fits = |known: &RunProposed| known.done.entry == proposed && known.done.by != by;
        if !self.stands(run, self.judged(run)?.proposed.filter(fits).as_ref(), lapses)? {
            self.misfit();
            return Ok(());
        }
        let judged = RunJudged { from: Some(self.seq), at_ms: Some(self.at_ms), proposed: None };
        self.view.put_record(Key::run_judged(run).done(), &judged)?;
        self.reopen_run(run)
    }

    /// Whoever wrote the entry: without the proposal of somebody else nothing changes.
    fn run_reinstated(&mut self, run: &RunId, proposed: Seq, lapses: bool) -> Folded {
        let by = self.done().by;
        let fits = |known: &RunInvalidation| {
            known.reinstatement.as_ref().is_some_and(|p| p.done.entry == proposed && p.done.by != by)
        };
        let Some(known) = self.invalidation(run)?.filter(fits) else {
            self.misfit();
            return Ok(());
        };
        if !self.stands(run, known.reinstatement.as_ref(), lapses)? {
            self.misfit();
            return Ok(());
        }
        self.view.delete(Key::run_invalidated(run).done());
        self.view.delete(Key::unconfirmed().text(run.as_str()).done());
        for key in found_by(&known) {
            self.view.delete(key.done());
        }
        self.reopen_fallen(&known)
    }

    /// Whether something is proposed of a run that has not lapsed; what was agreed on before proposals lapsed stays agreed.
    fn stands(&self, run: &RunId, proposed: Option<&RunProposed>, lapses: bool) -> Result<bool, StateError> {
        proposed.map_or(Ok(false), |proposed| {
            if lapses { proposed.stands(self.view, run, self.at_ms) } else { Ok(true) }
        })
    }

    fn invalidation(&self, run: &RunId) -> Result<Option<RunInvalidation>, StateError> {
        record(self.view, &Key::run_invalidated(run).done())
    }

    fn put_invalidation(&mut self, known: &RunInvalidation) -> Folded {
        for key in found_by(known) {
            self.mark(key);
        }
        let unconfirmed = Key::unconfirmed().text(known.run.as_str());
        if known.confirmed.is_none() {
            self.mark(unconfirmed);
        } else {
            self.view.delete(unconfirmed.done());
        }
        self.view.put_record(Key::run_invalidated(&known.run).done(), known)
    }

    /// Opens again what an invalidation takes, or gave back. A window's donations are among those of its run; where its
    /// results are read otherwise now, they are found by its rows, and by the days that it lay in.
    fn reopen_fallen(&mut self, known: &RunInvalidation) -> Folded {
        self.reopen_run(&known.run)?;
        if let Some(whole) = whole_run(&known.run) {
            self.reopen_run(&whole)?;
        }
        for message in messages_of(known) {
            for run in self.runs_of_message(message)? {
                self.reopen_run(&run)?;
            }
        }
        for span in &known.spans {
            let (from, until) = (span.from_ms, span.until_ms.unwrap_or(self.at_ms));
            if let Some(from) = from {
                self.reopen_channel(&span.channel, (from, until))?;
            }
        }
        Ok(())
    }

    fn runs_of_message(&self, message: Seq) -> Result<BTreeSet<RunId>, StateError> {
        let mut runs = BTreeSet::new();
        let mut number = 0;
        while let Some(part) =
            long_record::<PartRecord>(self.view, Key::message_parts(message).short(number))?
        {
            runs.extend(part.runs);
            number += 1;
        }
        Ok(runs)
    }
}

/// Where an invalidated window is found, beside its name: under its run, its channels and the messages with its rows.
fn found_by(known: &RunInvalidation) -> Vec<Key> {
    let whole = whole_run(&known.run).map(|whole| Key::windows_invalidated(&whole));
    let channels = known.spans.iter().map(|span| Key::fallen_in(&span.channel));
    let messages = messages_of(known).into_iter().map(Key::fallen_with);
    whole.into_iter().chain(channels).chain(messages).map(|key| key.text(known.run.as_str())).collect()
}

fn messages_of(known: &RunInvalidation) -> BTreeSet<Seq> {
    let rows = known.spans.iter().flat_map(|span| span.opened_by.iter().chain(&span.results));
    rows.map(|row| row.message).collect()
}

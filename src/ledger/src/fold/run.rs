//! Runs that people declare invalid, or want judged by other kits. One person is enough to declare it, another confirms it;
//! everything that may make a run valid again takes two.

use super::{Fold, Folded};
use crate::channel::whole_run;
use crate::state::{
    Key, PartRecord, RunInvalidation, RunJudged, RunProposed, StateError, long_record, record,
};
use crate::{RowAt, Seq, SignedAct, WindowSpan};
use std::collections::BTreeSet;
use vocabulary::RunId;

impl Fold<'_, '_> {
    pub(super) fn run_act(&mut self, act: &SignedAct) -> Folded {
        let done = self.done();
        if let SignedAct::RunInvalidated { run, reason, cause, repeated_in, spans } = act {
            let known = self.invalidation(run)?;
            // The first word stays the one that stands; who repeats it does not want the run to be valid again.
            let declared_ms = self.at_ms;
            let stands = known.map(|mut known| {
                for span in spans {
                    cover(&mut known, span.clone(), declared_ms);
                }
                bound_rows(&mut known.spans);
                RunInvalidation { reinstatement: None, ..known }
            });
            let new = || RunInvalidation {
                run: run.clone(),
                done,
                reason: reason.clone(),
                cause: *cause,
                repeated_in: repeated_in.clone(),
                repeat_named: None,
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
            let known = RunInvalidation { confirmed: Some(done), ..known };
            self.put_invalidation(&known)?;
            // What was reactive in it held for want of this word.
            return self.reopen_fallen(&known);
        }
        if let SignedAct::RunRepeatNamed { run, invalidated, repeated_in } = act {
            let fits = |known: &RunInvalidation| {
                known.done.entry == *invalidated && known.lets_name_repeat(&done.by) && run != repeated_in
            };
            let Some(known) = self.invalidation(run)?.filter(fits) else {
                self.misfit();
                return Ok(());
            };
            let (repeated_in, repeat_named) = (Some(repeated_in.clone()), Some(done));
            let known = RunInvalidation { repeated_in, repeat_named, ..known };
            self.put_invalidation(&known)?;
            return self.reopen_fallen(&known);
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
        for waits in [Key::unconfirmed(), Key::unrepeated()] {
            self.view.delete(waits.text(run.as_str()).done());
        }
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
        for (waits, is_open) in [
            (Key::unconfirmed(), known.confirmed.is_none()),
            (Key::unrepeated(), known.repeated_in.is_none()),
        ] {
            let waits = waits.text(known.run.as_str());
            if is_open {
                self.mark(waits);
            } else {
                self.view.delete(waits.done());
            }
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

/// Rows that the record of one run's invalidations names: what lies beyond falls by its time.
const FALLEN_ROWS_MAX: usize = 1_500;

/// Takes what an act says that a window covered into what acts before it said: one span a channel, which reaches from the
/// earlier to the later. What nothing had closed reaches to when it was declared.
fn cover(known: &mut RunInvalidation, mut span: WindowSpan, declared_ms: i64) {
    let before_ms = known.done.at_ms;
    let Some(same) = known.spans.iter_mut().find(|one| one.channel == span.channel) else {
        let until_ms = span.from_ms.map(|_| until(&span, declared_ms));
        known.spans.push(WindowSpan { until_ms, ..span });
        return;
    };
    (same.from_ms, same.until_ms) = match (same.from_ms, span.from_ms) {
        (known, None) => (known, same.until_ms),
        (None, Some(from)) => (Some(from), Some(until(&span, declared_ms))),
        (Some(one), Some(other)) => {
            let until = until(same, before_ms).max(until(&span, declared_ms));
            (Some(one.min(other)), Some(until))
        }
    };
    span.opened_by.retain(|row| !same.opened_by.contains(row));
    same.opened_by.append(&mut span.opened_by);
    let rows: BTreeSet<RowAt> = same.results.iter().cloned().collect();
    span.results.retain(|row| !rows.contains(row));
    same.results.append(&mut span.results);
}

/// The end of a span, not in it: where nothing had closed it, what came up to when it was declared is.
fn until(span: &WindowSpan, declared_ms: i64) -> i64 {
    span.until_ms.unwrap_or(declared_ms.saturating_add(1))
}

/// Rows of spans that have a time are let go first, and no more than has to be: those fall by it all the same.
fn bound_rows(spans: &mut [WindowSpan]) {
    let rows = spans.iter().map(|span| span.results.len()).sum::<usize>();
    let mut too_many = rows.saturating_sub(FALLEN_ROWS_MAX);
    for span in spans.iter_mut().filter(|span| span.from_ms.is_some()) {
        let kept = span.results.len().saturating_sub(too_many);
        too_many -= span.results.len() - kept;
        span.results.truncate(kept);
    }
    let mut left = FALLEN_ROWS_MAX;
    for span in spans {
        span.results.truncate(left);
        left -= span.results.len();
        span.opened_by.truncate(FALLEN_ROWS_MAX);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Done;
    use crate::{Channel, RunCause};

    fn row(message: u64) -> RowAt {
        RowAt { message: Seq::new(message), record: "R|1".into() }
    }

    fn span(assay: &str, (from_ms, until_ms): (Option<i64>, Option<i64>), rows: &[u64]) -> WindowSpan {
        let channel = Channel {
            connection: "line".parse().unwrap(),
            instrument: "i1".into(),
            assay: assay.into(),
            lot: "L".into(),
        };
        let results: Vec<RowAt> = rows.iter().copied().map(row).collect();
        WindowSpan {
            channel,
            from_ms,
            until_ms,
            opened_by: results.first().cloned().into_iter().collect(),
            results,
        }
    }

    fn declared(at_ms: i64, spans: Vec<WindowSpan>) -> RunInvalidation {
        RunInvalidation {
            run: RunId::new("T1@none").unwrap(),
            done: Done { by: "qc".into(), at_ms, entry: Seq::new(1) },
            reason: "x".into(),
            cause: RunCause::Other,
            repeated_in: None,
            repeat_named: None,
            spans,
            confirmed: None,
            reinstatement: None,
        }
    }

    #[test]
    fn what_is_declared_again_adds_up_by_channel() {
        type Time = (Option<i64>, Option<i64>);
        for (before, again, expect) in [
            ((Some(10), Some(20)), (Some(10), Some(20)), (Some(10), Some(20))),
            ((Some(10), Some(20)), (Some(5), Some(15)), (Some(5), Some(20))),
            // Open ones reach to when each was declared: at 100, and at 200.
            ((Some(10), None), (Some(10), Some(20)), (Some(10), Some(101))),
            ((Some(10), Some(20)), (Some(30), None), (Some(10), Some(201))),
            ((None, None), (Some(30), None), (Some(30), Some(201))),
            ((Some(10), None), (None, None), (Some(10), None)),
        ] as [(Time, Time, Time); 6]
        {
            let mut known = declared(100, vec![span("a", before, &[1, 2])]);
            cover(&mut known, span("a", again, &[2, 3]), 200);
            let expect = WindowSpan { opened_by: vec![row(1), row(2)], ..span("a", expect, &[1, 2, 3]) };
            assert_eq!(known.spans, [expect], "{before:?} {again:?}");
            cover(&mut known, span("b", (Some(1), None), &[7]), 200);
            assert_eq!(known.spans[1], span("b", (Some(1), Some(201)), &[7]), "another channel");
        }
    }

    #[test]
    fn however_often_it_is_declared_the_record_stays_small_and_keeps_what_falls_by_nothing_else() {
        let many: Vec<u64> = (0..1_000).collect();
        let mut known = declared(100, vec![span("a", (Some(10), Some(20)), &many)]);
        for times in 0..50 {
            let rows: Vec<u64> = (0..100).map(|row| 10_000 + times * 100 + row).collect();
            cover(&mut known, span("a", (Some(10), Some(20)), &rows), 200);
            cover(&mut known, span("b", (None, None), &[times]), 200);
            bound_rows(&mut known.spans);
            assert!(known.spans.iter().map(|span| span.results.len()).sum::<usize>() <= FALLEN_ROWS_MAX);
        }
        assert_eq!(known.spans.len(), 2);
        assert_eq!(known.spans[1].results.len(), 50, "rows without a time are found by nothing else");
    }
}

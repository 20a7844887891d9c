//! One reagent, one sample: the state machine of rules.md §1.3.
//!
//! ```text
//! NOT_TESTED ─► INVALID ─► repeat                       (never becomes non-reactive)
//!            ─► below the cut-off ─────────► FINAL_NR
//!            ─► IR or GZ ─► duplicate wells ─► both non-reactive: FINAL_NR · any reactive: FINAL_R
//! ```

mod signal;

use crate::evidence::{SerologyKind, SerologyResult, SerologySeries, Validity};
use crate::notes::Notes;
use crate::pack::{DuplicateScheme, RulePack, StickyReactive};
use crate::runs::{Runs, Standing};
use crate::say::said;
use crate::steps::Step;
use crate::test::Test;
use crate::trace::Subject;
use crate::verdict::{Flag, SeroState};
use signal::{Level, ReagentRule, Signal};
use vocabulary::RunId;

/// Two wells make a duplicate round.
const DUPLICATE_WELLS: usize = 2;

/// What one well says, after its run and its own validity were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Well {
    Read(Level),
    Waiting,
    Invalid,
    Empty,
}

/// One well, judged.
pub(crate) struct Judged<'e> {
    result: &'e SerologyResult,
    well: Well,
    /// What it would say if nothing stood against it: a reactive result leaves a trace even when it falls.
    seen: Option<Level>,
}

/// What came out of a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) state: SeroState,
    pub(crate) flags: Vec<Flag>,
}

/// Judges a series of results of one reagent. `wells` is room to work in, whatever it holds.
pub(crate) fn judge<'e>(
    series: &'e SerologySeries,
    pack: &RulePack,
    runs: &Runs<'_>,
    wells: &mut Vec<Judged<'e>>,
    notes: &mut Notes<'e>,
) -> Outcome {
    let rule = ReagentRule::of(pack, series);
    let test = Test::Serology { marker: series.marker, reagent: &series.reagent };
    wells.clear();
    wells.extend(series.results.iter().map(|result| judge_well(result, &rule, runs, &test, notes)));
    let mut round = Round { wells, rule: &rule, pack, runs, flags: Vec::new(), steps: Vec::new() };
    let state = round.state();
    let Round { mut flags, steps, .. } = round;
    flags.sort_unstable();
    flags.dedup();
    note_uses(wells, state, test, notes);
    for step in steps {
        notes.step(step(test));
    }
    notes.trace(|trace| {
        let line = trace.line("1.3", Subject::Test(&test), state.name());
        line.count("results", wells.len()).list("flags", &flags);
    });
    Outcome { state, flags }
}

fn judge_well<'e>(
    result: &'e SerologyResult,
    rule: &ReagentRule,
    runs: &Runs<'_>,
    test: &Test<'e>,
    notes: &mut Notes<'e>,
) -> Judged<'e> {
    let standing = runs.standing(result.run.as_ref());
    let signal = rule.read(result);
    let seen = signal.level();
    let reactive = seen == Some(Level::Reactive);
    let well = match (standing, &signal) {
        (_, Signal::Empty) if result.validity != Some(Validity::Invalid) => Well::Empty,
        (Standing::Invalid, _) => Well::Invalid,
        (Standing::OutOfControl, _) if !(runs.keep_reactive && reactive) => Well::Invalid,
        (_, _) if result.validity == Some(Validity::Invalid) => Well::Invalid,
        (_, Signal::Unusable { .. } | Signal::Empty) => Well::Invalid,
        (Standing::Open, _) => Well::Waiting,
        (_, _) if result.validity == Some(Validity::Open) => Well::Waiting,
        (_, Signal::Waiting(_)) => Well::Waiting,
        (Standing::Good | Standing::Unknown | Standing::OutOfControl, Signal::Level(level)) => {
            Well::Read(*level)
        }
    };
    notes.trace(|trace| {
        let outcome = match well {
            Well::Read(level) => level.name().into(),
            Well::Waiting => "waits for its run".into(),
            Well::Empty => "no result yet".into(),
            Well::Invalid => said!("INVALID: {}", why_invalid(result, standing, &signal)),
        };
        rule.trace_inputs(result, trace.line("R-SER-05", Subject::Test(test), outcome));
    });
    Judged { result, well, seen }
}

fn why_invalid(result: &SerologyResult, standing: Standing, signal: &Signal) -> String {
    let run = result.run.as_ref().map_or("", RunId::as_str);
    match (standing, signal) {
        (Standing::Invalid, _) => format!("run {run} is invalid (R-RUN-01)"),
        (Standing::OutOfControl, _) => format!("run {run} is out of control"),
        (_, Signal::Unusable { why, .. }) => why.to_string(),
        (_, _) => result.why.clone().unwrap_or_else(|| "the sample's test is not valid".to_owned()),
    }
}

/// A final state rests on the wells that were read; before it is final, every well still has to be answered for.
fn note_uses<'e>(wells: &[Judged<'e>], state: SeroState, test: Test<'e>, notes: &mut Notes<'e>) {
    let is_final = matches!(state, SeroState::FinalNonReactive | SeroState::FinalReactive);
    for judged in wells {
        let counts = match judged.well {
            Well::Read(_) => true,
            Well::Waiting | Well::Invalid => !is_final,
            Well::Empty => false,
        };
        if counts {
            notes.used(test, judged.result.run.as_ref());
        }
    }
}

struct Round<'a, 'e> {
    wells: &'a [Judged<'e>],
    rule: &'a ReagentRule,
    pack: &'a RulePack,
    runs: &'a Runs<'a>,
    flags: Vec<Flag>,
    steps: Vec<StepOf<'e>>,
}

/// A step that is about the series' test.
type StepOf<'e> = fn(Test<'e>) -> Step<'e>;

impl<'a, 'e> Round<'a, 'e> {
    fn firsts(&self) -> impl Iterator<Item = &'a Judged<'e>> + use<'a, 'e> {
        self.wells.iter().filter(|w| matches!(w.result.kind, SerologyKind::Initial | SerologyKind::Repeat))
    }

    fn duplicates(&self) -> impl Iterator<Item = &'a Judged<'e>> + use<'a, 'e> {
        self.wells.iter().filter(|w| w.result.kind == SerologyKind::Duplicate)
    }

    fn state(&mut self) -> SeroState {
        let rule = self.rule;
        let initial_reactive =
            |w: &&Judged<'_>| matches!(w.well, Well::Read(level) if rule.is_initial_reactive(level));
        let first_reactive = self.firsts().find(initial_reactive);
        if self.sticky() {
            self.flags.push(Flag::StickyReactive);
        }
        if self.contradictory() {
            self.flags.push(Flag::Contradictory);
            self.steps.push(Step::ReviewContradiction);
        } else if self.reactive_after_round() {
            self.flags.push(Flag::Contradictory);
            self.steps.push(Step::ReviewAfterRound);
        }
        if self.duplicates().any(|w| matches!(w.well, Well::Read(level) if rule.is_duplicate_reactive(level)))
        {
            if self.duplicates().count() + self.firsts().count() > DUPLICATE_WELLS + 1 {
                self.flags.push(Flag::ExtraNotUsed);
            }
            return SeroState::FinalReactive;
        }
        match first_reactive {
            Some(first) => self.after_initial_reactive(first),
            None => self.without_initial_reactive(),
        }
    }

    /// A reactive result that fell with its run, or could not be used.
    fn sticky(&self) -> bool {
        self.wells.iter().any(|w| {
            w.well == Well::Invalid && w.seen.is_some_and(|level| self.rule.is_initial_reactive(level))
        })
    }

    /// Two first tests that disagree, and nobody ordered a repeat (S07).
    fn contradictory(&self) -> bool {
        let initial = |w: &&Judged<'_>| w.result.kind == SerologyKind::Initial;
        let reactive = |w: &Judged<'_>| match w.well {
            Well::Read(level) => Some(self.rule.is_initial_reactive(level)),
            Well::Waiting | Well::Invalid | Well::Empty => None,
        };
        let mut read = self.firsts().filter(initial).filter_map(reactive);
        let first = read.next();
        first.is_some_and(|first| read.any(|other| other != first))
    }

    /// A single test that is reactive after wells of the duplicate round: the round answers what came before it, and no more.
    fn reactive_after_round(&self) -> bool {
        let read = |w: &Judged<'_>| match w.well {
            Well::Read(level) => Some(level),
            Well::Waiting | Well::Invalid | Well::Empty => None,
        };
        let of_round = |w: &Judged<'_>| w.result.kind == SerologyKind::Duplicate && read(w).is_some();
        let later = self.wells.iter().skip_while(|w| !of_round(w));
        later
            .filter(|w| w.result.kind != SerologyKind::Duplicate)
            .any(|w| read(w).is_some_and(|level| self.rule.is_initial_reactive(level)))
    }

    /// What has to come before the series can be non-reactive: a well that may still turn out reactive.
    fn waits(&self) -> Option<StepOf<'e>> {
        let may_be_reactive =
            |w: &Judged<'_>| w.seen.is_none_or(|level| self.rule.is_initial_reactive(level));
        if self.wells.iter().any(|w| w.well == Well::Waiting && may_be_reactive(w)) {
            return Some(Step::WaitForControls);
        }
        self.wells.iter().any(|w| w.well == Well::Empty).then_some(Step::WaitForResult)
    }

    fn after_initial_reactive(&mut self, first: &Judged<'_>) -> SeroState {
        if self.rule.duplicate_scheme == DuplicateScheme::NoDup {
            return SeroState::FinalReactive;
        }
        let mut accepted = 0_usize;
        let mut lot_refused = false;
        for well in self.duplicates().filter(|w| matches!(w.well, Well::Read(_))) {
            if self.same_material(first.result, well.result) {
                accepted += 1;
            } else if well.result.override_reason.as_ref().is_some_and(|r| !r.trim().is_empty()) {
                accepted += 1;
                self.flags.push(Flag::OtherLotAccepted);
            } else {
                lot_refused = true;
                self.flags.push(Flag::OtherLot);
            }
        }
        let waits = self.waits();
        if accepted >= DUPLICATE_WELLS && waits.is_none() && !self.flags.contains(&Flag::Contradictory) {
            self.flags.push(Flag::NonRepeatable);
            return SeroState::FinalNonReactive;
        }
        if let Some(step) = waits {
            self.steps.push(step);
        } else if lot_refused {
            self.steps.push(Step::RepeatDuplicateOnLot);
        } else if accepted == 0 {
            self.steps.push(Step::RepeatInDuplicate);
        } else if accepted < DUPLICATE_WELLS {
            self.steps.push(Step::RepeatMissingWell);
        }
        let untouched = self.duplicates().next().is_none() && !self.flags.contains(&Flag::Contradictory);
        match first.seen {
            Some(Level::Reactive) if untouched => SeroState::InitialReactive,
            Some(Level::Grey) if untouched => SeroState::GreyZone,
            Some(Level::NonReactive | Level::Grey | Level::Reactive) | None => SeroState::Pending,
        }
    }

    fn same_material(&self, first: &SerologyResult, duplicate: &SerologyResult) -> bool {
        !self.pack.settings().sero.same_lot.value || self.runs.same_material(first, duplicate)
    }

    fn without_initial_reactive(&mut self) -> SeroState {
        let read = |w: &&Judged<'_>| matches!(w.well, Well::Read(_));
        let (firsts, duplicates) =
            (self.firsts().filter(read).count(), self.duplicates().filter(read).count());
        if let Some(step) = self.waits() {
            self.steps.push(step);
            return SeroState::Pending;
        }
        if self.flags.contains(&Flag::StickyReactive) && self.sticky_wants_duplicate() {
            // A reactive result vanished with its run: one non-reactive repeat is not enough (rules.md §2.5).
            if firsts + duplicates >= DUPLICATE_WELLS {
                return self.final_non_reactive();
            }
            self.steps.push(if firsts + duplicates == 0 {
                Step::RepeatInDuplicate
            } else {
                Step::RepeatMissingWell
            });
            return if firsts + duplicates == 0 { SeroState::Invalid } else { SeroState::Pending };
        }
        if firsts > 0 || duplicates >= DUPLICATE_WELLS {
            return self.final_non_reactive();
        }
        if duplicates > 0 {
            self.steps.push(Step::RepeatMissingWell);
            return SeroState::Pending;
        }
        let has = |wanted: Well| self.wells.iter().any(|w| w.well == wanted);
        let (state, step): (SeroState, StepOf<'e>) = if has(Well::Waiting) {
            (SeroState::Pending, Step::WaitForControls)
        } else if has(Well::Invalid) {
            (SeroState::Invalid, Step::RepeatInvalid)
        } else {
            (SeroState::NotTested, Step::TestMissing)
        };
        self.steps.push(step);
        state
    }

    fn sticky_wants_duplicate(&self) -> bool {
        match self.pack.settings().invalid.sticky_reactive.value {
            StickyReactive::Duplicate => true,
            StickyReactive::Flag => false,
        }
    }

    fn final_non_reactive(&mut self) -> SeroState {
        if self.wells.iter().any(|w| w.well == Well::Read(Level::Grey)) {
            self.flags.push(Flag::Grey);
        }
        SeroState::FinalNonReactive
    }
}

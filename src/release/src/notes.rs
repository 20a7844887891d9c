//! What the parts of a decision note on their way: results used, what led to what, what to do next.

use crate::steps::Step;
use crate::test::Test;
use serde::Serialize;
use vocabulary::RunId;

/// A result that the verdict rests on, or that still has to be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) test: Test,
    pub(crate) run: Option<RunId>,
}

/// One line of the trace: which rule gave what, from which inputs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceLine {
    /// Rule, row or section of the rules: `R-SER-05`, `M9`, `1.3`.
    pub rule: &'static str,
    /// What it was applied to.
    pub subject: String,
    /// What came out.
    pub outcome: String,
    /// What went in.
    pub inputs: Vec<(&'static str, String)>,
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) uses: Vec<Use>,
    pub(crate) trace: Vec<TraceLine>,
    pub(crate) steps: Vec<Step>,
}

impl Notes {
    pub(crate) fn used(&mut self, test: &Test, run: Option<&RunId>) {
        self.uses.push(Use { test: test.clone(), run: run.cloned() });
    }

    pub(crate) fn trace(
        &mut self,
        rule: &'static str,
        subject: String,
        outcome: impl Into<String>,
        inputs: Vec<(&'static str, String)>,
    ) {
        self.trace.push(TraceLine { rule, subject, outcome: outcome.into(), inputs });
    }

    pub(crate) fn step(&mut self, step: Step) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

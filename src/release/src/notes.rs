//! What the parts of a decision note on their way: results used, what led to what, what to do next.

use crate::steps::Step;
use crate::test::Test;
use crate::trace::Trace;
use vocabulary::RunId;

/// A result that the verdict rests on, or that still has to be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Use<'e> {
    pub(crate) test: Test<'e>,
    pub(crate) run: Option<&'e RunId>,
}

#[derive(Debug, Default)]
pub(crate) struct Notes<'e> {
    pub(crate) uses: Vec<Use<'e>>,
    pub(crate) trace: Trace,
    pub(crate) steps: Vec<Step<'e>>,
}

impl<'e> Notes<'e> {
    pub(crate) fn used(&mut self, test: Test<'e>, run: Option<&'e RunId>) {
        self.uses.push(Use { test, run });
    }

    pub(crate) fn step(&mut self, step: Step<'e>) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

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

/// Results that a donation with nothing out of the ordinary rests on, so that they are asked for once.
const USUAL_USES: usize = 16;

#[derive(Debug)]
pub(crate) struct Notes<'e> {
    pub(crate) uses: Vec<Use<'e>>,
    /// Written where somebody asks for it.
    pub(crate) trace: Option<Trace>,
    pub(crate) steps: Vec<Step<'e>>,
}

impl<'e> Notes<'e> {
    pub(crate) fn new(trace: Option<Trace>) -> Self {
        Self { uses: Vec::with_capacity(USUAL_USES), trace, steps: Vec::new() }
    }

    /// What led to what, where somebody asks for it: nothing of it decides.
    pub(crate) fn trace(&mut self, write: impl FnOnce(&mut Trace)) {
        if let Some(trace) = &mut self.trace {
            write(trace);
        }
    }

    pub(crate) fn used(&mut self, test: Test<'e>, run: Option<&'e RunId>) {
        self.uses.push(Use { test, run });
    }

    pub(crate) fn step(&mut self, step: Step<'e>) {
        if !self.steps.contains(&step) {
            self.steps.push(step);
        }
    }
}

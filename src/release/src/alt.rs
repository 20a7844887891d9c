//! ALT (rules.md §1.5): up to the limit it passes; above, it is repeated once, and the repeat decides. What is above the limit
//! after that holds it for a person, and twice so it is above the limit.

use crate::evidence::{AltResult, Evidence, Validity};
use crate::notes::Notes;
use crate::pack::RulePack;
use crate::runs::{Runs, Standing};
use crate::steps::Step;
use crate::test::Test;
use crate::trace::Subject;
use crate::verdict::{MarkerState, MarkerVerdict, Unit};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Within,
    Above,
    Invalid,
    Waiting,
    Empty,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Within => "within the limit",
            Self::Above => "above the limit",
            Self::Invalid => "INVALID",
            Self::Waiting => "waits for its run",
            Self::Empty => "no result yet",
        }
    }
}

fn level(result: &AltResult, pack: &RulePack, runs: &Runs<'_>) -> Level {
    let limit = pack.settings().alt.limit_u_l.value.number();
    let within = match (result.u_per_l, result.validity) {
        (None, None | Some(Validity::Valid | Validity::Open)) => return Level::Empty,
        (_, Some(Validity::Invalid)) => return Level::Invalid,
        // An activity below zero is no activity; a bound that leaves the side open is no result.
        (Some(value), _) if value.at_least(rust_decimal::Decimal::ZERO) == Some(false) => {
            return Level::Invalid;
        }
        (Some(value), _) => value.at_most(limit),
    };
    match (runs.standing(result.run.as_ref()), within) {
        (Standing::Invalid | Standing::OutOfControl, _) | (_, None) => Level::Invalid,
        (Standing::Open, _) => Level::Waiting,
        (Standing::Good | Standing::Unknown, _) if result.validity == Some(Validity::Open) => Level::Waiting,
        (Standing::Good | Standing::Unknown, Some(true)) => Level::Within,
        (Standing::Good | Standing::Unknown, Some(false)) => Level::Above,
    }
}

/// Judges ALT.
pub(crate) fn judge<'e>(
    evidence: &'e Evidence,
    pack: &RulePack,
    runs: &Runs<'_>,
    notes: &mut Notes<'e>,
) -> MarkerVerdict {
    let levels: Vec<Level> = evidence.alt.iter().map(|result| level(result, pack, runs)).collect();
    for (result, level) in evidence.alt.iter().zip(&levels) {
        notes.trace(|trace| {
            let line = trace.line("1.5 ALT", Subject::Word("ALT"), level.name());
            line.limit("limit", pack.settings().alt.limit_u_l.value);
            if let Some(value) = result.u_per_l {
                line.reading("u_per_l", value);
            }
        });
    }
    let retest = pack.settings().alt.retest.value > 0;
    let (verdict, unit, step) = conclude(&levels, retest);
    let is_final = step.is_none();
    for (result, level) in evidence.alt.iter().zip(&levels) {
        let counts = match level {
            Level::Within | Level::Above => true,
            Level::Invalid | Level::Waiting => !is_final,
            Level::Empty => false,
        };
        if counts {
            notes.used(Test::Alt, result.run.as_ref());
        }
    }
    if let Some(step) = step {
        notes.step(step);
    }
    MarkerVerdict { verdict, unit, reentry_candidate: false }
}

fn conclude(levels: &[Level], retest: bool) -> (MarkerState, Unit, Option<Step<'static>>) {
    let read: Vec<Level> =
        levels.iter().copied().filter(|l| matches!(l, Level::Within | Level::Above)).collect();
    let has = |wanted: Level| levels.contains(&wanted);
    let open = |step| (MarkerState::Incomplete, Unit::Hold, Some(step));
    if has(Level::Empty) {
        return open(Step::WaitForResult(Test::Alt));
    }
    if has(Level::Waiting) {
        return open(Step::WaitForControls(Test::Alt));
    }
    match (read.as_slice(), retest) {
        ([], _) if has(Level::Invalid) => open(Step::RepeatInvalid(Test::Alt)),
        ([], _) => open(Step::TestMissing(Test::Alt)),
        ([Level::Above, Level::Above, ..], true) | ([Level::Above, ..], false) => {
            (MarkerState::AboveLimit, Unit::Discard, None)
        }
        ([Level::Above], true) => open(Step::RepeatAlt),
        ([Level::Within, rest @ ..] | [_, Level::Within, rest @ ..], _) if rest.contains(&Level::Above) => {
            // Twice above the limit is above it, whatever was found before.
            if rest.iter().filter(|level| **level == Level::Above).count() > 1 {
                return (MarkerState::AboveLimit, Unit::Discard, None);
            }
            // After a result that had settled it: nobody ordered that, somebody has to look (S07).
            open(Step::ReviewAlt)
        }
        ([..], _) => (MarkerState::WithinLimit, Unit::Pass, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repeat_of_a_raised_result_decides_and_a_third_never_rescues() {
        use Level::{Above as A, Empty as E, Invalid as I, Waiting as W, Within as N};
        for (levels, unit) in [
            (&[N][..], Unit::Pass),
            (&[A, N], Unit::Pass),
            (&[A, A], Unit::Discard),
            (&[A, A, N], Unit::Discard),
            (&[A], Unit::Hold),
            (&[], Unit::Hold),
            (&[I], Unit::Hold),
            (&[I, N], Unit::Pass),
            (&[I, A], Unit::Hold),
            (&[A, I], Unit::Hold),
            (&[N, A], Unit::Hold),
            (&[A, N, A], Unit::Hold),
            (&[N, A, A], Unit::Discard),
            (&[A, N, A, A], Unit::Discard),
            (&[N, A, N, A], Unit::Discard),
            (&[N, A, N], Unit::Hold),
            (&[N, A, N, N], Unit::Hold),
            (&[N, A, I], Unit::Hold),
            (&[N, A, A, W], Unit::Hold),
            (&[N, N], Unit::Pass),
            (&[N, W], Unit::Hold),
            (&[N, E], Unit::Hold),
        ] {
            assert_eq!(conclude(levels, true).1, unit, "{levels:?}");
        }
        assert_eq!(conclude(&[A], false).1, Unit::Discard);
        assert_eq!(conclude(&[A, N], false).1, Unit::Discard);
    }
}

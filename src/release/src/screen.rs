//! Antibody screen of the donor, where the pack asks for one (rules.md §1.2, §1.12).
//!
//! A positive screen holds the unit for a person: which components may still be used is no question of a table.

use crate::evidence::{Evidence, ScreenCall, ScreenResult, Validity};
use crate::notes::Notes;
use crate::pack::{AntibodyScreen, RulePack};
use crate::runs::{Runs, Standing};
use crate::steps::Step;
use crate::test::Test;
use crate::trace::Subject;
use crate::verdict::{MarkerState, MarkerVerdict, Unit};
use vocabulary::RhD;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Well {
    Negative,
    Positive,
    Invalid,
    Waiting,
    Empty,
}

/// Judges the screen: nothing where it is neither asked for nor there.
pub(crate) fn judge<'e>(
    evidence: &'e Evidence,
    pack: &RulePack,
    rhd: Option<RhD>,
    runs: &Runs<'_>,
    notes: &mut Notes<'e>,
) -> Option<MarkerVerdict> {
    if evidence.antibody_screen.is_empty() && !is_asked_for(evidence, pack, rhd) {
        return None;
    }
    let wells: Vec<Well> = evidence.antibody_screen.iter().map(|result| well(result, runs)).collect();
    let has = |wanted: Well| wells.contains(&wanted);
    let open = |step| (MarkerState::Incomplete, Some(step));
    let (verdict, step) = if has(Well::Positive) {
        (MarkerState::ScreenPositive, Some(Step::ReferScreen))
    } else if has(Well::Empty) {
        open(Step::WaitForResult(Test::AntibodyScreen))
    } else if has(Well::Waiting) {
        open(Step::WaitForControls(Test::AntibodyScreen))
    } else if has(Well::Negative) {
        (MarkerState::Negative, None)
    } else if has(Well::Invalid) {
        open(Step::RepeatInvalid(Test::AntibodyScreen))
    } else {
        open(Step::TestMissing(Test::AntibodyScreen))
    };
    for (result, well) in evidence.antibody_screen.iter().zip(&wells) {
        let counts = match well {
            Well::Negative | Well::Positive => true,
            Well::Invalid | Well::Waiting => verdict == MarkerState::Incomplete,
            Well::Empty => false,
        };
        if counts {
            notes.used(Test::AntibodyScreen, result.run.as_ref());
        }
    }
    if let Some(step) = step {
        notes.step(step);
    }
    let unit = if verdict == MarkerState::Negative { Unit::Pass } else { Unit::Hold };
    notes.trace(|trace| {
        let line = trace.line("1.2", Subject::Word("antibody screen"), verdict.name());
        line.count("results", wells.len());
    });
    Some(MarkerVerdict { verdict, unit, reentry_candidate: false })
}

/// What is not known counts as a reason to ask.
fn is_asked_for(evidence: &Evidence, pack: &RulePack, rhd: Option<RhD>) -> bool {
    match pack.settings().tests.ab_screen.value {
        AntibodyScreen::Off => false,
        AntibodyScreen::RhdNegative => rhd != Some(RhD::Positive),
        AntibodyScreen::History => evidence.donor.as_ref().and_then(|d| d.sensitised) != Some(false),
        AntibodyScreen::EveryDonation => true,
    }
}

fn well(result: &ScreenResult, runs: &Runs<'_>) -> Well {
    let call = match (result.result, result.validity) {
        (_, Some(Validity::Invalid)) | (Some(ScreenCall::Invalid), _) => return Well::Invalid,
        (None | Some(ScreenCall::Pending), _) => return Well::Empty,
        (Some(ScreenCall::Negative), _) => Well::Negative,
        (Some(ScreenCall::Positive), _) => Well::Positive,
    };
    match runs.standing(result.run.as_ref()) {
        Standing::Invalid | Standing::OutOfControl => Well::Invalid,
        Standing::Open => Well::Waiting,
        Standing::Good | Standing::Unknown if result.validity == Some(Validity::Open) => Well::Waiting,
        Standing::Good | Standing::Unknown => call,
    }
}

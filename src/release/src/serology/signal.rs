//! What one serology result says: compared in exact decimals, never from a printed ratio where OD and cut-off are there.

use crate::evidence::{Call, Direction, SerologyKind, SerologyResult, SerologySeries};
use crate::pack::{DuplicateScheme, RulePack};
use crate::say::{Said, said};
use crate::trace::Trace;
use crate::{Limit, Reading};
use rust_decimal::Decimal;

/// Where a signal lies. In the order of danger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    NonReactive,
    Grey,
    Reactive,
}

impl Level {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::NonReactive => "NR",
            Self::Grey => "GZ",
            Self::Reactive => "R",
        }
    }
}

/// What a result says before its run is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signal {
    Level(Level),
    /// Ordered, or reported as pending; with what its numbers say so far.
    Waiting(Option<Level>),
    /// No usable answer, and why; with the worst it could have meant.
    Unusable {
        why: Said,
        level: Option<Level>,
    },
    /// Nothing was reported.
    Empty,
}

impl Signal {
    pub(super) fn level(&self) -> Option<Level> {
        match self {
            Self::Level(level) => Some(*level),
            Self::Waiting(level) | Self::Unusable { level, .. } => *level,
            Self::Empty => None,
        }
    }
}

/// The limits that hold for one reagent.
#[derive(Debug, Clone)]
pub(super) struct ReagentRule {
    cut: Limit,
    gz_low: Option<Limit>,
    gz_as_initial_reactive: bool,
    dup_uses_gz: bool,
    direction: Direction,
    od_floor: Limit,
    sco_floor: Limit,
    pub(super) duplicate_scheme: DuplicateScheme,
}

impl ReagentRule {
    pub(super) fn of(pack: &RulePack, series: &SerologySeries) -> Self {
        let sero = &pack.settings().sero;
        let own = pack.cut_of(series.marker, &series.reagent);
        Self {
            cut: own.cut,
            gz_low: own.gz_low,
            gz_as_initial_reactive: own.grey_is_initial_reactive(),
            dup_uses_gz: own.grey_is_duplicate_reactive(),
            direction: series.direction.or(own.direction).unwrap_or(Direction::Direct),
            od_floor: sero.od_floor.value,
            sco_floor: sero.sco_floor.value,
            duplicate_scheme: sero.dup.value,
        }
    }

    pub(super) fn is_initial_reactive(&self, level: Level) -> bool {
        match level {
            Level::NonReactive => false,
            Level::Grey => self.gz_as_initial_reactive,
            Level::Reactive => true,
        }
    }

    pub(super) fn is_duplicate_reactive(&self, level: Level) -> bool {
        match level {
            Level::NonReactive => false,
            Level::Grey => self.dup_uses_gz,
            Level::Reactive => true,
        }
    }

    pub(super) fn read(&self, result: &SerologyResult) -> Signal {
        let numbers = self.numbers(result);
        let (Ok(level) | Err((_, level))) = numbers;
        let called = match result.interpretation {
            Some(Call::NonReactive) => Some(Level::NonReactive),
            Some(Call::GreyZone) => Some(Level::Grey),
            Some(Call::Reactive) => Some(Level::Reactive),
            Some(Call::Pending) => return Signal::Waiting(level),
            Some(Call::Indeterminate | Call::Invalid) => {
                return Signal::Unusable { why: "the analyser gives no valid result".into(), level };
            }
            None => None,
        };
        let worst = level.max(called);
        match (numbers, worst) {
            (Err((why, _)), _) => Signal::Unusable { why, level: worst },
            (Ok(_), Some(level)) => Signal::Level(level),
            (Ok(_), None) => Signal::Empty,
        }
    }

    /// The level by the numbers; no level where there are none. An error names what is wrong with them and the
    /// worst they could have meant.
    fn numbers(&self, result: &SerologyResult) -> Result<Option<Level>, (Said, Option<Level>)> {
        let by_od = match (result.od, result.cutoff) {
            (Some(od), Some(cutoff)) => Some(self.by_od(od, cutoff.number())?),
            (Some(_), None) if result.sco.is_none() && result.interpretation.is_none() => {
                return Err(("an OD without a cut-off says nothing".into(), None));
            }
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
        let by_sco = result.sco.map(|sco| self.by_sco(sco)).transpose()?;
        match (by_od, by_sco) {
            (Some(od), Some(sco)) if od != sco && !printed_alike(result, od > sco) => {
                let why = "OD, cut-off and S/CO contradict each other".into();
                Err((why, Some(od.max(sco))))
            }
            // R-SER-05: the measured numbers decide, never the printed ratio.
            (Some(od), _) => Ok(Some(od)),
            (None, sco) => Ok(sco),
        }
    }

    fn by_od(&self, od: Reading, cutoff: Decimal) -> Result<Level, (Said, Option<Level>)> {
        if cutoff <= Decimal::ZERO {
            return Err(("the cut-off is not above 0".into(), None));
        }
        if od.at_least(self.od_floor.number()) == Some(false) {
            return Err((said!("the OD lies below {}", self.od_floor), None));
        }
        self.level(od, cutoff)
    }

    fn by_sco(&self, sco: Reading) -> Result<Level, (Said, Option<Level>)> {
        if sco.at_least(self.sco_floor.number()) == Some(false) {
            return Err((said!("the S/CO lies below {}", self.sco_floor), None));
        }
        self.level(sco, Decimal::ONE)
    }

    /// `signal` against `cut × cutoff`, both ways exact: no division.
    fn level(&self, signal: Reading, cutoff: Decimal) -> Result<Level, (Said, Option<Level>)> {
        let reaches = |limit: Limit| match self.direction {
            Direction::Direct => signal.at_least(limit.number() * cutoff),
            Direction::Competitive => signal.times(limit).at_most(cutoff),
        };
        let open =
            || (said!("{signal} does not tell on which side of the cut-off it lies"), Some(Level::Reactive));
        if reaches(self.cut).ok_or_else(open)? {
            return Ok(Level::Reactive);
        }
        match self.gz_low {
            Some(low) if reaches(low).ok_or_else(open)? => Ok(Level::Grey),
            Some(_) | None => Ok(Level::NonReactive),
        }
    }

    /// Writes what decided about a result.
    pub(super) fn trace_inputs(&self, result: &SerologyResult, line: &mut Trace) {
        line.limit("cut", self.cut).word("kind", kind_name(result.kind));
        if let Some(od) = result.od {
            line.reading("od", od);
        }
        if let Some(cutoff) = result.cutoff {
            line.exact("cutoff", cutoff);
        }
        if let Some(sco) = result.sco {
            line.reading("sco", sco);
        }
        if let Some(call) = result.interpretation {
            line.call("interpretation", call);
        }
        if let Some(low) = self.gz_low {
            line.limit("gz_low", low);
        }
        if let Some(run) = &result.run {
            line.text("run", run.as_str());
        }
    }
}

fn kind_name(kind: SerologyKind) -> &'static str {
    match kind {
        SerologyKind::Initial => "initial",
        SerologyKind::Repeat => "repeat",
        SerologyKind::Duplicate => "duplicate",
    }
}

/// Whether the printed S/CO is OD ÷ cut-off: rounded to the nearest, or cut off below it. It decides nothing; it only tells a
/// rounding apart from numbers that do not belong together. Where the measured numbers are the `graver`, they decide within a
/// whole unit of its last digit, either way.
fn printed_alike(result: &SerologyResult, graver: bool) -> bool {
    let (Some(od), Some(cutoff), Some(sco)) = (result.od, result.cutoff, result.sco) else { return false };
    if od.bound().is_some() || sco.bound().is_some() {
        return false;
    }
    let unit = Decimal::new(1, sco.number().scale()).checked_mul(cutoff.number());
    let above = sco.number().checked_mul(cutoff.number()).and_then(|n| n.checked_sub(od.number()));
    let (Some(unit), Some(above)) = (unit, above) else { return false };
    let rounded = || above.abs().checked_mul(Decimal::TWO).is_some_and(|twice| twice <= unit);
    let is_cut_short = || above <= Decimal::ZERO && above.abs() < unit;
    if graver { above.abs() <= unit } else { rounded() || is_cut_short() }
}

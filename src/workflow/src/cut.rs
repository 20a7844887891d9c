//! From which signal on a serology result is reactive, each reagent by its own: as the pack has it (`[[reagent]]`, else
//! `[sero]`), and its kit. It says which wells are the duplicate round; the rule pack judges the numbers.

use crate::Settings;
use crate::evidence::{ACTIVITY, reading};
use crate::facts::Fact;
use release::RulePack;
use release::evidence::{Call, Direction, SerologyKind, SerologyResult};
use rust_decimal::Decimal;
use vocabulary::Observation;

/// The cuts of every reagent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cuts<'s>(&'s RulePack);

impl<'s> Cuts<'s> {
    pub(crate) fn of(settings: &'s Settings) -> Self {
        Self(&settings.pack)
    }

    /// Whether an ALT result is a number up to the pack's limit, where the pack asks for ALT.
    pub(crate) fn passes_alt(self, o: &Observation) -> bool {
        let settings = self.0.settings();
        let limit = settings.alt.limit_u_l.value.number();
        let is_activity = o.value.unit.as_deref() == Some(ACTIVITY);
        let passes = || reading(o).is_some_and(|activity| activity.at_most(limit) == Some(true));
        !settings.tests.alt.value || (is_activity && passes())
    }

    /// That of a result's reagent.
    pub(crate) fn cut(self, fact: &Fact) -> Cut {
        let own = self.0.cut_of(fact.observation.marker, &fact.observation.assay);
        Cut {
            initial: own.initial().number(),
            duplicate: own.duplicate().number(),
            grey_is_initial: own.grey_is_initial_reactive(),
            competitive: fact.is_competitive() || own.direction == Some(Direction::Competitive),
        }
    }
}

/// From which S/CO on wells of one reagent are reactive.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    /// A first well.
    pub(crate) initial: Decimal,
    /// A well of the duplicate round.
    duplicate: Decimal,
    /// What an analyser calls grey asks for a duplicate round.
    grey_is_initial: bool,
    /// A weak signal is reactive.
    competitive: bool,
}

impl Cut {
    /// The lowest S/CO of a well of this kind that may be reactive.
    pub(crate) fn from(self, kind: SerologyKind) -> Decimal {
        match kind {
            SerologyKind::Initial | SerologyKind::Repeat => self.initial,
            SerologyKind::Duplicate => self.duplicate.min(self.initial),
        }
    }

    /// Whether a signal reaches so many times the cut-off. A product too large to be exact is far beyond any that a kit has.
    pub(crate) fn reaches(self, signal: Decimal, (cutoff, from): (Decimal, Decimal)) -> bool {
        if self.competitive {
            signal.checked_mul(from).is_none_or(|signal| signal <= cutoff)
        } else {
            cutoff.checked_mul(from).is_none_or(|from| signal >= from)
        }
    }

    fn measured(self, result: &SerologyResult, from: Decimal) -> bool {
        match (result.od, result.cutoff, result.sco) {
            (Some(od), Some(cutoff), _) => self.reaches(od.number(), (cutoff.number(), from)),
            (_, _, Some(sco)) => self.reaches(sco.number(), (Decimal::ONE, from)),
            (Some(_) | None, _, None) => false,
        }
    }

    /// Whether a well is reactive, by its numbers or by what was said of it.
    pub(crate) fn looks_reactive(self, result: &SerologyResult, from: Decimal) -> bool {
        let said = result.interpretation.is_some_and(|call| call != Call::NonReactive);
        said || self.measured(result, from)
    }

    /// Whether a first well asks for a duplicate round. What gave no answer is repeated as a first well, and a grey one asks for
    /// it where the pack says so. An analyser that says non-reactive of a signal below its own cut-off does not know the pack's
    /// lower cut; of one beyond it, it contradicts itself, and a person has to look.
    pub(crate) fn asks_for_duplicate(self, result: &SerologyResult) -> bool {
        let measured = || self.measured(result, self.initial);
        match result.interpretation {
            Some(Call::Reactive) => true,
            Some(Call::GreyZone) => self.grey_is_initial || measured(),
            Some(Call::NonReactive) => measured() && !self.measured(result, Decimal::ONE),
            Some(Call::Indeterminate | Call::Invalid | Call::Pending) => false,
            None => measured(),
        }
    }
}

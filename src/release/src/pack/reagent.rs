//! From which signal on one reagent is reactive: `[[reagent]]`, else `[sero]`.

use super::RulePack;
use super::settings::{Reagent, Settings};
use crate::Limit;
use crate::evidence::Direction;
use vocabulary::Marker;

/// What a pack says of one reagent's signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReagentCut {
    /// Reactive from this S/CO on.
    pub cut: Limit,
    /// Grey from this S/CO on, where the pack knows a grey zone.
    pub gz_low: Option<Limit>,
    /// A grey result of a first well counts as initial reactive.
    pub gz_as_initial_reactive: bool,
    /// A grey well of the duplicate round is reactive.
    pub dup_uses_gz: bool,
    /// Which way its signal runs, where the pack says it.
    pub direction: Option<Direction>,
}

impl ReagentCut {
    /// The lowest S/CO of a first well that asks for a duplicate round.
    #[must_use]
    pub fn initial(&self) -> Limit {
        self.gz_low.filter(|_| self.gz_as_initial_reactive).unwrap_or(self.cut)
    }

    /// The lowest S/CO of a well of the duplicate round that is reactive.
    #[must_use]
    pub fn duplicate(&self) -> Limit {
        self.gz_low.filter(|_| self.dup_uses_gz).unwrap_or(self.cut)
    }
}

impl ReagentCut {
    /// Whether a grey first well asks for a duplicate round. Where the pack knows no grey zone, what an analyser calls grey
    /// is not to be waved through.
    #[must_use]
    pub fn grey_is_initial_reactive(&self) -> bool {
        self.gz_as_initial_reactive || self.gz_low.is_none()
    }

    /// The same of a grey well of the duplicate round.
    #[must_use]
    pub fn grey_is_duplicate_reactive(&self) -> bool {
        self.dup_uses_gz || self.gz_low.is_none()
    }
}

impl Settings {
    /// From which signal on a reagent, named as evidence names it, is reactive.
    pub(super) fn cut_of(&self, marker: Marker, reagent: &str) -> ReagentCut {
        self.cut_by(self.reagent.iter().find(|r| r.marker == marker && r.name == reagent))
    }

    /// The same of every reagent that the pack does not name.
    pub(super) fn cut_of_others(&self) -> ReagentCut {
        self.cut_by(None)
    }

    fn cut_by(&self, own: Option<&Reagent>) -> ReagentCut {
        let sero = &self.sero;
        let gz_low = own.and_then(|r| r.gz_low.as_ref()).or(sero.gz_low.as_ref()).map(|gz| gz.value);
        let grey = own.and_then(|r| r.gz_as_initial_reactive.as_ref());
        let grey_wells = own.and_then(|r| r.dup_uses_gz.as_ref());
        ReagentCut {
            cut: own.and_then(|r| r.cut.as_ref()).map_or(sero.cut.value, |cut| cut.value),
            gz_low,
            gz_as_initial_reactive: grey.map_or(sero.gz_as_initial_reactive.value, |grey| grey.value),
            dup_uses_gz: grey_wells.map_or(sero.dup_uses_gz.value, |grey| grey.value),
            direction: own.and_then(|r| r.direction),
        }
    }
}

impl RulePack {
    /// From which signal on a reagent, named as evidence names it, is reactive.
    #[must_use]
    pub fn cut_of(&self, marker: Marker, reagent: &str) -> ReagentCut {
        self.settings().cut_of(marker, reagent)
    }
}

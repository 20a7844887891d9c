//! What one person's word does to results that were reactive, or as grave (rules.md §2.5): a run, or what was made with a lot,
//! falls at once, and what it had found goes on holding until another person has confirmed that. Afterwards it is answered
//! only by what was tested when it had fallen, or in the run that is named as its repeat.
//!
//! ```text
//!  reactive in the run ──A declares it invalid──► held ──B confirms──► to be answered ──tested again──► as that says
//! ```

use crate::cut::Cuts;
use crate::evidence::{is_discriminatory, open, unusable, well};
use crate::facts::{Fact, RunFacts};
use crate::measurement::{GREY, severity};
use ledger::{LotDefect, RunInvalidation};
use release::evidence::{OpenFinding, Qc, SerologyKind, Validity};
use std::collections::BTreeMap;
use vocabulary::{Interpretation, Marker, MarkerKind, RunId};

/// Wells of a duplicate round: what was tested beyond them never counts against what they were to answer (R-SER-03).
const DUPLICATE_WELLS: usize = 2;

/// What a test of several targets together looks for.
const TARGETS: [Marker; 3] = [Marker::HbvDna, Marker::HcvRna, Marker::HivRna];

/// What a person declared: a run, or one part of it, or a lot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fell {
    /// By the name that it was declared under.
    Run(RunId),
    /// By its number.
    Lot(String),
}

/// A person's word by which a run fell, or what was made with a lot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fall {
    /// What fell.
    pub of: Fell,
    /// Who said so.
    pub by: String,
    /// The entry.
    pub entry: u64,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// Another person stands for it.
    pub confirmed: bool,
    /// The run in which its samples are tested again, where two people know of it.
    pub repeated_in: Option<RunId>,
}

impl From<&RunInvalidation> for Fall {
    fn from(said: &RunInvalidation) -> Self {
        let RunInvalidation { run, done, confirmed, .. } = said;
        Self {
            of: Fell::Run(run.clone()),
            by: done.by.clone(),
            entry: done.entry.get(),
            at_ms: done.at_ms,
            confirmed: confirmed.is_some(),
            repeated_in: said.repeat_of_two().cloned(),
        }
    }
}

impl From<&LotDefect> for Fall {
    fn from(said: &LotDefect) -> Self {
        Self {
            of: Fell::Lot(said.lot.clone()),
            by: said.done.by.clone(),
            entry: said.done.entry.get(),
            at_ms: said.done.at_ms,
            confirmed: said.confirmed.is_some(),
            repeated_in: None,
        }
    }
}

/// When a result was tested, where that is known: no later than it came.
fn tested_ms(fact: &Fact) -> Option<i64> {
    said_ms(fact).map(|tested| tested.min(fact.came_ms))
}

/// When a result was tested by the clock of its analyser.
fn said_ms(fact: &Fact) -> Option<i64> {
    fact.tested_at.map(|tested| tested.at().as_millisecond())
}

impl Fall {
    /// Whether a result was tested after it. One whose time is not known was not.
    fn precedes(&self, fact: &Fact) -> bool {
        tested_ms(fact).is_some_and(|tested| tested > self.at_ms)
    }

    /// Whether a result is one of the named repeat of another that fell: what was tested before that one, or nobody knows
    /// when, repeats nothing.
    fn is_repeated_by(&self, fell: &Fact, fact: &Fact) -> bool {
        let names = [fact.run(), fact.observation.run.as_ref()];
        // By the clocks as they were, and by this one: neither may have been set wrong in between.
        let is_later = |time: fn(&Fact) -> Option<i64>| {
            time(fell).zip(time(fact)).is_some_and(|(before, after)| before < after)
        };
        self.repeated_in.is_some()
            && names.contains(&self.repeated_in.as_ref())
            && is_later(said_ms)
            && is_later(tested_ms)
    }

    /// Whether a result is an answer to one that fell by it.
    fn is_answered_by(&self, fell: &Fact, fact: &Fact) -> bool {
        self.precedes(fact) || self.is_repeated_by(fell, fact)
    }

    fn said(&self) -> String {
        let (by, entry) = (&self.by, self.entry);
        match &self.of {
            Fell::Run(run) => format!("run {run} was declared invalid by {by} (entry {entry})"),
            Fell::Lot(lot) => format!("lot {lot} was found defective by {by} (entry {entry})"),
        }
    }

    fn confirms(&self) -> &'static str {
        match self.of {
            Fell::Run(_) => "hemogate runs confirm",
            Fell::Lot(_) => "hemogate lots confirm",
        }
    }
}

/// What stands for a donation's runs, and from which signal on a result is reactive.
#[derive(Clone, Copy)]
pub(crate) struct Falls<'a> {
    pub(crate) runs: &'a BTreeMap<RunId, RunFacts>,
    pub(crate) keep_reactive: bool,
    pub(crate) cuts: Cuts<'a>,
}

impl<'a> Falls<'a> {
    /// The words by which a result fell.
    fn of(self, fact: &Fact) -> &'a [Fall] {
        fact.run().and_then(|run| self.runs.get(run)).map_or(&[], |run| run.falls.as_slice())
    }

    /// Whether a result would hold the donation if it stood.
    fn is_grave(self, fact: &Fact) -> bool {
        let o = &fact.observation;
        let by_kit = || {
            let (first, cut) = (SerologyKind::Initial, self.cuts.cut(fact));
            let is_well = o.marker.kind() == MarkerKind::Serology
                && o.value.interpretation != Some(Interpretation::Invalid);
            is_well && cut.looks_reactive(&well(fact, first), cut.from(first))
        };
        o.marker.kind() != MarkerKind::Grouping && (severity(fact, self.cuts) >= GREY || by_kit())
    }

    /// Whether a reactive result is none any more.
    fn has_vanished(self, fact: &Fact) -> bool {
        let run = fact.run().and_then(|run| self.runs.get(run));
        let is_kept = self.keep_reactive && fact.observation.marker.kind() == MarkerKind::Serology;
        let is_out =
            |run: &RunFacts| run.validity == Validity::Invalid || (run.qc == Qc::OutOfControl && !is_kept);
        run.is_some_and(|run| !run.falls.is_empty() && is_out(run)) && self.is_grave(fact)
    }

    /// Whether a result stands, or stood before it fell by a person's word.
    fn may_have_counted(self, fact: &Fact) -> bool {
        let run = fact.run().and_then(|run| self.runs.get(run));
        let may = run.is_some_and(|run| run.validity == Validity::Valid || !run.falls.is_empty());
        may && unusable(&fact.observation).is_none()
    }

    /// Of each result of one reagent why it answers no reactive one that fell; nothing where it may, and of a reactive one.
    pub(crate) fn unanswering(self, facts: &[&Fact]) -> Vec<Option<String>> {
        let fallen = facts.iter().filter(|fact| self.has_vanished(fact));
        let vanished: Vec<(&Fact, &Fall)> =
            fallen.flat_map(|fact| self.of(fact).iter().map(move |fall| (*fact, fall))).collect();
        if vanished.is_empty() {
            return vec![None; facts.len()];
        }
        let mut round: Option<usize> = None;
        facts
            .iter()
            .map(|fact| {
                // As it was before the run fell.
                let is_extra = round.is_some_and(|wells| wells >= DUPLICATE_WELLS);
                if self.may_have_counted(fact) {
                    round = round.map(|wells| wells + 1).or_else(|| self.is_grave(fact).then_some(0));
                }
                let (_, unanswered) = vanished.iter().find(|(fell, fall)| {
                    !(fall.precedes(fact) || (fall.is_repeated_by(fell, fact) && !is_extra))
                })?;
                let counts = self.of(fact).is_empty() && !self.is_grave(fact);
                counts.then(|| why_not(unanswered, is_extra))
            })
            .collect()
    }

    /// What people have to see of the falls: what waits for a second person, and what nothing answers yet. Of serology the
    /// wells say the latter themselves.
    pub(crate) fn findings(self, used: &[&Fact]) -> Vec<OpenFinding> {
        if used.iter().all(|fact| self.of(fact).is_empty()) {
            return Vec::new();
        }
        let mut unconfirmed: BTreeMap<&Fall, Vec<&Fact>> = BTreeMap::new();
        for fact in used.iter().filter(|fact| self.is_grave(fact) || self.contradicts(fact, used)) {
            for fall in self.of(fact).iter().filter(|fall| !fall.confirmed) {
                unconfirmed.entry(fall).or_default().push(fact);
            }
        }
        let unanswered = used
            .iter()
            .filter(|fact| fact.observation.marker.kind() != MarkerKind::Serology && self.has_vanished(fact));
        let unanswered = unanswered.filter_map(|fact| {
            let marker = fact.observation.marker;
            let own = [marker];
            let wanted = if marker == Marker::Nat { TARGETS.as_slice() } else { own.as_slice() };
            // What a screening test had found is not answered by one that comes after it.
            let may_answer =
                |one: &Fact| is_discriminatory(&fact.observation) || !is_discriminatory(&one.observation);
            let is_open = |fall: &&Fall| {
                wanted.iter().any(|marker| {
                    !used.iter().any(|one| may_answer(one) && self.answers((fact, fall), (*marker, one)))
                })
            };
            let fall = self.of(fact).iter().find(is_open)?;
            Some(open(OpenFinding::FALL_UNANSWERED, format!("{}: {}", named(fact), why_open(fall))))
        });
        let unconfirmed = unconfirmed.iter().map(|(fall, facts)| {
            let found: Vec<String> = facts.iter().map(|fact| named(fact)).collect();
            let what = format!(
                "{}, and nobody has confirmed it; it had found {}: another person says that it is so ({})",
                fall.said(),
                found.join(", "),
                fall.confirms()
            );
            open(OpenFinding::FALL_UNCONFIRMED, what)
        });
        unconfirmed.chain(unanswered).collect()
    }

    /// Whether a result stands, says something of a marker, and was tested when what it answers had fallen, or as its repeat.
    fn answers(self, (fell, of): (&Fact, &Fall), (marker, fact): (Marker, &Fact)) -> bool {
        let own = fact.observation.marker;
        let same_test = own == marker || (marker.kind() == MarkerKind::Nat && own == Marker::Nat);
        let run = fact.run().and_then(|run| self.runs.get(run));
        let stands = run.is_some_and(|run| run.validity == Validity::Valid && run.qc != Qc::OutOfControl);
        same_test && stands && unusable(&fact.observation).is_none() && of.is_answered_by(fell, fact)
    }

    /// Whether a reaction or a group that fell is another than one that stands, or nothing that stands shows the same.
    fn contradicts(self, fact: &Fact, used: &[&Fact]) -> bool {
        let shows = |fact: &Fact| {
            let value = &fact.observation.value;
            let grade = value.grade.map(|grade| (grade.is_zero(), grade.has_remark()));
            (grade.is_some() || value.interpretation.is_some()).then_some((grade, value.interpretation))
        };
        let marker = fact.observation.marker;
        let (MarkerKind::Grouping, Some(own)) = (marker.kind(), shows(fact)) else { return false };
        let mut standing = used
            .iter()
            .filter(|other| other.observation.marker == marker && self.of(other).is_empty())
            .filter_map(|other| shows(other))
            .peekable();
        standing.peek().is_none() || standing.any(|other| other != own)
    }
}

fn named(fact: &Fact) -> String {
    let o = &fact.observation;
    format!("{} of {}: {:?} (message {})", o.assay, o.marker, o.value.raw, fact.message)
}

fn why_open(fall: &Fall) -> String {
    let name = match fall.of {
        Fell::Run(_) => {
            ", or the one who confirmed it names the run in which that was done afterwards (hemogate runs repeat)"
        }
        Fell::Lot(_) => "",
    };
    format!(
        "{}, and what was tested before that does not answer it; test the sample again{name}",
        fall.said()
    )
}

fn why_not(fall: &Fall, is_extra: bool) -> String {
    if is_extra {
        format!(
            "it was tested beyond the duplicate round before {}; test the sample again (R-SER-03)",
            fall.said()
        )
    } else {
        why_open(fall)
    }
}

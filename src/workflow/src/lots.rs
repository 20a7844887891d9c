//! Lots that are found defective after they were used (rules.md §2.5): whatever was made with one, or judged by controls that
//! were, since it was in use has no result, be it reactive or not. It takes effect with one person; what was reactive goes on
//! holding until a second one confirms it ([`crate::Fall`]), and two take it back.
//!
//! ```text
//!  in use ──defective (A)──► defective ──confirm (not A)──► defective, confirmed
//!    ▲                          │ reinstate (B)                │
//!    └──reinstate (not B)── defective, proposed ◄──────────────┘
//! ```

mod refused;
#[cfg(test)]
mod tests;

pub use refused::Refused;

use crate::batches::Agreed;
use crate::facts::{AssayLot, DonationFacts, Fact, LotRegister, RunFacts, Told};
use crate::falls::Fall;
use crate::people::{Act, Actor};
use crate::{Settings, pins};
use jiff::{Timestamp, civil::Date};
use ledger::{Draft, Ledger, LotDefect, LotsAct, ReadError, Reader, Seq, WINDOW_MARK, What};
use release::evidence::{Qc, Validity};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use vocabulary::{LotRole, MarkerKind, RunId};

/// Characters of a reason.
const TEXT_CHARS_MAX: usize = 500;

/// What has to be said of a lot that is defective.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defective {
    /// First day on which it was in use.
    pub since: Date,
    /// Why.
    pub reason: String,
}

fn text(text: &str) -> Result<String, Refused> {
    let text = text.trim();
    let fits = (1..=TEXT_CHARS_MAX).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits { Ok(text.to_owned()) } else { Err(Refused::Text { field: "reason" }) }
}

fn write(ledger: &Ledger, actor: &Actor, act: LotsAct) -> Result<Seq, Refused> {
    let draft = Draft { by: actor.by(), what: What::Lots(act) };
    let written = pins::write(ledger, vec![draft]).map_err(|error| Refused::Broken(error.to_string()))?;
    written.ok_or_else(|| Refused::Broken("nothing was written".to_owned()))
}

/// A person says that a lot is defective: every result of it since that day falls at once, and what went by one is called back.
///
/// # Errors
/// [`Refused`]; [`Refused::NoSuchLot`] where nothing is known of it: a lot that is misspelt would stay good.
pub fn defective(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (lot, said): (&str, &Defective),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let reason = text(&said.reason)?;
    let begins = said.since.to_zoned(settings.time_zone.clone()).map(|day| day.timestamp());
    let since = begins.ok().filter(|since| *since <= Timestamp::now());
    let since_ms = since.ok_or(Refused::Day { since: said.since })?.as_millisecond();
    let connections = settings.lots.lines_with(lot);
    if connections.is_empty() && !settings.lots.knows(lot) && reader.lines_of_lot(lot)?.is_empty() {
        return Err(Refused::NoSuchLot(lot.to_owned()));
    }
    if let Some(known) = reader.lot_defect(lot)?
        && known.since_ms <= since_ms
        && known.reinstatement.is_none()
        && connections.iter().all(|line| known.connections.contains(line))
    {
        let LotDefect { done, .. } = known;
        return Err(Refused::Already { lot: lot.to_owned(), entry: done.entry, by: done.by });
    }
    write(ledger, actor, LotsAct::Defective { lot: lot.to_owned(), since_ms, connections, reason })
}

fn standing(reader: &Reader, lot: &str) -> Result<LotDefect, Refused> {
    reader.lot_defect(lot)?.ok_or_else(|| Refused::NotDefective(lot.to_owned()))
}

/// A second person stands for it.
///
/// # Errors
/// [`Refused`]; [`Refused::SecondPerson`] for the one who declared it, [`Refused::Lapsed`] where it was declared anew, or taken
/// back, before the entry was written.
pub fn confirm(ledger: &Ledger, actor: &Actor, lot: &str) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let known = standing(&reader, lot)?;
    if known.done.by == actor.user().as_str() {
        return Err(Refused::SecondPerson { by: known.done.by });
    }
    if let Some(confirmed) = known.confirmed {
        return Ok(confirmed.entry);
    }
    let entry =
        write(ledger, actor, LotsAct::DefectConfirmed { lot: lot.to_owned(), declared: known.done.entry })?;
    let confirmed = ledger.state().lot_defect(lot)?.and_then(|now| now.confirmed);
    confirmed
        .filter(|done| done.entry == entry)
        .map(|done| done.entry)
        .ok_or_else(|| Refused::Lapsed(lot.to_owned()))
}

/// A person wants the lot's results back: the first one proposes it, another one agrees.
///
/// # Errors
/// [`Refused`]; [`Refused::Lapsed`] where what was agreed to no longer stood when the entry was written.
pub fn reinstate(ledger: &Ledger, actor: &Actor, lot: &str, reason: &str) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let reason = text(reason)?;
    let known = standing(&reader, lot)?;
    let lot = lot.to_owned();
    let Some(proposed) = known.proposed(Timestamp::now().as_millisecond()) else {
        let declared = known.done.entry;
        let act = LotsAct::ReinstatementProposed { lot, declared, reason };
        return write(ledger, actor, act).map(|entry| Agreed::Proposed { entry });
    };
    if proposed.done.by == actor.user().as_str() {
        return Ok(Agreed::WaitsForAnother { entry: proposed.done.entry });
    }
    let proposed = proposed.done.entry;
    let entry = write(ledger, actor, LotsAct::Reinstated { lot: lot.clone(), proposed })?;
    let still = ledger.state().lot_defect(&lot)?;
    if still.is_some_and(|still| still.done.entry < entry) {
        return Err(Refused::Lapsed(lot));
    }
    Ok(Agreed::Done { entry })
}

/// Lots that stand as defective, read once for donations that are looked at together.
#[derive(Debug, Default)]
pub(crate) struct Known(Option<Arc<[LotDefect]>>);

impl Known {
    /// What was made with a defective lot, or judged by controls that were, has no result.
    pub(crate) fn judge(
        &mut self,
        settings: &Settings,
        reader: &Reader,
        facts: &mut DonationFacts,
    ) -> Result<(), ReadError> {
        let defects = match &self.0 {
            Some(known) => Arc::clone(known),
            None => Arc::clone(self.0.insert(reader.lot_defects()?.into())),
        };
        if defects.is_empty() {
            return Ok(());
        }
        let DonationFacts { observations, pools, runs, .. } = facts;
        let falls = |fact: &mut Fact, runs: &mut _| fall(&settings.lots, &defects, (fact, runs));
        for pool in pools {
            // What the others gave alone says what the pool's result means for this one.
            for member in pool.members.values_mut() {
                for fact in &mut member.alone {
                    falls(fact, &mut member.runs);
                }
            }
            for fact in &mut pool.results {
                falls(fact, runs);
            }
        }
        for fact in observations {
            falls(fact, runs);
        }
        Ok(())
    }
}

/// A result falls with the lot that it was made with.
fn fall(
    lots: &LotRegister,
    defects: &[LotDefect],
    (fact, runs): (&mut Fact, &mut BTreeMap<RunId, RunFacts>),
) {
    let Some(own) = fact.run().cloned() else { return };
    let Some(of_run) = runs.get(&own) else { return };
    let Some(defect) = defects.iter().find(|one| uses(lots, fact, of_run, one)) else { return };
    let fallen = fallen(of_run.clone(), defect);
    let id = part_of(&own, fact, defect);
    if id != own {
        fact.window = Some(id.clone());
    }
    runs.insert(id, fallen);
}

/// Whether a result was made with the lot since it was in use, or controls that stand for it were. What does not say when it
/// was made was made when it came.
fn uses(lots: &LotRegister, fact: &Fact, run: &RunFacts, defect: &LotDefect) -> bool {
    let made_ms = fact.tested_at.map_or(fact.came_ms, |tested| tested.at().as_millisecond());
    if made_ms < defect.since_ms {
        return false;
    }
    let own: Vec<_> = lots.of(&fact.observation, &fact.connection).collect();
    own.iter().any(|lot| lot.lot == defect.lot)
        || run.lots.iter().any(|AssayLot { lot, .. }| {
            lot.lot == defect.lot && (own.is_empty() || lot.role != LotRole::Reagent)
        })
}

fn fallen(mut run: RunFacts, defect: &LotDefect) -> RunFacts {
    // What its own controls took fell without anybody's word.
    if run.validity != Validity::Invalid || !run.falls.is_empty() {
        run.falls.push(Fall::from(defect));
    }
    let LotDefect { lot, done, reason, .. } = defect;
    let (by, entry) = (&done.by, done.entry);
    let told = Told::new(
        format!(
            "lot {lot} was found defective by {by} (entry {entry}: {reason}); test the samples again with another lot"
        ),
        format!("批号 {lot} 已由 {by} 判定有缺陷（记录 {entry}：{reason}）；标本用其他批号重做"),
    );
    RunFacts {
        why: Told::joined(Some(told.clone()), run.why),
        validity: Validity::Invalid,
        qc: Qc::OutOfControl,
        qc_why: Told::joined(Some(told), run.qc_why),
        ..run
    }
}

/// Results of other assays in the run stand, so that only a part of it falls; a grouping and a batch of nucleic acid tests are
/// one thing.
fn part_of(run: &RunId, fact: &Fact, defect: &LotDefect) -> RunId {
    match fact.observation.marker.kind() {
        MarkerKind::Grouping | MarkerKind::Nat => run.clone(),
        MarkerKind::Serology | MarkerKind::Chemistry | MarkerKind::Screening => {
            let part = format!("{run}{WINDOW_MARK}!{}", defect.lot);
            RunId::new(&part).unwrap_or_else(|_| run.clone())
        }
    }
}

//! Runs that people declare invalid (rules.md §2.5). It takes effect with one person; what was reactive in the run goes on
//! holding until a second one confirms it ([`crate::Fall`]). To make such a run valid again takes two, of whom the second is not the first.
//!
//! ```text
//!  valid ──invalidate (A)──► invalid ──confirm (not A)──► invalid, confirmed
//!    ▲                          │ reinstate (B)                │
//!    └──reinstate (not B)── invalid, proposed ◄────────────────┘
//! ```

use super::{Refused, text, write};
use crate::Settings;
use crate::people::{Act, Actor};
use crate::runs::spans_of;
use jiff::Timestamp;
use ledger::{Ledger, Reader, RunCause, RunInvalidation, RunProposed, Seq, SignedAct, whole_run};
use serde::{Deserialize, Serialize};
use vocabulary::RunId;

/// What has to be said of a run that falls.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invalid {
    /// Why.
    pub reason: String,
    /// What kind of a cause; it has to be said.
    #[serde(default)]
    pub cause: Option<RunCause>,
    /// The run in which its samples are tested again, where that is known.
    #[serde(default)]
    pub repeated_in: Option<RunId>,
}

/// How far something is for which two people have to agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Agreed {
    /// It is proposed, and nothing changes until another person agrees.
    Proposed {
        /// The entry.
        entry: Seq,
    },
    /// The same person proposed it: nothing is written.
    WaitsForAnother {
        /// The entry that proposed it.
        entry: Seq,
    },
    /// It is so.
    Done {
        /// The entry.
        entry: Seq,
    },
}

/// Declares a run, or one window of it, invalid after the fact: every donation that used it is judged anew, and a released
/// one called back.
///
/// # Errors
/// [`Refused`]; [`Refused::NoSuchRun`] where nothing is known of it: a run that is misspelt would stay valid.
pub fn invalidate_run(
    settings: &Settings,
    ledger: &Ledger,
    actor: &Actor,
    (run, invalid): (&RunId, &Invalid),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let reason = text("reason", &invalid.reason)?;
    let spans = spans_of(settings, &reader, run)?;
    // A name with a time in it has to be that of a window which some result lies in.
    if !(has_own(&reader, run)? || whole_run(run).is_some() && !spans.is_empty()) {
        return Err(Refused::NoSuchRun(run.clone()));
    }
    if invalid.repeated_in.as_ref() == Some(run) {
        return Err(Refused::RepeatedInItself(run.clone()));
    }
    if let Some(said) = reader.run_invalidated(run)?.filter(|said| said.reinstatement.is_none()) {
        return Err(Refused::InvalidAlready { run: said.run, entry: said.done.entry, by: said.done.by });
    }
    let cause = invalid.cause.ok_or_else(|| Refused::NoCause(run.clone()))?;
    let repeated_in = invalid.repeated_in.clone();
    write(ledger, actor, SignedAct::RunInvalidated { run: run.clone(), reason, cause, repeated_in, spans })
}

/// A person wants a run judged by the kits that are in force now: the first one proposes it, another one agrees.
///
/// # Errors
/// [`Refused`]; [`Refused::Lapsed`] where what was agreed to no longer stood when the entry was written.
pub fn judge_run_anew(ledger: &Ledger, actor: &Actor, run: &RunId, reason: &str) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let reason = text("reason", reason)?;
    if !is_known(&reader, run)? {
        return Err(Refused::NoSuchRun(run.clone()));
    }
    let proposed = reader.run_judged(run)?.proposed;
    let propose = SignedAct::RunJudgingProposed { run: run.clone(), reason };
    let agreed = two_people(ledger, (&reader, run), actor, proposed, propose, |proposed| {
        SignedAct::RunJudgedAnew { run: run.clone(), proposed, lapses: true }
    })?;
    // Something came between the look and the entry: the ledger has it, and it changes nothing.
    if let Agreed::Done { entry } = agreed
        && ledger.state().run_judged(run)?.from != Some(entry)
    {
        return Err(Refused::Lapsed(run.clone()));
    }
    Ok(agreed)
}

/// The first person proposes; the same one changes nothing; another one agrees. What has lapsed is proposed anew.
fn two_people(
    ledger: &Ledger,
    (reader, run): (&Reader, &RunId),
    actor: &Actor,
    proposed: Option<RunProposed>,
    propose: SignedAct,
    agree: impl FnOnce(Seq) -> SignedAct,
) -> Result<Agreed, Refused> {
    let now = Timestamp::now().as_millisecond();
    let standing = match proposed {
        Some(proposed) => reader.run_proposal_stands(run, &proposed, now)?.then_some(proposed),
        None => None,
    };
    let Some(RunProposed { done, .. }) = standing else {
        return write(ledger, actor, propose).map(|entry| Agreed::Proposed { entry });
    };
    if done.by == actor.user().as_str() {
        return Ok(Agreed::WaitsForAnother { entry: done.entry });
    }
    write(ledger, actor, agree(done.entry)).map(|entry| Agreed::Done { entry })
}

/// Whether a run, or the run that a window is of, is known.
fn is_known(reader: &Reader, run: &RunId) -> Result<bool, Refused> {
    Ok(has_own(reader, run)? || whole_run(run).map_or(Ok(false), |whole| has_own(reader, &whole))?)
}

/// Whether anything came under this very name.
fn has_own(reader: &Reader, run: &RunId) -> Result<bool, Refused> {
    let view = reader.run(run)?;
    Ok(!view.controls.is_empty() || !view.donations.is_empty())
}

fn said(reader: &Reader, run: &RunId) -> Result<RunInvalidation, Refused> {
    let said = reader.run_invalidated(run)?.filter(|said| said.run == *run);
    said.ok_or_else(|| Refused::NotInvalid(run.clone()))
}

/// A second person stands for a run's invalidation.
///
/// # Errors
/// [`Refused`]; [`Refused::SecondPerson`] for the one who declared it, [`Refused::NotInvalid`] or
/// [`Refused::InvalidAlready`] where it was reinstated, or declared anew, before the entry was written.
pub fn confirm_run(ledger: &Ledger, actor: &Actor, run: &RunId) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let said = said(&reader, run)?;
    if said.done.by == actor.user().as_str() {
        return Err(Refused::SecondPerson { by: said.done.by });
    }
    if let Some(confirmed) = said.confirmed {
        return Ok(confirmed.entry);
    }
    let invalidated = said.done.entry;
    write(ledger, actor, SignedAct::RunInvalidationConfirmed { run: run.clone(), invalidated })?;
    confirmed(&ledger.state(), run, invalidated)
}

/// The entry that confirms an invalidation, as the ledger took it: something may have come between the look and the entry.
fn confirmed(reader: &Reader, run: &RunId, invalidated: Seq) -> Result<Seq, Refused> {
    let RunInvalidation { run, done, confirmed, .. } = said(reader, run)?;
    match confirmed {
        Some(confirmed) if done.entry == invalidated => Ok(confirmed.entry),
        Some(_) | None => Err(Refused::InvalidAlready { run, entry: done.entry, by: done.by }),
    }
}

/// Names the run in which an invalid run's samples are tested again, where that was not known when it fell. Once; one
/// that a single person named after the second one had confirmed that it is invalid is named by that one instead.
///
/// # Errors
/// [`Refused`]; [`Refused::NoSuchRun`] where nothing is known of the repeat, [`Refused::RepeatNamed`] where one is named.
pub fn name_repeat(
    ledger: &Ledger,
    actor: &Actor,
    (run, repeated_in): (&RunId, &RunId),
) -> Result<Seq, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let known = said(&reader, run)?;
    if run == repeated_in {
        return Err(Refused::RepeatedInItself(run.clone()));
    }
    if let Some(named) = known.repeated_in.clone().filter(|_| !known.lets_name_repeat(actor.user().as_str()))
    {
        return Err(Refused::RepeatNamed { run: run.clone(), repeated_in: named });
    }
    if !has_own(&reader, repeated_in)? {
        return Err(Refused::NoSuchRun(repeated_in.clone()));
    }
    let (run, invalidated, repeated_in) = (run.clone(), known.done.entry, repeated_in.clone());
    let entry =
        write(ledger, actor, SignedAct::RunRepeatNamed { run: run.clone(), invalidated, repeated_in })?;
    // Somebody may have named another, or made the run valid, between the look and the entry.
    let now = said(&ledger.state(), &run)?;
    match (now.repeat_named, now.repeated_in) {
        (Some(named), _) if named.entry == entry => Ok(entry),
        (_, Some(repeated_in)) => Err(Refused::RepeatNamed { run, repeated_in }),
        (_, None) => Err(Refused::Lapsed(run)),
    }
}

/// A person wants a run that was declared invalid to be valid again: the first one proposes it, another one agrees.
///
/// # Errors
/// [`Refused`]; [`Refused::Lapsed`] where what was agreed to no longer stood when the entry was written.
pub fn reinstate_run(ledger: &Ledger, actor: &Actor, run: &RunId, reason: &str) -> Result<Agreed, Refused> {
    let reader = ledger.state();
    actor.check(&reader, Act::InvalidateRun)?;
    let reason = text("reason", reason)?;
    let said = said(&reader, run)?;
    let propose =
        SignedAct::RunReinstatementProposed { run: run.clone(), invalidated: said.done.entry, reason };
    let agreed = two_people(ledger, (&reader, run), actor, said.reinstatement, propose, |proposed| {
        SignedAct::RunReinstated { run: run.clone(), proposed, lapses: true }
    })?;
    if matches!(agreed, Agreed::Done { .. })
        && let Some(still) = ledger.state().run_invalidated(run)?.filter(|still| still.run == *run)
        && still.done.entry == said.done.entry
    {
        return Err(Refused::Lapsed(run.clone()));
    }
    Ok(agreed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batches::tests::Station;
    use ledger::{Draft, What};

    /// The look and the entry are not one moment.
    #[test]
    fn a_confirmation_that_the_ledger_did_not_take_is_not_called_done() {
        let station = Station::new();
        let run = RunId::new("T1").unwrap();
        let says = |who: &str, act: SignedAct| {
            let draft = Draft { by: format!("user:{who}").into(), what: What::Signed(act) };
            crate::pins::write(&station.ledger, vec![draft]).unwrap().unwrap()
        };
        let stands = |invalidated: Seq| confirmed(&station.ledger.state(), &run, invalidated);
        let invalid = || SignedAct::RunInvalidated {
            run: run.clone(),
            reason: "x".into(),
            cause: RunCause::Other,
            repeated_in: None,
            spans: vec![],
        };
        let first = says("a", invalid());
        let confirms =
            |invalidated: Seq| SignedAct::RunInvalidationConfirmed { run: run.clone(), invalidated };
        let reason = "y".to_owned();
        let proposed =
            says("a", SignedAct::RunReinstatementProposed { run: run.clone(), invalidated: first, reason });
        says("b", SignedAct::RunReinstated { run: run.clone(), proposed, lapses: true });
        says("b", confirms(first));
        assert_eq!(stands(first), Err(Refused::NotInvalid(run.clone())), "it was reinstated before");
        let again = says("c", invalid());
        says("b", confirms(first));
        let other = Refused::InvalidAlready { run: run.clone(), entry: again, by: "c".into() };
        assert_eq!(stands(first), Err(other), "it was declared anew before");
        let entry = says("b", confirms(again));
        assert_eq!(stands(again), Ok(entry));
    }
}

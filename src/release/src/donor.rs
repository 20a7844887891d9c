//! What a donation means for its donor and for earlier donations (rules.md §1.5, §1.9): deferral, look-back, re-entry.
//!
//! Nothing here makes a unit better. Gate 11 asks [`bars`]; the rest is advice with its reason and its dates.

use crate::evidence::{
    Call, Confirmed, Donor, EarlierCall, EarlierDonation, EarlierResult, Evidence, Reentry, ReentryTest,
    ReentryTestKind, RegisterState, Resolution,
};
use crate::pack::{ReactiveOnce, RulePack};
use crate::verdict::{
    DonorAction, DonorAsk, DonorVerdict, LookbackTask, MarkerState, MarkerVerdict, NatState, NatVerdict,
    ReentryState, SeroState, SerologyVerdict,
};
use jiff::ToSpan;
use jiff::civil::Date;
use std::collections::BTreeSet;
use vocabulary::{DonationId, Marker, Virus};

/// Serology reagents that a re-entry examination needs, each another.
const REENTRY_REAGENTS: usize = 2;

/// An earlier result, or the register, that bars issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bar<'e> {
    Register { state: RegisterState, reason: Option<&'e str> },
    Earlier { donation: &'e DonationId, marker: &'e str, result: EarlierCall },
    Later { donation: &'e DonationId, marker: &'e str },
    Examined { test: &'e str, on: Date, marker: &'e str },
}

/// An approved examination, as a donation hears of it that was given after it.
struct CameBack<'e> {
    pack: &'e RulePack,
    marker: &'e str,
    /// The day of its first test.
    from: Date,
}

impl<'e> CameBack<'e> {
    fn all(donor: &'e Donor, given: Option<Date>, pack: &'e RulePack) -> Vec<Self> {
        let cases = donor.reentry.iter().chain(&donor.came_back);
        cases.filter_map(|case| Self::of(case, given, pack)).collect()
    }

    fn of(case: &'e Reentry, given: Option<Date>, pack: &'e RulePack) -> Option<Self> {
        if reentry_state(case, pack) != ReentryState::Approved {
            return None;
        }
        let days = || case.tests.iter().map(|test| test.collected_on);
        let (first, last) = (days().min()?, days().max()?);
        given.filter(|given| *given > last).map(|_| Self { pack, marker: &case.marker, from: first })
    }

    /// It looked at a donor who had been reactive by serology alone, and had waited since. Whatever else there was, and what came
    /// later, it knows nothing of.
    fn takes_back(&self, earlier: &EarlierDonation, result: &EarlierResult) -> bool {
        self.marker == result.marker
            && result.result != EarlierCall::ConfirmedPositive
            && !result.beyond_reentry
            && earlier.collected_at.is_some_and(|at| self.waited_since(at.day()))
    }

    /// It looked at a donor again whom serology had found in an examination of before, and who had waited since.
    fn takes_back_test(&self, (case, test): (&Reentry, &ReentryTest)) -> bool {
        self.marker.eq_ignore_ascii_case(&case.marker)
            && !test.is_beyond_reentry()
            && self.waited_since(test.collected_on)
    }

    /// Whether its first sample was taken after the waiting time from a day on, whatever it says itself of that day.
    fn waited_since(&self, found: Date) -> bool {
        let first = self.pack.settings().donor.reentry_from(self.marker, found);
        found < self.from && first.is_some_and(|first| first <= self.from)
    }
}

/// What tests of examinations found, whatever became of the examination.
fn found_at_reentry(donor: &Donor) -> impl Iterator<Item = (&Reentry, &ReentryTest)> {
    let cases = donor.reentry.iter().chain(&donor.came_back);
    cases.flat_map(|case| case.tests.iter().filter(|test| test.is_found()).map(move |test| (case, test)))
}

/// Everything that bars issue. A later negative result takes nothing back; an approved re-entry does, for its marker.
pub(crate) fn bars<'e>(evidence: &Evidence, donor: &'e Donor, pack: &'e RulePack) -> Vec<Bar<'e>> {
    let mut found = Vec::new();
    let given = evidence.collected_at.map(crate::Moment::day);
    let before = |since: Date| given.is_some_and(|given| given < since);
    if let Some(register) = &donor.register
        && register.state != RegisterState::Eligible
        && !register.since.is_some_and(before)
    {
        found.push(Bar::Register { state: register.state, reason: register.reason.as_deref() });
    }
    let came_back = CameBack::all(donor, given, pack);
    for earlier in &donor.earlier {
        for result in &earlier.results {
            let forgiven = came_back.iter().any(|back| back.takes_back(earlier, result))
                || (result.result != EarlierCall::ConfirmedPositive
                    && is_let_once(&result.marker, pack)
                    && reactive_before(donor, &result.marker) == 1);
            if is_barring(result.result) && !forgiven {
                found.push(Bar::Earlier {
                    donation: &earlier.donation,
                    marker: &result.marker,
                    result: result.result,
                });
            }
        }
    }
    for (case, test) in found_at_reentry(donor) {
        let forgiven = came_back.iter().any(|back| back.takes_back_test((case, test)));
        // Of what was given before it, it says no more than what the donor was examined for did.
        if !before(test.collected_on) && !forgiven {
            found.push(Bar::Examined { test: &test.id, on: test.collected_on, marker: &case.marker });
        }
    }
    found.extend(donor.later.iter().map(|one| Bar::Later { donation: &one.donation, marker: &one.marker }));
    found
}

fn is_barring(call: EarlierCall) -> bool {
    match call {
        // "Confirmed negative" makes a candidate for re-entry, not an eligible donor.
        EarlierCall::ConfirmedNegative
        | EarlierCall::Indeterminate
        | EarlierCall::Reactive
        | EarlierCall::ConfirmedPositive => true,
        EarlierCall::NonReactive => false,
    }
}

/// Whether the pack lets a donor give who was reactive for this marker on one occasion (21 CFR 610.41: anti-HBc, anti-HTLV).
fn is_let_once(name: &str, pack: &RulePack) -> bool {
    let rules = &pack.settings().donor;
    let once = if name == Marker::AntiHbc.name() {
        rules.anti_hbc_once.value
    } else if name == Virus::Htlv.name() {
        rules.anti_htlv_once.as_ref().map_or(ReactiveOnce::Defer, |once| once.value)
    } else {
        ReactiveOnce::Defer
    };
    match once {
        ReactiveOnce::Defer => false,
        ReactiveOnce::NoDeferral => true,
    }
}

/// Earlier donations in which a marker was reactive.
fn reactive_before(donor: &Donor, marker: &str) -> usize {
    let hit = |e: &&EarlierDonation| e.results.iter().any(|r| r.marker == marker && is_barring(r.result));
    donor.earlier.iter().filter(hit).count()
}

/// What the donation means for its donor.
pub(crate) fn judge(
    evidence: &Evidence,
    pack: &RulePack,
    markers: &[(&'static str, MarkerVerdict)],
    nat: &[NatVerdict],
) -> DonorVerdict {
    let action = |(name, verdict): &(&'static str, MarkerVerdict)| action(name, *verdict, evidence, pack);
    let confirmed = evidence.confirmatory.iter().any(|c| c.outcome == Confirmed::Positive);
    let by_markers = markers.iter().map(action).max().unwrap_or(DonorAction::None);
    let worst = if confirmed { DonorAction::Permanent } else { by_markers };
    let candidates: Vec<&'static str> =
        markers.iter().filter(|(_, v)| v.reentry_candidate).map(|(name, _)| *name).collect();
    // With any other finding the donor does not come back for this one.
    let others = markers.iter().filter(|(_, v)| v.unit == crate::Unit::Discard).count();
    DonorVerdict {
        action: worst,
        reentry_candidate: !confirmed && !candidates.is_empty() && others == candidates.len(),
        lookback: lookback(evidence, pack, nat),
        reentry: evidence
            .donor
            .as_ref()
            .and_then(|donor| donor.reentry.as_ref())
            .map(|reentry| reentry_state(reentry, pack)),
    }
}

fn action(name: &str, verdict: MarkerVerdict, evidence: &Evidence, pack: &RulePack) -> DonorAction {
    let before = || evidence.donor.as_ref().map_or(0, |donor| reactive_before(donor, name));
    match verdict.verdict {
        MarkerState::ReactiveConcordant | MarkerState::ReactiveSero1Nat => DonorAction::Permanent,
        // Two reagents of a marker without NAT (syphilis) settle it; with NAT it is confirmed first.
        MarkerState::ReactiveSero2 if name == Virus::Syphilis.name() => DonorAction::Permanent,
        MarkerState::ReactiveSingle if is_let_once(name, pack) && before() == 0 => DonorAction::None,
        MarkerState::ReactiveSingle if verdict.reentry_candidate => DonorAction::Temporary,
        MarkerState::AboveLimit => DonorAction::Temporary,
        MarkerState::ReactiveSingle
        | MarkerState::ReactiveSero2
        | MarkerState::NatYield
        | MarkerState::NatNdr
        | MarkerState::ReactiveIncomplete => DonorAction::Deferral,
        MarkerState::Negative
        | MarkerState::NatUnresolved
        | MarkerState::Incomplete
        | MarkerState::WithinLimit
        | MarkerState::ScreenPositive
        | MarkerState::NotRuled => DonorAction::None,
    }
}

/// What a person is asked to do about the donor, marker by marker (rules.md §1.5, §1.9). A marker that was confirmed asks
/// for a deferral for good, whatever the donation's own tests gave.
pub(crate) fn asks(
    evidence: &Evidence,
    pack: &RulePack,
    markers: &[(&'static str, MarkerVerdict)],
    (serology, nat): (&[SerologyVerdict], &[NatVerdict]),
) -> Vec<DonorAsk> {
    let standing = |name: &str| {
        let of_it = evidence.confirmatory.iter().filter(|test| test.marker.name() == name);
        Confirmed::standing(of_it.map(|test| test.outcome))
    };
    // A pool that nobody could discriminate is no finding of this virus.
    let is_found = |name: &str| {
        let by_serology = serology.iter().any(|one| {
            one.state == SeroState::FinalReactive && one.marker.virus().is_some_and(|of| of.name() == name)
        });
        by_serology || nat.iter().any(|one| one.state == NatState::Reactive && one.target.name() == name)
    };
    let confirmed = evidence.confirmatory.iter().filter(|test| test.outcome == Confirmed::Positive);
    let of_markers = markers.iter().map(|(name, verdict)| (*name, Some(*verdict)));
    let mut asks: Vec<DonorAsk> = Vec::new();
    for (marker, verdict) in of_markers.chain(confirmed.map(|test| (test.marker.name(), None))) {
        let stands = standing(marker);
        let positive = stands == Some(Confirmed::Positive);
        let by_marker = verdict.map_or(DonorAction::None, |one| action(marker, one, evidence, pack));
        let action = if positive { DonorAction::Permanent } else { by_marker };
        if action == DonorAction::None || asks.iter().any(|ask| ask.marker == marker) {
            continue;
        }
        let is_hiv = marker == Virus::Hiv.name();
        let found = is_found(marker);
        asks.push(DonorAsk {
            marker,
            action,
            confirm: stands.is_none() && found && verdict.is_some_and(|one| is_confirmed_first(marker, one)),
            report: is_hiv && (positive || (found && stands != Some(Confirmed::Negative))),
        });
    }
    asks
}

/// Whether a sample goes to the confirmatory laboratory: of HIV whatever is reactive, of HBV and HCV what two reagents find
/// (M2) or a deferral for good rests on until then (M3), of HTLV whatever is reactive.
fn is_confirmed_first(marker: &str, verdict: MarkerVerdict) -> bool {
    let of = |virus: Virus| marker == virus.name();
    match verdict.verdict {
        MarkerState::ReactiveSero2 | MarkerState::ReactiveSero1Nat => {
            of(Virus::Hiv) || of(Virus::Hbv) || of(Virus::Hcv) || of(Virus::Htlv)
        }
        MarkerState::ReactiveConcordant
        | MarkerState::ReactiveSingle
        | MarkerState::NatYield
        | MarkerState::ReactiveIncomplete => of(Virus::Hiv) || of(Virus::Htlv),
        MarkerState::NatNdr
        | MarkerState::Negative
        | MarkerState::NatUnresolved
        | MarkerState::Incomplete
        | MarkerState::WithinLimit
        | MarkerState::AboveLimit
        | MarkerState::ScreenPositive
        | MarkerState::NotRuled => false,
    }
}

/// Seroconversion: non-reactive before, confirmed or NAT-reactive now. Every earlier donation from the window before the
/// last non-reactive one on is looked up; where none is known to be so, and one may have been, all of them are.
fn lookback(evidence: &Evidence, pack: &RulePack, nat: &[NatVerdict]) -> Vec<LookbackTask> {
    let Some(donor) = &evidence.donor else { return Vec::new() };
    // What is not known to be of a later day may have been given before.
    let is_before = |e: &&EarlierDonation| {
        e.collected_at.zip(evidence.collected_at).is_none_or(|(one, this)| one.day() <= this.day())
    };
    let before = || donor.earlier.iter().filter(is_before);
    let mut triggers: BTreeSet<Virus> =
        nat.iter().filter(|n| n.state == NatState::Reactive).map(|n| n.target).collect();
    let confirmed = evidence.confirmatory.iter().filter(|c| c.outcome == Confirmed::Positive);
    triggers.extend(confirmed.map(|c| c.marker));
    let mut tasks = Vec::new();
    for virus in triggers {
        let negative = |e: &EarlierDonation| {
            e.results.iter().any(|r| r.marker == virus.name() && r.result == EarlierCall::NonReactive)
        };
        let day = |e: &EarlierDonation| e.collected_at.map(crate::Moment::day);
        // What passed may be with a patient, whatever became of its results since; so may what nobody has a result of.
        let may_be = |e: &EarlierDonation| {
            e.passed || negative(e) || e.results.iter().all(|result| result.marker != virus.name())
        };
        if !before().any(may_be) {
            continue;
        }
        let last = before().filter(|e| negative(e)).filter_map(day).max();
        let months = pack.settings().donor.lookback_months_of(virus.name());
        let from = last.and_then(|last| last.checked_sub(i64::from(months).months()).ok());
        let found_on = found_on(evidence, virus);
        // A donation whose day is not known may be one of them.
        let within = |e: &&EarlierDonation| match (day(e), from) {
            (Some(day), Some(from)) => day >= from,
            (None, _) | (_, None) => true,
        };
        let limits = &pack.settings().donor;
        let due = |days: Option<u16>| found_on?.checked_add(i64::from(days?).days()).ok();
        for earlier in before().filter(within) {
            if tasks
                .iter()
                .any(|task: &LookbackTask| task.marker == virus && task.donation == earlier.donation)
            {
                continue;
            }
            tasks.push(LookbackTask {
                marker: virus,
                donation: earlier.donation.clone(),
                in_date: earlier.expires.is_none_or(|last| found_on.is_none_or(|today| last >= today)),
                quarantine_by: due(limits.quarantine_days.as_ref().map(|d| d.value)),
                notify_by: due(limits.notify_days.as_ref().map(|d| d.value)),
                recipients_by: due(limits.recipient_notice_days.as_ref().map(|d| d.value)),
            });
        }
    }
    tasks
}

/// The day on which it was found: of the confirmatory test, else of the last run.
fn found_on(evidence: &Evidence, virus: Virus) -> Option<Date> {
    let own = evidence.confirmatory.iter().filter(|c| c.marker == virus && c.outcome == Confirmed::Positive);
    let confirmed = own.filter_map(|c| c.at).map(crate::Moment::day).min();
    let tested = || evidence.runs.iter().filter_map(|run| run.tested_at).map(crate::Moment::day).max();
    confirmed.or_else(tested).or_else(|| evidence.collected_at.map(crate::Moment::day))
}

/// How far a re-entry examination has come. Only an approval that names every test makes the donor eligible again.
fn reentry_state(case: &Reentry, pack: &RulePack) -> ReentryState {
    if case.nat_then != Call::NonReactive {
        return ReentryState::OutOfScope;
    }
    let Some(first) = pack.settings().donor.reentry_from(&case.marker, case.deferred_on) else {
        return ReentryState::TooEarly;
    };
    if case.tests.iter().any(|t| t.result != Call::NonReactive && t.result != Call::Pending) {
        return ReentryState::Failed;
    }
    if case.tests.iter().any(|t| t.collected_on < first) {
        return ReentryState::TooEarly;
    }
    let good = |kind| case.tests.iter().filter(move |t| t.kind == kind && t.result == Call::NonReactive);
    let reagents: BTreeSet<&str> =
        good(ReentryTestKind::Serology).filter_map(|t| t.reagent.as_deref()).collect();
    let whole = reagents.len() >= REENTRY_REAGENTS
        && good(ReentryTestKind::Nat).next().is_some()
        && good(ReentryTestKind::Confirmatory).next().is_some()
        && case.tests.iter().all(|t| t.result == Call::NonReactive);
    if !whole {
        return ReentryState::Incomplete;
    }
    let named = case.tests.iter().all(|t| case.approved_on.contains(&t.id));
    if named && case.approved.as_ref().is_some_and(Resolution::is_given) {
        ReentryState::Approved
    } else {
        ReentryState::Candidate
    }
}

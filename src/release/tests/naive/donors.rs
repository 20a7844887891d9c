//! Whether the donor keeps a donation from issue.

use jiff::ToSpan as _;
use release::evidence::{
    Call, Donor, EarlierCall, EarlierDonation, Evidence, Reentry, ReentryTestKind, RegisterState,
};
use std::collections::BTreeSet;

/// Rules.md §1.7 R-GATE-11 and §1.9, in the Chinese pack: six months, two reagents, NAT and confirmation, all negative and
/// all named.
/// The register speaks of donations of a later day.
fn deferred_after(e: &Evidence, d: &Donor) -> bool {
    let since = d.register.as_ref().and_then(|r| r.since);
    matches!((e.collected_at, since), (Some(given), Some(since)) if given.day() < since)
}

pub(super) fn donor_may_give(e: &Evidence) -> bool {
    let Some(d) = &e.donor else { return false };
    let in_register = d.register.as_ref().map_or(RegisterState::Eligible, |r| r.state);
    if d.deferred != Some(false)
        || d.barred.is_some()
        || d.post_donation.is_some()
        || (in_register != RegisterState::Eligible && !deferred_after(e, d))
        || !d.later.is_empty()
    {
        return false;
    }
    let all = d.earlier.iter().flat_map(|one| one.results.iter().map(move |result| (one, result)));
    for (one, result) in all.filter(|(_, r)| r.result != EarlierCall::NonReactive) {
        if result.result == EarlierCall::ConfirmedPositive || result.beyond_reentry {
            return false;
        }
        let mut cases = d.reentry.iter().chain(&d.came_back).filter(|case| case.marker == result.marker);
        if !cases.any(|case| has_come_back(e, one, case)) {
            return false;
        }
    }
    let cases = || d.reentry.iter().chain(&d.came_back);
    for (case, test) in cases().flat_map(|case| case.tests.iter().map(move |test| (case, test))) {
        let came_later = e.collected_at.is_some_and(|at| at.day() < test.collected_on);
        let says_nothing = match (test.kind, test.result) {
            (ReentryTestKind::Confirmatory, Call::Indeterminate) => false,
            (_, result) => !matches!(result, Call::Reactive | Call::GreyZone),
        };
        if came_later || says_nothing {
            continue;
        }
        let soonest = test.collected_on.checked_add(6.months()).unwrap();
        let forgives = |back: &Reentry| {
            back.marker == case.marker
                && back.tests.iter().all(|of| of.collected_on >= soonest)
                && is_whole(e, back)
        };
        let by_serology = test.kind == ReentryTestKind::Serology || test.result != Call::Reactive;
        if !(by_serology && cases().any(forgives)) {
            return false;
        }
    }
    true
}

/// A whole examination, approved, of a time between the two donations.
fn has_come_back(e: &Evidence, one: &EarlierDonation, case: &Reentry) -> bool {
    let found_before = |on: &jiff::civil::Date| {
        one.collected_at.is_some_and(|at| at.day().checked_add(6.months()).unwrap() <= *on)
    };
    case.tests.iter().all(|test| found_before(&test.collected_on)) && is_whole(e, case)
}

fn is_whole(e: &Evidence, case: &Reentry) -> bool {
    let signed =
        case.approved.as_ref().is_some_and(|a| !a.by.trim().is_empty() && !a.reason.trim().is_empty());
    if case.nat_then != Call::NonReactive || !signed {
        return false;
    }
    let (mut reagents, mut kinds) = (BTreeSet::new(), BTreeSet::new());
    for test in &case.tests {
        let soonest = case.deferred_on.checked_add(6.months()).unwrap();
        let taken_before = e.collected_at.is_some_and(|at| test.collected_on < at.day());
        let good = test.result == Call::NonReactive && case.approved_on.contains(&test.id);
        if !(good && taken_before && test.collected_on >= soonest) {
            return false;
        }
        kinds.insert(test.kind);
        if test.kind == ReentryTestKind::Serology {
            reagents.extend(test.reagent.clone());
        }
    }
    kinds.len() == 3 && reagents.len() >= 2
}

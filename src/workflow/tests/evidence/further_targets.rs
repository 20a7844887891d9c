//! Members of a reactive pool that names no target, and what they gave alone for targets that it was never tested for.

use crate::evidence::{at, facts, said, settings};
use std::collections::{BTreeMap, BTreeSet};
use vocabulary::{Aspiration, DonationId, Interpretation, Marker, Observation, PoolId};
use workflow::pools::{Drawn, Making, MemberFacts, PoolFacts};
use workflow::{DonationFacts, Fact};

fn nat(hour: u8, marker: Marker, interpretation: Interpretation) -> Observation {
    at(hour, crate::evidence::observation(marker, &format!("{marker}"), said(interpretation)))
}

fn timed(all: Vec<Observation>) -> Vec<Fact> {
    let mut known = facts(all).observations;
    for fact in &mut known {
        fact.tested_at = fact.observation.completed_at.as_deref().map(|at| at.parse().unwrap());
    }
    known
}

/// A donation that is non-reactive alone, in a reactive pool with another that gave this alone.
fn with_a_member_that_gave(alone: Vec<Observation>) -> DonationFacts {
    let mut known = facts(Vec::new());
    known.observations = timed(vec![nat(12, Marker::Nat, Interpretation::NonReactive)]);
    let drawn = |position: usize| Drawn {
        donation: DonationId::new(&format!("D{position}")).ok(),
        aspiration: Aspiration {
            position: Some(position.to_string()),
            barcode: None,
            wrong: vec![],
            said: None,
            volume: None,
            at: None,
            record: format!("row {position}"),
        },
        at: "2026-03-01T08:00:00Z".parse().ok(),
        place: format!("row {position}"),
    };
    let making = Making { run: "PL1".into(), sizes: BTreeSet::from([2]), drawn: vec![drawn(1), drawn(2)] };
    let member = |alone: Vec<Observation>| MemberFacts {
        registered: true,
        alone: timed(alone),
        runs: known.runs.clone(),
        ..MemberFacts::default()
    };
    let members = [("D1", member(vec![])), ("D2", member(alone))];
    known.pools = vec![PoolFacts {
        pool: PoolId::new("P1").unwrap(),
        makings: vec![making],
        results: timed(vec![nat(10, Marker::Nat, Interpretation::Reactive)]),
        findings: vec![],
        typed: vec![],
        members: BTreeMap::from(members.map(|(id, about)| (DonationId::new(id).unwrap(), about))),
    }];
    known
}

fn hbv(alone: Vec<Observation>) -> &'static str {
    let with = settings("cn-2019");
    let evidence = workflow::evidence(&with_a_member_that_gave(alone), &with);
    let verdict = release::decide(&evidence, &with.pack);
    verdict.nat().iter().find(|nat| nat.target.name() == "HBV").unwrap().state.name()
}

#[test]
fn a_member_that_is_reactive_for_what_its_pool_never_tested_explains_it_by_its_multiplex_alone() {
    use Interpretation::{NonReactive, Reactive};
    let hev = || nat(12, Marker::HevRna, Reactive);
    let multiplex = |interpretation| nat(11, Marker::Nat, interpretation);
    let single = |marker| nat(13, marker, NonReactive);
    let none_found = || [Marker::HbvDna, Marker::HcvRna, Marker::HivRna].map(single).to_vec();
    assert_eq!(hbv(vec![multiplex(NonReactive)]), "MPR_UNRESOLVED");
    assert_eq!(hbv(vec![nat(11, Marker::HcvRna, Reactive)]), "FINAL_NR");
    assert_eq!(hbv(vec![hev()]), "PENDING", "its multiplex is not in");
    assert_eq!(hbv(vec![hev(), multiplex(NonReactive)]), "MPR_UNRESOLVED", "HEV explains nothing");
    assert_eq!(hbv([vec![hev(), multiplex(Reactive)], none_found()].concat()), "FINAL_NR", "no target named");
    assert_eq!(hbv(vec![hev(), nat(11, Marker::HcvRna, Reactive)]), "FINAL_NR", "HCV does");
    let invalid = |hour| nat(hour, Marker::Nat, Interpretation::Invalid);
    assert_eq!(hbv(vec![hev(), invalid(11)]), "PENDING");
    assert_eq!(hbv(vec![hev(), invalid(11), invalid(13)]), "MPR_UNRESOLVED", "given up");
}

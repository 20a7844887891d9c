use super::given::{Given, Justified, Round};
use super::kind::{Kind, Strikes};
use super::plan::{Plan, Strike};
use super::truth::{Infection, TrueAlt, TrueRhD};
use super::*;
use crate::scenario::{Draw, Duty};
use vocabulary::{AboGroup, Marker};

const DONATIONS: u32 = 480;
const A_DAY: u32 = 40;

fn strikes(plan: &Plan) -> Vec<Kind> {
    let by_place = plan.ones.values().chain(plan.runs.values()).chain(plan.pools.values());
    let by_place = by_place.map(|strike| strike.kind);
    by_place.chain(plan.people.values().copied()).collect()
}

#[test]
fn every_kind_comes_in_a_short_year_and_the_same_seed_draws_the_same() {
    for seed in 1..6 {
        let plan = Plan::draw(seed, DONATIONS, A_DAY);
        let struck = strikes(&plan);
        for kind in Kind::ALL {
            assert!(struck.contains(kind), "{kind} with seed {seed}");
        }
        assert_eq!(plan.ones, Plan::draw(seed, DONATIONS, A_DAY).ones);
        assert_ne!(plan.ones, Plan::draw(seed + 100, DONATIONS, A_DAY).ones);
        for (at, strike) in plan.ones.iter().filter(|(_, s)| s.kind.strikes() == Strikes::Pair) {
            assert!(!plan.ones.contains_key(&(at + 1)) && !(at + 1).is_multiple_of(A_DAY), "{strike:?}");
        }
    }
}

fn given(kind: Kind, armed: bool, variant: u32) -> Given {
    let mut draw = Draw::new(u64::from(variant), "test");
    let donation = donation_number(2026, 1 + variant).unwrap();
    let strike = Strike { kind, armed, variant };
    Given::draw(&mut draw, (donation, jiff::Timestamp::UNIX_EPOCH), 1, (Some(strike), None))
}

#[test]
fn an_infection_that_a_test_sees_is_never_justified_but_where_nobody_could_know() {
    for kind in Kind::ALL.iter().copied().filter(|k| k.strikes() == Strikes::One) {
        for variant in 0..200 {
            let one = given(kind, true, variant);
            if one.truth.is_infectious() && kind != Kind::CorrectedAfterRelease {
                assert_eq!(one.justified.from, None, "{one:?}");
            }
        }
    }
    let late = given(Kind::CorrectedAfterRelease, true, 1);
    assert!(late.justified.holds_in(Round::Evening) && late.justified.holds_in(Round::NextDay));
    assert!(!late.justified.holds_in(Round::Late));
}

#[test]
fn what_two_tubes_do_that_changed_places_is_undetectable_only_where_no_group_contradicts() {
    let donor = |abo, infected: bool, known: bool| {
        let mut one = given(Kind::RepeatedMessage, false, 7);
        one.truth.abo = abo;
        (one.truth.rhd, one.truth.alt) = (TrueRhD::Positive, TrueAlt::Normal);
        one.truth.infection = infected.then(|| Infection::established(Marker::HBsAg));
        one.justified = Justified::AT_ONCE;
        if infected {
            one.justified.never();
        }
        let group = one.group();
        one.registration.donor.history = known.then_some(group);
        one.registration.donor.field_abo = None;
        one
    };
    let strike = Strike { kind: Kind::WrongTube, armed: true, variant: 0 };
    // groups, whose group is known, and whether it can come to light
    for (other, known, shows) in
        [(AboGroup::B, true, true), (AboGroup::B, false, false), (AboGroup::A, true, false)]
    {
        let (mut bag, mut next) = (donor(AboGroup::A, true, known), donor(other, false, false));
        exchange(&mut bag, &mut next, strike);
        assert_eq!(bag.undetectable.is_none(), shows, "{other} {known}");
        assert_eq!(bag.justified.from, None);
        let mislabelled = other != AboGroup::A;
        assert_eq!(next.justified.from.is_none(), mislabelled, "{other} {known}");
        assert!(next.struck.contains(&Kind::WrongTube));
    }
}

#[test]
fn a_run_that_falls_delays_its_tubes_and_one_that_falls_late_ends_their_release() {
    for (kind, from, until) in [
        (Kind::InvalidRun, Some(Round::NextDay), None),
        (Kind::ExpiredLot, Some(Round::NextDay), None),
        (Kind::ControlMissing, Some(Round::NextDay), None),
        (Kind::LateInvalidated, Some(Round::Evening), Some(Round::Late)),
        (Kind::ControlFailsLate, Some(Round::Evening), Some(Round::Late)),
    ] {
        let mut plan = Plan::default();
        plan.runs.insert((1, 0), Strike { kind, armed: true, variant: 0 });
        let mut given: Vec<Given> = (0..20).map(|n| given(Kind::RepeatedMessage, false, n)).collect();
        for one in &mut given {
            (one.strike, one.justified, one.truth.infection) = (None, Justified::AT_ONCE, None);
        }
        let racks = runs::racks(&plan, 1, &mut given).unwrap();
        let struck: Vec<_> = racks.iter().filter(|rack| rack.strike.is_some()).collect();
        assert_eq!(struck.len(), 1);
        let infected = given.iter().filter(|one| one.truth.is_infectious()).count();
        assert_eq!(infected, 1, "{kind}");
        for one in given.iter().filter(|one| !one.truth.is_infectious()) {
            assert_eq!((one.justified.from, one.justified.until), (from, until), "{kind}");
        }
    }
}

#[test]
fn a_tube_whose_result_was_invalid_and_measured_again_elsewhere_is_no_later_when_its_run_falls() {
    for kind in [Kind::InvalidRun, Kind::LateInvalidated, Kind::ControlFailsLate, Kind::ControlMissing] {
        for variant in (0..20).map(|chosen| chosen * 64) {
            let mut plan = Plan::default();
            plan.runs.insert((1, 0), Strike { kind, armed: false, variant });
            let mut given = plain(20);
            given[7] = super::tests::given(Kind::NatInvalidOnce, false, 7);
            let before = given[7].justified;
            let racks = runs::racks(&plan, 1, &mut given).unwrap();
            assert!(given[7].struck.contains(&kind), "it was in the run");
            let (was, is) =
                ((before.from, before.until), (given[7].justified.from, given[7].justified.until));
            assert_eq!(is, was, "{kind} {variant}");
            assert!(racks.iter().all(|rack| !rack.again.contains(&7)), "{kind}");
        }
    }
}

/// Donations that nothing strikes by itself.
fn plain(count: u32) -> Vec<Given> {
    let mut given: Vec<Given> = (0..count).map(|n| given(Kind::RepeatedMessage, false, n)).collect();
    for one in &mut given {
        (one.strike, one.justified, one.truth.infection) = (None, Justified::AT_ONCE, None);
    }
    given
}

#[test]
fn a_pool_that_is_struck_delays_its_members_or_keeps_them_and_leaves_the_others_alone() {
    let (at_once, next_day) = (Some(Round::Evening), Some(Round::NextDay));
    let later = 1 << 6;
    // Kind, armed, variant; when five members may go, and the chosen one; how many are tested singly the next day.
    for (kind, armed, variant, others, chosen, singly) in [
        (Kind::PoolMemberMissing, true, 0, next_day, None, 6),
        (Kind::PoolMemberMissing, false, 0, next_day, None, 5),
        (Kind::PoolLogLate, true, later, next_day, next_day, 0),
        (Kind::PoolLogLate, true, 0, None, None, 0),
        (Kind::PoolInvalid, true, 0, None, None, 0),
        (Kind::PoolInvalid, false, 0, next_day, next_day, 0),
        (Kind::ReactivePool, true, 0, next_day, None, 6),
        (Kind::ReactivePool, false, 0, next_day, None, 6),
        (Kind::UnresolvedPool, true, 0, None, None, 6),
        (Kind::PoolSingleMissing, true, 0, None, None, 5),
        (Kind::PoolSingleMissing, false, 0, None, None, 5),
    ] {
        let mut plan = Plan::default();
        plan.pools.insert((0, 0), Strike { kind, armed, variant });
        let mut given = plain(20);
        let racks = runs::racks(&plan, 0, &mut given).unwrap();
        let plate = racks.iter().find(|rack| !rack.pools.is_empty()).unwrap();
        let singles = racks.iter().find(|rack| rack.duty == Duty::Nat && rack.pools.is_empty()).unwrap();
        assert_eq!((plate.pools.len(), singles.tubes.as_slice()), (3, [18, 19].as_slice()));
        let mut from: Vec<Option<Round>> = given[..6].iter().map(|one| one.justified.from).collect();
        let nth = from.iter().position(|from| *from == chosen).unwrap();
        assert_eq!(from.remove(nth), chosen, "{kind} {armed}");
        assert!(from.iter().all(|from| *from == others), "{kind} {armed}: {from:?}");
        assert_eq!(plate.again.len(), singly, "{kind} {armed}");
        assert!(given[..6].iter().all(|one| one.struck.contains(&kind)));
        assert!(given[6..].iter().all(|one| one.justified.from == at_once && !one.struck.contains(&kind)));
        let infected = given.iter().filter(|one| one.truth.is_infectious()).count();
        let shows = armed || kind == Kind::ReactivePool;
        let shows = shows && !matches!(kind, Kind::PoolLogLate | Kind::UnresolvedPool);
        assert_eq!(infected, usize::from(shows), "{kind} {armed}");
    }
}

#[test]
fn a_member_that_is_found_of_itself_opens_its_pool_unless_the_whole_plate_is_repeated() {
    for (kind, resolved, until) in [
        (None, true, None),
        (Some(Kind::InvalidRun), false, None),
        (Some(Kind::LateInvalidated), true, Some(Round::Late)),
    ] {
        let mut plan = Plan::default();
        plan.runs.extend(kind.map(|kind| ((0, 0), Strike { kind, armed: false, variant: 0 })));
        let mut given = plain(18);
        given[7].truth.infection = Some(Infection::established(Marker::HBsAg));
        let racks = runs::racks(&plan, 0, &mut given).unwrap();
        let plate = racks.iter().find(|rack| !rack.pools.is_empty()).unwrap();
        let opened = given[6..12].iter().all(|one| one.struck.contains(&Kind::ReactivePool));
        assert_eq!((opened, plate.again.len()), (resolved, if resolved { 6 } else { 17 }), "{kind:?}");
        assert_eq!(given[0].justified.until, until, "{kind:?}");
        assert_eq!(given[6].justified.until, None, "it was tested singly: {kind:?}");
    }
}

#[test]
fn bytes_are_exchanged_wherever_they_stand() {
    assert_eq!(replaced(b"a-id-id", b"id", b""), b"a--");
    assert_eq!(replaced(b"ididi", b"id", b"long"), b"longlongi");
    assert_eq!(replaced(b"same", b"", b"x"), b"same");
}

/// The second half of a year sees donors of the first again, with the same blood group; what was found then bars them.
#[test]
fn donors_come_back_with_their_group_and_what_was_found_of_them() {
    let one = plain(1).remove(0);
    let found = Given {
        truth: Truth { infection: Some(Infection::established(Marker::Hiv)), ..one.truth },
        ..one.clone()
    };
    let again = |before: &Given| {
        let mut draw = Draw::new(5, "again");
        let donation = donation_number(2026, 77).unwrap();
        Given::draw(&mut draw, (donation, jiff::Timestamp::UNIX_EPOCH), 2, (None, Some(before)))
    };
    let (clear, barred) = (again(&one), again(&found));
    for given in [&clear, &barred] {
        assert_eq!(given.registration.donor.id, one.registration.donor.id);
        assert_eq!((given.truth.abo, given.truth.rhd), (one.truth.abo, one.truth.rhd));
        assert_eq!(given.registration.donor.history, Some(given.group()));
        assert!(!given.registration.donor.first_time);
    }
    assert_eq!((clear.before.unwrap().barred, clear.justified.from), (false, Some(Round::Evening)));
    assert_eq!((barred.before.unwrap().barred, barred.justified.from), (true, None));
}

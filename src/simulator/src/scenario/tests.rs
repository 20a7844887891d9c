use super::*;
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use vocabulary::{AboGroup, DonationId, Marker, RhD};

fn day(donations: u32) -> Scenario {
    Scenario::new(DaySettings { donations, ..DaySettings::default() }).unwrap()
}

/// Every reading of `donation` on `duty`, in the order it is made, with its run's controls.
fn readings<'a>(
    scenario: &'a Scenario,
    donation: &'a DonationId,
    duty: Duty,
) -> impl Iterator<Item = (&'a Run, &'a Reading)> {
    let runs = &scenario.session(duty).unwrap().runs;
    runs.iter()
        .flat_map(|run| run.tests.iter().map(move |t| (run, t)))
        .filter(move |(_, t)| &t.donation == donation)
        .flat_map(|(run, t)| t.readings.iter().map(move |r| (run, r)))
}

fn index(reading: &Reading) -> Decimal {
    let Finding::Index(index) = reading.finding else { panic!("no index: {reading:?}") };
    index
}

#[test]
fn the_same_seed_makes_the_same_day_and_another_seed_another() {
    let settings = DaySettings { donations: 120, ..DaySettings::default() };
    let make = |seed| Scenario::new(DaySettings { seed, ..settings.clone() }).unwrap();
    assert_eq!(make(7), make(7));
    assert_ne!(make(7).donations, make(8).donations);
}

#[test]
fn from_fifty_donations_on_every_story_is_told() {
    for donations in [50, 51, 77, 500, 3000] {
        let counts = day(donations).story_counts();
        assert_eq!(counts.len(), Story::ALL.len(), "{donations}: {counts:?}");
        assert_eq!(counts[&Story::UnmappedTest], 1);
        assert!(counts[&Story::Ordinary] >= usize::try_from(donations).unwrap() / 2);
    }
}

#[test]
fn a_small_day_is_half_ordinary_and_an_empty_one_is_empty() {
    assert_eq!(day(0).donations, []);
    assert!(day(0).sessions.iter().all(|s| s.runs.is_empty()));
    assert_eq!(day(1).story_counts(), [(Story::Ordinary, 1)].into());
    assert_eq!(day(10).story_counts()[&Story::Ordinary], 5);
}

#[test]
fn too_many_donations_are_refused() {
    let settings = DaySettings { donations: 1_000_000, ..DaySettings::default() };
    assert!(matches!(Scenario::new(settings), Err(DayError::TooMany(1_000_000))));
}

#[test]
fn frequencies_are_those_of_a_chinese_blood_centre() {
    let scenario = day(40_000);
    let share = |want: &dyn Fn(&PlannedDonation) -> bool| {
        scenario.donations.iter().filter(|d| want(d)).count() * 100_000 / scenario.donations.len()
    };
    let discarded = share(&|d| d.expected.unit == Unit::Discard && d.story != Story::AltHighTwice);
    assert!((180..=230).contains(&discarded), "reactive: {discarded}");
    let negative = share(&|d| d.group.rhd == Some(RhD::Negative));
    assert!((250..=350).contains(&negative), "RhD negative: {negative}");
    for (abo, low, high) in [
        (AboGroup::O, 32_000, 35_000),
        (AboGroup::A, 26_500, 29_500),
        (AboGroup::B, 27_000, 30_000),
        (AboGroup::AB, 9_000, 11_000),
    ] {
        let found = share(&|d| d.group.abo == Some(abo));
        assert!((low..=high).contains(&found), "{abo}: {found}");
    }
    let first = share(&|d| d.registration.donor.first_time);
    assert!((33_000..=37_000).contains(&first), "first time: {first}");
}

#[test]
fn numbers_are_dins_and_none_comes_twice() {
    let scenario = day(2000);
    let numbers: BTreeSet<_> = scenario.donations.iter().map(|d| d.registration.donation.as_str()).collect();
    assert_eq!(numbers.len(), 2000);
    for number in numbers {
        assert!(number.len() == 13 && number.starts_with("A999926"), "{number}");
        assert!(check_character(number).is_some());
    }
}

#[test]
fn every_donation_is_measured_by_everyone_who_must() {
    let scenario = day(600);
    for planned in &scenario.donations {
        let id = &planned.registration.donation;
        let lacking: Vec<Marker> = [Duty::SerologyFirst, Duty::SerologySecond, Duty::Nat, Duty::Chemistry]
            .into_iter()
            .flat_map(|duty| {
                let found: BTreeSet<_> = readings(&scenario, id, duty).map(|(_, r)| r.marker).collect();
                duty.markers().iter().copied().filter(move |m| !found.contains(m))
            })
            .collect();
        assert_eq!(!lacking.is_empty(), planned.story == Story::Incomplete, "{id}: {lacking:?}");
        assert_eq!(readings(&scenario, id, Duty::GroupingFirst).count(), 6);
        let again = readings(&scenario, id, Duty::GroupingSecond).filter(|(_, r)| r.marker == Marker::AntiA);
        let twice = planned.story == Story::RhDNegative
            || (planned.registration.donor.first_time && planned.story != Story::GroupedOnce);
        assert_eq!(again.count(), usize::from(twice), "{id} {}", planned.story);
    }
}

#[test]
fn incomplete_donations_lack_one_test_each_in_its_turn() {
    let scenario = day(6000);
    let lacking: BTreeSet<Duty> = scenario
        .donations
        .iter()
        .filter(|d| d.story == Story::Incomplete)
        .flat_map(|d| {
            [Duty::Nat, Duty::Chemistry]
                .into_iter()
                .filter(|duty| readings(&scenario, &d.registration.donation, *duty).next().is_none())
        })
        .collect();
    assert_eq!(lacking, [Duty::Nat, Duty::Chemistry].into());
}

#[test]
fn what_a_reactive_story_says_is_what_the_wells_read() {
    let scenario = day(500);
    let cut = Decimal::ONE;
    for planned in &scenario.donations {
        let id = &planned.registration.donation;
        for duty in [Duty::SerologyFirst, Duty::SerologySecond] {
            for marker in duty.markers() {
                let wells: Vec<Decimal> = readings(&scenario, id, duty)
                    .filter(|(run, r)| r.marker == *marker && run.controls == Controls::Pass)
                    .map(|(_, r)| index(r))
                    .collect();
                let Some((first, duplicates)) = wells.split_first() else { continue };
                let final_reactive = *first >= cut && duplicates.iter().any(|d| *d >= cut);
                let open = *first >= cut && duplicates.is_empty();
                assert_eq!(open, planned.story == Story::DuplicatesMissing && *first >= cut);
                if final_reactive {
                    assert_eq!(planned.expected.unit, Unit::Discard, "{id} {marker}");
                }
                assert!(duplicates.is_empty() || duplicates.len() == 2);
            }
        }
    }
}

#[test]
fn one_plate_fails_its_control_and_every_tube_of_it_is_tested_again() {
    let scenario = day(300);
    let plates = &scenario.session(Duty::SerologySecond).unwrap().runs;
    let failed: Vec<&Run> = plates.iter().filter(|r| r.controls != Controls::Pass).collect();
    let [failed] = failed[..] else { panic!("{} plates failed", failed.len()) };
    let tubes = |run: &Run| run.tests.iter().map(|t| t.donation.clone()).collect::<BTreeSet<_>>();
    let again = plates.iter().filter(|r| r.number > failed.number && r.controls == Controls::Pass);
    assert!(again.filter(|r| r.marker == failed.marker).any(|r| tubes(r) == tubes(failed)));
    let elsewhere = scenario.sessions.iter().filter(|s| s.duty != Duty::SerologySecond);
    assert!(elsewhere.flat_map(|s| &s.runs).all(|r| r.controls == Controls::Pass));
}

#[test]
fn runs_have_ids_of_their_own_and_follow_one_another() {
    let scenario = day(700);
    let ids: BTreeSet<&str> = scenario.sessions.iter().flat_map(|s| &s.runs).map(|r| r.id.as_str()).collect();
    assert_eq!(ids.len(), scenario.sessions.iter().map(|s| s.runs.len()).sum::<usize>());
    for session in &scenario.sessions {
        assert!(session.runs.windows(2).all(|w| w[0].started_at < w[1].started_at), "{:?}", session.duty);
    }
}

#[test]
fn donors_known_to_the_centre_have_a_history_and_new_ones_have_none() {
    for planned in day(500).donations {
        let donor = &planned.registration.donor;
        assert_eq!(donor.history.is_none(), donor.first_time);
        assert_eq!(donor.deferred, planned.story == Story::DeferredDonor);
        let agrees = donor.history.is_none_or(|h| h == planned.group);
        assert_eq!(!agrees, planned.story == Story::WrongHistoryGroup);
        let field_agrees = donor.field_abo.is_none_or(|f| Some(f) == planned.group.abo);
        assert_eq!(!field_agrees, planned.story == Story::FieldGroupDiffers);
    }
}

#[test]
fn what_was_taken_beside_a_tube_that_may_be_wrong_waits_with_it() {
    let donations = day(300).donations;
    let suspect =
        |d: &PlannedDonation| matches!(d.story, Story::WrongHistoryGroup | Story::FieldGroupDiffers);
    assert!(donations.iter().any(suspect));
    for three in donations.windows(3) {
        let [before, planned, after] = three else { panic!("windows of three") };
        if suspect(before) || suspect(after) {
            assert_ne!(planned.expected.unit, Unit::Pass, "{planned:?}");
        } else {
            assert_eq!(planned.expected, planned.story.expected());
        }
    }
}

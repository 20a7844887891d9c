//! A run number that is used again: what came under it on another day stands for nothing (R-RUN-03, R-RUN-04).

use crate::batches::{batch, nat};
use crate::falls::{Hands, by, invalid};
use crate::house::{House, control, interpreted, line, observation, of};
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use instrument_profiles::Catalogue;
use ledger::{Body, RunCause, What};
use quality_control::kits::{KitFile, Kits, SHIPPED};
use release::evidence::Validity;
use release::{GateId, NatState};
use std::collections::BTreeSet;
use std::sync::{Arc, atomic::Ordering};
use vocabulary::{
    Expected, Interpretation, LotRole, LotUse, Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus,
    RunId, SpecimenKind, Value,
};

const DAY_MS: i64 = 86_400_000;

/// The same at another time of March 2026: `06T16:00`.
fn on(mut all: Vec<Observation>, at: &str) -> Vec<Observation> {
    for o in &mut all {
        o.completed_at = Some(format!("2026-03-{at}:00Z"));
    }
    all
}

/// The same without a time.
fn untimed(mut all: Vec<Observation>) -> Vec<Observation> {
    for o in &mut all {
        o.completed_at = None;
    }
    all
}

fn sample(donation: &str) -> Vec<Observation> {
    nat(SpecimenKind::Patient, donation, &[]).into_iter().map(|o| of(o, donation)).collect()
}

/// Nothing of it is a result yet, gates 04 and 05 are closed, and people are told why and what to do.
fn waits(house: &House, donation: &str) {
    house.works();
    let (_, facts) = house.stands(donation);
    assert_eq!(facts.validity, Validity::Open, "{facts:?}");
    let why = facts.why.unwrap();
    assert!(why.en.contains("run number used again") && why.en.contains("a number of its own"), "{why:?}");
    assert!(why.zh.contains("批次号重复使用") && why.zh.contains("用新的批次号"), "{why:?}");
    let (verdict, _) = house.judged(donation);
    for gate in verdict.gates() {
        let closed = [GateId::RunsValid, GateId::QualityControl].contains(&gate.id);
        assert!(!closed || (!gate.pass && gate.why.contains("run number used again")), "{gate:?}");
    }
    assert!(verdict.nat().iter().all(|nat| nat.state != NatState::NonReactive), "{:?}", verdict.nat());
}

fn stands(house: &House, donation: &str, validity: Validity) {
    house.works();
    let (_, facts) = house.stands(donation);
    assert_eq!(facts.validity, validity, "{donation}: {facts:?}");
}

#[test]
fn controls_of_a_batch_do_not_stand_for_what_came_under_its_number_days_later() {
    let house = House::new("cn-2019");
    house.says(&batch());
    house.says(&sample("D1"));
    house.says(&on(sample("D2"), "06T16:00"));
    waits(&house, "D2");
    stands(&house, "D1", Validity::Valid);
    // Its own controls let it stand, and change nothing of what was there before.
    house.says(&on(batch(), "06T15:00"));
    stands(&house, "D2", Validity::Valid);
    stands(&house, "D1", Validity::Valid);
    assert!(house.judged("D2").0.nat().iter().all(|nat| nat.state == NatState::NonReactive));
}

#[test]
fn a_batch_that_failed_says_nothing_of_the_one_that_takes_its_number_later() {
    let house = House::new("cn-2019");
    let mut failed = batch();
    failed[1].value.interpretation = Some(Interpretation::Reactive);
    house.says(&failed);
    house.says(&sample("D1"));
    house.says(&on([batch(), sample("D2")].concat(), "09T10:00"));
    stands(&house, "D1", Validity::Invalid);
    stands(&house, "D2", Validity::Valid);
}

#[test]
fn wells_of_a_plate_do_not_stand_for_what_came_under_its_number_weeks_later() {
    let house = House::new("cn-2019");
    house.says(&plate_controls("line/P1", GOOD_PLATE));
    house.says(&on(vec![plate_sample("line/P1", "D1", "0.020", "0.105")], "20T15:00"));
    waits(&house, "D1");
    assert_ne!(house.serology("D1"), "FINAL_NR");
    // Other values in the same wells are those of another plate, not a second reading of the first.
    let other = plate_controls("line/P1", "BLK 0.039; NC 0.014 0.019 0.022; PC 1.81 1.95; QC 0.310");
    house.says(&on(other, "20T15:00"));
    stands(&house, "D1", Validity::Valid);
    assert_eq!(house.serology("D1"), "FINAL_NR");
    house.says(&[plate_sample("line/P1", "D2", "0.020", "0.105")]);
    stands(&house, "D2", Validity::Valid);
}

#[test]
fn a_kit_says_how_far_the_wells_of_its_plate_may_lie_apart() {
    let check = |hours: Option<u32>, tested: &str, validity: Validity| {
        let mut house = House::new("cn-2019");
        let text = |id: &str, text: &str| match hours {
            Some(hours) if id == "generic/nat-batch" => {
                text.replacen("[batch]", &format!("[batch]\nhours = {hours}"), 1)
            }
            Some(_) | None => text.to_owned(),
        };
        let kits = SHIPPED.iter().map(|(id, shipped)| KitFile::read(id, &text(id, shipped)).unwrap());
        house.settings.kits = Kits::new(kits).unwrap();
        house.says(&batch());
        house.says(&on(sample("D1"), tested));
        stands(&house, "D1", validity);
    };
    check(None, "02T16:00", Validity::Valid);
    check(None, "02T16:01", Validity::Open);
    check(Some(72), "04T16:00", Validity::Valid);
    check(Some(12), "02T04:01", Validity::Open);
}

#[test]
fn an_analyser_without_times_is_believed_by_when_its_messages_come() {
    let house = House::new("cn-2019");
    house.says(&untimed(batch()));
    house.says(&untimed(sample("D1")));
    stands(&house, "D1", Validity::Valid);
    // One that names a time is not of what came at quite another.
    house.says(&on(sample("D2"), "06T16:00"));
    waits(&house, "D2");
}

#[test]
fn a_result_without_a_time_that_is_sent_again_later_stands_by_the_controls_of_its_day() {
    let clock = Arc::new(Hands::default());
    let house = House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    house.says(&untimed(batch()));
    house.says(&untimed(sample("D1")));
    clock.0.fetch_add(40 * DAY_MS, Ordering::SeqCst);
    house.says(&untimed(sample("D1")));
    stands(&house, "D1", Validity::Valid);
    house.says(&untimed(sample("D2")));
    waits(&house, "D2");
}

#[test]
fn a_correction_is_as_old_as_what_it_corrects() {
    let house = House::new("cn-2019");
    house.says(&[batch(), sample("D1")].concat());
    let corrected = |mut all: Vec<Observation>| {
        for o in &mut all {
            o.status = ResultStatus::Corrected;
        }
        all
    };
    house.says(&corrected(on(sample("D1"), "04T09:00")));
    stands(&house, "D1", Validity::Valid);
    let mut failed = corrected(on(batch(), "04T09:00"));
    failed.truncate(3);
    failed[1].value = Value { interpretation: Some(Interpretation::Reactive), ..Value::default() };
    house.says(&failed);
    stands(&house, "D1", Validity::Invalid);
}

/// What the analyser with this profile says, without a kit.
fn says_as(house: &House, profile: &ProfileRef, observations: &[Observation]) {
    let message = house.append(What::MessageReceived {
        connection: line(),
        mode: Mode::Production,
        profile: profile.clone(),
        protocol: Protocol::Hl7v2,
        body: Body::Whole(b"-".as_slice().into()),
    });
    house.append(interpreted(message, profile.clone(), observations));
}

#[test]
fn controls_that_a_profile_asks_for_do_not_stand_for_another_month() {
    const TESTS: [(&str, Marker); 3] = [
        ("cobas MPX HBV", Marker::HbvDna),
        ("cobas MPX HCV", Marker::HcvRna),
        ("cobas MPX HIV", Marker::HivRna),
    ];
    let catalogue = Catalogue::built_in().unwrap();
    let profile = catalogue.get("roche/cobas-x800").unwrap().reference().clone();
    let mut house = House::new("cn-2019");
    house.settings.profiles = catalogue.list().cloned().collect();
    let all = |kind, said| {
        TESTS.map(|test| {
            let mut o = observation(kind, test, "line/R-0091", "02T10:00");
            o.value.interpretation = Some(said);
            o
        })
    };
    let controls = ["negative", "MPX-M-positive", "MPX-O-positive", "MPX-2-positive"].map(|name| {
        all(SpecimenKind::Control, Interpretation::Valid).map(|o| control(o, name, Expected::Valid))
    });
    let controls = controls.concat();
    let donor =
        |name: &str| all(SpecimenKind::Patient, Interpretation::NonReactive).map(|o| of(o, name)).to_vec();
    says_as(&house, &profile, &controls);
    says_as(&house, &profile, &donor("D1"));
    says_as(&house, &profile, &on(donor("D2"), "31T10:00"));
    stands(&house, "D1", Validity::Valid);
    waits(&house, "D2");
    says_as(&house, &profile, &on(controls, "31T09:00"));
    stands(&house, "D2", Validity::Valid);
}

/// Who declares a run invalid names it by its number.
#[test]
fn a_number_that_people_declare_invalid_is_so_whenever_it_was_used() {
    let house = House::new("cn-2019");
    house.says(&[batch(), sample("D1")].concat());
    house.says(&on([batch(), sample("D2")].concat(), "09T10:00"));
    stands(&house, "D2", Validity::Valid);
    by(&house, "a", invalid(&RunId::new("line/N1").unwrap(), RunCause::KitControl));
    stands(&house, "D1", Validity::Invalid);
    stands(&house, "D2", Validity::Invalid);
}

/// What was made with a lot on one day was not made with the lots of another.
#[test]
fn a_run_has_the_lots_of_its_own_controls() {
    let house = House::new("cn-2019");
    let with = |mut all: Vec<Observation>, lot: &str| {
        for o in all.iter_mut().filter(|o| o.kind == SpecimenKind::Control) {
            o.lots = vec![LotUse { role: LotRole::Control, name: None, lot: lot.into(), expires: None }];
        }
        all
    };
    house.says(&with([batch(), sample("D1")].concat(), "C1"));
    house.says(&on(with([batch(), sample("D2")].concat(), "C2"), "09T10:00"));
    house.works();
    let lots = |donation: &str| -> BTreeSet<String> {
        house.stands(donation).1.lots.into_iter().map(|one| one.lot.lot).collect()
    };
    assert_eq!(lots("D1"), BTreeSet::from(["C1".to_owned()]));
    assert_eq!(lots("D2"), BTreeSet::from(["C2".to_owned()]));
}

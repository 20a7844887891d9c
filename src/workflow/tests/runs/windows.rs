//! Windows of controls on analysers without plates.

use crate::house::{House, control, observation, of};
use release::evidence::{Qc, Validity};
use vocabulary::{Expected, Interpretation, Marker, Observation, RunId, SpecimenKind};
use workflow::runs::run_now;

pub(crate) const CLIA: (&str, Marker) = ("CLIA HBsAg", Marker::HBsAg);

pub(crate) fn sco(mut o: Observation, number: &str) -> Observation {
    o.value.raw = number.into();
    o.value.number = Some(number.parse().unwrap());
    o.value.unit = Some("S/CO".into());
    let reactive = o.value.number >= Some(1.into());
    o.value.interpretation =
        Some(if reactive { Interpretation::Reactive } else { Interpretation::NonReactive });
    o
}

/// The run of a day: `01T08:00` is of `line/CLIA/01`.
fn run_of(at: &str) -> String {
    format!("line/CLIA/{}", at.split('T').next().unwrap())
}

/// Both control levels at a time; the positive one in range or not.
pub(crate) fn levels(at: &str, in_range: bool) -> Vec<Observation> {
    let known = || observation(SpecimenKind::Control, CLIA, &run_of(at), at);
    vec![
        control(sco(known(), "0.10"), "negative", Expected::NonReactive),
        control(sco(known(), if in_range { "3.20" } else { "0.70" }), "positive", Expected::Reactive),
    ]
}

pub(crate) fn clia(donation: &str, at: &str, number: &str) -> Vec<Observation> {
    let o = observation(SpecimenKind::Patient, CLIA, &run_of(at), at);
    vec![of(sco(o, number), donation)]
}

#[test]
fn a_window_closes_with_a_failed_control_and_opens_again_the_same_day() {
    let house = House::new("cn-2019");
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.works();
    assert_eq!(house.serology("D1"), "FINAL_NR");
    let (run, facts) = house.stands("D1");
    assert_eq!(run.as_str(), "line/CLIA/01@2026-03-01T08:00:00Z");
    assert_eq!(facts.kits.len(), 1);
    house.says(&levels("01T12:00", false)); // F11
    house.says(&clia("D2", "01T12:30", "0.20"));
    house.works();
    for donation in ["D1", "D2"] {
        assert_eq!(house.serology(donation), "INVALID", "{donation}: since the last good control");
        let (_, facts) = house.stands(donation);
        assert_eq!((facts.validity, facts.qc), (Validity::Valid, Qc::OutOfControl));
        let told = facts.qc_why.unwrap();
        assert!(
            told.en.contains("control positive was out of its range at 2026-03-01T12:00:00Z"),
            "{}",
            told.en
        );
        assert!(told.en.contains("repeat the control first") && told.zh.contains("请先重做质控"), "{told:?}");
    }
    house.says(&levels("01T13:00", true));
    house.says(&clia("D2", "01T14:00", "0.20"));
    house.works();
    assert_eq!(house.serology("D2"), "FINAL_NR", "tested again in the window that the good control opened");
    assert_eq!(
        house.serology("D1"),
        "INVALID",
        "the good control does not bring back what the failed one took"
    );
    let now = run_now(&house.settings, &house.ledger.state(), &RunId::new("line/CLIA/01").unwrap()).unwrap();
    assert_eq!((now.windows.len(), now.depends.len()), (3, 2));
    assert_eq!((now.validity, now.qc), (Some(Validity::Valid), Some(Qc::OutOfControl)));
}

#[test]
fn controls_speak_for_a_day_across_midnight_and_for_their_own_lot_and_analyser_alone() {
    use Validity::{Open, Valid};
    let check = |change: fn(&mut Observation), at: &str, expect: Validity, said: &str| {
        let house = House::new("cn-2019");
        house.says(&levels("01T20:00", true));
        let mut result = clia("D1", at, "0.20");
        change(&mut result[0]);
        house.says(&result);
        let (_, facts) = house.stands("D1");
        assert_eq!(facts.validity, expect, "{at}: {facts:?}");
        assert!(facts.why.map(|told| told.en).unwrap_or_default().contains(said), "{at}");
    };
    check(|_| {}, "02T03:00", Valid, "");
    check(|_| {}, "02T20:00", Valid, "");
    check(|_| {}, "02T20:01", Open, "too long before it; run the control, then test again");
    check(|_| {}, "01T19:59", Open, "has not run before it");
    check(|o| o.instrument = Some("A2".into()), "01T21:00", Open, "has not run before it");
    let lot = |o: &mut Observation| {
        o.lots = vec![vocabulary::LotUse {
            role: vocabulary::LotRole::Reagent,
            name: None,
            lot: "L2".into(),
            expires: None,
        }];
    };
    check(lot, "01T21:00", Open, "has not run before it");
    check(|o| o.completed_at = None, "01T21:00", Open, "is not known");
}

/// R-RUN-04: the kit allows a shared window of controls by saying `[window]`, and samples of a plate or rack whose controls are
/// on another stand by it; where it was out they fall with it, and where nothing ran they wait.
#[test]
fn a_kit_that_shares_its_controls_lets_them_stand_for_other_plates() {
    let on = |run: &str, mut told: Vec<Observation>| {
        for o in &mut told {
            o.run = Some(RunId::new(run).unwrap());
        }
        told
    };
    let sample = || on("line/P2", clia("D2", "01T09:00", "0.20"));
    for (controls, validity, qc, state) in [
        (on("line/P1", levels("01T08:00", true)), Validity::Valid, Qc::InControl, "FINAL_NR"),
        (on("line/P1", levels("01T08:00", false)), Validity::Valid, Qc::OutOfControl, "INVALID"),
        (vec![], Validity::Open, Qc::Open, "PENDING"),
    ] {
        let house = House::new("cn-2019");
        house.says(&[controls, sample()].concat());
        house.works();
        let (run, facts) = house.stands("D2");
        assert!(run.as_str().starts_with("line/P2@"), "{run}");
        assert_eq!((facts.validity, facts.qc), (validity, qc), "{facts:?}");
        assert_eq!(house.serology("D2"), state);
    }
}

/// The next control that can speak is the one that has to pass: neither one that is not final nor one without a time hides it.
#[test]
fn a_control_that_fails_days_later_takes_back_what_lies_before_whatever_came_between() {
    let preliminary: fn(&mut Observation) = |o| o.status = vocabulary::ResultStatus::Preliminary;
    let untimed: fn(&mut Observation) = |o| o.completed_at = Some("2026-03-02 at noon".into());
    for between in [preliminary, untimed] {
        let house = House::new("cn-2019");
        house.says(&levels("01T08:00", true));
        house.says(&clia("D1", "01T09:00", "0.20"));
        let mut says_nothing = levels("02T12:00", true);
        says_nothing.iter_mut().for_each(between);
        house.says(&says_nothing);
        house.works();
        assert_eq!(house.serology("D1"), "FINAL_NR");
        house.says(&levels("04T08:00", false));
        house.works();
        assert_eq!(house.serology("D1"), "INVALID");
        let id = vocabulary::DonationId::new("D1").unwrap();
        let standing = house.ledger.state().donation(&id).unwrap().unwrap().summary.verdict.unwrap();
        assert_eq!(standing.content_hash, house.judged("D1").0.content_hash(), "it was decided anew");
    }
}

#[test]
fn where_a_control_ran_more_often_than_is_looked_at_nothing_is_concluded() {
    let house = House::new("cn-2019");
    house.says(&clia("D1", "01T23:00", "0.20"));
    house.says_often(2_001, &levels("01T08:00", true));
    let (_, facts) = house.stands("D1");
    assert_eq!(facts.validity, Validity::Open);
    let why = facts.why.unwrap();
    assert!(why.en.contains("control positive of CLIA HBsAg ran so often around it"), "{}", why.en);
    // The nearest are kept: one that failed just before the result is seen, however many came before.
    house.says(&levels("01T22:59", false));
    assert_eq!(house.stands("D1").1.qc, Qc::OutOfControl);
}

//! Batches of nucleic acid tests.

use crate::house::{House, control, observation, of};
use quality_control::kits::{KitFile, Kits};
use release::evidence::{Qc, Validity};
use vocabulary::{Expected, Interpretation, Marker, Observation, SpecimenKind};

pub(crate) fn nat(kind: SpecimenKind, well: &str, found: &[(Marker, Option<&str>)]) -> Vec<Observation> {
    [
        ("NAT triplex HBV", Marker::HbvDna),
        ("NAT triplex HCV", Marker::HcvRna),
        ("NAT triplex HIV", Marker::HivRna),
    ]
    .map(|test| {
        let mut o = observation(kind, test, "line/N1", "01T16:00");
        o.replicate = Some(well.into());
        o.value.raw = "-".into();
        o.value.interpretation = Some(Interpretation::NonReactive);
        if let Some((_, ct)) = found.iter().find(|(marker, _)| *marker == test.1) {
            o.value.interpretation = Some(Interpretation::Reactive);
            o.value.number = ct.map(|ct| ct.parse().unwrap());
            o.value.unit = Some("Ct".into());
        }
        o
    })
    .to_vec()
}

pub(crate) const EVERY: [(Marker, Option<&str>); 3] =
    [(Marker::HbvDna, Some("28")), (Marker::HcvRna, Some("29")), (Marker::HivRna, Some("30"))];

pub(crate) fn nat_control(name: &str, well: &str, found: &[(Marker, Option<&str>)]) -> Vec<Observation> {
    let expected = if name == "negative" { Expected::NonReactive } else { Expected::Reactive };
    nat(SpecimenKind::Control, well, found).into_iter().map(|o| control(o, name, expected)).collect()
}

pub(crate) fn batch() -> Vec<Observation> {
    [
        nat_control("negative", "A1", &[]),
        nat_control("positive", "B1", &EVERY),
        nat_control("external", "C1", &EVERY),
    ]
    .concat()
}

#[test]
fn a_batch_stands_by_every_target_of_every_control() {
    use Qc::{InControl, OutOfControl};
    use Validity::{Invalid, Valid};
    type Change = fn(&mut Vec<Observation>);
    let check = |pack: &str, change: Change, validity: Validity, qc: Qc, states: [&str; 2], said: &str| {
        let house = House::new(pack);
        let mut run = batch();
        change(&mut run);
        let sample = |well: &str, donation: &str, found: &[(Marker, Option<&str>)]| {
            nat(SpecimenKind::Patient, well, found).into_iter().map(|o| of(o, donation)).collect::<Vec<_>>()
        };
        run.extend(sample("D1", "D1", &[]));
        run.extend(sample("E1", "D2", &[(Marker::HbvDna, Some("30"))]));
        house.says(&run);
        house.works();
        let (_, facts) = house.stands("D1");
        assert_eq!((facts.validity, facts.qc), (validity, qc), "{facts:?}");
        let told = facts.why.or(facts.qc_why);
        assert!(told.as_ref().map(|told| told.en.as_str()).unwrap_or_default().contains(said), "{told:?}");
        for (donation, state) in ["D1", "D2"].into_iter().zip(states) {
            let (verdict, _) = house.judged(donation);
            let hbv =
                verdict.nat().iter().map(|n| serde_json::to_value(n).unwrap()).find(|n| n["target"] == "HBV");
            assert_eq!(hbv.unwrap()["state"], *state, "{pack} {donation} {said}");
        }
    };
    check("cn-2019", |_| {}, Valid, InControl, ["FINAL_NR", "FINAL_R"], "");
    let repeat = ["INVALID", "INVALID"];
    check(
        "cn-2019",
        |run| run[1].value.interpretation = Some(Interpretation::Reactive),
        Invalid,
        OutOfControl,
        repeat,
        "negative control shows HCV",
    ); // B04
    check(
        "cn-2019",
        |run| run[4].value.interpretation = Some(Interpretation::NonReactive),
        Invalid,
        OutOfControl,
        repeat,
        "HCV was not found",
    ); // B05
    check(
        "cn-2019",
        |run| run[3].value.number = Some(40.into()),
        Invalid,
        OutOfControl,
        repeat,
        "HBV at Ct 40, outside 15.0 to 36.0",
    );
    check(
        "cn-2019",
        |run| run.retain(|o| o.replicate.as_deref() != Some("A1")),
        Invalid,
        OutOfControl,
        repeat,
        "control negative is missing (R-RUN-03)",
    );
    check("cn-2019", |run| drop(run.remove(5)), Invalid, OutOfControl, repeat, "HIV could not be read");
    let external: Change = |run| run[8].value.interpretation = Some(Interpretation::NonReactive);
    check("cn-2019", external, Valid, OutOfControl, repeat, "external control: HIV was not found");
    check(
        "us-fda",
        external,
        Valid,
        OutOfControl,
        ["INVALID", "FINAL_R"],
        "external control: HIV was not found",
    );
}

/// The kit of a batch with two positives of HIV, two negatives and two externals of HBV.
const TWINS: &str = r#"schema = 1
id = "own/mpx"
title = { en = "batch", zh = "批" }
assays = ["NAT triplex HBV", "NAT triplex HCV", "NAT triplex HIV"]
source = "leaflet"
[batch]
targets = ["HBV", "HCV", "HIV"]
negative = ["negative", "negative-2"]
positive = { positive = "all", "HIV-2" = "HIV" }
external = { external = "all", "weak-2" = "HBV" }
internal = "analyser"
"#;

/// R-RUN-03: a control for HIV-1 says nothing of one for HIV-2, which was not there.
#[test]
fn each_control_that_the_kit_names_has_to_be_in_the_batch() {
    use Validity::{Invalid, Valid};
    let check = |without: &str, validity: Validity, qc: Qc| {
        let mut house = House::new("cn-2019");
        let kit = KitFile::read("own.toml", TWINS).unwrap();
        house.settings.kits = Kits::new([kit]).unwrap();
        let second = [
            ("negative-2", nat_control("negative-2", "A2", &[])),
            ("HIV-2", nat_control("HIV-2", "B2", &EVERY)),
            ("weak-2", nat_control("weak-2", "C2", &EVERY)),
        ];
        let mut run = batch();
        run.extend(second.into_iter().filter(|(name, _)| *name != without).flat_map(|(_, wells)| wells));
        run.extend(nat(SpecimenKind::Patient, "D1", &[]).into_iter().map(|o| of(o, "D1")));
        house.says(&run);
        house.works();
        let (_, facts) = house.stands("D1");
        assert_eq!((facts.validity, facts.qc), (validity, qc), "{without}: {facts:?}");
        let (verdict, _) = house.judged("D1");
        let invalid = verdict.nat().iter().all(|nat| nat.state == release::NatState::Invalid);
        assert_eq!(invalid, !without.is_empty(), "{without}: {:?}", verdict.nat());
        let told = facts.why.or(facts.qc_why);
        let said =
            told.is_some_and(|told| told.en.contains(&format!("control {without} is missing (R-RUN-03)")));
        assert_eq!(said, !without.is_empty(), "{without}");
    };
    check("", Valid, Qc::InControl);
    check("HIV-2", Invalid, Qc::OutOfControl);
    check("negative-2", Invalid, Qc::OutOfControl);
    check("weak-2", Valid, Qc::OutOfControl);
}

/// R-RUN-04: a batch of nucleic acid tests has its own controls.
#[test]
fn controls_of_another_batch_stand_for_nothing() {
    let house = House::new("cn-2019");
    let mut told = batch();
    let sample = nat(SpecimenKind::Patient, "D1", &[]);
    told.extend(sample.into_iter().map(|o| of(o, "D1")));
    for o in &mut told {
        if o.kind == SpecimenKind::Patient {
            o.run = Some(vocabulary::RunId::new("line/N2").unwrap());
        }
    }
    house.says(&told);
    let (run, facts) = house.stands("D1");
    assert_eq!((run.as_str(), facts.validity), ("line/N2", Validity::Open));
    let why = facts.why.unwrap();
    assert!(why.en.contains("R-RUN-04") && why.zh.contains("R-RUN-04"), "{why:?}");
}

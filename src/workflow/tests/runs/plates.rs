//! Plates by their own wells.

use crate::house::{House, control, observation, of};
use quality_control::kits::{KitFile, Kits};
use release::evidence::{Qc, Validity};
use vocabulary::{Expected, Interpretation, Marker, Observation, SpecimenKind};

pub(crate) const PLATE: (&str, Marker) = ("ELISA HBsAg", Marker::HBsAg);

pub(crate) fn od(mut o: Observation, well: &str, od: &str, cutoff: Option<&str>) -> Observation {
    o.replicate = Some(well.into());
    o.value.raw = od.into();
    o.value.od = Some(od.parse().unwrap());
    o.value.cutoff = cutoff.map(|c| c.parse().unwrap());
    o
}

/// Control wells: `BLK 0.041; NC 0.012 0.018 0.021; PC 1.85 1.92; QC 0.3`.
pub(crate) fn plate_controls(run: &str, text: &str) -> Vec<Observation> {
    let mut all = Vec::new();
    for part in text.split(';').filter(|part| !part.trim().is_empty()) {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap();
        for (number, value) in words.enumerate() {
            let well = format!("{name}{number}");
            let blank = observation(SpecimenKind::Blank, PLATE, run, "01T15:00");
            let known = observation(SpecimenKind::Control, PLATE, run, "01T15:00");
            let o = match name {
                "BLK" => blank,
                "NC" => control(known, "negative", Expected::NonReactive),
                "PC" => control(known, "positive", Expected::Reactive),
                "QC" => control(known, "weak-positive", Expected::Reactive),
                other => control(known, other, Expected::Reactive),
            };
            all.push(od(o, &well, value, None));
        }
    }
    all
}

pub(crate) fn plate_sample(run: &str, donation: &str, value: &str, cutoff: &str) -> Observation {
    let o = observation(SpecimenKind::Patient, PLATE, run, "01T15:00");
    let mut o = of(od(o, donation, value, Some(cutoff)), donation);
    let reactive = o.value.od >= o.value.cutoff;
    o.value.interpretation =
        Some(if reactive { Interpretation::Reactive } else { Interpretation::NonReactive });
    o
}

pub(crate) const GOOD_PLATE: &str = "BLK 0.041; NC 0.012 0.018 0.021; PC 1.85 1.92; QC 0.300";

#[test]
fn a_plate_stands_by_its_own_wells_and_the_reason_names_criterion_value_and_limit() {
    use Qc::{InControl, Open as QcOpen, OutOfControl};
    use Validity::{Invalid, Open, Valid};
    let check = |controls: &str, validity: Validity, qc: Qc, state: &str, said: &str, zh: &str| {
        let house = House::new("cn-2019");
        let mut plate = plate_controls("line/P1", controls);
        plate.push(plate_sample("line/P1", "D1", "0.020", "0.105"));
        house.says(&plate);
        house.works();
        let (_, facts) = house.stands("D1");
        assert_eq!((facts.validity, facts.qc), (validity, qc), "{controls}: {facts:?}");
        assert_eq!(house.serology("D1"), state, "{controls}");
        let told = facts.why.or(facts.qc_why);
        let (en, chinese) = told.map(|told| (told.en, told.zh)).unwrap_or_default();
        assert!(en.contains(said) && chinese.contains(zh), "{controls}: {en} / {chinese}");
    };
    check(GOOD_PLATE, Valid, InControl, "FINAL_NR", "", ""); // F01
    let with = |from: &str, to: &str| {
        assert!(GOOD_PLATE.contains(from));
        GOOD_PLATE.replace(from, to)
    };
    let dropped = with("NC 0.012 0.018 0.021", "NC 0.012 0.018 0.120"); // F04: one dropped
    check(&dropped, Valid, InControl, "FINAL_NR", "", "");
    let two = with("NC 0.012 0.018 0.021", "NC 0.012 0.110 0.120"); // F05
    check(
        &two,
        Invalid,
        OutOfControl,
        "INVALID",
        "drop_one(NC <= 0.100) does not hold (NC[1] = 0.012, NC[2] = 0.11, NC[3] = 0.12, limit <= 0.1)",
        "不符合 drop_one(NC <= 0.100)",
    );
    let weak = with("PC 1.85 1.92", "PC 0.75 1.92"); // F06
    check(
        &weak,
        Invalid,
        OutOfControl,
        "INVALID",
        "PC >= 0.80 does not hold (PC[1] = 0.75, PC[2] = 1.92, limit >= 0.8); repeat every sample in a new run",
        "在新批次中重做",
    );
    check(
        &with("BLK 0.041; ", ""),
        Invalid,
        OutOfControl,
        "INVALID",
        "control BLK: 0 of 1 wells (R-RUN-03)",
        "应有 1 孔",
    );
    check(
        &with("QC 0.300", "QC 0.100"),
        Valid,
        OutOfControl,
        "INVALID",
        "QC is not reactive: OD 0.100, cut-off 0.105",
        "室内质控 QC",
    );
    check(
        &with("QC 0.300", "QC 0.700"),
        Valid,
        OutOfControl,
        "INVALID",
        "S/CO 6.666667, outside 1.00–6.00",
        "超出",
    );
    check(
        &with("; QC 0.300", ""),
        Valid,
        OutOfControl,
        "INVALID",
        "external control QC: 0 of 1 wells (R-RUN-03)",
        "应有 1 孔",
    );
    check(&with("QC", "XX"), Invalid, OutOfControl, "INVALID", "the kit knows no such control", "无此对照");
    check("", Open, QcOpen, "PENDING", "those of another plate do not stand for it (R-RUN-04)", "尚未收到");
}

#[test]
fn a_sample_is_held_against_the_cut_off_of_the_plate_and_never_of_a_laxer_reader() {
    let house = House::new("cn-2019");
    let mut plate = plate_controls("line/P1", GOOD_PLATE);
    plate.push(plate_sample("line/P1", "D1", "0.110", "0.105"));
    plate.push(plate_sample("line/P1", "D2", "0.110", "0.200"));
    plate.push(plate_sample("line/P1", "D3", "-0.080", "0.105"));
    house.says(&plate);
    let findings = |donation: &str| -> Vec<String> {
        let (_, facts) = house.judged(donation);
        workflow::evidence(&facts, &house.settings).findings.into_iter().map(|f| f.finding).collect()
    };
    assert_eq!((house.serology("D1"), findings("D1")), ("IR".to_owned(), vec![]));
    // The reader judged by 0.200: the kit's 0.105 counts, and a person sees that the two differ.
    assert_eq!(
        (house.serology("D2"), findings("D2")),
        ("IR".to_owned(), vec!["cutoff_of_the_kit_differs".to_owned()])
    );
    assert_eq!(house.serology("D3"), "INVALID", "below what is still a result");
}

/// A well that was never filled reads as the blank does, and would pass as a donor without the antigen.
#[test]
fn a_well_as_low_as_the_kit_says_of_an_empty_one_is_no_result() {
    let (_, text) =
        quality_control::kits::SHIPPED.iter().find(|(id, _)| *id == "generic/elisa-direct").unwrap();
    for (sample_min, states) in
        [("mean(BLK) + 0.010", ["FINAL_NR", "INVALID", "INVALID"]), ("", ["FINAL_NR"; 3])]
    {
        let line = if sample_min.is_empty() { String::new() } else { format!("sample_min = {sample_min:?}") };
        let text = text.replace("sample_min = \"mean(BLK) - 0.050\"", &line);
        let mut house = House::new("cn-2019");
        let kit = quality_control::kits::KitFile::read("own.toml", &text).unwrap();
        house.settings.kits = quality_control::kits::Kits::new([kit]).unwrap();
        let mut plate = plate_controls("line/P1", GOOD_PLATE);
        plate.push(plate_sample("line/P1", "D1", "0.051", "0.105"));
        plate.push(plate_sample("line/P1", "D2", "0.042", "0.105"));
        let mut silent = plate_sample("line/P1", "D3", "0.060", "0.105");
        (silent.value.od, silent.value.cutoff) = (None, None);
        plate.push(silent);
        house.says(&plate);
        for (donation, state) in ["D1", "D2", "D3"].into_iter().zip(states) {
            assert_eq!(house.serology(donation), state, "{donation} {sample_min}");
        }
    }
}

#[test]
fn a_failed_plate_is_repeated_on_another_the_same_day_and_its_reactive_results_leave_a_mark() {
    for (pack, state) in [("cn-2019", "INVALID"), ("us-fda", "IR")] {
        let house = House::new(pack);
        // The kit's controls hold, the laboratory's own is out: the pack says what becomes of a reactive result.
        let mut plate = plate_controls("line/P1", &GOOD_PLATE.replace("QC 0.300", "QC 0.090"));
        plate.push(plate_sample("line/P1", "D1", "0.630", "0.105"));
        plate.push(plate_sample("line/P1", "D2", "0.020", "0.105"));
        house.says(&plate);
        assert_eq!(
            (house.serology("D1"), house.serology("D2")),
            (state.to_owned(), "INVALID".to_owned()),
            "{pack}"
        ); // F09
        let mut again = plate_controls("line/P2", GOOD_PLATE);
        again.push(plate_sample("line/P2", "D2", "0.020", "0.105"));
        house.says(&again);
        assert_eq!(house.serology("D2"), "FINAL_NR", "{pack}: repeated in a new run the same day");
    }
}

/// What a kit says that allows controls to be shared.
const SHARED: &str = r#"schema = 1
id = "own/shared"
title = { en = "ELISA HBsAg, controls shared", zh = "共用对照" }
assays = ["ELISA HBsAg"]
source = "leaflet"
[window]
levels = ["negative", "positive"]
calibration = "on_analyser"
"#;

/// R-RUN-04: samples on a plate whose controls are on another. What a kit with a shared window allows is in `windows.rs`; wells
/// that come as OD stand by their own plate whatever the kit says.
#[test]
fn controls_of_another_plate_stand_for_nothing() {
    let house = House::new("cn-2019");
    let mut told = plate_controls("line/P1", GOOD_PLATE);
    told.push(plate_sample("line/P1", "D1", "0.020", "0.105"));
    told.push(plate_sample("line/P2", "D2", "0.020", "0.105"));
    house.says(&told);
    house.works();
    assert_eq!(house.serology("D1"), "FINAL_NR");
    let (run, facts) = house.stands("D2");
    assert_eq!((run.as_str(), facts.validity), ("line/P2", Validity::Open));
    assert_eq!(house.serology("D2"), "PENDING");
    let why = facts.why.unwrap();
    assert!(
        why.en.contains("those of another plate do not stand for it (R-RUN-04); send the whole plate"),
        "{why:?}"
    );
    assert!(why.zh.contains("其他板的对照孔不能代替（R-RUN-04）"), "{why:?}");
    house.says(&plate_controls("line/P2", GOOD_PLATE));
    assert_eq!(house.serology("D2"), "FINAL_NR", "with its own wells it stands");

    let bad =
        house_with(None, &[&told[..], &plate_controls("line/P2", "BLK 0.041; NC 0.2 0.2 0.2")].concat());
    assert_eq!(bad.serology("D2"), "INVALID", "its own wells speak, however good another plate's are");
    assert_eq!(bad.serology("D1"), "FINAL_NR", "other plates are untouched (R-RUN-01)");

    let shared = house_with(Some(SHARED), &told);
    assert_eq!(shared.stands("D2").1.validity, Validity::Open);
}

fn house_with(kit: Option<&str>, told: &[Observation]) -> House {
    let mut house = House::new("cn-2019");
    if let Some(kit) = kit {
        house.settings.kits = Kits::new([KitFile::read("own.toml", kit).unwrap()]).unwrap();
    }
    house.says(told);
    house.works();
    house
}

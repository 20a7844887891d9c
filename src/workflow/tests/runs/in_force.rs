//! A result is judged by the kits that were in force when it came, whatever the files say later.

use crate::falls::by;
use crate::house::{House, kits};
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use ledger::{Draft, KitRef, KitsAct, ProfileContent, Seq, SignedAct, What};
use quality_control::kits::{KitFile, Kits, SHIPPED};
use release::evidence::{Qc, Validity};
use std::collections::BTreeMap;
use vocabulary::{Interpretation, ProfileRef, RunId};
use workflow::kits::Begun;

/// The same kits, and the plate's positive controls have to be stronger than those of [`GOOD_PLATE`].
fn stricter() -> Kits {
    let file = |(id, text): &(&str, &str)| {
        let text = text.replace("\"PC >= 0.80\"", "\"PC >= 1.90\"");
        KitFile::read(id, &text).unwrap()
    };
    Kits::new(SHIPPED.iter().map(file)).unwrap()
}

fn plate(house: &House, run: &str, donation: &str) {
    let mut plate = plate_controls(run, GOOD_PLATE);
    plate.push(plate_sample(run, donation, "0.020", "0.105"));
    house.says(&plate);
    house.works();
}

fn starts(house: &House) -> Begun {
    workflow::kits::start(&house.ledger, &house.settings.kits).unwrap()
}

fn act(house: &House, who: &str, act: KitsAct) -> Seq {
    let draft = Draft { by: format!("user:{who}").into(), what: What::Kits(act) };
    let seq = house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(seq).wait().unwrap();
    seq
}

/// Two people put the configured kits in force: for what is tested from a time on, or whatever comes.
fn two_people(house: &House, from: Option<&str>) {
    let of = |kit: &KitFile| KitRef { id: kit.id.clone(), hash: kit.hash.clone() };
    let mut kits: Vec<KitRef> = house.settings.kits.iter().map(|kit| of(kit)).collect();
    kits.sort_unstable();
    let from_ms = from.map(|from| from.parse::<jiff::Timestamp>().unwrap().as_millisecond());
    let misfits = || house.ledger.state().counters().unwrap().misfits;
    let before = misfits();
    let proposed = act(house, "a", KitsAct::Proposed { kits: kits.clone(), from_ms, why: "x".into() });
    act(house, "b", KitsAct::Activated { kits, proposed });
    assert_eq!(misfits(), before);
}

#[test]
fn other_kits_judge_what_comes_from_then_on_and_an_old_run_only_when_two_people_want_it() {
    let mut house = House::new("cn-2019");
    assert!(matches!(starts(&house), Begun::Adopted { .. }));
    assert_eq!(starts(&house), Begun::InForce, "nothing has changed");
    plate(&house, "line/P1", "D1");
    house.settings.kits = stricter();
    assert!(matches!(starts(&house), Begun::Waits(_)));
    plate(&house, "line/P0", "D0");
    assert_eq!(house.serology("D0"), "FINAL_NR", "a file that one person changed judges nothing");
    assert_eq!(house.stands("D0").1.kits, house.stands("D1").1.kits);
    two_people(&house, None);
    plate(&house, "line/P2", "D2");
    assert_eq!(house.serology("D0"), "FINAL_NR", "what came before is judged as it was");
    assert_eq!((house.serology("D1"), house.serology("D2")), ("FINAL_NR".to_owned(), "INVALID".to_owned()));
    let (first, second) = (house.stands("D1").1.kits, house.stands("D2").1.kits);
    assert!(first != second && first.len() == 1, "{first:?} {second:?}");

    let run = RunId::new("line/P1").unwrap();
    let wanted = SignedAct::RunJudgingProposed { run: run.clone(), reason: "the leaflet has changed".into() };
    let proposed = by(&house, "a", wanted);
    by(&house, "a", SignedAct::RunJudgedAnew { run: run.clone(), proposed, lapses: true });
    house.works();
    assert_eq!(house.serology("D1"), "FINAL_NR", "one person changes nothing");
    by(&house, "b", SignedAct::RunJudgedAnew { run, proposed, lapses: true });
    house.works();
    assert_eq!(house.serology("D1"), "INVALID");
    let (now, _) = house.judged("D1");
    let id = vocabulary::DonationId::new("D1").unwrap();
    let standing = house.ledger.state().donation(&id).unwrap().unwrap().summary.verdict.unwrap();
    assert_eq!(standing.content_hash, now.content_hash(), "it was decided anew");

    // The first files again: what came between stays with those of its time.
    house.settings.kits = kits();
    assert!(matches!(starts(&house), Begun::Waits(_)));
    two_people(&house, None);
    plate(&house, "line/P3", "D3");
    let states = ["D1", "D2", "D3"].map(|donation| house.serology(donation));
    assert_eq!(states, ["INVALID", "INVALID", "FINAL_NR"]);
}

/// Plates of these tests are read at 15:00 on 1 March 2026. What says no time was read when it came, which is today.
#[test]
fn kits_of_a_time_to_come_judge_what_is_tested_from_then_on() {
    for (from, expect, untimed) in [
        ("2026-03-01T14:59:59Z", "INVALID", "INVALID"),
        ("2026-03-01T15:00:00Z", "INVALID", "INVALID"),
        ("2026-03-01T15:00:01Z", "FINAL_NR", "INVALID"),
        ("2999-01-01T00:00:00Z", "FINAL_NR", "FINAL_NR"),
    ] {
        let mut house = House::new("cn-2019");
        starts(&house);
        house.settings.kits = stricter();
        starts(&house);
        two_people(&house, Some(from));
        plate(&house, "line/P1", "D1");
        assert_eq!(house.serology("D1"), expect, "{from}");
        let mut untold = plate_controls("line/P2", GOOD_PLATE);
        untold.push(plate_sample("line/P2", "D2", "0.020", "0.105"));
        for o in &mut untold {
            o.completed_at = None;
        }
        house.says(&untold);
        house.works();
        assert_eq!(house.serology("D2"), untimed, "{from}");
        // Judged anew, the time at which two people wanted that counts.
        let run = RunId::new("line/P1").unwrap();
        let wanted = SignedAct::RunJudgingProposed { run: run.clone(), reason: "x".into() };
        let proposed = by(&house, "a", wanted);
        by(&house, "b", SignedAct::RunJudgedAnew { run, proposed, lapses: true });
        house.works();
        assert_eq!(house.serology("D1"), untimed, "{from}");
    }
}

#[test]
fn what_came_before_there_were_kits_is_judged_by_the_controls_of_its_profile() {
    let mut house = House::new("cn-2019");
    let with = std::mem::take(&mut house.settings.kits);
    assert!(matches!(starts(&house), Begun::Adopted { kits: 0, .. }));
    plate(&house, "line/P1", "D1");
    let before = house.stands("D1").1;
    house.settings.kits = with;
    assert!(matches!(starts(&house), Begun::Waits(_)));
    two_people(&house, None);
    assert_eq!(house.stands("D1").1, before);
    assert!(before.kits.is_empty());
}

#[test]
fn a_run_whose_profile_is_nowhere_or_cannot_be_read_is_not_judged_by_the_controls_that_happen_to_be_there() {
    let mut house = House::new("cn-2019");
    house.settings.kits = Kits::new([]).unwrap();
    let mut plate = plate_controls("line/P1", "NC 0.012");
    plate[0].value.interpretation = Some(Interpretation::NonReactive);
    plate.push(plate_sample("line/P1", "D1", "0.020", "0.105"));
    house.says(&plate);
    house.works();
    let (_, stands) = house.stands("D1");
    assert_eq!((stands.validity, stands.qc), (Validity::Open, Qc::Open), "nobody can say what it requires");
    assert!(stands.why.unwrap().en.contains("neither installed nor kept"));
    house.append(What::ProfileKept {
        profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
        content: ProfileContent { text: "of another release".into(), templates: BTreeMap::new() },
        mapping: None,
    });
    let (_, stands) = house.stands("D1");
    assert_eq!((stands.validity, stands.qc), (Validity::Open, Qc::Open));
    assert!(stands.why.unwrap().en.contains("cannot be read by this release"));
}

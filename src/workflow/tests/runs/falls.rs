//! What falls with a run, and that the order of messages changes nothing.

use crate::cells::known_cells;
use crate::house::House;
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use ledger::{Draft, Page, RunCause, SignedAct, VerdictMade, What};
use proptest::prelude::*;
use vocabulary::{DonationId, Observation, RunId};

const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

/// E05: a control that fails after the release opens the donation again and calls it back.
#[test]
fn a_run_that_falls_after_release_opens_the_donation_again_and_raises_a_recall() {
    let person = |house: &House| {
        let act = ledger::SignedAct::RunInvalidated {
            run: RunId::new("line/CLIA/01").unwrap(),
            reason: "x".into(),
            cause: RunCause::Other,
            repeated_in: None,
        };
        house.append(What::Signed(act));
    };
    let late_control = |house: &House| {
        house.says(&levels("01T12:00", false));
    };
    for falls in [&late_control as &dyn Fn(&House), &person] {
        let house = House::new("cn-2019");
        let case = release::read_case(RELEASABLE).unwrap();
        let donation = case.donation.clone();
        house.says(&levels("01T08:00", true));
        house.says(&clia(donation.as_str(), "01T09:00", "0.20"));
        house.works();
        let verdict = release::decide(&case, &house.settings.pack);
        assert!(verdict.is_releasable());
        let made = VerdictMade::new(&verdict, house.ledger.state().applied(), vec![]).unwrap();
        house.append(What::VerdictMade(made));
        house.works();
        let recalls = |house: &House| house.ledger.state().recalls(true, &Page::first(9)).unwrap().items;
        assert!(recalls(&house).is_empty());
        falls(&house);
        house.works();
        let standing = house.ledger.state().donation(&donation).unwrap().unwrap().summary;
        assert!(!standing.undecided && !standing.verdict.unwrap().releasable);
        assert_eq!(recalls(&house).len(), 1);
        assert_eq!(recalls(&house)[0].about.donation, donation);
    }
}

/// A window that a person declared invalid stays so, whatever control comes late and would open another one in its place.
#[test]
fn a_window_that_was_declared_invalid_is_not_saved_by_a_control_that_comes_late() {
    let house = House::new("cn-2019");
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.says(&levels("01T12:00", true));
    house.says(&clia("D2", "01T13:00", "0.20"));
    house.works();
    let (window, _) = house.stands("D1");
    assert_eq!(window.as_str(), "line/CLIA/01@2026-03-01T08:00:00Z");
    by(&house, "qc", invalid(&window, RunCause::Other));
    house.works();
    assert_eq!((house.serology("D1"), house.serology("D2")), ("INVALID".to_owned(), "FINAL_NR".to_owned()));
    house.says(&levels("01T08:30", true));
    house.works();
    assert_eq!(house.stands("D1").0.as_str(), "line/CLIA/01@2026-03-01T08:30:00Z");
    assert_eq!(house.serology("D1"), "INVALID", "it lay in the window when that was declared invalid");
    house.says(&clia("D3", "01T10:00", "0.20"));
    house.works();
    assert_eq!(house.serology("D3"), "INVALID", "so would it, had it come before");
}

pub(crate) fn by(house: &House, who: &str, act: SignedAct) -> ledger::Seq {
    let draft = Draft { by: format!("user:{who}"), what: What::Signed(act) };
    let seq = house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(seq).wait().unwrap();
    seq
}

fn invalid(run: &RunId, cause: RunCause) -> SignedAct {
    SignedAct::RunInvalidated {
        run: run.clone(),
        reason: "the washer leaked".into(),
        cause,
        repeated_in: None,
    }
}

/// Whoever writes the entries: what one person wrote alone makes no run valid, and confirms nothing.
#[test]
fn a_run_is_invalid_with_one_person_and_valid_again_with_two() {
    let house = House::new("cn-2019");
    let run = RunId::new("line/CLIA/01").unwrap();
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.works();
    let said = |house: &House| house.ledger.state().run_invalidated(&run).unwrap();
    let first = by(&house, "a", invalid(&run, RunCause::Equipment));
    let confirm = |invalidated| SignedAct::RunInvalidationConfirmed { run: run.clone(), invalidated };
    let misfits = || house.ledger.state().counters().unwrap().misfits;
    let before = misfits();
    by(&house, "a", confirm(first));
    assert!(said(&house).unwrap().confirmed.is_none() && misfits() == before + 1);
    by(&house, "b", confirm(first));
    assert_eq!(said(&house).unwrap().confirmed.unwrap().by, "b");
    let propose = |invalidated| SignedAct::RunReinstatementProposed {
        run: run.clone(),
        invalidated,
        reason: "it was another washer".into(),
    };
    let proposed = by(&house, "b", propose(first));
    by(&house, "b", SignedAct::RunReinstated { run: run.clone(), proposed });
    house.works();
    assert!(said(&house).is_some() && misfits() == before + 2);
    assert_eq!(house.serology("D1"), "INVALID");
    by(&house, "c", SignedAct::RunReinstated { run: run.clone(), proposed });
    house.works();
    assert!(said(&house).is_none());
    assert_eq!(house.serology("D1"), "FINAL_NR");
}

/// Rules.md §2.5: declared out for the laboratory's own controls, the pack says what becomes of reactive results.
#[test]
fn what_falls_with_a_declared_run_is_what_its_cause_and_the_pack_say() {
    for (pack, cause, reactive) in [
        ("cn-2019", RunCause::ExternalControl, "INVALID"),
        ("us-fda", RunCause::ExternalControl, "IR"),
        ("us-fda", RunCause::KitControl, "INVALID"),
    ] {
        let house = House::new(pack);
        house.says(&levels("01T08:00", true));
        house.says(&clia("D1", "01T09:00", "0.20"));
        house.says(&clia("D2", "01T09:05", "6.20"));
        by(&house, "a", invalid(&RunId::new("line/CLIA/01").unwrap(), cause));
        house.works();
        let found = (house.serology("D1"), house.serology("D2"));
        assert_eq!(found, ("INVALID".to_owned(), reactive.to_owned()), "{pack} {cause:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Controls before or after their results, plates in any order, a late control: the same verdicts, and each is
    /// what would be decided now: nothing that changed was left as it stood.
    #[test]
    fn the_order_of_arrival_changes_nothing(order in Just((0..14_usize).collect::<Vec<_>>()).prop_shuffle(), pause in 1_usize..14) {
        let messages: Vec<Vec<Observation>> = vec![
            levels("01T08:00", true),
            levels("01T12:00", false),
            levels("01T13:00", true),
            levels("02T08:00", true),
            clia("D1", "01T09:00", "0.20"),
            clia("D2", "01T12:30", "0.20"),
            clia("D2", "01T14:00", "0.20"),
            clia("D3", "02T07:00", "0.20"),
            clia("D4", "02T09:00", "0.20"),
            plate_controls("line/P1", GOOD_PLATE),
            vec![plate_sample("line/P1", "D5", "0.020", "0.105")],
            plate_controls("line/P2", &GOOD_PLATE.replace("PC 1.85", "PC 0.5")),
            vec![plate_sample("line/P2", "D6", "0.020", "0.105")],
            known_cells("01T08:00", "4+"),
        ];
        let house = House::new("cn-2019");
        for (at, which) in order.iter().enumerate() {
            house.says(&messages[*which]);
            if at % pause == 0 {
                house.works();
            }
        }
        house.works();
        for (donation, state) in [("D1", "INVALID"), ("D2", "FINAL_NR"), ("D3", "FINAL_NR"), ("D4", "FINAL_NR"), ("D5", "FINAL_NR"), ("D6", "INVALID")] {
            prop_assert_eq!(house.serology(donation), state, "{}", donation);
            let (now, _) = house.judged(donation);
            let id = DonationId::new(donation).unwrap();
            let standing = house.ledger.state().donation(&id).unwrap().unwrap().summary;
            prop_assert!(!standing.undecided);
            prop_assert_eq!(standing.verdict.unwrap().content_hash, now.content_hash(), "{}", donation);
        }
    }
}

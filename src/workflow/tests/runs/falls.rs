//! What falls with a run, and that the order of messages changes nothing.

use crate::cells::known_cells;
use crate::house::House;
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use ledger::{Page, VerdictMade, What};
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

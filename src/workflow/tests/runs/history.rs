//! What one person's word, or an analyser's correction, does to what other donations of the donor know of a finding: nothing,
//! until two people have settled it.

use crate::falls::{Hands, by, invalid};
use crate::house::House;
use crate::windows::{clia, levels};
use ledger::{LotsAct, RunCause, SignedAct, What};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vocabulary::{DonationId, DonationRegistration, LotRole, LotUse, Observation, ResultStatus, RunId};

/// D1 and, after it, D2 of one donor.
struct Donor {
    house: House,
    clock: Arc<Hands>,
}

impl Donor {
    /// HBsAg is repeatedly reactive in D1.
    fn reactive() -> Self {
        let donor = Self::new();
        donor.tests("01", "9.80");
        assert_eq!(donor.house.serology("D1"), "FINAL_R");
        assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1));
        donor
    }

    fn new() -> Self {
        let clock = Arc::new(Hands::default());
        let house = House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>);
        let donor = Self { house, clock };
        donor.at("01T05:00");
        for (donation, at) in [("D1", "2026-03-01T05:00:00Z"), ("D2", "2026-03-20T05:00:00Z")] {
            let registration: DonationRegistration =
                serde_json::from_value(serde_json::json!({ "donation": donation,
                "collected_at": at, "donor": { "id": "DON", "first_time": false, "deferred": false } }))
                .unwrap();
            donor.house.append(What::DonationRegistered(registration));
        }
        donor
    }

    fn at(&self, time: &str) {
        let now: jiff::Timestamp = format!("2026-03-{time}:00Z").parse().unwrap();
        self.clock.0.store(now.as_millisecond(), Ordering::SeqCst);
    }

    fn tests(&self, day: &str, number: &str) {
        self.house.says(&levels(&format!("{day}T08:00"), true));
        for minute in 0..3 {
            let time = format!("{day}T09:0{minute}");
            self.at(&time);
            self.house.says(&clia("D1", &time, number));
        }
        self.house.works();
    }

    fn said(&self, who: &str, act: SignedAct) -> ledger::Seq {
        let seq = by(&self.house, who, act);
        self.house.works();
        seq
    }

    /// The marker of D1 because of which gate 11 of D2 is shut.
    fn bars(&self) -> String {
        let (verdict, _) = self.house.judged("D2");
        let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Donor).unwrap();
        let found = ["HBV", "HCV", "HIV"].into_iter().find(|marker| gate.why.contains(marker));
        assert_eq!(found.is_some(), !gate.pass, "{}", gate.why);
        found.unwrap_or_default().to_owned()
    }

    /// Tasks because of D1.
    fn asked(&self) -> usize {
        let tasks = self.house.ledger.state().donor_tasks_of(&DonationId::new("D1").unwrap()).unwrap();
        tasks.map_or(0, |all| all.open().count())
    }
}

fn run() -> RunId {
    RunId::new("line/CLIA/01").unwrap()
}

#[test]
fn a_finding_whose_run_one_person_declares_invalid_bars_the_donors_other_donations_until_another_confirms_it()
{
    let donor = Donor::reactive();
    donor.at("02T12:00");
    let invalidated = donor.said("a", invalid(&run(), RunCause::Equipment));
    assert_eq!(donor.house.serology("D1"), "INVALID");
    assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1), "by the word of one");
    // What is tested again meanwhile takes nothing back before two people know why.
    donor.tests("03", "0.10");
    assert_eq!(donor.house.serology("D1"), "FINAL_NR");
    assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1), "tested again");
    donor.said("b", SignedAct::RunInvalidationConfirmed { run: run(), invalidated });
    assert_eq!((donor.bars().as_str(), donor.asked()), ("", 0), "by the word of two");
}

#[test]
fn a_finding_that_its_analyser_takes_back_bars_the_donors_other_donations_until_two_people_have_settled_it() {
    let donor = Donor::reactive();
    donor.at("01T12:00");
    for minute in 0..3 {
        let mut corrected = clia("D1", &format!("01T09:0{minute}"), "0.10");
        corrected[0].status = ResultStatus::Corrected;
        donor.house.says(&corrected);
        donor.house.works();
        assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1), "{minute}");
    }
}

#[test]
fn a_finding_made_with_a_lot_that_one_person_finds_defective_bars_the_donors_other_donations() {
    let donor = Donor::new();
    let says = |mut rows: Vec<Observation>| {
        for row in &mut rows {
            row.lots = vec![LotUse { role: LotRole::Reagent, name: None, lot: "L1".into(), expires: None }];
        }
        donor.house.says(&rows);
    };
    says(levels("01T08:00", true));
    for minute in 0..3 {
        let time = format!("01T09:0{minute}");
        donor.at(&time);
        says(clia("D1", &time, "9.80"));
    }
    donor.house.works();
    assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1));
    donor.at("02T12:00");
    let act = LotsAct::Defective { lot: "L1".into(), since_ms: 0, connections: vec![], reason: "x".into() };
    let draft = ledger::Draft { by: "user:a".into(), what: What::Lots(act) };
    let seq = donor.house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    donor.house.ledger.wait_applied(seq).wait().unwrap();
    donor.house.works();
    assert_eq!(donor.house.serology("D1"), "INVALID");
    assert_eq!((donor.bars().as_str(), donor.asked()), ("HBV", 1), "by the word of one");
}

#[test]
fn what_was_never_found_bars_nothing_when_its_run_falls() {
    let donor = Donor::new();
    donor.house.says(&levels("01T08:00", true));
    donor.at("01T09:00");
    donor.house.says(&clia("D1", "01T09:00", "9.80"));
    donor.house.works();
    assert_eq!((donor.house.serology("D1").as_str(), donor.bars().as_str()), ("IR", ""));
    donor.at("01T12:00");
    donor.said("a", invalid(&run(), RunCause::Equipment));
    assert_eq!((donor.bars().as_str(), donor.asked()), ("", 0), "its duplicate round was to be done");
}

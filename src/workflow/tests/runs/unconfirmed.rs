//! What was reactive in a run that a person declared invalid: it goes on holding until another one confirms that, and is
//! answered by what was tested since (rules.md §2.5).

use crate::falls::{Hands, by, invalid, repeated_in};
use crate::house::House;
use crate::windows::{clia, levels};
use ledger::{RunCause, SignedAct};
use release::GateId;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use vocabulary::{LotRole, LotUse, Observation, RunId};

struct Lab {
    house: House,
    clock: Arc<Hands>,
}

/// `Some` where gate 15 is closed, with why.
type Held = Option<String>;

impl Lab {
    fn new() -> Self {
        let clock = Arc::new(Hands::default());
        let house = House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>);
        Self { house, clock }
    }

    fn at(&self, time: &str) {
        let now: jiff::Timestamp = format!("2026-03-{time}:00Z").parse().unwrap();
        self.clock.0.store(now.as_millisecond(), Ordering::SeqCst);
    }

    /// Wells of D1 after the day's controls, each a minute after the other, which come when they were tested.
    fn tests(&self, day: &str, wells: &[&str]) {
        let controls = format!("{day}T08:00");
        self.house.says(&of_lot(levels(&controls, true)));
        for (minute, number) in wells.iter().enumerate() {
            let time = format!("{day}T09:{minute:02}");
            self.at(&time);
            let all = of_lot(clia("D1", &time, number));
            self.house.says(&all);
        }
        self.house.works();
    }

    fn state(&self) -> String {
        self.house.serology("D1")
    }

    /// By the verdict that the ledger has.
    fn held(&self) -> Held {
        let reader = self.house.ledger.state();
        let about = reader.donation(&"D1".parse().unwrap()).unwrap().unwrap().summary;
        assert!(!about.undecided);
        let made = reader.verdict(about.verdict.unwrap().seq).unwrap();
        let now = self.house.judged("D1").0;
        let gate = now.gates().iter().find(|gate| gate.id == GateId::Interfaces).unwrap();
        assert!(made.json().contains(&serde_json::to_string(&gate.why).unwrap()), "it was decided anew");
        (!gate.pass).then(|| format!("{} {}", gate.why, gate.remedy.unwrap()))
    }

    fn says(&self, who: &str, act: SignedAct) -> ledger::Seq {
        let seq = by(&self.house, who, act);
        self.house.works();
        seq
    }
}

/// Duplicates of one lot with the first test (R-SER-02).
fn of_lot(mut all: Vec<Observation>) -> Vec<Observation> {
    for o in &mut all {
        o.lots = vec![LotUse { role: LotRole::Reagent, name: None, lot: "77".into(), expires: None }];
    }
    all
}

fn run(day: &str) -> RunId {
    RunId::new(&format!("line/CLIA/{day}")).unwrap()
}

fn confirms(day: &str, invalidated: ledger::Seq) -> SignedAct {
    SignedAct::RunInvalidationConfirmed { run: run(day), invalidated }
}

#[test]
fn a_repeat_reactive_result_is_not_eased_by_who_declares_its_runs_invalid() {
    let lab = Lab::new();
    lab.tests("01", &["9.80"]);
    lab.tests("02", &["9.70", "9.60"]);
    lab.tests("03", &["0.10", "0.10"]);
    assert_eq!((lab.state().as_str(), lab.held()), ("FINAL_R", None), "a third round rescues nothing");
    lab.at("03T12:00");
    let declared = ["01", "02"].map(|day| (day, lab.says("a", invalid(&run(day), RunCause::Equipment))));
    assert_eq!(lab.state(), "INVALID", "what was tested before does not count against it");
    let told = lab.held().unwrap();
    for part in ["line/CLIA/01", "line/CLIA/02", "9.80", "9.60", "hemogate runs confirm"] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for (day, invalidated) in declared {
        assert!(lab.held().is_some_and(|told| told.contains(&format!("line/CLIA/{day}"))));
        lab.says("b", confirms(day, invalidated));
    }
    assert_eq!((lab.state().as_str(), lab.held()), ("INVALID", None));
    // Wells beyond the duplicate round stay what they were, whatever run is named as the repeat.
    for (day, invalidated) in declared {
        let repeated_in = run("03");
        lab.says("c", SignedAct::RunRepeatNamed { run: run(day), invalidated, repeated_in });
    }
    assert_eq!(lab.state(), "INVALID");
    lab.tests("04", &["0.10"]);
    assert_eq!(lab.state(), "PENDING");
    lab.tests("04", &["0.10", "0.12"]);
    assert_eq!((lab.state().as_str(), lab.held()), ("FINAL_NR", None));
}

#[test]
fn what_was_tested_after_the_word_holds_until_the_second_person_has_confirmed_it() {
    let lab = Lab::new();
    lab.tests("01", &["9.80"]);
    lab.at("01T12:00");
    let invalidated = lab.says("a", invalid(&run("01"), RunCause::Equipment));
    lab.tests("02", &["0.10", "0.10"]);
    assert_eq!(lab.state(), "FINAL_NR");
    assert!(lab.held().is_some_and(|told| told.contains("fall_unconfirmed")));
    lab.says("a", confirms("01", invalidated));
    assert!(lab.held().is_some(), "not the same person");
    lab.says("b", confirms("01", invalidated));
    assert_eq!((lab.state().as_str(), lab.held()), ("FINAL_NR", None));
}

#[test]
fn what_was_tested_before_the_word_counts_in_the_run_that_two_people_know_as_the_repeat() {
    // Named at once; or later by the other person; or by the first one, or a third, before and after the other one confirmed.
    for (at_once, named, counts) in [
        (true, None, true),
        (false, None, false),
        (false, Some(("b", true)), true),
        (false, Some(("a", true)), true),
        (false, Some(("b", false)), true),
        (false, Some(("a", false)), false),
        (false, Some(("c", true)), true),
        (false, Some(("c", false)), false),
    ] {
        let lab = Lab::new();
        lab.tests("01", &["9.80"]);
        lab.tests("02", &["0.10", "0.10"]);
        assert_eq!(lab.state(), "FINAL_NR");
        lab.at("02T12:00");
        let repeat = at_once.then(|| run("02"));
        let invalidated = lab.says("a", repeated_in(&run("01"), RunCause::Equipment, repeat));
        let names = |before: bool| {
            if let Some((who, _)) = named.filter(|(_, first)| *first == before) {
                let (run, repeated_in) = (run("01"), run("02"));
                lab.says(who, SignedAct::RunRepeatNamed { run, invalidated, repeated_in });
            }
        };
        names(true);
        assert!(lab.held().is_some());
        lab.says("b", confirms("01", invalidated));
        names(false);
        let state = if counts { "FINAL_NR" } else { "INVALID" };
        assert_eq!((lab.state().as_str(), lab.held()), (state, None), "{at_once} {named:?}");
    }
}

#[test]
fn a_repeat_that_one_person_named_alone_is_named_by_who_confirmed_instead() {
    let lab = Lab::new();
    lab.tests("01", &["9.80"]);
    lab.tests("02", &["0.10", "0.10"]);
    lab.at("02T12:00");
    let invalidated = lab.says("a", invalid(&run("01"), RunCause::Equipment));
    lab.says("b", confirms("01", invalidated));
    let names = |who: &str, day: &str| {
        lab.says(who, SignedAct::RunRepeatNamed { run: run("01"), invalidated, repeated_in: run(day) });
        lab.state()
    };
    assert_eq!(names("c", "02"), "INVALID");
    assert_eq!(names("d", "02"), "INVALID", "another one alone");
    assert_eq!(names("b", "02"), "FINAL_NR");
    assert_eq!(names("b", "03"), "FINAL_NR", "once");
}

/// What is tested before a result repeats nothing of it, whoever says so, and however many.
#[test]
fn what_was_tested_before_the_result_that_fell_is_no_repeat_of_it() {
    for at_once in [true, false] {
        let lab = Lab::new();
        lab.tests("01", &["0.10", "0.10"]);
        lab.tests("02", &["9.80"]);
        lab.at("02T12:00");
        let named = at_once.then(|| run("01"));
        let invalidated = lab.says("a", repeated_in(&run("02"), RunCause::Equipment, named));
        lab.says("b", confirms("02", invalidated));
        if !at_once {
            let named = SignedAct::RunRepeatNamed { run: run("02"), invalidated, repeated_in: run("01") };
            lab.says("b", named);
        }
        assert_eq!(lab.state(), "INVALID", "named at once: {at_once}");
        lab.tests("03", &["0.10", "0.10"]);
        assert_eq!((lab.state().as_str(), lab.held()), ("FINAL_NR", None));
    }
}

#[test]
fn what_was_not_reactive_falls_and_is_tested_again_without_a_second_person() {
    let lab = Lab::new();
    lab.tests("01", &["0.20"]);
    lab.tests("02", &["0.10"]);
    lab.at("02T12:00");
    lab.says("a", invalid(&run("01"), RunCause::Equipment));
    assert_eq!((lab.state().as_str(), lab.held()), ("FINAL_NR", None));
}

#[test]
fn a_well_without_a_believable_time_counts_only_in_the_named_repeat() {
    let lab = Lab::new();
    lab.tests("01", &["9.80"]);
    lab.at("02T12:00");
    lab.house.says(&levels("02T08:00", true));
    // Its clock runs ahead: it cannot have been tested after it came.
    lab.house.says(&clia("D1", "02T15:00", "0.10"));
    lab.house.says(&clia("D1", "02T15:01", "0.10"));
    lab.at("02T13:00");
    lab.says("a", invalid(&run("01"), RunCause::Equipment));
    assert_eq!(lab.state(), "INVALID");
}

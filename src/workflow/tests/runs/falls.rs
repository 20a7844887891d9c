//! What falls with a run, and that the order of messages changes nothing.

use crate::cells::known_cells;
use crate::house::House;
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use ledger::{Draft, Page, RunCause, SignedAct, VerdictMade, What};
use proptest::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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
            spans: vec![],
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
        let verdict = release::explain(&case, &house.settings.pack);
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

/// What was declared invalid is held against what it covered then: however its opening control, its level or its times are
/// read later, and whatever its window is called then, it stays invalid until two people say otherwise.
#[test]
fn a_window_that_was_declared_invalid_is_not_saved_by_what_is_read_otherwise() {
    type Mend = fn(&mut Vec<Observation>);
    let later = |o: &mut Observation, by: &str| {
        let at = o.completed_at.as_deref().unwrap().replace("T08:00", by).replace("T09:00", "T17:00");
        o.completed_at = Some(at);
    };
    let time: Mend =
        |levels| levels.iter_mut().for_each(|o| o.completed_at = Some("2026-03-01T08:10:00Z".into()));
    let level: Mend =
        |levels| levels.iter_mut().for_each(|o| o.control.as_mut().unwrap().name = "other".into());
    let other_day: Mend = |levels| {
        for o in levels {
            o.completed_at = Some("2026-03-01T13:30:00Z".into());
        }
    };
    for mend in [time, level, other_day] {
        let house = House::new("cn-2019");
        house.says(&levels("01T06:00", true));
        let opening = house.says(&levels("01T08:00", true));
        house.says(&clia("D1", "01T09:00", "0.20"));
        house.says(&levels("01T12:00", true));
        house.says(&clia("D2", "01T13:00", "0.20"));
        house.works();
        let (window, _) = house.stands("D1");
        let spans = workflow::runs::spans_of(&house.settings, &house.ledger.state(), &window).unwrap();
        assert_eq!(spans.len(), 1);
        let declared = by(&house, "qc", invalid_in(&window, RunCause::Other, spans));
        house.works();
        assert_eq!(house.serology("D1"), "INVALID");
        let mut read = levels("01T08:00", true);
        mend(&mut read);
        house.means(opening, &read);
        house.works();
        assert_ne!(house.stands("D1").0, window, "it goes by another name now");
        assert_eq!(house.serology("D1"), "INVALID");
        house.says(&clia("D3", "01T09:30", "0.20"));
        house.works();
        assert_eq!(house.serology("D3"), "INVALID", "it lies in the same time");
        assert_eq!(house.serology("D2"), "FINAL_NR", "what lay outside stands");
        let reason = "it was another washer".to_owned();
        let run = window.clone();
        let propose = SignedAct::RunReinstatementProposed { run: run.clone(), invalidated: declared, reason };
        let proposed = by(&house, "qc", propose);
        by(&house, "b", SignedAct::RunReinstated { run, proposed, lapses: true });
        house.works();
        assert_eq!(
            (house.serology("D1"), house.serology("D3")),
            ("FINAL_NR".to_owned(), "FINAL_NR".to_owned())
        );
    }
    // A clock that is read otherwise moves controls and results alike: the rows are the same.
    let house = House::new("cn-2019");
    let opening = house.says(&levels("01T08:00", true));
    let result = house.says(&clia("D1", "01T09:00", "0.20"));
    house.works();
    let (window, _) = house.stands("D1");
    let spans = workflow::runs::spans_of(&house.settings, &house.ledger.state(), &window).unwrap();
    by(&house, "qc", invalid_in(&window, RunCause::Other, spans));
    let (mut controls, mut moved) = (levels("01T08:00", true), clia("D1", "01T09:00", "0.20"));
    controls.iter_mut().chain(&mut moved).for_each(|o| later(o, "T16:00"));
    moved[0].run = Some(RunId::new("line/CLIA/01B").unwrap());
    house.means(opening, &controls);
    house.means(result, &moved);
    house.works();
    assert_eq!(house.serology("D1"), "INVALID");
}

/// One that nothing had closed yet ends with the first control that runs after it was declared invalid.
#[test]
fn an_open_window_that_was_declared_invalid_ends_with_the_next_control() {
    let house = House::new("cn-2019");
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.works();
    let (window, _) = house.stands("D1");
    let spans = workflow::runs::spans_of(&house.settings, &house.ledger.state(), &window).unwrap();
    by(&house, "qc", invalid_in(&window, RunCause::Other, spans));
    // The acts of this house are of today, and its analyser's clock stands in March 2026: far in the future of the act is the
    // year 2099.
    let far = |mut all: Vec<Observation>| {
        for o in &mut all {
            o.completed_at = o.completed_at.as_deref().map(|at| at.replace("2026", "2099"));
            o.run = Some(RunId::new("line/CLIA/01").unwrap());
        }
        all
    };
    house.says(&far(levels("01T08:00", true)));
    house.says(&far(clia("D2", "01T09:00", "0.20")));
    house.works();
    assert_eq!((house.serology("D1"), house.serology("D2")), ("INVALID".to_owned(), "FINAL_NR".to_owned()));
}

pub(crate) fn by(house: &House, who: &str, act: SignedAct) -> ledger::Seq {
    let draft = Draft { by: format!("user:{who}").into(), what: What::Signed(act) };
    let seq = house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(seq).wait().unwrap();
    seq
}

pub(crate) fn invalid(run: &RunId, cause: RunCause) -> SignedAct {
    invalid_in(run, cause, vec![])
}

pub(crate) fn repeated_in(run: &RunId, cause: RunCause, repeated_in: Option<RunId>) -> SignedAct {
    let reason = "the washer leaked".into();
    SignedAct::RunInvalidated { run: run.clone(), reason, cause, repeated_in, spans: vec![] }
}

pub(crate) fn invalid_in(run: &RunId, cause: RunCause, spans: Vec<ledger::WindowSpan>) -> SignedAct {
    let reason = "the washer leaked".into();
    SignedAct::RunInvalidated { run: run.clone(), reason, cause, repeated_in: None, spans }
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
    let tasks = || {
        let open = workflow::tasks::open(&house.settings, &house.ledger.state(), jiff::Timestamp::UNIX_EPOCH);
        open.unwrap().items.into_iter().map(|task| (task.kind, task.run)).collect::<Vec<_>>()
    };
    // Nobody has said where its samples are tested again.
    let repeat = (workflow::tasks::TaskKind::RunRepeat, Some(run.clone()));
    assert_eq!(tasks(), [(workflow::tasks::TaskKind::RunInvalid, Some(run.clone())), repeat.clone()]);
    by(&house, "b", confirm(first));
    assert_eq!(tasks(), [repeat], "nobody is asked twice");
    assert_eq!(said(&house).unwrap().confirmed.unwrap().by, "b");
    let propose = |invalidated| SignedAct::RunReinstatementProposed {
        run: run.clone(),
        invalidated,
        reason: "it was another washer".into(),
    };
    let proposed = by(&house, "b", propose(first));
    by(&house, "b", SignedAct::RunReinstated { run: run.clone(), proposed, lapses: true });
    house.works();
    assert!(said(&house).is_some() && misfits() == before + 2);
    assert_eq!(house.serology("D1"), "INVALID");
    by(&house, "c", SignedAct::RunReinstated { run: run.clone(), proposed, lapses: true });
    house.works();
    assert!(said(&house).is_none());
    assert_eq!(house.serology("D1"), "FINAL_NR");
}

#[derive(Default)]
pub(crate) struct Hands(pub(crate) AtomicI64);

impl ledger::Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Whoever agrees agrees to what the other one saw: not after three days, and not when a control has come meanwhile.
#[test]
fn a_proposal_lapses_with_time_and_with_what_it_saw() {
    let clock = Arc::new(Hands::default());
    let house = House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    let run = RunId::new("line/CLIA/01").unwrap();
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    let invalidated = by(&house, "a", invalid(&run, RunCause::Equipment));
    let stands = || house.ledger.state().run_invalidated(&run).unwrap().is_some();
    let proposed = || {
        let reason = "it was another washer".to_owned();
        by(&house, "b", SignedAct::RunReinstatementProposed { run: run.clone(), invalidated, reason })
    };
    let anew = || {
        let reason = "the leaflet has changed".to_owned();
        by(&house, "b", SignedAct::RunJudgingProposed { run: run.clone(), reason })
    };
    let agreed = |proposed, anew, lapses| {
        by(&house, "c", SignedAct::RunReinstated { run: run.clone(), proposed, lapses });
        by(&house, "c", SignedAct::RunJudgedAnew { run: run.clone(), proposed: anew, lapses });
        let judged = house.ledger.state().run_judged(&run).unwrap().from.is_some();
        (!stands(), judged)
    };
    let (back, other) = (proposed(), anew());
    house.says(&levels("01T10:00", true));
    assert_eq!(agreed(back, other, true), (false, false), "a control has come since");
    let (back, other) = (proposed(), anew());
    clock.0.fetch_add(ledger::RUN_PROPOSAL_STANDS_MS + 1, Ordering::SeqCst);
    assert_eq!(agreed(back, other, true), (false, false), "three days have gone by");
    let (back, other) = (proposed(), anew());
    clock.0.fetch_add(ledger::RUN_PROPOSAL_STANDS_MS, Ordering::SeqCst);
    assert_eq!(agreed(back, other, true), (true, true));
}

/// What was agreed on before proposals lapsed does not say so, and stays agreed when the state is made again.
#[test]
fn an_agreement_from_before_proposals_lapsed_stays() {
    let clock = Arc::new(Hands::default());
    let house = House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    let run = RunId::new("line/CLIA/01").unwrap();
    house.says(&levels("01T08:00", true));
    let invalidated = by(&house, "a", invalid(&run, RunCause::Equipment));
    let reason = || "it was another washer".to_owned();
    let back = SignedAct::RunReinstatementProposed { run: run.clone(), invalidated, reason: reason() };
    let back = by(&house, "b", back);
    let anew = by(&house, "b", SignedAct::RunJudgingProposed { run: run.clone(), reason: reason() });
    house.says(&levels("01T10:00", true));
    clock.0.fetch_add(ledger::RUN_PROPOSAL_STANDS_MS + 1, Ordering::SeqCst);
    let of_then = |name: &str, proposed: ledger::Seq| {
        let written = serde_json::json!({ name: { "run": run, "proposed": proposed } });
        serde_json::from_value::<SignedAct>(written).unwrap()
    };
    by(&house, "c", of_then("run_reinstated", back));
    by(&house, "c", of_then("run_judged_anew", anew));
    let state = house.ledger.state();
    assert!(state.run_invalidated(&run).unwrap().is_none());
    assert!(state.run_judged(&run).unwrap().from.is_some());
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

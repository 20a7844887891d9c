//! What people write down of analysers and operators, when it takes effect, and what it opens again.

use crate::cells::{grouped, known_cells};
use crate::house::{House, line};
use crate::plates::{GOOD_PLATE, PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use jiff::{Timestamp, civil::date};
use ledger::{Draft, FitnessAct, Page, RulesAct, Seq, Service, What};
use release::evidence::Validity;
use release::{GateId, RulePack};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use vocabulary::{DonationId, DonationRegistration, DonorRegistration, Observation, SpecimenKind};

/// A clock that is set by hand.
struct Hands(AtomicI64);

impl ledger::Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

fn ms(day: &str) -> i64 {
    format!("2026-03-{day}:00Z").parse::<Timestamp>().unwrap().as_millisecond()
}

/// A laboratory whose clock is set by hand.
struct Laboratory {
    house: House,
    clock: Arc<Hands>,
}

impl Laboratory {
    fn at(day: &str) -> Self {
        let clock = Arc::new(Hands(AtomicI64::new(ms(day))));
        Self { house: House::with_clock("cn-2019", Arc::clone(&clock) as Arc<dyn ledger::Clock>), clock }
    }

    /// It is so late, and a plate is read that was tested then by an operator: a run of its own.
    fn tests(&self, donation: &str, operator: Option<&str>, day: &str) {
        self.reads(donation, day, |o| {
            o.completed_at = Some(format!("2026-03-{day}:00Z"));
            o.operator = operator.map(str::to_owned);
        });
    }

    /// It is so late, and a plate is read, of which each well says so.
    fn reads(&self, donation: &str, day: &str, each: impl Fn(&mut Observation)) {
        self.clock.0.store(ms(day), Ordering::SeqCst);
        let run = format!("line/{donation}");
        let mut plate = plate_controls(&run, GOOD_PLATE);
        plate.push(plate_sample(&run, donation, "0.020", "0.105"));
        plate.iter_mut().for_each(each);
        self.house.says(&plate);
        self.house.works();
    }

    fn note(&self, by: &str, act: FitnessAct) -> Seq {
        let draft = Draft { by: format!("user:{by}").into(), what: What::Fitness(act) };
        let seq = self.house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
        self.house.ledger.wait_applied(seq).wait().unwrap();
        seq
    }

    /// Donations that were opened again; they are decided.
    fn reopened(&self) -> Vec<String> {
        let items = self.house.ledger.state().to_decide(&Page::first(100)).unwrap().items;
        let mut donations: Vec<String> = items.iter().map(|item| item.donation.to_string()).collect();
        donations.sort();
        self.house.works();
        donations
    }

    /// Donations that a gate is closed for.
    fn closed(&self, gate: GateId) -> Vec<&'static str> {
        let is_closed = |donation: &&str| !self.why(donation, gate).0;
        ["D1", "D2", "D3"].into_iter().filter(is_closed).collect()
    }

    fn why(&self, donation: &str, gate: GateId) -> (bool, String) {
        let (verdict, _) = self.house.judged(donation);
        let gate = verdict.gates().iter().find(|one| one.id == gate).unwrap();
        (gate.pass, format!("{} {}", gate.why, gate.why_zh))
    }

    fn misfits(&self) -> u64 {
        self.house.ledger.state().counters().unwrap().misfits
    }
}

fn good(from: Option<&str>, due: i8) -> FitnessAct {
    FitnessAct::Serviced {
        connection: line(),
        instrument: None,
        service: Service::Maintenance,
        from_ms: from.map(ms),
        due: date(2026, 3, due),
        report: "M-17".into(),
    }
}

fn unfit(from: &str) -> FitnessAct {
    let (connection, from_ms, reason) = (line(), ms(from), "the washer leaks".into());
    FitnessAct::Unfit {
        connection,
        instrument: Some("A1".into()),
        service: Service::Maintenance,
        from_ms,
        reason,
    }
}

fn may(from: Option<&str>, assay: &str) -> FitnessAct {
    let (operator, assays, reason) = ("lab".into(), vec![assay.into()], "T-3".into());
    FitnessAct::Authorised { operator, assays, from_ms: from.map(ms), until: None, reason }
}

fn ends(from: &str) -> FitnessAct {
    let (operator, reason) = ("lab".into(), "left".into());
    FitnessAct::Withdrawn { operator, assays: vec![], from_ms: ms(from), reason }
}

const ANALYSER: GateId = GateId::Analyser;

#[test]
fn a_service_from_now_on_is_one_persons_word_and_opens_nothing_again() {
    let of = Laboratory::at("01T08:00");
    of.tests("D1", None, "01T09:00");
    assert_eq!(of.closed(ANALYSER), [] as [&str; 0], "nothing is written down");
    of.note("a", good(None, 3));
    assert_eq!((of.reopened().len(), of.closed(ANALYSER).len()), (0, 0));
    of.tests("D2", None, "03T23:00");
    of.tests("D3", None, "04T01:00");
    assert_eq!(of.closed(ANALYSER), ["D3"]);
    let (_, why) = of.why("D3", ANALYSER);
    assert!(
        why.contains("line A1: maintenance was good until 2026-03-03") && why.contains("维护有效至"),
        "{why}"
    );
    // It is serviced: what was tested before that stays as it is, even under a clock that ran ahead.
    of.clock.0.store(ms("04T02:00"), Ordering::SeqCst);
    of.note("a", good(None, 30));
    assert_eq!((of.reopened().len(), of.closed(ANALYSER)), (0, vec!["D3"]));
    let of = Laboratory::at("01T08:00");
    of.note("a", unfit("01T08:00"));
    of.tests("D1", None, "05T09:00");
    of.clock.0.store(ms("02T09:00"), Ordering::SeqCst);
    of.note("a", good(None, 30));
    assert_eq!(of.closed(ANALYSER), ["D1"], "its message was there before");
}

#[test]
fn what_makes_it_worse_falls_at_once_and_opens_again_what_was_tested_since_and_no_more() {
    let of = Laboratory::at("01T08:00");
    of.note("a", good(None, 30));
    of.tests("D1", None, "02T09:00");
    of.tests("D2", None, "10T09:00");
    of.tests("D3", None, "20T09:00");
    of.note("b", unfit("10T08:00"));
    assert_eq!((of.reopened(), of.closed(ANALYSER)), (vec!["D2".into(), "D3".into()], vec!["D2", "D3"]));
    let (_, why) = of.why("D2", ANALYSER);
    assert!(why.contains("declared overdue or failed by b") && why.contains("the washer leaks"), "{why}");
    // The same again changes nothing that is told: it opens what it is told of again, and nothing before it.
    of.note("b", unfit("20T08:00"));
    assert_eq!(of.reopened(), ["D3"]);
    // Another analyser on the line stays as it is.
    let FitnessAct::Unfit { connection, service, from_ms, reason, .. } = unfit("01T08:00") else {
        unreachable!()
    };
    let instrument = Some("A2".into());
    let misses = of.closed(ANALYSER);
    of.note("b", FitnessAct::Unfit { connection, instrument, service, from_ms, reason });
    assert_eq!(of.closed(ANALYSER), misses);
}

#[test]
fn what_a_later_entry_speaks_for_is_not_opened_again_by_an_earlier_time() {
    let of = Laboratory::at("01T08:00");
    of.note("a", good(None, 30));
    of.tests("D1", None, "02T09:00");
    of.note("b", unfit("10T08:00"));
    of.tests("D2", None, "15T09:00");
    of.note("a", good(None, 30));
    of.tests("D3", None, "20T09:00");
    assert_eq!(of.closed(ANALYSER), ["D2"]);
    of.note("b", unfit("05T08:00"));
    assert_eq!(
        (of.reopened().len(), of.closed(ANALYSER)),
        (0, vec!["D2"]),
        "nothing was tested from 5 to 10"
    );
}

#[test]
fn what_was_tested_under_a_clock_that_ran_ahead_is_opened_again_where_a_later_word_does_not_speak_of_it() {
    let of = Laboratory::at("01T08:00");
    of.note("a", good(None, 30));
    // Its analyser's clock runs six days ahead.
    of.reads("D1", "02T09:00", |o| o.completed_at = Some("2026-03-08T09:00:00Z".into()));
    of.clock.0.store(ms("03T08:00"), Ordering::SeqCst);
    of.note("a", good(None, 30));
    of.tests("D2", None, "08T09:00");
    of.note("b", unfit("02T08:00"));
    assert_eq!((of.reopened(), of.closed(ANALYSER)), (vec!["D1".to_owned()], vec!["D1"]));
}

#[test]
fn what_names_no_analyser_is_opened_again_where_the_later_word_is_of_a_named_one() {
    let of = Laboratory::at("01T08:00");
    of.tests("D2", None, "08T09:00");
    of.reads("D1", "09T09:00", |o| {
        o.completed_at = Some("2026-03-09T09:00:00Z".into());
        o.instrument = None;
    });
    of.clock.0.store(ms("10T08:00"), Ordering::SeqCst);
    let FitnessAct::Serviced { connection, service, due, report, .. } = good(None, 30) else {
        unreachable!("a service")
    };
    let (instrument, from_ms) = (Some("A1".into()), Some(ms("02T08:00")));
    let note = of.note("a", FitnessAct::Serviced { connection, instrument, service, from_ms, due, report });
    of.note("b", FitnessAct::Confirmed { note });
    of.reopened();
    of.note("b", unfit("01T08:00"));
    assert_eq!((of.reopened(), of.closed(ANALYSER)), (vec!["D1".to_owned()], vec!["D1"]));
}

#[test]
fn a_result_without_a_time_of_test_hears_whatever_stood_at_any_time_until_it_came() {
    let sample_untimed = |o: &mut Observation| {
        let timed = o.kind != SpecimenKind::Patient;
        o.completed_at = timed.then(|| "2026-03-05T09:00:00Z".to_owned());
        o.operator = Some("lab".into());
    };
    let of = Laboratory::at("01T08:00");
    of.note("a", good(None, 30));
    of.note("a", may(None, PLATE.0));
    of.reads("D1", "05T09:00", sample_untimed);
    assert!(of.closed(ANALYSER).is_empty() && of.closed(GateId::Operator).is_empty());
    // It was not fit for an hour, and is again; the operator might not run it for one, and may again.
    of.clock.0.store(ms("06T08:00"), Ordering::SeqCst);
    of.note("b", unfit("02T08:00"));
    let note = of.note("b", good(Some("02T09:00"), 30));
    of.note("a", FitnessAct::Confirmed { note });
    of.note("b", ends("03T08:00"));
    let note = of.note("b", may(Some("03T09:00"), PLATE.0));
    of.note("a", FitnessAct::Confirmed { note });
    assert_eq!(of.reopened(), ["D1"]);
    of.tests("D2", Some("lab"), "06T09:00");
    assert_eq!((of.closed(ANALYSER), of.closed(GateId::Operator)), (vec!["D1"], vec!["D1"]));
    let (_, why) = of.why("D1", ANALYSER);
    assert!(
        why.contains("the washer leaks") && why.contains("no time of test") && why.contains("无检测时间"),
        "{why}"
    );
    assert!(of.why("D1", GateId::Operator).1.contains("no time of test"));
    // Between two services none was good.
    let of = Laboratory::at("01T08:00");
    of.note("a", good(None, 2));
    of.clock.0.store(ms("04T08:00"), Ordering::SeqCst);
    of.note("a", good(None, 30));
    of.reads("D1", "05T09:00", sample_untimed);
    of.reads("D2", "05T09:00", |o| o.completed_at = Some("2026-03-05T09:00:00Z".into()));
    assert_eq!(of.closed(ANALYSER), ["D1"]);
}

#[test]
fn what_reaches_back_waits_for_another_person_and_then_opens_what_it_changes() {
    let of = Laboratory::at("01T08:00");
    of.note("a", unfit("01T08:00"));
    of.tests("D1", None, "02T09:00");
    of.tests("D2", None, "10T09:00");
    of.tests("D3", None, "20T09:00");
    let note = of.note("a", good(Some("09T08:00"), 15));
    assert_eq!((of.reopened().len(), of.closed(ANALYSER)), (0, vec!["D1", "D2", "D3"]));
    of.note("a", FitnessAct::Confirmed { note });
    assert_eq!((of.misfits(), of.closed(ANALYSER).len()), (1, 3), "the same person");
    of.note("c", FitnessAct::Confirmed { note });
    assert_eq!((of.misfits(), of.closed(ANALYSER)), (1, vec!["D1", "D3"]));
    // The last day ends it: from then on another entry is named.
    assert_eq!(of.reopened(), ["D2", "D3"]);
    of.note("c", FitnessAct::Confirmed { note });
    assert_eq!(of.misfits(), 2, "once");
    let late = of.note("a", good(Some("01T08:00"), 30));
    of.clock.0.fetch_add(ledger::RUN_PROPOSAL_STANDS_MS + 1, Ordering::SeqCst);
    of.note("c", FitnessAct::Confirmed { note: late });
    assert_eq!((of.misfits(), of.closed(ANALYSER).len()), (3, 2), "it lapsed");
}

#[test]
fn two_people_take_an_entry_back_and_it_is_as_if_it_had_not_been_written() {
    let of = Laboratory::at("01T08:00");
    of.tests("D1", None, "02T09:00");
    of.tests("D2", None, "10T09:00");
    let note = of.note("a", unfit("09T08:00"));
    assert_eq!((of.reopened(), of.closed(ANALYSER)), (vec!["D2".into()], vec!["D2"]));
    let reason = "the other line".to_owned();
    let proposed = of.note("a", FitnessAct::TakeBackProposed { note, reason });
    of.note("a", FitnessAct::TakenBack { note, proposed });
    assert_eq!((of.misfits(), of.closed(ANALYSER), of.reopened().len()), (1, vec!["D2"], 0));
    of.note("b", FitnessAct::TakenBack { note, proposed });
    assert_eq!((of.misfits(), of.closed(ANALYSER), of.reopened()), (1, vec![], vec!["D2".to_owned()]));
    of.note("b", FitnessAct::TakenBack { note, proposed });
    assert_eq!(of.misfits(), 2, "once");
}

#[test]
fn an_operator_runs_what_is_authorised_from_then_on_and_until_that_ends() {
    let gate = GateId::Operator;
    let of = Laboratory::at("01T08:00");
    of.tests("D1", Some("lab"), "01T09:00");
    of.note("a", may(None, PLATE.0));
    assert_eq!((of.reopened().len(), of.closed(gate).len()), (0, 0));
    of.tests("D2", Some("lab"), "02T09:00");
    of.tests("D3", Some("other"), "03T09:00");
    assert!(of.closed(gate).is_empty(), "of another operator nothing is written down");
    of.note("b", ends("02T08:00"));
    assert_eq!((of.reopened(), of.closed(gate)), (vec!["D1".into(), "D2".into()], vec!["D2"]));
    assert!(of.why("D2", gate).1.contains("lab was not authorised"), "{:?}", of.why("D2", gate));
    // For another assay it is none.
    let of = Laboratory::at("01T08:00");
    of.note("a", may(None, "another"));
    of.tests("D1", Some("lab"), "01T09:00");
    assert_eq!(of.closed(gate), ["D1"]);
    let note = of.note("a", may(Some("01T08:30"), PLATE.0));
    assert_eq!(of.closed(gate), ["D1"], "it reaches back");
    of.note("b", FitnessAct::Confirmed { note });
    assert_eq!((of.closed(gate), of.reopened()), (vec![], vec!["D1".to_owned()]));
}

fn asks(fitness: &str) -> RulePack {
    RulePack::from_toml(&format!("id = \"site\"\nbased_on = \"cn-2019\"\n[fitness]\n{fitness}\n")).unwrap()
}

#[test]
fn a_pack_may_warn_only_and_may_ask_for_records() {
    let mut of = Laboratory::at("01T08:00");
    of.note("a", unfit("01T08:00"));
    of.tests("D1", None, "02T09:00");
    of.house.settings.pack = asks("analysers = \"warn\"");
    let (open, why) = of.why("D1", ANALYSER);
    assert!(
        open && why.contains("warned only") && why.contains("the washer leaks") && why.contains("仅警告"),
        "{why}"
    );
    let mut of = Laboratory::at("01T08:00");
    of.tests("D1", None, "02T09:00");
    of.tests("D2", Some("lab"), "02T09:00");
    assert!(of.closed(ANALYSER).is_empty() && of.closed(GateId::Operator).is_empty());
    of.house.settings.pack = asks("analyser_records = true\noperator_records = true");
    assert_eq!((of.closed(ANALYSER), of.closed(GateId::Operator)), (vec!["D1", "D2"], vec!["D1", "D2"]));
    of.note("a", good(None, 30));
    of.note("a", may(None, PLATE.0));
    of.tests("D3", Some("lab"), "03T09:00");
    assert_eq!((of.closed(ANALYSER), of.closed(GateId::Operator)), (vec!["D1", "D2"], vec!["D1", "D2"]));
}

#[test]
fn what_is_asked_of_analysers_changes_by_two_people_for_what_is_taken_from_then_on() {
    let of = Laboratory::at("01T08:00");
    let (ledger, settings) = (&of.house.ledger, &of.house.settings);
    let rules = |by: &str, act: RulesAct| {
        let draft = Draft { by: format!("user:{by}").into(), what: What::Rules(act) };
        let seq = ledger.append(vec![draft]).unwrap().wait().unwrap().last();
        ledger.wait_applied(seq).wait().unwrap();
        seq
    };
    workflow::rules::start(ledger, &settings.pack).unwrap();
    of.note("a", unfit("01T08:00"));
    for (donation, taken) in [("D1", "01T07:00"), ("D2", "03T07:00")] {
        of.house.append(What::DonationRegistered(taken_at(donation, taken)));
        of.tests(donation, None, "03T09:00");
    }
    // By the pack that judges each.
    let closed = || {
        let is_open = |donation: &str| {
            let (_, facts) = of.house.judged(donation);
            let by = workflow::rules::settings_for(settings, &ledger.state(), &facts).unwrap();
            let by = by.as_deref().unwrap_or(settings);
            let verdict = release::decide(&workflow::evidence(&facts, by), &by.pack);
            verdict.gates().iter().find(|one| one.id == ANALYSER).unwrap().pass
        };
        ["D1", "D2"].into_iter().filter(|donation| !is_open(donation)).collect::<Vec<_>>()
    };
    assert_eq!((of.reopened().len(), closed()), (0, vec!["D1", "D2"]));
    let warns = asks("analysers = \"warn\"");
    let (pack, from_ms) = (warns.reference(), Some(ms("02T00:00")));
    of.clock.0.store(ms("01T20:00"), Ordering::SeqCst);
    rules("a", RulesAct::Kept { pack: pack.clone(), content: warns.source().clone() });
    let proposed = rules("a", RulesAct::Proposed { pack: pack.clone(), from_ms, why: "x".into() });
    rules("a", RulesAct::Activated { pack: pack.clone(), proposed });
    assert_eq!((of.reopened().len(), closed()), (0, vec!["D1", "D2"]), "the same person");
    let proposed = rules("a", RulesAct::Proposed { pack: pack.clone(), from_ms, why: "x".into() });
    rules("b", RulesAct::Activated { pack, proposed });
    assert_eq!((of.reopened(), closed()), (vec!["D2".to_owned()], vec!["D1"]), "what was taken before stays");
}

fn taken_at(donation: &str, at: &str) -> DonationRegistration {
    let (first_time, deferred) = (false, false);
    let donor = DonorRegistration {
        id: "D".into(),
        first_time,
        deferred,
        barred: None,
        sensitised: None,
        history: None,
        field_abo: None,
    };
    let collected_at = Timestamp::from_millisecond(ms(at)).unwrap();
    DonationRegistration {
        donation: DonationId::new(donation).unwrap(),
        collected_at,
        centrifuged_at: None,
        session: None,
        donor,
    }
}

#[test]
fn controls_have_to_run_again_after_a_service_for_what_comes_after_its_entry() {
    let of = Laboratory::at("01T08:30");
    let house = &of.house;
    let states = || ["D1", "D2", "D3"].map(|donation| house.stands(donation).1.validity);
    house.says(&levels("01T08:00", true));
    house.says(&known_cells("01T08:00", "4+"));
    house.says(&clia("D3", "01T08:10", "0.20"));
    let FitnessAct::Serviced { connection, service, from_ms, due, report, .. } = good(None, 31) else {
        unreachable!("a service")
    };
    let instrument = Some("A2".into());
    of.note("b", FitnessAct::Serviced { connection, instrument, service, from_ms, due, report });
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.says(&grouped("D2", "01T09:00"));
    assert_eq!(states(), [Validity::Valid; 3], "it was another analyser");

    // It waits for another person to make anything better, and asks for controls all the same, since its own time.
    of.note("b", good(Some("01T08:20"), 31));
    assert_eq!(of.reopened(), ["D1", "D2", "D3"], "they had not been decided");
    assert_eq!(states(), [Validity::Valid; 3], "they were there before");
    house.says(&clia("D1", "01T09:05", "0.20"));
    house.says(&grouped("D2", "01T09:05"));
    assert_eq!(states(), [Validity::Open, Validity::Open, Validity::Valid], "no control has run since");
    house.says(&levels("01T08:45", true));
    house.says(&known_cells("01T08:45", "4+"));
    assert_eq!(states(), [Validity::Valid; 3]);
}

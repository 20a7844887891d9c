//! Tasks for donors, look-backs, and components with their expiry: whatever is written in whatever order, the state is what the journal
//! makes it, and what is listed as open is what is open.

use crate::opening::{donation, on_model, open, registered, write};
use fastrand::Rng;
use ledger::storage::Model;
use ledger::{
    ComponentAct, ComponentMove, DonorAct, DonorTask, Draft, Expiry, LookbackId, LookbackStep, Page, Seq,
    TaskOutcome, VerdictMade, What, rebuild,
};
use release::evidence::{Call, Confirmatory, Register, RegisterState};
use vocabulary::{DonationId, DonorId};

const NEGATIVE: &str = include_str!("../../../release/tests/cases/base.json");
const DONATIONS: u64 = 4;

/// A verdict on a donation in which every reagent of these markers is reactive.
fn verdict(of: u64, reactive: &[&str]) -> What {
    let mut case: serde_json::Value = serde_json::from_str(NEGATIVE).unwrap();
    case["donation"] = donation(of).as_str().into();
    for series in case["serology"].as_array_mut().unwrap() {
        if reactive.contains(&series["marker"].as_str().unwrap()) {
            let well = |kind: &str| serde_json::json!({ "kind": kind, "sco": "5.0", "run": "E1" });
            series["results"] = serde_json::json!([well("initial"), well("duplicate"), well("duplicate")]);
        }
    }
    made(&case)
}

fn made(case: &serde_json::Value) -> What {
    let evidence = release::read_case(&case.to_string()).unwrap();
    let pack = release::RulePack::built_in("cn-2019").unwrap();
    let made = release::explain(&evidence, &pack);
    What::VerdictMade(VerdictMade::new(&made, Seq::NONE, vec![]).unwrap())
}

/// A verdict on a donation in which HIV is found or not, whose donor gave another before.
fn looks_back(of: u64, is_found: bool) -> What {
    let mut case: serde_json::Value = serde_json::from_str(NEGATIVE).unwrap();
    case["donation"] = donation(of).as_str().into();
    case["donor"]["earlier"] = serde_json::json!([{ "donation": donation((of + 1) % DONATIONS).as_str(),
        "results": [{ "marker": "HIV", "result": "non_reactive" }] }]);
    if is_found {
        case["nat"][0]["result"] = "reactive".into();
        case["nat"][0]["targets"] = serde_json::json!(["HIV"]);
    }
    made(&case)
}

fn step_of_lookback(rng: &mut Rng, of: u64) -> DonorAct {
    use LookbackStep::{Cleared, Closed, Quarantined};
    let earlier = donation((of + 1) % DONATIONS);
    let lookback = LookbackId { trigger: donation(of), marker: "HIV".into(), earlier };
    let step = [Quarantined, Closed, Closed, Cleared][rng.usize(..4)];
    DonorAct::LookbackDone { lookback, step, outcome: "x".into() }
}

fn donor_of(rng: &mut Rng) -> DonorId {
    format!("D{}", donation(rng.u64(..2))).into()
}

/// A day before, of or after every donation, or none.
fn day(rng: &mut Rng) -> Option<jiff::civil::Date> {
    ["2020-01-01", "2999-01-01"].get(rng.usize(..4)).map(|day| day.parse().unwrap())
}

fn registration(rng: &mut Rng, of: u64) -> What {
    let What::DonationRegistered(mut registration) = registered(of).what else {
        unreachable!("it is a registration")
    };
    registration.donor.id = donor_of(rng);
    What::DonationRegistered(registration)
}

fn act_on_donor(rng: &mut Rng, of: u64) -> DonorAct {
    let named: Option<DonationId> = rng.bool().then(|| donation(of));
    let state = [RegisterState::PermDeferred, RegisterState::TempDeferred, RegisterState::Eligible];
    match rng.u8(..4) {
        0 => DonorAct::Registered {
            donor: donor_of(rng),
            register: Register { state: state[rng.usize(..3)], reason: None, until: None, since: day(rng) },
            on: vec![],
            donation: named,
        },
        1 => DonorAct::ReentryBegun {
            donor: donor_of(rng),
            marker: "HCV".into(),
            deferred_on: "2026-03-01".parse().unwrap(),
            nat_then: Call::NonReactive,
            reason: "x".into(),
        },
        2 => {
            let outcome = ["CONF_POS", "CONF_NEG", "CONF_IND", "NOT_DONE"][rng.usize(..4)];
            let marker = ["HIV", "HCV"][rng.usize(..2)];
            let test = serde_json::json!({ "marker": marker, "outcome": outcome });
            let test: Confirmatory = serde_json::from_value(test).unwrap();
            DonorAct::Confirmed { donation: donation(of), test, report: "17".into() }
        }
        _ => DonorAct::TaskClosed {
            donation: donation(of),
            task: [DonorTask::Deferral, DonorTask::Confirmation, DonorTask::Report][rng.usize(..3)],
            marker: rng.bool().then(|| "HIV".into()),
            outcome: TaskOutcome::NotDone,
            reason: "elsewhere".into(),
        },
    }
}

fn act_on_component(rng: &mut Rng, of: u64) -> ComponentAct {
    if rng.bool() {
        let to = ComponentMove::Issued {
            consignee: "City".into(),
            at_ms: Some(rng.i64(..9)),
            against_rules: rng.bool(),
        };
        return ComponentAct::Moved { donation: donation(of), component: "P1".into(), to };
    }
    let until_ms = rng.i64(..9);
    let expires = rng.bool().then(|| Expiry { label: until_ms.to_string(), until_ms });
    ComponentAct::Made { donation: donation(of), components: vec!["P1".into()], expires, later: rng.bool() }
}

fn draft(rng: &mut Rng) -> Draft {
    let of = rng.u64(..DONATIONS);
    let what = match rng.u8(..11) {
        0 => registration(rng, of),
        1 => verdict(of, &[]),
        2 => verdict(of, &["HIV"]),
        3 => verdict(of, &["anti-HCV", "syphilis"]),
        8 => looks_back(of, rng.bool()),
        9 | 10 => What::Donor(step_of_lookback(rng, of)),
        4 => What::Component(act_on_component(rng, of)),
        _ => What::Donor(act_on_donor(rng, of)),
    };
    Draft { by: "user:li".into(), what }
}

#[test]
fn tasks_for_donors_are_made_again_as_they_were_and_those_that_are_open_are_listed() {
    let (mut seen_open, mut seen_again) = (0, 0);
    for seed in 0..12 {
        let (dir, disk) = (tempfile::tempdir().unwrap(), Model::new());
        let settings = on_model(dir.path(), &disk);
        let (ledger, _) = open(&settings);
        let mut rng = Rng::with_seed(seed);
        for _ in 0..80 {
            write(&ledger, vec![draft(&mut rng)]);
            let state = ledger.state();
            let open = state.lookbacks(true, &Page::first(99)).unwrap().items;
            let counted = state.counters().unwrap().lookbacks_open;
            assert_eq!(u64::try_from(open.len()).unwrap(), counted, "seed {seed}");
            seen_again += open.iter().filter(|one| !one.before.is_empty()).count();
            for task in DonorTask::EVERY {
                let listed = state.donor_tasks(task, &Page::first(99)).unwrap().items;
                let known = (0..DONATIONS).filter_map(|n| state.donor_tasks_of(&donation(n)).unwrap());
                let are_open: Vec<_> = known.filter(|all| all.open().any(|one| one.task == task)).collect();
                assert_eq!(listed, are_open, "seed {seed}, {task:?}");
                seen_open += listed.len();
            }
        }
        let live = ledger.state().digest().unwrap();
        ledger.close();
        assert_eq!(rebuild(&settings, &mut |_| {}).unwrap().digest, live, "seed {seed}");
    }
    assert!(seen_open > 100 && seen_again > 20, "{seen_open} {seen_again}");
}

/// A verdict that an older version wrote says nothing of the donor; it is read, and asks for nothing.
#[test]
fn a_verdict_of_before_there_were_tasks_for_donors_is_read_and_asks_for_nothing() {
    let What::VerdictMade(made) = verdict(1, &["HIV"]) else { unreachable!("it is a verdict") };
    let mut told = serde_json::to_value(&made).unwrap();
    assert_eq!(told["donor"][0]["deferral"], "until_settled");
    told.as_object_mut().unwrap().remove("donor");
    let read: VerdictMade = serde_json::from_value(told).unwrap();
    assert!(read.donor_asks().is_empty() && !made.donor_asks().is_empty());
}

//! Issues that are told later: a component may have gone when its donation was released, and not before.

use super::tests::{id, is_done, recalls, tells, verdict, word, works};
use super::*;
use crate::batches::tests::Station;
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use vocabulary::Role;

/// A clock of the ledger that stands where it is put, once it is.
#[derive(Default)]
struct Stands(AtomicI64);

impl ledger::Clock for Stands {
    fn now_ms(&self) -> i64 {
        match self.0.load(Ordering::SeqCst) {
            0 => ledger::SystemClock.now_ms(),
            put => put,
        }
    }
}

fn at(hour: u8) -> Timestamp {
    format!("2026-03-05T{hour:02}:00:00Z").parse().unwrap()
}

#[test]
fn an_issue_from_when_the_donation_was_not_released_is_refused_or_called_back() {
    let clock = Arc::new(Stands::default());
    let station = Station::with_clock(Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    let tech = station.person("tech", Role::Technician);
    let by = Teller::Person(&tech);
    let is_at = |hour: u8| clock.0.store(at(hour).as_millisecond(), Ordering::SeqCst);
    works(&station);
    let held = |case: &mut serde_json::Value| case["donor"]["post_donation"] = "fever".into();
    is_at(8);
    register(&station.settings, &station.ledger, by, ("G1", &["P1".into()]), None).unwrap();
    for (hour, is_released) in [(10, true), (12, false), (14, true)] {
        is_at(hour);
        verdict(&station, "G1", |case| {
            if !is_released {
                held(case);
            }
        });
    }
    is_at(16);
    for recall in recalls(&station) {
        let recall = recall.recall;
        station.write(What::Signed(ledger::SignedAct::RecallClosed {
            recall,
            outcome: "found".into(),
            told: None,
            kept: vec![],
        }));
    }
    let issued = |hour: u8| Moved { at: Some(at(hour)), ..word("P1", ComponentPlace::Issued) };
    for (hour, released) in [(9, Some(at(10))), (12, Some(at(14))), (13, Some(at(14)))] {
        let refused = tells(&station, by, &issued(hour));
        let released = released.map(|at| Moment::new(at, station.settings.time_zone.to_offset(at)));
        assert_eq!(refused, Err(Refused::BeforeRelease { released }), "{hour}:00");
        let told = refused.unwrap_err();
        let when = released.unwrap().to_string();
        assert!(told.english().contains(&when) && told.chinese().contains(&when), "{told}");
    }
    // Nothing is known here of what the verdicts were made from: at this moment it would not go.
    for hour in [10, 11, 14, 15] {
        let refused = tells(&station, by, &issued(hour));
        assert!(matches!(refused, Err(Refused::NotReleased { .. })), "{hour}:00 {refused:?}");
    }
    assert_eq!(recalls(&station), []);
    assert!(is_done(&tells(&station, by, &Moved { happened: true, ..issued(9) })));
    let called_back: Vec<_> = recalls(&station).into_iter().map(|one| one.about.donation).collect();
    assert_eq!(called_back, [id("G1")]);
}

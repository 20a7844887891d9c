//! A short year with every kind of fault.

use super::*;
use simulator::year::Kind;

fn short(seed: u64) -> (YearVerdict, String) {
    let folder = tempfile::tempdir().unwrap();
    let asked = |name: &str, else_: u32| std::env::var(name).ok().map_or(else_, |n| n.parse().unwrap());
    let options = YearOptions {
        // A longer one on demand: YEAR_DONATIONS=2000 YEAR_PER_DAY=200 cargo test -p benchmark year -- --nocapture
        donations: asked("YEAR_DONATIONS", 300),
        per_day: asked("YEAR_PER_DAY", 25),
        seed,
        folder: folder.path().to_owned(),
        format: Format::Table,
    };
    let mut out = Vec::new();
    let verdict = year(&options, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

#[test]
fn a_short_year_with_every_kind_of_fault_releases_nothing_unsafe_and_loses_nothing() {
    let (verdict, table) = short(1);
    println!("{table}");
    assert!(verdict.is_reached(), "{table}");
    let struck: Vec<&Kind> = verdict.rows.keys().chain(verdict.attempts.keys()).collect();
    for kind in Kind::ALL {
        assert!(struck.contains(&kind), "{kind} did not come: {table}");
    }
    // Half of so short a year is struck by something; what is not has to go.
    assert!(verdict.untouched_percent() > 90.0 && verdict.safe_percent() > 25.0, "{table}");
}

fn told_verdict(wrong: u32, lost: u32, accepted: u32) -> YearVerdict {
    let attempts = Attempts([(Kind::OnePersonTwice, (2, 2 - accepted))].into());
    let mut verdict = YearVerdict::new(attempts, std::time::Duration::from_secs(1));
    verdict.unsafe_releases = wrong;
    verdict.all.lost = lost;
    verdict
}

#[test]
fn one_unsafe_one_lost_or_one_wrongly_accepted_is_enough_to_fail() {
    for (wrong, lost, accepted, reached) in
        [(0, 0, 0, true), (1, 0, 0, false), (0, 1, 0, false), (0, 0, 1, false)]
    {
        let verdict = told_verdict(wrong, lost, accepted);
        assert_eq!(verdict.is_reached(), reached, "{verdict:?}");
        for format in [Format::Table, Format::Json] {
            let mut out = Vec::new();
            verdict.write(format, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let missed = text.contains("MISSED") || text.contains("\"reached\":false");
            assert_eq!(missed, !reached, "{text}");
        }
    }
}

//! A short year with every kind of fault.

use super::*;
use simulator::year::Kind;

fn options(folder: &std::path::Path) -> YearOptions {
    let asked = |name: &str, else_: u32| std::env::var(name).ok().map_or(else_, |n| n.parse().unwrap());
    YearOptions {
        // A longer one on demand: YEAR_DONATIONS=2000 YEAR_PER_DAY=200 cargo test -p benchmark year -- --nocapture
        donations: asked("YEAR_DONATIONS", 336),
        per_day: asked("YEAR_PER_DAY", 14),
        seed: 1,
        folder: folder.to_owned(),
        keep: None,
        at_most: None,
        stop: CancellationToken::new(),
        format: Format::Table,
    }
}

fn played(options: &YearOptions) -> (YearVerdict, String) {
    let mut out = Vec::new();
    let verdict = year(options, &mut out).unwrap();
    (verdict, String::from_utf8(out).unwrap())
}

#[test]
fn a_short_year_with_every_kind_of_fault_releases_nothing_unsafe_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (verdict, table) = played(&options(folder.path()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the ledger is removed");
    println!("{table}");
    assert!(verdict.is_reached(), "{table}");
    let struck: Vec<&Kind> = verdict.rows.keys().chain(verdict.attempts.keys()).collect();
    for kind in Kind::ALL {
        assert!(struck.contains(&kind), "{kind} did not come: {table}");
    }
    assert!(verdict.came_back.touched > 0, "some donors come back: {table}");
    // Most of so short a year is struck by something; what is not has to go, unless a tube beside it may be another's.
    assert!(verdict.untouched_percent() > 85.0 && verdict.safe_percent() > 20.0, "{table}");
}

#[test]
fn a_year_that_is_stopped_plays_what_has_begun_to_its_end_and_its_ledger_stays_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("kept");
    let stop = CancellationToken::new();
    stop.cancel();
    let options = YearOptions { keep: Some(keep.clone()), stop, ..options(folder.path()) };
    let (verdict, table) = played(&options);
    assert_eq!((verdict.days, verdict.all.touched), ((1, 24), 14), "{table}");
    assert!(verdict.is_reached() && table.contains("stopped after 1 of 24 days"), "{table}");

    let configured: toml::Table =
        std::fs::read_to_string(keep.join("hemogate.toml")).unwrap().parse().unwrap();
    let lots: Vec<workflow::AcceptedLot> = configured["lot"].clone().try_into().unwrap();
    assert_eq!(lots, street::Street::of_catalogue().unwrap().lots(FIRST_DAY).unwrap());
    let rules = keep.join(configured["rules"]["pack"].as_str().unwrap());
    assert_eq!(release::RulePack::load(&rules).unwrap().hash(), kept::pack().unwrap().hash());
    let settings = ledger::Settings {
        free_bytes_min: 0,
        ..ledger::Settings::new(keep.join(configured["store"]["path"].as_str().unwrap()))
    };
    let (ledger, _) = ledger::Ledger::open(settings, &mut |_| {}).unwrap();
    // A cut barcode is a donation that nobody registered.
    assert!(ledger.state().counters().unwrap().donations >= 14);
    ledger.close();

    let mut out = Vec::new();
    let again = year(&options, &mut out).unwrap_err();
    assert!(again.to_string().contains("kept"), "a folder that is there is left alone: {again}");
}

fn told_verdict(wrong: u32, lost: u32, accepted: u32) -> YearVerdict {
    let made = [(Kind::OnePersonTwice, (2, 2 - accepted))].into();
    let mut attempts = Attempts::default();
    attempts.made = made;
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

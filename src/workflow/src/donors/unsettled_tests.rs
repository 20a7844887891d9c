//! What one person's word takes from a donation, or an analyser's correction, and what two have not settled: it stands as it was
//! found, for the donor and for the donor's other donations.

use super::lookback_tests::{House, g2, hiv_found, of_g1};
use super::task_tests::open;
use super::tests::{gate_11, nat_found, reactive, verdict};
use super::*;
use crate::batches::tests::Station;
use ledger::{LookbackStep, What};
use release::evidence::EarlierDonation;
use serde_json::{Value, json};

/// Some runs fall, and nobody has confirmed that.
fn falls(case: &mut Value, runs: &[&str]) {
    let all = case["runs"].as_array_mut().unwrap().iter_mut();
    for run in all.filter(|run| runs.is_empty() || runs.iter().any(|one| run["id"] == *one)) {
        run["validity"] = "invalid".into();
    }
    waits(case);
}

fn waits(case: &mut Value) {
    case["findings"] = json!([{ "finding": "fall_unconfirmed", "what": "a run was declared invalid by qc" }]);
}

/// As the decider has it.
fn decided(station: &Station, donation: &str, change: impl FnOnce(&mut Value)) {
    let reader = station.ledger.state();
    let before =
        reader.donation(&DonationId::new(donation).unwrap()).unwrap().unwrap().summary.verdict.unwrap();
    let mut case: Value =
        serde_json::from_str(include_str!("../../../release/tests/cases/base.json")).unwrap();
    case["donation"] = donation.into();
    change(&mut case);
    let verdict = release::explain(&release::read_case(&case.to_string()).unwrap(), &station.settings.pack);
    let made = ledger::VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap();
    station.write(What::VerdictMade(made.keeping(found_in(&reader.verdict(before.seq).unwrap()))));
}

fn earlier_of(station: &Station, donation: &str) -> EarlierDonation {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    facts.donor.earlier.into_iter().next().unwrap()
}

#[test]
fn a_look_back_goes_on_keeping_what_is_here_while_its_finding_waits_for_two_people() {
    let house = House::new();
    let gone = || house.station.ledger.state().lookback(&of_g1()).unwrap().unwrap().gone;
    g2(&house.station, |case| {
        hiv_found(case);
        falls(case, &["N1"]);
    });
    assert_eq!((gone(), house.kept()), (None, Some(false)));
    assert!(
        house.done(&house.qc, LookbackStep::Closed).is_err(),
        "what is here is to be put into quarantine"
    );
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), Some(true), "by the word of one");
    // It is settled: nothing was there.
    g2(&house.station, |_| ());
    assert!(gone().is_some());
    assert_eq!(house.kept(), None);
    // What is gone does not come back because something else waits.
    g2(&house.station, waits);
    assert!(gone().is_some());
}

#[test]
fn tasks_for_a_donor_stay_as_they_are_while_what_they_are_for_waits_for_two_people() {
    let found = |case: &mut Value| {
        reactive(case, "HIV");
        nat_found(case, "HIV");
    };
    let station = Station::new();
    verdict(&station, "G1", found);
    let asked = ["G1 defer HIV for good", "G1 confirm HIV", "G1 report HIV"];
    assert_eq!(open(&station), asked);
    for runs in [&["N1"] as &[&str], &[]] {
        verdict(&station, "G1", |case| {
            found(case);
            falls(case, runs);
        });
        assert_eq!(open(&station), asked, "no lighter ones either: {runs:?}");
    }
    verdict(&station, "G1", |_| ());
    assert_eq!(open(&station), Vec::<String>::new());
}

#[test]
fn an_examination_for_re_entry_knows_what_was_found_while_that_waits_for_two_people() {
    let serology = |case: &mut Value| reactive(case, "anti-HCV");
    let both = |case: &mut Value| {
        serology(case);
        nat_found(case, "HCV");
    };
    let station = Station::new();
    verdict(&station, "G1", serology);
    let beyond = |of: &EarlierDonation| {
        of.results.iter().find(|one| one.marker == "HCV").map(|one| one.beyond_reentry)
    };
    assert_eq!(beyond(&earlier_of(&station, "G2")), Some(false));
    verdict(&station, "G1", both);
    assert_eq!(beyond(&earlier_of(&station, "G2")), Some(true));
    // Its nucleic acid was tested again in another run, and was not found.
    for _ in 0..2 {
        decided(&station, "G1", |case| {
            serology(case);
            waits(case);
        });
        assert_eq!(beyond(&earlier_of(&station, "G2")), Some(true));
    }
    decided(&station, "G1", |case| falls(case, &[]));
    assert_eq!(beyond(&earlier_of(&station, "G2")), Some(true));
    assert!(gate_11(&station, "G2").contains("HCV"));
    decided(&station, "G1", serology);
    assert_eq!(beyond(&earlier_of(&station, "G2")), Some(false), "settled");
}

#[test]
fn a_group_that_waits_for_two_people_proves_nothing_and_holds_where_it_differs() {
    let station = Station::new();
    let group = || earlier_of(&station, "G2").group.map(|group| (group.abo, group.is_final));
    verdict(&station, "G1", |_| ());
    let Some((Some(abo), true)) = group() else { unreachable!("it is a final group") };
    decided(&station, "G1", waits);
    assert_eq!(group(), Some((Some(abo), false)), "nobody knows which group stands");
    decided(&station, "G1", |case| falls(case, &[]));
    assert_eq!(group(), Some((Some(abo), false)), "the run that gave it fell");
    decided(&station, "G1", |_| ());
    assert_eq!(group(), Some((Some(abo), true)));
}

#[test]
fn an_earlier_donation_that_is_not_out_is_held_while_what_was_found_later_waits_for_two_people() {
    let house = House::new();
    verdict(&house.station, "G1", |case| case["signatures"] = json!([]));
    assert!(gate_11(&house.station, "G1").contains("G2"));
    g2(&house.station, |case| {
        hiv_found(case);
        falls(case, &["N1"]);
    });
    assert!(gate_11(&house.station, "G1").contains("G2"), "by the word of one");
    g2(&house.station, |_| ());
    assert_eq!(gate_11(&house.station, "G1"), "");
}

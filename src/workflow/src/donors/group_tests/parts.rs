//! Groupings that come in parts, as analysers send them: a confirmation with forward columns alone, the antiglobulin test of D
//! an hour after the anti-D, a direct antiglobulin test with the phenotype.

use super::*;
use vocabulary::{Interpretation, RhD};

/// What a message says of a donation: its tests and what they came to, as the analyser prints it.
type Rows<'r> = &'r [(Marker, &'r str)];

const WHOLE: Rows<'_> = &[
    (Marker::AntiA, "4+"),
    (Marker::AntiB, "0"),
    (Marker::AntiD, "4+"),
    (Marker::GroupControl, "0"),
    (Marker::A1Cells, "0"),
    (Marker::BCells, "4+"),
    (Marker::Abo, "A"),
    (Marker::RhD, "POS"),
];
/// Anti-D at once alone: the reflex comes later.
const D_ZERO: Rows<'_> = &[
    (Marker::AntiA, "4+"),
    (Marker::AntiB, "0"),
    (Marker::AntiD, "0"),
    (Marker::GroupControl, "0"),
    (Marker::A1Cells, "0"),
    (Marker::BCells, "4+"),
    (Marker::Abo, "A"),
    (Marker::RhD, "NEG"),
];
const IAT_ZERO: Rows<'_> = &[(Marker::DIat, "0"), (Marker::DIat, "0")];
const IAT_REACTS: Rows<'_> = &[(Marker::DIat, "3+"), (Marker::DIat, "3+")];

/// A message at its time, in its run: each row under a test's name of its own, as clones have it.
fn sent(station: &Station, scan: &str, run: (&str, &str), rows: Rows<'_>) -> Seq {
    let of = |(at, (marker, text)): (usize, &(Marker, &str))| {
        let interpretation = match *text {
            "A" => Some(Interpretation::A),
            "B" => Some(Interpretation::B),
            "POS" => Some(Interpretation::Positive),
            "NEG" => Some(Interpretation::Negative),
            _ => None,
        };
        let value =
            Value { raw: (*text).into(), grade: text.parse().ok(), interpretation, ..Value::default() };
        Observation { assay: format!("{marker} {at}"), value, ..row(scan, run, *marker, "0") }
    };
    let message = received(station, scan);
    holds(station, message, (scan, "1"), rows.iter().enumerate().map(of).collect());
    message
}

/// A station that knows the donor's group by an earlier donation, and what G2 comes to there.
fn known(rhd: RhD) -> Station {
    let station = station();
    decided(&station, "G1", |case| {
        if rhd == RhD::Negative {
            case["donor"]["history"]["rhd"] = "negative".into();
            case["grouping"][0]["anti_d"] = "0".into();
            case["grouping"][0]["iat_d"] = serde_json::json!(["0", "0"]);
        }
    });
    station
}

fn group_gate(verdict: &Verdict) -> (bool, String) {
    let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Group).unwrap();
    (gate.pass, gate.why.to_string())
}

#[test]
fn a_later_message_of_the_tube_that_says_another_group_holds_however_little_it_says() {
    let forward: Rows<'_> =
        &[(Marker::AntiA, "0"), (Marker::AntiB, "4+"), (Marker::AntiD, "4+"), (Marker::Abo, "B")];
    let unread: Rows<'_> = &[
        (Marker::AntiA, "0"),
        (Marker::AntiB, "4+"),
        (Marker::GroupControl, "0"),
        (Marker::A1Cells, "4+"),
        (Marker::BCells, "0"),
        (Marker::AntiD, "?"),
        (Marker::Abo, "B"),
    ];
    let twice: Rows<'_> = &[(Marker::AntiA, "0"), (Marker::AntiA, "4+")];
    let no_d: Rows<'_> = &[(Marker::AntiA, "4+"), (Marker::AntiD, "0")];
    for (rows, says) in [
        (forward, "anti-A 0"),
        (unread, "anti-A 0"),
        (twice, "anti-A 0"),
        (no_d, "anti-D 0"),
        (&[(Marker::AntiB, "4+")], "anti-B 4+"),
        (IAT_ZERO, "anti-D (IAT) 0"),
    ] {
        let station = known(RhD::Positive);
        sent(&station, "G2", ("T1", "11:41"), WHOLE);
        assert!(group_gate(&verdict(&station, "G2")).0);
        sent(&station, "G2", ("T2", "12:41"), rows);
        let held = verdict(&station, "G2");
        assert_eq!(held.group().status, GroupStatus::Discrepant, "{rows:?}");
        let (_, why) = group_gate(&held);
        let names = ["blood grouping", "(sample tube, run T2) says", says, "the others A RhD positive"];
        assert!(names.iter().all(|name| why.contains(name)), "{why}");
        // Tube and bag, grouped again, agree.
        sent(&station, "G2", ("T3", "13:41"), WHOLE);
        assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Discrepant, "{rows:?}");
        sent(&station, "G2-S", ("T4", "14:41"), WHOLE);
        if rows == no_d {
            // Its antiglobulin test is still due.
            assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Pending);
            sent(&station, "G2", ("T2", "15:41"), IAT_REACTS);
        }
        let (open, why) = group_gate(&verdict(&station, "G2"));
        assert!(open, "{rows:?}: {why}");
    }
}

#[test]
fn two_people_settle_it_by_a_determination_that_comes_after_it() {
    let station = known(RhD::Positive);
    let (reviewer, reference) =
        (station.person("rev", Role::Reviewer), station.person("ref", Role::ReferenceLaboratory));
    sent(&station, "G2", ("T1", "11:41"), WHOLE);
    sent(&station, "G2", ("T2", "12:41"), &[(Marker::AntiA, "0"), (Marker::AntiB, "4+")]);
    let both_say = |run: &str| {
        for who in [&reviewer, &reference] {
            settle(&station, who, "G2", run).unwrap();
        }
        group_gate(&verdict(&station, "G2")).0
    };
    assert!(!both_say("T1"), "what comes after it is not replaced by it");
    sent(&station, "G2", ("T3", "13:41"), WHOLE);
    assert!(both_say("T3"));
}

#[test]
fn what_agrees_and_what_cannot_be_read_holds_nothing() {
    let agrees: Rows<'_> = &[(Marker::AntiA, "4+"), (Marker::AntiD, "?"), (Marker::Abo, "A")];
    let beside: Rows<'_> = &[(Marker::Dat, "0"), (Marker::Phenotype, "ccee")];
    for rows in [agrees, beside, &[(Marker::Phenotype, "ccee")], &[(Marker::AntiB, "?")]] {
        let station = known(RhD::Positive);
        sent(&station, "G2", ("T1", "11:41"), WHOLE);
        sent(&station, "G2", ("T2", "12:41"), rows);
        let (open, why) = group_gate(&verdict(&station, "G2"));
        assert!(open, "{rows:?}: {why}");
    }
}

#[test]
fn the_antiglobulin_test_of_d_closes_the_grouping_that_came_before_it() {
    let beside: Rows<'_> = &[(Marker::Dat, "0"), (Marker::Phenotype, "ccee")];
    let station = known(RhD::Negative);
    sent(&station, "G2", ("T1", "11:41"), D_ZERO);
    let (open, why) = group_gate(&verdict(&station, "G2"));
    assert!(!open && why.contains("antiglobulin test is not done"), "{why}");
    sent(&station, "G2-S", ("T2", "12:41"), IAT_ZERO);
    let (open, why) = group_gate(&verdict(&station, "G2"));
    assert!(
        !open && why.contains("antiglobulin test is not done"),
        "the bag's says nothing of the tube: {why}"
    );
    assert!(!why.contains("misses"), "{why}");
    sent(&station, "G2", ("T1", "12:41"), IAT_ZERO);
    let closed = verdict(&station, "G2");
    assert_eq!((closed.group().status, closed.group().rhd), (GroupStatus::Final, Some(RhD::Negative)));
    sent(&station, "G2", ("T1", "13:41"), beside);
    assert!(group_gate(&verdict(&station, "G2")).0);
    // One whose run fell says nothing.
    let mut fell = evidence(&station, "G2");
    let fallen = fell.grouping.iter().find(|one| one.iat_d.is_some() && one.sample.is_none()).unwrap();
    let fallen = fallen.run.clone().unwrap();
    fell.grouping
        .iter_mut()
        .filter(|one| one.iat_d.is_some())
        .for_each(|one| one.run = Some(RunId::new("X").unwrap()));
    let mut run = fell.runs.iter().find(|run| run.id == fallen).unwrap().clone();
    (run.id, run.validity) = (RunId::new("X").unwrap(), Some(Validity::Invalid));
    fell.runs.push(run);
    assert_eq!(decide(&fell, &station.settings.pack).group().status, GroupStatus::Pending);
}

#[test]
fn what_reacts_later_takes_rhd_negative_back() {
    let negative: Vec<(Marker, &str)> = [D_ZERO, IAT_ZERO].concat();
    let dat: Rows<'_> = &[(Marker::Dat, "2+"), (Marker::Phenotype, "ccee")];
    let d: Rows<'_> =
        &[(Marker::AntiA, "4+"), (Marker::AntiB, "0"), (Marker::AntiD, "4+"), (Marker::RhD, "POS")];
    for (rows, why) in [
        (IAT_REACTS, "reacts in the antiglobulin test of blood grouping 2 (sample tube, run T2)"),
        (dat, "direct antiglobulin test is positive in blood grouping 2 (sample tube, run T2)"),
        (d, "says anti-D 4+"),
    ] {
        let station = known(RhD::Negative);
        sent(&station, "G2", ("T1", "11:41"), &negative);
        assert!(group_gate(&verdict(&station, "G2")).0);
        sent(&station, "G2", ("T2", "12:41"), rows);
        let held = verdict(&station, "G2");
        assert_eq!(held.group().status, GroupStatus::Discrepant);
        assert!(group_gate(&held).1.contains(why), "{}", group_gate(&held).1);
    }
}

#[test]
fn one_that_reacts_apart_from_the_grouping_makes_it_weak_d() {
    let station = known(RhD::Positive);
    sent(&station, "G2", ("T1", "11:41"), D_ZERO);
    sent(&station, "G2", ("T2", "12:41"), IAT_REACTS);
    let weak = verdict(&station, "G2");
    assert_eq!((weak.group().status, weak.group().rhd), (GroupStatus::Final, Some(RhD::Positive)));
    assert_eq!(weak.group().flags, [Flag::WeakD]);
}

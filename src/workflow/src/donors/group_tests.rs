//! A blood group in question on a real ledger: what two people settle, and what nobody can.

mod parts;

use super::tests::now;
use super::*;
use crate::batches::tests::{Station, registered};
use crate::people;
use ledger::{Body, Pools};
use release::evidence::{EarlierDonation, Qc, Validity};
use release::{Evidence, Flag, GroupStatus, Verdict, decide};
use vocabulary::{
    AboGroup, ConnectionId, Marker, Mode, Observation, ProfileRef, Protocol, ResultStatus, Role, Source,
    SpecimenId, SpecimenKind, Value,
};

/// Anti-A, anti-B, A1 cells, B cells.
const GROUP_A: [&str; 4] = ["4+", "0", "0", "4+"];
const GROUP_B: [&str; 4] = ["0", "4+", "4+", "0"];
const A_WITH_ANTI_A1: [&str; 4] = ["4+", "0", "2+", "4+"];

fn station() -> Station {
    let mut station = Station::new();
    station.settings.specimens = crate::SpecimenRule::new(r"(?<donation>G\d)(?<segment>-S)?").unwrap();
    station
}

fn row(scan: &str, (run, at): (&str, &str), marker: Marker, grade: &str) -> Observation {
    Observation {
        specimen: Some(SpecimenId::new(scan).unwrap()),
        instrument: Some("i1".into()),
        assay: marker.name().into(),
        marker,
        kind: SpecimenKind::Patient,
        value: Value { raw: grade.into(), grade: Some(grade.parse().unwrap()), ..Value::default() },
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(RunId::new(run).unwrap()),
        lots: vec![],
        completed_at: Some(format!("2026-03-01T{at}:00Z")),
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

/// An analyser groups what it reads under `scan`.
fn grouped(station: &Station, scan: &str, run: &str, columns: [&str; 4]) -> Seq {
    grouped_at(station, scan, (run, "10:00"), columns)
}

fn grouped_at(station: &Station, scan: &str, run: (&str, &str), columns: [&str; 4]) -> Seq {
    let message = received(station, scan);
    means(station, message, (scan, "1"), run, columns);
    message
}

fn received(station: &Station, scan: &str) -> Seq {
    station.write(What::MessageReceived {
        connection: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
        protocol: Protocol::Lis02,
        body: Body::Whole(scan.as_bytes().into()),
    })
}

/// What a message is taken to mean under a revision of its profile, from now on.
fn means(
    station: &Station,
    message: Seq,
    (scan, revision): (&str, &str),
    run: (&str, &str),
    columns: [&str; 4],
) {
    let markers = [Marker::AntiA, Marker::AntiB, Marker::A1Cells, Marker::BCells];
    let mut observations: Vec<Observation> =
        markers.into_iter().zip(columns).map(|(marker, grade)| row(scan, run, marker, grade)).collect();
    observations.push(row(scan, run, Marker::GroupControl, "0"));
    observations.push(row(scan, run, Marker::AntiD, "4+"));
    holds(station, message, (scan, revision), observations);
}

/// The rows that a message holds under a revision of its profile.
fn holds(station: &Station, message: Seq, (scan, revision): (&str, &str), observations: Vec<Observation>) {
    let profile = ProfileRef { id: "maker/model".into(), revision: revision.into() };
    let donation = DonationId::new(scan.trim_end_matches("-S")).unwrap();
    station.write(What::MessageInterpreted {
        message,
        profile,
        donations: (0..).zip(&observations).map(|(index, _)| (index, donation.clone())).collect(),
        observations,
        findings: vec![],
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools: Pools::default(),
        part: 0,
        last: true,
    });
}

/// As if the controls of every run were in and good: runs are another test's matter.
fn evidence(station: &Station, donation: &str) -> Evidence {
    let donation = DonationId::new(donation).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    let mut evidence = crate::evidence(&facts, &station.settings);
    for run in &mut evidence.runs {
        (run.validity, run.qc) = (Some(Validity::Valid), Some(Qc::InControl));
    }
    evidence
}

fn verdict(station: &Station, donation: &str) -> Verdict {
    decide(&evidence(station, donation), &station.settings.pack)
}

fn settle(station: &Station, who: &Actor, donation: &str, run: &str) -> Result<Seq, Refused> {
    settle_of(station, who, donation, (run, None))
}

fn settle_of(
    station: &Station,
    who: &Actor,
    donation: &str,
    (run, message): (&str, Option<u64>),
) -> Result<Seq, Refused> {
    let which =
        Which { run: RunId::new(run).unwrap(), message, sample: None, seen: None, history_wrong: false };
    let why = "anti-A1, confirmed with A2 cells";
    settle_group(&station.settings, &station.ledger, who, (donation, &which), why)
}

/// Whoever signed has seen what there was: what comes later under the same run is another determination, and what is read
/// otherwise later is not what they saw.
#[test]
fn what_comes_after_the_two_words_inherits_nothing_of_them() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    grouped(&station, "G1", "T1", A_WITH_ANTI_A1);
    grouped(&station, "G1-S", "S1", GROUP_A);
    for who in [&reviewer, &reference] {
        settle(&station, who, "G1", "S1").unwrap();
    }
    assert_eq!(verdict(&station, "G1").group().abo, Some(AboGroup::A));
    grouped_at(&station, "G1", ("S1", "11:00"), A_WITH_ANTI_A1);
    let later = verdict(&station, "G1");
    assert_eq!(later.group().status, GroupStatus::Discrepant, "{:?}", later.group());
    grouped_at(&station, "G1-S", ("S1", "12:00"), GROUP_A);
    assert_eq!(verdict(&station, "G1").group().status, GroupStatus::Discrepant);
    let several = settle(&station, &reviewer, "G1", "S1");
    let Err(Refused::SeveralGroupings { messages, .. }) = several else { panic!("{several:?}") };
    assert_eq!(messages.len(), 3);
    for who in [&reviewer, &reference] {
        settle_of(&station, who, "G1", ("S1", messages.last().copied())).unwrap();
    }
    assert_eq!(verdict(&station, "G1").group().abo, Some(AboGroup::A));
}

/// A word stands for the columns that were seen: another revision of the profile that reads the same takes nothing of it
/// away, and one that reads otherwise does until the columns are those again.
#[test]
fn a_word_stands_for_the_columns_that_were_seen_however_often_they_are_read() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    grouped(&station, "G1", "T1", A_WITH_ANTI_A1);
    let message = grouped(&station, "G1-S", "S1", GROUP_A);
    for who in [&reviewer, &reference] {
        settle(&station, who, "G1", "S1").unwrap();
    }
    let reads = |revision: &str, columns| {
        means(&station, message, ("G1-S", revision), ("S1", "10:00"), columns);
        verdict(&station, "G1").group().abo
    };
    assert_eq!(reads("2", GROUP_A), Some(AboGroup::A));
    assert_eq!(settle(&station, &reviewer, "G1", "S1"), Err(Refused::SaidAlready), "it still stands");
    assert_eq!(reads("3", ["3+", "0", "0", "4+"]), None, "nobody has seen that");
    assert_eq!(reads("4", GROUP_A), Some(AboGroup::A));
    // A word of an earlier release does not say what was seen: it stands for what it was when it was said.
    let old = |who: &str| {
        let word = DonorAct::GroupSettled {
            donation: DonationId::new("G1").unwrap(),
            run: RunId::new("S1").unwrap(),
            message: Some(message),
            sample: Some(GroupingSample::Segment),
            columns: None,
            sets_aside: vec![],
            reason: "x".into(),
        };
        let draft = Draft { by: format!("user:{who}").into(), what: What::Donor(word) };
        crate::pins::write(&station.ledger, vec![draft]).unwrap();
    };
    assert_eq!(reads("5", GROUP_B), None);
    for who in ["rev", "ref"] {
        old(who);
    }
    assert_eq!(verdict(&station, "G1").group().status, GroupStatus::Discrepant, "the bag is B, the tube A");
    let words = |station: &Station| {
        let donation = DonationId::new("G1").unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let all = groups(&facts, &station.settings);
        all.into_iter().find(|one| one.message == message.get()).unwrap().stands_by
    };
    assert_eq!(words(&station), ["rev", "ref"]);
    reads("6", GROUP_B);
    assert_eq!(words(&station), [""; 0], "read again, and the old words do not say that they saw the same");
}

#[test]
fn who_names_the_columns_that_were_seen_is_told_where_they_are_others() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    grouped(&station, "G1", "T1", A_WITH_ANTI_A1);
    let message = grouped(&station, "G1-S", "S1", GROUP_A);
    let shown = |message: Seq| {
        let donation = DonationId::new("G1").unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let all = groups(&facts, &station.settings);
        all.into_iter().find(|one| one.message == message.get()).unwrap().columns
    };
    let say = |seen: &str| {
        let which = Which {
            run: RunId::new("S1").unwrap(),
            message: None,
            sample: None,
            seen: Some(seen.into()),
            history_wrong: false,
        };
        settle_group(&station.settings, &station.ledger, &reviewer, ("G1", &which), "x")
    };
    let seen = shown(message);
    means(&station, message, ("G1-S", "2"), ("S1", "10:00"), ["3+", "0", "0", "4+"]);
    let now = shown(message);
    assert_ne!(seen, now);
    for wrong in [seen.as_str(), "", now.get(..7).unwrap()] {
        let refused = Refused::OtherColumns { seen: wrong.into(), now: now.clone() };
        assert_eq!(say(wrong), Err(refused), "{wrong:?}");
    }
    say(now.get(..12).unwrap()).unwrap();
}

#[test]
fn a_discrepancy_is_closed_by_two_people_and_by_a_determination_that_there_is() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    let technician = station.person("tech", Role::Technician);
    grouped(&station, "G1", "T1", A_WITH_ANTI_A1);
    grouped(&station, "G1-S", "S1", GROUP_A);
    assert_eq!(verdict(&station, "G1").group().status, GroupStatus::Discrepant);
    assert_eq!(
        settle(&station, &technician, "G1", "S1"),
        Err(Refused::Person(people::Refused::NotPermitted { act: Act::SettleGroup }))
    );
    let nowhere = Err(Refused::NoSuchGrouping(RunId::new("S9").unwrap()));
    assert_eq!(settle(&station, &reviewer, "G1", "S9"), nowhere);
    settle(&station, &reviewer, "G1", "S1").unwrap();
    assert_eq!(verdict(&station, "G1").group().status, GroupStatus::Discrepant, "one name is not two");
    assert_eq!(settle(&station, &reviewer, "G1", "S1"), Err(Refused::SaidAlready));
    settle(&station, &reference, "G1", "T1").unwrap();
    assert_eq!(verdict(&station, "G1").group().status, GroupStatus::Discrepant, "of another determination");
    settle(&station, &reference, "G1", "S1").unwrap();
    let settled = verdict(&station, "G1");
    assert_eq!(settled.group().abo, Some(AboGroup::A), "{:?}", settled.group());
    assert!(station.ledger.state().counters().unwrap().to_decide > 0, "it is decided anew");
}

#[test]
fn a_tube_with_other_blood_than_the_bag_holds_whatever_is_settled_and_its_neighbours_too() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    grouped(&station, "G1", "T1", GROUP_B);
    grouped(&station, "G1-S", "S1", GROUP_A);
    for who in [&reviewer, &reference] {
        settle(&station, who, "G1", "S1").unwrap();
    }
    let verdict = verdict(&station, "G1");
    assert_eq!(verdict.group().status, GroupStatus::Discrepant);
    assert_eq!(verdict.group().flags, [Flag::WrongTube]);
    let (reader, donation) = (station.ledger.state(), DonationId::new("G1").unwrap());
    let registration = reader.donation(&donation).unwrap().unwrap().registration.unwrap().registration;
    let held = crate::neighbours::beside(&reader, (Some(&registration), 1), &verdict).unwrap();
    let neighbours = vec![DonationId::new("G2").unwrap()];
    let expect = What::WrongTubeSuspected { donation, neighbours, stands: true };
    assert_eq!(held, Some(expect), "G2 was taken an hour later, in the same session");
}

/// A verdict of another day on a donation of this station: everything is good, and the group is A, RhD positive.
fn decided(station: &Station, donation: &str, change: impl FnOnce(&mut serde_json::Value)) {
    let case = include_str!("../../../release/tests/cases/base.json");
    let mut case: serde_json::Value = serde_json::from_str(case).unwrap();
    case["donation"] = donation.into();
    change(&mut case);
    let verdict = release::explain(&release::read_case(&case.to_string()).unwrap(), &station.settings.pack);
    station.write(What::VerdictMade(ledger::VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()));
}

/// Nobody sends a history: what this laboratory found of the donor's earlier donations is one.
#[test]
fn the_group_of_the_donors_earlier_final_verdicts_is_history() {
    let station = station();
    grouped(&station, "G2", "T1", GROUP_A);
    grouped(&station, "G3", "T1", GROUP_B);
    assert_eq!(
        verdict(&station, "G2").group().status,
        GroupStatus::Pending,
        "nothing is known before G1 is decided"
    );
    decided(&station, "G1", |_| ());
    let same = verdict(&station, "G2");
    assert_eq!((same.group().status, same.group().abo), (GroupStatus::Final, Some(AboGroup::A)));
    let other = verdict(&station, "G3");
    assert_eq!(other.group().status, GroupStatus::Discrepant);
    assert_eq!(other.group().flags, [Flag::HistoryMismatch]);
    let gate = other.gates().iter().find(|gate| gate.id == release::GateId::Group).unwrap();
    assert!(gate.why.contains("A RhD positive in donation G1"), "{}", gate.why);
    assert!(gate.why_zh.contains("G1"), "{}", gate.why_zh);
    // What came later says nothing of what came before, and a group that is not final any more says nothing.
    decided(&station, "G3", |_| ());
    assert_eq!(verdict(&station, "G2").group().flags, []);
    decided(&station, "G1", |case| case["donor"]["history"]["abo"] = "B".into());
    assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Pending);
}

/// Whose tube it was is not known while a typed number waits (R-GATE-09), and one person's reason does not say it.
#[test]
fn an_earlier_group_under_a_typed_number_that_nobody_compared_holds_and_proves_nothing() {
    let station = station();
    grouped(&station, "G2", "T1", GROUP_A);
    grouped(&station, "G3", "T1", GROUP_B);
    let status = |donation: &str| verdict(&station, donation).group().status;
    let typed = |checked_by: Option<&str>, set_aside: bool| {
        decided(&station, "G1", |case| {
            case["identity"] = serde_json::json!({ "manual_entry": true, "checked_by": checked_by });
            let aside =
                serde_json::json!([{ "gate": "R-GATE-09", "by": "rel", "reason": "surely the donor's" }]);
            case["overrides"] = if set_aside { aside } else { serde_json::json!([]) };
        });
    };
    for set_aside in [false, true] {
        typed(None, set_aside);
        assert_eq!(status("G2"), GroupStatus::Pending, "a second determination is asked for");
        assert_eq!(status("G3"), GroupStatus::Discrepant, "where it differs, it holds");
    }
    typed(Some("tech, rev"), false);
    assert_eq!(status("G2"), GroupStatus::Final, "two people have compared it");
    assert_eq!(status("G3"), GroupStatus::Discrepant);
    // A verdict from before the donor was known held its group against nothing.
    decided(&station, "G1", |case| drop(case.as_object_mut().unwrap().remove("donor")));
    assert_eq!(status("G2"), GroupStatus::Pending);
    assert_eq!(status("G3"), GroupStatus::Discrepant);
}

/// A technician writes down what another house says: it holds where it differs, and is nobody's second determination.
#[test]
fn a_group_that_was_written_down_by_hand_holds_and_proves_nothing() {
    let station = station();
    let technician = station.person("tech", Role::Technician);
    let told = |abo: &str| {
        let earlier = serde_json::json!({ "donation": "OLD1", "group": { "abo": abo, "rhd": "positive", "final": true } });
        let earlier: EarlierDonation = serde_json::from_value(earlier).unwrap();
        record_earlier(&station.ledger, &technician, "D", (&earlier, "the paper register"), now()).unwrap();
    };
    grouped(&station, "G2", "T1", GROUP_A);
    told("A");
    assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Pending);
    told("O");
    assert_eq!(verdict(&station, "G2").group().flags, [Flag::HistoryMismatch]);
}

/// Tube and segment agree, and the history does not: two people who say so of the segment end it, and nobody else does.
#[test]
fn a_history_that_is_wrong_is_set_aside_by_two_people_on_the_segment() {
    let station = station();
    let reviewer = station.person("rev", Role::Reviewer);
    let reference = station.person("ref", Role::ReferenceLaboratory);
    let says = |who: &Actor, run: &str| {
        let run = RunId::new(run).unwrap();
        let which = Which { run, message: None, sample: None, seen: None, history_wrong: true };
        let why = "the card of G1 was another's";
        settle_group(&station.settings, &station.ledger, who, ("G2", &which), why)
    };
    grouped(&station, "G2", "T1", GROUP_B);
    grouped(&station, "G2-S", "S1", GROUP_B);
    assert_eq!(says(&reviewer, "S1"), Err(Refused::NoHistory));
    decided(&station, "G1", |_| ());
    assert_eq!(verdict(&station, "G2").group().flags, [Flag::HistoryMismatch, Flag::SegmentAgrees]);
    assert_eq!(says(&reviewer, "T1"), Err(Refused::NotOfSegment));
    // Closing the inquiry alone says nothing of the history.
    for who in [&reviewer, &reference] {
        settle(&station, who, "G2", "S1").unwrap();
    }
    assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Discrepant);
    says(&reviewer, "S1").unwrap();
    assert_eq!(says(&reviewer, "S1"), Err(Refused::SaidAlready));
    assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Discrepant, "one name is not two");
    says(&reference, "S1").unwrap();
    let settled = verdict(&station, "G2");
    assert_eq!((settled.group().status, settled.group().abo), (GroupStatus::Final, Some(AboGroup::B)));
    assert!(settled.group().flags.contains(&Flag::HistorySetAside), "{:?}", settled.group().flags);
    let gate = settled.gates().iter().find(|gate| gate.id == release::GateId::Group).unwrap();
    assert!(gate.why.contains("rev") && gate.why.contains("the card of G1"), "{}", gate.why);
    // It is wrong for every later donation too, and what was found with this one stands.
    for (later, columns) in [("G3", GROUP_B), ("G4", GROUP_A)] {
        station.write(registered(later, "2026-05-01T09:00:00Z"));
        grouped(&station, later, "T3", columns);
    }
    assert_eq!(verdict(&station, "G3").group().status, GroupStatus::Discrepant, "G2 is not decided again");
    let made = release::explain(&evidence(&station, "G2"), &station.settings.pack);
    station.write(What::VerdictMade(ledger::VerdictMade::new(&made, Seq::NONE, vec![]).unwrap()));
    let later = verdict(&station, "G3");
    assert_eq!((later.group().status, &later.group().flags), (GroupStatus::Final, &vec![]));
    let other = verdict(&station, "G4");
    let gate = other.gates().iter().find(|gate| gate.id == release::GateId::Group).unwrap();
    assert!(gate.why.contains("in donation G2") && !gate.why.contains("in donation G1"), "{}", gate.why);
    // What they said was of that group: another one is another matter.
    let earlier: EarlierDonation =
        serde_json::from_str(r#"{"donation":"OLD1","group":{"abo":"O","rhd":"positive"}}"#).unwrap();
    let technician = station.person("tech", Role::Technician);
    record_earlier(&station.ledger, &technician, "D", (&earlier, "the paper register"), now()).unwrap();
    assert_eq!(verdict(&station, "G2").group().status, GroupStatus::Discrepant);
}

/// G2 is held by its history alone, and its tube is its own: those beside it need their own segments, and no more.
#[test]
fn those_beside_a_donation_that_only_its_history_holds_do_not_wait_for_it() {
    let station = station();
    grouped(&station, "G1", "T1", GROUP_A);
    grouped(&station, "G1-S", "S1", GROUP_A);
    grouped(&station, "G2", "T1", GROUP_B);
    let registration = |donation: &str| {
        let found = station.ledger.state().donation(&DonationId::new(donation).unwrap()).unwrap().unwrap();
        found.registration.unwrap().registration
    };
    let beside = |donation: &str| {
        let reader = station.ledger.state();
        crate::neighbours::beside(&reader, (Some(&registration(donation)), 1), &verdict(&station, donation))
            .unwrap()
    };
    let held = |donation: &str| {
        let verdict = verdict(&station, donation);
        let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Group).unwrap().clone();
        gate.why.contains("neighbouring donation G2")
    };
    let technician = station.person("tech", Role::Technician);
    let earlier: EarlierDonation =
        serde_json::from_str(r#"{"donation":"OLD1","group":{"abo":"O","rhd":"positive"}}"#).unwrap();
    record_earlier(&station.ledger, &technician, "D", (&earlier, "the paper register"), now()).unwrap();
    station.write(beside("G2").unwrap());
    assert!(held("G1"), "the tube of G2 may be G1's");
    grouped(&station, "G2-S", "S2", GROUP_B);
    assert_eq!(
        verdict(&station, "G2").group().status,
        GroupStatus::Discrepant,
        "its history goes on holding it"
    );
    let settled = beside("G2").unwrap();
    assert!(matches!(settled, What::WrongTubeSuspected { stands: false, .. }), "{settled:?}");
    station.write(settled);
    assert!(!held("G1"), "G1 was grouped from its segment, and agrees");
    assert_eq!(beside("G2"), None, "it is written once");
}

#[test]
fn a_window_that_no_result_lies_in_is_refused_and_the_run_itself_is_not() {
    use crate::batches::{self, Invalid};
    let station = station();
    let qc = station.person("qc", Role::QcOfficer);
    grouped(&station, "G1", "T1", GROUP_A);
    let invalid = Invalid {
        reason: "the washer leaked".into(),
        cause: Some(ledger::RunCause::Equipment),
        repeated_in: None,
    };
    let declare = |run: &str| {
        let run = RunId::new(run).unwrap();
        batches::invalidate_run(&station.settings, &station.ledger, &qc, (&run, &invalid))
    };
    for misspelt in ["T1@2026-03-01T08:00:00Z", "T1@none", "T2"] {
        let refused = Err(batches::Refused::NoSuchRun(RunId::new(misspelt).unwrap()));
        assert_eq!(declare(misspelt), refused, "nothing would fall by it");
    }
    declare("T1").unwrap();
}

/// A clock of the ledger that goes ahead of the one by which a command looks.
#[derive(Default)]
struct Ahead(std::sync::atomic::AtomicI64);

impl ledger::Clock for Ahead {
    fn now_ms(&self) -> i64 {
        ledger::SystemClock.now_ms() + self.0.load(std::sync::atomic::Ordering::SeqCst)
    }
}

/// The look and the entry are not one moment: what lapsed in between is told, and not called done.
#[test]
fn the_second_person_is_told_what_the_ledger_did_not_take() {
    use crate::batches::{self, Agreed, Invalid};
    use std::sync::{Arc, atomic::Ordering};
    let clock = Arc::new(Ahead::default());
    let station = Station::with_clock(Arc::clone(&clock) as Arc<dyn ledger::Clock>);
    let (first, second) = (station.person("qc1", Role::QcOfficer), station.person("qc2", Role::QcOfficer));
    grouped(&station, "G1", "T1", GROUP_A);
    let run = RunId::new("T1").unwrap();
    let anew = |who: &Actor| batches::judge_run_anew(&station.ledger, who, &run, "x");
    let back = |who: &Actor| batches::reinstate_run(&station.ledger, who, &run, "x");
    let invalid = Invalid { reason: "x".into(), cause: Some(ledger::RunCause::Other), repeated_in: None };
    batches::invalidate_run(&station.settings, &station.ledger, &first, (&run, &invalid)).unwrap();
    for agree in [&anew as &dyn Fn(&Actor) -> Result<Agreed, batches::Refused>, &back] {
        assert!(matches!(agree(&first), Ok(Agreed::Proposed { .. })));
        clock.0.store(ledger::RUN_PROPOSAL_STANDS_MS * 2, Ordering::SeqCst);
        assert_eq!(agree(&second), Err(batches::Refused::Lapsed(run.clone())));
        assert!(station.ledger.state().run_invalidated(&run).unwrap().is_some());
        clock.0.store(0, Ordering::SeqCst);
        assert!(matches!(agree(&second), Ok(Agreed::Done { .. })));
    }
}

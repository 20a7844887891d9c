//! Results that were sent with different values, on a real ledger: what two people settle, and what nobody can.

use super::*;
use crate::batches::{self, Agreed, Aside, ReleaseAsked, tests::Station};
use crate::people;
use ledger::{Body, Page, Pools};
use release::evidence::{Call, Evidence, NatKind, Qc, Validity};
use release::{Gate, GateId, decide};
use vocabulary::{
    ConnectionId, Interpretation, Marker, Mode, Observation, PoolId, ProfileRef, Protocol, ResultStatus,
    Role, Source, SpecimenId, SpecimenKind, Value,
};

const ASSAY: &str = "ELISA HBsAg";
const WHY: &str = "the printout of the analyser";
const REACTIVE: &str = "5.80";
const NOT: &str = "0.30";

fn hbsag(value: &str) -> Observation {
    Observation {
        specimen: SpecimenId::new("G1").ok(),
        instrument: Some("i1".into()),
        assay: ASSAY.into(),
        marker: Marker::HBsAg,
        kind: SpecimenKind::Patient,
        value: Value {
            raw: value.into(),
            number: value.parse().ok(),
            unit: Some("S/CO".into()),
            ..Value::default()
        },
        flags: vec![],
        status: ResultStatus::Final,
        run: Some(RunId::new("line/R1").unwrap()),
        lots: vec![],
        completed_at: Some("2026-03-01T15:00:00Z".into()),
        replicate: None,
        operator: None,
        control: None,
        discriminates: false,
        source: Source::default(),
    }
}

fn corrected(value: &str) -> Observation {
    Observation { status: ResultStatus::Corrected, ..hbsag(value) }
}

fn a_minute_later(o: Observation) -> Observation {
    Observation { completed_at: Some("2026-03-01T15:01:00Z".into()), ..o }
}

fn received(station: &Station) -> Seq {
    station.write(What::MessageReceived {
        connection: ConnectionId::new("line").unwrap(),
        mode: Mode::Production,
        profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
        protocol: Protocol::Lis02,
        body: Body::Whole(b"-".as_slice().into()),
    })
}

fn means(station: &Station, message: Seq, observations: Vec<Observation>, pools: Pools) {
    let of = |(index, o): (u32, &Observation)| Some((index, donation_of(o.specimen.as_ref()?.as_str())?));
    station.write(What::MessageInterpreted {
        message,
        profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
        donations: (0..).zip(&observations).filter_map(of).collect(),
        observations,
        findings: vec![],
        holds: vec![],
        orders: vec![],
        measured: vec![],
        continues: vec![],
        pools,
        part: 0,
        last: true,
    });
}

/// Pools begin with P.
fn donation_of(specimen: &str) -> Option<DonationId> {
    (!specimen.starts_with('P')).then(|| DonationId::new(specimen).unwrap())
}

fn sends(station: &Station, observation: Observation) -> u64 {
    let message = received(station);
    means(station, message, vec![observation], Pools::default());
    message.get()
}

fn facts(station: &Station, donation: &str) -> DonationFacts {
    let donation = DonationId::new(donation).unwrap();
    crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap()
}

fn evidence(station: &Station, donation: &str) -> Evidence {
    crate::evidence(&facts(station, donation), &station.settings)
}

fn gate_15(station: &Station, donation: &str) -> Gate {
    let verdict = decide(&evidence(station, donation), &station.settings.pack);
    verdict.gates().iter().find(|gate| gate.id == GateId::Interfaces).unwrap().clone()
}

fn open_findings(station: &Station, donation: &str) -> Vec<String> {
    evidence(station, donation).findings.into_iter().map(|open| open.finding).collect()
}

/// What counts of G1, S/CO.
fn counts(station: &Station) -> String {
    let evidence = evidence(station, "G1");
    let series = evidence.serology.iter().find(|series| series.reagent == ASSAY).unwrap();
    let [one] = series.results.as_slice() else { panic!("{series:?}") };
    one.sco.unwrap().to_string()
}

fn waiting(station: &Station, donation: &str) -> DisputedSeen {
    let [one] = disputed(&facts(station, donation), &station.settings).try_into().unwrap();
    one
}

fn version(message: u64, seen: &str) -> Version {
    Version { assay: ASSAY.into(), marker: Marker::HBsAg, message, seen: seen.into() }
}

fn names(station: &Station, who: &Actor, named: &Version) -> Result<Agreed, Refused> {
    settle_result(&station.settings, &station.ledger, who, ("G1", named), WHY)
}

fn says(station: &Station, who: &Actor, message: u64) -> Result<Agreed, Refused> {
    names(station, who, &version(message, &waiting(station, "G1").seen))
}

fn two_people(station: &Station) -> [Actor; 2] {
    [station.person("rev", Role::Reviewer), station.person("ref", Role::ReferenceLaboratory)]
}

#[test]
fn a_version_stands_when_two_different_people_have_named_it_and_not_before() {
    for (sent, finding) in [
        ([hbsag(REACTIVE), hbsag(NOT)], "changed_result"),
        ([hbsag(REACTIVE), corrected(NOT)], "correction_eases"),
        ([hbsag(REACTIVE), a_minute_later(corrected(NOT))], "correction_eases"),
        ([a_minute_later(corrected(NOT)), hbsag(REACTIVE)], "correction_eases"),
        (
            [Observation { status: ResultStatus::Preliminary, ..hbsag(REACTIVE) }, hbsag(NOT)],
            "correction_eases",
        ),
    ] {
        for stands in [0, 1] {
            let station = Station::new();
            let [first, second] = two_people(&station);
            assert!(gate_15(&station, "G1").pass);
            let messages = sent.clone().map(|one| sends(&station, one));
            let before = counts(&station);
            let closed = gate_15(&station, "G1");
            assert!(!closed.pass && closed.why.contains("hemogate donation settle-result"), "{closed:?}");
            let remedies = [closed.remedy.unwrap(), closed.remedy_zh.unwrap()];
            for remedy in remedies {
                assert!(remedy.contains("hemogate donation settle-result"), "{remedy}");
            }
            assert_eq!(open_findings(&station, "G1"), [finding]);
            assert!(matches!(says(&station, &first, messages[stands]), Ok(Agreed::Proposed { .. })));
            assert_eq!(says(&station, &first, messages[stands]), Err(Refused::SaidAlready));
            assert_eq!((open_findings(&station, "G1"), counts(&station)), (vec![finding.into()], before));
            let seen = waiting(&station, "G1");
            assert_eq!(
                (seen.versions[stands].said_by.as_slice(), seen.stands),
                (["rev".into()].as_slice(), None)
            );
            assert!(matches!(says(&station, &second, messages[stands]), Ok(Agreed::Done { .. })));
            assert_eq!(waiting(&station, "G1").stands, Some(messages[stands]));
            assert_eq!(open_findings(&station, "G1"), Vec::<String>::new());
            assert_eq!(counts(&station), sent[stands].value.raw, "a settled reactive stays reactive");
            let open = gate_15(&station, "G1");
            assert!(open.pass, "{open:?}");
            for told in [&open.why, &open.why_zh] {
                assert!(["ref (20", "rev (20", WHY].iter().all(|said| told.contains(said)), "{told}");
                assert!(told.contains(&messages[stands].to_string()), "{told}");
            }
            assert!(open.why_zh.contains("经两人确认以消息"), "{open:?}");
        }
    }
}

#[test]
fn a_correction_of_nothing_that_is_known_counts_when_two_people_have_said_so() {
    let station = Station::new();
    let [first, second] = two_people(&station);
    let message = sends(&station, corrected(NOT));
    let told = gate_15(&station, "G1");
    assert!(!told.pass && told.why.contains("nothing is known that it could correct"), "{told:?}");
    assert!(matches!(says(&station, &first, message), Ok(Agreed::Proposed { .. })));
    assert!(!gate_15(&station, "G1").pass);
    assert!(matches!(says(&station, &second, message), Ok(Agreed::Done { .. })));
    assert_eq!((gate_15(&station, "G1").pass, counts(&station).as_str()), (true, NOT));
    // What it corrects comes late: nobody has said anything of that.
    sends(&station, hbsag(REACTIVE));
    assert_eq!(open_findings(&station, "G1"), ["correction_eases"]);
}

#[test]
fn only_a_version_that_was_sent_is_named_by_who_may_of_what_is_disputed_and_seen() {
    let station = Station::new();
    let [reviewer, _] = two_people(&station);
    let first = sends(&station, hbsag(REACTIVE));
    let g1 = DonationId::new("G1").unwrap();
    let nothing = names(&station, &reviewer, &version(first, "0000000000"));
    assert_eq!(nothing, Err(Refused::NothingDisputed(g1)), "what was sent once is not settled");
    let second = sends(&station, hbsag(NOT));
    let seen = waiting(&station, "G1").seen;
    for role in [Role::Technician, Role::Releaser, Role::QcOfficer] {
        let who = station.person(&format!("{role}"), role);
        let refused = names(&station, &who, &version(second, &seen));
        assert_eq!(refused, Err(Refused::Person(people::Refused::NotPermitted { act: Act::SettleResult })));
    }
    let lists_all = |refused: &Refused| {
        for told in [refused.english(), refused.chinese()] {
            let whole = [ASSAY, &seen, REACTIVE, NOT, &first.to_string(), &second.to_string()];
            assert!(whole.iter().all(|part| told.contains(part)), "{told}");
        }
    };
    for wrong in [
        version(second + 1, &seen),
        Version { assay: "another".into(), ..version(second, &seen) },
        Version { marker: Marker::AntiHcv, ..version(second, &seen) },
    ] {
        let refused = names(&station, &reviewer, &wrong).unwrap_err();
        assert!(matches!(refused, Refused::NoSuchVersion { .. }), "{refused:?}");
        lists_all(&refused);
    }
    for other in ["0000000000", seen.get(..4).unwrap(), ""] {
        let refused = names(&station, &reviewer, &version(second, other)).unwrap_err();
        assert!(matches!(refused, Refused::OtherVersions { .. }), "{refused:?}");
        lists_all(&refused);
    }
    assert!(matches!(
        settle_result(&station.settings, &station.ledger, &reviewer, ("G1", &version(second, &seen)), " "),
        Err(Refused::Text { field: "reason" })
    ));
    assert_eq!(facts(&station, "G1").donor.results, [], "nothing of it was written");
    assert!(matches!(
        names(&station, &reviewer, &version(second, seen.get(..8).unwrap())),
        Ok(Agreed::Proposed { .. })
    ));
}

#[test]
fn what_comes_later_or_is_read_otherwise_is_not_among_what_was_settled() {
    let later: [fn(&Station, [u64; 2]); 5] = [
        |station, _| {
            sends(station, hbsag("5.81"));
        },
        |station, _| {
            sends(station, hbsag(REACTIVE));
        },
        |station, _| {
            sends(station, hbsag(NOT));
        },
        // The message whose version was settled is interpreted again, and means something else.
        |station, [_, settled]| means(station, Seq::new(settled), vec![hbsag("0.31")], Pools::default()),
        // The message of the other version says nothing any more, and another one says the same.
        |station, [other, _]| {
            means(station, Seq::new(other), vec![], Pools::default());
            sends(station, hbsag(REACTIVE));
        },
    ];
    for (at, comes) in later.into_iter().enumerate() {
        let station = Station::new();
        let people = two_people(&station);
        let [settled, other] = [NOT, REACTIVE].map(|value| sends(&station, hbsag(value)));
        let seen = waiting(&station, "G1").seen;
        for who in &people {
            says(&station, who, settled).unwrap();
        }
        assert_eq!((counts(&station).as_str(), gate_15(&station, "G1").pass), (NOT, true));
        comes(&station, [other, settled]);
        assert_eq!(open_findings(&station, "G1"), ["changed_result"], "{at}");
        assert!(counts(&station).starts_with("5.8"), "{at}: the graver one counts again");
        assert!(!gate_15(&station, "G1").pass, "{at}");
        let refused = names(&station, &people[0], &version(settled, &seen));
        assert!(matches!(refused, Err(Refused::OtherVersions { .. })), "{at}: {refused:?}");
        for who in &people {
            says(&station, who, settled).unwrap();
        }
        assert!(gate_15(&station, "G1").pass, "{at}: and is settled anew");
    }
}

#[test]
fn while_people_name_different_versions_none_stands_and_who_names_another_takes_back_the_first() {
    let station = Station::new();
    let [first, second] = two_people(&station);
    let third = station.person("third", Role::Reviewer);
    let (reactive, not) = (sends(&station, hbsag(REACTIVE)), sends(&station, hbsag(NOT)));
    says(&station, &first, not).unwrap();
    assert!(matches!(says(&station, &second, reactive), Ok(Agreed::Proposed { .. })));
    assert!(
        matches!(says(&station, &third, not), Ok(Agreed::Proposed { .. })),
        "one of three says otherwise"
    );
    assert_eq!((counts(&station).as_str(), gate_15(&station, "G1").pass), (REACTIVE, false));
    assert!(matches!(says(&station, &second, not), Ok(Agreed::Done { .. })));
    assert_eq!((counts(&station).as_str(), gate_15(&station, "G1").pass), (NOT, true));
    assert!(matches!(says(&station, &first, reactive), Ok(Agreed::Proposed { .. })));
    assert_eq!((counts(&station).as_str(), gate_15(&station, "G1").pass), (REACTIVE, false));
}

#[test]
fn a_word_that_no_person_wrote_counts_for_nothing() {
    let station = Station::new();
    let [first, _] = two_people(&station);
    sends(&station, hbsag(REACTIVE));
    let not = sends(&station, hbsag(NOT));
    says(&station, &first, not).unwrap();
    station.write(What::Donor(DonorAct::ResultSettled {
        donation: DonationId::new("G1").unwrap(),
        pool: None,
        assay: ASSAY.into(),
        marker: Marker::HBsAg,
        versions: waiting(&station, "G1").seen,
        message: Seq::new(not),
        reason: WHY.into(),
    }));
    assert_eq!((counts(&station).as_str(), gate_15(&station, "G1").pass), (REACTIVE, false));
}

#[test]
fn settling_has_the_donation_judged_again_at_once() {
    let station = Station::new();
    let people = two_people(&station);
    sends(&station, hbsag(REACTIVE));
    let not = sends(&station, hbsag(NOT));
    let judged = || {
        while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
        let reader = station.ledger.state();
        let standing = reader.donation(&DonationId::new("G1").unwrap()).unwrap().unwrap().summary.verdict;
        reader.verdict(standing.unwrap().seq).unwrap().json().to_owned()
    };
    assert!(judged().contains("open finding changed_result"));
    for who in &people {
        says(&station, who, not).unwrap();
    }
    let now = judged();
    assert!(!now.contains("changed_result") && now.contains(WHY), "{now}");
    assert_eq!(station.ledger.state().to_decide(&Page::first(9)).unwrap().items, []);
}

/// Whether gate 15 is satisfied when a releaser sets it aside.
fn set_aside(station: &Station, facts: &mut DonationFacts) -> bool {
    station.sets_aside(facts, "R-GATE-15", "surely not");
    let verdict = decide(&crate::evidence(facts, &station.settings), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == GateId::Interfaces).unwrap();
    assert!(!gate.pass);
    gate.is_satisfied()
}

#[test]
fn one_persons_reason_does_not_set_gate_15_aside_for_what_was_reactive_in_a_run_that_fell() {
    let station = Station::new();
    let qc = station.person("qc", Role::QcOfficer);
    sends(&station, hbsag(REACTIVE));
    let invalid = batches::Invalid {
        reason: "washer".into(),
        cause: Some(ledger::RunCause::Equipment),
        repeated_in: None,
    };
    let run = RunId::new("line/R1").unwrap();
    batches::invalidate_run(&station.settings, &station.ledger, &qc, (&run, &invalid)).unwrap();
    assert_eq!(open_findings(&station, "G1"), ["fall_unconfirmed"]);
    assert!(!set_aside(&station, &mut facts(&station, "G1")));
}

#[test]
fn one_persons_reason_does_not_set_gate_15_aside_for_a_result_with_different_values() {
    for second in [hbsag(NOT), corrected(NOT)] {
        let station = Station::new();
        sends(&station, hbsag(REACTIVE));
        sends(&station, second);
        assert!(!set_aside(&station, &mut facts(&station, "G1")));
        let releaser = station.person("rel", Role::Releaser);
        let batch = station.open(&releaser, &["G1", "G2"]).unwrap();
        let release = |donation: &str| {
            let now = batches::BatchNow::read(&station.settings, &station.ledger.state(), batch).unwrap();
            let (gate, reason) = ("R-GATE-15".into(), "surely not".into());
            let aside = Aside { gate, reason, donations: vec![donation.into()] };
            let asked = ReleaseAsked { set_aside: vec![aside], ..ReleaseAsked::default() };
            let by = station.confirmed(&releaser);
            batches::release(&station.settings, &station.ledger, by, (batch, &now.seen), &asked)
        };
        let refused = release("G1").unwrap_err();
        assert_eq!(refused, batches::Refused::Disputed(DonationId::new("G1").unwrap()));
        for told in [refused.english(), refused.chinese()] {
            assert!(told.contains("hemogate donation settle-result"), "{told}");
        }
        assert!(
            matches!(release("G2"), Err(batches::Refused::NothingToRelease { .. })),
            "it has none of these"
        );
    }
    // What closes it otherwise is set aside where the pack allows it, as before.
    let station = Station::new();
    let mut other = facts(&station, "G1");
    other.findings = vec![vocabulary::Finding {
        finding: "flag_holds".into(),
        place: "R|1".into(),
        what: "the analyser says so".into(),
        consequence: vocabulary::Consequence::Hold,
        specimen: None,
    }];
    assert!(set_aside(&station, &mut other));
}

fn nat(specimen: &str, found: Interpretation) -> Observation {
    let value = Value { raw: format!("{found:?}"), interpretation: Some(found), ..Value::default() };
    Observation {
        specimen: SpecimenId::new(specimen).ok(),
        assay: "NAT".into(),
        marker: Marker::HbvDna,
        value,
        ..hbsag(NOT)
    }
}

/// A pool of G1 and G2.
fn pooled(station: &Station) {
    let member = |number: &str| ledger::PoolMember {
        donation: donation_of(number),
        aspiration: vocabulary::Aspiration {
            position: Some(number.into()),
            barcode: SpecimenId::new(number).ok(),
            wrong: vec![],
            said: None,
            volume: None,
            at: None,
            record: "row 1".into(),
        },
    };
    let made = ledger::PoolMade {
        pool: PoolId::new("P1").unwrap(),
        run: "W1".into(),
        size: 2,
        members: ["G1", "G2"].map(member).to_vec(),
    };
    let message = received(station);
    means(station, message, vec![], Pools { made: vec![made], ..Pools::default() });
}

fn pool_sends(station: &Station, found: Interpretation) -> u64 {
    let message = received(station);
    let pools = Pools { results: vec![(0, PoolId::new("P1").unwrap())], ..Pools::default() };
    means(station, message, vec![nat("P1", found)], pools);
    message.get()
}

#[test]
fn a_word_on_a_pools_result_counts_for_each_of_its_donations() {
    let station = Station::new();
    let people = two_people(&station);
    pooled(&station);
    let messages =
        [Interpretation::Reactive, Interpretation::NonReactive].map(|found| pool_sends(&station, found));
    let of_versions = |donation: &str| {
        let open = open_findings(&station, donation);
        open.iter().filter(|name| *name == "changed_result").count()
    };
    assert_eq!(["G1", "G2", "G3"].map(of_versions), [1, 1, 0]);
    let one = waiting(&station, "G2");
    assert_eq!(one.pool.as_ref().map(PoolId::as_str), Some("P1"));
    let (assay, marker) = ("NAT".to_owned(), Marker::HbvDna);
    let named = Version { assay, marker, message: messages[1], seen: one.seen };
    settle_result(&station.settings, &station.ledger, &people[0], ("G1", &named), WHY).unwrap();
    assert_eq!(["G1", "G2"].map(of_versions), [1, 1]);
    let second = settle_result(&station.settings, &station.ledger, &people[1], ("G2", &named), WHY);
    assert!(matches!(second, Ok(Agreed::Done { .. })), "{second:?}");
    assert_eq!(["G1", "G2"].map(of_versions), [0, 0]);
    let of_pool = evidence(&station, "G1");
    let pools: Vec<_> = of_pool.nat.iter().filter(|nat| nat.kind != NatKind::Individual).collect();
    assert_eq!((pools.len(), of_pool.settled.len()), (1, 1), "{of_pool:#?}");
    // Another value of it, and every donation of the pool is held again.
    pool_sends(&station, Interpretation::Indeterminate);
    assert_eq!(["G1", "G2"].map(of_versions), [1, 1]);
}

#[test]
fn what_two_people_settle_of_a_donation_tested_alone_counts_for_the_others_of_its_pool() {
    let mut station = Station::new();
    station.settings.lots = crate::LotRegister::new([crate::AcceptedLot {
        lot: "L1".into(),
        role: None,
        assays: Vec::new(),
        in_use_on: Some(ConnectionId::new("line").unwrap()),
        expires: Some(jiff::civil::date(2026, 12, 31)),
        on_board_until: None,
        approval: "x".into(),
        accepted_by: "x".into(),
    }]);
    let people = two_people(&station);
    pooled(&station);
    pool_sends(&station, Interpretation::Reactive);
    sends(&station, nat("G1", Interpretation::Reactive));
    let not = sends(&station, nat("G1", Interpretation::NonReactive));
    for marker in [Marker::HcvRna, Marker::HivRna] {
        sends(&station, Observation { marker, ..nat("G1", Interpretation::NonReactive) });
    }
    while crate::work_once(&station.settings, &station.ledger).unwrap() > 0 {}
    let settled = || {
        let pool = facts(&station, "G2").pools.remove(0);
        pool.members[&DonationId::new("G1").unwrap()].settled.len()
    };
    // As the run is in control.
    let alone = || {
        let mut known = facts(&station, "G2");
        let of_g1 = known.pools[0].members.get_mut(&DonationId::new("G1").unwrap()).unwrap();
        for run in of_g1.runs.values_mut() {
            *run = crate::RunFacts::new(Validity::Valid, Qc::InControl);
        }
        let evidence = crate::evidence(&known, &station.settings);
        let pool = evidence.nat.iter().find(|nat| nat.kind != NatKind::Individual).unwrap();
        pool.pool_members[0].result
    };
    let seen = waiting(&station, "G1");
    assert_eq!((seen.pool, settled(), alone()), (None, 0, Call::Pending));
    let (assay, marker) = ("NAT".to_owned(), Marker::HbvDna);
    let named = Version { assay, marker, message: not, seen: seen.seen };
    for who in &people {
        names(&station, who, &named).unwrap();
    }
    let to_decide = station.ledger.state().to_decide(&Page::first(9)).unwrap().items;
    let to_decide: Vec<&str> = to_decide.iter().map(|item| item.donation.as_str()).collect();
    assert_eq!(to_decide, ["G1", "G2"], "the others rest on it and are judged again");
    assert_eq!((settled(), alone()), (2, Call::NonReactive));
}

//! Batches on a real ledger: who may do what, what a signature is bound to, and what comes after a release.

use super::*;
use crate::people::{self, HashCost, Local, NewUser, People, PeopleRules};
use jiff::Timestamp;
use ledger::{Page, StateStore, VerdictMade};
use release::{RulePack, decide, explain, read_case};
use vocabulary::{DonationRegistration, DonorRegistration, Role};

const FIRST: &str = "First-password-1";
const OTHER: &str = "Other-password-2";
/// A donation that every gate lets go, signatures included.
const RELEASABLE: &str = include_str!("../../../release/tests/cases/base.json");

/// A ledger with three donations, and people to be hired.
pub(crate) struct Station {
    pub(crate) settings: Settings,
    pub(crate) ledger: Ledger,
    people: People,
    _folder: tempfile::TempDir,
}

fn settings() -> Settings {
    Settings {
        profiles: crate::Profiles::default(),
        pack: RulePack::built_in("cn-2019").unwrap(),
        specimens: crate::SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
        time_zone: jiff::tz::TimeZone::UTC,
        lots: crate::LotRegister::default(),
        kits: crate::Kits::default(),
        reagents_per_marker: 2,
        neighbours_each_side: 1,
        deliver_to: Vec::new(),
        sign_off: crate::SignOff::Here,
        orders: crate::orders::OrderRules::default(),
    }
}

pub(crate) fn registered(donation: &str, collected_at: &str) -> What {
    let donor = DonorRegistration {
        id: "D".into(),
        first_time: false,
        deferred: false,
        barred: None,
        sensitised: None,
        history: None,
        field_abo: None,
    };
    let donation = DonationId::new(donation).unwrap();
    What::DonationRegistered(DonationRegistration {
        donation,
        collected_at: collected_at.parse().unwrap(),
        centrifuged_at: None,
        session: None,
        donor,
    })
}

impl Station {
    pub(crate) fn new() -> Self {
        Self::with_clock(std::sync::Arc::new(ledger::SystemClock))
    }

    pub(crate) fn with_clock(clock: std::sync::Arc<dyn ledger::Clock>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let of_ledger = ledger::Settings {
            state: StateStore::Memory,
            free_bytes_min: 0,
            ballast_bytes: 0,
            clock,
            ..ledger::Settings::new(folder.path())
        };
        let (ledger, _) = Ledger::open(of_ledger, &mut |_| {}).unwrap();
        let rules = PeopleRules { cost: HashCost::cheap(), ..PeopleRules::default() };
        let people = People::new(ledger.clone(), rules);
        let station = Self { settings: settings(), ledger, people, _folder: folder };
        let local = Local::of_stopped(&station.people, "root");
        for (user, role) in [("system", Role::SystemAdministrator), ("security", Role::SecurityAdministrator)]
        {
            local.add(&Self::named(user), role).unwrap();
        }
        for (donation, at) in
            [("G1", "2026-03-01T08:00:00Z"), ("G2", "2026-03-01T09:00:00Z"), ("G3", "2026-03-02T08:00:00Z")]
        {
            station.write(registered(donation, at));
        }
        station
    }

    fn named(user: &str) -> NewUser {
        NewUser { user: user.into(), name: user.into(), password: FIRST.into() }
    }

    pub(crate) fn person(&self, user: &str, role: Role) -> Actor {
        self.person_with(user, &[role])
    }

    pub(crate) fn person_with(&self, user: &str, roles: &[Role]) -> Actor {
        let sign_in =
            |user: &str, password: &str| self.people.authenticate(user, password, Timestamp::now()).unwrap();
        self.people.add(&sign_in("system", FIRST), &Self::named(user)).unwrap();
        self.people.set_roles(&sign_in("security", FIRST), (user, None), roles, "x").unwrap();
        self.people.change_password(&sign_in(user, FIRST), (FIRST, OTHER), Timestamp::now()).unwrap();
        sign_in(user, OTHER)
    }

    /// One releaser, `rel`, sets a gate aside, as the evidence of now has it.
    pub(crate) fn sets_aside(&self, facts: &mut crate::DonationFacts, gate: &str, reason: &str) {
        let known = crate::evidence::known(facts, &self.settings);
        let basis = crate::signing::basis(&known, &self.settings.pack);
        let done = ledger::Done { by: "rel".into(), at_ms: 0, entry: Seq::new(1) };
        facts.people.released = Some(ledger::ReleaseSigned {
            signed: ledger::SignedBasis { done, basis },
            count: ledger::UnitCount::default(),
            set_aside: vec![ledger::SetAside { gate: gate.into(), reason: reason.into() }],
        });
    }

    pub(crate) fn confirmed(&self, actor: &Actor) -> crate::people::Confirmed {
        self.people.confirm(actor, OTHER, Timestamp::now()).unwrap()
    }

    pub(crate) fn write(&self, what: What) -> Seq {
        let seq = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().last();
        self.ledger.wait_applied(seq).wait().unwrap();
        seq
    }

    pub(crate) fn open(&self, actor: &Actor, donations: &[&str]) -> Result<Seq, Refused> {
        let donations = donations.iter().map(|d| (*d).to_owned()).collect();
        open(
            &self.settings,
            &self.ledger,
            actor,
            &NewBatch { name: "day".into(), donations, ..NewBatch::default() },
        )
    }

    fn now(&self, batch: Seq) -> BatchNow {
        BatchNow::read(&self.settings, &self.ledger.state(), batch).unwrap()
    }

    pub(crate) fn verdict(&self, case: &str) -> Seq {
        let verdict = explain(&read_case(case).unwrap(), &self.settings.pack);
        self.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()))
    }
}

#[test]
fn a_batch_is_made_from_a_time_or_a_list_and_a_donation_is_in_one_only() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let session = Session {
        from: "2026-03-01T00:00:00Z".parse().unwrap(),
        to: "2026-03-02T00:00:00Z".parse().unwrap(),
    };
    let new = NewBatch { name: "1 March".into(), session: Some(session), ..NewBatch::default() };
    let batch = open(&station.settings, &station.ledger, &technician, &new).unwrap();
    let members: Vec<String> = station.now(batch).members.iter().map(|m| m.donation.to_string()).collect();
    assert_eq!(members, ["G1", "G2"]);
    assert!(matches!(station.open(&technician, &["G2", "G3"]), Err(Refused::InBatch { .. })));
    assert_eq!(station.open(&technician, &[]), Err(Refused::From));
    let both = NewBatch { donations: vec!["G3".into()], ..new };
    assert_eq!(open(&station.settings, &station.ledger, &technician, &both), Err(Refused::From));
    assert!(station.open(&technician, &["G3"]).is_ok());
    let qc = station.person("qc", Role::QcOfficer);
    let refused = station.open(&qc, &["G9"]);
    assert_eq!(refused, Err(Refused::Person(people::Refused::NotPermitted { act: Act::OpenBatch })));
}

#[test]
fn of_batches_that_are_opened_at_once_there_is_one_and_the_others_are_told_which() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    for round in 0..10 {
        let numbers = [format!("A{round}"), format!("B{round}")];
        for number in &numbers {
            station.write(registered(number, "2026-03-05T08:00:00Z"));
        }
        let start = std::sync::Barrier::new(4);
        let answers: Vec<_> = std::thread::scope(|scope| {
            let opens = || {
                start.wait();
                station.open(&technician, &[numbers[0].as_str(), numbers[1].as_str()])
            };
            let all = [(); 4].map(|()| scope.spawn(opens));
            all.map(|one| one.join().unwrap()).into()
        });
        let opened: Vec<Seq> = answers.iter().flatten().copied().collect();
        assert_eq!(opened.len(), 1, "{answers:?}");
        let donation = DonationId::new(&numbers[0]).unwrap();
        let told = Err(Refused::InBatch { donation, batch: opened[0] });
        assert_eq!(answers.iter().filter(|answer| **answer == told).count(), 3, "{answers:?}");
        assert_eq!(station.now(opened[0]).members.len(), 2);
    }
}

#[test]
fn what_is_not_complete_is_not_signed_and_what_has_changed_is_not_either() {
    let station = Station::new();
    let (technician, reviewer) =
        (station.person("tech", Role::Technician), station.person("rev", Role::Reviewer));
    let releaser = station.person("rel", Role::Releaser);
    let batch = station.open(&technician, &["G1", "G2"]).unwrap();
    let before = station.now(batch);
    assert!(before.members.iter().all(|m| m.stage == Stage::Open && m.kept_by().count() > 0));
    let review = |who: &Actor, seen: &str| {
        review(&station.settings, &station.ledger, station.confirmed(who), (batch, seen), "")
    };
    assert_eq!(review(&reviewer, &before.seen), Err(Refused::NothingToSign));
    assert!(matches!(review(&releaser, &before.seen), Err(Refused::Person(_))), "a releaser does not review");
    let held = vec!["G1".to_owned()];
    let which = (Some(batch), held.as_slice());
    hold(&station.settings, &station.ledger, &technician, which, (HoldKind::PostDonation, "rang up"))
        .unwrap();
    let after = station.now(batch);
    assert_eq!(after.members[0].stage, Stage::Held);
    let gates: Vec<String> = after.members[0].kept_by().map(|gate| gate.id.to_string()).collect();
    assert!(gates.contains(&"R-GATE-11".to_owned()) && gates.contains(&"R-GATE-15".to_owned()), "{gates:?}");
    let Err(Refused::Changed { now, what }) = review(&reviewer, &before.ticket()) else { panic!("signed") };
    assert_eq!((now, what.len()), (after.seen.clone(), 1));
    assert!(
        what[0].donation.as_str() == "G1" && what[0].what.starts_with("was held by user:tech"),
        "{what:?}"
    );
    // Who gives the hash alone is refused as well; nothing was reviewed, so nothing can be told of it.
    let refused = review(&reviewer, &before.seen);
    assert!(matches!(&refused, Err(Refused::Changed { what, .. }) if what.is_empty()), "{refused:?}");
    let release = |asked: &ReleaseAsked| {
        release(&station.settings, &station.ledger, station.confirmed(&releaser), (batch, &after.seen), asked)
    };
    assert!(matches!(release(&ReleaseAsked::default()), Err(Refused::NothingToRelease { .. })));
    for gate in
        ["R-GATE-01", "R-GATE-02", "R-GATE-03", "R-GATE-04", "R-GATE-10", "R-GATE-11", "R-GATE-14", "all"]
    {
        let aside = Aside { gate: gate.into(), reason: "x".into(), donations: vec!["G1".into()] };
        let asked = ReleaseAsked { set_aside: vec![aside], ..ReleaseAsked::default() };
        assert_eq!(release(&asked), Err(Refused::Gate { gate: gate.into() }), "{gate}");
    }
    lift(&station.settings, &station.ledger, &reviewer, which, "a mistake").unwrap();
    assert_eq!(station.now(batch).seen, before.seen, "lifted, it is what it was");
    assert!(matches!(
        lift(&station.settings, &station.ledger, &reviewer, which, "x"),
        Err(Refused::NotHeld(_))
    ));
}

#[test]
fn units_are_taken_out_as_they_are_counted_and_for_good() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let batch = station.open(&technician, &["G1", "G2"]).unwrap();
    let discard = |numbers: &[&str], counted: u32, reason: &str| {
        let numbers: Vec<String> = numbers.iter().map(|n| (*n).to_owned()).collect();
        let counted = Counted { counted, reason, passing: false };
        discard(&station.settings, &station.ledger, &technician, (batch, &numbers), counted)
    };
    assert_eq!(discard(&["G1", "G2"], 3, "leaks"), Err(Refused::Count { counted: 3, scanned: 2 }));
    assert_eq!(discard(&["G1", "G1"], 2, "leaks"), Err(Refused::Count { counted: 2, scanned: 1 }));
    assert!(matches!(discard(&["G3"], 1, "leaks"), Err(Refused::NotInBatch(_))));
    assert_eq!(discard(&["G1"], 1, " "), Err(Refused::Text { field: "reason" }));
    discard(&["G1"], 1, "leaks").unwrap();
    let stages: Vec<Stage> = station.now(batch).members.iter().map(|m| m.stage).collect();
    assert_eq!(stages, [Stage::Discarded, Stage::Open]);
}

#[test]
fn what_passes_is_taken_out_only_where_that_is_meant() {
    let station = Station::new();
    let technician = station.person("tech", Role::Technician);
    let passes = decide(&read_case(RELEASABLE).unwrap(), &station.settings.pack).donation().to_string();
    let batch = station.open(&technician, &["G1", &passes]).unwrap();
    station.verdict(RELEASABLE);
    let discard = |numbers: &[&str], passing: bool| {
        let numbers: Vec<String> = numbers.iter().map(|n| (*n).to_owned()).collect();
        let counted = u32::try_from(numbers.len()).unwrap();
        let counted = Counted { counted, reason: "leaks", passing };
        discard(&station.settings, &station.ledger, &technician, (batch, &numbers), counted)
    };
    let written = station.ledger.status().durable;
    let refused = discard(&["G1", &passes], false).unwrap_err();
    assert_eq!(refused, Refused::Passes(DonationId::new(&passes).unwrap()));
    assert!(refused.english().contains("--passing") && refused.chinese().contains("--passing"));
    assert_eq!(station.ledger.status().durable, written, "nothing of it");
    discard(&["G1"], false).unwrap();
    discard(&[&passes], true).unwrap();
    let donation = DonationId::new(&passes).unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    assert!(facts.people.discarded.is_some());
    // What it is told to do then can be done: nothing goes, and it stays held.
    let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
    case["components"] = serde_json::json!([{ "id": passes, "state": "discarded" }]);
    let verdict = decide(&read_case(&case.to_string()).unwrap(), &station.settings.pack);
    let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Components).unwrap();
    let told = gate.remedy.unwrap();
    assert!(!gate.is_satisfied() && told.contains("what was discarded is out for good"), "{told}");
}

#[test]
fn a_released_donation_that_may_not_go_any_more_is_called_back_and_its_signatures_are_gone() {
    let station = Station::new();
    let verdict = decide(&read_case(RELEASABLE).unwrap(), &station.settings.pack);
    assert!(verdict.is_releasable());
    let donation = verdict.donation().clone();
    let batch = station.open(&station.person("tech", Role::Technician), &[donation.as_str()]).unwrap();
    let signed = vec![ledger::SignedDonation { donation: donation.clone(), basis: "b".into() }];
    station.write(What::Signed(SignedAct::BatchReviewed {
        batch,
        seen: "s".into(),
        donations: signed,
        comment: String::new(),
    }));
    assert!(station.ledger.state().by_people(&donation).unwrap().reviewed.is_some());
    let released = station.verdict(RELEASABLE);
    let recalls = || station.ledger.state().recalls(true, &Page::first(9)).unwrap().items;
    assert_eq!(recalls(), []);
    let mut deferred: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
    deferred["donor"]["deferred"] = true.into();
    let raised = station.verdict(&deferred.to_string());
    let found = recalls();
    assert_eq!(
        (found[0].recall, found[0].about.released, &found[0].about.donation),
        (raised, Some(released), &donation)
    );
    let people = station.ledger.state().by_people(&donation).unwrap();
    assert!(people.reviewed.is_none(), "what was signed holds no longer, whatever comes");
    let qc = station.person("qc", Role::QcOfficer);
    let closing = Closing { outcome: "found in quarantine, not issued".into(), ..Closing::default() };
    close_recall(&station.ledger, &qc, raised, &closing).unwrap();
    assert_eq!(recalls(), []);
    assert_eq!(close_recall(&station.ledger, &qc, raised, &closing), Err(Refused::NoSuchRecall(raised)));
    assert_eq!(station.ledger.state().counters().unwrap().recalls_open, 0);
}

/// Where the blood information system has it signed, a donation goes by what was told to it.
#[test]
fn a_donation_that_was_delivered_as_passing_is_called_back_when_it_does_not_pass_any_more() {
    let station = Station::new();
    let made = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut case: serde_json::Value = serde_json::from_str(RELEASABLE).unwrap();
        case["signatures"] = serde_json::json!([]);
        change(&mut case);
        let verdict = explain(&read_case(&case.to_string()).unwrap(), &station.settings.pack);
        assert!(!verdict.is_releasable());
        let to = vec![vocabulary::DestinationId::new("bis").unwrap()];
        station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, to).unwrap()))
    };
    let id =
        |verdict| ledger::DeliveryId { verdict, destination: vocabulary::DestinationId::new("bis").unwrap() };
    let arrives = |delivery| {
        station.write(What::DeliveryDone { delivery, answer: b"AA".as_slice().into() });
    };
    let recalls = || station.ledger.state().recalls(false, &Page::first(9)).unwrap().items;
    let passes = |_: &mut serde_json::Value| ();
    let deferred = |case: &mut serde_json::Value| case["donor"]["deferred"] = true.into();
    let first = made(&passes);
    station.write(What::DeliveryDead { delivery: id(first), reason: "AE".into() });
    arrives(id(made(&deferred)));
    assert_eq!(recalls().len(), 0, "the receiver refused it: it never heard that it passes");
    let told = made(&passes);
    arrives(id(told));
    made(&|case| case["alt"][0]["u_per_l"] = "24.0".into());
    assert_eq!(recalls().len(), 0, "it still passes");
    let fell = made(&deferred);
    assert_eq!(recalls().iter().map(|r| r.recall).collect::<Vec<_>>(), [fell]);
    made(&|case| case["alt"][0]["u_per_l"] = "99.0".into());
    assert_eq!(recalls().len(), 1, "once");
}

#[test]
fn a_signature_is_evidence_for_what_was_signed_and_for_nothing_else() {
    let station = Station::new();
    let reader = station.ledger.state();
    let donation = DonationId::new("G1").unwrap();
    let mut facts = crate::facts_of(&station.settings, &reader, &donation).unwrap();
    let basis =
        crate::signing::basis(&crate::evidence::known(&facts, &station.settings), &station.settings.pack);
    let signed = |by: &str| ledger::SignedBasis {
        done: ledger::Done { by: by.into(), at_ms: 0, entry: Seq::new(1) },
        basis: basis.clone(),
    };
    facts.people.reviewed = Some(signed("rev"));
    facts.people.released = Some(ledger::ReleaseSigned {
        signed: signed("rel"),
        count: ledger::UnitCount { failing: 2, located: 1 },
        set_aside: vec![],
    });
    let evidence = crate::evidence(&facts, &station.settings);
    let by: Vec<&str> = evidence.signatures.iter().map(|s| s.by.as_str()).collect();
    assert_eq!(by, ["rev", "rel"]);
    assert_eq!(evidence.batch.map(|b| (b.failing, b.located)), Some((2, 1)));
    let done = ledger::Done { by: "x".into(), at_ms: 0, entry: Seq::new(2) };
    let changes: [fn(&mut crate::DonationFacts, ledger::Done); 3] = [
        |facts, _| facts.alike.push(DonationId::new("G10000000").unwrap()),
        |facts, done| {
            let hold = ledger::HoldStands { done, kind: HoldKind::Laboratory, reason: "x".into() };
            facts.people.holds.push(hold);
        },
        |facts, done| facts.people.discarded = Some(ledger::DiscardDone { done, reason: "x".into() }),
    ];
    for change in changes {
        let mut other = facts.clone();
        change(&mut other, done.clone());
        let evidence = crate::evidence(&other, &station.settings);
        assert!(evidence.signatures.is_empty() && evidence.overrides.is_empty() && evidence.batch.is_none());
    }
    let other_pack = Settings {
        pack: RulePack::built_in("us-fda")
            .unwrap_or_else(|_| RulePack::from_toml("id = \"other\"\nbased_on = \"cn-2019\"\n").unwrap()),
        ..settings()
    };
    assert!(crate::evidence(&facts, &other_pack).signatures.is_empty(), "another pack, another signature");
}

//! A number that was registered for two, on a real ledger: what bars it, what two people say, and what that changes.

use super::task_tests::one_reactive;
use super::tests::{gate_11, nat_found, reactive, verdict};
use super::*;
use crate::batches::{self, Agreed, Aside, BatchNow, ReleaseAsked, tests::Station, tests::registered};
use crate::people;
use ledger::{LookbackId, Page, SignedAct, SignedDonation, UnitCount};
use release::evidence::{Call, EarlierCall, EarlierDonation, Register, RegisterState};
use release::{Gate, GateId, Verdict, decide};
use vocabulary::{DonationRegistration, Role};

const WHY: &str = "the donor's card";

fn number(donation: &str) -> DonationId {
    DonationId::new(donation).unwrap()
}

/// A registration of a donation for another donor than the station's own D.
fn given_by(donation: &str, donor: &str, at: &str) -> DonationRegistration {
    let What::DonationRegistered(mut one) = registered(donation, at) else {
        unreachable!("it is a registration")
    };
    one.donor.id = donor.into();
    one
}

/// G2, which D gave after G1, was registered for E as well, who had given E1.
struct House {
    station: Station,
    second: Seq,
    rev: Actor,
    rel: Actor,
}

const AT: &str = "2026-03-01T09:00:00Z";

impl House {
    fn new() -> Self {
        let station = Station::new();
        let (rev, rel) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
        station.write(What::DonationRegistered(given_by("E1", "E", "2026-02-01T09:00:00Z")));
        let mut twice = given_by("G2", "E", AT);
        twice.donor.first_time = true;
        let second = station.write(What::DonationRegistered(twice));
        Self { station, second, rev, rel }
    }

    fn now(&self) -> Option<RegisteredTwice> {
        let known = self.station.ledger.state().registration_of(&number("G2")).unwrap();
        registered_twice(known.as_ref())
    }

    fn first(&self) -> Seq {
        self.now().unwrap().registrations[0].entry
    }

    fn says(&self, who: &Actor, entry: Seq) -> Result<Agreed, Refused> {
        self.sees(who, entry.get(), &self.now().unwrap().seen)
    }

    fn sees(&self, who: &Actor, entry: u64, seen: &str) -> Result<Agreed, Refused> {
        let which = WhichRegistration { entry, seen: seen.into() };
        settle_registration(&self.station.settings, &self.station.ledger, who, ("G2", &which), WHY)
    }

    fn two_say(&self, entry: Seq) {
        assert!(matches!(self.says(&self.rev, entry).unwrap(), Agreed::Proposed { .. }));
        assert!(matches!(self.says(&self.rel, entry).unwrap(), Agreed::Done { .. }));
    }

    fn facts(&self, donation: &str) -> DonationFacts {
        crate::facts_of(&self.station.settings, &self.station.ledger.state(), &number(donation)).unwrap()
    }

    fn verdict(&self, donation: &str) -> Verdict {
        let settings = &self.station.settings;
        decide(&crate::evidence(&self.facts(donation), settings), &settings.pack)
    }

    fn gate_09(&self) -> Gate {
        self.verdict("G2").gates().iter().find(|gate| gate.id == GateId::Identity).unwrap().clone()
    }

    fn bars(&self) -> String {
        gate_11(&self.station, "G2")
    }

    fn defers(&self, donor: &str) {
        let line = Deferral {
            permanent: true,
            until: None,
            since: None,
            donation: None,
            reason: format!("{donor} is ill"),
        };
        defer(&self.station.settings, &self.station.ledger, &self.rev, donor, &line).unwrap();
    }

    /// Somebody tells of an earlier donation that was reactive.
    fn was_reactive(&self, donor: &str, donation: &str) {
        let told = serde_json::json!({ "donation": donation, "collected_at": "2025-01-01T08:00:00Z",
            "results": [{ "marker": "HCV", "result": "reactive" }] });
        let earlier: EarlierDonation = serde_json::from_value(told).unwrap();
        let donor = DonorId::from(donor);
        let act = DonorAct::EarlierRecorded { donor, earlier, source: "x".into() };
        self.station.write(What::Donor(act));
    }
}

#[test]
fn a_number_that_was_registered_for_two_holds_until_two_different_people_name_the_same_registration() {
    let house = House::new();
    let closed = house.gate_09();
    assert!(!closed.pass && closed.why.contains("registered_twice"), "{}", closed.why);
    for told in [closed.remedy.unwrap(), closed.remedy_zh.unwrap(), &closed.why] {
        assert!(told.contains("hemogate donation settle-registration"), "{told}");
    }
    assert!(matches!(house.says(&house.rev, house.second).unwrap(), Agreed::Proposed { .. }));
    assert_eq!(house.says(&house.rev, house.second), Err(Refused::SaidAlready));
    assert!(!house.gate_09().pass, "one person alone opens nothing");
    assert!(matches!(house.says(&house.rel, house.first()).unwrap(), Agreed::Proposed { .. }));
    assert!(!house.gate_09().pass, "they name different ones");
    assert!(matches!(house.says(&house.rel, house.second).unwrap(), Agreed::Done { .. }));
    assert!(house.gate_09().pass);
    let facts = house.facts("G2");
    let donor = facts.registration.unwrap().donor;
    assert_eq!((donor.id.as_str(), donor.first_time), ("E", true));
    let now = house.now().unwrap();
    assert_eq!(
        (now.stands, now.registrations[1].said_by.as_slice()),
        (Some(house.second), &["rev".to_owned(), "rel".into()][..])
    );
}

#[test]
fn who_may_not_say_whose_it_is_or_has_not_seen_it_says_nothing() {
    let house = House::new();
    let seen = house.now().unwrap().seen;
    for role in [Role::Technician, Role::QcOfficer, Role::ReferenceLaboratory, Role::SystemAdministrator] {
        let who = house.station.person(role.name(), role);
        let refused = Err(Refused::Person(people::Refused::NotPermitted { act: Act::SettleRegistration }));
        assert_eq!(house.says(&who, house.second), refused, "{role}");
    }
    let refuses = |entry: u64, seen: &str| match house.sees(&house.rev, entry, seen) {
        Err(Refused::Registration(why)) => why,
        other => unreachable!("{other:?}"),
    };
    for seen in ["", "0000000000000000", seen.get(..7).unwrap()] {
        let why = refuses(house.second.get(), seen);
        assert!(matches!(why, RegistrationRefused::Other { .. }), "{why:?}");
        assert!(why.english().contains("donor E") && why.chinese().contains("donor E"), "{why}");
    }
    let why = refuses(house.second.get() + 1, &seen);
    assert!(matches!(why, RegistrationRefused::NoSuch { .. }), "{why:?}");
    let which = WhichRegistration { entry: 1, seen };
    let (settings, ledger) = (&house.station.settings, &house.station.ledger);
    let once = settle_registration(settings, ledger, &house.rev, ("G1", &which), WHY);
    assert_eq!(once, Err(RegistrationRefused::Once(number("G1")).into()));
    let two_roles = house.station.person_with("both", &[Role::Reviewer, Role::Releaser]);
    assert!(matches!(house.says(&two_roles, house.second).unwrap(), Agreed::Proposed { .. }));
    assert_eq!(
        house.says(&two_roles, house.second),
        Err(Refused::SaidAlready),
        "one person with two roles is one"
    );
    assert_eq!(house.now().unwrap().stands, None);
}

#[test]
fn what_bars_either_donor_bars_it_until_two_people_say_whose_it_is() {
    for (what, bars) in [
        ("deferred", &(|house: &House, donor: &str| house.defers(donor)) as &dyn Fn(&House, &str)),
        ("reactive before", &|house: &House, donor: &str| {
            house.was_reactive(donor, &format!("{donor} is ill"));
        }),
        ("reactive before, here", &|house: &House, donor: &str| {
            house.station.write(What::DonationRegistered(given_by(
                &format!("{donor} is ill"),
                donor,
                "2026-01-01T08:00:00Z",
            )));
            verdict(&house.station, &format!("{donor} is ill"), |case| reactive(case, "HBsAg"));
        }),
    ] {
        for barred in ["D", "E"] {
            let house = House::new();
            bars(&house, barred);
            let says = format!("{barred} is ill");
            assert!(house.bars().contains(&says), "{what}: {}", house.bars());
            house.two_say(house.second);
            assert_eq!(house.bars().contains(&says), barred == "E", "{what}: {}", house.bars());
            house.says(&house.rev, house.first()).unwrap();
            assert!(house.bars().contains(&says), "{what}, no two agree: {}", house.bars());
            house.says(&house.rel, house.first()).unwrap();
            assert_eq!(house.bars().contains(&says), barred == "D", "{what}: {}", house.bars());
        }
    }
}

#[test]
fn no_examination_of_one_donor_takes_back_what_is_known_of_the_other() {
    let house = House::new();
    let line = |donor: &str, state, since: &str| DonorAct::Registered {
        donor: donor.into(),
        register: Register {
            state,
            reason: Some(format!("of {donor}")),
            until: None,
            since: since.parse().ok(),
        },
        on: vec![],
        donation: None,
    };
    // Neither line alone is both: the graver is of later donations only, the lighter of this one.
    house.station.write(What::Donor(line("D", RegisterState::PermDeferred, "2026-06-01")));
    assert_eq!(house.bars(), "");
    house.station.write(What::Donor(line("E", RegisterState::TempDeferred, "2026-01-01")));
    assert_ne!(house.bars(), "");
    house.two_say(house.first());
    assert_eq!(house.bars(), "", "what E is deferred for says nothing of D's");
    let begun = DonorAct::ReentryBegun {
        donor: "D".into(),
        marker: "HCV".into(),
        deferred_on: "2025-01-01".parse().unwrap(),
        nat_then: Call::NonReactive,
        reason: "x".into(),
    };
    let other = House::new();
    other.station.write(What::Donor(begun));
    assert_eq!(other.facts("G2").donor.reentry, None);
    other.two_say(other.first());
    assert!(other.facts("G2").donor.reentry.is_some());
}

#[test]
fn after_two_people_have_said_whose_it_is_the_other_donor_never_gave_it() {
    let house = House::new();
    let (later_d, later_e) = ("2026-03-20T09:00:00Z", "2026-03-21T09:00:00Z");
    house.station.write(What::DonationRegistered(given_by("D9", "D", later_d)));
    house.station.write(What::DonationRegistered(given_by("E9", "E", later_e)));
    verdict(&house.station, "G2", |case| reactive(case, "HBsAg"));
    let barred = || ["D9", "E9"].map(|one| gate_11(&house.station, one).contains("G2"));
    let gave = |donor: &str| {
        let given = stands(&house.station.ledger.state(), donor).unwrap().1;
        given.iter().any(|given| given.donation == number("G2"))
    };
    assert_eq!((barred(), ["D", "E"].map(gave)), ([true, true], [true, true]));
    house.two_say(house.second);
    assert_eq!((barred(), ["D", "E"].map(gave)), ([false, true], [false, true]));
    let earlier = |one: &str| house.facts(one).donor.earlier.iter().any(|e| e.donation == number("G2"));
    assert_eq!((earlier("D9"), earlier("E9")), (false, true), "a first-time donor is one again");
}

#[test]
fn what_is_found_in_it_looks_back_on_the_donations_of_each_donor_until_it_is_settled() {
    let house = House::new();
    let negative = |donation: &str| verdict(&house.station, donation, |_| ());
    negative("G1");
    negative("E1");
    let looks_back = || {
        let facts = house.facts("G2");
        let mut evidence = crate::evidence(&facts, &house.station.settings);
        let mut case: serde_json::Value =
            serde_json::from_str(include_str!("../../../release/tests/cases/base.json")).unwrap();
        nat_found(&mut case, "HIV");
        let found = release::read_case(&case.to_string()).unwrap();
        (evidence.nat, evidence.runs) = (found.nat, found.runs);
        let found = decide(&evidence, &house.station.settings.pack);
        found.donor().lookback.iter().map(|task| task.donation.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(looks_back(), ["G1", "E1"]);
    house.two_say(house.second);
    assert_eq!(looks_back(), ["E1"]);
    house.says(&house.rev, house.first()).unwrap();
    house.says(&house.rel, house.first()).unwrap();
    assert_eq!(looks_back(), ["G1"]);
    // The group of the other one is no history of it.
    assert!(
        house
            .facts("G2")
            .donor
            .earlier
            .iter()
            .all(|e| e.results.iter().all(|r| r.result == EarlierCall::NonReactive))
    );
}

#[test]
fn an_infection_of_the_donor_found_later_holds_it_for_the_donor_whose_it_is() {
    let house = House::new();
    house.station.write(What::DonationRegistered(given_by("E9", "E", "2026-03-21T09:00:00Z")));
    let found = || {
        verdict(&house.station, "E9", |case| {
            nat_found(case, "HIV");
            case["donor"]["earlier"] = serde_json::json!([{ "donation": "G2", "collected_at": AT,
                "results": [{ "marker": "HIV", "result": "non_reactive" }] }]);
        })
    };
    found();
    let id = LookbackId { trigger: number("E9"), marker: "HIV".into(), earlier: number("G2") };
    let gone = || house.station.ledger.state().lookback(&id).unwrap().unwrap().gone;
    assert!(house.bars().contains("E9"), "{}", house.bars());
    house.two_say(house.first());
    while crate::work_once(&house.station.settings, &house.station.ledger).unwrap() > 0 {}
    assert!(gone().is_some(), "nobody who gave E9 gave it");
    assert!(!house.bars().contains("E9"), "{}", house.bars());
    house.says(&house.rev, house.second).unwrap();
    found();
    assert!(house.bars().contains("E9"), "{}", house.bars());
}

#[test]
fn who_is_deferred_and_examined_because_of_it_is_whoever_may_have_given_it() {
    let house = House::new();
    verdict(&house.station, "G2", |case| one_reactive(case, "HBsAg"));
    let examined = || {
        let listed = house.station.ledger.state().candidates(&Page::first(9)).unwrap().items;
        listed.into_iter().map(|one| one.donor.to_string()).collect::<Vec<_>>()
    };
    let defers = |donor: &str| {
        let (permanent, until, since, donation) = (false, None, None, Some("G2".to_owned()));
        let line = Deferral { permanent, until, since, donation, reason: "reactive".into() };
        defer(&house.station.settings, &house.station.ledger, &house.rev, donor, &line).map(|_| ())
    };
    assert_eq!((examined(), defers("D"), defers("E")), (vec!["D".to_owned()], Ok(()), Ok(())));
    house.two_say(house.second);
    let not_hers = Err(Refused::OtherDonor(number("G2")));
    assert_eq!((examined(), defers("D"), defers("E")), (vec!["E".to_owned()], not_hers, Ok(())));
}

#[test]
fn one_persons_reason_does_not_set_gate_09_aside_for_a_number_that_was_registered_for_two() {
    let house = House::new();
    let mut facts = house.facts("G2");
    house.station.sets_aside(&mut facts, "R-GATE-09", "surely hers");
    let settings = &house.station.settings;
    let decided = decide(&crate::evidence(&facts, settings), &settings.pack);
    let gate = decided.gates().iter().find(|gate| gate.id == GateId::Identity).unwrap();
    assert!(!gate.is_satisfied(), "{gate:?}");
    let batch = house.station.open(&house.rel, &["G2"]).unwrap();
    let now = BatchNow::read(settings, &house.station.ledger.state(), batch).unwrap();
    let aside = Aside { gate: "R-GATE-09".into(), reason: "hers".into(), donations: vec!["G2".into()] };
    let asked = ReleaseAsked { set_aside: vec![aside], ..ReleaseAsked::default() };
    let by = house.station.confirmed(&house.rel);
    let refused =
        batches::release(settings, &house.station.ledger, by, (batch, &now.seen), &asked).unwrap_err();
    assert_eq!(refused, batches::Refused::RegisteredTwice(number("G2")));
    for told in [refused.english(), refused.chinese()] {
        assert!(told.contains("hemogate donation settle-registration"), "{told}");
    }
}

/// A released donation: its verdict lets it go, and somebody signed that.
fn released(house: &House) {
    let batch = house.station.open(&house.rel, &["G2"]).unwrap();
    verdict(&house.station, "G2", |_| ());
    let signed = SignedDonation { donation: number("G2"), basis: "x".into() };
    let act = SignedAct::BatchReleased {
        batch,
        seen: String::new(),
        donations: vec![signed],
        held: vec![],
        count: UnitCount::default(),
        set_aside: vec![],
        comment: String::new(),
    };
    let draft = ledger::Draft { by: "user:rel".into(), what: What::Signed(act) };
    let seq = house.station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    house.station.ledger.wait_applied(seq).wait().unwrap();
}

#[test]
fn a_released_donation_that_is_found_to_be_another_donors_is_called_back_when_that_one_is_deferred() {
    let house = House::new();
    released(&house);
    let recalls = || house.station.ledger.state().recalls(true, &Page::first(9)).unwrap().items.len();
    assert_eq!(recalls(), 0);
    house.defers("E");
    house.two_say(house.second);
    while crate::work_once(&house.station.settings, &house.station.ledger).unwrap() > 0 {}
    assert_eq!(recalls(), 1);
}

#[test]
fn a_signature_over_another_donors_donation_falls_when_its_registration_is_settled() {
    let house = House::new();
    let basis = || {
        let known = crate::evidence::known(&house.facts("G2"), &house.station.settings);
        crate::signing::basis(&known, &house.station.settings.pack)
    };
    let held = basis();
    house.two_say(house.second);
    let hers = basis();
    assert_ne!(held, hers);
    house.says(&house.rev, house.first()).unwrap();
    house.says(&house.rel, house.first()).unwrap();
    assert!(![&held, &hers].contains(&&basis()), "three things that are signed apart");
}

#[test]
fn another_registration_that_comes_after_the_words_holds_it_again_for_every_donor() {
    let house = House::new();
    let seen = house.now().unwrap().seen;
    house.two_say(house.second);
    let third = house.station.write(What::DonationRegistered(given_by("G2", "F", AT)));
    assert!(!house.gate_09().pass);
    let now = house.now().unwrap();
    assert!(now.registrations.iter().all(|one| one.said_by.is_empty()), "{now:?}");
    let late = house.sees(&house.rev, house.second.get(), &seen);
    assert!(matches!(late, Err(Refused::Registration(RegistrationRefused::Other { .. }))), "{late:?}");
    for donor in ["D", "E", "F"] {
        house.was_reactive(donor, &format!("before {donor}"));
        assert!(house.bars().contains(&format!("before {donor}")), "{}", house.bars());
    }
    house.two_say(third);
    assert!(house.gate_09().pass && !house.bars().contains("before D"), "{}", house.bars());
}

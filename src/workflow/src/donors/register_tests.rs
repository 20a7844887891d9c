//! Deferrals on a real ledger: each stands by itself, and is taken back by name or by an examination of its cause.

use super::tests::{examination, gate_11, now, reactive, verdict};
use super::*;
use crate::batches::tests::Station;
use jiff::civil::Date;
use release::evidence::{ReentryTest, Register, RegisterState};
use vocabulary::Role;

struct Office {
    station: Station,
    reviewer: Actor,
    releaser: Actor,
}

impl Office {
    fn new() -> Self {
        let station = Station::new();
        let (reviewer, releaser) =
            (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
        Self { station, reviewer, releaser }
    }

    fn defers(&self, reason: &str, until: Option<&str>, donation: Option<&str>) -> Seq {
        let until = until.map(|day| day.parse().unwrap());
        let (donation, reason) = (donation.map(str::to_owned), reason.to_owned());
        let line = Deferral { permanent: false, until, since: None, donation, reason };
        defer(&self.station.settings, &self.station.ledger, &self.reviewer, "D", &line).unwrap()
    }

    fn lifts(&self, on: &[Seq]) -> Result<Seq, Refused> {
        reinstate(&self.station.ledger, &self.releaser, "D", (on, "it is over"))
    }

    fn begins(&self, marker: &str) -> Seq {
        examine(
            &self.station.settings,
            &self.station.ledger,
            &self.reviewer,
            "D",
            (&examination(marker), now()),
        )
        .unwrap()
    }

    fn approves(&self, deferrals: &[Seq]) -> Result<Seq, Refused> {
        let ids = ["T1", "T2", "T3", "T4"];
        for (id, kind) in ids.into_iter().zip(["serology", "serology", "nat", "confirmatory"]) {
            let test = serde_json::json!({ "id": id, "kind": kind, "reagent": id,
                "result": "non_reactive", "collected_on": "2026-10-01" });
            let test: ReentryTest = serde_json::from_value(test).unwrap();
            // Where the first approval was refused they are there.
            record_test(&self.station.settings, &self.station.ledger, &self.reviewer, "D", (&test, now()))
                .ok();
        }
        let on = ids.map(str::to_owned).to_vec();
        let asked = Approval { on, deferrals: deferrals.to_vec(), reason: "all negative".into() };
        approve(&self.station.settings, &self.station.ledger, &self.releaser, "D", &asked)
    }

    fn line(&self) -> Register {
        self.station.ledger.state().donor("D").unwrap().register.unwrap()
    }

    /// What stands: each reason.
    fn standing(&self) -> Vec<String> {
        let stands = self.station.ledger.state().donor("D").unwrap().deferrals;
        stands.into_iter().filter_map(|one| one.line.reason).collect()
    }
}

#[test]
fn a_shorter_deferral_takes_nothing_from_a_longer_one_and_lifting_it_frees_nobody() {
    let office = Office::new();
    let long = office.defers("hepatitis at home", Some("2099-12-31"), None);
    let short = office.defers("a cold", Some("2099-01-31"), None);
    let day = |text: &str| Some(text.parse::<Date>().unwrap());
    assert_eq!((office.line().state, office.line().until), (RegisterState::TempDeferred, day("2099-12-31")));
    let why = gate_11(&office.station, "G1");
    assert!(why.contains("hepatitis at home") && why.contains("a cold"), "{why}");
    let standing = vec![format!("{long} (hepatitis at home)"), format!("{short} (a cold)")];
    let unnamed = office.lifts(&[Seq::new(1)]);
    assert_eq!(unnamed, Err(Refused::WhichDeferral { standing: standing.clone() }));
    let told = unnamed.unwrap_err();
    assert!(
        standing.iter().all(|one| told.english().contains(one) && told.chinese().contains(one)),
        "{told}"
    );
    office.lifts(&[short]).unwrap();
    assert_eq!(
        (office.standing(), office.line().until),
        (vec!["hepatitis at home".into()], day("2099-12-31"))
    );
    assert!(!gate_11(&office.station, "G1").is_empty());
    assert_eq!(office.lifts(&[Seq::new(1)]).map(|_| office.line().state), Ok(RegisterState::Eligible));
    assert_eq!((office.standing().len(), gate_11(&office.station, "G1").as_str()), (0, ""));
}

#[test]
fn a_deferral_without_a_last_day_has_none_whatever_else_ends() {
    let office = Office::new();
    office.defers("until it is settled", None, None);
    office.defers("a cold", Some("2099-01-31"), None);
    assert_eq!(office.line().until, None);
}

#[test]
fn an_examination_takes_back_what_it_examined_and_what_the_approval_names() {
    for (what, because_of_g1, named, left) in [
        ("of another cause", false, false, &["tattoo"][..]),
        ("of another cause, and named", false, true, &[]),
        ("because of the donation that was reactive", true, false, &["tattoo"]),
    ] {
        let office = Office::new();
        verdict(&office.station, "G1", |case| reactive(case, "anti-HCV"));
        let tattoo = office.defers("tattoo", Some("2099-01-31"), None);
        if because_of_g1 {
            office.defers("HCV", None, Some("G1"));
        }
        office.begins("HCV");
        assert_eq!(office.line().state, RegisterState::ReentryTesting, "{what}");
        let unknown = office.approves(&[Seq::new(1)]);
        assert!(matches!(unknown, Err(Refused::WhichDeferral { .. })), "{what}: {unknown:?}");
        let deferrals: Vec<Seq> = named.then_some(tattoo).into_iter().collect();
        office.approves(&deferrals).unwrap();
        assert_eq!(office.standing(), left, "{what}");
        let state = if left.is_empty() { RegisterState::Eligible } else { RegisterState::TempDeferred };
        assert_eq!(office.line().state, state, "{what}");
    }
}

/// Its verdict asks for a deferral because of two markers, and one of them was examined.
#[test]
fn an_examination_for_one_marker_takes_nothing_back_of_a_donation_that_has_another() {
    let office = Office::new();
    verdict(&office.station, "G1", |case| {
        reactive(case, "anti-HCV");
        reactive(case, "syphilis");
    });
    office.defers("HCV and syphilis", None, Some("G1"));
    office.begins("HCV");
    office.approves(&[]).unwrap();
    assert_eq!(office.standing(), ["HCV and syphilis"]);
}

#[test]
fn an_examination_for_another_marker_takes_the_place_of_none() {
    let office = Office::new();
    office.begins("HCV");
    office.begins("syphilis");
    office.begins("hcv");
    assert_eq!(office.standing().len(), 2);
    office.approves(&[]).unwrap();
    assert_eq!((office.standing().len(), office.line().state), (1, RegisterState::ReentryTesting));
}

#[test]
fn a_deferral_that_comes_while_a_donor_is_examined_is_lifted_by_itself() {
    let office = Office::new();
    office.begins("HCV");
    let evidence = office.defers("tattoo", None, None);
    assert_eq!(office.line().state, RegisterState::ReentryTesting);
    office.lifts(&[evidence]).unwrap();
    assert_eq!(office.line().state, RegisterState::ReentryTesting, "the examination goes on");
    assert_eq!(office.lifts(&[evidence]), Err(Refused::Examined));
    office.approves(&[]).unwrap();
    assert_eq!(office.line().state, RegisterState::Eligible);
}

/// Entries that an older version wrote name what they rest on, and not what they take back.
#[test]
fn a_reinstatement_of_before_takes_back_the_only_deferral_and_of_several_none() {
    let office = Office::new();
    let eligible = Register { state: RegisterState::Eligible, reason: None, until: None, since: None };
    let older = || {
        let (donor, register) = ("D".to_owned(), eligible.clone());
        let act =
            DonorAct::Registered { donor: donor.into(), register, on: vec![Seq::new(1)], donation: None };
        office.station.write(What::Donor(act));
    };
    office.defers("tattoo", None, None);
    older();
    assert_eq!((office.line().state, office.standing().len()), (RegisterState::Eligible, 0));
    office.defers("tattoo", None, None);
    office.defers("a cold", None, None);
    older();
    assert_eq!((office.line().state, office.standing().len()), (RegisterState::TempDeferred, 2));
    // So is an approval that names none.
    let case =
        serde_json::json!({ "marker": "HCV", "deferred_on": "2026-03-01", "nat_then": "non_reactive" });
    let written = serde_json::json!({ "reentry_approved": { "donor": "D", "case": case } });
    office.begins("HCV");
    office.station.write(What::Donor(serde_json::from_value(written).unwrap()));
    assert_eq!((office.line().state, office.standing().len()), (RegisterState::TempDeferred, 2));
}

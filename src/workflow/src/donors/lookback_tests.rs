//! Look-backs on a real ledger: what is in the house stays there while what they were raised for stands, whoever closes them.

use super::tests::{gate_11, nat_found, reactive, verdict};
use super::*;
use crate::batches::tests::{Station, registered};
use crate::components::{self, Moved, Teller};
use ledger::{
    ComponentAct, ComponentMove, ComponentPlace, LookbackId, LookbackStep, Page, SignedAct, SignedDonation,
    UnitCount,
};
use vocabulary::{DonationRegistration, Role};

pub(super) fn of_g1() -> LookbackId {
    let id = |donation: &str| DonationId::new(donation).unwrap();
    LookbackId { trigger: id("G2"), marker: "HIV".into(), earlier: id("G1") }
}

/// What G2 gave after G1, which had given nothing.
pub(super) fn g2(station: &Station, change: impl FnOnce(&mut serde_json::Value)) -> Seq {
    verdict(station, "G2", |case| {
        case["donor"]["earlier"] = serde_json::json!([{ "donation": "G1",
            "collected_at": "2026-03-01T08:00:00Z", "results": [{ "marker": "HIV", "result": "non_reactive" }] }]);
        change(case);
    })
}

pub(super) fn hiv_found(case: &mut serde_json::Value) {
    nat_found(case, "HIV");
}

pub(super) struct House {
    pub(super) station: Station,
    tech: Actor,
    pub(super) qc: Actor,
    pub(super) releaser: Actor,
}

impl House {
    /// G1 is released, one component of it is here, and HIV is found in G2.
    pub(super) fn new() -> Self {
        Self::with(&["P1"])
    }

    /// The same with these components.
    fn with(made: &[&str]) -> Self {
        let station = Station::new();
        let tech = station.person("tech", Role::Technician);
        let (qc, releaser) = (station.person("qc", Role::QcOfficer), station.person("rel", Role::Releaser));
        let house = Self { station, tech, qc, releaser };
        for code in made {
            house.made(code);
        }
        verdict(&house.station, "G1", |_| ());
        g2(&house.station, hiv_found);
        house
    }

    fn made(&self, code: &str) {
        let (settings, ledger) = (&self.station.settings, &self.station.ledger);
        let (by, codes) = (Teller::Person(&self.tech), [code.to_owned()]);
        components::register(settings, ledger, by, ("G1", &codes), None).unwrap();
    }

    pub(super) fn done(&self, who: &Actor, step: LookbackStep) -> Result<Seq, Refused> {
        look_back(&self.station.ledger, who, &of_g1(), (step, "done"))
    }

    fn moves(&self, code: &str, to: ComponentPlace, happened: bool) -> Result<(), components::Refused> {
        let is_issue = to == ComponentPlace::Issued;
        let what = Moved {
            component: code.into(),
            to,
            reason: (!is_issue).then(|| "because".into()),
            consignee: is_issue.then(|| "City".into()),
            at: None,
            happened,
        };
        let (settings, ledger) = (&self.station.settings, &self.station.ledger);
        components::moved(settings, ledger, Teller::Person(&self.tech), ("G1", &what)).map(|_| ())
    }

    /// Whether a look-back keeps P1 here, and whether that is closed. What else keeps it is nothing of a look-back's.
    pub(super) fn kept(&self) -> Option<bool> {
        match self.moves("P1", ComponentPlace::Issued, false) {
            Err(components::Refused::LookedUp { is_closed, .. }) => Some(is_closed),
            Err(components::Refused::NotReleased { .. }) => None,
            other => unreachable!("{other:?}"),
        }
    }

    /// Another station's word, or one of an older version, that P1 was issued and might be.
    fn was_issued(&self) {
        let to = ComponentMove::Issued { consignee: "City".into(), at_ms: None, against_rules: false };
        let act = ComponentAct::Moved { donation: of_g1().earlier, component: "P1".into(), to };
        self.writes(What::Component(act));
    }

    fn writes(&self, what: What) {
        let draft = Draft { by: "user:tech".into(), what };
        let seq = self.station.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
        self.station.ledger.wait_applied(seq).wait().unwrap();
    }

    fn recalls(&self) -> usize {
        self.station.ledger.state().recalls(true, &Page::first(9)).unwrap().items.len()
    }
}

#[test]
fn closing_a_look_back_lets_nothing_go_while_its_finding_stands() {
    let house = House::new();
    assert_eq!(house.kept(), Some(false));
    let refused = house.done(&house.qc, LookbackStep::Closed);
    let here = vec!["P1".to_owned()];
    assert_eq!(refused, Err(Refused::Lookback(LookbackRefused::NotQuarantined { of: of_g1(), here })));
    let told = refused.unwrap_err();
    for words in [told.english(), told.chinese()] {
        assert!(
            words.contains("P1") && words.contains("lookback G2 HIV G1 --step quarantined"),
            "what is missing, and what to do: {words}"
        );
    }
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), Some(true), "it is closed, and what was found in G2 stands");
    let told = house.moves("P1", ComponentPlace::Issued, false).unwrap_err();
    for words in [told.english(), told.chinese()] {
        assert!(words.contains("lookback G2 HIV G1 --step cleared"), "{words}");
    }
    house.was_issued();
    assert_eq!(house.recalls(), 1, "whoever let it go");
}

#[test]
fn two_people_say_that_what_is_here_may_go_and_one_of_them_is_not_enough() {
    let house = House::new();
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.qc, LookbackStep::Cleared).unwrap();
    assert_eq!(house.done(&house.qc, LookbackStep::Cleared), Err(LookbackRefused::Cleared.into()));
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), Some(true), "by one person twice");
    // Written by somebody who saw it as it had been.
    let (lookback, step) = (of_g1(), LookbackStep::Cleared);
    let by_nobody = DonorAct::LookbackDone { lookback, step, outcome: "x".into() };
    house.station.write(What::Donor(by_nobody));
    assert_eq!(house.kept(), Some(true), "no machine says so");
    house.done(&house.releaser, LookbackStep::Cleared).unwrap();
    assert_eq!(house.kept(), None);
    house.was_issued();
    assert_eq!(house.recalls(), 0);
}

/// What was out before the look-back was closed is the look-back's; what goes after it, two people let go.
#[test]
fn what_goes_by_the_word_of_two_people_is_not_called_back_for_what_went_before() {
    let house = House::with(&["P1", "P2"]);
    house.moves("P2", ComponentPlace::Issued, true).unwrap();
    let recall = house.station.ledger.state().recalls(true, &Page::first(9)).unwrap().items[0].recall;
    house.writes(What::Signed(SignedAct::RecallClosed {
        recall,
        outcome: "told".into(),
        told: None,
        kept: vec![],
    }));
    for (who, step) in [
        (&house.qc, LookbackStep::Quarantined),
        (&house.qc, LookbackStep::ConsigneesTold),
        (&house.qc, LookbackStep::Cleared),
        (&house.releaser, LookbackStep::Cleared),
        (&house.qc, LookbackStep::Closed),
    ] {
        house.done(who, step).unwrap();
    }
    house.was_issued();
    assert_eq!(house.recalls(), 0);
}

#[test]
fn a_look_back_that_two_people_cleared_keeps_what_is_here_until_it_is_closed() {
    let house = House::new();
    house.done(&house.qc, LookbackStep::Cleared).unwrap();
    house.done(&house.releaser, LookbackStep::Cleared).unwrap();
    assert_eq!(house.kept(), Some(false));
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.releaser, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), None);
}

#[test]
fn a_finding_that_is_taken_back_keeps_nothing_once_its_look_back_is_closed() {
    let house = House::new();
    g2(&house.station, |_| ());
    assert_eq!(house.kept(), Some(false), "what was raised stays until a person closes it");
    let cleared = house.done(&house.qc, LookbackStep::Cleared);
    assert_eq!(cleared, Err(LookbackRefused::NotFound.into()));
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), None, "nothing was to be done for it");
}

/// That the verdict asks for this donation no more, while it finds the same, takes nothing back: what is known of earlier
/// donations is one person's word.
#[test]
fn a_finding_stands_while_the_verdict_finds_the_marker_in_the_donor_who_gave_both() {
    let house = House::new();
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    verdict(&house.station, "G2", hiv_found);
    assert_eq!(house.kept(), Some(true));
    // Somebody says that G2 was another donor's: a number that was registered for two speaks of both.
    let What::DonationRegistered(known) = registered("G2", "2026-03-01T09:00:00Z") else {
        unreachable!("it is a registration")
    };
    let mut donor = known.donor.clone();
    donor.id = "E".into();
    house.station.write(What::DonationRegistered(DonationRegistration { donor, ..known }));
    verdict(&house.station, "G2", hiv_found);
    assert_eq!(house.kept(), Some(true));
}

#[test]
fn a_look_back_is_closed_when_what_is_here_is_in_quarantine_and_what_is_out_is_told_of() {
    use LookbackRefused::{NotQuarantined, NotTold};
    let close = |house: &House| match house.done(&house.qc, LookbackStep::Closed) {
        Err(Refused::Lookback(NotQuarantined { here, .. })) => {
            format!("not in quarantine: {}", here.join(" "))
        }
        Err(Refused::Lookback(NotTold { out, .. })) => format!("not told: {}", out.join(" ")),
        Err(other) => other.to_string(),
        Ok(_) => "closed".to_owned(),
    };
    let house = House::new();
    house.moves("P1", ComponentPlace::Discarded, false).unwrap();
    assert_eq!(close(&house), "closed", "nothing is here any more");

    let house = House::with(&["P1", "P2"]);
    house.moves("P1", ComponentPlace::Issued, true).unwrap();
    assert_eq!(close(&house), "not in quarantine: P2");
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    assert_eq!(close(&house), "not told: P1");
    house.done(&house.qc, LookbackStep::ConsigneesTold).unwrap();
    assert_eq!(close(&house), "closed");

    let house = House::with(&[]);
    assert_eq!(close(&house), "not in quarantine: ", "nobody told what was made of it");
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    assert_eq!(close(&house), "closed");
}

/// What was said of one finding is not said of another: neither that nothing is left to do, nor that what is here may go.
#[test]
fn a_look_back_is_raised_again_when_its_finding_comes_back_or_grows_graver() {
    let confirmed = |house: &House| {
        let test = serde_json::from_str(r#"{"marker":"HIV","outcome":"CONF_POS"}"#).unwrap();
        let (donation, report) = (of_g1().trigger, "17".to_owned());
        house.writes(What::Donor(DonorAct::Confirmed { donation, test, report }));
    };
    let by_nat = |house: &House| {
        g2(&house.station, hiv_found);
    };
    let by_two = |house: &House| {
        g2(&house.station, |case| {
            hiv_found(case);
            reactive(case, "HIV");
        });
    };
    for (what, again, is_raised) in [
        ("the same once more", &by_nat as &dyn Fn(&House), false),
        (
            "taken back, and found again",
            &|house: &House| {
                g2(&house.station, |_| ());
                g2(&house.station, hiv_found);
            },
            true,
        ),
        ("found by serology, too", &by_two, true),
        ("confirmed", &confirmed, true),
        (
            "confirmed by what the verdict was made of",
            &|house: &House| {
                confirmed(house);
                g2(&house.station, |case| {
                    hiv_found(case);
                    case["confirmatory"] = serde_json::json!([{ "marker": "HIV", "outcome": "CONF_POS" }]);
                });
            },
            true,
        ),
    ] {
        let house = House::new();
        for step in [LookbackStep::Quarantined, LookbackStep::Cleared, LookbackStep::Closed] {
            house.done(&house.qc, step).unwrap();
        }
        house.done(&house.releaser, LookbackStep::Cleared).unwrap();
        let open = || house.station.ledger.state().counters().unwrap().lookbacks_open;
        assert_eq!((house.kept(), open()), (None, 0), "{what}");
        again(&house);
        let found = house.station.ledger.state().lookback(&of_g1()).unwrap().unwrap();
        assert_eq!((!found.is_closed(), open()), (is_raised, u64::from(is_raised)), "{what}");
        assert_eq!(house.kept(), is_raised.then_some(false), "{what}");
        if is_raised {
            assert_eq!((found.done.len(), found.before.len()), (0, 4), "{what}");
            house.done(&house.qc, LookbackStep::Quarantined).unwrap();
            house.done(&house.qc, LookbackStep::Closed).unwrap();
            assert_eq!(house.kept(), Some(true), "nobody let it go for this: {what}");
        }
    }
}

#[test]
fn what_was_said_to_let_go_of_a_lighter_finding_counts_no_more_when_the_look_back_is_open() {
    let house = House::new();
    house.done(&house.qc, LookbackStep::Quarantined).unwrap();
    house.done(&house.qc, LookbackStep::Cleared).unwrap();
    let test = serde_json::from_str(r#"{"marker":"HIV","outcome":"CONF_POS"}"#).unwrap();
    let donation = of_g1().trigger;
    house.writes(What::Donor(DonorAct::Confirmed { donation, test, report: "17".into() }));
    house.done(&house.releaser, LookbackStep::Cleared).unwrap();
    house.done(&house.qc, LookbackStep::Closed).unwrap();
    assert_eq!(house.kept(), Some(true), "one of two has seen that it is confirmed");
    house.done(&house.qc, LookbackStep::Cleared).unwrap();
    assert_eq!(house.kept(), None);
}

/// What somebody signed and no verdict ever let go by is not released.
#[test]
fn an_infection_found_later_holds_what_was_signed_and_never_went() {
    for (what, is_released) in [("signed, and something else was known then", false), ("released", true)] {
        let house = House::with(&[]);
        if !is_released {
            verdict(&house.station, "G1", |case| case["signatures"] = serde_json::json!([]));
        }
        let earlier = of_g1().earlier;
        let signed = SignedDonation { donation: earlier.clone(), basis: "of other evidence".into() };
        house.writes(What::Signed(SignedAct::BatchReleased {
            batch: house.station.open(&house.tech, &["G1"]).unwrap(),
            seen: String::new(),
            donations: vec![signed],
            held: vec![],
            count: UnitCount::default(),
            set_aside: vec![],
            comment: String::new(),
        }));
        let people = house.station.ledger.state().by_people(&earlier).unwrap();
        assert!(people.released.is_some(), "{what}");
        let why = gate_11(&house.station, "G1");
        assert_eq!(why.contains("G2"), !is_released, "{what}: {why}");
    }
}

/// What was released and fell afterwards is out, and nobody knows any more that it was non-reactive.
#[test]
fn a_released_donation_whose_run_fell_is_looked_back_on_when_an_infection_is_found_in_the_next() {
    let station = Station::new();
    let found = || found_in_g2(&station);
    found();
    assert_eq!(lookbacks(&station), ["G2 HIV G1"], "it was not tested yet");
    assert!(gate_11(&station, "G1").contains("G2"), "nor may it go");

    let station = Station::new();
    verdict(&station, "G1", |_| ());
    verdict(&station, "G1", |case| {
        for run in case["runs"].as_array_mut().unwrap().iter_mut().filter(|run| run["id"] == "E1") {
            run["validity"] = "invalid".into();
        }
    });
    found_in_g2(&station);
    assert_eq!(lookbacks(&station), ["G2 HIV G1"], "it was released, and its serology fell");

    // What was reactive from the first was never negative.
    let station = Station::new();
    verdict(&station, "G1", hiv_found);
    found_in_g2(&station);
    assert_eq!(lookbacks(&station), [""; 0]);
    // Unless it had passed before that was known.
    let station = Station::new();
    verdict(&station, "G1", |_| ());
    verdict(&station, "G1", hiv_found);
    found_in_g2(&station);
    assert_eq!(lookbacks(&station), ["G2 HIV G1"]);
}

/// HIV is found in G2, of whose donor is known what the ledger knows.
fn found_in_g2(station: &Station) {
    let donation = DonationId::new("G2").unwrap();
    let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
    verdict(station, "G2", |case| {
        case["donor"]["earlier"] = serde_json::to_value(&facts.donor.earlier).unwrap();
        hiv_found(case);
    });
}

fn lookbacks(station: &Station) -> Vec<String> {
    let all = station.ledger.state().lookbacks(true, &Page::first(9)).unwrap().items;
    all.iter().map(|one| format!("{} {} {}", one.id.trigger, one.id.marker, one.id.earlier)).collect()
}

#[test]
fn what_two_people_cleared_of_a_look_back_may_be_signed_when_its_release_came_undone() {
    let house = House::new();
    let undecided = || {
        let reader = house.station.ledger.state();
        reader.donation(&of_g1().earlier).unwrap().unwrap().summary.undecided
    };
    verdict(&house.station, "G1", |case| case["signatures"] = serde_json::json!([]));
    let why = gate_11(&house.station, "G1");
    assert!(why.contains("G2") && why.contains("two people"), "{why}");
    for (who, step) in [
        (&house.qc, LookbackStep::Quarantined),
        (&house.qc, LookbackStep::Cleared),
        (&house.qc, LookbackStep::Closed),
    ] {
        house.done(who, step).unwrap();
        assert!(gate_11(&house.station, "G1").contains("G2"), "{step:?}");
    }
    let considered = house.station.ledger.state().applied();
    house.station.write(What::VerdictUnchanged { donation: of_g1().earlier, considered });
    assert!(!undecided());
    house.done(&house.releaser, LookbackStep::Cleared).unwrap();
    assert!(undecided(), "it is decided anew");
    assert_eq!(gate_11(&house.station, "G1"), "");
    // There is more to it than what they cleared.
    let test = serde_json::from_str(r#"{"marker":"HIV","outcome":"CONF_POS"}"#).unwrap();
    house.writes(What::Donor(DonorAct::Confirmed { donation: of_g1().trigger, test, report: "17".into() }));
    assert!(gate_11(&house.station, "G1").contains("G2"));
}

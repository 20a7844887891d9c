//! What a signature is bound to of the donor's earlier donations.

use super::*;
use crate::batches::tests::{Station, registered};
use crate::donors::record_earlier;
use ledger::{Done, ReleaseSigned, Seq, UnitCount, VerdictMade, What};
use release::{explain, read_case};
use vocabulary::{DonationId, DonationRegistration, Role};

struct Signed {
    station: Station,
    facts: DonationFacts,
}

impl Signed {
    /// G3, which comes after G1 and G2.
    fn new() -> Self {
        let station = Station::new();
        let donation = DonationId::new("G3").unwrap();
        let facts = crate::facts_of(&station.settings, &station.ledger.state(), &donation).unwrap();
        let mut signed = Self { station, facts };
        let basis = basis(&signed.known(), &signed.station.settings.pack);
        signed.sign(&basis);
        signed
    }

    fn known(&self) -> Evidence {
        crate::evidence::known(&self.facts, &self.station.settings)
    }

    fn sign(&mut self, basis: &str) {
        let by = |by: &str| {
            let done = Done { by: by.into(), at_ms: 0, entry: Seq::new(1) };
            SignedBasis { done, basis: basis.to_owned() }
        };
        self.facts.people.reviewed = Some(by("rev"));
        let (signed, count) = (by("rel"), UnitCount::default());
        self.facts.people.released = Some(ReleaseSigned { signed, count, set_aside: vec![] });
    }

    /// Signatures that hold for what is known now.
    fn holding(&mut self) -> usize {
        let (station, people) = (&self.station, self.facts.people.clone());
        let now = crate::facts_of(&station.settings, &station.ledger.state(), &self.facts.donation).unwrap();
        self.facts = DonationFacts { people, ..now };
        with_signatures(self.known(), &self.facts, &self.station.settings).signatures.len()
    }

    fn told(&self, donation: &str, what: &str) {
        let technician = self.station.person(&format!("tech-{donation}").to_lowercase(), Role::Technician);
        let earlier = format!(r#"{{"donation":"{donation}","collected_at":"2025-01-01T08:00:00Z",{what}}}"#);
        let earlier: EarlierDonation = serde_json::from_str(&earlier).unwrap();
        record_earlier(
            &self.station.ledger,
            &technician,
            "D",
            (&earlier, "the paper register"),
            "2026-06-01T00:00:00Z".parse().unwrap(),
        )
        .unwrap();
    }

    fn verdict(&self, donation: &str) {
        let mut case: serde_json::Value =
            serde_json::from_str(include_str!("../../../release/tests/cases/base.json")).unwrap();
        case["donation"] = donation.into();
        let verdict = explain(&read_case(&case.to_string()).unwrap(), &self.station.settings.pack);
        self.station.write(What::VerdictMade(VerdictMade::new(&verdict, Seq::NONE, vec![]).unwrap()));
    }
}

#[test]
fn a_signature_holds_when_an_earlier_donation_comes_to_be_known_that_has_nothing_against_it() {
    let mut signed = Signed::new();
    assert_eq!(signed.holding(), 2);
    signed.station.write(registered("G0", "2025-03-01T08:00:00Z"));
    assert_eq!(signed.holding(), 2, "registered, and never tested here");
    signed.told("OLD1", r#""results":[{"marker":"HIV","result":"non_reactive"}]"#);
    assert_eq!(signed.holding(), 2, "non-reactive elsewhere");
    for donation in ["G0", "G1"] {
        signed.verdict(donation);
        assert_eq!(signed.holding(), 2, "{donation} passed, and is of one group with the other");
    }
    assert_eq!(signed.facts.donor.earlier.len(), 4, "all of them are evidence");
}

#[test]
fn a_signature_holds_no_more_when_something_is_known_of_an_earlier_donation_that_is_against_it() {
    for what in [
        r#""results":[{"marker":"HIV","result":"reactive"}]"#,
        r#""results":[{"marker":"HBV","result":"confirmed_negative"}]"#,
        r#""group":{"abo":"O"}"#,
    ] {
        let mut signed = Signed::new();
        signed.verdict("G1");
        assert_eq!(signed.holding(), 2);
        signed.told("OLD1", what);
        assert_eq!(signed.holding(), 0, "{what}");
    }
    let mut signed = Signed::new();
    let What::DonationRegistered(known) = registered("G3", "2026-03-02T08:00:00Z") else {
        unreachable!("it is a registration")
    };
    let mut donor = known.donor.clone();
    donor.deferred = true;
    signed.station.write(What::DonationRegistered(DonationRegistration { donor, ..known }));
    assert_eq!(signed.holding(), 0, "the donor is deferred");
}

#[test]
fn what_was_signed_in_a_version_that_bound_earlier_donations_whole_holds_while_they_are_the_same() {
    let mut signed = Signed::new();
    signed.verdict("G1");
    signed.holding();
    let before = basis_of_before(&signed.known(), &signed.station.settings.pack);
    signed.sign(&before);
    assert_eq!(signed.holding(), 2);
    signed.told("OLD1", r#""results":[{"marker":"HIV","result":"reactive"}]"#);
    assert_eq!(signed.holding(), 0);
}

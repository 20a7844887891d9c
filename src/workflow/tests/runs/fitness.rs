//! What people write down of analysers and operators, and what it keeps.

use crate::cells::{grouped, known_cells};
use crate::house::{House, line};
use crate::plates::{GOOD_PLATE, plate_controls, plate_sample};
use crate::windows::{clia, levels};
use jiff::civil::{Date, date};
use ledger::{Draft, FitnessAct, Service, What};
use release::GateId;
use release::evidence::Validity;

fn note(house: &House, act: FitnessAct) {
    let draft = Draft { by: "user:qc".into(), what: What::Fitness(act) };
    let seq = house.ledger.append(vec![draft]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(seq).wait().unwrap();
}

fn serviced(house: &House, service: Service, instrument: Option<&str>, (at, due): (&str, Date)) {
    note(
        house,
        FitnessAct::Serviced {
            connection: line(),
            instrument: instrument.map(str::to_owned),
            service,
            done_ms: at.parse::<jiff::Timestamp>().unwrap().as_millisecond(),
            due,
            report: "x".into(),
        },
    );
}

fn authorised(house: &House, operator: &str, assays: &[&str], (from, until): (Date, Option<Date>)) {
    let assays = assays.iter().map(|assay| (*assay).to_owned()).collect();
    let reason = "x".to_owned();
    note(house, FitnessAct::OperatorAuthorised { operator: operator.into(), assays, from, until, reason });
}

/// What a gate says against a donation; empty where nothing is.
fn against(house: &House, donation: &str, gate: GateId) -> String {
    let (verdict, _) = house.judged(donation);
    let gate = verdict.gates().iter().find(|one| one.id == gate).unwrap();
    if gate.is_satisfied() { String::new() } else { gate.why.to_string() }
}

/// A plate read at 15:00 on 1 March 2026 on analyser A1 by `operator`.
fn plate(house: &House, donation: &str, operator: Option<&str>) {
    let run = format!("line/{donation}");
    let mut plate = plate_controls(&run, GOOD_PLATE);
    let mut sample = plate_sample(&run, donation, "0.020", "0.105");
    sample.operator = operator.map(str::to_owned);
    plate.push(sample);
    house.says(&plate);
    house.works();
}

#[test]
fn what_is_tested_after_the_last_day_of_a_service_is_kept_until_that_was_done_before_it() {
    let day = |day| date(2026, 3, day);
    let (before, after) = ("2026-01-10T08:00:00Z", "2026-03-01T16:00:00Z");
    let again = "2026-03-01T14:00:00Z";
    for (notes, expect) in [
        (vec![], ""),
        (vec![(None, before, day(1))], ""),
        (vec![(None, before, date(2026, 2, 28))], "line A1, maintenance until 2026-02-28"),
        (vec![(Some("A1"), before, date(2026, 2, 28))], "line A1, maintenance until 2026-02-28"),
        (vec![(Some("A2"), before, date(2026, 2, 28))], ""),
        // What is done later makes nothing of it good; what was done before, and is written down late, does.
        (vec![(None, before, date(2026, 2, 28)), (None, after, day(31))], "maintenance until 2026-02-28"),
        (vec![(None, before, date(2026, 2, 28)), (None, again, day(31))], ""),
        (vec![(None, again, day(31)), (None, before, date(2026, 2, 28))], ""),
    ] {
        let house = House::new("cn-2019");
        plate(&house, "D1", None);
        assert_eq!(against(&house, "D1", GateId::Analyser), "", "nobody has written anything down");
        for (instrument, at, due) in &notes {
            serviced(&house, Service::Maintenance, *instrument, (at, *due));
        }
        let said = against(&house, "D1", GateId::Analyser);
        assert!(said.contains(expect) && said.is_empty() == expect.is_empty(), "{notes:?}: {said}");
    }
    // Another kind of service makes nothing of this one good.
    let house = House::new("cn-2019");
    plate(&house, "D1", None);
    serviced(&house, Service::Qualification, None, (before, date(2026, 2, 28)));
    serviced(&house, Service::Maintenance, None, (again, day(31)));
    assert!(against(&house, "D1", GateId::Analyser).contains("qualification until 2026-02-28"));
}

#[test]
fn a_donation_is_decided_anew_when_something_is_written_down_of_its_analyser() {
    let house = House::new("cn-2019");
    house.append(What::DonationRegistered(vocabulary::DonationRegistration {
        donation: vocabulary::DonationId::new("D1").unwrap(),
        collected_at: "2026-03-01T08:00:00Z".parse().unwrap(),
        donor: vocabulary::DonorRegistration {
            id: "D".into(),
            first_time: false,
            deferred: false,
            barred: None,
            history: None,
            field_abo: None,
        },
    }));
    plate(&house, "D1", None);
    assert_eq!(house.ledger.state().counters().unwrap().to_decide, 0);
    serviced(&house, Service::Calibration, None, ("2026-02-01T08:00:00Z", date(2026, 2, 28)));
    assert_eq!(house.ledger.state().counters().unwrap().to_decide, 1);
}

#[test]
fn controls_have_to_run_again_after_a_service() {
    let house = House::new("cn-2019");
    house.says(&levels("01T08:00", true));
    house.says(&clia("D1", "01T09:00", "0.20"));
    house.says(&known_cells("01T08:00", "4+"));
    house.says(&grouped("D2", "01T09:00"));
    let states = || ["D1", "D2"].map(|donation| house.stands(donation).1.validity);
    assert_eq!(states(), [Validity::Valid; 2]);
    serviced(&house, Service::Maintenance, Some("A2"), ("2026-03-01T08:30:00Z", date(2026, 12, 31)));
    assert_eq!(states(), [Validity::Valid; 2], "it was another analyser");
    serviced(&house, Service::Maintenance, None, ("2026-03-01T08:30:00Z", date(2026, 12, 31)));
    assert_eq!(states(), [Validity::Open; 2], "no control has run since");
    house.says(&levels("01T08:45", true));
    house.says(&known_cells("01T08:45", "4+"));
    assert_eq!(states(), [Validity::Valid; 2]);
}

#[test]
fn a_result_of_an_operator_who_may_not_is_kept_once_anybody_is_written_down() {
    let (first, last) = (date(2026, 1, 1), date(2026, 2, 28));
    let withdrawn = |from| FitnessAct::OperatorWithdrawn { operator: "li".into(), from, reason: "x".into() };
    let house = || {
        let house = House::new("cn-2019");
        plate(&house, "D1", Some("li"));
        house
    };
    let says = |house: &House| against(house, "D1", GateId::Operator);
    assert_eq!(says(&house()), "", "nobody has written anything down");
    for (who, assays, until, expect) in [
        ("wang", &[][..], None, "li"),
        ("li", &[][..], None, ""),
        ("li", &["ELISA HBsAg"][..], None, ""),
        ("li", &["ELISA HIV Ag/Ab"][..], None, "li"),
        ("li", &[][..], Some(last), "li"),
    ] {
        let house = house();
        authorised(&house, who, assays, (first, until));
        let said = says(&house);
        assert!(said.contains(expect) && said.is_empty() == expect.is_empty(), "{who} {assays:?}: {said}");
    }
    let house = house();
    authorised(&house, "li", &[], (first, None));
    note(&house, withdrawn(date(2026, 3, 2)));
    assert_eq!(says(&house), "", "it was tested the day before");
    note(&house, withdrawn(date(2026, 3, 1)));
    assert!(says(&house).contains("li"));
    authorised(&house, "li", &[], (date(2026, 3, 1), None));
    assert_eq!(says(&house), "", "authorised anew");
    plate(&house, "D2", None);
    assert_eq!(against(&house, "D2", GateId::Operator), "", "the analyser names no operator");
}

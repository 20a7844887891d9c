//! What becomes of results on their way to evidence, and what the rules make of it.

#[cfg(test)]
mod evidence {
    use release::{
        Evidence, RulePack, Unit,
        evidence::{Call, Qc, SerologyKind, Validity},
    };
    use std::collections::BTreeMap;
    use vocabulary::{
        ConnectionId, DonationId, Interpretation, Marker, Observation, ProfileRef, ResultStatus, RunId,
        Source, SpecimenId, SpecimenKind, Value,
    };
    use workflow::{
        AcceptedLot, DonationFacts, Fact, LotRegister, Profiles, RunFacts, Settings, SpecimenRule,
    };

    fn settings(pack: &str) -> Settings {
        Settings {
            profiles: Profiles::default(),
            pack: RulePack::built_in(pack).unwrap(),
            specimens: SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: LotRegister::new([AcceptedLot {
                lot: "L1".into(),
                role: None,
                in_use_on: Some(ConnectionId::new("line").unwrap()),
                expires: Some(jiff::civil::date(2026, 12, 31)),
                approval: "x".into(),
                accepted_by: "x".into(),
            }]),
            reagents_per_marker: 2,
            deliver_to: Vec::new(),
        }
    }

    fn observation(marker: Marker, assay: &str, value: Value) -> Observation {
        Observation {
            specimen: Some(SpecimenId::new("D1").unwrap()),
            instrument: Some("i1".into()),
            assay: assay.into(),
            marker,
            kind: SpecimenKind::Patient,
            value,
            flags: vec![],
            status: ResultStatus::Final,
            run: Some(RunId::new("R1").unwrap()),
            lots: vec![],
            completed_at: Some("2026-03-01T10:00:00Z".into()),
            operator: None,
            control: None,
            source: Source::default(),
        }
    }

    fn said(interpretation: Interpretation) -> Value {
        Value { raw: "x".into(), interpretation: Some(interpretation), ..Value::default() }
    }

    fn ratio(number: &str) -> Value {
        Value {
            raw: number.into(),
            number: Some(number.parse().unwrap()),
            unit: Some("S/CO".into()),
            ..Value::default()
        }
    }

    fn facts(observations: Vec<Observation>) -> DonationFacts {
        let observations = (1..).zip(observations).map(|(message, observation)| Fact {
            message,
            connection: ConnectionId::new("line").unwrap(),
            profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
            tested_at: None,
            observation,
        });
        let good = RunFacts { validity: Validity::Valid, qc: Qc::InControl, why: None, lots: vec![] };
        DonationFacts {
            donation: DonationId::new("D1").unwrap(),
            offset: jiff::tz::Offset::UTC,
            registration: None,
            observations: observations.collect(),
            findings: vec![],
            runs: BTreeMap::from([(RunId::new("R1").unwrap(), good)]),
        }
    }

    fn built(observations: Vec<Observation>) -> Evidence {
        workflow::evidence(&facts(observations), &settings("cn-2019"))
    }

    #[test]
    fn a_marker_waits_for_as_many_reagents_as_the_laboratory_has() {
        let one = built(vec![observation(Marker::HBsAg, "first", ratio("0.1"))]);
        let of = |marker: Marker| one.serology.iter().filter(|s| s.marker == marker).count();
        assert_eq!(
            [of(Marker::HBsAg), of(Marker::AntiHcv), of(Marker::Hiv), of(Marker::Syphilis)],
            [2, 2, 2, 2]
        );
        let verdict = release::decide(&one, &settings("cn-2019").pack);
        let why = verdict.gates().iter().find(|g| g.id.to_string() == "R-GATE-01").unwrap().why.clone();
        assert!(why.contains("HBsAg, reagent 2 of 2"), "{why}");
        assert_eq!(verdict.unit(), Unit::Hold);
    }

    #[test]
    fn every_target_answers_for_itself_and_an_invalid_one_is_never_covered_by_another() {
        let nat = built(vec![
            observation(Marker::HbvDna, "mpx", said(Interpretation::Reactive)),
            observation(Marker::HcvRna, "mpx", said(Interpretation::Invalid)),
        ]);
        let found: Vec<_> = nat.nat.iter().map(|n| (n.target.unwrap().name(), n.result.unwrap())).collect();
        assert_eq!(found, [("HBV", Call::Reactive), ("HCV", Call::Invalid)]);
        let verdict = release::decide(&nat, &settings("cn-2019").pack);
        let states: Vec<String> = verdict.nat().iter().map(|n| serde_json::to_string(n).unwrap()).collect();
        assert!(states.iter().any(|s| s.contains("HCV") && s.contains("INVALID")), "{states:?}");
        assert!(states.iter().any(|s| s.contains("HIV") && s.contains("NOT_TESTED")), "{states:?}");
    }

    #[test]
    fn what_follows_a_usable_reactive_result_is_the_duplicate_round() {
        let kinds = |values: &[&str]| -> Vec<SerologyKind> {
            let all = values.iter().map(|v| observation(Marker::HBsAg, "first", ratio(v))).collect();
            built(all)
                .serology
                .iter()
                .find(|s| s.reagent == "first")
                .unwrap()
                .results
                .iter()
                .map(|r| r.kind)
                .collect()
        };
        use SerologyKind::{Duplicate, Initial};
        assert_eq!(kinds(&["1.00", "0.31", "0.40"]), [Initial, Duplicate, Duplicate]);
        assert_eq!(kinds(&["0.99", "0.31"]), [Initial, Initial]);
        assert_eq!(kinds(&["1.35"]), [Initial]);
    }

    #[test]
    fn the_same_result_sent_again_is_one_result_and_a_changed_one_is_two() {
        let first = observation(Marker::HBsAg, "first", ratio("0.31"));
        let mut again = first.clone();
        again.status = ResultStatus::Repeated;
        again.source.message = Some("another message".into());
        let mut changed = first.clone();
        changed.value = ratio("1.31");
        let count = |all: Vec<Observation>| {
            built(all).serology.iter().find(|s| s.reagent == "first").unwrap().results.len()
        };
        assert_eq!(count(vec![first.clone(), again]), 1);
        assert_eq!(count(vec![first, changed]), 2);
    }

    #[test]
    fn what_is_not_final_or_says_nothing_is_no_result_that_could_pass() {
        for (status, value, expect) in [
            (ResultStatus::Preliminary, ratio("0.1"), Validity::Open),
            (ResultStatus::Other, ratio("0.1"), Validity::Open),
            (ResultStatus::NotObtained, ratio("0.1"), Validity::Invalid),
            (ResultStatus::Final, Value::default(), Validity::Invalid),
            // An OD without its cut-off, and a number in a unit that is no ratio, say nothing.
            (
                ResultStatus::Final,
                Value { od: Some("0.02".parse().unwrap()), ..Value::default() },
                Validity::Invalid,
            ),
            (ResultStatus::Final, Value { unit: Some("RLU".into()), ..ratio("0.1") }, Validity::Invalid),
        ] {
            let mut one = observation(Marker::HBsAg, "first", value);
            one.status = status;
            let built = built(vec![one]);
            let result = &built.serology.iter().find(|s| s.reagent == "first").unwrap().results[0];
            assert_eq!(result.validity, Some(expect), "{result:?}");
        }
    }

    #[test]
    fn law_08_an_od_exactly_at_its_cutoff_is_reactive_where_binary_floats_would_say_not() {
        let cutoff = "2.1".parse::<rust_decimal::Decimal>().unwrap()
            * "0.050".parse::<rust_decimal::Decimal>().unwrap();
        let value = Value { od: Some("0.105".parse().unwrap()), cutoff: Some(cutoff), ..Value::default() };
        assert!(0.105_f64 < 2.1_f64 * 0.050_f64, "the trap is there");
        let verdict = release::decide(
            &built(vec![observation(Marker::HBsAg, "first", value)]),
            &settings("cn-2019").pack,
        );
        let state = serde_json::to_value(verdict.serology()).unwrap()[0]["state"].clone();
        assert_eq!(state, "IR");
    }

    #[test]
    fn lots_of_an_analyser_that_names_none_come_from_the_register_and_others_are_not_accepted() {
        let mut named = observation(Marker::Alt, "alt", Value { unit: Some("U/L".into()), ..ratio("20") });
        let silent = built(vec![named.clone()]);
        assert_eq!(silent.runs[0].lots[0].lot, "L1");
        assert_eq!(silent.runs[0].lots[0].accepted, Some(true));
        named.lots = vec![vocabulary::LotUse {
            role: vocabulary::LotRole::Reagent,
            name: None,
            lot: "L9".into(),
            expires: None,
        }];
        let unknown = built(vec![named]);
        assert_eq!((unknown.runs[0].lots.len(), unknown.runs[0].lots[0].accepted), (1, Some(false)));
    }
}

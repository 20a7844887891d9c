//! What becomes of results on their way to evidence, and what the rules make of it.

#[cfg(test)]
mod corrections;
#[cfg(test)]
mod discriminatory;
#[cfg(test)]
mod fallen;
#[cfg(test)]
mod further_targets;
#[cfg(test)]
mod lots;
#[cfg(test)]
mod order;
#[cfg(test)]
mod own_times;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod reagents;
#[cfg(test)]
mod rounds;
#[cfg(test)]
mod traces;

#[cfg(test)]
mod evidence {
    use release::{
        Evidence, NatState, RulePack, Unit,
        evidence::{Call, GroupingSample, Qc, SerologyKind, Validity},
    };
    use std::collections::BTreeMap;
    use vocabulary::{
        ConnectionId, DonationId, Interpretation, LotRole, LotUse, Marker, Observation, ProfileRef,
        ResultStatus, RunId, Source, SpecimenId, SpecimenKind, Value, Virus,
    };
    use workflow::{
        AcceptedLot, DonationFacts, Fact, LotRegister, Profiles, RunFacts, Settings, SpecimenRule,
    };

    pub(crate) fn settings(pack: &str) -> Settings {
        Settings {
            profiles: Profiles::default(),
            pack: RulePack::built_in(pack).unwrap(),
            specimens: SpecimenRule::new(r"(?<donation>\S+)").unwrap(),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: LotRegister::new([AcceptedLot {
                lot: "L1".into(),
                role: None,
                assays: Vec::new(),
                in_use_on: Some(ConnectionId::new("line").unwrap()),
                expires: Some(jiff::civil::date(2026, 12, 31)),
                on_board_until: None,
                approval: "x".into(),
                accepted_by: "x".into(),
            }]),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: Vec::new(),
            sign_off: workflow::SignOff::Elsewhere,
            orders: workflow::orders::OrderRules::default(),
        }
    }

    pub(crate) fn observation(marker: Marker, assay: &str, value: Value) -> Observation {
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
            replicate: None,
            operator: None,
            control: None,
            discriminates: false,
            source: Source::default(),
        }
    }

    pub(crate) fn said(interpretation: Interpretation) -> Value {
        Value { raw: "x".into(), interpretation: Some(interpretation), ..Value::default() }
    }

    pub(crate) fn ratio(number: &str) -> Value {
        Value {
            raw: number.into(),
            number: Some(number.parse().unwrap()),
            unit: Some("S/CO".into()),
            ..Value::default()
        }
    }

    pub(crate) fn facts(observations: Vec<Observation>) -> DonationFacts {
        let observations = (1..).zip(observations).map(|(message, observation)| Fact {
            message,
            connection: ConnectionId::new("line").unwrap(),
            profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
            tested_at: None,
            came_ms: 0,
            tube: None,
            segment: false,
            entry: 0,
            lot_expired: false,
            observation,
            window: None,
            kit: None,
        });
        let good = RunFacts::new(Validity::Valid, Qc::InControl);
        DonationFacts {
            donation: DonationId::new("D1").unwrap(),
            offset: jiff::tz::Offset::UTC,
            registration: None,
            observations: observations.collect(),
            findings: vec![],
            typed: vec![],
            alike: vec![],
            scans: vec![],
            beside: vec![],
            people: ledger::ByPeople::default(),
            components: ledger::Components::default(),
            donor: workflow::donors::DonorFacts::default(),
            pools: vec![],
            runs: BTreeMap::from([(RunId::new("R1").unwrap(), good)]),
        }
    }

    pub(crate) fn built(observations: Vec<Observation>) -> Evidence {
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
        use SerologyKind::{Duplicate, Initial};
        let kinds = |values: &[&str]| -> Vec<SerologyKind> {
            let all = (10..)
                .zip(values)
                .map(|(hour, v)| at(hour, observation(Marker::HBsAg, "first", ratio(v))))
                .collect();
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
        assert_eq!(kinds(&["1.00", "0.31", "0.40"]), [Initial, Duplicate, Duplicate]);
        assert_eq!(kinds(&["0.99", "0.31"]), [Initial, Initial]);
        assert_eq!(kinds(&["1.35"]), [Initial]);
    }

    pub(crate) fn at(hour: u8, mut observation: Observation) -> Observation {
        observation.completed_at = Some(format!("2026-03-01T{hour:02}:00:00Z"));
        observation
    }

    fn results_of(evidence: &Evidence) -> usize {
        evidence.serology.iter().find(|s| s.reagent == "first").unwrap().results.len()
    }

    pub(crate) fn findings_of(evidence: &Evidence) -> Vec<&str> {
        evidence.findings.iter().map(|f| f.finding.as_str()).collect()
    }

    #[test]
    fn a_measurement_that_is_sent_again_is_never_a_second_measurement() {
        let first = observation(Marker::HBsAg, "first", ratio("5.80"));
        let mut again = first.clone();
        again.status = ResultStatus::Repeated;
        again.operator = Some("another verifier".into());
        again.source.message = Some("another message".into());
        let same = built(vec![first.clone(), again]);
        assert_eq!((results_of(&same), findings_of(&same)), (1, vec![]));
        for change in [ratio("0.40"), ratio("5.81")] {
            let mut changed = first.clone();
            changed.value = change;
            let one = built(vec![first.clone(), changed]);
            assert_eq!(
                (results_of(&one), findings_of(&one)),
                (1, vec!["changed_result"]),
                "the graver one stands, and holds"
            );
            assert!(
                one.findings[0].what.contains("message 1 says")
                    && one.findings[0].what.contains("message 2 says"),
                "{}",
                one.findings[0].what
            );
        }
        let later = built(vec![first.clone(), at(12, first)]);
        assert_eq!(
            (results_of(&later), findings_of(&later)),
            (2, vec![]),
            "tested at another time is tested again"
        );
    }

    #[test]
    fn a_correction_counts_and_one_that_takes_a_reactive_result_away_is_confirmed_by_a_person() {
        let first = observation(Marker::HBsAg, "first", ratio("5.80"));
        let corrected = |value: &str| {
            let mut corrected = first.clone();
            corrected.status = ResultStatus::Corrected;
            corrected.value = ratio(value);
            corrected
        };
        let sco = |evidence: &Evidence| {
            evidence.serology.iter().find(|s| s.reagent == "first").unwrap().results[0]
                .sco
                .unwrap()
                .to_string()
        };
        for (value, finding) in [("5.80", None), ("6.10", None), ("0.30", Some("correction_eases"))] {
            for both in [vec![first.clone(), corrected(value)], vec![corrected(value), first.clone()]] {
                let one = built(both);
                assert_eq!(findings_of(&one), finding.into_iter().collect::<Vec<_>>(), "{value}");
                assert_eq!((results_of(&one), sco(&one).as_str()), (1, value), "the correction counts");
            }
        }
        let two = built(vec![first.clone(), corrected("6.10"), corrected("6.20")]);
        assert_eq!(findings_of(&two), ["changed_result"], "which of two corrections came last is not known");
    }

    #[test]
    fn numbers_that_begin_one_another_and_scans_that_differ_hold_and_name_both() {
        let mut known = facts(vec![]);
        known.alike = vec![DonationId::new("D12345678").unwrap()];
        known.scans = vec!["0123".into(), "123".into()];
        let evidence = workflow::evidence(&known, &settings("cn-2019"));
        assert_eq!(findings_of(&evidence), ["donation_numbers_alike", "scans_differ"]);
        let says = |at: usize| evidence.findings[at].what.clone();
        assert!(says(0).contains("donation D1 and donation D12345678"), "{}", says(0));
        assert!(says(1).contains("0123, 123"), "{}", says(1));
    }

    #[test]
    fn two_wells_of_one_message_are_two_measurements() {
        let well = observation(Marker::HBsAg, "first", ratio("0.31"));
        let mut both = facts(vec![well.clone(), well.clone(), well.clone(), well]);
        for (fact, message) in both.observations.iter_mut().zip([1, 1, 2, 2]) {
            fact.message = message;
        }
        let evidence = workflow::evidence(&both, &settings("cn-2019"));
        assert_eq!((results_of(&evidence), findings_of(&evidence)), (2, vec![]), "the file came twice");
    }

    #[test]
    fn a_plate_that_is_read_again_makes_no_duplicates_of_its_own_wells() {
        let well = |od: &str| {
            let value = Value {
                od: Some(od.parse().unwrap()),
                cutoff: Some("0.105".parse().unwrap()),
                ..Value::default()
            };
            observation(Marker::HBsAg, "first", value)
        };
        let again = built(vec![at(10, well("0.150")), at(11, well("0.101")), at(12, well("0.100"))]);
        assert_eq!((results_of(&again), findings_of(&again)), (1, vec!["changed_result"]));
    }

    #[test]
    fn a_final_result_takes_the_place_of_its_preliminary_one() {
        let mut preliminary = observation(Marker::HBsAg, "first", ratio("0.30"));
        preliminary.status = ResultStatus::Preliminary;
        let done = built(vec![preliminary, observation(Marker::HBsAg, "first", ratio("0.31"))]);
        assert_eq!((results_of(&done), findings_of(&done)), (1, vec![]));
        let result = &done.serology.iter().find(|s| s.reagent == "first").unwrap().results[0];
        assert_eq!(result.validity, None);
    }

    #[test]
    fn a_screen_that_is_not_a_usable_negative_is_never_passed_over() {
        let screen = |i| observation(Marker::AntibodyScreen, "screen", said(i));
        assert_eq!(findings_of(&built(vec![screen(Interpretation::Negative)])), Vec::<&str>::new());
        for other in [Interpretation::Positive, Interpretation::Invalid, Interpretation::Indeterminate] {
            assert_eq!(findings_of(&built(vec![screen(other)])), ["antibody_screen"]);
        }
    }

    #[test]
    fn a_result_older_than_the_donation_holds_it() {
        let mut known = facts(vec![observation(Marker::HBsAg, "first", ratio("0.3"))]);
        known.observations[0].tested_at = Some("2026-03-01T10:00:00Z".parse().unwrap());
        for (collected, expect) in
            [("2026-03-01T09:00:00Z", vec![]), ("2026-05-01T09:00:00Z", vec!["tested_before_collection"])]
        {
            known.registration = serde_json::from_value(serde_json::json!({
                "donation": "D1", "collected_at": collected,
                "donor": { "id": "1", "first_time": false, "deferred": false },
            }))
            .unwrap();
            assert_eq!(findings_of(&workflow::evidence(&known, &settings("cn-2019"))), expect);
        }
    }

    #[test]
    fn a_single_nat_result_says_how_long_its_sample_was_kept_where_the_pack_has_a_limit() {
        let mut limited = settings("cn-2019");
        let overlay = "id = \"s\"\nbased_on = \"cn-2019\"\n[nat]\nstore_within_hours = \"72\"\n";
        limited.pack = RulePack::from_toml(overlay).unwrap();
        let mut known = facts(vec![observation(Marker::HbvDna, "mpx", said(Interpretation::NonReactive))]);
        known.observations[0].tested_at = Some("2026-03-04T10:30:00Z".parse().unwrap());
        let hours = |known: &DonationFacts, with: &Settings| {
            workflow::evidence(known, with).nat[0].stored_hours.map(|hours| hours.to_string())
        };
        assert_eq!(hours(&known, &limited), None, "nobody knows when it was taken");
        for (collected, expect) in [("2026-03-01T10:00:00Z", "72.50"), ("2026-03-01T11:00:00Z", "71.50")] {
            known.registration = serde_json::from_value(serde_json::json!({
                "donation": "D1", "collected_at": collected,
                "donor": { "id": "1", "first_time": false, "deferred": false },
            }))
            .unwrap();
            assert_eq!(hours(&known, &limited).as_deref(), Some(expect));
            assert_eq!(hours(&known, &settings("cn-2019")), None);
        }
    }

    #[test]
    fn a_nat_sample_that_was_centrifuged_too_late_or_nobody_knows_when_has_no_result_where_the_pack_has_a_limit()
     {
        let mut limited = settings("cn-2019");
        let overlay = "id = \"s\"\nbased_on = \"cn-2019\"\n[nat]\ncentrifuge_within_hours = \"8\"\n";
        limited.pack = RulePack::from_toml(overlay).unwrap();
        let mut known = facts(vec![observation(Marker::HbvDna, "mpx", said(Interpretation::NonReactive))]);
        known.observations[0].tested_at = Some("2026-03-02T10:30:00Z".parse().unwrap());
        for (centrifuged, hours, expect) in [
            (None, None, NatState::Invalid),
            (Some("2026-03-01T18:00:00Z"), Some("8"), NatState::NonReactive),
            (Some("2026-03-01T18:03:00Z"), Some("8.05"), NatState::Invalid),
            (Some("2026-03-01T09:00:00Z"), None, NatState::Invalid),
        ] {
            known.registration = serde_json::from_value(serde_json::json!({
                "donation": "D1", "collected_at": "2026-03-01T10:00:00Z", "centrifuged_at": centrifuged,
                "donor": { "id": "1", "first_time": false, "deferred": false },
            }))
            .unwrap();
            let evidence = workflow::evidence(&known, &limited);
            let found = evidence.nat[0].centrifuged_after_hours.map(|hours| hours.to_string());
            let verdict = release::decide(&evidence, &limited.pack);
            let hbv = verdict.nat().iter().find(|nat| nat.target == Virus::Hbv).unwrap();
            assert_eq!((found.as_deref(), hbv.state), (hours, expect), "{centrifuged:?}");
            assert_eq!(workflow::evidence(&known, &settings("cn-2019")).nat[0].centrifuged_after_hours, None);
        }
    }

    #[test]
    fn what_stood_open_on_its_analyser_longer_than_it_may_is_named_and_on_another_it_is_not() {
        let on_board = |until: Option<jiff::civil::Date>, on: &str, tested: Option<&str>| {
            let mut with = settings("cn-2019");
            let line = |in_use_on: &str, on_board_until| AcceptedLot {
                lot: "L1".into(),
                role: None,
                assays: Vec::new(),
                in_use_on: Some(ConnectionId::new(in_use_on).unwrap()),
                expires: Some(jiff::civil::date(2026, 12, 31)),
                on_board_until,
                approval: "x".into(),
                accepted_by: "x".into(),
            };
            with.lots = LotRegister::new([line("line", None), line(on, until)]);
            let mut known = facts(vec![observation(Marker::HBsAg, "first", ratio("0.1"))]);
            known.observations[0].tested_at = tested.map(|at| at.parse().unwrap());
            let verdict = release::decide(&workflow::evidence(&known, &with), &with.pack);
            let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Lots).unwrap();
            gate.why.contains("on board")
        };
        let last = Some(jiff::civil::date(2026, 3, 1));
        assert!(!on_board(last, "line", Some("2026-03-01T23:00:00Z")), "its last day");
        assert!(on_board(last, "line", Some("2026-03-02T01:00:00Z")));
        assert!(on_board(last, "line", None), "nobody knows when it was tested");
        assert!(!on_board(last, "another", Some("2026-03-02T01:00:00Z")));
        assert!(!on_board(None, "line", Some("2026-03-02T01:00:00Z")));
    }

    #[test]
    fn what_an_expired_lot_did_not_find_is_invalid_and_holds_no_longer_when_it_is_repeated() {
        let gate_06 = |repeated_in: Option<&str>| {
            let first = observation(Marker::HBsAg, "first", ratio("0.3"));
            let again = repeated_in.map(|run| Observation {
                run: Some(RunId::new(run).unwrap()),
                completed_at: Some("2026-03-01T12:00:00Z".into()),
                ..first.clone()
            });
            let mut known = facts([Some(first), again].into_iter().flatten().collect());
            for fact in &mut known.observations {
                fact.tested_at = Some("2026-03-01T12:00:00Z".parse().unwrap());
            }
            known.observations[0].lot_expired = true;
            known.observations[0].observation.lots = vec![LotUse {
                role: LotRole::Reagent,
                name: None,
                lot: "OLD".into(),
                expires: Some(jiff::civil::date(2026, 2, 28)),
            }];
            let good = known.runs.values().next().unwrap().clone();
            known.runs.insert(RunId::new("R2").unwrap(), good);
            let evidence = workflow::evidence(&known, &settings("cn-2019"));
            let of_first = &evidence.serology[0].results[0];
            assert_eq!(of_first.validity, Some(Validity::Invalid));
            assert!(of_first.why.as_ref().unwrap().contains("expired"), "{of_first:?}");
            assert!(evidence.serology[0].results.iter().all(|one| one.kind == SerologyKind::Initial));
            let verdict = release::decide(&evidence, &settings("cn-2019").pack);
            let gate = verdict.gates().iter().find(|gate| gate.id == release::GateId::Lots).unwrap();
            gate.why.contains("OLD")
        };
        assert!(gate_06(None), "until then the lot is named");
        assert!(!gate_06(Some("R2")), "afterwards nothing rests on it");
        assert!(!gate_06(Some("R1")), "nor in the run of the day, which both came under");
    }

    #[test]
    fn a_grey_duplicate_well_of_an_expired_lot_stays_where_the_pack_counts_it() {
        let mut with = settings("cn-2019");
        for (uses_gz, expect) in [(true, None), (false, Some(Validity::Invalid))] {
            let overlay = format!(
                "id = \"s\"\nbased_on = \"cn-2019\"\n[sero]\ngz_low = \"0.90\"\ndup_uses_gz = {uses_gz}\n"
            );
            with.pack = RulePack::from_toml(&overlay).unwrap();
            let first = observation(Marker::HBsAg, "first", ratio("5.1"));
            let mut grey = observation(Marker::HBsAg, "first", ratio("0.95"));
            grey.completed_at = Some("2026-03-01T12:00:00Z".into());
            let mut known = facts(vec![first, grey]);
            known.observations[1].lot_expired = true;
            let found = &workflow::evidence(&known, &with).serology[0].results[1];
            assert_eq!((found.kind, found.validity), (SerologyKind::Duplicate, expect), "{uses_gz}");
        }
    }

    #[test]
    fn what_an_expired_lot_did_find_stays() {
        for (marker, value) in [
            (Marker::HBsAg, ratio("5.1")),
            (Marker::HBsAg, said(Interpretation::Reactive)),
            (Marker::HbvDna, said(Interpretation::Reactive)),
        ] {
            let mut known = facts(vec![observation(marker, "test", value)]);
            known.observations[0].lot_expired = true;
            let evidence = workflow::evidence(&known, &settings("cn-2019"));
            let stays = if marker == Marker::HBsAg {
                evidence.serology[0].results[0].validity.is_none()
            } else {
                evidence.nat[0].result == Some(Call::Reactive)
            };
            assert!(stays, "{marker}: {evidence:?}");
            let verdict = release::decide(&evidence, &settings("cn-2019").pack);
            assert_ne!(verdict.unit(), Unit::Pass);
        }
    }

    #[test]
    fn a_grouping_of_a_bag_segment_stands_beside_that_of_the_tube() {
        let grade = |grade: &str| Value {
            raw: grade.into(),
            grade: Some(grade.parse().unwrap()),
            ..Value::default()
        };
        let mut known = facts(vec![
            observation(Marker::AntiA, "group", grade("4+")),
            observation(Marker::AntiA, "group", grade("4+")),
        ]);
        known.observations[1].message = 1;
        known.observations[1].tube = Some("S".into());
        known.observations[1].segment = true;
        let samples: Vec<_> =
            workflow::evidence(&known, &settings("cn-2019")).grouping.iter().map(|g| g.sample).collect();
        assert_eq!(samples, [None, Some(GroupingSample::Segment)], "of one message and one run, too");
    }

    #[test]
    fn an_analyser_that_could_not_type_or_typed_twice_makes_the_determination_invalid() {
        let abo = |i| observation(Marker::Abo, "group", said(i));
        for rows in
            [vec![abo(Interpretation::Indeterminate)], vec![abo(Interpretation::A), abo(Interpretation::B)]]
        {
            let mut one = facts(rows);
            one.observations.iter_mut().for_each(|fact| fact.message = 1);
            let evidence = workflow::evidence(&one, &settings("cn-2019"));
            assert_eq!(evidence.grouping[0].validity, Some(Validity::Invalid));
        }
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
        let verdict = release::decide(
            &built(vec![observation(Marker::HBsAg, "first", value)]),
            &settings("cn-2019").pack,
        );
        let state = serde_json::to_value(verdict.serology()).unwrap()[0]["state"].clone();
        assert_eq!(state, "IR");
    }
}

//! Whatever an analyser sends again: one measurement, one verdict. And what is not in production is never evidence.

#[cfg(test)]
mod resends {
    use instrument_profiles::{Catalogue, Profile};
    use ledger::{Body, Draft, Earlier, Ledger, Page, Reader, Seq, StateStore, What};
    use proptest::prelude::*;
    use release::evidence::{Qc, Validity};
    use std::{collections::BTreeMap, path::Path, sync::Arc};
    use vocabulary::{
        ConnectionId, DestinationId, DonationId, Interpretation, Marker, Mode, Observation, ProfileRef,
        ResultStatus, RunId, Source, SpecimenId, SpecimenKind, Value,
    };
    use workflow::{DonationFacts, Fact, LotRegister, Profiles, RunFacts, Settings, SpecimenRule};

    const DONATION: &str = "G123426000001";

    fn settings(profiles: Profiles) -> Settings {
        Settings {
            profiles,
            pack: release::RulePack::built_in("cn-2019").unwrap(),
            specimens: SpecimenRule::of(identifiers::Normaliser::default()),
            time_zone: jiff::tz::TimeZone::UTC,
            lots: LotRegister::default(),
            orders: workflow::orders::OrderRules::default(),
            kits: workflow::Kits::default(),
            reagents_per_marker: 2,
            neighbours_each_side: 1,
            deliver_to: vec![DestinationId::new("bis").unwrap()],
            sign_off: workflow::SignOff::Elsewhere,
        }
    }

    struct House {
        settings: Settings,
        profile: Arc<Profile>,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    fn open(folder: &Path) -> Ledger {
        let mut settings = ledger::Settings::new(folder);
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        Ledger::open(settings, &mut |_| {}).unwrap().0
    }

    impl House {
        fn new() -> Self {
            let catalogue = Catalogue::built_in().unwrap();
            let folder = tempfile::tempdir().unwrap();
            Self {
                profile: Arc::clone(catalogue.get("abbott/architect-i2000sr").unwrap()),
                settings: settings(catalogue.list().cloned().collect()),
                ledger: open(folder.path()),
                _folder: folder,
            }
        }

        /// Takes messages in one round, so that none sees the others in the state.
        fn takes(&self, mode: Mode, messages: &[String]) -> Vec<Seq> {
            let seqs = messages
                .iter()
                .map(|message| {
                    let what = What::MessageReceived {
                        connection: ConnectionId::new("arch-1").unwrap(),
                        mode,
                        profile: self.profile.reference().clone(),
                        protocol: self.profile.protocol(),
                        body: Body::Whole(message.as_bytes().into()),
                    };
                    self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().first()
                })
                .collect();
            self.ledger.wait_applied(self.ledger.status().durable).wait().unwrap();
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
            seqs
        }

        fn reader(&self) -> Reader {
            self.ledger.state()
        }

        fn facts(&self) -> DonationFacts {
            workflow::facts_of(&self.settings, &self.reader(), &DonationId::new(DONATION).unwrap()).unwrap()
        }

        fn relations(&self) -> Vec<Option<Earlier>> {
            let view = self.reader().donation(&DonationId::new(DONATION).unwrap()).unwrap().unwrap();
            view.observations.iter().map(|o| o.earlier).collect()
        }

        /// Results of the reagent in the evidence, and its findings.
        fn counted(&self) -> (usize, Vec<String>) {
            let evidence = workflow::evidence(&self.facts(), &self.settings);
            let results = evidence.serology.iter().map(|s| s.results.len()).sum();
            (results, evidence.findings.into_iter().map(|f| f.finding).collect())
        }
    }

    /// A message about one specimen; `action` is O-12, `status` R-9.
    fn message(id: &str, specimen: &str, action: &str, (number, text, status): (&str, &str, &str)) -> String {
        let assay = "^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^";
        let tail = format!("{status}||LAB^LAB||20260302141822|iSR03600\r");
        format!(
            "H|\\^&|{id}||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\rP|1\r\
             O|1|{specimen}|{specimen}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||{action}||||||||||||||F\r\
             R|1|{assay}^F|{number}|S/CO||||{tail}R|2|{assay}^I|{text}|||||{tail}L|1\r"
        )
    }

    fn result(id: &str, specimen: &str, number: &str, text: &str, status: &str) -> String {
        message(id, specimen, "", (number, text, status))
    }

    #[test]
    fn s06_what_is_sent_again_is_shown_as_such_and_counted_once() {
        let house = House::new();
        let first = house.takes(
            Mode::Production,
            &[
                result("1", DONATION, "5.80", "Reactive", "F"),
                // With another message number, keyed in with its check character, and as a repeat by the operator.
                result("2", DONATION, "5.80", "Reactive", "F"),
                result("1", "=G12342600000100", "5.80", "Reactive", "R"),
            ],
        )[0];
        let again = Some(Earlier::RepeatOf(ledger::ObservationRef { message: first, place: 0 }));
        assert_eq!(house.relations(), [None, again, again]);
        assert_eq!(house.counted(), (1, vec![]));
        let verdicts = |house: &House| house.reader().donations(&Page::first(9)).unwrap().items[0].clone();
        let before = verdicts(&house).verdict.unwrap();
        house.takes(Mode::Production, &[result("3", DONATION, "5.80", "Reactive", "F")]);
        assert_eq!(verdicts(&house).verdict.unwrap(), before, "sent again, it makes no new verdict");
        let notes = house.reader().observations_of(first.next().next()).unwrap().unwrap().findings;
        assert!(notes.iter().any(|f| f.finding == "sent_again"), "{notes:?}");
    }

    #[test]
    fn s07_another_value_for_the_same_measurement_holds_and_a_correction_is_shown() {
        let house = House::new();
        let first = house.takes(Mode::Production, &[result("1", DONATION, "0.30", "Nonreactive", "F")])[0];
        house.takes(Mode::Production, &[result("2", DONATION, "0.40", "Nonreactive", "F")]);
        let at = ledger::ObservationRef { message: first, place: 0 };
        assert_eq!(house.relations(), [None, Some(Earlier::DiffersFrom(at))]);
        assert_eq!(house.counted(), (1, vec!["changed_result".to_owned()]));
        let house = House::new();
        let first = house.takes(Mode::Production, &[result("1", DONATION, "0.30", "Nonreactive", "F")])[0];
        house.takes(Mode::Production, &[result("2", DONATION, "5.80", "Reactive", "C")]);
        house.takes(Mode::Production, &[result("3", DONATION, "0.30", "Nonreactive", "F")]);
        let at = ledger::ObservationRef { message: first, place: 0 };
        let expect = [None, Some(Earlier::Corrects(at)), Some(Earlier::RepeatOf(at))];
        assert_eq!(house.relations(), expect);
        assert_eq!(
            house.counted(),
            (1, vec![]),
            "the correction counts, and the old value sent again does not undo it"
        );
    }

    #[test]
    fn numbers_of_which_one_may_be_the_other_cut_off_hold_both() {
        let house = House::new();
        house.takes(Mode::Production, &[result("1", DONATION, "0.30", "Nonreactive", "F")]);
        assert_eq!(house.counted().1, Vec::<String>::new());
        house.takes(Mode::Production, &[result("2", "G123426000", "0.30", "Nonreactive", "F")]);
        assert_eq!(house.counted().1, ["donation_numbers_alike"]);
        for donation in house.reader().donations(&Page::first(9)).unwrap().items {
            let made = house.reader().verdict(donation.verdict.unwrap().seq).unwrap();
            let named =
                ["donation G123426000 and", "donation G123426000:"].iter().any(|n| made.json().contains(n));
            assert!(named && made.json().contains(DONATION), "{}", made.json());
            assert_eq!(made.unit(), "hold");
        }
    }

    #[test]
    fn what_is_not_in_production_is_shown_and_is_never_evidence_verdict_or_delivery() {
        for mode in [Mode::Qualification, Mode::Simulation, Mode::ListenOnly] {
            let house = House::new();
            let bad = result("2", "two words", "5.80", "Reactive", "F");
            let seqs = house.takes(mode, &[result("1", DONATION, "5.80", "Reactive", "F"), bad]);
            let shown = house.reader().observations_of(seqs[0]).unwrap().unwrap();
            assert_eq!((shown.observations.len(), shown.donations.len(), shown.holds.len()), (1, 0, 0));
            let reader = house.reader();
            assert!(reader.donations(&Page::first(9)).unwrap().items.is_empty(), "{mode:?}");
            assert_eq!(reader.counters().unwrap().verdicts, 0);
            assert!(reader.outbox(&DestinationId::new("bis").unwrap(), 9).unwrap().is_empty());
            // The connection goes to production: what came before stays what it was.
            house.takes(Mode::Production, &[result("3", DONATION, "0.30", "Nonreactive", "F")]);
            assert_eq!(house.facts().observations.len(), 1);
            assert_eq!(house.relations(), [None], "it repeats nothing and differs from nothing");
            assert_eq!(house.counted(), (1, vec![]));
        }
    }

    #[test]
    fn controls_that_are_not_in_production_prove_nothing_for_runs_that_are() {
        let controls = [
            message("1", "QC-NEG", "Q", ("0.06", "Nonreactive", "F")),
            message("2", "QC-POS", "Q", ("6.10", "Reactive", "F")),
        ];
        let patient = result("3", DONATION, "0.30", "Nonreactive", "F");
        let validity = |house: &House| house.facts().runs.into_values().next().unwrap().validity;
        for mode in [Mode::Qualification, Mode::Simulation, Mode::ListenOnly] {
            let house = House::new();
            house.takes(mode, &controls);
            house.takes(Mode::Production, std::slice::from_ref(&patient));
            assert_eq!(validity(&house), Validity::Open, "{mode:?}");
            house.takes(Mode::Production, &controls);
            assert_eq!(validity(&house), Validity::Valid);
        }
    }

    fn observation(assay: usize, hour: u8, value: &str, status: ResultStatus) -> Observation {
        let markers = [Marker::HBsAg, Marker::HBsAg, Marker::AntiHcv, Marker::HbvDna];
        let number = value.parse().ok();
        Observation {
            specimen: Some(SpecimenId::new(DONATION).unwrap()),
            instrument: Some("i1".into()),
            assay: format!("assay {assay}"),
            marker: markers[assay],
            kind: SpecimenKind::Patient,
            value: Value {
                raw: value.into(),
                number,
                unit: Some("S/CO".into()),
                interpretation: (assay == 3).then_some(Interpretation::NonReactive),
                ..Value::default()
            },
            flags: vec![],
            status,
            run: Some(RunId::new("line/R1").unwrap()),
            lots: vec![],
            completed_at: Some(format!("2026-03-01T{hour:02}:00:00Z")),
            replicate: None,
            operator: None,
            control: None,
            discriminates: false,
            source: Source::default(),
        }
    }

    fn facts(messages: &[Vec<Observation>]) -> DonationFacts {
        let numbered = (1..).zip(messages).flat_map(|(message, all)| all.iter().map(move |o| (message, o)));
        let observations = numbered.map(|(message, observation)| Fact {
            message,
            connection: ConnectionId::new("line").unwrap(),
            profile: ProfileRef { id: "maker/model".into(), revision: "1".into() },
            tested_at: observation.completed_at.as_ref().map(|t| t.parse().unwrap()),
            came_ms: 0,
            tube: None,
            segment: false,
            entry: 0,
            lot_expired: false,
            observation: observation.clone(),
            window: None,
            kit: None,
        });
        let good = RunFacts::new(Validity::Valid, Qc::InControl);
        DonationFacts {
            donation: DonationId::new(DONATION).unwrap(),
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
            runs: BTreeMap::from([(RunId::new("line/R1").unwrap(), good)]),
        }
    }

    /// What a verdict says, without the numbers of messages.
    fn said(settings: &Settings, messages: &[Vec<Observation>]) -> serde_json::Value {
        let evidence = workflow::evidence(&facts(messages), settings);
        let verdict = release::decide(&evidence, &settings.pack);
        let names: Vec<&str> = evidence.findings.iter().map(|f| f.finding.as_str()).collect();
        let mut told = serde_json::to_value(&verdict).unwrap();
        let kept = ["unit", "releasable", "markers", "serology", "nat", "group"];
        told.as_object_mut().unwrap().retain(|key, _| kept.contains(&key.as_str()));
        serde_json::json!({ "verdict": told, "findings": names, "serology": evidence.serology })
    }

    fn results() -> impl Strategy<Value = Vec<Vec<Observation>>> {
        let status = prop_oneof![
            4 => Just(ResultStatus::Final),
            1 => Just(ResultStatus::Preliminary),
            1 => Just(ResultStatus::Corrected),
        ];
        let value = prop_oneof![Just("0.30"), Just("0.40"), Just("1.00"), Just("5.80")];
        let one = (0_usize..4, 9_u8..13, value, status).prop_map(|(a, h, v, s)| observation(a, h, v, s));
        // Two of one message that agree in everything but the value are two replicates: not what this is about.
        prop::collection::vec(prop::collection::vec(one, 1..4), 1..6).prop_map(|mut messages| {
            for message in &mut messages {
                message.sort_by_key(|o| (o.assay.clone(), o.completed_at.clone()));
                message.dedup_by_key(|o| (o.assay.clone(), o.completed_at.clone()));
            }
            messages
        })
    }

    proptest! {
        #[test]
        fn any_pattern_of_resends_gives_the_verdict_of_sending_once(
            messages in results(), pattern in prop::collection::vec(any::<(u16, bool, bool)>(), 0..12), seed in any::<u64>(),
        ) {
            let settings = settings(Profiles::default());
            let once = said(&settings, &messages);
            // Everything once, some of it again, whole or in two messages, by the operator or not, in any order.
            let mut sent = messages.clone();
            for (which, split, by_hand) in pattern {
                let mut again = messages[usize::from(which) % messages.len()].clone();
                for o in again.iter_mut().filter(|o| by_hand && o.status == ResultStatus::Final) {
                    o.status = ResultStatus::Repeated;
                    o.operator = Some("somebody".into());
                }
                if split {
                    let rest = again.split_off(again.len() / 2);
                    sent.push(rest);
                }
                sent.push(again);
            }
            fastrand::Rng::with_seed(seed).shuffle(&mut sent);
            prop_assert_eq!(said(&settings, &sent), once);
        }
    }
}

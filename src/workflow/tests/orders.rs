//! The worklist over a real ledger: placed, changed, cancelled, looked up, ended by results.

#[cfg(test)]
mod orders {
    use instrument_profiles::Catalogue;
    use ledger::{Body, Draft, Ledger, OrderView, Seq, StateStore, What};
    use release::RulePack;
    use std::collections::BTreeSet;
    use vocabulary::{
        ConnectionId, Mode, OrderAction, OrderId, OrderState, Protocol, QueryOutcome, WhyNothing,
    };
    use workflow::{
        LotRegister, Profiles, Settings, SpecimenRule,
        orders::{self, Analyser, Cancelled, Exchange, Limits, LookUp, OrderRules, Placed, Request},
    };

    const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";
    const HCV: &str = "ARCHITECT Anti-HCV";
    const PROFILE: &str = "abbott/architect-i2000sr";

    struct Lab {
        settings: Settings,
        ledger: Ledger,
        _dir: tempfile::TempDir,
    }

    fn connection(name: &str) -> ConnectionId {
        ConnectionId::new(name).unwrap()
    }

    fn request(id: &str, specimen: &str, assays: &[&str]) -> Request {
        let assays = assays.iter().map(|a| (*a).to_owned()).collect();
        Request { id: id.into(), specimen: specimen.into(), assays, ..Request::default() }
    }

    fn analyser(name: &str, assays: &[&str], exchange: Exchange) -> Analyser {
        Analyser {
            connection: connection(name),
            mode: Mode::Production,
            assays: assays.iter().map(|a| (*a).to_owned()).collect(),
            exchange,
        }
    }

    impl Lab {
        fn new(limits: Limits) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let settings = ledger::Settings {
                state: StateStore::Memory,
                free_bytes_min: 0,
                ballast_bytes: 0,
                ..ledger::Settings::new(dir.path())
            };
            let ledger = Ledger::open(settings, &mut |_| {}).unwrap().0;
            let catalogue = Catalogue::built_in().unwrap();
            let settings = Settings {
                profiles: catalogue.list().cloned().collect::<Profiles>(),
                pack: RulePack::built_in("cn-2019").unwrap(),
                specimens: SpecimenRule::new(r"=?(?<donation>[A-Z]\d{4})(-\d)?").unwrap(),
                time_zone: jiff::tz::TimeZone::get("Asia/Shanghai").unwrap(),
                lots: LotRegister::default(),
                kits: workflow::Kits::default(),
                reagents_per_marker: 2,
                neighbours_each_side: 1,
                deliver_to: vec![],
                sign_off: workflow::SignOff::Elsewhere,
                orders: OrderRules {
                    limits,
                    analysers: vec![
                        analyser("arch-1", &[HBSAG, HCV], Exchange::Asks),
                        analyser("arch-2", &[HBSAG], Exchange::Takes),
                    ],
                },
            };
            Self { settings, ledger, _dir: dir }
        }

        fn place(&self, request: &Request) -> Placed {
            let placed = orders::place(
                &self.settings,
                &self.ledger,
                &ledger::By::from("user:test"),
                std::slice::from_ref(request),
            );
            placed.unwrap().remove(0)
        }

        fn refused(&self, request: &Request) -> String {
            let placed = self.place(request);
            let Placed::Refused(refusal) = placed else { panic!("{placed:?}") };
            refusal.english()
        }

        fn cancel(&self, id: &str, assays: &[&str]) -> Cancelled {
            let assays: Vec<String> = assays.iter().map(|a| (*a).to_owned()).collect();
            let id = OrderId::new(id).unwrap();
            orders::cancel(
                &self.settings,
                &self.ledger,
                &ledger::By::from("user:test"),
                (&id, &assays, "not wanted"),
            )
            .unwrap()
        }

        fn order(&self, id: &str) -> OrderView {
            self.ledger.state().order(&OrderId::new(id).unwrap()).unwrap().unwrap()
        }

        fn write(&self, what: What) -> Seq {
            let durable = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap();
            self.ledger.wait_applied(durable.last()).wait().unwrap();
            durable.first()
        }

        fn receive(&self, from: &str, mode: Mode, message: &str) {
            let profile = Catalogue::built_in().unwrap().get(PROFILE).unwrap().reference().clone();
            self.write(What::MessageReceived {
                connection: connection(from),
                mode,
                profile,
                protocol: Protocol::Lis02,
                body: Body::Whole(message.as_bytes().into()),
            });
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
        }

        fn look_up(&self, scans: &[&str], can_do: &[&str]) -> orders::Found {
            let own = |texts: &[&str]| -> Vec<String> { texts.iter().map(|t| (*t).to_owned()).collect() };
            let asked =
                LookUp { connection: &connection("arch-1"), scans: &own(scans), can_do: &own(can_do) };
            orders::look_up(&self.settings, &self.ledger.state(), &asked).unwrap()
        }

        fn waits(&self, id: &str, connected: &[&str]) -> Vec<(String, String)> {
            let found =
                orders::waits(&self.settings.orders, &self.order(id), &|c| connected.contains(&c.as_str()));
            found.into_iter().map(|w| (w.why, w.why_zh)).collect()
        }

        fn sent(&self, id: &str, to: &str, assays: &[&str], accepted: bool) {
            self.write(What::OrderSent {
                order: OrderId::new(id).unwrap(),
                connection: connection(to),
                assays: assays.iter().map(|a| (*a).to_owned()).collect(),
                message: None,
                action: OrderAction::Place,
                accepted,
                answer: String::new(),
            });
        }
    }

    /// A final HBsAg result of the ARCHITECT.
    fn message(specimen: &str) -> String {
        let of = |aspect: &str, value: &str, unit: &str| {
            let test = format!("^^^728^HBsAgQ2^UNDILUTED^P^51104LI00^01127^^{aspect}");
            format!("{test}|{value}|{unit}||||F||LAB^LAB||20260302090010|iSR03600")
        };
        [
            "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302091500".to_owned(),
            "P|1".to_owned(),
            format!("O|1|{specimen}|{specimen}^A123^1|^^^728^HBsAgQ2^UNDILUTED^P|R||||||||||||||||||||F"),
            format!("R|1|{}", of("F", "0.12", "S/CO")),
            format!("R|2|{}", of("I", "Nonreactive", "")),
            format!("R|3|{}", of("P", "900", "RLU")),
            "L|1\r".to_owned(),
        ]
        .join("\r")
    }

    #[test]
    fn the_same_content_is_one_order_and_other_content_its_next_version() {
        let lab = Lab::new(Limits::default());
        let id = OrderId::new("L1").unwrap();
        assert_eq!(lab.place(&request("L1", "G0001", &[HBSAG])), Placed::New(id.clone()));
        assert_eq!(lab.place(&request("L1", "G0001", &[HBSAG, HBSAG])), Placed::Same(id.clone()));
        assert_eq!(
            lab.place(&request("L1", "=G0001-2", &[HBSAG])),
            Placed::Same(id.clone()),
            "another tube's scan"
        );
        assert_eq!(lab.place(&request("L1", "G0001", &[HBSAG, HCV])), Placed::Changed(id.clone()));
        assert_eq!((lab.order("L1").versions, lab.order("L1").order.assays.len()), (2, 2));
        assert_eq!(lab.cancel("L1", &[HCV]), Cancelled::Done(vec![HCV.into()]));
        assert_eq!(lab.place(&request("L1", "G0001", &[HBSAG])), Placed::Same(id.clone()));
        assert_eq!(
            lab.place(&request("L1", "G0001", &[HBSAG, HCV])),
            Placed::Changed(id),
            "what was cancelled is ordered again"
        );
        assert_eq!(lab.order("L1").state, OrderState::Placed);
        assert_eq!(lab.ledger.state().counters().unwrap().donations, 0, "an order registers no donation");
    }

    #[test]
    fn what_cannot_be_an_order_is_refused_with_its_reason_and_nothing_is_written() {
        let lab = Lab::new(Limits::default());
        lab.place(&request("L1", "G0001", &[HBSAG]));
        let before = lab.ledger.status().durable;
        let bound = Request { only_on: Some("arch1".into()), ..request("L2", "G0001", &[HBSAG]) };
        for (request, expect) in [
            (request("L2", "0001", &[HBSAG]), "specimen \"0001\": it has no form"),
            (request("L2", "G0001", &["HBsAg"]), "did you mean ARCHITECT HBsAg Qualitative II or"),
            (request("L2", "G0001", &["urea"]), "no profile knows the assay \"urea\"; hemogate profile"),
            (request("L2", "G0001", &[" "]), "it names no assay"),
            (request("L1", "G0002", &[HBSAG]), "order L1 is for specimen G0001"),
            (bound, "there is no connection \"arch1\"; did you mean arch-1 or arch-2?"),
        ] {
            let refused = lab.refused(&request);
            assert!(refused.contains(expect), "{refused}");
        }
        assert_eq!(lab.ledger.status().durable, before);
    }

    #[test]
    fn limits_refuse_what_goes_beyond_them_and_let_go_what_has_ended() {
        let lab = Lab::new(Limits {
            open_max: 3,
            open_per_specimen_max: 2,
            assays_max: 1,
            versions_max: 2,
            days_max: 1,
        });
        assert!(lab.refused(&request("L1", "G0001", &[HBSAG, HCV])).contains("at most 1 assays"));
        lab.place(&request("L1", "G0001", &[HBSAG]));
        lab.place(&request("L2", "G0001", &[HBSAG]));
        assert!(
            lab.refused(&request("L3", "G0001", &[HBSAG])).contains("2 orders are open for this specimen")
        );
        lab.place(&request("L3", "G0002", &[HBSAG]));
        assert!(lab.refused(&request("L4", "G0003", &[HBSAG])).contains("3 orders are open"));
        assert_eq!(lab.place(&request("L3", "G0002", &[HCV])), Placed::Changed(OrderId::new("L3").unwrap()));
        assert!(lab.refused(&request("L3", "G0002", &[HBSAG])).contains("changed 2 times"));
        lab.cancel("L1", &[]);
        assert!(matches!(lab.place(&request("L4", "G0001", &[HBSAG])), Placed::New(_)));
        let many: Vec<Request> = (10..13).map(|n| request(&n.to_string(), "G0009", &[HBSAG])).collect();
        lab.cancel("L2", &[]);
        let placed =
            orders::place(&lab.settings, &lab.ledger, &ledger::By::from("user:test"), &many).unwrap();
        assert!(matches!(placed[..], [Placed::New(_), Placed::Refused(_), Placed::Refused(_)]), "{placed:?}");
    }

    #[test]
    fn a_cancellation_names_what_it_ends_and_is_not_taken_twice() {
        let lab = Lab::new(Limits::default());
        lab.place(&request("L1", "G0001", &[HBSAG, HCV]));
        let why = |cancelled: Cancelled| {
            let Cancelled::Refused(refusal) = cancelled else { panic!("{cancelled:?}") };
            refusal.english()
        };
        assert!(why(lab.cancel("L9", &[])).contains("there is no order L9"));
        assert!(why(lab.cancel("L1", &["ELISA HBsAg"])).contains("is not in the order; it has"));
        assert_eq!(lab.cancel("L1", &[]), Cancelled::Done(vec![HCV.into(), HBSAG.into()]));
        assert_eq!(lab.cancel("L1", &[]), Cancelled::Before);
    }

    #[test]
    fn a_result_ends_the_order_of_its_specimen_and_no_other() {
        let lab = Lab::new(Limits::default());
        lab.place(&request("L1", "G0001", &[HBSAG, HCV]));
        lab.place(&request("L2", "G0002", &[HBSAG]));
        lab.receive("arch-1", Mode::Qualification, &message("G0001"));
        assert_eq!(lab.order("L1").state, OrderState::Placed, "qualification ends nothing");
        lab.receive("arch-1", Mode::Production, &message("G0001"));
        let states: Vec<_> = lab.order("L1").assays.into_iter().map(|a| a.state).collect();
        assert_eq!(states, [OrderState::Placed, OrderState::Resulted]);
        assert_eq!(lab.order("L2").state, OrderState::Placed);
        let bound = Request { only_on: Some("arch-2".into()), ..request("L3", "G0002", &[HBSAG]) };
        lab.place(&bound);
        lab.receive("arch-2", Mode::Qualification, &message("G0002"));
        assert_eq!(
            (lab.order("L2").state, lab.order("L3").state),
            (OrderState::Placed, OrderState::Resulted)
        );
    }

    #[test]
    fn an_order_placed_after_the_result_waits_for_the_next_one() {
        let lab = Lab::new(Limits::default());
        lab.receive("arch-1", Mode::Production, &message("G0001"));
        lab.place(&request("L1", "G0001", &[HBSAG]));
        assert_eq!(lab.order("L1").state, OrderState::Placed);
        lab.receive("arch-1", Mode::Production, &message("G0001"));
        assert_eq!(lab.order("L1").state, OrderState::Placed, "the same result again is no new one");
        let tested_again = message("G0001").replace("20260302090010", "20260302100010");
        lab.receive("arch-1", Mode::Production, &tested_again);
        assert_eq!(lab.order("L1").state, OrderState::Resulted);
        lab.receive("arch-1", Mode::Production, &tested_again);
        assert_eq!(lab.order("L1").state, OrderState::Resulted, "and the same again takes nothing back");
    }

    #[test]
    fn a_question_finds_what_is_open_and_can_be_done_or_says_why_nothing() {
        let lab = Lab::new(Limits::default());
        lab.place(&request("L1", "G0001", &[HBSAG, HCV]));
        lab.place(&request("L2", "G0002", &[HCV]));
        lab.place(&Request { only_on: Some("arch-2".into()), ..request("L3", "G0003", &[HBSAG]) });
        lab.place(&request("L4", "G0004", &[HBSAG]));
        lab.cancel("L4", &[]);
        let found = lab.look_up(&["=G0001-1"], &[HBSAG]);
        assert_eq!(found.orders.len(), 1);
        assert_eq!(
            (found.orders[0].scan.as_str(), &found.orders[0].assays[..]),
            ("=G0001-1", &[HBSAG.to_owned()][..])
        );
        let why = |scan: &str| lab.look_up(&[scan], &[HBSAG]).nothing.remove(0).why;
        assert_eq!(why("G0009"), WhyNothing::NoOrder);
        assert_eq!(why("G0002"), WhyNothing::NotHere { assays: vec![HCV.into()] });
        assert_eq!(why("G0003"), WhyNothing::OnlyOn { connections: vec![connection("arch-2")] });
        assert_eq!(why("G0004"), WhyNothing::Ended { state: OrderState::Cancelled });
        assert!(matches!(why("nonsense"), WhyNothing::NoIdentifier { .. }));
        let both = lab.look_up(&["G0001", "G0009"], &[HBSAG]).outcome();
        assert!(
            matches!(both, QueryOutcome::Found { ref orders, ref nothing } if orders.len() == 1 && nothing.len() == 1)
        );
        lab.sent("L1", "arch-1", &[HBSAG], true);
        assert_eq!(lab.look_up(&["G0001"], &[HBSAG]).orders.len(), 1, "who asks again is answered again");
    }

    #[test]
    fn what_waits_says_why_in_both_languages() {
        let lab = Lab::new(Limits::default());
        let reason = |assays: &[&str], only_on: Option<&str>, connected: &[&str], sent: Option<bool>| {
            let id = format!("L{}", lab.ledger.status().durable);
            let only_on = only_on.map(str::to_owned);
            lab.place(&Request { only_on, ..request(&id, "G0001", assays) });
            if let Some(accepted) = sent {
                lab.sent(&id, "arch-1", assays, accepted);
            }
            let mut found = lab.waits(&id, connected);
            assert_eq!(found.len(), 1);
            found.remove(0)
        };
        for (assay, only_on, connected, sent, english, chinese) in [
            ("ELISA HBsAg", None, &[][..], None, "no connection can do this assay", "没有连接能做此项目"),
            (HCV, None, &[], None, "only arch-1 can do it, not connected now", "只有arch-1能做，目前未连接"),
            (
                HCV,
                None,
                &["arch-1"],
                None,
                "arch-1 has not asked for this specimen yet",
                "arch-1尚未查询该标本",
            ),
            (
                HBSAG,
                None,
                &["arch-1", "arch-2"],
                None,
                "waits for its turn to be sent to arch-2",
                "等待发送到arch-2",
            ),
            (
                HBSAG,
                Some("arch-1"),
                &["arch-2"],
                None,
                "only arch-1 can do it, not connected now",
                "只有arch-1能做，目前未连接",
            ),
            (
                HCV,
                Some("arch-2"),
                &["arch-2"],
                None,
                "only on arch-2, which cannot do this assay",
                "限定在arch-2，但该仪器不能做此项目",
            ),
            (
                HCV,
                None,
                &["arch-1"],
                Some(false),
                "refused by arch-1; see its answer",
                "arch-1已拒绝，请查看其应答",
            ),
            (HCV, None, &[], Some(true), "arch-1 has it; no result yet", "已发送到arch-1，尚无结果"),
        ] {
            let found = reason(&[assay], only_on, connected, sent);
            assert_eq!(found, (english.to_owned(), chinese.to_owned()), "{assay} {only_on:?} {connected:?}");
        }
    }

    #[test]
    fn orders_that_grew_too_old_end_by_an_entry_that_says_so() {
        let lab = Lab::new(Limits { days_max: 2, ..Limits::default() });
        lab.place(&request("L1", "G0001", &[HBSAG]));
        let placed_at = lab.order("L1").placed_at_ms;
        let day = 24 * 60 * 60 * 1000;
        assert_eq!(orders::expire(&lab.settings, &lab.ledger, placed_at + 2 * day).unwrap(), 0);
        assert_eq!(orders::expire(&lab.settings, &lab.ledger, placed_at + 2 * day + 1).unwrap(), 1);
        assert_eq!(lab.order("L1").state, OrderState::Expired);
        let history =
            lab.ledger.state().order_history(&OrderId::new("L1").unwrap(), &ledger::Page::first(9)).unwrap();
        let What::OrderExpired { reason, .. } = &history.items[1].what else { panic!() };
        assert_eq!(reason, "placed 2 days ago; open orders are kept for 2 days");
        assert!(
            matches!(lab.place(&request("L1", "G0001", &[HBSAG])), Placed::Changed(_)),
            "it may be placed again"
        );
    }

    #[test]
    fn known_assays_are_those_of_the_catalogue() {
        let lab = Lab::new(Limits::default());
        let known: BTreeSet<&str> = lab.settings.profiles.assays().collect();
        assert!(known.contains(HBSAG) && known.contains(HCV));
    }
}

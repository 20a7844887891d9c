//! Orders that messages bring: placed once, in their order, with what the message means.

#[cfg(test)]
mod incoming {
    use instrument_profiles::Catalogue;
    use ledger::{Body, Draft, Ledger, Seq, StateStore, What};
    use release::RulePack;
    use vocabulary::{ConnectionId, Consequence, Finding, Mode, OrderId, OrderState, Protocol};
    use workflow::{
        LotRegister, Profiles, Settings, SpecimenRule,
        orders::{self, OrderRules},
    };

    const HBSAG: &str = "ARCHITECT HBsAg Qualitative II";
    const HCV: &str = "ARCHITECT Anti-HCV";

    struct Lab {
        settings: Settings,
        ledger: Ledger,
        _dir: tempfile::TempDir,
    }

    impl Lab {
        fn new() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let settings = ledger::Settings {
                state: StateStore::Memory,
                free_bytes_min: 0,
                ballast_bytes: 0,
                ..ledger::Settings::new(dir.path())
            };
            let ledger = Ledger::open(settings, &mut |_| {}).unwrap().0;
            let settings = Settings {
                profiles: Catalogue::built_in().unwrap().list().cloned().collect::<Profiles>(),
                pack: RulePack::built_in("cn-2019").unwrap(),
                specimens: SpecimenRule::new(r"=?(?<donation>[A-Z]\d{4})").unwrap(),
                time_zone: jiff::tz::TimeZone::UTC,
                lots: LotRegister::default(),
                kits: workflow::Kits::default(),
                reagents_per_marker: 2,
                neighbours_each_side: 1,
                deliver_to: vec![],
                sign_off: workflow::SignOff::Elsewhere,
                orders: OrderRules::default(),
            };
            Self { settings, ledger, _dir: dir }
        }

        /// A message arrives; it is not looked at yet.
        fn comes(&self, mode: Mode, message: &str) -> Seq {
            let catalogue = Catalogue::built_in().unwrap();
            let what = What::MessageReceived {
                connection: ConnectionId::new("lis").unwrap(),
                mode,
                profile: catalogue.get("generic/lis-hl7-oml-o33").unwrap().reference().clone(),
                protocol: Protocol::Hl7v2,
                body: Body::Whole(message.as_bytes().into()),
            };
            let durable = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap();
            self.ledger.wait_applied(durable.last()).wait().unwrap();
            durable.first()
        }

        fn work(&self) {
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
        }

        /// State and version of an order; `None`: there is none.
        fn order(&self, id: &str) -> Option<(OrderState, u32)> {
            let found = self.ledger.state().order(&OrderId::new(id).unwrap()).unwrap();
            found.map(|order| (order.state, order.versions))
        }

        fn findings(&self, message: Seq) -> Vec<Finding> {
            self.ledger.state().observations_of(message).unwrap().unwrap().findings
        }
    }

    /// OML^O33: order control, number, specimen, assay.
    fn oml(orders: &[[&str; 4]]) -> String {
        let head = "MSH|^~\\&|LIS|SITE|HEMOGATE|LAB|20260302150500||OML^O33^OML_O33|M-1|P|2.5.1\r";
        let order = |[control, id, specimen, assay]: &[&str; 4]| {
            format!("SPM|1|{specimen}\rSAC|||{specimen}\rORC|{control}|{id}\rOBR||{id}||{assay}\r")
        };
        std::iter::once(head.to_owned()).chain(orders.iter().map(order)).collect()
    }

    #[test]
    fn messages_that_wait_together_are_judged_one_after_the_other() {
        let lab = Lab::new();
        let placed =
            lab.comes(Mode::Production, &oml(&[["NW", "L1", "G0001", HBSAG], ["NW", "L2", "G0002", HCV]]));
        lab.comes(Mode::Production, &oml(&[["RP", "L1", "G0001", HCV]]));
        lab.comes(Mode::Production, &oml(&[["CA", "L2", "G0002", HCV], ["NW", "L3", "G0002", HBSAG]]));
        lab.work();
        assert_eq!(lab.order("L1"), Some((OrderState::Placed, 2)));
        assert_eq!(lab.order("L2"), Some((OrderState::Cancelled, 1)));
        assert_eq!(lab.order("L3"), Some((OrderState::Placed, 1)));
        let order = lab.ledger.state().order(&OrderId::new("L3").unwrap()).unwrap().unwrap();
        assert!(order.from.is_some_and(|from| from > placed), "it names the message that it came in");
        assert_eq!(lab.ledger.state().counters().unwrap().donations, 0, "an order registers no donation");
    }

    #[test]
    fn the_same_message_again_changes_nothing() {
        let lab = Lab::new();
        let message = oml(&[["NW", "L1", "=G0001", HBSAG], ["NW", "L1", "=G0001", HCV]]);
        for _ in 0..3 {
            lab.comes(Mode::Production, &message);
            lab.comes(Mode::Production, &message);
            lab.work();
        }
        assert_eq!(lab.order("L1"), Some((OrderState::Placed, 1)));
        let cancel = oml(&[["CA", "L1", "G0001", HBSAG]]);
        let messages = [lab.comes(Mode::Production, &cancel), lab.comes(Mode::Production, &cancel)];
        lab.work();
        assert!(
            messages.iter().all(|message| lab.findings(*message).is_empty()),
            "cancelled before is no fault"
        );
    }

    #[test]
    fn a_connection_that_is_not_in_production_places_nothing() {
        let lab = Lab::new();
        for mode in [Mode::Qualification, Mode::Simulation, Mode::ListenOnly] {
            let message = lab.comes(mode, &oml(&[["NW", "L1", "G0001", HBSAG]]));
            lab.work();
            let findings = lab.findings(message);
            assert_eq!(findings[0].finding, "order_not_in_production", "{mode:?}");
            assert_eq!(findings[0].consequence, Consequence::Note);
        }
        assert_eq!(lab.order("L1"), None);
    }

    #[test]
    fn what_is_refused_is_told_with_its_code_and_the_rest_is_placed() {
        let lab = Lab::new();
        let raw = oml(&[
            ["NW", "L1", "G0001", HBSAG],
            ["NW", "L2", "G0001", "HBsAg"],
            ["NW", "L3", "0001", HBSAG],
            ["CA", "L9", "G0001", HBSAG],
        ]);
        let message = lab.comes(Mode::Production, &raw);
        let profile = Catalogue::built_in().unwrap().get("generic/lis-hl7-oml-o33").unwrap().clone();
        let judged = || orders::judged(&lab.ledger.state(), &profile, message).unwrap();
        assert_eq!(judged(), None, "it waits to be interpreted");
        lab.work();
        let Some(orders::CameTo::Each(judged)) = judged() else { panic!("{:?}", judged()) };
        let codes: Vec<Option<&str>> = judged.iter().map(|(_, not)| Some(not.as_ref()?.condition)).collect();
        assert_eq!(codes, [None, Some("103"), Some("102"), Some("204")], "{judged:#?}");
        assert_eq!(lab.order("L1"), Some((OrderState::Placed, 1)));
        assert!(["L2", "L3", "L9"].iter().all(|id| lab.order(id).is_none()));
        let findings = lab.findings(message);
        assert!(findings.iter().all(|f| f.specimen.is_none() && f.consequence == Consequence::Hold));
        // The number of one specimen's order is no other specimen's, whether it is placed or cancelled.
        for control in ["NW", "CA"] {
            let raw = oml(&[[control, "L1", "G0002", HBSAG]]);
            let message = lab.comes(Mode::Production, &raw);
            lab.work();
            assert_eq!(lab.findings(message)[0].finding, "order_other_specimen", "{control}");
        }
        assert_eq!(lab.order("L1"), Some((OrderState::Placed, 1)));
    }
}

//! A revision from before profiles had to say what they say now is read by the rules of its time: its messages come out the
//! same, its connection goes on, and its controls count no less.

#[cfg(test)]
mod earlier_releases {
    use instrument_profiles::{Catalogue, Profile, ProfileErrors};
    use ledger::{Body, Draft, Ledger, Seq, StateStore, What};
    use release::evidence::Validity;
    use std::sync::{Arc, LazyLock};
    use vocabulary::{ConnectionId, DonationId, Mode, Observation};
    use workflow::{
        LotRegister, Profiles, RunFacts, Settings, SpecimenRule,
        pins::{self, Started, Unusable},
    };

    const DONATION: &str = "G123426000001";
    const REQUIRES: &str = "[[run.requires]]\ncontrols = [\"negative\", \"positive\"]\n";

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());

    fn today() -> Arc<Profile> {
        Arc::clone(CATALOGUE.get("abbott/architect-i2000sr").unwrap())
    }

    /// The same profile as an earlier release had it, and what today's check says to it.
    fn earlier(without: &str) -> (Arc<Profile>, ProfileErrors) {
        let content = today().content().clone();
        assert!(content.text.contains(without));
        let later = ["guards = ", "sequence = ", "production = ", "must_agree = ", "form = ", "required = "];
        let text = content.text.replacen(without, "", 1);
        let lines = text.lines().filter(|line| !later.iter().any(|key| line.starts_with(key)));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let refused = Profile::read_with("site/profile.toml", &text, &content.templates).unwrap_err();
        (Arc::new(Profile::read_kept("site/profile.toml", &text, &content.templates).unwrap()), refused)
    }

    fn connection(id: &str) -> ConnectionId {
        ConnectionId::new(id).unwrap()
    }

    struct House {
        settings: Settings,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl House {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut settings = ledger::Settings::new(folder.path());
            settings.state = StateStore::Memory;
            settings.free_bytes_min = 0;
            settings.ballast_bytes = 0;
            Self {
                settings: Settings {
                    profiles: CATALOGUE.list().cloned().collect(),
                    pack: release::RulePack::built_in("cn-2019").unwrap(),
                    specimens: SpecimenRule::of(identifiers::Normaliser::default()),
                    time_zone: jiff::tz::TimeZone::UTC,
                    lots: LotRegister::default(),
                    orders: workflow::orders::OrderRules::default(),
                    kits: workflow::Kits::default(),
                    reagents_per_marker: 1,
                    neighbours_each_side: 1,
                    deliver_to: vec![],
                    sign_off: workflow::SignOff::Elsewhere,
                },
                ledger: Ledger::open(settings, &mut |_| {}).unwrap().0,
                _folder: folder,
            }
        }

        /// A connection that an earlier release pinned to this revision.
        fn pinned(profile: &Profile) -> Self {
            let house = Self::new();
            let pin =
                What::ProfilePinned { connection: connection("line"), profile: profile.reference().clone() };
            house.writes(vec![pins::kept(profile), pin]);
            house
        }

        fn writes(&self, whats: Vec<What>) -> Seq {
            let drafts = whats.into_iter().map(Draft::by_system).collect();
            let seq = self.ledger.append(drafts).unwrap().wait().unwrap().last();
            self.ledger.wait_applied(seq).wait().unwrap();
            seq
        }

        /// Messages of one run, as they are read with a profile.
        fn reads(&self, profile: &Profile, messages: &[String]) -> Vec<Observation> {
            let sent: Vec<Seq> = messages
                .iter()
                .map(|message| {
                    self.writes(vec![What::MessageReceived {
                        connection: connection("line"),
                        mode: Mode::Production,
                        profile: profile.reference().clone(),
                        protocol: profile.protocol(),
                        body: Body::Whole(message.as_bytes().into()),
                    }])
                })
                .collect();
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
            let reader = self.ledger.state();
            let read = sent.iter().map(|seq| reader.observations_of(*seq).unwrap().unwrap());
            let read: Vec<ledger::Interpretation> = read.collect();
            for meaning in &read {
                assert_eq!(meaning.profile, *profile.reference());
                assert!(meaning.findings.is_empty(), "{:#?}", meaning.findings);
            }
            read.into_iter().flat_map(|meaning| meaning.observations).collect()
        }

        fn run(&self) -> RunFacts {
            let donation = DonationId::new(DONATION).unwrap();
            let facts = workflow::facts_of(&self.settings, &self.ledger.state(), &donation).unwrap();
            let last = facts.observations.last().unwrap();
            facts.runs[last.observation.run.as_ref().unwrap()].clone()
        }
    }

    fn message(specimen: &str, mark: &str, text: &str, number: &str) -> String {
        let assay = "^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^";
        let tail = "F||LAB^LAB||20260302141822|iSR03600\r";
        format!(
            "H|\\^&|1||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\rP|1\r\
             O|1|{specimen}|{specimen}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||{mark}||||||||||||||F\r\
             R|1|{assay}^F|{number}|S/CO||||{tail}R|2|{assay}^I|{text}|||||{tail}L|1\r"
        )
    }

    fn negative() -> String {
        message("QC-NEG", "Q", "Nonreactive", "0.10")
    }

    fn positive(text: &str, number: &str) -> String {
        message("QC-POS", "Q", text, number)
    }

    fn donor() -> String {
        message(DONATION, "", "Nonreactive", "0.06")
    }

    #[test]
    fn law_4_a_message_that_was_read_with_it_comes_out_as_it_did() {
        let (old, _) = earlier("");
        assert!(old.unsaid().len() > 4 && today().unsaid().is_empty(), "{:#?}", old.unsaid());
        let messages = [negative(), positive("Reactive", "5.00"), donor()];
        let (house, new) = (House::pinned(&old), House::pinned(&today()));
        let (found, expected) = (house.reads(&old, &messages), new.reads(&today(), &messages));
        assert_eq!(found, expected);
        assert_eq!((house.run().validity, new.run().validity), (Validity::Valid, Validity::Valid));
        // It is not installed: what is found of it is what the ledger keeps.
        let kept = house.settings.profiles.find(&house.ledger.state(), old.reference()).unwrap().unwrap();
        assert_eq!((kept.content(), kept.unsaid().len()), (old.content(), old.unsaid().len()));
    }

    #[test]
    fn a_run_needs_what_it_required_then_and_where_it_required_nothing_by_name_no_control_is_enough() {
        let (said, _) = earlier("");
        let (silent, _) = earlier(REQUIRES);
        let both = [negative(), positive("Reactive", "5.00")];
        let one = [negative()];
        let wrong = [negative(), positive("Nonreactive", "0.20")];
        for (profile, controls, expected, told) in [
            (&said, &both[..], Validity::Valid, ""),
            (&said, &one[..], Validity::Open, "positive"),
            (&said, &wrong[..], Validity::Invalid, "positive"),
            (&silent, &both[..], Validity::Open, "earlier release"),
            (&silent, &one[..], Validity::Open, "earlier release"),
            (&silent, &wrong[..], Validity::Invalid, "positive"),
        ] {
            let house = House::pinned(profile);
            house.reads(profile, &[controls, &[donor()]].concat());
            let run = house.run();
            let why = format!("{:?}", run.why);
            assert_eq!(run.validity, expected, "{why}");
            assert!(why.contains(told), "{told:?}: {why}");
        }
    }

    #[test]
    fn law_10_its_connection_goes_on_whatever_its_folder_says_and_nothing_new_begins_with_it() {
        let (old, errors) = earlier("");
        let house = House::pinned(&old);
        let (profiles, ledger) = (&house.settings.profiles, &house.ledger);
        let before = ledger.status().durable;
        let of_folder = |reference| Unusable { reference, errors: errors.clone() };
        let unusable = of_folder(Some(old.reference().clone()));
        let goes_on = |started: Started| match started {
            Started::Pinned(profile) => assert_eq!(profile.reference(), old.reference()),
            Started::Configured(_) | Started::Refused(_) => panic!("{started:?}"),
        };
        goes_on(pins::start_without(profiles, ledger, &connection("line"), &unusable).unwrap());
        assert_eq!(ledger.status().durable, before, "nothing of what was refused is kept");
        goes_on(pins::start(profiles, ledger, &connection("line"), &today()).unwrap());

        let mut other = old.reference().clone();
        other.id = "other/model".to_owned();
        let (nobody, line) = (connection("new"), connection("line"));
        for (at, unusable, told) in [
            // What an earlier release would have pinned at a first start is not pinned any more.
            (&nobody, &unusable, "missing `form`"),
            // Nobody agreed on this for another model, or for a file of which nobody can say what it is.
            (&line, &of_folder(Some(other)), "cannot stand in"),
            (&line, &of_folder(None), "cannot stand in"),
        ] {
            match pins::start_without(profiles, ledger, at, unusable).unwrap() {
                Started::Refused(why) => {
                    assert!(why.why.contains(told), "{why}");
                    assert!(why.why.contains("site/profile.toml:"), "{why}");
                    assert!(why.why_zh.contains("未通过检查"), "{}", why.why_zh);
                }
                started @ (Started::Configured(_) | Started::Pinned(_)) => panic!("{started:?}"),
            }
        }
        assert!(ledger.state().pin(&nobody).unwrap().is_none());
        // Of a revision that is nowhere any more nothing stands in.
        let lost = House::new();
        let pin = What::ProfilePinned { connection: line.clone(), profile: old.reference().clone() };
        lost.writes(vec![pin]);
        let started = pins::start_without(&lost.settings.profiles, &lost.ledger, &line, &unusable).unwrap();
        assert!(matches!(started, Started::Refused(_)), "{started:?}");
        assert!(Profiles::default().find(&lost.ledger.state(), old.reference()).unwrap().is_none());
    }
}

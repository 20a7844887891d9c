//! A message that is read again gives what it would have given, had it been read so in the first place.

#[cfg(test)]
mod reprocess {
    use instrument_profiles::{Catalogue, Profile};
    use ledger::{Body, By, Draft, Ledger, Mapped, Order, Page, Seq, StateStore, What};
    use proptest::prelude::*;
    use serde_json::{Value, json};
    use std::{
        collections::BTreeMap,
        path::Path,
        sync::{Arc, LazyLock},
    };
    use vocabulary::{ConnectionId, Consequence, DestinationId, Mode, Role};
    use workflow::{
        LotRegister, Settings, SpecimenRule,
        mapping::{self, Said},
        people::{Actor, Local, NewUser, People, PeopleRules},
        pins::{self, Started, Step},
        reprocess::{Outcome, Which, changed_verdicts, one, several},
    };

    const DONATIONS: [&str; 2] = ["G123426000001", "G123426000002"];
    const ALL: Which = Which { connection: None, held: false, revision: None };

    fn connection() -> ConnectionId {
        ConnectionId::new("arch-1").unwrap()
    }

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());
    static LACKING: LazyLock<Arc<Profile>> = LazyLock::new(|| {
        let content = good().content().clone();
        let text = content.text.replace("\"Reactive\" = \"reactive\"\n", "");
        assert_ne!(text, content.text);
        Arc::new(Profile::read_with("lacking", &text, &content.templates).unwrap())
    });

    fn good() -> Arc<Profile> {
        Arc::clone(CATALOGUE.get("abbott/architect-i2000sr").unwrap())
    }

    /// The same profile before somebody told it what "Reactive" means.
    fn lacking() -> Arc<Profile> {
        Arc::clone(&LACKING)
    }

    const FIRST: &str = "First-password-1";
    const OTHER: &str = "Other-password-2";

    /// Two people who may activate revisions, map codes and have messages read again, and the entries that a ledger has
    /// to begin with for them to be known.
    static COLLEAGUES: LazyLock<(Vec<Draft>, [Actor; 2])> = LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let ledger = open(folder.path());
        let people = People::new(ledger.clone(), PeopleRules::default());
        let new = |user: &str| {
            let (name, password) = (format!("Name of {user}"), FIRST.to_owned());
            NewUser { user: user.into(), name, password }
        };
        let now = jiff::Timestamp::now();
        let local = Local::of_stopped(&people, "root");
        local.add(&new("system"), Role::SystemAdministrator).unwrap();
        local.add(&new("security"), Role::SecurityAdministrator).unwrap();
        let signed_in = |user: &str, password: &str| people.authenticate(user, password, now).unwrap();
        let (system, security) = (signed_in("system", FIRST), signed_in("security", FIRST));
        let actors = ["anna", "bert"].map(|user| {
            people.add(&system, &new(user)).unwrap();
            people.set_roles(&security, (user, None), &[Role::QcOfficer], "new").unwrap();
            people.change_password(&signed_in(user, FIRST), (FIRST, OTHER), now).unwrap();
            signed_in(user, OTHER)
        });
        let entries = ledger.state().entries(Seq::NONE.next());
        let drafts = entries
            .map(|line| line.unwrap().entry)
            .map(|e| Draft { by: By::from(e.by).at(e.terminal), what: e.what });
        (drafts.collect(), actors)
    });

    struct House {
        settings: Settings,
        anna: Actor,
        bert: Actor,
        /// The profile that the line is run with.
        line: Arc<Profile>,
        ledger: Ledger,
        sent: Vec<Seq>,
        folder: tempfile::TempDir,
    }

    fn open(folder: &Path) -> Ledger {
        let mut settings = ledger::Settings::new(folder);
        settings.state = StateStore::Memory;
        settings.free_bytes_min = 0;
        settings.ballast_bytes = 0;
        Ledger::open(settings, &mut |_| {}).unwrap().0
    }

    impl House {
        fn new(line: Arc<Profile>) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let settings = Settings {
                profiles: [good(), lacking()].into_iter().collect(),
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
            };
            let ledger = open(folder.path());
            let (drafts, [anna, bert]) = COLLEAGUES.clone();
            let known = ledger.append(drafts).unwrap().wait().unwrap().last();
            ledger.wait_applied(known).wait().unwrap();
            let started = pins::start(&settings.profiles, &ledger, &connection(), &line).unwrap();
            assert!(matches!(started, Started::Configured(_)));
            Self { settings, anna, bert, line, ledger, sent: Vec::new(), folder }
        }

        fn takes(&mut self, message: &str) -> Seq {
            let what = What::MessageReceived {
                connection: connection(),
                mode: Mode::Production,
                profile: self.line.reference().clone(),
                protocol: self.line.protocol(),
                body: Body::Whole(message.as_bytes().into()),
            };
            let seq = self.ledger.append(vec![Draft::by_system(what)]).unwrap().wait().unwrap().first();
            self.ledger.wait_applied(seq).wait().unwrap();
            self.sent.push(seq);
            seq
        }

        fn works(&self) {
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
        }

        /// Two people activate the profile that knows the text.
        fn mends(&self) {
            let good = good();
            let revision = &good.reference().revision;
            for who in [&self.anna, &self.bert] {
                let asked = (&connection(), revision.as_str());
                pins::activate(&self.settings.profiles, &self.ledger, who, asked, "mended").unwrap();
            }
            assert_eq!(self.ledger.state().pin(&connection()).unwrap().unwrap().profile, *good.reference());
        }

        fn reads_again(&self, seq: Seq) -> Outcome {
            one(&self.settings, &self.ledger, &self.anna, (seq, "mended")).unwrap().unwrap()
        }

        fn reads_all_again(&self, which: &Which) -> usize {
            let page = Page { after: None, limit: 200, order: Order::OldestFirst };
            let found = several(&self.settings, &self.ledger, &self.anna, (which, &page), "mended").unwrap();
            assert_eq!((found.next, found.refused.len()), (None, 0));
            found.asked.len()
        }

        /// Everything that people and verdicts see, with messages by their order and without entries.
        fn seen(&self) -> Value {
            let reader = self.ledger.state();
            let place: BTreeMap<u64, usize> = self.sent.iter().map(|s| s.get()).zip(0..).collect();
            let mut donations = Vec::new();
            for summary in reader.donations(&Page::first(99)).unwrap().items {
                let view = reader.donation(&summary.donation).unwrap().unwrap();
                let observations: Vec<Value> = view
                    .observations
                    .iter()
                    .map(|o| {
                        let earlier =
                            o.earlier.map(|e| (e.name(), place[&e.of().message.get()], e.of().place));
                        json!([place[&o.message.get()], o.profile, o.place, earlier, o.observation])
                    })
                    .collect();
                let findings: Vec<Value> =
                    view.findings.iter().map(|f| json!([place[&f.message.get()], f.finding])).collect();
                let facts = workflow::facts_of(&self.settings, &reader, &summary.donation).unwrap();
                let evidence = workflow::evidence(&facts, &self.settings);
                let verdict = release::decide(&evidence, &self.settings.pack);
                let standing = summary.verdict.as_ref().unwrap();
                assert_eq!(verdict.content_hash(), standing.content_hash, "the verdict rests on what stands");
                assert!(!summary.undecided);
                donations.push(json!([
                    summary.donation,
                    observations,
                    findings,
                    evidence,
                    standing.unit,
                    standing.releasable
                ]));
            }
            let mut messages = Vec::new();
            for seq in &self.sent {
                let view = reader.message(*seq).unwrap().unwrap();
                let meaning = reader.observations_of(*seq).unwrap().unwrap();
                messages.push(json!([view.read_with, meaning]));
            }
            let counters = reader.counters().unwrap();
            let held: Vec<Value> = reader
                .held_messages(None, &|_| true, &Page::first(99))
                .unwrap()
                .items
                .iter()
                .map(|held| json!([place[&held.message.seq.get()], held.reasons]))
                .collect();
            let counted = json!([
                counters.observations,
                counters.findings,
                counters.held_messages,
                counters.interpreted,
                counters.to_interpret,
                counters.to_decide,
                counters.misfits,
            ]);
            let all = json!([donations, messages, held, counted]).to_string();
            // Texts and references name messages by entry.
            let mut named = all;
            for (entry, place) in place.iter().rev() {
                named = named.replace(&format!("message {entry})"), &format!("#{place})"));
                named = named.replace(&format!("message {entry} "), &format!("#{place} "));
                named =
                    named.replace(&format!("\"message\":{entry},"), &format!("\"message\":\"#{place}\","));
            }
            serde_json::from_str(&named).unwrap()
        }
    }

    fn message(id: usize, donation: usize, text: &str, number: &str, status: &str) -> String {
        let assay = "^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^";
        let tail = format!("{status}||LAB^LAB||20260302141822|iSR03600\r");
        let specimen = DONATIONS[donation];
        format!(
            "H|\\^&|{id}||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000\rP|1\r\
             O|1|{specimen}|{specimen}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F\r\
             R|1|{assay}^F|{number}|S/CO||||{tail}R|2|{assay}^I|{text}|||||{tail}L|1\r"
        )
    }

    #[derive(Debug, Clone)]
    enum Act {
        Takes(String),
        Works,
        Mends,
        ReadsAgain(usize),
        ReadsHeldAgain,
        ReadsAllAgain,
    }

    fn acts() -> impl Strategy<Value = Vec<Act>> {
        let texts = prop_oneof![
            Just(("Reactive", "5.80")),
            Just(("Nonreactive", "0.06")),
            Just(("Reactive", "7.10"))
        ];
        let status = prop_oneof![3 => Just("F"), 1 => Just("R"), 1 => Just("C")];
        let sent = (0..2_usize, texts, status).prop_map(|(donation, (text, number), status)| {
            Act::Takes(message(1, donation, text, number, status))
        });
        let act = prop_oneof![
            6 => sent,
            3 => Just(Act::Works),
            1 => Just(Act::Mends),
            2 => (0..8_usize).prop_map(Act::ReadsAgain),
            1 => Just(Act::ReadsHeldAgain),
            1 => Just(Act::ReadsAllAgain),
        ];
        prop::collection::vec(act, 1..16)
    }

    fn check(acts: &[Act]) {
        let mut house = House::new(lacking());
        let mut at_once = House::new(good());
        for act in acts {
            match act {
                Act::Takes(message) => {
                    house.takes(message);
                    at_once.takes(message);
                }
                Act::Works => house.works(),
                Act::Mends => house.mends(),
                Act::ReadsAgain(place) => {
                    if let Some(seq) = house.sent.get(*place) {
                        house.reads_again(*seq);
                    }
                }
                Act::ReadsHeldAgain => drop(house.reads_all_again(&Which { held: true, ..ALL })),
                Act::ReadsAllAgain => drop(house.reads_all_again(&ALL)),
            }
        }
        house.works();
        house.mends();
        house.reads_all_again(&ALL);
        house.works();
        at_once.works();
        pretty(&house.seen(), &at_once.seen());
        // Again: nothing new.
        let before = house.ledger.status().durable;
        assert_eq!(house.reads_all_again(&ALL), 0);
        house.mends();
        assert_eq!(
            (house.ledger.status().durable, workflow::work_once(&house.settings, &house.ledger).unwrap()),
            (before, 0)
        );
        // Made again from the journal, it is the same.
        let digest = house.ledger.state().digest().unwrap();
        house.ledger.clone().close();
        let rebuilt = open(house.folder.path());
        assert_eq!(rebuilt.state().digest().unwrap(), digest);
    }

    fn pretty(found: &Value, expected: &Value) {
        if found != expected {
            let (found, expected) = (
                serde_json::to_string_pretty(found).unwrap(),
                serde_json::to_string_pretty(expected).unwrap(),
            );
            let first = found.lines().zip(expected.lines()).position(|(a, b)| a != b).unwrap_or(0);
            let around = |text: &str| {
                text.lines().skip(first.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n")
            };
            panic!("line {first}\nread again:\n{}\nat once:\n{}", around(&found), around(&expected));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
        #[test]
        fn any_order_of_mending_reading_again_and_repeating_ends_where_the_mended_profile_alone_does(acts in acts()) {
            check(&acts);
        }
    }

    #[test]
    fn a_held_result_counts_once_its_text_is_known_and_what_was_said_before_stays_visible() {
        let mut house = House::new(lacking());
        let held = house.takes(&message(1, 0, "Reactive", "5.80", "F"));
        let repeat = house.takes(&message(2, 0, "Reactive", "5.80", "F"));
        house.works();
        let reader = house.ledger.state();
        assert_eq!(reader.counters().unwrap().held_messages, 2);
        assert_eq!(house.reads_again(held), Outcome::Unchanged, "the profile is as it was");
        house.mends();
        let Outcome::Asked { profile, .. } = house.reads_again(held) else { panic!() };
        assert_eq!(profile, *good().reference());
        assert_eq!(house.reads_again(held), Outcome::Waiting);
        house.works();
        let versions = reader.interpretations_of(held).unwrap();
        assert_eq!(
            (versions.len(), versions[0].replaced_by, versions[1].replaced_by),
            (2, Some(versions[1].entry), None)
        );
        assert!(versions[1].asked.is_some() && versions[0].asked.is_none());
        let before = reader.past_interpretation(held, versions[0].entry).unwrap().unwrap();
        assert!(
            before.findings.iter().any(|f| f.finding == "unknown_value" && f.consequence > Consequence::Note)
        );
        assert_eq!(reader.observations_of(held).unwrap().unwrap().findings, []);
        house.reads_again(repeat);
        house.works();
        assert_eq!(reader.counters().unwrap().held_messages, 0);
        let view = reader.donation(&DONATIONS[0].parse().unwrap()).unwrap().unwrap();
        let of = view.observations[1].earlier.unwrap();
        assert_eq!((of.name(), of.of().message), ("repeat_of", held));
        assert!(house.reads_all_again(&ALL) == 0 && view.findings.is_empty());
    }

    #[test]
    fn a_verdict_that_changes_is_told_with_what_it_was() {
        let mut house = House::new(lacking());
        let held = house.takes(&message(1, 0, "Reactive", "5.80", "F"));
        house.works();
        house.mends();
        house.reads_again(held);
        house.works();
        let reader = house.ledger.state();
        let (view, versions) =
            (reader.message(held).unwrap().unwrap(), reader.interpretations_of(held).unwrap());
        let changed = changed_verdicts(&reader, &view, &versions).unwrap();
        assert_eq!(changed.len(), 1);
        assert!(changed[0].before.seq < changed[0].after.seq && !changed[0].was_releasable);
    }

    #[test]
    fn law_10_another_revision_needs_two_people_and_a_start_goes_on_with_the_pinned_one() {
        let mut house = House::new(lacking());
        let good = good();
        let profiles = house.settings.profiles.clone();
        let (ledger, anna, bert) = (house.ledger.clone(), house.anna.clone(), house.bert.clone());
        let activate = |by: &Actor, revision: &str| {
            pins::activate(&profiles, &ledger, by, (&connection(), revision), "mended").unwrap()
        };
        let revision = good.reference().revision.as_str();
        assert!(matches!(activate(&anna, "0000000000"), Step::Refused(_)));
        assert!(matches!(activate(&anna, revision.split_at(4).0), Step::Refused(_)), "too short");
        assert!(matches!(activate(&anna, &lacking().reference().revision), Step::InForce { .. }));
        assert!(matches!(activate(&anna, revision.split_at(12).0), Step::Proposed { .. }));
        let before = house.ledger.status().durable;
        assert!(matches!(activate(&anna, revision), Step::WaitsForAnother { .. }));
        assert_eq!(house.ledger.status().durable, before);
        // The ledger itself takes no second word of the same person.
        let pin = house.ledger.state().pin(&connection()).unwrap().unwrap();
        let proposed = pin.proposed.unwrap().entry;
        let what =
            What::ProfileActivated { connection: connection(), profile: good.reference().clone(), proposed };
        let forged =
            house.ledger.append(vec![Draft { by: "user:anna".into(), what }]).unwrap().wait().unwrap();
        house.ledger.wait_applied(forged.last()).wait().unwrap();
        assert_eq!(house.ledger.state().pin(&connection()).unwrap().unwrap().profile, pin.profile);
        // A start with the other revision configured goes on with the pinned one, also where only the ledger has it.
        let nothing = workflow::Profiles::default();
        let Started::Pinned(found) = pins::start(&nothing, &house.ledger, &connection(), &good).unwrap()
        else {
            panic!()
        };
        assert_eq!((found.reference(), found.content()), (lacking().reference(), lacking().content()));
        let other = Arc::clone(CATALOGUE.get("mindray/bs").unwrap());
        let refused = pins::start(&nothing, &house.ledger, &connection(), &other).unwrap();
        let Started::Refused(why) = refused else { panic!("{refused:?}") };
        assert!(why.why.contains("another model") && why.why_zh.contains("两人"), "{why:?}");
        let step = activate(&bert, revision);
        assert!(matches!(step, Step::Activated { line_at_next_start: true, .. }), "{step:?}");
        // What comes from here on is read with it, though the line was started with the other.
        let seq = house.takes(&message(1, 0, "Reactive", "5.80", "F"));
        house.works();
        let view = house.ledger.state().message(seq).unwrap().unwrap();
        assert_eq!((&view.profile, &view.read_with), (lacking().reference(), good.reference()));
        assert_eq!(house.ledger.state().observations_of(seq).unwrap().unwrap().findings, []);
    }

    #[test]
    fn a_revision_of_an_earlier_release_may_be_read_and_not_be_activated() {
        let house = House::new(good());
        let content = good().content().clone();
        let lines = content.text.lines().filter(|line| !line.starts_with("form = "));
        let text: String = lines.flat_map(|line| [line, "\n"]).collect();
        let old = Profile::read_kept("old", &text, &content.templates).unwrap();
        let proposed = What::ProfileProposed {
            connection: connection(),
            profile: old.reference().clone(),
            why: "before the upgrade".into(),
        };
        // An earlier release kept it, and somebody wanted it.
        let drafts = [pins::kept(&old), proposed].map(|what| Draft { by: "user:anna".into(), what });
        let written = house.ledger.append(drafts.into()).unwrap().wait().unwrap().last();
        house.ledger.wait_applied(written).wait().unwrap();
        for who in [&house.anna, &house.bert] {
            let asked = (&connection(), old.reference().revision.as_str());
            let step = pins::activate(&house.settings.profiles, &house.ledger, who, asked, "again").unwrap();
            let Step::Refused(why) = step else { panic!("{step:?}") };
            assert!(why.why.contains("missing `form`") && why.why_zh.contains("不能启用"), "{why:?}");
        }
        assert_eq!(house.ledger.state().pin(&connection()).unwrap().unwrap().profile, *good().reference());
        let added = pins::add(&house.ledger, &house.anna, &text, &content.templates).unwrap();
        assert!(added.unwrap_err().why.contains("missing `form`"));
        assert_eq!(house.ledger.status().durable, written);
    }

    #[test]
    fn what_one_person_maps_means_nothing_before_another_activates_it_and_the_message_is_read_again() {
        let mut house = House::new(lacking());
        let held = house.takes(&message(1, 0, "Reactive", "5.80", "F"));
        house.works();
        let said = |text: &str, meaning: &str| Said {
            connection: connection(),
            mapped: Mapped::Value { map: "screening".into(), text: text.into(), meaning: meaning.into() },
            message: Some(held),
            why: "the maker's manual, page 7".into(),
        };
        let map =
            |said: &Said| mapping::map(&house.settings.profiles, &house.ledger, &house.anna, said).unwrap();
        assert!(matches!(map(&said("Reactive", "fine")), Step::Refused(_)), "a meaning that there is not");
        assert!(matches!(map(&said("Retest", "grey_zone")), Step::Proposed { .. }));
        let Step::Proposed { profile, .. } = map(&said("Reactive", "reactive")) else { panic!() };
        let reader = house.ledger.state();
        let kept = reader.kept_profile(&profile).unwrap().unwrap();
        let mapping = kept.mapping.unwrap();
        assert_eq!(
            (&*kept.by, mapping.message, &*mapping.why),
            ("user:anna", Some(held), "the maker's manual, page 7")
        );
        assert!(kept.content.text.contains("Retest"), "both are activated together");
        assert_eq!(house.reads_again(held), Outcome::Unchanged);
        let activate = |who: &Actor| {
            let asked = (&connection(), profile.revision.as_str());
            pins::activate(&house.settings.profiles, &house.ledger, who, asked, "checked").unwrap()
        };
        assert!(matches!(activate(&house.anna), Step::WaitsForAnother { .. }));
        assert!(matches!(activate(&house.bert), Step::Activated { .. }));
        assert!(matches!(house.reads_again(held), Outcome::Asked { .. }));
        house.works();
        assert_eq!(reader.observations_of(held).unwrap().unwrap().findings, []);
        assert_eq!(reader.message(held).unwrap().unwrap().read_with, profile);
        // Made again from the journal alone, it is read the same: the ledger keeps what was read with.
        let digest = reader.digest().unwrap();
        house.ledger.clone().close();
        let rebuilt = open(house.folder.path());
        assert_eq!(rebuilt.state().digest().unwrap(), digest);
        let nothing = workflow::Profiles::default();
        assert_eq!(nothing.find(&rebuilt.state(), &profile).unwrap().unwrap().reference(), &profile);
    }
}

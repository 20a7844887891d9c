//! A robot's log, an analyser's result on the pool's number, and results of members alone: what each member comes to, in
//! whichever order they come.

#[cfg(test)]
mod pools {
    mod conflict;
    mod discriminating;
    mod fallen;
    mod given_up;
    mod lots;

    use identifiers::{Form, Normaliser, Rules};
    use instrument_profiles::Catalogue;
    use ledger::{Body, Draft, Ledger, StateStore, What};
    use proptest::prelude::*;
    use release::Verdict;
    use std::{fmt::Write as _, sync::LazyLock};
    use vocabulary::{ConnectionId, DonationId, DonationRegistration, DonorRegistration, Mode, PoolId};
    use workflow::{Settings, SpecimenRule};

    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::built_in().unwrap());

    const POOL: &str = "MP26030201";
    const HEAD: &str = "RunID,Plate,Type,PoolID,Position,SampleID,Barcode,Volume,Status,Error,PoolSize,Time,Instrument,Operator";

    /// Numbers of which no mistyped one is another.
    fn number(member: usize) -> String {
        ["G123426000101", "G123426000212", "G123426000323", "G123426000434", "G123426000545", "G123426000656"]
            .get(member.wrapping_sub(1))
            .map_or_else(|| format!("G1234260009{member:02}"), |known| (*known).to_owned())
    }

    struct House {
        settings: Settings,
        ledger: Ledger,
        _folder: tempfile::TempDir,
    }

    impl House {
        /// A laboratory with six registered donations and the controls of one run.
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let mut settings = ledger::Settings::new(folder.path());
            settings.state = StateStore::Memory;
            settings.free_bytes_min = 0;
            settings.ballast_bytes = 0;
            let forms = [
                Form::pattern("donations", r"(?<donation>G\d{12})"),
                Form::pattern("pools", r"(?<pool>MP\d{8})"),
            ];
            let house = Self {
                settings: Settings {
                    profiles: CATALOGUE.list().cloned().collect(),
                    pack: release::RulePack::built_in("cn-2019").unwrap(),
                    specimens: SpecimenRule::of(Normaliser::new(&Rules::of(forms.to_vec())).unwrap()),
                    time_zone: jiff::tz::TimeZone::UTC,
                    lots: lots::accepted(&["K12345", "C777"]),
                    kits: workflow::Kits::default(),
                    orders: workflow::orders::OrderRules::default(),
                    reagents_per_marker: 2,
                    neighbours_each_side: 1,
                    deliver_to: vec![],
                    sign_off: workflow::SignOff::Elsewhere,
                },
                ledger: Ledger::open(settings, &mut |_| {}).unwrap().0,
                _folder: folder,
            };
            for member in 1..=6 {
                house.registers(member);
            }
            house.takes(&Step::Controls("R-0091"));
            house
        }

        fn writes(&self, group: Vec<What>) {
            let group = group.into_iter().map(Draft::by_system).collect();
            let last = self.ledger.append(group).unwrap().wait().unwrap().last();
            self.ledger.wait_applied(last).wait().unwrap();
        }

        fn registers(&self, member: usize) {
            let donor = DonorRegistration {
                id: format!("D{member}").into(),
                first_time: false,
                deferred: false,
                barred: None,
                sensitised: None,
                history: None,
                field_abo: None,
            };
            self.writes(vec![What::DonationRegistered(DonationRegistration {
                donation: DonationId::new(&number(member)).unwrap(),
                collected_at: "2026-03-01T09:00:00Z".parse().unwrap(),
                centrifuged_at: None,
                session: None,
                donor,
            })]);
        }

        fn message(&self, profile: &str, raw: &[u8]) {
            let profile = CATALOGUE.get(profile).unwrap();
            self.writes(vec![What::MessageReceived {
                connection: ConnectionId::new(profile.reference().id.split('/').next().unwrap()).unwrap(),
                mode: Mode::Production,
                profile: profile.reference().clone(),
                protocol: profile.protocol(),
                body: Body::Whole(raw.into()),
            }]);
        }

        fn takes(&self, step: &Step) {
            match step {
                Step::Registers(member) => self.registers(*member),
                Step::Log(rows) => self.message("generic/pooling-log", log(rows).as_bytes()),
                Step::File(text) => self.message("generic/pooling-log", text.as_bytes()),
                Step::Controls(run) => {
                    for (name, targets) in [
                        ("(-) C", "vvv"),
                        ("MPX M (+) C", "vvv"),
                        ("MPX O (+) C", "--v"),
                        ("MPX 2 (+) C", "--v"),
                    ] {
                        self.message("roche/cobas-x800", tested(name, targets, run, "1500", true).as_bytes());
                    }
                }
                Step::Tests(specimen, targets, at) => {
                    self.message(
                        "roche/cobas-x800",
                        tested(specimen, targets, "R-0091", at, false).as_bytes(),
                    );
                }
            }
        }

        fn works(&self) {
            while workflow::work_once(&self.settings, &self.ledger).unwrap() > 0 {}
        }

        /// What is known now, judged now; and that it is what the ledger's verdict says.
        fn verdict(&self, member: usize) -> Verdict {
            let donation = DonationId::new(&number(member)).unwrap();
            let reader = self.ledger.state();
            let facts = workflow::facts_of(&self.settings, &reader, &donation).unwrap();
            let verdict = release::decide(&workflow::evidence(&facts, &self.settings), &self.settings.pack);
            let stands = reader.donation(&donation).unwrap().unwrap().summary.verdict.unwrap();
            assert_eq!(stands.content_hash, verdict.content_hash(), "{donation} was not decided again");
            verdict
        }

        /// `HBV HCV HIV` of each member: `+`, `-`, pending `p`, unresolved `u`, not tested `.`, invalid `i`, for good `x`, review `!`.
        fn states(&self) -> String {
            let of = |member: usize| -> String {
                let verdict = self.verdict(member);
                let of = |target: &str| {
                    let found = verdict.nat().iter().find(|nat| nat.target.name() == target);
                    found.map_or("?", |nat| match nat.state.name() {
                        "FINAL_R" => "+",
                        "FINAL_NR" => "-",
                        "PENDING" => "p",
                        "MPR_UNRESOLVED" => "u",
                        "NOT_TESTED" => ".",
                        "INVALID" => "i",
                        "INVALID_FINAL" => "x",
                        "REVIEW" => "!",
                        other => panic!("{other}"),
                    })
                };
                ["HBV", "HCV", "HIV"].map(of).concat()
            };
            (1..=6).map(of).collect::<Vec<_>>().join(" ")
        }

        /// Names of findings about pools that hold a member.
        fn held(&self, member: usize) -> Vec<(String, String)> {
            let donation = DonationId::new(&number(member)).unwrap();
            let facts = workflow::facts_of(&self.settings, &self.ledger.state(), &donation).unwrap();
            let found = workflow::evidence(&facts, &self.settings).findings;
            found.into_iter().map(|f| (f.finding, f.what)).collect()
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Registers(usize),
        Log(Vec<Row>),
        File(String),
        Controls(&'static str),
        /// Specimen, HBV HCV HIV (`r`, `n`, `i`), time of the day.
        Tests(String, &'static str, &'static str),
    }

    #[derive(Debug, Clone, PartialEq, Eq)]
    struct Row {
        run: &'static str,
        position: usize,
        member: String,
        barcode: &'static str,
        status: &'static str,
        size: u16,
        at: &'static str,
    }

    /// Member `member` at its own position, well pipetted.
    fn row(member: usize) -> Row {
        Row {
            run: "PL1",
            position: member,
            member: number(member),
            barcode: "Scanned",
            status: "OK",
            size: 6,
            at: "13:02:00",
        }
    }

    fn rows() -> Vec<Row> {
        (1..=6).map(row).collect()
    }

    /// The pool made again, an hour later.
    fn again() -> Vec<Row> {
        rows().into_iter().map(|row| Row { run: "PL2", at: "14:02:00", ..row }).collect()
    }

    fn with(at: usize, change: impl Fn(&mut Row)) -> Vec<Row> {
        let mut rows = rows();
        change(&mut rows[at - 1]);
        rows
    }

    fn log(rows: &[Row]) -> String {
        let line = |row: &Row| {
            let Row { run, position, member, barcode, status, size, at } = row;
            format!(
                "{run},PP1,Sample,{POOL},{position},{member},{barcode},200.0,{status},,{size},2026-03-02 {at},ROBOT-1,z\r\n"
            )
        };
        format!("{HEAD}\r\n{}", rows.iter().map(line).collect::<String>())
    }

    fn pool(targets: &'static str, at: &'static str) -> Step {
        Step::Tests(POOL.to_owned(), targets, at)
    }

    fn single(member: usize, targets: &'static str) -> Step {
        Step::Tests(number(member), targets, "1700")
    }

    fn singles(members: std::ops::RangeInclusive<usize>, targets: &'static str) -> Vec<Step> {
        members.map(|member| single(member, targets)).collect()
    }

    /// One message of the analyser: HBV, HCV and HIV of one specimen.
    fn tested(specimen: &str, targets: &str, run: &str, at: &str, control: bool) -> String {
        let (spm, co) = if control {
            (
                "SPM|1|||\"\"|||||||Q\rSAC\r".to_owned(),
                format!("INV|{specimen}|OK|CO|||||||||20270131||||C777\r"),
            )
        } else {
            (
                format!("SPM|1|{specimen}&ROCHE||PLAS^plasma^HL70487|||||||P\rSAC|||{specimen}\r"),
                String::new(),
            )
        };
        let mut text = format!(
            "MSH|^~\\&|X800DM|Roche|Host|LIS|20260302{at}01+0000||OUL^R22^OUL_R22|A-{specimen}{at}|P|2.5.1|||NE|AL||UNICODE UTF-8|||LAB-29^IHE\r\
             {spm}INV|MPX^MPX^99ROC|OK|MR|||||||||20261231||||K12345\r{co}OBR|1|A||74856-6^MPX^LN\rORC|SC||||CM\r"
        );
        let mut number = 0;
        for (virus, target) in ["HBV", "HCV", "HIV"].into_iter().zip(targets.chars()) {
            let (value, flag, status) = match target {
                'r' => ("Reactive", "RR", "F"),
                'n' => ("Non-Reactive", "NR", "F"),
                'v' => ("Valid", "VAL", "F"),
                'i' => ("", "P02T", "X"),
                _ => continue,
            };
            number += 1;
            write!(
                text,
                "OBX|{number}|ST|{virus}^{virus}^99ROC|1|{value}|||{flag}|||{status}|||||X800DMSYSTEM||c6800^Roche~c6800.504^Roche|20260302{at}00||{run}||||||||RSLT\r"
            )
            .unwrap();
        }
        text
    }

    /// The same whether everything comes in this order, backwards, or one by one with decisions in between.
    fn check(what: &str, steps: &[Step], expect: &str) -> House {
        let forwards = House::new();
        for step in steps {
            forwards.takes(step);
        }
        forwards.works();
        let found = forwards.states();
        assert_eq!(found, expect, "{what}: {:#?}", forwards.verdict(1).next());
        let backwards = House::new();
        for step in steps.iter().rev() {
            backwards.takes(step);
            backwards.works();
        }
        assert_eq!(backwards.states(), expect, "{what}, backwards and one by one");
        forwards
    }

    #[test]
    fn a_pool_says_of_its_members_what_its_result_and_its_log_allow() {
        let all = |state: &str| [state; 6].join(" ");
        check("without a log", &[pool("nnn", "1500")], &all("..."));
        check("without a result", &[Step::Log(rows())], &all("ppp"));
        check("non-reactive, sound", &[Step::Log(rows()), pool("nnn", "1500")], &all("---"));
        check("an invalid pool is repeated", &[Step::Log(rows()), pool("iii", "1500")], &all("iii"));
        check(
            "and repeated it is non-reactive",
            &[Step::Log(rows()), pool("iii", "1500"), pool("nnn", "1600")],
            &all("---"),
        );
        check("reactive, nobody alone yet", &[Step::Log(rows()), pool("rnn", "1500")], &all("ppp"));
        let resolved = |more: Vec<Step>| [vec![Step::Log(rows()), pool("rnn", "1500")], more].concat();
        check(
            "one reactive alone explains the pool",
            &resolved([vec![single(1, "rnn")], singles(2..=6, "nnn")].concat()),
            "+-- --- --- --- --- ---",
        );
        check("the last single is not in", &resolved(singles(1..=5, "nnn")), "p-- p-- p-- p-- p-- ppp");
        check("nobody is reactive alone", &resolved(singles(1..=6, "nnn")), "u-- u-- u-- u-- u-- u--");
        check(
            "one single is invalid (B11)",
            &resolved([singles(1..=5, "nnn"), vec![single(6, "iii")]].concat()),
            "p-- p-- p-- p-- p-- iii",
        );
        check(
            "a single finds another target (B17)",
            &resolved([vec![single(1, "nrn")], singles(2..=6, "nnn")].concat()),
            &all("!!!"),
        );
    }

    #[test]
    fn a_membership_that_is_not_sound_says_nothing_and_the_reason_names_pool_file_and_row() {
        let run = |what: &str, logs: Vec<Step>, states: &str, finding: &str, words: &[&str]| {
            let house = check(what, &[logs, vec![pool("nnn", "1500")]].concat(), states);
            let held = house.held(2);
            let found = held.iter().find(|(name, _)| name == finding);
            let (_, said) = found.unwrap_or_else(|| panic!("{what}: {held:?}"));
            for word in [&[POOL][..], words].concat() {
                assert!(said.contains(word), "{what}: {said}");
            }
        };
        let pending = &[["ppp"; 6].join(" ")][0].clone();
        let one = |rows: Vec<Row>| vec![Step::Log(rows)];
        let useless = "pool_not_sound";
        run("a clot", one(with(3, |r| r.status = "Clot")), pending, useless, &["clot", "row 4"]);
        run("too little", one(with(3, |r| r.status = "Short")), pending, useless, &["too little"]);
        run("typed in", one(with(3, |r| r.barcode = "Manual")), pending, useless, &["typed in"]);
        run("changed", one(with(3, |r| r.status = "TubeChanged")), pending, useless, &["changed"]);
        run("five of six (B14)", one(rows()[..5].to_vec()), "ppp ppp ppp ppp ppp ...", useless, &["5 of 6"]);
        run("another size", one(with(3, |r| r.size = 5)), pending, useless, &["sizes"]);
        run(
            "a member twice",
            one(with(3, |r| r.member = number(2))),
            "ppp ppp ... ppp ppp ppp",
            useless,
            &["twice", "row 4"],
        );
        let more = [rows(), vec![Row { position: 7, ..row(7) }]].concat();
        run("a seventh, not registered", one(more), pending, useless, &["7 of 6"]);
        run(
            "not registered",
            one(with(3, |r| r.member = number(9))),
            "ppp ppp ... ppp ppp ppp",
            useless,
            &["not registered"],
        );
        run("tested before it was made", one(again_at("16:00:00")), pending, useless, &["tested before"]);
        let unknown = with(3, |r| r.status = "Okay");
        run("an unknown word", one(unknown), pending, "unknown_value", &["Okay", "row 4"]);
        let stranger = with(3, |r| r.member = "4006381333931".into());
        run("no number of ours", one(stranger), "ppp ppp ... ppp ppp ppp", "unknown_specimen_id", &["row 4"]);
        let third = |run: &'static str, member: String| {
            let of = |r: Row| {
                if r.position == 3 { Row { member: member.clone(), run, ..r } } else { Row { run, ..r } }
            };
            Step::Log(again().into_iter().map(of).collect())
        };
        let two = vec![Step::Log(rows()), third("PL2", number(9))];
        run("two memberships", two, pending, "pool_conflict", &["PL1", "PL2"]);
        // The first fits each of the others, which do not fit each other.
        let unread = Step::Log(with(3, |r| r.member = "4006381333931".into()));
        let three = vec![unread, third("PL2", number(3)), third("PL3", number(9))];
        run("two beside one that was not read", three, pending, "pool_conflict", &["PL2", "PL3"]);
    }

    fn again_at(at: &'static str) -> Vec<Row> {
        rows().into_iter().map(|row| Row { at, ..row }).collect()
    }

    #[test]
    fn a_pool_that_is_made_again_is_judged_by_the_making_that_was_tested() {
        let all = |state: &str| [state; 6].join(" ");
        let failed = || Step::Log(with(3, |r| r.status = "Clot"));
        check("made again after a clot", &[failed(), Step::Log(again()), pool("nnn", "1500")], &all("---"));
        check(
            "tested, then made again and not tested",
            &[failed(), pool("nnn", "1330"), Step::Log(again())],
            &all("ppp"),
        );
        check(
            "a member that is registered late",
            &[Step::Log(with(3, |r| r.member = number(7))), pool("nnn", "1500"), Step::Registers(7)],
            "--- --- ... --- --- ---",
        );
    }

    #[test]
    fn a_member_that_was_tested_alone_does_not_wait_for_a_useless_pool() {
        let clot = Step::Log(with(3, |r| r.status = "Clot"));
        let house = check("alone", &[clot, pool("nnn", "1500"), single(2, "nnn")], "ppp --- ppp ppp ppp ppp");
        assert!(house.held(2).iter().all(|(name, _)| name != "pool_not_sound"), "{:?}", house.held(2));
        assert!(house.held(1).iter().any(|(name, _)| name == "pool_not_sound"));
    }

    /// The log of another pool, of these members, an hour later than the first.
    fn another(number: &'static str, members: std::ops::RangeInclusive<usize>) -> Step {
        let rows: Vec<Row> = (1..)
            .zip(members)
            .map(|(position, member)| Row { position, run: "PL2", at: "14:02:00", ..row(member) })
            .collect();
        Step::File(log(&rows).replace(POOL, number))
    }

    #[test]
    fn a_donation_in_two_pools_answers_for_both_whichever_has_the_lower_number() {
        for other in ["MP26030200", "MP26030202"] {
            let in_two = |targets: &'static str, more: Vec<Step>| {
                let first = vec![Step::Log(rows()), pool("rnn", "1500"), single(1, "rnn")];
                let second = vec![
                    Step::Registers(7),
                    another(other, 2..=7),
                    Step::Tests(other.into(), targets, "1600"),
                ];
                [first, second, singles(2..=6, "nnn"), more].concat()
            };
            check(
                "nobody explains the second",
                &in_two("rnn", singles(7..=7, "nnn")),
                "+-- u-- u-- u-- u-- u--",
            );
            check("a member of the second is not in", &in_two("rnn", vec![]), "+-- p-- p-- p-- p-- p--");
            check("one explains it too", &in_two("rnn", singles(7..=7, "rnn")), "+-- --- --- --- --- ---");
            check("it is non-reactive", &in_two("nnn", vec![]), "+-- --- --- --- --- ---");
        }
    }

    #[test]
    fn a_pool_that_was_made_after_the_last_test_is_waited_for_and_one_that_was_given_up_is_not() {
        let all = |state: &str| [state; 6].join(" ");
        for other in ["MP26030200", "MP26030202"] {
            let first = || vec![Step::Log(rows()), pool("nnn", "1500")];
            check("made later", &[first(), vec![another(other, 1..=6)]].concat(), &all("ppp"));
            let tested = Step::Tests(other.into(), "nnn", "1600");
            check(
                "and tested",
                &[first(), vec![another(other, 1..=6), tested.clone()]].concat(),
                &all("---"),
            );
            check("the first was given up", &[Step::Log(rows()), another(other, 1..=6), tested], &all("---"));
        }
        check(
            "given up, and all tested alone",
            &[vec![Step::Log(rows())], singles(1..=6, "nnn")].concat(),
            &all("---"),
        );
    }

    #[test]
    fn a_reactive_pool_is_explained_only_by_a_member_of_the_making_that_was_tested() {
        let other = |r: Row| if r.position == 3 { Row { member: number(7), ..r } } else { r };
        let steps = [
            vec![Step::Registers(7), Step::Log(rows()), Step::Log(again().into_iter().map(other).collect())],
            vec![pool("rnn", "1330"), single(7, "rnn")],
            singles(1..=6, "nnn"),
        ];
        check("two makings of one number", &steps.concat(), &["p--"; 6].join(" "));
        let clot = [vec![Step::Log(with(3, |r| r.status = "Clot")), pool("rnn", "1500"), single(1, "rnn")]];
        let steps = [clot.concat(), singles(2..=6, "nnn")].concat();
        check("a clot", &steps, "+-- p-- p-- p-- p-- p--");
    }

    #[test]
    fn a_run_that_falls_takes_its_pools_results_with_it() {
        let house = check("sound", &[Step::Log(rows()), pool("nnn", "1500")], &["---"; 6].join(" "));
        let run = vocabulary::RunId::new("roche/R-0091").unwrap();
        let members = house.ledger.state().run(&run).unwrap().donations;
        assert_eq!(members.len(), 6, "{members:?}");
        house.writes(vec![What::Signed(ledger::SignedAct::RunInvalidated {
            run,
            reason: "leak".into(),
            cause: ledger::RunCause::Equipment,
            repeated_in: None,
            spans: vec![],
        })]);
        house.works();
        assert_eq!(house.states(), ["iii"; 6].join(" "));
    }

    #[test]
    fn a_pool_is_shown_with_members_results_and_why() {
        let steps = [Step::Log(rows()), pool("rnn", "1500"), single(1, "rnn")];
        let house = check("shown", &steps, "+-- ppp ppp ppp ppp ppp");
        let shown = |house: &House| {
            let pool = PoolId::new(POOL).unwrap();
            let shown =
                workflow::pools::show(&house.settings, &house.ledger.state(), &pool).unwrap().unwrap();
            serde_json::to_value(&shown).unwrap()
        };
        let found = shown(&house);
        assert_eq!(found["says"], "reactive");
        assert_eq!(found["makings"][0]["members"][0]["alone"]["result"], "reactive");
        assert_eq!(found["makings"][0]["members"][1]["alone"]["result"], "pending");
        assert_eq!(found["results"].as_array().unwrap().len(), 3);
        let house =
            check("five", &[Step::Log(rows()[..5].to_vec()), pool("nnn", "1500")], "ppp ppp ppp ppp ppp ...");
        let found = shown(&house);
        assert_eq!(
            (&found["says"], &found["why"][0]["fault"]),
            (&"not_sound".into(), &"pool_not_whole".into())
        );
        let listed = house.ledger.state().pools(&ledger::Page::first(9)).unwrap().items;
        assert_eq!((listed.len(), listed[0].members.len()), (1, 5));
    }

    /// A log in some order, some of its rows twice, in several files.
    fn parted() -> impl Strategy<Value = Vec<Vec<Row>>> {
        let order = Just(rows()).prop_shuffle();
        (order, prop::collection::vec((0..6_usize, 0..4_usize), 0..4), prop::collection::vec(0..4_usize, 6))
            .prop_map(|(rows, twice, files)| {
                let mut parts = vec![Vec::new(); 4];
                for (row, file) in rows.iter().zip(files) {
                    parts[file].push(row.clone());
                }
                for (row, file) in twice {
                    parts[file].push(rows[row].clone());
                }
                parts.retain(|part| !part.is_empty());
                parts
            })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

        #[test]
        fn order_repeats_and_files_of_a_log_change_nothing(parts in parted(), result_at in 0..5_usize, reactive: bool) {
            let house = House::new();
            let targets = if reactive { "rnn" } else { "nnn" };
            let mut steps: Vec<Step> = parts.into_iter().map(Step::Log).collect();
            steps.insert(result_at.min(steps.len()), pool(targets, "1500"));
            for step in &steps {
                house.takes(step);
                house.works();
            }
            let expect = if reactive { "ppp" } else { "---" };
            prop_assert_eq!(house.states(), [expect; 6].join(" "));
        }

        #[test]
        fn a_mutilated_log_never_makes_a_member_negative(at in 0..800_usize, length in 1..40_usize, with in "[0-9A-Za-z,\r\n\"]{0,3}") {
            let whole = log(&rows());
            let at = HEAD.len() + 2 + at % (whole.len() - HEAD.len() - 2);
            let end = (at + length).min(whole.len());
            let mut text = whole.clone();
            text.replace_range(at..end, &with);
            let house = House::new();
            house.takes(&Step::File(text.clone()));
            house.takes(&pool("nnn", "1500"));
            house.works();
            // What only says who stood at the robot, or on which plate, changes no member.
            let harmless = {
                let members = |text: &str| -> Vec<Vec<String>> {
                    let line = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
                    text.lines().map(line).map(|mut cells| {
                        for cell in [1, 2, 4, 7, 11, 12, 13] {
                            if let Some(cell) = cells.get_mut(cell) { cell.clear(); }
                        }
                        cells
                    }).collect()
                };
                members(&text) == members(&whole)
            };
            let states = house.states();
            prop_assert!(harmless || !states.contains('-'), "{states}\n{text}");
        }
    }
}

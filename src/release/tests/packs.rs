//! Rule packs as files: what is wrong is named with its key, every unsure value is marked, a revision is its hash.

#[cfg(test)]
mod packs {
    use release::pack::Confidence;
    use release::{PackError, RulePack, decide, read_case};

    fn overlay(text: &str) -> Result<RulePack, PackError> {
        RulePack::from_toml(&format!("id = \"site\"\nbased_on = \"cn-2019\"\n{text}"))
    }

    fn refused(text: &str, at: &str, what: &str) {
        let error = overlay(text).unwrap_err();
        let PackError::Key { key, what: said, line } = &error else { panic!("{text}: {error}") };
        assert_eq!(key, at, "{text}: {said}");
        assert!(line.is_some(), "{text}: {error}");
        assert!(said.contains(what), "{text}: {said}");
    }

    #[test]
    fn what_is_wrong_with_a_pack_is_named_with_its_key() {
        for (text, at, what) in [
            ("[sero]\ngz_lo = \"0.9\"", "sero.gz_lo", "the nearest known is `gz_low`"),
            ("[serology]\ncut = \"1\"", "serology", "unknown field"),
            ("[nat]\nndr = \"DISCART\"", "nat.ndr", "the nearest known is `DISCARD`"),
            ("[nat]\nmode = \"MP48\"", "nat.mode", "no NAT mode"),
            ("[sero]\ncut = 1.0", "sero.cut", "expected a string"),
            ("[sero]\ncut = \"1,0\"", "sero.cut", "not a plain decimal"),
            ("[sero]\ncut = \"1.0000001\"", "sero.cut", "more than 6 digits"),
            ("[sero]\ncut = \"0\"", "sero.cut", "above 0"),
            ("[sero]\ngz_low = \"1.1\"", "sero.gz_low", "not above sero.cut"),
            ("[sero]\ninclusive = false", "sero.inclusive", "R-SER-05"),
            ("[sero]\ndup = { value = \"DUP\" }", "sero.dup", "missing field `confidence`"),
            ("[sero]\ndup = { value = \"DUP\", confidence = \"sure\" }", "sero.dup", "unknown variant"),
            ("[group]\nforward_min = \"0\"", "group.forward_min", "no limit"),
            ("[group]\nforward_min = \"3+ mf\"", "group.forward_min", "no limit"),
            ("[group]\niat_reagents_min = 1", "group.iat_reagents_min", "at least 2"),
            ("[alt]\nretest = 2", "alt.retest", "0 or 1"),
            ("[alt]\nlimit_u_l = \"60\"", "alt.limit_u_l", "write at most 50"),
            ("[tests]\nalt = false", "tests.alt", "weaker than in cn-2019"),
            ("[strategy]\nhcv = \"sero2\"", "strategy.hcv", "at least one reagent and NAT"),
            ("[strategy]\ntp = \"sero2\"", "strategy.tp", "two reagents of different makers"),
            ("[sero]\ncut = \"1.1\"", "sero.cut", "write at most 1"),
            ("[[reagent]]\nmarker = \"HBsAg\"\nname = \"A\"\ncut = \"1.2\"", "reagent[0].cut", "at most 1"),
            (
                "[[reagent]]\nmarker = \"anti-HBc\"\nname = \"C\"\ndirection = \"competitive\"\ncut = \"2.0\"",
                "reagent[0].cut",
                "at most 1",
            ),
            ("[nat]\nmode = \"MP16\"", "nat.mode", "pool_members_max"),
            ("[nat]\nmode = \"MP16\"\npool_members_max = 16", "nat.pool_members_max", "at most 8"),
            ("[nat]\nfurther = [\"HBV\"]", "nat.further", "name others only"),
            ("[nat]\nfurther = [\"HEV\", \"HTLV\"]", "nat.further", "HTLV, so every donation would wait"),
            ("[nat]\nfurther = [\"syphilis\"]", "nat.further", "write of HEV, WNV, malaria, Babesia"),
            ("[nat]\nfurther = [\"T.cruzi\"]", "nat.further", "no nucleic acid test finds T.cruzi"),
            ("[group]\nforward_min = \"2+\"", "group.forward_min", "at least 3+"),
            ("[group]\nfirst_time_determinations = 1", "group.first_time_determinations", "at least 2"),
            ("[release]\ntwo_person = false", "release.two_person", "write true"),
            ("[group]\nfirst_time_determinations = 9", "group.first_time_determinations", "at most 8"),
            ("[sero]\nod_floor = \"-0.5\"", "sero.od_floor", "at least -0.05"),
            ("[sero]\nsco_floor = \"-1\"", "sero.sco_floor", "at least -0.5"),
            ("[nat]\nic_ct_max = \"40\"", "nat.ic_ct_max", "at most 35"),
            ("[donor]\nlookback_months = 6", "donor.lookback_months", "at least 12"),
            ("[donor]\nreentry_months = 3", "donor.reentry_months", "at least 6"),
            ("[donor]\nanti_hbc_once = \"NO_DEFERRAL\"", "donor.anti_hbc_once", "\"DEFER\""),
            ("[donor]\nanti_htlv_once = \"NO_DEFERRAL\"", "donor.anti_htlv_once", "\"DEFER\""),
            ("[donor]\nanti_htlv_once = \"NO\"", "donor.anti_htlv_once", "the nearest known is"),
            ("[retention]\nrecords_years = 5", "retention.records_years", "at least 10"),
            ("effective_to = \"2018-01-01\"", "effective_to", "before effective_from"),
            ("[tests]\nabo = false", "tests", "ABO"),
            (
                "[release]\noverride_forbidden = [\"R-GATE-01\"]",
                "release.override_forbidden",
                "never be set aside",
            ),
            (
                "[release]\noverride_forbidden = [\"R-GATE-99\"]",
                "release.override_forbidden",
                "unknown variant",
            ),
            ("[[reagent]]\nmarker = \"HBsAk\"\nname = \"A\"", "reagent[0].marker", "\"HBsAg\""),
            ("effective_from = \"soon\"", "effective_from", "failed to parse"),
        ] {
            refused(text, at, what);
        }
        assert!(matches!(
            RulePack::from_toml("id = \"x\"\nid = 3\n"),
            Err(PackError::Syntax { line: 2, .. })
        ));
        assert!(matches!(RulePack::from_toml("based_on = \"cn-2091\""), Err(PackError::Key { .. })));
        assert!(
            matches!(RulePack::from_toml("based_on = \"cn-2019\""), Err(PackError::Key { .. })),
            "no id of its own"
        );
        assert!(
            matches!(RulePack::from_toml("id = \"x\""), Err(PackError::Key { .. })),
            "most of it is missing"
        );
        let near = RulePack::built_in("cn-2091").unwrap_err().to_string();
        assert!(near.contains("\"cn-2019\""), "{near}");
    }

    #[test]
    fn what_is_wrong_with_the_terms_of_a_marker_is_named_with_its_key() {
        for (text, at, what) in [
            ("marker = \"HIW\"\nlookback_months = 60", "marker", "the nearest known one is \"HIV\""),
            ("lookback_months = 60", "", "missing field `marker`"),
            ("marker = \"HIV\"", "", "says nothing of HIV; write lookback_months"),
            (
                "marker = \"HIV\"\nlookback_mnths = 60",
                "lookback_mnths",
                "the nearest known is `lookback_months`",
            ),
            ("marker = \"HIV\"\nlookback_months = \"60\"", "lookback_months", "expected u16"),
            ("marker = \"HIV\"\nlookback_months = -1", "lookback_months", "expected u16"),
            ("marker = \"HIV\"\nlookback_months = 6", "lookback_months", "at least 12 months for HIV"),
            ("marker = \"HIV\"\nlookback_months = 1201", "lookback_months", "write 1 to 1200"),
            ("marker = \"HIV\"\nreentry_months = 0", "reentry_months", "write 1 to 1200"),
            ("marker = \"HIV\"\nreentry_months = 5", "reentry_months", "at least 6 months for HIV"),
            ("marker = \"HCV\"\nreentry_days = 56", "reentry_days", "at least 6 months for HCV"),
            ("marker = \"HCV\"\ntemporary_days = 0", "temporary_days", "write 1 to 36500"),
            ("marker = \"ALT\"\nlookback_months = 24", "lookback_months", "nothing is looked back upon"),
            ("marker = \"anti-HBc\"\nlookback_months = 24", "lookback_months", "nothing is looked back upon"),
            ("marker = \"ALT\"\nreentry_days = 240", "reentry_days", "nobody is examined for re-entry"),
        ] {
            let key = if at.is_empty() { "donor.term[0]".to_owned() } else { format!("donor.term[0].{at}") };
            refused(&format!("[[donor.term]]\n{text}"), &key, what);
        }
        let twice = "[[donor.term]]\nmarker = \"HBV\"\ntemporary_days = 90\n";
        refused(
            &twice.repeat(2).replacen("HBV", "HBsAg", 1),
            "donor.term[1].marker",
            "HBV stands there twice",
        );
        let error = overlay(&format!("{twice}lookback_months = 3\n")).unwrap_err().to_string();
        assert!(error.contains("line 6"), "{error}");
    }

    /// The exception of 21 CFR 610.41 is of both: a base that lets anti-HBc go once, and could not speak of anti-HTLV, lets that
    /// go, too. One that says `DEFER` is kept.
    #[test]
    fn the_exception_for_one_reactive_result_is_of_anti_htlv_where_it_is_of_anti_hbc() {
        let laid_over = |below: &str, more: &str| {
            let text = format!(
                "id = \"site\"\nbased_on = \"us-fda\"\n[donor]\nanti_htlv_once = \"NO_DEFERRAL\"\n{more}"
            );
            let base =
                include_str!("../packs/us-fda.toml").replacen("[donor]\n", &format!("[donor]\n{below}"), 1);
            let source = release::pack::PackSource { text, base: Some(base) };
            RulePack::from_source(&source).unwrap().fits_today().map_err(|error| error.to_string())
        };
        assert_eq!(laid_over("", ""), Ok(()));
        assert_eq!(laid_over("", "anti_hbc_once = \"DEFER\"\n"), Ok(()));
        let error = laid_over("anti_htlv_once = \"DEFER\"\n", "").unwrap_err();
        assert!(error.contains("line 4: donor.anti_htlv_once: weaker than in us-fda"), "{error}");
    }

    /// A pack without terms says what it said; with them, each is listed with its confidence like any other value.
    #[test]
    fn terms_of_a_marker_are_listed_with_their_confidence() {
        let none = |key: &str| !key.starts_with("donor.term");
        assert!(overlay("").unwrap().stated().iter().all(|stated| none(&stated.key)));
        let text = "[[donor.term]]\nmarker = \"hiv\"\nlookback_months = 60\n\
            reentry_days = { value = 240, confidence = \"own-M\", confirm = \"the guidance\" }\n";
        let pack = overlay(text).unwrap();
        let stated: Vec<_> = pack.stated().into_iter().filter(|stated| !none(&stated.key)).collect();
        let found: Vec<_> =
            stated.iter().map(|s| (&*s.key, &*s.value, &*s.confidence, s.must_be_confirmed)).collect();
        assert_eq!(
            found,
            [
                ("donor.term[0].lookback_months", "60", "site", false),
                ("donor.term[0].marker", "HIV", "", false),
                ("donor.term[0].reentry_days", "240", "own-M", true),
            ]
        );
        assert!(pack.unconfirmed().iter().any(|open| open.key == "donor.term[0].reentry_days"));
    }

    /// A limit that nobody set is one that nobody asks for: who reads a pack sees that it is open.
    #[test]
    fn what_a_pack_leaves_unset_is_listed_until_it_is_set() {
        let unset = |text: &str| overlay(text).unwrap().unset();
        let open = unset("");
        for key in ["effective_to", "nat.centrifuge_within_hours", "nat.store_within_hours", "nat.late_ct"] {
            assert!(open.iter().any(|unset| unset == key), "{key}: {open:?}");
        }
        assert!(!open.iter().any(|unset| unset.ends_with("confirm")), "{open:?}");
        let set = unset("[nat]\nlate_ct = \"38\"\n");
        let closed: Vec<_> = open.iter().filter(|unset| !set.contains(unset)).collect();
        assert_eq!(closed, ["nat.late_ct"]);
        let stated = overlay("").unwrap().stated();
        assert!(open.iter().all(|unset| stated.iter().all(|stated| stated.key != *unset)));
    }

    /// What a base says of a marker is kept by a pack laid over it, in whatever unit.
    #[test]
    fn a_pack_keeps_the_terms_of_its_base() {
        let base = format!(
            "{}\n[[donor.term]]\nmarker = \"HCV\"\nreentry_months = 8\nlookback_months = 60\ntemporary_days = 30\n",
            include_str!("../packs/cn-2019.toml")
        );
        let laid_over = |terms: &str| {
            let text = format!("id = \"site\"\nbased_on = \"cn-2019\"\n{terms}");
            let source = release::pack::PackSource { text, base: Some(base.clone()) };
            RulePack::from_source(&source).unwrap().fits_today().map_err(|error| error.to_string())
        };
        let hcv = |terms: &str| format!("[[donor.term]]\nmarker = \"HCV\"\n{terms}\n");
        let all = "lookback_months = 60\ntemporary_days = 30\n";
        for good in [
            String::new(),
            hcv(&format!("{all}reentry_months = 8")),
            hcv(&format!("{all}reentry_days = 248")),
            hcv(&format!("{all}reentry_days = 1\nreentry_months = 8")),
        ] {
            assert_eq!(laid_over(&good), Ok(()), "{good}");
        }
        for (weak, key) in [
            (hcv(&format!("{all}reentry_days = 240")), "donor.term[0].reentry_days"),
            (hcv(all), "donor.term[0].reentry_months"),
            (hcv("reentry_months = 9\ntemporary_days = 31"), "donor.term[0].lookback_months"),
            (hcv("reentry_months = 9\nlookback_months = 61"), "donor.term[0].temporary_days"),
            ("[[donor.term]]\nmarker = \"HIV\"\nlookback_months = 12\n".to_owned(), "donor.term"),
        ] {
            let error = laid_over(&weak).unwrap_err();
            assert!(error.contains(&format!("{key}: ")) && error.contains("HCV"), "{weak}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_order_is_named_with_its_key() {
        for (text, at, what) in [
            (
                "[[local]]\nmarker = \"malaria\"\norder = \"o\"",
                "local[0].marker",
                "anti-malaria or malaria-RNA",
            ),
            ("[[local]]\nmarker = \"dengue\"\norder = \"o\"", "local[0].marker", "unknown marker"),
            ("[[local]]\nmarker = \"anti-HCV\"\norder = \"o\"", "local[0].marker", "by its own key"),
            ("[[local]]\nmarker = \"HBV-DNA\"\norder = \"o\"", "local[0].marker", "by its own key"),
            ("[[local]]\nmarker = \"ALT\"\norder = \"o\"", "local[0].marker", "by its own key"),
            ("[[local]]\nmarker = \"NAT\"\norder = \"o\"", "local[0].marker", "by its own key"),
            ("[[local]]\nmarker = \"HTLV\"\norder = \" \"", "local[0].order", "names no order"),
            ("[[local]]\nmarker = \"HTLV\"", "local[0]", "missing field `order`"),
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nwho = \"nobody\"",
                "local[0].who",
                "the nearest known is",
            ),
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nfrom = \"2026-05-01\"\nto = \"2026-04-30\"",
                "local[0].to",
                "before from",
            ),
            // Whoever wrote a time of day meant something by it.
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nfrom = \"2026-05-01T00:00\"",
                "local[0].from",
                "a whole day",
            ),
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nto = \"2026-05-01T00:00:00+08:00[Asia/Shanghai]\"",
                "local[0].to",
                "a whole day",
            ),
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nfrom = \"May\"",
                "local[0].from",
                "\"2026-05-01\"",
            ),
            (
                "[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nto = \"2018-12-31\"",
                "local[0].to",
                "before effective_from",
            ),
            (
                "effective_to = \"2027-01-01\"\n[[local]]\nmarker = \"HTLV\"\norder = \"o\"\nfrom = \"2027-01-02\"",
                "local[0].from",
                "after effective_to",
            ),
        ] {
            refused(text, at, what);
        }
    }

    #[test]
    fn every_built_in_pack_reads_and_has_the_name_it_is_known_by() {
        for id in RulePack::built_in_ids() {
            assert_eq!(RulePack::built_in(id).unwrap().id(), id);
        }
    }

    /// What is not sourced and not sure is marked in every pack, and says what to confirm.
    #[test]
    fn every_pack_marks_its_unsure_values_and_says_what_to_confirm() {
        for id in RulePack::built_in_ids() {
            let unconfirmed = RulePack::built_in(id).unwrap().unconfirmed();
            assert!(unconfirmed.iter().any(|u| u.key == "effective_from"), "{id}");
            let silent: Vec<_> = unconfirmed.iter().filter(|u| u.confirm.is_none()).collect();
            assert!(silent.is_empty(), "{id}: {silent:?}");
        }
    }

    /// Values of medium or low confidence stay visible: these are the ones a laboratory has to confirm.
    #[test]
    fn every_unsure_value_of_the_chinese_pack_is_marked() {
        let unconfirmed = RulePack::built_in("cn-2019").unwrap().unconfirmed();
        let keys: Vec<&str> = unconfirmed.iter().map(|u| u.key.as_str()).collect();
        for key in [
            "edition",
            "effective_from",
            "tests.htlv",
            "sero.dup_uses_gz",
            "nat.mp_unresolved",
            "nat.ic_ct_max",
            "alt.retest",
            "group.del_label",
            "invalid.external_control",
            "invalid.sticky_reactive",
            "fitness.analysers",
            "fitness.analyser_records",
            "fitness.operator_records",
        ] {
            assert!(keys.contains(&key), "{key} is not marked: {keys:?}");
        }
        assert!(unconfirmed.iter().all(|u| u.confirm.is_some()), "each says what to confirm");
        let unresolved = unconfirmed.iter().find(|u| u.key == "nat.mp_unresolved").unwrap();
        assert_eq!((unresolved.value.as_str(), unresolved.confidence.as_str()), ("HOLD", "own-M"));
    }

    #[test]
    fn a_pack_may_ask_for_more_than_the_one_it_is_based_on() {
        for text in [
            "[strategy]\nhcv = \"sero2+nat\"",
            "[sero]\ncut = \"0.9\"",
            "[tests]\nhtlv = \"first_time\"\nanti_hbc = \"on\"\nab_screen = \"every_donation\"",
            "[nat]\nmode = \"ID\"\nfurther = [\"HEV\", \"WNV\", \"malaria\", \"Babesia\"]",
            "[group]\nforward_min = \"4+\"",
            "[nat]\nndr = \"REPEAT_x2_THEN\"\nmp_unresolved = \"RELEASE\"",
            "apply_by = \"test_time\"",
            "[[local]]\nmarker = \"anti-malaria\"\norder = \"o\"\nfrom = \"2026-05-01\"\nto = \"2026-10-31\"",
        ] {
            assert!(overlay(text).is_ok(), "{text}: {:?}", overlay(text));
        }
    }

    #[test]
    fn a_time_limit_of_the_base_is_neither_dropped_nor_longer() {
        let us = |days: u16| format!("id = \"site\"\nbased_on = \"us-fda\"\n[donor]\nnotify_days = {days}\n");
        assert!(RulePack::from_toml(&us(30)).is_ok());
        let error = RulePack::from_toml(&us(60)).unwrap_err();
        assert!(matches!(&error, PackError::Key { key, .. } if key == "donor.notify_days"), "{error}");
    }

    /// The Chinese pack as a text that stands alone, with these lines changed.
    fn alone(changes: &[(&str, &str)]) -> String {
        let text = include_str!("../packs/cn-2019.toml").replacen("id = \"cn-2019\"", "id = \"own\"", 1);
        changes.iter().fold(text, |text, (line, instead)| {
            let (key, _) = line.split_once(" = ").unwrap();
            let found = text.lines().find(|known| known.starts_with(&format!("{key} = "))).unwrap();
            text.replacen(found, instead, 1)
        })
    }

    const SOFT: [(&str, &str); 6] = [
        ("hbv = ", "hbv = \"sero1\""),
        ("alt = ", "alt = false"),
        ("cut = ", "cut = \"9.00\""),
        ("first_time_determinations = ", "first_time_determinations = 1"),
        ("ic_ct_max = ", "ic_ct_max = \"50\""),
        ("reentry_months = ", "reentry_months = 1"),
    ];

    /// What an order asks for in the base is asked for of as many donors, and for as long; more may be.
    #[test]
    fn an_order_of_the_base_is_asked_for_of_as_many_and_for_as_long() {
        let order = |more: &str| format!("[[local]]\nmarker = \"anti-malaria\"\norder = \"O\"\n{more}");
        let htlv = "[[local]]\nmarker = \"HTLV\"\norder = \"P\"\n";
        let from = "from = \"2026-05-01\"\n";
        let season = order(&format!("{from}to = \"2026-10-31\"\n"));
        let laid_over = |below: &str, own: &str| {
            let base = format!("{}\n{below}", include_str!("../packs/cn-2019.toml"));
            let text = format!("id = \"site\"\nbased_on = \"cn-2019\"\n{own}");
            let source = release::pack::PackSource { text, base: Some(base) };
            RulePack::from_source(&source).unwrap().fits_today()
        };
        let both = season.clone() + htlv;
        for (below, own) in [
            (&season, String::new()),
            (&season, order("")),
            (&season, order(&format!("{from}to = \"2026-11-30\"\n"))),
            (&season, order("from = \"2026-04-30\"\n") + &order("who = \"first_time\"\n")),
            (&both, htlv.to_owned() + &order("")),
            (&both, "[tests]\nhtlv = \"on\"\n".to_owned() + &order("")),
        ] {
            assert_eq!(laid_over(below, &own), Ok(()), "{own}");
        }
        let (malaria, always) = ("anti-malaria by O", order(""));
        for (below, own, lacks) in [
            (&season, order("who = \"first_time\"\n"), malaria),
            (&season, order("from = \"2026-05-02\"\n"), malaria),
            (&season, order("to = \"2026-10-30\"\n"), malaria),
            (&season, order("").replace("anti-malaria", "malaria-RNA"), malaria),
            // What the base asks for without a day has neither a first nor a last here.
            (&always, order(from), malaria),
            (&always, order("to = \"2099-12-31\"\n"), malaria),
            // The list of the base is replaced as a whole: each of its orders is kept by name.
            (&both, order(""), "HTLV by P"),
            (&both, htlv.to_owned(), malaria),
            (&both, "[tests]\nhtlv = \"first_time\"\n".to_owned() + &order(""), "HTLV by P"),
        ] {
            let error = laid_over(below, &own).unwrap_err();
            let PackError::Key { key, what, .. } = &error else { panic!("{error}") };
            assert_eq!(key, "local", "{own}");
            assert!(what.contains(lacks), "{own}: {what}");
        }
    }

    #[test]
    fn nobody_signs_alone_under_any_pack() {
        let text = alone(&[("two_person = ", "two_person = false")]);
        let error = RulePack::from_toml(&text).unwrap_err();
        let PackError::Key { key, line, what } = &error else { panic!("{error}") };
        assert_eq!((key.as_str(), line.is_some()), ("release.two_person", true), "{error}");
        assert!(what.contains("write true"), "{what}");
    }

    /// What was in force once stays readable: verdicts are made again from it.
    #[test]
    fn a_pack_that_judged_before_is_read_as_it_was() {
        let overlay = "id = \"site\"\nbased_on = \"cn-2019\"\n[donor]\nreentry_months = 3\n";
        for (text, base) in [
            (alone(&[("two_person = ", "two_person = false")]), None),
            (overlay.to_owned(), Some(include_str!("../packs/cn-2019.toml").to_owned())),
            (alone(&[("ndr = ", "further = [\"HTLV\"]\nndr = \"DISCARD\"")]), None),
        ] {
            assert!(RulePack::from_toml(&text).is_err());
            let kept = RulePack::from_source(&release::pack::PackSource { text, base }).unwrap();
            assert!(kept.fits_today().is_err(), "and is not put in force again");
        }
    }

    #[test]
    fn a_pack_that_stands_alone_is_held_against_its_jurisdictions_line_by_line() {
        let pack = RulePack::from_toml(&alone(&SOFT)).unwrap();
        let weaker = pack.weaker();
        let found: Vec<(&str, &str)> = weaker.iter().map(|w| (w.key.as_str(), w.value.as_str())).collect();
        assert_eq!(
            found,
            [
                ("tests.alt", "false"),
                ("strategy.hbv", "sero1"),
                ("sero.cut", "9.00"),
                ("nat.ic_ct_max", "50"),
                ("group.first_time_determinations", "1"),
                ("donor.reentry_months", "1"),
            ]
        );
        let (en, zh) = (weaker[1].english(), weaker[1].chinese());
        assert_eq!(
            en,
            "strategy.hbv = sero1 is WEAKER than cn-2019, which asks for a strategy with at least one reagent and NAT"
        );
        assert_eq!(zh, "strategy.hbv = sero1 弱于 cn-2019，其要求：至少一种试剂加核酸检测的策略");
        let elsewhere = alone(&SOFT).replacen("jurisdiction = \"CN\"", "jurisdiction = \"XX\"", 1);
        let weaker = RulePack::from_toml(&elsewhere).unwrap().weaker();
        assert!(weaker.iter().all(|w| w.than == "who-minimum") && weaker.len() == 5, "{weaker:?}");
        let unknown = &weaker[0];
        assert_eq!((unknown.key.as_str(), unknown.value.as_str()), ("jurisdiction", "\"XX\""));
        assert!(unknown.english().contains("CN, ") && unknown.chinese().contains("CN, "), "{unknown:?}");
        for id in RulePack::built_in_ids() {
            assert_eq!(RulePack::built_in(id).unwrap().weaker(), [], "{id}");
        }
        // Laid over another jurisdiction's, it is held against its own.
        let disguised = "id = \"own\"\nbased_on = \"who-minimum\"\njurisdiction = \"cn\"\n";
        let weaker = RulePack::from_toml(disguised).unwrap().weaker();
        assert!(weaker.iter().any(|w| w.key == "strategy.hiv" && w.than == "cn-2019"), "{weaker:?}");
    }

    /// The lower the cut, the more a reagent finds, in either direction.
    #[test]
    fn a_lower_cut_of_a_competitive_reagent_finds_more_and_a_higher_one_is_weaker() {
        let reagent = |cut: &str| {
            format!(
                "[[reagent]]\nmarker = \"HBsAg\"\nname = \"A\"\ndirection = \"competitive\"\ncut = \"{cut}\""
            )
        };
        let state = |cut: &str, od: &str| {
            let case = format!(
                r#"{{"donation":"G1","serology":[{{"marker":"HBsAg","reagent":"A","results":[
                {{"kind":"initial","od":"{od}","cutoff":"0.100"}}]}}]}}"#
            );
            let verdict =
                release::decide(&release::read_case(&case).unwrap(), &overlay(&reagent(cut)).unwrap());
            verdict.serology().iter().find(|one| one.reagent == "A").unwrap().state.name()
        };
        assert_eq!(["0.100", "0.101"].map(|od| state("1.0", od)), ["IR", "FINAL_NR"]);
        assert_eq!(["0.125", "0.126"].map(|od| state("0.8", od)), ["IR", "FINAL_NR"]);
        let refused = overlay(&reagent("1.01")).unwrap_err().to_string();
        assert!(refused.contains("reagent[0].cut") && refused.contains("at most 1"), "{refused}");
    }

    #[test]
    fn a_value_written_plainly_is_the_laboratorys_own_choice() {
        let pack = overlay("[nat]\nmp_unresolved = \"RELEASE\"").unwrap();
        assert_eq!(pack.settings().nat.mp_unresolved.confidence, Confidence::Site);
        assert!(!pack.unconfirmed().iter().any(|u| u.key == "nat.mp_unresolved"));
        assert!(pack.settings().tests.abo.value, "what it is silent about holds as before");
    }

    /// Law 10: a revision, once used, never changes. After a release, a changed text needs another id, not another
    /// hash here.
    #[test]
    fn law_10_the_built_in_revision_is_pinned_by_its_hash() {
        let pack = RulePack::built_in("cn-2019").unwrap();
        assert_eq!(pack.hash(), "5566d2c953503f8845b1633f6ba84bf867ad246b26a72db0199b2418896bf8bc");
        let text = include_str!("../packs/cn-2019.toml");
        assert_eq!(RulePack::from_toml(text).unwrap().hash(), pack.hash());
        assert_ne!(RulePack::from_toml(&format!("{text}\n# x")).unwrap().hash(), pack.hash());
        let (a, b) = (overlay("[alt]\nretest = 0").unwrap(), overlay("[alt]\nretest = 1").unwrap());
        assert!(a.hash() != b.hash() && a.hash() != pack.hash());
    }

    #[test]
    fn a_pack_is_loaded_from_a_file_and_its_faults_name_the_file() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("packs");
        assert_eq!(
            RulePack::load(&folder.join("cn-2019.toml")).unwrap(),
            RulePack::built_in("cn-2019").unwrap()
        );
        let missing = RulePack::load(&folder.join("none.toml")).unwrap_err().to_string();
        assert!(missing.contains("none.toml"), "{missing}");
    }

    #[test]
    fn the_content_hash_of_a_verdict_follows_what_it_tells_its_receiver() {
        let pack = RulePack::built_in("cn-2019").unwrap();
        let base = read_case(include_str!("cases/base.json")).unwrap();
        let hash = |change: &dyn Fn(&mut release::Evidence)| {
            let mut evidence = base.clone();
            change(&mut evidence);
            decide(&evidence, &pack).content_hash()
        };
        let same = hash(&|_| {});
        assert_eq!(same.len(), 64);
        assert_eq!(
            hash(&|e| e.alt[0].u_per_l = Some("24".parse().unwrap())),
            same,
            "24 and 23 U/L tell the same"
        );
        assert_ne!(hash(&|e| e.signatures.clear()), same);
        assert_ne!(hash(&|e| e.alt.clear()), same);
        let confirmed = serde_json::from_str(r#"{"marker":"HIV","outcome":"CONF_POS"}"#).unwrap();
        assert_ne!(
            hash(&|e| e.confirmatory =
                vec![serde_json::from_value(serde_json::Value::clone(&confirmed)).unwrap()]),
            same,
            "what it means for the donor is told"
        );
        let gated = hash(&|e| e.runs[0].qc_why = Some("x".into()));
        assert_eq!(gated, same, "a reason that is not used says nothing");
        assert_ne!(decide(&base, &RulePack::built_in("cn-2019-two-reagents").unwrap()).content_hash(), same);
    }
}

//! All forms together: what a site writes, what a reader sends, what comes of it.

#[cfg(test)]
mod scans {
    use identifiers::{Form, Identified, Normaliser, Pad, Refusal, Rules, Whose, din_check_character};
    use proptest::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    struct Written {
        form: Vec<Form>,
    }

    fn site(text: &str) -> Normaliser {
        let written: Written = toml::from_str(text).unwrap();
        Normaliser::new(&Rules::of(written.form)).unwrap()
    }

    fn said(found: Result<Identified, Refusal>) -> String {
        match found {
            Ok(id) => {
                let tube = id.tube.map(|t| format!(" tube {t}")).unwrap_or_default();
                let whose = if id.whose == Whose::Pool { "pool " } else { "" };
                format!("{whose}{}{tube}", id.number)
            }
            Err(refusal) => refusal.name().to_owned(),
        }
    }

    fn check(rules: &Normaliser, scan: &str, expect: &str) {
        assert_eq!(said(rules.read(scan, "a1")), expect, "{scan:?}");
    }

    const BOTH: &str = r#"
        [[form]]
        name = "ISBT 128"
        kind = "isbt128-din"
        facility = "[A-Z]\\d{4}"

        [[form]]
        name = "old labels"
        kind = "pattern"
        start_stop = "strip-if-sent"
        pattern = '(?<donation>\d{10})(?<check>\d)(?:-(?<tube>[1-4]))?'
        check = "luhn"

        [[form]]
        name = "pools"
        kind = "pattern"
        pattern = 'P(?<pool>\d{6})'
    "#;

    #[test]
    fn codabar_and_isbt_128_live_side_by_side() {
        let rules = site(BOTH);
        check(&rules, "=G12349865432100", "G123498654321");
        check(&rules, "A79927398713B", "7992739871");
        check(&rules, "79927398713-2", "7992739871 tube 2");
        check(&rules, "79927398712", "specimen_check_failed");
        check(&rules, "P000123", "pool 000123");
        check(&rules, "0079927398713", "unknown_specimen_id");
        check(&rules, "7992739871", "unknown_specimen_id");
        check(&rules, "G12349865432", "unknown_specimen_id");
        check(&rules, "G1234986543211", "specimen_check_failed");
    }

    #[test]
    fn another_code_of_the_label_is_named_as_what_it_is() {
        let refused = Normaliser::default().read("=%5100", "a1").unwrap_err();
        assert_eq!(
            refused.to_string(),
            "it is a blood group code, not a donation number; scan the donation number"
        );
        assert!(refused.chinese().contains("血型码"));
        check(&Normaliser::default(), "=<E0791V00", "specimen_is_another_code");
    }

    #[test]
    fn where_a_site_says_nothing_dins_are_known_and_the_rest_stays_as_sent() {
        let rules = Normaliser::default();
        check(&rules, "=G12349865432100", "G123498654321");
        check(&rules, "=123459865432100", "1234598654321");
        check(&rules, "G123498654321H", "G123498654321");
        check(&rules, "G123498654321J", "specimen_check_failed");
        check(&rules, "12345678901234", "12345678901234");
        check(&rules, "000123", "000123");
        check(&rules, "two words", "unknown_specimen_id");
        check(&rules, "", "unknown_specimen_id");
        check(&rules, &"9".repeat(65), "specimen_too_long");
    }

    #[test]
    fn an_id_that_two_forms_take_for_different_numbers_is_none() {
        let forms = vec![
            Form::pattern("ten digits", r"(?<donation>\d{10})"),
            Form::pattern("with year", r"\d{2}(?<donation>\d{8})"),
            Form::pattern("the same", r"(?<donation>\d{10})"),
        ];
        let rules = Normaliser::new(&Rules::of(forms)).unwrap();
        let refused = rules.read("2600001234", "a1").unwrap_err();
        assert_eq!(refused.name(), "specimen_fits_two_forms");
        let text = refused.to_string();
        let says = "it is \"2600001234\" as ten digits and \"00001234\" as with year;";
        assert!(text.starts_with(says), "{text}");
        // The tube is part of the outcome.
        let tubes = vec![
            Form::pattern("a", r"(?<donation>\d{4})(?<tube>\d)"),
            Form::pattern("b", r"(?<donation>\d{4})\d"),
        ];
        check(&Normaliser::new(&Rules::of(tubes)).unwrap(), "12345", "specimen_fits_two_forms");
        // And so is whether it is a tube at all.
        let materials = vec![
            Form::pattern("a", r"(?<donation>\d{4})(?<tube>S)"),
            Form::pattern("b", r"(?<donation>\d{4})(?<segment>S)"),
        ];
        check(&Normaliser::new(&Rules::of(materials)).unwrap(), "1234S", "specimen_fits_two_forms");
    }

    #[test]
    fn a_failed_check_is_not_made_good_by_a_looser_form() {
        let forms = vec![Form::din("din"), Form::pattern("any", r"(?<donation>\S+)")];
        let rules = Normaliser::new(&Rules::of(forms)).unwrap();
        check(&rules, "G123498654321J", "specimen_check_failed");
        let forms =
            vec![Form::din("din"), Form { fallback: true, ..Form::pattern("any", r"(?<donation>\S+)") }];
        let rules = Normaliser::new(&Rules::of(forms)).unwrap();
        check(&rules, "G123498654321J", "specimen_check_failed");
        check(&rules, "G123498654321", "G123498654321");
        check(&rules, "G12349865432", "G12349865432");
    }

    #[test]
    fn a_form_of_one_connection_is_unknown_on_every_other() {
        let forms = vec![
            Form { only_on: vec!["a1".to_owned()], equals_as: "0".to_owned(), ..Form::din("keyboard") },
            Form { only_on: vec!["a2".to_owned()], ..Form::din("din") },
        ];
        let rules = Normaliser::new(&Rules::of(forms)).unwrap();
        assert_eq!(said(rules.read("0G12349865432100", "a1")), "G123498654321");
        assert_eq!(said(rules.read("0G12349865432100", "a2")), "unknown_specimen_id");
        assert_eq!(said(rules.read("G123498654321", "a3")), "unknown_specimen_id");
        assert_eq!(said(rules.read_entered("G123498654321")), "unknown_specimen_id");
    }

    #[test]
    fn an_id_as_long_as_its_reader_can_keep_may_have_lost_its_end() {
        let mut rules = Rules::of(vec![Form::pattern("x", r"(?<donation>\d+)")]);
        rules.cut_at.insert("a1".to_owned(), 15);
        let rules = Normaliser::new(&rules).unwrap();
        check(&rules, "12345678901234", "12345678901234");
        check(&rules, "123456789012345", "specimen_may_be_cut");
        assert_eq!(said(rules.read("123456789012345", "a2")), "123456789012345");
    }

    #[test]
    fn rules_that_cannot_be_meant_name_their_form_and_key() {
        let faults = |forms: Vec<Form>| -> Vec<(Option<usize>, &'static str)> {
            let faults = Normaliser::new(&Rules::of(forms)).unwrap_err();
            faults.iter().map(|f| (f.form, f.key)).collect()
        };
        assert_eq!(faults(vec![]), [(None, "form")]);
        assert_eq!(faults(vec![Form::din("a"), Form::din("a")]), [(Some(1), "name")]);
        let misplaced = Form { pattern: Some("x".to_owned()), ..Form::din("a") };
        assert_eq!(faults(vec![misplaced]), [(Some(0), "pattern")]);
        let misplaced = Form { facility: Some("x".to_owned()), ..Form::pattern("b", "(?<donation>x)") };
        assert_eq!(
            faults(vec![Form::din("a"), misplaced, Form::pattern("c", "(")]),
            [(Some(1), "facility"), (Some(2), "pattern")]
        );
        assert_eq!(Normaliser::of_pattern("x").unwrap_err().key, "pattern");
        assert!(toml::from_str::<Written>("[[form]]\nname='a'\nkind='isbt128-din'\nfacilty='x'").is_err());
    }

    fn json(rules: &Normaliser, scan: &str) -> String {
        serde_json::to_string(&rules.check(scan)).unwrap()
    }

    #[test]
    fn what_is_said_of_a_scan_has_the_promised_shape() {
        let labels = Normaliser::of_labels();
        let din = r#"{"kind":"isbt128-din","value":"G123498654321","check_character":"H","valid":true}"#;
        for scan in ["G123498654321", "=G12349865432177", "g1234 98 654321 h"] {
            assert_eq!(json(&labels, scan), din, "{scan}");
        }
        let wrong = json(&labels, "G123498654321J");
        assert!(
            wrong.starts_with(
                r#"{"kind":"isbt128-din","value":"G123498654321","check_character":"H","valid":false,"why":"#
            ),
            "{wrong}"
        );
        assert_eq!(
            json(&labels, "=%6200"),
            r#"{"kind":"isbt128-blood-group","value":"6200","check_character":null,"valid":true,"abo":"A","rhd":"positive"}"#
        );
        assert_eq!(
            json(&labels, "=>026365"),
            r#"{"kind":"isbt128-expiry-date","value":"026365","check_character":null,"valid":true,"date":"2026-12-31"}"#
        );
        assert!(json(&labels, "=>026400").contains(r#""valid":false,"why":"it is marked as an expiry date"#));
        assert!(
            json(&labels, "882-1")
                .contains(r#""kind":"loinc","value":"882-1","check_character":"1","valid":true"#)
        );
        assert!(json(&labels, "nonsense").starts_with(r#"{"kind":"unknown","value":"nonsense""#));
        let both = site(BOTH);
        assert_eq!(
            json(&both, "79927398713-2"),
            r#"{"kind":"site","value":"7992739871","check_character":"3","valid":true,"form":"old labels","tube":"2"}"#
        );
        // A form that takes anything proves nothing.
        assert!(json(&Normaliser::default(), "nonsense").contains(r#""valid":false"#));
    }

    proptest! {
        #[test]
        fn every_shape_of_every_din_is_that_din(
            din in "[A-NP-Z1-9][0-9]{12}", flags in 0_u8..60, lower in any::<bool>(), blank in 0_usize..13,
        ) {
            let labels = Normaliser::of_labels();
            let check = din_check_character(&din).unwrap();
            let value = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*".find(check).unwrap() + 60;
            let mut spaced = din.clone();
            spaced.insert(blank, ' ');
            for scan in [
                din.clone(), format!("={din}"), format!("={din}{flags:02}"), format!("{din}{value}"),
                format!("{din}{check}"), spaced,
            ] {
                let scan = if lower { scan.to_lowercase() } else { scan };
                let found = labels.read_entered(&scan);
                prop_assert_eq!(found.as_ref().map(|i| i.number.as_str()), Ok(din.as_str()), "{}", scan);
            }
        }

        /// One wrong character of a keyed-in number is never another donation.
        #[test]
        fn a_keyed_in_number_with_one_wrong_character_is_refused(
            din in "[A-NP-Z1-9][0-9]{12}", at in 0_usize..14, other in "[0-9A-Z*]",
        ) {
            let keyed = format!("{din}{}", din_check_character(&din).unwrap());
            let mut wrong = keyed.clone();
            wrong.replace_range(at..=at, &other);
            prop_assume!(wrong != keyed);
            prop_assert!(Normaliser::of_labels().read_entered(&wrong).is_err());
        }

        /// Any text gives an answer, the same each time, and a number that is found normalises to itself.
        #[test]
        fn any_text_has_one_answer(scan in any::<String>()) {
            let pad = Pad { from: 3, to: 5, with: '0' };
            let forms = vec![
                Form::din("din"),
                Form { pad: Some(pad), ..Form::pattern("padded", r"(?<donation>\d+)") },
                Form { fallback: true, ..Form::pattern("any", r"(?<donation>\S+)") },
            ];
            let rules = Normaliser::new(&Rules::of(forms)).unwrap();
            let first = rules.read_entered(&scan);
            prop_assert_eq!(&first, &rules.read_entered(&scan));
            if let Ok(found) = first {
                prop_assert_eq!(rules.read_entered(&found.number).map(|i| i.number), Ok(found.number));
            }
            let checked = rules.check(&scan);
            prop_assert_eq!(checked.valid, checked.why.is_none());
        }
    }
}

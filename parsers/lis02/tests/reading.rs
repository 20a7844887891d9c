//! Tables of messages and what must be read from them. All ids are invented.

#[cfg(test)]
mod reading {
    use lis02::{Closing, DefectKind, Delimiters, Index, ReadOptions, Reading, Record};

    /// `index:letter@level<parent` for every record.
    fn outline(reading: &Reading<'_>) -> String {
        let shown: Vec<String> = reading
            .records()
            .map(|r| {
                let parent = r.parent().map_or("-".to_owned(), |p| p.index().to_string());
                format!("{}{}<{parent}", r.kind(), r.level())
            })
            .collect();
        shown.join(" ")
    }

    fn defects(reading: &Reading<'_>) -> Vec<(DefectKind, String)> {
        reading
            .defects()
            .iter()
            .map(|d| (d.kind, reading.text().get(d.at.clone()).unwrap().to_owned()))
            .collect()
    }

    fn check(text: &str, expect: &str, wrong: &[(DefectKind, &str)]) {
        let mut index = Index::new();
        let reading = index.read(text);
        assert_eq!(outline(&reading), expect, "{text:?}");
        let wrong: Vec<(DefectKind, String)> = wrong.iter().map(|(k, t)| (*k, (*t).to_owned())).collect();
        assert_eq!(defects(&reading), wrong, "{text:?}");
    }

    #[test]
    fn a_message_is_a_tree_of_records() {
        check("H|\\^&\rP|1\rO|1|a\rR|1|x\rL|1\r", "H0<- P1<0 O2<1 R3<2 L0<0", &[]);
        check(
            "H|\\^&\rP|1\rC|1|p\rO|1|a\rC|1|o\rR|1|x\rC|1|r\rC|2|r\rR|2|y\rC|1|r\rL|1\r",
            "H0<- P1<0 C2<1 O2<1 C3<3 R3<3 C4<5 C4<5 R3<3 C4<8 L0<0",
            &[],
        );
        // manufacturer records: below the record they follow; a comment may follow one of them
        check(
            "H|\\^&\rP|1\rO|1|a\rM|1|o\rR|1|x\rM|1|w\rC|1|c\rM|2|w\rL|1\r",
            "H0<- P1<0 O2<1 M3<2 R3<2 M4<4 C5<5 M4<4 L0<0",
            &[],
        );
        // a comment on the header, queries, scientific records, vendor records
        check("H|\\^&\rC|1|h\rQ|1|D1\rQ|2|D2\rS|1|x\rL|1\r", "H0<- C1<0 Q1<0 Q1<0 S1<0 L0<0", &[]);
        check("H|\\^&\rP|1\rO|1|a\rX|9|v\rR|1|x\rZ\rL|1\r", "H0<- P1<0 O2<1 X3<2 R3<2 Z4<4 L0<0", &[]);
    }

    #[test]
    fn one_header_may_hold_several_patients_and_one_patient_several_specimens() {
        check(
            "H|\\^&\rP|1\rO|1|a\rR|1|x\rO|2|b\rR|1|x\rR|2|y\rP|2\rO|1|c\rR|1|x\rL|1\r",
            "H0<- P1<0 O2<1 R3<2 O2<1 R3<4 R3<4 P1<0 O2<7 R3<8 L0<0",
            &[],
        );
    }

    #[test]
    fn records_end_with_cr_lf_or_both_and_blank_lines_count_for_nothing() {
        for end in ["\r", "\n", "\r\n", "\r\r", "\n\n", "\r\n\r\n"] {
            let text = ["H|\\^&", "P|1", "O|1|a", "R|1|x", "L|1|N", ""].join(end);
            check(&text, "H0<- P1<0 O2<1 R3<2 L0<0", &[]);
        }
        check("\r\nh|\\^&\rp|1\no|1|a\r\nr|1|x\rl|1", "H0<- P1<0 O2<1 R3<2 L0<0", &[]);
        check("", "", &[]);
        check("\r\n\r", "", &[]);
    }

    #[test]
    fn a_transfer_may_hold_several_messages() {
        let text = "H|\\^&|1\rP|1\rL|1\rH@^\\@2\rP@1\rO@1@a^b\\c\rL@1\rH|\\^|3\rP|1\rH|\\^&|4\rL|1\r";
        let mut index = Index::new();
        let reading = index.read(text);
        let messages: Vec<(usize, Closing, Option<String>)> = reading
            .messages()
            .map(|m| {
                let id = m.header().and_then(|h| h.field(3)).map(|f| f.raw().to_owned());
                (m.records().len(), m.closing(), id)
            })
            .collect();
        assert_eq!(
            messages,
            [
                (3, Closing::Terminator, Some("1".into())),
                (4, Closing::Terminator, Some("2".into())),
                (2, Closing::NextHeader, Some("3".into())),
                (2, Closing::Terminator, Some("4".into())),
            ]
        );
        let delimiters: Vec<Delimiters> = reading.messages().map(|m| m.delimiters()).collect();
        assert_eq!(delimiters[1], Delimiters::new('@', '^', '\\', None).unwrap());
        assert_eq!(delimiters[2].escape(), None);
        let order = reading.messages().nth(1).unwrap().records().nth(2).unwrap();
        let id: Vec<String> =
            order.field(3).unwrap().repeats().map(|r| r.component(1).unwrap().text().into()).collect();
        assert_eq!(id, ["a", "b"]);
        assert_eq!(defects(&reading), [(DefectKind::TerminatorMissing, "P|1".into())]);
        let per_message: Vec<usize> = reading.messages().map(|m| m.defects().len()).collect();
        assert_eq!(per_message, [0, 0, 1, 0]);
    }

    #[test]
    fn a_result_knows_its_order_and_patient_and_a_comment_its_record() {
        let text = "H|\\^&\rP|1|p1\rO|1|a\rR|1|x\rP|2|p2\rO|1|b\rR|1|y\rC|1|c\rL|1\r";
        let mut index = Index::new();
        let reading = index.read(text);
        let raw = |r: Option<Record<'_>>| r.map(|r| r.raw().to_owned());
        let comment = reading.record(7).unwrap();
        assert_eq!(raw(comment.parent()), Some("R|1|y".into()));
        assert_eq!(raw(comment.result()), Some("R|1|y".into()));
        assert_eq!(raw(comment.order()), Some("O|1|b".into()));
        assert_eq!(raw(comment.patient()), Some("P|2|p2".into()));
        assert_eq!(raw(reading.record(3).unwrap().patient()), Some("P|1|p1".into()));
        let comments: Vec<usize> = reading.record(6).unwrap().comments().map(|r| r.index()).collect();
        assert_eq!(comments, [7]);
        let under_header: Vec<usize> = reading.record(0).unwrap().children().map(|r| r.index()).collect();
        assert_eq!(under_header, [1, 4, 8]);
    }

    #[test]
    fn fields_are_numbered_from_the_type_letter() {
        let mut index = Index::new();
        let reading = index.read("H|\\^&|ID||host\rR|1|^^^A|0.31|||\rL|1\r");
        let fields =
            |at: usize| -> Vec<&str> { reading.record(at).unwrap().fields().map(|f| f.raw()).collect() };
        assert_eq!(fields(0), ["H", "\\^&", "ID", "", "host"]);
        assert_eq!(fields(1), ["R", "1", "^^^A", "0.31", "", "", ""]);
        let result = reading.record(1).unwrap();
        assert_eq!(result.sequence(), Some(1));
        assert_eq!(result.field(4).unwrap().range(), 24..28);
        assert!(result.field(0).is_none() && result.field(8).is_none());
    }

    #[test]
    fn fields_beyond_the_last_one_defined_are_kept() {
        let mut index = Index::new();
        let text = format!("H|\\^&\rP|1\rO|1|a\rR|1{}x\rL|1\r", "|".repeat(40));
        let reading = index.read(&text);
        assert!(reading.defects().is_empty());
        let result = reading.record(3).unwrap();
        assert_eq!((result.field_count(), result.field(42).unwrap().raw()), (42, "x"));
    }

    #[test]
    fn the_delimiter_field_of_the_header_is_not_divided() {
        let mut index = Index::new();
        let reading = index.read("H|\\^&|a\rL|1\r");
        let named = reading.record(0).unwrap().field(2).unwrap();
        assert_eq!(named.repeats().count(), 1);
        assert_eq!(named.component(1).unwrap().text(), "\\^&");
    }

    #[test]
    fn every_broken_rule_has_its_place() {
        use DefectKind as D;
        let ok = "H0<- P1<0 L0<0";
        check("P|1\rL|1\r", "P1<- L0<-", &[(D::HeaderMissing, "P|1")]);
        check(
            "1H|\\^&\rP|1\rL|1\r",
            "text1<- P1<- L0<-",
            &[(D::HeaderMissing, "1H|\\^&"), (D::NotARecord, "1H|\\^&")],
        );
        check("H\rP|1\rL|1\r", ok, &[(D::DelimitersMissing, "H")]);
        check("H||x\rP|1\rL|1\r", ok, &[(D::DelimitersMissing, "H|")]);
        check("H|\\|x\rP|1\rL|1\r", ok, &[(D::DelimitersIncomplete, "H|\\")]);
        check("H|\\\\^&|x\rP|1\rL|1\r", ok, &[(D::DelimitersRepeated, "H|\\\\^&")]);
        check("H|\\^&~|x\rP|1\rL|1\r", ok, &[(D::DelimitersExtra, "H|\\^&~")]);
        check("H|\\^&\rP|1\r", "H0<- P1<0", &[(D::TerminatorMissing, "P|1")]);
        check("H|\\^&\rP|1", "H0<- P1<0", &[(D::TerminatorMissing, "P|1"), (D::Truncated, "P|1")]);
        check("H|\\^&\rO|1|a\rL|1\r", "H0<- O2<- L0<0", &[(D::ParentMissing, "O|1|a")]);
        check("H|\\^&\rP|1\rR|1|x\rL|1\r", "H0<- P1<0 R3<- L0<0", &[(D::ParentMissing, "R|1|x")]);
        check("H|\\^&\rQ|1\rO|1|a\rL|1\r", "H0<- Q1<0 O2<- L0<0", &[(D::ParentMissing, "O|1|a")]);
        check(
            "C|1|x\r",
            "C1<-",
            &[(D::HeaderMissing, "C|1|x"), (D::ParentMissing, "C|1|x"), (D::TerminatorMissing, "C|1|x")],
        );
        check(
            "H|\\^&\rP|1\rL|1\rC|1|late\r",
            "H0<- P1<0 L0<0 C1<-",
            &[
                (D::AfterTerminator, "C|1|late"),
                (D::ParentMissing, "C|1|late"),
                (D::TerminatorMissing, "C|1|late"),
            ],
        );
        check("H|\\^&\rP|1\nfree text\rL|1\r", "H0<- P1<0 text2<1 L0<0", &[(D::NotARecord, "free text")]);
        check(
            "H|\\^&\rP|1|a\u{2}\u{3}b\u{7f}\t\rL|1\r",
            ok,
            &[(D::ControlCharacters, "\u{2}\u{3}"), (D::ControlCharacters, "\u{7f}")],
        );
    }

    #[test]
    fn sequence_numbers_restart_below_a_higher_record() {
        use DefectKind as D;
        let only = |text: &str, wrong: &[(DefectKind, &str)]| {
            let mut index = Index::new();
            let reading = index.read(text);
            let wrong: Vec<(DefectKind, String)> = wrong.iter().map(|(k, t)| (*k, (*t).to_owned())).collect();
            assert_eq!(defects(&reading), wrong, "{text:?}");
        };
        only("H|\\^&\rP|1\rO|1\rR|1\rR|2\rO|2\rR|1\rP|2\rO|1\rR|1\rL|1\r", &[]);
        only("H|\\^&\rP|01\rO| 1\rR|1 \rL|1\r", &[]);
        only("H|\\^&\rP|1\rO|1\rR|1\rR|3\rR|4\rL|1\r", &[(D::SequenceSkips, "3")]);
        only("H|\\^&\rP|1\rO|1\rP|1\rO|1\rL|1\r", &[(D::SequenceRepeats, "1")]);
        only(
            "H|\\^&\rP\rO||a\rL\r",
            &[(D::SequenceMissing, ""), (D::SequenceMissing, ""), (D::SequenceMissing, "")],
        );
        only("H|\\^&\rP|x\rL|2\r", &[(D::SequenceNotANumber, "x"), (D::SequenceSkips, "2")]);
        only("H|\\^&\rP|99999999999\rL|1\r", &[(D::SequenceNotANumber, "99999999999")]);
        only("H|\\^&\rP|1\rC|1\rO|1\rC|1\rC|2\rR|1\rC|1\rR|2\rC|2\rL|1\r", &[(D::SequenceContinues, "2")]);
        // Numbers that run on over a whole message miss nothing; a gap does, wherever it is.
        only(
            "H|\\^&\rP|1\rO|1\rR|1\rR|2\rO|2\rR|3\rR|4\rP|2\rO|1\rR|5\rL|1\r",
            &[(D::SequenceContinues, "3"), (D::SequenceContinues, "5")],
        );
        only("H|\\^&\rP|1\rO|1\rR|1\rO|2\rR|3\rL|1\r", &[(D::SequenceSkips, "3")]);
        only("H|\\^&\rP|1\rO|1\rR|2\rR|3\rL|1\r", &[(D::SequenceSkips, "2")]);
    }

    #[test]
    fn a_senders_wrong_header_can_be_overruled() {
        let mut index = Index::new();
        let options = ReadOptions { delimiters: Some(Delimiters::STANDARD) };
        let reading = index.read_with("H@^\\&@x\rP|1|a^b\rL|1\r", options);
        assert_eq!(outline(&reading), "H0<- P1<0 L0<0");
        assert!(reading.defects().is_empty());
        assert_eq!(reading.record(1).unwrap().field(3).unwrap().component(2).unwrap().raw(), "b");
    }

    #[test]
    fn law_07_the_list_of_defects_has_an_end() {
        let text = format!("H|\\^&\r{}", "R|7|x\r".repeat(5_000));
        let mut index = Index::new();
        let reading = index.read(&text);
        assert_eq!(reading.records().len(), 5_001);
        assert_eq!(reading.defects().len(), lis02::DEFECTS_MAX + 1);
        assert_eq!(reading.defects().last().unwrap().kind, DefectKind::TooManyDefects);
    }

    #[test]
    fn law_07_text_beyond_the_limit_is_named_and_not_read() {
        let text = format!("H|\\^&\rP|1|{}", "é".repeat(lis02::TEXT_BYTES_MAX / 2));
        let mut index = Index::new();
        let reading = index.read(&text);
        let last = reading.defects().last().unwrap();
        assert_eq!(last.kind, DefectKind::TextTooLong);
        assert_eq!(last.at.end, text.len());
        assert!(last.at.start <= lis02::TEXT_BYTES_MAX && last.at.start > lis02::TEXT_BYTES_MAX - 4);
    }
}

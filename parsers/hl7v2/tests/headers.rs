//! The header: types, versions, modes, character sets, and fields that a sender left out.

#[cfg(test)]
mod tests {
    use hl7v2::{
        AckCondition, AckMode, CharacterSet, Dialect, Header, HeaderPlaces, Index, SegmentEnds,
        declared_character_sets, decode,
    };

    fn with_header(text: &str, look: impl FnOnce(Header<'_>)) {
        let mut index = Index::new();
        look(index.read(text).header().unwrap());
    }

    #[test]
    fn a_header_whose_sender_left_fields_out_is_found_by_its_type() {
        let collapsed = "MSH|^~\\&|MAGLUMI|LIS|20260301101400|OUL^R22|9|P|2.5||NE|NE|UTF-8\r";
        with_header(collapsed, |header| {
            assert_eq!((header.shift(), header.control_id(), header.version().as_ref()), (3, "9", "2.5"));
            assert_eq!((header.message_code().as_ref(), header.trigger_event().as_ref()), ("OUL", "R22"));
            assert_eq!(header.field(7).unwrap().raw(), "20260301101400");
            assert!(header.field(5).is_none() && header.field(8).is_none() && header.field(18).is_none());
            assert_eq!(header.ack_mode(), AckMode::Original);
        });
        let usual = "MSH|^~\\&|ABC^A01|LIS|||20260301101400||ORU^R01|9|P|2.3.1\r";
        with_header(usual, |header| assert_eq!((header.shift(), header.control_id()), (0, "9")));
        let without_type = "MSH|^~\\&|A|B|||20260301101400||ACK|9|P|2.3.1\r";
        with_header(without_type, |header| assert_eq!((header.shift(), header.control_id()), (0, "9")));
    }

    #[test]
    fn a_header_is_read_as_the_dialect_says_and_nothing_is_guessed() {
        let header = HeaderPlaces::new(vec![(7, 4), (9, 6), (10, 5), (11, 8)]).unwrap();
        let mut index = Index::of(Dialect { header, ..Dialect::default() });
        for _ in 0..2 {
            let message = index.read("MSH|^~\\&|X|2026|9|ABC^A01|V|P|T|C\r");
            let header = message.header().unwrap();
            let raw = |number| header.field(number).map(|field| field.raw());
            assert_eq!(
                (header.control_id(), header.message_code().as_ref(), header.shift()),
                ("9", "ABC", 0)
            );
            assert_eq!([raw(3), raw(7), raw(11)], [Some("X"), Some("2026"), Some("P")]);
            assert_eq!([raw(4), raw(5), raw(6), raw(8)], [None; 4], "they are others' places");
            index.release_memory();
        }
        for wrong in [vec![(2, 3)], vec![(9, 26)], vec![(9, 6), (9, 7)], vec![(9, 6), (10, 6)]] {
            assert_eq!(HeaderPlaces::new(wrong.clone()), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_line_feed_may_be_text() {
        let text = "MSH|^~\\&|A\r\nNTE|1|two\nlines|\0\rOBX|1\r\n\n";
        let lines = |index: &mut Index| {
            index.read(text).segments().map(|segment| segment.raw().to_owned()).collect::<Vec<_>>()
        };
        let cr = Dialect { segment_ends: SegmentEnds::CarriageReturn, ..Dialect::default() };
        assert_eq!(lines(&mut Index::of(cr)), ["MSH|^~\\&|A", "NTE|1|two\nlines|\0", "OBX|1"]);
        assert_eq!(lines(&mut Index::new()), ["MSH|^~\\&|A", "NTE|1|two", "lines|", "OBX|1"]);
    }

    #[test]
    fn a_digit_in_msh_16_is_a_kind_of_result_and_no_wish_for_an_answer() {
        use AckCondition::{Always, Never};
        let enhanced = |accept, application| AckMode::Enhanced { accept, application };
        for (fields, kind, mode) in [
            ("||||", None, AckMode::Original),
            ("||||0", Some("0"), AckMode::Original),
            ("||||2", Some("2"), AckMode::Original),
            ("|||NE|AL", None, enhanced(Some(Never), Some(Always))),
            ("|||AL", None, enhanced(Some(Always), None)),
            ("|||AL|1", Some("1"), enhanced(Some(Always), None)),
            ("||||SU", None, enhanced(None, Some(AckCondition::Success))),
            ("||||XX", None, AckMode::Original),
            ("|||\"\"|\"\"", None, AckMode::Original),
            ("|||ne|al", None, enhanced(Some(Never), Some(Always))),
            ("|||NE|Y", None, enhanced(Some(Never), Some(Always))),
            ("|||NE|\"\"", None, enhanced(Some(Never), None)),
            ("|||Y|NE", None, enhanced(None, Some(Never))),
        ] {
            with_header(&format!("MSH|^~\\&|A||||||ORU^R01|1|P|2.3.1{fields}\r"), |header| {
                assert_eq!((header.result_kind(), header.ack_mode()), (kind, mode), "{fields}");
            });
        }
        assert!(AckCondition::Error.wants(false) && !AckCondition::Error.wants(true));
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        for (version, at_least_2_5) in [
            ("2.5.1", true),
            ("2.5", true),
            ("2.10", true),
            ("3", true),
            ("2.3.1", false),
            ("2", false),
            ("", false),
            ("x", false),
        ] {
            with_header(&format!("MSH|^~\\&|A||||||ORU^R01|1|P|{version}^CHN\r"), |header| {
                assert_eq!(header.is_at_least(2, 5), at_least_2_5, "{version}");
            });
        }
    }

    #[test]
    fn the_declaration_is_read_from_bytes_before_anything_is_decoded() {
        let standard = |set: &str| format!("MSH|^~\\&|A||||||ORU^R01|1|P|2.3.1||||||{set}\r").into_bytes();
        let table: &[(Vec<u8>, &[&str])] = &[
            (standard("UNICODE UTF-8"), &["UNICODE UTF-8"]),
            (standard("~ISO IR87"), &["", "ISO IR87"]),
            (standard("ASCII|x"), &["ASCII"]),
            (standard(""), &[]),
            (standard("\u{FFFD}"), &["\u{FFFD}"]),
            (b"\xEF\xBB\xBF\r\nMSH|^~\\&|A||||||ORU^R01|1|P|2.3.1||||||GBK".to_vec(), &["GBK"]),
            (b"MSH|^~\\&|\xD5\xC5|||||ORU^R01|||1||||||GBK".to_vec(), &["GBK"]),
            (b"MSH|^~\\&|MAGLUMI|LIS|20260301|OUL^R22|9|P|2.5||NE|NE|UTF-8\r".to_vec(), &["UTF-8"]),
            (b"MSH@!%$#@A@@@@@@ORU!R01@1@P@2.3.1@@@@@@8859/1%GBK\r".to_vec(), &["8859/1", "GBK"]),
            (b"PID|1\r".to_vec(), &[]),
            (b"".to_vec(), &[]),
        ];
        for (bytes, names) in table {
            assert_eq!(declared_character_sets(bytes), *names, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn delimiters_inside_gbk_second_bytes_split_nothing() {
        let bytes =
            b"MSH|^~\\&|A||||||ORU^R01|1|P|2.3.1||||||GBK\rPID|1||\x81\x7C\x81\x5E^\x81\x7E\x81\x5C|x\r";
        let decoded = decode(bytes, None, CharacterSet::Gb18030);
        let mut index = Index::new();
        let message = index.read(&decoded.text);
        let pid = message.first("PID").unwrap();
        let field = pid.field(3).unwrap();
        let components: Vec<_> = field.repetition(1).unwrap().components().map(|c| c.text()).collect();
        assert_eq!(components, ["亅乛", "亊乗"]);
        assert_eq!((field.repetitions().count(), pid.field(4).unwrap().raw()), (1, "x"));
    }

    #[test]
    fn utf_16_is_read_with_and_without_a_mark() {
        let text = "MSH|^~\\&|张\rOBX|1\r";
        for mark in ["", "\u{FEFF}"] {
            let marked = mark.to_owned() + text;
            let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = marked.encode_utf16().flat_map(u16::to_be_bytes).collect();
            for bytes in [little, big] {
                assert_eq!(decode(&bytes, None, CharacterSet::Gb18030).text, text);
            }
        }
    }
}

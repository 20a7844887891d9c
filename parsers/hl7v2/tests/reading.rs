//! Reading: what is found, what is a defect, and that every byte is accounted for.

#[cfg(test)]
mod tests {
    use hl7v2::{DefectKind, Index, Path};

    /// Each segment's raw text, and each defect's kind and place.
    fn check(text: &str, segments: &[&str], defects: &[(DefectKind, &str)]) {
        let mut index = Index::new();
        let message = index.read(text);
        let found: Vec<&str> = message.segments().map(|segment| segment.raw()).collect();
        assert_eq!(found, segments, "segments of {text:?}");
        let places: Vec<_> =
            message.defects().iter().map(|d| (d.kind, text.get(d.at.clone()).unwrap())).collect();
        assert_eq!(places, defects, "defects of {text:?}");
    }

    type Row = (&'static str, &'static [&'static str], &'static [(DefectKind, &'static str)]);

    const MSH: &str = "MSH|^~\\&|A";

    #[test]
    fn segments_end_at_any_terminator_and_every_one_is_read() {
        for (terminator, name) in
            [("\r", "CR"), ("\n", "LF"), ("\r\n", "CRLF"), ("\0", "NUL"), ("\r\r\n", "blank line")]
        {
            for last in ["", terminator] {
                let text = [MSH, "PID|1", "OBX|1"].join(terminator) + last;
                check(&text, &[MSH, "PID|1", "OBX|1"], &[]);
                check(&(terminator.to_owned() + &text), &[MSH, "PID|1", "OBX|1"], &[]);
                assert!(text.contains(terminator), "{name}");
            }
        }
    }

    #[test]
    fn a_broken_segment_never_hides_the_ones_after_it() {
        use DefectKind::{HeaderRepeated, SegmentUnreadable};
        let after = [MSH, "OBX|1"];
        let table: &[(&str, &[(DefectKind, &str)])] = &[
            ("line of a comment", &[(SegmentUnreadable, "line of a comment")]),
            ("ob|1", &[(SegmentUnreadable, "ob|1")]),
            ("|", &[(SegmentUnreadable, "|")]),
            ("OBXX|1", &[(SegmentUnreadable, "OBXX|1")]),
            ("9BX|1", &[(SegmentUnreadable, "9BX|1")]),
            ("张三", &[(SegmentUnreadable, "张三")]),
            ("MSH|^~\\&|B", &[(HeaderRepeated, "MSH|^~\\&|B")]),
            ("ZE1", &[]),
        ];
        for (line, defects) in table {
            check(&[MSH, line, "OBX|1"].join("\r"), &[after[0], line, after[1]], defects);
        }
    }

    #[test]
    fn a_header_that_is_not_as_it_should_be_is_a_defect_and_the_rest_is_read() {
        use DefectKind::{
            DelimiterMissing, DelimiterRepeated, DelimiterUnusable, Empty, HeaderMissing, SegmentUnreadable,
        };
        let table: &[Row] = &[
            ("", &[], &[(Empty, "")]),
            ("\r\n", &[], &[(Empty, "\r\n")]),
            ("PID|1\rOBX|1", &["PID|1", "OBX|1"], &[(HeaderMissing, "PID|1")]),
            (
                "GET / HTTP/1.1\r",
                &["GET / HTTP/1.1"],
                &[(HeaderMissing, "GET / HTTP/1.1"), (SegmentUnreadable, "GET / HTTP/1.1")],
            ),
            (
                "MSHA^~\\&A1\r",
                &["MSHA^~\\&A1"],
                &[(HeaderMissing, "MSHA^~\\&A1"), (SegmentUnreadable, "MSHA^~\\&A1")],
            ),
            ("MSH|^~|A", &["MSH|^~|A"], &[(DelimiterMissing, "^~")]),
            ("MSH|^~\\^|A", &["MSH|^~\\^|A"], &[(DelimiterRepeated, "^")]),
            ("MSH|^~\\\\&|A", &["MSH|^~\\\\&|A"], &[(DelimiterRepeated, "\\")]),
            ("MSH|^x\\&|A", &["MSH|^x\\&|A"], &[(DelimiterUnusable, "x")]),
            ("MSH|^~\\&#|A", &["MSH|^~\\&#|A"], &[]),
        ];
        for (text, segments, defects) in table {
            check(text, segments, defects);
        }
    }

    #[test]
    fn delimiters_that_can_be_used_are_used() {
        for (header, encoding) in [
            ("MSH|^~\\&|A", "^~\\&"),
            ("MSH|^~\\&#|A", "^~\\&#"),
            ("MSH|^~\\\\&|A", "^~\\&"),
            ("MSH|^~|A", "^~"),
            ("MSH|^x\\&|A", "^\\&"),
            ("MSH|^|A", "^"),
            ("MSH||A", ""),
            ("MSH|^~\\&#;|A", "^~\\&#"),
            ("FHS|$~\\&|A\rMSH|^~\\&|A", "$~\\&"),
            ("PID|1", "^~\\&"),
        ] {
            let mut index = Index::new();
            assert_eq!(index.read(header).delimiters().to_string(), encoding, "{header}");
        }
        let mut index = Index::new();
        let doubled = index.read("MSH|^~\\\\&|A").delimiters();
        assert_eq!((doubled.subcomponent(), doubled.truncation()), (Some('&'), None));
    }

    #[test]
    fn paths_find_what_people_mean() {
        let text = "MSH|^~\\&|APP|FAC|||TS||OUL^R22^OUL_R22|7\rSPM|1|id&ROCHE^fill||SER\rOBX|1|ST|||a^b~c^d&e||\"\"|x\\F\\y\r";
        let table = [
            ("MSH-1", Some("|")),
            ("MSH-2", Some("^~\\&")),
            ("MSH-2.1", Some("^~\\&")),
            ("MSH-2.1.2", None),
            ("MSH-3", Some("APP")),
            ("MSH-9", Some("OUL^R22^OUL_R22")),
            ("MSH-9.2", Some("R22")),
            ("MSH-10", Some("7")),
            ("MSH-11", None),
            ("SPM-2.1", Some("id&ROCHE")),
            ("SPM-2.1.1", Some("id")),
            ("SPM-2.1.2", Some("ROCHE")),
            ("SPM-2.1.3", None),
            ("SPM-4.1", Some("SER")),
            ("OBX-3", Some("")),
            ("OBX-3.1", Some("")),
            ("OBX-3.2", None),
            ("OBX-5", Some("a^b~c^d&e")),
            ("OBX-5.2", Some("b")),
            ("OBX-5[2]", Some("c^d&e")),
            ("OBX-5[2].2.2", Some("e")),
            ("OBX-5[3]", None),
            ("OBX-7", Some("\"\"")),
            ("OBX-8", Some("x|y")),
            ("PID-3", None),
        ];
        let mut index = Index::new();
        let message = index.read(text);
        for (path, expect) in table {
            let found = message.get(&Path::parse(path).unwrap());
            assert_eq!(found.map(|part| part.text()).as_deref(), expect, "{path}");
            if let Some(part) = found {
                assert_eq!(text.get(part.range()), Some(part.raw()));
            }
        }
    }
}

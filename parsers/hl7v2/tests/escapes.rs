//! Escape sequences, read and written.

#[cfg(test)]
mod tests {
    use hl7v2::{Delimiters, escape, unescape};
    use proptest::prelude::*;

    fn check(raw: &str, text: &str) {
        assert_eq!(unescape(raw, Delimiters::standard()), text, "{raw}");
    }

    #[test]
    fn sequences_stand_for_what_the_standard_says() {
        for (raw, text) in [
            ("plain", "plain"),
            (r"a\F\b", "a|b"),
            (r"1\S\2.14", "1^2.14"),
            (r"a\T\b", "a&b"),
            (r"a\R\b", "a~b"),
            (r"a\E\b", r"a\b"),
            (r"\F\\S\\T\\R\\E\", r"|^&~\"),
            (r"\X41\", "A"),
            (r"\X0d0A\", "\r\n"),
            (r"\XE5BCA0\", "张"),
            (r"\XE5\\XBC\\XA0\", "张"),
            (r"a\.br\b", "a\nb"),
            (r"\H\bold\N\", "bold"),
        ] {
            check(raw, text);
        }
    }

    #[test]
    fn what_is_no_sequence_is_kept_as_it_stands() {
        for raw in [
            r"\",
            r"a\b",
            r"\\",
            r"\\\",
            r"C:\temp\x",
            r"\F",
            r"F\",
            r"\X4\",
            r"\X4G\",
            r"\X\",
            r"\f\",
            r"\FF\",
            r"\Zlocal 1\",
            r"\C2842\",
            r"\M2842AB\",
            r"\.in+2\",
            r"\.sp 3\",
            r"\P\",
            r"\XFF\",
            r"\Q\",
        ] {
            check(raw, raw);
        }
        // A local sequence ends where it ends; a lone escape character hides nothing after it.
        check(r"\Zx\F\", r"\Zx\F\");
        check(r"50\ of \F\", "50\\ of |");
        check(r"\Q\F\", r"\Q|");
        check(r"\X41FF42\", r"A\XFF\B");
    }

    #[test]
    fn a_message_without_an_escape_character_has_no_sequences() {
        let mut index = hl7v2::Index::new();
        let message = index.read("MSH|^~|A\\F\\B\rOBX|\\F\\\r");
        assert_eq!(message.first("OBX").unwrap().field(1).unwrap().text(), r"\F\");
    }

    #[test]
    fn null_is_not_the_text_of_two_quotes() {
        assert_eq!(escape("\"\"", Delimiters::standard()), r"\X22\\X22\");
        check(r"\X22\\X22\", "\"\"");
        assert_eq!(escape("\"", Delimiters::standard()), "\"");
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_escaped_is_read_again(text in "[|^~\\\\&FSTREXHN0-9A-Fa-z.\"\r\n\0\u{B}\u{1C}张𠮷]*") {
            let delimiters = Delimiters::standard();
            let raw = escape(&text, delimiters);
            prop_assert!(!raw.contains(['|', '^', '~', '&', '\r', '\n', '\0', '\u{B}', '\u{1C}']), "{}", raw);
            prop_assert_eq!(unescape(&raw, delimiters), text.as_str());
        }
    }
}

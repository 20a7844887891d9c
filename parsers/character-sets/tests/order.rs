//! The order of attempts, the names, and what a wrong declaration leads to.

#[cfg(test)]
mod tests {
    use character_sets::{CharacterSet, Choice, Note, Reason, decode, encode};
    use std::borrow::Cow;

    fn check(bytes: &[u8], choice: Choice<'_>, text: &str, used: CharacterSet, reason: Reason) {
        let decoded = decode(bytes, &choice);
        assert_eq!(
            (decoded.text.as_ref(), decoded.used, decoded.reason, decoded.defects.total()),
            (text, used, reason, 0),
            "{choice:?}"
        );
    }

    fn declared<'a>(names: &'a [&'a str]) -> Choice<'a> {
        Choice { declared: names, ..Choice::default() }
    }

    const ZHANG_GBK: &[u8] = b"PID|1||\xD5\xC5|";

    #[test]
    fn the_order_is_profile_mark_declaration_utf8_fallback() {
        use CharacterSet::{Ascii, Gb18030, Gbk, Iso2022Jp, Latin1, Utf8, Utf16Be, Utf16Le, Windows1251};
        let table: &[(&[u8], Choice<'_>, &str, CharacterSet, Reason)] = &[
            (b"MSH|", Choice::default(), "MSH|", Utf8, Reason::ProvenUtf8),
            (b"MSH|", declared(&["ASCII"]), "MSH|", Ascii, Reason::Declared),
            ("é".as_bytes(), declared(&["8859/1"]), "Ã©", Latin1, Reason::Declared),
            ("é".as_bytes(), Choice { fixed: Some(Utf8), ..declared(&["8859/1"]) }, "é", Utf8, Reason::Fixed),
            (b"\xEF\xBB\xBF\xC3\xA9", declared(&["8859/1"]), "é", Utf8, Reason::ByteOrderMark),
            (b"\xFF\xFEM\0", declared(&["UTF-8"]), "M", Utf16Le, Reason::ByteOrderMark),
            (ZHANG_GBK, declared(&["GB 18030-2000"]), "PID|1||张|", Gb18030, Reason::Declared),
            (ZHANG_GBK, declared(&["GBK"]), "PID|1||张|", Gbk, Reason::Declared),
            (ZHANG_GBK, declared(&["ASCII"]), "PID|1||张|", Gb18030, Reason::Fallback),
            // Two GBK characters whose bytes ISO 8859-1 could read, as control characters.
            (b"\x90\x90", declared(&["8859/1"]), "悙", Gb18030, Reason::Fallback),
            (b"\x1B$B;3\x1B(B^", declared(&["ASCII", "ISO IR87"]), "山^", Iso2022Jp, Reason::Declared),
            (b"\0M\0|", declared(&["UNICODE UTF-16"]), "M|", Utf16Be, Reason::Declared),
            (b"M\0|\0", declared(&["UNICODE UTF-16"]), "M|", Utf16Le, Reason::Declared),
            (ZHANG_GBK, declared(&["UNICODE UTF-8"]), "PID|1||张|", Gb18030, Reason::Fallback),
            ("张".as_bytes(), declared(&["UNICODE"]), "张", Utf8, Reason::Declared),
            ("张".as_bytes(), declared(&["ASCII"]), "张", Utf8, Reason::ProvenUtf8),
            (
                b"4,17 \xCC\xCC\xCE\xEB\xFC",
                Choice { fallback: Windows1251, ..Choice::default() },
                "4,17 ММОль",
                Windows1251,
                Reason::Fallback,
            ),
        ];
        for (bytes, choice, text, used, reason) in table {
            check(bytes, *choice, text, *used, *reason);
        }
    }

    #[test]
    fn ascii_and_utf8_are_borrowed() {
        for bytes in [&b"OBX|1|ST"[..], "OBX|1|张".as_bytes(), b"\xEF\xBB\xBFMSH"] {
            assert!(matches!(decode(bytes, &Choice::default()).text, Cow::Borrowed(_)));
        }
    }

    #[test]
    fn a_declaration_that_is_refuted_is_named_with_its_place() {
        let decoded = decode(ZHANG_GBK, &declared(&["ASCII", "KLINGON"]));
        assert_eq!(
            decoded.notes,
            [
                Note::UnknownDeclaration { name: "KLINGON".into() },
                Note::DeclarationDoesNotFit { set: CharacterSet::Ascii, at: 7 }
            ]
        );
    }

    #[test]
    fn real_latin_1_is_not_windows_1252() {
        let fixed = |set| Choice { fixed: Some(set), ..Choice::default() };
        check(b"\x80\xE9", fixed(CharacterSet::Latin1), "\u{80}é", CharacterSet::Latin1, Reason::Fixed);
        check(b"\x80\xE9", fixed(CharacterSet::Windows1252), "€é", CharacterSet::Windows1252, Reason::Fixed);
        assert_eq!(encode("€", CharacterSet::Latin1).defects.len(), 1);
    }

    #[test]
    fn delimiters_inside_gbk_second_bytes_are_no_delimiters() {
        // Second bytes 5C, 5E, 7C, 7E, 40: as bytes these are `\`, `^`, `|`, `~`, `@`.
        let bytes = b"A|\x81\x5C\x81\x5E\x81\x7C\x81\x7E\x81\x40|B";
        let decoded = decode(bytes, &declared(&["GBK"]));
        assert!(decoded.defects.is_empty());
        assert_eq!(decoded.text.split('|').collect::<Vec<_>>(), ["A", "乗乛亅亊丂", "B"]);
        assert!(!decoded.text.contains(['\\', '^', '~', '@']));
        assert_eq!(encode(&decoded.text, CharacterSet::Gbk).bytes.as_ref(), bytes);
    }
}

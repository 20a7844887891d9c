//! Every set by itself: names, strictness, places, and that what is written is read again.

#[cfg(test)]
mod tests {
    use character_sets::{CharacterSet, Choice, Decoded, decode, encode};
    use proptest::prelude::*;

    fn read(bytes: &[u8], set: CharacterSet) -> Decoded<'_> {
        decode(bytes, &Choice { fixed: Some(set), ..Choice::default() })
    }

    #[test]
    fn the_names_of_table_0211_and_those_seen_in_the_field_are_known() {
        use CharacterSet::{
            Ascii, Big5, EucKr, Gb18030, Gbk, Iso2022Jp, Iso8859Part2, Iso8859Part9, Iso8859Part15, Latin1,
            Utf8, Utf16Be, Utf32Be, Windows1251,
        };
        let table = [
            ("ASCII", Some(Ascii)),
            ("ISO IR6", Some(Ascii)),
            ("8859/1", Some(Latin1)),
            ("8859/2", Some(Iso8859Part2)),
            ("8859/9", Some(Iso8859Part9)),
            ("8859/15", Some(Iso8859Part15)),
            ("ISO IR87", Some(Iso2022Jp)),
            ("GB 18030-2000", Some(Gb18030)),
            ("BIG-5", Some(Big5)),
            ("KS X 1001", Some(EucKr)),
            ("UNICODE", Some(Utf8)),
            ("UNICODE UTF-8", Some(Utf8)),
            ("UNICODE UTF-16", Some(Utf16Be)),
            ("UNICODE UTF-32", Some(Utf32Be)),
            ("UTF-8", Some(Utf8)),
            ("utf8", Some(Utf8)),
            ("GBK", Some(Gbk)),
            ("GB2312", Some(Gbk)),
            ("windows-1251", Some(Windows1251)),
            ("iso_8859-1", Some(Latin1)),
            ("ISO IR14", None),
            ("ISO IR159", None),
            ("CNS 11643-1992", None),
            ("", None),
            ("UTF-88", None),
        ];
        for (name, set) in table {
            assert_eq!(CharacterSet::from_msh18(name), set, "{name}");
        }
        for set in CharacterSet::ALL {
            assert_eq!(set.name().parse(), Ok(*set));
        }
        let error = "klingon".parse::<CharacterSet>().unwrap_err().to_string();
        assert!(error.contains("klingon") && error.contains("gb18030"), "{error}");
    }

    /// Set, bytes, text, and the places that cannot be read.
    type Reading = (CharacterSet, &'static [u8], &'static str, &'static [(usize, usize)]);

    #[test]
    fn unreadable_bytes_keep_their_places() {
        use CharacterSet::{Ascii, Gb18030, Iso8859Part8, Utf8, Utf16Be, Utf32Be};
        let table: &[Reading] = &[
            (Ascii, b"a\x80b\xFF", "a\u{FFFD}b\u{FFFD}", &[(1, 2), (3, 4)]),
            (Utf8, b"a\xE5\xBC|b", "a\u{FFFD}|b", &[(1, 3)]),
            (Utf8, b"\xC0\xAF", "\u{FFFD}\u{FFFD}", &[(0, 1), (1, 2)]),
            (Utf8, b"\xED\xA0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}", &[(0, 1), (1, 2), (2, 3)]),
            // A lead byte takes no delimiter with it.
            (Gb18030, b"\xD5 |\xD5\xC5", "\u{FFFD} |张", &[(0, 1)]),
            (Gb18030, b"\xD5\r", "\u{FFFD}\r", &[(0, 1)]),
            (Gb18030, b"a\x81\x30\x81", "a\u{FFFD}", &[(1, 4)]),
            (Gb18030, b"ab\xFF", "ab\u{FFFD}", &[(2, 3)]),
            (Iso8859Part8, b"A\xFF", "A\u{FFFD}", &[(1, 2)]),
            (Utf16Be, b"\0M\xD8\0\0S\0", "M\u{FFFD}S\u{FFFD}", &[(2, 4), (6, 7)]),
            (Utf32Be, b"\0\0\0M\0\x11\0\0", "M\u{FFFD}", &[(4, 8)]),
        ];
        for (set, bytes, text, places) in table {
            let decoded = read(bytes, *set);
            let found: Vec<_> = decoded.defects.places().iter().map(|d| (d.at.start, d.at.end)).collect();
            assert_eq!((decoded.text.as_ref(), found.as_slice()), (*text, *places), "{set} {bytes:02X?}");
        }
    }

    #[test]
    fn defects_beyond_the_bound_are_counted() {
        let decoded = read(&[0xFF; 1000], CharacterSet::Utf8);
        assert_eq!((decoded.defects.total(), decoded.defects.places().len()), (1000, 256));
    }

    /// GB 18030-2022 moved 18 characters from the private use area to their own code points (and 6 back to four bytes).
    #[test]
    fn gb18030_reads_the_characters_that_moved_in_2022_and_four_byte_characters() {
        let table: &[(&[u8], &str)] = &[
            (b"\xA6\xD9\xA6\xED\xA6\xF3", "\u{FE10}\u{FE18}\u{FE19}"),
            (b"\xFE\x59\xFE\xA0", "\u{9FB4}\u{9FBB}"),
            (b"\x82\x35\x90\x37", "\u{9FB4}"),
            (b"\x95\x34\xB2\x35", "𠮷"),
            (b"\x80", "€"),
        ];
        for (bytes, text) in table {
            assert_eq!(read(bytes, CharacterSet::Gb18030).text, *text, "{bytes:02X?}");
        }
    }

    #[test]
    fn every_character_that_a_set_can_write_is_read_again_and_the_others_are_named() {
        let planes = ('\0'..='\u{FFFF}').chain('\u{1F600}'..='\u{1F6FF}').chain('\u{20000}'..='\u{22000}');
        let characters: Vec<char> = planes.collect();
        for set in CharacterSet::ALL {
            let mut written = 0;
            for chunk in characters.chunks(4096) {
                let text: String = chunk.iter().collect();
                let encoded = encode(&text, *set);
                let mut expect = text.clone().into_bytes();
                for defect in encoded.defects.iter().rev() {
                    expect.splice(defect.at.clone(), [b'?']);
                }
                let expect = String::from_utf8(expect).unwrap();
                let decoded = character_sets::decode(
                    &encoded.bytes,
                    &Choice { fixed: Some(*set), ..Choice::default() },
                );
                assert!(decoded.defects.is_empty(), "{set}");
                assert!(decoded.text == expect || is_marked(&text), "{set} {:?}..", chunk.first());
                written += chunk.len() - encoded.defects.len();
            }
            assert!(written >= 128, "{set} writes {written}");
        }
    }

    /// A text that begins with U+FEFF reads as one with a byte order mark; no chunk above does.
    fn is_marked(text: &str) -> bool {
        text.starts_with('\u{FEFF}')
    }

    #[test]
    fn places_in_the_text_lead_back_to_the_bytes() {
        let text = "a张|𠮷b€";
        for set in [CharacterSet::Gb18030, CharacterSet::Utf8, CharacterSet::Utf16Le, CharacterSet::Utf32Be] {
            let bytes = encode(text, set).bytes.into_owned();
            let decoded = read(&bytes, set);
            for (at, _) in text.char_indices() {
                let before = encode(text.get(..at).unwrap(), set).bytes.len();
                assert_eq!(decoded.place_in(&bytes, at), before, "{set} {at}");
            }
            assert_eq!(decoded.place_in(&bytes, text.len()), bytes.len());
        }
        let broken = b"\xEF\xBB\xBFa\xFF\xFFb";
        let decoded = decode(broken, &Choice::default());
        let at = decoded.text.find('b').unwrap();
        assert_eq!((decoded.mark_bytes, decoded.place_in(broken, at)), (3, 6));
    }

    fn any_set() -> impl Strategy<Value = CharacterSet> {
        prop::sample::select(CharacterSet::ALL)
    }

    /// The sets whose every character has one way to be written; Big5 and the Japanese sets have several.
    fn two_way_set() -> impl Strategy<Value = CharacterSet> {
        use CharacterSet::{Big5, EucJp, Iso2022Jp, ShiftJis};
        any_set().prop_filter("several ways", |set| ![Big5, EucJp, Iso2022Jp, ShiftJis].contains(set))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read_again(set in any_set(), text in "[ -~]*[\\PC]{0,20}[一-龥А-яé€|^~&\\\\\r]*") {
            let encoded = encode(&text, set);
            let decoded = read(&encoded.bytes, set);
            prop_assert!(decoded.defects.is_empty());
            if encoded.defects.is_empty() {
                prop_assert_eq!(decoded.text.as_ref(), &text);
            } else {
                prop_assert_eq!(decoded.text.chars().count(), text.chars().count());
            }
        }

        #[test]
        fn places_lead_to_the_defects(set in two_way_set(), bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let decoded = read(&bytes, set);
            let marks = decoded.text.match_indices('\u{FFFD}').map(|(at, _)| decoded.place_in(&bytes, at));
            let marks: Vec<usize> = marks.collect();
            let unusual_forms = matches!(set, CharacterSet::Gb18030 | CharacterSet::Gbk | CharacterSet::EucKr);
            let tolerance = if unusual_forms { 6 } else { 0 };
            for defect in decoded.defects.places() {
                let near = marks.iter().any(|mark| mark.abs_diff(defect.at.start) <= tolerance);
                prop_assert!(near, "{} {:02X?} {:?} {:?}", set, bytes, defect, marks);
            }
        }
    }

    #[test]
    fn a_million_mutated_inputs_are_read_without_panic() {
        let mut random = fastrand::Rng::with_seed(0x0211);
        let seeds: Vec<Vec<u8>> = CharacterSet::ALL
            .iter()
            .map(|set| encode("MSH|^~\\&|张三|ММоль|é€|𠮷\r", *set).bytes.into_owned())
            .collect();
        for n in 0..1_000_000_usize {
            let mut bytes = seeds[n % seeds.len()].clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..bytes.len());
                match random.u8(..4) {
                    0 => bytes[at] = random.u8(..),
                    1 => bytes[at] ^= 1 << random.u8(..8),
                    2 => bytes.truncate(at.max(1)),
                    _ => bytes.insert(at, random.u8(..)),
                }
            }
            let set = CharacterSet::ALL[random.usize(..CharacterSet::ALL.len())];
            character_sets::fuzz::fuzz_decode_as(&bytes, set);
            if n % 200 == 0 {
                character_sets::fuzz::fuzz_decode(&bytes);
            }
        }
    }
}

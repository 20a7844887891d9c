//! What holds for every input: every byte accounted for, any split the same, write and read the same.

#[cfg(test)]
mod properties {
    use lis02::{Delimiters, Index, Path, Writer, fuzz_records, fuzz_splitter};
    use proptest::prelude::*;

    type Fields = Vec<Vec<Vec<String>>>;

    fn delimiters() -> impl Strategy<Value = Delimiters> {
        let marks: Vec<char> = "|\\^&@~!;".chars().collect();
        Just(marks).prop_shuffle().prop_map(|m| Delimiters::new(m[0], m[1], m[2], Some(m[3])).unwrap())
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof!["[ -~]{0,12}", "[|\\\\^&@~!;FSREXHNZ0-9\r\n\t]{0,8}", any::<String>()]
    }

    fn fields() -> impl Strategy<Value = Fields> {
        use proptest::collection::vec;
        vec(vec(vec(value(), 1..4), 1..4), 0..8)
    }

    fn letter() -> impl Strategy<Value = char> {
        prop_oneof![Just('P'), Just('O'), Just('R'), Just('C'), Just('M'), Just('Q'), Just('X'), Just('r')]
    }

    fn near_text() -> impl Strategy<Value = String> {
        "([HPORCMQSLXhl]?[|@1-9]{0,3}[\\\\^&|@a-zé]{0,9}[\r\n]{0,2}){0,12}"
    }

    fn write(delimiters: Delimiters, records: &[(char, Fields)]) -> String {
        let mut writer = Writer::new(delimiters);
        writer.record('H').field("");
        for (letter, fields) in records {
            let mut record = writer.record(*letter);
            for field in fields {
                let repeats: Vec<Vec<&str>> =
                    field.iter().map(|r| r.iter().map(String::as_str).collect()).collect();
                let repeats: Vec<&[&str]> = repeats.iter().map(Vec::as_slice).collect();
                record.repeats(&repeats);
            }
        }
        writer.record('L').field("1");
        writer.finish().unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

        #[test]
        fn every_byte_of_any_text_is_accounted_for(text in near_text()) {
            fuzz_records(text.as_bytes());
        }

        #[test]
        fn every_byte_of_any_bytes_is_accounted_for(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            fuzz_records(&bytes);
            fuzz_splitter(&bytes);
        }

        #[test]
        fn any_split_gives_the_same_messages(text in near_text(), chunk in 0..20_u8) {
            let mut bytes = vec![chunk];
            bytes.extend_from_slice(text.as_bytes());
            fuzz_splitter(&bytes);
        }

        #[test]
        fn what_is_written_reads_back_the_same(
            delimiters in delimiters(),
            records in proptest::collection::vec((letter(), fields()), 0..6),
        ) {
            let text = write(delimiters, &records);
            let mut index = Index::new();
            let reading = index.read(&text);
            prop_assert_eq!(reading.messages().len(), 1);
            let message = reading.messages().next().unwrap();
            prop_assert_eq!(message.delimiters(), delimiters);
            let read: Vec<(char, Fields)> = message
                .records()
                .skip(1)
                .take(records.len())
                .map(|r| {
                    let fields = r.fields().skip(1).map(|f| {
                        f.repeats().map(|r| r.components().map(|c| c.text().into_owned()).collect()).collect()
                    });
                    (r.type_letter().unwrap(), fields.collect())
                })
                .collect();
            let written: Vec<(char, Fields)> =
                records.iter().map(|(l, f)| (l.to_ascii_uppercase(), f.clone())).collect();
            prop_assert_eq!(read, written);
        }

        #[test]
        fn an_index_used_again_reads_as_a_new_one(one in near_text(), two in near_text()) {
            let mut used = Index::new();
            let _: usize = used.read(&one).records().len();
            let again = used.read(&two);
            let mut new = Index::new();
            let fresh = new.read(&two);
            prop_assert_eq!(again.defects(), fresh.defects());
            let shown = |r: lis02::Reading<'_>| -> Vec<_> {
                r.records().map(|r| (r.range(), r.kind(), r.level(), r.parent().map(|p| p.index()))).collect()
            };
            prop_assert_eq!(shown(again), shown(fresh));
        }

        #[test]
        fn any_text_is_a_path_that_writes_itself_or_is_refused(text in "[A-Za-z]?[.][0-9]{1,6}([\\[][0-9]{1,3}[\\]])?([.][0-9]{1,3})?") {
            if let Ok(path) = text.parse::<Path>() {
                prop_assert_eq!(path.to_string().parse::<Path>(), Ok(path));
            }
        }
    }
}

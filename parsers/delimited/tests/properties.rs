//! What holds for every file; the `csv` crate is the oracle for cells.

#[cfg(test)]
mod properties {
    use delimited::{HeaderRow, Layout, LineBreaks, Table, fuzz_table};
    use proptest::prelude::*;

    fn near_text() -> impl Strategy<Value = String> {
        "(([a-z0-9é #\"]{0,5}[,;\t|]?){0,5}[\r\n]{0,2}(\\[end\\])?){0,8}"
    }

    fn quoted(cell: &str) -> String {
        format!("\"{}\"", cell.replace('"', "\"\""))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

        #[test]
        fn every_byte_of_any_text_is_accounted_for(choice in any::<u8>(), text in near_text()) {
            let mut bytes = vec![choice];
            bytes.extend_from_slice(text.as_bytes());
            fuzz_table(&bytes);
        }

        #[test]
        fn every_byte_of_any_bytes_is_accounted_for(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            fuzz_table(&bytes);
        }

        #[test]
        fn cells_are_those_of_the_csv_crate(text in "([a-c\",é]{0,8}(\r|\n|\r\n)?){0,8}") {
            let mut layout = Layout::new(',', Some('"')).unwrap();
            layout.header = HeaderRow::Absent;
            layout.line_breaks = LineBreaks::Allowed;
            let table = Table::read(&text, &layout);
            let ours: Vec<Vec<String>> =
                table.rows().map(|r| r.cells().map(|c| c.text().to_owned()).collect()).collect();
            let mut reader =
                csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> =
                reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn quoted_cells_come_back_whole(
            rows in proptest::collection::vec(proptest::collection::vec(any::<String>(), 3), 1..5),
        ) {
            let lines: Vec<String> =
                rows.iter().map(|r| r.iter().map(|c| quoted(c)).collect::<Vec<_>>().join(";")).collect();
            let mut layout = Layout::new(';', Some('"')).unwrap();
            layout.header = HeaderRow::Absent;
            let text = lines.join("\r\n");
            let table = Table::read(&text, &layout);
            let read: Vec<Vec<String>> =
                table.rows().map(|r| r.cells().map(|c| c.text().to_owned()).collect()).collect();
            prop_assert_eq!(read, rows);
        }
    }

    #[test]
    fn a_million_mutated_files_are_read() {
        const SEEDS: [&[u8]; 3] = [
            b"\x01Sample;S/CO;Result\r\nD1;0,12;NR\r\n\"D2\";\"1\"\"4\";R\r\n",
            b"\xc2v7\n#c\nSample\tRLU\nD1\t100\n[end]\n",
            b"\x28x,y\r1,2\r\n3,\"4\n5\",6\n",
        ];
        const MARKS: &[u8] = b",;\t|\"\r\n#[]x \x00\xff\xc3";
        let mut random = fastrand::Rng::with_seed(7);
        let mut bytes = Vec::new();
        for round in 0..1_000_000 {
            bytes.clear();
            bytes.extend_from_slice(SEEDS[round % SEEDS.len()]);
            for _ in 0..random.usize(1..4) {
                let at = random.usize(0..=bytes.len());
                let mark = MARKS[random.usize(0..MARKS.len())];
                match random.u8(0..5) {
                    0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(0..8),
                    1 if at < bytes.len() => bytes[at] = mark,
                    2 if at < bytes.len() => drop(bytes.remove(at)),
                    3 => bytes.truncate(at),
                    _ => bytes.insert(at, mark),
                }
            }
            fuzz_table(&bytes);
        }
    }
}

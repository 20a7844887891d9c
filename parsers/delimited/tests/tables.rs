//! Tables of files and what must be read from them. All ids are invented.

#[cfg(test)]
mod tables {
    use delimited::PassedOverKind as K;
    use delimited::{DefectKind, HeaderRow, Layout, LineBreaks, Table};

    fn layout() -> Layout {
        Layout::new(';', Some('"')).unwrap()
    }

    fn cells(table: &Table<'_>) -> Vec<Vec<String>> {
        table.rows().map(|r| r.cells().map(|c| c.text().to_owned()).collect()).collect()
    }

    fn defects(table: &Table<'_>) -> Vec<(DefectKind, usize, String)> {
        let found = table.defects().iter();
        found.map(|d| (d.kind, d.line, table.text().get(d.at.clone()).unwrap().to_owned())).collect()
    }

    fn check(layout: &Layout, text: &str, rows: &[&[&str]], wrong: &[(DefectKind, usize, &str)]) {
        let table = Table::read(text, layout);
        assert_eq!(cells(&table), rows, "{text:?}");
        let wrong: Vec<_> = wrong.iter().map(|(k, l, t)| (*k, *l, (*t).to_owned())).collect();
        assert_eq!(defects(&table), wrong, "{text:?}");
    }

    #[test]
    fn a_file_is_read_by_column_name_and_number() {
        let text = "\u{feff}Export 7.2\r\nSample; S/CO ;Result\r\n# rack 3\r\nD0001;0,12;NR\r\n\r\n\"D0002\";\"14;9\";R\r\n[end]\r\n";
        let mut layout = layout();
        layout.skipped_lines = 1;
        layout.comment = Some("#".into());
        layout.end_marker = Some("[end]".into());
        let table = Table::read(text, &layout);
        assert!(table.defects().is_empty(), "{:?}", table.defects());
        assert_eq!(table.column_names().collect::<Vec<_>>(), ["Sample", "S/CO", "Result"]);
        assert_eq!((table.column("S/CO"), table.column("s/co"), table.column("")), (Some(2), None, None));
        let row = table.rows().nth(1).unwrap();
        assert_eq!((row.line(), row.raw()), (6, "\"D0002\";\"14;9\";R"));
        let value = row.named("S/CO").unwrap();
        assert_eq!((value.text(), value.raw()), ("14;9", "\"14;9\""));
        assert_eq!(text.get(value.range()), Some("\"14;9\""));
        assert_eq!(row.cell(3).unwrap().text(), "R");
        assert!(row.cell(0).is_none() && row.cell(4).is_none() && row.named("OD").is_none());
        let passed: Vec<_> = table.passed_over().iter().map(|p| (p.kind, p.line)).collect();
        assert_eq!(passed, [(K::ByteOrderMark, 1), (K::Leading, 1), (K::Comment, 3), (K::EndMarker, 7)]);
    }

    #[test]
    fn lines_end_with_cr_lf_or_both() {
        for end in ["\r", "\n", "\r\n"] {
            let text = ["a;b", "1;2", "", "  ", "3;4", ""].join(end);
            check(&layout(), &text, &[&["1", "2"], &["3", "4"]], &[]);
            let table = Table::read(&text, &layout());
            assert_eq!(table.rows().map(|r| r.line()).collect::<Vec<_>>(), [2, 5]);
        }
        check(&layout(), "a;b\n1;2", &[&["1", "2"]], &[]);
    }

    #[test]
    fn without_a_header_columns_have_numbers() {
        let mut layout = layout();
        layout.header = HeaderRow::Absent;
        check(&layout, "1;2\n3;4\n", &[&["1", "2"], &["3", "4"]], &[]);
        layout.columns = Some(3);
        check(&layout, "1;2\n", &[&["1", "2"]], &[(DefectKind::RowShort, 1, "1;2")]);
        let table = Table::read("1;2\n", &layout);
        assert!(table.header().is_none() && table.column_names().next().is_none());
    }

    #[test]
    fn a_tab_separated_export_without_quotes_keeps_them() {
        let mut layout = Layout::new('\t', None).unwrap();
        layout.end_marker = Some("[end]".into());
        check(&layout, "a\tb\n\"1\t2\"\n[end]\t\n", &[&["\"1", "2\""]], &[]);
    }

    #[test]
    fn a_row_that_does_not_fit_is_kept_with_its_place() {
        use DefectKind as D;
        let l = layout();
        check(
            &l,
            "a;b\n1\n2;3;4\n5;6;\n",
            &[&["1"], &["2", "3", "4"], &["5", "6", ""]],
            &[(D::RowShort, 2, "1"), (D::RowLong, 3, "4"), (D::TrailingCellsEmpty, 4, "")],
        );
        check(&l, "a;a;;\n", &[], &[(D::ColumnNameRepeated, 1, "a")]);
        check(&l, "", &[], &[(D::HeaderMissing, 1, "")]);
        check(
            &l,
            "a;b\n1;\"2\n3;4\n",
            &[&["1", "2\n3;4\n"]],
            &[(D::QuoteUnclosed, 2, "\"2\n3;4\n"), (D::LineBreakInCell, 2, "\"2\n3;4\n")],
        );
        check(&l, "a;b\n1;\"2\"x\n", &[&["1", "2x"]], &[(D::TextAfterQuote, 2, "\"2\"x")]);
        check(&l, "a;b\n\"1\"\"x\"\"\";\"\"\n", &[&["1\"x\"", ""]], &[]);
        check(
            &l,
            "a;b\n1;2\u{0}\u{1}\n",
            &[&["1", "2\u{0}\u{1}"]],
            &[(D::ControlCharacters, 2, "\u{0}\u{1}")],
        );
    }

    #[test]
    fn a_stray_quote_that_swallows_rows_is_found_even_when_the_row_fits() {
        let text = "a;b;c\n1;\"2;3\n4;5\";6\n7;8;9\n";
        let swallowed = [["1", "2;3\n4;5", "6"], ["7", "8", "9"]];
        let rows: Vec<&[&str]> = swallowed.iter().map(<[&str; 3]>::as_slice).collect();
        check(&layout(), text, &rows, &[(DefectKind::LineBreakInCell, 2, "\"2;3\n4;5\"")]);
        let mut allowed = layout();
        allowed.line_breaks = LineBreaks::Allowed;
        check(&allowed, text, &rows, &[]);
        let table = Table::read(text, &allowed);
        assert_eq!(table.rows().map(|r| r.line()).collect::<Vec<_>>(), [2, 4]);
    }

    #[test]
    fn the_end_marker_tells_a_whole_file_from_a_cut_one() {
        let mut l = layout();
        l.end_marker = Some("[end]".into());
        check(&l, "a;b\n1;2\n[end]", &[&["1", "2"]], &[]);
        check(&l, "a;b\n1;2\n", &[&["1", "2"]], &[(DefectKind::EndMarkerMissing, 3, "")]);
        check(
            &l,
            "a;b\n1;2\n[en",
            &[&["1", "2"], &["[en"]],
            &[(DefectKind::RowShort, 3, "[en"), (DefectKind::EndMarkerMissing, 3, "")],
        );
        check(&l, "a;b\n[end]\n\n3;4\n", &[], &[(DefectKind::AfterEndMarker, 4, "3;4\n")]);
        check(&l, "a;b\n[end]\n  \n", &[], &[]);
    }

    #[test]
    fn law_07_rows_and_columns_have_limits_with_names() {
        let mut l = layout();
        l.rows_max = 2;
        l.columns_max = 2;
        check(
            &l,
            "a;b\n1;2\n3;4\n5;6\n7;8\n",
            &[&["1", "2"], &["3", "4"]],
            &[(DefectKind::TooManyRows, 4, "5;6\n7;8\n")],
        );
        check(&l, "a;b\n1;2;3;4\n", &[&["1", "2"]], &[(DefectKind::TooManyColumns, 2, "3;4")]);
        l.comment = Some("#".into());
        check(&l, "a;b\n1;2\n#\n3;4\n", &[&["1", "2"]], &[(DefectKind::TooManyRows, 4, "3;4\n")]);
        let many = ";;;;;;;;;;\n".repeat(200_000);
        let mut wide = layout();
        (wide.header, wide.rows_max) = (HeaderRow::Absent, usize::MAX);
        let table = Table::read(&many, &wide);
        assert_eq!(table.defects().first().unwrap().kind, DefectKind::TooManyRows);
        assert!(table.rows().map(|r| r.cells().len()).sum::<usize>() < delimited::CELLS_MAX + 11);
        let wrong = format!("a;b\n{}", "1\n".repeat(5_000));
        let table = Table::read(&wrong, &layout());
        assert_eq!(table.rows().len(), 5_000);
        assert_eq!(table.defects().len(), delimited::DEFECTS_MAX + 1);
    }

    #[test]
    fn law_07_text_beyond_the_limit_is_named_and_not_read() {
        let text = format!("a\n{}", "é".repeat(delimited::TEXT_BYTES_MAX / 2));
        let table = Table::read(&text, &layout());
        let last = table.defects().last().unwrap();
        assert_eq!((last.kind, last.at.end), (DefectKind::TextTooLong, text.len()));
    }

    #[test]
    fn a_defect_reads_as_a_sentence() {
        let table = Table::read("a;b\n1\n", &layout());
        let shown = table.defects().first().unwrap().to_string();
        assert_eq!(shown, "line 2, bytes 4..5: the row has fewer cells than columns");
    }
}

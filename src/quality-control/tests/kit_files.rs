//! Kit files: the shipped ones are whole, faults have their line and the nearest name, and a day has one kit an assay.

#[cfg(test)]
mod kit_files {
    use jiff::civil::date;
    use quality_control::kits::{Found, KitFile, KitRules, Kits, SHIPPED};

    const PLATE: &str = r#"schema = 1
id = "own/plate"
title = { en = "plate", zh = "板" }
assays = ["HBsAg 1"]
source = "leaflet 3"
[plate]
criteria = ["NC <= 0.100"]
cutoff = "mean(NC) + 0.1"
[plate.controls]
NC = { is = "negative", wells = 3 }
"#;

    #[test]
    fn every_shipped_kit_is_whole_and_named_as_its_file() {
        let read: Vec<KitFile> = SHIPPED.iter().map(|(id, text)| KitFile::read(id, text).unwrap()).collect();
        for (kit, (id, _)) in read.iter().zip(SHIPPED) {
            assert_eq!(kit.id, *id);
            assert!(!kit.not_verified.is_empty(), "{id} is an example: a site has to confirm it");
        }
        assert!(read.iter().any(|kit| matches!(&kit.rules, KitRules::Batch(b) if b.controls.len() == 3)));
        assert_eq!(Kits::new(read).unwrap().iter().count(), SHIPPED.len());
    }

    #[test]
    fn a_fault_has_its_line_and_the_nearest_name() {
        let check = |from: &str, to: &str, line: usize, said: &str| {
            assert!(PLATE.contains(from), "{from}");
            let faults = KitFile::read("own.toml", &PLATE.replacen(from, to, 1)).expect_err(to);
            let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
            let place = format!("own.toml:{line}: ");
            assert!(all.iter().any(|f| f.starts_with(&place) && f.contains(said)), "{to}: {all:?}");
        };
        check("cutoff", "cuttoff", 8, "nearest known name: \"cutoff\"");
        check("schema = 1", "schema = 2", 1, "schema 1");
        check("own/plate", "Own plate", 2, "small letters");
        check("[\"HBsAg 1\"]", "[]", 4, "name the assays");
        check("NC <= 0.100", "NC <= ", 7, "column 7");
        check("mean(NC) + 0.1", "mean(PC)", 8, "PC is no control of this kit");
        check("criteria", "od_min = 0.05\ncriteria", 7, "expected a string");
        check("criteria", "od_min = \"0,05\"\ncriteria", 7, "no decimal number");
        check(
            "[plate]",
            "[window]\nlevels = [\"n\"]\ncalibration = \"on_analyser\"\n[plate]",
            2,
            "exactly one of",
        );
        check("criteria", "sample_min = \"mean(BLK) - 0.05\"\ncriteria", 7, "BLK is no control of this kit");
        check("source =", "maker = \" \"\nsource =", 5, "leave maker out");
        check("wells = 3", "wells = 0", 6, "NC has 0 wells");
        check("criteria", "hours = 0\ncriteria", 7, "1 to 168 hours");
        check(
            "source",
            "effective_from = \"2026-02-01\"\neffective_to = \"2026-01-01\"\nsource",
            2,
            "before",
        );
    }

    #[test]
    fn faults_of_the_other_methods_have_their_line_too() {
        let check = |id: &str, from: &str, to: &str, said: &str| {
            let (_, text) = SHIPPED.iter().find(|(name, _)| *name == id).unwrap();
            assert!(text.contains(from), "{from}");
            let faults = KitFile::read("x.toml", &text.replacen(from, to, 1)).expect_err(to);
            let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
            assert!(all.iter().any(|f| f.contains(said)), "{to}: {all:?}");
        };
        let (clia, nat, cells) = ("generic/clia-window", "generic/nat-batch", "generic/grouping-cells");
        check(clia, "hours = 24", "hours = 0", "1 to 168 hours");
        check(clia, "\"on_analyser\"", "\"sent\"", "needs calibration_days");
        check(clia, "\"on_analyser\"", "\"onanalyser\"", "nearest known name: \"on_analyser\"");
        check(clia, "[\"negative\", \"positive\"]", "[]", "name the controls");
        check(nat, "\"HBV\", ", "\"HPV\", ", "nearest known name: \"HBV\"");
        check(nat, "positive = \"all\"", "positive = \"HBV\"", "no positive control of HCV");
        check(nat, "[\"negative\"]", "[]", "negative control");
        check(nat, "internal =", "hours = 169\ninternal =", "1 to 168 hours");
        check(nat, "\"15.0\", \"36.0\"", "\"36.0\", \"15.0\"", "above the second");
        check(cells, "anti-A", "anti-AA", "nearest known name: \"anti-A\"");
        check(cells, "due = \"3+\"", "due = \"5+\"", "no reaction");
    }

    #[test]
    fn wells_of_one_plate_may_lie_a_day_apart_where_the_kit_says_nothing_else() {
        let of = |text: &str| KitFile::read("own.toml", text).unwrap().run_hours;
        assert_eq!(of(PLATE), 24);
        assert_eq!(of(&PLATE.replacen("criteria", "hours = 60\ncriteria", 1)), 60);
    }

    #[test]
    fn an_assay_has_one_kit_a_day_and_none_is_taken_for_another() {
        let of = |id: &str, dates: &str| {
            KitFile::read(
                id,
                &PLATE.replacen("own/plate", id, 1).replacen("[plate]", &format!("{dates}\n[plate]"), 1),
            )
            .unwrap()
        };
        let (old, new) =
            (of("a", "effective_to = \"2026-05-31\""), of("b", "effective_from = \"2026-06-01\""));
        let kits = Kits::new([old.clone(), new]).unwrap();
        let found = |assay: &str, day| match kits.of(assay, day) {
            Found::Kit(kit) => kit.id.clone(),
            Found::NotInForce => "not in force".to_owned(),
            Found::None => "none".to_owned(),
        };
        assert_eq!(found("HBsAg 1", Some(date(2026, 5, 31))), "a");
        assert_eq!(found("HBsAg 1", Some(date(2026, 6, 1))), "b");
        assert_eq!(found("HBsAg 1", None), "not in force");
        assert_eq!(found("HBsAg 2", None), "none");
        let faults = Kits::new([old.clone(), of("c", "")]).unwrap_err();
        assert!(faults[0].to_string().contains("c and a (a) are both in force"), "{faults:?}");
        assert_eq!(Kits::new([old]).unwrap().of("HBsAg 1", Some(date(2026, 6, 1))), Found::NotInForce);
    }
}

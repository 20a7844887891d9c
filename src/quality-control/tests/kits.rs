//! Kits as they are written: the shapes of cut-offs and criteria, faults with their place, and formulas that are made up. The
//! worked numbers of group F are in `cases.rs`.

#[cfg(test)]
mod kits {
    use proptest::prelude::*;
    use quality_control::RunState;
    use quality_control::formula::{Criterion, Formula};
    use quality_control::kit::{Kit, KitRun, KitText, SampleCall, Signal, WellSignal};
    use rust_decimal::Decimal;
    use std::collections::BTreeMap;
    use vocabulary::Comparator;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn text(controls: &[(&str, usize)], criteria: &[&str], cutoff: &str) -> KitText {
        KitText {
            name: "a kit".into(),
            signal: Signal::Direct,
            controls: controls.iter().map(|(name, wells)| ((*name).to_owned(), *wells)).collect(),
            criteria: criteria.iter().map(|c| (*c).to_owned()).collect(),
            cutoff: cutoff.into(),
            od_min: number("-0.05"),
            sample_min: None,
            od_max: Some(number("3.5")),
        }
    }

    /// The kit of cases.md group F.
    fn example() -> Kit {
        let criteria = ["BLK <= 0.080", "drop_one(NC <= 0.100)", "PC >= 0.80"];
        Kit::new(text(&[("BLK", 1), ("NC", 3), ("PC", 2)], &criteria, "2.1 * max(mean(NC), 0.050)")).unwrap()
    }

    fn wells(controls: &str) -> BTreeMap<String, Vec<Decimal>> {
        let parts = controls.split(';').map(str::trim).filter(|part| !part.is_empty());
        parts
            .map(|part| {
                let mut words = part.split_whitespace();
                (words.next().unwrap().to_owned(), words.map(number).collect())
            })
            .collect()
    }

    fn run(kit: &Kit, controls: &str) -> KitRun {
        kit.assess(&wells(controls))
    }

    #[test]
    fn of_two_wells_none_may_be_dropped() {
        let two = Kit::new(text(&[("NC", 2)], &["drop_one(NC <= 0.100)"], "mean(NC) + 0.1")).unwrap();
        assert_eq!(run(&two, "NC 0.05 0.12").state, RunState::Invalid, "one of two may not be dropped");
    }

    /// Rules.md §2.1: below the blank by more than the limit, or as low as an empty well, is no result.
    #[test]
    fn a_sample_below_what_its_own_plates_blank_allows_is_no_result() {
        let kit = |sample_min: &str| {
            let criteria = ["BLK <= 0.080", "NC <= 0.100"];
            let mut rules = text(&[("BLK", 2), ("NC", 1)], &criteria, "mean(NC) + 0.1");
            rules.sample_min = Some(sample_min.into());
            Kit::new(rules).unwrap()
        };
        let call = |sample_min: &str, plate: &str, bound: Option<Comparator>, od: &str| {
            let kit = kit(sample_min);
            let limits = run(&kit, plate).limits().unwrap();
            match kit.sample(bound, number(od), limits).unwrap() {
                SampleCall::Reactive { .. } => "R",
                SampleCall::NonReactive { .. } => "NR",
                SampleCall::Invalid { why, why_zh } => {
                    assert!(why.contains("sample_min") && why_zh.contains("sample_min"), "{why}");
                    "invalid"
                }
            }
        };
        // The mean of the blanks is 0.0415: exact, not as binary floats have it.
        let plate = "BLK 0.041 0.042; NC 0.050";
        for (od, expect) in [("0.0115", "NR"), ("0.0114", "invalid"), ("0.149", "NR"), ("0.150", "R")] {
            assert_eq!(call("mean(BLK) - 0.030", plate, None, od), expect, "{od}");
        }
        for (od, expect) in [("0.042", "invalid"), ("0.0515", "NR")] {
            assert_eq!(
                call("mean(BLK) + 0.010", plate, None, od),
                expect,
                "an empty well reads as the blank"
            );
        }
        let below = Some(Comparator::Below);
        assert_eq!(call("mean(BLK) - 0.030", plate, below, "0.030"), "invalid", "it may lie anywhere below");
        assert_eq!(call("mean(BLK) - 0.030", plate, Some(Comparator::Above), "3.0"), "R");
        // A blank that is no number leaves the limit open, and the plate with it.
        let one = WellSignal { od: number("0.010"), bound: below };
        let nc = WellSignal { od: number("0.050"), bound: None };
        let wells = BTreeMap::from([("BLK".to_owned(), vec![one, one]), ("NC".to_owned(), vec![nc])]);
        let open = kit("mean(BLK) - 0.030").assess(&wells);
        assert_eq!((open.state, open.limits()), (RunState::Open, None), "{}", open.why);
        assert!(open.why.contains("the lowest signal of a sample"), "{}", open.why);
    }

    #[test]
    fn a_competitive_kit_is_reactive_at_or_below_its_cut_off() {
        let mut rules = text(&[("NC", 2), ("PC", 1)], &["NC >= 1.0", "PC <= 0.3"], "(mean(NC) + PC[1]) / 2");
        rules.signal = Signal::Competitive;
        let kit = Kit::new(rules).unwrap();
        let cutoff = run(&kit, "NC 1.5 1.7; PC 0.2").cutoff.unwrap();
        assert_eq!(cutoff.to_string(), "0.9");
        let reactive =
            |od: &str| matches!(kit.sample(None, number(od), cutoff).unwrap(), SampleCall::Reactive { .. });
        assert!(reactive("0.9") && reactive("0.1") && !reactive("0.901"));
        let above = kit.sample(Some(Comparator::Above), number("3.5"), cutoff).unwrap();
        assert!(matches!(above, SampleCall::NonReactive { .. }));
    }

    #[test]
    fn every_shape_of_cut_off_is_read_and_computed() {
        for (cutoff, value) in [
            ("2.1 * max(mean(NC), 0.050)", "0.126"),
            ("mean(NC) + 0.105", "0.165"),
            ("mean(NC) + 0.15 * mean(PC)", "0.3225"),
            ("0.25", "0.25"),
            ("NC[2] * 2", "0.11"),
            ("(min(NC) + max(PC)) / 2", "0.9275"),
            ("min(mean(PC), 1.0) - -mean(NC)", "1.06"),
            ("NC;x * 2", "0.12"),
        ] {
            let kit = Kit::new(text(&[("NC", 3), ("PC", 2)], &["NC < 1", "PC > 0"], cutoff)).unwrap();
            let found = run(&kit, "NC 0.060 0.055 0.065; PC 1.7 1.8").cutoff.unwrap();
            assert_eq!(found.at_most(), Some(number(value)), "{cutoff}");
        }
    }

    #[test]
    fn criteria_speak_of_each_well_of_means_and_of_their_spread() {
        for (criterion, controls, holds) in [
            ("NC < 0.1 OR mean(NC) < 0.1", "NC 0.11 0.05", true),
            ("NOT NC[1] > 0.1", "NC 0.05 0.5", true),
            ("PC - mean(NC) >= 0.6", "NC 0.1 0.1; PC 0.7 0.69", false),
            ("PC - mean(NC) >= 0.6", "NC 0.1 0.1; PC 0.7 0.71", true),
            ("cv(PC) <= 15", "PC 1.0 1.2", true),
            ("cv(PC) <= 12", "PC 1.0 1.2", false),
            ("sd(NC) = 0.01", "NC 0.05 0.06 0.07", true),
            ("n(NC) >= 3", "NC 0.1 0.1", false),
            ("(NC < 0.2 AND PC > 1) OR BLK < 0.01", "BLK 0.5; NC 0.1; PC 2", true),
            ("(PC + 1) * 2 > 5", "PC 1.6", true),
            ("mean(PC) / mean(NC) ≥ 10", "NC 0.1; PC 1", true),
            ("max(QC) <= 4 and min(QC) >= 2", "QC 2 4", true),
            ("sd(NC) < 1", "NC 0.1", false),
            ("PC / (NC[1] - NC[1]) > 1", "NC 1; PC 1", false),
        ] {
            let read = Criterion::read(criterion).unwrap_or_else(|e| panic!("{criterion}: {e}"));
            let names: BTreeMap<&str, usize> = read.controls().into_iter().map(|name| (name, 1)).collect();
            let controls_of: Vec<(&str, usize)> = names.into_iter().collect();
            let kit = Kit::new(text(&controls_of, &[criterion], "1")).unwrap();
            let found: Vec<(String, Option<bool>)> =
                run(&kit, controls).checks.into_iter().map(|c| (c.criterion, c.holds)).collect();
            assert_eq!(found, [(criterion.to_owned(), Some(holds))], "{criterion} with {controls}");
        }
    }

    /// The reader's range ends at 3.5: what lies beyond meets a lower limit, and leaves an upper one open.
    #[test]
    fn a_bound_meets_fails_or_leaves_open_and_what_is_open_holds_the_run() {
        use RunState::{Invalid, Open, Valid};
        let above = |od: &str| WellSignal { od: number(od), bound: Some(Comparator::Above) };
        let exact = |od: &str| WellSignal::from(number(od));
        let check = |criterion: &str, cutoff: &str, wells: Vec<WellSignal>, state: RunState, said: &str| {
            let kit = Kit::new(text(&[("NC", 1), ("PC", 1)], &["NC <= 0.1", criterion], cutoff)).unwrap();
            let controls = BTreeMap::from([("NC".to_owned(), vec![exact("0.05")]), ("PC".to_owned(), wells)]);
            let found = kit.assess(&controls);
            assert_eq!(found.state, state, "{criterion}: {}", found.why);
            assert_eq!(found.cutoff.is_some(), state == Valid, "{criterion}");
            assert!(found.why.contains(said), "{criterion}: {}", found.why);
            assert_eq!(found.why.is_empty(), found.why_zh.is_empty());
        };
        let co = "mean(NC) + 0.1";
        check("PC >= 2.0", co, vec![above("3.5"), exact("2.2")], Valid, "");
        check("mean(PC) - mean(NC) >= 1.0", co, vec![above("3.5"), exact("0.2")], Valid, "");
        let upper = "nobody can know whether PC <= 4.0 holds (PC[1] = >3.5, limit <= 4)";
        check("PC <= 4.0", co, vec![above("3.5")], Open, upper);
        check("PC >= 2.0 AND PC <= 4.0", co, vec![above("3.5")], Open, "nobody can know");
        check("PC <= 3.0", co, vec![above("3.5")], Invalid, "PC <= 3.0 does not hold");
        check("PC <= 4.0", co, vec![above("3.5"), exact("4.1")], Invalid, "does not hold");
        check("NOT PC > 4.0", co, vec![above("3.5")], Open, "nobody can know");
        check("PC >= 2.0 OR PC <= 1.0", co, vec![above("3.5")], Valid, "");
        check("cv(PC) <= 15", co, vec![above("3.5"), exact("3.4")], Open, "nobody can know");
        check("drop_one(PC <= 4.0)", co, vec![exact("2"), exact("2"), above("3.5")], Open, "nobody can know");
        check("drop_one(PC <= 3.0)", co, vec![exact("2"), exact("2"), above("3.5")], Valid, "");
        let no_number = "the cut-off mean(NC) + 0.1 * mean(PC) is >0.4, which is no number";
        check("PC >= 2.0", "mean(NC) + 0.1 * mean(PC)", vec![above("3.5")], Open, no_number);
    }

    #[test]
    fn a_fault_names_its_place_and_its_remedy() {
        for (criterion, column, what, remedy) in [
            ("NC <= ", 7, "missing", "write a number"),
            ("NC 0.1", 4, "a comparison is missing", "<="),
            ("NC <= 0.1 AND", 14, "missing", "write a number"),
            ("NC <= PC", 1, "cannot be held against", "mean("),
            ("NC - PC > 1", 4, "cannot be held against", "mean("),
            ("median(NC) > 1", 1, "no function", "mean"),
            ("mean(NC > 1", 9, "closing bracket", ")"),
            ("NC[0] > 1", 1, "counted from 1", "NC[1]"),
            ("NC > 1 2", 8, "not understood", "comparison"),
            ("NC,5 > 1", 3, "a comparison is missing", "<="),
            ("阴性 ≤ 0,1", 7, "not understood", "comparison"),
            ("drop_one(0.1 < 0.2)", 1, "needs a control's wells", "drop_one(NC"),
            ("NOT drop_one(NC < 1)", 5, "cannot be denied", "has to hold"),
            ("max(NC, PC) > 1", 5, "one control", "max(mean(NC)"),
            ("", 1, "missing", "write a number"),
        ] {
            let fault = Criterion::read(criterion).expect_err(criterion);
            assert_eq!(fault.column, column, "{criterion:?}: {fault}");
            assert!(fault.what.contains(what) && fault.remedy.contains(remedy), "{criterion:?}: {fault}");
        }
        assert!(Formula::read("2.1 * NC").unwrap_err().to_string().contains("write mean(NC)"));
        let deep = format!("{}NC{} > 1", "(".repeat(200), ")".repeat(200));
        assert!(Criterion::read(&deep).unwrap_err().what.contains("nested deeper"));
        assert!(Criterion::read(&"NC > 1 AND ".repeat(200)).unwrap_err().what.contains("longer than"));
    }

    #[test]
    fn a_kit_whose_parts_do_not_fit_is_refused_with_every_fault() {
        let faults = Kit::new(text(&[("NC", 3), ("PC", 0), ("QC", 1)], &["NC <= 0.1", "XC > "], "mean(PX)"))
            .unwrap_err();
        let all: Vec<String> = faults.iter().map(ToString::to_string).collect();
        for (at, what) in [
            ("criteria[1]", "column 6"),
            ("controls", "PC has 0 wells"),
            ("cutoff", "PX is no control of this kit; write one of NC, PC, QC"),
            ("controls", "no criterion speaks of QC"),
        ] {
            assert!(all.iter().any(|f| f.starts_with(at) && f.contains(what)), "{at} {what}: {all:?}");
        }
    }

    proptest! {
        /// Any text is read or refused with a column inside it; never a panic, never for long.
        #[test]
        fn any_text_is_read_or_refused_with_its_place(text in "[NCPB0-9.;x<>=()\\[\\]+*/, ANDORmeancvsdrop_-]{0,60}") {
            for fault in [Criterion::read(&text).err(), Formula::read(&text).err()].into_iter().flatten() {
                prop_assert!(fault.column >= 1 && fault.column <= text.chars().count() + 1);
                prop_assert!(!fault.what.is_empty() && !fault.remedy.is_empty());
            }
        }

        /// Worse controls never make a run valid: a negative control further up, a positive one further down.
        #[test]
        fn worse_controls_never_make_a_run_valid(
            nc in proptest::collection::vec(0_i64..150, 3..5),
            pc in proptest::collection::vec(700_i64..2000, 2..4),
            by in 1_i64..100,
            which in 0_usize..8,
        ) {
            let plate = |nc: &[i64], pc: &[i64]| {
                let of = |list: &[i64]| list.iter().map(|n| Decimal::new(*n, 3)).collect::<Vec<_>>();
                BTreeMap::from([("BLK".to_owned(), of(&[40])), ("NC".to_owned(), of(nc)), ("PC".to_owned(), of(pc))])
            };
            let (mut worse_nc, mut worse_pc) = (nc.clone(), pc.clone());
            match which {
                at if at < worse_nc.len() => worse_nc[at] += by,
                at => { let last = (at - worse_nc.len()) % worse_pc.len(); worse_pc[last] -= by; }
            }
            let kit = example();
            let (before, after) = (kit.assess(&plate(&nc, &pc)), kit.assess(&plate(&worse_nc, &worse_pc)));
            prop_assert!(before.state == RunState::Valid || after.state == RunState::Invalid);
        }
    }
}

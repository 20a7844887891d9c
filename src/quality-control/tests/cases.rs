//! Worked cases of runs as data, `tests/cases/*.json`: plates with their cut-offs and samples (F01 to F06, F10), windows of
//! controls (F11), controls of a nucleic acid batch (B05), and what a pool costs (B19). A key that is not known is refused.

#[cfg(test)]
mod cases {
    use jiff::Timestamp;
    use quality_control::RunState;
    use quality_control::immunoassay::{Calibration, Channel, ControlReadingAt, WINDOW_HOURS, WindowState};
    use quality_control::kit::{Kit, KitText, SampleCall, Signal};
    use quality_control::nat::{BatchRules, Internal, NatWell, Role, tests_per_donation};
    use rust_decimal::Decimal;
    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use std::collections::BTreeMap;
    use vocabulary::{Comparator, Virus};

    /// Every row of a file, with what it is called.
    fn rows<T: DeserializeOwned>(text: &str) -> Vec<T> {
        let rows: Vec<T> = serde_json::from_str(text).unwrap();
        assert!(!rows.is_empty());
        rows
    }

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn state(state: RunState) -> &'static str {
        match state {
            RunState::Valid => "VALID",
            RunState::Open => "OPEN",
            RunState::Invalid => "INVALID",
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plate {
        id: String,
        what: String,
        /// None: the kit of cases.md group F.
        kit: Option<OwnKit>,
        /// `BLK 0.041; NC 0.012 0.018 0.021`.
        controls: String,
        /// A sample's OD; `>` or `<` in front of it is a bound.
        sample: Option<String>,
        expect: PlateExpect,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct OwnKit {
        wells: BTreeMap<String, usize>,
        criteria: Vec<String>,
        cutoff: String,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PlateExpect {
        state: String,
        cutoff: Option<String>,
        #[serde(default)]
        why: String,
        /// The dropped wells: `NC[3]`.
        #[serde(default)]
        dropped: String,
        call: Option<String>,
        /// How the S/CO begins, or what is said instead of one.
        sco: Option<String>,
    }

    fn kit(own: Option<OwnKit>) -> Kit {
        let own = own.unwrap_or_else(|| OwnKit {
            wells: [("BLK", 1), ("NC", 3), ("PC", 2)].map(|(name, wells)| (name.to_owned(), wells)).into(),
            criteria: ["BLK <= 0.080", "drop_one(NC <= 0.100)", "PC >= 0.80"].map(str::to_owned).into(),
            cutoff: "2.1 * max(mean(NC), 0.050)".into(),
        });
        Kit::new(KitText {
            name: "a kit".into(),
            signal: Signal::Direct,
            controls: own.wells.into_iter().collect(),
            criteria: own.criteria,
            cutoff: own.cutoff,
            od_min: number("-0.05"),
            sample_min: None,
            od_max: Some(number("3.5")),
        })
        .unwrap()
    }

    fn wells(controls: &str) -> BTreeMap<String, Vec<Decimal>> {
        let parts = controls.split(';').map(str::trim).filter(|part| !part.is_empty());
        let well = |part: &str| {
            let mut words = part.split_whitespace();
            (words.next().unwrap().to_owned(), words.map(number).collect())
        };
        parts.map(well).collect()
    }

    /// A sample's call, and its S/CO or what is said instead of it.
    fn called(call: &SampleCall) -> (&'static str, String) {
        let sco = |sco: &Option<_>| sco.as_ref().map_or(">".to_owned(), ToString::to_string);
        match call {
            SampleCall::Reactive { sco: of } => ("R", sco(of)),
            SampleCall::NonReactive { sco: of } => ("NR", sco(of)),
            SampleCall::Invalid { why, .. } => ("INVALID", (*why).to_owned()),
        }
    }

    #[test]
    fn every_worked_plate_comes_out_as_expected() {
        for row in rows::<Plate>(include_str!("cases/plates.json")) {
            let (at, expect) = (format!("{} {}", row.id, row.what), row.expect);
            let kit = kit(row.kit);
            let found = kit.assess(&wells(&row.controls));
            assert_eq!(state(found.state), expect.state, "{at}: {}", found.why);
            assert!(found.why.contains(&expect.why), "{at}: {}", found.why);
            assert_eq!(found.why.is_empty(), expect.why.is_empty(), "{at}");
            assert_eq!(found.why_zh.is_empty(), expect.why.is_empty(), "{at}");
            let exact = found.cutoff.and_then(quality_control::ratio::Ratio::at_most);
            assert_eq!(exact, expect.cutoff.as_deref().map(number), "{at}");
            let dropped: Vec<String> =
                found.dropped.iter().map(|(name, at)| format!("{name}[{at}]")).collect();
            assert_eq!(dropped.join(" "), expect.dropped, "{at}");
            let Some(sample) = row.sample else {
                assert_eq!((expect.call, expect.sco), (None, None), "{at}: no sample is given");
                continue;
            };
            let (bound, od) = match sample.split_at(1) {
                (">", od) => (Some(Comparator::Above), od),
                ("<", od) => (Some(Comparator::Below), od),
                _ => (None, sample.as_str()),
            };
            let call = kit.sample(bound, number(od), found.cutoff.unwrap()).unwrap();
            let (call, said) = called(&call);
            assert_eq!(Some(call), expect.call.as_deref(), "{at}");
            assert!(said.starts_with(&expect.sco.unwrap()), "{at}: {said}");
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WindowCase {
        id: String,
        what: String,
        /// `03:00 pos out`: when, which level, `good` or `out`. Calibrated at 00:00.
        controls: Vec<String>,
        tested: String,
        expect: WindowExpect,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WindowExpect {
        state: String,
        #[serde(default)]
        why: String,
        /// When the window opened that the result lies in.
        opened: Option<String>,
    }

    fn at(time: &str) -> Timestamp {
        format!("2026-03-01T{time}:00Z").parse().unwrap()
    }

    fn reading(told: &str) -> ControlReadingAt {
        let [time, level, state] = told.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert!(["good", "out"].contains(&state), "{told}");
        ControlReadingAt { at: at(time), level: level.into(), lot: "L1".into(), in_range: state == "good" }
    }

    #[test]
    fn every_worked_window_comes_out_as_expected() {
        for row in rows::<WindowCase>(include_str!("cases/windows.json")) {
            let name = format!("{} {}", row.id, row.what);
            let calibration =
                Calibration { at: at("00:00"), expires: at("23:59"), lot: "L1".into(), accepted: true };
            let channel = Channel {
                calibrations: Some(vec![calibration]),
                controls: row.controls.iter().map(|told| reading(told)).collect(),
                changes: vec![],
                levels: ["neg", "pos"].map(str::to_owned).into(),
                zone: None,
            };
            let tested = at(&row.tested);
            let found = channel.window("L1", tested, at("23:59"), WINDOW_HOURS);
            let state = match found.state {
                WindowState::Valid => "VALID",
                WindowState::Missing => "MISSING",
                WindowState::Out => "OUT",
                WindowState::Invalid => "INVALID",
            };
            assert_eq!(state, row.expect.state, "{name}: {}", found.why);
            assert!(found.why.contains(&row.expect.why), "{name}: {}", found.why);
            assert_eq!(found.why.is_empty(), row.expect.why.is_empty(), "{name}");
            assert_eq!(found.why_zh.is_empty(), row.expect.why.is_empty(), "{name}");
            assert_eq!(channel.opened("L1", tested), row.expect.opened.as_deref().map(at), "{name}");
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct BatchCase {
        id: String,
        what: String,
        /// What is otherwise than in a good batch, by the control's name; null: it is not there.
        #[serde(default)]
        wells: BTreeMap<String, Option<WellRead>>,
        expect: BatchExpect,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct WellRead {
        found: BTreeMap<Virus, Decimal>,
        internal: Option<Decimal>,
        error: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct BatchExpect {
        kit: String,
        external: String,
        #[serde(default)]
        why: String,
    }

    /// Three targets, each with a positive and an external control, and one negative.
    fn good_batch() -> Vec<NatWell> {
        let well = |control: String, role, found: Vec<(Virus, Option<Decimal>)>, internal: Option<i64>| {
            let internal = internal.map(|ct| Internal::Ct(Decimal::from(ct)));
            NatWell { control, role, found, internal, error: None }
        };
        let mut wells = vec![well("negative".into(), Role::Negative, vec![], Some(27))];
        for virus in [Virus::Hbv, Virus::Hcv, Virus::Hiv] {
            let ct = |ct: i64| vec![(virus, Some(Decimal::from(ct)))];
            wells.push(well(format!("positive {virus}"), Role::Positive(virus), ct(26), None));
            wells.push(well(format!("external {virus}"), Role::External(virus), ct(36), Some(28)));
        }
        wells
    }

    #[test]
    fn every_worked_batch_comes_out_as_expected() {
        let rules = BatchRules {
            targets: [Virus::Hbv, Virus::Hcv, Virus::Hiv].into(),
            positive_ct: Some((Decimal::from(20), Decimal::from(32))),
            internal_ct_max: Some(Decimal::from(35)),
            external: true,
            controls: good_batch().into_iter().map(|well| (well.control, vec![well.role])).collect(),
        };
        for row in rows::<BatchCase>(include_str!("cases/batches.json")) {
            let name = format!("{} {}", row.id, row.what);
            let mut wells = good_batch();
            for (control, read) in row.wells {
                let at = wells.iter().position(|well| well.control == control).unwrap();
                let Some(read) = read else {
                    wells.remove(at);
                    continue;
                };
                wells[at].found = read.found.into_iter().map(|(virus, ct)| (virus, Some(ct))).collect();
                wells[at].internal = read.internal.map(Internal::Ct);
                wells[at].error = read.error;
            }
            let found = rules.assess(&wells);
            let states = (state(found.kit), state(found.external));
            assert_eq!(states, (&*row.expect.kit, &*row.expect.external), "{name}: {}", found.why);
            assert!(found.why.contains(&row.expect.why), "{name}: {}", found.why);
            assert_eq!(found.why.is_empty(), row.expect.why.is_empty(), "{name}");
            assert_eq!(found.why_zh.is_empty(), row.expect.why.is_empty(), "{name}");
        }
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PoolCost {
        id: String,
        what: String,
        members: u32,
        reactive_share: f64,
        expect: PoolExpect,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct PoolExpect {
        tests_per_donation: f64,
    }

    #[test]
    fn every_worked_pool_costs_what_is_expected() {
        for row in rows::<PoolCost>(include_str!("cases/pools.json")) {
            let tests = tests_per_donation(row.members, row.reactive_share);
            let expect = row.expect.tests_per_donation;
            assert!((tests - expect).abs() < 1e-4 * expect, "{} {}: {tests}", row.id, row.what);
        }
    }
}

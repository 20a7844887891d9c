//! Properties over made-up evidence: nothing made worse ever makes a unit pass, every evidence gets a verdict, and
//! reading never fails in any other way than with a place.

#[cfg(test)]
mod properties {
    use proptest::prelude::*;
    use release::{Evidence, RulePack, Unit, decide, explain, read_case, read_cases};
    use serde_json::{Value, json};
    use std::sync::OnceLock;

    fn pack(overlay: &str) -> RulePack {
        RulePack::from_toml(&format!("id = \"p\"\nbased_on = \"cn-2019\"\n{overlay}")).unwrap()
    }

    fn packs() -> &'static [RulePack] {
        static PACKS: OnceLock<Vec<RulePack>> = OnceLock::new();
        PACKS.get_or_init(|| {
            let grey = "[sero]\ngz_low = \"0.90\"\ngz_as_initial_reactive = true\ndup_uses_gz = true\n";
            let soft =
                "[nat]\nndr = \"REPEAT_x2_THEN\"\nmp_unresolved = \"RELEASE\"\n[sero]\ndup = \"NODUP\"\n";
            let us = "[invalid]\nexternal_control = \"KEEP_REACTIVE\"\n";
            ["", "[strategy]\nhbv = \"sero2+nat\"\nhcv = \"sero1+nat\"\n", grey, soft, us].map(pack).to_vec()
        })
    }

    const RUNS: [&str; 7] = ["E1", "E2", "N1", "N2", "C1", "G1", "G2"];

    fn run_json(id: &str) -> Value {
        json!({"id": id, "validity": "valid", "qc": "in_control", "tested_at": "2026-03-01T15:00:00+08:00",
               "lots": [{"lot": "L", "expires": "2026-12-31", "accepted": true}]})
    }

    fn run_name(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
        prop::sample::select(names).prop_map(Value::from)
    }

    /// Serology results, more often good than bad.
    fn sero_results() -> impl Strategy<Value = Value> {
        let sco = prop_oneof![6 => Just("0.20"), 1 => Just("0.95"), 2 => Just("3.00"), 1 => Just("<0.10")];
        let kind = prop_oneof![4 => Just("initial"), 3 => Just("duplicate"), 1 => Just("repeat")];
        let validity =
            prop_oneof![8 => Just(Value::Null), 1 => Just(json!("invalid")), 1 => Just(json!("open"))];
        let one = (kind, sco, validity, run_name(&["E1", "E2"])).prop_map(|(kind, sco, validity, run)| {
            let mut result = json!({"kind": kind, "sco": sco, "run": run});
            if !validity.is_null() {
                result["validity"] = validity;
            }
            result
        });
        prop_oneof![
            24 => Just(json!([{"kind": "initial", "sco": "0.20", "run": "E1"}])),
            2 => proptest::collection::vec(one, 0..5).prop_map(Value::from),
            1 => Just(json!([{"kind": "initial", "sco": "3.00", "run": "E1"},
                             {"kind": "duplicate", "sco": "0.20", "run": "E2"},
                             {"kind": "duplicate", "sco": "0.20", "run": "E2"}])),
        ]
    }

    fn nat_results() -> impl Strategy<Value = Value> {
        let members = || json!(["G123498654321", "M2", "M3"]);
        let one = prop_oneof![
            4 => Just(json!({"kind": "individual", "result": "non_reactive", "internal_control": "valid"})),
            1 => Just(json!({"kind": "individual", "result": "reactive"})),
            1 => Just(json!({"kind": "individual", "result": "invalid"})),
            1 => Just(json!({"kind": "individual", "result": "reactive", "targets": ["HBV"]})),
            1 => Just(json!({"kind": "discriminatory", "target": "HBV", "result": "non_reactive"})),
            1 => Just(json!({"kind": "discriminatory", "target": "HCV", "result": "non_reactive"})),
            1 => Just(json!({"kind": "discriminatory", "target": "HIV", "result": "non_reactive"})),
            1 => Just(json!({"kind": "individual"})),
            2 => Just(json!({"kind": "pool", "pool": "P", "members": members(), "result": "non_reactive", "internal_control": "valid"})),
            1 => Just(json!({"kind": "pool", "pool": "P", "members": members(), "result": "reactive"})),
            2 => second_pool(),
            1 => Just(json!({"kind": "pool", "pool": "P", "members": members(), "result": "invalid"})),
        ];
        let one = (one, run_name(&["N1", "N2"])).prop_map(|(mut result, run)| {
            result["run"] = run;
            result
        });
        let resolved = prop::collection::vec(second_pool(), 1..3).prop_map(|pools| {
            let alone = json!({"kind": "individual", "result": "non_reactive", "internal_control": "valid", "run": "N1"});
            Value::from([vec![alone], pools].concat())
        });
        prop_oneof![
            3 => Just(json!([{"kind": "individual", "result": "non_reactive", "internal_control": "valid", "run": "N1"}])),
            2 => resolved,
            3 => proptest::collection::vec(one, 0..5).prop_map(Value::from),
        ]
    }

    /// A pool beside the others, with members and a stranger of its own: reactive, or ordered and not in yet.
    fn second_pool() -> impl Strategy<Value = Value> {
        let members = prop::sample::subsequence(vec!["M2", "M3", "M4", "M5"], 1..4);
        let call = || prop_oneof![4 => Just("non_reactive"), 1 => Just("reactive"), 1 => Just("pending")];
        let alone = prop::collection::vec(call(), 4);
        let result = prop_oneof![3 => Just(Some("reactive")), 1 => Just(None)];
        (members, alone, call(), result, any::<bool>()).prop_map(|(members, alone, stranger, result, whole)| {
            let mut listed = vec![json!({"donation": "M9", "result": stranger})];
            let own = members.iter().zip(alone);
            listed.extend(own.map(|(member, result)| json!({"donation": member, "result": result})));
            let all: Vec<&str> = std::iter::once("G123498654321").chain(members).collect();
            let mut pool = json!({"kind": "pool", "pool": "P2", "members": all, "pool_members": listed, "run": "N1",
                                  "pooling_log": if whole { "complete" } else { "incomplete" }});
            if let Some(result) = result {
                pool["result"] = json!(result);
            }
            pool
        })
    }

    fn grouping() -> impl Strategy<Value = Value> {
        let column = |good: &'static str, bad: &'static str| prop_oneof![12 => Just(good), 1 => Just(bad), 1 => Just("w")];
        (
            column("4+", "0"),
            column("0", "4+"),
            column("0", "3+"),
            column("4+", "0"),
            column("0", "1+"),
            run_name(&["G1", "G2"]),
        )
            .prop_map(|(a, b, a1, bc, control, run)| {
                json!({"anti_a": a, "anti_b": b, "a1_cells": a1, "b_cells": bc, "control": control,
                       "anti_d": "4+", "run": run})
            })
    }

    fn runs() -> impl Strategy<Value = Value> {
        let change = prop_oneof![
            80 => Just(Value::Null),
            1 => Just(json!({"validity": "invalid"})),
            1 => Just(json!({"validity": "open"})),
            1 => Just(json!({"qc": "out_of_control"})),
            1 => Just(json!({"qc": "open"})),
        ];
        proptest::collection::vec(change, RUNS.len()).prop_map(|changes| {
            let changed = |(id, change): (&&str, Value)| {
                let mut run = run_json(id);
                for (key, value) in change.as_object().into_iter().flatten() {
                    run[key] = value.clone();
                }
                run
            };
            Value::from(RUNS.iter().zip(changes).map(changed).collect::<Vec<_>>())
        })
    }

    fn donor() -> impl Strategy<Value = Value> {
        let known = json!({"id": "D", "first_time": false, "deferred": false, "history": {"abo": "A", "rhd": "positive"}});
        let new = json!({"id": "D", "first_time": true, "deferred": false});
        let other = json!({"id": "D", "first_time": false, "deferred": false, "history": {"abo": "O", "rhd": "positive"}});
        prop_oneof![8 => Just(known), 2 => Just(new), 1 => Just(other)]
    }

    fn evidence() -> impl Strategy<Value = Value> {
        let alt = prop_oneof![5 => Just(vec!["23"]), 1 => Just(vec!["51"]), 2 => Just(vec!["51", "49"]), 1 => Just(vec!["51", "52"])];
        let members = prop_oneof![
            Just(
                json!([{"donation": "M2", "result": "non_reactive"}, {"donation": "M3", "result": "non_reactive"}])
            ),
            Just(
                json!([{"donation": "M2", "result": "reactive"}, {"donation": "M3", "result": "non_reactive"}])
            ),
            Just(json!([{"donation": "M2", "result": "non_reactive"}])),
        ];
        let series = proptest::collection::vec(sero_results(), 8);
        let clean = json!([{"anti_a": "4+", "anti_b": "0", "a1_cells": "0", "b_cells": "4+", "control": "0", "anti_d": "4+", "run": "G1"}]);
        let groupings = prop_oneof![
            3 => Just(clean),
            2 => proptest::collection::vec(grouping(), 0..3).prop_map(Value::from),
        ];
        (series, nat_results(), alt, groupings, runs(), donor(), members).prop_map(
            |(series, nat, alt, grouping, runs, donor, members)| {
                let names = ["HBsAg", "anti-HCV", "HIV", "syphilis"].iter().flat_map(|m| [(*m, "A"), (*m, "B")]);
                let serology: Vec<Value> = names
                    .zip(series)
                    .map(|((marker, reagent), results)| json!({"marker": marker, "reagent": reagent, "results": results}))
                    .collect();
                let alt: Vec<Value> = alt.iter().map(|u| json!({"u_per_l": u, "run": "C1"})).collect();
                json!({"donation": "G123498654321", "collected_at": "2026-03-01T09:00:00+08:00", "donor": donor,
                       "serology": serology, "nat": nat, "pool_members": members, "alt": alt, "grouping": grouping,
                       "runs": runs,
                       "signatures": [{"meaning": "reviewed", "by": "u1"}, {"meaning": "released", "by": "u2"}]})
            },
        )
    }

    /// Counts the ways to make one good piece of evidence bad, and applies the wanted one.
    struct Worsening<'a> {
        good: &'a Value,
        wanted: usize,
        count: usize,
        chosen: Option<(String, Value)>,
    }

    impl Worsening<'_> {
        fn put(&mut self, name: String, change: impl Fn(&mut Value)) {
            if self.count == self.wanted {
                let mut worse = self.good.clone();
                change(&mut worse);
                self.chosen = Some((name, worse));
            }
            self.count += 1;
        }

        fn set(&mut self, at: &str, key: &str, value: &str) {
            self.put(format!("{at} {key} {value}"), |e| e.pointer_mut(at).unwrap()[key] = json!(value));
        }

        fn remove(&mut self, at: &str, key: &str) {
            self.put(format!("{at} without {key}"), |e| {
                e.pointer_mut(at).unwrap().as_object_mut().unwrap().remove(key);
            });
        }

        fn serology(&mut self) {
            for (s, series) in self.good["serology"].as_array().unwrap().iter().enumerate() {
                for (r, result) in series["results"].as_array().unwrap().iter().enumerate() {
                    if result["sco"] == "3.00" || result.get("validity").is_some() {
                        continue;
                    }
                    let at = format!("/serology/{s}/results/{r}");
                    self.set(&at, "sco", "3.00");
                    self.set(&at, "validity", "invalid");
                    self.set(&at, "validity", "open");
                    self.set(&at, "interpretation", "reactive");
                }
            }
        }

        fn nat_and_alt(&mut self) {
            for (n, result) in self.good["nat"].as_array().unwrap().iter().enumerate() {
                if result["result"] != "non_reactive" || result["kind"] == "discriminatory" {
                    continue;
                }
                let at = format!("/nat/{n}");
                self.set(&at, "result", "reactive");
                self.set(&at, "result", "invalid");
                self.set(&at, "internal_control", "absent");
                self.set(&at, "validity", "open");
            }
            for (a, result) in self.good["alt"].as_array().unwrap().iter().enumerate() {
                if result["u_per_l"] == "23" || result["u_per_l"] == "49" {
                    self.set(&format!("/alt/{a}"), "u_per_l", "60");
                    self.set(&format!("/alt/{a}"), "validity", "invalid");
                }
            }
        }

        fn grouping(&mut self) {
            for (g, grouping) in self.good["grouping"].as_array().unwrap().iter().enumerate() {
                if !is_clean(grouping) {
                    continue;
                }
                let at = format!("/grouping/{g}");
                for column in COLUMNS {
                    self.set(&at, column, "1+");
                    self.remove(&at, column);
                }
                self.set(&at, "validity", "invalid");
            }
        }

        fn runs(&mut self) {
            for (r, run) in self.good["runs"].as_array().unwrap().iter().enumerate() {
                if run["validity"] != "valid" || run["qc"] != "in_control" {
                    continue;
                }
                let at = format!("/runs/{r}");
                for key in ["qc", "lots", "tested_at"] {
                    self.remove(&at, key);
                }
                self.set(&at, "qc", "open");
                self.set(&at, "validity", "open");
                if carries_only_good(self.good, run["id"].as_str().unwrap()) {
                    self.set(&at, "validity", "invalid");
                    self.set(&at, "qc", "out_of_control");
                }
            }
        }

        fn surroundings(&mut self) {
            self.remove("", "donor");
            self.remove("", "collected_at");
            self.put("deferred".into(), |e| e["donor"]["deferred"] = json!(true));
            self.put("other history".into(), |e| {
                e["donor"]["history"] = json!({"abo": "B", "rhd": "positive"});
            });
            self.put("a finding".into(), |e| e["findings"] = json!([{"finding": "x", "what": "y"}]));
        }
    }

    /// Every way to make one good piece of evidence bad: how many there are, and the `wanted` one. Pieces that are bad
    /// already are left alone: to take back a reactive result is no worsening.
    fn worsened(good: &Value, wanted: usize) -> (usize, Option<(String, Value)>) {
        let mut ways = Worsening { good, wanted, count: 0, chosen: None };
        ways.serology();
        ways.nat_and_alt();
        ways.grouping();
        ways.runs();
        ways.surroundings();
        (ways.count, ways.chosen)
    }

    const COLUMNS: [&str; 5] = ["anti_a", "anti_b", "a1_cells", "b_cells", "control"];

    fn is_clean(grouping: &Value) -> bool {
        json!(COLUMNS.map(|c| grouping[c].clone())) == json!(["4+", "0", "0", "4+", "0"])
    }

    fn carries_only_good(evidence: &Value, run: &str) -> bool {
        let text = |list: &str| evidence[list].as_array().unwrap().clone();
        let sero = text("serology").into_iter().flat_map(|s| s["results"].as_array().unwrap().clone());
        let bad_sero =
            sero.filter(|r| r["run"] == run).any(|r| r["sco"] != "0.20" || r.get("validity").is_some());
        let bad_nat = text("nat").iter().any(|r| r["run"] == run && r["result"] != "non_reactive");
        let bad_alt =
            text("alt").iter().any(|r| r["run"] == run && (r["u_per_l"] == "51" || r["u_per_l"] == "52"));
        let bad_group = text("grouping").iter().any(|g| g["run"] == run && !is_clean(g));
        !(bad_sero || bad_nat || bad_alt || bad_group)
    }

    fn read(value: &Value) -> Evidence {
        read_case(&value.to_string()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 2, failure_persistence: None, ..ProptestConfig::default() })]

        /// Law 2 as a property: a unit that did not pass does not pass after one good piece of evidence turned bad,
        /// and what was discarded stays barred.
        #[test]
        fn law_02_making_one_piece_of_evidence_worse_never_makes_a_unit_pass(
            before in evidence(),
            pick in any::<prop::sample::Index>(),
            which in 0_usize..5,
        ) {
            let pack = &packs()[which];
            let unit = decide(&read(&before), pack).unit();
            let (ways, _) = worsened(&before, usize::MAX);
            let (name, after) = worsened(&before, pick.index(ways)).1.unwrap();
            let verdict = decide(&read(&after), pack);
            prop_assert!(
                unit == Unit::Pass || verdict.unit() != Unit::Pass,
                "{unit:?} became pass by {name}\nbefore {before}\nafter {after}",
            );
        }

        /// A second pool that is reactive or on its way is one more thing to answer for, whoever explains it.
        #[test]
        fn law_02_a_second_reactive_or_ordered_pool_never_makes_a_unit_pass(
            before in evidence(),
            pool in second_pool(),
            at in any::<prop::sample::Index>(),
            which in 0_usize..5,
        ) {
            let pack = &packs()[which];
            let mut after = before.clone();
            let results = after["nat"].as_array_mut().unwrap();
            results.insert(at.index(results.len() + 1), pool.clone());
            let (unit, verdict) = (decide(&read(&before), pack).unit(), decide(&read(&after), pack));
            prop_assert!(
                unit == Unit::Pass || verdict.unit() != Unit::Pass,
                "{unit:?} became pass by {pool}\nbefore {before}",
            );
            let explained = pool["pooling_log"] == "complete"
                && pool["result"] == "reactive"
                && pool["pool_members"].as_array().unwrap().iter().any(|m| m["donation"] != "M9" && m["result"] == "reactive");
            prop_assert!(explained || which == 3 || verdict.unit() != Unit::Pass, "nobody explains {pool}\nof {before}");
        }

        /// A donation may be in several pools: in which order they are told says nothing.
        #[test]
        fn the_order_of_pools_does_not_matter(
            (before, turned) in evidence().prop_flat_map(|e| {
                let nat = Just(e["nat"].as_array().unwrap().clone()).prop_shuffle();
                (Just(e), nat)
            }),
            which in 0_usize..5,
        ) {
            let mut after = before.clone();
            after["nat"] = Value::from(turned);
            let (one, other) = (decide(&read(&before), &packs()[which]), decide(&read(&after), &packs()[which]));
            prop_assert_eq!(one.unit(), other.unit());
            prop_assert_eq!(one.nat(), other.nat());
            prop_assert_eq!(one.markers(), other.markers());
            prop_assert_eq!(one.is_releasable(), other.is_releasable());
            let closed = |verdict: &release::Verdict| verdict.gates().iter().map(|g| g.pass).collect::<Vec<_>>();
            prop_assert_eq!(closed(&one), closed(&other));
        }

        /// The trace is written beside the decision and takes no part in it.
        #[test]
        fn a_verdict_is_the_same_whether_or_not_its_trace_is_asked_for(about in evidence(), which in 0_usize..5) {
            let (about, pack) = (read(&about), &packs()[which]);
            let explained = explain(&about, pack);
            prop_assert_eq!(explained.verdict(), &decide(&about, pack));
            prop_assert!(explained.trace().next().is_some());
        }

        /// Signatures and other acts of persons never change what becomes of the unit.
        #[test]
        fn signatures_never_change_the_unit(before in evidence()) {
            let mut unsigned = before.clone();
            unsigned["signatures"] = json!([]);
            let (with, without) = (decide(&read(&before), &packs()[0]), decide(&read(&unsigned), &packs()[0]));
            prop_assert_eq!(with.unit(), without.unit());
            prop_assert!(!without.is_releasable());
        }

        /// Same evidence, same verdict, same hash; and what passes is whole.
        #[test]
        fn the_same_evidence_gives_the_same_verdict(before in evidence(), which in 0_usize..5) {
            let (one, two) = (read(&before), read(&before));
            let (first, second) = (decide(&one, &packs()[which]), decide(&two, &packs()[which]));
            prop_assert_eq!(first.content_hash(), second.content_hash());
            prop_assert_eq!(&first, &second);
            prop_assert_eq!(first.gates().len(), 15);
            if first.unit() == Unit::Pass {
                prop_assert!(first.is_complete());
                prop_assert!(first.markers().iter().all(|(_, m)| m.unit == Unit::Pass));
            } else {
                prop_assert!(first.gates().iter().any(|g| !g.pass));
                prop_assert!(!first.is_releasable());
            }
        }

        /// Evidence written out and read again is the same evidence.
        #[test]
        fn evidence_reads_back_as_written(before in evidence()) {
            let evidence = read(&before);
            let written = serde_json::to_string(&evidence).unwrap();
            prop_assert_eq!(read_case(&written).unwrap(), evidence);
        }

        /// Any text is read as cases or refused with a place; never a panic.
        #[test]
        fn any_text_is_read_or_refused_with_its_place(text in "\\PC{0,200}", cut in 0_usize..4000) {
            let base = include_str!("cases/base.json");
            let torn: String = base.chars().take(cut).chain(text.chars()).collect();
            for case in read_cases(&text).into_iter().chain(read_cases(&torn)) {
                if let Err(error) = case {
                    prop_assert!(!error.at.is_empty() && !error.what.is_empty());
                }
            }
        }

        /// Any unknown key anywhere is refused.
        #[test]
        fn an_unknown_key_anywhere_is_refused(before in evidence(), pick in any::<prop::sample::Index>()) {
            fn objects(value: &Value, at: &str, all: &mut Vec<String>) {
                match value {
                    Value::Object(map) => {
                        all.push(at.to_owned());
                        for (key, value) in map {
                            objects(value, &format!("{at}/{key}"), all);
                        }
                    }
                    Value::Array(list) => {
                        for (i, value) in list.iter().enumerate() {
                            objects(value, &format!("{at}/{i}"), all);
                        }
                    }
                    Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
                }
            }
            let mut places = Vec::new();
            objects(&before, "", &mut places);
            let place = &places[pick.index(places.len())];
            let mut with = before.clone();
            with.pointer_mut(place).unwrap()["comment"] = json!("x");
            let error = read_case(&with.to_string()).unwrap_err();
            prop_assert!(error.at.ends_with("comment"), "{}", error);
            prop_assert!(error.what.contains("unknown field"), "{}", error);
        }
    }

    /// The generator is worth something only if it makes all three verdicts, and passes that can be lost.
    #[test]
    fn the_made_up_evidence_reaches_every_verdict() {
        use proptest::strategy::ValueTree;
        use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let mut seen = [0_usize; 3];
        for _ in 0..300 {
            let value = evidence().new_tree(&mut runner).unwrap().current();
            match decide(&read(&value), &packs()[0]).unit() {
                Unit::Pass => seen[0] += 1,
                Unit::Hold => seen[1] += 1,
                Unit::Discard => seen[2] += 1,
            }
        }
        eprintln!("{seen:?}");
        assert!(seen.iter().all(|n| *n >= 3), "{seen:?}");
    }
}

//! The model of one donation: every state of every mandatory test, of the group, the run, its control, its lot, the donor
//! and the signatures. "Releasable" is true for exactly the combinations in which everything holds.
//!
//! The ordinary run takes every pair of states, every combination of a smaller world, and every set of up to four closed
//! gates. The whole worlds: `ONE_DONATION=whole cargo test --release -p release --test one_donation -- --nocapture`.

#[cfg(test)]
mod one_donation {
    use release::evidence::*;
    use release::{Evidence, GateId, RulePack, Unit, decide, read_case};
    use vocabulary::{AboGroup, Virus};

    const WHOLE: bool = option_env!("ONE_DONATION").is_some();

    /// What a state does to the donation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Effect {
        Good,
        Bars,
        Hold,
        Discard,
    }
    use Effect::{Bars, Discard, Good, Hold};

    type Change = fn(&mut Evidence);
    /// A name, the states with what each does, and how many of them the smaller world takes.
    type Dimension = (&'static str, Vec<(Change, Effect)>, usize);

    fn call(kind: SerologyKind, call: Call) -> SerologyResult {
        let run = Some("E1".parse().unwrap());
        let interpretation = Some(call);
        SerologyResult {
            kind,
            od: None,
            cutoff: None,
            sco: None,
            interpretation,
            validity: None,
            why: None,
            run,
            override_reason: None,
        }
    }

    fn reagents(e: &mut Evidence, first: usize, results: &[SerologyResult]) {
        e.serology[first].results = results.to_vec();
    }

    /// The states of a marker's first reagent; the second one stays good.
    macro_rules! marker {
        ($at:literal) => {
            vec![
                (|_| {}, Good),
                (
                    |e| {
                        let (first, well) =
                            (call(SerologyKind::Initial, Call::Reactive), SerologyKind::Duplicate);
                        reagents(e, $at, &[first, call(well, Call::Reactive), call(well, Call::NonReactive)]);
                    },
                    Discard,
                ),
                (|e| reagents(e, $at, &[]), Hold),
                (|e| reagents(e, $at, &[call(SerologyKind::Initial, Call::Invalid)]), Hold),
                (|e| reagents(e, $at, &[call(SerologyKind::Initial, Call::Reactive)]), Hold),
            ]
        };
    }

    fn nat(e: &mut Evidence, changes: &[fn(&mut NatResult)]) {
        let like = e.nat[0].clone();
        e.nat = changes
            .iter()
            .map(|change| {
                let mut one = like.clone();
                change(&mut one);
                one
            })
            .collect();
    }

    fn discriminatory(n: &mut NatResult, target: Virus) {
        n.kind = NatKind::Discriminatory;
        n.target = Some(target);
    }

    /// Tests first: the smaller world takes three states of each of these.
    fn dimensions() -> Vec<Dimension> {
        let nats: Vec<(Change, Effect)> = vec![
            (|_| {}, Good),
            (|e| nat(e, &[|n| (n.result, n.targets) = (Some(Call::Reactive), vec![Virus::Hiv])]), Discard),
            (|e| e.nat.clear(), Hold),
            (|e| e.nat[0].internal_control = Some(InternalControl::Absent), Hold),
            (|e| e.nat[0].result = Some(Call::Pending), Hold),
            (
                |e| {
                    nat(
                        e,
                        &[
                            |n| n.result = Some(Call::Reactive),
                            |n| discriminatory(n, Virus::Hbv),
                            |n| discriminatory(n, Virus::Hcv),
                            |n| discriminatory(n, Virus::Hiv),
                        ],
                    );
                },
                Discard,
            ),
            (
                |e| {
                    nat(
                        e,
                        &[
                            |n| {
                                (n.kind, n.result) = (NatKind::Pool, Some(Call::Reactive));
                                n.members = vec!["G123498654321".parse().unwrap()];
                            },
                            |_| {},
                        ],
                    );
                },
                Hold,
            ),
        ];
        let alts: Vec<(Change, Effect)> = vec![
            (|_| {}, Good),
            (
                |e| {
                    e.alt[0].u_per_l = Some("60".parse().unwrap());
                    e.alt.push(e.alt[0].clone());
                },
                Discard,
            ),
            (|e| e.alt.clear(), Hold),
            (|e| e.alt[0].u_per_l = Some("60".parse().unwrap()), Hold),
        ];
        let groups: Vec<(Change, Effect)> = vec![
            (|_| {}, Good),
            (|e| e.grouping[0].b_cells = Some("0".parse().unwrap()), Hold),
            (|e| e.grouping.clear(), Hold),
            (|e| e.grouping[0].control = Some("1+".parse().unwrap()), Hold),
            (|e| e.grouping[0].anti_d = Some(Grades(vec!["0".parse().unwrap()])), Hold),
        ];
        vec![
            ("HBV", marker!(0), 3),
            ("HCV", marker!(2), 3),
            ("HIV", marker!(4), 3),
            ("syphilis", marker!(6), 3),
            ("NAT", nats, 3),
            ("ALT", alts, 3),
            ("group", groups, 3),
            ("run", runs(), 1),
            ("control", controls(), 1),
            ("lot", lots(), 1),
            ("donor", donors(), 1),
            ("signatures", signatures(), 1),
            ("surroundings", surroundings(), 1),
        ]
    }

    /// The run of the blood grouping: whatever befalls it holds the unit, and no reactive result falls with it.
    fn grouping_run(e: &mut Evidence) -> &mut Run {
        e.runs.iter_mut().find(|run| run.id.as_str() == "G1").unwrap()
    }

    fn runs() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (|e| grouping_run(e).validity = None, Hold),
            (|e| grouping_run(e).validity = Some(Validity::Open), Hold),
            (|e| grouping_run(e).validity = Some(Validity::Invalid), Hold),
            (|e| e.runs.retain(|run| run.id.as_str() != "G1"), Hold),
            (|e| grouping_run_if(e, |run| run.analyser_overdue = Some("calibration".into())), Hold),
            (|e| grouping_run_if(e, |run| run.operator_authorised = Some(false)), Hold),
            (|e| grouping_run_if(e, |run| run.sequence_gap = Some("17".into())), Hold),
        ]
    }

    /// The run may have been taken away by another dimension.
    fn grouping_run_if(e: &mut Evidence, change: fn(&mut Run)) {
        e.runs.iter_mut().filter(|run| run.id.as_str() == "G1").for_each(change);
    }

    fn controls() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (
                |e| {
                    grouping_run_if(e, |run| {
                        run.qc = Some(Qc::Released);
                        run.qc_release = Some(Resolution { by: "q".into(), reason: "repeated".into() });
                    });
                },
                Good,
            ),
            (|e| grouping_run_if(e, |run| run.qc = Some(Qc::Released)), Hold),
            (|e| grouping_run_if(e, |run| run.qc = Some(Qc::Open)), Hold),
            (|e| grouping_run_if(e, |run| run.qc = Some(Qc::OutOfControl)), Hold),
            (|e| grouping_run_if(e, |run| run.qc = None), Hold),
        ]
    }

    fn lots() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (|e| grouping_run_if(e, |run| run.lots.clear()), Hold),
            (|e| grouping_run_if(e, |run| lot(run).expires = Some("2026-02-28".parse().unwrap())), Hold),
            (|e| grouping_run_if(e, |run| lot(run).expires = None), Hold),
            (|e| grouping_run_if(e, |run| lot(run).accepted = Some(false)), Hold),
            (|e| grouping_run_if(e, |run| lot(run).accepted = None), Hold),
            (|e| grouping_run_if(e, |run| lot(run).on_board_exceeded = Some(true)), Hold),
            (|e| grouping_run_if(e, |run| run.tested_at = None), Hold),
        ]
    }

    fn lot(run: &mut Run) -> &mut Lot {
        &mut run.lots[0]
    }

    fn donors() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (|e| e.donor = None, Hold),
            (|e| e.donor.as_mut().unwrap().deferred = Some(true), Hold),
            (|e| e.donor.as_mut().unwrap().deferred = None, Hold),
            (|e| e.donor.as_mut().unwrap().barred = Some("anti-HIV 2024".into()), Hold),
            (|e| e.donor.as_mut().unwrap().post_donation = Some("fever".into()), Hold),
            (|e| e.donor.as_mut().unwrap().history.as_mut().unwrap().abo = Some(AboGroup::O), Hold),
            (|e| e.donor.as_mut().unwrap().field_abo = Some(AboGroup::B), Hold),
            (|e| e.donor.as_mut().unwrap().first_time = Some(true), Hold),
        ]
    }

    fn signatures() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (|e| e.signatures.clear(), Bars),
            (|e| e.signatures.truncate(1), Bars),
            (|e| e.signatures[0].by = "U2 ".into(), Bars),
            (|e| e.signatures[1].authorised = Some(false), Bars),
        ]
    }

    fn surroundings() -> Vec<(Change, Effect)> {
        vec![
            (|_| {}, Good),
            (|e| e.collected_at = None, Hold),
            (|e| e.identity = Some(Identity { manual_entry: true, ..Identity::default() }), Hold),
            (|e| e.findings = vec![OpenFinding { finding: "x".into(), what: "y".into() }], Hold),
            (|e| e.batch = Some(Batch { failing: 1, located: 0 }), Bars),
        ]
    }

    struct World {
        pack: RulePack,
        good: Evidence,
        dimensions: Vec<Dimension>,
        combinations: usize,
        releasable: usize,
    }

    impl World {
        fn new() -> Self {
            Self {
                pack: RulePack::built_in("cn-2019").unwrap(),
                good: read_case(include_str!("cases/base.json")).unwrap(),
                dimensions: dimensions(),
                combinations: 0,
                releasable: 0,
            }
        }

        fn check(&mut self, states: &[usize]) {
            let mut evidence = self.good.clone();
            let mut effects = Vec::new();
            for ((_, list, _), at) in self.dimensions.iter().zip(states) {
                let (change, effect) = list[*at];
                change(&mut evidence);
                effects.push(effect);
            }
            let has = |effect| effects.contains(&effect);
            let unit = if has(Discard) {
                Unit::Discard
            } else if has(Hold) {
                Unit::Hold
            } else {
                Unit::Pass
            };
            let releasable = effects.iter().all(|effect| *effect == Good);
            let verdict = decide(&evidence, &self.pack);
            let what = || {
                let named = self.dimensions.iter().zip(states).filter(|(_, at)| **at > 0);
                named.map(|((name, ..), at)| format!("{name} {at}")).collect::<Vec<_>>().join(", ")
            };
            assert_eq!(verdict.unit(), unit, "{}", what());
            assert_eq!(verdict.is_releasable(), releasable, "{}", what());
            self.combinations += 1;
            self.releasable += usize::from(releasable);
        }

        fn product(&mut self, sizes: &[usize]) {
            let mut states = vec![0; sizes.len()];
            loop {
                self.check(&states);
                let Some(turn) = (0..sizes.len()).find(|at| states[*at] + 1 < sizes[*at]) else { return };
                states[..turn].fill(0);
                states[turn] += 1;
            }
        }
    }

    #[test]
    fn every_pair_of_states_is_releasable_only_where_both_are_good() {
        let mut world = World::new();
        let sizes: Vec<usize> = world.dimensions.iter().map(|(_, states, _)| states.len()).collect();
        for one in 0..sizes.len() {
            for other in one + 1..sizes.len() {
                for (a, b) in (0..sizes[one]).flat_map(|a| (0..sizes[other]).map(move |b| (a, b))) {
                    let mut states = vec![0; sizes.len()];
                    (states[one], states[other]) = (a, b);
                    world.check(&states);
                }
            }
        }
        eprintln!("pairs: {} combinations, {} releasable", world.combinations, world.releasable);
        // Every dimension has one good state, the control has two.
        assert_eq!(world.releasable, 13 * 12 / 2 + 12);
    }

    #[test]
    fn every_combination_of_test_states_is_releasable_only_where_all_are_good() {
        let mut world = World::new();
        let size = |(_, states, few): &Dimension| if WHOLE && *few > 1 { states.len() } else { *few };
        let sizes: Vec<usize> = world.dimensions.iter().map(size).collect();
        world.product(&sizes);
        eprintln!("tests: {} combinations, {} releasable", world.combinations, world.releasable);
        let all: usize = sizes.iter().product();
        assert_eq!((world.combinations, world.releasable), (all, 1));
    }

    /// With all tests good, every state of what stands around them.
    #[test]
    fn every_combination_of_what_stands_around_the_tests_is_releasable_only_where_all_is_good() {
        let mut world = World::new();
        let is_test = |few: usize| few > 1;
        let size = |(_, states, few): &Dimension| match (is_test(*few), WHOLE) {
            (true, _) => 1,
            (false, true) => states.len(),
            (false, false) => states.len().min(3),
        };
        let sizes: Vec<usize> = world.dimensions.iter().map(size).collect();
        world.product(&sizes);
        eprintln!("surroundings: {} combinations, {} releasable", world.combinations, world.releasable);
        let all: usize = sizes.iter().product();
        // The control's second state is good too.
        assert_eq!((world.combinations, world.releasable), (all, 2));
    }

    /// One cause for each gate, any set of them together: exactly those gates close, and nothing is releasable.
    #[test]
    fn any_set_of_causes_closes_exactly_its_gates() {
        let causes: [Change; 15] = [
            |e| e.collected_at = None,
            |e| {
                let (first, well) = (call(SerologyKind::Initial, Call::Reactive), SerologyKind::Duplicate);
                reagents(e, 0, &[first, call(well, Call::Reactive)]);
            },
            |e| e.donor.as_mut().unwrap().field_abo = Some(AboGroup::B),
            |e| e.runs[0].validity = None,
            |e| e.runs[0].qc = Some(Qc::Open),
            |e| lot(&mut e.runs[0]).accepted = Some(false),
            |e| e.runs[0].analyser_overdue = Some("calibration".into()),
            |e| e.runs[0].operator_authorised = Some(false),
            |e| e.identity = Some(Identity { check_character_valid: Some(false), ..Identity::default() }),
            |e| e.signatures[0].by = e.signatures[1].by.clone(),
            |e| e.donor.as_mut().unwrap().deferred = Some(true),
            // One of the two contradicts the verdict, whatever it is.
            |e| {
                let component = |state| Component { id: "FFP".into(), state };
                e.components = [ComponentState::Held, ComponentState::Issued].map(component).to_vec();
            },
            |e| e.batch = Some(Batch { failing: 1, located: 0 }),
            |e| e.signatures[1].authorised = Some(false),
            |e| e.runs[0].sequence_gap = Some("17".into()),
        ];
        let (pack, good) = (RulePack::built_in("cn-2019").unwrap(), World::new().good);
        let (mut sets, mut releasable) = (0, 0);
        for set in 0_u32..1 << 15 {
            if !WHOLE && set.count_ones() > 3 && set.count_ones() < 14 {
                continue;
            }
            let mut evidence = good.clone();
            let chosen: Vec<usize> = (0..15).filter(|at| set & (1 << at) != 0).collect();
            for at in &chosen {
                causes[*at](&mut evidence);
            }
            let verdict = decide(&evidence, &pack);
            let closed: Vec<GateId> = verdict.gates().iter().filter(|g| !g.pass).map(|g| g.id).collect();
            let expected: Vec<GateId> = chosen.iter().map(|at| GateId::ALL[*at]).collect();
            assert_eq!(closed, expected);
            assert_eq!(verdict.is_releasable(), set == 0, "{expected:?}");
            sets += 1;
            releasable += usize::from(verdict.is_releasable());
        }
        eprintln!("gates: {sets} sets of causes, {releasable} releasable");
    }
}

//! The model of one donation: every state of every reagent, of NAT, of what an authority orders, of ALT and group, of the run, control and lot of each of
//! them, of the donor and the signatures. "Releasable" is true for exactly the combinations in which everything holds.
//!
//! How far the product is whole, in every run of this test:
//!
//! - The gates. No gate looks at another, so that each is open or closed by causes of its own: all 2^15 sets of closed
//!   gates, one cause for each.
//! - What closes them. Where the code lets two things act on each other before a gate sees them, every state of each is
//!   taken with every state of the others: both reagents of a marker, the NAT, and the run and control of any of the
//!   three (a run that falls takes a reactive result with it, so that what discarded holds); ALT with its run and
//!   control; the group with its run, its control and the donor (history, field pre-test, first time); a run with its
//!   control, its lot and the signatures.
//! - All else meets in the gates only: every state beside every other state of anything else, and products of the first
//!   states of everything, tests and surroundings apart and together.
//!
//! These last products grow beyond every measure, and are taken with few states of each. With more:
//! `ONE_DONATION=whole cargo test --release -p release --test one_donation`.

#[cfg(test)]
mod states;

#[cfg(test)]
mod one_donation {
    use crate::states::{Dimension, ORDERS, RUNS, Reads, Sizes, as_ordered, call, dimensions, lot};
    use release::evidence::*;
    use release::{Evidence, GateId, RulePack, Unit, decide, read_case};
    use std::io::Write as _;
    use vocabulary::{AboGroup, RunId};

    const WHOLE: bool = option_env!("ONE_DONATION").is_some();

    /// Said whether or not the test's output is captured: what was visited is to be seen.
    fn tell(what: &str, combinations: usize, releasable: usize) {
        let line =
            format!("one donation, {what}: {combinations} combinations visited, {releasable} releasable");
        writeln!(std::io::stderr().lock(), "{line}").unwrap();
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
                pack: RulePack::from_toml(ORDERS).unwrap(),
                good: good(),
                dimensions: dimensions(),
                combinations: 0,
                releasable: 0,
            }
        }

        fn at(&self, name: &str) -> usize {
            self.dimensions.iter().position(|d| d.name == name).unwrap_or_else(|| panic!("no {name}"))
        }

        /// What the results of a run are worth under these states of it.
        fn reads(&self, run: &str, states: &[usize]) -> Reads {
            let of_run = self.dimensions.iter().zip(states).filter(|(d, _)| d.run == Some(run));
            let all: Vec<Reads> = of_run.map(|(d, at)| d.states[*at].reads).collect();
            let worst = [Reads::Gone, Reads::Falls, Reads::Waits].into_iter().find(|one| all.contains(one));
            worst.unwrap_or(Reads::Judged)
        }

        /// What a dimension's state does, given the run that it rests on.
        fn effect(&self, dimension: &Dimension, at: usize, states: &[usize]) -> Effect {
            match (dimension.states[at].effect, dimension.run.map(|run| self.reads(run, states))) {
                (Effect::Discard, Some(Reads::Falls | Reads::Waits)) => Effect::Hold,
                (effect, _) => effect,
            }
        }

        fn check(&mut self, states: &[usize]) {
            let mut evidence = self.good.clone();
            let mut effects = Vec::new();
            for (dimension, at) in self.dimensions.iter().zip(states) {
                (dimension.states[*at].change)(&mut evidence);
                effects.push(self.effect(dimension, *at, states));
            }
            let has = |effect| effects.contains(&effect);
            let unit = if has(Effect::Discard) {
                Unit::Discard
            } else if has(Effect::Hold) {
                Unit::Hold
            } else {
                Unit::Pass
            };
            let releasable = effects.iter().all(|effect| *effect == Effect::Good);
            let verdict = decide(&evidence, &self.pack);
            let what = || {
                let named = self.dimensions.iter().zip(states).filter(|(_, at)| **at > 0);
                named.map(|(d, at)| format!("{} {at}", d.name)).collect::<Vec<_>>().join("; ")
            };
            assert_eq!(verdict.unit(), unit, "{}", what());
            assert_eq!(verdict.is_releasable(), releasable, "{}", what());
            self.combinations += 1;
            self.releasable += usize::from(releasable);
        }

        /// Every combination of the first so many states of each dimension; how many have to be releasable is known.
        fn product(&mut self, sizes: &[usize]) {
            let (before, could_go) = (self.combinations, self.releasable);
            let mut states = vec![0; sizes.len()];
            loop {
                self.check(&states);
                let Some(turn) = (0..sizes.len()).find(|at| states[*at] + 1 < sizes[*at]) else { break };
                states[..turn].fill(0);
                states[turn] += 1;
            }
            let good = |(d, size): (&Dimension, &usize)| {
                d.states[..*size].iter().filter(|s| s.effect == Effect::Good).count()
            };
            let all_good: usize = self.dimensions.iter().zip(sizes).map(good).product();
            assert_eq!(self.combinations - before, sizes.iter().product::<usize>());
            assert_eq!(self.releasable - could_go, all_good);
        }

        /// Every combination of every state of these dimensions, all else good.
        fn whole(&mut self, names: &[&str]) {
            let mut sizes = vec![1; self.dimensions.len()];
            for name in names {
                let at = self.at(name);
                sizes[at] = self.dimensions[at].states.len();
            }
            self.product(&sizes);
        }

        fn sized(&mut self, size: impl Fn(&Sizes) -> (usize, usize)) {
            let of = |d: &Dimension| {
                let (few, many) = size(&d.sizes);
                if WHOLE { many } else { few }
            };
            let sizes: Vec<usize> = self.dimensions.iter().map(of).collect();
            self.product(&sizes);
        }
    }

    /// What a state does to the donation.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) enum Effect {
        Good,
        Bars,
        Hold,
        Discard,
    }

    /// Releasable; first reagents in one run, second ones in another.
    fn good() -> Evidence {
        let mut good = read_case(include_str!("../cases/base.json")).unwrap();
        for (at, series) in good.serology.iter_mut().enumerate() {
            let run = crate::states::REAGENT_RUNS[at % 2].parse().unwrap();
            series.results.iter_mut().for_each(|result| result.run = Some(RunId::clone(&run)));
        }
        let of_second = Run { id: "E2".parse().unwrap(), ..good.runs[0].clone() };
        good.runs.push(of_second);
        as_ordered(&mut good);
        good
    }

    #[test]
    fn every_pair_of_states_is_releasable_only_where_both_are_good() {
        let mut world = World::new();
        let sizes: Vec<usize> = world.dimensions.iter().map(|d| d.states.len()).collect();
        for one in 0..sizes.len() {
            for other in one + 1..sizes.len() {
                let mut pair = vec![1; sizes.len()];
                (pair[one], pair[other]) = (sizes[one], sizes[other]);
                world.product(&pair);
            }
        }
        tell("every two states of anything", world.combinations, world.releasable);
    }

    /// Whole in every run: nothing here is left to the other worlds.
    fn all_that_acts_on_a_marker(marker: &str, runs: &[&str], nat: &[&str]) {
        let mut world = World::new();
        let (first, second) = (format!("{marker}, first reagent"), format!("{marker}, second reagent"));
        for run in runs {
            let (run, control) = (format!("run {run}"), format!("control of {run}"));
            world.whole(&[&[first.as_str(), &second, &run, &control], nat].concat());
        }
        let what = format!("{marker}: reagents, NAT, their runs and controls, whole");
        tell(&what, world.combinations, world.releasable);
    }

    #[test]
    fn every_combination_of_what_acts_on_hbv_is_releasable_only_where_all_is_good() {
        all_that_acts_on_a_marker("HBV", &["E1", "E2", "N1"], &["NAT"]);
    }

    #[test]
    fn every_combination_of_what_acts_on_hcv_is_releasable_only_where_all_is_good() {
        all_that_acts_on_a_marker("HCV", &["E1", "E2", "N1"], &["NAT"]);
    }

    #[test]
    fn every_combination_of_what_acts_on_hiv_is_releasable_only_where_all_is_good() {
        all_that_acts_on_a_marker("HIV", &["E1", "E2", "N1"], &["NAT"]);
    }

    #[test]
    fn every_combination_of_what_acts_on_syphilis_is_releasable_only_where_all_is_good() {
        all_that_acts_on_a_marker("syphilis", &["E1", "E2"], &[]);
    }

    #[test]
    fn every_combination_of_what_acts_on_ordered_markers_is_releasable_only_where_all_is_good() {
        let mut world = World::new();
        world.whole(&["ordered reagent", "HBV, first reagent", "run E1", "control of E1"]);
        world.whole(&["ordered NAT", "NAT", "run N1", "control of N1"]);
        world.whole(&["ordered reagent", "run E1", "ordered NAT", "run N1"]);
        tell(
            "what an authority orders, with its runs and controls, whole",
            world.combinations,
            world.releasable,
        );
    }

    #[test]
    fn every_combination_of_what_acts_on_group_alt_or_a_run_is_releasable_only_where_all_is_good() {
        let mut world = World::new();
        world.whole(&["ALT", "run C1", "control of C1"]);
        world.whole(&["group", "run G1", "control of G1", "donor"]);
        for run in RUNS {
            let [of_run, control, lot] = ["run", "control of", "lot of"].map(|what| format!("{what} {run}"));
            world.whole(&[&of_run, &control, &lot, "signatures"]);
        }
        tell("ALT, group and every run, whole", world.combinations, world.releasable);
    }

    /// The product over as many states of each dimension as `size` says.
    fn products(what: &str, size: impl Fn(&Sizes) -> (usize, usize)) {
        let mut world = World::new();
        world.sized(size);
        tell(what, world.combinations, world.releasable);
    }

    #[test]
    fn the_products_of_test_states_are_releasable_only_where_all_are_good() {
        products("tests", |sizes| sizes.tests);
    }

    /// With all tests good, what stands around them.
    #[test]
    fn the_products_of_what_stands_around_the_tests_are_releasable_only_where_all_is_good() {
        products("what stands around the tests", |sizes| sizes.around);
    }

    /// Tests and what stands around them in one product.
    #[test]
    fn the_products_of_tests_and_surroundings_are_releasable_only_where_all_is_good() {
        products("tests beside what stands around them", |sizes| sizes.joint);
    }

    /// One cause for each gate, any set of them together: exactly those gates close, and nothing is releasable.
    #[test]
    fn any_set_of_causes_closes_exactly_its_gates() {
        let causes: [fn(&mut Evidence); 15] = [
            |e| e.collected_at = None,
            |e| {
                let wells = [SerologyKind::Initial, SerologyKind::Duplicate];
                e.serology[0].results = wells.map(|well| call(well, Call::Reactive, "E1")).to_vec();
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
        let (pack, good) = (RulePack::from_toml(ORDERS).unwrap(), good());
        let (mut sets, mut releasable) = (0, 0);
        for set in 0_u32..1 << 15 {
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
        tell("sets of closed gates", sets, releasable);
    }
}

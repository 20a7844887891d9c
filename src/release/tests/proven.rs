//! Every built-in pack is proven: its small worlds are enumerated whole, and nothing passes that may not.

#[cfg(test)]
mod proven {
    use release::RulePack;
    use release::proof::prove;

    fn check(pack: &RulePack, at_once_max: Option<usize>) {
        let proof = prove(pack, at_once_max, |_| {}).unwrap();
        for world in &proof.worlds {
            eprintln!(
                "{}: {}: {} = {} pass + {} hold + {} discard",
                pack.id(),
                world.name,
                world.combinations,
                world.pass,
                world.hold,
                world.discard
            );
        }
        assert!(proof.holds(), "{}: {:#?}, {} more", pack.id(), proof.faults, proof.further_faults);
        let whole = proof.worlds.last().unwrap();
        assert_eq!((whole.pass, whole.passing.as_slice()), (1, &["everything good".to_owned()][..]));
    }

    #[test]
    fn every_built_in_pack_maps_each_combination_to_one_verdict_and_passes_nothing_incomplete() {
        for id in RulePack::built_in_ids() {
            // `hemogate rules check` enumerates all of them whole; here the default pack, the others up to three at once.
            let at_once_max = (id != "cn-2019").then_some(3);
            check(&RulePack::built_in(id).unwrap(), at_once_max);
        }
    }

    #[test]
    fn only_two_of_the_210_combinations_of_a_virus_pass_in_the_chinese_pack() {
        let proof = prove(&RulePack::built_in("cn-2019").unwrap(), Some(1), |_| {}).unwrap();
        for world in &proof.worlds[..3] {
            assert_eq!((world.combinations, world.pass), (210, 2), "{world:?}");
        }
    }

    /// A policy that lets something pass is seen in the count, not hidden in it.
    #[test]
    fn what_a_policy_lets_pass_is_counted_and_named() {
        let soft = "id = \"s\"\nbased_on = \"cn-2019\"\n[nat]\nmp_unresolved = \"RELEASE\"\n";
        let proof = prove(&RulePack::from_toml(soft).unwrap(), Some(1), |_| {}).unwrap();
        assert!(proof.holds(), "{:?}", proof.faults);
        let hbv = &proof.worlds[0];
        assert_eq!(hbv.pass, 4, "{hbv:?}");
        assert!(hbv.passing.iter().any(|p| p.contains("Unresolved")), "{:?}", hbv.passing);
    }
}

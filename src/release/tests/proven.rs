//! Every built-in pack is proven: its small worlds are enumerated whole, and nothing passes that may not.

#[cfg(test)]
mod proven {
    use release::RulePack;
    use release::proof::{Proof, prove};

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
            // `hemogate rules check` enumerates the worlds whole.
            let at_once_max = if id == "cn-2019" { 4 } else { 2 };
            check(&RulePack::built_in(id).unwrap(), Some(at_once_max));
        }
    }

    #[test]
    fn only_two_of_the_210_combinations_of_a_virus_pass_in_the_chinese_pack() {
        let proof = prove(&RulePack::built_in("cn-2019").unwrap(), Some(1), |_| {}).unwrap();
        for world in &proof.worlds[..3] {
            assert_eq!((world.combinations, world.pass), (210, 2), "{world:?}");
        }
    }

    /// The proof of a pack that is based on the Chinese one and says this.
    fn on_the_chinese(text: &str) -> Proof {
        let pack = RulePack::from_toml(&format!("id = \"s\"\nbased_on = \"cn-2019\"\n{text}")).unwrap();
        prove(&pack, Some(1), |_| {}).unwrap()
    }

    /// What a policy lets a further test settle is proven too.
    #[test]
    fn policies_that_settle_unresolved_pools_are_proven() {
        for text in [
            "[tests]\nanti_hbc = \"on\"\n[nat]\nmp_unresolved = \"HOLD_FOR_ANTI_HBC\"\n",
            "[nat]\nmp_unresolved = \"REPEAT_RESOLUTION_DUP\"\nndr = \"REPEAT_x2_THEN\"\n",
            "[nat]\nsero_reactive_in_pool = \"EXCLUDE\"\n",
            "[sero]\ndup = \"NODUP\"\ngz_low = \"0.9\"\ngz_as_initial_reactive = true\n",
        ] {
            let proof = on_the_chinese(text);
            assert!(proof.holds(), "{text}: {:?}", proof.faults);
        }
    }

    /// What a laboratory may well ask for is no fault: the donation of the proof meets it.
    #[test]
    fn packs_that_ask_for_more_are_proven() {
        for text in [
            "[alt]\nlimit_u_l = \"10\"\n",
            "[nat]\ncentrifuge_within_hours = \"24\"\nstore_within_hours = \"72\"\n",
            "[group]\nfirst_time_determinations = 8\niat_reagents_min = 8\n[tests]\nab_screen = \"rhd_negative_only\"\n",
        ] {
            let proof = on_the_chinese(text);
            assert!(proof.holds() && proof.weaker.is_empty(), "{text}: {:?}", proof.faults);
        }
    }

    fn table(what: &str, day: &str) -> String {
        format!("{what}, by order: every state, collected {day}")
    }

    #[test]
    fn every_order_has_its_table_on_a_day_on_which_it_asks_for_something() {
        let proof = on_the_chinese(concat!(
            "[[local]]\nmarker = \"anti-malaria\"\norder = \"o\"\nfrom = \"2026-05-01\"\nto = \"2026-05-31\"\n",
            "[[local]]\nmarker = \"T. cruzi\"\norder = \"o\"\nfrom = \"2026-06-01\"\nto = \"2026-06-30\"\n",
            "[[local]]\nmarker = \"Babesia\"\norder = \"o\"\nfrom = \"2026-06-01\"\nto = \"2026-06-30\"\n",
            "[[local]]\nmarker = \"anti-malaria\"\norder = \"p\"\nfrom = \"2026-07-01\"\n",
        ));
        assert!(proof.holds(), "{:?}", proof.faults);
        let tables: Vec<&str> = proof.worlds[5..9].iter().map(|world| world.name.as_str()).collect();
        let due = [
            table("anti-malaria", "2026-05-01"),
            table("anti-T.cruzi", "2026-06-01"),
            table("NAT Babesia", "2026-06-01"),
            table("anti-malaria", "2026-07-01"),
        ];
        assert_eq!(tables, due);
    }

    /// Every marker that an order asks for is a test of the proof, on each day on which something else is asked for.
    #[test]
    fn what_orders_ask_for_is_proven_on_every_day_on_which_something_else_is_asked_for() {
        let proof = on_the_chinese(concat!(
            "[[local]]\nmarker = \"anti-malaria\"\norder = \"o\"\nfrom = \"2026-05-01\"\nto = \"2026-10-31\"\n",
            "[[local]]\nmarker = \"malaria-RNA\"\norder = \"o\"\nfrom = \"2026-06-01\"\nto = \"2026-10-31\"\n",
            "[[local]]\nmarker = \"T. cruzi\"\norder = \"o\"\nwho = \"first_time\"\n",
            "[[local]]\nmarker = \"Babesia\"\norder = \"o\"\nfrom = \"2026-06-01\"\nto = \"2026-06-01\"\n",
        ));
        assert!(proof.holds(), "{:?}", proof.faults);
        let named: Vec<&str> = proof.worlds[5..].iter().map(|world| world.name.as_str()).collect();
        let whole = |tests: usize, day: &str| {
            format!("the whole donation: {tests} tests, each good, missing or bad, collected {day}")
        };
        let tables = ["anti-malaria", "NAT malaria", "anti-T.cruzi", "NAT Babesia"];
        let mut due = tables.map(|what| table(what, "2026-06-01")).to_vec();
        due.extend([
            whole(10, "2019-01-01"),
            whole(11, "2026-05-01"),
            whole(12, "2026-06-02"),
            whole(13, "2026-06-01"),
        ]);
        assert_eq!(named, due);
        let passing: Vec<usize> = proof.worlds[5..].iter().map(|world| world.pass).collect();
        assert_eq!(passing, [2, 1, 2, 1, 1, 1, 1, 1], "{:?}", proof.worlds);
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

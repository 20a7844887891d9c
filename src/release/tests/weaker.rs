//! What a pack is told of that lets more pass than the one it is held against, reagent by reagent: what holds is compared, and
//! not what is written.

#[cfg(test)]
mod weaker {
    use release::{RulePack, Unit, decide};

    fn over(text: &str) -> RulePack {
        RulePack::from_toml(&format!("id = \"site\"\nbased_on = \"cn-2019\"\n{text}")).unwrap()
    }

    fn reagent(text: &str) -> String {
        format!("[[reagent]]\nmarker = \"HBsAg\"\nname = \"A\"\n{text}")
    }

    /// `key = value` of each line.
    fn lines(weaker: &[release::pack::Weaker]) -> Vec<String> {
        weaker.iter().map(|one| format!("{} = {}", one.key, one.value)).collect()
    }

    /// Against the built-in pack, whatever of it is not refused.
    fn against_the_base(text: &str) -> Vec<String> {
        lines(&over(text).weaker())
    }

    /// One put in the place of another that is in force.
    fn after(in_force: &str, proposed: &str) -> Vec<String> {
        lines(&over(proposed).weaker_than_in_force(&over(in_force), "2026-03-01".parse().unwrap()))
    }

    #[test]
    fn a_reagent_whose_signal_is_turned_round_is_named() {
        let turned = reagent("direction = \"competitive\"\n");
        let weaker = over(&turned).weaker();
        assert_eq!(lines(&weaker), ["reagent[0].direction = competitive"]);
        let (en, zh) = (weaker[0].english(), weaker[0].chinese());
        assert!(en.contains("WEAKER than cn-2019") && en.contains("a strong signal is non-reactive"), "{en}");
        assert!(zh.contains("弱于 cn-2019") && zh.contains("强信号判为无反应性"), "{zh}");
        // It is what it does.
        let mut case: serde_json::Value = serde_json::from_str(include_str!("cases/base.json")).unwrap();
        case["serology"][0]["results"][0]["od"] = "3.000".into();
        let unit = |pack: &RulePack| decide(&serde_json::from_value(case.clone()).unwrap(), pack).unit();
        assert_eq!((unit(&over("")), unit(&over(&turned))), (Unit::Hold, Unit::Pass));
        // Who is told that it is competitive may say so without a word of the cut.
        assert_eq!(after(&turned, &turned), [""; 0]);
        assert_eq!(after(&turned, ""), ["reagent (HBsAg A).direction = direct"]);
        assert_eq!(after(&turned, &reagent("cut = \"0.9\"\n")), ["reagent[0].direction = direct"]);
    }

    #[test]
    fn a_grey_zone_that_is_waved_through_where_there_was_none_is_named() {
        let both = ["sero.gz_as_initial_reactive = false", "sero.dup_uses_gz = false"];
        assert_eq!(against_the_base("[sero]\ngz_low = \"0.90\"\n"), both);
        assert_eq!(after("", "[sero]\ngz_low = \"0.90\"\n"), both);
        let initial = "[sero]\ngz_low = \"0.90\"\ngz_as_initial_reactive = true\n";
        assert_eq!(against_the_base(initial), ["sero.dup_uses_gz = false"]);
        assert_eq!(against_the_base(&format!("{initial}dup_uses_gz = true\n")), [""; 0]);
        assert_eq!(
            against_the_base(&reagent("gz_low = \"0.90\"\ndup_uses_gz = true\n")),
            ["reagent[0].gz_as_initial_reactive = false"]
        );
        let weaker = over("[sero]\ngz_low = \"0.90\"\n").weaker();
        assert!(weaker[0].english().contains("what an analyser calls grey is reactive"), "{weaker:?}");
        assert!(weaker[0].chinese().contains("仪器报告的灰区按有反应性处理"), "{weaker:?}");
        // It is what it does.
        let mut case: serde_json::Value = serde_json::from_str(include_str!("cases/base.json")).unwrap();
        case["serology"][0]["results"] = serde_json::json!([{"kind": "initial", "sco": "0.95", "interpretation": "grey_zone", "run": "E1"}]);
        let unit = |pack: &RulePack| decide(&serde_json::from_value(case.clone()).unwrap(), pack).unit();
        assert_eq!(
            (unit(&over("")), unit(&over("[sero]\ngz_low = \"0.90\"\n")), unit(&over(initial))),
            (Unit::Hold, Unit::Pass, Unit::Hold)
        );
    }

    #[test]
    fn a_reagent_that_finds_less_than_in_force_is_named() {
        let grey = "[sero]\ngz_low = \"0.90\"\ngz_as_initial_reactive = true\ndup_uses_gz = true\n";
        let own = |text: &str| format!("{grey}{}", reagent(text));
        let cut = own("cut = \"0.90\"\n");
        assert_eq!(after(&cut, grey), ["reagent (HBsAg A).cut = 1.00"], "dropped");
        assert_eq!(after(&cut, &own("cut = \"0.95\"\n")), ["reagent[0].cut = 0.95"]);
        assert_eq!(after(&cut, &own("direction = \"direct\"\n")), ["reagent[0].cut = 1.00"]);
        assert_eq!(after(grey, &own("gz_low = \"1.00\"\n")), ["reagent[0].gz_low = 1.00"]);
        assert_eq!(
            after(grey, &own("gz_as_initial_reactive = false\n")),
            ["reagent[0].gz_as_initial_reactive = false"]
        );
        assert_eq!(after(grey, &own("dup_uses_gz = false\n")), ["reagent[0].dup_uses_gz = false"]);
        let wells = grey.replace("dup_uses_gz = true", "dup_uses_gz = false");
        assert_eq!(after(grey, &wells), ["sero.dup_uses_gz = false"]);
        let low = own("gz_low = \"0.80\"\n");
        assert_eq!(after(&low, grey), ["reagent (HBsAg A).gz_low = 0.90"]);
        // What finds more, or the same in other words, is not.
        for (in_force, proposed) in [(grey, &cut), (grey, &low), (grey, &own("gz_low = \"0.90\"\n"))] {
            assert_eq!(after(in_force, proposed), [""; 0], "{proposed}");
        }
        assert_eq!(after(&own("gz_low = \"0.90\"\ngz_as_initial_reactive = true\n"), grey), [""; 0]);
    }

    #[test]
    fn a_del_donor_that_would_be_labelled_negative_again_is_named() {
        let positive = "[group]\ndel_label = \"POS\"\n";
        assert_eq!(after(positive, ""), ["group.del_label = NEG_FLAGGED"]);
        assert_eq!(after("", positive), [""; 0]);
    }
}

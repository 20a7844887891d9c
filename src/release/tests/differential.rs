//! The crate's verdict against a second, naive reading of the tables, on evidence that is made up.
//!
//! The ordinary run takes 5,000 donations under four packs, as they are and with orders of an authority. A million:
//! `DIFFERENTIAL_CASES=1000000 cargo test --release -p release --test differential`.

#[cfg(test)]
mod naive;

#[cfg(test)]
mod differential {
    use crate::naive::{self, Policy, made_up};
    use release::{RulePack, Unit, decide};

    const CASES: Option<&str> = option_env!("DIFFERENTIAL_CASES");
    const CASES_ORDINARY: u64 = 5_000;
    /// Four without orders, the others with some that are made up.
    const PACKS: usize = 64;

    fn packs() -> Vec<(RulePack, Policy)> {
        let strict = Policy {
            ndr_discards: true,
            unresolved: 'H',
            no_duplicates: false,
            keep_reactive: false,
            sticky_needs_two: true,
            grey_from: None,
            grey_counts: true,
            two_reagents: false,
            not_in_pools: false,
            orders: &[],
        };
        let soft = "[nat]\nndr = \"REPEAT_x2_THEN\"\nmp_unresolved = \"RELEASE\"\n[sero]\ndup = \"NODUP\"\n";
        let kept = "[strategy]\nhbv = \"sero2+nat\"\nhcv = \"sero2+nat\"\nhiv = \"sero2+nat\"\n[nat]\nmp_unresolved = \"DISCARD\"\nsero_reactive_in_pool = \"EXCLUDE\"\n[invalid]\nexternal_control = \"KEEP_REACTIVE\"\nsticky_reactive = \"FLAG\"\n";
        let grey = "[sero]\ngz_low = \"0.90\"\ngz_as_initial_reactive = true\n";
        let plain = [
            ("", strict),
            (soft, Policy { ndr_discards: false, unresolved: 'P', no_duplicates: true, ..strict }),
            (
                kept,
                Policy {
                    unresolved: 'D',
                    keep_reactive: true,
                    sticky_needs_two: false,
                    two_reagents: true,
                    not_in_pools: true,
                    ..strict
                },
            ),
            (grey, Policy { grey_from: Some(90), ..strict }),
        ];
        let mut dice = made_up::Dice::new(20_261_123);
        let mut packs = Vec::new();
        for at in 0..PACKS {
            let (text, policy) = plain[at % plain.len()];
            let orders = if at < plain.len() { Vec::new() } else { made_up::orders(&mut dice) };
            let ordered: String = orders.iter().map(naive::ordered::Order::text).collect();
            let text = format!("id = \"d\"\nbased_on = \"cn-2019\"\n{text}{ordered}");
            packs.push((RulePack::from_toml(&text).unwrap(), Policy { orders: orders.leak(), ..policy }));
        }
        packs
    }

    fn letter(unit: Unit) -> char {
        match unit {
            Unit::Pass => 'P',
            Unit::Hold => 'H',
            Unit::Discard => 'D',
        }
    }

    #[test]
    fn two_readings_of_the_tables_agree_on_made_up_evidence() {
        let cases = CASES.map_or(CASES_ORDINARY, |text| text.parse().unwrap());
        let packs = packs();
        let mut dice = made_up::Dice::new(20_261_122);
        let (mut seen, mut releasable) = ([0_u64; 3], 0_u64);
        for case in 0..cases {
            let (pack, policy) = &packs[usize::try_from(case).unwrap() % PACKS];
            let evidence = made_up::evidence(&mut dice);
            let verdict = decide(&evidence, pack);
            let found = naive::Verdict {
                unit: letter(verdict.unit()),
                releasable: verdict.is_releasable(),
                markers: verdict
                    .markers()
                    .iter()
                    .map(|(name, m)| (*name, (letter(m.unit), m.reentry_candidate)))
                    .collect(),
                closed: verdict
                    .gates()
                    .iter()
                    .enumerate()
                    .filter(|(_, g)| !g.pass)
                    .map(|(at, _)| at + 1)
                    .collect(),
            };
            let expected = naive::decide(&evidence, *policy);
            assert_eq!(
                found,
                expected,
                "case {case}, {:?}: {}",
                policy.orders,
                serde_json::to_string(&evidence).unwrap()
            );
            seen[match verdict.unit() {
                Unit::Pass => 0,
                Unit::Hold => 1,
                Unit::Discard => 2,
            }] += 1;
            releasable += u64::from(verdict.is_releasable());
        }
        eprintln!("{cases} donations agree: {seen:?} pass, hold, discard; {releasable} releasable");
        assert!(seen.iter().all(|n| *n * 20 > cases), "the generator reaches too little: {seen:?}");
    }
}

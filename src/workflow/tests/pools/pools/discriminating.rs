//! A test of one target that comes after the screening, made on a pool.

use super::{Step, check, number, pool, rows};

#[test]
fn a_pool_is_not_screened_by_tests_that_discriminate() {
    let house = check("clear", &[Step::Log(rows()), pool("nnn", "1500")], "--- --- --- --- --- ---");
    let donation = vocabulary::DonationId::new(&number(1)).unwrap();
    let mut facts = workflow::facts_of(&house.settings, &house.ledger.state(), &donation).unwrap();
    let states = |facts: &workflow::DonationFacts| -> Vec<&str> {
        let verdict = release::decide(&workflow::evidence(facts, &house.settings), &house.settings.pack);
        verdict.nat().iter().map(|one| one.state.name()).collect()
    };
    assert_eq!(states(&facts), ["FINAL_NR"; 3]);
    for result in &mut facts.pools[0].results {
        result.observation.discriminates = true;
    }
    assert_eq!(states(&facts), ["NOT_TESTED"; 3]);
}

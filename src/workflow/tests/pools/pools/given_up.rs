//! Members whose single tests are not repeated any more.

use super::*;

/// A member that is invalid for good never explains its pool, and is not waited for: the pack says what becomes of the
/// others (`nat.mp_unresolved`).
#[test]
fn a_member_that_is_given_up_leaves_its_pool_unresolved() {
    let again = |targets: &'static str, at: &'static str| Step::Tests(number(6), targets, at);
    let alone = [vec![Step::Log(rows()), pool("rnn", "1500")], singles(1..=5, "nnn")].concat();
    let once = [alone.clone(), vec![again("iii", "1700")]].concat();
    check("invalid once", &once, "p-- p-- p-- p-- p-- iii");
    let twice = [once, vec![again("iii", "1800")]].concat();
    let house = check("invalid for good", &twice, "u-- u-- u-- u-- u-- xxx");
    let shown = workflow::pools::show(&house.settings, &house.ledger.state(), &PoolId::new(POOL).unwrap());
    let shown = serde_json::to_value(shown.unwrap().unwrap()).unwrap();
    assert_eq!(shown["makings"][0]["members"][5]["alone"]["given_up"], true);
    let found = [alone[..5].to_vec(), vec![single(4, "rnn")], twice[6..].to_vec()].concat();
    check("another member explains it", &found, "--- --- --- +-- --- xxx");
}

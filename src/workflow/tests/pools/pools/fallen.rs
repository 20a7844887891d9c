//! What falls with a lot that is found defective.

use super::{Step, check, number, pool, rows};
use ledger::{Draft, What};

/// Each member of a reactive pool was tested alone; the one that explains it an hour and a half after the others.
#[test]
fn a_lot_that_falls_takes_what_another_member_gave_alone_with_it() {
    let alone = |member, targets, at| Step::Tests(number(member), targets, at);
    let others = (2..=6).map(|member| alone(member, "nnn", "1530"));
    let steps = [Step::Log(rows()), pool("rnn", "1500"), alone(1, "rnn", "1700")];
    let steps: Vec<Step> = steps.into_iter().chain(others).collect();
    let house = check("explained by the first", &steps, "+-- --- --- --- --- ---");
    let since: jiff::Timestamp = "2026-03-02T16:00:00Z".parse().unwrap();
    let defective = ledger::LotsAct::Defective {
        lot: "K12345".into(),
        since_ms: since.as_millisecond(),
        connections: vec![],
        reason: "recalled by the maker".into(),
    };
    let written = Draft { by: "user:qc1".into(), what: What::Lots(defective) };
    let entry = house.ledger.append(vec![written]).unwrap().wait().unwrap().last();
    house.ledger.wait_applied(entry).wait().unwrap();
    house.works();
    assert_eq!(house.states(), "iii p-- p-- p-- p-- p--", "whose it was is open again");
}

//! What falls with a lot that is found defective.

use super::lots::accepted;
use super::{House, Step, check, number, pool, rows, single, singles};
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

/// The member that explains a pool was tested with a lot that nobody has accepted.
#[test]
fn a_member_whose_own_result_would_not_let_it_go_explains_no_pool() {
    let steps =
        [&[Step::Log(rows()), pool("rnn", "1500"), single(1, "rnn")][..], &singles(2..=6, "nnn")].concat();
    let mut house = check("explained", &steps, "+-- --- --- --- --- ---");
    let id = |member: usize| vocabulary::DonationId::new(&number(member)).unwrap();
    let facts = |house: &House, member: usize| {
        workflow::facts_of(&house.settings, &house.ledger.state(), &id(member)).unwrap()
    };
    let state = |house: &House, facts: &workflow::DonationFacts| {
        let verdict = release::decide(&workflow::evidence(facts, &house.settings), &house.settings.pack);
        verdict.nat()[0].state.name()
    };
    let mut second = facts(&house, 2);
    assert_eq!(state(&house, &second), "FINAL_NR");
    second.pools[0].members.get_mut(&id(1)).unwrap().doubted = true;
    assert_eq!(state(&house, &second), "PENDING", "its number was typed in");
    house.settings.lots = accepted(&["C777"]);
    let of = [1, 2].map(|member| state(&house, &facts(&house, member)));
    assert_eq!(of, ["FINAL_R", "PENDING"], "its lot is not accepted");
}

//! Two logs under one number that do not name the same members: who is tested alone after both answers for himself.

use super::{House, Row, Step, again, check, number, pool, rows, single, singles};

/// The pool made of six, and an hour later under the same number with another in the place of the third; then tested.
fn two_makings(targets: &'static str) -> Vec<Step> {
    let of = |row: Row| if row.position == 3 { Row { member: number(9), ..row } } else { row };
    let other = again().into_iter().map(of).collect();
    vec![Step::Log(rows()), Step::Log(other), pool(targets, "1500")]
}

fn then(targets: &'static str, more: Vec<Step>) -> Vec<Step> {
    [two_makings(targets), more].concat()
}

/// What gate 15 has against the second donation.
fn held(house: &House) -> Option<(String, String)> {
    let verdict = house.verdict(2);
    let gate = verdict.gates().iter().find(|gate| gate.id.to_string() == "R-GATE-15").unwrap();
    let found = house.held(2).iter().any(|(name, _)| name == "pool_conflict");
    assert_eq!(gate.pass, !found, "{}", gate.why);
    let remedy = format!("{}\n{}", gate.remedy.unwrap_or_default(), gate.remedy_zh.unwrap_or_default());
    (!gate.pass).then(|| (gate.why.to_string(), remedy))
}

#[test]
fn a_donation_that_was_tested_alone_since_waits_for_no_pool_of_unknown_members() {
    let house = check("nobody alone", &then("nnn", vec![]), "ppp ppp ppp ppp ppp ppp");
    let (why, remedy) = held(&house).unwrap();
    assert!(why.contains("PL1 and PL2") && why.contains("singly: that answers for it"), "{why}");
    assert!(remedy.contains("test the donation singly, after every making"), "{remedy}");
    assert!(remedy.contains("单样检测"), "{remedy}");
    let house = check("all of them alone", &then("nnn", singles(1..=6, "nnn")), "--- --- --- --- --- ---");
    assert_eq!(held(&house), None);
    let house = check("one of them", &then("nnn", vec![single(2, "nnn")]), "ppp --- ppp ppp ppp ppp");
    assert_eq!(held(&house), None);
    assert!(house.held(1).iter().any(|(name, _)| name == "pool_conflict"));
}

#[test]
fn what_does_not_answer_for_all_of_the_pool_leaves_it_open() {
    let between = Step::Tests(number(2), "nnn", "1330");
    for (what, single) in [
        ("before the second making", between),
        ("one target is not in", single(2, "nn-")),
        ("one target is invalid", single(2, "nni")),
    ] {
        let house = House::new();
        for step in then("nnn", vec![single]) {
            house.takes(&step);
        }
        house.works();
        assert!(held(&house).is_some(), "{what}");
    }
}

/// Whose blood it found nobody knows: each of them may be in it.
#[test]
fn a_reactive_pool_of_unknown_members_is_explained_by_none() {
    let all = [vec![single(1, "rnn")], singles(2..=6, "nnn")].concat();
    let house = check("reactive", &then("rnn", all), "+-- p-- p-- p-- p-- p--");
    assert_eq!(held(&house), None);
    let next = house.verdict(2).next().join(" ");
    assert!(next.contains("its log does not show who was in it"), "{next}");
}

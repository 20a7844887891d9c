//! Which pack judges which donation, on a real ledger.

use super::*;
use crate::batches::tests::{Station, registered};
use crate::batches::{BatchNow, NewBatch, open};
use crate::people;
use vocabulary::Role;

const OVERLAY: &str = "id = \"site\"\nbased_on = \"cn-2019\"\n";

fn pack(id: &str) -> RulePack {
    RulePack::built_in(id).unwrap()
}

fn says(station: &Station, who: &Actor, name: &str, from: Option<&str>) -> Step {
    let from = from.map(|from| from.parse().unwrap());
    activate(&station.ledger, who, (name, from), "the authority says so").unwrap()
}

fn judges(station: &Station, batch: Seq) -> Vec<String> {
    let now = BatchNow::read(&station.settings, &station.ledger.state(), batch).unwrap();
    now.members.iter().map(|member| member.verdict.rule_pack().id.clone()).collect()
}

#[test]
fn a_pack_judges_what_is_taken_after_two_people_have_said_so_and_nothing_from_before() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    let technician = station.person("tech", Role::Technician);
    for (donation, at) in [("G7", "2098-12-31T00:00:00Z"), ("G8", "2099-06-01T00:00:00Z")] {
        station.write(registered(donation, at));
    }
    let donations = vec!["G1".to_owned(), "G7".to_owned(), "G8".to_owned()];
    let new = NewBatch { name: "days".into(), donations, ..NewBatch::default() };
    let batch = open(&station.settings, &station.ledger, &technician, &new).unwrap();
    assert_eq!(
        judges(&station, batch),
        ["cn-2019"; 3],
        "where nothing was adopted the configured one judges"
    );

    assert_eq!(start(&station.ledger, &pack("cn-2019")).unwrap(), Begun::InForce);
    assert_eq!(start(&station.ledger, &pack("cn-2019")).unwrap(), Begun::InForce);
    let waits = start(&station.ledger, &pack("us-fda")).unwrap();
    assert!(matches!(&waits, Begun::Waits { in_force, .. } if in_force.id == "cn-2019"), "{waits:?}");

    let refused = activate(&station.ledger, &technician, ("us-fda", None), "x");
    let wanted = people::Refused::NotPermitted { act: Act::ActivateRules };
    assert!(matches!(&refused, Err(NotDone::Person(why)) if *why == wanted), "{refused:?}");
    let proposed = says(&station, &reviewer, "us-fda", Some("2099-01-01T00:00:00Z"));
    assert!(matches!(proposed, Step::Proposed { .. }), "{proposed:?}");
    assert!(matches!(says(&station, &reviewer, "us-fda", None), Step::WaitsForAnother { .. }));
    assert_eq!(judges(&station, batch), ["cn-2019"; 3], "one person's word changes nothing");
    let hash: String = pack("us-fda").hash().chars().take(12).collect();
    let activated = says(&station, &releaser, &hash, None);
    assert!(matches!(&activated, Step::Activated { from, .. } if from.to_string() == "2099-01-01T00:00:00Z"));
    assert_eq!(judges(&station, batch), ["cn-2019", "cn-2019", "us-fda"], "by the time each was taken");
    let rules = station.ledger.state().rules().unwrap();
    let by: Vec<&str> = rules.packs.iter().map(|one| one.by.as_str()).collect();
    assert_eq!(by, ["system", "user:rel"]);
    assert_eq!(rules.packs[1].proposed.as_ref().map(|p| p.by.as_str()), Some("user:rev"));

    // From now on, another; the one of 2099 still takes over then.
    assert!(matches!(says(&station, &releaser, "uk-jpac", None), Step::Proposed { .. }));
    assert!(matches!(says(&station, &reviewer, "uk-jpac", None), Step::Activated { .. }));
    assert_eq!(judges(&station, batch), ["cn-2019", "uk-jpac", "us-fda"]);
    assert!(matches!(
        says(&station, &reviewer, "us-fda", Some("2099-03-01T00:00:00Z")),
        Step::InForce { .. }
    ));
    for (name, from, about) in [
        ("us-fda", Some("2020-01-01T00:00:00Z"), "from now on"),
        ("us-fdb", None, "no rule pack goes by"),
        ("", None, "no rule pack goes by"),
    ] {
        let step = says(&station, &reviewer, name, from);
        assert!(matches!(&step, Step::Refused(why) if why.why.contains(about)), "{name} {step:?}");
    }
}

#[test]
fn a_sites_own_pack_is_kept_whole_and_an_entry_without_a_second_person_changes_nothing() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    start(&station.ledger, &pack("cn-2019")).unwrap();
    let Added { pack: added, weaker } = add(&station.ledger, &reviewer, OVERLAY).unwrap().unwrap();
    assert_eq!(weaker, []);
    let kept = station.ledger.state().kept_pack(&added).unwrap().unwrap();
    assert_eq!(RulePack::from_source(&kept.content).unwrap(), RulePack::from_toml(OVERLAY).unwrap());
    assert!(kept.content.base.is_some(), "with the text that it is based on");
    let weaker = add(
        &station.ledger,
        &reviewer,
        &format!("{OVERLAY}[release]\ntwo_person = {{ value = false, confidence = \"own-H\" }}\n"),
    );
    assert!(weaker.unwrap().is_err_and(|why| why.why.contains("release.two_person")));

    let Step::Proposed { entry, .. } = says(&station, &reviewer, "site", None) else {
        panic!("not proposed")
    };
    let act = |by: &str, proposed: Seq| {
        let what = What::Rules(RulesAct::Activated { pack: added.clone(), proposed });
        let seq = station.ledger.append(vec![Draft { by: by.into(), what }]).unwrap().wait().unwrap().last();
        station.ledger.wait_applied(seq).wait().unwrap();
        station.ledger.state().rules().unwrap().packs.len()
    };
    assert_eq!(act("user:rev", entry), 1, "the proposer alone");
    assert_eq!(act("user:other", Seq::new(1)), 1, "another proposal");
    assert_eq!(act("user:other", entry), 2);
    assert_eq!(station.ledger.state().counters().unwrap().misfits, 2);
}

/// Its discard of a raised ALT begins where no result ever lies.
#[test]
fn a_pack_whose_proof_fails_is_neither_kept_nor_adopted_nor_put_in_force() {
    let station = Station::new();
    let reviewer = station.person("rev", Role::Reviewer);
    let text = include_str!("../../../release/packs/who-minimum.toml")
        .replacen("id = \"who-minimum\"", "id = \"unproven\"", 1)
        .replacen("alt = { value = false", "alt = { value = true", 1)
        .replacen("limit_u_l = { value = \"50.0\"", "limit_u_l = { value = \"5000\"", 1);
    let unproven = RulePack::from_toml(&text).unwrap();
    let begun = start(&station.ledger, &unproven).unwrap();
    assert!(matches!(&begun, Begun::Refused(why) if why.why.contains("ALT Bad")), "{begun:?}");
    assert!(station.ledger.state().rules().unwrap().packs.is_empty());

    start(&station.ledger, &pack("cn-2019")).unwrap();
    let refused = add(&station.ledger, &reviewer, &text).unwrap().unwrap_err();
    assert!(refused.why.contains("proof of rule pack unproven fails"), "{refused:?}");
    assert!(refused.why.contains("ALT Bad: pass where discard is due"), "{refused:?}");
    assert!(refused.why_zh.contains("未通过证明") && refused.why_zh.contains("ALT Bad"), "{refused:?}");
    assert_eq!(station.ledger.state().kept_pack(&unproven.reference()).unwrap(), None);
    // A configuration that names it keeps it, and no more.
    start(&station.ledger, &unproven).unwrap();
    assert!(station.ledger.state().kept_pack(&unproven.reference()).unwrap().is_some());
    let step = says(&station, &reviewer, "unproven", None);
    assert!(matches!(&step, Step::Refused(why) if why.why.contains("ALT Bad")), "{step:?}");
    assert_eq!(station.ledger.state().rules().unwrap().proposed, None);
}

#[test]
fn what_a_pack_asks_less_for_than_its_jurisdictions_is_said_to_both_people() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    start(&station.ledger, &pack("cn-2019")).unwrap();
    let soft = "id = \"soft\"\nbased_on = \"who-minimum\"\njurisdiction = \"CN\"\n";
    let keys = |weaker: &[Weaker]| -> Vec<String> { weaker.iter().map(|one| one.key.clone()).collect() };
    let expect =
        ["tests.alt", "strategy.hbv", "strategy.hcv", "strategy.hiv", "strategy.tp", "nat.pool_members_max"];
    let added = add(&station.ledger, &reviewer, soft).unwrap().unwrap();
    assert_eq!(keys(&added.weaker)[..6], expect);
    let Step::Proposed { weaker, .. } = says(&station, &reviewer, "soft", None) else {
        panic!("not proposed")
    };
    assert_eq!(weaker, added.weaker);
    let Step::Activated { weaker, .. } = says(&station, &releaser, "soft", None) else {
        panic!("not activated")
    };
    assert_eq!(weaker, added.weaker);
}

/// Nobody goes back to less than what is in force without knowing it, whatever the jurisdiction asks for.
#[test]
fn what_a_pack_asks_less_for_than_the_one_in_force_is_said_to_both() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    let stricter = RulePack::from_toml(&format!("{OVERLAY}[sero]\ncut = \"0.8\"\n")).unwrap();
    start(&station.ledger, &stricter).unwrap();
    assert_eq!(pack("cn-2019").weaker(), [], "it asks for what its jurisdiction does");
    let Step::Proposed { weaker, .. } = says(&station, &reviewer, "cn-2019", None) else {
        panic!("not proposed")
    };
    let [less] = &weaker[..] else { panic!("{weaker:?}") };
    assert_eq!((less.key.as_str(), less.value.as_str()), ("sero.cut", "1.00"));
    assert!(less.than.starts_with("site ") && less.english().contains("at most 0.8"), "{less:?}");
    let told = weaker;
    let Step::Activated { weaker, .. } = says(&station, &releaser, "cn-2019", None) else {
        panic!("not activated")
    };
    assert_eq!(weaker, told, "the second one too");
}

/// Nothing of what an authority orders is asked for any longer without both being told.
#[test]
fn a_pack_that_drops_an_order_of_the_pack_in_force_is_said_to_both() {
    let station = Station::new();
    let (reviewer, releaser) = (station.person("rev", Role::Reviewer), station.person("rel", Role::Releaser));
    let local = |more: &str| format!("[[local]]\nmarker = \"anti-malaria\"\norder = \"No. 12\"\n{more}");
    let from = "from = \"2026-05-01\"\n";
    let over = "[[local]]\nmarker = \"HTLV\"\norder = \"No. 3\"\nto = \"2020-12-31\"\n";
    let had = format!("{OVERLAY}{}{over}", local(&format!("{from}to = \"2098-10-31\"\n")));
    let had = RulePack::from_toml(&had).unwrap();
    start(&station.ledger, &had).unwrap();
    let of = |(who, said): (&Actor, &str), from: Option<&str>| {
        let pack = add(&station.ledger, who, &format!("{OVERLAY}{said}")).unwrap().unwrap().pack;
        match says(&station, who, &pack.hash, from) {
            Step::Proposed { weaker, .. } | Step::Activated { weaker, .. } => weaker,
            other @ (Step::InForce { .. } | Step::WaitsForAnother { .. } | Step::Refused(_)) => {
                panic!("{other:?}")
            }
        }
    };
    let shorter = local(&format!("{from}to = \"2098-10-30\"\n"));
    let fewer = local("who = \"first_time\"\n");
    for (said, value) in [
        ("[[local]]\nmarker = \"HTLV\"\norder = \"No. 3\"\n", "–"),
        (&shorter, "anti-malaria 2026-05-01/2098-10-30 every (No. 12)"),
        (&fewer, "anti-malaria ../.. first_time (No. 12)"),
    ] {
        let [weaker] = &of((&reviewer, said), None)[..] else { panic!("{said}: told of none") };
        assert_eq!((weaker.key.as_str(), weaker.value.as_str()), ("local", value));
        let due = "anti-malaria 2026-05-01/2098-10-31 every (No. 12)";
        let than = weaker.than.strip_prefix("site ");
        assert!(than.is_some_and(|hash| had.hash().starts_with(hash)), "{weaker:?}");
        assert!(weaker.english().contains(due) && weaker.chinese().contains(due), "{weaker:?}");
    }
    for said in [local(""), local("from = \"2025-01-01\"\n")] {
        assert_eq!(of((&reviewer, &said), None), [], "{said}");
    }
    assert_eq!(of((&reviewer, ""), Some("2098-11-02T00:00:00Z")), [], "both orders are over by then");
    // Who agrees is told as well.
    assert_eq!(of((&reviewer, &fewer), None).len(), 1);
    assert_eq!(of((&releaser, &fewer), None).len(), 1);
    assert_eq!(of((&releaser, ""), None)[0].value, "–", "of the pack in force now");
}

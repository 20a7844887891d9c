//! A rule pack judges when two people have put it in force, whatever the configuration says.

use crate::{
    house::House,
    staff::{PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use std::fs;
use vocabulary::Role;

const STAFF: [(&str, &[Role]); 3] =
    [("tech", &[Role::Technician]), ("rev", &[Role::Reviewer]), ("rel", &[Role::Releaser])];
/// The site asks for one thing more than the pack that it is based on.
const OVERLAY: &str = "id = \"our-site\"\nbased_on = \"cn-2019\"\n\
    [tests]\nab_screen = { value = \"every_donation\", confidence = \"own-H\" }\n";

fn registration(donation: &str, collected_at: &str) -> Value {
    json!([{ "donation": donation, "collected_at": collected_at,
        "donor": { "id": donation, "first_time": true, "deferred": false } }])
}

#[test]
fn a_changed_overlay_judges_nothing_before_two_people_have_activated_it() {
    let house = House::with(&[]);
    hire(&house, &STAFF);
    let daemon = house.start();
    let first = daemon.get("rule-packs");
    assert_eq!(
        (&first["active"]["pack"]["id"], &first["active"]["by"]),
        (&json!("cn-2019"), &json!("system"))
    );
    daemon.stop();

    let file = house.path.join("our-site.toml");
    fs::write(&file, OVERLAY).unwrap();
    let text = fs::read_to_string(house.config()).unwrap();
    fs::write(house.config(), format!("{text}[rules]\npack = {:?}\n", file.display().to_string())).unwrap();
    let daemon = house.start();
    let said = daemon.log.join("\n");
    assert!(said.contains("until two people activate") && said.contains("须由两人启用"), "{said}");
    let judged_by = |donation: &str, at: &str| {
        let (status, answer) = daemon.post("donations", &registration(donation, at));
        assert_eq!(status, 201, "{answer}");
        daemon.idle();
        daemon.get(&format!("donations/{donation}"))["verdict"]["rule_pack"]["id"].clone()
    };
    assert_eq!(judged_by("G123426000001", "2026-03-02T08:00:00Z"), "cn-2019");
    let before = daemon.get("rule-packs");
    assert_eq!(
        (&before["configured"]["id"], &before["active"]["pack"]["id"]),
        (&json!("our-site"), &json!("cn-2019"))
    );

    // Nothing is taken in the future, but for clocks that differ a little.
    let soon = |minutes: i64| {
        let at = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        at.round(jiff::Unit::Second).unwrap().to_string()
    };
    let (from, later) = (soon(8), soon(12));
    let activate = |who: &str| {
        let words = ["rules", "activate", "our-site", "--from", &from, "--why", "asked for", "--as", who];
        command(&house, &words, &[PASSWORD])
    };
    let (exit, printed) = activate("tech");
    assert_eq!(exit, 77, "{printed}");
    let (exit, printed) = activate("rev");
    assert!(exit == 0 && printed.contains("another person"), "{printed}");
    let (exit, printed) = activate("rev");
    assert!(exit == 1 && printed.contains("another person has to agree"), "{exit} {printed}");
    let (exit, printed) = command(&house, &["rules", "list"], &[]);
    assert!(exit == 0 && printed.contains("proposed by user:rev, waits for another person"), "{printed}");
    assert_eq!(judged_by("G123426000002", &later), "cn-2019", "one word is none");
    let (exit, printed) = activate("rel");
    assert!(exit == 0 && printed.contains(&from), "{printed}");
    daemon.idle();
    let of =
        |donation: &str| daemon.get(&format!("donations/{donation}"))["verdict"]["rule_pack"]["id"].clone();
    assert_eq!(of("G123426000001"), "cn-2019", "what was taken before stays as it was judged");
    assert_eq!(of("G123426000002"), "our-site", "what is taken from then on is judged anew");

    for (words, expect) in [
        (&["rules", "list"][..], format!("takes over at {from} (user:rev + user:rel)")),
        (&["rules", "show", "cn-2019"][..], "in force since the beginning (system)".to_owned()),
        (
            &["rules", "show", "cn-2019", "--format", "json"],
            r#""key":"nat.late_ct","must_be_confirmed":false,"value":null"#.to_owned(),
        ),
    ] {
        let (exit, printed) = command(&house, words, &[]);
        assert!(exit == 0 && printed.contains(&expect), "{words:?}: {printed}");
    }
    let reviewer = Person::signs_in(&daemon, "rev");
    let unknown = reviewer.post("rule-packs/activate", &json!({ "pack": "nowhere", "why": "x" }));
    assert_eq!(unknown.refused().0, 422, "{unknown:#?}");
    let audit = daemon.list("audit");
    let acts: Vec<(&str, &str)> = audit
        .iter()
        .filter(|entry| entry["what"].as_str().unwrap().starts_with("rules_"))
        .map(|entry| (entry["what"].as_str().unwrap(), entry["by"].as_str().unwrap()))
        .collect();
    let system = |what| (what, "system");
    assert_eq!(
        acts,
        [
            system("rules_kept"),
            system("rules_adopted"),
            system("rules_kept"),
            ("rules_proposed", "user:rev"),
            ("rules_activated", "user:rel")
        ]
    );
    daemon.stop();
    // With the daemon gone the packs are still listed, and it is said that nobody knows which judges.
    let (exit, printed) = command(&house, &["rules", "list"], &[]);
    assert!(exit == 0 && printed.contains("no daemon runs here"), "{printed}");
}

/// The Chinese pack without NAT and ALT, at a ninefold cut-off.
fn soft() -> String {
    let mut text = include_str!("../../../src/release/packs/cn-2019.toml").to_owned();
    for (line, instead) in [
        ("id = \"cn-2019\"", "id = \"soft\""),
        ("alt = { value = true,", "alt = { value = false,"),
        ("hiv = { value = \"sero1or2+nat\"", "hiv = { value = \"sero1\""),
        ("cut = { value = \"1.00\"", "cut = { value = \"9.00\""),
    ] {
        assert!(text.contains(line), "{line}");
        text = text.replacen(line, instead, 1);
    }
    text
}

#[test]
fn a_weak_pack_is_called_so_to_both_people_and_one_that_is_not_proven_is_refused() {
    let house = House::with(&[]);
    hire(&house, &STAFF);
    let file = |name: &str, text: &str| {
        let path = house.path.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let weak = ["tests.alt = false", "strategy.hiv = sero1", "sero.cut = 9.00"];
    let told =
        |printed: &str| weak.iter().all(|line| printed.contains(&format!("! {line} is WEAKER than cn-2019")));
    let path = file("soft.toml", &soft());
    let (exit, printed) = command(&house, &["rules", "check", &path, "--at-once", "1"], &[]);
    assert!(
        exit == 1 && told(&printed) && printed.contains("LESS than cn-2019 in 3 values"),
        "{exit} {printed}"
    );

    let daemon = house.start();
    let add = |file: &str| command(&house, &["rules", "add", file, "--as", "rev"], &[PASSWORD]);
    let alone = soft().replacen("two_person = { value = true", "two_person = { value = false", 1);
    let (exit, printed) = add(&file("alone.toml", &alone));
    assert!(exit == 65 && printed.contains("release.two_person"), "{exit} {printed}");
    let endless = soft().replacen("alt = { value = false,", "alt = { value = true,", 1);
    let endless = endless.replacen("limit_u_l = { value = \"50.0\"", "limit_u_l = { value = \"5000\"", 1);
    let (exit, printed) = add(&file("endless.toml", &endless));
    let words = "ALT Bad: pass where discard is due";
    assert!(exit == 65 && printed.contains(words) && printed.contains("未通过证明"), "{exit} {printed}");
    let (exit, printed) = add(&path);
    assert!(exit == 0 && told(&printed), "{exit} {printed}");

    let activate = |who: &str| {
        command(&house, &["rules", "activate", "soft", "--why", "asked for", "--as", who], &[PASSWORD])
    };
    let (exit, printed) = activate("rev");
    assert!(exit == 0 && told(&printed), "{exit} {printed}");
    let (exit, printed) = command(&house, &["rules", "list"], &[]);
    assert!(exit == 0 && told(&printed) && printed.contains("WEAKER than cn-2019 in 3 values"), "{printed}");
    let proposed = daemon.get("rule-packs")["proposed"]["weaker"].clone();
    let keys: Vec<&str> =
        proposed.as_array().unwrap().iter().map(|one| one["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["tests.alt", "strategy.hiv", "sero.cut"]);
    assert_eq!(proposed[0]["due_zh"], "true");
    let (exit, printed) = activate("rel");
    assert!(
        exit == 0 && told(&printed) && printed.contains("judges donations taken from"),
        "{exit} {printed}"
    );
    daemon.stop();
}

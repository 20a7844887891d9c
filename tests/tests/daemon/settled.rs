//! A donation number that was registered for two, through the real daemon: it holds for both donors until two different people
//! have said which registration stands, at the command line and over HTTP alike, and holds again when another one comes.

use crate::{
    house::{Daemon, House},
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use ledger::{Draft, Ledger, What};
use serde_json::{Value, json};
use vocabulary::{DonationRegistration, Role};

const TWICE: &str = "G123426000001";

/// What a station without a look at what stood wrote: one registration after another, nothing held against what was there.
fn registered(house: &House, donors: &[&str]) -> Vec<u64> {
    let settings =
        ledger::Settings { free_bytes_min: 0, ballast_bytes: 0, ..ledger::Settings::new(house.ledger()) };
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let write = |donor: &&str| {
        let one = json!({ "donation": TWICE, "collected_at": "2026-03-01T09:00:00+08:00",
            "donor": { "id": donor, "first_time": false, "deferred": false } });
        let one: DonationRegistration = serde_json::from_value(one).unwrap();
        let group = vec![Draft { by: "bis".into(), what: What::DonationRegistered(one) }];
        let seq = ledger.append(group).unwrap().wait().unwrap().last();
        ledger.wait_applied(seq).wait().unwrap();
        seq.get()
    };
    let entries = donors.iter().map(write).collect();
    ledger.close();
    entries
}

struct Laboratory {
    house: House,
    daemon: Daemon,
}

impl Laboratory {
    fn shown(&self) -> Value {
        self.daemon.idle();
        self.daemon.get(&format!("donations/{TWICE}"))
    }

    fn twice(&self) -> Value {
        self.shown()["registered_twice"].clone()
    }

    fn seen(&self) -> String {
        self.twice()["seen"].as_str().unwrap().to_owned()
    }

    fn gate(&self, id: &str) -> Value {
        let view = self.shown();
        let gates = view["verdict"]["gates"].as_array().unwrap();
        gates.iter().find(|gate| gate["id"] == id).unwrap().clone()
    }

    fn says(&self, entry: u64, seen: &str, who: &str) -> (i32, String) {
        let (number, entry) = (TWICE, entry.to_string());
        let words = ["donation", "settle-registration", number, "--entry", &entry, "--seen", seen];
        command(
            &self.house,
            &[&words[..], &["--reason", "the donor's card", "--as", who]].concat(),
            &[PASSWORD],
        )
    }

    fn of_donors(&self) -> Vec<&'static str> {
        let gave = |donor: &&str| {
            let given = self.daemon.get(&format!("donors/{donor}"))["donations"].clone();
            given.as_array().unwrap().iter().any(|one| one["donation"] == TWICE)
        };
        ["D1", "D2", "D3"].into_iter().filter(gave).collect()
    }

    fn restarts(self, donors: &[&str]) -> Self {
        let Self { house, daemon } = self;
        assert!(daemon.stop().0.success());
        registered(&house, donors);
        let daemon = house.start();
        Self { house, daemon }
    }
}

#[test]
fn whose_a_number_is_that_was_registered_for_two_is_what_two_different_people_have_said() {
    let house = House::new();
    hire(&house, &[&BENCH[..], &[("gone", &[Role::Reviewer])]].concat());
    let entries = registered(&house, &["D1", "D2"]);
    let daemon = house.start();
    let at = Laboratory { house, daemon };
    it_holds_for_both(&at, &entries);
    who_may_not_say_so_is_refused(&at, entries[1]);
    two_people_name_the_second(&at, &entries);
    what_contradicts_it_is_refused_at_the_door(&at);
    let at = at.restarts(&["D3"]);
    let again = at.gate("R-GATE-09");
    assert!(again["pass"] == false && at.twice()["stands"] == Value::Null, "{again}");
    assert_eq!(at.of_donors(), ["D1", "D2", "D3"], "nobody has said anything of three");
    let Laboratory { house, daemon } = at;
    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

fn it_holds_for_both(at: &Laboratory, entries: &[u64]) {
    let rev = Person::signs_in(&at.daemon, "rev");
    rev.post("donors/D2/defer", &json!({ "reason": "fever" })).well();
    let closed = at.gate("R-GATE-09");
    for told in ["remedy", "remedy_zh"] {
        assert!(closed[told].as_str().unwrap().contains("hemogate donation settle-registration"), "{closed}");
    }
    let bars = at.gate("R-GATE-11");
    assert!(bars["why"].as_str().unwrap().contains("fever"), "the second one bars it, too: {bars}");
    assert_eq!(at.of_donors(), ["D1", "D2"]);
    let (exit, printed) = command(&at.house, &["donation", "show", TWICE], &[]);
    let told = [at.seen(), format!("{}: donor D1", entries[0]), format!("{}: donor D2", entries[1])];
    assert!(exit == 0 && told.iter().all(|told| printed.contains(told)), "{printed}");
}

fn who_may_not_say_so_is_refused(at: &Laboratory, entry: u64) {
    let (path, seen) = (format!("donations/{TWICE}/registration/settle"), at.seen());
    let body = json!({ "entry": entry, "seen": seen, "reason": "the donor's card" });
    assert_eq!(at.daemon.post(&path, &body).0, 403, "the machine's token settles nothing");
    for who in ["tech", "qc"] {
        assert_eq!(Person::signs_in(&at.daemon, who).post(&path, &body).status, 403, "{who}");
    }
    let (exit, printed) = at.says(entry, &seen, "qc");
    assert!(exit == 77 && printed.contains("settle_registration is for"), "{exit} {printed}");
    let audit = at.daemon.list("audit");
    let refused = |who: &str| {
        audit.iter().filter(|entry| entry["what"] == "command_refused" && entry["by"] == who).count()
    };
    assert_eq!(
        ["user:tech", "user:qc"].map(refused),
        [1, 2],
        "what was refused stands in the journal as that"
    );
    let gone = Person::signs_in(&at.daemon, "gone");
    let disable = json!({ "reason": "left" });
    Person::signs_in(&at.daemon, "sysop").post("users/gone/disable", &disable).well();
    assert!(matches!(gone.post(&path, &body).status, 401 | 403), "whose account is closed says nothing");
    assert_ne!(at.says(entry, &seen, "gone").0, 0);
    let rev = Person::signs_in(&at.daemon, "rev");
    let other = rev.post(&path, &json!({ "entry": entry, "seen": "0000000000000000", "reason": "x" }));
    assert!(other.refused().0 == 409 && other.refused().1.contains("donor D2"), "{other:#?}");
    let none = rev.post(&path, &json!({ "entry": 1, "seen": seen, "reason": "x" }));
    assert!(none.refused().0 == 422 && none.refused().1.contains("is no registration"), "{none:#?}");
    assert_eq!(at.twice()["stands"], Value::Null);
}

fn two_people_name_the_second(at: &Laboratory, entries: &[u64]) {
    let seen = at.seen();
    let (exit, printed) = at.says(entries[1], &seen, "rev");
    assert!(exit == 0 && printed.contains("\"proposed\""), "{exit} {printed}");
    let (exit, printed) = at.says(entries[1], &seen, "rev");
    assert!(exit == 1 && printed.contains("a second person has to say so too"), "{exit} {printed}");
    let moves = ["user", "role", "rev", "releaser", "--reason", "moved", "--as", "secop"];
    let (exit, printed) = command(&at.house, &moves, &[PASSWORD]);
    assert_eq!(exit, 0, "{printed}");
    let (exit, printed) = at.says(entries[1], &seen, "rev");
    assert!(exit == 1 && printed.contains("a second person"), "one person in another role is one: {printed}");
    assert_eq!(at.gate("R-GATE-09")["pass"], false, "one person alone opens nothing");
    let (exit, printed) = at.says(entries[1], &seen, "rel");
    assert!(exit == 0 && printed.contains("\"done\""), "{exit} {printed}");
    assert_eq!(at.gate("R-GATE-09")["pass"], true);
    assert_eq!((at.twice()["stands"].clone(), at.of_donors()), (json!(entries[1]), vec!["D2"]));
    let bars = at.gate("R-GATE-11");
    assert!(bars["why"].as_str().unwrap().contains("fever"), "its donor is deferred: {bars}");
    let audit = at.daemon.list("audit");
    let settled = audit.iter().filter(|entry| entry["what"] == "registration_settled");
    let by: Vec<&str> = settled.map(|entry| entry["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["user:rev", "user:rel"], "what was refused was not written");
}

fn what_contradicts_it_is_refused_at_the_door(at: &Laboratory) {
    let row = |donor: &str, deferred: bool| {
        json!({ "donation": TWICE, "collected_at": "2026-03-01T09:00:00+08:00",
            "donor": { "id": donor, "first_time": false, "deferred": deferred } })
    };
    let (status, told) = at.daemon.post("donations", &row("D1", false));
    let detail = told["detail"].as_str().unwrap();
    assert!(status == 409 && detail.contains("another donor"), "{told}");
    assert!(detail.contains("two people have named the other registration"), "{told}");
    assert_eq!(at.of_donors(), ["D2"], "what people saw and did not name opens nothing by being sent again");
    assert_eq!(at.daemon.post("donations", &row("D2", true)).0, 201, "what only holds more is taken");
    assert_eq!(at.of_donors(), ["D2"]);
}

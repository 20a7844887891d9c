//! What two different people say of one donation before it counts, through the real daemon: that a number which was typed in
//! is that of the tube (R-GATE-09), that a duplicate on another lot is accepted (R-SER-02), and which version of a result
//! stands that was sent with different values (R-GATE-15); at the command line and over HTTP alike.

use crate::{
    house::{Daemon, House, until},
    kits::plate_kit,
    staff::{BENCH, PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use std::{fmt::Write, fs, time::Duration};
use vocabulary::Role;

const ASSAY: &str = "workstation HBsAg";
const TYPED: &str = "G123426000001";
const SCANNED: &str = "G123426000002";

/// A well of a donation: its number, signal, sign and pipetting flag.
type Well<'w> = (&'w str, &'w str, &'w str, &'w str);

/// A whole plate of one lot, with good controls.
fn plate((number, lot): (&str, &str), samples: &[Well<'_>]) -> String {
    let controls = [
        ("", "0,004", "", ""),
        ("NC", "0,012", "-", ""),
        ("NC", "0,012", "-", ""),
        ("NC", "0,012", "-", ""),
        ("PC", "2,310", "+", ""),
        ("PC", "2,310", "+", ""),
        ("QC", "0,298", "+", ""),
        ("QC", "0,298", "+", ""),
    ];
    let used = controls.iter().chain(samples).chain(std::iter::repeat(&("", "", "", "")));
    let wells = (1..=12).flat_map(|column| ('A'..='H').map(move |row| format!("{row}{column}")));
    let mut text = String::new();
    for (well, (specimen, od, sign, flag)) in wells.zip(used) {
        let cutoff = if sign.is_empty() { "" } else { "0,105" };
        write!(
            text,
            "{number};{well};{specimen};HBSAG;{od};{cutoff};{sign};02.03.2026 15:30:00;WS-0007;lab;{lot};2026-12-31;{flag}\r\n"
        )
        .unwrap();
    }
    text + "[END]\r\n"
}

struct Laboratory {
    house: House,
    daemon: Daemon,
}

impl Laboratory {
    fn opens() -> Self {
        let house = House::configured(
            "[[connection]]\nid = \"plates\"\nprofile = \"generic/elisa-workstation\"\nmode = \"production\"\n\
             transport = { type = \"directory\", path = \"plates\", pattern = \"*.txt\" }\n",
        );
        fs::create_dir(house.path.join("plates")).unwrap();
        fs::create_dir(house.path.join("kits")).unwrap();
        fs::write(house.path.join("kits/hbsag.toml"), plate_kit(ASSAY, "0.80")).unwrap();
        let configured = fs::read_to_string(house.config()).unwrap();
        fs::write(house.config(), format!("[site]\nkits = \"kits\"\n{configured}")).unwrap();
        hire(&house, &[&BENCH[..], &[("ref", &[Role::ReferenceLaboratory])]].concat());
        let daemon = house.start();
        Self { house, daemon }
    }

    fn comes(&self, name: &str, text: &str) {
        let written = self.house.path.join(name);
        fs::write(&written, text).unwrap();
        fs::rename(written, self.house.path.join("plates").join(name)).unwrap();
        let taken = self.house.path.join("plates/taken").join(name);
        until("the plate is taken", Duration::from_mins(1), || taken.exists());
    }

    /// A donation as the daemon shows it, with everything decided.
    fn shown(&self, donation: &str) -> Value {
        self.daemon.idle();
        self.daemon.get(&format!("donations/{donation}"))
    }

    /// A gate of the verdict that stands.
    fn gate(&self, donation: &str, id: &str) -> Value {
        let view = self.shown(donation);
        let gates = view["verdict"]["gates"].as_array().unwrap();
        gates.iter().find(|gate| gate["id"] == id).unwrap().clone()
    }

    /// What gate 09 says against a donation; nothing where it is open.
    fn against(&self, donation: &str) -> Option<String> {
        let gate = self.gate(donation, "R-GATE-09");
        (gate["pass"] == false).then(|| gate["why"].as_str().unwrap().to_owned())
    }

    /// The only result that was sent with different values.
    fn disputed(&self) -> Value {
        let view = self.shown(TYPED);
        let [one] = view["disputed_results"].as_array().unwrap().as_slice() else { panic!("{view:#?}") };
        one.clone()
    }

    /// What the verdict says of the assay.
    fn series(&self) -> (String, Value) {
        let view = self.shown(TYPED);
        let series = view["verdict"]["serology"].as_array().unwrap();
        let of = series.iter().find(|series| series["reagent"] == ASSAY).unwrap();
        (of["state"].as_str().unwrap().to_owned(), of["flags"].clone())
    }

    /// The only duplicate that waits, or waited, for its lot.
    fn duplicate(&self) -> Value {
        let view = self.shown(TYPED);
        let [one] = view["duplicates"].as_array().unwrap().as_slice() else { panic!("{view:#?}") };
        one.clone()
    }

    fn says(&self, words: &[&str], who: &str) -> (i32, String) {
        command(&self.house, &[&["donation"], words, &["--as", who]].concat(), &[PASSWORD])
    }

    fn prints(&self) -> String {
        let (exit, printed) = command(&self.house, &["donation", "show", TYPED], &[]);
        assert_eq!(exit, 0, "{printed}");
        printed
    }
}

#[test]
fn a_typed_number_and_a_duplicate_on_another_lot_count_when_two_different_people_have_said_so() {
    let at = Laboratory::opens();
    let first = [(TYPED, "0,200", "+", "MANUAL"), (SCANNED, "0,020", "-", "")];
    at.comes("first.txt", &plate(("P1", "A2026031"), &first));
    at.comes("second.txt", &plate(("P2", "A2026032"), &[(TYPED, "0,020", "-", ""); 2]));
    two_people_compare_the_number(&at);
    two_people_accept_the_duplicate(&at);
    who_said_what_is_in_the_journal(&at);
    what_comes_later_is_said_again(&at);
    assert!(at.daemon.stop().0.success());
    let (exit, printed) = command(&at.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

fn two_people_compare_the_number(at: &Laboratory) {
    let path = format!("donations/{TYPED}/number/check");
    let body = json!({ "reason": "tube and bag read again" });
    assert!(at.against(TYPED).unwrap().contains("typed in") && at.against(SCANNED).is_none());
    let (status, told) = at.daemon.post(&path, &body);
    assert_eq!(status, 403, "the machine's token compares nothing: {told}");
    let (tech, rev) = (Person::signs_in(&at.daemon, "tech"), Person::signs_in(&at.daemon, "rev"));
    let nothing = tech.post(&format!("donations/{SCANNED}/number/check"), &body);
    assert!(nothing.refused().0 == 409 && nothing.refused().1.contains("was typed in"), "{nothing:#?}");
    assert!(matches!(tech.post(&path, &json!({ "reason": " " })).status, 400 | 422));
    for who in ["rel", "qc"] {
        assert_eq!(Person::signs_in(&at.daemon, who).post(&path, &body).status, 403, "{who}");
    }
    let compares = |who: &str| at.says(&["check-number", TYPED, "--reason", "tube and bag read again"], who);
    let (exit, printed) = compares("qc");
    assert!(exit == 77 && printed.contains("check_number is for"), "{exit} {printed}");
    let (exit, printed) = compares("tech");
    assert!(exit == 0 && printed.contains("\"proposed\""), "{exit} {printed}");
    let (exit, printed) = compares("tech");
    assert!(exit == 1 && printed.contains("a second person has to say so too"), "{exit} {printed}");
    assert_eq!(tech.post(&path, &body).refused().0, 409, "the same person is one person over HTTP too");
    assert!(at.against(TYPED).is_some(), "one person alone opens nothing");
    let printed = at.prints();
    assert!(printed.contains("typed in") && printed.contains("tech"), "{printed}");
    assert_eq!(rev.post(&path, &body).well()["step"], "done");
    assert_eq!(at.against(TYPED), None);
    assert_eq!(at.shown(TYPED)["typed_numbers"][0]["checked_by"], json!(["rev", "tech"]));
}

fn two_people_accept_the_duplicate(at: &Laboratory) {
    let path = format!("donations/{TYPED}/duplicate/accept");
    let waits = at.duplicate();
    let seen = waits["seen"].as_str().unwrap();
    let body = |seen: &str| json!({ "assay": ASSAY, "seen": seen, "reason": "the lot ran out" });
    let (state, flags) = at.series();
    assert!(state == "PENDING" && flags.to_string().contains("\"OTHER_LOT\""), "{state} {flags}");
    assert!(at.prints().contains(seen), "who has to say what they saw is shown it");
    assert_eq!(at.daemon.post(&path, &body(seen)).0, 403, "the machine's token accepts nothing");
    let (rev, qc) = (Person::signs_in(&at.daemon, "rev"), Person::signs_in(&at.daemon, "qc"));
    let other = rev.post(&path, &body("0000000000000000"));
    assert!(other.refused().0 == 409 && other.refused().1.contains("look again"), "{other:#?}");
    for who in ["tech", "rel"] {
        assert_eq!(Person::signs_in(&at.daemon, who).post(&path, &body(seen)).status, 403, "{who}");
    }
    let accepts = |seen: &str, who: &str| {
        let words = ["accept-duplicate", TYPED, "--assay", ASSAY, "--seen", seen];
        at.says(&[&words[..], &["--reason", "the lot ran out"]].concat(), who)
    };
    let (exit, printed) = accepts("0000000000000000", "qc");
    assert!(exit == 1 && printed.contains("look again"), "{exit} {printed}");
    assert_eq!(accepts(seen, "tech").0, 77);
    assert_eq!(qc.post(&path, &body(seen)).well()["step"], "proposed");
    let (exit, printed) = accepts(seen, "qc");
    assert!(exit == 1 && printed.contains("a second person has to say so too"), "{exit} {printed}");
    assert_eq!(qc.post(&path, &body(seen)).refused().0, 409, "the same person is one person");
    assert_eq!(at.series().0, "PENDING", "one person alone accepts nothing");
    let (exit, printed) = accepts(seen, "rev");
    assert!(exit == 0 && printed.contains("\"done\""), "{exit} {printed}");
    let (state, flags) = at.series();
    assert_eq!(state, "FINAL_NR");
    assert!(flags.to_string().contains("\"OTHER_LOT_ACCEPTED\""), "{flags}");
    assert_eq!(at.duplicate()["accepted_by"], json!(["qc", "rev"]));
}

fn who_said_what_is_in_the_journal(at: &Laboratory) {
    let audit = at.daemon.list("audit");
    let by = |what: &str| -> Vec<&str> {
        let of = audit.iter().filter(|entry| entry["what"] == what);
        of.map(|entry| entry["by"].as_str().unwrap()).collect()
    };
    assert_eq!(by("number_checked"), ["user:tech", "user:rev"], "what was refused was not written");
    assert_eq!(by("duplicate_accepted"), ["user:qc", "user:rev"]);
}

fn what_comes_later_is_said_again(at: &Laboratory) {
    let seen = at.duplicate()["seen"].clone();
    at.comes("third.txt", &plate(("P3", "A2026033"), &[(TYPED, "0,020", "-", "MANUAL")]));
    assert!(at.against(TYPED).unwrap().contains("typed in"), "nobody has compared that one");
    assert_eq!(at.series().0, "PENDING", "nobody has seen that one");
    let now = at.duplicate();
    assert!(now["seen"] != seen && now["accepted_by"] == json!([]), "{now}");
}

#[test]
fn which_version_of_a_result_stands_is_what_two_different_people_have_said() {
    let at = Laboratory::opens();
    let comes = |name: &str, od: &str, sign: &str| {
        at.comes(name, &plate(("P1", "A2026031"), &[(TYPED, od, sign, "")]));
    };
    comes("first.txt", "0,200", "+");
    assert_eq!(at.shown(TYPED)["disputed_results"], json!([]));
    comes("second.txt", "0,020", "-");
    let disputed = at.disputed();
    let (seen, versions) = (disputed["seen"].as_str().unwrap(), disputed["versions"].as_array().unwrap());
    let messages: Vec<u64> = versions.iter().map(|version| version["message"].as_u64().unwrap()).collect();
    let closed = at.gate(TYPED, "R-GATE-15");
    assert_eq!((closed["pass"].as_bool(), messages.len()), (Some(false), 2), "{closed} {disputed}");
    assert_eq!([&versions[0]["od"], &versions[1]["od"]], ["0.200", "0.020"], "{disputed}");
    for told in ["remedy", "remedy_zh"] {
        assert!(closed[told].as_str().unwrap().contains("hemogate donation settle-result"), "{closed}");
    }
    nobody_sets_gate_15_aside(&at);
    two_people_name_a_version(&at, (seen, &messages));
    comes("third.txt", "0,150", "+");
    assert_eq!(at.gate(TYPED, "R-GATE-15")["pass"], false, "nobody has seen that one");
    assert!(at.disputed()["seen"] != seen && at.disputed()["stands"] == Value::Null, "{}", at.disputed());
    assert!(at.daemon.stop().0.success());
    let (exit, printed) = command(&at.house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}

fn nobody_sets_gate_15_aside(at: &Laboratory) {
    let technician = Person::signs_in(&at.daemon, "tech");
    let new = json!({ "name": "one", "donations": [TYPED] });
    let batch = technician.post("batches", &new).well()["batch"].clone();
    let seen = technician.get(&format!("batches/{batch}")).version.unwrap();
    let aside = json!([{ "gate": "R-GATE-15", "reason": "surely not", "donations": [TYPED] }]);
    let body = json!({ "password": PASSWORD, "asked": { "set_aside": aside } });
    let releaser = Person::signs_in(&at.daemon, "rel");
    let refused = releaser.signs(&format!("batches/{batch}/release"), &seen, &body);
    assert_eq!(refused.refused().0, 422, "{refused:#?}");
    assert!(refused.refused().1.contains("hemogate donation settle-result"), "{refused:#?}");
    let audit = at.daemon.list("audit");
    assert!(audit.iter().any(|entry| entry["what"] == "command_refused"), "{audit:#?}");
}

fn two_people_name_a_version(at: &Laboratory, (seen, messages): (&str, &[u64])) {
    let path = format!("donations/{TYPED}/result/settle");
    let body = |message: u64, seen: &str| json!({ "assay": ASSAY, "marker": "HBsAg", "message": message, "seen": seen, "reason": "the printout" });
    let stands = messages[1];
    assert_eq!(at.daemon.post(&path, &body(stands, seen)).0, 403, "the machine's token settles nothing");
    let (rev, reference) = (Person::signs_in(&at.daemon, "rev"), Person::signs_in(&at.daemon, "ref"));
    for who in ["tech", "rel", "qc"] {
        assert_eq!(Person::signs_in(&at.daemon, who).post(&path, &body(stands, seen)).status, 403, "{who}");
    }
    let lists = |told: &str| messages.iter().all(|message| told.contains(&message.to_string()));
    let unsent = rev.post(&path, &body(stands + 1_000, seen));
    assert!(unsent.refused().0 == 422 && lists(unsent.refused().1), "{unsent:#?}");
    let unseen = rev.post(&path, &body(stands, "0000000000000000"));
    assert!(unseen.refused().0 == 409 && lists(unseen.refused().1), "{unseen:#?}");
    let says = |message: u64, who: &str| {
        let message = message.to_string();
        let which = ["settle-result", TYPED, "--assay", ASSAY, "--marker", "HBsAg", "--message", &message];
        at.says(&[&which[..], &["--seen", seen, "--reason", "the printout"]].concat(), who)
    };
    let (exit, printed) = says(stands, "qc");
    assert!(exit == 77 && printed.contains("settle_result is for"), "{exit} {printed}");
    let (exit, printed) = says(stands + 1_000, "ref");
    assert!(exit == 65 && lists(&printed), "{exit} {printed}");
    assert_eq!(rev.post(&path, &body(stands, seen)).well()["step"], "proposed");
    assert_eq!(rev.post(&path, &body(stands, seen)).refused().0, 409, "the same person is one person");
    let (exit, printed) = says(stands, "rev");
    assert!(exit == 1 && printed.contains("a second person has to say so too"), "{exit} {printed}");
    assert_eq!(at.gate(TYPED, "R-GATE-15")["pass"], false, "one person alone opens nothing");
    let printed = at.prints();
    assert!(printed.contains(seen) && printed.contains(&format!("rev: {stands}")), "{printed}");
    let (exit, printed) = says(stands, "ref");
    assert!(exit == 0 && printed.contains("\"done\""), "{exit} {printed}");
    let open = at.gate(TYPED, "R-GATE-15");
    assert_eq!(open["pass"], true, "{open}");
    for told in ["why", "why_zh"] {
        let told = open[told].as_str().unwrap();
        assert!(["rev (20", "ref (20", "the printout"].iter().all(|said| told.contains(said)), "{told}");
    }
    assert_eq!(at.disputed()["stands"], stands);
    assert_eq!(at.series().0, "FINAL_NR", "the version that stands counts");
    assert_eq!(reference.post(&path, &body(stands, seen)).refused().0, 409);
    let audit = at.daemon.list("audit");
    let settled = audit.iter().filter(|entry| entry["what"] == "result_settled");
    let by: Vec<&str> = settled.map(|entry| entry["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["user:rev", "user:ref"], "what was refused was not written");
}

//! Every reason of quarantine through one daemon: the place in the bytes, what it holds up, and that a mapping or a mended
//! profile that two people put in force lets it be read again, once, and written down.

use crate::{
    analyser::{EOT, Line},
    house::{Daemon, House},
    pinned::{house_with_own_profile, templates_of},
    staff::{PASSWORD, Person, command, hire},
};
use lis01::{FrameEnd, FrameNumber, encode_frame};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs};
use vocabulary::Role;

const STAFF: [(&str, &[Role]); 2] = [("wang", &[Role::Reviewer]), ("zhao", &[Role::Reviewer])];

/// A message, the reason and finding it is held for, how what stands at the place begins, and the donations that wait.
struct Case {
    reason: &'static str,
    finding: &'static str,
    at: &'static [u8],
    held: &'static [&'static str],
    records: Vec<Vec<u8>>,
}

fn header(sender: &str) -> String {
    format!("H|\\^&|||{sender}^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000")
}

/// One result: specimen in O-3, the same again in O-4, test code, text, and the number of its second row.
fn message(sender: &str, ids: [&str; 2], code: &str, text: &str, second: u8) -> Vec<Vec<u8>> {
    let [id, again] = ids;
    let assay = format!("^^^{code}^Anti-HCV^UNDILUTED^P^48229LI00^04462^");
    let tail = "F||LAB^LAB||20260302141822|iSR03600";
    let records = [
        header(sender),
        "P|1".to_owned(),
        format!("O|1|{id}|{again}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F"),
        format!("R|1|{assay}^F|0.06|S/CO||||{tail}"),
        format!("R|{second}|{assay}^I|{text}|||||{tail}"),
        "L|1".to_owned(),
    ];
    records.map(String::into_bytes).to_vec()
}

fn cases() -> Vec<Case> {
    let fine = |id: &'static str| message("ARCHITECT", [id, id], "161", "Nonreactive", 2);
    let mut damaged = fine("G123426000005");
    let at = damaged[3].windows(3).position(|three| three == b"LAB").unwrap();
    damaged[3][at] = 0xff;
    let ids = ["G123426000001", "G123426000002", "G123426000006", "G123426000007"].map(|id| [id, id]);
    let case = |reason, finding, at, held, records| Case { reason, finding, at, held, records };
    vec![
        case(
            "unmapped_test",
            "unmapped_test",
            b"999",
            &["G123426000001"],
            message("ARCHITECT", ids[0], "999", "Nonreactive", 2),
        ),
        case(
            "unknown_value",
            "unknown_value",
            b"Nonreactiv",
            &["G123426000002"],
            message("ARCHITECT", ids[1], "161", "Nonreactiv", 2),
        ),
        case(
            "unknown_specimen",
            "unknown_specimen_form",
            b"H123426000003",
            &["H123426000003"],
            fine("H123426000003"),
        ),
        case(
            "ambiguous_source",
            "ambiguous_specimen",
            b"G123426000004",
            &["G123426000004", "G123426000014"],
            message("ARCHITECT", ["G123426000004", "G123426000014"], "161", "Nonreactive", 2),
        ),
        case("character_set", "character_set_failure", b"\xff", &["G123426000005"], damaged),
        case(
            "broken_hierarchy",
            "sequence_repeats",
            b"",
            &["G123426000006"],
            message("ARCHITECT", ids[2], "161", "Nonreactive", 1),
        ),
        case(
            "wrong_sender",
            "sender_mismatch",
            b"ALINITY",
            &["G123426000007"],
            message("ALINITY", ids[3], "161", "Nonreactive", 2),
        ),
    ]
}

/// The profile that the site began with: stricter than its analyser.
fn begun(text: &str) -> String {
    let text = text.replacen("sequence = \"lenient\"", "sequence = \"strict\"", 1);
    let text = text.replacen("form = \".+\"", "form = \"G[0-9]{12}\"", 1);
    // This site does not count its guards.
    text.lines().filter(|line| !line.starts_with("guards = ")).flat_map(|line| [line, "\n"]).collect()
}

/// Mended: what the messages of the table need, and what people have mapped meanwhile.
fn mended(text: &str) -> String {
    let known = text.split("[[test]]\ncode = \"161\"").nth(1).unwrap().split("\n\n").next().unwrap();
    let mapped = format!("[[test]]\ncode = \"999\"{known}\n\n[[test]]\ncode = \"161\"");
    let changes = [
        ("sequence = \"strict\"", "sequence = \"lenient\""),
        ("form = \"G[0-9]{12}\"", "form = \"[GH][0-9]{12}\""),
        ("must_agree = true", "must_agree = false"),
        ("fallback = \"gb18030\"", "fallback = \"windows-1252\""),
        ("is = \"ARCHITECT\"", "is = [\"ARCHITECT\", \"ALINITY\"]"),
        (
            "\"Nonreactive\" = \"non_reactive\"",
            "\"Nonreactive\" = \"non_reactive\"\n\"Nonreactiv\" = \"non_reactive\"",
        ),
        ("[[test]]\ncode = \"161\"", &mapped),
    ];
    changes.iter().fold(text.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    })
}

fn told(daemon: &Daemon, records: &[Vec<u8>]) {
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    assert!(line.establish().unwrap(), "the line was refused");
    for (at, record) in (1..).zip(records) {
        let number = FrameNumber::new(u8::try_from(at % 8_usize).unwrap());
        let record = [record.as_slice(), b"\r"].concat();
        assert!(line.frame(&encode_frame(number, FrameEnd::End, &record)).unwrap(), "a frame was refused");
    }
    line.write(&[EOT]).unwrap();
}

/// Numbers of the messages that are held.
fn held(daemon: &Daemon) -> Vec<u64> {
    daemon.list("quarantine").iter().map(|item| item["message"]["seq"].as_u64().unwrap()).collect()
}

fn check_held(daemon: &Daemon, seq: u64, case: &Case) {
    let shown = daemon.get(&format!("quarantine/{seq}"));
    let reasons = shown["reasons"].as_array().unwrap();
    let found = reasons.iter().find(|reason| reason["finding"] == case.finding);
    let found = found.unwrap_or_else(|| panic!("{}: {shown:#}", case.finding));
    assert_eq!(found["reason"], case.reason, "{found:#}");
    let (_, raw) = daemon.ask(&format!("/api/v1/messages/{seq}/raw"));
    assert_eq!(raw, case.records.iter().flat_map(|r| [r.as_slice(), b"\r"].concat()).collect::<Vec<u8>>());
    let byte = |at: usize| usize::try_from(found["bytes"][at].as_u64().unwrap()).unwrap();
    let there = &raw[byte(0)..byte(1)];
    assert!(!there.is_empty() && there.starts_with(case.at), "{}: {found:#}", case.finding);
    assert_eq!(shown["holds"]["donations"], json!(case.held), "{}", case.finding);
    for donation in case.held {
        let view = daemon.get(&format!("donations/{donation}"));
        assert!(!view["findings"].as_array().unwrap().is_empty(), "{donation}: {view:#}");
        assert_eq!(view["verdict"]["releasable"], false, "{donation}");
    }
}

/// A station whose profile is stricter than its analyser, and what is held there.
struct Station {
    house: House,
    daemon: Daemon,
    /// The profile that it began with.
    text: String,
    templates: BTreeMap<String, String>,
    /// The held messages, in the order of the cases.
    seqs: Vec<u64>,
}

fn activated(who: &Person, revision: &Value) -> u16 {
    let body = json!({ "revision": revision, "why": "seen on the analyser" });
    who.post("connections/serology/profile/activate", &body).status
}

impl Station {
    fn with(cases: &[Case]) -> Self {
        let (house, folder) = house_with_own_profile();
        let file = folder.join("profile.toml");
        let text = begun(&fs::read_to_string(&file).unwrap());
        fs::write(&file, &text).unwrap();
        hire(&house, &STAFF);
        let daemon = house.start();
        for case in cases {
            told(&daemon, &case.records);
        }
        daemon.idle();
        let seqs = held(&daemon);
        assert_eq!(seqs.len(), cases.len(), "{:#?}", daemon.list("quarantine"));
        Self { house, daemon, text, templates: templates_of(&folder), seqs }
    }

    /// Asks for whatever is held to be read again; the messages for which that was asked.
    fn reads_again(&self, who: &Person) -> Value {
        let answer = who.post("reprocess", &json!({ "why": "mended" })).well();
        self.daemon.idle();
        answer["asked"].clone()
    }

    /// A test is mapped over HTTP: one person proposes it, another puts it in force at the command line.
    fn a_test_is_mapped(&self, wang: &Person) {
        let mapped = json!({ "test": { "code": "999", "like": "161" } });
        let map = json!({ "mapped": mapped, "why": "new assay file", "message": self.seqs[0] });
        let proposed = wang.post("connections/serology/profile/map", &map);
        assert_eq!(proposed.status, 202, "{proposed:#?}");
        let revision = &proposed.body["profile"]["revision"];
        assert_eq!(activated(wang, revision), 409, "one person alone");
        let revision = revision.as_str().unwrap();
        self.zhao(&["profile", "activate", "serology", revision, "--why", "seen"]);
        // An interpretation names its revision: whatever is held is read with the new one, and what it does not mend stays.
        assert_eq!(self.reads_again(wang), json!(self.seqs));
        assert_eq!(held(&self.daemon), self.seqs[1..]);
    }

    /// A text is mapped at the command line, and agreed to over HTTP.
    fn a_text_is_mapped(&self, wang: &Person) {
        let value = ["--value", "Nonreactiv", "--map", "screening", "--means", "non_reactive"];
        self.zhao(&[&["profile", "map", "serology"], &value[..], &["--why", "cut by the analyser"]].concat());
        let pin = self.daemon.get("connections/serology/profile")["pin"].clone();
        assert_eq!(activated(wang, &pin["proposed"]["profile"]["revision"]), 200);
        let read = self.zhao(&["reprocess", "--why", "mapped", "--format", "json"]);
        let read: Vec<Value> = read.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let asked = |seq: &u64| json!({ "message": seq, "outcome": "asked" });
        assert_eq!(read, self.seqs[1..].iter().map(asked).collect::<Vec<_>>());
        self.daemon.idle();
        assert_eq!(held(&self.daemon), self.seqs[2..]);
    }

    /// Whatever is left is the profile's to mend.
    fn the_profile_is_mended(&self, wang: &Person, zhao: &Person) {
        let add = json!({ "text": mended(&self.text), "templates": self.templates });
        let added = wang.post("profiles", &add).well();
        let revision = &added["profile"]["revision"];
        assert_eq!((activated(wang, revision), activated(zhao, revision)), (202, 200));
        for seq in &self.seqs[2..] {
            let asked = wang.post(&format!("messages/{seq}/reprocess"), &json!({ "why": "mended" }));
            assert_eq!((asked.status, &asked.body["outcome"]), (202, &json!("asked")), "{asked:#?}");
        }
        self.daemon.idle();
        assert_eq!(held(&self.daemon), [0_u64; 0], "{:#?}", self.daemon.list("quarantine"));
    }

    /// Twice is the same: nothing is asked, nothing is written.
    fn once_more_changes_nothing(&self, wang: &Person) {
        let asked = || -> Vec<Value> {
            let audit = self.daemon.list("audit");
            audit.into_iter().filter(|entry| entry["what"] == "reprocess_asked").collect()
        };
        let before = asked();
        for seq in &self.seqs[2..] {
            let again = wang.post(&format!("messages/{seq}/reprocess"), &json!({ "why": "once more" }));
            assert_eq!((again.status, &again.body["outcome"]), (200, &json!("unchanged")), "{again:#?}");
        }
        assert_eq!(self.reads_again(wang), json!([]));
        assert_eq!(asked(), before, "nothing is written");
        let of = |name: &str| before.iter().filter(|entry| entry["by"] == name).count();
        let all = self.seqs.len();
        assert_eq!((of("user:wang"), of("user:zhao"), before.len()), (2 * all - 2, all - 1, 3 * (all - 1)));
    }

    fn zhao(&self, arguments: &[&str]) -> String {
        let (exit, printed) = command(&self.house, &[arguments, &["--as", "zhao"]].concat(), &[PASSWORD]);
        assert_eq!(exit, 0, "{arguments:?}: {printed}");
        printed
    }
}

#[test]
fn every_reason_is_held_with_its_place_and_is_read_again_once_somebody_has_mended_it() {
    let cases = cases();
    let station = Station::with(&cases);
    for (seq, case) in station.seqs.iter().zip(&cases) {
        check_held(&station.daemon, *seq, case);
    }
    let (wang, zhao) = (Person::signs_in(&station.daemon, "wang"), Person::signs_in(&station.daemon, "zhao"));
    assert_eq!(station.reads_again(&wang), json!([]), "nothing is mended, and nothing is asked");
    station.a_test_is_mapped(&wang);
    station.a_text_is_mapped(&wang);
    station.the_profile_is_mended(&wang, &zhao);
    for case in &cases {
        let view = station.daemon.get(&format!("donations/{}", case.held[0]));
        assert_eq!(view["findings"], json!([]), "{}: {view:#}", case.finding);
        let value = &view["observations"][0]["observation"]["value"]["interpretation"];
        assert_eq!(value, "non_reactive", "{}: {view:#}", case.finding);
    }
    station.once_more_changes_nothing(&wang);
}

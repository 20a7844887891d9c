//! A connection reads with the profile revision that it is pinned to, whatever has become of the folder since; and what
//! it cannot read is in quarantine with its place.

use crate::{analyser::Line, binary::hemogate, house::House};
use instrument_profiles::Profile;
use ledger::{Draft, Ledger, Settings, What};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const TUBE: &str = "G123426000001";

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            assert!(fs::copy(entry.path(), to).is_ok());
        }
    }
}

fn catalogue() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../instrument-profiles/catalogue")
}

/// A house with one connection whose profile is a folder of its own.
pub(crate) fn house_with_own_profile() -> (House, PathBuf) {
    let house = House::with(&[]);
    let folder = house.path.join("site/abbott/architect-i2000sr");
    copy(&catalogue().join("abbott/architect-i2000sr"), &folder);
    names(&house, &folder.display().to_string());
    (house, folder)
}

/// Writes the connection into the configuration, in place of the one that is there.
fn names(house: &House, profile: &str) {
    let text = fs::read_to_string(house.config()).unwrap();
    let head = text.split("[[connection]]").next().unwrap();
    let connection = format!(
        "[[connection]]\nid = \"serology\"\nprofile = {profile:?}\nmode = \"production\"\n\
         transport = {{ type = \"tcp-listen\", address = \"127.0.0.1:0\", sockets_max = 4 }}\n"
    );
    fs::write(house.config(), format!("{head}{connection}")).unwrap();
}

/// The templates in a profile's folder.
pub(crate) fn templates_of(folder: &Path) -> BTreeMap<String, String> {
    let files = fs::read_dir(folder.join("orders")).unwrap().map(Result::unwrap);
    files
        .map(|file| (file.file_name().into_string().unwrap(), fs::read_to_string(file.path()).unwrap()))
        .collect()
}

fn records(code: &str) -> Vec<String> {
    let assay = format!("^^^{code}^Anti-HCV^UNDILUTED^P^48229LI00^04462^");
    let tail = "F||LAB^LAB||20260302141822|iSR03600";
    vec![
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000".to_owned(),
        "P|1".to_owned(),
        format!("O|1|{TUBE}|{TUBE}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F"),
        format!("R|1|{assay}^F|5.80|S/CO||||{tail}"),
        format!("R|2|{assay}^I|Reactive|||||{tail}"),
        "L|1".to_owned(),
    ]
}

#[test]
fn what_the_profile_does_not_know_is_shown_with_its_place_and_the_revision_stays_over_a_restart() {
    let (house, folder) = house_with_own_profile();
    let daemon = house.start();
    let first = daemon.get("connections/serology")["profile"].clone();
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    line.tell(&records("999"));
    daemon.idle();
    let held = daemon.list("quarantine");
    assert_eq!(held.len(), 1, "{held:#?}");
    assert_eq!(held[0]["reasons"]["unmapped_test"], 1);
    assert_eq!(held[0]["holds"]["donations"], serde_json::json!([TUBE]));
    let seq = &held[0]["message"]["seq"];
    let shown = daemon.get(&format!("quarantine/{seq}"));
    let reason = &shown["reasons"][0];
    assert_eq!(
        (&reason["finding"], &reason["excerpt"]["at"]),
        (&"unmapped_test".into(), &"999".into()),
        "{shown:#}"
    );
    let (_, raw) = daemon.ask(&format!("/api/v1/messages/{seq}/raw"));
    let byte = |at: usize| usize::try_from(reason["bytes"][at].as_u64().unwrap()).unwrap();
    assert_eq!(&raw[byte(0)..byte(1)], b"999");
    let listed = Command::new(hemogate())
        .args(["--config".as_ref(), house.config().as_os_str()])
        .args(["--lang", "zh", "quarantine", "list", "--reason", "unmapped_test"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.contains("配置中没有的检测项目 (1)") && listed.contains("(bytes "), "{listed}");
    daemon.stop();

    // Somebody mends the folder: the connection goes on as two people have agreed, which is as it was.
    let file = folder.join("profile.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("code = \"161\"", "code = \"999\"")).unwrap();
    let daemon = house.start();
    assert_eq!(daemon.get("connections/serology")["profile"], first);
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    line.tell(&records("999"));
    daemon.idle();
    assert_eq!(daemon.list("quarantine").len(), 2);
    daemon.stop();

    // Another model on the same connection is not read at all before two people say so.
    names(&house, "mindray/bs");
    let daemon = house.start();
    let standing = daemon.get("connections/serology");
    assert_eq!(standing["activity"], "failed", "{standing:#}");
    let reasons: Vec<&str> =
        ["reason", "reason_zh"].iter().filter_map(|name| standing[name].as_str()).collect();
    assert!(reasons[0].contains("two people") && reasons[1].contains("两人"), "{reasons:?}");
    assert!(!daemon.listening.contains_key("serology"));
    let audit: Vec<Value> = daemon.list("audit");
    let pinned = audit.iter().filter(|entry| entry["what"] == "profile_pinned").count();
    assert_eq!(pinned, 1, "pinned once, at the first start");
    daemon.stop();
}

/// The profile as an earlier release had it, pinned by one in the ledger.
fn of_an_earlier_release(house: &House, folder: &Path) -> Profile {
    let file = folder.join("profile.toml");
    let text = fs::read_to_string(&file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("form = ") && !line.starts_with("guards = "));
    fs::write(&file, lines.flat_map(|line| [line, "\n"]).collect::<String>()).unwrap();
    let old = Profile::load_kept(folder).unwrap();
    assert!(Profile::load(folder).is_err());
    let settings = Settings { free_bytes_min: 0, ballast_bytes: 0, ..Settings::new(house.ledger()) };
    let (ledger, _) = Ledger::open(settings, &mut |_| {}).unwrap();
    let connection = "serology".parse().unwrap();
    let whats =
        [workflow::pins::kept(&old), What::ProfilePinned { connection, profile: old.reference().clone() }];
    let last = ledger.append(whats.map(Draft::by_system).into()).unwrap().wait().unwrap().last();
    ledger.wait_applied(last).wait().unwrap();
    ledger.close();
    old
}

#[test]
fn an_upgrade_stops_neither_the_connection_of_an_earlier_profile_nor_the_others() {
    let (house, folder) = house_with_own_profile();
    let house = house.also(
        "[[connection]]\nid = \"chemistry\"\nprofile = \"mindray/bs\"\nmode = \"production\"\n\
         transport = { type = \"tcp-listen\", address = \"127.0.0.1:0\" }",
    );
    let old = of_an_earlier_release(&house, &folder);
    let revision = old.reference().revision.as_str();
    let daemon = house.start();
    assert_eq!(daemon.get("connections/serology")["profile"]["revision"], revision);
    let pinned = daemon.get("connections/serology/profile");
    let unsaid: Vec<&str> = pinned["unsaid"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(unsaid.len() == 1 && unsaid[0].contains("missing `form`"), "{pinned:#}");
    let mut line = Line::open(daemon.listening["serology"]).unwrap();
    line.tell(&records("161"));
    daemon.idle();
    let message = &daemon.list("messages")[0];
    assert_eq!(message["read_with"]["revision"], revision, "{message:#}");
    assert_eq!(daemon.list("quarantine").len(), 0);
    let shown = Command::new(hemogate())
        .args(["--config".as_ref(), house.config().as_os_str()])
        .args(["profile", "pinned", "serology"])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains("earlier release") && shown.contains("missing `form`"), "{shown}");
    daemon.stop();

    // A file that nobody can read concerns its own connection.
    let file = folder.join("profile.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replacen("[specimen]", "[specimen", 1)).unwrap();
    let daemon = house.start();
    let standing = daemon.get("connections/serology");
    assert_eq!(standing["activity"], "failed", "{standing:#}");
    let why = standing["reason"].as_str().unwrap();
    assert!(why.contains("profile.toml:") && why.contains("hemogate profile test"), "{why}");
    assert!(daemon.listening.contains_key("chemistry") && !daemon.listening.contains_key("serology"));
    daemon.stop();
    let checked = Command::new(hemogate())
        .args(["--config".as_ref(), house.config().as_os_str(), "check".as_ref()])
        .output()
        .unwrap();
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(!checked.status.success() && said.contains("✗ connection serology"), "{said}");
}

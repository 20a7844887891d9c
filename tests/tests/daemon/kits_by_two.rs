//! A kit judges when two people have put it in force, whatever stands in the folder.

use crate::{
    house::{Daemon, House},
    staff::{PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use std::fs;
use vocabulary::Role;

const STAFF: [(&str, &[Role]); 3] =
    [("tech", &[Role::Technician]), ("rev", &[Role::Reviewer]), ("qc", &[Role::QcOfficer])];

const KIT: &str = r#"
schema = 1
id = "site/hbsag"
title = { en = "HBsAg, ELISA", zh = "乙肝表面抗原酶联免疫" }
assays = ["ELISA HBsAg"]
source = "made up for this test"

[plate]
signal = "direct"
criteria = ["NC <= 0.100"]
cutoff = "2.1 * max(mean(NC), 0.050)"

[plate.controls]
NC = { is = "negative", wells = 3 }
"#;

fn says(house: &House, arguments: &[&str]) -> (i32, String) {
    command(house, &[&["kit"], arguments].concat(), &[PASSWORD])
}

fn in_force(daemon: &Daemon) -> Vec<String> {
    let stands = daemon.get("kits");
    let kits = stands["in_force"]["kits"].as_array().unwrap();
    kits.iter().map(|kit| kit["hash"].as_str().unwrap().to_owned()).collect()
}

fn items(daemon: &Daemon) -> Vec<(String, [bool; 3])> {
    let stands = daemon.get("kits");
    let is = |item: &Value, name: &str| item[name].as_bool().unwrap();
    let one = |item: &Value| {
        let hash = item["hash"].as_str().unwrap().to_owned();
        (hash, ["in_force", "proposed", "configured"].map(|name| is(item, name)))
    };
    let mut all: Vec<_> = stands["items"].as_array().unwrap().iter().map(one).collect();
    all.sort_by_key(|(_, is)| *is);
    all
}

#[test]
fn a_kit_file_that_one_person_changed_judges_nothing_before_two_have_put_it_in_force() {
    let house = House::with(&[]);
    fs::create_dir(house.path.join("kits")).unwrap();
    let file = house.path.join("kits/hbsag.toml");
    fs::write(&file, KIT).unwrap();
    let configured = fs::read_to_string(house.config()).unwrap();
    fs::write(house.config(), format!("[site]\nkits = \"kits\"\n{configured}")).unwrap();
    hire(&house, &STAFF);
    let daemon = house.start();
    let first = in_force(&daemon);
    assert_eq!(first.len(), 1);
    assert_eq!(daemon.get("kits")["in_force"]["by"], "system", "the first start adopts what is configured");
    daemon.stop();

    fs::write(&file, KIT.replace("NC <= 0.100", "NC <= 3.000")).unwrap();
    let daemon = house.start();
    let said = daemon.log.join("\n");
    assert!(
        said.contains("until two people put the others in force") && said.contains("须由两人启用"),
        "{said}"
    );
    assert_eq!(in_force(&daemon), first);
    let stood = items(&daemon);
    let [(new, [false, false, true]), (old, [true, false, false])] = stood.as_slice() else {
        panic!("{stood:?}")
    };
    assert_eq!(old, &first[0]);
    let tasks = daemon.get("tasks").to_string();
    assert!(tasks.contains("\"kits_configured\"") && tasks.contains(new.get(..12).unwrap()), "{tasks}");
    let (exit, printed) = says(&house, &["list"]);
    assert!(exit == 0 && printed.contains("configured, judges nothing yet"), "{printed}");
    assert!(printed.contains("configured otherwise, and not in force: +site/hbsag@"), "{printed}");
    let (exit, printed) = says(&house, &["show", first[0].get(..12).unwrap()]);
    assert!(exit == 0 && printed == KIT, "{printed}");

    let propose = |who: &str| says(&house, &["propose", "--why", "another leaflet", "--as", who]);
    let (exit, printed) = propose("tech");
    assert_eq!(exit, 77, "{printed}");
    let (exit, printed) = propose("rev");
    assert!(exit == 0 && printed.contains("another person has to agree"), "{printed}");
    let entry = daemon.get("kits")["proposed"]["entry"].as_u64().unwrap();
    let tasks = daemon.get("tasks").to_string();
    assert!(tasks.contains("\"kits_proposed\"") && !tasks.contains("\"kits_configured\""), "{tasks}");
    let number = entry.to_string();
    let (exit, printed) = says(&house, &["activate", &number, "--as", "rev"]);
    assert!(exit == 1 && printed.contains("another person has to agree"), "{exit} {printed}");
    let (status, told) = daemon.post("kits/activate", &json!({ "proposal": entry }));
    assert_eq!(status, 403, "the machine's token agrees to nothing: {told}");
    assert_eq!(in_force(&daemon), first);
    let officer = Person::signs_in(&daemon, "qc");
    let other = officer.post("kits/activate", &json!({ "proposal": entry + 1 }));
    assert_eq!(other.refused().0, 409, "{other:#?}");
    let done = officer.post("kits/activate", &json!({ "proposal": entry })).well();
    assert_eq!((&done["step"], &done["kits"][0]["hash"]), (&json!("activated"), &json!(new)), "{done}");
    assert_eq!(in_force(&daemon), std::slice::from_ref(new));
    assert_eq!(items(&daemon), [(new.clone(), [true, false, true])]);
    let set = &daemon.get("kits")["in_force"];
    assert_eq!((&set["by"], &set["proposed"]["by"]), (&json!("qc"), &json!("rev")), "{set}");

    // A file of its own, with an id to leave out; and what is wrong is told with its line.
    let another = house.path.join("other.toml");
    fs::write(&another, KIT.replace("site/hbsag", "site/hbsag-2")).unwrap();
    let path = another.to_str().unwrap();
    let (exit, printed) = says(&house, &["propose", path, "--why", "x", "--as", "qc"]);
    assert!(exit == 65 && printed.contains("both in force"), "{exit} {printed}");
    let words = ["propose", path, "--leave-out", "site/hbsag", "--why", "x", "--as", "qc"];
    let (exit, printed) = says(&house, &words);
    assert!(exit == 0 && printed.contains("+site/hbsag-2@") && printed.contains("−site/hbsag@"), "{printed}");
    let entry = daemon.get("kits")["proposed"]["entry"].to_string();
    let (exit, printed) = says(&house, &["activate", &entry, "--as", "rev"]);
    assert!(exit == 0 && printed.contains("in force for what comes"), "{printed}");
    assert_eq!(daemon.get("kits")["in_force"]["kits"][0]["id"], "site/hbsag-2");
    daemon.stop();
}

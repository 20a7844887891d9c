//! What people write down of analysers and operators, at the command line and over HTTP alike.

use crate::{
    house::House,
    staff::{PASSWORD, Person, command, hire},
};
use serde_json::json;
use vocabulary::Role;

const STAFF: [(&str, &[Role]); 2] = [("tech", &[Role::Technician]), ("qc", &[Role::QcOfficer])];

#[test]
fn services_and_authority_are_written_down_by_those_who_may_and_listed() {
    let house = House::new();
    hire(&house, &STAFF);
    let daemon = house.start();
    let says = |words: &[&str], who: &str| command(&house, &[words, &["--as", who]].concat(), &[PASSWORD]);
    let maintained = |connection: &'static str, more: &[&'static str]| {
        let words = ["analyser", "serviced", connection, "--service", "maintenance", "--report", "M-17"];
        [&words[..], more].concat()
    };
    let (exit, printed) = says(&maintained("serology", &["--due", "2099-06-30"]), "tech");
    assert_eq!(exit, 77, "{printed}");
    for (words, about) in [
        (maintained("nowhere", &["--due", "2099-06-30"]), "there is no connection nowhere"),
        (maintained("serology", &["--due", "2020-01-01"]), "look at the dates"),
        (
            maintained("serology", &["--due", "2099-06-30", "--at", "2099-01-01T00:00:00Z"]),
            "still to be done",
        ),
    ] {
        let (exit, printed) = says(&words, "qc");
        assert!(exit == 65 && printed.contains(about), "{exit} {printed}");
    }
    let words = maintained("serology", &["--due", "2099-06-30", "--instrument", "iSR03600"]);
    let (exit, printed) = says(&words, "qc");
    assert_eq!(exit, 0, "{printed}");
    let (exit, printed) = command(&house, &["analyser", "services", "serology"], &[]);
    for part in ["maintenance", "iSR03600", "2099-06-30", "M-17", "qc"] {
        assert!(exit == 0 && printed.contains(part), "{part}: {printed}");
    }
    assert_eq!(daemon.get("connections/nat/services")["items"], json!([]));

    let (exit, printed) =
        says(&["operator", "withdraw", "lab", "--from", "2026-01-01", "--reason", "x"], "qc");
    assert!(exit == 65 && printed.contains("nothing is written down of operator"), "{exit} {printed}");
    let body = json!({ "operator": "lab", "assays": ["ALT"], "from": "2026-01-01", "reason": "T-3" });
    let technician = Person::signs_in(&daemon, "tech").post("operators/authorise", &body);
    assert_eq!(technician.status, 403, "{technician:#?}");
    assert_eq!(daemon.post("operators/authorise", &body).0, 403, "a machine authorises nobody");
    let officer = Person::signs_in(&daemon, "qc");
    officer.post("operators/authorise", &body).well();
    let backwards = json!({ "operator": "lab", "from": "2026-01-02", "until": "2026-01-01", "reason": "x" });
    assert_eq!(officer.post("operators/authorise", &backwards).refused().0, 422);
    let (exit, printed) =
        says(&["operator", "withdraw", "lab", "--from", "2026-02-01", "--reason", "x"], "qc");
    assert_eq!(exit, 0, "{printed}");
    let (exit, printed) = command(&house, &["operator", "list"], &[]);
    for part in ["lab", "ALT", "2026-01-01", "T-3", "withdrawn", "2026-02-01"] {
        assert!(exit == 0 && printed.contains(part), "{part}: {printed}");
    }
    let audit = daemon.list("audit");
    let acts: Vec<&str> = audit.iter().filter_map(|entry| entry["what"].as_str()).collect();
    for act in ["analyser_serviced", "operator_authorised", "operator_withdrawn"] {
        assert!(acts.contains(&act), "{acts:?}");
    }
    daemon.stop();
}

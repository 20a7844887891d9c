//! Gates 07 and 08 through the real daemon: what people write down of analysers and operators, at the command line and over
//! HTTP alike, closes and opens them, and nobody makes better alone what is there.

use crate::{
    analyser::Line,
    house::{Daemon, House},
    staff::{PASSWORD, Person, command, hire},
};
use serde_json::{Value, json};
use vocabulary::Role;

const DONATION: &str = "G123426000001";
const STAFF: [(&str, &[Role]); 3] =
    [("tech", &[Role::Technician]), ("zhao", &[Role::QcOfficer]), ("li", &[Role::Reviewer])];

fn records() -> Vec<String> {
    let assay = "^^^161^Anti-HCV^UNDILUTED^P^48229LI00^04462^";
    let tail = "F||LAB^LAB||20260302141822|iSR03600";
    vec![
        "H|\\^&|||ARCHITECT^9.45^F3450000001^H1P1O1R1C1Q1L1|||||||P|1|20260302142000".to_owned(),
        "P|1".to_owned(),
        format!("O|1|{DONATION}|{DONATION}^U265^1|^^^161^Anti-HCV^UNDILUTED^P|R||||||||||||||||||||F"),
        format!("R|1|{assay}^F|0.06|S/CO||||{tail}"),
        format!("R|2|{assay}^I|Nonreactive|||||{tail}"),
        "L|1".to_owned(),
    ]
}

/// What a gate says against the donation; nothing where it is open.
fn against(daemon: &Daemon, gate: &str) -> Option<String> {
    daemon.idle();
    let view = daemon.get(&format!("donations/{DONATION}"));
    let gates = view["verdict"]["gates"].as_array().unwrap();
    let gate = gates.iter().find(|one| one["id"] == gate).unwrap();
    (gate["pass"] == false).then(|| format!("{} {}", gate["why"], gate["why_zh"]))
}

fn in_a_year() -> &'static str {
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    today.saturating_add(jiff::Span::new().years(1)).to_string().leak()
}

/// Pages of one give what the whole list gives.
fn come_in_pages(daemon: &Daemon) {
    for path in ["operators", "connections/serology/services"] {
        let all = daemon.get(path)["items"].as_array().unwrap().clone();
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let page = daemon.get(&format!("{path}?limit=1{after}"));
            assert!(page["items"].as_array().unwrap().len() <= 1, "{path}: {page}");
            found.extend(page["items"].as_array().unwrap().clone());
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        assert!(found == all && all.len() > 1, "{path}");
    }
}

#[test]
fn what_is_written_down_of_analysers_and_operators_closes_and_opens_their_gates() {
    let house = House::with(&[("serology", "abbott/architect-i2000sr")]);
    hire(&house, &STAFF);
    let daemon = house.start();
    Line::open(daemon.listening["serology"]).unwrap().tell(&records());
    let says = |words: &[&str], who: &str| command(&house, &[words, &["--as", who]].concat(), &[PASSWORD]);
    let due = in_a_year();
    let until = |line: &'static str, due: &'static str| {
        ["analyser", "serviced", line, "--service", "maintenance", "--due", due, "--report", "M-17"]
    };
    let maintained = |line: &'static str| until(line, due);
    assert_eq!(says(&maintained("serology"), "tech").0, 77);
    let (exit, printed) = says(&maintained("nowhere"), "zhao");
    assert!(exit == 65 && printed.contains("there is no connection nowhere"), "{exit} {printed}");
    let (exit, printed) = says(&until("serology", "2206-06-30"), "zhao");
    assert!(
        exit == 65 && printed.contains("more than 5 years ahead") && printed.contains("请核对年份"),
        "{printed}"
    );
    let (exit, printed) = says(&maintained("serology"), "zhao");
    assert!(exit == 0 && printed.contains("\"done\""), "{printed}");
    assert_eq!(against(&daemon, "R-GATE-07"), None, "it is of today, and the result of March");

    let since = "2026-03-01T00:00:00+08:00";
    let wrong_year = [
        "analyser",
        "unfit",
        "serology",
        "--service",
        "calibration",
        "--from",
        "1926-03-01T00:00:00Z",
        "--reason",
        "C-3",
    ];
    let (exit, printed) = says(&wrong_year, "zhao");
    assert!(exit == 65 && printed.contains("more than 10 years ago"), "{printed}");
    let failed =
        ["analyser", "unfit", "serology", "--service", "calibration", "--from", since, "--reason", "C-3"];
    let (exit, printed) = says(&failed, "zhao");
    let unfit = serde_json::from_str::<Value>(&printed).unwrap()["entry"].clone();
    let why = against(&daemon, "R-GATE-07").unwrap();
    assert!(exit == 0 && why.contains("calibration") && why.contains("校准") && why.contains("C-3"), "{why}");

    let (zhao, li) = (Person::signs_in(&daemon, "zhao"), Person::signs_in(&daemon, "li"));
    let good = json!({ "service": "calibration", "from": since, "due": "2026-12-31", "report": "C-4" });
    let good = zhao.post("connections/serology/services", &good);
    assert_eq!((good.status, &good.body["step"]), (202, &json!("waits")), "{good:#?}");
    let confirm = format!("fitness/{}/confirm", good.body["entry"]);
    assert_eq!(zhao.post(&confirm, &Value::Null).refused().0, 422, "the same person");
    assert!(against(&daemon, "R-GATE-07").is_some(), "it reaches back, and nobody else has agreed");
    assert_eq!(li.post(&confirm, &Value::Null).status, 201);
    assert_eq!(against(&daemon, "R-GATE-07"), None);
    let (exit, printed) = command(&house, &["analyser", "services", "serology"], &[]);
    for part in ["good maintenance", due, "M-17", "overdue or failed calibration", "C-3", "C-4", "in effect"]
    {
        assert!(exit == 0 && printed.contains(part), "{part}: {printed}");
    }

    let taken_back = format!("fitness/{}/take-back", good.body["entry"]);
    let reason = json!({ "reason": "another analyser" });
    assert_eq!(li.post(&taken_back, &reason).status, 202);
    assert_eq!(li.post(&taken_back, &reason).refused().0, 422, "the same person");
    assert_eq!(zhao.post(&taken_back, &reason).status, 201);
    assert!(against(&daemon, "R-GATE-07").is_some(), "what it had made good is not");
    let unfit = unfit.to_string();
    for who in ["zhao", "li"] {
        assert_eq!(says(&["analyser", "take-back", &unfit, "--reason", "mistaken"], who).0, 0);
    }
    assert_eq!(against(&daemon, "R-GATE-07"), None);

    let operator =
        daemon.get(&format!("observations?donation={DONATION}"))["items"][0]["observation"]["operator"]
            .as_str()
            .unwrap()
            .to_owned();
    let ends = |who: &str| says(&["operator", "withdraw", who, "--from", since, "--reason", "left"], "zhao");
    let (exit, printed) = ends("nobody");
    assert!(exit == 65 && printed.contains("nothing is known of operator"), "{exit} {printed}");
    assert_eq!(against(&daemon, "R-GATE-08"), None);
    assert_eq!(ends(&operator).0, 0);
    assert!(against(&daemon, "R-GATE-08").unwrap().contains(&operator));
    let may = json!({ "operator": operator, "from": "2026-03-01T12:00:00+08:00", "reason": "T-3" });
    assert_eq!(daemon.post("operators/authorise", &may).0, 403, "a machine authorises nobody");
    let may = zhao.post("operators/authorise", &may);
    let entry = may.body["entry"].to_string();
    let (exit, printed) = says(&["operator", "confirm", &entry], "li");
    assert_eq!((may.status, exit), (202, 0));
    for part in [
        "authorised",
        &operator,
        "2026-03-01T04:00:00Z",
        "T-3",
        "waits for another person",
        "donations 1, runs 1",
    ] {
        assert!(printed.contains(part), "what is confirmed is told, {part}: {printed}");
    }
    assert_eq!(against(&daemon, "R-GATE-08"), None);
    let (exit, printed) = command(&house, &["operator", "list"], &[]);
    assert!(exit == 0 && printed.contains("withdrawn") && printed.contains("T-3"), "{printed}");
    come_in_pages(&daemon);
    assert!(daemon.stop().0.success());
    let (exit, printed) = command(&house, &["verify", "--state"], &[]);
    assert_eq!(exit, 0, "{printed}");
}
